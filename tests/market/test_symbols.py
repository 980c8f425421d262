"""Symbols name contracts, both ways; hostile text names none."""

from __future__ import annotations

import datetime as dt
import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import SymbolError
from gexterm.market import symbols
from gexterm.market.contracts import Contract, Right
from gexterm.market.symbols import STYLES, Style, detect, parse, parse_many
from tests.shared_data import shared

SPXW = Contract("SPXW", dt.date(2025, 11, 21), Right.CALL, 6600.0)
EXAMPLES: list[tuple[Style, str, Contract]] = [
    ("occ", "SPXW  251121C06600000", SPXW),
    ("cboe", "SPXW251121C06600000", SPXW),
    ("polygon", "O:SPXW251121C06600000", SPXW),
    ("dxfeed", ".SPXW251121C6600", SPXW),
    ("occ", "SPY   251121P00600500", Contract("SPY", dt.date(2025, 11, 21), Right.PUT, 600.5)),
    ("dxfeed", ".SPY251121P600.5", Contract("SPY", dt.date(2025, 11, 21), Right.PUT, 600.5)),
    ("dxfeed", ".SPY1251121P600.5", Contract("SPY1", dt.date(2025, 11, 21), Right.PUT, 600.5)),
    ("cboe", "SPY1251121P00000001", Contract("SPY1", dt.date(2025, 11, 21), Right.PUT, 0.001)),
    ("deribit", "BTC-9JUN20-9875-P", Contract("BTC", dt.date(2020, 6, 9), Right.PUT, 9875.0)),
    ("deribit", "BTC-28NOV26-100000-C", Contract("BTC", dt.date(2026, 11, 28), Right.CALL, 1e5)),
    (
        "deribit",
        "SOL_USDC-25SEP26-45-P",
        Contract("SOL_USDC", dt.date(2026, 9, 25), Right.PUT, 45.0),
    ),
    (
        "deribit",
        "XRP_USDC-25SEP26-0d43-C",
        Contract("XRP_USDC", dt.date(2026, 9, 25), Right.CALL, 0.43),
    ),
]


@pytest.mark.parametrize(("style", "symbol", "contract"), EXAMPLES)
def test_each_style_names_its_contract_both_ways(
    style: Style, symbol: str, contract: Contract
) -> None:
    assert parse(symbol, style) == contract
    assert parse(symbol) == contract
    assert detect(symbol) == style
    assert symbols.format(contract, style) == symbol


US_ROOTS = st.from_regex(r"\A[A-Z]{1,5}[0-9]?\Z").filter(
    lambda root: root not in ("BTC", "ETH") and root not in _unrecorded()
)
COIN_ROOTS = st.sampled_from(["BTC", "ETH", "SOL_USDC", "XRP_USDC", "BTC_USDC"])
DATES = st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31))
RIGHTS = st.sampled_from([Right.CALL, Right.PUT])
THOUSANDTHS = st.integers(1, 99_999_999).map(lambda n: n / 1000)


def _unrecorded() -> frozenset[str]:
    from gexterm.market.roots import _UNRECORDED

    return _UNRECORDED


@settings(max_examples=150, deadline=None)
@given(US_ROOTS, DATES, RIGHTS, THOUSANDTHS, st.sampled_from(["occ", "cboe", "polygon", "dxfeed"]))
def test_any_listed_option_survives_the_way_through_its_symbol(
    root: str, date: dt.date, right: Right, strike: float, style: Style
) -> None:
    contract = Contract(root, date, right, strike)
    symbol = symbols.format(contract, style)
    assert parse(symbol, style) == contract
    assert parse(symbol) == contract
    assert symbols.format(parse(symbol, style), style) == symbol


