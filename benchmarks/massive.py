"""Massive's hot path: frames of 100 events, decoded, conflated, flushed to columns.

State update and flush are what is left of a whole turn when bare decoding of the same
frames is taken off. The bar is for 7.3 quotes of a contract between two flushes, as in a
refresh ten times a second under full load. At the latest the runner flushes every 50 ms:
a window of 1,000 contracts then has 5 of each at 100,000 quotes a second, 1 at 20,000.

What `T.*`, the whole market's prints, would cost is measured with prints of which one in
twenty is listed; the question it answers is in `gexterm.feeds.massive.subscriptions`.
"""

from __future__ import annotations

import json
import random

from benchmarks.harness import Row, at_most, medians
from gexterm.clock import NS
from gexterm.feeds.massive.messages import decode_frame
from gexterm.feeds.massive.protocol import MassiveProtocol
from gexterm.feeds.massive.rest import Listing, read_listing
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import FeedOptions

_NOW = 1_795_188_600 * NS
_FRAMES, _PER_FRAME = 219, 100
_EVENTS = _FRAMES * _PER_FRAME
_FULL, _BURST, _TARGET = 73, 50, 10
"""Frames between two flushes: under full load, at 100,000 quotes a second, and at 20,000."""


def _symbols() -> list[str]:
    return [f"O:SPXW261120{right}{k * 1000:08d}" for k in range(5000, 7500, 5) for right in "CP"]


def _page(symbols: list[str]) -> Listing:
    rows = [
        {
            "details": {"ticker": symbol, "shares_per_contract": 100},
            "last_quote": {"bid": 1.0, "ask": 1.2, "bid_size": 5, "ask_size": 5},
            "open_interest": 10,
            "underlying_asset": {"value": 6250.0},
        }
        for symbol in symbols
    ]
    return read_listing(json.dumps({"results": rows}).encode(), ("SPXW",))


def _quotes(symbols: list[str], rng: random.Random) -> list[bytes]:
    return [
        _frame(
            {
                "ev": "Q",
                "sym": rng.choice(symbols),
                "bx": 302,
                "bp": 12.2,
                "bs": rng.randrange(1, 90),
                "ax": 302,
                "ap": 12.4,
                "as": rng.randrange(1, 90),
                "t": _NOW // 1_000_000 + frame,
                "q": 1_864_261_653 + frame,
            }
            for _ in range(_PER_FRAME)
        )
        for frame in range(_FRAMES)
    ]


def _prints(symbols: list[str], rng: random.Random, listed: float) -> list[bytes]:
    others = [symbol.replace("SPXW", "NVDA") for symbol in symbols]
    return [
        _frame(
            {
                "ev": "T",
                "sym": rng.choice(symbols if rng.random() < listed else others),
                "x": 302,
                "p": 12.3,
                "s": rng.randrange(1, 50),
                "c": [209],
                "t": _NOW // 1_000_000 + frame,
                "q": 1_864_261_653 + frame * _PER_FRAME + at,
            }
            for at in range(_PER_FRAME)
        )
        for frame in range(_FRAMES)
    ]


def _frame(events: object) -> bytes:
    return json.dumps(list(events), separators=(",", ":")).encode()  # type: ignore[call-overload]


def _decode(frames: list[bytes]) -> None:
    for frame in frames:
        decode_frame(frame)


def _turn(fed: MassiveProtocol, frames: list[bytes], per_flush: int) -> None:
    receive, flush = fed.receive, fed.flush
    for at, frame in enumerate(frames, 1):
        receive(frame, _NOW)
        if at % per_flush == 0:
            flush()


def run() -> list[Row]:
    """Nanoseconds per event, and the ratio of state update to decoding."""
    rng = random.Random(7)
    symbols = _symbols()
    fed = MassiveProtocol(
        "SPX", ("SPXW",), Secret("benchmark"), "", "https://api.massive.com", FeedOptions()
    )
    page = _page(symbols)
    fed._listed(page, _NOW)
    quotes = _quotes(symbols, rng)
    own, market = _prints(symbols, rng, 1.0), _prints(symbols, rng, 0.05)
    took = medians(
        {
            "decode": lambda: _decode(quotes),
            "full": lambda: _turn(fed, quotes, _FULL),
            "burst": lambda: _turn(fed, quotes, _BURST),
            "target": lambda: _turn(fed, quotes, _TARGET),
        }
    )
    took |= medians(
        {
            "decode prints": lambda: _decode(own),
            "prints": lambda: _turn(fed, own, _TARGET),
            "market": lambda: _turn(fed, market, _TARGET),
            "page": lambda: _page(symbols[:250]),
        }
    )
    each = {name: seconds / _EVENTS * 1e9 for name, seconds in took.items()}
    full, burst, target = (each[pace] - each["decode"] for pace in ("full", "burst", "target"))
    own_state = each["prints"] - each["decode prints"]
    return [
        Row("massive: decode a quote", each["decode"], "ns"),
        Row("massive: conflate and flush a quote, full load", full, "ns"),
        at_most("massive: the same over decoding", full / each["decode"], 0.5, "x"),
        Row("massive: conflate and flush a quote, 100,000/s", burst, "ns"),
        Row("massive: the same over decoding, 100,000/s", burst / each["decode"], "x"),
        Row("massive: conflate and flush a quote, 20,000/s", target, "ns"),
        Row("massive: the same over decoding, 20,000/s", target / each["decode"], "x"),
        Row("massive: decode a print", each["decode prints"], "ns"),
        Row("massive: gather and flush a print", own_state, "ns"),
        at_most(
            "massive: a print in all over decoding", each["prints"] / each["decode prints"], 4, "x"
        ),
        Row("massive: a print of T.*, 1 in 20 listed", each["market"], "ns"),
        Row("massive: a chain page of 250", took["page"] * 1e3, "ms"),
    ]
