"""How a viewer's monitor reaches the browser: through the pipes to the server that started it.

Textual's own web driver, made to end with the server. Without it a viewer whose server was
killed would go on reading and computing, seen by nobody.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from textual.drivers.web_driver import WebDriver

NAME = "gexterm.serving.driver:BrowserDriver"
"""For `TEXTUAL_DRIVER`."""
_PATIENCE_S = 10.0
"""Seconds to end in good order once nobody is there."""


class BrowserDriver(WebDriver):
    """Writes to the server, and ends the app when the server is gone."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._gone = False
        self._write = self._whole  # type: ignore[assignment]

    def _whole(self, data: bytes) -> None:
        """Write all of it: a signal may cut a write short, and packets must not be torn."""
        left = memoryview(data)
        try:
            while left and not self._gone:
                left = left[os.write(self.fileno, left) :]
        except OSError:
            self._leave()

    def run_input_thread(self) -> None:
        """Read keys until the app or the server ends."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._leave()

    def _leave(self) -> None:
        if self._gone:
            return
        self._gone = True
        # Should the app hang, nobody else is left to end it.
        last = threading.Timer(_PATIENCE_S, os._exit, (1,))
        last.daemon = True
        last.start()
        self._loop.call_soon_threadsafe(self._app.exit)
