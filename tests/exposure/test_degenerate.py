"""A chain with nothing in it, and one whose spot nobody knows, pass through in silence."""

import dataclasses

import numpy as np
import pytest

from gexterm.exposure.charm import charm_curve, charm_profile, charm_zeros, zero_dte_greeks
from gexterm.exposure.flip import cumulative_flip, find_flip, walls
from gexterm.exposure.hedging import hedge_flow
from gexterm.exposure.paradigm import classify
from gexterm.exposure.profile import gamma_profile, merged
from gexterm.exposure.scope import zero_dte
from gexterm.exposure.strikes import StrikeIndex, by_expiry, by_strike, row_exposures, totals
from gexterm.exposure.vanna import vega_curve
from gexterm.market.chain import build_layout
from tests.exposure.market import TODAY
from tests.exposure.market import zero_dte as chain_of_today


def empty_chain():
    priced = chain_of_today()
    layout = build_layout([], lambda root, date: pytest.fail("no series to settle"))
    changes: dict[str, object] = {}
    for field in dataclasses.fields(priced):
        value = getattr(priced, field.name)
        if isinstance(value, np.ndarray):
            changes[field.name] = value[..., :0]
    return dataclasses.replace(priced, layout=layout, smile_kind=(), **changes)


@pytest.mark.parametrize(
    ("make", "spot"),
    [(empty_chain, 6000.0), (empty_chain, np.nan), (chain_of_today, np.nan)],
    ids=["empty", "empty and blind", "blind"],
)
def test_what_cannot_be_known_is_not_known(make, spot) -> None:
    chain = dataclasses.replace(make(), spot=spot)
    n = len(chain.layout)
    x = np.ones((2, n))
    rows, index = row_exposures(chain, x), StrikeIndex.of(chain.layout)
    strikes = by_strike(rows, index)
    total = totals(rows, x, chain.layout)
    assert len(by_expiry(rows, chain.layout)) == len(chain.layout.expiries)
    assert np.isnan(total.gex)
    assert np.isnan(hedge_flow(chain, x, total).per_up_1pct)
    assert find_flip(gamma_profile(chain, merged(x))).kind == "unknown"
    assert np.isnan(walls(index.strike, strikes)).all()
    assert np.isnan(cumulative_flip(index.strike, strikes.gex, spot))
    assert np.isnan(vega_curve(chain, x).stochastic)

    today = zero_dte(chain.layout, chain.as_of, TODAY)
    greeks, _ = zero_dte_greeks(chain, today.scope)
    zeros = charm_zeros(charm_curve(greeks, merged(x)))
    reading, _ = classify(charm_profile(greeks, x), zeros, spot, greeks.sigma, 1)
    assert reading.label == "No data"
