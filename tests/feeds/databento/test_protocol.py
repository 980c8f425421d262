"""What a session makes of records: contracts, open interest, quotes, prints, and its account."""

from __future__ import annotations

import datetime as dt
import math

import databento_dbn as dbn
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError
from gexterm.feeds.databento.listing import Listing
from gexterm.feeds.databento.protocol import _BOUND, DatabentoProtocol
from gexterm.feeds.databento.tape import OVERLAP_NS
from gexterm.feeds.retry import PassingError, Retry
from gexterm.feeds.window import WindowSettings
from gexterm.market import calendar
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import Definitions, Event, OpenInterest, Quotes, SourceInfo, Trades
from gexterm.market.settlement import expiry_of
from tests.feeds.databento.made import (
    AM_CALL,
    CALL,
    DAY,
    MORNING,
    NOON,
    OPEN,
    PM_CALL,
    PUT,
    header,
    heard,
    live,
    login,
    named,
    prints,
    session,
)
from tests.venues import databento as venue

EXPIRY = dt.date(2025, 11, 21)


def only(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def quotes(events: list[Event]) -> list[tuple[int, float, float, int]]:
    return [
        (int(c), float(b), float(a), int(t))
        for e in events
        if isinstance(e, Quotes)
        for c, b, a, t in zip(e.contract, e.bid, e.ask, e.ts, strict=True)
    ]


def start_of(lines: list[str], schema: str) -> int | None:
    (line,) = [line for line in lines if line.startswith(f"schema={schema}|")]
    fields = dict(part.split("=", 1) for part in line.strip().split("|"))
    return int(fields["start"]) if "start" in fields else None


# ---- contracts


def test_the_first_event_says_what_is_listened_to_and_what_it_lacks() -> None:
    (info,) = session().flush()
    assert isinstance(info, SourceInfo)
    assert (info.underlying, info.feed, info.mode) == ("SPX", "databento", "live")
    assert info.has_tape
    assert "no trade conditions" in info.note
    assert info.venue_side == ""


def test_a_symbol_mapping_is_enough_to_know_a_contract() -> None:
    protocol = session()
    login(protocol)
    protocol.flush()
    named(protocol, CALL)
    (event,) = protocol.flush()
    assert isinstance(event, Definitions)
    assert event.contracts == (Contract("SPXW", EXPIRY, Right.CALL, 6600.0),)
    assert protocol.account.listed == protocol.account.printed == 1


def test_a_definition_after_its_mapping_defines_nothing_twice() -> None:
    protocol = live(CALL)
    assert heard(protocol, venue.definition(CALL, 1000, MORNING)) == []
    assert "definitions" in protocol.account.steps


def test_am_and_pm_of_one_date_and_strike_are_two_contracts() -> None:
    protocol = live()
    events = heard(
        protocol, venue.definition(AM_CALL, 1, MORNING), venue.definition(PM_CALL, 2, MORNING)
    )
    contracts = [c for e in events if isinstance(e, Definitions) for c in e.contracts]
    assert [c.root for c in contracts] == ["SPX", "SPXW"]
    settle = [expiry_of(c.root, c.expiry).settles_at for c in contracts]
    assert settle[1] - settle[0] == 6.5 * 3600 * NS


@pytest.mark.parametrize(
    "changes",
    [
        {"instrument_class": dbn.InstrumentClass.PUT},
        {"strike_price": 6_601 * 10**9},
        {"expiration": venue.NEVER},
        {"expiration": 0},
        {"raw_symbol": "SPXW  999999C06600000"},
        {"raw_symbol": "AAPL  251121C00250000"},
        {"raw_symbol": "\x1b[2J"},
    ],
)
def test_a_definition_that_contradicts_its_symbol_defines_nothing(
    changes: dict[str, object],
) -> None:
    protocol = live()
    assert heard(protocol, venue.definition(CALL, 1, MORNING, **changes)) == []
    assert protocol.account.notes["definitions that make no sense"].startswith("1 ")


def test_a_contract_that_is_taken_off_is_no_longer_listed() -> None:
    protocol = live(CALL, PUT)
    off = dbn.SecurityUpdateAction.DELETE
    heard(protocol, venue.definition(PUT, 1001, NOON, off))
    named(protocol, CALL)
    assert protocol.account.listed == 1


def test_an_id_given_to_another_contract_moves_and_rows_before_it_stay() -> None:
    protocol = live(CALL)
    events = heard(
        protocol,
        venue.tcbbo(CALL, 1000, NOON, 12.3, 1, (12.2, 12.4)),
        venue.mapping("SPXW.OPT", PUT, 1000),
        venue.tcbbo(PUT, 1000, NOON, 8.8, 1, (8.7, 8.9)),
    )
    assert [(c, p) for c, p, _, _ in prints(events)] == [(0, 12.3), (1, 8.8)]


def test_a_mapping_names_the_raw_symbol_on_either_side() -> None:
    protocol = live()
    told = bytes(
        dbn.SymbolMappingMsg(
            0, 7, 1, dbn.SType.RAW_SYMBOL, CALL, dbn.SType.INSTRUMENT_ID, "7", 0, venue.NEVER
        )
    )
    (event,) = heard(protocol, told)
    assert isinstance(event, Definitions)
    assert event.contracts[0].strike == 6600.0


def test_a_symbol_of_another_underlying_is_counted_and_its_id_stands_for_nothing() -> None:
    protocol = live(CALL)
    heard(protocol, venue.mapping("SPXW.OPT", "AAPL  251121C00250000", 1000))
    assert heard(protocol, venue.tcbbo(CALL, 1000, NOON, 1.0, 1, (0.9, 1.1))) == []
    assert protocol.account.notes["foreign"] == "1 symbols that are no contracts on SPX"


def test_a_row_that_came_before_its_mapping_is_of_nobody_whenever_the_flush_is() -> None:
    early = venue.tcbbo(CALL, 1000, NOON, 12.3, 1, (12.2, 12.4))
    for flushed in (False, True):
        protocol = live()
        told = heard(protocol, early) if flushed else protocol.receive(early.data, NOON)
        told += heard(protocol, venue.mapping("SPXW.OPT", CALL, 1000))
        assert prints(told) == []
        assert "1 prints of contracts nobody named" in protocol.account.notes.values()


# ---- open interest


def test_open_interest_repeated_by_every_exchange_is_one_number() -> None:
    protocol = live(CALL)
    (event,) = heard(
        protocol, *(venue.statistic(CALL, 1000, MORNING, 57924, p) for p in (22, 31, 37))
    )
    assert isinstance(event, OpenInterest)
    assert (event.contract.tolist(), event.open_interest.tolist()) == ([0], [57924.0])
    assert event.ts == MORNING
    assert "open interest" in protocol.account.steps


def test_todays_open_interest_replaces_yesterdays_in_whatever_order_they_come() -> None:
    for order in (1, -1):
        protocol = live(CALL)
        rows = [
            venue.statistic(CALL, 1000, MORNING, 5, ts_ref=MORNING - 86_400 * NS),
            venue.statistic(CALL, 1000, MORNING, 7, ts_ref=MORNING),
        ]
        (event,) = heard(protocol, *rows[::order])
        assert isinstance(event, OpenInterest)
        assert event.open_interest.tolist() == [7.0]
        assert not protocol.account.notes.keys() - {"back-fill"}


def test_exchanges_that_disagree_on_open_interest_are_counted() -> None:
    protocol = live(CALL)
    (event,) = heard(
        protocol,
        venue.statistic(CALL, 1000, MORNING, 5, 22),
        venue.statistic(CALL, 1000, MORNING, 6, 31),
    )
    assert isinstance(event, OpenInterest)
    assert event.open_interest.tolist() == [5.0]
    assert "1 numbers of open interest disagree" in protocol.account.notes.values()


def test_other_statistics_and_numbers_that_cannot_be_are_no_open_interest() -> None:
    protocol = live(CALL)
    rows = [
        venue.statistic(CALL, 1000, MORNING, 5, kind=dbn.StatType.CLEARED_VOLUME),
        venue.statistic(CALL, 1000, MORNING, 2**63 - 1),
        venue.statistic(CALL, 1000, MORNING, -3),
        venue.statistic(CALL, 4711, MORNING, 3),
    ]
    assert heard(protocol, *rows) == []


# ---- quotes


def test_the_newest_quote_of_a_contract_counts() -> None:
    protocol = live(CALL, PUT)
    events = heard(
        protocol,
        venue.cbbo(CALL, 1000, NOON, 12.0, 12.4),
        venue.cbbo(PUT, 1001, NOON, 9.0, 9.4),
        venue.cbbo(CALL, 1000, NOON + NS, 12.1, 12.3),
    )
    assert quotes(events) == [(1, 9.0, 9.4, NOON), (0, 12.1, 12.3, NOON + NS)]


def test_a_replayed_quote_of_the_minute_does_not_replace_a_newer_one() -> None:
    protocol = live(CALL)
    heard(protocol, venue.cbbo(CALL, 1000, NOON, 12.0, 12.4))
    assert heard(protocol, venue.cbbo(CALL, 1000, NOON - 60 * NS, 1.0, 2.0, "cbbo-1m")) == []


def test_a_quote_that_is_taken_back_is_told_as_not_given() -> None:
    protocol = live(CALL)
    heard(protocol, venue.cbbo(CALL, 1000, NOON, 12.0, 12.4))
    (event,) = heard(protocol, venue.cbbo(CALL, 1000, NOON + NS, math.nan, math.nan))
    assert isinstance(event, Quotes)
    assert np.isnan([event.bid[0], event.ask[0], event.bid_size[0], event.ask_size[0]]).all()


def test_a_quote_of_unknown_time_is_dated_by_its_receipt() -> None:
    protocol = live(CALL)
    events = heard(protocol, venue.cbbo(CALL, 1000, NOON, 1.0, 2.0, flags=8), now=NOON + 7)
    assert quotes(events) == [(0, 1.0, 2.0, NOON + 7)]


# ---- prints


def test_a_print_has_the_quote_before_it_and_no_side_and_no_condition() -> None:
    protocol = live(CALL)
    (event,) = heard(protocol, venue.tcbbo(CALL, 1000, NOON, 12.3, 5, (12.2, 12.4)))
    assert isinstance(event, Trades)
    row = [event.price, event.size, event.bid, event.ask, event.bid_size, event.ask_size, event.ts]
    assert [float(column[0]) for column in row] == [12.3, 5, 12.2, 12.4, 10, 20, NOON]
    assert (event.side[0], event.condition[0], event.action[0]) == (0, -1, 0)
    assert event.sequence[0] >= 0


def test_equal_prints_of_one_moment_are_all_counted() -> None:
    protocol = live(CALL)
    same = venue.tcbbo(CALL, 1000, NOON, 12.3, 1, (12.2, 12.4))
    told = prints(heard(protocol, same, same, same))
    assert len({number for *_, number in told}) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        venue.tcbbo(CALL, 1000, NOON, math.nan, 1, (12.2, 12.4)),
        venue.tcbbo(CALL, 1000, NOON, -1.0, 1, (12.2, 12.4)),
        venue.tcbbo(CALL, 1000, NOON, 12.3, 0, (12.2, 12.4)),
        venue.tcbbo(CALL, 1000, NOON, 12.3, 2**32 - 1, (12.2, 12.4)),
    ],
)
def test_a_print_without_price_or_size_is_refused_and_counted(wrong: venue.Item) -> None:
    protocol = live(CALL)
    assert heard(protocol, wrong) == []
    assert protocol.account.notes["prints without a price or size"].startswith("1 ")


