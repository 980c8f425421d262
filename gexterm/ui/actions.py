"""Everything a key can do, in one list.

Bindings, the key line, help, the command palette, `gexterm keys` and remapping
all read it; nothing else names a key. An action is either the whole monitor's or
belongs to some screens; on those its key is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gexterm.errors import ConfigError

Group = Literal["Screens", "Look", "Market", "What if", "Time", "Keep", "Program"]

GROUPS: tuple[Group, ...] = ("Screens", "Look", "Market", "What if", "Time", "Keep", "Program")
"""Groups in the order in which help shows them."""

ROWS = ("desk", "heatmap", "expiries", "tape", "views", "health", "start")
"""Screens on which the arrow keys go through rows."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that the monitor can be told to do."""

    id: str
    """Name in settings; the method of app or screen is `action_` and this."""
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
    screens: tuple[str, ...] = ()
    """Screens that it belongs to; empty: all of them."""
    replay_only: bool = False
    """Whether it makes sense for a replay, or a live session's past, only."""


ACTIONS: tuple[Action, ...] = (
    Action("screen_desk", ("1", "escape"), "Screens", "Desk",
           "Ladder, regime, 0DTE paradigm, alerts: the one that stays open."),
    Action("screen_profile", ("2",), "Screens", "Profile",
           "Exposures re-priced over spot, and what if spot, volatility or time were others."),
    Action("screen_timeline", ("3",), "Screens", "Timeline",
           "Spot and the lines that matter over the day; paradigm, alerts, hedge flow."),
    Action("screen_heatmap", ("4",), "Screens", "Heat map",
           "Strike by time for the chosen greek, and what becomes of it if nothing changes."),
    Action("screen_expiries", ("5",), "Screens", "Expiries",
           "Exposures by expiry, volatility by term, and the smile of one expiry."),
    Action("screen_tape", ("6",), "Screens", "Tape",
           "Signed trades as they come, with evidence, and what changed the book most."),
    Action("screen_views", ("7",), "Screens", "Views",
           "The book under every sign view, side by side, and where they disagree."),
    Action("screen_health", ("8",), "Screens", "Health",
           "Age and coverage of the quotes, gaps, drops, and how long the work takes."),
    Action("screen_start", ("0",), "Screens", "Start",
           "Sample feeds, recordings, and the feeds that are ready."),

    Action("greek_next", ("g",), "Look", "Next greek",
           "Gamma, charm, vanna, vega, delta and decay, on every screen that shows one.",
           "greek"),
    Action("greek_previous", ("G",), "Look", "Previous greek"),
    Action("look_back", ("l",), "Look", "Look-back marks",
           "Show or hide where each bar stood 5, 15 and 30 minutes ago.", "look back"),
    Action("scroll_up", ("up", "k"), "Look", "Up", "A row up; the ladder stops following spot.",
           "", ROWS),
    Action("scroll_down", ("down", "j"), "Look", "Down", "A row down.", "", ROWS),
    Action("page_up", ("pageup",), "Look", "A page up", "", "", ROWS),
    Action("page_down", ("pagedown",), "Look", "A page down", "", "", ROWS),
    Action("follow", ("home",), "Look", "Back to spot",
           "Centre on spot and follow it again; on lists, back to the top.", "", ROWS),
    Action("cursor_left", ("left",), "Look", "Earlier", "Move the cursor back in time.", "",
           ("timeline", "heatmap")),
    Action("cursor_right", ("right",), "Look", "Later", "Move the cursor on in time.", "",
           ("timeline", "heatmap")),
    Action("choose", ("enter",), "Look", "Choose",
           "Open, use or go to what the cursor is on.", "choose",
           ("timeline", "heatmap", "expiries", "views", "start")),
    Action("zoom", ("z",), "Look", "Zoom", "Another stretch: nearer or farther.", "zoom",
           ("profile", "timeline", "heatmap", "expiries")),
    Action("read_day", ("r",), "Look", "Read its paradigms",
           "Reads a large recording through, which takes a while, and remembers what it read.",
           "read", ("start",)),
    Action("filter_next", ("f",), "Look", "Larger prints only",
           "Show prints of at least 1, 5, 10, 25, 50, 100, 250, 500 contracts.", "size", ("tape",)),
    Action("filter_previous", ("F",), "Look", "Smaller prints too", "", "", ("tape",)),
    Action("find_strike", ("slash",), "Look", "Go to a strike", "", "strike", ("desk", "heatmap")),
    Action("alerts", ("a",), "Look", "Alerts", "Open or close the list of alerts.", "alerts"),
    Action("acknowledge", ("x",), "Look", "Acknowledge an alert",
           "The one the cursor is on in the open list, else the newest."),
    Action("acknowledge_all", ("X",), "Look", "Acknowledge all alerts"),
    Action("density", ("d",), "Look", "Compact or comfortable"),
    Action("theme", ("t",), "Look", "Next colour theme"),
    Action("theme_previous", ("T",), "Look", "Previous colour theme"),

    Action("scope_next", ("e",), "Market", "Next expiry scope",
           "0DTE, all expiries, then each listed date.", "expiry"),
    Action("scope_previous", ("E",), "Market", "Previous expiry scope"),
    Action("view_next", ("v",), "Market", "Next sign view",
           "Inferred from trades (combined, flow) or assumed. Changes every number with a sign.",
           "view"),
    Action("view_previous", ("V",), "Market", "Previous sign view"),

    Action("suppose_spot_up", ("right",), "What if", "Spot higher", "By a tenth of a per cent.",
           "spot", ("profile",)),
    Action("suppose_spot_down", ("left",), "What if", "Spot lower", "", "", ("profile",)),
    Action("suppose_vol_up", ("up",), "What if", "Volatility higher",
           "Every volatility by half a point.", "vol", ("profile",)),
    Action("suppose_vol_down", ("down",), "What if", "Volatility lower", "", "", ("profile",)),
    Action("suppose_later", ("pagedown", "j"), "What if", "Later", "By a quarter of an hour.",
           "time", ("profile",)),
    Action("suppose_earlier", ("pageup", "k"), "What if", "Less late", "", "", ("profile",)),
    Action("suppose_nothing", ("r", "home"), "What if", "The market as it is",
           "Take every supposition back.", "reset", ("profile",)),

    Action("pause", ("space",), "Time", "Pause or go on",
           "A replay stands still. A live market goes on; only the screen holds.", "pause"),
    Action("back_5", ("left_square_bracket",), "Time", "5 minutes back",
           "In a live session: into its recorded past, while it goes on.", "−5 min"),
    Action("forward_5", ("right_square_bracket",), "Time", "5 minutes on", "", "+5 min"),
    Action("back_30", ("left_curly_bracket",), "Time", "30 minutes back"),
    Action("forward_30", ("right_curly_bracket",), "Time", "30 minutes on"),
    Action("step_back", ("comma",), "Time", "A tick back", "", "", (), True),
    Action("step_on", ("full_stop",), "Time", "A tick on", "Pauses, and shows the next Reading.",
           "", (), True),
    Action("minute_back", ("less_than_sign",), "Time", "A minute back"),
    Action("minute_on", ("greater_than_sign",), "Time", "A minute on", "", "", (), True),
    Action("seek_time", ("at",), "Time", "Go to a time", "10:35, or −15 for a quarter of an hour "
           "ago.", "go to"),
    Action("next_alert", ("n",), "Time", "To the next alert",
           "Runs ahead until there is one, where it has not been seen yet.", "", (), True),
    Action("previous_alert", ("N",), "Time", "To the alert before"),
    Action("next_paradigm", ("p",), "Time", "To the next change of the paradigm", "", "", (), True),
    Action("previous_paradigm", ("P",), "Time", "To the change of the paradigm before"),
    Action("back_live", ("L",), "Time", "Back to live", "Leave the past of a live session."),
    Action("faster", ("plus", "equals_sign"), "Time", "Faster", "", "speed", (), True),
    Action("slower", ("minus",), "Time", "Slower", "", "", (), True),

    Action("snapshot", ("s",), "Keep", "Keep a snapshot",
           "Picture and numbers of this moment; the path goes to the clipboard.", "snapshot"),
    Action("snapshot_note", ("S",), "Keep", "Keep a snapshot with a note"),
    Action("copy_levels", ("c",), "Keep", "Copy the levels", "As text, to the clipboard."),
    Action("copy_pine", ("C",), "Keep", "Copy the levels as a Pine script"),

    Action("help", ("question_mark", "f1"), "Program", "Help",
           "The keys, and what every number means.", "help"),
    Action("palette", ("ctrl+p", "colon"), "Program", "Find an action by name", "", "find"),
    Action("redraw", ("ctrl+l",), "Program", "Draw the screen anew",
           "Where something else has written over it."),
    Action("suspend", ("ctrl+z",), "Program", "To the background", "`fg` brings it back."),
    Action("quit", ("q", "ctrl+c", "ctrl+q"), "Program", "Quit", "", "quit"),
)  # fmt: skip
"""Every action, in the order of help within its group."""

BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}
"""The same by id."""

SCREENS = tuple(a.id.removeprefix("screen_") for a in ACTIONS if a.group == "Screens")
"""Names of the screens, in the order of their keys."""

_CAPS = {
    "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{",
    "right_curly_bracket": "}", "plus": "+", "minus": "-", "equals_sign": "=", "space": "space",
    "question_mark": "?", "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp",
    "pagedown": "PgDn", "home": "Home", "end": "End", "colon": ":", "f1": "F1", "full_stop": ".",
    "comma": ",", "less_than_sign": "<", "greater_than_sign": ">", "at": "@", "slash": "/",
    "escape": "Esc", "enter": "Enter",
}  # fmt: skip


_NAMES = {
    **{printed.lower(): name for name, printed in _CAPS.items()},
    "=": "equals_sign", "!": "exclamation_mark", '"': "quotation_mark", "#": "number_sign",
    "$": "dollar_sign", "%": "percent_sign", "&": "ampersand", "'": "apostrophe",
    "(": "left_parenthesis", ")": "right_parenthesis", "*": "asterisk", ";": "semicolon",
    "\\": "backslash", "^": "circumflex_accent", "_": "underscore", "`": "grave_accent",
    "|": "vertical_line", "~": "tilde",
}  # fmt: skip
_OTHERS = {"tab", "backspace", "delete", "insert", "end", "enter", "escape", "space", *_CAPS}
_MODIFIERS = {"ctrl", "shift", "alt", "super"}


