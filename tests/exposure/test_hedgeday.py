"""The hedge-flow identity over the day."""

from dataclasses import replace

import numpy as np
import pytest

from gexterm.exposure.hedgeday import (
    HedgeDay,
    HedgeSettings,
    HedgeTick,
    hedge_tick,
    sources,
    step,
    strike_vol_change,
)
from gexterm.exposure.strikes import row_exposures
from gexterm.pricing.surface import Surface
from tests.exposure.market import NOW, expiry, surface

K = np.arange(5850.0, 6151.0, 10.0)
SECOND = 1_000_000_000
EXPIRIES = [(expiry(4.0), K), (expiry(100.0), K), (expiry(800.0), K[::2])]
VIEWS = ("inferred", "opposite")


def chain(spot: float = 6000.0, iv: float = 0.13, after: float = 0.0) -> Surface:
    """A market so many seconds after noon, smiles sloped but moving at fixed strikes alike."""
    volatility = [iv + 0.02 * i - 0.3 * np.log(k / 6000.0) for i, (_, k) in enumerate(EXPIRIES)]
    return surface(
        EXPIRIES, spot, rate=0.04, dividend=0.01, iv=volatility, now=NOW + int(after * SECOND)
    )


def book(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 500.0, (2, len(chain().layout)))


def tick(s: Surface, x: np.ndarray, day: int = 1) -> HedgeTick:
    return hedge_tick(day, s, VIEWS, (row_exposures(s, x), row_exposures(s, -x)))


def walk(markets: list[Surface], x: np.ndarray, strikes: bool = True) -> HedgeDay:
    state, before = HedgeDay(), None
    for s in markets:
        change = strike_vol_change(before, s) if before is not None and strikes else None
        state, before = step(state, tick(s, x), change), s
    return state


def revalued(markets: list[Surface], x: np.ndarray) -> float:
    """$ a dealer trades who holds his delta flat: shares of delta gained, at the spot then."""
    shares = [float(np.nansum(s.delta * x) * 100.0) for s in markets]
    return -sum((b - a) * s.spot for a, b, s in zip(shares, shares[1:], markets, strict=False))


# --- the identity ------------------------------------------------------------------


def test_the_three_sources_add_up_to_a_full_revaluation() -> None:
    rng, x = np.random.default_rng(1), book()
    spot = 6000.0 + np.cumsum(rng.normal(0.0, 0.4, 400))
    iv = 0.13 - 0.9e-2 * (spot / 6000.0 - 1.0) * 100.0 + np.cumsum(rng.normal(0.0, 5e-5, 400))
    markets = [chain(s, v, 5.0 * i) for i, (s, v) in enumerate(zip(spot, iv, strict=True))]
    day = sources(walk(markets, x), "inferred")
    full = revalued(markets, x)
    size = abs(day.gamma) + abs(day.vanna) + abs(day.charm)
    assert day.total == pytest.approx(day.gamma + day.vanna + day.charm)
    assert abs(day.total - full) < 0.001 * size
    assert day.spot_move == pytest.approx(spot[-1] - spot[0])
    assert day.covered_s == pytest.approx(399 * 5.0)
    assert day.vol_known == 1.0


def test_a_dealer_hedges_the_bend_of_delta_too() -> None:
    # A day on which spot moves as implied: delta is worth today what it is expected to be
    # tomorrow, so that charm and the bend undo each other on average. Without the bend the
    # total would be off by all of charm.
    rng = np.random.default_rng(5)
    x = np.zeros((2, len(chain().layout)))
    x[0, (K > 6020.0).nonzero()[0]] = 100.0
    charm, off = [], []
    for _ in range(6):
        step_sd = 6000.0 * 0.13 * np.sqrt(60.0 / (365 * 86400))
        spot = 6000.0 + np.cumsum(rng.normal(0.0, step_sd, 180))
        markets = [chain(s, after=60.0 * i) for i, s in enumerate(spot)]
        day = sources(walk(markets, x), "inferred")
        charm.append(day.charm)
        off.append(day.total - revalued(markets, x))
    assert min(charm) > 0.0
    assert np.abs(off).mean() < 0.02 * np.mean(charm)


