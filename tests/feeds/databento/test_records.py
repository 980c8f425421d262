"""Real records of OPRA's, row by row; and a stream cut anywhere is the same stream."""

from __future__ import annotations

import itertools

import databento_dbn as dbn
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.feeds.databento import records
from gexterm.feeds.databento.listing import Listing, OpenInterests, agrees
from gexterm.feeds.databento.records import Framer, Run
from gexterm.feeds.retry import PassingError
from tests.feeds.databento.made import CALL, NOON, PUT
from tests.shared_data import shared
from tests.venues import databento as venue

NAN = float("nan")


def stream(name: str) -> tuple[dbn.Metadata, bytes, list[object]]:
    """Head, body and the vendor's own reading of a file."""
    packed = shared(f"feeds/databento/{name}.dbn.zst").read_bytes()
    unpacked = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
    data = unpacked.read()
    size = 8 + int.from_bytes(data[4:8], "little")
    decoder = dbn.DBNDecoder()
    decoder.write(data)
    head, *told = decoder.decode()
    assert isinstance(head, dbn.Metadata)
    return head, data[size:], told


def runs(body: bytes) -> list[Run]:
    return list(Framer().take(body))


def rows(body: bytes, layout: np.dtype[np.void] = records.TOP) -> records.Rows:
    return np.concatenate([run.rows(layout) for run in runs(body)])


def columns(body: bytes, sampled: bool) -> list[tuple[float, ...]]:
    found = rows(body)
    book = records.book(found)
    table = [found["instrument"], records.when(found, sampled), *book]
    return [
        tuple(float(c[i]) if c.dtype.kind == "f" else int(c[i]) for c in table)
        for i in range(len(found))
    ]


def same(told: list[tuple[float, ...]], expected: list[tuple[float, ...]]) -> None:
    assert len(told) == len(expected)
    for row, wanted in zip(told, expected, strict=True):
        np.testing.assert_array_equal(row, wanted)


def test_the_quote_of_a_second_is_dated_by_the_end_of_the_second() -> None:
    _, body, _ = stream("OPRA.PILLAR.test_data.cbbo-1s")
    same(
        columns(body, sampled=True),
        [
            (16783963, 1740056401000000000, NAN, NAN, NAN, NAN),
            (16783963, 1740061801000000000, 0.1, 0.25, 1.0, 4.0),
            (16783963, 1740061802000000000, 0.18, 0.21, 5.0, 51.0),
            (16783963, 1740061803000000000, 0.22, 0.24, 9.0, 13.0),
        ],
    )


def test_the_quote_of_a_minute_is_dated_by_the_end_of_the_minute() -> None:
    _, body, _ = stream("OPRA.PILLAR.test_data.cbbo-1m")
    same(
        columns(body, sampled=True),
        [
            (16783963, 1740056460000000000, NAN, NAN, NAN, NAN),
            (16783963, 1740061860000000000, 0.32, 0.34, 104.0, 132.0),
            (16783963, 1740061920000000000, 0.43, 0.45, 1.0, 135.0),
            (16783963, 1740061980000000000, 0.34, 0.36, 62.0, 79.0),
        ],
    )


def test_every_change_of_the_best_quote_is_dated_by_its_event() -> None:
    _, body, _ = stream("nautilus_test_data.cmbp-1")
    same(
        columns(body, sampled=False),
        [
            (5482, 1609160400006001487, 3720.25, 3720.5, 24.0, 11.0),
            (5482, 1609160400006146661, 3720.25, 3720.5, 24.0, 12.0),
        ],
    )


