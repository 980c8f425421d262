"""With the true positions the program's own reading is the scripted one, and obeys the law."""

from __future__ import annotations

import dataclasses
import datetime as dt
from itertools import groupby

import numpy as np
import pytest

from gexterm.clock import NS
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.exposure.charm import charm_curve, charm_profile, charm_zeros, zero_dte_greeks
from gexterm.exposure.paradigm import ParadigmReading, classify
from gexterm.exposure.scope import zero_dte
from gexterm.pricing.black import row_greeks
from gexterm.pricing.work import Work
from gexterm.reading.model import Reading
from gexterm.simulator.market import Market
from gexterm.simulator.run import simulate
from gexterm.simulator.script import Script, Series
from gexterm.simulator.trueview import TrueView
from gexterm.simulator.truth import Truth
from tests.study.days import lively, true_book

PARADIGMS = ("BofA", "GEX", "Anti-GEX", "Sidial")


def read_with_truth(script: Script, every_s: int = 60) -> list[Reading]:
    """What the engine reads from the published quotes, the positions being the true ones."""
    truth, readings = Truth(), []
    engine = Engine(EngineSettings(view="truth", scope="0dte"))
    events = list(simulate(script, truth))
    book = true_book(truth)
    due = events[0].begins + every_s * NS
    for event in events:
        if getattr(event, "recv", 0) >= due and len(engine.chain):
            engine.given = {"truth": book.inventory_at(due)}
            job = engine.job(due)
            assert job is not None
            readings.append(engine.compute(job))
            due += every_s * NS
        engine.apply(event)
    return readings


@pytest.mark.parametrize("intent", PARADIGMS)
@pytest.mark.parametrize(("seed", "hour"), [(81, 10), (82, 12), (83, 14)])
def test_with_the_true_positions_the_scripted_paradigm_is_read_always(
    intent: str, seed: int, hour: int
) -> None:
    readings = read_with_truth(lively(intent, seed, 4, dt.time(hour)))
    assert len(readings) == 4
    assert {r.zero_dte.paradigm for r in readings} == {intent}
    assert {r.positions.view for r in readings} == {"truth"}


WIDE = (
    Series("SPXW", 0, 5.0, 0.04, 0.04, 2400.0, 0.8),
    Series("SPX", 29, 50.0, 0.10, 0.08, 5000.0, 0.2),
)


class Repriced:
    """The true book of a stretch of a day at one instant, with spot anywhere."""

    def __init__(self, script: Script) -> None:
        truth = Truth()
        for _ in simulate(script, truth):
            pass
        assert truth.listing is not None
        assert truth.closing is not None
        step = Market(script).step(0)
        self.now = step.now
        self.base = TrueView(truth.listing, script.date).surface(step)
        today = truth.closing[np.flatnonzero(truth.listing.today)]
        layout = self.base.layout
        self.books = np.zeros((2, len(layout)))
        listed = layout.contract >= 0
        self.books[listed] = today[layout.contract[listed]]
        found = zero_dte(layout, self.now, script.date)
        assert found is not None
        self.scope = found.scope

    def at(self, spot: float) -> ParadigmReading:
        """The paradigm, every volatility staying with its strike."""
        base = self.base
        forward = base.forward + (spot - base.spot)
        e = base.layout.expiry
        greeks = row_greeks(
            spot,
            forward[e],
            base.layout.strike,
            base.years[e],
            base.discount[e],
            base.iv,
            base.carry[e],
            Work(),
        )
        named = {f.name for f in dataclasses.fields(base)}
        fresh = {n: getattr(greeks, n) for n in ("delta", "gamma", "vega", "vanna", "charm")}
        assert set(fresh) <= named
        surface = dataclasses.replace(base, spot=spot, forward=forward, **fresh)
        own, _ = zero_dte_greeks(surface, self.scope, None)
        zeros = charm_zeros(charm_curve(own, self.books.sum(axis=0)[None, :]))
        profile = charm_profile(own, self.books)
        return classify(profile, zeros, spot, own.sigma, self.now, None)[0]

    def along(self, low: float, high: float) -> list[str]:
        """Labels from one spot to another, each once as long as it stays, without Mixed."""
        labels = [self.at(s).label for s in np.arange(low, high + 0.1, 5.0)]
        return [label for label, _ in groupby(x for x in labels if x != "Mixed")]


@pytest.mark.parametrize("hour", [13, 15])
@pytest.mark.parametrize("seed", [91, 92])
class TestTheLaw:
    """Which paradigm it is follows from where spot is in one and the same book."""

    @pytest.mark.parametrize(
        ("intent", "below", "above"),
        [("GEX", "lis_lower", "target"), ("Anti-GEX", "target", "lis_upper")],
    )
    def test_a_book_turns_sidial_near_its_target_and_bofa_at_its_line(
        self, hour: int, seed: int, intent: str, below: str, above: str
    ) -> None:
        book = Repriced(lively(intent, seed, 5, dt.time(hour), chain=WIDE))
        here = book.at(book.base.spot)
        assert here.label == intent
        low, high = getattr(here, below), getattr(here, above)
        assert low < book.base.spot < high
        ends = ["Sidial" if name == "target" else "BofA" for name in (below, above)]
        assert [book.at(low).label, book.at(high).label] == ends
        assert book.along(low, high) == [ends[0], intent, ends[1]]
