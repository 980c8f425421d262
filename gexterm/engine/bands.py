"""Means and standard deviations as the bands of a Reading."""

from __future__ import annotations

from gexterm.exposure.uncertainty import half_width
from gexterm.reading import model


def band(mean: float, sd: float) -> model.Band:
    """The band of a number that errs like a normal; empty where either is not known."""
    reach = half_width() * sd
    return model.Band(mean - reach, mean + reach)
