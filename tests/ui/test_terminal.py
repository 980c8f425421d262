"""The loss of a terminal is told once, and nobody waits for it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread
from textual.drivers.linux_driver import LinuxDriver

from gexterm.errors import TerminalError
from gexterm.ui.terminal import ForgivingFile, forgiving, need_terminal


def test_output_to_a_lost_terminal_is_dropped_and_the_loss_told_once() -> None:
    reader, writer = os.pipe()
    told: list[str] = []
    raw = os.fdopen(writer, "w", buffering=1)
    try:
        file = ForgivingFile(raw, lambda: told.append("lost"))
        thread = WriterThread(file)  # type: ignore[arg-type]
        thread.start()
        os.close(reader)
        # More than the queue holds: over a bare file this would wait for ever.
        for _ in range(3 * MAX_QUEUED_WRITES):
            thread.write("a frame\n")
        thread.stop()
        assert not thread.is_alive()
        assert told == ["lost"]
        assert file.gone
    finally:
        with contextlib.suppress(BrokenPipeError):
            raw.close()


def test_a_terminal_that_is_there_gets_everything() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader) as end, os.fdopen(writer, "w") as raw:
        file = ForgivingFile(raw, lambda: None)
        file.write("hello\n")
        file.flush()
        assert end.readline() == "hello\n"
        assert file.fileno() == raw.fileno()
        assert not file.isatty()
        assert not file.gone


async def test_who_has_left_a_terminal_does_not_take_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    driver: Any = forgiving(LinuxDriver)(SimpleNamespace())  # type: ignore[arg-type]
    taken: list[str] = []
    driver.resume_application_mode = lambda: taken.append("taken")
    # A terminal that closes sends SIGCONT besides SIGHUP.
    driver._sigcont_application()
    assert taken == []
    driver._must_signal_resume = True  # by ^Z
    driver._sigcont_application()
    assert taken == ["taken"]


@pytest.mark.parametrize("coded", ["iso8859-1", "ascii", "ANSI_X3.4-1968"])
def test_a_terminal_without_the_monitors_characters_is_told_so(
    monkeypatch: pytest.MonkeyPatch, coded: str
) -> None:
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(sys, stream, SimpleNamespace(isatty=lambda: True))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "__stderr__", SimpleNamespace(encoding="UTF-8"))
    need_terminal()
    monkeypatch.setattr(sys, "__stderr__", SimpleNamespace(encoding=coded))
    need_terminal()  # it is drawn for in ASCII
    with pytest.raises(TerminalError, match=coded) as told:
        need_terminal("unicode")
    assert "UTF-8" in told.value.hint
