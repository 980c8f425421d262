"""The vendor's client and ours hear the same gateway alike: made records, and real ones."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest

from gexterm.clock import NS
from gexterm.feeds.databento.protocol import DatabentoProtocol
from gexterm.market.events import Definitions, Event, OpenInterest, Quotes, Trades
from gexterm.market.symbols import format as symbol_of
from tests.feeds.databento.made import AM_CALL, CALL, KEY, MORNING, NOON, PUT, session
from tests.feeds.databento.test_records import runs, stream
from tests.feeds.listening import until
from tests.venues import databento as venue

Heard = dict[str, Any]
_ROOT = Path(__file__).resolve().parents[3]


async def vendor(
    gateway: venue.FakeGateway, parents: list[str], live: list[bytes]
) -> list[list[Any]]:
    """What the vendor's client hears until the gateway closes."""
    pytest.importorskip("databento")
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.feeds.databento.vendor_client"),
        *(str(gateway.port), KEY, *parents),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    try:
        await until(lambda: bool(gateway.sessions) and gateway.session.started)
        for data in live:
            await gateway.send(data)
        await gateway.end()
        out, complaints = await asyncio.wait_for(program.communicate(), 60.0)
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    assert program.returncode == 0, complaints.decode()
    return [json.loads(line) for line in out.splitlines()]


