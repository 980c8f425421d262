"""Why, when and by what a snapshot was taken, and what it shows in a line.

It lies in the folder as `snapshot.json`, so that a thousand snapshots can be listed
without reading a thousand Readings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import msgspec

from gexterm import __version__
from gexterm.errors import InputError
from gexterm.reading.export import iso_time
from gexterm.reading.model import Reading
from gexterm.reading.restore import parse_time
from gexterm.snapshots import wording

SCHEMA = "gexterm.snapshot/1"
"""Name and version of `snapshot.json`."""

Why = Literal["key", "schedule", "alert", "command"]
"""What had it taken."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How a snapshot came about."""

    why: Why = "key"
    """What had it taken."""
    at: int = 0
    """Wall time, ns since 1970 UTC; 0 not known."""
    words: str = ""
    """More about why, for a person: which slot, which alert."""
    late_s: float = 0.0
    """How late after its slot, seconds of the market."""
    note: str = ""
    """What the user wrote."""
    alert: Mapping[str, Any] | None = None
    """The alert that had it taken: at (ISO 8601), kind, severity, text, level, replay."""
    program: str = f"gexterm {__version__}"
    """Name and version of the program."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a Reading says in a line."""

    underlying: str
    """Index or stock."""
    as_of: int
    """Market time, ns."""
    clock: str
    """On whose clock its market lives: `ET` or `UTC`."""
    spot: float
    """Points."""
    scope: str
    """Which expiries."""
    view: str
    """Sign view."""
    mode: str
    """live, delayed, replay, simulated or file."""
    feed: str
    """Who delivered."""
    paradigm: str
    """0DTE label."""
    probability: float
    """P(that label); NaN under a convention."""
    gamma: str
    """Gamma state."""
    flip: float
    """Points; NaN none."""
    signed_share: float
    """Share of the printed volume that carries a sign; NaN no print."""


@dataclass(frozen=True, slots=True)
class Meta:
    """All of `snapshot.json`."""

    taken: Taken
    """How it came about."""
    summary: Summary
    """What it shows."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What a later version of the program has added."""


def summary(reading: Reading) -> Summary:
    """What a Reading says in a line."""
    zero = reading.zero_dte
    return Summary(
        underlying=reading.underlying,
        as_of=reading.as_of,
        clock=wording.market_time(reading)[1],
        spot=reading.spot,
        scope=reading.scope,
        view=reading.positions.view,
        mode=reading.source.mode,
        feed=reading.source.feed,
        paradigm=zero.paradigm,
        probability=wording.probability(zero),
        gamma=reading.gamma.state,
        flip=reading.gamma.flip,
        signed_share=reading.positions.signed_share,
    )


def encode(meta: Meta) -> bytes:
    """`snapshot.json`: indented, unknown numbers null, times ISO 8601 in UTC."""
    taken, told = meta.taken, meta.summary
    out = {
        "schema": SCHEMA,
        "program": taken.program,
        "taken_at": iso_time(taken.at) if taken.at else None,
        "why": taken.why,
        "words": taken.words,
        "late_s": taken.late_s,
        "note": taken.note.encode(errors="replace").decode(),
        "alert": None if taken.alert is None else dict(taken.alert),
        "summary": {
            name: iso_time(told.as_of) if name == "as_of" else _known(getattr(told, name))
            for name in Summary.__dataclass_fields__
        },
        **meta.extra,
    }
    return msgspec.json.format(msgspec.json.encode(out), indent=2) + b"\n"


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def decode(content: bytes) -> Meta:
    """What `encode` wrote.

    Raises InputError for anything else, and for another version of the form.
    """
    try:
        found = msgspec.json.decode(content)
        if not isinstance(found, dict):
            raise TypeError("it is no object")
        if found.get("schema") != SCHEMA:
            raise InputError(
                f"it is of the form {wording.clean(str(found.get('schema')))[:40]!r},"
                f" not {SCHEMA!r}",
                "read it with the gexterm that wrote it",
            )
        return _meta(found)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"it is no JSON ({error})") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"it is not as gexterm writes it ({type(error).__name__}: {error})") from (
            None
        )


def _meta(found: dict[str, Any]) -> Meta:
    told = found["summary"]

    def number(name: str) -> float:
        return math.nan if told[name] is None else float(told[name])

    why = found["why"]
    if why not in get_args(Why):
        raise ValueError(f"why is {why!r}")
    alert = found.get("alert")
    taken = Taken(
        why=why,
        at=parse_time(found["taken_at"]) if found.get("taken_at") else 0,
        words=str(found.get("words", "")),
        late_s=float(found.get("late_s") or 0.0),
        note=str(found.get("note", "")),
        alert=dict(alert) if alert is not None else None,
        program=str(found["program"]),
    )
    known = {"schema", "program", "taken_at", "why", "words", "late_s", "note", "alert", "summary"}
    return Meta(
        taken,
        Summary(
            underlying=str(told["underlying"]),
            as_of=parse_time(told["as_of"]),
            clock=str(told["clock"]),
            spot=number("spot"),
            scope=str(told["scope"]),
            view=str(told["view"]),
            mode=str(told["mode"]),
            feed=str(told["feed"]),
            paradigm=str(told["paradigm"]),
            probability=number("probability"),
            gamma=str(told["gamma"]),
            flip=number("flip"),
            signed_share=number("signed_share"),
        ),
        {name: value for name, value in found.items() if name not in known},
    )
