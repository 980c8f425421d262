from __future__ import annotations

import dataclasses
import datetime as dt
import itertools

import numpy as np
import pytest

from gexterm.exposure.paradigm import LABELS
from gexterm.market.calendar import session_close_ns, session_open_ns
from gexterm.simulator.chains import series_of
from gexterm.simulator.customers import Customers
from gexterm.simulator.ladder import WISHES, Ladder
from gexterm.simulator.script import FlowScript, Intent
from gexterm.simulator.step import ORDERS, Step
from tests.simulator.traded import F64, Traded, script, trade, traded

MARKETABLE, IMPROVED, MID, RESTING, PACKAGE, CROSS = range(len(ORDERS))
PARADIGMS: list[Intent] = ["BofA", "GEX", "Anti-GEX", "Sidial"]


@pytest.fixture(scope="module")
def day() -> Traded:
    return traded()


def charm_sign(day: Traded) -> F64:
    """Sign of charm of who is long one: + for a strike below spot, − above, call or put."""
    return np.where(day.listing.strike[day.prints.contract] < day.spot, 1.0, -1.0)


def out_of_the_money(day: Traded) -> np.ndarray:
    """Customers' prints out of the money in today's expiry."""
    listing, contract = day.listing, day.prints.contract
    away = listing.sign[contract] * (listing.strike[contract] - day.spot)
    return listing.today[contract] & (away > 0.0) & (day.prints.customer != 0)


@pytest.mark.parametrize("intent", PARADIGMS)
def test_what_the_dealer_gains_reads_as_the_intended_paradigm(intent: Intent) -> None:
    day = traded(intent=intent)
    listing, contract = day.listing, day.prints.contract
    charm = day.prints.dealer * charm_sign(day) * listing.today[contract]
    below = listing.strike[contract] < day.spot
    signs = (int(np.sign(charm[below].sum())), int(np.sign(charm[~below].sum())))
    assert LABELS[signs] == intent


@pytest.mark.parametrize(
    ("intent", "mix"),
    [*((intent, "calibrated") for intent in PARADIGMS), ("BofA", "packages"), ("GEX", "packages")],
)
def test_the_tilt_is_net_over_gross_of_volume_out_of_the_money(intent: Intent, mix: str) -> None:
    day = traded(intent=intent, mix=mix)  # type: ignore[arg-type]
    below, above = WISHES[intent]
    wish = np.where(day.listing.strike[day.prints.contract] < day.spot, below, above)
    mine = out_of_the_money(day)
    size = day.prints.size[mine]
    net = float((day.prints.customer * wish)[mine] @ size)
    # Orders are of very different sizes, so that chance alone moves the net by a few percent.
    luck = float(np.sqrt(np.sum(size**2))) / size.sum()
    assert net / size.sum() == pytest.approx(0.15, abs=4.0 * luck)


def test_without_intent_nothing_is_wanted_beyond_chance() -> None:
    day = traded(intent="none")
    mine = out_of_the_money(day)
    below = day.listing.strike[day.prints.contract] < day.spot
    for side in (mine & below, mine & ~below):
        size = day.prints.size[side]
        net = float(day.prints.customer[side] @ size)
        assert abs(net) < 4.0 * float(np.sqrt(np.sum(size**2)))


def test_later_expiries_have_their_own_habits_whatever_the_intent() -> None:
    days = [traded(intent=intent) for intent in PARADIGMS]
    bought, gross = np.zeros(2), np.zeros(2)
    for day in days:
        prints, listing = day.prints, day.listing
        later = ~listing.today[prints.contract] & (prints.customer != 0)
        for i, sign in enumerate((1, -1)):
            mine = later & (listing.sign[prints.contract] == sign)
            bought[i] += float(prints.customer[mine] @ prints.size[mine])
            gross[i] += float(prints.size[mine].sum())
    calls, puts = bought / gross
    assert calls < -0.03
    assert puts > calls + 0.05


def test_the_same_seed_trades_the_same(day: Traded) -> None:
    again = trade.__wrapped__(day.script)
    for name in ("contract", "price", "size", "ts", "customer", "dealer", "package"):
        np.testing.assert_array_equal(getattr(again.prints, name), getattr(day.prints, name))
    other = traded(seed=2)
    assert len(other.prints.ts) != len(day.prints.ts)


def test_prints_are_in_order_of_time_and_within_their_second(day: Traded) -> None:
    for step, prints in zip(day.steps, day.seconds, strict=True):
        assert np.all(np.diff(prints.ts) >= 0)
        assert np.all((prints.ts >= step.now) & (prints.ts < step.now + 1_000_000_000))


