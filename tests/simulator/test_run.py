"""A simulated stretch of a day, from the events a feed would send and the truth beside them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from itertools import pairwise

import numpy as np
import pytest

from gexterm.clock import NS
from gexterm.errors import InputError
from gexterm.market.calendar import at_et, session_close_ns
from gexterm.market.chain import Chain
from gexterm.market.events import (
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
    Volume,
)
from gexterm.market.settlement import expiry_of
from gexterm.pricing.chain import Pricer
from gexterm.simulator.run import simulate
from gexterm.simulator.script import Change, FlowScript, Gap, Script, SpotScript
from gexterm.simulator.truth import Truth, digest
from tests.simulator import made

DATE = dt.date(2026, 11, 19)
SHORT = made.script(5)


@pytest.fixture(scope="module")
def day() -> tuple[list[Event], Truth]:
    return made.run(SHORT)


def test_the_same_seed_gives_the_same_events_and_another_seed_others(
    day: tuple[list[Event], Truth],
) -> None:
    events, truth = day
    again, same_truth = made.run(SHORT)
    assert digest(again) == digest(events)
    for name, column in truth.prints.items():
        assert (column == same_truth.prints[name]).all()
    other, _ = made.run(dataclasses.replace(SHORT, seed=SHORT.seed + 1))
    assert digest(other) != digest(events)


def test_looking_at_the_truth_changes_nothing(day: tuple[list[Event], Truth]) -> None:
    assert digest(simulate(SHORT)) == digest(day[0])


def test_a_session_begins_with_its_source_contracts_and_open_interest(
    day: tuple[list[Event], Truth],
) -> None:
    info, definitions, interest = day[0][:3]
    assert isinstance(info, SourceInfo)
    assert (info.mode, info.conditions, info.venue_side) == ("simulated", "opra", "")
    assert (info.begins, info.ends) == (at_et(DATE, dt.time(15)), at_et(DATE, dt.time(15, 5)))
    assert isinstance(definitions, Definitions)
    assert isinstance(interest, OpenInterest)
    assert len(interest.contract) == len(definitions.contracts)


def test_events_come_in_the_order_in_which_they_are_received(
    day: tuple[list[Event], Truth],
) -> None:
    received = [e.recv for e in day[0] if hasattr(e, "recv")]
    assert all(a <= b for a, b in pairwise(received))
    kinds = {type(e) for e in day[0]}
    assert {Quotes, Trades, UnderlyingPrice, Volume} <= kinds


def test_nothing_is_received_before_it_happened(day: tuple[list[Event], Truth]) -> None:
    for event in day[0]:
        if isinstance(event, Quotes | Trades):
            assert int(event.ts.max()) <= event.recv


def test_the_index_is_published_every_second(day: tuple[list[Event], Truth]) -> None:
    times = [e.ts for e in day[0] if isinstance(e, UnderlyingPrice)]
    begin = at_et(DATE, dt.time(15))
    assert times == [begin + s * NS for s in range(5 * 60 + 1)]


def test_the_tape_does_not_say_who_it_was(day: tuple[list[Event], Truth]) -> None:
    for event in day[0]:
        if isinstance(event, Trades):
            assert (event.side == 0).all()


def test_every_print_on_the_tape_is_in_the_truth(day: tuple[list[Event], Truth]) -> None:
    events, truth = day
    true = dict(zip(truth.prints["sequence"].tolist(), truth.prints["size"].tolist(), strict=True))
    heard = 0
    for event in events:
        if isinstance(event, Trades):
            for sequence, size, action, condition in zip(
                event.sequence, event.size, event.action, event.condition, strict=True
            ):
                if action == 0 and chr(condition) not in "ACEG":
                    assert true[int(sequence)] == size
                    heard += 1
    assert heard > 100


def test_opening_and_prints_add_up_to_what_the_dealer_holds(
    day: tuple[list[Event], Truth],
) -> None:
    _, truth = day
    assert truth.opening is not None
    assert truth.closing is not None
    stands = truth.prints["busted_at"] == 0
    held = truth.opening + np.bincount(
        truth.prints["contract"][stands], truth.prints["dealer"][stands], len(truth.opening)
    )
    assert held == pytest.approx(truth.closing, abs=1e-9)
    assert (truth.closing != truth.opening).any()


def test_volume_is_what_traded_so_far_and_only_grows(day: tuple[list[Event], Truth]) -> None:
    events, truth = day
    volumes = [e for e in events if isinstance(e, Volume)]
    assert {(b.ts - a.ts) / NS for a, b in pairwise(volumes)} == {15.0}
    first = np.zeros(len(truth.opening if truth.opening is not None else ()))
    so_far = first.copy()
    for event in volumes:
        assert (event.volume >= so_far[event.contract]).all()
        so_far[event.contract] = event.volume
        if event is volumes[0]:
            first = so_far.copy()
    last = volumes[-1].ts
    fresh = (truth.prints["traded_at"] < last) & (truth.prints["corrects"] < 0)
    traded = np.bincount(
        truth.prints["contract"][fresh], truth.prints["size"][fresh], minlength=len(first)
    )
    in_first_second = (truth.prints["traded_at"] < volumes[0].ts + NS) & fresh
    already = np.bincount(
        truth.prints["contract"][in_first_second],
        truth.prints["size"][in_first_second],
        minlength=len(first),
    )
    known = so_far > 0
    assert (so_far - first)[known] == pytest.approx((traded - already)[known], abs=60.0)
    assert first == pytest.approx(already, abs=60.0), "nothing was traded before the script began"


def test_a_gap_silences_the_feed_and_not_the_market() -> None:
    at, seconds = dt.time(15, 2), 60.0
    gap = dataclasses.replace(SHORT, gaps=(Gap(at, seconds),))
    events, truth = made.run(gap)
    begin = at_et(DATE, at)
    end = begin + round(seconds * NS)
    sent_before = begin + NS // 2  # what was sent a moment before still arrives
    assert not [e for e in events if sent_before < getattr(e, "recv", 0) < end]
    assert [e for e in events if getattr(e, "recv", 0) > end]
    meanwhile = (truth.prints["traded_at"] > begin) & (truth.prints["traded_at"] < end - 10 * NS)
    assert meanwhile.sum() > 10
    heard = {int(s) for e in events if isinstance(e, Trades) for s in e.sequence}
    unheard = [s for s in truth.prints["sequence"][meanwhile].tolist() if s not in heard]
    assert len(unheard) > 0.8 * meanwhile.sum()
    # Spot goes where it would have gone.
    assert made.spots(events)[-1] == made.spots(made.run(SHORT)[0])[-1]


def _net(truth: Truth, kind: str, since: int, until: int) -> tuple[float, float]:
    """Customers' net over gross in today's puts below or calls above spot; and its error."""
    assert truth.listing is not None
    prints, listing = truth.prints, truth.listing
    right = -1.0 if kind == "puts" else 1.0
    wanted = listing.today & (listing.sign == right) & (right * (listing.strike - 6700.0) > 10.0)
    chosen = wanted[prints["contract"]] & (prints["customer"] != 0)
    chosen &= (prints["traded_at"] >= since) & (prints["traded_at"] < until)
    chosen &= prints["corrects"] < 0
    signed = (prints["customer"] * prints["size"])[chosen]
    gross = float(np.abs(signed).sum())
    return float(signed.sum()) / gross, float(np.sqrt(np.square(signed).sum())) / gross


def test_customers_change_their_mind_at_the_time_the_script_says() -> None:
    turn = dt.time(15, 5)
    flow = FlowScript(contracts=1_000_000.0, tilt=0.6)
    script = made.script(10, intent="BofA", changes=(Change(turn, "Sidial"),), flow=flow)
    _, truth = made.run(script)
    begin, turned = at_et(DATE, dt.time(15)), at_et(DATE, turn)
    for kind in ("puts", "calls"):
        before, error = _net(truth, kind, begin, turned)
        after, error_after = _net(truth, kind, turned, turned + 300 * NS)
        assert before > 0.2 + 2 * error, "BofA: customers buy both"
        assert after < -0.2 - 2 * error_after, "Sidial: they sell both"


def test_on_a_null_day_customers_want_nothing() -> None:
    flow = FlowScript(contracts=1_000_000.0, tilt=0.0, opening_inventory=0.0)
    _, truth = made.run(made.script(10, intent="none", flow=flow))
    assert truth.opening is not None
    assert truth.listing is not None
    assert (truth.opening[truth.listing.today] == 0).all()
    begin = at_et(DATE, dt.time(15))
    for kind in ("puts", "calls"):
        net, error = _net(truth, kind, begin, begin + 600 * NS)
        assert abs(net) < 4 * error


def test_half_a_day_ends_at_one_and_todays_contracts_with_it() -> None:
    half = dt.date(2026, 11, 27)
    script = dataclasses.replace(made.script(5, at=dt.time(12, 55)), date=half, ends=None)
    events, truth = made.run(script)
    close = session_close_ns(half)
    info = events[0]
    assert isinstance(info, SourceInfo)
    assert info.ends == close == at_et(half, dt.time(13))
    assert (truth.prints["traded_at"] < close).all()
    assert max(e.ts for e in events if isinstance(e, UnderlyingPrice)) == close
    assert truth.listing is not None
    assert (truth.listing.settles_at[truth.listing.today] == close).all()


@pytest.mark.parametrize("term", ["contango", "inverted"])
def test_the_term_structure_is_the_one_asked_for(term: str) -> None:
    script = dataclasses.replace(made.script(1, at=dt.time(10)), chain="medium", term=term)
    chain = Chain(expiry_of)
    for event in made.run(script)[0]:
        chain.apply(event)
    surface, _ = Pricer().price(chain.rows(at_et(DATE, dt.time(10, 1))))
    years = surface.years
    month = surface.atm_iv[np.argmin(np.abs(years - 30 / 365))]
    quarter = surface.atm_iv[np.argmin(np.abs(years - 100 / 365))]
    assert (month > quarter) == (term == "inverted")


def test_hedging_moves_spot_only_where_the_script_gives_it_an_impact(
    day: tuple[list[Event], Truth],
) -> None:
    felt = dataclasses.replace(SHORT, spot=SpotScript(jumps=0.0, impact=50.0))
    assert made.spots(made.run(felt)[0]) != made.spots(day[0])


def test_progress_runs_from_begin_to_end() -> None:
    shares: list[float] = []
    list(simulate(made.script(2), progress=shares.append))
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_a_script_that_makes_no_sense_is_refused_before_anything_happens() -> None:
    bad = dataclasses.replace(SHORT, flow=FlowScript(tilt=2.0))
    with pytest.raises(InputError, match=r"script 'short': flow\.tilt is 2\.0; use 0 to 1"):
        next(simulate(bad))


def test_every_number_of_a_script_has_bounds() -> None:
    next(simulate(Script("any", "Any", 1, begins=dt.time(15, 59))))
