"""Events in, Readings out.

`Engine` holds the chain and takes events; `job` freezes everything a tick needs, and
`compute` turns a job into a Reading. A job can be computed on another thread while
the chain takes further events; jobs of one engine are computed one at a time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.dealers.conventions import Basis, choose_basis
from gexterm.dealers.flow import Flow
from gexterm.dealers.positions import flow_belief
from gexterm.dealers.signer import Signer
from gexterm.dealers.trap import detect
from gexterm.engine.book import choose_scope, session_date
from gexterm.engine.carry import keep
from gexterm.engine.compose import Last, Parts, compose
from gexterm.engine.compute import TermInputs, term_inputs
from gexterm.engine.day import hedge_day_section, spot_vol_section
from gexterm.engine.earlier import Earlier, EarlierFlow, Span
from gexterm.engine.health import FeedCounts, health_section
from gexterm.engine.history import Moment
from gexterm.engine.inferred import Standing, rows_of
from gexterm.engine.memory import Memory
from gexterm.engine.settings import EngineSettings
from gexterm.engine.views import view_set
from gexterm.errors import SymbolError
from gexterm.exposure.scope import Mask, zero_dte
from gexterm.exposure.strikes import StrikeIndex
from gexterm.market.calendar import at_et, is_session, next_session, session_open_ns
from gexterm.market.chain import Chain, Layout, Rows
from gexterm.market.events import (
    ClockTick,
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
)
from gexterm.market.roots import root_spec
from gexterm.market.settlement import expiry_of
from gexterm.pricing.chain import Pricer, QuoteHealth
from gexterm.pricing.surface import Surface
from gexterm.reading import model
from gexterm.recording.books import Book as KeptBook
from gexterm.recording.books import as_kept

F64 = NDArray[np.float64]
NAN = float("nan")


@dataclass(frozen=True, eq=False, slots=True)
class Job:
    """Everything one tick depends on."""

    rows: Rows
    """The chain as it stood."""
    info: SourceInfo
    """Where it comes from."""
    settings: EngineSettings
    """Sign view, scope, …"""
    counts: FeedCounts
    """What the feed counted."""
    flow: Flow | None = None
    """What the signed tape adds up to; None where the feed has none."""
    given: Mapping[str, F64] = field(default_factory=dict)
    """Positions taken for granted, by name and by contract, shape (contracts,)."""
    old_interest: bool = False
    """Whether open interest is of an earlier day than the tape."""


class Engine:
    """One underlying's session."""

    def __init__(self, settings: EngineSettings, timer: Callable[[], float] | None = None) -> None:
        self.settings = settings
        """Choices; replace them between ticks."""
        self.info: SourceInfo | None = None
        """What is being listened to, once known."""
        self.chain = Chain(expiry_of)
        """The market's state."""
        self.signer: Signer | None = None
        """Signs the tape, where the feed has one."""
        self.kept: KeptBook | None = None
        """The book of an earlier session, to be carried on."""
        self.earlier: Earlier | None = None
        """What earlier sessions of the same day heard, to go on from."""
        self.given: dict[str, F64] = {}
        """Positions to be read as views of their own, by name and by contract."""
        self.day: dt.date | None = None
        """The session day of the tape, once anything has come."""
        self.last: Last | None = None
        """The newest tick, for questions beyond its Reading; None before the first."""
        self._day_ends = 0
        self._old_interest = False
        self._standing = Standing()
        self._arranged: tuple[object, int, EarlierFlow] | None = None
        self._whole: tuple[Flow, EarlierFlow, Flow] | None = None
        self._opened = False
        self._timer = timer
        self._pricer = Pricer(settings.rate)
        self._memory = Memory()
        self._indices: dict[tuple[int, str], StrikeIndex] = {}
        self._indexed: Layout | None = None
        self._term: tuple[int, TermInputs] = (0, TermInputs())
        self._sequence = 0

    def restart(self) -> None:
        """Forget the market and all memory: what follows is another stretch of time."""
        self.chain = Chain(expiry_of)
        self._pricer = Pricer(self.settings.rate)
        self._memory = Memory()
        self._term = (0, TermInputs())
        self.last = None
        self.signer = None
        self.day, self._day_ends = None, 0
        self._old_interest = False

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, SourceInfo):
            self.info = event
            self._new_signer()
            return
        if self.turns(event):
            self.turn(event)
        elif self.day is None and (at := _moment(event)):
            self._begin_day(at)
        if isinstance(event, OpenInterest):
            self._old_interest = False
        self.chain.apply(event)
        if self.signer is not None:
            self._sign(self.signer, event)

    def turns(self, event: Event) -> bool:
        """Whether the session day changes with `event`: see `turn`."""
        return 0 < self._day_ends <= _moment(event)

    def turn(self, event: Event) -> None:
        """Begin the session day of `event`. `apply` does, unless it has been done before it.

        The tape begins anew on top of the book that the old day leaves, volume is counted
        from zero, and open interest is the old day's until the new one comes. A day without
        a print leaves the book as it was. Not to be called while `compute` runs.
        """
        signer, day = self.signer, self.day
        try:
            if signer is not None and day is not None and self._flow(signer).prints:
                # Not when the last event came: a replay has others in between.
                ended = at_et(day + dt.timedelta(days=1), dt.time(0, 0)) - 1
                book = self.keep_book(ended)
                # As another would read it: a replay that begins here has it from a file.
                self.kept = None if book is None else as_kept(book)
        finally:
            self._new_signer()
            self.earlier = None
            if self.signer is not None:
                self.signer.define(len(self.chain), self.chain.contracts)
            self.chain.column("volume")[:] = np.nan
            self._old_interest = bool(np.isfinite(self.chain.column("open_interest")).any())
            self._begin_day(_moment(event))

    def _begin_day(self, at: int) -> None:
        """The session day of a time.

        It lasts to the next midnight in New York after which the market is in session: a
        weekend belongs to the Friday before it.
        """
        self.day = session_date(at)
        following = self.day + dt.timedelta(days=1)
        if self.info is None or not _never_sleeps(self.info.underlying):
            following = next_session(self.day)
        self._day_ends = at_et(following, dt.time(0, 0))

    def _new_signer(self) -> None:
        self._opened = False
        self.signer = None
        if self.info is not None and self.info.has_tape:
            self.signer = Signer(conditions=self.info.conditions, venue_side=self.info.venue_side)

    def heard(self, span: Span, gaps: int) -> Earlier | None:
        """All that was signed so far, for a later session of the day.

        `span` is when it listened, `gaps` how many prints it knows to lack. None without a tape.
        """
        if self.signer is None:
            return None
        self.signer.settle()
        flow, tape = self._flow(self.signer), self.signer.tape
        return Earlier.of(self.chain.contracts, flow, tape, self.earlier, span, gaps)

    def _before(self) -> EarlierFlow | None:
        """What earlier sessions heard, arranged for this chain."""
        if self.earlier is None:
            return None
        of, count = self.earlier, len(self.chain)
        if self._arranged is None or self._arranged[:2] != (of, count):
            self._arranged = of, count, of.arranged(self.chain.contracts)
        return self._arranged[2]

    def _flow(self, signer: Signer) -> Flow:
        """The day's flow, of earlier sessions and this one; the same object while unchanged."""
        own, before = signer.flow(), self._before()
        if before is None:
            return own
        if self._whole is None or self._whole[0] is not own or self._whole[1] is not before:
            self._whole = own, before, before.and_then(own)
        return self._whole[2]

    def _sign(self, signer: Signer, event: Event) -> None:
        """Hand the signer what it has to know."""
        if isinstance(event, Quotes | Trades) and not self._opened:
            self._opened = True
            # What is quoted before the open binds nobody. Coins never close.
            date = session_date(event.recv or int(event.ts.max(initial=0)))
            sleeps = self.info is not None and not _never_sleeps(self.info.underlying)
            if sleeps and is_session(date):
                signer.opens_at(session_open_ns(date))
        if isinstance(event, Quotes):
            signer.quotes(event)
        elif isinstance(event, Trades):
            before = self._before()
            signer.trades(event if before is None else before.unheard(event))
        elif isinstance(event, UnderlyingPrice):
            signer.spot(event.price, event.ts)
        elif isinstance(event, Definitions):
            signer.define(len(self.chain), self.chain.contracts)

    def job(self, as_of: int, counts: FeedCounts | None = None) -> Job | None:
        """Freeze what a tick at `as_of` needs; None while there is nothing to compute with."""
        if self.info is None or len(self.chain) == 0:
            return None
        flow = None
        if self.signer is not None:
            self.signer.settle(as_of)
            flow = self._flow(self.signer)
        counts = counts or FeedCounts()
        return Job(
            self.chain.rows(as_of),
            self.info,
            self.settings,
            counts if self.earlier is None else self.earlier.told(counts),
            flow,
            dict(self.given),
            self._old_interest,
        )

    def compute(self, job: Job) -> model.Reading:
        """One Reading. Not to be called twice at once."""
        begin = self._timer() if self._timer else NAN
        memory = self._remember(job.rows)
        parts, quotes = self._parts(job)
        rows, surface = parts.rows, parts.surface
        health = health_section(
            rows,
            surface,
            quotes,
            _counts(job),
            "trades" if parts.views.chosen.convention is None else parts.views.basis,
            parts.scope_name,
            parts.scope,
        )
        reading, book = compose(parts, memory, health)
        if np.isnan(memory.spot_open):
            memory.spot_open = surface.spot
            memory.spot_open_at = 0 if _near_open(rows.as_of) else rows.as_of
        self._sequence += 1
        reading = replace(
            reading,
            hedge_day=hedge_day_section(book, memory),
            spot_vol=spot_vol_section(book, memory, parts.term.iv_30d),
            look_back=_look_back(parts, memory),
            spot_open=memory.spot_open,
            spot_open_at=memory.spot_open_at,
            sequence=self._sequence,
        )
        if self._timer:
            took = (self._timer() - begin) * 1e3
            reading = replace(reading, health=replace(reading.health, tick_ms=took))
        self.last = Last(parts, memory.aside(), reading)
        return reading

    def _parts(self, job: Job) -> tuple[Parts, QuoteHealth]:
        """Price the chain and lay out the sign views; and what the quotes were worth."""
        rows, settings, flow = job.rows, job.settings, job.flow
        surface, quotes = self._pricer.price(rows)
        zero = zero_dte(rows.layout, rows.as_of, session_date(rows.as_of))
        weight, basis = _basis(rows, settings.basis)
        scope_name, scope = choose_scope(settings.scope, rows, zero)
        standing = inferred = None
        if flow is not None:
            today_rows = rows_of(rows.layout, zero.scope)
            standing = self._standing.prior(
                rows, today_rows, settings, self.kept, old_interest=job.old_interest
            )
            inferred = self._standing.views(flow, rows, today_rows, standing)
        views = view_set(
            settings.view,
            settings.convention,
            weight,
            basis,
            inferred,
            flow.prints if flow is not None else 0,
            {name: by_row(held, rows.layout) for name, held in job.given.items()},
        )
        parts = Parts(
            info=job.info,
            rows=rows,
            surface=surface,
            views=views,
            flow=flow,
            before=standing,
            scope_name=scope_name,
            scope=scope,
            zero=zero,
            index=self._index(rows.layout, scope_name, scope),
            zero_index=self._index(rows.layout, "0dte", zero.scope),
            term=self._term_inputs(rows, surface),
            repricing=settings.repricing,
        )
        return parts, quotes

    def gained(self, as_of: int) -> F64:
        """What the flow view holds, by contract, shape (contracts,); 0 without a tape."""
        out = np.zeros(len(self.chain))
        job = self.job(as_of)
        if job is None or job.flow is None:
            return out
        layout = job.rows.layout
        zero = zero_dte(layout, as_of, session_date(as_of))
        today = rows_of(layout, zero.scope)
        mean = flow_belief(job.flow, layout, today, detect(job.flow)).mean
        listed = layout.contract >= 0
        out[layout.contract[listed]] = mean[listed]
        return out

    def keep_book(self, as_of: int) -> KeptBook | None:
        """The book as the next session takes it up; None without a tape."""
        make = self.book_job(as_of)
        return make() if make else None

    def book_job(self, as_of: int) -> Callable[[], KeptBook] | None:
        """What makes `keep_book`, frozen now: to be called while `compute` does not run."""
        job = self.job(as_of)
        if job is None or job.flow is None:
            return None
        flow, contracts, day = job.flow, tuple(self.chain.contracts), self.day

        def make() -> KeptBook:
            rows = job.rows
            zero = zero_dte(rows.layout, as_of, session_date(as_of))
            today = rows_of(rows.layout, zero.scope)
            self._standing.prior(
                rows, today, self.settings, self.kept, old_interest=job.old_interest
            )
            carried = self._standing.carry
            said = carried.reconciled if carried else ""
            book = keep(job.info.underlying, contracts, rows, today, flow, carried, said)
            return replace(book, date=day) if day else book

        return make

    def _remember(self, rows: Rows) -> Memory:
        """The memory of this session day; a new day starts a new one."""
        date = session_date(rows.as_of)
        if self._memory.date != date:
            self._memory = Memory(date=date)
        return self._memory

    def _index(self, layout: Layout, name: str, scope: Mask | None) -> StrikeIndex:
        """Strike index of a scope, kept while the layout stays."""
        if self._indexed is not layout:
            self._indexed = layout
            self._indices.clear()
        key = (-1 if scope is None else hash(scope.tobytes()), name)
        if key not in self._indices:
            self._indices[key] = StrikeIndex.of(layout, scope)
        return self._indices[key]

    def _term_inputs(self, rows: Rows, surface: Surface) -> TermInputs:
        """Skew and variance indices; they move slowly and are taken anew every few seconds."""
        taken, term = self._term
        if not taken or not 0 <= rows.as_of - taken < _TERM_EVERY:
            term = term_inputs(rows, surface)
            self._term = (rows.as_of, term)
        return term