def test_a_print_of_a_contract_nobody_named_is_counted() -> None:
    protocol = live(CALL)
    assert heard(protocol, venue.tcbbo(CALL, 4711, NOON, 12.3, 1, (12.2, 12.4))) == []
    assert "1 prints of contracts nobody named" in protocol.account.notes.values()


def test_a_quote_the_venue_doubts_is_not_held_against_a_print() -> None:
    protocol = live(CALL)
    (event,) = heard(protocol, venue.tcbbo(CALL, 1000, NOON, 12.3, 1, (12.2, 12.4), flags=4))
    assert isinstance(event, Trades)
    assert np.isnan([event.bid[0], event.ask[0]]).all()


def test_records_of_a_kind_nobody_asked_for_are_ignored_and_counted() -> None:
    protocol = live(CALL)
    unknown = bytes([20, 0xEE]) + bytes(78)
    longer = bytes([14, 0xA0]) + bytes(54)
    events = heard(protocol, unknown, longer, venue.tcbbo(CALL, 1000, NOON, 12.3, 1, (12.2, 12.4)))
    assert len(prints(events)) == 1
    assert protocol.account.notes["records of a kind nobody asked for"].startswith("2 ")


@pytest.mark.parametrize("kind", [0xC2, 0xC0, 0xB1])
def test_a_print_or_quote_of_another_length_is_none_and_the_stream_is_given_up(kind: int) -> None:
    with pytest.raises(PassingError):
        heard(live(CALL), bytes([14, kind]) + bytes(54))


