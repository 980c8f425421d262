"""What a frame of the profile and of the heat map costs, 160×48, while only spot moves.

CPU time of painting and of Textual's drawing, headless: what the terminal takes is in
`benchmarks.ladder`. Five minutes of the day lie behind it, and an answer to every question.
"""

from __future__ import annotations

import asyncio
import time

from benchmarks.harness import Row, at_most

FRAMES, WARMUP = 60, 15
BAR_MS = 6.0


async def _cost(name: str, minutes: int) -> float:
    """CPU ms per frame."""
    from gexterm.ui.app import MonitorApp
    from tests.ui.answers import Answers, day_of
    from tests.ui.fakes import NS, OPEN, FakeSession, reading

    session = FakeSession()
    start = OPEN + 61 * 60 * NS
    day_of(session.day, start, minutes)
    made = [reading(6012.35 + 0.05 * i, start + i * NS // 10) for i in range(24)]
    session.inquire = Answers(made[0])
    session.say(made[0])
    app = MonitorApp(session, fps=1.0, glow_s=0.0)
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.pause(0.2)
        app.go(name)
        await pilot.pause(0.5)
        assert app.channel is not None
        spent = 0.0
        for turn in range(WARMUP + FRAMES):
            app.channel.newest = made[turn % len(made)]
            begin = time.process_time()
            app.refresh_screen()
            await asyncio.sleep(0.03)
            if turn >= WARMUP:
                spent += time.process_time() - begin
    return 1000 * spent / FRAMES


def run() -> list[Row]:
    """Both screens."""
    return [
        at_most(f"{name} 160x48, spot moves a little: CPU",
                min(asyncio.run(_cost(name, 60)) for _ in range(2)), BAR_MS, "ms/frame")
        for name in ("profile", "heatmap")
    ]  # fmt: skip
