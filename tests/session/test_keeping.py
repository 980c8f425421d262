"""The book is taken up in the morning and kept at the end, without anybody's doing."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from gexterm.clock import NS, ManualClock
from gexterm.config import Settings
from gexterm.engine.rereading import Reread
from gexterm.market.events import ClockTick, Event, FeedStatus
from gexterm.recording import books
from gexterm.recording.books import Book
from gexterm.session.keeping import EVERY, BookKeeper
from gexterm.session.live import LiveSession
from tests.engine.test_days import MONDAY, TUESDAY, at, bought, monday, opening
from tests.session.scripted import ScriptedRunner


def book(date: dt.date = MONDAY, traded: float = 50.0) -> Book:
    contracts = monday()[1].contracts[:2]  # type: ignore[union-attr]
    two = np.zeros(2)
    return Book(
        "SPX", date, 1, at(date, 16), contracts, np.array([-10.0, 5.0]), two, np.zeros((0, 2)),
        two, np.array([traded, 0.0]), two, np.array([100.0, 100.0]),
    )  # fmt: skip


async def run(folder: Path, events: list[Event], now: int, **options: object) -> LiveSession:
    told = [[event] for event in events] + [[FeedStatus("ended")]]
    session = LiveSession(
        lambda _tap: ScriptedRunner(told),  # type: ignore[arg-type,return-value]
        ManualClock(now),
        Settings(),
        underlying="SPX",
        keeper=BookKeeper(folder),
        **options,  # type: ignore[arg-type]
    )
    async with asyncio.timeout(60), session:
        async for _ in session.readings():
            if session.status.state == "ended":
                break
    return session


async def test_a_session_leaves_its_book_and_the_next_day_takes_it_up(tmp_path: Path) -> None:
    await run(tmp_path, monday(), at(MONDAY, 9))
    kept = books.latest(tmp_path, "SPX", TUESDAY)
    assert kept is not None
    left = books.load(kept)
    assert left.date == MONDAY
    assert left.mean.sum() < -50.0
    morning = [replace(e, recv=at(TUESDAY, 9)) for e in opening()[1:3]]  # type: ignore[type-var]
    session = await run(tmp_path, [opening()[0], *morning], at(TUESDAY, 9))
    assert session._core is not None
    assert session._core.engine.kept is not None
    assert session._core.engine.kept.date == MONDAY


async def test_nothing_is_carried_where_nobody_wants_it(tmp_path: Path) -> None:
    books.save(tmp_path, book())
    session = await run(tmp_path, opening()[:1], at(TUESDAY, 9), take_up=False)
    assert session._core is not None
    assert session._core.engine.kept is None


async def test_a_test_servers_market_leaves_no_book_and_takes_none_up(tmp_path: Path) -> None:
    books.save(tmp_path, book())
    made_up = [replace(opening()[0], mode="simulated"), *opening()[1:]]  # type: ignore[type-var]
    told = [*made_up, *bought(at(TUESDAY, 10), 30.0, 1), ClockTick(at(TUESDAY, 16))]
    session = await run(tmp_path, told, at(TUESDAY, 9))
    assert session._core is not None
    assert session._core.engine.kept is None
    assert [path.name for path in kept_in(tmp_path)] == ["2026-11-16.book"]


async def test_earlier_recordings_that_fail_in_an_unforeseen_way_do_not_end_a_session(
    tmp_path: Path,
) -> None:
    def fails(_stopped: object) -> Reread:
        raise ZeroDivisionError("made to fail")

    session = await run(tmp_path, monday(), at(MONDAY, 9), read_earlier=fails)
    assert session.newest is not None
    assert any("made to fail" in text for text in session.newest.health.warnings)


async def test_who_quits_while_earlier_recordings_are_read_does_not_wait_for_them(
    tmp_path: Path,
) -> None:
    begun, left = threading.Event(), threading.Event()

    def reads(stopped: Callable[[], bool]) -> Reread:
        begun.set()
        while not stopped():
            left.wait(0.005)
        left.set()
        return Reread()

    session = LiveSession(
        lambda _tap: ScriptedRunner([]),  # type: ignore[arg-type,return-value]
        ManualClock(at(MONDAY, 9)),
        Settings(),
        underlying="SPX",
        read_earlier=reads,
    )
    async with asyncio.timeout(60), session:
        listener = asyncio.create_task(anext(session.readings(), None))
        await asyncio.to_thread(begun.wait)
        assert session.status.message == "reading this day's earlier recordings"
        await session.close()
        await asyncio.gather(listener, return_exceptions=True)
        assert await asyncio.to_thread(left.wait, 20)


def kept_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.book"))


async def test_a_monitor_left_open_over_midnight_keeps_both_days(tmp_path: Path) -> None:
    events = [*monday(), ClockTick(at(TUESDAY, 0)), *bought(at(TUESDAY, 10), 30.0, 1)]
    await run(tmp_path, [*events, ClockTick(at(TUESDAY, 16))], at(MONDAY, 9))
    days = [path.name for path in kept_in(tmp_path)]
    assert days == ["2026-11-16.book", "2026-11-17.book"]
    first, second = (books.load(path) for path in kept_in(tmp_path))
    assert second.mean.sum() < first.mean.sum() < 0
    assert second.traded.sum() == 30.0


async def test_an_afternoon_does_not_take_the_place_of_a_day(tmp_path: Path) -> None:
    books.save(tmp_path, book(traded=500.0))
    await BookKeeper(tmp_path).keep(book(traded=20.0))
    assert books.load(books.path_of(tmp_path, "SPX", MONDAY)).traded.sum() == 500.0
    await BookKeeper(tmp_path).keep(book(traded=600.0))
    assert books.load(books.path_of(tmp_path, "SPX", MONDAY)).traded.sum() == 600.0


async def test_a_damaged_book_is_one_warning_and_no_end(tmp_path: Path) -> None:
    path = books.save(tmp_path, book())
    path.write_bytes(path.read_bytes()[:-1])
    keeper = BookKeeper(tmp_path)
    assert await keeper.take_up("SPX", TUESDAY) is None
    assert "damaged" in keeper.warning


async def test_a_folder_that_cannot_be_written_is_one_warning(tmp_path: Path) -> None:
    (tmp_path / "SPX").write_text("in the way")
    keeper = BookKeeper(tmp_path)
    await keeper.keep(book())
    assert keeper.warning.startswith("the book was not kept")


def test_a_book_is_kept_once_an_hour() -> None:
    keeper = BookKeeper(Path("unused"))
    assert not keeper.due(NS)
    assert not keeper.due(EVERY)
    assert keeper.due(NS + EVERY)
    assert not keeper.due(NS + EVERY + NS)