# ---- from when prints are known


def test_joining_at_noon_fetches_the_prints_since_the_open() -> None:
    protocol = session()
    lines = login(protocol)
    assert start_of(lines, "tcbbo") == OPEN
    assert protocol.account.heard_from == OPEN
    assert "09:30" in protocol.account.notes["back-fill"]
    named(protocol, CALL)
    heard(protocol, venue.tcbbo(CALL, 1000, OPEN + NS, 12.3, 1, (12.2, 12.4)))
    assert protocol.account.refilled == 1
    heard(protocol, venue.system("Finished tcbbo replay", dbn.SystemCode.REPLAY_COMPLETED))
    assert "back-fill" not in protocol.account.notes


def test_a_print_of_now_shows_that_the_back_fill_is_over() -> None:
    protocol = live(CALL)
    heard(protocol, venue.tcbbo(CALL, 1000, NOON + NS, 12.3, 1, (12.2, 12.4)))
    assert "back-fill" not in protocol.account.notes
    assert protocol.account.refilled == 0


def test_before_the_open_nothing_is_missing_yet() -> None:
    protocol = session()
    assert start_of(login(protocol, MORNING), "tcbbo") is None
    assert protocol.account.heard_from == MORNING


def test_without_a_replay_prints_are_known_from_when_the_venue_says_it_is() -> None:
    # By our clock it is two minutes to nine; by the venue's, two minutes past.
    ours, theirs = OPEN - 1920 * NS, OPEN - 1680 * NS
    protocol = session()
    login(protocol, ours)
    ack = venue.system("subscribed", dbn.SystemCode.SUBSCRIPTION_ACK, ts=theirs)
    heard(protocol, ack, now=ours)
    assert protocol.account.heard_from == theirs
    protocol = live()
    heard(protocol, venue.system("subscribed", dbn.SystemCode.SUBSCRIPTION_ACK, ts=NOON + NS))
    assert protocol.account.heard_from == OPEN


