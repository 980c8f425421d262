"""What a script asks of spot is what spot does, counted against levels of the true book."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.errors import InputError
from gexterm.exposure.paradigm import ParadigmReading
from gexterm.market.events import UnderlyingPrice
from gexterm.simulator.market import Market
from gexterm.simulator.script import FlowScript, Script, SpotScript
from gexterm.simulator.steering import SIDIAL_WITHIN, Observation, Steering, outcome
from gexterm.simulator.trueview import TrueView
from tests.simulator import made

NAN = float("nan")
NAMES = {f.name for f in dataclasses.fields(ParadigmReading)}


def reading(
    label: str, lower: float = NAN, upper: float = NAN, target: float = NAN
) -> ParadigmReading:
    words = {"label": label, "qualifier": "", "since": 0, "previous": "", "dimmed": ""}
    levels = {"lis_lower": lower, "lis_upper": upper, "target": target}
    rest = dict.fromkeys(NAMES - set(words) - set(levels), NAN)
    return ParadigmReading(**{**words, **levels, **rest})  # type: ignore[arg-type]


LEVELS = {
    "BofA": reading("BofA", lower=6680.0, upper=6725.0),
    "GEX": reading("GEX", lower=6675.0, target=6730.0),
    "Anti-GEX": reading("Anti-GEX", upper=6725.0, target=6670.0),
    "Sidial": reading("Sidial", target=6710.0),
}
WISHES = [
    ("BofA", "", "none"),
    ("BofA", "", "lower"),
    ("BofA", "", "upper"),
    ("BofA", "", "winner"),
    ("GEX", "hit", ""),
    ("GEX", "miss", ""),
    ("GEX", "hit", "none"),
    ("GEX", "miss", "lower"),
    ("GEX", "hit", "lower"),
    ("GEX", "hit", "winner"),
    ("GEX", "", "winner"),
    ("Anti-GEX", "hit", ""),
    ("Anti-GEX", "miss", "upper"),
    ("Anti-GEX", "hit", "winner"),
    ("Sidial", "hit", ""),
    ("Sidial", "miss", ""),
]


def walk(
    script: Script, shown: ParadigmReading | Callable[[float], ParadigmReading], seed: int
) -> tuple[Steering, list[float]]:
    """A driftless walk under steering, the book always reading the same."""
    steering = Steering(script)
    rng = np.random.default_rng(seed)
    seconds = 60 * 30
    begin = steering.begins
    spot, path = script.spot.open, []
    noise = 1.5 * script.spot.sigma * script.spot.open / math.sqrt(23_400)
    for second in range(seconds + 1):
        now = begin + second * NS
        if second:
            spot += steering.drift(now, spot) + noise * rng.standard_normal()
        path.append(spot)
        if steering.due(second):
            steering.read(now, spot, shown(spot) if callable(shown) else shown)
    steering.drift(now, spot)
    return steering, path


def wished(intent: str, target: str, breach: str) -> Script:
    return made.script(30, intent=intent, target=target, breach=breach)


@pytest.mark.parametrize(("intent", "target", "breach"), WISHES)
@given(seed=st.integers(0, 2**32))
# One walk in thousands ends too far away and is refused by name: always the same walks here.
@settings(max_examples=8, deadline=None, derandomize=True)
def test_whatever_is_asked_for_comes_about(
    intent: str, target: str, breach: str, seed: int
) -> None:
    steering, path = walk(wished(intent, target, breach), LEVELS[intent], seed)
    came = steering.finish()
    seen = steering.observed
    assert came is not None
    assert seen is not None
    after = path[round((seen.at - steering.begins) / NS) + 1 :]
    if target and intent == "Sidial":
        assert (abs(after[-1] - seen.target) <= SIDIAL_WITHIN * seen.spot) == (target == "hit")
    elif target:
        reached = max(after) >= seen.target if intent == "GEX" else min(after) <= seen.target
        assert reached == (target == "hit")
    crossed = min(after) < seen.lower or max(after) > seen.upper
    outside = after[-1] < seen.lower or after[-1] > seen.upper
    if breach == "none":
        assert not crossed
    elif breach == "winner":
        assert crossed
        assert not outside
    elif breach:
        assert after[-1] < seen.lower if breach == "lower" else after[-1] > seen.upper


def test_nothing_asked_is_nothing_done() -> None:
    steering, _ = walk(wished("GEX", "", ""), LEVELS["GEX"], 1)
    assert not steering.steers
    assert steering.observed is None
    assert steering.finish() is None
    assert steering.drift(steering.begins, 6700.0) == 0.0


def test_noise_stays_as_large_as_it_was() -> None:
    """Steering adds a drift; the standard deviation of a second's change stays."""
    _, free = walk(wished("GEX", "", ""), LEVELS["GEX"], 3)
    _, led = walk(wished("GEX", "hit", ""), LEVELS["GEX"], 3)
    assert np.std(np.diff(led)) == pytest.approx(float(np.std(np.diff(free))), rel=0.03)


def test_a_book_that_never_reads_what_is_wanted_is_an_error_and_no_silence() -> None:
    with pytest.raises(InputError, match=r"never read GEX with the levels .*\(last: Mixed\)"):
        walk(wished("GEX", "hit", ""), reading("Mixed"), 1)
    without = reading("GEX", lower=6680.0)
    with pytest.raises(InputError, match="never read GEX"):
        walk(wished("GEX", "hit", ""), without, 1)


