"""tastytrade as `gexterm feeds` shows it, and what it can be asked for."""

from __future__ import annotations

import pytest

from gexterm.errors import UsageError
from gexterm.feeds.dxlink import VENUE, make
from gexterm.feeds.venue import FeedOptions, find_venue
from tests.feeds.dxlink.live import SECRETS


def test_it_is_found_and_claims_no_more_than_was_checked() -> None:
    assert find_venue("dxlink") is VENUE
    assert VENUE.checked.live == ""
    assert any("not confirmed" in note for note in VENUE.notes)
    assert [secret.env for secret in VENUE.secrets] == [
        "TASTYTRADE_CLIENT_SECRET",
        "TASTYTRADE_REFRESH_TOKEN",
    ]


@pytest.mark.parametrize("underlying", ["SPX", "spx", "XSP", "NDX", "RUT", "VIX", "SPY", "AAPL"])
def test_indices_funds_and_stocks_are_carried(underlying: str) -> None:
    assert make(underlying, SECRETS, FeedOptions()).name == "dxlink"


@pytest.mark.parametrize(
    ("underlying", "hint"),
    [("SPXW", "try SPX"), ("BTC", "try"), ("BTC_USDC", "try"), ("S P", "try")],
)
def test_what_has_no_options_there_is_refused_with_a_word_on_what_has(
    underlying: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        make(underlying, SECRETS, FeedOptions())
    assert hint in caught.value.hint


@pytest.mark.parametrize("missing", list(SECRETS))
def test_a_missing_secret_is_named_with_its_variable(missing: str) -> None:
    secrets = {name: secret for name, secret in SECRETS.items() if name != missing}
    with pytest.raises(UsageError, match=missing) as caught:
        make("SPX", secrets, FeedOptions())
    assert "TASTYTRADE_" in caught.value.hint


def test_the_demo_lists_nothing_and_nothing_is_made_up() -> None:
    with pytest.raises(UsageError, match="no list of options"):
        make("SPX", SECRETS, FeedOptions(demo=True))


@pytest.mark.parametrize("url", ["ws://example.com/", "http://x", "wss://x/?token=1"])
def test_an_address_that_is_not_safe_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        make("SPX", SECRETS, FeedOptions(url=url))
