"""What all tests share: how hypothesis looks for counterexamples, and a home of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.home import surroundings

# A property's examples say nothing about speed, and these machines vary.
settings.register_profile("default", deadline=None)
# In CI a change must not fail over what an earlier one got wrong: the same examples each time.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Iterator[None]:
    """All tests, and every process they start, live in a home that is gone afterwards."""
    users = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="gexterm-tests-", ignore_cleanup_errors=True) as home:
        os.environ.clear()
        os.environ.update(surroundings(users, Path(home)))
        try:
            return (yield)  # type: ignore[return-value]
        finally:
            os.environ.clear()
            os.environ.update(users)
