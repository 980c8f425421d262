"""A Reading on one page of Markdown, for somebody who opens it months later.

Every number stands with what it rests on: view, signed share, delay, band. It explains its
own words, since whoever reads it then may not have the program at hand.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable

from gexterm.reading.model import Reading
from gexterm.snapshots import wording
from gexterm.snapshots.levels import levels
from gexterm.snapshots.meta import Taken
from gexterm.snapshots.wording import DASH, escaped, money, percent

_WHY = {
    "key": "by key",
    "schedule": "on schedule",
    "alert": "on an alert",
    "command": "by `gexterm snapshot`",
}
_STRIKES = 8
_MEANS = {
    "spot": "the underlying",
    "flip": "spot at which the re-priced gamma profile changes sign",
    "flip more": "a further zero of it",
    "call wall": "strike of the largest call gamma",
    "put wall": "strike of the largest put gamma",
    "LIS upper": "line in the sand above: beyond it the paradigm no longer holds",
    "LIS lower": "line in the sand below: beyond it the paradigm no longer holds",
    "target": "where aggregate charm of today's expiry comes to zero",
}


def page(reading: Reading, taken: Taken | None = None, *, picture: bool = False) -> str:
    """The page. `picture`: whether `screen.png` and `screen.svg` lie beside it."""
    blocks = [
        *_head(reading, taken),
        *_note(taken),
        *(["![The screen at that moment](screen.png)"] if picture else []),
        *_levels(reading),
        *_today(reading),
        *_regime(reading),
        *_flow(reading),
        *_uncertain(reading),
        *_strikes(reading),
        *_health(reading),
        _files(picture),
    ]
    return "\n\n".join(blocks) + "\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], left: int = 1) -> str:
    """A table; columns after the first `left` are numbers and stand to the right."""
    rule = ["---" if i < left else "---:" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, tuple(rule), *rows))


def _head(r: Reading, taken: Taken | None) -> list[str]:
    when, zone = wording.market_time(r)
    held = r.positions
    title = (
        f"# {escaped(r.underlying)} {wording.points(r.spot)} · "
        f"{when.day} {when:%b %Y, %H:%M:%S} {zone}"
    )
    said = [f"**{escaped(wording.source_of(r))}**."]
    if r.source.note:
        said.append(f"{escaped(r.source.note)}.")
    if wording.inferred(held):
        signed = percent(held.signed_share) if math.isfinite(held.signed_share) else "an unknown"
        said.append(
            f"Dealer positions are inferred from trades (view `{held.view}`,"
            f" {held.prints:,} prints, {signed} of the printed volume signed)."
        )
        if held.prior:
            said.append(f"Behind today's trades stands {escaped(held.prior)}.")
    else:
        said.append(
            f"Dealer positions are assumed, not measured: convention `{escaped(held.view)}` on"
            f" {held.basis}."
        )
    said.append("Nothing here is a forecast.")
    blocks = [title, " ".join(said)]
    loud = [held.warning, f"SIGNING TRAP: {held.trap}" if held.trap else ""]
    blocks += [f"> **{escaped(text)}**" for text in loud if text]
    if taken is not None:
        blocks.append(_taken(taken))
    return blocks


def _taken(taken: Taken) -> str:
    parts = [f"Taken {_WHY[taken.why]}"]
    if taken.words:
        parts.append(f" ({escaped(taken.words)})")
    if taken.late_s >= 1:
        parts.append(f", {wording.seconds(taken.late_s)} late")
    if taken.at:
        wall = dt.datetime.fromtimestamp(taken.at // 1_000_000_000, dt.UTC)
        parts.append(f", {wall:%Y-%m-%d %H:%M:%S} UTC by the clock on the wall")
    parts.append(f", with {escaped(taken.program)}.")
    return "".join(parts)


def _note(taken: Taken | None) -> list[str]:
    if taken is None or not taken.note.strip():
        return []
    lines = wording.paragraph(taken.note).splitlines()
    return ["## Note", "\n".join(f"> {escaped(line)}  " for line in lines)]


def _levels(r: Reading) -> list[str]:
    rows = [
        (
            f"**{each.name}**" if each.kind == "spot" else each.name,
            wording.level(each.name, each.price),
            "" if each.kind == "spot" else wording.change(each.distance, 1),
            percent(each.distance / r.spot, 2, plus=True) if each.kind != "spot" and r.spot else "",
            wording.sigmas(each.sigma) if math.isfinite(each.sigma) else "",
            wording.level_band(each.name, each.band),
            _MEANS[each.name],
        )
        for each in levels(r)
    ]
    head = ("level", "points", "from spot", "%", "σ left", "80 % band", "what it is")
    table = "\n".join(
        f"| {' | '.join(row)} |"
        for row in (head, ("---", "---:", "---:", "---:", "---:", "---:", "---"), *rows)
    )
    blocks = ["## Levels", table]
    if r.gamma.flip_kind != "crossing":
        blocks.append(f"Flip: {r.gamma.flip_kind}.")
    return blocks


def _today(r: Reading) -> list[str]:
    zero = r.zero_dte
    blocks = ["## 0DTE paradigm"]
    if not zero.expiry:
        return [*blocks, f"None: {escaped(zero.reason or 'nothing settles today')}."]
    named = f"**{wording.paradigm(zero)}**"
    lines = [f"{named} · {escaped(zero.expiry)} · {wording.left(zero.seconds_left)} left"]
    if zero.settled:
        lines.append("The expiry has settled; this is its last profile")
    if zero.reason:
        lines.append(escaped(zero.reason))
    odds = sorted(zero.probability.items(), key=lambda item: -item[1])
    if odds:
        told = ", ".join(f"{escaped(name)} {wording.chance(p)}" for name, p in odds if p >= 0.005)
        lines.append(f"P(label): {told}")
    else:
        lines.append("No probability: the convention assumes the positions")
    blocks.append(".  \n".join(lines) + ".")
    rows = [
        ("charm below spot", money(zero.charm_below), wording.money_band(zero.charm_below_band)),
        ("charm above spot", money(zero.charm_above), wording.money_band(zero.charm_above_band)),
        ("charm together", money(zero.charm_per_hour), wording.money_band(zero.charm_band)),
        ("delta gained until settlement", money(zero.decay_to_close),
         wording.money_band(zero.decay_band)),
    ]  # fmt: skip
    blocks.append(_table(("0DTE charm, $ per hour", "", "80 % band"), rows))
    rate = zero.base_rate
    record = []
    if rate is not None:
        at = f" at {escaped(rate.time)}" if rate.time else ""
        record.append(
            f"Record of this label elsewhere: {escaped(rate.event)} in {percent(rate.rate)} of"
            f" {rate.count:,}{at}; placebo {percent(rate.placebo)}. {escaped(rate.source)}"
        )
    if math.isfinite(zero.placebo_inside):
        record.append(
            "Placebo today: a driftless normal with the volatility left closes inside the lines"
            f" with probability {percent(zero.placebo_inside)}"
        )
    if record:
        blocks.append(".  \n".join(record) + ". A record, no promise.")
    return blocks


def _regime(r: Reading) -> list[str]:
    gamma, regime = r.gamma, r.regime
    short = gamma.probability_short
    nan = math.nan
    odds = f", P(short) {wording.chance(short)}" if math.isfinite(short) else ""
    ratio = regime.inputs.get
    rows = [
        ("gamma", f"{regime.gamma}{odds}",
         f"GEX {money(gamma.gex_per_1pct)} per 1 %,"
         f" of which 0DTE {money(gamma.gex_0dte_per_1pct)}"),
        ("skew", regime.skew, f"25-delta ratio {wording.points(ratio('skew_ratio', nan))}"),
        ("term", regime.term,
         f"9d/30d {wording.points(ratio('r_9_30', nan))},"
         f" 30d/90d {wording.points(ratio('r_30_90', nan))}"),
    ]  # fmt: skip
    return [
        "## Regime",
        f"**{regime.composite}**",
        _table(("", "state", "by"), [tuple(map(escaped, row)) for row in rows], left=3),
    ]


def _flow(r: Reading) -> list[str]:
    h, day = r.hedging, r.hedge_day
    rows = [
        ("spot +1 %", wording.trade(h.per_up_1pct), wording.money_band(h.up_band)),
        ("spot −1 %", wording.trade(h.per_down_1pct), wording.money_band(h.down_band)),
        ("volatility +1 point", wording.trade(h.per_vol_point), wording.money_band(h.vol_band)),
        ("the next hour, spot unmoved", wording.trade(h.per_hour), wording.money_band(h.hour_band)),
    ]
    blocks = [
        "## Hedge flow",
        "What the dealer trades to stay hedged, $ of delta.",
        _table(("if", "the dealer", "80 % band"), rows),
    ]
    if day.since and day.since < r.as_of:
        since, zone = wording.at_market(day.since, wording.around_the_clock(r))
        blocks.append(
            f"Since {since:%H:%M} {zone}: {wording.trade(day.by_gamma)} by gamma,"
            f" {wording.trade(day.by_vanna)} by vanna, {wording.trade(day.by_charm)} by charm;"
            f" spot {wording.change(day.spot_change, 1)} points."
        )
    return blocks


def _uncertain(r: Reading) -> list[str]:
    gamma, held, zero = r.gamma, r.positions, r.zero_dte
    said: list[str] = []
    if not wording.inferred(held):
        said.append("All sizes rest on an assumption about who holds what; its error is not known.")
    if r.gamma.gex_band.low < 0 < r.gamma.gex_band.high:
        said.append(
            f"The sign of gamma is open: 80 % band {wording.money_band(gamma.gex_band)} per 1 %."
        )
    odds = wording.probability(zero)
    if math.isfinite(odds) and odds < wording.SURE:
        said.append(f"The paradigm is only leaned towards: P {wording.chance(odds)}.")
    best = max(zero.probability.items(), key=lambda item: item[1], default=("", math.nan))
    if best[0] != zero.paradigm and best[1] > odds:
        said.append(f"{escaped(best[0])} is likelier than the label shown.")
    if math.isfinite(held.signed_share):
        said.append(f"{percent(1.0 - held.signed_share)} of the printed volume carries no side.")
    if math.isfinite(held.uncovered_share):
        said.append(f"No tape explains {percent(held.uncovered_share)} of the open interest.")
    if r.agreement.disagree:
        said.append(f"The sign views disagree on {', '.join(map(escaped, r.agreement.disagree))}.")
    if held.reconciled:
        said.append(f"{escaped(held.reconciled)}.")
    blocks = ["## What is uncertain"]
    blocks.append("\n".join(f"- {text}" for text in said) or "Nothing beyond the bands above.")
    views = [
        (f"`{escaped(v.view)}`", money(v.gex_per_1pct), v.gamma, wording.points(v.flip),
         f"{v.paradigm} {wording.chance(v.probability) if math.isfinite(v.probability) else ''}")
        for v in r.agreement.views
    ]  # fmt: skip
    if views:
        head = ("sign view", "GEX per 1 %", "gamma", "flip", "paradigm")
        blocks.append(_table(head, [tuple(x.strip() for x in row) for row in views]))
    return blocks


def _strikes(r: Reading) -> list[str]:
    frame = r.strikes
    if "gex" not in frame.columns:
        return []
    known = frame.filter(frame["gex"].is_finite() & (frame["gex"] != 0))
    largest = known.sort(known["gex"].abs(), descending=True).head(_STRIKES)
    if largest.is_empty():
        return []
    names = [n for n in ("position", "gex", "charm", "vanna") if n in frame.columns]
    rows = [
        (wording.strike(row["strike"]),
         *(money(math.nan if row[name] is None else row[name]) for name in names))
        for row in largest.sort("strike", descending=True).to_dicts()
    ]  # fmt: skip
    titles = {"position": "dealer contracts", "gex": "GEX per 1 %", "charm": "charm per hour",
              "vanna": "vanna per point"}  # fmt: skip
    return [
        f"## Largest strikes (expiries: {escaped(r.scope)})",
        _table(("strike", *(titles[name] for name in names)), rows, left=0),
    ]


def _health(r: Reading) -> list[str]:
    h = r.health
    said = [
        f"{percent(h.quoted_share)} of the contracts quoted on both sides, quotes"
        f" {wording.seconds(h.quote_age_p50_s)} old in the middle,"
        f" {wording.seconds(h.quote_age_p99_s)} at the 99th percentile",
        f"left out: {h.zero_bid:,} zero bids, {h.crossed:,} crossed, {h.stale:,} off parity,"
        f" {h.no_iv:,} without a volatility",
    ]
    counted = [
        (h.gaps, "prints missing"), (h.dropped, "messages dropped"), (h.reconnects, "reconnects"),
        (h.malformed, "messages made no sense"), (h.misdated, "rows misdated"),
    ]  # fmt: skip
    lost = ", ".join(f"{n:,} {what}" for n, what in counted if n)
    said.append(lost or "no gaps, nothing dropped, no reconnects")
    if math.isfinite(h.away_s) and h.away_s >= 1:
        said.append(f"{wording.seconds(h.away_s)} without a connection")
    return [
        "## Data health",
        "\n".join(f"- {text}" for text in said)
        + "".join(f"\n- **{escaped(text)}**" for text in h.warnings),
    ]


def _files(picture: bool) -> str:
    screen = "`screen.svg` and `screen.png` the picture, " if picture else ""
    return (
        f"---\n\nBeside this page: {screen}`reading.json` every number (its form:"
        " `gexterm levels --schema`), `strikes.parquet` and `strikes.csv` the strikes,"
        f" `snapshot.json` how it was taken. A {DASH} is a number that is not known."
        " Signs are the dealer's own position; + is long."
    )
