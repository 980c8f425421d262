"""Quote pages: their header, their clock, their rows."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gexterm.errors import ChainError, InputError, UsageError
from gexterm.market import calendar
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import Definitions, OpenInterest, Volume
from gexterm.recording.chains import parse_chain
from tests.recording.chains.pages import (
    COLUMNS,
    STAMP,
    TITLE,
    quote_page,
    quote_row,
    quotes,
    spot,
    total,
)


def when(ns: int) -> str:
    return calendar.et(ns).strftime("%Y-%m-%d %H:%M")


def stamped(text: str, date: dt.date = dt.date(2027, 12, 17)) -> bytes:
    """A page with another date line, and options that outlive it."""
    return quote_page(quote_row(expiry=date), stamp=f'"Date: {text}",Bid: 1,Ask: 2')


def test_a_page_becomes_definitions_spot_quotes_open_interest_and_volume() -> None:
    chain = parse_chain(quote_page(), "page.csv")
    assert chain.underlying == "SPX"
    assert chain.source == "cboe-quotes"
    assert chain.contracts == (
        Contract("SPXW", dt.date(2022, 7, 12), Right.CALL, 3850.0),
        Contract("SPXW", dt.date(2022, 7, 12), Right.PUT, 3850.0),
    )
    assert isinstance(chain.events[0], Definitions) and chain.events[0].first == 0
    assert spot(chain) == 3856.28
    assert quotes(chain).bid.tolist() == [9.5, 9.5]
    assert quotes(chain).ask.tolist() == [10.5, 10.5]
    assert np.isnan(quotes(chain).bid_size).all()
    assert total(chain, OpenInterest) == 240
    assert total(chain, Volume) == 60
    assert chain.warnings == ()


def test_a_page_says_nothing_of_the_age_of_its_quotes() -> None:
    assert quotes(parse_chain(quote_page(), "page.csv")).ts.tolist() == [0, 0]


def test_a_page_made_in_session_is_read_fifteen_minutes_before_its_stamp() -> None:
    chain = parse_chain(quote_page(), "page.csv")
    assert when(chain.as_of) == "2022-07-12 11:40"
    assert chain.quoted_at == "2022-07-12 11:55 ET"
    assert chain.delay_s == 900
    assert "15 minutes late" in chain.note and "11:40" in chain.note
    assert chain.info.delay_s == 900 and chain.info.mode == "file"


@pytest.mark.parametrize(
    ("stamp", "as_of"),
    [
        ("September 14, 2023 at 9:29 AM EDT", "2023-09-14 09:29"),  # before the open
        ("September 14, 2023 at 9:30 AM EDT", "2023-09-14 09:15"),
        ("September 14, 2023 at 4:15 PM EDT", "2023-09-14 16:00"),
        ("September 14, 2023 at 4:30 PM EDT", "2023-09-14 16:15"),  # late quotes still move
        ("September 14, 2023 at 4:31 PM EDT", "2023-09-14 16:31"),
        ("September 16, 2023 at 11:00 AM EDT", "2023-09-16 11:00"),  # a Saturday
        ("July 4, 2023 at 11:00 AM EDT", "2023-07-04 11:00"),  # a holiday
        ("July 3, 2023 at 1:30 PM EDT", "2023-07-03 13:15"),  # an early close
        ("July 3, 2023 at 1:31 PM EDT", "2023-07-03 13:31"),
        ("December 12, 2022 at 8:31 PM EST", "2022-12-12 20:31"),
        ("December 12, 2022 at 12:05 PM EST", "2022-12-12 11:50"),
        ("December 12, 2022 at 12:05 AM EST", "2022-12-12 00:05"),
        ("Dec 12, 2022, 10:05 AM", "2022-12-12 09:50"),
        ("Dec 12, 2022, 10:05 AM ET", "2022-12-12 09:50"),
    ],
)
def test_only_while_late_quotes_move_is_the_stamp_put_back(stamp: str, as_of: str) -> None:
    chain = parse_chain(stamped(stamp), "page.csv")
    assert when(chain.as_of) == as_of
    assert chain.delay_s == (0 if chain.quoted_at.startswith(as_of) else 900)


def test_the_hour_that_comes_twice_is_told_apart_by_its_zone() -> None:
    summer = parse_chain(stamped("November 6, 2022 at 1:30 AM EDT"), "page.csv")
    winter = parse_chain(stamped("November 6, 2022 at 1:30 AM EST"), "page.csv")
    assert winter.as_of - summer.as_of == 3600 * 10**9


@pytest.mark.parametrize(
    "stamp",
    [
        "4 June 4, 3:15 PM EDT",
        "June 31, 2023, 3:15 PM EDT",
        "Junk 3, 2023, 3:15 PM EDT",
        "June 3, 2023, 13:15 PM EDT",
        "June 3, 2023, 3:15 PM CDT",
        "2023-06-03 15:15",
        "",
        "\x1b[31m[red]",
    ],
)
def test_a_date_that_cannot_be_read_asks_for_at(stamp: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_chain(stamped(stamp), "page.csv")
    line = str(caught.value)
    assert "--at" in line and "page.csv" in line
    assert "\n" not in line and "\x1b" not in line and "[" not in line


def test_at_overrides_the_stamp_and_leaves_no_delay() -> None:
    for at in ("11:50", "2022-07-12 11:50", calendar.parse_when("2022-07-12 11:50")):
        chain = parse_chain(quote_page(), "page.csv", at=at)
        assert when(chain.as_of) == "2022-07-12 11:50"
        assert chain.delay_s == 0
        assert "as asked" in chain.note


def test_at_serves_where_the_date_is_broken_but_then_needs_a_date_itself() -> None:
    page = stamped("4 June 4, 3:15 PM EDT")
    assert when(parse_chain(page, "p", at="2023-06-05 15:00").as_of) == "2023-06-05 15:00"
    with pytest.raises(UsageError, match="needs a date"):
        parse_chain(page, "p", at="15:00")


@pytest.mark.parametrize(
    "top",
    [(), ("",), ("", "", ""), ("---Example Data---",), ("sep=,", ""), (",,,",)],
)
def test_the_lines_above_the_header_may_move(top: tuple[str, ...]) -> None:
    chain = parse_chain(quote_page(top=top), "page.csv")
    assert when(chain.as_of) == "2022-07-12 11:40"
    assert spot(chain) == 3856.28


@pytest.mark.parametrize(
    "change",
    [
        lambda page: b"\xef\xbb\xbf" + page,
        lambda page: page.replace(b"\n", b"\r\n"),
        lambda page: page.replace(b"\n", b"\r"),
        lambda page: page.rstrip(b"\n"),
        lambda page: page + b"\n\n,,,,\n",
        lambda page: page.replace(b"Open Interest", b"Int").replace(b"Volume,", b"Vol,"),
        lambda page: page.replace(b"9.5,10.5", b'"9.5","10.5"'),
    ],
    ids=["bom", "crlf", "cr", "no last newline", "empty tail", "old names", "quoted"],
)
def test_spelling_makes_no_difference(change: object) -> None:
    plain = parse_chain(quote_page(), "page.csv")
    other = parse_chain(change(quote_page()), "page.csv")  # type: ignore[operator]
    assert other.contracts == plain.contracts
    assert other.as_of == plain.as_of and other.warnings == ()
    assert quotes(other).ask.tolist() == quotes(plain).ask.tolist()
    assert total(other, OpenInterest) == total(plain, OpenInterest)


def test_thousands_separators_are_read() -> None:
    page = quote_page(
        quote_row(bid='"1,009.5"', ask='"1,010.5"', oi='"12,345"'),
        title="Standard & Poors 500 Index,Last: 3,856.28,Change: 1.85",
    )
    chain = parse_chain(page, "page.csv")
    assert quotes(chain).bid.tolist() == [1009.5, 1009.5]
    assert total(chain, OpenInterest) == 2 * 12345
    assert spot(chain) == 3856.28


def test_without_a_last_price_spot_is_the_middle_and_without_any_it_is_not_known() -> None:
    middle = parse_chain(quote_page(title="S&P 500,Last: 0"), "page.csv")
    assert spot(middle) == pytest.approx((3855.37 + 3857.16) / 2)
    assert any("middle" in warning for warning in middle.warnings)
    none = parse_chain(
        quote_page(title="S&P 500", stamp='"Date: July 12, 2022, 11:55 AM EDT",Bid: 0,Ask: 0'),
        "page.csv",
    )
    assert np.isnan(spot(none))
    assert any("no usable price" in warning for warning in none.warnings)


def test_spx_and_spxw_stand_in_one_page_and_stay_apart() -> None:
    friday = dt.date(2022, 7, 15)
    chain = parse_chain(
        quote_page(quote_row(root="SPXW", expiry=friday), quote_row(root="SPX", expiry=friday)),
        "page.csv",
    )
    assert chain.underlying == "SPX"
    assert sorted(c.root for c in chain.contracts) == ["SPX", "SPX", "SPXW", "SPXW"]
    assert chain.warnings == ()


BAD_ROWS = {
    "cut short": quote_row(3900)[:60],
    "no symbol": quote_row(3900).replace("SPXW220712C", "SPXW2207XXC"),
    "another strike": quote_row(3900).replace("3900.00", "3905.00"),
    "another date": quote_row(3900).replace("Tue Jul 12", "Wed Jul 13"),
    "a put for a call": quote_row(3900).replace("C0390", "P0390"),
    "a stray quote": '"' + quote_row(3900),
    "junk": "]\x1b[2J,,'; DROP TABLE options",
    "a coin": quote_row(3900, root="BTC"),
    "an adjusted root": quote_row(3900, root="SPX1"),
}


@pytest.mark.parametrize("bad", BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_bad_row_is_skipped_and_told_and_never_kills_the_rest(bad: str) -> None:
    good = [quote_row(3840), quote_row(3850), quote_row(3860)]
    chain = parse_chain(quote_page(good[0], bad, *good[1:]), "page.csv")
    assert {c.strike for c in chain.contracts} >= {3840.0, 3850.0, 3860.0}
    assert not any(c.strike == 3900.0 and c.right is Right.CALL for c in chain.contracts)
    (warning,) = chain.warnings
    assert "first at line 6" in warning
    assert warning.isprintable() and "[" not in warning


@pytest.mark.parametrize("price", ["-1", "nan", "NaN", "inf", "", "--", "1e999"])
def test_a_price_that_is_none_refuses_its_quote_and_keeps_the_contract(price: str) -> None:
    chain = parse_chain(quote_page(quote_row(3840), quote_row(3850, bid=price)), "page.csv")
    assert len(chain.contracts) == 4
    assert np.isnan(quotes(chain).bid[2:]).all() and np.isnan(quotes(chain).ask[2:]).all()
    assert quotes(chain).bid[:2].tolist() == [9.5, 9.5]
    (warning,) = chain.warnings
    assert warning.startswith("quotes refused") and ": 2, first at line 6" in warning


def test_a_zero_bid_is_a_bid_of_zero_and_a_zero_ask_no_offer() -> None:
    chain = parse_chain(quote_page(quote_row(3840), quote_row(3850, bid=0, ask=0)), "page.csv")
    assert quotes(chain).bid[2:].tolist() == [0, 0]
    assert np.isnan(quotes(chain).ask[2:]).all()
    assert chain.warnings == ()


def test_a_negative_open_interest_is_left_out() -> None:
    chain = parse_chain(quote_page(quote_row(3840), quote_row(3850, oi=-5)), "page.csv")
    assert total(chain, OpenInterest) == 240
    assert any("open interests" in warning for warning in chain.warnings)


def test_of_rows_that_repeat_a_contract_the_later_counts() -> None:
    chain = parse_chain(quote_page(quote_row(), quote_row(bid=9.7)), "page.csv")
    assert len(chain.contracts) == 2
    assert quotes(chain).bid.tolist() == [9.7, 9.7]
    (warning,) = chain.warnings
    assert warning.startswith("rows that repeat") and ": 2, first at line 6" in warning


def test_underlyings_are_not_mixed() -> None:
    with pytest.raises(ChainError, match=r"2 underlyings: SPX \(2\), NDX \(2\)"):
        parse_chain(quote_page(quote_row(), quote_row(root="NDXP")), "page.csv")


def test_a_chain_of_settled_options_has_nothing_to_compute_with() -> None:
    with pytest.raises(ChainError, match=r"had settled by 2022-07-12 16:31 ET.*2022-07-12.*--at"):
        parse_chain(quote_page(stamp='"Date: July 12, 2022, 4:31 PM EDT"'), "page.csv")


def test_a_chain_without_a_two_sided_quote_has_nothing_to_compute_with() -> None:
    crossed = quote_page(quote_row(bid=11, ask=10), quote_row(3900, bid=0, ask=1))
    with pytest.raises(ChainError, match="both a bid and an offer"):
        parse_chain(crossed, "page.csv")


def test_a_page_whose_rows_are_all_bad_says_why() -> None:
    with pytest.raises(ChainError, match=r"no option that can be read.*cells are missing"):
        parse_chain(quote_page("a,b", "c,d"), "page.csv")


def test_a_page_cut_off_after_its_header_has_no_options() -> None:
    page = "\n".join(["", TITLE, STAMP, COLUMNS]).encode()
    with pytest.raises(ChainError, match="no option"):
        parse_chain(page, "page.csv")


def test_missing_columns_are_named() -> None:
    page = quote_page().replace(b"Gamma,Open Interest,Strike", b"Gamma,Strike")
    with pytest.raises(
        InputError, match=r"looks like a Cboe quote page.*open interest of the calls"
    ):
        parse_chain(page, "page.csv")
    with pytest.raises(InputError, match="strike"):
        parse_chain(quote_page().replace(b",Strike,", b",Level,"), "page.csv")


def test_a_page_cut_off_before_its_columns_is_still_known_for_what_it_is() -> None:
    page = "\n".join(["", TITLE, STAMP, COLUMNS[:20]]).encode()
    with pytest.raises(InputError, match=r"Cboe quote page.*no column header.*cut short"):
        parse_chain(page, "page.csv")


def test_a_column_header_above_the_title_and_date_is_found_all_the_same() -> None:
    moved = "\n".join([COLUMNS, TITLE, STAMP, quote_row(), ""]).encode()
    usual, found = parse_chain(quote_page(), "a.csv"), parse_chain(moved, "b.csv")
    assert found.as_of == usual.as_of
    assert found.contracts == usual.contracts
    assert found.warnings == usual.warnings
    assert spot(found) == spot(usual)


def test_doubled_spaces_in_the_date_do_not_matter() -> None:
    spaced = STAMP.replace("2022, 11:55 AM", "2022  at  11:55  AM")
    assert parse_chain(quote_page(stamp=spaced), "a.csv").as_of == (
        parse_chain(quote_page(), "b.csv").as_of
    )
