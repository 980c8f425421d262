"""Earlier recordings of a day, read again for a session that begins later on it.

Their prints are signed as they were then. A recording that is read names what its own session
went on from only for its own replay: a day's recordings are read in order, each once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gexterm.engine.earlier import Earlier, Span
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.errors import GextermError
from gexterm.market.calendar import et
from gexterm.market.events import FeedReport
from gexterm.recording.codec import event_time
from gexterm.recording.reader import Recording
from gexterm.recording.retention import SUFFIX


@dataclass(frozen=True, eq=False, slots=True)
class Reread:
    """What came of reading them."""

    earlier: Earlier | None = None
    """What they add up to; None: there is nothing."""
    names: tuple[tuple[str, int], ...] = ()
    """Which were read, and how many events of each."""
    warning: str = ""
    """What could not be read, one line; empty: nothing."""


def _never() -> bool:
    return False


def of_today(folder: Path, now: int, stopped: Callable[[], bool] = _never) -> Reread:
    """All recordings in a folder that began on the day of `now`, ns, in New York.

    Not those of a venue's test server, where the market is made up. Gives up once `stopped`
    says so.
    """
    day = et(now).date().isoformat()
    try:
        found = sorted(
            (path for path in folder.glob(f"{day}T*{SUFFIX}") if path.is_file()),
            key=lambda path: (path.stem.split("-")[:3], len(path.stem), path.stem),
        )
    except OSError:
        return Reread()
    return read_again([(path, None) for path in found], stopped)


def of_recording(recording: Recording) -> Reread:
    """Those that a recording's session went on from; they lie beside it."""
    here = recording.path.parent
    named = recording.header.earlier
    return read_again([(here / Path(name).name, count) for name, count in named])


def read_again(
    paths: Sequence[tuple[Path, int | None]], stopped: Callable[[], bool] = _never
) -> Reread:
    """Recordings in order, of each so many events (None: all there are).

    What cannot be read is left out and told. Gives up, with nothing, once `stopped` says so.
    """
    earlier: Earlier | None = None
    names: list[tuple[str, int]] = []
    warnings: list[str] = []
    for path, count in paths:
        if stopped():
            return Reread()
        try:
            with Recording(path) as recording:
                info = recording.info
                if not info.has_tape or (count is None and info.mode == "simulated"):
                    continue
                earlier, read = _add(recording, count, earlier, stopped)
        except (GextermError, ValueError) as error:
            warnings.append(error.message if isinstance(error, GextermError) else str(error))
            continue
        names.append((path.name, read))
        if count is not None and read < count:
            warnings.append(f"{path} has lost {count - read:,} events since")
    said = f"not all of this day's earlier flow is known: {'; '.join(warnings)}"
    return Reread(earlier, tuple(names), said if warnings else "")


def _add(
    recording: Recording, count: int | None, before: Earlier | None, stopped: Callable[[], bool]
) -> tuple[Earlier | None, int]:
    engine = Engine(EngineSettings())
    engine.earlier = before
    read, ends, report = 0, 0, None
    for event in itertools.islice(recording.events(), count):
        if stopped():
            break
        engine.apply(event)
        read += 1
        ends = max(ends, event_time(event))
        report = event if isinstance(event, FeedReport) else report
    heard = report.heard_from if report is not None else 0
    if engine.signer is None or not ends:
        return before, read
    begins = heard or engine.signer.flow().epoch or recording.begins
    span = Span(min(begins, ends), ends)
    return engine.heard(span, report.gaps if report is not None else 0), read
