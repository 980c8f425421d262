"""Copying over the terminal."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gexterm.errors import UsageError
from gexterm.snapshots.osc52 import MOST_BYTES, payload, tmux_command


@given(st.text(max_size=200))
def test_the_text_arrives_whole_and_nothing_else_is_sent(text: str) -> None:
    sent = payload(text)
    assert sent.startswith("\x1b]52;c;")
    assert sent.endswith("\x07")
    body = sent.removeprefix("\x1b]52;c;").removesuffix("\x07")
    assert base64.b64decode(body).decode() == text.encode(errors="replace").decode()


def test_tmux_gets_it_wrapped_with_every_escape_doubled() -> None:
    sent = payload("x", tmux=True)
    assert sent.startswith("\x1bPtmux;\x1b\x1b]52;c;")
    assert sent.endswith("\x1b\\")
    assert sent.removeprefix("\x1bPtmux;").removesuffix("\x1b\\").replace("\x1b\x1b", "\x1b") == (
        payload("x")
    )


def test_what_terminals_would_cut_is_refused() -> None:
    assert len(payload("x" * MOST_BYTES)) < 100_100
    with pytest.raises(UsageError, match="too many"):
        payload("x" * (MOST_BYTES + 1))


def test_inside_tmux_its_own_buffer_is_filled() -> None:
    assert tmux_command({"TMUX": "/tmp/tmux-0/default,1,0"}) == ("tmux", "load-buffer", "-w", "-")
    assert tmux_command({"TMUX": ""}) == tmux_command({}) == ()
