"""Exposure: the unauthenticated CLI API beyond loopback, passwords on command lines.

A redeemer, reward or round-initialising node without -cliAddr binds port 80 on every interface
(go-livepeer: those roles have no default, and Go's server takes an empty address for `:80`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.fleet.facts.host import HostListeners, HostProcesses, Listener, LivepeerProcess
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.settings import NodeType, type_of
from lptui.fleet.topology import Node, Role

CLI: Final = "cli-exposed"
PASSWORD: Final = "password-visible"  # noqa: S105 (a check's name)

_DEFAULT_PORTS: Final = frozenset({7935, 6935, 5935, 4935, 3935})
"""CLI ports of orchestrator, transcoder, gateway, AI worker and remote signer."""
_PORT_80_ROLES: Final = frozenset({Role.REDEEMER, Role.REWARD, Role.ROUND_INITIALISER})


def cli_exposed(view: View) -> Iterator[Finding]:
    """Whoever reaches a node's CLI API can send its transactions: it belongs on loopback."""
    hosts_with_balancer = {balancer.host for balancer in view.fleet.balancers.values()}
    for name in view.fleet.hosts:
        nodes = [node for node in view.nodes_on(name) if node.is_livepeer]
        if not nodes:
            continue
        reading = view.reading(HostListeners, name)
        found = view.value(reading)
        if found is None:
            yield view.unknown(CLI, "host", name, reading, cause=view.blocker(name, reading))
            continue
        processes = view.fresh(HostProcesses, name)
        ports = _cli_ports(nodes)
        wide = [item for item in found.listeners if not item.is_loopback]
        exposed = [item for item in wide if item.port in ports]
        trap = _port_80(nodes, wide, processes) if 80 not in ports else None
        severity, summary = Severity.OK, "the CLI API listens on loopback alone"
        if exposed:
            severity = Severity.CRITICAL
            summary = f"the CLI API listens on {listed([_where(item) for item in exposed])}"
        elif trap is True:
            severity, summary = Severity.CRITICAL, "the CLI API listens on port 80, everywhere"
        elif trap is None and not _sure(name, hosts_with_balancer, nodes, wide):
            severity = Severity.WARNING
            summary = "something listens on port 80 and may be a node's CLI API"
        yield Finding(
            CLI,
            severity,
            "host",
            name,
            summary,
            (view.seen(reading),),
            "start the node with -cliAddr 127.0.0.1:PORT" if severity else "",
        )


def _where(listener: Listener) -> str:
    return f"{listener.address}:{listener.port}"


def _cli_ports(nodes: list[Node]) -> frozenset[int]:
    ports = set(_DEFAULT_PORTS)
    for node in nodes:
        if node.cli is None:
            continue
        try:
            parts = urlsplit(node.cli.url)
            port = parts.port
        except ValueError:
            continue
        if port is not None:
            ports.add(port)
        elif parts.scheme in ("http", "https"):
            ports.add(443 if parts.scheme == "https" else 80)
    return frozenset(ports)


def _port_80(
    nodes: list[Node], wide: list[Listener], processes: HostProcesses | None
) -> bool | None:
    """Whether port 80 is a node's CLI API; None when its processes do not tell."""
    if not any(item.port == 80 for item in wide):
        return False
    if not any(node.roles & _PORT_80_ROLES for node in nodes):
        return False
    if processes is None or not processes.livepeer:
        return None
    return any(_lacks_cli_address(process) for process in processes.livepeer)


def _lacks_cli_address(process: LivepeerProcess) -> bool:
    """Whether it takes port 80 for want of an address: these types have no other default."""
    kinds = (NodeType.REDEEMER, NodeType.SERVICE)
    return not process.flag("cliAddr") and type_of(process) in kinds


def _sure(
    name: str, hosts_with_balancer: set[str | None], nodes: list[Node], wide: list[Listener]
) -> bool:
    """Whether port 80 is certainly no CLI API: nobody listens, or a balancer lives there."""
    if name in hosts_with_balancer or not any(item.port == 80 for item in wide):
        return True
    return not any(node.roles & _PORT_80_ROLES for node in nodes)


def password_visible(view: View) -> Iterator[Finding]:
    """A literal -ethPassword can be read by every user of the host."""
    for name in view.fleet.hosts:
        if not any(node.is_livepeer for node in view.nodes_on(name)):
            continue
        reading = view.reading(HostProcesses, name)
        found = view.value(reading)
        if found is None:
            yield view.unknown(PASSWORD, "host", name, reading, cause=view.blocker(name, reading))
            continue
        bad = [process for process in found.livepeer if process.literal_password]
        names = listed([process.unit or f"process {process.pid}" for process in bad])
        yield Finding(
            PASSWORD,
            Severity.WARNING if bad else Severity.OK,
            "host",
            name,
            f"the key's password is on the command line of {names}"
            if bad
            else "no password on a command line",
            (view.seen(reading),),
            "give -ethPassword the path of a file that only its user can read" if bad else "",
        )
