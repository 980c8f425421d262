"""`gexterm feeds` and `gexterm doctor`, as a user runs them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import keyring
import pytest
from click.testing import CliRunner

from gexterm.cli.feeds import feeds_command
from gexterm.feeds import credentials
from gexterm.feeds.venue import VENUES, find_venue
from tests.cli.invoke import gexterm
from tests.feeds.test_credentials import Memory


@pytest.fixture(autouse=True)
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    """No keys but the test's own."""
    for name in VENUES:
        for spec in find_venue(name).secrets:
            monkeypatch.delenv(spec.env, raising=False)
    before = keyring.get_keyring()
    mine = Memory()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def test_every_venue_has_its_page() -> None:
    shown = gexterm("feeds")
    assert shown.code == 0
    heads = [line.split()[0] for line in shown.out.splitlines() if line and line[0] != " "]
    assert heads == list(VENUES)
    assert max(map(len, shown.out.splitlines())) <= 100
    assert shown.out.count("live server:") == len(VENUES)


def test_no_venue_claims_a_live_server_that_nobody_has_tried() -> None:
    for venue in json.loads(gexterm("feeds", "--json").out):
        assert venue["checked"]["live"] == "", venue["name"]


def test_a_venue_without_keys_is_ready_and_others_say_what_they_need() -> None:
    pages = {venue["name"]: venue["now"] for venue in json.loads(gexterm("feeds", "--json").out)}
    assert pages["deribit"] == pages["cboe"] == "ready"
    assert re.match(r"needs MASSIVE_API_KEY, or `gexterm feeds login massive`", pages["massive"])


def test_with_its_key_in_the_environment_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASSIVE_API_KEY", "not-to-be-seen")
    shown = gexterm("feeds")
    assert "ready (keys from the environment)" in shown.out
    assert "not-to-be-seen" not in shown.out


def test_login_keeps_what_is_typed_and_shows_it_nowhere(ring: Memory) -> None:
    done = CliRunner().invoke(feeds_command, ["login", "massive"], input="typed-in-secret\n")
    assert done.exit_code == 0, done.output
    assert "typed-in-secret" not in done.output
    assert credentials.load(find_venue("massive"), {})["key"].reveal() == "typed-in-secret"
    assert gexterm("feeds", "logout", "massive").code == 0
    assert ring.held == {}


def test_login_with_nothing_keeps_nothing(ring: Memory) -> None:
    with mock.patch("sys.stdin") as stdin:
        stdin.isatty.return_value = False
        stdin.readline.return_value = "\n"
        refused = gexterm("feeds", "login", "massive")
    assert refused.code == 2
    assert "nothing was given for key" in refused.one_clear_line
    assert ring.held == {}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("feeds", "login", "deribit"), 2, "deribit asks for no key"),
        (("feeds", "login", "nowhere"), 2, "no feed is called 'nowhere'"),
        (("doctor", "nowhere"), 2, "no feed is called 'nowhere'"),
        (("doctor", "deribit", "--url", "ws://example.org"), 2, "in the clear"),
        (("doctor", "deribit", "--url", "wss://user:pass@example.org"), 2, "must be plain"),
    ],
)
def test_a_mistake_is_one_clear_line(arguments: tuple[str, ...], code: int, said: str) -> None:
    refused = gexterm(*arguments)
    assert refused.code == code
    line = refused.err.splitlines()[-1]
    assert said in line
    assert "Traceback" not in refused.err
    assert "pass@" not in refused.err


def test_a_missing_key_is_named_with_the_way_to_give_it() -> None:
    refused = gexterm("doctor", "massive")
    assert refused.code == 2
    assert "massive needs MASSIVE_API_KEY" in refused.one_clear_line
    assert "gexterm feeds login massive" in refused.one_clear_line


def test_no_key_is_asked_for_where_there_is_nowhere_to_keep_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gexterm.feeds.credentials._library", lambda: None)
    asked: list[str] = []
    monkeypatch.setattr("gexterm.cli.feeds._asked", lambda _venue, prompt: asked.append(prompt))
    refused = gexterm("feeds", "login", "massive")
    assert refused.code == 2
    assert "no library for the system's keyring" in refused.one_clear_line
    assert not asked


@pytest.mark.parametrize(
    ("settings", "said"),
    [("[feeds.deribt]\nsigmas = 2\n", "no feed is called so; choose one of deribit"),
     ("[feeds.deribit]\nback_fill_hours = 9999\n", "back_fill_hours is 9999; at most 168")],
)  # fmt: skip
def test_settings_of_no_feed_are_refused_and_not_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: str, said: str
) -> None:
    (tmp_path / "gexterm").mkdir()
    (tmp_path / "gexterm" / "config.toml").write_text(settings)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    refused = gexterm("live", "deribit", "BTC", "--headless")
    assert refused.code == 2
    assert said in refused.one_clear_line
