"""The key line: what can be pressed now."""

from __future__ import annotations

from gexterm.ui.actions import ACTIONS, cap
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.ink import width as cells

ORDER = (
    "greek_next", "scope_next", "view_next", "pause", "back_5", "forward_5", "faster",
    "look_back", "alerts", "snapshot", "help", "palette", "quit",
)  # fmt: skip
"""Actions of the key line, left to right."""
LAST_TO_GO = ("help", "quit", "greek_next", "scope_next", "view_next", "snapshot", "pause")
"""What stays longest when it is narrow."""


def label(action_id: str, frame: Frame) -> str:
    """The word beside the key, as things stand."""
    action = next(a for a in ACTIONS if a.id == action_id)
    if action_id == "pause" and (frame.paused or frame.held):
        return "go on"
    return action.short


def paint(frame: Frame, width: int, _height: int) -> list[Line]:
    """Keys and words; the least needed are left out where it is narrow."""
    replay_only = {action.id for action in ACTIONS if action.replay_only}
    shown = [
        name
        for name in ORDER
        if (frame.replayable or name not in replay_only) and frame.keys.get(name)
    ]

    def spans(names: list[str]) -> list[Span]:
        out = [Span(" ")]
        for name in names:
            key = cap(frame.keys[name][0])
            if name == "faster" and frame.keys.get("slower"):
                key += cap(frame.keys["slower"][0])
            out += [Span(key, "text", bold=True), Span(f" {label(name, frame)}  ", "muted")]
        return out

    while len(shown) > 1 and cells(spans(shown)) > width + 2:
        extra = [name for name in shown if name not in LAST_TO_GO]
        shown.remove(extra[-1] if extra else next(n for n in reversed(LAST_TO_GO) if n in shown))
    return [fit(spans(shown), width)]
