"""Interval files become recordings that say what the file said, and no more."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from gexterm.clock import NS, ManualClock
from gexterm.errors import InputError, OutputError
from gexterm.market.chain import Chain
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import (
    Definitions,
    OpenInterest,
    Quotes,
    SourceInfo,
    UnderlyingPrice,
    Volume,
)
from gexterm.market.settlement import expiry_of
from gexterm.recording.intervals import ImportSummary, import_intervals
from gexterm.recording.reader import Recording
from tests.shared_data import shared

HEADER = (
    "underlying_symbol,quote_datetime,root,expiration,strike,option_type,open,high,low,close,"
    "trade_volume,bid_size,bid,ask_size,ask,underlying_bid,underlying_ask,"
    "implied_underlying_price,active_underlying_price,implied_volatility"
)


def line(
    minute: int,
    strike: float = 2700,
    right: str = "C",
    bid: object = 1.0,
    ask: object = 1.1,
    volume: object = 0,
    symbol: str = "^SPX",
    root: str = "SPXW",
    day: str = "2018-01-05",
    spot: object = 2733.5,
) -> str:
    when = f"{day} {9 + (30 + minute) // 60:02}:{(30 + minute) % 60:02}:00"
    return (
        f"{symbol},{when},{root},2018-01-05,{strike},{right},0,0,0,0,{volume},5,{bid},6,{ask},"
        f"2733,2734,2733.4,{spot},0.1"
    )


def csv(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "bars.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def imported(path: Path, **options: object) -> tuple[ImportSummary, list]:
    out = path.with_name("out.gexrec")
    summary = import_intervals(path, out, ManualClock(0), **options)  # type: ignore[arg-type]
    with Recording(out) as recording:
        assert recording.closed_properly
        return summary, list(recording.events())


def at(minute: int) -> int:
    when = dt.datetime(2018, 1, 5, 9, 30, tzinfo=ZoneInfo("America/New_York"))
    return int(when.timestamp() + 60 * minute) * NS


def test_a_bar_is_known_at_its_end_and_not_before(tmp_path: Path):
    summary, events = imported(csv(tmp_path, line(1), line(2, bid=1.05)))
    assert isinstance(events[0], SourceInfo)
    assert (events[0].underlying, events[0].feed, events[0].mode) == (
        "SPX",
        "cboe-intervals",
        "replay",
    )
    assert events[0].note == "1-minute bars: volume, no prints, no open interest"
    assert (events[0].begins, events[0].ends) == (at(1), at(2))
    quotes = [event for event in events if isinstance(event, Quotes)]
    assert [(q.ts[0], q.recv, q.bid[0]) for q in quotes] == [
        (at(1), at(1), 1.0),
        (at(2), at(2), 1.05),
    ]
    assert summary.date == dt.date(2018, 1, 5)
    assert (summary.rows, summary.quotes, summary.bars, summary.contracts) == (2, 2, 2, 1)


def test_only_quotes_that_changed_are_kept(tmp_path: Path):
    lines = [line(m, strike, bid=1.0) for m in range(1, 5) for strike in (2700, 2705)]
    lines[5] = line(3, 2705, bid=0.95)
    _, events = imported(csv(tmp_path, *lines))
    quotes = [event for event in events if isinstance(event, Quotes)]
    assert [(q.recv, q.contract.tolist()) for q in quotes] == [
        (at(1), [0, 1]),
        (at(3), [1]),
        (at(4), [1]),
    ]


def test_volume_is_of_the_day_and_told_when_it_grows(tmp_path: Path):
    lines = [line(1, volume=3), line(2, volume=0), line(3, volume=4), line(1, 2705, volume=0)]
    _, events = imported(csv(tmp_path, *lines))
    volumes = [(e.ts, e.contract.tolist(), e.volume.tolist()) for e in events if type(e) is Volume]
    assert volumes == [(at(1), [0, 1], [3.0, 0.0]), (at(3), [0], [7.0])]


def test_rows_may_come_in_any_order(tmp_path: Path):
    lines = [line(m, s, volume=m) for m in (1, 2, 3) for s in (2700, 2705)]
    _, one = imported(csv(tmp_path, *lines))
    _, other = imported(csv(tmp_path, *reversed(lines)), force=True)
    assert [type(event) for event in one] == [type(event) for event in other]
    for a, b in zip(one, other, strict=True):
        if isinstance(a, Volume):
            np.testing.assert_array_equal(a.volume, b.volume)


def test_no_offer_is_not_an_offer_at_zero(tmp_path: Path):
    lines = [
        line(1, 2700, bid=0, ask=0.05),
        line(1, 2705, bid=0, ask=0),
        line(1, 2710, bid=1, ask=0),
        line(1, 2715, bid=-1, ask="inf"),
    ]
    summary, events = imported(csv(tmp_path, *lines))
    [quotes] = [event for event in events if isinstance(event, Quotes)]
    np.testing.assert_array_equal(quotes.bid, [0.0, np.nan, 1.0, np.nan])
    np.testing.assert_array_equal(quotes.ask, [0.05, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(quotes.bid_size, [5.0, np.nan, 5.0, np.nan])
    np.testing.assert_array_equal(quotes.ask_size, [6.0, np.nan, np.nan, np.nan])
    assert summary.warnings == ("1 quotes have a negative or infinite field: not given",)


def test_a_contract_never_quoted_stays_defined(tmp_path: Path):
    lines = [line(1, 2700), line(1, 2705, "P", bid=0, ask=0)]
    _, events = imported(csv(tmp_path, *lines))
    assert isinstance(events[1], Definitions)
    day = dt.date(2018, 1, 5)
    assert events[1].contracts == (
        Contract("SPXW", day, Right.CALL, 2700.0),
        Contract("SPXW", day, Right.PUT, 2705.0),
    )


def test_the_active_price_is_the_underlying_else_the_middle(tmp_path: Path):
    _, events = imported(csv(tmp_path, line(1), line(2, spot=0), line(3, spot="")))
    assert [(e.ts, e.price) for e in events if isinstance(e, UnderlyingPrice)] == [
        (at(1), 2733.5),
        (at(2), 2733.5),
        (at(3), 2733.5),
    ]
    _, events = imported(csv(tmp_path, line(1, spot=2740)), force=True)
    assert [e.price for e in events if isinstance(e, UnderlyingPrice)] == [2740.0]


def test_open_interest_is_taken_once_where_the_file_has_it(tmp_path: Path):
    header = HEADER + ",open_interest"
    lines = [line(1) + ",120", line(2) + ",999", line(1, 2705) + ",", line(2, 2705) + ",7"]
    _, events = imported(csv(tmp_path, *lines, header=header))
    [interest] = [event for event in events if isinstance(event, OpenInterest)]
    assert interest.contract.tolist() == [0, 1]
    assert interest.open_interest.tolist() == [120.0, 7.0]
    assert events[0].note == "1-minute bars: volume, no prints, open interest"


def test_zipped_as_it_is_delivered(tmp_path: Path):
    plain = csv(tmp_path, line(1), line(2))
    zipped = tmp_path / "bars.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, "UnderlyingOptionsIntervals_60sec_2018-01-05.csv")
    summary, _ = imported(zipped)
    assert summary.rows == 2


def test_parquet_is_told_by_its_content(tmp_path: Path):
    path = tmp_path / "bars.csv"
    pl.read_csv(csv(tmp_path, line(1), line(2)), try_parse_dates=True).write_parquet(path)
    summary, _ = imported(path)
    assert summary.rows == 2


def test_daylight_saving_is_new_yorks(tmp_path: Path):
    _, events = imported(csv(tmp_path, line(1, day="2018-07-05")))
    assert events[0].begins == int(dt.datetime(2018, 7, 5, 13, 31, tzinfo=dt.UTC).timestamp()) * NS


def test_of_several_roots_one_can_be_chosen(tmp_path: Path):
    lines = [line(1, root="SPX"), line(1, root="SPXW"), line(2, root="SPXW")]
    _, events = imported(csv(tmp_path, *lines))
    assert [c.root for c in events[1].contracts] == ["SPX", "SPXW"]
    _, events = imported(csv(tmp_path, *lines), root="SPXW", force=True)
    assert [c.root for c in events[1].contracts] == ["SPXW"]
    with pytest.raises(InputError, match="no options of root 'XSP'; it has 'SPX', 'SPXW'"):
        imported(csv(tmp_path, *lines), root="XSP", force=True)


def test_adjusted_options_are_left_out_and_told(tmp_path: Path):
    summary, events = imported(csv(tmp_path, line(1, root="SPX1"), line(1)))
    assert [c.root for c in events[1].contracts] == ["SPXW"]
    assert summary.warnings == ("options of 'SPX1' are adjusted, FLEX or mini: left out",)


def test_rows_that_say_nothing_or_repeat_are_counted(tmp_path: Path):
    lines = [line(1), line(1, bid=0.5), line(2, strike=0), line(2, right="X"), "^SPX" + "," * 19]
    summary, events = imported(csv(tmp_path, *lines))
    assert summary.warnings == (
        "3 rows name no contract or no time: left out",
        "1 rows repeat a contract and time: the last one taken",
    )
    [quotes] = [event for event in events if isinstance(event, Quotes)]
    assert quotes.bid.tolist() == [0.5]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "holds no rows"),
        ([line(1), line(1, symbol="^VIX")], r"holds 2 underlyings: 'SPX', 'VIX'; a recording"),
        (
            [line(1), line(1, day="2018-01-08")],
            "holds 2 days, 2018-01-05 to 2018-01-08; a recording has one: split the file",
        ),
        ([line(1, root="VIX")], "'VIX' is no option on 'SPX'"),
        ([line(1, root="\x1b[2J")], "is no option root"),
        ([line(1, root="SPX1")], "adjusted, FLEX or mini options only"),
        ([line(1, day="someday")], "no row with a contract and a time"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(tmp_path: Path, lines: list[str], said: str):
    path = csv(tmp_path, *lines)
    with pytest.raises(InputError, match=said) as caught:
        imported(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["bars.csv"]


def test_another_table_is_told_what_it_lacks(tmp_path: Path):
    path = csv(tmp_path, "1,2", header="root,bid")
    with pytest.raises(InputError, match="it lacks underlying_symbol, quote_datetime, expiration"):
        imported(path)


@pytest.mark.parametrize(
    "data", [b"", b"PAR1 but not really", b"PK\x03\x04 nor this", b"\xff\xfe\x00\x01" * 50]
)
def test_other_files_are_told_in_one_line(tmp_path: Path, data: bytes):
    path = tmp_path / "bars.csv"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        imported(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="cannot read"):
        imported(tmp_path / "none.csv")


def test_what_is_there_is_not_overwritten_by_accident(tmp_path: Path):
    path = csv(tmp_path, line(1))
    imported(path)
    with pytest.raises(OutputError, match="exists already"):
        imported(path)
    before = (tmp_path / "out.gexrec").read_bytes()
    with pytest.raises(InputError):
        imported(csv(tmp_path), force=True)
    assert (tmp_path / "out.gexrec").read_bytes() == before


def test_a_real_day_comes_through_whole(tmp_path: Path):
    """Against polars reading the same file on its own: the chain at four moments."""
    source = shared("days/spxw_1min_2018-01-05.parquet")
    out = tmp_path / "day.gexrec"
    summary = import_intervals(source, out, ManualClock(0))
    assert (summary.rows, summary.bars, summary.contracts) == (385_560, 405, 952)
    assert summary.warnings == ()
    assert summary.size < 6_000_000
    table = pl.read_parquet(source)
    with Recording(out) as recording:
        for minute in (1, 60, 200, 405):
            chain = Chain(expiry_of)
            for event in recording.seek(at(minute) + 1):
                chain.apply(event)
            local = dt.datetime(2018, 1, 5, 9, 30) + dt.timedelta(minutes=minute)
            so_far = table.filter(pl.col("quote_datetime") <= local)
            bar = so_far.filter(pl.col("quote_datetime") == local)
            volume = so_far.group_by("expiration", "strike", "option_type").agg(
                pl.col("trade_volume").sum().alias("so_far")
            )
            bar = bar.join(volume, on=["expiration", "strike", "option_type"])
            expected = {
                Contract(r["root"], r["expiration"], Right(r["option_type"]), float(r["strike"])): r
                for r in bar.iter_rows(named=True)
            }
            assert set(chain.contracts) == set(expected)
            rows = [expected[contract] for contract in chain.contracts]
            for name in ("bid", "ask", "bid_size", "ask_size"):
                np.testing.assert_array_equal(chain.column(name), [r[name] for r in rows])
            np.testing.assert_array_equal(chain.column("volume"), [r["so_far"] for r in rows])
            assert np.isnan(chain.column("open_interest")).all()
            assert chain.spot == rows[0]["active_underlying_price"]
        assert recording.ends == at(405)


def test_the_underlying_agrees_with_parity_all_day(tmp_path: Path):
    """Call minus put plus strike, of the at-the-money 0DTE pairs, within two points."""
    source = shared("days/spxw_1min_2018-01-05.parquet")
    out = tmp_path / "day.gexrec"
    import_intervals(source, out, ManualClock(0))
    chain = Chain(expiry_of)
    with Recording(out) as recording:
        for event in recording.events(end=at(390)):
            chain.apply(event)
            if not isinstance(event, Quotes):
                continue
            mid = 0.5 * (chain.column("bid") + chain.column("ask"))
            near = [
                (c.strike, c.right, mid[i])
                for i, c in enumerate(chain.contracts)
                if c.expiry == dt.date(2018, 1, 5) and abs(c.strike - chain.spot) < 15
            ]
            calls = {strike: value for strike, right, value in near if right is Right.CALL}
            puts = {strike: value for strike, right, value in near if right is Right.PUT}
            forward = np.median([k + calls[k] - puts[k] for k in calls])
            assert abs(forward - chain.spot) < 2.0
