"""Cboe's delayed pages as a feed: when it asks, what it tells, when it gives up. No sockets."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, InputError, UsageError
from gexterm.feeds.cboe import PUBLIC, VENUE, CboeProtocol
from gexterm.feeds.protocol import Answer, Outgoing, Request
from gexterm.feeds.retry import Retry, Stop
from gexterm.feeds.venue import Checked, FeedOptions, find_venue
from gexterm.market.calendar import ns
from gexterm.market.chain import Chain
from gexterm.market.events import (
    Definitions,
    Event,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
)
from gexterm.market.settlement import expiry_of
from tests.recording.chains.pages import delayed_page, option
from tests.venues.cboe import page

STAMP = dt.datetime(2022, 7, 12, 15, 55, 13, tzinfo=dt.UTC)
"""11:55 in New York, in session."""
NOW = ns(STAMP) + 20 * NS


class Session:
    """A protocol, its clock, and what it told."""

    def __init__(self, protocol: CboeProtocol | None = None) -> None:
        self.protocol = protocol or CboeProtocol("SPX", jitter=lambda: 0.0)
        self.now = NOW
        self.told: list[Event] = []
        self.asked: list[tuple[int, Request]] = []
        self.note(self.protocol.on_open(self.now))
        self.told += self.protocol.flush()

    def note(self, out: Iterable[Outgoing]) -> None:
        for each in out:
            assert isinstance(each, Request)
            self.asked.append((self.now, each))

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += NS
            self.note(self.protocol.on_timer(self.now))
            self.told += self.protocol.flush()

    def until_asked(self) -> float:
        """Run until the next request; how many seconds that took."""
        before, begun = len(self.asked), self.now
        while len(self.asked) == before:
            self.run(1)
            assert self.now - begun < 3 * 3600 * NS, "it never asks again"
        return (self.now - begun) / NS

    def answer(self, body: bytes = b"", status: int = 200, **headers: str) -> list[Event]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        events = self.protocol.answer(Answer("page", status, named, body, self.now))
        self.told += events
        return events

    def fail(self, failure: Retry | Stop) -> list[Event]:
        events = self.protocol.answer(Answer("page", recv_ns=self.now, failure=failure))
        self.told += events
        return events

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.told if isinstance(event, FeedStatus)]


def test_a_session_begins_with_its_source_then_says_that_it_asks() -> None:
    session = Session()
    source, connecting = session.told
    assert isinstance(source, SourceInfo)
    assert (source.underlying, source.mode, source.delay_s) == ("SPX", "delayed", 900)
    assert not source.has_tape and "no prints" in source.note
    assert isinstance(connecting, FeedStatus) and connecting.state == "connecting"
    [(_, request)] = session.asked
    assert request.url == f"{PUBLIC}/_SPX.json" and request.method == "GET"
    assert "If-None-Match" not in request.headers


def test_a_page_becomes_definitions_interest_and_quotes_of_a_quarter_of_an_hour_ago() -> None:
    session = Session()
    events = session.answer(page(STAMP))
    kinds = [type(event) for event in events]
    assert kinds.index(Definitions) < kinds.index(Quotes)
    assert not any(isinstance(event, Trades) for event in events)
    [quotes] = [event for event in events if isinstance(event, Quotes)]
    assert set(quotes.ts.tolist()) == {ns(STAMP) - 900 * NS}
    assert quotes.recv == session.now
    [interest] = [event for event in events if isinstance(event, OpenInterest)]
    assert len(interest.contract) == 20
    [spot] = [event for event in events if isinstance(event, UnderlyingPrice)]
    assert spot.price == 3856.28
    assert session.states == ["connecting", "live"]
    account = session.protocol.account
    assert (account.listed, account.quoted, account.printed) == (20, 20, 0)
    assert "prints" in account.notes and account.heard_from == 0


def test_the_source_comes_before_a_page_that_nobody_flushed_before() -> None:
    protocol = CboeProtocol("SPX", jitter=lambda: 0.0)
    protocol.on_open(NOW)
    first, *_ = protocol.answer(Answer("page", 200, {}, page(STAMP), NOW))
    assert isinstance(first, SourceInfo)


def test_a_page_is_asked_for_once_a_minute_and_only_if_it_has_changed() -> None:
    session = Session()
    session.answer(page(STAMP), etag='"7"', last_modified="Tue, 12 Jul 2022 15:55:13 GMT")
    assert 60 <= session.until_asked() <= 61
    _, request = session.asked[-1]
    assert request.headers["If-None-Match"] == '"7"'
    assert request.headers["If-Modified-Since"] == "Tue, 12 Jul 2022 15:55:13 GMT"
    before = len(session.told)
    session.answer(status=304)
    assert len(session.told) == before and session.states[-1] == "live"
    assert 60 <= session.until_asked() <= 61


def test_while_a_page_is_under_way_no_other_is_asked_for() -> None:
    session = Session()
    session.run(100)
    assert len(session.asked) == 1


def test_an_answer_that_never_comes_is_waited_for_five_minutes() -> None:
    session = Session()
    assert 299 <= session.until_asked() <= 301


def test_a_connection_made_anew_does_not_ask_twice_in_a_minute() -> None:
    session = Session()
    session.answer(page(STAMP))
    for _ in range(30):
        session.now += NS
        session.note(session.protocol.on_open(session.now))
    assert len(session.asked) == 1
    session.until_asked()
    for _ in range(30):  # while the second is under way
        session.now += NS
        session.note(session.protocol.on_open(session.now))
    assert len(session.asked) == 2
    session.fail(Retry("it hung up"))
    for _ in range(30):
        session.now += NS
        session.note(session.protocol.on_open(session.now))
    assert len(session.asked) == 2
    assert len([event for event in session.told if isinstance(event, SourceInfo)]) == 1


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.sampled_from(["page", "304", "500", "broken", "truncated", "429"]),
        min_size=1,
        max_size=12,
    ),
    st.floats(0, 0.999),
)
def test_whatever_happens_no_two_requests_are_less_than_a_minute_apart(
    script: list[str], jitter: float
) -> None:
    session = Session(CboeProtocol("SPX", jitter=lambda: jitter))
    for minute, step in enumerate(script):
        stamp = STAMP + dt.timedelta(minutes=minute)
        if step == "page":
            session.answer(page(stamp), etag=f'"{minute}"')
        elif step == "304":
            session.answer(status=304) if session.protocol.account.listed else session.answer(
                page(stamp), etag='"x"'
            )
        elif step == "broken":
            session.fail(Retry("the connection broke"))
        elif step == "truncated":
            session.answer(page(stamp)[:-40])
        else:
            session.answer(status=int(step), retry_after="1")
        waited = session.until_asked()
        assert 60 <= waited <= 900 * 1.25 + 1
    assert len(session.asked) == len(script) + 1


def test_failures_are_told_and_tried_again_later_and_later() -> None:
    session = Session()
    session.answer(page(STAMP), etag='"1"')
    session.until_asked()
    waits = []
    for tries in range(1, 7):
        session.answer(status=503)
        status = session.told[-1]
        assert isinstance(status, FeedStatus) and status.state == "reconnecting"
        assert "in trouble (503)" in status.message and status.detail["tries"] == tries
        waits.append(session.until_asked())
    assert [round(wait, -1) for wait in waits] == [60, 120, 240, 480, 900, 900]
    session.answer(status=304)
    assert session.states[-1] in ("live", "stale")
    assert 60 <= session.until_asked() <= 61


def test_the_server_is_given_the_time_it_asks_for() -> None:
    session = Session()
    session.answer(status=429, retry_after="700")
    status = session.told[-1]
    assert isinstance(status, FeedStatus) and "asked too often" in status.message
    assert status.detail["retry_in_s"] == 700
    assert 700 <= session.until_asked() <= 701


def test_a_network_that_fails_is_told_in_its_own_words_and_tried_again() -> None:
    session = Session()
    session.fail(Retry("it does not answer"))
    status = session.told[-1]
    assert isinstance(status, FeedStatus) and status.state == "reconnecting"
    assert "cdn.cboe.com: it does not answer" in status.message
    session.until_asked()
    assert session.answer(page(STAMP)) and session.states[-1] == "live"


@pytest.mark.parametrize(
    ("status", "says"),
    [(404, "has no page _SPX.json"), (403, "refuses"), (301, "points elsewhere"), (418, "418")],
)
def test_a_refusal_ends_the_feed_with_one_clear_line(status: int, says: str) -> None:
    session = Session()
    with pytest.raises(ConnectionFailedError, match=says) as caught:
        session.answer(status=status, location="https://elsewhere.test/[red]")
    assert "\n" not in str(caught.value) and "[" not in str(caught.value)


def test_a_certificate_that_is_not_trusted_ends_the_feed() -> None:
    session = Session()
    with pytest.raises(ConnectionFailedError, match="not trusted"):
        session.fail(Stop("its certificate is not trusted: self-signed"))


def test_a_certificate_that_was_good_before_is_waited_for() -> None:
    session = Session()
    session.answer(page(STAMP))
    session.until_asked()
    session.fail(Stop("its certificate is not trusted: self-signed"))
    assert session.states[-1] == "reconnecting"


def test_two_sessions_begun_at_one_time_ask_at_the_same_times() -> None:
    sessions = [Session(CboeProtocol("SPX")) for _ in range(2)]
    for session in sessions:
        for _ in range(4):
            session.answer(status=500)
            session.until_asked()
    first, second = ([at for at, _ in session.asked] for session in sessions)
    assert first == second


def test_a_page_of_another_underlying_ends_the_feed() -> None:
    session = Session(CboeProtocol("NDX", jitter=lambda: 0.0))
    with pytest.raises(ConnectionFailedError, match="asked for NDX and sent SPX"):
        session.answer(page(STAMP))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>maintenance</html>", page(STAMP)[:-30], b"\xff\xfe\x00", b'{"data": 1}'],
)
def test_a_page_of_something_else_is_told_and_asked_for_again(body: bytes) -> None:
    session = Session()
    assert not any(isinstance(event, Quotes) for event in session.answer(body))
    assert session.states[-1] == "reconnecting"
    session.until_asked()
    session.answer(page(STAMP))
    assert session.states[-1] == "live"


def test_a_page_that_stands_still_in_session_is_stale_until_a_new_one_comes() -> None:
    session = Session()
    session.answer(page(STAMP), etag='"1"')
    for _ in range(6):
        session.until_asked()
        session.answer(status=304)
    assert session.states == ["connecting", "live", "stale"]
    stale = [event for event in session.told if isinstance(event, FeedStatus)][-1]
    assert "has not changed for 5 minutes" in stale.message
    session.until_asked()
    session.answer(page(STAMP + dt.timedelta(minutes=8)), etag='"2"')
    assert session.states[-1] == "live"


def test_a_page_that_stands_still_at_night_is_as_it_should_be() -> None:
    evening = dt.datetime(2022, 7, 12, 23, 0, 0, tzinfo=dt.UTC)
    session = Session()
    session.now = ns(evening)
    session.answer(page(evening, expiries=(dt.date(2022, 7, 15),)), etag='"1"')
    for _ in range(20):
        session.until_asked()
        session.answer(status=304)
    assert session.states == ["connecting", "live"]


def test_an_older_page_after_a_newer_one_is_passed_over_with_its_etag() -> None:
    session = Session()
    session.answer(page(STAMP), etag='"new"')
    session.until_asked()
    events = session.answer(page(STAMP - dt.timedelta(minutes=2), shift=1.0), etag='"old"')
    assert not any(isinstance(event, Quotes) for event in events)
    session.until_asked()
    assert session.asked[-1][1].headers["If-None-Match"] == '"new"'


def test_an_option_that_leaves_the_page_leaves_no_quote_behind() -> None:
    session, chain = Session(), Chain(expiry_of)
    later = STAMP + dt.timedelta(minutes=1)
    for body in (page(STAMP), page(later, strikes=(3850.0,))):
        for event in session.answer(body):
            if not isinstance(event, FeedStatus | SourceInfo):
                chain.apply(event)
        session.until_asked()
    bids = chain.column("bid")
    known = {chain.contracts[i].strike for i in np.flatnonzero(np.isfinite(bids))}
    assert known == {3850.0}


def test_what_was_skipped_on_a_page_is_said() -> None:
    session = Session()
    session.answer(delayed_page(option(), {"option": "nonsense"}))
    assert "entries skipped" in session.protocol.account.notes["page"]
    session.until_asked()
    session.answer(page(STAMP + dt.timedelta(minutes=2)))
    assert "page" not in session.protocol.account.notes


def test_no_frame_is_expected() -> None:
    with pytest.raises(InputError):
        CboeProtocol("SPX").receive(b"hello", 1)


def test_the_public_address_is_used_by_naming_the_feed_and_its_terms_are_named() -> None:
    venue = find_venue("cboe")
    assert venue is VENUE and venue.secrets == ()
    protocol = venue.make("SPX", {}, FeedOptions())
    assert protocol.connect_url() == ""
    [request] = protocol.on_open(NOW)
    assert isinstance(request, Request) and request.url.startswith("https://cdn.cboe.com/")
    assert "terms of use" in protocol.account.notes["terms"]
    assert any("terms of use" in note for note in venue.notes)
    assert "prints" not in venue.carries and venue.checked == Checked()


def test_another_address_may_be_given_and_must_be_safe() -> None:
    protocol = VENUE.make("SPY", {}, FeedOptions(url="http://127.0.0.1:8000/quotes"))
    [request] = protocol.on_open(NOW)
    assert isinstance(request, Request) and request.url == "http://127.0.0.1:8000/quotes/SPY.json"
    assert "terms" not in protocol.account.notes
    for bad in ("http://example.test/quotes", "https://user:secret@example.test", "ftp://x"):
        with pytest.raises(UsageError) as caught:
            VENUE.make("SPX", {}, FeedOptions(url=bad))
        assert "secret" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["timestamp", "data", "options", "option", "bid", "symbol"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_whatsoever_breaks_it(value: object) -> None:
    session = Session()
    events = session.answer(json.dumps(value).encode())
    assert not any(isinstance(event, Quotes) for event in events)
