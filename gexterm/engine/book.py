"""A priced chain under one sign view: what every section of a Reading starts from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.engine.views import SignView, ViewSet
from gexterm.exposure.scope import Mask, ZeroDteExpiry
from gexterm.exposure.strikes import Exposures, StrikeIndex, by_strike, row_exposures
from gexterm.market.calendar import et
from gexterm.market.chain import Rows
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Book:
    """A priced chain under one sign view: what every section starts from."""

    rows: Rows
    """The chain."""
    surface: Surface
    """Its greeks."""
    views: ViewSet
    """Every sign view."""
    held: F64
    """Dealer contracts under the chosen one. Shape (2, n)."""
    scope: Mask | None
    """Chosen expiries; None: all."""
    zero: ZeroDteExpiry
    """Today's expiry."""
    exposures: Exposures
    """By row."""
    index: StrikeIndex
    """Strikes of the scope."""
    strikes: Exposures
    """By strike of the scope."""
    about: tuple[Hashable, ...]
    """What the errors of a tick belong to: rows, scope, sign view and which views are known."""

    @property
    def view(self) -> SignView:
        """The chosen sign view."""
        return self.views.chosen

    @property
    def basis(self) -> str:
        """What the chosen view's positions are made of."""
        return self.views.basis if self.view.convention else "trades"


def session_date(as_of: int) -> dt.date:
    """The date in New York: what 0DTE means."""
    return et(as_of).date()


def choose_scope(scope: str, rows: Rows, zero: ZeroDteExpiry) -> tuple[str, Mask | None]:
    """The scope's name and its expiries. `auto` is today's while it lives, else all."""
    if scope == "auto":
        scope = "0dte" if zero and not zero.settled else "all"
    if scope == "all":
        return scope, None
    if scope == "0dte":
        return scope, zero.scope
    date = dt.date.fromisoformat(scope)
    return scope, np.array([e.date == date for e in rows.layout.expiries], np.bool_)


def assemble(
    rows: Rows,
    surface: Surface,
    views: ViewSet,
    scope: Mask | None,
    zero: ZeroDteExpiry,
    index: StrikeIndex,
) -> Book:
    """Apply a sign view to a priced chain."""
    held = views.chosen.held
    which = None if scope is None else scope.tobytes()
    known = tuple((v.name, bool(np.isfinite(v.held).any())) for v in views.views if v.belief)
    exposures = row_exposures(surface, held, zero.scope)
    return Book(
        rows=rows,
        surface=surface,
        views=views,
        held=held,
        scope=scope,
        zero=zero,
        exposures=exposures,
        index=index,
        strikes=by_strike(exposures, index),
        about=(
            rows.layout,
            which,
            zero.scope.tobytes(),
            views.chosen.name,
            known,
            len(views.books),
        ),
    )
