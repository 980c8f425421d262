from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gexterm.simulator.mixes import CALIBRATED, MIXES, mixes_of
from gexterm.simulator.script import FlowScript, Mix
from gexterm.simulator.step import ORDERS
from tests.simulator.traded import GRAUER, Traded, accuracy, traded

RESTING = ORDERS.index("resting")


@pytest.fixture(scope="module")
def busy() -> Traded:
    """A busy stretch of the whole market: some 36,000 prints."""
    return traded(40, seed=3, chain="medium", contracts=1.8e6)


def test_the_calibrated_mix_is_as_hard_as_the_world(busy: Traded) -> None:
    """Quote rule, tick rule and Grauer stack score what the literature reports."""
    assert 30_000 < len(busy.prints.ts) < 45_000
    assert accuracy(busy, ("quote", "best")) == pytest.approx(61.0, abs=1.5)
    assert 50.0 <= accuracy(busy, ("tick", "all")) <= 57.0
    assert accuracy(busy, *GRAUER) == pytest.approx(75.5, abs=1.5)


def test_hybrid_rules_are_no_better_than_the_quote_rule(busy: Traded) -> None:
    assert accuracy(busy, ("lr", "best")) == pytest.approx(61.0, abs=1.5)
    assert accuracy(busy, ("emo", "best")) == pytest.approx(57.0, abs=3.0)
    assert accuracy(busy, ("clnv", "best")) == pytest.approx(59.0, abs=3.0)


@pytest.mark.parametrize(
    ("mix", "quote", "grauer"), [("packages", 68.0, 73.0), ("electronic", 81.5, 86.0)]
)
def test_the_other_mixes_bound_it_on_both_sides(mix: Mix, quote: float, grauer: float) -> None:
    day = traded(12, mix=mix, chain="medium")
    assert accuracy(day, ("quote", "best")) == pytest.approx(quote, abs=2.0)
    assert accuracy(day, *GRAUER) == pytest.approx(grauer, abs=2.0)


@pytest.mark.parametrize("mix", ["calibrated", "packages", "electronic"])
def test_shares_of_prints_are_those_of_the_mix(mix: Mix) -> None:
    preset = MIXES[mix]
    order = traded(12, mix=mix, chain="medium").prints.order
    shares = np.bincount(order, minlength=len(ORDERS)) / len(order)
    wanted = [getattr(preset, name) for name in ORDERS]
    np.testing.assert_allclose(shares, wanted, atol=0.025)


def test_packages_are_half_of_the_volume_where_they_are_many() -> None:
    prints = traded(12, mix="packages", chain="medium").prints
    assert 0.45 < prints.size[prints.package >= 0].sum() / prints.size.sum() < 0.6


def test_shares_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="add up to"):
        dataclasses.replace(CALIBRATED, resting=0.5)


def test_without_a_trap_buyers_and_sellers_trade_alike() -> None:
    buys, sells = mixes_of(FlowScript(mix="packages"))
    assert buys is sells


@pytest.mark.parametrize(("trap", "one_sided"), [("sells", -1), ("buys", +1)])
def test_in_the_trap_most_prints_are_signed_right_and_the_net_is_not(
    trap: str, one_sided: int
) -> None:
    """Of contracts, a tenth net is on the trapped side; the quote rule finds the opposite."""
    intent = "Sidial" if one_sided < 0 else "BofA"
    day = traded(10, intent=intent, trap=trap, tilt=0.10)  # type: ignore[arg-type]
    prints = day.prints
    assert 83.0 <= accuracy(day, ("quote", "best")) <= 88.0
    mid = 0.5 * (day.quote[0] + day.quote[1])
    today = day.listing.today[prints.contract] & (prints.customer != 0)
    seen = np.sign(prints.price - mid)
    size = prints.size[today]
    truth = float(prints.customer[today] @ size) / size.sum()
    found = float(seen[today] @ size) / size.sum()
    assert truth == pytest.approx(one_sided * 0.10, abs=0.03)
    assert one_sided * found < -0.15


def test_the_trap_shows_in_prints_at_the_size_of_the_quote_on_one_side() -> None:
    day = traded(10, intent="Sidial", trap="sells", tilt=0.10)
    prints, (_, ask, bid_size, ask_size) = day.prints, day.quote
    resting = prints.order == RESTING
    assert set(prints.customer[resting]) == {-1}
    np.testing.assert_array_equal(prints.price[resting], ask[resting])
    single = (prints.package < 0) & (prints.customer != 0)
    at_offer = np.mean((prints.size == ask_size)[single])
    at_bid = np.mean((prints.size == bid_size)[single])
    assert at_offer > 0.10 and at_offer > 3 * at_bid
