"""The carried book against the next morning's open interest.

Every trade has two sides, each of which opens or closes. With oo, oc and cc trades that
open on both sides, on one, on none,

    V = oo + oc + cc,    ΔOI = oo − cc,    opening sides / 2V = (2·oo + oc) / 2V = (V + ΔOI) / 2V

exactly (quant notes 8.4). So open interest of two mornings and the volume between say
how much was opened, not by whom. It also bounds the dealer: he can hold no more than
all of what is open now, |x| ≤ OI. A book beyond that is wrong by at least the excess.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.belief import Belief
from gexterm.dealers.prior import Carry, PriorSettings
from gexterm.market.chain import CALL, Layout

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Reconciliation:
    """How far off the book was, and the book put right."""

    carry: Carry
    """The book within bounds, with the opening volume that open interest tells."""
    checked: int
    """Contracts held whose open interest is known now."""
    outside: int
    """Of those, how many the book held more of than is open now."""
    outside_day: int
    """… and more than was open then plus what was traded: the record itself is wrong."""
    impossible: int
    """Contracts whose open interest changed by more than their volume: trades are missing."""
    excess: float
    """Contracts beyond bounds, in all."""
    held: float
    """Contracts held, long or short, in all, where checked."""
    largest: tuple[int, int]
    """Side and row of the contract furthest beyond; (−1, −1): none."""
    largest_excess: float
    """By how many contracts."""
    opening_share: float
    """Opening share of all trade sides of the day, 0 to 1; NaN not known."""

    @property
    def excess_share(self) -> float:
        """Share of the book that could not be, 0 to 1; NaN: nothing checked."""
        return self.excess / self.held if self.held > 0.0 else float("nan")

    def summary(self, layout: Layout | None = None) -> str:
        """One line for the screen; with a layout it names the contract furthest off."""
        if not self.checked:
            return "carried book not checked: no open interest for what it holds"
        if not self.outside:
            line = f"carried book within open interest in all {self.checked:,} contracts"
        else:
            line = (
                f"carried book beyond open interest in {self.outside:,} of {self.checked:,}"
                f" contracts, by {self.excess_share:.1%} of its size"
            )
            if layout is not None:
                side, row = self.largest
                root = layout.expiries[int(layout.expiry[row])]
                line += (
                    f"; furthest {root.root} {root.date} {layout.strike[row]:g}"
                    f"{'C' if side == CALL else 'P'} by {self.largest_excess:,.0f}"
                )
        if self.impossible:
            line += f"; trades are missing in {self.impossible:,}"
        return line


def opening_share(volume: F64, then: F64, now: F64) -> F64:
    """Opening share of all trade sides between two mornings, by contract.

    All of one shape: volume between, open interest before and after. NaN where nothing
    traded or something is not known; outside 0 to 1 the volume is not all there was.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(volume > 0.0, (volume + now - then) / (2.0 * volume), np.nan)
    return np.asarray(share, np.float64)


def reconcile(
    carry: Carry,
    then: F64,
    now: F64,
    volume: F64,
    missed: int = 0,
    settings: PriorSettings | None = None,
) -> Reconciliation:
    """Check a carried book against open interest, and put it within bounds.

    `then` is open interest at the beginning of the book's last day, `now` this morning's,
    `volume` that day's (the venue's, or the recorded one where it gave none); shapes
    (2, n), NaN not known. `missed` sessions in between were not recorded: then the
    identity does not hold and is left alone, and every position becomes as much less
    certain each session as an unrecorded one is (`PriorSettings.unknown_alone`).

    A position beyond bounds is cut to them. Its uncertainty stays, as the record has
    just been wrong, but nothing is less certain than ± all of open interest.
    """
    if not np.any(now > 0.0):  # all zero: sent before it was published
        now = np.full_like(now, np.nan)
    settings = settings or PriorSettings()
    size = np.abs(carry.belief.mean)
    known = ~np.isnan(now)
    checked = known & (size > 0.0)
    over = np.where(checked, np.maximum(size - np.where(known, now, 0.0), 0.0), 0.0)
    outside = over > 1e-6
    with np.errstate(invalid="ignore"):
        outside_day = checked & (size > then + volume + 1e-6)
        impossible = np.abs(now - then) > volume + 1e-6
    opened, share = carry.opened, float("nan")
    if missed:
        impossible = np.zeros_like(impossible)
    else:
        opened, share = _opened(carry, then, now, volume)
    most = np.where(known, now, np.inf)
    aged = carry.belief.variance
    if missed:
        aged = aged + missed * (settings.unknown_alone * np.where(known, now, size)) ** 2
    fixed = replace(
        carry,
        belief=_within(Belief(carry.belief.mean, aged, carry.belief.shared), most),
        opened=opened,
    )
    largest = np.unravel_index(int(np.argmax(over)), over.shape) if outside.any() else (-1, -1)
    result = Reconciliation(
        carry=fixed,
        checked=int(np.count_nonzero(checked)),
        outside=int(np.count_nonzero(outside)),
        outside_day=int(np.count_nonzero(outside_day)),
        impossible=int(np.count_nonzero(impossible)),
        excess=float(over[outside].sum()),
        held=float(size[checked].sum()),
        largest=(int(largest[0]), int(largest[1])),
        largest_excess=float(over.max(initial=0.0)),
        opening_share=share,
    )
    line = result.summary()
    if missed:
        line += f"; {missed} session{'s' if missed > 1 else ''} not recorded since"
    return replace(result, carry=replace(fixed, reconciled=line))


def _opened(carry: Carry, then: F64, now: F64, volume: F64) -> tuple[F64, float]:
    """Opening contracts recorded by now, and the day's opening share.

    The carry counts half of what was recorded on the last day; open interest says how much
    more or less it was: (V + ΔOI)/2 in place of V/2, as far as V was recorded.
    """
    sides = opening_share(volume, then, now)
    usable = ~np.isnan(sides)
    recorded = np.minimum(carry.traded, np.where(usable, volume, 0.0))
    more = np.where(usable, recorded * (np.clip(sides, 0.0, 1.0) - 0.5), 0.0)
    total = float(volume[usable].sum())
    share = float((sides * volume)[usable].sum()) / total if total > 0.0 else float("nan")
    return np.maximum(carry.opened + more, 0.0), share


def _within(belief: Belief, most: F64) -> Belief:
    """Positions within ±most, none less certain than that."""
    sd = belief.sd
    scale = np.where(sd > most, most / np.maximum(sd, 1e-300), 1.0)
    return Belief(
        np.clip(belief.mean, -most, most),
        belief.variance * scale**2,
        belief.shared * scale,
    )
