"""One scripted market of options, told through any of the fake venues.

`script` is what happened: quotes, prints and the underlying, second by second, the same
whoever tells it. A `Teller` is a fake venue that is told the script and passes it on in its
own words. AM and PM twins of one date and strike are part of it, with prices, interest and
prints of their own.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import random
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

from gexterm.clock import NS
from gexterm.feeds.protocol import FeedProtocol
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import FeedOptions, find_venue
from gexterm.market.calendar import at_et
from tests.venues import databento, tradier
from tests.venues.deribit import MONTHS, Exchange, FakeDeribit
from tests.venues.dxlink import CLIENT_SECRET, PATH, REFRESH_TOKEN, FakeDxlink
from tests.venues.line import Line
from tests.venues.massive import FakeMassive

MS = 1_000_000
DAY = dt.date(2025, 11, 20)
"""A Thursday; tomorrow is a third Friday, with an AM and a PM expiry."""
HALF_DAY = dt.date(2025, 11, 28)
"""The Friday after Thanksgiving: it closes at 13:00."""


class Option(NamedTuple):
    """A contract."""

    root: str
    date: dt.date
    right: str
    strike: float


class Print(NamedTuple):
    """A print, and the quote it was made against."""

    option: Option
    price: float
    size: float
    side: int
    at: int
    bid: float
    ask: float
    number: int


@dataclass(frozen=True)
class Step:
    """What happened at one moment: the quotes first, then the prints."""

    at: int
    spot: float
    quotes: dict[Option, tuple[float, float]]
    prints: tuple[Print, ...]


@dataclass(frozen=True)
class Script:
    """A stretch of a day: what is heard before, during and after a disturbance."""

    underlying: str
    joins: int
    """When we connect, ns."""
    spot: float
    options: tuple[Option, ...]
    interest: dict[Option, int]
    first: dict[Option, tuple[float, float]]
    """Quotes as they stand when we join."""
    before: tuple[Step, ...]
    during: tuple[Step, ...]
    """While the line may be down: prints at quotes that stand still."""
    after: tuple[Step, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of it."""
        return (*self.before, *self.during, *self.after)


def value(option: Option, spot: float, at: int) -> float:
    """Black's formula without a rate, on a smile; points."""
    closes = 13.0 if option.date == HALF_DAY else 16.0
    hour = {"SPX": 9.5, "BTC": 3.0}.get(option.root, closes)
    settles = at_et(option.date, dt.time(int(hour), round(hour % 1 * 60)))
    years = max(settles - at, 60 * NS) / NS / (365 * 86_400)
    away = math.log(option.strike / spot)
    vol = (0.5 if option.root == "BTC" else 0.16) - 0.4 * away + 2.0 * away * away
    sd = vol * math.sqrt(years)
    d1 = -away / sd + sd / 2
    call = spot * _normal(d1) - option.strike * _normal(d1 - sd)
    return call if option.right == "C" else call - spot + option.strike


