"""`gexterm simulate`, as a user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gexterm.simulator.library import names
from gexterm.simulator.truth import read_truth
from tests.cli.invoke import gexterm

QUICK = """
name = "quick"
title = "A minute"
seed = 4
begins = 15:00:00
ends = 15:01:00
chain = "small"
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "quick.toml"
    path.write_text(QUICK)
    return path


def test_it_makes_a_recording_and_says_what_it_is(script: Path, tmp_path: Path) -> None:
    out = tmp_path / "day.gexrec"
    done = gexterm("simulate", script, "-o", out)
    assert done.code == 0
    assert done.out == ""
    [line] = done.err.splitlines()
    assert line.startswith(f"{out}: quick, seed 4, ")
    assert "(synthetic)" in line
    assert sorted(p.name for p in tmp_path.iterdir()) == ["day.gexrec", "quick.toml"]
    assert gexterm("levels", out).code == 0


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    script: Path, tmp_path: Path
) -> None:
    for name, options in (("a", ()), ("b", ()), ("c", ("--seed", 5)), ("d", ("--truth",))):
        assert gexterm("simulate", script, "-o", tmp_path / name, *options).code == 0
    a, b, c, d = ((tmp_path / name).read_bytes() for name in "abcd")
    assert a == b == d
    assert c != a


def test_the_truth_goes_beside_it(script: Path, tmp_path: Path) -> None:
    out = tmp_path / "day.gexrec"
    done = gexterm("simulate", script, "-o", out, "--truth", "--seed", 9)
    assert str(tmp_path / "day.truth.parquet") in done.err
    assert read_truth(out).about.seed == 9


def test_nothing_is_replaced_unless_told(script: Path, tmp_path: Path) -> None:
    out = tmp_path / "day.gexrec"
    out.write_text("precious")
    done = gexterm("simulate", script, "-o", out)
    assert done.code == 2
    assert "day.gexrec exists already; choose another name, or use --force" in done.one_clear_line
    assert out.read_text() == "precious"
    assert gexterm("simulate", script, "-o", out, "--force").code == 0
    out.unlink()
    (tmp_path / "day.truth.parquet").write_text("precious")
    done = gexterm("simulate", script, "-o", out, "--truth")
    assert done.code == 2
    assert "day.truth.parquet exists already" in done.one_clear_line
    assert not out.exists()
    assert gexterm("simulate", script, "-o", out, "--truth", "--force").code == 0
    assert read_truth(out).about.script == "quick"


def test_the_bundled_scripts_are_listed() -> None:
    done = gexterm("simulate", "--list")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == list(names())


def test_what_is_missing_is_said(script: Path, tmp_path: Path) -> None:
    for arguments, words in (
        ((), "simulate needs a SCRIPT; name a TOML file, or see --list"),
        ((script,), "simulate needs a name for the recording; add -o FILE.gexrec"),
        (
            (script, "-o", tmp_path / "missing" / "x.gexrec"),
            f"cannot create the recording {tmp_path / 'missing' / 'x.gexrec'}: No such",
        ),
        ((script, "-o", tmp_path), "is a folder"),
        ((script, "-o", tmp_path, "--force"), "is a folder"),
    ):
        done = gexterm("simulate", *arguments)
        assert done.code == 2
        assert words in done.one_clear_line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "not TOML"),
        (QUICK + "tempo = 3", ":8: tempo is unknown"),
        (QUICK.replace("15:01", "19:01"), ":6: ends is 19:01:00, outside the session"),
        (QUICK + "[spot]\nsigma = -1", ":9: spot.sigma is -1; use"),
    ],
)
def test_a_script_that_makes_no_sense_is_bad_input(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    done = gexterm("simulate", path, "-o", tmp_path / "out.gexrec")
    assert done.code == 3
    assert words in done.one_clear_line
    assert [p.name for p in tmp_path.iterdir()] == ["bad.toml"]


def test_a_wish_that_cannot_be_fulfilled_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "wish.toml"
    text = QUICK.replace("15:01", "15:20") + 'intent = "GEX"\ntarget = "hit"\n'
    path.write_text(text + "[flow]\ncontracts = 0\nopening_inventory = 0\n")
    out = tmp_path / "out.gexrec"
    out.write_text("precious")
    done = gexterm("simulate", path, "-o", out, "--truth", "--force")
    assert done.code == 3
    assert "the true book never read GEX" in done.one_clear_line
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.gexrec", "wish.toml"]
    assert out.read_text() == "precious"


def test_a_name_that_there_is_not_is_bad_input(tmp_path: Path) -> None:
    done = gexterm("simulate", "moonshine", "-o", tmp_path / "x.gexrec")
    assert done.code == 3
    assert "bundled: anti-gex, bofa" in done.one_clear_line
