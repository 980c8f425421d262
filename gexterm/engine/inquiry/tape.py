"""The newest prints of the signed tape, as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.conditions import ConditionClass as C
from gexterm.dealers.evidence import WORDS, Evidence
from gexterm.dealers.tape import UNJUDGED, State, Tape
from gexterm.errors import UsageError
from gexterm.market.contracts import Contract
from gexterm.pricing.surface import Surface
from gexterm.reading.inquiry import Print, TapeTail

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
NAN = float("nan")

NOT_JUDGED = "not judged yet"
MOST = 10_000
"""Prints that can be asked for at once."""
_FIRST_CHUNK, _LARGEST_CHUNK = 1 << 12, 1 << 18

CONDITIONS: dict[C, str] = {
    C.REGULAR: "regular",
    C.SWEEP: "sweep",
    C.AUCTION: "auction",
    C.CROSS: "cross",
    C.FLOOR: "floor",
    C.MULTI_ELECTRONIC: "package",
    C.MULTI_AUCTION: "package, auction",
    C.MULTI_CROSS: "package, cross",
    C.MULTI_FLOOR: "package, floor",
    C.MULTI_VS_SINGLE: "package against single legs",
    C.STOCK_TIED: "tied to stock",
    C.LATE: "late",
    C.REOPEN: "opening rotation",
    C.CANCEL_ANY: "cancel",
    C.CANCEL_LAST: "cancel",
    C.CANCEL_OPENING: "cancel",
    C.CANCEL_ONLY: "cancel",
    C.COMPRESSION: "compression",
    C.EXTENDED: "extended hours",
    C.UNKNOWN: "unknown",
    C.ABSENT: "not given",
}
"""Sale conditions as they are shown."""
_STATES = {State.LIVE: "live", State.CANCELLED: "cancelled", State.REPLACED: "replaced"}


class TapeReader:
    """Reads the end of one tape again and again. On the thread that the tape grows on."""

    def __init__(self) -> None:
        self._counted: tuple[Tape, float, int, int] | None = None
        self._placed: tuple[Surface, F64] | None = None

    def tail(
        self,
        tape: Tape | None,
        contracts: Sequence[Contract],
        surface: Surface | None,
        as_of: int,
        count: int,
        least_size: float,
    ) -> TapeTail:
        """The newest `count` prints of at least `least_size` contracts, newest first.

        In order of arrival, cancelled and corrected ones among them. `surface` gives the
        deltas, those of now and not of the time of the print. Raises UsageError for a
        `count` or size that makes no sense.
        """
        if not 0 < count <= MOST or not least_size >= 0.0:
            raise UsageError(
                f"{count} prints of at least {least_size:g} contracts cannot be shown",
                f"ask for 1 to {MOST} prints of a size from 0 up",
            )
        if tape is None:
            return TapeTail(as_of, (), 0, 0, "this feed gives no prints: there is no tape")
        rows = newest(tape.size, count, least_size)
        passing = self._passing(tape, least_size)
        why = ""
        if not len(tape):
            why = "no print has come yet"
        elif not len(rows):
            why = f"none of {len(tape):,} prints is of {least_size:g} contracts or more"
        delta = None if surface is None else self._delta(surface, len(contracts))
        return TapeTail(as_of, _prints(tape, rows, contracts, delta), len(tape), passing, why)

    def _passing(self, tape: Tape, least: float) -> int:
        """How many of the tape pass; only what came since it was last asked is counted."""
        first = found = 0
        if self._counted is not None:
            of, at, end, before = self._counted
            if of is tape and at == least and end <= len(tape):
                first, found = end, before
        found += int(np.count_nonzero(tape.size[first:] >= least))
        self._counted = (tape, least, len(tape), found)
        return found

    def _delta(self, surface: Surface, count: int) -> F64:
        """$ of delta per contract by contract, dealer long one; NaN not known."""
        if self._placed is None or self._placed[0] is not surface or len(self._placed[1]) < count:
            layout = surface.layout
            size = np.array([e.multiplier for e in layout.expiries])[layout.expiry]
            out = np.full(max(count, int(layout.contract.max(initial=-1)) + 1), np.nan)
            listed = layout.contract >= 0
            out[layout.contract[listed]] = (surface.delta * (size * surface.spot))[listed]
            self._placed = surface, out
        return self._placed[1]


def newest(size: F64, count: int, least: float) -> I64:
    """The last `count` rows of at least a size, the last one first."""
    found: list[I64] = []
    left, end, chunk = count, len(size), max(_FIRST_CHUNK, count)
    while left > 0 and end > 0:
        first = max(0, end - chunk)
        rows = first + np.flatnonzero(size[first:end] >= least)[::-1][:left]
        found.append(rows.astype(np.int64))
        left -= len(rows)
        end, chunk = first, min(2 * chunk, _LARGEST_CHUNK)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _prints(
    tape: Tape, rows: I64, contracts: Sequence[Contract], delta: F64 | None
) -> tuple[Print, ...]:
    kind, state = tape.evidence[rows], tape.state[rows]
    judged, signed = kind != UNJUDGED, kind < Evidence.UNSIGNED
    bought = np.where(signed, tape.p_buy[rows].astype(np.float64), np.nan)
    dealer = np.where(judged, tape.p_dealer[rows].astype(np.float64), np.nan)
    size, who = tape.size[rows], tape.contract[rows]
    each = np.full(len(rows), np.nan) if delta is None else delta[who]
    gained = (2.0 * bought - 1.0) * dealer * each * size
    # What was taken back has changed nobody's book.
    gained[state != State.LIVE] = np.nan
    at = np.where(tape.ts[rows] > 0, tape.ts[rows], tape.recv[rows])
    columns = (
        rows, at, who, tape.price[rows], size, tape.met_bid[rows], tape.met_ask[rows], bought,
        dealer, kind, tape.condition[rows], tape.package[rows], state, gained,
    )  # fmt: skip
    dates: dict[object, str] = {}
    out = []
    for (
        row, when, index, price, amount, bid, ask, p_buy, p_dealer,
        evidence, condition, package, became, gain,
    ) in zip(*(column.tolist() for column in columns), strict=True):  # fmt: skip
        contract = contracts[index]
        expiry = dates.get(contract.expiry)
        if expiry is None:
            expiry = dates[contract.expiry] = contract.expiry.isoformat()
        out.append(
            Print(
                row=row,
                at=when,
                symbol=contract.root,
                expiry=expiry,
                strike=contract.strike,
                right=contract.right.value,
                price=price,
                size=amount,
                bid=bid,
                ask=ask,
                p_buy=p_buy,
                p_dealer=p_dealer,
                evidence=_WORDS.get(evidence, NOT_JUDGED),
                condition=_CONDITIONS[condition],
                package=package,
                state=_BECAME[became],
                delta_notional=gain,
            )
        )
    return tuple(out)


_WORDS = {int(kind): word for kind, word in WORDS.items()}
_CONDITIONS = {int(kind): word for kind, word in CONDITIONS.items()}
_BECAME = {int(state): word for state, word in _STATES.items()}
