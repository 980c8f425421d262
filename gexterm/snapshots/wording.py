"""Numbers and names as words, for files that people read.

The screen has its own (`ui.numbers`), made for cells that must not jump; nothing down here
may know a screen. What both write reads the same (`tests/snapshots/test_wording.py`).
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from zoneinfo import ZoneInfo

from gexterm.reading.model import Band, Positions, Reading, ZeroDte

EASTERN = ZoneInfo("America/New_York")
DASH = "–"
"""What stands for a number that is not known."""
MINUS = "−"
INFERRED = ("combined", "flow")
"""Views that rest on signed trades."""
SURE = 0.6
"""Below this probability a label is only leaned towards."""

_PREFIXES = ((1e12, "T"), (1e9, "bn"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_MARKDOWN = re.compile(r"([\\`*_\[\]<|~&])")
_BEGINS = re.compile(r"^(\d*)([#>+=.)-])")


def clean(text: str) -> str:
    """Text from outside on one line, with nothing in it that a terminal would obey."""
    words = " ".join(text.split())
    return "".join("·" if unicodedata.category(c)[0] == "C" else c for c in words)


def paragraph(text: str) -> str:
    """As `clean`, line by line."""
    return "\n".join(clean(line) for line in text.splitlines()).strip()


def escaped(text: str) -> str:
    """Cleaned text that Markdown shows as it stands."""
    return _BEGINS.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", clean(text)))


def sign(value: float, *, plus: bool = True) -> str:
    """Minus, plus where wanted, or nothing."""
    if value < 0:
        return MINUS
    return "+" if plus and value > 0 else ""


def points(value: float, decimals: int = 2) -> str:
    """A price or a computed level: `6,012.35`; more decimals below 10."""
    if not math.isfinite(value):
        return DASH
    size = abs(value)
    if 0 < size < 9.9995:
        decimals = max(decimals, min(6, 3 - math.floor(math.log10(size))))
    rounded = round(value, decimals)
    return f"{sign(rounded, plus=False)}{abs(rounded):,.{decimals}f}"


def strike(value: float) -> str:
    """A strike, with no more decimals than it has."""
    if not math.isfinite(value):
        return DASH
    text = points(value, 6)
    return text.rstrip("0").rstrip(".")


def level(name: str, value: float) -> str:
    """A level by its kind: strikes as strikes, what was computed with two decimals."""
    return points(value) if name in ("spot", "flip", "flip more") else strike(value)


def change(value: float, decimals: int = 2) -> str:
    """A difference in points, with a sign: `+12.50`, `0.00`."""
    if not math.isfinite(value):
        return DASH
    rounded = round(value, decimals)
    return f"{sign(rounded)}{abs(rounded):,.{decimals}f}"


def money(value: float, *, plus: bool = True) -> str:
    """Three figures and a prefix: `+1.21bn`, `−310M`."""
    if not math.isfinite(value):
        return DASH
    size = abs(value)
    if size >= 999.5e12:
        return f"{sign(value, plus=plus)}>999T"
    scale, prefix = next((p for p in _PREFIXES if size >= 0.9995 * p[0]), _PREFIXES[-1])
    if prefix == "" and size < 0.005:
        return "0"
    scaled = size / scale
    if prefix == "" and size == round(size) and size < 999.5:
        body = f"{size:.0f}"
    elif scaled < 9.995:
        body = f"{scaled:.2f}"
    else:
        body = f"{scaled:.1f}" if scaled < 99.95 else f"{scaled:.0f}"
    return f"{sign(value, plus=plus)}{body}{prefix}"


def percent(share: float, decimals: int = 0, *, plus: bool = False) -> str:
    """A share of 1 as per cent: `83%`."""
    if not math.isfinite(share):
        return DASH
    rounded = round(100 * share, decimals)
    return f"{sign(rounded, plus=plus)}{abs(rounded):,.{decimals}f}%"


def chance(share: float) -> str:
    """A probability, never told as certain or impossible: `83%`, `<1%`, `>99%`."""
    if not (math.isfinite(share) and 0.0 <= share <= 1.0):
        return DASH
    whole = round(100 * share)
    return "<1%" if whole < 1 else ">99%" if whole > 99 else f"{whole}%"


def sigmas(value: float) -> str:
    """Standard deviations, with a sign."""
    return f"{change(value, 1)}σ" if math.isfinite(value) else DASH


def seconds(value: float) -> str:
    """An age or a delay: `0.3 s`, `41 s`, `12 min`, `3 h`."""
    if not math.isfinite(value):
        return DASH
    value = max(0.0, value)
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 119.5:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 119.5 * 60 else f"{value / 3600:.0f} h"


def left(value: float) -> str:
    """Time to go: `5 h 24 min`, `24 min`, `40 s`."""
    if not math.isfinite(value):
        return DASH
    whole = max(0, int(value))
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min" if minutes else f"{whole} s"


def money_band(band: Band) -> str:
    """Both ends of a band of money; empty without one."""
    if not (math.isfinite(band.low) and math.isfinite(band.high)):
        return ""
    return f"{money(band.low)} … {money(band.high)}"


def level_band(name: str, band: Band) -> str:
    """Both ends of a band of levels, open ones said; empty without one."""
    if not (math.isfinite(band.low) or math.isfinite(band.high)):
        return ""
    ends = (level(name, x) if math.isfinite(x) else "open" for x in (band.low, band.high))
    return " … ".join(ends)


def trade(value: float) -> str:
    """What the dealer does: `buys $1.1bn`, `sells $310M`."""
    if not math.isfinite(value):
        return DASH
    if value == 0:
        return "nothing"
    return f"{'buys' if value > 0 else 'sells'} ${money(abs(value), plus=False)}"


# -- what is asked of a Reading in several places ----------------------------------------


def market_time(reading: Reading) -> tuple[dt.datetime, str]:
    """The Reading's time where its market keeps it: Eastern, or UTC for crypto options."""
    return at_market(reading.as_of, around_the_clock(reading))


