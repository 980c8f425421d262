"""gexterm: a terminal monitor of the option dealer's book.

For notebooks and programs: `gexterm.read_chain`, `analyse`, `open_recording`, … (see
`gexterm.api`). They are loaded when they are first asked for; type checkers know them where
they are imported from `gexterm.api`.
"""

from typing import Any

__version__ = "0.1.0"

PUBLIC = (
    "Comparison", "Inquirer", "Reading", "Recorded", "Settings", "Suppose", "Supposed", "analyse",
    "ask", "compare", "from_json", "levels", "open_recording", "read_chain", "read_snapshot",
    "samples", "table", "to_json", "what_if",
)  # fmt: skip
"""Names of `gexterm.api` that are ours to keep."""

__all__ = ["__version__", *PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'gexterm' has no attribute {name!r}")
    import importlib

    # By name: what lies below the engine knows its own version, and must not know the engine.
    return getattr(importlib.import_module("gexterm.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC})
