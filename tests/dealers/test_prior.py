"""What dealers held before today's trades."""

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.belief import Belief
from gexterm.dealers.conventions import CONVENTIONS, CUSTOMER_FLOW, SHORT_BOTH, SQUEEZEMETRICS
from gexterm.dealers.prior import Carry, Prior, PriorSettings, carry_rows, prior
from gexterm.market.contracts import Contract, Right
from tests.dealers.books import LATER, TODAY, chain, laid_out

CONTRACTS = chain()
LAYOUT, NOW = laid_out(CONTRACTS)
OI = np.full((2, len(LAYOUT)), 1000.0)


def carried(mean: float, opened: float, variance: float = 0.0, shared: float = 0.0) -> Carry:
    shape = OI.shape
    belief = Belief(np.full(shape, mean), np.full(shape, variance), np.full((1, *shape), shared))
    return Carry(belief, np.full(shape, opened), np.zeros(shape), OI, OI, epoch=5, as_of=9)


def sd_of_sum(belief: Belief) -> float:
    shared = belief.shared.sum(axis=(1, 2))
    return math.sqrt(float(belief.variance.sum()) + float(shared @ shared))


def test_nothing_is_assumed_of_todays_expiry_but_a_band() -> None:
    before = prior(LAYOUT, OI, NOW)
    assert (before.belief.mean[:, NOW] == 0.0).all()
    assert (before.belief.sd[:, NOW] > 0.0).all()
    assert before.epoch == 0


def test_later_expiries_stand_under_squeezemetrics_by_default() -> None:
    before = prior(LAYOUT, OI, NOW)
    assert before.belief.mean[:, ~NOW].tolist() == [[1000.0] * 4, [-1000.0] * 4]
    assert before.words == "squeezemetrics on open interest, today's expiry none"


def test_a_convention_that_takes_all_open_interest_reaches_no_holding_within_two_sd() -> None:
    """The share that dealers hold may be anything from all to none: 1/√3 away on average."""
    before = prior(LAYOUT, OI, NOW)
    relative = before.belief.sd[:, ~NOW] / np.abs(before.belief.mean[:, ~NOW])
    assert relative == pytest.approx(1 / math.sqrt(3), rel=0.02)


def test_open_interest_errs_together_so_a_longer_chain_is_no_surer() -> None:
    short, short_now = laid_out(chain(4))
    long, long_now = laid_out(chain(400))
    bands = [
        sd_of_sum(prior(layout, np.full((2, len(layout)), 10.0), now).belief) / len(layout)
        for layout, now in ((short, short_now), (long, long_now))
    ]
    assert bands[1] > 0.8 * bands[0]


def test_calls_and_puts_today_and_later_err_apart() -> None:
    shared = prior(LAYOUT, OI, NOW).belief.shared
    assert len(shared) == 4
    assert ((shared != 0.0).sum(axis=0) == 1).all()


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=lambda c: c.name)
def test_each_convention_may_be_chosen_with_any_share_of_open_interest(convention) -> None:
    before = prior(
        LAYOUT, OI, NOW, PriorSettings(today=convention, today_share=0.5, later=convention)
    )
    assert before.belief.mean[0, NOW].tolist() == [500.0 * convention.call_sign] * 4
    assert before.belief.mean[1, ~NOW].tolist() == [1000.0 * convention.put_sign] * 4


def test_what_was_recorded_takes_the_place_of_what_is_assumed() -> None:
    nothing = prior(LAYOUT, OI, NOW, carry=carried(-300.0, 0.0))
    half = prior(LAYOUT, OI, NOW, carry=carried(-300.0, 500.0))
    whole = prior(LAYOUT, OI, NOW, carry=carried(-300.0, 4000.0))
    assert nothing.belief.mean[0, ~NOW].tolist() == [1000.0] * 4
    assert half.belief.mean[0, ~NOW].tolist() == [0.5 * -300.0 + 0.5 * 1000.0] * 4
    assert half.belief.mean[0, NOW].tolist() == [-150.0] * 4
    assert (whole.belief.mean == -300.0).all()
    assert [p.coverage for p in (nothing, half, whole)] == [1.0, 0.5, 0.0]
    assert whole.epoch == 5


def test_a_whole_record_leaves_only_its_own_uncertainty() -> None:
    whole = prior(LAYOUT, OI, NOW, carry=carried(-300.0, 1000.0, variance=25.0, shared=12.0))
    assert whole.belief.sd == pytest.approx(13.0)


def test_coverage_is_of_open_interest_not_of_contracts() -> None:
    carry = carried(0.0, 0.0)
    carry.opened[:, NOW] = 100.0
    oi = np.where(NOW, 100.0, 300.0) * np.ones((2, 1))
    before = prior(LAYOUT, oi, NOW, carry=carry)
    assert before.coverage == pytest.approx(0.75)
    assert before.uncovered(NOW) == 0.0
    assert before.uncovered(LAYOUT.slice(1)) == 1.0