@pytest.mark.parametrize(("back_s", "start"), [(0.0, None), (600.0, NOON - 600 * NS)])
def test_no_more_is_fetched_than_the_user_wants(back_s: float, start: int | None) -> None:
    protocol = session(back_fill_s=back_s)
    assert start_of(login(protocol), "tcbbo") == start
    assert protocol.account.heard_from == (start or NOON)


def test_on_a_sunday_no_session_is_within_reach() -> None:
    sunday = calendar.session_open_ns(dt.date(2025, 11, 23))
    protocol = session()
    # From Friday's open it is too far; the last day is had, since it may hold something.
    assert start_of(login(protocol, sunday), "tcbbo") == sunday - (86_400 - 60) * NS


def test_after_a_cut_prints_are_fetched_from_the_last_one_and_none_counts_twice() -> None:
    protocol = live(CALL)
    first = [venue.tcbbo(CALL, 1000, NOON + i * NS, 12.3, 1, (12.2, 12.4)) for i in range(30)]
    told = prints(heard(protocol, *first, now=NOON + 30 * NS))
    lines = login(protocol, NOON + 90 * NS)
    begin = start_of(lines, "tcbbo")
    assert begin == NOON + 29 * NS - OVERLAP_NS
    named(protocol, CALL, first=2000)
    late = [venue.tcbbo(CALL, 2000, NOON + i * NS, 12.3, 1, (12.2, 12.4)) for i in range(19, 40)]
    told += prints(heard(protocol, *late, now=NOON + 90 * NS))
    assert len(told) == len({number for *_, number in told}) == 40
    assert protocol.account.heard_from == OPEN
    assert len(only(protocol.flush(), Definitions)) == 0


