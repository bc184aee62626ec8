"""Plans the failover of a key: from the node that acts with it to its stand-by, and back.

One key, one active host: the old holder is stopped, kept from starting again, and proved stopped
before the new one is started. A host that cannot be asked proves nothing, so its operator must
say, by typing its name, that it is certainly off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions import has_key, serving
from lptui.actions.moves import rewarded, units
from lptui.actions.plan import Plan, Precondition, Request, Step
from lptui.fleet.facts.host import HostUnits, UnitLoad
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.key_at_start import COPY
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node
from lptui.fleet.units import Address, short_address

STOPPED: Final = ("inactive", "failed")

WELL_S: Final = 120.0
"""How long the new holder gets to answer and to be who it should be."""


def pair_of(fleet: Fleet, name: str) -> tuple[Node, ...]:
    """A node's key holders: itself, the one that it stands by for, and those that stand by for it.

    () when it shares its key with nobody.
    """
    node = fleet.nodes.get(name)
    if node is None:
        return ()
    first = fleet.nodes.get(node.standby_for or name, node)
    others = [one for one in fleet.nodes.values() if one.standby_for == first.name]
    return (first, *others) if others else ()


def plan(snapshot: Snapshot, request: Request, action: str) -> Plan:
    """The plan for a node with a stand-by; `request.target` is either of them."""
    holders = pair_of(snapshot.fleet, request.target)
    to, conditions = _heir(snapshot, holders, request.option("to"))
    fenced, stated = request.option("fenced"), request.option("has-key")
    old = [node for node in holders if node is not to]
    states = {node.name: _state(snapshot, node) for node in holders}
    for node in old:
        conditions.append(_can_be_stopped(snapshot, node, fenced))
        conditions += _nothing_beside_it(snapshot, node)
    account = _account(snapshot, to, old) if to is not None else None
    if to is not None:
        conditions += _may_start(snapshot, to, account)
    if to is not None and account is not None and states[to.name] != "active":
        conditions += has_key.conditions(snapshot, to, account, stated)
    steps = _steps(snapshot, to, old, fenced) if all(c.met is True for c in conditions) else []
    if steps and to is not None and account is not None:
        names = rewarded.orchestrators(snapshot, to, account)
        steps += [rewarded.step(snapshot, to, names)] if names else []
    active = [node.name for node in old if states[node.name] == "active"]
    whom = ", ".join(active) or "nobody (all are stopped)"
    name = to.name if to is not None else "nobody"
    return Plan(
        action=action,
        target=request.words,
        summary=f"{name} takes over the key and work of {whom}",
        steps=tuple(steps),
        preconditions=tuple(conditions),
        cost="no money; nobody acts with the key until the new holder has started",
        effect=f"{name} acts with the key; {', '.join(n.name for n in old)} must not run any more",
        blast="what the key is for (rewards, tickets, rounds) pauses for the length of a start",
        facts=_facts(to, old, fenced, stated),
        warnings=_warnings(snapshot, to, account, old, fenced),
        lock=serving.fleet_lock(snapshot.fleet),
        done=_done(to, old, states),
    )


def _heir(
    snapshot: Snapshot, holders: Sequence[Node], to: str
) -> tuple[Node | None, list[Precondition]]:
    """Who takes over: the one that is named, else the only one that does not run."""
    name = "who takes over"
    names = ", ".join(node.name for node in holders)
    if to:
        named = next((node for node in holders if node.name == to), None)
        words = f"{named.name} on {named.host}" if named else f"{to} is none of {names}"
        return named, [Precondition(name, named is not None, words)]
    states = {node.name: _state(snapshot, node) for node in holders}
    idle = [node for node in holders if states[node.name] in STOPPED]
    if len(idle) == 1:
        return idle[0], [Precondition(name, True, f"{idle[0].name} on {idle[0].host}")]
    if holders and all(state == "active" for state in states.values()):
        # All run: two holders of one key. Which one is to stay is the operator's to say.
        why = f"{names} all run with one key"
        return None, [Precondition(name, False, why, "say which one is to stay: --to NAME")]
    why = f"of {names or 'no node'}, {len(idle)} are known to be stopped"
    return None, [Precondition(name, False, why, "name one: --to NAME")]


def _state(snapshot: Snapshot, node: Node) -> str:
    """The unit's active state; "" when it is not known."""
    there = snapshot.fresh(HostUnits, node.host)
    unit = there.find(node.service.name) if there and node.service else None
    return unit.active if unit is not None else ""


