"""What is measured of the node behind a balancer's server, for its weight. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lptui.actions.weighing import Load
from lptui.fleet.facts.balancer import Server
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.pools import node_of
from lptui.fleet.registration import orchestrator_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, Node, Role


@dataclass(frozen=True, slots=True)
class Measured:
    """A node's load, or None; `words` are what was read, or why nothing was."""

    load: Load | None
    words: str


def measured(snapshot: Snapshot, balancer: Balancer, server: Server) -> Measured:
    """What is known of the node behind a server."""
    node = snapshot.fleet.nodes.get(node_of(balancer, server))
    if node is None:
        return Measured(None, "the configuration's `servers` name no node for it")
    reading = snapshot.reading(NodeMetrics, node.name)
    metrics = snapshot.fresh(NodeMetrics, node.name)
    if metrics is None:
        why = str(reading.problem) if reading.problem else "its last answer is too old"
        return Measured(None, f"metrics of {node.name}: {why}")
    if not metrics.monitored:
        return Measured(None, f"{node.name} tells no metrics: start it with -monitor")
    if metrics.max_sessions is None:
        return Measured(None, f"{node.name} does not tell how many sessions it takes")
    load = Load(
        metrics.max_sessions,
        metrics.current_sessions,
        _encoders(snapshot, node),
        metrics.latency_avg_s,
    )
    return Measured(load, f"{node.name}: {_words(load)}")


def _encoders(snapshot: Snapshot, node: Node) -> float | None:
    """Mean use of the encoders that work for a node, in percent: its host's, its transcoders'."""
    hosts = {node.host}
    for other in snapshot.fleet.nodes_with(Role.TRANSCODER):
        boss = orchestrator_of(snapshot, other)
        if boss is not None and boss.name == node.name:
            hosts.add(other.host)
    known = [snapshot.fresh(HostGpus, host) for host in sorted(hosts)]
    used = [gpu.encoder for one in known if one for gpu in one.gpus if gpu.encoder is not None]
    return sum(used) / len(used) if used else None


def _words(load: Load) -> str:
    used = "?" if load.used is None else load.used
    found = [f"{used} of {load.cap} sessions"]
    if load.encoder is not None:
        found.append(f"encoders {load.encoder:.0f} % busy")
    if load.latency_s is not None:
        found.append(f"{load.latency_s:.2f} s a segment")
    return ", ".join(found)
