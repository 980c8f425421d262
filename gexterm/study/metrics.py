"""How good a judgement was, once the truth is known. Pure functions over arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

F64 = NDArray[np.float64]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Score:
    """A share of cases that were right."""

    right: float
    """Cases that were right; an undecided one counts half, as a coin would."""
    count: int
    """Cases."""

    @property
    def share(self) -> float:
        """Right of all, 0 to 1; NaN without a case."""
        return self.right / self.count if self.count else NAN

    def __add__(self, other: Score) -> Score:
        """Both together."""
        return Score(self.right + other.right, self.count + other.count)


def sign_score(judged: F64, truth: F64) -> Score:
    """How often two signs agree. Shapes (n,); 0 in `judged` is undecided, in `truth` no case."""
    case = truth != 0.0
    same = np.sign(judged[case]) * np.sign(truth[case])
    return Score(float((0.5 + 0.5 * same).sum()), int(case.sum()))


def weighted_sign_share(judged: F64, truth: F64, weight: F64) -> float:
    """The same by weight (contracts instead of prints), 0 to 1; NaN without a case."""
    case = truth != 0.0
    total = float(weight[case].sum())
    if total == 0.0:
        return NAN
    same = np.sign(judged[case]) * np.sign(truth[case])
    return float(((0.5 + 0.5 * same) * weight[case]).sum() / total)


def spearman(a: F64, b: F64) -> float:
    """Rank correlation, ties sharing their rank; NaN with fewer than three pairs or no spread."""
    known = np.isfinite(a) & np.isfinite(b)
    if int(known.sum()) < 3:
        return NAN
    x, y = (np.asarray(rankdata(v[known]), np.float64) for v in (a, b))
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 0.0 else NAN


def brier(odds: Sequence[Mapping[str, float]], truth: Sequence[str]) -> float:
    """Brier score over labels: the mean of Σ_label (P − 1{true})² / 2, 0 (best) to 1.

    Halved, so that a certain wrong label costs 1, as in the case of two outcomes. NaN
    without a case.
    """
    if not truth:
        return NAN
    total = 0.0
    for told, true in zip(odds, truth, strict=True):
        labels = {*told, true}
        total += 0.5 * sum((told.get(k, 0.0) - (k == true)) ** 2 for k in labels)
    return total / len(truth)


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases that were given about the same probability."""

    low: float
    """From this probability, included …"""
    high: float
    """… to this one, excluded (but for 1)."""
    said: float
    """Mean probability given; NaN empty."""
    happened: float
    """Share in which it was so; NaN empty."""
    count: int
    """Cases."""


def reliability(said: F64, happened: NDArray[np.bool_], bins: int = 10) -> tuple[Bin, ...]:
    """Probability given against how often it was so, in bins of equal width. Shapes (n,)."""
    at = np.minimum((said * bins).astype(np.intp), bins - 1)
    out = []
    for i in range(bins):
        mine = at == i
        n = int(mine.sum())
        mean = float(said[mine].mean()) if n else NAN
        share = float(happened[mine].mean()) if n else NAN
        out.append(Bin(i / bins, (i + 1) / bins, mean, share, n))
    return tuple(out)


def worst_gap(found: Sequence[Bin], at_least: int) -> float:
    """Largest |said − happened| among bins with enough cases; NaN where none has."""
    gaps = [abs(b.said - b.happened) for b in found if b.count >= at_least]
    return max(gaps, default=NAN)
