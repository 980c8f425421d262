"""Keys and tokens of a run are in nothing that it wrote, said or painted.

Every command that connects runs as a process of its own against each fake venue, with keys
that can be recognised. The venue repeats them, in its words and in nonsense, as it does the
tokens it gave out. Then everything is searched: files, unpacked and as they lie, standard
output and error, and every byte that went to the terminal.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import datetime as dt
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import zstandard
from databento_dbn import SystemCode

from gexterm.feeds.venue import find_venue
from gexterm.recording.frames import ANSWERED, Frames, RawAnswer
from gexterm.recording.reader import Recording
from tests.faults import market
from tests.faults.market import Databento, Dxlink, Massive, Print, Script, Step, Teller, Tradier
from tests.terminal.terminal import ROOT, Terminal
from tests.venues import databento, dxlink, tradier
from tests.venues.massive import status

ZSTD = b"\x28\xb5\x2f\xfd"
LIMIT = 60.0
KEYS = {
    "massive": {"key": "mAss-Key/9f+3=Qz7xTt5Lw"},
    "dxlink": {
        "client-secret": "cLieNt/sEcret+71=bYq8",
        "refresh-token": "reFresh.Tok/en+55=Zk2w",
    },
    "databento": {"key": "db-Zq8Yx7Wv6Ut5Sr4Qp3On2Ml1Kj0Ih"},
    "tradier": {"token": "tRadIer/Acc+ess=88Hh4Rr"},
}
"""With letters that addresses and JSON spell in other ways, where the venue's may have them."""
WRONG = {
    "massive": {"key": "wRong-Mass/key+41=Vv6Nn"},
    "dxlink": {"client-secret": "wRong/clieNt+62=Jj3", "refresh-token": "wRong.refr/esh+9=Ff1"},
    "databento": {"key": "db-Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0"},
    "tradier": {"token": "wRong-tRad/ier+17=Xx9Pp"},
}


# -- venues that repeat what they were told --------------------------------------------------------


class ParrotMassive(Massive):
    """Says back the key: in a status, in a refusal, in a page, in nonsense."""

    async def open(self) -> None:
        await super().open()
        self.venue._login = self._login  # type: ignore[method-assign]

    def _login(self, client: Any, key: Any) -> None:
        if key != self.venue.key:
            client.send(json.dumps([status("auth_failed", f"no plan has the key {key}")]))
            client.ended = True
            client.wake.set()
            return
        client.authenticated = True
        client.send(json.dumps([status("auth_success", f"authenticated {key}")]))

    async def echo(self) -> None:
        for said in spellings(self.venue.key):
            self.venue.say(json.dumps([status("error", f"not entitled: {said}")]))
            self.venue.say(f'[{{"ev":"T","sym":"{said}","p":"x"}}]')
            self.venue.say("{" + said)


class ParrotDxlink(Dxlink):
    """Says back the quote token and the access token."""

    async def echo(self) -> None:
        # What it gave to another program before, this one cannot know for a secret.
        newest = [self.venue.issued[-1], f"access-token-{len(self.venue.access) - 1}-0123456789"]
        for token in (*newest, *KEYS["dxlink"].values()):
            for said in spellings(token):
                for message in (
                    {"type": "ERROR", "channel": 0, "error": "ODD", "message": f"{said} is odd"},
                    '{"type":"FEED_DATA","channel":1,"data":["' + said,
                    {"type": said, "channel": 0},
                ):
                    with contextlib.suppress(ConnectionError):
                        await self.venue.say(message)


class ParrotDatabento(Databento):
    """Says back the key."""

    async def echo(self) -> None:
        if not self.venue.sessions or not self.venue.session.started:
            return
        for said in spellings(self.venue.key):
            text = f"unexpected {said}"
            slow: Any = SystemCode.SLOW_READER_WARNING
            await self.venue.send(databento.system(text, slow))
            await self.venue.send(databento.error(text, "SYMBOL_RESOLUTION_FAILED"))


class ParrotTradier(Tradier):
    """Says back the access token and the session's number."""

    async def echo(self) -> None:
        for token in (tradier.TOKEN, *self.venue.sessions):
            for said in spellings(token):
                await self.venue.say_raw(json.dumps({"error": f"{said} is odd"}))
                await self.venue.say_raw(f'{{"type": "{said}", "symbol": 5}}')
                await self.venue.say_raw("{" + said)


PARROTS: dict[str, type[Any]] = {
    "massive": ParrotMassive,
    "dxlink": ParrotDxlink,
    "databento": ParrotDatabento,
    "tradier": ParrotTradier,
}


def now_script() -> Script:
    """The market's script, moved to now."""
    day = dt.date.today() + dt.timedelta(days=3)
    day += dt.timedelta(days=max(0, 7 - day.isoweekday()) % 7 if day.isoweekday() > 5 else 0)
    made = market.script("SPX", day)
    return dataclasses.replace(made, joins=time.time_ns())


