from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gexterm.market.calendar import at_et
from gexterm.market.events import CANCEL, CORRECTION, NEW, Trades
from gexterm.simulator.dealer import Dealer
from gexterm.simulator.script import Gap, Script
from gexterm.simulator.tape import Tape
from tests.simulator.traded import Traded, traded

NS = 1_000_000_000
CANCELS = {ord(c) for c in "ACEG"}
LATE = {ord(c) for c in "BDFH"}


@dataclass
class Heard:
    batches: list[Trades]
    tape: Tape
    truth: dict[str, NDArray[Any]]
    opening: NDArray[np.float64]
    dealer: Dealer

    def column(self, name: str) -> NDArray[Any]:
        return np.concatenate([getattr(b, name) for b in self.batches])


def hear(day: Traded, seed: int = 9, **changes: Any) -> Heard:
    flow = {k: changes.pop(k) for k in ("cancels", "late") if k in changes}
    asked: Script = dataclasses.replace(
        day.script, flow=dataclasses.replace(day.script.flow, **flow), **changes
    )
    tape = Tape(asked, np.random.default_rng(seed))
    dealer = Dealer(asked, day.listing, np.random.default_rng(seed))
    opening = dealer.inventory.copy()
    batches: list[Trades] = []
    for step, prints in zip(day.steps, day.seconds, strict=True):
        dealer.take(prints)
        batches += tape.publish(prints, step)
        dealer.take(tape.revisions)
    return Heard(batches, tape, tape.truth_columns(), opening, dealer)


@pytest.fixture(scope="module")
def day() -> Traded:
    return traded()


@pytest.fixture(scope="module")
def heard(day: Traded) -> Heard:
    return hear(day, cancels=0.02, late=0.03)


def test_every_print_is_heard_once(day: Traded, heard: Heard) -> None:
    new = heard.column("action") == NEW
    condition = heard.column("condition")
    prints = new & ~np.isin(condition, list(CANCELS))
    sequence = heard.column("sequence")[prints]
    assert len(np.unique(sequence)) == len(sequence)
    said = heard.truth["corrects"] < 0
    assert said.sum() == len(day.prints.ts)
    np.testing.assert_array_equal(np.sort(sequence), np.sort(heard.truth["sequence"][said]))


def test_what_is_heard_is_what_is_true(heard: Heard) -> None:
    true = {int(s): i for i, s in enumerate(heard.truth["sequence"])}
    kept = (heard.column("action") != CANCEL) & ~np.isin(heard.column("condition"), list(CANCELS))
    rows = np.array([true[int(s)] for s in heard.column("sequence")[kept]])
    for name in ("contract", "price", "size", "ts", "condition"):
        np.testing.assert_array_equal(heard.column(name)[kept], heard.truth[name][rows])


def test_side_and_quote_are_not_given_away(heard: Heard) -> None:
    assert not heard.column("side").any()
    for name in ("bid", "ask", "bid_size", "ask_size"):
        assert np.isnan(heard.column(name)).all()


def test_prints_are_heard_after_they_happened_and_in_order(day: Traded, heard: Heard) -> None:
    received = [b.recv for b in heard.batches]
    assert received == sorted(received)
    delay = np.concatenate([b.recv - b.ts for b in heard.batches]) / 1e6
    assert delay.min() > 0.0
    # One that is behind a slow one waits for it.
    assert day.script.quotes.trade_latency_ms * 0.9 < delay.mean() < 400.0
    sequence = heard.column("sequence")
    assert np.all(np.diff(sequence) > 0)


def test_the_book_is_what_it_began_with_and_every_print_that_stands(heard: Heard) -> None:
    stands = heard.truth["busted_at"] == 0
    gained = np.bincount(
        heard.truth["contract"][stands], heard.truth["dealer"][stands], len(heard.opening)
    )
    np.testing.assert_allclose(heard.dealer.inventory, heard.opening + gained, atol=1e-6)
    assert (~stands).sum() > 50


def test_a_cancel_is_about_an_earlier_print_of_the_same_contract_price_and_size(
    heard: Heard,
) -> None:
    true = {int(s): i for i, s in enumerate(heard.truth["sequence"])}
    condition = heard.column("condition")
    at = np.flatnonzero(np.isin(condition, list(CANCELS)))
    assert len(at) > 50
    refers, action = heard.column("refers")[at], heard.column("action")[at]
    assert {int(a) for a in action} == {NEW, CANCEL}
    assert (refers < 0).any() and (refers >= 0).any()
    busted = heard.truth["busted_at"] > 0
    columns = {n: heard.column(n) for n in ("contract", "price", "size", "sequence", "ts")}
    for i, named in zip(at, refers, strict=True):
        same = busted.copy()
        for name in ("contract", "price", "size"):
            same &= heard.truth[name] == columns[name][i]
        same &= heard.truth["sequence"] < columns["sequence"][i]
        assert (same & (heard.truth["busted_at"] == columns["ts"][i])).any()
        if named >= 0:
            assert same[true[int(named)]]


