"""Keys that a browser may keep for itself, so that the monitor never sees them.

A page cannot get some of them at all (closing and opening tabs and windows); others depend on
browser and system. Whatever the monitor can do must therefore have another key as well.
"""

from __future__ import annotations

SWALLOWED = frozenset(
    {
        "ctrl+w", "ctrl+t", "ctrl+n", "ctrl+shift+t", "ctrl+shift+n", "ctrl+shift+w",
        "ctrl+tab", "ctrl+shift+tab", "ctrl+q", "ctrl+p", "ctrl+l", "ctrl+h", "ctrl+j",
        "ctrl+d", "ctrl+f", "ctrl+g", "ctrl+r", "ctrl+s", "ctrl+o", "ctrl+u", "ctrl+c",
        "ctrl+v", "ctrl+z", "ctrl+plus", "ctrl+minus", "ctrl+0",
        "alt+left", "alt+right", "alt+home",
        "f1", "f3", "f5", "f6", "f7", "f10", "f11", "f12",
    }
)  # fmt: skip
"""In Textual's names: of Chromium, Firefox or Safari, on any system."""
NEVER_NEEDED = frozenset({"suspend", "redraw"})
"""Actions that make no sense in a browser: nothing stops a page or writes over it."""
