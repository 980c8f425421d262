"""`gexterm alerts`: what was said, by which rules, and whether it gets through."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from gexterm.config_alerts import SEVERITIES

if TYPE_CHECKING:
    from gexterm.alerts.delivery.protocol import Delivery
    from gexterm.alerts.history import AlertHistory
    from gexterm.alerts.model import Alert

_GLYPHS = {"info": "·", "notice": "◆", "warning": "▲"}


@click.group("alerts", invoke_without_command=True)
@click.option("--day", metavar="DATE", help="Of this day (New York), `today`, or `all`.")
@click.option("--underlying", metavar="NAME", help="Of this index or stock alone.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="Of at least this severity.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="The last N alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_context
def alerts_command(
    ctx: click.Context,
    day: str | None,
    underlying: str | None,
    severity: str | None,
    last: int | None,
    as_json: bool,
) -> None:
    """List past alerts, oldest first; without --day, of the last day that has any."""
    if ctx.invoked_subcommand is not None:
        return
    from gexterm import paths
    from gexterm.alerts.history import AlertHistory
    from gexterm.alerts.model import loudness

    history = AlertHistory(paths.alerts_history())
    found: list[Alert] = []
    damaged = 0
    days = _days(history, day)
    for one in days:
        kept = history.read(one)
        damaged += kept.damaged
        found += [
            alert
            for alert in kept.alerts
            if (underlying is None or alert.underlying == underlying.upper())
            and loudness(alert.severity) >= loudness(severity or "info")
        ]
    shown = found[-last:] if last else found
    if as_json:
        _json(shown)
    else:
        _list(shown)
        if not shown:
            when = f" on {days[0]}" if len(days) == 1 else ""
            click.echo(f"no alerts are kept{when} that fit", err=True)
    if damaged:
        lines = "line" if damaged == 1 else "lines"
        click.echo(f"{damaged} damaged {lines} left out", err=True)


def _days(history: AlertHistory, day: str | None) -> tuple[dt.date, ...]:
    from gexterm.alerts.history import day_of
    from gexterm.clock import SystemClock
    from gexterm.errors import UsageError

    if day == "all":
        return history.days()
    if day is None:
        return history.days()[-1:]
    if day == "today":
        return (day_of(SystemClock().now_ns()),)
    try:
        return (dt.date.fromisoformat(day),)
    except ValueError:
        raise UsageError(
            f"--day {day!r} is no day", "use a date such as 2026-11-20, today or all"
        ) from None


def _json(alerts: list[Alert]) -> None:
    import json

    from gexterm.alerts.model import as_dict
    from gexterm.market.calendar import et

    for alert in alerts:
        time = et(alert.at).isoformat(timespec="milliseconds")
        table = {**as_dict(alert), "time": time, "acknowledged": alert.acknowledged}
        click.echo(json.dumps(table, ensure_ascii=False, allow_nan=False))


def _list(alerts: list[Alert]) -> None:
    from gexterm.alerts.delivery.wording import harmless
    from gexterm.market.calendar import et

    day = None
    for alert in alerts:
        when = et(alert.at)
        if when.date() != day:
            day = when.date()
            click.echo(f"{day:%Y-%m-%d}")
        seen = "✓" if alert.acknowledged else " "
        mark = f" ({alert.mode or 'replay'})" if alert.replay else ""
        text = harmless(alert.text)
        name = harmless(alert.underlying, 10)
        glyph = _GLYPHS[alert.severity]
        click.echo(f"{when:%H:%M:%S} {seen} {glyph} {alert.severity:<7} {name:<6} {text}{mark}")


@alerts_command.command("rules")
def rules_command() -> None:
    """Show the rules in force, in words."""
    from gexterm.alerts.rules import Thresholds
    from gexterm.alerts.wording import built_in, condition, terms
    from gexterm.cli.common import settings
    from gexterm.config_alerts import BUILT_IN

    chosen = settings()
    thresholds = Thresholds.of(chosen.alerts)
    click.echo(f"Your own ({len(chosen.alert_rules)})" if chosen.alert_rules else "Your own: none")
    for number, rule in enumerate(chosen.alert_rules, 1):
        name = f"{rule.name}: " if rule.name else ""
        click.echo(f"  {number:>2} {_GLYPHS[rule.severity]} {name}{condition(rule)}")
        if said := terms(rule):
            click.echo(f"       {said}")
    click.echo(f"\nBuilt in, each at most once in {thresholds.quiet_s:g} s about the same thing")
    for kind in BUILT_IN:
        severity, words = built_in(kind, thresholds)
        off = "off: " if kind in thresholds.off else ""
        click.echo(f"  {_GLYPHS[severity]} {kind:<18} {off}{words}")


@alerts_command.command("test")
def test_command() -> None:
    """Send one test alert through every delivery, and say for each whether it went."""
    import asyncio

    from gexterm.alerts.delivery.make import make_deliveries
    from gexterm.cli.common import settings
    from gexterm.errors import ConnectionFailedError

    chosen = settings()
    made = make_deliveries(chosen, _to_terminal if _has_terminal() else None)
    failed = asyncio.run(_test(made.deliveries)) + len(made.problems)
    for problem in made.problems:
        click.echo(problem.removeprefix("alerts to "))
    reached = {delivery.name for delivery in made.deliveries}
    for name, delivery in chosen.deliveries.items():
        if delivery.severity == "off":
            click.echo(f"{name}: off")
        elif delivery.kind == "toast":
            click.echo(f"{name}: shown on the screen of the monitor")
        elif delivery.kind in ("bell", "terminal") and name not in reached:
            click.echo(f"{name}: standard error is no terminal")
            failed += 1
    if failed:
        ways = "delivery" if failed == 1 else "deliveries"
        raise ConnectionFailedError(f"{failed} {ways} failed", "what stands above says why")


@alerts_command.command("login")
def login_command() -> None:
    """Keep the addresses of notification services in the system's keyring."""
    from gexterm.alerts.delivery.services import split, store
    from gexterm.errors import UsageError

    text = click.prompt("Apprise URLs, apart by blanks (not shown)", hide_input=True, err=True)
    if not split(text) or not all("://" in secret.reveal() for secret in split(text)):
        raise UsageError("that is no URL", "for example json://host/path; see docs/alerts.md")
    store(text)
    click.echo("kept in the keyring; try `gexterm alerts test`", err=True)


async def _test(deliveries: tuple[Delivery, ...]) -> int:
    import math

    from gexterm.alerts.delivery.dispatcher import try_once
    from gexterm.alerts.delivery.services import Service
    from gexterm.alerts.model import Alert, stamped
    from gexterm.clock import SystemClock

    now = SystemClock().now_ns()
    alert = Alert(now, "test", "notice", "this is a test of alerts", math.nan, False)
    alert = stamped(alert, "", "live", "")
    failed = 0
    for delivery in deliveries:
        error = await try_once(delivery, alert)
        scheme = f" ({delivery.scheme}://)" if isinstance(delivery, Service) else ""
        click.echo(f"{delivery.name}{scheme}: {error or 'sent'}")
        failed += error is not None
    return failed


def _has_terminal() -> bool:
    import sys

    return sys.stderr.isatty()


def _to_terminal(text: str) -> None:
    import sys

    sys.stderr.write(text)
    sys.stderr.flush()
