"""The scripts that come with the program."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gexterm.errors import InputError
from gexterm.market.calendar import CLOSE, OPEN, close_time, early_close
from gexterm.simulator.library import find_script, list_scripts, names
from gexterm.simulator.script import Script

SCRIPTS = {script.name: script for script in list_scripts()}


def test_every_script_is_called_as_its_file_and_says_what_it_is() -> None:
    assert tuple(SCRIPTS) == names()
    for script in SCRIPTS.values():
        assert 10 < len(script.title) < 100
        assert script.happens


def test_no_two_scripts_share_a_seed() -> None:
    assert len({script.seed for script in SCRIPTS.values()}) == len(SCRIPTS)


@pytest.mark.parametrize("name", names())
def test_what_happens_lies_within_the_script_in_order(name: str) -> None:
    script = SCRIPTS[name]
    times = [dt.time.fromisoformat(at) for at, _ in script.happens]
    assert times == sorted(times)
    assert (script.begins or OPEN) <= times[0]
    assert times[-1] <= (script.ends or close_time(script.date))


def test_everything_a_script_can_be_asked_for_is_asked_for_by_one() -> None:
    every = list(SCRIPTS.values())

    def asked(one: object) -> set[object]:
        return {getattr(script, str(one)) for script in every}

    assert asked("intent") == {"BofA", "GEX", "Anti-GEX", "Sidial", "none"}
    assert asked("target") == {"", "hit", "miss"}
    assert asked("breach") == {"", "none", "lower", "upper", "winner"}
    assert asked("term") == {"contango", "inverted"}
    assert {script.flow.mix for script in every} == {"calibrated", "packages", "electronic"}
    assert {script.flow.trap for script in every} == {"", "sells"}
    assert any(script.changes for script in every)
    assert any(script.gaps for script in every)
    assert any(early_close(script.date) and script.ends is None for script in every)
    assert any((script.begins or OPEN, script.ends or CLOSE) == (OPEN, CLOSE) for script in every)


def test_a_script_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    assert find_script("bofa") == SCRIPTS["bofa"]
    assert find_script("bofa", seed=3).seed == 3
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ntitle = "Mine"\nseed = 5\n')
    assert find_script(str(path)) == Script("mine", "Mine", 5)


def test_a_name_that_there_is_not_lists_those_that_there_are() -> None:
    with pytest.raises(InputError, match="there is no script 'moonshine'; bundled: anti-gex, bofa"):
        find_script("moonshine")
    with pytest.raises(InputError, match=r"there is no script nowhere/x\.toml"):
        find_script("nowhere/x.toml")
