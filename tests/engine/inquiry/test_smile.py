"""The smile of one expiry."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gexterm.clock import NS
from gexterm.engine.inquiry.inquirer import Inquirer
from gexterm.engine.inquiry.smile import smile
from gexterm.errors import ChainError, UsageError
from gexterm.market.contracts import Right
from gexterm.market.events import Quotes
from gexterm.pricing.black import greeks, price
from tests.engine.inquiry.books import asked, last_of, traded
from tests.engine.market import SPOT, VOL
from tests.engine.tapes import QUOTES, TEN, index_of, tick


def test_the_fit_lies_between_what_is_bid_and_what_is_offered() -> None:
    found = asked(view="flow").smile("2026-12-18", "SPXW")
    assert (found.root, found.expiry) == ("SPXW", "2026-12-18")
    both = np.isfinite(found.bid_iv) & np.isfinite(found.ask_iv)
    assert both.sum() > 10
    assert np.all(found.bid_iv[both] < found.ask_iv[both])
    inside = (found.bid_iv <= found.fit_iv + 2e-4) & (found.fit_iv <= found.ask_iv + 2e-4)
    assert inside[both].mean() > 0.9
    assert found.atm_iv == pytest.approx(VOL, abs=2e-3)
    assert found.forward == pytest.approx(SPOT, rel=1e-4)
    assert np.all(np.diff(found.strikes) > 0.0)


def test_volatilities_of_bid_and_offer_give_their_prices_back() -> None:
    last = last_of(traded(view="flow"))
    found = smile(last.parts, "2026-11-20", "SPXW")
    layout, surface = last.parts.surface.layout, last.parts.surface
    at = next(
        i for i, e in enumerate(layout.expiries) if (e.root, str(e.date)) == ("SPXW", "2026-11-20")
    )
    rows = layout.slice(at)
    puts = found.strikes < found.forward
    for iv, quoted in ((found.bid_iv, last.parts.rows.bid), (found.ask_iv, last.parts.rows.ask)):
        wanted = np.where(puts, quoted[1, rows], quoted[0, rows])
        known = np.isfinite(iv)
        back = price(
            found.forward,
            found.strikes[known],
            found.years,
            surface.discount[at],
            iv[known],
            np.where(puts, -1.0, 1.0)[known],
        )
        np.testing.assert_allclose(back, wanted[known], rtol=1e-9)


def test_the_quarter_delta_strikes_have_a_quarter_delta() -> None:
    ask = asked(view="flow")
    found = ask.smile("2026-11-20", "SPXW")
    for strike, sign in ((found.put_25, -1.0), (found.call_25, 1.0)):
        iv = float(np.interp(strike, found.strikes, found.fit_iv))
        delta = greeks(found.forward, found.forward, strike, found.years, 1.0, iv, sign).delta
        assert abs(float(delta[0])) == pytest.approx(0.25, abs=2e-3)
    assert found.put_25 < found.forward < found.call_25
    assert found.skew_25 == pytest.approx(0.0, abs=3e-3)  # flat volatility
    # Strikes up to 3 % above spot say nothing of a month's quarter-delta call.
    far = ask.smile("2026-12-18", "SPXW")
    assert math.isnan(far.call_25)
    assert math.isnan(far.skew_25)


def test_roots_of_one_date_are_told_apart() -> None:
    ask = asked(view="flow")
    pm, am = (ask.smile("2026-11-20", root) for root in ("SPXW", "SPX"))
    assert pm.years > am.years


def test_what_is_not_listed_is_refused_with_what_is() -> None:
    ask = asked(view="flow")
    with pytest.raises(UsageError, match=r"no expiry SPY 2026-11-20 is listed.*SPX, SPXW"):
        ask.smile("2026-11-20", "SPY")
    with pytest.raises(UsageError, match="no expiry SPXW 1999-01-01"):
        ask.smile("1999-01-01", "SPXW")
    with pytest.raises(UsageError):
        ask.smile("nonsense", "")


def test_what_has_settled_is_refused() -> None:
    engine = traded(view="flow")
    tick(engine, 8 * 60.0)
    with pytest.raises(ChainError, match="SPXW 2026-11-13 has settled, on 2026-11-13 at 16:00 ET"):
        Inquirer(engine).smile("2026-11-13", "SPXW")


def test_ages_are_those_of_the_older_quote_and_one_sided_quotes_have_one_side() -> None:
    engine = traded(view="flow")
    who = np.array([index_of(100, Right.CALL)], np.int32)
    one = np.ones(1)
    engine.apply(
        Quotes(who, 0.0 * one, QUOTES.ask[who], one, one, np.array([TEN + 360 * NS], np.int64))
    )
    tick(engine, 6.5)
    found = Inquirer(engine).smile("2026-11-13", "SPXW")
    at = int(np.flatnonzero(found.strikes == SPOT + 100)[0])
    assert math.isnan(found.bid_iv[at])
    assert np.isfinite(found.ask_iv[at])
    assert found.quote_age_s[at] == 390.0  # the put's
