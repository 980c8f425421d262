"""What costs nothing must load nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "numpy",
    "polars",
    "scipy",
    "textual",
    "rich",
    "websockets",
    "httpx",
    "holidays",
    "msgspec",
}


def loaded_by(*arguments: str) -> set[str]:
    """Top-level modules in memory after running the command line."""
    program = f"""
import atexit, json, sys
atexit.register(lambda: sys.stderr.write("\\nLOADED " + json.dumps(
    sorted({{name.partition(".")[0] for name in sys.modules}}))))
sys.argv = ["gexterm", *{list(arguments)!r}]
from gexterm.cli.main import run
run()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.rpartition("LOADED ")[2]))


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("keys", "--help")])
def test_version_and_help_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert not loaded_by(*arguments) & HEAVY


def test_completion_lists_commands_without_importing_them() -> None:
    asked = {"_GEXTERM_COMPLETE": "bash_complete", "COMP_WORDS": "gexterm ", "COMP_CWORD": "1"}
    script = f"""import os, sys
os.environ.update({asked!r})
sys.argv = ["gexterm"]
from gexterm.cli.main import cli
try:
    cli.main(prog_name="gexterm")
except SystemExit:
    pass
print(sorted({{name.partition(".")[0] for name in sys.modules}} & set({sorted(HEAVY)!r})))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "plain,levels" in done.stdout
    assert done.stdout.rstrip().endswith("[]")


def test_the_engine_below_the_screen_loads_no_textual() -> None:
    program = (
        "import gexterm.engine.engine, gexterm.snapshots.write, gexterm.alerts.monitor, sys; "
        "sys.exit(bool({'textual', 'rich'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_first_frame_waits_for_no_tables_and_no_network() -> None:
    program = "import gexterm.ui.app, sys; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not set(done.stdout.split()) & {"polars", "scipy", "httpx", "websockets", "holidays"}
