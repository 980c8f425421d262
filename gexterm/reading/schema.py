"""The JSON Schema of an exported Reading, made from the model itself.

Types come from the annotations of `reading.model`, descriptions from the string under
each field, so that code, schema and documentation cannot tell different stories.

    python -m gexterm.reading.schema > docs/reading.schema.json
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import msgspec
import numpy as np
import polars as pl

from gexterm.reading import model
from gexterm.reading.export import NOT_EXPORTED, TIMES

_NUMBER: dict[str, Any] = {"type": ["number", "null"]}
_TIME: dict[str, Any] = {"type": ["string", "null"], "format": "date-time", "pattern": "Z$"}


def schema() -> dict[str, Any]:
    """The schema, JSON Schema 2020-12, as plain dicts."""
    definitions: dict[str, Any] = {}
    root = _object(model.Reading, definitions)
    properties = root.pop("properties")
    # As the export writes it: what it is, before what it says.
    properties = {"schema": {**properties.pop("schema"), "const": model.SCHEMA}, **properties}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{model.SCHEMA.replace('/', ':').replace('.', ':')}",
        "title": model.SCHEMA,
        "description": root.pop("description")
        + " Unknown numbers and times are null. Times are ISO 8601, UTC, ending in Z.",
        **root,
        "required": list(properties),
        "properties": properties,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_json() -> bytes:
    """The schema as it stands in `docs/reading.schema.json`: indented, one newline at the end."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2) + b"\n"


@cache
def field_docs(module: types.ModuleType) -> dict[str, dict[str, str]]:
    """Class name to field name to the string under the field, on one line."""
    docs: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        found = docs.setdefault(node.name, {})
        for statement, following in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
                and isinstance(following.value.value, str)
            ):
                found[statement.target.id] = " ".join(following.value.value.split())
    return docs


def _object(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls, localns={"pl": pl})
    docs = field_docs(model)[cls.__name__]
    properties = {
        field.name: {
            "description": _outside(docs[field.name], field.name),
            **_type(hints[field.name], field.name, definitions),
        }
        for field in dataclasses.fields(cls)
        if field.name not in NOT_EXPORTED
    }
    return {
        "description": " ".join((cls.__doc__ or "").split()),
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _outside(text: str, name: str) -> str:
    """The model's words in terms of the JSON form: null for NaN, ISO 8601 for ns."""
    text = re.sub(r"\bNaN\b", "null", text)
    if name in TIMES:
        text = re.sub(r"\bns( since 1970 UTC)?", "ISO 8601 UTC", text)
        text = re.sub(r"\b0(?=:| unknown)", "null", text)
    return text


def _reference(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    if cls.__name__ not in definitions:
        definitions[cls.__name__] = {}  # taken, should it refer to itself
        definitions[cls.__name__] = _object(cls, definitions)
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _strike_row(definitions: dict[str, Any]) -> dict[str, Any]:
    definitions["StrikeRow"] = {
        "description": "One strike of the scope.",
        "type": "object",
        "additionalProperties": False,
        "required": list(model.STRIKE_COLUMNS),
        "properties": {
            name: {"description": f"Unit: {_outside(unit, name)}.", **_NUMBER}
            for name, unit in model.STRIKE_COLUMNS.items()
        },
    }
    return {"type": "array", "items": {"$ref": "#/$defs/StrikeRow"}}


def _type(hint: Any, name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    if name in TIMES:
        return dict(_TIME) if TIMES[name] else {**_TIME, "type": "string"}
    if hint in _SIMPLE:
        return dict(_SIMPLE[hint])
    if hint is pl.DataFrame:
        return _strike_row(definitions)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _reference(hint, definitions)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is np.ndarray:
        return {"type": "array", "items": dict(_NUMBER)}
    if origin is tuple and arguments[1:] == (...,):
        return {"type": "array", "items": _type(arguments[0], "", definitions)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _type(arguments[1], "", definitions)}
    if origin is types.UnionType:
        return {"anyOf": [_type(argument, "", definitions) for argument in arguments]}
    if hint is types.NoneType:
        return {"type": "null"}
    raise TypeError(f"{name}: no JSON form for {hint}")


_SIMPLE: dict[Any, dict[str, Any]] = {
    float: _NUMBER,
    int: {"type": "integer"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
}


if __name__ == "__main__":
    sys.stdout.buffer.write(schema_json())
