r"""How a recording lies on disk. Pure: bytes in, descriptions out; no files.

    magic "GEXTERM\n" | version u32 | header length u32 | header crc u32 | header JSON
    block | block | block | …
    index block | trailer                       only when the writer was closed

A block is a header of 44 bytes (what it holds, how long it is, first and last replay
time, checksums) and one zstd frame of its own, so that a reader can hop from header
to header, and a writer killed at any moment costs no more than the block it was at.
`docs/recording.md` describes every byte.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import zstandard

import gexterm
from gexterm.errors import RecordingError, RecordingVersionError
from gexterm.market.events import SourceInfo
from gexterm.recording import codec

FORMAT_VERSION = 1
"""Version of the file format this program writes and reads."""
MAGIC = b"GEXTERM\n"
MAX_HEADER = 64 * 1024
"""Most bytes of the header JSON."""
MAX_BLOCK = 64 * 1024 * 1024
"""Most bytes of a block, packed or not."""
DATA, KEYFRAME, INDEX = 1, 2, 3
"""What a block holds: events; the whole state; the list of blocks."""
KIND_NAMES = {DATA: "data", KEYFRAME: "keyframe", INDEX: "index"}

_PREFIX = struct.Struct("<8sIII")
_BLOCK = struct.Struct("<4sBBHIIIIqqI")
_TRAILER = struct.Struct("<QI4s")
PREFIX_SIZE = _PREFIX.size
BLOCK_SIZE = _BLOCK.size
TRAILER_SIZE = _TRAILER.size
BLOCK_MAGIC = b"GXBK"
_SCAN_BYTES = 1 << 20
_TRAILER_MAGIC = b"GXND"
_ENTRY = struct.Struct("<QBIIIqqI")


@dataclass(frozen=True, slots=True)
class Header:
    """What a recording says of itself."""

    info: SourceInfo
    """The source, as it was when recorded."""
    created: int
    """When the recording was begun, ns since 1970 UTC."""
    gexterm: str = gexterm.__version__
    """Version of the program that wrote it."""
    synthetic: bool = False
    """Whether the market in it is made up."""
    book: str = ""
    """Checksum of the book beside it that its session went on from; empty: from none."""
    earlier: tuple[tuple[str, int], ...] = ()
    """Recordings of the same folder and day that its session went on from: name, events read."""

    def to_bytes(self) -> bytes:
        """The beginning of the file, up to the first block."""
        fields: dict[str, Any] = {
            "format": FORMAT_VERSION,
            "gexterm": self.gexterm,
            "created": self.created,
            "synthetic": self.synthetic,
            "source": {name: getattr(self.info, name) for name in SourceInfo.__slots__},
        }
        if self.book:
            fields["book"] = self.book
        if self.earlier:
            fields["earlier"] = self.earlier
        body = msgspec.json.encode(fields)
        return _PREFIX.pack(MAGIC, FORMAT_VERSION, len(body), zlib.crc32(body)) + body


class _HeaderFields(msgspec.Struct):
    source: dict[str, Any]
    created: int = 0
    gexterm: str = ""
    synthetic: bool = False
    book: str = ""
    earlier: list[tuple[str, int]] = []


class Block(NamedTuple):
    """What a block's header says. A tuple, since a day has thousands of them."""

    offset: int
    """Where its header begins, bytes from the start of the file."""
    kind: int
    """`DATA`, `KEYFRAME` or `INDEX`."""
    stored: int
    """Bytes after the header, compressed."""
    raw: int
    """Bytes once unpacked."""
    events: int
    """Frames in it."""
    first: int
    """Replay time of the first event, ns."""
    last: int
    """Replay time of the last event, ns."""
    crc: int
    """CRC-32 of the stored bytes."""

    @property
    def end(self) -> int:
        """Offset of the byte after it."""
        return self.offset + BLOCK_SIZE + self.stored


def header_size(prefix: bytes) -> int:
    """Bytes of the whole file header, told by its first `PREFIX_SIZE` bytes.

    Raises RecordingVersionError for another version, RecordingError for another file.
    """
    if len(prefix) < PREFIX_SIZE or not prefix.startswith(MAGIC):
        if MAGIC.startswith(prefix[: len(MAGIC)]):
            raise RecordingError(
                f"the recording ends after {len(prefix)} bytes, within its header",
                "it was cut off before anything was recorded",
            )
        raise RecordingError(
            "not a gexterm recording", "`gexterm import` makes recordings of vendors' files"
        )
    version: int
    length: int
    _, version, length, _ = _PREFIX.unpack_from(prefix)
    if version != FORMAT_VERSION:
        raise RecordingVersionError(
            f"the recording has format version {version}, "
            f"gexterm {gexterm.__version__} reads version {FORMAT_VERSION}",
            "use the gexterm that wrote it" if version < FORMAT_VERSION else "update gexterm",
        )
    if length > MAX_HEADER:
        raise RecordingError(f"the recording's header claims {length} bytes")
    return PREFIX_SIZE + length


