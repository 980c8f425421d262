"""Prints that make no sense: each is counted and named, none is fatal, none is signed silently."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS, ManualClock
from gexterm.dealers.evidence import WORDS, Evidence, is_signed
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.market.calendar import at_et
from gexterm.market.events import CANCEL, CORRECTION, NEW, Event, Quotes, SourceInfo, Trades
from gexterm.reading.model import Reading
from gexterm.recording.writer import Writer
from tests.cli.invoke import gexterm
from tests.engine.market import DATE, SPOT, flat_chain

TEN = at_et(DATE, dt.time(10, 0))
INFO = SourceInfo("SPX", "synthetic", "simulated", begins=TEN, conditions="opra")
CHAIN = flat_chain(TEN)
N = len(CHAIN[0].contracts)  # type: ignore[union-attr]
QUOTES = next(e for e in CHAIN if isinstance(e, Quotes))
CALL = next(
    i
    for i, c in enumerate(CHAIN[0].contracts)  # type: ignore[union-attr]
    if c.expiry == DATE and c.strike == SPOT + 10 and c.right.value == "C"
)
"""A call of today, a little out of the money."""
BID, ASK = float(QUOTES.bid[CALL]), float(QUOTES.ask[CALL])


def print_(at: float = 1.0, **given) -> dict[str, float]:
    """One print at the offer, `at` seconds after ten; in lots that match no quote."""
    base = {"contract": CALL, "price": ASK, "size": 7.0, "ts": TEN + round(at * NS)}
    return base | {"sequence": -1, "condition": ord("I"), "action": NEW, "refers": -1} | given


def trades(*prints: dict[str, float], recv: float | None = None) -> Trades:
    columns = {name: [p[name] for p in prints] for name in prints[0]}
    last = max(int(p["ts"]) for p in prints) if recv is None else TEN + round(recv * NS)
    return Trades.of(
        columns.pop("contract"),
        columns.pop("price"),
        columns.pop("size"),
        columns.pop("ts"),
        recv=last,
        **columns,
    )


def run(*batches: Trades, first: Iterable[Event] = CHAIN, then: Iterable[Event] = ()) -> Engine:
    engine = Engine(EngineSettings(view="flow", scope="0dte"))
    for event in (INFO, *first, *batches, *then):
        engine.apply(event)
    return engine


def read(engine: Engine, minutes: float = 2.0) -> Reading:
    job = engine.job(TEN + round(minutes * 60 * NS))
    assert job is not None
    return engine.compute(job)


def positions(*batches: Trades, **more):
    return read(run(*batches, **more)).positions


def test_a_print_that_makes_sense_is_signed() -> None:
    found = positions(trades(print_()))
    assert (found.prints, found.counts) == (1, {})
    assert found.signed_share == 1.0
    assert found.by_evidence == {"at the quote": 1.0}
    assert found.unsigned_by_reason == {}


def test_prints_before_any_quote_are_unsigned_for_that_reason() -> None:
    quoteless = [e for e in CHAIN if not isinstance(e, Quotes)]
    late = Quotes(
        QUOTES.contract, QUOTES.bid, QUOTES.ask, QUOTES.bid_size, QUOTES.ask_size,
        np.full(N, TEN + 30 * NS), TEN + 30 * NS,
    )  # fmt: skip
    found = positions(trades(print_()), first=quoteless, then=[late])
    assert found.unsigned_by_reason == {"no quote": 7.0}
    assert found.signed_share == 0.0


def test_a_quote_of_a_contract_that_does_not_exist_changes_nothing() -> None:
    strange = Quotes(
        np.array([-1, -(2**31), N, N + 5_000], np.int32),
        *(np.full(4, x) for x in (1.0, 1.1, 5.0, 5.0)),
        np.full(4, TEN + NS // 2),
        TEN + NS // 2,
    )
    with_it = read(run(trades(print_()), first=[*CHAIN, strange]))
    without = read(run(trades(print_())))
    assert with_it.zero_dte.charm_above == without.zero_dte.charm_above
    assert with_it.positions.by_evidence == {"at the quote": 1.0}
    assert with_it.health.quoted_share == without.health.quoted_share


def test_prints_before_any_contract_are_counted() -> None:
    engine = Engine(EngineSettings(view="flow"))
    for event in (INFO, trades(print_(), print_(2.0)), *CHAIN):
        engine.apply(event)
    found = read(engine).positions
    assert found.counts == {"unknown_contract": 2}
    assert found.prints == 0


@pytest.mark.parametrize("contract", [N, N + 1_000_000, 2**31 - 1, -1, -(2**31)])
def test_prints_of_contracts_that_do_not_exist_are_counted(contract: int) -> None:
    found = positions(trades(print_(contract=contract), print_(2.0)))
    assert found.counts == {"unknown_contract": 1}
    assert found.prints == 1


@pytest.mark.parametrize("name", ["price", "size"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_a_price_or_size_that_is_none_is_refused_and_counted(name: str, value: float) -> None:
    found = positions(trades(print_(**{name: value}), print_(2.0)))
    assert found.counts == {"refused": 1}
    assert found.prints == 1
    assert found.signed_share == 1.0


def test_prints_out_of_order_by_seconds_are_counted_and_late_ones_unsigned() -> None:
    found = positions(
        trades(print_(30.0, sequence=1)),
        trades(print_(27.0, sequence=2), recv=30.1),
        trades(print_(12.0, sequence=3), recv=30.2),
    )
    assert found.counts["out_of_order"] == 2
    assert found.prints == 3
    assert found.unsigned_by_reason == {"late": 7.0}
    assert found.signed_share == pytest.approx(2 / 3)


def test_a_print_dated_in_the_future_harms_for_a_minute_at_most() -> None:
    future = trades(print_(3_000.0, sequence=1, size=1.0), recv=1.0)
    found = positions(future, trades(print_(70.0, sequence=2)))
    assert found.unsigned_by_reason == {"stale quote": 1.0}
    assert found.by_evidence == {"at the quote": pytest.approx(7 / 8)}
    # Meanwhile nothing is signed, and it is said why.
    found = positions(future, trades(print_(2.0, sequence=2)))
    assert set(found.unsigned_by_reason) <= {"stale quote", "late"}
    assert found.prints == 2


def test_prints_come_twice_and_count_once() -> None:
    batch = trades(print_(sequence=1), print_(2.0, sequence=2, price=BID, size=5.0))
    once, twice = run(batch), run(batch, batch)
    assert read(twice).positions.counts == {"duplicates": 2}
    one, two = read(once), read(twice)
    assert one.positions.prints == two.positions.prints == 2
    assert one.zero_dte.charm_above == two.zero_dte.charm_above


def test_a_print_cancelled_before_it_arrives_never_counts() -> None:
    cancel = print_(1.5, sequence=9, action=CANCEL, refers=1)
    found = positions(trades(cancel), trades(print_(sequence=1), recv=1.6))
    assert found.counts == {"cancelled": 1}
    assert found.prints == 0


def test_a_cancel_of_what_never_comes_is_counted() -> None:
    found = positions(trades(print_(sequence=1)), trades(print_(2.0, action=CANCEL, refers=77)))
    assert found.counts == {"unmatched_cancels": 1}
    assert found.prints == 1


def test_a_cancel_takes_back_what_a_print_has_done() -> None:
    stays = print_(sequence=1, price=BID)
    goes, cancel = print_(2.0, sequence=2), print_(40.0, sequence=3, action=CANCEL, refers=2)
    with_cancel = read(run(trades(stays), trades(goes), trades(cancel), trades(cancel)))
    without = read(run(trades(stays)))
    assert with_cancel.positions.prints == without.positions.prints == 1
    assert with_cancel.positions.counts["cancelled"] == 1
    assert with_cancel.zero_dte.charm_above == pytest.approx(without.zero_dte.charm_above)
    assert with_cancel.gamma.gex_per_1pct == pytest.approx(without.gamma.gex_per_1pct)


def test_a_correction_stands_for_its_print_and_one_of_nothing_is_named() -> None:
    right = print_(3.0, sequence=2, action=CORRECTION, refers=1, size=9.0)
    found = positions(trades(print_(sequence=1)), trades(right))
    assert found.counts == {"corrected": 1}
    assert found.prints == 1
    lonely = print_(3.0, sequence=2, action=CORRECTION, refers=55)
    found = positions(trades(print_(sequence=1)), trades(lonely))
    assert found.counts == {"unmatched_corrections": 1}


@pytest.mark.parametrize("code", [ord("?"), 999, 32_767, -77, 1])
def test_conditions_that_nobody_has_seen_are_counted_and_unsigned(code: int) -> None:
    found = positions(trades(print_(condition=code), print_(2.0)))
    assert found.counts == {"unknown_condition": 1}
    assert found.unsigned_by_reason == {"unknown condition": 7.0}
    assert found.signed_share == 0.5


@pytest.mark.parametrize(
    ("bid", "ask", "why"),
    [
        (ASK, BID, "crossed quote"),
        (ASK, ASK, "crossed quote"),
        (0.0, ASK, "one-sided quote"),
        (-1.0, ASK, "one-sided quote"),
        (BID, math.nan, "one-sided quote"),
        (BID, math.inf, "stale quote"),
        (math.nan, math.nan, "no quote"),
    ],
)
def test_a_bad_quote_signs_nothing(bid: float, ask: float, why: str) -> None:
    bad = Quotes(
        np.array([CALL], np.int32),
        np.array([bid]),
        np.array([ask]),
        np.array([9.0]),
        np.array([8.0]),
        np.array([TEN + NS // 2]),
        TEN + NS // 2,
    )
    found = positions(trades(print_()), first=[*CHAIN, bad])
    assert found.unsigned_by_reason == {why: 7.0}
    assert found.signed_share == 0.0


def test_an_empty_batch_is_nothing() -> None:
    assert positions(Trades.of([], [], [], [], recv=TEN)).prints == 0


def test_a_tape_of_nonsense_alone_leaves_the_flow_unknown() -> None:
    reading = read(run(trades(print_(size=math.nan), print_(contract=-5))))
    assert reading.positions.prints == 0
    assert reading.zero_dte.paradigm == "No data"
    assert math.isnan(reading.gamma.gex_per_1pct)


# Anything at all

numbers = st.sampled_from([ASK, BID, 0.5 * (ASK + BID), 0.0, -2.0, math.nan, math.inf, 1e300])
times = st.sampled_from([0.0, 0.3, 1.0, 2.0, 30.0, -86_400.0, 86_400.0])
anything = st.builds(
    print_,
    at=times,
    contract=st.sampled_from([CALL, CALL + 1, CALL + 2, N, -1]),
    price=numbers,
    size=st.sampled_from([1.0, 5.0, 20.0, 0.0, -3.0, math.nan, math.inf]),
    sequence=st.integers(-1, 6),
    condition=st.sampled_from([*map(ord, "ISabcfjkABCEG?"), -1, 0, 900]),
    action=st.sampled_from([NEW, NEW, NEW, CANCEL, CORRECTION, 7]),
    refers=st.integers(-1, 6),
)


@given(st.lists(st.lists(anything, min_size=1, max_size=4), min_size=1, max_size=6))
@settings(max_examples=60)
def test_whatever_comes_nothing_is_fatal_and_no_reason_is_missing(batches) -> None:
    engine = run(*(trades(*batch, recv=31.0 + k) for k, batch in enumerate(batches)))
    reading = read(engine)
    found = reading.positions
    assert engine.signer is not None
    tape, counts = engine.signer.tape, engine.signer.counts
    live = tape.live()
    assert found.prints == len(live)
    assert found.prints == len(tape) - counts["cancelled"] - counts["corrected"]
    signed = is_signed(tape.evidence[live])
    p = tape.p_buy[live]
    assert ((p >= 0.0) & (p <= 1.0)).all()
    np.testing.assert_array_equal(p[~signed], 0.5)
    assert set(tape.evidence[live].tolist()) <= {int(e) for e in Evidence}
    known = {WORDS[Evidence(int(e))] for e in tape.evidence[live]}
    assert set(found.unsigned_by_reason) | set(found.by_evidence) <= known
    flow = engine.signer.flow()
    assert np.isfinite(flow.mean).all() and (flow.variance >= 0.0).all()
    assert flow.volume.sum() == pytest.approx(tape.size[live].sum())


# From the command line


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recording with one print of every bad kind, and a few good ones."""
    path = tmp_path / "bad.gexrec"
    good = [print_(40.0 + k, sequence=100 + k, price=(BID, ASK)[k % 2]) for k in range(6)]
    batches = [
        trades(*good),
        trades(good[0], recv=46.0),
        trades(print_(47.0, contract=N + 3)),
        trades(print_(48.0, size=math.nan), print_(48.0, price=-1.0)),
        trades(print_(49.0, condition=900, sequence=200)),
        trades(print_(49.5, action=CANCEL, refers=101)),
        trades(print_(49.6, action=CANCEL, refers=999)),
        trades(print_(20.0, sequence=201), recv=50.0),
    ]
    with Writer(path, INFO, ManualClock(TEN)) as writer:
        for event in (*CHAIN, *batches):
            writer.write(event if event.recv else dataclasses.replace(event, recv=TEN))
    return path


