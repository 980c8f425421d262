"""A simulated day against its truth: what is compared, and how it adds up."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from gexterm.config import Settings
from gexterm.engine.settings import EngineSettings
from gexterm.errors import InputError
from gexterm.recording.samples import find_sample
from gexterm.simulator.truth import read_truth, truth_path
from gexterm.study.accuracy import NO_LABEL, summarise
from gexterm.study.metrics import Score
from gexterm.study.observe import RULES, VIEWS, DayFacts, Observation, Side, observe
from gexterm.study.report import accuracy_json, accuracy_text
from tests.study.days import SEED


def test_every_print_of_a_customer_is_a_case_once(facts: DayFacts, day: Path) -> None:
    truth = read_truth(day)
    heard = truth.trades["sequence"] >= 0
    customers = truth.trades["customer"] != 0
    stands = truth.trades["busted_at"] == 0
    assert facts.prints.count == np.count_nonzero(heard & customers & stands)
    assert {score.count for score in facts.by_rule.values()} == {facts.prints.count}
    assert sum(score.count for score in facts.by_evidence.values()) == facts.prints.count
    assert sum(s.right for s in facts.by_evidence.values()) == pytest.approx(facts.prints.right)


def test_unsigned_prints_count_as_a_coin(facts: DayFacts) -> None:
    for reason in ("late", "floor", "no quote", "one-sided quote", "crossed quote"):
        if reason in facts.by_evidence:
            assert facts.by_evidence[reason].share == 0.5


def test_what_was_said_of_signed_prints_is_at_least_a_coin(facts: DayFacts) -> None:
    assert len(facts.said) == len(facts.was) <= facts.prints.count
    assert (facts.said > 0.5).all() and (facts.said <= 1.0).all()
    unsigned = facts.prints.count - len(facts.said)
    right = facts.was.sum() + 0.5 * unsigned
    assert facts.prints.right == pytest.approx(right)


def test_signing_is_better_than_each_rule_of_the_literature(facts: DayFacts) -> None:
    assert set(facts.by_rule) == set(RULES)
    best = max(score.share for score in facts.by_rule.values())
    assert facts.prints.share > best - 0.005


def test_each_moment_is_seen_under_both_views_beside_what_each_claims_to_know(
    facts: DayFacts,
) -> None:
    moments = {o.at for o in facts.observations}
    assert len(moments) == 5 or len(moments) == 6
    assert len(facts.observations) == 2 * len(moments)
    for at in moments:
        both = [o for o in facts.observations if o.at == at]
        assert [o.view for o in both] == list(VIEWS)
        for o in both:
            assert sum(o.odds.values()) == pytest.approx(1.0, abs=1e-6)
            assert abs(o.below.true) <= o.below.gross
            assert 0.0 <= o.p_short <= 1.0
    # The book is held against the book, today's flow against what dealers gained today.
    combined, flow = ([o for o in facts.observations if o.view == v] for v in VIEWS)
    assert {o.true_label for o in combined} == {"GEX"}
    assert all(a.true_gex != b.true_gex for a, b in zip(combined, flow, strict=True))


def test_the_day_is_named_by_script_and_seed(facts: DayFacts) -> None:
    assert facts.name == f"short {SEED}"


def test_without_a_truth_there_is_nothing_to_observe(tmp_path: Path, day: Path) -> None:
    alone = tmp_path / "alone.gexrec"
    alone.write_bytes(day.read_bytes())
    with pytest.raises(InputError, match="there is no truth beside"):
        observe(alone, Settings())


def test_a_damaged_truth_is_named(tmp_path: Path, day: Path) -> None:
    path = tmp_path / "day.gexrec"
    path.write_bytes(day.read_bytes())
    truth_path(path).write_bytes(truth_path(day).read_bytes()[:-500])
    with pytest.raises(InputError, match="is no truth that can be read"):
        observe(path, Settings())


def test_the_truth_of_another_recording_is_refused(tmp_path: Path, day: Path) -> None:
    path = tmp_path / "other.gexrec"
    path.write_bytes(find_sample("first-light").path.read_bytes())
    truth_path(path).write_bytes(truth_path(day).read_bytes())
    with pytest.raises(InputError, match="is the truth of another recording"):
        observe(path, Settings())


# Summing days up


def moment(**changes) -> Observation:
    made = Observation(
        at=1,
        view="flow",
        label="GEX",
        odds={"BofA": 0.1, "GEX": 0.7, "Anti-GEX": 0.1, "Sidial": 0.1},
        true_label="GEX",
        below=Side(-5.0, -6.0, 20.0),
        above=Side(-4.0, -6.0, 20.0),
        gex=2.0,
        true_gex=3.0,
        p_short=0.2,
        trap=False,
        inside=(True, True, False),
    )
    return dataclasses.replace(made, **changes)


def day_of(*observations: Observation) -> DayFacts:
    score = Score(3.0, 4)
    return DayFacts(
        name="made 1",
        prints=score,
        contracts=0.7,
        by_rule=dict.fromkeys(RULES, score),
        by_evidence={"at the quote": score},
        said=np.array([0.8, 0.8]),
        was=np.array([True, False]),
        rank=0.5,
        busy=10,
        strikes=7,
        observations=observations,
    )


def flow_of(*observations: Observation):
    return summarise([day_of(*observations)]).views[tuple(VIEWS).index("flow")]


def test_a_label_is_right_or_wrong_only_where_there_is_one_on_both_sides() -> None:
    found = flow_of(
        moment(),
        moment(label="BofA"),
        moment(label="Mixed"),
        moment(true_label="Mixed"),
        moment(label="No data", odds={}),
    )
    assert found.label == Score(1.0, 2)
    assert found.called == pytest.approx(2 / 4)
    assert found.observations == 5


def test_the_sign_of_a_side_is_asked_for_only_where_truth_has_one() -> None:
    small = Side(1.0, -1.9, 20.0)  # less than a tenth of gross
    wrong = Side(1.0, -6.0, 20.0)
    unknown = Side(math.nan, -6.0, 20.0)
    assert flow_of(moment(below=small)).side_sign == Score(1.0, 1)
    assert flow_of(moment(below=wrong)).side_sign == Score(1.0, 2)
    assert flow_of(moment(below=unknown)).side_sign == Score(1.0, 2)


def test_coverage_is_the_share_of_moments_whose_bands_held_the_truth() -> None:
    seen = (moment(), moment(inside=(True, False, False)))
    [view] = [v for v in summarise([day_of(*seen)]).views if v.view == "flow"]
    assert view.coverage == (1.0, 0.5, 0.0)


def test_cautious_is_mixed_or_no_label_above_sixty_percent() -> None:
    even = {"BofA": 0.3, "GEX": 0.4, "Anti-GEX": 0.2, "Sidial": 0.1}
    found = flow_of(moment(), moment(odds=even), moment(label="Mixed"), moment(trap=True))
    assert found.cautious == 0.5
    assert found.trap == 0.25


def test_brier_is_of_all_labels_and_of_the_one_shown() -> None:
    found = flow_of(moment())
    assert found.brier == pytest.approx(0.5 * (0.3**2 + 3 * 0.1**2))
    assert found.brier_shown == pytest.approx(0.3**2)
    assert math.isnan(flow_of(moment(odds={})).brier_shown)


def test_days_add_up_and_keep_their_names() -> None:
    found = summarise([day_of(moment()), day_of(moment(label="BofA"))])
    assert found.days == ("made 1", "made 1")
    assert found.prints == Score(6.0, 8)
    assert found.by_evidence["at the quote"] == Score(6.0, 8)
    assert found.ranks == (0.5, 0.5)
    assert found.views[tuple(VIEWS).index("flow")].label == Score(1.0, 2)
    assert found.views[tuple(VIEWS).index("combined")].observations == 0


def test_the_report_holds_what_was_measured_and_says_of_what_kind(facts: DayFacts) -> None:
    found = summarise([facts])
    text = accuracy_text(found)
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "not how well it does on an exchange" in text
    assert f"{found.prints.count:,}" in text
    told = json.loads(accuracy_json(found))
    assert told["schema"] == "gexterm.accuracy/1"
    assert told["prints"]["share"] == found.prints.share
    assert set(told["by_rule"]) == set(RULES)
    assert [v["view"] for v in told["views"]] == list(VIEWS)


def test_no_label_is_what_the_reading_calls_so() -> None:
    assert {"Mixed", "No data"} == NO_LABEL
    assert EngineSettings().view == "auto"