def test_nobody_holds_more_than_all_of_open_interest() -> None:
    before = prior(LAYOUT, OI, NOW, carry=carried(-1500.0, 1000.0))
    assert (before.belief.mean == -1000.0).all()
    assert before.bounds_hit == OI.size


@pytest.mark.parametrize("unpublished", [0.0, np.nan])
def test_open_interest_that_is_not_published_is_not_known_rather_than_none(unpublished) -> None:
    empty = np.full_like(OI, unpublished)
    without = prior(LAYOUT, empty, NOW)
    assert (without.belief.mean == 0.0).all()
    assert math.isnan(without.coverage)
    assert np.isnan(without.open_interest).all()
    kept = prior(LAYOUT, empty, NOW, carry=carried(-1500.0, 10.0))
    assert (kept.belief.mean == -1500.0).all()


def test_contracts_of_unknown_open_interest_are_left_at_nothing() -> None:
    oi = OI.copy()
    oi[0, 5] = np.nan
    before = prior(LAYOUT, oi, NOW)
    assert before.belief.mean[0, 5] == 0.0
    assert np.isfinite(before.belief.mean).all()
    assert np.isfinite(before.belief.sd).all()


def test_the_words_name_what_is_assumed() -> None:
    assert PriorSettings(later=None).words == "none"
    assert PriorSettings(today=SQUEEZEMETRICS, today_share=1.0).words == (
        "squeezemetrics on open interest"
    )
    assert PriorSettings(today=CUSTOMER_FLOW, today_share=0.5, later=SHORT_BOTH).words == (
        "short-both on open interest, today's expiry 0.5 × customer-flow"
    )
    assert PriorSettings(today=CUSTOMER_FLOW, today_share=1.0, later=None).words == (
        "none, today's expiry customer-flow on open interest"
    )


def saved(contracts: list[Contract]) -> dict[str, np.ndarray]:
    m = len(contracts)
    return {
        "mean": np.arange(m) - 3.0,
        "variance": np.arange(m) + 1.0,
        "shared": np.arange(2.0 * m).reshape(2, m),
        "opened": np.full(m, 10.0),
        "traded": np.full(m, 6.0),
        "open_interest": np.full(m, 50.0),
        "volume": np.full(m, 8.0),
    }


def test_a_saved_book_finds_its_contracts_in_todays_chain_whatever_the_order() -> None:
    old = list(reversed(CONTRACTS))
    carry = carry_rows(old, **saved(old), layout=LAYOUT, epoch=1, as_of=2)
    for index, contract in enumerate(old):
        side = 0 if contract.right is Right.CALL else 1
        dates = np.array([LAYOUT.expiries[e].date for e in LAYOUT.expiry])
        (row,) = np.flatnonzero((LAYOUT.strike == contract.strike) & (dates == contract.expiry))
        assert carry.belief.mean[side, row] == index - 3.0
        assert carry.belief.shared[1, side, row] == len(old) + index


def test_expired_contracts_are_gone_and_new_ones_start_from_nothing() -> None:
    yesterday = TODAY - dt.timedelta(days=1)
    old = chain(4, (yesterday, LATER))
    carry = carry_rows(old, **saved(old), layout=LAYOUT, epoch=1, as_of=2)
    assert (carry.belief.mean[:, NOW] == 0.0).all()
    assert np.isnan(carry.open_interest[:, NOW]).all()
    assert (carry.opened[:, ~NOW] == 10.0 + 3.0).all()


def test_the_same_strike_of_another_root_is_another_contract() -> None:
    third_friday = [Contract("SPX", LATER, Right.CALL, 6600.0)]
    carry = carry_rows(third_friday, **saved(third_friday), layout=LAYOUT, epoch=1, as_of=2)
    assert (carry.belief.mean == 0.0).all()


@settings(max_examples=50, deadline=None)
@given(
    mean=st.floats(-5000, 5000),
    opened=st.floats(0, 5000),
    oi=st.one_of(st.just(float("nan")), st.floats(0, 5000)),
    share=st.floats(0, 1),
)
def test_a_prior_is_always_a_number_within_open_interest(mean, opened, oi, share) -> None:
    interest = np.full_like(OI, 100.0)
    interest[:, 1:3] = oi
    before: Prior = prior(
        LAYOUT,
        interest,
        NOW,
        PriorSettings(today=SHORT_BOTH, today_share=share, later_share=share),
        carried(mean, opened, 4.0, 1.0),
    )
    assert np.isfinite(before.belief.mean).all()
    assert (before.belief.variance >= 0.0).all()
    known = ~np.isnan(interest)
    assert (np.abs(before.belief.mean[known]) <= interest[known] + 1e-9).all()
    assert ((before.covered >= 0.0) & (before.covered <= 1.0)).all()
