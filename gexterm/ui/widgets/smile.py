"""The smile of one expiry: bid and offer as ticks, the fit as a line."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gexterm.reading.inquiry import Smile
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, cell_len, fit
from gexterm.ui.widgets.daychart_plot import (
    Cell,
    Layer,
    Mask,
    cells_of,
    curve_mask,
    heights,
    put,
    round_step,
    spans,
    with_others,
)
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.term import LEFT, vol_labels
from gexterm.ui.widgets.term_table import when

F64 = NDArray[np.float64]

ZOOMS: tuple[tuple[str, float], ...] = (("±5 %", 0.05), ("±15 %", 0.15), ("all", math.inf))
"""How far strikes reach from the forward."""
OLD_S = 60.0
"""Quotes that have not changed for longer are dim, seconds."""


def quoted(found: Smile) -> int:
    """Strikes with a volatility on both sides."""
    return int((np.isfinite(found.bid_iv) & np.isfinite(found.ask_iv)).sum())


def how(found: Smile) -> str:
    """`spline, 41 of 62 strikes quoted`."""
    made = words.clean(found.how) or "no fit"
    return f"{made}, {quoted(found)} of {len(found.strikes)} strikes quoted"


def skew_text(found: Smile) -> str:
    """`+2.1 pts`; a dash where the quotes do not reach 25 delta."""
    if not math.isfinite(found.skew_25):
        return f"{numbers.DASH} not spanned"
    return f"{numbers.fixed(100 * found.skew_25, 1, 6, plus=True).strip()} pts"


def facts(found: Smile, role: str = "text") -> list[Span]:
    """ATM volatility, 25-delta skew, how it was made."""
    return [
        Span("ATM ", "muted"),
        Span(numbers.percent(found.atm_iv, 6, 1).strip(), role, bold=role != "faint"),
        Span("  25Δ skew ", "muted"),
        Span(skew_text(found), role, bold=role != "faint"),
        Span(f"  {how(found)}", "muted" if role != "faint" else "faint"),
    ]


def strikes_shown(found: Smile, zoom: int) -> tuple[float, float]:
    """From which strike to which: around the forward, no farther than is listed."""
    share = ZOOMS[zoom][1]
    first, last = float(found.strikes[0]), float(found.strikes[-1])
    if not math.isfinite(share) or not found.forward > 0:
        return first, last
    low, high = max(first, found.forward * (1 - share)), min(last, found.forward * (1 + share))
    return (low, high) if low < high else (first, last)


def vols_shown(found: Smile, low: float, high: float) -> tuple[float, float] | None:
    """Volatilities from bottom to top: the whole fit, and most quotes; None: none are known."""
    inside = (found.strikes >= low) & (found.strikes <= high)
    fit_iv = found.fit_iv[inside & np.isfinite(found.fit_iv)]
    both = inside & np.isfinite(found.bid_iv) & np.isfinite(found.ask_iv)
    quotes = np.concatenate([found.bid_iv[both], found.ask_iv[both]])
    parts = [fit_iv]
    if len(quotes):
        # One quote of a penny must not press the smile flat.
        parts.append(np.quantile(quotes, [0.04, 0.96]))
    every = np.concatenate(parts)
    if not len(every):
        return None
    least, most = float(every.min()), float(every.max())
    if len(fit_iv):
        spread = max(float(fit_iv.max() - fit_iv.min()), 0.1 * float(fit_iv.max()))
        least = max(least, float(fit_iv.min()) - 0.5 * spread)
        most = min(most, float(fit_iv.max()) + 0.5 * spread)
    pad = 0.06 * (most - least) or 0.005
    return max(0.0, least - pad), most + pad


def ticks(
    found: Smile, which: NDArray[np.bool_], shown: tuple[float, float], vols: tuple[float, float],
    columns: int, rows: int,
) -> Mask:  # fmt: skip
    """A vertical tick from bid to offer at each of some strikes; one side alone is a dot.

    Shape (4 · rows, 2 · columns).
    """
    low, high = shown
    mask = np.zeros((4 * rows, 2 * columns), np.bool_)
    bid, ask = found.bid_iv[which], found.ask_iv[which]
    least = np.where(np.isfinite(bid), bid, ask)
    most = np.where(np.isfinite(ask), ask, bid)
    place = np.round((found.strikes[which] - low) / (high - low) * (2 * columns - 1)).astype(int)
    keep = (place >= 0) & (place < 2 * columns) & np.isfinite(least)
    keep &= (most >= vols[0]) & (least <= vols[1])
    top, bottom = (heights(side[keep], vols[0], vols[1], rows) for side in (most, least))
    for x, first, last in zip(place[keep], top, bottom, strict=True):
        mask[first : last + 1, x] = True
    return mask


def chart(found: Smile, zoom: int, columns: int, rows: int, *, dim: bool) -> list[list[Cell]] | str:
    """The smile as cells; in words why there is none."""
    if len(found.strikes) < 2:
        return "fewer than two strikes are listed"
    low, high = strikes_shown(found, zoom)
    vols = vols_shown(found, low, high)
    if vols is None:
        return "no quote here carries a volatility"
    grid = low + (high - low) * np.arange(2 * columns) / (2 * columns - 1)
    known = np.isfinite(found.fit_iv)
    curve = np.full(len(grid), np.nan)
    if known.sum() > 1:
        k = found.strikes[known]
        curve = np.interp(grid, k, found.fit_iv[known])
        curve[(grid < k[0]) | (grid > k[-1])] = np.nan
    curve[(curve < vols[0]) | (curve > vols[1])] = np.nan
    old = found.quote_age_s > OLD_S
    fresh = ticks(found, ~old, (low, high), vols, columns, rows)
    aged = ticks(found, old, (low, high), vols, columns, rows)
    on_quotes, every = near_quotes(found, grid), fresh | aged
    bound, free = (
        curve_mask(np.where(on, curve, np.nan), *vols, rows) for on in (on_quotes, ~on_quotes)
    )
    bound, free = (with_others(part, every, rows, columns) for part in (bound, free))
    layers = [
        Layer(bound, "faint" if dim else "lis"),
        Layer(free, "faint" if dim else "lis~"),
        Layer(fresh, "faint" if dim else "text"),
        Layer(aged, "faint"),
        Layer(_upright(found.forward, low, high, columns, rows), "muted"),
    ]
    cells = cells_of(layers, rows, columns)
    for strike, glyph in ((found.put_25, "◂"), (found.call_25, "▸")):
        if low <= strike <= high and known.any():
            iv = float(np.interp(strike, found.strikes[known], found.fit_iv[known]))
            if vols[0] <= iv <= vols[1]:
                y = min(rows - 1, max(0, int((vols[1] - iv) / (vols[1] - vols[0]) * rows)))
                put(cells[y], _place(strike, low, high, columns), glyph, "target")
    labels = vol_labels(vols[0], vols[1], rows)
    for y, row in enumerate(cells):
        row[:0] = [(char, "faint", "") for char in f"{labels.get(y, ''):>{LEFT - 1}} "]
    return cells


def near_quotes(found: Smile, grid: F64) -> NDArray[np.bool_]:
    """Whether the listed strike nearest each place has a volatility on both sides."""
    both = np.isfinite(found.bid_iv) & np.isfinite(found.ask_iv)
    after = np.clip(np.searchsorted(found.strikes, grid), 1, len(found.strikes) - 1)
    left = grid - found.strikes[after - 1] <= found.strikes[after] - grid
    nearest: NDArray[np.bool_] = both[np.where(left, after - 1, after)]
    return nearest


def _upright(value: float, low: float, high: float, columns: int, rows: int) -> Mask:
    """A dotted upright line."""
    mask = np.zeros((4 * rows, 2 * columns), np.bool_)
    if low <= value <= high:
        mask[::2, round((value - low) / (high - low) * (2 * columns - 1))] = True
    return mask


def _place(strike: float, low: float, high: float, columns: int) -> int:
    return min(columns - 1, int((strike - low) / (high - low) * (2 * columns - 1)) // 2)


def strikes_axis(found: Smile, zoom: int, columns: int) -> Line:
    """Round strikes under the chart."""
    low, high = strikes_shown(found, zoom)
    row = [" "] * columns
    step = round_step((high - low) / max(2.0, columns / 12))
    number, free = math.ceil(low / step), 0
    while number * step <= high:
        text = numbers.strike(round(number * step, 6))
        x = _place(number * step, low, high, columns)
        if x >= free and x + len(text) + 1 <= columns:
            row[x : x + len(text) + 1] = f"╵{text}"
            free = x + len(text) + 3
        number += 1
    return (Span(" " * LEFT), Span("".join(row), "faint"))


def points_row(found: Smile, zoom: int, columns: int, role: str) -> Line:
    """Forward and 25-delta strikes, each below its place, moved apart where they would touch."""
    low, high = strikes_shown(found, zoom)
    told = [
        (strike, f"{glyph}{word} {numbers.level(strike)}", colour)
        for strike, glyph, word, colour in (
            (found.put_25, "◂", "25Δp", "target"),
            (found.forward, "⡇", "fwd", "muted"),
            (found.call_25, "▸", "25Δc", "target"),
        )
        if low <= strike <= high
    ]
    row: list[Cell] = [(" ", "text", "")] * columns
    room = columns
    places: list[int] = []
    for strike, text, _ in reversed(told):
        room = max(0, min(_place(strike, low, high, columns), room - len(text) - 1))
        places.append(room)
    free = 0
    for place, (_, text, colour) in zip(reversed(places), told, strict=True):
        at = max(place, free)
        put(row, at, text, role or colour)
        free = at + len(text) + 1
    return (Span(" " * LEFT), *spans(row))


class SmileChart(Painted):
    """The smile that was asked for. While another is on its way the last one stays, dim."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.answer: Smile | None = None
        """The last answer."""
        self.wanted: tuple[str, str] | None = None
        """Root and date that it should be of."""
        self.why = ""
        """Why there is no answer, if one was refused."""
        self.zoom = 0
        """Which of `ZOOMS`."""
        self._drawn: tuple[tuple[object, ...], list[Line]] | None = None

    @property
    def stale(self) -> bool:
        """Whether the answer is another expiry's."""
        return self.answer is not None and (self.answer.root, self.answer.expiry) != self.wanted

    def paint(self, frame: Frame, width: int, height: int) -> list[Line]:
        """Title, chart, strikes, forward and 25-delta points; kept until the answer is another."""
        as_of = frame.reading.as_of if frame.reading is not None else 0
        keys = frame.keys.get("zoom", ())
        key = (id(self.answer), self.wanted, self.why, self.zoom, width, height, keys,
               frame.inquire is None)  # fmt: skip
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = (key, self._made(as_of, keys, width, height, frame.inquire is None))
        return self._drawn[1]

    def _made(
        self, as_of: int, keys: tuple[str, ...], width: int, height: int, nobody: bool
    ) -> list[Line]:
        found = self.answer
        head = self._title(as_of, keys, width)
        said = self.why or ("this source cannot be asked" if nobody else "asking …")
        if found is None:
            return [head, fit((Span(f" {numbers.DASH} {said}", "faint"),), width)]
        dim = self.stale or bool(self.why)
        second = [Span(" "), *facts(found, "faint" if dim else "text")]
        if self.why:
            second = [Span(f" {self.why}", "warning")]
        rows, columns = height - 4, width - LEFT - 1
        if rows < 3 or columns < 16:
            return [head, fit(second, width)]
        cells = chart(found, self.zoom, columns, rows, dim=dim)
        if isinstance(cells, str):
            return [
                head,
                fit(second, width),
                fit((Span(f" {numbers.DASH} {cells}", "faint"),), width),
            ]
        return [
            head,
            fit(second, width),
            *(fit(spans(row), width) for row in cells),
            fit(strikes_axis(found, self.zoom, columns), width),
            fit(points_row(found, self.zoom, columns, "faint" if dim else ""), width),
        ]

    def _title(self, as_of: int, keys: tuple[str, ...], width: int) -> Line:
        root, expiry = self.wanted or ("", "")
        name = f"{words.clean(root)} {when(expiry, as_of).strip()}" if self.wanted else ""
        text = [Span("─ smile ", "muted", bold=True), Span(f"{name} ", "text", bold=True)]
        if self.answer is not None:
            at = words.clock(self.answer.as_of)
            text.append(Span(f"at {at} ", "faint"))
        if self.stale:
            text.append(Span("still the one before ", "warning"))
        tail = [Span(f" {ZOOMS[self.zoom][0]} ", "muted")]
        nearer = ZOOMS[(self.zoom + 1) % len(ZOOMS)][0]
        if keys:
            tail.append(Span(f"{words.clean(keys[0])} {nearer} ─", "faint"))
        used = sum(cell_len(span.text) for span in (*text, *tail))
        if used > width:
            tail, used = [], used - sum(cell_len(span.text) for span in tail)
        return fit((*text, Span("─" * max(0, width - used), "line"), *tail), width)

    def summary(self, _frame: Frame, width: int, _height: int) -> list[Line]:
        """All of it in one row, for small screens."""
        found = self.answer
        head = [
            Span(" smile ", "muted"),
            Span(f"{words.clean((self.wanted or ('', ''))[0])} ", "text"),
        ]
        if found is None or self.stale or self.why:
            return [fit((*head, Span(self.why or "asking …", "faint")), width)]
        return [fit((*head, *facts(found)), width)]
