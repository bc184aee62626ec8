"""Which packages a host has got since it was started, that only a reboot puts to use. Pure."""

from __future__ import annotations

from lptui.fleet.facts.host import HostClock, HostVitals
from lptui.fleet.facts.safety import HostSafety
from lptui.fleet.snapshot import Snapshot


def core_since_boot(snapshot: Snapshot, host: str) -> tuple[str, ...]:
    """Names of `HostSafety.core`; the time of boot is put into the host's own time first."""
    safety = snapshot.fresh(HostSafety, host)
    reading = snapshot.reading(HostVitals, host)
    vitals = reading.value
    if safety is None or vitals is None:
        return ()
    clock = snapshot.fresh(HostClock, host)
    offset = clock.offset_s if clock is not None else 0.0
    booted_at = reading.taken_at - vitals.uptime_s + offset
    return tuple(one.name for one in safety.core if one.installed_at > booted_at)
