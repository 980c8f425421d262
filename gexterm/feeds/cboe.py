"""Cboe's delayed quotes as a feed: one page a minute, and nothing else.

Nobody is asked until a user names this feed; then its public address is polled as
politely as can be: conditionally, compressed, once a minute at most, less often after
failures, and as late as the server asks.

What a poll is and says is in `feeds.cboe_delayed`; what many pages say together, in
`feeds.cboe_session`. There are no prints, hence no sides and no inferred book: positions
come from open interest by convention.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from gexterm.clock import NS
from gexterm.errors import ChainError, ConnectionFailedError, InputError, UsageError
from gexterm.feeds.cboe_delayed import (
    PAGE,
    PollError,
    page_url,
    read_answer,
    request,
    worth_another_try,
)
from gexterm.feeds.cboe_session import (
    SHORTEST_S,
    Session,
    market_time,
    source_info,
    stands_still,
    wait_before_next,
)
from gexterm.feeds.protocol import Answer, BaseProtocol, Outgoing
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import Checked, FeedOptions, Venue, checked_url
from gexterm.market.events import Event, FeedState, FeedStatus
from gexterm.recording.chains import ChainFile

PUBLIC = "https://cdn.cboe.com/api/global/delayed_quotes/options"
"""Where Cboe's own quote pages take their numbers from."""
_LOST_NS = 300 * NS
"""After so long without an answer, one will not come."""
_TERMS = (
    "these are Cboe's own pages, made for its visitors: whether its terms of use allow "
    "what you do is yours to check"
)
_NO_PRINTS = "no prints: positions are those of open interest, by convention, not inferred"


