"""One list of actions feeds bindings, help, palette and remapping."""

from __future__ import annotations

import importlib

import pytest

from gexterm.errors import ConfigError
from gexterm.ui.actions import ACTIONS, BY_ID, SCREENS, cap, key_name, keymap
from gexterm.ui.app import _MODULES, MonitorApp
from gexterm.ui.help import help_lines
from gexterm.ui.ink import plain
from gexterm.ui.screens.base import View
from gexterm.ui.screens.desk import Desk
from gexterm.ui.widgets.keyline import ORDER


def view_class(name: str) -> type[View]:
    if name == "desk":
        return Desk
    module = importlib.import_module(f"gexterm.ui.screens.{name}")
    found: type[View] = getattr(module, _MODULES[name])
    return found


def test_no_two_actions_share_a_key() -> None:
    keymap()


def test_every_action_exists_in_the_monitor() -> None:
    for action in ACTIONS:
        for owner in map(view_class, action.screens) if action.screens else (MonitorApp,):
            assert callable(getattr(owner, f"action_{action.id}")), (action.id, owner)


def test_every_key_of_the_key_line_has_a_word() -> None:
    assert all(BY_ID[name].short for name in ORDER if name != "screens")


def test_each_screen_has_a_number_and_9_stays_free() -> None:
    assert [BY_ID[f"screen_{name}"].keys[0] for name in SCREENS] == [*"12345678", "0"]
    assert not any("9" in action.keys for action in ACTIONS)


def test_one_key_may_do_different_things_on_different_screens() -> None:
    assert set(BY_ID["suppose_vol_up"].keys) & set(BY_ID["scroll_up"].keys)
    with pytest.raises(ConfigError, match="both"):
        keymap({"suppose_vol_up": "g"})


def test_a_key_can_be_moved() -> None:
    assert keymap({"greek_next": "o", "snapshot": "f5, f6"})["snapshot"] == ("f5", "f6")


def test_a_key_can_be_taken_away() -> None:
    assert keymap({"theme": ""})["theme"] == ()


def test_one_key_for_two_actions_is_refused() -> None:
    with pytest.raises(ConfigError, match="both greek_next and theme"):
        keymap({"theme": "g"})


def test_an_action_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="no action `fly`"):
        keymap({"fly": "f"})


def test_keys_read_as_they_are_printed_on_the_keyboard() -> None:
    assert [cap(k) for k in ("left_square_bracket", "ctrl+p", "question_mark", "g")] == [
        "[", "^p", "?", "g",
    ]  # fmt: skip


def test_help_shows_the_keys_in_force() -> None:
    text = "\n".join(plain(line) for line in help_lines(keymap({"snapshot": "f9"}), "", 90))
    line = next(line for line in text.splitlines() if "Keep a snapshot" in line)
    assert "f9" in line


def test_help_explains_every_view_with_its_warning() -> None:
    text = "\n".join(plain(line) for line in help_lines(keymap(), "this is doubtful", 90))
    for word in ("customer-flow", "squeezemetrics", "short-both", "long-both", "this is doubtful"):
        assert word in text
    for word in ("LIS", "placebo", "charm", "flip", "left out", "BofA", "Sidial"):
        assert word in text


@pytest.mark.parametrize(
    ("written", "name"),
    [("g", "g"), ("G", "G"), ("[", "left_square_bracket"), ("@", "at"), ("F5", "f5"),
     ("Ctrl+S", "ctrl+s"), ("Esc", "escape"), ("left", "left"), ("+", "plus"), ("space", "space"),
     ("left_square_bracket", "left_square_bracket"), ("ü", "ü")],
)  # fmt: skip
def test_a_key_is_known_as_it_is_written_or_named(written: str, name: str) -> None:
    assert key_name(written) == name


@pytest.mark.parametrize("written", ["", "gg", "hyper+x", "f25", "ctrl+", "no such key"])
def test_what_is_no_key_is_refused(written: str) -> None:
    assert key_name(written) is None
    if written:
        with pytest.raises(ConfigError, match="no key"):
            keymap({"theme": [written]})


def test_every_default_key_is_a_key() -> None:
    assert all(key_name(key) == key for action in ACTIONS for key in action.keys)
