"""What keeps a host and its services safe, in words: logins, ports, watchdogs. Pure."""

from __future__ import annotations

from typing import Final

from lptui.fleet.facts.host import HostListeners, HostSystem, Unit
from lptui.fleet.facts.safety import HostSafety
from lptui.present.words import age, duration

UNKNOWN: Final = "?"
MOST_LISTENERS: Final = 24


def name_words(system: HostSystem | None, safety: HostSafety | None) -> str:
    """`edge-1, edge-1.example.net`."""
    if system is None:
        return UNKNOWN
    whole = safety.fqdn if safety is not None else ""
    return f"{system.hostname}, {whole}" if whole and whole != system.hostname else system.hostname


def listener_words(value: HostListeners | None) -> str:
    """`*:8935 livepeer.service, [::]:22 ssh.service`; of one port on two addresses, both."""
    if value is None:
        return UNKNOWN
    wide = [one for one in value.listeners if not one.is_loopback]
    told = [f"{one.address}:{one.port}{f' {one.unit}' if one.unit else ''}" for one in wide]
    more = f", and {len(told) - MOST_LISTENERS} more" if len(told) > MOST_LISTENERS else ""
    return ", ".join(told[:MOST_LISTENERS]) + more or "nothing"


def login_words(value: HostSafety) -> str:
    """`by key alone, root prohibit-password`."""
    logins = value.logins
    if logins is None:
        return f"{UNKNOWN} {value.logins_problem}"
    way = "by key alone" if not logins.password else "by password"
    empty = ", even an empty one" if logins.password and logins.empty else ""
    return f"{way}{empty}; PermitRootLogin {logins.root}"


def update_words(value: HostSafety, now: float | None) -> str:
    """`12 wait, 3 of them for security (apt-get, lists 2d old)`."""
    updates = value.updates
    if updates is None:
        return f"{UNKNOWN} {value.updates_problem or 'not counted: state safety.security_updates'}"
    of_security = UNKNOWN if updates.security is None else str(updates.security)
    at = updates.lists_at if now is not None else None
    lists = "" if at is None or now is None else f", lists {age(now - at)} old"
    source = f"{updates.source}{lists}"
    return f"{updates.packages} wait, {of_security} of them for security ({source})"


def volume_words(value: HostSafety) -> str:
    """`/ yes, /data no, /nfs ?`: by dm-crypt."""
    words = {True: "yes", False: "no", None: UNKNOWN}
    return ", ".join(f"{one.path} {words[one.encrypted]}" for one in value.volumes) or UNKNOWN


def watchdog_words(unit: Unit) -> str:
    """`none`, `30s`."""
    if unit.watchdog_s is None:
        return UNKNOWN
    return duration(unit.watchdog_s) if unit.watchdog_s else "none"


def limit_words(unit: Unit) -> str:
    """`65536 of the process, 65536 of its unit`."""
    asked = UNKNOWN if unit.fd_promised is None else str(unit.fd_promised)
    has = UNKNOWN if unit.fd_limit is None else str(unit.fd_limit)
    return f"{has} of the process, {asked} of its unit"
