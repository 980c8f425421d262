"""Alerts: the newest first, each on one line."""

from __future__ import annotations

from gexterm.alerts.model import Alert
from gexterm.ui import words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.widgets.painted import Painted

GLYPHS = {"info": ("·", "muted"), "notice": ("◆", "lis"), "warning": ("⚠", "warning")}
"""How each severity looks: told by the glyph, repeated by the colour."""


def row(alert: Alert, width: int, newest: bool) -> Line:
    """Time, severity, text."""
    glyph, role = GLYPHS.get(alert.severity, ("·", "muted"))
    return fit(
        (
            Span(f" {words.clock(alert.at)} ", "muted" if newest else "faint"),
            Span(f"{glyph} ", role, bold=True),
            Span(
                words.cut(words.clean(alert.text), width - 13),
                "strong" if newest else "text",
                bold=newest,
            ),
        ),
        width,
    )


class AlertList(Painted):
    """The last alerts; opened, as many as fit, to be scrolled."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.skip = 0
        """Alerts above the view, counted from the newest."""

    def scroll_rows(self, rows: int) -> None:
        """Move the view: positive is towards older ones."""
        count = len(self.frame.alerts) if self.frame else 0
        self.skip = max(0, min(self.skip + rows, count - 1))
        self.repaint()

    def paint(self, frame: Frame, width: int, height: int) -> list[Line]:
        """Newest first, under a thin line where there is room for one."""
        newest = frame.alerts[::-1]
        lines: list[Line] = []
        if height >= 3:
            text = f"─ alerts {len(newest)} " if newest else "─ alerts "
            lines.append((Span(text, "faint"), Span("─" * max(0, width - len(text)), "line")))
        if not newest:
            return [*lines, (Span(" nothing has happened yet", "faint"),)]
        if height < 3:
            self.skip = 0
        rest = newest[self.skip : self.skip + height - len(lines)]
        return [*lines, *(row(a, width, i + self.skip == 0) for i, a in enumerate(rest))]
