from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from gexterm.reading import model
from gexterm.reading.export import to_dict
from gexterm.reading.schema import field_docs, schema, schema_json
from tests.reading.readings import reading

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "reading.schema.json"
CLASSES = [
    getattr(model, name)
    for name in field_docs(model)
    if dataclasses.is_dataclass(getattr(model, name)) and name != "LookBack"
]


def _objects(node: Any) -> list[dict[str, Any]]:
    found = [node] if isinstance(node, dict) and "properties" in node else []
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return found + [o for child in children for o in _objects(child)]


def test_the_schema_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_the_published_schema_is_the_one_the_model_makes() -> None:
    assert PUBLISHED.read_bytes() == schema_json(), (
        "run: python -m gexterm.reading.schema > docs/reading.schema.json"
    )


def test_running_the_module_prints_the_schema() -> None:
    out = subprocess.run(
        [sys.executable, "-m", "gexterm.reading.schema"], capture_output=True, check=True
    )
    assert out.stdout == schema_json()


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_field_stands_in_the_schema_and_no_other(cls: type) -> None:
    whole = schema()
    part = whole if cls is model.Reading else whole["$defs"][cls.__name__]
    names = {field.name for field in dataclasses.fields(cls)} - {"look_back"}
    assert set(part["properties"]) == names == set(part["required"])


def test_every_strike_column_stands_in_the_schema() -> None:
    row = schema()["$defs"]["StrikeRow"]
    assert list(row["properties"]) == list(model.STRIKE_COLUMNS) == row["required"]


def test_every_object_is_closed_and_every_field_described() -> None:
    for part in _objects(schema()):
        assert part["additionalProperties"] is False
        for name, field in part["properties"].items():
            assert len(field["description"]) > 5, name
            assert "NaN" not in field["description"], name


def test_no_time_is_described_in_nanoseconds() -> None:
    described = [
        field["description"]
        for part in _objects(schema())
        for field in part["properties"].values()
        if field.get("format") == "date-time"
    ]
    assert len(described) == 6
    assert all("ISO 8601 UTC" in text for text in described)


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("spot"),
        lambda d: d.update(extra=1),
        lambda d: d.update(schema="gexterm.reading/2"),
        lambda d: d.update(as_of=1),
        lambda d: d["zero_dte"].update(paradigm="Bull"),
        lambda d: d["strikes"][0].update(strike="2725"),
        lambda d: d["health"].update(crossed=1.5),
    ],
)
def test_what_is_no_reading_does_not_validate(damage: Any) -> None:
    out = json.loads(json.dumps(to_dict(reading())))
    Draft202012Validator(schema()).validate(out)
    damage(out)
    with pytest.raises(ValidationError):
        Draft202012Validator(schema()).validate(out)
