"""An examination says what a feed delivers, what of it is missing, and what to do."""

from __future__ import annotations

import datetime as dt

import numpy as np

from gexterm.feeds.doctor import Examination, Finding
from gexterm.feeds.protocol import Account
from gexterm.feeds.venue import Venue
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import (
    Definitions,
    Event,
    FeedReport,
    FeedStatus,
    OpenInterest,
    Quotes,
    Trades,
    UnderlyingPrice,
)

CARRIES = {"quotes": "all", "prints": "all", "side": "exact", "open interest": "", "underlying": ""}
LIVE = FeedStatus("live")
STRIKES = (6_500.0, 6_550.0, 6_600.0)
LISTED = Definitions(
    0, tuple(Contract("SPXW", dt.date(2026, 11, 20), Right.CALL, k) for k in STRIKES)
)
INTEREST = OpenInterest(np.arange(2, dtype=np.int32), np.array([10.0, np.nan]), 0)
SPOT = UnderlyingPrice(6_571.25, 0)
PRINTS = Trades.of([0, 1], [12.5, 3.0], [5, 1], [1, 2], side=[1, 0])


def quotes(bid: float, ask: float) -> Quotes:
    one = np.ones(1)
    return Quotes(np.zeros(1, np.int32), bid * one, ask * one, one, one, np.ones(1, np.int64))


def venue(**carries: str) -> Venue:
    return Venue("testvenue", "A Venue", "", "", "", carries or CARRIES, "", make=None)  # type: ignore[arg-type]


def looked_at(*events: Event, open_now: bool = True, at: Venue | None = None) -> dict[str, Finding]:
    examination = Examination(at or venue(), open_now=open_now)
    examination.hear(events)
    return {finding.what: finding for finding in examination.findings()}


def test_a_feed_that_delivers_all_it_promises_is_fine() -> None:
    examination = Examination(venue(), open_now=True)
    examination.hear([LIVE, LISTED, INTEREST, SPOT, quotes(12.4, 12.6), PRINTS])
    assert examination.complete
    assert {f.verdict for f in examination.findings()} == {"fine"}


def test_without_a_connection_nothing_else_is_looked_at() -> None:
    found = looked_at(FeedStatus("refused", "it refuses with HTTP status 401; check the key"))
    assert list(found) == ["connection"]
    assert found["connection"].verdict == "wrong"
    assert "check the key" in found["connection"].said


def test_a_login_that_is_refused_after_the_connection_stood_is_what_is_wrong() -> None:
    examination = Examination(venue(), open_now=True)
    examination.hear([LIVE, FeedStatus("refused", "it refuses the login; check the key")])
    assert examination.ended and not examination.complete
    assert [f.what for f in examination.findings()] == ["connection"]
    assert "check the key" in examination.findings()[0].said


def test_a_connection_lost_later_had_stood() -> None:
    found = looked_at(LIVE, LISTED, FeedStatus("reconnecting", "it hung up"))
    assert "connection" not in found


def test_prints_that_do_not_come_in_session_are_missing() -> None:
    found = looked_at(LIVE, LISTED, INTEREST, SPOT, quotes(12.4, 12.6))
    assert found["prints"].verdict == "missing"
    assert "entitled" in found["prints"].advice


def test_while_the_market_is_closed_their_absence_says_nothing() -> None:
    found = looked_at(LIVE, LISTED, INTEREST, SPOT, open_now=False)
    assert found["prints"].verdict == found["quotes"].verdict == "odd"
    assert "closed" in found["quotes"].said


def test_what_a_venue_does_not_carry_is_not_missed() -> None:
    found = looked_at(LIVE, LISTED, quotes(12.4, 12.6), at=venue(quotes="all"))
    assert found["prints"].verdict == "fine"
    assert "parity" in found["underlying"].said
    assert "open interest" not in found


def test_open_interest_that_is_not_a_number_is_not_known() -> None:
    assert "known of 1 contracts" in looked_at(LIVE, LISTED, INTEREST)["open interest"].said


def test_quotes_without_two_sides_are_worth_a_look() -> None:
    assert looked_at(LIVE, LISTED, quotes(0.0, 12.6))["quotes"].verdict == "odd"
    assert looked_at(LIVE, LISTED, quotes(12.6, 12.4))["quotes"].verdict == "odd"


def test_sides_that_were_promised_and_never_came_are_worth_a_look() -> None:
    none = Trades.of([0], [12.5], [5], [1])
    assert looked_at(LIVE, LISTED, none)["side"].verdict == "odd"
    assert "50%" in looked_at(LIVE, LISTED, PRINTS)["side"].said


def test_a_clock_that_is_off_is_told_with_its_direction() -> None:
    found = looked_at(LIVE, LISTED, FeedReport(skew_s=-192.0))
    assert found["clock"].verdict == "odd"
    assert "192.0 s behind the venue's" in found["clock"].said
    assert looked_at(LIVE, LISTED, FeedReport(skew_s=0.4))["clock"].verdict == "fine"


def test_what_was_counted_and_noted_is_told() -> None:
    found = looked_at(LIVE, LISTED, FeedReport(malformed=3, gaps=1, notes=("no time and sale",)))
    assert found["messages that make no sense"].said == "3"
    assert found["prints missing for good"].verdict == "odd"
    assert found["note"].said == "no time and sale"


def test_each_step_of_a_protocol_is_told_once() -> None:
    examination = Examination(venue(), open_now=True)
    account = Account(steps={"token": "good for 24 h"})
    assert [f.what for f in examination.hear([], account)] == ["token"]
    account.steps["chain"] = "21,034 contracts"
    assert [f.what for f in examination.hear([LIVE], account)] == ["chain"]
