"""Every venue says who it is, refuses what it cannot, and takes no address that is not safe."""

from __future__ import annotations

import pytest

from gexterm.errors import UsageError
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import VENUES, FeedOptions, Venue, checked_url, find_venue

CARRIES = {
    "quotes", "prints", "side", "condition", "quote at the print", "open interest", "underlying",
    "volume",
}  # fmt: skip


def made(name: str, options: FeedOptions) -> object:
    venue = find_venue(name)
    secrets = {spec.name: Secret(f"a-{spec.name}-of-{name}") for spec in venue.secrets}
    return venue.make("BTC" if name == "deribit" else "SPX", secrets, options)


@pytest.mark.parametrize("name", VENUES)
class TestEveryVenue:
    def test_it_says_who_it_is(self, name: str) -> None:
        venue = find_venue(name)
        assert isinstance(venue, Venue)
        assert venue.name == name
        assert set(venue.carries) <= CARRIES
        assert all((venue.title, venue.needs, venue.entitlement, venue.delay, venue.underlyings))

    def test_its_address_carries_no_secret(self, name: str) -> None:
        protocol = made(name, FeedOptions())
        # Where a token comes first the address is known only after it.
        for spec in find_venue(name).secrets:
            assert f"a-{spec.name}-of-{name}" not in repr(vars(protocol))

    def test_a_service_it_lacks_is_refused_and_not_ignored(self, name: str) -> None:
        for options in (FeedOptions(demo=True), FeedOptions(delayed=True)):
            try:
                other = made(name, options)
            except UsageError:
                continue
            assert self._where(other) != self._where(made(name, FeedOptions()))

    @staticmethod
    def _where(protocol: object) -> set[str]:
        """Every address a protocol knows, however deep."""
        found: set[str] = set()
        todo, seen = [protocol], set()
        while todo:
            here = todo.pop()
            if isinstance(here, str):
                found |= {here} if "://" in here else set()
            elif id(here) not in seen:
                seen.add(id(here))
                if hasattr(here, "__dict__") and type(here).__module__.startswith("gexterm"):
                    todo += vars(here).values()
        return found

    def test_an_address_in_the_clear_is_refused(self, name: str) -> None:
        with pytest.raises(UsageError):
            made(name, FeedOptions(url="ws://example.org/x", rest_url="http://example.org"))


def test_a_name_that_is_none_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no feed is called 'nyse'") as refused:
        find_venue("nyse")
    assert "deribit" in refused.value.hint


@pytest.mark.parametrize(
    "address",
    ["wss://example.org/ws", "ws://127.0.0.1:80/ws", "ws://localhost/ws", "ws://[::1]:9/ws"],
)
def test_safe_addresses_are_taken(address: str) -> None:
    assert checked_url(address + "/", "wss", "ws") == address


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ws://example.org", "in the clear"),
        ("ws://127.0.0.1.example.org", "in the clear"),
        ("https://example.org", "no address"),
        ("wss://", "no address"),
        ("wss://exa mple.org", "no address"),
        ("wss://example.org:0/", "no address"),
        ("wss://example.org:99999/", "no address"),
        ("wss://user:pw@example.org", "plain"),
        ("wss://example.org/?apiKey=x", "plain"),
        ("wss://example.org/#x", "plain"),
        ("wss://exämple.org", "no address"),
    ],
)
def test_others_are_refused_without_being_repeated(address: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as refused:
        checked_url(address, "wss", "ws")
    assert "pw" not in str(refused.value).replace("password", "")
    assert "apiKey" not in str(refused.value)
