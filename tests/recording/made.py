"""Small made-up event streams to record and replay."""

from __future__ import annotations

import datetime as dt

import numpy as np

from gexterm.clock import NS
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import (
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
    Volume,
)

OPEN = 1_515_162_600 * NS
"""2018-01-05 09:30 in New York, ns."""
INFO = SourceInfo("SPX", "made", "live", 0.0, "made up for a test")


def contracts(count: int, root: str = "SPXW") -> tuple[Contract, ...]:
    day = dt.date(2018, 1, 5)
    return tuple(
        Contract(root, day, Right.CALL if i % 2 else Right.PUT, 2700.0 + 5 * (i // 2))
        for i in range(count)
    )


def quotes(rng: np.random.Generator, count: int, rows: int, ts: int) -> Quotes:
    bid = np.round(rng.integers(0, 2000, rows) * 0.05, 2)
    return Quotes(
        contract=rng.integers(0, count, rows).astype(np.int32),
        bid=bid,
        ask=np.round(bid + 0.1, 2),
        bid_size=rng.integers(1, 50, rows).astype(np.float64),
        ask_size=np.where(rng.random(rows) < 0.1, np.nan, 7.0),
        ts=ts - rng.integers(0, NS, rows),
        recv=ts,
    )


def trades(rng: np.random.Generator, count: int, rows: int, ts: int) -> Trades:
    return Trades.of(
        rng.integers(0, count, rows),
        np.round(rng.integers(1, 2000, rows) * 0.05, 2),
        rng.integers(1, 50, rows),
        np.full(rows, ts),
        side=rng.integers(-1, 2, rows),
        sequence=np.arange(rows),
        recv=ts,
    )


def day(
    minutes: float = 10, count: int = 40, every_s: float = 1.0, rows: int = 20, seed: int = 1
) -> list[Event]:
    """A stream: definitions, open interest, then quotes, underlying, trades, volume."""
    rng = np.random.default_rng(seed)
    out: list[Event] = [
        Definitions(0, contracts(count), OPEN),
        OpenInterest(
            np.arange(count, dtype=np.int32), rng.integers(0, 9000, count) * 1.0, OPEN, OPEN
        ),
    ]
    volume = np.zeros(count)
    for step in range(1, int(minutes * 60 / every_s) + 1):
        ts = OPEN + round(step * every_s * NS)
        out.append(quotes(rng, count, rows, ts))
        out.append(UnderlyingPrice(2733.0 + float(np.round(rng.normal(), 2)), ts, ts))
        if step % 5 == 0:
            prints = trades(rng, count, 3, ts)
            np.add.at(volume, prints.contract, prints.size)
            out += [prints, Volume(prints.contract, volume[prints.contract], ts, ts)]
    return out


def same(left: Event, right: Event) -> bool:
    """Whether two events say the same, NaN being equal to NaN."""
    if type(left) is not type(right):
        return False
    for name in left.__slots__:
        a, b = getattr(left, name), getattr(right, name)
        if isinstance(a, np.ndarray):
            if a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                return False
        elif a != b and not (a != a and b != b):
            return False
    return True


def same_all(left: list[Event], right: list[Event]) -> bool:
    return len(left) == len(right) and all(map(same, left, right))
