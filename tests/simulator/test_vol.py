"""The synthetic surface: sticky strikes, spot-vol beta, term structure, today's level."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.market.chain import Chain
from gexterm.market.settlement import expiry_of
from gexterm.pricing.black import price
from gexterm.pricing.chain import Pricer
from gexterm.pricing.variance_index import variance_indices
from gexterm.simulator.market import Market
from gexterm.simulator.script import Script, Series, SpotScript, Term
from gexterm.simulator.vol import PREMIUM

WEDNESDAY = dt.date(2026, 11, 18)
"""Thirty days before a third Friday."""
TENORS = tuple(Series("SPXW", days, 100, 0.05, 0.05, share=0.2) for days in (0, 1, 9, 30, 90))
TODAY, NEXT, NINE, THIRTY, NINETY = range(5)


def market(seed: int = 1, term: Term = "contango", **spot: Any) -> Market:
    return Market(
        Script(
            "a-day", "A day", seed, date=WEDNESDAY, chain=TENORS, term=term, spot=SpotScript(**spot)
        )
    )


def day(one: Market, every: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Spot and volatility at the money of all series, each `every` seconds."""
    spot, atm = [], []
    for second in range(one.seconds):
        if second:
            one.path.advance(second - 1, 0.0)
        one.surface.move(second, one.path.spot)
        if second % every == 0:
            spot.append(one.path.spot)
            atm.append(one.surface.atm.copy())
    return np.array(spot), np.array(atm)


@pytest.mark.parametrize("beta", [-0.7, -0.9, -1.25])
def test_a_regression_finds_beta_and_r_squared_at_thirty_days(beta: float) -> None:
    x, y = [], []
    for seed in (11, 12):
        spot, atm = day(market(seed, beta=beta, jumps=0.0))
        x.append(100 * np.diff(np.log(spot)))
        y.append(100 * np.diff(atm[:, THIRTY]))
    move, change = np.concatenate(x), np.concatenate(y)
    slope = move @ change / (move @ move)
    residual = change - slope * move
    error = np.sqrt((residual @ residual) / len(move) / (move @ move))
    assert abs(slope - beta) < 2 * error
    assert error < 0.05
    assert np.corrcoef(move, change)[0, 1] ** 2 == pytest.approx(0.57, abs=0.06)


def test_short_tenors_move_more() -> None:
    spot, atm = day(market(5))
    move = 100 * np.diff(np.log(spot))
    # Today's level also follows the day's own variance, which has nothing to do with spot.
    slopes = [
        move @ (100 * np.diff(atm[:, e])) / (move @ move) for e in (NEXT, NINE, THIRTY, NINETY)
    ]
    assert slopes == sorted(slopes)
    assert slopes[-1] == pytest.approx(-0.9 * np.sqrt(30 / 90), abs=0.12)


@pytest.mark.parametrize("percent", [-0.5, -0.1, 0.2, 0.5])
def test_volatility_sticks_to_its_strike(percent: float) -> None:
    # With the smile's own slope as beta, and no noise, only spot moves.
    surface = market(r_squared=1.0, beta=-1e-9).surface
    around = np.log(surface.forward[THIRTY]) + np.array([-1e-4, 1e-4])
    slope = np.diff(surface.vol(around, np.full(2, THIRTY, np.int32)))[0] / 2e-4
    surface = market(r_squared=1.0, beta=slope).surface
    strikes = np.log(np.arange(6200.0, 7000.0, 50.0))
    series = np.full(len(strikes), THIRTY, np.int32)
    before, at_money = surface.vol(strikes, series), surface.atm[THIRTY]
    surface.move(1, 6700.0 * float(np.exp(percent / 100)))
    # A twentieth of a vol point: smiles are no straight lines.
    assert surface.vol(strikes, series) == pytest.approx(before, abs=5e-4)
    assert 100 * (surface.atm[THIRTY] - at_money) == pytest.approx(slope * percent, rel=0.02)
    assert slope < -0.3


