"""Real chains: forwards, volatilities and gamma against their own quotes and the vendor's."""

from __future__ import annotations

import numpy as np
import pytest

from gexterm.market.chain import CALL, PUT, Chain, Rows
from gexterm.market.settlement import expiry_of
from gexterm.pricing.black import greeks, price
from gexterm.pricing.chain import Pricer, QuoteHealth
from gexterm.pricing.skew import skew_25
from gexterm.pricing.surface import Surface
from gexterm.pricing.variance_index import variance_indices
from gexterm.recording.chains import read_chain
from tests.shared_data import shared

NAMES = [
    "spx_2022-07-12_1155ET",
    "spx_2023-09-14",
    "ndx_2022-12-12",
    "spxw_2019-06-26_1545ET",
    "spy_2023-06-0x_1515ET",
]
Priced = tuple[Rows, Surface, QuoteHealth]


def load(name: str) -> Rows:
    at = "2023-06-02 15:00" if name.startswith("spy") else None
    file = read_chain(shared(f"chains/{name}.csv"), at=at)
    chain = Chain(expiry_of)
    for event in file.events:
        chain.apply(event)
    return chain.rows(file.as_of)


@pytest.fixture(scope="module", params=NAMES)
def priced(request) -> Priced:
    rows = load(request.param)
    return rows, *Pricer().price(rows)


def test_every_living_expiry_with_quotes_is_priced(priced):
    rows, surface, _ = priced
    for i in range(len(surface.forward)):
        part = rows.layout.slice(i)
        both = ((rows.bid > 0) & (rows.ask > rows.bid))[:, part].all(axis=0)
        if surface.seconds[i] > 0 and both.sum() >= 6:
            assert np.isfinite(surface.gamma[part]).all()
            assert np.isfinite(surface.charm[:, part]).all()
            assert surface.forward_low[i] <= surface.forward[i] <= surface.forward_high[i]
            assert 0.03 < surface.atm_iv[i] < 1.0


def test_gex_at_the_fitted_volatility_is_gex_at_the_quoted_one(priced):
    rows, surface, _ = priced
    e = rows.layout.expiry
    own = greeks(
        surface.spot,
        surface.forward[e],
        rows.layout.strike,
        surface.years[e],
        surface.discount[e],
        surface.raw_iv,
        1.0,
    ).gamma
    held = np.nansum(rows.open_interest, axis=0)
    seen = np.isfinite(own) & np.isfinite(surface.gamma)
    total = (surface.gamma * held)[seen].sum() / (own * held)[seen].sum()
    assert total == pytest.approx(1.0, abs=0.003)
    for i in range(len(surface.forward)):
        mine = seen & (e == i) & (held > 0)
        if mine.sum() >= 6:
            ratio = (surface.gamma * held)[mine].sum() / (own * held)[mine].sum()
            assert ratio == pytest.approx(1.0, abs=0.01), rows.layout.expiries[i]


def test_fitted_prices_lie_within_bid_and_offer(priced):
    rows, surface, _ = priced
    e = rows.layout.expiry
    F, K = surface.forward[e], rows.layout.strike
    side = np.where(K < F, PUT, CALL)
    at = np.arange(len(K))
    value = price(
        F, K, surface.years[e], surface.discount[e], surface.iv, np.where(side == PUT, -1.0, 1.0)
    )
    traded = np.isfinite(surface.raw_iv) & (np.abs(surface.delta[CALL]) > 0.03)
    traded &= np.abs(surface.delta[PUT]) > 0.03
    inside = (value >= rows.bid[side, at]) & (value <= rows.ask[side, at])
    assert inside[traded].mean() > 0.99


def test_european_chains_of_one_moment_hold_no_stale_pair(priced):
    rows, _, health = priced
    contracts = health.contracts
    assert health.stale <= (0.005 * contracts if rows.layout.expiries[0].root == "SPY" else 0)


def test_the_cboe_page_agrees_with_its_own_volatilities():
    """The vendor prints IV to four digits; ours are those of the quotes fifteen minutes old."""
    path = shared("chains/spx_2022-07-12_1155ET.csv")
    rows = load("spx_2022-07-12_1155ET")
    surface, _ = Pricer().price(rows)
    vendor: dict[tuple[str, str], float] = {}
    for line in path.read_text("utf-8-sig").splitlines()[3:]:
        cells = line.split(",")
        if len(cells) > 20:
            for at in (1, 12):
                vendor[cells[at][:-9], cells[at][-9:]] = float(cells[at + 6])
    layout = rows.layout
    gaps = []
    for row in np.flatnonzero(np.isfinite(surface.raw_iv)):
        expiry, K = layout.expiries[layout.expiry[row]], layout.strike[row]
        put = surface.forward[layout.expiry[row]] > K
        if min(abs(surface.delta[CALL, row]), abs(surface.delta[PUT, row])) > 0.03:
            code = f"{'P' if put else 'C'}{round(K * 1000):08d}"
            gaps.append(surface.raw_iv[row] - vendor[f"{expiry.root}{expiry.date:%y%m%d}", code])
    assert len(gaps) > 4000
    assert abs(np.median(gaps)) < 2e-4
    assert np.percentile(np.abs(gaps), 90) < 1e-3


@pytest.mark.parametrize(
    ("name", "vix"),
    # What the index closed at on those days.
    [("spx_2023-09-14", 12.82), ("spxw_2019-06-26_1545ET", 16.21)],
)
def test_our_thirty_days_are_the_vix(name, vix):
    rows = load(name)
    surface, _ = Pricer().price(rows)
    found = variance_indices(rows, surface)
    assert 100 * found["iv_30d"] == pytest.approx(vix, abs=0.3)
    assert all(np.isfinite(v) for v in found.values())
    # Puts are dearer than calls in every one of these chains.
    assert 0.1 < skew_25(surface).relative < 0.5
