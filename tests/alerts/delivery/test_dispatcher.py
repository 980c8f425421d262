"""Deliveries that fail, hang, throw or flood disturb nobody, and are told of once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

import pytest

from gexterm.alerts.delivery.dispatcher import Dispatcher, try_once
from gexterm.alerts.delivery.protocol import DeliveryError
from gexterm.alerts.model import Alert, Severity, stamped
from gexterm.clock import ManualClock
from gexterm.feeds.secrets import Secret
from tests.reading.readings import AS_OF

Deliver = Callable[[Alert], Awaitable[None]]


def alert(
    text: str = "spot above 2,730", severity: Severity = "notice", *, replay: bool = False,
    deliver: tuple[str, ...] | None = None,
) -> Alert:  # fmt: skip
    made = Alert(AS_OF, "level", severity, text, math.nan, replay, deliver=deliver)
    return stamped(made, "SPX", "replay" if replay else "live", "flow")


class Way:
    """A delivery whose behaviour is handed in; remembers what arrived."""

    def __init__(
        self, behave: Deliver | None = None, name: str = "way", least: str = "info",
        quiet_s: float = 0.0, timeout_s: float = 5.0,
    ) -> None:  # fmt: skip
        self.name, self.least, self.quiet_s, self.timeout_s = name, least, quiet_s, timeout_s
        self.tried = 0
        self.arrived: list[str] = []
        self._behave = behave

    async def deliver(self, alert: Alert) -> None:
        self.tried += 1
        if self._behave is not None:
            await self._behave(alert)
        self.arrived.append(alert.text)


class Ear:
    """Hears what a person is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def __call__(self, text: str, severity: str) -> None:
        self.heard.append((text, severity))


async def hangs(_alert: Alert) -> None:
    await asyncio.Event().wait()


def fails(error: BaseException) -> Deliver:
    async def behave(_alert: Alert) -> None:
        raise error

    return behave


async def patiently(clock: ManualClock, out: Dispatcher) -> None:
    """Until nothing is under way, letting every wait for another try pass."""
    done = asyncio.ensure_future(out.drained())
    while not done.done():
        if clock.sleepers:
            clock.set(clock.sleepers[0])
        await asyncio.sleep(0)
    await done


async def test_an_alert_goes_every_way_whose_least_severity_it_reaches() -> None:
    ways = [Way(name=least, least=least) for least in ("info", "notice", "warning", "off")]
    out = Dispatcher(ways, ManualClock())
    out.submit(alert("n"))
    out.submit(alert("w", "warning"))
    await out.drained()
    assert [way.arrived for way in ways] == [["n", "w"], ["n", "w"], ["w"], []]
    await out.close()


async def test_a_rule_that_names_its_ways_goes_these_alone_however_quiet_it_is() -> None:
    loud, other = Way(name="phone", least="warning"), Way(name="desktop")
    out = Dispatcher([loud, other], ManualClock())
    out.submit(alert("a", "info", deliver=("phone",)))
    out.submit(alert("b", "warning", deliver=()))
    await out.drained()
    assert (loud.arrived, other.arrived) == (["a"], [])
    await out.close()


async def test_replays_stay_inside_unless_asked() -> None:
    for asked in (False, True):
        way = Way()
        out = Dispatcher([way], ManualClock(), deliver_replays=asked)
        out.submit(alert(replay=True))
        await out.drained()
        assert len(way.arrived) == asked
        await out.close()


async def test_one_that_hangs_delays_no_other() -> None:
    stuck, well = Way(hangs, "stuck"), Way()
    out = Dispatcher([stuck, well], ManualClock())
    for n in range(20):
        out.submit(alert(str(n)))
    while len(well.arrived) < 20:  # noqa: ASYNC110 - nobody signals it
        await asyncio.sleep(0)
    assert stuck.arrived == []
    await out.close(wait_s=0.01)


async def test_no_answer_in_time_is_a_failure_that_is_tried_again() -> None:
    clock, ear = ManualClock(), Ear()
    stuck = Way(hangs, timeout_s=0.01)
    out = Dispatcher([stuck], clock, ear)
    out.submit(alert())
    await patiently(clock, out)
    assert stuck.tried == 3
    assert ear.heard == [("alerts to way fail: no answer within 0.01 s", "warning")]
    await out.close()


async def test_one_that_will_not_be_broken_off_gets_no_second_alert() -> None:
    async def stubborn(_alert: Alert) -> None:
        while True:
            try:
                await released.wait()
                return
            except asyncio.CancelledError:
                continue

    released = asyncio.Event()
    clock, ear, way = ManualClock(), Ear(), Way(stubborn, timeout_s=0.01)
    out = Dispatcher([way], clock, ear)
    out.submit(alert())
    out.submit(alert())
    await patiently(clock, out)
    assert way.tried == 1
    assert out.states[0].trouble == "still busy with an earlier alert"
    closing = asyncio.ensure_future(out.close(wait_s=0.01))
    await closing  # not even that can hold up the end
    released.set()
    await asyncio.sleep(0)


