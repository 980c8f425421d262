"""Keys come from the environment, else from the system's keyring, and go nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from gexterm.errors import UsageError
from gexterm.feeds import credentials
from gexterm.feeds.venue import SecretSpec, Venue

KEY = SecretSpec("key", "TEST_VENUE_KEY", "the key from its page")
EXTRA = SecretSpec("extra", "TEST_VENUE_EXTRA", "something else", required=False)


def never(*_: object) -> object:
    raise AssertionError("nobody makes a protocol here")


VENUE = Venue(
    "testvenue",
    "A Venue",
    "",
    "",
    "",
    {},
    "",
    never,
    secrets=(KEY, EXTRA),  # type: ignore[arg-type]
)


class Memory(KeyringBackend):
    """A keyring that forgets everything with the test."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.broken = ""

    def get_password(self, service: str, username: str) -> str | None:
        if self.broken:
            raise KeyringError(self.broken)
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.broken:
            raise KeyringError(f"{self.broken}: {password}")
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


@pytest.fixture
def ring() -> Iterator[Memory]:
    before = keyring.get_keyring()
    mine = Memory()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def test_the_environment_comes_first(ring: Memory) -> None:
    ring.set_password("gexterm", "testvenue.key", "from-the-keyring")
    found = credentials.load(VENUE, {"TEST_VENUE_KEY": " from-the-environment \n"})
    assert found["key"].reveal() == "from-the-environment"


def test_else_the_keyring_has_it(ring: Memory) -> None:
    credentials.store(VENUE, KEY, "kept-for-later")
    assert credentials.load(VENUE, {})["key"].reveal() == "kept-for-later"
    assert credentials.find(VENUE, KEY, {})[1] == "keyring"


def test_a_missing_one_is_named_with_the_way_to_give_it(ring: Memory) -> None:
    with pytest.raises(UsageError, match="testvenue needs TEST_VENUE_KEY") as refused:
        credentials.load(VENUE, {})
    assert "gexterm feeds login testvenue" in refused.value.hint


def test_what_is_not_required_may_be_missing(ring: Memory) -> None:
    assert set(credentials.load(VENUE, {"TEST_VENUE_KEY": "abcdefgh"})) == {"key"}


def test_forgetting_takes_out_what_was_kept(ring: Memory) -> None:
    credentials.store(VENUE, KEY, "kept-for-later")
    assert credentials.forget(VENUE) == ["key"]
    assert ring.held == {}
    assert credentials.forget(VENUE) == []


def test_a_broken_keyring_is_told_without_the_secret(ring: Memory) -> None:
    ring.broken = "locked"
    with pytest.raises(UsageError, match="the keyring does not take it") as refused:
        credentials.store(VENUE, KEY, "do-not-show-me")
    assert "do-not-show-me" not in str(refused.value)
    assert credentials.find(VENUE, KEY, {})[0] is None


def test_without_the_library_the_environment_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_library", lambda: None)
    assert credentials.load(VENUE, {"TEST_VENUE_KEY": "abcdefgh"})["key"].reveal() == "abcdefgh"
    with pytest.raises(UsageError, match="no library for the system's keyring"):
        credentials.store(VENUE, KEY, "abcdefgh")
