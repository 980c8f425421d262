"""The customers' common lean, learned from all prints of a group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.lean import MOST, learn

STRIKES = np.arange(6600.0, 6801.0, 5.0)


def observed(rng: np.random.Generator, lean: np.ndarray, prints: int) -> tuple[np.ndarray, ...]:
    """Net, known and noise of unit prints signed right with probability .7, by contract."""
    strength = 0.4
    bought = rng.random((len(lean), prints)) < 0.5 * (1.0 + lean[:, None])
    seen = np.where(rng.random(bought.shape) < 0.7, bought, ~bought)
    net = strength * np.where(seen, 1.0, -1.0).sum(axis=1)
    full = np.full(len(lean), prints * strength**2)
    return net, full, full.copy()


def test_many_prints_show_a_lean_that_changes_along_strikes() -> None:
    rng = np.random.default_rng(3)
    lean = np.interp(STRIKES, [6600, 6700, 6800], [0.2, 0.0, -0.2])
    net, known, noise = observed(rng, lean, 2000)
    found, _ = learn(net, known, noise, np.zeros_like(net), 0.15, STRIKES)
    assert found == pytest.approx(lean, abs=0.06)
    flat, _ = learn(net, known, noise, np.zeros_like(net), 0.15)
    assert np.ptp(flat) == 0.0


def test_few_prints_leave_what_was_expected_before_them() -> None:
    net, known, noise = (np.zeros(len(STRIKES)) for _ in range(3))
    found, errors = learn(net, known, noise, net, 0.15, STRIKES)
    assert not found.any()
    assert np.sqrt((errors**2).sum(axis=0)) == pytest.approx(0.15)


def test_what_the_rules_misread_in_common_does_not_average_out() -> None:
    rng = np.random.default_rng(4)
    net, known, noise = observed(rng, np.zeros(len(STRIKES)), 100_000)
    misread = 0.02 * np.full(len(STRIKES), 100_000.0)
    _, errors = learn(net, known, noise, misread, 0.15)
    common = np.sqrt((errors**2).sum(axis=0))
    # 2 % of volume feigns a lean of 2 % over λ² = .16 of it.
    assert common == pytest.approx(0.02 / 0.16, rel=0.02)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lean=st.floats(-0.3, 0.3))
def test_the_lean_lies_within_its_own_error_most_of_the_time(seed: int, lean: float) -> None:
    rng = np.random.default_rng(seed)
    net, known, noise = observed(rng, np.full(len(STRIKES), lean), 200)
    found, errors = learn(net, known, noise, np.zeros_like(net), 0.15, STRIKES)
    sd = np.sqrt((errors**2).sum(axis=0))
    assert (np.abs(found) <= MOST).all()
    assert np.abs(found - lean).max() < 5.0 * sd.max()
