"""Numbers as text of a fixed width, so that nothing on the screen jumps.

At most three figures, SI prefixes, a true minus sign, a dash for what is not
known. Every function returns exactly as many cells as it was asked for (or as it
always does), whatever the number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

MINUS = "−"
"""The minus sign; a hyphen is narrower than a plus."""
DASH = "–"
"""What stands for a number that is not known."""
PREFIXES = ((1e12, "T"), (1e9, "bn"), (1e6, "M"), (1e3, "k"), (1.0, ""))
"""Sizes and their prefixes, largest first. A trader says bn, not G."""
SI_WIDTH = 7
"""Cells of `si`: sign, four for the figures, two for the prefix."""
DURATION_WIDTH = 6
"""Cells of `duration`."""


def figures(magnitude: float) -> str:
    """Three figures of a number from 0 up to 999.5, without a sign: 1.23, 12.3, 123."""
    if magnitude < 9.995:
        return f"{magnitude:.2f}"
    return f"{magnitude:.1f}" if magnitude < 99.95 else f"{magnitude:.0f}"


def sign_of(value: float, *, plus: bool) -> str:
    """The sign that goes before a number: minus, plus where wanted, or nothing."""
    if value < 0:
        return MINUS
    return "+" if plus and value > 0 else ""


def si(value: float, *, plus: bool = False) -> str:
    """Three figures and a prefix in `SI_WIDTH` cells, the figures always in the same ones.

    `+1.21bn`, ` −310M `, `  42  `; ` –` where unknown. Beyond 999 T the width holds
    and the number reads as `>999T`.
    """
    if not math.isfinite(value):
        return f"{DASH:>5}  "
    magnitude = abs(value)
    if magnitude >= 999.5e12:
        return f"{sign_of(value, plus=plus)}>999T".rjust(6).ljust(SI_WIDTH)
    # Rounding decides the prefix: 999.6 thousand is 1.00 million.
    scale, prefix = next((s for s in PREFIXES if magnitude >= 0.9995 * s[0]), PREFIXES[-1])
    if prefix == "" and magnitude < 0.005:
        body, value = "0", 0.0
    elif prefix == "" and magnitude == round(magnitude) and magnitude < 999.5:
        body = f"{magnitude:.0f}"
    else:
        body = figures(magnitude / scale)
    return f"{sign_of(value, plus=plus)}{body}".rjust(5) + prefix.ljust(2)


def compact(value: float, *, plus: bool = False) -> str:
    """As `si`, without the padding: for running text, where nothing stands below it."""
    return si(value, plus=plus).strip()


def fixed(value: float, decimals: int, width: int, *, plus: bool = False) -> str:
    """A number with so many decimals, right-aligned; one that is too long has fewer.

    One that is too long even without any reads as `>999`. Zero after rounding has no sign.
    """
    if not math.isfinite(value):
        return DASH.rjust(width)
    for places in range(decimals, -1, -1):
        rounded = round(value, places)
        text = f"{sign_of(rounded, plus=plus)}{abs(rounded):,.{places}f}"
        if len(text) <= width:
            break
    if len(text) > width:
        text = (sign_of(rounded, plus=plus) + ">").ljust(width, "9")[:width]
    return text.rjust(width)


def places(level: float) -> int:
    """Decimals a level of this size bears out: none from 100 on, four figures below.

    An index at 6,012 is told in whole points; a coin at 0.5513 would be 1.
    """
    size = abs(level)
    if not 0 < size < 99.995:
        return 0
    return min(6, 3 - math.floor(math.log10(size)))


def price(value: float, width: int = 9, decimals: int = 2) -> str:
    """Points with separators, right-aligned: ` 6,012.35`; more decimals below 10: ` 0.5513`."""
    return fixed(value, max(decimals, places(value)), width)


@lru_cache(maxsize=8192)
def strike_decimals(value: float) -> int:
    """How many decimals a strike has: up to 2, and up to four figures' worth below 10."""
    if not math.isfinite(value):
        return 0
    most = max(2, places(value))
    return next((n for n in range(most) if abs(value - round(value, n)) < 1e-9), most)


