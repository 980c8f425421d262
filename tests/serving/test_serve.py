"""`gexterm serve` without a browser: who is let in, and what becomes of its processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from unittest import mock

import aiohttp
import pytest
import yarl
from textual_serve.download_manager import DownloadManager

from gexterm.serving import viewer
from gexterm.serving.driver import BrowserDriver
from gexterm.serving.hubkeeper import HubEndedError, HubKeeper
from gexterm.serving.viewer import Viewer
from tests.cli.invoke import gexterm
from tests.serving.serving import LIMIT, Served, runs, served, standing, surroundings, until

NONSENSE = (
    "", "[]", "{}", "[1]", '["resize"]', '["resize",{"width":"x","height":1}]', '["stdin"]',
    '["stdin",7]', '["download","/etc/passwd"]',
)  # fmt: skip
TOKEN = "a-token-that-is-long-enough"


@pytest.fixture(scope="module")
def standing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with standing(tmp_path_factory.mktemp("home"), "--allow-host", "wall.example", "demo") as one:
        yield one


@pytest.fixture
async def server(standing_server: Served) -> AsyncIterator[Served]:
    """A server that several tests share; each leaves it without viewers."""
    async with asyncio.timeout(LIMIT):
        yield standing_server
        await until(lambda: not standing_server.children())


async def get(
    server: Served, path: str = "", jar: aiohttp.CookieJar | None = None, **headers: str
) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as client,
        client.get(server.base + path, headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status, await answer.text()


async def begin(server: Served, client: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """A viewer's websocket."""
    origin = server.base.rstrip("/")
    return await client.ws_connect(server.base + "ws?width=100&height=30", origin=origin)


