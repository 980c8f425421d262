"""The smile of one expiry: what is quoted, and what is made of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gexterm.engine.compose import Parts
from gexterm.errors import ChainError, UsageError
from gexterm.market.calendar import et
from gexterm.market.chain import CALL, PUT
from gexterm.pricing.implied import implied_vol
from gexterm.pricing.surface import Surface
from gexterm.reading.inquiry import Smile

F64 = NDArray[np.float64]
NAN = float("nan")
_POINTS = 401
"""Where the fitted smile is looked at for its 25-delta strikes."""


def smile(parts: Parts, expiry: str, root: str) -> Smile:
    """Quoted and fitted volatilities of one expiry of one root.

    Volatilities of bid and offer are those of the out-of-the-money side's quotes in force.
    Raises UsageError for one that is not listed, ChainError for one that has settled.
    """
    at = _find(parts, expiry, root)
    surface, quotes = parts.surface, parts.rows
    layout = surface.layout
    mine = layout.slice(at)
    strike = layout.strike[mine]
    forward, years = float(surface.forward[at]), float(surface.years[at])
    puts = strike < forward
    bid, ask = (
        np.where(puts, side[PUT, mine], side[CALL, mine]) for side in (quotes.bid, quotes.ask)
    )
    # A crossed quote says nothing of either side.
    sound = ~(ask <= bid)
    sides = [
        implied_vol(
            np.where(sound & (price > 0.0), price, np.nan),
            forward,
            strike,
            years,
            float(surface.discount[at]),
            np.where(puts, -1.0, 1.0),
        )[0]
        for price in (bid, ask)
    ]
    stamp = quotes.quote_ts[:, mine]
    age = np.where(stamp > 0, (quotes.as_of - stamp) / 1e9, np.nan)
    skew, put_25, call_25 = _quarter_delta(surface, at)
    return Smile(
        as_of=surface.as_of,
        expiry=layout.expiries[at].date.isoformat(),
        root=layout.expiries[at].root,
        forward=forward,
        atm_iv=float(surface.atm_iv[at]),
        years=years,
        how=surface.smile_kind[at],
        strikes=strike.copy(),
        bid_iv=sides[0],
        ask_iv=sides[1],
        fit_iv=surface.iv[mine].copy(),
        quote_age_s=np.fmax(age[CALL], age[PUT]),
        skew_25=skew,
        put_25=put_25,
        call_25=call_25,
    )


def _find(parts: Parts, expiry: str, root: str) -> int:
    listed = parts.surface.layout.expiries
    for at, one in enumerate(listed):
        if one.root == root and one.date.isoformat() == expiry:
            if one.settled(parts.rows.as_of):
                when = et(one.settles_at)
                raise ChainError(
                    f"{root} {expiry} has settled, on {when:%Y-%m-%d at %H:%M} ET",
                    "choose an expiry that has not",
                )
            return at
    roots = sorted({one.root for one in listed if one.date.isoformat() == expiry})
    hint = f"that date is listed under {', '.join(roots)}" if roots else "choose a listed one"
    raise UsageError(f"no expiry {root} {expiry} is listed", hint)


def _quarter_delta(surface: Surface, at: int) -> tuple[float, float, float]:
    """Put less call volatility at 25 delta, and the two strikes; NaN where not spanned.

    Delta is the forward one, N(±d1), on the fitted smile between the outermost strikes
    whose quotes say anything.
    """
    nothing = (NAN, NAN, NAN)
    mine = surface.layout.slice(at)
    forward, smiles = float(surface.forward[at]), surface.smiles
    quoted = surface.layout.strike[mine][np.isfinite(surface.raw_iv[mine])]
    if smiles is None or len(quoted) < 2 or not forward > 0.0:
        return nothing
    k = np.linspace(np.log(quoted[0] / forward), np.log(quoted[-1] / forward), _POINTS)
    iv = smiles.iv(np.full(_POINTS, at), k)
    w = iv * np.sqrt(surface.years[at])
    if not np.all(w > 0.0):
        return nothing
    delta = ndtr(-k / w + 0.5 * w)
    if np.any(np.diff(delta) >= 0.0):
        return nothing
    found = [
        (float(forward * np.exp(np.interp(-d, -delta, k))), float(np.interp(-d, -delta, iv)))
        if delta[-1] <= d <= delta[0]
        else (NAN, NAN)
        for d in (0.75, 0.25)
    ]
    (put, put_iv), (call, call_iv) = found
    return put_iv - call_iv, put, call
