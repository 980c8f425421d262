"""What pricing costs and how exact it is.

The rival of the goals is py_vollib_vectorized, which needs Python packages of its own
(`py_vollib==1.0.1 py_lets_be_rational==1.0.1 py_vollib_vectorized`, in an environment
apart). `GEXTERM_RIVAL_PYTHON=/path/to/that/python python -m benchmarks pricing`
measures it; without it those rows are left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import mpmath
import numpy as np
from scipy.special import ndtr

from benchmarks.harness import Row, at_least, at_most, medians
from gexterm.pricing.black import Greeks, greeks, price
from gexterm.pricing.chain import Pricer
from gexterm.pricing.implied import implied_vol
from gexterm.pricing.variance_index import variance_indices
from gexterm.pricing.work import Work
from tests.pricing.market import DAY_S, HOUR_S, layout_of, listed_strikes, quoted

CONTRACTS = 24_000
EXPIRIES = 50

RIVAL = """
import sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np
import py_vollib_vectorized as v
given = np.load(sys.argv[1])
p, S, K, T, r, q = (given[n] for n in ("price", "spot", "strike", "years", "rate", "dividend"))
flag = np.where(given["sign"] > 0, "c", "p")
def run():
    iv = v.vectorized_implied_volatility(
        p, S, K, T, r, flag, q=q, model="black_scholes_merton", return_as="numpy",
        on_error="ignore")
    for name in ("delta", "gamma", "vega"):
        getattr(v, "vectorized_" + name)(
            flag, S, K, T, r, iv, q=q, model="black_scholes_merton", return_as="numpy")
run()
times = []
for _ in range(9):
    begin = time.perf_counter(); run(); times.append(time.perf_counter() - begin)
