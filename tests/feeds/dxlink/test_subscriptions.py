"""Frames stay short, and go out a few at a time."""

from __future__ import annotations

import json

from gexterm.feeds.dxlink.subscriptions import CHUNK, Subscriptions, entry

NUMBERS = {"feed": 1, "tape": 3}


def many(count: int) -> list[str]:
    return [entry("Quote", f".SPXW251121C{strike}") for strike in range(6000, 6000 + count)]


def sent(subscriptions: Subscriptions) -> list[str]:
    frames = []
    while len(subscriptions):
        subscriptions.second()
        frames += subscriptions.frames(NUMBERS)
    return frames


def test_no_frame_is_longer_than_servers_take() -> None:
    subscriptions = Subscriptions()
    subscriptions.want("feed", "add", many(2000))
    frames = sent(subscriptions)
    assert max(map(len, frames)) <= CHUNK
    assert max(map(len, frames)) > CHUNK - 60
    added = [each["symbol"] for frame in frames for each in json.loads(frame)["add"]]
    assert added == [f".SPXW251121C{strike}" for strike in range(6000, 8000)]


def test_a_second_lets_few_frames_out_and_an_answer_some_more() -> None:
    subscriptions = Subscriptions()
    subscriptions.want("feed", "add", many(5000))
    assert subscriptions.frames(NUMBERS) == []
    subscriptions.second()
    assert len(subscriptions.frames(NUMBERS)) == 4
    assert subscriptions.frames(NUMBERS) == []
    subscriptions.heard()
    subscriptions.heard()
    assert len(subscriptions.frames(NUMBERS)) == 4


def test_channels_and_operations_keep_their_order_and_never_mix() -> None:
    subscriptions = Subscriptions()
    subscriptions.want("feed", "add", [entry("Quote", "A")])
    subscriptions.want("feed", "remove", [entry("Quote", "B")])
    subscriptions.want("tape", "remove", [entry("TimeAndSale", "C", 5)])
    assert [json.loads(frame) for frame in sent(subscriptions)] == [
        {"type": "FEED_SUBSCRIPTION", "channel": 1, "add": [{"type": "Quote", "symbol": "A"}]},
        {"type": "FEED_SUBSCRIPTION", "channel": 1, "remove": [{"type": "Quote", "symbol": "B"}]},
        {
            "type": "FEED_SUBSCRIPTION",
            "channel": 3,
            "remove": [{"type": "TimeAndSale", "symbol": "C", "fromTime": 5}],
        },
    ]


def test_what_waits_for_a_channel_that_is_gone_is_void() -> None:
    subscriptions = Subscriptions()
    subscriptions.want("feed", "add", [entry("Quote", "A")])
    subscriptions.want("tape", "add", [entry("TimeAndSale", "A")])
    subscriptions.forget("feed")
    subscriptions.want("history", "add", [entry("TimeAndSale", "A", 1)])
    assert [json.loads(frame)["channel"] for frame in sent(subscriptions)] == [3]


def test_frames_found_too_long_are_halved_down_to_a_limit() -> None:
    subscriptions = Subscriptions()
    halved = 0
    while subscriptions.shorten():
        halved += 1
    subscriptions.want("feed", "add", many(100))
    assert max(map(len, sent(subscriptions))) <= 512
    assert halved == 4
