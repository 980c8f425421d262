"""Three views of the dealer's book, and what may be wrong with all of it at once."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.belief import Belief
from gexterm.dealers.evidence import Evidence
from gexterm.dealers.flow import Flow
from gexterm.dealers.positions import (
    BIAS,
    GROUPS,
    INFORMATION,
    PositionSettings,
    bounded,
    compact,
    contracts_of,
    flow_belief,
    position_views,
    tally,
)
from gexterm.dealers.prior import prior
from gexterm.dealers.trap import detect
from tests.dealers.books import KINDS, chain, flow, laid_out

CONTRACTS = chain()
LAYOUT, NOW = laid_out(CONTRACTS)
N = len(CONTRACTS)
OI = np.full((2, len(LAYOUT)), 1000.0)


def common(belief: Belief, greek: np.ndarray) -> float:
    """Standard deviation of Σ x·g by common errors alone."""
    loads = np.einsum("kcn,cn->k", belief.shared, greek)
    return float(np.sqrt(loads @ loads))


ALONE = PositionSettings(lean=0.0)
"""Every print stands alone."""


def test_each_contract_stands_in_the_row_of_its_strike() -> None:
    mean = np.arange(N, dtype=float)
    belief = flow_belief(Flow(mean, 2.0 * mean, np.zeros((KINDS, 2, N))), LAYOUT, NOW)
    assert np.array_equal(belief.mean, mean[LAYOUT.contract])
    assert np.array_equal(belief.variance, 2.0 * mean[LAYOUT.contract])


def test_a_strike_without_a_put_has_no_position_in_it() -> None:
    contracts = [c for i, c in enumerate(CONTRACTS) if i != 1]
    layout, now = laid_out(contracts)
    belief = flow_belief(flow(len(contracts), {Evidence.AT_QUOTE: (9.0, 3.0)}), layout, now)
    assert belief.mean[1, 0] == 0.0
    assert (belief.shared[:, 1, 0] == 0.0).all()
    assert (np.delete(belief.mean.ravel(), len(layout)) != 0.0).all()


def test_contracts_listed_since_the_flow_was_added_up_have_none() -> None:
    short = flow(N - 2, {Evidence.AT_QUOTE: (9.0, 3.0)})
    views = position_views(short, LAYOUT, NOW, prior(LAYOUT, OI, NOW))
    assert np.count_nonzero(views.flow.mean) == N - 2


def test_combined_is_what_was_there_and_what_was_added() -> None:
    added = flow(N, {Evidence.AT_QUOTE: (30.0, 10.0)})
    views = position_views(added, LAYOUT, NOW, prior(LAYOUT, OI, NOW), settings=ALONE)
    assert views.flow.mean == pytest.approx(np.full_like(OI, 18.0))
    assert np.array_equal(views.combined.mean, views.prior.mean + views.flow.mean)
    assert views.combined.sd == pytest.approx(np.hypot(views.prior.sd, views.flow.sd))
    assert views.bounds_hit == 0
    assert views.epoch == 7
    assert views.coverage == 1.0


def test_errors_in_common_do_not_average_out_over_prints_or_strikes() -> None:
    ratio = []
    for strikes in (4, 400):
        layout, now = laid_out(chain(strikes))
        added = flow(4 * strikes, {Evidence.AT_QUOTE: (60.0, 40.0)})
        belief = flow_belief(added, layout, now, settings=ALONE)
        greek = np.ones((2, len(layout)))
        ratio.append(common(belief, greek) / (100.0 * greek.sum()))
    assert ratio[0] == pytest.approx(ratio[1])
    assert 0.5 * BIAS[Evidence.AT_QUOTE] < ratio[0] <= BIAS[Evidence.AT_QUOTE]


def test_half_of_the_common_variance_is_the_whole_markets_and_half_each_groups_own() -> None:
    added = flow(N, {Evidence.AT_QUOTE: (60.0, 40.0)})
    belief = flow_belief(added, LAYOUT, NOW, settings=ALONE)
    assert len(belief.shared) == 1 + len(GROUPS)
    assert (belief.shared[0] > 0.0).all()
    assert ((belief.shared[1:] > 0.0).sum(axis=0) == 1).all()
    per = np.einsum("kcn,kcn->cn", belief.shared, belief.shared)
    assert np.sqrt(per) == pytest.approx(np.full_like(per, 100.0 * BIAS[Evidence.AT_QUOTE]))


def test_weak_evidence_and_no_evidence_widen_the_band() -> None:
    widths = [
        common(
            flow_belief(flow(N, {kind: (60.0, 40.0)}), LAYOUT, NOW, settings=ALONE),
            np.ones_like(OI),
        )
        for kind in (Evidence.VENUE, Evidence.AT_QUOTE, Evidence.INSIDE, Evidence.DEPTH)
    ]
    assert widths[0] == 0.0
    assert widths == sorted(widths)
    unsigned = flow_belief(flow(N, {Evidence.MID: (50.0, 50.0)}), LAYOUT, NOW)
    assert (unsigned.mean == 0.0).all()
    assert common(unsigned, np.ones_like(OI)) > 0.0


def test_the_trap_widens_the_band_until_the_sign_is_open() -> None:
    added = flow(N, {Evidence.SIZE: (30.0, 2.0), Evidence.AT_QUOTE: (40.0, 60.0)}, prints=500)
    trap = detect(added)
    assert trap.on
    calm = flow_belief(added, LAYOUT, NOW)
    wide = flow_belief(added, LAYOUT, NOW, trap)
    greek = np.ones_like(OI)
    assert common(wide, greek) > 4.0 * common(calm, greek)
    assert common(wide, greek) > abs(float((wide.mean * greek).sum()))
    views = position_views(added, LAYOUT, NOW, prior(LAYOUT, OI, NOW))
    assert views.trap.on
    assert "customers' sells" in views.trap.why
    assert common(views.flow, greek) >= 0.99 * common(wide, greek)


def test_a_trap_in_one_group_widens_that_group_only() -> None:
    amount = np.zeros((KINDS, 2, N))
    amount[Evidence.AT_QUOTE] = 500.0
    calls = LAYOUT.contract[0][NOW]
    amount[Evidence.AT_QUOTE][:, calls] = [[40.0], [60.0]]
    amount[Evidence.SIZE, 0, calls] = 40.0
    added = Flow(np.zeros(N), np.zeros(N), amount, 1, 12_000)
    views = position_views(added, LAYOUT, NOW, prior(LAYOUT, OI, NOW), settings=ALONE)
    assert [group.on for group in views.trap.groups] == [True, False, False, False]
    assert not views.trap.overall.on
    per = np.sqrt(np.einsum("kcn,kcn->cn", views.flow.shared, views.flow.shared))
    traded = views.flow.shared[0]
    assert (per[0, NOW] / traded[0, NOW]).min() > 2.0 * (per[1] / traded[1]).max()


def test_a_position_beyond_what_can_be_open_is_cut_and_counted() -> None:
    belief = Belief.certain(np.array([[150.0, -150.0], [100.0, 0.0]]))
    cut, hit = bounded(belief, np.full((2, 2), 100.0), np.full((2, 2), 20.0))
    assert cut.mean.tolist() == [[120.0, -120.0], [100.0, 0.0]]
    assert hit == 2


def test_where_open_interest_is_not_known_nothing_is_cut() -> None:
    belief = Belief.certain(np.array([[1e6], [-1e6]]))
    cut, hit = bounded(belief, np.array([[np.nan], [0.0]]), np.array([[np.nan], [np.nan]]))
    assert cut.mean.tolist() == [[1e6], [0.0]]
    assert hit == 1


def test_printed_volume_bounds_where_the_venue_reports_less_or_nothing() -> None:
    added = flow(N, {Evidence.VENUE: (50.0, 0.0)})
    empty = np.zeros_like(OI)
    empty[0, 0] = 1.0  # something is open, so open interest is published
    for volume in (None, np.full_like(OI, np.nan), np.zeros_like(OI)):
        assert position_views(added, LAYOUT, NOW, prior(LAYOUT, empty, NOW), volume).bounds_hit == 0


def test_the_tally_says_what_volume_was_signed_on_and_why_some_was_not() -> None:
    mixed = flow(
        N,
        {
            Evidence.AT_QUOTE: (30.0, 30.0),
            Evidence.SIZE: (10.0, 10.0),
            Evidence.CROSS: (5.0, 5.0),
            Evidence.STALE_QUOTE: (2.5, 7.5),
        },
    )
    views = position_views(mixed, LAYOUT, NOW, prior(LAYOUT, OI, NOW))
    assert views.signed_share == pytest.approx(0.8)
    assert views.by_evidence == pytest.approx({"at the quote": 0.6, "size of the quote": 0.2})
    assert views.unsigned_by_reason == {"cross": 10.0 * N, "stale quote": 10.0 * N}
    assert views.tally.volume == 100.0 * N
    part = tally(mixed, contracts_of(LAYOUT, NOW, N))
    assert part.volume == 100.0 * N / 2
    assert part.by_evidence == pytest.approx(views.by_evidence)


def test_without_prints_nothing_is_known_of_signing() -> None:
    views = position_views(flow(N, {}, prints=0), LAYOUT, NOW, prior(LAYOUT, OI, NOW))
    assert math.isnan(views.signed_share)
    assert views.by_evidence == {}
    assert not views.trap.on
    assert np.array_equal(views.combined.mean, views.prior.mean)


def test_a_doubled_bias_doubles_the_common_error() -> None:
    added = flow(N, {Evidence.AT_QUOTE: (60.0, 40.0)})
    once, twice = (
        flow_belief(added, LAYOUT, NOW, settings=PositionSettings(bias_scale=scale, lean=0.0))
        for scale in (1.0, 2.0)
    )
    assert twice.shared == pytest.approx(2.0 * once.shared)


def leaning(rng: np.random.Generator, lean: float, contracts: int, trust: float = 0.7):
    """Prints of one size at the quote, right with probability `trust`; the flow and the truth."""
    prints = 20_000
    bought = rng.random(prints) < 0.5 * (1.0 + lean)
    seen = np.where(rng.random(prints) < trust, bought, ~bought)
    contract = rng.integers(0, contracts, prints)
    amount = np.zeros((KINDS, 2, contracts))
    np.add.at(amount, (Evidence.AT_QUOTE, (~seen).astype(int), contract), 1.0)
    sides = amount[Evidence.AT_QUOTE]
    mean = 0.9 * (2.0 * trust - 1.0) * (sides[0] - sides[1])
    variance = 0.9 * (1.0 - 0.9 * (2.0 * trust - 1.0) ** 2) * sides.sum(axis=0)
    true = np.zeros(contracts)
    np.add.at(true, contract, 0.9 * np.where(bought, 1.0, -1.0))
    return Flow(mean, variance, amount, 1, prints), true


@pytest.mark.parametrize("lean", [0.1, 0.2])
def test_doubtful_prints_together_show_the_lean_that_each_alone_hides(lean: float) -> None:
    trust = 0.5 + 0.5 * math.sqrt(INFORMATION[Evidence.AT_QUOTE])
    told = []
    for sign in (-1.0, 1.0):
        added, true = leaning(np.random.default_rng(1), sign * lean, N, trust)
        alone = flow_belief(added, LAYOUT, NOW, settings=ALONE)
        together = flow_belief(added, LAYOUT, NOW)
        assert alone.mean.sum() / true.sum() < 0.4
        told.append(together.mean.sum() / true.sum())
        actual = true[LAYOUT.contract]
        assert np.sum((together.mean - actual) ** 2) < np.sum((alone.mean - actual) ** 2)
        greek = np.ones_like(OI)
        sd = math.hypot(common(together, greek), math.sqrt(together.variance.sum()))
        assert abs(together.mean.sum() - true.sum()) < 2.0 * sd
    # The same prints, mirrored: chance in whose order they were cancels.
    assert np.mean(told) == pytest.approx(1.0, abs=0.1)


def test_where_customers_do_not_lean_none_is_found() -> None:
    trust = 0.5 + 0.5 * math.sqrt(INFORMATION[Evidence.AT_QUOTE])
    added, _ = leaning(np.random.default_rng(2), 0.0, N, trust)
    together = flow_belief(added, LAYOUT, NOW)
    greek = np.ones_like(OI)
    assert abs(together.mean.sum()) < common(together, greek)


def test_sides_that_are_certain_leave_nothing_for_a_lean_to_move() -> None:
    certain = flow(N, {Evidence.VENUE: (80.0, 20.0)})
    alone = flow_belief(certain, LAYOUT, NOW, settings=ALONE)
    assert flow_belief(certain, LAYOUT, NOW).mean == pytest.approx(alone.mean, rel=0.05)


def test_prints_without_a_side_take_part_in_the_lean_but_crosses_do_not() -> None:
    signed = {Evidence.AT_QUOTE: (600.0, 400.0)}
    plain = flow_belief(flow(N, signed), LAYOUT, NOW).mean
    unsigned = flow_belief(flow(N, {**signed, Evidence.LATE: (100.0, 100.0)}), LAYOUT, NOW).mean
    crossed = flow_belief(flow(N, {**signed, Evidence.CROSS: (100.0, 100.0)}), LAYOUT, NOW).mean
    assert (unsigned > plain).all()
    assert crossed == pytest.approx(plain, rel=0.02)


def test_the_lean_of_one_group_moves_no_other() -> None:
    amount = np.zeros((KINDS, 2, N))
    calls = LAYOUT.contract[0][NOW]
    amount[Evidence.AT_QUOTE] = 500.0
    amount[Evidence.AT_QUOTE][:, calls] = [[600.0], [400.0]]
    sides = amount[Evidence.AT_QUOTE]
    mean = 0.4 * (sides[0] - sides[1])
    belief = flow_belief(Flow(mean, np.ones(N), amount, 1, 9), LAYOUT, NOW)
    assert (belief.mean[0, NOW] > mean[calls]).all()
    assert (belief.mean[1] == 0.0).all()
    assert (belief.mean[0, ~NOW] == 0.0).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(0, 14), most=st.integers(1, 8))
def test_fewer_common_errors_keep_every_position_as_uncertain_as_it_was(seed, k, most) -> None:
    rng = np.random.default_rng(seed)
    belief = Belief(
        rng.normal(size=(2, 6)), rng.random((2, 6)), rng.normal(size=(k, 2, 6)) * rng.random()
    )
    packed = compact(belief, most)
    assert len(packed.shared) == min(k, most)
    assert packed.sd == pytest.approx(belief.sd)
    assert np.array_equal(packed.mean, belief.mean)


def test_the_largest_common_errors_are_the_ones_kept() -> None:
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(12, 2, 50))
    shared[4] = 40.0
    packed = compact(Belief(np.zeros((2, 50)), np.zeros((2, 50)), shared), 8)
    greek = np.ones((2, 50))
    exact = common(Belief(np.zeros((2, 50)), np.zeros((2, 50)), shared), greek)
    assert common(packed, greek) == pytest.approx(exact, rel=0.01)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    oi=st.one_of(st.just(float("nan")), st.floats(0, 1e5)),
    scale=st.floats(0, 1e4),
)
def test_combined_positions_never_exceed_what_can_be_open(seed, oi, scale) -> None:
    rng = np.random.default_rng(seed)
    amount = rng.random((KINDS, 2, N)) * scale
    # A net beyond the printed volume would be a mistake elsewhere; it must not come through.
    made = Flow(rng.normal(0, 40 * scale, N), rng.random(N), amount, 1, 100)
    interest = np.full_like(OI, oi)
    interest[0, 0] = 5.0
    views = position_views(made, LAYOUT, NOW, prior(LAYOUT, interest, NOW))
    most = interest + amount.sum(axis=(0, 1))[LAYOUT.contract]
    known = ~np.isnan(interest)
    assert (np.abs(views.combined.mean[known]) <= most[known] + 1e-6).all()
    assert np.isfinite(views.combined.sd).all()


def test_trades_that_were_reported_and_never_seen_widen_combined_and_not_flow() -> None:
    added = flow(N, {Evidence.AT_QUOTE: (60.0, 40.0)})
    before = prior(LAYOUT, OI, NOW)
    heard = position_views(added, LAYOUT, NOW, before, np.full_like(OI, 100.0))
    joined_late = position_views(added, LAYOUT, NOW, before, np.full_like(OI, 900.0))
    assert (joined_late.combined.sd > heard.combined.sd).all()
    assert joined_late.flow.sd == pytest.approx(heard.flow.sd)
    assert joined_late.combined.mean == pytest.approx(heard.combined.mean)
    greek = np.ones_like(OI)
    # Nobody knows which way they leaned: in common, not each for itself.
    extra = common(joined_late.combined, greek) ** 2 - common(heard.combined, greek) ** 2
    assert np.sqrt(extra) == pytest.approx(0.13 * 0.9 * 800.0 * N / 2.0, rel=0.01)
