"""Cboe's delayed quotes (JSON), from a file or from a poll of its address.

    {"timestamp": "2026-10-09 16:10:13", "symbol": "_SPX",
     "data": {"current_price": …, "last_trade_time": "2026-10-09T11:55:00", …,
              "options": [{"option": "SPXW261120C06600000", "bid": …, "ask": …,
                           "bid_size": …, "ask_size": …, "open_interest": …, "volume": …}, …]}}

The format is not documented by Cboe. `timestamp` is read as UTC, `last_trade_time` as New
York without saying so, and the one is held against the other. SPX and SPXW come
together. The page's own IV and greeks are not read.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec

from gexterm.clock import NS
from gexterm.errors import InputError
from gexterm.market import calendar
from gexterm.market.contracts import Contract
from gexterm.market.roots import printable
from gexterm.market.symbols import parse_many
from gexterm.recording.chains.asof import (
    asked_note,
    clock_text,
    late_note,
    parse_at,
    quotes_as_of,
)
from gexterm.recording.chains.build import Columns, Header, Problems, build, number
from gexterm.recording.chains.model import ChainFile

_SKEW = 60 * NS
"""How far the page's clock may be behind its last trade before its zone is doubted."""


def read(data: bytes, name: str, at: int | str | None = None) -> ChainFile:
    """Delayed quotes as a chain. `at` overrides the page's own time: ns, or text.

    Raises InputError where it is no such JSON or has no time, ChainError where nothing
    can be computed.
    """
    page = _load(data, name)
    body = page.get("data")
    if not isinstance(body, dict) or not isinstance(body.get("options"), list):
        raise InputError(f"{name} is JSON, but no page of Cboe's delayed quotes: no data.options")
    notes: list[str] = []
    last_trade = _naive(body.get("last_trade_time"), calendar.NEW_YORK)
    stamp = _stamp(page.get("timestamp"), last_trade, notes)
    asked = parse_at(at, calendar.et(stamp).date() if stamp is not None else None)
    if asked is not None:
        as_of, delay_s, note = asked, 0.0, asked_note(asked)
    elif stamp is not None:
        as_of, delay_s = quotes_as_of(stamp)
        note = late_note(stamp, as_of, "delayed quotes")
    else:
        raise InputError(
            f"{name} does not say when it was made: its timestamp reads "
            f"{printable(page.get('timestamp'))}",
            "give the time with --at, e.g. --at '2022-07-12 11:40'",
        )
    spot = number(body.get("current_price"))
    if not spot > 0:
        bid, ask = number(body.get("bid")), number(body.get("ask"))
        spot = (bid + ask) / 2 if 0 < bid <= ask else float("nan")
    header = Header(
        name=name,
        source="cboe-delayed",
        as_of=as_of,
        quoted_at=clock_text(stamp) if stamp is not None else "",
        delay_s=delay_s,
        note=note,
        spot=spot,
    )
    problems = Problems("option")
    return build(header, _columns(body["options"], problems), problems, notes)


def _load(data: bytes, name: str) -> dict[str, Any]:
    try:
        page = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Python's own reader takes a bare NaN, which JSON does not know but pages have.
        try:
            page = json.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            text = str(error).partition(":")[0] if isinstance(error, json.JSONDecodeError) else ""
            place = (
                f" (byte {error.pos}: {text})" if isinstance(error, json.JSONDecodeError) else ""
            )
            raise InputError(
                f"{name} is no complete JSON{place}", "it may have been cut short: fetch it again"
            ) from None
    if not isinstance(page, dict):
        raise InputError(f"{name} is JSON, but no page of Cboe's delayed quotes")
    return page


def _naive(text: object, zone: dt.tzinfo) -> int | None:
    """A time written without a zone, ns; None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        when = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if not 1990 <= when.year <= 2100:
        return None
    return calendar.ns(when if when.tzinfo else when.replace(tzinfo=zone))


def _stamp(said: object, last_trade: int | None, notes: list[str]) -> int | None:
    """When the page was made, ns."""
    stamp = _naive(said, dt.UTC)
    if stamp is None or last_trade is None or stamp + _SKEW >= last_trade:
        return stamp
    # A page cannot be older than a trade on it: perhaps its clock is New York's.
    local = _naive(said, calendar.NEW_YORK)
    if local is not None and local + _SKEW >= last_trade:
        notes.append("the page's timestamp is before its last trade: read as New York, not UTC")
        return local
    return None


def _columns(options: list[Any], problems: Problems) -> Columns:
    entries = []
    where = []
    for position, entry in enumerate(options, 1):
        if isinstance(entry, dict) and isinstance(entry.get("option"), str):
            entries.append(entry)
            where.append(position)
        else:
            problems.add("entries skipped, they name no option", position)
    contracts: list[Contract] = []
    picks: list[int] = []
    for i, contract in enumerate(parse_many(entry["option"].strip() for entry in entries)):
        if contract is None:
            symbol = printable(entries[i]["option"])
            problems.add("entries skipped, no option symbol that gexterm knows", where[i], symbol)
        else:
            contracts.append(contract)
            picks.append(i)

    def cells(what: str) -> list[object]:
        values = [entries[i].get(what) for i in picks]
        # Python would take `true` for the number one.
        return [None if value is True or value is False else value for value in values]

    return Columns(
        where=[where[i] for i in picks],
        contracts=contracts,
        bid=cells("bid"),
        ask=cells("ask"),
        open_interest=cells("open_interest"),
        volume=cells("volume"),
        bid_size=cells("bid_size"),
        ask_size=cells("ask_size"),
    )
