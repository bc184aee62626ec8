"""Identities: every node acts as the account, for the orchestrator and on the chain it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.nodes import CHAIN_ROLES, asked, cause_at_node
from lptui.checks.view import View
from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.facts.host import HostProcesses
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.processes import process_of
from lptui.fleet.topology import Node
from lptui.fleet.units import short_address

ACCOUNT: Final = "account-expected"
CHAIN: Final = "node-chain"
RECIPIENT: Final = "recipient-expected"


def account_expected(view: View) -> Iterator[Finding]:
    """A node that lost its keystore makes itself a new account and goes on with that."""
    if view.fleet.chain is None:
        return
    for node in asked(view):
        if node.account is None and not node.roles & CHAIN_ROLES:
            continue
        reading = view.reading(NodeIdentity, node.name)
        identity = view.value(reading)
        if identity is None:
            cause = cause_at_node(view, node)
            yield view.unknown(ACCOUNT, "node", node.name, reading, cause=cause)
            continue
        severity, summary, remedy = _account(node, identity)
        told = identity.account or "no account"
        yield Finding(
            ACCOUNT,
            severity,
            "node",
            node.name,
            summary,
            (view.says(reading, f"the node says {told}"),),
            remedy,
        )


def _account(node: Node, identity: NodeIdentity) -> tuple[Severity, str, str]:
    have, wanted = identity.account, node.account
    if have is None:
        remedy = "see its -ethUrl and -ethAcctAddr: this role needs the chain"
        if dict(identity.errors).get("/ethAddr"):
            return Severity.UNKNOWN, "not known: the node does not tell its account", remedy
        return Severity.CRITICAL, "acts with no account", remedy
    if wanted is not None and have != wanted:
        text = f"acts as {short_address(have)}, expected {short_address(wanted)}"
        return Severity.CRITICAL, text, "see whether its keystore is mounted, and -ethAcctAddr"
    return Severity.OK, f"acts as {short_address(have)}", ""


def node_chain(view: View) -> Iterator[Finding]:
    """A node on another chain signs for contracts that are not ours."""
    chain = view.fleet.chain
    if chain is None:
        return
    # A Controller that answers to nobody is lptui's own mistake to mend, not the nodes'.
    ours = chain.controller if view.fresh(ChainRound, chain.network) is not None else None
    for node in asked(view):
        if not node.roles & CHAIN_ROLES:
            continue
        reading = view.reading(NodeIdentity, node.name)
        identity = view.value(reading)
        if identity is None:
            cause = cause_at_node(view, node)
            yield view.unknown(CHAIN, "node", node.name, reading, cause=cause)
            continue
        have, controller = identity.chain_id, identity.controller
        if have is None:
            severity, summary = Severity.UNKNOWN, "not known: the node does not tell its chain"
        elif have != chain.chain_id:
            severity, summary = Severity.CRITICAL, f"on chain {have}, expected {chain.chain_id}"
        elif None not in (controller, ours) and controller != ours:
            severity = Severity.CRITICAL
            summary = f"uses the Controller {controller}, expected {ours}"
        else:
            severity, summary = Severity.OK, f"on chain {have}"
        yield Finding(
            CHAIN,
            severity,
            "node",
            node.name,
            summary,
            (view.seen(reading),),
            "see its -network, -ethUrl and -ethController" if severity else "",
            # Without an account there is no chain either: one thing to mend.
            cause=f"{ACCOUNT}@{node.name}" if have is None and identity.account is None else "",
        )


def recipient_expected(view: View) -> Iterator[Finding]:
    """A node that works for another orchestrator earns for another orchestrator."""
    for node in view.fleet.nodes.values():
        if node.recipient is None:
            continue
        reading = view.reading(HostProcesses, node.host)
        if not view.is_fresh(reading):
            cause = view.blocker(node.host, reading)
            yield view.unknown(RECIPIENT, "node", node.name, reading, cause=cause)
            continue
        process = process_of(view.snapshot, node)
        if process is None:
            # A container, or another user's unit: its command line is not to be had.
            continue
        told = (process.flag("ethOrchAddr") or "").strip().lower()
        severity, summary = Severity.OK, f"works for {short_address(node.recipient)}"
        if not told and node.account == node.recipient:
            summary += ", its own account"
        elif not told and process.unread:
            severity = Severity.UNKNOWN
            summary = f"not known: its {' and '.join(process.unread)} could not be read"
        elif not told:
            severity = Severity.CRITICAL
            summary = f"names no -ethOrchAddr, expected {short_address(node.recipient)}"
        elif told != node.recipient:
            severity = Severity.CRITICAL
            summary = f"works for {short_address(told)}, expected {short_address(node.recipient)}"
        yield Finding(
            RECIPIENT,
            severity,
            "node",
            node.name,
            summary,
            (view.says(reading, f"-ethOrchAddr {told or 'not given'}"),),
            "correct its -ethOrchAddr: its tickets are paid to that account" if severity else "",
        )
