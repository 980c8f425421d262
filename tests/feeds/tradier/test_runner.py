"""Tradier through the real runner: a fake broker with one customer, and what goes wrong there."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from gexterm.clock import NS
from gexterm.dealers.signer import Signer
from gexterm.feeds.secrets import Secret
from gexterm.feeds.tap import Tap
from gexterm.feeds.tradier.protocol import TradierProtocol
from gexterm.feeds.venue import FeedOptions
from gexterm.feeds.window import WindowSettings
from gexterm.market import calendar
from gexterm.market.events import (
    Definitions,
    FeedReport,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
)
from gexterm.recording.frames import Frames
from tests.venues.driven import Driven, kept, same_again
from tests.venues.tradier import TOKEN, TradierVenue, quote, row, timesale

OPEN = calendar.at_et(dt.date(2025, 11, 20), dt.time(10, 0))
MS = OPEN // 1_000_000
CALL, PUT = "SPXW251120C06600000", "SPXW251120P06600000"
AM, PM, FAR = "SPX251121C06600000", "SPXW251121C06600000", "SPXW251219P06600000"


def chains() -> dict[str, list[dict[str, object]]]:
    return {
        "2025-11-20": [row(CALL, at_ms=MS), row(PUT, at_ms=MS)],
        "2025-11-21": [row(AM, interest=1000, at_ms=MS), row(PM, interest=2000, at_ms=MS)],
        "2025-12-19": [row(FAR, interest=3000, at_ms=MS)],
    }


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[TradierVenue]:
    async with TradierVenue(chains()) as made:
        made.spot_ms = MS
        yield made


def driven(
    venue: TradierVenue,
    token: str = TOKEN,
    ahead_s: float = 0.0,
    tap: Tap | None = None,
    **options: object,
) -> Driven:
    chosen = FeedOptions(url=venue.url(), rest_url=venue.url(scheme="http"), **options)  # type: ignore[arg-type]
    return Driven(
        TradierProtocol("SPX", Secret(token), chosen), OPEN + round(ahead_s * NS), tap=tap
    )


def prints(run: Driven) -> list[tuple[float, float, int]]:
    return [
        (float(p), float(s), int(n))
        for trades in run.of(Trades)
        for p, s, n in zip(trades.price, trades.size, trades.sequence, strict=True)
    ]


def book(run: Driven) -> list[tuple[int, float, float]]:
    """Prints as signed in the end: contract, size, the chance that the dealer bought."""
    [source] = run.of(SourceInfo)
    made = Signer(conditions=source.conditions, venue_side=source.venue_side)
    for event in run.events:
        if isinstance(event, Definitions):
            made.define(event.first + len(event.contracts), run.chain.contracts)
        elif isinstance(event, Quotes):
            made.quotes(event)
        elif isinstance(event, Trades):
            made.trades(event)
    made.settle()
    tape = made.tape
    return sorted(
        (int(tape.contract[i]), float(tape.size[i]), float(tape.p_buy[i])) for i in tape.live()
    )


async def test_a_day_begins_and_prints_come_with_the_quote_they_were_made_against(
    venue: TradierVenue,
) -> None:
    async with driven(venue) as run:
        await venue.subscribed()
        await venue.say(
            quote(CALL, 10.0, 10.4, MS + 100),
            timesale(CALL, 10.4, 3, MS + 150, seq=7, bid=10.0, ask=10.4),
        )
        await venue.say({"type": "trade", "symbol": CALL, "last": "10.4", "size": "3"})
        await run.until(lambda: bool(run.of(Trades)), moving=0.05)
        kinds = [type(event) for event in run.events]
        assert kinds.index(SourceInfo) < kinds.index(Definitions) < kinds.index(OpenInterest)
        assert kinds.index(OpenInterest) < kinds.index(Quotes) < kinds.index(Trades)
        [trades] = run.of(Trades)
        assert (trades.bid[0], trades.ask[0], trades.ts[0]) == (10.0, 10.4, (MS + 150) * 1_000_000)
        assert run.of(UnderlyingPrice)[0].price == 6600.0
        assert len(prints(run)) == 1
        [(_, size, bought)] = book(run)
        assert size == 3.0 and bought < 0.5


async def test_far_dates_follow_and_the_report_says_what_is_asked_for(venue: TradierVenue) -> None:
    async with driven(venue) as run:
        await venue.subscribed()
        await run.until(lambda: len(run.chain.contracts) == 5, moving=0.5)
        await run.until(lambda: bool(run.of(FeedReport)) and run.report.listed == 5, moving=0.5)
        assert run.report.printed == run.report.quoted >= 4
        assert "of 5 contracts" in run.report.window or "of 4 contracts" in run.report.window
        assert run.report.heard_from == OPEN
        twins = [c.root for c in run.chain.contracts if c.expiry == dt.date(2025, 11, 21)]
        assert sorted(twins) == ["SPX", "SPXW"]


async def test_a_wrong_token_is_refused_in_plain_words_and_never_shown(
    venue: TradierVenue,
) -> None:
    wrong = "another-secret-token-99"
    async with driven(venue, token=wrong) as run:
        await run.until(lambda: run.ended, moving=1.0)
        assert run.states[-1] == "refused"
        assert "access token (401)" in run.said and "login tradier" in run.said
        assert wrong not in repr(run.events) and wrong not in run.runner.counters.last_error
    assert len(venue.requests) <= 2


async def test_no_secret_is_in_anything_that_is_told(venue: TradierVenue) -> None:
    async with driven(venue) as run:
        first = await venue.subscribed()
        session = first["sessionid"]
        await venue.say_raw(json.dumps({"error": f"token {TOKEN} and {session} are odd"}))
        await venue.say_raw(f'{{"type": "{session}", "symbol": 5}}')
        await run.until(lambda: run.runner.counters.malformed == 1, moving=0.1)
        await run.until(
            lambda: bool(run.of(FeedReport)) and "Tradier says" in str(run.report.notes),
            moving=0.5,
        )
        told = repr(run.events) + run.runner.counters.last_error
        assert TOKEN not in told and session not in told


async def cut(venue: TradierVenue, _run: Driven) -> None:
    """The line is cut."""
    transport = venue.sockets[0]._req.transport  # type: ignore[union-attr]
    assert transport is not None
    transport.abort()


async def refused_for_a_while(venue: TradierVenue, run: Driven) -> None:
    """The line is cut, and the broker is in trouble when called again."""
    venue.refusals["session"] = [(503, {}), (429, {"Retry-After": "5"}), (500, {})]
    await cut(venue, run)


async def too_large(venue: TradierVenue, _run: Driven) -> None:
    """We hang up on a message of 20 MB."""
    await venue.say_raw("x" * (20 << 20))


async def session_expired(venue: TradierVenue, _run: Driven) -> None:
    """The session ends while the stream goes on; the next message of ours finds out."""
    venue.expire_sessions()
    venue.spot = 6605.0
    await venue.say_raw('{"error": "Session not found"}')


async def malformed(venue: TradierVenue, _run: Driven) -> None:
    """Frames that make no sense."""
    for text in ("", "{", "[]", "null", '{"type":', '"x"', "\x00", '{"type":"timesale"}\n{'):
        await venue.say_raw(text)


async def unknown_kinds(venue: TradierVenue, _run: Driven) -> None:
    """Messages nobody has described."""
    await venue.say_raw('{"type":"novelty","symbol":"SPX","x":[1]}\n{"event":"heartbeat"}\n')


async def sentinels(venue: TradierVenue, _run: Driven) -> None:
    """Numbers that are none."""
    await venue.say(
        timesale(CALL, 0, 0, 0, seq=-1),
        timesale(CALL, 1, 1, MS, seq=3) | {"last": "NaN", "size": "Infinity"},
        timesale(CALL, 1, 1, MS, seq=3) | {"last": None},
    )


async def crossed(venue: TradierVenue, _run: Driven) -> None:
    """A crossed quote, a zero bid, then the true one again."""
    await venue.say(quote(PUT, 10.4, 10.0, MS + 160), quote(PUT, 0.0, 10.4, MS + 170))


Fault = Callable[[TradierVenue, Driven], object]
FAULTS: list[Fault] = [
    cut, refused_for_a_while, too_large, session_expired, malformed, unknown_kinds, sentinels,
    crossed,
]  # fmt: skip
RECONNECTS = (cut, refused_for_a_while, too_large)


async def spoken(fault: Fault | None, ahead_s: float = 0.0) -> tuple[Driven, np.ndarray]:
    async with TradierVenue(chains()) as venue:
        venue.spot_ms = MS
        async with driven(venue, ahead_s=ahead_s) as run:
            await venue.subscribed()
            early = [
                quote(CALL, 10.0, 10.4, MS + 100),
                timesale(CALL, 10.4, 3, MS + 150, seq=7),
                timesale(PUT, 10.0, 2, MS + 151, seq=8),
            ]
            await venue.say(*early)
            await run.until(lambda: len(prints(run)) == 2, moving=0.05)
            if fault is not None:
                await fault(venue, run)  # type: ignore[misc]
            count = 2 if fault in (*RECONNECTS, session_expired) else 1
            await run.until(lambda: len(venue.subscriptions) >= count, moving=0.25)
            await run.until(lambda: bool(venue._asked), moving=0.05)
            # The broker says the last two again, as one does who was called again.
            await venue.say(
                *early[1:],
                quote(PUT, 9.0, 9.4, MS + 190),
                timesale(CALL, 10.0, 5, MS + 200, seq=9),
                timesale(CALL, 10.4, 3, MS + 210, seq=7, cancel=True),
            )
            seen = [(10.0, 5.0)]
            await run.until(lambda: [p[:2] for p in prints(run)].count(seen[0]) == 1, moving=0.05)
            assert not run.ended
            return run, run.chain.column("bid")[:2].copy()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
async def test_after_every_fault_tape_and_chain_are_as_if_nothing_had_been(fault: Fault) -> None:
    plain, bids = await spoken(None)
    run, after = await spoken(fault)
    assert book(run) == book(plain)
    assert [size for _, size, _ in book(run)] == [5.0, 2.0]
    np.testing.assert_array_equal(after, bids)
    if fault in RECONNECTS:
        assert "reconnecting" in run.states and run.runner.counters.reconnects == 1
        assert sum(len(e.contracts) for e in run.of(Definitions)) <= 5


@pytest.mark.parametrize("minutes", [-3.0, 3.0])
async def test_a_clock_that_is_minutes_off_changes_neither_tape_nor_spot(minutes: float) -> None:
    plain, bids = await spoken(None)
    run, after = await spoken(None, ahead_s=60.0 * minutes)
    assert book(run) == book(plain)
    np.testing.assert_array_equal(after, bids)
    assert run.of(UnderlyingPrice)[0].price == 6600.0
    assert not any("minutes old" in note for note in run.report.notes)
    # Too few rows to tell a clock that is behind from rows that cannot be: then it is told.
    assert (run.report.misdated == 0) is (minutes > 0)


async def test_an_index_that_stands_still_in_session_is_not_shown(venue: TradierVenue) -> None:
    venue.now_ms = MS + 20 * 60_000
    async with driven(venue) as run:
        await venue.subscribed()
        await run.until(
            lambda: "20 minutes old" in str([r.notes for r in run.of(FeedReport)]), moving=0.5
        )
        assert not run.of(UnderlyingPrice)


async def test_a_token_that_expires_in_mid_day_ends_it_with_what_to_do(
    venue: TradierVenue,
) -> None:
    async with driven(venue) as run:
        await venue.subscribed()
        await run.until(lambda: "live" in run.states, moving=0.5)
        venue.refusals["quotes"] = [(401, {})]
        await run.until(lambda: run.ended, moving=0.5)
        assert run.states[-1] == "refused" and "login tradier" in run.said


@pytest.mark.parametrize("ahead_s", [0.0, 180.0])
async def test_raw_frames_of_a_session_with_a_cut_line_say_it_all_again(
    tmp_path: Path, venue: TradierVenue, ahead_s: float
) -> None:
    async with kept(tmp_path) as recorder:
        async with driven(venue, ahead_s=ahead_s, tap=recorder.tap) as run:
            first = await venue.subscribed()
            recorder.event(run.of(SourceInfo)[0])
            await venue.say(
                quote(CALL, 10.0, 10.4, MS + 100), timesale(CALL, 10.4, 3, MS + 150, seq=7)
            )
            await run.until(lambda: len(prints(run)) == 1, moving=0.05)
            await cut(venue, run)
            await run.until(lambda: venue.connections == 2 and bool(venue._asked), moving=0.25)
            await venue.say(
                quote(PUT, 9.0, 9.4, MS + 190), timesale(CALL, 10.0, 5, MS + 200, seq=9)
            )
            await run.until(lambda: len(prints(run)) == 2, moving=0.05)
        await recorder.flushed()
        heard = list(run.events)
    same_again(recorder, TradierProtocol("SPX", Secret(TOKEN)), heard)
    data = unpacked(tmp_path)
    assert TOKEN.encode() not in data and first["sessionid"].encode() not in data


def unpacked(folder: Path) -> bytes:
    """The bytes of all files, and what the entries of raw frames hold."""
    data = b""
    for file in folder.rglob("*.*"):
        data += file.read_bytes()
        if file.suffix == ".frames":
            with Frames(file) as raw:
                data += b"".join(entry.data for entry in raw)
    assert CALL.encode() in data
    return data


async def test_while_the_line_was_down_prints_are_not_claimed_to_be_known(
    venue: TradierVenue,
) -> None:
    async with driven(venue) as run:
        await venue.subscribed()
        await run.until(lambda: bool(run.of(FeedReport)), moving=0.5)
        await cut(venue, run)
        await run.until(lambda: len(venue.subscriptions) >= 2, moving=0.25)
        began = run.clock.now_ns()
        await run.until(lambda: run.report.reconnects == 1, moving=0.5)
        assert OPEN < run.report.heard_from <= began
        assert venue.handed_out == 2


async def test_a_server_that_accepts_and_says_nothing_is_stale_though_spot_can_be_had(
    venue: TradierVenue,
) -> None:
    async with driven(venue) as run:
        await venue.subscribed()
        await run.until(lambda: "stale" in run.states, moving=1.0)
        assert "the stream has said nothing for" in run.said
        assert run.clock.now_ns() - OPEN < 45 * NS
        await run.until(lambda: run.clock.now_ns() - OPEN > 90 * NS, moving=1.0)
        assert run.states[-1] == "stale"
        await venue.say(quote(CALL, 10.0, 10.4, MS + 90_000))
        await run.until(lambda: run.states[-1] == "live", moving=0.05)


async def test_a_stream_that_stays_silent_is_called_again(venue: TradierVenue) -> None:
    async with driven(venue) as run:
        await venue.subscribed()
        await run.until(lambda: venue.connections == 2, moving=2.0)
        assert "nothing has come for 30" in run.said and venue.handed_out == 2


async def test_the_window_follows_spot_on_the_same_connection(venue: TradierVenue) -> None:
    strikes = range(6000, 7205, 5)
    venue.chains = {"2025-11-20": [row(f"SPXW251120C{k * 1000:08d}", at_ms=MS) for k in strikes]}
    async with driven(venue, window=WindowSettings(most=40)) as run:
        first = await venue.subscribed()
        venue.spot = 6900.0
        await run.until(
            lambda: "SPXW251120C06900000" in venue.subscriptions[-1]["symbols"], moving=0.5
        )
        assert venue.connections == 1
        assert len(first["symbols"]) == len(venue.subscriptions[-1]["symbols"]) == 41
        await venue.say(
            timesale("SPXW251120C06600000", 5.0, 1, MS, seq=1),
            timesale("SPXW251120C06900000", 6.0, 1, MS, seq=2),
        )
        await run.until(lambda: bool(prints(run)), moving=0.05)
        assert [price for price, _, _ in prints(run)] == [6.0]


async def test_a_symbol_that_the_broker_does_not_know_does_not_cost_the_others(
    venue: TradierVenue,
) -> None:
    async with driven(venue) as run:
        await venue.subscribed()
        # It stops trading: the broker forgets it, our list still has it.
        venue.chains["2025-11-21"] = [row(AM, at_ms=MS)]
        venue.chains["2025-12-19"] = [row(FAR, at_ms=MS)]
        await cut(venue, run)
        await run.until(lambda: len(venue.subscriptions) >= 3, moving=0.25)
        assert PM not in venue.subscriptions[-1]["symbols"]
        await venue.say(timesale(CALL, 10.4, 3, MS, seq=1))
        await run.until(lambda: bool(prints(run)), moving=0.05)
        await run.until(lambda: PM in str([r.notes for r in run.of(FeedReport)]), moving=0.5)
