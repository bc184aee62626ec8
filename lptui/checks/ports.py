"""Ports: does anything listen, or answer, that the operator has said must not?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.fleet.facts.host import HostListeners, HostProcesses, Listener
from lptui.fleet.facts.links import ClosedPorts
from lptui.fleet.facts.safety import HostSafety
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.places import DEFAULT_PORT, place
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Role
from lptui.text import plural

UNEXPECTED: Final = "port-unexpected"
OPEN: Final = "port-open"

_SSH: Final = 22
_SSH_UNITS: Final = frozenset({"ssh.service", "sshd.service", "ssh.socket", "sshd.socket"})


def port_unexpected(view: View) -> Iterator[Finding]:
    """Does anything listen beyond loopback that the host's `allowed_ports` do not name?"""
    for name, host in view.fleet.hosts.items():
        if host.safety.allowed_ports is None:
            continue
        reading = view.reading(HostListeners, name)
        found = view.value(reading)
        if found is None:
            cause = view.blocker(name, reading)
            yield view.unknown(UNEXPECTED, "host", name, reading, cause=cause)
            continue
        allowed = {*host.safety.allowed_ports, *expected_ports(view, name)}
        others = [
            one
            for one in found.listeners
            if not one.is_loopback and one.port not in allowed and one.unit not in _SSH_UNITS
        ]
        told = f"allowed: {listed([str(port) for port in sorted(allowed)], 20)}"
        yield Finding(
            UNEXPECTED,
            Severity.WARNING if others else Severity.OK,
            "host",
            name,
            f"listens beyond loopback, and is not allowed to: {listed(_named(others), 5)}"
            if others
            else "nothing listens beyond loopback but what is allowed",
            (view.says(reading, told),),
            "stop it, have it listen on loopback, or add the port to `allowed_ports`"
            if others
            else "",
        )


def expected_ports(view: View, host: str) -> frozenset[int]:
    """Those of SSH, of the host's orchestrators, redeemers and balancers: what they are for."""
    described = view.fleet.hosts[host]
    found = {described.ssh.port or _SSH if described.ssh is not None else _SSH}
    uris = [one.public_uri for one in view.fleet.balancers.values() if one.host == host]
    for node in view.nodes_on(host):
        uris.append(node.service_uri)
        if Role.ORCHESTRATOR in node.roles:
            found.add(DEFAULT_PORT)
    processes = view.fresh(HostProcesses, host)
    for process in processes.livepeer if processes is not None else ():
        uris.append(process.flag("httpAddr"))
    where = (place(uri if not uri.startswith(":") else f"localhost{uri}") for uri in uris if uri)
    found |= {one.port for one in where if one is not None}
    safety = view.fresh(HostSafety, host)
    return frozenset(found | set(safety.logins.ports if safety and safety.logins else ()))


def _named(listeners: list[Listener]) -> list[str]:
    """`*:9100 (node-exporter.service)`, each once."""
    names = (f"{one.address}:{one.port}{f' ({one.unit})' if one.unit else ''}" for one in listeners)
    return list(dict.fromkeys(names))


def port_open(view: View) -> Iterator[Finding]:
    """Does a port answer this machine that must be closed?"""
    for name, host in view.fleet.hosts.items():
        if not host.safety.closed_ports:
            continue
        reading = view.reading(ClosedPorts, name)
        found = view.value(reading)
        if found is None:
            yield view.unknown(OPEN, "host", name, reading)
            continue
        yield _tried(view, name, reading, found)


def _tried(view: View, name: str, reading: Reading[ClosedPorts], found: ClosedPorts) -> Finding:
    opened = [one.address for one in found.tries if one.problem is None]
    untold = [one for one in found.tries if one.problem is not None and not one.is_dead]
    severity, remedy = Severity.OK, ""
    summary = f"{plural(len(found.tries), 'port')} that must be closed did not answer from here"
    if opened:
        severity = Severity.CRITICAL
        summary = f"must be closed, and answers from here: {listed(opened, 5)}"
        remedy = "close it in the firewall, or have what listens there listen on loopback"
    elif untold:
        severity = Severity.UNKNOWN
        summary = f"not known: {untold[0].problem}"
        remedy = "see whether this machine has a way there"
    told = f"tried {listed([one.address for one in found.tries], 16)}"
    return Finding(OPEN, severity, "host", name, summary, (view.says(reading, told),), remedy)
