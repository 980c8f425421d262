"""What moved between two Readings."""

from __future__ import annotations

import json
import math

import jsonschema
import polars as pl
from hypothesis import given, settings

from gexterm.reading.model import Band, Gamma, Health, Positions, Reading, Source, ZeroDte
from gexterm.snapshots.compare import Comparison, as_text, compare
from tests.reading.readings import AS_OF, any_of, reading
from tests.snapshots.test_levels import UNSHRUNK, full


def change(found: Comparison, name: str) -> float:
    return next(each.change for each in found.numbers if each.name == name)


def strikes(**columns: list[float]) -> pl.DataFrame:
    return pl.DataFrame(columns)


def test_a_reading_against_itself_has_not_moved() -> None:
    same = compare(full(), full())
    assert same.loud == ()
    assert not any(each.changed for each in same.labels)
    assert all(each.change == 0 for each in same.numbers)
    assert same.strikes == same.health == same.gone == same.new == ()


def test_every_level_says_by_how_much() -> None:
    later = full(
        as_of=AS_OF + 60 * 10**9,
        spot=6020.0,
        gamma=Gamma(gex_per_1pct=1.5e9, state="long", flip=5990.0, flip_kind="crossing"),
        zero_dte=ZeroDte(paradigm="GEX", probability={"GEX": 0.7, "BofA": 0.3}, target=6040.0),
    )
    found = compare(full(), later)
    assert math.isclose(change(found, "spot"), 7.65)
    assert math.isclose(change(found, "flip"), 5990.0 - 5986.912)
    assert math.isclose(change(found, "GEX"), 3e8)
    assert math.isclose(change(found, "P(BofA)"), -0.53)
    assert math.isnan(change(found, "target")), "it had none before"
    paradigm = next(each for each in found.labels if each.name == "paradigm")
    assert (paradigm.before, paradigm.after, paradigm.changed) == ("BofA", "GEX", True)


def test_what_differs_in_kind_is_said_before_any_number() -> None:
    other = full(
        underlying="NDX", scope="all", as_of=AS_OF - 1,
        positions=Positions("flow", "trades"), source=Source("dxlink", "replay"),
    )  # fmt: skip
    found = compare(full(), other)
    told = " ".join(found.loud)
    for word in ("underlyings", "sign views", "scopes", "kinds of source", "older"):
        assert word in told
    assert found.strikes == ()
    lines = as_text(found).splitlines()
    assert all(line.startswith("  ! ") for line in lines[2:7])


def test_a_change_within_both_bands_is_said_to_be_one() -> None:
    def gamma(gex: float, low: float, high: float) -> Reading:
        return full(gamma=Gamma(gex_per_1pct=gex, gex_band=Band(low, high)))

    near = compare(gamma(1.0e9, 0.5e9, 1.5e9), gamma(1.2e9, 0.8e9, 1.6e9))
    far = compare(gamma(1.0e9, 0.5e9, 1.5e9), gamma(3.0e9, 2.5e9, 3.5e9))
    within = {
        id(c): next(x for x in c.numbers if x.name == "GEX").within_bands for c in (near, far)
    }
    assert list(within.values()) == [True, False]
    assert "within both bands" in as_text(near)
    assert "within both bands" not in as_text(far)


def test_the_largest_changes_by_strike_come_first_and_new_strikes_are_told() -> None:
    before = strikes(strike=[90.0, 100.0, 110.0], position=[1.0, 2.0, 3.0], gex=[0.0, 0.0, 0.0])
    after = strikes(strike=[100.0, 110.0, 120.0], position=[-8.0, 4.0, 9.0], gex=[0.0, 5.0, 1.0])
    found = compare(full(strikes=before), full(strikes=after), strikes=2)
    assert [(s.column, s.strike, s.change) for s in found.strikes] == [
        ("position", 100.0, -10.0), ("position", 110.0, 1.0), ("gex", 110.0, 5.0),
    ]  # fmt: skip
    assert (found.gone, found.new) == ((90.0,), (120.0,))


def test_data_that_got_worse_is_told() -> None:
    worse = full(health=Health(quoted_share=0.4, gaps=7))
    found = compare(full(health=Health(quoted_share=0.9)), worse)
    assert {each.name: round(each.change, 6) for each in found.health} == {
        "quoted": -0.5, "prints missing": 7.0,
    }  # fmt: skip


@settings(max_examples=50, phases=UNSHRUNK)
@given(any_of(Reading), any_of(Reading))
def test_any_two_readings_compare_and_the_json_is_json(a: Reading, b: Reading) -> None:
    found = compare(a, b)
    json.dumps(found.to_dict(), allow_nan=False)
    assert "\x1b" not in as_text(found)


def test_the_json_says_what_the_text_says() -> None:
    told = compare(full(), reading(), names=("a", "b")).to_dict()
    jsonschema.validate(
        told,
        {
            "type": "object",
            "required": ["schema", "before", "after", "loud", "labels", "numbers", "strikes",
                         "health", "gone", "new"],
            "properties": {
                "schema": {"const": "gexterm.comparison/1"},
                "numbers": {"items": {"required": [
                    "name", "unit", "before", "after", "within_bands", "change"]}},
            },
        },
    )  # fmt: skip
    assert told["before"]["as_of"].endswith("Z")
    assert told["before"]["name"] == "a"
