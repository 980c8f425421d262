"""A session begun in mid-day goes on from what earlier ones of the same day recorded."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import ManualClock
from gexterm.engine.earlier import Earlier, Span
from gexterm.engine.engine import Engine
from gexterm.engine.health import FeedCounts
from gexterm.engine.rereading import Reread, of_recording, of_today
from gexterm.engine.settings import EngineSettings
from gexterm.market.contracts import Contract
from gexterm.market.events import (
    ClockTick,
    Definitions,
    Event,
    FeedReport,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
)
from gexterm.recording.reader import Recording
from gexterm.recording.writer import Writer
from tests.engine.test_days import HELD, MONDAY, TUESDAY, at, bought, opening

NOON = at(MONDAY, 12)


def prints(numbers: Sequence[int], size: float = 10.0) -> list[Event]:
    """Customers buy calls, one print each minute from 9:40 on; numbered by the venue."""
    told = []
    for number in numbers:
        told += bought(at(MONDAY, 9, 40) + number * 60_000_000_000, size + number, number)
    return told


def record(folder: Path, begins: int, events: Sequence[Event]) -> Path:
    from gexterm.market.calendar import et

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{et(begins):%Y-%m-%dT%H%M%S}.gexrec"
    info, *rest = events
    assert isinstance(info, SourceInfo)
    with Writer(path, info, ManualClock(begins)) as writer:
        for event in rest:
            writer.write(event)
    return path


def engine(events: Sequence[Event], again: Reread | None = None) -> Engine:
    made = Engine(replace(EngineSettings(), view="flow", scope="all"))
    made.earlier = again.earlier if again else None
    for event in events:
        made.apply(event)
    return made


def held(made: Engine, as_of: int = NOON) -> dict[Contract, float]:
    gained = made.gained(as_of)
    return {c: float(g) for c, g in zip(made.chain.contracts, gained, strict=True) if g}


def later(events: Sequence[Event], when: int) -> list[Event]:
    """The same beginning, at another time."""
    out: list[Event] = []
    for event in events:
        if isinstance(event, Quotes):
            event = replace(event, ts=np.full_like(event.ts, when))
        elif hasattr(event, "ts"):
            event = replace(event, ts=when)
        out.append(replace(event, recv=when) if hasattr(event, "recv") else event)  # type: ignore[arg-type]
    return out


def shuffled(events: Sequence[Event]) -> list[Event]:
    """The venue lists its contracts in another order today."""
    (where,) = (event for event in events if isinstance(event, Definitions))
    order = list(range(len(where.contracts)))
    random.Random(5).shuffle(order)
    place = np.argsort(order).astype(np.int32)
    out: list[Event] = []
    for event in events:
        if isinstance(event, Definitions):
            event = replace(event, contracts=tuple(where.contracts[k] for k in order))
        elif isinstance(event, Quotes | Trades | OpenInterest):
            event = replace(event, contract=place[event.contract])
        out.append(event)
    return out


def test_the_mornings_flow_is_there_at_noon(tmp_path: Path) -> None:
    morning, afternoon = prints(range(60)), prints(range(141, 150))
    record(tmp_path, at(MONDAY, 9, 31), [*opening(), *morning])
    again = of_today(tmp_path, NOON)
    assert not again.warning
    whole = engine([*opening(), *morning, *afternoon])
    resumed = engine([*later(opening(), NOON), *afternoon], again)
    end = at(MONDAY, 13)
    assert held(resumed, end) == pytest.approx(held(whole, end))
    job, other = resumed.job(end), whole.job(end)
    assert job is not None and job.flow is not None
    assert other is not None and other.flow is not None
    assert (job.flow.prints, job.flow.epoch) == (other.flow.prints, other.flow.epoch)
    assert job.flow.totals == pytest.approx(other.flow.totals)
    assert held(engine([*opening(), *afternoon]), end) != pytest.approx(held(whole, end))


def test_contracts_are_known_by_what_they_are_and_not_by_their_number(tmp_path: Path) -> None:
    morning = prints(range(20))
    record(tmp_path, at(MONDAY, 9, 31), [*opening(), *morning])
    resumed = engine(shuffled(later(opening(), NOON)), of_today(tmp_path, NOON))
    assert held(resumed) == pytest.approx(held(engine([*opening(), *morning])))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=3))
def test_what_the_venue_sends_again_counts_once_however_often_it_was_recorded(
    tmp_path_factory: pytest.TempPathFactory, stretches: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("day")
    known: set[int] = set()
    for number, (a, b) in enumerate(stretches):
        numbers = range(min(a, b), max(a, b))
        known |= set(numbers)
        record(folder, at(MONDAY, 9, 31 + number), [*opening(), *prints(numbers)])
    refilled = prints(range(10, 40))
    resumed = engine([*later(opening(), NOON), *refilled], of_today(folder, NOON))
    whole = engine([*opening(), *prints(sorted(known | set(range(10, 40))))])
    job, other = resumed.job(NOON), whole.job(NOON)
    assert job is not None and job.flow is not None
    assert other is not None and other.flow is not None
    assert job.flow.prints == other.flow.prints
    assert job.flow.volume.sum() == other.flow.volume.sum()


def test_a_session_that_itself_went_on_is_gone_on_from_without_counting_twice(
    tmp_path: Path,
) -> None:
    parts = [prints(range(10 * k, 10 * k + 10)) for k in range(3)]
    for k, part in enumerate(parts):
        begins = at(MONDAY, 9, 31) + k * 600_000_000_000
        record(tmp_path, begins, [*later(opening(), begins), *part])
    whole = engine([*opening(), *parts[0], *parts[1], *parts[2]])
    resumed = engine(later(opening(), NOON), of_today(tmp_path, NOON))
    assert held(resumed) == pytest.approx(held(whole))


def test_a_print_without_a_number_counts_where_it_is_later_only(tmp_path: Path) -> None:
    def unnumbered(events: list[Event]) -> list[Event]:
        return [
            replace(e, sequence=np.full_like(e.sequence, -1)) if isinstance(e, Trades) else e
            for e in events
        ]

    record(tmp_path, at(MONDAY, 9, 31), [*opening(), *unnumbered(prints(range(5)))])
    again = of_today(tmp_path, NOON)
    resumed = engine([*later(opening(), NOON), *unnumbered(prints(range(8)))], again)
    job = resumed.job(NOON)
    assert job is not None and job.flow is not None
    assert job.flow.prints == 8


def test_another_day_is_another_flow(tmp_path: Path) -> None:
    record(tmp_path, at(MONDAY, 9, 31), [*opening(), *prints(range(5))])
    assert of_today(tmp_path, at(TUESDAY, 9, 31)).earlier is None
    resumed = engine(later(opening(), NOON), of_today(tmp_path, NOON))
    resumed.apply(ClockTick(at(TUESDAY, 0)))
    assert resumed.earlier is None
    assert resumed.kept is not None
    assert resumed.kept.mean[list(resumed.kept.contracts).index(resumed.chain.contracts[HELD])] < 0


def test_it_is_said_what_was_not_heard(tmp_path: Path) -> None:
    heard = FeedReport(heard_from=at(MONDAY, 9, 30), recv=at(MONDAY, 11, 42))
    record(tmp_path, at(MONDAY, 9, 31), [*opening(), *prints(range(5)), heard])
    made = engine(later(opening(), NOON), of_today(tmp_path, NOON))
    back = at(MONDAY, 12, 3)
    job = made.job(back, FeedCounts(heard_from=back))
    assert job is not None
    health = made.compute(job).health
    assert health.heard_from == back
    (said,) = [text for text in health.warnings if "taken up" in text]
    assert "09:30-11:42" in said
    assert said.endswith("not heard: 11:42-12:03")
    # The venue has sent all of that again: there is no hole, and nothing to warn of.
    filled = made.job(back, FeedCounts(heard_from=at(MONDAY, 11, 30)))
    assert filled is not None
    assert filled.counts.heard_from == at(MONDAY, 9, 30)
    assert not filled.counts.warnings


def stretches(*times: tuple[int, int, int, int]) -> Earlier:
    spans = tuple(Span(at(MONDAY, a, b), at(MONDAY, c, d)) for a, b, c, d in times)
    return Earlier((), engine(opening()).job(NOON).flow, (), spans)  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize(
    ("heard_from", "since", "holes"),
    [
        ((12, 0), (12, 0), [(10, 0), (11, 0)]),
        ((11, 0), (10, 30), [(10, 0)]),
        ((10, 10), (10, 10), [(10, 0)]),
        ((9, 45), (9, 30), []),
        ((0, 0), (0, 0), []),
    ],
)
def test_a_hole_is_what_neither_a_recording_nor_the_venue_knows(
    heard_from: tuple[int, int], since: tuple[int, int], holes: list[tuple[int, int]]
) -> None:
    known = stretches((9, 30, 10, 0), (10, 30, 11, 0))
    told = known.told(FeedCounts(heard_from=at(MONDAY, *heard_from)))
    assert told.heard_from == at(MONDAY, *since)
    missed = known.missed(at(MONDAY, *heard_from))
    assert [hole.begins for hole in missed] == [at(MONDAY, *each) for each in holes]
    assert len(told.warnings) == bool(holes)


def test_prints_missing_in_the_morning_are_missing_at_noon(tmp_path: Path) -> None:
    nine, eleven = at(MONDAY, 9, 30), at(MONDAY, 11)
    lost = FeedReport(gaps=7, heard_from=nine, recv=eleven)
    record(tmp_path, at(MONDAY, 9, 31), [*opening(), *prints(range(5)), lost])
    earlier = of_today(tmp_path, NOON).earlier
    assert earlier is not None
    assert earlier.told(FeedCounts(gaps=2, heard_from=NOON)).gaps == 9
    assert earlier.told(FeedCounts(gaps=2, heard_from=nine)).gaps == 2


def test_a_recording_reads_again_what_it_names_and_no_more(tmp_path: Path) -> None:
    first = record(tmp_path, at(MONDAY, 9, 31), [*opening(), *prints(range(5))])
    again = of_today(tmp_path, NOON)
    second = tmp_path / "2026-11-16T120000.gexrec"
    with Writer(second, opening()[0], ManualClock(NOON), earlier=again.names) as writer:  # type: ignore[arg-type]
        for event in later(opening()[1:], NOON):
            writer.write(event)
    # The first file was being written by another program, and has grown since.
    shutil.move(first, tmp_path / "aside")
    record(tmp_path, at(MONDAY, 9, 31), [*opening(), *prints(range(30))])
    with Recording(second) as recording:
        named = of_recording(recording)
    assert named.earlier is not None
    assert again.earlier is not None
    assert named.earlier.flow.prints == again.earlier.flow.prints == 5
    assert named.warning == ""
    first.unlink()
    with Recording(second) as recording:
        gone = of_recording(recording)
    assert gone.earlier is None
    assert gone.warning.startswith("not all of this day's earlier flow is known")


def test_a_file_that_is_no_recording_costs_itself_only(tmp_path: Path) -> None:
    (tmp_path / "2026-11-16T080000.gexrec").write_bytes(b"not one")
    record(tmp_path, at(MONDAY, 9, 31), [*opening(), *prints(range(5))])
    again = of_today(tmp_path, NOON)
    assert again.earlier is not None
    assert again.earlier.flow.prints == 5
    assert "2026-11-16T080000" in again.warning
