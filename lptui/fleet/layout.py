"""How the fleet stands together: which of the known set-ups it is, who is linked to whom. Pure.

The set-ups are those of the multi-orchestrator document: one orchestrator with a redeemer, a
service node that redeems and calls reward, or one node for each. What is declared counts where
nothing was seen; what was seen counts before what is declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from lptui.errors import ProblemKind
from lptui.fleet import settings
from lptui.fleet.callers import calls_by_itself, reward_callers
from lptui.fleet.duty import rest, runs
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.facts.host import HostProcesses, HostUnits, LivepeerProcess
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.links import Link, LinkKind, links
from lptui.fleet.places import place
from lptui.fleet.processes import advertised, strangers
from lptui.fleet.roles import Observed, Setting, observe, settings_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Orchestrator, Role
from lptui.fleet.transcoders import is_remote
from lptui.fleet.units import Address


class SetUp(StrEnum):
    """The set-ups that are known by name (a number where the document gives one)."""

    ALONE = "an orchestrator that redeems and calls reward itself"
    REDEEMER = "set-up 1: an orchestrator and its redeemer"
    SERVICE_NODE = "set-up 2: a service node that redeems and calls reward"
    SEPARATE = "set-up 3: a redeemer, a reward node"
    DELEGATED = "set-up 3 with a delegated caller (LIP-118): a redeemer, a reward node"
    OTHER = "none of the usual set-ups"


@dataclass(frozen=True, slots=True)
class Member:
    """A go-livepeer node: what it was declared to be and what it turns out to be.

    Attributes:
        node_type: None where nothing tells it.
        roles: those that it has, as seen; else as declared.
        resting: why it is stopped as it should be; "" when it runs, or should.
    """

    name: str
    host: str
    declared: tuple[str, ...]
    node_type: str | None
    roles: tuple[str, ...]
    account: Address | None
    recipient: Address | None
    resting: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The nodes of one registered orchestrator, by their names. `name` "": a fleet without one.

    Attributes:
        variants: what is special about it, in words.
        missing, doubled: the parts that are not there, and those of which there are too many.
    """

    name: str
    set_up: SetUp
    variants: tuple[str, ...]
    orchestrators: tuple[str, ...]
    redeemers: tuple[str, ...]
    callers: tuple[str, ...]
    initialisers: tuple[str, ...]
    missing: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole picture. `routers` are the hosts on which a `livepeer_router` runs."""

    groups: tuple[Group, ...]
    members: tuple[Member, ...]
    links: tuple[Link, ...]
    gateways: tuple[str, ...] = ()
    routers: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()

    def member(self, name: str) -> Member | None:
        return next((one for one in self.members if one.name == name), None)

    def links_from(self, name: str) -> tuple[Link, ...]:
        return tuple(link for link in self.links if link.source == name)


def layout(snapshot: Snapshot) -> Layout:
    """What the fleet looks like by all that is freshly known."""
    seen = {
        node.name: observe(snapshot, node)
        for node in snapshot.fleet.nodes.values()
        if node.is_livepeer
    }
    nodes = [snapshot.fleet.nodes[name] for name in seen]
    chain = snapshot.fleet.chain
    registered = chain.orchestrators if chain is not None else ()
    members = tuple(_member(snapshot, node, seen[node.name]) for node in nodes)
    ways = links(snapshot, seen)
    unknown = [
        (host, process) for host in snapshot.fleet.hosts for process in strangers(snapshot, host)
    ]
    known = _Known(snapshot, nodes, seen, ways, unknown)
    groups = [_group(known, item) for item in registered or (None,)]
    return Layout(
        tuple(group for group in groups if group.orchestrators or group.name),
        members,
        ways,
        tuple(node.name for node in nodes if has(seen, node, Role.GATEWAY)),
        tuple(_routers(snapshot)),
        tuple(named(process, host) for host, process in unknown),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What the groups are made of. `strangers` are processes of nobody's by their hosts."""

    snapshot: Snapshot
    nodes: list[Node]
    seen: dict[str, Observed]
    links: tuple[Link, ...]
    strangers: list[tuple[str, LivepeerProcess]]


def named(process: LivepeerProcess, host: str) -> str:
    """What a process that is no node of the fleet is called."""
    return f"{process.unit or f'process {process.pid}'} on {host}"


