"""What is written to a terminal: a bell or a notification, and nothing that does more."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gexterm.alerts.delivery.terminal import Bell, Terminal, Toast, notification, style_of
from gexterm.alerts.delivery.wording import body, harmless, title
from gexterm.alerts.model import Alert, stamped
from tests.reading.readings import AS_OF

EVIL = "up\x1b]0;owned\x07\x1b[2J\x9b31m\r\nx\u202eabc\ud800\x00;9;4"


def alert(text: str = "flip crossed", *, replay: bool = False, mode: str = "live") -> Alert:
    made = Alert(AS_OF, "flip crossed", "notice", text, math.nan, replay)
    return stamped(made, "SPX", mode, "flow")


def test_osc_9_has_title_and_text_in_one() -> None:
    assert notification("gexterm SPX", "flip crossed") == "\x1b]9;gexterm SPX: flip crossed\a"


def test_osc_777_has_a_title_and_a_text() -> None:
    told = notification("a;b", "c;d", style="osc777")
    assert told == "\x1b]777;notify;a,b;c;d\a"


def test_inside_tmux_the_sequence_is_wrapped_to_be_passed_through() -> None:
    assert notification("t", "x", tmux=True) == "\x1bPtmux;\x1b\x1b]9;t: x\a\x1b\\"


def test_a_text_is_never_taken_for_a_progress_bar() -> None:
    assert notification("", "4;1;50") == "\x1b]9;gexterm: 4;1;50\a"


@given(
    st.text() | st.just(EVIL), st.text() | st.just(EVIL), st.sampled_from(["osc9", "osc777"]),
    st.booleans(),
)  # fmt: skip
def test_whatever_a_text_holds_the_terminal_obeys_one_sequence_only(
    head: str, text: str, style: str, tmux: bool
) -> None:
    told = notification(head, text, style=style, tmux=tmux)
    inner = told
    if tmux:
        assert told.startswith("\x1bPtmux;")
        assert told.endswith("\x1b\\")
        inner = told[7:-2].replace("\x1b\x1b", "\x1b")
    assert inner.startswith("\x1b]")
    assert inner.endswith("\a")
    assert not any(unicodedata.category(c)[0] == "C" for c in inner[2:-1])
    inner.encode("utf-8")
    assert len(told) < 700
    if style == "osc777":
        assert inner.count(";") == 3 + harmless(text).count(";")


@pytest.mark.parametrize(
    ("environ", "style"),
    [
        ({"TERM": "xterm-256color"}, "osc9"),
        ({"TERM": "xterm-kitty"}, "osc9"),
        ({"TERM": "rxvt-unicode-256color"}, "osc777"),
        ({"TERM": "foot"}, "osc777"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "osc777"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "VTE_VERSION": "1"}, "osc9"),
        ({}, "osc9"),
    ],
)
def test_the_sequence_is_the_one_that_the_terminal_is_likely_to_know(
    environ: dict[str, str], style: str
) -> None:
    assert style_of(environ) == style


async def test_what_is_delivered_to_terminal_bell_and_toast() -> None:
    written: list[str] = []
    shown: list[tuple[str, str]] = []
    await Terminal(written.append, environ={"TMUX": "/tmp/x,1,0"}).deliver(alert())
    await Terminal(written.append, environ={}, style="osc777").deliver(alert())
    await Bell(written.append).deliver(alert())
    await Toast(lambda text, severity: shown.append((text, severity))).deliver(alert(EVIL))
    assert written == [
        "\x1bPtmux;\x1b\x1b]9;gexterm SPX: 10:35:00 flip crossed\a\x1b\\",
        "\x1b]777;notify;gexterm SPX;10:35:00 flip crossed\a",
        "\a",
    ]
    [(text, severity)] = shown
    assert severity == "notice"
    assert text.isprintable()


def test_a_message_of_a_replay_says_so() -> None:
    assert title(alert()) == "gexterm SPX"
    assert title(alert(replay=True, mode="replay")) == "gexterm SPX (replay)"
    assert title(alert(replay=True, mode="simulated")) == "gexterm SPX (simulated)"
    assert body(alert()) == "10:35:00 flip crossed"


def test_a_message_is_one_line_and_has_an_end() -> None:
    assert harmless("a\n\tb") == "a b"
    assert harmless("x" * 10_000) == "x" * 299 + "…"
