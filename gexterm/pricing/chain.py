"""The whole-chain step: from quotes to forward, smile and greeks of every row.

    quotes ─ hygiene ─► forwards ─► volatility of each row ─► smiles ─► greeks

Pure but not stateless: the forwards and smiles of the tick before are where the next
tick begins, and a quote that crosses for a moment is replaced by the last good one.
The same sequence of chains gives the same sequence of surfaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gexterm.market.chain import CALL, PUT, Layout, Rows
from gexterm.market.contracts import Exercise
from gexterm.pricing.black import row_greeks
from gexterm.pricing.forward import (
    ForwardReason,
    Forwards,
    Pairs,
    implied_rates,
    parity_forwards,
    quoted_pairs,
    too_wide,
)
from gexterm.pricing.implied import Reason, implied_with_slope
from gexterm.pricing.normal import log_ratio
from gexterm.pricing.smilefit import Quoted, SmileFitter
from gexterm.pricing.surface import Surface
from gexterm.pricing.work import Work

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
Mask = NDArray[np.bool_]

YEAR_S = 365.0 * 86_400.0
"""Seconds in a year, as the Cboe counts it for its volatility index."""
FLOOR_S = 60.0
"""Time to settlement is never taken as less than this."""
KEEP_NS = 2_000_000_000
"""A crossed quote is replaced by the last good one up to this age."""
RATE_EVERY_NS = 60_000_000_000
"""Rates are implied anew this often."""
FORGET_NS = 900_000_000_000
"""After a gap longer than this, or a step back, the tick before is no guide."""
_DAY = 1.0 / 365.0
_JUDGED_Z = 1.88
"""|ln(K/F)|/(σ√T) of delta .03 and .97."""
_NO_CARRY_BEYOND = 0.15


SpotSource = Literal["given", "forward", "refused", "old", "none"]
_SPOT_FACTOR = 2.0
"""Spot and forward further apart than this are not of the same thing."""
OLD_SPOT_NS = 1_200_000_000_000
"""A spot so much older than the newest quote of its options is another market's: an index
stands still at night, while its options trade. At 16:15, when they stop, it is 15 minutes."""


@dataclass(frozen=True, slots=True)
class QuoteHealth:
    """What the quotes of one tick were worth. Counts are of live (unsettled) contracts."""

    contracts: int
    """Listed contracts of expiries that have not settled."""
    two_sided: int
    """Those with a bid above zero and an offer above the bid, or one at most 2 s old."""
    zero_bid: int
    """Those that nobody bids for."""
    crossed: int
    """Those whose offer is at or below the bid, replaced or not."""
    bad_price: int
    """Those with a negative or infinite price."""
    stale: int
    """Those in pairs that contradict the forward of the other strikes."""
    no_iv: int
    """Rows without an implied volatility of their own."""
    rows: int
    """Rows of expiries that have not settled."""
    spot_source: SpotSource
    """Whether spot came with the chain or is the nearest forward; `refused`: the latter,
    since what came is less than half or more than double of it; `old`: the latter, since
    what came is older than the quotes by more than `OLD_SPOT_NS`."""
    rate_source: Literal["given", "implied", "zero"]
    """Where discount factors come from; `zero`: nothing could be implied."""
    unpriced: tuple[str, ...] = ()
    """Why live expiries have no forward, and hence no greeks; one line per reason."""

    @property
    def quoted_share(self) -> float:
        """Share of the contracts quoted on both sides; NaN where there are none."""
        return self.two_sided / self.contracts if self.contracts else float("nan")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person must know before relying on the surface; one line each."""
        found = []
        if not self.contracts:
            found.append("every expiry has settled")
        elif not self.two_sided:
            found.append("no contract is quoted on both sides: nothing can be priced")
        if self.spot_source == "forward":
            found.append("spot not given: the nearest forward stands in")
        elif self.spot_source == "refused":
            found.append("spot is nowhere near its options: the nearest forward stands in")
        elif self.spot_source == "old":
            found.append("spot stands still while its options move: the nearest forward stands in")
        elif self.spot_source == "none":
            found.append("neither spot nor a forward is known: no greeks")
        return (*found, *self.unpriced)


