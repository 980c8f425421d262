"""Bad input: one clear line, the right exit code, nothing lost, no traceback."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gexterm.recording.samples import find_sample
from tests.cli.invoke import gexterm

SAMPLE = find_sample("first-light").path

PAGE = """
Standard & Poors 500 Index,Last: 3856.28,Change: 1.85
"Date: July 12, 2022 at 11:55 AM EDT",Bid: 3855.37,Ask: 3857.15,Size: 1*1,Volume: 0
Expiration Date,Calls,{side},Strike,Puts,{side}
""".format(side="Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest")
ROW = (
    "{day},{root}{date}C{k:08d},0,0,{cb},{ca},10,0,0,0,100,{strike}.00,"
    "{root}{date}P{k:08d},0,0,{pb},{pa},10,0,0,0,100\n"
)


def page(
    root: str = "SPXW",
    day: str = "Tue Jul 12 2022",
    date: str = "220712",
    quotes: dict[int, tuple[float, float, float, float]] | None = None,
) -> str:
    """A quote page of a few strikes."""
    quotes = quotes or {
        3800: (57.0, 57.6, 1.0, 1.2),
        3825: (36.0, 36.6, 4.7, 5.0),
        3850: (19.0, 19.4, 12.6, 13.0),
        3875: (7.9, 8.2, 26.4, 27.0),
        3900: (2.5, 2.7, 46.0, 46.6),
    }
    return PAGE + "".join(
        ROW.format(
            day=day,
            root=root,
            date=date,
            k=strike * 1000,
            strike=strike,
            cb=cb,
            ca=ca,
            pb=pb,
            pa=pa,
        )
        for strike, (cb, ca, pb, pa) in quotes.items()
    )


def write(tmp_path: Path, text: str | bytes, name: str = "page.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_good_page_is_read(tmp_path: Path) -> None:
    done = gexterm("levels", write(tmp_path, page()))
    assert done.code == 0, done.err
    assert "2022-07-12 11:40:00 ET" in done.out


@pytest.mark.parametrize(
    ("what", "content", "says"),
    [
        ("an empty file", "", "empty"),
        ("a page that ends in its head", PAGE, "no option"),
        ("something else entirely", "a,b,c\n1,2,3\n", "quote page|format|chain"),
        ("binary junk", bytes(range(256)) * 20, "format|chain|text"),
        ("a page of an unknown root", page(root="QQQQQQ9"), "root|symbol|option"),
        (
            "a page of expired options only",
            page(day="Mon Jul 11 2022", date="220711"),
            "settled|expired",
        ),
        (
            "no two-sided quote",
            page(quotes=dict.fromkeys((3800, 3850, 3900), (0.0, 0.05, 0.0, 0.05))),
            "both a bid",
        ),
        (
            "nothing but impossible prices",
            page(quotes={k: (-1.0, float("nan"), -5.0, -2.0) for k in (3800, 3850, 3900)}),
            "both a bid",
        ),
    ],
)
def test_a_chain_that_cannot_be_used_says_why(
    tmp_path: Path, what: str, content: str | bytes, says: str
) -> None:
    done = gexterm("levels", write(tmp_path, content))
    assert done.code == 3, (what, done.err)
    assert re.search(says, done.one_clear_line), done.one_clear_line
    assert done.out == ""


def test_a_crossed_market_is_left_out_and_counted(tmp_path: Path) -> None:
    quotes = {
        3800: (57.0, 57.6, 1.0, 1.2),
        3825: (36.9, 36.2, 4.7, 5.0),
        3850: (19.0, 19.4, 12.6, 13.0),
        3875: (7.9, 8.2, 26.4, 27.0),
    }
    done = gexterm("levels", write(tmp_path, page(quotes=quotes)))
    assert done.code == 0, done.err
    assert "1 crossed" in done.out


def test_an_impossible_price_costs_its_contract_and_no_more(tmp_path: Path) -> None:
    good = page()
    bad = good.replace("36.0,36.6", "-36.0,nan")
    assert bad != good
    done = gexterm("levels", write(tmp_path, bad))
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("levels",),
        ("levels", SAMPLE, "--expiry", "someday"),
        ("levels", SAMPLE, "--at", "half past ten"),
        ("levels", SAMPLE, "--view", "mine"),
        ("levels", "http://127.0.0.1:9/"),
        ("replay", SAMPLE, "--headless", "--speed", "0"),
        ("replay", SAMPLE, "--headless", "--port", "70000"),
        ("demo", "--headless", "--speed", "nan"),
        ("snapshot", SAMPLE, "--size", "huge"),
        ("snapshot", SAMPLE, "--size", "3x2"),
        ("frobnicate",),
        ("levels", SAMPLE, "--frobnicate"),
    ],
)
def test_bad_usage_exits_2(arguments: tuple[object, ...]) -> None:
    done = gexterm(*arguments)
    assert done.code == 2, done.err
    assert done.one_clear_line


@pytest.mark.parametrize("command", ["levels", "replay", "snapshot"])
def test_files_that_are_not_there_or_not_files(tmp_path: Path, command: str) -> None:
    more = ("--headless",) if command == "replay" else ()
    for path in (tmp_path / "none.gexrec", tmp_path):
        done = gexterm(command, path, *more)
        assert done.code == 3
        assert str(path) in done.one_clear_line


def test_a_demo_that_does_not_exist_names_those_that_do() -> None:
    done = gexterm("demo", "moonshine", "--headless")
    assert done.code in {2, 3}
    assert "first-light" in done.one_clear_line


def test_a_chain_file_is_no_recording(tmp_path: Path) -> None:
    done = gexterm("replay", write(tmp_path, page()), "--headless")
    assert done.code == 3
    assert "no gexterm recording" in done.one_clear_line


def test_a_recording_cut_in_the_middle_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = SAMPLE.read_bytes()
    cut = write(tmp_path, whole[: len(whole) * 2 // 3], "cut.gexrec")
    done = gexterm("levels", cut)
    assert done.code == 0, done.err
    assert "note" in done.out


def test_a_recording_of_another_version_is_refused(tmp_path: Path) -> None:
    from gexterm.recording.format import MAGIC

    data = bytearray(SAMPLE.read_bytes())
    data[len(MAGIC)] += 41
    done = gexterm("levels", write(tmp_path, bytes(data), "future.gexrec"))
    assert done.code == 3
    assert "version" in done.one_clear_line


def test_a_recording_asked_for_another_day_says_what_it_has() -> None:
    done = gexterm("levels", SAMPLE, "--at", "2020-01-02T10:00")
    assert done.code == 3
    assert "it reaches from" in done.one_clear_line


def test_a_port_in_use_exits_4() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = gexterm("replay", SAMPLE, "--headless", "--port", port)
    assert done.code == 4
    assert str(port) in done.one_clear_line


def test_no_connection_exits_4() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        done = gexterm("levels", f"http://127.0.0.1:{port}/", "--underlying", "SPX")
    assert done.code == 4
    assert done.one_clear_line


def test_without_a_terminal_the_monitor_says_what_to_do_instead() -> None:
    done = gexterm("demo")
    assert done.code == 2
    assert "--headless" in done.one_clear_line


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = write(tmp_path, "a file where a folder should be", "file")
    done = gexterm("snapshot", SAMPLE, "-o", blocked / "snapshots")
    assert done.code == 2
    assert str(blocked) in done.one_clear_line
    assert blocked.read_text() == "a file where a folder should be"


def test_import_refuses_what_is_no_interval_file(tmp_path: Path) -> None:
    source = write(tmp_path, page())
    done = gexterm("import", "cboe-intervals", source, "-o", tmp_path / "out.gexrec")
    assert done.code == 3
    assert done.one_clear_line
    assert not (tmp_path / "out.gexrec").exists()


def test_a_broken_configuration_names_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gexterm import paths

    config = write(tmp_path, "theme = 'dark'\nspeed = 3\n", "config.toml")
    monkeypatch.setattr(paths, "config_file", lambda: config)
    done = gexterm("levels", SAMPLE)
    assert done.code == 2
    assert "config.toml:2" in done.one_clear_line


@pytest.mark.parametrize("command", ["levels", "watch", "snapshot", "accuracy"])
def test_a_name_that_no_file_can_have_is_bad_input(command: str) -> None:
    failed = gexterm(command, "a" * 5000)
    assert failed.code == 3
    assert failed.err.count("\n") == 1
    assert len(failed.err) < 300
    assert "File name too long" in failed.err


@pytest.mark.parametrize("command", ["levels", "watch", "accuracy"])
def test_an_empty_name_is_bad_input(command: str) -> None:
    failed = gexterm(command, "")
    assert failed.code == 3
    assert failed.err.count("\n") == 1
    assert "went wrong" not in failed.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", ["levels first-light --json", "config", "keys", "--help"])
def test_output_that_cannot_be_written_is_one_line(command: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gexterm", *command.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("gexterm: standard output cannot be written: No space left")
    assert done.stderr.count("\n") == 1


def test_an_end_before_the_beginning_is_bad_usage() -> None:
    failed = gexterm("watch", "first-light", "--at", "10:20", "--until", "10:10")
    assert failed.code == 2
    assert "before" in failed.err
