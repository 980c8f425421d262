"""What a shell is told could follow on the command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from gexterm.cli import completing
from gexterm.config import VIEWS
from gexterm.feeds.venue import VENUES
from gexterm.recording.samples import list_samples
from gexterm.ui import themes
from tests.cli.invoke import gexterm
from tests.cli.test_lazy_imports import HEAVY


def asked(words: str, home: Path, *, shell: str = "bash") -> list[str]:
    """What is offered for the last of `words`; modules that were loaded stand last."""
    typed = words.split(" ")
    program = f"""
import sys
sys.argv = ["gexterm"]
from gexterm.cli.main import run
try:
    run()
finally:
    heavy = {sorted(HEAVY - {"msgspec"})!r}
    print("LOADED", *sorted({{n.partition(".")[0] for n in sys.modules}} & set(heavy)))
"""
    env = os.environ | {
        "_GEXTERM_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "\n".join(typed),
        "COMP_CWORD": str(len(typed) - 1) if shell != "fish" else typed[-1],
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    )
    *found, loaded = done.stdout.splitlines()
    assert loaded == "LOADED", f"{words!r} loads too much"
    return found


def values(words: str, home: Path) -> list[str]:
    return [line.partition(",")[2] for line in asked(words, home) if line.startswith("plain,")]


def test_commands_venues_samples_and_views_are_offered(tmp_path: Path) -> None:
    assert {"demo", "watch", "snapshots"} <= set(values("gexterm ", tmp_path))
    assert values("gexterm live d", tmp_path) == ["deribit", "dxlink", "databento"]
    assert values("gexterm live deribit B", tmp_path) == ["BTC"]
    assert values("gexterm demo ", tmp_path) == [each.name for each in list_samples()]
    assert values("gexterm levels --view ", tmp_path) == list(VIEWS)
    assert values("gexterm watch --expiry ", tmp_path) == ["0dte", "all"]


def test_bash_breaks_at_a_colon_and_gets_what_stands_behind_it(tmp_path: Path) -> None:
    assert values("gexterm watch deribit : B", tmp_path) == ["BTC"]
    assert values("gexterm watch deribit :", tmp_path) == ["BTC", "ETH"]


def test_zsh_and_fish_get_the_same_with_what_it_is(tmp_path: Path) -> None:
    assert asked("gexterm watch bo", tmp_path, shell="zsh")[:2] == ["plain", "bofa"]
    assert asked("gexterm watch bo", tmp_path, shell="fish")[0].startswith("plain,bofa\t")


def test_underlyings_themes_and_snapshots_are_the_users_own(tmp_path: Path) -> None:
    config = tmp_path / "config" / "gexterm"
    (config / "themes").mkdir(parents=True)
    (config / "config.toml").write_text("[underlyings.TSLA]\nview = 'flow'\n")
    (config / "themes" / "mine.toml").write_text("")
    kept = tmp_path / "data" / "gexterm" / "snapshots"
    for name in ("SPX_2026-11-19_150000_ET", "NDX_2026-11-20_150000_ET", ".half"):
        (kept / name).mkdir(parents=True)
    assert values("gexterm live dxlink T", tmp_path) == ["TSLA"]
    assert "mine" in values("gexterm demo --theme ", tmp_path)
    assert values("gexterm snapshots open ", tmp_path) == [
        "NDX_2026-11-20_150000_ET",
        "SPX_2026-11-19_150000_ET",
    ]


def test_a_broken_setting_completes_as_if_there_were_none(tmp_path: Path) -> None:
    config = tmp_path / "config" / "gexterm"
    config.mkdir(parents=True)
    (config / "config.toml").write_text("theme = = 3")
    assert "SPX" in values("gexterm live dxlink ", tmp_path)


def test_paths_are_left_to_the_shell(tmp_path: Path) -> None:
    assert asked("gexterm replay ./x", tmp_path) == ["file,./x"]
    assert asked("gexterm watch nothing-of-ours", tmp_path) == ["file,nothing-of-ours"]


def test_what_is_written_down_for_speed_is_what_the_program_has() -> None:
    assert set(completing.FEEDS) == set(VENUES)
    assert set(completing.UNDERLYINGS) <= set(VENUES)
    assert [name for name, _ in completing.samples()] == [each.name for each in list_samples()]
    assert set(themes.bundled()) <= set(completing.themes())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_the_program(shell: str) -> None:
    done = gexterm("completion", shell)
    assert done.code == 0
    assert f"_GEXTERM_COMPLETE={shell}_complete" in done.out


def test_the_shell_may_be_told_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert gexterm("completion").out == gexterm("completion", "fish").out
    monkeypatch.setenv("SHELL", "/bin/sh")
    assert gexterm("completion").code == 2


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_a_real_bash_completes_what_is_typed(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "gexterm"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom gexterm.cli.main import run\nrun()\n")
    program.chmod(0o755)
    env = os.environ | {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PS1": "ready> ", "TERM": "dumb", "INPUTRC": "/dev/null",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path),
    }  # fmt: skip
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile", "-i"], env=env, encoding="utf-8", timeout=30
    )
    try:
        shell.expect_exact("ready> ")
        shell.sendline('eval "$(gexterm completion bash)" && echo is-$((1+1))-set')
        shell.expect_exact("is-2-set")
        shell.expect_exact("ready> ")
        for begun, whole in (
            ("gexterm wat\t", "gexterm watch "),
            ("first-l\t", "first-light "),
            ("--exp\t", "--expiry "),
            ("0\t", "0dte "),
        ):
            shell.send(begun)
            shell.expect_exact(whole.removeprefix(begun.rstrip("\t")))
        shell.sendcontrol("u")
        shell.send("gexterm watch deribit:B\t")
        shell.expect_exact("deribit:BTC ")
    finally:
        shell.close(force=True)
