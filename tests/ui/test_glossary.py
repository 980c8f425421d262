"""Help explains every word of the inferred book."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gexterm.dealers.evidence import Evidence
from gexterm.feeds.window import WindowSettings
from gexterm.reading.model import Health
from gexterm.session.model import RecordingState
from gexterm.ui.frame import Frame
from gexterm.ui.glossary import CHAPTERS, Term
from gexterm.ui.help import help_lines
from gexterm.ui.ink import cell_len, plain
from gexterm.ui.widgets.evidence import BRIEF, COUNTS, name
from gexterm.ui.widgets.status import STATE_ROLES, parts, recorded
from tests.ui.fakes import NS, OPEN, FakeSession, reading

TERMS = {term.name: term for chapter in CHAPTERS for term in chapter.terms}
EVERYTHING = " ".join(
    " ".join((term.name, term.meaning, term.formula, term.source)) for term in TERMS.values()
)


def term(name: str) -> Term:
    return next(found for key, found in TERMS.items() if name in key)


@pytest.mark.parametrize(
    "name", ["flow", "combined", "80 % band", "P(label)", "2023 study", "placebo", "over-vixed",
             "hedged so far", "dealer holds ±sd", "beta today", "vanna stoch."]
)  # fmt: skip
def test_a_number_has_a_meaning_a_formula_and_a_source(name: str) -> None:
    found = term(name)
    assert found.meaning
    assert found.formula
    assert found.source


@pytest.mark.parametrize(
    "name", ["prior", "epoch", "customer", "signed", "SIGNING TRAP", "OI unexplained", "printed",
             "capped", "hatched", "≤ 30 d", "sign views ≠", "carried book",
             "flow since", "rec 12 MB", "NOT RECORDED", "rec off", "600 of 21k contracts", "HELD",
             "gaps", "age", "connecting", "stale", "reconnecting", "refused"]
)  # fmt: skip
def test_a_word_has_a_meaning(name: str) -> None:
    assert term(name).meaning


def test_the_customer_is_the_inferred_initiator() -> None:
    assert "Customer = inferred initiator" in term("customer").meaning


@pytest.mark.parametrize("kind", list(Evidence))
def test_every_kind_of_evidence_is_explained_by_the_name_it_has_on_screen(kind: Evidence) -> None:
    if kind is Evidence.REFUSED:
        return  # counted, never in a share
    assert name(kind.name) in EVERYTHING


def test_every_count_that_is_shown_is_explained() -> None:
    for _, told in COUNTS[:3]:
        assert told in EVERYTHING
    assert len(set(BRIEF.values())) == len(BRIEF)


STATUS = next(chapter for chapter in CHAPTERS if chapter.title == "The status line")
STATUS_TERMS = {found.name: found for found in STATUS.terms}
WORD = r"[A-Za-z][A-Za-z/]*\d*"
STATUS_WORDS = " ".join(f"{found.name} {found.meaning}" for found in STATUS.terms)
LIVE = replace(
    reading(),
    health=Health(
        quoted_share=0.93,
        quote_age_p50_s=0.4,
        quote_age_p99_s=4.1,
        crossed=2,
        stale=3,
        gaps=7,
        dropped=1,
        reconnects=1,
        events_per_s=1240.0,
        tick_ms=12.0,
        listed=21_000,
        quotes_asked=600,
        heard_from=OPEN - 60 * NS,
    ),
)
RECORDINGS = (
    RecordingState(on=True, size=12_300_000),
    RecordingState(on=False, why="disk full"),
    RecordingState(on=False, chosen=True),
)


@pytest.mark.parametrize("state", STATE_ROLES)
def test_every_state_of_the_connection_is_explained(state: str) -> None:
    if state == "paused":
        return  # a replay's, by a key that help names
    assert state in " ".join(STATUS_TERMS)


@pytest.mark.parametrize("recording", RECORDINGS)
def test_every_word_of_the_status_line_is_explained(recording: RecordingState) -> None:
    session = FakeSession()
    shown = Frame(session.info, session.status, LIVE, recording=recording)
    said = [plain(tuple(part)) for part in (recorded(shown), *parts(shown, LIVE, 149))]
    assert len(said) >= 10
    explained = set(re.findall(WORD, STATUS_WORDS))
    # Numbers with their units go first: `12`, `10:32`, `1.24k`, `0.4s`.
    bare = re.sub(r"(?<!\w)[\d.,:]+\w?", " ", "  ".join(said))
    told = set(re.findall(WORD, bare))
    assert len(told) >= 12
    assert told <= explained


@pytest.mark.parametrize("name", ["age", "600 of 21k"])
def test_what_the_status_line_computes_has_a_formula(name: str) -> None:
    assert next(found for key, found in STATUS_TERMS.items() if name in key).formula


def test_the_window_is_explained_by_the_numbers_that_it_is_drawn_with() -> None:
    drawn = WindowSettings()
    formula = term("600 of 21k").formula
    assert f"{drawn.sigmas:g} · vol" in formula
    assert f"{100 * drawn.least:g} %" in formula


def test_no_gap_is_no_proof_of_nothing_lost() -> None:
    assert "nothing was noticed" in STATUS_TERMS["gaps"].meaning
    assert "prints missing" in STATUS_TERMS["gaps"].meaning.lower()


def test_a_base_rate_is_never_called_a_promise() -> None:
    assert "never a promise" in term("2023 study").meaning
    assert "not a forecast" in term("placebo").meaning


@pytest.mark.parametrize("width", [40, 70, 104])
def test_help_fits_its_box(width: int) -> None:
    lines = help_lines({"help": ("f1",)}, "", width)
    assert all(cell_len(plain(line).rstrip()) <= max(width, 69) for line in lines)
