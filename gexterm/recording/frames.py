r"""Raw frames beside a recording: what a venue said, byte by byte, and when.

    magic "GEXFRAME" | version u32 | header length u32 | header crc u32 | header JSON
    block | block | block | …

Blocks are those of recordings (`recording.format`): checksums and a zstd frame each, so
that a writer killed at any moment costs no more than the block it was at. A block holds
entries: everything that a feed's protocol was handed, in that order and with those
times, so that `feeds.refeed` gets the same events out of it again. Unpacked it is

    kinds u8 × n | times i64 × n | lengths u32 × n | all payloads in a row

Secrets are struck before anything is written. Whatever is read is taken for hostile.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import zstandard

import gexterm
from gexterm.errors import RecordingError, RecordingVersionError
from gexterm.recording import codec
from gexterm.recording import format as layout
from gexterm.recording.appending import AppendedFile

SUFFIX = ".frames"
"""How such a file's name ends, beside the recording's."""
FRAMES_VERSION = 1
"""Version of this file format."""
MAGIC = b"GEXFRAME"
"""How it begins."""
FLUSH_BYTES = 256 * 1024
"""A block is written once its entries have this many bytes."""
OPENED, FRAME, ANSWERED, TIMER, FLUSHED, LOST, PREPARED, CLOSED, CLOCK = range(1, 10)
"""Kinds of entries; see `feeds.tap.Tap`."""
HEADERS = frozenset(
    {
        "age", "cache-control", "content-type", "date", "etag", "expires", "last-modified",
        "location", "retry-after",
    }
)  # fmt: skip
"""Headers of an answer that are kept; none other can matter to a protocol."""

_PREFIX = struct.Struct("<8sIII")
_ROW = 1 + 8 + 4
_LEVEL = 3
_LOST = struct.Struct("<Q")
_MOST_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a protocol was handed."""

    kind: int
    """`OPENED`, `FRAME`, `ANSWERED`, …"""
    time: int
    """When, ns: receipt, or the moment of the call."""
    data: bytes = b""
    """The frame; the packed answer (`RawAnswer.unpack`) or verdict (`RawVerdict.unpack`);
    how many were lost (`lost_frames`); the word said of the clock."""

    @property
    def lost_frames(self) -> int:
        """How many frames are missing here; 0 for every other kind."""
        fits = self.kind == LOST and len(self.data) == _LOST.size
        return int(_LOST.unpack(self.data)[0]) if fits else 0


@dataclass(frozen=True, slots=True)
class RawVerdict:
    """Why a connection ended or no answer could be had, as it is kept."""

    kind: str
    """`retry` or `stop`."""
    reason: str
    """What went wrong."""
    hint: str = ""
    """What could be done about it."""
    wait_s: float = 0.0
    """Seconds to wait before a retry."""

    def pack(self, redact: Callable[[bytes], bytes]) -> bytes:
        """As bytes, without secrets."""
        return msgspec.msgpack.encode(self.struck(redact))

    def struck(self, redact: Callable[[bytes], bytes]) -> RawVerdict:
        """The same without secrets."""
        return RawVerdict(
            self.kind, _struck_text(self.reason, redact), _struck_text(self.hint, redact),
            self.wait_s,
        )  # fmt: skip

    @classmethod
    def unpack(cls, data: bytes) -> RawVerdict:
        """The verdict. Raises RecordingError where that is none."""
        try:
            return msgspec.msgpack.decode(data, type=cls)
        except (msgspec.DecodeError, ValueError) as error:
            raise RecordingError(f"a kept verdict does not decode: {error}") from error


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer to a request, as it is kept."""

    key: str
    """Names the request."""
    status: int = 0
    """HTTP status; 0 where no answer could be had."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those of `HEADERS`."""
    body: bytes = b""
    """Unpacked."""
    failure: RawVerdict | None = None
    """Why none could be had, where none could."""

    def pack(self, redact: Callable[[bytes], bytes]) -> bytes:
        """As bytes, without secrets and without headers that do not matter."""
        kept = {
            name.lower(): _struck_text(value, redact)
            for name, value in self.headers.items()
            if name.lower() in HEADERS
        }
        failure = None if self.failure is None else self.failure.struck(redact)
        return msgspec.msgpack.encode(
            RawAnswer(_struck_text(self.key, redact), self.status, kept, redact(self.body), failure)
        )

    @classmethod
    def unpack(cls, data: bytes) -> RawAnswer:
        """The answer. Raises RecordingError where that is none."""
        try:
            return msgspec.msgpack.decode(data, type=cls)
        except (msgspec.DecodeError, ValueError) as error:
            raise RecordingError(f"a kept answer does not decode: {error}") from error


