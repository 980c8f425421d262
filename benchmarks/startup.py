"""From the command to the first frame, in a real pty, and what the cheapest command costs."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.harness import Row, at_most
from tests.terminal.terminal import Terminal


def until(text: str, *arguments: str) -> float:
    """Seconds until a text stands on the screen."""
    begin = time.perf_counter()
    terminal = Terminal("-m", "gexterm", *arguments, width=120, height=36)
    terminal.wait(text)
    took = time.perf_counter() - begin
    terminal.close()
    return took


def command(*arguments: str) -> float:
    """Seconds that a command takes."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begin


def run() -> list[Row]:
    first = [until("quit", "demo") for _ in range(7)][2:]
    numbers = [until("flip 6,", "demo") for _ in range(5)]
    version = [command("-m", "gexterm", "--version") for _ in range(12)][2:]
    bare = [command("-c", "pass") for _ in range(12)][2:]
    return [
        at_most("first paint of `gexterm demo`", statistics.median(first), 0.6, "s"),
        Row("  first numbers on it", statistics.median(numbers), "s"),
        at_most("`gexterm --version`", statistics.median(version) * 1e3, 80.0, "ms"),
        Row("  an interpreter that does nothing", statistics.median(bare) * 1e3, "ms"),
    ]
