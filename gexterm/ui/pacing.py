"""The monitor keeps pace with its terminal: a slow line shows fewer frames, never old ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

    Base = App[None]
else:
    Base = object

MOST_PENDING = 16_384
"""Characters on their way to the terminal, above which nothing more is sent until it has them."""


class Pacing(Base):
    """The part of `app.MonitorApp` that looks to what the terminal has taken."""

    _missed = False
    # Whether something that should have been painted was not.

    @property
    def pending(self) -> int:
        """Characters that the terminal has not taken yet."""
        found: int = getattr(self._driver, "pending", 0)
        return found

    def caught_up(self) -> bool:
        """Whether there is anything to be gained by painting now; what was missed is made good."""
        if self.pending:
            return False
        if self._missed:
            self.redraw()
        return True

    def redraw(self) -> None:
        """Draw the whole screen anew, whatever stands on the terminal."""
        self._missed = False
        if self._screen_stack and not self._exit:
            self.screen.refresh()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        # Keys and answers paint outside of the tick; they must not pile up either.
        if self.pending > MOST_PENDING:
            self._missed = True
            return
        super()._display(screen, renderable)

    def action_redraw(self) -> None:
        """All of the screen anew."""
        self.redraw()
