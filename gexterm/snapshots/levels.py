"""The levels of a Reading, for a clipboard, a spreadsheet or a charting platform.

All are pure functions of the Reading. A level that is not known is left out: a chart must
not draw a line where there is none.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import Literal

from gexterm.reading.export import iso_time
from gexterm.reading.model import Band, Reading
from gexterm.snapshots import wording

Kind = Literal["spot", "flip", "wall", "line", "target"]
"""What a level is: `line` is a line in the sand."""

CSV_COLUMNS = ("name", "price", "kind", "as_of", "view", "low", "high", "underlying")
"""Columns of `as_csv`; later versions add at the end."""

_NO_BAND = Band()
_PINE_LINES = 40
_PINE_TEXT = 120


@dataclass(frozen=True, slots=True)
class Level:
    """A price that matters."""

    name: str
    """What it is called: `flip`, `call wall`, `LIS upper`, …"""
    price: float
    """Points."""
    kind: Kind
    """What it is."""
    distance: float
    """Level minus spot, points; NaN without a spot."""
    sigma: float = math.nan
    """The same in remaining standard deviations; NaN not known."""
    band: Band = _NO_BAND
    """80 % band, points; empty where the view has none."""


def levels(reading: Reading) -> tuple[Level, ...]:
    """Every known level, highest first; spot is one of them."""
    gamma, zero, spot = reading.gamma, reading.zero_dte, reading.spot
    nan, none = math.nan, _NO_BAND
    others = [x.spot for x in gamma.flips if x.spot != gamma.flip]
    found: list[tuple[str, float, Kind, float, Band]] = [
        ("spot", spot, "spot", nan, none),
        ("flip", gamma.flip, "flip", gamma.flip_distance_sigma, gamma.flip_band),
        *(("flip more", other, "flip", nan, none) for other in others),
        ("call wall", gamma.call_wall, "wall", nan, none),
        ("put wall", gamma.put_wall, "wall", nan, none),
        ("LIS upper", zero.lis_upper, "line", zero.lis_upper_sigma, zero.lis_upper_band),
        ("LIS lower", zero.lis_lower, "line", zero.lis_lower_sigma, zero.lis_lower_band),
        ("target", zero.target, "target", zero.target_sigma, zero.target_band),
    ]
    known = [
        Level(name, price, kind, price - spot, sigma, band)
        for name, price, kind, sigma, band in found
        if math.isfinite(price)
    ]
    return tuple(sorted(known, key=lambda each: -each.price))


def as_text(reading: Reading) -> str:
    """A few aligned lines for a chat or a note: no tabs, no colour, at most 72 columns."""
    when, zone = wording.market_time(reading)
    rows = [
        (
            each.name,
            wording.level(each.name, each.price),
            wording.change(each.distance, 1) if each.kind != "spot" else "",
            wording.sigmas(each.sigma) if math.isfinite(each.sigma) else "",
            wording.level_band(each.name, each.band),
        )
        for each in levels(reading)
    ]
    sizes = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
    lines = [
        f"{wording.clean(reading.underlying)} {when:%Y-%m-%d %H:%M:%S} {zone}"
        f"  ({wording.source_of(reading)})",
        f"paradigm {wording.paradigm(reading.zero_dte)}",
        f"gamma {_gamma(reading)}",
        *(
            f"{row[0]:<{sizes[0]}}  {row[1]:>{sizes[1]}}  {row[2]:>{sizes[2]}}"
            f"  {row[3]:>{sizes[3]}}  {row[4]}".rstrip()
            for row in rows
        ),
        f"view {wording.view_of(reading.positions)}; inferred, not a forecast",
    ]
    return "\n".join(lines) + "\n"


def _gamma(reading: Reading) -> str:
    gamma = reading.gamma
    short = gamma.probability_short
    odds = f", P(short) {wording.chance(short)}" if math.isfinite(short) else ""
    flip = "" if gamma.flip_kind == "crossing" else f", flip {gamma.flip_kind}"
    return f"{gamma.state}, GEX {wording.money(gamma.gex_per_1pct)} per 1 %{odds}{flip}"


def as_csv(reading: Reading) -> str:
    """One row per level with `CSV_COLUMNS`; times in UTC, what is not known is empty."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(CSV_COLUMNS)
    for each in levels(reading):
        write.writerow(
            (
                each.name,
                _plain(each.price),
                each.kind,
                iso_time(reading.as_of),
                _cell(reading.positions.view),
                _plain(each.band.low),
                _plain(each.band.high),
                _cell(reading.underlying),
            )
        )
    return out.getvalue()


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") if math.isfinite(value) else ""


