"""What venues say wrong, oddly, twice or in another order, and that it changes no Reading."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gexterm.clock import NS
from gexterm.market.events import FeedReport
from tests.faults.compared import EARLY, LATE, undisturbed, whole_or_shown
from tests.faults.market import (
    TELLERS,
    WEBSOCKETS,
    Databento,
    Deribit,
    Dxlink,
    Massive,
    Print,
    Teller,
    Tradier,
)
from tests.faults.readings import Stage, differences, plain, stage
from tests.venues import databento
from tests.venues.deribit import RpcError

VENUES = list(TELLERS)
MALFORMED = {
    "deribit": ["{", '{"jsonrpc":"2.0","method":"subscription"', "\x00", "[[[]]"],
    "dxlink": ["[]", '{"channel":1}', '{"type":"FEED_DATA","channel":1,"data":["Quote",['],
    "massive": ['[{"ev":"T","sym"', "[[[[]]]]", '[{"ev":"T","sym":5,"p":"x"}]'],
    "tradier": ["{", '{"type":', "\x00", '{"type":"timesale","symbol":5}'],
}
UNKNOWN = {
    "deribit": [
        '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"gossip","data":[1]}}',
        '{"jsonrpc":"2.0","method":"rumour","params":{}}',
        '{"jsonrpc":"2.0","id":987654321,"result":{"new":true}}',
    ],
    "dxlink": [
        '{"type":"WHATEVER","channel":0}',
        '{"type":"FEED_DATA","channel":1,"data":["Moon",[1,2,3]]}',
        '{"type":"CHANNEL_OPENED","channel":99}',
    ],
    "massive": [
        '[{"ev":"XYZ","sym":"O:SPXW251120C06600000","p":1}]',
        '[{"ev":"status","status":"novelty","message":"something new"}]',
    ],
    "tradier": [
        '{"type":"novelty","symbol":"SPX","x":[1]}\n{"event":"heartbeat"}\n',
        '{"type":"tradex","symbol":"SPXW251120C06600000","price":"1.0"}',
    ],
}


async def among(
    venue: str, say: Callable[[Stage, int], Awaitable[None]], *, outage: bool = False
) -> Stage:
    """A run in which something is said between all steps of the middle; no step is missed."""
    wanted = await plain(venue)
    async with stage(venue) as on:
        await on.before()
        for number, step in enumerate(on.script.during):
            await say(on, number)
            await on.play([step])
        await on.after()
        found = on.readings()
        assert "reconnecting" not in on.states and on.report.reconnects == 0
        for a, b in zip(found[EARLY], wanted[EARLY], strict=True):
            assert differences(a, b, but=("heard_from",)) == []
        but = ("heard_from", *(("spot",) if venue == "tradier" else ()))
        for a, b in zip(found[LATE][-2:], wanted[LATE][-2:], strict=True):
            assert differences(a, b, outage=outage or venue == "tradier", but=but) == []
        return on


@pytest.mark.parametrize("venue", WEBSOCKETS)
async def test_malformed_frames_are_counted_told_and_skipped(venue: str) -> None:
    async def say(on: Stage, number: int) -> None:
        for text in MALFORMED[venue][number : number + 1]:
            await on.teller.say(text)

    on = await among(venue, say)
    last = on.readings()[-1]
    assert last.health.malformed == len(MALFORMED[venue])
    said = f"{last.health.malformed} messages made no sense and were skipped"
    assert said in last.health.warnings
    assert "makes no sense" in on.said


@pytest.mark.parametrize("venue", WEBSOCKETS)
async def test_messages_nobody_has_described_change_nothing(venue: str) -> None:
    async def say(on: Stage, number: int) -> None:
        for text in UNKNOWN[venue][number : number + 1]:
            await on.teller.say(text)

    on = await among(venue, say)
    assert on.report.malformed == 0


async def test_records_of_no_known_type_are_stepped_over() -> None:
    async def say(on: Stage, number: int) -> None:
        await on.teller.venue.send(bytes([20, 0xEE]) + bytes(78) + bytes([255, 0x77]) + bytes(1018))

    on = await among("databento", say)
    assert on.report.malformed == 0


@pytest.mark.parametrize("venue", WEBSOCKETS)
async def test_a_frame_of_sixteen_megabytes_is_taken_and_found_to_be_nothing(venue: str) -> None:
    async def say(on: Stage, number: int) -> None:
        if not number:
            on.teller.venue.buffer = 1 << 26  # where that is not yet called a slow reader
            await on.teller.say("x" * (16 << 20))
            await on.until(lambda: on.runner.counters.malformed >= 1)

    on = await among(venue, say)
    assert on.readings()[-1].health.malformed == 1


# Numbers that are none


async def sentinels(on: Stage, number: int) -> None:
    """Quotes, prints and spot in the venue's words for `nothing`, and worse."""
    teller, at = on.teller, on.now
    option = on.script.options[9]
    each = Print(option, 1.0, 1.0, 1, at, 1.0, 1.2, 900 + number)
    if isinstance(teller, Dxlink):
        nothing = ["NaN", "Infinity", -1.0, "-Infinity", None][number]
        await teller.venue.publish("Quote", [teller.shown(option, nothing, nothing, at)])
        sales = [teller.sale(each, price=nothing), teller.sale(each, size=nothing)]
        await teller.venue.publish("TimeAndSale", sales)
        trade = {"eventSymbol": "SPX", "price": nothing, "size": "NaN", "time": 0}
        await teller.venue.publish("Trade", [trade])
        await teller.venue.publish(
            "Summary", [{"eventSymbol": teller.symbol(option), "openInterest": "NaN"}]
        )
    elif isinstance(teller, Massive):
        nothing = [-1.0, 1e300, -0.01, 1e12, -5.0][number]
        fine = teller.traded(each)
        bad: list[dict[str, Any]] = [fine | {"p": nothing}, fine | {"s": 0}, fine | {"s": -3}]
        bad.append(teller.shown(option, nothing, nothing, at))
        for one in bad:
            one.pop("ns", None)
            teller.venue.say(json.dumps([one]))
    elif isinstance(teller, Deribit):
        nothing = [None, -1.0, 1e300, -0.5, None][number]
        name = teller.symbol(option)
        book = teller.exchange.books[name] | {"best_bid_price": nothing, "best_ask_price": nothing}
        said = {"channel": f"ticker.{name}.100ms", "data": book}
        teller.exchange.sessions[0].tell("subscription", said)
        price = {"timestamp": teller.exchange.now_ms, "price": nothing, "index_name": "btc_usd"}
        said = {"channel": "deribit_price_index.btc_usd", "data": price}
        teller.exchange.sessions[0].tell("subscription", said)
    elif isinstance(teller, Tradier):
        nothing = ["NaN", "Infinity", "-1", None, "1e300"][number]
        await teller.venue.say(
            teller.traded(each) | {"last": nothing},
            teller.traded(each) | {"size": nothing},
            teller.shown(option, -1.0, -1.0, at),
        )
    elif isinstance(teller, Databento):
        name, ident = teller.symbol(option), teller.number(option)
        nan = float("nan")
        await teller.venue.send(
            databento.cbbo(name, ident, at, nan, nan).data
            + databento.tcbbo(name, ident, at, nan, 5, (1.0, 1.2)).data
            + databento.tcbbo(name, ident, at, 1.0, 0, (1.0, 1.2)).data
        )


