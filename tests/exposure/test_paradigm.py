"""The four paradigms, their lines in the sand and targets."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from gexterm.dealers.conventions import CONVENTIONS, CUSTOMER_FLOW, positions
from gexterm.exposure.charm import (
    CharmProfile,
    CharmZero,
    charm_curve,
    charm_profile,
    charm_zeros,
    zero_dte_greeks,
)
from gexterm.exposure.paradigm import (
    ParadigmSettings,
    ParadigmState,
    classify,
    placebo_inside,
)
from gexterm.exposure.profile import merged
from tests.exposure.books import STRIKES, TRUE_SIGNS, dealer_book, open_interest
from tests.exposure.market import zero_dte

NAN = float("nan")
ONE = np.array([True])
MINUTE = 60 * 1_000_000_000
FOUR_HOURS = {
    s: zero_dte_greeks(zero_dte(s), ONE)[0] for s in (5960.0, 5980, 5990, 6000, 6010, 6020, 6040)
}


def read(book, spot=6000.0, state=None, now=1, config=None, greeks=None):
    g = greeks or FOUR_HOURS.get(spot) or zero_dte_greeks(zero_dte(spot), ONE)[0]
    zeros = charm_zeros(charm_curve(g, merged(book)))
    return classify(charm_profile(g, book), zeros, spot, g.sigma, now, state, config)


def profile(charm_by_strike):
    """A hand-made charm profile around 6000."""
    strike = np.array(sorted(charm_by_strike), np.float64)
    charm = np.array([charm_by_strike[k] for k in strike], np.float64)
    return CharmProfile(
        strike=strike,
        charm=charm,
        uncut=charm,
        decay_by_strike=charm,
        below=float(charm[strike < 6000].sum()),
        above=float(charm[strike > 6000].sum()),
        gross=float(np.abs(charm).sum()),
        decay=0.0,
        excluded_share=0.0,
        unknown_share=0.0,
    )


def label_of(charm, state=None, now=1, config=None, zeros=()):
    return classify(profile(charm), zeros, 6000.0, 20.0, now, state, config)


# --- signs -------------------------------------------------------------------------


@pytest.mark.parametrize("paradigm", TRUE_SIGNS)
def test_a_dealers_true_book_reads_as_what_it_is(paradigm) -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        assert read(dealer_book(paradigm, 6000.0, rng))[0].label == paradigm


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_static_convention_shows_one_paradigm_and_no_other(name) -> None:
    rng = np.random.default_rng(2)
    for _ in range(100):
        book = positions(CONVENTIONS[name], open_interest(6000.0, rng))
        assert read(book)[0].label == CONVENTIONS[name].paradigm


def test_in_the_money_interest_breaks_the_map_once_it_rivals_the_rest() -> None:
    # Published: 8 % of books break with in-the-money interest 75 % as dense, 36 % at 100 %.
    def broken(itm: float) -> float:
        rng = np.random.default_rng(7)
        books = (positions(CUSTOMER_FLOW, open_interest(6000.0, rng, itm)) for _ in range(100))
        return sum(read(book)[0].label != "Anti-GEX" for book in books) / 100

    none, some, all_of_it = broken(0.0), broken(0.5), broken(1.0)
    assert none == 0.0
    assert none < some < all_of_it
    assert all_of_it > 0.3


# Published shares of seed A's label after spot has moved off the level of the open
# interest, S 6000, four hours left: (Anti-GEX, Sidial, BofA). They fit a side threshold
# of .04 of gross; at the default of .10 more of the books in between read Mixed.
MOVED = {
    -40: (0.0, 1.0, 0.0),
    -20: (0.22, 0.67, 0.0),
    -10: (0.975, 0.0, 0.0),
    10: (0.975, 0.0, 0.0),
    20: (0.19, 0.0, 0.71),
    40: (0.0, 0.0, 1.0),
}


@pytest.mark.parametrize("move", MOVED)
def test_spot_moving_off_the_open_interest_changes_the_label_of_customer_flow(move) -> None:
    rng = np.random.default_rng(3)
    labels, plain = Counter(), Counter()
    low = ParadigmSettings(enter=0.04)
    books = 200
    for _ in range(books):
        book = positions(CUSTOMER_FLOW, open_interest(6000.0 - move, rng))
        labels[read(book, config=low)[0].label] += 1
        plain[read(book)[0].label] += 1
    got = np.array([labels[k] for k in ("Anti-GEX", "Sidial", "BofA")]) / books
    assert np.allclose(got, MOVED[move], atol=0.12)
    turned = "BofA" if move > 0 else "Sidial"
    if abs(move) == 40:
        assert plain[turned] >= 0.9 * books
    if abs(move) == 20:
        assert plain[turned] > 3 * plain["Anti-GEX"]


@pytest.mark.parametrize("name", ["short-both", "long-both"])
@pytest.mark.parametrize("move", [-40, 40])
def test_one_sign_for_calls_and_puts_keeps_its_label_wherever_spot_goes(name, move) -> None:
    rng = np.random.default_rng(4)
    labels = Counter(
        read(positions(CONVENTIONS[name], open_interest(6000.0 - move, rng)))[0].label
        for _ in range(100)
    )
    assert set(labels) <= {CONVENTIONS[name].paradigm, "Mixed"}
    assert labels[CONVENTIONS[name].paradigm] >= 85


def test_a_gex_book_turns_sidial_as_spot_nears_the_target_and_bofa_as_it_moves_away() -> None:
    rng = np.random.default_rng(5)
    near, at, away = Counter(), Counter(), Counter()
    books = 0
    for _ in range(40):
        book = dealer_book("GEX", 6000.0, rng)
        reading, _ = read(book)
        assert reading.label == "GEX"
        if np.isnan(reading.target):
            continue
        books += 1
        near[read(book, 6000.0 + 0.75 * (reading.target - 6000.0))[0].label] += 1
        at[read(book, reading.target)[0].label] += 1
        away[read(book, 5960.0)[0].label] += 1
    # Published: Sidial in 85 to 95 % of books three quarters of the way, in all at the target.
    assert near["Sidial"] >= 0.6 * books
    assert at["Sidial"] >= 0.95 * books
    assert away["BofA"] >= 0.9 * books


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(sorted(TRUE_SIGNS)),
    st.sampled_from([5980.0, 6000.0, 6020.0]),
)
def test_turning_every_sign_round_reads_the_opposite_paradigm(seed, paradigm, spot) -> None:
    opposite = {"BofA": "Sidial", "Sidial": "BofA", "GEX": "Anti-GEX", "Anti-GEX": "GEX"}
    book = dealer_book(paradigm, 6000.0, np.random.default_rng(seed))
    here, there = read(book, spot)[0], read(-book, spot)[0]
    assert there.label == opposite.get(here.label, here.label)
    assert (here.peak_below, here.peak_above) == (there.peak_below, there.peak_above)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-10, 10))
def test_label_lines_and_target_do_not_depend_on_the_size_of_the_book(seed, power) -> None:
    book = dealer_book("GEX", 6010.0, np.random.default_rng(seed))
    small, large = read(book)[0], read(book * 2.0**power)[0]
    for name in ("label", "qualifier", "lis_lower", "lis_upper", "target", "peak_below"):
        a, b = getattr(small, name), getattr(large, name)
        assert a == b or (np.isnan(a) and np.isnan(b)), name


# --- hysteresis and memory ---------------------------------------------------------


def test_a_side_takes_its_sign_at_ten_per_cent_and_keeps_it_down_to_four() -> None:
    state, seen = None, []
    for above in (8.0, 12.0, 5.0, 3.0, 8.0, -12.0, -5.0, 12.0):
        reading, state = label_of({5990.0: -100.0 + abs(above), 6010.0: above}, state)
        seen.append(reading.label)
    assert seen == ["Mixed", "BofA", "BofA", "Mixed", "Mixed", "GEX", "GEX", "BofA"]


def test_a_label_remembers_since_when_and_what_was_before() -> None:
    bofa, gex = {5990.0: -50.0, 6010.0: 50.0}, {5990.0: -50.0, 6010.0: -50.0}
    first, state = label_of(bofa, None, 1 * MINUTE)
    assert (first.since, first.previous) == (1 * MINUTE, "")
    same, state = label_of(bofa, state, 2 * MINUTE)
    assert same.since == 1 * MINUTE
    changed, state = label_of(gex, state, 3 * MINUTE)
    assert (changed.since, changed.previous) == (3 * MINUTE, "BofA")
    assert changed.dimmed == ""


def test_under_mixed_the_old_label_stays_dimmed_for_ten_minutes() -> None:
    _, state = label_of({5990.0: -50.0, 6010.0: 50.0}, None, 1 * MINUTE)
    mixed = {5990.0: -50.0, 6010.0: 1.0}
    reading, state = label_of(mixed, state, 2 * MINUTE)
    assert (reading.label, reading.dimmed) == ("Mixed", "BofA")
    reading, state = label_of(mixed, state, 12 * MINUTE)
    assert reading.dimmed == "BofA"
    reading, state = label_of(mixed, state, 12 * MINUTE + 1)
    assert reading.dimmed == ""
    assert reading.previous == "BofA"


def test_a_tick_without_data_costs_neither_sign_nor_history() -> None:
    _, state = label_of({5990.0: -50.0, 6010.0: 50.0}, None, 1 * MINUTE)
    gone, state = classify(None, (), 6000.0, NAN, 2 * MINUTE, state)
    assert (gone.label, gone.previous, gone.since) == ("No data", "BofA", 0)
    back, state = label_of({5990.0: -94.0, 6010.0: 6.0}, state, 3 * MINUTE)
    assert (back.label, back.since, back.previous) == ("BofA", 1 * MINUTE, "")
    _, state = classify(None, (), 6000.0, NAN, 4 * MINUTE, state)
    changed, _ = label_of({5990.0: -50.0, 6010.0: -50.0}, state, 5 * MINUTE)
    assert (changed.label, changed.since, changed.previous) == ("GEX", 5 * MINUTE, "BofA")


def test_ten_minutes_without_data_end_the_hysteresis_but_not_the_history() -> None:
    _, state = label_of({5990.0: -50.0, 6010.0: 50.0}, None, 1 * MINUTE)
    weak, _ = label_of({5990.0: -94.0, 6010.0: 6.0}, state, 12 * MINUTE)
    assert (weak.label, weak.previous) == ("Mixed", "BofA")
    same, _ = label_of({5990.0: -50.0, 6010.0: 50.0}, state, 12 * MINUTE)
    assert (same.label, same.since) == ("BofA", 12 * MINUTE)


def test_a_step_back_in_time_forgets_what_has_not_happened_yet() -> None:
    _, state = label_of({5990.0: -50.0, 6010.0: 50.0}, None, 30 * MINUTE)
    earlier, _ = label_of({5990.0: -94.0, 6010.0: 6.0}, state, 5 * MINUTE)
    assert (earlier.label, earlier.since, earlier.previous) == ("Mixed", 5 * MINUTE, "")


@pytest.mark.parametrize(
    "missing",
    [
        {"gross": 0.0},
        {"gross": NAN},
        {"unknown_share": NAN},
        {"unknown_share": 0.6},
    ],
)
def test_without_charm_or_with_half_the_book_unpriced_there_is_no_reading(missing) -> None:
    p = replace(profile({5990.0: -50.0, 6010.0: 50.0}), **missing)
    reading, _ = classify(p, (), 6000.0, 20.0, 1)
    assert reading.label == "No data"
    assert reading.qualifier == ""
    assert np.isnan([reading.lis_lower, reading.lis_upper, reading.target]).all()


def test_the_smallest_gross_charm_can_be_set() -> None:
    config = ParadigmSettings(smallest_gross=1000.0)
    assert label_of({5990.0: -50.0, 6010.0: 50.0}, config=config)[0].label == "No data"


# --- lines and targets -------------------------------------------------------------


def test_the_lines_of_bofa_are_the_strikes_of_largest_charm() -> None:
    charm = {5970.0: -30.0, 5980.0: -60.0, 5990.0: 20.0, 6010.0: 5.0, 6020.0: 70.0, 6030.0: 40.0}
    reading, _ = label_of(charm)
    assert reading.label == "BofA"
    assert (reading.lis_lower, reading.lis_upper) == (5980.0, 6020.0)
    assert np.isnan(reading.target)
    assert (reading.lis_lower_sigma, reading.lis_upper_sigma) == (-1.0, 1.0)


def test_of_equal_strikes_the_line_is_the_one_nearest_spot() -> None:
    charm = {5970.0: -60.0, 5980.0: -60.0, 6020.0: 60.0, 6030.0: 60.0}
    reading, _ = label_of(charm)
    assert (reading.lis_lower, reading.lis_upper) == (5980.0, 6020.0)


def test_a_line_moves_only_to_a_strike_a_sixth_larger() -> None:
    state, seen = None, []
    for other in (50.0, 65.0, 68.0, 70.0, 62.0):
        charm = {5980.0: -60.0, 6020.0: 60.0, 6030.0: other}
        reading, state = label_of(charm, state)
        seen.append(reading.lis_upper)
    assert seen == [6020.0, 6020.0, 6020.0, 6030.0, 6030.0]


def test_a_line_goes_when_its_strike_changes_sign_or_side() -> None:
    _, state = label_of({5980.0: -60.0, 6020.0: 60.0, 6030.0: 55.0})
    reading, _ = label_of({5980.0: -60.0, 6020.0: -5.0, 6030.0: 55.0}, state)
    assert reading.lis_upper == 6030.0
    passed = ParadigmState(-1, 1, "BofA", 1, "", 5980.0, 5990.0)
    reading, _ = label_of({5980.0: -60.0, 5990.0: 5.0, 6020.0: 60.0}, passed)
    assert reading.lis_upper == 6020.0


def test_line_and_target_of_gex_are_the_zeros_below_and_above_spot() -> None:
    zeros = [CharmZero(5950.0, True), CharmZero(5971.0, False), CharmZero(6027.0, True)]
    charm = {5970.0: -1.0, 5980.0: -60.0, 6020.0: -60.0, 6030.0: -2.0}
    reading, _ = label_of(charm, zeros=zeros)
    assert reading.label == "GEX"
    assert (reading.lis_lower, reading.target) == (5970.0, 6030.0)
    assert np.isnan(reading.lis_upper)
    assert (reading.peak_below, reading.peak_above) == (5980.0, 6020.0)


def test_line_and_target_of_anti_gex_are_the_other_way_round() -> None:
    zeros = [CharmZero(5973.0, True), CharmZero(6029.0, False)]
    charm = {5970.0: 1.0, 5980.0: 60.0, 6020.0: 60.0, 6030.0: 2.0}
    reading, _ = label_of(charm, zeros=zeros)
    assert reading.label == "Anti-GEX"
    assert (reading.target, reading.lis_upper) == (5970.0, 6030.0)
    assert np.isnan(reading.lis_lower)


def test_by_the_peak_rule_the_line_is_the_strike_of_largest_charm() -> None:
    zeros = [CharmZero(5970.0, False), CharmZero(6030.0, True)]
    config = ParadigmSettings(lis_rule="peak")
    gex, _ = label_of({5970.0: -1.0, 5985.0: -60.0, 6020.0: -60.0}, config=config, zeros=zeros)
    assert gex.lis_lower == 5985.0
    anti, _ = label_of({5985.0: 60.0, 6015.0: 60.0, 6030.0: 2.0}, config=config, zeros=zeros)
    assert anti.lis_upper == 6015.0


def test_sidial_has_no_line_and_its_target_is_the_nearest_zero_that_holds_spot() -> None:
    zeros = [CharmZero(5975.0, True), CharmZero(6004.0, False), CharmZero(6031.0, True)]
    charm = {5975.0: 50.0, 6005.0: -1.0, 6030.0: -50.0}
    reading, _ = label_of(charm, zeros=zeros)
    assert reading.label == "Sidial"
    assert reading.target == 5975.0
    assert np.isnan([reading.lis_lower, reading.lis_upper]).all()
    assert np.isnan(label_of(charm, zeros=zeros[1:2])[0].target)


def test_on_its_way_a_gex_book_keeps_its_target_when_the_label_turns_sidial() -> None:
    rng = np.random.default_rng(8)
    kept = turned = 0
    for _ in range(40):
        book = dealer_book("GEX", 6000.0, rng)
        start, _ = read(book)
        later, _ = (
            read(book, 6000.0 + 0.75 * (start.target - 6000.0))
            if start.target > 0
            else (start, None)
        )
        if later.label == "Sidial":
            turned += 1
            kept += abs(later.target - start.target) <= 5.0
    assert turned > 20
    assert kept >= 0.95 * turned


def test_a_target_halfway_between_strikes_does_not_flicker() -> None:
    charm = {5980.0: -60.0, 6020.0: -30.0, 6030.0: -30.0}
    state, seen = None, []
    for zero in (6024.0, 6025.5, 6024.5, 6026.5, 6024.5):
        reading, state = label_of(charm, state, zeros=[CharmZero(zero, True)])
        seen.append(reading.target)
    assert seen == [6020.0, 6020.0, 6020.0, 6030.0, 6030.0]


@pytest.mark.parametrize("paradigm", ["GEX", "Anti-GEX"])
def test_true_books_have_a_line_and_a_target_farther_out_than_their_peaks(paradigm) -> None:
    # Published over 40 books each: zeros in all of them, 28 and 33 points away, peaks 17
    # to 19. These books are noisier: a few have a zero beyond the 2.5 σ of the search.
    rng = np.random.default_rng(6)
    target, line, peak = [], [], []
    for _ in range(40):
        reading, _ = read(dealer_book(paradigm, 6000.0, rng))
        target.append(abs(reading.target - 6000.0))
        line.append(abs(np.fmax(reading.lis_lower, reading.lis_upper) - 6000.0))
        peak.append(0.5 * (reading.peak_above - reading.peak_below))
    assert np.isfinite(target).mean() >= 0.9
    assert np.isfinite(line).mean() >= 0.9
    assert 22.0 < np.nanmean(target) < 38.0
    assert 22.0 < np.nanmean(line) < 38.0
    assert 13.0 < np.mean(peak) < 22.0
    assert np.mean(peak) < min(np.nanmean(target), np.nanmean(line))


def test_a_largest_charm_strike_is_the_one_deviation_strike_by_construction() -> None:
    # Equal open interest everywhere: |instantaneous charm| peaks at 16 delta.
    book = np.zeros((2, len(STRIKES)))
    book[0, STRIKES > 6000.0] = book[1, STRIKES < 6000.0] = -100.0
    reading, _ = read(book)
    at = float(np.interp(reading.lis_upper, STRIKES, zero_dte().delta[0]))
    assert reading.label == "BofA"
    assert 0.12 < at < 0.22


# --- qualifier and placebo ---------------------------------------------------------


@pytest.mark.parametrize(
    ("charm", "zeros", "qualifier"),
    [
        ({5970.0: -50.0, 6030.0: 50.0}, (), "PURE"),
        ({5970.0: -50.0, 6008.0: 50.0}, (), "LIS"),
        ({5960.0: 30.0, 5970.0: -50.0, 6030.0: 50.0}, (), "MESSY"),
        ({5970.0: -50.0, 6010.0: -50.0, 6030.0: 1.0}, (CharmZero(6008.0, True),), "PURE"),
        ({5970.0: -50.0, 6005.0: -50.0, 6030.0: 1.0}, (CharmZero(6006.0, True),), "TARGET"),
        ({5970.0: -50.0, 6030.0: 1.0}, (), ""),
    ],
)
def test_the_qualifier_says_what_is_being_tested(charm, zeros, qualifier) -> None:
    assert label_of(charm, zeros=zeros)[0].qualifier == qualifier


def test_the_placebo_is_a_driftless_normal() -> None:
    assert placebo_inside(6000.0, 5980.0, 6020.0, 20.0) == pytest.approx(
        norm.cdf(1.0) - norm.cdf(-1.0)
    )
    assert placebo_inside(6000.0, 5980.0, NAN, 20.0) == pytest.approx(norm.cdf(1.0))
    assert placebo_inside(6000.0, NAN, 6040.0, 20.0) == pytest.approx(norm.cdf(2.0))
    assert np.isnan(placebo_inside(6000.0, NAN, NAN, 20.0))
    assert np.isnan(placebo_inside(6000.0, 5980.0, 6020.0, NAN))
