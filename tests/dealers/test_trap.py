"""Resting orders of one side fill at the other side's price, and deceive whoever goes by it."""

import math

import numpy as np
import pytest

from gexterm.dealers.evidence import Evidence
from gexterm.dealers.flow import Flow
from gexterm.dealers.trap import Trap, TrapSettings, detect
from gexterm.simulator.script import FlowScript, Mix
from gexterm.simulator.script import Trap as RestingSide
from gexterm.simulator.step import ORDERS
from tests.simulator.traded import Traded, script, trade

KINDS = 35


def day(
    rng: np.random.Generator,
    *,
    prints: int = 4000,
    tilt: float = -0.10,
    rest_buys: float = 0.26,
    rest_sells: float = 0.26,
    whole: float = 0.58,
    unsigned: float = 0.1,
    contracts: int = 40,
) -> tuple[Flow, float, float]:
    """A made-up day, signed by size, then by the quote; and the dealer's net, estimated and true.

    Customers buy with probability (1 + tilt)/2. Orders that rest print at their own side
    of the quote; `whole` of them fill at the displayed size and are signed rightly.
    """
    buys = rng.random(prints) < 0.5 * (1.0 + tilt)
    rests = rng.random(prints) < np.where(buys, rest_buys, rest_sells)
    matched = rests & (rng.random(prints) < whole)
    size = np.maximum(1.0, np.round(rng.lognormal(1.0, 1.0, prints)))
    contract = rng.integers(0, contracts, prints)
    evidence = np.where(matched, Evidence.SIZE, Evidence.AT_QUOTE)
    sold = np.where(rests & ~matched, ~buys, buys)  # dealer sold, as the signer has it
    amount = np.zeros((KINDS, 2, contracts))
    np.add.at(amount, (evidence, sold.astype(int), contract), size)
    amount[Evidence.MID] = 0.5 * unsigned * size.sum() / contracts
    mean = amount[:20, 0].sum(axis=0) - amount[:20, 1].sum(axis=0)
    true = float(np.where(buys, -size, size).sum() / size.sum())
    return Flow(mean, np.zeros(contracts), amount, 1, prints), float(mean.sum() / size.sum()), true


@pytest.mark.parametrize("seed", range(5))
def test_sells_that_rest_turn_the_estimated_net_round_and_are_flagged(seed: int) -> None:
    flow, estimated, true = day(np.random.default_rng(seed), rest_buys=0.0, rest_sells=0.5)
    assert true > 0.0
    assert estimated < true - 0.15
    trap = detect(flow)
    assert trap.on
    assert trap.side == "sells"


def test_buys_that_rest_are_flagged_as_buys() -> None:
    flow, _, _ = day(np.random.default_rng(0), tilt=0.1, rest_buys=0.4, rest_sells=0.0)
    trap = detect(flow)
    assert trap.side == "buys"
    assert "customers' buys" in trap.why
    assert "\n" not in trap.why


@pytest.mark.parametrize("tilt", [-0.2, -0.1, 0.0, 0.1, 0.2])
@pytest.mark.parametrize("seed", range(4))
def test_a_market_where_both_sides_rest_is_not_flagged_however_customers_lean(tilt, seed) -> None:
    flow, _, _ = day(np.random.default_rng(seed), tilt=tilt)
    trap = detect(flow)
    assert not trap.on
    assert trap.why == ""
    assert trap.side == ""


def test_few_prints_say_nothing() -> None:
    flow, _, _ = day(np.random.default_rng(0), prints=150, rest_buys=0.0, rest_sells=0.4)
    assert not detect(flow).on


def test_a_few_resting_orders_in_a_large_market_do_no_harm_and_raise_no_alarm() -> None:
    flow, estimated, true = day(
        np.random.default_rng(0), prints=30_000, rest_buys=0.0, rest_sells=0.05
    )
    assert not detect(flow).on
    assert abs(estimated - true) < 0.05


