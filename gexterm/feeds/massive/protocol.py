"""Massive's options feed: a websocket for quotes and prints, REST for the chain.

    connected → auth → auth_success → chain by REST, page after page, near expiries first
                                    → prints of every contract known, quotes of the window
    a break   → log in again, subscribe again, fetch what prints can be had

The price of the underlying is not passed on. Massive sells index values apart from the
options; what the chain's pages say of it is a minute old at best, and the engine would
stand on it until the next one. The nearest forward, which it takes where no spot is given,
moves with every quote.
"""

from __future__ import annotations

import datetime as dt
import math

import msgspec

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, InputError
from gexterm.feeds.massive import notes
from gexterm.feeds.massive.backfill import BackFill
from gexterm.feeds.massive.board import Board
from gexterm.feeds.massive.chain import ChainLoader
from gexterm.feeds.massive.evictions import Evictions
from gexterm.feeds.massive.gather import Gather
from gexterm.feeds.massive.lag import Lag
from gexterm.feeds.massive.messages import (
    Quote,
    Status,
    Trade,
    auth,
    decode_frame,
    salvage,
    subscribed,
)
from gexterm.feeds.massive.rest import Listing, Rest
from gexterm.feeds.massive.spot import Parity, spread_out
from gexterm.feeds.massive.subscriptions import MOST_QUOTES, Subscriptions
from gexterm.feeds.protocol import Answer, BaseProtocol, Outgoing
from gexterm.feeds.retry import PassingError, Retry, Stop
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import FeedOptions
from gexterm.feeds.window import Window
from gexterm.market import calendar
from gexterm.market.events import Event, Quotes, SourceInfo, Trades
from gexterm.market.roots import printable

DELAY_S = 900.0
"""How late the delayed service is."""
_RELOAD_NS = 900 * NS
"""Contracts are listed during the day, and what the window leaves out is quoted by the
chain's pages only: they are read again this often during a session."""
_MORNING_NS = 7 * 3600 * NS
"""New York's time of day at which open interest is another day's: it comes at about 06:30."""
_QUIET_S = 30.0
_LOGIN_NS = 20 * NS
_UNITEMISED_NS = 10 * NS
"""How long after the last subscription of prints it is taken to hold, should the venue not
confirm one by one, as its pages show it does."""


