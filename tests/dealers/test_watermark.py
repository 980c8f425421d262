"""Taking quotes in one by one or many at once comes to the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.watermark import Coming, QuoteIntake, advance
from gexterm.market.events import Quotes

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
HOLD = 250 * MS

quote = st.tuples(st.integers(0, 3), st.integers(0, 1500))
batches = st.lists(st.lists(quote, min_size=1, max_size=6), min_size=1, max_size=12)


def batch(rows: list[tuple[int, int]], first: int) -> Quotes:
    number = np.arange(first, first + len(rows), dtype=np.float64)
    return Quotes(
        np.array([who for who, _ in rows], np.int32),
        number,
        number + 1.0,
        number,
        number,
        np.array([T0 + ms * MS for _, ms in rows], np.int64),
    )


@given(batches)
@settings(max_examples=150, deadline=None)
def test_late_quotes_are_told_alike_however_many_are_taken_in_together(
    stream: list[list[tuple[int, int]]],
) -> None:
    single, together = QuoteIntake(HOLD), QuoteIntake(HOLD)
    coming = Coming()
    mark, first = 0, 0
    told: list[tuple[float, int]] = []
    for rows in stream:
        for row in rows:
            one = batch([row], first)
            first += 1
            marks = advance(mark, one.ts, 0)
            dated = single.dated(one, marks[:-1])
            told += list(zip(dated.bid.tolist(), dated.ts.tolist(), strict=True))
            mark = int(marks[-1])
    mark, first = 0, 0
    for rows in stream:
        each = batch(rows, first)
        first += len(rows)
        coming.append(each, mark)
        mark = max(mark, int(each.ts.max()))
    dated = together.dated(*coming.taken())
    assert not coming
    assert list(zip(dated.bid.tolist(), dated.ts.tolist(), strict=True)) == told
    assert together.late == single.late


def test_what_other_messages_told_of_the_time_in_between_counts() -> None:
    coming, intake = Coming(), QuoteIntake(HOLD)
    coming.append(batch([(0, 0)], 0), 0)
    coming.append(batch([(0, 10)], 1), T0 + 1_000 * MS)  # a print came first
    dated = intake.dated(*coming.taken())
    np.testing.assert_array_equal(dated.ts, [T0, T0 + 1_000 * MS - HOLD])
