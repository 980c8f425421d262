"""How good the inferred book is, over simulated days whose truth is known.

Moments of one day are not independent: the same trades are behind all of them. The
number of days stands beside every share, and is what it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gexterm.study.metrics import (
    Bin,
    Score,
    brier,
    reliability,
)
from gexterm.study.observe import RULES, VIEWS, DayFacts, Observation

NAN = float("nan")
NO_LABEL = frozenset({"Mixed", "No data"})
"""What is not called a paradigm."""
LARGE = 0.10
"""Share of gross charm from which on the sign of a side is asked for."""


@dataclass(frozen=True, slots=True)
class ViewAccuracy:
    """How well one inferred view reads the day."""

    view: str
    """`combined` or `flow`."""
    observations: int
    """Moments compared."""
    side_sign: Score
    """Sign of charm on a side, where the truth exceeds 10 % of gross charm."""
    gamma_sign: Score
    """Sign of GEX."""
    label: Score
    """Paradigm, where neither the view nor the truth is Mixed or without data."""
    called: float
    """Share of the moments with a true paradigm in which the view called one, 0 to 1."""
    brier: float
    """Brier score of P(label) over all labels, halved: 0 best, 1 worst."""
    brier_shown: float
    """Brier score of P(the label shown) alone, where it is one of the four."""
    reliability: tuple[Bin, ...]
    """P(label) against how often it was the true one, all labels of all moments, by bins."""
    coverage: tuple[float, float, float]
    """Share of the moments in which the 80 % bands of GEX, of charm below and of charm above
    spot held the truth, 0 to 1."""
    cautious: float
    """Share of the moments that read Mixed, or with no label above 0.6, 0 to 1."""
    trap: float
    """Share of the moments with a warning that a side may be signed wrongly, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Everything that is measured."""

    days: tuple[str, ...]
    """Which days."""
    prints: Score
    """Per print: our sign, unsigned ones counting half."""
    contracts: float
    """The same by contracts, 0 to 1; the mean over days."""
    by_rule: Mapping[str, Score]
    """The rules of the literature on the same tape."""
    by_evidence: Mapping[str, Score]
    """Our sign by the evidence used."""
    print_reliability: tuple[Bin, ...]
    """P(our sign is right) against how often it was."""
    ranks: tuple[float, ...]
    """By day: Spearman of the dealer's change by strike."""
    ranks_on: tuple[tuple[int, int], ...]
    """By day: strikes compared, and prints from which on a strike was."""
    views: tuple[ViewAccuracy, ...]
    """Each inferred view."""


def summarise(days: Sequence[DayFacts]) -> Accuracy:
    """All days together."""
    said = np.concatenate([d.said for d in days])
    was = np.concatenate([d.was for d in days])
    evidence = {name for d in days for name in d.by_evidence}
    nothing = Score(0.0, 0)
    by_evidence = {
        name: sum((d.by_evidence.get(name, nothing) for d in days), nothing) for name in evidence
    }
    return Accuracy(
        days=tuple(d.name for d in days),
        prints=sum((d.prints for d in days), nothing),
        contracts=float(np.mean([d.contracts for d in days])),
        by_rule={name: sum((d.by_rule[name] for d in days), nothing) for name in RULES},
        by_evidence=dict(sorted(by_evidence.items(), key=lambda item: -item[1].count)),
        print_reliability=reliability(said, was),
        ranks=tuple(d.rank for d in days),
        ranks_on=tuple((d.strikes, d.busy) for d in days),
        views=tuple(
            _view(name, [o for d in days for o in d.observations if o.view == name])
            for name in VIEWS
        ),
    )


def _view(name: str, seen: Sequence[Observation]) -> ViewAccuracy:
    both = [o for o in seen if o.label not in NO_LABEL and o.true_label not in NO_LABEL]
    real = [o for o in seen if o.true_label not in NO_LABEL]
    told = [o for o in seen if o.odds]
    shown = [o for o in told if o.label not in NO_LABEL]
    pairs = [(p, label == o.true_label) for o in told for label, p in o.odds.items()]
    cautious = [o for o in seen if o.label in NO_LABEL or max(o.odds.values(), default=0.0) <= 0.6]
    return ViewAccuracy(
        view=name,
        observations=len(seen),
        side_sign=_sides(seen),
        gamma_sign=_score(
            (np.sign(o.gex) == np.sign(o.true_gex))
            for o in seen
            if np.isfinite(o.gex) and o.true_gex != 0.0
        ),
        label=_score(o.label == o.true_label for o in both),
        called=len(both) / len(real) if real else NAN,
        brier=brier([o.odds for o in told], [o.true_label for o in told]),
        brier_shown=_brier_shown(shown),
        reliability=reliability(
            np.array([p for p, _ in pairs], np.float64),
            np.array([hit for _, hit in pairs], np.bool_),
        ),
        coverage=_coverage(seen),
        cautious=len(cautious) / len(seen) if seen else NAN,
        trap=sum(o.trap for o in seen) / len(seen) if seen else NAN,
    )


def _coverage(seen: Sequence[Observation]) -> tuple[float, float, float]:
    if not seen:
        return NAN, NAN, NAN
    gex, below, above = np.mean([o.inside for o in seen], axis=0).tolist()
    return gex, below, above


def _sides(seen: Sequence[Observation]) -> Score:
    """Sign of the charm of a side, where there is enough of it to have one."""
    sides = [s for o in seen for s in (o.below, o.above) if abs(s.true) > LARGE * s.gross]
    return _score(np.isfinite(s.inferred) and np.sign(s.inferred) == np.sign(s.true) for s in sides)


def _score(right: Iterable[bool | np.bool_]) -> Score:
    cases = [bool(r) for r in right]
    return Score(float(sum(cases)), len(cases))


def _brier_shown(shown: Sequence[Observation]) -> float:
    if not shown:
        return NAN
    off = [o.odds.get(o.label, 0.0) - (o.label == o.true_label) for o in shown]
    return float(np.mean(np.square(off)))
