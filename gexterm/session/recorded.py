"""The recording of a session, as the session sees it: events in, and how it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from gexterm.market.events import Event
from gexterm.session.model import CHOSEN_OFF, RecordingState

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from gexterm.feeds.tap import Tap
    from gexterm.recording.books import Book

_STEP = 100_000
"""Bytes by which a size shown grows: a screen need not be painted for every block."""


class Recording(Protocol):
    """What is asked of a recorder; see `recording.recorder.Recorder`."""

    @property
    def on(self) -> bool:
        """Whether events are being written."""
        ...

    @property
    def trouble(self) -> str:
        """Why it is off or has lost something; empty while all is well."""
        ...

    @property
    def path(self) -> Path | None:
        """The file being written."""
        ...

    @property
    def bytes(self) -> int:
        """Bytes handed to the operating system."""
        ...

    @property
    def tap(self) -> Tap:
        """For the runner."""
        ...

    def event(self, event: Event) -> None:
        """Keep an event. Neither raises nor waits."""
        ...

    def book(self, book: Book | None, earlier: tuple[tuple[str, int], ...] = ()) -> None:
        """Keep the book gone on from beside every file that begins from now on.

        Each names the `earlier` recordings gone on from, too.
        """
        ...

    async def __aenter__(self) -> Recording:
        """Begin."""
        ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish: all that was heard is in the files."""
        ...


MakeRecording = Callable[[Callable[[str], None]], Recording]
"""Makes a recorder, given whom to tell of trouble (empty: all is well again)."""


def state_of(recording: Recording | None, *, wanted: bool) -> RecordingState:
    """How it goes, for the status line."""
    if recording is None:
        return RecordingState(False) if wanted else CHOSEN_OFF
    path = recording.path
    return RecordingState(
        on=recording.on,
        size=recording.bytes // _STEP * _STEP,
        why=recording.trouble,
        path=str(path) if path else "",
    )
