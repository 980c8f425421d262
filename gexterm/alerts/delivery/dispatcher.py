"""Alerts on their way out, each delivery in a lane of its own.

To submit an alert takes no time and raises nothing. A delivery that fails, hangs, throws
or is too slow is told of once and disturbs neither the others nor whoever submits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from gexterm.alerts.delivery.protocol import Delivery, DeliveryError
from gexterm.alerts.delivery.wording import harmless
from gexterm.alerts.model import Alert, loudness
from gexterm.clock import NS, Clock
from gexterm.feeds.secrets import redactor

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())

CAPACITY = 64
"""Alerts that may wait for one delivery."""
TRIES = 3
"""Attempts at one alert, as long as the error may pass."""
BACKOFF_S = 2.0
"""Wait before the second attempt, seconds; then twice as long each time."""
OLDEST_S = 300.0
"""An alert that has waited longer is no news any more, seconds."""


@dataclass(frozen=True, slots=True)
class LaneState:
    """How a delivery does."""

    name: str
    """As in the settings."""
    sent: int
    """Alerts that arrived."""
    failed: int
    """Alerts that did not, whatever was tried."""
    dropped: int
    """Alerts that were never tried: too many waited, or for too long."""
    held: int
    """Alerts held back by its quiet period, all in all."""
    trouble: str
    """What went wrong last; empty: the last one arrived."""


@dataclass(slots=True)
class _Lane:
    """One delivery, what waits for it, and how it does."""

    delivery: Delivery
    waiting: deque[tuple[int, Alert]] = field(default_factory=deque)
    some: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    stray: asyncio.Task[DeliveryError | None] | None = None
    sent: int = 0
    failed: int = 0
    dropped: int = 0
    held: int = 0
    held_now: int = 0
    last: tuple[int, int] | None = None
    trouble: str = ""
    told_of_drops: bool = False


class Dispatcher:
    """Hands alerts to deliveries. For one loop; not thread-safe.

    `say(text, severity)` is told what a person must know: once when a delivery begins to
    fail or to drop, once when it works again. `clock` is the wall's.
    """

    def __init__(
        self,
        deliveries: Iterable[Delivery],
        clock: Clock,
        say: Callable[[str, str], None] = lambda _text, _severity: None,
        *,
        deliver_replays: bool = False,
        capacity: int = CAPACITY,
        tries: int = TRIES,
        backoff_s: float = BACKOFF_S,
    ) -> None:
        self.deliver_replays = deliver_replays
        """Whether alerts of replays and simulations go out too."""
        self._clock = clock
        self._say = say
        self._capacity = capacity
        self._tries = tries
        self._backoff_s = backoff_s
        self._lanes = [_Lane(delivery) for delivery in deliveries]
        self._closed = False

    @property
    def states(self) -> tuple[LaneState, ...]:
        """How each delivery does."""
        return tuple(
            LaneState(x.delivery.name, x.sent, x.failed, x.dropped, x.held, x.trouble)
            for x in self._lanes
        )

    def submit(self, alert: Alert) -> None:
        """Send an alert on its way. Within a running loop; returns at once."""
        if self._closed or (alert.replay and not self.deliver_replays):
            return
        for lane in self._lanes:
            if _goes(alert, lane.delivery):
                self._enqueue(lane, alert)

    async def close(self, wait_s: float = 1.0) -> None:
        """Let what waits go out, for at most so many seconds; then end whatever is under way.

        Harmless when repeated.
        """
        if self._closed:
            return
        self._closed = True
        running = [lane for lane in self._lanes if lane.task is not None]
        idle = [asyncio.ensure_future(lane.idle.wait()) for lane in running]
        if idle:
            await asyncio.wait(idle, timeout=wait_s)
        tasks: set[asyncio.Task[object]] = set()
        for lane in running:
            tasks |= {task for task in (lane.task, lane.stray) if task is not None}
        for task in (*tasks, *idle):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=wait_s)
        await asyncio.gather(*idle, return_exceptions=True)

    async def drained(self) -> None:
        """Return once nothing waits and nothing is under way."""
        for lane in self._lanes:
            if lane.task is not None:
                await lane.idle.wait()

    # -- lanes -----------------------------------------------------------------------

    def _enqueue(self, lane: _Lane, alert: Alert) -> None:
        if len(lane.waiting) >= self._capacity:
            lane.waiting.popleft()  # the newest matter
            self._drop(lane)
        lane.waiting.append((self._clock.now_ns(), alert))
        lane.some.set()
        lane.idle.clear()
        if lane.task is None:
            name = f"alerts to {lane.delivery.name}"
            lane.task = asyncio.create_task(self._work(lane), name=name)

    def _drop(self, lane: _Lane) -> None:
        lane.dropped += 1
        if not lane.told_of_drops:
            lane.told_of_drops = True
            self._tell(f"alerts to {lane.delivery.name} are dropped: it is too slow", "warning")

    async def _work(self, lane: _Lane) -> None:
        while True:
            while lane.waiting:
                since, alert = lane.waiting.popleft()
                if self._clock.now_ns() - since > OLDEST_S * NS:
                    self._drop(lane)
                elif not self._held_back(lane, alert):
                    await self._deliver(lane, alert)
            lane.some.clear()
            lane.idle.set()
            await lane.some.wait()

    def _held_back(self, lane: _Lane, alert: Alert) -> bool:
        """Whether the delivery's quiet period keeps it; what is more severe goes through."""
        if lane.last is None:
            return False
        at, loud = lane.last
        quiet = self._clock.now_ns() - at < lane.delivery.quiet_s * NS
        if quiet and loudness(alert.severity) <= loud:
            lane.held += 1
            lane.held_now += 1
            return True
        return False

    async def _deliver(self, lane: _Lane, alert: Alert) -> None:
        if lane.held_now:
            alert = replace(alert, text=f"{alert.text} (and {lane.held_now} held back)")
        wait_s = self._backoff_s
        error: DeliveryError | None = None
        for attempt in range(self._tries):
            if attempt:
                await self._clock.sleep_until(self._clock.now_ns() + round(wait_s * NS))
                wait_s *= 2
            error = await self._attempt(lane, alert)
            if error is None:
                lane.sent += 1
                lane.held_now = 0
                lane.last = (self._clock.now_ns(), loudness(alert.severity))
                if lane.trouble:
                    lane.trouble, lane.told_of_drops = "", False
                    self._tell(f"alerts to {lane.delivery.name} arrive again", "info")
                return
            if not error.passing:
                break
        lane.failed += 1
        first, lane.trouble = not lane.trouble, str(error)
        if first:
            self._tell(f"alerts to {lane.delivery.name} fail: {error}", "warning")

    async def _attempt(self, lane: _Lane, alert: Alert) -> DeliveryError | None:
        timeout = lane.delivery.timeout_s
        if lane.stray is not None and not lane.stray.done():
            await asyncio.wait({lane.stray}, timeout=timeout)
            if not lane.stray.done():
                return DeliveryError("still busy with an earlier alert", passing=True)
        lane.stray = None
        task = asyncio.create_task(guarded(lane.delivery, alert))
        try:
            await asyncio.wait({task}, timeout=timeout)
        except asyncio.CancelledError:
            task.cancel()
            lane.stray = task
            # A program that is being killed is given the moment that takes.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task}, timeout=1.0)
            raise
        if task.done():
            return outcome(task)
        task.cancel()
        lane.stray = task  # it may take its time to end, or never end
        return DeliveryError(f"no answer within {timeout:g} s", passing=True)

    def _tell(self, text: str, severity: str) -> None:
        try:
            self._say(harmless(redactor.text(text)), severity)
        except Exception:
            _log.exception("nobody could be told: %s", text)


