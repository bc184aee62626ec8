"""Backups that the operator declares on a host. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backup:
    """A file, or the newest of some, that must be there.

    Attributes:
        path: absolute, on its host; may be a shell pattern.
        max_age_s, min_size: seconds and bytes.
        checksum: whether `PATH.sha256` beside it must agree.
    """

    name: str
    path: str
    max_age_s: float = 86_400.0
    min_size: int = 1
    checksum: bool = False
