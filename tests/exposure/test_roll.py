"""A spot that is not of the moment of the quotes does not make charm."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from tests import truth


def test_a_spot_a_third_of_a_percent_old_leaves_charm_that_of_the_true_carry(tmp_path):
    from gexterm.config import Settings
    from gexterm.engine.oneshot import read_chain_file

    series = [("SPXW", "2023-12-12"), ("SPX", "2023-12-15"), ("SPXW", "2023-12-22")]
    when = truth.at("2023-12-12", "11:30")
    market = truth.make("SPX", when, 4630.4, series, step=5, tick=0.01)
    stated = 4630.4 * 1.003
    path = tmp_path / "page.csv"
    made = when + dt.timedelta(minutes=15)
    stamp = f"December 12, 2023 at {made:%I:%M %p} EST"
    path.write_text(truth.quote_page(market, stamp, spot=str(stated)))
    zero = read_chain_file(path, Settings(), view="customer-flow").zero_dte
    real = truth.expected(market, "customer-flow", spot=stated)
    slack = 0.02 * real.charm_gross
    assert zero.charm_below == pytest.approx(real.below, abs=slack)
    assert zero.charm_above == pytest.approx(real.above, abs=slack)
    assert zero.paradigm == real.paradigm == "Anti-GEX"
    # What the page's spot would roll off until settlement is far more than that.
    rolled = abs(np.log(stated / market.lines[0].forward)) * stated / 4.5
    assert rolled > 3.0
