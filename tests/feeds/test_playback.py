"""A playback sends what is due, when it is due, and goes where it is told."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from gexterm.clock import NS, ManualClock
from gexterm.errors import RecordingError
from gexterm.feeds.playback import CHUNK, Playback
from gexterm.feeds.protocol import Command, Pause, Resume, Seek, SetSpeed, Step
from gexterm.market.events import (
    ClockTick,
    Definitions,
    Event,
    FeedReport,
    FeedStatus,
    SourceInfo,
    TickMark,
)
from gexterm.recording import codec
from gexterm.recording import format as layout
from gexterm.recording.reader import Recording
from gexterm.recording.state import State
from gexterm.recording.writer import Writer
from tests.feeds.listening import market, recorded, statuses
from tests.recording.made import INFO, OPEN, day, same_all

STREAM = day(minutes=40, count=12, rows=4, every_s=5)
ENDS = OPEN + 2400 * NS


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("made") / "day.gexrec"
    with Recording(recorded(path, STREAM, flush_bytes=4000)) as opened:
        yield opened


class Listener:
    """Takes messages as they come; the clock is moved by hand."""

    def __init__(self, recording: Recording, speed: float = 1.0, **options: object) -> None:
        self.clock = ManualClock(1_000_000 * NS)
        self.playback = Playback(recording, self.clock, speed, **options)  # type: ignore[arg-type]
        self.messages: list[bytes] = []
        self.events: list[Event] = []

    async def __aenter__(self) -> Listener:
        self._task = asyncio.create_task(self._listen())
        await self.settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.playback.stop()
        await self._task

    async def _listen(self) -> None:
        async for message in self.playback.messages():
            self.messages.append(message)
            self.events += [event for _, event in codec.decode_all(message)]

    async def settle(self) -> None:
        """Until the playback waits for the clock or for a command.

        It may be in a thread, so that no number of turns is enough: it is idle when
        nothing more has come while it waits on its wake-up.
        """
        async with asyncio.timeout(60):
            while True:
                seen = len(self.messages)
                for _ in range(30):
                    await asyncio.sleep(0)
                if len(self.messages) == seen and self.playback.idle:
                    return
                await asyncio.sleep(0.001)

    async def advance(self, seconds: float) -> list[Event]:
        """Let time pass on the wall; what came meanwhile."""
        seen = len(self.events)
        until = self.clock.now_ns() + round(seconds * NS)
        while self.clock.sleepers and self.clock.sleepers[0] <= until:
            self.clock.set(self.clock.sleepers[0])
            await self.settle()
        self.clock.set(until)
        await self.settle()
        return self.events[seen:]

    async def command(self, command: Command) -> list[Event]:
        seen = len(self.events)
        self.playback.command(command)
        await self.settle()
        return self.events[seen:]

    @property
    def now(self) -> int:
        """Market time, as last told, seconds from the open."""
        ticks = [event.ts for event in self.events if isinstance(event, ClockTick)]
        return round((ticks[-1] - OPEN) / NS)


def due(start: int, end: int) -> list[Event]:
    """What was recorded after `start` and until `end`, seconds from the open."""
    return [e for e in STREAM if start < (codec.event_time(e) - OPEN) / NS <= end]


async def test_it_begins_with_the_source_and_sends_what_is_due(recording: Recording):
    async with Listener(recording) as listener:
        first = listener.events[0]
        assert isinstance(first, SourceInfo)
        assert first.mode == "replay"
        assert (first.begins, first.ends) == (OPEN, ENDS)
        assert same_all(market(listener.events), due(-1, 0))
        assert same_all(market(await listener.advance(10.0)), due(0, 10))
        assert listener.now == 10
        assert same_all(market(await listener.advance(4.9)), [])
        assert same_all(market(await listener.advance(0.1)), due(10, 15))


async def test_ticks_tell_market_time_between_events_some_times_a_second(recording: Recording):
    async with Listener(recording, speed=2.0) as listener:
        events = await listener.advance(1.0)
        ticks = [event.ts - OPEN for event in events if isinstance(event, ClockTick)]
        assert 4 <= len(ticks) <= 11
        assert ticks == sorted(ticks)
        assert abs(ticks[-1] - 2 * NS) < 0.25 * NS


async def test_a_late_start_sends_the_state_and_the_look_back_first(recording: Recording):
    start = OPEN + 2000 * NS
    async with Listener(recording, start_at=start, look_back_s=600.0) as listener:
        assert isinstance(listener.events[0], SourceInfo)
        expected, got = State(), State()
        expected.apply_all(e for e in STREAM if codec.event_time(e) <= start)
        got.apply_all(listener.events)
        assert same_all(got.events()[1:], expected.events())
        # After the state (definitions, underlying, interest, volume, quotes): every event.
        assert same_all(market(listener.events)[5:], due(1399.9999, 2000))
        told = statuses(listener.events)
        assert [s.detail["catching_up"] for s in told] == [True, False]
        assert [s.state for s in told] == ["connecting", "live"]
        assert isinstance(listener.events[-1], ClockTick)
        assert listener.events[-2] is told[-1]
        minutes = [e.ts for e in listener.events if isinstance(e, ClockTick)]
        assert len(minutes) == 12
        assert all(ts % (60 * NS) == 0 for ts in minutes[:-2])
        assert minutes[-1] == start


async def test_catching_up_costs_no_market_time(recording: Recording):
    async with Listener(recording, speed=60.0, start_at=OPEN + 2000 * NS) as listener:
        assert listener.now == 2000


async def test_without_a_look_back_everything_is_sent(recording: Recording):
    start = OPEN + 2300 * NS
    async with Listener(recording, start_at=start, look_back_s=None) as listener:
        assert same_all(market(listener.events), due(-1, 2300))


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0, 1000.0, 100_000.0])
async def test_the_same_events_in_the_same_order_at_any_speed(recording: Recording, speed: float):
    async with Listener(recording, speed=speed, paused=True) as listener:
        seconds = 400 if speed > 1.0 else 20
        await listener.command(Seek(ENDS - seconds * NS))
        seen = len(listener.events)
        await listener.command(Resume())
        while statuses(listener.events)[-1].state != "ended":
            await listener.advance(20.0)
        assert same_all(market(listener.events[seen:]), due(2400 - seconds, 2400))


async def test_a_tick_never_comes_before_what_happened_by_then(recording: Recording):
    async with Listener(recording, speed=500.0) as listener:
        await listener.advance(10.0)
        clock = 0
        for event in listener.events:
            if isinstance(event, ClockTick):
                assert event.ts >= clock
                clock = event.ts
            elif codec.event_time(event):
                assert codec.event_time(event) >= clock
        assert clock == ENDS


async def test_paused_nothing_moves_and_resumed_nothing_was_missed(recording: Recording):
    async with Listener(recording, speed=10.0) as listener:
        await listener.advance(3.0)
        [paused] = statuses(await listener.command(Pause()))
        assert (paused.state, paused.detail["paused"]) == ("paused", True)
        assert await listener.advance(100.0) == []
        assert listener.clock.sleepers == ()
        [live] = statuses(await listener.command(Resume()))
        assert live.state == "live"
        assert same_all(market(await listener.advance(3.0)), due(30, 60))


async def test_a_new_speed_holds_from_now_on(recording: Recording):
    async with Listener(recording, speed=1.0) as listener:
        await listener.advance(5.0)
        [told] = statuses(await listener.command(SetSpeed(60.0)))
        assert told.detail["speed"] == 60.0
        assert same_all(market(await listener.advance(1.0)), due(5, 65))


async def test_back_in_time_begins_a_new_session(recording: Recording):
    async with Listener(recording, speed=10.0, look_back_s=300.0) as listener:
        await listener.advance(100.0)
        assert listener.now == 1000
        events = await listener.command(Seek(OPEN + 500 * NS))
        assert isinstance(events[0], SourceInfo)
        assert isinstance(events[1], Definitions)
        assert events[1].first == 0
        got, expected = State(), State()
        got.apply_all(events)
        expected.apply_all(e for e in STREAM if codec.event_time(e) <= OPEN + 500 * NS)
        assert same_all(got.events()[1:], expected.events())
        assert listener.now == 500
        assert same_all(market(await listener.advance(1.0)), due(500, 510))


async def test_a_short_way_ahead_goes_on_and_a_long_one_begins_anew(recording: Recording):
    async with Listener(recording, look_back_s=300.0, paused=True) as listener:
        events = await listener.command(Seek(OPEN + 200 * NS))
        assert not any(isinstance(event, SourceInfo) for event in events)
        assert same_all(market(events), due(0, 200))
        events = await listener.command(Seek(OPEN + 1500 * NS))
        assert isinstance(events[0], SourceInfo)
        assert listener.now == 1500
        assert statuses(events)[-1].state == "paused"


async def test_with_everything_sent_ahead_never_begins_anew(recording: Recording):
    async with Listener(recording, look_back_s=None, paused=True) as listener:
        events = await listener.command(Seek(OPEN + 2000 * NS))
        assert same_all(market(events), due(0, 2000))


async def test_steps_go_to_the_next_event_or_by_a_time(recording: Recording):
    async with Listener(recording, paused=True) as listener:
        assert same_all(market(await listener.command(Step())), due(0, 5))
        assert listener.now == 5
        assert same_all(market(await listener.command(Step())), due(5, 10))
        assert same_all(market(await listener.command(Step(60.0))), due(10, 70))
        assert listener.now == 70
        assert statuses(listener.events)[-1].state == "paused"


async def test_steps_pressed_at_once_add_up(recording: Recording):
    async with Listener(recording, paused=True) as listener:
        for _ in range(3):
            listener.playback.command(Step(60.0))
        await listener.settle()
        assert listener.now == 180


async def test_at_the_end_it_says_so_and_stays(recording: Recording):
    async with Listener(recording, speed=1000.0, start_at=OPEN + 2300 * NS) as listener:
        await listener.advance(5.0)
        told = statuses(listener.events)
        assert [s.state for s in told] == ["connecting", "live", "ended"]
        assert listener.now == 2400
        assert await listener.advance(100.0) == []
        assert listener.clock.sleepers == ()
        assert statuses(await listener.command(Resume()))[-1].state == "ended"
        events = await listener.command(Seek(OPEN + 2350 * NS))
        assert isinstance(events[0], SourceInfo)
        assert statuses(events)[-1].state == "live"
        assert statuses(await listener.advance(5.0))[-1].state == "ended"


async def test_a_step_at_the_end_stays_at_the_end(recording: Recording):
    async with Listener(recording, start_at=ENDS, paused=True) as listener:
        for command in (Step(), Step(10.0), Seek(ENDS + NS)):
            assert statuses(await listener.command(command))[-1].state == "ended"
            assert listener.now == 2400


async def test_times_outside_the_recording_are_its_ends(recording: Recording):
    async with Listener(recording, start_at=0, paused=True) as listener:
        assert listener.now == 0
        await listener.command(Seek(2**62))
        assert listener.now == 2400
        await listener.command(Seek(0))
        assert listener.now == 0


async def test_the_newest_wish_interrupts_a_long_catch_up(tmp_path: Path):
    stream = day(minutes=60, count=300, rows=600, every_s=5)
    with Recording(recorded(tmp_path / "big.gexrec", stream)) as recording:
        listener = Listener(recording, look_back_s=None, paused=True)
        received = 0
        asked = False
        messages = listener.playback.messages()
        events: list[Event] = []
        async for message in messages:
            received += len(message)
            events += [event for _, event in codec.decode_all(message)]
            if not asked:
                listener.playback.command(Seek(recording.ends))
                asked = True
            elif received > 3 * CHUNK:
                break
        listener.playback.command(Seek(OPEN + 10 * NS))
        events = []
        async for message in messages:
            events += [event for _, event in codec.decode_all(message)]
            if statuses(events) and not statuses(events)[-1].detail["catching_up"]:
                break
        at = next(i for i, event in enumerate(events) if isinstance(event, SourceInfo))
        wanted = [e for e in stream if codec.event_time(e) <= OPEN + 10 * NS]
        assert same_all(market(events[at:]), wanted)
        await messages.aclose()


async def test_messages_are_of_bounded_size(tmp_path: Path):
    stream = day(minutes=30, count=300, rows=600, every_s=5)
    with Recording(recorded(tmp_path / "big.gexrec", stream)) as recording:
        async with Listener(recording, start_at=recording.ends, paused=True) as listener:
            assert len(listener.messages) > 3
            assert max(map(len, listener.messages)) < 2 * CHUNK
            assert same_all(market(listener.events), stream)


async def test_what_was_said_of_another_connection_is_told_as_such(tmp_path: Path):
    stream: list[Event] = [*day(minutes=0.2), FeedStatus("closed", "venue closed")]
    with Recording(recorded(tmp_path / "day.gexrec", stream)) as recording:
        async with Listener(recording, start_at=recording.ends - 1) as listener:
            await listener.advance(1.0)
            recorded_then = [s for s in statuses(listener.events) if "recorded" in s.detail]
            assert [s.state for s in recorded_then] == ["live"]
            assert recorded_then[0].message == "when recorded: closed venue closed"


async def test_a_damaged_place_is_told_in_passing(tmp_path: Path):
    path = recorded(tmp_path / "day.gexrec", STREAM, flush_bytes=4000)
    with Recording(path) as recording:
        block = [b for b in recording._blocks if b.kind == layout.DATA][4]
    raw = bytearray(path.read_bytes())
    raw[block.end - 1] ^= 1
    path.write_bytes(raw)
    with Recording(path) as recording:
        async with Listener(recording, start_at=ENDS, look_back_s=None) as listener:
            assert any("damaged" in status.message for status in statuses(listener.events))
            assert statuses(listener.events)[-1].state == "ended"


async def test_a_simulated_market_stays_simulated(tmp_path: Path):
    path = tmp_path / "day.gexrec"
    with Writer(path, dataclasses.replace(INFO, mode="simulated"), ManualClock(OPEN)) as writer:
        for event in day(minutes=0.2):
            writer.write(event)
    with Recording(path) as recording:
        async with Listener(recording) as listener:
            assert isinstance(listener.events[0], SourceInfo)
            assert listener.events[0].mode == "simulated"


def test_an_empty_recording_is_told_before_anything_starts(tmp_path: Path):
    path = recorded(tmp_path / "day.gexrec", [])
    with Recording(path) as recording, pytest.raises(RecordingError, match="holds no events"):
        Playback(recording, ManualClock(0), 1.0)


# -- marks: where a live session computed --------------------------------------------------


def marked(stream: list[Event], step: int = NS) -> list[Event]:
    """A stream as a live session leaves it: a mark before whatever passes a round time."""
    out: list[Event] = [TickMark(0, step)]
    last = now = 0
    for number, event in enumerate(stream):
        ts = codec.event_time(event)
        if ts > now:
            if now and (due := (ts - 1) // step * step) > last:
                out.append(TickMark(due, step))
                last = due
            now = ts
        out.append(event)
        if number % 40 == 7:
            out.append(FeedReport(frames=number, recv=ts))
    return out


def around_marks(events: list[Event]) -> list[tuple[int, int]]:
    """Each mark, and how much of the market came before it."""
    out, before = [], 0
    for event in events:
        if isinstance(event, TickMark):
            out.append((event.ts, before))
        elif not isinstance(event, ClockTick | FeedStatus | SourceInfo):
            before += 1
    return out


@pytest.mark.parametrize("speed", [1.0, 7.3, 600.0])
async def test_marks_and_reports_stay_between_the_events_they_were_recorded_between(
    tmp_path: Path, speed: float
):
    stream = marked(day(minutes=0.5, every_s=0.25))
    with Recording(recorded(tmp_path / "r", stream)) as recording:
        async with Listener(recording, speed) as listener:
            for _ in range(330):
                if any(status.state == "ended" for status in statuses(listener.events)):
                    break
                await listener.advance(0.1)
            heard = listener.events
    assert statuses(heard)[-1].state == "ended"
    assert same_all(market(heard), market(stream))
    assert around_marks(heard) == around_marks(stream)
    for at, event in enumerate(heard):
        if isinstance(event, TickMark) and event.ts:
            # Nothing of the playback's own comes between a mark and what it has seen.
            assert not isinstance(heard[at - 1], ClockTick | FeedStatus)


async def test_a_session_that_begins_within_a_marked_recording_knows_of_the_marks(
    tmp_path: Path,
):
    report = FeedReport(frames=9, recv=OPEN + 10 * NS)
    stream = marked(day(minutes=60, every_s=5.0), 5 * NS)
    stream.insert(20, report)
    options: dict[str, Any] = {"start_at": OPEN + 50 * 60 * NS, "look_back_s": 300.0}
    with Recording(recorded(tmp_path / "r", stream)) as recording:
        async with Listener(recording, 1.0, **options) as listener:
            heard = listener.events
    assert isinstance(heard[0], SourceInfo)
    marks = [event for event in heard if isinstance(event, TickMark)]
    assert (marks[0].ts, marks[0].step) == (0, 5 * NS)
    assert marks[1].ts >= OPEN + 45 * 60 * NS
    reports = [event for event in heard if isinstance(event, FeedReport)]
    assert reports[0].frames > 0, "the last report before the position"


# -- ticks, moments held, recordings that grow ----------------------------------------------


STEP = NS // 10


@pytest.mark.parametrize("ticks", [1, 3, -1, -7])
async def test_ticks_lead_to_round_times_on_and_back(recording: Recording, ticks: int):
    async with Listener(recording, start_at=OPEN + 90 * NS, paused=True) as listener:
        await listener.command(Step(ticks=ticks, grid=2 * NS))
        clock = [e.ts for e in listener.events if isinstance(e, ClockTick)]
        assert clock[-1] == OPEN + (90 + 2 * ticks) * NS


async def test_a_tick_back_from_between_two_is_the_one_before(recording: Recording):
    async with Listener(recording, start_at=OPEN + 91 * NS, paused=True) as listener:
        await listener.command(Step(ticks=-1, grid=2 * NS))
        assert listener.now == 90


async def test_ticks_pressed_at_once_add_up_and_those_on_and_back_cancel(recording: Recording):
    async with Listener(recording, start_at=OPEN + 90 * NS, paused=True) as listener:
        for ticks in (1, 1, 1, -1):
            # The listener still sees the old time when it presses again.
            listener.playback.command(Step(ticks=ticks, ns=OPEN + 90 * NS, grid=NS))
        await listener.settle()
        assert listener.now == 92
        for _ in range(2):
            await listener.command(Step(ticks=1, ns=OPEN + 90 * NS, grid=NS))
        assert listener.now == 94


async def test_a_tick_ends_at_the_ends_of_the_recording(recording: Recording):
    async with Listener(recording, start_at=ENDS, paused=True) as listener:
        await listener.command(Step(ticks=5, grid=NS))
        assert listener.now == 2400
        await listener.command(Seek(OPEN))
        await listener.command(Step(ticks=-5, grid=NS))
        assert listener.now == 0


def whole(events: list[Event]) -> list[int]:
    return [
        int(str(e.detail["whole"]))
        for e in events
        if isinstance(e, FeedStatus) and "whole" in e.detail
    ]


async def test_a_state_is_called_whole_when_all_until_then_was_sent_and_nothing_after(
    recording: Recording,
):
    async with Listener(recording, speed=600.0) as listener:
        await listener.advance(2.0)
        at = 0
        for number, event in enumerate(listener.events):
            if isinstance(event, FeedStatus) and "whole" in event.detail:
                at = int(str(event.detail["whole"]))
                sent = market(listener.events[:number])
                assert same_all(sent, due(-1, (at - OPEN) / NS))
        assert at == OPEN + 1200 * NS


@pytest.mark.parametrize("to", [700, 660, 1100])
async def test_a_listener_that_holds_a_moment_hears_only_what_came_after(
    recording: Recording, to: int
):
    held = tuple(OPEN + s * NS for s in (60, 300, 660, 1500))
    options = {"start_at": OPEN + 1200 * NS, "paused": True, "look_back_s": None}
    async with Listener(recording, **options) as listener:
        events = await listener.command(Seek(OPEN + to * NS, held=held))
        assert not any(isinstance(event, SourceInfo) for event in events)
        first = statuses(events)[0]
        assert first.detail["resume"] == str(OPEN + 660 * NS)
        assert same_all(market(events), due(660, to))
        assert listener.now == to


async def test_a_moment_held_is_of_no_use_where_going_on_is_shorter(recording: Recording):
    held = (OPEN + 60 * NS,)
    options = {"start_at": OPEN + 600 * NS, "paused": True, "look_back_s": None}
    async with Listener(recording, **options) as listener:
        events = await listener.command(Seek(OPEN + 700 * NS, held=held))
        assert not any("resume" in status.detail for status in statuses(events))
        assert same_all(market(events), due(600, 700))


async def test_what_is_wanted_throughout_is_never_skipped(recording: Recording):
    async with Listener(recording, look_back_s=300.0, paused=True) as listener:
        events = await listener.command(Seek(OPEN + 2000 * NS, through=True))
        assert not any(isinstance(event, SourceInfo) for event in events)
        assert same_all(market(events), due(0, 2000))


async def test_where_a_seek_leads_is_told_before_and_that_it_is_over_after(recording: Recording):
    async with Listener(recording, paused=True) as listener:
        told = statuses(await listener.command(Seek(OPEN + 1000 * NS)))
        assert told[0].detail["catching_up"]
        assert told[0].detail["to"] == float(OPEN + 1000 * NS)
        assert told[-1].detail["landed"]
        assert not told[-1].detail["catching_up"]


async def test_in_a_marked_recording_seeks_and_ticks_end_on_marks(tmp_path: Path):
    stream = marked(day(minutes=2, every_s=0.25))
    marks = [event.ts for event in stream if isinstance(event, TickMark) and event.ts]

    def last(events: list[Event]) -> int:
        """The last mark that came while nothing was in haste."""
        found, haste = 0, False
        for event in events:
            if isinstance(event, FeedStatus) and "recorded" not in event.detail:
                haste = bool(event.detail.get("catching_up", haste))
            elif isinstance(event, TickMark) and not haste:
                found = event.ts
        return found

    with Recording(recorded(tmp_path / "r", stream)) as recording:
        async with Listener(recording, paused=True) as listener:
            at = marks[50]
            assert last(await listener.command(Seek(at, grid=STEP))) == at
            for ticks, wanted in ((1, 51), (1, 52), (-1, 51), (-3, 48), (10, 58)):
                events = await listener.command(Step(ticks=ticks, ns=at, grid=STEP))
                assert last(events) == marks[wanted], ticks
                # Whoever stands on a mark has seen all that was recorded before it.
                at = marks[wanted]
            # Between two: the one before.
            await listener.command(Seek(marks[10], grid=STEP))
            assert last(await listener.command(Seek(at + NS // 2, grid=STEP))) == at


async def test_a_recording_that_grows_is_played_to_its_last_event(tmp_path: Path):
    path = tmp_path / "grows.gexrec"
    stream = day(minutes=4, every_s=5)
    half = len(stream) // 2
    with Writer(path, INFO, ManualClock(OPEN)) as writer:
        for event in stream[:half]:
            writer.write(event)
        writer.flush()
        with Recording(path) as recording:
            recording.refresh()
            options = {"speed": 100.0, "follows": True}
            async with Listener(recording, **options) as listener:
                await listener.advance(10.0)
                assert statuses(listener.events)[-1].state == "ended"
                seen = len(market(listener.events))
                assert same_all(market(listener.events), market(stream)[:seen])
                for event in stream[half:]:
                    writer.write(event)
                writer.flush()
                await listener.command(Seek(OPEN + 10**6 * NS))
                sent = market(listener.events)
                assert same_all(sent, market(stream)[: len(sent)])
                # The last moment may not be whole yet; all before it is here.
                assert len(sent) >= len(market(stream)) - 2
                assert len(sent) > seen
