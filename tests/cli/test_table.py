"""What `gexterm levels` prints of a book that is not sure of itself."""

from __future__ import annotations

from dataclasses import replace

from gexterm.cli.table import levels_table, summary_line
from tests.ui.fakes import in_doubt, reading

SURE = reading(view="combined")
DOUBTFUL = in_doubt(SURE)


def row(start: str, table: str) -> str:
    return next(line for line in table.splitlines() if line.strip().startswith(start))


def test_a_sign_that_may_be_the_other_is_asked_not_told() -> None:
    table = levels_table(DOUBTFUL)
    assert f"dealers {DOUBTFUL.gamma.state}? gamma" in table
    assert f"gamma {DOUBTFUL.regime.gamma}?" in table
    assert f"dealers {SURE.gamma.state} gamma" in levels_table(SURE)


def test_a_regime_that_rests_on_that_sign_is_asked_too() -> None:
    amplify = replace(DOUBTFUL, regime=replace(DOUBTFUL.regime, composite="amplify"))
    assert row("amplify", levels_table(amplify)).split()[0] == "amplify?"
    moving = replace(DOUBTFUL, regime=replace(DOUBTFUL.regime, composite="transition"))
    assert row("transition", levels_table(moving)).split()[0] == "transition"
    sure = replace(SURE, regime=replace(SURE.regime, composite="amplify"))
    assert row("amplify", levels_table(sure)).split()[0] == "amplify"


def test_an_unlikely_label_is_only_leaned_towards() -> None:
    label = DOUBTFUL.zero_dte.paradigm
    assert row("paradigm", levels_table(DOUBTFUL)).split()[1:3] == ["leaning", label]
    assert "leaning" not in levels_table(SURE)


def test_the_trap_is_said_before_any_number_it_spoils() -> None:
    table = levels_table(DOUBTFUL)
    assert table.index("SIGNING TRAP") < table.index("GAMMA")
    assert max(map(len, table.splitlines())) <= 100
    assumed = replace(DOUBTFUL.positions, view="squeezemetrics", basis="open interest")
    assert "SIGNING TRAP" not in levels_table(replace(DOUBTFUL, positions=assumed))


def test_every_inferred_view_has_the_probability_of_its_sign() -> None:
    view = replace(SURE.agreement.views[0], gamma="long", probability_short=0.38)
    found = replace(SURE, agreement=replace(SURE.agreement, views=(view,)))
    assert "long 62%" in levels_table(found)


def test_one_line_says_how_sure_it_is() -> None:
    sure, doubtful = summary_line(SURE), summary_line(DOUBTFUL)
    told = SURE.zero_dte.probability[SURE.zero_dte.paradigm]
    assert f"{SURE.zero_dte.paradigm} " in sure and f" {told:.0%} " in sure
    assert "80 %: " in sure and "?" not in sure and "TRAP" not in sure
    assert f"{DOUBTFUL.zero_dte.paradigm}? " in doubtful
    assert f" {DOUBTFUL.gamma.state}? " in doubtful
    assert doubtful.endswith(", SIGNING TRAP]")


def test_one_line_of_an_assumption_has_no_odds() -> None:
    assumed = summary_line(reading(view="squeezemetrics"))
    assert "%" not in assumed and "?" not in assumed


def test_a_line_written_while_the_feed_is_down_does_not_say_live_alone() -> None:
    assert ", live]" in summary_line(SURE, "live").replace(SURE.source.mode, "live")
    for state in ("reconnecting", "stale", "refused", "closed"):
        assert f"{SURE.source.mode}, {state}]" in summary_line(SURE, state)
