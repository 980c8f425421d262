"""The quote in force is the last one of the exchange's strictly before the trade."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers import inforce
from gexterm.dealers.inforce import InForce, QuoteLog
from gexterm.market.events import Quotes

S = 1_000_000_000
T0 = 1_700_000_000 * S


def quotes(contract, ts, bid=None, recv=0) -> Quotes:
    n = len(contract)
    bid = np.arange(n, dtype=np.float64) if bid is None else np.asarray(bid, np.float64)
    return Quotes(
        contract=np.asarray(contract, np.int32),
        bid=bid,
        ask=bid + 1.0,
        bid_size=bid + 2.0,
        ask_size=bid + 3.0,
        ts=np.asarray(ts, np.int64),
        recv=recv,
    )


def ask(log: QuoteLog, contract, ts, lag=0) -> InForce:
    return log.asof(np.asarray(contract, np.int32), np.asarray(ts, np.int64), lag)


def test_a_quote_of_the_same_instant_was_not_in_force_before_the_trade():
    log = QuoteLog()
    log.take(quotes([0, 0], [T0, T0 + 10], [1.0, 2.0]))
    found = ask(log, [0, 0, 0], [T0, T0 + 10, T0 + 11])
    np.testing.assert_array_equal(found.bid, [np.nan, 1.0, 2.0])
    np.testing.assert_array_equal(found.quote_ts, [0, T0, T0 + 10])
    np.testing.assert_array_equal(found.ask, found.bid + 1.0)
    np.testing.assert_array_equal(found.bid_size, found.bid + 2.0)
    np.testing.assert_array_equal(found.ask_size, found.bid + 3.0)


def test_a_lag_asks_for_the_quote_that_was_in_force_earlier():
    log = QuoteLog()
    log.take(quotes([0, 0], [T0, T0 + 10], [1.0, 2.0]))
    assert ask(log, [0], [T0 + 11], 5).bid[0] == 1.0
    lags = np.array([0, 5, 11], np.int64)
    np.testing.assert_array_equal(ask(log, [0, 0, 0], [T0 + 11] * 3, lags).bid, [2.0, 1.0, np.nan])


def test_before_any_quote_there_is_none_in_force():
    log = QuoteLog()
    nothing = ask(log, [0, 7], [T0, T0])
    assert np.isnan(nothing.bid).all() and (nothing.quote_ts == 0).all()
    log.take(quotes([3], [T0]))
    other = ask(log, [0, 4, 99, -1], [T0 + S] * 4)
    assert np.isnan(other.bid).all() and np.isnan(other.ask_size).all()
    assert np.isnan(log.last(np.array([-1, 2, 4], np.int32)).bid).all()


def test_a_quote_that_arrives_late_takes_its_place_in_event_time():
    log = QuoteLog()
    log.take(quotes([0, 0], [T0, T0 + 30], [1.0, 3.0]))
    assert ask(log, [0], [T0 + 25]).bid[0] == 1.0
    log.take(quotes([0], [T0 + 20], [2.0]))
    np.testing.assert_array_equal(ask(log, [0, 0], [T0 + 25, T0 + 35]).bid, [2.0, 3.0])
    assert log.last(np.array([0], np.int32)).bid[0] == 3.0


def test_of_two_quotes_of_one_instant_the_later_to_arrive_counts():
    log = QuoteLog()
    log.take(quotes([0, 0], [T0, T0], [1.0, 2.0]))
    assert ask(log, [0], [T0 + 1]).bid[0] == 2.0
    log.take(quotes([0], [T0], [3.0]))
    assert ask(log, [0], [T0 + 1]).bid[0] == 3.0


def test_a_quote_without_a_time_dates_from_its_receipt():
    log = QuoteLog()
    log.take(quotes([0], [0], [1.0], recv=T0 + 5))
    found = ask(log, [0, 0], [T0 + 5, T0 + 6])
    np.testing.assert_array_equal(found.bid, [np.nan, 1.0])


def test_a_quote_that_cannot_be_placed_is_refused_and_counted():
    log = QuoteLog()
    log.take(quotes([0, -3, 0, 2**31 - 1], [0, T0, T0, T0], [1.0, 2.0, 3.0, 4.0]))
    log.take(quotes([0], [T0 + 2 * 3600 * S], [4.0], recv=T0))
    assert log.refused == 4
    assert len(log) == 1
    assert log.last(np.array([0], np.int32)).bid[0] == 3.0


def test_the_last_quote_before_the_window_stays_in_force(monkeypatch):
    monkeypatch.setattr(inforce, "_LEAST_KEPT", 4)
    log = QuoteLog(window_ns=5 * S)
    log.take(quotes([0, 0, 1], [T0, T0 + S, T0], [1.0, 2.0, 9.0]))
    for second in range(100, 120):
        log.take(quotes([1], [T0 + second * S], [float(second)]))
        ask(log, [1], [T0 + second * S])
    assert len(log) < 23
    found = ask(log, [0, 1], [T0 + 119 * S, T0 + 119 * S])
    np.testing.assert_array_equal(found.bid, [2.0, 118.0])


def test_what_was_forgotten_is_no_quote_rather_than_an_older_one(monkeypatch):
    monkeypatch.setattr(inforce, "_LEAST_KEPT", 4)
    log = QuoteLog(window_ns=S)
    seconds = np.arange(60)
    for second in seconds:
        log.take(quotes([0], [T0 + second * S], [float(second)]))
    log.take(quotes([0], [T0 + S // 2], [0.5]))
    found = ask(log, np.zeros(60, np.int32), T0 + seconds * S + 1)
    known = ~np.isnan(found.bid)
    assert 0 < np.count_nonzero(known) < 60
    np.testing.assert_array_equal(found.bid[known], seconds[known])


@pytest.mark.parametrize("window", [None, 5 * S])
def test_agrees_with_an_as_of_join_whatever_the_batches(window):
    rng = np.random.default_rng(5)
    n, contracts = 40_000, 50
    arrival = np.sort(rng.integers(0, 4 * S, n))
    ts = T0 + arrival - rng.integers(0, S // 2, n)
    who = rng.integers(0, contracts, n)
    bid = rng.uniform(1, 2, n)
    trades = 5_000
    trade_ts = T0 + rng.integers(-S, 5 * S, trades)
    trade_who = rng.integers(0, contracts + 3, trades)
    log = QuoteLog(window)
    for part in np.array_split(np.arange(n), 37):
        log.take(quotes(who[part], ts[part], bid[part]))
        ask(log, [0], [T0])
    found = ask(log, trade_who, trade_ts)
    left = pl.DataFrame({"i": np.arange(trades), "who": trade_who, "ts": trade_ts}).sort("ts")
    right = pl.DataFrame({"who": who, "ts": ts + 1, "bid": bid}).sort("ts", maintain_order=True)
    right = right.unique(["who", "ts"], keep="last", maintain_order=True)
    joined = left.join_asof(right, on="ts", by="who", check_sortedness=False).sort("i")
    np.testing.assert_array_equal(found.bid, joined["bid"].fill_null(np.nan).to_numpy())


@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), max_size=6), max_size=8
    ),
    asked=st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 14)), min_size=1, max_size=6),
    least=st.integers(1, 12),
    window=st.one_of(st.none(), st.integers(0, 6)),
)
@settings(max_examples=150, deadline=None)
def test_is_right_or_says_nothing(batches, asked, least, window):
    """A plain search through all quotes gives the same; inside the window nothing is missing."""
    log, seen, number = QuoteLog(window), [], 0.0
    log._compact_at = least
    for batch in batches:
        log.take(
            quotes(
                [c for c, _ in batch], [T0 + t for _, t in batch], number + np.arange(len(batch))
            )
        )
        log._compact_at = min(log._compact_at, len(log) + least)
        for contract, t in batch:
            seen.append((contract, t, number))
            number += 1
        latest = max((t for _, t, _ in seen), default=0)
        found = ask(log, [c for c, _ in asked], [T0 + t for _, t in asked])
        for (contract, t), bid in zip(asked, found.bid, strict=True):
            before = [(s, k) for c, s, k in seen if c == contract and s < t]
            expected = max(before)[1] if before else np.nan
            if window is None or t > latest - window:
                np.testing.assert_equal(bid, expected)
            else:
                assert np.isnan(bid) or bid == expected


def test_a_log_of_several_days_still_knows_the_present():
    log = QuoteLog()
    days = np.arange(0, 40) * 86_400 * S
    for day in days:
        log.take(quotes([0, 20_000], [T0 + day, T0 + day + 1], [float(day), 1.0]))
        np.testing.assert_array_equal(ask(log, [0], [T0 + day + 1]).bid, [float(day)])
    assert log.last(np.array([0], np.int32)).bid[0] == float(days[-1])
