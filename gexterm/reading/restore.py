"""A Reading back from its JSON form.

All that the form carries comes back: null is NaN again, times are nanoseconds. What it
does not carry is empty: `look_back`, which repeats earlier Readings.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import re
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import msgspec
import numpy as np
import polars as pl

from gexterm.errors import InputError
from gexterm.reading import model
from gexterm.reading.export import NOT_EXPORTED, TIMES
from gexterm.reading.model import STRIKE_COLUMNS, Reading

_NS = 1_000_000_000
_EPOCH = dt.datetime(1970, 1, 1)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


def from_json(content: bytes | str) -> Reading:
    """The Reading that `reading.export.to_json` wrote.

    Fields that the form has gained since are unknown here. Raises InputError where it is
    no Reading, or one of another version of the form.
    """
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InputError(f"it is no JSON ({error})") from None
    return from_dict(found)


def from_dict(found: Any) -> Reading:
    """The same, of what `reading.export.to_dict` gives."""
    if not isinstance(found, dict) or "schema" not in found:
        raise InputError("it is no Reading", f"one is an object with the schema {model.SCHEMA!r}")
    if found["schema"] != model.SCHEMA:
        raise InputError(
            f"the Reading is of the form {str(found['schema'])[:40]!r}, not {model.SCHEMA!r}",
            "read it with the gexterm that wrote it",
        )
    try:
        reading: Reading = _object(Reading, found, "")
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"it is no whole Reading: {error}") from None
    return reading


def parse_time(text: str) -> int:
    """ISO 8601 in UTC ending in Z, as ns since 1970. Raises ValueError for anything else."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no time")
    whole = dt.datetime.fromisoformat(match[1]) - _EPOCH
    return (whole.days * 86_400 + whole.seconds) * _NS + int((match[2] or "").ljust(9, "0"))


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls, localns={"pl": pl})


def _object(cls: type, found: Any, where: str) -> Any:
    if not isinstance(found, dict):
        raise TypeError(f"{where or 'it'} is no object")
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        path = f"{where}.{field.name}" if where else field.name
        if field.name in NOT_EXPORTED:
            continue
        if field.name in found:
            values[field.name] = _value(_hints(cls)[field.name], found[field.name], path)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{path} is missing")
    return cls(**values)


def _value(hint: Any, found: Any, path: str) -> Any:
    name = path.rpartition(".")[2]
    if name in TIMES:
        return 0 if found is None else parse_time(found)
    if hint is float:
        return _number(found, path)
    if hint in (int, str, bool):
        if type(found) is not hint:
            raise TypeError(f"{path} is {found!r:.40}")
        return found
    if hint is pl.DataFrame:
        return _strikes(found, path)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _object(hint, found, path)
    return _composite(hint, found, path)


def _composite(hint: Any, found: Any, path: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if found not in arguments:
            raise ValueError(f"{path} is {found!r:.40}")
        return found
    if origin is np.ndarray:
        return np.array([_number(each, path) for each in found], dtype=np.float64)
    if origin is tuple:
        return tuple(_value(arguments[0], each, f"{path}[]") for each in found)
    if origin is Mapping:
        return {str(k): _value(arguments[1], v, f"{path}[]") for k, v in found.items()}
    if origin is types.UnionType:
        return _either(arguments, found, path)
    raise TypeError(f"{path}: no way back for {hint}")


def _either(arguments: tuple[Any, ...], found: Any, path: str) -> Any:
    if found is None:
        return None if types.NoneType in arguments else math.nan
    if isinstance(found, bool | str):
        return found
    objects = [each for each in arguments if dataclasses.is_dataclass(each)]
    return _value(objects[0], found, path) if objects else _number(found, path)


def _number(found: Any, path: str) -> float:
    if found is None:
        return math.nan
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise TypeError(f"{path} is {found!r:.40}")
    return float(found)


def _strikes(found: Any, path: str) -> pl.DataFrame:
    rows = [row if isinstance(row, dict) else {} for row in found]
    if len(rows) and not all("strike" in row for row in rows):
        raise ValueError(f"a row of {path} has no strike")
    return pl.DataFrame(
        {
            column: pl.Series([_number(row.get(column), path) for row in rows], dtype=pl.Float64)
            for column in STRIKE_COLUMNS
        }
    )
