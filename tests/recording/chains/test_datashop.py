"""DataShop chains: which quotes, which root, which day."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gexterm.errors import ChainError, InputError
from gexterm.market import calendar
from gexterm.market.events import OpenInterest, Volume
from gexterm.recording.chains import parse_chain
from tests.recording.chains.pages import datashop, datashop_row, quotes, spot, total, without

EOD = ("bid_eod", "ask_eod")
EARLY = ("bid_1545", "ask_1545")


def when(ns: int) -> str:
    return calendar.et(ns).strftime("%Y-%m-%d %H:%M")


def test_the_quotes_at_a_quarter_to_four_are_preferred() -> None:
    chain = parse_chain(datashop(), "file.csv")
    assert chain.source == "datashop-eod"
    assert chain.underlying == "SPX"
    assert when(chain.as_of) == "2022-07-12 15:45"
    assert quotes(chain).bid.tolist() == [9.5]
    assert quotes(chain).bid_size.tolist() == [11]
    assert spot(chain) == 3856.0
    assert total(chain, OpenInterest) == 120
    assert total(chain, Volume) == 30
    assert "whole day" in chain.note
    assert chain.delay_s == 0 and chain.warnings == ()


def test_closing_quotes_are_as_of_the_close_when_today_s_options_are_gone() -> None:
    tomorrow = datashop_row(expiration="2022-07-13")
    chain = parse_chain(without(datashop(tomorrow), *EARLY), "file.csv")
    assert when(chain.as_of) == "2022-07-12 16:00"
    assert quotes(chain).ask.tolist() == [7.5]
    assert spot(chain) == 3819.0
    with pytest.raises(ChainError, match="had settled"):
        parse_chain(without(datashop(), *EARLY), "file.csv")


def test_a_time_past_the_close_takes_the_closing_quotes() -> None:
    tomorrow = datashop(datashop_row(expiration="2022-07-13"))
    late = parse_chain(tomorrow, "file.csv", at="16:00")
    assert (when(late.as_of), quotes(late).ask.tolist()) == ("2022-07-12 16:00", [7.5])
    early = parse_chain(tomorrow, "file.csv", at="15:40")
    assert (when(early.as_of), quotes(early).ask.tolist()) == ("2022-07-12 15:40", [10.5])


def test_on_a_half_day_the_early_quotes_are_from_a_quarter_to_one() -> None:
    row = datashop_row(quote_date="2022-11-25", expiration="2022-11-25")
    assert when(parse_chain(datashop(row), "file.csv").as_of) == "2022-11-25 12:45"


def test_a_byte_order_mark_and_other_spellings_make_no_difference() -> None:
    plain = parse_chain(datashop(), "file.csv")
    page = datashop(datashop_row(option_type="call")).replace(b"quote_date", b"Quote Date")
    other = parse_chain(b"\xef\xbb\xbf" + page.replace(b"\n", b"\r\n"), "file.csv")
    assert other.contracts == plain.contracts and other.as_of == plain.as_of


def test_without_a_root_column_the_file_s_name_may_say_it() -> None:
    chain = parse_chain(without(datashop(), "root", "underlying_symbol"), "spxw_2022-07-12.csv")
    assert {c.root for c in chain.contracts} == {"SPXW"}
    assert chain.warnings == ("no root column: taken for SPXW, as the file's name says",)


@pytest.mark.parametrize(
    "name", ["chain_2022.csv", "option_eod.csv", "data.csv", "x", "stock-1.csv"]
)
def test_a_name_that_is_no_known_root_is_not_guessed_from(name: str) -> None:
    with pytest.raises(InputError, match="--root"):
        parse_chain(without(datashop(), "root", "underlying_symbol"), name)


def test_an_index_with_two_roots_is_not_guessed_either() -> None:
    with pytest.raises(InputError, match="--root"):
        parse_chain(without(datashop(), "root"), "data.csv")


def test_a_fund_has_one_root_its_own() -> None:
    page = without(datashop(datashop_row(underlying_symbol="SPY", strike=385)), "root")
    chain = parse_chain(page, "data.csv")
    assert chain.contracts[0].root == "SPY"
    assert "as its underlying says" in chain.warnings[0]


def test_a_root_that_is_asked_for_is_taken() -> None:
    chain = parse_chain(without(datashop(), "root"), "data.csv", root="spxw")
    assert chain.contracts[0].root == "SPXW"
    assert chain.warnings == ()
    with pytest.raises(InputError, match="no option root"):
        parse_chain(without(datashop(), "root"), "data.csv", root="no root")


def test_spx_and_spxw_of_one_date_and_strike_stay_apart() -> None:
    rows = [datashop_row(root=root, expiration="2022-07-15") for root in ("SPX", "SPXW")]
    chain = parse_chain(datashop(*rows), "file.csv")
    assert [c.root for c in chain.contracts] == ["SPX", "SPXW"]


def test_one_file_is_one_day_and_one_underlying() -> None:
    with pytest.raises(ChainError, match="2 days, 2022-07-12 to 2022-07-13"):
        parse_chain(datashop(datashop_row(), datashop_row(quote_date="2022-07-13")), "file.csv")
    with pytest.raises(ChainError, match="2 underlyings"):
        parse_chain(datashop(datashop_row(), datashop_row(root="SPY")), "file.csv")


@pytest.mark.parametrize(
    "bad",
    [
        datashop_row(strike="x"),
        datashop_row(strike=-5),
        datashop_row(strike="nan"),
        datashop_row(expiration="2022-02-30"),
        datashop_row(option_type="X"),
        datashop_row(root="[red]"),
        datashop_row(root="BTC"),
        datashop_row(root="SPX1"),
        datashop_row()[:50],
        datashop_row() + ",more",
    ],
)
def test_a_bad_row_is_skipped_and_told(bad: str) -> None:
    good = datashop_row(strike=3900)
    chain = parse_chain(datashop(good, bad, good.replace("3900", "3950")), "file.csv")
    assert [c.strike for c in chain.contracts] == [3900, 3950]
    (warning,) = chain.warnings
    assert "first at line 3" in warning and warning.isprintable() and "[" not in warning


def test_a_stray_quote_spoils_its_own_row_only() -> None:
    chain = parse_chain(datashop(datashop_row(), '"' + datashop_row(strike=3900)), "file.csv")
    assert len(chain.contracts) == 1
    assert len(chain.warnings) == 1


def test_missing_columns_are_named() -> None:
    with pytest.raises(InputError, match="lacks columns: expiration, option_type"):
        parse_chain(without(datashop(), "expiration", "option_type"), "file.csv")
    with pytest.raises(InputError, match="bid_1545 and ask_1545"):
        parse_chain(without(datashop(), *EARLY, *EOD), "file.csv")


def test_columns_that_do_not_matter_may_be_missing() -> None:
    page = without(
        datashop(), "open_interest", "trade_volume", "bid_size_1545", "underlying_bid_1545"
    )
    chain = parse_chain(page, "file.csv")
    assert np.isnan(quotes(chain).bid_size).all()
    assert total(chain, OpenInterest) == 0 and np.isnan(spot(chain))
    assert any("no usable price" in warning for warning in chain.warnings)


def test_a_header_alone_holds_no_chain() -> None:
    with pytest.raises(ChainError, match="no rows"):
        parse_chain(datashop().splitlines()[0], "file.csv")


def test_a_quote_date_that_is_none_is_an_error() -> None:
    with pytest.raises(InputError, match="quote_date"):
        parse_chain(datashop(datashop_row(quote_date="soon")), "file.csv")


def test_dates_that_a_spreadsheet_rewrote_are_read() -> None:
    page = datashop()
    rewritten = re.sub(
        rb"(20\d\d)-(\d\d)-(\d\d)",
        lambda m: b"%d/%d/%s" % (int(m[2]), int(m[3]), m[1]),
        page,
    )
    assert rewritten != page
    usual, found = parse_chain(page, "a.csv"), parse_chain(rewritten, "b.csv")
    assert found.as_of == usual.as_of
    assert found.contracts == usual.contracts
