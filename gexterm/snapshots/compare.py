"""What moved between two Readings, and by how much.

Differences in what the numbers rest on (underlying, view, scope, source) come first: with
those, a change of a number is not a change of the market. Where both Readings carry a band
and each number lies within the other's, the change says no more than chance would.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import polars as pl

from gexterm.reading.export import iso_time
from gexterm.reading.model import Band, Reading
from gexterm.snapshots import wording

SCHEMA = "gexterm.comparison/1"
"""Name and version of the JSON form."""

Unit = Literal[
    "points", "$", "$ per hour", "$ per 1 %", "$ per vol point", "share", "count", "seconds", "ms",
]  # fmt: skip
STRIKE_COLUMNS = ("position", "gex", "charm")
"""Columns whose largest changes by strike are told."""
NAN = math.nan


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two."""

    name: str
    """What the user calls it; may be empty."""
    underlying: str
    """Index or stock."""
    as_of: int
    """Market time, ns."""
    clock: str
    """On whose clock its market lives: `ET` or `UTC`."""
    scope: str
    """Which expiries."""
    view: str
    """Sign view."""
    mode: str
    """live, delayed, replay, simulated or file."""
    feed: str
    """Who delivered."""


@dataclass(frozen=True, slots=True)
class Change:
    """A number that both have."""

    name: str
    """What it is."""
    unit: Unit
    """In what."""
    before: float
    """In the first; NaN not known."""
    after: float
    """In the second; NaN not known."""
    within_bands: bool = False
    """Whether each lies within the other's 80 % band: no more than chance would do."""

    @property
    def change(self) -> float:
        """After minus before; NaN where either is not known."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Label:
    """A word that both have."""

    name: str
    """What it is."""
    before: str
    """In the first."""
    after: str
    """In the second."""

    @property
    def changed(self) -> bool:
        """Whether they differ."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class StrikeChange:
    """What a strike gained."""

    strike: float
    """Points."""
    column: str
    """`position` (dealer contracts), `gex` ($ per 1 %) or `charm` ($ per hour)."""
    before: float
    """In the first."""
    after: float
    """In the second."""

    @property
    def change(self) -> float:
        """After minus before."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of it."""

    before: Side
    """The first."""
    after: Side
    """The second."""
    loud: tuple[str, ...]
    """What makes the two differ in kind, one line each; read it before any number."""
    labels: tuple[Label, ...]
    """Paradigm, regime and the like, changed or not."""
    numbers: tuple[Change, ...]
    """Levels, exposures, probabilities, hedge flow."""
    strikes: tuple[StrikeChange, ...]
    """The largest changes by strike, largest first within each column."""
    health: tuple[Change, ...]
    """What differs about the data; empty where nothing does."""
    gone: tuple[float, ...]
    """Strikes that only the first has."""
    new: tuple[float, ...]
    """Strikes that only the second has."""

    def to_dict(self) -> dict[str, Any]:
        """The same in plain dicts and lists; what is not known is None."""
        out: dict[str, Any] = {"schema": SCHEMA, **asdict(self)}
        for side in ("before", "after"):
            out[side] = {key: _plain(value) for key, value in out[side].items()}
            out[side]["as_of"] = iso_time(out[side]["as_of"])
        for name, found in (
            ("numbers", self.numbers),
            ("strikes", self.strikes),
            ("health", self.health),
        ):
            out[name] = [
                {**{k: _plain(v) for k, v in asdict(each).items()}, "change": _plain(each.change)}
                for each in found
            ]
        out["labels"] = [{**asdict(each), "changed": each.changed} for each in self.labels]
        return out


def compare(
    before: Reading, after: Reading, *, names: tuple[str, str] = ("", ""), strikes: int = 5
) -> Comparison:
    """What moved from one Reading to another; `strikes`: how many of each column."""
    sides = _side(before, names[0]), _side(after, names[1])
    same_market = before.underlying == after.underlying
    gone, new = _listed(before, after)
    return Comparison(
        before=sides[0],
        after=sides[1],
        loud=_loud(*sides),
        labels=_labels(before, after),
        numbers=_numbers(before, after),
        strikes=_strikes(before, after, strikes) if same_market else (),
        health=_health(before, after),
        gone=gone if same_market else (),
        new=new if same_market else (),
    )


def _side(r: Reading, name: str) -> Side:
    return Side(
        name,
        r.underlying,
        r.as_of,
        wording.market_time(r)[1],
        r.scope,
        r.positions.view,
        r.source.mode,
        r.source.feed,
    )


def _loud(a: Side, b: Side) -> tuple[str, ...]:
    said = []
    if a.underlying != b.underlying:
        said.append(
            f"two underlyings: {wording.clean(a.underlying)} and {wording.clean(b.underlying)};"
            " strikes are not compared"
        )
    if a.view != b.view:
        said.append(
            f"two sign views: {wording.clean(a.view)} and {wording.clean(b.view)};"
            " the same market reads otherwise"
        )
    if a.scope != b.scope:
        said.append(
            f"two scopes: {wording.clean(a.scope)} and {wording.clean(b.scope)};"
            " sums are of other expiries"
        )
    if a.mode != b.mode:
        said.append(f"two kinds of source: {a.mode} and {b.mode}")
    elif a.feed != b.feed:
        said.append(f"two feeds: {wording.clean(a.feed)} and {wording.clean(b.feed)}")
    if b.as_of < a.as_of:
        said.append("the second is the older one")
    return tuple(said)


