"""Which channels are subscribed to, as the venue accepted them.

A message of ours may have 32 KB, so that a window goes out in several calls. The venue
answers with the channels it accepted; what is missing there it refuses.

Source: docs.deribit.com, `public/subscribe`; the limit on messages as clients report it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gexterm.feeds.deribit import messages as m
from gexterm.feeds.deribit.calls import Calls
from gexterm.feeds.protocol import Account
from gexterm.market.events import Event
from gexterm.market.roots import printable

_MOST_CHANNELS = 500
_MOST_BYTES = 24_000


class Channels:
    """Subscriptions of one connection."""

    def __init__(self, calls: Calls, account: Account) -> None:
        self.prints = False
        """Whether prints are subscribed to."""
        self._calls, self._account = calls, account
        self._wanted: set[str] = set()
        self._accepted: set[str] = set()
        self._refused: dict[str, str] = {}

    def forget(self) -> None:
        """A new connection has none."""
        self.prints = False
        self._wanted.clear()
        self._accepted.clear()
        self._refused.clear()

    def want(self, channels: list[str], then: Callable[[bool], None] | None = None) -> None:
        """Subscribe; `then` is told whether all of a single call were accepted."""
        new = [channel for channel in channels if channel not in self._wanted]
        self._wanted.update(new)
        for part in chunks(new):
            self._calls.ask(
                "public/subscribe",
                {"channels": part},
                self._done(part, then),
                self._failed(part, then),
            )

    def drop(self, channels: list[str]) -> None:
        """Unsubscribe."""
        old = [channel for channel in channels if channel in self._wanted]
        self._wanted.difference_update(old)
        for channel in old:
            self._refused.pop(channel, None)
        for part in chunks(old):

            def done(_result: bytes, part: list[str] = part) -> list[Event]:
                self._accepted.difference_update(set(part) - self._wanted)
                self._tell()
                return []

            # A channel that cannot be left costs bytes, nothing else.
            self._calls.ask("public/unsubscribe", {"channels": part}, done, lambda *_: None)
        self._tell()

    def _done(
        self, part: list[str], then: Callable[[bool], None] | None
    ) -> Callable[[bytes], list[Event]]:
        def done(result: bytes) -> list[Event]:
            got = set(m.CHANNELS.decode(result)) & set(part)
            self._accepted |= got
            for channel in part:
                if channel not in got:
                    self._refused[channel] = "it is missing in the answer"
                else:
                    self._refused.pop(channel, None)
            self.prints |= any(channel.startswith("trades.") for channel in got)
            self._tell()
            if then is not None:
                then(len(got) == len(part))
            return []

        return done

    def _failed(
        self, part: list[str], then: Callable[[bool], None] | None
    ) -> Callable[[str, int], None]:
        def failed(said: str, _code: int) -> None:
            self._refused.update(dict.fromkeys(part, said))
            self._tell()
            if then is not None:
                then(False)

        return failed

    def _tell(self) -> None:
        account = self._account
        refused = {c: why for c, why in self._refused.items() if c in self._wanted}
        account.quoted = sum(c.startswith("ticker.") for c in self._accepted & self._wanted)
        account.steps["subscribed"] = f"{len(self._accepted)} of {len(self._wanted)} channels"
        if refused:
            first, why = next(iter(refused.items()))
            account.notes["refused"] = (
                f"{len(refused)} of {len(self._wanted)} channels are refused, "
                f"{printable(first, 60)} for one: {why}"
            )
        else:
            account.notes.pop("refused", None)


def chunks(channels: list[str]) -> Iterator[list[str]]:
    """In parts that one call can hold, in order."""
    part: list[str] = []
    size = 0
    for channel in channels:
        cost = len(channel) + 3
        if part and (len(part) >= _MOST_CHANNELS or size + cost > _MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(channel)
        size += cost
    if part:
        yield part
