"""Fair values come from the smile and from the neighbours, with an error that says how well."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.fairvalue import Fair, against, of_surface
from gexterm.market.chain import Chain, Rows
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import Definitions, Quotes, UnderlyingPrice
from gexterm.market.settlement import expiry_of
from gexterm.pricing.black import price
from gexterm.pricing.chain import Pricer
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]
EXPIRY = dt.date(2026, 11, 20)
STRIKES = np.arange(6500.0, 6905.0, 10.0)
CONTRACTS = tuple(Contract("SPXW", EXPIRY, right, k) for right in Right for k in STRIKES)
SETTLES = expiry_of("SPXW", EXPIRY).settles_at
NOW = SETTLES - 86_400_000_000_000
SIGN = np.array([c.right.sign for c in CONTRACTS], np.float64)
STRIKE = np.array([c.strike for c in CONTRACTS])
TRUE = price(6700.0, STRIKE, 1.0 / 365.0, 1.0, 0.15, SIGN)


def surface(half: F64) -> tuple[Surface, Rows]:
    chain = Chain(expiry_of)
    n = len(CONTRACTS)
    chain.apply(Definitions(0, CONTRACTS))
    chain.apply(UnderlyingPrice(6700.0, NOW))
    every, ones = np.arange(n, dtype=np.int32), np.full(n, 10.0)
    chain.apply(Quotes(every, TRUE - half, TRUE + half, ones, ones, np.full(n, NOW, np.int64)))
    rows = chain.rows(NOW)
    return Pricer(rate=0.0).price(rows)[0], rows


def fair(off: F64 | float = 0.0) -> Fair:
    half = np.minimum(0.10, 0.5 * TRUE)
    made, rows = surface(half)
    bid, ask = rows.bid.copy(), rows.ask.copy()
    listed = rows.layout.contract
    shift = np.broadcast_to(np.asarray(off), TRUE.shape)[listed]
    return of_surface(made, bid + shift, ask + shift, len(CONTRACTS))


NEAR = np.abs(STRIKE - 6700.0) < 60.0


def test_fair_value_is_the_true_price_where_quotes_are_fair_and_knows_it() -> None:
    found = fair()
    assert np.abs(found.value - TRUE)[NEAR].max() < 0.01
    assert found.sd[NEAR].max() < 0.02


def test_the_error_is_that_of_the_neighbours_quotes() -> None:
    noise = np.random.default_rng(3).normal(0.0, 0.2, len(CONTRACTS))
    found = fair(noise)
    assert 0.1 < np.median(found.sd[NEAR]) < 0.4


def test_a_contracts_own_quote_has_no_part_in_its_fair_value() -> None:
    off = np.zeros(len(CONTRACTS))
    own = int(np.flatnonzero((STRIKE == 6700.0) & (SIGN > 0))[0])
    off[own] = 0.5
    assert np.isclose(fair(off).value[own], fair().value[own])


def test_without_quoted_neighbours_there_is_none() -> None:
    made, rows = surface(np.full(len(CONTRACTS), 0.1))
    nothing = np.full_like(rows.bid, np.nan)
    found = of_surface(made, nothing, nothing, len(CONTRACTS))
    assert np.isnan(found.value).all()


def test_it_moves_with_spot_and_contracts_it_does_not_know_have_none() -> None:
    one = Fair(np.array([2.0]), np.array([0.02]), np.array([0.4]), 6700.0, NOW)
    value, sd = one.at(np.array([0, 0, 9], np.int32), np.array([6701.0, np.nan, 6700.0]))
    np.testing.assert_allclose(value, [2.4, np.nan, np.nan])
    np.testing.assert_allclose(sd, [0.02, 0.02, np.nan])


def test_only_a_fair_value_that_is_sharp_against_the_spread_and_inside_it_is_asked() -> None:
    price_ = np.array([1.15, 1.15, 1.15, 1.15])
    bid, ask = np.full(4, 1.00), np.full(4, 1.20)
    value, sd = np.array([1.18, 1.12, 1.18, 1.30]), np.array([0.01, 0.01, 0.05, 0.01])
    side, sharp = against(price_, bid, ask, value, sd)
    assert side.tolist() == [-1, 1, 0, 0]
    assert sharp.tolist() == [True, True, False, False]
