"""What Massive's REST answers say, and where they may lead."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Sequence

import pytest

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, InputError
from gexterm.feeds.massive.chain import ChainLoader
from gexterm.feeds.massive.rest import Rest, read_listing, read_prints
from gexterm.feeds.protocol import Answer
from gexterm.feeds.secrets import Secret
from gexterm.market.contracts import Right
from tests.feeds.massive.made import KEY, NOW, chain, row
from tests.shared_data import shared

REST = Rest("https://api.massive.com", Secret(KEY))
DAY = dt.date(2026, 11, 20)


def test_a_real_chain_page_reads_as_it_stands() -> None:
    page = read_listing(shared("feeds/massive/snapshot_options_AAPL.json").read_bytes(), ("AAPL",))
    (only,) = page.rows
    assert only.symbol == "O:AAPL230616C00150000"
    assert (only.contract.expiry, only.contract.right, only.contract.strike) == (
        dt.date(2023, 6, 16),
        Right.CALL,
        150.0,
    )
    assert only.open_interest == 8133.0
    assert (only.bid, only.ask, only.bid_size, only.ask_size) == (28.9, 29.25, 294.0, 209.0)
    assert only.quoted == 1651254260800059648
    assert only.volume == 8.0 and only.traded == 1651204800000000000
    assert page.spot == 159.9606 and page.timeframe == "REAL-TIME" and page.next_url == ""


def test_a_real_page_of_contracts_reads_as_it_stands() -> None:
    body = shared("feeds/massive/reference_options_contracts.json").read_bytes()
    page = read_listing(body, ("A",))
    assert [r.contract.strike for r in page.rows] == [65, 70, 75, 80, 85, 90, 95, 100, 105, 110]
    assert all(math.isnan(r.open_interest) for r in page.rows)
    assert REST.following(page.next_url).startswith("https://api.massive.com/v3/reference/")


def test_a_real_page_of_mixed_assets_gives_its_option_only() -> None:
    body = shared("feeds/massive/snapshot.json").read_bytes()
    page = read_listing(body, ("NCLH",))
    assert [r.symbol for r in page.rows] == ["O:NCLH221014C00005000"]
    assert page.rows[0].open_interest == 8921.0 and page.rows[0].volume == 67.0
    assert page.refused == 2


def test_the_price_of_an_index_is_its_value() -> None:
    index, fund = row(), row(underlying_asset={"ticker": "SPY", "price": 660.5})
    assert read_listing(_page([index]), ("SPXW",)).spot == 6600.0
    assert read_listing(_page([fund]), ("SPXW",)).spot == 660.5
    assert math.isnan(read_listing(_page([row(underlying_asset={})]), ("SPXW",)).spot)


def test_numbers_that_cannot_be_are_not_given() -> None:
    odd = row(open_interest=-5, last_quote={"bid": None, "ask": "x"}, day={"volume": []})
    (only,) = read_listing(_page([odd]), ("SPXW",)).rows
    assert math.isnan(only.open_interest) and math.isnan(only.bid) and math.isnan(only.ask)
    assert math.isnan(only.volume) and only.quoted == only.traded == 0
    assert read_listing(b'{"results":[5,null,{}]}', ("SPXW",)).refused == 3


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"results":5}', b"\xff"])
def test_what_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(InputError):
        read_listing(body, ("SPXW",))
    with pytest.raises(InputError):
        read_prints(body)


def test_an_index_has_a_prefix_for_snapshots_and_none_for_contracts() -> None:
    assert "/v3/snapshot/options/I:SPX?" in REST.snapshot("SPX", DAY, None)
    assert "underlying_ticker=SPX&" in REST.contracts("SPX", DAY, DAY)
    assert "/v3/snapshot/options/SPY?expiration_date.gte=2026-11-20&" in REST.snapshot(
        "SPY", DAY, DAY
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.massive.com.evil.example/v3/x?cursor=1",
        "https://evil.example/v3/x",
        "http://api.massive.com/v3/x",
        "https://user@api.massive.com/v3/x",
        "https://api.massive.com:444/v3/x",
        "//api.massive.com/v3/x",
        "/v3/x?cursor=1",
        "https://api.massive.com/v3/\x07",
        "https://[",
        "https://api.massive.com/" + "x" * 5000,
    ],
)
def test_the_key_follows_no_page_to_another_host(url: str) -> None:
    with pytest.raises(InputError, match="elsewhere"):
        REST.following(url)


def test_a_key_in_the_next_page_is_struck() -> None:
    url = "https://api.massive.com/v3/x?cursor=YWJj%3D&apiKey=secret&apikey=again&limit=250"
    assert REST.following(url) == "https://api.massive.com/v3/x?cursor=YWJj%3D&limit=250"


def _page(rows: Sequence[object], **more: object) -> bytes:
    return json.dumps({"results": rows, **more}).encode()


def _loader() -> ChainLoader:
    loader = ChainLoader(REST, "SPX", ("SPX", "SPXW"))
    loader.begin(DAY)
    return loader


def _answer(key: str, body: bytes = b"{}", status: int = 200, wait: str = "") -> Answer:
    return Answer(key, status, {"retry-after": wait}, body, NOW)


def test_near_dates_are_asked_for_first_and_each_band_once() -> None:
    loader = _loader()
    asked = []
    while loader.loading:
        (request,) = loader.requests(NOW)
        assert loader.requests(NOW) == []
        asked.append(request.url.partition("?")[2])
        loader.answer(_answer(request.key))
    assert asked == [
        "expiration_date.gte=2026-11-20&expiration_date.lte=2026-11-21&limit=250",
        "expiration_date.gte=2026-11-22&expiration_date.lte=2026-11-27&limit=250",
        "expiration_date.gte=2026-11-28&expiration_date.lte=2027-01-21&limit=250",
        "expiration_date.gte=2027-01-22&limit=250",
    ]


def test_too_many_requests_are_waited_out_for_as_long_as_the_venue_asks() -> None:
    loader = _loader()
    (request,) = loader.requests(NOW)
    assert loader.answer(_answer(request.key, status=429, wait="7")) is None
    assert "7 s" in loader.trouble
    assert loader.requests(NOW + 7 * NS - 1) == []
    (again,) = loader.requests(NOW + 7 * NS)
    assert again.url == request.url
    assert loader.answer(_answer(again.key, _page(chain()))) is not None
    assert loader.trouble == ""


def test_failures_are_tried_again_ever_later_and_given_up_in_the_end() -> None:
    loader = _loader()
    now, waits = NOW, []
    while loader.loading:
        requests = loader.requests(now)
        if not requests:
            now += NS
            continue
        waits.append((now - NOW) // NS)
        loader.answer(Answer(requests[0].key, 500, {}, b"oops", now))
    assert len(waits) == 8 and waits[1] >= 2 and waits[-1] - waits[-2] >= 60
    assert loader.trouble == "HTTP status 500"


def test_pages_that_lead_in_a_circle_end() -> None:
    loader = _loader()
    for _ in range(3):
        (request,) = loader.requests(NOW)
        body = _page([], next_url="https://api.massive.com/v3/x?cursor=1")
        loader.answer(_answer(request.key, body))
    assert loader.bands_left < 4 and "no end" in loader.cut_short


def test_a_page_that_leads_elsewhere_is_told_and_not_followed() -> None:
    loader = _loader()
    (request,) = loader.requests(NOW)
    loader.answer(_answer(request.key, _page([], next_url="https://evil.example/v3")))
    (request,) = loader.requests(NOW)
    assert request.url.startswith("https://api.massive.com/")
    loader.answer(_answer(request.key))
    assert "elsewhere" in loader.cut_short


def test_answers_from_before_a_reconnect_are_not_taken_twice() -> None:
    loader = _loader()
    (old,) = loader.requests(NOW)
    loader.reconnected()
    (new,) = loader.requests(NOW)
    assert new.url == old.url and new.key != old.key
    assert loader.answer(_answer(old.key, _page(chain()))) is None
    assert loader.answer(_answer(new.key, _page(chain()))) is not None


@pytest.mark.parametrize("status", [401, 404])
def test_a_key_or_underlying_nobody_knows_stops(status: int) -> None:
    loader = _loader()
    (request,) = loader.requests(NOW)
    with pytest.raises(ConnectionFailedError):
        loader.answer(_answer(request.key, b'{"error":"Unknown"}', status))


def test_prints_of_the_past_read_as_they_stand() -> None:
    rows = [
        {"conditions": [232], "exchange": 302, "price": 5.5, "sip_timestamp": 7, "size": 3},
        {"price": 5.5, "size": 1},
        {"sip_timestamp": 9, "sequence_number": 4, "correction": 8},
    ]
    prints, refused, following = read_prints(_page(rows))
    assert refused == 1 and following == ""
    first, last = prints
    assert (first.ns, first.price, first.size, first.exchange) == (7, 5.5, 3.0, 302)
    assert first.conditions == [232] and first.sequence == -1 and first.correction == 0
    assert math.isnan(last.price) and (last.sequence, last.correction) == (4, 8)
