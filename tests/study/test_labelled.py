"""Our nets against what the exchange says market makers did: an Open-Close file of a known day."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.config import Settings
from gexterm.dealers.flow import Flow
from gexterm.dealers.signer import Signer
from gexterm.errors import InputError
from gexterm.market.calendar import et, session_close_ns
from gexterm.market.contracts import Right
from gexterm.recording import books
from gexterm.recording.samples import find_sample
from gexterm.simulator.truth import TrueBook, read_truth
from gexterm.study.labelled import LabelledAccuracy, compare
from gexterm.study.report import labelled_json, labelled_text
from tests.cli.invoke import gexterm
from tests.study.days import TWELVE

F64 = NDArray[np.float64]
HEAD = [
    "underlying_symbol", "option_symbol", "expiration_date", "strike_price", "call_put_flag",
    "mm_buy_vol", "mm_sell_vol", "cust_lt_100_open_buy_vol", "cust_lt_100_open_sell_vol",
]  # fmt: skip


def gained(truth: TrueBook, since: int, until: int) -> tuple[F64, F64]:
    """Contracts that dealers bought and sold between two times, by contract."""
    trades = truth.trades
    when = np.where(trades["corrects"] >= 0, trades["ts"], trades["traded_at"])
    mine = (when > since) & (when <= until)
    n = len(truth.contracts)
    net = np.bincount(trades["contract"][mine], trades["dealer"][mine], n)
    gone = (trades["busted_at"] > since) & (trades["busted_at"] <= until)
    net -= np.bincount(trades["contract"][gone], trades["dealer"][gone], n)
    volume = np.bincount(trades["contract"][mine], trades["size"][mine], n)
    bought = np.maximum(0.5 * (volume + net), np.maximum(net, 0.0))
    return bought, bought - net


def write(path: Path, truth: TrueBook, begins: int, times: list[int]) -> Path:
    """Open-Close as of some times, each row what traded since the time before it.

    One time alone is the close: an end-of-day file. Market makers are the dealer,
    customers their counterparty.
    """
    eod = len(times) == 1
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["quote_date" if eod else "quote_datetime", *HEAD])
        since = begins - 1
        for until in times:
            bought, sold = gained(truth, since, until)
            stamp = et(until).strftime("%Y-%m-%d" if eod else "%Y-%m-%d %H:%M:%S")
            for i in np.flatnonzero(bought + sold > 0.0):
                c = truth.contracts[i]
                right = "C" if c.right is Right.CALL else "P"
                sides = [repr(float(x)) for x in (bought[i], sold[i], sold[i], bought[i])]
                out.writerow([stamp, "^SPX", c.root, c.expiry.isoformat(), c.strike, right, *sides])
            since = until
    return path


@pytest.fixture(scope="module")
def truth(day: Path) -> TrueBook:
    return read_truth(day)


@pytest.fixture(scope="module")
def begins(truth: TrueBook) -> int:
    return int(truth.trades["traded_at"].min())


@pytest.fixture(scope="module")
def eod(truth: TrueBook, begins: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "eod.csv"
    return write(path, truth, begins, [session_close_ns(TWELVE.date)])


@pytest.fixture(scope="module")
def interval(truth: TrueBook, begins: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "interval.csv"
    first = begins // (60 * NS) * 60 * NS
    return write(path, truth, begins, [first + k * 240 * NS for k in (1, 2, 3)])


@pytest.fixture
def omniscient(truth: TrueBook, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signer that knows every order: up to the time it was settled at."""
    known = {"at": 0}
    settle = Signer.settle

    def settled(self: Signer, now: int | None = None) -> None:
        known["at"] = now or 0
        settle(self, now)

    def flow(self: Signer) -> Flow:
        n = len(truth.contracts)
        mean = truth.inventory_at(known["at"]) - truth.opening
        return Flow(mean, np.zeros(n), np.zeros((40, 2, n)))

    monkeypatch.setattr(Signer, "settle", settled)
    monkeypatch.setattr(Signer, "flow", flow)


def named(found: LabelledAccuracy, tenor: str):
    return next(score for score in found.scores if score.tenor == tenor)


@pytest.mark.parametrize("flavour", ["eod", "interval"])
class TestWithTheTrueFlow:
    def test_every_score_is_perfect(self, flavour, day, request, omniscient) -> None:
        found = compare(day, request.getfixturevalue(flavour), Settings())
        assert found.missing == 0
        assert found.interval == ("day" if flavour == "eod" else "snapshot")
        for tenor in ("all", "0DTE"):
            score = named(found, tenor)
            assert score.count > 50
            assert score.sign_agreement == pytest.approx(1.0)
            assert score.spearman == pytest.approx(1.0)
            assert score.slope == pytest.approx(1.0)


