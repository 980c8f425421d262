"""A print has one number, however often and in whatever pieces it is told."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.feeds.databento.tape import Tape
from tests.feeds.databento.made import NOON

PRINT = st.tuples(
    st.integers(0, 3),
    st.integers(0, 4),
    st.sampled_from([22, 30]),
    st.integers(1, 3),
    st.integers(1, 2),
)


def told(tape: Tape, prints: list[tuple[int, ...]]) -> tuple[list[int], list[bool]]:
    table = np.array(prints, np.int64).reshape(-1, 5)
    contract, after, publisher, price, lots = table.T
    numbers, fresh = tape.number(contract, NOON + after, publisher, price, lots, NOON)
    return numbers.tolist(), fresh.tolist()


def test_ten_equal_prints_of_one_sweep_are_ten_prints() -> None:
    numbers, fresh = told(Tape(), [(0, 0, 22, 5, 1)] * 10)
    assert len(set(numbers)) == 10
    assert all(fresh)
    assert min(numbers) >= 0


@settings(max_examples=60)
@given(prints=st.lists(PRINT, max_size=30), cuts=st.lists(st.integers(0, 30), max_size=4))
def test_numbers_do_not_depend_on_how_prints_come_in_pieces(
    prints: list[tuple[int, ...]], cuts: list[int]
) -> None:
    whole, _ = told(Tape(), prints)
    tape = Tape()
    edges = sorted({0, len(prints), *(min(c, len(prints)) for c in cuts)})
    parts = [told(tape, prints[a:b])[0] for a, b in itertools.pairwise(edges)]
    assert [n for part in parts for n in part] == whole
    assert len(set(zip((p[0] for p in prints), whole, strict=True))) == len(prints)


@settings(max_examples=60)
@given(prints=st.lists(PRINT, max_size=30), seen=st.integers(0, 30), since=st.integers(0, 4))
def test_a_replay_tells_nothing_twice_and_leaves_nothing_out(
    prints: list[tuple[int, ...]], seen: int, since: int
) -> None:
    prints = sorted(prints, key=lambda each: each[1])
    # What was seen before the cut; the replay begins not later than the last of it.
    before = prints[:seen]
    since = min(since, before[-1][1]) if before else 0
    tape = Tape()
    first, _ = told(tape, before)
    tape.reopen()
    replay = [each for each in prints if each[1] >= since]
    again, fresh = told(tape, replay)
    new = [n for n, is_new in zip(again, fresh, strict=True) if is_new]
    assert sorted(first + new) == sorted(told(Tape(), prints)[0])
    assert tape.repeats == len(replay) - len(new)


def test_a_third_connection_knows_what_the_first_had() -> None:
    tape = Tape()
    told(tape, [(0, 0, 22, 5, 1), (0, 1, 22, 5, 1)])
    tape.reopen()
    told(tape, [(0, 1, 22, 5, 1)])
    tape.reopen()
    assert told(tape, [(0, 0, 22, 5, 1), (0, 1, 22, 5, 1)])[1] == [False, False]


def test_what_is_long_past_is_forgotten() -> None:
    tape = Tape()
    for minute in range(30):
        told(tape, [(0, minute * 60 * NS, 22, 5, 1)])
    assert len(tape._counts) <= 4


def test_a_time_that_cannot_be_does_not_move_the_tape() -> None:
    tape = Tape()
    told(tape, [(0, 0, 22, 5, 1), (0, 365 * 86_400 * NS, 22, 5, 1)])
    assert tape.last == NOON
    assert told(tape, [(0, 0, 22, 5, 1)])[1] == [True]
