"""Services through apprise, against a real server on this machine; secrets stay secret."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest

from gexterm.alerts.delivery import services
from gexterm.alerts.delivery.dispatcher import Dispatcher, try_once
from gexterm.alerts.delivery.make import make_deliveries
from gexterm.alerts.delivery.services import ENV, Service, addresses, split, store
from gexterm.alerts.model import Alert, stamped
from gexterm.clock import ManualClock
from gexterm.config import Settings
from gexterm.config_alerts import DEFAULT_DELIVERIES, DeliverySettings
from gexterm.errors import UsageError
from gexterm.feeds.secrets import Secret
from tests.reading.readings import AS_OF

TOKEN = "s3cr3t-token-of-mine"
# On older Pythons the library asks for a module that is about to go.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def alert(text: str = "spot above 2,730", *, replay: bool = False) -> Alert:
    made = Alert(AS_OF, "level", "warning", text, math.nan, replay)
    return stamped(made, "SPX", "replay" if replay else "live", "combined")


class Server:
    """What the server was sent, and how it answers."""

    def __init__(self) -> None:
        self.port = 0
        self.got: list[dict[str, Any]] = []
        self.code = 200
        self.gate: threading.Event | None = None
        self.asked = threading.Event()

    def url(self, path: str = TOKEN) -> str:
        return f"json://127.0.0.1:{self.port}/{path}"


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked.set()
            if server.gate is not None:
                server.gate.wait(30)
            server.got.append({"path": self.path, **json.loads(body)})
            self.send_response(server.code)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        if server.gate is not None:
            server.gate.set()
        http.shutdown()
        http.server_close()
        thread.join()


async def test_an_alert_arrives_at_a_service() -> None:
    with serving() as server:
        await Service(Secret(server.url())).deliver(alert("a\x1b[2J <b>"))
    [message] = server.got
    assert message["path"] == f"/{TOKEN}"
    assert message["title"] == "gexterm SPX"
    assert message["message"] == "10:35:00 a·[2J <b>"
    assert message["type"] == "warning"


async def test_a_service_that_refuses_is_named_by_its_scheme_alone() -> None:
    with serving() as server:
        server.code = 500
        error = await try_once(Service(Secret(server.url())), alert())
    assert error is not None
    assert str(error) == "json:// did not take it"
    assert error.passing


async def test_a_service_that_is_not_there_is_tried_again_and_told_once() -> None:
    with serving() as server:
        url = server.url()
    said: list[str] = []
    clock = ManualClock()
    way = Service(Secret(url), name="phone")
    out = Dispatcher([way], clock, lambda text, _severity: said.append(text))
    out.submit(alert())
    done = asyncio.ensure_future(out.drained())
    while not done.done():
        if clock.sleepers:
            clock.set(clock.sleepers[0])
        await asyncio.sleep(0.001)
    assert said == ["alerts to phone fail: json:// did not take it"]
    await out.close()


async def test_a_service_that_hangs_is_given_up_and_gets_no_second_alert_meanwhile() -> None:
    with serving() as server:
        server.gate = threading.Event()
        way = Service(Secret(server.url()), timeout_s=0.05)
        first = asyncio.create_task(try_once(way, alert("first")))
        await asyncio.to_thread(server.asked.wait, 30)
        assert str(await first) == "no answer within 0.05 s"
        assert str(await try_once(way, alert("second"))) == "still busy with an earlier alert"
        server.gate.set()
        way.timeout_s = 30.0
        error = await try_once(way, alert("third"))
        while error is not None:
            assert str(error) == "still busy with an earlier alert"
            await asyncio.sleep(0.01)
            error = await try_once(way, alert("third"))
        server.gate = None
    assert [m["message"] for m in server.got] == ["10:35:00 first", "10:35:00 third"]


async def test_an_address_that_nobody_understands_is_not_shown() -> None:
    error = await try_once(Service(Secret(f"nosuch://{TOKEN}")), alert())
    assert str(error) == "apprise does not understand an address (nosuch://)"
    error = await try_once(Service(Secret(f"{TOKEN} no address")), alert())
    assert TOKEN not in str(error)


async def test_nothing_that_apprise_says_of_addresses_reaches_a_log_or_the_screen(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with serving() as server, caplog.at_level(logging.DEBUG):
        server.code = 404
        way = Service(Secret(server.url()))
        await try_once(way, alert())
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(way)
    assert capfd.readouterr() == ("", "")


async def test_an_error_of_the_library_tells_its_kind_and_not_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken:
        def notify(self, **_words: object) -> bool:
            raise RuntimeError(TOKEN)

    monkeypatch.setattr(services, "_opened", lambda _url, _scheme: Broken())
    error = await try_once(Service(Secret("json://x")), alert())
    assert str(error) == "json:// failed (RuntimeError)"


# Where addresses come from


def test_addresses_stand_apart_by_blanks_or_commas() -> None:
    text = " json://a/b,c?x=1,2 \n tgram://bot/chat,ntfys://topic, "
    found = [secret.reveal() for secret in split(text)]
    assert found == ["json://a/b,c?x=1,2", "tgram://bot/chat", "ntfys://topic"]


class Keyring(ModuleType):
    """A keyring that holds what it is told."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.held: dict[tuple[str, str], str] = {}
        self.broken = False

    def get_password(self, service: str, user: str) -> str | None:
        if self.broken:
            raise RuntimeError(TOKEN)
        return self.held.get((service, user))

    def set_password(self, service: str, user: str, text: str) -> None:
        if self.broken:
            raise RuntimeError(text)
        self.held[service, user] = text


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    made = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", made)
    return made


