"""Position views: what stood before, what today's trades added, and both.

The three are never mixed silently. Each is a `Belief`: a mean, a variance for what errs
by chance, and common errors for what errs together.

Prints do not stand alone. Each is signed as if nothing were known of the others, and
pulled towards no side as far as it is doubtful; but customers lean one way in a group of
contracts, and thousands of doubtful prints together show it. With λ = 2π − 1 of a print
judged alone and a lean ν common to its group,

    π given ν:  2π' − 1 ≈ λ + ν(1 − λ²),     mean = Σ m·q·λ + ν·Σ m·q·(1 − λ²)

so the lean moves what is left open, unsigned prints included, and leaves what is certain.
ν itself is normal, pulled to 0 by a prior and by all that could feign it (`lean`), and
what stays unknown of it is a common error. Without it the net of a group comes out at
0.35–0.5 of the truth on simulated days and its band misses the truth three times out of
four; with it at 0.7–1, its 80 % band holds it in 88 % of cases, and contracts are nearer
to the truth as well (measured, 12 quarters of an hour of three mixes).

Signs also err together because a rule misreads the market: that no number of prints
averages out. `BIAS` is how far off the net of a group's volume may be for that reason,
by evidence, one standard deviation: our assumption, twice the difference in hit rate
between the two sides that a rule may have unnoticed. What one side's resting orders do
is larger by far; `trap` looks for that, and where it finds it the lean is not believed
and the band widened.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.belief import Belief
from gexterm.dealers.evidence import WORDS, Evidence
from gexterm.dealers.flow import Flow
from gexterm.dealers.lean import learn
from gexterm.dealers.prior import Prior
from gexterm.dealers.signer import RELIABILITY
from gexterm.dealers.trap import Trap, TrapSettings, judge
from gexterm.market.chain import CALL, PUT, Layout

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

GROUPS = ("calls of today", "puts of today", "later calls", "later puts")
"""What errs together beyond what the whole market does: the first common error of a flow
is the market's, then come these."""

BIAS: dict[int, float] = {
    Evidence.VENUE: 0.0,
    Evidence.SIZE: 0.025,
    Evidence.OUTSIDE: 0.02,
    Evidence.AT_QUOTE: 0.015,
    Evidence.FAIR: 0.03,
    Evidence.INSIDE: 0.03,
    Evidence.DEPTH: 0.05,
    Evidence.REVERSE_TICK: 0.05,
    Evidence.PACKAGE: 0.025,
    Evidence.AUCTION: 0.04,
}
"""Standard deviation of the common error by evidence, net contracts per contract traded."""

_PACKAGE_KNOWN = 0.45
"""λ² of a leg, on average: packages have no fixed reliability."""
INFORMATION: dict[int, float] = {
    **{kind: (2.0 * right - 1.0) ** 2 for kind, right in RELIABILITY.items()},
    Evidence.PACKAGE: _PACKAGE_KNOWN,
}
"""λ² = (2π − 1)² by evidence: how much of a lean in common the prints show."""
_INVOLVED = 0.9
"""P(a dealer was in a trade) where nothing says otherwise (quant notes 2.2)."""


_UNHEARD = 0.02
"""Share of the venue's volume that may be missing on the tape without a word: prints on their
way, and cancelled ones that volumes still count."""


@dataclass(frozen=True, slots=True)
class PositionSettings:
    """How far signs may err together."""

    bias_scale: float = 1.0
    """Multiplies `BIAS`."""
    unsigned: float = 0.05
    """The same for unsigned prints, beyond the lean that they share with the signed ones."""
    market: float = 0.5
    """Share of the common variance that is the whole market's; the rest is each group's own."""
    lean: float = 0.13
    """Standard deviation of customers' common lean in a group, net per contract: 5–20 % either
    way. 0: every print is taken to stand alone."""
    trap: TrapSettings = field(default_factory=TrapSettings)
    """When a whole side may be signed wrongly."""


