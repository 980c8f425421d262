"""What the start screen offers."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gexterm import paths
from gexterm.cli import launching
from gexterm.config import Settings
from gexterm.engine import walk
from gexterm.recording.reader import Recording
from gexterm.recording.samples import find_sample


def test_recordings_are_listed_by_the_times_they_show(tmp_path: Path) -> None:
    # Two monitors side by side: the one that began first ends last.
    for name, sample, ended in (("a", "first-light", 2000), ("b", "gex-target", 1000)):
        made = tmp_path / f"{name}.gexrec"
        shutil.copy(find_sample(sample).path, made)
        os.utime(made, (ended, ended))
    (tmp_path / "c.gexrec").write_bytes(b"no recording")
    found = launching._recordings(tmp_path)
    assert [Path(entry.name).stem for entry in found] == ["b", "a", "c"]
    assert found[0].begins > found[1].begins > 0
    assert not found[2].ready
    assert found[2].needs


def inside(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_who_leaves_does_not_wait_for_a_recording_to_be_read_through(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "ribbons", lambda: tmp_path)
    begun, go_on = threading.Event(), threading.Event()
    ticks = list[int]()

    def readings(*_: object, on_tick: Callable[[object], None], **__: object) -> Iterator[object]:
        while True:
            ticks.append(1)
            begun.set()
            assert go_on.wait(30)
            on_tick(None)

    monkeypatch.setattr(walk, "readings", readings)
    launcher = launching.CommandLauncher(Settings())
    entry = next(e for e in await launcher.entries() if e.name == "first-light")
    reading = asyncio.create_task(launcher.ribbon(entry))
    await asyncio.to_thread(begun.wait, 30)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert len(ticks) == 1
    assert not inside(tmp_path)


def test_a_venue_says_what_it_needs_and_how_late_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    deribit = next(entry for entry in launching._venues() if entry.name == "deribit")
    assert deribit.detail.startswith("needs: nothing. Delay: none; ")


async def test_a_ribbon_shows_one_book_and_not_what_stood_in_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "ribbons", lambda: tmp_path)
    found = find_sample("bofa").path
    with Recording(found) as recording:
        first, second, *_ = walk.readings(recording, Settings(), every_s=63.0)
    assert (first.positions.view, first.zero_dte.paradigm) == ("customer-flow", "Anti-GEX")
    assert second.positions.view == "combined"
    launcher = launching.CommandLauncher(Settings())
    entry = next(e for e in await launcher.entries() if e.name == "bofa")
    ribbon = await launcher.ribbon(entry)
    assert ribbon is not None
    assert ribbon.labels[:2] == ("", second.zero_dte.paradigm)
    assert "Anti-GEX" not in ribbon.labels
