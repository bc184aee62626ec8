"""Keys: who is to call reward, and does each signing key have one active process.

Two processes with one signing key take each other's nonces; two with the registered key both
call reward by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.nodes import asked, cause_at_node
from lptui.checks.standby import STANDBY
from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.fleet.callers import Caller, reward_callers
from lptui.fleet.duty import at_work
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord
from lptui.fleet.facts.host import HostProcesses, HostUnits, LivepeerProcess
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.processes import process_of
from lptui.fleet.reading import Reading
from lptui.fleet.settings import is_on_chain
from lptui.fleet.topology import Node, Orchestrator, Role
from lptui.fleet.units import Address, short_address

CALLER: Final = "reward-caller"
REGISTERED: Final = "registered-key-once"
SIGNER: Final = "signer-key-once"
DELEGATE: Final = "reward-delegate"


def reward_caller(view: View) -> Iterator[Finding]:
    """Is there a node that may call reward: with the registered key, or its on-chain delegate?"""
    chain = view.fleet.chain
    for registered in chain.orchestrators if chain else ():
        record = view.reading(OrchestratorRecord, registered.name)
        callers = tuple(
            caller
            for caller in reward_callers(view.snapshot, registered, view.value(record))
            if view.is_fresh(caller.identity)
        )
        expected = at_work(view.snapshot, registered.reward_caller or "") or None
        if callers and (expected is None or callers[0].node.name == expected):
            yield _called_by(view, registered, callers[0])
        else:
            yield _nobody(view, registered, record, callers)


def _called_by(view: View, registered: Orchestrator, caller: Caller) -> Finding:
    key = "the delegated key" if caller.delegated else "the registered key"
    summary = f"{caller.node.name} holds {key}"
    remedy = ""
    if caller.identity.value is not None and caller.identity.value.tx_routes is False:
        summary += "; it calls by itself, but lptui cannot make it call (routes off)"
        remedy = "start it with -enableCliTxRoutes to call reward from here"
    return Finding(
        CALLER,
        Severity.OK,
        "orchestrator",
        registered.name,
        summary,
        (view.says(caller.identity, f"{caller.node.name} acts as {caller.account}"),),
        remedy,
    )


def _nobody(
    view: View,
    registered: Orchestrator,
    record: Reading[OrchestratorRecord],
    callers: tuple[Caller, ...],
) -> Finding:
    expected = view.fleet.nodes.get(at_work(view.snapshot, registered.reward_caller or ""))
    unknown = [node for node in asked(view) if view.fresh(NodeIdentity, node.name) is None]
    if expected is not None and view.fresh(NodeIdentity, expected.name) is None:
        reading = view.reading(NodeIdentity, expected.name)
        cause = cause_at_node(view, expected)
        return view.unknown(CALLER, "orchestrator", registered.name, reading, cause=cause)
    if expected is None and unknown:
        reading = view.reading(NodeIdentity, unknown[0].name)
        cause = cause_at_node(view, unknown[0])
        return view.unknown(CALLER, "orchestrator", registered.name, reading, cause=cause)
    known = view.value(record)
    if known is None:
        cause = view.chain_blocker()
        return view.unknown(CALLER, "orchestrator", registered.name, record, cause=cause)
    severity, remedy = Severity.CRITICAL, "start the node that holds the key"
    if expected is not None:
        identity = view.fresh(NodeIdentity, expected.name)
        acts = identity.account if identity is not None else None
        summary = (
            f"{expected.name} is to call reward, but acts as {short_address(acts or 'nobody')}"
        )
        remedy = "give it the registered key, or authorise its key on chain"
        if callers:
            severity = Severity.WARNING
            summary += f"; {callers[0].node.name} can call"
    else:
        summary = f"no node holds {short_address(registered.address)} or its delegate"
        if _was_called_lately(view, known):
            severity = Severity.WARNING
            summary += "; somebody outside the fleet calls reward"
            remedy = "add that node to the configuration"
    is_delegate = expected is not None and expected.recipient == registered.address
    return Finding(
        CALLER,
        severity,
        "orchestrator",
        registered.name,
        summary,
        (view.says(record, f"delegate {known.reward_caller or 'none'}"),),
        remedy,
        # Of a node with a key of its own it is told there.
        cause=f"{DELEGATE}@{registered.name}" if is_delegate else "",
    )


def _was_called_lately(view: View, record: OrchestratorRecord) -> bool:
    chain = view.fleet.chain
    clock = view.fresh(ChainRound, chain.network) if chain else None
    return clock is not None and record.last_reward_round >= clock.round - 1


def registered_key_once(view: View) -> Iterator[Finding]:
    """Does no more than one process act with an orchestrator's registered key?"""
    chain = view.fleet.chain
    for registered in chain.orchestrators if chain else ():
        yield _once(view, REGISTERED, "orchestrator", registered.name, registered.address)