@dataclass(frozen=True, eq=False, slots=True)
class Tally:
    """What the volume was signed on."""

    volume: float
    """Contracts printed."""
    signed_share: float
    """Share of it that carries a sign, 0 to 1; NaN: no print."""
    by_evidence: dict[str, float]
    """Share of it by evidence, signed kinds only, largest first."""
    unsigned_by_reason: dict[str, float]
    """Contracts without a sign by reason, largest first."""


@dataclass(frozen=True, eq=False, slots=True)
class PositionViews:
    """The dealer's book three ways, and what is known of its making."""

    prior: Belief
    """Before today's trades."""
    flow: Belief
    """What today's trades added."""
    combined: Belief
    """Both, within bounds."""
    epoch: int
    """Since when trades have been added up, ns; 0: none yet."""
    coverage: float
    """Share of open interest that no recorded tape explains, 0 to 1; NaN not known."""
    tally: Tally
    """What the volume was signed on."""
    bounds_hit: int
    """Contracts whose position was cut to what can be open."""
    trap: Trap
    """Whether a whole side may be signed wrongly."""
    words: str
    """What stands behind today's trades where no record does."""
    reconciled: str
    """How far off the carried book was; empty: not checked."""

    @property
    def signed_share(self) -> float:
        """Share of printed volume that carries a sign, 0 to 1; NaN: no print."""
        return self.tally.signed_share

    @property
    def by_evidence(self) -> dict[str, float]:
        """Share of printed volume by evidence, signed kinds."""
        return self.tally.by_evidence

    @property
    def unsigned_by_reason(self) -> dict[str, float]:
        """Contracts without a sign by reason."""
        return self.tally.unsigned_by_reason


def position_views(
    flow: Flow,
    layout: Layout,
    today: Mask,
    before: Prior,
    volume: F64 | None = None,
    settings: PositionSettings | None = None,
) -> PositionViews:
    """The three views.

    `today` has shape (n,): rows of what settles at today's close. `volume`, shape (2, n),
    is the venue's volume where it reports one, NaN where not; the printed volume bounds
    positions where it is larger.
    """
    settings = settings or PositionSettings()
    index = _index(layout, len(flow.mean))
    totals = flow.totals
    loads = _loads(flow, settings, totals)
    size = float(totals.sum()) / flow.prints if flow.prints else float("nan")
    sums = np.stack(
        [_sums(pair, index, today) for pair in (flow.amount[Evidence.SIZE], loads[1:3])]
    )
    trap = judge(sums[0], sums[1], size, GROUPS, settings.trap)
    both, added = _flow_belief(
        flow, loads, index, layout, today, trap, settings, before.belief.shared
    )
    printed = _rows(loads[3], index)
    traded = printed if volume is None else np.fmax(printed, volume)
    variance = before.belief.variance + added.variance
    unheard = np.maximum(traded - printed, 0.0)
    if float(unheard.sum()) > _UNHEARD * float(traded.sum()):
        variance = variance + _INVOLVED * (size if size > 0.0 else 1.0) * unheard
        both = np.concatenate([both, _unheard(unheard, today, settings.lean)])
    sum_of_both = Belief(before.belief.mean + added.mean, variance, both)
    combined, hit = bounded(sum_of_both, before.open_interest, traded)
    epochs = [epoch for epoch in (before.epoch, flow.epoch) if epoch]
    return PositionViews(
        prior=before.belief,
        flow=added,
        combined=combined,
        epoch=min(epochs, default=0),
        coverage=before.coverage,
        tally=_tally(totals),
        bounds_hit=hit + before.bounds_hit,
        trap=trap,
        words=before.words,
        reconciled=before.reconciled,
    )


def flow_belief(
    flow: Flow,
    layout: Layout,
    today: Mask,
    trap: Trap | None = None,
    settings: PositionSettings | None = None,
) -> Belief:
    """Today's trades by row, with what may be wrong about all of them.

    The common errors are the market's, those of the four `GROUPS`, and what is not known
    of their leans.
    Contracts that are in no row are left out. The mean is `Flow.mean` and the lean that
    each group's prints have in common.
    """
    settings = settings or PositionSettings()
    index = _index(layout, len(flow.mean))
    loads = _loads(flow, settings, flow.totals)
    before = np.zeros((0, 2, len(layout)))
    return _flow_belief(flow, loads, index, layout, today, trap, settings, before)[1]


