"""SVG to PNG, with the bundled font only: the same picture on every machine."""

from __future__ import annotations

from pathlib import Path

from gexterm.snapshots.svg import FONT_FAMILY

FONTS = Path(__file__).resolve().parent / "fonts"
"""Folder of the bundled font, DejaVu Sans Mono regular and bold."""


def to_png(svg: str, scale: float = 2.0) -> bytes:
    """Render an SVG document of ours. `scale` is PNG pixels per SVG pixel.

    Raises ValueError for what is no SVG.
    """
    import resvg_py  # lazily: only a key press needs it

    png: bytes = resvg_py.svg_to_bytes(
        svg_string=svg,
        zoom=scale,
        skip_system_fonts=True,
        font_files=[str(path) for path in sorted(FONTS.glob("*.ttf"))],
        font_family=FONT_FAMILY,
        monospace_family=FONT_FAMILY,
    )
    return bytes(png)
