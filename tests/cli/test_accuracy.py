"""`gexterm accuracy` and `gexterm import cboe-trades`, as a user runs them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from gexterm import paths
from gexterm.recording.reader import Recording
from gexterm.recording.samples import find_sample
from gexterm.simulator.run import record
from gexterm.simulator.truth import truth_path
from tests.cli.invoke import gexterm
from tests.shared_data import shared
from tests.simulator import made

HEADER = (
    "underlying_symbol,quote_datetime,sequence_number,root,expiration,strike,option_type,"
    "exchange_id,trade_size,trade_price,trade_condition_id,canceled_trade_condition_id,best_bid,"
    "best_ask,underlying_bid,underlying_ask,number_of_exchanges,"
    "{exchange,bid_size,bid,ask_size,ask}[number_of_exchanges]\n"
)
LINE = (
    "^VIX,2016-06-01 10:0{minute}:00.125,{sequence},VIX,2016-06-15,16.000,C,5,{size},{price},"
    "{condition},0,1.0000,1.1000,14.7500,14.8500,1,5,10,1.0000,20,1.1000\n"
)


def trade_file(tmp_path: Path, *more: str) -> Path:
    path = tmp_path / "trades.csv"
    lines = [
        LINE.format(minute=1, sequence=1, size=3, price="1.1000", condition=0),
        LINE.format(minute=2, sequence=2, size=4, price="1.0000", condition=0),
        LINE.format(minute=3, sequence=3, size=9, price="1.1000", condition=99),
    ]
    path.write_text(HEADER + "".join([*lines, *more]))
    return path


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three simulated minutes, with their truth."""
    path = tmp_path_factory.mktemp("days") / "day.gexrec"
    return record(made.script(3, at=dt.time(14, 0), seed=515), path, truth=True).path


@pytest.fixture
def bare(day: Path, tmp_path: Path) -> Path:
    """The same recording without its truth."""
    path = tmp_path / "bare.gexrec"
    path.write_bytes(day.read_bytes())
    return path


class TestImport:
    def test_a_trade_file_becomes_a_recording_and_says_what_is_in_it(self, tmp_path: Path) -> None:
        out = tmp_path / "vix.gexrec"
        done = gexterm("import", "cboe-trades", trade_file(tmp_path), "-o", out)
        assert done.code == 0, done.err
        assert done.out == ""
        [line] = done.err.splitlines()
        assert line.startswith(f"{out}: VIX 2016-06-01, 1 contracts, 3 prints, 0 taken back, ")
        assert "prints with the quote at the print" in line
        with Recording(out) as recording:
            assert recording.info.has_tape
            assert sum(len(e.ts) for e in recording.events() if hasattr(e, "sequence")) == 3
        assert sorted(p.name for p in tmp_path.iterdir()) == ["trades.csv", "vix.gexrec"]

    def test_what_is_left_out_is_noted(self, tmp_path: Path) -> None:
        source = trade_file(tmp_path, "VIX,nonsense\n")
        done = gexterm("import", "cboe-trades", source, "-o", tmp_path / "vix.gexrec")
        assert done.code == 0
        first, second = done.err.splitlines()
        assert first == "note: 1 line with cells missing left out, first line 5"
        assert "3 prints" in second

    def test_one_root_can_be_asked_for(self, tmp_path: Path) -> None:
        source = trade_file(tmp_path)
        done = gexterm(
            "import", "cboe-trades", source, "-o", tmp_path / "x.gexrec", "--root", "SPXW"
        )
        assert done.code == 3
        assert "no options of root 'SPXW'" in done.one_clear_line

    def test_nothing_is_replaced_unless_told(self, tmp_path: Path) -> None:
        out = tmp_path / "vix.gexrec"
        out.write_text("precious")
        source = trade_file(tmp_path)
        done = gexterm("import", "cboe-trades", source, "-o", out)
        assert done.code == 2
        assert "exists already; choose another name, or use --force" in done.one_clear_line
        assert out.read_text() == "precious"
        assert gexterm("import", "cboe-trades", source, "-o", out, "--force").code == 0

    @pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n", HEADER])
    def test_what_is_no_trade_file_is_refused_and_leaves_nothing(
        self, tmp_path: Path, text: str
    ) -> None:
        source = tmp_path / "bad.csv"
        source.write_text(text)
        done = gexterm("import", "cboe-trades", source, "-o", tmp_path / "out.gexrec")
        assert done.code == 3
        assert str(source) in done.one_clear_line
        assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]

    def test_a_folder_that_is_not_there_is_named_as_the_user_named_it(self, tmp_path: Path) -> None:
        out = tmp_path / "none" / "vix.gexrec"
        done = gexterm("import", "cboe-trades", trade_file(tmp_path), "-o", out)
        assert done.code == 2
        assert f"cannot create the recording {out}: No such" in done.one_clear_line

    def test_the_recording_replays_and_counts_its_prints(self, tmp_path: Path) -> None:
        out = tmp_path / "vix.gexrec"
        gexterm("import", "cboe-trades", trade_file(tmp_path), "-o", out)
        done = gexterm("replay", out, "--headless", "--speed", 10_000)
        assert done.code == 0, done.err
        last = done.out.splitlines()[-1]
        # Prints alone are no chain to price: nothing is known, and nothing made up.
        assert "10:03:00 ET  VIX" in last
        assert "No data" in last

    def test_prints_alone_are_no_chain_and_levels_says_so(self, tmp_path: Path) -> None:
        out = tmp_path / "vix.gexrec"
        gexterm("import", "cboe-trades", trade_file(tmp_path), "-o", out)
        done = gexterm("levels", out)
        assert done.code == 3
        assert "no option in it has a two-sided quote" in done.one_clear_line


