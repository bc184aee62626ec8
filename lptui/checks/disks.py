"""File systems: space, inodes, read-only, mount points that are not mounted."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Final

from lptui.checks.limits import over
from lptui.checks.view import View
from lptui.fleet.facts.host import HostDisks, Mount
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.topology import Host, Thresholds
from lptui.fleet.units import Percent

DISK: Final = "disk"

_IMAGES: Final = frozenset({"overlay", "squashfs", "erofs", "iso9660"})
"""Root file systems of immutable systems: read-only by design."""

Trouble = tuple[Severity, str]
Filled = tuple[Mount, Percent]


def disks(view: View) -> Iterator[Finding]:
    """One verdict a host: its worst file system, and every one in trouble."""
    warn, critical = f"{view.limits.disk_warn:g}", f"{view.limits.disk_critical:g}"
    for host in view.fleet.hosts.values():
        reading = view.reading(HostDisks, host.name)
        found = view.value(reading)
        if found is None:
            yield view.unknown(
                DISK, "host", host.name, reading, cause=view.blocker(host.name, reading)
            )
            continue
        full = [(mount, mount.used_percent) for mount in found.mounts if _counts(mount)]
        troubles = _troubles(host, found, full, view.limits)
        if not full and not troubles:
            yield Finding(
                DISK,
                Severity.UNKNOWN,
                "host",
                host.name,
                "not known: the host lists no file system",
                (view.seen(reading),),
            )
            continue
        severity = max((s for s, _ in troubles), key=lambda s: s.rank, default=Severity.OK)
        summary = "; ".join(text for _, text in troubles)
        if not summary:
            fullest, used = max(full, key=itemgetter(1))
            summary = f"fullest is {fullest.path}, {used:.0f} % used"
        yield Finding(
            DISK,
            severity,
            "host",
            host.name,
            summary,
            (view.seen(reading),),
            _remedy(found, severity),
            metrics=_metrics(full, warn, critical),
        )


def _remedy(found: HostDisks, severity: Severity) -> str:
    if found.missing:
        return "mount it, or correct the host's `mounts`"
    if found.silent or found.incomplete:
        return "find the mount whose server or helper is gone (NFS, FUSE), and unmount it"
    return "free space; where one is read-only, look for a failing disk" if severity else ""


def _counts(mount: Mount) -> bool:
    """Images and discs are always full and never written to."""
    return mount.size > 0 and not (mount.read_only and mount.available == 0)


def _troubles(
    host: Host, found: HostDisks, full: list[Filled], limits: Thresholds
) -> list[Trouble]:
    warn, critical = limits.disk_warn, limits.disk_critical
    troubles = [(Severity.CRITICAL, f"{path} is not mounted") for path in found.missing]
    troubles += [(Severity.UNKNOWN, f"{path} does not tell its size") for path in found.silent]
    if found.incomplete:
        troubles.append((Severity.UNKNOWN, "a file system does not answer, and df hangs over it"))
    for mount in found.mounts:
        is_root = mount.path == "/" and mount.fs_type not in _IMAGES
        if mount.read_only and (is_root or mount.path in host.mounts):
            troubles.append((Severity.CRITICAL, f"{mount.path} is read-only"))
    for mount, used in full:
        if used >= warn or used >= critical:
            troubles.append((over(used, warn, critical), f"{mount.path} is {used:.0f} % full"))
        inodes = mount.inodes_used
        if inodes is not None and (inodes >= warn or inodes >= critical):
            text = f"{mount.path} has {inodes:.0f} % of its inodes used"
            troubles.append((over(inodes, warn, critical), text))
    return troubles


def _metrics(full: list[Filled], warn: str, critical: str) -> tuple[Metric, ...]:
    return tuple(
        Metric(f"disk {mount.path}", round(used, 2), "%", warn, critical)
        for mount, used in full[:16]
    )
