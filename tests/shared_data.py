"""Real market data to test with. It is not part of the project: without it, tests skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_FOLDER = Path(
    os.environ.get("GEXTERM_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)


def shared(path: str) -> Path:
    """The file, or a skip with the reason."""
    found = _FOLDER / path
    if not found.exists():
        pytest.skip(f"needs real data that cannot be shipped: {path} (set GEXTERM_TEST_DATA)")
    return found
