"""Parts of a Reading by name, as its JSON form names them: `gamma.flip`, `expiries[0].atm_iv`.

Steps are names with dots between. `[0]` takes one of a list, a name after a list takes it
of each: `strikes.gex` is all of the column. A leading dot is allowed, as in jq. Every path
is checked against the published schema before anything is computed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from gexterm.errors import UsageError
from gexterm.reading.export import plain, strike_rows
from gexterm.reading.model import Reading
from gexterm.reading.schema import schema

_STEP = re.compile(r"\.?([A-Za-z0-9_][A-Za-z0-9_ -]*)|\[(\d*)\]")


@dataclass(frozen=True, slots=True)
class Field:
    """One path."""

    name: str
    """As it was written, without a leading dot."""
    steps: tuple[str | int, ...]
    """Names, and places in lists."""


def parse(texts: str | Iterable[str]) -> tuple[Field, ...]:
    """Paths, in one text with commas between or one by one.

    Raises UsageError for a path that the schema does not have, naming those near it.
    """
    given = texts.split(",") if isinstance(texts, str) else list(texts)
    fields = tuple(_field(each.strip()) for each in given if each.strip())
    if not fields:
        raise UsageError("no field is named", "for instance as_of,spot,gamma.flip")
    return fields


def value(reading: Reading, field: Field) -> Any:
    """What a Reading has there, as its JSON form writes it; None where it is not known."""
    return _walk(reading, field.steps, "")


def pick(reading: Reading, fields: Sequence[Field]) -> dict[str, Any]:
    """The values of several paths by name, in order."""
    return {field.name: value(reading, field) for field in fields}


def _walk(node: Any, steps: tuple[str | int, ...], name: str) -> Any:
    if not steps:
        return plain(node, name)
    step, rest = steps[0], steps[1:]
    if isinstance(node, pl.DataFrame):
        if isinstance(step, str):
            found = node[step].to_list() if step in node.columns else [None] * len(node)
            return plain(found, "")
        node = strike_rows(node[step : step + 1])
        step = 0
    if node is None:
        return None
    if isinstance(step, int):
        return _walk(node[step], rest, name) if step < len(node) else None
    if isinstance(node, list | tuple):
        return [_walk(each, steps, name) for each in node]
    if isinstance(node, Mapping):
        return _walk(node.get(step), rest, "")
    return _walk(getattr(node, step), rest, step)


# -- checking ----------------------------------------------------------------------------


def _field(text: str) -> Field:
    name = text.removeprefix(".")
    steps: list[str | int] = []
    at = 0
    while at < len(name):
        found = _STEP.match(name, at)
        if found is None or (at == 0 and name.startswith("[")):
            raise UsageError(f"{text!r} is no path", "write names with dots: gamma.flip")
        if found[1] is not None:
            steps.append(found[1])
        elif found[2]:
            steps.append(int(found[2]))
        at = found.end()
    _check(tuple(steps), text)
    return Field(name, tuple(steps))


@cache
def _schema() -> dict[str, Any]:
    return schema()


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    for option in node.get("anyOf", ()):
        if "$ref" in option:
            return _resolved(option)
    if "$ref" in node:
        found: dict[str, Any] = _schema()["$defs"][node["$ref"].rpartition("/")[2]]
        return found
    return node


def _check(steps: tuple[str | int, ...], text: str) -> None:
    node = _schema()
    for number, step in enumerate(steps):
        node = _resolved(node)
        if node.get("type") == "array":
            node = _resolved(node["items"])
            if isinstance(step, int):
                continue
        if isinstance(step, int):
            raise UsageError(f"{text!r} asks for one of what is no list")
        if "properties" in node:
            if step not in node["properties"]:
                raise _unknown(text, steps[:number], str(step), list(node["properties"]))
            node = node["properties"][step]
        elif isinstance(node.get("additionalProperties"), dict):
            node = node["additionalProperties"]  # keyed by whatever there is
        else:
            raise UsageError(f"{text!r} goes on where there is nothing more")


def _unknown(text: str, before: tuple[str | int, ...], step: str, known: list[str]) -> UsageError:
    whole = difflib.get_close_matches(text.removeprefix("."), names(), 3, 0.8)
    if whole:
        return UsageError(f"a Reading has no field {text!r}", f"did you mean {' or '.join(whole)}?")
    near = difflib.get_close_matches(step, known, 3, 0.5)
    start = "".join(f"[{each}]" if isinstance(each, int) else f"{each}." for each in before)
    start = start.replace(".[", "[")
    if near:
        return UsageError(
            f"a Reading has no field {text!r}",
            f"did you mean {' or '.join(start + each for each in near)}?",
        )
    elsewhere = [path for path in names() if path.rpartition(".")[2] == step]
    if elsewhere:
        return UsageError(
            f"a Reading has no field {text!r}", f"did you mean {' or '.join(elsewhere[:3])}?"
        )
    return UsageError(
        f"a Reading has no field {text!r}",
        f"{f'under {start[:-1]} ' if start else ''}there are {', '.join(known)}",
    )


@cache
def names() -> tuple[str, ...]:
    """Every path that leads to a value, without places in lists."""
    found: list[str] = []

    def walk(node: dict[str, Any], path: str) -> None:
        node = _resolved(node)
        if node.get("type") == "array":
            node = _resolved(node["items"])
        if "properties" not in node:
            found.append(path)
            return
        for name, inner in node["properties"].items():
            walk(inner, f"{path}.{name}" if path else name)

    walk(_schema(), "")
    return tuple(found)


__all__ = ["Field", "names", "parse", "pick", "value"]
