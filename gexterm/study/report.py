"""What was measured, as plain text and as JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from gexterm.study.accuracy import Accuracy, ViewAccuracy
from gexterm.study.agreement import Agreement, Amount, Match
from gexterm.study.labelled import LabelledAccuracy
from gexterm.study.metrics import Bin, Score, worst_gap

ACCURACY_SCHEMA = "gexterm.accuracy/1"
"""Name and version of the JSON form."""
LABELLED_SCHEMA = "gexterm.open-close/1"
"""Name and version of the JSON form of the comparison with labelled volume."""
AGREEMENT_SCHEMA = "gexterm.agreement/1"
"""Name and version of the JSON form of what is said where there is no truth."""
ENOUGH = 30
"""Cases of a bin from which on its gap is looked at."""


def accuracy_text(found: Accuracy) -> str:
    """Tables of at most 100 columns."""
    days = len(found.days)
    named = ", ".join(found.days[:4]) + (f" and {days - 4} more" if days > 4 else "")
    blocks = [
        [
            f"ACCURACY over {days} simulated day{'s' if days > 1 else ''}: {named}",
            "  Against the true book of a synthetic market: how well the method does there,",
            "  not how well it does on an exchange.",
        ],
        _prints(found),
        _evidence(found),
        _bins("P(our sign is right), by what was said", found.print_reliability),
        _ranks(found),
        *(_view(view) for view in found.views),
    ]
    return "\n\n".join("\n".join(block) for block in blocks)


def _prints(found: Accuracy) -> list[str]:
    rows = [("gexterm", found.prints), *found.by_rule.items()]
    out = [
        "PER PRINT: whose order it was (a coin for what is undecided)",
        f"  {'':<16}{'right':>8}{'prints':>10}",
    ]
    out += [f"  {name:<16}{_percent(score.share):>8}{score.count:>10,}" for name, score in rows]
    out.append(f"  by contracts instead of prints, gexterm: {_percent(found.contracts)}")
    return out


def _evidence(found: Accuracy) -> list[str]:
    total = sum(score.count for score in found.by_evidence.values())
    return [
        "BY EVIDENCE",
        f"  {'':<28}{'share':>8}{'right':>8}{'prints':>10}",
        *(
            f"  {name:<28}{_percent(score.count / total):>8}{_percent(score.share):>8}"
            f"{score.count:>10,}"
            for name, score in found.by_evidence.items()
        ),
    ]


def _ranks(found: Accuracy) -> list[str]:
    out = ["DEALER'S CHANGE BY STRIKE of today's expiry, rank correlation with the truth"]
    for name, rank, (strikes, busy) in zip(found.days, found.ranks, found.ranks_on, strict=True):
        out.append(f"  {name:<28}{_number(rank):>8}  {strikes} strikes with {busy}+ prints")
    return out


def _view(view: ViewAccuracy) -> list[str]:
    return [
        f"{view.view.upper()} BOOK at {view.observations} moments",
        f"  charm's sign on a side, truth > 10 % of gross   {_scored(view.side_sign)}",
        f"  GEX's sign                                      {_scored(view.gamma_sign)}",
        f"  paradigm, Mixed excluded on either side         {_scored(view.label)}",
        f"  called, of what truly has one                   {_percent(view.called):>8}",
        f"  Brier score of P(label)                         {_number(view.brier):>8}"
        f"   of the label shown alone {_number(view.brier_shown)}",
        "  80 % bands held the truth: GEX, charm below, above "
        + ", ".join(_percent(share) for share in view.coverage),
        f"  Mixed, or no label above 60 %                   {_percent(view.cautious):>8}",
        f"  warned of one-sided resting orders              {_percent(view.trap):>8}",
        *_bins("P(label), all labels, by what was said", view.reliability, "  "),
    ]


def _bins(title: str, bins: Sequence[Bin], indent: str = "") -> list[str]:
    gap = worst_gap(bins, ENOUGH)
    out = [
        f"{indent}{title} (largest gap in bins of {ENOUGH}+ cases: {_points(gap)})",
        f"{indent}  {'said':>8}{'was so':>9}{'cases':>9}",
    ]
    out += [
        f"{indent}  {_percent(b.said):>8}{_percent(b.happened):>9}{b.count:>9,}"
        for b in bins
        if b.count
    ]
    return out


def agreement_text(found: Agreement) -> str:
    """Tables of at most 100 columns."""
    blocks = [
        [
            f"AGREEMENT of {', '.join(found.files)}",
            "  There is no truth beside it: coverage, and agreement with the rules of the",
            "  literature only. Where all agree, all may be wrong.",
        ],
        [
            f"PRINTS in force: {found.prints.prints:,} with {found.prints.contracts:,.0f} "
            f"contracts; signed {_of(found.signed, found.prints)}",
            f"  {'':<28}{'prints':>10}{'share':>9}{'contracts':>12}{'share':>9}",
            *(_amount(name, one, found.prints) for name, one in found.by_evidence.items()),
            "  unsigned:" if found.unsigned else "  none is unsigned",
            *(_amount(name, one, found.prints) for name, one in found.unsigned.items()),
        ],
        [
            "OUR SIDE AND EACH RULE'S, where both say one",
            f"  {'':<28}{'agree':>10}{'prints':>9}{'the rule alone decides':>25}",
            *(_match(name, one) for name, one in found.rules.items()),
            "  asked with the quote "
            + ", ".join(f"{name}: {count:,}" for name, count in found.quotes.items() if count),
        ],
        [
            "NOTICED: " + (", ".join(_counted(found.counts)) or "nothing"),
            *(
                f"  condition {code} is in no table: {n:,}"
                for code, n in found.unknown_codes.items()
            ),
        ],
    ]
    return "\n\n".join("\n".join(block) for block in blocks)


def _of(part: Amount, whole: Amount) -> str:
    prints = _percent(part.prints / whole.prints if whole.prints else math.nan)
    contracts = _percent(part.contracts / whole.contracts if whole.contracts else math.nan)
    return f"{prints} of prints, {contracts} of contracts"


def _amount(name: str, part: Amount, whole: Amount) -> str:
    prints, contracts = part.prints / whole.prints, part.contracts / whole.contracts
    return (
        f"  {name:<28}{part.prints:>10,}{_percent(prints):>9}"
        f"{part.contracts:>12,.0f}{_percent(contracts):>9}"
    )


def _match(name: str, found: Match) -> str:
    alone = found.decided - found.both
    return f"  {name:<28}{_percent(found.share):>10}{found.both:>9,}{alone:>25,}"


def _counted(counts: Mapping[str, int]) -> list[str]:
    return [f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items()]


def labelled_text(found: LabelledAccuracy) -> str:
    """The comparison with labelled volume."""
    per = "series and day" if found.interval == "day" else "series and snapshot"
    out = [
        f"AGAINST OPEN-CLOSE VOLUME ({found.file}): net change of dealers' contracts by {per}",
        "  sign: share of volume in which both nets have one sign. rank: Spearman.",
        "  slope: our net per contract of theirs, 1 is right.",
        "",
        f"  {'tenor':<14}{'rows':>8}{'contracts':>12}{'sign':>8}{'rank':>8}{'slope':>8}",
        *(
            f"  {s.tenor:<14}{s.count:>8,}{s.volume:>12,.0f}{_percent(s.sign_agreement):>8}"
            f"{_number(s.spearman):>8}{_number(s.slope):>8}"
            for s in found.scores
        ),
        f"  {found.missing:,} of {found.rows:,} rows name contracts that the recording lacks",
    ]
    return "\n".join([*out, *(f"  {note}" for note in found.notes)])


def accuracy_json(found: Accuracy) -> str:
    """One JSON object; what is not known is null."""
    return _json(ACCURACY_SCHEMA, found)


def agreement_json(found: Agreement) -> str:
    """One JSON object; what is not known is null."""
    return _json(AGREEMENT_SCHEMA, found)


def labelled_json(found: LabelledAccuracy) -> str:
    """One JSON object; what is not known is null."""
    return _json(LABELLED_SCHEMA, found)


def _json(schema: str, found: Any) -> str:
    return msgspec.json.encode({"schema": schema, **_plain(found)}).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Score):
        return {"share": _plain(value.share), "right": value.right, "count": value.count}
    if isinstance(value, Match):
        share = {"share": _plain(value.share)}
        return share | {"same": value.same, "both": value.both, "decided": value.decided}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def _scored(score: Score) -> str:
    return f"{_percent(score.share):>8}   of {score.count:,}"


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f} %" if math.isfinite(share) else "–"


def _points(share: float) -> str:
    return f"{100.0 * share:.0f} points" if math.isfinite(share) else "–"


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
