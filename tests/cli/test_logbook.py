"""What `gexterm record` says over hours: changes, not repetitions."""

from __future__ import annotations

import pytest

from gexterm.cli.logbook import Logbook
from gexterm.clock import ManualClock
from gexterm.errors import OutputError

NOW = 1_800_000_000_000_000_000


def test_trouble_is_told_in_its_own_words_and_once() -> None:
    said: list[str] = []
    book = Logbook(ManualClock(NOW), said.append)
    for why in ("", "raw frames are no longer kept: disk", "recording is off: disk", "", ""):
        book.recording(why)
    assert [line[9:] for line in said] == [
        "raw frames are no longer kept: disk",
        "recording is off: disk",
        "recording goes on",
    ]


def test_what_was_heard_and_not_recorded_is_an_error_at_the_end() -> None:
    book = Logbook(ManualClock(NOW), lambda _: None)
    book.end(100, 0)
    book.losses()
    book.end(100, 3)
    with pytest.raises(OutputError, match="3 rows"):
        book.losses()
