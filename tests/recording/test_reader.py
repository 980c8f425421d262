"""Recordings read from any place, whole, cut or damaged."""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS, ManualClock
from gexterm.errors import RecordingError, RecordingVersionError
from gexterm.market.chain import Chain
from gexterm.market.events import (
    Definitions,
    Event,
    FeedStatus,
    Quotes,
    SourceInfo,
    Trades,
)
from gexterm.market.settlement import expiry_of
from gexterm.recording import codec
from gexterm.recording import format as layout
from gexterm.recording.reader import Recording
from gexterm.recording.state import State
from gexterm.recording.writer import Writer
from tests.recording.made import INFO, OPEN, contracts, day, quotes, same, same_all

STREAM = day(minutes=20, count=30, rows=12)


def written(path: Path, stream: list[Event], close: bool = True, **options: object) -> Path:
    writer = Writer(path, INFO, ManualClock(OPEN), **options)  # type: ignore[arg-type]
    for event in stream:
        writer.write(event)
    if close:
        writer.close()
    else:
        writer.flush()
        writer._file.close()
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("made") / "day.gexrec", STREAM, flush_bytes=6000)


@pytest.fixture(scope="module")
def unclosed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    name = tmp_path_factory.mktemp("made") / "killed.gexrec"
    return written(name, STREAM, close=False, flush_bytes=6000)