async def test_an_error_that_may_pass_is_tried_again_after_longer_and_longer_waits() -> None:
    clock, ear = ManualClock(), Ear()
    waits: list[float] = []

    async def at_last(_alert: Alert) -> None:
        waits.append(clock.now_ns() / 1e9)
        if len(waits) < 3:
            raise DeliveryError("not now", passing=True)

    way = Way(at_last)
    out = Dispatcher([way], clock, ear)
    out.submit(alert("kept"))
    await patiently(clock, out)
    assert waits == [0.0, 2.0, 6.0]
    assert (way.arrived, ear.heard) == (["kept"], [])
    await out.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DeliveryError("no such service"), "no such service"),
        (ValueError("\x1b[31mbad\nnews"), "ValueError: ·[31mbad news"),
        (FileNotFoundError("gone"), "FileNotFoundError: gone"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
async def test_an_error_that_stays_is_tried_once_and_told_once(
    error: BaseException, words: str
) -> None:
    clock, ear, way = ManualClock(), Ear(), Way(fails(error))
    out = Dispatcher([way], clock, ear)
    for _ in range(5):
        out.submit(alert())
    await out.drained()
    assert way.tried == 5
    assert ear.heard == [(f"alerts to way fail: {words}", "warning")]
    assert out.states[0].failed == 5
    await out.close()


async def test_what_works_again_is_told_and_so_is_the_next_failure() -> None:
    ear, broken = Ear(), [True]

    async def behave(_alert: Alert) -> None:
        if broken[0]:
            raise DeliveryError("down")

    out = Dispatcher([Way(behave)], ManualClock(), ear)
    for state in (True, True, False, False, True):
        broken[0] = state
        out.submit(alert())
        await out.drained()
    assert [text for text, _ in ear.heard] == [
        "alerts to way fail: down", "alerts to way arrive again", "alerts to way fail: down",
    ]  # fmt: skip
    await out.close()


async def test_a_delivery_that_breaks_itself_off_is_a_failure_and_no_end() -> None:
    clock, way = ManualClock(), Way(fails(asyncio.CancelledError()))
    out = Dispatcher([way], clock)
    out.submit(alert())
    await patiently(clock, out)
    assert out.states[0].trouble == "was broken off"
    out.submit(alert())
    await patiently(clock, out)
    assert way.tried == 6
    await out.close()


async def test_a_flood_fills_a_bounded_queue_and_is_told_once() -> None:
    ear, gate = Ear(), asyncio.Event()

    async def slow(_alert: Alert) -> None:
        await gate.wait()

    way = Way(slow)
    out = Dispatcher([way], ManualClock(), ear, capacity=10)
    out.submit(alert("first"))
    await asyncio.sleep(0)
    for n in range(1000):
        out.submit(alert(str(n)))
    assert ear.heard == [("alerts to way are dropped: it is too slow", "warning")]
    gate.set()
    await out.drained()
    assert out.states[0].dropped == 990
    assert way.arrived == ["first", *map(str, range(990, 1000))]  # the newest matter
    await out.close()


async def test_an_alert_that_has_waited_too_long_is_no_news() -> None:
    clock, gate = ManualClock(), asyncio.Event()

    async def slow(_alert: Alert) -> None:
        await gate.wait()

    way = Way(slow)
    out = Dispatcher([way], clock)
    out.submit(alert("first"))
    await asyncio.sleep(0)
    out.submit(alert("old"))
    clock.advance(301)
    out.submit(alert("new"))
    gate.set()
    await out.drained()
    assert (way.arrived, out.states[0].dropped) == (["first", "new"], 1)
    await out.close()


async def test_a_quiet_delivery_counts_what_it_holds_back_and_lets_the_louder_through() -> None:
    clock, way = ManualClock(), Way(quiet_s=60.0)
    out = Dispatcher([way], clock)
    for seconds, text, severity in (
        (0, "a", "notice"), (10, "b", "notice"), (20, "c", "info"), (30, "d", "warning"),
        (40, "e", "warning"), (95, "f", "info"),
    ):  # fmt: skip
        clock.set(seconds * 10**9)
        out.submit(alert(text, severity))  # type: ignore[arg-type]
        await out.drained()
    assert way.arrived == ["a", "d (and 2 held back)", "f (and 1 held back)"]
    assert out.states[0].held == 3
    await out.close()


async def test_an_ear_that_throws_disturbs_nobody() -> None:
    def deaf(_text: str, _severity: str) -> None:
        raise RuntimeError("the screen is gone")

    out = Dispatcher([Way(fails(DeliveryError("no")))], ManualClock(), deaf)
    out.submit(alert())
    await out.drained()
    out.submit(alert())
    await out.drained()
    assert out.states[0].failed == 2
    await out.close()


async def test_a_secret_in_an_error_is_struck() -> None:
    ear = Ear()
    token = Secret("tok-12345678")
    out = Dispatcher([Way(fails(ValueError(f"POST {token.reveal()}")))], ManualClock(), ear)
    out.submit(alert())
    await out.drained()
    assert ear.heard == [("alerts to way fail: ValueError: POST ***", "warning")]
    await out.close()


async def test_closing_lets_go_out_what_can_and_takes_nothing_more() -> None:
    way = Way()
    out = Dispatcher([way, Way(hangs, "stuck")], ManualClock())
    out.submit(alert("last words"))
    await out.close(wait_s=0.5)
    out.submit(alert("too late"))
    assert way.arrived == ["last words"]
    await out.close()
    assert not [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]


async def test_closing_without_an_alert_is_nothing() -> None:
    await Dispatcher([Way()], ManualClock()).close()
    await Dispatcher([], ManualClock()).drained()


async def test_one_attempt_says_what_became_of_it() -> None:
    assert await try_once(Way(), alert()) is None
    assert str(await try_once(Way(fails(DeliveryError("no"))), alert())) == "no"
    stuck = await try_once(Way(hangs, timeout_s=0.01), alert())
    assert str(stuck) == "no answer within 0.01 s"
