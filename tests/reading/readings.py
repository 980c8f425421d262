"""Readings to test with: one by hand, and any that the types allow."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import polars as pl
from hypothesis import strategies as st

from gexterm.reading import model
from gexterm.reading.export import NOT_EXPORTED, TIMES

AS_OF = 1_515_166_500_000_000_000  # 2018-01-05 10:35 ET


def reading(**changes: Any) -> model.Reading:
    """A small Reading; keyword arguments replace whole parts."""
    parts: dict[str, Any] = {
        "underlying": "SPX",
        "as_of": AS_OF,
        "spot": 2730.5,
        "scope": "0dte",
        "source": model.Source(feed="file", mode="file"),
        "positions": model.Positions(view="customer-flow", basis="open interest"),
        "gamma": model.Gamma(),
        "book": model.Book(),
        "zero_dte": model.ZeroDte(),
        "regime": model.Regime(),
        "hedging": model.Hedging(),
        "agreement": model.Agreement(),
        "expiries": (),
        "strikes": pl.DataFrame({name: [2725.0, 2730.0] for name in model.STRIKE_COLUMNS}),
        "health": model.Health(),
    }
    return model.Reading(**{**parts, **changes})


_FLOATS = st.floats(allow_nan=True, allow_infinity=True)
_TEXT = st.text(max_size=12)


def _strategy(hint: Any, name: str) -> st.SearchStrategy[Any]:
    if name in TIMES:
        return st.integers(0, 2**62)
    simple = {
        float: _FLOATS,
        int: st.integers(-(2**53), 2**53),
        str: _TEXT,
        bool: st.booleans(),
    }
    if hint in simple:
        return simple[hint]
    if hint is pl.DataFrame:
        return st.lists(_FLOATS, max_size=4).map(
            lambda v: pl.DataFrame(
                {c: pl.Series(v, dtype=pl.Float64) for c in model.STRIKE_COLUMNS}
            )
        )
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return any_of(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is np.ndarray:
        return st.lists(_FLOATS, max_size=4).map(np.array)
    if origin is tuple:
        return st.lists(_strategy(arguments[0], ""), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(_TEXT, _strategy(arguments[1], ""), max_size=2)
    if hint is types.NoneType:
        return st.none()
    assert origin is types.UnionType, hint
    return st.one_of([_strategy(argument, "") for argument in arguments])


def any_of(cls: type) -> st.SearchStrategy[Any]:
    """Any instance of a dataclass of the model."""
    hints = typing.get_type_hints(cls, localns={"pl": pl})
    return st.builds(
        cls,
        **{
            f.name: _strategy(hints[f.name], f.name)
            for f in dataclasses.fields(cls)
            if f.name not in NOT_EXPORTED and f.name != "schema"
        },
    )
