"""What a venue does with an account in mid-day: tokens that expire, duels, slow readers."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.faults.compared import disturbed, undisturbed, whole_or_shown
from tests.faults.market import Dxlink, Massive, Tradier
from tests.faults.readings import Stage, plain, stage


async def test_a_token_that_expires_in_mid_day_is_renewed_and_no_reading_tells() -> None:
    wanted = await plain("dxlink")
    async with stage("dxlink") as on:
        await on.before()
        await on.teller.venue.expire()
        await on.during()
        await on.back(connects=1)
        await on.after()
        undisturbed(on.readings(), wanted)
        assert isinstance(on.teller, Dxlink)
        assert len(on.teller.venue.issued) >= 2
        assert on.report.reconnects == 0 and "refused" not in on.states


async def test_a_token_refused_for_good_ends_it_and_the_screen_says_what_to_do() -> None:
    async with stage("dxlink") as on:
        await on.before()
        on.teller.venue.rest_status["/oauth/token"] = 401
        on.teller.venue.rest_status["/api-quote-tokens"] = 401
        await on.teller.venue.expire()
        await on.until(lambda: on.runner.ended, moving=0.5)
        assert on.states[-1] == "refused"
        reading = on.readings()[-1]
        line = on.status(reading)
        assert "refused" in line
        assert "gexterm feeds login dxlink" in on.said
        # The numbers stay, and are seen to be old.
        assert reading.health.quote_age_p50_s > 60.0


async def session_expired(on: Stage) -> None:
    """The stream's session is good no more: the next message of ours finds out."""
    assert isinstance(on.teller, Tradier)
    on.teller.venue.expire_sessions()
    on.teller.line.cut()
    await on.during()


async def test_a_session_of_the_stream_that_expires_is_made_anew() -> None:
    await disturbed("tradier", session_expired)


async def test_an_access_token_that_expires_ends_it_and_the_screen_says_what_to_do() -> None:
    async with stage("tradier") as on:
        await on.before()
        on.teller.venue.refusals["quotes"] = [(401, {})]
        await on.until(lambda: on.runner.ended, moving=0.5)
        assert on.states[-1] == "refused" and "login tradier" in on.said
        assert "refused" in on.status(on.readings()[-1])


async def slow(on: Stage) -> None:
    """We read too slowly, and the venue lets go of us."""
    teller = on.teller
    assert isinstance(teller, Massive)
    teller.line.freeze()
    option = on.script.options[4]
    bid, ask = on.script.first[option]
    while not teller.venue.slow:
        burst = [teller.shown(option, bid, ask, on.now) for _ in range(500)]
        teller.venue.publish(*burst)
        await asyncio.sleep(0)
    teller.line.thaw()
    await on.until(lambda: "reconnecting" in on.states)
    await on.during()


async def test_a_reader_found_too_slow_is_told_so_and_what_it_missed_is_made_good() -> None:
    await disturbed("massive", slow, words=("we read too slowly", "slow_consumer"))


async def test_another_program_with_our_key_takes_the_line_and_the_screen_says_so() -> None:
    wanted = await plain("massive")
    async with stage("massive") as on:
        await on.before()
        teller = on.teller
        assert isinstance(teller, Massive)
        async with connect(teller.venue.url("/options")) as other:
            await other.recv()
            login = {"action": "auth", "params": teller.secrets["key"]}
            await other.send(json.dumps(login))
            await on.until(lambda: teller.venue.kicks == 1)
            await on.until(lambda: "reconnecting" in on.states)
            await on.during()
            line = on.status(wanted[1])
            assert "another program" in line, line
            assert "reconnecting try 1 in" in line
        await on.back()
        await on.after()
        whole_or_shown(on, on.readings(), wanted)


async def test_two_programs_with_one_key_do_not_fight_for_ever() -> None:
    async with stage("massive") as on:
        await on.before()
        teller = on.teller
        assert isinstance(teller, Massive)

        async def fight() -> None:
            """Takes the line back whenever it has lost it."""
            while True:
                with contextlib.suppress(ConnectionClosed):
                    async with connect(teller.venue.url("/options")) as other:
                        login = {"action": "auth", "params": teller.secrets["key"]}
                        await other.send(json.dumps(login))
                        async for _ in other:
                            pass

        fighting = asyncio.create_task(fight())
        try:
            await on.until(lambda: on.runner.ended, moving=2.0)
        finally:
            fighting.cancel()
            await asyncio.gather(fighting, return_exceptions=True)
        assert on.states[-1] == "refused"
        last = on.readings()[-1]
        assert "refused" in on.status(last)
        assert "another program took the connection" in on.said
        assert last.health.heard_from < on.script.joins or not last.health.heard_from


@pytest.mark.parametrize("venue", ["deribit"])
async def test_maintenance_is_told_waited_for_and_made_good(venue: str) -> None:
    async def maintained(on: Stage) -> None:
        on.teller.exchange.maintain()  # type: ignore[attr-defined]
        await on.during()

    await disturbed(venue, maintained, words=("maintenance",))