def test_a_level_that_is_nearly_reached_already_is_no_wish_to_fulfil() -> None:
    with pytest.raises(InputError, match="never read GEX"):
        walk(
            wished("GEX", "miss", ""),
            lambda spot: reading("GEX", lower=6680.0, target=spot + 1.0),
            1,
        )


def test_outcomes_are_counted_as_the_white_paper_counts_them() -> None:
    bofa = Observation(0, "BofA", 6700.0, 6680.0, 6720.0, NAN)
    assert outcome(bofa, [6690.0, 6710.0]).breach == "none"
    assert outcome(bofa, [6680.0, 6720.0]).breach == "none", "at the line is not beyond it"
    assert outcome(bofa, [6679.9, 6700.0]).breach == "winner"
    assert outcome(bofa, [6725.0, 6675.0]).breach == "lower"
    assert outcome(bofa, [6675.0, 6725.0]).breach == "upper"
    gex = Observation(0, "GEX", 6700.0, 6680.0, NAN, 6730.0)
    assert outcome(gex, [6730.0, 6700.0]).hit, "at the target is a hit"
    assert not outcome(gex, [6729.9, 6700.0]).hit
    assert outcome(gex, [6731.0, 6670.0]).breach == "lower"
    anti = Observation(0, "Anti-GEX", 6700.0, NAN, 6720.0, 6670.0)
    assert outcome(anti, [6669.0, 6700.0]).hit
    assert not outcome(anti, [6731.0, 6671.0]).hit
    sidial = Observation(0, "Sidial", 6700.0, NAN, NAN, 6710.0)
    assert outcome(sidial, [6650.0, 6716.0]).hit
    assert not outcome(sidial, [6710.0, 6717.0]).hit


FLOW = FlowScript(contracts=400_000.0, tilt=0.35, opening_inventory=0.05)


@pytest.mark.parametrize(
    ("intent", "target", "breach"),
    [
        ("BofA", "", "none"),
        ("BofA", "", "lower"),
        ("BofA", "", "upper"),
        ("BofA", "", "winner"),
        ("GEX", "hit", ""),
        ("GEX", "miss", "none"),
        ("Anti-GEX", "hit", ""),
        ("Sidial", "hit", ""),
    ],
)
def test_the_market_goes_where_the_script_sends_it(intent: str, target: str, breach: str) -> None:
    """The whole simulator, 12 minutes: prices of the recording against the levels observed."""
    script = made.script(
        12, at=dt.time(15, 20), intent=intent, target=target, breach=breach, flow=FLOW
    )
    events, truth = made.run(script)
    seen = truth.observed
    assert seen["label"] == intent
    after = [e.price for e in events if isinstance(e, UnderlyingPrice) and e.ts > int(seen["at"])]
    lower, upper = float(seen.get("lower", -math.inf)), float(seen.get("upper", math.inf))
    crossed = min(after) < lower or max(after) > upper
    if target == "hit" and intent == "Sidial":
        assert abs(after[-1] - float(seen["target"])) <= SIDIAL_WITHIN * 6700 + 0.01
    elif target:
        level = float(seen["target"])
        reached = max(after) >= level if intent == "GEX" else min(after) <= level
        assert reached == (target == "hit")
    if breach == "lower":
        assert after[-1] < lower
    elif breach == "upper":
        assert after[-1] > upper
    elif breach == "winner":
        assert crossed
        assert lower <= after[-1] <= upper
    elif breach == "none":
        assert not crossed
    assert truth.outcome["hit"] == (target == "hit")


def test_no_jump_leaps_over_a_line_that_shall_hold() -> None:
    script = made.script(
        12, at=dt.time(15, 20), breach="none", flow=FLOW, spot=SpotScript(jumps=100.0)
    )
    events, _ = made.run(script)
    moves = np.abs(np.diff(made.spots(events)))
    assert moves.max() < 6 * 0.008 * 6700 / math.sqrt(23_400) * 2


@pytest.mark.parametrize(
    ("intent", "below", "above"),
    [("BofA", -1, -1), ("GEX", -1, +1), ("Anti-GEX", +1, -1), ("Sidial", +1, +1)],
)
def test_every_paradigm_is_read_from_a_true_book_of_its_kind(
    intent: str, below: int, above: int
) -> None:
    """Dealers long (+) or short (−) what is out of the money, below and above spot."""
    script = made.script(1, intent=intent)
    market = Market(script)
    listing, step = market.listing, market.step(0)
    away = listing.strike - step.spot
    size = np.exp(-0.5 * ((np.abs(away) - 20.0) / 10.0) ** 2) * listing.today
    book = 1000.0 * size * (listing.sign * away > 0.0) * np.where(away < 0.0, below, above)
    view = TrueView(listing, script.date)
    assert view.read(step, book).label == intent
    assert view.read(step, np.zeros(len(book))).label == "No data"


def test_the_true_surface_is_the_markets_own() -> None:
    market = Market(made.script(1))
    listing, step = market.listing, market.step(0)
    surface = TrueView(listing, dt.date(2026, 11, 19)).surface(step)
    at = surface.layout.contract
    today = np.flatnonzero(listing.today)
    assert surface.iv == pytest.approx(step.vol[today][at[0]])
    assert surface.delta == pytest.approx(step.delta[today][at], abs=2e-4)
    assert surface.forward[0] == pytest.approx(step.spot, abs=0.5)
