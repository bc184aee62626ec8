"""go-livepeer processes: do they answer, do their block watchers live, are their versions alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lptui.checks.units import unit_of
from lptui.checks.view import SILENCE, View
from lptui.checks.words import span
from lptui.errors import ProblemKind
from lptui.fleet.chains import is_too_old
from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Chain, Node, Role
from lptui.text import plural

UP: Final = "node-up"
WATCHER: Final = "watcher-stalled"
METRICS: Final = "node-metrics"
VERSIONS: Final = "version-skew"

CHAIN_ROLES: Final = frozenset(
    {Role.ORCHESTRATOR, Role.REDEEMER, Role.REWARD, Role.ROUND_INITIALISER}
)
"""Roles that need a chain and an account; a transcoder runs well without either."""

_STRANGE: Final = frozenset(
    {ProblemKind.HTTP_STATUS, ProblemKind.BAD_ANSWER, ProblemKind.OUTPUT_TOO_LARGE}
)
"""Problems of an answer that came, but not from a node."""


def asked(view: View) -> Iterator[Node]:
    """The go-livepeer nodes that have a CLI API to ask, and do not rest while another works."""
    nodes = view.fleet.nodes.values()
    return (n for n in nodes if n.is_livepeer and n.cli is not None and not view.rest(n))


def cause_of_silence(view: View, node: Node) -> str:
    """Id of the finding that explains why a node's CLI API gave nothing; "" when none does."""
    blocked = view.blocker(node.cli.via if node.cli else node.host)
    if blocked:
        return blocked
    unit = unit_of(view, node)
    return f"unit-state@{node.name}" if unit is not None and not unit.is_running else ""


def cause_at_node(view: View, node: Node) -> str:
    """As `cause_of_silence`; a node that does not even give its status is the cause itself."""
    found = cause_of_silence(view, node)
    if found or view.fresh(NodeStatus, node.name) is not None:
        return found
    return f"{UP}@{node.name}"


def node_up(view: View) -> Iterator[Finding]:
    """Does the node's CLI API answer? Routes that send transactions may be switched off there."""
    for node in asked(view):
        reading = view.reading(NodeStatus, node.name)
        status = view.value(reading)
        if status is not None:
            yield Finding(
                UP,
                Severity.OK,
                "node",
                node.name,
                f"answers, version {status.version or 'unknown'}{_gate(view, node)}",
                (view.seen(reading),),
                metrics=(Metric("latency", round(status.latency_s, 6), "s"),),
            )
            continue
        cause = cause_of_silence(view, node)
        problem = reading.problem
        if cause.startswith("host-up@") or problem is None or problem.kind not in SILENCE:
            yield view.unknown(UP, "node", node.name, reading, cause=cause)
            continue
        wrong = problem.kind in _STRANGE
        yield Finding(
            UP,
            Severity.CRITICAL,
            "node",
            node.name,
            f"{'answers, but not as a Livepeer node' if wrong else 'down'}: {problem}",
            (view.seen(reading),),
            "see which process listens there, and its -cliAddr"
            if wrong
            else "see its log, then restart its service",
            "" if wrong or node.service is None else "restart",
            cause=cause,
        )


def _gate(view: View, node: Node) -> str:
    identity = view.fresh(NodeIdentity, node.name)
    gated = identity is not None and identity.tx_routes is False
    return "; its transaction routes are off (-enableCliTxRoutes)" if gated else ""


def watcher_stalled(view: View) -> Iterator[Finding]:
    """A node whose block watcher has stopped looks healthy and misses NewRound.

    Its own block is compared with the highest head of the same chain that any endpoint shows.
    """
    chain = view.fleet.chain
    if chain is None:
        return
    best = _best_head(view, chain)
    for node in asked(view):
        if not node.roles & CHAIN_ROLES:
            continue
        reading = view.reading(NodeBlock, node.name)
        block = view.value(reading)
        if block is None:
            cause = cause_at_node(view, node)
            yield view.unknown(WATCHER, "node", node.name, reading, cause=cause)
            continue
        yield _watched(view, node, reading, block, best)


@dataclass(frozen=True, slots=True)
class _Head:
    """The highest head that is known, and how old it was when it was read (s)."""

    block: int
    name: str
    age: float
    chain_id: int


