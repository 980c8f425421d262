"""Coins end to end: from messages to gamma and its flip, against Black's formula written here."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from gexterm.dealers.tape import State
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from tests.feeds.deribit.talk import NOON, Talk
from tests.venues.deribit import Exchange

EXPIRES = dt.datetime(2023, 11, 24, 8, tzinfo=dt.UTC).timestamp()
VOL = 0.5
FAMILIES = [
    ("BTC", 37_000.0, 37_200.0, 500.0),
    ("ETH", 2_000.0, 2_010.0, 25.0),
    ("SOL_USDC", 60.0, 60.3, 1.0),
    ("XRP_USDC", 0.62, 0.623, 0.01),
]


def black(forward: float, strike: float, years: float, right: int) -> float:
    """Undiscounted, dollars a coin."""
    spread = VOL * math.sqrt(years)
    d1 = math.log(forward / strike) / spread + spread / 2
    return right * (forward * norm.cdf(right * d1) - strike * norm.cdf(right * (d1 - spread)))


def gamma(forward: float, strike: float, years: float) -> float:
    spread = VOL * math.sqrt(years)
    d1 = math.log(forward / strike) / spread + spread / 2
    return float(norm.pdf(d1)) / (forward * spread)


def book(strike: float, spot: float) -> tuple[float, float]:
    """Coins open in calls and puts: puts below, calls above."""
    return (300.0, 80.0) if strike > spot else (60.0, 260.0)


def dollars(spot: float, ratio: float, at: float, strikes: list[float], years: float) -> float:
    """Dealers long calls and short puts: dollars of delta for one per cent, with spot at `at`."""
    total = 0.0
    for strike in strikes:
        calls, puts = book(strike, spot)
        by_spot = gamma(at * ratio, strike, years) * ratio**2
        total += (calls - puts) * by_spot * at * at * 0.01
    return total


@pytest.mark.parametrize(("root", "spot", "forward", "step"), FAMILIES)
def test_gamma_and_its_flip_are_those_of_black_in_dollars(
    root: str, spot: float, forward: float, step: float
) -> None:
    inverse = "_" not in root
    middle = round(spot / step)
    strikes = [round(step * (middle + k), 6) for k in range(-14, 15)]
    exchange = Exchange(NOON)
    exchange.index(f"{root.lower()}_usd" if inverse else root.lower(), spot)
    # Messages are of a second before the Reading; nothing moves meanwhile.
    years = (EXPIRES - NOON / 1000 - 1) / (365 * 86_400)
    for strike in strikes:
        for right, letter, held in zip((1, -1), "CP", book(strike, spot), strict=True):
            name = f"{root}-24NOV23-{strike:g}-{letter}".replace(".", "d")
            exchange.list(name)
            worth = black(forward, strike, years, right) / (forward if inverse else 1.0)
            exchange.quote(
                name,
                worth * 0.998,
                worth * 1.002,
                underlying_price=forward,
                index_price=spot,
                open_interest=held,
            )
    talk = Talk(exchange, root)
    talk.open()
    talk.settle()
    engine = Engine(EngineSettings(view="squeezemetrics", scope="all"))
    for event in talk.events:
        engine.apply(event)
    job = engine.job(talk.now)
    assert job is not None
    reading = engine.compute(job)
    ratio = forward / spot
    assert reading.spot == spot
    told = dollars(spot, ratio, spot, strikes, years)
    assert reading.gamma.gex_per_1pct == pytest.approx(told, rel=0.01)
    flip = brentq(lambda at: dollars(spot, ratio, at, strikes, years), spot * 0.85, spot * 1.15)
    assert reading.gamma.flip == pytest.approx(flip, rel=0.002)
    assert np.nanmedian([each.atm_iv for each in reading.expiries]) == pytest.approx(VOL, rel=0.01)


@pytest.mark.parametrize(("root", "spot", "forward", "step"), FAMILIES)
def test_a_customer_who_buys_calls_leaves_the_dealer_short_in_coins(
    root: str, spot: float, forward: float, step: float
) -> None:
    inverse = "_" not in root
    exchange = Exchange(NOON)
    exchange.index(f"{root.lower()}_usd" if inverse else root.lower(), spot)
    strike = round(step * round(spot / step), 6)
    name = f"{root}-24NOV23-{strike:g}-C".replace(".", "d")
    exchange.list(name)
    worth = 0.03 * (1.0 if inverse else spot)
    exchange.quote(name, worth, worth * 1.1, underlying_price=forward, index_price=spot)
    talk = Talk(exchange, root)
    talk.open()
    talk.settle()
    exchange.trade(name, worth * 1.1, 12.5, "buy")
    talk.settle()
    engine = Engine(EngineSettings())
    for event in talk.events:
        engine.apply(event)
    assert engine.signer is not None
    engine.signer.settle()
    tape = engine.signer.tape
    assert tape.state[: len(tape)].tolist() == [State.LIVE]
    # Not quite all: the other side may have been a customer too.
    assert -12.5 < engine.gained(talk.now)[0] < -10.0
    assert tape.price[0] == pytest.approx(0.033 * (forward if inverse else spot), rel=1e-9)


def test_a_large_print_of_a_coin_that_costs_cents_is_no_error() -> None:
    exchange = Exchange(NOON)
    exchange.index("trx_usdc", 0.25)
    name = "TRX_USDC-24NOV23-0d25-C"
    exchange.list(name)
    exchange.quote(name, 0.01, 0.011, underlying_price=0.25, index_price=0.25)
    talk = Talk(exchange, "TRX_USDC")
    talk.open()
    talk.settle()
    exchange.trade(name, 0.011, 5_000_000.0, "buy")
    talk.settle()
    engine = Engine(EngineSettings())
    for event in talk.events:
        engine.apply(event)
    assert engine.signer is not None
    engine.signer.settle()
    assert engine.signer.counts["refused"] == 0
    assert engine.gained(talk.now)[0] < -4_000_000.0
