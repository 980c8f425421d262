"""One tick: a priced chain and a sign view in, the sections of a Reading out.

Nothing is computed here that a part below does not define; this is the order in which
they are asked, and what is shared between them. All four static conventions are read
from one pass: the calls' and the puts' books are re-priced once and mixed by sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gexterm.clock import NS
from gexterm.dealers.conventions import CONVENTIONS
from gexterm.engine.book import Book, mix_of
from gexterm.engine.memory import Memory
from gexterm.engine.today import Today
from gexterm.exposure.flip import cumulative_flip, find_flip, gamma_state, walls
from gexterm.exposure.hedging import hedge_flow
from gexterm.exposure.profile import GammaProfile, Repricing, gamma_profile
from gexterm.exposure.regime import RegimeInputs, classify_lesson, classify_regime
from gexterm.exposure.scope import Mask
from gexterm.exposure.strikes import Totals, totals
from gexterm.exposure.vanna import after_today, vega_curve
from gexterm.market.chain import CALL, PUT, Rows
from gexterm.pricing.skew import skew_25
from gexterm.pricing.surface import Surface
from gexterm.pricing.variance_index import variance_indices
from gexterm.reading import model

NAN = float("nan")
_TRADING_DAYS = 252.0
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
    book: Book, sigma: float, repricing: Repricing
) -> tuple[model.Gamma, Totals, GammaProfile]:
    """Flip, state and walls of the scope; the profile holds calls and puts apart."""
    profile = gamma_profile(book.surface, book.weight, book.scope, repricing=repricing)
    mix = mix_of(book.convention)
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
        ),
        total,
        profile,
    )


def book_section(book: Book, memory: Memory) -> model.Book:
    """The whole book, whatever the scope."""
    surface = book.surface
    total = totals(book.exposures, book.held, surface.layout)
    later = after_today(surface)
    stochastic, depth = _vanna_place(book, later, memory)
    return model.Book(
        delta_notional=total.delta,
        vega_per_point=total.vega,
        vanna_per_point=total.vanna,
        charm_per_day=totals(book.exposures, book.held, surface.layout, later).charm_day,
        vanna_stochastic=stochastic,
        vega_depth=depth,
    )


def _vanna_place(book: Book, later: Mask, memory: Memory) -> tuple[float, float]:
    """Vanna stochastic and vega depth, taken anew every second of the market.

    They re-price a year of expiries over 40 % of spot and do not move faster than that.
    """
    view = (book.convention.name, book.basis)
    taken, place = memory.vanna_place.get(view, (0, (NAN, NAN)))
    if not taken or not 0 <= book.rows.as_of - taken < NS:
        curve = vega_curve(book.surface, book.held, later)
        place = (curve.stochastic, curve.depth)
        memory.vanna_place[view] = (book.rows.as_of, place)
    return place


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
    label = today.readings[book.convention.name] if today else None
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
    key = (book.convention.name, scope, gamma.repricing)
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


def hedging_section(book: Book, total: Totals) -> model.Hedging:
    """What the dealer trades over the scope."""
    flow = hedge_flow(book.surface, book.held, total, book.scope)
    return model.Hedging(flow.per_up_1pct, flow.per_down_1pct, flow.per_vol_point, flow.per_hour)


def agreement_section(
    book: Book, gamma: model.Gamma, total: Totals, profile: GammaProfile, today: Today | None
) -> model.Agreement:
    """The same chain under every convention, the chosen one first."""
    gross = total.gross_gex
    side_gex = [
        float(np.nansum(values)) * sign
        for values, sign in (
            (book.strikes.call_gex, book.convention.call_sign),
            (book.strikes.put_gex, book.convention.put_sign),
        )
    ]
    views = []
    for name, convention in CONVENTIONS.items():
        mix = mix_of(convention)
        chosen = name == book.convention.name
        gex = mix[0] * side_gex[CALL] + mix[1] * side_gex[PUT] if np.isfinite(gross) else NAN
        flip = gamma.flip if chosen else find_flip(profile, mix, refine=False).spot
        views.append(
            model.View(
                view=name,
                gex_per_1pct=gex,
                gamma=gamma.state if chosen else gamma_state(gex, gross),
                flip=flip,
                paradigm=today.readings[name].label if today else "No data",
            )
        )
    views.sort(key=lambda v: v.view != book.convention.name)
    return model.Agreement(tuple(views), _disagreements(views, book.surface.spot))


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
