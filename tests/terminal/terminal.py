"""A terminal to run a program in: a real pty, with a screen that can be read."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pexpect
import pyte

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
"""How long something may take on a busy machine before it counts as never."""


def _environment() -> dict[str, str]:
    """Ours, without a size: the terminal has its own, and it changes."""
    return {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}


class Terminal:
    """A program in a pty. Waits for what stands on the screen, never for time."""

    def __init__(self, *arguments: str, width: int = 80, height: int = 24, **environ: str) -> None:
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.gone = False
        self.child = pexpect.spawn(
            sys.executable,
            list(arguments),
            dimensions=(height, width),
            cwd=str(ROOT),
            env={
                **_environment(),
                "TERM": "xterm-256color",
                "TEXTUAL_ANIMATIONS": "none",
                **environ,
            },
            timeout=PATIENCE_S,
        )
        self.child.delaybeforesend = None

    def _read(self) -> bool:
        """Take in what the program has written; False at its end."""
        try:
            data = self.child.read_nonblocking(65536, 0.05)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        # pyte does not know the answers a terminal gives to queries of modes; it skips them.
        self._stream.feed(data)
        return True

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.screen.display)

    def wait(self, *parts: str, gone: bool = False) -> None:
        """Until all of it is on the screen, or none of it any more."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            alive = self._read()
            if all((part in self.text) != gone for part in parts):
                return
            if not alive:
                break
        raise AssertionError(f"never {'gone' if gone else 'there'}: {parts} in\n{self.text}")

    def wait_bytes(self, part: bytes) -> None:
        """Until the program has sent these bytes."""
        end = time.monotonic() + PATIENCE_S
        while part not in self.raw and time.monotonic() < end:
            if not self._read():
                break
        assert part in self.raw

    def resize(self, width: int, height: int) -> None:
        """A new size, as a window manager gives it."""
        self.screen.resize(height, width)
        self.child.setwinsize(height, width)

    def send(self, keys: str) -> None:
        """Type."""
        self.child.send(keys)

    def wait_exit(self) -> int | None:
        """Until the program has ended; its exit code, None when a signal ended it."""
        end = time.monotonic() + PATIENCE_S
        while self._read() and time.monotonic() < end:
            pass
        self.child.wait()
        code: int | None = self.child.exitstatus
        return code

    def wait_frames(self, count: int) -> int:
        """Until the screen has changed so often; the bytes that took."""
        before, shown, frames = len(self.raw), self.text, 0
        end = time.monotonic() + PATIENCE_S
        while frames < count and time.monotonic() < end:
            assert self._read()
            if self.text != shown:
                shown, frames = self.text, frames + 1
        assert frames == count
        return len(self.raw) - before

    def hang_up(self) -> bool:
        """Take the terminal away, as a closed window does; whether the program then ended."""
        pid, self.gone = self.child.pid, True
        os.close(self.child.child_fd)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            ended, _ = os.waitpid(pid, os.WNOHANG)
            if ended:
                return True
            time.sleep(0.01)
        return False

    def close(self) -> None:
        """End the program, if it still runs."""
        if not self.gone and self.child.isalive():
            self.child.close(force=True)
