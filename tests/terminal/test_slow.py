"""A terminal that is slow, that takes nothing for a while, or is in the background."""

from __future__ import annotations

import os
import signal
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal.terminal import PATIENCE_S, Terminal

MONITOR = ("-m", "tests.terminal.fake_monitor", "--every", "0.05", "--fps", "20")


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal(*MONITOR)
    opened.wait("REPLAY", "quit")
    yield opened
    opened.close()


def unread(true: Callable[[], bool]) -> bool:
    """Whether something comes true while nobody reads what the program writes."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return False


def state(pid: int) -> str:
    """How the kernel calls what a process does: S sleeping, T stopped, Z ended."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def flood(terminal: Terminal, keys: str) -> None:
    """Keys of which each paints much of the screen, slowly enough that none is left out."""
    for key in keys:
        terminal.send(key)
        time.sleep(0.02)


def test_keys_get_through_while_the_terminal_takes_nothing(terminal: Terminal) -> None:
    # Many times what a pty holds.
    flood(terminal, "g" * 120 + "q")
    assert unread(lambda: state(terminal.child.pid) == "Z")


def test_a_terminal_that_comes_back_shows_the_newest_and_nothing_between(
    terminal: Terminal,
) -> None:
    flood(terminal, "g" * 120 + " ?")
    taken = len(terminal.raw)
    terminal.wait("KEYS", "PAUSED")
    # A hundred frames of 5 kB were gone through.
    assert len(terminal.raw) - taken < 120_000
    terminal.send("q")
    terminal.wait("KEYS", gone=True)
    terminal.wait("charm 0DTE", "PAUSED", "quit")


def test_back_from_the_background_everything_is_painted(terminal: Terminal) -> None:
    pid = terminal.child.pid
    terminal.send(" ")
    terminal.wait("PAUSED")
    for _ in range(2):
        os.kill(pid, signal.SIGTSTP)
        assert unread(lambda: state(pid) == "T")
        terminal.screen.reset()
        os.kill(pid, signal.SIGCONT)
        terminal.wait("PAUSED", "charm 0DTE", "strike", "quit")
    terminal.send("g")
    terminal.wait("vanna 0DTE")


def test_going_on_without_having_been_stopped_leaves_the_terminal_in_order(
    terminal: Terminal,
) -> None:
    pid, line = terminal.child.pid, terminal.child.child_fd
    os.kill(pid, signal.SIGCONT)
    terminal.send("g")
    terminal.wait("vanna 0DTE")
    terminal.send("q")
    assert unread(lambda: bool(termios.tcgetattr(line)[3] & termios.ICANON))
    assert terminal.wait_exit() == 0


def test_a_screen_that_something_has_written_over_is_drawn_anew(terminal: Terminal) -> None:
    terminal.send(" ")
    terminal.wait("PAUSED")
    quiet = -1
    while quiet != len(terminal.raw):
        quiet = len(terminal.raw)
        terminal._read()
    terminal.screen.reset()
    terminal.send("\x0c")
    terminal.wait("PAUSED", "charm 0DTE", "strike", "quit")
