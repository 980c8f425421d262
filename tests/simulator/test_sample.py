from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from gexterm.errors import InputError, RecordingError
from gexterm.market.events import SourceInfo
from gexterm.recording.reader import Recording
from gexterm.recording.samples import encode_metadata, find_sample, list_samples
from gexterm.simulator.day import events
from gexterm.simulator.sample import FIRST_LIGHT, HAPPENS, describe, digest, main, write

FOLDER = Path(__file__).resolve().parents[2] / "sample_feeds"
BUNDLED = find_sample("first-light", FOLDER)


def test_the_bundled_recording_is_the_one_described() -> None:
    content = BUNDLED.path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == BUNDLED.sample.sha256
    assert len(content) == BUNDLED.sample.bytes < 2_000_000


def test_the_seed_gives_the_bundled_events_again() -> None:
    made = list(events(FIRST_LIGHT))
    assert digest(made[1:]) == BUNDLED.sample.events_sha256
    with Recording(BUNDLED.path) as recording:
        recorded = list(recording.events())
        assert recording.warnings == []
        assert recording.header.synthetic
    assert digest(recorded[1:]) == BUNDLED.sample.events_sha256
    assert recorded[0] == made[0] or isinstance(recorded[0], SourceInfo)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one.gexrec", tmp_path / "two.gexrec"
    write(one)
    assert main([str(two)]) == 0
    assert one.read_bytes() == two.read_bytes()
    # Nothing but the form may differ from what is bundled.
    [again] = list_samples(tmp_path)
    skip = {"file", "command", "made_with", "bytes", "sha256"}
    old, new = (msgspec.structs.asdict(s) for s in (BUNDLED.sample, again.sample))
    assert {k: v for k, v in new.items() if k not in skip} == {
        k: v for k, v in old.items() if k not in skip
    }


def test_the_source_in_the_file_says_synthetic_wherever_it_is_shown() -> None:
    with Recording(BUNDLED.path) as recording:
        info = next(iter(recording.events()))
    assert isinstance(info, SourceInfo)
    assert (info.feed, info.mode, info.note) == ("synthetic", "simulated", BUNDLED.sample.note)


def test_happenings_lie_within_the_sample_in_order() -> None:
    times = [at for at, _ in HAPPENS]
    assert times == sorted(times)
    assert BUNDLED.sample.begins[:5] <= times[0]
    assert times[-1] <= BUNDLED.sample.ends[:5]
    assert [h.at for h in BUNDLED.sample.happens] == times


def test_samples_are_found_by_name_and_the_first_is_the_default() -> None:
    assert find_sample() == list_samples()[0]
    assert find_sample().path.is_file()
    assert find_sample("first-light").name == "first-light"
    with pytest.raises(InputError, match=r"no sample feed 'nonsense'; there is: .*first-light"):
        find_sample("nonsense")


def test_making_it_again_leaves_the_other_samples_alone(tmp_path: Path) -> None:
    other = msgspec.structs.replace(BUNDLED.sample, name="other", file="other.gexrec")
    (tmp_path / "metadata.json").write_bytes(encode_metadata((other, BUNDLED.sample)))
    assert main([str(tmp_path / BUNDLED.path.name)]) == 0
    assert [found.name for found in list_samples(tmp_path)] == ["other", "first-light"]
    assert list_samples(tmp_path)[0].sample == other


def test_metadata_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"metadata\.json cannot be read"):
        list_samples(tmp_path)
    (tmp_path / "metadata.json").write_text('[{"name": 1}]')
    with pytest.raises(RecordingError, match="does not describe sample feeds"):
        list_samples(tmp_path)


def test_metadata_cannot_point_out_of_its_folder(tmp_path: Path) -> None:
    sample = msgspec.structs.replace(BUNDLED.sample, file="../../etc/passwd")
    (tmp_path / "metadata.json").write_bytes(msgspec.json.encode([sample]))
    [found] = list_samples(tmp_path)
    assert found.path == tmp_path / "passwd"


def test_the_command_wants_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
    assert main([str(tmp_path / "missing" / "x.gexrec")]) == 2
    assert "cannot create" in capsys.readouterr().err


def test_metadata_says_how_to_make_the_sample(tmp_path: Path) -> None:
    command = BUNDLED.sample.command.split()
    assert command[:3] == ["python", "-m", "gexterm.simulator.sample"]
    path = tmp_path / Path(command[3]).name
    subprocess.run([sys.executable, *command[1:3], str(path)], check=True, capture_output=True)
    assert describe(path, BUNDLED.sample.events_sha256).events == BUNDLED.sample.events
