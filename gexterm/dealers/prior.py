"""What dealers held before today's trades, as far as that can be said.

    w    = min(1, opening volume recorded / OI)
    mean = w·carried + (1 − w)·κ·sign·OI

`carried` is the book of earlier days, added up from signed trades; the rest of open
interest is nobody's record, and stands under a convention or under none. What is not
recorded is not taken for zero: it shows as a band.

How wide that band is, is our assumption, not a measurement:

- Without a convention the mean is 0. Gamma that the exchange's own labels give to market
  makers is 10–50 times smaller than open interest under a mixed-sign convention gives
  (Cboe 2023–2025), so a dealer's net is 2–10 % of open interest over a whole book, and
  more where it is concentrated. Hence standard deviations of 0.10·OI for each contract
  alone and 0.06·OI for all calls (all puts) together.
- Under a convention the mean is κ·OI, the most there can be. If the sign is right and the
  share anything from none to all, the root mean square distance from all is
  1/√3 = 0.58·OI. Split into a part in common, 0.5, and one for each contract alone, 0.3.
  Calls and puts, today's and later ones err separately: customers may overwrite as
  assumed and not hedge as assumed.

Source: quant notes 2.2 and 9; Amaya, Garcia-Ares, Pearson & Vasquez (2025) begin six
months after their data for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.belief import Belief
from gexterm.dealers.conventions import SQUEEZEMETRICS, Convention
from gexterm.market.chain import CALL, PUT, Layout
from gexterm.market.contracts import Contract, Right

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PriorSettings:
    """What stands behind today's trades where no record does."""

    today: Convention | None = None
    """Convention for what expires today; None: no mean, only a band."""
    today_share: float = 0.0
    """κ: share of open interest that is taken for the dealers', 0 to 1."""
    later: Convention | None = SQUEEZEMETRICS
    """Convention for later expiries."""
    later_share: float = 1.0
    """κ of later expiries."""
    unknown_alone: float = 0.10
    """Without a convention: standard deviation of each contract alone, share of OI."""
    unknown_shared: float = 0.06
    """Without a convention: of all calls (all puts) together, share of OI."""
    assumed_alone: float = 0.3
    """Under a convention: of each contract alone, share of κ·OI."""
    assumed_shared: float = 0.5
    """Under a convention: of all calls (all puts) together, share of κ·OI."""

    @property
    def words(self) -> str:
        """What stands behind today's trades, e.g. `squeezemetrics on open interest, …`."""
        today = _words(self.today, self.today_share)
        later = _words(self.later, self.later_share)
        if today == later:
            return later if later == "none" else f"{later} on open interest"
        if later == "none":
            return f"none, today's expiry {today} on open interest"
        return f"{later} on open interest, today's expiry {today}"


@dataclass(frozen=True, eq=False, slots=True)
class Carry:
    """The book of earlier days, arranged for today's chain. Shapes (2, n), calls first."""

    belief: Belief
    """Dealer contracts at the end of the last recorded day."""
    opened: F64
    """Opening contracts recorded since `epoch`; the last day's at half its volume until
    open interest says better (`reconcile`). 0 where none."""
    traded: F64
    """Contracts recorded on the last day."""
    open_interest: F64
    """Open interest at the beginning of the last day; NaN not known."""
    volume: F64
    """The venue's volume of the last day; NaN not known."""
    epoch: int
    """Since when it has been added up, ns; 0 not known."""
    as_of: int
    """When it was left, ns."""
    reconciled: str = ""
    """How far off it was by the next morning's open interest; empty: not checked."""


@dataclass(frozen=True, eq=False, slots=True)
class Prior:
    """Dealer positions before today's first trade. Shapes (2, n), calls first."""

    belief: Belief
    """Positions. `shared` are the carried book's common errors, then calls and puts of
    today's expiry, then calls and puts of later ones."""
    covered: F64
    """w: share of each contract's open interest that the record explains, 0 to 1."""
    open_interest: F64
    """Open interest this morning; NaN not known."""
    epoch: int
    """Since when the carried book has been added up, ns; 0: nothing is carried."""
    bounds_hit: int
    """Contracts whose carried position was cut to open interest."""
    words: str
    """What stands where no record does."""
    reconciled: str = ""
    """How far off the carried book was; empty: not checked."""

    @property
    def coverage(self) -> float:
        """Share of open interest that no recorded tape explains, 0 to 1; NaN not known."""
        return self.uncovered()

    def uncovered(self, rows: Mask | slice | None = None) -> float:
        """The same of some rows only."""
        at = slice(None) if rows is None else rows
        held = np.nan_to_num(self.open_interest[:, at])
        total = float(held.sum())
        return float((held * (1.0 - self.covered[:, at])).sum()) / total if total else float("nan")


