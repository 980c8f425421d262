"""A Reading for the outside: one JSON object, described by `docs/reading.schema.json`.

Three rules hold everywhere. What is not known is null, never NaN or a zero. Times
are ISO 8601 in UTC and end in Z; digits after the second only as far as needed (3, 6
or 9), so that nanoseconds survive. Strikes are one object per row. `look_back` is
not exported: it repeats earlier Readings.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import polars as pl

from gexterm.reading.model import STRIKE_COLUMNS, Reading

NS = 1_000_000_000
TIMES = {"as_of": False, "settles_at": False, "epoch": True, "since": True, "heard_from": True}
"""Fields that hold ns since 1970 UTC and leave as ISO 8601, and whether 0 says unknown."""
NOT_EXPORTED = frozenset({"look_back"})
"""Fields of a Reading that stay inside."""


def to_dict(reading: Reading) -> dict[str, Any]:
    """The Reading in plain dicts, lists, strings and numbers; `schema` comes first."""
    out: dict[str, Any] = {"schema": reading.schema}
    for field in dataclasses.fields(reading):
        if field.name not in NOT_EXPORTED:
            out[field.name] = plain(getattr(reading, field.name), field.name)
    return out


def to_json(reading: Reading, indent: int | None = None) -> bytes:
    """UTF-8 JSON, on one line unless `indent` says how many spaces."""
    encoded = msgspec.json.encode(to_dict(reading))
    return encoded if indent is None else msgspec.json.format(encoded, indent=indent)


def iso_time(ns: int) -> str:
    """Nanoseconds since 1970 UTC as ISO 8601 ending in Z."""
    second, rest = divmod(ns, NS)
    text = dt.datetime.fromtimestamp(second, dt.UTC).replace(tzinfo=None).isoformat()
    if not rest:
        return text + "Z"
    digits = f"{rest:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}Z"


def plain(value: Any, name: str) -> Any:
    """A part of a Reading in dicts, lists, strings and numbers; `name` is its field's."""
    if name in TIMES:
        return None if TIMES[name] and value == 0 else iso_time(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, np.ndarray):
        return _numbers(value)
    if isinstance(value, np.generic):
        return plain(value.item(), name)
    if isinstance(value, pl.DataFrame):
        return strike_rows(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item, "") for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item, "") for item in value]
    return {f.name: plain(getattr(value, f.name), f.name) for f in dataclasses.fields(value)}


def _numbers(array: np.ndarray[Any, Any]) -> list[float | None]:
    values: list[float] = array.tolist()
    if bool(np.isfinite(array).all()):
        return list(values)
    return [v if math.isfinite(v) else None for v in values]


def strike_rows(frame: pl.DataFrame) -> list[dict[str, float | None]]:
    """One object per row with every column of `STRIKE_COLUMNS`, null where not known."""
    columns = [
        _numbers(frame[name].cast(pl.Float64).to_numpy())
        if name in frame.columns
        else [None] * len(frame)
        for name in STRIKE_COLUMNS
    ]
    return [dict(zip(STRIKE_COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]