def test_away_for_longer_than_the_venue_keeps_the_tape_begins_anew() -> None:
    protocol = live(CALL)
    heard(protocol, venue.tcbbo(CALL, 1000, NOON, 12.3, 1, (12.2, 12.4)))
    monday = calendar.session_open_ns(dt.date(2025, 11, 24)) + NS
    lines = login(protocol, monday)
    assert start_of(lines, "tcbbo") == protocol.account.heard_from == monday - NS


def test_rows_that_waited_when_the_connection_broke_are_not_lost() -> None:
    protocol = live(CALL)
    protocol.receive(venue.tcbbo(CALL, 1000, NOON, 12.3, 1, (12.2, 12.4)).data, NOON)
    protocol.on_open(NOON + NS)
    assert len(prints(protocol.flush())) == 1


# ---- what the venue says


@pytest.mark.parametrize("code", ["AUTH_FAILED", "API_KEY_DEACTIVATED", "INVALID_SUBSCRIPTION"])
def test_an_error_that_would_come_again_ends_the_tries(code: str) -> None:
    with pytest.raises(ConnectionFailedError, match="no licence") as caught:
        heard(live(), venue.error("no licence\x1b", code))
    assert not isinstance(caught.value, PassingError)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("code", ["CONNECTION_LIMIT_EXCEEDED", "INTERNAL_ERROR"])
def test_an_error_that_passes_ends_the_connection_only(code: str) -> None:
    with pytest.raises(PassingError, match="too many"):
        heard(live(), venue.error("too many", code))


def test_a_replay_the_venue_no_longer_has_is_not_asked_for_again() -> None:
    protocol = live()
    with pytest.raises(PassingError):
        heard(protocol, venue.error("aged out", "REPLAY_DATA_AGED_OUT"))
    lines = login(protocol, NOON + NS)
    assert start_of(lines, "tcbbo") is None
    assert protocol.account.heard_from == NOON + NS


def test_a_root_that_does_not_resolve_is_told_and_the_rest_goes_on() -> None:
    protocol = live(CALL)
    heard(protocol, venue.error("SPX.OPT did not resolve", "SYMBOL_RESOLUTION_FAILED"))
    assert "SPX.OPT did not resolve" in protocol.account.notes["error"]


def test_a_slow_reader_is_told_so() -> None:
    protocol = live()
    heard(protocol, venue.system("slow", dbn.SystemCode.SLOW_READER_WARNING))
    assert "too slowly" in protocol.account.notes["slow"]
    heard(protocol, venue.error("skipped", "SKIPPED_RECORDS_AFTER_SLOW_READING"))
    assert "never skipped" in protocol.account.notes["skipped"]


def test_what_the_venue_said_before_it_hung_up_is_why() -> None:
    protocol = live()
    heard(protocol, bytes(dbn.ErrorMsg(1, "going down")))
    assert protocol.closed(Retry("it hung up"), NOON) == Retry("Databento: 'going down'")