def _struck_text(text: str, redact: Callable[[bytes], bytes]) -> str:
    return redact(text[:_MOST_TEXT].encode(errors="replace")).decode(errors="replace")


@dataclass(frozen=True, slots=True)
class FramesHeader:
    """What a file of raw frames says of itself."""

    venue: str
    """The feed."""
    underlying: str
    """As the user named it."""
    created: int = 0
    """When it was begun, ns."""
    gexterm: str = gexterm.__version__
    """Version of the program that wrote it: its protocols are sure to read it."""
    continues: str = ""
    """Name of the file whose frames come before these; empty where the session begins here."""

    def to_bytes(self) -> bytes:
        """The beginning of the file."""
        body = msgspec.json.encode({"format": FRAMES_VERSION, **_asdict(self)})
        return _PREFIX.pack(MAGIC, FRAMES_VERSION, len(body), zlib.crc32(body)) + body


class _Fields(msgspec.Struct):
    venue: str
    underlying: str
    created: int = 0
    gexterm: str = ""
    continues: str = ""


def _asdict(header: FramesHeader) -> dict[str, object]:
    return {name: getattr(header, name) for name in FramesHeader.__slots__}


class FramesWriter:
    """Appends entries to a new file; each flush is one block with the operating system.

    `redact` strikes secrets from bytes. Raises OutputError where the file cannot be made
    or written; it then ends with the last whole block.
    """

    def __init__(
        self, path: Path, header: FramesHeader, redact: Callable[[bytes], bytes] | None = None
    ) -> None:
        self.path = path
        self._redact = redact or _as_is
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True)
        self._file = AppendedFile(path, header.to_bytes(), what="the raw frames")
        self._entries: list[tuple[int, int, bytes]] = []
        self._waiting = 0

    @property
    def file(self) -> AppendedFile:
        """The file underneath."""
        return self._file

    def add(self, kind: int, time: int, data: bytes | RawAnswer | RawVerdict = b"") -> None:
        """Add an entry; written once there is enough of them, or by `flush`."""
        raw = bytes(data) if isinstance(data, bytes) else data.pack(self._redact)
        if len(raw) > layout.MAX_BLOCK // 2:
            # No protocol takes so much; that it came is kept.
            kind, raw = LOST, _LOST.pack(1)
        if self._waiting + len(raw) > layout.MAX_BLOCK // 2:
            self.flush()
        self._entries.append((kind, time, raw))
        self._waiting += len(raw) + _ROW
        if self._waiting >= FLUSH_BYTES:
            self.flush()

    def lost(self, frames: int, time: int) -> None:
        """Say that frames are missing here."""
        self.add(LOST, time, _LOST.pack(max(0, frames)))

    def flush(self) -> None:
        """Hand everything to the operating system now."""
        if not self._entries:
            return
        entries, self._entries, self._waiting = self._entries, [], 0
        payloads = _struck([data for _, _, data in entries], self._redact)
        times = np.array([time for _, time, _ in entries], "<i8")
        raw = b"".join(
            (
                bytes(kind for kind, _, _ in entries),
                times.tobytes(),
                np.array([len(data) for data in payloads], "<u4").tobytes(),
                *payloads,
            )
        )
        first, last = int(times.min()), int(times.max())
        _, head, payload = layout.pack_block(
            layout.DATA, raw, len(entries), first, last, self._compressor, self._file.size
        )
        self._file.append(head, payload)

    def close(self) -> None:
        """Flush and close. Harmless when repeated or after a failure."""
        if not self._file.closed:
            try:
                self.flush()
            finally:
                self._file.close()


def _as_is(data: bytes) -> bytes:
    return data


def _struck(payloads: list[bytes], redact: Callable[[bytes], bytes]) -> list[bytes]:
    """The payloads without secrets, also without one that two of them share.

    Looked for in all at once: a secret is rare, and a search costs by the call.
    """
    joined = b"".join(payloads)
    if redact(joined) == joined:
        return payloads
    payloads = [redact(data) for data in payloads]
    joined = b"".join(payloads)
    struck = redact(joined)
    if struck == joined:
        return payloads
    # It runs from one into the next (a stream cut anywhere): stars from its beginning
    # to the end of the last such, which is more than needed, and never too little.
    begin = _alike(joined, struck)
    end = len(joined) - min(_alike(joined[::-1], struck[::-1]), max(0, len(struck) - begin))
    joined = joined[:begin] + b"*" * (end - begin) + joined[end:]
    out, at = [], 0
    for data in payloads:
        out.append(joined[at : at + len(data)])
        at += len(data)
    return out


