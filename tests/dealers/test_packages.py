"""Packages are read as a whole: legs alone say nothing, the net price does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.packages import Legs, PackageSettings, group, solve

MS = 1_000_000
NOON = 1_794_502_800_000_000_000
CALL, PUT = 1, -1


def legs(
    rows: list[tuple[int, float, int, float, float, float]],
    *,
    number: list[int] | None = None,
    expiry: list[int] | None = None,
) -> Legs:
    """Rows of right, strike, ratio, bid, ask and price."""
    k = len(rows)
    return Legs(
        group=np.array(number or [0] * k, np.int64),
        price=np.array([r[5] for r in rows], np.float64),
        size=np.array([r[2] for r in rows], np.float64),
        bid=np.array([r[3] for r in rows], np.float64),
        ask=np.array([r[4] for r in rows], np.float64),
        right=np.array([r[0] for r in rows], np.int8),
        strike=np.array([r[1] for r in rows], np.float64),
        expiry=np.array(expiry or [0] * k, np.int64),
    )


def sides(one: Legs) -> list[int]:
    answer = solve(one)
    assert answer.solved.all()
    return np.where(answer.customer > 0.5, 1, -1).tolist()


def test_a_call_spread_above_its_net_mid_was_bought_whatever_the_legs_look_like() -> None:
    # Net mid 2.00, paid 2.05; both legs print at their offer.
    spread = legs([(CALL, 6700, 5, 4.90, 5.10, 5.10), (CALL, 6710, 5, 2.95, 3.05, 3.05)])
    assert sides(spread) == [1, -1]


def test_the_same_spread_below_its_net_mid_was_sold() -> None:
    spread = legs([(CALL, 6700, 5, 4.90, 5.10, 4.95), (CALL, 6710, 5, 2.95, 3.05, 3.00)])
    assert sides(spread) == [-1, 1]


def test_both_legs_of_a_straddle_go_one_way() -> None:
    straddle = legs([(CALL, 6700, 2, 9.8, 10.2, 9.9), (PUT, 6700, 2, 9.3, 9.7, 9.75)])
    assert sides(straddle) == [1, 1]
    straddle = legs([(CALL, 6700, 2, 9.8, 10.2, 9.9), (PUT, 6700, 2, 9.3, 9.7, 9.45)])
    assert sides(straddle) == [-1, -1]


def test_an_iron_condor_sells_its_wings_to_buy_its_middle_or_the_reverse() -> None:
    condor = [
        (PUT, 6600, 1, 0.90, 1.10, 1.00),
        (PUT, 6620, 1, 1.90, 2.10, 2.05),
        (CALL, 6780, 1, 1.90, 2.10, 2.05),
        (CALL, 6800, 1, 0.90, 1.10, 1.05),
    ]
    # Net mid 2.00, sold at 2.05: the middle was bought.
    assert sides(legs(condor)) == [-1, 1, 1, -1]


def test_a_box_is_long_one_call_and_the_other_put() -> None:
    box = [
        (CALL, 6700, 1, 10.0, 10.4, 10.30),
        (PUT, 6700, 1, 8.0, 8.4, 8.20),
        (CALL, 6750, 1, 1.0, 1.4, 1.20),
        (PUT, 6750, 1, 49.0, 49.4, 49.20),
    ]
    assert sides(legs(box)) == [1, -1, -1, 1]


def test_a_butterfly_has_two_against_its_wings() -> None:
    fly = [
        (CALL, 6700, 3, 9.8, 10.2, 10.05),
        (CALL, 6710, 6, 4.8, 5.2, 4.95),
        (CALL, 6720, 3, 1.8, 2.2, 2.00),
    ]
    assert sides(legs(fly)) == [1, -1, 1]


def test_a_net_price_off_the_nickel_grid_speaks_against_a_pattern() -> None:
    # As a strangle 3.02, as a reversal 1.00: packages are quoted in nickels.
    pair = legs([(CALL, 6760, 1, 1.85, 2.15, 2.01), (PUT, 6640, 1, 0.85, 1.15, 1.01)])
    answer = solve(pair, PackageSettings(concession=0.0))
    assert not answer.solved.any()
    reversal = legs([(CALL, 6760, 1, 1.85, 2.15, 2.06), (PUT, 6640, 1, 0.85, 1.15, 1.01)])
    assert sides(reversal) == [1, -1]


@pytest.mark.parametrize(
    "bad", [(4.90, np.nan), (np.nan, 5.10), (5.10, 5.10), (5.20, 5.10)], ids=str
)
def test_a_leg_without_a_sound_quote_leaves_the_package_unsolved(
    bad: tuple[float, float],
) -> None:
    answer = solve(legs([(CALL, 6700, 5, *bad, 5.10), (CALL, 6710, 5, 2.95, 3.05, 3.05)]))
    assert not answer.solved.any()
    np.testing.assert_array_equal(answer.customer, 0.5)


def test_at_its_net_mid_a_package_says_nothing() -> None:
    spread = legs([(CALL, 6700, 5, 4.90, 5.10, 5.05), (CALL, 6710, 5, 2.95, 3.05, 3.05)])
    assert not solve(spread).solved.any()


def test_lone_legs_and_more_than_four_are_unsolved() -> None:
    row = (CALL, 6700.0, 1, 4.90, 5.10, 5.10)
    assert not solve(legs([row])).solved.any()
    assert not solve(legs([row] * 5)).solved.any()


def test_nothing_in_nothing_out() -> None:
    assert len(solve(legs([])).customer) == 0
    assert len(group(np.zeros(0, np.int64), np.zeros(0, np.uint8), np.zeros(0))) == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from([CALL, PUT]),
            st.sampled_from([6690.0, 6700.0, 6710.0]),
            st.integers(1, 3),
            st.integers(1, 40),
            st.integers(1, 8),
            st.integers(-2, 10),
            st.integers(0, 2),
        ),
        min_size=1,
        max_size=14,
    )
)
@settings(max_examples=80, deadline=None)
def test_probabilities_are_ones_and_mirrored_prices_mirror_them(
    rows: list[tuple[int, float, int, int, int, int, int]],
) -> None:
    rows = sorted(rows, key=lambda r: r[6])
    number = [r[6] for r in rows]
    quoted = [(r[0], r[1], r[2], r[3] * 0.05, (r[3] + r[4]) * 0.05) for r in rows]
    off_mid = [(r[5] - 0.5 * r[4]) * 0.05 for r in rows]
    there = solve(
        legs(
            [(*q, 0.5 * (q[3] + q[4]) + o) for q, o in zip(quoted, off_mid, strict=True)],
            number=number,
        ),
        PackageSettings(off_grid=1.0),
    )
    back = solve(
        legs(
            [(*q, 0.5 * (q[3] + q[4]) - o) for q, o in zip(quoted, off_mid, strict=True)],
            number=number,
        ),
        PackageSettings(off_grid=1.0),
    )
    assert ((there.customer >= 0.0) & (there.customer <= 1.0)).all()
    np.testing.assert_allclose(there.customer, 1.0 - back.customer, atol=1e-9)


def numbers(times_ms: list[float], sizes: list[float], kinds: list[int] | None = None) -> list[int]:
    ts = NOON + (np.array(times_ms) * MS).astype(np.int64)
    kind = np.array(kinds or [5] * len(ts), np.uint8)
    return group(ts, kind, np.array(sizes, np.float64)).tolist()


def parted(found: list[int]) -> list[set[int]]:
    return [set(np.flatnonzero(np.array(found) == g).tolist()) for g in dict.fromkeys(found)]


def test_legs_within_milliseconds_belong_together() -> None:
    assert parted(numbers([0, 3, 40, 42], [5, 5, 5, 5])) == [{0, 1}, {2, 3}]


def test_kinds_of_packages_are_not_mixed() -> None:
    assert parted(numbers([0, 1, 2, 3], [5, 5, 5, 5], [5, 6, 5, 6])) == [{0, 2}, {1, 3}]


def test_packages_at_one_time_are_told_apart_by_size() -> None:
    found = parted(numbers([0, 1, 1, 2, 2, 3], [5, 50, 5, 50, 5, 50]))
    assert found == [{0, 2, 4}, {1, 3, 5}]


def test_of_one_size_they_are_told_apart_by_the_smallest_gaps() -> None:
    found = parted(numbers([0, 0.01, 1.6, 1.61, 3.1, 3.11], [5] * 6))
    assert found == [{0, 1}, {2, 3}, {4, 5}]


def test_too_many_at_one_instant_stay_together_and_will_not_be_solved() -> None:
    assert parted(numbers([0] * 7, [5] * 7)) == [set(range(7))]


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from([1.0, 2.0, 40.0])), max_size=30))
@settings(max_examples=60, deadline=None)
def test_who_belongs_together_does_not_depend_on_the_order_of_rows(
    rows: list[tuple[int, float]],
) -> None:
    there = numbers([t for t, _ in rows], [q for _, q in rows])
    back = numbers([t for t, _ in rows][::-1], [q for _, q in rows][::-1])[::-1]
    assert {frozenset(g) for g in parted(there)} == {frozenset(g) for g in parted(back)}
