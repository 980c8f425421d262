"""The start screen: what can be opened, and the first minutes of somebody new."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.events import Click, ScreenSuspend

from gexterm.errors import GextermError
from gexterm.ui import words
from gexterm.ui.launch import Entry, Launcher
from gexterm.ui.prompt import Prompt
from gexterm.ui.screens.base import View, too_small
from gexterm.ui.widgets import keyline
from gexterm.ui.widgets.opening import OpeningList, in_order
from gexterm.ui.widgets.painted import Painted


class Start(View):
    """Sample feeds, venues and recordings; Enter opens the one under the cursor."""

    NAME = "start"
    CHAPTERS = ("Start",)

    DEFAULT_CSS = """
    Start #list { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._small = Painted(too_small, id="small")
        self.list = OpeningList(id="list")
        """What can be opened."""
        self._keys = Painted(keyline.paint, id="keys")
        self._sure = ""
        self.has_parts((self._small, self.list, self._keys))

    def compose(self) -> ComposeResult:
        """The lists and the keys."""
        yield self._small
        yield self.list
        yield self._keys

    @property
    def launcher(self) -> Launcher | None:
        """What opens sessions."""
        found: Launcher | None = getattr(self.app, "launcher", None)
        return found

    def on_screen_resume(self, _event: object) -> None:
        """Look again at what there is: a session may have been recorded meanwhile."""
        super().on_screen_resume(_event)  # type: ignore[arg-type]
        if self.launcher is None:
            self.list.choice.entries = ()
            self._say("nothing else can be opened from here", wrong=True)
            return
        self.ask("entries", self._list(self.launcher))

    def on_screen_suspend(self, _event: ScreenSuspend) -> None:
        """A session is on: nothing is read behind its back."""
        self.workers.cancel_group(self, "ask-entries")
        self.list.choice.reading = ""

    async def _list(self, launcher: Launcher) -> None:
        choice = self.list.choice
        before = choice.chosen
        choice.entries = in_order(await launcher.entries())
        if before is not None:
            names = [(entry.kind, entry.name) for entry in choice.entries]
            key = (before.kind, before.name)
            choice.at = names.index(key) if key in names else 0
        self.again()
        for entry in choice.entries:
            if entry.kind != "feed" and entry.ready and entry.name not in choice.ribbons:
                choice.ribbons[entry.name] = await launcher.ribbon(entry)
                self.again()

    def _say(self, text: str, *, wrong: bool = False) -> None:
        self.list.choice.said, self.list.choice.wrong = text, wrong
        self.again()

    def refused(self, why: str) -> None:
        """Say it below the lists."""
        self._say(why, wrong=True)

    # -- keys --------------------------------------------------------------------------

    def scroll_rows(self, rows: int) -> None:
        """Move the cursor."""
        choice = self.list.choice
        count = len(choice.entries or ())
        choice.at = max(0, min(count - 1, choice.at + rows))
        self._sure = ""
        self._say("")

    def follow(self) -> None:
        """To the first."""
        self.scroll_rows(-len(self.list.choice.entries or ()))

    def on_click(self, event: Click) -> None:
        """A row: choose it; once more: open it."""
        if event.button != 1 or event.widget is not self.list:
            super().on_click(event)
            return
        at = self.list.row_at(event.y)
        if at is None:
            return
        if at == self.list.choice.at:
            self.action_choose()
        else:
            self.scroll_rows(at - self.list.choice.at)

    def action_read_day(self) -> None:
        """Read the chosen recording's paradigms, however large."""
        entry, launcher = self.list.choice.chosen, self.launcher
        if entry is None or launcher is None or entry.kind == "feed" or not entry.ready:
            return
        self.ask("entries", self._read(launcher, entry))

    async def _read(self, launcher: Launcher, entry: Entry) -> None:
        choice = self.list.choice
        choice.reading = entry.name
        self.again()
        try:
            choice.ribbons[entry.name] = await launcher.ribbon(entry, any_size=True)
        finally:
            choice.reading = ""
        self.again()

    def action_choose(self) -> None:
        """Open the chosen one."""
        entry = self.list.choice.chosen
        if entry is None:
            return
        if not entry.ready:
            self._say(words.clean(entry.needs), wrong=True)
            return
        base = getattr(self.app, "base", None)
        running = base is not None and not base.session.replayable and not base.ended
        if base is not None and running and self._sure != entry.name:
            self._sure = entry.name
            self._say(
                f"{base.session.info.underlying} is live: Enter once more leaves it, and ends its "
                "recording",
                wrong=True,
            )
            return
        self._sure = ""
        if entry.kind == "feed" and not entry.underlying:
            offered = ", ".join(entry.underlyings)
            self.app.push_screen(
                Prompt(
                    f"{words.clean(entry.title)}: which underlying? ({offered}, …)",
                    value=entry.underlyings[0] if entry.underlyings else "",
                ),
                lambda named: self._open(entry, named) if named else None,
            )
            return
        self._open(entry, entry.underlying)

    def _open(self, entry: Entry, underlying: str) -> None:
        self._say(f"opening {words.clean(entry.name)} …")
        self.run_worker(self._opening(entry, underlying.strip().upper()), name="open")

    async def _opening(self, entry: Entry, underlying: str) -> None:
        try:
            await self.app.open(entry, underlying)  # type: ignore[attr-defined]
        except (GextermError, OSError) as error:
            self._say(words.clean(str(error)), wrong=True)
        else:
            self._say("")