def _alike(one: bytes, other: bytes) -> int:
    """How many first bytes are the same."""
    most = min(len(one), len(other))
    differ = np.frombuffer(one, np.uint8, most) != np.frombuffer(other, np.uint8, most)
    return int(differ.argmax()) if differ.any() else most


class Frames:
    """A file of raw frames, open for reading: iterate over its entries. A context manager.

    A torn tail costs the last block; a damaged block in between becomes a `LOST` entry.
    Both are told in `warnings`, which grows while reading. Raises RecordingError where
    the file is none, RecordingVersionError where it is of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        """What could not be read."""
        try:
            self._file = path.open("rb")
            try:
                self._size = os.fstat(self._file.fileno()).st_size
                self.header, self._begin = self._parse_header()
            except BaseException:
                self._file.close()
                raise
        except OSError as error:
            raise RecordingError(
                f"cannot read the raw frames {path}: {error.strerror or error}"
            ) from error

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Harmless when repeated."""
        self._file.close()

    def __iter__(self) -> Iterator[Entry]:
        at = self._begin
        while at < self._size:
            block = layout.parse_block(self._read(at, layout.BLOCK_SIZE), at)
            if block is None or block.kind != layout.DATA:
                found = layout.next_block(self._read, at + 1, self._size)
                if found is None:
                    self._warn(f"the last {self._size - at:,} bytes are an unfinished block")
                    return
                self._warn(f"{found - at:,} bytes from byte {at} on are no block; left out")
                at = found
                yield Entry(LOST, 0, _LOST.pack(1))
                continue
            if block.end > self._size:
                self._warn(f"the last {self._size - at:,} bytes are an unfinished block")
                return
            payload = self._read(at + layout.BLOCK_SIZE, block.stored)
            try:
                entries = _parse(layout.unpack_block(block, payload), block)
            except RecordingError as error:
                self._warn(f"{error.message}; left out")
                entries = [Entry(LOST, block.first, _LOST.pack(block.events))]
            yield from entries
            at = block.end

    def _parse_header(self) -> tuple[FramesHeader, int]:
        prefix = self._read(0, _PREFIX.size)
        if len(prefix) < _PREFIX.size or not prefix.startswith(MAGIC):
            raise RecordingError(f"{self.path}: no file of raw frames")
        _, version, length, crc = _PREFIX.unpack(prefix)
        if version != FRAMES_VERSION:
            raise RecordingVersionError(
                f"{self.path}: raw frames of version {version}, "
                f"gexterm {gexterm.__version__} reads version {FRAMES_VERSION}",
                "use the gexterm that wrote it",
            )
        body = self._read(_PREFIX.size, min(length, layout.MAX_HEADER))
        if len(body) != length or zlib.crc32(body) != crc:
            raise RecordingError(f"{self.path}: the header is damaged")
        try:
            raw = msgspec.json.decode(body, type=_Fields)
        except msgspec.DecodeError as error:
            raise RecordingError(f"{self.path}: the header is unfit: {error}") from error
        header = FramesHeader(
            codec.name(raw.venue), codec.name(raw.underlying), raw.created,
            codec.text(raw.gexterm), codec.text(raw.continues),
        )  # fmt: skip
        return header, _PREFIX.size + length

    def _read(self, at: int, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, at)

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)


def _parse(raw: bytes, block: layout.Block) -> list[Entry]:
    """The entries of an unpacked block. Raises RecordingError where they do not add up."""
    count = block.events
    where = f"the block at byte {block.offset}"
    if count * _ROW > len(raw):
        raise RecordingError(f"{where} claims {count} entries in {len(raw)} bytes")
    times = np.frombuffer(raw, "<i8", count, count)
    lengths = np.frombuffer(raw, "<u4", count, 9 * count).astype(np.int64)
    ends = count * _ROW + np.cumsum(lengths)
    if (int(ends[-1]) if count else 0) != len(raw):
        raise RecordingError(f"{where} does not add up")
    out = []
    for kind, time, length, end in zip(
        raw[:count], times.tolist(), lengths.tolist(), ends.tolist(), strict=True
    ):
        if not OPENED <= kind <= CLOCK:
            raise RecordingError(f"{where} has an entry of the unknown kind {kind}")
        out.append(Entry(kind, time, raw[end - length : end]))
    return out
