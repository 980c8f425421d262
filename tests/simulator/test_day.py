from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict

import numpy as np
import pytest

from gexterm.market.calendar import at_et, is_session
from gexterm.market.chain import CALL, PUT, Chain
from gexterm.market.contracts import Settlement
from gexterm.market.events import (
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    SourceInfo,
    UnderlyingPrice,
    Volume,
)
from gexterm.market.settlement import expiry_of
from gexterm.simulator.day import NS, Script, Series, events
from gexterm.simulator.sample import FIRST_LIGHT, digest
from gexterm.simulator.surface import Smile

DAY = dt.date(2026, 11, 13)
SHORT = Script(
    underlying="SPX",
    begins=at_et(DAY, dt.time(10, 0)),
    seconds=120,
    seed=7,
    last_close=6700.0,
    path=((0, 6700.0), (120, 6712.0)),
    series=(
        Series("SPXW", DAY, 5, 0.03, 0.03, 2000),
        Series("SPX", dt.date(2026, 12, 18), 25, 0.10, 0.08, 5000, 10),
    ),
)


@pytest.fixture(scope="module")
def day() -> list[Event]:
    return list(events(SHORT))


@pytest.fixture(scope="module")
def chain(day: list[Event]) -> Chain:
    chain = Chain(expiry_of)
    for event in day:
        chain.apply(event)
    return chain


def test_the_source_says_that_the_market_is_made_up(day: list[Event]) -> None:
    info = day[0]
    assert isinstance(info, SourceInfo)
    assert (info.feed, info.mode) == ("synthetic", "simulated")
    assert "no market data" in info.note
    assert info.ends - info.begins == 120 * NS


def test_contracts_are_defined_before_anything_speaks_of_them(day: list[Event]) -> None:
    assert [type(e) for e in day[1:3]] == [Definitions, OpenInterest]
    assert isinstance(day[1], Definitions)
    count = len(day[1].contracts)
    for event in day[2:]:
        if isinstance(event, Quotes | Volume | OpenInterest):
            assert event.contract.max() < count


def test_every_second_has_a_price_of_the_underlying(day: list[Event]) -> None:
    times = [e.ts for e in day if isinstance(e, UnderlyingPrice)]
    assert times == [SHORT.begins + s * NS for s in range(121)]


def test_spot_follows_the_script(day: list[Event]) -> None:
    spots = [e.price for e in day if isinstance(e, UnderlyingPrice)]
    assert spots[0] == 6700.0
    assert abs(spots[-1] - 6712.0) < 4 * SHORT.noise
    assert np.abs(np.diff(spots)).max() < 2.0


def test_the_first_quotes_are_of_every_contract_and_later_ones_only_of_changes(
    day: list[Event], chain: Chain
) -> None:
    quotes = [e for e in day if isinstance(e, Quotes)]
    assert len(quotes[0].contract) == len(chain)
    assert np.mean([len(q.contract) for q in quotes[1:]]) < 0.3 * len(chain)
    assert not np.isnan(chain.column("bid")).any()


def test_prices_stand_on_the_exchanges_ticks(day: list[Event]) -> None:
    for event in day:
        if isinstance(event, Quotes):
            for prices in (event.bid, event.ask):
                ticks = prices * 20
                assert np.allclose(ticks, np.round(ticks), atol=1e-6)
            dear = event.bid > 3.2
            assert np.allclose(event.bid[dear] * 10, np.round(event.bid[dear] * 10), atol=1e-6)


def test_offers_stand_above_bids_but_for_a_crossed_few(day: list[Event]) -> None:
    bid, ask = (
        np.concatenate([getattr(e, side) for e in day if isinstance(e, Quotes)])
        for side in ("bid", "ask")
    )
    assert (ask > 0).all()
    assert (bid >= 0).all()
    assert (bid >= ask).sum() <= 10


def test_far_wings_have_a_zero_bid_and_nobody_bidding(day: list[Event]) -> None:
    [first] = [e for e in day if isinstance(e, Quotes)][:1]
    nobody = first.bid == 0
    assert 5 < nobody.sum() < 0.3 * len(nobody)
    assert (first.bid_size[nobody] == 0).all()
    assert (first.bid_size[~nobody] > 0).all()


