"""What a feed says of itself, as a Reading's health shows it."""

from __future__ import annotations

import math

from gexterm.engine.health import FeedCounts
from gexterm.market.events import FeedReport

_SKEW_S = 1.0
"""A clock further off than this is worth a word."""


def feed_counts(
    report: FeedReport | None, events_per_s: float, warnings: tuple[str, ...] = ()
) -> FeedCounts:
    """The counts of the latest report and its warnings, after those of our own."""
    if report is None:
        return FeedCounts(events_per_s=events_per_s, warnings=warnings)
    return FeedCounts(
        gaps=report.gaps,
        dropped=report.dropped,
        reconnects=report.reconnects,
        malformed=report.malformed,
        misdated=report.misdated,
        refilled=report.refilled,
        away_s=report.away_s,
        clock_skew_s=report.skew_s,
        listed=report.listed,
        quotes_asked=report.quoted,
        prints_asked=report.printed,
        window=report.window,
        heard_from=report.heard_from,
        events_per_s=events_per_s,
        warnings=(*warnings, *_said(report)),
    )


def _said(report: FeedReport) -> list[str]:
    said = []
    if report.gaps:
        said.append(f"{_many(report.gaps, 'print')} missing: positions lack them")
    if report.dropped:
        said.append(f"{_many(report.dropped, 'message')} dropped: this machine is too slow")
    said += report.notes
    if report.malformed:
        said.append(f"{_many(report.malformed, 'message')} made no sense and were skipped")
    if report.misdated:
        said.append(f"{_many(report.misdated, 'row')} had a time that cannot be")
    if math.isfinite(report.skew_s) and abs(report.skew_s) > _SKEW_S:
        where = "ahead of" if report.skew_s > 0 else "behind"
        said.append(
            f"this machine's clock is {abs(report.skew_s):,.1f} s {where} the venue's;"
            " times are the venue's"
        )
    return said


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
