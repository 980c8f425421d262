"""Raw frames: everything comes back, a torn tail costs one block, nothing does harm."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import OutputError, RecordingError, RecordingVersionError
from gexterm.recording import format as layout
from gexterm.recording import frames as raw
from gexterm.recording.frames import Entry, Frames, FramesHeader, FramesWriter, RawAnswer

HEADER = FramesHeader("deribit", "BTC", 77, continues="before.frames")


def written(path: Path, blocks: list[list[Entry]]) -> list[int]:
    """Where each block ends, the header's end first."""
    writer = FramesWriter(path, HEADER)
    ends = [writer.file.size]
    for block in blocks:
        for entry in block:
            writer.add(entry.kind, entry.time, entry.data)
        writer.flush()
        ends.append(writer.file.size)
    writer.close()
    return ends


def blocks(count: int = 4, rows: int = 5) -> list[list[Entry]]:
    return [
        [Entry(raw.FRAME, 100 * b + i, b"frame %d of %d" % (i, b)) for i in range(rows)]
        for b in range(count)
    ]


def read(path: Path) -> tuple[list[Entry], list[str]]:
    with Frames(path) as frames:
        return list(frames), frames.warnings


def test_the_header_says_whose_frames_they_are(tmp_path: Path) -> None:
    written(tmp_path / "f", [])
    with Frames(tmp_path / "f") as frames:
        assert frames.header == HEADER
        assert list(frames) == []


ENTRY = st.builds(
    Entry,
    st.integers(raw.OPENED, raw.CLOCK),
    st.integers(0, 2**63 - 1),
    st.binary(max_size=200),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(ENTRY, max_size=8), max_size=6))
def test_entries_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, made: list[list[Entry]]
) -> None:
    path = tmp_path_factory.mktemp("frames") / "f"
    written(path, made)
    entries, warnings = read(path)
    assert entries == [entry for block in made for entry in block]
    assert warnings == []


def test_a_file_cut_anywhere_keeps_every_whole_block(tmp_path: Path) -> None:
    path = tmp_path / "f"
    made = blocks()
    ends = written(path, made)
    whole = path.read_bytes()
    for cut in range(ends[0], len(whole) + 1, 3):
        path.write_bytes(whole[:cut])
        kept = sum(end <= cut for end in ends[1:])
        entries, warnings = read(path)
        assert entries == [entry for block in made[:kept] for entry in block]
        assert bool(warnings) == (cut not in ends)


def test_a_damaged_block_is_a_hole_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    made = blocks()
    ends = written(path, made)
    data = bytearray(path.read_bytes())
    data[ends[1] + layout.BLOCK_SIZE + 3] ^= 0xFF
    path.write_bytes(data)
    entries, warnings = read(path)
    assert entries[:5] == made[0]
    assert entries[5].lost_frames == 5
    assert entries[6:] == made[2] + made[3]
    assert "damaged" in warnings[0]


def test_a_damaged_head_is_a_hole_and_the_next_block_is_found(tmp_path: Path) -> None:
    path = tmp_path / "f"
    made = blocks()
    ends = written(path, made)
    data = bytearray(path.read_bytes())
    data[ends[1] + 10] ^= 0xFF
    path.write_bytes(data)
    entries, warnings = read(path)
    assert [e for e in entries if e.kind != raw.LOST] == made[0] + made[2] + made[3]
    assert sum(e.lost_frames for e in entries) > 0
    assert "no block" in warnings[0]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_altered_bytes_are_entries_or_an_error_and_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("frames") / "f"
    written(path, blocks(2))
    altered = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        altered[data.draw(st.integers(0, len(altered) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(altered)
    with contextlib.suppress(RecordingError):
        for entry in read(path)[0]:
            assert raw.OPENED <= entry.kind <= raw.CLOCK


def test_a_block_whose_entries_do_not_add_up_is_a_hole(tmp_path: Path) -> None:
    import zstandard

    path = tmp_path / "f"
    written(path, [])
    compressor = zstandard.ZstdCompressor(write_content_size=True)
    bodies = [
        b"",
        bytes([raw.FRAME]) + struct.pack("<qI", 5, 2**32 - 1),
        bytes([99]) + struct.pack("<qI", 5, 0),
        bytes([raw.FRAME]) + struct.pack("<qI", 5, 1) + b"two",
    ]
    with path.open("ab") as file:
        for body in bodies:
            for part in layout.pack_block(layout.DATA, body, 1, 5, 5, compressor)[1:]:
                file.write(part)
    entries, warnings = read(path)
    assert [e.kind for e in entries] == [raw.LOST] * 4
    assert len(warnings) == 4


def test_another_file_is_none_and_another_version_says_which(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for data in (b"", b"GEX", b"GEXTERM\n" + bytes(100), bytes(4000)):
        path.write_bytes(data)
        with pytest.raises(RecordingError, match="no file of raw frames"):
            Frames(path)
    written(tmp_path / "g", [])
    newer = bytearray((tmp_path / "g").read_bytes())
    newer[8] = 9
    path.write_bytes(newer)
    with pytest.raises(RecordingVersionError, match="version 9"):
        Frames(path)
    with pytest.raises(RecordingError, match="cannot read"):
        Frames(tmp_path / "absent")


def test_a_file_that_exists_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        FramesWriter(tmp_path / "f", HEADER)
    assert (tmp_path / "f").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_frame_beyond_all_measure_is_told_and_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "f"
    written(path, [[Entry(raw.FRAME, 1, bytes(layout.MAX_BLOCK // 2 + 1))]])
    [entry] = read(path)[0]
    assert entry.lost_frames == 1


def test_an_answer_keeps_what_a_protocol_may_need_and_no_cookie() -> None:
    answer = RawAnswer(
        "token", 200, {"ETag": '"1"', "Set-Cookie": "session=1", "Authorization": "Bearer x"}, b"{}"
    )
    kept = RawAnswer.unpack(answer.pack(bytes))
    assert kept.headers == {"etag": '"1"'}
    assert (kept.key, kept.status, kept.body, kept.failure) == ("token", 200, b"{}", None)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("abcSECRT-", max_size=9), min_size=1, max_size=8))
def test_no_secret_stays_even_where_it_runs_over_several_frames(
    tmp_path_factory: pytest.TempPathFactory, words: list[str]
) -> None:
    secret = b"SECRET"

    def redact(data: bytes) -> bytes:
        return data.replace(secret, b"***")

    path = tmp_path_factory.mktemp("frames") / "f"
    writer = FramesWriter(path, HEADER, redact)
    sent = [*(word.encode() for word in words), b"SEC", b"RET", b"SECRETSECRET"]
    for frame in sent:
        writer.add(raw.FRAME, 1, frame)
    writer.close()
    entries, _ = read(path)
    assert len(entries) == len(sent)
    assert secret not in b"".join(e.data for e in entries)
    for entry, frame in zip(entries, sent, strict=True):
        if b"*" not in entry.data:
            assert entry.data == frame
