"""The monitor in a real browser: it paints, hears keys, follows the window, and shares a venue."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gexterm.snapshots.png import FONTS
from tests.cli.test_live import listed, trade
from tests.serving.serving import CHROMIUM, FLAGS, LIMIT, Served, runs, served, until
from tests.venues.deribit import FakeDeribit

playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine")

# The page keeps its terminal to itself; what it is made of tells where it is.
HOOK = """
Object.defineProperty(Object.prototype, 'websocket_url', {configurable: true, set(value) {
  window.__viewer = this;
  Object.defineProperty(this, 'websocket_url', {value, writable: true});
}});
if (window.Clipboard) {
  const written = Clipboard.prototype.writeText;
  Clipboard.prototype.writeText = function (text) {
    window.__copied = text;
    return written.call(this, text);
  };
}
window.__rows = () => {
  const terminal = window.__viewer?.terminal, found = [];
  for (let row = 0; row < (terminal?.rows ?? 0); row++)
    found.push(terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row)
      ?.translateToString(true, 0, terminal.cols) ?? '');
  return found;
};
"""


class Page:
    """A viewer in the browser."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.asked: list[str] = []
        self.wrong: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))

    async def rows(self) -> list[str]:
        """What stands in the terminal, top to bottom."""
        found: list[str] = await self.page.evaluate("window.__rows()")
        return found

    async def until(self, wanted: Callable[[list[str]], bool]) -> list[str]:
        """The rows, once they are wanted."""
        rows: list[str] = []
        try:
            async with asyncio.timeout(LIMIT):
                while not (rows and wanted(rows)):
                    await asyncio.sleep(0.05)
                    rows = await self.rows()
        except TimeoutError:
            size = await self.page.evaluate(
                "[window.__viewer?.terminal.cols, window.__viewer?.terminal.rows]"
            )
            raise AssertionError(f"{size}\n" + "\n".join(rows)) from None
        return rows

    async def press(self, key: str) -> None:
        await self.page.keyboard.press(key)


@asynccontextmanager
async def browser() -> AsyncIterator[Callable[..., Any]]:
    """A headless browser; call it with an address for a page of a profile of its own."""
    async with playwright.async_playwright() as made:
        chromium = await made.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)

        async def look(url: str, width: int = 1280, height: int = 720) -> Page:
            profile = await chromium.new_context(viewport={"width": width, "height": height})
            await profile.grant_permissions(["clipboard-read", "clipboard-write"])
            page = await profile.new_page()
            await page.add_init_script(HOOK)
            viewer = Page(page)
            await page.goto(url)
            return viewer

        try:
            yield look
        finally:
            await chromium.close()


def painted(rows: list[str]) -> bool:
    """Whether the desk is there, with a Reading in it."""
    return "SIMULATED" in rows[0] and any("0DTE PARADIGM" in row for row in rows)


def has(*words: str) -> Callable[[list[str]], bool]:
    return lambda rows: all(any(word in row for row in rows) for word in words)