@pytest.mark.parametrize(
    ("source", "markets"),
    [
        ("gamma", [chain(6000.0 + 0.1 * i) for i in range(30)]),
        ("vanna", [chain(iv=0.13 + 1e-4 * i) for i in range(30)]),
        ("charm", [chain(after=20.0 * i) for i in range(30)]),
    ],
)
def test_each_source_alone_is_the_revaluation_of_what_alone_moved(source, markets) -> None:
    # A step of no time is none, so that each market is a second after the one before.
    timed = [replace(s, as_of=NOW + i * SECOND) for i, s in enumerate(markets)]
    state = walk(markets if source == "charm" else timed, book())
    day = sources(state, "inferred")
    assert getattr(day, source) == pytest.approx(revalued(markets, book()), rel=0.02)
    others = {"gamma", "vanna", "charm"} - {source, "charm"}
    for other in others:
        assert getattr(day, other) == pytest.approx(0.0, abs=1e-6)


def test_dealers_trade_against_what_the_book_gains() -> None:
    # Long gamma: spot rises, delta is gained, dealers sell.
    x = np.full((2, len(chain().layout)), 100.0)
    up = [chain(6000.0), chain(6010.0, after=1.0)]
    assert sources(walk(up, x), "inferred").gamma < 0.0
    assert sources(walk(up, x), "opposite").gamma > 0.0


def test_the_opposite_book_trades_the_opposite() -> None:
    rng = np.random.default_rng(2)
    markets = [
        chain(6000.0 + s, 0.13 + 1e-4 * s, 30.0 * i) for i, s in enumerate(rng.normal(0, 2, 20))
    ]
    state = walk(markets, book())
    one, other = (sources(state, name) for name in VIEWS)
    assert one.gamma == -other.gamma
    assert one.vanna == -other.vanna
    assert one.charm == -other.charm


# --- volatility at fixed strikes -----------------------------------------------------


def test_sliding_along_the_smile_is_no_change_of_volatility() -> None:
    before, now = chain(6000.0), chain(6030.0, after=1.0)
    np.testing.assert_allclose(strike_vol_change(before, now), 0.0, atol=1e-12)
    assert np.abs(now.atm_iv - before.atm_iv).max() > 1e-3


def test_a_parallel_move_is_that_move_and_what_is_not_priced_is_not_known() -> None:
    now = chain(iv=0.135)
    blind = replace(now, iv=np.where(now.layout.expiry == 1, np.nan, now.iv))
    np.testing.assert_allclose(strike_vol_change(chain(), blind), [0.005, np.nan, 0.005])


def test_changes_are_taken_on_one_layout() -> None:
    other = surface(EXPIRIES[:1])
    with pytest.raises(ValueError, match="one layout"):
        strike_vol_change(chain(), other)


def test_without_it_volatility_at_the_money_stands_in() -> None:
    markets = [chain(), chain(iv=0.131, after=1.0)]
    assert sources(walk(markets, book(), strikes=False), "inferred").vanna == pytest.approx(
        sources(walk(markets, book()), "inferred").vanna, rel=1e-6
    )


def test_what_had_no_change_of_volatility_is_told() -> None:
    x, s = book(), chain()
    first, second = tick(s, x), tick(chain(iv=0.14, after=10.0), x)
    blind = replace(second, iv=np.array([np.nan, *second.iv[1:]]))
    day = sources(step(step(HedgeDay(), first), blind), "inferred")
    held = np.abs(first.vanna[0] + second.vanna[0])
    assert day.vol_known == pytest.approx(held[1:].sum() / held.sum())
    assert np.isfinite(day.total)


# --- gaps, days, views --------------------------------------------------------------


def test_over_a_gap_nothing_is_added_up_and_it_is_told() -> None:
    x = book()
    state = walk([chain(), chain(6001.0, after=10.0)], x)
    after = step(state, tick(chain(6020.0, 0.2, after=1000.0), x))
    before, now = sources(state, "inferred"), sources(after, "inferred")
    assert now.total == before.total
    assert (now.covered_s, now.missed_s, now.missed_move) == (10.0, 990.0, 19.0)
    assert after.gaps == 1
    assert now.spot_move == pytest.approx(20.0)
    longer = step(state, tick(chain(6020.0, 0.2, after=1000.0), x), None, HedgeSettings(1000.0))
    assert sources(longer, "inferred").total != before.total


