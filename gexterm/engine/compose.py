"""From a priced chain and sign views to a Reading: every section, in one order.

A tick and a supposition go through here alike, so that a what-if is read by the same
rules as the market. Only `memory` changes; whoever must not leave a trace hands in a copy.
"""

from __future__ import annotations

from dataclasses import dataclass

from gexterm.dealers.conventions import single_name_warning, size_warning
from gexterm.dealers.flow import Flow
from gexterm.dealers.prior import Prior
from gexterm.engine.book import Book, assemble
from gexterm.engine.compute import (
    TermInputs,
    agreement_section,
    book_section,
    errors,
    gamma_section,
    hedging_section,
    one_sigma,
    regime_section,
)
from gexterm.engine.frames import expiry_lines, strike_frame
from gexterm.engine.inferred import positions_section
from gexterm.engine.memory import Memory
from gexterm.engine.today import read_today, zero_dte_section
from gexterm.engine.views import ViewSet
from gexterm.exposure.profile import Repricing
from gexterm.exposure.scope import Mask, ZeroDteExpiry
from gexterm.exposure.strikes import StrikeIndex
from gexterm.market.chain import Rows
from gexterm.market.events import SourceInfo
from gexterm.market.roots import is_index
from gexterm.pricing.surface import Surface
from gexterm.reading import model


@dataclass(frozen=True, eq=False, slots=True)
class Parts:
    """What a Reading is composed of. Nobody writes to what is in it."""

    info: SourceInfo
    """Where it comes from."""
    rows: Rows
    """The chain as it stood."""
    surface: Surface
    """Its forwards, smiles and greeks."""
    views: ViewSet
    """Every sign view, the chosen one among them."""
    flow: Flow | None
    """What the signed tape adds up to; None without a tape."""
    before: Prior | None
    """What stood before today's trades; None without a tape."""
    scope_name: str
    """Which expiries, in a word or as a date."""
    scope: Mask | None
    """The expiries; None: all. Shape (E,)."""
    zero: ZeroDteExpiry
    """Today's expiry."""
    index: StrikeIndex
    """Strikes of the scope."""
    zero_index: StrikeIndex
    """Strikes of today's expiry."""
    term: TermInputs
    """Skew and variance indices."""
    repricing: Repricing
    """How volatility moves along the profile."""

    def book(self) -> Book:
        """The priced chain under the chosen sign view."""
        return assemble(self.rows, self.surface, self.views, self.scope, self.zero, self.index)


@dataclass(frozen=True, eq=False, slots=True)
class Last:
    """The newest tick, kept for whoever asks more of it than its Reading says."""

    parts: Parts
    """What it was composed of."""
    memory: Memory
    """What was remembered after it: a copy, not to be changed."""
    reading: model.Reading
    """What came of it."""


def compose(parts: Parts, memory: Memory, health: model.Health) -> tuple[model.Reading, Book]:
    """The Reading of these parts, and the book it was read from.

    What adds up over a session (hedge flow, look-back, the opening price, the number of
    the Reading) is not in it.
    """
    book = parts.book()
    sure = errors(book, memory)
    today = read_today(book, memory)
    term = parts.term
    sigma = one_sigma(book, today, term)
    gamma, total, profile, spread = gamma_section(book, sigma, parts.repricing, memory)
    info = parts.info
    reading = model.Reading(
        underlying=info.underlying,
        as_of=parts.rows.as_of,
        spot=parts.surface.spot,
        scope=parts.scope_name,
        source=model.Source(info.feed, info.mode, info.delay_s, info.note),
        positions=positions_section(
            book, parts.flow, parts.before, _position_warning(info.underlying, book)
        ),
        gamma=gamma,
        book=book_section(book, memory, sure),
        zero_dte=zero_dte_section(book, today, memory, sure.today if sure else None),
        regime=regime_section(book, gamma, total, today, term, parts.scope_name, memory),
        hedging=hedging_section(book, total, sure),
        agreement=agreement_section(book, gamma, profile, spread, today),
        expiries=expiry_lines(book),
        strikes=strike_frame(book, parts.zero_index, sure.strikes if sure else None),
        health=health,
    )
    return reading, book


def _position_warning(underlying: str, book: Book) -> str:
    if book.view.convention is None:
        return ""
    single = "" if is_index(underlying) else single_name_warning(underlying)
    return "; ".join(text for text in (single, size_warning(book.views.basis)) if text)
