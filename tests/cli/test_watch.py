"""`gexterm watch`: lines for programs, of recordings, chains and a venue on the loopback."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gexterm.alerts.model import Alert
from gexterm.cli.outlet import Outlet
from gexterm.cli.watch import MOST_ALERTS, Form, follow
from gexterm.market.events import FeedStatus
from gexterm.reading.export import iso_time
from gexterm.reading.model import Reading
from gexterm.reading.schema import schema
from gexterm.recording.samples import find_sample
from tests.cli.invoke import gexterm
from tests.cli.test_live import start, venue
from tests.reading.readings import AS_OF
from tests.reading.readings import reading as made
from tests.shared_data import shared

SAMPLE = find_sample("first-light").path
DOCS = Path(__file__).resolve().parents[2] / "docs"


def lines(*arguments: object) -> list[dict[str, object]]:
    done = gexterm("watch", *arguments)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_every_line_is_a_reading_of_the_published_form() -> None:
    found = lines("first-light", "--json", "--every", "600")
    for each in found:
        jsonschema.validate(each, schema())
    times = [str(each["as_of"]) for each in found]
    assert times[:4] == [f"2026-11-13T15:{minute}:00Z" for minute in ("00", "10", "20", "30")]
    assert times == sorted(set(times))


def test_a_reading_does_not_depend_on_how_many_are_wanted() -> None:
    often = lines(SAMPLE, "--json", "--every", "60", "--until", "10:20")
    rarely = lines(SAMPLE, "--json", "--every", "600", "--until", "10:20")
    wanted = {each["as_of"]: each for each in often}
    assert len(rarely) == 3
    for each in rarely:
        assert {**wanted[each["as_of"]], "sequence": 0} == {**each, "sequence": 0}


def test_a_line_of_watch_is_what_levels_says_of_that_time() -> None:
    (line,) = lines(SAMPLE, "--json", "--at", "10:20", "--until", "10:20")
    levels = json.loads(
        gexterm("levels", SAMPLE, "--json", "--at", "10:20", "--expiry", "0dte").out
    )
    for part in ("as_of", "spot", "gamma", "zero_dte", "strikes", "hedging"):
        assert line[part] == levels[part], part


def test_only_the_fields_asked_for_in_their_order() -> None:
    asked = (
        "as_of", "zero_dte.probability.BofA", "strikes.strike", "expiries[0].atm_iv",
        "expiries[9].root",
    )  # fmt: skip
    fields = "." + ",".join(asked)
    found = lines("bofa", "--every", "600", "--until", "14:50", "--fields", fields)
    first, last = found[0], found[-1]
    assert tuple(first) == asked
    assert isinstance(last["zero_dte.probability.BofA"], float)
    assert len(last["strikes.strike"]) > 20  # type: ignore[arg-type]
    assert last["expiries[9].root"] is None


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("gama.flip", "did you mean gamma.flip?"),
        ("flip", "gamma.flip"),
        ("zero_dte.paradgm", "did you mean zero_dte.paradigm?"),
        ("spot.x", "nothing more"),
        ("spot[0]", "no list"),
        ("[0]", "no path"),
        ("a..b", "no path"),
        (",", "no field"),
    ],
)
def test_an_unknown_field_names_those_near(field: str, hint: str) -> None:
    done = gexterm("watch", SAMPLE, "--fields", field)
    assert done.code == 2
    assert hint in done.one_clear_line
    assert done.out == ""


def test_alerts_are_lines_of_their_own_form_in_the_order_of_the_market() -> None:
    published = json.loads((DOCS / "alert.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(published)
    found = lines("first-light", "--fields", "as_of", "--alerts", "--every", "300")
    alerts = [each for each in found if "alert" in each]
    kinds = {each["alert"]["kind"] for each in alerts}  # type: ignore[index]
    assert {"paradigm changed", "wall moved"} <= kinds
    for each in alerts:
        jsonschema.validate(each, published)
        assert each["alert"]["replay"] is True  # type: ignore[index]
    times = [str(each.get("as_of") or each["alert"]["at"]) for each in found]  # type: ignore[index]
    assert times == sorted(times)


def test_text_is_one_line_a_reading() -> None:
    done = gexterm("watch", SAMPLE, "--every", "900", "--at", "10:10", "--until", "10:20")
    assert [line[:5] for line in done.out.splitlines()] == ["10:10", "10:15", "10:20"]
    assert "customer-flow × open interest, simulated" in done.out


def test_a_chain_file_is_one_reading() -> None:
    path = shared("chains/spx_2022-07-12_1155ET.csv")
    (line,) = lines(path, "--json")
    jsonschema.validate(line, schema())
    assert line["scope"] == "all"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nothing-there",), 3, "no sample feed of that name"),
        ((SAMPLE, "--every", "0"), 2, "--every"),
        ((SAMPLE, "--speed", "-1"), 2, "--speed"),
        ((SAMPLE, "--for", "30s"), 2, "--for goes with a live venue"),
        ((SAMPLE, "--url", "ws://localhost:1"), 2, "--url goes with a live venue"),
        ((SAMPLE, "--at", "18:00"), 3, "it reaches from"),
        (("deribit:BTC", "--speed", "2"), 2, "--speed goes with a recording"),
        (("deribit:",), 2, "lacks an underlying"),
        (("nowhere:SPX",), 2, "no feed is called"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_one_clear_line(
    arguments: tuple[object, ...], code: int, words: str
) -> None:
    done = gexterm("watch", *arguments)
    assert done.code == code
    assert words in done.one_clear_line


def run(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "gexterm", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def piped(*arguments: str, take: int) -> tuple[int, bytes, bytes]:
    """Run with a reader that takes some bytes and goes."""
    with run(*arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        taken = process.stdout.read(take)
        process.stdout.close()
        err = process.stderr.read()
    return process.returncode, taken, err


@pytest.mark.parametrize(
    "arguments",
    [
        ("watch", "first-light", "--json"),
        ("levels", str(SAMPLE), "--json"),
        ("replay", str(SAMPLE), "--headless", "--speed", "600"),
    ],
)
def test_a_reader_that_goes_is_no_error(arguments: tuple[str, ...]) -> None:
    code, taken, err = piped(*arguments, take=20)
    assert (code, len(taken), err) == (0, 20, b"")


def test_a_recording_waits_for_its_reader_and_loses_nothing() -> None:
    with run("watch", "first-light", "--json") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        # It must now stand still in the middle of the day: no pipe holds all of it.
        rest = process.stdout.read().splitlines()
    assert process.returncode == 0
    assert len(json.loads(first)["strikes"]) > 50
    times = [json.loads(line)["as_of"] for line in (first, *rest)]
    assert len(times) >= 36
    assert times == sorted(set(times))


def test_ctrl_c_ends_it_cleanly_even_while_nobody_reads() -> None:
    with run("watch", "first-light", "--json", "--every", "1") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == b""


def test_a_full_disk_is_said_once() -> None:
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("no /dev/full here")
    with device.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gexterm", "watch", "first-light", "--json"],
            stdout=full, stderr=subprocess.PIPE, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.decode().count("\n") == 1
    assert b"standard output cannot be written" in done.stderr


def recorded(folder: Path) -> list[Path]:
    return list(folder.rglob("*.gexrec"))


# -- live --------------------------------------------------------------------------------


async def test_a_venue_is_watched_and_ends_when_told(tmp_path: Path) -> None:
    async with venue() as url:
        process = await start(
            tmp_path, "watch", "deribit:BTC", "--json", "--url", url, "--expiry", "all",
            "--no-record", "--every", "1",
        )  # fmt: skip
        assert process.stdout is not None
        first = json.loads(await process.stdout.readline())
        second = json.loads(await process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0
    jsonschema.validate(first, schema())
    assert first["source"]["mode"] == "live"
    assert first["as_of"][:19] < second["as_of"][:19]
    assert not recorded(tmp_path)


async def test_a_watched_venue_can_be_recorded(tmp_path: Path) -> None:
    async with venue() as url:
        process = await start(
            tmp_path, "watch", "deribit:BTC", "--fields", "spot", "--url", url, "--record",
            "--for", "2s",
        )  # fmt: skip
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert json.loads(out.splitlines()[0])["spot"] > 0
    assert len(recorded(tmp_path)) == 1


@pytest.mark.parametrize(
    "arguments", [("watch", "deribit:BTC"), ("live", "deribit", "BTC", "--headless")]
)
async def test_a_live_session_ends_when_its_reader_goes_without_waiting_for_a_line(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    async with venue() as url:
        receiving, sending = os.pipe()
        env = os.environ | {"XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gexterm", *arguments, "--url", url, "--expiry", "all",
            "--no-record", stdout=sending, stderr=asyncio.subprocess.PIPE, env=env,
        )  # fmt: skip
        os.close(sending)
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, os.read, receiving, 30)
        os.close(receiving)
        _, err = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in err


async def test_no_connection_is_exit_code_4(tmp_path: Path) -> None:
    process = await start(
        tmp_path, "watch", "deribit:BTC", "--url", "ws://127.0.0.1:9", "--patience", "1.5"
    )
    _, err = await process.communicate()
    assert process.returncode == 4
    last = err.decode().splitlines()[-1]
    assert last.startswith("gexterm: no Reading within 1.5 s")


# -- a reader that does not keep up ------------------------------------------------------


class Session:
    """A session that publishes as fast as it is asked, and ends."""

    def __init__(self, count: int, alerts: int) -> None:
        self.status = FeedStatus("live")
        self._count, self._alerts = count, alerts

    async def readings(self) -> AsyncIterator[Reading]:
        for number in range(self._count):
            yield made(as_of=AS_OF + number * 10**9)
            await asyncio.sleep(0)
        self.status = FeedStatus("ended")

    async def alerts(self) -> AsyncIterator[Alert]:
        for number in range(self._alerts):
            yield Alert(AS_OF, "settled", "info", f"alert {number}", math.nan, False)


class SlowReader(Outlet):
    """Takes the first line, and the next only once everything has happened."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.lines: list[dict[str, object]] = []
        self._turns = turns

    async def put(self, line: str | bytes) -> None:
        self.lines.append(json.loads(line))
        for _ in range(self._turns if len(self.lines) == 1 else 0):
            await asyncio.sleep(0)


async def test_a_slow_reader_of_a_venue_gets_the_newest_and_is_told_what_it_missed() -> None:
    outlet = SlowReader(turns=5_000)
    session: Any = Session(count=2_000, alerts=MOST_ALERTS + 50)
    await follow(session, Form(True, (), alerts=True), outlet, every_s=1.0, patience_s=60)
    readings = [line for line in outlet.lines if "spot" in line]
    alerts = [line["alert"] for line in outlet.lines if "alert" in line]
    assert len(readings) <= 2, "what lay between was not kept"
    assert readings[-1]["as_of"] == iso_time(AS_OF + 1_999 * 10**9)
    assert MOST_ALERTS <= len(alerts) <= MOST_ALERTS + 1
    assert sum(each["missed"] for each in alerts) + len(alerts) == MOST_ALERTS + 50  # type: ignore[index,misc]


async def test_readings_are_no_closer_than_asked_for() -> None:
    outlet = SlowReader(turns=1)
    session: Any = Session(count=61, alerts=0)
    await follow(session, Form(True, (), alerts=False), outlet, every_s=20.0, patience_s=0)
    assert len(outlet.lines) in (4, 5)