async def look(server: Served, client: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """The same, once its monitor has painted."""
    socket = await begin(server, client)
    seen = b""
    while b"SPX" not in seen:
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.BINARY, message
        seen += message.data
    return socket


async def test_two_viewers_are_two_processes_and_each_ends_with_its_page(server: Served) -> None:
    async with aiohttp.ClientSession() as client:
        one, two = await asyncio.gather(look(server, client), look(server, client))
        first, second = server.children("gexterm demo")
        await one.close()
        await until(lambda: not (runs(first) and runs(second)))
        assert runs(first) or runs(second)
        await two.close()
        await until(lambda: not server.children())


async def test_a_monitor_that_is_lost_is_told_to_its_page_and_one_that_was_quit_too(
    server: Served,
) -> None:
    async with aiohttp.ClientSession() as client:

        async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
            async for _ in socket:
                pass
            return socket.close_code

        lost, quits = await asyncio.gather(look(server, client), look(server, client))
        for text in NONSENSE:  # is passed over
            await quits.send_str(text)
        await quits.send_json(["resize", {"width": 10**9, "height": -5}])
        await quits.send_json(["stdin", "q"])
        assert await close_code(quits) == 1000
        (process,) = server.children("gexterm demo")
        os.kill(process, signal.SIGKILL)
        assert await close_code(lost) == 1011
        await until(lambda: not server.children())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_no_process_outlives_the_server(tmp_path: Path, how: signal.Signals) -> None:
    async with served(tmp_path, "demo") as server, aiohttp.ClientSession() as client:
        await begin(server, client)
        await until(lambda: bool(server.children("gexterm demo")))
        (viewer,) = server.children("gexterm demo")
        server.process.send_signal(how)
        await server.process.wait()
        await until(lambda: not runs(viewer))
    assert server.process.returncode == (-9 if how is signal.SIGKILL else 0)


async def test_a_token_guards_everything_and_is_in_no_line_but_the_first(tmp_path: Path) -> None:
    async with served(tmp_path, "--token", TOKEN, "demo") as server:
        assert server.url.endswith(f"?token={TOKEN}")
        for path in ("", "static/js/textual.js", "font/DejaVuSansMono.ttf", "ws", "alive",
                     "download/x", "nothing", "?token=wrong", f"ws?token={TOKEN}"):  # fmt: skip
            status, text = await get(server, path)
            assert status == 403, path
            assert len(text.splitlines()) == 1
            assert TOKEN not in text
        jar = aiohttp.CookieJar(unsafe=True)
        assert (await get(server, f"?token={TOKEN}&fontsize=12", jar))[0] == 303
        (cookie,) = jar
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert TOKEN not in cookie.value
        assert (await get(server, "", jar))[0] == 200
        assert (await get(server, "static/js/textual.js", jar))[0] == 200
        assert (await get(server, "static/../server.py", jar))[0] == 404
        assert (await get(server, "nothing", jar))[0] == 404
        async with aiohttp.ClientSession(cookie_jar=jar) as client:
            await begin(server, client)
    assert sum(TOKEN in line for line in server.said) == 1


async def test_other_pages_and_other_names_are_kept_out(server: Served) -> None:
    port = yarl.URL(server.base).port
    assert (await get(server, Host=f"evil.example:{port}"))[0] == 403
    assert (await get(server, Host=f"localhost:{port}"))[0] == 200
    assert (await get(server, Host="wall.example"))[0] == 200
    assert (await get(server, Origin="http://evil.example"))[0] == 403
    async with aiohttp.ClientSession() as client:
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{(port or 0) + 1}"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(server.base + "ws", origin=origin)
            assert refused.value.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.ws_connect(server.base + "ws")


async def test_the_page_asks_nobody_else_for_anything(server: Served) -> None:
    async with aiohttp.ClientSession() as client, client.get(server.base) as answer:
        page, headers = await answer.text(), answer.headers
    assert "http://" not in page
    assert "https://" not in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


async def test_more_viewers_than_it_takes_are_told_so(tmp_path: Path) -> None:
    async with (
        served(tmp_path, "--viewers", "1", "demo") as server,
        aiohttp.ClientSession() as client,
    ):
        first = await begin(server, client)
        second = await client.ws_connect(server.base + "ws", origin=server.base.rstrip("/"))
        message = await second.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == 1008
        assert "1 viewers already" in str(message.extra)
        await first.close()


# -- what cannot be --------------------------------------------------------------------------


def test_without_its_extra_it_says_in_one_line_how_to_install_it() -> None:
    real = __import__("importlib.util").util.find_spec
    with mock.patch(
        "importlib.util.find_spec",
        side_effect=lambda name, *more: None if name == "textual_serve" else real(name, *more),
    ):
        outcome = gexterm("serve", "demo")
    assert outcome.code == 2
    assert "pip install 'gexterm[serve]'" in outcome.one_clear_line


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("demo", "nosuch"), 3, "nosuch"),
        (("demo", "--speed", "0"), 2, "--speed"),
        (("demo", "--expiry", "tomorrow"), 2, "--expiry"),
        (("replay", "/nosuch.gexrec"), 3, "no file"),
        (("live", "nosuch", "SPX"), 2, "nosuch"),
        (("live", "deribit", "BTC", "--carry", "x", "--no-carry"), 2, "contradict"),
        (("--port", "70000"), 2, "--port"),
        (("--token", "short", "demo"), 2, "16 characters"),
        (("hub", "deribit", "BTC"), 2, "by hand"),
        (("view", "BTC"), 2, "by hand"),
    ],
)
def test_what_cannot_be_served_is_said_at_once(
    arguments: tuple[str, ...], code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GEXTERM_SHARED_SECRET", "GEXTERM_SERVE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    outcome = gexterm("serve", *arguments)
    assert outcome.code == code
    assert words in outcome.one_clear_line


def test_what_keeps_the_hub_from_starting_is_said_once(tmp_path: Path) -> None:
    env = {k: v for k, v in surroundings(tmp_path).items() if not k.startswith("MASSIVE")}
    ended = subprocess.run(
        [sys.executable, "-m", "gexterm", "serve", "--port=0", "live", "massive", "SPX"],
        env=env, capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("gexterm: ")


async def test_a_hub_that_is_slow_to_leave_still_says_with_which_code() -> None:
    script = "import os, sys, time; os.close(1); time.sleep(0.3); sys.exit(3)"
    async with asyncio.timeout(LIMIT):
        with pytest.raises(HubEndedError) as caught:
            await HubKeeper([sys.executable, "-c", script], print).__aenter__()
    assert caught.value.exit_code == 3


async def test_a_hub_that_ends_is_started_anew_on_its_port_and_ends_with_its_keeper() -> None:
    script = (
        "import os, sys, time; port = sys.argv[1].split('=')[1];"
        "assert os.environ['GEXTERM_SHARED_SECRET'];"
        "print(f'ws://127.0.0.1:{port if port != \"0\" else 4242}/', flush=True); time.sleep(60)"
    )
    said: list[str] = []
    async with asyncio.timeout(LIMIT):
        async with HubKeeper([sys.executable, "-c", script], said.append, [0.0]) as keeper:
            first = keeper.pid
            assert keeper.url == "ws://127.0.0.1:4242/"
            os.kill(first, signal.SIGKILL)
            await until(lambda: keeper.starts == 2 and keeper.pid not in (0, first))
            await until(lambda: runs(keeper.pid))
            assert keeper.url == "ws://127.0.0.1:4242/"
            second = keeper.pid
        assert not runs(second)
    assert said == ["the hub was killed by signal 9; starting it anew in 0 s"]
    assert keeper.secret not in repr(vars(keeper)["_argv"])


def test_an_address_that_cannot_be_had_is_one_line() -> None:
    outcome = gexterm("serve", "--host", "192.0.2.1", "--port", "1", "demo")
    assert outcome.code == 4
    assert "192.0.2.1:1" in outcome.one_clear_line


async def test_a_monitor_that_hears_nothing_any_more_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewer, "QUIT_S", 0.1)
    monkeypatch.setattr(viewer, "TERM_S", 0.1)
    deaf = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    )
    socket = mock.AsyncMock()
    made = Viewer([sys.executable, "-c", deaf], os.environ, socket, DownloadManager())
    async with asyncio.timeout(LIMIT):
        await made.start(80, 24)
        assert made._process is not None
        await until(lambda: runs(made._process.pid))
        await made.stop()
        await made.stop()
    assert made._process.returncode == -signal.SIGKILL
    assert not runs(made._process.pid)


async def test_what_a_monitor_says_before_it_fails_is_what_its_page_is_told() -> None:
    socket = mock.AsyncMock()
    fails = "import sys; sys.exit('gexterm: there is no such thing; try another')"
    made = Viewer([sys.executable, "-c", fails], os.environ, socket, DownloadManager())
    async with asyncio.timeout(LIMIT):
        await made.start(80, 24)
        assert made._task is not None
        await made._task
        await made.stop()
    socket.close.assert_awaited_once_with(
        code=1011, message=b"gexterm: there is no such thing; try another"
    )


def test_a_write_that_is_cut_short_does_not_tear_a_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    written = bytearray()

    def some(_file: int, data: memoryview) -> int:
        written.extend(data[:3])
        return min(3, len(data))

    monkeypatch.setattr(os, "write", some)
    driver = BrowserDriver.__new__(BrowserDriver)
    driver._gone = False
    driver.fileno = 1
    driver._whole(b"0123456789")
    assert bytes(written) == b"0123456789"
