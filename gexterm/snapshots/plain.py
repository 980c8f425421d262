"""A page of ours for a terminal: Markdown without its marks, tables in columns."""

from __future__ import annotations

import re
import textwrap

from gexterm.snapshots.wording import clean

_ESCAPE = re.compile(r"\\([\\`*_\[\]<|~&#>+=.)-])")
_MARKS = re.compile(r"\*\*|(?<!\\)`")
_CELLS = re.compile(r"(?<!\\)\|")


def plain(page: str, width: int = 100) -> str:
    """The page as text of at most `width` columns where words allow; harmless to print."""
    out: list[str] = []
    table: list[list[str]] = []
    for line in page.splitlines():
        if line.startswith("|"):
            table.append([_unmarked(cell) for cell in _CELLS.split(line)[1:-1]])
            continue
        out += _aligned(table, width)
        table = []
        out += _lines(line, width)
    out += _aligned(table, width)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip("\n") + "\n"


def _lines(line: str, width: int) -> list[str]:
    if line.startswith("!["):
        return []
    if line.strip() == "---":
        return [""]
    head = re.match(r"(#+) ", line)
    if head:
        return [_unmarked(line[head.end() :]).upper() if len(head[1]) > 1 else _unmarked(line[2:])]
    indent = 2 if line.startswith(("- ", "> ")) else 0
    words = "· " if line.startswith("- ") else "  "
    text = _unmarked(line[indent:])
    first = words if indent else ""
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=" " * indent) or [""]


def _unmarked(text: str) -> str:
    return clean(_ESCAPE.sub(r"\1", _MARKS.sub("", text)))


def _aligned(table: list[list[str]], width: int) -> list[str]:
    if len(table) < 2:
        return [" ".join(row) for row in table]
    right = [cell.endswith(":") for cell in table[1]]
    rows = [table[0], *table[2:]]
    count = len(right)
    rows = [(row + [""] * count)[:count] for row in rows]
    sizes = [max(len(row[i]) for row in rows) for i in range(count)]
    out = []
    for row in rows:
        cells = [
            cell.rjust(size) if to_right else cell.ljust(size)
            for cell, size, to_right in zip(row, sizes, right, strict=True)
        ]
        line = ("  " + "  ".join(cells)).rstrip()
        out.append(line if len(line) <= width else line[: width - 1] + "…")
    return out
