"""Cboe's pages through the real runner, from a server with the faults of a cache."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from gexterm import __version__
from gexterm.clock import NS
from gexterm.feeds import cboe, cboe_delayed
from gexterm.feeds.cboe import CboeProtocol
from gexterm.feeds.tap import Tap
from gexterm.feeds.venue import FeedOptions
from gexterm.market.calendar import ns
from gexterm.market.events import (
    ClockTick,
    Definitions,
    FeedReport,
    FeedStatus,
    Quotes,
    SourceInfo,
)
from tests.venues.cboe import CboeVenue, page
from tests.venues.driven import Driven, kept, same_again

STAMP = dt.datetime(2022, 7, 12, 15, 55, 13, tzinfo=dt.UTC)
START = ns(STAMP) + 20 * NS


def later(minutes: int, shift: float = 0.0) -> bytes:
    return page(STAMP + dt.timedelta(minutes=minutes), shift=shift)


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[CboeVenue]:
    async with CboeVenue(page(STAMP)) as made:
        yield made


def driven(venue: CboeVenue, tap: Tap | None = None) -> Driven:
    url = venue.url("/quotes", "http")
    assert cboe.VENUE.make("SPX", {}, FeedOptions(url=url)).connect_url() == ""
    return Driven(CboeProtocol("SPX", url, jitter=lambda: 0.0), START, tap=tap)


async def test_a_page_goes_from_the_server_to_the_chain(venue: CboeVenue) -> None:
    async with driven(venue) as run:
        await run.until(lambda: "live" in run.states)
        kinds = [type(e) for e in run.events if not isinstance(e, FeedStatus | FeedReport)]
        assert kinds[:2] == [SourceInfo, Definitions]
        assert len(run.chain.contracts) == 20
        [request] = venue.requests
        assert request.headers["User-Agent"] == f"gexterm/{__version__}"
        assert "gzip" in request.headers["Accept-Encoding"]
        assert "Cookie" not in request.headers and "If-None-Match" not in request.headers
        venue.renew(later(1, shift=2.0))
        await run.until(lambda: len(run.of(Quotes)) >= 2, moving=1.0)
        assert run.clock.now_ns() - START >= 60 * NS
        assert venue.requests[1].headers["If-None-Match"] == '"1"'
        assert len(run.of(Definitions)) == 1 and len(run.of(SourceInfo)) == 1


async def test_market_time_is_a_quarter_of_an_hour_ago(venue: CboeVenue) -> None:
    async with driven(venue) as run:
        await run.until(lambda: "live" in run.states)
        await run.until(lambda: bool(run.of(ClockTick)), moving=1.0)
        tick = run.of(ClockTick)[-1].ts
        assert abs(run.clock.now_ns() - 900 * NS - tick) < 3 * NS
        assert all(int(q.ts.max()) <= tick + NS for q in run.of(Quotes))


async def test_the_report_says_that_there_are_no_prints(venue: CboeVenue) -> None:
    async with driven(venue) as run:
        await run.until(lambda: bool(run.chain.contracts))
        await run.until(lambda: bool(run.of(FeedReport)), moving=1.0)
        await run.until(lambda: run.report.listed == 20, moving=1.0)
        assert (run.report.quoted, run.report.printed, run.report.heard_from) == (20, 0, 0)
        assert any("no prints" in note for note in run.report.notes)


FAULTS = ["429", "500", "503 later", "cut", "rubbish", "older", "another etag", "silence"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_after_every_fault_the_chain_is_as_if_nothing_had_been(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bids(fault: str) -> np.ndarray:
        async with CboeVenue(page(STAMP)) as venue, driven(venue) as run:
            await run.until(lambda: "live" in run.states)
            if fault == "429":
                venue.refusals = [(429, {"Retry-After": "100"})]
            elif fault == "500":
                venue.refusals = [(500, {}), (502, {})]
            elif fault == "503 later":
                venue.refusals = [(503, {"Retry-After": "7"})]
            elif fault == "cut":
                venue.renew(later(1, shift=1.0))
                venue.cut_at = 100
            elif fault == "rubbish":
                venue.renew(b'{"timestamp": "2022-07-12')
            elif fault == "older":
                venue.renew(later(-3, shift=9.0))
            elif fault == "another etag":
                venue.etag = '"x"'
            elif fault == "silence":
                monkeypatch.setattr(cboe_delayed, "DEADLINE_S", 0.2)
                venue.hang.clear()
            if fault:
                asked = len(venue.requests)
                await run.until(lambda: len(venue.requests) > asked, moving=1.0)
            if fault in ("429", "500", "503 later", "cut", "rubbish", "silence"):
                await run.until(lambda: "reconnecting" in run.states, moving=1.0)
                assert "next try in" in run.said
            venue.hang.set()
            venue.etag = '"100"'
            venue.renew(later(40, shift=5.0))
            stamp = ns(STAMP) + 40 * 60 * NS - 900 * NS
            await run.until(
                lambda: any(int(q.ts.max()) == stamp for q in run.of(Quotes)), moving=1.0
            )
            await run.until(lambda: run.states[-1] == "live", moving=1.0)
            assert not run.ended
            return run.chain.column("bid").copy()

    np.testing.assert_array_equal(await bids(fault), await bids(""))


@pytest.mark.parametrize(
    ("status", "says"), [(404, "has no page"), (403, "refuses"), (301, "points elsewhere")]
)
async def test_a_refusal_is_told_once_and_not_asked_again(
    venue: CboeVenue, status: int, says: str
) -> None:
    venue.refusals = [(status, {"Location": "https://elsewhere.test/"})] * 9
    async with driven(venue) as run:
        await run.until(lambda: run.ended, moving=1.0)
        assert run.states[-1] == "refused" and says in run.said
    assert len(venue.served) == 1


async def test_a_page_without_end_is_not_read_to_its_end(
    venue: CboeVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cboe_delayed, "LARGEST", 1000)
    async with driven(venue) as run:
        await run.until(lambda: run.ended, moving=1.0)
        assert "sends more than" in run.said and run.states[-1] == "refused"
        assert not run.of(Quotes)


async def test_a_day_of_unchanged_pages_is_stale_and_then_live_again(venue: CboeVenue) -> None:
    async with driven(venue) as run:
        await run.until(lambda: "stale" in run.states, moving=1.0)
        assert "has not changed for 5 minutes" in run.said
        assert set(venue.served[1:]) == {304}
        venue.renew(later(9))
        await run.until(lambda: run.states[-1] == "live", moving=1.0)


async def test_when_nobody_listens_it_says_so_and_goes_on_trying() -> None:
    async with CboeVenue(b"") as gone:
        url = gone.url("/quotes", "http")
    async with Driven(CboeProtocol("SPX", url, jitter=lambda: 0.0), START) as run:
        await run.until(lambda: "next try in 120 s" in run.said, moving=1.0)
        assert "refused" not in run.states and "127.0.0.1" in run.said


async def test_raw_answers_of_a_session_with_faults_say_it_all_again(
    tmp_path: Path, venue: CboeVenue
) -> None:
    async with kept(tmp_path) as recorder:
        async with driven(venue, tap=recorder.tap) as run:
            await run.until(lambda: "live" in run.states)
            recorder.event(run.of(SourceInfo)[0])
            venue.refusals = [(503, {}), (429, {"Retry-After": "90"})]
            await run.until(lambda: len(venue.served) >= 4, moving=1.0)
            venue.renew(later(9, shift=3.0))
            await run.until(lambda: len(run.of(Quotes)) >= 2, moving=1.0)
        await recorder.flushed()
        heard = list(run.events)
    same_again(recorder, CboeProtocol("SPX", venue.url("/quotes", "http")), heard)
