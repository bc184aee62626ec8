"""Numbers in remote text. What is not plainly a number is unknown, never zero."""

from __future__ import annotations

import re
from typing import Final

from lptui.fleet.units import Percent

_INTEGER: Final = re.compile(r"-?[0-9]{1,30}", re.ASCII)
_DECIMAL: Final = re.compile(r"[-+]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})", re.ASCII)


def integer(text: str) -> int | None:
    """A decimal integer of at most 30 digits, surrounding white space allowed."""
    stripped = text.strip()
    return int(stripped) if _INTEGER.fullmatch(stripped) else None


def count(text: str) -> int | None:
    """An integer that cannot be negative."""
    value = integer(text)
    return value if value is not None and value >= 0 else None


def decimal(text: str) -> float | None:
    """A decimal number without exponent; never NaN or infinite."""
    stripped = text.strip()
    return float(stripped) if _DECIMAL.fullmatch(stripped) else None


def percent(text: str) -> Percent | None:
    """0 to 100."""
    value = decimal(text)
    return Percent(value) if value is not None and 0 <= value <= 100 else None
