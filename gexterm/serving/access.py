"""Who may look: hosts, origins, the token and the cookie it is changed for. Pure rules.

A page of somebody else's may ask a visitor's browser to reach this machine's loopback, under a
name that its owner lets point there (DNS rebinding). The browser then says that name, and
names are believed only if they are ours: an address, `localhost`, or one that was allowed.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gexterm.errors import UsageError

LEAST_TOKEN = 16
"""Characters of a token, at least."""
_MOST = 512
"""Characters of anything that is compared."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is let in."""

    status: int = 200
    """200, 303 (the token was right: take the cookie and come again), 400 or 403."""
    why: str = ""
    """One line for whoever is kept out."""


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server."""

    port: int
    """Names the cookie, so that two servers of one machine do not take each other's."""
    loopback: bool
    """Whether it is bound to this machine only."""
    token: str = field(default="", repr=False)
    """What a viewer must know; empty: nothing."""
    names: Collection[str] = ()
    """Host names that are ours besides `localhost`, in lower case."""
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """What the cookie holds: not the token, and gone with the server."""

    @property
    def cookie(self) -> str:
        """The cookie's name."""
        return f"gexterm-{self.port}"

    def judge(
        self,
        *,
        host: str,
        origin: str | None,
        cookies: Mapping[str, str],
        token: str | None,
        websocket: bool = False,
    ) -> Verdict:
        """Judge a request by its Host, Origin, cookies and `?token=`."""
        if not self._ours(host):
            return Verdict(403, "this is not a name of this server; see --allow-host")
        # Browsers always say where a websocket comes from.
        if (websocket or origin is not None) and _place(origin or "") != host.lower():
            return Verdict(403, "this comes from another page")
        if not self.token:
            return Verdict()
        if _same(cookies.get(self.cookie), self.ticket):
            return Verdict(303) if token is not None and not websocket else Verdict()
        if token is None or websocket:
            return Verdict(403, "a token is needed: open the address that the server printed")
        if not _same(token, self.token):
            return Verdict(403, "that is not the token")
        return Verdict(303)

    def _ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        if not name:
            return False
        if name == "localhost" or name in self.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # An address cannot be made to point elsewhere, as a name can.
        return address.is_loopback or not self.loopback


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def checked_token(token: str) -> str:
    """The token, if it is fit to be one. Raises UsageError."""
    fit = LEAST_TOKEN <= len(token) <= _MOST and token.isascii() and token.isprintable()
    if not fit or not all(each.isalnum() or each in "-_.~" for each in token):
        raise UsageError(
            f"a token has {LEAST_TOKEN} characters or more, of A-Z a-z 0-9 - _ . ~",
            "or let one be made: --token new",
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether listening at `host` reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _place(origin: str) -> str:
    """Host and port of an origin, as the Host header has them; empty for none."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme in ("http", "https") else ""


def _same(one: str | None, other: str) -> bool:
    """Compare in a time that says nothing of where they differ."""
    given = (one or "")[:_MOST].encode(errors="replace")
    return hmac.compare_digest(given, other.encode())
