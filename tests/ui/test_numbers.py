"""Numbers on the screen: three figures, a fixed width, and no calm nonsense."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from gexterm.ui import numbers

ANY = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_210_000_000.0, "+1.21bn"),
        (-310_000_000.0, "−310M"),
        (41_300.0, "+41.3k"),
        (42.0, "+42"),
        (0.0, "0"),
        (999_600.0, "+1.00M"),
        (-0.001, "0"),
        (math.nan, "–"),
        (math.inf, "–"),
        (4e15, "+>999T"),
    ],
)
def test_three_figures_and_a_prefix_a_trader_reads(value: float, text: str) -> None:
    assert numbers.compact(value, plus=True) == text


@given(ANY, st.booleans())
@settings(max_examples=120)
def test_si_is_always_seven_cells(value: float, plus: bool) -> None:
    text = numbers.si(value, plus=plus)
    assert cell_len(text) == numbers.SI_WIDTH == len(text)


@given(ANY, st.integers(0, 3), st.integers(5, 12))
@settings(max_examples=120)
def test_fixed_never_leaves_its_width(value: float, decimals: int, width: int) -> None:
    assert cell_len(numbers.fixed(value, decimals, width, plus=True)) == width


@given(ANY)
@settings(max_examples=120)
def test_every_other_format_keeps_its_width(value: float) -> None:
    assert cell_len(numbers.duration(value)) == numbers.DURATION_WIDTH
    assert cell_len(numbers.seconds(value)) == 5
    assert cell_len(numbers.percent(value, 7, 2)) == 7
    assert cell_len(numbers.sigmas(value)) == 6
    assert cell_len(numbers.distance(value)) == 8
    assert cell_len(numbers.price(value)) == 9


@given(st.floats(1e-2, 9e14))
@settings(max_examples=120)
def test_what_si_says_is_within_half_a_unit_of_the_third_figure(value: float) -> None:
    text = numbers.compact(value)
    prefix = "".join(c for c in text if c.isalpha())
    size = {letters: size for size, letters in numbers.PREFIXES}[prefix]
    assert math.isclose(float(text.removesuffix(prefix)) * size, value, rel_tol=6e-3, abs_tol=6e-3)


@given(st.floats(1e-3, 1e12))
def test_opposite_numbers_differ_in_sign_alone(value: float) -> None:
    up, down = numbers.si(value, plus=True), numbers.si(-value, plus=True)
    assert down.replace("−", "+") == up


def test_zero_after_rounding_has_no_sign() -> None:
    assert numbers.fixed(-0.004, 2, 6) == "  0.00"


def test_a_number_too_long_says_that_it_is_more_instead_of_losing_digits() -> None:
    assert numbers.fixed(1_234_567, 0, 5) == ">9999"
    assert numbers.fixed(-1_234_567, 0, 6) == "−>9999"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(19_440, " 5h24m"), (1447, "24m07s"), (59, " 0m59s"), (-5, " 0m00s"), (270_000, " 3d03h")],
)
def test_time_left(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


@pytest.mark.parametrize(
    ("strike", "text"),
    [(6045.0, "6,045"), (412.5, "412.5"), (97_250.0, "97,250"), (1.25, "1.25"),
     (0.625, "0.625"), (0.5125, "0.5125"), (0.57, "0.57")],
)  # fmt: skip
def test_a_strike_has_decimals_only_if_it_has_some(strike: float, text: str) -> None:
    assert numbers.strike(strike) == text


@pytest.mark.parametrize(
    ("level", "text"),
    [(97_643.2, "97,643"), (612.34, "612"), (55.123, "55.12"), (2.34567, "2.346"),
     (0.55128, "0.5513"), (math.nan, "–")],
)  # fmt: skip
def test_a_computed_level_has_the_decimals_its_size_bears_out(level: float, text: str) -> None:
    assert numbers.level(level) == text


def test_levels_of_a_coin_worth_less_than_a_dollar_are_told_apart() -> None:
    assert numbers.price(0.55128).strip() == "0.5513"
    assert numbers.levels_band(0.5412, 0.5634) == "0.5412–0.5634"
    assert numbers.reach(0.5512, 0.5490, 0.5530) == "±0.0022"
    assert numbers.reach(0.5512, 0.4100, 0.5530) == "0.4100–0.5530"
    assert numbers.distance(-0.0123, at=0.55).strip() == "−0.0123"
    assert numbers.gap(0.0123, 8, at=0.55).strip() == "+0.0123"
    assert numbers.gap(12.3, 8, at=6000.0).strip() == "+12"


# -- bands ---------------------------------------------------------------------------------

END = st.one_of(st.floats(-1e16, 1e16), st.just(math.nan), st.just(math.inf))


@given(ANY, END, END, st.integers(numbers.BAND_WIDTH, 16))
@settings(max_examples=300)
def test_a_band_never_leaves_its_width(value: float, low: float, high: float, width: int) -> None:
    assert cell_len(numbers.band(value, low, high, width)) == width
    assert cell_len(numbers.stretch(low, high)) <= numbers.BAND_WIDTH


@given(ANY)
@settings(max_examples=120)
def test_half_a_band_never_leaves_its_width(half: float) -> None:
    assert cell_len(numbers.plus_minus(half)) <= numbers.HALF_WIDTH


@given(st.floats(-1e12, 1e12), st.floats(0, 1e12))
@settings(max_examples=120)
def test_a_band_around_zero_is_shown_with_both_ends(middle: float, half: float) -> None:
    low, high = middle - half, middle + half
    text = numbers.band(middle, low, high)
    assert ("…" in text) if low <= 0 <= high else ("±" in text)


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (9e6, -1.2e7, 3e7, "−12…+30M"),
        (1.2e9, 9e8, 1.5e9, "±300M"),
        (1e8, 9e7, 4e8, "+90…+400M"),  # lopsided
        (5e8, 4e8, math.nan, "+400…openM"),
        (5e8, -math.inf, 6e8, "open…+600M"),
        (math.nan, 1e8, 2e8, "+100…+200M"),
        (0.0, 0.0, 0.0, "0…0"),
        (1.0, math.nan, math.nan, ""),
        (1e9, -9.996e8, 1e9, "−1.0…+1.0bn"),
        (3e15, -2e15, 4e15, "over ±999T"),
    ],
)
def test_bands_as_they_stand(value: float, low: float, high: float, text: str) -> None:
    assert numbers.band(value, low, high).strip() == text


@pytest.mark.parametrize(
    ("half", "text"), [(3e8, "±300M"), (1.24e9, "±1.2bn"), (41.0, "±41"), (0.0, "±0"),
                       (9.96e5, "±996k"), (math.nan, "±–")]
)  # fmt: skip
def test_an_error_has_no_more_figures_than_it_deserves(half: float, text: str) -> None:
    assert numbers.plus_minus(half) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(6040.0, 6050.0, "6,040–6,050"), (math.nan, 6050.0, "open–6,050"), (6040.2, math.inf,
     "6,040–open"), (6040.0, 6040.0, "6,040"), (math.nan, math.nan, "open")],
)  # fmt: skip
def test_a_band_of_points(low: float, high: float, text: str) -> None:
    assert numbers.levels_band(low, high) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [(6002.0, 5994.0, 6008.5, "±8"), (6002.0, math.nan, 6008.0, "open–6,008"),
     (6803.0, 5314.0, 6910.0, "5,314–6,910"), (math.nan, 1.0, 2.0, ""),
     (6000.0, math.nan, math.nan, "")],
)  # fmt: skip
def test_how_far_a_level_may_be_off(value: float, low: float, high: float, text: str) -> None:
    assert numbers.reach(value, low, high) == text


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6).filter(lambda p: sum(p) > 1e-3))
@settings(max_examples=200)
def test_probabilities_add_up_to_a_hundred_and_rule_nothing_out(shares: list[float]) -> None:
    texts = numbers.chances(shares)
    assert all(cell_len(text) == 4 for text in texts)
    whole = [{"<1%": 0, ">99%": 100}.get(t.strip(), t.strip().rstrip("%")) for t in texts]
    assert sum(map(int, whole)) == 100
    assert not {"  0%", "100%"} & set(texts)


@given(ANY)
@settings(max_examples=120)
def test_one_probability_is_four_cells_and_no_more_than_one(share: float) -> None:
    text = numbers.chance(share)
    assert cell_len(text) == 4
    assert ("–" in text) == (not 0 <= share <= 1)


def test_zero_within_a_band_is_a_sign_not_known() -> None:
    assert numbers.straddles(-1.0, 2.0)
    assert numbers.straddles(math.nan, 2.0)
    assert not numbers.straddles(1.0, math.nan)
    assert not numbers.straddles(math.nan, math.nan)
    assert not numbers.straddles(-2.0, -1.0)


def test_a_number_that_is_too_long_gives_up_decimals_before_it_gives_up() -> None:
    assert numbers.price(102_345.678) == "102,345.7"
    assert numbers.fixed(2_345.6, 1, 6) == " 2,346"
    assert numbers.fixed(99_999.96, 1, 7) == "100,000"


# -- columns that do not jitter --------------------------------------------------------------

FINITE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e4, 1e4),
    # Where rounding carries into the next figure, and the next prefix.
    st.builds(
        lambda power, near, sign: sign * 10.0**power * near,
        st.integers(-3, 16),
        st.sampled_from([0.9994, 0.99949, 0.9995, 0.99951, 0.9996, 0.99994, 0.99996, 1.0, 1.0005]),
        st.sampled_from([-1, 1]),
    ),
)
COLUMNS = {
    "si": numbers.si,
    "si with plus": lambda v: numbers.si(v, plus=True),
    "price": numbers.price,
    "distance": numbers.distance,
    "percent": lambda v: numbers.percent(v, 6, 1, plus=True),
    "sigmas": numbers.sigmas,
    "fixed": lambda v: numbers.fixed(v, 2, 8),
    "duration": lambda v: numbers.duration(abs(v)),
    "seconds": lambda v: numbers.seconds(abs(v)),
    "chance": lambda v: numbers.chance(abs(math.sin(v))),
}


@given(FINITE, FINITE)
@settings(max_examples=200)
@pytest.mark.parametrize("kind", sorted(COLUMNS))
def test_every_number_of_a_column_is_as_wide_as_every_other(
    kind: str, one: float, other: float
) -> None:
    write = COLUMNS[kind]
    assert cell_len(write(one)) == cell_len(write(other)) == cell_len(write(math.nan))


@given(FINITE)
@settings(max_examples=300)
@pytest.mark.parametrize("kind", sorted(COLUMNS))
def test_zero_has_no_sign(kind: str, value: float) -> None:
    text = COLUMNS[kind](value).strip()
    digits = [char for char in text if char.isdigit()]
    if digits and not {"1", "2", "3", "4", "5", "6", "7", "8", "9"} & set(digits):
        assert text[0] not in "−+-"
    assert "-" not in text  # a hyphen is narrower than a plus


@given(FINITE.filter(lambda v: 0.005 <= abs(v) < 999.4e12))
@settings(max_examples=500)
def test_si_has_three_figures_of_the_number_that_it_stands_for(value: float) -> None:
    text = numbers.si(value).strip().replace("−", "-")
    body = text.rstrip("TbnkM")
    scale = {"T": 1e12, "bn": 1e9, "M": 1e6, "k": 1e3, "": 1.0}[text[len(body) :]]
    assert len(body.lstrip("-").replace(".", "")) <= 3
    assert abs(float(body)) < 1000
    assert float(body) * scale == pytest.approx(value, rel=0.0051, abs=0.0051)
    if scale > 1:
        assert abs(float(body)) >= 1


@given(FINITE.filter(lambda v: 0.05 <= abs(v) < 999e12))
@settings(max_examples=200)
def test_points_of_a_column_of_si_stand_below_each_other(value: float) -> None:
    """The figures end, and the prefix begins, in the same cell."""
    text = numbers.si(value)
    assert text[4].isdigit()
    assert not any(char.isdigit() for char in text[5:])


@pytest.mark.parametrize(
    ("value", "text"),
    [(999.4, "999"), (999.6, "1.00k"), (999_400.0, "999k"), (999_600.0, "1.00M"),
     (9_994.0, "9.99k"), (9_996.0, "10.0k"), (99_940.0, "99.9k"), (99_960.0, "100k"),
     (-999_600_000.0, "−1.00bn"), (999.6e9, "1.00T"), (999.4e12, "999T"), (999.6e12, ">999T")],
)  # fmt: skip
def test_rounding_carries_into_the_next_prefix(value: float, text: str) -> None:
    assert numbers.compact(value) == text


@given(st.floats(1.0, 9_999_999.0))
@settings(max_examples=200)
def test_prices_have_separators_and_no_other_groups_than_of_three(value: float) -> None:
    text = numbers.price(value, 14).strip()
    groups = text.split(".")[0].split(",")
    assert 1 <= len(groups[0]) <= 3
    assert all(len(group) == 3 for group in groups[1:])
    assert float(text.replace(",", "")) == pytest.approx(value, abs=0.00501)
