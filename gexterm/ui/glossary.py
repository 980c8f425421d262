"""What the words on the desk mean, with formula and source. Help shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """One word or number of the desk."""

    name: str
    """As it stands on the screen."""
    meaning: str
    """What it says."""
    formula: str = ""
    """How it is computed; empty where there is nothing to compute."""
    source: str = ""
    """Where the definition comes from."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """The terms of one panel."""

    title: str
    """The panel."""
    terms: tuple[Term, ...]
    """Its terms, as they stand on the panel."""


CHAPTERS: tuple[Chapter, ...] = (
    Chapter("How to read the desk", (
        Term("whose book", "Every sign is the dealer's own position. Dealers stay hedged, so they "
             "trade the opposite of what the book gains: gaining delta, they sell."),
        Term("the ladder", "Strikes descend around spot, the one line across everything. Each bar "
             "shows one strike; what left and right mean stands above the bars, with the value of "
             "a full bar. The scale changes in steps and seldom, so a bar that moves is news."),
        Term("look-back marks", "Where the tip of a bar stood: • 5, · 15 and · 30 minutes ago "
             "(fainter is longer ago). No mark: it has hardly moved."),
        Term("dim and –", "Dim strikes rest on old quotes. A dash is a number that is not known; "
             "it is never a zero."),
        Term("glow", "A level that changed a moment ago stands on a lighter ground."),
    )),
    Chapter("Ladder", (
        Term("gamma", "Delta that dealers gain when spot rises 1 %. Long gamma: they sell into "
             "rises and buy falls. Short: they trade along with the move.",
             "Γ · x · 100 · S² · 0.01, x dealer contracts", "SqueezeMetrics 2017; $ per 1 %"),
        Term("charm", "Delta that dealers gain in the next hour with spot where it is. It is a "
             "finite step, since an instant's rate says nothing when hours are left.",
             "[Δ(S, T−h) − Δ(S, T)] · x · 100 · S, h = 1 h or what is left", "definitions 1.4"),
        Term("vanna", "Delta that dealers gain when volatility rises one point.",
             "∂Δ/∂σ · 0.01 · x · 100 · S", "definitions 1.6"),
        Term("vega", "Premium that dealers gain when volatility rises one point; not times spot.",
             "∂V/∂σ · 0.01 · x · 100", "definitions 1.6"),
        Term("delta", "The options' own delta in dollars, before any hedge.", "Δ · x · 100 · S"),
        Term("decay", "Delta that dealers gain until settlement if spot stays: all that remains "
             "to be traded by the close.", "(1{K<S} − Δ) · x · 100 · S", "definitions 1.4"),
        Term("dealer holds", "Contracts, calls and puts together, under the sign view; long is +."),
        Term("volume, open int.", "Contracts traded today, and open at the last close; calls, "
             "puts."),
    )),
    Chapter("Levels on the axis", (
        Term("┄ flip", "Spot at which the whole book's gamma changes sign, every option priced "
             "anew there. Where the profile has several zeros, the nearest; others are fainter. "
             "“none” means it keeps its sign; a sum by strike gives another number that is none.",
             "zero of Σ Γ(s) x 100 s² 0.01 in s, sticky strike", "definitions 5"),
        Term("▪ call, ▪ put", "Walls: the strikes with the largest gamma of calls, and of puts."),
        Term("▴ ▾ LIS", "Lines in the sand. BofA: the strikes below and above spot where charm is "
             "largest. GEX and Anti-GEX: where the total charm changes sign.",
             "BofA: argmin/argmax of charm; else zeros of C(s)", "white paper 2023, 7 and 8a"),
        Term("◎ target", "Where total charm comes to zero as spot moves there. BofA has none.",
             "zero of C(s) = Σ x · charm(s), nearest strike", "white paper 2023, 7"),
        Term("+1σ −1σ", "One standard deviation of spot until settlement, from today's volatility "
             "at the money."),
    )),
    Chapter("0DTE paradigm", (
        Term("BofA", "Charm − below spot, + above: as time passes dealers buy on account of the "
             "strikes below and sell on account of those above.", "", "white paper 2023, 7"),
        Term("GEX", "− and −: dealers buy on both accounts.", "", "white paper 2023, 7"),
        Term("Anti-GEX", "+ and +: dealers sell on both accounts.", "", "white paper 2023, 7"),
        Term("Sidial", "+ below, − above. Sources disagree on whether spot is drawn to the balance "
             "point or avoids it.", "", "white paper 2023, 7"),
        Term("Mixed", "One side is less than a tenth of the gross: no label.",
             "side counts above 10 % of Σ|charm|, until it falls below 4 %", "definitions 3.1"),
        Term("PURE LIS TARGET MESSY", "All of one kind; spot within 0.15 % of a line; of the "
             "target; or a side that holds less than 65 % of its own sign.", "", "definitions 3.1"),
        Term("left out", "Strikes whose |delta| is under .03 are not counted, calls and puts "
             "alike; the share of gross charm that this cuts.", "min(|Δ|, 1−|Δ|) < .03",
             "white paper 2023"),
        Term("placebo", "How often a driftless normal with today's remaining σ closes inside the "
             "two lines. A base rate that any claim about them has to beat; not a forecast.",
             "N(upper) − N(lower) in σ", "definitions 3.2"),
    )),
    Chapter("Hedge flow, regime, views", (
        Term("hedge flow", "Dollars of the underlying that dealers have to trade when spot, "
             "volatility or time moves by so much.", "−(GEX·ΔS + vanna·Δσ + charm·h)",
             "definitions 1.6"),
        Term("regime", "Gamma state, skew (25-delta put less call volatility over at-the-money, 30 "
             "days) and term structure (9, 30 and 90 day variance indices), and what they come to.",
             "", "definitions 6"),
        Term("sign views", "The same chain under each assumption about who bought. Where they "
             "disagree, the conclusion rests on the assumption and not on the data."),
    )),
    Chapter("Can it be trusted", (
        Term("LIVE DELAYED REPLAY SIMULATED", "How the data reaches the screen. Anything but LIVE "
             "stands on a coloured ground in the top line, always."),
        Term("age, p99", "Age of the middle quote, and of the oldest in a hundred."),
        Term("quoted", "Share of contracts that have a bid and an offer."),
        Term("gaps, dropped, reconnects", "Should be zero. Dropped: a full queue let events go."),
        Term("signed", "Share of today's volume whose buyer is known. None is, under a fixed "
             "view."),
        Term("time", "The clock is the market's, in New York; it stands still when a replay does. "
             "Time left runs to the contract's own settlement, half days included."),
    )),
)  # fmt: skip
"""Everything that the desk shows, panel by panel."""
