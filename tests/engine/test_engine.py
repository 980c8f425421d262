"""One tick after another: what a Reading says, remembers and forgets."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import asdict

import numpy as np
import pytest

from gexterm.clock import NS
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.market.calendar import at_et
from gexterm.market.events import OpenInterest, SourceInfo, UnderlyingPrice, Volume
from gexterm.reading.model import STRIKE_COLUMNS, Reading
from tests.engine.market import DATE, SPOT, flat_chain

TEN = at_et(DATE, dt.time(10, 0))
MINUTE = 60 * NS


def engine(**settings: str) -> Engine:
    made = Engine(EngineSettings(**settings))  # type: ignore[arg-type]
    made.apply(SourceInfo("SPX", "synthetic", "simulated"))
    return made


def tick(made: Engine, as_of: int = TEN) -> Reading:
    job = made.job(as_of)
    assert job is not None
    return made.compute(job)


def filled(as_of: int = TEN, **settings: str) -> Engine:
    made = engine(**settings)
    for event in flat_chain(as_of):
        made.apply(event)
    return made


def test_without_contracts_there_is_no_job() -> None:
    assert engine().job(TEN) is None


def test_a_reading_carries_every_published_strike_column() -> None:
    reading = tick(filled())
    assert set(reading.strikes.columns) == set(STRIKE_COLUMNS)
    assert reading.strikes["strike"].is_sorted()
    assert reading.strikes["position_flow"].is_nan().all()


def test_auto_scope_is_today_until_it_settles_and_then_everything() -> None:
    made = filled()
    assert tick(made).scope == "0dte"
    after = at_et(DATE, dt.time(16, 0))
    assert tick(made, after).scope == "all"


def test_the_four_conventions_are_read_from_one_pass_and_mirror_each_other() -> None:
    views = {v.view: v for v in tick(filled(scope="all")).agreement.views}
    assert set(views) == {"customer-flow", "squeezemetrics", "short-both", "long-both"}
    assert views["customer-flow"].gex_per_1pct == -views["squeezemetrics"].gex_per_1pct
    assert views["short-both"].gex_per_1pct == -views["long-both"].gex_per_1pct < 0
    assert views["short-both"].paradigm == "BofA"
    assert views["long-both"].paradigm == "Sidial"
    assert views["customer-flow"].flip == pytest.approx(views["squeezemetrics"].flip, abs=0.5)


@pytest.mark.parametrize("name", ["customer-flow", "squeezemetrics", "short-both", "long-both"])
def test_the_chosen_convention_stands_first_and_agrees_with_the_sections(name: str) -> None:
    reading = tick(filled(view=name, scope="all"))
    first = reading.agreement.views[0]
    assert first.view == name == reading.positions.view
    assert first.gex_per_1pct == pytest.approx(reading.gamma.gex_per_1pct)
    assert first.gamma == reading.gamma.state
    assert first.paradigm == reading.zero_dte.paradigm


def test_positions_rest_on_volume_where_there_is_no_open_interest_and_say_so() -> None:
    made = engine()
    for event in flat_chain(TEN, open_interest=False):
        made.apply(event)
    reading = tick(made)
    assert reading.positions.basis == "none"
    assert reading.zero_dte.paradigm == "No data"
    assert reading.zero_dte.reason
    assert math.isnan(reading.gamma.gex_per_1pct)
    n = len(made.chain)
    made.apply(Volume(np.arange(n, dtype=np.int32), np.full(n, 50.0), TEN))
    reading = tick(made)
    assert reading.positions.basis == "volume"
    assert math.isfinite(reading.gamma.gex_per_1pct)


def test_a_label_holds_since_it_was_first_read() -> None:
    made = filled(view="short-both")
    first = tick(made)
    later = tick(made, TEN + 3 * MINUTE)
    assert first.zero_dte.paradigm == later.zero_dte.paradigm == "BofA"
    assert later.zero_dte.since == first.zero_dte.since == TEN


def test_every_convention_keeps_its_own_memory_while_another_is_shown() -> None:
    made = filled(view="customer-flow")
    tick(made)
    made.settings = EngineSettings(view="long-both")
    assert tick(made, TEN + 5 * MINUTE).zero_dte.since == TEN


def test_look_back_is_of_the_chosen_convention_even_if_another_was_chosen_then() -> None:
    made = filled(view="short-both")
    then = tick(made)
    for minute in range(1, 5):
        tick(made, TEN + minute * MINUTE)
    made.settings = EngineSettings(view="long-both")
    now = tick(made, TEN + 5 * MINUTE)
    (back,) = now.look_back
    assert back.minutes == 5
    np.testing.assert_allclose(back.values["gex"], -then.strikes["gex"].to_numpy())


def test_look_back_reaches_no_further_than_what_was_seen() -> None:
    made = filled()
    for minute in range(16):
        reading = tick(made, TEN + minute * MINUTE)
    assert [b.minutes for b in reading.look_back] == [5, 15]


def test_at_settlement_the_last_profile_stands_frozen_and_positions_are_gone() -> None:
    close = at_et(DATE, dt.time(16, 0))
    made = filled(as_of=close - 5 * MINUTE, view="short-both")
    before = tick(made, close - 5 * MINUTE).zero_dte
    reading = tick(made, close)
    assert reading.zero_dte.settled
    assert reading.zero_dte.seconds_left == 0.0
    assert "settled" in reading.zero_dte.reason
    assert reading.zero_dte.paradigm == before.paradigm
    assert reading.zero_dte.lis_lower == before.lis_lower
    assert math.isnan(reading.gamma.gex_0dte_per_1pct)
    assert all(line.expiry != DATE.isoformat() for line in reading.expiries)


def test_joining_after_settlement_says_so_and_invents_nothing() -> None:
    reading = tick(filled(), at_et(DATE, dt.time(16, 5)))
    assert reading.zero_dte.settled
    assert reading.zero_dte.paradigm == "No data"
    assert "before the first quotes" in reading.zero_dte.reason


def test_a_new_day_forgets_the_one_before() -> None:
    made = filled()
    tick(made)
    next_day = at_et(DATE + dt.timedelta(days=3), dt.time(10, 0))
    reading = tick(made, next_day)
    assert reading.zero_dte.expiry.endswith((DATE + dt.timedelta(days=3)).isoformat())
    assert reading.zero_dte.since == next_day
    assert reading.look_back == ()


def test_restart_forgets_the_market() -> None:
    made = filled()
    tick(made)
    made.restart()
    assert made.job(TEN) is None


def test_single_names_are_told_that_no_convention_is_proven() -> None:
    made = Engine(EngineSettings())
    made.apply(SourceInfo("NVDA", "test", "file"))
    for event in flat_chain(TEN, root="NVDA"):
        made.apply(event)
    reading = tick(made)
    assert "NVDA" in reading.positions.warning
    assert any("American" in w for w in reading.health.warnings)


def test_a_convention_never_passes_for_a_measured_size() -> None:
    assert "upper bound" in tick(filled()).positions.warning
    made = engine()
    for event in flat_chain(TEN, open_interest=False):
        made.apply(event)
    assert tick(made).positions.warning == ""


def test_a_first_price_passes_for_the_open_only_near_the_open() -> None:
    opening = at_et(DATE, dt.time(9, 31))
    assert tick(filled(as_of=opening), opening).spot_open_at == 0
    assert tick(filled()).spot_open_at == TEN


def test_spot_far_from_parity_is_a_warning() -> None:
    made = filled()
    assert not any("parity" in w for w in tick(made).health.warnings)
    made.apply(UnderlyingPrice(SPOT * 1.004, TEN))
    assert any("parity" in w for w in tick(made).health.warnings)


def test_a_smile_from_next_to_no_quotes_is_called_rough() -> None:
    close = at_et(DATE, dt.time(16, 0))
    late = tick(filled(as_of=close - 2 * MINUTE), close - 2 * MINUTE)
    kinds = {e.expiry: e.smile for e in late.expiries}
    assert kinds[DATE.isoformat()] in {"line", "flat", "quadratic"}
    assert any("rough" in w for w in late.health.warnings)
    assert not any("rough" in w for w in tick(filled()).health.warnings)


def test_walls_flip_and_hedge_flow_answer_to_the_scope() -> None:
    today, everything = (tick(filled(scope=s)) for s in ("0dte", "all"))
    assert today.gamma.gex_per_1pct == pytest.approx(today.gamma.gex_0dte_per_1pct)
    assert everything.gamma.gex_0dte_per_1pct == pytest.approx(today.gamma.gex_per_1pct)
    assert everything.gamma.gex_per_1pct != pytest.approx(today.gamma.gex_per_1pct)
    # The whole book is the whole book, whatever is looked at.
    assert asdict(everything.book) == asdict(today.book)


def test_the_expiries_add_up_to_the_book() -> None:
    reading = tick(filled(scope="all"))
    for field, total in (
        ("gex_per_1pct", reading.gamma.gex_per_1pct),
        ("delta_notional", reading.book.delta_notional),
        ("vega_per_point", reading.book.vega_per_point),
        ("vanna_per_point", reading.book.vanna_per_point),
        ("charm_per_hour", -reading.hedging.per_hour),
    ):
        assert sum(getattr(e, field) for e in reading.expiries) == pytest.approx(total)
    today, *later = reading.expiries
    assert today.decay_to_close == pytest.approx(reading.zero_dte.decay_to_close)
    assert all(math.isnan(e.decay_to_close) for e in later)


def test_twins_on_the_third_friday_are_two_expiries() -> None:
    reading = tick(filled(scope="all"))
    twins = [e for e in reading.expiries if e.expiry == "2026-11-20"]
    assert {(e.root, e.settlement) for e in twins} == {("SPX", "AM"), ("SPXW", "PM")}


def test_open_interest_arriving_late_changes_the_basis_not_the_history() -> None:
    made = engine()
    for event in flat_chain(TEN, open_interest=False):
        made.apply(event)
    n = len(made.chain)
    made.apply(Volume(np.arange(n, dtype=np.int32), np.full(n, 50.0), TEN))
    assert tick(made).positions.basis == "volume"
    made.apply(OpenInterest(np.arange(n, dtype=np.int32), np.full(n, 900.0), TEN))
    assert tick(made, TEN + MINUTE).positions.basis == "open interest"
