"""Containers presented as units: what `docker` or `podman` says of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from lptui.fleet.facts.host import Unit, UnitLoad
from lptui.text import clean

_MISSING: Final = re.compile(r"no such (?:container|object):?\s*[\"']?([^\s\"']+)?", re.IGNORECASE)
_ASKED_TO_END: Final = frozenset({128 + 2, 128 + 15})
"""Exit codes of SIGINT and SIGTERM: systemd counts these as a clean end as well."""

_FRACTION: Final = re.compile(r"(\.\d{6})\d+")

_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "running": ("active", "running"),
    "paused": ("inactive", "paused"),
    "restarting": ("activating", "auto-restart"),
    "created": ("inactive", "created"),
    "initialized": ("inactive", "created"),
    "configured": ("inactive", "created"),
    "removing": ("deactivating", "removing"),
    "stopping": ("deactivating", "stopping"),
    "stopped": ("inactive", "dead"),
    "exited": ("inactive", "dead"),
    "dead": ("failed", "dead"),
}
"""Docker's and podman's words as systemd's ActiveState and SubState."""


@dataclass(frozen=True, slots=True)
class Found:
    """The containers that were described, in that order; what does not exist; complaints."""

    units: tuple[Unit, ...]
    missing: frozenset[str]
    complaints: tuple[str, ...]


def parse_inspect(text: str, now: float) -> Found:
    """One JSON object a line, as `commands.CONTAINER_FORMAT` asks; other lines are complaints.

    `now` is seconds since 1970 UTC by the host's clock, for ages. "No such container" is not a
    complaint: the container is simply not among the units.
    """
    units: list[Unit] = []
    missing: set[str] = set()
    complaints: list[str] = []
    for line in text.split("\n"):
        document = _object(line)
        if document is not None:
            units.append(_unit(document, now))
        elif absent_ := _MISSING.search(line):
            missing.add(absent_[1] or "")
        elif line.strip() not in ("", "[]"):
            complaints.append(clean(line, 160))
    return Found(tuple(units), frozenset(missing), tuple(complaints[:5]))


def absent(name: str) -> Unit:
    """A container that does not exist."""
    return Unit(name, UnitLoad.NOT_FOUND, "inactive", "dead", container="")


def named(names: Sequence[str], found: Found) -> dict[str, Unit]:
    """The containers by the names that were asked for; one may be asked for by its id."""
    own = {unit.name: unit for unit in found.units}
    known = {name: own[name] for name in names if name in own}
    others = [name for name in names if name not in known and name not in found.missing]
    strangers = [unit for unit in found.units if unit.name not in known]
    if len(others) == len(strangers):
        pairs = zip(others, strangers, strict=True)
        known |= {name: replace(unit, name=name) for name, unit in pairs}
    return known


def in_order(names: Sequence[str], found: Found) -> tuple[Unit, ...]:
    """The containers of interest, those that do not exist included."""
    known = named(names, found)
    return tuple(known.get(name) or absent(name) for name in names)


def _object(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_container = isinstance(document, dict) and isinstance(document.get("state"), dict)
    return document if is_container and isinstance(document.get("name"), str) else None


def _unit(document: Mapping[str, Any], now: float) -> Unit:
    state: Mapping[str, Any] = document["state"]
    word = _text(state.get("Status"))
    active, sub = _STATES.get(word, ("", word))
    exit_code = _count(state.get("ExitCode"))
    started = _text(state.get("StartedAt"))
    is_running = active == "active"
    result = "success"
    if state.get("OOMKilled") is True:
        result = "oom-kill"
    elif exit_code and exit_code not in _ASKED_TO_END and not is_running:
        result = "exit-code"
    if result != "success" and active == "inactive":
        active = "failed"
    health = state.get("Health")
    if is_running and isinstance(health, dict) and _text(health.get("Status")) == "unhealthy":
        result = "unhealthy"
    started_at = _timestamp(started)
    return Unit(
        name=_text(document["name"]).removeprefix("/"),
        load=UnitLoad.LOADED,
        active=active,
        sub=sub,
        result=result,
        restarts=_count(document.get("restarts")),
        main_pid=_count(state.get("Pid")) or None,
        since_s=max(0.0, now - started_at) if is_running and started_at else None,
        exit_status=None if is_running else exit_code,
        restart_policy=_text(document.get("policy")),
        invocation=started,
        container=_text(document.get("image")),
    )


def _text(value: object) -> str:
    return clean(value, 200) if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return value if is_count and isinstance(value, int) else None


def _timestamp(text: str) -> float | None:
    """RFC 3339 with nanoseconds; podman may write a Go time. Year 1 is "never"."""
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp() if moment.year > 1970 else None
    except (ValueError, OverflowError):
        return None