def _normal(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def script(underlying: str = "SPX", day: dt.date = DAY, begins: dt.time = dt.time(10, 5)) -> Script:
    """The same script each time. Starts a minute before `begins`, goes on 5 minutes after it."""
    coin = underlying == "BTC"
    spot = 86_000.0 if coin else 6600.0
    if coin:
        series = [("BTC", day + dt.timedelta(days=days)) for days in (1, 8)]
        strikes = [82_000.0 + 1000 * k for k in range(9)]
    else:
        friday = day + dt.timedelta(days=(4 - day.weekday()) % 7 or 7)
        series = [
            ("SPXW", day),
            ("SPX", friday),
            ("SPXW", friday),
            ("SPXW", day + dt.timedelta(days=29)),
        ]
        series = list(dict.fromkeys(series))
        # What is near the money on half a day is nearer.
        apart = 10.0 if day == HALF_DAY else 25.0
        strikes = [6600.0 + apart * k for k in range(-4, 5)]
    options = tuple(
        Option(root, date, right, strike) for root, date in series for strike in strikes
        for right in "CP"
    )  # fmt: skip
    rng = random.Random(7)
    start = at_et(day, begins)
    market = _Maker(underlying, options, spot, rng)
    first = {option: market.quote(option, start - 70 * NS) for option in options}
    before = tuple(market.step(start + k * 2 * NS) for k in range(15))
    during = tuple(market.step(start + (32 + 2 * k) * NS, still=True) for k in range(5))
    after = tuple(
        market.step(start + (300 + 2 * k) * NS, moving=k < 8, requote=k > 8) for k in range(15)
    )
    interest = {o: 1000 + round(o.strike) % 977 + 500 * (o.root == "SPX") for o in options}
    return Script(
        underlying, start - 60 * NS, spot, options, interest, first, before, during, after
    )


_SIZES = (1, 2, 3, 4, 6, 8, 15, 25, 31, 40)
"""No size that any venue quotes here: that would be evidence of its own."""


class _Maker:
    """Makes steps."""

    def __init__(
        self, underlying: str, options: tuple[Option, ...], spot: float, rng: random.Random
    ) -> None:
        self._coin = underlying == "BTC"
        self._options, self._spot, self._rng = options, spot, rng
        self._standing: dict[Option, tuple[float, float]] = {}
        self._turn = self._number = 0

    def quote(self, option: Option, at: int) -> tuple[float, float]:
        """Bid and offer around the value: in points, or coins."""
        worth = value(option, self._spot, at)
        if self._coin:
            low = max(1, math.floor(worth / self._spot * 1e4) - 2)
            bid, ask = round(low * 1e-4, 4), round((low + 5) * 1e-4, 4)
        else:
            low = max(1, math.floor(worth * 20) - 2)
            bid, ask = round(low / 20, 2), round((low + 5) / 20, 2)
        self._standing[option] = (bid, ask)
        return bid, ask

    def step(
        self, at: int, *, still: bool = False, moving: bool = True, requote: bool = False
    ) -> Step:
        """A third of the chain is quoted anew, four options trade."""
        if moving and not still:
            self._spot = round(self._spot * (1 + self._rng.gauss(0, 2e-4)), 2)
        quoted = (
            [] if still else [o for i, o in enumerate(self._options) if i % 3 == self._turn % 3]
        )
        self._turn += not still
        quotes = {option: self.quote(option, at) for option in quoted}
        prints = []
        near = [o for o in self._options if abs(o.strike / self._spot - 1) < 0.02]
        for k in range(4):
            option = self._rng.choice(near)
            bid, ask = self._standing[option]
            # Customers buy puts and sell calls: a book with a flip in it.
            side = 1 if self._rng.random() < (0.8 if option.right == "P" else 0.2) else -1
            self._number += 1
            prints.append(
                Print(option, ask if side > 0 else bid, float(self._rng.choice(_SIZES)), side,
                      at + (100 + 10 * k) * MS, bid, ask, self._number)
            )  # fmt: skip
        return Step(at, self._spot, quotes, tuple(prints))


# -- who tells it ------------------------------------------------------------------------------


class Teller:
    """A fake venue behind a line, which is told a script. An async context manager."""

    name = ""
    refills = True
    """Whether prints that went unheard can be had later."""
    with_quotes = True
    """Whether they then come with a side, or the quote that tells it."""
    turns = 1
    """Turns of everybody's before more time passes: what is polled must not seem late."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.venue: Any = None
        self.line: Line
        self.told: list[Print] = []
        """Prints told so far."""

    async def __aenter__(self) -> Self:
        await self.venue.__aenter__()
        self.line = Line(self.venue.port)
        await self.line.__aenter__()
        await self.open()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.line.__aexit__(None, None, None)
        await self.venue.__aexit__(None, None, None)

    def options(self) -> FeedOptions:
        """Where to connect."""
        return FeedOptions(url=self.line.url(self.path), rest_url=self.venue.url("", "http"))

    path = "/"
    secrets: ClassVar[dict[str, str]] = {}

    def protocol(self) -> FeedProtocol:
        """A fresh client of this venue."""
        secrets = {name: Secret(text) for name, text in self.secrets.items()}
        return find_venue(self.name).make(self.script.underlying, secrets, self.options())

    async def open(self) -> None:
        """The chain, as it stands before anybody connects."""

    async def pulse(self) -> None:
        """Whatever a venue says now and then."""

    def moved(self, now_ns: int) -> None:
        """Time passes at the venue."""

    def listens(self, steps: dict[str, str]) -> bool:
        """Whether a client hears quotes and prints by now."""
        raise NotImplementedError

    async def step(self, step: Step) -> None:
        """All of a step."""
        self.moved(step.at)
        await self.quote(step)
        for each in step.prints:
            self.told.append(each)
        await self.print(step.prints)

    async def quote(self, step: Step) -> None:
        """The quotes of a step, and the underlying."""
        raise NotImplementedError

    async def print(self, prints: tuple[Print, ...]) -> None:
        """Prints."""
        raise NotImplementedError

    async def say(self, text: str) -> None:
        """A frame as it is, to whoever listens."""
        raise NotImplementedError


class Deribit(Teller):
    """Coins: premiums in coins, times in ms, the venue knows each aggressor."""

    name, path = "deribit", "/ws/api/v2"

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.exchange = Exchange(script.joins // MS)
        self.venue = FakeDeribit(self.exchange)

    def symbol(self, option: Option) -> str:
        day = f"{option.date.day}{MONTHS[option.date.month - 1]}{option.date:%y}"
        return f"BTC-{day}-{option.strike:.0f}-{option.right}"

    async def open(self) -> None:
        self.exchange.index("btc_usd", self.script.spot)
        for option in self.script.options:
            self.exchange.list(self.symbol(option))
            self.show(option, *self.script.first[option])

    def show(self, option: Option, bid: float, ask: float) -> None:
        """A ticker, with its open interest."""
        interest = float(self.script.interest[option])
        self.exchange.quote(self.symbol(option), bid, ask, open_interest=interest)

    def moved(self, now_ns: int) -> None:
        if (ms := now_ns // MS - self.exchange.now_ms) > 0:
            self.exchange.advance(ms)

    def listens(self, steps: dict[str, str]) -> bool:
        # A venue whose every ticker is subscribed tells them as they stand.
        wanted = len(self.script.options)
        channels = [c for session in self.exchange.sessions for c in session.channels]
        return "history" in steps and sum(c.startswith("ticker") for c in channels) >= wanted

    async def quote(self, step: Step) -> None:
        self.exchange.index("btc_usd", step.spot)
        for option, (bid, ask) in step.quotes.items():
            self.show(option, bid, ask)

    async def print(self, prints: tuple[Print, ...]) -> None:
        for each in prints:
            self.moved(each.at)
            self.exchange.trade(
                self.symbol(each.option), each.price, each.size, "buy" if each.side > 0 else "sell"
            )

    async def say(self, text: str) -> None:
        self.exchange.say(text)


class Dxlink(Teller):
    """tastytrade: a print comes with its quote and a guess at the side, and can be had later."""

    name, path = "dxlink", PATH
    secrets: ClassVar[dict[str, str]] = {
        "client-secret": CLIENT_SECRET,
        "refresh-token": REFRESH_TOKEN,
    }

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.venue: FakeDxlink = FakeDxlink()
        self._spot = script.spot

    def symbol(self, option: Option) -> str:
        return f".{option.root}{option.date:%y%m%d}{option.right}{option.strike:g}"

    async def open(self) -> None:
        roots: dict[str, dict[str, Any]] = {}
        for o in self.script.options:
            of = roots.setdefault(
                o.root, {"settlement": "AM" if o.root == "SPX" else "PM", "expiries": {}}
            )
            strikes = of["expiries"].setdefault(o.date.isoformat(), [])
            if o.strike not in strikes:
                strikes.append(o.strike)
        self.venue.chain("SPX", roots)
        self._pulsed: Any = None

    async def pulse(self) -> None:
        if not self.venue.past or not self.venue.sockets:
            return
        here = self.venue.here
        if self._pulsed is not here and "SPX" in self.venue.subscribed("Trade"):
            await self.venue.publish("Trade", [self._trade(self._spot, self.script.joins)])
            self._pulsed = here
        if self.venue.subscribed("Summary") >= set(map(self.symbol, self.script.options)):
            told = getattr(self, "_summed", None)
            if told is not here:
                self._summed = here
                await self.venue.publish(
                    "Summary",
                    [{"eventSymbol": self.symbol(o), "openInterest": n}
                     for o, n in self.script.interest.items()],
                )  # fmt: skip

    @staticmethod
    def _trade(price: float, at: int) -> dict[str, Any]:
        return {"eventSymbol": "SPX", "price": price, "size": "NaN", "time": at // MS,
                "dayVolume": "NaN"}  # fmt: skip

    def listens(self, steps: dict[str, str]) -> bool:
        if not self.venue.sockets or self._pulsed is not self.venue.here:
            return False
        wanted = set(map(self.symbol, self.script.options))
        return all(wanted <= self.venue.subscribed(kind) for kind in ("Quote", "TimeAndSale"))

    def shown(self, option: Option, bid: Any, ask: Any, at: int) -> dict[str, Any]:
        """A quote in the venue's words."""
        return {"eventSymbol": self.symbol(option), "bidPrice": bid, "askPrice": ask,
                "bidSize": 10.0, "askSize": 20.0, "bidTime": at // MS,
                "askTime": at // MS}  # fmt: skip

    async def quote(self, step: Step) -> None:
        self._spot = step.spot
        await self.venue.publish("Trade", [self._trade(step.spot, step.at)])
        if step.quotes:
            await self.venue.publish(
                "Quote", [self.shown(o, bid, ask, step.at) for o, (bid, ask) in step.quotes.items()]
            )

    def sale(self, each: Print, **other: Any) -> dict[str, Any]:
        """A print in the venue's words."""
        ms = each.at // MS
        return {
            "eventSymbol": self.symbol(each.option), "eventFlags": 0,
            "index": (ms // 1000 << 32) | (ms % 1000 << 22) | each.number,
            "time": ms, "timeNanoPart": 0, "sequence": each.number,
            "price": each.price, "size": each.size, "bidPrice": each.bid, "askPrice": each.ask,
            "exchangeSaleConditions": "I", "aggressorSide": "BUY" if each.side > 0 else "SELL",
            "spreadLeg": False, "extendedTradingHours": False, "validTick": True, "type": "NEW",
        } | other  # fmt: skip

    async def print(self, prints: tuple[Print, ...]) -> None:
        sales = [self.sale(each) for each in prints]
        for each in sales:
            self.venue.history.setdefault(each["eventSymbol"], []).insert(0, each)
        await self.venue.publish("TimeAndSale", sales)

    async def say(self, text: str) -> None:
        await self.venue.say(text)


class Massive(Teller):
    """Prints carry neither quote nor side; what went unheard can be asked for by contract."""

    name, path, with_quotes = "massive", "/options", False
    secrets: ClassVar[dict[str, str]] = {"key": "a-key-of-massive-0123456789"}

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.venue: FakeMassive = FakeMassive(self.secrets["key"])

    def symbol(self, option: Option) -> str:
        return f"O:{option.root}{option.date:%y%m%d}{option.right}{round(option.strike * 1000):08d}"

    async def open(self) -> None:
        at = self.script.joins - 50 * MS
        for option, (bid, ask) in self.script.first.items():
            self.venue.chain.append(
                {
                    "day": {"volume": 12, "last_updated": at},
                    "details": {
                        "contract_type": "call" if option.right == "C" else "put",
                        "exercise_style": "european",
                        "expiration_date": option.date.isoformat(),
                        "shares_per_contract": 100,
                        "strike_price": option.strike,
                        "ticker": self.symbol(option),
                    },
                    "last_quote": {
                        "ask": ask, "ask_size": 20, "bid": bid, "bid_size": 10,
                        "last_updated": at, "timeframe": "REAL-TIME",
                    },
                    "open_interest": self.script.interest[option],
                    "underlying_asset": {"ticker": "I:SPX", "value": self.script.spot,
                                         "timeframe": "REAL-TIME"},
                }
            )  # fmt: skip

    def listens(self, steps: dict[str, str]) -> bool:
        wanted = set(map(self.symbol, self.script.options))
        return wanted <= self.venue.prints_of and wanted <= self.venue.quotes_of

    def shown(self, option: Option, bid: Any, ask: Any, at: int) -> dict[str, Any]:
        """A quote in the venue's words."""
        return {"ev": "Q", "sym": self.symbol(option), "bx": 302, "bp": bid, "bs": 10, "ax": 302,
                "ap": ask, "as": 20, "t": at // MS, "q": 1}  # fmt: skip

    def traded(self, each: Print, **other: Any) -> dict[str, Any]:
        """A print in the venue's words."""
        return {"ev": "T", "sym": self.symbol(each.option), "x": 302, "p": each.price,
                "s": int(each.size), "c": [209], "t": each.at // MS, "q": each.number,
                "ns": each.at} | other  # fmt: skip

    async def quote(self, step: Step) -> None:
        self.venue.publish(*(self.shown(o, b, a, step.at) for o, (b, a) in step.quotes.items()))

    async def print(self, prints: tuple[Print, ...]) -> None:
        self.venue.publish(*(self.traded(each) for each in prints))

    async def say(self, text: str) -> None:
        self.venue.say(text)


class Databento(Teller):
    """A stream of records, which is replayed from the open to whoever comes (back)."""

    name = "databento"
    secrets: ClassVar[dict[str, str]] = {"key": "db-unittestUNITTESTunittest01234"}

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.venue: databento.FakeGateway = databento.FakeGateway(self.secrets["key"])
        self.beats = True
        """Whether it sends heartbeats."""
        self._now = self._beaten = script.joins

    def options(self) -> FeedOptions:
        return FeedOptions(url=self.line.url(scheme="tcp"))

    def symbol(self, option: Option) -> str:
        return (
            f"{option.root:<6}{option.date:%y%m%d}{option.right}{round(option.strike * 1000):08d}"
        )

    def number(self, option: Option) -> int:
        return self.venue.ids[self.symbol(option)]

    async def open(self) -> None:
        morning = self.script.joins - 4 * 3600 * NS
        self.venue.list(*map(self.symbol, self.script.options))
        items = []
        for o in self.script.options:
            name, number = self.symbol(o), self.number(o)
            items.append(databento.definition(name, number, morning))
            items.append(databento.statistic(name, number, morning, self.script.interest[o]))
            at = self.script.joins // (60 * NS) * 60 * NS
            items.append(databento.cbbo(name, number, at, *self.script.first[o], "cbbo-1m"))
        await self.venue.publish(*items)

    def listens(self, steps: dict[str, str]) -> bool:
        if not self.venue.sessions or not self.venue.session.started:
            return False
        if self.venue.session not in self.venue._open:
            return False
        asked = self.venue.session.requests
        quoted = {s for r in asked if r["schema"] == "cbbo-1s" for s in r["symbols"].split(",")}
        return len(quoted) >= len(self.script.options)

    async def pulse(self) -> None:
        if self.beats and self.venue.greets and self._now - self._beaten >= 20 * NS:
            self._beaten = self._now
            await self.venue.send(databento.system("Heartbeat"))

    def moved(self, now_ns: int) -> None:
        self._now = now_ns

    async def quote(self, step: Step) -> None:
        await self.venue.publish(
            *(databento.cbbo(self.symbol(o), self.number(o), step.at, bid, ask)
              for o, (bid, ask) in step.quotes.items())
        )  # fmt: skip

    def traded(self, each: Print) -> databento.Item:
        """A print as a record."""
        return databento.tcbbo(
            self.symbol(each.option), self.number(each.option), each.at, each.price,
            int(each.size), (each.bid, each.ask),
        )  # fmt: skip

    async def print(self, prints: tuple[Print, ...]) -> None:
        await self.venue.publish(*map(self.traded, prints))


class Tradier(Teller):
    """A broker's stream. What went unheard is gone."""

    name, path, refills, turns = "tradier", "/v1/markets/events", False, 6
    secrets: ClassVar[dict[str, str]] = {"token": tradier.TOKEN}

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.venue: tradier.TradierVenue = tradier.TradierVenue({}, script.spot)
        self.venue.spot_ms = script.joins // MS

    def options(self) -> FeedOptions:
        return FeedOptions(url=self.line.url(), rest_url=self.venue.url(scheme="http"))

    def symbol(self, option: Option) -> str:
        return f"{option.root}{option.date:%y%m%d}{option.right}{round(option.strike * 1000):08d}"

    async def open(self) -> None:
        for o, (bid, ask) in self.script.first.items():
            row = tradier.row(
                self.symbol(o), bid, ask, self.script.interest[o], at_ms=self.script.joins // MS - 5
            )
            self.venue.chains.setdefault(o.date.isoformat(), []).append(row)

    def moved(self, now_ns: int) -> None:
        # The index is computed all day long.
        self.venue.spot_ms = max(self.venue.spot_ms, now_ns // MS)

    def listens(self, steps: dict[str, str]) -> bool:
        wanted = set(map(self.symbol, self.script.options))
        return any(wanted <= set(asked["symbols"]) for asked in self.venue._asked.values())

    def shown(self, option: Option, bid: Any, ask: Any, at: int) -> dict[str, Any]:
        """A quote in the venue's words."""
        return tradier.quote(self.symbol(option), bid, ask, at // MS)

    def traded(self, each: Print, **other: Any) -> dict[str, Any]:
        """A print in the venue's words."""
        return tradier.timesale(
            self.symbol(each.option), each.price, int(each.size), each.at // MS,
            each.number, each.bid, each.ask, **other,
        )  # fmt: skip

    async def quote(self, step: Step) -> None:
        self.venue.spot = step.spot
        await self.venue.say(*(self.shown(o, b, a, step.at) for o, (b, a) in step.quotes.items()))

    async def print(self, prints: tuple[Print, ...]) -> None:
        await self.venue.say(*map(self.traded, prints))

    async def say(self, text: str) -> None:
        await self.venue.say_raw(text)


TELLERS: dict[str, type[Teller]] = {
    each.name: each for each in (Deribit, Dxlink, Massive, Databento, Tradier)
}
"""Whoever can tell a script, by the venue's name."""
WEBSOCKETS = ("deribit", "dxlink", "massive", "tradier")
"""Those of them that speak over a websocket."""


def text(*messages: Any) -> str:
    """Messages as one frame of JSON."""
    return json.dumps(messages[0] if len(messages) == 1 else messages)
