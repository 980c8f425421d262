"""Which columns fit beside the price axis, and how wide they are."""

from __future__ import annotations

from dataclasses import dataclass

from gexterm.ui.frame import BY_NAME, Greek

NUMBER = 5
"""Cells of the number beside a bar."""
MARKS = ((110, 15), (64, 10), (0, 6))
"""Cells of the marks on the axis, from which width on."""
GAP, WIDE_GAP = 2, 4
"""Cells between columns, compact and comfortable."""
MOST_HALF = 20
"""Cells of half a bar beyond which length says nothing more."""
POSITION, VOLUME, INTEREST = "position", "volume", "open interest"
EXTRAS = {POSITION: 6, VOLUME: 11, INTEREST: 11}
"""Cells of the columns of contracts."""
ERROR = 6
"""Cells that the standard deviation of a position takes beside it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The columns of a ladder."""

    greeks: tuple[Greek, ...]
    """Bars from left to right; the first stands left of the axis when there are several."""
    half: int
    """Cells of half a bar."""
    strike: int
    """Cells of a strike."""
    marks: int
    """Cells of the marks."""
    decimals: int
    """Decimals of every strike, so that their points stand below each other."""
    extras: tuple[str, ...]
    """Columns of contracts, at the right."""
    errors: bool = False
    """Whether positions have their standard deviation beside them."""
    gap: int = GAP
    """Cells between columns."""

    @property
    def bar(self) -> int:
        """Cells of a bar and its number."""
        return 2 * self.half + 1 + NUMBER

    @property
    def axis(self) -> int:
        """Cells of the axis: strike, blank, marks."""
        return self.strike + 1 + self.marks

    def cells(self, extra: str) -> int:
        """Cells of a column of contracts."""
        return EXTRAS[extra] + (ERROR if self.errors and extra == POSITION else 0)

    @property
    def left(self) -> int:
        """Cells before the axis."""
        return 1 + (self.bar + self.gap if len(self.greeks) > 1 else 0)


def companions(first: str) -> list[Greek]:
    """The chosen greek, then charm, gamma and vanna, each once."""
    names = dict.fromkeys((first, "charm", "gamma", "vanna"))
    return [BY_NAME[name] for name in names][:3]


def plan(
    width: int,
    strike: int,
    first: str,
    decimals: int = 0,
    *,
    errors: bool = False,
    airy: bool = False,
) -> Plan:
    """The columns for a width: bars first, then what dealers hold, then what traded.

    `strike` is the cells that the widest strike takes; `errors`: positions are inferred,
    and never shown without their standard deviation. `airy`: with wider gaps, as long as
    that costs no column.
    """
    found = _plan(width, strike, first, decimals, errors, GAP)
    if airy:
        wider = _plan(width, strike, first, decimals, errors, WIDE_GAP)
        if (wider.greeks, wider.extras) == (found.greeks, found.extras):
            return wider
    return found


def _plan(width: int, strike: int, first: str, decimals: int, errors: bool, gap: int) -> Plan:
    greeks = companions(first)
    if errors:
        width -= 1  # what stands last is as wide as its column: keep it off the edge
    marks = next(cells for least, cells in MARKS if width >= least)

    def needs(bars: int, half: int, extras: tuple[str, ...]) -> int:
        axis = 1 + strike + 1 + marks + bars * (2 * half + 1 + NUMBER + gap)
        more = ERROR if errors and POSITION in extras else 0
        return axis + more + sum(EXTRAS[name] + gap for name in extras)

    bars = 1
    extras: tuple[str, ...] = ()
    # A further column is not worth it where it would leave bars too short to compare.
    # Of what is inferred, the position is part of the evidence: it comes sooner.
    two, three = (6, 8) if errors else (9, 9)
    for more_bars, more_extras, least in (
        (2, (), 6),
        (2, (POSITION,), two),
        (3, (POSITION,), three),
        (3, (POSITION, VOLUME), three),
        (3, (POSITION, VOLUME, INTEREST), three),
    ):
        if needs(more_bars, least, more_extras) <= width:
            bars, extras = more_bars, more_extras
    half = 3
    while half < MOST_HALF and needs(bars, half + 1, extras) <= width:
        half += 1
    return Plan(tuple(greeks[:bars]), half, strike, marks, decimals, extras, errors, gap)
