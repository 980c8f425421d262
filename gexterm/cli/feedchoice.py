"""What can be chosen about a live feed: on the command line, else in the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gexterm.cli.common import Command, settings
from gexterm.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from gexterm.config import FeedSettings, Settings
    from gexterm.feeds.venue import FeedOptions, Venue

_NAMES = ("url", "rest_url", "contracts", "sigmas", "days", "back_fill", "demo", "delayed")

MOST_HOURS = 24 * 7
"""Hours that prints are fetched back at most."""


def feed_options(command: Command) -> Command:
    """The options of every command that connects to a venue."""
    for option in (
        click.option("--delayed", is_flag=True, help="The venue's delayed service, where it has."),
        click.option("--demo", is_flag=True, help="The venue's test system, where it has one."),
        click.option(
            "--back-fill",
            type=click.FloatRange(0, MOST_HOURS),
            metavar="HOURS",
            help="How far back prints are fetched where the venue can; 0: not at all.",
        ),
        click.option(
            "--days",
            type=click.IntRange(1, 3650),
            metavar="N",
            help="Quote expiries up to so many days ahead.",
        ),
        click.option(
            "--sigmas",
            type=click.FloatRange(0.1, 100),
            metavar="X",
            help="Quote strikes within so many standard deviations of spot.",
        ),
        click.option(
            "--contracts",
            type=click.IntRange(1, 1_000_000),
            metavar="N",
            help="Quote so many contracts at most.",
        ),
        click.option(
            "--rest-url", metavar="URL", help="Where to ask over HTTP instead of the venue."
        ),
        click.option("--url", metavar="URL", help="Where to connect instead of the venue."),
    ):
        command = option(command)
    return command


def feed_choice(venue: Venue, options: dict[str, Any]) -> FeedOptions:
    """What the command line and the settings say; takes what is its own out of `options`."""
    given = {name: options.pop(name, None) for name in _NAMES}
    chosen = settings()
    _check(chosen)
    return _choice(given, chosen.feed(venue.name))


def _check(chosen: Settings) -> None:
    """Raise ConfigError where feeds of the settings are not to be had so."""
    from gexterm.feeds.venue import VENUES

    for name, own in chosen.feeds.items():
        if name not in VENUES:
            raise ConfigError(
                f"the settings have [feeds.{name}], and no feed is called so",
                f"choose one of {', '.join(VENUES)}",
            )
        if own.back_fill_hours > MOST_HOURS:
            raise ConfigError(
                f"feeds.{name}.back_fill_hours is {own.back_fill_hours:g}",
                f"at most {MOST_HOURS}, as with --back-fill",
            )


def _choice(given: dict[str, Any], own: FeedSettings) -> FeedOptions:
    from gexterm.feeds.venue import FeedOptions
    from gexterm.feeds.window import WindowSettings

    plain = FeedOptions()
    hours = given["back_fill"]
    if hours is None and own.back_fill_hours >= 0:
        hours = own.back_fill_hours
    return FeedOptions(
        url=_address(given["url"], own.url),
        rest_url=_address(given["rest_url"], own.rest_url),
        window=WindowSettings(
            most=given["contracts"] or own.contracts,
            sigmas=given["sigmas"] or own.sigmas or plain.window.sigmas,
            days=given["days"] or own.days or plain.window.days,
        ),
        back_fill_s=plain.back_fill_s if hours is None else hours * 3600.0,
        demo=bool(given["demo"]),
        delayed=bool(given["delayed"]),
    )


def _address(given: str | None, own: str) -> str:
    from gexterm.feeds.venue import checked_url

    address = given or own
    if not address:
        return ""
    try:
        return checked_url(address, "wss", "https", "tcp", "ws", "http")
    except UsageError as error:
        # What may hold a key is not repeated.
        where = "the command line" if given else "the settings"
        raise UsageError(f"an address in {where}: {error.message}", error.hint) from None
