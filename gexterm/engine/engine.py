"""Events in, Readings out.

`Engine` holds the chain and takes events; `job` freezes everything a tick needs, and
`compute` turns a job into a Reading. A job can be computed on another thread while
the chain takes further events; jobs of one engine are computed one at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.dealers.conventions import (
    CONVENTIONS,
    Basis,
    choose_basis,
    positions,
    single_name_warning,
    size_warning,
)
from gexterm.engine.book import assemble, choose_scope, session_date
from gexterm.engine.compute import (
    TermInputs,
    agreement_section,
    book_section,
    gamma_section,
    hedging_section,
    one_sigma,
    regime_section,
    term_inputs,
)
from gexterm.engine.frames import expiry_lines, strike_frame
from gexterm.engine.health import FeedCounts, health_section
from gexterm.engine.history import Moment
from gexterm.engine.memory import Memory
from gexterm.engine.settings import EngineSettings
from gexterm.engine.today import read_today, zero_dte_section
from gexterm.exposure.scope import Mask, zero_dte
from gexterm.exposure.strikes import StrikeIndex
from gexterm.market.calendar import is_session, session_open_ns
from gexterm.market.chain import Chain, Layout, Rows
from gexterm.market.events import Event, SourceInfo
from gexterm.market.roots import is_index
from gexterm.market.settlement import expiry_of
from gexterm.pricing.chain import Pricer
from gexterm.pricing.surface import Surface
from gexterm.reading import model

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


class Engine:
    """One underlying's session."""

    def __init__(self, settings: EngineSettings, timer: Callable[[], float] | None = None) -> None:
        self.settings = settings
        """Choices; replace them between ticks."""
        self.info: SourceInfo | None = None
        """What is being listened to, once known."""
        self.chain = Chain(expiry_of)
        """The market's state."""
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

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, SourceInfo):
            self.info = event
        else:
            self.chain.apply(event)

    def job(self, as_of: int, counts: FeedCounts | None = None) -> Job | None:
        """Freeze what a tick at `as_of` needs; None while there is nothing to compute with."""
        if self.info is None or len(self.chain) == 0:
            return None
        return Job(self.chain.rows(as_of), self.info, self.settings, counts or FeedCounts())

    def compute(self, job: Job) -> model.Reading:
        """One Reading. Not to be called twice at once."""
        begin = self._timer() if self._timer else NAN
        rows, settings = job.rows, job.settings
        memory = self._remember(rows)
        surface, quotes = self._pricer.price(rows)
        zero = zero_dte(rows.layout, rows.as_of, session_date(rows.as_of))
        weight, basis = _basis(rows, settings.basis)
        scope_name, scope = choose_scope(settings.scope, rows, zero)
        convention = CONVENTIONS.get(settings.view, CONVENTIONS[settings.convention])
        index = self._index(rows.layout, scope_name, scope)
        book = assemble(rows, surface, convention, weight, basis, scope, zero, index)

        today = read_today(book, memory)
        term = self._term_inputs(rows, surface)
        sigma = one_sigma(book, today, term)
        gamma, total, profile = gamma_section(book, sigma, settings.repricing)
        whole = book_section(book, memory)
        zero_section = zero_dte_section(book, today, memory)
        if np.isnan(memory.spot_open):
            memory.spot_open = surface.spot
            memory.spot_open_at = 0 if _near_open(rows.as_of) else rows.as_of
        memory.history.keep(Moment(rows.as_of, surface, weight, zero.scope))
        strikes = strike_frame(book, self._index(rows.layout, "0dte", zero.scope))
        look_back = memory.history.look_back(
            rows.as_of,
            index.strike,
            (convention.name, basis, scope_name),
            lambda then: then.zero if scope_name == "0dte" else _same(scope, rows.layout, then),
            lambda then: positions(convention, then),
        )
        self._sequence += 1
        reading = model.Reading(
            underlying=job.info.underlying,
            as_of=rows.as_of,
            spot=surface.spot,
            scope=scope_name,
            source=_source(job.info),
            positions=model.Positions(
                view=convention.name,
                basis=basis,
                warning=_position_warning(job.info.underlying, basis),
            ),
            gamma=gamma,
            book=whole,
            zero_dte=zero_section,
            regime=regime_section(book, gamma, total, today, term, scope_name, memory),
            hedging=hedging_section(book, total),
            agreement=agreement_section(book, gamma, total, profile, today),
            expiries=expiry_lines(book),
            strikes=strikes,
            health=health_section(rows, surface, quotes, job.counts, basis, scope_name, scope),
            look_back=look_back,
            spot_open=memory.spot_open,
            spot_open_at=memory.spot_open_at,
            sequence=self._sequence,
        )
        if self._timer:
            took = (self._timer() - begin) * 1e3
            reading = replace(reading, health=replace(reading.health, tick_ms=took))
        return reading

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


def _basis(rows: Rows, basis: str) -> tuple[F64, Basis]:
    nothing = np.full_like(rows.volume, np.nan)
    if basis == "open-interest":
        return choose_basis(rows.open_interest, nothing)
    if basis == "volume":
        return choose_basis(nothing, rows.volume)
    return choose_basis(rows.open_interest, rows.volume)


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


def _source(info: SourceInfo) -> model.Source:
    return model.Source(info.feed, info.mode, info.delay_s, info.note)


def _position_warning(underlying: str, basis: Basis) -> str:
    single = "" if is_index(underlying) else single_name_warning(underlying)
    return "; ".join(text for text in (single, size_warning(basis)) if text)
