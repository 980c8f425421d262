"""Small chains, flows and books to reason about."""

import datetime as dt

import numpy as np

from gexterm.dealers.flow import Flow
from gexterm.market.chain import Layout, build_layout
from gexterm.market.contracts import Contract, Right
from gexterm.market.settlement import expiry_of

TODAY = dt.date(2026, 11, 19)
LATER = dt.date(2026, 12, 18)
KINDS = 35
"""Rows of `Flow.amount`: the highest `Evidence` and one."""


def chain(strikes: int = 4, expiries: tuple[dt.date, ...] = (TODAY, LATER)) -> list[Contract]:
    """Calls and puts of a few strikes, today's expiry first."""
    return [
        Contract("SPXW", expiry, right, 6600.0 + 5.0 * k)
        for expiry in expiries
        for k in range(strikes)
        for right in (Right.CALL, Right.PUT)
    ]


def laid_out(contracts: list[Contract]) -> tuple[Layout, np.ndarray]:
    """The layout, and the rows of today's expiry."""
    layout = build_layout(contracts, expiry_of)
    return layout, np.array([layout.expiries[e].date == TODAY for e in layout.expiry], np.bool_)


def flow(n: int, amounts: dict[int, tuple[float, float]], prints: int = 1000) -> Flow:
    """The same contracts by evidence in every contract, bought and sold by the dealer."""
    amount = np.zeros((KINDS, 2, n))
    for evidence, (bought, sold) in amounts.items():
        amount[evidence, 0], amount[evidence, 1] = bought, sold
    signed = amount[:20].sum(axis=0)
    return Flow(0.9 * (signed[0] - signed[1]), signed.sum(axis=0), amount, 7, prints)
