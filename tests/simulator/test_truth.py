"""The truth lies beside its recording, belongs to it alone, and is never in it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import ManualClock
from gexterm.errors import InputError, OutputError
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import Definitions, SourceInfo
from gexterm.recording.reader import Recording
from gexterm.recording.writer import Writer
from gexterm.simulator.run import Made, record
from gexterm.simulator.truth import (
    FORMAT,
    PRINT_COLUMNS,
    About,
    TrueBook,
    Truth,
    digest,
    read_truth,
    truth_path,
)
from tests.simulator import made

SHORT = made.script(2)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return record(SHORT, tmp_path_factory.mktemp("day") / "day.gexrec", truth=True)


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as wrong:
        read_truth(path)
    assert wrong.value.exit_code == 3
    assert "\n" not in str(wrong.value)
    return str(wrong.value)


def copied(recorded: Made, folder: Path) -> Path:
    path = folder / "day.gexrec"
    path.write_bytes(recorded.path.read_bytes())
    truth_path(path).write_bytes(truth_path(recorded.path).read_bytes())
    return path


def test_the_truth_takes_its_name_from_the_recording(recorded: Made) -> None:
    assert recorded.truth == truth_path(recorded.path)
    assert recorded.truth is not None
    assert recorded.truth.name == "day.truth.parquet"
    assert recorded.truth.is_file()


def test_what_was_kept_comes_back(recorded: Made) -> None:
    _, truth = made.run(SHORT)
    book = read_truth(recorded.path)
    assert truth.listing is not None
    assert book.contracts == truth.listing.contracts
    assert (book.opening == truth.opening).all()
    assert set(book.trades) == set(PRINT_COLUMNS)
    for name, column in truth.prints.items():
        assert (book.trades[name] == column).all()
        assert book.trades[name].dtype == PRINT_COLUMNS[name]
    assert (book.about.script, book.about.seed, book.about.format) == ("short", 11, FORMAT)
    end = int(book.trades["traded_at"].max()) + 10**12
    assert book.inventory_at(end) == pytest.approx(truth.closing)


def test_contracts_have_the_indices_of_the_recording(recorded: Made) -> None:
    with Recording(recorded.path) as recording:
        [defined] = [e for e in recording.events() if isinstance(e, Definitions)]
    assert read_truth(recorded.path).contracts == defined.contracts


def test_the_recording_is_the_same_with_and_without_truth(recorded: Made, tmp_path: Path) -> None:
    plain = record(SHORT, tmp_path / "plain.gexrec")
    assert plain.truth is None
    assert not truth_path(plain.path).exists()
    assert plain.path.read_bytes() == recorded.path.read_bytes()


def test_a_missing_truth_says_how_to_get_one(tmp_path: Path) -> None:
    words = refusal(tmp_path / "day.gexrec")
    assert words == f"there is no truth beside {tmp_path / 'day.gexrec'}; simulate with --truth"


def test_the_truth_of_another_recording_is_refused(recorded: Made, tmp_path: Path) -> None:
    path = copied(recorded, tmp_path)
    other = record(dataclasses.replace(SHORT, seed=12), path, truth=False, force=True)
    assert "is the truth of another recording than" in refusal(other.path)


def test_a_recording_written_anew_keeps_its_truth(recorded: Made, tmp_path: Path) -> None:
    path = copied(recorded, tmp_path)
    with Recording(recorded.path) as recording:
        info, *events = recording.events()
    assert isinstance(info, SourceInfo)
    with Writer(path, info, ManualClock(1), force=True, flush_bytes=1000) as writer:
        for event in events:
            writer.write(event)
    assert path.read_bytes() != recorded.path.read_bytes()
    assert digest(events) == recorded.events_sha256
    assert (read_truth(path).opening == read_truth(recorded.path).opening).all()


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, -1])
def test_a_truth_cut_short_is_refused(recorded: Made, tmp_path: Path, keep: float) -> None:
    path = copied(recorded, tmp_path)
    content = truth_path(path).read_bytes()
    size = int(len(content) * keep) if isinstance(keep, float) else int(keep)
    truth_path(path).write_bytes(content[:size])
    assert "is no truth that can be read; simulate again with --truth" in refusal(path)


def test_another_parquet_file_is_no_truth(recorded: Made, tmp_path: Path) -> None:
    import polars as pl

    path = copied(recorded, tmp_path)
    for frame in (
        pl.DataFrame({"a": [1]}),
        pl.DataFrame({"kind": ["about"], "text": ["{}"]}),
        pl.DataFrame({"kind": ["about"], "text": [None]}, schema_overrides={"text": pl.String}),
    ):
        frame.write_parquet(truth_path(path))
        assert "is no truth that can be read" in refusal(path)


def test_a_truth_with_holes_is_refused(recorded: Made, tmp_path: Path) -> None:
    import polars as pl

    path = copied(recorded, tmp_path)
    whole = pl.read_parquet(truth_path(path))
    last = pl.int_range(pl.len()) == pl.len() - 1
    for damaged in (
        whole.with_columns(pl.when(last).then(None).otherwise("dealer").alias("dealer")),
        whole.with_columns(pl.when(last).then(10**6).otherwise("contract").alias("contract")),
        whole.filter(pl.col("contract").fill_null(0) != 3),
        whole.drop("busted_at"),
    ):
        damaged.write_parquet(truth_path(path))
        assert "is no truth that can be read" in refusal(path)


def test_a_later_format_is_refused_by_its_number(recorded: Made, tmp_path: Path) -> None:
    path = tmp_path / "day.gexrec"
    path.write_bytes(recorded.path.read_bytes())
    _, truth = made.run(SHORT)
    about = About(format=FORMAT + 1, script="short", seed=11, gexterm="9")
    truth.write(truth_path(path), about)
    assert f"has format version {FORMAT + 1}, this gexterm reads {FORMAT}" in refusal(path)


def test_a_truth_does_not_replace_another_unless_told(tmp_path: Path) -> None:
    _, truth = made.run(SHORT)
    path, about = tmp_path / "x.truth.parquet", About(FORMAT, "short", 11, "0")
    truth.write(path, about)
    with pytest.raises(OutputError, match="exists already"):
        truth.write(path, about)
    truth.write(path, about, force=True)
    with pytest.raises(OutputError, match="cannot write the truth"):
        truth.write(tmp_path / "missing" / "x.truth.parquet", about)
    assert [p.name for p in tmp_path.iterdir()] == ["x.truth.parquet"]
    with pytest.raises(InputError, match="there is no truth to write"):
        Truth().write(path, about)


CALL = Contract("SPXW", dt.date(2026, 11, 19), Right.CALL, 6700.0)


def book_of(rows: list[dict[str, float]]) -> TrueBook:
    default = {"corrects": -1.0}
    columns = {
        name: np.array([row.get(name, default.get(name, 0.0)) for row in rows], dtype)
        for name, dtype in PRINT_COLUMNS.items()
    }
    return TrueBook(About(FORMAT, "hand", 1, "0"), (CALL,), np.array([100.0]), columns)


def test_inventory_follows_the_trades_not_their_reports() -> None:
    book = book_of([{"traded_at": 10, "ts": 50, "dealer": -7.0}])
    assert [float(book.inventory_at(t)[0]) for t in (9, 10, 50)] == [100.0, 93.0, 93.0]


def test_a_trade_taken_back_counts_until_it_is_and_its_correction_from_then_on() -> None:
    book = book_of(
        [
            {"traded_at": 10, "ts": 10, "dealer": -7.0, "busted_at": 30, "sequence": 5},
            {"traded_at": 10, "ts": 30, "dealer": -70.0, "corrects": 5, "sequence": 6},
        ]
    )
    assert [float(book.inventory_at(t)[0]) for t in (9, 10, 29, 30)] == [100.0, 93.0, 93.0, 30.0]


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(-9, 9)), max_size=20), st.integers(0, 99))
@settings(max_examples=50)
def test_inventory_is_the_opening_plus_what_was_gained_so_far(
    trades: list[tuple[int, int]], at: int
) -> None:
    book = book_of([{"traded_at": t, "ts": t, "dealer": float(q)} for t, q in trades])
    assert book.inventory_at(at)[0] == 100.0 + sum(q for t, q in trades if t <= at)
