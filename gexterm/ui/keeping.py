"""Keeping and copying: snapshots by key, on a timetable and on alerts; levels as text."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gexterm.alerts.model import Alert
from gexterm.errors import GextermError
from gexterm.reading.model import Reading
from gexterm.ui.capture import capture
from gexterm.ui.prompt import Prompt

if TYPE_CHECKING:
    from gexterm.snapshots.keeper import Keeper, Reason
    from gexterm.snapshots.meta import Taken
    from gexterm.snapshots.picture import Picture
    from gexterm.ui.channel import Channel
    from gexterm.ui.duties import Duties


class Keeping:
    """The part of `app.MonitorApp` that keeps and copies."""

    if TYPE_CHECKING:
        channel: Channel | None
        base: Channel | None
        duties: Duties | None
        call_after_refresh: Callable[..., Any]
        run_worker: Callable[..., Any]
        push_screen: Callable[..., Any]
        clear_notifications: Callable[[], None]
        copy_to_clipboard: Callable[[str], None]

        @property
        def shown(self) -> Reading | None: ...  # noqa: D102
        def tell(self, text: str, severity: str = "information") -> None: ...  # noqa: D102
        def refresh_screen(self) -> None: ...  # noqa: D102

    keeper: Keeper | None = None
    """Says when a snapshot is due of its own accord; None: never."""

    def begin_keeping(self) -> None:
        """Set the timetable up."""
        if self.duties is None:
            return
        from gexterm.snapshots.keeper import Keeper, KeeperSettings

        chosen = self.duties.settings
        self.keeper = Keeper(
            KeeperSettings.of(
                chosen.snapshot_times,
                chosen.snapshot_on,
                chosen.snapshot_quiet_s,
                chosen.snapshot_replays == "on",
            )
        )

    def look_at_timetable(self, reading: Reading) -> None:
        """A Reading of the session that was opened, not of its past."""
        if self.keeper is not None and (reason := self.keeper.due(reading)):
            self._keep_for(reason)

    def look_at_alert(self, alert: Alert) -> None:
        """An alert of the same."""
        if self.keeper is not None and (reason := self.keeper.wants(alert)):
            self._keep_for(reason)

    def _keep_for(self, reason: Reason) -> None:
        base, duties = self.base, self.duties
        if base is None or duties is None or base.newest is None:
            return  # an alert may come before the first Reading: nobody asked for a picture of it
        taken = reason.taken(duties.clock.now_ns())
        if self.channel is not base:
            # A picture of the past beside a Reading of the present would tell two stories.
            self._write(base, base.newest, None, taken)
            return
        # The Reading that it is about may not be on the screen yet.
        self.refresh_screen()
        self.call_after_refresh(self._take, taken)

    # -- keys --------------------------------------------------------------------------

    def action_snapshot(self) -> None:
        """Keep a snapshot."""
        self._keep_now("")

    def action_snapshot_note(self) -> None:
        """Keep a snapshot with a note."""
        if self.shown is None:
            self.tell("there is nothing to keep yet", "warning")
            return

        def noted(note: str | None) -> None:
            if note is not None:
                self._keep_now(note)

        self.push_screen(Prompt("Keep a snapshot: what is worth a note?"), noted)

    def _keep_now(self, note: str) -> None:
        # Notices lie over the numbers; the picture is taken once they are gone.
        self.clear_notifications()
        at = self.duties.clock.now_ns() if self.duties is not None else 0
        from gexterm.snapshots.meta import Taken

        self.call_after_refresh(self._take, Taken("key", at, note=note))

    def _take(self, taken: Taken) -> None:
        channel, reading = self.channel, self.shown
        held = channel is not None and channel.held and taken.why != "key"
        if channel is not None and held:
            reading = channel.newest  # the screen is held at another moment
        # Picture and Reading of one moment: both are taken here, and written later.
        picture = None if held or reading is None else capture(self)  # type: ignore[arg-type]
        self._write(channel, reading, picture, taken)

    def _write(
        self,
        channel: Channel | None,
        reading: Reading | None,
        picture: Picture | None,
        taken: Taken,
    ) -> None:
        if channel is None or reading is None:
            self.tell("there is nothing to keep yet", "warning")
            return
        work = channel.session.snapshot(picture, reading, taken)
        self.run_worker(self._kept(work, taken), name="snapshot", group="snapshot")

    async def _kept(self, work: Any, taken: Taken) -> None:
        try:
            path = await work
        except (GextermError, OSError) as error:
            self.tell(f"no snapshot: {error}", "error")
            return
        if taken.why == "key":
            copied = await self.copy(str(path))
            self.tell(f"kept {path}" + (" (path copied)" if copied else ""))
        else:
            self.tell(f"kept {path.name}: {taken.words or taken.why}")

    def action_copy_levels(self) -> None:
        """The levels as text, to the clipboard."""
        from gexterm.snapshots.levels import as_text

        self._copy_levels(as_text, "levels copied")

    def action_copy_pine(self) -> None:
        """The levels as a Pine script, to the clipboard."""
        from gexterm.snapshots.levels import as_pine

        self._copy_levels(as_pine, "Pine script copied")

    def _copy_levels(self, form: Callable[[Reading], str], said: str) -> None:
        if self.shown is None:
            self.tell("there are no levels to copy yet", "warning")
            return
        self.run_worker(self._copied(form(self.shown), said), name="copy", group="copy")

    async def _copied(self, text: str, said: str) -> None:
        if await self.copy(text):
            self.tell(said)

    async def copy(self, text: str) -> bool:
        """Text to the clipboard of whoever sits at the terminal; whether it was handed on.

        A terminal says nothing back, so that it may have refused without our knowing.
        """
        from gexterm.snapshots import osc52

        try:
            osc52.payload(text)
        except GextermError as error:
            self.tell(str(error), "warning")
            return False
        command = osc52.tmux_command(os.environ)
        if not command:
            self.copy_to_clipboard(text)
            return True
        pipe = asyncio.subprocess.PIPE
        nowhere = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=nowhere, stderr=nowhere
            )
            await asyncio.wait_for(process.communicate(text.encode()), 2.0)
        except (OSError, TimeoutError) as error:
            self.tell(f"tmux did not take it: {error or 'no answer'}", "warning")
            return False
        if process.returncode:
            self.tell("tmux did not take it (`tmux load-buffer` failed)", "warning")
        return not process.returncode
