"""The trap that a good hit rate does not show: one side's orders rest, and fill at the quote.

A customer's resting limit order is filled when the dealer comes to it. It prints where
the *opposite* customer order would, so whoever judges by the quote gets it the wrong
way round. While both sides rest alike, the errors cancel. If only sells rest, they do
not: with 30 % of the sells at rest the quote rule is right on 83–88 % of prints and
still calls a true net of −10 % +23 % (measured, quant notes 0.6).

Such orders give themselves away by size: a print of exactly the quoted size takes out
one resting order (Grauer, Schuster & Uhrig-Homburg). Only whole fills do; what fills in
parts stays signed by the quote, and wrong. So the size matches are a sample of the
resting orders, and what matters is whether they are many and all on one side:

    share  = size-matched / signed volume                          enough of them
    lean   = (dealer bought − dealer sold) / size-matched volume    on one side
    z      = |lean|·√(matched prints / design effect)               beyond chance
    other  = the same lean of all other signed volume               the opposite, or less

In an ordinary market both leans tell of the same customers and agree, and neither is
further from 0 than customers' tilt, 5–20 % of volume. The trap parts them: on simulated
days of three mixes size matches lean up to 0.3 (0.5 at a tilt of 30 %), on days of the
trap 0.6–0.8, against the rest; a thousand prints tell (measured, 90 stretches).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.evidence import Evidence
from gexterm.dealers.flow import Flow

F64 = NDArray[np.float64]
Side = Literal["", "sells", "buys"]

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class TrapSettings:
    """When size matches are too many on one side."""

    share: float = 0.05
    """Least share of signed volume that is size-matched."""
    lean: float = 0.5
    """Least lean of the size-matched volume; customers' tilt alone reaches about 0.2."""
    parted: float = 0.5
    """Least distance from the lean of all other signed volume, to the same side."""
    z: float = 4.0
    """Least distance of the lean from 0, standard deviations."""
    prints: float = 60.0
    """Fewer size-matched prints say nothing."""
    design: float = 3.0
    """E[q²]/E[q]² of print sizes: how many times more a volume's lean varies than a count's."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What size matches say about one group of contracts."""

    on: bool
    """Whether the signs of the group may be wrong together."""
    side: Side
    """Whose orders rest: customers' `sells` or `buys`; empty where not on."""
    share: float
    """Size-matched share of signed volume, 0 to 1; NaN: none signed."""
    lean: float
    """Net dealer buying of size-matched volume, −1 to 1; NaN: none."""
    other: float
    """The same of all other signed volume; NaN: none."""
    z: float
    """How far the lean is from 0, standard deviations; NaN: none."""

    @property
    def doubtful(self) -> float:
        """Share of signed volume that may stand on the wrong side, 0 to 1.

        As much as was found out by its size is taken to have filled in parts unseen.
        """
        return self.share * abs(self.lean) if self.on else 0.0


@dataclass(frozen=True, slots=True)
class Trap:
    """The verdict."""

    on: bool
    """Whether a whole side may be signed wrongly, in all contracts or in a group of them."""
    overall: Suspicion
    """All contracts together."""
    groups: tuple[Suspicion, ...]
    """By group, in the order they were handed in."""
    why: str
    """One line for the screen; empty where not on."""

    @property
    def share(self) -> float:
        """Size-matched share of signed volume, 0 to 1; NaN: none signed."""
        return self.overall.share

    @property
    def side(self) -> Side:
        """Whose orders rest: customers' `sells` or `buys`; empty where not on, or mixed."""
        if self.overall.on:
            return self.overall.side
        sides = {group.side for group in self.groups if group.on}
        return sides.pop() if len(sides) == 1 else ""


def detect(
    flow: Flow,
    groups: tuple[tuple[str, NDArray[np.bool_]], ...] = (),
    settings: TrapSettings | None = None,
) -> Trap:
    """Whether resting orders of one side deceive the signer.

    `groups` are names and masks of contracts, shape (n,).
    """
    columns = np.ones((len(flow.mean), len(groups) + 1))
    for number, (_, mask) in enumerate(groups, 1):
        columns[:, number] = mask
    matched = flow.amount[Evidence.SIZE] @ columns
    signed = flow.amount[: Evidence.UNSIGNED].sum(axis=0) @ columns
    size = float(flow.amount.sum()) / flow.prints if flow.prints else NAN
    return judge(matched, signed, size, tuple(name for name, _ in groups), settings)


def judge(
    matched: F64,
    signed: F64,
    size: float,
    names: tuple[str, ...],
    settings: TrapSettings | None = None,
) -> Trap:
    """The same from sums: all contracts first, then the groups called `names`.

    `matched` and `signed` are size-matched and all signed contracts by dealer side, shape
    (2, 1 + g); `size` is the mean size of a print.
    """
    settings = settings or TrapSettings()
    overall, *groups = (
        _suspicion(matched[:, g], signed[:, g], size, settings) for g in range(1 + len(names))
    )
    caught = [(name, group) for name, group in zip(names, groups, strict=True) if group.on]
    return Trap(
        on=overall.on or bool(caught),
        overall=overall,
        groups=tuple(groups),
        why=_why("", overall) if overall.on else _why(*caught[0]) if caught else "",
    )


def _suspicion(matched: F64, signed: F64, size: float, settings: TrapSettings) -> Suspicion:
    """Of one group; shapes (2,), dealer bought and sold."""
    rest = signed - matched
    everything, found, other = float(signed.sum()), float(matched.sum()), float(rest.sum())
    share = found / everything if everything > 0.0 else NAN
    lean = float(matched[0] - matched[1]) / found if found > 0.0 else NAN
    away = float(rest[0] - rest[1]) / other if other > 0.0 else NAN
    prints = found / size if size > 0.0 else 0.0
    z = abs(lean) * (prints / settings.design) ** 0.5
    # Without other signed volume there is nothing to part from: the lean must do.
    parted = lean - away if other > 0.0 else lean
    on = (
        prints >= settings.prints
        and share >= settings.share
        and abs(lean) >= settings.lean
        and parted * np.sign(lean) >= settings.parted
        and z >= settings.z
    )
    side: Side = ("sells" if lean > 0.0 else "buys") if on else ""
    return Suspicion(bool(on), side, share, lean, away, z)


def _why(name: str, found: Suspicion) -> str:
    where = f" in {name}" if name else ""
    one_way = 50.0 * (1.0 + abs(found.lean))
    return (
        f"{found.share:.0%} of signed volume{where} is of quoted size, {one_way:.0f} % of it"
        f" customers' {found.side}: resting {found.side} may be signed the wrong way"
    )
