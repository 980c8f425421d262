"""The classical rules agree with `tclf`, print by print, and read as their authors wrote them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gexterm.dealers import rules

tclf = pytest.importorskip("tclf.classical_classifier")

F64 = NDArray[np.float64]
FEATURES = [
    "trade_price",
    "trade_size",
    "bid_ex",
    "ask_ex",
    "bid_size_ex",
    "ask_size_ex",
    "price_all_lag",
    "price_all_lead",
]
GRID = [0.05, 0.10, 0.15, 0.20, 0.225, 0.25, 0.30, 0.35, float("nan")]
SIZES = [1.0, 2.0, 5.0, 5.0, 10.0, 300.0, float("nan")]


def oracle(columns: list[F64], *layers: tuple[str, str]) -> F64:
    table = np.column_stack(columns)
    judge = tclf.ClassicalClassifier(layers=list(layers), features=FEATURES, strategy="const")
    return np.asarray(judge.fit(table).predict(table))


def ours(columns: list[F64], name: str) -> NDArray[np.int8]:
    price, size, bid, ask, bid_size, ask_size, lag, lead = columns
    forward, back = rules.tick(price, lag), rules.reverse_tick(price, lead)
    return {
        "quote": lambda: rules.quote(price, bid, ask),
        "tick": lambda: forward,
        "rev_tick": lambda: back,
        "lr": lambda: rules.lr(price, bid, ask, forward),
        "rev_lr": lambda: rules.lr(price, bid, ask, back),
        "emo": lambda: rules.emo(price, bid, ask, forward),
        "rev_emo": lambda: rules.emo(price, bid, ask, back),
        "clnv": lambda: rules.clnv(price, bid, ask, forward),
        "rev_clnv": lambda: rules.clnv(price, bid, ask, back),
        "trade_size": lambda: rules.trade_size(size, bid_size, ask_size),
        "depth": lambda: rules.depth(price, bid, ask, bid_size, ask_size),
    }[name]()


prints = st.lists(
    st.tuples(*(st.sampled_from(SIZES if k in (1, 4, 5) else GRID) for k in range(8))),
    min_size=2,
    max_size=40,
).map(lambda rows: [np.array(c, np.float64) for c in zip(*rows, strict=True)])

ALL = [
    ("quote", "ex"),
    ("tick", "all"),
    ("rev_tick", "all"),
    ("lr", "ex"),
    ("rev_lr", "ex"),
    ("emo", "ex"),
    ("rev_emo", "ex"),
    ("clnv", "ex"),
    ("rev_clnv", "ex"),
    ("trade_size", "ex"),
    ("depth", "ex"),
]


def columns_with(columns: list[F64], subset: str) -> tuple[list[F64], list[str]]:
    names = [name.replace("_all_", f"_{subset}_") for name in FEATURES]
    return columns, names


@pytest.mark.parametrize(("name", "subset"), ALL)
@given(columns=prints)
@settings(max_examples=25, deadline=None)
def test_every_rule_says_what_tclf_says(name: str, subset: str, columns: list[F64]) -> None:
    columns, names = columns_with(columns, subset)
    table = np.column_stack(columns)
    judge = tclf.ClassicalClassifier(layers=[(name, subset)], features=names, strategy="const")
    np.testing.assert_array_equal(ours(columns, name), judge.fit(table).predict(table))


@given(columns=prints)
@settings(max_examples=50, deadline=None)
def test_rules_stack_as_tclf_stacks_them(columns: list[F64]) -> None:
    said = rules.stack(*(ours(columns, n) for n in ("trade_size", "quote", "depth", "rev_tick")))
    layers = (("trade_size", "ex"), ("quote", "ex"), ("depth", "ex"), ("rev_tick", "all"))
    np.testing.assert_array_equal(said, oracle(columns, *layers))


def one(*values: float) -> list[F64]:
    return [np.array([v]) for v in values]


def test_a_print_at_the_offer_is_a_purchase_and_at_the_bid_a_sale() -> None:
    assert rules.quote(*one(1.10, 1.00, 1.10))[0] == 1
    assert rules.quote(*one(1.00, 1.00, 1.10))[0] == -1


def test_mid_is_undecided_by_the_quote() -> None:
    assert rules.quote(*one(1.05, 1.00, 1.10))[0] == 0


def test_a_crossed_quote_says_nothing() -> None:
    assert rules.quote(*one(1.20, 1.10, 1.00))[0] == 0
    assert rules.depth(*one(1.05, 1.10, 1.00, 1.0, 9.0))[0] == 0


def test_the_size_bid_for_is_a_customers_resting_bid_filled_by_the_dealer() -> None:
    assert rules.trade_size(*one(7.0, 7.0, 20.0))[0] == 1
    assert rules.trade_size(*one(20.0, 7.0, 20.0))[0] == -1
    assert rules.trade_size(*one(7.0, 7.0, 7.0))[0] == 0


def test_depth_speaks_at_mid_only() -> None:
    assert rules.depth(*one(1.05, 1.00, 1.10, 5.0, 50.0))[0] == 1
    assert rules.depth(*one(1.05, 1.00, 1.10, 50.0, 5.0))[0] == -1
    assert rules.depth(*one(1.06, 1.00, 1.10, 50.0, 5.0))[0] == 0


def test_nothing_known_is_nothing_said() -> None:
    nan = float("nan")
    columns = one(*([nan] * 8))
    for name, _ in ALL:
        assert ours(columns, name)[0] == 0


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([1.0, 1.1, 1.2])), max_size=40),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_neighbouring_prices_are_the_nearest_different_ones(
    rows: list[tuple[int, float]], wide: bool
) -> None:
    contract = np.array([c for c, _ in rows], np.int32) + (1 << 20) * wide
    price = np.array([p for _, p in rows], np.float64)
    previous, following = rules.neighbours(contract, price)
    for i in range(len(rows)):
        own = [j for j in range(len(rows)) if contract[j] == contract[i] and price[j] != price[i]]
        before = [price[j] for j in own if j < i]
        after = [price[j] for j in own if j > i]
        np.testing.assert_equal(previous[i], before[-1] if before else np.nan)
        np.testing.assert_equal(following[i], after[0] if after else np.nan)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([1.0, 1.1, 1.2]), st.integers(0, 9)),
        min_size=1,
        max_size=40,
    ),
    st.lists(st.integers(0, 39), max_size=12),
    st.integers(0, 30),
)
@settings(max_examples=60, deadline=None)
def test_the_next_tick_of_a_few_prints_is_what_the_whole_tape_says(
    rows: list[tuple[int, float, int]], asked: list[int], within: int
) -> None:
    contract = np.array([c for c, _, _ in rows], np.int32)
    price = np.array([p for _, p, _ in rows], np.float64)
    ts = np.cumsum([after for _, _, after in rows])
    few = np.array([a for a in asked if a < len(rows)], np.int64)
    whole = rules.next_different(contract, price, ts, within)
    np.testing.assert_array_equal(rules.next_ticks(contract, price, ts, few, within), whole[few])
    for i in range(len(rows)):
        later = [
            j
            for j in range(i + 1, len(rows))
            if contract[j] == contract[i] and price[j] != price[i]
        ]
        soon = bool(later) and ts[later[0]] - ts[i] <= within
        np.testing.assert_equal(whole[i], price[later[0]] if soon else np.nan)
