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
        Term("hatched ╱╱", "The position at this strike is smaller than its own standard "
             "deviation. On which side it stands is a guess, and its number is dim."),
        Term("80 % band", "Where a number lies with 80 % of the probability that signed trades "
             "leave open: its 10 % and 90 % quantiles. ±300M where it is even and away from zero, "
             "−12…+30M where it is not. A number whose band contains zero is dim: read the band. "
             "open: the end lies beyond what was searched. It covers errors of signing, not those "
             "of volatilities or of who is a dealer.",
             "10 % and 90 % quantiles; Var Σx·g = Σ g²·var + Σ_j (Σ g·shared_j)²",
             "definitions, positions"),
        Term("glow", "A level that changed a moment ago stands on a lighter ground."),
    )),
    Chapter("Ladder", (
        Term("gamma", "Delta that dealers gain when spot rises 1 %. Long gamma: they sell into "
             "rises and buy falls. Short: they trade along with the move.",
             "Γ · x · 100 · S² · 0.01, x dealer contracts", "SqueezeMetrics 2017; $ per 1 %"),
        Term("charm", "Delta that dealers gain in the next hour with spot where it is. It is a "
             "finite step, since an instant's rate says nothing when hours are left.",
             "[Δ(S, T−h) − Δ(S, T)] · x · 100 · S, h = 1 h or what is left",
             "definitions, today's charm"),
        Term("vanna", "Delta that dealers gain when volatility rises one point.",
             "∂Δ/∂σ · 0.01 · x · 100 · S", "definitions, one contract"),
        Term("vega", "Premium that dealers gain when volatility rises one point; not times spot.",
             "∂V/∂σ · 0.01 · x · 100", "definitions, one contract"),
        Term("delta", "The options' own delta in dollars, before any hedge.", "Δ · x · 100 · S"),
        Term("decay", "Delta that dealers gain until settlement if spot stays: all that remains "
             "to be traded by the close.", "(1{K<S} − Δ) · x · 100 · S",
             "definitions, today's charm"),
        Term("dealer holds ±sd", "Contracts, calls and puts together, under the sign view; long is "
             "+. The standard deviation stands beside what is inferred; an assumption has none.",
             "x = prior + Σ m·q·(2π−1); Var = Σ q²(m·4π(1−π) + m(1−m)(2π−1)²) + prior",
             "definitions, positions; q size, π P(dealer bought), m P(a dealer was in it)"),
        Term("volume, open int.", "Contracts traded today, and open at the last close; calls, "
             "puts."),
    )),
    Chapter("Levels on the axis", (
        Term("┄ flip", "Spot at which the whole book's gamma changes sign, every option priced "
             "anew there. Where the profile has several zeros, the nearest; others are fainter. "
             "“none” means it keeps its sign; a sum by strike gives another number that is none.",
             "zero of Σ Γ(s) x 100 s² 0.01 in s, sticky strike", "definitions, gamma"),
        Term("▪ call, ▪ put", "Walls: the strikes with the largest gamma of calls, and of puts."),
        Term("▴ ▾ LIS", "Lines in the sand. BofA: the strikes below and above spot where charm is "
             "largest. GEX and Anti-GEX: where the total charm changes sign.",
             "BofA: argmin/argmax of charm; else zeros of C(s)", "white paper 2023, 7 and 8a"),
        Term("◎ target", "Where total charm comes to zero as spot moves there. BofA has none.",
             "zero of C(s) = Σ x · charm(s), nearest strike", "white paper 2023, 7"),
        Term("+1σ −1σ", "One standard deviation of spot until settlement, from today's volatility "
             "at the money."),
    )),
    Chapter("Whose book it is", (
        Term("sign view", "Whose side dealers are taken to be on: inferred from the tape (flow, "
             "combined) or assumed (the four conventions). It changes every number with a sign."),
        Term("flow", "Today's signed trades alone, since the epoch: what dealers gained, not what "
             "they hold. Each print counts by how sure its side is.", "Σ m·q·(2π − 1)",
             "definitions, positions"),
        Term("combined", "Today's signed trades on top of a prior, cut to what can be open.",
             "prior + flow, |x| ≤ open interest + volume", "definitions, positions"),
        Term("prior", "What stands behind today's trades: the book carried over from recorded "
             "days, else a convention on open interest, or nothing (today's expiry, by default). "
             "It has a variance of its own."),
        Term("epoch, since", "From when trades have been signed. What was traded before is known "
             "to nobody here."),
        Term("customer, dealer", "Customer = inferred initiator of a trade; dealer = whoever was "
             "on the other side. Some of those customers may be dealers of other maturities."),
        Term("signed", "Share of the printed volume whose initiator could be inferred, and on what "
             "evidence. It says nothing about how often that is right: `gexterm accuracy` does."),
        Term("by: the evidence", "venue: the venue says. size: as large as the quote on one side, "
             "so a resting order was filled. outside, at quote: beyond the quote, at the bid or "
             "offer. fair value, inside: nearer one side. depth, next tick: at mid. package: leg "
             "of a whole with a price of its own. auction: price-improved.", "",
             "Lee & Ready 1991; Grauer, Schuster & Uhrig-Homburg, SSRN 4098475"),
        Term("not: unsigned", "mid: at mid, and nothing tells. cross, floor, late, opening, "
             "tied to stock, compression: conditions whose price says nothing. no quote, stale, "
             "crossed, one-sided, pre-open: no quote to sign against. unknown: a condition in no "
             "table. unsolved: a package without a price. They count half to either side."),
        Term("OI unexplained", "Share of open interest that no recorded tape explains: there the "
             "book is its prior."),
        Term("printed", "Share of the volume that the venue reports that came as prints."),
        Term("capped", "Contracts whose position was cut to open interest plus volume."),
        Term("cancels unmatched", "Cancels that name no print we have; out of order, unknown "
             "condition: prints counted, and not signed calmly."),
        Term("SIGNING TRAP", "Many prints have the size of the quote, nearly all on one side. If "
             "those are resting customers, the rule takes them for the opposite: the sign of the "
             "whole side may be wrong. The bands are widened; nothing here can tell which it is.",
             "", "definitions, positions"),
        Term("carried book", "How far the book carried over was from what this morning's open "
             "interest allows."),
    )),
    Chapter("0DTE paradigm", (
        Term("P(label)", "Probability of each label, Mixed included, as positions leave it open. "
             "Below 60 % the label is only leaned towards, and dim. A convention has none: it is "
             "assumed, not measured, and its error is not known.",
             "share of books drawn from the positions' errors that read so",
             "definitions, positions"),
        Term("BofA", "Charm − below spot, + above: as time passes dealers buy on account of the "
             "strikes below and sell on account of those above.", "", "white paper 2023, 7"),
        Term("GEX", "− and −: dealers buy on both accounts.", "", "white paper 2023, 7"),
        Term("Anti-GEX", "+ and +: dealers sell on both accounts.", "", "white paper 2023, 7"),
        Term("Sidial", "+ below, − above. Sources disagree on whether spot is drawn to the balance "
             "point or avoids it.", "", "white paper 2023, 7"),
        Term("Mixed", "One side is less than a tenth of the gross: no label.",
             "side counts above 10 % of Σ|charm|, until it falls below 4 %",
             "definitions, the paradigm"),
        Term("PURE LIS TARGET MESSY", "All of one kind; spot within 0.15 % of a line; of the "
             "target; or a side that holds less than 65 % of its own sign.", "",
             "definitions, the paradigm"),
        Term("left out", "Strikes whose |delta| is under .03 are not counted, calls and puts "
             "alike; the share of gross charm that this cuts.", "min(|Δ|, 1−|Δ|) < .03",
             "white paper 2023"),
        Term("2023 study", "What became of this label at this time of day in the white paper's 144 "
             "days, and in how many of them it was read. Self-published, without costs; the "
             "readings of one day are not independent. A record of other days, never a promise. "
             "Mixed and No data have none.", "successes / occurrences of its tables",
             "Volland / Ad Deum Funds 2023, tables 2, 3, 6, 7"),
        Term("placebo", "How often a driftless normal with today's remaining σ does the same: what "
             "any claim about the lines has to beat; not a forecast.",
             "inside: N(upper) − N(lower) in σ", "definitions, the paradigm"),
    )),
    Chapter("Hedge flow, gamma, regime, views", (
        Term("hedge flow", "Dollars of the underlying that dealers have to trade when spot, "
             "volatility or time moves by so much.", "−(GEX·ΔS + vanna·Δσ + charm·h)",
             "definitions, hedge flow"),
        Term("regime", "Gamma state, skew (25-delta put less call volatility over at-the-money, 30 "
             "days) and term structure (9, 30 and 90 day variance indices), and what they come to.",
             "", "definitions, regime"),
        Term("hedged so far", "What dealers should have traded since the session was first seen, "
             "added up tick by tick with the book before each, by what made them: spot's move, "
             "volatility's change, time. Beside it what spot did, and what was not seen.",
             "−Σ (gamma·ΔS), −Σ (vanna·Δσ), −Σ (charm·Δt)", "definitions, hedge flow"),
        Term("γ short? 71%", "The band of gamma contains zero: its sign is open, and its size is "
             "not shown. The per cent is P of the sign before it.", "P(G(S) < 0)"),
        Term("sign views ≠", "The same market under each view: sign of gamma with its P, flip, "
             "paradigm with its P. ≠ stands before what differs from the chosen view. Where views "
             "differ, the conclusion rests on the assumption and not on the data."),
    )),
    Chapter("The whole book", (
        Term("≤ 30 d, > 30 d", "Near and far expiries apart: they often lean opposite ways. The "
             "band is that of the whole."),
        Term("vanna stoch.", "Vanna over its largest size along spot. ±1: vega changes with spot "
             "as fast as it can; 0: vega is at an extreme. Expiries after today.",
             "P′(S) / max |P′(s)|, s within ±20 %",
             "definitions, the whole book; white paper 2023, 6c"),
        Term("vega depth", "Size of vega over its largest along spot: 1 at an extreme, 0 far away.",
             "|P(S)| / max |P(s)|", "definitions, the whole book"),
        Term("beta today", "Vol points per 1 % of spot, by our own 30-day variance index, a "
             "regression over the day's minutes; ± its standard error.", "Δvol = β · ΔS %",
             "definitions, the whole book"),
        Term("over-vixed", "Vol points by which the index stands above what spot's move alone "
             "would have made at the reference beta; under-vixed below.",
             "Δvol − β_ref · ΔS %", "definitions, the whole book"),
    )),
    Chapter("Can it be trusted", (
        Term("LIVE DELAYED REPLAY SIMULATED", "How the data reaches the screen. Anything but LIVE "
             "stands on a coloured ground in the top line, always."),
        Term("HELD", "The screen stands still because you told it to; the live market, its "
             "recording and its alerts go on."),
        Term("time", "The clock is the market's, in New York; it stands still when a replay does. "
             "Time left runs to the contract's own settlement, half days included."),
    )),
    Chapter("The status line", (
        Term("connecting, live", "No connection stands yet; one stands, and rows come."),
        Term("stale", "Connected, and nothing comes though the market is open. The last numbers "
             "stay and grow old."),
        Term("reconnecting", "The connection was lost: which try, and in how many seconds; the "
             "reason stands at the right. The last numbers stay and grow old; what took place "
             "meanwhile is fetched afterwards where the venue can."),
        Term("refused", "Another try would end the same way; the reason says what to do."),
        Term("closed, ended", "Nothing more comes: given up, and the reason; or a replay is over."),
        Term("● rec 12 MB", "The session is being recorded, so much so far. A red dot: with "
             "losses, see the reason.", "bytes written · 10⁻⁶"),
        Term("● NOT RECORDED", "It cannot be, and the reason stands beside it until it can. It is "
             "tried again every minute."),
        Term("rec off", "Not recorded: it shall not be."),
        Term("flow since 10:32", "Prints are known without interruption since then. What was "
             "traded before, and is not in the book carried over, is missing from flow and "
             "combined. After a gap that could not be filled it moves to where the gap ended.", "",
             "definitions, health"),
        Term("gaps", "Prints missing: those that the venue's own numbers prove to be, and that "
             "could not be had later. Without such numbers it is 0, and says only that nothing "
             "was noticed.", "", "definitions, health"),
        Term("dropped, reconnects", "Messages let go because we were too slow; connections made "
             "anew. Should be zero."),
        Term("age, p99", "Age of the middle quote, and of the oldest in a hundred.",
             "market time − time of the quote: median, 99th percentile; not of what has settled"),
        Term("600 of 21k contracts", "The window: contracts that are quoted, of those listed; in "
             "full where there is room. It moves with spot. The others keep their last known "
             "volatility or none; their prints count where the venue sends them.",
             "|K − S| ≤ S · max(4 · vol · √T, 1.5 %), the nearest expiry first, up to the limit",
             "live, settings: sigmas, days, contracts"),
        Term("quoted", "Share of contracts that have a bid and an offer."),
        Term("ev/s, tick", "Rows of quotes, prints and the like per second, over five seconds; "
             "work for the last Reading, in ms."),
        Term("off parity, crossed", "Contracts whose quotes break the parity of calls and puts of "
             "their expiry; whose bid is not below the offer."),
        Term("⚠ … +2", "The first of what must be known, and how many more there are."),
    )),
    Chapter("Start", (
        Term("sample feeds", "Recordings that come with the program. They are synthetic: made by "
             "seeded scripts, whose true dealer book is known."),
        Term("live", "Venues. ● ready: can be opened now. ○: what is missing, and how to get it. "
             "A live session is recorded unless the settings say otherwise."),
        Term("recordings", "What live sessions and imports left, the newest first."),
        Term("ribbon", "The paradigms of a recorded day in equal parts: B BofA, G GEX, A Anti-GEX, "
             "S Sidial, M Mixed; ▬ goes on with the one before. Read by our own engine under the "
             "sign view of the settings, which is an inference too."),
    )),
    Chapter("Views", (
        Term("● and ▸", "The view that every other screen shows, and the cursor. Enter uses the "
             "view under the cursor."),
        Term("≠", "Differs from the chosen view: another sign of gamma, a flip more than a quarter "
             "of a per cent of spot away (or none), another paradigm."),
        Term("charm below, above", "0DTE charm of strikes below and above spot in dollars per "
             "hour, and what dealers then do; the four paradigms are the four pairs of signs.",
             "Σ over strikes K < S, K > S of [Δ(S, T−h) − Δ(S, T)] · x · 100 · S",
             "Ad Deum Funds 2023, sections 6 and 7"),
        Term("the axis", "Every view's flip, lines in the sand and target on one axis of prices. "
             "Where marks of many views lie above each other they agree, whatever the sign."),
        Term("per cent", "P(that sign), P(that label), where positions carry an uncertainty. A "
             "convention has none: how wrong it is cannot be known from its own numbers."),
    )),
    Chapter("Timeline", (
        Term("the lines", "Spot is the strong one. ▴ ▾ LIS unbroken, ┄ flip dashed, ◎ target "
             "dotted, ▪ call wall dash and dot, ▪ put wall pairs of dots; the pattern stands "
             "before its present value at the right. A line that was not there leaves a gap. "
             "▲ ▼: it lies beyond what is shown."),
        Term("whose lines", "Lines, paradigm and flow of the chosen view and scope only; rows of "
             "another book are not drawn on. Spot is the same under every view."),
        Term("not seen", "Minutes without a Reading: nothing ran, or the feed was gone. They stay "
             "blank. In a replay also what was jumped over."),
        Term("dotted cone", "±1σ of spot until settlement, from now on. Not a forecast.",
             "S ± σ·√(t/T)", "definitions, today's charm"),
        Term("B G A S M", "The paradigm in every cell: BofA, GEX, Anti-GEX, Sidial, Mixed; · no "
             "data. Below it P of that label as a bar, and when each began. Under a convention "
             "there is no P."),
        Term("· ◆ ⚠ ◇", "Alerts by severity: good to know, look now, do not rely on it. Dim, and "
             "◇ for a change of the paradigm: it lies ahead in a replay that was wound back, and "
             "has been seen before."),
        Term("hedged since", "What dealers should have traded since then, because spot moved, "
             "volatility changed, time passed; bought is up. Seconds that were not seen are not "
             "in it.", "−(gamma·move + vanna·Δσ + charm·time), added up tick by tick",
             "definitions, hedge flow"),
        Term("GEX, signed", "Where there is room: GEX of the scope per 1 %, long above and short "
             "below zero, and the share of the printed volume that carries a sign."),
        Term("the cursor", "Reads what was known then: nothing is looked up later. Enter goes "
             "there, to the alert or change under it if there is one."),
    )),
    Chapter("Expiries", (
        Term("●", "Expiries of the chosen scope: those behind flip, walls and the ladder. Today's "
             "is bold."),
        Term("charm $/day", "Delta that dealers gain in a calendar day with spot where it is; of "
             "what settles within a day, until it does, since an instant's rate says nothing "
             "there.", "∂Δ/∂t · x · 100 · S; (1{K<S} − Δ) · x · 100 · S within a day",
             "definitions, one contract"),
        Term("together", "Sums of the columns. “of 11 or more”: a column has expiries for which "
             "it is not known, and sums the others."),
        Term("ATM iv, forward", "Volatility at the parity forward, and that forward.",
             "F = K + e^{rT}(C − P), robust over strikes", "definitions, forwards and smiles"),
        Term("smile", "How volatilities between quotes are made: svi, spline, line, flat; “n of m "
             "strikes quoted” counts strikes with a volatility on both sides."),
        Term("term", "Contango: volatility rises with time. The two ratios are of our variance "
             "indices of 9 and 30, and of 30 and 90 days; above 1 is inverted. Days on the axis "
             "stand at their square roots. ⠂⠐: as it was first seen today.",
             "r = σ9 / σ30, σ30 / σ90", "definitions, regime"),
        Term("ticks, dots", "Volatility of bid to offer of the out-of-the-money side; a dot has "
             "one side alone. Dim: not changed for a minute. The line is what greeks are "
             "computed with, dim where the strike is not quoted on both sides."),
        Term("◂ ▸ 25Δ skew", "Where a put and a call have a forward delta of 25, and the "
             "volatility of the put less that of the call. A dash: quotes do not reach there.",
             "σ(25Δ put) − σ(25Δ call)", "definitions, regime"),
    )),
    Chapter("Tape", (
        Term("├──●────┤", "Where the print lay between the bid and the offer in force when it was "
             "judged. On the offer a customer bought and the dealer sold; beyond the quote the "
             "mark points outwards."),
        Term("▲ bought, ▼ sold", "What the dealer is inferred to have done, with P of it; pale "
             "below 80 %. Customer = the inferred initiator, dealer = the one on the other side."),
        Term("Δ gained", "Delta that the dealer is inferred to have gained by the print.",
             "(2·P(bought) − 1) · P(a dealer was in it) · Δ · size · multiplier · S",
             "definitions, positions"),
        Term("evidence", "What signed the print, or why it has no side; then the sale's "
             "condition, and the package it is a leg of."),
        Term("f, F", "The filter: prints of at least 1, 5, 10, … contracts. Shares of volume "
             "above are of the whole tape."),
        Term("changed most", "Strikes whose dealer position, and whose exposure in the chosen "
             "greek, changed most against 5, 15 and 30 minutes ago, under the same view. "
             "Positions change by trades alone; greeks change with spot and time, too.",
             "x(now) − x(then), strikes listed at both times"),
    )),
    Chapter("Health", (
        Term("quote age by strike", "Seconds since the older side of a strike's quotes changed, "
             "among the expiries of the scope; ten times the age is a quarter of the bar. A "
             "market that does not move has old quotes that are true."),
        Term("as of → screen", "From the moment that a Reading stands for to the moment that it "
             "is on the screen, in a live market: the wait for the tick, the work, the paint. "
             "Half of the readings lie below the first number.",
             "wall clock − as of − delay by design"),
        Term("tick, paint", "Work for one Reading, and for showing it; median and 99 % of the "
             "last frames. A tick that takes longer than its spacing costs Readings, never data."),
        Term("unexplained", "Share of the scope's open interest that no tape we have explains: "
             "what the combined view fills with its prior."),
    )),
    Chapter("Profile and what if", (
        Term("the curves", "The exposure of the scope if spot were elsewhere, every option priced "
             "anew there; gamma per 1 %, charm per hour, vanna and vega per vol point, delta in "
             "dollars. Above zero dealers are long, or sell; below it short, or buy. ○ and a "
             "price: where the curve changes sign. ‹2 3›: so many levels lie beyond the ends.",
             "E(s) = Σ x · g(s), sticky strike", "definitions, gamma"),
        Term("grid of dots", "The 80 % band of the curve. Where it contains zero the sign there is "
             "open. The axis shows it up to one and a half times the curve's own size."),
        Term("WHAT IF", "Another market: spot, every volatility, the clock. It is relative and "
             "stays while the market goes on. Nobody trades in it: positions are today's. What is "
             "supposed is in the colour of a replay. …: the answer is on its way, and what is "
             "shown belongs to the question before."),
        Term("now → what if", "The whole book of one moment, and the same under the supposition; "
             "what changes is marked. A dash has its reason beside it. `hedge` rows: dollars that "
             "dealers have to trade when that happens from there; buy? sell?: the sign is open.",
             "", "definitions, hedge flow"),
        Term("notes of a what-if", "Which volatilities were kept and what was cut: no later than "
             "today's settlement, no volatility below zero."),
    )),
    Chapter("Heat map", (
        Term("the map", "Each cell is what dealers hold, or gain, at a strike in so many minutes. "
             "Two hues for the two signs, five steps for the size, and blank below 4 % of `full`; "
             "cells below zero are ruled ╌, or on terminals without colours drawn with bars that "
             "rise instead of dots that thicken."),
        Term("full", "What the darkest step stands for: 98 of 100 cells are within it. It changes "
             "seldom and in steps, so that a cell that darkens is news.",
             "98 % quantile of |value|, rounded up"),
        Term("if nothing changes but the clock", "Right of now: the same positions at the same "
             "spot and volatilities at later times. No forecast: somebody will trade, and spot "
             "will move. Positions have none.", "x · g(S, σ, T − t)", "definitions, today's charm"),
        Term("╱ and –", "╱: no Reading of this book then: before the session, a gap, or another "
             "view or scope. –: nothing is known of that strike."),
        Term("━ and ╌", "Spot's way so far, to the row; after now where it stands."),
        Term("this view since", "The minutes before were seen under another view or scope. They "
             "are not mixed in."),
        Term("position, position flow", "Contracts: what dealers hold, and what they gained by "
             "signed trades. They come after the last greek.", "x, Σ m·q·(2π − 1)",
             "definitions, positions"),
    )),
    Chapter("Time", (
        Term("PAST 10:35", "The recorded past of a live session, with an engine of its own. Live "
             "goes on beside it: it is recorded, its alerts come as notices and are counted. L "
             "shows it again; so does playing to the end of what is recorded."),
        Term("a tick", "One Reading of the grid: the distance between two follows the speed, from "
             "a tenth of a second at ×1 to a minute at ×600. In a recording of a live session "
             "the ticks are those that were computed then."),
        Term("catching up 10:12 → 10:35", "A position is the sum of all prints since the open, so "
             "a time not seen yet is read up to, once a minute. A time seen before is gone on from "
             "a state kept nearby. A new wish takes the place of the one under way."),
        Term("looking for the next alert", "The recording is run through, a Reading each minute, "
             "until one raises an alert. Any time key stops where it has come to."),
        Term("━●─ the bar", "Where in the recording one is; ┿ an alert that has been seen, also "
             "ahead of now. A click goes there."),
    )),
)  # fmt: skip
"""Everything that the desk shows, panel by panel."""
