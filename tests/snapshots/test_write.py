from __future__ import annotations

import errno
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from jsonschema import Draft202012Validator

from gexterm.errors import OutputError
from gexterm.reading.model import STRIKE_COLUMNS, ExpiryLine
from gexterm.reading.schema import schema
from gexterm.snapshots import write as module
from gexterm.snapshots.picture import Picture, Run
from gexterm.snapshots.write import snapshot_name, write_snapshot
from tests.reading.readings import reading

PICTURE = Picture(10, 1, ((Run("▐█▌ 2,730", "#ffffff", "#000000"),),), "#000000", "#ffffff")
NAME = "SPX_2018-01-05_103500_ET"


def test_a_snapshot_holds_picture_reading_and_strikes(tmp_path: Path) -> None:
    path = write_snapshot(tmp_path / "new" / "folder", reading(), PICTURE)
    assert path == tmp_path / "new" / "folder" / NAME
    assert sorted(p.name for p in path.iterdir()) == [
        "page.md",
        "reading.json",
        "screen.png",
        "screen.svg",
        "snapshot.json",
        "strikes.csv",
        "strikes.parquet",
    ]
    Draft202012Validator(schema()).validate(json.loads((path / "reading.json").read_text()))
    assert (path / "screen.png").read_bytes().startswith(b"\x89PNG")
    assert "SPX · 2018-01-05 10:35:00 ET · file · file" in (path / "screen.svg").read_text()


def test_strikes_come_back_as_they_were_with_null_for_unknown(tmp_path: Path) -> None:
    frame = pl.DataFrame({"strike": [2725.0, 2730.0], "gex": [1.5, math.nan]})
    path = write_snapshot(tmp_path, reading(strikes=frame), None)
    parquet = pl.read_parquet(path / "strikes.parquet")
    assert parquet.columns == list(STRIKE_COLUMNS)
    assert parquet["strike"].to_list() == [2725.0, 2730.0]
    assert parquet["gex"].to_list() == [1.5, None]
    assert parquet["vanna"].to_list() == [None, None]
    csv = pl.read_csv(
        path / "strikes.csv", schema_overrides=dict.fromkeys(STRIKE_COLUMNS, pl.Float64)
    )
    assert csv.equals(parquet)


def test_without_a_picture_there_is_none(tmp_path: Path) -> None:
    path = write_snapshot(tmp_path, reading(), None, note="at the line")
    names = {p.name for p in path.iterdir()}
    assert not names & {"screen.svg", "screen.png"}
    assert (path / "note.txt").read_text() == "at the line\n"


def test_a_second_snapshot_of_the_same_second_overwrites_nothing(tmp_path: Path) -> None:
    paths = [write_snapshot(tmp_path, reading(spot=float(i)), None) for i in range(3)]
    assert [p.name for p in paths] == [NAME, f"{NAME}-2", f"{NAME}-3"]
    spots = [json.loads((p / "reading.json").read_text())["spot"] for p in paths]
    assert spots == [0.0, 1.0, 2.0]


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("mine")
    (tmp_path / f"{NAME}-2").symlink_to("nowhere")
    assert write_snapshot(tmp_path, reading(), None).name == f"{NAME}-3"
    assert (tmp_path / NAME).read_text() == "mine"


@pytest.mark.parametrize("symbol", ["../../etc/passwd", "A/B\\C", "..", "", "\x1b[2J", "x" * 500])
def test_a_hostile_symbol_cannot_leave_the_folder(tmp_path: Path, symbol: str) -> None:
    path = write_snapshot(tmp_path / "snaps", reading(underlying=symbol), PICTURE)
    assert path.resolve().parent == (tmp_path / "snaps").resolve()
    assert path.name.isprintable()
    assert [p.name for p in tmp_path.iterdir()] == ["snaps"]


def test_crypto_options_keep_utc() -> None:
    line = ExpiryLine("2018-01-05", "BTC", "08:00 UTC", 1, 0.1, 1, 0.5, "svi", 2, 0, 0, 0, 0)
    assert snapshot_name(reading(underlying="BTC", expiries=(line,))) == "BTC_2018-01-05_153500_UTC"


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module._write

    def full(path: Path, content: bytes) -> None:
        if path.suffix == ".csv":
            path.write_bytes(content[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, content)

    monkeypatch.setattr(module, "_write", full)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        write_snapshot(tmp_path, reading(), PICTURE)
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        write_snapshot(blocked, reading(), None)
    assert blocked.read_text() == "a file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_one_clear_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            write_snapshot(tmp_path, reading(), None)
    finally:
        tmp_path.chmod(0o700)


def test_a_picture_that_cannot_be_drawn_writes_nothing(tmp_path: Path) -> None:
    bad = Picture(1, 1, ((Run("x", "red", "#000000"),),))
    with pytest.raises(OutputError, match="cannot be drawn"):
        write_snapshot(tmp_path, reading(), bad)
    assert list(tmp_path.iterdir()) == []


def test_killed_half_way_no_snapshot_stands_under_its_name(tmp_path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from gexterm.snapshots import write
from tests.reading.readings import reading
real = write._write
def write_and_die(path, content):
    real(path, content)
    if path.name == "strikes.parquet":
        os.kill(os.getpid(), signal.SIGKILL)
write._write = write_and_die
write.write_snapshot(Path({str(tmp_path)!r}), reading(), None)
"""
    root = Path(__file__).resolve().parents[2]
    died = subprocess.run([sys.executable, "-c", program], cwd=root, check=False)
    assert died.returncode == -signal.SIGKILL
    assert list(tmp_path.glob("SPX*")) == []
    assert len(list(tmp_path.glob(".snapshot-*.part/*"))) == 4, "it died in the middle"
    assert write_snapshot(tmp_path, reading(), None).name == NAME
