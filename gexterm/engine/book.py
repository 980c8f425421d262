"""A priced chain under one sign view: what every section of a Reading starts from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.conventions import Basis, Convention, positions
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
    convention: Convention
    """The chosen sign view."""
    weight: F64
    """Open interest or volume. Shape (2, n)."""
    basis: Basis
    """Which of the two."""
    held: F64
    """Dealer contracts. Shape (2, n)."""
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
    convention: Convention,
    weight: F64,
    basis: Basis,
    scope: Mask | None,
    zero: ZeroDteExpiry,
    index: StrikeIndex,
) -> Book:
    """Apply a sign view to a priced chain."""
    held = positions(convention, weight)
    exposures = row_exposures(surface, held, zero.scope)
    return Book(
        rows=rows,
        surface=surface,
        convention=convention,
        weight=weight,
        basis=basis,
        held=held,
        scope=scope,
        zero=zero,
        exposures=exposures,
        index=index,
        strikes=by_strike(exposures, index),
    )


def mix_of(convention: Convention) -> tuple[float, float]:
    """How the calls' and the puts' book add up under a convention."""
    return (float(convention.call_sign), float(convention.put_sign))
