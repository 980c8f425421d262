"""`gexterm live` and `gexterm record` against a fake venue on the loopback, as processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gexterm.recording.reader import Recording
from tests.cli.invoke import gexterm
from tests.venues.deribit import MONTHS, Exchange, FakeDeribit

LIMIT = 60


def listed() -> Exchange:
    """An exchange with the options of one day, a quote in each."""
    exchange = Exchange(int(time.time() * 1000))
    exchange.index("btc_usd", 86_000.0)
    day = time.gmtime(time.time() + 2 * 86_400)
    date = f"{day.tm_mday}{MONTHS[day.tm_mon - 1]}{day.tm_year % 100}"
    for strike in range(84_000, 88_001, 500):
        for right in "CP":
            exchange.list(f"BTC-{date}-{strike}-{right}")
    return exchange


SPOT = 86_000.0


async def trade(exchange: Exchange, spot: Callable[[], float] = lambda: SPOT) -> None:
    """Quotes and prints, until cancelled."""
    while True:
        exchange.now_ms = int(time.time() * 1000)
        exchange.index("btc_usd", spot())
        for name in exchange.instruments:
            exchange.quote(name, 0.0095, 0.0105)
        name = next(iter(exchange.instruments))
        exchange.trade(name, 0.0105, 1.0, "buy")
        await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def venue(spot: Callable[[], float] = lambda: SPOT) -> AsyncIterator[str]:
    exchange = listed()
    async with asyncio.timeout(LIMIT), FakeDeribit(exchange) as fake:
        market = asyncio.create_task(trade(exchange, spot))
        try:
            yield fake.url("/ws/api/v2")
        finally:
            market.cancel()
            await asyncio.gather(market, return_exceptions=True)


async def start(home: Path, *arguments: str) -> asyncio.subprocess.Process:
    env = os.environ | {
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gexterm", *arguments, env=env,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def line_with(stream: asyncio.StreamReader | None, words: str) -> str:
    """The next line that has these words in it."""
    assert stream is not None
    while line := (await stream.readline()).decode():
        if words in line:
            return line
    raise AssertionError(f"no line said {words!r}")


def found(folder: Path, pattern: str) -> list[Path]:
    return list(folder.rglob(pattern))


async def test_record_keeps_a_venue_until_it_is_told_to_stop(tmp_path: Path) -> None:
    async with venue() as url:
        process = await start(
            tmp_path, "record", "deribit", "BTC", "--url", url, "-o", str(tmp_path / "kept")
        )
        said = await line_with(process.stderr, "recording ")
        await line_with(process.stderr, "prints since")
        process.send_signal(signal.SIGTERM)
        _, rest = await process.communicate()
    assert process.returncode == 0
    assert b"prints in" in rest
    path = Path(said.split("recording ")[1].strip())
    assert f"kept {path}" in rest.decode()
    with Recording(path) as recording:
        assert recording.closed_properly
        assert recording.info.feed.lower() == "deribit"
        assert any(True for _ in recording.events())


async def test_a_headless_session_prints_minutes_and_keeps_recording_and_book(
    tmp_path: Path,
) -> None:
    async with venue() as url:
        process = await start(
            tmp_path, "live", "deribit", "BTC", "--url", url, "--headless", "--expiry", "all"
        )
        first = await line_with(process.stdout, "BTC")
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0
    assert "live" in first
    (recorded,) = found(tmp_path, "*.gexrec")
    with Recording(recorded) as recording:
        assert recording.closed_properly
    assert found(tmp_path, "*.book")


async def test_alerts_of_a_headless_session_are_kept_and_sent_out(tmp_path: Path) -> None:
    config = tmp_path / "config" / "gexterm" / "config.toml"
    config.parent.mkdir(parents=True)
    sent = tmp_path / "sent.json"
    config.write_text(
        '[[alert]]\nkind = "level"\nname = "round"\nprice = 86500\n'
        f'[delivery.mine]\nkind = "command"\ncommand = ["/bin/sh", "-c", "cat >> {sent}"]\n'
    )
    spot = [SPOT]
    async with venue(lambda: spot[0]) as url:
        process = await start(
            tmp_path, "live", "deribit", "BTC", "--url", url, "--headless", "--expiry", "all",
            "--no-record",
        )  # fmt: skip
        await line_with(process.stdout, "BTC")
        spot[0] = 86_700.0
        await line_with(process.stderr, "round: spot above 86,500")
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0
    assert "round: spot above 86,500" in sent.read_text()
    (kept,) = found(tmp_path / "data", "alerts/*.jsonl")
    assert "round: spot above 86,500" in kept.read_text()


async def test_what_shall_not_be_recorded_is_not(tmp_path: Path) -> None:
    async with venue() as url:
        process = await start(
            tmp_path, "live", "deribit", "BTC", "--url", url, "--headless", "--no-record",
            "--expiry", "all",
        )  # fmt: skip
        await line_with(process.stdout, "BTC")
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert not found(tmp_path, "*.gexrec")


async def test_record_that_could_not_record_does_not_end_well(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    async with venue() as url:
        process = await start(
            tmp_path, "record", "deribit", "BTC", "--url", url, "-o", str(in_the_way),
            "--for", "2s",
        )  # fmt: skip
        _, said = await process.communicate()
    assert process.returncode == 2
    assert "recording is off" in said.decode()
    assert "rows that were heard are not recorded" in said.decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
async def test_a_log_that_cannot_be_written_does_not_end_the_recording(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        async with venue() as url:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gexterm", "record", "deribit", "BTC", "--url", url,
                "-o", str(tmp_path / "kept"), "--for", "2s", stderr=full,
                env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path)},
            )  # fmt: skip
            await process.wait()
    finally:
        os.close(full)
    (kept,) = found(tmp_path, "*.gexrec")
    with Recording(kept) as recording:
        assert recording.closed_properly
        assert any(True for _ in recording.events())


async def test_a_venue_that_refuses_ends_with_exit_code_4_and_the_reason(tmp_path: Path) -> None:
    async with venue() as url:
        for command in (("live", "--headless"), ("record",)):
            process = await start(
                tmp_path, command[0], "deribit", "BTC", "--url", f"{url}/nowhere", *command[1:]
            )
            _, err = await process.communicate()
            assert process.returncode == 4, err
            assert b"Traceback" not in err
            assert b"404" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("live", "nowhere", "SPX", "--headless"), "no feed is called 'nowhere'"),
        (("record", "deribit", "BTC", "--for", "soon"), "no length of time"),
        (("record", "deribit", "BTC", "--url", "ws://example.com"), "in the clear"),
        (("record", "deribit", "BTC", "--url", "wss://key@example.com"), "must be plain"),
        (("live", "deribit", "BTC", "--headless", "--carry", "x", "--no-carry"), "contradict"),
    ],
)
def test_what_makes_no_sense_is_one_clear_line(arguments: tuple[str, ...], words: str) -> None:
    outcome = gexterm(*arguments)
    assert outcome.code == 2
    assert words in outcome.one_clear_line
    assert "key@" not in outcome.err


async def test_a_folder_that_cannot_be_written_is_told_and_the_session_goes_on(
    tmp_path: Path,
) -> None:
    config = tmp_path / "config" / "gexterm"
    config.mkdir(parents=True)
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    (config / "config.toml").write_text(f'recordings = "{in_the_way}"\n')
    async with venue() as url:
        process = await start(
            tmp_path, "live", "deribit", "BTC", "--url", url, "--headless", "--expiry", "all"
        )
        told = await line_with(process.stderr, "not recorded")
        await line_with(process.stdout, "BTC")
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert "warning" in told
    assert process.returncode == 0
