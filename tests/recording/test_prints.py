"""Cboe DataShop trade files: what is read, what is left out and said, what is taken back."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gexterm.dealers.conditions import ConditionClass, classes
from gexterm.dealers.tape import Tape
from gexterm.errors import InputError
from gexterm.market.contracts import Contract, Right, Settlement
from gexterm.market.events import CANCEL, NEW, Definitions, SourceInfo, Trades, UnderlyingPrice
from gexterm.market.roots import root_spec
from gexterm.recording.prints import PrintsFile, read_prints
from tests.shared_data import shared

HEADER = (
    "underlying_symbol,quote_datetime,sequence_number,root,expiration,strike,option_type,"
    "exchange_id,trade_size,trade_price,trade_condition_id,canceled_trade_condition_id,best_bid,"
    "best_ask,underlying_bid,underlying_ask,number_of_exchanges,"
    "{exchange,bid_size,bid,ask_size,ask}[number_of_exchanges]"
)
NEW_YORK = dt.timedelta(hours=4)


def line(
    sequence=1, time="10:00:00.125", root="VIX", expiry="2016-06-15", strike="16.000", right="C",
    size="5", price="1.0500", condition="0", cancel="0", bid="1.0000", ask="1.1000",
    under="14.7500,14.8500", tail="1,5,10,1.0000,20,1.1000", symbol="^VIX", day="2016-06-01",
) -> str:  # fmt: skip
    named = f"{symbol},{day} {time},{sequence},{root},{expiry},{strike},{right},5,{size},{price}"
    return f"{named},{condition},{cancel},{bid},{ask},{under},{tail}"


@pytest.fixture
def read(tmp_path):
    def write_and_read(*lines: str, header: str = HEADER, end: str = "\n", **more) -> PrintsFile:
        path = tmp_path / "prints.csv"
        path.write_text(end.join([header, *lines]) + end)
        return read_prints(path, **more)

    return write_and_read


def test_a_print_has_its_contract_time_and_quote(read):
    file = read(line(sequence=77, condition="35"))
    expected = Contract("VIX", dt.date(2016, 6, 15), Right.CALL, 16.0)
    assert (file.definitions.first, file.definitions.contracts) == (0, (expected,))
    trades = file.trades
    when = dt.datetime(2016, 6, 1, 10, 0, 0, 125_000, dt.UTC) + NEW_YORK
    assert trades.ts[0] == round(when.timestamp() * 1000) * 1_000_000
    assert (trades.price[0], trades.size[0], trades.sequence[0]) == (1.05, 5.0, 77)
    assert (trades.bid[0], trades.ask[0]) == (1.0, 1.1)
    assert (trades.bid_size[0], trades.ask_size[0]) == (10.0, 20.0)
    assert (trades.condition[0], trades.action[0], trades.refers[0]) == (35, NEW, -1)
    assert trades.side[0] == 0
    np.testing.assert_allclose(file.underlying, [14.8])
    assert file.info.conditions == "cboe-datashop"
    assert (file.info.underlying, file.info.mode) == ("VIX", "file")
    assert file.warnings == () and file.rows == 1


def test_sizes_are_of_all_exchanges_at_the_best_price(read):
    tail = "3,5,10,1.0000,20,1.1500,6,7,1.0000,8,1.1000,7,99,0.9500,9,1.1000"
    trades = read(line(tail=tail)).trades
    assert (trades.bid_size[0], trades.ask_size[0]) == (17.0, 17.0)


@pytest.mark.parametrize("tail", ["", "0", ","])
def test_without_exchanges_sizes_are_not_known(read, tail):
    file = read(line(tail=tail))
    assert np.isnan(file.trades.bid_size[0]) and np.isnan(file.trades.ask_size[0])
    assert file.trades.bid[0] == 1.0 and file.warnings == ()


def test_a_line_that_lacks_the_exchanges_it_announces_has_no_sizes(read):
    file = read(line(tail="2,5,10,1.0000,20,1.1000"))
    assert np.isnan(file.trades.bid_size[0]) and file.trades.bid[0] == 1.0
    assert file.warnings == ("1 line with less exchanges than said, sizes unknown, first line 2",)


def test_a_bid_of_nothing_is_a_zero_bid_and_an_offer_of_nothing_is_none(read):
    trades = read(
        line(1, bid="0.0000", tail="1,5,0,0.0000,20,1.1000"),
        line(2, ask="0.0000", tail="1,5,10,1.0000,0,0.0000"),
        line(3, bid="0.0000", ask="0.0000", tail="0"),
    ).trades
    np.testing.assert_array_equal(trades.bid, [0.0, 1.0, np.nan])
    np.testing.assert_array_equal(trades.ask, [1.1, np.nan, np.nan])
    np.testing.assert_array_equal(trades.bid_size, [0.0, 10.0, np.nan])
    np.testing.assert_array_equal(trades.ask_size, [20.0, np.nan, np.nan])


def test_prints_stand_in_order_of_time_then_sequence(read):
    trades = read(
        line(9, "10:00:01.000"),
        line(3, "10:00:02.000"),
        line(7, "10:00:01.000"),
        line(8, "09:30:00"),
    ).trades
    assert trades.sequence.tolist() == [8, 7, 9, 3]
    assert (np.diff(trades.ts) >= 0).all()


def test_a_column_more_does_no_harm(read):
    header = HEADER.replace("best_ask,", "best_ask,trade_iv,trade_delta,")
    file = read(line(ask="1.1000,0.5,0.25"), header=header)
    assert (file.trades.ask[0], file.trades.ask_size[0]) == (1.1, 20.0)
    np.testing.assert_allclose(file.underlying, [14.8])


def test_quotation_marks_line_ends_and_a_byte_order_mark_are_nothing(tmp_path):
    path = tmp_path / "prints.csv"
    cells = ",".join(f'"{cell}"' for cell in line().split(","))
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n{cells}\r\n\r\n".encode())
    file = read_prints(path)
    assert file.trades.ask_size.tolist() == [20.0] and file.warnings == ()


def test_a_zip_of_one_is_read_as_it_is(tmp_path):
    path = tmp_path / "prints.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("prints.csv", f"{HEADER}\n{line()}\n")
    assert read_prints(path).trades.price.tolist() == [1.05]


class TestCancels:
    def test_name_the_print_that_is_marked(self, read):
        file = read(
            line(1, "10:00:00", price="1.05"),
            line(2, "10:01:00", price="1.05", cancel="1"),
            line(3, "10:02:00", price="1.10", cancel="0"),
            line(4, "10:03:00", price="1.05", condition="40", cancel="2"),
        )
        assert file.trades.action.tolist() == [NEW, NEW, NEW, CANCEL]
        assert file.trades.refers.tolist() == [-1, -1, -1, 2]
        assert file.warnings == ()
        tape = Tape()
        tape.take(file.trades, file.info.conditions, 1)
        assert tape.sequence[tape.live()].tolist() == [1, 3]

    def test_of_prints_that_are_not_marked_are_left_to_match(self, read):
        file = read(line(1, "10:00:00"), line(4, "10:03:00", condition="43", cancel="2"))
        assert (file.trades.action[1], file.trades.refers[1]) == (CANCEL, -1)
        tape = Tape()
        tape.take(file.trades, file.info.conditions, 1)
        assert not len(tape.live())

    def test_that_are_missing_are_made_up_and_told(self, read):
        file = read(line(1, cancel="1"), line(2))
        assert file.trades.action.tolist() == [NEW, CANCEL, NEW]
        assert file.trades.refers.tolist() == [-1, 1, -1]
        assert file.warnings == ("1 prints are marked as cancelled without a cancel: taken back",)

    def test_with_a_mark_that_nobody_knows_are_prints_and_told(self, read):
        file = read(line(1, cancel="7"))
        assert file.trades.action.tolist() == [NEW]
        assert "unknown mark of cancellation" in file.warnings[0]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("VIX", "with cells missing left out"),
        (line(time="25:00:00"), "without a readable time left out"),
        (line(day="soon"), "without a readable time left out"),
        (line(right="X"), "that name no contract left out"),
        (line(strike="-1"), "that name no contract left out"),
        (line(strike="nan"), "that name no contract left out"),
        (line(expiry="2016-13-01"), "that name no contract left out"),
        (line(size="many"), "without a readable size, price or sequence left out"),
        (line(price=""), "without a readable size, price or sequence left out"),
        (line(sequence="x"), "without a readable size, price or sequence left out"),
        (line(root="2VIX"), "of '2VIX', whose terms are not known, left out"),
        (line(root="%%"), "of '%%', whose terms are not known, left out"),
    ],
)
def test_a_bad_line_is_left_out_counted_and_named(read, bad, said):
    file = read(line(1), bad, line(3))
    assert file.trades.sequence.tolist() == [1, 3]
    assert file.warnings == (f"1 line {said}, first line 3",)


def test_prices_that_are_none_are_left_for_the_tape_to_refuse(read):
    file = read(line(1), line(2, price="0.0000"), line(3, size="-4"), line(4, price="nan"))
    tape = Tape()
    tape.take(file.trades, file.info.conditions, 1)
    assert len(tape) == 1 and tape.counts["refused"] == 3


def test_a_condition_that_cannot_be_read_is_absent_or_unknown(read):
    codes = read(*(line(n, condition=c) for n, c in enumerate(["", "x", "999999", "-5", "99"])))
    kinds = classes(codes.trades.condition, "cboe-datashop")
    absent, unknown = ConditionClass.ABSENT, ConditionClass.UNKNOWN
    assert kinds.tolist() == [absent, absent, unknown, absent, unknown]


def test_one_root_can_be_asked_for(read):
    file = read(line(1), line(2, root="VIXW"), root="VIXW")
    assert [c.root for c in file.definitions.contracts] == ["VIXW"]
    assert file.trades.sequence.tolist() == [2]


@pytest.mark.parametrize(
    ("lines", "more", "said"),
    [
        ((), {}, "holds no prints"),
        (("nothing",), {}, "holds no prints"),
        ((line(root="2VIX"),), {}, "holds no options whose terms are known"),
        ((line(), line(symbol="^SPX", root="SPX")), {}, "2 underlyings"),
        ((line(symbol="^SPX"),), {}, "no option on"),
        ((line(), line(day="2016-06-02")), {}, "2 days"),
        ((line(),), {"root": "SPXW"}, "no options of root 'SPXW'"),
        ((line(),), {"header": "a,b,c"}, "no Cboe trade file: it lacks underlying_symbol"),
    ],
)
def test_a_file_of_no_use_is_refused_with_the_reason(read, lines, more, said):
    with pytest.raises(InputError, match=said):
        read(*lines, **more)


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe\x80" * 50, b"PK\x03\x04 but no zip"])
def test_what_is_no_such_file_is_refused(tmp_path, content):
    path = tmp_path / "prints.csv"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_prints(path)
    with pytest.raises(InputError, match="cannot read"):
        read_prints(tmp_path / "none.csv")


def test_as_a_feed_it_brings_contracts_then_the_underlying_and_the_prints(read):
    file = read(
        line(1, "10:00:00.100"), line(2, "10:00:00.900"), line(3, "10:00:05", under="0.0,0.0")
    )
    info, definitions, spot, first, second = file.events()
    assert isinstance(info, SourceInfo) and isinstance(definitions, Definitions)
    assert isinstance(spot, UnderlyingPrice) and spot.price == pytest.approx(14.8)
    assert isinstance(first, Trades) and isinstance(second, Trades)
    assert (first.sequence.tolist(), second.sequence.tolist()) == ([1, 2], [3])
    assert first.recv == first.ts[-1]


def real() -> Path:
    return shared("trades/vix_prints_2016-06-01.csv")


class TestRealPrints:
    def test_all_are_read_and_the_cancelled_one_is_taken_back(self):
        file = read_prints(real())
        assert file.rows == len(file.trades.ts) == 2295
        assert file.warnings == ()
        tape = Tape()
        update = tape.take(file.trades, file.info.conditions, len(file.definitions.contracts))
        # One line is a cancel; the print that it takes back is in force no longer.
        assert len(tape) == 2294 and len(update.rows) == len(tape.live()) == 2293
        odd = {k: v for k, v in tape.counts.items() if v}
        assert odd == {"cancelled": 1}
        cancel = int(np.flatnonzero(file.trades.action == CANCEL)[0])
        (dead,) = np.flatnonzero(tape.state)
        assert tape.sequence[dead] == file.trades.refers[cancel]
        for name in ("contract", "price", "size"):
            assert getattr(tape, name)[dead] == getattr(file.trades, name)[cancel]
        assert tape.ts[dead] < file.trades.ts[cancel]

    def test_the_cancel_finds_its_print_by_likeness_too(self):
        trades = read_prints(real()).trades
        unnamed = {n: getattr(trades, n) for n in Trades.__slots__} | {
            "action": np.zeros_like(trades.action),
            "refers": np.full_like(trades.refers, -1),
        }
        tapes = [Tape(), Tape()]
        for tape, batch in zip(tapes, (trades, Trades(**unnamed)), strict=True):
            tape.take(batch, "cboe-datashop", 230)
        np.testing.assert_array_equal(tapes[0].live(), tapes[1].live())

    def test_come_again_and_nothing_changes(self):
        file = read_prints(real())
        tape = Tape()
        contracts = len(file.definitions.contracts)
        for event in file.events():
            if isinstance(event, Trades):
                tape.take(event, file.info.conditions, contracts)
        live = tape.live()
        again = tape.take(file.trades, file.info.conditions, contracts)
        assert again.first == again.end and not len(again.gone)
        np.testing.assert_array_equal(tape.live(), live)
        assert tape.counts["duplicates"] == 2295

    def test_their_contracts_are_known_and_every_quote_is_there_but_one(self):
        file = read_prints(real())
        contracts = file.definitions.contracts
        assert len(contracts) == len(set(contracts)) == 230
        assert {c.root for c in contracts} == {"VIX"}
        assert root_spec("VIX").settlement is Settlement.AM
        trades = file.trades
        for name in ("bid", "ask", "bid_size", "ask_size"):
            assert np.count_nonzero(np.isnan(getattr(trades, name))) == 1
        assert np.count_nonzero(np.isnan(file.underlying)) == 2
        assert (trades.bid[~np.isnan(trades.bid)] < trades.ask[~np.isnan(trades.ask)]).all()
        mid = np.isclose(trades.price, (trades.bid + trades.ask) / 2, atol=1e-9)
        assert mid.mean() == pytest.approx(0.34, abs=0.01)

    def test_a_third_are_legs_of_spreads_and_no_condition_is_unknown(self):
        trades = read_prints(real()).trades
        kinds = classes(trades.condition, "cboe-datashop")
        assert (kinds == ConditionClass.MULTI_ELECTRONIC).sum() == 719
        assert not (kinds == ConditionClass.UNKNOWN).any()
        # Legs of one spread print together: hardly one of them stands alone in its instant.
        _, alike = np.unique(
            trades.ts[kinds == ConditionClass.MULTI_ELECTRONIC], return_counts=True
        )
        assert (alike == 1).sum() <= 10 and (alike == 2).sum() > 250
