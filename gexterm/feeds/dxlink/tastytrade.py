"""What tastytrade is asked over HTTP: an access token, a quote token, the chain.

    POST /oauth/token                     refresh token → access token, 15 minutes
    GET  /api-quote-tokens                access token → quote token (24 h), address, level
    GET  /option-chains/SPX/nested        roots, expiries, strikes and the streamer's symbols

Tokens are fetched anew before they expire, the chain once a day. A refusal that another
try would meet again ends the session and says why; everything else is worth a retry.

Source: developer.tastytrade.com, "Streaming market data", "Auth patterns", "Option chains".
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, InputError, SymbolError, UsageError
from gexterm.feeds.protocol import Answer, Request
from gexterm.feeds.retry import PassingError, Stop
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import checked_url, is_loopback
from gexterm.market import calendar, symbols
from gexterm.market.contracts import Contract, Right
from gexterm.market.roots import printable, root_spec

API = "https://api.tastyworks.com"
LOGIN, TOKEN, CHAIN = "login", "token", "chain"
"""Keys of the requests."""

_OWN_HOSTS = ("dxfeed.com", "tastyworks.com", "tastytrade.com")
_EARLY_NS = 600 * NS
"""A quote token is renewed so long before it expires."""
_ACCESS_EARLY_NS = 60 * NS
_ACCESS_S, _TOKEN_S = 900.0, 24 * 3600.0
_AGAIN_NS = 60 * NS
_MOST_CONTRACTS = 60_000
_DENIED = (400, 401, 403)


@dataclass(frozen=True, slots=True)
class Listed:
    """A chain as it was read."""

    contracts: tuple[tuple[str, Contract], ...]
    """Streamer symbol and contract."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Contracts not taken, by the reason."""


