"""What the monitor keeps, copies and sends out, by key and of its own accord."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gexterm import paths
from gexterm.alerts.history import AlertHistory, day_of
from gexterm.alerts.model import Alert, stamped
from gexterm.clock import SystemClock
from gexterm.config import Settings, load
from gexterm.snapshots.meta import Taken
from gexterm.snapshots.picture import Picture
from gexterm.ui.app import MonitorApp
from gexterm.ui.duties import Duties
from gexterm.ui.prompt import Prompt
from tests.ui.fakes import NS, OPEN, FakeSession, reading
from tests.ui.test_desk import screen, until

AT = OPEN + 3600 * NS


class Kept(FakeSession):
    """A session that remembers what it was asked to keep."""

    def __init__(self, mode: str = "live", **options: object) -> None:
        super().__init__(mode, **options)  # type: ignore[arg-type]
        self.kept: list[tuple[Taken, int]] = []

    async def snapshot(self, picture: Picture | None, reading: object, taken: Taken) -> Path:
        self.kept.append((taken, reading.as_of))  # type: ignore[attr-defined]
        if picture is not None:
            self.pictures.append(picture)
        return Path("/kept/SPX")


def live(at: int, spot: float = 6012.35) -> object:
    found = reading(spot, at=at)
    return replace(found, source=replace(found.source, mode="live"))


def settings(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load(path, {})


def monitor(session: FakeSession, chosen: Settings | None = None) -> MonitorApp:
    duties = Duties(chosen or Settings(), SystemClock())
    return MonitorApp(session, fps=60.0, glow_s=0.0, duties=duties)


def alert(text: str = "flip crossed", **changes: object) -> Alert:
    made = Alert(AT, "flip crossed", "warning", text, 6000.0, False)
    made = replace(made, **changes)  # type: ignore[arg-type]
    return stamped(made, "SPX", "replay" if made.replay else "live", "combined")


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "alerts_history", lambda: tmp_path / "alerts")
    monkeypatch.delenv("TMUX", raising=False)
    return tmp_path


async def test_a_note_is_asked_for_and_kept_with_the_moment_it_was_about() -> None:
    session = Kept(first=live(AT))  # type: ignore[arg-type]
    app = monitor(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("S")
        await until(pilot, lambda: isinstance(app.screen, Prompt))
        await pilot.press(*"calls bid", "enter")
        await until(pilot, lambda: bool(session.kept))
    taken, as_of = session.kept[0]
    assert (taken.why, taken.note, as_of) == ("key", "calls bid", AT)
    assert "Keep a snapshot" not in "".join(
        run.text for row in session.pictures[0].rows for run in row
    )


async def test_the_timetable_keeps_of_its_own_accord(tmp_path: Path) -> None:
    # 10:35 is one of the white paper's times.
    before, after = OPEN + 59 * 60 * NS + 50 * NS, OPEN + 60 * 60 * NS + 1 * NS
    session = Kept(first=live(before))  # type: ignore[arg-type]
    app = monitor(session, settings(tmp_path, 'snapshot_times = "paper"\n'))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.shown is not None)
        session.say(live(after, 6020.0))  # type: ignore[arg-type]
        await until(pilot, lambda: bool(session.kept))
        await until(pilot, lambda: "6,020.00" in screen(app))
    taken, as_of = session.kept[0]
    assert (taken.why, as_of) == ("schedule", after)
    assert taken.at > 0


async def test_an_alert_that_is_named_has_one_kept(tmp_path: Path) -> None:
    session = Kept(first=live(AT))  # type: ignore[arg-type]
    app = monitor(session, settings(tmp_path, 'snapshot_on = "flip crossed"\n'))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.shown is not None)
        session.say(alert(kind="wall moved"))
        session.say(alert())
        await until(pilot, lambda: bool(session.kept))
    assert [taken.why for taken, _ in session.kept] == ["alert"]


async def test_levels_are_copied_as_text_and_as_a_script() -> None:
    app = monitor(Kept(first=live(AT)))  # type: ignore[arg-type]
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.shown is not None)
        await pilot.press("c")
        await until(pilot, lambda: "flip" in app.clipboard)
        assert "SPX" in app.clipboard
        await pilot.press("C")
        await until(pilot, lambda: "//@version" in app.clipboard)


async def test_inside_tmux_the_text_goes_to_tmux(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = tmp_path / "heard"
    fake = tmp_path / "tmux"
    fake.write_text(f'#!/bin/sh\necho "$@" > {heard}\ncat >> {heard}\n')
    fake.chmod(0o755)
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    app = monitor(Kept(first=live(AT)))  # type: ignore[arg-type]
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.shown is not None)
        await pilot.press("c")
        await until(pilot, lambda: heard.exists() and "flip" in heard.read_text())
    assert heard.read_text().splitlines()[0] == "load-buffer -w -"


async def test_alerts_are_seen_to_one_by_one_and_all_at_once(nowhere: Path) -> None:
    session = Kept(first=live(AT))  # type: ignore[arg-type]
    app = monitor(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.shown is not None)
        for number in range(3):
            session.say(alert(f"number {number}", at=AT + number * NS))
        assert app.channel is not None
        book = app.channel.book
        await until(pilot, lambda: len(book.alerts) == 3)
        await pilot.press("x")
        assert [a.acknowledged for a in book.alerts] == [False, False, True]
        await pilot.press("X")
        assert book.unread == 0
    kept = AlertHistory(nowhere / "alerts").read(day_of(AT))
    assert [a.acknowledged for a in kept.alerts] == [True, True, True]


async def test_what_was_told_earlier_in_the_day_is_there_when_one_begins_again(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    AlertHistory(nowhere / "alerts").add(alert("told in the morning"))
    monkeypatch.setattr(SystemClock, "now_ns", lambda _self: AT + 60 * NS)
    app = monitor(Kept(first=live(AT)))  # type: ignore[arg-type]
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "told in the morning" in screen(app))


async def test_a_delivery_that_hangs_does_not_hold_the_monitor(tmp_path: Path) -> None:
    heard = tmp_path / "heard.json"
    text = (
        f'[delivery.mine]\nkind = "command"\ncommand = ["/bin/sh", "-c", "cat > {heard}"]\n'
        '[delivery.stuck]\nkind = "command"\ncommand = ["/bin/sleep", "600"]\n'
    )
    session = Kept(first=live(AT))  # type: ignore[arg-type]
    app = monitor(session, settings(tmp_path, text))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.shown is not None)
        session.say(alert("through the flip"))
        session.say(live(AT + NS, 6001.0))  # type: ignore[arg-type]
        await until(pilot, lambda: "6,001.00" in screen(app))
        await until(pilot, lambda: heard.exists() and "through the flip" in heard.read_text())


async def test_alerts_of_a_replay_stay_in_the_monitor(tmp_path: Path) -> None:
    heard = tmp_path / "heard.json"
    text = f'[delivery.mine]\nkind = "command"\ncommand = ["/bin/sh", "-c", "cat > {heard}"]\n'
    session = Kept("replay", first=reading(at=AT))
    app = monitor(session, settings(tmp_path, text))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.shown is not None)
        session.say(alert("of long ago", replay=True))
        await until(pilot, lambda: "of long ago" in screen(app))
        assert app.dispatcher is not None
        await asyncio.wait_for(app.dispatcher.drained(), 60)
        assert not heard.exists()


class WithPast(Kept):
    """A live session whose past is another fake."""

    def past(self, at: int) -> object:  # type: ignore[override]
        @asynccontextmanager
        async def made() -> AsyncIterator[FakeSession]:
            past = FakeSession(first=reading(5990.0, mode="replay", at=at))
            past.paused = True
            yield past

        return made()


async def test_what_live_is_to_keep_is_kept_while_its_past_is_looked_at(tmp_path: Path) -> None:
    text = 'snapshot_times = "10:38"\nsnapshot_on = "flip crossed"\n'
    session = WithPast(first=live(AT))  # type: ignore[arg-type]
    app = monitor(session, settings(tmp_path, text))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: app.in_past and "5,990.00" in screen(app))
        # The timetable falls due, and then an alert comes.
        session.say(live(AT + 4 * 60 * NS, 6020.0))  # type: ignore[arg-type]
        await until(pilot, lambda: len(session.kept) == 1)
        session.say(alert(at=AT + 4 * 60 * NS))
        await until(pilot, lambda: len(session.kept) == 2)
    assert [taken.why for taken, _ in session.kept] == ["schedule", "alert"]
    assert {at for _, at in session.kept} == {AT + 4 * 60 * NS}
    assert session.pictures == []  # the screen shows another moment


async def test_an_alert_before_anything_is_known_keeps_nothing_and_does_not_complain(
    tmp_path: Path,
) -> None:
    session = Kept()
    app = monitor(session, settings(tmp_path, 'snapshot_on = "feed reconnecting"\n'))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        session.say(alert("no connection yet", kind="feed reconnecting"))
        await until(pilot, lambda: "no connection yet" in screen(app))
        await pilot.pause()
        assert "nothing to keep" not in screen(app)
    assert session.kept == []


async def test_an_alert_of_live_is_told_once_while_its_past_is_looked_at() -> None:
    session = WithPast(first=live(AT))  # type: ignore[arg-type]
    app = monitor(session)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: app.in_past and "5,990.00" in screen(app))
        session.say(alert("spot fell through"))
        await until(pilot, lambda: "live: spot fell through" in screen(app))
        assert screen(app).count("spot fell through") == 1


async def test_a_monitor_without_duties_only_shows() -> None:
    session = Kept(first=live(AT))  # type: ignore[arg-type]
    app = MonitorApp(session, fps=60.0, glow_s=0.0)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.shown is not None)
        session.say(alert())
        await until(pilot, lambda: "flip crossed" in screen(app))
        assert app.dispatcher is None
        assert app.keeper is None