class CboeProtocol(BaseProtocol):
    """Asks for the page of one underlying, again and again."""

    name = "cboe"
    answers_on_thread = True

    def __init__(
        self,
        underlying: str,
        base_url: str = PUBLIC,
        interval_s: float = SHORTEST_S,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        """`jitter` yields numbers in [0, 1); without it, the time of the first poll seeds one.

        Raises UsageError where the address or the underlying is none.
        """
        super().__init__()
        self._base_url = base_url
        self._url = page_url(base_url, underlying)
        self._underlying = underlying
        self._interval_s = interval_s
        self._jitter = jitter
        self._session = Session()
        self._etag = self._last_modified = ""
        self._failures = 0
        self._wait_ns = 0
        self._due: int | None = 0
        self._asked_at: int | None = None
        self._now = self._received = self._market = 0
        self._state: FeedState = "closed"
        self._told: list[Event] = [source_info(underlying)]
        self.account.window = "every contract on the page"
        self.account.notes["prints"] = _NO_PRINTS
        if base_url == PUBLIC:
            self.account.notes["terms"] = _TERMS

    def connect_url(self) -> str:
        """There is no connection to be kept."""
        return ""

    def on_open(self, now_ns: int) -> list[Outgoing]:
        """The first page, unless one was asked for less than a minute ago."""
        self._asked_at = None
        if self._jitter is None:
            self._jitter = random.Random(now_ns).random
        if self._state == "closed":
            self._tell("connecting", "asking for the first page")
        # However it was called meanwhile: the next answer says how it is.
        self._state = "connecting"
        return self.on_timer(now_ns)

    def on_timer(self, now_ns: int) -> list[Outgoing]:
        """The next page, once it is time."""
        self._now = now_ns
        if self._state == "live":
            self._look_at_age()
        if self._asked_at is not None:
            if 0 <= now_ns - self._asked_at < _LOST_NS:
                return []
            self._asked_at = None
        if self._due is None:
            self._due = now_ns + self._wait_ns
        # A clock that was set back must not silence us until it has caught up.
        self._due = min(self._due, now_ns + self._wait_ns)
        if now_ns < self._due:
            return []
        self._asked_at = now_ns
        self._wait(0.0)  # if no answer ever comes, the next page is not asked for any sooner
        self._due = now_ns + self._wait_ns
        return [request(self._base_url, self._underlying, self._etag, self._last_modified)]

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        """There are no frames."""
        raise InputError("a feed of pages has no messages")

    def answer(self, answer: Answer) -> list[Event]:
        """What a page says. A failed poll is told and repeated, later and later.

        Raises ConnectionFailedError where another poll would end the same way.
        """
        if answer.key != PAGE:
            return []
        self._asked_at = self._due = None
        events = self.flush()
        try:
            poll = read_answer(answer, self._url, self._underlying, self._etag, self._last_modified)
        except (ConnectionFailedError, ChainError) as error:
            # A certificate that was good before is another's: a hotel's login page, say.
            broken = answer.failure is not None and self._received > 0
            if not broken and not worth_another_try(error):
                raise
            self._failed(error)
            return events + self.flush()
        self._failures = 0
        self._wait(0.0)
        # A cache may hand out an older page after a newer one.
        if poll.chain is not None and market_time(poll.chain) > self._market:
            self._etag, self._last_modified = poll.etag, poll.last_modified
            events += self._take(poll.chain, answer.recv_ns)
        self._look_at_age()
        return events + self.flush()

    def flush(self) -> list[Event]:
        """What is to be told: the source once, and the state when it changes."""
        told, self._told = self._told, []
        return told

    def _take(self, chain: ChainFile, recv_ns: int) -> list[Event]:
        self._market, self._received = market_time(chain), self._now
        events = self._session.events(chain, recv_ns)
        account = self.account
        account.listed, account.quoted = len(self._session), len(chain.contracts)
        account.steps["page"] = f"{account.quoted:,} contracts; {chain.note}"
        if chain.warnings:
            account.notes["page"] = "; ".join(chain.warnings)
        else:
            account.notes.pop("page", None)
        return events

    def _look_at_age(self) -> None:
        """Live, or stale."""
        quiet = self._now - self._received
        if stands_still(self._market, quiet):
            minutes = quiet // (60 * NS)
            self._tell("stale", f"cboe: the page has not changed for {minutes} minutes")
        else:
            self._tell("live", self.account.notes.get("page", ""))

    def _failed(self, error: ConnectionFailedError | ChainError) -> None:
        self._failures += 1
        self._wait(error.wait_s if isinstance(error, PollError) else 0.0)
        wait_s = self._wait_ns / NS
        said = f"cboe: {error.message}; next try in {wait_s:.0f} s"
        self._state = "reconnecting"
        detail: dict[str, float | str | bool] = {
            "tries": float(self._failures),
            "retry_in_s": wait_s,
        }
        self._told.append(FeedStatus("reconnecting", said, detail))

    def _wait(self, asked_s: float) -> None:
        jitter = self._jitter() if self._jitter is not None else 0.0
        wait_s = wait_before_next(self._failures, self._interval_s, asked_s, jitter)
        self._wait_ns = round(wait_s * NS)

    def _tell(self, state: FeedState, message: str) -> None:
        if state != self._state:
            self._state = state
            self._told.append(FeedStatus(state, message))


def make(underlying: str, _secrets: Mapping[str, Secret], options: FeedOptions) -> CboeProtocol:
    """The feed of one underlying. Needs no secret.

    Raises UsageError where the underlying is no name, or another service is asked for.
    """
    if options.demo:
        raise UsageError("Cboe has no test system", "leave out --demo")
    if options.delayed:
        raise UsageError("Cboe's pages are always delayed", "leave out --delayed")
    base = options.rest_url or options.url
    return CboeProtocol(underlying, checked_url(base, "https", "http") if base else PUBLIC)


VENUE = Venue(
    name="cboe",
    title="Cboe delayed quotes",
    needs="nothing",
    entitlement="public pages, free of charge",
    delay="15 minutes, one page a minute",
    carries={
        "quotes": "best bid and offer with sizes, the whole chain once a minute",
        "open interest": "yes; now and then a day late",
        "underlying": "yes, as late as the quotes",
    },
    underlyings="SPX, XSP, NDX, RUT, VIX and every United States stock or fund with options",
    make=make,
    checked=Checked(),
    notes=(
        _TERMS,
        _NO_PRINTS,
        "Cboe describes the page nowhere: it is read as the source of openbb-cboe 2.0.0 reads it; "
        "no real page was at hand, only chains of the same content in other formats",
        "no other client could be set against the fake venue: openbb-cboe hard-codes its address",
    ),
)
"""Off until asked for: naming the feed is asking."""
