"""What dealers trade."""

import numpy as np
import pytest
from scipy.stats import norm

from gexterm.exposure.hedging import delta_gained, hedge_flow
from gexterm.exposure.strikes import row_exposures, totals
from tests.exposure.market import expiry, skewed, surface, zero_dte

K = np.arange(5700.0, 6301.0, 25.0)


@pytest.fixture(scope="module")
def chain():
    return surface([(expiry(4.0), K), (expiry(240.0), K)], smile=skewed(), rate=0.04)


def book(chain, seed=0):
    return np.random.default_rng(seed).normal(0.0, 1000.0, (2, len(chain.layout)))


def flow(chain, x, scope=None):
    return hedge_flow(chain, x, totals(row_exposures(chain, x), x, chain.layout, scope), scope)


def test_a_dealer_short_gamma_buys_into_a_rise_and_sells_into_a_fall() -> None:
    got = flow(zero_dte(), np.full((2, 81), -100.0))
    assert got.per_up_1pct > 0.0 > got.per_down_1pct


def test_a_dealer_long_gamma_trades_against_the_move() -> None:
    got = flow(zero_dte(), np.full((2, 81), 100.0))
    assert got.per_up_1pct < 0.0 < got.per_down_1pct


def test_a_dealer_with_negative_charm_buys_as_time_passes() -> None:
    # Long a call above spot: its delta melts away, and with it the short hedge.
    x = np.zeros((2, 81))
    x[0, 44] = 1000.0
    chain = zero_dte()
    assert totals(row_exposures(chain, x), x, chain.layout).charm_hour < 0.0
    assert flow(chain, x).per_hour > 0.0


def test_one_per_cent_is_a_full_revaluation_of_delta(chain) -> None:
    x = book(chain)
    e = chain.layout.expiry
    want = 0.0
    for side, sign in ((0, 1.0), (1, -1.0)):
        carry = chain.discount[e] * chain.forward[e] / chain.spot
        w = chain.iv * np.sqrt(chain.years[e])

        def delta(s, sign=sign, carry=carry, w=w):
            d1 = np.log(chain.forward[e] * s / chain.spot / chain.layout.strike) / w + w / 2
            return sign * carry * norm.cdf(sign * d1)

        want += ((delta(6060.0) - delta(6000.0)) * x[side]).sum() * 100.0 * 6000.0
    assert flow(chain, x).per_up_1pct == pytest.approx(-want, rel=1e-9)


def test_a_small_move_comes_out_as_gex(chain) -> None:
    x = book(chain)
    gex = totals(row_exposures(chain, x), x, chain.layout).gex
    up, down = delta_gained(chain, x, np.array([1e-6, -1e-6]))
    assert up / 1e-4 == pytest.approx(gex, rel=1e-3)
    assert down / 1e-4 == pytest.approx(-gex, rel=1e-3)


def test_a_vol_point_and_an_hour_are_what_the_panels_beside_them_show(chain) -> None:
    x = book(chain)
    scope = np.array([True, False])
    t = totals(row_exposures(chain, x), x, chain.layout, scope)
    got = flow(chain, x, scope)
    assert got.per_vol_point == -t.vanna
    assert got.per_hour == -t.charm_hour


def test_without_positions_no_flow_is_known(chain) -> None:
    got = flow(chain, np.zeros((2, len(chain.layout))))
    assert np.isnan([got.per_up_1pct, got.per_down_1pct, got.per_vol_point, got.per_hour]).all()
