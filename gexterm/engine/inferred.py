"""From the tape to the inferred book: what the engine asks of `dealers` on each tick."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.conventions import CONVENTIONS
from gexterm.dealers.flow import Flow
from gexterm.dealers.positions import PositionViews, contracts_of, position_views, tally
from gexterm.dealers.prior import Carry, Prior, PriorSettings, prior
from gexterm.engine.book import Book
from gexterm.engine.carry import take_up
from gexterm.engine.settings import EngineSettings
from gexterm.engine.views import COMBINED
from gexterm.exposure.scope import Mask, scope_rows
from gexterm.market.chain import Layout, Rows
from gexterm.reading import model
from gexterm.recording.books import Book as KeptBook

F64 = NDArray[np.float64]
NAN = float("nan")


class Standing:
    """What stood before today's trades; made anew only when open interest or settings change."""

    def __init__(self) -> None:
        self.carry: Carry | None = None
        """The book of an earlier session, arranged for this chain."""
        self._made: Prior | None = None
        self._of: tuple[object, ...] = ()
        self._open_interest: F64 | None = None
        self._read: tuple[Flow, Prior, Mask, F64, PositionViews] | None = None

    def views(self, flow: Flow, rows: Rows, today: Mask, before: Prior) -> PositionViews:
        """Prior, flow and combined at one tick; made anew only where something changed.

        `before` is this one's prior, `today` has shape (n,).
        """
        if self._read is not None:
            of, on, at, volume, found = self._read
            same = of is flow and on is before and np.array_equal(at, today)
            if same and np.array_equal(volume, rows.volume, equal_nan=True):
                return found
        found = infer(flow, rows, today, before)
        self._read = (flow, before, today, rows.volume, found)
        return found

    def prior(
        self,
        rows: Rows,
        today: Mask,
        settings: EngineSettings,
        kept: KeptBook | None,
        *,
        old_interest: bool = False,
    ) -> Prior:
        """The prior of this chain; `kept` is the book of an earlier session.

        `old_interest`: open interest is of an earlier day still, and says nothing about what
        that day left.
        """
        chosen = (settings.prior_today, settings.prior_later)
        key = (rows.layout, *chosen, kept, today.tobytes(), old_interest)
        same = self._open_interest is not None and np.array_equal(
            self._open_interest, rows.open_interest, equal_nan=True
        )
        if self._made is None or not same or key != self._of:
            known = rows
            if old_interest:
                known = replace(rows, open_interest=np.full_like(rows.open_interest, np.nan))
            self.carry = None if kept is None else take_up(kept, known)
            self._made = prior(
                rows.layout, rows.open_interest, today, _settings(settings), self.carry
            )
            self._of, self._open_interest = key, rows.open_interest
        return self._made


def infer(flow: Flow, rows: Rows, today: Mask, before: Prior) -> PositionViews:
    """Prior, flow and combined at one tick. `today` has shape (n,)."""
    return position_views(flow, rows.layout, today, before, rows.volume)


def rows_of(layout: Layout, scope: Mask) -> Mask:
    """Expiries, shape (E,), to rows, shape (n,)."""
    return np.asarray(scope[layout.expiry], np.bool_)


def positions_section(
    book: Book, flow: Flow | None, standing: Prior | None, warning: str
) -> model.Positions:
    """Whose positions the numbers assume, and on what evidence."""
    views = book.views
    inferred = views.inferred
    basis = "trades" if views.chosen.convention is None else views.basis
    section = model.Positions(view=views.chosen.name, basis=basis, warning=warning)
    if inferred is None or flow is None or standing is None:
        return section
    layout = book.rows.layout
    chosen = np.zeros(len(layout), np.bool_)
    chosen[scope_rows(layout, book.scope)] = True
    found = tally(flow, contracts_of(layout, chosen, len(flow.mean)))
    reported = float(np.nansum(book.rows.volume[:, chosen]))
    return model.Positions(
        view=views.chosen.name,
        basis=basis,
        prior=standing.words if views.chosen.name == COMBINED else "",
        epoch=flow.epoch,
        prints=flow.prints,
        signed_share=found.signed_share,
        printed_share=min(1.0, found.volume / reported) if reported > 0.0 else NAN,
        uncovered_share=standing.uncovered(chosen),
        by_evidence=found.by_evidence,
        unsigned_by_reason=found.unsigned_by_reason,
        counts={name: count for name, count in flow.counts.items() if count},
        trap=inferred.trap.why,
        bounds_hit=inferred.bounds_hit,
        reconciled=standing.reconciled,
        warning=warning,
    )


def _settings(settings: EngineSettings) -> PriorSettings:
    today, later = (CONVENTIONS.get(name) for name in (settings.prior_today, settings.prior_later))
    return PriorSettings(
        today=today,
        today_share=0.0 if today is None else 1.0,
        later=later,
        later_share=0.0 if later is None else 1.0,
    )
