"""What the start screen offers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from gexterm.cli import launching
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


def test_a_venue_says_what_it_needs_and_how_late_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    deribit = next(entry for entry in launching._venues() if entry.name == "deribit")
    assert deribit.detail.startswith("needs: nothing. Delay: none; ")
