"""Scripts in TOML: what can be said, and what every kind of nonsense is answered."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from gexterm.errors import InputError
from gexterm.simulator.check import check, wish
from gexterm.simulator.script import Change, Gap, Script, Series
from gexterm.simulator.toml import read_script

HEAD = 'name = "some-day"\ntitle = "A day"\nseed = 1\n'


def script_of(tmp_path: Path, text: str, seed: int | None = None) -> Script:
    path = tmp_path / "day.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return read_script(path, seed)


def complaint(tmp_path: Path, text: str) -> str:
    with pytest.raises(InputError) as wrong:
        script_of(tmp_path, text)
    line = str(wrong.value)
    assert wrong.value.exit_code == 3
    assert "\n" not in line
    return line.removeprefix(str(tmp_path / "day.toml"))


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    assert script_of(tmp_path, "") == Script("some-day", "A day", 1)


def test_everything_can_be_said(tmp_path: Path) -> None:
    script = script_of(
        tmp_path,
        """
date = 2026-11-27
begins = 10:00:00
ends = "12:30"
intent = "BofA"
breach = "lower"
term = "inverted"
changes = [{at = 11:30:00, intent = "Sidial"}]
spot.sigma = 0.01
[flow]
tilt = 0.2
trap = "sells"
[[gaps]]
at = 10:10:00
seconds = 30
[[gaps]]
at = 10:20:00
seconds = 45.5
[[series]]
root = "SPXW"
days = 0
step = 5
below = 0.03
above = 0.03
share = 0.8
[[series]]
root = "SPX"
days = 21
step = 25
below = 0.1
above = 0.1
share = 0.2
[[happens]]
at = 10:10:00
what = "silence"
""",
    )
    assert script.date == dt.date(2026, 11, 27)
    assert (script.begins, script.ends) == (dt.time(10), dt.time(12, 30))
    assert script.changes == (Change(dt.time(11, 30), "Sidial"),)
    assert script.gaps == (Gap(dt.time(10, 10), 30), Gap(dt.time(10, 20), 45.5))
    assert script.chain[1] == Series("SPX", 21, 25, 0.1, 0.1, share=0.2)
    assert (script.spot.sigma, script.flow.tilt, script.flow.trap) == (0.01, 0.2, "sells")
    assert script.happens == (("10:10", "silence"),)


def test_a_seed_given_apart_wins(tmp_path: Path) -> None:
    assert script_of(tmp_path, "", seed=77).seed == 77
    with pytest.raises(InputError, match=r"^--seed is -1; use 0 to"):
        script_of(tmp_path, "", seed=-1)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("colour = 1", ":4: colour is unknown; known are: name, title"),
        ("[flow]\ntilts = 1", ":5: flow.tilts is unknown; did you mean tilt?"),
        ("[flow]\ntilt = 1.5", ":5: flow.tilt is 1.5; use 0 to 1"),
        ("flow.tilt = -0.1", ":4: flow.tilt is -0.1; use 0 to 1"),
        ('[flow]\ntilt = "much"', ":5: flow.tilt must be a number, not 'much'"),
        ("[flow]\ntilt = true", ":5: flow.tilt must be a number, not True"),
        ("[flow]\ncancels = nan", ":5: flow.cancels must be a number, not nan"),
        ("flow = 3", ":4: flow must be a table"),
        ("[spot]\nsigma = -0.01", ":5: spot.sigma is -0.01; use 0.0001 to 0.2"),
        ("[quotes]\nstale_share = 1.5", ":5: quotes.stale_share is 1.5; use 0 to 0.5"),
        ('intent = "bofa"', ":4: intent is 'bofa'; one of: \"BofA\", \"GEX\""),
        ("intent = []", ":4: intent is []; one of:"),
        ("date = 2026-11-21", ":4: date is 2026-11-21, which has no session; the next one is 2026"),
        ('date = "soon"', ":4: date must be a date, not 'soon'; write it as 2026-11-19"),
        ("date = 2026-11-19T10:00:00", ":4: date must be a date, not 2026-11-19 10:00:00"),
        ("begins = 08:00:00", ":4: begins is 08:00:00, outside the session; the session is 09:30"),
        ("date = 2026-11-27\nends = 15:00:00", ":5: ends is 15:00:00, outside the session; the"),
        ("begins = 12:00:00\nends = 11:00:00", ":5: ends is 11:00:00, not after 12:00:00"),
        ("begins = 14", ":4: begins must be a time in New York, not 14; write it as 14:30:00"),
        ("begins = 10:00:00.5", ":4: begins is 10:00:00.500000; whole seconds only"),
        (
            '[[changes]]\nat = 11:00:00\nintent = "GEX"\n[[changes]]\nat = 10:00:00\nintent="BofA"',
            ":8: changes[2].at is 10:00:00, not after 11:00:00; put them in order",
        ),
        ('[[changes]]\nat = 17:00:00\nintent = "GEX"', ":5: changes[1].at is 17:00:00, outside"),
        ('[[changes]]\nat = 10:00:00\nintent = "up"', ":6: changes[1].intent is 'up'; one of:"),
        ("[[changes]]\nat = 10:00:00", ":4: changes[1].intent is missing; add intent = …"),
        ('[changes]\nat = 10:00:00', ":4: changes must be an array of tables; write [[changes]]"),
        (
            "[[gaps]]\nat = 10:00:00\nseconds = 90\n[[gaps]]\nat = 10:01:00\nseconds = 5",
            ":8: gaps[2].at is 10:01:00, before the gap ahead of it ends",
        ),
        ("[[gaps]]\nat = 10:00:00\nseconds = 0", ":6: gaps[1].seconds is 0; use 1 to 86400"),
        ("[[gaps]]\nat = 15:59:00\nseconds = 90", ":6: gaps[1].seconds is 90, past the script's"),
        ('chain = "tiny"', ":4: chain is 'tiny'; use small, medium, full, or [[series]]"),
        ("chain = []", ":4: chain must be a name; list series as [[series]]"),
        ('underlying = "NDX"', ":4: underlying is 'NDX'; only SPX is simulated"),
        ('target = "hit"', ":4: target cannot be had: target 'hit' under intent BofA;"),
        ('breach = "upper"\nintent = "GEX"', ":4: breach cannot be had: breach 'upper' under"),
        ('breach = "lower"\nintent = "none"', ":4: breach cannot be had"),
        (
            'breach = "lower"\nbegins = 15:55:00',
            ":4: breach leaves 300 s to happen in; let the script run for 600 s",
        ),
        ("happens = [1]", ":4: happens[1] must hold `at` and `what`"),
        ('[[happens]]\nat = "noon"\nwhat = "x"', ":4: happens[1] has the time 'noon'; write it as"),
    ],
)  # fmt: skip
def test_nonsense_is_one_line_with_place_and_remedy(tmp_path: Path, text: str, line: str) -> None:
    assert complaint(tmp_path, text).startswith(line)


SERIES = '[[series]]\nroot = "SPXW"\ndays = 0\nstep = 5\nbelow = 0.02\nabove = 0.02\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (SERIES + "share = 0.7", ":10: series[1].share and the others add up to 0.7; make them 1"),
        (SERIES + SERIES, ":12: series[2].days is 0: SPXW has that series already"),
        (SERIES.replace("SPXW", "VIX"), ":5: series[1].root is 'VIX'; use SPX or SPXW"),
        (SERIES.replace("5", "500"), ":7: series[1].step is 500: no three strikes"),
        (SERIES.replace("days = 0", "days = 7"), ":4: series has none that settles at today's"),
        (SERIES.replace("days = 0", "days = 0.5"), ":6: series[1].days must be a whole number"),
        ('chain = "small"\n' + SERIES, ":4: chain is given beside [[series]]; give one of them"),
    ],
)
def test_series_that_make_no_market_are_named(tmp_path: Path, text: str, line: str) -> None:
    assert complaint(tmp_path, text).startswith(line)


def test_a_chain_without_todays_expiry_will_do_where_nobody_wants_a_paradigm(
    tmp_path: Path,
) -> None:
    text = 'intent = "none"\n' + SERIES.replace("days = 0", "days = 7")
    assert script_of(tmp_path, text).chain[0].days == 7


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name = ", "not TOML"),
        (b"\xff\xfe", "not text"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "not TOML"),
        (b"#" * (2 << 20), "larger than a script can be"),
        (b'title = "t"\nseed = 1', "name is missing"),
        (b'name = "a b"\ntitle = "t"\nseed = 1', ":1: name is 'a b'; use letters"),
        (b'name = "n"\ntitle = "a\\nb"\nseed = 1', ":2: title is 'a\\nb'; one line"),
        (b'name = "n"\ntitle = "t"\nseed = 1.5', ":3: seed must be a whole number, not 1.5"),
        (b'name = "n"\ntitle = "t"\nseed = -4', ":3: seed is -4; use 0 to"),
    ],
)
def test_a_file_that_is_no_script_is_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "day.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as wrong:
        read_script(path)
    assert words in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_file_that_is_not_there_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no script"):
        read_script(tmp_path / "none.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_script(tmp_path)


def test_a_script_made_in_code_is_judged_by_the_same_rules() -> None:
    check(Script("fine", "Fine", 1))
    bad = dataclasses.replace(Script("odd", "Odd", 1), target="hit")
    with pytest.raises(InputError, match="script 'odd': target cannot be had"):
        check(bad)


def test_a_wish_goes_to_the_first_intent_that_can_fulfil_it() -> None:
    script = Script(
        "turns",
        "Turns",
        1,
        intent="BofA",
        changes=(Change(dt.time(11), "Sidial"), Change(dt.time(12), "GEX")),
        target="hit",
        breach="lower",
    )
    assert wish(script) == ("GEX", dt.time(12))
    assert wish(dataclasses.replace(script, breach="")) == ("Sidial", dt.time(11))
    assert wish(dataclasses.replace(script, target="")) == ("BofA", dt.time(9, 30))
