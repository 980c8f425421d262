"""The monitor in a real terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.terminal.terminal import ROOT, Terminal

ALTERNATE_ON, ALTERNATE_OFF = b"\x1b[?1049h", b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"
MONITOR = ("-m", "tests.terminal.fake_monitor")


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal(*MONITOR)
    yield opened
    opened.close()


def test_it_starts_and_its_key_quits_it(terminal: Terminal) -> None:
    terminal.wait("SPX", "REPLAY", "LIS", "10:36", "quit")
    terminal.send("q")
    assert terminal.wait_exit() == 0
    assert terminal.raw.index(ALTERNATE_ON) < terminal.raw.index(ALTERNATE_OFF)


def test_it_follows_the_size_of_the_terminal(terminal: Terminal) -> None:
    terminal.wait("REPLAY")
    terminal.resize(160, 48)
    terminal.wait("vanna 0DTE", "HEDGE FLOW", "SIGN VIEWS")
    terminal.resize(20, 5)
    terminal.wait("gexterm needs", "40×10")
    terminal.resize(80, 24)
    terminal.wait("REPLAY", "charm 0DTE")
    terminal.wait("40×10", gone=True)
    assert terminal.child.isalive()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was(terminal: Terminal, name: signal.Signals) -> None:
    terminal.wait("REPLAY", "quit")
    os.kill(terminal.child.pid, name)
    assert terminal.wait_exit() == 0
    end = terminal.raw[terminal.raw.rindex(ALTERNATE_ON) :]
    assert ALTERNATE_OFF in end
    assert SHOW_CURSOR in end
    assert MOUSE_OFF in end
    assert b"Traceback" not in terminal.raw


def test_a_terminal_that_goes_away_ends_it(terminal: Terminal) -> None:
    terminal.wait("REPLAY", "quit")
    assert terminal.hang_up()


def test_keys_reach_it_while_the_market_moves(terminal: Terminal) -> None:
    terminal.wait("charm 0DTE")
    terminal.send("g")
    terminal.wait("vanna 0DTE")
    terminal.send(" ")
    terminal.wait("PAUSED")
    terminal.send("?")
    terminal.wait("KEYS", "On this screen: desk")
    terminal.send("q")
    terminal.wait("KEYS", gone=True)
    terminal.send("q")
    assert terminal.wait_exit() == 0


def test_few_bytes_are_sent_for_a_frame() -> None:
    opened = Terminal(*MONITOR, "--every", "0.1", width=160, height=48)
    opened.wait("REPLAY", "HEDGE FLOW")
    sent = opened.wait_frames(10) / 10
    opened.close()
    assert sent < 20_000


def test_without_a_terminal_it_says_so() -> None:
    program = (
        "import asyncio\nfrom gexterm.ui.app import show\n"
        "from gexterm.errors import TerminalError\n"
        "from tests.ui.fakes import FakeSession\n"
        "try:\n    asyncio.run(show(FakeSession()))\nexcept TerminalError as e:\n    print(e)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "no terminal" in done.stdout
    assert "gexterm levels" in done.stdout
