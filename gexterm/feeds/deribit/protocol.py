"""Deribit's public websocket: quotes and prints of the options of one family.

    open        heartbeats; the list of options; trades of all of them
    listed      the index; the summary of all options (open interest, forwards, and quotes
                of what is outside the window); tickers of the window
    then        prints since the session's beginning, the oldest first, before anything live
    live        tickers are conflated, prints are not
    each minute the prints of the last one again, by time: what was missed turns up
    a gap       in `trade_seq`: exactly those prints, by number

Quotes wait until the prints before them have been read, so that a tape has its order.

The session begins at midnight in New York, as it does for every other market here: the
engine's day, the carried book and the history follow that date. The venue itself has no
days, and tells prints of the last 24 hours only.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

import msgspec

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, InputError, SymbolError
from gexterm.feeds.catalogue import Catalogue
from gexterm.feeds.deribit import messages as m
from gexterm.feeds.deribit.books import Books
from gexterm.feeds.deribit.calls import MAINTENANCE, PASSING, TOO_MANY, Calls, frame
from gexterm.feeds.deribit.channels import Channels
from gexterm.feeds.deribit.families import Family
from gexterm.feeds.deribit.tape import LATEST_MS, MS, Tape, nanoseconds
from gexterm.feeds.protocol import BaseProtocol, Outgoing
from gexterm.feeds.retry import Retry, Stop
from gexterm.feeds.venue import FeedOptions
from gexterm.feeds.window import Window
from gexterm.market import symbols
from gexterm.market.calendar import et
from gexterm.market.contracts import Contract
from gexterm.market.events import Event, SourceInfo, UnderlyingPrice
from gexterm.market.roots import printable

MOST = 800
"""Contracts whose tickers are asked for, unless the user says otherwise: about all of a
family within two months, and well within what one connection carries."""
HEARTBEAT_S = 30
_DEAD_S = 75.0
_QUIET_S = 30.0
_LIST_EVERY_NS = 600 * NS
_SUMMARY_EVERY_NS = 300 * NS
_DAY_LATE_NS = 5 * NS
_DAY_NS, _SETTLES_NS, _AVERAGED_NS = 86_400 * NS, 28_800 * NS, 1_800 * NS
_MOST_STRANGE = 16
_MOST_CONTRACTS = 50_000
_TICKER = b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.'
"""How nearly every message begins, as the venue writes them; any other way will do too."""


class DeribitProtocol(BaseProtocol):
    """One family of Deribit's options."""

    name = "Deribit"
    lossless = False

    def __init__(self, family: Family, url: str, options: FeedOptions) -> None:
        super().__init__()
        self.catalogue = Catalogue()
        self._family, self._url = family, url
        self._demo = options.demo
        self._window = Window(options.window, MOST)
        self._books = Books(self.catalogue, inverse=family.inverse)
        self._calls = Calls()
        self._channels = Channels(self._calls, self.account)
        self._tape = Tape(self._calls, self.account, family, options.back_fill_s, self._defined)
        self._urgent: list[str] = []
        self._events: list[Event] = [self._info()]
        self._refused: set[str] = set()
        self._index: m.Index | None = None
        self._index_new = False
        self._index_name = family.index
        self._listed_at = self._summary_at = 0
        self._now = self._recv = 0
        self._day: dt.date | None = None

    def _info(self) -> SourceInfo:
        note = "open interest is of the day's first hearing; blocks agreed before are not signed"
        if self._demo:
            note = f"the venue's test system: nothing here is the market; {note}"
        return SourceInfo(
            self._family.root,
            "deribit",
            "simulated" if self._demo else "live",
            note=note,
            conditions="deribit",
            venue_side="exact",
        )

    # The connection

    def connect_url(self) -> str:
        """Where to connect."""
        return self._url

    def on_open(self, now_ns: int) -> list[Outgoing]:
        """Begin: heartbeats, the list of options, all their trades."""
        self._now = now_ns
        self._calls.forget()
        self._channels.forget()
        self._tape.forget(now_ns)
        self._urgent.clear()
        self.account.steps.clear()
        self.account.quoted = self.account.printed = 0
        self._index_new = False
        self._look_at_day()
        self._ask("public/set_heartbeat", {"interval": HEARTBEAT_S}, self._beats, "heartbeats")
        self._list()
        trades = f"trades.option.{self._family.currency}.100ms"
        self._channels.want([trades], self._printed)
        return self.outgoing()

    def outgoing(self) -> list[Outgoing]:
        """What may be sent by now."""
        # Asked after every message: nearly always there is nothing.
        if not self._urgent and not self._calls.waiting:
            return []
        urgent, self._urgent = self._urgent, []
        return [*urgent, *self._calls.take(self._now)]

    def on_timer(self, now_ns: int) -> list[Outgoing]:
        """Lists anew, the window, gaps, calls that nobody answered."""
        self._now = now_ns
        late = self._calls.overdue(now_ns)
        if late:
            self.account.notes["late"] = f"{late} call(s) had no answer within 10 s; asked again"
        elif not len(self._calls):
            self.account.notes.pop("late", None)
        if self._listed_at and now_ns - self._listed_at >= _LIST_EVERY_NS:
            self._list()
        if self._summary_at and (
            self._look_at_day() or now_ns - self._summary_at >= _SUMMARY_EVERY_NS
        ):
            self._summarise()
        self._draw_window()
        self._say_what_settles()
        self._tape.timer(now_ns)
        return self.outgoing()

    def _say_what_settles(self) -> None:
        """Half an hour of the index is averaged into what options settle on, until 08:00 UTC."""
        left_ns = -(self._tape.now(self._now) - _SETTLES_NS) % _DAY_NS
        if left_ns <= _AVERAGED_NS:
            self.account.notes["settling"] = (
                "options settle at 08:00 UTC on the average of half an hour, of which "
                f"{1 - left_ns / _AVERAGED_NS:.0%} is over: their gamma is less than shown"
            )
        else:
            self.account.notes.pop("settling", None)

    def _look_at_day(self) -> bool:
        """Whether another day has begun in New York: open interest is told anew.

        A few seconds late, so that who counts the day by receipt has begun it too.
        """
        now = et(self._tape.now(self._now) - _DAY_LATE_NS)
        before, self._day = self._day, now.date()
        if before is None and now.hour:
            self.account.notes["interest"] = (
                f"open interest is of {now:%H:%M} New York: what was traded before, since "
                "midnight, is in it, and a second time in positions that add prints to it"
            )
        if before in (None, self._day):
            return False
        self.account.notes.pop("interest", None)
        self._books.new_day()
        return True

    def closed(self, verdict: Retry | Stop, now_ns: int) -> Retry | Stop:
        """Out of credits, in maintenance, or as it means everywhere."""
        if isinstance(verdict, Stop):
            return verdict
        error = self._calls.error(now_ns)
        if error == TOO_MANY:
            return Retry(
                "it had too many requests from this address",
                10.0,
                "other programs may be using Deribit from here",
            )
        said = verdict.reason.lower()
        restart = any(code in said for code in ("code 1012", "code 1013", "maintenance"))
        if error == MAINTENANCE or restart:
            return Retry("it is in maintenance", 15.0, "see status.deribit.com")
        return verdict

    def quiet_s(self, now_ns: int) -> float:
        """The index alone comes every second."""
        steps = self.account.steps
        return _QUIET_S if "index" in steps or "first ticker" in steps else math.inf

    def dead_s(self) -> float:
        """Two heartbeats and a half."""
        return _DEAD_S

    # Frames

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        """One message."""
        self._now = self._recv = recv_ns
        try:
            if frame.startswith(_TICKER):
                told = m.TICKER.decode(frame).params.data
                self._books.tickers.newest[told.instrument_name] = told
                return []
            head = frame[:120]
            # An answer may name channels too, but is no subscription's message.
            if b'"subscription"' in head:
                if b'"ticker.' in head:
                    told = m.TICKER.decode(frame).params.data
                    self._books.tickers.newest[told.instrument_name] = told
                    return []
                if b'"trades.option.' in head:
                    self._prints(m.PRINTS.decode(frame).params.data)
                    return []
            return self._other(m.ENVELOPE.decode(frame))
        except (msgspec.MsgspecError, RecursionError) as error:
            raise InputError(
                f"Deribit sent {printable(bytes(frame[:60]).decode('utf-8', 'replace'))}, "
                f"which makes no sense: {printable(str(error), 80)}"
            ) from None

    def _other(self, said: m.Envelope) -> list[Event]:
        if said.usOut > 0:
            self._tape.clock(min(said.usOut * 1000, LATEST_MS * MS), self._now)
        if said.method == "heartbeat":
            if m.NOTICE.decode(said.params).type == "test_request":
                self._urgent.append(frame_of_test(self._calls))
            return self._taken()
        if said.method == "subscription":
            self._notice(m.NOTICE.decode(said.params))
            return []
        if said.method or said.id is None:
            self._strange(f"messages of kind {printable(said.method)}")
            return []
        events = self._calls.answered(said.id, bytes(said.result), said.error, self._now)
        if events is None and said.error is not None:
            self._strange(f"an error nobody asked for: {printable(said.error.message)}")
        return [*self._taken(), *(events or [])]

    def _notice(self, notice: m.Notice) -> None:
        channel = notice.channel
        if channel.startswith("deribit_price_index."):
            index = m.INDEX.decode(notice.data)
            if not 0.0 < index.price < 1e9:
                raise InputError("Deribit sent an index that is no price")
            self._index, self._index_new = index, True
            self._step("index", f"{index.price:,.2f}")
        elif channel.startswith("ticker."):
            data = m.TICKER_DATA.decode(notice.data)
            self._books.tickers.newest[data.instrument_name] = data
        elif channel.startswith("trades.option."):
            self._prints(m.PRINT_DATA.decode(notice.data))
        else:
            self._strange(f"channel {printable(channel.partition('.')[0])}")

    def _prints(self, prints: list[m.Print]) -> None:
        keep = self._books.tickers.keep
        for each in prints:
            if self._tape.live(each, self._recv):
                keep(each.instrument_name)
                self.account.steps.setdefault("first trade", each.instrument_name)

    def _strange(self, what: str) -> None:
        """Something of which nothing is known: named once, else ignored."""
        key = f"strange {what}"
        if sum(note.startswith("strange ") for note in self.account.notes) < _MOST_STRANGE:
            self.account.notes.setdefault(key, f"ignored: {what}")

    def _step(self, name: str, said: str) -> None:
        self.account.steps.setdefault(name, said)

    # What is listed

    def _ask(
        self,
        method: str,
        params: dict[str, Any],
        done: Callable[[bytes], list[Event]],
        what: str,
    ) -> None:
        def failed(said: str, _code: int) -> None:
            self.account.notes[what] = f"no {what}: {said}"

        def well(result: bytes) -> list[Event]:
            self.account.notes.pop(what, None)
            return done(result)

        self._calls.ask(method, params, well, failed)

    def _beats(self, result: bytes) -> list[Event]:
        self._step("heartbeat", f"every {HEARTBEAT_S} s")
        return []

    def _list(self) -> None:
        self._listed_at = self._now
        params = {"currency": self._family.currency, "kind": "option", "expired": False}
        self._calls.ask("public/get_instruments", params, self._listed, self._not_listed)

    def _not_listed(self, said: str, code: int) -> None:
        if code and code not in PASSING and not len(self.catalogue):
            raise ConnectionFailedError(
                f"Deribit refuses its list of {self._family.root} options: {said}",
                "is it the right underlying? BTC, ETH, or a linear one such as SOL_USDC",
            )
        self.account.notes["options"] = f"no list of options: {said}; asking again"
        self._listed_at = self._now - _LIST_EVERY_NS + 15 * NS

    def _listed(self, result: bytes) -> list[Event]:
        found = [
            each
            for each in m.INSTRUMENTS.decode(result)
            if each.kind == "option" and self._family.holds(each.instrument_name)
        ]
        taken: list[tuple[str, Contract]] = []
        bad = 0
        for each in found:
            if not each.is_active:
                continue
            try:
                contract = symbols.parse(each.instrument_name, "deribit")
            except SymbolError:
                bad += 1
                continue
            taken.append((each.instrument_name, contract))
        self.account.notes.pop("options", None)
        if bad:
            self.account.notes["unread"] = f"{bad} listed option(s) have names we cannot read"
        if not taken and not len(self.catalogue):
            raise ConnectionFailedError(
                f"Deribit lists no options on {self._family.root}",
                "BTC, ETH, or a linear family such as SOL_USDC",
            )
        first = not self.account.steps.get("instruments")
        events: list[Event] = list(self._define(taken))
        self._books.ticks(found)
        self.account.listed = len(taken)
        self._step("instruments", f"{len(taken)} options")
        if first:
            named = next((each.price_index for each in found if each.price_index), "")
            self._index_name = named or self._index_name
            self._channels.want([f"deribit_price_index.{self._index_name}"])
            self._channels.want(self._tickers(sorted(self._window.wanted)))
            self._summarise()
        self._draw_window()
        return events

    def _define(self, listed: list[tuple[str, Contract]]) -> list[Event]:
        events: list[Event] = list(self.catalogue.define(listed, self._recv))
        self._books.grow()
        return events

    def _defined(self, symbol: str) -> int:
        """Index of a symbol, defined now where it was not listed; −1 where it is no option of ours.

        What expired earlier today is listed no more, but was traded.
        """
        index = self.catalogue.index.get(symbol)
        if index is not None:
            return index
        if symbol in self._refused or not self._family.holds(symbol):
            return -1
        if len(self.catalogue) >= _MOST_CONTRACTS:
            self._strange("more contracts than any venue lists")
            return -1
        try:
            contract = symbols.parse(symbol, "deribit")
        except SymbolError:
            if len(self._refused) < 10_000:
                self._refused.add(symbol)
            self._strange("instruments that are no options, such as combos")
            return -1
        self._events += self._define([(symbol, contract)])
        return self.catalogue.index[symbol]

    def _summarise(self) -> None:
        self._summary_at = self._now
        params = {"currency": self._family.currency, "kind": "option"}

        def failed(said: str, _code: int) -> None:
            self.account.notes["summary"] = f"no open interest outside the window: {said}"
            self._tape.may_begin()

        self._calls.ask("public/get_book_summary_by_currency", params, self._summarised, failed)

    def _summarised(self, result: bytes) -> list[Event]:
        rows = [
            each
            for each in m.SUMMARIES.decode(result)
            if each.instrument_name in self.catalogue.index
        ]
        self.account.notes.pop("summary", None)
        now = self._tape.now(self._recv)
        events = self._books.summary(rows, self._window.wanted, now, self._recv)
        self._step("open interest", f"{len(rows)} options")
        spot = sorted(s for r in rows if 0.0 < (s := r.estimated_delivery_price or 0.0) < 1e9)
        if self._index is None and spot:
            self._index = m.Index(spot[len(spot) // 2])
        self._window.vol = self._books.volatility(rows, now)
        self._draw_window()
        self._tape.may_begin()
        return events

    # The window

    def _tickers(self, contracts: list[int]) -> list[str]:
        return [f"ticker.{self.catalogue.symbols[at]}.100ms" for at in contracts]

    def _draw_window(self) -> None:
        spot = self._index.price if self._index is not None else float("nan")
        change = self._window.update(self.catalogue.contracts, spot, self._tape.now(self._now))
        if self._window.choice is not None:
            self.account.window = self._window.choice.text
        if change is not None:
            self._channels.drop(self._tickers(list(change.remove)))
            self._channels.want(self._tickers(list(change.add)))

    def _printed(self, accepted: bool) -> None:
        if accepted:
            self._tape.subscribed()
            self.account.printed = self.account.listed
        else:
            self.account.notes["prints"] = "prints are not to be had: the venue refuses them"
            self._tape.without()

    # Columns

    def _taken(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def flush(self) -> list[Event]:
        """What was gathered: definitions, open interest, spot, prints of before, quotes, prints."""
        self.account.printed = self.account.listed if self._channels.prints else 0
        history, live = self._tape.take()
        events = self._taken()
        if self._index_new and self._index is not None:
            self._index_new = False
            ts = nanoseconds(self._index.timestamp) or self._recv
            events.append(UnderlyingPrice(self._index.price, ts, self._recv))
        events += self._trades(history)
        if not self._tape.holding:
            events += self._quoted()
        # The newest forwards are known by now.
        events += self._trades(live)
        return events

    def _quoted(self) -> list[Event]:
        taken = [t for t in self._books.tickers.take() if self._defined(t.instrument_name) >= 0]
        defined = self._taken()
        spot: list[Event] = []
        if taken:
            self._step("first ticker", taken[0].instrument_name)
            spot = self._spot(max(taken, key=lambda each: each.timestamp))
        now = self._tape.now(self._recv)
        price = self._index.price if self._index is not None else math.nan
        interest, quotes = self._books.quotes(taken, price, now, self._recv)
        return [*defined, *interest, *spot, *quotes]

    def _spot(self, ticker: m.Ticker) -> list[Event]:
        """The index as a ticker has it, where its own channel says nothing."""
        price = ticker.index_price or 0.0
        if "index" in self.account.steps or not 0.0 < price < 1e9:
            return []
        self._index = m.Index(price, ticker.timestamp)
        ts = nanoseconds(ticker.timestamp) or self._recv
        return [UnderlyingPrice(price, ts, self._recv)]

    def _trades(self, prints: list[m.Print]) -> list[Event]:
        if not prints:
            return []
        rows = self._tape.columns(prints, self.catalogue.index, self._recv)
        spot = self._index.price if self._index is not None else math.nan
        events, bad = self._books.trades(rows, spot, self._recv)
        if bad:
            self._tape.refuse(bad)
        return events


def frame_of_test(calls: Calls) -> str:
    """The answer to a test_request; its own answer interests nobody."""
    return frame(calls.number(), "public/test", {})
