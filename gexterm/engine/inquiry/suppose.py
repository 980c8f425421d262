"""The whole Reading in another market: what the book would read as, if nobody traded."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np

from gexterm.clock import NS
from gexterm.engine.compose import Last, Parts, compose
from gexterm.engine.compute import TermInputs
from gexterm.engine.inquiry.moved import LEAST_IV, moved
from gexterm.errors import ChainError, UsageError
from gexterm.exposure.scope import zero_dte
from gexterm.market.calendar import at_et, et, is_session, session_close_ns, utc
from gexterm.market.contracts import Settlement
from gexterm.pricing.skew import skew_25
from gexterm.pricing.surface import Surface
from gexterm.pricing.work import Work
from gexterm.reading.inquiry import Suppose, Supposed
from gexterm.reading.model import Reading, Source

MINUTE = 60 * NS
FURTHEST = (-0.5, 1.0)
"""How far spot may be supposed to be, as fractions of it."""
MOST_VOL = 200.0
"""How much higher volatility may be supposed to be, vol points."""


def horizon(parts: Parts) -> int:
    """The last moment that can be supposed, ns.

    A minute before today's expiry settles, which is as near as anything is priced. Where
    none is left: the close of the session, or else the end of the date in New York.
    """
    as_of, zero = parts.rows.as_of, parts.zero
    if zero and not zero.settled:
        return max(as_of, zero.settles_at - MINUTE)
    date = et(as_of).date()
    if is_session(date) and as_of < session_close_ns(date):
        return session_close_ns(date)
    return at_et(date + dt.timedelta(days=1), dt.time(0, 0)) - NS


def within(parts: Parts, suppose: Suppose) -> tuple[Suppose, tuple[str, ...]]:
    """What can be supposed of it, and what was cut, one line each.

    Raises UsageError for what is no number.
    """
    wanted = (suppose.spot_change, suppose.vol_points, suppose.minutes)
    if not all(math.isfinite(value) for value in wanted):
        raise UsageError("a supposition is not a number", "suppose a move that is one")
    said = []
    spot = min(max(suppose.spot_change, FURTHEST[0]), FURTHEST[1])
    if spot != suppose.spot_change:
        said.append(f"spot is cut to {spot:+.0%}: no further is supposed")
    minutes = max(suppose.minutes, 0.0)
    if minutes != suppose.minutes:
        said.append("time is that of now: what has been is not supposed")
    most = (horizon(parts) - parts.rows.as_of) / MINUTE
    if minutes > most:
        minutes = most
        said.append(f"time is cut to {_clock(parts, horizon(parts))}: {_why(parts)}")
    atm = parts.surface.atm_iv[parts.surface.seconds > 60.0 * minutes]
    atm = atm[np.isfinite(atm)]
    least = 100.0 * (LEAST_IV - float(atm.min())) if len(atm) else 0.0
    vol = min(max(suppose.vol_points, min(least, 0.0)), MOST_VOL)
    if vol != suppose.vol_points:
        said.append(f"volatility is cut to {vol:+.1f} points: no more can be supposed")
    return Suppose(spot, vol, minutes), tuple(said)


def _clock(parts: Parts, at: int) -> str:
    """A time as the market's own clock shows it: coins settle by UTC."""
    coins = any(e.settlement is Settlement.UTC8 for e in parts.rows.layout.expiries)
    return f"{utc(at):%H:%M} UTC" if coins else f"{et(at):%H:%M} ET"


def _why(parts: Parts) -> str:
    if parts.zero and not parts.zero.settled:
        return f"{parts.zero.name} settles a minute later"
    return "the day ends"


def surface_under(parts: Parts, suppose: Suppose, work: Work | None = None) -> Surface:
    """The priced chain under a supposition that `within` has looked at.

    Raises ChainError where no spot is known.
    """
    if not parts.surface.spot > 0.0:
        raise ChainError("spot is not known", "nothing can be supposed without it")
    return moved(
        parts.surface,
        spot_change=suppose.spot_change,
        vol=suppose.vol_points / 100.0,
        later_s=60.0 * suppose.minutes,
        repricing=parts.repricing,
        work=work,
    )


