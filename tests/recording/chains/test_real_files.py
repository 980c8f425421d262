"""Real chain files, against counts made independently with awk."""

from __future__ import annotations

import numpy as np
import pytest

from gexterm.errors import InputError
from gexterm.market import calendar
from gexterm.market.chain import Chain
from gexterm.market.contracts import Settlement
from gexterm.market.settlement import expiry_of
from gexterm.recording.chains import ChainFile, read_chain
from tests.shared_data import shared


def loaded(chain_file: ChainFile) -> Chain:
    chain = Chain(expiry_of)
    for event in chain_file.events:
        chain.apply(event)
    return chain


@pytest.mark.parametrize(
    ("name", "at", "underlying", "as_of", "contracts", "expiries", "oi", "volume"),
    [
        ("spx_2022-07-12_1155ET", None, "SPX", "2022-07-12 11:40", 19378, 52, 15716365, 731347),
        ("spx_2023-09-14", None, "SPX", "2023-09-14 16:31", 19920, 59, 20386854, 2839885),
        ("ndx_2022-12-12", None, "NDX", "2022-12-12 20:31", 19118, 42, 171001, 21594),
        ("spxw_2019-06-26_1545ET", None, "SPX", "2019-06-26 15:45", 10384, 30, 4978964, 677449),
        (
            "spy_2023-06-0x_1515ET", "2023-06-05 15:00", "SPY", "2023-06-05 15:00",
            7686, 31, 19102298, 6107184,
        ),
    ],
)  # fmt: skip
def test_a_real_file_loads_whole(
    name: str,
    at: str | None,
    underlying: str,
    as_of: str,
    contracts: int,
    expiries: int,
    oi: int,
    volume: int,
) -> None:
    file = read_chain(shared(f"chains/{name}.csv"), at=at)
    chain = loaded(file)
    layout = chain.layout()
    assert file.underlying == underlying
    assert calendar.et(file.as_of).strftime("%Y-%m-%d %H:%M") == as_of
    assert len(chain) == contracts
    assert len(layout) == contracts // 2 and (layout.contract >= 0).all()
    assert len(layout.expiries) == expiries
    assert np.nansum(chain.column("open_interest")) == oi
    assert np.nansum(chain.column("volume")) == volume
    assert chain.spot > 0
    assert not any("refused" in warning or "skipped" in warning for warning in file.warnings)


def test_spx_roots_of_real_pages_are_third_fridays_and_their_spxw_twins_stay_apart() -> None:
    file = read_chain(shared("chains/spx_2022-07-12_1155ET.csv"))
    layout = loaded(file).layout()
    by_date: dict[object, set[str]] = {}
    for expiry in layout.expiries:
        by_date.setdefault(expiry.date, set()).add(expiry.root)
        if expiry.root == "SPX":
            assert expiry.settlement is Settlement.AM
            assert expiry.date == calendar.third_friday(expiry.date.year, expiry.date.month)
    twins = [date for date, roots in by_date.items() if roots == {"SPX", "SPXW"}]
    assert len(twins) >= 5
    am, pm = (i for i, e in enumerate(layout.expiries) if e.date == twins[0])
    shared_strikes = set(layout.strike[layout.slice(am)]) & set(layout.strike[layout.slice(pm)])
    assert len(shared_strikes) > 50


def test_the_zero_dte_of_an_in_session_page_is_alive_and_after_the_close_it_is_not() -> None:
    for name, alive in (("spx_2022-07-12_1155ET", True), ("spx_2023-09-14", False)):
        file = read_chain(shared(f"chains/{name}.csv"))
        today = calendar.et(file.as_of).date()
        (expiry,) = [e for e in loaded(file).layout().expiries if e.date == today]
        assert expiry.settled(file.as_of) is not alive


def test_the_broken_date_of_the_spy_page_asks_for_at() -> None:
    with pytest.raises(InputError, match=r"'4 June 4, 3:15 PM EDT'.*--at"):
        read_chain(shared("chains/spy_2023-06-0x_1515ET.csv"))
