"""A simulated day, read by the engine and laid beside its truth.

The engine hears what a feed would have said, and reads the day under `combined`, under
`flow` and, as a view of its own, with the true positions. What is compared is thus one
calculation on several books: only the positions differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.config import Settings
from gexterm.dealers import rules
from gexterm.dealers.evidence import WORDS, Evidence
from gexterm.dealers.inforce import InForce, QuoteLog
from gexterm.dealers.tape import Tape
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.errors import InputError
from gexterm.market.events import Quotes, SourceInfo
from gexterm.reading.model import Band, Reading
from gexterm.recording.reader import Recording
from gexterm.simulator.truth import TrueBook, read_truth
from gexterm.study.metrics import Score, sign_score, spearman, weighted_sign_share

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]

TRUTH = "truth"
"""Name of the view with the true positions."""
TRUE_FLOW = "true flow"
"""Name of the view with what the dealer truly gained since the recording began."""
VIEWS = {"combined": TRUTH, "flow": TRUE_FLOW}
"""The inferred views that are measured, and what each claims to know."""
RULES = ("quote", "tick", "reverse tick", "LR", "reverse LR", "EMO", "CLNV", "Grauer stack")
"""The rules of the literature, as `tclf` has them; the last is that of Grauer et al."""
BUSY = 300
"""Prints of a strike from which on its change is compared: fewer say little."""


@dataclass(frozen=True, slots=True)
class Side:
    """Charm on one side of spot under a view and in truth, $ per hour."""

    inferred: float
    """Under the view."""
    true: float
    """With the true positions."""
    gross: float
    """Σ|charm| with the true positions."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One moment of a day under one view."""

    at: int
    """ns."""
    view: str
    """`combined` or `flow`."""
    label: str
    """Paradigm read."""
    odds: Mapping[str, float]
    """P(label)."""
    true_label: str
    """Paradigm of the true positions."""
    below: Side
    """Charm below spot."""
    above: Side
    """Charm above spot."""
    gex: float
    """GEX of the view, $ per 1 %."""
    true_gex: float
    """With the true positions."""
    p_short: float
    """P(short gamma) under the view."""
    trap: bool
    """Whether the screen warned that a whole side may be signed wrongly."""
    inside: tuple[bool, bool, bool]
    """Whether the 80 % bands of GEX, of charm below and above spot held the truth."""


@dataclass(frozen=True, eq=False, slots=True)
class DayFacts:
    """What one simulated day says about the inference."""

    name: str
    """Script and seed."""
    prints: Score
    """Per print, our sign against the truth; unsigned prints count half."""
    contracts: float
    """The same by contracts, 0 to 1."""
    by_rule: Mapping[str, Score]
    """Per print, each rule of the literature on the same tape and quotes."""
    by_evidence: Mapping[str, Score]
    """Per print, our sign by the evidence used."""
    said: F64
    """P(our sign is right) of each signed print. Shape (k,)."""
    was: NDArray[np.bool_]
    """Whether it was. Shape (k,)."""
    rank: float
    """Spearman of the dealer's change by strike of today's expiry, inferred and true, over
    strikes with at least `busy` prints; NaN with fewer than three of them."""
    busy: int
    """Prints from which on a strike counts: 300, or what the day's busiest ten strikes have."""
    strikes: int
    """Strikes compared."""
    observations: tuple[Observation, ...]
    """Moments, every view of each."""


def observe(
    path: Path,
    settings: Settings,
    every_s: float = 300.0,
    progress: Callable[[float], None] | None = None,
) -> DayFacts:
    """Read a recording with a truth beside it.

    Raises InputError when there is no truth, or no tape to be measured.
    """
    truth = read_truth(path)
    with Recording(path) as recording:
        if not recording.info.has_tape:
            raise InputError(f"{path} has no tape", "record or simulate one with prints")
        engine = Engine(EngineSettings.of(settings, recording.info.underlying))
        log = QuoteLog(None)
        found: list[Observation] = []
        step = round(every_s * NS)
        due = recording.begins + step
        for event in recording.events():
            if isinstance(event, SourceInfo):
                engine.apply(event)
                continue
            now = getattr(event, "recv", 0)
            if now >= due and len(engine.chain):
                found += _compare(engine, truth, due)
                if progress:
                    progress((due - recording.begins) / (recording.ends - recording.begins))
                due += step
            if isinstance(event, Quotes):
                log.take(event)
            engine.apply(event)
        signer = engine.signer
        if signer is None or len(signer.tape) == 0:
            raise InputError(f"{path} has no prints", "there is nothing to be measured")
        signer.settle(None)
        opens = engine.chain.layout()
    return _facts(truth, signer.tape, log, found, _today(opens, recording.begins))


def _compare(engine: Engine, truth: TrueBook, at: int) -> list[Observation]:
    """The same moment under every view."""
    inventory = truth.inventory_at(at)
    engine.given = {TRUTH: inventory, TRUE_FLOW: inventory - truth.opening}
    readings: dict[str, Reading] = {}
    for view in (TRUTH, TRUE_FLOW, *VIEWS):
        engine.settings = replace(engine.settings, view=view, scope="0dte")
        job = engine.job(at)
        if job is None:
            return []
        readings[view] = engine.compute(job)
    out = []
    for view, claim in VIEWS.items():
        mine, true = readings[view], readings[claim]
        zero, real = mine.zero_dte, true.zero_dte
        if zero.settled or not np.isfinite(real.charm_gross):
            continue
        out.append(
            Observation(
                at=at,
                view=view,
                label=zero.paradigm,
                odds=dict(zero.probability),
                true_label=real.paradigm,
                below=Side(zero.charm_below, real.charm_below, real.charm_gross),
                above=Side(zero.charm_above, real.charm_above, real.charm_gross),
                gex=mine.gamma.gex_per_1pct,
                true_gex=true.gamma.gex_per_1pct,
                p_short=mine.gamma.probability_short,
                trap=bool(mine.positions.trap),
                inside=(
                    _inside(mine.gamma.gex_band, true.gamma.gex_per_1pct),
                    _inside(zero.charm_below_band, real.charm_below),
                    _inside(zero.charm_above_band, real.charm_above),
                ),
            )
        )
    return out


