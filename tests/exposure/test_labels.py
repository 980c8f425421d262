"""How sure the paradigm, its lines and its target are."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from gexterm.dealers.belief import Belief
from gexterm.exposure.charm import (
    CharmCurve,
    charm_curve,
    charm_matrix,
    charm_profile,
    charm_zeros,
    zero_dte_greeks,
)
from gexterm.exposure.draws import DrawSettings, both_signs, curve_draws, normals, strike_draws
from gexterm.exposure.labels import NAMES, label_odds, level_bands
from gexterm.exposure.paradigm import ParadigmSettings, ParadigmState, classify
from gexterm.exposure.profile import merged
from gexterm.exposure.uncertainty import sides_sd
from tests.exposure.beliefs import belief, drawn
from tests.exposure.books import STRIKES, TRUE_SIGNS, dealer_book
from tests.exposure.market import TODAY, expiry, surface, zero_dte

ONE = np.array([True])
GREEKS = zero_dte_greeks(zero_dte(), ONE)[0]
EVERY = np.ones(len(STRIKES), np.bool_)
MATRIX = charm_matrix(GREEKS, EVERY)
MANY = DrawSettings(draws=4000)


def read(book, state=None, config=None, greeks=GREEKS):
    zeros = charm_zeros(charm_curve(greeks, merged(book)))
    return classify(charm_profile(greeks, book), zeros, greeks.spot, greeks.sigma, 1, state, config)


def uneasy(paradigm: str, relative: float = 0.5, seed: int = 0) -> Belief:
    rng = np.random.default_rng(seed)
    return belief(dealer_book(paradigm, 6000.0, rng), rng, relative)


# --- P(label) ----------------------------------------------------------------------


@pytest.mark.parametrize("paradigm", TRUE_SIGNS)
def test_a_book_taken_for_granted_reads_as_itself_for_certain(paradigm) -> None:
    book = dealer_book(paradigm, 6000.0, np.random.default_rng(1))
    odds = label_odds(GREEKS, Belief.certain(book))
    assert odds.probability[paradigm] == 1.0
    assert odds.likeliest == paradigm == read(book)[0].label
    assert sum(odds.probability.values()) == pytest.approx(1.0)
    assert tuple(odds.probability) == NAMES


@pytest.mark.parametrize("paradigm", TRUE_SIGNS)
@pytest.mark.parametrize("relative", [0.5, 2.0])
def test_odds_are_the_labels_of_books_drawn_and_classified_one_by_one(paradigm, relative) -> None:
    b = uneasy(paradigm, relative)
    books = drawn(b, np.random.default_rng(2), 1000)
    labels = Counter(
        classify(charm_profile(GREEKS, x), (), 6000.0, GREEKS.sigma, 1)[0].label for x in books
    )
    odds = label_odds(GREEKS, b, draws=MANY)
    few = label_odds(GREEKS, b)
    for name in NAMES:
        assert odds.probability[name] == pytest.approx(labels[name] / 1000, abs=0.05), name
        assert few.probability[name] == pytest.approx(odds.probability[name], abs=0.1), name
    assert few.draws == 200


def test_odds_are_calibrated_where_the_belief_is_right() -> None:
    # Truth drawn from the belief itself: among all readings with P near p, p of the labels
    # are right. This is the reliability that a signer's belief is later held to.
    rng = np.random.default_rng(3)
    said, true = [], []
    for i in range(400):
        name = list(TRUE_SIGNS)[i % 4]
        b = belief(dealer_book(name, 6000.0, rng), rng, rng.uniform(0.2, 4.0))
        truth = drawn(b, rng, 1)[0]
        label = classify(charm_profile(GREEKS, truth), (), 6000.0, GREEKS.sigma, 1)[0].label
        odds = label_odds(GREEKS, b)
        said += [odds.probability[n] for n in NAMES]
        true += [float(n == label) for n in NAMES]
    said, true = np.array(said), np.array(true)
    bins = np.clip((said * 5).astype(int), 0, 4)
    for k in range(5):
        here = bins == k
        assert here.sum() > 40
        assert true[here].mean() == pytest.approx(said[here].mean(), abs=0.08)


def test_a_book_of_which_only_the_size_is_known_favours_no_label() -> None:
    n = len(STRIKES)
    b = Belief(np.zeros((2, n)), np.full((2, n), 1e4), np.zeros((0, 2, n)))
    odds = label_odds(GREEKS, b, draws=MANY).probability
    assert max(odds.values()) < 0.5
    assert odds["BofA"] == pytest.approx(odds["Sidial"], abs=0.01)
    assert odds["GEX"] == pytest.approx(odds["Anti-GEX"], abs=0.01)


@pytest.mark.parametrize("doubt", [0.5, 3.0])
def test_the_same_belief_always_has_the_same_odds(doubt) -> None:
    b = uneasy("GEX", doubt)
    normals.cache_clear()
    first = label_odds(GREEKS, b)
    normals.cache_clear()
    assert label_odds(GREEKS, b) == first


def test_odds_move_little_when_the_market_does() -> None:
    # Between strikes that the |delta| rule drops or takes back, which do move them.
    b = uneasy("GEX", 2.0)
    chain = [zero_dte_greeks(zero_dte(s), ONE)[0] for s in np.arange(6001.0, 6004.0, 0.1)]
    odds = [label_odds(greeks, b).probability["GEX"] for greeks in chain]
    same = [np.array_equal(x.kept, y.kept) for x, y in pairwise(chain)]
    assert sum(same) > 25
    assert np.abs(np.diff(odds))[same].max() <= 0.02


def test_a_side_that_has_its_sign_keeps_it_in_the_draws_too() -> None:
    book = np.zeros((2, len(STRIKES)))
    book[1, STRIKES == 5985.0] = -100.0
    book[0, STRIKES == 6015.0] = -8.0
    b = Belief.certain(book)
    held = ParadigmState(below=-1, above=1, label="BofA", since=1, seen=1)
    assert label_odds(GREEKS, b).likeliest == "Mixed"
    assert label_odds(GREEKS, b, state=held).likeliest == "BofA"
    assert read(book, held)[0].label == "BofA"


def test_without_a_book_or_its_greeks_there_are_no_odds() -> None:
    n = len(STRIKES)
    assert label_odds(GREEKS, Belief.certain(np.zeros((2, n)))).probability == {}
    unpriced = surface([(expiry(4.0, date=TODAY), STRIKES)], iv=[np.full(n, np.nan)])
    greeks, _ = zero_dte_greeks(unpriced, ONE)
    assert label_odds(greeks, uneasy("GEX")).likeliest == ""
    assert label_odds(GREEKS, uneasy("GEX"), ParadigmSettings(smallest_gross=1e18)).draws == 0


@pytest.mark.parametrize("blind", [5950.0, 5985.0, 6000.0, 6012.0, 6018.0, 6025.0])
def test_there_are_odds_where_there_is_a_label(blind) -> None:
    iv = np.where(blind > STRIKES, np.nan, 0.13)
    greeks, _ = zero_dte_greeks(surface([(expiry(4.0, date=TODAY), STRIKES)], iv=[iv]), ONE)
    b = uneasy("BofA")
    label = classify(charm_profile(greeks, b.mean), (), 6000.0, greeks.sigma, 1)[0].label
    assert bool(label_odds(greeks, b).probability) == (label != "No data")


def test_two_roots_that_settle_together_are_drawn_as_the_book_they_are() -> None:
    both = surface([(expiry(4.0, date=TODAY), STRIKES), (expiry(4.0, "XSP", date=TODAY), STRIKES)])
    greeks, _ = zero_dte_greeks(both, np.array([True, True]))
    rng = np.random.default_rng(6)
    b = belief(np.concatenate([dealer_book("GEX", 6000.0, rng)] * 2, axis=1), rng, 1.0)
    at, charm = strike_draws(greeks, b, MANY)
    profiles = np.array([charm_profile(greeks, x).charm for x in drawn(b, rng, 2000)])[:, at]
    expected = charm_profile(greeks, b.mean).charm[at]
    np.testing.assert_allclose(charm.mean(axis=1), expected, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(charm.std(axis=1), profiles.std(axis=0), rtol=0.12)


# --- draws -------------------------------------------------------------------------


def test_draws_have_the_mean_and_the_error_they_are_drawn_from() -> None:
    b = uneasy("BofA", 1.0)
    alone = Belief(b.mean, b.variance, b.shared[:0])
    at, charm = strike_draws(GREEKS, alone, DrawSettings())
    expected = charm_profile(GREEKS, b.mean).charm[at]
    g = np.where(GREEKS.kept, GREEKS.charm, 0.0)
    sd = np.sqrt((g**2 * b.variance).sum(axis=0))[at]
    np.testing.assert_allclose(charm.mean(axis=1), expected, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(charm.std(axis=1), sd, rtol=1e-9)
    at, charm = strike_draws(GREEKS, b, MANY)
    up = GREEKS.above[at]
    exact = sides_sd(GREEKS, b)
    assert (up @ charm).std() == pytest.approx(exact.above, rel=0.06)
    assert ((1.0 - up) @ charm).std() == pytest.approx(exact.below, rel=0.06)


def test_drawn_curves_are_the_curves_of_drawn_books() -> None:
    b = uneasy("GEX", 1.0)
    curve = curve_draws(GREEKS, MATRIX, b, MANY)
    books = drawn(b, np.random.default_rng(8), 2000).sum(axis=1)
    each = charm_curve(GREEKS, books).charm
    expected = charm_curve(GREEKS, merged(b.mean)).charm[0]
    np.testing.assert_allclose(curve.mean(axis=1), expected, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(curve.std(axis=1), each.std(axis=0), rtol=0.1)


def test_more_rows_leave_the_normals_of_the_first_alone() -> None:
    np.testing.assert_array_equal(normals(50, 100, 1)[:20], normals(20, 100, 1))
    z = both_signs(np.zeros(5), normals(5, 100, 2))
    np.testing.assert_allclose(z.mean(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(z.std(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("draws", [0, 1, 201])
def test_draws_come_in_pairs(draws) -> None:
    with pytest.raises(ValueError, match="pairs"):
        DrawSettings(draws=draws)


# --- lines and targets -------------------------------------------------------------


@pytest.mark.parametrize("paradigm", TRUE_SIGNS)
@pytest.mark.parametrize("rule", ["zero", "peak"])
def test_lines_and_target_of_a_book_taken_for_granted_have_no_width(paradigm, rule) -> None:
    config = ParadigmSettings(lis_rule=rule)
    book = dealer_book(paradigm, 6000.0, np.random.default_rng(9))
    reading, _ = read(book, config=config)
    bands = level_bands(GREEKS, MATRIX, Belief.certain(book), reading, config)
    for name in ("lis_lower", "lis_upper", "target"):
        band, level = getattr(bands, name), getattr(reading, name)
        if np.isnan(level):
            assert np.isnan(band.low)
            assert not band.share > 0.0
        else:
            assert (band.low, band.high, band.share) == (level, level, 1.0), name


@pytest.mark.parametrize("paradigm", TRUE_SIGNS)
@pytest.mark.parametrize("rule", ["zero", "peak"])
def test_bands_are_those_of_books_drawn_and_read_one_by_one(paradigm, rule) -> None:
    # Each drawn book is read on its own; those that read as the label shown must have
    # their lines and target where the bands say.
    config = ParadigmSettings(lis_rule=rule)
    b = uneasy(paradigm, 0.4, seed=10)
    reading, _ = read(b.mean, config=config)
    assert reading.label == paradigm
    bands = level_bands(GREEKS, MATRIX, b, reading, config, MANY)
    each = [read(x, config=config)[0] for x in drawn(b, np.random.default_rng(11), 500)]
    same = [r for r in each if r.label == paradigm]
    assert len(same) > 300
    for name in ("lis_lower", "lis_upper", "target"):
        band = getattr(bands, name)
        levels = np.array([getattr(r, name) for r in same])
        if np.isnan(getattr(reading, name)):
            continue
        levels = levels[~np.isnan(levels)]
        low, high = np.percentile(levels, [10, 90])
        assert band.low == pytest.approx(low, abs=5.1), name
        assert band.high == pytest.approx(high, abs=5.1), name
        assert band.share == pytest.approx(len(levels) / len(same), abs=0.1), name


def test_a_target_that_few_draws_have_has_no_band() -> None:
    # Short at one strike above: no zero above it. Doubt at the strikes beyond gives some
    # of the draws one.
    book, variance = np.zeros((2, len(STRIKES))), np.zeros((2, len(STRIKES)))
    book[0, STRIKES == 6010.0] = 100.0
    book[1, STRIKES == 5990.0] = -100.0
    reading, _ = read(book)
    assert reading.label == "GEX"
    certain = level_bands(GREEKS, MATRIX, Belief.certain(book), reading).target
    gone = replace(reading, label="Sidial")
    none = level_bands(
        GREEKS, MATRIX, Belief(-np.abs(book), variance, np.zeros((0, *book.shape))), gone
    ).target
    assert certain.share == 1.0
    assert none.share < 0.2
    assert np.isnan(none.low)
    assert np.isnan(none.high)


@pytest.mark.parametrize("label", ["Mixed", "No data"])
def test_labels_without_lines_have_no_bands(label) -> None:
    b = uneasy("GEX")
    reading = replace(read(b.mean)[0], label=label)
    bands = level_bands(GREEKS, MATRIX, b, reading)
    assert all(np.isnan(x.share) for x in (bands.lis_lower, bands.lis_upper, bands.target))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), faint=st.booleans())
def test_zeros_of_drawn_curves_are_those_of_the_curves_one_by_one(seed, faint) -> None:
    from gexterm.exposure.labels import _first_zeros

    rng = np.random.default_rng(seed)
    spots = 6000.0 + np.linspace(-50.0, 50.0, 21)
    curves = np.cumsum(rng.normal(size=(21, 6)), axis=0)
    if faint:
        curves[rng.integers(0, 21, 5)] *= 1e-12
    for way in (-1, 1):
        for rising_only in (False, True):
            found = _first_zeros(spots, curves, way, rising_only)
            for zero, c in zip(found, curves.T, strict=True):
                one = charm_zeros(CharmCurve(6000.0, spots, c[None]))
                fit = [z.spot for z in one if (z.rising or not rising_only)]
                # Where charm at spot itself has no sign, its neighbours on both sides tell.
                if abs(c[10]) <= 1e-6 * np.abs(c).max():
                    continue
                out = [z for z in fit if (z - 6000.0) * way > 0.0]
                expected = min(out, key=lambda z: abs(z - 6000.0), default=np.nan)
                assert zero == pytest.approx(expected, nan_ok=True, abs=1e-6)


def test_the_chance_of_a_sign_is_near_that_of_a_normal() -> None:
    # BofA's lower side alone: P(B < −10 % of gross) is close to P(B < 0) when doubt is large.
    b = uneasy("BofA", 3.0, seed=12)
    odds = label_odds(GREEKS, b, ParadigmSettings(enter=0.0, leave=0.0), draws=MANY).probability
    sides, profile = sides_sd(GREEKS, b), charm_profile(GREEKS, b.mean)
    below = norm.cdf(-profile.below / sides.below)
    assert odds["BofA"] + odds["GEX"] == pytest.approx(below, abs=0.03)
    above = norm.cdf(profile.above / sides.above)
    assert odds["BofA"] + odds["Anti-GEX"] == pytest.approx(above, abs=0.03)
