"""Exposure: the re-priced profile against bare exponentials, sums by strike against polars."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from benchmarks.harness import Row, at_least, at_most, medians
from gexterm.dealers.conventions import CONVENTIONS, CUSTOMER_FLOW, positions
from gexterm.exposure import charm, flip, hedging, paradigm, profile, scope, strikes, vanna
from gexterm.pricing.surface import Surface
from tests.exposure import market

ROWS = 12_000
SPOTS = 80


def full_chain() -> tuple[Surface, np.ndarray]:
    """24,000 contracts in 50 expiries, and open interest for all of them."""
    hours = np.concatenate([[4.0], 28.0 + 24.0 * np.geomspace(0.01, 900.0, 49)])
    chain = []
    for h in hours:
        width = 0.05 + 0.3 * np.sqrt(h / 8760)
        strike = np.linspace(6000 * (1 - width), 6000 * (1 + width), ROWS // 50)
        chain.append((market.expiry(float(h)), np.round(strike / 2.5) * 2.5))
    surface = market.surface(chain, smile=market.skewed(), rate=0.045, dividend=0.013)
    oi = np.random.default_rng(0).lognormal(5.0, 1.5, (2, ROWS)).round()
    return surface, oi


def bare_exp(n: int) -> Callable[[], None]:
    argument = np.random.default_rng(0).uniform(-50.0, 0.0, n)
    out = np.empty(n)

    def run() -> None:
        for _ in range(SPOTS):
            np.exp(argument, out=out)

    return run


def run() -> list[Row]:
    surface, oi = full_chain()
    x = positions(CUSTOMER_FLOW, oi)
    book = profile.merged(x)
    spots = surface.spot * np.exp(0.001 * (np.arange(SPOTS) - SPOTS // 2))

    def one_profile() -> profile.GammaProfile:
        return profile.gamma_profile(surface, book, spots=spots)

    def two_books() -> profile.GammaProfile:
        return profile.gamma_profile(surface, oi, spots=spots)

    took = medians(
        {
            "profile": one_profile,
            "two": two_books,
            "exp 24k": bare_exp(2 * ROWS),
            "exp 12k": bare_exp(ROWS),
        }
    )
    rows = [
        at_most(
            "profile, 24,000 contracts x 80 spots / bare np.exp of as many",
            took["profile"] / took["exp 24k"],
            1.2,
            "x",
        ),
        at_most(
            "calls and puts as two books (all four conventions) / the same",
            took["two"] / took["exp 24k"],
            1.2,
            "x",
        ),
        Row("profile / bare np.exp of its 12,000 rows", took["profile"] / took["exp 12k"], "x"),
        Row("profile", took["profile"] * 1e3, "ms"),
    ]

    each = strikes.row_exposures(surface, x)
    index = strikes.StrikeIndex.of(surface.layout)
    columns = ("gex", "vega", "vanna", "charm_hour")
    values = [np.ascontiguousarray(getattr(each, name)) for name in columns]
    frame = pl.DataFrame(
        {"strike": surface.layout.strike, **dict(zip(columns, values, strict=True))}
    )
    source = np.random.default_rng(0).normal(size=(5, 2 * ROWS))
    target = np.empty_like(source)

    def ours() -> list[np.ndarray]:
        return [index.sum(value) for value in values]

    def in_polars() -> pl.DataFrame:
        return frame.group_by("strike").agg(pl.col(*columns).sum()).sort("strike")

    assert np.allclose(ours()[0], in_polars()["gex"].to_numpy())
    took = medians(
        {"ours": ours, "polars": in_polars, "copy": lambda: np.copyto(target, source)}, runs=25
    )
    rows += [
        at_least("polars group_by / four sums by strike", took["polars"] / took["ours"], 3.0, "x"),
        at_most(
            "four sums by strike / one 24,000 x 5 copy", took["ours"] / took["copy"], 10.0, "x"
        ),
        Row("four sums by strike", took["ours"] * 1e6, "us"),
    ]
    return rows + _costs(surface, oi, x)


def _costs(surface: Surface, oi: np.ndarray, x: np.ndarray) -> list[Row]:
    layout = surface.layout
    each = strikes.row_exposures(surface, x)
    index = strikes.StrikeIndex.of(layout)
    total = strikes.totals(each, x, layout)
    whole = profile.gamma_profile(surface, oi)
    signs = (CUSTOMER_FLOW.call_sign, CUSTOMER_FLOW.put_sign)
    steps: dict[str, Callable[[], object]] = {
        "row_exposures": lambda: strikes.row_exposures(surface, x),
        "by_strike, 9 columns": lambda: strikes.by_strike(each, index),
        "by_expiry": lambda: strikes.by_expiry(each, layout),
        "totals": lambda: strikes.totals(each, x, layout),
        f"gamma_profile, 2 books, {len(whole.spots)} spots": lambda: profile.gamma_profile(
            surface, oi
        ),
        "find_flip": lambda: flip.find_flip(whole, signs),
        "vega_curve": lambda: vanna.vega_curve(surface, x),
        "hedge_flow": lambda: hedging.hedge_flow(surface, x, total),
    }
    took = medians(steps)
    rows = [Row(f"{name}, 12,000 rows", seconds * 1e3, "ms") for name, seconds in took.items()]
    rows.append(Row("all of these, 12,000 rows in 50 expiries", sum(took.values()) * 1e3, "ms"))
    return rows + _zero_dte()


def _zero_dte() -> list[Row]:
    surface = market.zero_dte(strikes=6000.0 + 2.5 * np.arange(-150, 150))
    oi = np.random.default_rng(0).lognormal(5.0, 1.5, (2, 300)).round()
    today = scope.zero_dte(surface.layout, surface.as_of, market.TODAY)
    _, memory = charm.zero_dte_greeks(surface, today.scope)

    def four_views() -> None:
        greeks, _ = charm.zero_dte_greeks(surface, today.scope, memory)
        curve = charm.charm_curve(greeks, oi)
        gamma = profile.gamma_profile(surface, oi)
        for view in CONVENTIONS.values():
            signs = (view.call_sign, view.put_sign)
            held = charm.charm_profile(greeks, positions(view, oi))
            zeros = charm.charm_zeros(curve, signs)
            paradigm.classify(held, zeros, surface.spot, greeks.sigma, surface.as_of)
            flip.find_flip(gamma, signs, refine=False)

    def one_view() -> None:
        greeks, _ = charm.zero_dte_greeks(surface, today.scope, memory)
        x = positions(CUSTOMER_FLOW, oi)
        held = charm.charm_profile(greeks, x)
        zeros = charm.charm_zeros(charm.charm_curve(greeks, profile.merged(x)))
        paradigm.classify(held, zeros, surface.spot, greeks.sigma, surface.as_of)

    took = medians({"one": one_view, "four": four_views}, runs=25)
    return [
        Row("0DTE charm and paradigm, 300 rows", took["one"] * 1e3, "ms"),
        Row("0DTE charm, paradigm and flip under four conventions", took["four"] * 1e3, "ms"),
    ]
