"""`gexterm demo` and `gexterm replay` in a real terminal: the whole program, as a user meets it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.terminal import Terminal


@pytest.fixture
def demo() -> Iterator[Terminal]:
    opened = Terminal("-m", "gexterm", "demo", "first-light", "--at", "10:15", "--speed", "60")
    yield opened
    opened.close()


def test_the_demo_shows_a_moving_market_and_says_that_it_is_none(demo: Terminal) -> None:
    demo.wait("SIMULATED ×60", "customer-flow × open interest", "LIS", "10:1")
    demo.wait("10:17:")
    demo.send("q")
    assert demo.wait_exit() == 0
    assert b"Traceback" not in demo.raw


def test_keys_reach_the_engine_and_the_replay(demo: Terminal) -> None:
    demo.wait("customer-flow × open interest", "γ")
    demo.send("v")
    demo.wait("squeezemetrics × open interest")
    demo.send("]")
    demo.wait("10:2")
    demo.send(" ")
    demo.wait("paused")
    demo.send("[")
    demo.wait("10:1")
    demo.send("q")
    assert demo.wait_exit() == 0


def test_a_snapshot_from_the_keyboard_says_where_it_lies(tmp_path: Path) -> None:
    opened = Terminal(
        "-m",
        "gexterm",
        "demo",
        "first-light",
        "--at",
        "10:15",
        HOME=str(tmp_path),
        XDG_DATA_HOME=str(tmp_path),
    )
    try:
        opened.wait("LIS")
        opened.send("s")
        opened.wait("kept")
        (folder,) = (tmp_path / "gexterm" / "snapshots").iterdir()
        assert {"screen.png", "screen.svg", "reading.json"} <= {p.name for p in folder.iterdir()}
        opened.send("q")
        assert opened.wait_exit() == 0
    finally:
        opened.close()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_and_leaves_the_terminal_clean(
    demo: Terminal, name: signal.Signals
) -> None:
    demo.wait("LIS")
    os.kill(demo.child.pid, name)
    assert demo.wait_exit() == 0
    assert b"\x1b[?1049l" in demo.raw
    assert b"Traceback" not in demo.raw


def test_a_terminal_that_knows_nothing_is_refused_in_one_line() -> None:
    opened = Terminal("-m", "gexterm", "demo", TERM="dumb")
    try:
        assert opened.wait_exit() == 2
        assert b"--headless" in opened.raw
        assert b"Traceback" not in opened.raw
    finally:
        opened.close()
