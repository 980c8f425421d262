"""The monitor on a made-up market: `python -m tests.terminal.fake_monitor [--mode live] …`."""

from __future__ import annotations

import argparse

from gexterm.ui.app import MonitorApp
from tests.ui.fakes import MovingSession


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", default="replay")
    parser.add_argument("--theme", default="dark")
    parser.add_argument("--every", type=float, default=0.1)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--view", default="short-both")
    parser.add_argument("--glyphs", default="unicode")
    chosen = parser.parse_args()
    session = MovingSession(chosen.mode, chosen.every)
    session.convention = chosen.view
    MonitorApp(session, theme=chosen.theme, fps=chosen.fps, characters=chosen.glyphs).run()


if __name__ == "__main__":
    main()
