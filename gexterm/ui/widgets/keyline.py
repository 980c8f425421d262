"""The key line: what can be pressed now."""

from __future__ import annotations

from gexterm.ui.actions import ACTIONS, BY_ID, Action, cap, of_screen, works_on
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.ink import width as cells

ORDER = (
    "screens", "greek_next", "scope_next", "view_next", "pause", "back_5", "forward_5", "faster",
    "look_back", "alerts", "snapshot", "help", "palette", "quit",
)  # fmt: skip
"""Actions of the whole monitor in the key line, left to right; a screen's own come first."""
LAST_TO_GO = ("help", "quit", "screens", "greek_next", "scope_next", "view_next", "snapshot",
              "pause")  # fmt: skip
"""What stays longest when it is narrow."""
ON_START = frozenset({"screens", "help", "palette", "quit"})
"""What is left of them on the start screen, which shows no market."""
DESK_ONLY = frozenset({"look_back", "alerts"})
"""What the whole monitor can do, but nobody needs to be told elsewhere."""
PAIRS = {
    "faster": ("faster", "slower"), "suppose_spot_up": ("suppose_spot_down", "suppose_spot_up"),
    "suppose_vol_up": ("suppose_vol_up", "suppose_vol_down"),
    "suppose_later": ("suppose_earlier", "suppose_later"),
    "filter_next": ("filter_next", "filter_previous"),
}  # fmt: skip
"""Two keys with one word: an action, and the keys that are told for it, in their order."""


def label(action: Action, frame: Frame) -> str:
    """The word beside the key, as things stand."""
    if action.id == "pause" and (frame.paused or frame.held):
        return "go on"
    return action.short


def _caps(name: str, frame: Frame) -> str:
    """What to press; empty where the user took the keys away."""
    if name == "screens":
        first = frame.keys.get("screen_desk", ())
        last = frame.keys.get("screen_health", ())
        return f"{cap(first[0])}-{cap(last[0])}" if first and last else ""
    if not frame.keys.get(name):
        return ""
    bound = [frame.keys.get(each, ()) for each in PAIRS.get(name, (name,))]
    caps = [cap(keys[0]) for keys in bound if keys]
    return "".join(caps) if all(len(each) == 1 for each in caps) else "/".join(caps)


def _shown(frame: Frame) -> list[str]:
    own = [action.id for action in of_screen(frame.screen) if action.short]
    rest = [n for n in ORDER if frame.screen == "desk" or n not in DESK_ONLY]
    if frame.screen == "start":
        rest = [n for n in ORDER if n in ON_START]
    out = []
    for name in (*own, *rest):
        action = BY_ID.get(name)
        if action is not None and not works_on(action, frame.screen):
            continue
        if action is not None and action.replay_only and not frame.replayable:
            continue
        if name in ("back_5", "forward_5") and not frame.replayable:
            continue
        if _caps(name, frame):
            out.append(name)
    return out


def paint(frame: Frame, width: int, _height: int) -> list[Line]:
    """Keys and words; the least needed are left out where it is narrow."""
    shown = _shown(frame)
    own = {action.id for action in ACTIONS if frame.screen in action.screens}

    def spans(names: list[str]) -> list[Span]:
        out = [Span(" ")]
        for name in names:
            word = "screens" if name == "screens" else label(BY_ID[name], frame)
            out += [
                Span(_caps(name, frame), "text", bold=True),
                Span(f" {word}  ", "muted"),
            ]
        return out

    while len(shown) > 1 and cells(spans(shown)) > width + 2:
        extra = [name for name in shown if name not in LAST_TO_GO and name not in own]
        extra = extra or [name for name in shown if name not in ("help", "quit")]
        shown.remove(extra[-1] if extra else shown[-1])
    return [fit(spans(shown), width)]