def test_customers_who_all_sell_are_no_trap_where_the_quote_says_so_too() -> None:
    flow, _, _ = day(np.random.default_rng(0), tilt=-0.9, rest_sells=0.1, rest_buys=0.1)
    suspicion = detect(flow).overall
    assert suspicion.lean > 0.8
    assert not suspicion.on


def test_a_trap_in_one_group_is_named_after_it() -> None:
    trapped, _, _ = day(np.random.default_rng(0), prints=2000, rest_buys=0.0, rest_sells=0.4)
    ordinary, _, _ = day(np.random.default_rng(1), prints=20_000)
    flow = Flow(
        np.concatenate([trapped.mean, ordinary.mean]),
        np.zeros(80),
        np.concatenate([trapped.amount, ordinary.amount], axis=2),
        1,
        22_000,
    )
    first = np.arange(80) < 40
    trap = detect(flow, (("calls of today", first), ("puts of today", ~first)))
    assert trap.on
    assert not trap.overall.on
    assert [group.on for group in trap.groups] == [True, False]
    assert "in calls of today" in trap.why
    assert trap.side == "sells"


def test_no_flow_is_no_trap() -> None:
    trap: Trap = detect(Flow(np.zeros(3), np.zeros(3), np.zeros((KINDS, 2, 3))))
    assert not trap.on
    assert math.isnan(trap.share)
    assert trap.overall.doubtful == 0.0


def test_doubtful_is_what_was_found_by_size_and_nothing_where_all_is_well() -> None:
    flow, _, _ = day(np.random.default_rng(0), rest_buys=0.0, rest_sells=0.4)
    found = detect(flow).overall
    assert found.doubtful == pytest.approx(found.share * abs(found.lean))
    assert detect(flow, settings=TrapSettings(share=0.9)).overall.doubtful == 0.0


def test_only_size_matches_cannot_be_held_against_anything_and_are_judged_by_their_lean() -> None:
    amount = np.zeros((KINDS, 2, 1))
    amount[Evidence.SIZE, 0] = 500.0
    assert detect(Flow(np.array([500.0]), np.zeros(1), amount, 1, 300)).on


def signed_by_size_and_quote(traded: Traded) -> Flow:
    """What a plain signer makes of a simulated stretch: size matches, then the quote."""
    prints, (bid, ask, bid_size, ask_size) = traded.prints, traded.quote
    size, n = prints.size, len(traded.listing.contracts)
    single = (prints.package < 0) & (prints.order != ORDERS.index("cross"))
    at_bid = single & (size == bid_size) & (size != ask_size)
    at_ask = single & (size == ask_size) & (size != bid_size)
    above = single & (prints.price > 0.5 * (bid + ask) + 1e-9)
    below = single & (prints.price < 0.5 * (bid + ask) - 1e-9)
    matched = at_bid | at_ask
    evidence = np.where(matched, Evidence.SIZE, np.where(above | below, Evidence.AT_QUOTE, 20))
    sold = np.where(matched, at_bid, above)
    amount = np.zeros((KINDS, 2, n))
    np.add.at(amount, (evidence, sold.astype(int), prints.contract), size)
    return Flow(np.zeros(n), np.zeros(n), amount, 1, len(size))


@pytest.mark.parametrize("mix", ["calibrated", "packages", "electronic"])
def test_ordinary_simulated_days_raise_no_alarm(mix: Mix) -> None:
    traded = trade(script(8, seed=4, flow=FlowScript(mix=mix, contracts=2e6, tilt=0.2)))
    today, calls = traded.listing.today, traded.listing.sign > 0.0
    groups = (("calls of today", today & calls), ("puts of today", today & ~calls))
    assert not detect(signed_by_size_and_quote(traded), groups).on


@pytest.mark.parametrize("side", ["sells", "buys"])
def test_simulated_days_on_which_one_side_rests_do(side: RestingSide) -> None:
    traded = trade(script(8, seed=4, flow=FlowScript(trap=side, contracts=2e6)))
    trap = detect(signed_by_size_and_quote(traded))
    assert trap.on
    assert trap.side == side
