"""One list of actions feeds bindings, help, palette and remapping."""

from __future__ import annotations

import pytest

from gexterm.errors import ConfigError
from gexterm.ui.actions import ACTIONS, BY_ID, cap, keymap
from gexterm.ui.app import MonitorApp
from gexterm.ui.help import help_lines
from gexterm.ui.ink import plain
from gexterm.ui.widgets.keyline import ORDER


def test_no_two_actions_share_a_key() -> None:
    keymap()


def test_every_action_exists_in_the_monitor() -> None:
    for action in ACTIONS:
        assert callable(getattr(MonitorApp, f"action_{action.id}")), action.id


def test_every_key_of_the_key_line_has_a_word() -> None:
    assert all(BY_ID[name].short for name in ORDER)


def test_numbers_stay_free() -> None:
    assert not {key for action in ACTIONS for key in action.keys} & set("123456789")


def test_a_key_can_be_moved() -> None:
    assert keymap({"greek_next": "x", "snapshot": "f5, S"})["snapshot"] == ("f5", "S")


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
    (line,) = [line for line in text.splitlines() if "Keep a snapshot" in line]
    assert "f9" in line


def test_help_explains_every_view_with_its_warning() -> None:
    text = "\n".join(plain(line) for line in help_lines(keymap(), "this is doubtful", 90))
    for word in ("customer-flow", "squeezemetrics", "short-both", "long-both", "this is doubtful"):
        assert word in text
    for word in ("LIS", "placebo", "charm", "flip", "left out", "BofA", "Sidial"):
        assert word in text
