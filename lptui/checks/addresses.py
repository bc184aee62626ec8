"""Addresses: the service URI on chain, the balancers' public address, the nodes' own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.places import HostPort, place
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Orchestrator, Role

SERVICE_URI: Final = "service-uri"


def service_uri(view: View) -> Iterator[Finding]:
    """Gateways go where the ServiceRegistry sends them: it should be where the fleet answers."""
    chain = view.fleet.chain
    for registered in chain.orchestrators if chain else ():
        reading = view.reading(OrchestratorRecord, registered.name)
        record = view.value(reading)
        if record is None:
            cause = view.chain_blocker()
            yield view.unknown(SERVICE_URI, "orchestrator", registered.name, reading, cause=cause)
        else:
            yield _uri(view, registered, reading, record)


def _uri(
    view: View,
    registered: Orchestrator,
    reading: Reading[OrchestratorRecord],
    record: OrchestratorRecord,
) -> Finding:
    on_chain = record.service_uri
    severity, summary = Severity.OK, f"on chain {on_chain}"
    if on_chain is None:
        severity, summary = Severity.UNKNOWN, "not known: the ServiceRegistry was not read"
    elif place(on_chain) is None:
        severity = Severity.CRITICAL
        summary = (
            f"on chain {on_chain!r}: gateways cannot find it"
            if on_chain
            else ("no service URI on chain: gateways cannot find it")
        )
    elif registered.service_uri and place(registered.service_uri) != place(on_chain):
        severity = Severity.CRITICAL
        summary = f"on chain {on_chain}, expected {registered.service_uri}"
    else:
        known = _places(view, registered)
        if known and place(on_chain) not in known:
            severity = Severity.WARNING
            summary = (
                f"on chain {on_chain}, but the fleet answers at {listed(sorted(known.values()))}"
            )
    return Finding(
        SERVICE_URI,
        severity,
        "orchestrator",
        registered.name,
        summary,
        (view.says(reading, f"ServiceRegistry says {on_chain or 'nothing'}"),),
        "set the service URI on chain, or correct the balancer's public address"
        if severity
        else "",
    )


def _places(view: View, registered: Orchestrator) -> dict[HostPort, str]:
    """Where clients reach the fleet: its balancers, or without any its orchestrator nodes."""
    uris = [b.public_uri for b in view.fleet.balancers.values() if b.public_uri]
    if not uris:
        uris = [
            node.service_uri
            for node in view.fleet.nodes.values()
            if node.service_uri
            and Role.ORCHESTRATOR in node.roles
            and node.recipient in (None, registered.address)
        ]
    found: dict[HostPort, str] = {}
    for uri in uris:
        where = place(uri)
        if where is not None:
            found[where] = uri
    return found