class Pricer:
    """Prices whole chains, tick after tick.

    `rate` is the continuously compounded interest rate per year; None implies it
    from the chain (European expiries of a week or more; else 0).
    Not to be shared between threads.
    """

    def __init__(self, rate: float | None = None) -> None:
        self._rate = rate
        self._work = Work()
        self._fitter = SmileFitter()
        self._layout: Layout | None = None
        self._as_of = 0

    def price(self, rows: Rows) -> tuple[Surface, QuoteHealth]:
        """Forward, smile and greeks of every row.

        Never raises for what quotes contain: what cannot be priced is NaN, with the
        reason in `Surface.iv_reason` and the counts in the health. Without a single
        two-sided quote the surface is NaN throughout and the health warns.
        """
        layout = rows.layout
        if layout is not self._layout:
            self._take(layout)
        elif not 0 <= rows.as_of - self._as_of <= FORGET_NS:
            self._forget()
        self._as_of = rows.as_of
        with np.errstate(all="ignore"):
            return self._price(rows)

    def _take(self, layout: Layout) -> None:
        n = len(layout)
        self._layout = layout
        self._expiry = layout.expiry.astype(np.intp)
        self._expiry_and_atm = np.concatenate([self._expiry, np.arange(len(layout.expiries))])
        self._settles = np.array([e.settles_at for e in layout.expiries], np.int64)
        self._american = np.array([e.exercise is Exercise.AMERICAN for e in layout.expiries], bool)
        self._early = self._american[self._expiry]
        self._listed = layout.contract >= 0
        self._good_bid, self._good_ask = np.full((2, n), np.nan), np.full((2, n), np.nan)
        self._good_at = np.zeros((2, n), np.int64)
        self._forget()

    def _forget(self) -> None:
        self._fitter.forget()
        self._forward: F64 | None = None
        self._rates: F64 | None = None
        self._rates_at = 0
        self._rates_implied = False
        self._good_at[:] = 0

    def _price(self, rows: Rows) -> tuple[Surface, QuoteHealth]:
        layout, n, E = rows.layout, len(rows.layout), len(rows.layout.expiries)
        work, expiry, strike = self._work, self._expiry, rows.layout.strike
        seconds = (self._settles - rows.as_of) / 1e9
        years = np.maximum(seconds, FLOOR_S) / YEAR_S
        alive = seconds > 0.0
        live_years = np.where(alive, years, np.nan)
        live = alive[expiry]

        bid, ask, good, kinds = self._clean(rows)
        good &= live
        pairs = quoted_pairs(strike, layout.expiry, E, bid, ask, good)
        rates, rate_source = self._find_rates(pairs, years, rows.as_of)
        discount = np.exp(-rates * years)
        forwards = parity_forwards(pairs, n, live_years, discount, self._american, self._forward)
        self._forward = forwards.forward
        forward = forwards.forward
        quoted_at = int(rows.quote_ts[good].max(initial=0))
        old = 0 < rows.spot_ts < quoted_at - OLD_SPOT_NS
        spot, spot_source = _spot(rows.spot, forward, old=old)
        carry = carry_rate(spot, forward, years)

        F, T, D, b = (a.take(expiry) for a in (forward, live_years, discount, carry))
        # k of every row, and 0, the forward itself, of every expiry
        k_and_atm = work.array("chain.k", n + E)
        k_and_atm[n:] = 0.0
        k = log_ratio(strike, F, k_and_atm[:n], work)
        raw_iv, reason, quoted = self._volatilities(
            rows, bid, ask, good, kinds, forwards, live, F, T, D, k
        )
        smiles = self._fitter.fit(quoted, n, live_years)
        fitted = smiles.iv(self._expiry_and_atm, k_and_atm, work)
        iv = fitted[:n]
        greeks = row_greeks(spot, F, strike, T, D, iv, b, work)
        surface = Surface(
            layout=layout,
            as_of=rows.as_of,
            spot=spot,
            seconds=seconds,
            years=years,
            forward=forward,
            forward_low=forwards.low,
            forward_high=forwards.high,
            discount=discount,
            atm_iv=fitted[n:],
            smile_kind=smiles.kind,
            raw_iv=raw_iv,
            iv_reason=reason,
            iv=iv,
            delta=greeks.delta,
            gamma=greeks.gamma,
            vega=greeks.vega,
            vanna=greeks.vanna,
            charm=greeks.charm,
            theta=greeks.theta,
            carry=carry,
            smiles=smiles,
        )
        listed = self._listed & live
        health = QuoteHealth(
            contracts=int(np.count_nonzero(listed)),
            two_sided=int(np.count_nonzero(good)),
            zero_bid=int(np.count_nonzero((kinds == Reason.ZERO_BID) & live)),
            crossed=int(np.count_nonzero((kinds == Reason.CROSSED) & live)),
            bad_price=int(np.count_nonzero((kinds == Reason.BAD_PRICE) & live)),
            stale=2 * int(np.count_nonzero(forwards.stale)),
            no_iv=int(np.count_nonzero((reason != 0) & live)),
            rows=int(np.count_nonzero(live)),
            spot_source=spot_source,
            rate_source=rate_source,
            unpriced=_unpriced(layout, forwards, alive) if good.any() else (),
        )
        return surface, health

    def _clean(self, rows: Rows) -> tuple[F64, F64, Mask, I8]:
        """Bid, ask, which of them may be relied on, and what is wrong with the others."""
        bid, ask = rows.bid, rows.ask
        good = (bid > 0.0) & (ask > bid) & (ask < np.inf)
        kinds = np.full(bid.shape, Reason.NO_QUOTE, np.int8)
        np.copyto(kinds, Reason.OK, where=good)
        np.copyto(kinds, Reason.ZERO_BID, where=bid == 0.0)
        np.copyto(kinds, Reason.CROSSED, where=(bid > 0.0) & (ask > 0.0) & (ask <= bid))
        bad = (bid < 0.0) | (ask < 0.0) | (bid == np.inf) | (ask == np.inf)
        np.copyto(kinds, Reason.BAD_PRICE, where=bad)
        np.copyto(self._good_bid, bid, where=good)
        np.copyto(self._good_ask, ask, where=good)
        np.copyto(self._good_at, rows.as_of, where=good)
        crossed = kinds == Reason.CROSSED
        if crossed.any():
            again = crossed & (self._good_at > 0) & (rows.as_of - self._good_at <= KEEP_NS)
            if again.any():
                bid = np.where(again, self._good_bid, bid)
                ask = np.where(again, self._good_ask, ask)
                good |= again
        return bid, ask, good, kinds

    def _find_rates(
        self, pairs: Pairs, years: F64, as_of: int
    ) -> tuple[F64, Literal["given", "implied", "zero"]]:
        if self._rate is not None:
            return np.full(len(years), self._rate), "given"
        if self._rates is None or as_of - self._rates_at >= RATE_EVERY_NS:
            self._rates, self._rates_implied = implied_rates(pairs, years, self._american)
            self._rates_at = as_of
        return self._rates, "implied" if self._rates_implied else "zero"

    def _volatilities(
        self,
        rows: Rows,
        bid: F64,
        ask: F64,
        good: Mask,
        kinds: I8,
        forwards: Forwards,
        live: Mask,
        F: F64,
        T: F64,
        D: F64,
        k: F64,
    ) -> tuple[F64, I8, Quoted]:
        """Volatility of every row from its out-of-the-money side, or why there is none."""
        strike = rows.layout.strike
        n = len(strike)
        puts = strike < F
        row_bid, row_ask = np.where(puts, bid[PUT], bid[CALL]), np.where(puts, ask[PUT], ask[CALL])
        usable = np.where(puts, good[PUT], good[CALL])
        reason = np.where(puts, kinds[PUT], kinds[CALL])
        reason[usable] = Reason.OK
        sign = np.where(puts, -1.0, 1.0)
        # The side in the money speaks where the other is not quoted at all and its spread
        # is small against the time value. With early exercise what stands above D |F − K|
        # is no time value.
        silent = ~usable & (reason != Reason.ZERO_BID) & ~self._early
        silent &= np.where(puts, good[CALL], good[PUT])
        if silent.any():
            at = np.flatnonzero(silent)
            side = np.where(puts[at], CALL, PUT)
            low, high = bid[side, at], ask[side, at]
            value = 0.5 * (low + high) - D[at] * np.abs(F[at] - strike[at])
            at_clear = value > high - low
            chosen, side = at[at_clear], side[at_clear]
            row_bid[chosen], row_ask[chosen] = bid[side, chosen], ask[side, chosen]
            sign[chosen] = -sign[chosen]
            usable[chosen] = True
            reason[chosen] = Reason.OK
        reason[forwards.stale] = Reason.STALE
        reason[~(F > 0.0)] = Reason.NO_FORWARD
        reason[~live] = Reason.SETTLED
        at = np.flatnonzero(reason == Reason.OK)
        raw = np.full(n, np.nan)
        low, high = row_bid[at], row_ask[at]
        mid = 0.5 * (low + high)
        iv, why, slope = implied_with_slope(
            mid, F[at], strike[at], T[at], D[at], sign[at], self._work
        )
        raw[at] = iv
        reason[at] = why
        spread = high - low
        error = 0.5 * spread / slope
        error[too_wide(mid, spread)] *= 10.0
        fine = (why == 0) & (error > 0.0) & np.isfinite(error)
        if not fine.all():
            at, iv, error = at[fine], iv[fine], error[fine]
        k_at = k[at]
        quoted = Quoted(
            expiry=self._expiry[at],
            k=k_at,
            iv=iv,
            error=error,
            key=at,
            judged=np.abs(k_at) < _JUDGED_Z * iv * np.sqrt(T[at]),
        )
        return raw, reason, quoted