def test_a_root_that_did_not_resolve_is_not_why_it_hung_up_later() -> None:
    protocol = live(CALL)
    heard(protocol, venue.error("SPX.OPT did not resolve", "SYMBOL_RESOLUTION_FAILED"))
    assert protocol.closed(Retry("it hung up"), NOON) == Retry("it hung up")


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 400",
        header("GLBX.MDP3"),
        header(ts_out=True),
        b"DBN\x03\xff\xff\xff\x7f",
        b"DBN\x63" + header()[4:],
    ],
)
def test_a_stream_that_is_not_what_was_asked_for_ends_it(head: bytes) -> None:
    protocol = session()
    protocol.on_open(NOON)
    protocol.receive(b"cram=abc\n", NOON)
    with pytest.raises(ConnectionFailedError):
        protocol.receive(b"success=1|session_id=1\n" + head, NOON)


def test_a_heartbeat_is_no_news() -> None:
    assert heard(live(), venue.system("Heartbeat")) == []


# ---- time


def chain(protocol: DatabentoProtocol, spot: float = 6600.0, step: float = 5.0) -> list[str]:
    """Symbols of 81 strikes around spot, named and quoted at parity."""
    strikes = [spot + step * i for i in range(-40, 41)]
    symbols = [f"SPXW  251121{r}{int(k * 1000):08d}" for k in strikes for r in "CP"]
    named(protocol, *symbols)
    rows = []
    for i, k in enumerate(strikes):
        for j, intrinsic in enumerate((spot - k, k - spot)):
            value = 20.0 + max(intrinsic, 0.0)
            rows.append(
                venue.cbbo(
                    symbols[2 * i + j], 1000 + 2 * i + j, NOON, value - 0.1, value + 0.1, "cbbo-1m"
                )
            )
    heard(protocol, *rows)
    return symbols


def test_the_window_is_drawn_around_what_parity_says() -> None:
    protocol = live(window=WindowSettings(most=20))
    symbols = chain(protocol)
    (line,) = protocol.on_timer(NOON)
    assert isinstance(line, str)
    assert line.startswith("schema=cbbo-1s|stype_in=raw_symbol|symbols=")
    asked = line.split("|")[2].removeprefix("symbols=").split(",")
    # Ten strikes, call and put of each: 6575 to 6620.
    assert set(asked) == set(symbols[70:90])
    assert "|start=" not in line
    assert protocol.account.quoted == len(asked)
    assert "each minute" in protocol.account.window
    assert protocol.on_timer(NOON + NS) == []


def test_as_spot_moves_the_window_only_grows() -> None:
    protocol = live(window=WindowSettings(most=20))
    symbols = chain(protocol)
    (first,) = protocol.on_timer(NOON)
    before = protocol.account.quoted
    moved = [
        venue.cbbo(s, 1000 + i, NOON + NS, v - 0.1, v + 0.1, "cbbo-1m")
        for i, s in enumerate(symbols)
        for v in [20.0 + max((6650.0 - int(s[13:]) / 1000) * (1 if s[12] == "C" else -1), 0.0)]
    ]
    heard(protocol, *moved)
    (second,) = protocol.on_timer(NOON + NS)
    assert isinstance(first, str)
    assert isinstance(second, str)
    assert not set(first.split("|")[2][8:].split(",")) & set(second.split("|")[2][8:].split(","))
    assert protocol.account.quoted > before


def test_a_window_that_has_grown_too_large_is_drawn_anew_on_a_new_connection() -> None:
    protocol = live()
    protocol._asked.update(range(_BOUND + 1))
    with pytest.raises(PassingError):
        heard(protocol, venue.system("Heartbeat"))
    login(protocol, NOON + NS)
    assert heard(protocol, venue.system("Heartbeat")) == []


def test_without_quotes_there_is_no_window_and_no_number_for_spot() -> None:
    protocol = live(CALL, PUT)
    assert protocol.on_timer(NOON) == []
    assert math.isnan(
        protocol._middle.spot(protocol._listing.catalogue.contracts, protocol._gathering.mid, NOON)
    )


