"""`gexterm serve` as a process, and a browser that is on the machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

LIMIT = 150
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    "",
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass
class Served:
    """A running server."""

    process: asyncio.subprocess.Process | subprocess.Popen[bytes]
    url: str
    """As it printed it."""
    said: list[str] = field(default_factory=list)
    """Lines on its standard error."""

    @property
    def base(self) -> str:
        return self.url.partition("?")[0]

    @property
    def host(self) -> str:
        return self.base.removeprefix("http://").rstrip("/")

    def children(self, *words: str) -> list[int]:
        """Its processes whose command has these words in it."""
        return [
            pid for pid, parent, command in processes()
            if parent == self.process.pid and all(word in command for word in words)
        ]  # fmt: skip


def processes() -> list[tuple[int, int, str]]:
    """Number, parent and command of all that run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError, IndexError, ValueError):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                if status[0] != "Z":
                    found.append((int(entry.name), int(status[1]), command))
    return found


def runs(pid: int) -> bool:
    """Whether a process is there, and not only its number."""
    return any(pid == number for number, _, _ in processes())


async def until(condition: Callable[[], bool]) -> None:
    """Come back once it is so; the test's own time limit is the bound."""
    while not condition():  # noqa: ASYNC110 - processes announce nothing
        await asyncio.sleep(0.05)


def surroundings(home: Path) -> dict[str, str]:
    """An environment whose folders are a test's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GEXTERM", "TEXTUAL"))}
    return kept | {
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }


@contextlib.contextmanager
def standing(home: Path, *arguments: str) -> Iterator[Served]:
    """The same for several tests, each with a loop of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "gexterm", "serve", "--port=0", *arguments],
        env=surroundings(home), start_new_session=True, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        found = re.search(r"http://\S+", line)
        assert found, line
        try:
            yield Served(process, found[0], [line])
        finally:
            process.terminate()
            process.wait(30)


@contextlib.asynccontextmanager
async def served(home: Path, *arguments: str) -> AsyncIterator[Served]:
    """`gexterm serve ARGUMENTS` on any free port, ended with SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gexterm", "serve", "--port=0", *arguments,
        env=surroundings(home), start_new_session=True, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    stderr = process.stderr
    said: list[str] = []
    reading: asyncio.Task[None] | None = None

    async def read() -> None:
        while line := await stderr.readline():
            said.append(line.decode())

    try:
        async with asyncio.timeout(LIMIT):
            while not (found := re.search(r"http://\S+", "".join(said))):
                line = await stderr.readline()
                assert line, "".join(said)
                said.append(line.decode())
            reading = asyncio.create_task(read())
            yield Served(process, found[0], said)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)
        if reading is not None:
            await reading
