"""What a print's condition says about it: counted or not, signed or not, in which bucket.

The letters are OPRA's: 33 since 2019, and a blank for regular. Vendors
number them in their own ways; a code that is in no table is `UNKNOWN`: it counts as
volume, is never signed, and is reported. Classes are gexterm's own judgement of what
the price of such a print says about its initiator.

Sources: the letters as vendors list them who pass them on (Alpaca, QuoteMedia, Barchart);
the numbers of each vendor as `Numbering.source` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray


class ConditionClass(IntEnum):
    """What kind of print it was, as far as signing is concerned."""

    REGULAR = 0
    """Electronic, one leg, nothing special."""
    SWEEP = 1
    """Intermarket sweep: a decided aggressor."""
    AUCTION = 2
    """Single-leg price-improvement auction."""
    CROSS = 3
    """Both sides agreed beforehand."""
    FLOOR = 4
    """Traded by open outcry, reported when it suited."""
    MULTI_ELECTRONIC = 5
    """Leg of a package, electronic."""
    MULTI_AUCTION = 6
    """Leg of a package, auctioned."""
    MULTI_CROSS = 7
    """Leg of a package, crossed."""
    MULTI_FLOOR = 8
    """Leg of a package, from the floor."""
    MULTI_VS_SINGLE = 9
    """Leg of a package, traded against single-leg orders."""
    STOCK_TIED = 10
    """Leg of a package with stock."""
    LATE = 11
    """Reported late or out of sequence: the quote now is not the quote then."""
    REOPEN = 12
    """Opening or re-opening rotation."""
    CANCEL_ANY = 13
    """Takes back an earlier print."""
    CANCEL_LAST = 14
    """Takes back the last print."""
    CANCEL_OPENING = 15
    """Takes back the opening print."""
    CANCEL_ONLY = 16
    """Takes back the only print."""
    COMPRESSION = 17
    """Multilateral compression: closes positions on both sides."""
    EXTENDED = 18
    """Extended hours; otherwise regular."""
    UNKNOWN = 19
    """A code that is in no table."""
    ABSENT = 20
    """The feed gives no conditions."""


C = ConditionClass
CLASSES = len(ConditionClass)
CANCELS = (C.CANCEL_ANY, C.CANCEL_LAST, C.CANCEL_OPENING, C.CANCEL_ONLY)
"""The classes that are no prints but take one back."""
PACKAGES = (
    C.MULTI_ELECTRONIC,
    C.MULTI_AUCTION,
    C.MULTI_CROSS,
    C.MULTI_FLOOR,
    C.MULTI_VS_SINGLE,
)
"""Legs of option packages: priced as a whole."""


def _flags(*classes: ConditionClass) -> NDArray[np.bool_]:
    flags = np.zeros(CLASSES, np.bool_)
    flags[list(classes)] = True
    flags.flags.writeable = False
    return flags


IS_CANCEL = _flags(*CANCELS)
"""By class: takes a print back. Shape (CLASSES,)."""
IS_PACKAGE = _flags(*PACKAGES)
"""By class: leg of a package of options. Shape (CLASSES,)."""
COUNTS_VOLUME = ~IS_CANCEL
"""By class: adds to volume. Shape (CLASSES,)."""
MAY_SIGN_ALONE = _flags(C.REGULAR, C.SWEEP, C.AUCTION, C.EXTENDED, C.ABSENT, C.MULTI_VS_SINGLE)
"""By class: its own price against the quote says who began. Shape (CLASSES,)."""
MAY_SIGN = MAY_SIGN_ALONE | IS_PACKAGE & ~_flags(C.MULTI_CROSS)
"""By class: may be given a side, alone or as part of its package. Shape (CLASSES,)."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One trade condition of OPRA."""

    letter: str
    """OPRA's code; a blank for regular."""
    mnemonic: str
    """OPRA's short name."""
    meaning: str
    """In plain words."""
    kind: ConditionClass
    """What it means here."""


