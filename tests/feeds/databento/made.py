"""A gateway's bytes without a gateway, and what a session makes of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import databento_dbn as dbn

from gexterm.clock import NS
from gexterm.feeds.databento import make
from gexterm.feeds.databento.protocol import DatabentoProtocol
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import FeedOptions
from gexterm.market import calendar
from gexterm.market.events import Event, Trades
from tests.venues import databento as venue

KEY = "db-unittestUNITTESTunittest01234"
DAY = dt.date(2025, 11, 20)
OPEN = calendar.session_open_ns(DAY)
NOON = OPEN + 9000 * NS
"""12:00 New York."""
MORNING = OPEN - 3 * 3600 * NS
"""06:30 New York: definitions and open interest."""
CALL, PUT = "SPXW  251121C06600000", "SPXW  251121P06600000"
AM_CALL, PM_CALL = "SPX   251121C06600000", "SPXW  251121C06600000"


def header(dataset: str = venue.DATASET, version: int = 3, ts_out: bool = False) -> bytes:
    return bytes(
        dbn.Metadata(
            dataset=dataset,
            start=0,
            stype_in=None,
            stype_out=dbn.SType.INSTRUMENT_ID,
            schema=None,
            ts_out=ts_out,
            version=version,
        )
    )


def session(underlying: str = "SPX", **options: object) -> DatabentoProtocol:
    made = make(underlying, {"key": Secret(KEY)}, FeedOptions(**options))  # type: ignore[arg-type]
    assert isinstance(made, DatabentoProtocol)
    return made


def login(protocol: DatabentoProtocol, now: int = NOON) -> list[str]:
    """Through the handshake up to the head of the stream; what we sent."""
    sent = list(protocol.on_open(now))
    for text in (b"lsg_version=0.7.2\n", b"cram=abc\n", b"success=1|session_id=17\n"):
        protocol.receive(text, now)
        sent += protocol.outgoing()
    protocol.receive(header(), now)
    return [line for line in sent if isinstance(line, str)]


def live(*symbols: str, now: int = NOON, **options: object) -> DatabentoProtocol:
    """A session in which some contracts have got ids from 1000 on; its first events are told."""
    protocol = session(**options)
    login(protocol, now)
    named(protocol, *symbols, now=now)
    protocol.flush()
    return protocol


def named(protocol: DatabentoProtocol, *symbols: str, first: int = 1000, now: int = NOON) -> None:
    told = b"".join(
        venue.mapping("SPXW.OPT", symbol, first + i) for i, symbol in enumerate(symbols)
    )
    protocol.receive(told, now)


def heard(protocol: DatabentoProtocol, *items: venue.Item | bytes, now: int = NOON) -> list[Event]:
    """What comes of some records, all in one piece."""
    data = b"".join(item if isinstance(item, bytes) else item.data for item in items)
    return [*protocol.receive(data, now), *protocol.flush()]


def prints(events: Iterable[Event]) -> list[tuple[int, float, float, int]]:
    """Contract, price, size and number of every print."""
    return [
        (int(c), float(p), float(s), int(q))
        for e in events
        if isinstance(e, Trades)
        for c, p, s, q in zip(e.contract, e.price, e.size, e.sequence, strict=True)
    ]
