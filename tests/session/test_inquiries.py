"""Questions to a running session: never in the way of its ticks, never of two minds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from gexterm.alerts.monitor import AlertMonitor
from gexterm.engine.engine import Engine
from gexterm.engine.health import FeedCounts
from gexterm.engine.inquiry import suppose as supposing
from gexterm.errors import ChainError, UsageError
from gexterm.market.contracts import Right
from gexterm.reading.inquiry import Inquiries, Suppose
from gexterm.session.core import Core
from gexterm.session.inquiries import SessionInquiries
from gexterm.session.ticking import Ticker
from tests.engine.inquiry.books import traded
from tests.engine.tapes import MINUTE, TEN, filled, index_of, prints, tick
from tests.session.test_live import playing, until


def core_of(engine: Engine) -> Core:
    ticker = Ticker(engine, lambda _reading: None, lambda error: pytest.fail(str(error)))
    return Core(engine, AlertMonitor(), ticker)


def asked(**settings: str) -> tuple[Core, SessionInquiries]:
    core = core_of(traded(250, 1, **settings))
    return core, SessionInquiries(core)


class Held:
    """Answers that are counted, and held back until let go."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.begun = threading.Event()
        self.asked: list[Suppose] = []


@contextmanager
def held_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held, answer = Held(), supposing.supposed

    def wait(last: Any, suppose: Suppose) -> Any:
        held.asked.append(suppose)
        held.begun.set()
        assert held.free.wait(30)
        return answer(last, suppose)

    monkeypatch.setattr(supposing, "supposed", wait)
    try:
        yield held
    finally:
        held.free.set()


async def begun(held: Held) -> None:
    assert await asyncio.to_thread(held.begun.wait, 30)


async def test_a_session_has_nobody_to_ask_before_its_first_reading() -> None:
    async with playing() as session:
        before = session.inquire
        assert before is None
        reading = await until(session, lambda _reading: True)
        ask = session.inquire
        assert ask is not None
        assert ask is session.inquire
        there = await ask.supposed(Suppose(-0.005, 1.0, 30.0))
        assert there.reading.spot == pytest.approx(0.995 * there.base.spot)
        assert there.base.as_of >= reading.as_of
        curves = await ask.curves(Suppose())
        assert curves.values["gamma"].shape == curves.spots.shape
        line = reading.expiries[0]
        assert (await ask.smile(line.expiry, line.root)).strikes.size
        assert (await ask.outlook("gamma")).values.shape[0] > 10
        assert "no prints" in (await ask.tape(5)).why_none


async def test_every_question_of_the_protocol_is_answered() -> None:
    core, mine = asked(view="flow", scope="0dte")
    ask: Inquiries = mine
    assert core.engine.last is not None
    base = core.engine.last.reading
    assert (await ask.supposed(Suppose())).reading is base
    assert (await ask.curves(Suppose())).as_of == base.as_of
    assert (await ask.smile("2026-11-20", "SPX")).root == "SPX"
    assert (await ask.outlook("vega")).times[0] == base.as_of
    assert len((await ask.tape(7)).prints) == 7


async def test_what_cannot_be_answered_says_why() -> None:
    ask = SessionInquiries(core_of(filled(view="flow")))
    for question in (
        ask.supposed(Suppose(0.01)),
        ask.curves(Suppose()),
        ask.outlook("gamma"),
        ask.smile("2026-11-13", "SPXW"),
        ask.tape(5),
    ):
        with pytest.raises(ChainError, match="nothing is known yet; wait for the first Reading"):
            await question
    _, ask = asked(view="flow")
    with pytest.raises(UsageError):
        await ask.smile("1999-01-01", "SPXW")
    with pytest.raises(UsageError):
        await ask.outlook("speed")
    # A question that failed is no answer to the next one.
    assert (await ask.outlook("gamma")).greek == "gamma"


async def test_after_a_jump_nothing_is_known_until_the_next_reading() -> None:
    core, ask = asked(view="flow")
    await ask.supposed(Suppose(0.01))
    core.engine.restart()
    with pytest.raises(ChainError):
        await ask.supposed(Suppose(0.01))


async def test_who_asks_the_same_at_once_shares_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    _, ask = asked(view="flow", scope="0dte")
    with held_back(monkeypatch) as held:
        both = [asyncio.create_task(ask.supposed(Suppose(0.01))) for _ in range(2)]
        await begun(held)
        held.free.set()
        one, other = await asyncio.gather(*both)
        assert one is other
        assert await ask.supposed(Suppose(0.01)) is one  # nothing has changed since
        assert held.asked == [Suppose(0.01)]