def test_a_marketable_buy_prints_at_the_offer_and_takes_no_more_than_is_there(day: Traded) -> None:
    prints, (bid, ask, bid_size, ask_size) = day.prints, day.quote
    mine = prints.order == MARKETABLE
    buys = prints.customer > 0
    np.testing.assert_array_equal(prints.price[mine], np.where(buys, ask, bid)[mine])
    assert np.all(prints.size[mine] <= np.where(buys, ask_size, bid_size)[mine])


def test_a_resting_buy_prints_at_the_bid_often_in_the_size_it_displayed(day: Traded) -> None:
    prints, (bid, ask, bid_size, ask_size) = day.prints, day.quote
    mine = prints.order == RESTING
    buys = prints.customer > 0
    np.testing.assert_array_equal(prints.price[mine], np.where(buys, bid, ask)[mine])
    own = np.where(buys, bid_size, ask_size)[mine]
    assert np.all(prints.size[mine] <= own)
    assert 0.5 < np.mean(prints.size[mine] == own) < 0.75


def test_an_improved_print_is_inside_the_quote_and_no_better_than_fair(day: Traded) -> None:
    prints, (bid, ask, _, _) = day.prints, day.quote
    mine = prints.order == IMPROVED
    assert np.all((prints.price > bid)[mine] & (prints.price < ask)[mine])
    outside = (day.fair < bid) | (day.fair > ask)
    edge = prints.customer * (prints.price - day.fair)
    assert np.all(edge[mine & ~outside] > -1e-6)
    assert set(prints.condition[mine]) == {ord(c) for c in "Iabe"} | {32}


def test_a_mid_print_is_at_the_middle_and_depth_tells_more_often_than_not(day: Traded) -> None:
    prints, (bid, ask, bid_size, ask_size) = day.prints, day.quote
    middle = prints.price == 0.5 * (bid + ask)
    mine = (prints.order == MID) & middle
    assert np.count_nonzero(mine) > 0.95 * np.count_nonzero(prints.order == MID)
    told = mine & (bid_size != ask_size)
    right = np.sign(ask_size - bid_size)[told] == prints.customer[told]
    assert 0.55 < right.mean() < 0.75


def test_a_cross_is_nobodys_order_and_no_dealers(day: Traded) -> None:
    prints = day.prints
    mine = prints.order == CROSS
    assert np.array_equal(mine, prints.customer == 0)
    assert not prints.dealer[mine].any()
    assert set(prints.condition[mine]) == {ord("c"), ord("d")}


def test_a_dealer_is_there_nine_times_in_ten_and_takes_the_other_side(day: Traded) -> None:
    prints = day.prints
    own = prints.customer != 0
    there = prints.dealer != 0.0
    assert np.mean(there[own]) == pytest.approx(0.9, abs=0.02)
    expected = -prints.customer * prints.size
    np.testing.assert_array_equal(prints.dealer[there], expected[there])


def packages(day: Traded) -> list[np.ndarray]:
    number = day.prints.package
    order = np.argsort(number, kind="stable")
    order = order[number[order] >= 0]
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1)


def test_the_legs_of_a_package_share_a_time_and_a_ratio(day: Traded) -> None:
    prints = day.prints
    found = packages(day)
    assert len(found) > 300
    for legs in found:
        assert 2 <= len(legs) <= 4
        assert np.ptp(prints.ts[legs]) <= 5_000_000
        ratio = prints.size[legs] / prints.size[legs].min()
        assert set(ratio) <= {1.0, 2.0}
        assert len(set(prints.contract[legs])) == len(legs)
        assert len(set(day.listing.series[prints.contract[legs]])) == 1
        assert len(set(prints.condition[legs])) == 1
        assert chr(prints.condition[legs][0]) in "fgjit"
        dealt = prints.dealer[legs] != 0.0
        assert dealt.all() or not dealt.any()


def test_legs_lie_anywhere_in_their_quotes_and_only_their_sum_tells(day: Traded) -> None:
    prints, (bid, ask, _, _) = day.prints, day.quote
    legs = prints.order == PACKAGE
    inside = (prints.price >= np.minimum(bid, 0.01) - 1e-9) & (prints.price <= ask + 1e-9)
    assert np.all(inside[legs])
    mid = 0.5 * (bid + ask)
    by_leg = np.sign(prints.price - mid)[legs] == prints.customer[legs]
    assert 0.48 < by_leg.mean() < 0.60
    cost = prints.customer * prints.size * (prints.price - day.fair)
    by_sum = [cost[leg].sum() > 0.0 for leg in packages(day)]
    assert np.mean(by_sum) > 0.85