def _labels(a: Reading, b: Reading) -> tuple[Label, ...]:
    def label(name: str, before: str, after: str) -> Label:
        return Label(name, before, after)

    x, y = a.zero_dte, b.zero_dte
    return (
        label("paradigm", x.paradigm, y.paradigm),
        label("qualifier", x.qualifier, y.qualifier),
        label("regime", a.regime.composite, b.regime.composite),
        label("gamma", a.gamma.state, b.gamma.state),
        label("skew", a.regime.skew, b.regime.skew),
        label("term", a.regime.term, b.regime.term),
        label("0DTE expiry", x.expiry, y.expiry),
        label(
            "views disagree on", ", ".join(a.agreement.disagree), ", ".join(b.agreement.disagree)
        ),
    )


def _numbers(a: Reading, b: Reading) -> tuple[Change, ...]:
    g, h = a.gamma, b.gamma
    x, y = a.zero_dte, b.zero_dte
    p, q = a.hedging, b.hedging
    u, v = a.hedge_day, b.hedge_day
    none = Band()
    rows: list[tuple[str, Unit, float, float, Band, Band]] = [
        ("spot", "points", a.spot, b.spot, none, none),
        ("flip", "points", g.flip, h.flip, g.flip_band, h.flip_band),
        ("call wall", "points", g.call_wall, h.call_wall, none, none),
        ("put wall", "points", g.put_wall, h.put_wall, none, none),
        ("LIS upper", "points", x.lis_upper, y.lis_upper, x.lis_upper_band, y.lis_upper_band),
        ("LIS lower", "points", x.lis_lower, y.lis_lower, x.lis_lower_band, y.lis_lower_band),
        ("target", "points", x.target, y.target, x.target_band, y.target_band),
        ("GEX", "$ per 1 %", g.gex_per_1pct, h.gex_per_1pct, g.gex_band, h.gex_band),
        ("GEX 0DTE", "$ per 1 %", g.gex_0dte_per_1pct, h.gex_0dte_per_1pct, none, none),
        ("charm 0DTE", "$ per hour", x.charm_per_hour, y.charm_per_hour, x.charm_band,
         y.charm_band),
        ("charm below", "$ per hour", x.charm_below, y.charm_below, x.charm_below_band,
         y.charm_below_band),
        ("charm above", "$ per hour", x.charm_above, y.charm_above, x.charm_above_band,
         y.charm_above_band),
        ("decay to close", "$", x.decay_to_close, y.decay_to_close, x.decay_band, y.decay_band),
        ("P(short gamma)", "share", g.probability_short, h.probability_short, none, none),
        *((f"P({name})", "share", float(x.probability.get(name, NAN)),
           float(y.probability.get(name, NAN)), none, none)
          for name in dict.fromkeys((*x.probability, *y.probability))),
        ("dealers at +1 %", "$", p.per_up_1pct, q.per_up_1pct, p.up_band, q.up_band),
        ("dealers at −1 %", "$", p.per_down_1pct, q.per_down_1pct, p.down_band, q.down_band),
        ("dealers at +1 vol", "$", p.per_vol_point, q.per_vol_point, p.vol_band, q.vol_band),
        ("dealers next hour", "$", p.per_hour, q.per_hour, p.hour_band, q.hour_band),
        ("hedged by gamma", "$", u.by_gamma, v.by_gamma, none, none),
        ("hedged by vanna", "$", u.by_vanna, v.by_vanna, none, none),
        ("hedged by charm", "$", u.by_charm, v.by_charm, none, none),
        ("vega", "$ per vol point", a.book.vega_per_point, b.book.vega_per_point, a.book.vega_band,
         b.book.vega_band),
        ("signed share", "share", a.positions.signed_share, b.positions.signed_share, none, none),
    ]  # fmt: skip
    return tuple(
        Change(name, unit, before, after, _inside(before, band_b) and _inside(after, band_a))
        for name, unit, before, after, band_a, band_b in rows
        if math.isfinite(before) or math.isfinite(after)
    )


def _inside(value: float, band: Band) -> bool:
    return band.low <= value <= band.high  # NaN: not known, and not so


def _strikes(a: Reading, b: Reading, most: int) -> tuple[StrikeChange, ...]:
    out: list[StrikeChange] = []
    for column in STRIKE_COLUMNS:
        if column not in a.strikes.columns or column not in b.strikes.columns:
            continue
        both = (
            a.strikes.select("strike", pl.col(column).alias("before"))
            .join(b.strikes.select("strike", pl.col(column).alias("after")), on="strike")
            .with_columns(move=(pl.col("after") - pl.col("before")).abs())
            .filter(pl.col("move").is_finite() & (pl.col("move") > 0))
            .sort("move", "strike", descending=[True, False])
            .head(most)
        )
        out += [
            StrikeChange(row["strike"], column, row["before"], row["after"])
            for row in both.to_dicts()
        ]
    return tuple(out)


