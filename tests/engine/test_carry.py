"""The book from one session to the next: only what was recorded, checked, and aged."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from gexterm.clock import NS
from gexterm.engine.carry import missed, take_up
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.errors import RecordingError
from gexterm.market.calendar import at_et
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import Definitions, OpenInterest, Quotes, SourceInfo, UnderlyingPrice
from gexterm.recording.books import Book, load, save
from tests.engine.market import DATE, SPOT
from tests.engine.tapes import CHAIN, CONTRACTS, QUOTES, TEN, filled, index_of, prints, tick

CALL = index_of(30, Right.CALL)
MONDAY = DATE + dt.timedelta(days=3)
DECEMBER = dt.date(2026, 12, 18)
LATER = index_of(50, Right.CALL, DECEMBER)
CLOSE = at_et(DATE, dt.time(16, 0))


def day_one(**settings: str) -> Engine:
    """A Friday on which customers bought today's calls and sold December's."""
    engine = filled(view="combined", **settings)
    engine.apply(prints((CALL, +1, 70.0), *[(LATER, -1, 20.0)] * 4))
    return engine


def book_of(engine: Engine) -> Book:
    made = engine.keep_book(CLOSE)
    assert made is not None
    return made


def held(book: Book, contract: Contract) -> float:
    return float(book.mean[book.contracts.index(contract)])


def next_day(
    book: Book | None, *, date: dt.date = MONDAY, interest: float = 1_000.0, **settings: str
) -> Engine:
    """The chain of a later session, with open interest of all contracts alike."""
    at = at_et(date, dt.time(10, 0))
    engine = Engine(EngineSettings(view="combined", scope="all", **settings))  # type: ignore[arg-type]
    engine.kept = book
    left = [i for i, c in enumerate(CONTRACTS) if c.expiry >= date]
    index = np.arange(len(left), dtype=np.int32)
    for event in (
        SourceInfo("SPX", "synthetic", "simulated", begins=at, conditions="opra"),
        Definitions(0, tuple(CONTRACTS[i] for i in left), at),
        UnderlyingPrice(SPOT, at, at),
        Quotes(
            index,
            *(getattr(QUOTES, n)[left] for n in ("bid", "ask", "bid_size", "ask_size")),
            np.full(len(left), at),
            at,
        ),
        OpenInterest(index, np.full(len(left), interest), at, at),
    ):
        engine.apply(event)
    return engine


def carried(book: Book, **more):
    engine = next_day(book, **more)
    date = more.get("date", MONDAY)
    job = engine.job(at_et(date, dt.time(10, 5)))
    assert job is not None
    return engine, job, take_up(book, job.rows)


def place(rows, contract: Contract) -> tuple[int, int]:
    """Side and row of a contract."""
    layout = rows.layout
    [e] = [
        i
        for i, x in enumerate(layout.expiries)
        if (x.root, x.date) == (contract.root, contract.expiry)
    ]
    [row] = np.flatnonzero((layout.expiry == e) & (layout.strike == contract.strike))
    return (0 if contract.right is Right.CALL else 1), int(row)


def test_what_is_kept_is_what_was_recorded() -> None:
    book = book_of(day_one())
    assert (book.underlying, book.date, book.as_of) == ("SPX", DATE, CLOSE)
    assert book.epoch == TEN + NS
    assert held(book, CONTRACTS[CALL]) < 0.0 < held(book, CONTRACTS[LATER])
    assert book.traded.sum() == 150.0
    assert not book.opened.any()
    assert np.isfinite(book.mean).all() and (book.variance >= 0.0).all()


def test_a_convention_is_never_kept() -> None:
    plain, assumed = (
        book_of(day_one(prior_today=p, prior_later=p)) for p in ("none", "short-both")
    )
    np.testing.assert_array_equal(plain.mean, assumed.mean)
    np.testing.assert_array_equal(plain.variance, assumed.variance)
    np.testing.assert_array_equal(plain.shared, assumed.shared)


def test_without_a_tape_there_is_no_book() -> None:
    engine = Engine(EngineSettings())
    engine.apply(SourceInfo("SPX", "synthetic", "simulated"))
    for event in CHAIN:
        engine.apply(event)
    assert engine.keep_book(CLOSE) is None


def test_a_cancelled_print_is_not_kept() -> None:
    from gexterm.market.events import CANCEL, Trades

    engine = filled(view="combined")
    engine.apply(prints((LATER, -1, 20.0)))
    engine.apply(
        Trades.of(
            [LATER], [0.0], [0.0], [TEN + 9 * NS], recv=TEN + 9 * NS, action=[CANCEL], refers=[1]
        )
    )
    book = book_of(engine)
    assert not book.mean.any() and not book.traded.any()


def test_what_expired_is_gone() -> None:
    book = book_of(day_one())
    assert CONTRACTS[CALL] in book.contracts
    assert CONTRACTS[CALL] not in book.without_expired(MONDAY).contracts
    _, job, carry = carried(book)
    at = place(job.rows, CONTRACTS[LATER])
    assert carry.belief.mean[at] == pytest.approx(held(book, CONTRACTS[LATER]))
    assert np.count_nonzero(carry.traded) == 1, "Friday's calls have settled"


def test_what_is_carried_is_part_of_the_combined_book_and_is_told() -> None:
    book = book_of(day_one())
    with_book = tick_at(next_day(book, prior_later="none"))
    without = tick_at(next_day(None, prior_later="none"))
    assert carried(book)[2].epoch == TEN + NS
    # Today's own trades have none yet.
    assert with_book.positions.epoch == without.positions.epoch == 0
    assert with_book.gamma.gex_per_1pct > 0.0
    # No record, no convention, no print: no book. It is not a book of zeros.
    assert np.isnan(without.gamma.gex_per_1pct)
    assert "within open interest" in with_book.positions.reconciled
    assert without.positions.reconciled == ""


def tick_at(engine: Engine, date: dt.date = MONDAY):
    job = engine.job(at_et(date, dt.time(10, 5)))
    assert job is not None
    return engine.compute(job)


def test_a_book_beyond_open_interest_is_cut_and_it_is_said_by_how_much() -> None:
    big = day_one()
    big.apply(prints(*[(LATER, -1, 400.0)] * 5, at=TEN + 100 * NS))
    book = book_of(big)
    assert held(book, CONTRACTS[LATER]) > 300.0
    engine, job, carry = carried(book, interest=300.0)
    assert carry.belief.mean[place(job.rows, CONTRACTS[LATER])] == 300.0
    reading = tick_at(engine)
    assert "beyond open interest in 1 of" in reading.positions.reconciled


def test_open_interest_of_the_morning_says_how_much_was_opened() -> None:
    book = book_of(day_one())
    contract = CONTRACTS[LATER]
    k = book.contracts.index(contract)
    volume, before = book.volume.copy(), book.open_interest.copy()
    volume[k], before[k] = 80.0, 1_000.0
    book = dataclasses.replace(book, volume=volume, open_interest=before)
    # All 80 opened on both sides: open interest has grown by 80. None did: it fell by 80.
    for now, share in ((1_080.0, 1.0), (1_000.0, 0.5), (920.0, 0.0)):
        _, job, carry = carried(book, interest=now)
        assert carry.opened[place(job.rows, contract)] == pytest.approx(80.0 * share)


def test_sessions_that_were_missed_make_it_less_certain_and_are_told() -> None:
    book = book_of(day_one())
    wednesday = MONDAY + dt.timedelta(days=2)
    _, job, fresh = carried(book)
    _, later_job, aged = carried(book, date=wednesday)
    at, later_at = (place(j.rows, CONTRACTS[LATER]) for j in (job, later_job))
    assert aged.belief.mean[later_at] == fresh.belief.mean[at]
    assert aged.belief.variance[later_at] > fresh.belief.variance[at]
    assert "2 sessions not recorded since" in aged.reconciled
    assert "not recorded" not in fresh.reconciled


@pytest.mark.parametrize(
    ("then", "today", "count"),
    [
        (DATE, MONDAY, 0),  # over a weekend
        (DATE, DATE + dt.timedelta(days=4), 1),
        (dt.date(2026, 11, 25), dt.date(2026, 11, 27), 0),  # over Thanksgiving
        (DATE, DATE, 0),
        (MONDAY, DATE, 0),  # a book of the future is no missed session
    ],
)
def test_weekends_and_holidays_are_no_missed_sessions(then, today, count) -> None:
    assert missed(then, today) == count


def test_what_is_carried_is_kept_again_with_the_day_added() -> None:
    first = book_of(day_one())
    monday = next_day(first)
    at = at_et(MONDAY, dt.time(10, 1))
    index = list(monday.chain.contracts).index(CONTRACTS[LATER])
    monday.apply(
        dataclasses.replace(
            prints((LATER, -1, 20.0), at=at),
            contract=np.array([index], np.int32),
            sequence=np.array([9]),
        )
    )
    second = monday.keep_book(at_et(MONDAY, dt.time(16, 0)))
    assert second is not None
    contract = CONTRACTS[LATER]
    assert held(second, contract) > held(first, contract)
    assert second.epoch == first.epoch
    assert second.date == MONDAY
    assert CONTRACTS[CALL] not in second.contracts
    assert second.reconciled


def test_kept_on_disk_it_is_taken_up_as_it_was(tmp_path: Path) -> None:
    book = book_of(day_one())
    again = load(save(tmp_path, book))
    _, job, carry = carried(again)
    _, _, direct = carried(book)
    np.testing.assert_allclose(carry.belief.mean, direct.belief.mean, atol=1e-3)
    np.testing.assert_allclose(carry.belief.variance, direct.belief.variance, atol=1e-2)
    assert carry.epoch == direct.epoch
    assert len(job.rows.layout)


def test_a_damaged_book_is_an_error_and_no_position(tmp_path: Path) -> None:
    path = save(tmp_path, book_of(day_one()))
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(RecordingError, match="its checksum does not match"):
        load(path)


def test_a_session_that_ends_early_keeps_what_there_is() -> None:
    engine = day_one()
    assert tick(engine).positions.prints == 5
    noon = engine.keep_book(TEN + 7_200 * NS)
    assert noon is not None
    assert noon.as_of == TEN + 7_200 * NS
    np.testing.assert_array_equal(noon.mean, book_of(engine).mean)