@pytest.mark.parametrize(
    ("when", "quiet"),
    [
        (NOON, 30.0),
        (MORNING, math.inf),
        (calendar.session_close_ns(DAY), math.inf),
        (calendar.session_open_ns(dt.date(2025, 11, 28)) + 4 * 3600 * NS, math.inf),  # half day
        (calendar.session_open_ns(dt.date(2025, 11, 27)) + NS, math.inf),  # Thanksgiving
    ],
)
def test_silence_is_news_during_the_session_only(when: int, quiet: float) -> None:
    assert session().quiet_s(when) == quiet


def test_two_missed_heartbeats_are_the_end_of_a_connection() -> None:
    assert session().dead_s() == 75.0


@pytest.mark.parametrize("apart", [1, 4096, 1_000_003])
def test_a_contract_is_found_by_its_id_however_ids_are_spread(apart: int) -> None:
    listing = Listing(["SPXW"])
    ids = [(7 + i * apart) % 2**32 for i in range(2000)]
    listing.map([(n, f"SPXW  251121C{5000 + i:05d}000") for i, n in enumerate(ids)], 0)
    asked = np.array([*ids, 6, 2**32 - 1], np.uint32)
    assert listing.find(asked).tolist() == [*range(2000), -1, -1]


@settings(max_examples=150)
@given(
    at=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8),
    cut=st.integers(1, 400),
)
def test_whatever_stands_in_records_the_session_goes_on_or_ends_in_words(
    at: list[tuple[int, int]], cut: int
) -> None:
    protocol = live(CALL)
    items = [
        venue.definition(PUT, 1001, MORNING),
        venue.statistic(CALL, 1000, MORNING, 7),
        venue.tcbbo(CALL, 1000, NOON, 12.3, 5, (12.2, 12.4)),
        venue.cbbo(CALL, 1000, NOON, 12.2, 12.4),
    ]
    told = bytearray(
        b"".join(item.data for item in items)
        + venue.mapping("SPXW.OPT", PUT, 1001)
        + venue.system("hello", dbn.SystemCode.SUBSCRIPTION_ACK)
        + venue.error("hello", "SYMBOL_RESOLUTION_FAILED")
    )
    for place, value in at:
        told[place % len(told)] = value
    try:
        for begin in range(0, len(told), cut):
            protocol.receive(bytes(told[begin : begin + cut]), NOON)
    except ConnectionFailedError:
        pass
    for event in protocol.flush():
        if isinstance(event, Trades):
            assert (event.price >= 0.0).all()
            assert (event.size > 0.0).all()


@settings(max_examples=60)
@given(noise=st.binary(max_size=600))
def test_noise_is_no_stream(noise: bytes) -> None:
    protocol = live(CALL)
    try:
        protocol.receive(noise, NOON)
    except ConnectionFailedError:
        return
    protocol.flush()


def test_a_gateway_of_the_first_version_is_understood() -> None:
    protocol = session()
    protocol.on_open(NOON)
    protocol.receive(b"cram=abc\nsuccess=1|session_id=1\n" + header(version=1), NOON)
    protocol.flush()
    mapping = dbn.v1.SymbolMappingMsg(0, 7, 1, "SPXW.OPT", CALL, 0, venue.NEVER)
    interest = dbn.v1.StatMsg(
        22, 7, MORNING, MORNING, venue.NEVER, venue.NO_PRICE, 55, dbn.StatType.OPEN_INTEREST
    )
    warning = dbn.v1.ErrorMsg(1, "SPX.OPT did not resolve")
    events = heard(protocol, *(bytes(each) for each in (mapping, interest, warning)))
    (known,), (oi,) = only(events, Definitions), only(events, OpenInterest)
    assert isinstance(known, Definitions)
    assert isinstance(oi, OpenInterest)
    assert known.contracts[0].strike == 6600.0
    assert oi.open_interest.tolist() == [55.0]
    assert "did not resolve" in protocol.account.notes["error"]
