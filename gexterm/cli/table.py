"""A Reading as a table: what `gexterm levels` prints."""

from __future__ import annotations

import math
import textwrap

from gexterm.reading.model import Band, ExpiryLine, Reading, View
from gexterm.ui.numbers import (
    DASH,
    chance,
    compact,
    distance,
    duration,
    fixed,
    level,
    percent,
    price,
    seconds,
    si,
    sigmas,
    strike,
)
from gexterm.ui.widgets.certainty import gamma_doubtful, inferred, leaning, probability
from gexterm.ui.widgets.regime import SIGNED
from gexterm.ui.words import clean, clock, eastern

_LABEL = 18
_STRIKES = 8
_EXPIRIES = 8


def levels_table(reading: Reading) -> str:
    """Lines of plain text, at most 100 columns, no colour, nothing that is not known hidden."""
    blocks = [
        _head(reading),
        _gamma(reading),
        _today(reading),
        _flow(reading),
        _regime(reading),
        _views(reading.agreement.views, reading),
        _evidence(reading),
        _strikes(reading),
        _expiries(reading.expiries),
        _health(reading),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _line(label: str, *parts: str) -> str:
    return f"  {label:<{_LABEL}}" + "  ".join(p for p in parts if p).rstrip()


def _listed(label: str, parts: list[str]) -> list[str]:
    """Parts in a row, on further lines where they have no room."""
    text = ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)
    rows = textwrap.wrap(text, 98 - _LABEL, break_long_words=False)
    labels = [label] + [""] * (len(rows) - 1)
    return [
        _line(name, row.replace("\N{NO-BREAK SPACE}", " "))
        for name, row in zip(labels, rows, strict=True)
    ]


def _head(r: Reading) -> list[str]:
    when = eastern(r.as_of)
    day = f"{when:%Y-%m-%d} " if when else ""
    late = f", quotes {r.source.delay_s / 60:.0f} min late" if r.source.delay_s else ""
    lines = [
        f"{clean(r.underlying)}  {price(r.spot).strip()}  as of {day}{clock(r.as_of)} ET"
        f"  ({clean(r.source.feed)}, {r.source.mode}{late})",
        *_wrapped(f"positions: {_positions(r)}; scope: {r.scope}"),
    ]
    lines += [f"  {clean(text)}" for text in (r.source.note, r.positions.warning) if text]
    if r.positions.trap and inferred(r.positions):
        lines += _wrapped(f"SIGNING TRAP: {clean(r.positions.trap)}")
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 98, initial_indent="  ", subsequent_indent="    ")


def _positions(r: Reading) -> str:
    held = r.positions
    if held.basis != "trades":
        return f"{held.view} × {held.basis} (assumed, not measured)"
    behind = f" on top of: {held.prior}" if held.prior else ""
    return f"{held.view}, signed trades{behind}"


def _band(band: Band) -> str:
    """A band of money; empty without one."""
    if not (math.isfinite(band.low) and math.isfinite(band.high)):
        return ""
    return f"80 %: {compact(band.low, plus=True)} … {compact(band.high, plus=True)}"


def _stretch(band: Band, spot_like: bool = True) -> str:
    """A band of levels, open ends said; empty without one."""
    if not (math.isfinite(band.low) or math.isfinite(band.high)):
        return ""
    write = price if spot_like else strike
    low = write(band.low).strip() if math.isfinite(band.low) else "open"
    high = write(band.high).strip() if math.isfinite(band.high) else "open"
    return f"80 %: {low} … {high}"


