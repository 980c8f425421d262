"""What is asked of a book, by another road: SciPy and the definitions, no code of gexterm's.

Only what is fitted is taken over: forwards, carry, discount, volatilities at the strikes,
and the positions that are believed in.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

import gexterm
from gexterm.engine.inquiry.inquirer import Inquirer
from gexterm.reading.inquiry import GREEKS, OUTLOOK_GREEKS, Suppose

F64 = NDArray[np.float64]
YEAR = 365.0 * 86_400.0
SUPPOSED = (
    Suppose(),
    Suppose(-0.005),
    Suppose(0.0, 1.0),
    Suppose(0.0, 0.0, 20.0),
    Suppose(-0.005, 1.0, 20.0),
)
COLUMNS = {"gamma": "gex", "charm": "charm", "vanna": "vanna", "vega": "vega", "delta": "delta"}


def by_row(
    ask: Inquirer, factor: float, vol: float, minutes: float
) -> tuple[dict[str, F64], F64, NDArray[np.bool_]]:
    """Exposures of every row, its strike, and whether it is of the scope and alive."""
    parts = ask.last.parts
    surface, held = parts.surface, np.nan_to_num(parts.views.chosen.held)
    layout = surface.layout
    of = layout.expiry.astype(int)
    strike, left = layout.strike, surface.seconds[of] - 60.0 * minutes
    size = np.array([each.multiplier for each in layout.expiries], float)[of]
    assert surface.carry is not None
    carry, then = surface.carry[of], surface.years[of]
    rate = -np.log(surface.discount[of]) / then
    iv, spot = surface.iv + vol, surface.spot * factor
    alive = np.isfinite(surface.gamma) & (left > 0.0)

    def at(years: F64) -> tuple[F64, F64, F64, F64, F64]:
        forward = surface.forward[of] * factor * np.exp(carry * (years - then))
        discount = np.exp(-rate * years)
        w = iv * np.sqrt(years)
        d1 = np.log(forward / strike) / w + w / 2
        return discount * forward, d1, d1 - w, w, discount * forward / spot

    years = np.maximum(left, 60.0) / YEAR
    money, d1, d2, w, a = at(years)
    bell = np.exp(-d1 * d1 / 2) / np.sqrt(2 * np.pi)
    call = a * ndtr(d1)
    settled = np.heaviside(spot - strike, 0.5)
    with np.errstate(invalid="ignore", divide="ignore"):
        _, later, _, _, a_later = at(years - 3600.0 / YEAR)
        lasts = years > 3600.0 / YEAR
        call_later = np.where(lasts, a_later * ndtr(later), settled)
        put_later = np.where(lasts, call_later - a_later, settled - 1.0)
    x_call, x_put = held * size
    both = x_call + x_put
    found = {
        "gamma": both * a * bell / (spot * w) * spot**2 * 0.01,
        "charm": (x_call * (call_later - call) + x_put * (put_later - call + a)) * spot,
        "vanna": both * 0.01 * a * bell * -d2 / iv * spot,
        "vega": both * 0.01 * money * bell * np.sqrt(years),
        "delta": (x_call * call + x_put * (call - a)) * spot,
        "decay": (x_call * (settled - call) + x_put * (settled - 1.0 - call + a)) * spot,
    }
    scope = np.ones(len(strike), bool) if parts.scope is None else parts.scope[of]
    return {k: np.where(alive, v, 0.0) for k, v in found.items()}, strike, scope & alive


def at_strikes(values: F64, strike: F64, rows: NDArray[np.bool_], wanted: F64) -> F64:
    out = np.zeros(len(wanted))
    np.add.at(out, np.searchsorted(wanted, strike[rows]), values[rows])
    return out


@pytest.fixture(scope="module", params=[("combined", "all"), ("squeezemetrics", "0dte")])
def ask(request: pytest.FixtureRequest) -> Iterator[Inquirer]:
    view, scope = request.param
    yield gexterm.ask("gex-target", at="15:05", view=view, scope=scope)


@pytest.mark.parametrize("suppose", SUPPOSED, ids=str)
def test_a_whole_reading_elsewhere(ask: Inquirer, suppose: Suppose) -> None:
    found = ask.supposed(suppose).reading
    factor, vol = 1.0 + suppose.spot_change, suppose.vol_points / 100.0
    each, strike, rows = by_row(ask, factor, vol, suppose.minutes)
    whole = {name: float(values.sum()) for name, values in each.items()}
    inside = {name: float(values[rows].sum()) for name, values in each.items()}
    assert found.spot == pytest.approx(ask.reading.spot * factor)
    assert found.as_of == ask.reading.as_of + round(suppose.minutes * 60e9)
    assert found.gamma.gex_per_1pct == pytest.approx(inside["gamma"], rel=1e-8)
    assert found.hedging.per_hour == pytest.approx(-inside["charm"], rel=1e-8)
    assert found.hedging.per_vol_point == pytest.approx(-inside["vanna"], rel=1e-8)
    for name, total in (
        ("delta_notional", whole["delta"]),
        ("vega_per_point", whole["vega"]),
        ("vanna_per_point", whole["vanna"]),
    ):
        assert getattr(found.book, name) == pytest.approx(total, rel=1e-8)
        assert sum(getattr(line, name) for line in found.expiries) == pytest.approx(total, rel=1e-8)
    assert sum(line.gex_per_1pct for line in found.expiries) == pytest.approx(
        whole["gamma"], rel=1e-8
    )
    strikes = found.strikes["strike"].to_numpy()
    for name, column in COLUMNS.items():
        own = at_strikes(each[name], strike, rows, strikes)
        shown = found.strikes[column].fill_null(0.0).fill_nan(0.0).to_numpy()
        np.testing.assert_allclose(shown, own, rtol=0, atol=1e-8 * np.abs(own).max())
    # The flip is a zero of that sum, spot anywhere.
    if np.isfinite(flip := found.gamma.flip):
        beside = [
            float(values[inside_].sum())
            for step in (-0.1, 0.1)
            for greeks, _, inside_ in [
                by_row(ask, (flip + step) / ask.reading.spot, vol, suppose.minutes)
            ]
            for values in [greeks["gamma"]]
        ]
        assert beside[0] * beside[1] < 0.0


@pytest.mark.parametrize("suppose", SUPPOSED[1:], ids=str)
def test_curves_and_their_zeros(ask: Inquirer, suppose: Suppose) -> None:
    found = ask.curves(suppose)

    def own(spot: float) -> dict[str, float]:
        factor, vol = spot / ask.reading.spot, suppose.vol_points / 100.0
        each, _, rows = by_row(ask, factor, vol, suppose.minutes)
        return {name: float(each[name][rows].sum()) for name in GREEKS}

    for place in np.linspace(0, len(found.spots) - 1, 5).astype(int):
        there = own(float(found.spots[place]))
        for name in GREEKS:
            largest = np.abs(found.values[name]).max()
            assert found.values[name][place] == pytest.approx(there[name], abs=1e-7 * largest), name
    for name in GREEKS:
        for zero in found.zeros[name][:3]:
            assert own(zero - 0.12)[name] * own(zero + 0.12)[name] <= 0.0, (name, zero)


@pytest.mark.parametrize("greek", OUTLOOK_GREEKS)
def test_the_book_at_later_times(ask: Inquirer, greek: str) -> None:
    found = ask.outlook(greek)
    today = ask.last.parts.zero.scope[ask.last.parts.surface.layout.expiry]
    for line in (0, 1, len(found.times) - 1):
        minutes = float(found.times[line] - found.times[0]) / 60e9
        each, strike, rows = by_row(ask, 1.0, 0.0, minutes)
        rows = rows & today if greek == "decay" else rows
        own = at_strikes(each[greek], strike, rows, found.strikes)
        np.testing.assert_allclose(
            np.nan_to_num(found.values[line]), own, rtol=0, atol=1e-7 * np.abs(own).max()
        )
