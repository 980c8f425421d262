"""The whole chain in one step: what is known comes out, what is not is NaN with a reason."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.market.chain import CALL, PUT, Rows, build_layout
from gexterm.pricing import chain as chain_module
from gexterm.pricing.black import greeks
from gexterm.pricing.chain import Pricer, QuoteHealth, carry_rate
from gexterm.pricing.implied import Reason
from gexterm.pricing.surface import Surface
from tests.pricing.market import (
    DAY_S,
    HOUR_S,
    NOW,
    layout_of,
    listed_strikes,
    quoted,
    rows_of,
    skewed,
)

SPOT, RATE, DIVIDEND = 6000.0, 0.04, 0.01
SECONDS = [4 * HOUR_S, DAY_S + 4 * HOUR_S, 9 * DAY_S, 30 * DAY_S, 100 * DAY_S, 400 * DAY_S]


def layout(seconds=tuple(SECONDS), count=90):
    return layout_of(
        seconds, [listed_strikes(SPOT, max(s, 0) / (365 * DAY_S), count) for s in seconds]
    )


def with_quotes(rows: Rows, bid, ask, **changes) -> Rows:
    return dataclasses.replace(rows, bid=bid, ask=ask, **changes)


def truth(rows: Rows, surface: Surface):
    """Greeks at the volatility, rate and forward that the quotes were made from."""
    T = surface.years[rows.layout.expiry]
    F = SPOT * np.exp((RATE - DIVIDEND) * T)
    K = rows.layout.strike
    sigma = np.concatenate(
        [skewed(np.log(K / F)[rows.layout.slice(i)], t) for i, t in enumerate(surface.years)]
    )
    return sigma, [greeks(SPOT, F, K, T, np.exp(-RATE * T), sigma, s) for s in (1.0, -1.0)]


@pytest.mark.parametrize("rate", [RATE, None], ids=["rate given", "rate implied"])
def test_what_made_the_quotes_comes_out(rate):
    rows = quoted(layout())
    surface, health = Pricer(rate).price(rows)
    T = surface.years
    forward = SPOT * np.exp((RATE - DIVIDEND) * T)
    np.testing.assert_allclose(surface.forward, forward, atol=0.15)
    np.testing.assert_allclose(surface.discount, np.exp(-RATE * T), rtol=1e-3)
    sigma, (call, put) = truth(rows, surface)
    traded = (np.abs(call.delta) > 0.02) & (np.abs(put.delta) > 0.02)
    np.testing.assert_allclose(surface.iv[traded], sigma[traded], rtol=0.02)
    np.testing.assert_allclose(surface.atm_iv, [skewed(np.zeros(1), t)[0] for t in T], rtol=0.01)
    for name in ("gamma", "vega"):
        true = getattr(call, name)
        np.testing.assert_allclose(
            getattr(surface, name)[traded], true[traded], rtol=0.05, err_msg=name
        )
    for name in ("delta", "charm", "theta"):
        for side, true in ((CALL, call), (PUT, put)):
            scale = np.abs(getattr(true, name)).max()
            mine = getattr(surface, name)[side]
            assert np.abs(mine - getattr(true, name))[traded].max() < 0.02 * scale, name
    assert health.rate_source == ("implied" if rate is None else "given")
    assert health.spot_source == "given"
    assert health.warnings == ()
    assert health.contracts == 2 * len(rows.layout)
    assert 0.4 < health.quoted_share <= 1.0


def test_gamma_by_strike_is_that_of_the_quotes_themselves():
    rows = quoted(layout(), seed=3)
    surface, _ = Pricer().price(rows)
    e = rows.layout.expiry
    own = greeks(
        SPOT,
        surface.forward[e],
        rows.layout.strike,
        surface.years[e],
        surface.discount[e],
        surface.raw_iv,
        1.0,
    ).gamma
    seen = np.isfinite(own)
    for i in range(len(surface.forward)):
        mine = seen & (e == i)
        assert surface.gamma[mine].sum() == pytest.approx(own[mine].sum(), rel=0.01)


def test_the_second_tick_is_the_first_one_again():
    rows = quoted(layout())
    pricer = Pricer()
    first, _ = pricer.price(rows)
    second, _ = pricer.price(rows)
    np.testing.assert_allclose(second.forward, first.forward, rtol=1e-9)
    np.testing.assert_allclose(second.gamma, first.gamma, rtol=5e-3, atol=1e-9)


def test_the_same_chains_give_the_same_surfaces():
    grid = layout()
    day = [quoted(grid, seed=s, spot=SPOT + s, as_of=NOW + s * 10**9) for s in range(4)]
    one, other = Pricer(), Pricer()
    for rows in day:
        a, b = one.price(rows)[0], other.price(rows)[0]
        np.testing.assert_array_equal(a.iv, b.iv)
        np.testing.assert_array_equal(a.charm, b.charm)
    assert a.smile_kind == b.smile_kind


def test_a_surface_is_not_written_over_by_the_next_tick():
    grid = layout()
    pricer = Pricer()
    first, _ = pricer.price(quoted(grid))
    kept = {
        f.name: np.copy(getattr(first, f.name))
        for f in dataclasses.fields(first)
        if isinstance(getattr(first, f.name), np.ndarray)
    }
    pricer.price(quoted(grid, seed=9, spot=5900.0))
    for name, array in kept.items():
        np.testing.assert_array_equal(getattr(first, name), array, err_msg=name)


def test_a_settled_expiry_is_nan_and_the_others_are_not():
    grid = layout((4 * HOUR_S, 30 * DAY_S))
    rows = quoted(grid, as_of=NOW + round(5 * HOUR_S * 1e9))
    surface, health = Pricer().price(rows)
    gone, alive = grid.slice(0), grid.slice(1)
    assert surface.seconds[0] < 0
    for name in ("delta", "gamma", "vega", "vanna", "charm", "theta", "iv", "raw_iv"):
        array = getattr(surface, name)
        assert np.isnan(array[..., gone]).all()
        if name != "raw_iv":
            assert np.isfinite(array[..., alive]).all()
    assert (surface.iv_reason[gone] == Reason.SETTLED).all()
    assert surface.smile_kind[0] == "none"
    assert health.contracts == 2 * (alive.stop - alive.start)


def test_time_is_floored_at_a_minute():
    grid = layout_of([7.0], SPOT + 5.0 * np.arange(-10, 11))
    surface, _ = Pricer().price(quoted(grid))
    assert surface.years[0] == pytest.approx(60 / (365 * DAY_S))
    assert surface.seconds[0] == pytest.approx(7.0)


def test_without_a_two_sided_quote_everything_is_nan_and_the_health_says_so():
    grid = layout()
    nothing = np.full((2, len(grid)), np.nan)
    surface, health = Pricer().price(rows_of(grid, nothing, nothing, SPOT))
    assert np.isnan(surface.gamma).all()
    assert np.isnan(surface.forward).all()
    assert set(surface.smile_kind) == {"none"}
    assert (surface.iv_reason == Reason.NO_FORWARD).all()
    assert "no contract is quoted on both sides" in health.warnings[0]
    assert health.quoted_share == 0.0


def test_a_chain_of_nothing_is_no_accident():
    grid = build_layout([], lambda root, date: None)
    empty = np.empty((2, 0))
    surface, health = Pricer().price(rows_of(grid, empty, empty, SPOT))
    assert len(surface.gamma) == 0
    assert np.isnan(health.quoted_share)


def test_spot_not_given_is_the_nearest_forward_and_said_so():
    rows = quoted(layout(), given_spot=float("nan"))
    surface, health = Pricer().price(rows)
    assert health.spot_source == "forward"
    assert surface.spot == pytest.approx(SPOT, abs=0.5)
    assert "spot not given" in health.warnings[0]
    assert np.isfinite(surface.delta).all()


@pytest.mark.parametrize(("behind_s", "source"), [(3_600, "old"), (930, "given"), (0, "given")])
def test_an_index_that_stands_still_while_its_options_trade_is_no_spot(behind_s: int, source: str):
    rows = quoted(layout(), given_spot=SPOT * 0.99)
    rows = dataclasses.replace(rows, spot_ts=rows.as_of - behind_s * 1_000_000_000)
    surface, health = Pricer().price(rows)
    assert health.spot_source == source
    if source == "old":
        assert surface.spot == pytest.approx(SPOT, abs=0.5)
        assert "stands still" in health.warnings[0]


def test_a_market_that_is_closed_altogether_keeps_its_spot():
    rows = quoted(layout())
    closed = rows.as_of - 7_200_000_000_000
    rows = dataclasses.replace(rows, spot_ts=closed, quote_ts=np.full_like(rows.quote_ts, closed))
    assert Pricer().price(rows)[1].spot_source == "given"


def test_a_crossed_quote_is_bridged_for_two_seconds():
    grid = layout_of([4 * HOUR_S], SPOT + 5.0 * np.arange(-40, 41))
    rows = quoted(grid)
    at = int(np.searchsorted(grid.strike, 6010.0))
    pricer = Pricer()
    before, _ = pricer.price(rows)
    bid = rows.bid.copy()
    bid[:, at] = rows.ask[:, at] + 0.1
    soon, health = pricer.price(with_quotes(rows, bid, rows.ask, as_of=NOW + 1_900_000_000))
    assert health.crossed == 2
    assert soon.raw_iv[at] == pytest.approx(before.raw_iv[at], rel=1e-3)
    later, health = pricer.price(with_quotes(rows, bid, rows.ask, as_of=NOW + 2_100_000_000))
    assert np.isnan(later.raw_iv[at])
    assert later.iv_reason[at] == Reason.CROSSED
    # The strike keeps its place on the smile.
    assert later.iv[at] == pytest.approx(before.iv[at], rel=1e-2)


def test_a_locked_quote_counts_as_crossed():
    rows = quoted(layout_of([4 * HOUR_S], SPOT + 5.0 * np.arange(-40, 41)))
    ask = rows.ask.copy()
    ask[PUT, 30] = rows.bid[PUT, 30]
    _, health = Pricer().price(with_quotes(rows, rows.bid, ask))
    assert health.crossed == 1


def test_after_a_step_back_in_time_nothing_is_remembered():
    grid = layout()
    pricer = Pricer()
    rows = quoted(grid)
    fresh, _ = Pricer().price(rows)
    pricer.price(quoted(grid, seed=5, spot=5800.0, as_of=NOW + 10**12))
    again, _ = pricer.price(rows)
    np.testing.assert_array_equal(again.iv, fresh.iv)


def test_what_is_wrong_with_quotes_is_counted():
    grid = layout_of([4 * HOUR_S, 30 * DAY_S], SPOT + 5.0 * np.arange(-40, 41))
    rows = quoted(grid)
    bid, ask = rows.bid.copy(), rows.ask.copy()
    zero = int((bid == 0).sum())
    bid[CALL, 100], ask[CALL, 101], bid[PUT, 102] = -1.0, np.inf, np.nan
    bid[CALL, 103] += 6.0
    ask[CALL, 103] += 6.0
    _, health = Pricer().price(with_quotes(rows, bid, ask))
    assert health.bad_price == 2
    assert health.zero_bid == zero
    assert health.stale == 2
    assert health.two_sided == int(((rows.bid > 0) & (rows.ask > rows.bid)).sum()) - 3


def test_a_strike_without_its_put_is_priced_all_the_same():
    grid = layout_of([4 * HOUR_S], SPOT + 5.0 * np.arange(-40, 41))
    contract = grid.contract.copy()
    contract[PUT, 20] = -1
    grid = dataclasses.replace(grid, contract=contract)
    rows = quoted(grid)
    bid, ask = rows.bid.copy(), rows.ask.copy()
    bid[PUT, 20] = ask[PUT, 20] = np.nan
    surface, health = Pricer().price(with_quotes(rows, bid, ask))
    assert np.isfinite(surface.gamma[20])
    assert health.contracts == 2 * 81 - 1


def test_in_the_money_quotes_speak_only_where_the_other_side_is_silent():
    grid = layout_of([30 * DAY_S], SPOT + 5.0 * np.arange(-40, 41))
    rows = quoted(grid, spread_ticks=0.1, wider=1e-5)
    bid, ask = rows.bid.copy(), rows.ask.copy()
    bid[PUT, 25] = ask[PUT, 25] = np.nan
    bid[PUT, 20] = 0.0
    surface, _ = Pricer(RATE).price(with_quotes(rows, bid, ask))
    full, _ = Pricer(RATE).price(rows)
    assert surface.raw_iv[25] == pytest.approx(full.raw_iv[25], rel=0.02)
    assert np.isnan(surface.raw_iv[20])
    assert surface.iv_reason[20] == Reason.ZERO_BID


def test_on_the_last_day_charm_does_not_swing_with_a_late_index():
    """Two points between index and options are no carry of 70 % a year."""
    together, _ = Pricer(RATE).price(quoted(layout()))
    late, _ = Pricer(RATE).price(quoted(layout(), given_spot=SPOT + 2.0))
    today = together.layout.slice(0)
    assert late.carry is not None and together.carry is not None
    assert late.carry[0] == pytest.approx(RATE - DIVIDEND, abs=0.01)
    scale = np.abs(together.charm[:, today]).max()
    assert np.abs(late.charm - together.charm)[:, today].max() < 0.002 * scale


def test_carry_is_the_definition_where_more_than_a_day_is_left():
    years = np.array([0.5 / 365, 2 / 365, 30 / 365, 1.0])
    forward = 100.0 * np.exp(0.03 * years)
    np.testing.assert_allclose(carry_rate(100.0, forward, years), 0.03, rtol=1e-9)
    late = carry_rate(100.1, forward, years)
    np.testing.assert_allclose(late[1:], np.log(forward[1:] / 100.1) / years[1:], rtol=1e-9)
    assert late[0] == pytest.approx(0.03)


def test_a_move_of_spot_is_followed_in_one_tick():
    grid = layout()
    pricer = Pricer()
    pricer.price(quoted(grid))
    moved = quoted(grid, spot=SPOT * 0.97, as_of=NOW + 10**9)
    warm, _ = pricer.price(moved)
    cold, _ = Pricer().price(moved)
    np.testing.assert_allclose(warm.forward, cold.forward, atol=0.1)
    near = np.abs(warm.delta[CALL] - 0.5) < 0.45
    np.testing.assert_allclose(warm.iv[near], cold.iv[near], rtol=0.01)


numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-10.0, 500.0),
    st.sampled_from([0.0, 0.05, 5.0, np.nan]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(numbers, min_size=72, max_size=72), numbers, st.booleans())
def test_no_quote_raises_or_warns(values, spot, twice):
    grid = layout_of([600.0, 3 * DAY_S, -5.0], SPOT + 25.0 * np.arange(-3, 3))
    bid, ask = np.array(values).reshape(2, 2, 18)
    pricer = Pricer()
    for step in range(1 + twice):
        surface, health = pricer.price(rows_of(grid, bid, ask, spot, NOW + step * 10**9))
        assert isinstance(health, QuoteHealth)
        assert np.isfinite(surface.raw_iv).sum() == (surface.iv_reason == Reason.OK).sum()
        assert not np.isinf(surface.gamma).any()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.0, 0.3))
def test_holes_in_the_quotes_do_not_bend_what_is_left(seed, share):
    rows = quoted(layout((4 * HOUR_S, 30 * DAY_S)), seed=seed)
    hole = np.random.default_rng(seed).random(rows.bid.shape) < share
    full, _ = Pricer(RATE).price(rows)
    holed, _ = Pricer(RATE).price(
        with_quotes(rows, np.where(hole, np.nan, rows.bid), np.where(hole, np.nan, rows.ask))
    )
    near = np.abs(full.delta[CALL] - 0.5) < 0.4
    np.testing.assert_allclose(holed.iv[near], full.iv[near], rtol=0.05)


def test_a_forward_of_nothing_is_no_spot() -> None:
    spot, source = chain_module._spot(0.0, np.array([np.nan, 0.0]), old=False)
    assert np.isnan(spot) and source == "none"
    assert chain_module._spot(0.0, np.array([0.0, SPOT]), old=False) == (SPOT, "forward")