def _evidence(r: Reading) -> list[str]:
    """On what the inferred book rests."""
    held = r.positions
    if not math.isfinite(held.signed_share) and not held.prints:
        return []
    share = [f"{name} {percent(v).strip()}" for name, v in held.by_evidence.items()]
    total = sum(held.unsigned_by_reason.values())
    left = (1.0 - held.signed_share) / total if total else 0.0
    without = [
        f"{name} {percent(v * left, 4, 1).strip()}" for name, v in held.unsigned_by_reason.items()
    ]
    lines = [
        "EVIDENCE (of the scope's printed volume)",
        _line("signed", percent(held.signed_share).strip(),
              f"{held.prints:,} trades since {clock(held.epoch)} ET"),
        *_listed("  by", share),
        *_listed("  without a side", without or ["none"]),
        _line("printed", percent(held.printed_share).strip(), "of the volume the venue reports"),
        _line("unexplained", percent(held.uncovered_share).strip(), "of open interest: no tape"),
    ]  # fmt: skip
    if held.counts:
        lines += _listed(
            "noticed", [f"{k.replace('_', ' ')} {v:,}" for k, v in held.counts.items()]
        )
    if held.bounds_hit:
        lines.append(_line("cut to bounds", f"{held.bounds_hit:,} contracts"))
    if held.reconciled:
        rows = textwrap.wrap(clean(held.reconciled), 98 - _LABEL)
        lines += [_line("" if i else "note", row) for i, row in enumerate(rows)]
    return lines


def _gamma(r: Reading) -> list[str]:
    g, b = r.gamma, r.book
    flip: str = g.flip_kind
    if g.flip_kind == "crossing":
        flip = f"{price(g.flip).strip()}  {distance(g.flip_distance, at=g.flip).strip()} pts"
        flip += f"  {sigmas(g.flip_distance_sigma).strip()}"
    others = [price(c.spot).strip() for c in g.flips if c.spot != g.flip]
    return [
        "GAMMA",
        _line("GEX per 1 %", si(g.gex_per_1pct, plus=True),
              f"dealers {g.state}{'?' if gamma_doubtful(g) else ''} gamma",
              f"P(short) {chance(g.probability_short).strip()}"
              if math.isfinite(g.probability_short) else "", _band(g.gex_band)),
        _line("  of which 0DTE", si(g.gex_0dte_per_1pct, plus=True)),
        _line("flip", flip, f"({g.repricing})", _stretch(g.flip_band)),
        _line("  other zeros", ", ".join(others)) if others else _line("  other zeros", "none"),
        _line("call wall", strike(g.call_wall)),
        _line("put wall", strike(g.put_wall)),
        _line("cumulative flip", level(g.cumulative_flip), "by strike; another rule"),
        "BOOK (all expiries)",
        _line("delta", si(b.delta_notional, plus=True)),
        _line("vega per point", si(b.vega_per_point, plus=True),
              f"to 30 days {compact(b.near.vega_per_point, plus=True)}",
              f"beyond {compact(b.far.vega_per_point, plus=True)}", _band(b.vega_band)),
        _line("vanna per point", si(b.vanna_per_point, plus=True),
              f"to 30 days {compact(b.near.vanna_per_point, plus=True)}",
              f"beyond {compact(b.far.vanna_per_point, plus=True)}", _band(b.vanna_band)),
        _line("charm per day", si(b.charm_per_day, plus=True), "expiries after today"),
        _line("vanna stochastic", fixed(b.vanna_stochastic, 2, 5, plus=True),
              f"vega depth {fixed(b.vega_depth, 2, 4)}"),
    ]  # fmt: skip


def _today(r: Reading) -> list[str]:
    z = r.zero_dte
    if not z.expiry:
        return ["0DTE", _line("none", z.reason)]
    label = f"{z.paradigm}{'-' + z.qualifier if z.qualifier else ''}"
    if leaning(z):
        label = f"leaning {z.paradigm}"
    lines = [
        f"0DTE  {z.expiry}  {duration(z.seconds_left).strip()} left"
        + (f"  ({z.reason})" if z.reason else ""),
        _line("paradigm", label, _odds(r) or "under this sign view, assumed"),
        _line("charm below", si(z.charm_below, plus=True) + "/h",
              f"above {compact(z.charm_above, plus=True)}/h",
              f"together {compact(z.charm_per_hour, plus=True)}/h", _band(z.charm_band)),
        _line("decay to close", si(z.decay_to_close, plus=True), _band(z.decay_band)),
    ]  # fmt: skip
    for name, line, sigma, around in (
        ("lower line", z.lis_lower, z.lis_lower_sigma, z.lis_lower_band),
        ("upper line", z.lis_upper, z.lis_upper_sigma, z.lis_upper_band),
        ("target", z.target, z.target_sigma, z.target_band),
    ):
        if math.isfinite(line):
            share = percent(line / r.spot - 1, 6, 2, plus=True).strip()
            away = f"{distance(line - r.spot, at=r.spot).strip()} pts  {share}"
            lines.append(
                _line(name, strike(line), away, sigmas(sigma).strip(), _stretch(around, False))
            )
        else:
            lines.append(_line(name, DASH))
    if math.isfinite(z.placebo_inside):
        lines.append(
            _line(
                "placebo inside", percent(z.placebo_inside).strip(), "driftless normal, no forecast"
            )
        )
    if (rate := z.base_rate) is not None:
        at = f" at {rate.time}" if rate.time else ""
        lines += [
            _line("base rate", f"{clean(rate.event)}: {percent(rate.rate).strip()} of {rate.count}"
                  f"{at}", f"placebo {percent(rate.placebo).strip()}", "a record, no promise"),
            *(_line("", row) for row in textwrap.wrap(clean(rate.source), 98 - _LABEL)),
        ]  # fmt: skip
    lines.append(_line("cut by |delta|", percent(z.excluded_share).strip(), "of gross charm"))
    return lines


