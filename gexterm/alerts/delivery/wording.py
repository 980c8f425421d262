"""An alert as a message that leaves the program."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace

from gexterm.alerts.model import Alert, as_dict
from gexterm.market.calendar import et

LONGEST = 300
"""Characters of a message."""


def harmless(text: str, longest: int = LONGEST) -> str:
    """On one line, without control or format characters, and not endless.

    A feed's words may stand in an alert; its escape codes, direction overrides and lone
    surrogates may not leave with it.
    """
    words = " ".join(text[: 4 * longest].split())
    clean = "".join("·" if unicodedata.category(c)[0] == "C" else c for c in words)
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def title(alert: Alert) -> str:
    """`gexterm SPX`, and whether it is no market in session."""
    what = "simulated" if alert.mode == "simulated" else "replay"
    parts = ["gexterm", alert.underlying, f"({what})" if alert.replay else ""]
    return harmless(" ".join(filter(None, parts)), 60)


def body(alert: Alert) -> str:
    """Time in New York and what happened."""
    return harmless(f"{et(alert.at):%H:%M:%S} {alert.text}")


def as_json(alert: Alert) -> bytes:
    """One line of JSON: the alert as in the history, and its time for a person."""
    safe = replace(alert, text=harmless(alert.text, 2000))
    table = {"v": 1, **as_dict(safe), "time": et(alert.at).isoformat(timespec="milliseconds")}
    return json.dumps(table, allow_nan=False).encode() + b"\n"
