"""The re-priced gamma profile, against a sum written out contract by contract."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from scipy.stats import norm

from gexterm.exposure.profile import gamma_profile, merged, profile_grid
from gexterm.exposure.strikes import row_exposures, totals
from tests.exposure.market import TODAY, expiry, skewed, surface, zero_dte

K = np.arange(5600.0, 6401.0, 25.0)


@pytest.fixture(scope="module")
def chain():
    return surface(
        [(expiry(4.0, date=TODAY), K), (expiry(100.0), K), (expiry(24.0 * 60), K)],
        smile=skewed(),
        rate=0.045,
        dividend=0.013,
    )


def book(chain, seed=0):
    return np.random.default_rng(seed).normal(0.0, 1000.0, (2, len(chain.layout))).round()


def gex_at(chain, x, s):
    """GEX per 1 % if spot were s: every contract priced anew by Black-76."""
    total = 0.0
    for i, strike in enumerate(chain.layout.strike):
        e = chain.layout.expiry[i]
        forward = chain.forward[e] * s / chain.spot
        w = chain.iv[i] * np.sqrt(chain.years[e])
        d1 = np.log(forward / strike) / w + w / 2
        gamma = chain.discount[e] * forward / s * norm.pdf(d1) / (s * w)
        total += gamma * np.nansum(x[:, i]) * 100.0 * s * s * 0.01
    return total


def test_the_profile_is_every_contract_priced_anew_at_each_spot(chain) -> None:
    x = book(chain)
    profile = gamma_profile(chain, merged(x))
    scale = np.abs(profile.gex).max()
    for j in range(0, len(profile.spots), 17):
        want = gex_at(chain, x, profile.spots[j])
        assert profile.gex[0, j] == pytest.approx(want, abs=1e-11 * scale)
    between = np.array([5937.3, 6011.9])
    want = [gex_at(chain, x, s) for s in between]
    assert np.allclose(profile.at(between)[0], want, rtol=0, atol=1e-11 * scale)


def test_at_todays_spot_it_is_gex(chain) -> None:
    x = book(chain)
    profile = gamma_profile(chain, merged(x))
    here = np.argmin(np.abs(profile.spots - chain.spot))
    assert profile.spots[here] == pytest.approx(chain.spot, rel=1e-14)
    t = totals(row_exposures(chain, x), x, chain.layout)
    assert profile.gex[0, here] == pytest.approx(t.gex, rel=1e-11)


def test_any_convention_is_a_mixture_of_the_calls_and_the_puts(chain) -> None:
    oi = np.abs(book(chain))
    both = gamma_profile(chain, oi)
    for call, put in ((-1, 1), (1, -1), (-1, -1), (1, 1)):
        alone = gamma_profile(chain, merged(oi * np.array([[call], [put]])))
        mixed = call * both.gex[0] + put * both.gex[1]
        assert np.allclose(mixed, alone.gex[0], atol=1e-9 * np.abs(both.gex).max())


def test_a_book_all_long_is_long_at_every_spot(chain) -> None:
    assert (gamma_profile(chain, merged(np.abs(book(chain)))).gex >= 0.0).all()


def test_only_the_chosen_expiries_count(chain) -> None:
    x = book(chain)
    scope = np.array([False, True, False])
    spots = profile_grid(chain)
    alone = x.copy()
    alone[:, ~scope[chain.layout.expiry]] = 0.0
    assert np.allclose(
        gamma_profile(chain, merged(x), scope, spots).gex,
        gamma_profile(chain, merged(alone), None, spots).gex,
    )


def test_the_grid_spans_five_per_cent_or_four_deviations_of_five_days(chain) -> None:
    calm = profile_grid(zero_dte(iv=0.08))
    assert calm[0] == pytest.approx(5700.0, abs=6.1)
    assert calm[-1] == pytest.approx(6300.0, abs=6.1)
    rough = surface([(expiry(24.0 * 30), K)], smile=skewed(iv=0.40))
    wide = profile_grid(rough)
    assert 6000.0 - wide[0] == pytest.approx(4 * 0.40 * np.sqrt(5 / 252) * 6000.0, rel=0.03)
    assert np.allclose(np.diff(np.log(wide)), 0.001)
    late = profile_grid(zero_dte(hours=0.25))
    assert np.allclose(np.diff(np.log(late)), 0.5 * 0.13 * np.sqrt(0.25 / 8760))


def test_without_a_spot_price_there_is_no_profile(chain) -> None:
    blind = dataclasses.replace(surface([(expiry(4.0), K)]), spot=np.nan)
    assert len(profile_grid(blind)) == 0
    assert gamma_profile(blind, np.ones((1, len(K)))).gex.shape == (1, 0)


def test_under_sticky_moneyness_each_strike_reads_the_smile_at_its_new_distance(chain) -> None:
    x = book(chain)
    profile = gamma_profile(chain, merged(x), repricing="sticky moneyness")
    j = int(np.argmin(np.abs(profile.spots - 6060.0)))
    s = profile.spots[j]
    want = 0.0
    for e in range(3):
        rows = chain.layout.slice(e)
        k = np.log(chain.layout.strike[rows] / chain.forward[e])
        smile = interp1d(k, chain.iv[rows])
        forward = chain.forward[e] * s / chain.spot
        moved = np.clip(np.log(chain.layout.strike[rows] / forward), k[0], k[-1])
        w = smile(moved) * np.sqrt(chain.years[e])
        d1 = np.log(forward / chain.layout.strike[rows]) / w + w / 2
        carry = chain.discount[e] * chain.forward[e] / chain.spot
        want += (carry * norm.pdf(d1) / w * x[:, rows].sum(axis=0)).sum() * s
    assert profile.gex[0, j] == pytest.approx(want, rel=1e-9)


def test_on_a_flat_smile_sticky_strike_and_sticky_moneyness_are_the_same() -> None:
    flat = zero_dte()
    x = book(flat)
    sticky = gamma_profile(flat, merged(x))
    moneyness = gamma_profile(flat, merged(x), repricing="sticky moneyness")
    assert np.allclose(sticky.gex, moneyness.gex, atol=1e-9 * np.abs(sticky.gex).max())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_contracts_does_not_matter(seed) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1000.0, (2, len(K)))
    order = rng.permutation(len(K))
    iv = skewed()(np.log(K / 6000.0), 0.1)
    a = surface([(expiry(30.0), K)], iv=[iv])
    b = surface([(expiry(30.0), K[order])], iv=[iv[order]])
    one, two = (
        gamma_profile(a, merged(x)),
        gamma_profile(b, merged(x[:, order]), spots=profile_grid(a)),
    )
    assert np.allclose(one.gex, two.gex, atol=1e-10 * np.abs(one.gex).max())
