"""Real chains of five dates, told as tickers: pricing finds the venue's forward and volatility.

This is what the units hang on. The venue's mark is Black's formula on `underlying_price`
over `underlying_price`; were premiums turned into points with anything else, parity would
not return that price, nor the smile the volatility it marks at.
"""

from __future__ import annotations

import csv
import datetime as dt
from typing import Any

import numpy as np
import pytest

from gexterm.config import Settings
from gexterm.engine.oneshot import engine_for
from gexterm.feeds.venue import FeedOptions
from gexterm.feeds.window import WindowSettings
from gexterm.pricing.black import price as black
from gexterm.pricing.chain import Pricer
from gexterm.pricing.surface import Surface
from tests.feeds.deribit.talk import Talk
from tests.shared_data import shared
from tests.venues.deribit import Exchange

DATES = (
    "20251230T173115Z",
    "20260219T155758Z",
    "20260305T213523Z",
    "20260306T212946Z",
    "20260410T213734Z",
)
CASES = [(date, coin) for date in DATES for coin in ("BTC", "ETH")]


def chain(date: str, coin: str) -> list[dict[str, str]]:
    path = shared(f"deribit/deribit_options_snapshot_{date}.csv")
    rows = [row for row in csv.DictReader(path.read_text().splitlines()) if row["currency"] == coin]
    return [row for row in rows if row["mark_price"] and row["implied_volatility"]]


def told(rows: list[dict[str, str]], coin: str) -> Talk:
    """A venue with exactly these books, and our protocol listening to it."""
    now_ms = int(dt.datetime.fromisoformat(rows[0]["timestamp"]).timestamp() * 1000)
    exchange = Exchange(now_ms)
    exchange.index(f"{coin.lower()}_usd", float(rows[0]["index_price"]))
    for row in rows:
        name = row["instrument_name"]
        exchange.list(name)
        exchange.quote(
            name,
            float(row["bid_price"] or 0.0),
            float(row["ask_price"] or 0.0),
            underlying_price=float(row["underlying"]),
            index_price=float(row["index_price"]),
            estimated_delivery_price=float(row["index_price"]),
            mark_iv=float(row["implied_volatility"]) * 100.0,
            open_interest=float(row["open_interest"]),
        )
    wide = WindowSettings(sigmas=1000.0, days=10_000)
    talk = Talk(exchange, coin, FeedOptions(window=wide, back_fill_s=0.0))
    talk.open()
    talk.events += talk.protocol.flush()
    return talk


@pytest.mark.parametrize(("date", "coin"), CASES)
def test_the_mark_in_coin_times_the_forward_is_blacks_price(date: str, coin: str) -> None:
    rows = chain(date, coin)
    now = dt.datetime.fromisoformat(rows[0]["timestamp"])
    F, K, vol, mark, S = (
        np.array([float(row[key]) for row in rows])
        for key in ("underlying", "strike", "implied_volatility", "mark_price", "index_price")
    )
    expiry = [dt.datetime.fromisoformat(row["expiry_datetime"]) for row in rows]
    T = np.array([(each - now).total_seconds() for each in expiry]) / (365 * 86_400)
    sign = np.array([1.0 if row["option_type"] == "call" else -1.0 for row in rows])
    value = black(F, K, T, 1.0, vol, sign)
    # The venue rounds its volatility to 0.01 %, and its snapshot takes its time.
    off = np.abs(mark * F - value) / F
    assert np.median(off) < 5e-5 and np.quantile(off, 0.95) < 5e-4
    basis = np.abs(F / S - 1.0) > 0.003
    if basis.sum() > 50:
        by_index = np.abs(mark * S - value) / F
        assert np.median(off[basis]) < 0.2 * np.median(by_index[basis])


@pytest.mark.parametrize(("date", "coin"), CASES)
def test_parity_returns_the_forward_and_the_smile_the_mark(date: str, coin: str) -> None:
    rows = chain(date, coin)
    talk = told(rows, coin)
    engine = engine_for(Settings(), coin, None, None)
    for event in talk.events:
        engine.apply(event)
    job = engine.job(talk.now)
    assert job is not None
    reading = engine.compute(job)
    assert reading.spot == float(rows[0]["index_price"])
    surface, health = Pricer(0.0).price(job.rows)
    assert health.stale == 0
    by_name = {row["instrument_name"]: row for row in rows}
    names = talk.protocol.catalogue.symbols
    compared = _compare(surface, names, by_name)
    assert len(compared) >= 250
    within = np.array([abs(ours - mark) <= half for ours, mark, half in compared])
    # Our volatility is of the mid, the venue's anywhere between bid and offer.
    assert within.mean() > 0.97
    off = np.array([abs(ours - mark) for ours, mark, _ in compared])
    assert np.median(off) < 0.0025


def _compare(
    surface: Surface, names: list[str], by_name: dict[str, dict[str, Any]]
) -> list[tuple[float, float, float]]:
    """Per row: our volatility, the venue's, and half the spread in volatility."""
    layout = surface.layout
    found = []
    for e in range(len(layout.expiries)):
        if np.isnan(surface.forward[e]):
            continue
        part = layout.slice(e)
        forward = surface.forward[e]
        first = next(c for c in layout.contract[:, part].ravel() if c >= 0)
        theirs = float(by_name[names[first]]["underlying"])
        assert surface.forward_low[e] <= theirs <= surface.forward_high[e]
        assert abs(forward / theirs - 1.0) < 1e-3
        for row in range(part.start, part.stop):
            side = 1 if layout.strike[row] < forward else 0
            at = layout.contract[side, row]
            if at < 0 or np.isnan(surface.raw_iv[row]):
                continue
            book = by_name[names[at]]
            spread = (float(book["ask_price"] or 0) - float(book["bid_price"] or 0)) * theirs
            if spread <= 0.0 or not book["bid_price"] or float(book["bid_price"]) == 0.0:
                continue
            half = 0.5 * spread / (surface.vega[row] * 100.0) + 2e-3
            found.append((surface.raw_iv[row], float(book["implied_volatility"]), half))
    return found
