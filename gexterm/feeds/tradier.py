"""Tradier: quotes and prints over a websocket, the chain over HTTP. One venue, one file.

    POST {api}/v1/markets/events/session               a session, good for five minutes
    GET  {api}/v1/markets/options/expirations          dates of all roots
    GET  {api}/v1/markets/options/chains               one date: quotes, open interest
    GET  {api}/v1/markets/quotes                       the underlying
    wss  {stream}/v1/markets/events                    then one message of ours, repeated
         with other symbols whenever the window moves: it replaces what was asked before

Numbers come as numbers or as strings, times as milliseconds in strings, and a list of one
as no list. `trade` and `timesale` tell of the same print: only `timesale` is asked for, for
it has bid and offer at the print and a number. The seconds of a quote's time are often
whole: such a time is taken for that second, not for its beginning.

Source: documentation.tradier.com and docs.tradier.com (streaming, market data). Not
documented, and treated accordingly: what `flag` holds for options (no condition is claimed),
how a cancel or correction names its print (by its number, else by price and size), how many
symbols may be asked for (500 here), whether index values stream (they are polled as well).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec
import numpy as np

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, InputError, UsageError
from gexterm.feeds.catalogue import Catalogue
from gexterm.feeds.conflate import Conflation
from gexterm.feeds.protocol import Answer, BaseProtocol, Outgoing, Request
from gexterm.feeds.retry import PassingError, Retry, Stop
from gexterm.feeds.secrets import Secret, redactor
from gexterm.feeds.venue import Checked, FeedOptions, SecretSpec, Venue, checked_url
from gexterm.feeds.window import Window
from gexterm.market import calendar
from gexterm.market.contracts import Contract
from gexterm.market.events import (
    CANCEL,
    CORRECTION,
    NEW,
    Event,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
)
from gexterm.market.roots import is_index, printable, root_spec
from gexterm.market.symbols import parse_many

_API, _STREAM = "https://api.tradier.com", "wss://ws.tradier.com"
_SANDBOX_API, _SANDBOX_STREAM = "https://sandbox.tradier.com", "wss://sandbox-ws.tradier.com"
_EVENTS = "/v1/markets/events"
_CHAIN = "chain "
"""Begins the key of the request for the chain of a date."""
_MOST = 500
"""Contracts asked for; Tradier publishes no limit and watches for abuse."""
_NEAR = 2
"""Expiry dates read before connecting; the others follow, one a second."""
_SESSION_NS = 240 * NS
"""A session that was not used for so long is not used any more (they last five minutes)."""
_SPOT_NS, _WINDOW_NS, _RENEW_NS = 5 * NS, 5 * NS, 10 * NS
_OLD_SPOT_NS = 120 * NS
_LONGEST_REST_NS = 3600 * NS
_TRIES = 3
_FLAGS = 16
"""Kinds of flags that are told."""
_LISTING_HOUR = 7
"""New York; by then the open interest of a new day is out."""
_SHORT_NS = 15 * NS
_MS = 1_000_000
_LARGEST_MS, _LARGEST_SEQ = 4_102_444_800_000, 1 << 40
_HIGHEST, _MANY = 1e7, 1e9
"""No price, and no size, is above."""
_NAME = re.compile(r"[A-Z]{1,6}(?:[./][A-Z])?", re.ASCII)
_NO_CONDITIONS = "conditions of prints are not known: packages and auctions are not told apart"
_UNDONE = "how Tradier names the print they are about is not documented"
_LOGIN = "set TRADIER_TOKEN anew, or use `gexterm feeds login tradier`"
_FUNDED = "streaming needs a brokerage account with market data, and its own token"
_ONE_SESSION = (
    "Tradier allows one streaming session at a time: is another program, or another "
    "gexterm, connected with this account?"
)


class _Message(msgspec.Struct):
    """Any message of the stream."""

    type: str = ""
    symbol: str = ""
    bid: float | None = None
    ask: float | None = None
    bidsz: float | None = None
    asksz: float | None = None
    biddate: int | None = None
    askdate: int | None = None
    last: float | None = None
    size: float | None = None
    date: int | None = None
    seq: int | None = None
    flag: str | float | None = None
    cancel: bool | None = False
    correction: bool | None = False
    error: str | None = None
    recv_ns: int = 0


class _Option(msgspec.Struct):
    """One row of a chain."""

    symbol: str
    root_symbol: str | None = None
    expiration_date: str | None = None
    contract_size: float | None = None
    bid: float | None = None
    ask: float | None = None
    bidsize: float | None = None
    asksize: float | None = None
    bid_date: int | None = None
    ask_date: int | None = None
    open_interest: float | None = None


class _Quote(msgspec.Struct):
    """The underlying."""

    symbol: str = ""
    last: float | None = None
    trade_date: int | None = None


_MESSAGES = msgspec.json.Decoder(_Message, strict=False)
T = TypeVar("T")


class TradierProtocol(BaseProtocol):
    """One underlying's options, as a brokerage account sees them."""

    name = "tradier"

    def __init__(
        self, underlying: str, token: Secret, options: FeedOptions | None = None, most: int = _MOST
    ) -> None:
        """Raises UsageError where the underlying or an address is none."""
        super().__init__()
        options = options or FeedOptions()
        name = underlying.upper()
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{printable(underlying)} is no underlying", "one looks like SPX or SPY"
            )
        plain = name.replace(".", "").replace("/", "")
        spec = root_spec(plain)
        if spec.kind == "crypto":
            raise UsageError(f"Tradier has no options on {plain}", "one looks like SPX or SPY")
        self._owner = spec.underlying
        self._asked_as = self._owner if plain == name else name.replace(".", "/")
        self._delay_ns = 900 * NS if options.demo else 0
        default = _SANDBOX_API if options.demo else _API
        self._api = checked_url(options.rest_url or default, "https", "http")
        stream = checked_url(
            options.url or (_SANDBOX_STREAM if options.demo else _STREAM), "wss", "ws"
        )
        self._stream = stream if stream.endswith(_EVENTS) else stream + _EVENTS
        self._demo = options.demo
        self._headers: Mapping[str, str | Secret] = {
            "Accept": "application/json",
            "Authorization": Secret(f"Bearer {token.reveal()}"),
        }
        self._catalogue = Catalogue()
        # No limit is published: whoever names a number gets it.
        self._window = Window(options.window, options.window.most or most)
        self._conflation: Conflation[_Message] = Conflation()
        self._prints: list[_Message] = []
        self._told: list[Event] = [self._source()]
        self._out: list[Outgoing] = []
        self._under_way: set[str] = set()
        self._session: Secret | None = None
        self._session_at = self._renewed_at = 0
        self._listed_on: dt.date | None = None
        self._dates: list[str] = []
        self._failed_dates: Counter[str] = Counter()
        self._spot, self._spot_at, self._spot_asked = math.nan, 0, 0
        self._spot_event: UnderlyingPrice | None = None
        self._open = False
        self._now = self._opened_at = self._heard_at = self._drawn_at = self._resting_until = 0
        self._short_lives = self._renewals = self._undone = 0
        self._unwanted: set[str] = set()
        self._late: set[int] = set()
        self._changed = False
        self._odd: Counter[str] = Counter()
        self._flags: Counter[str] = Counter()
        self.account.notes["conditions"] = _NO_CONDITIONS

    def _source(self) -> SourceInfo:
        return SourceInfo(
            underlying=self._owner,
            feed=self.name,
            mode="delayed" if self._demo else "live",
            delay_s=self._delay_ns / NS,
            note="sides are inferred from the quote at each print; conditions are not known",
            # The numbering of which every print says "not given": there is a tape.
            conditions="opra",
        )

    # -- before and while connected ------------------------------------------------------

    def prepare(self, now_ns: int) -> list[Request]:
        """Expirations and spot, then the nearest chains, then a session."""
        self._now = now_ns
        self._under_way.clear()
        if self._listed_on != _listing_day(now_ns):
            return self._ask(self._expirations(), *([] if self._spot > 0.0 else [self._quote()]))
        if self._dates and not len(self._catalogue):
            return self._ask(*map(self._chain, self._take_dates(_NEAR)))
        if self._session is None or not 0 <= now_ns - self._session_at < _SESSION_NS:
            return self._ask(self._new_session())
        return []

    def connect_url(self) -> str:
        """The stream; the session goes into the first message, not into the address."""
        return self._stream

    def on_open(self, now_ns: int) -> list[Outgoing]:
        """Says what is wanted."""
        self._now = self._opened_at = self._heard_at = now_ns
        self._open, self._renewals, self._resting_until = True, 0, 0
        self._under_way.clear()
        self._redraw()
        return [self._subscription()]

    def on_timer(self, now_ns: int) -> list[Outgoing]:
        """Spot where the stream has none, the next chain, the window."""
        self._now = now_ns
        out: list[Outgoing] = []
        if not now_ns < self._resting_until < now_ns + _LONGEST_REST_NS:
            out += self._ask(*self._due(now_ns))
        if not 0 <= now_ns - self._drawn_at < _WINDOW_NS:
            self._changed |= self._redraw()
        if self._changed:
            out.append(self._subscription())
        return out

    def _due(self, now_ns: int) -> list[Request]:
        """What is to be read by now."""
        wanted: list[Request] = []
        if self._listed_on != _listing_day(now_ns):
            wanted.append(self._expirations())
        elif self._dates and not self._reading_chain():
            wanted += map(self._chain, self._take_dates(1))
        if not 0 <= now_ns - max(self._spot_at, self._spot_asked) < _SPOT_NS:
            self._spot_asked = now_ns
            wanted.append(self._quote())
        return wanted

    def outgoing(self) -> list[Outgoing]:
        """What answers and errors made necessary."""
        out, self._out = self._out, []
        return out

    def closed(self, verdict: Retry | Stop, now_ns: int) -> Retry | Stop:
        """A session is used once; several short lives in a row look like a second reader."""
        short = self._open and 0 <= now_ns - self._opened_at < _SHORT_NS
        self._short_lives = self._short_lives + 1 if short else 0
        self._open, self._session = False, None
        unread = [key[len(_CHAIN) :] for key in self._under_way if key.startswith(_CHAIN)]
        self._dates = sorted({*self._dates, *unread})
        self._under_way.clear()
        self._late.clear()
        self._out.clear()
        self.account.steps.clear()
        self.account.heard_from = 0
        if isinstance(verdict, Retry) and self._short_lives >= 3:
            return Retry(verdict.reason, max(verdict.wait_s, 60.0), _ONE_SESSION)
        return verdict

    def quiet_s(self, now_ns: int) -> float:
        """Half a minute while options trade."""
        at = now_ns - self._delay_ns
        if not calendar.in_session(at):
            return math.inf
        if not is_index(self._owner) and at >= calendar.session_close_ns(calendar.et(at).date()):
            return math.inf
        return 30.0

    def dead_s(self) -> float:
        """No heartbeats are described; five minutes of silence while options trade are death."""
        return 10.0 * self.quiet_s(self._now)

    # -- requests ------------------------------------------------------------------------

    def _ask(self, *wanted: Request) -> list[Request]:
        """Those of them that are not under way already."""
        new = [request for request in wanted if request.key not in self._under_way]
        self._under_way.update(request.key for request in new)
        return new

    def _get(self, key: str, path: str) -> Request:
        return Request(key, f"{self._api}/v1/markets/{path}", headers=self._headers)

    def _expirations(self) -> Request:
        path = f"options/expirations?symbol={self._asked_as}&includeAllRoots=true"
        return self._get("expirations", path)

    def _chain(self, date: str) -> Request:
        path = f"options/chains?symbol={self._asked_as}&expiration={date}&greeks=false"
        return self._get(_CHAIN + date, path)

    def _quote(self) -> Request:
        return self._get("quote", f"quotes?symbols={self._asked_as}")

    def _new_session(self) -> Request:
        url = f"{self._api}{_EVENTS}/session"
        return Request("session", url, method="POST", headers=self._headers)

    def _take_dates(self, count: int) -> list[str]:
        taken, self._dates = self._dates[:count], self._dates[count:]
        return taken

    def _reading_chain(self) -> bool:
        return any(key.startswith(_CHAIN) for key in self._under_way)

    # -- answers -------------------------------------------------------------------------

    def answer(self, answer: Answer) -> list[Event]:
        """What an answer says.

        Raises ConnectionFailedError where the account is refused or the underlying unknown,
        PassingError where nothing can be begun without this answer, now.
        """
        key = answer.key
        self._under_way.discard(key)
        if answer.failure is not None:
            return self._failed(key, answer, answer.failure.reason)
        if answer.status != 200:
            return self._failed(key, answer, f"HTTP status {answer.status}")
        try:
            said = msgspec.json.decode(answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._failed(key, answer, "the answer is no JSON")
        self.account.notes.pop(key, None)
        if key == "session":
            return self._take_session(said)
        if key == "expirations":
            return self._take_expirations(said)
        if key == "quote":
            return self._take_quote(said, answer)
        return self._take_chain(key.removeprefix(_CHAIN), said, answer.recv_ns)

    def _failed(self, key: str, answer: Answer, said: str) -> list[Event]:
        status = answer.status
        if status == 401:
            raise ConnectionFailedError("Tradier does not accept the access token (401)", _LOGIN)
        if status in (403, 404, 405) and key == "session":
            raise ConnectionFailedError(
                f"Tradier hands out no streaming session ({status})",
                "the sandbox may not stream: leave --demo out" if self._demo else _FUNDED,
            )
        if status == 403 and not self._open:
            raise ConnectionFailedError(f"Tradier refuses the {key} (403)", _FUNDED)
        wait_s = answer.retry_after_s or (60.0 if status == 429 else 10.0)
        self._resting_until = self._now + round(wait_s * NS)
        self.account.notes[key] = f"{key} could not be read: {said}"
        if key.startswith(_CHAIN):
            date = key.removeprefix(_CHAIN)
            self._failed_dates[date] += 1
            if self._failed_dates[date] < _TRIES:
                self._dates = sorted([*self._dates, date])
            else:
                self.account.notes[key] += f"; given up after {_TRIES} tries, it is missing"
        if self._open:
            return []
        raise PassingError(f"Tradier has no {key} for us: {said}", wait_s=wait_s)

    def _take_session(self, said: Any) -> list[Event]:
        found = _within(said, "stream", "sessionid")
        if not isinstance(found, str) or not 0 < len(found) <= 256:
            raise PassingError("Tradier's answer names no streaming session", wait_s=10.0)
        self._session, self._session_at = Secret(found), self._now
        self.account.steps["session"] = "handed out"
        if self._open:
            self._out.append(self._subscription())
        return []

    def _take_expirations(self, said: Any) -> list[Event]:
        found = _within(said, "expirations", "date")
        today = calendar.et(self._now).date().isoformat()
        dates = sorted({d for d in _as_list(found) if isinstance(d, str) and _is_date(d)})
        self._dates = [date for date in dates if date >= today][:200]
        if not self._dates:
            raise ConnectionFailedError(
                f"Tradier lists no options of {self._asked_as}", "check the name"
            )
        self._listed_on = _listing_day(self._now)
        self._failed_dates.clear()
        self._unwanted.clear()
        self.account.steps["expirations"] = f"{len(self._dates)}, to {self._dates[-1]}"
        return []

    def _take_quote(self, said: Any, answer: Answer) -> list[Event]:
        quote = _read(_within(said, "quotes", "quote"), _Quote)
        if quote is None or quote.symbol != self._asked_as:
            if not self._open and _within(said, "quotes", "unmatched_symbols"):
                raise ConnectionFailedError(
                    f"Tradier does not know {self._asked_as}", "check the name"
                )
            return []
        price, ts = _price(quote.last), _ns(quote.trade_date) or answer.recv_ns
        # By the server's clock: ours may be minutes off.
        now = (_server_time(answer) or answer.recv_ns) - self._delay_ns
        if price > 0.0 and now - ts > _OLD_SPOT_NS and calendar.in_session(now):
            self._spot = price
            self.account.notes["spot"] = (
                f"the value of {self._asked_as} is {(now - ts) // (60 * NS)} minutes old: "
                "taken for the window only"
            )
        else:
            self._take_spot(price, ts, answer.recv_ns)
        return []

    def _take_chain(self, date: str, said: Any, recv_ns: int) -> list[Event]:
        rows, refused = _rows(_as_list(_within(said, "options", "option")), self._owner, date)
        self._odd["rows of chains"] += refused
        defined = self._catalogue.define(((row.symbol, c) for row, c in rows), recv_ns)
        index = self._catalogue.index
        # What the stream tells is newer than any page.
        streamed = self._window.wanted if self._open else frozenset()
        at = np.array([index[row.symbol] for row, _ in rows], np.int32)
        interest = np.array([_size(row.open_interest) for row, _ in rows])
        as_of = recv_ns - self._delay_ns
        # Its volume is not told: read once a day, it is yesterday's in the morning, and at
        # noon the prints heard since would soon seem to be all there are.
        events: list[Event] = [*self._begun(), *defined]
        if known := np.isfinite(interest).nonzero()[0].tolist():
            events.append(OpenInterest(at[known], interest[known], as_of, recv_ns))
        quotes = [
            _Message(
                symbol=row.symbol,
                bid=row.bid,
                ask=row.ask,
                bidsz=row.bidsize,
                asksz=row.asksize,
                biddate=row.bid_date,
                askdate=row.ask_date,
                recv_ns=recv_ns,
            )
            for row, _ in rows
            if index[row.symbol] not in streamed and (row.bid_date or row.ask_date)
        ]
        if quotes:
            events.append(_quotes(quotes, index, recv_ns))
        events += self._silence()
        account = self.account
        account.listed = len(self._catalogue)
        account.steps["chain"] = f"{account.listed:,} contracts, {len(self._dates)} dates to come"
        return events

    # -- messages ------------------------------------------------------------------------

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        """Gathers quotes and prints; nothing cannot wait."""
        self._heard_at = recv_ns
        unread = ""
        try:
            messages = _MESSAGES.decode_lines(frame)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            messages, unread = _one_by_one(frame)
        index, newest = self._catalogue.index, self._conflation.newest
        for message in messages:
            kind, symbol = message.type, message.symbol
            if symbol in index and kind == "quote":
                message.recv_ns = recv_ns
                newest[symbol] = message
            elif symbol in index and kind == "timesale":
                message.recv_ns = recv_ns
                self._conflation.keep(symbol)
                self._prints.append(message)
            elif message.error is not None:
                self._heard_error(message.error)
            elif symbol == self._asked_as and kind in ("quote", "timesale"):
                self._stream_spot(message, recv_ns)
            elif kind not in ("trade", "tradex", "summary", "heartbeat", ""):
                self._odd["events of an unknown kind, or of contracts not asked for"] += 1
        if unread:
            raise InputError(unread)
        return []

    def _stream_spot(self, message: _Message, recv_ns: int) -> None:
        message.recv_ns = recv_ns
        bid, ask = _price(message.bid), _price(message.ask)
        if message.type == "timesale" and not (message.cancel or message.correction):
            price, ts = _price(message.last), _ns(message.date) or recv_ns
        elif message.type == "quote" and bid <= ask:  # an index has neither
            price, ts = (bid + ask) / 2, _quoted_at(message)
        else:
            return
        self._spot_at = self._now
        self._take_spot(price, ts, recv_ns)

    def _take_spot(self, price: float, ts: int, recv_ns: int) -> None:
        if price > 0.0:
            self._spot = price
            self._spot_event = UnderlyingPrice(price, ts, recv_ns)
            self.account.notes.pop("spot", None)
            self.account.steps.setdefault("spot", f"{self._asked_as} {price:,.2f}")

    def _heard_error(self, error: str) -> None:
        said = printable(redactor.text(error), 120)
        self.account.notes["error"] = f"Tradier says {said}"
        if "session" in error.lower():
            self._renew()
            return
        bad = {s for s in re.findall(r"[A-Z0-9/]{1,32}", error[:2000]) if s in self._asked_for()}
        if bad:
            self._unwanted |= bad
            self._changed = True  # the list goes out again with the next timer: there may be more

    def _renew(self) -> None:
        """The session has ended: another one, but not for ever."""
        if "session" in self._under_way or 0 <= self._now - self._renewed_at < _RENEW_NS:
            return
        self._renewed_at = self._now
        self._renewals += 1
        if self._renewals > _TRIES:
            raise PassingError("Tradier ends our session again and again", _ONE_SESSION, 60.0)
        self._out += self._ask(self._new_session())

    # -- what is asked for, what is told -------------------------------------------------

    def _redraw(self) -> bool:
        self._drawn_at = self._now
        at = self._now - self._delay_ns
        change = self._window.update(self._catalogue.contracts, self._spot, at)
        if change is not None:
            self.account.window = change.choice.text
            if self.account.heard_from:
                self._late.update(change.add)
        return change is not None

    def _asked_for(self) -> list[str]:
        names = self._catalogue.symbols
        wanted = [names[i] for i in sorted(self._window.wanted)]
        return [name for name in [self._asked_as, *wanted] if name not in self._unwanted]

    def _subscription(self) -> Outgoing:
        """Everything that is wanted from now on; what is not in it ends."""
        self._changed = False
        asked = self._asked_for()
        account = self.account
        count = len(asked) - (self._asked_as in asked)
        account.quoted = account.printed = count
        account.steps["subscribed"] = f"{count} contracts"
        if not account.heard_from and count:
            account.heard_from = self._now - self._delay_ns
        session = self._session.reveal() if self._session is not None else ""
        return msgspec.json.encode(
            {
                "symbols": asked,
                "sessionid": session,
                "filter": ["quote", "timesale"],
                "linebreak": True,
                "validOnly": True,
                "advancedDetails": True,
            }
        ).decode()

    def _begun(self) -> list[Event]:
        told, self._told = self._told, []
        return told

    def flush(self) -> list[Event]:
        """Spot, quotes, then prints."""
        events = self._begun()
        if self._spot_event is not None:
            events.append(self._spot_event)
            self._spot_event = None
        index = self._catalogue.index
        if quotes := self._conflation.take():
            events.append(_quotes(quotes, index, _recv(quotes)))
        if self._prints:
            prints, self._prints = self._prints, []
            if (trades := self._trades(prints, index)) is not None:
                events.append(trades)
        if events:
            events += self._silence()
        self._say_what_is_odd()
        return events

    def _silence(self) -> list[Event]:
        """What is read over HTTP must not make a silent stream look alive."""
        silent_s = (self._now - self._heard_at) / NS
        if not self._open or silent_s <= self.quiet_s(self._now):
            return []
        return [FeedStatus("stale", f"tradier: the stream has said nothing for {silent_s:.0f} s")]

    def _trades(self, prints: list[_Message], index: Mapping[str, int]) -> Trades | None:
        rows = [m for m in prints if _price(m.last) > 0.0 and _size(m.size) > 0.0]
        self._odd["time-and-sale events without a price or a size"] += len(prints) - len(rows)
        if not rows:
            return None
        for m in rows:
            if (flag := str(m.flag or "").strip()[:8]) and (
                flag in self._flags or len(self._flags) < _FLAGS
            ):
                self._flags[flag] += 1
        action = [CANCEL if m.cancel else CORRECTION if m.correction else NEW for m in rows]
        self._undone += sum(map(bool, action))
        ts = [_ns(m.date) or m.recv_ns for m in rows]
        return Trades.of(
            [index[m.symbol] for m in rows],
            [_price(m.last) for m in rows],
            [_size(m.size) for m in rows],
            ts,
            recv=_recv(rows),
            bid=[_bid(m.bid) for m in rows],
            ask=[_price(m.ask) for m in rows],
            sequence=[_sequence(m.seq, at) for m, at in zip(rows, ts, strict=True)],
            action=action,
        )

    def _say_what_is_odd(self) -> None:
        if said := ", ".join(f"{count:,} {what}" for what, count in self._odd.items() if count):
            self.account.notes["odd"] = f"left out: {said}"
        if self._flags:
            seen = ", ".join(f"{printable(flag)} ({n:,})" for flag, n in self._flags.items())
            self.account.notes["conditions"] = f"{_NO_CONDITIONS}; flags seen: {seen}"
        if self._undone:
            self.account.notes["undone"] = f"{self._undone:,} cancels and corrections; {_UNDONE}"
        if self._late:
            self.account.notes["late"] = (
                f"{len(self._late):,} contracts entered the window later than the others: "
                "their earlier prints are not known"
            )
        if self._unwanted:
            some = printable(", ".join(sorted(self._unwanted)), 80)
            self.account.notes["symbols"] = f"Tradier does not know {some}"
        else:
            self.account.notes.pop("symbols", None)


# -- reading what is said -----------------------------------------------------------------


def _one_by_one(frame: bytes) -> tuple[list[_Message], str]:
    """The lines that make sense, and what is wrong with the first that does not."""
    read, unread = [], ""
    for line in frame.splitlines():
        if line.strip():
            try:
                read.append(_MESSAGES.decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                unread = unread or f"a line of {len(line)} bytes: {printable(str(error), 120)}"
    return read, unread


def _within(said: Any, *path: str) -> Any:
    """What stands at a path of a JSON value; None where nothing does."""
    for name in path:
        said = said.get(name) if isinstance(said, dict) else None
    return said


def _as_list(said: Any) -> list[Any]:
    """A list of one is written without being one, an empty one as null."""
    return said if isinstance(said, list) else [] if said is None else [said]


def _read(said: Any, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(said, kind, strict=False)
    except msgspec.ValidationError:
        return None


def _rows(said: list[Any], owner: str, date: str) -> tuple[list[tuple[_Option, Contract]], int]:
    """Rows of one chain that name a plain contract of ours, and how many do not.

    A row counts only if its symbol, its root and its date agree: SPX and SPXW list the
    same strikes on the same dates and settle at different hours.
    """
    rows = [row for each in said if (row := _read(each, _Option)) is not None]
    found: dict[str, tuple[_Option, Contract]] = {}
    for row, contract in zip(rows, parse_many(row.symbol for row in rows), strict=True):
        if contract is None or contract.expiry.isoformat() != date:
            continue
        spec = root_spec(contract.root)
        if (
            spec.underlying == owner
            and spec.standard
            and row.root_symbol in (None, contract.root)
            and row.expiration_date in (None, date)
            and row.contract_size in (None, spec.multiplier)
        ):
            found[row.symbol] = (row, contract)
    return list(found.values()), len(said) - len(found)


def _recv(messages: list[_Message]) -> int:
    return max(message.recv_ns for message in messages)


def _quotes(messages: list[_Message], index: Mapping[str, int], recv_ns: int) -> Quotes:
    """Quotes as columns, by time."""
    ts = np.array([_quoted_at(m) for m in messages], np.int64)
    order = np.argsort(ts, kind="stable")
    return Quotes(
        np.array([index[m.symbol] for m in messages], np.int32)[order],
        np.array([_bid(m.bid) for m in messages])[order],
        np.array([_price(m.ask) for m in messages])[order],
        np.array([_size(m.bidsz) for m in messages])[order],
        np.array([_size(m.asksz) for m in messages])[order],
        ts[order],
        recv_ns,
    )


def _quoted_at(message: _Message) -> int:
    """When a quote was made, ns: the later side's time, or when it came where there is none."""
    said = max(_ns(message.biddate), _ns(message.askdate))
    if said and said % NS:
        return said
    # Whole seconds have lost what followed: at the latest when it came, within that second.
    return min(max(message.recv_ns, said), said + 999 * _MS) if said else message.recv_ns


def _ns(ms: int | None) -> int:
    return ms * _MS if ms is not None and 0 < ms < _LARGEST_MS else 0


def _price(value: float | None) -> float:
    return value if value is not None and 0.0 < value <= _HIGHEST else math.nan


def _bid(value: float | None) -> float:
    """A bid of zero is one."""
    return 0.0 if value == 0.0 else _price(value)


def _size(value: float | None) -> float:
    return value if value is not None and 0.0 <= value <= _MANY else math.nan


def _sequence(seq: int | None, ts: int) -> int:
    """The venue's number, told apart by day: whether it begins anew is not documented."""
    if seq is None or not 0 <= seq < _LARGEST_SEQ:
        return -1
    return ts // (86_400 * NS) * _LARGEST_SEQ + seq


def _server_time(answer: Answer) -> int:
    """What time it was at the server, ns; 0 where it does not say."""
    try:
        return calendar.ns(parsedate_to_datetime(answer.headers.get("date", "")))
    except (ValueError, TypeError, OverflowError):
        return 0


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _listing_day(now_ns: int) -> dt.date:
    """The day whose listing holds: from 07:00 New York on, when open interest is out."""
    return (calendar.et(now_ns) - dt.timedelta(hours=_LISTING_HOUR)).date()


def make(underlying: str, secrets: Mapping[str, Secret], options: FeedOptions) -> TradierProtocol:
    """The feed of one underlying."""
    token = secrets.get("token")
    if not token:
        raise UsageError("tradier needs an access token", _LOGIN)
    if options.delayed:
        raise UsageError("Tradier has no delayed service but its sandbox", "try --demo")
    return TradierProtocol(underlying, token, options)


VENUE = Venue(
    name="tradier",
    title="Tradier Brokerage",
    needs="a brokerage account and its access token",
    entitlement="market data comes with a funded account, without a fee as far as known",
    delay="none; the sandbox (--demo) 15 minutes, if it streams at all",
    carries={
        "quotes": "of the contracts in the window, times often whole seconds",
        "prints": "of the contracts in the window; each has a number, gaps cannot be proved",
        "quote at the print": "bid and offer with every print",
        "open interest": "once a day, with the chain",
        "underlying": "streamed for stocks; an index is asked for every 5 s",
    },
    underlyings="SPX and other indices, every United States stock or fund with options",
    make=make,
    secrets=(
        SecretSpec(
            "token",
            "TRADIER_TOKEN",
            "access token (Tradier's web site, API access; the sandbox has one of its own)",
        ),
    ),
    checked=Checked(
        spec="documentation.tradier.com and docs.tradier.com: streaming, market data, limits",
        frames="quote, trade, timesale, summary of equities; none of options",
        client="",
        live="",
    ),
    notes=(
        "whether prints of SPXW arrive, and what their flag says, is known second-hand only",
        _NO_CONDITIONS,
        "only valid ticks are asked for: prints that an exchange takes back may not be told",
        f"no symbol limit is published, abuse is watched for: {_MOST} contracts unless told more",
        "the official client is proprietary software: it was not used to check anything",
    ),
)
"""A broker's feed in one file."""