def _odds(r: Reading) -> str:
    """P(label), the likeliest first; empty under a convention."""
    told = sorted(r.zero_dte.probability.items(), key=lambda item: -item[1])
    return "  ".join(f"{name} {chance(p).strip()}" for name, p in told if p >= 0.005)


def _flow(r: Reading) -> list[str]:
    h, day, vol = r.hedging, r.hedge_day, r.spot_vol
    lines = [
        "DEALERS TRADE ($ of delta)",
        _line("spot +1 %", _trade(h.per_up_1pct), _band(h.up_band)),
        _line("spot −1 %", _trade(h.per_down_1pct), _band(h.down_band)),
        _line("vol +1 point", _trade(h.per_vol_point), _band(h.vol_band)),
        _line("next hour", _trade(h.per_hour), _band(h.hour_band)),
    ]
    if day.since and day.since < r.as_of:
        lines.append(
            _line(f"since {clock(day.since, with_seconds=False)}",
                  f"by gamma {_trade(day.by_gamma)}", f"by vanna {_trade(day.by_vanna)}",
                  f"by charm {_trade(day.by_charm)}",
                  f"spot {distance(day.spot_change, at=r.spot).strip()} pts")
        )  # fmt: skip
    if math.isfinite(vol.beta):
        lines.append(
            _line("spot-vol beta", f"{fixed(vol.beta, 2, 5)} ± {fixed(vol.beta_se, 2, 4).strip()}",
                  f"per 1 %, R² {fixed(vol.r_squared, 2, 4).strip()} over {vol.minutes} min",
                  f"over-vixed {fixed(vol.overvixed, 2, 5, plus=True).strip()} pts"
                  f" against {fixed(vol.reference, 2, 5).strip()}")
        )  # fmt: skip
    return lines


def _trade(value: float) -> str:
    if not math.isfinite(value):
        return DASH
    return f"{'buy ' if value >= 0 else 'sell'} {compact(abs(value))}"


def _regime(r: Reading) -> list[str]:
    g = r.regime
    i = g.inputs
    nan = float("nan")
    asks = "?" if gamma_doubtful(r.gamma) else ""
    return [
        "REGIME",
        _line(g.composite + (asks if g.composite in SIGNED else ""), f"gamma {g.gamma}{asks}",
              f"skew {g.skew} ({fixed(i.get('skew_ratio', nan), 2, 4)})",
              f"term {g.term} (9d/30d {fixed(i.get('r_9_30', nan), 2, 4)}, "
              f"30d/90d {fixed(i.get('r_30_90', nan), 2, 4)})"),
    ]  # fmt: skip


def _views(views: tuple[View, ...], r: Reading) -> list[str]:
    lines = ["SIGN VIEWS"]
    for v in views:
        flip = price(v.flip).strip() if math.isfinite(v.flip) else "none"
        sure = f" {chance(v.probability).strip()}" if math.isfinite(v.probability) else ""
        p_sign = 1.0 - v.probability_short if v.gamma == "long" else v.probability_short
        gamma = f"{v.gamma} {percent(p_sign).strip()}" if math.isfinite(p_sign) else v.gamma
        lines.append(_line(v.view, f"{si(v.gex_per_1pct, plus=True)}", f"{gamma:<10}",
                           f"flip {flip:<9}", f"{v.paradigm}{sure}"))  # fmt: skip
    if r.agreement.disagree:
        lines.append(_line("they disagree on", ", ".join(r.agreement.disagree)))
    return lines