@pytest.mark.parametrize("venue", VENUES)
async def test_numbers_that_are_none_reach_no_reading(venue: str) -> None:
    on = await among(venue, sentinels, outage=True)
    wanted = await plain(venue)
    for a, b in zip(on.readings(), wanted, strict=True):
        # Neither a print nor a price of the underlying has come of them, at any time.
        assert a.positions.prints == b.positions.prints
        if venue != "tradier":
            assert a.spot == pytest.approx(b.spot, rel=1e-4)


# Quotes that are odd, but quotes


async def show(teller: Teller, option: Any, bid: float, ask: float, at: int) -> None:
    """One quote."""
    if isinstance(teller, Dxlink):
        await teller.venue.publish("Quote", [teller.shown(option, bid, ask, at)])
    elif isinstance(teller, Massive):
        teller.venue.publish(teller.shown(option, bid, ask, at))
    elif isinstance(teller, Deribit):
        teller.moved(at)
        teller.show(option, bid, ask)
    elif isinstance(teller, Tradier):
        await teller.venue.say(teller.shown(option, bid, ask, at))
    elif isinstance(teller, Databento):
        item = databento.cbbo(teller.symbol(option), teller.number(option), at, bid, ask)
        await teller.venue.publish(item)


@pytest.mark.parametrize("venue", VENUES)
async def test_crossed_and_zero_bid_quotes_are_counted_and_do_no_lasting_harm(venue: str) -> None:
    wanted = await plain(venue)
    async with stage(venue) as on:
        await on.before()
        coin = venue == "deribit"
        tick = 0.0001 if coin else 0.05
        # Far from the money, where such quotes are.
        crossed, poor = on.script.options[-1], on.script.options[16]
        at = on.script.before[-1].at + NS
        await on.to(at)
        high = 0.05 if coin else 40.0
        await show(on.teller, crossed, high + 3 * tick, high, at)
        await show(on.teller, poor, 0.0, tick, at)
        places = [on.index(crossed), on.index(poor)]
        await on.until(lambda: all(on.runner.chain._quote_ts[i] >= at for i in places))
        await on.play(on.script.during)
        await on.after()
        found = on.readings()
        assert found[2].health.crossed == wanted[2].health.crossed + 1
        assert found[2].health.zero_bid == wanted[2].health.zero_bid + 1
        assert found[2].spot == pytest.approx(wanted[2].spot, rel=2e-3)
        assert found[2].gamma.gex_0dte_per_1pct == pytest.approx(
            wanted[2].gamma.gex_0dte_per_1pct, rel=0.05
        )
        for a, b in zip(found[-2:], wanted[-2:], strict=True):
            but = ("heard_from",) if venue == "tradier" else ()
            # A smile is fitted from where the last one stood.
            assert differences(a, b, outage=True, but=but, rtol=1e-5) == []


