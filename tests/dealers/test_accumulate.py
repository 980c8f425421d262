"""What a signed tape adds up to is what the formulas say, and what leaves leaves nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.accumulate import Sums
from gexterm.dealers.evidence import Evidence

Print = tuple[int, float, float, float, Evidence]
tapes = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(1, 500).map(float),
        st.sampled_from([0.0, 0.12, 0.3, 0.5, 0.8, 1.0]),
        st.sampled_from([0.0, 0.9, 1.0]),
        st.sampled_from([Evidence.AT_QUOTE, Evidence.SIZE, Evidence.MID, Evidence.CROSS]),
    ),
    max_size=60,
)


def add(sums: Sums, tape: list[Print], times: int = 1) -> None:
    sums.add(
        np.array([p[0] for p in tape], np.int32),
        np.array([p[1] for p in tape], np.float64),
        np.array([p[2] for p in tape], np.float32),
        np.array([p[3] for p in tape], np.float32),
        np.array([p[4] for p in tape], np.uint8),
        times,
    )


def summed(*tapes: list[Print], n: int = 5) -> Sums:
    sums = Sums()
    sums.define(n)
    for tape in tapes:
        add(sums, tape)
    return sums


@given(tapes)
@settings(max_examples=60, deadline=None)
def test_mean_variance_and_volume_follow_from_each_print(tape: list[Print]) -> None:
    flow = summed(tape).flow()
    for i in range(5):
        own = [p for p in tape if p[0] == i]
        mean = sum(m * q * (2 * p - 1) for _, q, p, m, _ in own)
        variance = sum(
            q * q * (m * 4 * p * (1 - p) + m * (1 - m) * (2 * p - 1) ** 2) for _, q, p, m, _ in own
        )
        assert np.isclose(flow.mean[i], mean, atol=1e-3)
        assert np.isclose(flow.variance[i], variance, rtol=1e-5, atol=0.1)
        assert flow.volume[i] == sum(q for _, q, *_ in own)


def test_what_the_dealer_bought_stands_beside_what_he_sold_and_the_unsigned_on_both() -> None:
    flow = summed(
        [
            (0, 10.0, 0.8, 0.9, Evidence.AT_QUOTE),
            (0, 4.0, 0.1, 0.9, Evidence.AT_QUOTE),
            (1, 6.0, 0.5, 0.9, Evidence.MID),
        ]
    ).flow()
    np.testing.assert_array_equal(flow.amount[Evidence.AT_QUOTE, :, 0], [10.0, 4.0])
    np.testing.assert_array_equal(flow.amount[Evidence.MID, :, 1], [3.0, 3.0])


@given(tapes, tapes)
@settings(max_examples=40, deadline=None)
def test_the_order_of_prints_and_of_batches_does_not_matter(
    one: list[Print], other: list[Print]
) -> None:
    first, second = summed(one, other).flow(), summed((other + one)[::-1]).flow()
    for name in ("mean", "variance", "amount"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


@given(tapes, tapes)
@settings(max_examples=40, deadline=None)
def test_a_print_taken_back_leaves_nothing_behind(kept: list[Print], gone: list[Print]) -> None:
    sums = summed(kept, gone)
    add(sums, gone, -1)
    for name in ("mean", "variance", "amount"):
        np.testing.assert_array_equal(
            getattr(sums.flow(), name), getattr(summed(kept).flow(), name)
        )


def test_contracts_that_are_listed_later_begin_at_nothing() -> None:
    sums = summed([(1, 5.0, 1.0, 1.0, Evidence.VENUE)], n=2)
    sums.define(4)
    np.testing.assert_array_equal(sums.flow().mean, [0.0, 5.0, 0.0, 0.0])


def test_a_copy_goes_its_own_way() -> None:
    sums = summed([(1, 5.0, 1.0, 1.0, Evidence.VENUE)])
    other = sums.copy()
    add(other, [(1, 5.0, 1.0, 1.0, Evidence.VENUE)])
    assert sums.flow().mean[1] == 5.0
    assert other.flow().mean[1] == 10.0
