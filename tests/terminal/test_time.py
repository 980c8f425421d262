"""Going through time in a real terminal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.terminal.terminal import Terminal


@pytest.fixture
def demo() -> Iterator[Terminal]:
    opened = Terminal("-m", "gexterm", "demo", "first-light", "--at", "10:05", "--speed", "1")
    yield opened
    opened.close()


def test_ticks_times_and_marks_are_gone_to_and_nothing_is_left_behind(demo: Terminal) -> None:
    demo.wait("customer-flow × open interest", "10:05:")
    demo.send("@")
    demo.wait("Go to which time?")
    demo.send("10:20:30\r")
    demo.wait("10:20:3")
    demo.send(">")
    demo.wait("PAUSED", "10:21:3")
    demo.send(".")
    demo.send(",")
    demo.send("P")
    demo.wait("PAUSED", "10:1")
    demo.send("@")
    demo.wait("Go to which time?")
    demo.send("end\r")
    demo.wait("10:35:00", "ENDED")
    demo.send("n")
    demo.wait("no further alert until the")
    demo.send("q")
    assert demo.wait_exit() == 0
    assert b"Traceback" not in demo.raw