def supposed(last: Last, suppose: Suppose, work: Work | None = None) -> Supposed:
    """The Reading of the newest tick in another market; raises as `within`, `surface_under`."""
    cut, said = within(last.parts, suppose)
    if not cut.anything:
        return Supposed(cut, last.reading, last.reading, said)
    return Supposed(cut, reading_under(last, cut, work), last.reading, (*said, *_notes(last, cut)))


def reading_under(last: Last, suppose: Suppose, work: Work | None = None) -> Reading:
    """The Reading composed anew under a supposition that `within` has looked at."""
    parts, base = parts_under(last.parts, suppose, work), last.reading
    # Labels and lines go on from those of now, as if the market went there at once.
    reading, _ = compose(parts, last.memory.at(parts.rows.as_of), base.health)
    return replace(
        reading,
        source=_source(base.source, suppose),
        hedge_day=base.hedge_day,
        spot_vol=base.spot_vol,
        spot_open=base.spot_open,
        spot_open_at=base.spot_open_at,
        sequence=base.sequence,
    )


def parts_under(parts: Parts, suppose: Suppose, work: Work | None = None) -> Parts:
    """What a Reading is composed of under a supposition that `within` has looked at."""
    surface = surface_under(parts, suppose, work)
    rows, passed = parts.rows, surface.as_of - parts.surface.as_of
    # A quote is as old as it is now: there are no others.
    quoted = np.where(rows.quote_ts > 0, rows.quote_ts + passed, 0)
    return replace(
        parts,
        surface=surface,
        rows=replace(rows, as_of=surface.as_of, spot=surface.spot, quote_ts=quoted),
        zero=zero_dte(rows.layout, surface.as_of, et(surface.as_of).date()),
        term=_term(parts, suppose.vol_points / 100.0),
    )


def _term(parts: Parts, vol: float) -> TermInputs:
    """Skew and variance indices with every volatility moved alike."""
    term = parts.term
    if vol == 0.0:
        return term
    atm = skew_25(parts.surface).atm
    skew = term.skew * atm / (atm + vol) if atm + vol > 0.0 else math.nan
    return TermInputs(skew, *(iv + vol for iv in (term.iv_9d, term.iv_30d, term.iv_90d)))


def _source(source: Source, suppose: Suppose) -> Source:
    note = f"supposed: {words(suppose)}"
    return replace(source, note="; ".join(part for part in (note, source.note) if part))


def words(suppose: Suppose) -> str:
    """A supposition for a person: `spot −0.50 %, +1.0 vol points, 60 min later`."""
    parts = []
    if suppose.spot_change:
        parts.append(f"spot {100.0 * suppose.spot_change:+.2f} %")
    if suppose.vol_points:
        parts.append(f"{suppose.vol_points:+.1f} vol points")
    if suppose.minutes:
        parts.append(f"{suppose.minutes:.0f} min later")
    return ", ".join(parts).replace("-", "−") or "the market there is"


def _notes(last: Last, suppose: Suppose) -> tuple[str, ...]:
    said = [f"nobody trades: positions are those of {_clock(last.parts, last.reading.as_of)}"]
    if suppose.spot_change and last.parts.repricing == "sticky moneyness":
        said.append("sticky moneyness: the smile moves along with spot as it is")
    elif suppose.spot_change:
        said.append("sticky strike: every strike keeps its volatility, the skew does not follow")
    if suppose.vol_points:
        said.append("every volatility moves by the same points; the market's short ones move more")
    said.append("label and lines go on from those of now, with their hysteresis")
    said.append("skew and term structure, hedge flow and health are those of now")
    return tuple(said)
