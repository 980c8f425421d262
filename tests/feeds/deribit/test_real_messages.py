"""Real messages of Deribit become exactly these rows."""

from __future__ import annotations

import csv
import json
import math
from typing import Any

import pytest

from gexterm.feeds.deribit import messages as m
from gexterm.feeds.deribit import tape
from gexterm.market.events import OpenInterest, Quotes, Trades, UnderlyingPrice
from tests.feeds.deribit.talk import NOON, Talk, market
from tests.shared_data import shared


def real(name: str) -> Any:
    return json.loads(shared(f"feeds/deribit/{name}").read_text())


def lines(name: str) -> list[bytes]:
    return [x.encode() for x in shared(f"feeds/deribit/{name}").read_text().splitlines() if x]


def heard(*frames: bytes) -> Talk:
    """A session that has begun and then hears these."""
    talk = Talk(market())
    talk.open()
    talk.settle()
    talk.events.clear()
    for frame in frames:
        talk.events += talk.protocol.receive(frame, talk.now)
    talk.events += talk.protocol.flush()
    return talk


def test_a_real_ticker() -> None:
    talk = heard(lines("deribit_option_ticker_real.jsonl")[0])
    [quotes] = talk.of(Quotes)
    assert talk.protocol.catalogue.symbols[quotes.contract[0]] == "BTC-23FEB24-45000-C"
    row = [quotes.bid[0], quotes.ask[0], quotes.bid_size[0], quotes.ask_size[0], quotes.ts[0]]
    assert row == [0.0775 * 48559.14, 0.0865 * 48559.14, 32.3, 32.4, 1707627659690 * 1_000_000]
    [interest] = talk.of(OpenInterest)
    assert interest.open_interest.tolist() == [1716.9]


def test_a_real_ticker_without_time_sizes_or_index_gives_none_of_them() -> None:
    talk = heard(lines("deribit_option_ticker_real.jsonl")[1])
    [quotes] = talk.of(Quotes)
    assert [quotes.bid[0], quotes.ask[0]] == [0.1015 * 64701.57, 0.106 * 64701.57]
    assert math.isnan(quotes.bid_size[0]) and math.isnan(quotes.ask_size[0])
    assert quotes.ts[0] == quotes.recv == talk.now
    [interest] = talk.of(OpenInterest)
    assert interest.open_interest.tolist() == [0.0]


def test_a_real_trade() -> None:
    talk = heard(lines("deribit_option_trade_real.jsonl")[0])
    assert talk.prints() == [("BTC-26MAR21-62000-C", 1706, 0.007 * 56151.63, 0.1, 1, 1616321732986)]
    assert talk.of(Trades)[0].condition.tolist() == [0]


def test_a_real_combo_counts_by_its_legs_alone() -> None:
    whole = real("naut_ws_trades_option_combo.json")
    legs = whole["params"]["data"][0]["legs"]
    told = {"channel": "trades.option.BTC.100ms", "data": legs}
    parts = {"jsonrpc": "2.0", "method": "subscription", "params": told}
    talk = heard(json.dumps(whole).encode(), json.dumps(parts).encode())
    assert talk.prints() == [
        ("BTC-19MAY26-75000-C", 8, 0.0174 * 76185.14, 0.1, 1, 1779118041757),
        ("BTC-19MAY26-70000-C", 20, 0.0813 * 76185.14, 0.1, -1, 1779118041757),
    ]
    assert talk.of(Trades)[0].condition.tolist() == [tape.COMBO, tape.COMBO]


@pytest.mark.parametrize(
    "name",
    [
        "naut_ws_ticker.json",
        "naut_ws_trades.json",
        "naut_ws_quote.json",
        "naut_ws_book_delta.json",
        "naut_ws_book_snapshot.json",
        "naut_ws_volatility_index.json",
        "naut_ws_subscribe_response.json",
    ],
)
def test_real_messages_about_other_things_bring_no_rows(name: str) -> None:
    talk = heard(json.dumps(real(name)).encode())
    assert not [e for e in talk.events if isinstance(e, Quotes | Trades | UnderlyingPrice)]


def test_a_real_test_request_is_answered() -> None:
    talk = heard()
    talk.protocol.receive(json.dumps(real("naut_ws_test_request.json")).encode(), talk.now)
    [frame] = talk.protocol.outgoing()
    assert isinstance(frame, str) and json.loads(frame)["method"] == "public/test"


def test_a_real_error_says_why() -> None:
    said = m.ENVELOPE.decode(json.dumps(real("naut_ws_error.json")).encode())
    assert said.error is not None
    assert (said.id, said.error.code, said.error.message) == (1, 10028, "too_many_requests")


def test_real_pages_of_history_decode() -> None:
    page = m.HISTORY.decode(json.dumps(real("naut_http_get_last_trades.json")["result"]).encode())
    assert page.has_more and len(page.trades) == 10
    first = page.trades[0]
    assert (first.instrument_name, first.trade_seq, first.direction) == (
        "ETH-PERPETUAL",
        203024587,
        "sell",
    )
    combo = real("naut_http_get_last_trades_historical_combo.json")["result"]
    [whole] = m.HISTORY.decode(json.dumps(combo).encode()).trades
    assert whole.index_price is None and whole.price == 0.05


def test_a_real_instrument_decodes_and_its_name_is_a_contract() -> None:
    one = real("naut_http_get_instrument_option.json")["result"]
    [listed] = m.INSTRUMENTS.decode(json.dumps([one]).encode())
    assert (listed.instrument_name, listed.price_index, listed.tick_size) == (
        "BTC-27DEC24-100000-C",
        "btc_usd",
        0.0005,
    )
    others = real("naut_http_get_instruments.json")["result"]
    assert len(m.INSTRUMENTS.decode(json.dumps(others).encode())) == len(others) > 0


def test_real_quotes_of_2020_as_a_vendor_kept_them() -> None:
    path = shared("feeds/deribit/tardis_options_chain.csv")

    def number(text: str) -> float | None:
        return float(text) if text else None

    for row in csv.DictReader(path.read_text().splitlines()):
        if not row["symbol"].startswith("BTC-9JUN20"):
            continue
        data = {
            "instrument_name": row["symbol"],
            "timestamp": int(row["timestamp"]) // 1000,
            "best_bid_price": number(row["bid_price"]),
            "best_ask_price": number(row["ask_price"]),
            "underlying_price": number(row["underlying_price"]),
            "open_interest": number(row["open_interest"]),
        }
        told = {"channel": f"ticker.{row['symbol']}.100ms", "data": data}
        talk = heard(json.dumps({"method": "subscription", "params": told}).encode())
        forward = float(row["underlying_price"])
        [(name, bid, ask, ts)] = talk.quotes()
        assert (name, ts) == (row["symbol"], int(row["timestamp"]) // 1000)
        assert [bid, ask] == [float(row["bid_price"]) * forward, float(row["ask_price"]) * forward]
        contract = talk.protocol.catalogue.contracts[-1]
        assert int(row["expiration"]) // 86_400_000_000 == (contract.expiry.toordinal() - 719_163)


def test_the_market_of_these_tests_is_of_this_time() -> None:
    assert market().now_ms == NOON
