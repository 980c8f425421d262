"""Every print is signed on what was in force before it, revised until it is final, never in doubt
about why."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.evidence import Evidence
from gexterm.dealers.fairvalue import Fair
from gexterm.dealers.signer import Signer, SignerSettings
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import CANCEL, CORRECTION, Quotes, Trades

MS = 1_000_000
S = 1_000 * MS
NOON = 1_794_502_800 * S
DAY = dt.date(2026, 11, 12)
CHAIN = tuple(
    Contract("SPXW", DAY, right, strike)
    for strike in (6690.0, 6700.0, 6710.0)
    for right in (Right.CALL, Right.PUT)
)
LETTER = {name: ord(name) for name in "ABIabcefghijkltuvJ"}


def signer(conditions: str = "opra", **kwargs: Any) -> Signer:
    made = Signer(SignerSettings(**kwargs), conditions=conditions)
    made.define(len(CHAIN), CHAIN)
    return made


def quote(
    ms: float,
    contract: int = 0,
    bid: float = 1.00,
    ask: float = 1.20,
    bid_size: float = 30.0,
    ask_size: float = 30.0,
) -> Quotes:
    ts = NOON + int(ms * MS)
    return Quotes(
        np.array([contract], np.int32),
        *(np.array([v]) for v in (bid, ask, bid_size, ask_size)),
        np.array([ts], np.int64),
        recv=ts,
    )


def trade(
    ms: float,
    price: float,
    size: float = 7.0,
    contract: int = 0,
    recv_ms: float = 0.0,
    **given: Any,
) -> Trades:
    ts = NOON + int(ms * MS)
    recv = NOON + int(recv_ms * MS) if recv_ms else ts
    columns = {name: [value] for name, value in given.items()}
    columns.setdefault("condition", [LETTER["I"]])
    return Trades.of([contract], [price], [size], [ts], recv=recv, **columns)


def feed(made: Signer, *events: Quotes | Trades, settle: bool = True) -> Signer:
    for event in events:
        if isinstance(event, Quotes):
            made.quotes(event)
        else:
            made.trades(event)
    if settle:
        made.settle()
    return made


def only(made: Signer) -> tuple[Evidence, float]:
    assert len(made.tape) == 1
    return Evidence(int(made.tape.evidence[0])), float(made.tape.p_buy[0])


# One print against its quote


def test_a_print_at_the_offer_is_a_dealers_sale() -> None:
    evidence, bought = only(feed(signer(), quote(0), trade(10, 1.20)))
    assert evidence == Evidence.AT_QUOTE
    assert bought < 0.5


def test_a_print_at_the_bid_is_a_dealers_purchase() -> None:
    evidence, bought = only(feed(signer(), quote(0), trade(10, 1.00)))
    assert evidence == Evidence.AT_QUOTE
    assert bought > 0.5


@pytest.mark.parametrize(("price", "buys"), [(1.25, False), (0.95, True)])
def test_beyond_the_quote_it_goes_to_that_side(price: float, buys: bool) -> None:
    evidence, bought = only(feed(signer(), quote(0), trade(10, price)))
    assert evidence == Evidence.OUTSIDE
    assert (bought > 0.5) == buys


@pytest.mark.parametrize(("price", "buys"), [(1.15, False), (1.05, True)])
def test_inside_the_quote_the_nearer_side_tells(price: float, buys: bool) -> None:
    evidence, bought = only(feed(signer(), quote(0), trade(10, price)))
    assert evidence == Evidence.INSIDE
    assert (bought > 0.5) == buys


def test_a_print_of_the_size_bid_for_at_the_bid_filled_a_customers_resting_bid() -> None:
    evidence, bought = only(feed(signer(), quote(0, bid_size=7.0), trade(10, 1.00)))
    assert evidence == Evidence.SIZE
    assert bought < 0.5  # the customer bought, the dealer sold


def test_a_size_that_matches_the_other_side_is_an_accident() -> None:
    evidence, bought = only(feed(signer(), quote(0, bid_size=7.0), trade(10, 1.20)))
    assert evidence == Evidence.AT_QUOTE
    assert bought < 0.5


def test_equal_sizes_tell_nothing() -> None:
    evidence, _ = only(feed(signer(), quote(0, bid_size=7.0, ask_size=7.0), trade(10, 1.00)))
    assert evidence == Evidence.AT_QUOTE


def test_at_mid_the_deeper_offer_means_a_customer_who_bought() -> None:
    evidence, bought = only(feed(signer(), quote(0, ask_size=90.0), trade(10, 1.10)))
    assert evidence == Evidence.DEPTH
    assert bought < 0.5


def test_at_mid_of_an_even_quote_nothing_tells() -> None:
    assert only(feed(signer(), quote(0), trade(10, 1.10))) == (Evidence.MID, 0.5)


def test_the_next_lower_price_makes_a_print_at_mid_a_customers_purchase() -> None:
    made = feed(signer(), quote(0), trade(10, 1.10), settle=False)
    assert made.tape.evidence[0] == Evidence.MID
    feed(made, trade(900, 1.00))
    assert made.tape.evidence[0] == Evidence.REVERSE_TICK
    assert made.tape.p_buy[0] < 0.5


def test_a_tick_that_comes_too_late_explains_nothing() -> None:
    made = feed(signer(), quote(0), trade(10, 1.10), trade(2100, 1.00))
    assert made.tape.evidence[0] == Evidence.MID


def test_an_auction_is_trusted_no_more_than_its_cap() -> None:
    made = feed(signer(), quote(0), trade(10, 1.15, condition=LETTER["a"]))
    evidence, bought = only(made)
    assert evidence == Evidence.AUCTION
    assert np.isclose(bought, 1.0 - made.settings.auction_cap)


# Which quote


def test_the_quote_counts_that_was_in_force_before_the_trade() -> None:
    made = feed(
        signer(),
        quote(0),
        quote(10, bid=1.20, ask=1.40),
        trade(10, 1.20),
        quote(11, bid=0.8, ask=1.1),
    )
    assert only(made)[0] == Evidence.AT_QUOTE
    assert made.tape.p_buy[0] < 0.5


def test_a_quote_that_comes_after_the_print_it_preceded_revises_the_sign() -> None:
    made = feed(signer(), quote(0), trade(100, 1.20, recv_ms=105), settle=False)
    assert made.tape.p_buy[0] < 0.5
    feed(made, dataclasses.replace(quote(90, bid=1.20, ask=1.40), recv=NOON + 200 * MS))
    assert made.tape.p_buy[0] > 0.5


def test_a_quote_that_comes_too_late_does_not() -> None:
    made = feed(
        signer(),
        quote(0),
        trade(100, 1.20),
        quote(500, contract=1),
        dataclasses.replace(quote(90, bid=1.20, ask=1.40), recv=NOON + 510 * MS),
    )
    assert made.tape.p_buy[0] < 0.5


def test_a_late_quote_never_replaces_a_newer_one() -> None:
    made = feed(
        signer(),
        quote(100, bid=1.20, ask=1.40),
        quote(900, contract=1),
        quote(50, bid=1.00, ask=1.20),
        trade(950, 1.20),
    )
    assert made.tape.p_buy[0] > 0.5
    assert made.counts["late_quotes"] == 1


def test_the_lag_asks_for_an_earlier_quote() -> None:
    events = (quote(0), quote(100, bid=1.20, ask=1.40), trade(150, 1.20))
    assert feed(signer(), *events).tape.p_buy[0] > 0.5
    assert feed(signer(lag_ns=80 * MS), *events).tape.p_buy[0] < 0.5


def test_the_quote_that_the_feed_gives_with_the_print_comes_first() -> None:
    made = feed(signer(), quote(0), trade(10, 1.20, bid=1.20, ask=1.40))
    assert made.tape.p_buy[0] > 0.5


def test_prints_with_their_own_quotes_need_no_other() -> None:
    made = feed(signer(), trade(10, 1.00, bid=1.00, ask=1.20, bid_size=7.0, ask_size=9.0))
    assert only(made)[0] == Evidence.SIZE


# Quotes that never sign


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"bid": np.nan, "ask": np.nan}, Evidence.NO_QUOTE),
        ({"bid": 0.0}, Evidence.ONE_SIDED_QUOTE),
        ({"bid": np.nan}, Evidence.ONE_SIDED_QUOTE),
        ({"ask": np.nan}, Evidence.ONE_SIDED_QUOTE),
        ({"bid": 1.20}, Evidence.CROSSED_QUOTE),
        ({"bid": 1.30}, Evidence.CROSSED_QUOTE),
    ],
    ids=str,
)
@pytest.mark.parametrize("price", [0.9, 1.0, 1.1, 1.2, 1.3])
def test_quotes_that_are_none_sign_nothing(
    bad: dict[str, float], why: Evidence, price: float
) -> None:
    made = feed(signer(), quote(0, **bad), trade(10, price))  # type: ignore[arg-type]
    assert only(made) == (why, 0.5)


def test_a_print_before_any_quote_has_no_side() -> None:
    assert only(feed(signer(), trade(10, 1.20), quote(20))) == (Evidence.NO_QUOTE, 0.5)


def test_a_quote_from_before_the_open_signs_nothing() -> None:
    made = signer()
    made.opens_at(NOON)
    assert only(feed(made, quote(-500), trade(10, 1.20))) == (Evidence.PRE_OPEN, 0.5)


def test_neither_does_one_that_arrives_after_the_open_and_dates_from_before() -> None:
    made = signer()
    made.opens_at(NOON)
    feed(made, quote(800, contract=1), quote(-60_000), trade(900, 1.20))
    assert only(made) == (Evidence.PRE_OPEN, 0.5)


def test_a_quote_that_breaks_parity_bounds_signs_nothing_until_it_holds_again() -> None:
    made = signer()
    mask = np.zeros(len(CHAIN), np.bool_)
    mask[0] = True
    feed(made, quote(0), settle=False)
    made.stale(mask)
    feed(made, trade(10, 1.20), settle=False)
    made.stale(~mask)
    feed(made, trade(20, 1.20))
    assert made.tape.evidence.tolist() == [Evidence.STALE_QUOTE, Evidence.AT_QUOTE]


def test_an_old_quote_signs_nothing() -> None:
    made = signer(quote_age_ns=10 * S)
    assert only(feed(made, quote(0), trade(10_001, 1.20))) == (Evidence.STALE_QUOTE, 0.5)


def test_an_old_quote_that_has_just_arrived_signs_nothing_either() -> None:
    made = signer(quote_age_ns=10 * S)
    feed(made, quote(30_000, contract=1), quote(0), trade(30_100, 1.20))
    assert only(made) == (Evidence.STALE_QUOTE, 0.5)


# What kind of print


@pytest.mark.parametrize(
    ("letter", "why", "dealer"),
    [
        ("c", Evidence.CROSS, False),
        ("h", Evidence.CROSS, False),
        ("e", Evidence.FLOOR, True),
        ("k", Evidence.STOCK_TIED, True),
        ("B", Evidence.LATE, True),
        ("J", Evidence.AUCTION_OPEN, True),
        ("u", Evidence.COMPRESSION, False),
    ],
)
def test_some_kinds_of_prints_have_no_side(letter: str, why: Evidence, dealer: bool) -> None:
    made = feed(signer(), quote(0), trade(10, 1.20, condition=LETTER[letter]))
    assert only(made) == (why, 0.5)
    assert (made.tape.p_dealer[0] > 0.0) == dealer
    assert made.flow().volume[0] == 7.0
    assert made.flow().mean[0] == 0.0


def test_a_condition_nobody_has_seen_is_unsigned_and_counted() -> None:
    made = feed(signer(), quote(0), trade(10, 1.20, condition=ord("Z")))
    assert only(made) == (Evidence.UNKNOWN_CONDITION, 0.5)
    assert made.flow().counts["unknown_condition"] == 1


def test_without_conditions_prints_are_taken_as_they_are() -> None:
    made = feed(signer(conditions=""), quote(0), trade(10, 1.20, condition=-1))
    assert only(made)[0] == Evidence.AT_QUOTE


def test_an_exact_venue_is_believed() -> None:
    made = Signer(conditions="deribit", venue_side="exact")
    made.define(len(CHAIN), CHAIN)
    feed(
        made,
        quote(0),
        trade(10, 1.20, side=-1, condition=-1),
        trade(20, 1.20, side=0, condition=-1),
    )
    assert made.tape.evidence.tolist() == [Evidence.VENUE, Evidence.AT_QUOTE]
    assert made.tape.p_buy[0] > 0.95


def test_a_venues_guess_is_only_counted_against_ours() -> None:
    made = Signer(conditions="opra", venue_side="guess")
    made.define(len(CHAIN), CHAIN)
    feed(
        made, quote(0), trade(10, 1.20, side=1), trade(20, 1.20, side=-1), trade(30, 1.20, side=-1)
    )
    assert (made.tape.p_buy < 0.5).all()
    assert (made.tape.evidence == Evidence.AT_QUOTE).all()
    assert (made.counts["venue_agrees"], made.counts["venue_differs"]) == (1, 2)


# Packages


def test_a_vertical_is_signed_as_a_whole_once_its_legs_are_there() -> None:
    made = feed(
        signer(),
        quote(0, 0, 4.90, 5.10),
        quote(0, 2, 2.95, 3.05),
        trade(10, 5.10, contract=0, condition=LETTER["f"]),
        settle=False,
    )
    assert Evidence(int(made.tape.evidence[0])) == Evidence.PACKAGE_UNSOLVED
    assert made.tape.p_buy[0] == 0.5
    feed(made, trade(12, 3.05, contract=2, condition=LETTER["f"]))
    assert (made.tape.evidence == Evidence.PACKAGE).all()
    assert made.tape.p_buy[0] < 0.5 < made.tape.p_buy[1]
    assert made.tape.package.tolist() == [0, 0]


def test_a_leg_that_met_single_orders_is_judged_alone_where_its_package_is_not_solved() -> None:
    made = feed(signer(), quote(0), trade(10, 1.20, condition=LETTER["j"]))
    evidence, bought = only(made)
    assert evidence == Evidence.AT_QUOTE
    assert np.isclose(bought, 1.0 - made.settings.vs_single_cap)


def test_a_package_is_unsolved_without_strikes_to_tell_its_kind_by() -> None:
    made = Signer()
    made.define(len(CHAIN))
    feed(
        made,
        quote(0, 0, 0.95, 1.05),
        quote(0, 2, 0.95, 1.05),
        trade(10, 1.05, contract=0, condition=LETTER["f"]),
        trade(12, 1.05, contract=2, condition=LETTER["f"]),
    )
    # Bought both, or one against the other: the price alone cannot say which for both.
    assert abs(float(made.tape.p_buy[0]) + float(made.tape.p_buy[1]) - 1.0) < 0.9


# Fair value


def test_sharp_fair_value_signs_inside_the_quote_and_a_blunt_one_is_not_asked() -> None:
    for sd, evidence in ((0.01, Evidence.FAIR), (0.05, Evidence.INSIDE)):
        made = signer(fair_value=True)
        feed(made, quote(0), settle=False)
        n = len(CHAIN)
        made.fair(Fair(np.full(n, 1.17), np.full(n, sd), np.full(n, 0.5), 6700.0, NOON))
        made.spot(6700.0, NOON)
        feed(made, trade(10, 1.15))
        assert only(made)[0] == evidence
        assert (made.tape.p_buy[0] > 0.5) == (evidence == Evidence.FAIR)


def test_fair_value_moves_with_spot() -> None:
    made = signer(fair_value=True)
    feed(made, quote(0), settle=False)
    n = len(CHAIN)
    made.fair(Fair(np.full(n, 1.17), np.full(n, 0.01), np.full(n, 0.5), 6700.0, NOON))
    made.spot(6699.9, NOON + 5 * MS)  # 0.05 lower
    feed(made, trade(10, 1.15))
    assert only(made) == (Evidence.FAIR, pytest.approx(0.25))


# Cancels, corrections and other trouble


def test_a_cancelled_print_leaves_nothing_behind_whenever_the_cancel_comes() -> None:
    events = (quote(0), trade(10, 1.20, sequence=1), trade(20, 1.20, size=3.0, sequence=2))
    cancel = trade(5000, 1.20, sequence=9, action=CANCEL, refers=1)
    kept = feed(signer(), quote(0), trade(20, 1.20, size=3.0, sequence=2)).flow()
    late = feed(signer(), *events, quote(4000), settle=False)
    late.settle(NOON + 4 * S)
    first = feed(signer(), cancel, *events)
    for made in (feed(late, cancel), first):
        np.testing.assert_array_equal(made.flow().mean, kept.mean)
        np.testing.assert_array_equal(made.flow().variance, kept.variance)
        np.testing.assert_array_equal(made.flow().amount, kept.amount)
        assert made.flow().prints == 1
        assert made.flow().counts["cancelled"] == 1


def test_a_correction_stands_for_the_print_it_corrects() -> None:
    made = feed(
        signer(),
        quote(0),
        trade(10, 1.20, sequence=1),
        trade(60, 1.20, size=70.0, sequence=2, action=CORRECTION, refers=1),
    )
    assert made.flow().volume[0] == 70.0
    assert made.flow().prints == 1


def test_what_comes_twice_counts_once() -> None:
    made = feed(signer(), quote(0), trade(10, 1.20, sequence=1), trade(10, 1.20, sequence=1))
    assert made.flow().volume[0] == 7.0
    assert made.flow().counts["duplicates"] == 1


@pytest.mark.parametrize(
    ("price", "size"), [(0.0, 5.0), (-1.0, 5.0), (1.2, 0.0), (1.2, -5.0), (np.nan, 5.0)]
)
def test_a_print_without_price_or_size_is_refused(price: float, size: float) -> None:
    made = feed(signer(), quote(0), trade(10, price, size))
    assert made.flow().counts["refused"] == 1
    assert made.flow().prints == 0


def test_prints_of_contracts_never_defined_are_counted() -> None:
    made = feed(signer(), quote(0, contract=77), trade(10, 1.20, contract=77))
    assert made.flow().counts["unknown_contract"] == 1
    assert made.flow().prints == 0


def test_a_print_that_comes_seconds_too_late_counts_without_a_side() -> None:
    made = feed(signer(), quote(0), trade(9000, 1.20), trade(10, 1.20, recv_ms=9001))
    assert Evidence(int(made.tape.evidence[1])) == Evidence.LATE
    assert made.flow().volume[0] == 14.0
    assert made.flow().counts["out_of_order"] == 1


def test_a_print_refilled_with_the_quote_it_was_made_against_is_signed_like_any_other() -> None:
    late = trade(10, 1.20, bid=[1.0], ask=[1.2], recv_ms=9001)
    made = feed(signer(), quote(8000), trade(9000, 1.00), late)
    assert Evidence(int(made.tape.evidence[1])) == Evidence.AT_QUOTE
    assert made.tape.p_buy[1] < 0.5
    in_time = feed(signer(), trade(10, 1.20, bid=[1.0], ask=[1.2]))
    assert made.tape.p_buy[1] == in_time.tape.p_buy[0]


def test_a_leg_of_a_package_refilled_alone_is_not_taken_for_a_single_print() -> None:
    late = trade(10, 1.20, bid=[1.0], ask=[1.2], recv_ms=9001, condition=[LETTER["f"]])
    made = feed(signer(), quote(8000), trade(9000, 1.00), late)
    assert Evidence(int(made.tape.evidence[1])) == Evidence.PACKAGE_UNSOLVED
    assert made.tape.p_buy[1] == 0.5


def test_history_that_brings_its_quotes_moves_back_the_time_since_when_the_tape_is_known() -> None:
    made = signer()
    made.opens_at(NOON - 3_600_000 * MS)
    for ms in (-1_800_000, -7_200_000):
        late = trade(ms, 1.20, bid=[1.0], ask=[1.2], recv_ms=20.0)
        made = feed(made, quote(0), trade(10, 1.20), late)
        assert made.flow().epoch == NOON - 1_800_000 * MS


def test_nothing_is_fatal_before_anything_is_known() -> None:
    made = Signer()
    made.settle(NOON)
    feed(made, trade(0, 1.0), quote(0))
    assert made.flow().prints == 0
    assert made.flow().epoch == 0


def test_a_wrong_date_is_not_since_when_the_tape_is_known() -> None:
    days = -11 * 86_400_000.0
    made = feed(signer(), quote(0), trade(10, 1.20), trade(days, 1.20, recv_ms=20.0))
    assert made.flow().prints == 2
    assert made.flow().epoch == NOON + 10 * MS
    assert made.tape.evidence.tolist() == [Evidence.AT_QUOTE, Evidence.LATE]


def test_flow_is_what_the_tape_says_while_signs_are_not_final() -> None:
    made = feed(signer(), quote(0), trade(10, 1.20, size=10.0), settle=False)
    trust = made.settings.reliability[Evidence.AT_QUOTE]
    flow = made.flow()
    assert flow.mean[0] == pytest.approx(-0.9 * 10.0 * (2 * trust - 1), abs=1e-5)
    assert flow.epoch == NOON + 10 * MS
    np.testing.assert_array_equal(flow.amount[Evidence.AT_QUOTE, :, 0], [0.0, 10.0])
    made.settle()
    np.testing.assert_array_equal(made.flow().mean, flow.mean)


# However it is cut

Message = tuple[str, int, int, int, int, int, str, int]
messages = st.lists(
    st.tuples(
        st.sampled_from(["quote", "quote", "trade", "trade", "trade"]),
        st.integers(0, 400),  # since the last one, ms
        st.sampled_from([0, 0, 0, 3, 120, 400, 2600, 7000]),  # late by, ms
        st.integers(0, 5),  # contract
        st.integers(0, 6),  # price, half ticks above 1.00
        st.sampled_from([1, 5, 5, 30]),
        st.sampled_from("IIIaffjB"),
        st.sampled_from([0, 0, 0, 0, 1, 2]),  # print, cancel or correction of an earlier one
    ),
    min_size=1,
    max_size=60,
)


def whole(stream: list[Message]) -> list[Quotes | Trades]:
    """The stream, one event for each message."""
    now, events, said = 0, [], 0
    for kind, after, late, contract, level, size, letter, what in stream:
        now += after
        if kind == "quote":
            low = 1.0 + 0.025 * level
            event: Quotes | Trades = quote(
                now - late, contract, low, low + 0.10, float(size), float(size % 7)
            )
        else:
            said += 1
            refers = {"action": what, "refers": max(said - 3, 1)} if what else {}
            event = trade(
                now - late,
                1.0 + 0.025 * level,
                float(size),
                contract,
                condition=LETTER[letter],
                sequence=said,
                **refers,
            )
        events.append(dataclasses.replace(event, recv=NOON + now * MS))
    return events


def joined(events: list[Any]) -> Any:
    """Several events of one kind as one, received with the last."""
    columns = {
        f.name: np.concatenate([getattr(e, f.name) for e in events])
        for f in dataclasses.fields(events[0])
        if f.name != "recv"
    }
    return type(events[0])(**columns, recv=events[-1].recv)


@given(messages, st.lists(st.booleans(), min_size=60, max_size=60), st.randoms())
@settings(max_examples=60, deadline=None)
def test_how_a_stream_is_cut_and_when_it_is_settled_changes_nothing(
    stream: list[Message], glue: list[bool], random: Any
) -> None:
    events = whole(stream)
    one = feed(signer(), *events)
    other = signer()
    pieces: list[list[Any]] = []
    for event, glued in zip(events, glue, strict=False):
        if pieces and glued and type(pieces[-1][0]) is type(event):
            pieces[-1].append(event)
        else:
            pieces.append([event])
    for piece in pieces:
        feed(other, joined(piece), settle=False)
        if random.random() < 0.5:
            other.settle(piece[-1].recv)
        if random.random() < 0.2:
            other.flow()
    other.settle()
    for name in ("contract", "ts", "state", "p_buy", "p_dealer", "evidence", "package"):
        np.testing.assert_array_equal(getattr(one.tape, name), getattr(other.tape, name))
    a, b = one.flow(), other.flow()
    for name in ("mean", "variance", "amount"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert (a.epoch, a.prints, a.counts) == (b.epoch, b.prints, b.counts)


@given(messages)
@settings(max_examples=30, deadline=None)
def test_no_print_is_lost_and_probabilities_are_ones(stream: list[Message]) -> None:
    made = feed(signer(), *whole(stream))
    tape, flow = made.tape, made.flow()
    live = tape.state == 0
    assert flow.prints == int(live.sum())
    assert flow.volume.sum() == tape.size[live].sum()
    assert ((tape.p_buy >= 0.0) & (tape.p_buy <= 1.0)).all()
    unsigned = tape.evidence >= Evidence.UNSIGNED
    assert (tape.p_buy[unsigned] == 0.5).all()
    assert (np.abs(flow.mean) <= flow.volume).all()
    assert (flow.variance >= 0.0).all()


def test_prints_nobody_asked_for_are_judged_before_their_quotes_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gexterm.dealers.inforce._LEAST_KEPT", 40)
    stream: list[Quotes | Trades] = []
    for second in range(0, 200, 2):
        low = 1.0 + 0.05 * (second % 7)
        stream += [quote(second * S / MS, 0, low, low + 0.10), quote(second * S / MS, 1)]
        stream.append(trade(second * S / MS + 5.0, low + 0.10))
    asked, unasked = signer(), signer()
    for event in stream:
        feed(asked, event, settle=False)
        asked.settle(event.recv)
    feed(unasked, *stream)
    assert (unasked.tape.p_buy < 0.5).all()
    np.testing.assert_array_equal(unasked.tape.p_buy, asked.tape.p_buy)


def test_a_quote_of_a_contract_that_nobody_defined_takes_no_room() -> None:
    made = Signer()
    made.define(2)
    wild = np.array([2**31 - 1, -1, 1], np.int32)
    ones = np.ones(3)
    made.quotes(Quotes(wild, ones, 2.0 * ones, ones, ones, np.full(3, 10**18, np.int64), 10**18))
    made.trades(Trades.of(wild, ones, ones, [10**18 + 1] * 3, recv=10**18 + 2))
    made.settle(None)
    assert made.flow().prints == 1
    assert made.counts["unknown_contract"] == 2


def test_the_quote_that_a_print_met_stays_with_it() -> None:
    made = feed(signer(), quote(-500), trade(10, 1.20), quote(20, bid=3.0, ask=4.0))
    made.settle()
    assert (made.tape.met_bid[0], made.tape.met_ask[0]) == (1.00, 1.20)
    assert np.isnan(made.tape.bid[0])  # the feed gave none


def test_a_quote_that_must_not_sign_is_shown_to_nobody() -> None:
    made = signer()
    made.opens_at(NOON)
    feed(made, quote(-500), trade(10, 1.20))
    assert np.isnan(made.tape.met_bid[0])
    assert np.isnan(made.tape.met_ask[0])
