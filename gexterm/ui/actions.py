"""Everything a key can do, in one list.

Bindings, the key line, help, the command palette, `gexterm keys` and remapping
all read it; nothing else names a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gexterm.errors import ConfigError

Group = Literal["Look", "Market", "Time", "Keep", "Program"]

GROUPS: tuple[Group, ...] = ("Look", "Market", "Time", "Keep", "Program")
"""Groups in the order in which help shows them."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that the monitor can be told to do."""

    id: str
    """Name in settings; the monitor's method is `action_` and this."""
    keys: tuple[str, ...]
    """Default keys, in Textual's names."""
    group: Group
    """Where help lists it."""
    title: str
    """What it does, in a few words."""
    description: str = ""
    """What it does, in a sentence, where the title is not enough."""
    short: str = ""
    """One word for the key line; empty: not shown there."""
    replay_only: bool = False
    """Whether it makes sense for a replay only."""


ACTIONS: tuple[Action, ...] = (
    Action("greek_next", ("g",), "Look", "Next greek",
           "The first ladder goes through gamma, charm, vanna, vega, delta and decay.", "greek"),
    Action("greek_previous", ("G",), "Look", "Previous greek"),
    Action("look_back", ("l",), "Look", "Look-back marks",
           "Show or hide where each bar stood 5, 15 and 30 minutes ago.", "look back"),
    Action("scroll_up", ("up", "k"), "Look", "Higher strikes",
           "One strike up; stops following spot."),
    Action("scroll_down", ("down", "j"), "Look", "Lower strikes", "One strike down."),
    Action("page_up", ("pageup",), "Look", "A page higher"),
    Action("page_down", ("pagedown",), "Look", "A page lower"),
    Action("follow", ("home", "."), "Look", "Back to spot", "Centre on spot and follow it again."),
    Action("alerts", ("a",), "Look", "Alerts", "Open or close the list of alerts.", "alerts"),
    Action("theme", ("t",), "Look", "Next colour theme"),
    Action("scope_next", ("e",), "Market", "Next expiry scope",
           "0DTE, all expiries, then each listed date.", "expiry"),
    Action("scope_previous", ("E",), "Market", "Previous expiry scope"),
    Action("view_next", ("v",), "Market", "Next sign view",
           "Inferred from trades (combined, flow) or assumed. Changes every number with a sign.",
           "view"),
    Action("view_previous", ("V",), "Market", "Previous sign view"),
    Action("pause", ("space",), "Time", "Pause or go on",
           "A replay stands still. A live market goes on; only the screen holds.", "pause"),
    Action("back_5", ("left_square_bracket",), "Time", "5 minutes back", "", "−5 min", True),
    Action("forward_5", ("right_square_bracket",), "Time", "5 minutes on", "", "+5 min", True),
    Action("back_30", ("left_curly_bracket",), "Time", "30 minutes back", "", "", True),
    Action("forward_30", ("right_curly_bracket",), "Time", "30 minutes on", "", "", True),
    Action("faster", ("plus", "equals_sign"), "Time", "Faster", "", "speed", True),
    Action("slower", ("minus",), "Time", "Slower", "", "", True),
    Action("snapshot", ("s",), "Keep", "Keep a snapshot",
           "Picture and numbers of this moment; the path goes to the clipboard.", "snapshot"),
    Action("help", ("question_mark", "f1"), "Program", "Help",
           "The keys, and what every number means.", "help"),
    Action("palette", ("ctrl+p", "colon"), "Program", "Find an action by name", "", "find"),
    Action("quit", ("q", "ctrl+c", "ctrl+q"), "Program", "Quit", "", "quit"),
)  # fmt: skip
"""Every action, in the order of the key line within its group."""

BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}
"""The same by id."""

_CAPS = {
    "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{",
    "right_curly_bracket": "}", "plus": "+", "minus": "-", "equals_sign": "=", "space": "space",
    "question_mark": "?", "up": "↑", "down": "↓", "pageup": "PgUp", "pagedown": "PgDn",
    "home": "Home", "colon": ":", "f1": "F1", "full_stop": ".",
}  # fmt: skip


def cap(key: str) -> str:
    """What is printed on the key: `[` for `left_square_bracket`, `^p` for `ctrl+p`."""
    if key.startswith("ctrl+"):
        return "^" + cap(key[5:])
    return _CAPS.get(key, key)


def keymap(changes: Mapping[str, str | Iterable[str]] = {}) -> dict[str, tuple[str, ...]]:
    """Keys by action id after the user's changes.

    A change is one key, several separated by commas, or a list; an empty one takes
    the keys away. Raises `ConfigError` when an id does not exist or one key is to do
    two things.
    """
    found = {action.id: action.keys for action in ACTIONS}
    for name, keys in changes.items():
        if name not in found:
            raise ConfigError(f"keys: there is no action `{name}`", "list them with `gexterm keys`")
        parts = keys.split(",") if isinstance(keys, str) else keys
        found[name] = tuple(key.strip() for key in parts if key.strip())
    taken: dict[str, str] = {}
    for name, bound in found.items():
        for key in bound:
            if taken.setdefault(key, name) != name:
                raise ConfigError(
                    f"keys: {cap(key)} is to do both {taken[key]} and {name}",
                    "give one of them another key",
                )
    return found
