"""A viewer's session: the hub's book and Readings, whenever it comes and whatever it looks at."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from gexterm.alerts.model import Alert
from gexterm.clock import NS, SystemClock
from gexterm.config import Settings
from gexterm.feeds.relay_log import RelayLog
from gexterm.market.events import ClockTick, Event, FeedStatus
from gexterm.reading.export import to_json
from gexterm.reading.model import Reading
from gexterm.recording.books import Book
from gexterm.recording.codec import event_time
from gexterm.recording.reader import Recording
from gexterm.recording.recorder import Recorder, RecorderSettings
from gexterm.serving.hub import run_hub, telling
from gexterm.serving.shared import SharedSession
from gexterm.session.live import LiveSession
from tests.session.scripted import ScriptedRunner
from tests.session.test_recorded import batches, book, heard, market

SECRET = b"s" * 64
EVENTS = market(30)
HELD = ("position", "position_sd", "position_prior", "position_flow")
ENDS = max(map(event_time, EVENTS))


class Market:
    """A scripted venue that stops where it is told to, until it is told to go on."""

    def __init__(self, stops: tuple[int, ...] = ()) -> None:
        self.gates = {stop: asyncio.Event() for stop in stops}
        self.reached = {stop: asyncio.Event() for stop in stops}
        self.told: list[list[Event]] = [[FeedStatus("live")], *batches(EVENTS, 20)]
        self.made = 0

    async def between(self, number: int) -> None:
        await asyncio.sleep(0)
        if number in self.gates:
            self.reached[number].set()
            await self.gates[number].wait()

    def runner(self, _tap: object) -> ScriptedRunner:
        self.made += 1
        return Lasting(self.told, self.between)


class Lasting(ScriptedRunner):
    """A venue that stays connected when it has no more to say than the time."""

    async def events(self) -> AsyncIterator[list[Event]]:
        async for batch in super().events():
            yield batch
        for second in itertools.count(1):
            yield [ClockTick(ENDS + second * NS)]
            await asyncio.sleep(0.05)


@asynccontextmanager
async def hub(
    market: Market,
    folder: Path | None = None,
    carry: Book | None = None,
    port: int = 0,
    alert: Callable[[Alert], None] = lambda _alert: None,
) -> AsyncIterator[tuple[LiveSession, str]]:
    """A hub over a scripted market, and its address."""
    log = RelayLog()

    def recorder(_tell: Callable[[str], None]) -> Recorder:
        assert folder is not None
        return Recorder(folder, "venue", "SPX", SystemClock(), RecorderSettings(min_free_bytes=0))

    session = LiveSession(
        market.runner,  # type: ignore[arg-type]
        SystemClock(),
        Settings(),
        underlying="SPX",
        view="combined",
        carry=carry,
        make_recording=telling(log, recorder if folder else None, folder or Path()),
    )
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        run_hub(
            session,
            log,
            SECRET,
            port=port,
            recorded=folder is not None,
            ready=ready.set_result,
            alert=alert,
        )
    )
    try:
        yield session, await ready
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def looking(url: str, view: str = "combined", secret: bytes = SECRET) -> SharedSession:
    return SharedSession(url, secret, Settings(), underlying="SPX", view=view)


async def reading_of(session: LiveSession, wanted: Callable[[Reading], bool]) -> Reading:
    """The newest Reading, once it is wanted."""
    async for reading in session.readings():
        if wanted(reading):
            return reading
    raise AssertionError(f"the session ended first: {session.status.message}")


def over(reading: Reading) -> bool:
    """Whether a Reading is of after all quotes and prints."""
    return reading.as_of > ENDS


def same_book(*sessions: list[Reading]) -> Reading:
    """All say the same of what dealers hold and of what follows from it, at the end."""
    by_time = [{r.as_of: r for r in readings if over(r)} for readings in sessions]
    common = set.intersection(*map(set, by_time))
    assert common
    first, *others = [readings[max(common)] for readings in by_time]
    for other in others:
        told, mine = (json.loads(to_json(reading)) for reading in (other, first))
        assert told["positions"] == mine["positions"]
        for one, two in zip(told["strikes"], mine["strikes"], strict=True):
            for name in ("strike", "call_oi", "put_oi", *HELD):
                assert one[name] == two[name]
        # Fitted smiles remember the tick before, and who was busy left some out.
        for name in ("gex_per_1pct", "vega_per_point"):
            part = "gamma" if name in mine["gamma"] else "book"
            assert told[part][name] == pytest.approx(mine[part][name], rel=1e-3)
    return first


@pytest.mark.parametrize("carry", [None, book()], ids=["no book", "a book carried over"])
async def test_who_comes_late_has_the_same_book_as_who_was_there_from_the_beginning(
    carry: Book | None, tmp_path: Path
) -> None:
    market = Market(stops=(8,))
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        own, url = await stack.enter_async_context(hub(market, tmp_path, carry))
        early = looking(url)
        heard_early, heard_own = heard(early), heard(own)
        await stack.enter_async_context(early)
        waits = asyncio.create_task(reading_of(early, over))
        await market.reached[8].wait()
        late = looking(url)
        heard_late = heard(late)
        await stack.enter_async_context(late)
        waits_late = asyncio.create_task(reading_of(late, over))
        while late.status.state != "live":  # noqa: ASYNC110 - a status is not announced
            await asyncio.sleep(0.01)
        market.gates[8].set()
        await waits
        await waits_late
        until = ENDS + 5 * NS
        while not all(r[-1].as_of > until for r in (heard_own, heard_early, heard_late)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        first = same_book(heard_own, heard_early, heard_late)
        assert bool(first.positions.reconciled) == (carry is not None)
        assert heard_late[-1].source.mode == "live"
        assert early.info.feed == "venue, shared"
        assert market.made == 1


async def test_two_viewers_look_at_different_things_and_neither_disturbs_the_other() -> None:
    market = Market()
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        own, url = await stack.enter_async_context(hub(market))
        one = await stack.enter_async_context(looking(url, "flow"))
        other = await stack.enter_async_context(looking(url, "squeezemetrics"))
        waits = asyncio.create_task(reading_of(one, over))
        second = await reading_of(other, over)
        first = await waits
        assert (first.positions.view, second.positions.view) == ("flow", "squeezemetrics")
        one.set_view("long-both")
        one.pause()  # a live market does not stand still for one of its viewers
        changed = await reading_of(one, lambda r: r.positions.view == "long-both")
        assert changed.as_of >= first.as_of
        assert other.newest is not None
        assert other.newest.positions.view == "squeezemetrics"
        assert own.view != "long-both"


def written(path: Path, until: int) -> None:
    """Come back once a recording holds everything until then."""
    while True:
        with Recording(path) as recording:
            if recording.ends >= until:
                return


async def test_the_hubs_recording_is_shown_as_it_goes(tmp_path: Path) -> None:
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        own, url = await stack.enter_async_context(hub(Market(), tmp_path))
        viewer = await stack.enter_async_context(looking(url))
        await reading_of(viewer, lambda r: True)
        while not viewer.recording.on:  # type: ignore[union-attr] # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert viewer.recording is not None
        assert own.recording is not None
        assert viewer.recording.path == own.recording.path != ""
        # The past is in the hub's file, and a viewer may go back to it while the hub goes on.
        await asyncio.to_thread(written, Path(own.recording.path), ENDS)
        past = viewer.past(ENDS - 5 * NS)
        assert past is not None
        async with past as earlier:
            then = await reading_of(earlier, lambda r: True)
        assert then.as_of <= ENDS
        assert viewer.newest is not None
        assert viewer.newest.as_of > then.as_of
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        _, url = await stack.enter_async_context(hub(Market()))
        viewer = await stack.enter_async_context(looking(url))
        await reading_of(viewer, lambda r: True)
        while not viewer.recording.chosen:  # type: ignore[union-attr] # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert viewer.recording is not None
        assert not viewer.recording.on


async def test_a_hub_that_dies_is_told_and_the_next_one_is_taken_up_with_its_own_book() -> None:
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        async with hub(Market()) as (_, url):
            viewer = await stack.enter_async_context(looking(url))
            before = await reading_of(viewer, over)
            assert not before.positions.reconciled
        while viewer.status.state != "reconnecting":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert "hub is gone" in viewer.status.message
        assert viewer.newest is not None
        port = int(url.rstrip("/").rpartition(":")[2])
        async with hub(Market(), carry=book(), port=port):
            again = await reading_of(viewer, lambda r: r.positions.reconciled and over(r))
            assert again.gamma.gex_per_1pct != before.gamma.gex_per_1pct
            assert viewer.status.state == "live"


async def test_alerts_go_out_from_the_hub_however_many_look() -> None:
    market = Market()
    market.told.append([FeedStatus("reconnecting", "the line broke", {"retry_in_s": 9.0})])
    told: list[str] = []
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        _, url = await stack.enter_async_context(hub(market, alert=lambda a: told.append(a.text)))
        viewers = [await stack.enter_async_context(looking(url)) for _ in range(2)]
        await asyncio.gather(*(reading_of(viewer, over) for viewer in viewers))
        while not any("the line broke" in text for text in told):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert sum("the line broke" in text for text in told) == 1


async def test_who_does_not_know_the_secret_sees_nothing() -> None:
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        _, url = await stack.enter_async_context(hub(Market()))
        stranger = await stack.enter_async_context(looking(url, secret=b"x" * 64))
        listening = asyncio.create_task(reading_of(stranger, lambda r: True))
        while stranger.status.state != "reconnecting":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert "not our hub" in stranger.status.message
        assert stranger.newest is None
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
