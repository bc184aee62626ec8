"""Move `well`: a node that was started runs, answers, and is who it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lptui.actions.moves.holders import account_of
from lptui.actions.moves.move import Looking, Seen, Standing
from lptui.actions.moves.registration import registered
from lptui.actions.moves.supervised import in_step, is_down, look, of_node, says
from lptui.actions.plan import Step
from lptui.actions.spec import Source
from lptui.checks import rpc as judged
from lptui.checks.view import View
from lptui.checks.words import span
from lptui.fleet.facts.livepeer import NodeIdentity, NodeStatus
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.registration import orchestrator_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role
from lptui.fleet.units import short_address

KIND: Final = "well"

SETTLED_S: Final = 3.0
"""A node that does not like what it finds ends within this: an orchestrator asks itself after 2 s
(go-livepeer cmd/livepeer/starter/starter.go)."""

_RPC_CHECKS: Final = (
    judged.reachable,
    judged.right_chain,
    judged.stalled,
    judged.lagging,
    judged.disagrees,
    judged.syncing,
)
"""What an RPC node must pass before others rely on it; in the order in which one explains the
next."""


@dataclass(frozen=True, slots=True)
class _Part:
    """How far one part of being well is; None is well."""

    standing: Standing | None
    words: str


def step(snapshot: Snapshot, node: Node, *, wait_s: float, group: str = "") -> Step:
    """The step that waits for a node to be well; for a transcoder, to be registered again."""
    service = of_node(node)
    rpcs = _serves(snapshot, node)
    boss = orchestrator_of(snapshot, node)
    who = _expected(snapshot, node) if node.cli is not None and node.is_livepeer else ()
    promise = [f"{service.name} stays up"]
    if who:
        promise.append("it answers, with the account and the roles that it had")
    if rpcs:
        promise.append(f"{', '.join(rpcs)} synced, fresh, and level with the others")
    if boss is not None:
        promise.append(f"registered at {boss.name}")
    return Step(
        title="see it well",
        target=node.name,
        call=f"reads {node.name}",
        precondition=f"{service.name} was started",
        postcondition="; ".join(promise),
        deadline_s=wait_s,
        undo="only waits",
        kind=KIND,
        given=(
            *service.given,
            *who,
            *(("rpc", name) for name in rpcs),
            *((("compared", name) for name in snapshot.fleet.rpcs) if rpcs else ()),
            *(registered(snapshot, boss) if boss is not None else ()),
        ),
        group=group,
        returns=True,
        proves=True,
    )


class WellMove(Looking):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        name = step.value("node")
        sources: list[Source] = [in_step(step).source]
        if _has(step, "account"):
            sources += [("node-status", name), ("node-identity", name)]
        sources += [("rpc", rpc) for rpc in _all(step, "compared")]
        sources += [("node-status", boss) for boss in _all(step, "orchestrator")]
        return sources

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        parts = [_up(step, now)]
        if _has(step, "account"):
            parts.append(_answers(step, now))
        parts += [_synced(now, name) for name in _all(step, "rpc")]
        parts += [_registered(step, now, boss) for boss in _all(step, "orchestrator")]
        for part in parts:
            if part.standing is not None:
                return Seen(part.standing, part.words)
        return Seen(Standing.MADE, "; ".join(part.words for part in parts))


def _up(step: Step, now: Snapshot) -> _Part:
    service = in_step(step)
    unit, why = look(now, service)
    if unit is None:
        return _Part(Standing.UNKNOWN, why)
    words = says(unit, service)
    if unit.active == "failed" and is_down(unit):
        return _Part(Standing.FAILED, f"{words}: see its log")
    if not unit.is_running:
        return _Part(Standing.BEFORE, words)
    if unit.result == "unhealthy":
        return _Part(Standing.BEFORE, f"{words}: its own health check fails")
    if unit.since_s is not None and unit.since_s < SETTLED_S:
        return _Part(Standing.BEFORE, f"{words}, for {span(unit.since_s)}")
    return _Part(None, words)


def _answers(step: Step, now: Snapshot) -> _Part:
    """It answers, and who it says that it is."""
    name = step.value("node")
    status = now.reading(NodeStatus, name)
    if status.value is None:
        return _Part(Standing.BEFORE, f"{name} does not answer yet: {status.problem}")
    reading = now.reading(NodeIdentity, name)
    who = reading.value
    if who is None:
        return _Part(Standing.BEFORE, f"{name} does not say who it is: {reading.problem}")
    wanted, told = step.value("account"), (who.account or "").lower()
    if wanted and told and told != wanted:
        words = f"{name} acts as {short_address(told)}, and is to act as {short_address(wanted)}"
        return _Part(Standing.FAILED, f"{words}: see its keystore and -ethAcctAddr")
    if wanted and not told:
        return _Part(Standing.BEFORE, f"{name} acts with no account yet")
    for role in ("is_orchestrator", "is_redeemer"):
        before, after = step.value(role), _word(getattr(who, role))
        if before and after != before:
            words = f"{name} says {role} {after or 'nothing'}, and said {before}"
            return _Part(Standing.BEFORE, words)
    acts = f"acts as {short_address(told)}" if told else "answers"
    return _Part(None, f"{name} {acts}")


def _synced(now: Snapshot, name: str) -> _Part:
    """What the checks say of an RPC endpoint."""
    view = View(now)
    findings: list[Finding] = [
        finding for check in _RPC_CHECKS for finding in check(view) if finding.target == name
    ]
    for finding in findings:
        if finding.severity in (Severity.WARNING, Severity.CRITICAL):
            is_final = finding.check == judged.CHAIN
            standing = Standing.FAILED if is_final else Standing.BEFORE
            return _Part(standing, f"{name} {finding.summary}")
    unread = next((one for one in findings if one.severity is Severity.UNKNOWN), None)
    if unread is not None and unread.check != judged.REACHABLE:
        # What is not known to be in sync is not in sync.
        return _Part(Standing.UNKNOWN, f"{name}: {unread.check} {unread.summary}")
    if unread is not None or not findings:
        return _Part(Standing.UNKNOWN, f"{name} {unread.summary if unread else 'was not read'}")
    fresh = next((one.summary for one in findings if one.check == judged.STALLED), "")
    return _Part(None, f"{name}: {fresh}")


def _registered(step: Step, now: Snapshot, boss: str) -> _Part:
    """Whether its orchestrator has as many transcoders as before, and one that came since."""
    reading = now.reading(NodeStatus, boss)
    if reading.value is None:
        return _Part(Standing.BEFORE, f"{boss} does not tell its transcoders: {reading.problem}")
    wanted = int(step.value("registered"))
    have = reading.value.transcoders_number
    known = set(_all(step, "peer"))
    fresh = [one.address for one in reading.value.transcoders if one.address not in known]
    words = f"{boss} has {have} transcoders registered of {wanted}, {len(fresh)} of them new"
    return _Part(None if have >= wanted and fresh else Standing.BEFORE, words)


def _expected(snapshot: Snapshot, node: Node) -> tuple[tuple[str, str], ...]:
    """Account and roles that it must have: its own, else those of the node it stands by for."""
    first = snapshot.fleet.nodes.get(node.standby_for or "")
    who = snapshot.fresh(NodeIdentity, node.name)
    account = account_of(snapshot, node)
    if first is not None:
        who = who or snapshot.fresh(NodeIdentity, first.name)
        account = account or account_of(snapshot, first)
    return (
        ("account", account),
        ("is_orchestrator", _word(who.is_orchestrator if who else None)),
        ("is_redeemer", _word(who.is_redeemer if who else None)),
    )


def _serves(snapshot: Snapshot, node: Node) -> tuple[str, ...]:
    """The RPC endpoints that a node serves."""
    if Role.RPC not in node.roles:
        return ()
    rpcs = snapshot.fleet.rpcs.values()
    return tuple(rpc.name for rpc in rpcs if node.name == rpc.node or rpc.name == node.rpc)


def _has(step: Step, name: str) -> bool:
    return any(key == name for key, _ in step.given)


def _all(step: Step, name: str) -> tuple[str, ...]:
    return tuple(value for key, value in step.given if key == name)


def _word(value: bool | None) -> str:
    return "" if value is None else str(value).lower()