@pytest.mark.parametrize("flavour", ["eod", "interval"])
class TestWithOurFlow:
    def test_scores_are_better_than_chance_and_not_perfect(self, flavour, day, request) -> None:
        found = compare(day, request.getfixturevalue(flavour), Settings())
        score = named(found, "0DTE")
        assert 0.55 < score.sign_agreement < 0.97
        assert 0.2 < score.spearman < 0.97
        # Doubtful prints are pulled towards no side: we say less than there is.
        assert 0.2 < score.slope < 1.1
        assert found.rows == named(found, "all").count

    def test_tenors_are_told_apart(self, flavour, day, request) -> None:
        found = compare(day, request.getfixturevalue(flavour), Settings())
        counts = {score.tenor: score.count for score in found.scores}
        assert counts["0DTE"] + counts["8–30 days"] == counts["all"]
        assert counts["8–30 days"] > 0
        assert not counts["1–7 days"]
        assert math.isnan(named(found, "1–7 days").sign_agreement)


def test_snapshots_that_add_the_day_up_compare_as_their_differences(
    day: Path, interval: Path, truth: TrueBook, begins: int, tmp_path: Path, omniscient: None
) -> None:
    rows = list(csv.DictReader(interval.read_text().splitlines()))
    so_far: dict[tuple[str, ...], list[float]] = {}
    key = ("option_symbol", "expiration_date", "strike_price", "call_put_flag")
    volumes = [name for name in rows[0] if name.endswith("_vol")]
    path = tmp_path / "cumulative.csv"
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        for row in rows:
            total = so_far.setdefault(tuple(row[k] for k in key), [0.0] * len(volumes))
            total[:] = [t + float(row[v]) for t, v in zip(total, volumes, strict=True)]
            out.writerow(row | dict(zip(volumes, map(repr, total), strict=True)))
    score = named(compare(day, path, Settings()), "all")
    assert score.sign_agreement == pytest.approx(1.0)
    assert score.slope == pytest.approx(1.0)


def test_contracts_that_the_recording_lacks_are_counted(day: Path, eod: Path, tmp_path) -> None:
    path = tmp_path / "more.csv"
    lines = eod.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[-1].replace(",SPX,", ",SPXW,")]) + "\n")
    before, found = compare(day, eod, Settings()), compare(day, path, Settings())
    assert ",SPX," in lines[-1]
    assert (found.rows, found.missing) == (before.rows + 1, 1)
    assert "1 of" in labelled_text(found)


def test_a_file_of_another_day_is_refused(day: Path, eod: Path, tmp_path: Path) -> None:
    other = (TWELVE.date - dt.timedelta(days=1)).isoformat()
    path = tmp_path / "yesterday.csv"
    path.write_text(eod.read_text().replace(f"{TWELVE.date.isoformat()},^SPX", f"{other},^SPX"))
    with pytest.raises(InputError, match="has no row of 2026-11-19, the day of"):
        compare(day, path, Settings())


def test_a_recording_without_a_tape_is_refused(eod: Path) -> None:
    with pytest.raises(InputError, match="has no tape"):
        compare(find_sample("first-light").path, eod, Settings())


def test_the_report_names_the_metric(day: Path, eod: Path) -> None:
    found = compare(day, eod, Settings())
    text = labelled_text(found)
    assert "sign: share of volume in which both nets have one sign. rank: Spearman." in text
    told = json.loads(labelled_json(found))
    assert told["schema"] == "gexterm.open-close/1"
    assert [s["tenor"] for s in told["scores"]][:2] == ["all", "0DTE"]


def test_the_days_labels_make_a_book_that_the_next_session_carries_on(
    eod: Path, truth: TrueBook, begins: int, tmp_path: Path
) -> None:
    done = gexterm("import", "open-close", eod, "-o", tmp_path)
    assert done.code == 0, done.err
    [path] = tmp_path.rglob("*.book")
    kept = books.load(path)
    assert kept.date == TWELVE.date
    assert {c.expiry for c in kept.contracts} == {
        c.expiry for c in truth.contracts if c.expiry > TWELVE.date
    }
    bought, sold = gained(truth, begins - 1, session_close_ns(TWELVE.date))
    true = dict(zip(truth.contracts, bought - sold, strict=True))
    told = dict(zip(kept.contracts, kept.mean, strict=True))
    assert told == pytest.approx({contract: true[contract] for contract in told}, abs=0.001)
    assert not kept.variance.any(), "market makers' own columns leave nothing open"


def test_a_day_named_twice_is_refused(eod: Path, tmp_path: Path) -> None:
    done = gexterm("import", "open-close", eod, eod, "-o", tmp_path)
    assert done.code == 3
    assert "once more" in done.one_clear_line
    assert not list(tmp_path.rglob("*.book"))