def _can_be_stopped(snapshot: Snapshot, node: Node, fenced: str) -> Precondition:
    name = f"{node.name} can be stopped, and proved stopped"
    if node.service is None:
        return Precondition(name, False, "no unit or container is configured")
    reading = snapshot.reading(HostUnits, node.host)
    if snapshot.fresh(HostUnits, node.host) is not None:
        state = _state(snapshot, node)
        met = state != ""
        words = f"{node.service.name} on {node.host} is {state or 'unknown'}"
        return Precondition(name, met, words)
    why = str(reading.problem) if reading.problem else "its last answer is too old"
    if fenced == node.host:
        return Precondition(name, True, f"{why}; its operator states that {node.host} is fenced")
    remedy = f"turn {node.host} off for certain (power, network), then say so: --fenced {node.host}"
    return Precondition(name, False, why, remedy)


def _nothing_beside_it(snapshot: Snapshot, node: Node) -> list[Precondition]:
    """What would go on with the key, or start it again, once the unit is stopped."""
    if node.service is None or snapshot.fresh(HostUnits, node.host) is None:
        return []
    why = units.why_not_proved(snapshot, node)
    name = f"nothing beside {node.service.name} acts with its key on {node.host}"
    remedy = "end it, or see what it is, first" if why else ""
    return [Precondition(name, not why, why or "no other process, and nothing starts one", remedy)]


def _account(snapshot: Snapshot, to: Node, old: Sequence[Node]) -> Address | None:
    """Whose key it is: as configured of either, else as one of the old holders says."""
    configured = to.account or next((node.account for node in old if node.account), None)
    if configured is not None:
        return configured
    known = [snapshot.value(NodeIdentity, node.name) for node in old]
    return next((who.account for who in known if who is not None and who.account), None)


def _may_start(snapshot: Snapshot, to: Node, account: Address | None) -> list[Precondition]:
    name = f"{to.name} can be started"
    if to.service is None:
        return [Precondition(name, False, "no unit or container is configured")]
    there = snapshot.fresh(HostUnits, to.host)
    if there is None:
        problem = snapshot.reading(HostUnits, to.host).problem
        why = str(problem) if problem else "its last answer is too old"
        return [Precondition(name, None, why, "see the host's own findings")]
    unit = there.find(to.service.name)
    if unit is None or unit.load is UnitLoad.NOT_FOUND:
        return [Precondition(name, False, f"{to.host} has no unit {to.service.name}")]
    found = [Precondition(name, True, f"{to.service.name} on {to.host} is {unit.active}")]
    words = short_address(account) if account else "neither configured nor known"
    remedy = "" if account else "set `account` of the stand-by: only so can it be verified"
    found.append(Precondition("the key's account is known", account is not None, words, remedy))
    return found


def _steps(snapshot: Snapshot, to: Node | None, old: Sequence[Node], fenced: str) -> list[Step]:
    if to is None:
        return []
    steps: list[Step] = []
    for node in old:
        if snapshot.fresh(HostUnits, node.host) is None and fenced == node.host:
            continue
        if _state(snapshot, node) not in STOPPED:
            steps.append(units.stop_step(snapshot, node, for_good=True))
        steps.append(units.disable_step(snapshot, node))
        steps.append(units.proved_stopped_step(snapshot, node))
    if _state(snapshot, to) != "active":
        steps.append(units.enable_step(snapshot, to))
        steps.append(units.start_step(snapshot, to, fenced=(fenced,) if fenced else ()))
    steps.append(units.well_step(snapshot, to, wait_s=WELL_S))
    return steps


def _facts(
    to: Node | None, old: Sequence[Node], fenced: str, stated: str
) -> tuple[tuple[str, str], ...]:
    found = [("to", to.name if to else ""), *(("from", node.name) for node in old)]
    account = next((n.account for n in (to, *old) if n is not None and n.account), None)
    if account is not None:
        found.append(("account", account))
    words = (("fenced", fenced), ("has-key", stated))
    return (*found, *((name, word) for name, word in words if word))


def _warnings(
    snapshot: Snapshot,
    to: Node | None,
    account: Address | None,
    old: Sequence[Node],
    fenced: str,
) -> tuple[str, ...]:
    found = []
    if fenced in {node.host for node in old}:
        found.append(
            f"{fenced} is not asked: you state that it is off. If it is not, two hosts act with "
            "one key"
        )
    is_started = to is not None and _state(snapshot, to) != "active"
    if is_started and to is not None and account and has_key.not_seen(snapshot, to, account):
        found.append(f"whether {to.host} has the key is not seen: {COPY}")
    return tuple(found)


def _done(to: Node | None, old: Sequence[Node], states: dict[str, str]) -> str:
    if to is None or states.get(to.name) != "active":
        return ""
    if all(states[node.name] in STOPPED for node in old):
        return f"{to.name} is the active holder already"
    return ""