@settings(max_examples=100, deadline=None)
@given(COIN_ROOTS, DATES, RIGHTS, st.integers(1, 10**9 - 1), st.sampled_from([1, 100, 10_000]))
def test_any_coin_option_survives_the_way_through_its_symbol(
    root: str, date: dt.date, right: Right, units: int, per: int
) -> None:
    contract = Contract(root, date, right, units / per)
    symbol = symbols.format(contract, "deribit")
    assert parse(symbol) == contract
    assert symbols.format(parse(symbol), "deribit") == symbol


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80) | st.text(string.digits + "CP.-:SPXW OJUNd_[]\x1b\n", max_size=40))
def test_arbitrary_text_ends_in_a_contract_or_in_a_printable_error(text: str) -> None:
    for style in (None, *STYLES):
        try:
            contract = parse(text, style)
        except SymbolError as error:
            shown = str(error).replace("…", "")
            assert shown.isascii() and shown.isprintable() and "[" not in shown
            assert len(shown) < 400
        else:
            assert 0 < contract.strike < 1e9
            assert parse(symbols.format(contract, style or detect(text))) == contract


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "SPXW",
        "SPXW251121C00000000",  # a strike of zero
        "SPXW251121C-6600000",
        "SPXW251121X06600000",
        "SPXW251321C06600000",  # month 13
        "SPXW250230C06600000",  # 30 February
        "SPXW251121C066000000",  # a digit too many
        "SPXW251121C٠٦٦٠٠٠٠٠",  # digits, but not ours
        "SPXW251121C06600000\n",
        "\x1b[31mSPXW251121C06600000",
        "[bold]251121C06600000",
        "spxw251121C06600000",
        "123456251121C06600000",  # a root without a letter
        "  SPXW251121C06600000",
        "SP XW 251121C06600000",
        ".SPXW251121C",
        ".SPXW251121C0",
        ".SPXW251121C6600.",
        ".SPXW251121C1e3",
        ".SPXW251121C" + "9" * 5000,
        "O:",
        "BTC-09JUN20-9875-P",  # Deribit does not pad the day
        "BTC-31JUN20-9875-P",
        "BTC-9JUNE20-9875-P",
        "BTC-9JUN20-0-P",
        "BTC-9JUN20-09875-P",
        "BTC-PERPETUAL",
        "BTC-27DEC24",
        "BTC-CS-28NOV26-100000_110000",
        "DOGE-9JUN20-9875-P",
        "BTC_EUR-9JUN20-9875-P",
    ],
)
def test_what_is_no_option_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(SymbolError):
        parse(symbol)


def test_objects_that_are_no_text_are_refused() -> None:
    for thing in (None, 5, b"SPXW251121C06600000", ["x"]):
        with pytest.raises(SymbolError):
            parse(thing)  # type: ignore[arg-type]


def test_the_message_says_what_is_wrong_with_which_symbol() -> None:
    with pytest.raises(SymbolError, match="'SPXW250230C06600000' expires on a day that does not"):
        parse("SPXW250230C06600000")
    with pytest.raises(SymbolError, match="'SPXW251121C00000000' has a strike of zero"):
        parse("SPXW251121C00000000")


def test_a_stock_symbol_on_btc_is_refused_since_the_root_would_settle_with_deribit() -> None:
    with pytest.raises(SymbolError, match="Deribit"):
        parse("BTC251121C00050000")


@pytest.mark.parametrize("strike", [0.0, -5.0, float("nan"), float("inf"), 100_000.0, 0.0001])
def test_a_strike_that_eight_digits_cannot_hold_is_not_formatted(strike: float) -> None:
    with pytest.raises(SymbolError):
        symbols.format(Contract("SPXW", dt.date(2025, 11, 21), Right.CALL, strike), "occ")


def test_a_year_that_two_digits_cannot_hold_is_not_formatted() -> None:
    for style in STYLES:
        root = "BTC" if style == "deribit" else "SPXW"
        with pytest.raises(SymbolError, match="2100"):
            symbols.format(Contract(root, dt.date(2100, 1, 1), Right.CALL, 100.0), style)


def test_coins_have_no_stock_symbol_and_stocks_no_coin_symbol() -> None:
    with pytest.raises(SymbolError):
        symbols.format(Contract("BTC", dt.date(2026, 1, 2), Right.CALL, 100.0), "occ")
    with pytest.raises(SymbolError):
        symbols.format(SPXW, "deribit")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.builds(Contract, US_ROOTS, DATES, RIGHTS, THOUSANDTHS).map(
                lambda c: symbols.format(c, "cboe")
            ),
            st.text(max_size=25),
            st.sampled_from(["BTC251121C00050000", "SPXW250230C06600000", "SPXW251121C00000000"]),
        ),
        max_size=20,
    )
)
def test_the_fast_way_agrees_with_the_careful_one(texts: list[str]) -> None:
    def careful(text: str) -> Contract | None:
        try:
            return parse(text, "cboe")
        except SymbolError:
            return None

    assert parse_many(texts) == [careful(text) for text in texts]


def test_every_instrument_of_a_real_deribit_snapshot_parses_and_formats_back() -> None:
    path = shared("deribit/deribit_options_snapshot_20260219T155758Z.csv")
    rows = path.read_text().splitlines()[1:]
    assert len(rows) > 1000
    for row in rows:
        (
            _,
            name,
            *_,
        ) = row.split(",")
        kind, strike, settles = row.split(",")[4:7]
        contract = parse(name, "deribit")
        assert symbols.format(contract, "deribit") == name
        assert contract.strike == float(strike)
        assert contract.right == kind[0].upper()
        assert contract.expiry == dt.datetime.fromisoformat(settles).date()


def test_a_real_deribit_ticker_parses() -> None:
    for line in shared("feeds/deribit/deribit_option_ticker_real.jsonl").read_text().splitlines():
        name = json.loads(line)["params"]["data"]["instrument_name"]
        assert symbols.format(parse(name), "deribit") == name