class Tastytrade:
    """The REST side of one session: what to ask next, and what it said."""

    def __init__(
        self, underlying: str, client_secret: Secret, refresh_token: Secret, base: str = ""
    ) -> None:
        self.base = checked_url(base or API, "https", "http")
        self.underlying = underlying
        self.quote_token: Secret | None = None
        """What AUTH is sent with."""
        self.dxlink_url = ""
        """Where the token is good."""
        self.level = ""
        """What the token is good for: `api`, or `demo` in the sandbox."""
        self.listed: Listed | None = None
        """The chain, once it has come."""
        self._client_secret = client_secret
        self._refresh_token = refresh_token
        self._access: Secret | None = None
        self._access_until = 0
        self._token_until = 0
        self._chain_date: dt.date | None = None
        self._asked: dict[str, int] = {}

    def due(self, now_ns: int) -> list[Request]:
        """What must be asked by now, in order: without an access token, nothing else."""
        want_token = self.quote_token is None or now_ns > self._token_until - _EARLY_NS
        want_chain = self._chain_date != calendar.et(now_ns).date()
        if not want_token and not want_chain:
            return []
        if self._access is None or now_ns > self._access_until - _ACCESS_EARLY_NS:
            return [self._login()]
        bearer = {"Authorization": Secret(f"Bearer {self._access.reveal()}")}
        requests = []
        if want_token:
            url = f"{self.base}/api-quote-tokens"
            requests.append(Request(TOKEN, url, headers=bearer, most_bytes=1 << 16))
        if want_chain:
            url = f"{self.base}/option-chains/{quote(self.underlying, safe='')}/nested"
            requests.append(Request(CHAIN, url, headers=bearer, deadline_s=60.0))
        return requests

    def due_again(self, now_ns: int) -> list[Request]:
        """The same while a connection stands: each request once a minute at most."""
        due = []
        for request in self.due(now_ns):
            if now_ns - self._asked.get(request.key, -_AGAIN_NS) >= _AGAIN_NS:
                self._asked[request.key] = now_ns
                due.append(request)
        return due

    def distrust(self) -> None:
        """The quote token was refused: it is worth nothing, whatever its age."""
        self.quote_token = None
        self._asked = {}

    def _login(self) -> Request:
        body = json.dumps(
            {
                "grant_type": "refresh_token",
                "client_secret": self._client_secret.reveal(),
                "refresh_token": self._refresh_token.reveal(),
            }
        )
        return Request(
            LOGIN,
            f"{self.base}/oauth/token",
            method="POST",
            headers={"Content-Type": "application/json"},
            body=Secret(body),
            most_bytes=1 << 16,
        )

    def answer(self, answer: Answer) -> None:
        """Take in an answer.

        Raises ConnectionFailedError for a refusal that will not change, PassingError for
        what may be better next time.
        """
        self._refused(answer)
        try:
            said: Any = msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            raise PassingError(f"tastytrade's answer to {answer.key} is no JSON") from None
        _learn(said)
        try:
            if answer.key == LOGIN:
                self._logged_in(said, answer.recv_ns)
            elif answer.key == TOKEN:
                self._token(_part(said, "data"), answer.recv_ns)
            elif answer.key == CHAIN:
                self.listed = read_chain(_part(said, "data"), self.underlying)
                self._chain_date = calendar.et(answer.recv_ns).date()
        except InputError as error:
            raise PassingError(error.message) from None

    def _refused(self, answer: Answer) -> None:
        if answer.failure is not None:
            why = f"tastytrade: {answer.failure.reason}"
            if isinstance(answer.failure, Stop):
                raise ConnectionFailedError(why, answer.failure.hint)
            raise PassingError(why)
        if answer.status == 200:
            return
        told = _error_of(answer.body)
        if "customer_not_found" in told:
            raise ConnectionFailedError(
                "tastytrade has no customer of these credentials, only a login",
                "quotes need an account that is fully opened: see tastytrade.com",
            )
        what = {LOGIN: "the login", TOKEN: "a quote token", CHAIN: "the option chain"}
        asked = what.get(answer.key, "a request")
        if answer.status == 404 and answer.key == CHAIN:
            raise ConnectionFailedError(
                f"tastytrade lists no options on {self.underlying}", "try SPX, XSP, SPY or NDX"
            )
        if answer.status in _DENIED:
            if answer.key != LOGIN and answer.status == 401:
                # The access token may just have expired; a login that works gets a new one.
                first, self._access = self._access is not None, None
                if first and not self._asked.get("denied"):
                    self._asked["denied"] = answer.recv_ns
                    raise PassingError("tastytrade: the access token expired")
            raise ConnectionFailedError(
                f"tastytrade refuses {asked} (HTTP status {answer.status}{told})",
                "the refresh token may be revoked, or the secret another application's:"
                " gexterm feeds login dxlink",
            )
        raise PassingError(
            f"tastytrade answers with HTTP status {answer.status} to {asked}",
            wait_s=answer.retry_after_s,
        )

    def _logged_in(self, said: Any, now_ns: int) -> None:
        token = said.get("access_token") if isinstance(said, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise ConnectionFailedError("tastytrade's login brought no access token")
        self._access = Secret(token)
        self._access_until = now_ns + round(_seconds(said.get("expires_in"), _ACCESS_S) * NS)

    def _token(self, data: dict[str, Any], now_ns: int) -> None:
        token, url, level = data.get("token"), data.get("dxlink-url"), data.get("level", "")
        if not isinstance(token, str) or not token or not isinstance(url, str):
            raise ConnectionFailedError("tastytrade's answer has no quote token or no address")
        self.quote_token = Secret(token)
        self.dxlink_url = self._own(url)
        self.level = level if isinstance(level, str) and level.isalnum() else "unknown"
        self._token_until = now_ns + round(_TOKEN_S * NS)
        self._asked = {}

    def _own(self, url: str) -> str:
        """The address, if it is one of the venue's: the token must go nowhere else."""
        try:
            checked = checked_url(url, "wss", "ws")
        except UsageError as error:
            raise ConnectionFailedError(
                f"tastytrade names an unusable address: {error.message}"
            ) from None
        host = urlsplit(checked).hostname or ""
        here = is_loopback(urlsplit(self.base).hostname or "")
        if any(host == own or host.endswith(f".{own}") for own in _OWN_HOSTS):
            return checked
        if here and is_loopback(host):
            return checked
        raise ConnectionFailedError(
            f"tastytrade names {printable(host)} to take the token to, which is not theirs",
            "something stands between you and tastytrade",
        )


def read_chain(data: dict[str, Any], underlying: str) -> Listed:
    """A nested chain as streamer symbols and contracts.

    A series whose settlement is not the one our own rule gives its root is left out: AM
    and PM are hours apart. So is a symbol that names another contract than its place says.
    """
    items = data.get("items")
    if not isinstance(items, list):
        raise InputError("tastytrade's chain has no items")
    found: list[tuple[str, Contract]] = []
    out: dict[str, int] = {}
    for item in items:
        for expiration in _tables(item, "expirations"):
            strikes = _tables(expiration, "strikes")
            why = _unusable(item, expiration, underlying)
            if why:
                out[why] = out.get(why, 0) + 2 * len(strikes)
                continue
            date = dt.date.fromisoformat(expiration["expiration-date"])
            for strike in strikes:
                for right, key in ((Right.CALL, "call"), (Right.PUT, "put")):
                    listed = _contract(item["root-symbol"], date, right, strike, key)
                    if isinstance(listed, str):
                        out[listed] = out.get(listed, 0) + 1
                    else:
                        found.append(listed)
            if len(found) > _MOST_CONTRACTS:
                raise InputError(f"tastytrade's chain has more than {_MOST_CONTRACTS:,} contracts")
    return Listed(tuple(found), out)


def _unusable(item: dict[str, Any], expiration: dict[str, Any], underlying: str) -> str:
    root, settles = item.get("root-symbol"), expiration.get("settlement-type")
    try:
        spec = root_spec(root) if isinstance(root, str) else None
        dt.date.fromisoformat(expiration.get("expiration-date") or "")
    except (SymbolError, ValueError, TypeError):
        spec = None
    if spec is None:
        return "root or date unknown"
    if spec.underlying != underlying or not spec.standard:
        return f"{spec.root}: not a standard option on {underlying}"
    shares = item.get("shares-per-contract", spec.multiplier)
    if shares != spec.multiplier:
        return f"{spec.root}: another multiplier"
    if settles not in (None, spec.settlement.value):
        return f"{spec.root}: settles {printable(settles, 8)}, and by its root {spec.settlement}"
    return ""


def _contract(
    root: str, date: dt.date, right: Right, strike: dict[str, Any], key: str
) -> tuple[str, Contract] | str:
    symbol = strike.get(f"{key}-streamer-symbol")
    try:
        at = float(strike.get("strike-price"))  # type: ignore[arg-type]
        named = symbols.parse(symbol, "dxfeed")  # type: ignore[arg-type]
    except (SymbolError, ValueError, TypeError):
        return "no streamer symbol"
    if named != Contract(root, date, right, at):
        return "symbol and place disagree"
    return str(symbol), named


def _learn(said: object) -> None:
    """Whatever an answer calls a token is a secret from now on, whether it is used or not."""
    for part in (said, said.get("data") if isinstance(said, dict) else None):
        if isinstance(part, dict):
            for key, value in part.items():
                if key.endswith("token") and isinstance(value, str):
                    Secret(value)


def _tables(of: object, key: str) -> list[dict[str, Any]]:
    values = of.get(key) if isinstance(of, dict) else None
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []


def _part(said: object, key: str) -> dict[str, Any]:
    part = said.get(key) if isinstance(said, dict) else None
    if not isinstance(part, dict):
        raise InputError(f"tastytrade's answer has no {key}")
    return part


def _seconds(value: object, else_s: float) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value < 1e7 else else_s


def _error_of(body: bytes) -> str:
    """What an error answer says of itself, for a message."""
    try:
        said: Any = msgspec.json.decode(body[:65536])
        error = said.get("error", said.get("error_code", ""))
        if isinstance(error, dict):
            error = error.get("code", "")
    except (msgspec.DecodeError, AttributeError):
        return ""
    return f", {printable(error, 60)}" if isinstance(error, str) and error else ""
