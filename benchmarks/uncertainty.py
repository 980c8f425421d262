"""Uncertainty: what it costs to say how sure the readings are, on top of the readings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.exposure import full_chain
from benchmarks.harness import Row, at_most, medians
from gexterm.dealers.belief import Belief
from gexterm.dealers.conventions import CUSTOMER_FLOW, positions
from gexterm.exposure import (
    bands,
    charm,
    flip,
    hedgeday,
    labels,
    paradigm,
    profile,
    strikes,
    uncertainty,
    units,
    vanna,
    vannaband,
)
from tests.exposure import market


def belief_of(x: np.ndarray) -> Belief:
    """Every contract uncertain, and two errors that all of them share."""
    size = np.abs(x)
    return Belief(x, np.square(0.4 * size) + 25.0, np.stack([0.2 * size, -0.1 * x]))


def run() -> list[Row]:
    return _whole_chain() + _today()


def _whole_chain() -> list[Row]:
    surface, oi = full_chain()
    layout = surface.layout
    belief = belief_of(positions(CUSTOMER_FLOW, oi))
    views = [belief, Belief.certain(belief.mean), belief_of(-belief.mean)]
    book = profile.merged(belief.mean)
    index = strikes.StrikeIndex.of(layout)
    u = units.unit_exposures(surface)
    spread = bands.gamma_spread(surface, [belief])
    zero = flip.find_flip(spread.profile, spread.mix())
    curve = vanna.vega_curve(surface, belief.mean)
    each = strikes.row_exposures(surface, belief.mean)
    tick = hedgeday.hedge_tick(1, surface, ("a", "b", "c"), (each, each, each))
    state = hedgeday.step(hedgeday.HedgeDay(), tick)

    def one_tick() -> None:
        hedgeday.hedge_tick(1, surface, ("a", "b", "c"), (each, each, each))
        hedgeday.step(state, tick, hedgeday.strike_vol_change(surface, surface))

    steps: dict[str, Callable[[], object]] = {
        "unit exposures": lambda: units.unit_exposures(surface),
        "errors of all totals": lambda: uncertainty.totals_sd(u, belief, layout),
        "errors of all strikes": lambda: uncertainty.by_strike_sd(u, belief, index),
        "profile": lambda: profile.gamma_profile(surface, book),
        "profile and its error": lambda: bands.gamma_spread(surface, [belief]),
        "profile and its error, three views": lambda: bands.gamma_spread(surface, views),
        "band of the flip": lambda: bands.flip_band(spread, zero),
        "band of the vanna stochastic (once a second)": lambda: vannaband.vanna_band(
            surface, belief, curve
        ),
        "hedge-flow identity, three views": one_tick,
    }
    took = medians(steps, runs=25)
    error = took["profile and its error"] - took["profile"]
    every_tick = (
        took["unit exposures"]
        + took["errors of all totals"]
        + took["errors of all strikes"]
        + error
        + took["band of the flip"]
    )
    rows = [
        at_most("uncertainty of a tick, 24,000 contracts", every_tick * 1e3, 3.0, "ms"),
        Row("error of the profile alone / the profile", error / took["profile"], "x"),
    ]
    return rows + [Row(name, seconds * 1e3, "ms") for name, seconds in took.items()]


def _today() -> list[Row]:
    surface = market.zero_dte(strikes=6000.0 + 2.5 * np.arange(-150, 150))
    strike = surface.layout.strike
    out = np.stack([strike > 6000.0, strike < 6000.0])
    oi = np.random.default_rng(0).lognormal(5.0, 1.5, (2, len(strike))) * out
    # GEX: long calls above, short puts below; its line and target are zeros of C(s).
    belief = belief_of(oi * np.array([[1.0], [-1.0]]))
    greeks, _ = charm.zero_dte_greeks(surface, np.array([True]))
    held = np.ones(len(strike), np.bool_)
    matrix = charm.charm_matrix(greeks, held)
    zeros = charm.charm_zeros(matrix.of(profile.merged(belief.mean)))
    reading, state = paradigm.classify(
        charm.charm_profile(greeks, belief.mean), zeros, surface.spot, greeks.sigma, 1
    )
    steps: dict[str, Callable[[], object]] = {
        "charm of the sides": lambda: uncertainty.sides_sd(greeks, belief),
        "P(label), 200 draws": lambda: labels.label_odds(greeks, belief, state=state),
        f"bands of line and target ({reading.label}), 200 draws": lambda: labels.level_bands(
            greeks, matrix, belief, reading
        ),
        "re-priced charm, one column a row": lambda: charm.charm_matrix(greeks, held),
    }
    took = medians(steps, runs=41)
    whole = sum(list(took.values())[:3])
    return [
        at_most("uncertainty of today's charm, 300 rows, 200 draws", whole * 1e3, 1.0, "ms"),
        *(Row(name, seconds * 1e3, "ms") for name, seconds in took.items()),
    ]