def has(seen: dict[str, Observed], node: Node, role: Role) -> bool:
    """Whether a node has a role, as seen; as declared where that cannot be told."""
    told = seen[node.name].does.get(role)
    return role in node.roles if told is None else told


def _member(snapshot: Snapshot, node: Node, seen: Observed) -> Member:
    declared = tuple(str(role) for role in Role if role in node.roles)
    found = tuple(
        str(role) for role in Role if seen.does.get(role, role in node.roles) and role != Role.RPC
    )
    return Member(
        node.name,
        node.host,
        declared,
        str(seen.node_type) if seen.node_type is not None else None,
        found,
        seen.account or node.account,
        seen.recipient or node.recipient,
        rest(snapshot, node),
        settings_of(snapshot, node, seen),
    )


def _group(known: _Known, item: Orchestrator | None) -> Group:
    snapshot, seen = known.snapshot, known.seen
    ours = [node for node in known.nodes if item is None or _works_for(snapshot, node, seen, item)]
    at_work = [node for node in ours if not rest(snapshot, node)]
    orchestrators = [node for node in at_work if has(seen, node, Role.ORCHESTRATOR)]
    redeemers = [node for node in at_work if has(seen, node, Role.REDEEMER)]
    delegated, callers = _callers(snapshot, at_work, seen, item)
    return Group(
        item.name if item is not None else "",
        _set_up(orchestrators, redeemers, callers, delegated),
        tuple(_variants(known, orchestrators)),
        _names(orchestrators),
        _names(redeemers),
        _names(callers),
        _names([node for node in at_work if has(seen, node, Role.ROUND_INITIALISER)]),
        tuple(_missing(snapshot, orchestrators, redeemers, callers, seen, item)),
        tuple(_doubled(known, redeemers, callers, item)),
    )


def _names(nodes: list[Node]) -> tuple[str, ...]:
    return tuple(node.name for node in nodes)


def _works_for(
    snapshot: Snapshot, node: Node, seen: dict[str, Observed], item: Orchestrator
) -> bool:
    recipient = seen[node.name].recipient or node.recipient
    account = seen[node.name].account or node.account
    if item.address in (recipient, account) or item.reward_caller == node.name:
        return True
    chain = snapshot.fleet.chain
    # With one orchestrator on chain, whoever names no other is its.
    return recipient is None and chain is not None and len(chain.orchestrators) == 1


def _callers(
    snapshot: Snapshot,
    at_work: list[Node],
    seen: dict[str, Observed],
    item: Orchestrator | None,
) -> tuple[bool, list[Node]]:
    """The nodes that call reward, and whether it is a delegate that does."""
    if item is None:
        return False, [node for node in at_work if has(seen, node, Role.REWARD)]
    record = snapshot.fresh(OrchestratorRecord, item.name)
    able = {one.node.name: one for one in reward_callers(snapshot, item, record)}
    callers = [
        node
        for node in at_work
        if (node.name in able and calls_by_itself(snapshot, able[node.name]))
        or (has(seen, node, Role.REWARD) and node.name in {*able, item.reward_caller})
        or (has(seen, node, Role.REWARD) and seen[node.name].account is None)
    ]
    delegated = any(able[node.name].delegated for node in callers if node.name in able)
    return delegated, callers


def _set_up(
    orchestrators: list[Node], redeemers: list[Node], callers: list[Node], delegated: bool
) -> SetUp:
    if not orchestrators:
        return SetUp.OTHER
    own = all(node in orchestrators for node in callers)
    if not redeemers:
        return SetUp.ALONE if callers and own and len(orchestrators) == 1 else SetUp.OTHER
    if any(node in redeemers for node in callers):
        return SetUp.SERVICE_NODE
    if callers and not own:
        return SetUp.DELEGATED if delegated else SetUp.SEPARATE
    return SetUp.REDEEMER if callers and len(orchestrators) == 1 else SetUp.OTHER