def bounded(belief: Belief, open_interest: F64, volume: F64) -> tuple[Belief, int]:
    """Positions cut to what can be open, |x| ≤ open interest this morning + volume today.

    Both have shape (2, n); where open interest is not known there is no bound. Also
    returns how many contracts were cut.
    """
    most = open_interest + np.nan_to_num(volume)
    most = np.where(np.isnan(most), np.inf, most)
    mean = np.clip(belief.mean, -most, most)
    # A sum of halves may pass its bound by rounding; that is no finding.
    hit = int(np.count_nonzero(np.abs(belief.mean) > most + 1e-6))
    return Belief(mean, belief.variance, belief.shared), hit


def tally(flow: Flow, contracts: Mask | None = None) -> Tally:
    """What the volume was signed on; of some contracts only where a mask (n,) is given."""
    if contracts is None:
        return _tally(flow.totals)
    chosen = contracts.astype(np.float64)
    total = np.zeros_like(flow.totals)
    # Kinds that never occurred need no look.
    for kind in np.flatnonzero(flow.totals.any(axis=1)):
        total[kind] = np.einsum("sn,n->s", flow.amount[kind], chosen)
    return _tally(total)


def contracts_of(layout: Layout, rows: Mask, n_contracts: int) -> Mask:
    """Mask of the contracts in some rows, (n,) of rows to (n_contracts,)."""
    out = np.zeros(n_contracts, np.bool_)
    index = layout.contract[:, rows].ravel()
    out[index[(index >= 0) & (index < n_contracts)]] = True
    return out


def compact(belief: Belief, most: int = 8) -> Belief:
    """The same belief with at most so many common errors, to carry it over.

    Common errors are turned so that the first ones hold as much of the variance as they
    can; what the rest hold is added to each position's own variance. Every position
    keeps its standard deviation.
    """
    k = len(belief.shared)
    if k <= most:
        return belief
    flat = belief.shared.reshape(k, -1)
    _, axes = np.linalg.eigh(flat @ flat.T)
    turned = (axes.T[::-1] @ flat).reshape(belief.shared.shape)
    return Belief(
        belief.mean,
        belief.variance + np.sum(turned[most:] ** 2, axis=0),
        turned[:most],
    )


