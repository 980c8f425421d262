"""What an inferred book is not sure of is no news."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from gexterm.reading.model import Band, Positions, Reading
from tests.alerts.test_alerts import at, kinds, run


def sure(seconds: float, label: str, p: float, **more: Any) -> Reading:
    rest = "Mixed" if label != "Mixed" else "GEX"
    return at(seconds, paradigm=label, probability={label: p, rest: 1.0 - p}, **more)


def texts(*readings: Reading) -> list[str]:
    return [alert.text for alert in run(*readings)]


def test_a_label_is_told_once_it_is_sure() -> None:
    told = texts(
        sure(0, "GEX", 0.9), sure(10, "BofA", 0.5), sure(20, "GEX", 0.8), sure(30, "BofA", 0.7)
    )
    assert told == ["paradigm GEX in doubt (0%)", "paradigm in doubt → GEX (80%)",
                    "paradigm GEX → BofA (70%)"]  # fmt: skip


def test_a_label_that_stays_likely_is_not_taken_back() -> None:
    still = at(10, paradigm="BofA", probability={"BofA": 0.5, "GEX": 0.45, "Mixed": 0.05})
    assert texts(sure(0, "GEX", 0.9), still, sure(20, "GEX", 0.7)) == []


def test_a_null_day_whose_labels_flicker_says_nothing() -> None:
    labels = ["GEX", "BofA", "Mixed", "Sidial"] * 10
    assert texts(*(sure(600 * i, label, 0.35) for i, label in enumerate(labels))) == []


def test_mixed_gives_way_to_doubt_without_a_word() -> None:
    assert texts(sure(0, "Mixed", 0.9), sure(10, "GEX", 0.5)) == []


def test_lines_of_an_unlikely_label_are_not_watched() -> None:
    def walk(p: float) -> list[str]:
        spots = (2730.0, 2712.0, 2709.0)
        return kinds(*(sure(300 * i, "BofA", p, spot=s, lis_lower=2710.0)
                       for i, s in enumerate(spots)))  # fmt: skip

    assert walk(0.3) == []
    assert "lis touched" in walk(0.9)


def test_gamma_is_told_when_its_sign_is_sure() -> None:
    def gamma(seconds: float, state: str, short: float) -> Reading:
        return at(seconds, gamma={"state": state, "probability_short": short})

    assert kinds(gamma(0, "long", 0.05), gamma(10, "short", 0.7)) == []
    assert kinds(gamma(0, "long", 0.05), gamma(10, "short", 0.9)) == ["gamma changed"]
    assert kinds(gamma(0, "short", 0.95), gamma(10, "long", 0.1)) == ["gamma changed"]


def test_a_flip_that_may_lie_anywhere_on_one_side_is_none_to_cross() -> None:
    def walk(low: float, high: float) -> list[str]:
        gamma = {"flip": 2730.0, "probability_short": 0.5, "flip_band": Band(low, high)}
        spots = (2720.0, 2740.0, 2720.0)
        return kinds(*(at(600 * i, s, gamma=gamma) for i, s in enumerate(spots)))

    assert walk(2725.0, math.nan) == []
    assert walk(2725.0, 2736.0) == ["flip crossed", "flip crossed"]


def test_the_signing_trap_is_a_warning_said_once_while_it_lasts() -> None:
    def trapped(seconds: float, why: str) -> Reading:
        reading = at(seconds)
        return replace(reading, positions=Positions("flow", "trades", trap=why))

    why = "12% of signed volume is of quoted size, 90 % of it customers' sells"
    heard = run(trapped(0, ""), trapped(10, why), trapped(20, why), trapped(600, why))
    assert [(a.kind, a.severity) for a in heard] == [("signing doubtful", "warning")]
    assert heard[0].text == why
