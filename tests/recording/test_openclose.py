"""Cboe's Open-Close summary. The files here are made up in its public layout: synthetic data."""

import datetime as dt
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import InputError
from gexterm.market import calendar
from gexterm.market.contracts import Contract, Right
from gexterm.recording.openclose import (
    EFFECTS,
    ORIGINS,
    SIDES,
    OpenClose,
    parse_openclose,
    read_openclose,
)

KEYS = "quote_date,underlying_symbol,option_symbol,expiration_date,strike_price,call_put_flag"
BUCKETS = ("lt_100", "100_199", "gt_199")
DAY = dt.date(2026, 11, 18)
NEXT = Contract("SPXW", dt.date(2026, 11, 19), Right.CALL, 6700.0)


def whole_header() -> list[str]:
    """Every column of an end-of-day file."""
    names = [*KEYS.split(","), "series_type", "total_exchange_vol", "open_interest"]
    names += [f"{o}_{e}_{s}_vol" for o in ("firm", "bd") for e in ("open", "close") for s in SIDES]
    names += ["mm_buy_vol", "mm_sell_vol"]
    return names + [
        f"{o}_{b}_{e}_{s}_vol"
        for o in ("cust", "procust")
        for b in BUCKETS
        for e in ("open", "close")
        for s in SIDES
    ]


def row(**cells: object) -> str:
    base: dict[str, object] = dict.fromkeys(whole_header(), 0) | {
        "quote_date": "2026-11-18",
        "underlying_symbol": "^SPX",
        "option_symbol": "SPXW",
        "expiration_date": "2026-11-19",
        "strike_price": "6700.000",
        "call_put_flag": "C",
        "series_type": "S",
        "total_exchange_vol": 100,
        "open_interest": 1234,
    }
    return ",".join(str((base | cells)[name]) for name in whole_header())


def parsed(*rows: str, header: str = "", underlying: str | None = None) -> OpenClose:
    text = "\n".join([header or ",".join(whole_header()), *rows])
    return parse_openclose(text.encode(), "oc.csv", underlying)


def of(file: OpenClose, origin: str, effect: str, side: str) -> np.ndarray:
    return file.quantity[ORIGINS.index(origin), EFFECTS.index(effect), SIDES.index(side)]


def test_each_kind_of_trader_is_read_and_size_buckets_add_up() -> None:
    file = parsed(
        row(mm_buy_vol=60, mm_sell_vol=10, bd_open_buy_vol=3, firm_close_sell_vol=4,
            cust_lt_100_open_sell_vol=20, cust_100_199_open_sell_vol=15,
            cust_gt_199_open_sell_vol=5, procust_lt_100_close_buy_vol=7)
    )  # fmt: skip
    assert file.flavour == "eod"
    assert file.contracts == (NEXT,)
    assert of(file, "mm", "unsaid", "buy").tolist() == [60.0]
    assert of(file, "mm", "unsaid", "sell").tolist() == [10.0]
    assert of(file, "bd", "open", "buy").tolist() == [3.0]
    assert of(file, "firm", "close", "sell").tolist() == [4.0]
    assert of(file, "cust", "open", "sell").tolist() == [40.0]
    assert of(file, "procust", "close", "buy").tolist() == [7.0]
    assert np.isnan(of(file, "mm", "open", "buy")).all()
    assert (file.volume[0], file.open_interest[0]) == (100.0, 1234.0)
    assert file.ts[0] == calendar.index_close_ns(DAY)
    assert file.notes == ()


def test_a_part_of_the_columns_is_read_as_far_as_it_goes_and_the_rest_is_not_known() -> None:
    file = parsed(
        "2026-11-18,SPXW,2026-11-19,6700,C,5,9",
        header="quote_date,option_symbol,expiration_date,strike_price,call_put_flag,"
        "cust_lt_100_open_buy_vol,cust_lt_100_open_sell_vol",
    )
    assert of(file, "cust", "open", "sell").tolist() == [9.0]
    assert np.isnan(of(file, "cust", "close", "buy")).all()
    assert np.isnan(of(file, "mm", "unsaid", "buy")).all()
    assert np.isnan(file.volume).all()
    assert file.notes == ("no columns of mm, bd, firm, procust",)


def test_columns_go_by_name_in_any_order_and_unknown_ones_are_ignored_with_a_note() -> None:
    file = parsed(
        "9,P,x,SPX,3/19/2027,6700,11/18/2026,2",
        header="MM_SELL_QTY,Option Type,mystery,Root,Expiration,Strike,Trade Date,mm_buy_qty",
    )
    assert file.contracts == (Contract("SPX", dt.date(2027, 3, 19), Right.PUT, 6700.0),)
    assert of(file, "mm", "unsaid", "buy")[0] - of(file, "mm", "unsaid", "sell")[0] == -7.0
    assert "columns ignored: 'mystery'" in file.notes


