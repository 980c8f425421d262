"""What the start screen is handed: things that can be opened, and how."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from gexterm.ui.session import Session

Kind = Literal["sample", "recording", "feed"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be opened."""

    kind: Kind
    """A bundled sample feed, a recording, or a venue."""
    name: str
    """How it is called on the command line: `gex-target`, a path, `deribit`."""
    title: str
    """What it is, in a few words."""
    detail: str = ""
    """More of it, a line."""
    underlying: str = ""
    """Index, stock or coin; empty where one is to be chosen."""
    underlyings: tuple[str, ...] = ()
    """Of a venue: what it lists that gexterm knows, the best first."""
    begins: int = 0
    """First moment of a recording, ns; 0 unknown."""
    ends: int = 0
    """Last moment of a recording, ns; 0 unknown."""
    bytes: int = 0
    """Size of a recording; 0 unknown."""
    ready: bool = True
    """Whether it can be opened now."""
    needs: str = ""
    """What is missing if not, and what to do, one line."""


@dataclass(frozen=True, slots=True)
class Ribbon:
    """The paradigms of a recorded day, in equal parts."""

    labels: tuple[str, ...]
    """One paradigm per part, oldest first; empty text where there was none."""
    seconds: float
    """Length of a part."""


class Launcher(Protocol):
    """Opens sessions for the start screen. What goes wrong is a `GextermError`."""

    async def entries(self) -> tuple[Entry, ...]:
        """Everything that can be opened, or could be if something were there."""
        ...

    async def ribbon(self, entry: Entry, *, any_size: bool = False) -> Ribbon | None:
        """The paradigms of a sample or recording; None where they are not to be had.

        Takes seconds the first time, and is remembered. A large recording, which would take
        longer, is read only if `any_size` says so.
        """
        ...

    def open(self, entry: Entry, underlying: str = "") -> AbstractAsyncContextManager[Session]:
        """A running session; it ends with the context."""
        ...
