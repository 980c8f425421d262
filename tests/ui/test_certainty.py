"""How sure the screen is of what it says: bands, probabilities, evidence, base rates."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass, replace

import pytest

from gexterm.reading.model import (
    Agreement,
    Band,
    BaseRate,
    HedgeDay,
    Hedging,
    Positions,
    Reading,
    SpotVol,
    View,
)
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, plain
from gexterm.ui.ink import width as cells
from gexterm.ui.widgets import (
    book,
    captions,
    evidence,
    flow,
    paradigm,
    regime,
    sand,
    side,
    topline,
    views,
)
from gexterm.ui.widgets.certainty import LABELS, ordered
from tests.ui.fakes import NS, OPEN, FakeSession, in_doubt, reading

SESSION = FakeSession()
KEYS = {"view_next": ("v",)}


def frame(found: Reading | None, **changes: object) -> Frame:
    fields: dict[str, object] = {"info": SESSION.info, "status": SESSION.status, "keys": KEYS}
    return Frame(reading=found, **{**fields, **changes})  # type: ignore[arg-type]


COMBINED, ASSUMED = reading(view="combined"), reading()
DOUBTFUL = in_doubt(COMBINED)


def inferred(**changes: object) -> Reading:
    return replace(COMBINED, **changes)  # type: ignore[arg-type]


def doubtful() -> Reading:
    return DOUBTFUL


def text(lines: object) -> str:
    return "\n".join(plain(line) for line in lines)  # type: ignore[attr-defined]


def panel(found: Reading, width: int = 49, height: int = 90) -> str:
    return text(side.paint(frame(found), width, height))


def row_with(part: str, shown: str) -> str:
    return next(line for line in shown.splitlines() if part in line)


def span_with(part: str, lines: list[Line]) -> Span:
    return next(span for line in lines for span in line if part in span.text)


# -- P(label) ----------------------------------------------------------------------------


def test_every_label_has_a_probability_the_one_shown_first() -> None:
    rows = panel(inferred()).splitlines()
    at = next(i for i, line in enumerate(rows) if line.startswith("│ BofA  "))
    assert [line.split()[1] for line in rows[at : at + 5]] == list(LABELS)


def test_probabilities_on_the_screen_add_up_to_one_and_rule_nothing_out() -> None:
    third = {"BofA": 1 / 3, "GEX": 1 / 3, "Anti-GEX": 1 / 3, "Sidial": 0.0, "Mixed": 0.0}
    rows = paradigm.chances_rows(replace(inferred().zero_dte, probability=third), 45)
    told = [plain(row).split()[-1] for row in rows]
    assert sorted(told) == ["33%", "33%", "34%", "<1%", "<1%"]


def test_the_other_labels_keep_their_places_when_chances_change() -> None:
    zero = inferred().zero_dte
    moved = replace(zero, probability={**zero.probability, "GEX": 0.01, "Mixed": 0.15})
    assert [name for name, _ in ordered(zero)] == [name for name, _ in ordered(moved)]


def test_a_label_that_is_hardly_likelier_than_others_is_only_leaned_towards() -> None:
    found = doubtful()
    for shown in (panel(found), text(topline.paint(frame(found), 160, 3))):
        assert "leaning BofA 47%" in shown
        assert "BofA PURE" not in shown
    assert "BofA? 47%" in text(topline.paint(frame(found), 80, 1))
    label = span_with("leaning", topline.paint(frame(found), 160, 3))
    assert label.fg == "muted"
    assert not label.bold


def test_a_label_less_likely_than_another_says_so() -> None:
    found = inferred()
    chances = {"BofA": 0.16, "GEX": 0.44, "Anti-GEX": 0.1, "Sidial": 0.1, "Mixed": 0.2}
    found = replace(found, zero_dte=replace(found.zero_dte, probability=chances))
    assert "BofA? 16% or GEX 44%" in text(topline.paint(frame(found), 160, 3))
    assert "BofA? 16%" in text(topline.paint(frame(found), 80, 1))
    assert "leaning" not in panel(found)


def test_a_line_that_a_label_does_not_have_says_so() -> None:
    found = inferred()
    zero = replace(found.zero_dte, lis_upper=math.nan, lis_upper_band=Band())
    shown = panel(replace(found, zero_dte=zero))
    assert "– none found" in " ".join(row_with("▴ upper", shown).split())
    assert "– BofA has none" in " ".join(row_with("◎ target", shown).split())


def test_an_assumption_has_no_probability_and_says_that_it_is_one() -> None:
    shown = panel(reading(view="squeezemetrics"))
    assert "assumed, not measured" in shown
    assert "no P(label)" in shown
    assert "leaning" not in shown


def test_an_inferred_view_without_a_trade_says_so() -> None:
    found = inferred(positions=Positions("flow", "trades"))
    found = replace(found, zero_dte=replace(found.zero_dte, probability={}))
    assert "nothing signed yet" in panel(found)
    assert "nothing signed yet" in plain(captions.book(found, 120))
    assert "no trade has been signed" in panel(found)


# -- bands -------------------------------------------------------------------------------


def test_a_number_whose_band_contains_zero_is_dim_and_the_band_is_read() -> None:
    found = inferred()
    zero = replace(found.zero_dte, charm_per_hour=9e6, charm_band=Band(-1.2e7, 3e7))
    lines = paradigm.section(frame(found), replace(found, zero_dte=zero), 45)[0]
    (net,) = [line for line in lines if plain(line).startswith("net")]
    assert "−12…+30M" in plain(net)
    assert span_with("9.00M", [net]).fg == "faint"
    assert span_with("−12…+30M", [net]).fg == "text"
    assert plain(net).split()[-1] == "sell?"


def test_a_sure_number_has_half_its_band_beside_it() -> None:
    below = row_with("│ below spot", panel(inferred()))
    assert "±" in below
    assert below.split()[-1] == "buy"


def test_lines_in_the_sand_come_with_their_bands_and_open_ends_are_said() -> None:
    found = inferred()
    zero = replace(
        found.zero_dte, lis_upper=6045.0, lis_upper_band=Band(6040.0, 6050.0),
        lis_lower=5965.0, lis_lower_band=Band(math.nan, 5970.0),
    )  # fmt: skip
    shown = panel(replace(found, zero_dte=zero))
    assert "6,045   6,040–6,050" in row_with("▴ upper", shown)
    assert "open–5,970" in row_with("▾ lower", shown)


def test_a_line_that_is_not_there_may_have_a_band_all_the_same() -> None:
    found = inferred()
    zero = replace(found.zero_dte, target=math.nan, target_band=Band(6020.0, 6030.0))
    row = row_with("◎ target", panel(replace(found, zero_dte=zero)))
    assert "–" in row
    assert "6,020–6,030" in row


def test_gamma_has_a_size_only_while_its_sign_is_sure() -> None:
    sure = text(topline.paint(frame(inferred()), 160, 3))
    assert "γ short −5" in sure
    assert "P(short) 97%" in sure
    unsure = text(topline.paint(frame(doubtful()), 160, 3))
    assert "γ short? 78% −7.1…+2.2bn" in unsure
    assert "γ short −" not in unsure


def test_the_probability_beside_a_doubtful_sign_is_that_signs_own() -> None:
    found = doubtful()
    gamma = replace(found.gamma, state="long", probability_short=0.31)
    spans = topline.gamma_spans(replace(found, gamma=gamma), "", 1)
    assert plain(spans).rstrip() == "γ long? 69%"


def test_the_flip_has_its_band_in_place_of_a_decimal() -> None:
    shown = text(topline.paint(frame(inferred()), 160, 3))
    assert "flip 6,002 ±8" in shown
    assert "flip 6,002 5,962–open" in text(topline.paint(frame(doubtful()), 160, 3))


def test_a_flip_that_could_be_anywhere_is_marked() -> None:
    found = inferred()
    found = replace(found, gamma=replace(found.gamma, flip_band=Band()))
    assert "flip 6,002 ±?" in text(topline.paint(frame(found), 160, 3))


def test_no_flip_but_a_band_of_one() -> None:
    found = inferred()
    gamma = replace(found.gamma, flip=math.nan, flip_kind="none (short everywhere)")
    shown = text(topline.paint(frame(replace(found, gamma=gamma)), 160, 3))
    assert "short everywhere; 80 % 5,994–6,008" in shown


@pytest.mark.parametrize("view", ["combined", "flow"])
def test_the_top_line_names_an_inferred_view(view: str) -> None:
    found = reading(view=view)
    assert view in text(topline.paint(frame(found), 160, 3))
    assert view in text(topline.paint(frame(found), 160, 1))


@pytest.mark.parametrize("width", range(40, 210, 5))
@pytest.mark.parametrize("make", [inferred, doubtful])
def test_the_top_line_keeps_its_width_spot_and_label(width: int, make) -> None:  # type: ignore[no-untyped-def]
    for height in (1, 3):
        lines = topline.paint(frame(make()), width, height)
        assert all(cells(line) == width for line in lines)
        assert "6,012.35" in plain(lines[0])
        if width >= 64:
            assert "BofA" in plain(lines[0])


# -- base rate ----------------------------------------------------------------------------


def test_a_base_rate_stands_with_its_count_its_time_and_its_placebo() -> None:
    shown = panel(inferred())
    assert "closes inside the lines, at 10:35" in shown
    row = row_with("2023 study", shown)
    assert "97% of 73" in row
    assert "placebo 91%" in row


def test_few_observations_are_called_few() -> None:
    assert "97% of 7 (few)" in panel(doubtful())


@pytest.mark.parametrize("label", ["Mixed", "No data"])
def test_what_is_no_label_has_no_base_rate(label: str) -> None:
    found = inferred()
    zero = replace(found.zero_dte, paradigm=label)
    assert "study" not in panel(replace(found, zero_dte=zero))
    assert "placebo" not in panel(replace(found, zero_dte=zero))


def test_a_rate_of_all_times_and_without_placebo_says_so() -> None:
    rate = BaseRate("closes at its balance point", 0.8, 120, "", 0.05, math.nan, "a 2023 paper")
    found = inferred()
    zero = replace(found.zero_dte, paradigm="Sidial", base_rate=rate)
    rows = text(sand.base_rate_rows(zero, 45))
    assert "at any time" in rows
    assert rows.rstrip().endswith("placebo –")


def test_a_source_without_a_year_is_a_study_all_the_same() -> None:
    assert sand.study("somebody's notes") == "study"


# -- evidence ------------------------------------------------------------------------------


def test_evidence_says_how_much_is_signed_by_what_and_why_not() -> None:
    shown = text(evidence.paint(frame(inferred()), 50, 9))
    for part in ("evidence: combined since 09:30", "signed  71%", "12.4k prints",
                 "at quote 40%", "size 12%", "package 9%", "mid 21%", "cross 5%",
                 "OI unexplained  38%", "printed  98%", "capped 3",
                 "unknown condition 3", "cancels unmatched 2",
                 "this morning's book was 4 % of open interest off"):  # fmt: skip
        assert part in shown, part


def test_reasons_are_shares_of_the_whole_volume() -> None:
    held = inferred().positions
    assert sum(evidence.unsigned(held).values()) == pytest.approx(1 - held.signed_share)


def test_the_trap_is_loud_wherever_the_book_is_named() -> None:
    found = doubtful()
    assert "SIGNING TRAP" in panel(found)
    told = " ".join(" ".join(line.strip(" │") for line in panel(found).splitlines()).split())
    assert "prints are at resting size and 94 % of those on one side" in told
    assert "SIGNING TRAP" in text(evidence.paint(frame(found), 50, 7))
    for width in (64, 80, 112, 160):
        line = captions.book(found, width)
        assert cells(line) == width
        badge = span_with("SIGNING TRAP", [line])
        assert badge.bg == "warning"
    assert "SIGNING TRAP" not in panel(inferred())


def test_evidence_of_an_assumption_is_none_and_says_how_to_see_some() -> None:
    found = reading(view="long-both")
    found = replace(found, positions=replace(found.positions, prints=900))
    shown = text(evidence.paint(frame(found), 50, 7))
    assert "none: long-both is an assumption" in shown
    assert "v shows the book inferred from 900 prints" in shown
    assert "EVIDENCE" not in panel(found)


def test_a_poor_tape_stands_out() -> None:
    lines = evidence.paint(frame(doubtful()), 50, 9)
    assert span_with("43%", lines).fg == "warning"
    assert span_with("61%", lines).fg == "warning"


@pytest.mark.parametrize("width", range(20, 90, 7))
@pytest.mark.parametrize("height", range(1, 12))
def test_evidence_fits_wherever_it_is_put(width: int, height: int) -> None:
    for found in (inferred(), doubtful(), ASSUMED):
        lines = evidence.paint(frame(found), width, height)
        assert len(lines) <= height
        assert all(cells(line) <= width for line in lines)


def test_what_has_no_room_in_a_list_is_counted() -> None:
    assert evidence.running(["aaaa", "bbbb", "cccc", "dddd"], 15, 1) == ["aaaa · bbbb +2"]


def test_unknown_kinds_of_evidence_stay_text() -> None:
    held = replace(inferred().positions, by_evidence={"\x1b[31mnew\n": 0.9})
    shown = text(evidence.body(held, 45, 9))
    assert "new" in shown
    assert "\x1b" not in shown
    assert "\n\n" not in shown


# -- views ---------------------------------------------------------------------------------


def view(name: str, gamma: str = "short", flip: float = 6000.0, label: str = "BofA") -> View:
    return View(name, -1e9, gamma, flip, label)  # type: ignore[arg-type]


def test_six_views_stand_beside_each_other_with_their_probabilities() -> None:
    shown = panel(inferred())
    for name in ("combined", "flow", "customer-flow", "squeezemetrics", "short-both", "long-both"):
        assert name in shown
    assert row_with("▸combined", shown).split()[2:5] == ["short", "97%", "6,002"]
    assert row_with("▸combined", shown).split()[-1] == "83%"
    assert "%" not in row_with("squeezemetrics", shown)


@pytest.mark.parametrize(
    ("other", "marked"),
    [
        (view("flow"), ""),
        (view("flow", gamma="long"), "≠long"),
        (view("flow", flip=6040.0), "≠6,040"),
        (view("flow", flip=6010.0), ""),
        (view("flow", flip=math.nan), "≠–"),
        (view("flow", label="GEX"), "≠GEX"),
        (view("flow", gamma="unknown", flip=math.nan), ""),
    ],
)
def test_what_differs_from_the_chosen_view_carries_a_mark(other: View, marked: str) -> None:
    row = plain(views.row(other, view("combined"), 6000.0, 46))
    assert (marked in row) if marked else ("≠" not in row)


def test_the_chosen_view_differs_from_nothing() -> None:
    chosen = view("combined")
    assert "≠" not in plain(views.row(chosen, chosen, 6000.0, 45))


@pytest.mark.parametrize(
    ("flip", "told"),
    [(97_643.2, "97,643"), (101_725.4, "101725"), (1_250_000.0, "1.25M"), (0.55128, "0.5513")],
)
def test_no_figure_of_a_flip_is_cut_off(flip: float, told: str) -> None:
    other = replace(view("flow"), flip=flip)
    row = plain(views.row(other, view("combined"), flip, 45))
    assert f"{told} " in row or f"{told}≠" in row


def test_the_distance_of_a_small_coins_line_does_not_touch_its_band() -> None:
    band = Band(0.54, 0.6)
    row = plain(sand.level_row("◎", "target", "target", 0.59, 1.3, band, 0.5717, False, 43))
    assert "0.5400–0.6000 +0.018 +1.3σ" in " ".join(row.split())


def test_a_band_of_six_figures_does_not_touch_the_level_before_it() -> None:
    band = Band(96_000.0, 101_000.0)
    for value in (math.nan, 99_000.0):
        row = plain(sand.level_row("◎", "target", "target", value, 0.3, band, 97e3, False, 43))
        assert " 96000–101000" in row or "  96,000–101,000" in row


def test_without_views_nothing_is_said_to_agree() -> None:
    found = inferred(agreement=Agreement())
    assert "agree" not in row_with("SIGN VIEWS", panel(found))


# -- hedge flow, whole book, spot and volatility --------------------------------------------


def test_hedge_flow_of_an_open_sign_asks_instead_of_telling() -> None:
    hedging = Hedging(1e9, -1e9, 3e8, 5e7, Band(7e8, 1.3e9), Band(-1.3e9, -7e8), Band(-1e8, 7e8))
    shown = panel(inferred(hedging=hedging))
    assert row_with("spot +1 %", shown).split()[-4:] == ["buy", "$", "1.00bn", "±300M"]
    assert row_with("volatility +1", shown).split()[-4:] == ["buy?", "$", "300M", "−100…+700M"]


def test_the_day_is_split_by_what_made_dealers_trade() -> None:
    shown = panel(inferred())
    for part, verb in (("on gamma", "bought"), ("on vanna", "sold"), ("on charm", "bought")):
        assert verb in row_with(part, shown)
    assert "spot +25.1" in shown
    assert "41s" in row_with("not seen", shown)
    together = row_with("together", shown).split()
    assert together[2:] == ["bought", "$", "1.34bn"]


def test_the_day_in_one_row_cuts_no_digit() -> None:
    for value in (1.21e9, -26.04e6, -999.4e9, 0.0, 503e6):
        day = HedgeDay(OPEN, value, value, value)
        (row,) = flow.brief(day, 42)
        assert plain(flow.brief(day, 80)[0]).rstrip() == plain(row).rstrip()


def test_a_day_not_begun_is_left_out() -> None:
    assert "HEDGED" not in panel(inferred(hedge_day=HedgeDay()))


def test_near_and_far_stand_apart_and_the_whole_has_its_band() -> None:
    rows = text(book.section(frame(None), inferred(), 48)[0])
    assert row_with("vega $/pt", rows).split()[2:] == ["−4.10M", "−1.20M", "−2.90M"]
    assert "±1.1M" in rows
    assert "−40…+460M" in rows
    assert "+0.30" in row_with("vanna stoch.", rows)


@pytest.mark.parametrize(
    ("over", "told"),
    [(0.42, "over-vixed by 0.4"), (-0.42, "under-vixed by 0.4"), (0.01, "as spot implies"),
     (math.nan, "not known")],
)  # fmt: skip
def test_volatility_stands_above_or_below_what_spot_implies(over: float, told: str) -> None:
    found = inferred(spot_vol=SpotVol(-1.1, 0.08, 0.71, 61, -0.9, over))
    assert told in text(book.spot_vol(frame(None), found, 45)[0])


def test_a_beta_of_too_few_minutes_says_why_it_is_missing() -> None:
    rows = text(book.spot_vol(frame(None), inferred(spot_vol=SpotVol(minutes=4)), 45)[0])
    assert "– too few minutes (4)" in rows


@pytest.mark.parametrize("width", [30, 41, 45, 60])
def test_every_section_fits_its_width(width: int) -> None:
    for found in (inferred(), doubtful(), ASSUMED, inferred(positions=Positions("flow", "none"))):
        for section in (*side.CORE, *side.EXTRA):
            for variant in section(frame(found), found, width):
                for line in variant:
                    assert cells(line) <= max(width, 41), (section.__module__, plain(line))


@pytest.mark.parametrize("height", range(10, 80, 5))
def test_more_height_never_takes_a_section_of_the_inferred_book_away(height: int) -> None:
    names = ("PARADIGM", "SAND", "FLOW", "VIEWS", "EVIDENCE", "REGIME")

    def titles(rows: int) -> set[str]:
        shown = panel(inferred(), 44, rows)
        return {name for name in names if name in shown}

    assert titles(height) <= titles(height + 1)


@pytest.mark.parametrize("state", ["stress", "amplify", "dampen", "neutral"])
def test_a_regime_is_only_asked_where_the_sign_it_rests_on_is_open(state: str) -> None:
    for found, told in ((doubtful(), f"{state}?"), (inferred(), state)):
        shown = replace(found, regime=replace(found.regime, composite=state))  # type: ignore[arg-type]
        for variant in regime.section(frame(shown), shown, 45):
            assert plain(variant[0]).split()[-1] == told
            assert variant[0][-1].bold == (told == state)


def test_a_regime_of_changing_parts_needs_no_sign() -> None:
    found = doubtful()
    moving = replace(found, regime=replace(found.regime, composite="transition"))
    assert plain(regime.section(frame(moving), moving, 45)[0][0]).split()[-1] == "transition"


def test_numbers_on_the_panel_stay_where_they_are_when_they_change() -> None:
    found = inferred()
    before = paradigm.section(frame(found), found, 45)[0]
    for scale in (0.013, 0.4, 1.7, 900.0):
        zero = found.zero_dte
        value = scale * zero.charm_below
        low, high = 1.2 * value, 0.8 * value
        moved = replace(zero, charm_below=value, charm_below_band=Band(low, high))
        after = paradigm.section(frame(found), replace(found, zero_dte=moved), 45)[0]
        for a, b in zip(before, after, strict=True):
            assert [cells([span]) for span in a] == [cells([span]) for span in b]


def test_settled_and_missing_0dte_degrade_to_words() -> None:
    found = inferred()
    gone = replace(found.zero_dte, expiry="", reason="the exchange is closed")
    shown = panel(replace(found, zero_dte=gone))
    assert "the exchange is closed" in shown
    assert "no 0DTE, no lines" in shown


def test_flow_rows_without_numbers_are_dashes() -> None:
    row = flow.row("next hour", math.nan, 41, Band(-1.0, 1.0))
    assert "–" in plain(row)
    assert cells(row) == 41


def test_hostile_words_in_evidence_reach_no_row_raw() -> None:
    evil = "\x1b[31m[red]x[/red]\x07\n‮"
    found = inferred()
    found = replace(
        found,
        positions=replace(found.positions, trap=evil, reconciled=evil, prior=evil,
                          unsigned_by_reason={evil: 5.0}, counts={evil: 3}),
        zero_dte=replace(found.zero_dte, probability={evil: 1.0},
                         base_rate=BaseRate(evil, 0.5, 3, evil, 0.5, 0.5, evil)),
        agreement=Agreement((view(evil),), (evil,)),
    )  # fmt: skip
    every = [
        *side.paint(frame(found), 48, 90), *evidence.paint(frame(found), 50, 12),
        captions.book(found, 160), *topline.paint(frame(found), 160, 3),
        *paradigm.one_row(frame(found), 80, 1),
    ]  # fmt: skip
    for line in every:
        assert not any(char in plain(line) for char in "\x1b\x07\n‮")


def test_market_time_of_the_epoch_is_new_yorks() -> None:
    held = replace(inferred().positions, epoch=OPEN + 25 * 60 * NS)
    assert "since 10:00" in plain(captions.book(inferred(positions=held), 120))


def everywhere(value: float, what: object) -> object:
    """The same with every number in it replaced."""
    if isinstance(what, float):
        return value
    if is_dataclass(what) and not isinstance(what, type):
        return replace(
            what, **{f.name: everywhere(value, getattr(what, f.name)) for f in fields(what)}
        )
    if isinstance(what, dict):
        return {key: everywhere(value, each) for key, each in what.items()}
    if isinstance(what, tuple):
        return tuple(everywhere(value, each) for each in what)
    return what


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, -1e300, 1e-300, 1e18])
@pytest.mark.parametrize("width", [42, 46])
def test_no_number_breaks_a_panel(value: float, width: int) -> None:
    found = inferred()
    parts = ("positions", "gamma", "book", "zero_dte", "hedging", "agreement", "hedge_day",
             "spot_vol", "regime")  # fmt: skip
    found = replace(found, **{name: everywhere(value, getattr(found, name)) for name in parts})
    shown = frame(found)
    for lines, cells_wide in (
        (side.paint(shown, width + 3, 90), width + 3),
        (evidence.paint(shown, 50, 9), 50),
        (book.paint(shown, 50, 14), 50),
        (topline.paint(shown, 120, 3), 120),
        (topline.paint(shown, 80, 1), 80),
        (paradigm.one_row(shown, 80, 1), 80),
    ):
        assert all(cells(line) == cells_wide for line in lines)