def key_name(text: str) -> str | None:
    """Textual's name of a key as users write it: `[`, `F5`, `Ctrl+S`, `left`; None: no key."""
    *modifiers, last = text.strip().split("+") if text.strip() not in ("+", "") else [text.strip()]
    modifiers = [each.lower() for each in modifiers]
    if not last or not set(modifiers) <= _MODIFIERS:
        return None
    if len(last) == 1 and last.isascii() and last.isalnum():
        name = last.lower() if modifiers else last
    else:
        small = last.lower()
        name = _NAMES.get(small, small)
        function = small[:1] == "f" and small[1:].isdigit() and 1 <= int(small[1:]) <= 24
        named = name in _OTHERS or name in _NAMES.values() or function
        if not named and not (len(last) == 1 and last.isprintable() and not last.isspace()):
            return None
    return "+".join([*modifiers, name])


def cap(key: str) -> str:
    """What is printed on the key: `[` for `left_square_bracket`, `^p` for `ctrl+p`."""
    if key.startswith("ctrl+"):
        return "^" + cap(key[5:])
    return _CAPS.get(key, key)


def of_screen(name: str) -> tuple[Action, ...]:
    """Actions that belong to a screen and not to the whole monitor."""
    return tuple(action for action in ACTIONS if name in action.screens)


def works_on(action: Action, screen: str) -> bool:
    """Whether it can be done on a screen."""
    return not action.screens or screen in action.screens


def _meet(a: Action, b: Action) -> bool:
    """Whether some screen knows both."""
    return not a.screens or not b.screens or bool(set(a.screens) & set(b.screens))


def _checked(action: str, text: str) -> str:
    name = key_name(text)
    if name is None:
        raise ConfigError(
            f"keys.{action}: there is no key {text!r}", "such as: g, [, f5, ctrl+s, left, space"
        )
    return name


def keymap(changes: Mapping[str, str | Iterable[str]] = {}) -> dict[str, tuple[str, ...]]:
    """Keys by action id after the user's changes.

    A change is one key, several separated by commas, or a list; an empty one takes
    the keys away. Raises `ConfigError` when an id does not exist or one key is to do
    two things on one screen.
    """
    found = {action.id: action.keys for action in ACTIONS}
    for name, keys in changes.items():
        if name not in found:
            raise ConfigError(f"keys: there is no action `{name}`", "list them with `gexterm keys`")
        parts = keys.split(",") if isinstance(keys, str) else keys
        found[name] = tuple(_checked(name, key) for key in parts if key.strip())
    taken: dict[str, list[str]] = {}
    for name, bound in found.items():
        for key in bound:
            for other in taken.get(key, ()):
                if other != name and _meet(BY_ID[other], BY_ID[name]):
                    raise ConfigError(
                        f"keys: {cap(key)} is to do both {other} and {name}",
                        "give one of them another key",
                    )
            taken.setdefault(key, []).append(name)
    return found