_TERM_EVERY = 5 * NS
_OPENING = 300 * NS


def _moment(event: Event) -> int:
    """When an event came, ns; 0 where it does not say. A wrong date of one row moves no day."""
    if isinstance(event, ClockTick):
        return event.ts
    if isinstance(event, Quotes | Trades):
        return event.recv or (int(event.ts.min()) if len(event.ts) else 0)
    if isinstance(event, UnderlyingPrice):
        return event.recv or event.ts
    return 0


def _never_sleeps(underlying: str) -> bool:
    """Whether its market is open every day."""
    try:
        return root_spec(underlying).kind == "crypto"
    except SymbolError:
        return False


def _counts(job: Job) -> FeedCounts:
    """What feed and tape counted, and whether open interest is behind."""
    counts = job.counts if job.flow is None else job.counts.with_tape(job.flow.counts)
    if not job.old_interest:
        return counts
    old = "open interest is of an earlier day: today's has not come yet"
    return replace(counts, warnings=(*counts.warnings, old))


def _basis(rows: Rows, basis: str) -> tuple[F64, Basis]:
    nothing = np.full_like(rows.volume, np.nan)
    if basis == "open-interest":
        return choose_basis(rows.open_interest, nothing)
    if basis == "volume":
        return choose_basis(nothing, rows.volume)
    return choose_basis(rows.open_interest, rows.volume)


