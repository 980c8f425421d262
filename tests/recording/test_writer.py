"""A recording survives whatever happens to its writer."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from gexterm.clock import NS, ManualClock
from gexterm.errors import OutputError
from gexterm.market.events import (
    Event,
    FeedReport,
    FeedStatus,
    SourceInfo,
    TickMark,
    UnderlyingPrice,
)
from gexterm.recording import codec
from gexterm.recording.format import KEYFRAME
from gexterm.recording.reader import Recording
from gexterm.recording.state import State
from gexterm.recording.writer import Writer, keep_flushed
from tests.recording.made import INFO, OPEN, day, same, same_all


def price(second: int, value: float = 2733.0) -> UnderlyingPrice:
    return UnderlyingPrice(value, OPEN + second * NS, OPEN + second * NS)


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(20):
        await asyncio.sleep(0)


def told(path: Path) -> list:
    with Recording(path) as recording:
        return list(recording.events())[1:]


def test_what_is_written_is_read(tmp_path: Path):
    stream = day(minutes=12)
    path = tmp_path / "day.gexrec"
    with Writer(path, INFO, ManualClock(OPEN)) as writer:
        for event in stream:
            writer.write(event)
    assert writer.events == len(stream)
    assert writer.bytes == path.stat().st_size
    with Recording(path) as recording:
        assert recording.closed_properly
        assert same_all(list(recording.events())[1:], stream)
        assert recording.warnings == []


def test_an_event_waits_no_longer_than_a_second(tmp_path: Path):
    clock = ManualClock(OPEN)
    path = tmp_path / "day.gexrec"
    writer = Writer(path, INFO, clock)
    writer.write(price(0))
    assert told(path) == []
    clock.advance(0.99)
    writer.poll()
    assert told(path) == []
    clock.advance(0.01)
    writer.poll()
    assert same_all(told(path), [price(0)])
    writer.write(price(1))
    clock.advance(1)
    writer.write(price(2))
    assert same_all(told(path), [price(0), price(1), price(2)])
    writer.close()


async def test_a_feed_that_falls_silent_is_flushed_all_the_same(tmp_path: Path):
    clock = ManualClock(OPEN)
    path = tmp_path / "day.gexrec"
    with Writer(path, INFO, clock) as writer:
        writer.write(price(0))
        flushing = asyncio.create_task(keep_flushed(writer, clock))
        for _ in range(2):
            await settle()
            clock.set(clock.sleepers[0])
        await settle()
        assert same_all(told(path), [price(0)])
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)


def test_a_full_block_does_not_wait(tmp_path: Path):
    path = tmp_path / "day.gexrec"
    stream = day(minutes=1)
    with Writer(path, INFO, ManualClock(OPEN), flush_bytes=1000) as writer:
        for event in stream:
            writer.write(event)
        assert len(told(path)) > len(stream) - 10


def test_replay_time_never_runs_backwards(tmp_path: Path):
    path = tmp_path / "day.gexrec"
    stream = [price(10), FeedStatus("reconnecting", "gone"), price(5), price(11)]
    with Writer(path, INFO, ManualClock(OPEN)) as writer:
        for event in stream:
            writer.write(event)
    with Recording(path) as recording:
        times = [frame.time - OPEN for frame in recording.frames()]
        assert times == [10 * NS, 10 * NS, 10 * NS, 11 * NS]
        assert same_all(list(recording.events())[1:], stream)


def test_the_source_is_told_once_and_a_new_session_again(tmp_path: Path):
    path = tmp_path / "day.gexrec"
    again = SourceInfo("SPX", "made", "delayed", 900.0)
    same_words = dataclasses.replace(INFO)
    with Writer(path, INFO, ManualClock(OPEN)) as writer:
        for event in (same_words, price(1), again, price(2)):
            writer.write(event)
    assert same_all(told(path), [price(1), again, price(2)])


def test_nothing_is_overwritten_unless_forced(tmp_path: Path):
    path = tmp_path / "day.gexrec"
    path.write_text("precious")
    with pytest.raises(OutputError, match=r"day.gexrec exists already; .*--force"):
        Writer(path, INFO, ManualClock(OPEN))
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]
    with Writer(path, INFO, ManualClock(OPEN), force=True) as writer:
        writer.write(price(0))
    assert same_all(told(path), [price(0)])
    assert list(tmp_path.iterdir()) == [path]


def test_without_hard_links_nothing_is_overwritten_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def no_links(self: Path, target: Path) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    path = tmp_path / "day.gexrec"
    with Writer(path, INFO, ManualClock(OPEN)) as writer:
        writer.write(price(0))
    assert same_all(told(path), [price(0)])
    with pytest.raises(OutputError, match="exists already"):
        Writer(path, INFO, ManualClock(OPEN))
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_none_is_told(tmp_path: Path):
    with pytest.raises(OutputError, match="No such file"):
        Writer(tmp_path / "nowhere" / "day.gexrec", INFO, ManualClock(OPEN))


def test_keyframes_come_by_market_time_but_not_for_a_quiet_feed(tmp_path: Path):
    def keyframes(stream: list, name: str) -> int:
        path = tmp_path / name
        with Writer(path, INFO, ManualClock(OPEN)) as writer:
            for event in stream:
                writer.write(event)
        with Recording(path) as recording:
            return sum(block.kind == KEYFRAME for block in recording._blocks)

    assert keyframes(day(minutes=31), "busy") in (5, 6)
    quiet = [*day(minutes=0.1, count=400), *(price(60 * minute) for minute in range(1, 60))]
    assert keyframes(quiet, "quiet") == 0


def test_a_closed_writer_takes_nothing(tmp_path: Path):
    writer = Writer(tmp_path / "day.gexrec", INFO, ManualClock(OPEN), flush_bytes=1)
    writer.close()
    writer.close()
    with pytest.raises(OutputError, match="is closed"):
        writer.write(price(0))


def test_an_error_elsewhere_is_not_hidden_and_the_recording_is_whole(tmp_path: Path):
    path = tmp_path / "day.gexrec"
    with (
        pytest.raises(ZeroDivisionError),
        Writer(path, INFO, ManualClock(OPEN)) as writer,
    ):
        writer.write(price(0))
        _ = 1 / 0
    with Recording(path) as recording:
        assert recording.closed_properly


SCRIPT = """
import resource, signal, sys
from pathlib import Path
from gexterm.clock import ManualClock, NS
from gexterm.errors import OutputError
from gexterm.recording.writer import Writer
from tests.recording.made import INFO, OPEN, day

