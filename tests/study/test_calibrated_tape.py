"""The simulated tape, as it comes over the wire, is as hard to sign as the world's."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from gexterm.simulator.script import FlowScript, QuoteScript, SpotScript
from gexterm.study.observe import RULES, told_by_rules
from tests.simulator import made
from tests.study.days import Heard, hear
from tests.study.tclf_rules import say

SEED = 60_417
"""Used nowhere else: neither while the mix was calibrated nor for a sample."""


@pytest.fixture(scope="module")
def heard() -> Heard:
    """Minutes of a small chain, as busy as a whole day: late quotes, cancels and all."""
    return hear(
        made.script(
            25,
            at=dt.time(11, 30),
            seed=SEED,
            chain="small",
            spot=SpotScript(),
            quotes=QuoteScript(flicker_hz=1.0),
            flow=FlowScript(mix="calibrated", contracts=2e6),
        )
    )


@pytest.fixture(scope="module")
def scores(heard: Heard) -> dict[str, float]:
    """Percent of customers' prints whose side tclf finds; what it leaves open counts half."""
    tape, rows, q = heard.tape, heard.rows, heard.quote
    price, size = tape.price[rows], tape.size[rows]
    own = heard.customer != 0
    found = {}
    for rule in RULES:
        said = say(rule, tape.contract[rows], price, size, (q.bid, q.ask, q.bid_size, q.ask_size))
        found[rule] = 100.0 * float(np.mean(0.5 + 0.5 * said[own] * heard.customer[own]))
    return found


def test_there_are_enough_prints_for_chance_to_be_small(heard: Heard) -> None:
    own = int(np.count_nonzero(heard.customer))
    assert 15_000 <= own <= 20_000
    # Standard error of a share, percent: a third of what the bar allows.
    assert 100.0 * math.sqrt(0.25 / own) < 0.5


def test_the_quote_rule_is_right_as_often_as_in_the_literature(scores: dict[str, float]) -> None:
    assert scores["quote"] == pytest.approx(61.0, abs=1.5)


def test_the_tick_rule_is_right_as_often_as_in_the_literature(scores: dict[str, float]) -> None:
    assert 50.0 <= scores["tick"] <= 57.0


def test_the_grauer_stack_is_right_as_often_as_in_the_literature(scores: dict[str, float]) -> None:
    assert scores["Grauer stack"] == pytest.approx(75.5, abs=1.5)


def test_no_rule_of_the_literature_does_better_than_the_grauer_stack(
    scores: dict[str, float],
) -> None:
    assert max(scores, key=scores.__getitem__) == "Grauer stack"
    assert min(scores.values()) >= 50.0


def test_our_rules_say_on_this_tape_what_tclf_says(heard: Heard) -> None:
    tape, rows, q = heard.tape, heard.rows, heard.quote
    ours = told_by_rules(tape, rows, q)
    quote = (q.bid, q.ask, q.bid_size, q.ask_size)
    for rule in RULES:
        theirs = say(rule, tape.contract[rows], tape.price[rows], tape.size[rows], quote)
        np.testing.assert_array_equal(ours[rule], theirs, err_msg=rule)


def test_the_tape_is_no_cleaner_than_a_real_one(heard: Heard) -> None:
    tape, q = heard.tape, heard.quote
    counts = tape.counts
    assert counts["cancelled"] > 20 and counts["corrected"] > 0
    none = np.isnan(q.bid) | np.isnan(q.ask)
    with np.errstate(invalid="ignore"):
        crossed = q.bid >= q.ask
        zero = q.bid <= 0.0
    assert crossed.any() or zero.any() or none.any()
    # Prints between the quotes, at mid, and beyond them.
    price, mid = tape.price[heard.rows], 0.5 * (q.bid + q.ask)
    assert 0.08 < np.mean(np.isclose(price, mid)) < 0.2
    assert np.mean((price > q.ask) | (price < q.bid)) > 0.003
