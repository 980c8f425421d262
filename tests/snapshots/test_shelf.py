"""Snapshots found again: listed, opened, and the oldest removed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from gexterm.errors import InputError, UsageError
from gexterm.reading.export import to_json
from gexterm.snapshots.meta import Taken, decode
from gexterm.snapshots.shelf import (
    Kept,
    beyond,
    chosen,
    find,
    keep_within,
    older_than,
    page_of,
    reading_of,
    shelf,
)
from gexterm.snapshots.write import write_snapshot
from tests.reading.readings import AS_OF, reading
from tests.snapshots.test_levels import full

MINUTE = 60 * 10**9


def keep(folder: Path, minutes: int = 0, note: str = "", **taken: object) -> Path:
    shown = full(as_of=AS_OF + minutes * MINUTE)
    return write_snapshot(folder, shown, None, note, Taken(**taken))  # type: ignore[arg-type]


def names(kept: list[Kept] | tuple[Kept, ...]) -> list[str]:
    return [each.name for each in kept]


def test_the_newest_comes_first_and_says_what_it_shows(tmp_path: Path) -> None:
    keep(tmp_path, 0, note="first")
    keep(tmp_path, 30, why="schedule", at=5, words="the 11:05 ET slot")
    newest, oldest = shelf(tmp_path).kept
    assert newest.as_of == AS_OF + 30 * MINUTE
    assert newest.meta.taken.words == "the 11:05 ET slot"
    assert newest.by_itself
    assert not oldest.by_itself
    told = oldest.meta.summary
    assert (told.underlying, told.spot, told.paradigm, told.flip) == (
        "SPX", 6012.35, "BofA", 5986.912,
    )  # fmt: skip
    assert told.probability == 0.83
    assert oldest.meta.taken.note == "first"


def test_of_one_second_the_one_written_last_comes_first(tmp_path: Path) -> None:
    for _ in range(12):
        keep(tmp_path)
    assert names(shelf(tmp_path).kept)[:3] == [
        f"SPX_2018-01-05_103500_ET{tail}" for tail in ("-12", "-11", "-10")
    ]


def test_a_folder_that_is_not_there_holds_none(tmp_path: Path) -> None:
    assert shelf(tmp_path / "none").kept == ()


def test_damaged_folders_are_told_and_stand_in_nobodys_way(tmp_path: Path) -> None:
    good = keep(tmp_path)
    for number, content in enumerate(
        (b"{", b"[]", b'{"schema": "gexterm.snapshot/9"}', b"\xff"), 2
    ):
        broken = tmp_path / f"{good.name}-{number}"
        broken.mkdir()
        (broken / "snapshot.json").write_bytes(content)
    (tmp_path / f"{good.name}-8").mkdir()
    (tmp_path / f"{good.name}-9").symlink_to("/nowhere")
    (tmp_path / "holiday pictures").mkdir()
    (tmp_path / ".snapshot-abc.part").mkdir()
    found = shelf(tmp_path)
    assert names(found.kept) == [good.name]
    assert len(found.damaged) == 6
    assert all("\n" not in line for line in found.damaged)
    assert any("gexterm.snapshot/9" in line for line in found.damaged)
    assert any("no reading.json" in line for line in found.damaged)


def test_one_from_before_there_was_metadata_is_read_from_its_reading(tmp_path: Path) -> None:
    old = keep(tmp_path)
    (old / "snapshot.json").unlink()
    (old / "page.md").unlink()
    (old / "note.txt").write_text("from last year\n")
    (kept,) = shelf(tmp_path).kept
    assert kept.meta.summary.spot == 6012.35
    assert kept.meta.taken.note == "from last year"
    assert "# SPX 6,012.35" in page_of(kept)
    assert not kept.by_itself, "nobody knows who wanted it"


def test_a_reading_comes_back_from_its_folder(tmp_path: Path) -> None:
    path = keep(tmp_path)
    assert to_json(reading_of(path)) == to_json(full())
    (path / "reading.json").write_text('{"schema": "gexterm.reading/0"}')
    with pytest.raises(InputError, match="reading/0"):
        reading_of(path)


def test_one_is_meant_by_number_name_beginning_or_path(tmp_path: Path) -> None:
    first, second = keep(tmp_path, 0), keep(tmp_path, 60)
    found = shelf(tmp_path)
    assert find(found, "1").path == second
    assert find(found, "2").path == first
    assert find(found, first.name).path == first
    assert find(found, "SPX_2018-01-05_11").path == second
    assert find(found, str(first)).path == first
    for wrong, words in (
        ("3", "no snapshot number 3"), ("0", "number 0"), ("SPX", "2 snapshots begin"),
        ("NDX", "no snapshot 'NDX'"), (str(tmp_path / "x"), "no folder"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            find(found, wrong)


def test_filters_narrow_down(tmp_path: Path) -> None:
    keep(tmp_path, 0, note="At the LINE")
    keep(tmp_path, 1, why="alert")
    kept = shelf(tmp_path).kept
    assert len(chosen(kept, underlying="spx")) == 2
    assert chosen(kept, underlying="NDX") == []
    assert [each.meta.taken.why for each in chosen(kept, why="alert")] == ["alert"]
    assert len(chosen(kept, note="line")) == 1
    assert len(chosen(kept, since=AS_OF + 1)) == 1
    assert len(chosen(kept, until=AS_OF + 1)) == 1
    assert chosen(kept, paradigm="sidial") == []


def test_the_oldest_that_came_by_itself_goes_first_and_what_was_wanted_never(
    tmp_path: Path,
) -> None:
    wanted = keep(tmp_path, 0)
    noted = keep(tmp_path, 1, note="mine", why="schedule")
    old = keep(tmp_path, 2, why="schedule")
    new = keep(tmp_path, 3, why="alert")
    kept = shelf(tmp_path).kept
    size = {each.path: each.size for each in kept}
    total = sum(size.values())
    assert beyond(kept, total) == []
    assert [each.path for each in beyond(kept, total - 1)] == [old]
    assert [each.path for each in beyond(kept, 0)] == [old, new]
    assert keep_within(tmp_path, 0) == [], "0 is no limit"
    removed = keep_within(tmp_path, (total - size[old] - size[new]) / 1e9)
    assert [each.path for each in removed] == [old, new]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([wanted.name, noted.name])


def test_ages_are_days_weeks_or_years() -> None:
    assert [older_than(text) for text in ("30d", "8w", "1y")] == [30, 56, 365]
    for text in ("", "30", "d", "-1d", "1h"):
        with pytest.raises(UsageError):
            older_than(text)


def test_metadata_names_program_time_reason_and_alert(tmp_path: Path) -> None:
    path = write_snapshot(
        tmp_path, reading(spot=math.nan), None, "n",
        Taken("alert", 1_515_166_571_000_000_001, "a line broke", alert={"kind": "lis breached"}),
    )  # fmt: skip
    told = json.loads((path / "snapshot.json").read_text())
    assert told["schema"] == "gexterm.snapshot/1"
    assert told["program"].startswith("gexterm ")
    assert told["taken_at"] == "2018-01-05T15:36:11.000000001Z"
    assert (told["why"], told["note"]) == ("alert", "n")
    assert told["alert"] == {"kind": "lis breached"}
    assert told["summary"]["spot"] is None
    back = decode((path / "snapshot.json").read_bytes())
    assert back.taken.at == 1_515_166_571_000_000_001
    assert math.isnan(back.summary.spot)
