"""Which of several conditions of a print decides. Massive's numbers, see `feeds.md` 7.

Prints of options carry one condition as a rule, but the field is a list. The one is taken
that says most against reading the price as a lone order's, in this order:

    cancels          201 203 205 207: it is no print at all, whatever else it was
    compression      247: closes positions on both sides
    not known        a number from no table; nothing may be read into the rest either
    late             202 204 206 208: the quote now is not the quote then, of a package too
    with stock       237 240-245
    crosses          229 230, and packages crossed 234
    floor            231
    rotation         210
    packages         232 233 235 246, then those against single legs 236 238 239
    auctions         227 228
    sweep 219, extended hours 248, electronic 209, regular 0

−1 (the feed gives none) is left to prints without any.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

ABSENT = -1
"""The feed gives no condition."""
UNKNOWN = -2
"""A number that fits no column: in no table either."""

_BEFORE_UNKNOWN = (201, 203, 205, 207, 247)
_AFTER_UNKNOWN = (
    *(202, 204, 206, 208),
    *(237, 240, 241, 242, 243, 244, 245),
    *(229, 230, 234),
    231,
    210,
    *(232, 233, 235, 246, 236, 238, 239),
    *(227, 228),
    219,
    248,
    209,
    0,
)
_RANK = {code: rank for rank, code in enumerate((*_BEFORE_UNKNOWN, UNKNOWN, *_AFTER_UNKNOWN))}
_UNKNOWN_RANK = _RANK[UNKNOWN]


def deciding(given: Sequence[int] | int | None) -> int:
    """The condition that decides, in the vendor's numbers; `ABSENT` where none is given.

    Numbers in no table stay as they are, so that they can be named, if they fit 16 bits.
    """
    if given.__class__ is tuple and len(given) == 1 and given[0] in _RANK:
        return given[0]  # by far the most frequent, hence first
    if given is None:
        return ABSENT
    if isinstance(given, int):
        return _fits(given)
    return _decide(tuple(given[:16])) if given else ABSENT


@lru_cache(maxsize=512)
def _decide(given: tuple[int, ...]) -> int:
    return _fits(min(given, key=lambda code: _RANK.get(code, _UNKNOWN_RANK)))


def _fits(code: int) -> int:
    return code if -1 <= code < 1 << 15 else UNKNOWN
