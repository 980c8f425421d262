"""One tick: a priced chain and a sign view in, the sections of a Reading out.

Nothing is computed here that a part below does not define; this is the order in which
they are asked, and what is shared between them. All four static conventions are read
from one pass: the calls' and the puts' books are re-priced once and mixed by sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.engine.bands import band
from gexterm.engine.book import Book
from gexterm.engine.memory import Memory
from gexterm.engine.today import Today
from gexterm.exposure.bands import GammaSpread, flip_band, gamma_spread, spread_around
from gexterm.exposure.flip import Flip, cumulative_flip, find_flip, gamma_state, walls
from gexterm.exposure.hedging import hedge_flow
from gexterm.exposure.profile import GammaProfile, Repricing, gamma_profile
from gexterm.exposure.regime import RegimeInputs, classify_lesson, classify_regime
from gexterm.exposure.scope import Mask, multipliers, scope_rows
from gexterm.exposure.strikes import Totals, totals
from gexterm.exposure.uncertainty import TotalsSd, by_strike_sd, totals_sd
from gexterm.exposure.units import unit_exposures
from gexterm.exposure.vanna import after_today, vega_curve
from gexterm.exposure.vannaband import vanna_band
from gexterm.market.chain import Rows
from gexterm.pricing.skew import skew_25
from gexterm.pricing.surface import Surface
from gexterm.pricing.variance_index import variance_indices
from gexterm.reading import model

F64 = NDArray[np.float64]
NAN = float("nan")
_TRADING_DAYS = 252.0
_NEAR_S = 30.0 * 86_400.0
"""Up to here an expiry is near."""
_FLIP_AGREES = 0.0025
"""Flips of two views closer than this fraction of spot are called the same."""


@dataclass(frozen=True, eq=False, slots=True)
class TermInputs:
    """Skew and variance indices of the chain; NaN where not known."""

    skew: float = NAN
    """(25Δ put − 25Δ call volatility) / ATM, 30 days."""
    iv_9d: float = NAN
    """Variance index of 9 days, as a fraction."""
    iv_30d: float = NAN
    """Of 30 days."""
    iv_90d: float = NAN
    """Of 90 days."""


def term_inputs(rows: Rows, surface: Surface) -> TermInputs:
    """Skew and variance indices of a chain."""
    wing = skew_25(surface)
    index = variance_indices(rows, surface)
    return TermInputs(
        skew=(wing.put - wing.call) / wing.atm if wing.atm > 0.0 else NAN,
        iv_9d=index["iv_9d"],
        iv_30d=index["iv_30d"],
        iv_90d=index["iv_90d"],
    )


def one_sigma(book: Book, today: Today | None, term: TermInputs) -> float:
    """The measure for distances, points: what is left of today, or one trading day."""
    if today is not None and today.greeks.sigma > 0.0:
        return today.greeks.sigma
    surface = book.surface
    annual = term.iv_30d
    if not np.isfinite(annual):
        # No variance index on a thin chain: the nearest expiry's own volatility.
        priced = np.flatnonzero(np.isfinite(surface.atm_iv) & (surface.seconds > 0.0))
        annual = float(surface.atm_iv[priced[0]]) if len(priced) else NAN
    return float(surface.spot * annual / np.sqrt(_TRADING_DAYS))


def gamma_section(
    book: Book, sigma: float, repricing: Repricing, memory: Memory
) -> tuple[model.Gamma, Totals, GammaProfile, GammaSpread | None]:
    """Flip, state and walls of the scope; the profile holds the books of all views."""
    views, mix = book.views, book.view.mix
    spread: GammaSpread | None = None
    if beliefs := views.beliefs:
        certain = views.books[len(beliefs) :]
        made = memory.slow.of(
            "profile",
            book.rows.as_of,
            (*book.about, repricing),
            lambda: gamma_spread(
                book.surface, beliefs, book.scope, repricing=repricing, books=certain
            ),
        )
        if made.profile.surface is book.surface:
            spread = made
        else:
            rows = np.zeros(len(book.surface.layout), np.bool_)
            rows[made.profile.part.rows] = True
            again = gamma_profile(
                book.surface, views.books, book.scope, repricing=repricing, also=rows
            )
            spread = spread_around(again, made)
        profile = spread.profile
    else:
        profile = gamma_profile(book.surface, views.books, book.scope, repricing=repricing)
    flip = find_flip(profile, mix)
    total = totals(book.exposures, book.held, book.surface.layout, book.scope)
    today = totals(book.exposures, book.held, book.surface.layout, book.zero.scope)
    call_wall, put_wall = walls(book.index.strike, book.strikes)
    spot = book.surface.spot
    return (
        model.Gamma(
            gex_per_1pct=total.gex,
            gex_0dte_per_1pct=today.gex,
            state=gamma_state(total.gex, total.gross_gex),
            flip=flip.spot,
            flip_kind=flip.kind,
            flips=tuple(model.GammaCrossing(c.spot, c.rising) for c in flip.crossings),
            flip_distance=flip.spot - spot,
            flip_distance_sigma=(flip.spot - spot) / sigma if sigma > 0 else NAN,
            call_wall=call_wall,
            put_wall=put_wall,
            cumulative_flip=cumulative_flip(book.index.strike, book.strikes.gex, spot),
            profile_spot=profile.spots,
            profile_gex=np.asarray(mix) @ profile.gex if len(profile.spots) else np.empty(0),
            repricing=repricing,
            **_gamma_bands(book, spread, flip, total),
        ),
        total,
        profile,
        spread,
    )


def _gamma_bands(
    book: Book, spread: GammaSpread | None, flip: Flip, total: Totals
) -> dict[str, Any]:
    """How well gamma and flip are known under an inferred view; nothing under a convention."""
    if spread is None or book.view.belief is None or not np.isfinite(total.gex):
        return {}
    at = book.views.place(book.view.name)
    around = flip_band(spread, flip, at)
    return {
        "gex_band": band(total.gex, float(spread.sd_now[at])),
        "flip_band": model.Band(around.low, around.high),
        "probability_short": spread.p_short(at),
    }


@dataclass(frozen=True, eq=False, slots=True)
class Errors:
    """How sure the chosen view's numbers are; standard deviations."""

    whole: TotalsSd
    """Of the whole book's totals."""
    scope: TotalsSd
    """Of the scope's."""
    today: TotalsSd
    """Of today's expiry."""
    strikes: F64
    """Of the position at each strike of the scope, contracts. Shape (m,)."""


