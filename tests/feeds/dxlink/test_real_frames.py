"""Real FEED_DATA, as tastytrade's server sent it, comes out as exactly these rows."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from gexterm.market.events import OpenInterest, Quotes, UnderlyingPrice, Volume
from tests.feeds.dxlink.made import NOW, config, ready, say
from tests.shared_data import shared


@pytest.fixture
def frames() -> list[dict[str, Any]]:
    lines = shared("feeds/dxlink/dxlink_real_messages.jsonl").read_text().splitlines()
    return [json.loads(line)["msg"] | {"channel": 1} for line in lines]


def test_quotes_of_spxw_puts(frames: list[dict[str, Any]]) -> None:
    names = [".SPXW241125P5990", ".SPXW241125P5980", ".SPXW241125P5970"]
    protocol = ready(*names)
    order = ["eventType", "eventSymbol", "bidPrice", "askPrice", "bidSize", "askSize"]
    say(protocol, config({"Quote": order}))
    (quotes,) = say(protocol, frames[0])
    assert isinstance(quotes, Quotes)
    assert quotes.contract.tolist() == [0, 1, 2]
    assert quotes.bid.tolist() == [10.5, 5.1, 2.4]
    assert quotes.ask.tolist() == [10.7, 5.3, 2.5]
    assert quotes.bid_size.tolist() == [4.0, 96.0, 63.0]
    assert quotes.ask_size.tolist() == [24.0, 55.0, 116.0]
    assert quotes.ts.tolist() == [NOW] * 3


def test_a_trade_with_an_exponent_and_one_without_size_or_volume(
    frames: list[dict[str, Any]],
) -> None:
    protocol = ready(".SPY241125C600", underlying="SPY")
    say(protocol, config({"Trade": ["eventType", "eventSymbol", "price", "dayVolume", "size"]}))
    (price,) = say(protocol, frames[1])
    assert isinstance(price, UnderlyingPrice)
    assert (price.price, price.ts) == (559.36, NOW)


def test_an_index_trades_without_a_size_and_a_future_never_did(
    frames: list[dict[str, Any]],
) -> None:
    protocol = ready(".SPXW250603C5900")
    say(protocol, config({"Trade": ["eventSymbol", "price", "size", "time"]}))
    (price,) = say(protocol, frames[2])
    assert isinstance(price, UnderlyingPrice)
    assert (price.price, price.ts) == (5931.91, 1_748_892_788_016_000_000)


def test_open_interest_of_an_option(frames: list[dict[str, Any]]) -> None:
    protocol = ready(".AAPL250620C200", underlying="AAPL")
    say(protocol, config({"Summary": ["eventSymbol", "openInterest"]}))
    (interest,) = say(protocol, frames[3])
    assert isinstance(interest, OpenInterest)
    assert (interest.contract.tolist(), interest.open_interest.tolist()) == ([0], [34905.0])


def test_the_day_volume_of_an_option_is_told_and_never_its_absence() -> None:
    """Synthetic: no real Trade of an option was to be had."""
    protocol = ready(".SPXW250603C5900", ".SPXW250603P5900")
    say(protocol, config({"Trade": ["eventSymbol", "dayVolume"]}))
    values = [".SPXW250603C5900", 1.3743299e7, ".SPXW250603P5900", "NaN"]
    (volume,) = say(protocol, {"type": "FEED_DATA", "channel": 1, "data": ["Trade", values]})
    assert isinstance(volume, Volume)
    assert (volume.contract.tolist(), volume.volume.tolist()) == ([0], [13_743_299.0])
    assert math.isfinite(volume.volume[0])
