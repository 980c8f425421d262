"""What a coin venue does that the rest of the program does not expect of a market."""

from __future__ import annotations

import math

from gexterm.market.calendar import et
from gexterm.market.events import OpenInterest
from tests.feeds.deribit.talk import CALL, PUT, Talk, market

MIDNIGHT = 1_700_197_200_000
"""Friday 17 November 2023, 00:00 New York, in ms."""


def interest(talk: Talk) -> dict[str, list[float]]:
    """Open interest by contract, as often as it was told."""
    told: dict[str, list[float]] = {}
    for event in talk.of(OpenInterest):
        for at, held in zip(event.contract.tolist(), event.open_interest.tolist(), strict=True):
            told.setdefault(talk.protocol.catalogue.symbols[at], []).append(held)
    return told


def test_open_interest_is_what_the_day_began_with_for_the_days_prints_are_added_to_it() -> None:
    exchange = market()
    exchange.quote(CALL, 0.020, 0.021, open_interest=100.0)
    exchange.quote(PUT, 0.019, 0.020, open_interest=40.0)
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    exchange.trade(CALL, 0.021, 25.0, "buy")
    exchange.quote(CALL, 0.020, 0.021, open_interest=125.0)
    talk.settle(302)
    assert interest(talk) == {CALL: [100.0], PUT: [40.0]}


def test_a_new_day_in_new_york_begins_with_the_open_interest_there_is_then() -> None:
    exchange = market(MIDNIGHT - 60_000)
    exchange.quote(CALL, 0.020, 0.021, open_interest=100.0)
    exchange.quote(PUT, 0.019, 0.020, open_interest=40.0)
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    exchange.quote(CALL, 0.020, 0.021, open_interest=125.0)
    talk.settle(90)
    # What did not change is told as well: nothing of today may pass for yesterday's.
    assert interest(talk) == {CALL: [100.0, 125.0], PUT: [40.0, 40.0]}
    last = talk.of(OpenInterest)[-1]
    assert f"{et(last.recv):%d %H:%M}" == "17 00:00"


def test_a_day_that_begins_while_the_line_is_down_has_its_open_interest_afterwards() -> None:
    exchange = market(MIDNIGHT - 60_000)
    exchange.quote(CALL, 0.020, 0.021, open_interest=100.0)
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    talk.cut()
    exchange.advance(3_600_000)
    exchange.quote(CALL, 0.020, 0.021, open_interest=130.0)
    talk.open()
    talk.settle(10)
    assert interest(talk)[CALL] == [100.0, 130.0]


def test_a_hole_of_more_than_a_page_is_given_up_as_a_whole_and_not_asked_for_for_ever() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    talk.settle(2)
    # Asleep for days: 2,500 prints later nobody tells them any more.
    exchange.forgets = True
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.tape[-1]["trade_seq"] = 2_502
    exchange.trade(CALL, 0.02, 1.0, "sell")
    talk.settle(120)
    assert talk.protocol.account.gaps == 2_499  # the one before the last is had by time
    assert talk.session is not None
    before = sum("by_instrument" in call["method"] for call in talk.session.calls)
    talk.settle(60)
    asked = sum("by_instrument" in call["method"] for call in talk.session.calls)
    assert asked == before <= 9


def test_a_number_from_nowhere_costs_a_few_questions() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    talk.settle(2)
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.tape[-1]["trade_seq"] = 2**50
    exchange.trade(CALL, 0.02, 1.0, "buy")
    talk.settle(90)
    assert talk.session is not None
    asked = [call for call in talk.session.calls if "by_instrument" in call["method"]]
    assert len(asked) <= 9
    assert talk.protocol.account.gaps > 0


def test_a_premium_beyond_all_numbers_is_not_given_and_warns_nobody() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    exchange.quote(CALL, 1e307, 1.5e307, underlying_price=1e8, index_price=1e307)
    exchange.trade(CALL, 1e8, 1.0, "buy")
    exchange.tape[-1]["index_price"] = 1e308
    talk.settle()
    assert math.isnan(talk.quotes()[-1][1]) and math.isnan(talk.quotes()[-1][2])


def test_the_half_hour_that_is_averaged_is_said_while_it_lasts() -> None:
    exchange = market(MIDNIGHT + 2 * 3_600_000 + 29 * 60_000)  # 07:29 UTC
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    notes = talk.protocol.account.notes
    assert "settling" not in notes
    exchange.now_ms += 16 * 60_000
    talk.settle()
    assert "average of half an hour, of which 50% is over" in notes["settling"]
    exchange.now_ms += 16 * 60_000
    talk.settle()
    assert "settling" not in notes


def test_who_joins_in_mid_day_is_told_that_open_interest_has_the_mornings_prints_in_it() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    notes = talk.protocol.account.notes
    assert notes["interest"].startswith("open interest is of 11:59 New York")
    exchange.now_ms = MIDNIGHT + 30_000
    talk.settle()
    assert "interest" not in notes
