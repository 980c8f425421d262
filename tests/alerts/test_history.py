"""The history: what was said outlives the session, whatever happens to the file."""

from __future__ import annotations

import datetime as dt
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gexterm.alerts.book import AlertBook
from gexterm.alerts.history import AlertHistory, day_of
from gexterm.alerts.model import (
    KINDS,
    SEVERITIES,
    Alert,
    as_dict,
    from_dict,
    loudness,
    stamped,
)
from gexterm.config_alerts import BUILT_IN, AlertSettings
from gexterm.config_alerts import KINDS as OWN_KINDS
from gexterm.config_alerts import SEVERITIES as CHOSEN
from gexterm.errors import OutputError
from tests.reading.readings import AS_OF

NS = 1_000_000_000
DAY = day_of(AS_OF)


def alert(seconds: float, text: str = "spot above 2,730", **more: object) -> Alert:
    made = Alert(AS_OF + round(seconds * NS), "level", "notice", text, 2730.0, False, **more)  # type: ignore[arg-type]
    return stamped(made, "SPX", "live", "combined")


def test_the_settings_know_every_kind_and_severity() -> None:
    assert {*KINDS} == {*BUILT_IN, *OWN_KINDS, "test"}
    assert SEVERITIES == CHOSEN
    assert [loudness(s) for s in (*SEVERITIES, "off")] == [0, 1, 2, -1]


def test_what_is_added_is_read_again(tmp_path: Path) -> None:
    history = AlertHistory(tmp_path / "alerts")
    history.add(alert(60, "second"))
    history.add(alert(0, "first"))
    kept = AlertHistory(tmp_path / "alerts").read(DAY)
    assert [a.text for a in kept.alerts] == ["first", "second"]
    assert kept.alerts[0] == alert(0, "first")
    assert kept.damaged == 0


def test_a_day_without_a_file_has_no_alerts(tmp_path: Path) -> None:
    assert AlertHistory(tmp_path / "none").read(DAY).alerts == ()
    assert AlertHistory(tmp_path / "none").days() == ()


def test_each_day_of_new_york_has_its_file(tmp_path: Path) -> None:
    history = AlertHistory(tmp_path)
    history.add(alert(0))
    history.add(alert(13 * 3600))  # 23:35 in New York: the next day in UTC, the same there
    history.add(alert(14 * 3600))
    assert [day.isoformat() for day in history.days()] == ["2018-01-05", "2018-01-06"]
    assert len(history.read(DAY).alerts) == 2


def test_an_acknowledgement_is_a_line_of_its_own(tmp_path: Path) -> None:
    history = AlertHistory(tmp_path)
    one, two = alert(0, "one"), alert(1, "two")
    history.add(one)
    history.add(two)
    before = history.path(DAY).read_bytes()
    history.acknowledge(DAY, [two.id, "somebody else's"])
    assert history.path(DAY).read_bytes().startswith(before)
    assert [a.acknowledged for a in history.read(DAY).alerts] == [False, True]


def test_an_acknowledgement_may_stand_before_its_alert(tmp_path: Path) -> None:
    """Another process may have been quicker."""
    history = AlertHistory(tmp_path)
    history.acknowledge(DAY, [alert(0).id])
    history.add(alert(0))
    assert history.read(DAY).alerts[0].acknowledged


def test_damaged_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    history = AlertHistory(tmp_path)
    history.add(alert(0, "whole"))
    whole = json.dumps({"v": 1, "type": "alert", **as_dict(alert(1))})
    damaged = [
        b'{"v":1,"type":"alert","id":"a',
        b"\xff\xfe\x00",
        b"[1, 2]",
        b"null",
        b'{"v": 2, "type": "alert"}',
        b'{"v": 1, "type": "ack", "ids": "x"}',
        b'{"v": 1, "type": "other"}',
        b"[" * 10_000,
        b"x" * 100_000,
        whole.replace('"notice"', '"loud"').encode(),
        whole.replace('"level", "rule"', '"unheard of", "rule"').encode(),
        whole.replace("2730.0", '"high"').encode(),
        whole.replace("false", "0").encode(),
        b'{"v":1,"type":"alert","at":NaN}',
    ]
    with history.path(DAY).open("ab") as file:
        file.write(b"\n".join(damaged) + b"\n")
    history.add(alert(2, "whole too"))
    kept = history.read(DAY)
    assert [a.text for a in kept.alerts] == ["whole", "whole too"]
    assert kept.damaged == len(damaged)


def test_a_line_broken_off_does_not_take_the_next_one_with_it(tmp_path: Path) -> None:
    AlertHistory(tmp_path).add(alert(0, "one"))
    path = AlertHistory(tmp_path).path(DAY)
    path.write_bytes(path.read_bytes()[:-20])  # whoever wrote it was killed
    AlertHistory(tmp_path).add(alert(1, "two"))
    kept = AlertHistory(tmp_path).read(DAY)
    assert ([a.text for a in kept.alerts], kept.damaged) == (["two"], 1)


WRITER = """
import sys
from pathlib import Path
from gexterm.alerts.history import AlertHistory
from gexterm.alerts.model import Alert, stamped
history = AlertHistory(Path(sys.argv[1]))
for n in range(200):
    text = f"{sys.argv[2]} {n} " + "x" * 500
    at = int(sys.argv[3]) + n
    history.add(stamped(Alert(at, "level", "info", text, 1.0, False), "SPX", "live", "flow"))
"""


def test_several_processes_append_without_tearing_each_others_lines(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name, str(AS_OF)])
        for name in ("a", "b", "c")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    kept = AlertHistory(tmp_path).read(DAY)
    assert (len(kept.alerts), kept.damaged) == (600, 0)


