"""Where spot stands on the vega curve."""

import numpy as np
import pytest
from scipy.stats import norm

from gexterm.exposure.strikes import row_exposures, totals
from gexterm.exposure.vanna import after_today, vega_curve
from tests.exposure.market import TODAY, expiry, skewed, surface

# The published example: dealers short 30k/20k 5700/5800 puts and 10k/8k calls, 30 days.
# Call strikes and volatilities are not published; these reproduce it.
EXAMPLE_STRIKES = np.array([5700.0, 5800.0, 6150.0, 6250.0])
EXAMPLE_BOOK = np.array([[0.0, 0.0, -10_000.0, -8_000.0], [-30_000.0, -20_000.0, 0.0, 0.0]])


def example(spot: float = 6000.0):
    iv = 0.16 - 0.25 * np.log(EXAMPLE_STRIKES / 6000.0)
    return surface([(expiry(24.0 * 30), EXAMPLE_STRIKES)], spot, iv=[iv])


def test_the_published_example_has_its_vega_extreme_at_5820() -> None:
    curve = vega_curve(example(), EXAMPLE_BOOK)
    deepest = int(np.argmin(curve.vega))
    assert curve.spots[deepest] == pytest.approx(5820.0, abs=15.0)
    assert curve.vega[deepest] == pytest.approx(-35.9e6, abs=0.2e6)
    steepest = int(np.argmax(np.abs(curve.vanna)))
    assert curve.spots[steepest] == pytest.approx(5475.0, abs=15.0)


@pytest.mark.parametrize(
    ("spot", "stochastic"), [(5400.0, -0.94), (5820.0, 0.0), (6000.0, 0.51), (6200.0, 0.67)]
)
def test_the_published_example_reads_the_published_stochastic(spot, stochastic) -> None:
    got = vega_curve(example(spot), EXAMPLE_BOOK, width=0.25)
    assert got.stochastic == pytest.approx(stochastic, abs=0.04)


def test_a_risk_reversal_is_steepest_where_its_vega_is_nothing() -> None:
    K = np.array([5700.0, 6300.0])
    chain = surface([(expiry(24.0 * 30), K)], smile=skewed(iv=0.16, slope=0.0, bend=0.0))
    curve = vega_curve(chain, np.array([[0.0, 40_000.0], [-40_000.0, 0.0]]))
    assert curve.stochastic > 0.95
    assert curve.depth < 0.1


def test_vega_and_vanna_along_spot_are_every_contract_priced_anew() -> None:
    K = np.arange(5500.0, 6501.0, 100.0)
    chain = surface(
        [(expiry(24.0 * 9), K), (expiry(24.0 * 60), K)], smile=skewed(), rate=0.045, dividend=0.013
    )
    x = np.random.default_rng(0).normal(0, 1000.0, (2, 22))
    curve = vega_curve(chain, x)
    T, e = chain.years[chain.layout.expiry], chain.layout.expiry
    for j in range(0, len(curve.spots), 13):
        s = curve.spots[j]
        F = chain.forward[e] * s / chain.spot
        w = chain.iv * np.sqrt(T)
        d1 = np.log(F / chain.layout.strike) / w + w / 2
        vega = 0.01 * chain.discount[e] * F * norm.pdf(d1) * np.sqrt(T)
        vanna = 0.01 * chain.discount[e] * F / s * norm.pdf(d1) * (w - d1) / chain.iv
        held = x.sum(axis=0) * 100.0
        assert curve.vega[j] == pytest.approx(
            (vega * held).sum(), abs=1e-9 * np.abs(curve.vega).max()
        )
        assert curve.vanna[j] == pytest.approx(
            (vanna * held).sum(), abs=1e-9 * np.abs(curve.vanna).max()
        )


def test_vanna_is_the_slope_of_vega_and_agrees_with_the_total() -> None:
    chain = example()
    curve = vega_curve(chain, EXAMPLE_BOOK, step=0.0005)
    slope = np.gradient(curve.vega, curve.spots)
    assert np.allclose(slope[1:-1], curve.vanna[1:-1], atol=2e-4 * np.abs(curve.vanna).max())
    t = totals(row_exposures(chain, EXAMPLE_BOOK), EXAMPLE_BOOK, chain.layout)
    here = np.argmin(np.abs(curve.spots - chain.spot))
    assert curve.vega[here] == pytest.approx(t.vega, rel=1e-9)
    assert curve.vanna[here] * chain.spot == pytest.approx(t.vanna, rel=1e-9)


def test_spot_moved_beyond_all_strikes_is_told_apart_from_an_extreme_by_its_depth() -> None:
    far, extreme = (
        vega_curve(example(8000.0), EXAMPLE_BOOK),
        vega_curve(example(5820.0), EXAMPLE_BOOK),
    )
    assert abs(far.stochastic) < 0.1
    assert far.depth < 0.1
    assert abs(extreme.stochastic) < 0.05
    assert extreme.depth > 0.99


def test_per_sign_both_ends_can_be_reached() -> None:
    curve = vega_curve(example(), EXAMPLE_BOOK)
    rising = example(float(curve.spots[np.argmax(curve.vanna)]))
    assert vega_curve(rising, EXAMPLE_BOOK, normalise="per sign").stochastic > 0.999
    assert vega_curve(rising, EXAMPLE_BOOK).stochastic < 0.9


def test_expiries_within_a_day_are_left_out() -> None:
    K = np.array([5900.0, 6100.0])
    chain = surface([(expiry(4.0, date=TODAY), K), (expiry(24.0 * 9), K)])
    assert after_today(chain).tolist() == [False, True]
    assert after_today(chain, np.array([True, False])).tolist() == [False, False]
    x = np.array([[5.0, 5.0, 0.0, 0.0]] * 2)
    assert np.isnan(vega_curve(chain, x).stochastic)


def test_without_positions_there_is_no_stochastic() -> None:
    nothing = vega_curve(example(), np.full((2, 4), np.nan))
    assert np.isnan(nothing.stochastic)
    assert np.isnan(nothing.depth)
