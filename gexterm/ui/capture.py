"""The screen as it stands, as a picture made of text."""

from __future__ import annotations

from typing import Any

from rich.color import Color, ColorType
from rich.segment import Segment
from textual.app import App

from gexterm.snapshots.picture import Picture, Run
from gexterm.ui.colours import ANSI, blend, nominal
from gexterm.ui.palette import FALLBACK, Palette


def _hex(color: Color | None, otherwise: str) -> str:
    if color is None or color.is_default:
        return otherwise
    if color.type is ColorType.STANDARD and color.number is not None:
        # What a terminal makes of its own colours nobody knows: a usual palette stands for it.
        return nominal(ANSI[color.number], otherwise, otherwise)
    return color.get_truecolor().hex


def _run(segment: Segment, foreground: str, background: str) -> Run:
    style = segment.style
    if style is None:
        return Run(segment.text, foreground, background)
    fg, bg = _hex(style.color, foreground), _hex(style.bgcolor, background)
    if style.dim:
        fg = blend(fg, bg, 0.4)
    if style.reverse:
        fg, bg = bg, fg
    return Run(segment.text, fg, bg, bool(style.bold), bool(style.italic), bool(style.underline))


def capture(app: App[Any]) -> Picture:
    """What is on the screen now, cell by cell, without the terminal's own cursor."""
    palette: Palette = getattr(app, "palette", FALLBACK)
    foreground, background = palette.colors["text"], palette.colors["background"]
    screen = app.screen
    width, height = screen.size
    rows: list[tuple[Run, ...]] = []
    for strip in screen._compositor.render_strips(screen.size):
        runs: list[Run] = []
        for segment in strip:
            if not segment.text or segment.control:
                continue
            run = _run(segment, foreground, background)
            last = runs[-1] if runs else None
            if last and (last.fg, last.bg, last.bold, last.italic, last.underline) == (
                run.fg, run.bg, run.bold, run.italic, run.underline
            ):  # fmt: skip
                runs[-1] = Run(
                    last.text + run.text, run.fg, run.bg, run.bold, run.italic, run.underline
                )
            else:
                runs.append(run)
        rows.append(tuple(runs))
    return Picture(width, height, tuple(rows), background, foreground)
