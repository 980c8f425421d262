"""Cboe DataShop trade files: real prints with the quotes around them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gexterm.market.events import Definitions, SourceInfo, Trades


@dataclass(frozen=True, eq=False, slots=True)
class PrintsFile:
    """One file of prints."""

    info: SourceInfo
    """The source."""
    definitions: Definitions
    """The contracts."""
    trades: Trades
    """The prints, by time and sequence; cancels as such."""
    warnings: tuple[str, ...]
    """What was left out, one line each."""


def read_prints(path: Path, root: str | None = None) -> PrintsFile:
    """Read a trade file."""
    raise NotImplementedError
