"""Which characters a TrueType font has; just enough of the format to check ours."""

from __future__ import annotations

import struct
from pathlib import Path


def characters(path: Path) -> set[str]:
    """The characters of the font's full Unicode map (cmap format 12)."""
    data = path.read_bytes()
    (tables,) = struct.unpack_from(">H", data, 4)
    at = {
        tag: offset
        for tag, _, offset, _ in (
            struct.unpack_from(">4sIII", data, 12 + 16 * i) for i in range(tables)
        )
    }[b"cmap"]
    (maps,) = struct.unpack_from(">H", data, at + 2)
    found: set[str] = set()
    for i in range(maps):
        _, _, offset = struct.unpack_from(">HHI", data, at + 4 + 8 * i)
        if struct.unpack_from(">H", data, at + offset)[0] != 12:
            continue
        (groups,) = struct.unpack_from(">I", data, at + offset + 12)
        for group in range(groups):
            first, last, _ = struct.unpack_from(">III", data, at + offset + 16 + 12 * group)
            found.update(map(chr, range(first, last + 1)))
    return found
