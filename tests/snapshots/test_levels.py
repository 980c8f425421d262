"""Levels for a clipboard, a spreadsheet and a chart."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import Phase, given, settings

from gexterm.reading.model import Band, Gamma, GammaCrossing, Positions, Reading, Source, ZeroDte
from gexterm.snapshots.levels import CSV_COLUMNS, as_csv, as_pine, as_text, levels
from tests.reading.readings import any_of, reading

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
"""A Reading has hundreds of fields: finding the smallest one that fails takes minutes."""


def full(**changes: object) -> Reading:
    parts: dict[str, object] = {
        "spot": 6012.35,
        "source": Source("dxlink", "live"),
        "positions": Positions("combined", "trades", signed_share=0.71, prints=9000),
        "gamma": Gamma(
            gex_per_1pct=1.2e9, state="long", flip=5986.912, flip_kind="crossing",
            flip_distance_sigma=-0.6, call_wall=6050.0, put_wall=5950.0,
            flips=(GammaCrossing(5986.912, True), GammaCrossing(6400.5, False)),
            flip_band=Band(5960.0, float("nan")), probability_short=0.11,
        ),
        "zero_dte": ZeroDte(
            expiry="SPXW 2018-01-05", paradigm="BofA", probability={"BofA": 0.83, "GEX": 0.17},
            lis_upper=6050.0, lis_lower=5965.0, lis_upper_sigma=1.3,
            lis_upper_band=Band(6045.0, 6055.0),
        ),
    }  # fmt: skip
    return reading(**{**parts, **changes})


def test_every_known_level_is_there_highest_first_and_no_other() -> None:
    found = levels(full())
    assert [each.name for each in found] == [
        "flip more", "call wall", "LIS upper", "spot", "flip", "LIS lower", "put wall",
    ]  # fmt: skip
    assert [each.price for each in found] == sorted((x.price for x in found), reverse=True)
    assert levels(reading(spot=float("nan"))) == ()


def test_the_text_says_when_from_where_how_sure_and_under_which_view() -> None:
    text = as_text(full())
    assert text.splitlines()[0] == "SPX 2018-01-05 10:35:00 ET  (dxlink, live)"
    assert "paradigm BofA 83%" in text
    assert "gamma long, GEX +1.20bn per 1 %, P(short) 11%" in text
    assert "view combined on trades, 71% signed; inferred, not a forecast" in text
    assert re.search(r"^LIS upper +6,050 +\+37.6 +\+1.3σ +6,045 … 6,055$", text, re.M)
    assert re.search(r"^flip +5,986.91 +−25.4 +−0.6σ +5,960.00 … open$", text, re.M)
    assert max(map(len, text.splitlines())) <= 72


def test_a_simulation_can_never_pass_for_a_market() -> None:
    simulated = full(source=Source("synthetic", "simulated"))
    for text in (as_text(simulated), as_pine(simulated)):
        assert "SIMULATED" in text


def test_the_csv_has_one_row_a_level_with_empty_cells_for_what_is_not_known() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(full()))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert CSV_COLUMNS[:5] == ("name", "price", "kind", "as_of", "view")
    flip = next(row for row in rows if row["name"] == "flip")
    assert (flip["price"], flip["low"], flip["high"]) == ("5986.912", "5960", "")
    assert {row["as_of"] for row in rows} == {"2018-01-05T15:35:00Z"}
    assert {row["view"] for row in rows} == {"combined"}


def test_a_spreadsheet_does_not_run_a_symbol() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(full(underlying='=cmd|"/c calc"!A1')))))
    assert rows[0]["underlying"].startswith("'=")


# -- Pine --------------------------------------------------------------------------------

STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
CALL = re.compile(r'^mark\((-?[\d.]+), "(?:[^"\\]|\\.)*", color\.\w+, line\.style_\w+\)$')


def code(script: str) -> list[str]:
    return [line for line in script.splitlines() if line and not line.startswith("//")]


def test_the_script_draws_each_level_once_and_says_what_it_is() -> None:
    script = as_pine(full())
    assert script.startswith("//@version=6\n// SPX levels, 2018-01-05 10:35 ET")
    assert "Inferred, not a forecast" in script
    assert "view: combined on trades" in script
    calls = [line for line in code(script) if line.startswith("mark(") and "=>" not in line]
    assert all(CALL.match(line) for line in calls), calls
    prices = [float(CALL.match(line)[1]) for line in calls]  # type: ignore[index]
    assert prices == [6400.5, 6050.0, 5986.912, 5965.0, 5950.0]
    assert '"call wall / LIS upper (BofA 83%)"' in script
    assert "6012.35" not in "".join(calls), "the chart has its own spot"


def test_nothing_known_is_a_script_that_draws_nothing() -> None:
    script = as_pine(reading())
    assert "No level is known" in script
    assert not any(CALL.match(line) for line in code(script))


@pytest.mark.parametrize("symbol", ['SPX"); alert("x', "A\\", "A\nplot(close)", "\x1b[2J", "日経"])
def test_a_hostile_symbol_stays_inside_its_quotes(symbol: str) -> None:
    script = as_pine(full(underlying=symbol))
    head = next(line for line in code(script) if line.startswith("indicator("))
    bare = STRING.sub("S", head)
    assert bare == "indicator(S, overlay = true, max_lines_count = 40, max_labels_count = 40)"
    assert not any(line.startswith("plot(") for line in script.splitlines())


@settings(max_examples=60, phases=UNSHRUNK)
@given(any_of(Reading))
def test_whatever_a_reading_holds_the_forms_hold(any_reading: Reading) -> None:
    found = levels(any_reading)
    script, text, table = as_pine(any_reading), as_text(any_reading), as_csv(any_reading)
    for line in code(script):
        assert '"' not in STRING.sub("", line)
    assert "nan" not in "".join(line for line in code(script) if line.startswith("mark("))
    assert "\x1b" not in script + text + table
    assert len(list(csv.reader(io.StringIO(table)))) == 1 + len(found)
