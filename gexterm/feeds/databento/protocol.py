"""A session with Databento's live gateway for OPRA.

Asked for before the stream begins, since replay is had only then:

    definition   parents, from as far back as there is     contracts (so do symbol mappings)
    statistics   parents, from as far back as there is     open interest of the morning
    cbbo-1m      parents, from five minutes ago            quotes of the whole chain
    tcbbo        parents, from where prints are missing    prints with the quote before them

and after it, as spot is known: cbbo-1s for the window, by symbol. What is asked for stays:
the window only grows, until it is so large that the connection is made anew. (The venue
takes symbols back since November 2026; how that is written, its pages did not say.)

The venue waits for a slow reader of prints, skips quotes, and says so.
"""

from __future__ import annotations

import math

import databento_dbn as dbn
import numpy as np

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError
from gexterm.feeds.databento import handshake, records
from gexterm.feeds.databento.gather import Gathering
from gexterm.feeds.databento.listing import Listing, agrees
from gexterm.feeds.databento.middle import Middle
from gexterm.feeds.databento.records import Run
from gexterm.feeds.databento.tape import OVERLAP_NS
from gexterm.feeds.protocol import BaseProtocol, Outgoing
from gexterm.feeds.retry import PassingError, Retry, Stop
from gexterm.feeds.secrets import Secret, redactor
from gexterm.feeds.venue import FeedOptions
from gexterm.feeds.window import Window
from gexterm.market import calendar
from gexterm.market.events import Event, OpenInterest, Quotes, SourceInfo, Trades
from gexterm.market.roots import is_index, printable

DATASET = "OPRA.PILLAR"
MOST = 2_000
"""Contracts quoted each second, unless the user wants fewer."""
_BOUND = 4 * MOST
"""So many on one connection, and it is made anew: nothing can be taken back."""
_PARENTS = ("definition", "statistics", "cbbo-1m", "tcbbo")
_WINDOW_SCHEMA = "cbbo-1s"
_QUOTES = (records.CBBO_1S, records.CBBO_1M)
_DAY_NS = 24 * 3600 * NS
_MARGIN_NS = 60 * NS
_QUOTES_BACK_NS = 300 * NS
_LONGEST_HEADER = 1 << 20
_SHOWN = 160
NOTE = (
    "no trade conditions: package legs, late and cancelled prints are taken for others; "
    "no price of the underlying: forwards from parity"
)


