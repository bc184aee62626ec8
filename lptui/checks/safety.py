"""Is a host as safe as its operator has stated? And is it one machine, and not another's twin?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import listed, span
from lptui.fleet.facts.host import HostSystem
from lptui.fleet.facts.safety import HostSafety, PendingUpdates, Volume
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.reading import Reading
from lptui.fleet.safety import Safety
from lptui.fleet.topology import Host
from lptui.text import plural

PASSWORDS: Final = "ssh-password-login"
ROOT: Final = "ssh-root-login"
UPDATES: Final = "security-updates"
ENCRYPTED: Final = "disk-encryption"
TWINS: Final = "machine-twice"

_LONG_S: Final = 1e9
_OLD_LISTS_S: Final = 7 * 86_400.0
"""Lists that nobody has renewed for so long say nothing of what came out since."""
_INSTALL: Final = {
    "apt-get": "apt-get upgrade",
    "dnf": "dnf upgrade --security",
    "yum": "yum update --security",
}


def ssh_passwords(view: View) -> Iterator[Finding]:
    """Does sshd ask for keys alone, where the operator says so?"""
    for host, reading, found in _asked(view, PASSWORDS, lambda safety: safety.keys_only):
        if isinstance(found, Finding):
            yield found
        elif found.logins is None:
            yield _untold(view, PASSWORDS, host, reading, found.logins_problem)
        else:
            logins = found.logins
            bad = logins.password
            remedy = "PasswordAuthentication and KbdInteractiveAuthentication no in sshd_config, "
            empty = " and even an empty one" if logins.empty else ""
            yield Finding(
                PASSWORDS,
                Severity.WARNING if bad else Severity.OK,
                "host",
                host.name,
                f"a password{empty} is enough to log in by SSH"
                if bad
                else "nobody logs in by SSH without a key",
                (view.seen(reading),),
                f"{remedy}then reload sshd; keep a session open meanwhile" if bad else "",
            )


def ssh_root(view: View) -> Iterator[Finding]:
    """May root log in with a password, where the operator says that keys alone do?"""
    for host, reading, found in _asked(view, ROOT, lambda safety: safety.keys_only):
        if isinstance(found, Finding):
            yield found
        elif found.logins is None:
            yield _untold(view, ROOT, host, reading, found.logins_problem)
        else:
            bad = found.logins.root_by_password
            yield Finding(
                ROOT,
                Severity.CRITICAL if bad else Severity.OK,
                "host",
                host.name,
                "root may log in by SSH with a password"
                if bad
                else "no password makes anybody root by SSH",
                (view.says(reading, f"PermitRootLogin {found.logins.root}"),),
                "PermitRootLogin prohibit-password (or no) in sshd_config, then reload sshd"
                if bad
                else "",
            )


def security_updates(view: View) -> Iterator[Finding]:
    """Do security updates wait, as many as the operator would not have?"""
    for host, reading, found in _asked(view, UPDATES, lambda one: one.security_updates is not None):
        if isinstance(found, Finding):
            yield found
        elif found.updates is None or found.updates.security is None:
            yield _untold(view, UPDATES, host, reading, found.updates_problem)
        else:
            updates, waiting = found.updates, found.updates.security
            limit = host.safety.security_updates or 1
            age_s = _age_of_lists(view, updates)
            renewed = f", lists of {span(age_s)} ago" if age_s is not None else ""
            severity, remedy, summary = Severity.OK, "", "no security update waits"
            if waiting:
                verb = "waits" if waiting == 1 else "wait"
                of_all = plural(updates.packages, "update")
                summary = f"{plural(waiting, 'security update')} of {of_all} {verb}"
            if waiting >= limit:
                severity = Severity.WARNING
                remedy = f"install them in a quiet hour: {_INSTALL.get(updates.source, '')}"
            elif age_s is None or age_s > _OLD_LISTS_S:
                severity = Severity.UNKNOWN
                told = f"{span(age_s)} old" if age_s is not None else "of a time not known"
                summary = f"not known: the lists are {told}; by them {summary}"
                remedy = "let the host renew its lists daily, by its package manager's timer"
            yield Finding(
                UPDATES,
                severity,
                "host",
                host.name,
                summary,
                (view.says(reading, f"{updates.source}{renewed}"),),
                remedy,
                metrics=(Metric("security_updates", waiting, warn=str(limit - 1)),),
            )


def _age_of_lists(view: View, updates: PendingUpdates) -> float | None:
    at = updates.lists_at
    return None if at is None or view.now - at > _LONG_S else max(0.0, view.now - at)


def encryption(view: View) -> Iterator[Finding]:
    """Do the host's mounts lie on encrypted devices, where the operator says so?"""
    for host, reading, found in _asked(view, ENCRYPTED, lambda safety: safety.encrypted):
        if isinstance(found, Finding):
            yield found
            continue
        open_ones = [one.path for one in found.volumes if one.encrypted is False]
        untold = [one.path for one in found.volumes if one.encrypted is None]
        severity, remedy = Severity.OK, ""
        summary = "on encrypted devices: " + listed([one.path for one in found.volumes])
        if open_ones:
            severity = Severity.WARNING
            summary = f"not on encrypted devices: {listed(open_ones)}"
            remedy = "move the data to a LUKS volume, or state no `encrypted` for this host"
        elif untold or not found.volumes:
            severity = Severity.UNKNOWN
            summary = (
                f"not known: the host does not tell what {listed(untold) or 'its mounts'} lies on"
            )
            remedy = "mounts of the network and ZFS are not looked into"
        told = listed([_words(one) for one in found.volumes])
        evidence = (view.says(reading, told),)
        yield Finding(ENCRYPTED, severity, "host", host.name, summary, evidence, remedy)


