"""Databento's records to columns, a burst of 100,000 a second flushed every 50 ms.

Decoding is what the vendor's decoder does (an object a record) and reading the fields of
its objects that a quote or a print needs; the other side is everything of ours: cutting
the stream, contracts from ids, conflation of quotes, numbers for prints, columns. Prints alone,
each of which is looked up so that none counts twice, are shown without a goal: there are
thousands a second of them at most.
"""

from __future__ import annotations

from operator import attrgetter

import databento_dbn as dbn
import numpy as np

from benchmarks.harness import Row, at_most, medians
from gexterm.clock import NS
from gexterm.feeds.databento import make, records
from gexterm.feeds.databento.protocol import DatabentoProtocol
from gexterm.feeds.databento.tape import Tape
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import FeedOptions

_CONTRACTS = 20_000
_RECORDS = 100_000
_FRAME = 1 << 16
_FLUSHED = 5_000
_NOW = 1_763_658_000 * NS


needed = attrgetter(
    "instrument_id",
    "ts_event",
    "ts_recv",
    "price",
    "size",
    "bid_px_00",
    "ask_px_00",
    "bid_sz_00",
    "ask_sz_00",
)
"""What a quote or a print is made of."""


def _symbols() -> list[str]:
    return [
        f"SPXW  2512{day:02d}{right}{strike * 1000:08d}"
        for day in range(1, 26)
        for strike in range(4000, 6000, 5)
        for right in "CP"
    ][:_CONTRACTS]


def _session() -> DatabentoProtocol:
    made = make("SPX", {"key": Secret("db-benchmark-benchmark-000000000")}, FeedOptions())
    if not isinstance(made, DatabentoProtocol):
        raise TypeError("that is no session of Databento's")
    made.on_open(_NOW)
    made.receive(b"lsg_version=0.7.2\ncram=abc\nsuccess=1|session_id=17\n", _NOW)
    head = dbn.Metadata("OPRA.PILLAR", 0, None, dbn.SType.INSTRUMENT_ID, None, version=3)
    made.receive(bytes(head), _NOW)
    told = [
        bytes(
            dbn.SymbolMappingMsg(
                0, i, 1, dbn.SType.PARENT, "SPXW.OPT", dbn.SType.INSTRUMENT_ID, symbol, 0, 0
            )
        )
        for i, symbol in enumerate(_symbols(), 16_000_000)
    ]
    made.receive(b"".join(told), _NOW)
    made.flush()
    return made


def _stream(prints: float) -> bytes:
    """Quotes of random contracts, and a part of prints among them."""
    rng = np.random.default_rng(7)
    rows = np.zeros(_RECORDS, records.TOP)
    is_print = rng.random(_RECORDS) < prints
    rows["length"] = records.TOP.itemsize // 4
    rows["rtype"] = np.where(is_print, records.TCBBO, records.CBBO_1S)
    rows["publisher"] = 30
    rows["instrument"] = 16_000_000 + rng.integers(0, _CONTRACTS, _RECORDS)
    rows["ts_event"] = rows["ts_recv"] = _NOW + np.arange(_RECORDS) * 10_000
    rows["action"], rows["side"] = ord("T"), ord("N")
    rows["price"] = rows["bid"] = rng.integers(1, 1000, _RECORDS) * 50_000_000
    rows["ask"] = rows["bid"] + 100_000_000
    rows["size"] = rows["bid_size"] = rows["ask_size"] = rng.integers(1, 100, _RECORDS)
    return rows.tobytes()


def run() -> list[Row]:
    """Nanoseconds a record, and ours against decoding."""
    out = []
    for name, prints in (("quotes", 0.0), ("one print in ten", 0.1), ("prints", 1.0)):
        data = _stream(prints)
        frames = [data[at : at + _FRAME] for at in range(0, len(data), _FRAME)]
        every = max(1, _FLUSHED * records.TOP.itemsize // _FRAME)

        def bare(frames: list[bytes] = frames) -> None:
            decoder = dbn.DBNDecoder(has_metadata=False, input_version=3)
            for frame in frames:
                decoder.write(frame)
                decoder.decode()

        def decoded(frames: list[bytes] = frames) -> None:
            decoder = dbn.DBNDecoder(has_metadata=False, input_version=3)
            for frame in frames:
                decoder.write(frame)
                for record in decoder.decode():
                    needed(record)

        session = _session()

        def ours(
            frames: list[bytes] = frames, session: DatabentoProtocol = session, every: int = every
        ) -> None:
            session._gathering.tape = Tape()  # else the second round's prints were all repeats
            for i, frame in enumerate(frames):
                session.receive(frame, _NOW)
                if i % every == 0:
                    session.flush()
            session.flush()

        took = medians({"bare": bare, "decoded": decoded, "ours": ours}, runs=5, warmup=1)
        each = {side: seconds / _RECORDS * 1e9 for side, seconds in took.items()}
        out += [
            Row(f"{name}: vendor's objects", each["bare"], "ns"),
            Row(f"{name}: vendor's objects, fields read", each["decoded"], "ns"),
            Row(f"{name}: stream to columns, flush included", each["ours"], "ns"),
        ]
        ratio = took["ours"] / took["decoded"]
        named = f"{name}: ours against decoding"
        out.append(Row(named, ratio, "x") if prints == 1.0 else at_most(named, ratio, 0.5, "x"))
    return out
