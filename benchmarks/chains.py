"""Chain files: how long a whole SPX-sized chain takes from bytes to checked events.

The files are made here, as large as a real SPX page: 10,000 rows of a call and a put.
"""

from __future__ import annotations

import datetime as dt
import json

from benchmarks.harness import Row, at_most, medians
from gexterm.market.chain import Chain
from gexterm.market.settlement import expiry_of
from gexterm.market.symbols import parse_many
from gexterm.recording.chains import parse_chain

_DATES = [dt.date(2025, 11, 21) + dt.timedelta(days=7 * n) for n in range(50)]
_STRIKES = range(3000, 8000, 25)
_COLUMNS = "Bid,Ask,Volume,Open Interest"


def _symbols() -> list[str]:
    return [
        f"SPXW{date:%y%m%d}{right}{strike * 1000:08d}"
        for date in _DATES
        for strike in _STRIKES
        for right in "CP"
    ]


def _page(symbols: list[str]) -> bytes:
    lines = [
        "S&P 500,Last: 6600.12,Change: 1",
        '"Date: November 20, 2025 at 11:55 AM EST",Bid: 6600,Ask: 6601',
        f"Expiration Date,Calls,{_COLUMNS},Strike,Puts,{_COLUMNS}",
    ]
    cells = "10.5,11.25,37,1204"
    for call, put in zip(symbols[::2], symbols[1::2], strict=True):
        date = dt.datetime.strptime(call[4:10], "%y%m%d").strftime("%a %b %d %Y")
        lines.append(f"{date},{call},{cells},{int(call[-8:]) / 1000},{put},{cells}")
    return "\n".join(lines).encode()


def _delayed(symbols: list[str]) -> bytes:
    zeros = ("iv", "delta", "gamma", "vega", "theta", "rho", "theo", "change", "open", "high")
    more = dict.fromkeys((*zeros, "low", "tick", "last_trade_price", "percent_change"), 0.1234)
    options = [
        {"option": s, "bid": 10.5, "ask": 11.25, "bid_size": 5.0, "ask_size": 7.0}
        | {"open_interest": 1204.0, "volume": 37.0, "last_trade_time": "2025-11-20T11:39:00"}
        | more
        for s in symbols
    ]
    data = {"current_price": 6600.12, "last_trade_time": "2025-11-20T11:40:00", "options": options}
    return json.dumps({"timestamp": "2025-11-20 16:55:00", "data": data}).encode()


def run() -> list[Row]:
    """Medians of interleaved runs."""
    symbols = _symbols()
    page, delayed = _page(symbols), _delayed(symbols)
    chain = parse_chain(page, "page")

    def take_in() -> None:
        state = Chain(expiry_of)
        for event in chain.events:
            state.apply(event)
        state.layout()

    took = medians(
        {
            "symbols": lambda: parse_many(symbols),
            "page": lambda: parse_chain(page, "page"),
            "delayed": lambda: parse_chain(delayed, "page"),
            "chain": take_in,
        },
        runs=7,
        warmup=1,
    )
    return [
        at_most("20,000 Cboe symbols to contracts", took["symbols"] * 1e3, 50, "ms"),
        at_most("quote page of 20,000 options to events", took["page"] * 1e3, 300, "ms"),
        at_most("delayed quotes of 20,000 options to events", took["delayed"] * 1e3, 400, "ms"),
        Row("events of 20,000 options into a chain with its layout", took["chain"] * 1e3, "ms"),
    ]
