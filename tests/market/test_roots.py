"""What a root says."""

from __future__ import annotations

import pytest

from gexterm.errors import SymbolError
from gexterm.market.contracts import Exercise, Settlement
from gexterm.market.roots import index_roots, is_index, printable, root_spec


@pytest.mark.parametrize(
    ("root", "underlying", "settlement", "exercise", "kind"),
    [
        ("SPX", "SPX", Settlement.AM, Exercise.EUROPEAN, "index"),
        ("SPXW", "SPX", Settlement.PM, Exercise.EUROPEAN, "index"),
        ("XSP", "XSP", Settlement.PM, Exercise.EUROPEAN, "index"),
        ("NDX", "NDX", Settlement.AM, Exercise.EUROPEAN, "index"),
        ("NDXP", "NDX", Settlement.PM, Exercise.EUROPEAN, "index"),
        ("RUT", "RUT", Settlement.AM, Exercise.EUROPEAN, "index"),
        ("RUTW", "RUT", Settlement.PM, Exercise.EUROPEAN, "index"),
        ("VIX", "VIX", Settlement.AM, Exercise.EUROPEAN, "index"),
        ("OEX", "OEX", Settlement.PM, Exercise.AMERICAN, "index"),
        ("XEO", "OEX", Settlement.PM, Exercise.EUROPEAN, "index"),
        ("SPY", "SPY", Settlement.PM, Exercise.AMERICAN, "ETF"),
        ("AAPL", "AAPL", Settlement.PM, Exercise.AMERICAN, "single name"),
        ("BTC", "BTC", Settlement.UTC8, Exercise.EUROPEAN, "crypto"),
        ("SOL_USDC", "SOL", Settlement.UTC8, Exercise.EUROPEAN, "crypto"),
    ],
)
def test_a_root_names_underlying_settlement_and_exercise(
    root: str, underlying: str, settlement: Settlement, exercise: Exercise, kind: str
) -> None:
    spec = root_spec(root)
    assert (spec.underlying, spec.settlement, spec.exercise, spec.kind) == (
        underlying,
        settlement,
        exercise,
        kind,
    )
    assert spec.standard


def test_contracts_are_for_a_hundred_shares_except_coins_and_nanos() -> None:
    assert root_spec("SPXW").multiplier == root_spec("SPY").multiplier == 100
    assert root_spec("ETH").multiplier == root_spec("SOL_USDC").multiplier == 1
    assert root_spec("NANOS").multiplier == 1


def test_only_coin_settled_families_are_inverse() -> None:
    assert root_spec("BTC").inverse and root_spec("ETH").inverse
    assert not root_spec("SOL_USDC").inverse and not root_spec("SPX").inverse


@pytest.mark.parametrize(
    ("root", "underlying"), [("SPY1", "SPY"), ("2SPX", "SPX"), ("AAPL7", "AAPL")]
)
def test_adjusted_flex_and_mini_roots_are_not_standard(root: str, underlying: str) -> None:
    spec = root_spec(root)
    assert not spec.standard
    assert spec.underlying == underlying
    assert spec.note


def test_an_index_option_of_unrecorded_terms_is_refused_rather_than_taken_for_a_stock() -> None:
    with pytest.raises(SymbolError, match="MXEA"):
        root_spec("MXEA")


@pytest.mark.parametrize("root", ["", "spx", "SPX ", "TOOLONGROOT", "123", "SP\nX", "BTC_EUR", "É"])
def test_what_cannot_be_a_root_is_refused(root: str) -> None:
    with pytest.raises(SymbolError):
        root_spec(root)


def test_indices_are_told_from_stocks_and_funds() -> None:
    assert is_index("SPX") and is_index("VIX")
    assert not is_index("SPY") and not is_index("SPXW") and not is_index("BTC")
    assert set(index_roots("NDX")) == {"NDX", "NDXP"}
    assert index_roots("SPY") == ()


def test_text_from_outside_is_shown_harmless_and_short() -> None:
    shown = printable("[red]\x1b[31m\nÄ" + "x" * 500)
    assert shown.endswith("…") and shown[:-1].isascii() and shown.isprintable()
    assert "[" not in shown
    assert len(shown) < 120
    assert printable(None) == "'None'"
