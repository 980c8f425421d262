"""A day with tastytrade: our protocol and the real runner against the fake venue."""

from __future__ import annotations

from typing import Any

import pytest

from gexterm.clock import NS
from gexterm.feeds.dxlink.compact import FIELDS, PRINT, QUOTE
from gexterm.market.events import (
    Definitions,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
)
from tests.feeds.dxlink.live import (
    AM_CALL,
    CALL,
    OPEN,
    PM_CALL,
    PUT,
    TEN,
    TEN_MS,
    Live,
    chain,
    live,
    quote,
    sale,
    spot,
)
from tests.venues.dxlink import PATH, FakeDxlink
from tests.venues.line import Line

SALES = [
    sale(CALL, 1, 10.5, 3.0),
    sale(PUT, 2, 9.0, 1.0, aggressorSide="SELL"),
    sale(CALL, 3, 10.6, 2.0, exchangeSaleConditions="f"),
    sale(AM_CALL, 4, 80.0, 5.0),
]


async def traded(there: Live) -> None:
    """The same quotes and prints in every run."""
    await there.publish("Summary", {"eventSymbol": CALL, "openInterest": 34905})
    await there.publish("Quote", quote(CALL, 10.4, 10.5), quote(PUT, 9.0, 9.1))
    await there.publish("TimeAndSale", *SALES)
    await there.publish("Quote", quote(CALL, 10.5, 10.7), quote(AM_CALL, 79.0, 81.0))


async def heard(there: Live, prints: int = len(SALES)) -> None:
    await there.until(lambda: len(there.tape()) >= prints and AM_CALL in there.quotes())


QUOTES = {
    CALL: (10.5, 10.7, 12.0, 34.0),
    PUT: (9.0, 9.1, 12.0, 34.0),
    AM_CALL: (79.0, 81.0, 12.0, 34.0),
}


def undisturbed(there: Live) -> None:
    """The state is that of a run in which nothing went wrong."""
    assert there.quotes() == QUOTES
    assert set(there.tape()) == {(s["eventSymbol"], s["index"]) for s in SALES}
    for each in SALES:
        price, size, ts, _ = there.tape()[each["eventSymbol"], each["index"]]
        assert (price, size, ts) == (each["price"], each["size"], each["time"] * 1_000_000)


async def test_a_session_begins_with_its_source_and_contracts_then_interest_quotes_and_prints():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await traded(there)
            await heard(there)
            undisturbed(there)
            assert there.interest() == {CALL: 34905.0}
            assert there.spots() == [6600.0]
            order = [type(e) for e in there.events if not isinstance(e, FeedStatus)]
            first = [
                order.index(kind)
                for kind in (SourceInfo, Definitions, OpenInterest, Quotes, Trades)
            ]
            assert first == sorted(first)
            (source,) = there.of(SourceInfo)
            assert (source.mode, source.conditions, source.venue_side) == (
                "live",
                "dxfeed",
                "guess",
            )
            assert venue.errors == []


async def test_twins_of_one_date_and_strike_are_two_contracts():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await there.publish("Quote", quote(AM_CALL, 79.0, 81.0), quote(PM_CALL, 80.0, 82.0))
            await there.until(lambda: len(there.quotes()) == 2)
            assert there.quotes()[AM_CALL][0] == 79.0
            assert there.quotes()[PM_CALL][0] == 80.0


async def test_the_doctor_sees_every_step():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await traded(there)
            await heard(there)
            steps = list(there.protocol.account.steps)
            wanted = ["token", "chain", "authorized", "subscribed", "first quote", "first print"]
            assert [step for step in steps if step in wanted] == wanted


async def test_the_window_moves_with_spot_and_prints_once_heard_stay_heard():
    async with FakeDxlink() as venue:
        venue.chain(
            "SPX",
            {
                "SPXW": {
                    "settlement": "PM",
                    "expiries": {"2025-11-21": [6000.0 + 5 * k for k in range(300)]},
                }
            },
        )
        async with live(venue) as there:
            await there.subscribed(6600.0)
            before = venue.subscribed("Quote"), venue.subscribed("TimeAndSale")
            assert ".SPXW251121C6600" in before[0]
            assert ".SPXW251121C7000" not in before[0]
            await venue.publish("Trade", [spot(7000.0)])
            await there.until(lambda: ".SPXW251121C7000" in venue.subscribed("Quote"))
            await there.until(lambda: ".SPXW251121C7000" in venue.subscribed("TimeAndSale"))
            assert ".SPXW251121C6600" not in venue.subscribed("Quote")
            assert before[1] < venue.subscribed("TimeAndSale")
            account = there.protocol.account
            assert account.quoted == len(venue.subscribed("Quote")) - 1
            assert account.printed == len(venue.subscribed("TimeAndSale"))
            assert "of 600 contracts" in account.window
            assert venue.errors == []


