"""The book by strike as the hours pass."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gexterm.engine.inquiry.inquirer import Inquirer
from gexterm.engine.inquiry.outlook import MOST_TIMES, times
from gexterm.errors import UsageError
from gexterm.market.calendar import et
from gexterm.reading.inquiry import OUTLOOK_GREEKS, Suppose
from tests.engine.inquiry.books import asked, last_of, traded
from tests.engine.tapes import filled, prints, tick

COLUMN = {"gamma": "gex"}


@pytest.mark.parametrize("scope", ["0dte", "all"])
@pytest.mark.parametrize("greek", OUTLOOK_GREEKS)
def test_it_begins_with_the_ladder_there_is(greek: str, scope: str) -> None:
    ask = asked(view="combined", scope=scope)
    found = ask.outlook(greek)
    column = ask.reading.strikes[COLUMN.get(greek, greek)].to_numpy()
    np.testing.assert_allclose(found.values[0], column, rtol=1e-9, atol=1e-6)
    np.testing.assert_array_equal(found.strikes, ask.reading.strikes["strike"].to_numpy())
    assert (found.greek, found.view, found.scope) == (greek, "combined", scope)


@pytest.mark.parametrize("greek", OUTLOOK_GREEKS)
def test_each_time_is_the_ladder_supposed_then(greek: str) -> None:
    ask = asked(view="flow", scope="0dte")
    found = ask.outlook(greek)
    for at in (1, 12, -1):
        minutes = (found.times[at] - found.times[0]) / 60e9
        there = ask.supposed(Suppose(minutes=float(minutes))).reading.strikes
        np.testing.assert_allclose(
            found.values[at], there[COLUMN.get(greek, greek)].to_numpy(), rtol=1e-9, atol=1e-6
        )


def test_times_are_round_and_end_a_minute_before_settlement() -> None:
    found = times(last_of(traded(view="flow")).parts)
    clock = [et(int(at)).time() for at in found]
    assert clock[0] == dt.time(10, 6)
    assert clock[1:3] == [dt.time(10, 15), dt.time(10, 30)]
    assert clock[-2:] == [dt.time(15, 45), dt.time(15, 59)]
    assert np.all(np.diff(found) > 0)
    assert len(found) <= MOST_TIMES


def test_a_long_day_has_wider_columns() -> None:
    engine = traded(view="flow")
    tick(engine, -7 * 60.0)  # three in the morning
    found = times(last_of(engine).parts)
    assert len(found) <= MOST_TIMES
    assert set(np.diff(found)[1:-1] // 60_000_000_000) == {30}


def test_in_the_last_minute_there_is_only_now() -> None:
    engine = traded(view="flow", scope="0dte")
    tick(engine, 5 * 60 + 59.5)
    found = Inquirer(engine).outlook("gamma")
    assert found.times.tolist() == [found.as_of]
    assert found.values.shape[0] == 1


def test_after_settlement_today_has_nothing_to_show() -> None:
    engine = traded(view="flow", scope="0dte")
    tick(engine, 6 * 60.0 + 1)
    assert np.isnan(Inquirer(engine).outlook("charm").values).all()


def test_decay_comes_to_nothing_but_at_the_money() -> None:
    found = asked(view="customer-flow", scope="0dte").outlook("decay")
    away = np.abs(found.strikes - 6700.0) > 30.0
    first, last = (float(np.abs(found.values[at][away]).sum()) for at in (0, -1))
    assert last < 1e-3 * first


def test_strikes_without_a_known_position_stay_unknown() -> None:
    engine = filled(view="flow", scope="0dte")
    engine.apply(prints((5, +1, 20.0)))
    tick(engine, 6.0)
    ask = Inquirer(engine)
    column = np.isnan(ask.reading.strikes["gex"].to_numpy())
    assert np.array_equal(np.isnan(ask.outlook("gamma").values), np.tile(column, (25, 1)))


def test_other_greeks_are_refused() -> None:
    with pytest.raises(UsageError, match="'speed' is no exposure; choose one of gamma, charm"):
        asked(view="flow").outlook("speed")
