"""What a session remembers from one tick to the next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from gexterm.clock import NS
from gexterm.engine.history import History
from gexterm.exposure.charm import CutState
from gexterm.exposure.hedgeday import HedgeDay
from gexterm.exposure.paradigm import ParadigmState
from gexterm.exposure.regime import RegimeState
from gexterm.exposure.spotvol import SpotVol
from gexterm.pricing.surface import Surface
from gexterm.reading.model import Band, ZeroDte

T = TypeVar("T")


class OnceASecond:
    """What is taken anew every second of the market, and stands in between.

    For how sure a number is, never for the number: no eye sees a band follow positions
    and greeks within a second, and it costs more than the number.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, tuple[Hashable, ...], Any]] = {}

    def of(self, name: str, as_of: int, about: tuple[Hashable, ...], make: Callable[[], T]) -> T:
        """What `make` says, or said less than a second ago about the same."""
        taken, of, value = self._kept.get(name, (0, (), None))
        if not taken or of != about or not 0 <= as_of - taken < NS:
            value = make()
            self._kept[name] = (as_of, about, value)
        found: T = value
        return found


@dataclass(slots=True)
class Memory:
    """Hysteresis and look-back of one session day. A new day, or a seek, starts a new one."""

    date: dt.date | None = None
    """The session's date."""
    cut: CutState | None = None
    """Which contracts the |delta| rule kept."""
    paradigm: dict[str, ParadigmState] = field(default_factory=dict)
    """By sign view: all are followed, so that changing the view loses no history."""
    regime: dict[tuple[str, str, str], RegimeState] = field(default_factory=dict)
    """By sign view, scope and re-pricing."""
    last_today: dict[str, ZeroDte] = field(default_factory=dict)
    """The last 0DTE section before settlement, by sign view."""
    vanna_place: dict[tuple[str, str], tuple[int, float, float, Band]] = field(default_factory=dict)
    """By sign view and basis: when it was taken, ns; vanna stochastic, vega depth, and the
    former's band."""
    slow: OnceASecond = field(default_factory=OnceASecond)
    """How sure numbers are."""
    hedge: HedgeDay = field(default_factory=HedgeDay)
    """Hedge flow added up since the session was first seen, under every sign view."""
    hedge_surface: Surface | None = None
    """The surface of its last step."""
    spot_vol: SpotVol = field(default_factory=SpotVol)
    """Spot against the variance index, once a minute."""
    history: History = field(default_factory=History)
    """The last half hour."""
    spot_open: float = float("nan")
    """First underlying price seen of the session."""
    spot_open_at: int = 0
    """When, ns; 0 near the open."""

    def aside(self) -> Memory:
        """A copy of what labels and levels rest on, to read another market by.

        What is taken once a second, adds up over the day or is looked back on is left out.
        """
        return Memory(
            date=self.date,
            cut=self.cut,
            paradigm=dict(self.paradigm),
            regime=dict(self.regime),
            last_today=dict(self.last_today),
            spot_open=self.spot_open,
            spot_open_at=self.spot_open_at,
        )

    def at(self, as_of: int) -> Memory:
        """The same as if all of it had been seen just before `as_of`, ns."""
        seen = {name: replace(state, seen=as_of) for name, state in self.paradigm.items()}
        copy = self.aside()
        copy.paradigm = seen
        return copy