def signer_key_once(view: View) -> Iterator[Finding]:
    """The same for the other signing keys: redeemers, delegated reward callers, initialisers."""
    chain = view.fleet.chain
    if chain is None:
        return
    taken = {registered.address for registered in chain.orchestrators}
    for signer in view.fleet.signers:
        if signer.address not in taken:
            yield _once(view, SIGNER, "signer", signer.name, signer.address)


def _once(view: View, check: str, subject: str, target: str, account: Address) -> Finding:
    holders, evidence = _holders(view, account)
    if len(holders) > 1:
        return Finding(
            check,
            Severity.CRITICAL,
            subject,
            target,
            f"{len(holders)} processes act as {short_address(account)}: {listed(holders)}",
            tuple(evidence),
            "stop all but one, and see that it does not come back",
            metrics=(Metric("processes", len(holders), "", "", "1"),),
            cause=_standby_among(view, holders),
        )
    silent = _unsure_about(view)
    if silent is not None:
        node, reading = silent
        found = view.unknown(check, subject, target, reading, cause=cause_at_node(view, node))
        return Finding(
            check,
            Severity.UNKNOWN,
            subject,
            target,
            f"not known: {node.name} does not tell which account it acts as",
            (*found.evidence, *evidence),
            found.remedy,
            cause=found.cause,
        )
    return Finding(
        check,
        Severity.OK,
        subject,
        target,
        f"{holders[0]} alone acts as it" if holders else "no process of the fleet acts as it",
        tuple(evidence),
        metrics=(Metric("processes", len(holders), "", "", "1"),),
    )


def _standby_among(view: View, holders: list[str]) -> str:
    """Id of the finding that a stand-by runs beside the node that it stands by for."""
    nodes = [view.fleet.nodes[name] for name in holders if name in view.fleet.nodes]
    pairs = (node for node in nodes if node.standby_for in holders)
    return next((f"{STANDBY}@{node.name}" for node in pairs), "") if len(holders) == 2 else ""


def _holders(view: View, account: Address) -> tuple[list[str], list[str]]:
    """Who acts with an account: nodes by what they say, further processes by their flags."""
    holders: list[str] = []
    evidence: list[str] = []
    explained: set[tuple[str, int]] = set()
    by_host: dict[str, int] = {}
    for node in asked(view):
        reading = view.reading(NodeIdentity, node.name)
        identity = view.value(reading)
        process = process_of(view.snapshot, node)
        if process is not None:
            explained.add((node.host, process.pid))
        if identity is None or identity.account != account:
            continue
        holders.append(node.name)
        evidence.append(view.says(reading, f"{node.name} acts as {account}"))
        if process is None:
            by_host[node.host] = by_host.get(node.host, 0) + 1
    for host, processes in view.readings(HostProcesses).items():
        found = view.value(processes)
        if found is None:
            continue
        for item in found.livepeer:
            if (host, item.pid) in explained or not _acts_as(item, account):
                continue
            if _has_ended(view, host, item, processes):
                continue
            if by_host.get(host, 0) > 0:
                # The process of a node there that could not be told apart.
                by_host[host] -= 1
                continue
            holders.append(f"process {item.pid} on {host}")
            evidence.append(view.says(processes, f"process {item.pid} has -ethAcctAddr {account}"))
    return holders, evidence


def _has_ended(view: View, host: str, item: LivepeerProcess, seen: Reading[HostProcesses]) -> bool:
    """Whether it was the process of a node that has been stopped since it was seen."""
    units = view.reading(HostUnits, host)
    return seen.taken_at <= units.taken_at and any(
        node.service is not None and node.service.name == item.unit and view.rest(node)
        for node in view.nodes_on(host)
    )


def _acts_as(process: LivepeerProcess, account: Address) -> bool:
    told = (process.flag("ethAcctAddr") or "").strip().lower()
    return told == account and is_on_chain(process) is not False


def _unsure_about(view: View) -> tuple[Node, Reading[NodeIdentity]] | None:
    """A node that may hold any key, for all that is known; pure transcoders seldom have one."""
    for node in asked(view):
        if node.roles == {Role.TRANSCODER}:
            continue
        reading = view.reading(NodeIdentity, node.name)
        if not view.is_fresh(reading):
            return node, reading
    return None
