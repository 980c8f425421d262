"""A terminal that may go away.

Textual hands its output to a thread that writes it to the terminal. When the terminal
is gone (a closed window, a lost ssh connection) that thread ends on the first error,
its bounded queue fills, and the program would wait for it for ever, holding on to a
terminal that is not there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gexterm.errors import TerminalError
from gexterm.ui.outflow import Outflow, Straight

if TYPE_CHECKING:
    from textual.driver import Driver


def need_terminal(characters: str = "auto") -> None:
    """Raise TerminalError when there is no terminal that can show the monitor.

    `characters`: unicode, ascii or auto, as of `glyphs.ascii_wanted`.
    """
    if os.environ.get("TEXTUAL_DRIVER"):
        return  # whoever names a driver has a screen of another kind, as the browser's server has
    instead = "use --headless, or `gexterm levels` for numbers without a screen"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise TerminalError("there is no terminal to show the monitor in", instead)
    kind = os.environ.get("TERM", "")
    if kind in {"", "dumb", "unknown"}:
        raise TerminalError(
            f"the terminal says it is {kind or 'nothing'} (TERM), which cannot show the monitor",
            f"set TERM, for instance to xterm-256color; or {instead}",
        )
    # Textual writes to the standard error of the process.
    coded = getattr(sys.__stderr__, "encoding", "") or ""
    if characters == "unicode" and not coded.lower().startswith("utf"):
        raise TerminalError(
            f"the terminal's characters are {coded or 'not known'}, without those of the monitor",
            'set LC_ALL=C.UTF-8 and a terminal to match, or glyphs = "auto"',
        )


class ForgivingFile:
    """A file whose loss is told once; from then on what is written is dropped."""

    def __init__(self, file: Any, lost: Callable[[], None]) -> None:
        self._file = file
        self._lost = lost
        self.gone = False
        """Whether writing has failed."""

    def write(self, text: str) -> None:
        """Write, if there still is something to write to."""
        self._forgive(lambda: self._file.write(text))

    def flush(self) -> None:
        """Flush, likewise."""
        self._forgive(self._file.flush)

    def fileno(self) -> int:
        """The file's descriptor."""
        number: int = self._file.fileno()
        return number

    def isatty(self) -> bool:
        """Whether the file is a terminal."""
        return bool(self._file.isatty())

    def _forgive(self, work: Callable[[], object]) -> None:
        if self.gone:
            return
        try:
            work()
        except (OSError, ValueError):
            self.gone = True
            self._lost()


def forgiving(driver: type[Driver]) -> type[Driver]:
    """The driver, for a terminal that may be lost, be slow, or be put into the background.

    It has `pending`, the characters that the terminal has not taken yet.
    """
    try:
        from textual.drivers.linux_driver import LinuxDriver
    except ImportError:  # Windows has another driver, and no hang-up
        return driver
    if not issubclass(driver, LinuxDriver):
        return driver

    class ForgivingDriver(driver):  # type: ignore[valid-type, misc]
        """The driver, over a file that may go away."""

        _outflow: Outflow | None = None

        def __init__(self, app: Any, **options: Any) -> None:
            super().__init__(app, **options)
            loop, file = self._loop, Straight(sys.__stderr__)
            self._file: Any = ForgivingFile(file, lambda: loop.call_soon_threadsafe(app.exit))

        @property
        def pending(self) -> int:
            """Characters on their way."""
            return self._outflow.pending if self._outflow is not None else 0

        @property
        def _writer_thread(self) -> Outflow | None:
            return self._outflow

        @_writer_thread.setter
        def _writer_thread(self, thread: Any) -> None:
            # Textual makes a thread of its own whenever it takes the terminal.
            self._outflow = Outflow(self._file) if thread is not None else None

        def _sigcont_application(self, *_: object) -> None:
            # `timeout`, systemd and others send SIGCONT to whom they never stopped. Taking
            # the terminal a second time would forget how it was found.
            if self._outflow is not None and self._outflow.is_alive():
                self._loop.call_soon_threadsafe(self._app.redraw)
            elif self._must_signal_resume:
                super()._sigcont_application()
            # Else we have left: a terminal that closes meanwhile sends SIGCONT, too, and taking
            # it again would start a thread that nothing ends.

    return ForgivingDriver
