"""Maintenance windows as an operator writes them: `02:00-06:00`, `sat sun 02:00-06:00`, in UTC."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BeforeValidator

from lptui.config.kinds import described, mistake, text_of
from lptui.config.mistakes import shown
from lptui.fleet.guards import DAYS, Window

_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_DAY: Final = "|".join(DAYS)
_PATTERN: Final = rf"(?:(?:{_DAY}) )*{_TIME}-(?:{_TIME}|24:00)"
_WINDOW: Final = re.compile(_PATTERN)
_LOOSE: Final = re.compile(
    r"(.*?)[\s,]*\b([0-9]{1,2})(?::?([0-9]{2}))?\s*(?:-|to|\u2013)\s*([0-9]{1,2})(?::?([0-9]{2}))?"
    r"(?:\s*(?:utc|z|gmt))?"
)
_SHAPE: Final = "'02:00-06:00' or 'sat sun 02:00-06:00'"


def window(value: object) -> Window:
    """A time of day, on some days of the week or on all; raises the schema's mistake."""
    text = text_of(value, f"a window like {_SHAPE}")
    if not _WINDOW.fullmatch(text):
        raise mistake(
            f"'{shown(text)}' is not a window like {_SHAPE}, in UTC", text, _meant(text.lower())
        )
    *days, times = text.split(" ")
    begins, ends = (_minutes(part) for part in times.split("-"))
    if begins == ends:
        raise mistake(f"'{text}' ends when it begins", text, _whole_day(days))
    return Window(begins, ends, tuple(day for day in DAYS if day in days))


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _whole_day(days: list[str]) -> str:
    return " ".join((*days, "00:00-24:00"))


def _meant(text: str) -> str:
    """The same in the form that is taken: of `Mon-Fri 2:00 - 6:00`, `monday, tuesday 2-6`."""
    found = _LOOSE.fullmatch(text)
    days = _days(found[1]) if found else None
    if found is None or days is None:
        return ""
    times = f"{int(found[2]):02}:{found[3] or '00'}-{int(found[4]):02}:{found[5] or '00'}"
    meant = " ".join((*days, times))
    return meant if _WINDOW.fullmatch(meant) else ""


def _days(text: str) -> list[str] | None:
    """Days of the week in words that people use; None of anything else."""
    found: list[str] = []
    for word in re.split(r"[\s,]+", text.strip()):
        first, dash, last = (part[:3] for part in word.partition("-"))
        if word in ("", "daily"):
            continue
        if first not in DAYS or (dash and last not in DAYS):
            return None
        length = (DAYS.index(last) - DAYS.index(first)) % 7 if dash else 0
        found += [DAYS[(DAYS.index(first) + day) % 7] for day in range(length + 1)]
    return found


WindowText = Annotated[
    Window, BeforeValidator(window), described(f"{_SHAPE}, in UTC", f"^{_PATTERN}$")
]