OPRA: tuple[Condition, ...] = (
    Condition(" ", "", "regular", C.REGULAR),
    Condition("A", "CANC", "cancels an earlier print, not the last or opening one", C.CANCEL_ANY),
    Condition("B", "OSEQ", "reported late and out of sequence", C.LATE),
    Condition("C", "CNCL", "cancels the last print", C.CANCEL_LAST),
    Condition("D", "LATE", "reported late, in sequence", C.LATE),
    Condition("E", "CNCO", "cancels the opening print", C.CANCEL_OPENING),
    Condition("F", "OPEN", "opening print, late and out of sequence", C.LATE),
    Condition("G", "CNOL", "cancels the only print of the day", C.CANCEL_ONLY),
    Condition("H", "OPNL", "opening print, late, in sequence", C.LATE),
    Condition("I", "AUTO", "executed electronically", C.REGULAR),
    Condition("J", "REOP", "reopening after a halt", C.REOPEN),
    Condition("S", "ISOI", "intermarket sweep order", C.SWEEP),
    Condition("a", "SLAN", "single leg, auction", C.AUCTION),
    Condition("b", "SLAI", "single leg, auction, intermarket sweep", C.AUCTION),
    Condition("c", "SLCN", "single leg, cross", C.CROSS),
    Condition("d", "SLCI", "single leg, cross, intermarket sweep", C.CROSS),
    Condition("e", "SLFT", "single leg, floor", C.FLOOR),
    Condition("f", "MLET", "package, electronic", C.MULTI_ELECTRONIC),
    Condition("g", "MLAT", "package, auction", C.MULTI_AUCTION),
    Condition("h", "MLCT", "package, cross", C.MULTI_CROSS),
    Condition("i", "MLFT", "package, floor", C.MULTI_FLOOR),
    Condition("j", "MESL", "package against single legs, electronic", C.MULTI_VS_SINGLE),
    Condition("k", "TLAT", "package with stock, auction", C.STOCK_TIED),
    Condition("l", "MASL", "package against single legs, auction", C.MULTI_VS_SINGLE),
    Condition("m", "MFSL", "package against single legs, floor", C.MULTI_VS_SINGLE),
    Condition("n", "TLET", "package with stock, electronic", C.STOCK_TIED),
    Condition("o", "TLCT", "package with stock, cross", C.STOCK_TIED),
    Condition("p", "TLFT", "package with stock, floor", C.STOCK_TIED),
    Condition("q", "TESL", "package with stock against single legs, electronic", C.STOCK_TIED),
    Condition("r", "TASL", "package with stock against single legs, auction", C.STOCK_TIED),
    Condition("s", "TFSL", "package with stock against single legs, floor", C.STOCK_TIED),
    Condition("t", "CBMO", "package of a proprietary product, floor", C.MULTI_FLOOR),
    Condition("u", "MCTP", "multilateral compression of a proprietary product", C.COMPRESSION),
    Condition("v", "EXHT", "extended hours", C.EXTENDED),
)
"""Every condition of OPRA, the blank one first."""


@dataclass(frozen=True, eq=False, slots=True)
class Numbering:
    """How one vendor writes conditions as numbers."""

    name: str
    """As `SourceInfo.conditions` has it."""
    kinds: Mapping[int, ConditionClass]
    """Class by code; what is not in it is `UNKNOWN`, −1 is `ABSENT`."""
    source: str
    """Where the numbers are from, and how sure they are."""
    table: NDArray[np.uint8]
    """Class by code taken as unsigned, for every code of 16 bits. Shape (65536,)."""


def _numbering(name: str, kinds: Mapping[int, ConditionClass], source: str) -> Numbering:
    table = np.full(1 << 16, C.UNKNOWN, np.uint8)
    table[-1] = C.ABSENT  # −1 as unsigned
    for code, kind in kinds.items():
        table[code] = kind
    table.flags.writeable = False
    return Numbering(name, MappingProxyType(dict(kinds)), source, table)


_BY_LETTER = {c.letter: c.kind for c in OPRA}
_LETTERS = {0: C.REGULAR} | {ord(letter): kind for letter, kind in _BY_LETTER.items()}
_MASSIVE = {0: C.REGULAR} | {
    (200 + ord(letter) - ord("@") if letter.isupper() else 226 + ord(letter) - ord("`")): kind
    for letter, kind in _BY_LETTER.items()
    if letter != " "
}