# Prints again, and prints corrected


async def again(on: Stage) -> None:
    """The last prints are told once more."""
    teller, tail = on.teller, [each for step in on.script.before[-4:] for each in step.prints]
    if isinstance(teller, Deribit):
        teller.exchange.repeat(teller.exchange.tape[-len(tail) :])
    elif isinstance(teller, Dxlink):
        await teller.venue.publish("TimeAndSale", [teller.sale(each) for each in tail])
    elif isinstance(teller, Massive):
        for each in tail:
            said = teller.traded(each)
            said.pop("ns")
            teller.venue.say(json.dumps([said]))
    elif isinstance(teller, Tradier):
        await teller.venue.say(*map(teller.traded, tail))


@pytest.mark.parametrize("venue", VENUES)
async def test_prints_told_twice_after_a_reconnect_count_once(venue: str) -> None:
    wanted = await plain(venue)
    async with stage(venue) as on:
        await on.before()
        on.teller.line.cut()
        await on.until(lambda: on.runner.counters.connects >= 2, moving=0.2)
        await on.listening()
        await again(on)  # a replay from the open does that unasked
        await on.play(on.script.during)
        await on.after()
        found = on.readings()
        if not on.teller.refills:
            but = ("heard_from",)
            for a, b in zip(found[-2:], wanted[-2:], strict=True):
                assert differences(a, b, outage=True, but=but) == []
            return
        undisturbed(found, wanted)


