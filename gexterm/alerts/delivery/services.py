"""Any service that `apprise` knows, one delivery for each address.

An address holds tokens: it comes from the environment or the system's keyring, is never
shown, and only its scheme is named.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, TypeVar

from gexterm.alerts.delivery.protocol import DeliveryError
from gexterm.alerts.delivery.wording import body, title
from gexterm.alerts.model import Alert
from gexterm.errors import UsageError
from gexterm.feeds.secrets import Secret

Result = TypeVar("Result")

ENV = "GEXTERM_NOTIFY_URLS"
"""Environment variable with the addresses, apart by white space or commas."""
KEYRING_USER = "notify.urls"
"""User name under which the keyring's `gexterm` holds the same."""
INSTALL = "install gexterm[notify]"
"""What to do where the library is missing."""
_TYPES = {"info": "info", "notice": "success", "warning": "warning"}


class Service:
    """One address of a service."""

    def __init__(
        self,
        url: Secret,
        *,
        name: str = "apprise",
        least: str = "notice",
        quiet_s: float = 0.0,
        timeout_s: float = 10.0,
    ) -> None:
        self.url = url
        """The address."""
        self.name = name
        """As in the settings."""
        self.least = least
        """The least severity."""
        self.quiet_s = quiet_s
        """At most one in so many seconds."""
        self.timeout_s = timeout_s
        """Seconds."""
        self._service: Any = None
        self._busy = False

    @property
    def scheme(self) -> str:
        """What of the address may be shown, such as `json` or `tgram`."""
        found = re.match(r"[A-Za-z][A-Za-z0-9+.-]{0,20}(?=://)", self.url.reveal())
        return found[0] if found else "an address"

    def __repr__(self) -> str:
        return f"Service({self.scheme}://***)"

    async def deliver(self, alert: Alert) -> None:
        """Have `apprise` send it, on a thread that nothing waits for in the end."""
        if self._busy:
            raise DeliveryError("still busy with an earlier alert", passing=True)
        if not await self._on_thread(lambda: self._send(alert)):
            raise DeliveryError(f"{self.scheme}:// did not take it", passing=True)

    def _send(self, alert: Alert) -> bool:
        if self._service is None:
            self._service = _opened(self.url, self.scheme)
        try:
            return bool(
                self._service.notify(
                    title=title(alert), body=body(alert), notify_type=_TYPES[alert.severity]
                )
            )
        except Exception as error:
            # Its own words may hold the address.
            why = f"{self.scheme}:// failed ({type(error).__name__})"
            raise DeliveryError(why, passing=True) from None

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        """On a daemon thread: a service that hangs must not keep the program from ending."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()

        def tell(result: Result | None, error: BaseException | None) -> None:
            self._busy = False
            if done.done():
                return  # given up meanwhile
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]

        def go() -> None:
            result, problem = None, None
            try:
                result = work()
            except DeliveryError as error:
                problem = error
            except BaseException as error:
                problem = DeliveryError(f"failed ({type(error).__name__})")
            with contextlib.suppress(RuntimeError):  # the program may have ended meanwhile
                loop.call_soon_threadsafe(tell, result, problem)

        self._busy = True
        threading.Thread(target=go, name="notify", daemon=True).start()
        return await done


def installed() -> bool:
    """Whether the library is there; it is heavy and imported only when it is used."""
    return find_spec("apprise") is not None


def addresses(environ: Mapping[str, str] = os.environ) -> tuple[list[Secret], str]:
    """The addresses, and where they come from: `environment`, `keyring`, or why there are none."""
    if text := environ.get(ENV, "").strip():
        return split(text), "environment"
    try:
        import keyring
    except ImportError:
        return [], "not set"
    try:
        text = keyring.get_password("gexterm", KEYRING_USER) or ""
    except Exception as error:
        return [], f"the keyring cannot be read ({type(error).__name__})"
    return (split(text), "keyring") if text.strip() else ([], "not set")


def store(text: str) -> None:
    """Keep addresses in the system's keyring. Raises UsageError where it cannot be."""
    secrets = split(text)
    try:
        import keyring
    except ImportError:
        raise UsageError(
            "there is no library for the system's keyring",
            f"install gexterm[keyring], or set {ENV} in the environment",
        ) from None
    try:
        keyring.set_password("gexterm", KEYRING_USER, " ".join(s.reveal() for s in secrets))
    except Exception as error:
        raise UsageError(
            f"the keyring does not take it ({type(error).__name__})",
            f"set {ENV} in the environment instead",
        ) from None


def split(text: str) -> list[Secret]:
    """Addresses one by one. A comma belongs to an address unless another one follows."""
    parts = re.split(r"\s+|,(?=[A-Za-z][A-Za-z0-9+.-]*://)", text.strip())
    return [Secret(part.strip(",")) for part in parts if part.strip(",")]


def _opened(url: Secret, scheme: str) -> Any:
    try:
        import apprise
    except ImportError:
        raise DeliveryError(f"apprise is not installed; {INSTALL}") from None
    # They write addresses to logs that, unasked, are the screen.
    for name in ("apprise", "urllib3.connectionpool"):
        logging.getLogger(name).disabled = True
    service = apprise.Apprise()
    if not service.add(url.reveal()):
        raise DeliveryError(f"apprise does not understand an address ({scheme}://)")
    return service
