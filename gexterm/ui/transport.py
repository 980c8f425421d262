"""Time: play, pause, step, speed, and going to a moment; also into a live session's past.

A live session goes on while its past is on the screen: it is recorded, its alerts come, and
`L` shows it again at once. The past is a session of its own, on a channel of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.errors import NoWidget

from gexterm.errors import GextermError
from gexterm.market.calendar import et, is_session
from gexterm.reading.day import DayLog, Mark
from gexterm.ui.channel import Channel
from gexterm.ui.frame import Beside, Frame
from gexterm.ui.moments import clock, moment
from gexterm.ui.prompt import Prompt
from gexterm.ui.session import Session
from gexterm.ui.widgets import progress

if TYPE_CHECKING:
    from textual.events import Click

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0)
"""Speeds of a replay, as the keys go through them."""
MINUTE_NS = 60 * 1_000_000_000
WORDS = {"alert": "alert", "paradigm": "change of the paradigm"}
"""What can be looked for, as it is called."""
_NOT_RECORDED = "nothing of this session is recorded, so there is no past to go to"
_FAR_NS = 30 * 1_000_000_000
"""A past that ends so long before now has a hole after it."""


@dataclass(frozen=True, slots=True)
class Hunt:
    """The next mark is looked for by running ahead."""

    kind: str
    """As of `reading.day.Mark`."""
    after: int
    """Where it began, ns."""


class Transport:
    """The time actions of the monitor; a part of `app.MonitorApp`."""

    if TYPE_CHECKING:
        base: Channel | None
        channel: Channel | None
        _glow_s: float

        run_worker: Callable[..., Any]
        push_screen: Callable[..., Any]
        get_widget_at: Callable[[int, int], Any]

        def _try(self, command: Callable[[], None]) -> bool: ...
        def tell(self, text: str, severity: str = "information") -> None: ...  # noqa: D102
        def refresh_screen(self) -> None: ...  # noqa: D102
        def follow_channel(self, channel: Channel) -> None: ...  # noqa: D102
        def frame(self, screen: str = "desk") -> Frame: ...  # noqa: D102

    _hunt: Hunt | None = None
    _past: contextlib.AsyncExitStack | None = None
    _alerts_before = 0
    _end_told = False
    _wanted = 0
    """Which past was asked for, ns, until it is seen what was found; 0: nothing."""

    # -- what frames are told ------------------------------------------------------------

    @property
    def in_past(self) -> bool:
        """Whether a live session's past is on the screen."""
        return self.channel is not self.base

    @property
    def hunting(self) -> str:
        """What is being looked for; empty: nothing."""
        return WORDS[self._hunt.kind] if self._hunt is not None else ""

    @property
    def beside(self) -> Beside | None:
        """The live session that goes on while its past is shown."""
        base = self.base
        if base is None or not self.in_past:
            return None
        newest = base.newest
        heard = base.heard - self._alerts_before
        return Beside(newest.as_of if newest else 0, max(0, heard), base.session.status.state)

    def watch_time(self) -> None:
        """Look whether what was looked for has come, or the past has come to its end."""
        channel = self.channel
        if channel is None:
            return
        session = channel.session
        if (hunt := self._hunt) is not None:
            found = session.day.next_mark(hunt.after, hunt.kind)
            if found is not None:
                self._hunt = None
                self._try(lambda: session.seek(found.at))
                self.tell(f"{clock(found.at)} {found.text}")
            elif session.status.state in ("ended", "refused", "closed") and channel.newest:
                self._hunt = None
                end = clock(channel.newest.as_of)
                self.tell(f"no further {WORDS[hunt.kind]} until the end, {end}")
        if not self.in_past:
            return
        wanted, newest = self._wanted, channel.newest
        if wanted and newest is not None and not session.goal:
            self._wanted = 0
            if newest.as_of > wanted + MINUTE_NS:
                here = newest.as_of
                self.tell(f"nothing is recorded from {clock(wanted, here)} to {clock(here)}")
        if session.status.state != "ended":
            self._end_told = False
        elif not self._end_told and channel.newest is not None:
            self._end_told = True
            self._past_ended(channel.newest.as_of, session)

    def _past_ended(self, at: int, session: Session) -> None:
        now = self.base.newest.as_of if self.base and self.base.newest else at
        if now - at > _FAR_NS:
            # An earlier recording of the day ends here: the next one follows.
            self.tell(f"nothing is recorded from {clock(at)} on, for a while")
            speed = 0.0 if session.paused else session.speed
            self.enter_past(at + 1_000_000_000, speed, told=True)
        elif session.paused:
            self.tell("this is the end of what is recorded so far; L: back to live")
        else:
            self.tell("caught up with live")
            self._back()

    # -- going somewhere -------------------------------------------------------------------

    def seek_to(self, ns: int) -> None:
        """Go to a market time, ns: in a replay there, in a live session into its past."""
        channel = self.channel
        if channel is None:
            return
        self._hunt = None
        session = channel.session
        newest = self.base.newest.as_of if self.base and self.base.newest else 0
        if self.in_past and ns >= newest:
            self.tell("caught up with live")
            self._back()
            return
        if not session.replayable:
            if ns >= newest:
                self.tell("that has not come yet: live is the newest there is", "warning")
            else:
                self.enter_past(ns)
            return
        info = session.info
        over = session.status.state == "ended" and channel.newest and ns > channel.newest.as_of
        if self.in_past and ((info.begins and ns < info.begins) or over):
            self.enter_past(ns)  # another recording of the day, perhaps
            return
        to = max(ns, info.begins) if info.begins else ns
        if info.ends and not self.in_past:
            to = min(to, info.ends)
        self._try(lambda: session.seek(to))

    def _here(self) -> int:
        """Where one is, or is on the way to, ns; 0 before anything is known."""
        channel = self.channel
        if channel is None or channel.newest is None:
            return 0
        going = channel.session.goal if channel.session.replayable and self._hunt is None else 0
        return going or channel.newest.as_of

    def _by(self, ns: int) -> None:
        if here := self._here():
            self.seek_to(here + ns)
        else:
            self.tell("there is nothing to go to yet", "warning")

    def _replay(self) -> Session | None:
        """The session, where its time can be sought; else a word on why not."""
        channel = self.channel
        if channel is None:
            return None
        if not channel.session.replayable:
            self.tell("a live market is where it is; [ or @ go into its recorded past", "warning")
            return None
        return channel.session

    def action_pause(self) -> None:
        """Pause or go on."""
        channel = self.channel
        if channel is None:
            return
        session = channel.session
        if self._stop_hunt():
            return
        if session.replayable:
            self._try(session.resume if session.paused else session.pause)
        else:
            channel.held = not channel.held
            self.refresh_screen()

    def action_back_5(self) -> None:
        """5 minutes back."""
        self._by(-5 * MINUTE_NS)

    def action_forward_5(self) -> None:
        """5 minutes on."""
        self._by(5 * MINUTE_NS)

    def action_back_30(self) -> None:
        """30 minutes back."""
        self._by(-30 * MINUTE_NS)

    def action_forward_30(self) -> None:
        """30 minutes on."""
        self._by(30 * MINUTE_NS)

    def action_minute_back(self) -> None:
        """A minute back; pauses."""
        self._pause_first()
        self._by(-MINUTE_NS)

    def action_minute_on(self) -> None:
        """A minute on; pauses."""
        if self._replay() is not None:
            self._pause_first()
            self._by(MINUTE_NS)

    def action_step_back(self) -> None:
        """A Reading back; pauses."""
        self._step(-1)

    def action_step_on(self) -> None:
        """A Reading on; pauses."""
        self._step(1)

    def _step(self, ticks: int) -> None:
        channel = self.channel
        if channel is not None and not channel.session.replayable and ticks < 0:
            self._by(-1)
        elif (session := self._replay()) is not None:
            self._hunt = None
            self._try(lambda: session.step(ticks))

    def _pause_first(self) -> None:
        channel = self.channel
        if channel is not None and channel.session.replayable and not channel.session.paused:
            self._try(channel.session.pause)

    def action_seek_time(self) -> None:
        """Ask for a time and go there."""
        channel, here = self.channel, self._here()
        if channel is None or not here:
            self.tell("there is nothing to go to yet", "warning")
            return
        begins, ends = self._bounds(channel)

        def meant(text: str) -> int:
            # A live market has gone on while the line was being written.
            first, last = self._bounds(channel)
            if not first and text.lower() in ("begin", "beginning", "start"):
                return self._first_row() or here
            return moment(text, here, first, last)

        def go(text: str | None) -> None:
            if text:
                self._try(lambda: self.seek_to(meant(text)))

        span = f", from {clock(begins)} to {clock(ends, begins)}" if begins and ends else ""
        question = f"Go to which time? It is {clock(here)} New York{span}"
        # A coin has no session to open on a Saturday.
        edge = "open" if is_session(et(here).date()) else "begin"
        self.push_screen(Prompt(question, example=f"10:35, -15, {edge}, end", check=meant), go)

    def _first_row(self) -> int:
        """When the log of the live day begins, ns; 0 not known."""
        rows = self.base.session.day.rows if self.base is not None else ()
        return rows[0].at if rows else 0

    def _bounds(self, channel: Channel) -> tuple[int, int]:
        """First and last moment that can be gone to, ns; 0 not known."""
        info, base = channel.session.info, self.base
        if channel.session.replayable and not self.in_past:
            return info.begins, info.ends
        return 0, base.newest.as_of if base is not None and base.newest is not None else 0

    # -- marks ------------------------------------------------------------------------------

    def action_next_alert(self) -> None:
        """To the next alert, run ahead for it if need be."""
        self._next("alert")

    def action_previous_alert(self) -> None:
        """To the alert before."""
        self._previous("alert")

    def action_next_paradigm(self) -> None:
        """To the next change of the paradigm, run ahead for it if need be."""
        self._next("paradigm")

    def action_previous_paradigm(self) -> None:
        """To the change of the paradigm before."""
        self._previous("paradigm")

    def _days(self) -> list[DayLog]:
        """Logs that know of marks. Live has seen its own past at every tick, and knows best."""
        days = [self.channel.session.day] if self.channel is not None else []
        if self.in_past and self.base is not None and self.base.session.day.rows:
            days.insert(0, self.base.session.day)
        return days

    def _knows(self, mark: Mark) -> bool:
        """Whether a mark is not doubled by one of the live session's own."""
        days = self._days()
        return len(days) < 2 or mark in days[0].marks or mark.at < days[0].rows[0].at

    def _next(self, kind: str) -> None:
        if self._stop_hunt():
            return
        session, here = self._replay(), self._here()
        if session is None or not here:
            return
        found = [day.next_mark(here, kind) for day in self._days()]
        marks = sorted(mark for mark in found if mark is not None and self._knows(mark))
        self._pause_first()
        if marks:
            self._to_mark(marks[0])
        elif self.in_past:
            self.tell(f"no further {WORDS[kind]} so far; L: back to live")
        else:
            ends = session.info.ends
            if self._try(lambda: session.seek(ends or here, True)):
                self._hunt = Hunt(kind, here)

    def _previous(self, kind: str) -> None:
        self._stop_hunt()
        here = self._here()
        found = [day.previous_mark(here, kind) for day in self._days()]
        marks = sorted(mark for mark in found if mark is not None and self._knows(mark))
        if marks:
            self._pause_first()
            self._to_mark(marks[-1])
        elif here:
            self.tell(f"no {WORDS[kind]} before {clock(here)} has been seen")

    def _to_mark(self, mark: Mark) -> None:
        self.seek_to(mark.at)
        self.tell(f"{clock(mark.at)} {mark.text}")

    def _stop_hunt(self) -> bool:
        """Stop looking and stand where one has come to; whether anything was looked for."""
        channel, hunt, self._hunt = self.channel, self._hunt, None
        if hunt is None or channel is None:
            return False
        session, newest = channel.session, channel.newest
        if newest is not None:
            self._try(lambda: session.seek(newest.as_of))
        self.tell(f"stopped looking for the next {WORDS[hunt.kind]}")
        return True

    # -- speed ------------------------------------------------------------------------------

    def action_faster(self) -> None:
        """Faster."""
        self._change_speed(1)

    def action_slower(self) -> None:
        """Slower."""
        self._change_speed(-1)

    def _change_speed(self, step: int) -> None:
        session = self._replay()
        if session is None:
            return
        self._stop_hunt()
        at = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - session.speed))
        speed = SPEEDS[max(0, min(len(SPEEDS) - 1, at + step))]
        self._try(lambda: session.set_speed(speed))

    # -- the past of a live session -----------------------------------------------------------

    def enter_past(self, at: int, speed: float = 0.0, *, told: bool = False) -> None:
        """Show the recorded past of the live session from a market time on, ns.

        Paused, unless it is to play at a `speed`. Where it begins later it is said so, unless
        that was `told`.
        """
        base = self.base
        if base is None or base.session.replayable:
            return
        made: AbstractAsyncContextManager[Session] | None = base.session.past(at)
        if made is None:
            self.tell(_NOT_RECORDED, "warning")
            return
        work = self._to_past(made, speed, 0 if told else at)
        self.run_worker(work, name="past", group="past", exclusive=True)

    async def _to_past(
        self, made: AbstractAsyncContextManager[Session], speed: float, wanted: int
    ) -> None:
        base = self.base
        was = self.in_past
        stack = contextlib.AsyncExitStack()
        try:
            session = await stack.enter_async_context(made)
        except (GextermError, OSError) as error:
            self.tell(f"no past to go to: {error}", "error")
            return
        before, self._past = self._past, stack
        if not was and base is not None:
            self._alerts_before = base.heard
        self._hunt, self._end_told, self._wanted = None, False, wanted
        self.channel = Channel(session, self._glow_s)
        self.follow_channel(self.channel)
        if speed > 0.0:
            session.set_speed(speed)
            session.resume()
        self.refresh_screen()
        if before is not None:
            await before.aclose()

    def action_back_live(self) -> None:
        """Leave the past."""
        if self.in_past:
            self._back()
        elif self.base is not None and self.base.session.replayable:
            self.tell("a replay has no live market to go back to", "warning")
        elif self.base is not None:
            self.base.held = False
            self.refresh_screen()

    def _back(self) -> None:
        self._hunt = None
        self.channel = self.base
        self.refresh_screen()
        self.run_worker(self.close_past(), name="past", group="past", exclusive=True)

    async def close_past(self) -> None:
        """End the past that is or was shown, if there is one."""
        past, self._past = self._past, None
        if past is not None:
            await past.aclose()

    # -- the mouse ----------------------------------------------------------------------------

    def on_click(self, event: Click) -> None:
        """A click on the bar of the day goes there."""
        try:
            widget, region = self.get_widget_at(event.screen_x, event.screen_y)
        except NoWidget:  # nothing is there
            return
        if widget.id != "top" or region.height < 3 or event.screen_y - region.y != 2:
            return
        at = progress.moment_at(self.frame(), event.screen_x - region.x, region.width)
        if at:
            self.seek_to(at)
