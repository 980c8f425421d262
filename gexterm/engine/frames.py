"""The tables of a Reading: by expiry and by strike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gexterm.engine.book import Book
from gexterm.engine.views import FLOW
from gexterm.exposure.strikes import StrikeIndex, by_expiry, by_strike
from gexterm.market.chain import CALL, PUT
from gexterm.reading import model

F64 = NDArray[np.float64]


def expiry_lines(book: Book) -> tuple[model.ExpiryLine, ...]:
    """Every unsettled expiry, nearest first."""
    surface, layout = book.surface, book.surface.layout
    sums = by_expiry(book.exposures, layout)
    listed = np.add.reduceat((layout.contract >= 0).sum(axis=0), layout.starts[:-1])
    numbers = zip(
        *(
            values.tolist()
            for values in (
                surface.years,
                surface.forward,
                surface.atm_iv,
                listed,
                sums.gex,
                sums.vega,
                sums.vanna,
                sums.charm_day,
                sums.charm_hour,
                sums.delta,
                np.where(book.zero.scope, sums.decay, np.nan),
            )
        ),
        strict=True,
    )
    return tuple(
        model.ExpiryLine(
            expiry=expiry.date.isoformat(),
            root=expiry.root,
            settlement=expiry.settlement.value,
            settles_at=expiry.settles_at,
            years=years,
            forward=forward,
            atm_iv=atm_iv,
            smile=smile,
            contracts=contracts,
            gex_per_1pct=gex,
            vega_per_point=vega,
            vanna_per_point=vanna,
            charm_per_day=charm,
            charm_per_hour=hour,
            delta_notional=delta,
            decay_to_close=decay,
        )
        for expiry, smile, (
            years,
            forward,
            atm_iv,
            contracts,
            gex,
            vega,
            vanna,
            charm,
            hour,
            delta,
            decay,
        ) in zip(layout.expiries, surface.smile_kind, numbers, strict=True)
        if not expiry.settled(book.rows.as_of)
    )


def strike_frame(book: Book, zero_index: StrikeIndex, position_sd: F64 | None) -> pl.DataFrame:
    """One row per strike of the scope; `position_sd` by strike of it, where it is known."""
    rows, index = book.rows, book.index
    chosen, at, m = index.rows, index.index, len(index.strike)
    sums = book.strikes
    zero = by_strike(book.exposures, zero_index)

    def add(values: F64) -> F64:
        """Sum where anything is known, NaN where nothing is."""
        mine = values[chosen]
        known = np.isfinite(mine)
        total = np.bincount(at, np.where(known, mine, 0.0), m)
        return np.where(np.bincount(at, known, m) > 0, total, np.nan)

    def today(values: F64) -> F64:
        """Today's expiry on the scope's strikes."""
        out = np.full(m, np.nan)
        if len(zero_index.strike) and m:
            where = np.minimum(np.searchsorted(zero_index.strike, index.strike), len(values) - 1)
            same = zero_index.strike[where] == index.strike
            out[same] = values[where[same]]
        return out

    age = np.where(rows.quote_ts > 0, (rows.as_of - rows.quote_ts) / 1e9, np.nan)
    oldest = np.fmax(age[CALL], age[PUT])[chosen]
    ages = np.full(m, -np.inf)
    np.maximum.at(ages, at, np.where(np.isfinite(oldest), oldest, -np.inf))
    columns: dict[str, F64] = {
        "strike": index.strike,
        "call_oi": add(rows.open_interest[CALL]),
        "put_oi": add(rows.open_interest[PUT]),
        "call_volume": add(rows.volume[CALL]),
        "put_volume": add(rows.volume[PUT]),
        "position": add(book.held.sum(axis=0)),
        "position_sd": np.full(m, np.nan) if position_sd is None else position_sd,
        **_parts(book, add),
        "gex": sums.gex,
        "delta": sums.delta,
        "vega": sums.vega,
        "vanna": sums.vanna,
        "charm": sums.charm_hour,
        "charm_day": sums.charm_day,
        "decay": sums.decay,
        "gex_0dte": today(zero.gex),
        "charm_0dte": today(zero.charm_hour),
        "decay_0dte": today(zero.decay),
        "quote_age_s": np.where(np.isfinite(ages), ages, np.nan),
    }
    if book.view.convention is None:
        # Where nobody knows a position, nothing that follows from it is known either.
        unknown = np.isnan(columns["position"])
        for name in _OF_POSITIONS:
            columns[name] = np.where(unknown, np.nan, columns[name])
    return pl.DataFrame(columns)


_OF_POSITIONS = (
    "gex", "delta", "vega", "vanna", "charm", "charm_day", "decay",
    "gex_0dte", "charm_0dte", "decay_0dte",
)  # fmt: skip


def _parts(book: Book, add: Callable[[F64], F64]) -> dict[str, F64]:
    """What stood before today's trades, and what they added. A convention knows no trades."""
    inferred = book.views.inferred
    nothing = np.full(len(book.index.strike), np.nan)
    if inferred is None:
        return {"position_prior": add(book.held.sum(axis=0)), "position_flow": nothing}
    flow = book.views.of(FLOW).held
    return {
        "position_prior": add(inferred.prior.mean.sum(axis=0)),
        "position_flow": add(flow.sum(axis=0)),
    }