def _inside(band: Band, value: float) -> bool:
    return band.low <= value <= band.high


def _facts(
    truth: TrueBook,
    tape: Tape,
    log: QuoteLog,
    found: list[Observation],
    today: NDArray[np.int32],
) -> DayFacts:
    live = tape.live()
    order = np.argsort(truth.trades["sequence"], kind="stable")
    sequence = truth.trades["sequence"][order]
    at = np.minimum(np.searchsorted(sequence, tape.sequence[live]), len(sequence) - 1)
    known = sequence[at] == tape.sequence[live]
    # A print that was taken back although we never heard of it is still a print.
    rows, true = live[known], order[at[known]]
    customer = truth.trades["customer"][true].astype(np.float64)
    size = tape.size[rows]
    p_buy = tape.p_buy[rows].astype(np.float64)
    dealer_side = np.where(np.isnan(p_buy), 0.0, 2.0 * p_buy - 1.0)
    evidence = tape.evidence[rows]
    case = customer != 0.0
    by_evidence = {
        WORDS[Evidence(code)]: sign_score(dealer_side[mine], -customer[mine])
        for code in np.unique(evidence[case])
        for mine in [(evidence == code) & case]
    }
    signed = case & (dealer_side != 0.0)
    said = np.maximum(p_buy, 1.0 - p_buy)[signed]
    was = (dealer_side * -customer > 0.0)[signed]
    rank, busy, strikes = _ranks(tape, rows, truth, true, today)
    return DayFacts(
        name=f"{truth.about.script} {truth.about.seed}",
        prints=sign_score(dealer_side, -customer),
        contracts=weighted_sign_share(dealer_side, -customer, size),
        by_rule={
            name: sign_score(told.astype(np.float64), customer)
            for name, told in told_by_rules(
                tape, rows, log.asof(tape.contract[rows], tape.ts[rows])
            ).items()
        },
        by_evidence=by_evidence,
        said=said,
        was=was,
        rank=rank,
        busy=busy,
        strikes=strikes,
        observations=tuple(found),
    )


def told_by_rules(tape: Tape, rows: NDArray[np.int64], quote: InForce) -> dict[str, I8]:
    """What each of `RULES` says of some prints, in order of time: +1 the customer bought."""
    price, size = tape.price[rows], tape.size[rows]
    before, after = rules.neighbours(tape.contract[rows], price)
    bid, ask = quote.bid, quote.ask
    tick, reverse = rules.tick(price, before), rules.reverse_tick(price, after)
    by_quote = rules.quote(price, bid, ask)
    told = (
        by_quote,
        tick,
        reverse,
        rules.lr(price, bid, ask, tick),
        rules.lr(price, bid, ask, reverse),
        rules.emo(price, bid, ask, tick),
        rules.clnv(price, bid, ask, tick),
        rules.stack(
            rules.trade_size(size, quote.bid_size, quote.ask_size),
            by_quote,
            rules.depth(price, bid, ask, quote.bid_size, quote.ask_size),
            reverse,
        ),
    )
    return dict(zip(RULES, told, strict=True))


def _ranks(
    tape: Tape,
    rows: NDArray[np.int64],
    truth: TrueBook,
    true: NDArray[Any],
    today: NDArray[np.int32],
) -> tuple[float, int, int]:
    """Rank correlation by strike of today's expiry; calls and puts of a strike together."""
    contract = tape.contract[rows]
    mine = np.isin(contract, today)
    strike = np.array([truth.contracts[c].strike for c in contract[mine]])
    levels, index = np.unique(strike, return_inverse=True)
    if len(levels) == 0:
        return float("nan"), BUSY, 0
    p_buy = np.nan_to_num(tape.p_buy[rows][mine].astype(np.float64), nan=0.5)
    involved = np.nan_to_num(tape.p_dealer[rows][mine].astype(np.float64))
    inferred = involved * tape.size[rows][mine] * (2.0 * p_buy - 1.0)
    count = np.bincount(index, minlength=len(levels))
    busy = min(BUSY, int(np.sort(count)[-10:][0]))
    enough = count >= busy
    gained = truth.trades["dealer"][true][mine]

    def by_strike(values: F64) -> F64:
        return np.asarray(np.bincount(index, values, len(levels))[enough], np.float64)

    return spearman(by_strike(inferred), by_strike(gained)), busy, int(enough.sum())


def _today(layout: Any, begins: int) -> NDArray[np.int32]:
    """Contracts of today's expiry."""
    from gexterm.engine.book import session_date
    from gexterm.exposure.scope import zero_dte

    zero = zero_dte(layout, begins, session_date(begins))
    index = layout.contract[:, zero.scope[layout.expiry]].ravel()
    return np.asarray(index[index >= 0], np.int32)
