"""The tape holds every print once, and in force is what nobody took back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.conditions import ConditionClass
from gexterm.dealers.tape import UNJUDGED, State, Tape, TapeUpdate
from gexterm.dealers.tape_index import TapeIndex
from gexterm.market.events import CANCEL, CORRECTION, Trades
from tests.dealers.prints import T0, Print, S, batch

CONTRACTS = 10


def take(tape: Tape, *prints: Print, **columns) -> TapeUpdate:
    return tape.take(batch(prints, **columns), "opra", CONTRACTS)


def in_force(tape: Tape) -> Counter:
    rows = tape.live()
    return Counter(
        zip(
            tape.contract[rows].tolist(),
            tape.price[rows].tolist(),
            tape.size[rows].tolist(),
            tape.ts[rows].tolist(),
            strict=True,
        )
    )


def test_a_print_is_kept_as_it_came():
    tape = Tape()
    trades = Trades.of(
        [3], [1.25], [7], [T0], recv=T0 + 5, bid=[1.2], ask=[1.3], bid_size=[10], ask_size=[20],
        side=[1], condition=[ord("S")], sequence=[42],
    )  # fmt: skip
    update = tape.take(trades, "opra", CONTRACTS)
    assert (update.first, update.end, update.rows.tolist()) == (0, 1, [0])
    assert (tape.contract[0], tape.price[0], tape.size[0], tape.ts[0]) == (3, 1.25, 7, T0)
    assert (tape.bid[0], tape.ask[0], tape.bid_size[0], tape.ask_size[0]) == (1.2, 1.3, 10, 20)
    assert (tape.side[0], tape.sequence[0], tape.recv[0]) == (1, 42, T0 + 5)
    assert tape.condition[0] == ConditionClass.SWEEP
    assert tape.state[0] == State.LIVE
    assert tape.evidence[0] == UNJUDGED
    assert np.isnan(tape.p_buy[0]) and np.isnan(tape.p_dealer[0])
    assert tape.package[0] == -1
    assert not any(tape.counts.values())


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf, -np.inf])
def test_what_has_no_size_or_price_is_refused_and_counted(bad):
    tape = Tape()
    update = take(tape, Print(1, size=bad), Print(2, price=bad), Print(3))
    assert tape.counts["refused"] == 2
    assert len(tape) == 1 and update.rows.tolist() == [0]
    assert tape.sequence[0] == 3


@pytest.mark.parametrize("absurd", [2.0**21 + 1.0, 1e300])
def test_a_print_of_more_contracts_than_there_are_is_refused_and_counted(absurd):
    tape = Tape()
    take(tape, Print(1, size=absurd), Print(2, size=2.0**21))
    assert tape.counts["refused"] == 1
    assert tape.sequence.tolist() == [2]


def test_a_correction_to_an_absurd_size_leaves_the_print_as_it_was():
    tape = Tape()
    take(tape, Print(1, size=3.0))
    take(tape, Print(2, size=1e300, action=CORRECTION, refers=1))
    assert tape.counts["refused"] == 1 and tape.counts["corrected"] == 0
    assert tape.size[tape.live()].tolist() == [3.0]


def test_a_price_beyond_all_markets_is_refused_and_counted():
    tape = Tape()
    take(tape, Print(1, price=1e300), Print(2))
    assert tape.counts["refused"] == 1
    assert tape.sequence.tolist() == [2]


def test_a_print_of_an_unknown_contract_is_counted_and_left_out():
    tape = Tape()
    take(
        tape, Print(1, contract=CONTRACTS), Print(2, contract=-1), Print(3, letter="A", contract=77)
    )
    assert tape.counts["unknown_contract"] == 3
    assert len(tape) == 0


def test_an_unknown_condition_is_taken_counted_and_named():
    tape = Tape()
    take(tape, Print(1), Print(2, letter="z"), Print(3, letter="z"))
    assert tape.counts["unknown_condition"] == 2
    assert tape.unknown_codes == {("opra", ord("z")): 2}
    assert tape.condition.tolist() == [ConditionClass.REGULAR] + [ConditionClass.UNKNOWN] * 2


def test_the_same_print_again_changes_nothing():
    tape = Tape()
    take(tape, Print(1), Print(2, price=2.0))
    again = take(tape, Print(2, price=2.0), Print(3), Print(1), Print(3))
    assert tape.sequence.tolist() == [1, 2, 3]
    assert again.rows.tolist() == [2]
    assert tape.counts["duplicates"] == 3


def test_a_sequence_is_told_apart_by_contract():
    tape = Tape()
    take(tape, Print(1, contract=1), Print(1, contract=2))
    assert len(tape) == 2 and tape.counts["duplicates"] == 0


def test_a_print_without_a_sequence_cannot_be_a_duplicate():
    tape = Tape()
    take(tape, Print(), Print())
    take(tape, Print())
    assert len(tape) == 3 and tape.counts["duplicates"] == 0


def test_new_rows_come_in_event_time():
    tape = Tape()
    update = take(tape, Print(1, at=3), Print(2, at=1), Print(3, at=3), Print(4, at=2))
    assert update.rows.tolist() == [1, 3, 0, 2]
    take(tape, Print(5, at=0))
    assert tape.live().tolist() == [4, 1, 3, 0, 2]


def test_more_than_a_second_back_is_out_of_order():
    tape = Tape()
    take(tape, Print(1, at=10), Print(2, at=9.0), Print(3, at=8.9), Print(4, at=10))
    take(tape, Print(5, at=5), Print(6, at=10.5), Print(3, at=8.9))
    assert tape.counts["out_of_order"] == 2
    assert len(tape) == 6


def test_one_mistaken_time_does_not_make_the_rest_late():
    tape = Tape()
    take(tape, Print(1, at=10_000_000), recv=T0)
    take(tape, Print(2, at=100), recv=T0 + 100 * S)
    assert tape.counts["out_of_order"] == 0


def test_a_print_without_a_time_dates_from_its_receipt():
    tape = Tape()
    tape.take(Trades.of([0, 0], [1, 1], [1, 1], [0, T0], recv=T0 + 7), "", CONTRACTS)
    assert tape.ts.tolist() == [T0 + 7, T0]


class TestNamedCancels:
    def test_takes_back_the_print_it_names(self):
        tape = Tape()
        take(tape, Print(1), Print(2))
        update = take(tape, Print(9, action=CANCEL, refers=1))
        assert update.gone.tolist() == [0]
        assert tape.live().tolist() == [1]
        assert tape.counts["cancelled"] == 1 and tape.counts["unmatched_cancels"] == 0

    def test_the_same_cancel_again_changes_nothing(self):
        tape = Tape()
        take(tape, Print(1), Print(2), Print(9, action=CANCEL, refers=1))
        update = take(tape, Print(9, action=CANCEL, refers=1), Print(1))
        assert not len(update.gone) and not len(update.rows)
        assert tape.live().tolist() == [1]
        assert tape.counts["duplicates"] == 2 and tape.counts["cancelled"] == 1

    def test_may_carry_the_number_of_the_print_itself(self):
        tape = Tape()
        take(tape, Print(1), Print(1, action=CANCEL, refers=1))
        assert not len(tape.live()) and tape.counts["duplicates"] == 0

    def test_needs_neither_price_nor_size(self):
        tape = Tape()
        take(tape, Print(1), Print(1, price=np.nan, size=0.0, action=CANCEL, refers=1))
        assert not len(tape.live()) and tape.counts["refused"] == 0

    def test_is_remembered_until_its_print_comes(self):
        tape = Tape()
        take(tape, Print(9, action=CANCEL, refers=1))
        assert tape.counts["unmatched_cancels"] == 1
        update = take(tape, Print(1), Print(2))
        assert update.rows.tolist() == [1] and not len(update.gone)
        assert tape.state.tolist() == [State.CANCELLED, State.LIVE]
        assert tape.counts["unmatched_cancels"] == 0 and tape.counts["cancelled"] == 1

    def test_leaves_the_same_number_of_another_contract_alone(self):
        tape = Tape()
        take(tape, Print(9, action=CANCEL, refers=1, contract=2), Print(1, contract=3))
        take(tape, Print(1, contract=4))
        assert len(tape.live()) == 2


class TestUnnamedCancels:
    def test_take_back_the_most_recent_print_of_that_price_and_size(self):
        tape = Tape()
        take(
            tape, Print(1, at=0), Print(2, at=1), Print(3, price=1.1, at=2), Print(4, size=2, at=3)
        )
        update = take(tape, Print(5, at=4, letter="A"))
        assert update.gone.tolist() == [1]

    @pytest.mark.parametrize("letter", "ACEG")
    def test_are_no_prints_themselves(self, letter):
        tape = Tape()
        take(tape, Print(1), Print(2, letter=letter, at=1))
        assert len(tape) == 1 and not len(tape.live())

    def test_of_the_opening_take_back_the_earliest(self):
        tape = Tape()
        take(tape, Print(1, at=0), Print(2, at=1), Print(5, at=4, letter="E"))
        assert tape.live().tolist() == [1]

    def test_one_after_the_other_take_back_one_print_each(self):
        tape = Tape()
        take(tape, *(Print(n, at=n) for n in range(4)))
        take(tape, Print(10, at=10, letter="A"), Print(11, at=11, letter="A"))
        assert tape.live().tolist() == [0, 1]
        update = take(tape, Print(10, at=10, letter="A"), Print(11, at=11, letter="A"))
        assert not len(update.gone) and tape.live().tolist() == [0, 1]

    def test_do_not_touch_a_print_that_came_later(self):
        tape = Tape()
        take(tape, Print(5, at=0, letter="A"))
        take(tape, Print(6, at=60))
        assert len(tape.live()) == 1
        assert tape.counts["unmatched_cancels"] == 1

    def test_allow_for_clocks_that_differ_by_seconds(self):
        tape = Tape()
        take(tape, Print(5, at=0, letter="A"), Print(6, at=2))
        assert not len(tape.live())

    def test_turn_to_the_print_they_meant_when_it_comes_late(self):
        tape = Tape()
        take(tape, Print(1, at=0), Print(3, at=2, letter="C"))
        assert not len(tape.live())
        update = take(tape, Print(2, at=1))
        assert update.revived.tolist() == [0] and not len(update.gone)
        assert tape.state.tolist() == [State.LIVE, State.CANCELLED]
        assert tape.counts["cancelled"] == 1

    def test_leave_alone_what_was_taken_back_by_name(self):
        tape = Tape()
        take(tape, Print(1, at=0), Print(2, at=1), Print(8, action=CANCEL, refers=2, at=2))
        take(tape, Print(9, at=3, letter="A"))
        assert not len(tape.live())

    def test_leave_a_later_print_of_their_likeness_to_the_cancel_that_names_it(self):
        tape = Tape()
        take(tape, Print(1), Print(2, letter="A"), Print(9, action=CANCEL, refers=3, at=60))
        update = take(tape, Print(3, at=50))
        assert not len(update.rows) and not len(tape.live())

    def test_without_price_or_size_are_refused(self):
        tape = Tape()
        take(tape, Print(1), Print(2, letter="A", price=np.nan, at=1))
        assert tape.counts["refused"] == 1 and len(tape.live()) == 1


class TestCorrections:
    def test_stand_for_the_print_they_name(self):
        tape = Tape()
        take(tape, Print(1, price=1.0))
        update = take(tape, Print(2, price=1.5, action=CORRECTION, refers=1))
        assert update.gone.tolist() == [0] and update.rows.tolist() == [1]
        assert (update.replaced.tolist(), update.replacement.tolist()) == ([0], [1])
        assert tape.counts["corrected"] == 1
        assert tape.price[tape.live()].tolist() == [1.5]

    def test_may_carry_the_number_of_the_print_itself(self):
        tape = Tape()
        correction = Print(1, price=1.5, action=CORRECTION)
        take(tape, Print(1), correction, Print(1), correction)
        assert tape.price[tape.live()].tolist() == [1.5]
        assert tape.counts["duplicates"] == 2
        take(tape, Print(1, price=1.7, action=CORRECTION, refers=1))
        assert tape.price[tape.live()].tolist() == [1.7]

    def test_may_come_before_their_print(self):
        tape = Tape()
        take(tape, Print(2, price=1.5, action=CORRECTION, refers=1))
        assert tape.counts["unmatched_corrections"] == 1
        update = take(tape, Print(1))
        assert not len(update.rows)
        assert (update.replaced.tolist(), update.replacement.tolist()) == ([1], [0])
        assert tape.price[tape.live()].tolist() == [1.5]
        assert tape.counts["unmatched_corrections"] == 0 and tape.counts["corrected"] == 1

    def test_of_a_correction_count_for_the_print(self):
        for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]):
            tape = Tape()
            story = [
                Print(1),
                Print(2, price=1.5, action=CORRECTION, refers=1),
                Print(3, price=1.7, action=CORRECTION, refers=2),
            ]
            for at in order:
                take(tape, story[at])
            assert tape.price[tape.live()].tolist() == [1.7]
            take(tape, Print(9, action=CANCEL, refers=1))
            assert not len(tape.live())

    def test_can_be_cancelled_by_their_likeness(self):
        tape = Tape()
        take(tape, Print(1), Print(2, price=1.5, action=CORRECTION, refers=1, at=1))
        take(tape, Print(3, price=1.5, letter="A", at=2))
        assert not len(tape.live())
        update = take(tape, Print(5, price=1.6, action=CORRECTION, refers=4, at=3), Print(4, at=3))
        assert len(update.replaced) == 1
        update = take(tape, Print(6, price=1.6, letter="A", at=4))
        assert not len(update.replaced) and not len(tape.live())

    def test_that_name_nothing_count_as_prints_and_are_counted(self):
        tape = Tape()
        take(tape, Print(action=CORRECTION))
        assert len(tape.live()) == 1 and tape.counts["unmatched_corrections"] == 1

    def test_without_price_or_size_are_refused(self):
        tape = Tape()
        take(tape, Print(1), Print(2, price=0.0, action=CORRECTION, refers=1))
        assert tape.counts["refused"] == 1 and tape.live().tolist() == [0]


# A session: prints, some cancelled by name, some corrected, some cancelled by likeness.
@st.composite
def sessions(draw):
    messages: list[Print] = []
    count = draw(st.integers(1, 12))
    for n in range(count):
        original = Print(
            sequence=100 + n,
            price=draw(st.sampled_from([1.0, 1.5])),
            size=draw(st.sampled_from([1.0, 2.0])),
            contract=draw(st.integers(0, 1)),
            at=draw(st.integers(0, 30)),
        )
        messages.append(original)
        fate = draw(st.sampled_from(["", "", "named", "own", "correct", "twice", "alike", "both"]))
        own = replace(original, sequence=1000 + 10 * n, at=original.at + 1)
        if fate == "named":
            messages.append(replace(own, action=CANCEL, refers=original.sequence))
        elif fate == "own":
            messages.append(replace(original, action=CANCEL, refers=original.sequence))
        elif fate in ("correct", "twice", "both"):
            price = draw(st.sampled_from([1.0, 1.5, 2.0]))
            fix = replace(own, price=price, action=CORRECTION, refers=original.sequence)
            messages.append(fix)
            if fate == "twice":
                again = replace(fix, sequence=fix.sequence + 1, price=2.5, refers=fix.sequence)
                messages.append(again)
            elif fate == "both":
                name = draw(st.sampled_from([original.sequence, fix.sequence]))
                messages.append(replace(own, sequence=fix.sequence + 2, action=CANCEL, refers=name))
        elif fate == "alike":
            letter = draw(st.sampled_from("ACEG"))
            messages.append(replace(own, letter=letter, at=original.at + draw(st.integers(0, 9))))
    return messages


@given(
    fates=st.lists(
        st.sampled_from(["none", "cancel", "own", "correct", "twice", "both"]), max_size=12
    ),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_in_force_is_what_each_story_ends_with(fates, data):
    messages, expected = [], []
    for n, fate in enumerate(fates):
        first = Print(100 + n, price=1.0 + n, at=n)
        fixed = replace(first, sequence=200 + n, price=50.0 + n, action=CORRECTION, refers=100 + n)
        finer = replace(first, sequence=300 + n, price=90.0 + n, action=CORRECTION, refers=200 + n)
        cancel = replace(first, sequence=400 + n, action=CANCEL, refers=100 + n)
        told, left = {
            "none": ([first], first),
            "cancel": ([first, cancel], None),
            "own": ([first, replace(cancel, sequence=100 + n)], None),
            "correct": ([first, fixed], fixed),
            "twice": ([first, fixed, finer], finer),
            "both": ([first, fixed, cancel], None),
        }[fate]
        messages += told
        expected += [left] if left else []
    tape = Tape(capacity=1)
    for message in data.draw(st.permutations(messages)):
        take(tape, message)
    assert in_force(tape) == Counter((p.contract, p.price, p.size, p.ts) for p in expected)


@given(data=st.data(), messages=sessions())
@settings(max_examples=150, deadline=None)
def test_whatever_the_order_and_however_often_the_same_prints_are_in_force(data, messages):
    clean = Tape()
    take(clean, *sorted(messages, key=lambda p: p.at))
    again = data.draw(st.lists(st.sampled_from(messages), max_size=10))
    mixed = data.draw(st.permutations(messages + again))
    tape, standing = Tape(capacity=1), set()
    while mixed:
        size = data.draw(st.integers(1, len(mixed)))
        update = take(tape, *mixed[:size])
        mixed = mixed[size:]
        assert set(update.gone.tolist()) <= standing
        assert not set(update.revived.tolist()) & standing
        assert all(update.rows >= update.first) and all(update.revived < update.first)
        assert (tape.state[update.replacement] == State.LIVE).all() or len(update.replaced) == 0
        standing -= set(update.gone.tolist())
        standing |= set(update.rows.tolist()) | set(update.revived.tolist())
        assert standing == set(tape.live().tolist())
    assert in_force(tape) == in_force(clean)
    states = Counter(tape.state.tolist())
    assert tape.counts["cancelled"] == states[State.CANCELLED]
    assert tape.counts["corrected"] == states[State.REPLACED]
    assert tape.counts["unmatched_cancels"] == clean.counts["unmatched_cancels"]
    assert tape.counts["duplicates"] == len(again)
    # All of it once more, as after a reconnect.
    before = in_force(tape)
    update = take(tape, *messages)
    assert update.first == update.end and not len(update.gone) and not len(update.revived)
    assert in_force(tape) == before


@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 6)), max_size=8), max_size=8
    )
)
@settings(max_examples=150, deadline=None)
def test_the_first_of_each_contract_and_sequence_is_kept(batches):
    tape, seen, kept = Tape(capacity=1), set(), []
    for number, rows in enumerate(batches):
        take(
            tape, *(Print(s, contract=c, price=number + 1.0, at=n) for n, (c, s) in enumerate(rows))
        )
        for n, (contract, sequence) in enumerate(rows):
            if sequence < 0 or (contract, sequence) not in seen:
                kept.append((contract, sequence, number + 1.0, T0 + n * S))
            seen.add((contract, sequence))
    assert kept == list(
        zip(
            tape.contract.tolist(), tape.sequence.tolist(), tape.price.tolist(), tape.ts.tolist(),
            strict=True,
        )
    )  # fmt: skip


def test_a_long_tape_finds_every_duplicate():
    rng = np.random.default_rng(3)
    n = 60_000
    contract, sequence = rng.integers(0, 300, n), rng.permutation(n) % 50_000
    tape = Tape()
    for part in np.array_split(np.arange(n), 41):
        trades = Trades.of(
            contract[part], np.ones(len(part)), part + 1.0, T0 + part, sequence=sequence[part]
        )
        tape.take(trades, "", 300)
    pairs = contract * 100_000 + sequence
    _, first = np.unique(pairs, return_index=True)
    np.testing.assert_array_equal(tape.size, np.sort(first) + 1.0)
    assert tape.counts["duplicates"] == n - len(first)


def test_a_feed_that_counts_up_in_each_contract_is_known_to_repeat_itself():
    tape = Tape()
    n = 4000
    for first in range(0, n, 7):
        part = np.arange(first, min(first + 7, n))
        trades = Trades.of(part % 3, np.ones(len(part)), part + 1.0, T0 + part, sequence=part // 3)
        tape.take(trades, "", 3)
    assert len(tape) == n and tape.counts["duplicates"] == 0
    part = np.arange(n)
    trades = Trades.of(part % 3, np.ones(n), part + 1.0, T0 + part, sequence=part // 3)
    update = tape.take(trades, "", 3)
    assert update.first == update.end == n and tape.counts["duplicates"] == n


def test_the_index_names_the_row_of_every_print():
    rng = np.random.default_rng(4)
    n = 20_000
    contract = rng.integers(0, 50, n).astype(np.int32)
    sequence = rng.permutation(n).astype(np.int64) * 2**40
    index = TapeIndex()
    for part in np.array_split(np.arange(n), 9):
        index.enter(contract, sequence, part)
    for row in rng.integers(0, n, 200).tolist():
        assert index.find(contract, sequence, int(contract[row]), int(sequence[row])) == row
    assert index.find(contract, sequence, 0, 1) == -1


def test_room_to_grow_stays_below_two_fifths():
    tape = Tape()
    part = np.arange(2_000)
    for first in range(0, 120_000, len(part)):
        rows = first + part
        trades = Trades.of(
            rows % 100, np.ones(len(rows)), np.ones(len(rows)), T0 + rows, sequence=rows
        )
        tape.take(trades, "", 100)
        needed = len(tape) * sum(column.itemsize for column in tape._whole.values())
        if len(tape) > 40_000:
            assert tape.nbytes <= 1.4 * needed
