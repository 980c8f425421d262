"""Delayed quotes: their clock, and numbers as an undocumented page may write them."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import ChainError, InputError
from gexterm.market import calendar
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import OpenInterest
from gexterm.recording.chains import parse_chain
from tests.recording.chains.pages import delayed_page, option, quotes, spot, total

CALL, PUT = "SPXW220712C03850000", "SPXW220712P03850000"


def when(ns: int) -> str:
    return calendar.et(ns).strftime("%Y-%m-%d %H:%M:%S")


def test_a_page_becomes_a_chain_as_of_fifteen_minutes_before_it_was_made() -> None:
    chain = parse_chain(delayed_page(option(CALL), option(PUT)), "page")
    assert chain.source == "cboe-delayed"
    assert chain.underlying == "SPX"
    assert when(chain.as_of) == "2022-07-12 11:40:13"
    assert chain.quoted_at == "2022-07-12 11:55:13 ET"
    assert chain.delay_s == 900
    assert chain.contracts[0] == Contract("SPXW", dt.date(2022, 7, 12), Right.CALL, 3850.0)
    assert spot(chain) == 3856.28
    assert quotes(chain).bid_size.tolist() == [11, 11]
    assert quotes(chain).ask_size.tolist() == [12, 12]
    assert total(chain, OpenInterest) == 240
    assert chain.warnings == ()


def test_after_hours_the_page_is_read_as_of_its_stamp() -> None:
    page = delayed_page(
        option("SPXW220713C03850000"),
        timestamp="2022-07-13 01:08:13",
        last_trade_time="2022-07-12T16:14:59",
    )
    chain = parse_chain(page, "page")
    assert when(chain.as_of) == "2022-07-12 21:08:13"
    assert chain.delay_s == 0


def test_a_stamp_before_the_last_trade_cannot_be_utc_and_is_read_as_new_york() -> None:
    chain = parse_chain(delayed_page(timestamp="2022-07-12 11:55:13"), "page")
    assert when(chain.as_of) == "2022-07-12 11:40:13"
    assert any("New York, not UTC" in warning for warning in chain.warnings)


def test_a_stamp_before_the_last_trade_in_any_zone_asks_for_at() -> None:
    page = delayed_page(timestamp="2022-07-11 11:55:13")
    with pytest.raises(InputError, match="--at"):
        parse_chain(page, "page")
    assert when(parse_chain(page, "page", at="2022-07-12 11:40").as_of) == "2022-07-12 11:40:00"


@pytest.mark.parametrize("stamp", [None, "", "yesterday", 5, "0001-01-01 00:00:00", [], "[red]"])
def test_a_page_without_a_time_asks_for_at(stamp: object) -> None:
    with pytest.raises(InputError, match="--at") as caught:
        parse_chain(delayed_page(timestamp=stamp), "page")
    assert "[" not in str(caught.value)


def test_an_explicit_zone_in_the_stamp_is_kept() -> None:
    chain = parse_chain(delayed_page(timestamp="2022-07-12T11:55:13-04:00"), "page")
    assert when(chain.as_of) == "2022-07-12 11:40:13"
    assert chain.warnings == ()


def test_numbers_may_be_strings() -> None:
    page = delayed_page(option(CALL, bid="9.5", ask="1,010.5", open_interest="120"))
    chain = parse_chain(page, "page")
    assert quotes(chain).ask.tolist() == [1010.5]
    assert total(chain, OpenInterest) == 120


@pytest.mark.parametrize(
    "price", [None, "NaN", "Infinity", -1, "", "x", True, [], {}, float("nan")]
)
def test_a_price_that_is_none_refuses_its_quote(price: object) -> None:
    chain = parse_chain(delayed_page(option(CALL), option(PUT, ask=price)), "page")
    assert quotes(chain).bid[0] == 9.5
    assert np.isnan(quotes(chain).bid[1]) and np.isnan(quotes(chain).ask[1])
    (warning,) = chain.warnings
    assert warning.startswith("quotes refused") and ": 1, first at option 2" in warning


def test_missing_fields_are_not_known_rather_than_zero() -> None:
    bare = {"option": PUT, "bid": 1.0, "ask": 2.0}
    chain = parse_chain(delayed_page(option(CALL), bare), "page")
    assert np.isnan(quotes(chain).bid_size[1])
    assert total(chain, OpenInterest) == 120


@pytest.mark.parametrize(
    "junk", [None, 7, "SPXW", [], {}, {"option": None}, {"option": "[red]\x1b"}]
)
def test_an_entry_that_names_no_option_is_skipped_and_told(junk: object) -> None:
    chain = parse_chain(delayed_page(option(CALL), junk), "page")
    assert len(chain.contracts) == 1
    (warning,) = chain.warnings
    assert "option 2" in warning and warning.isprintable() and "[" not in warning


@pytest.mark.parametrize(
    ("data", "spot_is"),
    [
        ({"current_price": None}, (3855.37 + 3857.16) / 2),
        ({"current_price": "3,856.5"}, 3856.5),
        ({"current_price": 0, "bid": 0, "ask": 0}, None),
        ({"current_price": -5, "bid": 5, "ask": 4}, None),
    ],
)
def test_spot_is_the_page_s_price_else_its_middle_else_not_known(
    data: dict[str, object], spot_is: float | None
) -> None:
    chain = parse_chain(delayed_page(**data), "page")  # type: ignore[arg-type]
    if spot_is is None:
        assert np.isnan(spot(chain))
        assert any("no usable price" in warning for warning in chain.warnings)
    else:
        assert spot(chain) == pytest.approx(spot_is)


@pytest.mark.parametrize(
    "page",
    [
        b"{}",
        b"[]",
        b'{"data": 5}',
        b'{"data": {"options": {}}}',
        json.dumps({"status": "error"}).encode(),
    ],
)
def test_other_json_is_told_from_a_page(page: bytes) -> None:
    with pytest.raises(InputError, match="no page of Cboe's delayed quotes"):
        parse_chain(page, "page")


def test_a_page_without_options_is_an_empty_chain() -> None:
    page = json.loads(delayed_page())
    page["data"]["options"] = []
    with pytest.raises(ChainError, match="no option"):
        parse_chain(json.dumps(page).encode(), "page")


def test_nesting_without_end_is_an_error_and_not_a_crash() -> None:
    with pytest.raises(InputError, match="JSON"):
        parse_chain(b'{"data":' + b"[" * 200_000, "page")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400))
def test_a_page_cut_anywhere_is_refused(cut: int) -> None:
    page = delayed_page(option(CALL), option(PUT))
    with pytest.raises(InputError):
        parse_chain(page[: min(cut, len(page) - 1)], "page")
