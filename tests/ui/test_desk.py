"""The desk as a user meets it: keys, sizes, a market that goes on meanwhile."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot

from gexterm.alerts.model import Alert
from gexterm.market.events import FeedStatus
from gexterm.ui.actions import ACTIONS, works_on
from gexterm.ui.app import MonitorApp
from gexterm.ui.capture import capture
from gexterm.ui.help import HelpScreen
from tests.ui.fakes import CLOSE, NS, OPEN, FakeSession, in_doubt, reading

PATIENCE_S = 60.0
"""How long something may take on a busy machine before it counts as never."""
SIZES = [(80, 24), (120, 36), (160, 48), (200, 60)]
AT = OPEN + 61 * 60 * NS


def screen(app: MonitorApp) -> str:
    return "\n".join("".join(run.text for run in row) for row in capture(app).rows)


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Let the app work until something holds; fails when it never does."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if true():
            return
        await pilot.pause(0.01)
    raise AssertionError(f"never came true; the screen is\n{screen(pilot.app)}")  # type: ignore[arg-type]


def monitor(session: FakeSession | None = None, **options: object) -> MonitorApp:
    session = session or FakeSession(first=reading(at=AT))
    options = {"fps": 60.0, "glow_s": 0.0, **options}
    return MonitorApp(session, **options)  # type: ignore[arg-type]


def fake(app: MonitorApp) -> FakeSession:
    assert isinstance(app.session, FakeSession)
    return app.session


@pytest.mark.parametrize("size", SIZES)
async def test_each_size_shows_spot_paradigm_gamma_flip_and_mode(size: tuple[int, int]) -> None:
    app = monitor(FakeSession(first=reading(view="customer-flow", at=AT)))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        shown = screen(app)
        for part in (
            "Anti-GEX",
            "long",
            "flip",
            "REPLAY",
            "10:36:00",
            "LIS",
            "customer-flow × volume",
        ):
            assert part in shown, part
        rows = shown.splitlines()
        assert len(rows) == size[1]
        assert all(len(row) == size[0] for row in rows)


INFERRED_SIZES = {
    (80, 24): ("combined since 09:30", "BofA 83%", "short −5.76bn", "6,002 ±8", "signed 71%",
               "±sd", "▾6,000±5", "sign in doubt"),
    (100, 30): ("combined", "BofA", "83%", "±1.7bn", "±sd", "LIS ▾6,000±5"),
    (120, 36): ("P(short) 97%", "flip 6,002 ±8", "Sidial 2% Mixed 4%", "5,995–6,005", "97% of 73",
                "placebo 91%", "▸combined", "long both", "EVIDENCE", "−100…+720M"),
    (160, 48): ("vanna 0DTE", "evidence: combined", "at quote 40%", "≠Anti-GEX", "so far"),
    (200, 60): ("open int.", "whole book", "≤ 30 d", "vanna stoch.", "HEDGED SO FAR", "REGIME",
                "this morning's book"),
}  # fmt: skip


@pytest.mark.parametrize("size", INFERRED_SIZES)
async def test_each_size_shows_how_sure_the_inferred_book_is(size: tuple[int, int]) -> None:
    app = monitor(FakeSession(first=reading(view="combined", at=AT)))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        shown = screen(app)
        for part in ("REPLAY", "10:36:00", *INFERRED_SIZES[size]):
            assert part in shown, part
        assert all(len(row) == size[0] for row in shown.splitlines())
        assert shown.lower().count("evidence") <= 1


@pytest.mark.parametrize("size", INFERRED_SIZES)
async def test_the_signing_trap_is_on_every_screen(size: tuple[int, int]) -> None:
    app = monitor(FakeSession(first=in_doubt(reading(view="combined", at=AT))))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "SIGNING TRAP" in screen(app))
        shown = screen(app)
        assert "leaning BofA 47%" in shown
        if size[0] > 100:
            assert "94 % of those" in shown


async def test_wider_screens_show_more_ladders() -> None:
    titles = {}
    for size in SIZES:
        app = monitor()
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: "6,012.35" in screen(app))  # noqa: B023 - awaited here
            titles[size] = screen(app)
    assert "vanna 0DTE" not in titles[80, 24]
    assert "vanna 0DTE" in titles[160, 48]
    assert "open int." in titles[200, 60]
    assert "the day" in titles[200, 60]
    assert "HEDGE FLOW" in titles[120, 36]
    assert "HEDGE FLOW" not in titles[80, 24]


@pytest.mark.parametrize("size", [(20, 5), (39, 24), (80, 9), (3, 2), (1, 1)])
async def test_a_tiny_terminal_is_told_what_is_needed_and_recovers(size: tuple[int, int]) -> None:
    app = monitor()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        fake(app).say(reading(6013.0, at=AT))
        if size[0] >= 20:
            await until(pilot, lambda: "at least 40×10" in screen(app))
            assert "6,012" not in screen(app)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "6,013.00" in screen(app))
        assert "at least" not in screen(app)
        await pilot.resize_terminal(*size)
        await until(pilot, lambda: "6,013.00" not in screen(app))


async def test_resizing_while_readings_arrive_never_shows_a_stale_width() -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        for number, (width, height) in enumerate([*SIZES, *SIZES[::-1], (50, 12), (120, 36)]):
            fake(app).say(reading(6000.0 + number, at=AT + number * NS))
            await pilot.resize_terminal(width, height)
            fake(app).say(reading(6100.0 + number, at=AT + number * NS))
            await until(pilot, lambda n=number: f"6,{100 + n}.00" in screen(app))  # type: ignore[misc]
            assert all(len(row) == width for row in screen(app).splitlines())


async def test_the_newest_reading_wins() -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        before = app.painted
        for cents in range(300):
            fake(app).say(reading(6020.0 + cents / 100, at=AT))
        await until(pilot, lambda: "6,022.99" in screen(app))
        assert app.painted - before < 100


async def test_nothing_is_painted_while_nothing_changes() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.pause(0.1)
        before = app.painted
        await pilot.pause(0.2)
        assert app.painted == before


# -- keys -------------------------------------------------------------------------------


async def test_g_goes_through_the_greeks() -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "charm 0DTE" in screen(app))
        seen = []
        for _ in range(6):
            await pilot.press("g")
            seen.append(screen(app).splitlines()[2].split()[0])
        assert seen == ["vanna", "vega", "delta", "decay", "gamma", "charm"]
        await pilot.press("G")
        assert screen(app).splitlines()[2].split()[0] == "gamma"


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("e", ("scope", "all")),
        ("E", ("scope", "2026-11-24")),
        ("v", ("view", "long-both")),
        ("V", ("view", "squeezemetrics")),
        ("space", ("pause", None)),
    ],
)
async def test_a_key_asks_the_session(key: str, asked: tuple[str, object]) -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press(key)
        assert fake(app).asked == [asked]


async def test_views_come_round_again() -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        for _ in range(6):
            await pilot.press("v")
        assert [name for _, name in fake(app).asked] == [
            "long-both", "combined", "flow", "customer-flow", "squeezemetrics", "short-both",
        ]  # fmt: skip


async def test_from_a_view_that_the_feed_chose_the_next_is_the_one_after_it() -> None:
    session = FakeSession(first=reading(view="squeezemetrics", at=AT))
    session.view = "auto"
    app = monitor(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("v")
        assert session.asked == [("view", "short-both")]


async def test_speed_stays_within_what_there_is() -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press(*["minus"] * 5)
        assert fake(app).speed == 0.25
        await pilot.press(*["plus"] * 20)
        assert fake(app).speed == 600.0
        await until(pilot, lambda: "REPLAY ×600" in screen(app))


async def test_seeking_stays_within_the_recording() -> None:
    app = monitor(FakeSession(first=reading(at=OPEN + 60 * NS)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("left_square_bracket")
        fake(app).say(reading(6001.0, at=CLOSE - 60 * NS))
        await until(pilot, lambda: "6,001.00" in screen(app))
        await pilot.press("right_curly_bracket")
        assert fake(app).asked == [("seek", OPEN), ("seek", CLOSE)]


async def test_pausing_a_replay_is_shown_and_undone() -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("space")
        await until(pilot, lambda: "PAUSED" in screen(app) and "go on" in screen(app))
        await pilot.press("space")
        await until(pilot, lambda: "PAUSED" not in screen(app))


async def test_holding_a_live_market_holds_the_screen_only() -> None:
    app = monitor(FakeSession("live", reading(mode="live", at=AT)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("space")
        fake(app).say(reading(6050.0, mode="live", at=AT))
        await until(pilot, lambda: "HELD" in screen(app))
        await until(pilot, lambda: app.channel.newest.spot == 6050.0)
        assert "6,012.35" in screen(app)
        assert fake(app).asked == []
        await pilot.press("space")
        await until(pilot, lambda: "6,050.00" in screen(app))
        assert "HELD" not in screen(app)


@pytest.mark.parametrize(
    ("key", "said"),
    [("left_square_bracket", "nothing of this session is"), ("plus", "a live market is where")],
)
async def test_a_live_market_cannot_be_wound(key: str, said: str) -> None:
    app = monitor(FakeSession("live", reading(mode="live", at=AT)))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press(key)
        await until(pilot, lambda: said in screen(app))
        assert fake(app).asked == []


async def test_the_view_scrolls_with_keys_and_comes_back() -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("pageup", "pageup", "up")
        assert "6,012.35" not in "\n".join(screen(app).splitlines()[1:-4])
        await pilot.press("home")
        assert "6,012.35" in "\n".join(screen(app).splitlines()[1:-4])
        await pilot.press("down", "pagedown", "pagedown", "pagedown")
        assert "6,012.35" not in "\n".join(screen(app).splitlines()[1:-4])


async def test_a_snapshot_keeps_the_screen_and_tells_where() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        app.notify("something older")
        await until(pilot, lambda: "something older" in screen(app))
        await pilot.press("s")
        await until(pilot, lambda: "/kept/SPX-2026-11-20T103600.svg" in screen(app))
        (picture,) = fake(app).pictures
        text = "\n".join("".join(run.text for run in row) for row in picture.rows)
        assert "6,012.35" in text
        assert "REPLAY" in text
        assert "something older" not in text
        assert app.clipboard == str(Path("/kept/SPX-2026-11-20T103600.svg"))


async def test_what_the_session_refuses_is_told() -> None:
    app = monitor()
    fake(app).refuse = "the disk is [red]full[/red]"
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        for key in ("s", "e"):
            await pilot.press(key)
        await until(pilot, lambda: screen(app).count("the disk is [red]full[/red]") == 2)


async def test_alerts_arrive_open_and_scroll() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        for number in range(20):
            at = AT + number * 60 * NS
            fake(app).say(Alert(at, "lis touched", "notice", f"alert {number}", math.nan, True))
        await until(pilot, lambda: "alert 19" in screen(app))
        assert "alert 10" not in screen(app)
        await pilot.press("a")
        await until(pilot, lambda: "alert 10" in screen(app))
        await pilot.press(*["down"] * 19)
        await until(pilot, lambda: "alert 0" in screen(app) and "alert 19" not in screen(app))
        await pilot.press("a")
        await until(pilot, lambda: "alert 19" in screen(app) and "alert 10" not in screen(app))


async def test_themes_change_the_colours_and_nothing_else() -> None:
    app = monitor(theme="dark")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        before, text = capture(app).rows[4], screen(app)
        for _ in range(len(app.palettes)):
            await pilot.press("t")
            app.clear_notifications()
            await until(pilot, lambda: screen(app) == text)
        assert capture(app).rows[4] == before
        await pilot.press("t")
        assert capture(app).rows[4] != before


async def test_an_unknown_theme_is_told_and_another_used() -> None:
    app = monitor(theme="pink")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: "there is no theme `pink`" in screen(app))


async def test_keys_can_be_remapped() -> None:
    app = monitor(keys={"greek_next": "o", "view_next": "g"})
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("o")
        assert "vanna" in screen(app).splitlines()[2]
        await pilot.press("g")
        assert fake(app).asked == [("view", "long-both")]
        assert " o greek" in screen(app).splitlines()[-1]


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quit(key: str) -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press(key)
        await until(pilot, lambda: app._exit)
    assert app.return_code == 0


# -- over the desk -----------------------------------------------------------------------


async def test_help_opens_scrolls_and_closes_while_readings_arrive() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: "Next greek" in screen(app))
        fake(app).say(reading(6030.0, at=AT))
        await until(pilot, lambda: "6,030.00" in screen(app))
        assert isinstance(app.screen, HelpScreen)
        for _ in range(3):
            await pilot.press("pagedown")
        await until(pilot, lambda: "Next greek" not in screen(app))
        await pilot.press("end")
        await until(pilot, lambda: "long-both" in screen(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.desk)
        assert "6,030.00" in screen(app)


async def test_keys_behind_help_do_nothing() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("question_mark", "down", "up", "enter")
        assert isinstance(app.screen, HelpScreen)
        assert fake(app).asked == []


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)])
async def test_help_fits_and_survives_resizing(size: tuple[int, int]) -> None:
    app = monitor()
    async with app.run_test(size=size) as pilot:
        await pilot.press("f1")
        await until(pilot, lambda: "KEYS" in screen(app))
        await pilot.resize_terminal(20, 5)
        await pilot.pause()
        await pilot.resize_terminal(120, 36)
        await until(pilot, lambda: "KEYS" in screen(app))


async def test_the_palette_finds_our_actions_and_themes() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        names = {command.title for command in app.get_system_commands(app.screen)}
        here = [action for action in ACTIONS if works_on(action, "desk")]
        assert {action.title for action in here if action.id != "palette"} <= names
        assert "Sign view: long-both" in names
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.desk)


async def test_the_palette_runs_what_it_lists() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        for command in app.get_system_commands(app.screen):
            if command.title == "Sign view: squeezemetrics":
                command.callback()
        assert fake(app).asked == [("view", "squeezemetrics")]


# -- the life of a session ------------------------------------------------------------------


async def test_before_the_first_reading_the_desk_waits() -> None:
    app = monitor(FakeSession())
    fake(app).status = FeedStatus("connecting", "asking cboe")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Waiting for SPX" in screen(app))
        assert "asking cboe" in screen(app)
        assert "CONNECTING" in screen(app)
        for action in ACTIONS:
            if action.id not in ("quit", "palette", "help", "snapshot"):
                await pilot.press(action.keys[0])
        assert app.is_running


async def test_a_lost_feed_shows_at_once_and_goes_when_it_is_back() -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        fake(app).status = FeedStatus("reconnecting", "reset by peer", {"retry_in_s": 4.0})
        await until(pilot, lambda: "RECONNECTING 4s" in screen(app))
        assert "reset by peer" in screen(app)
        fake(app).status = FeedStatus("live")
        await until(pilot, lambda: "RECONNECTING" not in screen(app))


async def test_the_end_of_a_session_leaves_the_last_reading() -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        fake(app).say(None)
        await until(pilot, lambda: "ENDED" in screen(app))
        assert "6,012.35" in screen(app)


async def test_a_changed_level_glows_and_is_then_quiet() -> None:
    app = monitor(glow_s=0.3)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        glow = app.palette.color("glow")

        def glowing() -> bool:
            return any(run.bg == glow for row in capture(app).rows for run in row)

        assert not glowing()
        found = reading(6012.35, at=AT + NS)
        changed = reading(6012.35, at=AT + NS, zero_dte=_moved(found.zero_dte))
        fake(app).say(changed)
        await until(pilot, glowing)
        await until(pilot, lambda: not glowing())


def _moved(zero):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(zero, lis_upper=zero.lis_upper - 10)


async def test_another_view_makes_nothing_glow() -> None:
    app = monitor(glow_s=60.0)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        fake(app).say(reading(6012.35, at=AT + NS, view="customer-flow"))
        await until(pilot, lambda: "customer-flow × volume" in screen(app))
        glow = app.palette.color("glow")
        assert not any(run.bg == glow for row in capture(app).rows for run in row)


async def test_winding_back_forgets_the_future() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        for minute in range(5):
            spot = 6000.0 + minute
            fake(app).say(reading(spot, at=AT + minute * 60 * NS))
            await until(pilot, lambda s=spot: f"{s:,.2f}" in screen(app))  # type: ignore[misc]
        fake(app).say(reading(5999.0, at=AT + 61 * NS))
        await until(pilot, lambda: "5,999.00" in screen(app))
        assert fake(app).day.rows[-1].at <= AT + 61 * NS


async def test_leaving_while_a_frame_is_on_its_way_is_clean() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        for cents in range(50):
            fake(app).say(reading(6020.0 + cents / 100, at=AT))
        app.exit()
        app.refresh_screen()
        await asyncio.sleep(0)
    app.refresh_screen()
    assert app.return_code == 0


async def test_an_error_inside_ends_without_a_traceback_on_screen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = monitor()

    async def broken():  # type: ignore[no-untyped-def]
        raise ZeroDivisionError("secret=42")
        yield

    fake(app).alerts = broken  # type: ignore[method-assign]
    with pytest.raises(Exception, match="secret"):
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.crash is not None)
    assert "ZeroDivisionError" in repr(app.crash.__cause__ or app.crash)  # type: ignore[union-attr]
    captured = capsys.readouterr()
    assert "secret" not in captured.out + captured.err


async def test_hostile_names_stay_text_in_notices_and_palette() -> None:
    session = FakeSession(first=reading(at=AT))
    session.views = ("[red]x[/red]\x1b[2J", "short-both")
    app = monitor(session)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("v")
        await until(pilot, lambda: "sign view: [red]x[/red]·[2J" in screen(app))


async def test_without_colours_doubt_still_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = monitor(FakeSession(first=in_doubt(reading(view="flow", at=AT))))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        for row in capture(app).rows:
            for run in row:
                assert run.fg != run.bg or not run.text.strip()
        for part in ("╱", "leaning", "short?", "buy?", "SIGNING TRAP", "±", "signed 43%"):
            assert part in screen(app), part


async def test_without_colours_sides_and_signs_still_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        for row in capture(app).rows:
            for run in row:
                assert len({run.fg[1:3], run.fg[3:5], run.fg[5:7]}) == 1
                assert run.fg != run.bg or not run.text.strip()
        for part in ("buy◂", "▸sell", "short◂", "▸long", "▴LIS", "▾LIS", "−"):
            assert part in screen(app), part