async def test_a_new_tick_makes_old_answers_old() -> None:
    core, ask = asked(view="flow", scope="0dte")
    before = await ask.supposed(Suppose(0.01))
    core.engine.apply(prints((index_of(30, Right.CALL), +1, 900.0), at=TEN + 8 * MINUTE))
    tick(core.engine, 9.0)
    after = await ask.supposed(Suppose(0.01))
    assert after.base.as_of > before.base.as_of
    assert after.reading.gamma.gex_per_1pct != before.reading.gamma.gex_per_1pct


async def test_who_no_longer_wants_an_answer_leaves_the_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An arrow key held down: what was passed over is not computed."""
    _, ask = asked(view="flow", scope="0dte")
    with held_back(monkeypatch) as held:
        first = asyncio.create_task(ask.supposed(Suppose(0.01)))
        await begun(held)
        passed = asyncio.create_task(ask.supposed(Suppose(0.02)))
        wanted = asyncio.create_task(ask.supposed(Suppose(0.03)))
        await asyncio.sleep(0)
        passed.cancel()
        held.free.set()
        assert (await first).suppose == Suppose(0.01)
        assert (await wanted).suppose == Suppose(0.03)
        with pytest.raises(asyncio.CancelledError):
            await passed
        assert held.asked == [Suppose(0.01), Suppose(0.03)]


async def test_one_who_leaves_takes_the_answer_from_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, ask = asked(view="flow", scope="0dte")
    with held_back(monkeypatch) as held:
        leaves, stays = (asyncio.create_task(ask.supposed(Suppose(0.01))) for _ in range(2))
        await begun(held)
        leaves.cancel()
        await asyncio.sleep(0)
        held.free.set()
        assert (await stays).suppose == Suppose(0.01)


async def test_answers_that_nobody_wants_any_more_do_not_pile_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread cannot be stopped: the next question waits for it."""
    _, ask = asked(view="flow", scope="0dte")
    with held_back(monkeypatch) as held:
        for move in (0.01, 0.02, 0.03):
            question = asyncio.create_task(ask.supposed(Suppose(move)))
            if move == 0.01:
                await begun(held)
            await asyncio.sleep(0)
            question.cancel()
            with pytest.raises(asyncio.CancelledError):
                await question
        wanted = asyncio.create_task(ask.supposed(Suppose(0.04)))
        await asyncio.sleep(0)
        assert held.asked == [Suppose(0.01)]
        held.free.set()
        assert (await wanted).suppose == Suppose(0.04)
        assert held.asked == [Suppose(0.01), Suppose(0.04)]


async def test_a_question_keeps_no_tick_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    core, ask = asked(view="flow", scope="0dte")
    published: list[int] = []
    ticker = Ticker(
        core.engine,
        lambda reading: published.append(reading.as_of),
        lambda error: pytest.fail(str(error)),
    )
    core = replace(core, ticker=ticker)
    assert core.engine.last is not None
    base = core.engine.last.reading
    with held_back(monkeypatch) as held:
        question = asyncio.create_task(ask.supposed(Suppose(0.01)))
        await begun(held)
        await ticker.tick(TEN + 7 * MINUTE, lambda _as_of: FeedCounts())
        assert published == [TEN + 7 * MINUTE]
        held.free.set()
        # It is answered of the tick that was newest when it was asked.
        assert (await question).base is base


async def test_asking_while_ticks_go_on_changes_no_reading() -> None:
    async def run(*, asks: bool) -> list[float]:
        core, ask = asked(view="combined", scope="0dte")
        seen: list[float] = []
        ticker = Ticker(
            core.engine,
            lambda reading: seen.append(reading.gamma.gex_per_1pct),
            lambda error: pytest.fail(str(error)),
        )
        for i in range(6):
            questions = [
                asyncio.create_task(ask.supposed(Suppose(0.001 * (i + 1), 1.0, 10.0 * i))),
                asyncio.create_task(ask.curves(Suppose(0.0, 1.0 * i))),
            ]
            core.engine.apply(
                prints((index_of(10, Right.CALL), +1, 50.0), at=TEN + (7 + i) * MINUTE)
            )
            await ticker.tick(TEN + (8 + i) * MINUTE, lambda _as_of: FeedCounts())
            if asks:
                await asyncio.gather(*questions)
            for question in questions:
                question.cancel()
            await asyncio.gather(*questions, return_exceptions=True)
        return seen

    assert await run(asks=True) == await run(asks=False)
