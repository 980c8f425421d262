"""DXLink as a feed: the chain over HTTP, quotes and prints of a window of it over the websocket.

    feed      Quote (conflated), Trade, Summary of the underlying and the contracts quoted
    tape      TimeAndSale, a STREAM without conflation, of every contract ever quoted
    history   TimeAndSale from the open on, while there is something to be fetched

The window is drawn around the underlying's price and moves with it. Quotes of contracts
that leave it are given back; their prints go on being heard, since a print missed is a
position not known.

TimeAndSale need not be delivered to an account. Where trades are seen and no print comes,
that is said, and volume is all there is: a Trade is a snapshot, and prints made of
snapshots would be too few.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError
from gexterm.feeds.catalogue import Catalogue
from gexterm.feeds.dxlink.compact import FIELDS, PRINT, QUOTE, SUMMARY, TRADE, Values, number
from gexterm.feeds.dxlink.history import BackFill
from gexterm.feeds.dxlink.prints import Prints
from gexterm.feeds.dxlink.quotes import QuoteBook
from gexterm.feeds.dxlink.session import FEED, HISTORY, TAPE, Message, Session, read_message
from gexterm.feeds.dxlink.spot import Spot
from gexterm.feeds.dxlink.subscriptions import Operation, Subscriptions, entry
from gexterm.feeds.dxlink.tastytrade import CHAIN, LOGIN, TOKEN, Listed, Tastytrade
from gexterm.feeds.protocol import Answer, BaseProtocol, Outgoing, Request
from gexterm.feeds.retry import PassingError, Retry, Stop
from gexterm.feeds.venue import FeedOptions, checked_url
from gexterm.feeds.window import Change, Window
from gexterm.market import calendar
from gexterm.market.events import (
    Definitions,
    Event,
    OpenInterest,
    SourceInfo,
    Volume,
)
from gexterm.market.roots import is_index
from gexterm.market.settlement import expiry_of

MOST = 1200
"""Most contracts quoted: what a retail connection has been seen to bear is not much more."""
MOST_TAPE = 4 * MOST
"""Most contracts whose prints are heard."""
QUIET_S = 20.0
DEAD_S = 75.0
_LOGIN_NS = 20 * NS
"""How long the server may take from the connection to the login."""
_NO_SPOT_NS = 5 * NS
_NO_TAPE_NS, _NO_TAPE_TRADES = 60 * NS, 20
_MOST_CONTRACTS = 1e12
_DEMO_DELAY_S = 900.0
_MORNING = dt.time(7)
"""New York; by then the open interest of a new day is out."""
_UNFIT = "prints unfit"


class DxlinkProtocol(BaseProtocol):
    """tastytrade's DXLink for one underlying."""

    name = "dxlink"
    answers_on_thread = True

    def __init__(self, underlying: str, rest: Tastytrade, options: FeedOptions) -> None:
        super().__init__()
        self._underlying = underlying
        self._rest = rest
        self._url = checked_url(options.url, "wss", "ws") if options.url else ""
        self._spot = Spot(index=is_index(underlying))
        self._catalogue = Catalogue()
        self._window = Window(options.window, MOST)
        self._session = Session()
        self._subscriptions = Subscriptions()
        self._book = QuoteBook()
        self._prints, self._past = Prints(), Prints()
        self._fill = BackFill(self.account, options.back_fill_s)
        self._known: Listed | None = None
        self._told = False
        self._open = False
        self._now = self._heard_at = 0
        self._requests: list[Request] = []
        self._definitions: list[Definitions] = []
        self._interest: dict[int, float] = {}
        self._interest_of: dict[int, float] = {}
        self._interest_on: dt.date | None = None
        self._volume: dict[int, float] = {}
        self._quoted: set[int] = set()
        self._taped: set[int] = set()
        self._taped_now: set[int] = set()
        self._subscribed_at = 0
        self._opened_at = 0
        self._tape_heard = False
        self._traded = 0

    def prepare(self, now_ns: int) -> list[Request]:
        """A token that is good, and today's chain."""
        return self._rest.due(now_ns)

    def connect_url(self) -> str:
        """Where tastytrade said, unless the user said otherwise."""
        return self._url or self._rest.dxlink_url

    def on_open(self, now_ns: int) -> list[Outgoing]:
        """SETUP. Everything that belongs to a connection begins anew."""
        self._now = self._opened_at = now_ns
        self._open = True
        self.account.admitted = False
        self._session.token = self._rest.quote_token
        self._subscriptions.clear()
        self._fill.lost(self._heard_at or now_ns)
        self._quoted, self._taped_now = set(), set()
        self._subscribed_at = 0
        self._traded = 0
        steps = self.account.steps
        self.account.steps = {key: steps[key] for key in ("token", "chain") if key in steps}
        hello = self._session.begin(now_ns)
        self._session.want(FEED, TAPE)
        return [hello]

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        """What cannot wait: the session's first word."""
        self._now = self._heard_at = recv_ns
        message = read_message(frame)
        if message.type == "FEED_DATA":
            self._data(message, recv_ns)
        else:
            self._session.hear(message, recv_ns)
            self._news()
        return self._first()

    def answer(self, answer: Answer) -> list[Event]:
        """Tokens and chain. A failure ends the attempt, but no connection that is in order."""
        self._now = max(self._now, answer.recv_ns)
        try:
            self._rest.answer(answer)
        except ConnectionFailedError as error:
            needed = not self._open or self._session.token_refused
            if needed and not (self._open and isinstance(error, PassingError)):
                raise
            self.account.notes["tastytrade"] = error.message
            return []
        self.account.notes.pop("tastytrade", None)
        if answer.key == TOKEN:
            self.account.steps["token"] = f"level {self._rest.level}"
            self._session.renewed(self._rest.quote_token)
        elif answer.key == LOGIN and self._open:
            self._requests += self._rest.due_again(answer.recv_ns)
        elif answer.key == CHAIN:
            self._listed(answer.recv_ns)
        return self._first()

    def outgoing(self) -> list[Outgoing]:
        """Replies, subscriptions that may go out by now, and requests."""
        out: list[Outgoing] = [
            *self._session.take(),
            *self._subscriptions.frames(self._session.numbers()),
        ]
        out += self._requests
        self._requests = []
        return out

    def flush(self) -> list[Event]:
        """Open interest, volume, quotes, prints, the underlying's price."""
        if not self._told and not self._rest.level:
            return []
        events: list[Event] = [*self._first(), *self._definitions]
        self._definitions = []
        if self._interest and not self._before_morning():
            at, values = _columns(self._interest)
            events.append(OpenInterest(at, values, self._now, self._now))
            self._interest_of.update(self._interest)
            self._interest = {}
        if self._volume:
            at, values = _columns(self._volume)
            events.append(Volume(at, values, self._now, self._now))
            self._volume = {}
        quotes, spot = self._book.flush(self._catalogue.index, self._underlying)
        if spot:
            self._spot.quote(spot[0], spot[1], int(spot[2]))
        if quotes and "first quote" not in self.account.steps:
            self.account.steps["first quote"] = f"{len(quotes[0].ts)} contracts"
        events += quotes
        past = self._past.flush()
        self.account.refilled += sum(len(trades.ts) for trades in past)
        events += past
        prints = self._prints.flush()
        if prints and "first print" not in self.account.steps:
            self.account.steps["first print"] = f"{len(prints[0].ts)} prints"
        events += prints
        events += self._spot.flush(self._now)
        return events

    def on_timer(self, now_ns: int) -> list[Outgoing]:
        """Keep-alives, channels to be asked for again, the window, tokens about to expire."""
        self._now = now_ns
        if self._open and not self.account.admitted and now_ns - self._opened_at >= _LOGIN_NS:
            raise PassingError(f"DXLink did not log us in for {_LOGIN_NS // NS} s")
        self._session.second(now_ns)
        self._subscriptions.second()
        self._redraw(now_ns)
        self._back_fill(now_ns)
        self._notice(now_ns)
        self._requests += self._rest.due_again(now_ns)
        return self.outgoing()

    def closed(self, verdict: Retry | Stop, now_ns: int) -> Retry | Stop:
        """A frame too long is cut in half the next time; a token it hangs up on is refused."""
        stood, self._open = self._open, False
        if not stood:
            return verdict
        # A line may have been dead long before that was noticed.
        self._fill.lost(self._heard_at or now_ns)
        if isinstance(verdict, Stop):
            return verdict
        if self._session.token_refused:
            self._rest.distrust()
        if self._session.ended():
            return Stop(
                "DXLink hangs up whenever it is shown our quote token",
                "is the account fully opened? gexterm doctor dxlink",
            )
        if verdict.reason.startswith("it hung up with code 1009"):
            shorter = self._subscriptions.shorten()
            size = f"{self._subscriptions.chunk:,} bytes"
            self.account.notes["frames"] = (
                f"subscriptions were too long for the server: {size} a frame from now on"
                if shorter
                else f"subscriptions are too long for the server, even at {size} a frame"
            )
        return verdict

    def quiet_s(self, now_ns: int) -> float:
        """Quotes are due while options trade."""
        return QUIET_S if calendar.in_session(now_ns) else math.inf

    def dead_s(self) -> float:
        """The server keeps us alive every minute at least."""
        return DEAD_S

    # What the server says

    def _first(self) -> list[Event]:
        """SourceInfo, once it is known what sort of data it will be; then definitions."""
        if self._told or not self._rest.level:
            return []
        self._told = True
        demo = self._rest.level == "demo"
        note = "demo data of tastytrade's sandbox, 15 minutes late" if demo else ""
        return [
            SourceInfo(
                underlying=self._underlying,
                feed="dxlink",
                mode="delayed" if demo else "live",
                delay_s=_DEMO_DELAY_S if demo else 0.0,
                note=note,
                conditions="dxfeed",
                venue_side="guess",
            )
        ]

    def _news(self) -> None:
        session, account = self._session, self.account
        news, session.news = session.news, []
        for what, said in news:
            if what == "error":
                account.notes["server"] = said
            elif what == "closed":
                self._channel_lost(said)
            elif what == "token refused":
                for name in (FEED, TAPE, HISTORY):
                    self._channel_lost(name)
                self._rest.distrust()
                account.notes["login"] = "the quote token was refused: another is fetched"
                self._requests += self._rest.due_again(self._now)
            elif what.startswith("lacks"):
                account.notes[what] = f"the server does not give {said}"
            else:
                account.steps[what] = said
            if what == "authorized":
                account.admitted = True
                account.notes.pop("login", None)
            if what == f"{FEED} channel":
                self._follow_underlying()

    def _channel_lost(self, name: str) -> None:
        """What was subscribed on a channel is so no longer."""
        self._subscriptions.forget(name)
        if name == HISTORY:
            self._fill.history.abandon()
            return
        self._subscribed_at = 0
        if name == FEED:
            self._quoted = set()
        else:
            self._taped_now = set()
            self._fill.lost(self._now)

    def _data(self, message: Message, recv_ns: int) -> None:
        channel = self._session.channels.get(message.channel)  # type: ignore[call-overload]
        if channel is None:
            self._session.stray(message.channel)
            return
        self._subscriptions.heard()
        for kind, values in channel.layout.decode(message.data):
            if kind == QUOTE:
                self._book.take_in(values, recv_ns)
            elif kind == PRINT:
                self._tape(channel.name, values, recv_ns)
            elif kind == TRADE:
                self._trades(values)
            elif kind == SUMMARY:
                self._summaries(values)

    def _tape(self, channel: str, values: Values, recv_ns: int) -> None:
        if channel == HISTORY:
            values, removed = self._fill.history.heard(values, recv_ns)
            self._want(HISTORY, "remove", removed)
            self._past.take_in(self._catalogue.index, values, recv_ns)
            return
        for symbol in values[:: len(FIELDS[PRINT])]:
            self._book.conflation.keep(symbol)
        came = self._prints.take_in(self._catalogue.index, values, recv_ns)
        if came:
            self._tape_heard = True
            self.account.notes.pop("tape", None)

    def _trades(self, values: Values) -> None:
        width, index = len(FIELDS[TRADE]), self._catalogue.index
        today = calendar.at_et(calendar.et(self._now).date(), dt.time())
        for symbol, price, ms, volume in zip(*[iter(values)] * width, strict=True):
            if symbol == self._underlying:
                self._spot.trade(price, ms, self._now)
                continue
            contract = index.get(symbol)
            if contract is None:
                continue
            traded, at = number(volume), number(ms)
            # A snapshot before the day's first trade still has the volume of another day.
            if 0.0 < traded <= _MOST_CONTRACTS and not at * 1e6 < today:
                self._volume[contract] = traded
            if self._subscribed_at and at * 1e6 > self._subscribed_at:
                self._traded += 1

    def _summaries(self, values: Values) -> None:
        width, index = len(FIELDS[SUMMARY]), self._catalogue.index
        for symbol, interest, close in zip(*[iter(values)] * width, strict=True):
            if symbol == self._underlying:
                self._spot.summary(close)
                continue
            contract, open_interest = index.get(symbol), number(interest)
            if contract is None or not 0.0 <= open_interest <= _MOST_CONTRACTS:
                continue
            if self._interest_of.get(contract) == open_interest:
                self._interest.pop(contract, None)
            else:
                self._interest[contract] = open_interest

    def _before_morning(self) -> bool:
        """Whether open interest is still of the day before, and was told on it.

        A Summary comes with every new high or low, by night too, and what it repeats must
        not pass for the new day's.
        """
        now = calendar.et(self._now)
        self._interest_on = self._interest_on or now.date()
        if now.time() < _MORNING and self._interest_on != now.date():
            return True
        self._interest_on = now.date()
        return False

    # What is subscribed

    def _follow_underlying(self) -> None:
        kinds = (TRADE, QUOTE, SUMMARY)
        self._want(FEED, "add", [entry(kind, self._underlying) for kind in kinds])

    def _listed(self, recv_ns: int) -> None:
        listed = self._rest.listed
        if listed is None or listed is self._known:
            return
        self._known = listed
        if not listed.contracts:
            raise ConnectionFailedError(
                f"tastytrade lists no options on {self._underlying} that gexterm can read"
            )
        self._definitions += self._catalogue.define(listed.contracts, recv_ns)
        account = self.account
        account.listed = len(self._catalogue)
        account.steps["chain"] = f"{len(listed.contracts):,} contracts"
        if listed.left_out:
            parts = [f"{count} ({why})" for why, count in list(listed.left_out.items())[:4]]
            account.notes["chain"] = f"contracts left out: {', '.join(parts)}"

    def _want(self, channel: str, operation: Operation, entries: list[str]) -> None:
        if self._session.channel(channel) is not None:
            self._subscriptions.want(channel, operation, entries)

    def _redraw(self, now_ns: int) -> None:
        """Draw the window where it is time to, and subscribe to what is not subscribed yet."""
        if self._session.channel(FEED) is None or self._session.channel(TAPE) is None:
            return
        spot = self._spot.price
        if not math.isnan(spot):
            self.account.notes.pop("spot", None)
        elif now_ns - self._opened_at > _NO_SPOT_NS:
            spot = self._spot.previous_close
            self.account.notes["spot"] = f"no price of {self._underlying} comes" + (
                f": the window is drawn around yesterday's close, {spot:,.2f}"
                if spot > 0.0
                else ", and without one no options can be chosen"
            )
        change = self._window.update(self._catalogue.contracts, spot, now_ns)
        if change is not None:
            self._moved(change)
        choice = self._window.choice
        if choice is None:
            return
        order = choice.contracts.tolist()
        self._quote([c for c in order if c not in self._quoted])
        self._listen([c for c in order if c not in self._taped_now], now_ns)
        if not self._subscribed_at and not len(self._subscriptions):
            self._subscribed_at = now_ns
            self.account.steps["subscribed"] = self.account.window
            self._fill.heard([self._catalogue.symbols[c] for c in self._taped_now], now_ns)

    def _moved(self, change: Change) -> None:
        account = self.account
        account.window = change.choice.text
        account.quoted = len(change.choice.contracts)
        gone = [c for c in change.remove if c in self._quoted]
        self._quoted.difference_update(gone)
        self._want(FEED, "remove", self._feed_entries(gone))

    def _quote(self, contracts: list[int]) -> None:
        self._quoted.update(contracts)
        self._want(FEED, "add", self._feed_entries(contracts))

    def _feed_entries(self, contracts: Iterable[int]) -> list[str]:
        symbols = self._catalogue.symbols
        return [entry(kind, symbols[c]) for c in contracts for kind in (SUMMARY, QUOTE, TRADE)]

    def _listen(self, contracts: list[int], now_ns: int) -> None:
        """Hear the prints of these and, on a connection made anew, of all that were heard."""
        earlier = sorted(self._taped - self._taped_now - set(contracts))
        ended = [c for c in earlier if self._is_over(c, now_ns)]
        self._taped.difference_update(ended)
        over = set(ended)
        new = contracts + [c for c in earlier if c not in over]
        new = new[: max(0, MOST_TAPE - len(self._taped_now))]
        if not new:
            return
        fresh = [c for c in new if c not in self._taped]
        self._taped.update(new)
        self._taped_now.update(new)
        self.account.printed = len(self._taped_now)
        symbols = self._catalogue.symbols
        self._want(TAPE, "add", [entry(PRINT, symbols[c]) for c in new])
        if self._subscribed_at and fresh:
            self._fill.joined([symbols[c] for c in fresh], now_ns)

    def _is_over(self, contract: int, now_ns: int) -> bool:
        each = self._catalogue.contracts[contract]
        return expiry_of(each.root, each.expiry).trades_until <= now_ns

    def _back_fill(self, now_ns: int) -> None:
        """Ask for prints of the past, and give the channel back when they have come."""
        fill = self._fill
        if not fill.under_way or not self._subscribed_at:
            return
        self._session.want(HISTORY)
        opened = self._session.channel(HISTORY) is not None
        added, removed = fill.due(now_ns, opened=opened)
        self._want(HISTORY, "remove", removed)
        self._want(HISTORY, "add", added)
        if not len(self._subscriptions) and fill.settle():
            self._session.drop(HISTORY)

    def _notice(self, now_ns: int) -> None:
        """Say what does not come."""
        notes = self.account.notes
        waited = self._subscribed_at and now_ns - self._subscribed_at > _NO_TAPE_NS
        if waited and not self._tape_heard and self._traded >= _NO_TAPE_TRADES:
            notes["tape"] = (
                "time and sale is not delivered on this account: options trade, and no print"
                " comes; volume is known, the flow is not"
            )
        if refused := self._prints.refused + self._past.refused:
            notes[_UNFIT] = f"{refused} prints without a usable price or size left out"
        if self._book.refused:
            notes["quotes unfit"] = f"{self._book.refused} quotes with impossible prices left out"
        if self._prints.odd:
            told = [f"{what}: {often}" for what, often in list(self._prints.odd.items())[:4]]
            notes["conditions"] = f"prints counted and not signed ({'; '.join(told)})"
        if self._session.period_s > 1.0:
            notes["period"] = f"the server conflates quotes over {self._session.period_s:g} s"


def _columns(values: dict[int, float]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    return np.array(list(values), np.int32), np.array(list(values.values()), np.float64)
