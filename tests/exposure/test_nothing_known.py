"""Uncertainty where there is nothing to be uncertain about: no rows, no spot, all settled."""

from dataclasses import replace

import numpy as np
import pytest

from gexterm.dealers.belief import Belief
from gexterm.exposure.bands import flip_band, gamma_spread
from gexterm.exposure.charm import charm_matrix, charm_profile, charm_zeros, zero_dte_greeks
from gexterm.exposure.flip import find_flip
from gexterm.exposure.hedgeday import HedgeDay, hedge_tick, sources, step
from gexterm.exposure.labels import label_odds, level_bands
from gexterm.exposure.paradigm import classify
from gexterm.exposure.placebo import placebo
from gexterm.exposure.profile import merged
from gexterm.exposure.strikes import StrikeIndex, row_exposures
from gexterm.exposure.uncertainty import by_strike_sd, sides_sd, totals_sd
from gexterm.exposure.units import unit_exposures
from gexterm.exposure.vanna import vega_curve
from gexterm.exposure.vannaband import vanna_band
from gexterm.pricing.surface import Surface
from tests.exposure.market import TODAY, expiry, surface
from tests.exposure.test_degenerate import empty_chain

K = np.arange(5900.0, 6101.0, 10.0)


def usual() -> Surface:
    return surface([(expiry(4.0, date=TODAY), K), (expiry(100.0), K)])


def settled() -> Surface:
    return surface([(expiry(-1.0, date=TODAY), K)])


def unpriced() -> Surface:
    return surface([(expiry(4.0, date=TODAY), K)], iv=[np.full(len(K), np.nan)])


def without_spot() -> Surface:
    s = usual()
    nan = {
        name: np.full_like(getattr(s, name), np.nan)
        for name in ("forward", "iv", "delta", "gamma", "vega", "vanna", "charm", "theta")
    }
    return replace(s, spot=float("nan"), atm_iv=s.atm_iv * np.nan, **nan)


@pytest.mark.parametrize("chain", [settled, unpriced, empty_chain, without_spot])
def test_nothing_priced_means_nothing_known_and_no_error(chain) -> None:
    s = chain()
    shape = (2, len(s.layout))
    b = Belief(np.full(shape, 10.0), np.full(shape, 4.0), np.ones((1, *shape)))
    scope = np.arange(len(s.layout.expiries)) == 0
    units = unit_exposures(s)
    total = totals_sd(units, b, s.layout)
    assert np.isnan(total.gex)
    assert np.isnan(total.p_short)
    assert np.isnan(by_strike_sd(units, b, StrikeIndex.of(s.layout)).values).all()

    spread = gamma_spread(s, [b], books=b.mean)
    band = flip_band(spread, find_flip(spread.profile, spread.mix()))
    assert np.isnan(spread.p_short())
    assert not band.exists
    assert not band.certain

    greeks, _ = zero_dte_greeks(s, scope)
    matrix = charm_matrix(greeks, np.ones(len(s.layout), np.bool_))
    zeros = charm_zeros(matrix.of(merged(b.mean)))
    profile = charm_profile(greeks, b.mean)
    reading, _ = classify(profile, zeros, s.spot, greeks.sigma, 1)
    assert reading.label == "No data"
    assert label_odds(greeks, b).probability == {}
    assert np.isnan(level_bands(greeks, matrix, b, reading).target.share)
    assert placebo(reading, s.spot).event == ""
    assert np.isnan(sides_sd(greeks, b).net)
    assert np.isnan(vanna_band(s, b, vega_curve(s, b.mean)).low)

    tick = hedge_tick(1, s, ("flow",), (row_exposures(s, b.mean),))
    assert np.isnan(sources(step(step(HedgeDay(), tick), tick), "flow").total)


@pytest.mark.parametrize("label", ["BofA", "GEX", "Anti-GEX", "Sidial"])
def test_a_label_outlives_its_rows_without_a_level(label) -> None:
    # The last reading stands while a feed is away: its bands must not be made up.
    s = unpriced()
    shape = (2, len(K))
    b = Belief(np.full(shape, 10.0), np.full(shape, 4.0), np.ones((1, *shape)))
    greeks, _ = zero_dte_greeks(s, np.array([True]))
    matrix = charm_matrix(greeks, np.ones(len(K), np.bool_))
    reading = replace(classify(None, (), 6000.0, 20.0, 1)[0], label=label)
    bands = level_bands(greeks, matrix, b, reading)
    for band in (bands.lis_lower, bands.lis_upper, bands.target):
        assert np.isnan(band.low)
        assert not band.share > 0.0


def test_no_view_at_all_is_no_error() -> None:
    s = usual()
    spread = gamma_spread(s, [], books=np.ones((2, len(s.layout))))
    assert spread.sd.shape == (0, len(spread.profile.spots))
    assert spread.profile.gex.shape[0] == 2
