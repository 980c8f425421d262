"""Sign views of one tick: which there are, which is chosen, and that none is mixed in silence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from gexterm.dealers.conventions import CONVENTIONS
from gexterm.engine.views import COMBINED, FLOW, view_set
from gexterm.market.contracts import Right
from gexterm.market.events import SourceInfo
from tests.engine.market import flat_chain
from tests.engine.tapes import TEN, filled, index_of, prints, tick

CALL = index_of(30, Right.CALL)
PUT = index_of(-30, Right.PUT)
WEIGHT = np.array([[5.0, 0.0, np.nan], [1.0, 2.0, 3.0]])


def names(engine) -> list[str]:
    return [view.view for view in tick(engine).agreement.views]


def test_without_a_tape_there_are_the_four_conventions() -> None:
    found = view_set("auto", "customer-flow", WEIGHT, "open-interest", None, 0)
    assert [view.name for view in found.views] == list(CONVENTIONS)
    assert found.chosen.name == "customer-flow"
    assert found.beliefs == ()


def test_auto_is_the_convention_until_there_is_a_print_and_combined_from_then_on() -> None:
    engine = filled(view="auto", convention="short-both")
    assert tick(engine).positions.view == "short-both"
    engine.apply(prints((CALL, +1, 7.0)))
    assert tick(engine).positions.view == COMBINED


def test_a_view_that_is_asked_for_stays_even_where_nothing_is_known() -> None:
    engine = filled(view=FLOW)
    reading = tick(engine)
    assert reading.positions.view == FLOW
    assert reading.zero_dte.paradigm == "No data"
    assert np.isnan(reading.gamma.gex_per_1pct)


def test_flow_asked_for_without_a_tape_is_not_known_and_says_so() -> None:
    found = view_set(FLOW, "customer-flow", WEIGHT, "open-interest", None, 0)
    assert found.chosen.name == FLOW
    assert np.isnan(found.chosen.held).all()
    assert found.of("squeezemetrics").held[0, 0] == 5.0


def test_with_a_tape_every_view_is_there_beside_the_chosen_one() -> None:
    engine = filled(view="auto")
    engine.apply(prints((CALL, +1, 7.0)))
    assert set(names(engine)) == {COMBINED, FLOW, *CONVENTIONS}


@pytest.mark.parametrize("view", [COMBINED, FLOW, *CONVENTIONS])
def test_the_chosen_view_leads_and_is_the_one_all_sections_are_of(view: str) -> None:
    engine = filled(view=view, scope="0dte")
    engine.apply(prints((CALL, +1, 7.0), (PUT, +1, 9.0)))
    reading = tick(engine)
    first = reading.agreement.views[0]
    assert first.view == view == reading.positions.view
    assert first.gex_per_1pct == pytest.approx(reading.gamma.gex_per_1pct)
    assert first.paradigm == reading.zero_dte.paradigm


@given(
    weight=st.lists(st.floats(0, 1e4), min_size=6, max_size=6).map(
        lambda x: np.array(x).reshape(2, 3)
    ),
    given_book=st.lists(st.floats(-1e4, 1e4), min_size=6, max_size=6).map(
        lambda x: np.array(x).reshape(2, 3)
    ),
)
@examples(max_examples=40)
def test_every_view_is_the_sum_of_the_books_that_it_is_mixed_of(weight, given_book) -> None:
    found = view_set(
        "mine", "customer-flow", weight, "open-interest", None, 0, {"mine": given_book}
    )
    assert found.chosen.name == "mine"
    for view in found.views:
        mixed = sum(part * book for part, book in zip(view.mix, found.books, strict=True))
        np.testing.assert_allclose(mixed, view.held.sum(axis=0), atol=1e-9)


def test_given_positions_are_a_view_of_their_own_and_change_no_other() -> None:
    engine = filled(view="truth", scope="0dte")
    engine.apply(prints((CALL, +1, 7.0)))
    held = np.zeros(len(engine.chain))
    held[[CALL, PUT]] = -100.0
    engine.given = {"truth": held}
    reading = tick(engine)
    assert reading.positions.view == "truth"
    assert reading.gamma.gex_per_1pct < 0.0
    assert reading.zero_dte.paradigm == "BofA"
    by_name = {view.view: view.gex_per_1pct for view in reading.agreement.views}
    other = filled(view="truth", scope="0dte")
    other.apply(prints((CALL, +1, 7.0)))
    other.given = {"truth": -held}
    again = {view.view: view.gex_per_1pct for view in tick(other).agreement.views}
    assert again["truth"] == pytest.approx(-by_name["truth"])
    for name in (COMBINED, FLOW, *CONVENTIONS):
        assert again[name] == pytest.approx(by_name[name])


def test_a_feed_without_conditions_has_no_tape() -> None:
    engine = filled(view="auto")
    engine.apply(SourceInfo("SPX", "synthetic", "simulated"))
    assert engine.signer is None
    for event in flat_chain(TEN):
        engine.apply(event)
    assert set(names(engine)) == set(CONVENTIONS)
