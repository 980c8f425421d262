"""What a session tells besides Readings: how its recording goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordingState:
    """Whether what is heard is kept."""

    on: bool
    """Whether it is being written."""
    size: int = 0
    """Bytes written so far, in steps of a tenth of a megabyte."""
    why: str = ""
    """Why it is off, or what it lost; empty while all is well."""
    path: str = ""
    """The file being written; empty: none."""
    chosen: bool = False
    """Whether it is off because nobody wants it on."""


CHOSEN_OFF = RecordingState(False, why="recording is off by choice", chosen=True)
"""The user wants none."""
