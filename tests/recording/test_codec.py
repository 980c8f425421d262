"""Events survive the way into bytes and back; bytes from anywhere do no harm."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import tracemalloc

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import RecordingError, RecordingVersionError
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import (
    ClockTick,
    Definitions,
    Event,
    FeedReport,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    TickMark,
    Trades,
    UnderlyingPrice,
    Volume,
)
from gexterm.recording import codec
from gexterm.recording import columns as packed
from tests.recording.made import INFO, OPEN, contracts, day, quotes, same, trades

TS = st.integers(0, 2**63 - 1)
PRICE = st.floats(allow_infinity=False)
ROOT = st.text(st.characters(codec="ascii", categories=["Lu", "Nd"]), min_size=1, max_size=6)


def columns(rows: int, elements: st.SearchStrategy, dtype: str) -> st.SearchStrategy:
    return st.lists(elements, min_size=rows, max_size=rows).map(lambda v: np.array(v, dtype))


@st.composite
def events(draw: st.DrawFn) -> Event:
    rows = draw(st.integers(0, 20))
    index = columns(rows, st.integers(0, 2**31 - 1), "i4")
    price = columns(rows, PRICE, "f8")
    ts = columns(rows, TS, "i8")
    recv = draw(TS)
    kind = draw(st.integers(0, 10))
    if kind == 0:
        return Quotes(*(draw(c) for c in (index, price, price, price, price, ts)), recv)
    if kind == 1:
        side = columns(rows, st.integers(-1, 1), "i1")
        condition = columns(rows, st.integers(-1, 300), "i2")
        sequence = columns(rows, st.integers(-1, 2**63 - 1), "i8")
        action = columns(rows, st.integers(0, 2), "i1")
        known = (index, price, price, ts, price, price, side, condition, sequence)
        parts = (*known, price, price, action, sequence)
        return Trades(*(draw(c) for c in parts), recv)
    if kind == 2:
        return OpenInterest(draw(index), draw(price), draw(TS), recv)
    if kind == 3:
        return Volume(draw(index), draw(price), draw(TS), recv)
    if kind == 4:
        return UnderlyingPrice(draw(PRICE), draw(TS), recv)
    if kind == 5:
        return ClockTick(draw(TS))
    if kind == 6:
        strike = st.floats(0, 1e9, exclude_min=True)
        contract = st.builds(Contract, ROOT, st.dates(), st.sampled_from(Right), strike)
        listed = draw(st.lists(contract, max_size=10))
        return Definitions(draw(st.integers(0, 10**6)), tuple(listed), recv)
    if kind == 7:
        detail = st.dictionaries(ROOT, st.one_of(st.booleans(), st.floats(0, 1), ROOT), max_size=3)
        return FeedStatus(draw(st.sampled_from(["live", "ended"])), draw(ROOT), draw(detail))
    if kind == 8:
        return TickMark(draw(TS), draw(st.integers(1, 2**63 - 1)))
    if kind == 9:
        counts = [draw(st.integers(0, 2**63 - 1)) for _ in range(8)]
        skew = draw(st.floats(allow_infinity=False))
        listed = [draw(st.integers(0, 10**6)) for _ in range(3)]
        notes = tuple(draw(st.lists(ROOT, max_size=4)))
        away = draw(st.floats(0, 1e9))
        return FeedReport(*counts, away, skew, *listed, draw(ROOT), draw(TS), notes, recv)
    mode = draw(st.sampled_from(["live", "simulated"]))
    return SourceInfo(draw(ROOT), draw(ROOT), mode, 900.0, draw(ROOT), draw(TS), draw(TS))


@settings(max_examples=150, deadline=None)
@given(events(), TS)
def test_every_event_comes_back_as_it_was(event: Event, time: int):
    [(back_time, back)] = codec.decode_all(codec.encode(event, time))
    assert back_time == time
    assert same(event, back)


def test_frames_in_a_row_come_back_in_order():
    stream = day(minutes=1)
    data = b"".join(codec.encode(event, i) for i, event in enumerate(stream))
    back = codec.decode_all(data)
    assert [time for time, _ in back] == list(range(len(stream)))
    assert all(same(a, b) for a, (_, b) in zip(stream, back, strict=True))


def test_contracts_keep_root_date_right_and_strike_apart():
    third_friday = dt.date(2018, 1, 19)
    listed = (
        Contract("SPX", third_friday, Right.CALL, 2700.0),
        Contract("SPXW", third_friday, Right.CALL, 2700.0),
        Contract("SPXW", third_friday, Right.PUT, 2702.5),
    )
    [(_, back)] = codec.decode_all(codec.encode(Definitions(5, listed, 7), 7))
    assert isinstance(back, Definitions)
    assert back.contracts == listed
    assert (back.first, back.recv) == (5, 7)


def test_what_is_decoded_does_not_hold_the_whole_message_alive():
    [(_, back)] = codec.decode_all(codec.encode(quotes(np.random.default_rng(1), 9, 40, OPEN), 1))
    assert isinstance(back, Quotes)
    assert back.contract.flags.aligned
    assert back.bid.flags.aligned


def test_a_batch_too_large_for_a_frame_is_split_without_loss():
    rows = codec.MAX_ROWS * 2 + 17
    batch = quotes(np.random.default_rng(1), 5000, rows, OPEN)
    with pytest.raises(ValueError, match="at most"):
        codec.encode(batch, 1)
    parts = list(codec.split(batch))
    assert [codec.rows(part) for part in parts] == [codec.MAX_ROWS, codec.MAX_ROWS, 17]
    back = [codec.decode_all(codec.encode(part, 1))[0][1] for part in parts]
    for name in ("contract", "bid", "ts"):
        whole = np.concatenate([getattr(part, name) for part in back])
        np.testing.assert_array_equal(whole, getattr(batch, name))
    assert {part.recv for part in back} == {batch.recv}


@pytest.mark.parametrize("kind", [Trades, Volume, OpenInterest, Definitions])
def test_splitting_keeps_every_kind_whole(kind: type, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(codec, "MAX_ROWS", 3)
    rng = np.random.default_rng(2)
    whole: dict[type, Event] = {
        Trades: trades(rng, 9, 8, OPEN),
        Volume: Volume(np.arange(8, dtype=np.int32), np.arange(8.0), 5, 6),
        OpenInterest: OpenInterest(np.arange(8, dtype=np.int32), np.arange(8.0), 5, 6),
        Definitions: Definitions(2, contracts(8), 9),
    }
    parts = list(codec.split(whole[kind]))
    assert [codec.rows(part) for part in parts] == [3, 3, 2]
    if kind is Definitions:
        assert [part.first for part in parts] == [2, 5, 8]
        assert sum((part.contracts for part in parts), ()) == contracts(8)
    else:
        joined = np.concatenate([part.contract for part in parts])
        np.testing.assert_array_equal(joined, whole[kind].contract)


def test_a_replay_follows_receipt_and_falls_back_on_the_exchange():
    batch = quotes(np.random.default_rng(1), 9, 4, OPEN)
    assert codec.event_time(batch) == OPEN
    assert codec.event_time(dataclasses.replace(batch, recv=0)) == int(batch.ts.max())
    assert codec.event_time(UnderlyingPrice(1.0, 5, 0)) == 5
    assert codec.event_time(ClockTick(9)) == 9
    assert codec.event_time(FeedStatus("live")) == 0
    assert codec.event_time(INFO) == 0


FRAME = codec.encode(trades(np.random.default_rng(1), 9, 4, OPEN), OPEN)


@pytest.mark.parametrize("cut", range(1, len(FRAME)))
def test_a_frame_cut_anywhere_is_an_error(cut: int):
    with pytest.raises(RecordingError):
        codec.decode_all(FRAME[:cut])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_altered_bytes_are_an_event_or_an_error_and_never_a_crash(data: st.DataObject):
    stream = b"".join(codec.encode(event, 0) for event in day(minutes=0.1, count=6, rows=17))
    stream += codec.encode(INFO, 0) + codec.encode(FeedStatus("live", "x", {"a": 1.0}), 0)
    stream += codec.encode(TickMark(OPEN, 100), 0)
    stream += codec.encode(FeedReport(5, notes=("a", "b"), window="w", recv=9), 0)
    raw = bytearray(stream)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    try:
        for _, event in codec.decode_all(bytes(raw)):
            if isinstance(event, Quotes | Trades | Volume | OpenInterest):
                assert not len(event.contract) or event.contract.min() >= 0
    except RecordingError:
        pass


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_from_anywhere_are_events_or_an_error(data: bytes):
    with contextlib.suppress(RecordingError):
        codec.decode_all(data)


def head(kind: int, count: int, length: int, version: int = codec.CODEC_VERSION) -> bytes:
    return codec._HEAD.pack(kind, version, 0, count, length, 0, 0, 0)


@pytest.mark.parametrize("kind", range(1, 12))
@pytest.mark.parametrize("count", [100, codec.MAX_ROWS, codec.MAX_ROWS + 1, 2**32 - 1])
def test_a_claim_of_many_rows_allocates_nothing(kind: int, count: int):
    body = b"\x01" * 60
    tracemalloc.start()
    with pytest.raises(RecordingError):
        codec.decode_all(head(kind, count, len(body)) + body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000


def test_a_claim_of_many_bytes_is_refused():
    with pytest.raises(RecordingError, match="more than there are"):
        list(codec.frames(head(2, 0, 2**32 - 1)))


def test_another_codec_says_which():
    with pytest.raises(RecordingVersionError, match="version 9, this program reads 1"):
        codec.decode_all(head(7, 0, 8, version=9) + bytes(8))


def test_contracts_below_zero_are_refused_before_they_index_from_the_end():
    event = Volume(np.array([-1], np.int32), np.array([5.0]), 0, 0)
    with pytest.raises(RecordingError, match="names contract -1"):
        codec.decode_all(codec.encode(event, 0))


def test_unequal_columns_are_our_own_mistake():
    event = Volume(np.array([1, 2], np.int32), np.array([5.0]), 0, 0)
    with pytest.raises(ValueError, match="shape"):
        codec.encode(event, 0)


@pytest.mark.parametrize("root", ["", "A\x1b[2J", "A" * 65, "SPX\n", "SP\u202eX"])
def test_a_root_that_could_upset_a_terminal_is_neither_written_nor_read(root: str):
    contract = Contract(root, dt.date(2018, 1, 5), Right.CALL, 2700.0)
    with pytest.raises(RecordingError, match="is no name"):
        codec.encode(Definitions(0, (contract,)), 0)
    body = msgspec.msgpack.encode([0, [[root, 736699, "C", 2700.0]]])
    with pytest.raises(RecordingError, match="is no name"):
        codec.decode_all(head(1, 1, len(body)) + body)


@pytest.mark.parametrize("strike", [0.0, -5.0, float("nan"), float("inf")])
def test_a_strike_that_cannot_be_is_refused(strike: float):
    contract = Contract("SPX", dt.date(2018, 1, 5), Right.CALL, strike)
    with pytest.raises(RecordingError, match="strike"):
        codec.encode(Definitions(0, (contract,)), 0)


@pytest.mark.parametrize(
    "body",
    [
        [0, [["SPX", 0, "C", 1.0]]],
        [0, [["SPX", 99999999, "C", 1.0]]],
        [0, [["SPX", 736699, "X", 1.0]]],
        [-1, [["SPX", 736699, "C", 1.0]]],
        [0, []],
        {"first": 0},
        [0, [[["SPX"], 736699, "C", 1.0]]],
    ],
)
def test_definitions_that_define_nothing_sound_are_refused(body: object):
    packed = msgspec.msgpack.encode(body)
    with pytest.raises(RecordingError):
        codec.decode_all(head(1, 1, len(packed)) + packed)


def test_messages_are_made_safe_to_show():
    status = FeedStatus("live", "hello\x1b[31m\nworld" + "x" * 9999)
    [(_, back)] = codec.decode_all(codec.encode(status, 0))
    assert isinstance(back, FeedStatus)
    assert back.message.startswith(
        "hello\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}world"
    )
    assert len(back.message) == codec.MAX_TEXT


def test_unknown_states_modes_and_sides_are_refused():
    body = msgspec.msgpack.encode(["dancing", "", {}])
    with pytest.raises(RecordingError, match="cannot be 'dancing'"):
        codec.decode_all(head(8, 0, len(body)) + body)
    body = msgspec.msgpack.encode(["SPX", "x", "psychic", 0.0, "", 0, 0])
    with pytest.raises(RecordingError, match="mode"):
        codec.decode_all(head(9, 0, len(body)) + body)
    odd = dataclasses.replace(
        trades(np.random.default_rng(1), 9, 1, OPEN), side=np.array([7], np.int8)
    )
    with pytest.raises(RecordingError, match="side"):
        codec.decode_all(codec.encode(odd, 0))
    with pytest.raises(RecordingError, match="unknown kind 99"):
        codec.decode_all(head(99, 0, 0))


@pytest.mark.parametrize(
    "wrong", [{"contract": [-1]}, {"side": [2]}, {"action": [3]}, {"action": [-1]}]
)
def test_what_no_reader_would_take_is_not_written(wrong: dict[str, list[int]]) -> None:
    columns = {"contract": [0], "price": [1.0], "size": [1.0], "ts": [1], **wrong}
    with pytest.raises(RecordingError):
        codec.encode(Trades.of(**columns), 1)


def test_marks_and_reports_are_no_news_to_older_programs_otherwise() -> None:
    """Only what is new in version 3 is written as such: other recordings stay readable."""
    for event in (*day(minutes=0.1), INFO, FeedStatus("live")):
        assert codec.encode(event, 0)[1] == 2
    assert codec.encode(TickMark(0, 1), 0)[1] == 3
    assert codec.encode(FeedReport(), 0)[1] == 3


@pytest.mark.parametrize("ts, step", [(-1, 5), (5, 0), (5, -1), (-(2**63), 1)])
def test_a_mark_of_no_time_is_neither_written_nor_read(ts: int, step: int) -> None:
    with pytest.raises(RecordingError):
        codec.encode(TickMark(ts, step), 0)
    body = codec._MARKED.pack(ts, step)
    with pytest.raises(RecordingError, match="no Reading"):
        codec.decode_all(head(11, 0, len(body)) + body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": -1},
        {"reconnects": -5},
        {"heard_from": -1},
        {"quoted": -1},
        {"away_s": -1.0},
        {"away_s": float("nan")},
        {"away_s": float("inf")},
        {"skew_s": float("-inf")},
    ],
)
def test_a_report_of_what_cannot_be_is_neither_written_nor_read(wrong: dict[str, float]) -> None:
    with pytest.raises(RecordingError):
        codec.encode(dataclasses.replace(FeedReport(), **wrong), 0)
    good = {name: getattr(FeedReport(), name) for name in codec._Report.__struct_fields__}
    body = msgspec.msgpack.encode(codec._Report(**(good | wrong)))
    with pytest.raises(RecordingError):
        codec.decode_all(head(10, 0, len(body)) + body)


def test_a_report_is_made_safe_to_show_and_bounded() -> None:
    notes = tuple(f"\x1b[2J note {i}" + "x" * 10_000 for i in range(500))
    [(_, event)] = codec.decode_all(codec.encode(FeedReport(window="a\nb", notes=notes), 0))
    assert isinstance(event, FeedReport)
    assert event.window == "a\N{REPLACEMENT CHARACTER}b"
    assert len(event.notes) == 64
    assert all(len(n) <= codec.MAX_TEXT and n.isprintable() for n in event.notes)


@pytest.mark.parametrize("body", [b"", b"\xc0", b"\x90", b"\x91\x01", b"\xdd\xff\xff\xff\xff"])
def test_a_report_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(RecordingError):
        codec.decode_all(head(10, 0, len(body)) + body)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 60).flatmap(
        lambda rows: st.lists(
            st.lists(
                st.one_of(PRICE, st.integers(-(10**7), 10**7).map(lambda i: i / 100)),
                min_size=rows,
                max_size=rows,
            ),
            min_size=1,
            max_size=5,
        )
    )
)
def test_columns_packed_together_are_what_they_are_packed_alone(table: list[list[float]]) -> None:
    arrays = [np.array(column) for column in table]
    assert packed.pack_floats(arrays) == [packed.pack(column) for column in arrays]
