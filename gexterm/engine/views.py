"""The sign views of one tick: four conventions, and the inferred book where there is a tape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.belief import Belief
from gexterm.dealers.conventions import CONVENTIONS, Basis, Convention, positions
from gexterm.dealers.positions import PositionViews
from gexterm.exposure.scope import contracts

F64 = NDArray[np.float64]

FLOW, COMBINED = "flow", "combined"
INFERRED = (COMBINED, FLOW)
"""The views that are inferred from trades."""


@dataclass(frozen=True, eq=False, slots=True)
class SignView:
    """One way to say who holds what."""

    name: str
    """`combined`, `flow` or a convention's name."""
    held: F64
    """Dealer contracts, NaN where nothing is known. Shape (2, n)."""
    mix: tuple[float, ...]
    """How `ViewSet.books` add up to it."""
    belief: Belief | None = None
    """The uncertainty; None under a convention, whose error nobody knows."""
    convention: Convention | None = None
    """The convention, if it is one."""


@dataclass(frozen=True, eq=False, slots=True)
class ViewSet:
    """All sign views of a chain."""

    chosen: SignView
    """The one that every section but the comparison is read under."""
    views: tuple[SignView, ...]
    """All of them; the inferred ones first, where there is a tape."""
    books: F64
    """Contracts by row, calls and puts together, from which every view is mixed: combined
    and flow where there is a tape, the calls' and the puts' weight, what was given.
    Shape (k, n)."""
    weight: F64
    """Open interest or volume, to which conventions apply. Shape (2, n)."""
    basis: Basis
    """Which of the two."""
    inferred: PositionViews | None
    """The inferred book; None without a tape."""

    @property
    def beliefs(self) -> tuple[Belief, ...]:
        """Of the inferred views: those of the first of `books`, in their order."""
        return (self.inferred.combined, self.inferred.flow) if self.inferred else ()

    def touched(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Of some rows those that some view holds or may hold, as a mask of all. Shape (n,)."""
        mine = np.any(self.books[:, rows] != 0.0, axis=0)
        for belief in self.beliefs:
            mine |= np.any(belief.variance[:, rows] > 0.0, axis=0)
            mine |= np.any(belief.shared[..., rows] != 0.0, axis=(0, 1))
        held = np.zeros(self.books.shape[1], np.bool_)
        held[rows] = mine
        return held

    def place(self, name: str) -> int:
        """Which of `beliefs` an inferred view is."""
        return INFERRED.index(name)

    def of(self, name: str) -> SignView:
        """The view of that name."""
        return next(view for view in self.views if view.name == name)


def view_set(
    wanted: str,
    fallback: str,
    weight: F64,
    basis: Basis,
    inferred: PositionViews | None,
    prints: int,
    given: Mapping[str, F64] | None = None,
) -> ViewSet:
    """Lay out the views of a tick.

    `wanted` may be `auto`: combined once there are prints, else `fallback`. `given` are
    positions taken for granted, by name, shape (2, n): a book of one's own, or the truth.
    """
    given = given or {}
    beliefs: dict[str, Belief] = {}
    if inferred is not None:
        beliefs = {COMBINED: inferred.combined, FLOW: inferred.flow}
    books = [belief.mean.sum(axis=0) for belief in beliefs.values()]
    books += [weight[0], weight[1]]
    books += [held.sum(axis=0) for held in given.values()]
    first = len(beliefs)

    def mix(parts: Mapping[int, float]) -> tuple[float, ...]:
        return tuple(parts.get(i, 0.0) for i in range(len(books)))

    nothing = np.full_like(weight, np.nan)
    views = [
        # Without a print there is no flow; a book of zeros would say that it is known.
        SignView(
            name,
            nothing if name == FLOW and not prints else belief.mean,
            mix({i: 1.0}),
            belief,
        )
        for i, (name, belief) in enumerate(beliefs.items())
    ]
    for name, convention in CONVENTIONS.items():
        signs = {first: float(convention.call_sign), first + 1: float(convention.put_sign)}
        held = positions(convention, weight)
        views.append(SignView(name, held, mix(signs), None, convention))
    views += [
        SignView(name, held, mix({first + 2 + i: 1.0}))
        for i, (name, held) in enumerate(given.items())
    ]
    name = wanted
    if wanted == "auto":
        name = COMBINED if beliefs and prints else fallback
    if name in INFERRED and not beliefs:
        views.insert(0, SignView(name, nothing, mix({})))
    chosen = next(view for view in views if view.name == name)
    return ViewSet(chosen, tuple(views), contracts(np.stack(books)), weight, basis, inferred)
