"""Strike by time as numbers: which minutes a column holds, which strikes a row."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gexterm.reading.day import Slice
from gexterm.reading.inquiry import Outlook

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]

NS = 1_000_000_000
MINUTE_NS = 60 * NS
MINUTES = (1, 2, 3, 5, 10, 15, 30, 60, 120)
"""Minutes that a column may hold."""
WIDEST = 6
"""Cells of a column, at most."""
PER_ROW = (1, 2, 4, 5, 10, 20, 40, 50, 100, 200, 400, 500, 1000)
"""Strikes that a row may hold."""
STEPS = (0.04, 0.2, 0.4, 0.6, 0.85)
"""Shares of the full scale from which on a cell is a step darker; below the first it is blank."""
UNKNOWN, GAP, NOTHING = -128, -127, -126
"""Steps of a cell of which nothing is known; of a time without Readings; without a strike."""


@lru_cache(maxsize=16)
def _edges(count: int, cells: int) -> tuple[int, ...]:
    return tuple(column * cells // count for column in range(count + 1))


@dataclass(frozen=True, slots=True)
class Axis:
    """Time across: columns of whole minutes, as many cells each as come out even."""

    begin: int
    """Where the first column begins, ns; a multiple of the column's own length."""
    step: int
    """Length of a column, ns."""
    count: int
    """Columns."""
    cells: int
    """Cells of all columns together."""
    now: int
    """The column of the present moment."""

    @property
    def edges(self) -> tuple[int, ...]:
        """The cell at which each column begins, and where the last one ends."""
        return _edges(self.count, self.cells)

    @property
    def minutes(self) -> int:
        """Minutes of a column."""
        return self.step // MINUTE_NS

    def column(self, at: int) -> int:
        """The column of a time; may lie outside."""
        return (at - self.begin) // self.step

    def start(self, column: int) -> int:
        """When a column begins, ns."""
        return self.begin + column * self.step


