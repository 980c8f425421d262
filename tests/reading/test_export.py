from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gexterm.reading import model
from gexterm.reading.export import iso_time, to_dict, to_json
from gexterm.reading.schema import schema
from tests.reading.readings import AS_OF, any_of, reading

VALIDATOR = Draft202012Validator(schema())


@settings(max_examples=60, deadline=None)
@given(any_of(model.Reading))
def test_every_reading_validates_whatever_is_unknown_in_it(any_reading: model.Reading) -> None:
    VALIDATOR.validate(json.loads(to_json(any_reading)))


def test_the_schema_comes_first() -> None:
    assert next(iter(json.loads(to_json(reading())))) == "schema"
    assert to_json(reading()).startswith(b'{"schema":"gexterm.reading/1"')


def test_what_is_not_known_is_null() -> None:
    strikes = pl.DataFrame({"strike": [2725.0, 2730.0], "gex": [math.nan, math.inf]})
    out = to_dict(
        reading(
            spot=math.nan,
            strikes=strikes,
            gamma=model.Gamma(profile_spot=np.array([1.0, -math.inf, math.nan])),
            regime=model.Regime(inputs={"gex": math.nan}, lesson={"flip": math.inf, "state": "x"}),
        )
    )
    assert out["spot"] is None
    assert out["gamma"]["profile_spot"] == [1.0, None, None]
    assert out["regime"]["inputs"] == {"gex": None}
    assert out["regime"]["lesson"] == {"flip": None, "state": "x"}
    assert [row["gex"] for row in out["strikes"]] == [None, None]
    assert out["strikes"][1]["strike"] == 2730.0
    assert out["strikes"][0]["quote_age_s"] is None, "a column that is missing is not known"
    assert "NaN" not in to_json(reading()).decode()


def test_a_null_in_a_frame_stays_null() -> None:
    strikes = pl.DataFrame({"strike": [2725], "position_flow": [None]})
    [row] = to_dict(reading(strikes=strikes))["strikes"]
    assert row["strike"] == 2725.0
    assert row["position_flow"] is None


def test_look_back_stays_inside() -> None:
    past = model.LookBack(minutes=5, values={"gex": np.array([1.0, 2.0])})
    assert "look_back" not in to_dict(reading(look_back=(past,)))


def test_times_are_utc_and_an_unknown_time_is_null() -> None:
    zero_dte = model.ZeroDte(since=0)
    out = to_dict(reading(zero_dte=zero_dte))
    assert out["as_of"] == "2018-01-05T15:35:00Z"
    assert out["zero_dte"]["since"] is None
    assert out["positions"]["epoch"] is None
    assert to_dict(reading(as_of=0))["as_of"] == "1970-01-01T00:00:00Z"


def test_times_carry_no_more_digits_than_needed() -> None:
    assert iso_time(AS_OF + 500_000_000) == "2018-01-05T15:35:00.500Z"
    assert iso_time(AS_OF + 1_000) == "2018-01-05T15:35:00.000001Z"
    assert iso_time(AS_OF + 1) == "2018-01-05T15:35:00.000000001Z"
    assert iso_time(-1) == "1969-12-31T23:59:59.999999999Z"


@given(st.integers(-(2**62), 2**62))
def test_no_nanosecond_is_lost(ns: int) -> None:
    text = iso_time(ns)
    second, _, fraction = text.removesuffix("Z").partition(".")
    whole = dt.datetime.fromisoformat(second).replace(tzinfo=dt.UTC) - dt.datetime(
        1970, 1, 1, tzinfo=dt.UTC
    )
    whole_s = whole.days * 86400 + whole.seconds
    assert whole_s * 10**9 + int(fraction.ljust(9, "0") or 0) == ns


def test_indented_json_says_the_same() -> None:
    one = reading(spot=math.nan)
    assert json.loads(to_json(one, indent=2)) == json.loads(to_json(one))
    assert b"\n" in to_json(one, indent=2)
    assert b"\n" not in to_json(one)


def test_numbers_survive_the_way_out_and_back() -> None:
    one = reading(spot=0.1 + 0.2, hedging=model.Hedging(per_up_1pct=-1.2345678901234e9))
    out = json.loads(to_json(one))
    assert out["spot"] == 0.1 + 0.2
    assert out["hedging"]["per_up_1pct"] == -1.2345678901234e9


def test_every_field_of_the_model_is_exported_except_the_look_back() -> None:
    names = {field.name for field in dataclasses.fields(model.Reading)}
    assert set(to_dict(reading())) == names - {"look_back"}
