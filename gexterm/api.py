"""What notebooks and programs use; all of it is `gexterm.NAME`.

Everything here works offline, without a terminal, a clock or the user's settings: the same
input gives the same output. Frames that come out are polars'. Whatever is wrong raises a
`gexterm.errors.GextermError` whose text says what and what to do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import polars as pl

from gexterm import quotes as _quotes
from gexterm.config import Settings
from gexterm.engine import oneshot, walk
from gexterm.engine.carry import book_of
from gexterm.engine.inquiry.inquirer import Inquirer
from gexterm.engine.rereading import of_recording
from gexterm.errors import InputError
from gexterm.market.calendar import et, parse_when
from gexterm.reading import export, fields, restore
from gexterm.reading.inquiry import Suppose, Supposed
from gexterm.reading.model import Reading
from gexterm.recording.reader import Recording
from gexterm.recording.samples import list_samples
from gexterm.snapshots import levels as _levels
from gexterm.snapshots import shelf
from gexterm.snapshots.compare import Comparison
from gexterm.snapshots.compare import compare as _compare

if TYPE_CHECKING:
    import datetime as dt

    When = str | int | dt.datetime
    """A time: `10:30`, `2026-11-20 10:30` (New York), an aware datetime, or ns since 1970."""

__all__ = [
    "Comparison",
    "Inquirer",
    "Reading",
    "Recorded",
    "Settings",
    "Suppose",
    "Supposed",
    "analyse",
    "ask",
    "compare",
    "from_json",
    "levels",
    "open_recording",
    "read_chain",
    "read_snapshot",
    "samples",
    "table",
    "to_json",
    "what_if",
]


# -- one Reading --------------------------------------------------------------------------


def read_chain(
    path: str | Path,
    *,
    at: When | None = None,
    root: str | None = None,
    view: str | None = None,
    scope: str | None = None,
    settings: Settings | None = None,
) -> Reading:
    """The Reading of a chain file: a Cboe quote page, Cboe delayed quotes, DataShop's chain.

    `at` is when its quotes stood, where the file does not say; `root` the option root, where
    it has no column for it. `view` is a sign view (`customer-flow`, `squeezemetrics`, …),
    `scope` which expiries: `0dte`, `all` or a date. Raises InputError.

    >>> import gexterm
    >>> gexterm.read_chain("nowhere.csv")
    Traceback (most recent call last):
    ...
    gexterm.errors.InputError: ...nowhere.csv...
    """
    when = at if at is None or isinstance(at, str) else _quotes.instant(at)
    return oneshot.read_chain_file(
        Path(path), settings or Settings(), at=when, root=root, view=view, scope=scope
    )


def analyse(
    quotes: object,
    *,
    as_of: When,
    spot: float = math.nan,
    root: str | None = None,
    view: str | None = None,
    scope: str | None = None,
    settings: Settings | None = None,
) -> Reading:
    """The Reading of quotes in a polars or pandas frame, a mapping of columns, or a file.

    Needed columns: `expiry` (a date, or ISO text), `strike` (points), `right` (C or P, call
    or put), `bid`, `ask` (points). Used where there: `root` (option root, which decides the
    settlement: SPX or SPXW; else the argument), `open_interest`, `volume` (contracts),
    `bid_size`, `ask_size`. Other columns are ignored. A file is .parquet or .csv with these
    columns. `as_of` is when the quotes stood; `spot` the underlying, implied from the chain
    where it is not given. Rows that make no sense are left out and told in
    `reading.health.warnings`. Raises InputError.

    >>> import gexterm
    >>> strikes = [90.0, 95.0, 100.0, 105.0, 110.0]
    >>> calls = [10.4, 6.1, 2.8, 0.9, 0.2]
    >>> puts = [0.3, 1.0, 2.7, 5.8, 10.1]
    >>> chain = {
    ...     "expiry": ["2026-11-27"] * 10,
    ...     "strike": strikes * 2,
    ...     "right": ["C"] * 5 + ["P"] * 5,
    ...     "bid": [p - 0.05 for p in calls + puts],
    ...     "ask": [p + 0.05 for p in calls + puts],
    ...     "open_interest": [100, 300, 900, 400, 100, 100, 500, 800, 200, 50],
    ... }
    >>> reading = gexterm.analyse(chain, as_of="2026-11-20 10:30", root="XYZ", spot=100.1)
    >>> reading.underlying, reading.positions.view, reading.gamma.call_wall
    ('XYZ', 'customer-flow', 100.0)
    """
    chain = _quotes.chain_of(quotes, as_of=as_of, spot=spot, root=root)
    return oneshot.reading_of_chain(chain, settings or Settings(), view=view, scope=scope)


# -- recordings ---------------------------------------------------------------------------


def samples() -> dict[str, Path]:
    """The sample feeds that come with the program: name to recording.

    >>> import gexterm
    >>> sorted(gexterm.samples())[:3]
    ['anti-gex', 'bofa', 'first-light']
    """
    return {each.name: each.path for each in list_samples()}


class Recorded:
    """A recording, open for reading; a context manager. See `open_recording`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self._recording = Recording(path)
        self._settings = settings

    @property
    def path(self) -> Path:
        """The file."""
        return self._recording.path

    @property
    def underlying(self) -> str:
        """Index or stock."""
        return self._recording.info.underlying

    @property
    def begins(self) -> dt.datetime:
        """Market time of the first event, New York."""
        return et(self._recording.market_begins)

    @property
    def ends(self) -> dt.datetime:
        """Market time of the last event, New York."""
        return et(self._recording.market_ends)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read so far, one line each."""
        return tuple(self._recording.warnings)

    def readings(
        self,
        *,
        every: float = 60.0,
        start: When | None = None,
        end: When | None = None,
        view: str | None = None,
        scope: str | None = None,
    ) -> Iterator[Reading]:
        """Readings in order, every so many market seconds; the last one stands at the end.

        They are computed as they are asked for. What a Reading says does not depend on
        `every` from a minute on. Raises InputError for times that the recording lacks.
        """
        book, earlier, warnings = self._before()
        return walk.readings(
            self._recording,
            self._settings,
            every_s=every,
            start=self._when(start),
            end=self._when(end),
            view=view,
            scope=scope,
            carry=book,
            earlier=earlier,
            warnings=warnings,
        )

    def at(
        self, when: When | None = None, *, view: str | None = None, scope: str | None = None
    ) -> Reading:
        """The Reading at a time; without one, at the end. Raises InputError."""
        return self.ask(when, view=view, scope=scope).reading

    def ask(
        self, when: When | None = None, *, view: str | None = None, scope: str | None = None
    ) -> Inquirer:
        """Whom to ask about that time: `supposed`, `curves`, `smile`, `outlook`, `tape`."""
        book, earlier, warnings = self._before()
        return oneshot.ask_recording(
            self._recording,
            self._settings,
            at=self._when(when),
            view=view,
            scope=scope,
            carry=book,
            earlier=earlier,
            warnings=warnings,
        )

    def close(self) -> None:
        """Close the file. Harmless when repeated."""
        self._recording.close()

    def _before(self) -> tuple[Any, Any, tuple[str, ...]]:
        """What its positions go on from: the book and the flow that lie beside it."""
        book, wrong = book_of(self._recording)
        again = of_recording(self._recording)
        return book, again.earlier, tuple(filter(None, (wrong, again.warning)))

    def _when(self, when: When | None) -> int | None:
        if when is None:
            return None
        if isinstance(when, str):
            return parse_when(when, self.begins.date())
        return _quotes.instant(when)

    def __enter__(self) -> Recorded:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_recording(path: str | Path, *, settings: Settings | None = None) -> Recorded:
    """Open a recording: a path, or the name of a sample feed. Raises InputError.

    >>> import gexterm
    >>> with gexterm.open_recording("first-light") as day:
    ...     print(day.underlying, f"{day.begins:%H:%M} to {day.ends:%H:%M}")
    ...     reading = day.at("10:20")
    ...     print(reading.zero_dte.paradigm, reading.source.mode)
    ...     later = [r.spot for r in day.readings(every=300, start="10:25")]
    SPX 10:00 to 10:35
    BofA simulated
    >>> len(later)
    3
    """
    file = Path(path)
    if not file.exists():
        file = samples().get(str(path), file)
    if not file.exists():
        raise InputError(
            f"there is no recording {path}", f"sample feeds are: {', '.join(samples())}"
        )
    return Recorded(file, settings or Settings())


# -- what if ------------------------------------------------------------------------------


def ask(
    source: str | Path,
    *,
    at: When | None = None,
    view: str | None = None,
    scope: str | None = None,
    settings: Settings | None = None,
) -> Inquirer:
    """Whom to ask about a recording, a sample feed or a chain file at a time.

    It has the `reading`, and answers `supposed`, `curves`, `smile`, `outlook` and `tape`.
    Raises InputError.

    >>> import gexterm
    >>> curves = gexterm.ask("first-light", at="10:20").curves()
    >>> curves.values["gamma"].shape == curves.spots.shape
    True
    """
    path = Path(source)
    if not path.exists():
        path = samples().get(str(source), path)
    if _is_recording(path):
        with open_recording(path, settings=settings) as day:
            return day.ask(at, view=view, scope=scope)
    when = at if at is None or isinstance(at, str) else _quotes.instant(at)
    return oneshot.ask_chain_file(path, settings or Settings(), at=when, view=view, scope=scope)


def what_if(
    source: str | Path,
    *,
    spot_change: float = 0.0,
    vol_points: float = 0.0,
    minutes: float = 0.0,
    at: When | None = None,
    view: str | None = None,
    scope: str | None = None,
    settings: Settings | None = None,
) -> Supposed:
    """The whole book elsewhere: spot changed (−0.005: half a per cent lower), vol, later.

    Positions stay what they are: nobody trades. The answer has the `reading`, the `base` it
    departs from, and `notes` on what was cut. Raises InputError.

    >>> import gexterm
    >>> answer = gexterm.what_if("first-light", at="10:20", spot_change=-0.005)
    >>> round(answer.reading.spot / answer.base.spot - 1, 6)
    -0.005
    """
    suppose = Suppose(spot_change, vol_points, minutes)
    return ask(source, at=at, view=view, scope=scope, settings=settings).supposed(suppose)


def _is_recording(path: Path) -> bool:
    from gexterm.recording.format import MAGIC

    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except FileNotFoundError:
        raise InputError(
            f"there is no file {path}", f"sample feeds are: {', '.join(samples())}"
        ) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


# -- what a Reading becomes ---------------------------------------------------------------


def levels(reading: Reading) -> pl.DataFrame:
    """The price levels of a Reading, highest first; what is not known is not there.

    Columns: name, price (points), kind (spot, flip, wall, line, target), distance (level
    minus spot, points), sigma (the same in remaining standard deviations), low and high
    (80 % band, points; null under a convention).

    >>> import gexterm
    >>> with gexterm.open_recording("first-light") as day:
    ...     found = gexterm.levels(day.at("10:20"))
    >>> found["kind"].unique().sort().to_list()
    ['flip', 'line', 'spot', 'wall']
    """
    found = _levels.levels(reading)
    numbers = {
        "price": [each.price for each in found],
        "distance": [each.distance for each in found],
        "sigma": [each.sigma for each in found],
        "low": [each.band.low for each in found],
        "high": [each.band.high for each in found],
    }
    frame = pl.DataFrame(
        {
            "name": pl.Series([each.name for each in found], dtype=pl.String),
            "kind": pl.Series([each.kind for each in found], dtype=pl.String),
            **{
                name: pl.Series([x if math.isfinite(x) else None for x in column], dtype=pl.Float64)
                for name, column in numbers.items()
            },
        }
    )
    return frame.select("name", "price", "kind", "distance", "sigma", "low", "high")


def table(readings: Iterable[Reading], *names: str) -> pl.DataFrame:
    """Fields of many Readings, one row each: `gamma.flip`, `zero_dte.paradigm`, ….

    `as_of` comes first unless it is named. Times are UTC datetimes, what is not known is
    null, parts that are lists stay lists. Raises UsageError for a field that there is not.

    >>> import gexterm
    >>> with gexterm.open_recording("first-light") as day:
    ...     frame = gexterm.table(day.readings(every=600), "spot", "zero_dte.paradigm")
    >>> frame.columns, frame.height
    (['as_of', 'spot', 'zero_dte.paradigm'], 5)
    """
    asked = fields.parse(names if "as_of" in names else ("as_of", *names))
    rows = [fields.pick(each, asked) for each in readings]
    frame = pl.DataFrame(
        {field.name: [row[field.name] for row in rows] for field in asked}, strict=False
    )
    times = [
        field.name
        for field in asked
        if field.steps[-1] in export.TIMES and frame.schema[field.name] == pl.String
    ]
    return frame.with_columns(
        pl.col(name).str.to_datetime(time_unit="ns", time_zone="UTC") for name in times
    )


def compare(before: Reading, after: Reading, *, strikes: int = 5) -> Comparison:
    """What moved from one Reading to another, and by how much.

    `loud` says what makes the two differ in kind (underlying, view, scope, source): look
    there first. `strikes` is how many of the largest changes by strike are told.

    >>> import gexterm
    >>> with gexterm.open_recording("first-light") as day:
    ...     moved = gexterm.compare(day.at("10:05"), day.at("10:30"))
    >>> moved.loud, [each.name for each in moved.labels if each.changed][0]
    ((), 'paradigm')
    """
    return _compare(before, after, strikes=strikes)


def to_json(reading: Reading) -> str:
    """One line of JSON, of the form of `docs/reading.schema.json`."""
    return export.to_json(reading).decode()


def from_json(text: str | bytes) -> Reading:
    """The Reading that a line of `gexterm watch --json`, or `to_json`, holds.

    All but `look_back`, which the form does not carry. Raises InputError.

    >>> import gexterm
    >>> with gexterm.open_recording("first-light") as day:
    ...     reading = day.at("10:20")
    >>> gexterm.from_json(gexterm.to_json(reading)).gamma.flip == reading.gamma.flip
    True
    """
    return restore.from_json(text)


def read_snapshot(folder: str | Path) -> Reading:
    """The Reading that a snapshot's folder holds. Raises InputError."""
    return shelf.reading_of(Path(folder))
