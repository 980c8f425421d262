"""What `tclf` itself says of prints: an oracle for our rules."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tclf import classical_classifier as tclf

from tests.simulator.traded import other_prices

F64 = NDArray[np.float64]
LAYERS: dict[str, list[tuple[str, str]]] = {
    "quote": [("quote", "best")],
    "tick": [("tick", "all")],
    "reverse tick": [("rev_tick", "all")],
    "LR": [("lr", "best")],
    "reverse LR": [("rev_lr", "best")],
    "EMO": [("emo", "best")],
    "CLNV": [("clnv", "best")],
    # One exchange lists SPX and VIX: its quote is the best one.
    "Grauer stack": [
        ("trade_size", "ex"),
        ("quote", "best"),
        ("quote", "ex"),
        ("depth", "best"),
        ("depth", "ex"),
        ("rev_tick", "all"),
    ],
}
_FEATURES = [
    "trade_price",
    "trade_size",
    *(f"{side}_{where}" for where in ("ex", "best") for side in ("bid", "ask")),
    *(f"{side}_size_{where}" for where in ("ex", "best") for side in ("bid", "ask")),
    *(f"price_{where}_{when}" for where in ("all", "best") for when in ("lag", "lead")),
]


def say(
    rule: str,
    contract: NDArray[np.int32],
    price: F64,
    size: F64,
    quote: tuple[F64, F64, F64, F64],
) -> F64:
    """+1 the customer bought, −1 sold, 0 undecided. Prints in order of time, shape (n,)."""
    bid, ask, bid_size, ask_size = quote
    lag = other_prices(contract, price)
    lead = other_prices(contract[::-1], price[::-1])[::-1]
    sides = [bid, ask, bid, ask, bid_size, ask_size, bid_size, ask_size]
    table = np.column_stack([price, size, *sides, lag, lead, lag, lead])
    judge = tclf.ClassicalClassifier(LAYERS[rule], features=_FEATURES, strategy="const")
    return np.asarray(judge.fit(table).predict(table), np.float64)
