"""The sample feed of the first release, made again from its seed.

    python -m gexterm.simulator.sample sample_feeds/first-light.gexrec

Writes the recording, and its entry in `metadata.json` beside it. The same seed
gives the same events; how many bytes they take is up to the recording's format and
zstandard's version.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import zstandard

import gexterm
from gexterm.clock import NS, ManualClock
from gexterm.errors import GextermError
from gexterm.market.calendar import NEW_YORK, at_et
from gexterm.market.events import Definitions, Event, SourceInfo
from gexterm.recording.reader import Recording
from gexterm.recording.samples import METADATA, Happening, Sample, encode_metadata, list_samples
from gexterm.recording.writer import Writer
from gexterm.simulator.day import NOTE, Script, Series, events

_DAY = dt.date(2026, 11, 13)


FIRST_LIGHT = Script(
    underlying="SPX",
    begins=at_et(_DAY, dt.time(10, 0)),
    seconds=35 * 60,
    seed=20261113,
    last_close=6700.0,
    path=(
        (0, 6691.0),
        (210, 6686.0),
        (420, 6692.0),
        (840, 6715.0),
        (1080, 6727.0),
        (1200, 6728.0),
        (1410, 6748.2),
        (1500, 6744.5),
        (1800, 6723.0),
        (1950, 6718.0),
        (2100, 6721.0),
    ),
    series=(
        Series("SPXW", _DAY, 5, 0.030, 0.025, 2400, 1),
        Series("SPXW", dt.date(2026, 11, 16), 5, 0.025, 0.020, 1500, 6),
        Series("SPX", dt.date(2026, 11, 20), 25, 0.075, 0.050, 6000, 10),
        Series("SPXW", dt.date(2026, 11, 20), 10, 0.060, 0.040, 3000, 10),
        Series("SPXW", dt.date(2026, 11, 30), 25, 0.090, 0.055, 3500, 15),
        Series("SPXW", dt.date(2026, 12, 11), 25, 0.120, 0.070, 1500, 15),
        Series("SPX", dt.date(2026, 12, 18), 25, 0.140, 0.080, 9000, 15),
        Series("SPXW", dt.date(2026, 12, 18), 25, 0.140, 0.080, 2500, 15),
        Series("SPX", dt.date(2027, 1, 15), 50, 0.200, 0.110, 6000, 20),
        Series("SPX", dt.date(2027, 2, 19), 50, 0.250, 0.140, 5000, 20),
    ),
)
"""Thirty-five minutes of a Friday that is no third Friday; see `sample_feeds/metadata.json`."""

NAME = "first-light"
TITLE = "First light: 35 minutes of an expiration morning"
HAPPENS = (
    ("10:00", "under customer-flow: Anti-GEX and long gamma, spot below the flip at 6,699"),
    ("10:09", "spot up through the flip: short gamma from here on"),
    ("10:16", "open interest has gone into the money: Anti-GEX gives way to Mixed, then to BofA"),
    ("10:21", "under squeezemetrics the same rally is GEX, then Sidial, and hits its target 6,735"),
    ("10:22", "spot comes near the upper line in the sand, 6,750"),
    ("10:23", "the line is touched, and spot turns"),
    ("10:28", "back down to the lower line, 6,725"),
    ("10:30", "BofA gives way to Mixed, then to Anti-GEX: the label of 10:00 again"),
)
"""What happens when, market time in New York."""


def write(path: Path, script: Script = FIRST_LIGHT) -> str:
    """Write the recording, replacing one that is there; return its events' `digest`."""
    info, *rest = events(script)
    if not isinstance(info, SourceInfo):
        raise TypeError("a session begins with its source")
    # The clock stands still, so that blocks end by size alone and not by our speed.
    with Writer(path, info, ManualClock(script.begins), force=True) as writer:
        for event in rest:
            writer.write(event)
    return digest(rest)


def digest(made: Iterable[Event]) -> str:
    """SHA-256 over the values of events, whatever form they are recorded in."""
    total = hashlib.sha256()
    for event in made:
        total.update(type(event).__name__.encode())
        for field in dataclasses.fields(event):
            value = getattr(event, field.name)
            is_array = isinstance(value, np.ndarray)
            total.update(value.tobytes() if is_array else repr(value).encode())
    return total.hexdigest()


def describe(path: Path, events_sha256: str, script: Script = FIRST_LIGHT) -> Sample:
    """The metadata of a recording that `write` made."""
    with Recording(path) as recording:
        made = list(recording.events())
    begins = dt.datetime.fromtimestamp(script.begins // NS, NEW_YORK)
    content = path.read_bytes()
    return Sample(
        name=NAME,
        file=path.name,
        title=TITLE,
        note=NOTE,
        command=f"python -m gexterm.simulator.sample sample_feeds/{path.name}",
        seed=script.seed,
        made_with={
            "gexterm": gexterm.__version__,
            "numpy": np.__version__,
            "zstandard": zstandard.__version__,
        },
        date=begins.date().isoformat(),
        begins=f"{begins:%H:%M:%S}",
        ends=f"{begins + dt.timedelta(seconds=script.seconds):%H:%M:%S}",
        contracts=sum(len(e.contracts) for e in made if isinstance(e, Definitions)),
        events=len(made),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        events_sha256=events_sha256,
        happens=tuple(Happening(at, what) for at, what in HAPPENS),
    )


def main(arguments: list[str]) -> int:
    """Write the recording named on the command line, and the metadata beside it."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m gexterm.simulator.sample FILE.gexrec\n")
        return 2
    path = Path(arguments[0])
    try:
        sample = describe(path, write(path))
        known = list_samples(path.parent) if (path.parent / METADATA).exists() else ()
        others = [found.sample for found in known if found.name != NAME]
        (path.parent / METADATA).write_bytes(encode_metadata((*others, sample)))
    except GextermError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stderr.write(f"{path}: {sample.bytes:,} bytes, {sample.events:,} events\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
