"""Version numbers as programs write them, to be compared. Pure."""

from __future__ import annotations

import re
from typing import Final

Version = tuple[int, ...]

_VERSION: Final = re.compile(r"v?([0-9]{1,9}(?:\.[0-9]{1,9}){1,5})(?![0-9.])(.*)", re.ASCII)
_BEFORE: Final = re.compile(r"[-~+.]?(?:rc|alpha|beta|pre|dev)", re.IGNORECASE)
_PLACES: Final = 6


def version(text: str) -> Version | None:
    """The numbers of `0.8.9-1a2b3c4d`, `v1.14.8-stable`, `5.1.6-0+deb12u1`; None for what is none.

    What follows the numbers is a build's name, but for a pre-release, which comes before them.
    """
    found = _VERSION.match(text)
    if found is None:
        return None
    numbers = [int(number) for number in found[1].split(".")]
    numbers += [0] * (_PLACES - len(numbers))
    return (*numbers, -1 if _BEFORE.match(found[2]) else 0)