def parse_header(data: bytes) -> Header:
    """The header of a file, given its first `header_size` bytes."""
    size = header_size(data)
    if len(data) < size:
        raise RecordingError(
            f"the recording ends after {len(data)} bytes, within its header",
            "it was cut off before anything was recorded",
        )
    body = data[PREFIX_SIZE:size]
    if zlib.crc32(body) != _PREFIX.unpack_from(data)[3]:
        raise RecordingError("the recording's header is damaged (checksum differs)")
    try:
        fields = msgspec.json.decode(body, type=_HeaderFields)
    except msgspec.DecodeError as error:
        raise RecordingError(f"the recording's header is unfit: {error}") from error
    return Header(
        info=codec.source_info(fields.source),
        created=fields.created,
        gexterm=codec.text(fields.gexterm),
        synthetic=fields.synthetic,
        book=codec.text(fields.book),
        earlier=tuple((codec.text(name), count) for name, count in fields.earlier),
    )


def pack_block(
    kind: int, raw: bytes, events: int, first: int, last: int, compressor: Any, offset: int = 0
) -> tuple[Block, bytes, bytes]:
    """A block to be put at `offset`: what its header says, the header, and the payload.

    `compressor` is a `zstandard.ZstdCompressor`.
    """
    payload: bytes = compressor.compress(raw)
    block = Block(offset, kind, len(payload), len(raw), events, first, last, zlib.crc32(payload))
    head = _BLOCK.pack(
        BLOCK_MAGIC, kind, 0, 0, block.stored, block.raw, events, block.crc, first, last, 0
    )[:-4]
    return block, head + struct.pack("<I", zlib.crc32(head)), payload


def parse_block(data: bytes, offset: int) -> Block | None:
    """The block whose header `data` begins with, or None where that is no sound header."""
    if len(data) < BLOCK_SIZE or not data.startswith(BLOCK_MAGIC):
        return None
    _, kind, _, _, stored, raw, events, crc, first, last, head_crc = _BLOCK.unpack_from(data)
    if zlib.crc32(data[: BLOCK_SIZE - 4]) != head_crc:
        return None
    if kind not in KIND_NAMES or stored > MAX_BLOCK or raw > MAX_BLOCK:
        return None
    return Block(offset, kind, stored, raw, events, first, last, crc)


def next_block(read: Callable[[int, int], bytes], at: int, size: int) -> int | None:
    """Where the next sound block of a file of `size` bytes begins, from `at` on; None: nowhere.

    `read` is handed an offset and a number of bytes.
    """
    while at < size:
        window = read(at, _SCAN_BYTES + BLOCK_SIZE)
        hit = window.find(BLOCK_MAGIC)
        while 0 <= hit < _SCAN_BYTES:
            if parse_block(window[hit : hit + BLOCK_SIZE], at + hit) is not None:
                return at + hit
            hit = window.find(BLOCK_MAGIC, hit + 1)
        at += _SCAN_BYTES
    return None


def unpack_block(block: Block, payload: bytes) -> bytes:
    """The frames of a block. Raises RecordingError when its bytes were altered."""
    what = f"the {KIND_NAMES[block.kind]} block at byte {block.offset}"
    if len(payload) != block.stored:
        raise RecordingError(f"{what} is cut off: {len(payload)} of {block.stored} bytes")
    if zlib.crc32(payload) != block.crc:
        raise RecordingError(f"{what} is damaged (checksum differs)")
    try:
        # The frame's own claim is checked before anything of that size is allocated.
        if zstandard.frame_content_size(payload) != block.raw:
            raise RecordingError(f"{what} does not unpack to the size it claims")
        raw = zstandard.ZstdDecompressor().decompress(payload, max_output_size=block.raw)
    except zstandard.ZstdError as error:
        raise RecordingError(f"{what} does not unpack: {error}") from error
    if len(raw) != block.raw:
        raise RecordingError(f"{what} does not unpack to the size it claims")
    return raw


def pack_index(blocks: list[Block]) -> bytes:
    """The list of blocks, as the index block holds it before compression."""
    return b"".join(
        _ENTRY.pack(b.offset, b.kind, b.stored, b.raw, b.events, b.first, b.last, b.crc)
        for b in blocks
    )


def parse_index(raw: bytes) -> list[Block]:
    """The blocks an index lists. Raises RecordingError where it makes no sense."""
    if len(raw) % _ENTRY.size:
        raise RecordingError("the index is cut off")
    blocks = list(map(Block._make, _ENTRY.iter_unpack(raw)))
    for block in blocks:
        if block.kind not in KIND_NAMES or block.stored > MAX_BLOCK or block.raw > MAX_BLOCK:
            raise RecordingError(f"the index lists an impossible block at byte {block.offset}")
    for before, after in itertools.pairwise(blocks):
        if before.offset + BLOCK_SIZE + before.stored != after.offset or before.last > after.last:
            raise RecordingError(f"the index is out of order at byte {after.offset}")
    return blocks


def pack_trailer(index_offset: int) -> bytes:
    """The last bytes of a closed recording: where its index block begins."""
    where = struct.pack("<Q", index_offset)
    return _TRAILER.pack(index_offset, zlib.crc32(where), _TRAILER_MAGIC)


def parse_trailer(data: bytes) -> int | None:
    """Offset of the index block, or None when the file does not end in a trailer."""
    if len(data) != TRAILER_SIZE:
        return None
    offset, crc, magic = _TRAILER.unpack(data)
    sound = magic == _TRAILER_MAGIC and zlib.crc32(data[:8]) == crc
    return int(offset) if sound else None
