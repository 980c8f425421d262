"""DXLink: what a quote and a print cost beyond decoding, frames of 100 in COMPACT.

1,200 contracts, 100,000 quotes/s, a flush every 50 ms: 5,000 quotes a flush. The state is
everything between the decoder and columnar events, the flush included.
"""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

from benchmarks.harness import Row, at_most, medians
from gexterm.feeds.dxlink.compact import FIELDS, PRINT, QUOTE, Layout
from gexterm.feeds.dxlink.prints import Prints, index_of
from gexterm.feeds.dxlink.quotes import QuoteBook
from gexterm.feeds.dxlink.session import read_message

_CONTRACTS, _FRAMES, _EVENTS, _PER_FLUSH = 1200, 500, 100, 50
_MS = 1_763_740_000_000


def run() -> list[Row]:
    """ns a quote and a print, and the state's part of the decoding."""
    rng = random.Random(1)
    names = [f".SPXW251121{'CP'[n % 2]}{6000 + 5 * (n // 2)}" for n in range(_CONTRACTS)]
    index = {name: n for n, name in enumerate(names)}
    layout = Layout()
    layout.configure({kind: list(fields) for kind, fields in FIELDS.items()})
    rows = []
    for kind, frames in ((QUOTE, _quotes(rng, names)), (PRINT, _sales(rng, names))):
        times = medians(
            {
                "decode": lambda frames=frames: [None for f in frames if read_message(f) is None],
                "all": lambda frames=frames: _all(frames, layout, index),
            },
            runs=7,
        )
        events = _FRAMES * _EVENTS
        state = times["all"] - times["decode"]
        what = {QUOTE: "quote", PRINT: "print"}[kind]
        rows += [
            Row(f"decode a {what}", times["decode"] / events * 1e9, "ns"),
            Row(f"state of a {what}, flush included", state / events * 1e9, "ns"),
        ]
        if kind == QUOTE:
            rows.append(at_most("state / decoding", state / times["decode"], 0.5, "x"))
    return rows


def _all(frames: list[bytes], layout: Layout, index: dict[str, int]) -> int:
    book, prints, rows = QuoteBook(), Prints(), 0
    for first, last in pairwise(range(0, _FRAMES + 1, _PER_FLUSH)):
        for number in range(first, last):
            for kind, values in layout.decode(read_message(frames[number]).data):
                if kind == QUOTE:
                    book.take_in(values, number)
                else:
                    prints.take_in(index, values, number)
        rows += sum(len(quotes.ts) for quotes in book.flush(index, "SPX")[0])
        rows += sum(len(trades.ts) for trades in prints.flush())
    return rows


def _frame(kind: str, values: list[Any]) -> bytes:
    return json.dumps({"type": "FEED_DATA", "channel": 1, "data": [kind, values]}).encode()


def _quotes(rng: random.Random, names: list[str]) -> list[bytes]:
    frames = []
    for _ in range(_FRAMES):
        values: list[Any] = []
        for name in rng.choices(names, k=_EVENTS):
            bid = round(rng.uniform(0.0, 100.0), 2)
            sizes = [float(rng.randrange(200)), float(rng.randrange(200))]
            values += [name, bid, round(bid + 0.1, 2), *sizes, 0, 0]
        frames.append(_frame(QUOTE, values))
    return frames


def _sales(rng: random.Random, names: list[str]) -> list[bytes]:
    frames = []
    for frame in range(_FRAMES):
        values: list[Any] = []
        for number, name in enumerate(rng.choices(names, k=_EVENTS)):
            ms, price = _MS + frame, round(rng.uniform(0.1, 100.0), 2)
            values += [name, 0, index_of(ms, number), ms, 0, number, price, 2.0]
            values += [price, price + 0.1, "I", "SELL", False, False, True, "NEW"]
        frames.append(_frame(PRINT, values))
    return frames