# What Nanex numbered up to 108 in the days of OPRA's older letters; ThetaData and Cboe
# both took it over. A spread of those days (35, 36, 38) was not yet told apart by where it
# was traded, and a stopped order (106) is what is now an auction or a cross.
_NANEX = {
    0: C.REGULAR,
    2: C.LATE,  # out of sequence
    5: C.LATE,  # opening, late
    6: C.LATE,  # opening, out of sequence
    7: C.LATE,  # opening, late, in sequence
    13: C.LATE,  # late, in sequence
    18: C.REGULAR,  # executed electronically
    20: C.REOPEN,  # delayed opening
    21: C.REOPEN,
    34: C.REGULAR,  # adjusted terms
    35: C.MULTI_ELECTRONIC,  # spread
    36: C.MULTI_ELECTRONIC,  # straddle
    37: C.STOCK_TIED,  # buy-write
    38: C.MULTI_ELECTRONIC,  # combination
    39: C.FLOOR,  # stopped on the floor
    40: C.CANCEL_ANY,
    41: C.CANCEL_LAST,
    42: C.CANCEL_OPENING,
    43: C.CANCEL_ONLY,
    44: C.CANCEL_ANY,  # cancels a stopped one
    45: C.CROSS,
    54: C.CROSS,
    56: C.LATE,  # stopped, late
    57: C.LATE,  # stopped, out of sequence
    95: C.SWEEP,
    97: C.REOPEN,
    105: C.STOCK_TIED,  # contingent
    106: C.AUCTION,  # stopped, no trade-through
    107: C.CROSS,  # benchmark: not priced off the quote
    108: C.REGULAR,  # exempt from trade-through
}


def _from(first: int) -> dict[int, ConditionClass]:
    """OPRA's letters a to t, numbered on from `first`."""
    return {first + i: _BY_LETTER[letter] for i, letter in enumerate("abcdefghijklmnopqrst")}


_THETADATA = (
    _NANEX | _from(125) | {118: C.EXTENDED, 124: C.STOCK_TIED, 147: C.COMPRESSION, 148: C.EXTENDED}
)
_DATASHOP = _NANEX | _from(114) | {135: C.STOCK_TIED, 136: C.COMPRESSION, 137: C.EXTENDED}


def _deribit(bits: int) -> ConditionClass:
    """The class of a print with these bits.

    A block was agreed beforehand and reported after: its price does not say who began, and
    who is called the taker was agreed too. By request for quote, dealers compete for it.
    Who is liquidated does begin, if against his will.
    """
    combo, block, by_request = bits & 1, bits & 2, bits & 4
    if by_request:
        return C.MULTI_AUCTION if combo else C.AUCTION
    if block:
        return C.FLOOR
    return C.MULTI_ELECTRONIC if combo else C.REGULAR


_DERIBIT = {bits: _deribit(bits) for bits in range(16)}

NUMBERINGS: dict[str, Numbering] = {
    n.name: n
    for n in (
        _numbering("", {}, "a feed without conditions"),
        _numbering("opra", _LETTERS, "the ASCII of OPRA's letter; 0 and blank regular"),
        _numbering(
            "massive",
            _MASSIVE,
            "Massive's id table: 200 + place of a capital, 226 + place of a small letter; ids not"
            " seen one by one follow that rule",
        ),
        _numbering(
            "dxfeed",
            _LETTERS,
            "the ASCII of exchangeSaleConditions where it is one OPRA letter; dxFeed documents no"
            " other mapping",
        ),
        _numbering(
            "deribit",
            _DERIBIT,
            "gexterm's own bits: 1 leg of a combo, 2 block, 4 block by request for quote,"
            " 8 liquidation",
        ),
        _numbering("thetadata", _THETADATA, "ThetaData's page of trade conditions"),
        _numbering(
            "cboe-datashop",
            _DATASHOP,
            "Cboe LiveVol's list of 2022: up to 108 as ThetaData, from 114 on its own",
        ),
    )
}
"""The numberings by name; the empty name is a feed without conditions."""
_NOTHING = NUMBERINGS[""]


def classes(codes: NDArray[np.int16], numbering: str) -> NDArray[np.uint8]:
    """The `ConditionClass` of each code, same shape.

    −1 (not given) is `ABSENT`. Codes that the numbering does not have, and all codes of
    a numbering that is not known, are `UNKNOWN`.
    """
    table = NUMBERINGS.get(numbering, _NOTHING).table
    return table[codes.view(np.uint16)]
