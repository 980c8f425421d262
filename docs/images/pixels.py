"""PNG pictures of few colours, still and moving, with the standard library and NumPy alone.

W3C PNG (third edition), which holds the chunks of moving pictures as well (acTL, fcTL, fdAT).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST = 255
"""Colours of a picture; one more index is kept for "as it was"."""


def decode(png: bytes) -> U8:
    """Height × width × 3 of a PNG of eight bits, RGB or RGBA, not interlaced."""
    width, height, depth, colour = struct.unpack_from(">IIBB", png, 16)
    channels = {2: 3, 6: 4}.get(colour)
    if not png.startswith(SIGNATURE) or depth != 8 or channels is None:
        raise ValueError("this is no such PNG")
    data, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, -1)
    filters = lines[:, 0]
    raw = lines[:, 1:].reshape(height, width, channels)
    return _unfiltered(raw, filters)[..., :3]


def _unfiltered(raw: U8, filters: U8) -> U8:
    """A pixel needs those left, above and between: all of one diagonal can be had at once."""
    height, width, channels = raw.shape
    out = np.zeros((height + 1, width + 1, channels), np.int16)
    for d in range(height + width - 1):
        y = np.arange(max(0, d - width + 1), min(height, d + 1))
        x = d - y
        left, up, corner = out[y + 1, x], out[y, x + 1], out[y, x]
        p = left + up - corner
        a, b, c = abs(p - left), abs(p - up), abs(p - corner)
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
        kind = filters[y][:, None]
        guess = np.select([kind == n for n in (1, 2, 3, 4)], [left, up, (left + up) // 2, paeth])
        out[y + 1, x + 1] = (raw[y, x] + guess) & 255
    found: U8 = out[1:, 1:].astype(np.uint8)
    return found


def palette_of(pictures: Sequence[U8]) -> U8:
    """At most `MOST` colours × 3 that stand for all of the pictures.

    What is seen most is kept exactly: grounds, bars, letters. The rest are the edges of
    letters, for which the nearest will do.
    """
    counted: dict[int, int] = {}
    for picture in pictures:
        values, counts = np.unique(_packed(picture), return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            counted[value] = counted.get(value, 0) + count
    ranked = sorted(counted, key=lambda value: -counted[value])
    kept = ranked[: MOST // 2]
    # Then by turns what is farthest from all that is kept, weighed by how often it is seen.
    rest = np.array(ranked[MOST // 2 :], np.int64)
    if rest.size:
        colours = _unpacked(rest).astype(np.int32)
        weight = np.sqrt([counted[value] for value in rest.tolist()])
        far = _distances(colours, _unpacked(np.array(kept)).astype(np.int32)).min(axis=1)
        while len(kept) < MOST and (far > 0).any():
            best = int(np.argmax(far * weight))
            kept.append(int(rest[best]))
            far = np.minimum(far, _distances(colours, colours[best : best + 1])[:, 0])
    return _unpacked(np.array(kept))


def indexed(picture: U8, palette: U8) -> U8:
    """Height × width: of each pixel the nearest of the palette."""
    values, where = np.unique(_packed(picture), return_inverse=True)
    near = _distances(_unpacked(values).astype(np.int32), palette.astype(np.int32))
    found: U8 = near.argmin(axis=1).astype(np.uint8)[where].reshape(picture.shape[:2])
    return found


def still(picture: U8) -> bytes:
    """A PNG of it."""
    palette = palette_of([picture])
    cells = indexed(picture, palette)
    return _file(cells, palette, [_chunk(b"IDAT", _packed_lines(cells))])


def moving(pictures: Sequence[U8], milliseconds: Sequence[int]) -> bytes:
    """An animated PNG that goes round for ever; of each picture what differs from the last."""
    palette = palette_of(pictures)
    same = len(palette)
    height, width = pictures[0].shape[:2]
    cells = [indexed(picture, palette) for picture in pictures]
    shown: list[tuple[U8, int]] = []
    for one, for_ms in zip(cells, milliseconds, strict=True):
        if shown and (one == shown[-1][0]).all():
            shown[-1] = (one, shown[-1][1] + for_ms)
        else:
            shown.append((one, for_ms))
    parts = [_chunk(b"acTL", struct.pack(">II", len(shown), 0))]
    number = 0
    for n, (one, for_ms) in enumerate(shown):
        top, bottom, left, right = 0, height, 0, width
        part = one
        if n:
            differs = one != shown[n - 1][0]
            rows, columns = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
            top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
            part = np.where(differs, one, same).astype(np.uint8)[top:bottom, left:right]
        control = struct.pack(
            ">IIIIIHHBB", number, right - left, bottom - top, left, top, for_ms, 1000, 0, int(n > 0)
        )
        number += 1
        parts.append(_chunk(b"fcTL", control))
        if n:
            parts.append(_chunk(b"fdAT", struct.pack(">I", number) + _packed_lines(part)))
            number += 1
        else:
            parts.append(_chunk(b"IDAT", _packed_lines(part)))
    clear = _chunk(b"tRNS", b"\xff" * same + b"\x00")
    whole = np.vstack([palette, np.zeros((1, 3), np.uint8)])
    return _file(cells[0], whole, [clear, *parts])


def _file(cells: U8, palette: U8, parts: list[bytes]) -> bytes:
    height, width = cells.shape
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    colours = _chunk(b"PLTE", palette.tobytes())
    return SIGNATURE + _chunk(b"IHDR", head) + colours + b"".join(parts) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _packed_lines(cells: U8) -> bytes:
    lines = np.zeros((cells.shape[0], cells.shape[1] + 1), np.uint8)
    lines[:, 1:] = cells
    return zlib.compress(lines.tobytes(), 9)


def _packed(picture: U8) -> NDArray[np.int64]:
    wide = picture.astype(np.int64)
    return (wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]).ravel()


def _unpacked(values: NDArray[np.int64]) -> U8:
    return np.stack([values >> 16 & 255, values >> 8 & 255, values & 255], axis=-1).astype(np.uint8)


def _distances(a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.int64]:
    """len(a) × len(b), squares, green and red weighed as eyes do."""
    weight = np.array([3, 4, 2])
    found: NDArray[np.int64] = (weight * (a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    return found
