"""Real chains, two roads: gexterm and a calculation that shares no code with it."""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path

import pytest

from gexterm.clock import SystemClock
from gexterm.config import Settings
from gexterm.engine.oneshot import read_chain_file, reading_of_recording
from gexterm.market.calendar import ns
from gexterm.recording.intervals import import_intervals
from gexterm.recording.reader import Recording
from tests import independent
from tests.shared_data import shared

CASES = {
    "SPX in session": (
        "chains/spx_2022-07-12_1155ET.csv",
        dt.datetime(2022, 7, 12, 11, 40, tzinfo=independent.ET),
        3856.28,
        independent.quote_page,
    ),
    "SPX after the close": (
        "chains/spx_2023-09-14.csv",
        dt.datetime(2023, 9, 14, 16, 31, tzinfo=independent.ET),
        4505.1001,
        independent.quote_page,
    ),
    "NDX in the evening": (
        "chains/ndx_2022-12-12.csv",
        dt.datetime(2022, 12, 12, 20, 31, tzinfo=independent.ET),
        11706.4395,
        independent.quote_page,
    ),
    "SPXW a quarter of an hour before settlement": (
        "chains/spxw_2019-06-26_1545ET.csv",
        dt.datetime(2019, 6, 26, 15, 45, tzinfo=independent.ET),
        2918.11,
        lambda path: independent.datashop(path, "SPXW"),
    ),
}
SIGNS = {"customer-flow": (-1, 1), "squeezemetrics": (1, -1), "short-both": (-1, -1)}


@functools.cache
def quotes(case: str) -> list[independent.Series]:
    """A page of quotes by the other road, with its volatilities."""
    name, as_of, spot, read = CASES[case]
    return independent.priced(read(shared(name)), as_of, spot)


@pytest.mark.parametrize("scope", ["all", "0dte"])
@pytest.mark.parametrize("convention", SIGNS)
@pytest.mark.parametrize("case", CASES)
def test_a_real_chain_reads_the_same_by_both_roads(case: str, convention: str, scope: str) -> None:
    name, as_of, spot, _ = CASES[case]
    path: Path = shared(name)
    theirs = independent.of_live(quotes(case), as_of, spot, SIGNS[convention], scope)
    ours = read_chain_file(path, Settings(), view=convention, scope=scope)
    assert ours.as_of == ns(as_of)
    assert ours.spot == pytest.approx(spot, abs=0.01)

    for line in ours.expiries:
        key = (line.root, dt.date.fromisoformat(line.expiry))
        if key in theirs.forward and line.years > 2 / 365 and line.years < 0.5:
            assert line.forward == pytest.approx(theirs.forward[key], rel=5e-4), line
            assert line.atm_iv == pytest.approx(theirs.atm[key], rel=0.02), line
    if theirs.no_expiry:
        assert ours.zero_dte.reason
        assert ours.gamma.flip_kind == "unknown"
        return
    # Fitted against raw volatilities: the totals agree to a few per cent, the levels to a strike.
    # A quarter of an hour before settlement two strikes are quoted, and every smile is a guess.
    loose = 0.04 if case.endswith("before settlement") else 0.03
    assert ours.gamma.gex_per_1pct == pytest.approx(theirs.gex, rel=loose)
    if theirs.flip == theirs.flip:
        assert ours.gamma.flip == pytest.approx(theirs.flip, rel=1e-3)
    else:
        assert ours.gamma.flip_kind.startswith("none")
    assert ours.gamma.call_wall == theirs.call_wall
    assert ours.gamma.put_wall == theirs.put_wall
    if theirs.paradigm:
        zero = ours.zero_dte
        assert zero.charm_below == pytest.approx(theirs.below, abs=loose * theirs.gross)
        assert zero.charm_above == pytest.approx(theirs.above, abs=loose * theirs.gross)
        # Wings without a bid weigh in the decay, and there both roads only extrapolate.
        assert zero.decay_to_close == pytest.approx(theirs.decay, rel=0.05, abs=0.1 * theirs.gross)
        assert zero.paradigm == theirs.paradigm
        if theirs.paradigm == "BofA":
            assert (zero.lis_lower, zero.lis_upper) == (theirs.lis_lower, theirs.lis_upper)


def test_a_real_recorded_day_reads_the_same_by_both_roads(tmp_path: Path) -> None:
    path: Path = shared("days/spxw_1min_2018-01-05.parquet")
    clocks = [(10, 0), (11, 0), (12, 30), (13, 30), (14, 30), (15, 0)]
    times = {dt.datetime(2018, 1, 5, *clock, tzinfo=independent.ET) for clock in clocks}
    day = independent.interval_day(path, times)
    assert set(day) == times
    import_intervals(path, tmp_path / "day.gexrec", SystemClock())
    with Recording(tmp_path / "day.gexrec") as recording:
        for when, (series, spot) in day.items():
            theirs = independent.analyse(series, when, spot, (-1, -1), basis="volume")
            ours = reading_of_recording(
                recording, Settings(), at=ns(when), view="short-both", scope="all"
            )
            assert ours.spot == pytest.approx(spot)
            assert ours.positions.basis == "volume"
            for line in ours.expiries:
                key = (line.root, dt.date.fromisoformat(line.expiry))
                assert line.forward == pytest.approx(theirs.forward[key], rel=1e-4)
            # In the afternoon five strikes are left; raw volatilities are straight in between.
            assert ours.gamma.gex_per_1pct == pytest.approx(theirs.gex, rel=0.03), when
            assert ours.gamma.call_wall == theirs.call_wall
            assert ours.gamma.put_wall == theirs.put_wall
            assert ours.gamma.flip_kind == "none (short everywhere)"
            assert ours.zero_dte.paradigm == theirs.paradigm == "BofA"
