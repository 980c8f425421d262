"""`gexterm serve` as it runs: the web server, the hub beside it, and an end in good order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from gexterm.serving.access import Access, checked_token, is_loopback, new_token
from gexterm.serving.server import MOST_VIEWERS, WebServer
from gexterm.serving.viewer import environment_of

Tell = Callable[[str], None]
"""Says a line on standard error."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is served, and to whom."""

    host: str
    """Address to listen on."""
    port: int
    """Port; 0: any free one."""
    token: str = field(default="", repr=False)
    """What a viewer must know; empty: nothing."""
    names: tuple[str, ...] = ()
    """Host names that are ours."""
    viewers: int = MOST_VIEWERS
    """Viewers at once."""
    font_size: int = 15
    """Of the page, pixels."""

    @classmethod
    def of(
        cls,
        *,
        host: str,
        port: int,
        token: str,
        names: Sequence[str],
        viewers: int | None,
        font_size: int | None,
    ) -> Place:
        """A place with a token wherever it needs one. Raises UsageError for one that is unfit."""
        if token == "new" or (not token and not is_loopback(host)):  # noqa: S105
            token = new_token()
        own = {name.lower().rstrip(".") for name in names}
        if not is_loopback(host):
            own |= {socket.gethostname().lower(), host.lower()}
        return cls(
            host,
            port,
            checked_token(token) if token else "",
            tuple(sorted(own)),
            viewers or MOST_VIEWERS,
            font_size or 15,
        )

    def access(self, port: int) -> Access:
        """The rules, once the port is known."""
        return Access(port, is_loopback(self.host), self.token, self.names)

    def url(self, port: int) -> str:
        """Where to go, token and all. For a person's eyes, once."""
        host = self.host
        if host in ("0.0.0.0", "::", ""):  # noqa: S104
            host = socket.gethostname()
        host = f"[{host}]" if ":" in host else host
        query = f"?token={self.token}" if self.token else ""
        return f"http://{host}:{port}/{query}"


def serve(
    place: Place,
    viewer: Sequence[str],
    *,
    title: str,
    hub: Sequence[str] | None,
    without: Sequence[str],
    tell: Tell,
) -> int:
    """Serve until told to stop (Ctrl-C, SIGTERM). The exit code.

    `viewer` and `hub` are commands; `without` names what viewers need not know of the
    environment. Raises ConnectionFailedError where the address cannot be had.
    """
    return asyncio.run(_until_told(_serve(place, viewer, title, hub, without, tell)))


async def _until_told(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(getattr(signal, name), task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 0


async def _serve(
    place: Place,
    viewer: Sequence[str],
    title: str,
    hub: Sequence[str] | None,
    without: Sequence[str],
    tell: Tell,
) -> int:
    async with contextlib.AsyncExitStack() as stack:
        more: dict[str, str] = {}
        if hub is not None:
            from gexterm.serving.hubkeeper import HubEndedError, HubKeeper

            try:
                keeper = await stack.enter_async_context(HubKeeper(hub, tell))
            except HubEndedError as ended:
                return ended.exit_code
            more = keeper.for_viewers
        server = WebServer(
            viewer,
            environment_of(without, **more),
            place.access,
            host=place.host,
            port=place.port,
            title=title,
            most=place.viewers,
            font_size=place.font_size,
        )
        await stack.enter_async_context(server)
        tell(f"serving on {place.url(server.port)} · Ctrl-C ends it")
        if not is_loopback(place.host):
            tell("others can reach this address; it is not encrypted: put a TLS proxy before it")
        await asyncio.Event().wait()
    return 0
