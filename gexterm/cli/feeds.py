"""`gexterm feeds` and `gexterm doctor`: what venues there are, and what one delivers."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import click

from gexterm.cli.feedchoice import feed_choice, feed_options
from gexterm.errors import ConnectionFailedError, UsageError

if TYPE_CHECKING:
    from gexterm.feeds.doctor import Finding
    from gexterm.feeds.venue import Venue

_WIDTH = 100
_LABEL = 15
_MARKS = {"fine": "✓", "odd": "!", "missing": "✗", "wrong": "✗"}
_CARRIED = (
    "quotes",
    "prints",
    "side",
    "condition",
    "quote at the print",
    "open interest",
    "underlying",
)


@click.group("feeds", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@click.pass_context
def feeds_command(ctx: click.Context, as_json: bool) -> None:
    """The venues: what each needs, carries, and was checked against."""
    if ctx.invoked_subcommand is not None:
        return
    from gexterm.feeds.venue import VENUES, find_venue

    venues = [find_venue(name) for name in VENUES]
    if as_json:
        click.echo(json.dumps([_facts(venue) for venue in venues], indent=2))
        return
    click.echo("\n\n".join(_page(venue) for venue in venues))


@feeds_command.command("login")
@click.argument("feed")
def login_command(feed: str) -> None:
    """Keep a venue's keys in the system's keyring.

    They are asked for without being shown, or read from standard input, one a line.
    """
    from gexterm.feeds import credentials
    from gexterm.feeds.venue import find_venue

    venue = find_venue(feed)
    if not venue.secrets:
        raise UsageError(f"{venue.name} asks for no key", f"try `gexterm doctor {venue.name}`")
    credentials.need_keyring(venue)
    for spec in venue.secrets:
        text = _asked(venue, spec.prompt)
        if not text:
            if spec.required:
                raise UsageError(f"nothing was given for {spec.name}", "nothing was changed for it")
            continue
        credentials.store(venue, spec, text)
        click.echo(f"kept {venue.name}.{spec.name} in the keyring", err=True)


@feeds_command.command("logout")
@click.argument("feed")
def logout_command(feed: str) -> None:
    """Take a venue's keys out of the system's keyring."""
    from gexterm.feeds import credentials
    from gexterm.feeds.venue import find_venue

    venue = find_venue(feed)
    gone = credentials.forget(venue)
    said = ", ".join(f"{venue.name}.{name}" for name in gone) or "nothing: there was none"
    click.echo(f"took out of the keyring: {said}", err=True)


def _asked(venue: Venue, prompt: str) -> str:
    if sys.stdin.isatty():
        text: str = click.prompt(
            f"{venue.name}: {prompt}", default="", hide_input=True, show_default=False, err=True
        )
        return text.strip()
    return sys.stdin.readline().strip()


def readiness(venue: Venue) -> str:
    """`ready`, with where its keys are from, or what is in the way."""
    from gexterm.feeds import credentials

    if venue.extra and importlib.util.find_spec(_MODULES.get(venue.extra, venue.extra)) is None:
        return f"install gexterm[{venue.extra}]"
    found = [(spec, credentials.find(venue, spec)) for spec in venue.secrets]
    missing = [spec.env for spec, (secret, _) in found if spec.required and secret is None]
    if missing:
        return f"needs {' and '.join(missing)}, or `gexterm feeds login {venue.name}`"
    where = {at for _, (secret, at) in found if secret is not None}
    return "ready" + (f" (keys from the {' and the '.join(sorted(where))})" if where else "")


_MODULES = {"databento": "databento_dbn"}
"""Extra to the module it brings."""


def _page(venue: Venue) -> str:
    """All about one venue."""
    carried = [f"{what} ({how})" for what, how in _ordered(venue) if how]
    absent = [what for what in _CARRIED if what not in venue.carries]
    checked = venue.checked
    rows = [
        ("now", readiness(venue)),
        ("needs", venue.needs),
        ("entitled to", venue.entitlement),
        ("delay", venue.delay),
        ("underlyings", venue.underlyings),
        ("carries", "; ".join(carried)),
        ("not", ", ".join(absent) or "–"),
        (
            "checked",
            f"description: {checked.spec or '–'}; real messages: {checked.frames or '–'}; "
            f"another client: {checked.client or '–'}; live server: {checked.live or '–'}",
        ),
        *(("note", note) for note in venue.notes),
    ]
    lines = [f"{venue.name:<{_LABEL}}{venue.title}"]
    for label, text in rows:
        lines += textwrap.wrap(
            text,
            _WIDTH,
            initial_indent=f"  {label:<{_LABEL - 2}}",
            subsequent_indent=" " * _LABEL,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def _ordered(venue: Venue) -> list[tuple[str, str]]:
    known = [(what, venue.carries[what]) for what in _CARRIED if what in venue.carries]
    return known + [(k, v) for k, v in venue.carries.items() if k not in _CARRIED]


def _facts(venue: Venue) -> dict[str, Any]:
    checked = venue.checked
    return {
        "name": venue.name,
        "title": venue.title,
        "now": readiness(venue),
        "needs": venue.needs,
        "entitlement": venue.entitlement,
        "delay": venue.delay,
        "underlyings": venue.underlyings,
        "carries": dict(_ordered(venue)),
        "secrets": [spec.env for spec in venue.secrets],
        "checked": {
            "spec": checked.spec,
            "frames": checked.frames,
            "client": checked.client,
            "live": checked.live,
        },
        "notes": list(venue.notes),
    }


@click.command("doctor")
@click.argument("feed")
@click.argument("underlying", required=False)
@click.option("--seconds", type=click.FloatRange(1, 3600), default=30.0, show_default=True)
@feed_options
def doctor_command(feed: str, underlying: str | None, seconds: float, **options: Any) -> None:
    """Connect to a venue, look at every step, and say what is missing.

    Ends as soon as everything the venue promises has been seen. Without an UNDERLYING it
    asks for one that the venue has. Exit code 4 where no connection stood.
    """
    from gexterm.clock import SystemClock
    from gexterm.feeds import credentials
    from gexterm.feeds.doctor import Finding, examine
    from gexterm.feeds.venue import find_venue
    from gexterm.market.calendar import in_session

    venue = find_venue(feed)
    _told(Finding("fine", "feed", venue.title))
    secrets = credentials.load(venue)
    for spec in venue.secrets:
        _, where = credentials.find(venue, spec)
        _told(Finding("fine" if spec.name in secrets else "odd", spec.name, where))
    clock = SystemClock()
    open_now = venue.continuous or in_session(clock.now_ns())
    chosen = feed_choice(venue, options)
    protocol = venue.make(underlying or _some(venue), secrets, chosen)
    found = asyncio.run(
        examine(protocol, venue, clock, seconds=seconds, open_now=open_now, told=_told)
    )
    for finding in found.findings():
        _told(finding)
    if not found.stood or found.refused:
        raise ConnectionFailedError(
            f"{venue.name} could not be examined: no connection that serves us",
            "see what is said above",
        )
    wanting = [f.what for f in found.findings() if f.verdict == "missing"]
    click.echo(f"missing: {', '.join(wanting)}" if wanting else "nothing is missing")


def _some(venue: Venue) -> str:
    """An underlying the venue has: the first that it names."""
    return venue.underlyings.replace(",", " ").split()[0]


def _told(finding: Finding) -> None:
    from gexterm.feeds.secrets import redactor
    from gexterm.recording.codec import text

    said = f"{finding.said}; {finding.advice}" if finding.advice else finding.said
    line = f"{_MARKS[finding.verdict]} {finding.what:<20} {redactor.text(text(said))}"
    click.echo(line.rstrip())
