"""When series settle, and until when they trade."""

from __future__ import annotations

import datetime as dt

import pytest

from gexterm.errors import SymbolError
from gexterm.market import calendar
from gexterm.market.chain import Chain
from gexterm.market.contracts import Contract, Exercise, Right, Settlement
from gexterm.market.events import Definitions
from gexterm.market.settlement import expiry_of

THIRD_FRIDAY = dt.date(2025, 11, 21)


def when(ns: int) -> str:
    return calendar.et(ns).strftime("%Y-%m-%d %H:%M")


def test_spx_settles_at_the_open_of_its_friday_and_trades_until_thursday() -> None:
    spx = expiry_of("SPX", THIRD_FRIDAY)
    assert spx.settlement is Settlement.AM
    assert when(spx.settles_at) == "2025-11-21 09:30"
    assert when(spx.trades_until) == "2025-11-20 16:15"


def test_spxw_settles_at_the_close_and_trades_until_then() -> None:
    spxw = expiry_of("SPXW", THIRD_FRIDAY)
    assert spxw.settlement is Settlement.PM
    assert when(spxw.settles_at) == when(spxw.trades_until) == "2025-11-21 16:00"


def test_a_half_day_settles_at_one() -> None:
    assert when(expiry_of("SPXW", dt.date(2024, 12, 24)).settles_at) == "2024-12-24 13:00"
    assert when(expiry_of("SPY", dt.date(2025, 11, 28)).settles_at) == "2025-11-28 13:00"


def test_an_am_series_after_a_half_day_trades_until_a_quarter_past_one() -> None:
    assert when(expiry_of("NDX", dt.date(2024, 12, 26)).trades_until) == "2024-12-24 13:15"


def test_a_good_friday_series_settles_on_the_thursday_before() -> None:
    good_friday = dt.date(2025, 4, 18)
    am, pm = expiry_of("SPX", good_friday), expiry_of("SPXW", good_friday)
    assert when(am.settles_at) == "2025-04-17 09:30"
    assert when(am.trades_until) == "2025-04-16 16:15"
    assert when(pm.settles_at) == "2025-04-17 16:00"
    assert am.date == pm.date == good_friday


def test_the_saturday_of_old_symbols_means_friday() -> None:
    old = dt.date(2014, 12, 20)
    assert when(expiry_of("SPX", old).settles_at) == "2014-12-19 09:30"
    assert when(expiry_of("AAPL", old).settles_at) == "2014-12-19 16:00"


def test_an_spx_root_off_the_third_friday_is_am_all_the_same() -> None:
    # June 2026's third Friday is a holiday: the series is listed for Thursday.
    assert not calendar.is_session(calendar.third_friday(2026, 6))
    assert when(expiry_of("SPX", dt.date(2026, 6, 18)).settles_at) == "2026-06-18 09:30"


def test_deribit_settles_at_eight_utc_every_day_of_the_year() -> None:
    for date in (dt.date(2026, 2, 21), dt.date(2025, 12, 25)):
        for root in ("BTC", "SOL_USDC"):
            expiry = expiry_of(root, date)
            at = calendar.utc(expiry.settles_at)
            assert (at.date(), at.hour, at.minute) == (date, 8, 0)
            assert expiry.trades_until == expiry.settles_at
            assert expiry.multiplier == 1


def test_an_expiry_carries_what_its_root_says() -> None:
    assert expiry_of("SPY", THIRD_FRIDAY).exercise is Exercise.AMERICAN
    assert expiry_of("SPXW", THIRD_FRIDAY).exercise is Exercise.EUROPEAN
    assert expiry_of("SPXW", THIRD_FRIDAY).multiplier == 100


def test_the_same_series_is_the_same_object() -> None:
    assert expiry_of("SPXW", THIRD_FRIDAY) is expiry_of("SPXW", THIRD_FRIDAY)


def test_what_is_no_root_does_not_settle() -> None:
    with pytest.raises(SymbolError):
        expiry_of("no root", THIRD_FRIDAY)


def test_spx_and_spxw_twins_stay_two_rows() -> None:
    chain = Chain(expiry_of)
    contracts = tuple(
        Contract(root, THIRD_FRIDAY, right, 6600.0)
        for root in ("SPXW", "SPX")
        for right in (Right.CALL, Right.PUT)
    )
    chain.apply(Definitions(0, contracts))
    layout = chain.layout()
    assert len(layout) == 2
    assert [e.root for e in layout.expiries] == ["SPX", "SPXW"]
    assert layout.contract.tolist() == [[2, 0], [3, 1]]
