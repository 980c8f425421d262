"""Another market: what moves, what stays, and that asking changes nothing."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.engine.engine import Engine
from gexterm.engine.inquiry.inquirer import Inquirer
from gexterm.engine.inquiry.moved import moved
from gexterm.engine.inquiry.suppose import horizon, reading_under, words
from gexterm.engine.settings import EngineSettings
from gexterm.errors import ChainError, UsageError
from gexterm.market.calendar import at_et, et
from gexterm.market.contracts import Right
from gexterm.market.events import (
    Definitions,
    OpenInterest,
    Quotes,
    SourceInfo,
    UnderlyingPrice,
)
from gexterm.reading.export import to_json
from gexterm.reading.inquiry import Suppose
from gexterm.reading.model import Reading
from tests.engine.inquiry.books import asked, exposures_at, last_of, traded
from tests.engine.market import DATE, flat_chain
from tests.engine.tapes import MINUTE, TEN, filled, index_of, prints, tick

VIEWS = ("flow", "combined", "customer-flow", "squeezemetrics")
SCOPES = ("0dte", "all", "2026-11-20")


def numbers(of: Any, path: str = "") -> dict[str, Any]:
    """Everything in a JSON form, by its path."""
    if isinstance(of, dict):
        return {
            k: v for name, each in of.items() for k, v in numbers(each, f"{path}.{name}").items()
        }
    if isinstance(of, list):
        return {k: v for i, each in enumerate(of) for k, v in numbers(each, f"{path}.{i}").items()}
    return {path: of}


def assert_same(one: Reading, other: Reading, *, but: tuple[str, ...] = ()) -> None:
    a, b = (numbers(json.loads(to_json(reading))) for reading in (one, other))
    assert a.keys() == b.keys()
    for path, value in a.items():
        if path.startswith(but):
            continue
        if isinstance(value, float) and isinstance(b[path], int | float):
            assert b[path] == pytest.approx(value, rel=1e-9, abs=1e-6), path
        else:
            assert b[path] == value, path


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("view", VIEWS)
def test_the_market_there_is_composed_anew_is_the_newest_reading(view: str, scope: str) -> None:
    last = last_of(traded(view=view, scope=scope))
    assert_same(last.reading, reading_under(last, Suppose()), but=(".source.note",))


def test_nothing_supposed_is_answered_with_the_newest_reading_itself() -> None:
    ask = asked(view="flow")
    found = ask.supposed(Suppose())
    assert found.reading is found.base is ask.reading
    assert found.notes == ()


def test_nothing_is_known_before_the_first_reading_nor_after_a_jump() -> None:
    engine = filled(view="flow")
    with pytest.raises(ChainError, match="nothing is known yet"):
        Inquirer(engine).supposed(Suppose(-0.01))
    tick(engine)
    assert Inquirer(engine).supposed(Suppose(-0.01)).reading.spot == pytest.approx(6700 * 0.99)
    engine.restart()
    with pytest.raises(ChainError):
        Inquirer(engine).supposed(Suppose(-0.01))


def test_asking_leaves_no_trace_in_what_is_read_next() -> None:
    """Hysteresis, once-a-second bands, look-back and the day's sums are not disturbed."""
    readings: list[list[bytes]] = []
    for asks in (False, True):
        engine = filled(view="combined", scope="0dte")
        said = []
        for i in range(8):
            engine.apply(
                prints(
                    (index_of(20 + 5 * i, Right.CALL), (-1) ** i, 90.0 + i),
                    (index_of(-20 - 5 * i, Right.PUT), (-1) ** (i // 2), 120.0),
                    at=TEN + i * 20 * NS,
                )
            )
            said.append(to_json(tick(engine, (i + 1) / 3)))
            if asks:
                ask = Inquirer(engine)
                for suppose in (Suppose(-0.02, 3.0, 200.0), Suppose(0.01), Suppose(minutes=30)):
                    ask.supposed(suppose)
                    ask.curves(suppose)
                ask.outlook("charm")
                ask.tape(5)
        readings.append(said)
    assert readings[0] == readings[1]


@pytest.mark.parametrize("scope", SCOPES)
def test_what_an_hour_brings_is_what_charm_said(scope: str) -> None:
    ask = asked(view="flow", scope=scope)
    delta = [
        float(reading.strikes["delta"].to_numpy().sum())
        for reading in (ask.reading, ask.supposed(Suppose(minutes=60)).reading)
    ]
    assert delta[1] - delta[0] == pytest.approx(-ask.reading.hedging.per_hour, rel=1e-9)


@given(
    move=st.floats(-0.03, 0.03),
    vol=st.floats(-5.0, 20.0),
    minutes=st.floats(0.0, 353.0),
)
@settings(max_examples=15)
def test_exposures_elsewhere_are_those_of_every_contract_priced_there(
    move: float, vol: float, minutes: float
) -> None:
    ask = _FLOW
    found = ask.supposed(Suppose(move, vol, minutes)).reading
    wanted = exposures_at(ask.last.parts, 6700.0 * (1.0 + move), vol / 100.0, minutes)
    book, per_hour = found.book, -found.hedging.per_hour
    for name, value in (
        ("gamma", found.gamma.gex_per_1pct),
        ("charm", per_hour),
        ("vanna", book.vanna_per_point),
        ("vega", book.vega_per_point),
        ("delta", book.delta_notional),
    ):
        assert value == pytest.approx(wanted[name], rel=1e-9, abs=1e-3), name
    assert found.as_of == ask.reading.as_of + round(minutes * 60e9)
    assert found.spot == pytest.approx(6700.0 * (1.0 + move))
    assert sum(found.zero_dte.probability.values()) == pytest.approx(1.0)


_FLOW = asked(view="flow", scope="all")


def test_under_sticky_strikes_the_flip_stays_while_spot_goes() -> None:
    """It is the same curve, looked at from elsewhere; its distance is another."""
    ask = asked(view="flow", scope="all")
    base, there = ask.reading.gamma, ask.supposed(Suppose(0.004)).reading.gamma
    assert there.flip == pytest.approx(base.flip, abs=0.2)
    assert there.flip_distance == pytest.approx(base.flip_distance - 0.004 * 6700.0, abs=0.2)


def test_forwards_go_with_spot_and_carry_stays() -> None:
    surface = last_of(traded(view="flow")).parts.surface
    there = moved(surface, spot_change=-0.01)
    np.testing.assert_allclose(there.forward, 0.99 * surface.forward, rtol=1e-14)
    np.testing.assert_array_equal(there.discount, surface.discount)
    np.testing.assert_array_equal(there.iv, surface.iv)
    later = moved(surface, later_s=3600.0)
    assert later.carry is surface.carry
    # One rate before and after.
    np.testing.assert_allclose(
        np.log(later.discount) / later.years, np.log(surface.discount) / surface.years, atol=1e-12
    )


def test_the_smile_stays_with_strikes_or_goes_along_as_the_settings_say() -> None:
    surface = last_of(traded(view="flow")).parts.surface
    assert surface.smiles is not None
    at = np.arange(len(surface.atm_iv))
    sticky = moved(surface, spot_change=-0.005)
    np.testing.assert_allclose(
        sticky.atm_iv, surface.smiles.iv(at, np.full(len(at), np.log(0.995))), rtol=1e-12
    )
    along = moved(surface, spot_change=-0.005, repricing="sticky moneyness")
    np.testing.assert_array_equal(along.atm_iv, surface.atm_iv)
    # A strike reads what stood at K·S/s.
    row = int(np.flatnonzero(surface.layout.strike == 6650.0)[0])
    read_at = 6650.0 / 0.995
    first = surface.layout.slice(0)
    was = np.interp(read_at, surface.layout.strike[first], surface.iv[first])
    assert along.iv[row] == pytest.approx(was, rel=1e-3)
    assert along.iv[row] != surface.iv[row]


def test_time_stops_a_minute_before_today_settles() -> None:
    ask = asked(view="flow", scope="0dte")
    found = ask.supposed(Suppose(minutes=10_000.0))
    assert et(found.reading.as_of).time() == dt.time(15, 59)
    assert found.suppose.minutes == pytest.approx(353.0)
    assert "cut to 15:59" in found.notes[0]
    assert "settles a minute later" in found.notes[0]
    assert found.reading.zero_dte.seconds_left == 60.0
    assert found.reading.zero_dte.paradigm != "No data"


def test_without_an_expiry_today_time_stops_with_the_session() -> None:
    monday = at_et(DATE + dt.timedelta(days=4), dt.time(10, 0))
    engine = Engine(EngineSettings())
    engine.apply(SourceInfo("SPX", "synthetic", "simulated"))
    for event in flat_chain(monday):
        engine.apply(event)
    tick(engine, (monday - TEN) / MINUTE)
    parts = last_of(engine).parts
    assert not parts.zero
    assert et(horizon(parts)).time() == dt.time(16, 0)


def test_what_settles_on_the_way_has_gone() -> None:
    """An AM expiry before the open, supposed after it."""
    early = at_et(dt.date(2026, 11, 20), dt.time(9, 0))
    engine = Engine(EngineSettings(scope="all", view="customer-flow"))
    engine.apply(SourceInfo("SPX", "synthetic", "simulated"))
    for event in flat_chain(early):
        engine.apply(event)
    tick(engine, (early - TEN) / MINUTE)
    ask = Inquirer(engine)
    listed = {(line.root, line.expiry) for line in ask.reading.expiries}
    assert ("SPX", "2026-11-20") in listed
    there = ask.supposed(Suppose(minutes=60)).reading
    left = {(line.root, line.expiry) for line in there.expiries}
    assert left == listed - {("SPX", "2026-11-20")}
    assert there.zero_dte.expiry == "SPXW 2026-11-20"
    wanted = exposures_at(ask.last.parts, 6700.0, minutes=60)
    assert there.gamma.gex_per_1pct == pytest.approx(wanted["gamma"], rel=1e-9)


def test_volatility_is_cut_where_none_would_be_left() -> None:
    ask = asked(view="flow")
    found = ask.supposed(Suppose(vol_points=-90.0))
    assert -14.0 < found.suppose.vol_points < -10.0
    assert any("volatility is cut" in note for note in found.notes)
    ivs = [line.atm_iv for line in found.reading.expiries]
    assert min(ivs) == pytest.approx(0.01, abs=1e-9)
    assert np.isfinite(found.reading.gamma.gex_per_1pct)


def test_suppositions_that_are_no_numbers_are_refused_and_steps_back_cut() -> None:
    ask = asked(view="flow")
    for wrong in (Suppose(math.nan), Suppose(0.0, math.inf), Suppose(minutes=math.nan)):
        with pytest.raises(UsageError, match="not a number"):
            ask.supposed(wrong)
    back = ask.supposed(Suppose(minutes=-5.0))
    assert back.suppose.minutes == 0.0
    assert back.reading is ask.reading
    assert "time is that of now" in back.notes[0]
    assert ask.supposed(Suppose(-3.0)).suppose.spot_change == -0.5


def test_a_supposition_says_that_it_is_one_and_what_it_rests_on() -> None:
    ask = asked(view="flow")
    found = ask.supposed(Suppose(-0.005, 1.0, 60.0))
    assert found.reading.source.note.startswith("supposed: spot −0.50 %, +1.0 vol points, 60 min")
    text = " ".join(found.notes)
    for said in ("nobody trades", "10:06 ET", "every strike keeps its volatility", "hysteresis"):
        assert said in text
    assert words(Suppose()) == "the market there is"
    assert found.reading.hedge_day == found.base.hedge_day
    assert found.reading.look_back == ()
    assert found.reading.strikes["quote_age_s"].equals(found.base.strikes["quote_age_s"])


def test_skew_and_term_structure_move_with_volatility_alone() -> None:
    ask = asked(view="flow", scope="all")
    base = ask.reading.regime.inputs
    higher = ask.supposed(Suppose(vol_points=2.0)).reading.regime.inputs
    down = ask.supposed(Suppose(-0.01)).reading.regime.inputs
    assert down["iv_30d"] == base["iv_30d"]
    if np.isfinite(base["iv_30d"]):
        assert higher["iv_30d"] == pytest.approx(base["iv_30d"] + 0.02)


def test_labels_go_on_from_those_of_now_however_much_later() -> None:
    """The classifier forgets signs after ten minutes unseen; a supposition skips them."""
    ask = asked(view="flow", scope="0dte")
    before = ask.last.memory.paradigm["flow"]
    there = ask.last.memory.at(ask.reading.as_of + 60 * MINUTE)
    assert there.paradigm["flow"].below == before.below
    assert there.paradigm["flow"].seen == ask.reading.as_of + 60 * MINUTE
    assert ask.last.memory.paradigm["flow"] is before
    label = ask.reading.zero_dte.paradigm
    soon = ask.supposed(Suppose(minutes=11.0)).reading.zero_dte
    if soon.paradigm == label:
        assert soon.since == ask.reading.zero_dte.since


def test_a_book_that_nobody_knows_is_not_known_elsewhere_either() -> None:
    engine = filled(view="flow", scope="0dte")
    tick(engine)
    found = Inquirer(engine).supposed(Suppose(-0.01, 1.0, 30.0)).reading
    assert np.isnan(found.gamma.gex_per_1pct)
    assert found.zero_dte.paradigm == "No data"
    assert found.zero_dte.reason


def coins() -> Inquirer:
    """Coins at 20:00 UTC, of which some settle at 08:00."""
    evening = at_et(DATE - dt.timedelta(days=1), dt.time(15, 0))
    engine = Engine(EngineSettings(scope="0dte"))
    engine.apply(SourceInfo("BTC", "synthetic", "simulated"))
    for event in flat_chain(evening, root="BTC"):
        engine.apply(event)
    tick(engine, (evening - TEN) / MINUTE)
    return Inquirer(engine)


def test_coins_go_on_through_the_night_by_their_own_clock() -> None:
    ask = coins()
    night = ask.supposed(Suppose(minutes=600.0))
    assert night.reading.zero_dte.expiry == ask.reading.zero_dte.expiry == "BTC 2026-11-13"
    assert night.reading.zero_dte.seconds_left == pytest.approx(7200.0)
    wanted = exposures_at(ask.last.parts, 6700.0, minutes=600.0)
    assert night.reading.gamma.gex_per_1pct == pytest.approx(wanted["gamma"], rel=1e-9)
    assert "20:00 UTC" in night.notes[0]
    assert "cut to 07:59 UTC" in ask.supposed(Suppose(minutes=1e6)).notes[0]
    hours = ask.outlook("gamma").times
    assert len(hours) == 25
    assert set(np.diff(hours)[:-1] // MINUTE) == {30}


def test_without_a_spot_nothing_can_be_supposed() -> None:
    engine = Engine(EngineSettings())
    engine.apply(SourceInfo("SPX", "synthetic", "simulated"))
    engine.apply(next(event for event in flat_chain(TEN) if isinstance(event, Definitions)))
    tick(engine)
    ask = Inquirer(engine)
    for question in (
        lambda: ask.supposed(Suppose(0.01)),
        lambda: ask.curves(),
        lambda: ask.outlook("gamma"),
    ):
        with pytest.raises(ChainError, match="spot is not known"):
            question()
    assert ask.supposed(Suppose()).reading is ask.reading
    assert np.isnan(ask.smile("2026-11-13", "SPXW").fit_iv).all()


@pytest.mark.parametrize("strikes", [1, 2])
def test_one_strike_is_a_chain_too(strikes: int) -> None:
    engine = Engine(EngineSettings(scope="all", view="customer-flow"))
    engine.apply(SourceInfo("SPX", "synthetic", "simulated"))
    events = flat_chain(TEN)
    defined = next(event for event in events if isinstance(event, Definitions))
    keep = [
        i
        for i, contract in enumerate(defined.contracts)
        if contract.expiry == DATE and 0 <= contract.strike - 6700.0 < 5.0 * strikes
    ]
    few = {defined.contracts[i]: i for i in keep}
    engine.apply(Definitions(0, tuple(few)))
    quotes = next(event for event in events if isinstance(event, Quotes))
    interest = next(event for event in events if isinstance(event, OpenInterest))
    index = np.arange(len(keep), dtype=np.int32)
    engine.apply(UnderlyingPrice(6700.0, TEN))
    engine.apply(
        Quotes(
            index,
            *(getattr(quotes, name)[keep] for name in ("bid", "ask", "bid_size", "ask_size", "ts")),
        )
    )
    engine.apply(OpenInterest(index, interest.open_interest[keep], TEN))
    tick(engine)
    ask = Inquirer(engine)
    for suppose in (Suppose(), Suppose(-0.01, 2.0, 100.0)):
        there, curves = ask.supposed(suppose).reading, ask.curves(suppose)
        assert len(there.strikes) == strikes
        assert set(curves.values) == {"gamma", "charm", "vanna", "vega", "delta"}
    assert ask.outlook("charm").values.shape[1] == strikes
    assert len(ask.smile(DATE.isoformat(), "SPXW").strikes) == strikes
