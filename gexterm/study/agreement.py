"""A tape whose truth nobody has: how much of it is signed, and what other rules say.

Where we and a rule say the same, both may be wrong; where we differ, one of us is. What
is counted here is coverage and agreement, never accuracy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gexterm.config import Settings
from gexterm.dealers.evidence import WORDS, Evidence, is_signed
from gexterm.dealers.inforce import InForce, QuoteLog
from gexterm.dealers.tape import Tape
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.errors import InputError
from gexterm.market.events import Quotes
from gexterm.recording.reader import Recording
from gexterm.study.observe import told_by_rules

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
I64 = NDArray[np.int64]
NAN = float("nan")
_EVERY = 4096
"""Events between two words about progress."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A part of a tape."""

    prints: int
    """Prints."""
    contracts: float
    """Contracts in them."""

    def __add__(self, other: Amount) -> Amount:
        """Both together."""
        return Amount(self.prints + other.prints, self.contracts + other.contracts)


@dataclass(frozen=True, slots=True)
class Match:
    """Two judgements on the same prints."""

    same: int
    """Prints on which both say the same side."""
    both: int
    """Prints on which both say a side."""
    decided: int
    """Prints on which the rule says one, whatever we say."""

    @property
    def share(self) -> float:
        """Same of both, 0 to 1; NaN without a print."""
        return self.same / self.both if self.both else NAN

    def __add__(self, other: Match) -> Match:
        """Both together."""
        return Match(self.same + other.same, self.both + other.both, self.decided + other.decided)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What can be said of tapes without a truth."""

    files: tuple[str, ...]
    """Which recordings."""
    prints: Amount
    """Prints in force: cancelled and replaced ones left out."""
    signed: Amount
    """Of these, those with a side."""
    by_evidence: Mapping[str, Amount]
    """Those with a side, by the evidence used, most frequent first."""
    unsigned: Mapping[str, Amount]
    """Those without, by the reason, most frequent first."""
    quotes: Mapping[str, int]
    """Prints by where the quote was from that rules are asked with: `given` with the print,
    `in force` by the recorded quotes, `none`."""
    rules: Mapping[str, Match]
    """Our side against each rule of the literature on the same quotes."""
    counts: Mapping[str, int]
    """What was noticed on the way: cancels, repetitions, unknown conditions and the like."""
    unknown_codes: Mapping[str, int]
    """Prints by numbering and condition code, where the code is in no table."""

    def __add__(self, other: Agreement) -> Agreement:
        """Both together."""
        return Agreement(
            files=self.files + other.files,
            prints=self.prints + other.prints,
            signed=self.signed + other.signed,
            by_evidence=_most_first(_added(self.by_evidence, other.by_evidence, Amount(0, 0.0))),
            unsigned=_most_first(_added(self.unsigned, other.unsigned, Amount(0, 0.0))),
            quotes=_added(self.quotes, other.quotes, 0),
            rules=_added(self.rules, other.rules, Match(0, 0, 0)),
            counts=_added(self.counts, other.counts, 0),
            unknown_codes=_added(self.unknown_codes, other.unknown_codes, 0),
        )


_T = TypeVar("_T", int, Amount, Match)


def together(found: Sequence[Agreement]) -> Agreement:
    """All tapes as one. There has to be at least one."""
    total = found[0]
    for one in found[1:]:
        total = total + one
    return total


def agree(
    path: Path, settings: Settings, progress: Callable[[float], None] | None = None
) -> Agreement:
    """Sign a recording's tape and lay the rules of the literature beside it.

    `progress` is told the share done, 0 to 1. Raises InputError where the recording has
    no tape.
    """
    with Recording(path) as recording:
        if not recording.info.has_tape:
            raise InputError(f"{path} has no tape", "record, import or simulate one with prints")
        engine = Engine(EngineSettings.of(settings, recording.info.underlying))
        log = QuoteLog(None)
        span = max(recording.ends - recording.begins, 1)
        for number, event in enumerate(recording.events()):
            if isinstance(event, Quotes):
                log.take(event)
            engine.apply(event)
            if progress and number % _EVERY == 0:
                now = getattr(event, "recv", 0)
                progress(min(max((now - recording.begins) / span, 0.0), 1.0))
    signer = engine.signer
    if signer is None:
        raise InputError(f"{path} has no tape", "record, import or simulate one with prints")
    signer.settle(None)
    if progress:
        progress(1.0)
    return judged(path.name, signer.tape, log, signer.counts)


def judged(name: str, tape: Tape, log: QuoteLog, counts: Mapping[str, int]) -> Agreement:
    """Count a tape whose signs are final; `log` holds all quotes of its session."""
    rows = tape.live()
    evidence, size = tape.evidence[rows], tape.size[rows]
    signed = is_signed(evidence)
    quote, origin = quotes_of(tape, rows, log)
    ours = our_side(tape, rows)

    def amount(chosen: NDArray[np.bool_]) -> Amount:
        return Amount(int(np.count_nonzero(chosen)), float(size[chosen].sum()))

    reasons = {Evidence(code): amount(evidence == code) for code in np.unique(evidence).tolist()}
    return Agreement(
        files=(name,),
        prints=amount(np.ones(len(rows), np.bool_)),
        signed=amount(signed),
        by_evidence=_most_first(
            {WORDS[e]: found for e, found in reasons.items() if e < Evidence.UNSIGNED}
        ),
        unsigned=_most_first(
            {WORDS[e]: found for e, found in reasons.items() if e >= Evidence.UNSIGNED}
        ),
        quotes=origin,
        rules={rule: match(ours, said) for rule, said in told_by_rules(tape, rows, quote).items()},
        counts={name: count for name, count in counts.items() if count},
        unknown_codes={
            f"{numbering} {code}": count
            for (numbering, code), count in sorted(tape.unknown_codes.items())
        },
    )


def our_side(tape: Tape, rows: I64) -> I8:
    """Side of the customer as we see it: +1 bought, −1 sold, 0 not said. Shape (k,)."""
    p_buy = tape.p_buy[rows]
    lean = (p_buy < 0.5).astype(np.int8) - (p_buy > 0.5).astype(np.int8)
    return np.where(is_signed(tape.evidence[rows]), lean, np.int8(0))


def match(ours: I8, theirs: I8) -> Match:
    """Two columns of sides, 0 undecided. Shapes (k,)."""
    decided = theirs != 0
    both = decided & (ours != 0)
    return Match(
        same=int(np.count_nonzero(both & (ours == theirs))),
        both=int(np.count_nonzero(both)),
        decided=int(np.count_nonzero(decided)),
    )


def quotes_of(tape: Tape, rows: I64, log: QuoteLog) -> tuple[InForce, dict[str, int]]:
    """The quote of each print: the one given with it, else the one in force before it.

    Sizes that are not given with a print's quote are taken from the log where its prices
    are the same. Also how many prints have which.
    """
    found = log.asof(tape.contract[rows], tape.ts[rows])
    bid, ask = tape.bid[rows], tape.ask[rows]
    given = ~(np.isnan(bid) | np.isnan(ask))
    same = given & (found.bid == bid) & (found.ask == ask)

    def size(own: F64, logged: F64) -> F64:
        instead = np.where(same | ~given, logged, np.nan)
        return np.where(given & ~np.isnan(own), own, instead)

    quote = InForce(
        bid=np.where(given, bid, found.bid),
        ask=np.where(given, ask, found.ask),
        bid_size=size(tape.bid_size[rows], found.bid_size),
        ask_size=size(tape.ask_size[rows], found.ask_size),
        quote_ts=np.where(given, tape.ts[rows], found.quote_ts),
    )
    in_force = int(np.count_nonzero(~given & (found.quote_ts > 0)))
    own = int(np.count_nonzero(given))
    return quote, {"given": own, "in force": in_force, "none": len(rows) - own - in_force}


def _added(a: Mapping[str, _T], b: Mapping[str, _T], nothing: _T) -> dict[str, _T]:
    names = [*a, *(name for name in b if name not in a)]
    return {name: a.get(name, nothing) + b.get(name, nothing) for name in names}


def _most_first(found: Mapping[str, Amount]) -> dict[str, Amount]:
    return dict(sorted(found.items(), key=lambda item: -item[1].prints))