async def test_a_sample_feed_in_a_browser(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(LIMIT),
        served(tmp_path, "demo", "--speed=1") as server,
        browser() as look,
    ):
        one = await look(server.url)
        rows = await one.until(painted)
        # Words on the canvas are a font's, and it is ours: nothing was asked of anybody else.
        assert {url for url in one.asked if not url.startswith(server.base)} <= {"data:,"}
        assert sum(font.name in url for url in one.asked for font in FONTS.glob("*.ttf")) == 2
        assert not one.wrong
        picture = await one.page.screenshot()
        if keep := os.environ.get("GEXTERM_KEEP_PICTURE"):
            Path(keep).write_bytes(picture)  # noqa: ASYNC240
        colours = await one.page.evaluate("document.querySelectorAll('canvas').length")
        assert colours > 0
        assert len(set(picture)) > 50

        # Keys, those that browsers have uses for as well.
        await one.press("g")
        await one.until(lambda now: now[4].split()[0] != rows[4].split()[0])
        for key in ("?", "F1"):
            await one.press(key)
            await one.until(has("KEYS"))
            await one.press("Escape")
            await one.until(painted)
        for key in (":", "Control+p"):
            await one.press(key)
            await one.until(has("Search"))
            await one.press("Escape")
            await one.until(painted)
        await one.press("Control+z")
        await one.press("Control+c")  # copies, and quits nobody

        # Every screen has its key, and each is another one.
        seen = {tuple(rows[2:8])}
        for number in range(2, 9):
            await one.press(str(number))
            now = await one.until(lambda now: tuple(now[2:8]) not in seen)
            assert "SIMULATED" in now[0]
            seen.add(tuple(now[2:8]))
        await one.press("1")
        await one.until(painted)

        # The window.
        wide = len(max(rows, key=len))
        await one.page.set_viewport_size({"width": 820, "height": 500})
        narrow = await one.until(lambda now: painted_at(now, wide))
        assert len(narrow) < len(rows)
        await one.page.set_viewport_size({"width": 1280, "height": 720})
        await one.until(lambda now: len(now) == len(rows) and painted(now))

        # Another viewer goes on while the first stands still, and looks at something else.
        other = await look(server.url)
        await other.until(painted)
        await one.press("Space")
        await one.until(has("PAUSED"))
        await one.press("v")
        await one.until(has("sign view flow"))
        theirs = await other.rows()
        assert not has("PAUSED")(theirs)
        assert has("sign view combined")(theirs)
        assert len(server.children("gexterm demo")) == 2

        # Kept on the server; the path is shown and copied.
        await one.press("s")
        await one.until(has("kept"))
        (folder,) = (tmp_path / "data/gexterm/snapshots").iterdir()
        assert await one.page.evaluate("window.__copied") == str(folder)

        await other.page.close()
        await until(lambda: len(server.children("gexterm demo")) == 1)
        await one.press("q")
        await one.page.get_by_text("This viewer has ended").wait_for()
        await until(lambda: not server.children("gexterm demo"))


def painted_at(rows: list[str], wide: int) -> bool:
    return "SIMULATED" in rows[0] and max(map(len, rows)) < wide


@asynccontextmanager
async def venue() -> AsyncIterator[FakeDeribit]:
    exchange = listed()
    async with FakeDeribit(exchange) as fake:
        market = asyncio.create_task(trade(exchange))
        try:
            yield fake
        finally:
            market.cancel()
            await asyncio.gather(market, return_exceptions=True)


def hub_of(server: Served) -> int:
    (hub,) = server.children("serve hub")
    return hub


async def test_two_browsers_on_a_live_venue_are_one_connection_and_one_recording(
    tmp_path: Path,
) -> None:
    async with (
        asyncio.timeout(LIMIT),
        venue() as fake,
        served(
            tmp_path, "--token=new", "live", "deribit", "BTC", "--expiry=all",
            f"--url={fake.url('/ws/api/v2')}",
        ) as server,
        browser() as look,
    ):  # fmt: skip
        refused = await look(server.base)
        assert "a token is needed" in await refused.page.inner_text("body")
        await refused.page.close()

        one, two = await asyncio.gather(look(server.url), look(server.url))
        assert "token" not in one.page.url
        for viewer in (one, two):
            rows = await viewer.until(lambda now: "LIVE" in now[0] and has("rec")(now))
            assert "deribit, shared live" in rows[-2]
        await one.press("v")
        await one.until(has("sign view flow"))
        await two.until(has("sign view combined"))
        assert fake.connections == 1
        hub = hub_of(server)
        secret = [each for each in environment(hub) if each.startswith("GEXTERM_SHARED_SECRET=")]
        assert len(secret) == 1
        assert not any(secret[0].partition("=")[2] in line for line in server.said)

        # Viewers come and go, and are killed; the hub does not mind.
        first, _second = server.children("serve view")
        os.kill(first, signal.SIGKILL)
        await until(lambda: not runs(first))
        await until(lambda: len(server.children("serve view")) == 2)  # its page came back
        for viewer in (one, two):
            await viewer.until(lambda now: "● LIVE" in now[0])
        assert runs(hub)
        assert fake.connections == 1

        # A hub that dies is told, and the next one is listened to.
        lost = [each.until(lambda now: "RECONNECTING" in now[0]) for each in (one, two)]
        os.kill(hub, signal.SIGKILL)
        await asyncio.gather(*lost)
        for viewer in (one, two):
            await viewer.until(lambda now: "● LIVE" in now[0])
        assert fake.connections == 2
        assert any("hub was killed" in line for line in server.said)
        hub = hub_of(server)
    assert not runs(hub)
    assert sorted(tmp_path.rglob("*.gexrec"))  # noqa: ASYNC240


def environment(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/environ").read_text().split("\0")
