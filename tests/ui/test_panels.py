"""What stands around the ladder: the words and numbers a trader acts on."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gexterm.alerts.model import Alert
from gexterm.market.events import FeedReport, FeedStatus, SourceInfo
from gexterm.reading.day import DayLog
from gexterm.reading.model import Hedging, Reading, ZeroDte
from gexterm.session.model import CHOSEN_OFF, RecordingState
from gexterm.ui.actions import keymap
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, plain
from gexterm.ui.ink import width as cells
from gexterm.ui.widgets import book, keyline, paradigm, side, status, timeline, topline
from gexterm.ui.widgets.alerts import AlertList
from tests.ui.fakes import NS, OPEN, WARNING, FakeSession, reading

KEYS = {"greek_next": ("g",), "help": ("question_mark",), "quit": ("q",), "back_5": ("x",)}


def frame(found: Reading | None, **changes: object) -> Frame:
    session = FakeSession()
    fields: dict[str, object] = {"info": session.info, "status": session.status, "keys": KEYS}
    return Frame(reading=found, **{**fields, **changes})  # type: ignore[arg-type]


def info(mode: str, feed: str = "cboe", delay: float = 0.0) -> SourceInfo:
    return SourceInfo("SPX", feed, mode, delay)  # type: ignore[arg-type]


def text(lines: list[Line] | object) -> str:
    return "\n".join(plain(line) for line in lines)  # type: ignore[attr-defined]


# -- the top line ----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["delayed", "replay", "simulated", "file"])
@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("height", [1, 3])
def test_what_is_not_the_live_market_says_so_in_another_colour(
    mode: str, width: int, height: int
) -> None:
    found = replace(reading(), source=replace(reading().source, mode=mode))
    word, role = topline.MODE_WORDS[mode]
    spans = [s for s in topline.paint(frame(found), width, height)[0] if word in s.text]
    assert spans
    assert spans[0].bg == role != topline.MODE_WORDS["live"][1]


def test_a_synthetic_feed_says_so_whatever_its_mode() -> None:
    shown = frame(reading(), info=info("replay", "synthetic"))
    assert "SYNTHETIC REPLAY" in text(topline.paint(shown, 80, 1))


def test_a_delay_is_told_with_its_length() -> None:
    found = replace(reading(), source=replace(reading().source, mode="delayed", delay_s=900.0))
    assert "DELAYED 15m" in text(topline.paint(frame(found), 80, 1))


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("state", ["stale", "reconnecting", "refused", "ended", "closed"])
def test_a_lost_feed_is_told_in_the_top_line(state: str, width: int) -> None:
    shown = frame(reading(), status=FeedStatus(state))  # type: ignore[arg-type]
    assert topline.STATE_WORDS[state][0] in text(topline.paint(shown, width, 1))


def test_a_reconnection_counts_down() -> None:
    shown = frame(reading(), status=FeedStatus("reconnecting", "", {"retry_in_s": 7.0}))
    assert "RECONNECTING 7s" in text(topline.paint(shown, 80, 1))


def test_a_replay_shows_its_speed_and_that_it_stands() -> None:
    shown = frame(reading(), replayable=True, speed=20.0, paused=True)
    line = text(topline.paint(shown, 80, 1))
    assert "REPLAY ×20" in line
    assert "PAUSED" in line


@pytest.mark.parametrize("width", range(30, 210, 7))
def test_the_top_line_keeps_its_width_and_its_spot(width: int) -> None:
    for line in topline.paint(frame(reading()), width, 3):
        assert cells(line) == width
    (line,) = topline.paint(frame(reading()), width, 1)
    assert cells(line) == width
    assert "6,012.35" in plain(line)


def test_eighty_columns_hold_all_that_matters_first() -> None:
    found = replace(reading(view="customer-flow"), spot=6012.35)
    line = text(topline.paint(frame(found), 80, 1))
    for part in ("6,012.35", "▲0.42%", "Anti-GEX", "long", "flip", "REPLAY", "10:36:00", "5h24m"):
        assert part in line, part


def test_room_brings_captions() -> None:
    found = reading(view="customer-flow")
    lines = text(topline.paint(frame(found), 120, 3))
    for part in (
        "since 10:12 · was Mixed",
        "$ per 1 %",
        " pts",
        "σ",
        "to settlement",
        "20 Nov 2026",
    ):
        assert part in lines, part


def test_no_flip_is_told_as_none_and_on_which_side() -> None:
    lines = text(topline.paint(frame(reading(view="short-both")), 120, 3))
    assert "flip none" in lines
    assert "short everywhere" in lines


def test_an_unknown_open_leaves_the_change_unknown() -> None:
    line = text(topline.paint(frame(replace(reading(), spot_open=math.nan)), 80, 1))
    assert "%" not in line.split("Bo")[0]
    assert "–" in line


def test_a_change_since_later_than_the_open_says_since_when() -> None:
    joined = replace(reading(), spot_open_at=reading().as_of - 600 * 10**9)
    wide = text(topline.paint(frame(joined), 120, 3))
    assert "from 10:2" in wide
    narrow = text(topline.paint(frame(joined), 80, 1))
    assert "▲" not in narrow
    assert "–" in narrow


# -- paradigm and lines --------------------------------------------------------------------


def panel(found: Reading, width: int = 40, height: int = 60, **changes: object) -> str:
    return text(side.paint(frame(found, **changes), width, height))


def test_the_paradigm_comes_with_its_evidence() -> None:
    found = reading(view="short-both")
    shown = panel(found)
    for part in ("BofA PURE", "since 10:12", "was Mixed", "charm below spot", "charm above spot",
                 "net", "decay to the close", "12% of gross"):  # fmt: skip
        assert part in shown, part


@pytest.mark.parametrize(
    ("charm", "does"), [(2e8, "sell"), (-2e8, "buy"), (0.0, ""), (math.nan, "")]
)
def test_gaining_delta_dealers_sell(charm: float, does: str) -> None:
    assert plain(paradigm.charm_row("net", charm, 37)).split()[-1].strip() in (does, "/h", "–")
    assert paradigm.side_word(charm).text == does


def test_lines_in_the_sand_have_points_per_cent_and_sigmas() -> None:
    zero = replace(reading().zero_dte, lis_upper=6045.0, lis_upper_sigma=1.3)
    shown = panel(replace(reading(), zero_dte=zero))
    (line,) = [line for line in shown.splitlines() if "▴ upper" in line]
    assert line.split()[-4:] == ["6,045", "+32.6", "0.54%", "+1.3σ"]


def test_the_base_rate_is_named_a_placebo() -> None:
    (line,) = [line for line in panel(reading()).splitlines() if "71%" in line]
    assert "placebo" in line


def test_a_day_without_0dte_says_why_and_claims_nothing() -> None:
    found = replace(reading(), zero_dte=ZeroDte(reason="no SPXW expires on a holiday"))
    shown = panel(found)
    assert "no SPXW expires on a holiday" in shown
    assert "BofA PURE" not in shown
    assert "no 0DTE" in text(paradigm.one_row(frame(found), 80, 1))
    assert "no 0DTE" in text(topline.paint(frame(found), 80, 1))


def test_a_settled_expiry_says_so() -> None:
    zero = replace(reading().zero_dte, settled=True, seconds_left=-60.0)
    found = replace(reading(), zero_dte=zero)
    assert "settled" in panel(found)
    assert "settled" in text(topline.paint(frame(found), 120, 3))


def test_eighty_columns_have_paradigm_and_lines_in_one_row() -> None:
    found = reading(view="short-both")
    (line,) = paradigm.one_row(frame(found), 80, 1)
    assert cells(line) == 80
    for part in ("BofA PURE", "LIS", f"▴{found.zero_dte.lis_upper:,.0f}", "σ"):
        assert part in plain(line), part


# -- flow, views, regime, book -----------------------------------------------------------------


def test_hedge_flow_says_who_trades_which_way() -> None:
    found = replace(reading(), hedging=Hedging(-1.2e9, 1.1e9, 3.1e8, math.nan))
    rows = {line.strip(" │")[:9]: line.split() for line in panel(found).splitlines()}
    assert rows["spot +1 %"][-3:] == ["sell", "$", "1.20bn"]
    assert rows["spot −1 %"][-3:] == ["buy", "$", "1.10bn"]
    assert rows["next hour"][-1] == "–"


def test_views_stand_beside_each_other_and_disagreement_is_told() -> None:
    shown = panel(reading(view="customer-flow"), 49)
    assert "differ in gamma, paradigm" in shown
    (chosen,) = [line for line in shown.splitlines() if "▸" in line]
    assert "customer-flow" in chosen
    assert "Anti-GEX" in chosen
    for name in ("squeezemetrics", "short-both", "long-both"):
        assert name in shown


def test_agreement_is_told_too() -> None:
    found = reading()
    found = replace(found, agreement=replace(found.agreement, disagree=()))
    assert "SIGN VIEWS" + " " * 22 + "agree" in panel(found)


def test_the_whole_warning_of_the_view_is_on_the_panel() -> None:
    words = " ".join(line.strip(" │") for line in panel(reading()).splitlines())
    assert WARNING in words


def test_the_regime_shows_its_parts() -> None:
    shown = panel(reading(view="long-both"))
    for part in ("dampen", "skew  normal", "z +0.3", "term  contango", "9/30d 0.91"):
        assert part in shown, part


def test_the_gamma_profile_is_drawn_with_spot_in_it() -> None:
    shown = panel(reading(view="customer-flow"), height=70)
    assert "GAMMA ALONG SPOT" in shown
    assert "6,012" in shown


def test_an_unknown_profile_is_left_out() -> None:
    found = reading()
    blank = replace(found.gamma, profile_gex=found.gamma.profile_gex * math.nan)
    assert book.profile(frame(found), replace(found, gamma=blank), 40) == [[]]


@pytest.mark.parametrize("height", range(1, 90, 3))
@pytest.mark.parametrize("width", [34, 40, 48])
def test_the_panel_fits_any_height_and_keeps_the_most_important(height: int, width: int) -> None:
    lines = side.paint(frame(reading()), width, height)
    assert len(lines) == height
    assert all(cells(line) == width for line in lines)
    assert "0DTE PARADIGM" in text(lines)


@pytest.mark.parametrize("height", range(14, 70))
def test_more_height_never_takes_a_section_away(height: int) -> None:
    def titles(rows: int) -> set[str]:
        shown = panel(reading(), height=rows)
        return {t for t in ("PARADIGM", "SAND", "FLOW", "VIEWS", "REGIME") if t in shown}

    assert titles(height) <= titles(height + 1)


# -- status, alerts, keys ------------------------------------------------------------------------


def test_the_status_line_answers_whether_it_can_be_trusted() -> None:
    line = text(status.paint(frame(reading()), 160, 1))
    for part in ("cboe-intervals", "playing", "age 0.4s", "p99 4.1s", "quoted 93%", "1.24k ev/s",
                 "gaps 0", "dropped 0", "reconnects 0"):  # fmt: skip
        assert part in line, part


def test_losses_stand_out() -> None:
    health = replace(reading().health, dropped=12)
    spans = status.paint(frame(replace(reading(), health=health)), 160, 1)[0]
    (dropped,) = [span for span in spans if span.text == "12"]
    assert dropped.fg == "warning"


def test_the_connections_own_counters_win() -> None:
    shown = frame(reading(), status=FeedStatus("live", "", {"dropped": 3.0}))
    assert "dropped 3" in text(status.paint(shown, 160, 1))


def test_warnings_are_told_and_counted() -> None:
    health = replace(reading().health, warnings=("no quotes below 5,900", "second", "third"))
    line = text(status.paint(frame(replace(reading(), health=health)), 120, 1))
    assert "⚠ no quotes below 5,900 +2" in line


def test_a_lost_connection_says_why() -> None:
    shown = frame(reading(), status=FeedStatus("reconnecting", "connection reset by peer"))
    assert "connection reset by peer" in text(status.paint(shown, 120, 1))


RECORDING = RecordingState(True, 12_300_000)
LIVE = SourceInfo("SPX", "dxlink", "live")


def live(**changes: object) -> Reading:
    """A Reading of a live feed that quotes a part of the chain."""
    told = {
        "listed": 21_034,
        "quotes_asked": 600,
        "window": "600 of 21,034 contracts: 3 expiries to 25 Nov, nearest ±2.1%",
        "heard_from": OPEN + 57 * 60 * NS,
        **changes,
    }
    shown = reading()
    return replace(shown, as_of=OPEN + 7200 * NS, health=replace(shown.health, **told))  # type: ignore[arg-type]


def test_a_live_line_says_what_is_recorded_and_since_when_the_flow_is_known() -> None:
    for width in (80, 160):
        line = text(status.paint(frame(live(), info=LIVE, recording=RECORDING), width, 1))
        assert "dxlink live" in line
        assert "rec 12 MB" in line
        assert "flow since 10:32" in line
        assert "600 of 21" in line
    assert "600 of 21,034 contracts: 3 expiries to 25 Nov, nearest ±2.1%" in line


def test_flow_since_an_earlier_day_names_the_day() -> None:
    shown = frame(live(heard_from=OPEN - 20 * 3600 * NS), info=LIVE, recording=RECORDING)
    assert "flow since 19 Nov 13:35" in text(status.paint(shown, 100, 1))


def test_what_went_wrong_with_a_live_feed_comes_before_ages() -> None:
    line = text(status.paint(frame(live(gaps=7), info=LIVE, recording=RECORDING), 90, 1))
    assert line.index("gaps 7") < line.index("age")


def test_a_recording_in_trouble_stands_there_until_it_is_well_again() -> None:
    why = "the disk is full; make room"
    off = frame(live(), info=LIVE, recording=RecordingState(False, why=why))
    line = text(status.paint(off, 120, 1))
    assert "NOT RECORDED" in line
    assert "the disk is full" in line
    by_choice = text(status.paint(frame(live(), info=LIVE, recording=CHOSEN_OFF), 120, 1))
    assert "rec off" in by_choice
    assert "⚠ not recorded" not in by_choice


def test_a_recording_without_raw_frames_is_not_called_unrecorded() -> None:
    kept = RecordingState(True, size=1_000_000, why="raw frames are no longer kept: disk")
    line = text(status.paint(frame(live(), info=LIVE, recording=kept), 160, 1))
    assert "⚠ raw frames are no longer kept" in line
    assert "not recorded" not in line.lower()


def test_a_lost_connection_says_which_try_when_and_why() -> None:
    lost = FeedStatus(
        "reconnecting",
        "dxlink: the connection broke; next try in 9.1 s",
        {"tries": 3.0, "retry_in_s": 8.0},
    )
    line = text(status.paint(frame(live(), info=LIVE, status=lost), 120, 1))
    assert "reconnecting try 3 in 8 s" in line
    assert "the connection broke" in line
    assert "9.1" not in line


def test_before_the_first_reading_the_window_is_told_and_so_is_a_refusal() -> None:
    report = FeedReport(window="600 of 21,034 contracts")
    waiting = frame(None, info=LIVE, report=report)
    assert "600 of 21,034 contracts" in text(status.paint(waiting, 100, 1))
    refused = FeedStatus("refused", "dxlink: the token is not known; log in again")
    line = text(status.paint(frame(None, info=LIVE, status=refused), 100, 1))
    assert "refused" in line
    assert "log in again" in line


@pytest.mark.parametrize("width", range(20, 200, 9))
def test_status_and_keys_keep_their_width(width: int) -> None:
    for paint in (status.paint, keyline.paint):
        assert all(cells(line) == width for line in paint(frame(reading()), width, 1))


def test_keys_of_replays_are_shown_in_replays_only() -> None:
    assert "−5 min" in text(keyline.paint(frame(reading(), replayable=True), 120, 1))
    assert "−5 min" not in text(keyline.paint(frame(reading()), 120, 1))


def test_the_key_line_says_what_the_key_would_do_now() -> None:
    keys = {"pause": ("space",)}
    assert "pause" in text(keyline.paint(frame(reading(), keys=keys), 80, 1))
    assert "go on" in text(keyline.paint(frame(reading(), keys=keys, paused=True), 80, 1))


def alert(number: int, said: str = "paradigm GEX → BofA") -> Alert:
    return Alert(OPEN + number * 60 * NS, "paradigm changed", "notice", said, math.nan, True)


def test_the_newest_alert_comes_first() -> None:
    shown = frame(reading(), alerts=(alert(1, "first"), alert(2, "second")))
    lines = text(AlertList().paint(shown, 80, 4)).splitlines()
    assert "alerts 2" in lines[0]
    assert lines[1].split() == ["09:37:00", "◆", "second"]
    assert "first" in lines[2]


def test_one_row_has_the_last_alert() -> None:
    shown = frame(reading(), alerts=(alert(1, "first"), alert(2, "second")))
    (line,) = AlertList().paint(shown, 80, 1)
    assert "second" in plain(line)


# -- the day ---------------------------------------------------------------------------------


def day(count: int) -> DayLog:
    found, log = reading(), DayLog()
    for i in range(count):
        zero = replace(
            found.zero_dte,
            paradigm="GEX" if i < count / 2 else "BofA",
            lis_lower=5965.0,
            lis_upper=6045.0,
        )
        spot = 6000 + 20 * math.sin(i / 9)
        log.note(replace(found, as_of=OPEN + i * 60 * NS, spot=spot, zero_dte=zero))
    return log


def test_the_day_shows_hours_and_paradigms() -> None:
    shown = text(timeline.paint(frame(reading(), day=day(61)), 120, 13))
    for part in ("10:00", "13:00", "▏GEX", "▏BofA"):
        assert part in shown, part


def test_the_day_of_another_book_is_not_drawn_on() -> None:
    other = reading(view="customer-flow")
    assert "▏GEX" not in text(timeline.paint(frame(other, day=day(61)), 120, 13))


@pytest.mark.parametrize("count", [0, 1, 2, 400])
@pytest.mark.parametrize("width", [20, 60, 150])
def test_the_day_can_be_of_any_length(count: int, width: int) -> None:
    lines = timeline.paint(frame(reading(), day=day(count)), width, 13)
    assert len(lines) <= 13


# -- hostile text ------------------------------------------------------------------------------

EVIL = "\x1b[31m[red]SPX[/red]\x1b]0;x\x07\n\u202e"


def test_text_from_outside_reaches_no_row_raw() -> None:
    found = reading()
    found = replace(
        found,
        underlying=EVIL,
        positions=replace(found.positions, view=EVIL, warning=EVIL),
        zero_dte=replace(found.zero_dte, expiry=EVIL, reason=EVIL, previous=EVIL),
        health=replace(found.health, warnings=(EVIL,)),
        source=replace(found.source, feed=EVIL, note=EVIL),
        expiries=tuple(replace(e, expiry=EVIL, root=EVIL) for e in found.expiries),
    )
    shown = frame(
        found,
        info=info("replay", EVIL),
        status=FeedStatus("reconnecting", EVIL),
        alerts=(alert(1, EVIL),),
        day=DayLog(),
    )
    assert shown.day is not None
    shown.day.note(replace(found, zero_dte=replace(found.zero_dte, paradigm=EVIL)))  # type: ignore[arg-type]
    every = [
        *topline.paint(shown, 120, 3), *topline.paint(shown, 80, 1), *side.paint(shown, 44, 80),
        *status.paint(shown, 160, 1), *AlertList().paint(shown, 80, 4),
        *paradigm.one_row(shown, 80, 1), *timeline.paint(shown, 120, 13),
    ]  # fmt: skip
    for line in every:
        assert not any(char in plain(line) for char in "\x1b\x07\n\u202e")


@pytest.mark.parametrize("state", ["connecting", "stale", "reconnecting", "refused", "closed"])
def test_a_line_that_is_down_is_not_called_live(state: str) -> None:
    stood = replace(reading(), source=replace(reading().source, mode="live"))
    for width in (80, 120, 160):
        up = text(topline.paint(frame(stood, info=LIVE), width, 2))
        down = text(topline.paint(frame(stood, info=LIVE, status=FeedStatus(state)), width, 2))  # type: ignore[arg-type]
        assert "● LIVE" in up
        assert "LIVE" not in down
        assert state.upper() in down


def test_a_standing_warning_does_not_hide_since_when_the_flow_is_known() -> None:
    warning = "open interest is of 06:05 New York: what was traded before is in both"
    line = text(
        status.paint(frame(live(warnings=(warning,)), info=LIVE, recording=RECORDING), 80, 1)
    )
    assert "flow since 10:32" in line
    assert "⚠ open interest is" in line


def test_two_keys_of_one_thing_stand_together_in_the_order_of_the_keyboard() -> None:
    shown = frame(reading(), replayable=True, screen="profile", keys=keymap())
    line = text(keyline.paint(shown, 160, 1))
    assert "←→ spot" in line
    assert "↑↓ vol" in line
    assert "PgUp/PgDn time" in line
    assert "+- speed" in line
