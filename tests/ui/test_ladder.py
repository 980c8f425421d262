"""The ladder, row by row as it stands on the screen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from textual.geometry import Size

from gexterm.reading.model import Reading
from gexterm.ui import themes
from gexterm.ui.frame import Frame
from gexterm.ui.ink import cell_len as cells_of
from gexterm.ui.ink import plain
from gexterm.ui.ink import width as cells
from gexterm.ui.widgets import levels
from gexterm.ui.widgets.columns import ERROR, INTEREST, POSITION, VOLUME, plan
from gexterm.ui.widgets.contracts import contracts, error, positions
from gexterm.ui.widgets.ladder import FOOTER, HEADER, Ladder
from tests.ui.fakes import NS, FakeSession, reading

SESSION = FakeSession()


def frame(found: Reading | None, **changes: object) -> Frame:
    return Frame(SESSION.info, SESSION.status, found, **changes)  # type: ignore[arg-type]


def rows(found: Reading, width: int = 80, height: int = 40, **changes: object) -> list[str]:
    return [plain(line) for line in Ladder().paint(frame(found, **changes), width, height)]


def row_of(lines: list[str], strike: str) -> str:
    (line,) = [line for line in lines[HEADER:] if f" {strike} " in line]
    return line


def test_spot_lies_between_the_strikes_around_it() -> None:
    lines = rows(reading(6012.35))
    (at,) = [i for i, line in enumerate(lines) if "6,012.35" in line]
    assert "6,015" in lines[at - 1]
    assert "6,010" in lines[at + 1]


def test_spot_is_the_only_line_across_everything() -> None:
    lines = rows(reading(6012.35))
    full = [line for line in lines if line.count("━") > 60]
    assert len(full) == 1
    assert len(full[0]) == 80


def test_spot_on_a_strike_stands_above_it() -> None:
    lines = rows(reading(6010.0))
    (at,) = [i for i, line in enumerate(lines) if "6,010.00" in line]
    assert "6,015" in lines[at - 1]
    assert "6,010" in lines[at + 1]


def test_strikes_descend() -> None:
    found = reading()
    lines = rows(found)
    strikes = [
        float(word.replace(",", ""))
        for line in lines[HEADER:-FOOTER]
        if "━" not in line
        for word in line.split()
        if word.startswith(("5,", "6,"))
    ]
    assert strikes == sorted(strikes, reverse=True)
    assert len(strikes) == 40 - HEADER - FOOTER - 1


def test_the_lines_in_the_sand_are_marked_on_their_strikes() -> None:
    found = reading(view="short-both")
    lines = rows(found)
    zero = found.zero_dte
    assert "▴LIS" in row_of(lines, f"{zero.lis_upper:,.0f}")
    assert "▾LIS" in row_of(lines, f"{zero.lis_lower:,.0f}")


def test_target_flip_and_walls_are_marked() -> None:
    found = reading(view="squeezemetrics")
    lines = rows(found, width=120, height=60)
    assert "◎target" in row_of(lines, f"{found.zero_dte.target:,.0f}")
    assert "▪call" in row_of(lines, f"{found.gamma.call_wall:,.0f}")
    assert "▪put" in row_of(lines, f"{found.gamma.put_wall:,.0f}")
    near = 5 * round(found.gamma.flip / 5)
    assert "┄flip" in row_of(lines, f"{near:,.0f}")


def test_several_levels_on_one_strike_are_all_told() -> None:
    found = reading()
    found = replace(
        found,
        zero_dte=replace(found.zero_dte, lis_upper=6020.0, target=6020.0),
        gamma=replace(found.gamma, flip=6020.5, call_wall=6020.0, flips=()),
    )
    line = row_of(rows(found), "6,020")
    assert all(glyph in line for glyph in "▴◎┄▪")
    assert "LIS" in line


def test_a_level_out_of_view_is_told_at_the_edge() -> None:
    found = reading()
    found = replace(found, zero_dte=replace(found.zero_dte, lis_upper=6100.0, lis_lower=5800.0))
    lines = rows(found, height=20)
    assert "▲ 6,100 LIS" in lines[HEADER - 1]
    assert "▼ 5,950 put +1" in lines[-1]


def test_the_nearest_of_several_is_told_and_the_others_counted() -> None:
    found = reading()
    found = replace(
        found,
        zero_dte=replace(found.zero_dte, lis_upper=6100.0),
        gamma=replace(found.gamma, call_wall=6150.0),
    )
    assert "▲ 6,100 LIS +1" in rows(found, height=20)[HEADER - 1]


def test_positive_bars_stand_right_of_negative_ones() -> None:
    lines = rows(reading(view="customer-flow"))  # short calls above, long puts below
    layout = plan(80, 6, "charm")
    centre = layout.left + layout.axis + 2 + layout.half
    above, below = row_of(lines, "6,050"), row_of(lines, "5,975")
    assert "█" in above[centre - layout.half : centre]
    assert "█" not in above[centre:]
    assert "█" in below[centre : centre + layout.half]
    assert "█" not in below[centre - layout.half : centre]


def test_the_longest_bar_belongs_to_the_largest_number() -> None:
    found = reading(view="long-both")
    lines = rows(found, height=125, look_back=False)
    table = found.strikes
    largest = table["strike"][int(np.argmax(table["gex"].to_numpy()))]
    layout = plan(80, 6, "charm")
    start = layout.left + layout.axis
    lengths = {line: line[start:].count("█") for line in lines[HEADER:-FOOTER]}
    assert max(lengths, key=lambda line: lengths[line]) == row_of(lines, f"{largest:,.0f}")


def test_numbers_stand_beside_the_bars_in_one_unit() -> None:
    found = reading(view="short-both")
    lines = rows(found)
    assert "$M/h" in lines[1]
    table = found.strikes
    value = table.filter(pl.col("strike") == 6050)["charm"][0] / 1e6
    assert f" {value:.1f}" in row_of(lines, "6,050")


def test_what_is_not_known_is_a_dash_and_has_no_bar() -> None:
    found = reading()
    blank = found.strikes.with_columns(
        charm=pl.when(pl.col("strike") == 6020).then(None).otherwise(pl.col("charm")),
        gex=pl.when(pl.col("strike") == 6020).then(float("nan")).otherwise(pl.col("gex")),
    )
    line = row_of(rows(replace(found, strikes=blank), look_back=False), "6,020")
    assert line.count("–") == 2
    assert "█" not in line


def test_strikes_with_old_quotes_are_dim() -> None:
    found = reading(6012.35)
    old = found.strikes.with_columns(
        quote_age_s=pl.when(pl.col("strike") == 6020).then(500.0).otherwise(0.4)
    )
    lines = Ladder().paint(frame(replace(found, strikes=old)), 80, 40)
    dim = [
        line
        for line in lines[HEADER:-FOOTER]
        if any(
            span.fg in ("buy~", "sell~", "short~", "long~") or span.bg == "short~" for span in line
        )
    ]
    assert len(dim) == 1
    assert " 6,020 " in plain(dim[0])


def test_the_side_is_explained_above_the_bars() -> None:
    lines = rows(reading(), width=80)
    assert "buy◂▸sell" in lines[2]
    assert "short◂▸long" in lines[2]


@pytest.mark.parametrize("greek", ["gamma", "charm", "vanna", "vega", "delta", "decay"])
def test_the_chosen_greek_comes_first(greek: str) -> None:
    assert rows(reading(), greek=greek)[1].split()[0] == greek


def test_the_sign_view_and_its_basis_stand_above_the_numbers() -> None:
    assert "short-both × volume" in rows(reading())[0]


def test_the_warning_of_the_view_is_shown() -> None:
    assert "⚠" in rows(reading(), width=80)[0]
    assert "⚠ a fixed sign is an assumption" in rows(reading(), width=120)[0]


@pytest.mark.parametrize("width", [40, 60, 79, 80, 104, 117, 152, 240])
@pytest.mark.parametrize("height", [5, 15, 60, 300])
def test_every_row_fits_any_width(width: int, height: int) -> None:
    lines = Ladder().paint(frame(reading()), width, height)
    assert len(lines) <= height
    assert all(cells(line) == width for line in lines)


def test_columns_come_with_the_width() -> None:
    assert [len(plan(w, 6, "charm").greeks) for w in (40, 80, 117, 152)] == [1, 2, 3, 3]
    assert POSITION in plan(117, 6, "charm").extras
    assert {VOLUME, INTEREST} <= set(plan(152, 6, "charm").extras)


def test_a_chosen_greek_is_not_shown_twice() -> None:
    assert [g.name for g in plan(152, 6, "vanna").greeks] == ["vanna", "charm", "gamma"]


class Shown(Ladder):
    """A ladder outside an app, of a fixed size."""

    def __init__(self, width: int = 80, height: int = 30) -> None:
        super().__init__()
        self._fixed = Size(width, height)
        self.painted: list[list[int]] = []

    @property
    def size(self) -> Size:
        return self._fixed

    def refresh(self, *regions, **_options):  # type: ignore[no-untyped-def,override]
        if hasattr(self, "painted"):
            self.painted.append([region.y for region in regions])
        return self

    def texts(self) -> list[str]:
        return [self.render_line(y).text for y in range(self._fixed.height)]


def strike_rows(ladder: Shown) -> list[str]:
    return [text.split("━")[0] for text in ladder.texts()[HEADER:-FOOTER]]


def top_strike(ladder: Shown) -> str:
    words = ladder.texts()[HEADER].split()
    return next(w for w in words if w.startswith(("5,", "6,")))


def test_rows_stand_still_while_spot_moves_in_the_middle() -> None:
    ladder = Shown()
    ladder.show(frame(reading(6012.35)))
    top = top_strike(ladder)
    for spot in (6014.0, 6018.0, 6022.0, 6009.0):
        ladder.show(frame(reading(spot)))
        assert top_strike(ladder) == top


def test_the_view_follows_spot_when_it_leaves_the_middle() -> None:
    ladder = Shown()
    ladder.show(frame(reading(6012.35)))
    ladder.show(frame(reading(6080.0)))
    at = [i for i, text in enumerate(ladder.texts()) if "6,080.00" in text]
    assert at
    assert abs(at[0] - HEADER - (30 - HEADER - FOOTER) // 2) <= 1


def test_scrolling_stops_following_and_home_starts_it_again() -> None:
    ladder = Shown()
    ladder.show(frame(reading(6012.35)))
    top = top_strike(ladder)
    ladder.scroll_rows(4)
    assert top_strike(ladder) == f"{float(top.replace(',', '')) - 20:,.0f}"
    ladder.show(frame(reading(6150.0)))
    assert not any("6,150.00" in text for text in ladder.texts())
    ladder.follow()
    assert any("6,150.00" in text for text in ladder.texts())


@pytest.mark.parametrize("direction", [-1, 1])
def test_scrolling_ends_at_the_last_strike(direction: int) -> None:
    ladder = Shown()
    ladder.show(frame(reading()))
    for _ in range(20):
        ladder.page(direction)
    text = "".join(ladder.texts()[HEADER:-FOOTER])
    assert ("6,300" if direction < 0 else "5,700") in text
    assert (
        len([line for line in ladder.texts()[HEADER:-FOOTER] if line.strip()])
        == 30 - HEADER - FOOTER
    )


def test_only_rows_that_changed_are_painted() -> None:
    ladder = Shown()
    found = reading()
    ladder.show(frame(found))
    ladder.painted.clear()
    ladder.show(frame(found))
    assert ladder.painted == []
    grown = found.strikes.with_columns(
        gex=pl.when(pl.col("strike") == 6020).then(pl.col("gex") * 0.5).otherwise(pl.col("gex"))
    )
    ladder.show(frame(replace(found, strikes=grown)))
    ((row,),) = ladder.painted
    assert " 6,020 " in ladder.texts()[row]


def test_bars_keep_their_length_when_only_others_change() -> None:
    ladder = Shown()
    found = reading()
    ladder.show(frame(found, look_back=False))
    before = ladder.texts()
    smaller = found.strikes.with_columns(
        gex=pl.when(pl.col("gex").abs() == pl.col("gex").abs().max())
        .then(pl.col("gex") * 0.9)
        .otherwise(pl.col("gex"))
    )
    ladder.show(frame(replace(found, strikes=smaller), look_back=False))
    assert sum(a != b for a, b in zip(before, ladder.texts(), strict=True)) == 1


def test_another_view_begins_a_scale_of_its_own() -> None:
    ladder = Shown()
    small = reading(view="customer-flow")
    large = reading(view="short-both")
    ladder.show(frame(large))
    ladder.show(frame(small))
    fresh = Shown()
    fresh.show(frame(small))
    assert ladder.texts() == fresh.texts()


def test_numbers_do_not_move_when_they_change() -> None:
    ladder = Shown()
    ladder.show(frame(reading(6012.35), look_back=False))
    layout = plan(80, 6, "charm")
    column = layout.left - 3
    for spot in (6012.4, 6013.9, 6010.2, 6016.0):
        ladder.show(frame(reading(spot), look_back=False))
        for text in ladder.texts()[HEADER:-FOOTER]:
            if "━" not in text:
                assert text[column].isdigit() or text[column] == "–"


def test_look_back_marks_can_be_hidden() -> None:
    found = reading()
    assert any("•" in line for line in rows(found, look_back=True)[HEADER:-FOOTER])
    assert not any("•" in line for line in rows(found, look_back=False))


def test_before_the_first_reading_it_says_what_it_waits_for() -> None:
    text = "\n".join(plain(line) for line in Ladder().paint(frame(None), 80, 20))
    assert "Waiting for SPX from cboe-intervals" in text


def test_a_reading_without_strikes_says_why() -> None:
    found = reading()
    found = replace(
        found,
        strikes=found.strikes.clear(),
        zero_dte=replace(found.zero_dte, reason="no option expires today"),
    )
    assert "no option expires today" in "".join(rows(found))


def test_an_unknown_spot_leaves_a_ladder_without_its_line() -> None:
    found = replace(reading(), spot=math.nan)
    assert len(rows(found)) == 40


def test_one_strike_is_enough() -> None:
    found = reading()
    found = replace(found, strikes=found.strikes.head(1), look_back=())
    lines = rows(found)
    assert any("5,700" in line for line in lines)


def test_time_of_the_scale_is_market_time() -> None:
    ladder = Shown()
    found = reading(view="long-both")
    tiny = found.strikes.with_columns(pl.col("gex") / 1000)
    ladder.show(frame(found))
    for minutes in (0, 5, 11):
        later = replace(found, strikes=tiny, as_of=found.as_of + (1 + minutes * 60) * NS)
        ladder.show(frame(later))
    assert "$M/1%" in ladder.texts()[1]


def test_colours_come_from_the_palette_alone() -> None:
    palette = themes.load()[0]["light"]
    ladder = Shown()
    ladder.recolor(palette)
    ladder.show(frame(reading()))
    known = {palette.color(role + tail) for role in themes.ROLES for tail in ("", "~", "=")}
    for y in range(30):
        for segment in ladder.render_line(y):
            assert segment.style is not None
            for color in (segment.style.color, segment.style.bgcolor):
                assert color is not None
                assert color.get_truecolor().hex in known


def test_a_level_that_has_just_changed_glows() -> None:
    found = reading()
    still = Ladder().paint(frame(found), 80, 40)
    glowing = Ladder().paint(frame(found, fresh=frozenset({"lis_upper"})), 80, 40)
    assert not any(span.bg == "glow" for line in still for span in line)
    (span,) = [span for line in glowing for span in line if span.bg == "glow"]
    assert span.text == "▴LIS"


def test_what_only_gives_context_goes_before_a_name_does() -> None:
    found = reading()
    zero = replace(found.zero_dte, lis_upper=math.nan, target=math.nan, sigma=7.65)
    gamma = replace(found.gamma, flip=6020.0, put_wall=6020.0, flips=())
    line = row_of(rows(replace(found, zero_dte=zero, gamma=gamma)), "6,020")
    assert "┄flip ▪put" in line
    assert "σ" not in line


@pytest.mark.parametrize("width", [64, 80, 81, 120])
def test_the_doubt_about_a_view_survives_a_narrow_screen(width: int) -> None:
    found = replace(reading(view="customer-flow"), scope="all")
    positions = replace(found.positions, basis="open interest", signed_share=0.71)
    assert "⚠" in rows(replace(found, positions=positions), width=width)[0]


def test_half_strikes_give_all_strikes_a_decimal() -> None:
    found = reading()
    halves = found.strikes.with_columns(
        strike=pl.when(pl.col("strike") == 6020).then(6022.5).otherwise(pl.col("strike"))
    )
    lines = rows(replace(found, strikes=halves))
    assert "6,022.5" in "".join(lines)
    assert " 6,025.0 " in row_of(lines, "6,025.0")


# -- positions that are inferred --------------------------------------------------------------


def held(strike: float, position: float, sd: float) -> Reading:
    found = reading(view="combined")
    here = pl.col("strike") == strike
    table = found.strikes.with_columns(
        position=pl.when(here).then(position).otherwise(pl.col("position")),
        position_sd=pl.when(here).then(sd).otherwise(pl.col("position_sd")),
    )
    return replace(found, strikes=table)


def test_an_inferred_position_stands_with_its_standard_deviation() -> None:
    found = held(6020.0, -4830.0, 210.0)
    for width in (80, 112, 148):
        assert "−4.83k ±210" in row_of(rows(found, width=width), "6,020")
    assert "±sd" in rows(found)[2]


def test_an_assumed_position_has_no_error() -> None:
    assert not any("±" in line for line in rows(reading(), width=112))


def test_a_bar_whose_side_is_a_guess_is_hatched_and_its_number_dim() -> None:
    lines = Ladder().paint(frame(held(6000.0, -100.0, 300.0)), 80, 40)
    (line,) = [line for line in lines if " 6,000 " in plain(line)]
    assert "╱" in plain(line)
    assert "█" not in plain(line)
    assert [span.fg for span in line if span.text.strip() == "−100"] == ["faint"]
    sure = row_of(rows(held(6000.0, -1000.0, 300.0)), "6,000")
    assert "█" in sure
    assert "╱" not in sure


def test_a_guess_carries_no_look_back_marks() -> None:
    line = row_of(rows(held(6000.0, 1.0, 300.0)), "6,000")
    assert "•" not in line


def test_what_hatching_means_stands_below() -> None:
    assert "╱╱ sign in doubt" in rows(reading(view="flow"))[-1]
    assert "sign in doubt" not in rows(reading())[-1]


def test_where_no_position_is_known_nothing_that_follows_from_it_is_a_zero() -> None:
    line = row_of(rows(held(6000.0, math.nan, math.nan)), "6,000")
    assert line.count("–") == 3
    assert "█" not in line


def test_columns_of_an_inferred_book_keep_clear_of_the_edge() -> None:
    for width in (80, 76, 112, 148):
        assert all(line[-1] in " ━" for line in rows(reading(view="combined"), width=width)[3:-1])


@pytest.mark.parametrize("sd", [0.0, 0.4, 999.4, 999.6, 12_345.0, 999_600.0, 5e8, 3e9, math.nan])
def test_an_error_beside_a_position_keeps_its_width(sd: float) -> None:
    assert cells_of(error(sd)) == ERROR
    assert cells_of(contracts(-sd)) == 6


def test_the_positions_of_older_tables_are_prior_and_flow() -> None:
    table = reading().strikes.drop("position")
    assert positions(table) == positions(reading().strikes)


@pytest.mark.parametrize("width", [8, 11, 14, 30])
def test_the_level_beyond_the_edge_is_told_whole_or_in_brief(width: int) -> None:
    flip = levels.Level("flip", 6861.23, "┄", "flip", "flip", "flip")
    line = plain(levels.edge([flip, replace(flip, value=6900.0)], width, above=True)).rstrip()
    assert line in ("▲ 6,861.23 flip +1", "▲ 6,861 flip", "▲ 6,861")
