"""What the monitor shows and whose book: screen, greek, expiries, sign view, theme, density."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gexterm.ui.frame import GREEKS

if TYPE_CHECKING:
    from gexterm.ui.channel import Channel
    from gexterm.ui.screens.desk import Desk
    from gexterm.ui.session import Session
    from gexterm.ui.wardrobe import Wardrobe

DENSITIES = ("compact", "comfortable")
"""Air between the parts of a screen."""


class Choosing:
    """The part of `app.MonitorApp` that chooses what is looked at."""

    if TYPE_CHECKING:
        channel: Channel | None
        desk: Desk
        _greek: str
        _look_back: bool
        _density: str
        wardrobe: Wardrobe

        @property
        def session(self) -> Session | None: ...  # noqa: D102
        @property
        def screen(self) -> Any: ...  # noqa: D102
        def go(self, name: str) -> None: ...  # noqa: D102
        def tell(self, text: str, severity: str = "information") -> None: ...  # noqa: D102
        def refresh_screen(self) -> None: ...  # noqa: D102
        def _wear(self) -> None: ...
        def _try(self, command: Callable[[], None]) -> bool: ...

    def action_screen_desk(self) -> None:
        """The desk."""
        self.go("desk")

    def action_screen_profile(self) -> None:
        """Exposures over spot."""
        self.go("profile")

    def action_screen_timeline(self) -> None:
        """The day so far."""
        self.go("timeline")

    def action_screen_heatmap(self) -> None:
        """Strike by time."""
        self.go("heatmap")

    def action_screen_expiries(self) -> None:
        """By expiry."""
        self.go("expiries")

    def action_screen_tape(self) -> None:
        """Trades."""
        self.go("tape")

    def action_screen_views(self) -> None:
        """Sign views."""
        self.go("views")

    def action_screen_health(self) -> None:
        """The data."""
        self.go("health")

    def action_screen_start(self) -> None:
        """What can be opened."""
        self.go("start")

    def action_greek_next(self) -> None:
        """Next greek."""
        self._choose_greek(1)

    def action_greek_previous(self) -> None:
        """Previous greek."""
        self._choose_greek(-1)

    def _choose_greek(self, step: int) -> None:
        names = [greek.name for greek in GREEKS]
        self._greek = names[(names.index(self._greek) + step) % len(names)]
        self.refresh_screen()

    def action_look_back(self) -> None:
        """Look-back marks on or off."""
        self._look_back = not self._look_back
        self.refresh_screen()

    def action_alerts(self) -> None:
        """Open or close the alerts, which lie on the desk."""
        if self.screen is self.desk:
            self.desk.toggle_alerts()
            return
        self.go("desk")
        if not self.desk.alerts_open:
            self.desk.toggle_alerts()

    def action_theme(self) -> None:
        """Next theme."""
        self._choose_theme(1)

    def action_theme_previous(self) -> None:
        """Previous theme."""
        self._choose_theme(-1)

    def _choose_theme(self, step: int) -> None:
        self.wardrobe.step(step)
        self._wear()
        self.tell(f"theme: {self.wardrobe.title}")

    def action_density(self) -> None:
        """Compact or comfortable."""
        self._density = DENSITIES[1 - DENSITIES.index(self._density)]
        self.refresh_screen()

    def action_scope_next(self) -> None:
        """Next expiry scope."""
        self._choose_scope(1)

    def action_scope_previous(self) -> None:
        """Previous expiry scope."""
        self._choose_scope(-1)

    def _choose_scope(self, step: int) -> None:
        channel = self.channel
        if channel is None:
            return
        dates = [line.expiry for line in channel.newest.expiries] if channel.newest else []
        scopes = list(dict.fromkeys(["0dte", "all", *dates]))
        session = channel.session
        at = scopes.index(session.scope) if session.scope in scopes else 0
        self._try(lambda: session.set_scope(scopes[(at + step) % len(scopes)]))

    def action_view_next(self) -> None:
        """Next sign view."""
        self._choose_view(1)

    def action_view_previous(self) -> None:
        """Previous sign view."""
        self._choose_view(-1)

    def _choose_view(self, step: int) -> None:
        channel = self.channel
        if channel is None or not channel.session.views:
            return
        names, now = channel.session.views, channel.session.view
        if now not in names and channel.newest is not None:
            now = channel.newest.positions.view  # chosen by the feed: the next one is next to it
        at = names.index(now) if now in names else -1
        self.use_view(names[(at + step) % len(names)])

    def use_view(self, name: str) -> None:
        """Choose a sign view by name."""
        session = self.session
        if session is not None and self._try(lambda: session.set_view(name)):
            self.tell(f"sign view: {name}")
