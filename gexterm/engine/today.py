"""The 0DTE section: today's charm under every sign view, live and once settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gexterm.engine.book import Book
from gexterm.engine.memory import Memory
from gexterm.exposure.charm import (
    CharmCurve,
    CharmProfile,
    ZeroDteGreeks,
    charm_curve,
    charm_profile,
    charm_zeros,
    zero_dte_greeks,
)
from gexterm.exposure.paradigm import ParadigmReading, ParadigmState, classify
from gexterm.reading import model

NAN = float("nan")


@dataclass(frozen=True, eq=False, slots=True)
class Today:
    """Today's charm under every sign view."""

    greeks: ZeroDteGreeks
    """One option each."""
    curve: CharmCurve
    """Re-priced charm of the books that the views are mixed from."""
    profiles: dict[str, CharmProfile]
    """By view."""
    readings: dict[str, ParadigmReading]
    """By view."""
    odds: dict[str, Any]
    """By view, where its positions carry an uncertainty."""


def read_today(book: Book, memory: Memory) -> Today | None:
    """Read the paradigm under every sign view; None where nothing settles today or has."""
    if not book.zero or book.zero.settled:
        return None
    greeks, memory.cut = zero_dte_greeks(book.surface, book.zero.scope, memory.cut)
    curve = charm_curve(greeks, book.views.books)
    profiles, readings, odds = {}, {}, {}
    for view in book.views.views:
        name = view.name
        profile = charm_profile(greeks, view.held)
        readings[name], memory.paradigm[name] = classify(
            profile,
            charm_zeros(curve, view.mix),
            book.surface.spot,
            greeks.sigma,
            book.rows.as_of,
            memory.paradigm.get(name, ParadigmState()),
        )
        profiles[name] = profile
    return Today(greeks, curve, profiles, readings, odds)


def zero_dte_section(book: Book, today: Today | None, memory: Memory) -> model.ZeroDte:
    """Today's charm; once settled, the last profile, frozen and marked."""
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
    )
    memory.last_today[name] = section
    return section


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
