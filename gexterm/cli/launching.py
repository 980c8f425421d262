"""What the start screen can open: sample feeds, recordings, venues."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gexterm.errors import GextermError, UsageError

if TYPE_CHECKING:
    from gexterm.config import Settings
    from gexterm.reading.model import Reading
    from gexterm.session.live import LiveSession
    from gexterm.ui.launch import Entry, Ribbon

DEMO_SPEED = 10.0
"""Half an hour of market in three and a half minutes: a newcomer sees something happen."""
PARTS = 48
"""Parts of a ribbon, at most."""
MOST_RECORDINGS = 200
"""Recordings listed, the newest first."""
SMALL = 12_000_000
"""Bytes up to which a recording's paradigms are read without being asked for."""
UNDERLYINGS = {
    "deribit": ("BTC", "ETH"),
    "cboe": ("SPX", "NDX", "RUT", "VIX", "XSP", "SPY", "QQQ"),
}
"""What to offer of a venue; the others carry the American list."""
AMERICAN = ("SPX", "NDX", "RUT", "VIX", "SPY", "QQQ", "IWM")


class CommandLauncher:
    """Opens what the commands `demo`, `replay` and `live` open, with the same settings."""

    def __init__(self, chosen: Settings) -> None:
        self._chosen = chosen

    async def entries(self) -> tuple[Entry, ...]:
        """Sample feeds, recordings with the newest first, venues."""
        return await asyncio.to_thread(self._entries)

    def _entries(self) -> tuple[Entry, ...]:
        return (*_samples(), *_recordings(self._folder()), *_venues())

    def _folder(self) -> Path:
        from gexterm.cli.opening import recordings_folder

        return recordings_folder(self._chosen)

    async def ribbon(self, entry: Entry, *, any_size: bool = False) -> Ribbon | None:
        """Paradigms of a sample or recording, remembered once they have been read.

        Reading a large file takes long: it is read when `any_size` says so.
        """
        if entry.kind == "feed":
            return None
        stop = threading.Event()
        try:
            return await asyncio.to_thread(self._ribbon, entry, any_size, stop)
        finally:
            stop.set()  # who leaves does not wait until all of it is read

    def _ribbon(self, entry: Entry, any_size: bool, stop: threading.Event) -> Ribbon | None:
        import msgspec

        from gexterm import paths
        from gexterm.ui.launch import Ribbon

        path = _path_of(entry)
        try:
            about = path.stat()
        except OSError:
            return None
        sign = f"2 {path.resolve()} {about.st_size} {about.st_mtime_ns}".encode()
        kept = paths.ribbons() / f"{hashlib.sha256(sign).hexdigest()[:24]}.json"
        try:
            return msgspec.json.decode(kept.read_bytes(), type=Ribbon)
        except (OSError, msgspec.MsgspecError):
            pass
        if about.st_size > SMALL and not any_size:
            return None
        found = _read_ribbon(path, self._chosen, stop)
        if found is not None:
            try:
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(msgspec.json.encode(found))
            except OSError:
                pass  # read again next time
        return found

    @asynccontextmanager
    async def open(self, entry: Entry, underlying: str = "") -> AsyncIterator[LiveSession]:
        """A running session of an entry."""
        if entry.kind == "feed":
            async with self._live(entry.name, underlying or entry.underlying) as session:
                yield session
            return
        from gexterm.cli.common import kept_book, open_recording
        from gexterm.cli.opening import playing

        with await asyncio.to_thread(open_recording, _path_of(entry)) as recording:
            carried = await asyncio.to_thread(kept_book, None, False, recording)
            speed = DEMO_SPEED if entry.kind == "sample" else 1.0
            async with playing(recording, self._chosen, speed=speed, carry=carried) as session:
                yield session

    @asynccontextmanager
    async def _live(self, feed: str, underlying: str) -> AsyncIterator[LiveSession]:
        from gexterm.cli.feedchoice import feed_choice
        from gexterm.cli.opening import living
        from gexterm.feeds import credentials
        from gexterm.feeds.venue import find_venue

        if not underlying:
            raise UsageError(f"{feed} has many underlyings", "name one, such as SPX or BTC")
        venue = find_venue(feed)
        protocol = venue.make(underlying, credentials.load(venue), feed_choice(venue, {}))
        record = self._chosen.record == "on"
        async with living(protocol, venue, underlying, self._chosen, record=record) as session:
            yield session