def at_market(when_ns: int, continuous: bool) -> tuple[dt.datetime, str]:
    """An instant on the clock of the market, and which clock that is."""
    utc = dt.datetime.fromtimestamp(when_ns // 1_000_000_000, dt.UTC)
    return (utc, "UTC") if continuous else (utc.astimezone(EASTERN), "ET")


def around_the_clock(reading: Reading) -> bool:
    """Whether it is of a market that never closes."""
    return any(line.settlement.endswith("UTC") for line in reading.expiries)


def inferred(held: Positions) -> bool:
    """Whether positions come from signed trades; otherwise they are assumed."""
    return held.view in INFERRED


def probability(zero: ZeroDte) -> float:
    """P(the label shown); NaN where it is not known."""
    return float(zero.probability.get(zero.paradigm, math.nan))


def paradigm(zero: ZeroDte) -> str:
    """The label with its qualifier and P: `BofA-LIS 83%`; `leaning GEX 45%`."""
    odds = probability(zero)
    label = f"{zero.paradigm}-{zero.qualifier}" if zero.qualifier else str(zero.paradigm)
    if not math.isfinite(odds):
        return label
    return f"{f'leaning {zero.paradigm}' if odds < SURE else label} {chance(odds)}"


def view_of(held: Positions) -> str:
    """The view, and on what it rests, in a few words."""
    if not inferred(held):
        return f"{clean(held.view)} × {held.basis} (assumed, not measured)"
    signed = f", {percent(held.signed_share)} signed" if math.isfinite(held.signed_share) else ""
    return f"{held.view} on {held.basis}{signed}"


MODES = {
    "live": "live",
    "delayed": "delayed",
    "replay": "a replay of a recording, no market in session",
    "simulated": "SIMULATED: no market data",
    "file": "a file, no market in session",
}
"""How data reached us, said so that nobody can mistake it."""


def source_of(reading: Reading) -> str:
    """Feed, mode and delay: `deribit, live`; `cboe, delayed, 15 min late`."""
    source = reading.source
    late = f", {seconds(source.delay_s)} late" if source.delay_s else ""
    return f"{clean(source.feed)}, {MODES.get(source.mode, source.mode)}{late}"
