"""Times of the day as an operator writes them: `02:00-06:00`, `sat sun 02:00-06:00`.

Those of maintenance are in UTC; quiet hours are by the clock of a time zone.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BeforeValidator

from lptui.config.kinds import described, mistake, text_of
from lptui.config.mistakes import nearest, shown
from lptui.fleet.guards import DAYS, Window
from lptui.fleet.paging import zone_of

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
    """A time of day in UTC, on some days of the week or on all; raises the schema's mistake."""
    return _window(value, ", in UTC")


def local_window(value: object) -> Window:
    """The same by the clock of the time zone that stands beside it."""
    return _window(value, "")


def zone(value: object) -> str:
    """The name of a time zone that this machine knows."""
    from zoneinfo import available_timezones

    text = text_of(value, "a time zone like Europe/Berlin")
    try:
        zone_of(text)
    except (ValueError, KeyError, OSError):
        known = sorted(available_timezones())
        lowered = {name.lower().replace(" ", "_"): name for name in known}
        meant = lowered.get(text.lower().replace(" ", "_")) or nearest(text, known)
        raise mistake(f"no time zone '{shown(text)}' is known here", text, meant) from None
    return text


def _window(value: object, where: str) -> Window:
    text = text_of(value, f"a window like {_SHAPE}")
    if not _WINDOW.fullmatch(text):
        raise mistake(
            f"'{shown(text)}' is not a window like {_SHAPE}{where}", text, _meant(text.lower())
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
LocalWindowText = Annotated[
    Window, BeforeValidator(local_window), described(_SHAPE, f"^{_PATTERN}$")
]
ZoneName = Annotated[
    str, BeforeValidator(zone), described("a name of the IANA database, like Europe/Berlin")
]