def errors(book: Book, memory: Memory) -> Errors | None:
    """How sure totals are, taken anew every second of the market; None under a convention."""
    belief = book.view.belief
    if belief is None:
        return None

    def made() -> Errors:
        units = unit_exposures(book.surface, book.zero.scope)
        layout = book.surface.layout
        whole = totals_sd(units, belief, layout)
        return Errors(
            whole,
            whole if book.scope is None else totals_sd(units, belief, layout, book.scope),
            totals_sd(units, belief, layout, book.zero.scope),
            by_strike_sd(units, belief, book.index, ()).position,
        )

    return memory.slow.of("errors", book.rows.as_of, book.about, made)


def book_section(book: Book, memory: Memory, sure: Errors | None) -> model.Book:
    """The whole book, whatever the scope."""
    surface = book.surface
    layout = surface.layout
    total = totals(book.exposures, book.held, layout)
    later = after_today(surface)
    stochastic, depth, around = _vanna_place(book, later, memory)
    bands: dict[str, Any] = {}
    if sure is not None:
        sd = sure.whole
        bands = {
            "vega_band": band(total.vega, sd.vega),
            "vanna_band": band(total.vanna, sd.vanna),
        }
    return model.Book(
        delta_notional=total.delta,
        vega_per_point=total.vega,
        vanna_per_point=total.vanna,
        charm_per_day=totals(book.exposures, book.held, surface.layout, later).charm_day,
        vanna_stochastic=stochastic,
        vega_depth=depth,
        vanna_stochastic_band=around,
        near=_tenor(book, surface.seconds <= _NEAR_S),
        far=_tenor(book, surface.seconds > _NEAR_S),
        **bands,
    )


def _tenor(book: Book, expiries: Mask) -> model.Tenor:
    total = totals(book.exposures, book.held, book.surface.layout, expiries)
    return model.Tenor(total.vega, total.vanna, total.gex)


def _vanna_place(book: Book, later: Mask, memory: Memory) -> tuple[float, float, model.Band]:
    """Vanna stochastic and vega depth, taken anew every second of the market.

    They re-price a year of expiries over 40 % of spot and do not move faster than that.
    """
    view = (book.view.name, book.basis)
    taken, stochastic, depth, around = memory.vanna_place.get(view, (0, NAN, NAN, model.Band()))
    if not taken or not 0 <= book.rows.as_of - taken < NS:
        curve = vega_curve(book.surface, book.held, later)
        around = model.Band()
        if book.view.belief is not None and np.isfinite(curve.stochastic):
            found = vanna_band(book.surface, book.view.belief, curve, later)
            around = model.Band(found.low, found.high)
        stochastic, depth = curve.stochastic, curve.depth
        memory.vanna_place[view] = (book.rows.as_of, stochastic, depth, around)
    return stochastic, depth, around