def test_a_tick_without_spot_is_bridged() -> None:
    x = book()
    markets = [chain(), chain(6003.0, after=20.0)]
    blind = replace(tick(chain(after=10.0), x), spot=float("nan"))
    state = step(step(HedgeDay(), tick(markets[0], x)), blind)
    state = step(state, tick(markets[1], x), strike_vol_change(*markets))
    assert sources(state, "inferred").gamma == sources(walk(markets, x), "inferred").gamma


@pytest.mark.parametrize("again", [{"day": 2}, {"day": 1}])
def test_a_new_day_or_a_step_back_starts_anew(again) -> None:
    x = book()
    state = walk([chain(after=100.0), chain(6005.0, after=110.0)], x)
    at = 200.0 if again["day"] == 2 else 50.0
    fresh = step(state, tick(chain(after=at), x, **again))
    day = sources(fresh, "inferred")
    assert (day.gamma, day.vanna, day.charm, day.covered_s) == (0.0, 0.0, 0.0, 0.0)
    assert day.since == NOW + int(at * SECOND)


def test_a_view_that_comes_later_starts_at_zero_and_leaves_the_other_alone() -> None:
    x = book()
    s = [chain(6000.0 + i, after=10.0 * i) for i in range(3)]
    alone = [hedge_tick(1, m, ("inferred",), (row_exposures(m, x),)) for m in s]
    state = step(step(HedgeDay(), alone[0]), tick(s[1], x))
    assert sources(state, "inferred").gamma != 0.0
    assert sources(state, "opposite").gamma == 0.0
    assert sources(state, "opposite").since == s[1].as_of
    state = step(state, tick(s[2], x))
    assert sources(state, "opposite").gamma == pytest.approx(
        sources(step(step(HedgeDay(), tick(s[1], x)), tick(s[2], x)), "opposite").gamma
    )
    assert sources(state, "opposite").spot_move == pytest.approx(1.0)


def test_a_book_not_known_yet_has_no_day() -> None:
    t = tick(chain(), book())
    blank = replace(t, gex=t.gex * np.nan, vanna=t.vanna * np.nan, charm_day=t.charm_day * np.nan)
    assert np.isnan(sources(step(HedgeDay(), blank), "inferred").total)
    assert np.isnan(sources(HedgeDay(), "inferred").total)
    later = tick(chain(after=5.0), book())
    assert sources(step(step(HedgeDay(), blank), later), "inferred").since == later.at


def test_an_expiry_decays_no_longer_than_it_lives() -> None:
    x = book()
    end = [chain(after=4 * 3600.0 - 10.0), chain(after=4 * 3600.0 + 50.0)]
    first = tick(end[0], x)
    day = sources(walk(end, x), "inferred")
    second = tick(end[1], x).charm_day[0]
    mean = np.where(np.isnan(second), first.charm_day[0], 0.5 * (first.charm_day[0] + second))
    assert np.isnan(second).tolist() == [True, False, False]
    expected = -(mean * [10.0, 60.0, 60.0]).sum() / 86400.0
    assert day.charm == pytest.approx(expected)
    assert np.isfinite(day.total)


def test_an_expiry_that_is_listed_meanwhile_does_not_disturb_the_others() -> None:
    x = book()
    first, second = tick(chain(), x), tick(chain(iv=0.131, after=10.0), x)
    new = replace(
        second,
        expiries=(*second.expiries, expiry(2000.0)),
        seconds=np.append(second.seconds, 7.2e6),
        iv=np.append(second.iv, 0.2),
        gex=np.column_stack([second.gex, [0.0, 0.0]]),
        vanna=np.column_stack([second.vanna, [0.0, 0.0]]),
        charm_day=np.column_stack([second.charm_day, [0.0, 0.0]]),
    )
    plain, grown = (sources(step(step(HedgeDay(), first), t), "inferred") for t in (second, new))
    assert grown.total == plain.total
