"""Who can send an orchestrator's transactions: the fleet's nodes, matched by their accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.processes import process_of
from lptui.fleet.reading import Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Orchestrator, Role
from lptui.fleet.units import Address

_NO: Final = frozenset({"0", "f", "false"})
"""What Go reads as false, in lower case."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A node that acts with an account that may call reward.

    `delegated`: the account is not the registered one but the caller that it authorised on
    chain (LIP-118). `identity` is the reading that says so.
    """

    node: Node
    account: Address
    delegated: bool
    identity: Reading[NodeIdentity]


def orchestrator(snapshot: Snapshot, name: str) -> Orchestrator | None:
    """A registered orchestrator of the configuration by its name."""
    chain = snapshot.fleet.chain
    if chain is None:
        return None
    return next((item for item in chain.orchestrators if item.name == name), None)


def accounts_of(snapshot: Snapshot) -> tuple[tuple[Node, Address, Reading[NodeIdentity]], ...]:
    """Each node that answered who it is, with the account that it acts with."""
    found = []
    for node in snapshot.fleet.nodes.values():
        reading = snapshot.reading(NodeIdentity, node.name)
        if reading.value is not None and reading.value.account is not None:
            found.append((node, reading.value.account, reading))
    return tuple(found)


def unknown_nodes(snapshot: Snapshot) -> tuple[Node, ...]:
    """Nodes that could act with some account and have not said with which."""
    return tuple(
        node
        for node in snapshot.fleet.nodes.values()
        if node.cli is not None
        and node.roles != {Role.TRANSCODER}
        and snapshot.value(NodeIdentity, node.name) is None
    )


def reward_callers(
    snapshot: Snapshot, registered: Orchestrator, record: OrchestratorRecord | None
) -> tuple[Caller, ...]:
    """Nodes whose account may call reward for an orchestrator, the expected one first.

    Order: the node that the configuration names, then nodes of role reward, then the others;
    among those, holders of the registered key before delegates. A key may be the delegate of
    several orchestrators: its node calls for the one that it works for.
    """
    delegate = record.reward_caller if record is not None else None
    callers = [
        Caller(node, account, account != registered.address, reading)
        for node, account, reading in accounts_of(snapshot)
        if account == registered.address
        or (account == delegate and works_for(snapshot, node, registered) is not False)
    ]
    return tuple(
        sorted(
            callers,
            key=lambda caller: (
                caller.node.name != registered.reward_caller,
                Role.REWARD not in caller.node.roles,
                caller.delegated,
            ),
        )
    )


def works_for(snapshot: Snapshot, node: Node, registered: Orchestrator) -> bool | None:
    """Whether a node was started for an orchestrator, by its flags, else as it was declared."""
    process = process_of(snapshot, node)
    told = (process.flag("ethOrchAddr") or "").strip().lower() if process is not None else ""
    whom = told or node.recipient
    return None if whom is None else whom == registered.address


def calls_by_itself(snapshot: Snapshot, caller: Caller) -> bool | None:
    """Whether a node's own reward service calls each round; None when its flags are not seen.

    Without `-reward` it is on for a key that may call; a build from before delegated callers
    looks for its own registration alone (go-livepeer cmd/livepeer/starter/starter.go, PR #4011).
    Whom a delegate calls for it knows by `-ethOrchAddr` alone.
    """
    process = process_of(snapshot, caller.node)
    if process is None:
        return None
    if caller.delegated and not process.flag("ethOrchAddr"):
        return False
    told = process.flag("reward")
    if told is not None:
        return told.strip().lower() not in _NO
    identity = caller.identity.value
    return not (caller.delegated and identity is not None and identity.knows_reward_caller is False)


def served_by(snapshot: Snapshot, node: Node) -> tuple[str, ...]:
    """The registered orchestrators that a node works for or acts as, by their names."""
    chain = snapshot.fleet.chain
    if chain is None:
        return ()
    return tuple(
        item.name
        for item in chain.orchestrators
        if item.address in (node.recipient, node.account) or item.reward_caller == node.name
    )
