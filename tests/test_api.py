"""What notebooks use: which names there are, that their examples are true, and oracles."""

from __future__ import annotations

import datetime as dt
import doctest
import importlib
import json
import math
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings

import gexterm
from gexterm import api
from gexterm.config import Settings
from gexterm.errors import InputError, UsageError
from gexterm.reading.model import Reading
from gexterm.reading.schema import schema
from gexterm.recording.samples import find_sample
from tests.cli.invoke import gexterm as command
from tests.reading.readings import any_of, reading
from tests.shared_data import shared
from tests.snapshots.test_levels import UNSHRUNK

NAMES = {
    "Comparison", "Inquirer", "Reading", "Recorded", "Settings", "Suppose", "Supposed", "analyse",
    "ask", "compare", "from_json", "levels", "open_recording", "read_chain", "read_snapshot",
    "samples", "table", "to_json", "what_if",
}  # fmt: skip
SAMPLE = find_sample("first-light").path


def chain(**changes: Any) -> dict[str, list[Any]]:
    """Quotes of one expiry around 100, with parity and a price for every strike."""
    strikes = [80.0 + 2.5 * i for i in range(17)]
    sigma = 4.0
    calls = [_normal_call(100.0 - k, sigma) for k in strikes]
    puts = [c - (100.0 - k) for c, k in zip(calls, strikes, strict=True)]
    count = len(strikes)
    columns: dict[str, list[Any]] = {
        "expiry": ["2026-11-27"] * 2 * count,
        "strike": strikes * 2,
        "right": ["C"] * count + ["P"] * count,
        "bid": [max(p - 0.02, 0.01) for p in calls + puts],
        "ask": [p + 0.02 for p in calls + puts],
        "open_interest": [100 + 10 * i for i in range(2 * count)],
    }
    return {**columns, **changes}


def _normal_call(money: float, sigma: float) -> float:
    d = money / sigma
    density = math.exp(-0.5 * d * d) / math.sqrt(2.0 * math.pi)
    return money * 0.5 * math.erfc(-d / math.sqrt(2.0)) + sigma * density


def analysed(quotes: object, **more: Any) -> Reading:
    found: Reading = gexterm.analyse(
        quotes, **{"as_of": "2026-11-20 10:30", "root": "XYZ", "spot": 100.0, **more}
    )
    return found


