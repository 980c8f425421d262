"""What a tick depends on besides the market."""

from __future__ import annotations

from dataclasses import dataclass

from gexterm.config import Settings
from gexterm.exposure.profile import Repricing


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The choices behind a Reading; the monitor's keys change them between ticks."""

    convention: str = "customer-flow"
    """Name of the sign convention."""
    scope: str = "auto"
    """`0dte`, `all`, an ISO date, or `auto`: today's expiry while there is one, else all."""
    basis: str = "auto"
    """`open-interest`, `volume`, or `auto`: open interest where there is any."""
    rate: float | None = None
    """Continuously compounded rate, as a fraction; None: implied from the chain."""
    repricing: Repricing = "sticky strike"
    """How volatility moves along the gamma profile."""

    @classmethod
    def of(cls, settings: Settings, underlying: str) -> EngineSettings:
        """What the user's settings say for one underlying."""
        own = settings.underlying(underlying)
        repricing: Repricing = (
            "sticky moneyness" if settings.repricing == "sticky-moneyness" else "sticky strike"
        )
        return cls(
            convention=own.convention,
            scope=settings.scope,
            basis=own.basis,
            rate=None if isinstance(settings.rate, str) else settings.rate,
            repricing=repricing,
        )