def _strikes(r: Reading) -> list[str]:
    frame = r.strikes.with_columns(near=(r.strikes["strike"] - r.spot).abs())
    largest = frame.filter(frame["gex"].is_finite() & (frame["gex"] != 0))
    rows = largest.sort(largest["gex"].abs(), descending=True).head(_STRIKES).sort("strike")
    if rows.is_empty():
        return []
    lines = [
        f"LARGEST STRIKES ({r.scope})",
        "  "
        + "  ".join(
            f"{head:>8}"
            for head in ("strike", "GEX/1 %", "charm/h", "vanna/pt", "call OI", "put OI")
        ),
    ]
    lines += [
        f"  {strike(row['strike'], 8)}  "
        + "  ".join(
            f"{si(_number(row[name]), plus=name in {'gex', 'charm', 'vanna'}):>8}"
            for name in ("gex", "charm", "vanna", "call_oi", "put_oi")
        )
        for row in rows.sort("strike", descending=True).to_dicts()
    ]
    return lines


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _expiries(expiries: tuple[ExpiryLine, ...]) -> list[str]:
    lines = [
        "EXPIRIES",
        f"  {'date':<11}{'root':<6}{'':<4}{'forward':>10}{'ATM':>7}"
        f"  {'GEX/1 %':>8}  {'vega/pt':>8}",
    ]
    lines += [
        f"  {e.expiry:<11}{clean(e.root):<6}{e.settlement[:3]:<4}{price(e.forward, 10)}"
        f"{percent(e.atm_iv, 7, 1)}  {si(e.gex_per_1pct, plus=True):>8}"
        f"  {si(e.vega_per_point, plus=True):>8}"
        for e in expiries[:_EXPIRIES]
    ]
    if len(expiries) > _EXPIRIES:
        lines.append(f"  and {len(expiries) - _EXPIRIES} more")
    return lines


def _health(r: Reading) -> list[str]:
    h = r.health
    lines = [
        "DATA",
        _line("quoted both sides", percent(h.quoted_share).strip(),
              f"age {seconds(h.quote_age_p50_s).strip()} median, "
              f"{seconds(h.quote_age_p99_s).strip()} p99"),
        _line("left out", f"{h.zero_bid:,} zero bids, {h.crossed:,} crossed, {h.stale:,} stale, "
              f"{h.bad_price:,} impossible; {h.no_iv:,} strikes without volatility"),
    ]  # fmt: skip
    return lines + [_line("note", clean(text)) for text in h.warnings]


DOWN = frozenset({"stale", "reconnecting", "refused", "closed"})
"""States of a feed in which numbers are older than their line."""


def summary_line(reading: Reading, state: str = "") -> str:
    """One line for logs and pipes: time, spot, paradigm, gamma, flip, and how sure they are.

    `state` is the feed's; where it is down, the line does not say `live` alone.
    """
    gamma, zero, held = reading.gamma, reading.zero_dte, reading.positions
    flip = price(gamma.flip).strip() if math.isfinite(gamma.flip) else gamma.flip_kind
    lines = "/".join(strike(x) for x in (zero.lis_lower, zero.lis_upper))
    label = f"{zero.paradigm}?" if leaning(zero) else zero.paradigm
    odds = probability(zero)
    sure = percent(odds).strip() if math.isfinite(odds) else ""
    sign = f"{gamma.state}?" if gamma_doubtful(gamma) else gamma.state
    band = _band(gamma.gex_band)
    mode = f"{reading.source.mode}, {state}" if state in DOWN else reading.source.mode
    trap = ", SIGNING TRAP" if held.trap and inferred(held) else ""
    return (
        f"{clock(reading.as_of)} ET  {clean(reading.underlying)} {price(reading.spot)}"
        f"  {label:<9} {sure:<4}  lines {lines:<11}  target {strike(zero.target):<6}"
        f"  GEX {si(gamma.gex_per_1pct, plus=True)} {sign:<7}  {band + '  ' if band else ''}"
        f"flip {flip}  [{held.view} × {held.basis}, {mode}{trap}]"
    )
