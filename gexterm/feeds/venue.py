"""What a venue is to a user, and how its protocol is made.

Each venue is one module or folder of `gexterm.feeds` that has a constant `VENUE`, and one
line in the table `VENUES`. A further one is that module, that line and its tests.
"""

from __future__ import annotations

import importlib
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gexterm.errors import UsageError
from gexterm.feeds.protocol import FeedProtocol
from gexterm.feeds.secrets import Secret
from gexterm.feeds.window import WindowSettings

VENUES: dict[str, str] = {
    "deribit": "gexterm.feeds.deribit",
    "cboe": "gexterm.feeds.cboe",
    "dxlink": "gexterm.feeds.dxlink",
    "massive": "gexterm.feeds.massive",
    "databento": "gexterm.feeds.databento",
    "tradier": "gexterm.feeds.tradier",
}
"""Venue name to the module that has its `VENUE`."""


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """A key, token or password that a venue asks for."""

    name: str
    """Within the venue: `key`, `refresh-token`."""
    env: str
    """Environment variable that may hold it."""
    prompt: str
    """What to ask a person for, and where they find it."""
    required: bool = True
    """Whether nothing works without."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What our reading of a venue was checked against. Empty: not."""

    spec: str = ""
    """The venue's own description: which, which version."""
    frames: str = ""
    """Real messages: which."""
    client: str = ""
    """Somebody else's client, fed by the same fake venue: which, which version."""
    live: str = ""
    """The live server: who ran it, when. Stays empty until a person has."""


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """What a user can choose about a feed."""

    url: str = ""
    """Where to connect instead of the venue's own address (a proxy, a test)."""
    rest_url: str = ""
    """The same for HTTP; the address without a path of the venue's."""
    window: WindowSettings = field(default_factory=WindowSettings)
    """Which contracts to ask quotes for."""
    back_fill_s: float = 24 * 3600.0
    """How far back prints are fetched where the venue can, seconds; 0: not at all. Never
    further back than the session's beginning."""
    demo: bool = False
    """The venue's test system, where it has one."""
    delayed: bool = False
    """The venue's delayed service, where it has one of its own."""


Make = Callable[[str, Mapping[str, Secret], FeedOptions], FeedProtocol]
"""Underlying as the user names it, secrets by name, options: a protocol, ready to connect.

Raises UsageError where the venue cannot carry that underlying or a secret is missing.
"""


@dataclass(frozen=True, slots=True)
class Venue:
    """One venue, as `gexterm feeds` shows it."""

    name: str
    """On the command line."""
    title: str
    """As the venue calls itself."""
    needs: str
    """What a user must have: nothing, an account, a plan."""
    entitlement: str
    """What that entitles to, and its price as far as known."""
    delay: str
    """How late its data is by design."""
    carries: Mapping[str, str]
    """What it carries: quotes, prints, side, condition, quote at the print, open interest,
    underlying → how well; a missing key: not at all."""
    underlyings: str
    """Examples, or all it has."""
    make: Make
    """Makes a protocol."""
    secrets: tuple[SecretSpec, ...] = ()
    """What it asks for."""
    checked: Checked = Checked()
    """What it was checked against."""
    notes: tuple[str, ...] = ()
    """What a user must know, one line each."""
    extra: str = ""
    """Extra to install, e.g. `databento`; empty: none."""
    continuous: bool = False
    """Whether it trades around the clock, every day."""


def find_venue(name: str) -> Venue:
    """A venue by name. Raises UsageError where there is none."""
    if name not in VENUES:
        raise UsageError(f"no feed is called {name!r}", f"choose one of {', '.join(VENUES)}")
    venue: Venue = importlib.import_module(VENUES[name]).VENUE
    return venue


def checked_url(url: str, *schemes: str) -> str:
    """The address, if it is safe to use: one of `schemes`, and plain ones on the loopback only.

    Raises UsageError for any other, for one with a password, and for nonsense.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        usable = parts.scheme in schemes and bool(host) and parts.port != 0
    except ValueError:
        usable, host = False, ""
        parts = urlsplit("")
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError("that is no address to connect to", f"one begins with {schemes[0]}://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            "the address must be plain: no user, password, query or fragment",
            "keys belong in the environment or the keyring",
        )
    if parts.scheme in ("ws", "http") and not is_loopback(host):
        raise UsageError(
            f"{parts.scheme}:// to {host} would send everything in the clear",
            f"use {parts.scheme}s://",
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