def altered(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "altered.gexrec"
    path.write_bytes(data)
    return path


def test_a_recording_says_what_it_is(path: Path):
    with Recording(path) as recording:
        assert same(
            recording.info,
            dataclasses.replace(INFO, begins=recording.begins, ends=recording.ends),
        )
        assert recording.begins == OPEN
        assert recording.ends == OPEN + 20 * 60 * NS
        assert recording.header.created == OPEN
        assert not recording.header.synthetic
        assert next(recording.events()) is recording.info


def test_a_simulated_market_is_marked_synthetic(tmp_path: Path):
    path = tmp_path / "made.gexrec"
    with Writer(path, dataclasses.replace(INFO, mode="simulated"), ManualClock(OPEN)):
        pass
    with Recording(path) as recording:
        assert recording.header.synthetic
        assert recording.info.mode == "simulated"


def test_index_and_search_find_the_same(path: Path, unclosed: Path):
    with Recording(path) as one, Recording(unclosed) as other:
        assert one.closed_properly
        assert not other.closed_properly
        assert one._blocks == other._blocks
        assert same_all(list(one.events()), list(other.events()))


def test_events_between_two_times_are_those_and_no_others(path: Path):
    start, end = OPEN + 300 * NS, OPEN + 301 * NS
    with Recording(path) as recording:
        expected = [e for e in STREAM if start <= codec.event_time(e) < end]
        assert len(expected) >= 4
        assert same_all(list(recording.events(start, end)), expected)
        assert list(recording.events(recording.ends + 1)) == []
        assert list(recording.events(0, OPEN)) == []
        assert same_all(list(recording.events(end=OPEN + 1))[1:], STREAM[:2])


@settings(max_examples=25, deadline=None)
@given(second=st.floats(-10, 1300))
def test_state_and_what_follows_miss_nothing(path: Path, second: float):
    ns = OPEN + round(second * NS)
    whole, sought = State(), State()
    whole.apply_all(STREAM)
    with Recording(path) as recording:
        before = recording.seek(ns)
        after = list(recording.events(ns))
        assert isinstance(before[0], SourceInfo)
        sought.apply_all(before)
        sought.apply_all(after)
    expected_before = State()
    expected_before.apply_all(e for e in STREAM if codec.event_time(e) < ns)
    assert same_all(before[1:], expected_before.events())
    assert same_all(sought.events()[1:], whole.events())


def test_a_chain_fed_from_a_seek_is_the_chain_of_that_moment(path: Path):
    ns = OPEN + 700 * NS
    slow, fast = Chain(expiry_of), Chain(expiry_of)
    with Recording(path) as recording:
        for event in recording.events(end=ns):
            slow.apply(event)
        for event in recording.seek(ns):
            fast.apply(event)
    one, other = slow.rows(ns), fast.rows(ns)
    assert one.spot == other.spot
    for name in ("bid", "ask", "bid_size", "ask_size", "open_interest", "volume", "quote_ts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_seek_reads_a_fraction_of_the_file(tmp_path: Path):
    stream = day(minutes=120, count=20, rows=10, every_s=2)
    path = written(tmp_path / "long.gexrec", stream)
    size = path.stat().st_size
    with Recording(path) as recording:
        opening = recording.bytes_read
        assert opening < size / 20
        recording.seek(OPEN + 100 * 60 * NS)
        assert recording.bytes_read - opening < size / 10
        list(recording.events())
        assert recording.bytes_read > size * 0.9


def test_a_seek_hops_over_headers_where_the_index_is_missing(tmp_path: Path):
    stream = day(minutes=120, count=20, rows=10, every_s=2)
    path = written(tmp_path / "killed.gexrec", stream, close=False)
    with Recording(path) as recording:
        recording.seek(OPEN + 100 * 60 * NS)
        assert recording.bytes_read < path.stat().st_size / 8


def test_cut_at_any_byte_it_gives_every_whole_block_and_tells_the_rest(tmp_path: Path):
    everything = day(minutes=0.3, count=4, rows=2)
    path = written(tmp_path / "small.gexrec", everything, flush_bytes=900)
    data = path.read_bytes()
    with Recording(path) as recording:
        blocks = recording._blocks
        index = blocks[-1].end
    assert len(blocks) > 4
    start = blocks[0].offset
    for cut in range(len(data)):
        torn = altered(tmp_path, data[:cut])
        if cut < start:
            with pytest.raises(RecordingError, match="within its header"):
                Recording(torn)
            continue
        with Recording(torn) as recording:
            kept = list(recording.events())[1:]
            whole = [block for block in blocks if block.end <= cut]
            assert len(kept) == sum(block.events for block in whole)
            assert same_all(kept, everything[: len(kept)])
            assert not recording.closed_properly
            lost = cut - (whole[-1].end if whole else start)
            if lost and cut < index:
                assert len(recording.warnings) == 1
                assert recording.warnings[0].startswith(f"the last {lost:,} bytes are")
                assert ("nothing is left" in recording.warnings[0]) is not whole


def damaged_blocks(recording: Recording) -> list[str]:
    return [warning for warning in recording.warnings if "damaged" in warning]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_is_noticed_and_named(
    path: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    raw = bytearray(path.read_bytes())
    with Recording(path) as recording:
        blocks = recording._blocks
    block = data.draw(st.sampled_from([b for b in blocks if b.kind == layout.DATA]))
    at = data.draw(st.integers(block.offset + layout.BLOCK_SIZE, block.end - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    torn = altered(tmp_path_factory.mktemp("flipped"), bytes(raw))
    with Recording(torn) as recording:
        kept = list(recording.events())
        [warning] = recording.warnings
    assert f"block at byte {block.offset} is damaged" in warning
    assert f"{block.events:,} events" in warning
    mark = [event for event in kept if isinstance(event, FeedStatus)]
    assert [status.state for status in mark] == ["stale"]


@pytest.mark.parametrize("closed", [True, False])
def test_a_flipped_bit_in_a_block_header_loses_that_block_alone(
    path: Path, unclosed: Path, tmp_path: Path, closed: bool
):
    source = path if closed else unclosed
    with Recording(source) as recording:
        blocks = recording._blocks
    block = [b for b in blocks if b.kind == layout.DATA][3]
    raw = bytearray(source.read_bytes())
    raw[block.offset + 9] ^= 1
    with Recording(altered(tmp_path, bytes(raw))) as recording:
        kept = list(recording.events())
        warnings = recording.warnings
    if closed:
        # The index does not need the header.
        assert same_all(kept[1:], STREAM)
    else:
        assert warnings == [
            f"{block.end - block.offset:,} bytes from byte {block.offset} on are no block; left out"
        ]
        marks = sum(isinstance(event, FeedStatus) for event in kept)
        assert marks == 1
        # The next keyframe is given in full (but for the source), in case it is needed.
        again = next(b for b in blocks if b.kind == layout.KEYFRAME and b.offset > block.offset)
        assert len(kept) - 1 - marks == len(STREAM) - block.events + again.events - 1


def test_a_damaged_keyframe_makes_a_seek_begin_earlier(path: Path, tmp_path: Path):
    ns = OPEN + 1100 * NS
    with Recording(path) as recording:
        expected = recording.seek(ns)
        frames = [b for b in recording._blocks if b.kind == layout.KEYFRAME and b.last < ns]
    raw = bytearray(path.read_bytes())
    raw[frames[-1].end - 1] ^= 1
    with Recording(altered(tmp_path, bytes(raw))) as recording:
        assert same_all(recording.seek(ns), expected)
        [warning] = recording.warnings
    assert f"keyframe block at byte {frames[-1].offset} is damaged" in warning


def test_after_lost_definitions_the_next_keyframe_repeats_them(tmp_path: Path):
    """Contracts listed in a block that was lost are known again later; none is misnamed."""
    late = Definitions(30, contracts(40)[30:], OPEN + 100 * NS)
    later = Definitions(40, contracts(50)[40:], OPEN + 200 * NS)
    rng = np.random.default_rng(5)
    stream: list[Event] = []
    for event in day(minutes=12, count=30, rows=12):
        time = codec.event_time(event)
        if late is not None and time >= OPEN + 100 * NS:
            stream.append(late)
            late = None
        if later is not None and time >= OPEN + 200 * NS:
            stream.append(later)
            later = None
        stream.append(event)
        if isinstance(event, Quotes) and time > OPEN + 200 * NS:
            stream.append(quotes(rng, 50, 5, time))
    path = written(tmp_path / "day.gexrec", stream, flush_bytes=3000)
    with Recording(path) as recording:
        lost = next(
            block
            for block in recording._blocks
            if block.kind == layout.DATA and block.last >= OPEN + 100 * NS
        )
    raw = bytearray(path.read_bytes())
    raw[lost.end - 1] ^= 1
    chain, whole = Chain(expiry_of), Chain(expiry_of)
    with Recording(altered(tmp_path, bytes(raw))) as recording:
        for event in recording.events():
            chain.apply(event)
        assert len(recording.warnings) == 1
    for event in stream:
        whole.apply(event)
    assert chain.contracts == whole.contracts
    np.testing.assert_array_equal(chain.column("bid"), whole.column("bid"))


def test_a_damaged_index_is_told_and_the_blocks_are_searched(path: Path, tmp_path: Path):
    raw = bytearray(path.read_bytes())
    raw[-layout.TRAILER_SIZE - 1] ^= 1
    with Recording(altered(tmp_path, bytes(raw))) as recording:
        assert same_all(list(recording.events())[1:], STREAM)
        [warning] = recording.warnings
        assert warning.startswith("the index cannot be used")


def test_an_index_that_lies_is_not_believed(path: Path, tmp_path: Path):
    import zstandard

    with Recording(path) as recording:
        blocks = recording._blocks
    raw = path.read_bytes()[: blocks[-1].end]
    for lie in (
        blocks[1:],
        blocks[:-1],
        [blocks[0], *blocks[2:]],
        [blocks[0]._replace(stored=layout.MAX_BLOCK + 1), *blocks[1:]],
        [blocks[0]._replace(kind=9), *blocks[1:]],
    ):
        index = layout.pack_index(lie)
        compressor = zstandard.ZstdCompressor()
        _, head, body = layout.pack_block(layout.INDEX, index, len(lie), 0, 0, compressor)
        data = raw + head + body + layout.pack_trailer(len(raw))
        with Recording(altered(tmp_path, data)) as recording:
            assert recording._blocks == blocks
            assert "the index cannot be used" in recording.warnings[0]


def test_another_version_says_which_and_what_to_do(path: Path, tmp_path: Path):
    raw = bytearray(path.read_bytes())
    raw[8:12] = struct.pack("<I", 7)
    with pytest.raises(RecordingVersionError) as caught:
        Recording(altered(tmp_path, bytes(raw)))
    assert "altered.gexrec: the recording has format version 7" in caught.value.message
    assert "reads version 1" in caught.value.message
    assert caught.value.hint == "update gexterm"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "ends after 0 bytes"),
        (b"GEXT", "ends after 4 bytes"),
        (b"PAR1" + bytes(100), "not a gexterm recording"),
        (b"\x00" * 100, "not a gexterm recording"),
        (b"G", "ends after 1 bytes"),
    ],
)
def test_another_file_is_told_in_one_line(tmp_path: Path, data: bytes, said: str):
    with pytest.raises(RecordingError, match=said) as caught:
        Recording(altered(tmp_path, data))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_no_file_and_a_folder_are_told(tmp_path: Path):
    with pytest.raises(RecordingError, match="No such file"):
        Recording(tmp_path / "none")
    with pytest.raises(RecordingError, match="Is a directory"):
        Recording(tmp_path)


def header(fields: object) -> bytes:
    body = json.dumps(fields).encode()
    return struct.pack("<8sIII", b"GEXTERM\n", 1, len(body), zlib.crc32(body)) + body


@pytest.mark.parametrize(
    "fields",
    [
        {},
        [],
        {"source": {}},
        {"source": {"underlying": "SPX", "feed": "x", "mode": "psychic"}},
        {"source": {"underlying": "S\x1bX", "feed": "x", "mode": "live"}},
        {"source": {"underlying": "SPX", "feed": "x", "mode": "live", "begins": "noon"}},
        {"source": {"underlying": "SPX", "feed": "x", "mode": "live"}, "created": "noon"},
    ],
)
def test_a_header_that_says_nothing_sound_is_refused(tmp_path: Path, fields: object):
    with pytest.raises(RecordingError):
        Recording(altered(tmp_path, header(fields)))


def test_a_header_flipped_anywhere_is_noticed(path: Path, tmp_path: Path):
    raw = path.read_bytes()
    with Recording(path) as recording:
        size = recording._blocks[0].offset
    for at in range(size):
        flipped = bytearray(raw)
        flipped[at] ^= 4
        with pytest.raises(RecordingError):
            Recording(altered(tmp_path, bytes(flipped)))


def test_a_header_that_claims_gigabytes_is_refused(tmp_path: Path):
    data = struct.pack("<8sIII", b"GEXTERM\n", 1, 2**31, 0) + bytes(100)
    with pytest.raises(RecordingError, match="claims"):
        Recording(altered(tmp_path, data))


def test_a_block_that_unpacks_to_more_than_it_says_is_refused(tmp_path: Path):
    import zstandard

    bomb = zstandard.ZstdCompressor().compress(bytes(100_000_000))
    for claimed in (100, layout.MAX_BLOCK):
        fields = (b"GXBK", layout.DATA, 0, 0, len(bomb), claimed, 1, zlib.crc32(bomb), 1, 1)
        start = struct.pack("<4sBBHIIIIqq", *fields)
        block = start + struct.pack("<I", zlib.crc32(start)) + bomb
        source = {"underlying": "SPX", "feed": "x", "mode": "live"}
        with Recording(altered(tmp_path, header({"source": source}) + block)) as recording:
            list(recording.events())
            assert "does not unpack to the size it claims" in recording.warnings[0]


def test_a_sound_block_with_nonsense_in_it_is_an_error_that_names_the_file(tmp_path: Path):
    import zstandard

    source = {"underlying": "SPX", "feed": "x", "mode": "live"}
    compressor = zstandard.ZstdCompressor()
    _, head, body = layout.pack_block(layout.DATA, b"nonsense" * 9, 1, 1, 1, compressor)
    data = header({"source": source}) + head + body
    with (
        Recording(altered(tmp_path, data)) as recording,
        pytest.raises(RecordingError, match=r"altered.gexrec, block at byte \d+: a frame"),
    ):
        list(recording.events())


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_file_altered_anywhere_is_read_or_refused_but_never_crashes(
    path: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    raw = bytearray(path.read_bytes()[:20_000])
    for _ in range(data.draw(st.integers(1, 10))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    torn = altered(tmp_path_factory.getbasetemp(), bytes(raw))
    try:
        with Recording(torn) as recording:
            list(recording.events())
            recording.seek(OPEN + 60 * NS)
    except RecordingError:
        pass


def test_a_second_session_in_a_recording_begins_afresh(tmp_path: Path):
    again = SourceInfo("SPX", "made", "live", 0.0, "second")
    first = day(minutes=8, count=30, rows=12)
    second = [
        dataclasses.replace(event, recv=codec.event_time(event) + 1000 * NS)
        for event in day(minutes=8, count=10, rows=12, seed=2)
    ]
    path = written(tmp_path / "two.gexrec", [*first, again, *second], flush_bytes=5000)
    with Recording(path) as recording:
        assert any(
            b.kind == layout.KEYFRAME and b.last > OPEN + 1000 * NS for b in recording._blocks
        )
        state = recording.seek(recording.ends)
    assert isinstance(state[0], SourceInfo)
    assert state[0].note == "second"
    assert state[0].ends == recording.ends
    assert isinstance(state[1], Definitions)
    assert len(state[1].contracts) == 10


def test_several_threads_read_at_once(path: Path):
    with Recording(path) as recording, ThreadPoolExecutor(4) as pool:
        for events in pool.map(lambda _: list(recording.events()), range(4)):
            assert same_all(events[1:], STREAM)


def test_trades_are_never_state(path: Path):
    with Recording(path) as recording:
        assert not any(isinstance(event, Trades) for event in recording.seek(recording.ends))


def test_a_recording_still_being_written_can_be_read(tmp_path: Path):
    path = tmp_path / "growing.gexrec"
    writer = Writer(path, INFO, ManualClock(OPEN), flush_bytes=2000)
    for number, event in enumerate(day(minutes=2)):
        writer.write(event)
        if number % 50 == 0:
            with Recording(path) as recording:
                assert recording.warnings == []
                list(recording.events())
    writer.close()
