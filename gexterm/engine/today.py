"""The 0DTE section: today's charm under every sign view, live and once settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gexterm.engine.bands import band
from gexterm.engine.book import Book
from gexterm.engine.memory import Memory
from gexterm.exposure.charm import (
    CharmMatrix,
    CharmProfile,
    ZeroDteGreeks,
    charm_matrix,
    charm_profile,
    charm_zeros,
    zero_dte_greeks,
)
from gexterm.exposure.labels import LabelOdds, LevelBand, label_odds, level_bands
from gexterm.exposure.paradigm import ParadigmReading, ParadigmState, classify
from gexterm.exposure.placebo import placebo
from gexterm.exposure.uncertainty import TotalsSd, sides_sd
from gexterm.market.calendar import early_close, et
from gexterm.market.contracts import Settlement
from gexterm.reading import model
from gexterm.reference.white_paper import base_rate

NAN = float("nan")


@dataclass(frozen=True, eq=False, slots=True)
class Today:
    """Today's charm under every sign view."""

    greeks: ZeroDteGreeks
    """One option each."""
    matrix: CharmMatrix
    """Their re-priced charm."""
    profiles: dict[str, CharmProfile]
    """By view."""
    readings: dict[str, ParadigmReading]
    """By view."""
    odds: dict[str, LabelOdds]
    """By view, where its positions carry an uncertainty."""


def read_today(book: Book, memory: Memory) -> Today | None:
    """Read the paradigm under every sign view; None where nothing settles today or has."""
    if not book.zero or book.zero.settled:
        return None
    greeks, memory.cut = zero_dte_greeks(book.surface, book.zero.scope, memory.cut)
    matrix = charm_matrix(greeks, book.views.touched(greeks.rows))
    curve = matrix.of(book.views.books)
    profiles: dict[str, CharmProfile] = {}
    readings: dict[str, ParadigmReading] = {}
    odds: dict[str, LabelOdds] = {}
    for view in book.views.views:
        name = view.name
        before = memory.paradigm.get(name, ParadigmState())
        if view.belief is not None and np.isfinite(view.held).any():
            odds[name] = memory.slow.of(
                f"odds of {name}",
                book.rows.as_of,
                (*book.about, before.below, before.above),
                partial(label_odds, greeks, view.belief, state=before),
            )
        profile = charm_profile(greeks, view.held)
        readings[name], memory.paradigm[name] = classify(
            profile,
            charm_zeros(curve, view.mix),
            book.surface.spot,
            greeks.sigma,
            book.rows.as_of,
            before,
        )
        profiles[name] = profile
    return Today(greeks, matrix, profiles, readings, odds)


def zero_dte_section(
    book: Book, today: Today | None, memory: Memory, sd: TotalsSd | None
) -> model.ZeroDte:
    """Today's charm; once settled, the last profile, frozen and marked.

    `sd` are the errors of today's totals under an inferred view.
    """
    name = book.view.name
    if today is None:
        return _settled_or_none(book, memory)
    profile, reading = today.profiles[name], today.readings[name]
    section = model.ZeroDte(
        expiry=book.zero.name,
        reason=_why_no_paradigm(book, profile) if reading.label == "No data" else "",
        seconds_left=today.greeks.seconds,
        sigma=reading.sigma,
        charm_below=_known(profile.below, profile),
        charm_above=_known(profile.above, profile),
        charm_per_hour=_known(profile.below + profile.above, profile),
        charm_gross=_known(profile.gross, profile),
        decay_to_close=_known(profile.decay, profile),
        excluded_share=profile.excluded_share,
        paradigm=reading.label,
        previous=reading.previous,
        qualifier=reading.qualifier,
        since=reading.since,
        lis_lower=reading.lis_lower,
        lis_upper=reading.lis_upper,
        target=reading.target,
        lis_lower_sigma=reading.lis_lower_sigma,
        lis_upper_sigma=reading.lis_upper_sigma,
        target_sigma=reading.target_sigma,
        placebo_inside=reading.placebo_inside,
        peak_below=reading.peak_below,
        peak_above=reading.peak_above,
        base_rate=_base_rate(book, reading),
    )
    if sd is not None and np.isfinite(section.charm_gross):
        section = _with_bands(section, book, today, sd, memory)
    memory.last_today[name] = section
    return section


def _with_bands(
    section: model.ZeroDte, book: Book, today: Today, sd: TotalsSd, memory: Memory
) -> model.ZeroDte:
    """The same with what positions leave open."""
    belief, name = book.view.belief, book.view.name
    if belief is None or name not in today.odds:
        return section
    reading, as_of = today.readings[name], book.rows.as_of
    sides = memory.slow.of("sides", as_of, book.about, lambda: sides_sd(today.greeks, belief))
    # Levels stand still most of the time; where one moves its band moves with it.
    places = repr((reading.label, reading.lis_lower, reading.lis_upper, reading.target))
    levels = memory.slow.of(
        "levels",
        as_of,
        (*book.about, places),
        lambda: level_bands(today.greeks, today.matrix, belief, reading),
    )
    return replace(
        section,
        probability=today.odds[name].probability,
        charm_below_band=band(section.charm_below, sides.below),
        charm_above_band=band(section.charm_above, sides.above),
        charm_band=band(section.charm_per_hour, sides.net),
        decay_band=band(section.decay_to_close, sd.decay),
        lis_lower_band=_level(levels.lis_lower),
        lis_upper_band=_level(levels.lis_upper),
        target_band=_level(levels.target),
    )


def _level(found: LevelBand) -> model.Band:
    return model.Band(found.low, found.high)


def _base_rate(book: Book, reading: ParadigmReading) -> model.BaseRate | None:
    """The white paper's record of the label at this time of day, beside its placebo."""
    scope = np.flatnonzero(book.zero.scope)
    if book.surface.layout.expiries[int(scope[0])].settlement is not Settlement.PM:
        return None
    now = et(book.rows.as_of)
    rate = base_rate(reading.label, now.time(), early_close(now.date()))
    if rate is None:
        return None
    return model.BaseRate(
        event=rate.outcome,
        rate=rate.rate,
        count=rate.occurrences,
        time="" if rate.pooled else f"{rate.read_at:%H:%M}",
        share=rate.share,
        placebo=placebo(reading, book.surface.spot).probability,
        source="; ".join(part for part in (rate.source, rate.note) if part),
    )


def _known(value: float, profile: CharmProfile) -> float:
    # A book that nobody knows is not one without charm.
    return value if np.isfinite(profile.unknown_share) and profile.unknown_share < 1.0 else NAN


def _why_no_paradigm(book: Book, profile: CharmProfile) -> str:
    if book.basis == "trades" and not np.isfinite(profile.unknown_share):
        return f"no trade in {book.zero.name} has been signed yet"
    if book.basis == "none":
        return "neither open interest nor volume is known"
    if not np.isfinite(profile.unknown_share):
        return f"no contract of {book.zero.name} has {book.basis}"
    if profile.unknown_share > 0.5:
        return f"{profile.unknown_share:.0%} of the contracts of {book.zero.name} have no greeks"
    return "no charm is left"


def _settled_or_none(book: Book, memory: Memory) -> model.ZeroDte:
    if not book.zero:
        return model.ZeroDte(reason=book.zero.reason)
    last = memory.last_today.get(book.view.name)
    if last is None:
        reason = "settled before the first quotes were seen"
        return model.ZeroDte(expiry=book.zero.name, reason=reason, settled=True, seconds_left=0.0)
    return replace(last, settled=True, seconds_left=0.0, reason="settled; the last profile stands")