def _watched(
    view: View, node: Node, reading: Reading[NodeBlock], block: NodeBlock, best: _Head | None
) -> Finding:
    if best is None:
        text = "no head of the chain is known to compare with"
        return _incomparable(view, node, reading, block, text, view.chain_blocker())
    limit = view.limits.watcher_lag_blocks
    lag = max(0, best.block - block.block)
    late = lag > limit
    if not late and is_too_old(best.age, view.limits, best.chain_id):
        # Node and console may well ask the same endpoint.
        text = f"the highest head to compare with is {span(best.age)} old"
        return _incomparable(view, node, reading, block, text, f"rpc-stalled@{best.name}")
    if block.block - best.block > limit:
        text = f"that is {plural(block.block - best.block, 'block')} beyond every head known"
        return _incomparable(view, node, reading, block, text, "")
    return Finding(
        WATCHER,
        Severity.CRITICAL if late else Severity.OK,
        "node",
        node.name,
        f"its block watcher is {plural(lag, 'block')} behind{': it may have stopped' * late}",
        (
            view.says(reading, f"block {block.block}"),
            f"highest head {best.block} at {best.name}, {span(best.age)} old",
        ),
        "see whether its RPC endpoint serves; restart the node if so" if late else "",
        "restart" if late and node.service is not None else "",
        (Metric("watcher_lag", lag, "", "", str(limit)),),
        cause=_standstill(view, node, best, limit) if late else "",
    )


def _standstill(view: View, node: Node, best: _Head, limit: int) -> str:
    """Id of the finding that its own endpoint shows it no newer block; "" when that one does."""
    head = view.fresh(RpcHead, node.rpc) if node.rpc else None
    return f"rpc-stalled@{node.rpc}" if head and best.block - head.head > limit else ""


def _incomparable(
    view: View, node: Node, reading: Reading[NodeBlock], block: NodeBlock, why: str, cause: str
) -> Finding:
    return Finding(
        WATCHER,
        Severity.UNKNOWN,
        "node",
        node.name,
        f"not known: block {block.block}, but {why}",
        (view.seen(reading),),
        "get an RPC endpoint of its chain to answer whose head moves",
        cause=cause,
    )


def _best_head(view: View, chain: Chain) -> _Head | None:
    found: list[_Head] = []
    for name in view.fleet.rpcs:
        reading = view.reading(RpcHead, name)
        head = view.value(reading)
        if head is not None and head.chain_id == chain.chain_id:
            age = max(0.0, reading.taken_at - head.head_time)
            found.append(_Head(head.head, name, age, chain.chain_id))
    clock_reading = view.reading(ChainRound, chain.network)
    clock = view.value(clock_reading)
    if clock is not None and clock.head is not None and clock.head_time is not None:
        age = max(0.0, clock_reading.taken_at - clock.head_time)
        found.append(_Head(clock.head, clock.rpc, age, chain.chain_id))
    return max(found, key=lambda head: head.block, default=None)


def node_metrics(view: View) -> Iterator[Finding]:
    """Without -monitor a node works, but sessions, errors and latencies are not to be seen."""
    for node in asked(view):
        reading = view.reading(NodeMetrics, node.name)
        metrics = view.value(reading)
        if metrics is None:
            cause = cause_at_node(view, node)
            yield view.unknown(METRICS, "node", node.name, reading, cause=cause)
            continue
        yield Finding(
            METRICS,
            Severity.OK,
            "node",
            node.name,
            "gives metrics"
            if metrics.monitored
            else "gives no metrics: it runs without -monitor, so its sessions are not known",
            (view.seen(reading),),
        )


def version_skew(view: View) -> Iterator[Finding]:
    """Nodes of one role that run different versions: an upgrade left half-way."""
    for role in Role:
        nodes = [node for node in asked(view) if role in node.roles]
        if len(nodes) < 2:
            continue
        versions: dict[str, list[str]] = {}
        silent = None
        for node in nodes:
            status = view.fresh(NodeStatus, node.name)
            if status is None or not status.version:
                silent = silent or node
            else:
                versions.setdefault(status.version, []).append(node.name)
        evidence = tuple(f"{v}: {', '.join(names)}" for v, names in sorted(versions.items()))
        if len(versions) > 1:
            severity, summary = Severity.WARNING, f"{len(versions)} versions: "
            summary += ", ".join(sorted(versions))
        elif silent is not None:
            severity, summary = Severity.UNKNOWN, f"not known: {silent.name} gives no version"
        else:
            severity, summary = Severity.OK, f"all {len(nodes)} run {next(iter(versions))}"
        yield Finding(
            VERSIONS,
            severity,
            "fleet",
            f"role:{role}",
            summary,
            evidence,
            "finish the upgrade, one node at a time" if severity is Severity.WARNING else "",
            cause=cause_at_node(view, silent)
            if severity is Severity.UNKNOWN and silent is not None
            else "",
        )
