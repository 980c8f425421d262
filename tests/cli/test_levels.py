"""`gexterm levels` and `gexterm snapshot`, from the command line to the file."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import polars as pl
import pytest

from gexterm.reading.schema import schema
from gexterm.recording.samples import find_sample
from tests.cli.invoke import gexterm
from tests.shared_data import shared

SAMPLE = find_sample("first-light").path
CHAINS = (
    "chains/spx_2022-07-12_1155ET.csv",
    "chains/spx_2023-09-14.csv",
    "chains/ndx_2022-12-12.csv",
    "chains/spxw_2019-06-26_1545ET.csv",
)


def reading(*arguments: object) -> dict[str, object]:
    done = gexterm("levels", *arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


@pytest.mark.parametrize("name", CHAINS)
def test_every_real_chain_gives_a_valid_reading(name: str) -> None:
    jsonschema.validate(reading(shared(name)), schema())


def test_the_sample_gives_a_valid_reading_at_any_time_of_it() -> None:
    for at in ("10:00", "10:17", "10:35"):
        jsonschema.validate(reading(SAMPLE, "--at", at), schema())


def test_the_printed_schema_is_the_published_one() -> None:
    done = gexterm("levels", "--schema")
    published = Path(__file__).resolve().parents[2] / "docs" / "reading.schema.json"
    assert json.loads(done.out) == json.loads(published.read_text()) == schema()


def test_a_page_made_in_session_is_read_as_of_a_quarter_of_an_hour_earlier() -> None:
    path = shared(CHAINS[0])
    late = reading(path)
    assert late["as_of"] == "2022-07-12T15:40:00Z"
    assert late["source"]["delay_s"] == 900  # type: ignore[index]
    asked = reading(path, "--at", "11:55")
    assert asked["as_of"] == "2022-07-12T15:55:00Z"
    assert asked["source"]["delay_s"] == 0  # type: ignore[index]


def test_a_page_without_a_readable_date_asks_for_one_and_works_with_it() -> None:
    path = shared("chains/spy_2023-06-0x_1515ET.csv")
    done = gexterm("levels", path)
    assert done.code == 3
    assert "--at" in done.one_clear_line
    spy = reading(path, "--at", "2023-06-05T15:15")
    assert spy["underlying"] == "SPY"
    assert any("American" in w for w in spy["health"]["warnings"])  # type: ignore[index]


def test_twins_stay_apart() -> None:
    twins = [
        (e["root"], e["settlement"])
        for e in reading(shared(CHAINS[1]))["expiries"]  # type: ignore[attr-defined]
        if e["expiry"] == "2023-09-15"
    ]
    assert sorted(twins) == [("SPX", "AM"), ("SPXW", "PM")]


@pytest.mark.parametrize("name", ["squeezemetrics", "short-both", "long-both"])
def test_the_convention_asked_for_is_the_one_shown(name: str) -> None:
    found = reading(SAMPLE, "--view", name)
    assert found["positions"]["view"] == name  # type: ignore[index]
    table = gexterm("levels", SAMPLE, "--view", name).out
    assert f"positions: {name} × open interest" in table


def test_a_single_date_can_be_asked_for() -> None:
    found = reading(SAMPLE, "--expiry", "2026-11-20")
    assert found["scope"] == "2026-11-20"
    everything = reading(SAMPLE, "--expiry", "all")
    assert abs(found["gamma"]["gex_per_1pct"]) < abs(  # type: ignore[index]
        everything["agreement"]["views"][2]["gex_per_1pct"]  # type: ignore[index]
    )


def test_the_table_names_source_view_age_and_every_level() -> None:
    table = gexterm("levels", SAMPLE, "--at", "10:05", "--expiry", "0dte").out
    for word in (
        "synthetic", "simulated", "customer-flow × open interest", "GEX per 1 %", "flip",
        "call wall", "put wall", "paradigm", "upper line", "target", "driftless", "REGIME",
        "SIGN VIEWS", "quoted both sides",
    ):  # fmt: skip
        assert word in table
    assert max(map(len, table.splitlines())) <= 100


def test_a_snapshot_is_whole_and_agrees_with_the_reading(tmp_path: Path) -> None:
    done = gexterm(
        "snapshot", SAMPLE, "--at", "10:23", "-o", tmp_path, "--size", "100x30", "--note", "touched"
    )
    assert done.code == 0, done.err
    folder = Path(done.out.strip())
    assert folder.parent == tmp_path
    assert {p.name for p in folder.iterdir()} == {
        "screen.svg", "screen.png", "reading.json", "strikes.parquet", "strikes.csv", "note.txt",
        "page.md", "snapshot.json",
    }  # fmt: skip
    kept = json.loads((folder / "reading.json").read_text())
    jsonschema.validate(kept, schema())
    strikes = pl.read_parquet(folder / "strikes.parquet")
    assert strikes.height == len(kept["strikes"])
    assert (folder / "screen.png").read_bytes().startswith(b"\x89PNG")
    svg = (folder / "screen.svg").read_text()
    assert "SIMULATED" in svg.replace("</text>", "")


def test_the_real_day_becomes_a_recording_and_reads_at_any_minute(tmp_path: Path) -> None:
    source = shared("days/spxw_1min_2018-01-05.parquet")
    day = tmp_path / "day.gexrec"
    assert gexterm("import", "cboe-intervals", source, "-o", day).code == 0
    morning = reading(day, "--at", "10:30", "--expiry", "0dte")
    assert morning["positions"]["basis"] == "volume"  # type: ignore[index]
    assert morning["zero_dte"]["expiry"] == "SPXW 2018-01-05"  # type: ignore[index]
    closed = reading(day, "--at", "16:10")
    assert closed["zero_dte"]["settled"]  # type: ignore[index]
    again = gexterm("import", "cboe-intervals", source, "-o", day)
    assert again.code == 2
    assert "exists" in again.one_clear_line


def test_headless_replay_says_one_line_a_minute_and_ends() -> None:
    done = gexterm("replay", SAMPLE, "--headless", "--speed", "3000", "--at", "10:20")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[-1].startswith("10:35")
    assert all("customer-flow × open interest, simulated" in line for line in lines)


def test_keys_and_config_are_printed() -> None:
    assert "snapshot" in gexterm("keys").out.lower()
    assert 'theme = "' in gexterm("config").out


def test_no_odds_are_printed_as_certain() -> None:
    sample = find_sample("sidial").path
    out = gexterm("levels", sample, "--at", "15:10", "--expiry", "0dte").out
    odds = [line for line in out.splitlines() if "P(short)" in line or "paradigm  " in line]
    assert len(odds) >= 2
    assert not any(f" {sure}%" in line for line in odds for sure in (0, 100))
    assert "<1%" in "".join(odds)


def test_levels_for_other_programs() -> None:
    text = gexterm("levels", "first-light", "--at", "10:20", "--format", "text").out
    assert text.startswith("SPX 2026-11-13 10:20:00 ET  (synthetic, SIMULATED: no market data)")
    table = gexterm("levels", "first-light", "--at", "10:20", "--format", "csv").out
    assert table.splitlines()[0].startswith("name,price,kind,as_of,view")
    pine = gexterm("levels", "first-light", "--at", "10:20", "--format", "pine").out
    assert pine.startswith("//@version=6\n")
    for row in table.splitlines()[1:]:
        name, price = row.split(",")[:2]
        assert name in text
        assert name == "spot" or f"mark({price}, " in pine


def test_json_is_one_of_the_forms() -> None:
    asked = ("levels", "first-light", "--at", "10:20")
    assert gexterm(*asked, "--json").out == gexterm(*asked, "--format", "json").out
    both = gexterm(*asked, "--json", "--format", "csv")
    assert both.code == 2
    assert "contradict" in both.one_clear_line
