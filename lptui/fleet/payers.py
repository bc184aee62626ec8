"""The accounts of gateways, which pay from a deposit, and who they are called. Pure."""

from __future__ import annotations

from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Role
from lptui.fleet.units import Address


def payers(snapshot: Snapshot) -> dict[Address, str]:
    """Each gateway's account and its name: a signer's, where it is one, else the node's."""
    signers = {signer.address: signer.name for signer in snapshot.fleet.signers}
    found: dict[Address, str] = {}
    for node in snapshot.fleet.nodes_with(Role.GATEWAY):
        identity = snapshot.value(NodeIdentity, node.name)
        account = identity.account if identity is not None else node.account
        if account is not None:
            found.setdefault(account, signers.get(account, node.name))
    return found
