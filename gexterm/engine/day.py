"""What adds up over a session day: hedge flow by source, and spot against volatility."""

from __future__ import annotations

import numpy as np

from gexterm.clock import NS
from gexterm.engine.book import Book
from gexterm.engine.memory import Memory
from gexterm.exposure import hedgeday, spotvol
from gexterm.exposure.strikes import row_exposures
from gexterm.reading import model


def hedge_day_section(book: Book, memory: Memory) -> model.HedgeDay:
    """What dealers should have traded since the session was first seen.

    Every view is followed, so that changing it loses nothing. Once a second at most.
    """
    last = memory.hedge.last
    if last is None or not 0 <= book.rows.as_of - last.at < NS:
        _step(book, memory)
    found = hedgeday.sources(memory.hedge, book.view.name)
    return model.HedgeDay(
        since=found.since,
        by_gamma=found.gamma,
        by_vanna=found.vanna,
        by_charm=found.charm,
        uncovered_s=found.missed_s,
        spot_change=found.spot_move,
    )


def _step(book: Book, memory: Memory) -> None:
    surface = book.surface
    # A book that nobody knows has no hedge flow; adding up zeros would say that it has none.
    views = [view for view in book.views.views if np.isfinite(view.held).any()]
    rows = tuple(
        book.exposures
        if view.name == book.view.name
        else row_exposures(surface, view.held, book.zero.scope)
        for view in views
    )
    day = memory.date.toordinal() if memory.date else 0
    tick = hedgeday.hedge_tick(day, surface, tuple(view.name for view in views), rows)
    before, change = memory.hedge_surface, None
    if before is not None and before.layout is surface.layout:
        change = hedgeday.strike_vol_change(before, surface)
    memory.hedge = hedgeday.step(memory.hedge, tick, change)
    memory.hedge_surface = surface


def spot_vol_section(book: Book, memory: Memory, iv_30d: float) -> model.SpotVol:
    """Spot against our own 30-day variance index (a fraction), a sample a minute."""
    day = memory.date.toordinal() if memory.date else 0
    vol = 100.0 * iv_30d if np.isfinite(iv_30d) else iv_30d
    memory.spot_vol = spotvol.sample(memory.spot_vol, day, book.rows.as_of, book.surface.spot, vol)
    found = spotvol.read(memory.spot_vol)
    return model.SpotVol(
        beta=found.slope,
        beta_se=found.slope_se,
        r_squared=found.r2,
        minutes=found.n,
        reference=found.beta,
        overvixed=found.overvixed,
    )