def axis(begin: int, now: int, end: int, cells: int) -> Axis:
    """Columns from `begin` to `end`, ns, in so many cells, with one left for the line at now."""
    room = max(2, cells - 1)
    for minutes in MINUTES:
        step = minutes * MINUTE_NS
        first = begin // step * step
        count = max(now + 1, end) - first
        count = -(-count // step)
        if count <= room:
            break
    # What does not fit even so is the oldest, and then the latest.
    if count > room:
        first += min(count - room, (now - first) // step) * step
        count = room
    count = max(1, count)
    return Axis(first, step, count, min(WIDEST * count, room), (now - first) // step)


def spacing(strikes: F64, spot: float) -> float:
    """Points between neighbouring strikes near spot; NaN where there are not two."""
    if len(strikes) < 2:
        return math.nan
    near = strikes[np.abs(strikes - spot) <= 0.02 * abs(spot)] if math.isfinite(spot) else strikes
    gaps = np.diff(near if len(near) > 2 else strikes)
    gaps = gaps[gaps > 1e-9]
    return float(np.median(gaps)) if gaps.size else math.nan


@dataclass(frozen=True, slots=True)
class Rows:
    """Price down: rows of whole strikes, the highest first."""

    step: float
    """Points of a row."""
    top: int
    """The first row's price, in steps."""
    count: int
    """Rows."""

    def index(self, price: float) -> int:
        """How many steps a price is; a price between two belongs to the nearer."""
        return math.floor(price / self.step + 0.5)

    def row(self, price: float) -> int:
        """The row of a price, from the top; may lie outside."""
        return self.top - self.index(price)

    def price(self, row: int) -> float:
        """The price of a row."""
        return (self.top - row) * self.step


def per_row(rows: int, gap: float, reach: float) -> int:
    """Strikes of a row, so that `reach` points to either side of spot are seen."""
    for number in PER_ROW:
        if rows * number * gap >= 2 * reach:
            return number
    return PER_ROW[-1]


def bucket(strikes: F64, values: NDArray[np.floating], step: float) -> tuple[int, F64, I8]:
    """Values added up by row: lowest row in steps, sums, and what is known of each.

    Known: 1 something, 0 there are strikes and nothing is known of them, −1 no strike.
    """
    if not len(strikes):
        return 0, np.empty(0), np.empty(0, np.int8)
    index = np.floor(strikes / step + 0.5).astype(np.int64)
    low = int(index[0])
    place = index - low
    count = int(place[-1]) + 1
    known = np.isfinite(values)
    sums = np.bincount(place, np.where(known, values, 0.0), count).astype(np.float64)
    state = np.full(count, -1, np.int8)
    state[place] = 0
    state[place[known]] = 1
    return low, sums, state


class Buckets:
    """Rows of books, remembered: a book by strike does not change once it is made."""

    MOST = 3000

    def __init__(self) -> None:
        self._kept: dict[int, tuple[object, tuple[int, F64, I8]]] = {}
        self._how: tuple[str, float] = ("", math.nan)

    def of(self, book: Slice, column: str, step: float) -> tuple[int, F64, I8]:
        """As of `bucket`, for one book."""
        if self._how != (column, step) or len(self._kept) > self.MOST:
            self._kept, self._how = {}, (column, step)
        found = self._kept.get(id(book))
        if found is None:
            # The book is kept beside its rows, so that no other gets its id.
            found = (book, bucket(book.strikes, book.column(column), step))
            self._kept[id(book)] = found
        return found[1]


@dataclass(frozen=True, eq=False, slots=True)
class Grid:
    """The map as numbers."""

    axis: Axis
    """Time."""
    rows: Rows
    """Price."""
    values: F64
    """Exposure; NaN not known. Shape (rows, columns)."""
    state: I8
    """As of `bucket`, and `GAP` where there is no book for a time. Shape (rows, columns)."""
    spots: F64
    """Spot by column; NaN not known or to come. Shape (columns,)."""
    books: tuple[Slice | None, ...]
    """The book behind each column."""


def _place(grid_rows: Rows, found: tuple[int, F64, I8]) -> tuple[F64, I8]:
    """One book's rows, put where the map's rows are."""
    low, sums, state = found
    values = np.zeros(grid_rows.count)
    known = np.full(grid_rows.count, -1, np.int8)
    # Row r of the map is step top − r.
    first = grid_rows.top - grid_rows.count + 1
    begin, end = max(first, low), min(grid_rows.top, low + len(sums) - 1)
    if begin <= end:
        part = slice(begin - low, end - low + 1)
        rows = slice(grid_rows.top - end, grid_rows.top - begin + 1)
        values[rows] = sums[part][::-1]
        known[rows] = state[part][::-1]
    return values, known


def build(
    across: Axis,
    down: Rows,
    slices: Sequence[Slice],
    outlook: Outlook | None,
    column: str,
    buckets: Buckets,
) -> Grid:
    """Past columns from the day's books, the rest from the outlook."""
    shape = (down.count, across.count)
    values, state = np.zeros(shape), np.full(shape, GAP, np.int8)
    spots = np.full(across.count, math.nan)
    books: list[Slice | None] = [None] * across.count
    for book in slices:
        place = across.column(book.at)
        if 0 <= place <= across.now and place < across.count:
            books[place] = book  # the last of a column stands for it
    for place, one in enumerate(books):
        if one is not None:
            found = buckets.of(one, column, down.step)
            values[:, place], state[:, place] = _place(down, found)
            spots[place] = one.spot
    if outlook is not None and len(outlook.times):
        times = outlook.times.tolist()
        for place in range(max(0, across.now + 1), across.count):
            # The moment in the middle of a column stands for it.
            if across.start(place) > times[-1]:
                break
            middle = across.start(place) + across.step // 2
            at = max(0, bisect_right(times, middle) - 1)
            found = bucket(outlook.strikes, outlook.values[at], down.step)
            values[:, place], state[:, place] = _place(down, found)
    values[state != 1] = math.nan
    return Grid(across, down, values, state, spots, tuple(books))


def peak(values: F64, share: float = 0.98) -> float:
    """The size that all but the largest few of the cells stay within; NaN where none is known."""
    sizes = np.abs(values[np.isfinite(values)])
    sizes = sizes[sizes > 0]
    return float(np.quantile(sizes, share)) if sizes.size else math.nan


def steps(grid: Grid, full: float) -> I8:
    """How dark each cell is: −5 to 5, or `UNKNOWN`, `GAP`, `NOTHING`."""
    share = np.abs(grid.values) / full if math.isfinite(full) and full > 0 else np.zeros_like(
        grid.values)  # fmt: skip
    dark = np.searchsorted(np.array(STEPS), share, side="right").astype(np.int8)
    dark = np.where(grid.values < 0, -dark, dark).astype(np.int8)
    dark[grid.state == 0] = UNKNOWN
    dark[grid.state == -1] = NOTHING
    dark[grid.state == GAP] = GAP
    return dark
