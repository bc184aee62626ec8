"""Upkeep: disks that fill up, backups that must be there, versions that may not run any more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from lptui.checks.nodes import asked, cause_at_node
from lptui.checks.view import View
from lptui.checks.words import listed, span
from lptui.fleet.backups import Backup
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.facts.upkeep import BackupState, HostBackups, HostGrowth, MountGrowth
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.growth import LEAST_S, days_words, seen_s
from lptui.fleet.reading import Reading
from lptui.fleet.versions import version

FILLING: Final = "disk-filling"
OLD: Final = "backup-old"
SMALL: Final = "backup-small"
DAMAGED: Final = "backup-damaged"
VERSION: Final = "version-old"

LIVEPEER: Final = "livepeer"
_CLOSED: Final = "let the login look into it (a group, or setfacl), or name another path"

Verdict = tuple[Severity, str]


def disk_filling(view: View) -> Iterator[Finding]:
    """How long does the free space last, at the pace of the last days?

    It says so of a file system only where all that is probable of its trend is a growth.
    """
    warn, critical = view.limits.disk_days_warn, view.limits.disk_days_critical
    for name in view.fleet.hosts:
        reading = view.reading(HostGrowth, name)
        growth = view.value(reading)
        if growth is None:
            cause = view.blocker(name, reading) or f"disk@{name}"
            yield view.unknown(FILLING, "host", name, reading, cause=cause)
            continue
        fills = [(left, one) for one in growth.mounts if (left := _fills(one)) is not None]
        fills.sort(key=lambda item: item[0])
        bad = [(left, one) for left, one in fills if left < max(warn, critical)]
        severity = Severity.OK
        if bad:
            severity = Severity.CRITICAL if bad[0][0] < critical else Severity.WARNING
        yield Finding(
            FILLING,
            severity,
            "host",
            name,
            _filling(growth, bad, fills),
            (view.seen(reading), *(_pace(one) for _, one in fills[:8])),
            "free space or add some before then; find what grows" if bad else "",
            metrics=tuple(
                Metric(
                    f"days_to_full {one.path}", round(left, 2), "", f"{warn:g}:", f"{critical:g}:"
                )
                for left, one in fills[:16]
            ),
        )


def _fills(mount: MountGrowth) -> float | None:
    """Days until it is full where it certainly grows; None else."""
    left = mount.days_to_full
    grows = mount.trend is not None and mount.trend.rises
    return left if grows and left is not None and math.isfinite(left) else None


def _filling(
    growth: HostGrowth,
    bad: Sequence[tuple[float, MountGrowth]],
    fills: Sequence[tuple[float, MountGrowth]],
) -> str:
    if bad:
        return "; ".join(f"{one.path} is full in {days_words(one)}" for _, one in bad[:3])
    if fills:
        return f"{fills[0][1].path} is the first to be full, in {days_words(fills[0][1])}"
    if growth.mounts and all(one.trend is None for one in growth.mounts):
        seen = max(seen_s(one) for one in growth.mounts)
        return (
            f"how its disks grow is not known yet: read for {span(seen)}, not for {span(LEAST_S)}"
        )
    return "no file system grows for certain"


def _pace(mount: MountGrowth) -> str:
    pace = mount.trend.slope if mount.trend is not None else 0.0
    return (
        f"{mount.path}: {pace / 1e9:.2f} GB a day over {span(seen_s(mount))}, "
        f"{mount.available / 1e9:.1f} GB free"
    )


def backup_old(view: View) -> Iterator[Finding]:
    """Is each declared backup there, and young enough?"""
    yield from _backups(view, OLD, _age, "see why it was not made, and make one")


def backup_small(view: View) -> Iterator[Finding]:
    """Is each declared backup as large as it must be?"""
    yield from _backups(view, SMALL, _size, "see whether it was cut off, and make another one")


def backup_damaged(view: View) -> Iterator[Finding]:
    """Does each declared backup agree with its checksum file?"""
    yield from _backups(view, DAMAGED, _whole, "make another one; see the disk that it is on")


def _backups(
    view: View,
    check: str,
    judge: Callable[[Backup, BackupState], Verdict | None],
    remedy: str,
) -> Iterator[Finding]:
    """One verdict a host on all its backups; `judge` gives None where it has nothing to judge."""
    for host in view.fleet.hosts.values():
        if not host.backups or (check == DAMAGED and not any(b.checksum for b in host.backups)):
            continue
        reading = view.reading(HostBackups, host.name)
        found = view.value(reading)
        if found is None:
            cause = view.blocker(host.name, reading)
            yield view.unknown(check, "host", host.name, reading, cause=cause)
            continue
        states = {state.name: state for state in found.backups}
        known = [(one, states.get(one.name, BackupState(one.name))) for one in host.backups]
        judged = [(verdict, state) for one, state in known if (verdict := judge(one, state))]
        severity = max((v[0] for v, _ in judged), key=lambda it: it.rank, default=Severity.OK)
        told = [v[1] for v, _ in judged if v[0] is severity] if severity else []
        closed = severity is Severity.UNKNOWN and any(state.closed for _, state in judged)
        if not judged:
            continue  # what is not there is neither small nor damaged
        yield Finding(
            check,
            severity,
            "host",
            host.name,
            listed(told, 3) if told else judged[0][0][1],
            (view.seen(reading), *(_told(state) for _, state in known[:16])),
            _CLOSED if closed else remedy if severity else "",
            metrics=_metrics(check, known),
        )


def _age(backup: Backup, state: BackupState) -> Verdict | None:
    if state.closed:
        return Severity.UNKNOWN, f"{backup.name}: not known: {state.closed} is closed to the login"
    if state.age_s is None:
        return Severity.CRITICAL, f"{backup.name}: there is none ({backup.path})"
    text = f"{backup.name}: {span(max(0.0, state.age_s))} old"
    if state.age_s > backup.max_age_s:
        return Severity.WARNING, f"{text}, more than {span(backup.max_age_s)}"
    return Severity.OK, text


def _size(backup: Backup, state: BackupState) -> Verdict | None:
    if state.size is None:
        return None
    if state.size < backup.min_size:
        text = f"{backup.name}: {state.size} bytes, less than {backup.min_size}"
        return Severity.WARNING, text
    return Severity.OK, f"{backup.name}: {state.size} bytes"


def _whole(backup: Backup, state: BackupState) -> Verdict | None:
    if not backup.checksum or not state.file:
        return None
    if state.whole is None:
        return Severity.UNKNOWN, f"{backup.name}: not known: {state.unread or 'not read yet'}"
    if not state.whole:
        return Severity.CRITICAL, f"{backup.name}: is not what its checksum file says"
    return Severity.OK, f"{backup.name}: agrees with its checksum file"


def _told(state: BackupState) -> str:
    if not state.file:
        return f"{state.name}: {f'{state.closed} is closed' if state.closed else 'no file'}"
    return f"{state.name}: {state.file}, {state.size} bytes"


def _metrics(check: str, known: Sequence[tuple[Backup, BackupState]]) -> tuple[Metric, ...]:
    if check == OLD:
        return tuple(
            Metric(f"backup_age {one.name}", state.age_s, "s", f"{one.max_age_s:g}")
            for one, state in known[:16]
        )
    if check == SMALL:
        return tuple(
            Metric(f"backup_size {one.name}", state.size, "B", f"{one.min_size}:")
            for one, state in known[:16]
        )
    return ()


def version_old(view: View) -> Iterator[Finding]:
    """Does everything run at least the version that the operator named?"""
    least = view.fleet.minimum_versions
    if LIVEPEER in least:
        for node in asked(view):
            status = view.reading(NodeStatus, node.name)
            found = view.value(status)
            if found is None:
                cause = cause_at_node(view, node)
                yield view.unknown(VERSION, "node", node.name, status, cause=cause)
                continue
            seen = view.says(status, f"version {found.version or 'not told'}")
            yield _version("node", node.name, found.version, least[LIVEPEER], seen)
    for name, rpc in view.fleet.rpcs.items() if set(least) - {LIVEPEER} else ():
        head: Reading[RpcHead] = view.reading(RpcHead, name)
        value = view.value(head)
        if rpc.reference or value is None or value.client.lower() not in least:
            continue  # others' own affair; of silence other checks speak
        seen = view.says(head, f"{value.client} {value.version}")
        yield _version("rpc", name, value.version, least[value.client.lower()], seen)


def _version(subject: str, target: str, told: str | None, least: str, seen: str) -> Finding:
    have, wanted = version(told or ""), version(least)
    if have is None or wanted is None:
        text = f"not known: {told or 'nothing'} is no version that can be compared with {least}"
        return Finding(VERSION, Severity.UNKNOWN, subject, target, text, (seen,))
    old = have < wanted
    return Finding(
        VERSION,
        Severity.WARNING if old else Severity.OK,
        subject,
        target,
        f"runs {told}, older than {least}" if old else f"runs {told}, at least {least}",
        (seen,),
        "upgrade it, one node at a time" if old else "",
    )
