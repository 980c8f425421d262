"""Calls are paced as the venue counts credits, and cut as long as it takes messages."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.feeds.deribit.calls import Calls
from gexterm.feeds.deribit.channels import chunks
from tests.feeds.deribit.talk import market
from tests.venues.deribit import BIGGEST


def _nothing(_result: bytes) -> list:
    return []


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3000)), max_size=120))
@example([(True, 0)] * 40)
@example([(False, 0)] * 150)
@settings(max_examples=60)
def test_no_hurry_runs_out_of_credits_and_nothing_is_forgotten(
    asked: list[tuple[bool, int]],
) -> None:
    exchange = market()
    session = exchange.connect()
    calls = Calls()
    sent = 0

    def send() -> int:
        frames = calls.take(exchange.now_ms * 1_000_000)
        for frame in frames:
            session.handle(frame)
        return len(frames)

    for subscription, wait_ms in asked:
        method = "public/subscribe" if subscription else "public/test"
        calls.ask(method, {"channels": ["ticker.x.100ms"]}, _nothing, lambda *_: None)
        sent += send()
        exchange.now_ms += wait_ms
    for _ in range(600):
        exchange.now_ms += 100
        sent += send()
    assert session.closed is None
    assert sent == len(asked)


def test_who_asks_faster_than_that_is_hung_up_on() -> None:
    session = market().connect()
    call = {"jsonrpc": "2.0", "id": 1, "method": "public/subscribe"}
    for _ in range(11):
        session.handle(
            json.dumps({**call, "params": {"channels": ["deribit_price_index.btc_usd"]}})
        )
    assert session.closed is not None


@given(st.lists(st.text("ABCabc-._0123456789", min_size=1, max_size=400), max_size=700))
@example(["ticker.SOL_USDC-28NOV26-100000d125-C.100ms" * 3] * 700)
@example(["x"] * 1200)
@settings(max_examples=40)
def test_channels_are_asked_for_in_messages_the_venue_takes(channels: list[str]) -> None:
    parts = list(chunks(channels))
    assert [channel for part in parts for channel in part] == channels
    for part in parts:
        body = {"jsonrpc": "2.0", "id": 10**9, "method": "public/unsubscribe"}
        assert (
            len(json.dumps({**body, "params": {"channels": part}}, separators=(",", ":"))) < BIGGEST
        )
        assert len(part) <= 500


def test_calls_of_one_kind_keep_their_order_while_others_pass_them() -> None:
    calls = Calls()
    for n in range(20):
        calls.ask("public/subscribe", {"n": n}, _nothing, lambda *_: None)
    calls.ask("public/test", {}, _nothing, lambda *_: None)
    frames = [json.loads(frame) for frame in calls.take(NS)]
    assert frames[-1]["method"] == "public/test"
    for second in range(2, 40):
        frames += [json.loads(frame) for frame in calls.take(second * NS)]
    asked = [each["params"]["n"] for each in frames if each["method"] == "public/subscribe"]
    assert asked == list(range(20))