def _unheard(unheard: F64, today: Mask, lean: float) -> F64:
    """What trades that the venue reports and we never saw may have added. Shape (4, 2, n).

    Nobody knows which way customers leaned in them; calls and puts, today's and later ones
    may have leaned each their own.
    """
    out = np.zeros((len(GROUPS), *unheard.shape))
    for number in range(len(GROUPS)):
        rows, side = (today, ~today)[number // 2], (CALL, PUT)[number % 2]
        out[number, side] = rows * (lean * _INVOLVED * unheard[side])
    return out


def _index(layout: Layout, n: int) -> NDArray[np.int64]:
    """Contract index by row, n where there is none. Shape (2, rows)."""
    index = layout.contract.astype(np.int64)
    index[(index < 0) | (index >= n)] = n
    return index


def _rows(values: F64, index: NDArray[np.int64]) -> F64:
    """By contract to by row; 0 where there is no contract."""
    return np.asarray(np.append(values, 0.0)[index], np.float64)


def _loads(flow: Flow, settings: PositionSettings, totals: F64) -> F64:
    """What `_flow_belief` needs by contract. Shape (6, n).

    Common error of signed prints, their purchases and sales, all volume, what prints show
    of a lean, what they leave open. `totals` are contracts by evidence and side, (e, 2).
    """
    loads = np.zeros((6, len(flow.mean)))
    misread, bought, sold, volume, known, left = loads
    # Row by row over the kinds there are: as one product of matrices it would be handed to
    # threads, which on a busy machine wait for each other longer than it takes.
    for kind in np.flatnonzero(totals.sum(axis=1)).tolist():
        both = flow.amount[kind, 0] + flow.amount[kind, 1]
        volume += both
        if kind < Evidence.UNSIGNED:
            bought += flow.amount[kind, 0]
            sold += flow.amount[kind, 1]
            misread += (settings.bias_scale * BIAS.get(kind, 0.0)) * both
        shown = INFORMATION.get(kind, 0.0)
        if shown:
            known += (_INVOLVED * shown) * both
        if kind not in (Evidence.CROSS, Evidence.COMPRESSION):  # no dealer in them
            left += (_INVOLVED * (1.0 - shown)) * both
    return loads


def _flow_belief(
    flow: Flow,
    loads: F64,
    index: NDArray[np.int64],
    layout: Layout,
    today: Mask,
    trap: Trap | None,
    settings: PositionSettings,
    before: F64,
) -> tuple[F64, Belief]:
    """Today's trades; and the common errors of what stood `before`, with theirs after them.

    The belief's own errors are a part of the latter: they are large, and never copied.
    """
    mean, variance = _rows(flow.mean, index), _rows(flow.variance, index)
    misread, signed = _rows(loads[0], index), _rows(loads[1] + loads[2], index)
    bias = misread + settings.unsigned * (_rows(loads[3], index) - signed)
    known, left = _rows(loads[4], index), _rows(loads[5], index)
    whole = trap.overall.doubtful if trap else 0.0
    own = np.sqrt(1.0 - settings.market)
    errs: list[tuple[int, Mask, F64]] = []
    # Σ q²m(1 − mλ²) is given, Σ q²m²λ² is wanted.
    share = _INVOLVED * known / np.maximum(known + left, 1e-300)
    noise = variance * share / (1.0 - share)
    leaned = np.zeros_like(mean)
    for number in range(len(GROUPS)):
        rows, side = (today, ~today)[number // 2], (CALL, PUT)[number % 2]
        found = trap.groups[number].doubtful if trap and trap.groups else 0.0
        # What the whole market is suspected of is not counted a second time.
        extra = max(0.0, found - whole)
        along = layout.strike[rows] if number < 2 else None
        lean, errors = learn(
            mean[side, rows],
            known[side, rows],
            noise[side, rows],
            misread[side, rows],
            settings.lean,
            along,
        )
        if whole or extra:
            # What prints have in common is in doubt.
            lean, errors = np.zeros_like(lean), np.full((1, len(lean)), settings.lean)
        leaned[side, rows] = lean * left[side, rows]
        errs.append((side, rows, own * bias[side, rows] + 2.0 * extra * signed[side, rows]))
        errs += [(side, rows, error) for error in errors * left[side, rows]]
    shared = np.zeros((len(before) + 1 + len(errs), *mean.shape))
    shared[: len(before)] = before
    shared[len(before)] = np.sqrt(settings.market) * bias + 2.0 * whole * signed
    for line, (side, rows, error) in zip(shared[len(before) + 1 :], errs, strict=True):
        line[side, rows] = error
    return shared, Belief(mean + leaned, variance, shared[len(before) :])


def _sums(pair: F64, index: NDArray[np.int64], today: Mask) -> F64:
    """Sums over all contracts, then over each of the `GROUPS`. (2, n) to (2, 5)."""
    out = np.empty((2, 1 + len(GROUPS)))
    for one in (0, 1):
        rows = _rows(pair[one], index)
        out[one, 0] = pair[one].sum()
        out[one, 1:] = [rows[side, at].sum() for at in (today, ~today) for side in (CALL, PUT)]
    return out


def _tally(total: F64) -> Tally:
    """`total` has shape (e, 2)."""
    by = total.sum(axis=1)
    volume = float(by.sum())
    signed: dict[str, float] = {}
    unsigned: dict[str, float] = {}
    for evidence in sorted(WORDS, key=lambda kind: -by[kind]):
        contracts = float(by[evidence])
        if contracts <= 0.0:
            break
        if evidence < Evidence.UNSIGNED:
            signed[WORDS[evidence]] = contracts / volume
        else:
            unsigned[WORDS[evidence]] = contracts
    share = float(by[: Evidence.UNSIGNED].sum()) / volume if volume > 0.0 else float("nan")
    return Tally(volume, share, signed, unsigned)
