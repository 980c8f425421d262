"""The vendor's own client as a program: what it hears from a gateway, one JSON list a record.

    python -m tests.feeds.databento.vendor_client PORT KEY PARENT…

Apart from the tests' process, since it brings threads and loops of its own. Ends when the
gateway hangs up.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import databento as db
import databento_dbn as dbn


def told(record: Any, symbols: dict[int, Any]) -> list[Any] | None:
    """What a record says, in the vendor's names."""
    symbol = symbols.get(record.instrument_id, "")
    if isinstance(record, dbn.InstrumentDefMsg):
        return [
            "definition",
            record.raw_symbol,
            str(record.instrument_class),
            record.pretty_strike_price,
            record.expiration,
        ]
    if isinstance(record, dbn.StatMsg):
        return ["statistics", symbol, int(record.stat_type), record.quantity, record.ts_event]
    if isinstance(record, dbn.CMBP1Msg | dbn.CBBOMsg | dbn.MBP1Msg):
        level = record.levels[0]
        book = [level.pretty_bid_px, level.pretty_ask_px, level.bid_sz, level.ask_sz]
        times = [record.ts_event, record.ts_recv]
        kind = {0xC2: "tcbbo", 0xC0: "cbbo-1s", 0xC1: "cbbo-1m"}.get(record.rtype.value, "other")
        return [kind, symbol, *times, record.pretty_price, record.size, *book, str(record.side)]
    return None


def main(port: int, key: str, parents: list[str]) -> None:
    client = db.Live(key=key, gateway="127.0.0.1", port=port)
    for schema in ("definition", "statistics", "cbbo-1m", "tcbbo", "cbbo-1s"):
        client.subscribe("OPRA.PILLAR", schema, parents, "parent", 0)

    def hear(record: Any) -> None:
        line = told(record, client.symbology_map)
        if line is not None:
            sys.stdout.write(json.dumps(line) + "\n")

    # Iterating over the client would miss what comes right after the start.
    client.add_callback(hear)
    client.start()
    client.block_for_close()
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
