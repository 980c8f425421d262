"""What a root says about its options: underlying, settlement, exercise, multiplier.

Sources: the Cboe contract specifications of SPX, XSP, NDX, RUT, DJX, OEX and VIX, and
Deribit's instrument definitions. A root that is not listed here is taken for a United
States stock or fund: American, physically delivered, settling at the close.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gexterm.errors import SymbolError
from gexterm.market.contracts import Exercise, Settlement

Kind = Literal["index", "ETF", "single name", "crypto"]

_US_ROOT = re.compile(r"(?=[0-9]*[A-Z])[A-Z0-9]{1,6}", re.ASCII)
_LINEAR = re.compile(r"([A-Z0-9]{2,10})_(USDC|USDT|USDE|USD)", re.ASCII)


@dataclass(frozen=True, slots=True)
class RootSpec:
    """Everything that the options of one root share."""

    root: str
    """Option root, e.g. `SPXW`."""
    underlying: str
    """Index, stock, fund or coin, e.g. `SPX`."""
    settlement: Settlement
    """AM, PM or 08:00 UTC."""
    exercise: Exercise
    """Exercise style."""
    kind: Kind
    """What the underlying is."""
    multiplier: float = 100.0
    """Units of the underlying per contract. Deribit counts contracts in coins: 1."""
    standard: bool = True
    """False for adjusted, FLEX and mini roots: what they deliver is not in the symbol."""
    inverse: bool = False
    """Whether premiums are quoted and paid in the coin itself (Deribit BTC, ETH)."""
    note: str = ""
    """What a user should know about these options, one line; may be empty."""


def _index(
    root: str,
    underlying: str,
    settlement: Settlement,
    *,
    exercise: Exercise = Exercise.EUROPEAN,
    multiplier: float = 100.0,
    note: str = "",
) -> RootSpec:
    return RootSpec(root, underlying, settlement, exercise, "index", multiplier, note=note)


_AM, _PM = Settlement.AM, Settlement.PM
_VIX_NOTE = "priced off the VIX future of its date, not off spot VIX"

_INDEX_ROOTS = {
    spec.root: spec
    for spec in (
        _index("SPX", "SPX", _AM),
        _index("SPXW", "SPX", _PM),
        # The PM third Fridays of 2011–2017, since folded into SPXW.
        _index("SPXPM", "SPX", _PM),
        _index("XSP", "XSP", _PM),
        _index("NANOS", "NANOS", _PM, multiplier=1.0),
        _index("NDX", "NDX", _AM),
        _index("NDXP", "NDX", _PM),
        _index("NQX", "NQX", _PM),
        _index("XND", "XND", _PM),
        _index("RUT", "RUT", _AM),
        _index("RUTW", "RUT", _PM),
        _index("MRUT", "MRUT", _PM),
        _index("DJX", "DJX", _AM),
        _index("OEX", "OEX", _PM, exercise=Exercise.AMERICAN),
        _index("XEO", "OEX", _PM),
        _index("VIX", "VIX", _AM, note=_VIX_NOTE),
        _index("VIXW", "VIX", _AM, note=_VIX_NOTE),
    )
}
_INDICES = frozenset(spec.underlying for spec in _INDEX_ROOTS.values())

# Index options whose terms are not recorded above. Taking them for stocks would give
# them the wrong exercise style, and perhaps the wrong settlement.
_UNRECORDED = frozenset({"MXACW", "MXEA", "MXEF", "MXUSA", "MXWLD", "SPEQW", "SPEQX", "SPESG"})

_ETF_TICKERS = (
    "ARKK BITO DIA EEM EFA EWJ EWZ FXI GDX GDXJ GLD HYG IBB IBIT IEF IVV IWM IYR JETS "
    "KRE KWEB LABU LQD MDY MSTU MSTZ NUGT NVDL OIH QID QLD QQQ QQQM RSP SCHD SDS SH SLV "
    "SMH SOXL SOXS SOXX SPLG SPXL SPXS SPXU SPY SQQQ SSO SVIX SVXY TBT TIP TLT TMF TMV "
    "TNA TQQQ TSLL TZA UDOW UNG UPRO URA USO UVIX UVXY VEA VGK VNQ VOO VTI VXX VXZ XBI "
    "XHB XLB XLC XLE XLF XLI XLK XLP XLRE XLU XLV XLY XME XOP XRT YINN"
)
_ETFS = frozenset(_ETF_TICKERS.split())

# Deribit's coin-settled families. The same letters are tickers of United States funds;
# `market.symbols` refuses those, since a root must say by itself when it settles.
INVERSE_COINS = frozenset({"BTC", "ETH"})


@lru_cache(maxsize=4096)
def root_spec(root: str) -> RootSpec:
    """What is known of a root.

    Raises SymbolError where it cannot be a root at all, or is one of the index roots
    whose terms are not recorded here.
    """
    if known := _INDEX_ROOTS.get(root):
        return known
    if root in INVERSE_COINS:
        return RootSpec(root, root, Settlement.UTC8, Exercise.EUROPEAN, "crypto", 1.0, inverse=True)
    if linear := _LINEAR.fullmatch(root):
        return RootSpec(root, linear[1], Settlement.UTC8, Exercise.EUROPEAN, "crypto", 1.0)
    if not _US_ROOT.fullmatch(root):
        raise SymbolError(f"{printable(root)} is no option root", "a root looks like SPXW")
    if root in _UNRECORDED:
        raise SymbolError(f"the terms of the index options {root} are not known to gexterm")
    plain = root.strip("0123456789")
    if plain != root:
        base = _INDEX_ROOTS.get(plain)
        return RootSpec(
            root,
            base.underlying if base else plain,
            base.settlement if base else Settlement.PM,
            base.exercise if base else Exercise.AMERICAN,
            base.kind if base else _us_kind(plain),
            standard=False,
            note="adjusted, FLEX or mini: its deliverable is not in the symbol",
        )
    return RootSpec(root, root, Settlement.PM, Exercise.AMERICAN, _us_kind(root))


def _us_kind(root: str) -> Kind:
    return "ETF" if root in _ETFS else "single name"


def is_index(underlying: str) -> bool:
    """Whether an underlying is an index (and not a stock, fund or coin)."""
    return underlying in _INDICES


def index_roots(underlying: str) -> tuple[str, ...]:
    """The roots listed on an index, e.g. `SPX`, `SPXW`; empty where it is none."""
    return tuple(spec.root for spec in _INDEX_ROOTS.values() if spec.underlying == underlying)


def printable(text: object, limit: int = 40) -> str:
    """Text from outside, quoted so that it can stand in a message.

    Control characters, anything beyond ASCII and the brackets of console markup are
    escaped; what is longer than `limit` is cut.
    """
    raw = text if isinstance(text, str) else repr(text)
    cut = ascii(raw[:limit]).replace("[", "\\x5b").replace("]", "\\x5d")
    return f"{cut}…" if len(raw) > limit else cut
