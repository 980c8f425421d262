"""What is installed works without the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run to the end; what it said is shown when it fails."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (made,) = out.glob("*.whl")
    return made


def lend(site: Path) -> None:
    """Put what a user's list of packages names, and nothing else, into an environment.

    It is taken from where these tests run: no index is asked, and nothing is copied.
    """
    lines = (ROOT / "constraints" / "run.txt").read_text().splitlines()
    for line in lines:
        if "==" not in line:
            continue
        wanted = Requirement(line.rstrip("\\ "))
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        found = metadata.distribution(wanted.name)
        assert found.files, wanted
        for name in {file.parts[0] for file in found.files} - {"..", "__pycache__"}:
            if not (site / name).exists():
                (site / name).symlink_to(Path(str(found.locate_file(name))).resolve())


@pytest.fixture(scope="module")
def gexterm(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed into an empty environment far from the checkout."""
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home / "env")
    python = home / "env" / "bin" / "python"
    (site,) = (home / "env" / "lib").glob("python*/site-packages")
    lend(site)
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=home)
    return home / "env" / "bin" / "gexterm"


def test_the_wheel_carries_themes_feeds_and_fonts(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "gexterm/_bundled/themes/dark.toml" in names
    assert "gexterm/_bundled/themes/light.toml" in names
    assert "gexterm/_bundled/sample_feeds/metadata.json" in names
    assert any(
        n.startswith("gexterm/_bundled/sample_feeds/") and n.endswith(".gexrec") for n in names
    )
    assert any(n.endswith(".ttf") for n in names)
    assert not any(n.startswith(("tests/", "benchmarks/")) for n in names)


def test_the_installed_demo_runs_without_a_terminal(gexterm: Path, tmp_path: Path) -> None:
    done = run(gexterm, "demo", "--headless", "--speed", "600", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert len(lines) > 5
    assert "SPX" in lines[-1]


def test_the_installed_levels_reads_a_sample(gexterm: Path, tmp_path: Path) -> None:
    (sample,) = (gexterm.parents[1] / "lib").glob(
        "python*/site-packages/gexterm/_bundled/sample_feeds/first-light.gexrec"
    )
    reading = json.loads(run(gexterm, "levels", sample, "--json", cwd=tmp_path).stdout)
    assert reading["schema"] == "gexterm.reading/1"
    assert reading["source"]["mode"] == "simulated"