def test_the_environment_comes_before_the_keyring(keyring: Keyring) -> None:
    store("json://kept/1 json://kept/2")
    assert addresses({ENV: "json://set"}) == ([Secret("json://set")], "environment")
    found, where = addresses({})
    assert ([s.reveal() for s in found], where) == (["json://kept/1", "json://kept/2"], "keyring")


def test_a_keyring_that_is_broken_is_told_without_what_it_was_given(keyring: Keyring) -> None:
    keyring.broken = True
    assert addresses({}) == ([], "the keyring cannot be read (RuntimeError)")
    with pytest.raises(UsageError) as caught:
        store(f"json://{TOKEN}")
    assert TOKEN not in str(caught.value)


def test_without_a_keyring_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert addresses({}) == ([], "not set")
    with pytest.raises(UsageError, match="GEXTERM_NOTIFY_URLS"):
        store("json://x")


# Deliveries as set


def chosen(**ways: DeliverySettings) -> Settings:
    return Settings(deliveries={**DEFAULT_DELIVERIES, **ways})


def test_every_kind_is_made_where_there_is_a_screen(keyring: Keyring) -> None:
    settings = chosen(
        bell=DeliverySettings("bell", "warning"),
        terminal=DeliverySettings("terminal", "notice", 30.0, "osc777"),
        desktop=DeliverySettings("desktop"),
        phone=DeliverySettings("apprise"),
        log=DeliverySettings("command", command=("cat",), timeout=3.0),
    )
    environ = {ENV: "json://a ntfys://b"}
    made = make_deliveries(settings, print, lambda _text, _severity: None, environ)
    assert [way.name for way in made.deliveries] == [
        "toast", "bell", "terminal", "desktop", "phone", "phone", "log",
    ]  # fmt: skip
    assert made.problems == ()
    terminal, log = made.deliveries[2], made.deliveries[-1]
    assert (terminal.least, terminal.quiet_s, terminal.style) == ("notice", 30.0, "osc777")  # type: ignore[attr-defined]
    assert log.timeout_s == 3.0


def test_without_a_screen_its_ways_are_left_out(keyring: Keyring) -> None:
    settings = chosen(bell=DeliverySettings("bell"), desktop=DeliverySettings("desktop"))
    assert [way.name for way in make_deliveries(settings).deliveries] == ["desktop"]


def test_what_is_off_is_not_made() -> None:
    settings = chosen(toast=DeliverySettings("toast", "off"))
    assert make_deliveries(settings, print, lambda _text, _severity: None).deliveries == ()


def test_a_missing_library_or_address_is_one_clear_line(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = chosen(phone=DeliverySettings("apprise"))
    [problem] = make_deliveries(settings, environ={}).problems
    assert problem.startswith("alerts to phone: there is no address; set GEXTERM_NOTIFY_URLS")
    monkeypatch.setattr("gexterm.alerts.delivery.make.installed", lambda: False)
    [problem] = make_deliveries(settings, environ={ENV: "json://x"}).problems
    assert problem == "alerts to phone: apprise is not installed; install gexterm[notify]"


def test_apprise_is_not_imported_before_it_is_used() -> None:
    code = (
        "import sys; from gexterm.alerts.delivery.make import make_deliveries;"
        "from gexterm.config import Settings; from gexterm.config_alerts import DeliverySettings;"
        "make_deliveries(Settings(deliveries={'a': DeliverySettings('apprise')}),"
        " environ={'GEXTERM_NOTIFY_URLS': 'json://x'});"
        "sys.exit('apprise' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