def test_parity_holds_within_the_spread(chain: Chain) -> None:
    """What calls less puts say of the forward does not contradict itself, but for a few."""
    rows = chain.rows(SHORT.begins + 120 * NS)
    today = rows.layout.slice(0)
    strike = rows.layout.strike[today]
    low = strike + rows.bid[CALL][today] - rows.ask[PUT][today]
    high = strike + rows.ask[CALL][today] - rows.bid[PUT][today]
    middle = np.median(0.5 * (low + high))
    assert ((low <= middle + 1.0) & (high >= middle - 1.0)).mean() > 0.95
    assert abs(middle - rows.spot) < 2.0


def test_open_interest_lies_out_of_the_money(chain: Chain) -> None:
    interest = defaultdict(float)
    for contract, count in zip(chain.contracts, chain.column("open_interest"), strict=True):
        inside = contract.right.sign * (SHORT.last_close - contract.strike) > 0
        interest[inside] += count
    assert interest[True] < 0.4 * interest[False]


def test_volume_only_grows(day: list[Event], chain: Chain) -> None:
    so_far = np.zeros(len(chain))
    for event in day:
        if isinstance(event, Volume):
            assert (event.volume >= so_far[event.contract]).all()
            so_far[event.contract] = event.volume
    assert so_far.sum() > 1000
    assert (so_far == chain.column("volume")).all()


def test_the_same_seed_is_the_same_day_and_another_seed_another(day: list[Event]) -> None:
    assert digest(events(SHORT)) == digest(day)
    assert digest(events(dataclasses.replace(SHORT, seed=8))) != digest(day)


def test_smiles_have_the_regime_they_are_said_to_have() -> None:
    smile = Smile()
    years = np.array([1, 9, 30, 90]) / 365.0
    atm = smile.atm(years)
    assert (np.diff(atm) > 0).all(), "contango"
    month = np.full(2, 30 / 365.0)
    sd = atm[2] * np.sqrt(month[0])
    put, call = smile.vol(
        6700.0 * np.exp(0.67 * sd * np.array([-1.0, 1.0])), np.full(2, 6700.0), month
    )
    assert 0.10 < (put - call) / atm[2] < 0.35, "a normal skew"


def test_smiles_have_no_butterfly_arbitrage() -> None:
    """Gatheral & Jacquier's density condition g(k) ≥ 0, by finite differences."""
    for days in (0.25, 7.0, 30.0, 98.0):
        years = np.full(4001, days / 365.0)
        sd = float(Smile().atm(years[:1])[0]) * np.sqrt(years[0])
        k = np.linspace(-6 * sd, 4 * sd, 4001)
        w = Smile().vol(np.exp(k), np.ones_like(k), years) ** 2 * years
        w1, w2 = np.gradient(w, k), np.gradient(np.gradient(w, k), k)
        g = (1 - k * w1 / (2 * w)) ** 2 - w1**2 / 4 * (1 / w + 0.25) + w2 / 2
        assert g[5:-5].min() > 0


def test_first_light_is_a_friday_with_a_full_set_of_expiries() -> None:
    assert is_session(DAY)
    assert DAY.weekday() == 4
    expiries = [expiry_of(s.root, s.expiry) for s in FIRST_LIGHT.series]
    assert expiries[0].date == DAY
    assert expiries[0].settlement is Settlement.PM
    by_date = defaultdict(set)
    for expiry in expiries:
        assert is_session(expiry.date)
        by_date[expiry.date].add(expiry.settlement)
    twins = [date for date, kinds in by_date.items() if kinds == {Settlement.AM, Settlement.PM}]
    assert twins == [dt.date(2026, 11, 20), dt.date(2026, 12, 18)]
    days = sorted((e.date - DAY).days for e in expiries)
    assert days[0] == 0
    assert days[-1] > 90, "the term structure can be read to 90 days"
