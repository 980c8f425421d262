"""Prints fetched after the fact: each once, and what cannot be had is said."""

from __future__ import annotations

from typing import Any

from gexterm.clock import NS
from gexterm.dealers.tape import Tape
from gexterm.feeds.massive.gather import sequence
from gexterm.feeds.massive.refill import MOST_REQUESTS
from gexterm.feeds.retry import Retry
from gexterm.market import calendar
from gexterm.market.events import Trades
from tests.feeds.massive.made import NOW, TODAY, Hand, chain, protocol, quote, symbol, trade
from tests.venues.massive import status

ATM = symbol("SPXW", TODAY, "C", 6600)
PUT = symbol("SPXW", TODAY, "P", 6600)
BREAK = Retry("the connection broke")
OPENS = calendar.session_open_ns(calendar.et(NOW).date())


def past(ns: int, p: float = 5.0, s: float = 3, **more: Any) -> dict[str, Any]:
    return {
        "price": p,
        "size": s,
        "exchange": 302,
        "conditions": [209],
        "sip_timestamp": ns,
        **more,
    }


def rows(hand: Hand) -> list[tuple[int, float, float]]:
    """What a tape makes of everything told so far: time, price, size of every print in force."""
    tape = Tape()
    for event in hand.of(Trades):
        tape.take(event, "massive", len(hand.fed._catalogue))
    live = tape.live()
    return list(
        zip(
            (tape.ts[live] // 1_000_000).tolist(),
            tape.price[live].tolist(),
            tape.size[live].tolist(),
            strict=True,
        )
    )


def test_joining_in_the_middle_of_the_day_fetches_the_windows_prints_since_the_open() -> None:
    hand = Hand(protocol())
    hand.past = {
        ATM: [past(OPENS - 1), past(OPENS), past(NOW - NS, 6.0), past(NOW + 3600 * NS)],
        PUT: [past(NOW - 5 * NS, 7.0)],
    }
    hand.start(6)
    assert [price for _, price, _ in rows(hand)] == [5.0, 7.0, 6.0]
    assert hand.fed.account.refilled == 3
    note = hand.fed.account.notes["past"]
    assert "3 prints from 09:30:00 to 10:30:02" in note and "others nothing is known" in note
    assert hand.fed.account.heard_from == NOW + NS


def test_the_most_important_contracts_are_fetched_and_no_more_than_so_many() -> None:
    strikes = [float(k) for k in range(6450, 6751)]
    hand = Hand(protocol(), chain([("SPXW", TODAY)], strikes))
    hand.start(60)
    asked = [r.url.split("/v3/trades/")[1].split("?")[0] for r in hand.asked if "/trades/" in r.url]
    assert len(asked) == len(set(asked)) == MOST_REQUESTS
    assert asked[0] in (ATM, PUT)
    assert f"of {MOST_REQUESTS} contracts" in hand.fed.account.notes["past"]


def test_no_back_fill_where_it_is_not_wanted_or_the_session_has_not_begun() -> None:
    hand = Hand(protocol(back_fill_s=0))
    hand.start(10)
    assert not [r for r in hand.asked if "/trades/" in r.url]
    early = Hand(protocol())
    early.now = OPENS - 600 * NS
    early.start(10)
    assert not [r for r in early.asked if "/trades/" in r.url]
    assert early.fed.account.heard_from > 0


def test_the_back_fill_reaches_no_further_than_asked() -> None:
    hand = Hand(protocol(back_fill_s=60.0))
    hand.past = {ATM: [past(NOW - 61 * NS), past(NOW - 58 * NS, 6.0)]}
    hand.start(6)
    assert [price for _, price, _ in rows(hand)] == [6.0]


def test_a_print_told_twice_counts_once_though_the_venue_gives_past_ones_no_number() -> None:
    hand = Hand(protocol())
    hand.start(2)
    hand.hear(trade(ATM, 5.0, 3, q=1, ms=2100), trade(ATM, 5.0, 3, q=2, ms=2100))
    hand.flush()
    hand.past = {ATM: [past(NOW + 1500 * 10**6, 4.5)]}
    # The websocket told two of these three; which two, nobody can say.
    hand.past[ATM] += [past(NOW + 2_100_400_000 + i) for i in range(3)]
    hand.fed._past._lag.ns = 0
    hand.tick(4)
    prints = rows(hand)
    assert [price for _, price, _ in prints].count(5.0) == 2
    assert hand.fed.account.refilled == 1


def test_an_interruption_is_fetched_and_nothing_counts_twice() -> None:
    hand = Hand(protocol())
    hand.start(8)
    hand.hear(trade(ATM, 5.0, 3, q=1, ms=8000), quote(ATM, ms=8000))
    hand.flush()
    lost = hand.now
    hand.fed.closed(BREAK, lost)
    hand.past = {
        ATM: [past(NOW + 8 * NS), past(lost + 5 * NS, 6.0), past(lost + 21 * NS + 5, 7.0)],
        PUT: [past(lost + 9 * NS, 8.0)],
    }
    hand.now = lost + 20 * NS
    hand.start(1)
    hand.hear(trade(ATM, 7.0, 3, q=3, ms=8000 + 21_000))
    hand.flush()
    hand.tick(6)
    assert [price for _, price, _ in rows(hand)] == [5.0, 6.0, 8.0, 7.0]
    account = hand.fed.account
    assert account.heard_from == lost + 21 * NS
    assert account.notes["missed"] == "prints not heard: 10:30:07 to 10:30:29"


def test_a_second_break_during_the_refill_has_it_all_again_once() -> None:
    hand = Hand(protocol())
    hand.start(8)
    hand.fed.closed(BREAK, hand.now)
    hand.past = {ATM: [past(hand.now + 5 * NS, 6.0)]}
    hand.now += 20 * NS
    hand.start(1)
    hand.fed.closed(BREAK, hand.now + NS)
    hand.now += 20 * NS
    hand.start(6)
    assert [price for _, price, _ in rows(hand)] == [6.0]
    hand.fed.closed(BREAK, hand.now)
    hand.start(6)
    assert [price for _, price, _ in rows(hand)] == [6.0]


def test_where_every_contract_could_be_had_the_earlier_time_holds() -> None:
    hand = Hand(protocol("SPX"), chain([("SPXW", TODAY)], [6590.0, 6600.0, 6610.0]))
    hand.start(6)
    assert hand.fed.account.heard_from == OPENS
    assert "missed" not in hand.fed.account.notes
    hand.fed.closed(BREAK, hand.now)
    hand.now += 20 * NS
    hand.start(6)
    assert hand.fed.account.heard_from == OPENS and "missed" not in hand.fed.account.notes


def test_a_plan_without_past_prints_says_so() -> None:
    hand = Hand(protocol())
    hand.status["/v3/trades/"] = 403
    hand.start(6)
    assert "cannot be had: 'not entitled'" in hand.fed.account.notes["past"]
    assert hand.fed.account.heard_from == NOW + NS
    assert len([r for r in hand.asked if "/trades/" in r.url]) <= 4


def test_past_prints_with_numbers_keep_them_and_taken_back_ones_are_left_out() -> None:
    hand = Hand(protocol())
    hand.past = {
        ATM: [
            past(NOW - NS, sequence_number=77),
            past(NOW - NS, 6.0, correction=8),
            past(NOW - NS, 7.0, correction=12),
        ]
    }
    hand.start(6)
    (trades,) = hand.of(Trades)
    assert trades.sequence[0] == sequence(77, 302)
    assert trades.sequence[1] > 1 << 62
    assert trades.price.tolist() == [5.0, 7.0]


def test_a_clock_that_is_minutes_ahead_loses_no_prints() -> None:
    ahead = 180 * NS
    hand = Hand(protocol())
    hand.now += ahead
    hand.start(8)
    for _ in range(8):
        hand.tick()
        hand.hear(quote(ATM, ms=(hand.now - ahead - NOW) // 10**6))
        hand.flush()
    lost = hand.now - ahead
    hand.fed.closed(BREAK, hand.now)
    hand.past = {ATM: [past(lost + NS, 6.0)]}
    hand.now += 20 * NS
    hand.start(6)
    assert [price for _, price, _ in rows(hand)] == [6.0]
    assert hand.fed.account.heard_from == lost + 21 * NS


def test_a_cancel_takes_back_the_print_alike_and_is_none_itself() -> None:
    hand = Hand(protocol(back_fill_s=0))
    hand.start()
    hand.hear(
        trade(ATM, 5.0, 3, q=1, ms=1),
        trade(ATM, 5.5, 3, q=2, ms=2),
        trade(ATM, 5.0, 3, q=3, ms=900, c=[201]),
    )
    hand.flush()
    assert [price for _, price, _ in rows(hand)] == [5.5]
    # After a reconnect everything comes again, and nothing changes.
    hand.hear(trade(ATM, 5.0, 3, q=3, ms=900, c=[201]), trade(ATM, 5.0, 3, q=1, ms=1))
    hand.flush()
    assert [price for _, price, _ in rows(hand)] == [5.5]


def test_a_cancel_may_come_before_its_print() -> None:
    hand = Hand(protocol(back_fill_s=0))
    hand.start()
    hand.hear(trade(ATM, 5.0, 3, q=3, ms=900, c=[203]))
    hand.flush()
    hand.hear(trade(ATM, 5.0, 3, q=1, ms=1))
    hand.flush()
    assert rows(hand) == []


def test_answers_nobody_asked_for_change_nothing() -> None:
    hand = Hand(protocol())
    hand.start(6)
    hand.hear(status("success", "subscribed to: T.O:NOBODY"))
    before = len(hand.events)
    hand.events += hand.fed.answer(hand.fed_answer("prints 9 9"))
    assert len(hand.events) == before


def test_what_was_heard_between_two_silences_is_not_fetched_with_them() -> None:
    hand = Hand(protocol())
    hand.past = {ATM: [past(NOW - NS, 4.0), past(NOW + 8 * NS, 5.0), past(NOW + 70 * NS, 6.0)]}
    hand.status["/v3/trades/"] = 429
    hand.start(6)
    hand.hear(trade(ATM, 5.0, 3, q=1, ms=8000))
    hand.flush()
    # Half a minute later that print is no longer held against what is fetched.
    hand.now = NOW + 60 * NS
    hand.hear(trade(PUT, 9.0, 3, q=2, ms=60_000))
    hand.flush()
    hand.fed.closed(BREAK, hand.now)
    hand.status.clear()
    hand.now = NOW + 80 * NS
    hand.start(8)
    assert [price for _, price, _ in rows(hand)] == [4.0, 5.0, 9.0, 6.0]