@pytest.mark.parametrize("beta", [-0.7, -1.25])
def test_all_strikes_shift_by_what_beta_is_more_than_the_smiles_slope(beta: float) -> None:
    surface = market(r_squared=1.0, beta=beta).surface
    strikes = np.log(np.arange(6200.0, 7000.0, 50.0))
    series = np.full(len(strikes), THIRTY, np.int32)
    before = surface.vol(strikes, series)
    surface.move(1, 6700.0 * float(np.exp(-0.01)))
    ratio = surface.vol(strikes, series) / before
    assert ratio == pytest.approx(np.full(len(strikes), ratio[0]), rel=1e-3)
    assert ratio[0] > 1.0


@pytest.mark.parametrize("hours", [0.0, 1.0, 3.0, 5.0, 6.4])
def test_todays_options_imply_a_little_more_than_spot_is_going_to_do(hours: float) -> None:
    one = market(beta=-1e-9)
    second = int(hours * 3600)
    one.surface.move(second, 6700.0)
    implied = one.surface.atm[TODAY] * np.sqrt(one.surface.years[TODAY])
    assert implied / one.path.to_close[second] == pytest.approx(PREMIUM)
    assert 1.0 <= PREMIUM <= 1.2


def test_todays_level_is_at_or_above_thirty_days() -> None:
    atm = day(market(7), every=600)[1]
    ratio = atm[:, TODAY] / atm[:, THIRTY]
    assert 1.0 < np.median(ratio) < 1.5


@pytest.mark.parametrize("term", ["contango", "inverted"])
def test_total_variance_grows_with_tenor(term: Term) -> None:
    surface = market(term=term).surface
    total = surface.atm**2 * surface.years
    assert (np.diff(total) > 0).all()


@pytest.mark.parametrize(
    ("term", "near", "far"),
    [("contango", (0.8, 0.97), (0.8, 0.97)), ("inverted", (1.05, 1.3), (1.05, 1.3))],
)
def test_the_variance_indices_show_the_term_structure(
    term: Term, near: tuple[float, float], far: tuple[float, float]
) -> None:
    one = Market(Script("a-day", "A day", 3, term=term, chain="medium"))
    chain = Chain(expiry_of)
    for event in (*one.opening_events(), *one.published(step := one.step(0))):
        chain.apply(event)
    rows = chain.rows(step.now)
    index = variance_indices(rows, Pricer().price(rows)[0])
    assert near[0] < index["iv_9d"] / index["iv_30d"] < near[1]
    assert far[0] < index["iv_30d"] / index["iv_90d"] < far[1]


@given(seed=st.integers(0, 10_000), series=st.sampled_from(range(5)), hours=st.floats(0.0, 6.0))
@settings(max_examples=25, deadline=None)
def test_prices_leave_no_arbitrage_along_strikes(seed: int, series: int, hours: float) -> None:
    one = market(seed, jumps=0.0)
    surface, second = one.surface, int(hours * 3600)
    spot = 6700.0 * float(np.exp(0.006 * np.sin(seed)))
    surface.move(second, spot)
    forward, years = surface.forward[series], surface.years[series]
    sd = surface.atm[series] * np.sqrt(years)
    strike = forward * np.exp(np.linspace(-5.0, 4.0, 200) * sd)
    vol = surface.vol(np.log(strike), np.full(200, series, np.int32))
    put = price(forward, strike, years, 1.0, vol, -1.0)
    slope = np.diff(put) / np.diff(strike)
    assert (slope > -1e-12).all() and (slope < 1.0 + 1e-12).all()
    assert (np.diff(slope) > -1e-6).all()


def test_puts_are_dearer_than_calls_at_the_same_distance() -> None:
    surface = market().surface
    for series in range(5):
        sd = surface.atm[series] * np.sqrt(surface.years[series])
        strike = np.log(surface.forward[series]) + sd * np.array([-1.5, 0.0, 1.5])
        low, middle, high = surface.vol(strike, np.full(3, series, np.int32))
        assert low > high
        assert low > middle
