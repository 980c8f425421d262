"""How errors, signals and pipes end a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gexterm import __version__, paths
from gexterm.cli import levels
from gexterm.recording.samples import find_sample
from tests.cli.invoke import gexterm

SAMPLE = find_sample("first-light").path


def fail(*_: object) -> None:
    raise ZeroDivisionError("nobody foresaw\nthis")


def test_an_unforeseen_error_is_one_line_and_asks_for_a_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(levels, "read_source", fail)
    done = gexterm("levels", SAMPLE)
    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert "nobody foresaw this" in done.err
    assert "--debug" in done.err
    assert "Traceback" not in done.err


def test_debug_keeps_the_traceback_in_the_log_and_off_the_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "logs" / "gexterm.log"
    monkeypatch.setattr(paths, "log_file", lambda: log)
    monkeypatch.setattr(levels, "read_source", fail)
    done = gexterm("--debug", "levels", SAMPLE)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert str(log) in done.err
    assert "ZeroDivisionError" in log.read_text()


def test_an_interrupt_is_no_error_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(levels, "read_source", interrupt)
    done = gexterm("levels", SAMPLE)
    assert (done.code, done.err.strip()) == (130, "")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m gexterm levels {SAMPLE} --json | head -c 100 > /dev/null"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_alone_it_explains_itself() -> None:
    done = gexterm()
    assert done.code == 0
    for command in ("demo", "replay", "levels", "import", "snapshot"):
        assert command in done.out


def test_the_version_is_the_package_s() -> None:
    assert gexterm("--version").out == f"gexterm {__version__}\n"


def test_a_locale_without_our_characters_gets_its_lines_all_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gexterm", "feeds"],
        capture_output=True, check=False,
        env=os.environ | {"PYTHONIOENCODING": "iso8859-1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"live server: ?" in done.stdout
