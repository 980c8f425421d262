"""Who is assumed to hold what: static sign conventions over open interest or volume.

A convention gives every call the one sign and every put the other. It is an
assumption about customers, not a measurement, and the same chain reads the other way
round under the next one. This is the only place where such a sign is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Basis = Literal["open interest", "volume", "none"]


@dataclass(frozen=True, slots=True)
class Convention:
    """A sign for all calls and one for all puts, as the dealer holds them."""

    name: str
    """As it stands in settings and on screen."""
    call_sign: int
    """+1: dealers are long every call; −1: short."""
    put_sign: int
    """+1: dealers are long every put; −1: short."""
    description: str
    """One line: what customers are assumed to do."""
    help: str
    """What it rests on, who uses it, and where it misleads."""
    paradigm: str
    """The one charm paradigm that it shows while open interest is out of the money."""


_ONE_LABEL = (
    " A fixed sign pins the 0DTE charm paradigm: with open interest out of the money this one"
    " reads {paradigm}, whatever customers did. Another label under it comes from open interest"
    " that spot has moved past, not from positions. Only signed trades can show all four."
)

CUSTOMER_FLOW = Convention(
    name="customer-flow",
    call_sign=-1,
    put_sign=+1,
    description="customers buy calls and sell puts; dealers short calls, long puts",
    help=(
        "Follows the lesson this project grew from: dealers stand against the flow that customers"
        " prefer, and customers are taken to buy calls and to sell puts. Most public sites use the"
        " opposite sign (squeezemetrics), since they take customers to sell calls over stock and"
        " to buy puts as protection; gamma then has the other sign and the flip the other side."
        " The lesson's own prose has customers buying both, which would be short-both. In the 2023"
        " white paper's record of signed trades, the label this convention shows, Anti-GEX, is"
        " 9 % of observations; BofA is 57 % and GEX 29 %." + _ONE_LABEL.format(paradigm="Anti-GEX")
    ),
    paradigm="Anti-GEX",
)

SQUEEZEMETRICS = Convention(
    name="squeezemetrics",
    call_sign=+1,
    put_sign=-1,
    description="customers sell calls and buy puts; dealers long calls, short puts",
    help=(
        "What nearly every public gamma exposure site shows (SqueezeMetrics 2017): customers"
        " overwrite stock with calls and buy protective puts. The opposite of customer-flow at"
        " every strike. GEX is 29 % of the observations in the 2023 white paper's record."
        + _ONE_LABEL.format(paradigm="GEX")
    ),
    paradigm="GEX",
)

SHORT_BOTH = Convention(
    name="short-both",
    call_sign=-1,
    put_sign=-1,
    description="customers buy calls and puts; dealers short everything",
    help=(
        "Dealers have sold every open contract, so gamma is short at every spot and there is no"
        " flip. The commonest label in the 2023 white paper's record, 57 % of observations."
        + _ONE_LABEL.format(paradigm="BofA")
    ),
    paradigm="BofA",
)

LONG_BOTH = Convention(
    name="long-both",
    call_sign=+1,
    put_sign=+1,
    description="customers sell calls and puts; dealers long everything",
    help=(
        "Dealers have bought every open contract, so gamma is long at every spot and there is no"
        " flip. The rarest label in the 2023 white paper's record, about 5 % of observations."
        + _ONE_LABEL.format(paradigm="Sidial")
    ),
    paradigm="Sidial",
)

CONVENTIONS: dict[str, Convention] = {
    c.name: c for c in (CUSTOMER_FLOW, SQUEEZEMETRICS, SHORT_BOTH, LONG_BOTH)
}
"""The four conventions by name, the default first."""

INDICES = frozenset(
    {"SPX", "XSP", "NDX", "XND", "RUT", "MRUT", "DJX", "OEX", "XEO", "SPY", "QQQ", "IWM", "DIA"}
)
"""Broad indices and the funds on them: where customers' habits are at least well known."""


def positions(convention: Convention, weight: F64) -> F64:
    """Dealer contracts under a convention.

    `weight` is open interest or volume, shape (2, n), calls first; NaN (not known)
    gives a position of 0. Returns shape (2, n), + = dealer long.
    """
    signs = np.array([[convention.call_sign], [convention.put_sign]], np.float64)
    held = np.multiply(weight, signs)
    np.copyto(held, 0.0, where=np.isnan(held))
    return held


def choose_basis(open_interest: F64, volume: F64) -> tuple[F64, Basis]:
    """What to apply a convention to: open interest if the chain has any, else volume.

    One basis for the whole chain, never one contract by open interest and the next by
    volume: their sizes do not compare. Both have shape (2, n); returns the chosen array
    and its name, all NaN and `none` where neither is known. Open interest of nothing
    but zeros is what feeds send before it is published, and counts as unknown.
    """
    if np.any(open_interest > 0.0):
        return open_interest, "open interest"
    if np.any(volume > 0.0):
        return volume, "volume"
    return np.full_like(open_interest, np.nan), "none"


def size_warning(basis: Basis) -> str:
    """Why a convention's sizes are not to be taken at face value; empty without positions.

    Exchange-labelled 0DTE gamma of market makers is about $0.1–2bn per 1 % of SPX (Cboe
    2023–2025); open interest under a mixed-sign convention gives $5–40bn.
    """
    if basis == "none":
        return ""
    return f"takes all {basis} for dealers': sizes are an upper bound, 10–50 × exchange-labelled"


def single_name_warning(underlying: str) -> str:
    """What is doubtful about any fixed sign for this underlying; empty for an index."""
    if underlying.upper().removeprefix("^").removeprefix("$") in INDICES:
        return ""
    return (
        f"{underlying}: a fixed sign is a guess for anything but a broad index; "
        "who buys and who sells changes by name and week"
    )


__all__ = [
    "CONVENTIONS",
    "CUSTOMER_FLOW",
    "LONG_BOTH",
    "SHORT_BOTH",
    "SQUEEZEMETRICS",
    "Basis",
    "Convention",
    "choose_basis",
    "positions",
    "single_name_warning",
    "size_warning",
]
