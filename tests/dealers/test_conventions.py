"""What each static convention assumes, and what it says about itself."""

import numpy as np
import pytest

from gexterm.dealers.conventions import (
    CONVENTIONS,
    CUSTOMER_FLOW,
    LONG_BOTH,
    SHORT_BOTH,
    SQUEEZEMETRICS,
    choose_basis,
    positions,
    single_name_warning,
)

WEIGHT = np.array([[10.0, np.nan, 3.0], [7.0, 5.0, np.nan]])


def test_customers_who_buy_calls_and_sell_puts_leave_dealers_short_calls_and_long_puts() -> None:
    assert positions(CUSTOMER_FLOW, WEIGHT).tolist() == [[-10.0, 0.0, -3.0], [7.0, 5.0, 0.0]]


def test_squeezemetrics_is_the_opposite_of_customer_flow() -> None:
    assert np.array_equal(positions(SQUEEZEMETRICS, WEIGHT), -positions(CUSTOMER_FLOW, WEIGHT))


def test_short_both_is_the_opposite_of_long_both() -> None:
    assert np.array_equal(positions(SHORT_BOTH, WEIGHT), -positions(LONG_BOTH, WEIGHT))
    assert (positions(LONG_BOTH, WEIGHT) >= 0.0).all()


def test_the_weight_handed_in_is_left_alone() -> None:
    before = WEIGHT.copy()
    positions(CUSTOMER_FLOW, WEIGHT)
    assert np.array_equal(WEIGHT, before, equal_nan=True)


def test_the_four_conventions_cover_the_four_sign_pairs_and_the_four_paradigms() -> None:
    pairs = {(c.call_sign, c.put_sign) for c in CONVENTIONS.values()}
    assert pairs == {(-1, 1), (1, -1), (-1, -1), (1, 1)}
    assert {c.paradigm for c in CONVENTIONS.values()} == {"BofA", "GEX", "Anti-GEX", "Sidial"}
    assert next(iter(CONVENTIONS)) == "customer-flow"
    assert all(name == c.name for name, c in CONVENTIONS.items())


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=lambda c: c.name)
def test_every_convention_says_which_label_it_is_stuck_with(convention) -> None:
    assert convention.paradigm in convention.help
    assert "\n" not in convention.description


def test_customer_flow_says_that_most_sites_use_the_opposite_sign() -> None:
    assert "opposite" in CUSTOMER_FLOW.help
    assert "squeezemetrics" in CUSTOMER_FLOW.help
    assert "9 %" in CUSTOMER_FLOW.help


def test_open_interest_is_preferred_to_volume() -> None:
    weight, basis = choose_basis(WEIGHT, 2 * WEIGHT)
    assert basis == "open interest"
    assert weight is WEIGHT


@pytest.mark.parametrize("unpublished", [np.nan, 0.0])
def test_without_open_interest_the_basis_is_volume_for_the_whole_chain(unpublished) -> None:
    weight, basis = choose_basis(np.full_like(WEIGHT, unpublished), WEIGHT)
    assert basis == "volume"
    assert weight is WEIGHT


def test_without_either_there_are_no_positions() -> None:
    weight, basis = choose_basis(np.full((2, 3), np.nan), np.zeros((2, 3)))
    assert basis == "none"
    assert not positions(CUSTOMER_FLOW, weight).any()


def test_a_fixed_sign_is_doubted_for_single_names_only() -> None:
    assert single_name_warning("SPX") == ""
    assert single_name_warning("^spx") == ""
    assert "TSLA" in single_name_warning("TSLA")
    assert "BTC" in single_name_warning("BTC")
