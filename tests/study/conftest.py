"""One simulated stretch of a day for all tests of the study."""

from __future__ import annotations

from pathlib import Path

import pytest

from gexterm.config import Settings
from gexterm.simulator.run import record
from gexterm.study.observe import DayFacts, observe
from tests.study.days import TWELVE


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with its truth beside it."""
    path = tmp_path_factory.mktemp("study") / "day.gexrec"
    return record(TWELVE, path, truth=True).path


@pytest.fixture(scope="session")
def facts(day: Path) -> DayFacts:
    """What that day says about the inference."""
    return observe(day, Settings(), 120.0)
