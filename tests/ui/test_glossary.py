"""Help explains every word of the inferred book."""

from __future__ import annotations

import pytest

from gexterm.dealers.evidence import Evidence
from gexterm.ui.glossary import CHAPTERS, Term
from gexterm.ui.help import help_lines
from gexterm.ui.ink import cell_len, plain
from gexterm.ui.widgets.evidence import BRIEF, COUNTS, name

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
             "flow since", "rec 12 MB", "600 of 21k", "HELD", "stale", "reconnecting", "refused"]
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


def test_a_base_rate_is_never_called_a_promise() -> None:
    assert "never a promise" in term("2023 study").meaning
    assert "not a forecast" in term("placebo").meaning


@pytest.mark.parametrize("width", [40, 70, 104])
def test_help_fits_its_box(width: int) -> None:
    lines = help_lines({"help": ("f1",)}, "", width)
    assert all(cell_len(plain(line).rstrip()) <= max(width, 69) for line in lines)