def test_the_letter_of_a_cancel_says_which_print_it_was(heard: Heard) -> None:
    contract, condition = heard.column("contract"), heard.column("condition")
    sequence, refers = heard.column("sequence"), heard.column("refers")
    is_cancel = np.isin(condition, list(CANCELS))
    is_print = (heard.column("action") == NEW) & ~is_cancel
    seen = set()
    for i in np.flatnonzero(is_cancel & (refers >= 0)):
        earlier = sequence[is_print & (contract == contract[i]) & (sequence < sequence[i])]
        letter = chr(condition[i])
        seen.add(letter)
        first, last = refers[i] == earlier[0], refers[i] == earlier[-1]
        expected = {(1, 1): "G", (0, 1): "C", (1, 0): "E", (0, 0): "A"}[int(first), int(last)]
        assert letter == expected
    assert {"A", "C"} <= seen


def test_a_correction_names_its_print_and_gives_another_size(heard: Heard) -> None:
    truth = heard.truth
    true = {int(s): i for i, s in enumerate(truth["sequence"])}
    at = np.flatnonzero(heard.column("action") == CORRECTION)
    assert len(at) > 5
    for i in at:
        new = true[int(heard.column("sequence")[i])]
        old = true[int(heard.column("refers")[i])]
        assert truth["corrects"][new] == truth["sequence"][old]
        assert truth["busted_at"][old] == truth["ts"][new]
        assert truth["size"][new] != truth["size"][old]
        assert truth["price"][new] == truth["price"][old]
        share = (
            truth["dealer"][new] * truth["size"][old] - truth["dealer"][old] * truth["size"][new]
        )
        assert abs(share) < 1e-6


def test_late_prints_say_so_and_come_seconds_to_minutes_after(heard: Heard) -> None:
    truth = heard.truth
    late = np.isin(truth["condition"], list(LATE))
    assert np.mean(late) == pytest.approx(0.03, abs=0.006)
    wait = (truth["ts"] - truth["traded_at"]) / NS
    assert wait[late & (truth["corrects"] < 0)].max() > 60.0
    assert not wait[~late & (truth["corrects"] < 0)].any()


def test_what_is_due_is_sent_in_the_last_second(day: Traded) -> None:
    heard = hear(day, late=0.5, cancels=0.0)
    assert np.all(heard.truth["sequence"] > 0)
    assert len(heard.column("ts")) == len(day.prints.ts)
    assert heard.truth["ts"].max() < day.steps[-1].now + NS


def test_nothing_happens_to_prints_where_the_script_wants_nothing(day: Traded) -> None:
    heard = hear(day, late=0.0, cancels=0.0)
    assert not np.isin(heard.column("condition"), list(CANCELS | LATE)).any()
    assert not heard.truth["busted_at"].any()
    assert np.all(heard.column("action") == NEW)


def test_after_a_silence_the_last_prints_come_again_and_some_are_lost(day: Traded) -> None:
    gap = Gap(dt.time(10, 4), 30.0)
    heard = hear(day, gaps=(gap,))
    begin = at_et(day.script.date, gap.at)
    end = begin + 30 * NS
    assert not any(begin <= b.recv < end for b in heard.batches)
    sequence = heard.column("sequence")
    numbers, times = np.unique(sequence, return_counts=True)
    again = numbers[times == 2]
    assert 1 <= len(again) <= 5 and times.max() == 2
    for number in again:
        first, second = np.flatnonzero(sequence == number)
        for name in ("contract", "price", "size", "ts", "condition"):
            assert heard.column(name)[first] == heard.column(name)[second]
    lost = np.setdiff1d(heard.truth["sequence"], sequence)
    assert len(lost) > 100
    at = heard.truth["traded_at"][np.isin(heard.truth["sequence"], lost)]
    assert np.mean((at > begin - 2 * NS) & (at < end)) > 0.95


def test_the_same_seed_tells_the_same(day: Traded) -> None:
    one, two = hear(day), hear(day)
    for name in ("ts", "sequence", "condition", "refers"):
        np.testing.assert_array_equal(one.column(name), two.column(name))
    assert [b.recv for b in one.batches] == [b.recv for b in two.batches]


def test_truth_of_a_day_without_prints_is_empty(day: Traded) -> None:
    tape = Tape(day.script, np.random.default_rng(1))
    columns = tape.truth_columns()
    assert {len(c) for c in columns.values()} == {0}
    assert columns["sequence"].dtype == np.int64