print(sorted(times)[4])
"""


def chain_of_contracts() -> dict[str, np.ndarray]:
    """24,000 single contracts, in and out of the money, 4 h to 2 y, as in a listed chain."""
    rng = np.random.default_rng(7)
    T = np.repeat(np.geomspace(4 * HOUR_S / (365 * DAY_S), 2.0, EXPIRIES), CONTRACTS // EXPIRIES)
    z = rng.uniform(-4.0, 3.0, CONTRACTS)
    sigma = 0.14 + 0.012 * (z - 1.0) ** 2
    rate, dividend, spot = 0.04, 0.012, 6000.0
    F = spot * np.exp((rate - dividend) * T)
    K = np.maximum(np.round(F * np.exp(z * sigma * np.sqrt(T)) / 5.0) * 5.0, 5.0)
    sign = np.where(np.arange(CONTRACTS) % 2 == 0, 1.0, -1.0)
    D = np.exp(-rate * T)
    return {
        "price": price(F, K, T, D, sigma, sign),
        "spot": np.full(CONTRACTS, spot),
        "forward": F,
        "strike": K,
        "years": T,
        "discount": D,
        "rate": np.full(CONTRACTS, rate),
        "dividend": np.full(CONTRACTS, dividend),
        "sigma": sigma,
        "sign": sign,
    }


def kernels() -> list[Row]:
    c = chain_of_contracts()
    work = Work()
    out = Greeks(*(np.empty(CONTRACTS) for _ in range(5)))
    scratch = np.empty(CONTRACTS)
    moneyness = np.log(c["forward"] / c["strike"]) / (c["sigma"] * np.sqrt(c["years"]))
    arguments = [c[n] for n in ("forward", "strike", "years", "discount")]

    def iv() -> np.ndarray:
        return implied_vol(c["price"], *arguments, c["sign"], work)[0]

    def five() -> Greeks:
        return greeks(c["spot"], *arguments, c["sigma"], c["sign"], work, theta=False, out=out)

    def bare() -> None:
        np.exp(c["sigma"], out=scratch)
        np.log(c["strike"], out=scratch)
        ndtr(moneyness, out=scratch)

    took = medians({"bare": bare, "iv": iv, "greeks": five}, runs=41, warmup=5)
    both = took["iv"] + took["greeks"]
    found = iv()
    time_value = c["price"] / c["discount"] - np.maximum(
        c["sign"] * (c["forward"] - c["strike"]), 0.0
    )
    error = np.abs(found / c["sigma"] - 1.0)
    out_of_money = (c["sign"] * (c["forward"] - c["strike"]) <= 0.0) & (c["price"] > 1e-9)
    carries = (time_value > 1e-3) & ~out_of_money
    rows = [
        Row("implied volatility of 24,000 contracts", took["iv"] * 1e3, "ms"),
        Row("five greeks of 24,000 contracts", took["greeks"] * 1e3, "ms"),
        at_most("both against bare exp + log + ndtr of as many", both / took["bare"], 4.0, "x"),
        at_most(
            "largest relative IV error, out of the money",
            float(error[out_of_money].max()),
            1e-12,
            "",
        ),
        at_most("largest relative IV error, in the money", float(error[carries].max()), 1e-10, ""),
    ]
    rows.append(at_most("largest relative error of greeks, 1 minute", exactness(), 1e-11, ""))
    rival = os.environ.get("GEXTERM_RIVAL_PYTHON", "")
    if rival:
        rows.append(
            at_least("py_vollib_vectorized against both", rival_seconds(rival, c) / both, 20.0, "x")
        )
    else:
        print(
            "  (py_vollib_vectorized not measured: GEXTERM_RIVAL_PYTHON is not set)",
            file=sys.stderr,
        )
    return rows


def rival_seconds(python: str, contracts: dict[str, np.ndarray]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contracts.npz"
        np.savez(path, **contracts)
        done = subprocess.run(
            [python, "-c", RIVAL, str(path)],
            capture_output=True,
            text=True,
            check=True,
            timeout=600,
        )
    return float(done.stdout.split()[-1])


def exactness() -> float:
    """Largest relative error of five greeks one minute before settlement, against mpmath."""
    worst = 0.0
    S, F, T, D, sigma = 6000.0, 6000.4, 1.0 / 525_600.0, 0.9999999, 0.35
    b = mpmath.log(mpmath.mpf(F) / S) / T
    with mpmath.workdps(50):
        r = -mpmath.log(mpmath.mpf(D)) / T

        def value(s: mpmath.mpf, t: mpmath.mpf, v: mpmath.mpf, K: float) -> mpmath.mpf:
            f, w = s * mpmath.exp(b * t), v * mpmath.sqrt(t)
            d1 = mpmath.log(f / K) / w + w / 2
            return mpmath.exp(-r * t) * (f * mpmath.ncdf(d1) - K * mpmath.ncdf(d1 - w))

        for K in (5985.0, 5995.0, 6005.0, 6015.0):
            point = (mpmath.mpf(S), mpmath.mpf(T), mpmath.mpf(sigma))

            def at(*orders: int, K: float = K, point: tuple[mpmath.mpf, ...] = point) -> mpmath.mpf:
                return mpmath.diff(lambda s, t, v: value(s, t, v, K), point, orders)

            expected = (
                at(1, 0, 0),
                at(2, 0, 0),
                at(0, 0, 1) / 100,
                at(1, 0, 1) / 100,
                -at(1, 1, 0) / 365,
            )
            got = greeks(S, F, K, T, D, sigma, 1.0)
            for mine, true in zip(
                (got.delta, got.gamma, got.vega, got.vanna, got.charm), expected, strict=True
            ):
                worst = max(worst, abs(float((mine[0] - true) / true)))
    return worst


def nearest(strikes: np.ndarray, count: int) -> np.ndarray:
    """The strikes nearest the money, or the whole list and as many far calls as it lacks."""
    chosen = np.sort(strikes[np.argsort(np.abs(strikes - 6000.0))[:count]])
    more = chosen[-1] + 25.0 * np.arange(1, count - len(chosen) + 1)
    return np.concatenate([chosen, more])


def whole_chains() -> list[Row]:
    years = np.geomspace(4 * HOUR_S / (365 * DAY_S), 2.0, EXPIRIES)
    large = quoted(
        layout_of(
            list(years * 365 * DAY_S),
            [nearest(listed_strikes(6000.0, t, 700), CONTRACTS // EXPIRIES // 2) for t in years],
        )
    )
    today = quoted(layout_of([4 * HOUR_S], 6000.0 + 2.5 * np.arange(-150, 150)))
    pricer, alone = Pricer(), Pricer()
    surface, _ = Pricer().price(large)
    took = medians(
        {
            "cold": lambda: Pricer().price(large),
            "large": lambda: pricer.price(large),
            "index": lambda: variance_indices(large, surface),
        },
        runs=31,
    )
    # Whoever watches one expiry prices nothing else in between.
    took |= medians({"today": lambda: alone.price(today)}, runs=101, warmup=10)
    contracts = int((large.layout.contract >= 0).sum())
    name = f"whole chain, {contracts:,} contracts, {EXPIRIES} expiries"
    return [
        at_most(f"{name}, warm", took["large"] * 1e3, 4.0, "ms"),
        Row(f"{name}, cold", took["cold"] * 1e3, "ms"),
        at_most("today's expiry alone, 600 contracts, warm", took["today"] * 1e3, 0.5, "ms"),
        Row("variance indices of the whole chain", took["index"] * 1e3, "ms"),
    ]


def run() -> list[Row]:
    return kernels() + whole_chains()