def _goes(alert: Alert, delivery: Delivery) -> bool:
    """Whether an alert goes this way: by its rule's choice, or else by its severity."""
    if delivery.least == "off":
        return False
    if alert.deliver is not None:
        return delivery.name in alert.deliver
    return loudness(alert.severity) >= loudness(delivery.least)


async def guarded(delivery: Delivery, alert: Alert) -> DeliveryError | None:
    """Deliver; whatever is thrown comes back as an error of ours."""
    try:
        await delivery.deliver(alert)
    except DeliveryError as error:
        return error
    except (asyncio.CancelledError, GeneratorExit):
        raise
    except BaseException as error:
        passing = isinstance(error, OSError) and not isinstance(
            error, FileNotFoundError | PermissionError
        )
        words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return DeliveryError(harmless(redactor.text(words), 160), passing=passing)
    return None


def outcome(task: asyncio.Task[DeliveryError | None]) -> DeliveryError | None:
    """What became of a guarded delivery that has ended."""
    if task.cancelled():
        return DeliveryError("was broken off", passing=True)
    return task.result()


async def try_once(delivery: Delivery, alert: Alert) -> DeliveryError | None:
    """One attempt, for a test: None where it arrived."""
    task = asyncio.create_task(guarded(delivery, alert))
    await asyncio.wait({task}, timeout=delivery.timeout_s)
    if task.done():
        return outcome(task)
    task.cancel()
    await asyncio.wait({task}, timeout=1.0)
    return DeliveryError(f"no answer within {delivery.timeout_s:g} s", passing=True)
