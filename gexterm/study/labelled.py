"""The inferred flow against Cboe's Open-Close volume: what market makers did, by its own account.

Open-Close adds up series and intervals; it says nothing of single trades. What can be
compared is the net change of dealers' contracts by series (and interval).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gexterm.config import Settings
from gexterm.dealers import openclose
from gexterm.dealers.openclose import OpenCloseScore, compare_net, labelled
from gexterm.engine.book import session_date
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.errors import InputError
from gexterm.market.calendar import et
from gexterm.market.contracts import Contract
from gexterm.recording.openclose import OpenClose, read_openclose
from gexterm.recording.reader import Recording

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class LabelledAccuracy:
    """Our nets against labelled ones."""

    file: str
    """The Open-Close file."""
    interval: str
    """`day`, or `snapshot`: what a row of the comparison stands for."""
    rows: int
    """Series and intervals of the file that fall into the recording."""
    missing: int
    """Of those, how many name a contract that the recording does not list."""
    scores: tuple[OpenCloseScore, ...]
    """By tenor, 0DTE apart."""
    notes: tuple[str, ...]
    """What the file lacks."""


def compare(recording: Path, file: Path, settings: Settings) -> LabelledAccuracy:
    """Sign a recording's tape and hold it against an Open-Close file of the same day.

    Raises InputError when the two have no day in common or the recording has no tape.
    """
    with Recording(recording) as opened:
        if not opened.info.has_tape:
            raise InputError(f"{recording} has no tape", "record or simulate one with prints")
        table = read_openclose(file, opened.info.underlying)
        day = session_date(opened.begins)
        mine = np.array([et(int(t)).date() == day for t in table.ts], np.bool_)
        if not mine.any():
            raise InputError(
                f"{file} has no row of {day}, the day of {recording}", "name the file of that day"
            )
        engine = Engine(EngineSettings.of(settings, opened.info.underlying))
        times = [int(t) for t in np.unique(table.ts[mine])]
        known: dict[int, F64] = {}
        for event in opened.events():
            while times and getattr(event, "recv", 0) > times[0]:
                known[times[0]] = engine.gained(times[0])
                times.pop(0)
            engine.apply(event)
        for left in times:
            known[left] = engine.gained(left)
        contracts = list(engine.chain.contracts)
    return _score(table, mine, known, contracts, file, day.toordinal())


def _score(
    table: OpenClose,
    mine: NDArray[np.bool_],
    known: dict[int, F64],
    contracts: list[Contract],
    file: Path,
    day: int,
) -> LabelledAccuracy:
    number = {contract: i for i, contract in enumerate(contracts)}
    place = np.array([number.get(c, -1) for c in table.contracts], np.int64)
    at = np.flatnonzero(mine)
    told = labelled(table.quantity[..., at])
    who, when = table.contract[at], table.ts[at]
    ours = np.array(
        [
            known[int(t)][p] if p >= 0 and p < len(known[int(t)]) else np.nan
            for t, p in zip(when, place[who], strict=True)
        ]
    )
    theirs, volume = told.net, told.volume
    days = np.full(len(at), day, np.int64)
    snapshots = table.flavour == "interval"
    if snapshots:
        # A file that sums the day up is compared by what each snapshot added, like any other.
        ours = openclose.increments(who, when, days, ours)
        if openclose.cumulative(who, when, days, volume):
            theirs = openclose.increments(who, when, days, theirs)
            volume = openclose.increments(who, when, days, volume)
    tenor = np.array([table.contracts[i].expiry.toordinal() - day for i in who], np.float64)
    return LabelledAccuracy(
        file=file.name,
        interval="snapshot" if snapshots else "day",
        rows=len(at),
        missing=int(np.isnan(ours).sum()),
        scores=compare_net(ours, theirs, volume, tenor),
        notes=table.notes,
    )
