"""Exposures over spot: every point is the book priced there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.config import Settings
from gexterm.engine.inquiry.along import exposures, hold
from gexterm.engine.inquiry.curves import curves
from gexterm.engine.inquiry.inquirer import Inquirer
from gexterm.engine.inquiry.moved import moved
from gexterm.engine.oneshot import ask_chain_file
from gexterm.exposure.strikes import row_exposures, totals
from gexterm.exposure.uncertainty import half_width, totals_sd
from gexterm.exposure.units import unit_exposures
from gexterm.pricing.black import greeks
from gexterm.reading.inquiry import GREEKS, Suppose
from tests.engine.inquiry.books import asked, exposures_at
from tests.engine.tapes import filled, tick
from tests.shared_data import shared

ALL = asked(view="flow", scope="all")
TODAY = asked(view="flow", scope="0dte")


@pytest.mark.parametrize("view", ["flow", "combined", "customer-flow"])
@pytest.mark.parametrize("scope", ["0dte", "all", "2026-12-18"])
def test_at_spot_they_are_the_totals_of_the_reading(view: str, scope: str) -> None:
    ask = asked(view=view, scope=scope)
    found, reading = ask.curves(), ask.reading
    at = int(np.flatnonzero(np.isclose(found.spots, found.spot, rtol=1e-13))[0])
    hedging, strikes = reading.hedging, reading.strikes
    for greek, value in (
        ("gamma", reading.gamma.gex_per_1pct),
        ("charm", -hedging.per_hour),
        ("vanna", -hedging.per_vol_point),
        ("vega", strikes["vega"].sum()),
        ("delta", strikes["delta"].sum()),
    ):
        assert found.values[greek][at] == pytest.approx(value, rel=1e-9, abs=1e-2), greek
    assert (found.view, found.scope, found.as_of) == (view, scope, reading.as_of)


@pytest.mark.parametrize("minutes", [0.0, 200.0, 330.0, 353.0])
@pytest.mark.parametrize("ask", [ALL, TODAY], ids=["all", "0dte"])
def test_each_point_is_every_contract_priced_there(ask: Inquirer, minutes: float) -> None:
    found = ask.curves(Suppose(vol_points=1.5, minutes=minutes))
    for at in np.linspace(0, len(found.spots) - 1, 9).astype(int):
        wanted = exposures_at(ask.last.parts, float(found.spots[at]), 0.015, minutes)
        for greek in GREEKS:
            size = float(np.abs(found.values[greek]).max())
            assert found.values[greek][at] == pytest.approx(
                wanted[greek], rel=1e-9, abs=1e-10 * size
            ), (greek, at)


@given(seed=st.integers(0, 2**32 - 1), vol=st.floats(-8.0, 30.0), width=st.floats(1e-4, 0.4))
@settings(max_examples=15)
def test_whatever_the_book_and_the_stretch_points_are_exact(
    seed: int, vol: float, width: float
) -> None:
    """Also where most rows are drawn through few points."""
    parts = ALL.last.parts
    rng = np.random.default_rng(seed)
    book = rng.normal(0.0, 100.0, parts.views.chosen.held.shape)
    book[rng.random(book.shape) < 0.3] = np.nan
    chosen = replace(parts.views.chosen, held=book)
    parts = replace(parts, views=replace(parts.views, chosen=chosen))
    surface = moved(parts.surface, vol=vol / 100.0)
    t = np.linspace(-width, width, 161)
    values = exposures(hold(surface, book, None), t)
    for at in rng.integers(0, len(t), 5):
        wanted = exposures_at(parts, parts.surface.spot * float(np.exp(t[at])), vol / 100.0)
        for line, greek in zip(values, GREEKS, strict=True):
            size = float(np.abs(line).max())
            assert line[at] == pytest.approx(wanted[greek], rel=1e-9, abs=1e-9 * size), greek


@pytest.mark.parametrize("ask", [ALL, TODAY], ids=["all", "0dte"])
def test_curves_change_sign_at_their_zeros_and_nowhere_else(ask: Inquirer) -> None:
    found = ask.curves(Suppose(minutes=120))
    for greek in GREEKS:
        line, zeros = found.values[greek], np.array(found.zeros[greek])
        assert np.all(np.diff(zeros) > 0.0)
        for zero in zeros:
            below, above = (
                exposures_at(ask.last.parts, zero + away, minutes=120)[greek]
                for away in (-0.1, +0.1)
            )
            assert below * above <= 0.0, (greek, zero)
        sure = np.abs(line) > 1e-5 * np.abs(line).max()
        passed = np.searchsorted(zeros, found.spots[sure])
        turned = (-1.0) ** (passed - passed[0])
        np.testing.assert_array_equal(np.sign(line[sure]), np.sign(line[sure][0]) * turned)


@pytest.mark.parametrize("ask", [ALL, TODAY], ids=["all", "0dte"])
def test_zeros_of_gamma_are_the_flips(ask: Inquirer) -> None:
    flips = [crossing.spot for crossing in ask.reading.gamma.flips]
    assert ask.curves().zeros["gamma"] == pytest.approx(flips, abs=0.12)


def test_the_grid_stays_while_spot_is_supposed_elsewhere() -> None:
    here, there = ALL.curves(), ALL.curves(Suppose(-0.01))
    np.testing.assert_array_equal(here.spots, there.spots)
    np.testing.assert_array_equal(here.values["charm"], there.values["charm"])
    assert there.spot == pytest.approx(0.99 * here.spot)


def test_what_is_supposed_too_far_is_cut() -> None:
    assert TODAY.curves(Suppose(minutes=1e6)).suppose.minutes == pytest.approx(353.0)


def test_curves_and_the_supposed_reading_agree() -> None:
    suppose = Suppose(0.0, 2.0, 90.0)
    found, there = TODAY.curves(suppose), TODAY.supposed(suppose).reading
    at = int(np.argmin(np.abs(found.spots - found.spot)))
    assert found.values["gamma"][at] == pytest.approx(there.gamma.gex_per_1pct, rel=1e-9)
    assert found.values["charm"][at] == pytest.approx(-there.hedging.per_hour, rel=1e-9)
    assert found.as_of == there.as_of


def test_under_sticky_moneyness_the_smile_goes_along() -> None:
    parts = replace(TODAY.last.parts, repricing="sticky moneyness")
    found = curves(parts, Suppose())
    surface = parts.surface
    at = int(np.argmin(np.abs(found.spots - 0.99 * surface.spot)))
    spot, move = float(found.spots[at]), float(np.log(found.spots[at] / surface.spot))
    assert surface.smiles is not None
    layout, held, gamma = surface.layout, parts.views.chosen.held, 0.0
    for e in np.flatnonzero(parts.zero.scope):
        rows = layout.slice(int(e))
        k = np.log(layout.strike[rows] / surface.forward[e]) - move
        iv = surface.smiles.iv(np.full(len(k), e), k)
        forward = float(surface.forward[e]) * spot / surface.spot
        one = greeks(
            spot, forward, layout.strike[rows], surface.years[e], surface.discount[e], iv, 1.0
        ).gamma
        gamma += float((held[:, rows].sum(axis=0) * one).sum() * 100.0 * spot * spot * 0.01)
    assert found.values["gamma"][at] == pytest.approx(gamma, rel=1e-9)
    here = int(np.argmin(np.abs(found.spots - found.spot)))
    assert found.values["gamma"][here] == pytest.approx(TODAY.reading.gamma.gex_per_1pct, rel=1e-6)


@pytest.mark.parametrize("minutes", [0.0, 200.0, 340.0])
@pytest.mark.parametrize("name", ["SPX", "synthetic"])
def test_under_sticky_moneyness_each_point_is_the_chain_moved_there(
    name: str, minutes: float
) -> None:
    if name == "SPX":
        file = shared("chains/spx_2022-07-12_1155ET.csv")
        parts = ask_chain_file(file, Settings(), scope="all").last.parts
    else:
        parts = ALL.last.parts
    parts = replace(parts, repricing="sticky moneyness")
    found, held = curves(parts, Suppose(vol_points=1.0, minutes=minutes)), parts.views.chosen.held
    for at in np.linspace(0, len(found.spots) - 1, 7).astype(int):
        there = moved(
            parts.surface,
            spot_change=float(found.spots[at]) / parts.surface.spot - 1.0,
            vol=0.01,
            later_s=60.0 * found.suppose.minutes,
            repricing="sticky moneyness",
        )
        rows = row_exposures(there, held, parts.zero.scope)
        total = totals(rows, held, there.layout, parts.scope)
        for greek, wanted in (
            ("gamma", total.gex),
            ("charm", total.charm_hour),
            ("vanna", total.vanna),
            ("vega", total.vega),
            ("delta", total.delta),
        ):
            size = float(np.abs(found.values[greek]).max())
            assert found.values[greek][at] == pytest.approx(wanted, abs=1e-3 * size), greek


def test_a_book_that_nobody_knows_has_no_curves() -> None:
    engine = filled(view="flow", scope="0dte")
    tick(engine)
    found = Inquirer(engine).curves()
    assert all(np.isnan(line).all() for line in found.values.values())
    assert set(found.zeros.values()) == {()}
    assert found.band == {}


@pytest.mark.parametrize("minutes", [0.0, 200.0, 345.0])
@pytest.mark.parametrize("scope", ["0dte", "all"])
@pytest.mark.parametrize("view", ["flow", "combined"])
def test_bands_are_those_of_the_whole_book_priced_there(
    view: str, scope: str, minutes: float
) -> None:
    """Against `totals_sd` on a chain priced anew at each of some spots."""
    ask = asked(view=view, scope=scope)
    parts, found = ask.last.parts, ask.curves(Suppose(minutes=minutes))
    belief = parts.views.chosen.belief
    assert belief is not None
    for at in np.linspace(0, len(found.spots) - 1, 7).astype(int):
        there = moved(
            parts.surface,
            spot_change=float(found.spots[at]) / parts.surface.spot - 1.0,
            later_s=60.0 * minutes,
        )
        units = unit_exposures(there, parts.zero.scope)
        sd = totals_sd(units, belief, there.layout, parts.scope)
        for greek, wanted in (
            ("gamma", sd.gex),
            ("charm", sd.charm_hour),
            ("vanna", sd.vanna),
            ("vega", sd.vega),
            ("delta", sd.delta),
        ):
            low, high = found.band[greek]
            widest = float((high - low).max())
            width = 2.0 * half_width() * wanted
            assert high[at] - low[at] == pytest.approx(width, rel=1e-3, abs=1e-3 * widest), greek
            middle = 0.5 * (low[at] + high[at])
            assert middle == pytest.approx(found.values[greek][at], rel=1e-9, abs=1e-9 * widest)


def test_at_spot_bands_are_those_of_the_reading_and_conventions_have_none() -> None:
    found, reading = TODAY.curves(), TODAY.reading
    at = int(np.argmin(np.abs(found.spots - found.spot)))
    low, high = found.band["gamma"]
    assert low[at] == pytest.approx(reading.gamma.gex_band.low, rel=1e-3)
    assert high[at] == pytest.approx(reading.gamma.gex_band.high, rel=1e-3)
    assert found.band["charm"][0][at] == pytest.approx(-reading.hedging.hour_band.high, rel=1e-3)
    assert asked(view="customer-flow").curves().band == {}


@pytest.mark.parametrize("name", ["spx_2022-07-12_1155ET.csv", "spxw_2019-06-26_1545ET.csv"])
def test_on_a_real_chain_each_point_is_every_contract_priced_there(name: str) -> None:
    ask = ask_chain_file(shared(f"chains/{name}"), Settings(), scope="all")
    found = ask.curves(Suppose(vol_points=1.0, minutes=5.0))
    for at in np.linspace(0, len(found.spots) - 1, 7).astype(int):
        wanted = exposures_at(ask.last.parts, float(found.spots[at]), 0.01, 5.0)
        for greek in GREEKS:
            size = float(np.abs(found.values[greek]).max())
            assert found.values[greek][at] == pytest.approx(wanted[greek], abs=1e-9 * size), greek


def test_there_are_as_many_points_as_a_screen_can_show_and_no_more() -> None:
    for ask in (ALL, TODAY):
        assert 80 <= len(ask.curves().spots) <= 401