@pytest.mark.parametrize("first", [True, False], ids=["before its print", "after it"])
@pytest.mark.parametrize("venue", ["dxlink", "tradier"])
async def test_a_correction_or_cancel_means_the_same_before_and_after_its_print(
    venue: str, first: bool
) -> None:
    """Only these two venues tell prints apart by number when they take them back."""
    async with stage(venue) as on:
        await on.before()
        step = on.script.during[0]
        wrong, gone, *others = step.prints
        right = wrong._replace(size=wrong.size + 50.0)
        await on.to(step.at)
        for undone in (first, not first):
            if undone:
                await undo(on.teller, wrong, right, gone)
            else:
                await on.teller.print(tuple(step.prints))
                on.teller.told += step.prints
        await on.play(on.script.during[1:])
        await on.after()
        found = on.readings("all")
    async with stage(venue) as on:
        # As if the venue had been right from the beginning.
        await on.before()
        await on.to(step.at)
        on.teller.told += [right, *others]
        await on.teller.print((right, *others))
        await on.until(lambda: len(on.runner.prints) >= len(on.teller.told))
        await on.play(on.script.during[1:])
        await on.after()
        wanted = on.readings("all")
    for a, b in zip(found[2:], wanted[2:], strict=True):
        assert a.positions.prints == b.positions.prints
        assert differences(a, b, but=("heard_from", "spot") if venue == "tradier" else ()) == []


async def undo(teller: Teller, wrong: Print, right: Print, gone: Print) -> None:
    """One print is corrected, one taken back."""
    if isinstance(teller, Dxlink):
        sales = [teller.sale(right, type="CORRECTION"), teller.sale(gone, type="CANCEL")]
        await teller.venue.publish("TimeAndSale", sales)
    elif isinstance(teller, Tradier):
        await teller.venue.say(
            teller.traded(right, correction=True), teller.traded(gone, cancel=True)
        )
    assert right.number == wrong.number


# The order of fields


@pytest.mark.parametrize("how", ["reordered", "in full"])
async def test_another_order_of_fields_in_mid_stream_changes_no_reading(how: str) -> None:
    wanted = await plain("dxlink")
    async with stage("dxlink") as on:
        await on.before()
        teller = on.teller
        if how == "in full":
            await teller.venue.to_full()
        else:
            for kind in ("Quote", "TimeAndSale", "Trade"):
                fields = {
                    f: None
                    for channel in teller.venue.here.channels.values()
                    for f in channel.fields.get(kind, [])
                }
                await teller.venue.reorder(kind, list(fields)[::-1])
        await on.play(on.script.during)
        await on.after()
        undisturbed(on.readings(), wanted, outage=False)
        assert on.report.malformed == 0 and "reconnecting" not in on.states


# Gaps


async def unheard(on: Stage, fails: int = 0) -> None:
    """Four prints are lost on their way, and cannot be had by number; by time only later."""
    assert isinstance(on.teller, Deribit)
    exchange = on.teller.exchange
    exchange.forgets, exchange.lose = True, 4
    exchange.fails["public/get_last_trades_by_currency_and_time"] = [
        RpcError(10040, "retry") for _ in range(fails)
    ]
    on.lost = 4
    await on.play(on.script.during)
    await on.after()


async def test_prints_proved_missing_are_on_screen_and_the_comparison_sees_them() -> None:
    wanted = await plain("deribit")
    async with stage("deribit") as on:
        await on.before()
        await unheard(on, fails=100)
        last = on.readings()[-1]
        assert last.positions.prints == wanted[-1].positions.prints - 4
        apart = differences(last, wanted[-1], outage=True)
        assert any(where.startswith(".positions.prints") for where in apart)
        with pytest.raises(AssertionError):
            whole_or_shown(on, on.readings(), wanted)
        gaps = last.health.gaps
        assert gaps in (3, 4)  # the last of a contract is proved missing by the next one only
        assert f"{gaps} prints missing: positions lack them" in last.health.warnings
        assert f"gaps {gaps}" in " ".join(on.status(last).split())


async def test_prints_that_are_had_after_all_are_missing_no_longer() -> None:
    wanted = await plain("deribit")
    async with stage("deribit") as on:
        await on.before()
        await unheard(on)
        assert max(report.gaps for report in on.of(FeedReport)) >= 3
        found = on.readings()
        undisturbed(found, wanted)
        assert found[-1].health.gaps == 0
        assert not any("missing" in said for said in found[-1].health.warnings)