def test_prints_with_the_quote_before_them() -> None:
    _, body, _ = stream("OPRA.PILLAR.test_data.tbbo")
    found = rows(body)
    assert (found["action"] == records.TRADE).all()
    assert records.price(found["price"]).tolist() == [0.24, 0.2, 0.19, 0.19]
    assert records.size(found["size"]).tolist() == [1, 2, 1, 4]
    assert found["publisher"].tolist() == [23, 26, 26, 37]
    assert found["sequence"].tolist() == [713382, 882595, 887133, 921205]
    same(
        columns(body, sampled=False),
        [
            (16783963, 1740061800817657088, 0.24, 0.25, 1.0, 4.0),
            (16783963, 1740061801631777024, 0.18, 0.22, 3.0, 3.0),
            (16783963, 1740061801644682240, 0.18, 0.22, 3.0, 3.0),
            (16783963, 1740061801745517312, 0.19, 0.21, 4.0, 4.0),
        ],
    )


def test_prints_alone() -> None:
    _, body, _ = stream("OPRA.PILLAR.test_data.trades")
    found = rows(body, records.PRINT)
    assert (found["rtype"] == records.MBP_0).all()
    assert records.price(found["price"]).tolist() == [0.24, 0.2, 0.19, 0.19]
    assert records.size(found["size"]).tolist() == [1, 2, 1, 4]
    assert records.when(found, sampled=False).tolist() == [
        1740061800817657088,
        1740061801631777024,
        1740061801644682240,
        1740061801745517312,
    ]


def test_no_print_of_opra_says_who_began() -> None:
    for name, layout in (("tbbo", records.TOP), ("trades", records.PRINT)):
        _, body, _ = stream(f"OPRA.PILLAR.test_data.{name}")
        assert set(rows(body, layout)["side"].tolist()) == {ord("N")}


def test_a_regional_quote_and_its_consolidated_repeat_count_once() -> None:
    _, body, _ = stream("OPRA.PILLAR.test_data.mbp-1")
    found = rows(body)
    assert found["sequence"].tolist() == [323896, 323896, 326441, 326657]
    assert records.best_of_all(found)["sequence"].tolist() == [323896]


def test_open_interest_is_told_once_and_not_once_per_exchange() -> None:
    _, body, _ = stream("OPRA.PILLAR.test_data.statistics")
    found = rows(body, records.STATISTIC)
    assert found["publisher"].tolist() == [37, 31, 23, 24]
    assert found["quantity"].tolist() == [57924] * 4
    interest = OpenInterests()
    (event,) = interest.take(found, np.zeros(4, np.int64), 1, 7)
    assert event.contract.tolist() == [0]
    assert event.open_interest.tolist() == [57924.0]
    assert event.ts == 1740051008943644160
    assert interest.take(found, np.zeros(4, np.int64), 1, 7) == []
    assert interest.contradicted == 0


def test_a_definition_expires_on_the_date_in_utc() -> None:
    _, body, (record,) = stream("OPRA.PILLAR.test_data.definition")
    assert isinstance(record, dbn.InstrumentDefMsg)
    assert [run.types.tolist() for run in runs(body)] == [[records.DEFINITION]]
    contract = Listing(["AAPL"]).contract(record.raw_symbol)
    assert contract is not None
    assert (contract.root, contract.expiry.isoformat(), contract.right, contract.strike) == (
        "AAPL",
        "2025-02-21",
        "C",
        250.0,
    )
    assert agrees(contract, str(record.instrument_class), record.strike_price, record.expiration)


def test_real_definitions_agree_with_their_symbols() -> None:
    _, body, told = stream("nautilus_definition-opra")
    definitions = [each for each in told if isinstance(each, dbn.InstrumentDefMsg)]
    assert len(definitions) == sum(run.count for run in runs(body)) > 0
    roots = {each.raw_symbol[:6].strip() for each in definitions}
    listing = Listing(roots)
    for each in definitions:
        contract = listing.contract(each.raw_symbol)
        assert contract is not None
        assert agrees(contract, str(each.instrument_class), each.strike_price, each.expiration)


def test_a_real_live_session_is_cut_as_the_vendors_decoder_cuts_it() -> None:
    _, body, told = stream("LIVE.test_data.live")
    ours = [(int(t), run.size) for run in runs(body) for t in run.types]
    theirs = [(int(each.rtype.value), each.record_size()) for each in told]  # type: ignore[attr-defined]
    assert [t for t, _ in ours] == [t for t, _ in theirs]
    assert sum(size for _, size in ours) == len(body)


