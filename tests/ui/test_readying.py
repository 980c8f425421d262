"""Screens are made before they are gone to, and look as they would have."""

from __future__ import annotations

from gexterm.ui.actions import SCREENS
from tests.ui.test_desk import AT, FakeSession, monitor, reading, screen, until

MADE = [name for name in SCREENS if name != "start"]


async def test_every_screen_of_the_market_is_made_and_the_desk_stays_on_top() -> None:
    app = monitor()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        before = screen(app)
        await app.make_ready()
        await pilot.pause()
        assert app.screen is app.desk
        assert screen(app) == before
        assert all(app.view(name).is_mounted for name in MADE)
        assert not app._screen_stacks.get("start")


async def test_a_screen_made_ahead_shows_what_one_made_on_the_spot_shows() -> None:
    shown = []
    for ahead in (True, False):
        app = monitor(FakeSession(first=reading(at=AT)))
        async with app.run_test(size=(160, 48)) as pilot:
            await until(pilot, lambda app=app: "6,012.35" in screen(app))  # type: ignore[misc]
            if ahead:
                await app.make_ready()
            await pilot.press("7")
            # A screen made on the spot is painted once before it is laid out for its size.
            await until(
                pilot,
                lambda app=app: (
                    "WHERE THEY PART" in screen(app)  # type: ignore[misc]
                    and "SPX  Fri 20 Nov" in screen(app)
                    and screen(app) == (shown or [screen(app)])[0]
                ),
            )
            shown.append(screen(app))
    assert shown[0] == shown[1]


async def test_a_screen_made_ahead_takes_part_in_a_change_of_theme_and_size() -> None:
    app = monitor()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await app.make_ready()
        await pilot.press("t")
        await pilot.resize_terminal(160, 48)
        await pilot.press("8")
        await until(pilot, lambda: "QUOTE AGE BY STRIKE" in screen(app))
        health = app.view("health")
        assert health.palette is app.palette
        assert health.size == (160, 48)
        assert health.styles.background.hex.lower() == app.palette.colors["background"].lower()
        assert health.has_class("-wide", "-taller")


async def test_keys_that_were_changed_hold_and_the_others_stay() -> None:
    app = monitor(keys={"greek_next": "f6"})
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        greek = app.frame().greek
        await pilot.press("g")
        assert app.frame().greek == greek
        await pilot.press("f6")
        after = app.frame().greek
        assert after != greek
        await pilot.press("G")
        assert app.frame().greek == greek