async def test_without_a_price_of_the_index_the_window_is_drawn_around_the_last_close_and_says_so():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.until(lambda: bool(venue.past) and "SPX" in venue.subscribed("Summary"))
            await venue.publish("Summary", [{"eventSymbol": "SPX", "prevDayClosePrice": 6590.0}])
            await there.until(lambda: CALL in venue.subscribed("Quote"))
            assert "yesterday's close, 6,590.00" in there.notes["spot"]
            await venue.publish("Trade", [spot(6600.0)])
            await there.until(lambda: "spot" not in there.notes)


# Order and format


@pytest.mark.parametrize("how", ["reorder", "full"])
async def test_another_order_or_format_in_mid_stream_changes_no_value(how: str):
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await there.publish("TimeAndSale", *SALES[:2])
            await there.publish("Quote", quote(CALL, 10.4, 10.5), quote(PUT, 9.0, 9.1))
            if how == "reorder":
                await venue.reorder(PRINT, ["eventType", *reversed(FIELDS[PRINT])])
                await venue.reorder(
                    QUOTE, ["askPrice", "eventSymbol", "eventType", *FIELDS[QUOTE][3:], "bidPrice"]
                )
            else:
                await venue.to_full()
            await there.publish("TimeAndSale", *SALES[2:])
            await there.publish("Quote", quote(CALL, 10.5, 10.7), quote(AM_CALL, 79.0, 81.0))
            await heard(there)
            undisturbed(there)
            assert there.report.malformed == 0


async def test_frames_that_make_no_sense_are_counted_and_the_rest_is_as_it_was():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            feed = next(c.number for c in venue.here.channels.values() if c.contract == "AUTO")
            await traded(there)
            bad: list[Any] = [
                '{"type":"FEED_DATA","channel":1,"data":["Quote",[',
                "[]",
                '{"channel":1}',
                '{"type":"FEED_DATA","channel":1,"data":{}}',
                {"type": "FEED_DATA", "channel": feed, "data": ["Quote", [CALL, 1.0]]},
                {
                    "type": "FEED_DATA",
                    "channel": feed,
                    "data": ["Quote", [[CALL], 1, 2, 3, 4, 5, 6]],
                },
                {"type": "FEED_CONFIG", "channel": feed, "eventFields": {"Quote": "bidPrice"}},
                {"type": "AUTH_STATE", "channel": 0, "state": "PERHAPS"},
            ]
            for message in bad:
                await venue.say(message)
            for odd in (
                {"type": "WHATEVER", "channel": 0},
                {"type": "FEED_DATA", "channel": feed, "data": ["Moon", [1, 2, 3]]},
                {"type": "FEED_DATA", "channel": feed, "data": []},
                {"type": "CHANNEL_OPENED", "channel": 99},
                {"type": "CHANNEL_CLOSED", "channel": 1e300},
            ):
                await venue.say(odd)
            await heard(there)
            await there.until(lambda: there.report.malformed == len(bad))
            undisturbed(there)


async def test_numbers_that_are_words_are_not_given():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await traded(there)
            await heard(there)
            await there.publish("Quote", quote(PUT, "NaN", "Infinity"))
            await there.publish("Trade", {"eventSymbol": "SPX", "price": "NaN", "time": 0})
            await there.publish("Summary", {"eventSymbol": CALL, "openInterest": "NaN"})
            await there.publish("TimeAndSale", sale(PUT, 9, 1.0, 1.0) | {"size": "NaN"})
            await there.until(lambda: "prints unfit" in there.notes)
            undisturbed(there)
            assert there.interest() == {CALL: 34905.0}
            assert there.spots() == [6600.0]


# Prints


async def test_corrections_and_cancels_mean_the_same_before_and_after_their_print():
    correction = sale(CALL, 1, 10.45, 2.0, type="CORRECTION")
    cancel = sale(PUT, 2, 9.0, 1.0, type="CANCEL")
    tapes = []
    for batches in ([SALES, [correction, cancel]], [[correction, cancel], SALES]):
        async with FakeDxlink() as venue:
            chain(venue)
            async with live(venue) as there:
                await there.subscribed()
                for batch in batches:
                    await there.publish("TimeAndSale", *batch)
                await there.until(lambda there=there: len(there.tape()) == 3)  # type: ignore[misc]
                await there.seconds(2)
                tapes.append(there.tape())
    assert tapes[0] == tapes[1]
    assert tapes[0][CALL, SALES[0]["index"]][:2] == (10.45, 2.0)
    assert (PUT, SALES[1]["index"]) not in tapes[0]


