"""Old recordings go by age and by total; nothing that is not ours ever does."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import ManualClock
from gexterm.recording import books
from gexterm.recording.frames import FramesHeader, FramesWriter
from gexterm.recording.retention import Kept, RetentionSettings, kept, plan, tidy
from gexterm.recording.writer import Writer
from tests.recording.made import INFO, OPEN

TODAY = dt.date(2018, 1, 20)


def file(day: int, size: int = 10, raw: bool = False, name: str = "093000") -> Kept:
    date = dt.date(2018, 1, day)
    path = Path(f"/r/v/u/{date}T{name}{'.frames' if raw else '.gexrec'}")
    return Kept(path, date, size, raw)


def days(files: list[Kept]) -> list[int]:
    return [each.date.day for each in files]


def test_without_limits_nothing_goes() -> None:
    settings = RetentionSettings(0, 0, 0)
    assert plan([file(1), file(2, raw=True)], settings, TODAY) == []


def test_what_is_older_than_so_many_days_goes() -> None:
    files = [file(day) for day in (9, 10, 11, 20)]
    assert days(plan(files, RetentionSettings(10, 0, 0), TODAY)) == [9]


def test_raw_frames_have_an_age_of_their_own_and_never_outlive_the_days() -> None:
    files = [file(day, raw=raw) for day in (5, 12, 18) for raw in (False, True)]
    gone = plan(files, RetentionSettings(0, 7, 0), TODAY)
    assert [(f.date.day, f.raw) for f in gone] == [(5, True), (12, True)]
    gone = plan(files, RetentionSettings(10, 99, 0), TODAY)
    assert sorted((f.date.day, f.raw) for f in gone) == [(5, False), (5, True)]


def test_over_the_total_frames_go_first_and_then_the_oldest_days() -> None:
    files = [file(day, 10, raw) for day in (1, 2, 3) for raw in (False, True)]
    gone = plan(files, RetentionSettings(0, 0, 25), TODAY)
    assert [(f.date.day, f.raw) for f in gone] == [(1, True), (2, True), (3, True), (1, False)]


def test_what_is_being_written_stays_but_counts() -> None:
    files = [file(1, 100), file(2, 100)]
    gone = plan(files, RetentionSettings(1, 1, 50), TODAY, writing=[files[0].path])
    assert gone == [files[1]]


FILES = st.lists(
    st.builds(
        file,
        st.integers(1, 20),
        st.integers(0, 50),
        st.booleans(),
        st.integers(0, 999999).map("{:06d}".format),
    ),
    max_size=20,
    unique_by=lambda each: each.path,
)


@settings(max_examples=100, deadline=None)
@given(FILES, st.integers(0, 10), st.integers(0, 10), st.integers(0, 400), st.data())
def test_a_plan_keeps_its_limits_and_takes_no_more_than_it_must(
    files: list[Kept], age: int, frames_age: int, most: int, data: st.DataObject
) -> None:
    writing = data.draw(st.sets(st.sampled_from(files))) if files else set()
    settings = RetentionSettings(age, frames_age, most)
    gone = plan(files, settings, TODAY, [each.path for each in writing])
    assert len(set(gone)) == len(gone)
    assert not set(gone) & writing
    left = [each for each in files if each not in gone]
    free = [each for each in left if each not in writing]
    if age:
        assert all((TODAY - each.date).days <= age for each in free)
    if most:
        assert sum(each.bytes for each in left) <= most or not free
        # The last one that went for the total was needed.
        young = [g for g in gone if not plan([g], RetentionSettings(age, frames_age, 0), TODAY)]
        if young:
            assert sum(each.bytes for each in left) + young[-1].bytes > most
    frames_left = [each for each in free if each.raw]
    recordings_gone = [g for g in gone if not g.raw and (not age or (TODAY - g.date).days <= age)]
    assert not (frames_left and recordings_gone), "raw frames go before days do"


# -- on a disk -----------------------------------------------------------------------------


def recording(folder: Path, day: int, *, close: bool = True) -> Writer:
    folder.mkdir(parents=True, exist_ok=True)
    writer = Writer(folder / f"2018-01-{day:02d}T093000.gexrec", INFO, ManualClock(OPEN))
    if close:
        writer.close()
    return writer


ALL = RetentionSettings(1, 1, 0)


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


def test_our_own_old_files_go(tmp_path: Path) -> None:
    ours = tmp_path / "deribit" / "BTC"
    recording(ours, 1)
    recording(ours, 20)
    FramesWriter(ours / "2018-01-01T093000.frames", FramesHeader("deribit", "BTC")).close()
    gone = tidy(tmp_path, ALL, TODAY)
    assert sorted(each.path.name for each in gone) == [
        "2018-01-01T093000.frames",
        "2018-01-01T093000.gexrec",
    ]
    assert names(tmp_path) == ["deribit/BTC/2018-01-20T093000.gexrec"]


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    ours = tmp_path / "deribit" / "BTC"
    recording(ours, 1).path.rename(ours / "my favourite day.gexrec")
    (ours / "2018-01-01T093000.gexrec").write_text("named like ours, and is not")
    (ours / "2018-01-01T093000.frames").write_bytes(b"")
    (ours / "2018-01-01T093000.truth.parquet").write_text("beside")
    (ours / "2018-13-99T093000.gexrec").write_text("no date")
    recording(tmp_path, 1)
    recording(tmp_path / "deribit", 1)
    recording(ours / "deeper", 1)
    before = names(tmp_path)
    assert tidy(tmp_path, RetentionSettings(1, 1, 1), TODAY) == []
    assert names(tmp_path) == before


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    recording(outside / "BTC", 1)
    root = tmp_path / "root"
    (root / "deribit").mkdir(parents=True)
    (root / "linked").symlink_to(outside)
    (root / "deribit" / "BTC").symlink_to(outside / "BTC")
    (root / "deribit" / "ETH").mkdir()
    target = outside / "BTC" / "2018-01-01T093000.gexrec"
    (root / "deribit" / "ETH" / target.name).symlink_to(target)
    assert kept(root) == []
    assert tidy(root, ALL, TODAY) == []
    assert target.exists()
    assert (root / "deribit" / "ETH" / target.name).is_symlink()


def test_a_folder_that_becomes_a_link_meanwhile_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    ours = root / "deribit" / "BTC"
    recording(ours, 1)
    recording(outside, 1)

    def swapped(*args: object) -> list[Kept]:
        going = plan(*args)  # type: ignore[arg-type]
        ours.rename(root / "moved")
        ours.symlink_to(outside)
        return going

    monkeypatch.setattr("gexterm.recording.retention.plan", swapped)
    assert tidy(root, ALL, TODAY) == []
    assert names(outside) == ["2018-01-01T093000.gexrec"]


def test_what_another_program_is_writing_stays(tmp_path: Path) -> None:
    ours = tmp_path / "deribit" / "BTC"
    writer = recording(ours, 1, close=False)
    assert tidy(tmp_path, ALL, TODAY) == []
    writer.close()
    assert len(tidy(tmp_path, ALL, TODAY)) == 1


def test_a_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert tidy(tmp_path / "absent", ALL, TODAY) == []


# -- books beside recordings -----------------------------------------------------------------


def book(folder: Path, day: int) -> Path:
    path = folder / f"2018-01-{day:02d}T093000.book"
    path.write_bytes(books.MAGIC + bytes(40))
    return path


def test_a_book_goes_with_its_recording_and_never_before_it(tmp_path: Path) -> None:
    ours = tmp_path / "deribit" / "BTC"
    for day in (1, 18, 20):
        recording(ours, day)
        book(ours, day)
    tidy(tmp_path, ALL, TODAY)
    assert names(tmp_path) == [
        "deribit/BTC/2018-01-20T093000.book",
        "deribit/BTC/2018-01-20T093000.gexrec",
    ]


def test_a_book_stays_while_its_recording_is_being_written(tmp_path: Path) -> None:
    ours = tmp_path / "deribit" / "BTC"
    writer = recording(ours, 1, close=False)
    path = book(ours, 1)
    assert tidy(tmp_path, ALL, TODAY) == []
    assert plan(kept(tmp_path), ALL, TODAY, writing=[writer.path]) == []
    assert path.exists()
    writer.close()
    assert [each.path.suffix for each in tidy(tmp_path, ALL, TODAY)] == [".gexrec", ".book"]


def test_a_book_counts_in_the_total_and_one_without_its_recording_goes_by_age(
    tmp_path: Path,
) -> None:
    ours = tmp_path / "deribit" / "BTC"
    for day in (19, 20):
        recording(ours, day)
        book(ours, day)
    total = sum(file.bytes for file in kept(tmp_path))
    assert plan(kept(tmp_path), RetentionSettings(0, 0, total), TODAY) == []
    gone = plan(kept(tmp_path), RetentionSettings(0, 0, total - 1), TODAY)
    assert [file.path.name for file in gone] == [
        "2018-01-19T093000.gexrec",
        "2018-01-19T093000.book",
    ]
    book(ours, 2)
    assert [file.path.name for file in tidy(tmp_path, ALL, TODAY)] == ["2018-01-02T093000.book"]


def test_what_is_named_like_a_book_and_is_none_is_not_touched(tmp_path: Path) -> None:
    ours = tmp_path / "deribit" / "BTC"
    recording(ours, 1)
    (ours / "2018-01-01T093000.book").write_text("a novel")
    tidy(tmp_path, ALL, TODAY)
    assert names(tmp_path) == ["deribit/BTC/2018-01-01T093000.book"]
