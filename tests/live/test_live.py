"""A venue's live server delivers what our description of it promises.

    GEXTERM_LIVE=deribit make test-live
    GEXTERM_LIVE=deribit:ETH,cboe:SPX make test-live

Keys come from the environment or the keyring, as for a user.
"""

from __future__ import annotations

import os
import sys

import pytest

from gexterm.clock import SystemClock
from gexterm.feeds import credentials
from gexterm.feeds.doctor import Finding, examine
from gexterm.feeds.venue import FeedOptions, find_venue
from gexterm.market.calendar import in_session

ASKED = [each for each in os.environ.get("GEXTERM_LIVE", "").split(",") if each]
_FIRST = {"deribit": "BTC"}


@pytest.mark.skipif(not ASKED, reason="no live venue was asked for (GEXTERM_LIVE)")
@pytest.mark.parametrize("asked", ASKED or ["none"])
async def test_a_live_venue_delivers_what_it_promises(asked: str) -> None:
    name, _, underlying = asked.partition(":")
    venue = find_venue(name)
    clock = SystemClock()
    protocol = venue.make(
        underlying or _FIRST.get(name, "SPX"), credentials.load(venue), FeedOptions()
    )
    steps: list[Finding] = []
    found = await examine(
        protocol,
        venue,
        clock,
        seconds=90.0,
        open_now=venue.continuous or in_session(clock.now_ns()),
        told=steps.append,
    )
    for finding in [*steps, *found.findings()]:
        line = f"{finding.verdict:<8} {finding.what}: {finding.said}  {finding.advice}"
        sys.stdout.write(f"{line.rstrip()}\n")
    assert not [f for f in found.findings() if f.verdict in ("missing", "wrong")]
