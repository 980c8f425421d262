"""A tape without a truth: everything on it is accounted for, and rules are laid beside it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from gexterm.clock import SystemClock
from gexterm.config import Settings
from gexterm.dealers.evidence import Evidence, is_signed
from gexterm.dealers.inforce import QuoteLog
from gexterm.dealers.signer import Signer
from gexterm.dealers.tape import State
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.errors import InputError
from gexterm.market.events import CANCEL, Quotes, SourceInfo
from gexterm.recording.prints import read_prints
from gexterm.recording.prints_import import import_prints
from gexterm.recording.reader import Recording
from gexterm.recording.samples import find_sample
from gexterm.study.agreement import (
    Agreement,
    Amount,
    Match,
    agree,
    judged,
    match,
    our_side,
    quotes_of,
    together,
)
from gexterm.study.observe import RULES, told_by_rules
from gexterm.study.report import agreement_json, agreement_text
from tests.dealers.prints import T0, Print, batch
from tests.shared_data import shared
from tests.study.tclf_rules import say


def side(*values: int) -> np.ndarray:
    return np.array(values, np.int8)


def test_agreement_is_counted_where_both_say_a_side() -> None:
    found = match(side(1, 1, -1, 0, 0, 1), side(1, -1, -1, 1, 0, 0))
    assert found == Match(same=2, both=3, decided=4)
    assert found.share == pytest.approx(2 / 3)
    assert math.isnan(match(side(0), side(1)).share)


def signed(*prints: Print, **given) -> Signer:
    signer = Signer()
    signer.define(4)
    signer.trades(batch(prints, **given))
    signer.settle(None)
    return signer


def test_the_quote_given_with_a_print_goes_before_the_recorded_one() -> None:
    signer = signed(
        Print(1, price=1.10, contract=0, at=1.0),
        Print(2, price=2.10, contract=1, at=1.0),
        Print(3, price=3.10, contract=2, at=1.0),
        bid=[1.00, np.nan, np.nan],
        ask=[1.10, np.nan, np.nan],
    )
    log = QuoteLog(None)
    log.take(
        Quotes(
            np.array([0, 1], np.int32),
            np.array([0.90, 2.00]),
            np.array([1.30, 2.10]),
            np.array([7.0, 8.0]),
            np.array([9.0, 10.0]),
            np.array([T0, T0], np.int64),
            T0,
        )
    )
    quote, origin = quotes_of(signer.tape, signer.tape.live(), log)
    assert origin == {"given": 1, "in force": 1, "none": 1}
    np.testing.assert_array_equal(quote.bid, [1.00, 2.00, np.nan])
    np.testing.assert_array_equal(quote.ask, [1.10, 2.10, np.nan])
    # Sizes of a quote at other prices are not those of the one given.
    np.testing.assert_array_equal(quote.bid_size, [np.nan, 8.0, np.nan])
    np.testing.assert_array_equal(quote.ask_size, [np.nan, 10.0, np.nan])


def test_a_tape_is_taken_apart_by_evidence_and_by_reason() -> None:
    signer = signed(
        Print(1, price=1.10, size=3, at=1.0),  # at the offer: the customer bought
        Print(2, price=1.00, size=4, at=2.0),  # at the bid: he sold
        Print(3, price=1.20, size=5, at=3.0, contract=1),  # no quote
        Print(4, price=1.10, size=6, at=4.0, letter="?"),  # a condition nobody has seen
        bid=[1.00, 1.00, np.nan, 1.00],
        ask=[1.10, 1.10, np.nan, 1.10],
        bid_size=[50, 50, np.nan, 50],
        ask_size=[60, 60, np.nan, 60],
    )
    found = judged("a tape", signer.tape, QuoteLog(None), signer.counts)
    assert found.prints == Amount(4, 18.0)
    assert found.signed == Amount(2, 7.0)
    assert found.by_evidence == {"at the quote": Amount(2, 7.0)}
    assert found.unsigned == {"no quote": Amount(1, 5.0), "unknown condition": Amount(1, 6.0)}
    assert found.rules["quote"] == Match(same=2, both=2, decided=3)
    assert found.counts["unknown_condition"] == 1
    assert found.unknown_codes == {f"opra {ord('?')}": 1}
    assert our_side(signer.tape, signer.tape.live()).tolist() == [1, -1, 0, 0]


def test_two_tapes_add_up() -> None:
    one = signed(
        Print(1, price=1.10, size=3, at=1.0), bid=[1.0], ask=[1.1], bid_size=[5], ask_size=[9]
    )
    two = signed(Print(1, price=1.10, size=2, at=1.0))
    parts = [judged(n, t.tape, QuoteLog(None), t.counts) for n, t in (("a", one), ("b", two))]
    both = together(parts)
    assert both.files == ("a", "b")
    assert both.prints == Amount(2, 5.0)
    assert both.signed == Amount(1, 3.0)
    assert both.quotes == {"given": 1, "in force": 0, "none": 1}
    assert both.rules["quote"] == Match(1, 1, 1)
    assert together(parts[:1]) == parts[0]


def test_a_recording_without_a_tape_is_refused() -> None:
    with pytest.raises(InputError, match="has no tape"):
        agree(find_sample("first-light").path, Settings())


def test_a_tape_without_prints_has_nothing_and_says_so() -> None:
    signer = Signer()
    found = judged("nothing", signer.tape, QuoteLog(None), signer.counts)
    assert found.prints == Amount(0, 0.0)
    text = agreement_text(found)
    assert "0 with 0 contracts; signed – of prints" in text
    assert "NOTICED: nothing" in text
    assert json.loads(agreement_json(found))["rules"]["quote"]["share"] is None


# Real prints


@pytest.fixture(scope="module")
def real() -> Path:
    return shared("trades/vix_prints_2016-06-01.csv")


@pytest.fixture(scope="module")
def recorded(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prints") / "vix.gexrec"
    import_prints(real, path, SystemClock())
    return path


@pytest.fixture(scope="module")
def signer(recorded: Path) -> Signer:
    with Recording(recorded) as recording:
        engine = Engine(EngineSettings.of(Settings(), recording.info.underlying))
        for event in recording.events():
            engine.apply(event)
    assert engine.signer is not None
    engine.signer.settle(None)
    return engine.signer


@pytest.fixture(scope="module")
def found(recorded: Path) -> Agreement:
    return agree(recorded, Settings())


class TestRealPrints:
    def test_the_recording_holds_the_file(self, real: Path, recorded: Path) -> None:
        file = read_prints(real)
        events = list(file.events())
        with Recording(recorded) as recording:
            assert recording.info.conditions == "cboe-datashop"
            again = list(recording.events())
        assert isinstance(again[0], SourceInfo)
        assert [type(e) for e in again] == [type(e) for e in events]
        for name in ("contract", "price", "size", "ts", "sequence", "bid", "ask_size", "action"):
            np.testing.assert_array_equal(
                np.concatenate([getattr(e, name) for e in again if hasattr(e, "sequence")]),
                getattr(file.trades, name),
            )

    def test_every_print_is_accounted_for(self, real: Path, found: Agreement) -> None:
        rows = read_prints(real).rows
        cancels = found.counts["cancelled"]  # each has a line of its own, and takes one back
        assert rows == found.prints.prints + 2 * cancels
        unsigned = sum(part.prints for part in found.unsigned.values())
        by_evidence = sum(part.prints for part in found.by_evidence.values())
        assert by_evidence == found.signed.prints
        assert found.signed.prints + unsigned == found.prints.prints
        contracts = found.signed.contracts + sum(p.contracts for p in found.unsigned.values())
        assert contracts == pytest.approx(found.prints.contracts)
        assert "refused" not in found.unsigned and not found.unknown_codes

    def test_the_cancelled_print_counts_for_nothing(self, real: Path, signer: Signer) -> None:
        trades = read_prints(real).trades
        (cancel,) = np.flatnonzero(trades.action == CANCEL)
        tape = signer.tape
        (gone,) = np.flatnonzero(tape.state != State.LIVE)
        assert tape.sequence[gone] == trades.refers[cancel]
        live = tape.live()
        flow = signer.flow()
        assert flow.prints == len(live) == 2293
        assert flow.volume.sum() == pytest.approx(tape.size[live].sum())

    def test_no_sign_comes_from_a_quote_that_must_not_sign(self, signer: Signer) -> None:
        tape = signer.tape
        rows = tape.live()
        bid, ask = tape.bid[rows], tape.ask[rows]
        with np.errstate(invalid="ignore"):
            good = (bid > 0.0) & (ask > bid)
        alone = is_signed(tape.evidence[rows]) & (tape.evidence[rows] != Evidence.PACKAGE)
        assert not (alone & ~good).any()
        assert (~good).sum() >= 40, "there are such quotes in the file"
        unsigned = ~is_signed(tape.evidence[rows])
        np.testing.assert_array_equal(tape.p_buy[rows][unsigned], 0.5)

    @pytest.mark.parametrize("damage", ["one-sided", "crossed", "stale", "none"])
    def test_the_same_prints_with_bad_quotes_sign_nothing_by_themselves(
        self, real: Path, damage: str
    ) -> None:
        trades = read_prints(real).trades
        n = len(trades.ts)
        columns = {name: getattr(trades, name) for name in type(trades).__slots__}
        recv = columns.pop("recv")
        nothing = np.full(n, np.nan)
        signer = Signer(conditions="cboe-datashop")
        signer.define(230)
        if damage == "one-sided":
            columns["bid"] = np.zeros(n)
        elif damage == "crossed":
            columns["bid"], columns["ask"] = trades.ask + 0.05, trades.bid
        elif damage == "none":
            columns |= dict.fromkeys(("bid", "ask", "bid_size", "ask_size"), nothing)
        else:
            signer.stale(np.ones(230, np.bool_))
        signer.trades(type(trades)(**columns, recv=recv))
        signer.settle(None)
        tape = signer.tape
        assert len(tape.live()) == 2293
        assert not is_signed(tape.evidence[tape.live()]).any()
        assert not signer.flow().mean.any()

    @pytest.mark.parametrize("rule", RULES)
    def test_each_of_our_rules_says_what_tclf_says(self, signer: Signer, rule: str) -> None:
        tape = signer.tape
        rows = tape.live()
        quote, _ = quotes_of(tape, rows, QuoteLog(None))
        sides = (quote.bid, quote.ask, quote.bid_size, quote.ask_size)
        theirs = say(rule, tape.contract[rows], tape.price[rows], tape.size[rows], sides)
        ours = told_by_rules(tape, rows, quote)[rule]
        assert (theirs != 0).sum() > 1500
        np.testing.assert_array_equal(ours, theirs)

    def test_agreement_with_the_literature_is_counted_print_by_print(
        self, signer: Signer, found: Agreement
    ) -> None:
        tape = signer.tape
        rows = tape.live()
        ours = our_side(tape, rows)
        sides = (tape.bid[rows], tape.ask[rows], tape.bid_size[rows], tape.ask_size[rows])
        for rule in ("quote", "Grauer stack"):
            theirs = say(rule, tape.contract[rows], tape.price[rows], tape.size[rows], sides)
            both = (ours != 0) & (theirs != 0)
            share = float(np.mean(ours[both] == theirs[both]))
            assert found.rules[rule].both == both.sum()
            assert found.rules[rule].share == pytest.approx(share)

    def test_print_by_print_we_are_of_the_grauer_stacks_family(self, signer: Signer) -> None:
        """Away from packages we differ where `tclf` reads rounding or accidents, and only there.

        It compares a price with the middle of the quote exactly: 0.15 is above the middle
        of 0.10 and 0.20 in floating point. And it takes a size for that of a resting order
        wherever the print is.
        """
        tape = signer.tape
        rows = tape.live()
        price, size = tape.price[rows], tape.size[rows]
        bid, ask = tape.bid[rows], tape.ask[rows]
        sizes = (tape.bid_size[rows], tape.ask_size[rows])
        ours = our_side(tape, rows)
        theirs = say("Grauer stack", tape.contract[rows], price, size, (bid, ask, *sizes))
        single = (ours != 0) & (theirs != 0) & (tape.evidence[rows] != Evidence.PACKAGE)
        assert single.sum() > 1400
        differ = single & (ours != theirs)
        at_mid = np.isclose(price, 0.5 * (bid + ask), rtol=0, atol=1e-9)
        matched = (size == sizes[0]) | (size == sizes[1])
        resting = np.isclose(price, bid) | np.isclose(price, ask)
        assert not (differ & ~at_mid & ~(matched & ~resting)).any()
        assert (differ & at_mid).sum() > 20

    def test_come_twice_and_nothing_changes(self, real: Path, signer: Signer) -> None:
        file = read_prints(real)
        twice = Signer(conditions="cboe-datashop")
        twice.define(len(file.definitions.contracts))
        events = [e for e in file.events() if hasattr(e, "sequence")]
        for event in [*events, *events]:
            twice.trades(event)
        twice.settle(None)
        assert twice.counts["duplicates"] == file.rows
        once = Signer(conditions="cboe-datashop")
        once.define(len(file.definitions.contracts))
        for event in events:
            once.trades(event)
        once.settle(None)
        np.testing.assert_allclose(twice.flow().mean, once.flow().mean, rtol=0, atol=1e-9)
