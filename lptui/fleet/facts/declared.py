"""What is known of a declared command's effect."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeclaredCheck:
    """What its `check` ended with for one target, and the last line that it said."""

    status: int
    said: str