def regime_section(
    book: Book,
    gamma: model.Gamma,
    total: Totals,
    today: Today | None,
    term: TermInputs,
    scope: str,
    memory: Memory,
) -> model.Regime:
    """The regime of the whole book: gamma of the scope, skew and term of the chain."""
    sigma_day = one_sigma(book, None, term)
    label = today.readings[book.view.name] if today else None
    age = NAN
    if label is not None and label.previous:
        age = (book.rows.as_of - label.since) / 1e9
    inputs = RegimeInputs(
        gex=total.gex,
        gross_gex=total.gross_gex,
        skew=term.skew,
        iv_9d=term.iv_9d,
        iv_30d=term.iv_30d,
        iv_90d=term.iv_90d,
        flip_distance=gamma.flip_distance,
        sigma_day=sigma_day,
        paradigm_age_s=age,
    )
    key = (book.view.name, scope, gamma.repricing)
    reading, memory.regime[key] = classify_regime(inputs, memory.regime.get(key))
    lesson = classify_lesson(
        total.gex,
        book.surface.spot,
        gamma.cumulative_flip,
        NAN,
        reading.inputs["r_9_30"],
        reading.inputs["r_30_90"],
    )
    return model.Regime(
        gamma=reading.gamma,
        skew=reading.skew,
        term=reading.term,
        composite=reading.composite,
        inputs={**reading.inputs, "sigma_day": sigma_day},
        lesson=lesson,
    )


def hedging_section(book: Book, total: Totals, sure: Errors | None) -> model.Hedging:
    """What the dealer trades over the scope."""
    flow = hedge_flow(book.surface, book.held, total, book.scope)
    bands: dict[str, Any] = {}
    if sure is not None and np.isfinite(total.gex):
        sd = sure.scope
        bands = {
            "up_band": band(flow.per_up_1pct, sd.gex),
            "down_band": band(flow.per_down_1pct, sd.gex),
            "vol_band": band(flow.per_vol_point, sd.vanna),
            "hour_band": band(flow.per_hour, sd.charm_hour),
        }
    return model.Hedging(
        flow.per_up_1pct, flow.per_down_1pct, flow.per_vol_point, flow.per_hour, **bands
    )


def agreement_section(
    book: Book,
    gamma: model.Gamma,
    profile: GammaProfile,
    spread: GammaSpread | None,
    today: Today | None,
) -> model.Agreement:
    """The same chain under every sign view, the chosen one first."""
    views = []
    layout, surface = book.surface.layout, book.surface
    rows = scope_rows(layout, book.scope)
    unit = surface.gamma * multipliers(layout)[layout.expiry] * (0.01 * surface.spot**2)
    unit = np.where(np.isfinite(unit), unit, 0.0)[rows]
    now = book.views.books[:, rows] @ unit
    size = np.abs(book.views.books[:, rows]) @ unit
    for view in book.views.views:
        chosen = view.name == book.view.name
        gex = float(np.dot(view.mix, now))
        gross = float(np.dot(np.abs(view.mix), size))
        if not gross > 0.0 or not np.isfinite(view.held).any():
            gex = NAN
        flip = gamma.flip if chosen else find_flip(profile, view.mix, refine=False).spot
        label = today.readings[view.name].label if today else "No data"
        lines = _lines_of(today, view.name) if today else {}
        known = view.belief is not None and np.isfinite(gex)
        odds = today.odds.get(view.name) if today and known else None
        views.append(
            model.View(
                view=view.name,
                gex_per_1pct=gex,
                gamma=gamma.state if chosen else gamma_state(gex, gross),
                flip=flip,
                paradigm=label,
                probability=odds.probability.get(label, NAN) if odds else NAN,
                probability_short=(
                    spread.p_short(book.views.place(view.name)) if known and spread else NAN
                ),
                **lines,
            )
        )
    views.sort(key=lambda v: v.view != book.view.name)
    return model.Agreement(tuple(views), _disagreements(views, book.surface.spot))


def _lines_of(today: Today, view: str) -> dict[str, float]:
    """Charm on either side, and the lines, of one view."""
    profile, reading = today.profiles[view], today.readings[view]
    known = np.isfinite(profile.unknown_share) and profile.unknown_share < 1.0
    return {
        "charm_below": profile.below if known else NAN,
        "charm_above": profile.above if known else NAN,
        "lis_lower": reading.lis_lower,
        "lis_upper": reading.lis_upper,
        "target": reading.target,
    }


def _disagreements(views: list[model.View], spot: float) -> tuple[str, ...]:
    differ = []
    if len({v.gamma for v in views if v.gamma != "unknown"}) > 1:
        differ.append("gamma")
    flips = [v.flip for v in views if v.gamma != "unknown"]
    known = [f for f in flips if np.isfinite(f)]
    if known and (len(known) < len(flips) or max(known) - min(known) > _FLIP_AGREES * spot):
        differ.append("flip")
    if len({v.paradigm for v in views}) > 1:
        differ.append("paradigm")
    return tuple(differ)
