"""Signs the tape: P(dealer bought) of every print, on what evidence, and what it adds up to.

Each print is judged once, on arrival, and again until nothing can change any more: quotes
and prints travel on different channels, the legs of a package one after the other, and
the next tick comes later than the print it explains. Then its sign is final.

    what it is       cancels undo; crossed, stock-tied and unknown prints stay unsigned, and
                     those that come late without the quote they were made against
    venue            its own side, where it knows
    package          the legs together (`packages`)
    size             exactly the size of the order that rested at that price
    quote            beyond it, at it
    fair value       inside the quote, where it is sharp (`fairvalue`)
    quote rule       inside the quote
    depth, next tick at mid

What a print is judged on depends on the times of prints and quotes and on the order in
which they came, never on how they were cut into batches or on when `settle` was called.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers import fairvalue, packages, rules
from gexterm.dealers.accumulate import Sums
from gexterm.dealers.conditions import IS_PACKAGE, ConditionClass
from gexterm.dealers.evidence import Evidence
from gexterm.dealers.fairvalue import Fair
from gexterm.dealers.flow import Flow
from gexterm.dealers.inforce import InForce, QuoteLog
from gexterm.dealers.packages import Legs
from gexterm.dealers.signsettings import RELIABILITY, SignerSettings
from gexterm.dealers.single import judge
from gexterm.dealers.tape import State, Tape
from gexterm.dealers.waiting import Waiting
from gexterm.dealers.watermark import CLOCKS_NS, Coming, QuoteIntake, advance, part
from gexterm.market.contracts import Contract
from gexterm.market.events import CORRECTION, Quotes, Trades

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I8 = NDArray[np.int8]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

C = ConditionClass
_UNSIGNED_CLASS = {
    C.UNKNOWN: Evidence.UNKNOWN_CONDITION,
    C.CROSS: Evidence.CROSS,
    C.MULTI_CROSS: Evidence.CROSS,
    C.FLOOR: Evidence.FLOOR,
    C.STOCK_TIED: Evidence.STOCK_TIED,
    C.LATE: Evidence.LATE,
    C.REOPEN: Evidence.AUCTION_OPEN,
    C.COMPRESSION: Evidence.COMPRESSION,
}
_BY_CLASS = np.zeros(len(ConditionClass), np.uint8)
for _kind, _why in _UNSIGNED_CLASS.items():
    _BY_CLASS[_kind] = _why
_NEVER_SINGLE = _BY_CLASS > 0
_IN_PACKAGE = IS_PACKAGE & ~_NEVER_SINGLE
_TELLS_TICK = ~(_NEVER_SINGLE | IS_PACKAGE)
"""Whose price may be the next tick of another print."""
_BLOCK = 1 << 15
"""Prints that are taken and judged at once."""
_LOG_SLACK_NS = 3_000_000_000
_BEFORE_OPEN = -np.inf
_TOO_OLD = np.inf


class Signer:
    """The signed tape of one session.

    Hand events over in the order of receipt. `conditions` names the numbering of trade
    conditions, `venue_side` says what `Trades.side` is worth (see `SourceInfo`).
    """

    def __init__(
        self,
        settings: SignerSettings | None = None,
        conditions: str = "opra",
        venue_side: Literal["", "exact", "guess"] = "",
    ) -> None:
        self.settings = settings or SignerSettings()
        self._conditions, self._venue = conditions, venue_side
        s = self.settings
        self._tape = Tape()
        self._log = QuoteLog(s.hold_ns + s.lost_ns + s.lag_ns + _LOG_SLACK_NS)
        self._intake = QuoteIntake(s.hold_ns)
        self._mark = 0  # of all messages
        self._trade_mark = 0  # of prints alone
        self._coming = Coming()
        self._waiting = Waiting.none()
        self._arrived: list[Waiting] = []
        self._recent: list[I64] = []
        self._final: Mask = np.zeros(0, np.bool_)
        self._sums = Sums()
        self._epoch = 0
        self._opens = 0
        self._summed: Flow | None = None
        self._judged = True  # since anything came
        self._n = 0
        self._right: I8 = np.zeros(0, np.int8)
        self._strike: F64 = np.zeros(0)
        self._expiry: I64 = np.zeros(0, np.int64)
        self._expiries: dict[tuple[str, int], int] = {}
        self._fair: Fair | None = None
        self._stale: Mask = np.zeros(0, np.bool_)
        self._spots: list[tuple[int, float]] = []
        self._venue_agrees = np.zeros(2, np.int64)
        self._trust = np.full(256, 0.5)
        for evidence, trust in s.reliability.items():
            self._trust[evidence] = trust

    # What happens

    def define(self, n: int, contracts: Sequence[Contract] = ()) -> None:
        """There are `n` contracts from now on; indices beyond are counted as unknown.

        `contracts` are all of them by index, where known. Packages are taken apart by
        strike, right and expiry: without those most stay unsolved.
        """
        if n > self._n:
            more = n - self._n
            self._right = np.append(self._right, np.zeros(more, np.int8))
            self._strike = np.append(self._strike, np.full(more, np.nan))
            self._expiry = np.append(self._expiry, np.full(more, -1))
            self._n = n
            self._sums.define(n)
            self._summed = None
        for index in np.flatnonzero(self._right[: len(contracts)] == 0).tolist():
            contract = contracts[index]
            series = (contract.root, contract.expiry.toordinal())
            self._right[index] = contract.right.sign
            self._strike[index] = contract.strike
            self._expiry[index] = self._expiries.setdefault(series, len(self._expiries))

    def opens_at(self, ns: int) -> None:
        """The session's open: quotes dated before it never sign. 0: not known."""
        self._take_in()
        self._opens, self._judged = ns, False

    def spot(self, price: float, ts: int) -> None:
        """The underlying at a time; used to move fair values only."""
        if not price > 0.0:
            return
        if not self._spots or ts >= self._spots[-1][0]:
            self._spots.append((ts, price))
            if len(self._spots) > 4096:
                del self._spots[:2048]

    def fair(self, fair: Fair | None) -> None:
        """Fair values for the prints that come from now on; None: no more.

        They are used only with `SignerSettings.fair_value`.
        """
        self._fair = fair

    def stale(self, mask: Mask) -> None:
        """Contracts whose quotes break parity bounds, from now until told otherwise. (n,)."""
        self._stale = mask

    def quotes(self, quotes: Quotes) -> None:
        """A batch of quotes."""
        ts = quotes.ts
        if len(ts) == 0:
            return
        earliest, latest = int(ts.min()), int(ts.max())
        limit = quotes.recv + CLOCKS_NS if quotes.recv > 0 else latest
        if earliest <= 0 or latest > limit:
            ts = np.where(ts > 0, ts, max(quotes.recv, self._mark))
            if quotes.recv > 0:
                ts = np.minimum(ts, limit)
            latest = int(ts.max())
            quotes = dataclasses.replace(quotes, ts=ts)
        self._coming.append(quotes, self._mark)
        self._mark = max(self._mark, latest)
        if self._coming.many:
            self._take_in()

    def _take_in(self) -> None:
        """Log the quotes that came since it was last asked for."""
        if not self._coming:
            return
        quotes, marks = self._coming.taken()
        self._judged = False
        ts = quotes.ts
        # Dates are lost on what is dated anew below; say here why it must not sign.
        early, old = ts < self._opens, ts < marks - self.settings.quote_age_ns
        if early.any() or old.any():
            bid = np.where(early, _BEFORE_OPEN, quotes.bid)
            ask = np.where(old & ~early, _TOO_OLD, quotes.ask)
            quotes = dataclasses.replace(quotes, bid=bid, ask=ask)
        # No room is made for contracts that nobody defined: an index is a feed's word.
        known = (quotes.contract >= 0) & (quotes.contract < self._n)
        if not known.all():
            quotes, marks = part(quotes, known), marks[known]
        late = self._intake.late
        self._log.add(self._intake.dated(quotes, marks))
        if self._intake.late != late:
            self._summed = None
        if self._log.full:
            # What waits is judged by the quotes there are, before they are forgotten.
            if self._pending:
                self._judge()
            self._log.forget()

    def trades(self, trades: Trades) -> None:
        """A batch of prints, cancels and corrections."""
        # A correction is a row of its own, in its place among the others.
        turns = np.flatnonzero(np.diff((trades.action == CORRECTION).view(np.int8))) + 1
        if len(turns) == 0 and len(trades.ts) <= _BLOCK:
            self._trades(trades)
            return
        cuts = np.union1d(turns, np.arange(_BLOCK, len(trades.ts), _BLOCK))
        columns = {f.name: getattr(trades, f.name) for f in dataclasses.fields(trades)}
        columns.pop("recv")
        for first, end in itertools.pairwise((0, *cuts.tolist(), len(trades.ts))):
            part = {name: column[first:end] for name, column in columns.items()}
            self._trades(Trades(**part, recv=trades.recv))
            if sum(map(len, self._arrived)) >= max(_BLOCK, len(self._waiting)):
                self._judge()  # while it is in the cache

    def _trades(self, trades: Trades) -> None:
        self._summed, self._judged = None, False
        update = self._tape.take(trades, self._conditions, self._n)
        first, end = update.first, update.end
        self._withdraw(update.gone, update.revived)
        if end == first:
            return
        tape, s = self._tape, self.settings
        if len(self._final) < end:
            grown = np.zeros(max(end, len(self._final) * 3 // 2, 4096), np.bool_)
            grown[: len(self._final)] = self._final
            self._final = grown
        rows, ts = np.arange(first, end), tape.ts[first:end]
        of_all = advance(self._mark, ts, trades.recv)
        of_trades = advance(self._trade_mark, ts, trades.recv)
        self._mark, self._trade_mark = int(of_all[-1]), int(of_trades[-1])
        late = ts < of_trades[:-1] - s.hold_ns
        lost = (ts < of_all[:-1] - s.lost_ns) | (ts <= 0)
        contract = tape.contract[first:end]
        doubted = np.zeros(end - first, np.bool_)
        if len(self._stale):
            inside = contract < len(self._stale)
            doubted[inside] = self._stale[contract[inside]]
        value, sd = self._fair_at(contract, ts)
        self._arrived.append(Waiting.of(rows, late, lost, doubted, value, sd))
        told = rows[~late & _TELLS_TICK[tape.condition[first:end]]]
        if len(told):
            self._recent.append(told)
        # A wrong date must not pass for the time since when the tape is known. History that
        # comes with its quotes must, as far back as the open.
        own = ~np.isnan(tape.bid[first:end] + tape.ask[first:end])
        dated = ts[~lost | (own & (self._opens > 0) & (self._opens <= ts))]
        if len(dated):
            earliest = int(dated.min())
            self._epoch = min(self._epoch, earliest) if self._epoch else earliest

    def settle(self, now: int | None = None) -> None:
        """Judge what has come. None: nothing more will come, all signs are final.

        `now` (ns) says that more may come; what is final follows from the messages alone.
        """
        self._judge(end=now is None)

    # What came of it

    @property
    def tape(self) -> Tape:
        """The tape, every print with its present sign."""
        if self._arrived or (self._coming and self._pending):
            self._judge()
        return self._tape

    def flow(self) -> Flow:
        """What the tape adds up to, signs that are not final included.

        The same object as long as it says the same; nobody may write to it.
        """
        self._take_in()
        tape = self.tape
        if self._summed is not None:
            return self._summed
        sums = self._sums.copy()
        rows = self._waiting.rows
        self._enter(sums, rows[tape.state[rows] == State.LIVE])
        live = len(tape) - tape.counts["cancelled"] - tape.counts["corrected"]
        self._summed = sums.flow(self._epoch, live, self.counts, final=True)
        return self._summed

    @property
    def counts(self) -> dict[str, int]:
        """What was noticed on the way, by name: what the tape counts, and more.

        `late_quotes` were left out; `venue_agrees` and `venue_differs` count prints of
        which the venue has a guess and we have a side.
        """
        self._take_in()
        counts = self._tape.counts | {"late_quotes": self._intake.late}
        if self._venue == "guess":
            agrees, differs = self._venue_agrees + self._venue_against(self._waiting.rows)
            counts |= {"venue_agrees": int(agrees), "venue_differs": int(differs)}
        return counts

    # How

    @property
    def _pending(self) -> bool:
        return bool(self._arrived) or len(self._waiting) > 0

    def _fair_at(self, contract: NDArray[np.int32], ts: I64) -> tuple[F64, F64]:
        k = len(ts)
        if self._fair is None or not self._spots or not self.settings.fair_value:
            return np.full(k, np.nan), np.full(k, np.nan)
        times = np.array([when for when, _ in self._spots])
        prices = np.array([price for _, price in self._spots])
        at = np.searchsorted(times, ts, "right") - 1
        return self._fair.at(contract, np.where(at >= 0, prices[at], np.nan))

    def _withdraw(self, gone: I64, revived: I64) -> None:
        """Prints that are final leave the sums, or enter them again."""
        for rows, times in ((gone, -1), (revived, 1)):
            if len(rows):
                self._enter(self._sums, rows[self._final[rows]], times)

    def _enter(self, sums: Sums, rows: I64, times: int = 1) -> None:
        t = self._tape
        sums.add(
            t.contract[rows], t.size[rows], t.p_buy[rows], t.p_dealer[rows], t.evidence[rows], times
        )

    def _judge(self, end: bool = False) -> None:
        """Judge all that waits; what can no longer change becomes final."""
        self._take_in()
        if self._arrived:
            self._waiting = self._waiting.and_then(self._arrived)
            self._arrived = []
        w, t = self._waiting, self._tape
        if len(w) == 0 or (self._judged and not end):
            return
        self._judged, self._summed = True, None
        s = self.settings
        rows = w.rows
        ts, kind = t.ts[rows], t.condition[rows]
        self._join(w, end)
        side, evidence = judge(t.price[rows], t.size[rows], w.bid, w.ask, w.bid_size, w.ask_size)
        self._distrust(w, ts, side, evidence)
        self._by_fair_value(w, side, evidence)
        # What was refilled is as good as what came in time, if it brought its quote along.
        unknown = w.lost & np.isnan(t.bid[rows] + t.ask[rows])
        in_package = _IN_PACKAGE[kind] & ~unknown
        alone = ~(_NEVER_SINGLE[kind] | in_package)
        open_tick = self._by_next_tick(w, ts, side, evidence, alone)
        auction = (kind == C.AUCTION) & (evidence == Evidence.INSIDE)
        evidence[auction] = Evidence.AUCTION
        trust = self._trust[evidence]
        np.minimum(trust, s.auction_cap, out=trust, where=kind == C.AUCTION)
        np.minimum(trust, s.vs_single_cap, out=trust, where=kind == C.MULTI_VS_SINGLE)
        bought = 0.5 - side * (trust - 0.5)
        open_package = self._by_package(w, ts, kind, in_package, side, evidence, bought)
        refused = _NEVER_SINGLE[kind] | unknown
        if refused.any():
            bought[refused] = 0.5
            side[refused] = 0
            evidence[refused] = np.where(unknown, Evidence.LATE, _BY_CLASS[kind])[refused]
        if self._venue == "exact":
            known = (t.side[rows] != 0) & ~_NEVER_SINGLE[kind]
            evidence[known] = Evidence.VENUE
            sure = self._trust[Evidence.VENUE]
            bought[known] = 0.5 - t.side[rows][known] * (sure - 0.5)
        t.p_buy[rows] = bought
        t.evidence[rows] = evidence
        nobody = (evidence == Evidence.CROSS) | (evidence == Evidence.COMPRESSION)
        t.p_dealer[rows] = np.where(nobody, 0.0, s.involvement)
        # Quotes that must not sign are marked by infinite prices: nobody is shown those.
        t.met_bid[rows], t.met_ask[rows] = w.bid, w.ask
        if (marked := np.isinf(w.bid) | np.isinf(w.ask)).any():
            t.met_bid[rows[marked]] = t.met_ask[rows[marked]] = np.nan
        self._finish(w, (w.joined & ~open_tick & ~open_package) | end)

    def _join(self, w: Waiting, end: bool) -> None:
        """The quote in force before each print: the feed's own, or the log's."""
        t, s = self._tape, self.settings
        at = np.flatnonzero(~w.joined)
        if len(at) == 0:
            return
        rows = w.rows[at]
        quote = InForce(t.bid[rows], t.ask[rows], t.bid_size[rows], t.ask_size[rows], t.ts[rows])
        lacking = np.isnan(quote.bid + quote.ask + quote.bid_size + quote.ask_size)
        if len(at) == len(w) and not lacking.any():
            w.take_quotes(quote)
            return
        own = ~(np.isnan(quote.bid) | np.isnan(quote.ask))
        sized = ~lacking
        ask_log = np.flatnonzero(~sized & ~w.lost[at])
        if len(ask_log):
            asked = rows[ask_log]
            found = self._log.asof(t.contract[asked], t.ts[asked], s.lag_ns)
            w.put_quotes(at[ask_log], found)
        mine = at[own]
        if len(mine):
            given = rows[own]
            bid, ask = t.bid[given], t.ask[given]
            # Sizes of a quote at other prices are not the sizes of this one.
            same = (w.bid[mine] == bid) & (w.ask[mine] == ask)
            bid_size = np.where(same, w.bid_size[mine], np.nan)
            ask_size = np.where(same, w.ask_size[mine], np.nan)
            bid_size = np.where(np.isnan(t.bid_size[given]), bid_size, t.bid_size[given])
            ask_size = np.where(np.isnan(t.ask_size[given]), ask_size, t.ask_size[given])
            w.put_quotes(mine, InForce(bid, ask, bid_size, ask_size, t.ts[given]))
        w.joined[at] = (t.ts[rows] - s.lag_ns + s.hold_ns < self._mark) | sized | w.lost[at] | end

    def _distrust(self, w: Waiting, ts: I64, side: I8, evidence: U8) -> None:
        """Quotes that must not sign, whatever they say."""
        s = self.settings
        old = w.doubted | (w.ask == _TOO_OLD) | (ts - w.quote_ts > s.quote_age_ns)
        early = (w.bid == _BEFORE_OPEN) | (w.quote_ts < self._opens)
        there = w.quote_ts > 0
        for bad, why in ((old & there, Evidence.STALE_QUOTE), (early & there, Evidence.PRE_OPEN)):
            side[bad] = 0
            evidence[bad] = why

    def _by_fair_value(self, w: Waiting, side: I8, evidence: U8) -> None:
        at = np.flatnonzero(
            ~np.isnan(w.fair)
            & (
                (evidence == Evidence.INSIDE)
                | (evidence == Evidence.DEPTH)
                | (evidence == Evidence.MID)
            )
        )
        if len(at) == 0:
            return
        price = self._tape.price[w.rows[at]]
        said, _ = fairvalue.against(price, w.bid[at], w.ask[at], w.fair[at], w.fair_sd[at])
        told = said != 0
        side[at[told]] = said[told]
        evidence[at[told]] = Evidence.FAIR

    def _by_next_tick(self, w: Waiting, ts: I64, side: I8, evidence: U8, alone: Mask) -> Mask:
        """Sign what is at mid by the next different price; returns which may yet change."""
        s, t = self.settings, self._tape
        nobody_knows = (evidence == Evidence.MID) & alone & ~w.late & ~w.lost
        at = np.flatnonzero(nobody_knows)
        if len(at):
            recent = self._recent[0] if len(self._recent) == 1 else np.concatenate(self._recent)
            self._recent = [recent]
            when = t.ts[recent]
            where = np.searchsorted(recent, w.rows[at])
            if bool((when[1:] < when[:-1]).any()):
                order = np.argsort(when, kind="stable")
                place = np.empty(len(order), np.int64)
                place[order] = np.arange(len(order))
                recent, when, where = recent[order], when[order], place[where]
            after = rules.next_ticks(t.contract[recent], t.price[recent], when, where, s.window_ns)
            said = rules.reverse_tick(t.price[w.rows[at]], after)
            told = said != 0
            side[at[told]] = said[told]
            evidence[at[told]] = Evidence.REVERSE_TICK
        return np.asarray(nobody_knows & (ts + s.window_ns + s.hold_ns >= self._trade_mark))

    def _by_package(
        self,
        w: Waiting,
        ts: I64,
        kind: U8,
        member: Mask,
        side: I8,
        evidence: U8,
        bought: F64,
    ) -> Mask:
        """Sign the legs of packages; returns which may yet change."""
        may_change = np.zeros(len(w), np.bool_)
        if not member.any():
            return may_change
        s, t = self.settings, self._tape
        at = np.flatnonzero(member & ~w.late)
        if len(at):
            order, last = _chains(ts[at], s.packages.together_ns)
            may_change[at[order]] = last + s.packages.together_ns + s.hold_ns >= self._trade_mark
            number = packages.group(ts[at], kind[at], t.size[w.rows[at]], s.packages.together_ns)
            order = np.argsort(number, kind="stable")
            at, number = at[order], number[order]
        rows = w.rows[at]
        usable = evidence[at] < Evidence.UNSIGNED
        usable |= evidence[at] == Evidence.MID
        who = t.contract[rows]
        legs = Legs(
            group=number if len(at) else np.zeros(0, np.int64),
            price=t.price[rows],
            size=t.size[rows],
            bid=np.where(usable, w.bid[at], np.nan),
            ask=np.where(usable, w.ask[at], np.nan),
            right=self._right[who],
            strike=self._strike[who],
            expiry=self._expiry[who],
        )
        solved = packages.solve(legs, s.packages)
        lead = solved.customer
        floor = kind[at] == C.MULTI_FLOOR
        np.clip(lead, 1.0 - s.floor_cap, s.floor_cap, out=lead, where=floor)
        # Whoever traded against single orders met their quotes; the others did not.
        lonely = member & (kind != C.MULTI_VS_SINGLE)
        told = at[solved.solved]
        lonely[told] = False
        no_side = lonely & ((evidence < Evidence.UNSIGNED) | (evidence == Evidence.MID))
        evidence[no_side] = Evidence.PACKAGE_UNSOLVED
        bought[lonely] = 0.5
        side[lonely] = 0
        bought[told] = 1.0 - lead[solved.solved]
        side[told] = np.where(lead[solved.solved] > 0.5, 1, -1)
        evidence[told] = Evidence.PACKAGE
        self._name_packages(rows, legs.group)
        return may_change

    def _name_packages(self, rows: I64, number: I64) -> None:
        """Legs carry the first row of their package."""
        if len(rows) == 0:
            return
        starts = np.ones(len(rows), np.bool_)
        starts[1:] = number[1:] != number[:-1]
        first = np.flatnonzero(starts)
        count = np.diff(np.append(first, len(rows)))
        name = np.minimum.reduceat(rows, first)
        name[(count < 2) | (count > packages.MOST_LEGS)] = -1
        self._tape.package[rows] = np.repeat(name, count)

    def _finish(self, w: Waiting, final: Mask) -> None:
        """What can no longer change enters the sums for good."""
        t, s = self._tape, self.settings
        done = w.rows[final]
        self._final[done] = True
        self._enter(self._sums, done[t.state[done] == State.LIVE])
        if self._venue == "guess":
            self._venue_agrees += self._venue_against(done)
        self._waiting = w.only(~final)
        if self._recent:
            recent = np.concatenate(self._recent)
            self._recent = [recent[t.ts[recent] > self._trade_mark - s.window_ns - s.hold_ns]]

    def _venue_against(self, rows: I64) -> I64:
        """Prints on which the venue's guess and ours are the same, and are not. Shape (2,)."""
        t = self._tape
        ours = np.sign(0.5 - t.p_buy[rows])
        both = ours * t.side[rows]
        return np.array([np.count_nonzero(both > 0), np.count_nonzero(both < 0)], np.int64)


def _chains(ts: I64, gap: int) -> tuple[I64, I64]:
    """An order by time, and the last time of the chain that each is in, in that order.

    A chain ends where nothing follows within `gap`, or with the second of the clock: no
    package reaches beyond.
    """
    order = np.argsort(ts, kind="stable")
    when = ts[order]
    ends = np.ones(len(ts), np.bool_)
    ends[:-1] = (np.diff(when) > gap) | (np.diff(when // packages.CELL_NS) > 0)
    stops = np.flatnonzero(ends)
    return order, when[stops[np.searchsorted(stops, np.arange(len(ts)))]]


__all__ = ["RELIABILITY", "Signer", "SignerSettings"]
