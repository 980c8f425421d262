"""The bundled sample feeds: what their metadata says is in the recordings and their truth."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from gexterm.exposure.paradigm import ParadigmReading
from gexterm.market.events import Trades
from gexterm.recording.reader import Recording
from gexterm.recording.samples import Sample, find_sample, list_samples
from gexterm.simulator.library import find_script
from gexterm.simulator.run import simulate
from gexterm.simulator.samples import SAMPLES, main
from gexterm.simulator.story import LASTS, Story, read_story, tell
from gexterm.simulator.truth import digest
from tests.cli.invoke import gexterm

FOLDER = Path(__file__).resolve().parents[2] / "sample_feeds"


def sample(name: str) -> Sample:
    return find_sample(name, FOLDER).sample


@cache
def story(name: str) -> Story:
    return read_story(find_sample(name, FOLDER).path)


def since_observed(name: str) -> list[float]:
    """Prices of the index after the levels were observed."""
    told = story(name)
    since = int(told.truth.about.observed["at"])
    return [spot for at, spot in told.spots if at > since]


def observed(name: str, level: str) -> float:
    return float(story(name).truth.about.observed[level])


def reading_at(name: str, ns: int) -> ParadigmReading:
    """The true book's reading at or next after a time."""
    return next(m.reading for m in story(name).moments if m.at >= ns)


def test_all_samples_are_there_and_the_first_is_the_default() -> None:
    names = [found.name for found in list_samples(FOLDER)]
    assert names == [*SAMPLES, "first-light"]
    assert find_sample("", FOLDER).name == "gex-target"


@pytest.mark.parametrize("name", SAMPLES)
def test_the_recording_is_the_one_described(name: str) -> None:
    found = find_sample(name, FOLDER)
    content = found.path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == found.sample.sha256
    assert len(content) == found.sample.bytes < 2_000_000
    assert 30 <= found.sample.minutes <= 60
    script = find_script(found.sample.script)
    assert (script.seed, script.title) == (found.sample.seed, found.sample.title)
    assert found.sample.command == f"gexterm simulate {script.name} --truth -o {found.path.name}"
    with Recording(found.path) as recording:
        assert recording.header.synthetic
        assert recording.info.mode == "simulated"
        assert recording.info.note == found.sample.note
        assert recording.warnings == []


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_said_to_happen_is_what_is_measured(name: str) -> None:
    said = tuple((h.at, h.what) for h in sample(name).happens)
    assert said == tell(story(name))
    assert said
    times = [at for at, _ in said]
    assert times == sorted(times)
    assert sample(name).begins[:5] <= times[0]
    assert times[-1] <= sample(name).ends[:5]


@pytest.mark.parametrize("name", ["gex-target", "null-day"])
def test_the_events_are_those_that_the_truth_belongs_to(name: str) -> None:
    with Recording(find_sample(name, FOLDER).path) as recording:
        events = list(recording.events())
    assert digest(events) == sample(name).events_sha256
    assert story(name).truth.about.events_sha256 == sample(name).events_sha256
    assert len(events) - 1 == sample(name).events
    assert sum(len(e.ts) for e in events if isinstance(e, Trades)) > 1000


def test_the_script_gives_the_bundled_events_again() -> None:
    assert digest(simulate(find_script("gex-target"))) == sample("gex-target").events_sha256


def test_gex_reaches_its_target_and_is_sidial_there() -> None:
    target = observed("gex-target", "target")
    assert reading_at("gex-target", 0).label == "GEX"
    assert observed("gex-target", "spot") < target <= max(since_observed("gex-target"))
    near = [m for m in story("gex-target").moments if abs(m.spot - target) < 5.0]
    assert sum(m.reading.label == "Sidial" for m in near) > 0.5 * len(near)


def test_bofa_stays_between_its_lines() -> None:
    lower, upper = observed("bofa", "lower"), observed("bofa", "upper")
    after = since_observed("bofa")
    assert lower <= min(after)
    assert max(after) <= upper
    labels = [m.reading.label for m in story("bofa").moments]
    assert labels.count("BofA") > 0.8 * len(labels)


def test_anti_gex_falls_to_its_target() -> None:
    target = observed("anti-gex", "target")
    assert reading_at("anti-gex", 0).label == "Anti-GEX"
    assert min(since_observed("anti-gex")) <= target < observed("anti-gex", "spot")


def test_sidial_ends_at_its_target() -> None:
    assert reading_at("sidial", 0).label == "Sidial"
    assert since_observed("sidial")[-1] == pytest.approx(observed("sidial", "target"), rel=0.001)


def test_the_line_is_crossed_and_spot_stays_beyond_it() -> None:
    after = since_observed("lis-breach")
    lower = observed("lis-breach", "lower")
    assert reading_at("lis-breach", 0).label == "BofA"
    assert after[0] > lower
    assert after[-1] < lower


def test_on_the_null_day_customers_want_nothing_and_no_paradigm_stays() -> None:
    truth = story("null-day").truth
    assert not truth.about.observed
    today = np.array([c.expiry == dt.date(2026, 11, 19) for c in truth.contracts])
    assert (truth.opening[today] == 0).all()
    trades = truth.trades
    at = today[trades["contract"]] & (trades["package"] < 0) & (trades["corrects"] < 0)
    signed = (trades["customer"] * trades["size"])[at]
    assert abs(signed.sum()) < 4 * math.sqrt(float(np.square(signed).sum()))
    labels = [m.reading.label for m in story("null-day").moments]
    for label in ("BofA", "GEX", "Anti-GEX", "Sidial"):
        assert labels.count(label) < 0.5 * len(labels)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_levels_told_are_those_of_the_true_book_then(name: str) -> None:
    """Observed on the market's own surface, told on the recording's quotes: a strike apart."""
    seen = story(name).truth.about.observed
    if not seen:
        return
    reading = reading_at(name, int(seen["at"]))
    assert reading.label == seen["label"]
    for level, there in (("lower", reading.lis_lower), ("upper", reading.lis_upper)):
        assert (level in seen) == (not math.isnan(there))
    if "target" in seen:
        assert reading.target == pytest.approx(float(seen["target"]), abs=10.0)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_label_is_told_only_once_it_lasts(name: str) -> None:
    labels = [m.reading.label for m in story(name).moments]
    for _, what in tell(story(name)):
        if "the true book turns" in what or "the true book reads" in what:
            words = what.removeprefix("the true book ").split()
            label = words[1].rstrip(",")
            if what.startswith("over"):
                continue
            runs = [labels[i : i + LASTS] == [label] * LASTS for i in range(len(labels))]
            assert any(runs)


def test_the_demo_lists_them_with_length_and_what_happens() -> None:
    done = gexterm("demo", "--list")
    assert done.code == 0
    for found in list_samples():
        assert found.name in done.out
        assert found.sample.title in done.out
        for happening in found.sample.happens:
            assert happening.what in done.out
    assert "50 min, the default" in done.out


def test_a_demo_that_there_is_not_lists_those_that_there_are() -> None:
    done = gexterm("demo", "moonshine", "--headless")
    assert done.code == 3
    assert (
        "there is: gex-target, bofa, anti-gex, sidial, lis-breach, null-day" in done.one_clear_line
    )


def test_the_command_that_makes_them_needs_no_more_than_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["one", "two"]) == 2
    assert "usage" in capsys.readouterr().err
    assert main([str(tmp_path / "missing")]) == 2
    assert "cannot create the recording" in capsys.readouterr().err
