"""Quotes between two flushes: the newest of each contract, and those that prints were made at."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import InputError
from gexterm.feeds.dxlink.quotes import QuoteBook
from gexterm.market.events import Quotes

INDEX = {"A": 0, "B": 1, "C": 2}
RECV = 1_000_000_000


def row(
    symbol: str, bid: Any, ask: Any, at: int = 0, sizes: tuple[Any, Any] = (1.0, 2.0)
) -> list[Any]:
    return [symbol, bid, ask, *sizes, at, 0]


def flushed(*frames: list[Any]) -> Quotes | None:
    book = QuoteBook()
    for number, frame in enumerate(frames):
        book.take_in(frame, RECV + number)
    quotes, _ = book.flush(INDEX, "SPX")
    assert book.flush(INDEX, "SPX") == ([], [])
    return quotes[0] if quotes else None


def test_only_the_newest_quote_of_a_contract_counts() -> None:
    quotes = flushed(row("A", 1.0, 2.0) + row("B", 3.0, 4.0), row("A", 1.5, 2.5))
    assert quotes is not None
    assert dict(zip(quotes.contract.tolist(), quotes.bid.tolist(), strict=True)) == {0: 1.5, 1: 3.0}


def test_a_quote_at_which_a_print_was_made_survives() -> None:
    book = QuoteBook()
    book.take_in(row("A", 1.0, 2.0), RECV)
    book.conflation.keep("A")
    book.take_in(row("A", 1.5, 2.5), RECV + 1)
    quotes, _ = book.flush(INDEX, "SPX")
    assert quotes[0].bid.tolist() == [1.0, 1.5]


def test_a_quote_without_a_time_is_dated_to_its_own_receipt() -> None:
    quotes = flushed(row("A", 1.0, 2.0), row("B", 1.0, 2.0))
    assert quotes is not None
    assert quotes.ts.tolist() == [RECV, RECV + 1]


def test_a_quote_with_times_has_the_later_of_both() -> None:
    quotes = flushed(["A", 1.0, 2.0, 1.0, 1.0, 5, 7])
    assert quotes is not None
    assert quotes.ts.tolist() == [7_000_000]


def test_rows_come_by_time() -> None:
    quotes = flushed(row("A", 1.0, 2.0, 900) + row("B", 1.0, 2.0, 100) + row("C", 1.0, 2.0, 500))
    assert quotes is not None
    assert quotes.contract.tolist() == [1, 2, 0]


def test_a_zero_bid_a_crossed_and_a_one_sided_quote_are_passed_on_as_they_are() -> None:
    quotes = flushed(row("A", 0.0, 0.05) + row("B", 3.0, 2.0) + row("C", "NaN", 1.0))
    assert quotes is not None
    at = {int(c): n for n, c in enumerate(quotes.contract)}
    assert quotes.bid[at[0]] == 0.0
    assert (quotes.bid[at[1]], quotes.ask[at[1]]) == (3.0, 2.0)
    assert math.isnan(quotes.bid[at[2]])


def test_sizes_that_are_none_are_not_given() -> None:
    quotes = flushed(row("A", 1.0, 2.0, sizes=("NaN", -1)) + row("B", 1.0, 2.0, sizes=(None, 2.5)))
    assert quotes is not None
    assert np.isnan(quotes.bid_size).all()
    assert quotes.ask_size[quotes.contract == 1].tolist() == [2.5]


def test_impossible_prices_are_not_given_and_counted() -> None:
    book = QuoteBook()
    book.take_in(row("A", "Infinity", 2.0) + row("B", -1.0, 1e12) + row("C", "NaN", None), RECV)
    quotes, _ = book.flush(INDEX, "SPX")
    assert quotes[0].contract.tolist() == [0]
    assert math.isnan(quotes[0].bid[0])
    assert book.refused == 2


def test_the_underlying_is_told_apart() -> None:
    book = QuoteBook()
    book.take_in(row("SPX", 6000.0, 6001.0, 5) + row("A", 1.0, 2.0) + row("?", 1.0, 2.0), RECV)
    quotes, spot = book.flush(INDEX, "SPX")
    assert spot == [6000.0, 6001.0, 5e6]
    assert quotes[0].contract.tolist() == [0]


def test_a_symbol_that_is_none_refuses_its_list_and_no_other() -> None:
    book = QuoteBook()
    book.take_in(row("A", 1.0, 2.0), RECV)
    with pytest.raises(InputError):
        book.take_in([["x"], 1.0, 2.0, 1.0, 1.0, 0, 0, *row("B", 1.0, 2.0)], RECV)
    book.take_in(row("C", 3.0, 4.0), RECV)
    quotes, _ = book.flush(INDEX, "SPX")
    assert sorted(quotes[0].contract.tolist()) == [0, 2]


@settings(max_examples=100)
@given(st.lists(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 99)), max_size=9)))
def test_however_frames_are_cut_the_last_word_on_each_contract_stands(
    frames: list[list[tuple[str, int]]],
) -> None:
    last = {INDEX[s]: float(bid) for frame in frames for s, bid in frame}
    quotes = flushed(*([v for s, bid in frame for v in row(s, bid, 100.0)] for frame in frames))
    found = (
        {}
        if quotes is None
        else dict(zip(quotes.contract.tolist(), quotes.bid.tolist(), strict=True))
    )
    assert found == last
