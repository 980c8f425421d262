"""Where a venue's keys come from: the environment first, then the system's keyring.

The keyring is that of the operating system, through the `keyring` library (extra
`keyring`). Nothing is ever written to a file of ours.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from gexterm.errors import UsageError
from gexterm.feeds.secrets import Secret, redactor
from gexterm.feeds.venue import SecretSpec, Venue
from gexterm.market.roots import printable

SERVICE = "gexterm"
"""Under which name the keyring holds them; the user name is `venue.secret`."""
_INSTALL = "install gexterm[keyring]"


def load(venue: Venue, environ: Mapping[str, str] = os.environ) -> dict[str, Secret]:
    """Every secret of a venue that can be found, by name.

    Raises UsageError where a required one cannot.
    """
    found: dict[str, Secret] = {}
    missing = []
    for spec in venue.secrets:
        secret, _ = find(venue, spec, environ)
        if secret is not None:
            found[spec.name] = secret
        elif spec.required:
            missing.append(spec.env)
    if missing:
        raise UsageError(
            f"{venue.name} needs {' and '.join(missing)}",
            f"set {'it' if len(missing) == 1 else 'them'} in the environment, "
            f"or use `gexterm feeds login {venue.name}`",
        )
    return found


def find(
    venue: Venue, spec: SecretSpec, environ: Mapping[str, str] = os.environ
) -> tuple[Secret | None, str]:
    """One secret and where it was found, `environment` or `keyring`; None and why not."""
    if text := environ.get(spec.env, "").strip():
        return Secret(text), "environment"
    library = _library()
    if library is None:
        return None, "not set"
    try:
        text = library.get_password(SERVICE, f"{venue.name}.{spec.name}") or ""
    except Exception as error:
        return None, f"the keyring cannot be read: {_said(error)}"
    return (Secret(text), "keyring") if text else (None, "not set")


def need_keyring(venue: Venue) -> None:
    """Raise UsageError where there is no keyring, before anything secret is asked for."""
    for spec in venue.secrets:
        _needed(spec)


def store(venue: Venue, spec: SecretSpec, text: str) -> None:
    """Keep a secret in the keyring. Raises UsageError where it cannot be."""
    library = _needed(spec)
    secret = Secret(text)  # known to the redactor before anything can go wrong
    try:
        library.set_password(SERVICE, f"{venue.name}.{spec.name}", secret.reveal())
    except Exception as error:
        raise UsageError(
            f"the keyring does not take it: {_said(error)}",
            f"set {spec.env} in the environment instead",
        ) from None


def forget(venue: Venue) -> list[str]:
    """Take a venue's secrets out of the keyring; the names of those that were in it."""
    gone = []
    for spec in venue.secrets:
        library = _needed(spec)
        user = f"{venue.name}.{spec.name}"
        try:
            if library.get_password(SERVICE, user) is None:
                continue
            library.delete_password(SERVICE, user)
        except Exception as error:
            raise UsageError(f"the keyring cannot be changed: {_said(error)}") from None
        gone.append(spec.name)
    return gone


def _needed(spec: SecretSpec) -> Any:
    library = _library()
    if library is None:
        raise UsageError(
            "there is no library for the system's keyring",
            f"{_INSTALL}, or set {spec.env} in the environment",
        )
    return library


def _library() -> ModuleType | None:
    try:
        import keyring
    except ImportError:
        return None
    return keyring


def _said(error: Exception) -> str:
    """A keyring's own words, without what we handed to it."""
    text = str(error) or type(error).__name__
    return printable(redactor.text(text), 120)
