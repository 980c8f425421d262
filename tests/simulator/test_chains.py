"""What a synthetic day lists, and what is open at its start."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import InputError
from gexterm.market import calendar
from gexterm.market.contracts import Right, Settlement
from gexterm.market.settlement import expiry_of
from gexterm.simulator.chains import PRESETS, expiry_date, series_of
from gexterm.simulator.listing import list_contracts
from gexterm.simulator.script import Script, Series
from gexterm.simulator.step import Listing

THURSDAY = dt.date(2026, 11, 19)
SESSIONS = st.dates(dt.date(2016, 1, 4), dt.date(2030, 12, 31)).filter(calendar.is_session)


def script(chain: str | tuple[Series, ...] = "small", date: dt.date = THURSDAY) -> Script:
    return Script("a-day", "A day", 1, date=date, chain=chain)


def listing(chain: str | tuple[Series, ...], date: dt.date = THURSDAY, seed: int = 1) -> Listing:
    day = script(chain, date)
    series = series_of(day)
    sd = 0.008 * np.sqrt([1.0 + s.days for s in series])
    return list_contracts(day, series, sd, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("chain", "fewest", "most"),
    [("small", 450, 750), ("medium", 2400, 3400), ("full", 10_000, 16_000)],
)
@given(date=SESSIONS)
@settings(max_examples=12, deadline=None)
def test_presets_are_as_large_as_their_names_say(
    chain: str, fewest: int, most: int, date: dt.date
) -> None:
    assert fewest <= len(listing(chain, date).contracts) <= most


@pytest.mark.parametrize("chain", PRESETS)
@given(date=SESSIONS)
@settings(max_examples=25, deadline=None)
def test_every_series_expires_on_a_day_on_which_it_really_could(chain: str, date: dt.date) -> None:
    series = series_of(script(chain, date))
    dates = [date + dt.timedelta(days=s.days) for s in series]
    assert len({(s.root, s.days) for s in series}) == len(series)
    for one, expires in zip(series, dates, strict=True):
        assert calendar.is_session(expires)
        settles = expiry_of(one.root, expires)
        if settles.settlement is Settlement.AM:
            assert expires > date
            friday = calendar.third_friday(expires.year, expires.month)
            assert expires == calendar.session_on_or_before(friday)
        else:
            assert settles.settles_at == calendar.session_close_ns(expires)


@pytest.mark.parametrize("chain", PRESETS)
@given(date=SESSIONS)
@settings(max_examples=12, deadline=None)
def test_most_customers_trade_what_expires_today(chain: str, date: dt.date) -> None:
    series = series_of(script(chain, date))
    assert sum(s.share for s in series) == pytest.approx(1.0)
    assert 0.55 <= sum(s.share for s in series if s.days == 0) <= 0.601
    assert all(s.share > 0 for s in series)


@pytest.mark.parametrize(("chain", "shortest", "longest"), [("small", 7, 42), ("medium", 23, 38)])
@given(date=SESSIONS)
@settings(max_examples=25, deadline=None)
def test_thirty_days_lie_between_two_expiries(
    chain: str, shortest: int, longest: int, date: dt.date
) -> None:
    days = [s.days for s in series_of(script(chain, date))]
    assert any(shortest <= d <= 30 for d in days)
    assert any(30 < d <= longest for d in days)


def test_a_monthly_expiry_lists_am_and_pm_apart() -> None:
    contracts = listing("medium").contracts
    third = calendar.third_friday(2026, 12)
    roots = {c.root for c in contracts if c.expiry == third}
    assert roots == {"SPX", "SPXW"}


def test_the_third_friday_of_a_good_friday_is_the_thursday_before() -> None:
    # 19 April 2019 was both.
    assert expiry_date("SPX", dt.date(2019, 4, 1), 14) == dt.date(2019, 4, 18)


def test_am_series_go_to_the_nearest_third_friday_to_come() -> None:
    assert expiry_date("SPX", THURSDAY, 0) == dt.date(2026, 11, 20)
    assert expiry_date("SPX", THURSDAY, 25) == dt.date(2026, 12, 18)
    assert expiry_date("SPX", dt.date(2026, 11, 20), 0) == dt.date(2026, 12, 18)


def test_series_that_meet_on_a_day_become_one() -> None:
    friday = dt.date(2026, 11, 20)
    chain = tuple(Series("SPXW", d, 25, 0.05, 0.05, share=0.25) for d in (0, 1, 2, 3))
    series = series_of(script(chain, friday))
    assert [s.days for s in series] == [0, 3]
    assert [s.share for s in series] == pytest.approx([0.25, 0.75])


def test_series_without_shares_trade_less_the_further_they_are() -> None:
    chain = tuple(Series("SPXW", d, 25, 0.05, 0.05) for d in (0, 1, 7))
    shares = [s.share for s in series_of(script(chain))]
    assert sum(shares) == pytest.approx(1.0)
    assert shares == sorted(shares, reverse=True)
    assert min(shares) > 0


def test_a_chain_beyond_all_reason_is_refused_in_a_line() -> None:
    with pytest.raises(InputError, match="contracts, more than"):
        series_of(script((Series("SPXW", 0, 0.5, 0.9, 3.0),)))


@pytest.fixture(scope="module")
def medium() -> Listing:
    return listing("medium")


def test_call_and_put_of_a_strike_are_neighbours(medium: Listing) -> None:
    for call, put in zip(medium.contracts[::2], medium.contracts[1::2], strict=True):
        assert (call.right, put.right) == (Right.CALL, Right.PUT)
        assert (call.root, call.expiry, call.strike) == (put.root, put.expiry, put.strike)
    assert (medium.strike[::2] == medium.strike[1::2]).all()
    assert (medium.sign[::2] == 1).all() and (medium.sign[1::2] == -1).all()


def test_columns_say_what_the_contracts_say(medium: Listing) -> None:
    series = series_of(script("medium"))
    for i, contract in enumerate(medium.contracts):
        assert contract.strike == medium.strike[i]
        assert contract.right.sign == medium.sign[i]
        assert contract.root == series[medium.series[i]].root
        settles = expiry_of(contract.root, contract.expiry).settles_at
        assert settles == medium.settles_at[i]
        closes = calendar.session_close_ns(THURSDAY)
        assert medium.today[i] == (settles == closes)


def test_strikes_lie_on_their_grid_within_their_reach(medium: Listing) -> None:
    for number, one in enumerate(series_of(script("medium"))):
        strike = medium.strike[medium.series == number]
        assert not (strike % one.step).any()
        assert 6700 * (1 - one.below) <= strike.min() < 6700 * (1 - one.below) + one.step
        assert 6700 * (1 + one.above) - one.step < strike.max() <= 6700 * (1 + one.above)


def test_open_interest_lies_out_of_the_money_and_on_round_strikes(medium: Listing) -> None:
    away = medium.sign * (medium.strike - 6700.0)
    held = medium.open_interest
    today = medium.today
    assert held[today & (away > 0)].sum() > 4 * held[today & (away < 0)].sum()
    near = today & (away > 0) & (away < 150)
    assert (
        held[near & (medium.strike % 50 == 0)].mean()
        > held[near & (medium.strike % 50 != 0)].mean()
    )
    assert (held >= 0).all() and (held == np.floor(held)).all()


def test_open_interest_fades_far_from_the_money(medium: Listing) -> None:
    away = medium.sign * (medium.strike - 6700.0)
    near = medium.today & (away > 20) & (away < 120)
    far = medium.today & (away > 280)
    assert medium.open_interest[far].mean() < 0.2 * medium.open_interest[near].mean()


def test_expiries_that_are_asked_for_less_hold_less() -> None:
    asked = {0: 3000.0, 1: 1500.0, 5: 500.0, 6: 200.0}
    chain = tuple(Series("SPXW", d, 5, 0.05, 0.05, level) for d, level in asked.items())
    day = listing(chain)
    busiest = [np.sort(day.open_interest[day.series == i])[-20:].mean() for i in range(4)]
    assert busiest == sorted(busiest, reverse=True)


def test_open_interest_is_as_uneven_as_luck() -> None:
    first, second = listing("small", seed=1), listing("small", seed=2)
    held = (first.open_interest > 20) & (second.open_interest > 20)
    ratio = np.log(first.open_interest[held] / second.open_interest[held])
    assert 0.5 < ratio.std() < 1.1
    assert abs(ratio.mean()) < 0.15
