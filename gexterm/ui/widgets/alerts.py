"""Alerts: the newest first, each on one line."""

from __future__ import annotations

import math

from textual.events import Click

from gexterm.alerts.model import Alert
from gexterm.alerts.teller import points
from gexterm.ui import words
from gexterm.ui.actions import cap
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, cell_len, fit
from gexterm.ui.widgets.painted import Painted

GLYPHS = {"info": ("·", "muted"), "notice": ("◆", "lis"), "warning": ("⚠", "warning")}
"""How each severity looks: told by the glyph, repeated by the colour."""
_HEAD_FROM = 3
"""Rows from which on there is room for a head."""
_LEVEL_FROM = 64
"""Cells from which on a row has a column for the level."""
_LEVEL_WIDTH = 11
"""Cells of that column."""


def row(
    alert: Alert, width: int, newest: bool, *, chosen: bool = False, marked: bool = True
) -> Line:
    """Cursor, time, severity, text, level, and whether it was seen to.

    What was seen to is quiet. `marked`: whether one of a replay says so.
    """
    glyph, role = GLYPHS.get(alert.severity, ("·", "muted"))
    seen, fresh = alert.acknowledged, newest and not alert.acknowledged
    ground = "raised" if chosen else ""
    said = words.clean(alert.text)
    tail: list[Span] = []
    if alert.replay and marked:
        tail.append(Span(" replay" if width >= _LEVEL_FROM else " R", "muted", ground))
    tail.append(Span(" ✓ " if seen else "   ", "faint", ground))
    head = (
        Span("▸" if chosen else " ", "strong", ground, bold=True),
        Span(f"{words.clock(alert.at)} ", "muted" if fresh else "faint", ground),
        Span(f"{glyph} ", "faint" if seen else role, ground, bold=not seen),
    )
    room = width - sum(cell_len(span.text) for span in (*head, *tail))
    # Where there is no room for both, the words go first: most of them name the level.
    if width >= _LEVEL_FROM and cell_len(said) <= room - _LEVEL_WIDTH:
        tail.insert(0, Span(_level(alert.level), "faint" if seen else "muted", ground))
        room -= _LEVEL_WIDTH
    text = words.cut(said, room)
    look = "faint" if seen else "strong" if fresh or chosen else "text"
    return fit((*head, Span(text, look, ground, bold=fresh), *tail), width)


def _level(level: float) -> str:
    """In `_LEVEL_WIDTH` cells, the decimal points below each other."""
    if not math.isfinite(level):
        return " " * _LEVEL_WIDTH
    whole, _, part = points(level).partition(".")
    text = f" {whole:>7}{f'.{part}' if part else '':<3}"
    return text if len(text) == _LEVEL_WIDTH else " " * _LEVEL_WIDTH


class AlertList(Painted):
    """The last alerts; opened, as many as fit, to be scrolled and seen to.

    There is a cursor once somebody moves it; it stays on its alert when others come. Taken
    to the top (`skip = 0`), it is gone.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self._skip = 0
        self._cursor: Alert | None = None
        self._newest: Alert | None = None
        self._rows = 0

    @property
    def skip(self) -> int:
        """Alerts above the view, counted from the newest."""
        return self._skip

    @skip.setter
    def skip(self, count: int) -> None:
        self._skip = max(0, count)
        if not count:
            self._cursor = None

    @property
    def selected(self) -> str:
        """Id of the alert under the cursor, else of the newest that nobody has seen to.

        Empty where there is neither.
        """
        alerts = self._alerts()
        if self._cursor is not None and (at := _place(alerts, self._cursor)) is not None:
            return alerts[at].id
        return next((alert.id for alert in alerts if not alert.acknowledged), "")

    def scroll_rows(self, rows: int) -> None:
        """Move the cursor, and the view with it: positive is towards older ones."""
        alerts = self._alerts()
        if not alerts:
            return
        at = _place(alerts, self._cursor) if self._cursor else None
        self._choose(alerts, (self._skip if at is None else at) + rows)

    def on_click(self, event: Click) -> None:
        """The cursor goes where the mouse points."""
        alerts, head = self._alerts(), int(self.size.height >= _HEAD_FROM)
        at = self._skip + event.y - head
        if event.y >= head and at < len(alerts):
            self._choose(alerts, at)

    def _alerts(self) -> tuple[Alert, ...]:
        """Newest first."""
        return self.frame.alerts[::-1] if self.frame else ()

    def _choose(self, alerts: tuple[Alert, ...], at: int) -> None:
        at = max(0, min(at, len(alerts) - 1))
        self._cursor = alerts[at]
        rows = max(1, self._rows)
        self._skip = max(min(self._skip, at), at - rows + 1)
        self.repaint()

    def _follow(self, alerts: tuple[Alert, ...], rows: int) -> None:
        """Alerts that have come since stand above: what is looked at stays where it is."""
        if self._skip and self._newest is not None:
            self._skip += _place(alerts, self._newest) or 0
        self._newest, self._rows = (alerts[0] if alerts else None), rows
        self._skip = max(0, min(self._skip, len(alerts) - rows))
        at = _place(alerts, self._cursor) if self._cursor else None
        if at is None:
            self._cursor = None
        else:
            self._skip = max(min(self._skip, at), at - rows + 1)

    def paint(self, frame: Frame, width: int, height: int) -> list[Line]:
        """Newest first, under a thin line where there is room for one."""
        alerts = frame.alerts[::-1]
        rows = max(1, height - int(height >= _HEAD_FROM))
        self._follow(alerts, rows)
        if height < _HEAD_FROM and self._cursor is None:
            self._skip = 0
        lines: list[Line] = []
        # Where all are of a replay, the head says it once; where some are, each of them does.
        mixed = height < _HEAD_FROM or len({alert.replay for alert in alerts}) > 1
        if height >= _HEAD_FROM:
            lines.append(self._head(frame, alerts, width, rows, mixed))
        if not alerts:
            return [*lines, (Span(" nothing has happened yet", "faint"),)]
        shown = alerts[self._skip : self._skip + rows]
        cursor = _place(alerts, self._cursor) if self._cursor else None
        for i, alert in enumerate(shown, self._skip):
            lines.append(row(alert, width, i == 0, chosen=i == cursor, marked=mixed))
        return lines

    def _head(
        self, frame: Frame, alerts: tuple[Alert, ...], width: int, rows: int, mixed: bool
    ) -> Line:
        unread = sum(not alert.acknowledged for alert in alerts)
        said = [Span(f"─ alerts {len(alerts)} " if alerts else "─ alerts ", "faint")]
        if alerts and not mixed and alerts[0].replay:
            said.append(Span("· replay ", "faint"))
        if unread:
            said.append(Span(f"· {unread} unread ", "muted"))
        right: list[Span] = []
        if len(alerts) > rows:
            last = min(len(alerts), self._skip + rows)
            right.append(Span(f" {self._skip + 1}–{last} ", "faint"))
        keys = frame.keys.get("acknowledge", ())
        if unread and keys and width >= _LEVEL_FROM:
            right.append(Span(f" {cap(keys[0])} ", "muted"))
            right.append(Span("seen ", "faint"))
        taken = sum(cell_len(span.text) for span in (*said, *right))
        return fit((*said, Span("─" * max(0, width - taken), "line"), *right), width)


def _place(alerts: tuple[Alert, ...], wanted: Alert) -> int | None:
    """Where an alert stands, though it may have been seen to since; None: nowhere any more."""
    for i, alert in enumerate(alerts):
        same = alert.id == wanted.id if wanted.id else alert.text == wanted.text
        if alert.at == wanted.at and same:
            return i
    return None
