"""Recording while live: whatever happens to the disk, the session goes on."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gexterm.clock import NS, ManualClock
from gexterm.engine.carry import book_of
from gexterm.errors import OutputError
from gexterm.market.calendar import et
from gexterm.market.events import (
    Definitions,
    Event,
    FeedReport,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    TickMark,
    Trades,
)
from gexterm.recording import codec
from gexterm.recording import frames as raw
from gexterm.recording.books import as_kept, encode
from gexterm.recording.frames import Frames
from gexterm.recording.reader import Recording
from gexterm.recording.recorder import Recorder, RecorderSettings
from gexterm.recording.retention import RetentionSettings
from tests.recording import made
from tests.recording.made import OPEN
from tests.recording.test_books import book

INFO = SourceInfo("SPX", "made", "live", 0.0, "made up for a test", conditions="opra")
EASY = RecorderSettings(min_free_bytes=0)


def told(stream: list[Event], recorder: Recorder, clock: ManualClock) -> None:
    """A session as a runner tells it: the clock follows the events."""
    for event in stream:
        recv = getattr(event, "recv", 0)
        if recv > clock.now_ns():
            clock.set(recv)
        recorder.event(event)


async def record(
    folder: Path,
    stream: list[Event],
    settings: RecorderSettings = EASY,
    clock: ManualClock | None = None,
    **options: object,
) -> Recorder:
    clock = clock or ManualClock(OPEN)
    async with Recorder(folder, "made", "SPX", clock, settings, **options) as recorder:  # type: ignore[arg-type]
        told(stream, recorder, clock)
        await recorder.flushed()
    return recorder


def missing(holes: list[FeedStatus]) -> float:
    return sum(float(hole.detail["missing"]) for hole in holes)


def replayed(path: Path) -> list[Event]:
    with Recording(path) as recording:
        assert not recording.warnings
        return list(recording.events())


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


async def test_what_is_told_is_what_is_recorded(tmp_path: Path) -> None:
    stream = made.day(3)
    recorder = await record(tmp_path, [INFO, TickMark(0, NS), *stream])
    assert recorder.path is not None
    assert recorder.trouble == ""
    assert recorder.lost_rows == 0
    heard = replayed(recorder.path)
    assert isinstance(heard[0], SourceInfo)
    assert heard[0].note == INFO.note
    assert made.same_all(heard[1:], [TickMark(0, NS), *stream])
    assert recorder.events == len(stream) + 1


async def test_files_are_named_by_venue_underlying_and_market_time(tmp_path: Path) -> None:
    await record(tmp_path, [INFO, *made.day(1)])
    assert files(tmp_path) == [
        "made/SPX/2018-01-05T093000.frames",
        "made/SPX/2018-01-05T093000.gexrec",
    ]


async def test_two_sessions_in_one_second_do_not_share_a_file(tmp_path: Path) -> None:
    for _ in range(2):
        await record(tmp_path, [INFO, *made.day(1)])
    assert [name for name in files(tmp_path) if name.endswith(".gexrec")] == [
        "made/SPX/2018-01-05T093000-2.gexrec",
        "made/SPX/2018-01-05T093000.gexrec",
    ]


@pytest.mark.parametrize("underlying", ["../../x", "..", "/etc", "BRK/B", "a\0b", ".hidden", ""])
async def test_no_name_leads_out_of_the_folder(tmp_path: Path, underlying: str) -> None:
    root = tmp_path / "in" / "here"
    async with Recorder(root, underlying, underlying, ManualClock(OPEN), EASY) as recorder:
        recorder.event(INFO)
        await recorder.flushed()
        assert recorder.path is not None
        assert recorder.path.resolve().is_relative_to(root.resolve())
        assert len(recorder.path.relative_to(root).parts) == 3
    assert {name.split("/")[0] for name in files(tmp_path)} == {"in"}


async def test_what_the_runner_says_before_the_source_is_no_part_of_it(tmp_path: Path) -> None:
    stream = made.day(1)
    recorder = await record(tmp_path, [FeedStatus("connecting"), INFO, *stream])
    assert recorder.path is not None
    assert made.same_all(replayed(recorder.path)[1:], stream)


# -- new files -----------------------------------------------------------------------------


def next_day(stream: list[Event], days: int) -> list[Event]:
    """The same, so many days later, without definitions and open interest."""
    shift = days * 86_400 * NS
    return [
        dataclasses.replace(event, ts=event.ts + shift, recv=event.recv + shift)
        for event in stream
        if isinstance(event, Quotes | Trades)
    ]


async def test_each_day_begins_a_file_that_replays_by_itself(tmp_path: Path) -> None:
    first = made.day(2)
    second = next_day(made.day(2, seed=2), 1)
    report = FeedReport(heard_from=OPEN + 5, gaps=1, recv=OPEN + 60 * NS)
    stream = [INFO, TickMark(0, NS), *first, report, *second]
    recorder = await record(tmp_path, stream)
    days = [name for name in files(tmp_path) if name.endswith(".gexrec")]
    assert [name[9:19] for name in days] == ["2018-01-05", "2018-01-06"]
    early, late = replayed(tmp_path / days[0]), replayed(tmp_path / days[1])
    assert made.same_all(early[1:], stream[1 : -len(second)])
    assert made.same_all(late[-len(second) :], second)
    info, *state = late[: -len(second)]
    assert isinstance(info, SourceInfo)
    assert "goes on from 2018-01-05T093000.gexrec" in info.note
    kinds = {type(event) for event in state}
    assert {TickMark, Definitions, OpenInterest, Quotes, FeedReport} <= kinds
    last = [event for event in state if isinstance(event, FeedReport)][-1]
    assert last.heard_from == second[0].recv, "prints before this file are not in it"  # type: ignore[union-attr]
    assert last.gaps == 1
    assert recorder.path == tmp_path / days[1]


async def test_a_time_that_cannot_be_begins_no_file(tmp_path: Path) -> None:
    odd = made.quotes(np.random.default_rng(1), 40, 5, OPEN + 400 * 86_400 * NS)
    clock = ManualClock(OPEN)
    async with Recorder(tmp_path, "made", "SPX", clock, EASY) as recorder:
        for event in (INFO, *made.day(1), odd):
            recorder.event(event)
        await recorder.flushed()
    assert len([name for name in files(tmp_path) if name.endswith(".gexrec")]) == 1


async def test_a_second_source_begins_a_file_without_the_first_ones_state(tmp_path: Path) -> None:
    clock = ManualClock(OPEN)
    recorder = await record(tmp_path, [INFO, *made.day(1), INFO, *made.day(1, seed=9)], clock=clock)
    assert recorder.path is not None
    assert made.same_all(replayed(recorder.path)[1:], made.day(1, seed=9))


# -- trouble -------------------------------------------------------------------------------


class Disk:
    """A disk that can be full: writes fail while it is, to files that exist and new ones."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.held = threading.Event()
        self.held.set()
        disk = self

        class Filling(io.FileIO):
            def write(self, data: object) -> int:
                disk.held.wait(30)
                if disk.full:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return super().write(data)  # type: ignore[arg-type]

        monkeypatch.setattr(
            "gexterm.recording.appending.io", SimpleNamespace(FileIO=Filling), raising=True
        )


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def polled(recorder: Recorder, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 (the recorder's own thread makes it true)
            await asyncio.sleep(0.005)


async def test_a_full_disk_turns_recording_off_and_is_told(tmp_path: Path, disk: Disk) -> None:
    clock, said = ManualClock(OPEN), list[str]()
    stream = made.day(2)
    half = len(stream) // 2
    async with Recorder(tmp_path, "made", "SPX", clock, EASY, on_trouble=said.append) as recorder:
        told([INFO, *stream[:half]], recorder, clock)
        await recorder.flushed()
        kept = recorder.events
        assert recorder.on
        disk.full = True
        told(stream[half:], recorder, clock)
        await recorder.flushed()
        await polled(recorder, lambda: bool(said))
        assert not recorder.on
        assert "recording is off" in recorder.trouble
        assert "No space left on device" in recorder.trouble
        assert "tried again every 60 s" in recorder.trouble
        assert "\n" not in recorder.trouble
        assert said == [recorder.trouble]
        assert recorder.lost_rows > 0
        assert recorder.events == kept == half
    assert recorder.path is not None
    with Recording(recorder.path) as recording:
        assert made.same_all(list(recording.events())[1:], stream[:half])


async def test_when_there_is_room_again_a_new_file_goes_on_with_the_state(
    tmp_path: Path, disk: Disk
) -> None:
    clock, said = ManualClock(OPEN), list[str]()
    stream = made.day(6)
    third = len(stream) // 3
    async with Recorder(tmp_path, "made", "SPX", clock, EASY, on_trouble=said.append) as recorder:
        told([INFO, *stream[:third]], recorder, clock)
        await recorder.flushed()
        disk.full = True
        told(stream[third : third + 5], recorder, clock)
        await recorder.flushed()
        await polled(recorder, lambda: bool(said))
        disk.full = False
        missed = sum(max(1, codec.rows(e)) for e in stream[third : 2 * third])
        told(stream[third + 5 : 2 * third], recorder, clock)
        await polled(recorder, lambda: recorder.trouble == "")
        told(stream[2 * third :], recorder, clock)
        await recorder.flushed()
    assert said[0].startswith("recording is off")
    assert said[-1] == ""
    first, second = (tmp_path / n for n in files(tmp_path) if n.endswith(".gexrec"))
    assert first.name < second.name
    heard = replayed(second)
    assert isinstance(heard[0], SourceInfo)
    assert f"goes on from {first.name}" in heard[0].note
    assert any(isinstance(e, Definitions) and len(e.contracts) == 40 for e in heard)
    holes = [e for e in heard if isinstance(e, FeedStatus) and e.state == "stale"]
    assert holes[0].message.endswith("recording was off")
    assert 0 < missing(holes) <= missed, [h.message for h in holes]
    assert made.same(heard[-1], stream[-1])


async def test_a_read_only_folder_is_a_trouble_and_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    recorder = await record(blocked, [INFO, *made.day(1)])
    assert "recording is off" in recorder.trouble
    assert recorder.path is None
    assert recorder.events == 0
    assert recorder.lost_rows > 0
    assert blocked.read_text() == "a file where a folder should be"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_without_permission_is_a_trouble(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)  # noqa: ASYNC240
    try:
        recorder = await record(tmp_path / "in", [INFO, *made.day(1)])
    finally:
        tmp_path.chmod(0o700)  # noqa: ASYNC240
    assert "Permission denied" in recorder.trouble


async def test_a_removed_file_is_noticed_and_a_new_one_begun(tmp_path: Path) -> None:
    clock = ManualClock(OPEN)
    stream = made.day(3)
    async with Recorder(tmp_path, "made", "SPX", clock, EASY) as recorder:
        told([INFO, *stream[:20]], recorder, clock)
        await recorder.flushed()
        shutil.rmtree(tmp_path / "made")
        clock.advance(2)
        await polled(recorder, lambda: "removed or renamed" in recorder.trouble)
        clock.advance(61)
        await polled(recorder, lambda: recorder.trouble == "")
        told(stream[20:], recorder, clock)
        await recorder.flushed()
        assert recorder.path is not None
        assert recorder.path.exists()
    assert made.same(replayed(recorder.path)[-1], stream[-1])


_QUOTA = """
import asyncio, resource, sys
from pathlib import Path
from gexterm.clock import ManualClock
from tests.recording import made
from tests.recording.test_recorder import INFO, OPEN, Recorder, RecorderSettings, told

async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    clock = ManualClock(OPEN)
    once = RecorderSettings(min_free_bytes=0, retry_s=float("inf"))
    async with Recorder(Path(sys.argv[1]), "made", "SPX", clock, once) as recorder:
        stream = [INFO, *made.day(20, rows=100)]
        for at in range(0, len(stream), 20):
            told(stream[at : at + 20], recorder, clock)
            await recorder.flushed()
        print(recorder.events, recorder.trouble)

asyncio.run(main())
"""


def test_a_quota_of_the_system_ends_recording_and_not_the_session(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", _QUOTA, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    events, trouble = child.stdout.split(" ", 1)
    assert "recording is off: cannot write the recording" in trouble
    assert "File too large" in trouble
    assert child.stderr == ""
    path = next(tmp_path.rglob("*.gexrec"))
    with Recording(path) as recording:
        heard = list(recording.events())[1:]
    assert 0 < len(heard) == int(events)
    assert made.same_all(heard, made.day(20, rows=100)[: len(heard)])


async def test_recording_leaves_the_disk_some_room(tmp_path: Path) -> None:
    greedy = RecorderSettings(min_free_bytes=1 << 60)
    recorder = await record(tmp_path, [INFO, *made.day(1)], greedy)
    assert "are to stay free; make room" in recorder.trouble
    assert files(tmp_path) == []


async def test_a_recording_at_its_limit_ends_and_says_so(tmp_path: Path) -> None:
    small = RecorderSettings(min_free_bytes=0, most_bytes=20_000)
    recorder = await record(tmp_path, [INFO, *made.day(30, rows=200)], small)
    assert "has reached its limit" in recorder.trouble
    assert "stays off until a restart" in recorder.trouble
    assert recorder.path is not None
    with Recording(recorder.path) as recording:
        assert recording.closed_properly
        assert sum(1 for _ in recording.events()) > 3


async def test_an_event_no_reader_would_take_costs_itself_only(tmp_path: Path) -> None:
    stream = made.day(1)
    bad = made.quotes(np.random.default_rng(0), 4, 3, OPEN + 61 * NS)
    bad.contract[0] = -1
    recorder = await record(tmp_path, [INFO, *stream, bad, made.day(2)[-1]])
    assert recorder.path is not None
    assert recorder.trouble == ""
    assert recorder.lost_rows == 3
    heard = replayed(recorder.path)
    assert made.same_all(heard[1 : len(stream) + 1], stream)
    assert isinstance(heard[-2], FeedStatus)
    assert "3 rows are not in the recording here" in heard[-2].message


async def test_a_slow_disk_leaves_a_marked_hole_and_never_holds_the_session_up(
    tmp_path: Path, disk: Disk
) -> None:
    tight = RecorderSettings(min_free_bytes=0, queue_bytes=100_000)
    clock = ManualClock(OPEN)
    rng = np.random.default_rng(3)
    async with Recorder(tmp_path, "made", "SPX", clock, tight) as recorder:
        told([INFO, *made.day(1)], recorder, clock)
        await recorder.flushed()
        disk.held.clear()
        lost = 0
        for number in range(400):
            clock.advance(1)
            recorder.event(made.trades(rng, 40, 50, clock.now_ns() + number))
            lost = recorder.lost_rows
        assert lost > 0
        assert "too slow" in recorder.trouble
        disk.held.set()
        await recorder.flushed()
        final = FeedReport(gaps=2, recv=clock.now_ns())
        recorder.event(final)
        await recorder.flushed()
        assert recorder.trouble == ""
        assert recorder.lost_rows == lost
    assert recorder.path is not None
    heard = replayed(recorder.path)
    holes = [e for e in heard if isinstance(e, FeedStatus)]
    assert missing(holes) == lost
    assert all("too slow" in hole.message for hole in holes)
    told_prints = sum(len(e.contract) for e in heard if isinstance(e, Trades))
    before = sum(len(e.contract) for e in made.day(1) if isinstance(e, Trades))
    assert told_prints - before == 400 * 50 - lost
    report = heard[-1]
    assert isinstance(report, FeedReport)
    assert report.gaps == 2 + lost, "prints that the recording lacks are gaps of the recording"


async def test_raw_frames_give_way_before_events_do(tmp_path: Path, disk: Disk) -> None:
    tight = RecorderSettings(min_free_bytes=0, queue_bytes=400_000)
    clock = ManualClock(OPEN)
    stream = made.day(1)
    async with Recorder(tmp_path, "made", "SPX", clock, tight) as recorder:
        told([INFO, *stream[:4]], recorder, clock)
        await recorder.flushed()
        disk.held.clear()
        clock.advance(1)
        for _ in range(400):
            recorder.tap.frame(b"x" * 1000, clock.now_ns())
        told(stream[4:], recorder, clock)
        disk.held.set()
        await recorder.flushed()
        recorder.tap.frame(b"last", clock.now_ns())
        assert recorder.lost_rows == 0
    assert recorder.path is not None
    assert recorder.frames_path is not None
    assert made.same_all(replayed(recorder.path)[1:], stream)
    with Frames(recorder.frames_path) as kept:
        entries = list(kept)
    frames = [e for e in entries if e.kind == raw.FRAME]
    assert entries[-1].data == b"last"
    assert 0 < sum(e.lost_frames for e in entries) == 401 - len(frames)


# -- raw frames and secrets ----------------------------------------------------------------


async def test_frames_from_before_the_source_are_kept_too(tmp_path: Path) -> None:
    clock = ManualClock(OPEN)
    async with Recorder(tmp_path, "made", "SPX", clock, EASY) as recorder:
        recorder.tap.opened(OPEN)
        recorder.tap.frame(b"hello", OPEN + 1)
        await recorder.flushed()
        assert files(tmp_path) == []
        recorder.event(INFO)
        recorder.tap.timer(OPEN + 2)
        recorder.tap.flushed(OPEN + 3)
        recorder.tap.lost(7, OPEN + 4)
        await recorder.flushed()
    assert recorder.frames_path is not None
    with Frames(recorder.frames_path) as kept:
        entries = list(kept)
    assert [(e.kind, e.time) for e in entries] == [
        (raw.OPENED, OPEN),
        (raw.FRAME, OPEN + 1),
        (raw.TIMER, OPEN + 2),
        (raw.FLUSHED, OPEN + 3),
        (raw.LOST, OPEN + 4),
    ]
    assert entries[-1].lost_frames == 7


async def test_no_secret_gets_into_any_file(tmp_path: Path) -> None:
    secret = b"hunter2hunter2"

    def redact(data: bytes) -> bytes:
        return data.replace(secret, b"***")

    clock = ManualClock(OPEN)
    text = secret.decode()
    info = dataclasses.replace(INFO, note=f"key {text}")
    async with Recorder(tmp_path, "made", "SPX", clock, EASY, redact=redact) as recorder:
        recorder.tap.frame(b'{"token": "' + secret + b'"}', OPEN)
        recorder.event(info)
        recorder.event(FeedStatus("live", f"logged in with {text}"))
        recorder.event(FeedReport(notes=(f"your key {text}",), recv=OPEN))
        # A stream is cut anywhere, also within a key.
        recorder.tap.frame(b"abc hunter2", OPEN)
        recorder.tap.frame(b"hunter2 def", OPEN)
        await recorder.flushed()
    assert recorder.path is not None
    assert recorder.frames_path is not None
    with Frames(recorder.frames_path) as kept:
        entries = list(kept)
    assert secret not in b"".join(e.data for e in entries)
    assert entries[0].data == b'{"token": "***"}'
    assert entries[1].data.startswith(b"abc *")
    with Recording(recorder.path) as recording:
        said = "".join(
            getattr(e, "note", "") + getattr(e, "message", "") + "".join(getattr(e, "notes", ()))
            for e in recording.events()
        )
    assert text not in said
    assert "logged in with ***" in said


async def test_without_frames_there_is_no_second_file(tmp_path: Path) -> None:
    settings = RecorderSettings(min_free_bytes=0, frames=False)
    recorder = await record(tmp_path, [INFO, *made.day(1)], settings)
    assert files(tmp_path) == ["made/SPX/2018-01-05T093000.gexrec"]
    assert recorder.frames_path is None


# -- old recordings ------------------------------------------------------------------------


async def test_old_recordings_go_when_a_new_one_begins(tmp_path: Path) -> None:
    settings = RecorderSettings(
        min_free_bytes=0, retention=RetentionSettings(days=2, frames_days=0)
    )
    await record(tmp_path, [INFO, *made.day(1)], settings)
    later = ManualClock(OPEN + 3 * 86_400 * NS)
    await record(tmp_path, [INFO], settings, later)
    assert {name[9:19] for name in files(tmp_path)} == {str(et(later.now_ns()).date())}


# -- kill ----------------------------------------------------------------------------------

_CHILD = """
import asyncio, sys
from pathlib import Path
from gexterm.clock import SystemClock
from gexterm.recording.recorder import Recorder, RecorderSettings
from tests.recording import made
from tests.recording.test_recorder import INFO

async def main():
    stream = made.day(30)
    settings = RecorderSettings(flush_s=0.05, min_free_bytes=0)
    async with Recorder(Path(sys.argv[1]), "made", "SPX", SystemClock(), settings) as recorder:
        recorder.event(INFO)
        for number, event in enumerate(stream):
            recorder.event(event)
            recorder.tap.frame(b"frame %d" % number, number)
            if number % 50 == 49:
                await recorder.flushed()
                print(recorder.events, recorder.path, recorder.frames_path, flush=True)
            await asyncio.sleep(0)

asyncio.run(main())
"""


@pytest.mark.parametrize("after", [1, 4])
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, after: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    ) as child:
        assert child.stdout is not None
        for _ in range(after):
            events, path, frames_path = child.stdout.readline().split()
        child.send_signal(signal.SIGKILL)
        child.wait(30)
    stream = made.day(30)
    with Recording(Path(path)) as recording:
        heard = list(recording.events())[1:]
        assert not recording.closed_properly
    assert len(heard) >= int(events) == 50 * after
    assert made.same_all(heard, stream[: len(heard)])
    with Frames(Path(frames_path)) as kept:
        frames = [e.data for e in kept if e.kind == raw.FRAME]
    assert len(frames) >= 50 * after
    assert frames == [b"frame %d" % n for n in range(len(frames))]


async def test_what_was_heard_is_with_the_system_before_a_second_has_passed(
    tmp_path: Path,
) -> None:
    clock = ManualClock(OPEN)
    async with Recorder(tmp_path, "made", "SPX", clock, EASY) as recorder:
        recorder.event(INFO)
        await recorder.flushed()
        for event in made.day(1)[:2]:
            recorder.event(event)
        clock.advance(EASY.flush_s)
        await polled(recorder, lambda: recorder.events == 2)
    assert EASY.flush_s < 1.0


# -- the book gone on from -------------------------------------------------------------------


async def test_the_book_gone_on_from_lies_beside_every_file_and_the_file_names_it(
    tmp_path: Path,
) -> None:
    settings = dataclasses.replace(EASY, frames=False, retry_s=0.0)
    clock = ManualClock(OPEN)
    async with Recorder(tmp_path, "made", "SPX", clock, settings) as recorder:
        recorder.book(book(1))
        told([INFO], recorder, clock)
        recorder.book(book(2))
        told([INFO], recorder, clock)
        recorder.book(None)
        told([INFO], recorder, clock)
        await recorder.flushed()
    second, third, first = [tmp_path / name for name in files(tmp_path) if name.endswith("rec")]
    for path, seed in ((first, 1), (second, 2)):
        with Recording(path) as recording:
            found, warning = book_of(recording)
        assert warning == ""
        assert found is not None
        assert found.mean.tolist() == as_kept(book(seed)).mean.tolist()
    with Recording(third) as recording:
        assert book_of(recording) == (None, "")
    assert not third.with_suffix(".book").exists()


@pytest.mark.parametrize("harm", ["gone", "cut", "another", "older version"])
async def test_a_book_that_is_not_the_one_named_is_one_line_and_no_book(
    tmp_path: Path, harm: str
) -> None:
    async with Recorder(tmp_path, "made", "SPX", ManualClock(OPEN), EASY) as recorder:
        recorder.book(book(1))
        recorder.event(INFO)
        await recorder.flushed()
    assert recorder.path is not None
    path = recorder.path.with_suffix(".book")
    content = path.read_bytes()
    if harm == "gone":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(content[:-1])
    elif harm == "another":
        path.write_bytes(encode(book(2)))
    else:
        path.write_bytes(content[:7] + bytes([9]) + content[8:])
    with Recording(recorder.path) as recording:
        found, warning = book_of(recording)
    assert found is None
    assert warning.startswith("positions lack the book")
    assert len(warning.splitlines()) == 1


async def test_a_book_that_cannot_be_written_does_not_stop_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OutputError(f"the book cannot be kept as {path}: No space left on device")

    monkeypatch.setattr("gexterm.recording.books.write", full)
    async with Recorder(tmp_path, "made", "SPX", ManualClock(OPEN), EASY) as recorder:
        recorder.book(book(1))
        recorder.event(INFO)
        await recorder.flushed()
        assert recorder.on
        assert "will lack the book" in recorder.trouble
    assert recorder.path is not None
    with Recording(recorder.path) as recording:
        assert book_of(recording)[1].startswith("positions lack the book")


async def test_a_book_left_behind_is_nobody_elses(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "SPX"
    folder.mkdir(parents=True)
    (folder / "2018-01-05T093000.book").write_bytes(encode(book(3)))
    recorder = await record(tmp_path, [INFO, *made.day(1)])
    assert recorder.path is not None
    assert recorder.path.name == "2018-01-05T093000-2.gexrec"