def prior(
    layout: Layout,
    open_interest: F64,
    today: Mask,
    settings: PriorSettings | None = None,
    carry: Carry | None = None,
) -> Prior:
    """What dealers held before today's trades.

    `open_interest` has shape (2, n), NaN where not known, and `today` shape (n,): rows of
    what settles at today's close. Open interest of nothing but zeros is what feeds send
    before it is published, and counts as unknown.
    """
    settings = settings or PriorSettings()
    rows = len(layout)
    if not np.any(open_interest > 0.0):
        open_interest = np.full((2, rows), np.nan)
    known = ~np.isnan(open_interest)
    held = np.where(known, open_interest, 0.0)
    if carry is None:
        covered = np.zeros((2, rows))
        belief = Belief.certain(np.zeros((2, rows)))
        hit = 0
    else:
        covered = _covered(carry.opened, open_interest)
        recorded = np.where(known, np.clip(carry.belief.mean, -held, held), carry.belief.mean)
        hit = int(np.count_nonzero(recorded != carry.belief.mean))
        belief = Belief(
            covered * recorded,
            covered**2 * carry.belief.variance,
            covered * carry.belief.shared,
        )
    return Prior(
        belief=belief + _assumed(held * (1.0 - covered), today, settings),
        covered=covered,
        open_interest=open_interest,
        epoch=carry.epoch if carry else 0,
        bounds_hit=hit,
        words=settings.words,
        reconciled=carry.reconciled if carry else "",
    )


def carry_rows(
    contracts: Sequence[Contract],
    mean: F64,
    variance: F64,
    shared: F64,
    opened: F64,
    traded: F64,
    open_interest: F64,
    volume: F64,
    layout: Layout,
    *,
    epoch: int,
    as_of: int,
    reconciled: str = "",
) -> Carry:
    """A saved book, arranged for today's chain.

    Arrays are by saved contract, shape (m,), `shared` (k, m). Contracts that today's
    chain does not list are gone: they have expired. `opened` is what was recorded up to
    the last day's beginning; that day's trades are added at half their number, the
    opening share of trade sides while open interest stays as it is.
    """
    number = {(e.root, e.date): i for i, e in enumerate(layout.expiries)}
    row = dict(zip(zip(layout.expiry.tolist(), layout.strike.tolist(), strict=True),
                   range(len(layout)), strict=True))  # fmt: skip
    source: list[int] = []
    side: list[int] = []
    target: list[int] = []
    for index, contract in enumerate(contracts):
        at = row.get((number.get((contract.root, contract.expiry), -1), contract.strike))
        which = CALL if contract.right is Right.CALL else PUT
        if at is not None and layout.contract[which, at] >= 0:
            source.append(index)
            side.append(which)
            target.append(at)

    def arranged(values: F64, empty: float = 0.0) -> F64:
        out = np.full((*values.shape[:-1], 2, len(layout)), empty)
        out[..., side, target] = values[..., source]
        return out

    recorded = arranged(traded)
    return Carry(
        belief=Belief(arranged(mean), arranged(variance), arranged(shared)),
        opened=arranged(opened) + 0.5 * recorded,
        traded=recorded,
        open_interest=arranged(open_interest, np.nan),
        volume=arranged(volume, np.nan),
        epoch=epoch,
        as_of=as_of,
        reconciled=reconciled,
    )


def _covered(opened: F64, open_interest: F64) -> F64:
    """How much the record covers; all where there is no open interest to compare with."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = opened / np.maximum(open_interest, 1e-9)
    share = np.where(open_interest > 0.0, share, np.where(opened > 0.0, 1.0, 0.0))
    return np.asarray(np.clip(share, 0.0, 1.0), np.float64)


def _assumed(held: F64, today: Mask, settings: PriorSettings) -> Belief:
    """Positions in open interest that no record explains."""
    mean = np.zeros_like(held)
    alone = np.zeros_like(held)
    shared = np.zeros((4, *held.shape))
    terms = (
        (today, settings.today, settings.today_share),
        (~today, settings.later, settings.later_share),
    )
    for number, (rows, convention, share) in enumerate(terms):
        here = held * rows
        if convention is None or share == 0.0:
            alone += settings.unknown_alone * here
            common = settings.unknown_shared * here
        else:
            signs = np.array([[convention.call_sign], [convention.put_sign]], np.float64)
            mean += share * signs * here
            alone += settings.assumed_alone * share * here
            common = settings.assumed_shared * share * here
        for side in (CALL, PUT):
            shared[2 * number + side, side] = common[side]
    return Belief(mean, alone**2, shared)


def _words(convention: Convention | None, share: float) -> str:
    if convention is None or share == 0.0:
        return "none"
    return convention.name if share == 1.0 else f"{share:g} × {convention.name}"
