"""Programs that are told of an alert: real processes, good ones and bad ones."""

from __future__ import annotations

import asyncio
import json
import math
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gexterm.alerts.delivery.dispatcher import try_once
from gexterm.alerts.delivery.process import run
from gexterm.alerts.delivery.programs import Command, Desktop
from gexterm.alerts.delivery.protocol import DeliveryError
from gexterm.alerts.model import Alert, stamped
from gexterm.feeds.secrets import Secret
from tests.reading.readings import AS_OF


def alert(text: str = "spot above 2,730", *, replay: bool = False) -> Alert:
    made = Alert(AS_OF, "level", "warning", text, math.nan, replay, rule="my line")
    return stamped(made, "SPX", "replay" if replay else "live", "combined")


def script(tmp_path: Path, text: str, name: str = "program") -> str:
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def alive(pid: int) -> bool:
    """Whether a process is there; only its entry in the table is not enough."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


async def until(so: Callable[[], bool]) -> None:
    """Returns once something is so; fails when it has not come after a long time."""
    for _ in range(6000):
        if so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_command_gets_the_alert_as_one_line_of_json(tmp_path: Path) -> None:
    got = tmp_path / "got"
    await Command((script(tmp_path, f'cat > "{got}"'),)).deliver(alert("a\x1b[2J\n„b“"))
    text = got.read_text()
    assert text.count("\n") == 1
    table = json.loads(text)
    assert (table["v"], table["severity"], table["rule"]) == (1, "warning", "my line")
    assert table["text"] == "a·[2J „b“"
    assert table["level"] is None
    assert table["time"] == "2018-01-05T10:35:00.000-05:00"
    assert table["replay"] is False


async def test_arguments_reach_the_program_as_they_stand(tmp_path: Path) -> None:
    got = tmp_path / "got"
    arguments = ("--loud", "$(touch x)", "; rm -rf y", "*", "")
    program = script(tmp_path, f'printf "%s|" "$@" > "{got}"')
    await Command((program, *arguments)).deliver(alert())
    assert got.read_text() == "--loud|$(touch x)|; rm -rf y|*||"


async def test_a_command_that_reads_nothing_has_done_its_work(tmp_path: Path) -> None:
    await Command(("true",)).deliver(alert("x" * 2000))


async def test_a_command_that_fails_is_told_with_its_first_complaint(tmp_path: Path) -> None:
    program = script(tmp_path, 'echo "no\033[31m route\nmore" >&2; exit 3')
    error = await try_once(Command((program,)), alert())
    assert str(error) == "program ended with 3: no·[31m route"
    assert not error.passing  # type: ignore[union-attr]


async def test_a_secret_in_a_complaint_is_struck(tmp_path: Path) -> None:
    token = Secret("s3cret-token-1")
    program = script(tmp_path, f"echo {token.reveal()} >&2; exit 1")
    assert str(await try_once(Command((program,)), alert())) == "program ended with 1: ***"


async def test_a_command_that_dies_of_a_signal_says_of_which(tmp_path: Path) -> None:
    error = await try_once(Command((script(tmp_path, "kill -9 $$"),)), alert())
    assert str(error) == "program was ended by signal 9"


@pytest.mark.parametrize("program", ["/nowhere/at-all", "no-such-program-here"])
async def test_a_program_that_is_not_there_is_one_clear_line(program: str) -> None:
    assert str(await try_once(Command((program,)), alert())) == f"there is no program {program}"


async def test_a_program_that_may_not_be_run_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    error = await try_once(Command((str(tmp_path / "text"),)), alert())
    assert "cannot be run: Permission denied" in str(error)


async def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = script(tmp_path, f'sleep 600 & echo $$ $! > "{pids}"; wait')
    task = asyncio.create_task(run([program]))
    await until(lambda: pids.exists() and pids.read_text().endswith("\n"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for pid in map(int, pids.read_text().split()):
        await until(lambda pid=pid: not alive(pid))  # type: ignore[misc]


async def test_a_command_out_of_time_is_given_up(tmp_path: Path) -> None:
    error = await try_once(Command((script(tmp_path, "sleep 600"),), timeout_s=0.05), alert())
    assert str(error) == "no answer within 0.05 s"


async def test_a_child_that_stays_behind_does_not_hold_up_the_answer(tmp_path: Path) -> None:
    """It keeps input and complaints open; the program itself has ended."""
    pid = tmp_path / "pid"
    program = script(tmp_path, f'sleep 600 & echo $! > "{pid}"')
    await asyncio.wait_for(run([program], b"{}"), 60)
    os.kill(int(pid.read_text()), 9)


async def test_a_program_that_complains_without_end_is_read_to_the_end(tmp_path: Path) -> None:
    program = script(tmp_path, "echo first >&2; head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1")
    error = await try_once(Command((program,), timeout_s=20.0), alert())
    assert str(error) == "program ended with 1: first"


async def test_what_a_program_prints_does_not_reach_the_screen(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await run([script(tmp_path, "echo to the screen; echo me too >&2")])
    assert capfd.readouterr() == ("", "")


async def test_a_message_beyond_what_a_pipe_takes_is_refused() -> None:
    with pytest.raises(DeliveryError, match="too long"):
        await run(["cat"], b"x" * 20_000)


async def test_no_handle_is_left_open(tmp_path: Path) -> None:
    async def many() -> None:
        for _ in range(5):
            await try_once(Command(("true",)), alert())
            await try_once(Command(("no-such-program-here",)), alert())
            await try_once(Command((script(tmp_path, "exit 1"),)), alert())

    await many()
    before = handles()
    await many()
    assert handles() == before


async def test_the_desktop_is_told_through_notify_send(tmp_path: Path) -> None:
    got = tmp_path / "got"
    program = script(tmp_path, f'printf "%s\\n" "$@" > "{got}"', "notify-send")
    way = Desktop(find=lambda _name: program, platform="linux")
    await way.deliver(alert("-h --help <b>&</b> $(x)"))
    assert got.read_text().splitlines() == [
        "--app-name=gexterm",
        "--urgency=critical",
        "--",
        "gexterm SPX",
        "10:35:00 -h --help &lt;b&gt;&amp;&lt;/b&gt; $(x)",
    ]


def test_on_a_mac_the_text_is_an_argument_and_no_script() -> None:
    way = Desktop(find=lambda name: f"/usr/bin/{name}", platform="darwin")
    argv = way.argv(alert('" & do shell script "x'))
    assert argv[0] == "/usr/bin/osascript"
    assert argv[-2:] == ["gexterm SPX", '10:35:00 " & do shell script "x']
    assert not any("do shell" in part for part in argv[:-1])


async def test_no_notifier_is_one_clear_line() -> None:
    error = await try_once(Desktop(find=lambda _name: None, platform="linux"), alert())
    assert str(error) == "notify-send is not installed"


async def test_a_python_program_reads_its_input_to_the_end(tmp_path: Path) -> None:
    got = tmp_path / "got"
    code = f"import sys, json; open({str(got)!r}, 'w').write(json.load(sys.stdin)['text'])"
    await Command((sys.executable, "-c", code)).deliver(alert("π ≤ ½"))
    assert got.read_text(encoding="utf-8") == "π ≤ ½"