def test_old_days_go_and_other_files_stay(tmp_path: Path) -> None:
    history = AlertHistory(tmp_path)
    for days in (0, 5, 6, 400):
        history.path(DAY - dt.timedelta(days)).write_text("")
    (tmp_path / "notes.jsonl").write_text("mine")
    assert history.prune(DAY, 5) == 2
    assert history.days() == (DAY - dt.timedelta(5), DAY)
    assert (tmp_path / "notes.jsonl").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        AlertHistory(tmp_path / "file" / "alerts").add(alert(0))


def test_a_disk_that_is_full_is_an_error_and_no_damage_to_what_follows(tmp_path: Path) -> None:
    history = AlertHistory(tmp_path)
    history.path(DAY).symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left"):
        history.add(alert(0))


@given(
    st.text(), st.floats(), st.sampled_from(KINDS), st.sampled_from(SEVERITIES), st.booleans(),
    st.integers(0, 4 * 10**18),
)  # fmt: skip
def test_every_alert_survives_json(
    text: str, level: float, kind: object, severity: object, replay: bool, at: int
) -> None:
    made = stamped(Alert(at, kind, severity, text, level, replay), "SPX", "live", "flow")  # type: ignore[arg-type]
    back = from_dict(json.loads(json.dumps(as_dict(made), allow_nan=False)))
    assert as_dict(back) == as_dict(made)
    assert math.isfinite(back.level) == math.isfinite(level)


# The book of a session


async def test_a_book_takes_up_what_the_day_has_heard_of_the_same_underlying(
    tmp_path: Path,
) -> None:
    history = AlertHistory(tmp_path)
    earlier, seen = alert(0, "earlier"), alert(1, "seen")
    other = stamped(alert(2, "other"), "NDX", "live", "flow")
    for one in (earlier, seen, other):
        history.add(one)
    history.acknowledge(DAY, [seen.id])
    book = AlertBook(AlertHistory(tmp_path))
    book.add(alert(100, "now"))
    assert await book.load("SPX", AS_OF + 200 * NS) == 2
    assert [a.text for a in book.alerts] == ["earlier", "seen", "now"]
    assert book.unread == 2
    assert await book.load("SPX", AS_OF + 200 * NS) == 0
    book.close()
    assert len(history.read(DAY).alerts) == 4


async def test_seeing_to_an_alert_is_remembered(tmp_path: Path) -> None:
    book = AlertBook(AlertHistory(tmp_path))
    for n in range(3):
        book.add(alert(n, str(n)))
    before = book.version
    assert book.acknowledge(alert(1, "1").id)
    assert not book.acknowledge(alert(1, "1").id)
    assert not book.acknowledge("nothing")
    assert book.version == before + 1
    assert [a.acknowledged for a in book.alerts] == [False, True, False]
    assert book.acknowledge_all() == 2
    assert book.acknowledge_all() == 0
    book.close()
    again = AlertBook(AlertHistory(tmp_path))
    await again.load("SPX", AS_OF)
    assert (len(again.alerts), again.unread) == (3, 0)


def test_replays_are_kept_only_if_asked(tmp_path: Path) -> None:
    replayed = stamped(Alert(AS_OF, "level", "info", "x", 1.0, True), "SPX", "replay", "flow")
    for keep in (False, True):
        book = AlertBook(AlertHistory(tmp_path), keep_replays=keep)
        book.add(replayed)
        book.acknowledge_all()
        book.close()
        assert len(AlertHistory(tmp_path).read(DAY).alerts) == keep


def test_time_that_goes_back_takes_alerts_from_the_book_and_not_from_the_history(
    tmp_path: Path,
) -> None:
    book = AlertBook(AlertHistory(tmp_path))
    book.add(alert(0))
    book.add(alert(60))
    book.rewind(AS_OF + 30 * NS)
    assert len(book.alerts) == 1
    book.close()
    assert len(AlertHistory(tmp_path).read(DAY).alerts) == 2


def test_a_history_that_cannot_be_kept_is_trouble_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    book = AlertBook(AlertHistory(tmp_path / "file"))
    book.add(alert(0))
    book.close()
    assert len(book.alerts) == 1
    assert "cannot be written" in book.trouble


async def test_a_history_that_cannot_be_read_is_trouble_and_no_more(tmp_path: Path) -> None:
    AlertHistory(tmp_path).path(DAY).mkdir()
    book = AlertBook(AlertHistory(tmp_path))
    assert await book.load("SPX", AS_OF) == 0
    assert "cannot be read" in book.trouble


async def test_old_days_go_when_a_book_is_loaded(tmp_path: Path) -> None:
    old = AlertHistory(tmp_path).path(DAY - dt.timedelta(91))
    old.write_text("")
    await AlertBook.of(AlertSettings(), tmp_path).load("SPX", AS_OF)
    assert not old.exists()


def test_old_days_go_when_a_new_one_begins_under_a_monitor_that_stays(tmp_path: Path) -> None:
    book = AlertBook(AlertHistory(tmp_path), retention_days=2)
    for days in range(5):
        book.add(alert(days * 86_400))
    book.close()
    assert len(AlertHistory(tmp_path).days()) == 3


def test_without_a_history_nothing_is_written(tmp_path: Path) -> None:
    book = AlertBook.of(AlertSettings(history_days=0), tmp_path)
    book.add(alert(0))
    book.acknowledge_all()
    book.close()
    assert list(tmp_path.iterdir()) == []
    assert book.trouble == ""


def test_a_book_is_bounded() -> None:
    book = AlertBook(most=3)
    for n in range(5):
        book.add(alert(n, str(n)))
    assert [a.text for a in book.alerts] == ["2", "3", "4"]