def test_a_net_price_lies_on_the_nickel_grid(day: Traded) -> None:
    prints = day.prints
    off = 0
    found = packages(day)
    for legs in found:
        ratio = prints.size[legs] / prints.size[legs].min()
        nickels = float(np.sum(prints.customer[legs] * ratio * prints.price[legs])) / 0.05
        off += abs(nickels - round(nickels)) > 1e-6
    # A leg's quote may leave no room for the last cent.
    assert off < 0.02 * len(found)


def test_volume_lies_out_of_the_money_between_10_and_35_delta(day: Traded) -> None:
    listing, contract = day.listing, day.prints.contract
    depth = np.concatenate(
        [np.abs(s.delta[p.contract]) for s, p in zip(day.steps, day.seconds, strict=True)]
    )
    today = listing.today[contract]
    size = day.prints.size
    peak = size[today & (depth > 0.08) & (depth < 0.40)].sum()
    assert peak > 0.6 * size[today].sum()
    mine = out_of_the_money(day)
    assert size[mine].sum() > 0.8 * size[today].sum()


def test_every_series_has_its_share_of_the_volume(day: Traded) -> None:
    traded_ = np.bincount(day.listing.series[day.prints.contract], day.prints.size)
    wanted = np.array([s.share for s in series_of(day.script)])
    np.testing.assert_allclose(traded_ / traded_.sum(), wanted, atol=0.06)


def whole_day(contracts: float, hold: Step) -> F64:
    """Contracts by half-hour over a session in which nothing else happens."""
    asked = script(flow=FlowScript(contracts=contracts))
    customers = Customers(asked, traded().listing, np.random.default_rng(5))
    opens, closes = session_open_ns(asked.date), session_close_ns(asked.date)
    sums = np.zeros(13)
    every = 5  # a fifth of the seconds are enough to see the shape
    for second in range(0, (closes - opens) // 10**9, every):
        step = dataclasses.replace(hold, second=second, now=opens + second * 10**9)
        sums[second // 1800] += customers.trade(step, "BofA").size.sum() * every
    return sums


def test_volume_is_u_shaped_and_adds_up_to_what_the_script_asks_for(day: Traded) -> None:
    quiet = dataclasses.replace(
        day.steps[0],
        flicker_contract=np.empty(0, np.int32),
        flicker_ts=np.empty(0, np.int64),
        flicker=np.empty((4, 0)),
    )
    by_half_hour = whole_day(1e6, quiet)
    assert by_half_hour.sum() == pytest.approx(1e6, rel=0.05)
    assert by_half_hour[[0, -1]].min() > 1.5 * by_half_hour[5:8].max()


def test_nothing_is_traded_outside_the_session(day: Traded) -> None:
    customers = Customers(day.script, day.listing, np.random.default_rng(1))
    opens, closes = session_open_ns(day.script.date), session_close_ns(day.script.date)
    for second, now in itertools.product(range(20), (opens - 10**9, closes)):
        step = dataclasses.replace(day.steps[0], second=second, now=now)
        assert not len(customers.trade(step, "BofA").ts)


def test_a_series_that_has_settled_is_not_traded(day: Traded) -> None:
    shares = np.array([s.share for s in series_of(day.script)])
    ladder = Ladder(day.listing, shares)
    before = ladder.weights(day.steps[0])
    assert before.sum() == pytest.approx(1.0)
    late = dataclasses.replace(day.steps[0], now=session_close_ns(day.script.date))
    after = ladder.weights(late)
    assert before[day.listing.today].sum() > 0.5
    assert after[day.listing.today].sum() == 0.0
    assert after.sum() == pytest.approx(1.0)


def test_a_market_without_quotes_is_not_traded(day: Traded) -> None:
    customers = Customers(day.script, day.listing, np.random.default_rng(1))
    nothing = np.zeros_like(day.steps[0].bid)
    dead = dataclasses.replace(
        day.steps[0],
        bid=nothing,
        ask=nothing,
        bid_size=nothing,
        ask_size=nothing,
        flicker_contract=np.empty(0, np.int32),
        flicker_ts=np.empty(0, np.int64),
        flicker=np.empty((4, 0)),
    )
    assert not any(len(customers.trade(dead, "BofA").ts) for _ in range(30))


def test_an_early_close_is_as_busy_in_fewer_hours() -> None:
    half_day = dataclasses.replace(script(2), date=dt.date(2026, 11, 27))
    assert len(trade(half_day).prints.ts) > 1.4 * len(trade(script(2)).prints.ts)