class MassiveProtocol(BaseProtocol):
    """One underlying's options at Massive. Frames and answers in, events and wishes out."""

    name = "Massive"

    def __init__(
        self,
        underlying: str,
        roots: tuple[str, ...],
        key: Secret,
        url: str,
        rest_url: str,
        options: FeedOptions,
    ) -> None:
        super().__init__()
        self._underlying, self._key, self._url, self._options = underlying, key, url, options
        self._lag = Lag(round(DELAY_S * NS) if options.delayed else 0)
        rest = Rest(rest_url, key)
        self._gather = Gather()
        self._chain = ChainLoader(rest, underlying, roots)
        self._board = Board(self.account, self._chain, self._lag)
        self._catalogue = self._board.catalogue
        self._window = Window(options.window, MOST_QUOTES)
        self._parity = Parity()
        self._past = BackFill(rest, self.account, options.back_fill_s, self._lag)
        self._evictions = Evictions()
        self._subscriptions = Subscriptions()
        self._spot = math.nan
        self._told_source = False
        self._loaded = (0, dt.date.min)
        self._odd = dict.fromkeys(("refused", "statuses", "slow"), 0)
        self._kinds: dict[str, int] = {}
        self._authenticated = False
        self._out: list[Outgoing] = []
        self._prints_sent_at = 0
        self._drawn: object = None
        self._heard_at = self._opened_at = self._refused = 0
        self._first = {"first quote", "first print"}

    def connect_url(self) -> str:
        """The options cluster, real-time or delayed."""
        return self._url

    def on_open(self, now_ns: int) -> list[Outgoing]:
        """Nothing is said before the venue has said "connected"."""
        self._authenticated = self.account.admitted = False
        self._opened_at = now_ns
        self._subscriptions = Subscriptions()
        self._past.interrupted(self._heard_at)
        self._chain.reconnected()
        self._evictions.opened()
        self._out = []
        self._prints_sent_at, self._drawn = 0, None
        self._refused = 0
        self._first = {"first quote", "first print"}
        self.account.steps.clear()
        self.account.quoted = self.account.printed = 0
        return []

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        """What a frame says. Quotes and prints wait for the next flush."""
        try:
            messages = decode_frame(frame)
        except msgspec.DecodeError:
            messages = self._salvaged(frame)
        self._heard_at = recv_ns
        gather = self._gather
        newest, every, prints = gather.newest, gather.quotes, gather.prints
        events: list[Event] = []
        for message in messages:
            kind = message.__class__
            if kind is Quote:
                newest[message.sym] = message  # type: ignore[union-attr,assignment]
                every.append(message)  # type: ignore[arg-type]
            elif kind is Trade:
                prints.append(message)  # type: ignore[arg-type]
            else:
                events += self._status(message, recv_ns)  # type: ignore[arg-type]
        return events

    def answer(self, answer: Answer) -> list[Event]:
        """A page of the chain, or prints of the past."""
        if answer.key.startswith("chain "):
            listing = self._chain.answer(answer)
            notes.chain(self.account, self._chain, self._underlying)
            events = self._listed(listing, answer.recv_ns) if listing is not None else []
            self._out += self._chain.requests(answer.recv_ns)
            return events
        events = self._past.answer(answer, self._catalogue.index)
        self._out += self._past.requests(answer.recv_ns)
        return events

    def outgoing(self) -> list[Outgoing]:
        """What the last frame or answer made us want."""
        if not self._out:
            return []
        out, self._out = self._out, []
        return out

    def flush(self) -> list[Event]:
        """The quotes, then the prints, that have come since the last time."""
        index = self._catalogue.index
        events: list[Event] = []
        quotes = self._gather.take_quotes(index)
        if quotes is not None:
            self._board.quoted(quotes)
            self._lag.saw(self._heard_at, int(quotes.ts[-1]))
            self._reached("first quote", quotes)
            events.append(quotes)
        told, trades = self._gather.take_prints(index)
        if trades is not None:
            self._past.note(told)
            self._lag.saw(self._heard_at, int(trades.ts.max()))
            self._reached("first print", trades)
            events.append(trades)
        return events

    def on_timer(self, now_ns: int) -> list[Outgoing]:
        """Subscriptions, the window, the next page, what was missed."""
        if not self._authenticated:
            if now_ns - self._opened_at >= _LOGIN_NS:
                said = "said nothing" if self._opened_at > self._heard_at else "did not log us in"
                raise PassingError(f"Massive took the connection and {said} for 20 s")
            return []
        self._reload(now_ns)
        out: list[Outgoing] = [*self._chain.requests(now_ns)]
        if self._chain.first_band:
            out += self._ask_prints(now_ns)
            out += self._move(now_ns)
        choice = self._window.choice
        nearest = [] if choice is None else [self._catalogue.symbols[i] for i in choice.contracts]
        out += self._past.timer(now_ns, nearest, self._catalogue.symbols)
        notes.odd(self.account, self._gather, self._odd, self._kinds)
        return out

    def closed(self, verdict: Retry | Stop, now_ns: int) -> Retry | Stop:
        """Being replaced by another program, or found too slow, is told as what it is.

        Nothing else: a recording has openings and no ends, and replays to the same events.
        """
        self._past.deaf()
        return self._evictions.closed(verdict, now_ns, heard=len(self._first) < 2)

    def quiet_s(self, now_ns: int) -> float:
        """Half a minute during a session, once subscribed; nights are silent."""
        return _QUIET_S if self.account.printed and self._in_session(now_ns) else math.inf

    def _in_session(self, now_ns: int) -> bool:
        market_ns = self._lag.market(now_ns)
        day = calendar.et(market_ns).date()
        return calendar.is_session(day) and calendar.session_open_ns(
            day
        ) <= market_ns < calendar.index_close_ns(day)

    # What the venue says of the connection.

    def _salvaged(self, frame: bytes) -> list[Quote | Trade | Status]:
        messages, unknown, refused = salvage(frame)
        for kind in unknown:
            if kind in self._kinds or len(self._kinds) < 20:
                self._kinds[kind] = self._kinds.get(kind, 0) + 1
        self._odd["refused"] += len(refused)
        if refused and not messages:
            raise InputError(refused[0])
        return messages

    def _status(self, said: Status, recv_ns: int) -> list[Event]:
        """One word about the connection."""
        status, message = said.status, printable(said.message, 160).strip("'")
        if status == "connected":
            self._out.append(auth(self._key))
            return self._source()
        if status == "auth_success":
            self._authenticated = self.account.admitted = True
            self.account.steps["authenticated"] = message
            if len(self._catalogue):
                self.account.steps["chain"] = f"{len(self._catalogue):,} contracts, as before"
            self._reload(recv_ns)
            self._out += self._chain.requests(recv_ns)
            self._subscriptions.want_prints(self._catalogue.symbols)
            return self._source()
        if status == "success":
            if names := subscribed(said.message):
                self._subscriptions.confirm(names)
                if names[-1].startswith("Q."):
                    self.account.steps["subscribed quotes"] = self.account.window
                self._confirm(recv_ns)
        elif status == "auth_failed":
            raise ConnectionFailedError(
                f"Massive refuses the login: {message}",
                "check the key (gexterm feeds login massive) and whether the plan streams "
                "options; a plan with delayed data needs the delayed feed",
            )
        elif status == "auth_timeout":
            raise PassingError(f"Massive did not wait for the login: {message}", wait_s=5.0)
        elif status == "max_connections":
            self._evictions.replaced = True
        elif status == "slow_consumer":
            self._evictions.slow = True
            self._odd["slow"] += 1
        else:
            self._odd["statuses"] += 1
            self._refused += status == "error"
            told = f"{printable(status, 30).strip(chr(39))}: {message}"
            self.account.notes["status"] = f"Massive says {told} ({self._odd['statuses']:,} so far)"
        return []

    def _source(self) -> list[Event]:
        if self._told_source:
            return []
        self._told_source = True
        delayed = self._options.delayed
        return [
            SourceInfo(
                underlying=self._underlying,
                feed="massive",
                mode="delayed" if delayed else "live",
                delay_s=DELAY_S if delayed else 0.0,
                note="spot is the nearest forward; prints carry no side and no quote",
                conditions="massive",
            )
        ]

    # The chain.

    def _reload(self, now_ns: int) -> None:
        """Begin to load the chain, where that has not been done, or is due again."""
        if self._chain.loading:
            return
        today = calendar.et(now_ns - _MORNING_NS).date()
        at, day = self._loaded
        again = self._in_session(now_ns) and now_ns - at >= _RELOAD_NS
        if day == today and not again:
            return
        self._board.begin(another_day=day != today)
        self._loaded = (now_ns, today)
        self._chain.begin(calendar.et(now_ns).date())

    def _listed(self, page: Listing, recv_ns: int) -> list[Event]:
        """A page of the chain as events; prints of what is new in it are wanted."""
        known = len(self._catalogue)
        events = self._board.page(page, recv_ns)
        if len(self._catalogue) > known and self._authenticated:
            self._subscriptions.want_prints(self._catalogue.symbols[known:])
        if page.spot > 0.0:
            self._spot = page.spot
        return events

    # Subscriptions.

    def _ask_prints(self, now_ns: int) -> list[str]:
        frames = self._subscriptions.more_prints()
        if frames:
            self._prints_sent_at = now_ns
            self._evictions.subscribed = True
        self._confirm(now_ns)
        return frames

    def _reached(self, step: str, rows: Quotes | Trades) -> None:
        if step in self._first:
            self._first.remove(step)
            if step == "first quote":
                self.account.steps.setdefault("subscribed quotes", self.account.window)
            self.account.steps[step] = self._catalogue.symbols[int(rows.contract[0])]

    def _confirm(self, now_ns: int) -> None:
        """Whether the prints asked for are ours by now, and since when."""
        asked = self._subscriptions
        self.account.printed = len(asked.prints)
        if "subscribed prints" in self.account.steps or not asked.prints_sent:
            return
        if self._chain.loading:
            return
        waited = self._prints_sent_at and now_ns - self._prints_sent_at >= _UNITEMISED_NS
        if asked.prints_confirmed or (waited and not self._refused):
            told = f"{len(asked.prints):,} contracts, {asked.confirmed:,} confirmed one by one"
            self.account.steps["subscribed prints"] = told
            self._past.subscribed(now_ns)

    def _move(self, now_ns: int) -> list[str]:
        """The window around spot, where it has to move or the connection has none yet."""
        contracts, market_ns = self._catalogue.contracts, self._lag.market(now_ns)
        parity = self._parity.spot(contracts, self._board.mid, market_ns)
        if parity > 0.0:
            self._spot = parity
        if self._spot > 0.0:
            self._window.update(contracts, self._spot, market_ns)
        choice = self._window.choice
        if self._drawn is not None and (choice is self._drawn or choice is None):
            return []
        if choice is not None:
            wanted, text = choice.contracts.tolist(), choice.text
        else:
            # Nobody says where spot is. The nearest expiry, once quoted, will.
            wanted = spread_out(contracts, MOST_QUOTES, market_ns)
            text = f"{len(wanted):,} contracts of the nearest expiry, to find out where spot is"
        if not wanted:
            return []
        self._drawn = choice or contracts
        symbols = [self._catalogue.symbols[index] for index in wanted]
        asked = self._subscriptions
        frames = asked.move_quotes(symbols, asked.quotes.difference(symbols))
        self.account.quoted, self.account.window = len(asked.quotes), text
        return frames
