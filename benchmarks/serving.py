"""What sharing a live session costs the hub, and how late viewers hear.

Batches of 1,000 quotes of 5,000 contracts, as in `benchmarks.recording`. Latency is from the
moment a batch is handed to the hub's log to the moment a viewer has decoded it, over a real
websocket, both in one process: on a machine with a second core it is less.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.harness import Row, at_least, at_most
from benchmarks.recording import INFO, quotes
from gexterm.feeds.relay_log import RelayLog
from gexterm.feeds.relay_protocol import RelayProtocol
from gexterm.feeds.relay_server import RelayServer
from gexterm.market.events import Quotes

SECRET = b"b" * 64
BATCH, ROWS = 1_000, 1_000_000
SHOTS = 200


async def _member(server: RelayServer) -> tuple[RelayProtocol, ClientConnection]:
    protocol = RelayProtocol(server.url, SECRET)
    connection = await connect(server.url, compression=None, max_size=None)
    for hello in protocol.on_open(0):
        await connection.send(str(hello))
    protocol.receive(await connection.recv(decode=False), 0)
    for proof in protocol.outgoing():
        await connection.send(str(proof))
    return protocol, connection


async def _heard(protocol: RelayProtocol, connection: ClientConnection, rows: int) -> None:
    while rows > 0:
        for event in protocol.receive(await connection.recv(decode=False), 0):
            if isinstance(event, Quotes):
                rows -= len(event.contract)


async def _latency(viewers: int, batches: list[Quotes]) -> float:
    """Median seconds until every viewer has a batch."""
    log = RelayLog()
    async with RelayServer(log, SECRET) as server:
        log.add(INFO)
        members = [await _member(server) for _ in range(viewers)]
        took = []
        for batch in batches[:SHOTS]:
            begin = time.perf_counter()
            log.add(batch)
            await asyncio.gather(*(_heard(*member, BATCH) for member in members))
            took.append(time.perf_counter() - begin)
        for _, connection in members:
            await connection.close()
    return statistics.median(took[20:])


async def _late(batches: list[Quotes]) -> float:
    """Rows a second that who comes late is told, decoded."""
    log = RelayLog()
    log.add(INFO)
    for batch in batches:
        log.add(batch)
    async with RelayServer(log, SECRET) as server:
        protocol, connection = await _member(server)
        begin = time.perf_counter()
        await _heard(protocol, connection, ROWS)
        took = time.perf_counter() - begin
        await connection.close()
    return ROWS / took


async def _told(batches: list[Quotes], hung: int) -> float:
    """Seconds of the hub's thread for a batch, with so many viewers that take nothing."""
    log = RelayLog()
    async with RelayServer(log, SECRET, hang_s=60.0) as server:
        log.add(INFO)
        members = [await _member(server) for _ in range(hung)]
        for _, connection in members:
            connection.transport.pause_reading()
        took = []
        for batch in batches[: 4 * SHOTS]:
            begin = time.perf_counter()
            log.add(batch)
            took.append(time.perf_counter() - begin)
            await asyncio.sleep(0)
        for _, connection in members:
            connection.transport.abort()
    return statistics.mean(took)


def run() -> list[Row]:
    """The rows of the report."""
    batches = quotes(23_400.0, ROWS, BATCH)
    one, four = (asyncio.run(_latency(viewers, batches)) for viewers in (1, 4))
    free, hung = (asyncio.run(_told(batches, viewers)) for viewers in (0, 3))
    return [
        at_most("told to the relay, a batch of 1,000 quotes", free * 1e6, 250, "us"),
        at_most("… with three viewers that hang", hung / free, 1.5, "x"),
        at_most("hub to viewer, one viewer", one * 1e3, 5, "ms"),
        at_most("hub to viewers, the last of four", four * 1e3, 20, "ms"),
        at_least("who comes late is told", asyncio.run(_late(batches)) / 1e6, 2, "Mrow/s"),
    ]
