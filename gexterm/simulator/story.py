"""What happens in a simulated recording, measured: its own quotes, its true book.

Nothing is taken from the script. The recording is priced as any other, the dealer's
true inventory is put on that surface, and the paradigm is read from it every so often;
spot is what the recording says. The sample feeds' descriptions are made from this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from gexterm.clock import NS
from gexterm.exposure.paradigm import ParadigmReading
from gexterm.market.calendar import et
from gexterm.market.chain import Chain
from gexterm.market.events import UnderlyingPrice
from gexterm.market.settlement import expiry_of
from gexterm.pricing.chain import Pricer
from gexterm.recording.reader import Recording
from gexterm.simulator.steering import SIDIAL_WITHIN
from gexterm.simulator.trueview import BookReader, by_row
from gexterm.simulator.truth import TrueBook, read_truth

EVERY_S = 30
"""Seconds between readings."""
LASTS = 6
"""A label is told once it has held for so many readings in a row."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The true book at one moment."""

    at: int
    """Market time, ns."""
    spot: float
    """Index, points."""
    reading: ParadigmReading
    """The paradigm of the true book on the recording's own quotes."""


@dataclass(frozen=True, eq=False, slots=True)
class Story:
    """A recording with its truth, read through."""

    truth: TrueBook
    """The true book."""
    moments: tuple[Moment, ...]
    """Readings, `EVERY_S` apart."""
    spots: tuple[tuple[int, float], ...]
    """Every price of the index: time, ns, and points."""


def read_story(path: Path) -> Story:
    """Read a recording and its truth through. Raises InputError as `read_truth`."""
    truth = read_truth(path)
    chain, pricer = Chain(expiry_of), Pricer()
    moments: list[Moment] = []
    spots: list[tuple[int, float]] = []
    with Recording(path) as recording:
        reader = BookReader(et(recording.info.begins).date())
        due = recording.info.begins + EVERY_S * NS
        for event in recording.events():
            chain.apply(event)
            if not isinstance(event, UnderlyingPrice):
                continue
            spots.append((event.ts, event.price))
            if event.ts < due:
                continue
            due += EVERY_S * NS
            rows = chain.rows(event.ts)
            surface, _ = pricer.price(rows)
            reading = reader.read(surface, by_row(rows.layout, truth.inventory_at(event.ts)))
            moments.append(Moment(event.ts, event.price, reading))
    return Story(truth, tuple(moments), tuple(spots))


def tell(story: Story) -> tuple[tuple[str, str], ...]:
    """What happens when: New York minute and one line each, in order of time."""
    told = [*_labels(story), *_levels(story), *_balance(story)]
    return tuple((_minute(at), what) for at, what in sorted(told, key=lambda one: one[0]))


def _minute(at: int) -> str:
    return f"{et(at):%H:%M}"


def _points(level: float) -> str:
    return f"{level:,.0f}"


def _labels(story: Story) -> list[tuple[int, str]]:
    """The labels of the true book that last."""
    told: list[tuple[int, str]] = []
    moments, last = story.moments, ""
    for i, moment in enumerate(moments):
        label = moment.reading.label
        run = moments[i : i + LASTS]
        if label == last or len(run) < LASTS or any(m.reading.label != label for m in run):
            continue
        begins = "the true book reads" if not last else "the true book turns"
        told.append((moment.at, f"{begins} {label}{_where(moment.reading)}"))
        last = label
    return told


def _where(reading: ParadigmReading) -> str:
    lower, upper, target = reading.lis_lower, reading.lis_upper, reading.target
    lines = [_points(level) for level in (lower, upper) if not math.isnan(level)]
    parts = []
    if lines:
        parts.append(f"line{'s' * (len(lines) > 1)} in the sand {' and '.join(lines)}")
    if not math.isnan(target):
        parts.append(f"target {_points(target)}")
    return f", {', '.join(parts)}" if parts else ""


def _levels(story: Story) -> list[tuple[int, str]]:
    """When spot first reaches the levels as they were observed, and where it ends."""
    seen = story.truth.about.observed
    if not seen:
        return []
    since, start = int(seen["at"]), float(seen["spot"])
    after = [(at, spot) for at, spot in story.spots if at > since]
    as_read = f"as read at {_minute(since)}"
    told: list[tuple[int, str]] = []
    ends_at, end = after[-1]
    if seen["label"] == "Sidial":
        target = float(seen["target"])
        off = abs(end - target)
        near = "within" if off <= SIDIAL_WITHIN * start else "not within"
        where = f"{near} 0.1 % of the target {_points(target)}"
        told.append(
            (
                ends_at,
                f"spot ends at {_points(end)}, {where}, {as_read}",
            )
        )
        return told
    for name, words in (
        ("target", "reaches the target"),
        ("lower", "falls through the line"),
        ("upper", "rises through the line"),
    ):
        if name not in seen:
            continue
        level = float(seen[name])
        strict = name != "target"
        hit = next((at for at, spot in after if _beyond(spot, level, start, strict)), None)
        if hit is not None:
            told.append((hit, f"spot {words} {_points(level)}, {as_read}"))
    lines = {name: float(seen[name]) for name in ("lower", "upper") if name in seen}
    out = [name for name, level in lines.items() if _beyond(end, level, start, True)]
    if out:
        told.append((ends_at, f"spot ends at {_points(end)}, beyond the {out[0]} line"))
    elif len(lines) == 2:
        told.append((ends_at, f"spot ends at {_points(end)}, between the lines"))
    return told


def _beyond(spot: float, level: float, start: float, strict: bool) -> bool:
    side = 1.0 if level > start else -1.0
    return side * (spot - level) > 0.0 or (not strict and spot == level)


def _balance(story: Story) -> list[tuple[int, str]]:
    """Where the true book says nothing most of the time, how often."""
    mixed = sum(m.reading.label in {"Mixed", "No data"} for m in story.moments)
    if 2 * mixed < len(story.moments):
        return []
    count = len(story.moments)
    what = f"over the whole of it the true book reads Mixed in {mixed} of {count} readings"
    return [(story.spots[-1][0], what)]