async def test_prints_that_come_twice_after_a_reconnect_count_once():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await traded(there)
            await heard(there)
            await venue.sockets[0].close()
            await there.until(lambda: len(venue.past) == 2)
            await there.until(lambda: CALL in venue.subscribed("TimeAndSale"))
            await traded(there)
            await there.seconds(2)
            undisturbed(there)
            assert len(there.of(SourceInfo)) == 1
            assert len(there.contracts) == 30


async def test_an_account_without_time_and_sale_is_told_so_and_has_volume_only():
    async with FakeDxlink() as venue:
        chain(venue)
        venue.entitled = {"Quote", "Trade", "Summary"}
        async with live(venue) as there:
            await there.subscribed()
            for n in range(30):
                at = there.clock.now_ns() // 1_000_000 + 1
                await there.publish(
                    "Trade",
                    {"eventSymbol": CALL, "price": 10.0, "time": at, "dayVolume": 100.0 + n},
                )
            await there.until(lambda: "tape" in there.notes, pace_s=0.5)
            assert "time and sale is not delivered" in there.notes["tape"]
            assert there.of(Trades) == []
            assert there.volume() == {CALL: 129.0}


async def test_a_quiet_market_is_no_missing_entitlement():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await there.seconds(90)
            assert "tape" not in there.notes


# History


def earlier(*numbers: int) -> list[dict[str, Any]]:
    events = [sale(CALL, n, 10.0 + n, 1.0) | {"time": TEN_MS - 60_000 * n} for n in numbers]
    return sorted(events, key=lambda event: -event["time"])


async def test_joining_in_mid_session_fetches_what_was_printed_since_the_open():
    async with FakeDxlink() as venue:
        chain(venue)
        venue.history[CALL] = earlier(5, 6, 7)
        async with live(venue) as there:
            await there.subscribed()
            await there.until(lambda: "back-fill" in there.protocol.account.steps)
            assert {number for _, number in there.tape()} == {
                e["index"] for e in venue.history[CALL]
            }
            assert there.protocol.account.heard_from == OPEN
            assert there.protocol.account.refilled == 3
            await there.until(
                lambda: all(c.contract != "HISTORY" for c in venue.here.channels.values())
            )
            assert venue.errors == []


async def test_where_no_history_is_delivered_the_flow_is_known_from_when_we_came():
    async with FakeDxlink() as venue:
        chain(venue)
        venue.has_history = False
        async with live(venue) as there:
            await there.subscribed()
            since = there.protocol.account.heard_from
            assert TEN <= since < TEN + 60 * NS
            await there.until(lambda: "history" in there.notes)
            assert "not delivered" in there.notes["history"]
            assert "10:00 New York" in there.notes["history"]
            assert there.protocol.account.heard_from == since


async def test_a_server_without_histories_costs_nothing_but_the_past():
    async with FakeDxlink() as venue:
        chain(venue)
        venue.contracts.discard("HISTORY")
        async with live(venue) as there:
            await there.subscribed()
            await there.until(lambda: "history" in there.notes, pace_s=0.5)
            assert "10:0" in there.notes["history"]
            await traded(there)
            await heard(there)
            undisturbed(there)


async def test_prints_of_a_line_that_was_down_and_has_no_history_are_known_to_be_missing():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue, back_fill_s=0.0) as there:
            await there.subscribed()
            first = there.protocol.account.heard_from
            await venue.sockets[0].close()
            await there.until(lambda: len(venue.past) == 2)
            await there.until(lambda: there.protocol.account.heard_from > first)
            assert "were not heard" in there.notes["history"]
            assert all(c.contract != "HISTORY" for c in venue.here.channels.values())


async def test_before_the_open_there_is_nothing_to_fetch():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue, begins=OPEN - 600 * NS) as there:
            await there.subscribed()
            await there.seconds(3)
            assert there.protocol.account.heard_from < OPEN
            assert all(c.contract != "HISTORY" for c in venue.here.channels.values())


