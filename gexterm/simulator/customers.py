"""Customers: what they want, and the orders that come of it, a second at a time.

Intent is a lean: of the volume out of the money in today's expiry, `tilt` more is in the
direction that leads to the intended paradigm than against it. All else is noise, and the
other expiries have habits of their own that hold all day: near ones are sold, far puts
are bought as insurance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.market.calendar import session_close_ns, session_open_ns
from gexterm.simulator.chains import series_of
from gexterm.simulator.ladder import WISHES, Ladder
from gexterm.simulator.mixes import Mix, mixes_of
from gexterm.simulator.orders import (
    CROSS,
    IMPROVED,
    MARKETABLE,
    MID,
    PACKAGE,
    RESTING,
    draw_sizes,
    place,
)
from gexterm.simulator.packages import MEAN_LEGS, Legs, draw_legs, price_legs
from gexterm.simulator.script import Intent, Script
from gexterm.simulator.step import F64, I32, I64, Listing, Prints, Step

_SINGLES = np.array([MARKETABLE, IMPROVED, MID, RESTING, CROSS], np.int8)
_REFRESH_S = 15
_EDGES = 0.9
"""How much busier the open and the close are: volume goes as 1 − e/3 + e(2u − 1)²."""
_PACKAGE_CONDITIONS = np.array([ord(c) for c in "fgjit"], np.int16)
_PACKAGE_SHARES = np.cumsum([0.58, 0.25, 0.11, 0.03, 0.03])
_ALONG_NS = 4_000_000
"""Within which the legs of a package print."""
_MOST_LEAN = 0.9
_PRIOR_ORDERS, _PRIOR_CONTRACTS = 300.0, 1000.0
_DAY_NS = 86_400 * NS


def habits(listing: Listing, begins: int) -> F64:
    """Net over gross of customers' volume that has nothing to do with today. Shape (n,).

    Calls are sold, the more the nearer; puts are bought, the more the farther. Contracts
    that settle today have none.
    """
    days = (listing.settles_at - begins) / _DAY_NS
    far = days / (days + 20.0)
    lean = np.where(listing.sign > 0, -0.10 + 0.05 * far, -0.02 + 0.14 * far)
    return np.asarray(np.where(listing.today, 0.0, lean), np.float64)


class Customers:
    """All of them together. `rng` is theirs alone."""

    def __init__(self, script: Script, listing: Listing, rng: np.random.Generator) -> None:
        shares = np.array([s.share for s in series_of(script)])
        self._listing, self._rng = listing, rng
        self._ladder = Ladder(listing, shares)
        self._flow = script.flow
        self._mixes = mixes_of(script.flow)
        self._opens = session_open_ns(script.date)
        self._session = session_close_ns(script.date) - self._opens
        self._habits = habits(listing, self._opens)
        self._types = np.stack([_cumulative(mix) for mix in self._mixes])
        mix = self._mixes[0]
        self._packages = mix.package / (mix.package + MEAN_LEGS * (1.0 - mix.package))
        self._cumulative: F64 = np.empty(0)
        self._fresh_until = -1
        self._numbered = 0
        # What orders have turned out like, for what comes next: contracts per order, and
        # per single order with a lean by side; contracts that can carry the tilt.
        per_order = mix.size * (1.0 + self._packages * (MEAN_LEGS - 1.0))
        self._orders = np.array([_PRIOR_ORDERS, _PRIOR_ORDERS * per_order])
        self._by_side = np.tile([100.0, 100.0 * mix.size], (2, 1))
        self._leaning = np.array([_PRIOR_CONTRACTS, _PRIOR_CONTRACTS * (1.0 - 0.7 * mix.package)])

    def trade(self, step: Step, intent: Intent) -> Prints:
        """What is traded in one second of market time.

        Nothing before the open and after the close; a series that has settled is not
        traded any more. `flow.contracts` of the script are traded in a whole session,
        give or take what chance does.
        """
        wanted = self._flow.contracts * self._curve(step.now)
        count = int(self._rng.poisson(wanted * self._orders[0] / self._orders[1]))
        if count == 0:
            return EMPTY
        if not self._refresh(step):
            return EMPTY
        rng = self._rng
        where = np.searchsorted(self._cumulative, rng.random(count), "right")
        contract = np.minimum(where, len(self._habits) - 1).astype(np.int32)
        size = draw_sizes(count, self._mixes[0].size, rng)
        ts = step.now + np.sort(rng.integers(0, NS - 2 * _ALONG_NS, count))
        dealt = rng.random(count) < self._flow.dealer_share
        packaged = rng.random(count) < self._packages
        parts = []
        single = np.flatnonzero(~packaged)
        if len(single):
            parts.append(
                self._trade_singles(
                    step, intent, contract[single], size[single], ts[single], dealt[single]
                )
            )
        for at in np.flatnonzero(packaged):
            legs = self._trade_package(
                step, intent, int(contract[at]), float(size[at]), int(ts[at]), bool(dealt[at])
            )
            if legs is not None:
                parts.append(legs)
        prints = _together(parts)
        self._orders += count, float(prints.size.sum())
        return prints

    def _curve(self, now: int) -> float:
        """Share of the day's volume in the second from `now` on."""
        if not self._opens <= now < self._opens + self._session:
            return 0.0
        u = (now - self._opens) / self._session
        return (1.0 - _EDGES / 3.0 + _EDGES * (2.0 * u - 1.0) ** 2) * NS / self._session

    def _refresh(self, step: Step) -> bool:
        """Whether there is anything to trade; looks at the market's deltas now and then."""
        if step.second >= self._fresh_until:
            self._fresh_until = step.second + _REFRESH_S
            weights = self._ladder.weights(step)
            self._cumulative = np.cumsum(weights)
        return bool(self._cumulative[-1] > 0.5)

    def _wishes(self, step: Step, intent: Intent, contract: I32) -> F64:
        """+1 where customers are to buy, −1 where to sell, 0 where the intent is silent."""
        below, above = WISHES[intent]
        listing = self._listing
        wish = np.where(listing.strike[contract] < step.spot, float(below), float(above))
        wish[~(listing.today[contract] & self._ladder.otm(contract, step.spot))] = 0.0
        return wish

    def _lean(self, contract: I32, wish: F64) -> F64:
        """Net over gross that is aimed at, by contract."""
        # Legs that cancel each other carry no tilt, so the rest has to carry more.
        tilt = min(self._flow.tilt * self._leaning[0] / max(self._leaning[1], 1.0), _MOST_LEAN)
        return np.asarray(tilt * wish + self._habits[contract], np.float64)

    def _trade_singles(
        self,
        step: Step,
        intent: Intent,
        contract: I32,
        size: F64,
        ts: I64,
        dealt: NDArray[np.bool_],
    ) -> Prints:
        rng, k = self._rng, len(contract)
        wish = self._wishes(step, intent, contract)
        lean = self._lean(contract, wish)
        # The lean is of contracts: the side whose orders are larger has fewer of them.
        bought, sold = (float(total / count) for count, total in self._by_side)
        buy = (1.0 + lean) * sold / ((1.0 + lean) * sold + (1.0 - lean) * bought)
        side = np.where(rng.random(k) < buy, 1.0, -1.0)
        table = self._types[np.where(side > 0, 0, 1)]
        order = _SINGLES[np.sum(rng.random(k)[:, None] >= table[:, :-1], axis=1)]
        # Both sides of the trap show what rests whole; `place` needs one mix only.
        mix = self._mixes[0]
        contract, price, size, order, condition = place(
            self._ladder, step, contract, side, order, size, ts, mix, rng
        )
        there = np.isfinite(price)
        crossed = order == CROSS
        for s, row in ((1.0, 0), (-1.0, 1)):
            mine = there & ~crossed & (side == s)
            self._by_side[row] += float(np.count_nonzero(mine)), float(size[mine].sum())
        today = there & ~crossed & self._otm_today(step, contract)
        self._leaning += float(size[today].sum())
        customer = np.where(crossed, 0.0, side)
        return Prints(
            contract=contract[there],
            price=price[there],
            size=size[there],
            ts=ts[there],
            customer=customer[there].astype(np.int8),
            dealer=(-customer * size * dealt + 0.0)[there],
            order=order[there],
            package=np.full(np.count_nonzero(there), -1, np.int64),
            condition=condition[there],
        )

    def _otm_today(self, step: Step, contract: I32) -> NDArray[np.bool_]:
        return np.asarray(
            self._listing.today[contract] & self._ladder.otm(contract, step.spot), np.bool_
        )

    def _trade_package(
        self, step: Step, intent: Intent, near: int, size: float, ts: int, dealt: bool
    ) -> Prints | None:
        rng = self._rng
        legs = draw_legs(self._ladder, near, step.spot, rng)
        if legs is None:
            return None
        contract = np.array(legs.contracts, np.int32)
        signs = np.array(legs.sides, np.float64)
        ratio = np.array(legs.ratios, np.float64)
        k = len(contract)
        when = ts + np.sort(rng.integers(0, _ALONG_NS, k))
        wish = self._wishes(step, intent, contract)
        side = 1.0 if rng.random() < 0.5 + 0.5 * self._package_lean(legs, wish) else -1.0
        wrong_way = bool(rng.random() < self._mixes[0].wrong_way)
        quote = step.quote_at(contract, when)
        price = price_legs(quote, step.fair[contract], side * signs, ratio, wrong_way, rng)
        if price is None or not np.all(step.fair[contract] > 0.0):
            return None
        amount = size * ratio
        today = self._otm_today(step, contract)
        carried = abs(float(np.sum(signs * amount * wish)))
        self._leaning += float(amount[today].sum()), carried if wish.any() else 0.0
        condition = _PACKAGE_CONDITIONS[np.searchsorted(_PACKAGE_SHARES, rng.random(), "right")]
        customer = side * signs
        self._numbered += 1
        return Prints(
            contract=contract,
            price=price,
            size=amount,
            ts=when,
            customer=customer.astype(np.int8),
            dealer=-customer * amount * dealt + 0.0,
            order=np.full(k, PACKAGE, np.int8),
            package=np.full(k, self._numbered - 1, np.int64),
            condition=np.full(k, condition, np.int16),
        )

    def _package_lean(self, legs: Legs, wish: F64) -> float:
        """Net over gross with which a package is bought: what its legs add up to."""
        contract = np.array(legs.contracts, np.int32)
        held = np.array(legs.sides, np.float64) * np.array(legs.ratios, np.float64)
        lean = self._lean(contract, wish)
        calls = self._listing.sign[contract] > 0
        net = np.array([held[calls].sum(), held[~calls].sum()])
        if not np.abs(net).sum():
            return 0.0
        each = np.array([lean[kind].mean() if kind.any() else 0.0 for kind in (calls, ~calls)])
        return float(np.clip((net * each).sum() / np.abs(net).sum(), -_MOST_LEAN, _MOST_LEAN))


def _cumulative(mix: Mix) -> F64:
    shares = np.array([mix.marketable, mix.improved, mix.mid, mix.resting, mix.cross])
    return np.asarray(np.cumsum(shares) / shares.sum(), np.float64)


def _together(parts: list[Prints]) -> Prints:
    """Several prints as one, in order of time; `EMPTY` of none."""
    if not parts:
        return EMPTY
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([p.ts for p in parts]), kind="stable")
    columns = (np.concatenate([getattr(p, name) for p in parts])[order] for name in _COLUMNS)
    return Prints(*columns)


_COLUMNS = tuple(Prints.__dataclass_fields__)
EMPTY = Prints(
    contract=np.empty(0, np.int32),
    price=np.empty(0),
    size=np.empty(0),
    ts=np.empty(0, np.int64),
    customer=np.empty(0, np.int8),
    dealer=np.empty(0),
    order=np.empty(0, np.int8),
    package=np.empty(0, np.int64),
    condition=np.empty(0, np.int16),
)
"""A second in which nothing is traded."""
