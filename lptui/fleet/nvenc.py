"""How many encoder sessions a host's driver allows at once. Pure.

NVIDIA limits consumer cards (GeForce, TITAN) to so many sessions for all of them in a machine
together; other cards are limited by their memory and speed alone. The limit has grown with the
drivers: 2, then 3, 5 from March 2023 (530), 8 from January 2024 (550); a later or a patched
driver may allow more, which the configuration can say (`nvenc_sessions`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lptui.fleet.facts.gpu import Gpu, HostGpus
from lptui.fleet.topology import UNLIMITED, Host

_BY_DRIVER: Final = ((550, 8), (530, 5), (450, 3), (0, 2))
"""The first major version of the driver, and its limit."""

_CONSUMER: Final = re.compile(r"\b(GeForce|TITAN)\b", re.IGNORECASE)
_NO_ENCODER: Final = re.compile(r"\b(A30|A100|A800|H100|H200|H800|H20|GH200|B100|B200|GB200)\b")
"""Data-centre cards without an encoder (NVIDIA's video encode and decode support matrix)."""


@dataclass(frozen=True, slots=True)
class NvencCap:
    """A limit of `sessions` at once on a host; `source` says whence it is known.

    `used` are those of the cards that it counts; None when not all of them tell.
    """

    sessions: int
    used: int | None
    source: str

    @property
    def left(self) -> int | None:
        return None if self.used is None else max(0, self.sessions - self.used)


def nvenc_cap(host: Host, found: HostGpus) -> NvencCap | None:
    """A host's limit; None where there is none."""
    if host.nvenc_sessions == UNLIMITED:
        return None
    if isinstance(host.nvenc_sessions, int):
        used = _sum([gpu.encoder_sessions for gpu in found.gpus])
        return NvencCap(host.nvenc_sessions, used, "as configured")
    counted = [gpu for gpu in found.gpus if _CONSUMER.search(gpu.name)]
    major = found.driver.partition(".")[0]
    if not counted or not major.isascii() or not major.isdigit():
        return None
    number = int(major[:6])
    sessions = next(cap for first, cap in _BY_DRIVER if number >= first)
    source = f"of driver {found.driver} for {counted[0].name}"
    return NvencCap(sessions, _sum([gpu.encoder_sessions for gpu in counted]), source)


def has_encoder(gpu: Gpu) -> bool:
    """Whether a card can encode at all; a card that is not known to lack one does."""
    return _NO_ENCODER.search(gpu.name) is None


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None