path, stop_at = Path(sys.argv[1]), int(sys.argv[2])
"""


def run(script: str, *args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT + textwrap.dedent(script), *map(str, args)],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_full_disk_is_told_and_costs_only_what_did_not_fit(tmp_path: Path):
    path = tmp_path / "day.gexrec"
    done = run(
        """
        # The kernel refuses to let the file grow past this, as a full disk would.
        resource.setrlimit(resource.RLIMIT_FSIZE, (stop_at, stop_at))
        try:
            with Writer(path, INFO, ManualClock(OPEN), flush_bytes=4000) as writer:
                for event in day(minutes=5):
                    writer.write(event)
        except OutputError as error:
            print(error)
            sys.exit(error.exit_code)
        """,
        path,
        50_001,
    )
    assert done.returncode == 2, done.stderr
    assert f"cannot write the recording {path}: File too large" in done.stdout
    with Recording(path) as recording:
        kept = list(recording.events())[1:]
        assert recording.warnings == []
        assert not recording.closed_properly
    assert 100 < len(kept) < len(day(minutes=5))
    assert same_all(kept, day(minutes=5)[: len(kept)])


@pytest.mark.parametrize("stop_at", [3, 97, 251, 400])
def test_a_killed_writer_loses_at_most_what_it_had_not_flushed(tmp_path: Path, stop_at: int):
    """The clock stands still: only full blocks are flushed, whatever is in memory is lost."""
    path = tmp_path / "day.gexrec"
    done = run(
        """
        import os
        writer = Writer(path, INFO, ManualClock(OPEN), flush_bytes=3000)
        for number, event in enumerate(day(minutes=5)):
            if number == stop_at:
                print(writer.events, len(writer._pending), flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            writer.write(event)
        """,
        path,
        stop_at,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    written, pending = map(int, done.stdout.split())
    assert written == stop_at
    with Recording(path) as recording:
        kept = list(recording.events())[1:]
        assert not recording.closed_properly
    assert len(kept) == written - pending
    assert same_all(kept, day(minutes=5)[: len(kept)])


def test_a_writer_killed_in_the_middle_of_writing_leaves_whole_blocks(tmp_path: Path):
    """Killed from outside, while it writes as fast as it can."""
    path = tmp_path / "day.gexrec"
    script = """
        stream = day(minutes=30, rows=200)
        writer = Writer(path, INFO, ManualClock(OPEN), flush_bytes=2000)
        print("begun", flush=True)
        while True:
            for event in stream:
                writer.write(event)
        """
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT + textwrap.dedent(script), str(path), "0"],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        while path.stat().st_size < 200_000:
            assert process.poll() is None
            os.sched_yield()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    stream = day(minutes=30, rows=200)
    with Recording(path) as recording:
        kept = list(recording.events())[1:]
        assert len(recording.warnings) <= 1
    assert len(kept) > 20
    assert same_all(kept, (stream * (len(kept) // len(stream) + 1))[: len(kept)])


def test_what_has_no_time_gets_that_of_what_comes_first(tmp_path: Path) -> None:
    """A live session begins with words about the connection: a replay begins with the market."""
    early = [TickMark(0, NS), FeedStatus("live")]
    stream = day(minutes=1)
    with Writer(tmp_path / "r", INFO, ManualClock(OPEN)) as writer:
        for event in [*early, *stream]:
            writer.write(event)
    with Recording(tmp_path / "r") as recording:
        assert recording.begins == OPEN
        assert same_all(list(recording.events())[1:], [*early, *stream])


def test_a_session_of_words_only_is_dated_by_the_clock(tmp_path: Path) -> None:
    with Writer(tmp_path / "r", INFO, ManualClock(OPEN)) as writer:
        writer.write(FeedStatus("refused", "no"))
    with Recording(tmp_path / "r") as recording:
        assert recording.begins == OPEN
        assert len(list(recording.events())) == 2


def test_a_keyframe_repeats_the_report_and_that_marks_follow(tmp_path: Path) -> None:
    stream = day(minutes=12)
    half = len(stream) // 2
    report = FeedReport(7, notes=("a note",), recv=OPEN + 9 * NS)
    with Writer(tmp_path / "r", INFO, ManualClock(OPEN), keyframe_s=60) as writer:
        writer.write(TickMark(0, NS))
        for event in stream[:half]:
            writer.write(event)
            if codec.rows(event):
                writer.write(TickMark(codec.event_time(event), NS))
        writer.write(report)
        for event in stream[half:]:
            writer.write(event)
    with Recording(tmp_path / "r") as recording:
        assert any(block.kind == KEYFRAME for block in recording._blocks)
        before = recording.seek(OPEN + 3 * 60 * NS)
        assert [(e.ts, e.step) for e in before if isinstance(e, TickMark)] == [(0, NS)]
        assert isinstance(before[0], SourceInfo) and isinstance(before[1], TickMark)
        assert not any(isinstance(e, FeedReport) for e in before)
        after = recording.seek(OPEN + 11 * 60 * NS)
        told = [e for e in after if isinstance(e, FeedReport)]
        assert len(told) == 1 and same(told[0], report)
        assert [(e.ts, e.step) for e in after if isinstance(e, TickMark)] == [(0, NS)]


def test_a_file_that_goes_on_begins_with_the_state_and_replays_by_itself(tmp_path: Path) -> None:
    stream = day(minutes=4)
    half = len(stream) // 2
    state = State()
    state.apply_all([INFO, TickMark(0, NS), *stream[:half]])
    known = state.events()
    begins = codec.event_time(stream[half])
    with Writer(tmp_path / "r", INFO, ManualClock(OPEN), carried=state, at=begins) as writer:
        for event in stream[half:]:
            writer.write(event)
    with Recording(tmp_path / "r") as recording:
        assert recording.begins == begins
        heard = list(recording.events())
    assert same_all(heard[1:], [*known[1:], *stream[half:]])
    assert same_all(state.events(), _state_of([INFO, TickMark(0, NS), *stream]))


def _state_of(stream: list[Event]) -> list[Event]:
    state = State()
    state.apply_all(stream)
    return state.events()
