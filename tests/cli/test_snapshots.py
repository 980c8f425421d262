"""`gexterm snapshots`: kept, listed, opened, compared, cleared away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gexterm.config import load
from gexterm.errors import ConfigError
from gexterm.recording.samples import find_sample
from gexterm.snapshots.meta import Taken
from gexterm.snapshots.write import write_snapshot
from tests.cli.invoke import gexterm
from tests.reading.readings import AS_OF
from tests.snapshots.test_levels import full
from tests.snapshots.test_write import PICTURE

SAMPLE = find_sample("first-light").path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three snapshots, half an hour apart: on schedule, by key with a note, on an alert."""
    for number, taken in enumerate(
        (
            Taken("schedule", words="the 10:35 ET slot"),
            Taken("key", note="LIS held | twice"),
            Taken("alert", words="upper line breached"),
        )
    ):
        shown = full(as_of=AS_OF + number * 1800 * 10**9, spot=6012.35 + number)
        write_snapshot(tmp_path, shown, PICTURE if number == 1 else None, taken=taken)
    return tmp_path


def run(folder: Path, *arguments: object) -> str:
    done = gexterm("snapshots", "-C", folder, *arguments)
    assert done.code == 0, done.err
    return done.out


def test_a_snapshot_of_the_command_says_so_and_why(tmp_path: Path) -> None:
    done = gexterm("snapshot", SAMPLE, "--at", "10:02", "-o", tmp_path, "--size", "60x12",
                   "--note", "n", "--why", "schedule")  # fmt: skip
    assert done.code == 0, done.err
    told = json.loads((Path(done.out.strip()) / "snapshot.json").read_text())
    assert (told["why"], told["note"]) == ("schedule", "n")
    assert told["taken_at"].endswith("Z")
    (listed,) = run(tmp_path).splitlines()
    assert "2026-11-13 10:02:00 ET" in listed
    assert "[simulated] n" in listed


def test_they_are_listed_newest_first_with_what_matters(folder: Path) -> None:
    lines = run(folder).splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]
    assert "11:35:00 ET" in lines[0]
    assert "alert" in lines[0]
    assert "upper line breached" in lines[0]
    assert "LIS held | twice" in lines[1]
    for line in lines:
        assert "BofA      83%  flip  5,986.91" in line


def test_the_list_is_json_for_programs(folder: Path) -> None:
    rows = [json.loads(line) for line in run(folder, "list", "--json").splitlines()]
    assert [row["why"] for row in rows] == ["alert", "key", "schedule"]
    assert rows[1]["note"] == "LIS held | twice"
    assert rows[0]["probability"] == 0.83
    assert Path(rows[0]["path"]).is_dir()


def test_filters(folder: Path) -> None:
    def count(*arguments: object) -> int:
        return len(run(folder, "list", *arguments).splitlines())

    assert count("--why", "key") == 1
    assert count("--note", "held") == 1
    assert count("--underlying", "spx") == 3
    assert count("--underlying", "NDX") == 0
    assert count("--paradigm", "bofa", "-n", "2") == 2
    assert count("--since", "2018-01-05", "--until", "2018-01-05") == 3
    assert count("--since", "2018-01-06") == 0
    assert gexterm("snapshots", "-C", folder, "list", "--since", "soon").code == 2


def test_one_is_opened_as_text(folder: Path) -> None:
    page = run(folder, "open", "2")
    assert page.startswith("SPX 6,013.35 · 5 Jan 2018, 11:05:00 ET\n")
    assert "LIS held | twice" in page
    assert "LEVELS" in page
    assert "**" not in page
    assert run(folder, "open", "1", "--path").strip().endswith("SPX_2018-01-05_113500_ET")


def test_its_picture_is_handed_to_the_viewer_without_a_shell(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = tmp_path / "bin" / ("open" if sys.platform == "darwin" else "xdg-open")
    viewer.parent.mkdir()
    viewer.write_text("")
    viewer.chmod(0o755)
    monkeypatch.setenv("PATH", str(viewer.parent))
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: started.append(command))
    run(folder, "open", "2", "--picture")
    (command,) = started
    assert command[0] == str(viewer)
    assert command[1].endswith("SPX_2018-01-05_110500_ET/screen.png")
    assert gexterm("snapshots", "-C", folder, "open", "1", "--picture").code == 3


def test_without_a_viewer_it_says_where_the_picture_lies(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    done = gexterm("snapshots", "-C", folder, "open", "2", "--picture")
    assert done.code == 2
    assert "screen.png" in done.one_clear_line


def test_two_are_compared(folder: Path) -> None:
    text = run(folder, "compare", "3", "1")
    assert "spot" in text
    assert "+2.00" in text
    told = json.loads(run(folder, "compare", "3", "1", "--json"))
    spot = next(row for row in told["numbers"] if row["name"] == "spot")
    assert spot["change"] == pytest.approx(2.0)
    assert told["before"]["name"] == "SPX_2018-01-05_103500_ET"


def test_the_damaged_are_told_in_a_line_and_the_rest_is_shown(folder: Path) -> None:
    broken = folder / "SPX_2018-01-05_120000_ET"
    broken.mkdir()
    (broken / "snapshot.json").write_text('{"schema": "gexterm.snapshot/7"}')
    done = gexterm("snapshots", "-C", folder)
    assert done.code == 0
    assert len(done.out.splitlines()) == 3
    assert done.err.count("\n") == 1
    assert "gexterm.snapshot/7" in done.err
    assert gexterm("snapshots", "-C", folder, "open", broken.name).code == 3


def test_pruning_leaves_what_was_kept_by_hand(folder: Path) -> None:
    before = sorted(folder.iterdir())
    assert (
        "would be removed"
        in gexterm("snapshots", "-C", folder, "prune", "--keep", "0", "--dry-run").err
    )
    assert sorted(folder.iterdir()) == before
    run(folder, "prune", "--keep", "1")
    assert [line.split()[0] for line in run(folder).splitlines()] == ["1", "2"]
    run(folder, "prune", "--older", "30d")
    (left,) = run(folder).splitlines()
    assert "key" in left
    run(folder, "prune", "--older", "30d", "--all")
    assert run(folder) == ""


def test_pruning_needs_to_be_told_what(folder: Path) -> None:
    assert gexterm("snapshots", "-C", folder, "prune").code == 2
    assert gexterm("snapshots", "-C", folder, "prune", "--older", "soon").code == 2
    assert gexterm("snapshots", "-C", folder / "none").code == 3


def test_the_settings_decide_where_they_lie(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gexterm"
    config.mkdir()
    (config / "config.toml").write_text(f'snapshots = "{folder}"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert len(gexterm("snapshots").out.splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('snapshot_times = "noon"', "no time of day"),
        ("snapshot_times = [1]", "a list of texts"),
        ('snapshot_on = ["lis breech"]', "did you mean lis breached?"),
        ("snapshot_gb = -1", "below 0"),
        ("snapshot_quiet_s = -1", "below 0"),
        ('snapshot_replays = "yes"', "one of: on, off"),
    ],
)
def test_a_wrong_setting_names_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'theme = "dark"\n{text}\n')
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert "config.toml:2: " in str(caught.value)
    assert words in str(caught.value)


def test_times_and_alerts_may_be_lists(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('snapshot_times = ["paper", "12:00"]\nsnapshot_on = ["lis breached", "any"]\n')
    found = load(path)
    assert found.snapshot_times == "paper, 12:00"
    assert found.snapshot_on == "lis breached, any"
