"""Hosts: reached at all, memory, load, clock, system-wide files, killed processes, reboots."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Final, TypeVar

from lptui.checks.limits import over
from lptui.checks.view import LOST_KINDS, View
from lptui.checks.words import listed, span
from lptui.errors import ProblemKind
from lptui.fleet.facts.host import HostClock, HostSystem, HostVitals
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.reading import Reading
from lptui.fleet.reboots import core_since_boot
from lptui.text import plural

T = TypeVar("T")

UP: Final = "host-up"
MEMORY: Final = "memory"
LOAD: Final = "load"
CLOCK: Final = "clock"
FILES: Final = "host-fd"
OOM: Final = "oom"
REBOOT: Final = "reboot-required"

_REMEDIES: Final = {
    ProblemKind.HOST_KEY_CHANGED: "find out why the key changed before anything else",
    ProblemKind.HOST_KEY_UNKNOWN: "verify the host key and add it to known_hosts",
    ProblemKind.AUTHENTICATION: "see whether the key is authorised for this user",
}


def host_up(view: View) -> Iterator[Finding]:
    """Can the host be reached? Everything on it is unknown while it cannot."""
    for name in view.fleet.hosts:
        reading = view.reading(HostVitals, name)
        vitals = view.value(reading)
        if vitals is not None:
            dropped = view.drop_of(name)
            summary = f"reached, up for {span(vitals.uptime_s)}"
            evidence = [view.seen(reading)]
            if dropped is not None:
                summary += ", but its connection was lost while it was asked"
                evidence.append(view.says(dropped, str(dropped.problem)))
            yield Finding(
                UP,
                Severity.WARNING if dropped is not None else Severity.OK,
                "host",
                name,
                summary,
                tuple(evidence),
                "see its network, and MaxSessions and ClientAlive of its sshd" if dropped else "",
                metrics=(Metric("uptime", vitals.uptime_s, "s"),),
            )
            continue
        problem = reading.problem
        root = view.blocker(name)
        cause = "" if root == f"{UP}@{name}" else root
        finding = view.unknown(UP, "host", name, reading, cause=cause)
        if not cause and problem is not None and problem.kind in LOST_KINDS:
            finding = Finding(
                UP,
                Severity.CRITICAL,
                "host",
                name,
                f"cannot be reached: {problem}",
                finding.evidence,
                problem.remedy or _REMEDIES.get(problem.kind, "see whether the machine is up"),
            )
        yield finding


def _vitals(
    view: View, check: str
) -> Iterator[tuple[str, Reading[HostVitals], HostVitals] | Finding]:
    return _each(view, check, HostVitals)


def _systems(
    view: View, check: str
) -> Iterator[tuple[str, Reading[HostSystem], HostSystem] | Finding]:
    return _each(view, check, HostSystem)


def _each(view: View, check: str, topic: type[T]) -> Iterator[tuple[str, Reading[T], T] | Finding]:
    """Each host's reading of a topic, or the finding that there is none."""
    for name in view.fleet.hosts:
        reading = view.reading(topic, name)
        value = view.value(reading)
        if value is not None:
            yield name, reading, value
        else:
            cause = view.blocker(name, reading) or f"{UP}@{name}"
            yield view.unknown(check, "host", name, reading, cause=cause)


def memory(view: View) -> Iterator[Finding]:
    """Memory that cannot be had without swapping."""
    warn, critical = view.limits.memory_warn, view.limits.memory_critical
    warn_text, critical_text = f"{warn:g}", f"{critical:g}"
    for item in _vitals(view, MEMORY):
        if isinstance(item, Finding):
            yield item
            continue
        name, reading, vitals = item
        if vitals.memory_total <= 0:
            yield _lacking(view, MEMORY, name, reading, "the size of its memory")
            continue
        used = vitals.memory_used
        severity = over(used, warn, critical)
        yield Finding(
            MEMORY,
            severity,
            "host",
            name,
            f"{used:.0f} % of memory used",
            (view.seen(reading),),
            "find the process that takes it" if severity else "",
            metrics=(Metric("memory_used", round(used, 2), "%", warn_text, critical_text),),
        )


def _lacking(view: View, check: str, name: str, reading: Reading[T], what: str) -> Finding:
    summary = f"not known: the host does not tell {what}"
    return Finding(check, Severity.UNKNOWN, "host", name, summary, (view.seen(reading),))


