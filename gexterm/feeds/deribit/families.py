"""Which options an underlying means at Deribit, and how they are asked for."""

from __future__ import annotations

from dataclasses import dataclass

from gexterm.errors import SymbolError, UsageError
from gexterm.market.roots import INVERSE_COINS, is_index, printable, root_spec

_HINT = "BTC and ETH, or a linear family such as SOL_USDC, BTC_USDC or XRP_USDC"


@dataclass(frozen=True, slots=True)
class Family:
    """Options of one root."""

    root: str
    """What every symbol begins with, and how the user knows it: `BTC`, `SOL_USDC`."""
    currency: str
    """What the venue files it under: the coin it settles in (`BTC`, `USDC`)."""
    inverse: bool
    """Whether premiums are quoted in the coin."""
    index: str
    """The index it settles on, where the instruments do not say."""

    def holds(self, symbol: str) -> bool:
        """Whether a symbol begins as those of this family do."""
        return symbol.startswith(self.root + "-")


def family(underlying: str) -> Family:
    """The family a user means. A coin without options of its own means its USDC ones.

    Raises UsageError where Deribit can have none.
    """
    name = underlying.strip().upper().replace("-", "_").replace("/", "_")
    if name in INVERSE_COINS:
        return Family(name, name, inverse=True, index=f"{name.lower()}_usd")
    root = name if "_" in name else f"{name}_USDC"
    try:
        spec = None if is_index(name) else root_spec(root)
    except SymbolError:
        spec = None
    if spec is None or spec.kind != "crypto" or not root.endswith("_USDC"):
        raise UsageError(f"Deribit has no options on {printable(underlying)}", _HINT)
    return Family(root, "USDC", inverse=False, index=root.lower())
