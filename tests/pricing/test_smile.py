"""The fitted smile stays inside the quotes, and behaves where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from gexterm.pricing.smile import Smiles, svi_variance
from gexterm.pricing.smilefit import Quoted, SmileFitter
from gexterm.pricing.svi import fit_svi, free_of_arbitrage
from tests.pricing.market import skewed

DAY = 1 / 365
SVI = np.array([0.004, 0.06, -0.55, 0.02, 0.15])


def svi_iv(k, years):
    """The same smile in k/√T at every maturity: an SVI each."""
    root = np.sqrt(years)
    return np.sqrt(svi_variance(SVI * np.array([years, root, 1, root, root]), k) / years)


def kinked(k, years):
    """An event's W: two modes around the money, which no SVI can follow."""
    z = k / np.sqrt(years)
    return 0.2 + 0.03 * np.cos(z * 16) + 0.1 * np.abs(z)


def quotes(years, smile=skewed, count=60, error=0.002, noise=0.0, seed=1, z=(-3.5, 2.0)):
    """One expiry per number of years, with `count` strikes between two numbers of σ."""
    rng = np.random.default_rng(seed)
    parts = []
    for e, t in enumerate(years):
        k = np.linspace(*z, count) * 0.17 * np.sqrt(t)
        iv = smile(k, t)
        half = error * iv
        parts.append((np.full(count, e), k, iv + noise * half * rng.standard_normal(count), half))
    e, k, iv, half = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Quoted(
        expiry=e.astype(np.intp),
        k=k,
        iv=iv,
        error=half,
        key=np.arange(len(k)),
        judged=np.abs(k) < 1.88 * iv * np.sqrt(np.asarray(years)[e]),
    )


def fit(q: Quoted, years, fitter=None) -> Smiles:
    return (fitter or SmileFitter()).fit(q, 600, np.asarray(years, float))


def take(q: Quoted, mask) -> Quoted:
    return Quoted(*(getattr(q, name)[mask] for name in Quoted.__slots__))


YEARS = [4 / 24 * DAY, DAY, 7 * DAY, 30 * DAY, 1.0, 3.0]


@pytest.mark.parametrize("smile", [skewed, svi_iv, kinked], ids=["skewed", "svi", "kinked"])
def test_the_fit_stays_inside_bid_and_offer(smile):
    q = quotes(YEARS, smile)
    smiles = fit(q, YEARS)
    off = np.abs(smiles.iv(q.expiry, q.k) - q.iv) / q.error
    assert np.mean(off[q.judged] > 1.0) < 0.02
    assert np.sqrt(np.mean(off[q.judged] ** 2)) < 0.5


def test_noise_of_the_mids_is_smoothed_not_followed():
    clean, noisy = quotes(YEARS), quotes(YEARS, noise=0.5)
    smiles = fit(noisy, YEARS)
    error = np.abs(smiles.iv(clean.expiry, clean.k) - clean.iv)[clean.judged]
    scatter = np.abs(noisy.iv - clean.iv)[clean.judged]
    assert np.sqrt(np.mean(error**2)) < 0.75 * np.sqrt(np.mean(scatter**2))


def test_svi_is_recognised_beyond_a_day_and_never_used_within():
    kinds = fit(quotes(YEARS, svi_iv), YEARS).kind
    assert kinds[0] == "spline"
    assert set(kinds[2:]) == {"svi"}


def test_what_svi_cannot_follow_stays_a_spline():
    assert set(fit(quotes(YEARS, kinked), YEARS).kind) == {"spline"}


def test_an_old_quote_hardly_bends_the_smile():
    q = quotes([30 * DAY])
    iv = q.iv.copy()
    iv[30] *= 1.15
    bent = Quoted(q.expiry, q.k, iv, q.error, q.key, q.judged)
    off = np.abs(fit(bent, [30 * DAY]).iv(q.expiry, q.k) / q.iv - 1)
    assert off[30] < 0.01
    assert np.delete(off, 30).max() < 0.01


def test_wings_are_linear_in_variance_and_never_fall_outwards():
    q = quotes([30 * DAY], kinked)
    smiles = fit(q, [30 * DAY])
    for k in (np.linspace(0.4, 3.0, 9), np.linspace(-3.0, -0.5, 9)[::-1]):
        v = smiles.total_variance(np.zeros(9, np.intp), k)
        steps = np.diff(v)
        np.testing.assert_allclose(steps, steps[0], atol=1e-12)
        assert (steps >= -1e-15).all()
        assert (np.abs(steps / np.diff(k)) <= 2.0 + 1e-9).all()


def test_variance_is_positive_and_finite_anywhere():
    q = quotes(YEARS, noise=3.0, seed=5)
    smiles = fit(q, YEARS)
    for e in range(len(YEARS)):
        v = smiles.total_variance(np.full(401, e), np.linspace(-4.0, 4.0, 401))
        assert (v > 0).all()
        assert np.isfinite(v).all()