@lru_cache(maxsize=8192)
def strike(value: float, width: int = 0, decimals: int | None = None) -> str:
    """A strike: as many decimals as asked for, else no more than it has."""
    if not math.isfinite(value):
        return DASH.rjust(width)
    if decimals is None:
        decimals = strike_decimals(value)
    return f"{value:,.{decimals}f}".rjust(width)


def percent(share: float, width: int = 4, decimals: int = 0, *, plus: bool = False) -> str:
    """A share of 1 as per cent, right-aligned: ` 83%`."""
    if not math.isfinite(share):
        return DASH.rjust(width)
    return fixed(100 * share, decimals, width - 1, plus=plus) + "%"


def level(value: float, width: int = 0) -> str:
    """A level that was computed, such as a flip: whole points, or what `places` says."""
    decimals = places(value)
    return strike(round(value, decimals) if decimals else value, width, decimals)


def distance(points: float, width: int = 8, *, at: float = math.nan) -> str:
    """Points with a sign: one decimal, none from a thousand on; below 100 those of level `at`."""
    decimals = 1 if not math.isfinite(points) or abs(points) < 999.95 else 0
    return fixed(points, max(decimals, places(at)), width, plus=True)


def gap(points: float, width: int, *, at: float) -> str:
    """Points with a sign, whole ones where level `at` is told in whole ones."""
    return fixed(points, places(at), width, plus=True)


def sigmas(value: float, width: int = 6) -> str:
    """Standard deviations with a sign: ` −0.6σ`."""
    if not math.isfinite(value):
        return DASH.rjust(width)
    return fixed(value, 1, width - 1, plus=True) + "σ"


