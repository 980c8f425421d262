"""Reading back the pixels of a PNG: eight bits, RGB or RGBA, not interlaced."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def decode(png: bytes) -> NDArray[np.uint8]:
    """Height × width × 3, without transparency. Undoes the five filters of the format."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack_from(">IIBB", png, 16)
    assert depth == 8
    channels = {2: 3, 6: 4}[colour]
    data, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, -1)
    out = np.zeros((height + 1, width + 1, channels), np.uint8)
    for y, line in enumerate(lines, 1):
        out[y, 1:] = line[1:].reshape(width, channels)
        kind, above = int(line[0]), out[y - 1].astype(int)
        for x in range(1, width + 1) if kind else ():
            left, up, corner = out[y, x - 1].astype(int), above[x], above[x - 1]
            out[y, x] += (_guess(kind, left, up, corner) & 255).astype(np.uint8)
    return out[1:, 1:, :3]


def _guess(
    kind: int, left: NDArray[np.int_], up: NDArray[np.int_], corner: NDArray[np.int_]
) -> NDArray[np.int_]:
    if kind == 1:
        return left
    if kind == 2:
        return up
    if kind == 3:
        return (left + up) // 2
    p = left + up - corner
    a, b, c = abs(p - left), abs(p - up), abs(p - corner)
    return np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
