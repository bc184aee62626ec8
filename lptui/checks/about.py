"""Which findings are about one node: its own, its host's, its keys', its RPC endpoint's."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lptui.fleet.finding import Finding
from lptui.fleet.topology import Fleet, Node


def about(fleet: Fleet, node: Node, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that concern a node, in the order given.

    One on the fleet, or on a role's nodes together, concerns it when it is well, or names the
    node or its host.
    """
    targets = _targets(fleet, node)
    roles = {f"role:{role}" for role in node.roles}
    named = re.compile(rf"(?<![\w-])(?:{re.escape(node.name)}|{re.escape(node.host)})(?![\w-])")

    def concerns(found: Finding) -> bool:
        if found.subject == "gpu":
            return found.target.rpartition("/")[0] == node.host
        if found.subject != "fleet":
            return (found.subject, found.target) in targets
        if found.target not in (fleet.name, *roles):
            return False
        return not found.severity or any(map(named.search, (found.summary, *found.evidence)))

    return tuple(found for found in findings if concerns(found))


def _targets(fleet: Fleet, node: Node) -> set[tuple[str, str]]:
    found = {("node", node.name), ("host", node.host), ("queue", node.name)}
    if node.rpc is not None:
        found.add(("rpc", node.rpc))
    found |= {("signer", signer.name) for signer in fleet.signers if signer.address == node.account}
    works_for = {node.account, node.recipient} - {None}
    found |= {
        ("orchestrator", registered.name)
        for registered in (fleet.chain.orchestrators if fleet.chain else ())
        if registered.address in works_for
    }
    return found
