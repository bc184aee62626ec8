"""Roles: does each node do what it was declared to, and does anything run that nobody declared?

A node's role is that of its process: a stray argument, an old unit file or a start by hand makes
an orchestrator a transcoder, and nothing fails but the money.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lptui.checks.nodes import cause_at_node
from lptui.checks.units import unit_of
from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.fleet import settings
from lptui.fleet.facts.host import HostProcesses, HostUnits, LivepeerProcess
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.processes import strangers
from lptui.fleet.reading import Reading
from lptui.fleet.roles import Observed, observe
from lptui.fleet.settings import NodeType, switch
from lptui.fleet.topology import Node, Role
from lptui.fleet.units import Address, short_address
from lptui.text import plural

MISMATCH: Final = "role-mismatch"
STRANGER: Final = "unknown-process"

NO_SERVICES: Final = 2
"""go-livepeer's status when it was told to be nothing; so is Go's own after a panic."""

_ALONE: Final = frozenset({Role.REWARD, Role.ROUND_INITIALISER})
_LESSER: Final = frozenset({Role.ROUND_INITIALISER})
"""Roles that others outside the fleet fill as well: rounds get initialised by somebody."""

_VERBS: Final = {
    Role.ORCHESTRATOR: "is no orchestrator",
    Role.TRANSCODER: "transcodes nothing",
    Role.REDEEMER: "is no redeemer",
    Role.REWARD: "does not call reward",
    Role.ROUND_INITIALISER: "does not initialise rounds",
    Role.GATEWAY: "is no gateway",
}


def role_mismatch(view: View) -> Iterator[Finding]:
    """Does each node do what the configuration says that it is for?"""
    for node in view.fleet.nodes.values():
        if not node.is_livepeer:
            continue
        judged = _of_dead(view, node) or _of_unit(view, node)
        if judged is None and not view.rest(node):
            judged = _judged(view, node, observe(view.snapshot, node))
        if judged is not None:
            yield judged


def _judged(view: View, node: Node, seen: Observed) -> Finding | None:
    declared = [role for role in Role if role in node.roles and role is not Role.RPC]
    missing = [role for role in declared if seen.does.get(role) is False]
    untold = [role for role in declared if role not in seen.does]
    evidence = tuple(view.says(reading, _fact(reading, seen)) for reading in seen.evidence)
    if missing:
        return Finding(
            MISMATCH,
            _severity(node, missing),
            "node",
            node.name,
            _missing(node, seen, missing),
            evidence,
            _remedy(seen, missing),
        )
    extra = _needless(seen) or seen.contradiction
    if extra:
        remedy = "see which process listens at its CLI address"
        if not seen.contradiction:
            remedy = "start it without -ethUrl: a transcoder needs neither a chain nor a key"
        return Finding(MISMATCH, Severity.WARNING, "node", node.name, extra, evidence, remedy)
    if len(untold) == len(declared):
        return _unknown(view, node)
    summary = f"is what it was declared to be: {listed([str(r) for r in declared])}"
    if untold:
        summary = (
            f"is {listed([str(r) for r in declared if r not in untold])} as declared; "
            f"not known: {listed([str(r) for r in untold])}"
        )
    return Finding(MISMATCH, Severity.OK, "node", node.name, summary, evidence)


def _severity(node: Node, missing: Sequence[Role]) -> Severity:
    beside = node.roles - set(missing) - {Role.RPC}
    lesser = set(missing) <= _LESSER or (set(missing) == {Role.TRANSCODER} and beside)
    return Severity.WARNING if lesser else Severity.CRITICAL


def _missing(node: Node, seen: Observed, missing: Sequence[Role]) -> str:
    acts = [role for role in seen.roles if role not in missing]
    runs = f"runs as {seen.node_type}" if seen.node_type is not None else ""
    if seen.node_type is NodeType.SERVICE:
        runs = f"runs for {listed([str(role) for role in acts])} alone"
    wanted = listed([str(role) for role in missing])
    text = f"declared {wanted}, but {' and '.join(_VERBS[role] for role in missing)}"
    if runs and not (seen.node_type is not None and set(missing) <= _ALONE):
        text = f"declared {wanted}, but {runs}"
    given = settings.type_flags(seen.process) if seen.process is not None else ()
    if len(given) > 1 and given[:2] != ("orchestrator", "transcoder"):
        text += f": of {listed([f'-{flag}' for flag in given])} only the first counts"
    if set(missing) == {Role.REWARD} and seen.process is not None:
        if switch(seen.process, "reward") is False:
            text += ": it is started with -reward=false"
        elif seen.account is not None:
            text += f": {short_address(seen.account)} is not registered, and -reward is not given"
    return text


def _remedy(seen: Observed, missing: Sequence[Role]) -> str:
    if set(missing) == {Role.REWARD}:
        return "start it with -reward and a key that may call, or correct its roles in lptui's file"
    return "correct its command line, or its roles in lptui's configuration"


def _needless(seen: Observed) -> str:
    """A transcoder with a chain and the registered key calls reward as well."""
    process = seen.process
    if process is None or seen.node_type is not NodeType.TRANSCODER:
        return ""
    if not process.flag("ethUrl") or not settings.is_on_chain(process):
        return ""
    who = f" as {short_address(seen.account)}" if seen.account else ""
    return f"is a transcoder that acts on the chain{who}: with a registered key it calls reward"


def _fact(reading: Reading[object], seen: Observed) -> str:
    value = reading.value
    if isinstance(value, NodeIdentity):
        said = {"orchestrator": value.is_orchestrator, "redeemer": value.is_redeemer}
        told = [f"{name} {'yes' if yes else 'no'}" for name, yes in said.items() if yes is not None]
        return f"the node says: {listed(told) or 'nothing of its role'}"
    return told_of(seen.process) if seen.process is not None else "its process is not to be told"


def told_of(process: LivepeerProcess) -> str:
    """A process in words: what makes it what it is, and where that is from."""
    names = [*settings.type_flags(process), "reward", "initializeRound", "ethAcctAddr"]
    words = []
    for name in names:
        found = process.setting(name)
        if found is not None:
            given = f"-{name}{' ' if found[0] else ''}{found[0]}"
            where = f" ({found[1]})" if found[1] != "command line" else ""
            words.append(given + where)
    text = f"process {process.pid}: {' '.join(words) or 'no flag that gives it a role'}"
    if process.unread:
        text += f"; its {' and '.join(process.unread)} could not be read"
    return text


def _unknown(view: View, node: Node) -> Finding | None:
    """Nothing tells what it is: because it could not be asked, or because nobody can tell."""
    cause = cause_at_node(view, node) if node.cli is not None else view.blocker(node.host)
    reading: Reading[object] = view.reading(NodeIdentity, node.name)
    if node.cli is None:
        reading = view.reading(HostProcesses, node.host)
    if view.is_fresh(reading):
        # A container, or another user's process, and no route that would tell.
        return None
    return view.unknown(MISMATCH, "node", node.name, reading, cause=cause)


def _of_dead(view: View, node: Node) -> Finding | None:
    """A reward node that ended at once: without -reward there is nothing for it to do."""
    unit = unit_of(view, node)
    if unit is None or unit.is_running or not node.is_service or view.rest(node):
        return None
    if unit.exit_status != NO_SERVICES:
        return None
    wanted = _wanted(node)
    return Finding(
        MISMATCH,
        Severity.CRITICAL,
        "node",
        node.name,
        f"ended with status 2, as go-livepeer does when {wanted} is not given: it serves nothing",
        (f"{unit.name} is {unit.active}, status {unit.exit_status}",),
        f"give {wanted} in its unit; if it is there, read its log for a panic",
        cause=f"unit-state@{node.name}",
    )


def _of_unit(view: View, node: Node) -> Finding | None:
    """A stopped reward node whose unit tells go-livepeer to be nothing: it would end at once."""
    unit = unit_of(view, node)
    if unit is None or unit.is_running or not node.is_service or unit.start_flags is None:
        return None
    given = dict(_given(flag) for flag in unit.start_flags)
    if any(given.values()):
        return None
    rests = view.rest(node)
    reading = view.reading(HostUnits, node.host)
    flags = listed([f"-{flag}" for flag in unit.start_flags]) or "no flag that gives it a role"
    return Finding(
        MISMATCH,
        Severity.WARNING if rests else Severity.CRITICAL,
        "node",
        node.name,
        f"its unit does not give {_wanted(node)}: go-livepeer would end at once, with status 2",
        (view.says(reading, f"{unit.name} is {unit.active}; its command line has {flags}"),),
        f"give {_wanted(node)} in its unit before it is started",
        cause="" if rests else f"unit-state@{node.name}",
    )


def _given(flag: str) -> tuple[str, bool]:
    """A flag's name, and whether it is on."""
    name, has_value, value = flag.partition("=")
    return name.lower(), not has_value or value.lower() in settings.TRUE