def duration(seconds: float) -> str:
    """Time left in `DURATION_WIDTH` cells: ` 5h24m`, `24m07s`, `12d03h`; `–` unknown."""
    if not math.isfinite(seconds):
        return DASH.rjust(DURATION_WIDTH)
    whole = max(0, int(seconds))
    minutes, s = divmod(whole, 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days > 99:
        return "  >99d"
    if days:
        return f"{days:>2}d{h:02}h"
    return f"{h:>2}h{m:02}m" if h else f"{m:>2}m{s:02}s"


def seconds(value: float, width: int = 5) -> str:
    """An age: `0.3s`, `41s`, `12m`, `3h`, right-aligned."""
    if not math.isfinite(value):
        return DASH.rjust(width)
    value = max(0.0, value)
    if value < 9.95:
        text = f"{value:.1f}s"
    elif value < 119.5:
        text = f"{value:.0f}s"
    elif value < 119.5 * 60:
        text = f"{value / 60:.0f}m"
    else:
        text = f"{value / 3600:.0f}h" if value < 99.5 * 3600 else ">99h"
    return text.rjust(width)


BAND_WIDTH = 11
"""Cells of `band` and of `stretch`."""
HALF_WIDTH = 6
"""Cells of `plus_minus`, at most."""


def straddles(low: float, high: float) -> bool:
    """Whether a band contains zero: the sign of what it belongs to is not known.

    An open end reaches as far as it likes; a band of which nothing is known does not count.
    """
    if math.isnan(low) and math.isnan(high):
        return False
    return not (low > 0 or high < 0)


def plus_minus(half: float) -> str:
    """`±300M`, `±1.2bn`: two figures or three, no more than an error deserves; `±–` unknown."""
    if not math.isfinite(half):
        return f"±{DASH}"
    half = abs(half)
    if half >= 999.5e12:
        return "±>999T"
    scale, prefix = next((s for s in PREFIXES if half >= 0.9995 * s[0]), PREFIXES[-1])
    share = half / scale
    if share >= 9.95 or (prefix == "" and share == round(share)):
        return f"±{share:.0f}{prefix}"
    return f"±{share:.1f}{prefix}"


def stretch(low: float, high: float) -> str:
    """`−12…+30M`: both ends in one unit; `open` where an end is not known. Not padded.

    At most `BAND_WIDTH` cells. A dash where neither end is known.
    """
    known = [abs(end) for end in (low, high) if math.isfinite(end)]
    if not known:
        return DASH
    peak = max(known)
    if peak >= 999.5e12:
        return "over ±999T"
    scale, prefix = next((s for s in PREFIXES if peak >= 0.9995 * s[0]), PREFIXES[-1])
    decimals = 0 if peak / scale >= 9.95 or (prefix == "" and peak == round(peak)) else 1

    def end(value: float) -> str:
        if not math.isfinite(value):
            return "open"
        rounded = round(value / scale, decimals)
        return f"{sign_of(rounded, plus=True)}{abs(rounded):.{decimals}f}" if rounded else "0"

    return f"{end(low)}…{end(high)}{prefix}"


def band(value: float, low: float, high: float, width: int = BAND_WIDTH) -> str:
    """How sure a number is, right-aligned: `±300M`, or `−12…+30M`.

    Both ends where half a width would mislead: around zero, with an open end, or with
    the number far from the middle. Blank where no band is known. Exactly `width` cells,
    which are at least `BAND_WIDTH`.
    """
    if math.isnan(low) and math.isnan(high):
        return " " * width
    half = 0.5 * (high - low)
    lopsided = not abs(value - 0.5 * (low + high)) <= 0.35 * abs(half)
    if straddles(low, high) or not math.isfinite(half) or lopsided:
        return stretch(low, high).rjust(width)
    return plus_minus(half).rjust(width)


def levels_band(low: float, high: float) -> str:
    """Points from and to: `6,040–6,050`; an end beyond what was searched is `open`."""
    if not (math.isfinite(low) or math.isfinite(high)):
        return "open"
    first = level(low) if math.isfinite(low) else "open"
    last = level(high) if math.isfinite(high) else "open"
    return first if first == last else f"{first}–{last}"


def reach(value: float, low: float, high: float) -> str:
    """How far a level may be off, whichever side is farther: `±8`.

    From where to where, `5,962–open`, with an open end or one side far longer than the
    other; empty where no band is known.
    """
    if not math.isfinite(value) or (math.isnan(low) and math.isnan(high)):
        return ""
    if not (math.isfinite(low) and math.isfinite(high)):
        return levels_band(low, high)
    near, far = sorted((high - value, value - low))
    unit = 10.0 ** -places(value)
    if far > 2.0 * max(near, 0.0) + 5.0 * unit:
        return levels_band(low, high)
    units = math.ceil(max(far, 0.0) / unit - 1e-9)
    return f"±{units * unit:,.{places(value)}f}"


def chances(shares: Sequence[float]) -> list[str]:
    """Probabilities as whole per cents that add up to 100, four cells each.

    They come from a finite number of draws or from a model: none reads as certain or as
    impossible, but `>99%` or `<1%`.
    """
    total = sum(share for share in shares if share > 0)
    if not math.isfinite(total) or total <= 0:
        return [DASH.rjust(4) for _ in shares]
    exact = [100 * max(0.0, share if share == share else 0.0) / total for share in shares]
    whole = [math.floor(each) for each in exact]
    by_rest = sorted(range(len(exact)), key=lambda i: whole[i] - exact[i])
    for i in by_rest[: 100 - sum(whole)]:
        whole[i] += 1
    special = {0: "<1%", 100: ">99%"}
    return [special.get(each, f"{each}%").rjust(4) for each in whole]


def chance(share: float) -> str:
    """One probability in four cells: ` 83%`, ` <1%`, `>99%`, a dash where it is not known."""
    if not math.isfinite(share):
        return DASH.rjust(4)
    return chances([share, 1.0 - share])[0] if 0.0 <= share <= 1.0 else DASH.rjust(4)
