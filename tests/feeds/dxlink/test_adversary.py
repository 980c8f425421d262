"""What dxFeed's snapshots say of another day, and must not say of this one."""

from __future__ import annotations

import pytest

from gexterm.clock import NS
from gexterm.feeds.retry import PassingError
from gexterm.market.calendar import parse_when
from gexterm.market.events import Event, OpenInterest, Volume
from tests.feeds.dxlink.made import NOW, data, ready, say

CALL, PUT = ".SPXW251121C6600", ".SPXW251121P6600"
MORNING = parse_when("2025-11-21 09:00")


def volume(events: list[Event]) -> list[float]:
    return [v for event in events if isinstance(event, Volume) for v in event.volume.tolist()]


def test_a_snapshot_of_before_the_days_first_trade_is_not_the_days_volume() -> None:
    protocol = ready(CALL, PUT)
    yesterday = parse_when("2025-11-20 15:59") // 1_000_000
    told = say(protocol, data("Trade", [CALL, 12.5, yesterday, 5000.0]), MORNING)
    assert volume(told) == []
    first = parse_when("2025-11-21 08:59") // 1_000_000
    told = say(protocol, data("Trade", [CALL, 12.5, first, 3.0]), MORNING)
    assert volume(told) == [3.0]


def test_a_trade_without_a_time_is_taken_at_its_word() -> None:
    protocol = ready(CALL, PUT)
    assert volume(say(protocol, data("Trade", [PUT, 12.5, "NaN", 7.0]), MORNING)) == [7.0]


def interest(events: list[Event]) -> list[float]:
    found = [event for event in events if isinstance(event, OpenInterest)]
    return [v for event in found for v in event.open_interest.tolist()]


def test_open_interest_repeated_at_night_does_not_pass_for_the_new_days() -> None:
    protocol = ready(CALL, PUT)
    evening, night = parse_when("2025-11-20 15:00"), parse_when("2025-11-21 02:00")
    assert interest(say(protocol, data("Summary", [CALL, 500.0, 12.0]), evening)) == [500.0]
    assert interest(say(protocol, data("Summary", [CALL, 500.0, 12.0]), night)) == []
    # Another contract enters the window by night: its number is of the day before as well.
    assert interest(say(protocol, data("Summary", [PUT, 80.0, 12.0]), night)) == []
    told = say(protocol, data("Summary", [CALL, 730.0, 12.0]), parse_when("2025-11-21 07:05"))
    assert sorted(interest(told)) == [80.0, 730.0]
    assert interest(say(protocol, data("Summary", [CALL, 730.0, 11.0]), MORNING)) == []


def test_who_begins_at_night_has_the_open_interest_there_is() -> None:
    protocol = ready(CALL, PUT)
    night = parse_when("2025-11-21 02:00")
    assert interest(say(protocol, data("Summary", [CALL, 500.0, 12.0]), night)) == [500.0]


def test_a_server_that_talks_and_never_logs_us_in_is_left() -> None:
    protocol = ready(CALL)
    protocol.on_timer(NOW + 60 * NS)  # logged in: no hurry
    protocol.on_open(NOW)
    say(protocol, {"type": "KEEPALIVE", "channel": 0})
    protocol.on_timer(NOW + 19 * NS)
    with pytest.raises(PassingError, match="did not log us in"):
        protocol.on_timer(NOW + 20 * NS)
