"""What dxFeed's snapshots say of another day, and must not say of this one."""

from __future__ import annotations

from gexterm.market.calendar import parse_when
from gexterm.market.events import Event, Volume
from tests.feeds.dxlink.made import data, ready, say

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