def _listed(a: Reading, b: Reading) -> tuple[tuple[float, ...], tuple[float, ...]]:
    first, second = (
        {strike for strike in one.strikes["strike"].to_list() if math.isfinite(strike)}
        for one in (a, b)
    )
    return tuple(sorted(first - second)), tuple(sorted(second - first))


def _health(a: Reading, b: Reading) -> tuple[Change, ...]:
    names: tuple[tuple[str, str, Unit], ...] = (
        ("quoted", "quoted_share", "share"),
        ("quote age, middle", "quote_age_p50_s", "seconds"),
        ("quote age, p99", "quote_age_p99_s", "seconds"),
        ("crossed", "crossed", "count"),
        ("off parity", "stale", "count"),
        ("without volatility", "no_iv", "count"),
        ("prints missing", "gaps", "count"),
        ("dropped", "dropped", "count"),
        ("reconnects", "reconnects", "count"),
        ("malformed", "malformed", "count"),
        ("late", "late", "count"),
        ("work per Reading", "tick_ms", "ms"),
    )
    found = [
        Change(title, unit, float(getattr(a.health, name)), float(getattr(b.health, name)))
        for title, name, unit in names
    ]
    late = Change("delay by design", "seconds", a.source.delay_s, b.source.delay_s)
    return tuple(
        each
        for each in (*found, late)
        if each.before != each.after
        and not (each.before != each.before and each.after != each.after)
    )


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


# -- as text -----------------------------------------------------------------------------


def as_text(c: Comparison) -> str:
    """The comparison for a terminal or a mail: at most 100 columns, no colour."""
    lines = [_head("before", c.before), _head("after", c.after)]
    lines += [f"  ! {wording.clean(text)}" for text in c.loud]
    changed = [each for each in c.labels if each.changed]
    lines += ["", "LABELS"]
    lines += [
        f"  {each.name:<18}{_word(each.before):<20} → {_word(each.after)}" for each in changed
    ]
    same = [f"{each.name} {each.before}" for each in c.labels if not each.changed and each.before]
    if same:
        lines.append(f"  unchanged: {wording.clean(', '.join(same))}")
    lines += ["", f"{'NUMBERS':<20}{'before':>13}{'after':>13}{'change':>13}"]
    lines += [_row(each) for each in c.numbers]
    if c.strikes:
        lines += ["", f"{'STRIKES':<20}{'before':>13}{'after':>13}{'change':>13}"]
        lines += [
            f"  {each.column:<9}{wording.strike(each.strike):>9}"
            f"{wording.money(each.before):>13}{wording.money(each.after):>13}"
            f"{wording.money(each.change):>13}"
            for each in c.strikes
        ]
    for word, only in (("gone", c.gone), ("new", c.new)):
        if only:
            told = ", ".join(wording.strike(x) for x in only[:6])
            more = f" and {len(only) - 6} more" if len(only) > 6 else ""
            lines.append(f"  strikes {word}: {told}{more}")
    if c.health:
        lines += ["", "DATA"]
        lines += [_row(each) for each in c.health]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _word(text: str) -> str:
    return wording.clean(text) or wording.DASH


def _head(word: str, side: Side) -> str:
    when, zone = wording.at_market(side.as_of, side.clock == "UTC")
    name = f"  {wording.clean(side.name)}" if side.name else ""
    return (
        f"{word:<8}{wording.clean(side.underlying)} {when:%Y-%m-%d %H:%M:%S} {zone}"
        f"  {wording.clean(side.view)} · {wording.clean(side.scope)} ·"
        f" {wording.clean(side.feed)}, {side.mode}{name}"
    )


def _row(each: Change) -> str:
    within = "  within both bands" if each.within_bands and each.change else ""
    return (
        f"  {wording.clean(each.name):<18}{_amount(each.before, each.unit):>13}"
        f"{_amount(each.after, each.unit):>13}{_moved(each):>13}{within}"
    )


def _amount(value: float, unit: Unit) -> str:
    if not math.isfinite(value):
        return wording.DASH
    if unit == "points":
        return wording.points(value)
    if unit == "share":
        return wording.percent(value)
    if unit == "count":
        return f"{value:,.0f}"
    if unit == "seconds":
        return wording.seconds(value)
    return f"{value:.1f} ms" if unit == "ms" else wording.money(value)


def _moved(each: Change) -> str:
    if not math.isfinite(each.change):
        return wording.DASH
    if each.unit == "points":
        return wording.change(each.change)
    if each.unit == "share":
        return f"{wording.change(100 * each.change, 0)} pp"
    if each.unit == "count":
        return wording.change(each.change, 0)
    if each.unit in ("seconds", "ms"):
        return f"{wording.change(each.change, 1)} {'s' if each.unit == 'seconds' else 'ms'}"
    return wording.money(each.change)
