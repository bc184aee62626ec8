"""Comparing a figure with its two limits; a figure at a limit has reached it."""

from __future__ import annotations

from math import isnan

from lptui.fleet.finding import Severity


def over(value: float, warn: float, critical: float) -> Severity:
    """For figures that are bad when high; what is no number is unknown."""
    if isnan(value):
        return Severity.UNKNOWN
    if value >= critical:
        return Severity.CRITICAL
    return Severity.WARNING if value >= warn else Severity.OK
