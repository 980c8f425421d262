"""Numbers follow every tick; how sure they are is taken anew once a second of the market."""

from __future__ import annotations

import numpy as np
import pytest

from gexterm.clock import NS
from gexterm.engine.memory import OnceASecond
from gexterm.market.contracts import Right
from gexterm.reading.model import Band
from tests.engine.tapes import TEN, filled, index_of, prints, tick

CALL = index_of(30, Right.CALL)


def test_within_a_second_the_same_stands_and_then_it_is_taken_anew() -> None:
    slow, asked = OnceASecond(), iter(range(9))
    said = [slow.of("a", at, (), lambda: next(asked)) for at in (NS, NS + 1, 2 * NS - 1, 2 * NS)]
    assert said == [0, 0, 0, 1]
    assert slow.of("a", 2 * NS + 1, ("another view",), lambda: next(asked)) == 2
    assert slow.of("a", NS, ("another view",), lambda: next(asked)) == 3  # time went back


def width(band: Band) -> float:
    return band.high - band.low


def test_bands_stay_around_numbers_that_move_between() -> None:
    engine = filled(view="flow", scope="0dte")
    engine.apply(prints((CALL, +1, 70.0)))
    first = tick(engine, 5.0 / 60.0).gamma
    engine.apply(prints((CALL, +1, 300.0), at=TEN + 2 * NS))
    soon, later = tick(engine, 5.5 / 60.0).gamma, tick(engine, 6.5 / 60.0).gamma
    assert soon.gex_per_1pct < first.gex_per_1pct < 0.0
    assert 0.5 * (soon.gex_band.low + soon.gex_band.high) == pytest.approx(soon.gex_per_1pct)
    assert width(soon.gex_band) == pytest.approx(width(first.gex_band))
    assert width(later.gex_band) > width(first.gex_band)


def test_the_first_print_is_not_kept_waiting_for_its_error() -> None:
    engine = filled(view="flow", scope="0dte")
    assert not np.isfinite(tick(engine, 5.0 / 60.0).gamma.gex_per_1pct)
    engine.apply(prints((CALL, +1, 70.0)))
    reading = tick(engine, 5.2 / 60.0)
    assert width(reading.gamma.gex_band) > 0.0
    assert reading.zero_dte.probability
