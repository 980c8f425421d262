"""Keys and tokens, kept from every screen, file and log.

A `Secret` shows itself as stars wherever it is printed, formatted or pickled by
accident; only `reveal` gives it out. Every secret is known to the `Redactor`, which
strikes it from whatever is about to be written or shown, in case a venue repeats it.
"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

STARS = "***"
_SHORTEST = 6
"""Shorter secrets are not struck: they would be struck from innocent text."""


class Secret:
    """A text that must not be seen."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        redactor.learn(text)

    def reveal(self) -> str:
        """The text itself: for a header, a frame, and nothing else."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return STARS

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(STARS, spec)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a secret is not pickled")


class Redactor:
    """Strikes what it has learnt from texts and bytes."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def learn(self, secret: str) -> None:
        """Strike this from now on, in the spellings in which venues repeat it."""
        if len(secret) < _SHORTEST:
            return
        in_json = json.dumps(secret)[1:-1]
        spellings = {
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            in_json,
            in_json.replace("/", "\\/"),
            base64.b64encode(secret.encode()).decode().rstrip("="),
            base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
        }
        known = self._known | {spelling: spelling.encode() for spelling in spellings}
        # A longer spelling may hold a shorter one. Replaced as a whole: a recorder strikes
        # secrets on a thread of its own.
        self._known = dict(sorted(known.items(), key=lambda item: -len(item[0])))

    def text(self, text: str) -> str:
        """The text without secrets."""
        for spelling in self._known:
            if spelling in text:
                text = text.replace(spelling, STARS)
        return text

    def bytes(self, data: bytes) -> bytes:
        """The bytes without secrets."""
        for spelling in self._known.values():
            if spelling in data:
                data = data.replace(spelling, STARS.encode())
        return data


redactor = Redactor()
"""The one that knows every secret of this process."""