def _wanted(node: Node) -> str:
    flags = {Role.REWARD: "-reward", Role.ROUND_INITIALISER: "-initializeRound"}
    return " and ".join(flags[role] for role in flags if role in node.roles)


def unknown_process(view: View) -> Iterator[Finding]:
    """Does a go-livepeer process run that no node of the configuration accounts for?"""
    keys = _keys(view)
    for name in view.fleet.hosts:
        reading = view.readings(HostProcesses).get(name)
        if reading is None:
            continue
        found = view.value(reading)
        if found is None:
            cause = view.blocker(name, reading)
            yield view.unknown(STRANGER, "host", name, reading, cause=cause)
            continue
        here = strangers(view.snapshot, name)
        with_key = [(one, keys.get(settings.account_of(one) or Address(""))) for one in here]
        holders = [(one, owner) for one, owner in with_key if owner]
        severity, cause = Severity.OK, ""
        summary = "every go-livepeer process is one of the fleet's nodes"
        if found.hidden:
            summary = "every go-livepeer process that may be seen is one of the fleet's nodes"
        if here:
            severity = Severity.WARNING
            summary = f"{plural(len(here), 'process', 'processes')} nobody declared: "
            summary += listed([_named(one) for one in here])
        if holders:
            severity = Severity.CRITICAL
            summary = "acts with a key of the fleet, and nobody declared it: "
            summary += listed([f"{_named(one)} as {owner}" for one, owner in holders])
            cause = _shared(view, holders[0][0])
        yield Finding(
            STRANGER,
            severity,
            "host",
            name,
            summary,
            (view.seen(reading), *(f"{told_of(one)}, user {one.user}" for one in here[:5])),
            "stop it, or declare it as a node" if severity else "",
            metrics=(Metric("processes", len(here)),),
            cause=cause,
        )


def _keys(view: View) -> dict[Address, str]:
    """The fleet's keys, and whose they are."""
    found = {signer.address: signer.name for signer in view.fleet.signers}
    for node in view.fleet.nodes.values():
        if node.account is not None:
            found.setdefault(node.account, node.name)
    for item in view.fleet.chain.orchestrators if view.fleet.chain else ():
        found[item.address] = item.name
    return found


def _named(process: LivepeerProcess) -> str:
    kind = settings.type_of(process)
    where = process.unit or f"process {process.pid}"
    return f"{where} ({kind})" if kind is not None else where


def _shared(view: View, process: LivepeerProcess) -> str:
    """Id of the finding that a registered key has two processes, which then explains this one."""
    account = settings.account_of(process)
    for item in view.fleet.chain.orchestrators if view.fleet.chain else ():
        if item.address == account:
            return f"registered-key-once@{item.name}"
    return ""