def test_snapshots_within_a_day_carry_new_york_times_in_order() -> None:
    header = KEYS.replace("quote_date", "trade_datetime") + ",mm_buy_vol,mm_sell_vol"
    file = parsed(
        "2026-11-18 09:50:00,SPX,SPXW,20261119,6700,C,7,1",
        "2026-11-18 09:40:00,SPX,SPXW,20261119,6700,C,3,1",
        header=header,
    )
    assert file.flavour == "interval"
    assert file.ts.tolist() == [
        calendar.at_et(DAY, dt.time(9, 40)),
        calendar.at_et(DAY, dt.time(9, 50)),
    ]
    assert of(file, "mm", "unsaid", "buy").tolist() == [3.0, 7.0]


def test_one_underlying_of_many_is_kept_if_asked() -> None:
    rows = row(), row(underlying_symbol="^NDX", option_symbol="NDX"), row(option_symbol="SPX")
    assert {c.root for c in parsed(*rows).contracts} == {"SPXW", "NDX", "SPX"}
    assert {c.root for c in parsed(*rows, underlying="SPX").contracts} == {"SPXW", "SPX"}
    assert {c.root for c in parsed(*rows, underlying="^ndx").contracts} == {"NDX"}
    with pytest.raises(InputError, match="no row of 'RUT'"):
        parsed(*rows, underlying="RUT")


@pytest.mark.parametrize(
    ("bad", "note"),
    [
        ({"mm_buy_vol": "n/a"}, "a volume is no number or negative: 1, first at line 3"),
        ({"mm_buy_vol": -5}, "a volume is no number or negative: 1, first at line 3"),
        ({"mm_buy_vol": ""}, "a volume is no number or negative: 1, first at line 3"),
        ({"expiration_date": "soon"}, "no expiry: 1, first at line 3 ('soon')"),
        ({"strike_price": 0}, "no strike: 1, first at line 3 ('0')"),
        ({"call_put_flag": "X"}, "no call or put: 1, first at line 3 ('X')"),
        ({"quote_date": "2026-13-01"}, "no date: 1, first at line 3"),
        ({"option_symbol": "[red]"}, "no root: 1, first at line 3 ('\\x5bRED\\x5d')"),
        ({"series_type": "N"}, "no standard series: 1, first at line 3"),
        ({}, "the series stands twice at one time: 1, first at line 3"),
    ],
)
def test_a_bad_row_is_skipped_and_told_by_its_line(bad, note) -> None:
    file = parsed(row(), row(**bad), row(strike_price=6705))
    assert len(file.ts) == 2
    assert any(note.upper() in line.upper() for line in file.notes), file.notes


def test_a_row_that_is_cut_off_is_skipped() -> None:
    file = parsed(row(), row(strike_price=6705)[:40])
    assert len(file.ts) == 1
    assert "cells are missing" in file.notes[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("a,b,c\n1,2,3", "lacks: option_symbol"),
        (KEYS + "\n2026-11-18,SPX,SPXW,2026-11-19,6700,C", "volumes such as"),
        (KEYS + ",mm_buy_vol,mm_sell_vol\n", "no row"),
        (KEYS + ",mm_buy_vol,mm_sell_vol\n2026-11-18,SPX,SPXW,x,6700,C,1,1", "no expiry"),
        ("PAR1\0\0", "parquet"),
    ],
)
def test_what_is_no_such_file_gives_one_line_that_says_why(text, says) -> None:
    with pytest.raises(InputError, match=says) as caught:
        parse_openclose(text.encode(), "oc.csv")
    assert "\n" not in str(caught.value)


def test_a_zip_as_it_is_delivered_is_unpacked(tmp_path) -> None:
    path = tmp_path / "C1OpenClose_2026-11-18.zip"
    text = "\n".join([",".join(whole_header()), row(mm_buy_vol=2)])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("C1OpenClose_2026-11-18.csv", text)
    assert of(read_openclose(path), "mm", "unsaid", "buy").tolist() == [2.0]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("another.csv", text)
    with pytest.raises(InputError, match="2 CSV files"):
        read_openclose(path)
    packed = io.BytesIO(path.read_bytes()[:60])
    with pytest.raises(InputError, match="cannot be unpacked"):
        parse_openclose(packed.getvalue(), "cut.zip")


def test_a_path_that_cannot_be_read_is_an_error_with_one_line(tmp_path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_openclose(path)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 600))
def test_no_file_whatever_raises_anything_but_an_input_error(noise, at) -> None:
    good = "\n".join([",".join(whole_header()), row(), row(strike_price=6705)]).encode()
    try:
        file = parse_openclose(good[:at] + noise + good[at:], "oc.csv")
    except InputError:
        return
    assert not (file.quantity < 0.0).any()
    assert (np.diff(file.ts) >= 0).all()
