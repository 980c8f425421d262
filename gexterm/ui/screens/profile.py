"""The profile: exposures over spot, and what the book would be if the market were another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Horizontal

from gexterm.reading.inquiry import Inquiries, Suppose
from gexterm.reading.model import Reading
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.screens.base import View, too_small
from gexterm.ui.widgets import keyline, status, suppose, topline
from gexterm.ui.widgets.curves_stage import Stage
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.suppose import Asked

SPOT_STEP = 0.001
"""What a key moves spot by, as a fraction of it."""
VOL_STEP = 0.5
"""What a key moves every volatility by, points."""
TIME_STEP = 15.0
"""What a key moves the clock by, minutes."""
MOST_SPOT, MOST_VOL = 0.2, 50.0
"""How far spot (as a fraction) and volatility (points) can be supposed away."""
AGAIN_S = 1.0
"""Seconds between two questions while nothing but the market moves."""


class Profile(View):
    """Curves, what is supposed, and the book under it.

    One question is on its way at a time. When its answer comes and something else is
    supposed by then, that is asked: with a key held down, answers keep coming.
    """

    NAME = "profile"
    CHAPTERS = ("Profile and what if",)

    DEFAULT_CSS = """
    Profile #strip { height: 1; }
    Profile #main { height: 1fr; layout: vertical; }
    Profile #curves { height: 1fr; width: 1fr; }
    Profile #table { height: 9; width: 1fr; }
    Profile.-low #table { display: none; }
    Profile.-sided #main, Profile.-wide #main, Profile.-full #main { layout: horizontal; }
    Profile.-sided #table { width: 55; height: 100%; }
    Profile.-wide #table { width: 56; height: 100%; }
    Profile.-full #table { width: 58; height: 100%; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked = Asked()
        """What is supposed, and what was answered."""
        self._answered: tuple[object, ...] = ()
        self._asking: Inquiries | None = None
        self.stage = Stage(lambda: self.asked, self.suppose_spot, id="curves")
        """The curves."""
        self._small = Painted(too_small, id="small")
        self._top = Painted(topline.paint, id="top")
        self._strip = Painted(self._paint_strip, id="strip")
        self._table = Painted(self._paint_table, id="table")
        self._status = Painted(status.paint, id="status")
        self._keys = Painted(keyline.paint, id="keys")
        self.has_parts((
            self._small, self._top, self._strip, self.stage, self._table, self._status, self._keys,
        ))  # fmt: skip

    def compose(self) -> ComposeResult:
        """Top line, what is supposed, curves and table, status, keys."""
        yield self._small
        yield self._top
        yield self._strip
        with Horizontal(id="main"):
            yield self.stage
            yield self._table
        yield self._status
        yield self._keys

    def on_mount(self) -> None:
        """While it is on top the market goes on: ask again now and then."""
        self.set_interval(AGAIN_S, self.ask_again)

    def _paint_strip(self, frame: Frame, width: int, _height: int) -> Sequence[Line]:
        return [suppose.strip(frame, self.asked, width)]

    def _paint_table(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        lines = suppose.table(frame, self.asked, width - 2, height)
        beside = self.has_class("-sided") or self.has_class("-wide") or self.has_class("-full")
        edge = (Span("│ ", "line"),) if beside else (Span(" "),)
        rows: list[Line] = [*lines, *([()] * (height - len(lines)))]
        return [fit((*edge, *line), width) for line in rows]

    # -- questions -----------------------------------------------------------------------

    def show(self, frame: Frame) -> None:
        """A frame; another book is asked about at once."""
        self._drop_others(frame)
        super().show(frame)
        if not self.is_mounted:
            return
        if self._book(frame) != self._answered[:-1]:
            self.ask_again()

    def _drop_others(self, frame: Frame) -> None:
        """Forget answers of another session, view or scope; what is supposed stays."""
        reading, today, asked = frame.reading, self.asked.today, self.asked
        others = self.frame is not None and frame.inquire is not self.frame.inquire
        if reading is not None and today is not None:
            here = (reading.positions.view, reading.scope)
            others = others or (today.view, today.scope) != here
        if others:
            self.asked = Asked(asked.suppose, old=asked.suppose.anything)
            self._answered = ()

    @staticmethod
    def _book(frame: Frame) -> tuple[object, ...]:
        reading = frame.reading
        if reading is None or frame.inquire is None:
            return ()
        return (frame.inquire, reading.underlying, reading.positions.view, reading.scope)

    def _state(self) -> tuple[object, ...]:
        """What an answer would belong to; empty while there is nobody to ask."""
        frame = self.frame
        book = self._book(frame) if frame else ()
        return (*book, frame.reading) if book and frame else ()

    def ask_again(self) -> None:
        """Ask, if the answers there are belong to another moment or supposition."""
        if self not in self.app.screen_stack:
            return
        inquire = self.inquire
        state = self._state()
        if inquire is None or not state or self._asking is inquire:
            return
        if state == self._answered and not self.asked.old:
            return
        self._asking = inquire
        self.ask("profile", self._answer(inquire))

    async def _answer(self, inquire: Inquiries) -> None:
        try:
            while self.inquire is inquire:
                await self._take(inquire, self.asked.suppose, self._state())
                if not self.asked.old:
                    break
        finally:
            if self._asking is inquire:
                self._asking = None

    async def _take(self, inquire: Inquiries, wanted: Suppose, state: tuple[object, ...]) -> None:
        """Ask what is wanted, and show it as soon as it is known."""
        if wanted.anything:
            found = await inquire.supposed(wanted)
            bent = replace(found.suppose, spot_change=0.0)
            then = await inquire.curves(bent) if bent.anything else None
            today = await inquire.curves(Suppose())
            # What cannot be supposed was cut; unless something else is wanted by now, so be it.
            held = self.asked.suppose
            to = found.suppose if held == wanted else held
            self.asked = Asked(to, found, today, then, old=to != found.suppose)
        else:
            today = await inquire.curves(wanted)
            held = self.asked.suppose
            self.asked = Asked(held, None, today, old=held.anything)
        self._answered = state
        self.again()

    def refused(self, why: str) -> None:
        """Say why in the strip; what was known stays, and is asked for again later."""
        self.asked = replace(self.asked, why=why)
        self._answered = self._state()
        self.again()

    # -- what is supposed ----------------------------------------------------------------

    def suppose(self, wanted: Suppose) -> None:
        """Suppose another market, and ask for the book in it."""
        if wanted == self.asked.suppose:
            return
        self.asked = replace(self.asked, suppose=wanted, old=True, why="")
        self.again()
        self.ask_again()

    def _spot_by(self, change: float) -> None:
        found = self.asked.suppose.spot_change + change
        # Steps of a thousandth: what adds up to nothing is nothing.
        found = round(max(-MOST_SPOT, min(MOST_SPOT, found)), 6)
        self.suppose(replace(self.asked.suppose, spot_change=found))

    def suppose_spot(self, spot: float) -> None:
        """Suppose a spot, points; to the hundredth of a per cent."""
        reading = self._reading
        if reading is not None and reading.spot > 0 and math.isfinite(spot):
            change = max(-MOST_SPOT, min(MOST_SPOT, spot / reading.spot - 1))
            self.suppose(replace(self.asked.suppose, spot_change=round(change, 4)))

    def _vol_by(self, points: float) -> None:
        found = max(-MOST_VOL, min(MOST_VOL, self.asked.suppose.vol_points + points))
        self.suppose(replace(self.asked.suppose, vol_points=round(found, 6)))

    def _later_by(self, minutes: float) -> None:
        found = max(0.0, self.asked.suppose.minutes + minutes)
        reading = self._reading
        left = reading.zero_dte.seconds_left if reading is not None else math.nan
        if math.isfinite(left):
            found = min(found, max(0.0, left / 60))
        self.suppose(replace(self.asked.suppose, minutes=found))

    @property
    def _reading(self) -> Reading | None:
        return self.frame.reading if self.frame else None

    # -- keys ----------------------------------------------------------------------------

    def scroll_rows(self, rows: int) -> None:
        """The wheel: nearer or farther."""
        self.stage.nearer(1 if rows > 0 else -1)

    def action_zoom(self) -> None:
        """Another stretch of spots."""
        self.stage.next_zoom()

    def action_suppose_spot_up(self) -> None:
        """Spot higher."""
        self._spot_by(SPOT_STEP)

    def action_suppose_spot_down(self) -> None:
        """Spot lower."""
        self._spot_by(-SPOT_STEP)

    def action_suppose_vol_up(self) -> None:
        """Volatility higher."""
        self._vol_by(VOL_STEP)

    def action_suppose_vol_down(self) -> None:
        """Volatility lower."""
        self._vol_by(-VOL_STEP)

    def action_suppose_later(self) -> None:
        """Later."""
        self._later_by(TIME_STEP)

    def action_suppose_earlier(self) -> None:
        """Less late."""
        self._later_by(-TIME_STEP)

    def action_suppose_nothing(self) -> None:
        """The market as it is."""
        self.suppose(Suppose())