def _look_back(parts: Parts, memory: Memory) -> tuple[model.LookBack, ...]:
    """Where each strike stood some minutes ago; this moment is remembered for later."""
    rows, views, scope = parts.rows, parts.views, parts.scope
    held = {view.name: view.held for view in views.views if view.convention is None}
    weight, zero = views.weight, parts.zero.scope
    memory.history.keep(Moment(rows.as_of, parts.surface, weight, zero, held))
    today = parts.scope_name == "0dte"
    return memory.history.look_back(
        rows.as_of,
        parts.index.strike,
        (views.chosen.name, views.basis, parts.scope_name),
        lambda then: then.zero if today else _same(scope, rows.layout, then),
        views.chosen.name,
    )


def _same(scope: Mask | None, layout: Layout, then: Moment) -> Mask | None:
    """A scope carried over to an earlier layout, expiry by expiry."""
    if scope is None or then.surface.layout is layout:
        return scope
    chosen = {(e.root, e.date) for e, use in zip(layout.expiries, scope, strict=True) if use}
    return np.array([(e.root, e.date) in chosen for e in then.surface.layout.expiries], np.bool_)


def _near_open(as_of: int) -> bool:
    """Whether a first price can pass for the session's opening one."""
    date = session_date(as_of)
    return is_session(date) and 0 <= as_of - session_open_ns(date) <= _OPENING


def by_row(by_contract: F64, layout: Layout) -> F64:
    """Numbers by contract, shape (contracts,), to rows, shape (2, n); NaN where not listed."""
    out = by_contract[layout.contract]
    out[layout.contract < 0] = np.nan
    return np.asarray(out, np.float64)