def load(view: View) -> Iterator[Finding]:
    """Five-minute load for each CPU; a short burst is no alarm."""
    limit = view.limits.load_warn_per_cpu
    limit_text = f"{limit:g}"
    for item in _vitals(view, LOAD):
        if isinstance(item, Finding):
            yield item
            continue
        name, reading, vitals = item
        system_reading = view.reading(HostSystem, name)
        system = view.value(system_reading)
        if system is None:
            cause = view.blocker(name, system_reading)
            yield view.unknown(LOAD, "host", name, system_reading, cause=cause)
            continue
        if system.cpus <= 0:
            yield _lacking(view, LOAD, name, reading, "its number of CPUs")
            continue
        each = vitals.load_5m / system.cpus
        severity = over(each, limit, inf)
        yield Finding(
            LOAD,
            severity,
            "host",
            name,
            f"load {vitals.load_5m:g} on {plural(system.cpus, 'CPU')}",
            (view.seen(reading),),
            "find the processes that wait" if severity else "",
            metrics=(Metric("load_per_cpu", round(each, 3), "", limit_text),),
        )


def host_files(view: View) -> Iterator[Finding]:
    """Open files of the whole host against the kernel's limit."""
    warn, critical = view.limits.fd_warn, view.limits.fd_critical
    for item in _systems(view, FILES):
        if isinstance(item, Finding):
            yield item
            continue
        name, reading, system = item
        if system.files_open is None or not system.files_max:
            yield _lacking(view, FILES, name, reading, "its open files")
            continue
        used = 100.0 * system.files_open / system.files_max
        severity = over(used, warn, critical)
        yield Finding(
            FILES,
            severity,
            "host",
            name,
            # The usual limit is 2^63-1, which tells a reader nothing.
            f"{system.files_open} files open, {used:.0f} % of the kernel's limit",
            (view.seen(reading),),
            "raise fs.file-max, or find what leaks" if severity else "",
            metrics=(Metric("host_files", system.files_open),),
        )


def out_of_memory(view: View) -> Iterator[Finding]:
    """Processes that the kernel killed for memory since boot, where the host tells."""
    for item in _systems(view, OOM):
        if isinstance(item, Finding):
            yield item
            continue
        name, reading, system = item
        kills = system.oom_kills
        if kills is None:
            continue
        yield Finding(
            OOM,
            Severity.WARNING if kills else Severity.OK,
            "host",
            name,
            f"the kernel killed {plural(kills, 'process', 'processes')} for memory since boot"
            if kills
            else "no process killed for memory since boot",
            (view.seen(reading),),
            "see the kernel's log for which ones" if kills else "",
            metrics=(Metric("oom_kills", kills),),
        )


def clock(view: View) -> Iterator[Finding]:
    """The host's clock against the operator's: only what is certain beyond the round trip."""
    warn, critical = view.limits.clock_warn_s, view.limits.clock_critical_s
    # A clock may be off either way; a range from 0 would alarm for every one that is behind.
    warn_text, critical_text = f"{-warn:g}:{warn:g}", f"{-critical:g}:{critical:g}"
    for name in view.fleet.hosts:
        reading = view.reading(HostClock, name)
        found = view.value(reading)
        if found is None:
            yield view.unknown(CLOCK, "host", name, reading, cause=view.blocker(name, reading))
            continue
        severity, summary = _clock(found, warn, critical)
        yield Finding(
            CLOCK,
            severity,
            "host",
            name,
            summary,
            (view.seen(reading),),
            "see its time service (chrony, systemd-timesyncd), and this machine's"
            if severity
            else "",
            metrics=(
                Metric("clock_offset", round(found.offset_s, 6), "s", warn_text, critical_text),
            ),
        )


def _clock(found: HostClock, warn: float, critical: float) -> tuple[Severity, str]:
    severity = over(abs(found.offset_s) - found.uncertainty_s, warn, critical)
    side = "ahead" if found.offset_s > 0 else "behind"
    summary = f"clock {abs(found.offset_s):.3f} s {side}, give or take {found.uncertainty_s:.3f} s"
    if severity is Severity.OK and found.uncertainty_s >= critical:
        return Severity.UNKNOWN, f"not known: {summary}"
    if found.synchronised is False:
        worst = Severity.WARNING if severity is Severity.OK else severity
        return worst, f"{summary}; its time service is not synchronised"
    return severity, summary


def reboot_required(view: View) -> Iterator[Finding]:
    """Updates that take effect only after a reboot."""
    for name in view.fleet.hosts:
        reading = view.reading(HostSystem, name)
        system = view.value(reading)
        if system is None:
            yield view.unknown(REBOOT, "host", name, reading, cause=view.blocker(name, reading))
            continue
        kernel = [f"kernel {system.newer_kernel}"] if system.newer_kernel else []
        wanted = [*(system.reboot_packages or kernel), *core_since_boot(view.snapshot, name)]
        due = system.reboot_required or bool(wanted)
        yield Finding(
            REBOOT,
            Severity.WARNING if due else Severity.OK,
            "host",
            name,
            f"needs a reboot{f' for {listed(wanted)}' if wanted else ''}"
            if due
            else "no sign that one is needed",
            (view.says(reading, f"kernel {system.kernel} runs"),),
            "drain its nodes, then reboot it in a quiet hour" if due else "",
        )