def _spot(given: float, forward: F64, *, old: bool) -> tuple[float, SpotSource]:
    known = forward[np.isfinite(forward) & (forward > 0.0)]
    if np.isfinite(given) and given > 0.0:
        if old and len(known):
            return float(known[0]), "old"
        if len(known) and not 1 / _SPOT_FACTOR < given / known[0] < _SPOT_FACTOR:
            return float(known[0]), "refused"
        return given, "given"
    return (float(known[0]), "forward") if len(known) else (float("nan"), "none")


def _unpriced(layout: Layout, forwards: Forwards, alive: Mask) -> tuple[str, ...]:
    """Which live expiries have no forward, by reason."""
    lines = []
    for reason in (ForwardReason.NO_PAIRS, ForwardReason.TOO_FEW_PAIRS):
        at = np.flatnonzero(alive & (forwards.reason == reason))
        if len(at):
            first = layout.expiries[at[0]]
            which = f"{first.root} {first.date}" + (f" and {len(at) - 1} more" * (len(at) > 1))
            lines.append(f"no forward, hence no greeks, for {which}: {reason.text}")
    return tuple(lines)


def carry_rate(spot: float, forward: F64, years: F64) -> F64:
    """Carry b of every expiry, per year, with F = S e^{bT}. Shapes (E,), by settlement.

    ln(F/S)/T divides by almost nothing on the last day: half a point by which index
    and options are not quoted at the same moment is then a carry of 20 % and more, and
    charm is proportional to it. Under a day the carry between this forward and that of
    an expiry a week or more later is taken, which does not contain spot.
    """
    with np.errstate(all="ignore"):
        own = np.log1p((forward - spot) / spot) / years
        short = np.flatnonzero((years < _DAY) & np.isfinite(forward))
        for e in short:
            later = np.flatnonzero((years > years[e] + 7.0 * _DAY) & np.isfinite(forward))
            if len(later):
                j = later[0]
                own[e] = np.log(forward[j] / forward[e]) / (years[j] - years[e])
            else:
                own[e] = np.clip(own[e], -_NO_CARRY_BEYOND, _NO_CARRY_BEYOND)
    return np.asarray(own, np.float64)
