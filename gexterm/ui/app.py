"""The monitor: takes Readings from a session, shows the newest, passes keys on."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Event, Paste
from textual.screen import Screen

from gexterm.alerts.model import Alert
from gexterm.errors import GextermError
from gexterm.market.events import FeedStatus, SourceInfo
from gexterm.reading.model import Reading
from gexterm.ui import glyphs, themes, themewatch, words
from gexterm.ui.actions import ACTIONS, BY_ID, SCREENS, cap, keymap, works_on
from gexterm.ui.alerting import Alerting
from gexterm.ui.channel import Channel
from gexterm.ui.choosing import DENSITIES, Choosing
from gexterm.ui.duties import Duties
from gexterm.ui.frame import Frame
from gexterm.ui.help import HelpScreen
from gexterm.ui.keeping import Keeping
from gexterm.ui.launch import Entry, Launcher
from gexterm.ui.moments import clock
from gexterm.ui.pacing import Pacing
from gexterm.ui.palette import depth_of
from gexterm.ui.readying import Readying
from gexterm.ui.screens.base import View
from gexterm.ui.screens.desk import Desk
from gexterm.ui.session import Session
from gexterm.ui.settling import Settling
from gexterm.ui.terminal import forgiving, need_terminal
from gexterm.ui.transport import MINUTE_NS, Transport
from gexterm.ui.vitals import Vital, Vitals
from gexterm.ui.wardrobe import Wardrobe

_MODULES = {
    "profile": "Profile", "timeline": "Timeline", "heatmap": "HeatMap", "expiries": "Expiries",
    "tape": "Tape", "views": "Views", "health": "Health", "start": "Start",
}  # fmt: skip
"""Screens besides the desk: module in `ui.screens`, and its class. Imported when gone to."""

MOST_PASTED = 2_000
"""Characters of a paste that are taken."""


class MonitorApp(Choosing, Transport, Alerting, Keeping, Readying, Pacing, App[None]):
    """The monitor of one session, or of none yet: the start screen opens one by `launcher`.

    `fps` caps repaints per second; Readings that come faster replace each other.
    `glow_s` is how long a changed level stays marked; 0 turns that off. `keys` are
    the user's changes to the key map, as of `actions.keymap`. `screen` is where to begin.
    `characters`: unicode, ascii, or auto, as of `glyphs.ascii_wanted`.
    """

    TITLE = "gexterm"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(action.keys), action.id, action.title, id=action.id, show=False)
        for action in ACTIONS
        if not action.screens
    ]  # fmt: skip

    CSS = """
    Toast { background: $gx-raised; color: $gx-text; }
    CommandPalette { background: $gx-background 55%; }
    CommandPalette > Vertical, CommandPalette:dark > Vertical {
        width: 80; max-width: 96%; background: $gx-raised;
    }
    CommandPalette #--input, CommandPalette #--input.--list-visible {
        border: none; border-bottom: solid $gx-line; padding: 1 1 0 1;
    }
    CommandPalette SearchIcon { display: none; }
    CommandPalette CommandList, CommandPalette CommandList.--visible {
        border: none; padding: 0 1; scrollbar-size-vertical: 1;
        scrollbar-color: $gx-faint; scrollbar-background: $gx-raised;
    }
    CommandPalette CommandList > .option-list--option-highlighted {
        background: $gx-glow; color: $gx-on-glow; text-style: $gx-chosen;
    }
    """

    def __init__(
        self,
        session: Session | None,
        *,
        launcher: Launcher | None = None,
        screen: str = "desk",
        theme: str = themes.DEFAULT,
        density: str = "compact",
        characters: str = "unicode",
        fps: float = 10.0,
        glow_s: float = 3.0,
        keys: Mapping[str, str | Iterable[str]] = {},
        duties: Duties | None = None,
    ) -> None:
        self.duties = duties
        """What it does of its own accord; None: it only shows."""
        coded = getattr(sys.__stderr__, "encoding", "") or "utf-8"
        plain = glyphs.ascii_wanted(characters, os.environ, coded)
        self.wardrobe = Wardrobe(theme, ascii_only=plain)
        """Themes, and what this terminal can show of them."""
        self.palette = self.wardrobe.worn
        self._keys = keymap(keys)
        # Each screen is a mode of Textual's, with help and palette on a stack of its own.
        self.DEFAULT_MODE = screen if session is not None else "start"  # type: ignore[misc]
        super().__init__()
        for name in SCREENS:
            self.add_mode(name, partial(self.view, name))
        self.launcher = launcher
        """What opens sessions; None: only the one that was handed in."""
        self.base: Channel | None = None
        """The session that was opened."""
        self.channel: Channel | None = None
        """The one on the screen: `base`, or a past of it."""
        self._fps = max(0.5, min(60.0, fps))
        self._glow_s = glow_s
        self._greek = "charm"
        self._look_back = True
        self._density = density if density in DENSITIES else DENSITIES[0]
        self._last_look: tuple[object, ...] = ()
        self._settling = Settling()
        self._opened: contextlib.AsyncExitStack | None = None
        self.desk = Desk()
        self._views: dict[str, View] = {"desk": self.desk}
        if session is not None:
            self.base = self.channel = Channel(session, glow_s, self.alert_book(session))
        self.crash: BaseException | None = None
        """What ended the monitor, if it was an error in it."""
        self.vitals = Vitals()
        """How the monitor itself does."""
        self.painted = 0
        """Frames shown so far."""

    @property
    def session(self) -> Session | None:
        """The session on the screen."""
        return self.channel.session if self.channel else None

    @property
    def shown(self) -> Reading | None:
        """The Reading on the screen."""
        return self.channel.shown if self.channel else None

    def get_driver_class(self) -> type[Driver]:
        """Textual's own, made to survive the loss of its terminal."""
        return forgiving(super().get_driver_class())

    # -- life ------------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours that the style sheet may name before a theme is chosen."""
        return themes.css_variables(self.palette.colors)

    def view(self, name: str) -> View:
        """A screen by name, made when first asked for."""
        if name not in self._views:
            module = importlib.import_module(f"gexterm.ui.screens.{name}")
            made: View = getattr(module, _MODULES[name])()
            made.recolor(self.palette)
            self._views[name] = made
        return self._views[name]

    def on_mount(self) -> None:
        """Colours, keys, signals; then listen."""
        # Only what the user changed: Textual lays its key map over every binding at every key.
        changed = {n: k for n, k in self._keys.items() if k != BY_ID[n].keys}
        self.set_keymap({name: ",".join(found) for name, found in changed.items()})
        # Where there is no terminal a picture is made, which has every colour.
        has = "truecolor" if self.is_headless else self.console.color_system
        self.wardrobe.depth = depth_of(has, self.no_color)
        self._wear()
        for line in self.wardrobe.said:
            self.tell(line, "warning")
        self.set_interval(themewatch.EVERY_S, self._look_at_themes)
        self._catch_signals()
        # Only what changes is painted: back from the background, everything has.
        self.app_resume_signal.subscribe(self, lambda _app: self.redraw())
        self.begin_alerting()
        self.begin_keeping()
        if self.channel is not None:
            # After the first frame: what a session does first may be heavy.
            self.call_after_refresh(self.follow_channel, self.channel)
        self.set_interval(1.0 / self._fps, self._tick)
        self.call_after_refresh(self._settling.start)
        self.begin_readying()
        self.refresh_screen()

    async def on_event(self, event: Event) -> None:
        """What is pasted is text from outside like any other: an input would echo its escapes."""
        if isinstance(event, Paste) and not event.is_forwarded:
            event.text = words.clean(event.text[:MOST_PASTED])
        await super().on_event(event)

    async def on_unmount(self) -> None:
        """Others may come after us in this process."""
        self._settling.stop()
        await self.close_past()
        await self.end_alerting()
        for channel in filter(None, {self.base, self.channel}):
            channel.book.close()
        if self._opened is not None:
            await self.leave()

    def follow_channel(self, channel: Channel) -> None:
        """Listen to a session."""
        group = f"session-{id(channel)}"
        listen = channel.listen(self.tell, partial(self._seen, channel))
        self.run_worker(listen, name="readings", group=group)
        alerts = channel.listen_alerts(partial(self._alerted, channel))
        self.run_worker(alerts, name="alerts", group=group)
        self.run_worker(self.load_alerts(channel), name="history", group=group)

    def _seen(self, channel: Channel, reading: Reading) -> None:
        if channel is self.base:
            self.look_at_timetable(reading)

    def _alerted(self, channel: Channel, alert: Alert) -> None:
        if channel is not self.base:
            return  # a past tells nobody what live has told
        self.alerted(alert)
        self.look_at_alert(alert)
        if self.in_past and self.dispatcher is None:  # else its toast tells it, as is wished
            serious = "warning" if alert.severity == "warning" else "information"
            self.tell(f"live, {clock(alert.at)}: {alert.text}", serious)

    # -- sessions ----------------------------------------------------------------------

    async def open(self, entry: Entry, underlying: str = "") -> None:
        """Open a session and leave the one there is; raises a GextermError if it cannot be."""
        if self.launcher is None:
            return
        stack = contextlib.AsyncExitStack()
        session = await stack.enter_async_context(self.launcher.open(entry, underlying))
        await self.leave()
        self._opened = stack
        self.base = self.channel = Channel(session, self._glow_s, self.alert_book(session))
        self.follow_channel(self.channel)
        self.go("desk")

    async def leave(self) -> None:
        """Close the session there is: what was recorded is in its file."""
        await self.close_past()
        opened, self._opened = self._opened, None
        base, self.base, self.channel = self.base, None, None
        if opened is not None:
            await opened.aclose()
        elif base is not None and (close := getattr(base.session, "close", None)) is not None:
            await close()

    def _catch_signals(self) -> None:
        # Without this, SIGTERM kills at once and leaves the terminal in its alternate screen.
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(getattr(signal, name), self.exit)

    def _fatal_error(self) -> None:
        # A traceback with everything that was in memory helps no trader; whoever
        # runs the monitor decides what becomes of `crash`.
        self.crash = sys.exception()
        self._close_messages_no_wait()

    # -- frames ------------------------------------------------------------------------

    def _tick(self) -> None:
        """Show the newest Reading, if it or anything beside it has changed."""
        if self.channel is not None:
            self.watch_time()
        channel = self.channel
        if not self.caught_up() or channel is None:
            return
        now, session, beside = time.monotonic(), channel.session, self.beside
        look = (
            channel, channel.shown if channel.held else channel.newest, session.status,
            session.info, session.paused, session.speed, channel.history.fresh(now),
            channel.ended, channel.held, channel.book.version,
            session.recording, session.report if channel.newest is None else None,
            self.hunting, beside.at // MINUTE_NS if beside else 0, beside.alerts if beside else 0,
            channel.calm(now),
        )  # fmt: skip
        # Compared by identity where possible: a Reading has no meaning of equal.
        if len(look) == len(self._last_look) and all(
            a is b or (type(a) in (bool, float, int, frozenset, str) and a == b)
            for a, b in zip(look, self._last_look, strict=True)
        ):
            return
        self._last_look = look
        self.refresh_screen()

    def refresh_screen(self) -> None:
        """Show things as they stand now, on the screen that is on top."""
        if self._exit:
            return
        # Palette and prompts lie above: what is below them goes on.
        shows = (s for s in reversed(self.screen_stack) if hasattr(s, "show") and s.is_mounted)
        top = next(shows, None)
        if top is None:
            return
        before, began = self.shown, time.monotonic()
        top.show(self.frame(getattr(top, "NAME", "")))
        self.painted += 1
        if self.shown is not None and self.shown is not before:
            self._note(self.shown, time.monotonic(), began)

    def _note(self, reading: Reading, now: float, began: float) -> None:
        """How it went: for the health screen."""
        behind = math.nan
        if self.duties is not None and reading.source.mode == "live":
            behind = (self.duties.clock.now_ns() - reading.as_of) / 1e9 - reading.source.delay_s
        health = reading.health
        self.vitals.note(Vital(health.tick_ms, 1e3 * (now - began), behind, health.events_per_s))
        self.vitals.look(now)

    def frame(self, screen: str = "desk") -> Frame:
        """What there is to show now."""
        now = time.monotonic()
        channel = self.channel
        common: dict[str, Any] = {
            "greek": self._greek,
            "look_back": self._look_back,
            "keys": self._keys,
            "fps": self._fps,
            "screen": screen,
            "density": self._density,
            "vitals": self.vitals,
        }
        if channel is None:
            return Frame(SourceInfo("", "", "file"), FeedStatus("connecting"), **common)
        session = channel.session
        return Frame(
            info=session.info,
            status=channel.status(now),
            reading=channel.next_shown(now),
            fresh=channel.history.fresh(now),
            alerts=channel.book.alerts,
            paused=session.paused,
            held=channel.held,
            speed=session.speed,
            replayable=session.replayable,
            views=session.views,
            ended=channel.ended,
            recording=session.recording,
            report=session.report,
            day=session.day,
            inquire=session.inquire,
            in_past=channel is not self.base,
            beside=self.beside,
            hunting=self.hunting,
            **common,
        )

    # -- screens -----------------------------------------------------------------------

    def go(self, name: str) -> None:
        """Show a screen by name."""
        while len(self.screen_stack) > 1 and not isinstance(self.screen, View):
            self.pop_screen()
        self.switch_mode(name)

    # -- what is said ------------------------------------------------------------------

    def tell(self, text: str, severity: str = "information") -> None:
        """Say something in a notice; `severity` as of Textual's."""
        kind = {"warning": "warning", "error": "error"}.get(severity, "information")
        self.notify(words.clean(text), severity=kind, timeout=6, markup=False)  # type: ignore[arg-type]

    def _try(self, command: Callable[[], None]) -> bool:
        """Carry out a session's command; say why when it cannot be."""
        try:
            command()
        except GextermError as error:
            self.tell(str(error), "error")
            return False
        self.refresh_screen()
        return True

    @property
    def palettes(self) -> Mapping[str, themes.Palette]:
        """Every theme that can be chosen, by name."""
        return self.wardrobe.palettes

    def use_theme(self, palette: themes.Palette) -> None:
        """Choose a theme."""
        self.wardrobe.chosen = palette
        self._wear()

    def _wear(self) -> None:
        """Show the chosen theme, as this terminal can."""
        self.palette = self.wardrobe.worn
        self._filters = self.wardrobe.filters(self._filters)
        theme = self.wardrobe.textual(self.theme)
        self.register_theme(theme)
        self.theme = theme.name
        for view in self._views.values():
            view.recolor(self.palette)

    def _look_at_themes(self) -> None:
        """Take up what the user has changed in the folder of themes."""
        changed, said = self.wardrobe.look()
        if changed:
            self._wear()
        for line in said:
            self.tell(line, "warning")

    # -- actions: one method for each of `actions.ACTIONS` -----------------------------------

    def action_help(self) -> None:
        """Help."""
        self.explain()

    def explain(self, chapter: str = "") -> None:
        """Open help for the screen on top, at a chapter of the glossary if one is named."""
        top = self.screen
        if not isinstance(top, View):
            return
        warning = self.shown.positions.warning if self.shown else ""
        self.push_screen(
            HelpScreen(self._keys, self.palette, warning, top.NAME, top.CHAPTERS, begin_at=chapter)
        )

    def action_palette(self) -> None:
        """Find an action by name."""
        self.action_command_palette()

    def action_suspend(self) -> None:
        """To the background."""
        self.action_suspend_process()

    async def action_quit(self) -> None:
        """Quit."""
        self.exit()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette lists the same actions as help, and every theme by name."""
        on = getattr(screen, "NAME", "")
        session = self.session
        replayable = session is not None and session.replayable
        for action in ACTIONS:
            if action.id == "palette" or not works_on(action, on):
                continue
            if action.replay_only and not replayable:
                continue
            where = screen if action.screens else self
            run = getattr(where, f"action_{action.id}")
            keys = "  ".join(cap(key) for key in self._keys[action.id])
            about = f"{keys:<10} {action.description or action.group}"
            yield SystemCommand(action.title, about, run)
        for palette in self.palettes.values():
            yield SystemCommand(
                f"Theme: {words.clean(palette.title)}",
                "Colours",
                lambda palette=palette: self.use_theme(palette),
            )
        for name in session.views if session else ():
            yield SystemCommand(
                f"Sign view: {words.clean(name)}",
                "Whose side dealers are taken to be on",
                lambda name=name: self.use_view(name),
            )


async def show(session: Session | None, **options: Any) -> None:
    """Run the monitor in this terminal until the user leaves it.

    `options` are those of `MonitorApp`. Raises TerminalError when there is no terminal
    to run in, and the error itself should the monitor break.
    """
    need_terminal(options.get("characters", "unicode"))
    app = MonitorApp(session, **options)
    await app.run_async()
    if app.crash is not None:
        raise app.crash
