"""Chains made from known truth, written as files, read back by the program.

What is expected of a Reading is computed from the chosen forwards, smiles and open
interest (tests/truth.py), never from quotes.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gexterm.config import Settings
from gexterm.engine.oneshot import read_chain_file
from gexterm.market.calendar import ns
from gexterm.reading.export import to_json
from gexterm.reading.model import Reading
from tests import truth
from tests.truth import Line, Market, at

LATE = dt.timedelta(minutes=15)
SPX = [
    ("SPXW", "2023-12-12"),
    ("SPXW", "2023-12-13"),
    ("SPX", "2023-12-15"),
    ("SPXW", "2023-12-15"),
    ("SPXW", "2023-12-22"),
    ("SPX", "2024-01-19"),
]


def stamp(when: dt.datetime) -> str:
    return f"{when:%B} {when.day}, {when.year} at {when:%I:%M %p} {when.tzname()}"


def in_session(market: Market) -> str:
    """A page: made a quarter of an hour after its quotes."""
    return truth.quote_page(market, stamp(market.as_of + LATE))


def at_rest(market: Market) -> str:
    """A page made outside the session: its quotes stand still."""
    return truth.quote_page(market, stamp(market.as_of))


def spx(date: str, clock: str, **how: float) -> Market:
    return truth.make("SPX", at(date, clock), 4630.4, SPX, step=5, tick=0.01, **how)  # type: ignore[arg-type]


def thanksgiving() -> Market:
    series = [("SPXW", "2023-11-24"), ("SPXW", "2023-11-27"), ("SPX", "2023-12-15")]
    return truth.make(
        "SPX",
        at("2023-11-24", "11:00"),
        4556.6,
        series,
        step=5,
        tick=0.01,
        early=["2023-11-24"],
    )


def good_friday() -> Market:
    """April's third Friday is Good Friday: SPX settles at Thursday's open."""
    series = [("SPX", "2025-04-17"), ("SPXW", "2025-04-17"), ("SPXW", "2025-04-21")]
    series += [("SPX", "2025-05-16")]
    return truth.make("SPX", at("2025-04-16", "18:30"), 5275.7, series, step=5, tick=0.01)


def small(name: str, spot: float, step: float) -> Market:
    series = [(name, date) for date in ("2023-12-12", "2023-12-13", "2023-12-15", "2024-01-19")]
    return truth.make(name, at("2023-12-12", "10:20"), spot, series, step=step, tick=0.001)


def ndx() -> Market:
    series = [("NDXP", "2023-12-12"), ("NDX", "2023-12-15"), ("NDXP", "2023-12-15")]
    series += [("NDX", "2024-01-19")]
    return truth.make("NDX", at("2023-12-12", "13:05"), 16354.25, series, step=25, tick=0.01)


def quarter_to_four() -> Market:
    return truth.make(
        "SPX", at("2023-12-12", "15:45"), 4630.4, SPX, step=5, tick=0.001, seed=7, oi_centre=0.5
    )


def thousands(market: Market) -> str:
    """As spreadsheets save it: every cell quoted, separators everywhere."""
    page = truth.quote_page(
        market,
        stamp(market.as_of + LATE),
        number=lambda v: f"{v:,.2f}",
        strike=lambda v: f"{v:,.3f}",
        quote_all=True,
        before="\ufeff\n",
    )
    return page.replace("\n", "\r\n")


CASES: dict[str, tuple[Callable[[], Market], Callable[[Market], str]]] = {
    "page, a minute after the open": (lambda: spx("2023-12-12", "09:31"), in_session),
    "page, open interest left below": (
        lambda: spx("2023-12-12", "11:30", oi_centre=-1.2),
        in_session,
    ),
    "page with separators": (lambda: spx("2023-12-12", "13:10", oi_centre=1.2), thousands),
    "page, Sunday": (lambda: spx("2023-12-17", "12:00"), at_rest),
    "page, third Friday before the open": (lambda: spx("2023-12-15", "08:50"), at_rest),
    "page, third Friday after the open": (lambda: spx("2023-12-15", "09:40"), in_session),
    "page, early close": (thanksgiving, in_session),
    "page, eve of a Good Friday's Thursday": (good_friday, at_rest),
    "page, XSP": (lambda: small("XSP", 463.04, 1), in_session),
    "page, QQQ": (lambda: small("QQQ", 397.14, 0.5), in_session),
    "page, NDX": (ndx, in_session),
    "delayed JSON": (
        lambda: spx("2023-12-12", "12:00"),
        lambda m: truth.delayed(m, m.as_of + LATE),
    ),
    "delayed JSON, evening": (
        lambda: spx("2023-12-12", "20:40"),
        lambda m: truth.delayed(m, m.as_of),
    ),
    "DataShop, 15:45": (quarter_to_four, truth.datashop),
}


def read(text: str, folder: Path, convention: str, scope: str = "all") -> Reading:
    path = folder / "chain.txt"
    path.write_bytes(text.encode())
    return read_chain_file(path, Settings(), view=convention, scope=scope)


def compare(
    reading: Reading,
    market: Market,
    convention: str,
    scope: str = "all",
    spot: float | None = None,
    basis: str = "oi",
) -> None:
    real = truth.expected(market, convention, scope, basis, spot)
    here = spot or market.spot
    step = float(np.median(np.diff(market.lines[0].strike)))
    assert reading.as_of == ns(market.as_of)
    assert reading.spot == pytest.approx(here, rel=1e-6)
    lines = {(x.root, x.expiry): x for x in reading.expiries if np.isfinite(x.forward)}
    assert set(lines) == set(real.forward)
    for key, line in lines.items():
        assert line.forward == pytest.approx(real.forward[key], rel=1e-4), key
        assert line.atm_iv == pytest.approx(real.atm[key], rel=5e-3), key
    gamma = reading.gamma
    assert gamma.gex_per_1pct == pytest.approx(real.gex, rel=0.01, abs=5e-4 * real.gross)
    flip = real.flip(here)
    if math.isnan(flip):
        # The program looks further than five per cent, truth does not.
        assert not abs(gamma.flip / here - 1) < 0.049
    else:
        assert gamma.flip == pytest.approx(flip, abs=0.4 * step)
    assert gamma.call_wall == pytest.approx(real.call_wall, nan_ok=True)
    assert gamma.put_wall == pytest.approx(real.put_wall, nan_ok=True)
    zero = reading.zero_dte
    assert zero.paradigm == real.paradigm
    if real.paradigm == "No data":
        assert zero.reason
        return
    slack = 0.015 * real.charm_gross
    assert zero.charm_below == pytest.approx(real.below, abs=slack)
    assert zero.charm_above == pytest.approx(real.above, abs=slack)
    # Unquoted wings count here, and there the program can only extrapolate.
    assert zero.decay_to_close == pytest.approx(real.decay, rel=0.02, abs=2 * slack)
    for name, ours, theirs in (
        ("lower", zero.lis_lower, real.lower),
        ("upper", zero.lis_upper, real.upper),
        ("target", zero.target, real.target),
    ):
        assert ours == pytest.approx(theirs, abs=0.6 * step, nan_ok=True), name


@pytest.mark.parametrize("convention", truth.SIGNS)
@pytest.mark.parametrize("case", CASES)
def test_a_file_reads_as_the_truth_it_was_made_from(
    case: str, convention: str, tmp_path: Path
) -> None:
    make, write = CASES[case]
    market = make()
    compare(read(write(market), tmp_path, convention), market, convention)


@pytest.mark.parametrize("convention", ["customer-flow", "short-both"])
def test_todays_expiry_alone_reads_as_its_truth(convention: str, tmp_path: Path) -> None:
    market = spx("2023-12-12", "12:40")
    compare(
        read(in_session(market), tmp_path, convention, "0dte"), market, convention, scope="0dte"
    )


def _stale(x: Line, rng: np.random.Generator) -> None:
    old = copy.deepcopy(x)
    old.forward *= 0.994
    truth.quote(old, tick=0.01)
    hit = rng.random(x.bid.shape) < 0.12
    x.bid, x.ask = np.where(hit, old.bid, x.bid), np.where(hit, old.ask, x.ask)


def _crossed(x: Line, rng: np.random.Generator) -> None:
    hit = rng.random(x.bid.shape) < 0.05
    x.bid = np.where(hit, x.ask + 0.2, x.bid)


def _gone(x: Line, rng: np.random.Generator) -> None:
    hit = rng.random(x.bid.shape) < 0.3
    x.bid[hit] = x.ask[hit] = 0.0


def _deep(x: Line, rng: np.random.Generator) -> None:
    for side, far in ((0, x.strike < x.forward * 0.97), (1, x.strike > x.forward * 1.03)):
        x.bid[side, far] *= 0.8
        x.ask[side, far] *= 1.1


def _wide(x: Line, rng: np.random.Generator) -> None:
    mid = (x.bid + x.ask) / 2
    half = np.maximum(0.2, 0.04 * mid)
    x.bid, x.ask = np.maximum(mid - half, 0.0).round(3), (mid + half).round(3)


@pytest.mark.parametrize("spoil", [_stale, _crossed, _gone, _deep, _wide])
@pytest.mark.parametrize("seed", [14, 37])
def test_bad_quotes_do_not_reach_the_levels(
    spoil: Callable[[Line, np.random.Generator], None], seed: int, tmp_path: Path
) -> None:
    market = spx("2023-12-12", "11:30")
    rng = np.random.default_rng(seed)
    for line in market.lines:
        spoil(line, rng)
    reading = read(in_session(market), tmp_path, "short-both")
    real = truth.expected(market, "short-both")
    for line in reading.expiries:
        key = (line.root, line.expiry)
        assert line.forward == pytest.approx(real.forward[key], rel=1e-4), key
        assert line.atm_iv == pytest.approx(real.atm[key], rel=0.015), key
    assert reading.gamma.gex_per_1pct == pytest.approx(real.gex, rel=0.02)
    assert reading.zero_dte.paradigm == real.paradigm == "BofA"


def test_without_open_interest_the_volume_is_read_and_said(tmp_path: Path) -> None:
    market = spx("2023-12-12", "11:30")
    for line in market.lines:
        line.oi[:] = 0
    reading = read(in_session(market), tmp_path, "short-both")
    assert reading.positions.basis == "volume"
    compare(reading, market, "short-both", basis="volume")


def test_a_chain_of_calls_alone_says_why_it_cannot_be_priced(tmp_path: Path) -> None:
    market = spx("2023-12-12", "11:30")
    for line in market.lines:
        line.bid[1] = line.ask[1] = 0.0
    reading = read(in_session(market), tmp_path, "customer-flow")
    assert math.isnan(reading.gamma.gex_per_1pct)
    assert any("no strike has both call and put" in line for line in reading.health.warnings)


@pytest.mark.parametrize(
    ("scope", "why"),
    [("2023-12-14", "is not in the chain"), ("2023-12-12", "has settled"), ("0dte", "has settled")],
)
def test_a_scope_without_a_living_expiry_says_so(scope: str, why: str, tmp_path: Path) -> None:
    market = spx("2023-12-12", "17:10")
    reading = read(at_rest(market), tmp_path, "customer-flow", scope)
    assert math.isnan(reading.gamma.gex_per_1pct)
    assert any(why in line for line in reading.health.warnings)
    assert not any(
        why in line for line in read(at_rest(market), tmp_path, "customer-flow").health.warnings
    )


def test_a_spot_of_something_else_is_refused(tmp_path: Path) -> None:
    market = spx("2023-12-12", "11:30")
    page = truth.quote_page(market, stamp(market.as_of + LATE), spot="46.304")
    reading = read(page, tmp_path, "customer-flow")
    assert reading.spot == pytest.approx(market.spot, rel=1e-4)
    assert any("nowhere near" in line for line in reading.health.warnings)


def test_every_number_that_is_missing_is_null_in_json(tmp_path: Path) -> None:
    market = spx("2023-12-17", "12:00")
    text = to_json(read(at_rest(market), tmp_path, "customer-flow")).decode()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text)["zero_dte"]["charm_below"] is None
