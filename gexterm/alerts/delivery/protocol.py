"""What a way out for alerts is, and how it fails."""

from __future__ import annotations

from typing import Protocol

from gexterm.alerts.model import Alert


class Delivery(Protocol):
    """Takes an alert somewhere. It may fail, hang or throw: the dispatcher minds that."""

    @property
    def name(self) -> str:
        """As in the settings; several may share it."""
        ...

    @property
    def least(self) -> str:
        """The least severity that goes this way, or `off`."""
        ...

    @property
    def quiet_s(self) -> float:
        """At most one in this much time, seconds; 0: no limit."""
        ...

    @property
    def timeout_s(self) -> float:
        """After this long it is given up, seconds."""
        ...

    async def deliver(self, alert: Alert) -> None:
        """Take it there. Raises `DeliveryError`, or whatever goes wrong."""
        ...


class DeliveryError(Exception):
    """An alert did not arrive. The words are one line for a person, free of secrets."""

    def __init__(self, words: str, *, passing: bool = False) -> None:
        super().__init__(words)
        self.passing = passing
        """Whether it may work if tried again."""
