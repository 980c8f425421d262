"""The synthetic market as a whole: what is true, and what is published of it."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gexterm.clock import NS
from gexterm.errors import InputError
from gexterm.market import calendar
from gexterm.market.chain import Chain
from gexterm.market.events import (
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    SourceInfo,
    UnderlyingPrice,
)
from gexterm.market.settlement import expiry_of
from gexterm.pricing.chain import Pricer
from gexterm.simulator.market import Market
from gexterm.simulator.sample import digest
from gexterm.simulator.script import Gap, QuoteScript, Script, Series, SpotScript
from gexterm.simulator.step import Step

THURSDAY = dt.date(2026, 11, 19)
HALF_DAY = dt.date(2026, 11, 27)
FEW = (
    Series("SPXW", 0, 25, 0.04, 0.04, share=0.6),
    Series("SPXW", 1, 50, 0.05, 0.05, share=0.2),
    Series("SPX", 29, 100, 0.10, 0.08, share=0.2),
)
NO_FAULTS = QuoteScript(stale_share=0.0, crossed_share=0.0)


def script(**changed: Any) -> Script:
    given: dict[str, Any] = {"begins": dt.time(11, 0), "chain": "small", **changed}
    return Script("a-day", "A day", given.pop("seed", 1), **given)


def run(market: Market, seconds: int) -> tuple[list[Step], list[Event]]:
    steps, events = [], []
    for second in range(seconds):
        steps.append(market.step(second))
        events += market.published(steps[-1])
    return steps, events


@pytest.fixture(scope="module")
def plain() -> tuple[Market, list[Step], list[Event]]:
    market = Market(script(quotes=QuoteScript(stale_share=0.0, crossed_share=0.0)))
    return market, *run(market, 240)


@pytest.fixture(scope="module")
def faulty() -> tuple[Market, list[Step], list[Event]]:
    market = Market(script(quotes=QuoteScript(stale_share=0.05, crossed_share=0.01)))
    return market, *run(market, 400)


def arrived(market: Market, events: list[Event]) -> Chain:
    chain = Chain(expiry_of)
    for event in (*market.opening_events(), *events):
        chain.apply(event)
    return chain


def test_it_says_what_it_is_before_anything_else() -> None:
    market = Market(script())
    info, definitions, interest = market.opening_events()
    assert isinstance(info, SourceInfo)
    assert (info.mode, info.feed, info.conditions) == ("simulated", "synthetic", "opra")
    assert "no market data" in info.note
    assert info.begins == calendar.at_et(THURSDAY, dt.time(11, 0))
    assert info.ends == calendar.session_close_ns(THURSDAY) == market.ends
    assert isinstance(definitions, Definitions) and isinstance(interest, OpenInterest)
    assert definitions.contracts == market.listing.contracts
    assert (interest.open_interest == market.listing.open_interest).all()
    assert interest.ts == calendar.session_close_ns(dt.date(2026, 11, 18))


def test_a_day_runs_from_open_to_close() -> None:
    assert Market(script(begins=None, chain=FEW)).seconds == 23_400
    half = Market(script(begins=None, chain=FEW, date=HALF_DAY))
    assert half.seconds == 12_600
    assert half.ends == calendar.at_et(HALF_DAY, dt.time(13, 0))
    settles = half.listing.settles_at[half.listing.today]
    assert (settles == half.ends).all()


@pytest.mark.parametrize(
    "nonsense",
    [
        {"date": dt.date(2026, 11, 26)},
        {"ends": dt.time(10, 0)},
        {"begins": dt.time(15, 0), "date": HALF_DAY},
        {"spot": SpotScript(sigma=0.0)},
        {"chain": "huge"},
        {"chain": ()},
    ],
)
def test_nonsense_is_refused(nonsense: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Market(script(**nonsense))


def test_seconds_are_taken_in_order_and_to_the_end_only() -> None:
    market = Market(script(chain=FEW, ends=dt.time(11, 0, 2)))
    with pytest.raises(ValueError, match="not the next"):
        market.step(1)
    for second in range(3):
        market.step(second)
    with pytest.raises(ValueError, match="not the next"):
        market.step(3)


def test_the_same_script_is_the_same_market() -> None:
    first, second = (run(Market(script()), 40)[1] for _ in range(2))
    assert digest(first) == digest(second)
    assert digest(run(Market(script(seed=2)), 40)[1]) != digest(first)


def test_the_same_script_is_the_same_market_in_another_process() -> None:
    code = (
        "import datetime as dt\n"
        "from gexterm.simulator.market import Market\n"
        "from gexterm.simulator.sample import digest\n"
        "from gexterm.simulator.script import Script\n"
        "m = Market(Script('a-day', 'A day', 1, begins=dt.time(11, 0), chain='small'))\n"
        "print(digest([e for s in range(40) for e in m.published(m.step(s))]))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "77"},
    )
    assert told.stdout.strip() == digest(run(Market(script()), 40)[1])


def test_faults_and_flicker_leave_spot_and_open_interest_alone() -> None:
    plain = Market(script())
    other = Market(script(quotes=QuoteScript(0.4, 0.1, 20.0, 5, 0.6, 300.0)))
    assert (plain.listing.open_interest == other.listing.open_interest).all()
    for second in range(60):
        one, two = plain.step(second), other.step(second)
        other.published(two)
        assert one.spot == two.spot
        assert (one.fair == two.fair).all()


def test_steering_moves_spot_by_its_points() -> None:
    free, steered = Market(script(chain=FEW)), Market(script(chain=FEW))
    pushed = [0.0, 0.5, 0.5, -0.25]
    for second, points in enumerate(pushed):
        gap = steered.step(second, points).spot - free.step(second).spot
        assert gap == pytest.approx(sum(pushed[: second + 1]), abs=1e-3)


def test_steps_keep_what_they_saw() -> None:
    market = Market(script(chain=FEW))
    first = market.step(0)
    kept = {f.name: np.copy(getattr(first, f.name)) for f in fields(first)}
    for second in range(1, 30):
        market.step(second)
    for name, value in kept.items():
        assert np.array_equal(getattr(first, name), value), name


def test_call_and_put_keep_parity_in_every_second(
    plain: tuple[Market, list[Step], list[Event]],
) -> None:
    market, steps, _ = plain
    listing = market.listing
    for step in steps[::17]:
        difference = step.fair[::2] - step.fair[1::2]
        for series in range(len(market.series)):
            # C − P = D (F − K): a straight line in K that falls by nearly one per point.
            mine = listing.series[::2] == series
            strike = listing.strike[::2][mine]
            slope, at_spot = np.polyfit(strike - step.spot, difference[mine], 1)
            line = slope * (strike - step.spot) + at_spot
            assert difference[mine] == pytest.approx(line, abs=0.01)
            assert slope == pytest.approx(-1.0, abs=0.005)
        today = listing.today[::2]
        assert (step.delta[::2] - step.delta[1::2])[today] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("begins", [dt.time(9, 30), dt.time(12, 30), dt.time(15, 0)])
def test_the_forward_of_today_is_found_with_five_percent_stale(begins: dt.time) -> None:
    market = Market(script(begins=begins, quotes=QuoteScript(stale_share=0.05)))
    chain, pricer, errors = Chain(expiry_of), Pricer(), []
    for event in market.opening_events():
        chain.apply(event)
    for second in range(300):
        step = market.step(second)
        for event in market.published(step):
            chain.apply(event)
        if second % 5 == 4:
            surface, _ = pricer.price(chain.rows(step.now))
            errors.append(surface.forward[0] - market.surface.forward[0])
    assert np.sqrt(np.mean(np.square(errors))) < 0.05
    assert abs(np.mean(errors)) < 0.02


def test_every_second_has_its_index_in_cents(
    plain: tuple[Market, list[Step], list[Event]],
) -> None:
    market, steps, events = plain
    prices = [e for e in events if isinstance(e, UnderlyingPrice)]
    assert [p.ts for p in prices] == [market.begins + s * NS for s in range(240)]
    assert [p.price for p in prices] == [round(s.spot, 2) for s in steps]


def test_receipt_is_never_before_the_exchange_nor_runs_backwards(
    plain: tuple[Market, list[Step], list[Event]],
    faulty: tuple[Market, list[Step], list[Event]],
) -> None:
    for _, _, events in (plain, faulty):
        recv = [e.recv for e in events if isinstance(e, Quotes | UnderlyingPrice)]
        assert recv == sorted(recv)
        assert all(e.recv >= e.ts.max() for e in events if isinstance(e, Quotes))


@pytest.mark.parametrize("latency", [0.0, 60.0, 150.0])
def test_quotes_are_as_late_as_asked_for(latency: float) -> None:
    market = Market(
        script(chain=FEW, quotes=replace(NO_FAULTS, quote_latency_ms=latency, flicker_hz=0.0))
    )
    events = run(market, 400)[1][2:]
    late = [(e.recv - int(e.ts.max())) / 1e6 for e in events if isinstance(e, Quotes)]
    # Messages wait for the one ahead of them, so that the mean is above what one takes.
    assert 0.9 * latency <= np.mean(late) <= 1.7 * latency + 1e-9
    assert max(late) <= 5 * latency


def test_contracts_are_quoted_in_order_of_their_own_changes(
    faulty: tuple[Market, list[Step], list[Event]],
) -> None:
    last: dict[int, int] = {}
    for event in faulty[2]:
        if isinstance(event, Quotes):
            for contract, ts in zip(event.contract.tolist(), event.ts.tolist(), strict=True):
                assert last.get(contract, 0) <= ts
                last[contract] = ts


def test_a_feed_without_faults_tells_the_truth(
    plain: tuple[Market, list[Step], list[Event]],
) -> None:
    market, steps, events = plain
    chain = arrived(market, events)
    ids = np.arange(len(market.listing.contracts), dtype=np.int32)
    true = steps[-1].quote_at(ids, np.full(len(ids), steps[-1].now + NS))
    for name, want in zip(("bid", "ask", "bid_size", "ask_size"), true, strict=True):
        assert chain.column(name) == pytest.approx(want, abs=1e-9)


def test_only_what_changed_is_published(
    plain: tuple[Market, list[Step], list[Event]],
) -> None:
    market, _, events = plain
    held: dict[int, tuple[float, ...]] = {}
    for event in events:
        if isinstance(event, Quotes):
            rows = zip(
                event.contract.tolist(),
                event.bid.tolist(),
                event.ask.tolist(),
                event.bid_size.tolist(),
                event.ask_size.tolist(),
                strict=True,
            )
            for contract, *quote in rows:
                # Two flickers of a contract may happen to be alike; a renewal never is.
                if tuple(quote) == held.get(contract):
                    assert event.ts[0] % NS != market.begins % NS
                held[contract] = tuple(quote)


def test_the_share_asked_for_is_behind(
    faulty: tuple[Market, list[Step], list[Event]],
) -> None:
    market, steps, events = faulty
    chain = Chain(expiry_of)
    for event in market.opening_events():
        chain.apply(event)
    behind, batches = [], iter(events)
    event = next(batches)
    near = np.abs(steps[0].delta) > 0.1
    for step in steps:
        # What is under way belongs to the second too; only faults are behind after it.
        while (
            event is not None
            and (event.ts if isinstance(event, UnderlyingPrice) else int(event.ts.max()))
            < step.now + NS
        ):
            chain.apply(event)
            event = next(batches, None)
        ids = np.arange(len(near), dtype=np.int32)
        true = step.quote_at(ids, np.full(len(ids), step.now + NS))
        off = (np.abs(chain.column("bid") - true[0]) > 1e-9) | (
            np.abs(chain.column("ask") - true[1]) > 1e-9
        )
        behind.append(off[near & market.listing.today].mean())
    # Quotes that hang in a quiet moment are not behind yet.
    assert 0.02 < np.mean(behind[100:]) < 0.06


def test_some_quotes_are_locked_or_crossed_and_put_right(
    faulty: tuple[Market, list[Step], list[Event]],
) -> None:
    market, steps, events = faulty
    quotes = [e for e in events if isinstance(e, Quotes)][1:]
    rows = sum(len(e.contract) for e in quotes)
    locked = sum(int((e.bid == e.ask).sum()) for e in quotes)
    crossed = sum(int((e.bid > e.ask).sum()) for e in quotes)
    assert (locked + crossed) / rows == pytest.approx(0.01, abs=4 * np.sqrt(0.01 / rows))
    assert locked > crossed > 0
    chain = arrived(market, events)
    assert (chain.column("bid") >= chain.column("ask")).sum() < 10
    assert all((step.bid < step.ask).all() for step in steps[::20])


def test_a_wrong_quote_lasts_until_the_next_second() -> None:
    market = Market(script(quotes=QuoteScript(stale_share=0.0, crossed_share=0.05)))
    wrong: set[int] = set()
    found = 0
    for second in range(120):
        told = [e for e in market.published(market.step(second)) if isinstance(e, Quotes)]
        again = {int(c) for e in told for c in e.contract}
        assert wrong <= again
        bad = {
            int(c): bool(b) for e in told for c, b in zip(e.contract, e.bid >= e.ask, strict=True)
        }
        wrong = {c for c, is_bad in bad.items() if is_bad}
        found += len(wrong)
    assert found > 100


def test_what_hung_comes_under_the_time_of_its_change() -> None:
    market = Market(script(quotes=QuoteScript(0.1, 0.0, 2.0)))
    n = len(market.listing.contracts)
    ids = np.arange(n, dtype=np.int32)
    true, since, late = np.full((4, n), np.nan), np.zeros(n, np.int64), 0
    for second in range(200):
        step = market.step(second)
        now = np.stack([step.bid, step.ask, step.bid_size, step.ask_size])
        since[(now != true).any(axis=0)] = step.now
        for event in market.published(step):
            if isinstance(event, Quotes) and (event.ts <= step.now).all():
                assert (event.ts == since[event.contract]).all()
                late += int((event.ts < step.now - 2 * NS).sum())
        since[step.flicker_contract] = step.flicker_ts
        true = step.quote_at(ids, np.full(n, step.now + NS))
    assert late > 100


def test_values_move_by_their_delta_between_their_turns(
    plain: tuple[Market, list[Step], list[Event]],
) -> None:
    market, steps, _ = plain
    month = market.listing.series == 3
    near = month & (np.abs(np.abs(steps[0].delta) - 0.5) < 0.2)
    moves, left = [], []
    for before, after in pairwise(steps):
        change = after.fair[near] - before.fair[near]
        moves.append(np.abs(change).mean())
        left.append(np.abs(change - before.delta[near] * (after.spot - before.spot)).mean())
    # Most seconds are nobody's turn, and then delta is all there is.
    assert np.median(left) < 1e-9 < 0.05 < np.median(moves)


def test_without_faults_nothing_is_locked(
    plain: tuple[Market, list[Step], list[Event]],
) -> None:
    assert not any((e.bid >= e.ask).any() for e in plain[2] if isinstance(e, Quotes))


def test_a_gap_is_silent_and_what_changed_meanwhile_comes_after_it() -> None:
    gap = Gap(dt.time(11, 0, 30), 20.0)
    market = Market(script(chain=FEW, gaps=(gap,), quotes=NO_FAULTS))
    heard = []
    for second in range(60):
        step = market.step(second)
        events = market.published(step)
        assert market.silent(step.now) == (30 <= second < 50)
        assert (not events) == (30 <= second < 50)
        heard += events
    assert (market.step(60).bid >= 0).all()
    chain = arrived(market, heard)
    ids = np.arange(len(market.listing.contracts), dtype=np.int32)
    true = step.quote_at(ids, np.full(len(ids), step.now + NS))
    assert chain.column("bid") == pytest.approx(true[0], abs=1e-9)


@pytest.mark.parametrize(
    ("date", "begins"), [(THURSDAY, dt.time(15, 59)), (HALF_DAY, dt.time(12, 59))]
)
def test_todays_options_settle_at_the_close_and_are_quoted_no_more(
    date: dt.date, begins: dt.time
) -> None:
    market = Market(script(date=date, begins=begins, chain=FEW, quotes=NO_FAULTS))
    assert market.seconds == 60
    steps, _ = run(market, 60)
    last = market.step(60)
    today = market.listing.today
    paid = np.maximum(market.listing.sign * (last.spot - market.listing.strike), 0.0)
    assert last.fair[today] == pytest.approx(paid[today])
    assert steps[-1].fair[today] == pytest.approx(paid[today], abs=3.0)
    assert not last.bid[today].any() and not last.ask[today].any()
    assert not last.delta[today].any()
    assert (last.ask[~today] > 0).all()
    told = [e.contract for e in market.published(last) if isinstance(e, Quotes)]
    assert not today[np.concatenate(told)].any() if told else True
    assert len(last.flicker_ts) == 0


def test_a_chain_without_today_is_a_market_too() -> None:
    later = (Series("SPXW", 4, 25, 0.03, 0.03), Series("SPX", 29, 50, 0.05, 0.05))
    market = Market(script(chain=later, intent="none"))
    steps, events = run(market, 30)
    assert not market.listing.today.any()
    assert all((s.ask > s.bid).all() for s in steps)
    assert sum(isinstance(e, UnderlyingPrice) for e in events) == 30
