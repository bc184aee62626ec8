"""The output of `nvidia-smi --query-…`, by position: drivers rename the headers at will."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.gpu import Gpu, GpuProcess
from lptui.fleet.units import Percent
from lptui.probes.gpu.commands import EVENT_REASONS, THROTTLE_REASONS
from lptui.probes.numbers import count, decimal, percent
from lptui.text import clean

LOST_CARD: Final = re.compile(r"unable to determine the device handle|GPU is lost", re.IGNORECASE)
"""A line instead of a card's: it has fallen off the bus."""
UNKNOWN_FIELD: Final = "is not a valid field to query"
NO_DEVICES: Final = "No devices were found"

_CUDA: Final = re.compile(
    r"^CUDA (?:UMD )?Version\s*:\s*([0-9]{1,3}\.[0-9]{1,3})\s*$", re.ASCII | re.MULTILINE
)

_SICK: Final = ("requires reset", "is lost")
_DOUBTFUL: Final = ("[unknown error]", "err!")
_MANY: Final = 3
"""Instead of a value: the card, not the field, is the trouble; the doubtful ones when there are
many, because some healthy cards say so of their fan or power."""

_MIB: Final = 1024 * 1024
_MASK: Final = re.compile(r"0x[0-9a-fA-F]{1,16}", re.ASCII)
_STATE: Final = re.compile(r"P[0-9]{1,2}", re.ASCII)
_MOST_CARDS: Final = 64
_MOST_PROCESSES: Final = 1000


def parse_cards(text: str, fields: Sequence[str]) -> tuple[tuple[Gpu, ...], str]:
    """The cards, and the driver's version ("" where it was not asked for or not said).

    Lines about a lost card are passed over. Raises BadAnswerError when another line has not one
    value for each field, or names no card.
    """
    cards: list[Gpu] = []
    driver = ""
    for line in text.split("\n"):
        if not line.strip() or LOST_CARD.search(line):
            continue
        values = _joined(_row(line), fields)
        if len(values) != len(fields):
            raise BadAnswerError(
                "nvidia-smi",
                f"{len(values)} values for {len(fields)} fields: {clean(','.join(values), 80)!r}",
            )
        row = dict(zip(fields, values, strict=True))
        cards.append(_card(row))
        driver = driver or _said(row.get("driver_version", ""))
    if not cards:
        raise BadAnswerError("nvidia-smi", "it ended well but printed no card")
    if len(cards) > _MOST_CARDS:
        raise BadAnswerError("nvidia-smi", f"{len(cards)} cards in one machine")
    return tuple(cards), driver


def parse_processes(text: str) -> tuple[GpuProcess, ...]:
    """`uuid, pid, name, MiB`; lines that are none are left out.

    A name may contain a comma, so the outer fields count from both ends.
    """
    found: list[GpuProcess] = []
    lines = [line for line in text.split("\n") if line.strip()]
    for values in map(_row, lines[:_MOST_PROCESSES]):
        pid = count(values[1]) if len(values) >= 4 else None
        if pid is None:
            continue
        name = _said(", ".join(values[2:-1]))
        found.append(GpuProcess(clean(values[0], 80), pid, name, _mebibytes(values[-1])))
    return tuple(found)


def parse_cuda(text: str) -> str:
    """The CUDA version in the head of the long report; "" when it does not say."""
    found = _CUDA.search(text)
    return found[1] if found else ""


def _row(line: str) -> list[str]:
    """nvidia-smi puts nothing in quotes, whatever a name holds."""
    return [value.strip() for value in line.split(",")]


def _joined(values: list[str], fields: Sequence[str]) -> list[str]:
    """A card's name may contain a comma."""
    extra = len(values) - len(fields)
    if extra <= 0 or "name" not in fields:
        return values
    at = fields.index("name")
    return [*values[:at], ", ".join(values[at : at + extra + 1]), *values[at + extra + 1 :]]


def _card(row: Mapping[str, str]) -> Gpu:
    index, uuid = count(row.get("index", "")), clean(row.get("uuid", ""), 80)
    if index is None:
        raise BadAnswerError("nvidia-smi", f"no card's index: {clean(row.get('index', ''), 40)!r}")
    mask = row.get(EVENT_REASONS, row.get(THROTTLE_REASONS, ""))
    state = row.get("pstate", "")

    def of(field: str, read: Callable[[str], float | None]) -> float | None:
        return read(row.get(field, ""))

    def share(field: str) -> Percent | None:
        return percent(row.get(field, ""))

    return Gpu(
        index=index,
        uuid=uuid,
        name=_said(row.get("name", "")) or "unnamed",
        temperature_c=of("temperature.gpu", decimal),
        fan=share("fan.speed"),
        power_w=of("power.draw", _positive),
        power_limit_w=of("power.limit", _positive),
        utilisation=share("utilization.gpu"),
        memory_utilisation=share("utilization.memory"),
        encoder=share("utilization.encoder"),
        decoder=share("utilization.decoder"),
        encoder_sessions=count(row.get("encoder.stats.sessionCount", "")),
        encoder_fps=of("encoder.stats.averageFps", _positive),
        encoder_latency_us=of("encoder.stats.averageLatency", _positive),
        memory_used=_mebibytes(row.get("memory.used", "")),
        memory_total=_mebibytes(row.get("memory.total", "")),
        clock_sm_mhz=of("clocks.sm", _positive),
        clock_video_mhz=of("clocks.video", _positive),
        performance_state=state if _STATE.fullmatch(state) else None,
        throttle_reasons=int(mask, 16) if _MASK.fullmatch(mask) else None,
        ecc_uncorrected=count(row.get("ecc.errors.uncorrected.volatile.total", "")),
        mig=row.get("mig.mode.current", "").lower() == "enabled",
        problem=_trouble(list(row.values())),
    )


def _trouble(values: Sequence[str]) -> str:
    for value in values:
        if value.startswith(("[", "GPU")) and any(words in value.lower() for words in _SICK):
            return clean(value.strip("[]"), 80)
    doubtful = [value for value in values if value.lower() in _DOUBTFUL]
    return doubtful[0].strip("[]") if len(doubtful) >= _MANY else ""


def _said(value: str) -> str:
    """Text, "" for the driver's ways of saying nothing (`[N/A]`, `[Not Found]`, …)."""
    return "" if value.startswith("[") or value in ("N/A", "ERR!") else clean(value, 120)


def _positive(value: str) -> float | None:
    number = decimal(value)
    return number if number is not None and number >= 0 and math.isfinite(number) else None


def _mebibytes(value: str) -> int | None:
    number = count(value)
    return number * _MIB if number is not None else None