@contextlib.asynccontextmanager
async def parrot(venue: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A venue that goes on, and repeats every secret it knows."""
    keys = KEYS[venue]
    if venue == "dxlink":
        monkeypatch.setattr(dxlink, "CLIENT_SECRET", keys["client-secret"])
    elif venue == "tradier":
        monkeypatch.setattr(tradier, "TOKEN", keys["token"])
    kind = PARROTS[venue]
    monkeypatch.setattr(kind, "secrets", keys)
    teller: Teller = kind(now_script())
    if venue == "dxlink":
        teller.venue.refresh_tokens = {keys["refresh-token"]}
    async with teller:
        goes_on = asyncio.create_task(go_on(teller))
        try:
            yield teller
        finally:
            goes_on.cancel()
            await asyncio.gather(goes_on, return_exceptions=True)


async def go_on(teller: Any) -> None:
    """Quotes, a print, and what a parrot says; again and again."""
    number = teller.rounds = 0
    while True:
        number += 1
        at = time.time_ns() // 1_000_000 * 1_000_000
        if number % 5 == 1:
            teller.moved(at)
            await teller.quote(Step(at, teller.script.spot, teller.script.first, ()))
            option = teller.script.options[6]
            bid, ask = teller.script.first[option]
            await teller.print((Print(option, ask, 2.0, 1, at, bid, ask, number),))
            with contextlib.suppress(Exception):
                await teller.echo()
                teller.rounds += bool(teller.listens(dict.fromkeys(["history"], "")))
        with contextlib.suppress(Exception):
            await teller.pulse()
        await asyncio.sleep(0.05)


# -- what runs -----------------------------------------------------------------------------


def environment(home: Path, venue: str, keys: dict[str, str], **more: str) -> dict[str, str]:
    """Everything a run may write lies under `home`."""
    env = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
        "TMPDIR": str(home),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    env |= {spec.env: keys[spec.name] for spec in find_venue(venue).secrets if spec.name in keys}
    return env | more


def addresses(teller: Teller) -> list[str]:
    """Where to connect, on the command line."""
    options = teller.options()
    out = ["--url", options.url]
    return [*out, "--rest-url", options.rest_url] if options.rest_url else out


async def ran(
    env: dict[str, str], *arguments: str, until: Callable[[], bool] | None = None
) -> tuple[int | None, bytes]:
    """A command run to its end; told to end once `until` holds."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gexterm", *arguments, env=os.environ | env, cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    if until is not None:
        async with asyncio.timeout(LIMIT):
            while process.returncode is None and not until():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(LIMIT):
        out, err = await process.communicate()
    return process.returncode, out + err


def heard(teller: Any, rounds: int = 4) -> Callable[[], bool]:
    """Whether everything the venue repeats has been repeated so often to whoever listens."""
    teller.rounds = 0
    return lambda: teller.rounds >= rounds


def painted(env: dict[str, str], home: Path, *arguments: str) -> bytes:
    """The monitor in a terminal: a Reading, a snapshot by key press, the end; all it painted."""
    opened = Terminal("-m", "gexterm", *arguments, width=200, height=50, **env)
    try:
        opened.wait("SPX", "gamma")
        begun, pressed = time.monotonic(), 0.0
        while not list(home.rglob("reading.json")) and time.monotonic() < begun + LIMIT:
            if time.monotonic() > pressed + 1.0:
                # Once more, in case there was no Reading yet.
                pressed = time.monotonic()
                opened.send("s")
            opened._read()
        assert list(home.rglob("reading.json")), opened.text
        opened.send("q")
        opened.wait_exit()
        return opened.raw
    finally:
        opened.close()


# -- the search ----------------------------------------------------------------------------


def spellings(secret: str) -> list[str]:
    """How a secret may be written down."""
    plain = base64.b64encode(secret.encode()).decode()
    return list(
        dict.fromkeys(
            [
                secret,
                quote(secret, safe=""),
                quote_plus(secret),
                json.dumps(secret)[1:-1],
                json.dumps(secret)[1:-1].replace("/", "\\/"),
                plain.rstrip("="),
                plain.rstrip("=").replace("+", "-").replace("/", "_"),
            ]
        )
    )


def inside(path: Path) -> Iterable[tuple[str, bytes]]:
    """A file as it lies, and everything in it unpacked in every way there is."""
    data = path.read_bytes()
    yield str(path), data
    at = data.find(ZSTD)
    while at >= 0:
        with contextlib.suppress(zstandard.ZstdError):
            yield (
                f"{path} unpacked",
                zstandard.ZstdDecompressor().decompressobj().decompress(data[at:]),
            )
        at = data.find(ZSTD, at + 1)
    if path.suffix == ".gexrec":
        with Recording(path) as recording:
            yield f"{path} events", repr([recording.info, *recording.events()]).encode()
    if path.suffix == ".frames":
        with Frames(path) as raw:
            for entry in raw:
                yield f"{path} entry", entry.data
                if entry.kind == ANSWERED:
                    answer = RawAnswer.unpack(entry.data)
                    yield f"{path} answer", repr(answer).encode()


def found(secrets: Iterable[str], home: Path, said: Iterable[tuple[str, bytes]]) -> set[str]:
    """Where any spelling of a secret stands."""
    hits: set[str] = set()
    needles = [each.encode() for secret in secrets for each in spellings(secret)]
    texts = [(where, data) for where, data in said]
    texts += [each for path in home.rglob("*") if path.is_file() for each in inside(path)]
    texts += [("a name", str(path).encode()) for path in home.rglob("*")]
    for where, data in texts:
        hits |= {f"{where}: {needle!r}" for needle in needles if needle in data}
    return hits


def kinds(home: Path) -> set[str]:
    """What kinds of files there are."""
    return {path.suffix for path in home.rglob("*")}


def frames(home: Path) -> list[Path]:
    """Files of raw frames."""
    return list(home.rglob("*.frames"))


def received(teller: Any) -> set[str]:
    """Tokens that the venue gave out."""
    if isinstance(teller, Dxlink):
        return {*teller.venue.issued, *teller.venue.access}
    if isinstance(teller, Tradier):
        return {f"c8638963-a6d4-4fe9-{n:04d}" for n in range(1, teller.venue.handed_out + 1)}
    return set()


@pytest.mark.parametrize("venue", list(KEYS))
async def test_no_secret_is_in_any_file_line_or_screen(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with parrot(venue, monkeypatch) as teller:
        at = addresses(teller)
        good = environment(tmp_path, venue, KEYS[venue])
        bad = environment(tmp_path, venue, WRONG[venue])
        kept = tmp_path / "kept"
        said: list[tuple[str, bytes]] = []
        code, out = await ran(
            good, "--debug", "record", venue, "SPX", "-o", str(kept), *at, until=heard(teller)
        )
        assert code == 0, out
        said.append(("record", out))
        runs = await asyncio.gather(
            ran(bad, "--debug", "record", venue, "SPX", "-o", str(kept), *at),
            ran(good, "--debug", "doctor", venue, "SPX", "--seconds", "2", *at),
        )
        assert runs[0][0] == 4, runs
        said += [("refused or doctor", out) for _, out in runs]
        live = ("--debug", "live", venue, "SPX", "--expiry", "all", *at)
        said.append(("screen", await asyncio.to_thread(painted, good, tmp_path, *live)))
        tokens = received(teller)
    assert kinds(tmp_path) >= {".gexrec", ".frames", ".json", ".book"}
    hits = found([*KEYS[venue].values(), *WRONG[venue].values(), *tokens], tmp_path, said)
    assert hits == set()
    # The words came through, or there would have been nothing to strike.
    assert any(b"***" in data for path in frames(kept) for _, data in inside(path))
    assert tokens or venue not in ("dxlink", "tradier")


async def test_the_list_of_venues_shows_no_key(tmp_path: Path) -> None:
    env: dict[str, str] = {}
    for venue, keys in KEYS.items():
        env |= environment(tmp_path, venue, keys)
    runs = await asyncio.gather(ran(env, "feeds"), ran(env, "feeds", "--json"))
    assert all(code == 0 and b"ready" in out for code, out in runs)
    secrets = [key for keys in KEYS.values() for key in keys.values()]
    assert found(secrets, tmp_path, [("feeds", out) for _, out in runs]) == set()


UNSTRUCK = """
import gexterm.feeds.secrets as secrets
secrets.Redactor.text = lambda self, text: text
secrets.Redactor.bytes = lambda self, data: data
"""


async def test_the_search_finds_what_nobody_has_struck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same run without a redactor: secrets are found in files and on standard error."""
    path = tmp_path / "path"
    path.mkdir()
    (path / "sitecustomize.py").write_text(UNSTRUCK)
    home = tmp_path / "home"
    async with parrot("massive", monkeypatch) as teller:
        more = {"PYTHONPATH": str(path)}
        env = environment(home, "massive", KEYS["massive"], **more)
        at = addresses(teller)
        _, out = await ran(
            env, "record", "massive", "SPX", "-o", str(home), *at, until=heard(teller)
        )
        wrong = environment(home, "massive", WRONG["massive"], **more)
        code, refused = await ran(wrong, "record", "massive", "SPX", "-o", str(home), *at)
        assert code == 4
    hits = found(KEYS["massive"].values(), home, [("record", out)])
    assert any(".frames" in where for where in hits)
    assert any(".gexrec" in where for where in hits)
    assert found(WRONG["massive"].values(), home, [("refused", refused)])