class DatabentoProtocol(BaseProtocol):
    """OPRA of one underlying, live."""

    name = "Databento"
    lossless = False

    def __init__(
        self, underlying: str, roots: tuple[str, ...], key: Secret, url: str, options: FeedOptions
    ) -> None:
        super().__init__()
        self._underlying = underlying
        self._parents = [f"{root}.OPT" for root in roots]
        self._key = key
        self._url = url
        self._options = options
        self._listing = Listing(roots)
        self._gathering = Gathering(self._listing, self._count)
        self._middle = Middle()
        self._ready: list[Event] = [
            SourceInfo(underlying, "databento", "live", note=NOTE, conditions="opra")
        ]
        self._counts: dict[str, int] = {}
        self._slow = self._skips = 0
        self._no_replay = False
        self._begin(0)

    def _begin(self, now_ns: int) -> None:
        """What belongs to one connection."""
        self._opened = now_ns
        self._recv = now_ns
        self._login = handshake.Handshake(self._key, DATASET)
        self._header = b""
        self._decoder: dbn.DBNDecoder | None = None
        self._sizes = records.SIZES[3]
        self._framer = records.Framer()
        self._out: list[Outgoing] = []
        self._window = Window(self._options.window, MOST)
        self._asked: set[int] = set()
        self._requests = 0
        self._behind = False
        self._from_now = False
        self._said = ""

    def connect_url(self) -> str:
        """A plain stream."""
        return self._url

    def on_open(self, now_ns: int) -> list[Outgoing]:
        """Nothing to send: the venue greets first."""
        self._settle()
        self._begin(now_ns)
        self._listing.forget_ids()
        self._gathering.tape.reopen()
        self.account.steps.clear()
        self.account.admitted = False
        self.account.quoted = 0
        return []

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        """Takes in a piece of the stream; what it says comes with the next flush."""
        self._recv = recv_ns
        if not self._login.done:
            lines, rest = self._login.take(frame)
            self._out += lines
            if rest is None:
                return []
            frame = rest
            self.account.admitted = True
            self.account.steps["authenticated"] = f"session {self._login.session}"
            self._out += self._opening()
        if self._decoder is None:
            frame = self._take_header(frame)
        if frame and self._decoder is not None:
            for run in self._framer.take(frame):
                self._take(run, self._decoder)
        if len(self._asked) > _BOUND:
            raise PassingError("the window has moved far", "it is drawn anew")
        return []

    def _opening(self) -> list[Outgoing]:
        """Everything that may be replayed, then the start of the stream."""
        starts: dict[str, int | None] = {
            "definition": 0,
            "statistics": 0,
            "cbbo-1m": self._opened - _QUOTES_BACK_NS,
            "tcbbo": self._missing_since(),
        }
        if self._no_replay:
            starts = dict.fromkeys(starts)
        lines: list[Outgoing] = []
        for schema in _PARENTS:
            lines += self._request(schema, "parent", self._parents, starts[schema])
        return [*lines, handshake.START]

    def _request(
        self, schema: str, stype: str, symbols: list[str], start: int | None = None
    ) -> list[str]:
        self._requests += 1
        return handshake.subscribe_lines(schema, stype, symbols, self._requests, start)

    def _missing_since(self) -> int | None:
        """From when prints have to be replayed; says from when on they are known."""
        now, account = self._opened, self.account
        reach = min(self._options.back_fill_s * NS, _DAY_NS - _MARGIN_NS)
        earliest = now - int(reach)
        known = account.heard_from
        resume = max(known, min(self._gathering.tape.last, now) - OVERLAP_NS)
        if reach > 0 and not self._no_replay:
            if known and resume >= earliest:
                return resume
            session = calendar.session_on_or_before(calendar.et(now).date())
            start = max(calendar.session_open_ns(session), earliest)
            if start < now:
                account.heard_from = start
                self._behind = True
                account.notes["back-fill"] = (
                    f"prints since {calendar.et(start):%d %b %H:%M} New York are being fetched"
                )
                return start
        account.heard_from = now
        self._from_now = True
        return None

    def _take_header(self, data: bytes) -> bytes:
        """The head of the stream; what comes after it."""
        self._header += data
        if len(self._header) < 8:
            return b""
        size = 8 + int.from_bytes(self._header[4:8], "little")
        if self._header[:3] != b"DBN" or size > _LONGEST_HEADER:
            raise ConnectionFailedError("Databento sends no DBN after the login")
        if len(self._header) < size:
            return b""
        head, rest = self._header[:size], self._header[size:]
        decoder = dbn.DBNDecoder()
        try:
            decoder.write(head)
            (told,) = decoder.decode()
        except (dbn.DBNError, ValueError) as error:
            raise ConnectionFailedError(
                f"Databento's stream cannot be read: {printable(str(error), _SHOWN)}",
                "a newer databento-dbn may be needed",
            ) from None
        if not isinstance(told, dbn.Metadata) or told.dataset != DATASET or told.ts_out:
            raise ConnectionFailedError("Databento sends something else than was asked for")
        self._decoder, self._header = decoder, b""
        self._sizes = records.SIZES.get(head[3], {})
        return rest

    # ---- records

    def _take(self, run: Run, decoder: dbn.DBNDecoder) -> None:
        gathering, types = self._gathering, run.types
        for kind in np.flatnonzero(np.bincount(types)).tolist():
            these = types == kind
            if kind not in self._sizes:
                self._count("records of a kind nobody asked for", int(these.sum()))
            elif self._sizes[kind] != run.size:
                raise PassingError("Databento's stream made no sense", "it is asked for anew")
            elif kind == records.TCBBO:
                gathering.prints.append(run.rows(records.TOP, these))
            elif kind in _QUOTES:
                gathering.quotes.append(run.rows(records.TOP, these))
            elif kind == records.STATISTICS and run.size == records.STATISTIC.itemsize:
                gathering.statistics.append(run.rows(records.STATISTIC, these))
            elif kind in records.CONTROL:
                self._control(run.bytes_of(these), decoder)
            else:
                self._count("records of a kind nobody asked for", int(these.sum()))

    def _control(self, data: bytes, decoder: dbn.DBNDecoder) -> None:
        try:
            decoder.write(data)
            told = decoder.decode()
        except (dbn.DBNError, ValueError) as error:
            said = printable(str(error), _SHOWN)
            raise PassingError(f"Databento's stream made no sense: {said}") from None
        named: list[tuple[int, str]] = []
        for record in told:
            try:
                named += self._one(record)
            except (dbn.DBNError, ValueError):
                # Text that is no text, a code that is none.
                self._count("records that make no sense")
        if named:
            if any(self._listing.changes(*each) for each in named):
                # Rows are of the ids that held when they came, whenever the flush is.
                self._settle()
            self._ready += self._listing.map(named, self._recv)
            self.account.listed = self.account.printed = len(self._listing)
            foreign = f"symbols that are no contracts on {self._underlying}"
            self._tell("foreign", self._listing.refused, foreign)

    def _one(self, record: object) -> list[tuple[int, str]]:
        """Takes in a record; the id and symbol that it puts together, if it does."""
        if isinstance(record, dbn.SymbolMappingMsg):
            symbol = self._listing.raw(record.stype_out_symbol, record.stype_in_symbol)
            return [(record.instrument_id, symbol)]
        if isinstance(record, dbn.InstrumentDefMsg):
            return [(record.instrument_id, record.raw_symbol)] if self._define(record) else []
        if isinstance(record, dbn.StatMsg):
            rows = np.frombuffer(bytes(record), records.STATISTIC, 1)
            self._gathering.statistics.append(rows)
        elif isinstance(record, dbn.SystemMsg):
            self._system(record)
        elif isinstance(record, dbn.ErrorMsg):
            self._error(record)
        return []

    def _define(self, record: dbn.InstrumentDefMsg) -> bool:
        """Whether a definition gives an id to a contract we can trust."""
        symbol = record.raw_symbol
        contract = self._listing.contract(symbol)
        if contract is None or not agrees(
            contract, str(record.instrument_class), record.strike_price, record.expiration
        ):
            self._count("definitions that make no sense")
            return False
        self._step("definitions", "contracts are being listed")
        index = self._listing.catalogue.index.get(symbol)
        if str(record.security_update_action) == "D":
            if index is not None:
                self._listing.deleted.add(index)
            return False
        if index is not None:
            self._listing.deleted.discard(index)
        return True

    def _system(self, record: dbn.SystemMsg) -> None:
        said = _clean(record.msg)
        if record.code == dbn.SystemCode.SUBSCRIPTION_ACK:
            self._step("subscribed", said)
            # Without a replay, prints are known from now on: by the venue's clock, not ours.
            if self._from_now and abs(record.ts_event - self._opened) < _DAY_NS:
                self.account.heard_from = max(self.account.heard_from, record.ts_event)
        elif record.code == dbn.SystemCode.SLOW_READER_WARNING:
            self._slow += 1
            self.account.notes["slow"] = (
                f"Databento says we read too slowly ({self._slow} times): data is late"
            )
        elif record.code == dbn.SystemCode.REPLAY_COMPLETED and "tcbbo" in record.msg:
            self._caught_up()

    def _caught_up(self) -> None:
        self._behind = False
        self.account.notes.pop("back-fill", None)

    def _error(self, record: dbn.ErrorMsg) -> None:
        """An error of the venue's: one to be told, one that ends the connection, or all."""
        said, code, codes = _clean(record.err), record.code, dbn.ErrorCode
        if code in (codes.AUTH_FAILED, codes.API_KEY_DEACTIVATED):
            raise ConnectionFailedError(f"Databento refuses: {said}", "check the key")
        if code == codes.INVALID_SUBSCRIPTION:
            raise ConnectionFailedError(
                f"Databento refuses what was asked for: {said}",
                "check that the plan has live OPRA.PILLAR, and this machine's clock",
            )
        if code == codes.CONNECTION_LIMIT_EXCEEDED:
            raise PassingError(f"Databento: {said}", "close other sessions of this account", 30.0)
        if code == codes.REPLAY_DATA_AGED_OUT:
            self._no_replay = True
            raise PassingError(f"Databento: {said}", "the next try asks for no replay")
        if code == codes.INTERNAL_ERROR:
            raise PassingError(f"Databento: {said}")
        if code == codes.SKIPPED_RECORDS_AFTER_SLOW_READING:
            self._skips += 1
            self.account.notes["skipped"] = (
                f"Databento skipped quotes, since we read too slowly ({self._skips} times); "
                "prints are never skipped"
            )
        else:
            self.account.notes["error"] = f"Databento says {said}"
            if code != codes.SYMBOL_RESOLUTION_FAILED:
                self._said = said

    # ---- events

    def flush(self) -> list[Event]:
        """What was gathered since the last time."""
        self._settle()
        ready, self._ready = self._ready, []
        return ready

    def _settle(self) -> None:
        """Makes events of the rows that wait, by the ids that hold now."""
        for event in self._gathering.settle(self._recv):
            self._ready.append(event)
            if isinstance(event, OpenInterest):
                self._step("open interest", f"of {len(event.contract):,} contracts and more")
            elif isinstance(event, Quotes):
                self._step("first quote", "")
            elif isinstance(event, Trades):
                self._step("first print", "")
                self.account.refilled += int((event.ts < self._opened).sum())
                if self._behind and int(event.ts.max()) >= self._opened:
                    self._caught_up()

    # ---- time

    def outgoing(self) -> list[Outgoing]:
        """Lines of the login, and what is asked for after it."""
        out, self._out = self._out, []
        return out

    def on_timer(self, now_ns: int) -> list[Outgoing]:
        """Draws the window; asks for what is new in it."""
        if self._decoder is None:
            return []
        catalogue, mid = self._listing.catalogue, self._gathering.mid
        spot = self._middle.spot(catalogue.contracts[: len(mid)], mid, now_ns)
        change = self._window.update(catalogue.contracts, spot, now_ns)
        if change is None:
            return []
        new = [c for c in change.add if c not in self._asked and c not in self._listing.deleted]
        self._asked.update(new)
        self.account.quoted = len(self._asked)
        self.account.window = f"{change.choice.text}; the others each minute"
        symbols = [catalogue.symbols[c] for c in new]
        return [*self._request(_WINDOW_SCHEMA, "raw_symbol", symbols)] if symbols else []

    def quiet_s(self, now_ns: int) -> float:
        """In the session something is quoted every second, of a single stock every minute."""
        date = calendar.et(now_ns).date()
        if not calendar.is_session(date):
            return math.inf
        if not calendar.session_open_ns(date) <= now_ns < calendar.session_close_ns(date):
            return math.inf
        return 30.0 if is_index(self._underlying) else 150.0

    def dead_s(self) -> float:
        """Two heartbeats missed, and then some."""
        return 2.5 * handshake.HEARTBEAT_S

    def closed(self, verdict: Retry | Stop, now_ns: int) -> Retry | Stop:
        """If the venue said why before it hung up, that is why."""
        if self._said and isinstance(verdict, Retry):
            return Retry(f"Databento: {self._said}", verdict.wait_s, verdict.hint)
        return verdict

    # ---- the account

    def _step(self, name: str, said: str) -> None:
        if name not in self.account.steps:
            self.account.steps[name] = said

    def _count(self, what: str, n: int = 1) -> None:
        if n:
            self._counts[what] = self._counts.get(what, 0) + n
            self._tell(what, self._counts[what], what)

    def _tell(self, key: str, n: int, what: str) -> None:
        if n:
            self.account.notes[key] = f"{n:,} {what}"


def _clean(said: str) -> str:
    return printable(redactor.text(said), _SHOWN)
