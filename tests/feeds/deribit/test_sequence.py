"""Numbers without gaps prove what is missing; each is new once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.feeds.deribit.sequence import Runs, Sequences

NUMBERS = st.lists(st.integers(1, 40), max_size=60)


@given(NUMBERS)
def test_a_number_is_new_once_and_holes_are_what_lies_between(numbers: list[int]) -> None:
    runs, seen = Runs(), set[int]()
    for number in numbers:
        assert runs.add(number) == (number not in seen)
        seen.add(number)
    assert {n for n in range(50) if n in runs} == seen
    missing = {n for first, last in runs.holes() for n in range(first, last + 1)}
    assert missing == (set(range(min(seen), max(seen))) - seen if seen else set())
    # Runs are ascending and do not touch.
    edges = [edge for pair in zip(runs.firsts, runs.lasts, strict=True) for edge in pair]
    assert edges == sorted(edges)
    assert all(b > a + 1 for a, b in zip(runs.lasts[:-1], runs.firsts[1:], strict=True))


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 8)), max_size=30))
def test_covering_a_stretch_is_adding_each_of_its_numbers(stretches: list[tuple[int, int]]) -> None:
    whole, single = Runs(), Runs()
    for first, more in stretches:
        one_by_one = sum(single.add(n) for n in range(first, first + more + 1))
        assert whole.cover(first, first + more) == one_by_one
    assert (whole.firsts, whole.lasts) == (single.firsts, single.lasts)


@given(NUMBERS, st.data())
@settings(max_examples=60)
def test_what_was_given_up_on_is_asked_for_no_more_and_counted_once(
    numbers: list[int], data: st.DataObject
) -> None:
    kept = Sequences()
    for number in numbers:
        kept.add("X", number)
    holes = kept.holes().get("X", [])
    missing = sum(last - first + 1 for first, last in holes)
    assert sum(kept.give_up("X", first, last) for first, last in holes) == missing
    assert kept.holes() == {}
    assert sum(kept.give_up("X", first, last) for first, last in holes) == 0
    if holes:
        first, last = data.draw(st.sampled_from(holes))
        late = data.draw(st.integers(first, last))
        assert kept.add("X", late)  # it may come after all
        assert kept.holes() == {}
