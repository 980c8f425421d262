"""Quotes of before the open sign no print of after it, whatever is traded."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gexterm.dealers.evidence import Evidence
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.market.calendar import parse_when
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import Definitions, Quotes, SourceInfo, Trades

EARLY, LATE = parse_when("2025-11-21 09:29:30"), parse_when("2025-11-21 09:30:01")


@pytest.mark.parametrize(
    ("underlying", "root", "evidence"),
    [
        ("SPX", "SPXW", Evidence.PRE_OPEN),
        ("SPY", "SPY", Evidence.PRE_OPEN),
        ("TSLA", "TSLA", Evidence.PRE_OPEN),
        ("BTC", "BTC", Evidence.AT_QUOTE),
    ],
)
def test_a_print_after_the_open_is_not_judged_by_a_quote_of_before_it(
    underlying: str, root: str, evidence: Evidence
) -> None:
    engine = Engine(EngineSettings())
    engine.apply(SourceInfo(underlying, "made", "live", conditions="opra"))
    contract = Contract(root, dt.date(2025, 12, 19), Right.CALL, 600.0)
    engine.apply(Definitions(0, (contract,), EARLY))
    at, one = np.zeros(1, np.int32), np.ones(1)
    engine.apply(Quotes(at, one * 1.0, one * 1.2, one * 5, one * 7, np.array([EARLY]), EARLY))
    engine.apply(Trades.of([0], [1.2], [3.0], [LATE], recv=LATE, sequence=[1]))
    assert engine.signer is not None
    engine.signer.settle()
    assert engine.signer.tape.evidence[0] == evidence
