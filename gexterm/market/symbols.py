"""Option symbols, as the feeds write them.

    style      example                        strike
    occ        `SPXW  251121C06600000`        eight digits, thousandths; root padded to six
    cboe       `SPXW251121C06600000`          the same without padding
    polygon    `O:SPXW251121C06600000`        the same behind `O:` (Massive)
    dxfeed     `.SPXW251121C6600`             decimal, not padded
    deribit    `BTC-9JUN20-9875-P`            decimal, `d` for the point; day not padded

Symbols come from outside and are hostile until they match: every pattern is anchored
and ASCII, and messages show them escaped and cut.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Literal, get_args

from gexterm.errors import SymbolError
from gexterm.market.contracts import Contract, Right
from gexterm.market.roots import INVERSE_COINS, RootSpec, printable, root_spec

Style = Literal["occ", "cboe", "polygon", "dxfeed", "deribit"]
STYLES: tuple[Style, ...] = get_args(Style)

_ROOT = r"((?=[0-9]*[A-Z])[A-Z0-9]{1,6})"
_OCC = re.compile(r"([A-Z0-9 ]{6})(\d{6})([CP])(\d{8})", re.ASCII)
_CBOE = re.compile(_ROOT + r"(\d{6})([CP])(\d{8})", re.ASCII)
_DXFEED = re.compile(r"\." + _ROOT + r"(\d{6})([CP])((?:0|[1-9]\d{0,8})(?:\.\d{1,6})?)", re.ASCII)
_DERIBIT = re.compile(
    r"([A-Z0-9]{2,10}(?:_[A-Z]{3,4})?)-([1-9]\d?)([A-Z]{3})(\d{2})-"
    r"((?:0|[1-9]\d{0,8})(?:d\d{1,6})?)-([CP])",
    re.ASCII,
)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_RIGHTS = {"C": Right.CALL, "P": Right.PUT}
_LONGEST = 64


def parse(symbol: str, style: Style | None = None) -> Contract:
    """The contract a symbol names; without a style, the style is told from its shape.

    Raises SymbolError, saying what is wrong with which symbol.
    """
    if not isinstance(symbol, str) or len(symbol) > _LONGEST:
        raise SymbolError(f"{printable(symbol)} is no option symbol")
    return _PARSERS[style or detect(symbol)](symbol)


def format(contract: Contract, style: Style) -> str:  # noqa: A001  the natural pair of parse
    """The symbol of a contract in one style.

    Raises SymbolError where the style cannot express it: a root of seven letters, a
    strike finer than a thousandth, a coin in a stock style.
    """
    if not 2000 <= contract.expiry.year <= 2099:
        raise SymbolError(f"no {style} symbol can name the year {contract.expiry.year}")
    if style == "deribit":
        _deribit_root(contract.root, contract)
        year, month, day = contract.expiry.year % 100, contract.expiry.month, contract.expiry.day
        strike = _decimal(contract.strike, contract).replace(".", "d")
        return f"{contract.root}-{day}{_MONTHS[month - 1]}{year:02d}-{strike}-{contract.right}"
    _us_root(contract.root, contract)
    head = f"{contract.expiry:%y%m%d}{contract.right}"
    if style == "dxfeed":
        return f".{contract.root}{head}{_decimal(contract.strike, contract)}"
    thousandths = round(contract.strike * 1000) if 0 < contract.strike < 1e6 else 0
    if not 0 < thousandths < 100_000_000 or thousandths / 1000 != contract.strike:
        raise SymbolError(f"no {style} symbol can name the strike {contract.strike}")
    root = f"{contract.root:<6}" if style == "occ" else contract.root
    return f"{'O:' if style == 'polygon' else ''}{root}{head}{thousandths:08d}"


def detect(symbol: str) -> Style:
    """The style a symbol is written in, from its shape alone."""
    if symbol.startswith("."):
        return "dxfeed"
    if symbol.startswith("O:"):
        return "polygon"
    if "-" in symbol:
        return "deribit"
    return "occ" if len(symbol) == 21 and " " in symbol else "cboe"


def parse_many(symbols: Iterable[str]) -> list[Contract | None]:
    """Cboe symbols by the thousand, None where one does not parse.

    The same contracts as `parse(symbol, "cboe")`, without building error messages.
    """
    out: list[Contract | None] = []
    match = _CBOE.fullmatch
    for symbol in symbols:
        found = match(symbol)
        contract = None
        if found is not None:
            root, date, right, digits = found.groups()
            expiry, strike = _yymmdd(date), int(digits) / 1000
            if expiry is not None and strike > 0 and _known_us(root):
                contract = Contract(root, expiry, _RIGHTS[right], strike)
        out.append(contract)
    return out


def _parse_occ(symbol: str) -> Contract:
    found = _OCC.fullmatch(symbol)
    root = found[1].rstrip(" ") if found else ""
    if found is None or " " in root or not root:
        raise SymbolError(
            f"{printable(symbol)} is no OCC symbol", "one looks like 'SPXW  251121C06600000'"
        )
    return _us(symbol, root, found[2], found[3], int(found[4]) / 1000)


def _parse_cboe(symbol: str) -> Contract:
    found = _CBOE.fullmatch(symbol)
    if found is None:
        raise SymbolError(
            f"{printable(symbol)} is no Cboe symbol", "one looks like SPXW251121C06600000"
        )
    return _us(symbol, found[1], found[2], found[3], int(found[4]) / 1000)


def _parse_polygon(symbol: str) -> Contract:
    found = _CBOE.fullmatch(symbol[2:]) if symbol.startswith("O:") else None
    if found is None:
        raise SymbolError(
            f"{printable(symbol)} is no Massive symbol", "one looks like O:SPXW251121C06600000"
        )
    return _us(symbol, found[1], found[2], found[3], int(found[4]) / 1000)


def _parse_dxfeed(symbol: str) -> Contract:
    found = _DXFEED.fullmatch(symbol)
    if found is None:
        raise SymbolError(
            f"{printable(symbol)} is no dxFeed option symbol", "one looks like .SPXW251121C6600"
        )
    return _us(symbol, found[1], found[2], found[3], float(found[4]))


def _parse_deribit(symbol: str) -> Contract:
    found = _DERIBIT.fullmatch(symbol)
    if found is None:
        raise SymbolError(
            f"{printable(symbol)} is no Deribit option", "one looks like BTC-9JUN20-9875-P"
        )
    root, day, month, year, strike, right = found.groups()
    _deribit_root(root, symbol)
    try:
        expiry = dt.date(2000 + int(year), _MONTHS.index(month) + 1, int(day))
    except ValueError:
        raise SymbolError(f"{printable(symbol)} expires on a day that does not exist") from None
    return Contract(
        root, expiry, _RIGHTS[right], _positive(float(strike.replace("d", ".")), symbol)
    )


_PARSERS: dict[Style, Callable[[str], Contract]] = {
    "occ": _parse_occ,
    "cboe": _parse_cboe,
    "polygon": _parse_polygon,
    "dxfeed": _parse_dxfeed,
    "deribit": _parse_deribit,
}


def _us(symbol: str, root: str, date: str, right: str, strike: float) -> Contract:
    _us_root(root, symbol)
    expiry = _yymmdd(date)
    if expiry is None:
        raise SymbolError(f"{printable(symbol)} expires on a day that does not exist")
    return Contract(root, expiry, _RIGHTS[right], _positive(strike, symbol))


def _positive(strike: float, symbol: str) -> float:
    if not strike > 0:
        raise SymbolError(f"{printable(symbol)} has a strike of zero")
    return strike


@lru_cache(maxsize=8192)
def _yymmdd(text: str) -> dt.date | None:
    try:
        return dt.date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        return None


def _us_root(root: str, where: object) -> RootSpec:
    spec = root_spec(root)
    if spec.kind == "crypto":
        raise SymbolError(
            f"{printable(where if isinstance(where, str) else root)} is not supported: "
            f"the root {root} stands for Deribit's coin options"
        )
    return spec


@lru_cache(maxsize=4096)
def _known_us(root: str) -> bool:
    try:
        return root_spec(root).kind != "crypto"
    except SymbolError:
        return False


def _deribit_root(root: str, where: object) -> None:
    if root not in INVERSE_COINS and ("_" not in root or root_spec(root).kind != "crypto"):
        raise SymbolError(
            f"{printable(where if isinstance(where, str) else root)} names no coin family that "
            "Deribit lists today",
            "BTC, ETH, or a linear one such as SOL_USDC",
        )


def _decimal(strike: float, contract: Contract) -> str:
    text = f"{strike:.6f}".rstrip("0").rstrip(".") if 0 < strike < 1e9 else "0"
    if float(text) != strike:
        raise SymbolError(f"no symbol can name the strike {strike} of {contract.root}")
    return text