def _cell(text: str) -> str:
    # A spreadsheet runs what begins like a formula.
    text = wording.clean(text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


_TINT = {
    "flip": "color.orange",
    "wall": "color.gray",
    "line": "color.blue",
    "target": "color.purple",
}
_STYLE = {"flip": "line.style_solid", "wall": "line.style_dotted"}


def as_pine(reading: Reading) -> str:
    """A Pine script (version 6, also good as 5) that draws the levels on a chart.

    Spot is left out: the chart has its own. The input `Offset` moves all of them, for a
    future that stands above its index.
    """
    when, zone = wording.market_time(reading)
    name = wording.clean(reading.underlying)
    stamp = f"{when:%Y-%m-%d %H:%M} {zone}"
    zero = reading.zero_dte
    comments = [
        f"{name} levels, {stamp}, by gexterm. Inferred, not a forecast.",
        f"source: {wording.source_of(reading)}",
        f"view: {wording.view_of(reading.positions)}; scope: {wording.clean(reading.scope)}",
        f"paradigm: {wording.paradigm(zero)}; gamma: {_gamma(reading)}",
        "They are of that moment: they do not move with the market. Take new ones.",
    ]
    # Two names of one price share a line, or their labels would lie on each other.
    merged: dict[str, tuple[list[str], Kind]] = {}
    for each in levels(reading):
        if each.kind != "spot":
            names, _ = merged.setdefault(_plain(each.price), ([], each.kind))
            names.append(_pine_name(each, zero.paradigm, wording.probability(zero)))
    lines = [
        "//@version=6",
        *(f"// {_comment(text)}" for text in comments),
        f"indicator({_string(f'gexterm {name} {stamp} (inferred)')}, overlay = true,"
        f" max_lines_count = {_PINE_LINES}, max_labels_count = {_PINE_LINES})",
        'offset = input.float(0.0, "Offset, points", step = 0.25)',
        "",
        "mark(float price, string name, color tint, string look) =>",
        "    var line ray = line.new(na, na, na, na, extend = extend.both, color = tint,"
        " style = look)",
        "    var label tag = label.new(na, na, name, style = label.style_label_left,"
        " color = color.new(tint, 80), textcolor = tint)",
        "    if barstate.islast",
        "        line.set_xy1(ray, bar_index - 1, price + offset)",
        "        line.set_xy2(ray, bar_index, price + offset)",
        "        label.set_xy(tag, bar_index + 3, price + offset)",
        "    price",
        "",
        *(
            f"mark({price}, {_string(' / '.join(names))}, {_TINT[kind]},"
            f" {_STYLE.get(kind, 'line.style_dashed')})"
            for price, (names, kind) in list(merged.items())[:_PINE_LINES]
        ),
    ]
    if not merged:
        lines.append("// No level is known.")
    return "\n".join(lines) + "\n"


def _pine_name(each: Level, label: str, odds: float) -> str:
    if each.kind not in ("line", "target"):
        return each.name
    return f"{each.name} ({label}{f' {wording.chance(odds)}' if math.isfinite(odds) else ''})"


def _comment(text: str) -> str:
    return wording.clean(text)


def _string(text: str) -> str:
    """A Pine string: cleaned, cut, quotes and backslashes escaped."""
    short = wording.clean(text)[:_PINE_TEXT]
    return '"' + short.replace("\\", "\\\\").replace('"', '\\"') + '"'