class TestWithTruth:
    def test_it_measures_against_the_truth(self, day: Path) -> None:
        done = gexterm("accuracy", day, "--every", 1)
        assert done.code == 0, done.err
        assert done.err == ""
        assert done.out.startswith("ACCURACY over 1 simulated day: short 515")
        assert "Grauer stack" in done.out
        assert "COMBINED BOOK at 3 moments" in done.out

    def test_as_json(self, day: Path) -> None:
        done = gexterm("accuracy", day, "--every", 1, "--json")
        told = json.loads(done.out)
        assert told["schema"] == "gexterm.accuracy/1"
        assert 0.5 < told["prints"]["share"] < 1.0
        assert done.err == ""

    def test_a_damaged_truth_is_an_error_and_not_a_smaller_report(
        self, bare: Path, day: Path
    ) -> None:
        truth_path(bare).write_bytes(truth_path(day).read_bytes()[:100])
        done = gexterm("accuracy", bare)
        assert done.code == 3
        assert "is no truth that can be read; simulate again with --truth" in done.one_clear_line
        assert done.out == ""

    def test_the_truth_of_another_recording_is_refused(self, day: Path, tmp_path: Path) -> None:
        other = record(made.script(1, seed=516), tmp_path / "other.gexrec").path
        truth_path(other).write_bytes(truth_path(day).read_bytes())
        done = gexterm("accuracy", other)
        assert done.code == 3
        assert f"is the truth of another recording than {other}" in done.one_clear_line


