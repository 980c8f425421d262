"""Whatever the line does, the Readings after it are those of a line that never failed.

Where a venue cannot be asked for what went unheard, the Reading says so.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from gexterm.clock import NS
from tests.faults.compared import Fault, disturbed
from tests.faults.market import TELLERS, WEBSOCKETS, Databento, Deribit, Dxlink, Massive, Tradier
from tests.faults.readings import QUICK, Stage, stage

VENUES = list(TELLERS)
WATCHFUL = replace(QUICK, ping_s=0.5, pong_s=2.0)
"""A line that is asked now and then whether it stands: by the wall's clock, as pings are."""


async def cut(on: Stage) -> None:
    """Between two frames."""
    on.teller.line.cut()
    await on.during()


async def cut_in_mid_frame(on: Stage) -> None:
    """After a hundred bytes of prints."""
    on.teller.line.cut_after(100)
    await on.during()
    assert on.teller.line.cuts == 1


async def half_open(on: Stage) -> None:
    """Nothing comes, and nobody says that nothing will."""
    on.teller.line.freeze()
    await on.during()
    real = (
        on.teller.name in WEBSOCKETS and on.teller.name != "dxlink"
    )  # found dead by a ping, of the wall's clock
    await on.until(lambda: "reconnecting" in on.states, moving=0.0 if real else 0.5)
    on.teller.line.thaw()


async def refused_for_a_while(on: Stage) -> None:
    """Nobody is there to connect to."""
    await on.teller.line.refuse()
    await on.during()
    await on.until(lambda: on.said.count("next try in") >= 2, moving=0.2)
    await on.teller.line.allow()


async def in_crumbs(on: Stage) -> None:
    """Cut, and from then on in pieces of a few bytes, for a while."""
    on.teller.line.cut()
    on.teller.line.piece = 1000
    await on.during()
    await on.back()
    on.teller.line.piece = 0


async def hung_up(on: Stage) -> None:
    """The server says that a message was too big for it (1009), and leaves."""
    for socket in list(on.teller.venue.sockets):
        await socket.close(code=1009, message=b"Max frame length exceeded")
    await on.during()


async def too_large(on: Stage) -> None:
    """A message of 20 MB: more than any honest one. We leave."""
    await on.teller.say("x" * (20 << 20))
    await on.until(lambda: "reconnecting" in on.states)
    await on.during()


async def mute(on: Stage) -> None:
    """Cut; whoever connects then is listened to and told nothing."""
    silent(on, True)
    on.teller.line.cut()
    await on.during()
    # Until that one is given up as well.
    await on.until(lambda: on.said.count("next try in") >= 2, moving=0.5)
    silent(on, False)


def silent(on: Stage, yes: bool) -> None:
    """Whether the venue says anything to those who come."""
    teller = on.teller
    if isinstance(teller, Deribit):
        teller.exchange.mute = yes
    elif isinstance(teller, Dxlink):
        teller.venue.silent = yes
    elif isinstance(teller, Massive):
        teller.venue.mute = yes
    elif isinstance(teller, Databento):
        teller.venue.greets = not yes
    elif isinstance(teller, Tradier):
        raise AssertionError("a broker that takes a subscription says nothing anyway")


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("fault", [cut, cut_in_mid_frame, half_open, refused_for_a_while])
async def test_a_line_that_failed_leaves_no_trace_in_the_readings_or_a_plain_one(
    venue: str, fault: Fault
) -> None:
    settings = WATCHFUL if fault is half_open else QUICK
    await disturbed(venue, fault, settings=settings)


@pytest.mark.parametrize("venue", VENUES)
async def test_frames_that_come_in_crumbs_are_whole(venue: str) -> None:
    await disturbed(venue, in_crumbs)


@pytest.mark.parametrize("venue", WEBSOCKETS)
async def test_a_server_that_finds_a_message_too_big_is_called_again(venue: str) -> None:
    await disturbed(venue, hung_up, words=("next try in",))


@pytest.mark.parametrize("venue", WEBSOCKETS)
async def test_a_message_beyond_all_bounds_costs_the_connection_and_nothing_else(
    venue: str,
) -> None:
    await disturbed(venue, too_large)


@pytest.mark.parametrize("venue", ["deribit", "dxlink", "massive", "databento"])
async def test_a_server_that_accepts_and_says_nothing_is_left_and_called_again(
    venue: str,
) -> None:
    await disturbed(venue, mute, reconnects=2)


@pytest.mark.parametrize("venue", VENUES)
async def test_while_the_line_is_down_the_screen_says_so_and_quotes_are_seen_to_age(
    venue: str,
) -> None:
    async with stage(venue) as on:
        await on.before()
        await on.teller.line.refuse()
        await on.during()
        await on.until(lambda: on.states[-1] == "reconnecting", moving=0.2)
        await on.to(on.script.before[0].at + 205 * NS)
        found = on.readings()
        ages = [reading.health.quote_age_p50_s for reading in found[1:4]]
        assert ages[0] < 10.0 < 30.0 < ages[1] < ages[2]
        line = on.status(found[3])
        assert "reconnecting try" in line
        assert "refused" in line or "nothing listens" in line or "cannot be reached" in line, line
