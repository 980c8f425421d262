"""The timeline screen."""

from __future__ import annotations

from textual.app import ComposeResult

from gexterm.ui.screens.base import View, too_small
from gexterm.ui.widgets import keyline, status, topline
from gexterm.ui.widgets.painted import Painted


class Timeline(View):
    """The timeline screen."""

    NAME = "timeline"

    def __init__(self) -> None:
        super().__init__()
        self._small = Painted(too_small, id="small")
        self._top = Painted(topline.paint, id="top")
        self._status = Painted(status.paint, id="status")
        self._keys = Painted(keyline.paint, id="keys")
        self.has_parts((self._small, self._top, self._status, self._keys))

    def compose(self) -> ComposeResult:
        """Top line, what it is about, status, keys."""
        yield self._small
        yield self._top
        yield self._status
        yield self._keys
