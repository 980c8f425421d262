"""What Tradier lists: expirations, chains, and the contracts that are ours among them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gexterm.clock import NS
from gexterm.feeds.protocol import Answer, Request
from gexterm.feeds.retry import Retry
from gexterm.feeds.tradier.listing import TRIES, Agenda
from gexterm.market import calendar
from gexterm.market.contracts import Right
from gexterm.market.events import Definitions, OpenInterest, Volume
from tests.feeds.tradier.talk import AM, CALL, OPEN, PM, PUT, Talk
from tests.venues.tradier import listed, row


def test_the_nearest_dates_are_read_first_and_the_session_is_asked_for_last() -> None:
    talk = Talk().open()
    assert talk.asked == [
        "expirations", "quote", "chain 2025-11-20", "chain 2025-11-21", "session",
    ]  # fmt: skip
    talk.run(3)
    assert "chain 2025-12-19" in talk.asked
    assert talk.protocol.account.listed == 5


def test_am_and_pm_twins_of_one_date_and_strike_stay_two() -> None:
    talk = Talk().open()
    twins = [
        contract
        for event in talk.events
        if isinstance(event, Definitions)
        for contract in event.contracts
        if contract.expiry == dt.date(2025, 11, 21)
    ]
    assert {c.root for c in twins} == {"SPX", "SPXW"} and len(twins) == 2
    assert {(c.right, c.strike) for c in twins} == {(Right.CALL, 6600.0)}
    interest = {talk.index(symbol): wanted for symbol, wanted in ((AM, 1000.0), (PM, 2000.0))}
    told = {
        int(c): float(v)
        for event in talk.events
        if isinstance(event, OpenInterest)
        for c, v in zip(event.contract, event.open_interest, strict=True)
    }
    assert {i: told[i] for i in interest} == interest
    assert told[talk.index(PUT)] == 0.0  # none open is not unknown


@pytest.mark.parametrize(
    "bad",
    [
        row(PM, root_symbol="SPX"),
        row(PM, expiration_date="2025-11-20"),
        row(PM, contract_size=10),
        row("XSP251121C00660000"),
        row("SPX1251121C06600000"),
        {"symbol": "nonsense"},
        {"nothing": 1},
        "text",
        None,
    ],
)
def test_a_row_that_does_not_agree_with_itself_is_left_out_and_counted(bad: Any) -> None:
    talk = Talk()
    talk.chains["2025-11-21"] = [bad, row(AM)]
    talk.open()
    assert talk.protocol.account.listed == 3
    assert "1 rows of chains" in talk.protocol.account.notes["odd"]


def test_a_list_of_one_and_an_empty_one_are_read() -> None:
    talk = Talk()
    talk.chains = {"2025-11-20": []}
    while wanted := talk.protocol.prepare(OPEN):
        talk.hear(wanted)
    assert talk.protocol.account.listed == 0
    talk = Talk()
    talk.chains = {"2025-11-20": [row(CALL)]}
    assert talk.open().protocol.account.listed == 1


def test_a_volume_that_is_read_once_a_day_is_not_told_as_the_days() -> None:
    talk = Talk().open()
    assert any(isinstance(event, OpenInterest) for event in talk.events)
    assert not any(isinstance(event, Volume) for event in talk.events)


def test_at_seven_in_the_morning_the_listing_and_its_interest_are_read_anew() -> None:
    talk = Talk().open()
    talk.run(3)
    talk.asked.clear()
    before = sum(isinstance(event, OpenInterest) for event in talk.events)
    talk.now = calendar.at_et(dt.date(2025, 11, 21), dt.time(6, 59, 50))
    del talk.chains["2025-11-20"]
    talk.run(5)
    assert "expirations" not in talk.asked
    talk.run(20)
    assert talk.asked.count("expirations") == 1
    assert sum(isinstance(event, OpenInterest) for event in talk.events) == before + 2
    assert sum(len(e.contracts) for e in talk.events if isinstance(e, Definitions)) == 5


def test_a_chain_that_fails_while_connected_is_tried_again_and_its_loss_is_told() -> None:
    talk = Talk().open()
    protocol = talk.protocol
    tries = 0
    for _ in range(100):
        talk.now += NS
        for out in protocol.on_timer(talk.now):
            if isinstance(out, Request) and out.key.startswith("chain "):
                tries += 1
                assert protocol.answer(Answer(out.key, 500)) == []
            elif isinstance(out, Request):
                protocol.answer(talk.reply(out.key))
    assert tries == 3
    assert "given up after 3 tries" in protocol.account.notes["chain 2025-12-19"]


def test_a_chain_that_was_under_way_when_the_line_broke_is_read_afterwards() -> None:
    talk = Talk().open()
    talk.now += NS
    out = [each for each in talk.protocol.on_timer(talk.now) if isinstance(each, Request)]
    assert [request.key for request in out] == ["chain 2025-12-19", "quote"]
    talk.protocol.closed(Retry("the connection broke"), talk.now)
    talk.open().run(2)
    assert talk.protocol.account.listed == 5


def expirations(*dates: object) -> dict[str, Any]:
    return {"expirations": {"date": listed(list(dates))}}


def test_dates_are_read_nearest_first_and_those_that_are_over_or_none_are_not() -> None:
    agenda = Agenda()
    said = expirations(
        "2025-12-19", "2025-11-20", "2025-11-19", "2025-1-1", "soon", 5, "2025-11-21"
    )
    assert agenda.begin(said, OPEN)
    assert agenda.take(2) == ["2025-11-20", "2025-11-21"]
    assert agenda.dates == ["2025-12-19"]


@pytest.mark.parametrize("said", [None, [], {}, {"expirations": 5}, expirations("2025-11-19")])
def test_a_listing_without_a_date_to_come_is_none_and_stays_due(said: Any) -> None:
    agenda = Agenda()
    assert not agenda.begin(said, OPEN)
    assert agenda.is_due(OPEN)


def test_a_listing_is_due_again_at_seven_of_the_next_day() -> None:
    agenda = Agenda()
    agenda.begin(expirations("2025-12-19"), OPEN)
    next_day = dt.date(2025, 11, 21)
    assert not agenda.is_due(calendar.at_et(next_day, dt.time(6, 59)))
    assert agenda.is_due(calendar.at_et(next_day, dt.time(7, 0)))


def test_a_date_that_fails_is_put_back_in_its_place_until_it_failed_too_often() -> None:
    agenda = Agenda()
    agenda.begin(expirations("2025-11-20", "2025-11-21"), OPEN)
    for failures in range(1, TRIES + 1):
        assert agenda.take(1) == ["2025-11-20"]
        assert agenda.gives_up("2025-11-20") is (failures == TRIES)
    assert agenda.dates == ["2025-11-21"]
