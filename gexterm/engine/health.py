"""Whether the numbers of a Reading can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from gexterm.exposure.scope import Mask
from gexterm.market.chain import Rows
from gexterm.market.contracts import Exercise
from gexterm.pricing.chain import QuoteHealth
from gexterm.pricing.surface import Surface
from gexterm.reading import model

NAN = float("nan")
_ROUGH = frozenset({"quadratic", "line", "flat", "previous"})
_SPOT_OFF = 0.001
"""Spot further than this fraction from what parity implies is worth a warning."""


@dataclass(frozen=True, slots=True)
class FeedCounts:
    """What the feed has counted since the session began."""

    late: int = 0
    """Events out of order."""
    duplicates: int = 0
    """Events seen before."""
    gaps: int = 0
    """Prints proved missing."""
    dropped: int = 0
    """Messages dropped because we were too slow."""
    reconnects: int = 0
    """Connections made anew."""
    malformed: int = 0
    """Messages that made no sense."""
    misdated: int = 0
    """Rows whose time could not be."""
    refilled: int = 0
    """Prints fetched after the fact."""
    away_s: float = NAN
    """Seconds without a connection."""
    clock_skew_s: float = NAN
    """How far this machine's clock is ahead of the venue's, seconds."""
    listed: int = 0
    """Contracts that the venue lists."""
    quotes_asked: int = 0
    """Contracts whose quotes are asked for."""
    prints_asked: int = 0
    """Contracts whose prints are asked for."""
    window: str = ""
    """Which contracts are quoted, for a person."""
    heard_from: int = 0
    """Since when prints are known without interruption, ns; 0: not known."""
    events_per_s: float = NAN
    """Rows per second, by their receipt times."""
    warnings: tuple[str, ...] = ()
    """What the source has to say about itself."""

    def with_tape(self, counted: Mapping[str, int]) -> FeedCounts:
        """Together with what the tape's reader noticed (`Flow.counts`)."""
        return replace(
            self,
            late=self.late + counted.get("out_of_order", 0) + counted.get("late_quotes", 0),
            duplicates=self.duplicates + counted.get("duplicates", 0),
        )


def health_section(
    rows: Rows,
    surface: Surface,
    quotes: QuoteHealth,
    counts: FeedCounts,
    basis: str,
    scope_name: str = "all",
    scope: Mask | None = None,
) -> model.Health:
    """Quote ages, what was refused, and what the user must know.

    `scope`, shape (E,), holds the chosen expiries; None: all.
    """
    alive = (surface.seconds > 0.0)[rows.layout.expiry]
    dated = alive & (rows.quote_ts > 0)
    ages = (rows.as_of - rows.quote_ts[dated]) / 1e9
    p50, p99 = np.percentile(ages, (50, 99)) if len(ages) else (NAN, NAN)
    return model.Health(
        quoted_share=quotes.quoted_share,
        quote_age_p50_s=float(p50),
        quote_age_p99_s=float(p99),
        crossed=quotes.crossed,
        zero_bid=quotes.zero_bid,
        stale=quotes.stale,
        no_iv=quotes.no_iv,
        bad_price=quotes.bad_price,
        **{f.name: getattr(counts, f.name) for f in fields(counts) if f.name != "warnings"},
        warnings=(
            *counts.warnings,
            *quotes.warnings,
            *_warnings(rows, surface, basis),
            *_rough(surface),
            *_empty(surface, scope_name, scope),
        ),
    )


def _warnings(rows: Rows, surface: Surface, basis: str) -> list[str]:
    said = []
    if basis == "none":
        said.append("neither open interest nor volume is known: no position can be assumed")
    styles = {e.exercise for e in rows.layout.expiries}
    if Exercise.AMERICAN in styles:
        said.append("American exercise is priced as European")
    if np.isfinite(rows.spot) and (off := _spot_off(surface)):
        said.append(
            f"spot {surface.spot:,.2f} is {abs(off):.2%} {'above' if off > 0 else 'below'} what"
            " option parity implies: one of the two is old"
        )
    return said


def _rough(surface: Surface) -> list[str]:
    """Whether today's greeks rest on next to no quotes, as in the last minutes."""
    return [
        f"{expiry.root} {expiry.date} has too few quotes for a smile ({kind}): its greeks are rough"
        for expiry, kind, seconds in zip(
            surface.layout.expiries, surface.smile_kind, surface.seconds, strict=True
        )
        if kind in _ROUGH and 0.0 < seconds <= 86_400.0
    ]


def _empty(surface: Surface, name: str, scope: Mask | None) -> list[str]:
    """Why a scope has no numbers, if it has none."""
    if scope is None or bool(np.any(scope & (surface.seconds > 0.0))):
        return []
    what = "today's expiry" if name == "0dte" else f"the expiry {name}"
    why = "has settled" if scope.any() else "is not in the chain"
    return [f"{what} {why}: nothing to show for it"]


def _spot_off(surface: Surface) -> float:
    """By how much spot stands off the nearest forward, as a fraction; 0 if within reason.

    The forward of an expiry within a week carries next to no interest.
    """
    near = np.flatnonzero(
        np.isfinite(surface.forward) & (surface.seconds > 0.0) & (surface.seconds < 7 * 86_400.0)
    )
    if len(near) == 0:
        return 0.0
    off = surface.spot / float(surface.forward[near[0]]) - 1.0
    return off if abs(off) > _SPOT_OFF else 0.0