@pytest.mark.parametrize("name", ["cbbo-1s", "cbbo-1m", "tbbo", "mbp-1", "trades", "statistics"])
def test_every_number_is_the_vendors(name: str) -> None:
    _, body, told = stream(f"OPRA.PILLAR.test_data.{name}")
    layout = {"trades": records.PRINT, "statistics": records.STATISTIC}.get(name, records.TOP)
    theirs = {"instrument": "instrument_id", "publisher": "publisher_id", "price": "price"}
    if layout is records.TOP:
        theirs |= {"bid": "bid_px_00", "ask": "ask_px_00", "bid_size": "bid_sz_00"}
        theirs |= {"ask_size": "ask_sz_00", "ts_recv": "ts_recv", "flags": "flags"}
    for ours, record in zip(rows(body, layout), told, strict=True):
        for field, attribute in theirs.items():
            assert int(ours[field]) == int(getattr(record, attribute)), field


def body() -> bytes:
    items = [
        venue.tcbbo(CALL, 1000, NOON, 12.3, 5, (12.2, 12.4)),
        venue.cbbo(CALL, 1000, NOON, 12.2, 12.4),
        venue.cbbo(PUT, 1001, NOON, 11.2, 11.4),
        venue.definition(PUT, 1001, NOON),
        venue.statistic(PUT, 1001, NOON, 77),
    ]
    return b"".join(
        [
            venue.mapping("SPXW.OPT", CALL, 1000),
            *(i.data for i in items),
            venue.system("still here"),
        ]
    )


@settings(max_examples=60)
@given(cuts=st.lists(st.integers(0, len(body())), max_size=12))
def test_a_stream_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    whole = body()
    framer = Framer()
    edges = [0, *sorted(cuts), len(whole)]
    pieces = [
        run.data[run.at : run.at + run.size * run.count]
        for begin, end in itertools.pairwise(edges)
        for run in framer.take(whole[begin:end])
    ]
    assert b"".join(pieces) == whole


@pytest.mark.parametrize("length", [0, 1, 3])
def test_where_no_record_can_begin_the_stream_is_given_up(length: int) -> None:
    with pytest.raises(PassingError):
        list(Framer().take(bytes([length]) + bytes(100)))


def test_sentinels_are_not_given_and_nonsense_is_not_either() -> None:
    raw = np.array([venue.NO_PRICE, -1, 0, 12_300_000_000, 2**62], np.int64)
    np.testing.assert_array_equal(records.price(raw), [NAN, NAN, 0.0, 12.3, NAN])
    sizes = np.array([0, 7, 2**32 - 1], np.uint32)
    np.testing.assert_array_equal(records.size(sizes), [0.0, 7.0, NAN])


def test_a_time_that_is_not_given_is_unknown_and_a_doubtful_receipt_is_too() -> None:
    items = [
        venue.cbbo(CALL, 1, NOON, 1.0, 2.0),
        venue.cbbo(CALL, 1, NOON, 1.0, 2.0, flags=records.BAD_TS_RECV),
    ]
    found = rows(b"".join(item.data for item in items))
    assert records.when(found, sampled=True).tolist() == [NOON, 0]
    event = rows(venue.tcbbo(CALL, 1, venue.NEVER - 200_000, 1.0, 1, (0.9, 1.1)).data)
    assert records.when(event, sampled=False).tolist() == [0]


def test_an_offer_of_nothing_is_none_and_a_bid_of_nothing_is_a_zero_bid() -> None:
    bid, ask, bid_size, ask_size = records.book(rows(venue.cbbo(CALL, 1, NOON, 0.0, 0.0).data))
    assert (bid[0], bid_size[0]) == (0.0, 10.0)
    assert np.isnan(ask[0])
    assert np.isnan(ask_size[0])
