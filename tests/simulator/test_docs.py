"""The page on the synthetic market says what a script can ask for, and nothing else."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from gexterm.simulator.check import BOUNDS, CHAINS
from gexterm.simulator.mixes import MIXES
from gexterm.simulator.script import (
    Change,
    FlowScript,
    Gap,
    QuoteScript,
    Script,
    Series,
    SpotScript,
)
from gexterm.simulator.step import ORDERS
from gexterm.simulator.toml import read_script
from gexterm.simulator.truth import PRINT_COLUMNS

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"
TABLES = {
    "Top level": ("", Script),
    "`[spot]`": ("spot", SpotScript),
    "`[quotes]`": ("quotes", QuoteScript),
    "`[flow]`": ("flow", FlowScript),
    "`[[series]]`": ("series", Series),
    "`[[changes]]`": ("changes", Change),
    "`[[gaps]]`": ("gaps", Gap),
}
APART = {"spot", "quotes", "flow", "changes", "gaps", "happens"}
"""Fields of a script that are tables of their own."""


def sections() -> dict[str, str]:
    """Text under each heading of the third level, up to the next heading."""
    parts = re.split(r"^#{2,3} (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> dict[str, list[str]]:
    """Cells of each row of a table, by the key in its first cell."""
    cells = [
        [c.strip() for c in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    return {row[0].strip("`"): row for row in cells}


def section(begin: str) -> dict[str, list[str]]:
    [text] = [text for head, text in sections().items() if head.startswith(begin)]
    return rows(text)


def default(field: dataclasses.Field[Any]) -> str:
    """As the page writes it."""
    value = field.default
    if value is dataclasses.MISSING:
        return "needed"
    if value is None:
        return "–"
    if isinstance(value, str):
        return f'`"{value}"`'
    return f"`{value}`" if isinstance(value, dt.date) else f"`{number(value)}`".replace(",", "_")


def number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.15g}"


@pytest.mark.parametrize("head", TABLES)
def test_every_key_is_there_with_its_default_and_bounds(head: str) -> None:
    name, cls = TABLES[head]
    table = section(head)
    fields = {f.name: f for f in dataclasses.fields(cls) if not (name == "" and f.name in APART)}
    assert set(table) == set(fields)
    for key, field in fields.items():
        bounds = BOUNDS.get(f"{name}.{key}" if name else key)
        assert table[key][2] == default(field), key
        assert table[key][3] == (" to ".join(map(number, bounds)) if bounds else "–"), key


def test_what_is_a_table_of_its_own_has_a_section() -> None:
    heads = " ".join(sections())
    for name in APART:
        assert f"[{name}]" in heads


def test_every_choice_is_named() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for choice in (*CHAINS, *MIXES, "hit", "miss", "lower", "upper", "winner", "sells", "buys"):
        assert f"`{choice}`" in page or f'"{choice}"' in page, choice


def test_mixes_have_the_shares_that_the_page_gives() -> None:
    table = rows(sections()["How customers trade"])
    for name, mix in MIXES.items():
        assert [float(cell) for cell in table[name][1:]] == [getattr(mix, o) for o in ORDERS]


def test_every_column_of_the_truth_is_explained() -> None:
    table = section("The truth")
    told = {name for key in table for name in key.replace("`", "").split(", ")}
    assert set(PRINT_COLUMNS) <= told
    kinds = {"int64": "i64", "int32": "i32", "int16": "i16", "int8": "i8", "float64": "f64"}
    for key, row in table.items():
        for name in key.replace("`", "").split(", "):
            if name in PRINT_COLUMNS:
                assert row[1] == kinds[PRINT_COLUMNS[name].__name__], name


def test_the_order_types_are_numbered_as_in_the_truth() -> None:
    meaning = section("The truth")["order"][2]
    assert meaning == ", ".join(f"{i} {name}" for i, name in enumerate(ORDERS))


def test_the_example_is_a_script(tmp_path: Path) -> None:
    text = sections()["A script"]
    example = textwrap.dedent("\n".join(li for li in text.splitlines() if li.startswith("    ")))
    path = tmp_path / "example.toml"
    path.write_text(example, encoding="utf-8")
    script = read_script(path)
    assert script.intent == "Sidial"
    assert [change.intent for change in script.changes] == ["BofA"]
    assert script.flow.tilt == 0.4
