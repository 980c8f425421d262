"""The monitor: takes Readings from a session, shows the newest, passes keys on."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen

from gexterm.errors import GextermError
from gexterm.reading.model import Reading
from gexterm.snapshots.picture import Picture
from gexterm.ui import themes, words
from gexterm.ui.actions import ACTIONS, cap, keymap
from gexterm.ui.capture import capture
from gexterm.ui.desk import Desk
from gexterm.ui.frame import GREEKS, Frame
from gexterm.ui.help import HelpScreen
from gexterm.ui.history import History
from gexterm.ui.session import Session
from gexterm.ui.settling import Settling
from gexterm.ui.terminal import forgiving, need_terminal

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0)
"""Speeds of a replay, as the keys go through them."""
MINUTE_NS = 60 * 1_000_000_000


class MonitorApp(App[None]):
    """The monitor of one session.

    `fps` caps repaints per second; Readings that come faster replace each other.
    `glow_s` is how long a changed level stays marked; 0 turns that off. `keys` are
    the user's changes to the key map, as of `actions.keymap`.
    """

    TITLE = "gexterm"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(action.keys), action.id, action.title, id=action.id, show=False)
        for action in ACTIONS
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
        background: $gx-glow; color: $gx-strong;
    }
    """

    def __init__(
        self,
        session: Session,
        *,
        theme: str = themes.DEFAULT,
        fps: float = 10.0,
        glow_s: float = 3.0,
        keys: Mapping[str, str | Iterable[str]] = {},
    ) -> None:
        self.palettes, self._broken_themes = themes.load()
        self.palette = self.palettes.get(theme) or next(iter(self.palettes.values()))
        self._keys = keymap(keys)
        super().__init__()
        if theme not in self.palettes:
            self._broken_themes.append(f"there is no theme `{theme}`; using {self.palette.name}")
        self.session = session
        self._fps = max(0.5, min(60.0, fps))
        self._history = History(glow_s)
        self._greek = "charm"
        self._look_back = True
        self._held = False
        self._ended = False
        self._newest: Reading | None = None
        self._shown: Reading | None = None
        self._last_look: tuple[object, ...] = ()
        self._settling = Settling()
        self.desk = Desk()
        self.crash: BaseException | None = None
        """What ended the monitor, if it was an error in it."""
        self.painted = 0
        """Frames shown so far."""

    @property
    def shown(self) -> Reading | None:
        """The Reading on the screen."""
        return self._shown

    def get_driver_class(self) -> type[Driver]:
        """Textual's own, made to survive the loss of its terminal."""
        return forgiving(super().get_driver_class())

    # -- life ------------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours that the style sheet may name before a theme is chosen."""
        return themes.css_variables(self.palette.colors)

    def get_default_screen(self) -> Screen[Any]:
        """The desk is the first screen, not something above it."""
        return self.desk

    def on_mount(self) -> None:
        """Colours, keys, signals; then listen."""
        self.set_keymap({name: ",".join(found) for name, found in self._keys.items()})
        for palette in self.palettes.values():
            self.register_theme(palette.textual())
        self._use(self.palette)
        for line in self._broken_themes:
            self._tell(line, "warning")
        self._catch_signals()
        self.call_after_refresh(self._start_listening)
        self.set_interval(1.0 / self._fps, self._tick)
        self.call_after_refresh(self._settling.start)
        self.refresh_desk()

    def on_unmount(self) -> None:
        """Others may come after us in this process."""
        self._settling.stop()

    def _start_listening(self) -> None:
        # After the first frame: what a session does first may be heavy.
        self.run_worker(self._listen(), name="readings", group="session")
        self.run_worker(self._listen_alerts(), name="alerts", group="session")

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

    async def _listen(self) -> None:
        try:
            async for reading in self.session.readings():
                self._newest = reading
        except GextermError as error:
            self._tell(str(error), "error")
        self._ended = True

    async def _listen_alerts(self) -> None:
        async for alert in self.session.alerts():
            self._history.alerts.append(alert)

    # -- frames ------------------------------------------------------------------------

    def _tick(self) -> None:
        """Show the newest Reading, if it or anything beside it has changed."""
        now = time.monotonic()
        session, alerts = self.session, self._history.alerts
        look = (
            self._shown if self._held else self._newest, session.status, session.info,
            session.paused, session.speed, self._history.fresh(now), self._ended, self._held,
            len(alerts), alerts[-1] if alerts else None, session.recording,
            session.report if self._newest is None else None,
        )  # fmt: skip
        # Compared by identity where possible: a Reading has no meaning of equal.
        if len(look) == len(self._last_look) and all(
            a is b or (type(a) in (bool, float, int, frozenset) and a == b)
            for a, b in zip(look, self._last_look, strict=True)
        ):
            return
        self._last_look = look
        self.refresh_desk()

    def refresh_desk(self) -> None:
        """Show things as they stand now."""
        if self._exit or not self.desk.is_mounted:
            return
        now = time.monotonic()
        reading = self._newest
        if self._held:
            reading = self._shown
        elif reading is not None and reading is not self._shown:
            self._history.note(reading, now)
            self._shown = reading
        session = self.session
        self.desk.show(
            Frame(
                info=session.info,
                status=session.status,
                reading=reading,
                greek=self._greek,
                look_back=self._look_back,
                fresh=self._history.fresh(now),
                alerts=tuple(self._history.alerts),
                samples=self._history.samples,
                paused=session.paused,
                held=self._held,
                speed=session.speed,
                replayable=session.replayable,
                views=session.views,
                ended=self._ended,
                keys=self._keys,
                fps=self._fps,
                recording=session.recording,
                report=session.report,
            )
        )
        self.painted += 1

    # -- what is said ------------------------------------------------------------------

    def _tell(self, text: str, severity: str = "information") -> None:
        kind = {"warning": "warning", "error": "error"}.get(severity, "information")
        self.notify(words.clean(text), severity=kind, timeout=6, markup=False)  # type: ignore[arg-type]

    def _try(self, command: Callable[[], None]) -> bool:
        """Carry out a session's command; say why when it cannot be."""
        try:
            command()
        except GextermError as error:
            self._tell(str(error), "error")
            return False
        self.refresh_desk()
        return True

    def _use(self, palette: themes.Palette) -> None:
        self.palette = palette
        self.theme = f"gexterm-{palette.name}"
        self.desk.recolor(palette)

    # -- actions: one method for each of `actions.ACTIONS` -----------------------------------

    def action_greek_next(self) -> None:
        """Next greek."""
        self._choose_greek(1)

    def action_greek_previous(self) -> None:
        """Previous greek."""
        self._choose_greek(-1)

    def _choose_greek(self, step: int) -> None:
        names = [greek.name for greek in GREEKS]
        self._greek = names[(names.index(self._greek) + step) % len(names)]
        self.refresh_desk()

    def action_look_back(self) -> None:
        """Look-back marks on or off."""
        self._look_back = not self._look_back
        self.refresh_desk()

    def action_scroll_up(self) -> None:
        """Higher strikes."""
        self.desk.scroll_rows(-1)

    def action_scroll_down(self) -> None:
        """Lower strikes."""
        self.desk.scroll_rows(1)

    def action_page_up(self) -> None:
        """A page higher."""
        self.desk.page(-1)

    def action_page_down(self) -> None:
        """A page lower."""
        self.desk.page(1)

    def action_follow(self) -> None:
        """Back to spot."""
        self.desk.ladder.follow()

    def action_alerts(self) -> None:
        """Open or close the alerts."""
        self.desk.toggle_alerts()

    def action_theme(self) -> None:
        """Next theme."""
        names = list(self.palettes)
        at = names.index(self.palette.name) if self.palette.name in names else -1
        self._use(self.palettes[names[(at + 1) % len(names)]])
        self._tell(f"theme: {self.palette.title}")

    def action_scope_next(self) -> None:
        """Next expiry scope."""
        self._choose_scope(1)

    def action_scope_previous(self) -> None:
        """Previous expiry scope."""
        self._choose_scope(-1)

    def _choose_scope(self, step: int) -> None:
        dates = [line.expiry for line in self._newest.expiries] if self._newest else []
        scopes = list(dict.fromkeys(["0dte", "all", *dates]))
        now = self.session.scope
        at = scopes.index(now) if now in scopes else 0
        self._try(lambda: self.session.set_scope(scopes[(at + step) % len(scopes)]))

    def action_view_next(self) -> None:
        """Next sign view."""
        self._choose_view(1)

    def action_view_previous(self) -> None:
        """Previous sign view."""
        self._choose_view(-1)

    def _choose_view(self, step: int) -> None:
        names = self.session.views
        if not names:
            return
        now = self.session.view
        if now not in names and self._newest is not None:
            now = self._newest.positions.view  # chosen by the feed: the next one is the next to it
        at = names.index(now) if now in names else -1
        name = names[(at + step) % len(names)]
        if self._try(lambda: self.session.set_view(name)):
            self._tell(f"sign view: {name}")

    def action_pause(self) -> None:
        """Pause or go on."""
        session = self.session
        if session.replayable:
            self._try(session.resume if session.paused else session.pause)
        else:
            self._held = not self._held
            self.refresh_desk()

    def action_back_5(self) -> None:
        """5 minutes back."""
        self._seek(-5)

    def action_forward_5(self) -> None:
        """5 minutes on."""
        self._seek(5)

    def action_back_30(self) -> None:
        """30 minutes back."""
        self._seek(-30)

    def action_forward_30(self) -> None:
        """30 minutes on."""
        self._seek(30)

    def _seek(self, minutes: int) -> None:
        if not self.session.replayable:
            self._tell("a live market cannot be wound: this is for replays", "warning")
        elif self._newest is not None:
            info = self.session.info
            to = self._newest.as_of + minutes * MINUTE_NS
            to = max(to, info.begins) if info.begins else to
            to = min(to, info.ends) if info.ends else to
            self._try(lambda: self.session.seek(to))

    def action_faster(self) -> None:
        """Faster."""
        self._change_speed(1)

    def action_slower(self) -> None:
        """Slower."""
        self._change_speed(-1)

    def _change_speed(self, step: int) -> None:
        if not self.session.replayable:
            self._tell("a live market has one speed: this is for replays", "warning")
            return
        now = self.session.speed
        at = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - now))
        speed = SPEEDS[max(0, min(len(SPEEDS) - 1, at + step))]
        self._try(lambda: self.session.set_speed(speed))

    def action_snapshot(self) -> None:
        """Keep a snapshot."""
        # Notices lie over the numbers; the picture is taken once they are gone.
        self.clear_notifications()
        self.call_after_refresh(self._take)

    def _take(self) -> None:
        self.run_worker(self._keep(capture(self)), name="snapshot", group="snapshot")

    async def _keep(self, picture: Picture) -> None:
        try:
            path = await self.session.snapshot(picture)
        except (GextermError, OSError) as error:
            self._tell(f"no snapshot: {error}", "error")
            return
        self.copy_to_clipboard(str(path))
        self._tell(f"kept {path} (path copied)")

    def action_help(self) -> None:
        """Help."""
        if not isinstance(self.screen, HelpScreen):
            warning = self._newest.positions.warning if self._newest else ""
            self.push_screen(HelpScreen(self._keys, self.palette, warning))

    def action_palette(self) -> None:
        """Find an action by name."""
        self.action_command_palette()

    async def action_quit(self) -> None:
        """Quit."""
        self.exit()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette lists the same actions as help, and every theme by name."""
        for action in ACTIONS:
            if action.id != "palette" and (self.session.replayable or not action.replay_only):
                run = getattr(self, f"action_{action.id}")
                keys = "  ".join(cap(key) for key in self._keys[action.id])
                about = f"{keys:<10} {action.description or action.group}"
                yield SystemCommand(action.title, about, run)
        for palette in self.palettes.values():
            yield SystemCommand(
                f"Theme: {palette.title}", "Colours", lambda palette=palette: self._use(palette)
            )
        for name in self.session.views:
            yield SystemCommand(
                f"Sign view: {words.clean(name)}",
                "Whose side dealers are taken to be on",
                lambda name=name: self._try(lambda: self.session.set_view(name)),
            )


async def show(session: Session, **options: Any) -> None:
    """Run the monitor in this terminal until the user leaves it.

    `options` are those of `MonitorApp`. Raises TerminalError when there is no terminal
    to run in, and the error itself should the monitor break.
    """
    need_terminal()
    app = MonitorApp(session, **options)
    await app.run_async()
    if app.crash is not None:
        raise app.crash