async def test_what_was_printed_while_the_line_was_down_is_fetched():
    async with FakeDxlink() as venue, Line(venue.port) as line:
        chain(venue)
        async with live(venue, url=line.url(PATH)) as there:
            await there.subscribed()
            await there.until(lambda: there.protocol.account.heard_from == OPEN)
            await there.publish("TimeAndSale", *SALES[:2])
            await there.until(lambda: len(there.tape()) == 2)
            venue.history[CALL] = [SALES[2] | {"time": there.clock.now_ns() // 1_000_000 + 5_000}]
            await line.refuse()
            await there.seconds(20)
            await line.allow()
            await there.until(
                lambda: len(venue.past) > 1 and CALL in venue.subscribed("TimeAndSale")
            )
            await there.until(lambda: len(there.tape()) == 3)
            await there.until(lambda: there.protocol.account.heard_from == OPEN)


# The line and the login


@pytest.mark.parametrize("bytes_down", [10, 300, 800])
async def test_a_line_cut_while_a_session_is_set_up_is_mended(bytes_down: int):
    async with FakeDxlink() as venue, Line(venue.port) as line:
        chain(venue)
        line.cut_after(bytes_down)
        async with live(venue, url=line.url(PATH)) as there:
            await there.until(lambda: line.cuts == 1)
            await there.until(lambda: len(venue.past) == 1 + (bytes_down > 10))
            await there.subscribed()
            await traded(there)
            await heard(there)
            undisturbed(there)


async def test_a_line_cut_in_the_middle_of_a_frame_of_prints_is_mended():
    async with FakeDxlink() as venue, Line(venue.port) as line:
        chain(venue)
        async with live(venue, url=line.url(PATH)) as there:
            await there.subscribed()
            await there.until(lambda: "back-fill" in there.protocol.account.steps)
            line.cut_after(200)
            await there.publish("TimeAndSale", *SALES)
            await there.until(lambda: line.cuts == 1)
            assert there.tape() == {}
            await there.until(lambda: len(venue.past) == 2)
            await there.until(lambda: CALL in venue.subscribed("TimeAndSale"))
            await traded(there)
            await heard(there)
            undisturbed(there)


@pytest.mark.parametrize("code", [1001, 1008, 1011, 1013])
async def test_a_server_that_hangs_up_is_called_again(code: int):
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await there.publish("TimeAndSale", *SALES[:2])
            await there.until(lambda: len(there.tape()) == 2)
            await venue.sockets[0].close(code=code)
            await there.until(lambda: len(venue.past) == 2)
            await there.until(lambda: CALL in venue.subscribed("TimeAndSale"))
            await traded(there)
            await heard(there)
            undisturbed(there)
            assert f"code {code}" in there.words
            assert there.report.reconnects == 1


async def test_a_line_that_goes_silent_without_breaking_is_noticed():
    async with FakeDxlink() as venue, Line(venue.port) as line:
        chain(venue)
        async with live(venue, url=line.url(PATH)) as there:
            await there.subscribed()
            line.freeze()
            await there.until(lambda: "reconnecting" in there.states, pace_s=0.5)
            line.thaw()
            await there.until(lambda: len(venue.past) >= 2)
            await there.until(lambda: CALL in venue.subscribed("TimeAndSale"))
            await traded(there)
            await heard(there)
            undisturbed(there)


async def test_a_frame_larger_than_any_honest_one_costs_a_reconnect_and_shortens_nothing():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await venue.say('"' + "x" * (18 << 20) + '"')
            await there.until(lambda: len(venue.past) == 2)
            await there.until(lambda: CALL in venue.subscribed("TimeAndSale"))
            await traded(there)
            await heard(there)
            undisturbed(there)
            assert "frames" not in there.notes


async def test_a_day_ends_with_its_expiry_and_the_next_one_begins_with_a_new_chain():
    async with FakeDxlink() as venue:
        chain(venue)
        close = OPEN + (6 * 3600 + 1800) * NS
        async with live(venue, begins=close - 60 * NS) as there:
            await there.subscribed()
            assert CALL in venue.subscribed("Quote")
            there.clock.set(close + 700 * NS)
            await there.until(lambda: CALL not in venue.subscribed("Quote"))
            assert AM_CALL in venue.subscribed("Quote")
            items = venue.chains["SPX"]
            venue.chain("SPX", {"SPXW": {"settlement": "PM", "expiries": {"2025-11-24": [6600.0]}}})
            venue.chains["SPX"] += items
            there.clock.set(OPEN + 24 * 3600 * NS)
            await there.until(lambda: len(there.contracts) == 32)
            await there.until(lambda: ".SPXW251124C6600" in venue.subscribed("Quote"))


async def test_a_server_that_accepts_and_says_nothing_is_left():
    async with FakeDxlink() as venue:
        chain(venue)
        venue.silent = True
        async with live(venue) as there:
            await there.until(lambda: venue.connections >= 2, pace_s=0.5)
            venue.silent = False
            await there.subscribed()
            await traded(there)
            await heard(there)
            undisturbed(there)


async def test_silence_in_session_is_called_stale():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await traded(there)
            await heard(there)
            await there.until(lambda: "stale" in there.states, pace_s=0.5)


async def test_keepalives_go_out_though_nothing_else_does():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await there.seconds(70)
            alive = [m for m in venue.here.received if m["type"] == "KEEPALIVE"]
            assert len(alive) >= 2
            assert venue.connections == 1


async def test_a_token_that_expires_in_mid_day_is_renewed_on_the_same_connection():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await there.publish("TimeAndSale", *SALES[:2])
            await there.until(lambda: len(there.tape()) == 2)
            await venue.expire()
            await there.until(lambda: CALL in venue.subscribed("TimeAndSale"))
            await traded(there)
            await heard(there)
            undisturbed(there)
            assert venue.connections == 1
            assert len(venue.issued) == 2
            assert "login" not in there.notes


async def test_a_token_refused_twice_ends_it_with_a_clear_word():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await venue.expire()
            await there.until(lambda: CALL in venue.subscribed("TimeAndSale"))
            await venue.expire()
            await there.until(lambda: there.done)
            assert there.states[-1] == "refused"
            assert "refuses a quote token that was just fetched" in there.words
            assert len(venue.issued) == 2


async def test_a_login_that_is_refused_ends_it_and_says_what_to_do():
    async with FakeDxlink() as venue:
        chain(venue)
        venue.refresh_tokens.clear()
        async with live(venue) as there:
            await there.until(lambda: there.done)
            assert "gexterm feeds login dxlink" in there.words
            assert venue.connections == 0


async def test_a_login_without_an_account_is_told():
    async with FakeDxlink() as venue:
        chain(venue)
        venue.customer = False
        async with live(venue) as there:
            await there.until(lambda: there.done)
            assert "only a login" in there.words


async def test_tastytrade_in_trouble_is_tried_again():
    async with FakeDxlink() as venue:
        chain(venue)
        venue.rest_status["/oauth/token"] = 503
        async with live(venue) as there:
            await there.until(lambda: "503" in there.words)
            del venue.rest_status["/oauth/token"]
            await there.subscribed()


async def test_a_sandbox_says_that_its_data_is_late():
    async with FakeDxlink() as venue:
        chain(venue)
        venue.level = "demo"
        async with live(venue) as there:
            await there.subscribed()
            (source,) = there.of(SourceInfo)
            assert (source.mode, source.delay_s) == ("delayed", 900.0)
            assert "demo" in source.note


async def test_a_server_that_takes_short_frames_only_gets_them():
    async with FakeDxlink() as venue:
        venue.chain(
            "SPX",
            {
                "SPXW": {
                    "settlement": "PM",
                    "expiries": {"2025-11-21": [6500.0 + k for k in range(200)]},
                }
            },
        )
        venue.most_frame = 2500
        async with live(venue) as there:
            await there.until(lambda: bool(venue.past) and "SPX" in venue.subscribed("Trade"))
            await venue.publish("Trade", [spot(6600.0)])
            await there.until(lambda: "frames" in there.notes)
            await there.until(lambda: len(venue.subscribed("Quote")) > 300)
            assert "bytes a frame" in there.notes["frames"]


async def test_a_channel_that_the_server_closes_is_opened_again():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await venue.close_channel("TimeAndSale")
            await venue.close_channel("Quote")
            await there.until(lambda: {CALL} <= venue.subscribed("TimeAndSale"))
            await there.until(lambda: {CALL} <= venue.subscribed("Quote"))
            await traded(there)
            await heard(there)
            undisturbed(there)
            numbers = [m["channel"] for m in venue.here.received if m["type"] == "CHANNEL_REQUEST"]
            assert len(set(numbers)) == len(numbers)
            assert all(number % 2 for number in numbers)


async def test_no_secret_is_seen_anywhere():
    async with FakeDxlink() as venue:
        chain(venue)
        async with live(venue) as there:
            await there.subscribed()
            await venue.expire()
            await there.until(lambda: len(venue.issued) == 2)
            await there.seconds(2)
            shown = repr(there.events) + repr(there.protocol.account)
            for secret in (*venue.issued, *venue.access, "a-client-secret", "a-refresh-token"):
                assert secret not in shown
