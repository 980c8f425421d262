"""What Massive's options websocket says and is told. Frames in, structs out; nothing else.

Every frame is a JSON array that mixes event types, told apart by `ev`:

    status   how the connection is, what was subscribed, what was refused
    T        a print:  sym, x exchange, p price, s size, c conditions, t Unix ms, q sequence
    Q        the best bid and offer:  sym, bx bp bs, ax ap as, t, q

Whole frames are decoded in one go. A frame that holds something unforeseen (an event type
that nobody asked for, a null where a number belongs) is read again event by event, and
only what makes no sense is left out and counted.

Source: the vendor's pages of the options websocket (trades, quotes, quickstart) and the
models of its Python client 2.9.1. Times are documented in milliseconds; one that is not
in that range is no time here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from gexterm.errors import InputError
from gexterm.feeds.secrets import Secret
from gexterm.market.roots import printable

NAN = math.nan
_FIRST_MS, _LAST_MS = 946_684_800_000, 4_102_444_800_000
"""2000 and 2100, Unix milliseconds: what is outside is in another unit, or wrong."""
CHUNK = 8_000
"""Bytes of names in one subscription message. No limit is documented; this is small enough
for any server's buffer and few enough messages (about 70) for a whole SPX chain."""


class Quote(msgspec.Struct, tag_field="ev", tag="Q", gc=False):
    """The best bid and offer of a contract."""

    sym: str
    """Contract, `O:SPXW251121C06600000`."""
    bp: float = NAN
    """Bid, points; 0: none."""
    ap: float = NAN
    """Offer, points; 0: none."""
    bs: float = NAN
    """Contracts bid for."""
    size: float = msgspec.field(name="as", default=NAN)
    """Contracts offered."""
    t: int = 0
    """Unix ms."""


class Trade(msgspec.Struct, tag_field="ev", tag="T", gc=False):
    """A print."""

    sym: str
    """Contract."""
    p: float = NAN
    """Price, points."""
    s: float = NAN
    """Contracts."""
    x: int = 0
    """Exchange, in the vendor's numbers."""
    c: tuple[int, ...] | int | None = None
    """Conditions, in the vendor's numbers. No list: garbage collection would look at each."""
    t: int = 0
    """Unix ms."""
    q: int = -1
    """Sequence: rises and is unique per contract, with holes."""


class Status(msgspec.Struct, tag_field="ev", tag="status", gc=False):
    """A word about the connection."""

    status: str = ""
    """connected, auth_success, auth_failed, success, error, max_connections, slow_consumer …"""
    message: str = ""
    """For a person."""


Message = Quote | Trade | Status
_frames = msgspec.json.Decoder(list[Message])
_one = msgspec.json.Decoder(Message)
_raws = msgspec.json.Decoder(list[msgspec.Raw])
decode_frame = _frames.decode
"""A frame as messages. Raises msgspec.DecodeError where `salvage` must have a look."""


def salvage(frame: bytes) -> tuple[list[Message], list[str], list[str]]:
    """A frame that `decode_frame` refused: messages, event types not known, what is refused.

    Raises InputError for what is no JSON array (or object) at all.
    """
    try:
        raws = _raws.decode(b"[" + frame + b"]" if frame[:1] == b"{" else frame)
    except msgspec.DecodeError as error:
        raise InputError(f"it is no JSON array of events: {error}") from None
    messages: list[Message] = []
    unknown: list[str] = []
    refused: list[str] = []
    for raw in raws:
        try:
            messages.append(_one.decode(raw))
        except msgspec.DecodeError:
            message, kind, why = _leniently(raw)
            if message is not None:
                messages.append(message)
            elif kind:
                unknown.append(kind)
            else:
                refused.append(why)
    return messages, unknown, refused


def _leniently(raw: msgspec.Raw) -> tuple[Message | None, str, str]:
    """One event field by field: the message, or the event type not known, or what is wrong."""
    try:
        event: Any = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        return None, "", str(error)
    kind = event.get("ev") if isinstance(event, dict) else None
    if not isinstance(kind, str):
        return None, "", f"an event without a type: {printable(event)}"
    if kind == "status":
        said = (event.get("status"), event.get("message"))
        return Status(*(text if isinstance(text, str) else "" for text in said)), "", ""
    if kind not in ("Q", "T"):
        return None, printable(kind, 20), ""
    symbol = event.get("sym")
    if not isinstance(symbol, str):
        return None, "", f"a {kind} event without a symbol"
    if kind == "Q":
        bid, ask, bid_size, size = (number(event.get(name)) for name in ("bp", "ap", "bs", "as"))
        return Quote(symbol, bid, ask, bid_size, size, whole(event.get("t"), 0)), "", ""
    given = event.get("c")
    one = not isinstance(given, list)
    conditions = whole(given, -1) if one else tuple(whole(c, -2) for c in given)
    return (
        Trade(
            symbol,
            number(event.get("p")),
            number(event.get("s")),
            whole(event.get("x"), 0),
            conditions,
            whole(event.get("t"), 0),
            whole(event.get("q"), -1),
        ),
        "",
        "",
    )


def number(given: object) -> float:
    """A number from outside, also one written as text; NaN where it is none."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return NAN
    try:
        found = float(given)
    except (ValueError, OverflowError):
        return NAN
    return found if math.isfinite(found) else NAN


def whole(given: object, absent: int) -> int:
    """A whole number from outside; `absent` where it is none."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given if abs(given) < 1 << 62 else absent
    found = number(given)
    return int(found) if abs(found) < 2.0**62 else absent


def in_range(ms: int) -> bool:
    """Whether a time can be Unix milliseconds."""
    return _FIRST_MS < ms < _LAST_MS


def auth(key: Secret) -> str:
    """The login, as a frame."""
    return msgspec.json.encode({"action": "auth", "params": key.reveal()}).decode()


def frames(action: str, channel: str, symbols: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Subscriptions (or their end) of a channel, chunk by chunk: frame and its symbols."""
    chunk: list[str] = []
    size = 0
    for symbol in symbols:
        if size + len(symbol) > CHUNK:
            yield _frame(action, channel, chunk), chunk
            chunk, size = [], 0
        chunk.append(symbol)
        size += len(symbol) + 3
    if chunk:
        yield _frame(action, channel, chunk), chunk


def _frame(action: str, channel: str, symbols: list[str]) -> str:
    params = ",".join(f"{channel}.{symbol}" for symbol in symbols)
    return f'{{"action":"{action}","params":"{params}"}}'


def subscribed(message: str) -> list[str]:
    """Which `T.…` and `Q.…` a "subscribed to: …" names; none where it says something else.

    The vendor's pages show one subscription in each; a list of them is read as well.
    """
    head, colon, names = message.partition(":")
    if not colon or "subscribed" not in head.lower() or head.lower().startswith("un"):
        return []
    return [name.strip() for name in names.split(",") if name.strip()]
