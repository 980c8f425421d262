"""Deliveries as the user has set them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gexterm.alerts.delivery.programs import Command, Desktop
from gexterm.alerts.delivery.protocol import Delivery
from gexterm.alerts.delivery.services import ENV, INSTALL, Service, addresses, installed
from gexterm.alerts.delivery.terminal import Bell, Terminal, Toast
from gexterm.config import Settings
from gexterm.config_alerts import DeliverySettings


@dataclass(frozen=True, slots=True)
class Made:
    """Deliveries, and what there is to say about those that could not be made."""

    deliveries: tuple[Delivery, ...]
    """Ways out."""
    problems: tuple[str, ...] = ()
    """One line each."""


def make_deliveries(
    settings: Settings,
    terminal_write: Callable[[str], None] | None = None,
    toast: Callable[[str, str], None] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Made:
    """The deliveries of the settings that are not off.

    `terminal_write` writes escape codes to the terminal, `toast` shows a text of a severity
    on the screen; where one is None there is no screen, and the kinds that need it are left
    out without a word.
    """
    made: list[Delivery] = []
    problems: list[str] = []
    for name, chosen in settings.deliveries.items():
        if chosen.severity == "off":
            continue
        if chosen.kind == "apprise":
            services, problem = _services(name, chosen, environ)
            made += services
            problems += [f"alerts to {name}: {problem}"] if problem else []
        elif found := _one(name, chosen, terminal_write, toast, environ):
            made.append(found)
    return Made(tuple(made), tuple(problems))


def _one(
    name: str,
    chosen: DeliverySettings,
    terminal_write: Callable[[str], None] | None,
    toast: Callable[[str, str], None] | None,
    environ: Mapping[str, str],
) -> Delivery | None:
    least, quiet_s, timeout_s = chosen.severity, chosen.quiet, chosen.timeout
    if chosen.kind == "toast":
        return Toast(toast, name, least, quiet_s, timeout_s) if toast else None
    if chosen.kind == "desktop":
        return Desktop(name, least, quiet_s, timeout_s)
    if chosen.kind == "command":
        return Command(chosen.command, name, least, quiet_s, timeout_s)
    if terminal_write is None:
        return None
    if chosen.kind == "bell":
        return Bell(terminal_write, name, least, quiet_s, timeout_s)
    return Terminal(terminal_write, name, least, quiet_s, timeout_s, chosen.style, environ)


def _services(
    name: str, chosen: DeliverySettings, environ: Mapping[str, str]
) -> tuple[list[Delivery], str]:
    if not installed():
        return [], f"apprise is not installed; {INSTALL}"
    urls, where = addresses(environ)
    if not urls:
        why = "there is no address" if where == "not set" else where
        return [], f"{why}; set {ENV}, or use `gexterm alerts login`"
    services: list[Delivery] = [
        Service(url, name=name, least=chosen.severity, quiet_s=chosen.quiet,
                timeout_s=chosen.timeout)
        for url in urls
    ]  # fmt: skip
    return services, ""
