"""Which contracts are asked for: near in time and money, within a limit, moving with spot."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.feeds.window import Window, WindowSettings, choose
from gexterm.market.calendar import session_open_ns
from gexterm.market.contracts import Contract, Right
from gexterm.market.settlement import expiry_of

TODAY = dt.date(2026, 11, 20)  # a third Friday: SPX settles at the open, SPXW at the close
OPEN = session_open_ns(TODAY)
NOON = OPEN + 9_000 * NS
SPOT = 6_600.0


def chain(
    root: str = "SPXW", dates: tuple[dt.date, ...] = (TODAY,), step: float = 5.0, each: int = 200
) -> list[Contract]:
    """Strikes around 6,600, calls and puts."""
    return [
        Contract(root, date, right, SPOT + step * k)
        for date in dates
        for k in range(-each, each + 1)
        for right in Right
    ]


def weeks(n: int) -> tuple[dt.date, ...]:
    return tuple(TODAY + dt.timedelta(days=7 * i) for i in range(n))


def taken(
    contracts: list[Contract], most: int, now: int = NOON, spot: float = SPOT
) -> set[Contract]:
    choice = choose(contracts, spot, now, WindowSettings(), most)
    return {contracts[i] for i in choice.contracts}


def test_a_limit_that_is_wide_enough_takes_all_within_reach() -> None:
    contracts = chain(each=40)
    choice = choose(contracts, SPOT, NOON, WindowSettings(least=0.015), 10_000)
    within = {i for i, c in enumerate(contracts) if abs(c.strike - SPOT) <= 0.015 * SPOT + 60}
    assert set(choice.contracts.tolist()) <= within
    assert {i for i, c in enumerate(contracts) if abs(c.strike - SPOT) <= 0.015 * SPOT} <= set(
        choice.contracts.tolist()
    )


def test_reach_grows_with_the_root_of_time() -> None:
    contracts = chain(dates=weeks(5), each=400)
    got = taken(contracts, 100_000)
    far = {d: max(abs(c.strike - SPOT) for c in got if c.expiry == d) for d in weeks(5)}
    four = 4 * 0.20 * SPOT
    for date, reach in far.items():
        left = (expiry_of("SPXW", date).settles_at - NOON) / NS / (365 * 86_400)
        assert abs(reach - max(four * left**0.5, 0.015 * SPOT)) <= 5.0
    assert sorted(far.values()) == list(far.values())


def test_the_nearest_expiry_has_first_call_and_leaves_a_quarter_to_the_others() -> None:
    contracts = chain(dates=weeks(3), step=1.0, each=1_000)
    got = taken(contracts, 200)
    count = {d: sum(c.expiry == d for c in got) for d in weeks(3)}
    assert len(got) == 200
    assert count[TODAY] == 150 > count[weeks(3)[1]] > 0


def test_one_expiry_alone_has_the_whole_limit() -> None:
    assert len(taken(chain(step=0.5, each=400), 200)) == 200


def test_under_a_limit_the_strikes_nearest_to_spot_stay() -> None:
    got = taken(chain(), 41)
    # Twenty pairs: the last single contract would be half a pair.
    assert len(got) == 40
    assert max(abs(c.strike - SPOT) for c in got) == 50.0


@settings(max_examples=40)
@given(
    spot=st.floats(6_000, 7_200),
    most=st.integers(0, 900),
    after_s=st.integers(-86_400, 6 * 86_400),
    n=st.integers(1, 4),
)
def test_never_more_than_the_limit_and_calls_and_puts_together(
    spot: float, most: int, after_s: int, n: int
) -> None:
    contracts = chain(dates=weeks(n), step=10.0, each=60)
    choice = choose(contracts, spot, OPEN + after_s * NS, WindowSettings(), most)
    indices = choice.contracts.tolist()
    assert len(indices) == len(set(indices)) <= most
    got = {contracts[i] for i in indices}
    for c in got:
        other = Right.PUT if c.right is Right.CALL else Right.CALL
        assert Contract(c.root, c.expiry, other, c.strike) in got


def test_am_and_pm_twins_are_two_series_and_the_one_that_stopped_trading_is_left_out() -> None:
    both = chain("SPX") + chain("SPXW")
    assert {c.root for c in taken(both, 5_000)} == {"SPXW"}
    # SPX of the third Friday trades until the day before at 16:15.
    before = session_open_ns(dt.date(2026, 11, 19)) + 3_600 * NS
    got = taken(both, 5_000, before)
    twins = {(c.right, c.strike) for c in got if c.root == "SPX"}
    assert twins
    assert twins <= {(c.right, c.strike) for c in both if c.root == "SPXW"}


def test_on_a_half_day_nothing_is_wanted_after_one_o_clock() -> None:
    half = dt.date(2026, 11, 27)
    contracts = chain(dates=(half,))
    at = session_open_ns(half)
    assert taken(contracts, 100, at + 3 * 3_600 * NS)
    assert not taken(contracts, 100, at + 4 * 3_600 * NS)


def test_coins_are_taken_for_livelier_than_indices() -> None:
    def reach(root: str) -> float:
        contracts = chain(root, weeks(2)[1:], step=10.0, each=400)
        return max(abs(c.strike - SPOT) for c in taken(contracts, 5_000))

    assert reach("BTC") > 2 * reach("SPXW")


class TestMoving:
    def window(self, most: int = 60) -> tuple[Window, list[Contract]]:
        return Window(WindowSettings(), most), chain()

    def test_the_first_window_adds_all_of_it(self) -> None:
        window, contracts = self.window()
        change = window.update(contracts, SPOT, NOON)
        assert change is not None
        assert set(change.add) == set(change.choice.contracts.tolist()) == window.wanted
        assert change.remove == ()

    def test_it_stays_while_spot_stays(self) -> None:
        window, contracts = self.window()
        window.update(contracts, SPOT, NOON)
        assert window.update(contracts, SPOT + 10.0, NOON + 60 * NS) is None

    def test_it_follows_spot_and_says_what_changes(self) -> None:
        window, contracts = self.window()
        window.update(contracts, SPOT, NOON)
        before = window.wanted
        change = window.update(contracts, SPOT + 40.0, NOON + 60 * NS)
        assert change is not None
        assert change.add and change.remove
        assert (before | set(change.add)) - set(change.remove) == window.wanted
        assert len(window.wanted) <= 60
        middle = np.mean([contracts[i].strike for i in window.wanted])
        assert abs(middle - (SPOT + 40.0)) <= 5.0

    def test_new_listings_are_looked_at_at_once(self) -> None:
        window, contracts = self.window()
        window.update(contracts[: len(contracts) // 2], SPOT, NOON)
        assert window.update(contracts, SPOT, NOON + NS) is not None

    def test_without_spot_there_is_no_window(self) -> None:
        window, contracts = self.window()
        assert window.update(contracts, float("nan"), NOON) is None
        assert window.update([], SPOT, NOON) is None

    def test_what_has_settled_is_taken_off_in_time(self) -> None:
        window, contracts = self.window()
        window.update(contracts, SPOT, NOON)
        close = expiry_of("SPXW", TODAY).settles_at
        change = window.update(contracts, SPOT, close + NS)
        assert change is not None
        assert window.wanted == frozenset()
        assert "none of 802 contracts" in change.choice.text

    def test_a_person_reads_how_wide_it_is(self) -> None:
        window, contracts = self.window()
        change = window.update(contracts, SPOT, NOON)
        assert change is not None
        assert change.choice.text == "60 of 802 contracts: the expiry of 20 Nov, nearest ±1.1%"


@pytest.mark.parametrize(
    ("root", "spot", "wall"),
    [("VIX", 17.0, 30.0), ("TSLA", 400.0, 560.0), ("SPY", 660.0, 780.0), ("SPXW", SPOT, 7_100.0)],
)
def test_reach_is_wide_where_the_underlying_moves_a_lot(
    root: str, spot: float, wall: float
) -> None:
    date = dt.date(2026, 12, 16)
    contracts = [Contract(root, date, Right.CALL, strike) for strike in (spot, wall)]
    assert set(choose(contracts, spot, NOON, WindowSettings(), 100).contracts.tolist()) == {0, 1}