def _path_of(entry: Entry) -> Path:
    if entry.kind == "recording":
        return Path(entry.name)
    from gexterm.recording.samples import find_sample

    return find_sample(entry.name).path


def _samples() -> list[Entry]:
    from gexterm.market.calendar import parse_when
    from gexterm.recording.samples import list_samples
    from gexterm.ui.launch import Entry

    out = []
    for found in list_samples():
        sample = found.sample
        happens = "; ".join(f"{h.at} {h.what}" for h in sample.happens)
        out.append(
            Entry(
                "sample",
                sample.name,
                sample.title,
                f"{sample.note}. {happens}" if happens else sample.note,
                "SPX",
                begins=parse_when(f"{sample.date}T{sample.begins}", None),
                ends=parse_when(f"{sample.date}T{sample.ends}", None),
                bytes=sample.bytes,
            )
        )
    return out


def _recordings(folder: Path) -> list[Entry]:
    from gexterm.ui.launch import Entry

    try:
        files = [(file.stat().st_mtime, file) for file in folder.rglob("*.gexrec")]
    except OSError as error:
        return [
            Entry("recording", str(folder), "recordings cannot be listed", ready=False,
                  needs=f"{folder}: {error.strerror}")
        ]  # fmt: skip
    files.sort(reverse=True)
    found = [_recording(file) for _, file in files[:MOST_RECORDINGS]]
    # The newest ones, as their times are shown: two that ran side by side end in any order.
    return sorted(found, key=lambda entry: entry.begins, reverse=True)


def _recording(file: Path) -> Entry:
    from gexterm.recording.reader import Recording
    from gexterm.ui.launch import Entry

    size = file.stat().st_size
    try:
        with Recording(file) as recording:
            info = recording.info
            return Entry(
                "recording",
                str(file),
                info.feed,
                info.note,
                info.underlying,
                begins=recording.begins,
                ends=recording.ends,
                bytes=size,
            )
    except (GextermError, OSError) as error:
        return Entry("recording", str(file), file.name, bytes=size, ready=False, needs=str(error))


def _venues() -> list[Entry]:
    from gexterm.cli.feeds import readiness
    from gexterm.feeds.venue import VENUES, find_venue
    from gexterm.ui.launch import Entry

    out = []
    for name in VENUES:
        venue = find_venue(name)
        state = readiness(venue)
        ready = state.startswith("ready")
        offered = UNDERLYINGS.get(name, AMERICAN)
        out.append(
            Entry(
                "feed",
                name,
                venue.title,
                f"needs: {venue.needs}. Delay: {venue.delay}",
                offered[0] if len(offered) == 1 else "",
                underlyings=offered,
                ready=ready,
                needs="" if ready else state,
            )
        )
    return out


class _Stopped(Exception):  # noqa: N818  it is no error
    """Nobody waits for it any more."""


def _read_ribbon(path: Path, chosen: Settings, stop: threading.Event) -> Ribbon | None:
    """Read a recording through, a Reading each part of it; None once `stop` is set."""
    from gexterm.cli.common import open_recording
    from gexterm.engine.walk import readings
    from gexterm.ui.launch import Ribbon

    def look(_reading: Reading) -> None:
        if stop.is_set():
            raise _Stopped

    try:
        with open_recording(path) as recording:
            length = (recording.ends - recording.begins) / 1e9
            step = max(60, -(-round(length) // PARTS))
            said = [
                (reading.positions.view, reading.zero_dte.paradigm)
                for reading in readings(recording, chosen, every_s=float(step), on_tick=look)
            ]
    except (GextermError, _Stopped):
        return None
    # Before the first print is signed a convention stands in for the inferred view. Its label
    # is another book's, and is left out.
    view = said[-1][0] if said else ""
    labels = tuple("" if of != view or label == "No data" else label for of, label in said)
    return Ribbon(labels, float(step)) if labels else None
