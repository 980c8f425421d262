"""A session with Massive, fed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, InputError, UsageError
from gexterm.feeds.massive import VENUE, make
from gexterm.feeds.massive.gather import sequence
from gexterm.feeds.retry import Retry, Stop
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import FeedOptions
from gexterm.feeds.window import WindowSettings
from gexterm.market import calendar
from gexterm.market.events import (
    Definitions,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
    Volume,
)
from tests.feeds.massive.made import (
    DECEMBER,
    KEY,
    MONDAY,
    NOW,
    SPOT,
    TODAY,
    Hand,
    chain,
    frame,
    protocol,
    quote,
    row,
    symbol,
    trade,
)
from tests.venues.massive import status

ATM = symbol("SPXW", TODAY, "C", 6600)
BREAK = Retry("the connection broke")


def at(hand: Hand, name: str) -> int:
    return hand.fed._catalogue.index[name]


def test_the_key_goes_into_the_login_and_headers_and_nowhere_else() -> None:
    hand = Hand(protocol())
    hand.start()
    assert hand.sent[0] == {"action": "auth", "params": KEY}
    assert all(KEY not in str(said) for said in hand.sent[1:])
    for request in hand.asked:
        assert KEY not in request.url
        header = request.headers["Authorization"]
        assert isinstance(header, Secret) and header.reveal() == f"Bearer {KEY}"
    assert KEY not in repr(hand.asked)


def test_nothing_is_said_before_the_venue_has_said_connected() -> None:
    fed = protocol()
    assert fed.on_open(NOW) == [] and fed.outgoing() == [] and fed.on_timer(NOW + NS) == []


def test_crossed_quotes_are_told_as_they_are() -> None:
    hand = Hand(protocol())
    hand.start()
    hand.hear(quote(ATM, 5.3, 5.1))
    (quotes,) = hand.flush()
    assert isinstance(quotes, Quotes)
    assert (quotes.bid.tolist(), quotes.ask.tolist()) == ([5.3], [5.1])


def test_the_source_comes_first_and_once() -> None:
    hand = Hand(protocol())
    hand.start()
    assert isinstance(hand.events[0], SourceInfo)
    assert len(hand.of(SourceInfo)) == 1
    info = hand.events[0]
    assert (info.mode, info.delay_s, info.conditions) == ("live", 0.0, "massive")


def test_definitions_precede_open_interest_which_precedes_quotes() -> None:
    hand = Hand(protocol())
    hand.open()
    kinds = [type(event) for event in hand.events[1:5]]
    assert kinds == [Definitions, OpenInterest, Volume, Quotes]


def test_near_expiries_are_loaded_before_far_ones() -> None:
    hand = Hand(protocol(), chain())
    hand.open()
    order = [c.expiry.isoformat() for d in hand.of(Definitions) for c in d.contracts]
    assert order == sorted(order)
    assert hand.fed.account.listed == len(chain())


def test_am_and_pm_twins_are_two_contracts() -> None:
    hand = Hand(protocol())
    hand.start()
    am, pm = (at(hand, symbol(root, DECEMBER, "C", 6600)) for root in ("SPX", "SPXW"))
    assert am != pm
    contracts = hand.fed._catalogue.contracts
    assert contracts[am].expiry == contracts[pm].expiry
    assert hand.fed.account.steps["chain"] == "210 contracts (SPX 42, SPXW 168)"


def test_open_interest_is_told_once_a_day_and_only_where_it_is_known() -> None:
    rows = chain()
    del rows[0]["open_interest"]
    rows[1]["open_interest"] = 0
    hand = Hand(protocol(), rows)
    hand.start()
    told = np.concatenate([event.contract for event in hand.of(OpenInterest)])
    assert len(told) == len(set(told.tolist())) == len(rows) - 1
    assert at(hand, rows[0]["details"]["ticker"]) not in told
    assert at(hand, rows[1]["details"]["ticker"]) in told
    hand.tick(1000)
    assert len(np.concatenate([event.contract for event in hand.of(OpenInterest)])) == len(told)


def test_yesterdays_volume_is_not_todays() -> None:
    rows = [row(strike=6600.0), row(strike=6610.0)]
    rows[1]["day"]["last_updated"] -= 86_400 * NS
    hand = Hand(protocol(), rows)
    hand.open()
    volumes = hand.of(Volume)
    assert [v.contract.tolist() for v in volumes] == [[0]] and volumes[0].volume.tolist() == [12.0]


def test_adjusted_contracts_and_other_roots_are_left_out_and_counted() -> None:
    rows = chain()
    rows[3]["details"]["shares_per_contract"] = 10
    rows[4]["details"]["ticker"] = "O:SPX1261120C06600000"
    rows[5]["details"]["ticker"] = "O:XSP261120C00660000"
    rows[6]["details"]["ticker"] = "nonsense"
    hand = Hand(protocol(), rows)
    hand.start()
    assert hand.fed.account.listed == len(rows) - 4
    assert hand.fed.account.notes["left out"] == (
        "left out of the chain: 2 adjusted contracts (they deliver something else), "
        "1 contracts of other roots, 1 rows that make no sense"
    )


def test_a_chain_without_its_weeklies_is_told() -> None:
    hand = Hand(protocol(), chain([("SPX", DECEMBER)]))
    hand.start()
    assert "lists no SPXW" in hand.fed.account.notes["roots"]
    hand = Hand(protocol(), chain())
    hand.start()
    assert "roots" not in hand.fed.account.notes


def test_spot_is_not_passed_on_but_places_the_window() -> None:
    hand = Hand(protocol(window=WindowSettings(most=20)))
    hand.start()
    assert not hand.of(UnderlyingPrice)
    asked = {name[-8:] for names in hand.frames("subscribe", "Q") for name in names}
    assert f"{round(SPOT * 1000):08d}" in asked and len(asked) <= 10


def test_all_listed_contracts_are_asked_for_prints_and_the_window_for_quotes() -> None:
    hand = Hand(protocol())
    hand.start()
    hand.confirm()
    prints = [name for names in hand.frames("subscribe", "T") for name in names]
    assert sorted(prints) == sorted(f"T.{r['details']['ticker']}" for r in hand.rows)
    account = hand.fed.account
    assert (account.printed, account.quoted) == (len(prints), len(hand.fed._subscriptions.quotes))
    assert list(account.steps) == [
        "authenticated",
        "chain",
        "open interest",
        "subscribed prints",
        "subscribed quotes",
    ]


def test_quotes_of_a_window_that_moves_never_exceed_the_limit_after_any_frame() -> None:
    strikes = [float(k) for k in range(5800, 7400, 5)]
    hand = Hand(protocol(), chain([("SPXW", TODAY), ("SPXW", MONDAY)], strikes))
    hand.start(2)
    call, put = (symbol("SPXW", TODAY, right, 7000) for right in "CP")
    assert hand.fed.account.quoted > 200
    for step in range(1, 6):
        moved = SPOT + 60.0 * step
        for k in strikes:
            hand.hear(
                quote(symbol("SPXW", TODAY, "C", k), *_around(max(moved - k, 0.0))),
                quote(symbol("SPXW", TODAY, "P", k), *_around(max(k - moved, 0.0))),
            )
        hand.flush()
        hand.tick()
    open_now: set[str] = set()
    for said in hand.sent:
        names = {n for n in said["params"].split(",") if n.startswith("Q.")}
        open_now = open_now - names if said["action"] == "unsubscribe" else open_now | names
        assert len(open_now) <= 1000
    assert f"Q.{call}" in open_now and f"Q.{put}" in open_now
    assert hand.frames("unsubscribe", "Q")
    assert len(open_now) == hand.fed.account.quoted


def _around(intrinsic: float) -> tuple[float, float]:
    return intrinsic + 4.9, intrinsic + 5.1


def test_the_newest_quote_counts_and_all_of_a_printed_contract_survive() -> None:
    hand = Hand(protocol())
    hand.start()
    hand.hear(
        quote(ATM, 4.0, 4.2, ms=1),
        quote(ATM, 4.1, 4.3, ms=2),
        trade(ATM, 4.3, 2, q=5, ms=3),
        quote(ATM, 4.4, 4.6, ms=4),
    )
    quotes, trades = hand.flush()
    assert isinstance(quotes, Quotes) and isinstance(trades, Trades)
    assert quotes.bid.tolist() == [4.0, 4.1, 4.4] and quotes.ask.tolist() == [4.2, 4.3, 4.6]
    assert quotes.ts.tolist() == [NOW + ms * 1_000_000 for ms in (1, 2, 4)]
    assert trades.price.tolist() == [4.3] and trades.size.tolist() == [2.0]
    assert trades.sequence.tolist() == [sequence(5, 302)]
    assert trades.condition.tolist() == [209] and trades.side.tolist() == [0]
    assert math.isnan(trades.bid[0]) and math.isnan(trades.ask[0])
    assert hand.flush() == []


def test_no_bid_is_zero_no_offer_is_unknown_and_nonsense_is_not_given() -> None:
    hand = Hand(protocol())
    hand.start()
    names = [symbol("SPXW", TODAY, "C", k) for k in (6500, 6510, 6520, 6530)]
    hand.hear(
        quote(names[0], 0, 0.05, ms=1),
        quote(names[1], 0, 0, ms=2),
        quote(names[2], -1, 5.0, ms=3, bs=-4),
        {"ev": "Q", "sym": names[3], "t": NOW // 1_000_000 + 4},
    )
    (quotes,) = hand.flush()
    assert isinstance(quotes, Quotes)
    np.testing.assert_array_equal(quotes.bid, [0.0, 0.0, np.nan, np.nan])
    np.testing.assert_array_equal(quotes.ask, [0.05, np.nan, 5.0, np.nan])
    np.testing.assert_array_equal(quotes.bid_size, [10.0, 10.0, np.nan, np.nan])


def test_rows_of_a_flush_are_in_order_of_time() -> None:
    hand = Hand(protocol())
    hand.start()
    names = [symbol("SPXW", TODAY, "C", k) for k in (6500, 6510, 6520)]
    hand.hear(*(quote(name, ms=30 - 10 * i) for i, name in enumerate(names)))
    (quotes,) = hand.flush()
    assert isinstance(quotes, Quotes)
    assert quotes.contract.tolist() == [at(hand, name) for name in reversed(names)]


def test_one_number_on_two_exchanges_is_two_prints() -> None:
    hand = Hand(protocol())
    hand.start()
    hand.hear(trade(ATM, q=9, x=302), trade(ATM, q=9, x=303))
    (trades,) = hand.flush()
    assert isinstance(trades, Trades) and len(set(trades.sequence.tolist())) == 2


def test_times_in_another_unit_are_no_times() -> None:
    hand = Hand(protocol())
    hand.start()
    hand.hear(trade(ATM, q=1, t=NOW), trade(ATM, q=2, t=NOW // NS), quote(ATM, t=0))
    quotes, trades = hand.flush()
    assert isinstance(quotes, Quotes) and isinstance(trades, Trades)
    assert trades.ts.tolist() == [0, 0] and quotes.ts.tolist() == [0]
    hand.tick()
    assert hand.fed.account.notes["undated"].startswith("3 quotes and prints")


def test_contracts_that_are_not_listed_are_dropped_and_counted() -> None:
    hand = Hand(protocol())
    hand.start()
    hand.hear(quote("O:NVDA261120C00200000"), trade("O:NVDA261120C00200000"), trade(ATM))
    (trades,) = hand.flush()
    assert isinstance(trades, Trades) and len(trades.price) == 1
    hand.tick()
    assert hand.fed.account.notes["unlisted"].startswith("2 quotes and prints")


def test_unknown_events_are_counted_by_kind_and_the_rest_of_the_frame_stands() -> None:
    hand = Hand(protocol())
    hand.start()
    hand.hear(
        {"ev": "LULD", "sym": ATM},
        trade(ATM, q=1),
        {"ev": "A", "sym": ATM, "o": 1.0},
        quote(ATM, ap=None),
        {"ev": "T", "sym": 5},
        trade(ATM, q="2", p="5.5"),
    )
    quotes, trades = hand.flush()
    assert isinstance(quotes, Quotes) and isinstance(trades, Trades)
    assert math.isnan(quotes.ask[0])
    assert trades.price.tolist() == [5.0, 5.5]
    assert trades.sequence.tolist() == [sequence(1, 302), sequence(2, 302)]
    hand.tick()
    assert hand.fed.account.notes["kinds"] == "events of kinds nobody asked for: 'A' 1, 'LULD' 1"
    assert hand.fed.account.notes["refused"].startswith("1 events")


@pytest.mark.parametrize("data", [b"", b"{", b"[{]", b"null", b'[{"ev":5}]', b"\xff\xfe", b"[1]"])
def test_what_makes_no_sense_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        protocol().receive(data, NOW)


def test_a_refused_login_stops_and_says_what_to_do() -> None:
    fed = protocol()
    fed.on_open(NOW)
    with pytest.raises(ConnectionFailedError, match="authentication failed") as refused:
        fed.receive(frame(status("auth_failed", "authentication failed")), NOW)
    assert "plan" in refused.value.hint


def test_statuses_nobody_foresaw_are_shown() -> None:
    hand = Hand(protocol())
    hand.start()
    hand.hear(status("force_disconnect", "server\x1b[31m maintenance"))
    told = hand.fed.account.notes["status"]
    assert "force_disconnect" in told and "maintenance" in told and "\x1b" not in told


def test_another_program_is_given_way_twice_and_then_for_good() -> None:
    hand = Hand(protocol())
    waits = []
    for _ in range(2):
        hand.start()
        hand.hear(status("max_connections", "Maximum number of websocket connections exceeded."))
        verdict = hand.fed.closed(BREAK, hand.now)
        assert isinstance(verdict, Retry) and "another program" in verdict.reason
        waits.append(verdict.wait_s)
        hand.now += round(verdict.wait_s * NS)
    hand.start()
    hand.hear(status("max_connections", "Maximum number of websocket connections exceeded."))
    verdict = hand.fed.closed(BREAK, hand.now)
    assert waits == [60.0, 120.0]
    assert (
        isinstance(verdict, Stop)
        and "3 times" in verdict.reason
        and "end the other" in (verdict.hint)
    )


def test_being_too_slow_is_told_and_tried_again() -> None:
    hand = Hand(protocol())
    hand.start()
    hand.hear(status("slow_consumer", "Slow consumer"))
    hand.tick()
    verdict = hand.fed.closed(BREAK, hand.now)
    assert isinstance(verdict, Retry) and "too slowly" in verdict.reason
    assert "1 times because we read too slowly" in hand.fed.account.notes["slow"]


def test_prints_are_known_from_the_confirmation_and_not_after_the_connection_is_gone() -> None:
    hand = Hand(protocol())
    hand.open()
    assert hand.fed.account.heard_from == 0
    hand.tick()
    assert hand.fed.account.heard_from == 0
    hand.confirm()
    assert hand.fed.account.heard_from == hand.now
    hand.fed.closed(BREAK, hand.now)
    assert hand.fed.account.heard_from == 0


def test_subscriptions_that_are_not_confirmed_one_by_one_are_taken_to_hold_after_a_while() -> None:
    hand = Hand(protocol())
    hand.open()
    hand.tick(5)
    hand.hear(status("success", "subscribed"))
    assert hand.fed.account.heard_from == 0
    hand.tick(10)
    assert hand.fed.account.heard_from == hand.now - 4 * NS


def test_prints_that_are_refused_are_never_taken_for_subscribed() -> None:
    hand = Hand(protocol())
    hand.open()
    hand.tick(2)
    hand.hear(status("error", "not authorized for T.O:SPXW261120C06600000"))
    hand.tick(60)
    assert hand.fed.account.heard_from == 0
    assert "subscribed prints" not in hand.fed.account.steps
    assert "not authorized" in hand.fed.account.notes["status"]


def test_open_interest_is_told_anew_in_the_morning_of_another_day() -> None:
    hand = Hand(protocol(), chain([("SPXW", DECEMBER)]))
    hand.start()
    hand.events.clear()
    for row_ in hand.rows:
        row_["open_interest"] = 5
    tomorrow = NOW + 86_400 * NS
    hand.now = tomorrow - 4 * 3600 * NS
    hand.tick()
    assert not hand.of(OpenInterest)
    hand.now = tomorrow - 3 * 3600 * NS
    hand.tick()
    told = hand.of(OpenInterest)
    assert sum(len(event.contract) for event in told) == len(hand.rows)
    assert set(np.concatenate([event.open_interest for event in told]).tolist()) == {5.0}


def test_a_chain_that_cannot_be_completed_is_told_and_what_there_is_is_used() -> None:
    hand = Hand(protocol())
    hand.open()
    hand.status["/v3/snapshot/"] = 500
    hand.fed._chain.begin(calendar.et(NOW).date())
    hand.tick(400)
    hand.confirm()
    hand.tick()
    assert "is not complete" in hand.fed.account.notes["chain"]
    assert hand.fed.account.heard_from > 0


def test_a_new_connection_subscribes_to_the_same_again_and_defines_nothing_twice() -> None:
    hand = Hand(protocol())
    hand.start()
    before = sorted(hand.frames("subscribe", "T")), sorted(hand.frames("subscribe", "Q"))
    defined = len(hand.of(Definitions))
    pages = len(hand.asked)
    hand.fed.closed(BREAK, hand.now)
    hand.sent.clear()
    hand.now += 30 * NS
    hand.start()
    assert (sorted(hand.frames("subscribe", "T")), sorted(hand.frames("subscribe", "Q"))) == before
    assert len(hand.of(Definitions)) == defined
    assert all("/v3/trades/" in request.url for request in hand.asked[pages:])
    assert "prints not heard" in hand.fed.account.notes["missed"]


def test_a_plan_without_snapshots_has_contracts_and_says_that_open_interest_is_unknown() -> None:
    hand = Hand(protocol())
    hand.status["/v3/snapshot/"] = 403
    hand.start()
    assert hand.fed.account.listed == len(hand.rows)
    assert not hand.of(OpenInterest)
    assert "open interest is not known" in hand.fed.account.notes["interest"]


def test_where_nothing_tells_spot_the_nearest_expiry_is_quoted_to_find_it_out() -> None:
    hand = Hand(protocol())
    hand.status["/v3/snapshot/"] = 403
    hand.start()
    asked = {name for names in hand.frames("subscribe", "Q") for name in names}
    assert asked == {
        f"Q.{r['details']['ticker']}" for r in hand.rows if r["details"]["expiration_date"] == TODAY
    }
    assert "to find out where spot is" in hand.fed.account.window
    hand.hear(quote(ATM, 4.9, 5.1), quote(symbol("SPXW", TODAY, "P", 6600), 4.9, 5.1))
    hand.flush()
    hand.tick()
    assert "expiries" in hand.fed.account.window
    assert hand.fed._spot == pytest.approx(6600.0)


def test_spot_is_looked_for_on_a_weekend_too() -> None:
    hand = Hand(protocol(), chain([("SPXW", DECEMBER)]))
    hand.status["/v3/snapshot/"] = 403
    hand.now += 86_400 * NS
    hand.start()
    assert hand.fed.account.quoted == len(hand.rows)


def test_hanging_up_without_any_data_time_and_again_is_told_as_what_it_may_mean() -> None:
    hand = Hand(protocol())
    for _ in range(3):
        hand.start()
        verdict = hand.fed.closed(BREAK, hand.now)
    assert isinstance(verdict, Retry) and verdict.wait_s >= 60.0
    assert "3 times in a row without any data" in verdict.reason and "plan" in verdict.hint
    hand.start()
    hand.hear(quote(ATM))
    hand.flush()
    assert hand.fed.closed(BREAK, hand.now) is BREAK


def test_a_plan_that_lists_nothing_stops() -> None:
    hand = Hand(protocol())
    hand.status["/v3/"] = 403
    with pytest.raises(ConnectionFailedError, match="not entitled"):
        hand.open()


def test_silence_counts_in_sessions_only_and_once_subscribed() -> None:
    hand = Hand(protocol())
    assert math.isinf(hand.fed.quiet_s(NOW))
    hand.start()
    assert hand.fed.quiet_s(NOW) == 30.0
    friday = calendar.et(NOW).date()
    assert math.isinf(hand.fed.quiet_s(calendar.index_close_ns(friday)))
    assert math.isinf(hand.fed.quiet_s(NOW + 86_400 * NS))
    # The day after Thanksgiving ends at 13:00, the tail at 13:15.
    half_day = calendar.session_open_ns(calendar.et(NOW + 7 * 86_400 * NS).date())
    assert hand.fed.quiet_s(half_day + 3 * 3600 * NS) == 30.0
    assert math.isinf(hand.fed.quiet_s(half_day + 4 * 3600 * NS))
    assert math.isinf(hand.fed.dead_s())


def test_the_delayed_feed_says_so_and_lives_a_quarter_of_an_hour_ago() -> None:
    hand = Hand(protocol(delayed=True))
    hand.start()
    info = hand.of(SourceInfo)[0]
    assert (info.mode, info.delay_s) == ("delayed", 900.0)
    assert hand.fed.connect_url() == "wss://delayed.massive.com/options"
    assert hand.fed.account.heard_from == NOW + NS - 900 * NS
    opens = calendar.session_open_ns(calendar.et(NOW).date())
    assert math.isinf(hand.fed.quiet_s(opens + 600 * NS))
    assert hand.fed.quiet_s(opens + 901 * NS) == 30.0


def test_the_chain_is_read_again_in_a_session_and_new_contracts_join() -> None:
    hand = Hand(protocol())
    hand.start()
    new = row(strike=6605.0)
    hand.rows.append(new)
    name = new["details"]["ticker"]
    hand.sent.clear()
    hand.tick(905)
    assert hand.fed._catalogue.index[name] == len(hand.rows) - 1
    assert hand.frames("subscribe", "T") == [[f"T.{name}"]]


def test_a_page_never_overwrites_a_newer_quote() -> None:
    hand = Hand(protocol())
    hand.start()
    hand.hear(quote(ATM, 7.0, 7.2, ms=1))
    hand.flush()
    hand.events.clear()
    hand.tick(905)
    quoted = {index for event in hand.of(Quotes) for index in event.contract.tolist()}
    assert at(hand, ATM) not in quoted


@pytest.mark.parametrize(
    ("underlying", "roots"), [("spx", ("SPX", "SPXW", "SPXPM")), ("SPY", ("SPY",)), ("BRK.B", 0)]
)
def test_an_underlying_has_its_own_roots(underlying: str, roots: object) -> None:
    made = protocol(underlying)
    assert made._chain._roots == (roots or ("BRKB",))


@pytest.mark.parametrize("underlying", ["", "BTC", "SPXW", "SPX1", "MXEA", "A B", "SPX?x=1", "ü"])
def test_what_is_no_underlying_here_is_refused(underlying: str) -> None:
    with pytest.raises(UsageError):
        protocol(underlying)


def test_without_a_key_there_is_no_feed() -> None:
    with pytest.raises(UsageError, match="API key"):
        make("SPX", {}, FeedOptions())
    with pytest.raises(UsageError):
        make("SPX", {"key": Secret(KEY)}, FeedOptions(url="ws://example.com/options"))
    with pytest.raises(UsageError):
        make("SPX", {"key": Secret(KEY)}, FeedOptions(demo=True))


def test_nobody_has_run_it_against_the_live_server() -> None:
    assert VENUE.checked.live == ""
    assert "none of a real option quote or print" in VENUE.checked.frames