def _variants(known: _Known, orchestrators: list[Node]) -> Iterator[str]:
    snapshot, seen, nodes = known.snapshot, known.seen, known.nodes
    count, names = len(orchestrators), _names(orchestrators)
    if count > 1:
        yield f"{count} orchestrators"
    balancers = dict.fromkeys(
        link.source
        for link in known.links
        if link.kind is LinkKind.CLIENTS and link.target in names
    )
    if balancers:
        kinds = [f"{name} ({snapshot.fleet.balancers[name].kind})" for name in balancers]
        yield f"behind {', '.join(kinds)}"
    elif count > 1 and _share_address(snapshot, orchestrators):
        yield "one address for all by DNS, or by a balancer that is not declared"
    if any(is_remote(node) for node in nodes) or any(
        (status := snapshot.fresh(NodeStatus, node.name)) and status.transcoders_number
        for node in orchestrators
    ):
        yield "transcoders of their own"
    combined = [node.name for node in orchestrators if seen[node.name].does.get(Role.TRANSCODER)]
    if combined:
        yield f"transcoding in its own process: {', '.join(combined)}"
    for node in orchestrators:
        process = seen[node.name].process
        if process is not None and settings.instances(process):
            others = ", ".join(settings.instances(process)[:4])
            yield f"{node.name} sends gateways on to {others} (-nodes)"
    for host in _routers(snapshot):
        yield f"a livepeer_router on {host}"


def _share_address(snapshot: Snapshot, orchestrators: list[Node]) -> bool:
    """Whether all advertise the same; that none advertises anything is no address."""
    found = {place(advertised(snapshot, node)) for node in orchestrators}
    return len(found) == 1 and None not in found


def _routers(snapshot: Snapshot) -> Iterator[str]:
    for host in snapshot.fleet.hosts:
        found = snapshot.fresh(HostProcesses, host)
        if found is not None and any("router" in one.program.lower() for one in found.others):
            yield host


def _missing(
    snapshot: Snapshot,
    orchestrators: list[Node],
    redeemers: list[Node],
    callers: list[Node],
    seen: dict[str, Observed],
    item: Orchestrator | None,
) -> Iterator[str]:
    if not orchestrators:
        yield "an orchestrator"
        return
    if all(_is_gone(snapshot, node) for node in orchestrators):
        yield f"an orchestrator that runs: {_list(orchestrators)} {_do(orchestrators)} not"
    if item is not None and not callers:
        yield "a node that calls reward"
    elif callers and all(_is_gone(snapshot, node) for node in callers):
        yield f"a node that calls reward: {_list(callers)} {_do(callers)} not run"
    if redeemers and all(_is_gone(snapshot, node) for node in redeemers):
        yield f"a redeemer: {_list(redeemers)} {_do(redeemers)} not run"
    sent = [
        node.name
        for node in orchestrators
        if (process := seen[node.name].process) is not None and process.flag("redeemerAddr")
    ]
    if sent and not redeemers:
        yield f"the redeemer that {', '.join(sent)} send their winning tickets to"
    for node in orchestrators:
        status, process = snapshot.fresh(NodeStatus, node.name), seen[node.name].process
        needs = seen[node.name].does.get(Role.TRANSCODER) is False and node.transcoders != 0
        if process is not None:
            needs = needs and settings.needs_transcoders(process)
        if status is not None and not status.transcoders_number and needs:
            yield f"transcoders of {node.name}"


def _list(nodes: list[Node]) -> str:
    return ", ".join(_names(nodes))


def _do(nodes: list[Node]) -> str:
    return "does" if len(nodes) == 1 else "do"


def _is_gone(snapshot: Snapshot, node: Node) -> bool:
    """Whether it is known that a node does not run now."""
    if runs(snapshot, node) is not None:
        return False
    units = snapshot.fresh(HostUnits, node.host)
    if node.service is not None and units is not None:
        return units.find(node.service.name) is not None
    problem = snapshot.reading(NodeStatus, node.name).problem
    return problem is not None and problem.kind is ProblemKind.REFUSED


def _doubled(
    known: _Known, redeemers: list[Node], callers: list[Node], item: Orchestrator | None
) -> Iterator[str]:
    if len(redeemers) > 1:
        yield f"redeemers: {', '.join(_names(redeemers))}"
    if len(callers) > 1:
        yield f"callers of reward: {', '.join(_names(callers))}"
    if item is None:
        return
    holders = [name for name, one in known.seen.items() if one.account == item.address]
    holders += [
        named(process, host)
        for host, process in known.strangers
        if settings.account_of(process) == item.address
    ]
    if len(holders) > 1:
        yield f"holders of the registered key: {', '.join(holders)}"