def test_few_quotes_give_a_quadratic_and_one_a_flat_smile():
    q = quotes([30 * DAY], count=7)
    three = take(q, np.isin(np.arange(7), (2, 4, 5)))
    assert fit(three, [30 * DAY]).kind == ("quadratic",)
    one = take(q, np.arange(7) == 4)
    smiles = fit(one, [30 * DAY])
    assert smiles.kind == ("flat",)
    np.testing.assert_allclose(
        smiles.iv(np.zeros(5, np.intp), np.linspace(-0.2, 0.2, 5)), one.iv[0], rtol=1e-3
    )
    assert fit(take(q, np.zeros(7, bool)), [30 * DAY]).kind == ("none",)


@pytest.mark.parametrize("count", [4, 5, 6, 8])
def test_a_smile_through_few_strikes_passes_through_them(count):
    """On a last afternoon these are all there is: what misses them misprices them."""
    q = quotes([2 * DAY], kinked, count=count)
    smiles = fit(q, [2 * DAY])
    assert smiles.kind == ("spline",)
    np.testing.assert_allclose(smiles.iv(q.expiry, q.k), q.iv, rtol=0.005)


def test_strikes_that_leave_one_by_one_keep_the_smile_of_the_others_fresh():
    fitter = SmileFitter()
    q = quotes([30 * DAY], kinked, count=9)
    fit(q, [30 * DAY], fitter)
    for left, kind in ((7, "spline"), (5, "spline"), (4, "spline"), (2, "line")):
        fewer = take(q, np.arange(9) < left)
        moved = Quoted(
            fewer.expiry, fewer.k, fewer.iv * (1 + fewer.k), fewer.error, fewer.key, fewer.judged
        )
        smiles = fitter.fit(moved, 60, np.array([30 * DAY]))
        assert smiles.kind == (kind,)
        np.testing.assert_allclose(smiles.iv(moved.expiry, moved.k), moved.iv, rtol=0.005)


def test_two_quotes_give_the_line_through_both():
    q = quotes([30 * DAY], count=7)
    two = take(q, np.isin(np.arange(7), (2, 4)))
    smiles = fit(two, [30 * DAY])
    assert smiles.kind == ("line",)
    np.testing.assert_allclose(smiles.iv(np.zeros(2, np.intp), two.k), two.iv, rtol=1e-3)


def test_when_quotes_vanish_the_last_smile_stays_at_the_new_volatility():
    fitter = SmileFitter()
    q = quotes([30 * DAY])
    before = fit(q, [30 * DAY], fitter)
    left = take(q, np.isin(np.arange(60), [25, 36, 40]))
    higher = Quoted(left.expiry, left.k, left.iv * 1.1, left.error, left.key, left.judged)
    after = fitter.fit(higher, 60, np.array([29 * DAY]))
    assert after.kind == ("previous",)
    k = np.linspace(-0.15, 0.1, 20)
    at = np.zeros(20, np.intp)
    np.testing.assert_allclose(after.iv(at, k), 1.1 * before.iv(at, k), rtol=2e-3)
    # And without any quote at all, it just stays.
    none = fitter.fit(take(left, np.zeros(3, bool)), 60, np.array([28 * DAY]))
    np.testing.assert_allclose(none.iv(at, k), after.iv(at, k), rtol=1e-9)


def test_a_settled_expiry_has_no_smile():
    q = quotes([DAY, 30 * DAY])
    smiles = SmileFitter().fit(take(q, q.expiry == 1), len(q.k), np.array([np.nan, 30 * DAY]))
    assert smiles.kind[0] == "none"
    assert np.isnan(smiles.iv(np.zeros(3, np.intp), np.zeros(3))).all()
    assert np.isfinite(smiles.atm_iv()[1])


def test_svi_parameters_are_recovered():
    k = np.linspace(-0.4, 0.3, 24)[None, :]
    true = np.array([0.01, 0.12, -0.6, 0.03, 0.15])
    v = svi_variance(true, k)
    found = fit_svi(k, v, np.ones_like(k), np.full((5, 1), np.nan), 60)
    np.testing.assert_allclose(svi_variance(found, k), v, rtol=1e-4)


def test_butterfly_arbitrage_is_seen():
    good = np.array([0.01, 0.12, -0.6, 0.03, 0.15])
    steep = np.array([0.01, 1.5, -0.6, 0.03, 0.15])
    # Axel Vogt's example (Gatheral & Jacquier, 2012, section 5).
    vogt = np.array([-0.0410, 0.1331, 0.3060, 0.3586, 0.4153])
    params = np.stack([good, steep, vogt, np.full(5, np.nan)], axis=1)
    free = free_of_arbitrage(params, np.full(4, -1.5), np.full(4, 1.5))
    assert free.tolist() == [True, False, False, False]
