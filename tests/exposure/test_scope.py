"""Which expiry is today's."""

import datetime as dt

import numpy as np
import pytest

from gexterm.exposure.scope import contracts, scope_rows, zero_dte
from gexterm.market.contracts import Settlement
from tests.exposure.market import NOW, TODAY, expiry, surface

K = np.arange(5900.0, 6101.0, 50.0)
TOMORROW = TODAY + dt.timedelta(days=1)


def layout(*expiries):
    return surface([(e, K) for e in expiries]).layout


def test_the_expiry_that_settles_at_todays_close_is_zero_dte() -> None:
    found = zero_dte(layout(expiry(4.0, date=TODAY), expiry(28.0, date=TOMORROW)), NOW, TODAY)
    assert found.scope.tolist() == [True, False]
    assert found.name == "SPXW 2026-11-20"
    assert found
    assert not found.settled


def test_an_am_expiry_is_never_zero_dte() -> None:
    am = expiry(-2.5, "SPX", Settlement.AM, TODAY)
    found = zero_dte(layout(am, expiry(4.0, date=TODAY)), NOW, TODAY)
    assert found.scope.tolist() == [False, True]
    alone = zero_dte(layout(am, expiry(28.0, date=TOMORROW)), NOW, TODAY)
    assert not alone
    assert not alone.scope.any()
    assert "AM" in alone.reason


def test_without_an_expiry_today_there_is_a_reason() -> None:
    found = zero_dte(layout(expiry(28.0, date=TOMORROW)), NOW, TODAY)
    assert not found
    assert found.reason == "no expiry settles at today's close"


def test_roots_that_settle_at_the_same_instant_count_together() -> None:
    found = zero_dte(
        layout(expiry(4.0, "NDX", date=TODAY), expiry(4.0, "NDXP", date=TODAY)), NOW, TODAY
    )
    assert found.scope.all()
    assert found.name == "NDX+NDXP 2026-11-20"


def test_after_the_close_it_is_settled() -> None:
    found = zero_dte(layout(expiry(4.0, date=TODAY)), NOW + int(4 * 3600e9), TODAY)
    assert found.settled


def test_a_crypto_expiry_counts_in_its_last_24_hours() -> None:
    near = expiry(15.0, "BTC", Settlement.UTC8, TOMORROW)
    far = expiry(39.0, "BTC", Settlement.UTC8, TODAY + dt.timedelta(days=2))
    assert zero_dte(layout(near, far), NOW, TODAY).scope.tolist() == [True, False]


@pytest.mark.parametrize(
    "mask", [[True, False, True], [False, True, True], [False] * 3, [True] * 3]
)
def test_scope_rows_are_those_of_the_chosen_expiries(mask) -> None:
    chain = layout(expiry(4.0), expiry(28.0), expiry(52.0))
    scope = np.array(mask)
    rows = np.arange(len(chain))[scope_rows(chain, scope)]
    assert rows.tolist() == np.flatnonzero(scope[chain.expiry]).tolist()


def test_an_unknown_position_counts_as_none() -> None:
    assert contracts(np.array([1.0, np.nan])).tolist() == [1.0, 0.0]
