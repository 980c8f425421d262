"""Scripts of synthetic days, read from TOML.

Keys are the fields of `script.Script`; `[spot]`, `[quotes]` and `[flow]` are tables,
`[[changes]]`, `[[gaps]]`, `[[series]]` (instead of a named `chain`) and `[[happens]]`
arrays of tables. Whatever is wrong ends in one line that names file, line and key and
says what would be right; nothing unknown is passed over.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import difflib
import math
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from gexterm.errors import InputError
from gexterm.simulator.check import NonsenseError, Where, check_script, key
from gexterm.simulator.script import (
    Change,
    FlowScript,
    Gap,
    QuoteScript,
    Script,
    Series,
    SpotScript,
)

_MOST_BYTES = 1 << 20
_TABLES = {"spot": SpotScript, "quotes": QuoteScript, "flow": FlowScript}
_ARRAYS = {"changes": Change, "gaps": Gap, "series": Series}


def read_script(path: Path, seed: int | None = None) -> Script:
    """Read a script; `seed` replaces the one in the file.

    Raises InputError, one line, when the file cannot be read, is no TOML, or asks for
    something that makes no sense.
    """
    import tomllib

    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise InputError(f"{path}: larger than a script can be", "name a TOML file")
        text = content.decode()
    except FileNotFoundError:
        raise InputError(f"there is no script {path}", "see `gexterm simulate --list`") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not text", "a script is a UTF-8 TOML file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            f"{path}: not TOML: {error or 'nested too deep'}", "mend that line"
        ) from None
    if seed is not None:
        table["seed"] = seed
    try:
        script = _script(table)
        check_script(script)
    except NonsenseError as wrong:
        by_option = seed is not None and wrong.where == ("seed",)
        place = "--seed" if by_option else f"{path}{_line(text, wrong.where)}: {key(wrong.where)}"
        raise InputError(f"{place} {wrong.what}", wrong.hint) from None
    return script


def _script(table: dict[str, Any]) -> Script:
    table = dict(table)
    if "series" in table and "chain" in table:
        raise NonsenseError(("chain",), "is given beside [[series]]", "give one of them")
    if isinstance(table.get("chain"), list):
        raise NonsenseError(("chain",), "must be a name", "list series as [[series]]")
    given: dict[str, Any] = {}
    for name, kind in _TABLES.items():
        if name in table:
            given[name] = kind(**_table((name,), table.pop(name), kind))
    for name, item in _ARRAYS.items():
        if name in table:
            rows = _rows(name, table.pop(name))
            made = tuple(item(**_table((name, i), row, item)) for i, row in enumerate(rows))
            given["chain" if name == "series" else name] = made
    if "happens" in table:
        rows = _rows("happens", table.pop("happens"))
        given["happens"] = tuple(_happening(i, row) for i, row in enumerate(rows))
    given.update(_table((), table, Script))
    return Script(**given)


def _rows(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise NonsenseError((name,), "must be an array of tables", f"write [[{name}]]")
    return value


def _happening(i: int, row: Any) -> tuple[str, str]:
    if not isinstance(row, dict) or set(row) != {"at", "what"}:
        raise NonsenseError(("happens", i), "must hold `at` and `what`")
    at, what = row["at"], row["what"]
    at = f"{at:%H:%M}" if isinstance(at, dt.time) else at
    if not isinstance(at, str) or not isinstance(what, str):
        raise NonsenseError(("happens", i), "must hold a time and a line of text")
    return at, what


def _table(where: Where, values: Any, cls: type) -> dict[str, Any]:
    """The keys of one table as arguments of `cls`, each of the kind its field has."""
    if not isinstance(values, dict):
        raise NonsenseError(where, "must be a table")
    hints = get_type_hints(cls)
    defined = {f.name: f for f in dataclasses.fields(cls)}
    known = [*defined, "series"] if cls is Script else list(defined)
    out = {}
    for name, value in values.items():
        if name not in defined:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}"
            raise NonsenseError((*where, name), "is unknown", hint)
        out[name] = _value((*where, name), value, hints[name])
    for name, field in defined.items():
        without = field.default is dataclasses.MISSING
        without &= field.default_factory is dataclasses.MISSING
        if without and name not in out:
            raise NonsenseError((*where, name), "is missing", f"add {name} = …")
    return out


def _value(where: Where, value: Any, hint: Any) -> Any:
    """One value, of the kind that its field has."""
    if where == ("chain",):
        hint = str
    kinds = get_args(hint) if get_origin(hint) is not Literal else ()
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        if value not in choices:
            named = ", ".join(f'"{choice}"' for choice in choices)
            raise NonsenseError(where, f"is {_short(value)}", f"one of: {named}")
        return value
    if dt.time in (hint, *kinds):
        return _time(where, value)
    if hint is dt.date:
        return _date(where, value)
    if hint is str:
        if not isinstance(value, str):
            raise NonsenseError(where, f"must be text in quotes, not {_short(value)}")
        return value
    number = isinstance(value, int) or (hint is float and isinstance(value, float))
    if not number or isinstance(value, bool) or not math.isfinite(value):
        wanted = "a number" if hint is float else "a whole number"
        raise NonsenseError(where, f"must be {wanted}, not {_short(value)}")
    return value


def _time(where: Where, value: Any) -> dt.time:
    if isinstance(value, str) and re.fullmatch(r"\d{2}:\d{2}(:\d{2})?", value, re.ASCII):
        with contextlib.suppress(ValueError):
            value = dt.time.fromisoformat(value)
    if not isinstance(value, dt.time):
        raise NonsenseError(
            where, f"must be a time in New York, not {_short(value)}", "write it as 14:30:00"
        )
    return value


def _date(where: Where, value: Any) -> dt.date:
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = dt.date.fromisoformat(value)
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise NonsenseError(where, f"must be a date, not {_short(value)}", "write it as 2026-11-19")
    return value


def _short(value: Any) -> str:
    if isinstance(value, dt.date | dt.time):
        return str(value)
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _line(text: str, where: Where) -> str:
    """`:12` for the line of a key, of its table where it has none, else nothing."""
    # tomllib does not keep positions: look for the key below its table's head.
    table = tuple(str(part) for part in where[:-1] if isinstance(part, str))
    number = next((part for part in where if isinstance(part, int)), 0)
    name = where[-1]
    if isinstance(name, int):  # a whole table of an array
        table, name = (str(where[0]),), ""
    current: tuple[str, ...] = ()
    count: dict[tuple[str, ...], int] = {}
    head_line = 0
    for n, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}", line):
            current = tuple(part.strip(' "') for part in head[1].split("."))
            count[current] = count.get(current, -1) + 1
            if (*current,) == (*table, str(name)):
                return f":{n}"
            if current == table and count[current] == number:
                head_line = n
        elif current == table and count.get(current, 0) == number:
            if name and re.match(rf'\s*"?{re.escape(str(name))}"?\s*[=.]', line):
                return f":{n}"
        elif not current and table:
            dotted = r"\s*\.\s*".join(re.escape(part) for part in (*table, str(name)))
            if re.match(rf"\s*{dotted}\s*=", line):
                return f":{n}"
            if re.match(rf"\s*{re.escape(table[0])}\s*=", line):
                head_line = n
    return f":{head_line}" if head_line else ""
