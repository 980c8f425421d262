"""Tradier's market data as a protocol: what is asked, when, and what comes of the answers.

    POST {api}/v1/markets/events/session               a session, good for five minutes
    GET  {api}/v1/markets/options/expirations          dates of all roots
    GET  {api}/v1/markets/options/chains               one date: quotes, open interest
    GET  {api}/v1/markets/quotes                       the underlying
    wss  {stream}/v1/markets/events                    then one message of ours, repeated
         with other symbols whenever the window moves: it replaces what was asked before

Source: documentation.tradier.com and docs.tradier.com (streaming, market data). Not
documented, and treated accordingly: what `flag` holds for options (no condition is claimed),
how a cancel or correction names its print (by its number, else by price and size), how many
symbols may be asked for (500 here), whether index values stream (they are polled as well).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, InputError, UsageError
from gexterm.feeds.catalogue import Catalogue
from gexterm.feeds.conflate import Conflation
from gexterm.feeds.protocol import Answer, BaseProtocol, Outgoing, Request
from gexterm.feeds.retry import PassingError, Retry, Stop
from gexterm.feeds.secrets import Secret, redactor
from gexterm.feeds.tradier.listing import TRIES, Agenda, chain_rows, interest, quoted
from gexterm.feeds.tradier.messages import (
    Message,
    Quote,
    convert,
    ns_of,
    price_of,
    print_columns,
    quote_columns,
    quoted_at,
    read_lines,
    received,
    server_time,
    size_of,
    within,
)
from gexterm.feeds.venue import FeedOptions, checked_url
from gexterm.feeds.window import Window
from gexterm.market import calendar
from gexterm.market.events import Event, FeedStatus, SourceInfo, Trades, UnderlyingPrice
from gexterm.market.roots import is_index, printable, root_spec

_API, _STREAM = "https://api.tradier.com", "wss://ws.tradier.com"
_SANDBOX_API, _SANDBOX_STREAM = "https://sandbox.tradier.com", "wss://sandbox-ws.tradier.com"
_EVENTS = "/v1/markets/events"
_CHAIN = "chain "
"""Begins the key of the request for the chain of a date."""
MOST = 500
"""Contracts asked for; Tradier publishes no limit and watches for abuse."""
_NEAR = 2
"""Expiry dates read before connecting; the others follow, one a second."""
_SESSION_NS = 240 * NS
"""A session that was not used for so long is not used any more (they last five minutes)."""
_SPOT_NS, _WINDOW_NS, _RENEW_NS = 5 * NS, 5 * NS, 10 * NS
_OLD_SPOT_NS = 120 * NS
_LONGEST_REST_NS = 3600 * NS
_RENEWALS = 3
_FLAGS = 16
"""Kinds of flags that are told."""
_SHORT_NS = 15 * NS
_NAME = re.compile(r"[A-Z]{1,6}(?:[./][A-Z])?", re.ASCII)
NO_CONDITIONS = "conditions of prints are not known: packages and auctions are not told apart"
_UNDONE = "how Tradier names the print they are about is not documented"
LOGIN = "set TRADIER_TOKEN anew, or use `gexterm feeds login tradier`"
_FUNDED = "streaming needs a brokerage account with market data, and its own token"
_ONE_SESSION = (
    "Tradier allows one streaming session at a time: is another program, or another "
    "gexterm, connected with this account?"
)


class TradierProtocol(BaseProtocol):
    """One underlying's options, as a brokerage account sees them."""

    name = "tradier"

    def __init__(
        self, underlying: str, token: Secret, options: FeedOptions | None = None, most: int = MOST
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
        self._conflation: Conflation[Message] = Conflation()
        self._prints: list[Message] = []
        self._told: list[Event] = [self._source()]
        self._out: list[Outgoing] = []
        self._under_way: set[str] = set()
        self._session: Secret | None = None
        self._session_at = self._renewed_at = 0
        self._agenda = Agenda()
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
        self.account.notes["conditions"] = NO_CONDITIONS

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
        if self._agenda.is_due(now_ns):
            return self._ask(self._expirations(), *([] if self._spot > 0.0 else [self._quote()]))
        if self._agenda.dates and not len(self._catalogue):
            return self._ask(*map(self._chain, self._agenda.take(_NEAR)))
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
        if self._agenda.is_due(now_ns):
            wanted.append(self._expirations())
        elif self._agenda.dates and not self._reading_chain():
            wanted += map(self._chain, self._agenda.take(1))
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
        self._agenda.put_back(
            key.removeprefix(_CHAIN) for key in self._under_way if key.startswith(_CHAIN)
        )
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
            raise ConnectionFailedError("Tradier does not accept the access token (401)", LOGIN)
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
        if key.startswith(_CHAIN) and self._agenda.gives_up(key.removeprefix(_CHAIN)):
            self.account.notes[key] += f"; given up after {TRIES} tries, it is missing"
        if self._open:
            return []
        raise PassingError(f"Tradier has no {key} for us: {said}", wait_s=wait_s)

    def _take_session(self, said: Any) -> list[Event]:
        found = within(said, "stream", "sessionid")
        if not isinstance(found, str) or not 0 < len(found) <= 256:
            raise PassingError("Tradier's answer names no streaming session", wait_s=10.0)
        self._session, self._session_at = Secret(found), self._now
        self.account.steps["session"] = "handed out"
        if self._open:
            self._out.append(self._subscription())
        return []

    def _take_expirations(self, said: Any) -> list[Event]:
        if not self._agenda.begin(said, self._now):
            raise ConnectionFailedError(
                f"Tradier lists no options of {self._asked_as}", "check the name"
            )
        self._unwanted.clear()
        dates = self._agenda.dates
        self.account.steps["expirations"] = f"{len(dates)}, to {dates[-1]}"
        return []

    def _take_quote(self, said: Any, answer: Answer) -> list[Event]:
        quote = convert(within(said, "quotes", "quote"), Quote)
        if quote is None or quote.symbol != self._asked_as:
            if not self._open and within(said, "quotes", "unmatched_symbols"):
                raise ConnectionFailedError(
                    f"Tradier does not know {self._asked_as}", "check the name"
                )
            return []
        price, ts = price_of(quote.last), ns_of(quote.trade_date) or answer.recv_ns
        # By the server's clock: ours may be minutes off.
        now = (server_time(answer.headers) or answer.recv_ns) - self._delay_ns
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
        rows, refused = chain_rows(said, self._owner, date)
        self._odd["rows of chains"] += refused
        defined = self._catalogue.define(((row.symbol, c) for row, c in rows), recv_ns)
        index = self._catalogue.index
        # Its volume is not told: read once a day, it is yesterday's in the morning, and at
        # noon the prints heard since would soon seem to be all there are.
        events: list[Event] = [*self._begun(), *defined]
        known = interest(rows, index, recv_ns - self._delay_ns, recv_ns)
        if known is not None:
            events.append(known)
        # What the stream tells is newer than any page.
        streamed = self._window.wanted if self._open else frozenset()
        if quotes := quoted(rows, index, streamed, recv_ns):
            events.append(quote_columns(quotes, index, recv_ns))
        events += self._silence()
        account = self.account
        account.listed = len(self._catalogue)
        account.steps["chain"] = (
            f"{account.listed:,} contracts, {len(self._agenda.dates)} dates to come"
        )
        return events

    # -- messages ------------------------------------------------------------------------

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        """Gathers quotes and prints; nothing cannot wait."""
        self._heard_at = recv_ns
        messages, unread = read_lines(frame)
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

    def _stream_spot(self, message: Message, recv_ns: int) -> None:
        message.recv_ns = recv_ns
        bid, ask = price_of(message.bid), price_of(message.ask)
        if message.type == "timesale" and not (message.cancel or message.correction):
            price, ts = price_of(message.last), ns_of(message.date) or recv_ns
        elif message.type == "quote" and bid <= ask:  # an index has neither
            price, ts = (bid + ask) / 2, quoted_at(message)
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
        if self._renewals > _RENEWALS:
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
            events.append(quote_columns(quotes, index, received(quotes)))
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

    def _trades(self, prints: list[Message], index: Mapping[str, int]) -> Trades | None:
        rows = [m for m in prints if price_of(m.last) > 0.0 and size_of(m.size) > 0.0]
        self._odd["time-and-sale events without a price or a size"] += len(prints) - len(rows)
        if not rows:
            return None
        for m in rows:
            if (flag := str(m.flag or "").strip()[:8]) and (
                flag in self._flags or len(self._flags) < _FLAGS
            ):
                self._flags[flag] += 1
        self._undone += sum(bool(m.cancel or m.correction) for m in rows)
        return print_columns(rows, index)

    def _say_what_is_odd(self) -> None:
        if said := ", ".join(f"{count:,} {what}" for what, count in self._odd.items() if count):
            self.account.notes["odd"] = f"left out: {said}"
        if self._flags:
            seen = ", ".join(f"{printable(flag)} ({n:,})" for flag, n in self._flags.items())
            self.account.notes["conditions"] = f"{NO_CONDITIONS}; flags seen: {seen}"
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
