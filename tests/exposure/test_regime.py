"""Gamma, skew and term, and what they come to."""

import numpy as np
import pytest

from gexterm.exposure.regime import (
    RegimeInputs,
    RegimeSettings,
    RegimeState,
    classify_lesson,
    classify_regime,
    gex_band,
)

NAN = float("nan")
CALM = {"iv_9d": 12.0, "iv_30d": 14.0, "iv_90d": 16.0, "skew": 0.2}
INVERTED = {"iv_9d": 30.0, "iv_30d": 25.0, "iv_90d": 22.0}


def read(state=None, **inputs):
    return classify_regime(RegimeInputs(**inputs), state)[0]


LONG, SHORT = {"gex": 5e9, "gross_gex": 20e9}, {"gex": -5e9, "gross_gex": 20e9}


@pytest.mark.parametrize(
    ("inputs", "composite"),
    [
        ({**CALM, **LONG}, "dampen"),
        ({**CALM, **SHORT}, "amplify"),
        ({**CALM, **SHORT, **INVERTED}, "stress"),
        ({**CALM, **LONG, **INVERTED}, "neutral"),
        ({**CALM, **LONG, **INVERTED, "skew_z": 2.5}, "stress"),
        ({**CALM, "gex": 0.2e9, "gross_gex": 20e9}, "neutral"),
        ({**CALM, **LONG, "flip_distance": -20.0, "sigma_day": 60.0}, "transition"),
        ({**CALM, **LONG, "flip_distance": -40.0, "sigma_day": 60.0}, "dampen"),
        ({**CALM, **SHORT, "paradigm_age_s": 600.0}, "transition"),
        ({**CALM, **SHORT, "paradigm_age_s": 1200.0}, "amplify"),
        ({**CALM, **SHORT, **INVERTED, "flip_distance": 1.0, "sigma_day": 60.0}, "stress"),
        (CALM, "unknown"),
        ({**SHORT}, "amplify"),
        ({}, "unknown"),
    ],
)
def test_the_composite_is_the_first_that_holds(inputs, composite) -> None:
    assert read(**inputs).composite == composite


def test_gamma_takes_a_side_outside_the_band_and_keeps_it_down_to_half() -> None:
    state = RegimeState()
    seen = []
    for gex in (1.9e9, 2.1e9, 1.1e9, 0.9e9, 1.5e9, -1.5e9, -2.5e9, -1.1e9, 2.1e9):
        reading, state = classify_regime(RegimeInputs(gex=gex, gross_gex=100e9), state)
        seen.append(reading.gamma)
    assert seen == [
        "neutral", "long", "long", "neutral", "neutral", "neutral", "short", "short", "long",
    ]  # fmt: skip


def test_the_band_needs_no_fixed_amount_until_there_is_a_history() -> None:
    settings = RegimeSettings()
    assert gex_band(RegimeInputs(gross_gex=30e6), settings) == pytest.approx(0.6e6)
    assert gex_band(RegimeInputs(gross_gex=30e9, gex_median=2e9), settings) == 0.5e9
    assert gex_band(RegimeInputs(gross_gex=30e9, gex_median=9e9), settings) == pytest.approx(0.9e9)
    assert np.isnan(gex_band(RegimeInputs(), settings))


def test_a_small_underlying_can_be_long_gamma() -> None:
    assert read(gex=8e6, gross_gex=30e6).gamma == "long"


def test_inversion_is_entered_above_and_left_below() -> None:
    state = RegimeState()
    seen = []
    for ratio in (1.01, 1.03, 1.01, 0.99, 1.01, 0.97):
        reading, state = classify_regime(RegimeInputs(iv_9d=ratio * 20.0, iv_30d=20.0), state)
        seen.append(reading.term)
    assert seen == ["flat", "inverted", "inverted", "flat", "flat", "contango"]


def test_either_end_of_the_term_structure_can_invert() -> None:
    assert read(iv_9d=12.0, iv_30d=16.0, iv_90d=14.0).term == "inverted"
    assert read(iv_30d=16.0, iv_90d=20.0).term == "contango"
    assert read(iv_9d=12.0).term == "unknown"


@pytest.mark.parametrize(
    ("skew", "z", "state"),
    [
        (0.05, NAN, "flat"),
        (0.2, NAN, "normal"),
        (0.4, NAN, "steep"),
        (0.6, NAN, "extreme"),
        (NAN, NAN, "unknown"),
        (0.2, -1.5, "flat"),
        (0.2, 0.0, "normal"),
        (0.2, 1.5, "steep"),
        (0.2, 2.0, "extreme"),
    ],
)
def test_skew_is_judged_by_its_history_where_there_is_one(skew, z, state) -> None:
    assert read(skew=skew, skew_z=z).skew == state


def test_the_inputs_are_shown_beside_the_states() -> None:
    shown = read(**CALM, **LONG).inputs
    assert shown["r_9_30"] == pytest.approx(12 / 14)
    assert shown["r_30_90"] == pytest.approx(14 / 16)
    assert shown["gex_band"] == pytest.approx(0.02 * LONG["gross_gex"])
    assert np.isnan(shown["skew_z"])


@pytest.mark.parametrize(
    ("gex", "flip", "z", "near", "far", "state"),
    [
        (1e9, 6000.0, 0.0, 0.9, 0.9, "long_gamma"),
        (-1e9, 6000.0, 0.0, 0.9, 0.9, "short_gamma"),
        (1e9, 6040.0, 0.0, 0.9, 0.9, "short_gamma"),
        (1e9, 6030.0, 0.0, 0.9, 0.9, "long_gamma"),
        (1e9, 6000.0, -2.0, 0.9, 0.9, "short_gamma"),
        (-1e9, 6040.0, -3.0, 1.03, 0.9, "vol_inverted"),
        (1e9, 6000.0, 0.0, 0.9, 1.021, "vol_inverted"),
        (1e9, 6000.0, 0.0, 1.02, 1.02, "long_gamma"),
        (1e9, NAN, NAN, NAN, NAN, "long_gamma"),
        (NAN, NAN, NAN, NAN, NAN, "unknown"),
        (NAN, NAN, NAN, 1.1, NAN, "vol_inverted"),
    ],
)
def test_the_lessons_own_classifier(gex, flip, z, near, far, state) -> None:
    got = classify_lesson(gex, 6000.0, flip, z, near, far)
    assert got["state"] == state


def test_the_lesson_says_which_trigger_fired() -> None:
    got = classify_lesson(1e9, 6000.0, 6040.0, 0.0, 0.9, 0.9)
    assert [k for k, v in got.items() if v is True] == ["below_flip"]