def _words(one: Volume) -> str:
    known = {True: "dm-crypt", False: "no dm-crypt", None: "not told"}
    return f"{one.path} {known[one.encrypted]}"


def _asked(
    view: View, check: str, is_stated: Callable[[Safety], bool]
) -> Iterator[tuple[Host, Reading[HostSafety], HostSafety | Finding]]:
    """Each host of which something is stated, with what was read, else the finding for that."""
    for name, host in view.fleet.hosts.items():
        if not is_stated(host.safety):
            continue
        reading = view.reading(HostSafety, name)
        found = view.value(reading)
        if found is None:
            cause = view.blocker(name, reading)
            yield host, reading, view.unknown(check, "host", name, reading, cause=cause)
        else:
            yield host, reading, found


def _untold(view: View, check: str, host: Host, reading: Reading[HostSafety], why: str) -> Finding:
    told = why or "the host does not tell"
    return Finding(
        check,
        Severity.UNKNOWN,
        "host",
        host.name,
        f"not known: {told}",
        (view.seen(reading),),
        f"`lptui sudoers {host.name}` prints the rules that are missing"
        if "sshd" in why
        else "see whether its package manager works there",
    )


def machine_twice(view: View) -> Iterator[Finding]:
    """Do two hosts say that they are the same machine? One is a clone, or is named twice.

    Clones get each other's addresses by DHCP, and their logs become one. Hosts that are reached at
    one address are named twice on purpose.
    """
    by_key: dict[str, list[Host]] = {}
    for name, host in view.fleet.hosts.items():
        system = view.fresh(HostSystem, name)
        if system is not None and system.machine_key:
            by_key.setdefault(system.machine_key, []).append(host)
    for twins in by_key.values():
        for host in twins:
            others = [one.name for one in twins if _address(one) != _address(host)]
            reading = view.reading(HostSystem, host.name)
            yield Finding(
                TWINS,
                Severity.WARNING if others else Severity.OK,
                "host",
                host.name,
                f"has the same machine-id as {listed(others)}: a clone, or the same machine"
                if others
                else "a machine of its own",
                (view.seen(reading),),
                "a clone: rm /etc/machine-id; systemd-machine-id-setup; reboot. Else name it once"
                if others
                else "",
            )


def _address(host: Host) -> str:
    where = (host.ssh.address or host.ssh.alias) if host.ssh is not None else "localhost"
    return "localhost" if where == "::1" or where.startswith("127.") else where
