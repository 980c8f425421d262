"""What a tick depends on besides the market."""

from __future__ import annotations

from dataclasses import dataclass

from gexterm.config import Settings
from gexterm.exposure.profile import Repricing


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The choices behind a Reading; the monitor's keys change them between ticks."""

    view: str = "auto"
    """`combined`, `flow`, a convention's name, or `auto`: combined where trades come with the
    feed, else the convention."""
    convention: str = "customer-flow"
    """What `auto` falls back on."""
    prior_today: str = "none"
    """Prior of today's expiry under `combined`: `none` or a convention."""
    prior_later: str = "squeezemetrics"
    """Prior of later expiries."""
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
            view=own.view,
            convention=own.convention,
            prior_today=own.prior_today,
            prior_later=own.prior_later,
            scope=settings.scope,
            basis=own.basis,
            rate=None if isinstance(settings.rate, str) else settings.rate,
            repricing=repricing,
        )