async def ours(
    gateway: venue.FakeGateway, protocol: DatabentoProtocol, live: list[bytes], now: int
) -> list[Event]:
    """What our session hears until the gateway closes, over a plain connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    events: list[Event] = []

    async def read() -> None:
        for line in protocol.on_open(now):
            assert isinstance(line, str)
            writer.write(line.encode())
        while data := await reader.read(1 << 16):
            events.extend(protocol.receive(data, now))
            for line in protocol.outgoing():
                assert isinstance(line, str)
                writer.write(line.encode())

    reading = asyncio.create_task(read())
    await until(lambda: bool(gateway.sessions) and gateway.session.started)
    for data in live:
        await gateway.send(data)
    await gateway.end()
    await asyncio.wait_for(reading, 60.0)
    writer.close()
    return [*events, *protocol.flush()]


def as_vendor(told: list[list[Any]]) -> Heard:
    """Definitions, open interest, prints in order, and the last quote of each contract."""
    quotes: dict[str, tuple[int, ...]] = {}
    for row in told:
        if row[0].startswith("cbbo") and (row[1] not in quotes or row[3] >= quotes[row[1]][0]):
            bid, ask, bid_size, ask_size = row[6:10]
            quotes[row[1]] = (row[3], *_sided(bid, bid_size), *_sided(ask, ask_size))
    return {
        "definitions": {
            (
                symbol,
                right,
                strike,
                (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=ns // NS)).date(),
            )
            for name, symbol, right, strike, ns in (r for r in told if r[0] == "definition")
        },
        "open interest": {(r[1], r[3]) for r in told if r[0] == "statistics" and r[2] == 9},
        "prints": [(r[1], r[2], r[4], r[5], *r[6:10]) for r in told if r[0] == "tcbbo"],
        "quotes": quotes,
    }


def _sided(price: float, size: float) -> tuple[float | None, float | None]:
    return (None, None) if math.isnan(price) else (price, size)


def as_ours(events: list[Event]) -> Heard:
    symbols: list[str] = []
    heard: Heard = {"definitions": set(), "open interest": set(), "prints": [], "quotes": {}}
    for event in events:
        if isinstance(event, Definitions):
            for c in event.contracts:
                symbols.append(symbol_of(c, "occ"))
                heard["definitions"].add((symbols[-1], str(c.right), c.strike, c.expiry))
        elif isinstance(event, OpenInterest):
            rows = zip(event.contract, event.open_interest, strict=True)
            heard["open interest"] |= {(symbols[c], float(n)) for c, n in rows}
        elif isinstance(event, Trades):
            for i, c in enumerate(event.contract):
                book = (event.bid[i], event.ask[i], event.bid_size[i], event.ask_size[i])
                row = (event.ts[i], event.price[i], event.size[i], *book)
                heard["prints"].append((symbols[c], *(x.item() for x in row)))
        elif isinstance(event, Quotes):
            for i, c in enumerate(event.contract):
                bid = _sided(float(event.bid[i]), float(event.bid_size[i]))
                ask = _sided(float(event.ask[i]), float(event.ask_size[i]))
                heard["quotes"][symbols[c]] = (int(event.ts[i]), *bid, *ask)
    return heard


async def test_both_hear_made_records_alike() -> None:
    ids = {CALL: 1000, PUT: 1001, AM_CALL: 1002}
    items = [
        *(venue.definition(symbol, number, MORNING) for symbol, number in ids.items()),
        *(venue.statistic(CALL, 1000, MORNING, 57924, p) for p in (22, 31, 37)),
        venue.statistic(AM_CALL, 1002, MORNING, 4),
        venue.tcbbo(CALL, 1000, NOON - NS, 12.3, 5, (12.2, 12.4)),
        venue.tcbbo(CALL, 1000, NOON - NS, 12.3, 5, (12.2, 12.4)),
        venue.tcbbo(AM_CALL, 1002, NOON - NS + 1, 13.05, 1, (12.9, 13.1)),
        *(
            venue.cbbo(CALL, 1000, NOON - m * 60 * NS, 12.0 + m, 12.4 + m, "cbbo-1m")
            for m in (2, 1)
        ),
    ]
    live = [
        venue.tcbbo(PUT, 1001, NOON + NS, 8.8, 3, (8.7, 8.9), publisher=31).data,
        venue.cbbo(PUT, 1001, NOON + NS, 0.0, 0.05).data,
        venue.cbbo(CALL, 1000, NOON + NS, math.nan, 12.5).data,
        venue.system("Heartbeat"),
    ]
    async with venue.FakeGateway(KEY) as gateway:
        gateway.list(*ids)
        await gateway.publish(*items)
        theirs = as_vendor(await vendor(gateway, ["SPX.OPT", "SPXW.OPT"], live))
        told = await ours(gateway, session(), live, NOON)
    assert as_ours(told) == theirs
    assert len(theirs["prints"]) == 4
    assert len(theirs["quotes"]) == 2


async def test_both_hear_real_records_alike() -> None:
    symbol, number = "AAPL  250221C00250000", 16783963
    history = []
    for name in ("definition", "statistics", "cbbo-1m"):
        _, body, _ = stream(f"OPRA.PILLAR.test_data.{name}")
        for run in runs(body):
            for at in range(run.at, run.at + run.size * run.count, run.size):
                data = run.data[at : at + run.size]
                stamp = int.from_bytes(data[32:40] if name == "cbbo-1m" else data[8:16], "little")
                history.append(venue.Item(name, symbol, stamp, data))
    _, seconds, _ = stream("OPRA.PILLAR.test_data.cbbo-1s")
    _, quoted, _ = stream("OPRA.PILLAR.test_data.tbbo")
    # The real prints are of one exchange's book; of all exchanges' they are of this type.
    made = bytearray(quoted)
    made[1::80] = bytes([0xC2]) * (len(made) // 80)
    now = max(item.ts for item in history) + NS
    async with venue.FakeGateway(KEY) as gateway:
        gateway.list(symbol, first=number)
        await gateway.publish(*history)
        live = [seconds, bytes(made)]
        theirs = as_vendor(await vendor(gateway, ["AAPL.OPT"], live))
        told = await ours(gateway, session("AAPL"), live, now)
    assert as_ours(told) == theirs
    assert [row[2:4] for row in theirs["prints"]] == [(0.24, 1), (0.2, 2), (0.19, 1), (0.19, 4)]
    assert theirs["open interest"] == {(symbol, 57924)}
