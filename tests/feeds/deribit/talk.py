"""Our protocol and the fake exchange talking, without a socket or a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gexterm.feeds.deribit import make
from gexterm.feeds.deribit.protocol import DeribitProtocol
from gexterm.feeds.retry import Retry
from gexterm.feeds.venue import FeedOptions
from gexterm.market.events import Event, Quotes, Trades
from tests.venues.deribit import Exchange, Session

E = TypeVar("E")
NOON = 1_700_154_000_000
"""Thursday 16 November 2023, 12:00 New York."""
CALL, PUT = "BTC-24NOV23-37000-C", "BTC-24NOV23-37000-P"
Row = tuple[str, int, float, float, int, int]


def market(now_ms: int = NOON) -> Exchange:
    """An exchange with one pair of BTC options, quoted."""
    exchange = Exchange(now_ms)
    exchange.index("btc_usd", 37_000.0)
    exchange.list(CALL, PUT)
    exchange.quote(CALL, 0.020, 0.021)
    exchange.quote(PUT, 0.019, 0.020)
    return exchange


class Talk:
    """One protocol and whatever connections it has to one exchange."""

    def __init__(
        self,
        exchange: Exchange,
        underlying: str = "BTC",
        options: FeedOptions | None = None,
        *,
        skew_ms: int = 0,
    ) -> None:
        protocol = make(underlying, {}, options or FeedOptions())
        assert isinstance(protocol, DeribitProtocol)
        self.protocol = protocol
        self.exchange = exchange
        self.events: list[Event] = []
        self.session: Session | None = None
        self.skew_ms = skew_ms
        """How far our clock is ahead of the venue's."""

    @property
    def now(self) -> int:
        """By our clock, ns."""
        return (self.exchange.now_ms + self.skew_ms) * 1_000_000

    def open(self) -> Session:
        """Connect."""
        self.session = self.exchange.connect()
        self._send(self.protocol.on_open(self.now))
        self.pump()
        return self.session

    def cut(self) -> None:
        """The line breaks; what was under way is lost."""
        assert self.session is not None
        self.session.close(1006)
        self.protocol.closed(Retry("the connection broke"), self.now)
        self.session = None

    def _send(self, frames: list[object]) -> None:
        assert self.session is not None
        for frame in frames:
            assert isinstance(frame, str)
            self.session.handle(frame)

    def pump(self, order: Callable[[list[str]], list[str]] = list) -> None:
        """Deliver what there is, both ways, until nobody has anything to say."""
        assert self.session is not None
        while self.session.outbox:
            for text in order(self.session.take()):
                self.events += self.protocol.receive(text.encode(), self.now)
                self._send(self.protocol.outgoing())

    def settle(self, seconds: int = 1) -> None:
        """Time passes, second by second."""
        for _ in range(seconds):
            self.exchange.advance(1000)
            self.pump()
            self._send(self.protocol.on_timer(self.now))
            self.pump()
            self.events += self.protocol.flush()

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def prints(self) -> list[Row]:
        """Every print as (symbol, sequence, price, size, side, ts in ms)."""
        return [
            (
                self.protocol.catalogue.symbols[event.contract[i]],
                int(event.sequence[i]),
                float(event.price[i]),
                float(event.size[i]),
                int(event.side[i]),
                int(event.ts[i]) // 1_000_000,
            )
            for event in self.of(Trades)
            for i in range(len(event.ts))
        ]

    def numbers(self) -> list[tuple[str, int]]:
        """Every print as (symbol, sequence), in the order told."""
        return [row[:2] for row in self.prints()]

    def quotes(self) -> list[tuple[str, float, float, int]]:
        """Every quote as (symbol, bid, ask, ts in ms)."""
        return [
            (
                self.protocol.catalogue.symbols[event.contract[i]],
                float(event.bid[i]),
                float(event.ask[i]),
                int(event.ts[i]) // 1_000_000,
            )
            for event in self.of(Quotes)
            for i in range(len(event.ts))
        ]


def truth(exchange: Exchange, since_ms: int = 0) -> list[tuple[str, int]]:
    """Every print of an option there was, as (symbol, sequence)."""
    return [
        (t["instrument_name"], t["trade_seq"])
        for t in exchange.tape
        if t["_kind"] == "option" and t["timestamp"] >= since_ms
    ]