def test_the_names_are_those_that_were_promised() -> None:
    assert set(gexterm.PUBLIC) == NAMES == set(api.__all__)
    assert set(dir(gexterm)) >= NAMES
    for name in NAMES:
        assert getattr(gexterm, name) is getattr(api, name)
        assert getattr(api, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = gexterm.nonsense


def test_examples_in_docstrings_are_true() -> None:
    failed, tried = doctest.testmod(api, optionflags=doctest.ELLIPSIS)
    assert failed == 0
    assert tried > 20


def test_importing_the_package_loads_nothing() -> None:
    program = "import sys, gexterm; sys.exit(bool({'numpy', 'polars', 'click'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_api_loads_no_terminal() -> None:
    program = (
        "import sys, gexterm; gexterm.samples; "
        "sys.exit(bool({'textual', 'rich', 'websockets', 'httpx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# -- analyse -----------------------------------------------------------------------------


def test_every_kind_of_frame_gives_the_same_reading(tmp_path: Path) -> None:
    columns = chain()
    frame = pl.DataFrame(columns)
    frame.write_parquet(tmp_path / "quotes.parquet")
    frame.write_csv(tmp_path / "quotes.csv")
    dated = frame.with_columns(pl.col("expiry").str.to_date())
    pandas = pd.DataFrame(columns)
    stamped = pandas.assign(expiry=pd.to_datetime(pandas["expiry"]))
    upper = frame.rename({name: name.upper() for name in frame.columns})
    whole = [
        gexterm.to_json(analysed(each))
        for each in (
            columns, frame, dated, pandas, stamped, upper,
            tmp_path / "quotes.parquet", str(tmp_path / "quotes.csv"),
        )
    ]  # fmt: skip
    assert len(set(whole)) == 1
    jsonschema.validate(json.loads(whole[0]), schema())


def test_the_numbers_are_those_of_the_formula() -> None:
    read = analysed(chain())
    assert read.source.feed == "frame"
    assert read.expiries[0].forward == pytest.approx(100.0, abs=0.02)
    # Bachelier's sigma over a week, as the Black volatility at the forward.
    years = read.expiries[0].years
    assert read.expiries[0].atm_iv * math.sqrt(years) == pytest.approx(0.04, rel=0.02)
    dealers = gexterm.analyse(
        chain(), as_of="2026-11-20 10:30", root="XYZ", spot=100.0, view="long-both"
    )
    assert (dealers.strikes["gex"].drop_nulls().drop_nans() >= 0).all()
    assert dealers.gamma.state == "long"


def test_sorting_the_rows_changes_nothing_that_is_published() -> None:
    frame = pl.DataFrame(chain())
    shuffled = analysed(frame.sample(fraction=1.0, shuffle=True, seed=3))
    for name in ("gex", "vanna", "position"):
        np.testing.assert_allclose(shuffled.strikes[name], analysed(frame).strikes[name], rtol=1e-9)


def test_rows_that_make_no_sense_are_left_out_and_told() -> None:
    columns = chain()
    for name, bad in (
        ("expiry", "soon"), ("strike", -5.0), ("right", "X"), ("bid", None), ("ask", math.nan),
        ("open_interest", -1),
    ):  # fmt: skip
        columns[name] = [*columns[name], bad]
    read = analysed(columns)
    assert any("expiry is no date" in w for w in read.health.warnings)
    assert gexterm.levels(read).equals(gexterm.levels(analysed(chain())))


@pytest.mark.parametrize(
    ("quotes", "more", "words"),
    [
        ({"strike": [1.0]}, {}, "lack expiry, right, bid, ask"),
        (chain(), {"root": None}, "lack root"),
        (chain(bid=[1.0]), {}, "not of one length"),
        (chain(bid=[math.nan] * 34), {}, "both a bid and an offer"),
        (chain(expiry=["2026-11-13"] * 34), {}, "had settled"),
        (3, {}, "holds no columns"),
        ("nothing.parquet", {}, "no file"),
        ("nothing.xlsx", {}, "neither"),
        (chain(), {"as_of": dt.datetime(2026, 11, 20)}, "no time zone"),
        (chain(), {"as_of": "noon"}, "no time"),
        (chain(), {"as_of": 1.5}, "no time"),
    ],
)
def test_what_cannot_be_read_says_why(quotes: object, more: dict[str, Any], words: str) -> None:
    with pytest.raises((InputError, UsageError), match=words):
        analysed(quotes, **more)


def test_a_time_may_be_text_a_datetime_or_nanoseconds() -> None:
    aware = dt.datetime(2026, 11, 20, 15, 30, tzinfo=dt.UTC)
    ns = 1_795_188_600_000_000_000
    for each in ("2026-11-20 10:30", "2026-11-20T10:30:00-05:00", aware, ns):
        assert analysed(chain(), as_of=each).as_of == ns


# -- chains and recordings ---------------------------------------------------------------


def test_a_chain_file_reads_as_the_command_reads_it() -> None:
    path = shared("chains/spx_2022-07-12_1155ET.csv")
    told = json.loads(command("levels", path, "--json", "--expiry", "all").out)
    assert json.loads(gexterm.to_json(gexterm.read_chain(path, scope="all"))) == told


def test_a_recording_reads_as_the_command_reads_it() -> None:
    told = json.loads(command("levels", "bofa", "--json", "--at", "14:45").out)
    with gexterm.open_recording("bofa") as day:
        assert json.loads(gexterm.to_json(day.at("14:45", scope="all"))) == told


def test_readings_one_after_the_other_are_those_of_each_time() -> None:
    with gexterm.open_recording(SAMPLE) as day:
        one, two = list(day.readings(every=60, start="10:19", end="10:20"))
        assert gexterm.from_json(gexterm.to_json(two)).zero_dte.since == two.zero_dte.since
        alone = day.at("10:20")
    assert one.as_of < two.as_of == alone.as_of
    assert two.gamma.gex_per_1pct == alone.gamma.gex_per_1pct
    assert two.zero_dte.paradigm == alone.zero_dte.paradigm


def test_a_walk_never_depends_on_how_it_is_taken() -> None:
    with gexterm.open_recording(SAMPLE) as day:
        asked = [gexterm.to_json(r) for r in day.readings(every=300, start="10:10", end="10:20")]
        again = [gexterm.to_json(r) for r in day.readings(every=300, start="10:10", end="10:20")]
    assert asked == again


def test_times_beyond_a_recording_are_refused() -> None:
    with gexterm.open_recording(SAMPLE) as day:
        with pytest.raises(InputError, match="holds nothing"):
            day.at("18:00")
        with pytest.raises(InputError, match="holds nothing"):
            day.readings(start="18:00")
        with pytest.raises(UsageError, match="cannot be"):
            day.readings(every=0.0)
    with pytest.raises(InputError, match="sample feeds are"):
        gexterm.open_recording("nothing-there")


# -- forms -------------------------------------------------------------------------------


@settings(max_examples=40, phases=UNSHRUNK)
@given(any_of(Reading))
def test_a_reading_comes_back_from_json_as_it_went(sent: Reading) -> None:
    once = gexterm.to_json(sent)
    back = gexterm.from_json(once)
    assert gexterm.to_json(back) == once
    assert back.as_of == sent.as_of
    assert back.look_back == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON"),
        ("[]", "no Reading"),
        ('{"schema": "gexterm.reading/9"}', "not 'gexterm.reading/1'"),
        ('{"schema": "gexterm.reading/1"}', "underlying is missing"),
    ],
)
def test_what_is_no_reading_is_told(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        gexterm.from_json(text)


def test_a_damaged_field_is_named() -> None:
    whole = json.loads(gexterm.to_json(reading()))
    whole["gamma"]["flip"] = "high"
    with pytest.raises(InputError, match=r"gamma\.flip"):
        gexterm.from_json(json.dumps(whole))
    whole["gamma"]["flip"] = None
    whole["tomorrow"] = {"a": 1}
    assert math.isnan(gexterm.from_json(json.dumps(whole)).gamma.flip)


def test_a_table_has_times_numbers_and_words_of_their_kind() -> None:
    with gexterm.open_recording("first-light") as day:
        frame = gexterm.table(
            day.readings(every=600), "spot", "gamma.flip", "zero_dte.paradigm", "strikes.gex"
        )
    assert frame.schema["as_of"] == pl.Datetime("ns", "UTC")
    assert frame.schema["spot"] == pl.Float64
    assert frame.schema["zero_dte.paradigm"] == pl.String
    assert frame.schema["strikes.gex"] == pl.List(pl.Float64)
    with pytest.raises(UsageError, match=r"did you mean gamma\.flip"):
        gexterm.table([], "gama.flip")


def test_settings_are_the_callers_and_not_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gexterm"
    folder.mkdir()
    (folder / "config.toml").write_text("scope = 'all'\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with gexterm.open_recording(SAMPLE) as day:
        assert day.at("10:20").scope == "0dte"
    with gexterm.open_recording(SAMPLE, settings=Settings(scope="all")) as day:
        assert day.at("10:20").scope == "all"


def test_the_example_notebook_runs(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(__file__).resolve().parents[1] / "examples" / "notebook.py"
    runpy.run_path(str(path), run_name="__main__")
    said = capsys.readouterr().out
    assert "paradigm" in said
    assert "flip" in said


def test_the_module_is_loaded_by_its_name_only() -> None:
    assert importlib.import_module("gexterm.api") is api


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"view": "nope"}, "no sign view 'nope'"),
        ({"view": "auto "}, "no sign view"),
        ({"scope": "nope"}, "no scope 'nope'"),
        ({"scope": "2026-13-01"}, "no scope"),
        ({"spot": "x"}, "the spot 'x' is no price"),
        ({"as_of": 10**30}, "is no time"),
        ({"as_of": -1}, "is no time"),
    ],
)
def test_what_there_is_not_is_said_in_one_line(more: dict[str, Any], words: str) -> None:
    wanted: dict[str, Any] = {"as_of": "2026-11-20 10:30", "root": "XYZ", **more}
    with pytest.raises(UsageError, match=words):
        gexterm.analyse(chain(), **wanted)


def test_a_view_that_there_is_not_is_no_end_of_a_recording() -> None:
    with (
        gexterm.open_recording("first-light") as day,
        pytest.raises(UsageError, match="no sign view"),
    ):
        list(day.readings(view="nope"))


def test_an_expiry_that_never_comes_is_left_out() -> None:
    quotes = chain()
    quotes["expiry"] = ["9999-12-31", *quotes["expiry"][1:]]
    reading = gexterm.analyse(quotes, as_of="2026-11-20 10:30", root="XYZ", spot=100.1)
    assert any("expiry is no date, left out: 1" in each for each in reading.health.warnings)
