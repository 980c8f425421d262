from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gexterm.exposure.paradigm import LABELS
from gexterm.market.calendar import session_close_ns, session_open_ns
from gexterm.simulator.check import span_ns
from gexterm.simulator.dealer import Dealer
from gexterm.simulator.script import FlowScript, Intent
from tests.simulator.traded import Traded, script, traded

NS = 1_000_000_000


@pytest.fixture(scope="module")
def day() -> Traded:
    return traded()


def dealer(day: Traded, **flow: object) -> Dealer:
    asked = dataclasses.replace(
        day.script,
        flow=dataclasses.replace(day.script.flow, **flow),  # type: ignore[arg-type]
    )
    return Dealer(asked, day.listing, np.random.default_rng(3))


@pytest.mark.parametrize("intent", ["BofA", "GEX", "Anti-GEX", "Sidial"])
def test_the_day_begins_with_a_book_of_the_intended_paradigm(intent: Intent) -> None:
    day = traded(intent=intent)
    x = dealer(day).inventory * day.listing.today
    spot = day.script.spot.open
    charm = x * np.where(day.listing.strike < spot, 1.0, -1.0)
    below = day.listing.strike < spot
    assert LABELS[int(np.sign(charm[below].sum())), int(np.sign(charm[~below].sum()))] == intent


def test_opening_inventory_is_a_part_of_what_the_tilt_is_going_to_add(day: Traded) -> None:
    flow = day.script.flow
    modest = dealer(day, contracts=1e5)
    held = float(np.abs(modest.inventory[day.listing.today]).sum())
    begins, ends = span_ns(day.script)
    to_come = 1e5 * 0.6 * flow.tilt * flow.dealer_share * (ends - begins) / (6.5 * 3600 * NS)
    assert held == pytest.approx(flow.opening_inventory * to_come, rel=0.25)
    none = dealer(day, opening_inventory=0.0)
    assert not none.inventory[day.listing.today].any()


def test_a_day_without_intent_begins_with_nothing_in_todays_expiry() -> None:
    day = traded(intent="none")
    assert not dealer(day).inventory[day.listing.today].any()


def test_nobody_holds_more_than_there_is(day: Traded) -> None:
    greedy = dealer(day, contracts=1e9, opening_inventory=1.0)
    assert np.all(np.abs(greedy.inventory) <= day.listing.open_interest)


def test_later_expiries_are_long_calls_and_short_puts_on_the_whole(day: Traded) -> None:
    later = ~day.listing.today
    held = dealer(day).inventory
    assert held[later & (day.listing.sign > 0)].sum() > 0.0
    far = later & (day.listing.settles_at > day.steps[0].now + 20 * 86_400 * NS)
    assert held[far & (day.listing.sign < 0)].sum() < 0.0


def test_inventory_is_what_he_began_with_and_what_the_prints_gave_him(day: Traded) -> None:
    one = dealer(day)
    opening = one.inventory.copy()
    for prints in day.seconds:
        one.take(prints)
    gained = np.bincount(day.prints.contract, day.prints.dealer, len(opening))
    np.testing.assert_array_equal(one.inventory, opening + gained)


def test_his_delta_is_that_of_what_he_holds(day: Traded) -> None:
    one, step = dealer(day), day.steps[0]
    expected = sum(
        x * d * 100.0 * step.spot for x, d in zip(one.inventory, step.delta, strict=True)
    )
    assert one.net_delta(step) == pytest.approx(expected)


def hedged(day: Traded, minutes_to_close: float, seconds: int) -> list[float]:
    """What he trades a second once his options' delta has jumped by $100m."""
    one = dealer(day)
    now = session_close_ns(day.script.date) - int(minutes_to_close * 60) * NS
    step = dataclasses.replace(day.steps[0], now=now)
    assert one.hedge(step, 5e8) == 0.0  # the day begins hedged
    return [one.hedge(step, 6e8) for _ in range(seconds)]


def test_a_dealer_who_got_longer_sells_until_he_is_near_flat(day: Traded) -> None:
    trades = hedged(day, 300.0, 4000)
    assert all(trade <= 0.0 for trade in trades)
    assert -100e6 < sum(trades) < -85e6
    assert trades[-1] == 0.0


def test_between_half_past_one_and_three_he_hedges_faster(day: Traded) -> None:
    before, oclock, after = (sum(hedged(day, m, 60)) for m in (200.0, 120.0, 30.0))
    assert oclock < 3.0 * before < 0.0
    assert oclock < 3.0 * after < 0.0


def test_a_move_of_spot_alone_changes_what_his_hedge_is_worth(day: Traded) -> None:
    one, step = dealer(day), day.steps[0]
    one.hedge(step, 5e8)
    higher = dataclasses.replace(step, spot=step.spot * 1.01)
    assert one.hedge(higher, 5.05e8) == pytest.approx(0.0, abs=1.0)


def test_the_same_seed_opens_the_same(day: Traded) -> None:
    np.testing.assert_array_equal(dealer(day).inventory, dealer(day).inventory)


def test_an_empty_series_today_is_no_trouble() -> None:
    asked = dataclasses.replace(script(flow=FlowScript()), begins=None, ends=None)
    day = traded()
    later = dataclasses.replace(day.listing, today=np.zeros_like(day.listing.today))
    assert session_open_ns(asked.date)
    assert np.isfinite(Dealer(asked, later, np.random.default_rng(1)).inventory).all()