def test_accuracy_names_them_all(recording: Path) -> None:
    told = json.loads(gexterm("accuracy", recording, "--json").out)
    assert told["counts"] == {
        "duplicates": 1,
        "cancelled": 1,
        "unmatched_cancels": 1,
        "out_of_order": 1,
        "unknown_contract": 1,
        "refused": 2,
        "unknown_condition": 1,
    }
    assert told["unknown_codes"] == {"opra 900": 1}
    assert set(told["unsigned"]) == {"late", "unknown condition"}
    assert told["prints"]["prints"] == 7
    assert told["signed"]["prints"] == 5


def test_levels_and_replay_are_not_stopped_by_them(recording: Path) -> None:
    done = gexterm("levels", recording, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)["positions"]
    assert told["counts"]["refused"] == 2
    assert told["unsigned_by_reason"]["unknown condition"] == 7.0
    done = gexterm("replay", recording, "--headless", "--speed", 10_000)
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("intent = 'Bull'", "intent"),
        ("seed = 1.5", "seed"),
        ("date = 2026-11-21", "date"),
        ("begins = 10:00:00\nends = 09:45:00", "ends"),
        ("target = 'perhaps'", "target"),
        ("[flow]\ntilt = 3.0", "flow.tilt"),
        ("[flow]\ncontracts = -5", "flow.contracts"),
        ("[flow]\nmix = 'wild'", "flow.mix"),
        ("[flow]\ncancels = nan", "flow.cancels"),
        ("[quotes]\nstale_share = 2", "quotes.stale_share"),
        ("[spot]\nopen = 0", "spot.open"),
        ("[[changes]]\nat = 08:00:00\nintent = 'GEX'", "changes"),
        ("[[gaps]]\nat = 10:00:00\nseconds = -4", "gaps"),
        ("chain = 'enormous'", "chain"),
    ],
)
def test_a_script_of_nonsense_is_one_line_and_leaves_nothing(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "bad.toml"
    head = "" if "seed" in text else "seed = 1\n"
    path.write_text(f'name = "bad"\ntitle = "Bad"\n{head}{text}\n')
    done = gexterm("simulate", path, "-o", tmp_path / "out.gexrec", "--truth")
    assert done.code == 3
    assert words in done.one_clear_line
    assert str(path) in done.one_clear_line
    assert [p.name for p in tmp_path.iterdir()] == ["bad.toml"]