class TestWithoutTruth:
    def test_coverage_and_agreement_are_what_is_left(self, bare: Path) -> None:
        done = gexterm("accuracy", bare)
        assert done.code == 0
        assert done.err.splitlines() == [
            f"note: there is no truth beside {bare}; coverage and agreement with the rules of the "
            "literature only"
        ]
        assert done.out.startswith("AGREEMENT of bare.gexrec")
        assert "There is no truth beside it" in done.out
        assert all(len(line) <= 100 for line in done.out.splitlines())
        for word in ("Grauer stack", "at the quote", "unsigned:", "NOTICED"):
            assert word in done.out

    def test_as_json(self, bare: Path) -> None:
        done = gexterm("accuracy", bare, "--json")
        told = json.loads(done.out)
        assert told["schema"] == "gexterm.agreement/1"
        assert told["files"] == ["bare.gexrec"]
        unsigned = sum(part["prints"] for part in told["unsigned"].values())
        assert told["signed"]["prints"] + unsigned == told["prints"]["prints"] > 100
        assert told["rules"]["quote"]["same"] <= told["rules"]["quote"]["both"]

    def test_of_several_files_those_without_a_truth_are_named(self, day: Path, bare: Path) -> None:
        done = gexterm("accuracy", bare, day, "--every", 1)
        assert done.code == 0, done.err
        [note] = done.err.splitlines()
        assert str(bare) in note and str(day) not in note
        assert done.out.index("ACCURACY over 1 simulated day") < done.out.index("AGREEMENT of bare")

    def test_of_several_files_json_is_one_object_a_line(self, day: Path, bare: Path) -> None:
        done = gexterm("accuracy", bare, day, "--every", 1, "--json")
        schemas = [json.loads(line)["schema"] for line in done.out.splitlines()]
        assert schemas == ["gexterm.accuracy/1", "gexterm.agreement/1"]

    def test_unknown_conditions_are_named_by_their_code(self, tmp_path: Path) -> None:
        out = tmp_path / "vix.gexrec"
        gexterm("import", "cboe-trades", trade_file(tmp_path), "-o", out)
        done = gexterm("accuracy", out)
        assert "unknown condition" in done.out
        assert "condition cboe-datashop 99 is in no table: 1" in done.out

    def test_real_prints(self, tmp_path: Path) -> None:
        out = tmp_path / "vix.gexrec"
        source = shared("trades/vix_prints_2016-06-01.csv")
        assert gexterm("import", "cboe-trades", source, "-o", out).code == 0
        told = json.loads(gexterm("accuracy", out, "--json").out)
        assert told["counts"]["cancelled"] == 1
        assert told["prints"]["prints"] == 2293
        assert told["quotes"] == {"given": 2292, "in force": 0, "none": 1}
        assert told["signed"]["prints"] > 0.8 * 2293


class TestBadInput:
    def test_a_recording_without_a_tape_has_nothing_to_sign(self) -> None:
        done = gexterm("accuracy", find_sample("first-light").path)
        assert done.code == 3
        assert (
            "has no tape; record, import or simulate one with prints" in done.err.splitlines()[-1]
        )
        assert done.out == ""

    def test_what_is_no_recording_is_said_before_anything_is_measured(
        self, day: Path, tmp_path: Path
    ) -> None:
        text = tmp_path / "notes.txt"
        text.write_text("hello")
        for path, words in (
            (text, "no gexterm recording"),
            (tmp_path / "none.gexrec", "there is no file"),
            (tmp_path, "is a folder"),
        ):
            done = gexterm("accuracy", day, path)
            assert done.code == 3
            assert words in done.one_clear_line
            assert done.out == ""

    @pytest.mark.parametrize(
        "arguments", [(), ("--every", "0"), ("--every", "soon"), ("--open-close", "x.csv")]
    )
    def test_nonsense_is_bad_usage(self, arguments: tuple[str, ...]) -> None:
        done = gexterm("accuracy", *arguments)
        assert done.code == 2
        assert done.one_clear_line

    def test_open_close_compares_one_recording(self, day: Path, bare: Path) -> None:
        done = gexterm("accuracy", day, bare, "--open-close", "x.csv")
        assert done.code == 2
        assert "one recording at a time" in done.one_clear_line

    def test_an_open_close_file_that_is_none_is_refused(self, day: Path, tmp_path: Path) -> None:
        path = tmp_path / "labels.csv"
        path.write_text("a,b\n1,2\n")
        done = gexterm("accuracy", day, "--open-close", path)
        assert done.code == 3
        assert "labels.csv" in done.one_clear_line

    @pytest.mark.parametrize("key", ["view", "prior_today", "prior_later"])
    @pytest.mark.parametrize("value", ['"mine"', "3", '"short both"', "true"])
    def test_nonsense_in_the_settings_is_one_line_with_its_place(
        self, key: str, value: str, day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = tmp_path / "config.toml"
        config.write_text(f'theme = "dark"\n\n[underlyings.SPX]\n{key} = {value}\n')
        monkeypatch.setattr(paths, "config_file", lambda: config)
        for command in (("accuracy", day), ("levels", day)):
            done = gexterm(*command)
            assert done.code == 2
            assert f"config.toml:4: underlyings.SPX.{key} " in done.one_clear_line
            assert done.out == ""

    @pytest.mark.parametrize("name", ["combined", "flow", "auto", "short-both"])
    def test_every_view_that_there_is_can_be_set(
        self, name: str, day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = tmp_path / "config.toml"
        config.write_text(f'[underlyings.SPX]\nview = "{name}"\nprior_today = "short-both"\n')
        monkeypatch.setattr(paths, "config_file", lambda: config)
        assert gexterm("levels", day).code == 0
