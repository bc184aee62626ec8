"""Plans the failover of an RPC endpoint: the nodes that use it are pointed at another one.

Each is drained, stopped, has its setting changed in its environment file, and is started again;
that its own block watcher follows the chain through the other endpoint proves it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from lptui.actions import passage, serving
from lptui.actions.moves import environment, sessions, units, watcher
from lptui.actions.plan import Plan, Precondition, Request, Step
from lptui.actions.undrain import WAIT_S
from lptui.fleet.facts.environment import NodeEnvironment, is_hidden
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.pools import balancers_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role, Rpc

PREFIX: Final = "rpc:"

SESSIONS_S: Final = 60.0
"""How long a consumer's sessions get to end: it works with a stalled endpoint meanwhile."""

WELL_S: Final = 120.0


def consumers(snapshot: Snapshot, rpc: str) -> tuple[Node, ...]:
    """The nodes that use an endpoint and whose setting can be changed."""
    nodes = snapshot.fleet.nodes.values()
    return tuple(
        node
        for node in nodes
        if node.rpc == rpc
        and Role.RPC not in node.roles
        and node.environment_file
        # A stand-by rests: it is pointed elsewhere when it takes over.
        and not node.standby_for
    )


def plan(snapshot: Snapshot, request: Request, action: str) -> Plan:
    """The plan for one endpoint; `request.target` is `rpc:NAME`, the option `to` the other one."""
    fleet = snapshot.fleet
    old = request.target.removeprefix(PREFIX)
    to = fleet.rpcs.get(request.option("to").removeprefix(PREFIX))
    nodes = consumers(snapshot, old)
    conditions = [_named(snapshot, old, to, request.option("to"))]
    if to is not None:
        conditions.append(_alive(snapshot, to))
    moved: list[tuple[Node, str | None, str]] = []
    for node in nodes:
        was, address, condition = _address(snapshot, node, to, request.option("url"))
        conditions.append(condition)
        if address and was != address:
            moved.append((node, was, address))
    conditions += serving.are_read(
        snapshot, (name for node in nodes for name in balancers_of(fleet, node.name))
    )
    steps: list[Step] = []
    if to is not None and all(condition.met is True for condition in conditions):
        for node, was, address in moved:
            steps += _steps(snapshot, node, was, address, to)
    names = ", ".join(node.name for node, _, _ in moved) or "nobody"
    return Plan(
        action=action,
        target=request.words,
        summary=f"point {names} from {old} to {to.name if to else '?'}",
        steps=tuple(steps),
        preconditions=tuple(conditions),
        cost="no money; each node is restarted",
        effect=f"{names} read the chain through {to.name if to else 'another endpoint'}",
        blast="one node at a time is out of its pools and restarted",
        warnings=_warnings(snapshot, old),
        lock=serving.fleet_lock(fleet),
        done="nobody that can be moved uses it" if to is not None and nodes and not moved else "",
    )


def _named(snapshot: Snapshot, old: str, to: Rpc | None, written: str) -> Precondition:
    name = "another endpoint is named"
    others = ", ".join(one for one in snapshot.fleet.rpcs if one != old)
    if to is None or to.name == old:
        why = f"there is no other endpoint {written}" if written else "none is"
        choice = "" if written or not others else "to"
        return Precondition(name, False, why, f"--to NAME: one of {others or 'none'}", choice)
    if not consumers(snapshot, old):
        why = f"no node with an `environment_file` uses {old}"
        remedy = "behind a balancer, fail its pool over; else set environment_file of the nodes"
        return Precondition(name, False, why, remedy)
    return Precondition(name, True, to.name)


def _alive(snapshot: Snapshot, to: Rpc) -> Precondition:
    """An endpoint whose head is old would only be another stalled one."""
    name = f"{to.name} is well"
    head = snapshot.fresh(RpcHead, to.name)
    if head is None:
        problem = snapshot.reading(RpcHead, to.name).problem
        return Precondition(name, None, str(problem or "its last answer is too old"))
    age = snapshot.taken_at - head.head_time
    limit = snapshot.fleet.thresholds.head_age_warn_s
    words = f"block {head.head}, {age:.0f} s old"
    if head.syncing is not None:
        return Precondition(name, False, f"{words}; it is syncing", "wait, or name another")
    return Precondition(name, age <= limit, words, "" if age <= limit else "name another")


def _address(
    snapshot: Snapshot, node: Node, to: Rpc | None, written: str
) -> tuple[str | None, str, Precondition]:
    """What a node's file says now, and what it is to say."""
    name = f"{node.name}: its setting is known"
    facts = snapshot.fresh(NodeEnvironment, node.name)
    if facts is None:
        problem = snapshot.reading(NodeEnvironment, node.name).problem
        return None, "", Precondition(name, None, str(problem or "not read"))
    was = facts.value(node.environment.rpc)
    words = f"{node.environment.rpc}={was}" if was is not None else f"no {node.environment.rpc}"
    if to is None:
        return was, "", Precondition(name, True, words)
    address = written or _seen_from(snapshot, node, to)
    if not address:
        why = f"how {node.name} reaches {to.name} is not known"
        return was, "", Precondition(name, False, why, "say it: --url http://ADDRESS:PORT")
    return was, address, Precondition(name, True, words)


def _seen_from(snapshot: Snapshot, node: Node, to: Rpc) -> str:
    """The address of an endpoint for a node: what others use, else the configured one."""
    if to.key is not None or to.headers:
        return ""
    for other in consumers(snapshot, to.name):
        facts = snapshot.fresh(NodeEnvironment, other.name)
        used = facts.value(other.environment.rpc) if facts is not None else None
        if used and not is_hidden(used) and (other.host == node.host or not _is_local(used)):
            return used
    if not _is_local(to.url) or to.via == node.host:
        return to.url
    return ""


def _is_local(url: str) -> bool:
    """Whether an address means something on one host alone."""
    split = urlsplit(url)
    if split.scheme == "unix":
        return True
    host = split.hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _steps(snapshot: Snapshot, node: Node, was: str | None, address: str, to: Rpc) -> list[Step]:
    places = passage.in_service_of(snapshot, [node])
    steps = passage.out(snapshot, places, wait_s=SESSIONS_S, late=sessions.GO_ON)
    steps.append(units.stop_step(snapshot, node))
    title = f"point it at {to.name}"
    variable = node.environment.rpc
    steps.append(environment.environment_step(node, variable, was, address, title))
    steps.append(units.start_step(snapshot, node))
    steps.append(units.well_step(snapshot, node, wait_s=WELL_S))
    if node.cli is not None:
        steps.append(watcher.step(node, to.name))
    return [*steps, *passage.back(snapshot, places, wait_s=WAIT_S)]


def _warnings(snapshot: Snapshot, old: str) -> tuple[str, ...]:
    """Who stays behind."""
    users = [node for node in snapshot.fleet.nodes.values() if node.rpc == old]
    left: Sequence[str] = [
        node.name for node in users if Role.RPC not in node.roles and not node.environment_file
    ]
    return (f"without `environment_file`, left as they are: {', '.join(left)}",) if left else ()
