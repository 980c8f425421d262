"""A recording's own book, from the command line: taken up unless told otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gexterm.clock import ManualClock
from gexterm.market.events import ClockTick, Definitions
from gexterm.recording.books import Book, beside
from gexterm.recording.recorder import Recorder, RecorderSettings
from tests.cli.invoke import gexterm
from tests.engine.test_days import HELD, MONDAY, TUESDAY, at, bought, opening


@pytest.fixture
async def tuesday(tmp_path: Path) -> Path:
    """Tuesday's recording, of a session that went on from Monday's book."""
    defined = opening()[1]
    assert isinstance(defined, Definitions)
    count = len(defined.contracts)
    mean = np.zeros(count)
    mean[HELD] = -200.0
    kept = Book(
        "SPX", MONDAY, at(MONDAY, 9, 31), at(MONDAY, 16), defined.contracts, mean, mean**2 / 9,
        np.zeros((0, count)), -mean, np.zeros(count), np.zeros(count), np.full(count, 900.0),
    )  # fmt: skip
    clock = ManualClock(at(TUESDAY, 9, 31))
    settings = RecorderSettings(frames=False, min_free_bytes=0)
    async with Recorder(tmp_path, "venue", "SPX", clock, settings) as recorder:
        recorder.book(kept)
        now = clock.now_ns()
        for event in opening():
            changed = {"recv": now} if hasattr(event, "recv") else {}
            if hasattr(event, "ts"):
                changed["ts"] = np.full_like(event.ts, now) if np.ndim(event.ts) else now
            recorder.event(replace(event, **changed))  # type: ignore[arg-type]
        for event in (*bought(at(TUESDAY, 9, 33), 10.0, 1), ClockTick(at(TUESDAY, 9, 35))):
            recorder.event(event)
        await recorder.flushed()
    assert recorder.path is not None
    return recorder.path


def levels(path: Path, *options: str) -> dict[str, Any]:
    done = gexterm("levels", str(path), "--view", "combined", "--json", *options)
    assert done.code == 0, done.err
    return json.loads(done.out)  # type: ignore[no-any-return]


def test_levels_go_on_from_the_book_beside_a_recording(tuesday: Path) -> None:
    own = levels(tuesday)
    named = levels(tuesday, "--carry", str(beside(tuesday)))
    without = levels(tuesday, "--no-carry")
    assert own["positions"]["reconciled"]
    assert own == named
    assert not without["positions"]["reconciled"]
    assert own["gamma"]["gex_per_1pct"] != without["gamma"]["gex_per_1pct"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


@pytest.mark.parametrize("harm", [cut, Path.unlink])
def test_a_book_that_cannot_be_read_is_one_warning_and_no_positions_from_it(
    tuesday: Path, harm: Callable[[Path], None]
) -> None:
    harm(beside(tuesday))
    found = levels(tuesday)
    said = [text for text in found["health"]["warnings"] if "lack the book" in text]
    assert len(said) == 1
    assert (
        found["positions"]["reconciled"] == levels(tuesday, "--no-carry")["positions"]["reconciled"]
    )


def test_to_carry_one_and_none_is_no_wish(tuesday: Path) -> None:
    for command in ("levels", "snapshot", "replay"):
        done = gexterm(command, str(tuesday), "--carry", "x", "--no-carry", *(
            ("--headless",) if command == "replay" else ()))  # fmt: skip
        assert done.code == 2
        assert "contradict" in done.one_clear_line


def test_a_snapshot_of_a_recording_goes_on_from_it_too(tuesday: Path, tmp_path: Path) -> None:
    def kept(*options: str) -> dict[str, Any]:
        done = gexterm("snapshot", str(tuesday), "-o", str(tmp_path / "shots"), *options)
        assert done.code == 0, done.err
        found = Path(done.out.strip()) / "reading.json"
        return json.loads(found.read_text())["positions"]  # type: ignore[no-any-return]

    assert kept("--view", "combined")["reconciled"]
    assert not kept("--view", "combined", "--no-carry")["reconciled"]
