"""Which set-up a fleet is, who is linked to whom, what is missing and what is doubled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.errors import Problem, ProblemKind
from lptui.fleet.facts.balancer import AdminState, Health
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.facts.connections import HostConnections
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess
from lptui.fleet.facts.links import RedeemerLink
from lptui.fleet.facts.livepeer import NodeIdentity, NodeStatus
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.layout import Group, SetUp, layout
from lptui.fleet.links import Link, LinkKind, LinkState
from lptui.fleet.topology import Orchestrator, Role
from tests.snapshots import DELEGATE, REGISTERED, FleetBuilder
from tests.unit.checks.test_nodes import flags
from tests.unit.checks.test_roles import stray


def group(fleet: FleetBuilder) -> Group:
    [found] = layout(fleet.snapshot()).groups
    return found


def link(fleet: FleetBuilder, kind: LinkKind, target: str, source: str = "") -> Link:
    found = [
        one
        for one in layout(fleet.snapshot()).links
        if one.kind is kind and one.target == target and source in ("", one.source)
    ]
    assert len(found) == 1, found
    return found[0]


def without(fleet: FleetBuilder, *names: str) -> FleetBuilder:
    """The fleet without these nodes, and without their processes."""
    for name in names:
        node = fleet.fleet.nodes[name]
        unit = node.service.name if node.service else ""
        there = fleet.value(HostProcesses, node.host).livepeer
        kept = tuple(one for one in there if one.unit != unit)
        fleet.change(HostProcesses, node.host, livepeer=kept)
    nodes = {name: node for name, node in fleet.fleet.nodes.items() if name not in names}
    return fleet.configure(nodes=nodes)


def holds(fleet: FleetBuilder, node: str, account: str) -> FleetBuilder:
    """A node acts with an account, by its own word and by its process's."""
    fleet.change(NodeIdentity, node, account=account)
    host = fleet.fleet.nodes[node].host
    return flags(fleet.configure_node(node, account=account), host, ethAcctAddr=account)


def test_set_up_3() -> None:
    found = group(FleetBuilder())
    assert found.set_up is SetUp.SEPARATE
    assert found.orchestrators == ("orch-1", "orch-2")
    assert (found.redeemers, found.callers) == (("redeemer",), ("reward",))
    assert found.variants == (
        *("2 orchestrators", "behind front (haproxy)", "transcoders of their own"),
    )
    assert (found.missing, found.doubled) == ((), ())


def test_set_up_3_with_a_delegated_caller() -> None:
    fleet = holds(FleetBuilder(), "reward", DELEGATE)
    fleet.change(OrchestratorRecord, "main", reward_caller=DELEGATE)
    assert group(fleet).set_up is SetUp.DELEGATED


def test_set_up_2_is_a_node_that_redeems_and_calls() -> None:
    fleet = without(FleetBuilder(), "reward")
    fleet = fleet.configure_node("redeemer", roles=frozenset({Role.REDEEMER, Role.REWARD}))
    fleet = holds(fleet, "redeemer", REGISTERED)
    found = group(fleet)
    assert found.set_up is SetUp.SERVICE_NODE
    assert found.callers == found.redeemers == ("redeemer",)


def test_set_up_1_is_an_orchestrator_that_calls_beside_its_redeemer() -> None:
    fleet = without(FleetBuilder(orchestrators=1), "reward")
    fleet = holds(fleet, "orch-1", REGISTERED)
    assert group(fleet).set_up is SetUp.REDEEMER
    alone = group(without(fleet, "redeemer"))
    assert alone.set_up is SetUp.ALONE
    assert alone.missing == ()


def test_what_nobody_called_anything() -> None:
    assert group(without(FleetBuilder(), "redeemer")).set_up is SetUp.OTHER


def test_nobody_calls_reward() -> None:
    fleet = without(FleetBuilder(), "reward")
    assert group(fleet).missing == ("a node that calls reward",)


def test_a_redeemer_that_orchestrators_name_and_the_fleet_lacks() -> None:
    fleet = without(flags(FleetBuilder(), "edge-2", redeemerAddr="192.0.2.5:8935"), "redeemer")
    [missing] = group(fleet).missing
    assert missing == "the redeemer that orch-2 send their winning tickets to"


def test_a_redeemer_that_does_not_run() -> None:
    fleet = FleetBuilder().fail(NodeStatus, "redeemer", ProblemKind.REFUSED)
    fleet.change_unit("core-1", "livepeer-redeemer.service", active="failed", sub="failed")
    assert group(fleet).missing == ("a redeemer: redeemer does not run",)
    lost = FleetBuilder().lose_host("core-1")
    assert group(lost).missing == (), "whether it runs is not known"


def test_a_node_in_another_role_leaves_its_own_empty() -> None:
    fleet = flags(FleetBuilder(), "core-1", redeemer=None)
    fleet.change(NodeIdentity, "redeemer", is_redeemer=False)
    flags(fleet, "edge-1", redeemerAddr="192.0.2.40:8945")
    found = group(fleet)
    assert found.redeemers == ()
    assert "the redeemer that orch-1" in found.missing[0]


def test_orchestrators_without_transcoders() -> None:
    fleet = FleetBuilder().change(NodeStatus, "orch-1", transcoders=(), transcoders_number=0)
    assert "transcoders of orch-1" in group(fleet).missing
    combined = flags(fleet, "edge-1", transcoder="")
    assert "transcoders of orch-1" not in group(combined).missing
    assert "transcoding in its own process: orch-1" in group(combined).variants


@pytest.mark.parametrize(
    "given", [{"aiModels": "m.json"}, {"useLiveRunners": ""}, {"serviceAddr": "none"}]
)
def test_orchestrators_that_need_no_transcoders(given: dict[str, str]) -> None:
    fleet = FleetBuilder().change(NodeStatus, "orch-1", transcoders=(), transcoders_number=0)
    assert "transcoders of orch-1" not in group(flags(fleet, "edge-1", **given)).missing


def test_each_registered_orchestrator_has_a_picture_of_its_own() -> None:
    fleet = holds(flags(FleetBuilder(), "edge-2", ethOrchAddr=None), "orch-2", DELEGATE)
    fleet = fleet.configure_node("orch-2", recipient=DELEGATE)
    main, other = (
        Orchestrator("main", REGISTERED, reward_caller="reward"),
        Orchestrator("other", DELEGATE),
    )
    fleet = fleet.configure_chain(orchestrators=(main, other))
    record = replace(fleet.value(OrchestratorRecord, "main"), address=DELEGATE)
    fleet.put(record, "other")
    first, second = layout(fleet.snapshot()).groups
    assert (first.name, first.orchestrators, first.callers) == ("main", ("orch-1",), ("reward",))
    assert (second.name, second.orchestrators) == ("other", ("orch-2",))
    assert second.callers == ("orch-2",), "its own key is registered: it calls by itself"
    assert second.set_up is SetUp.ALONE


def test_two_of_what_there_should_be_one_of() -> None:
    fleet = holds(FleetBuilder(), "orch-2", REGISTERED)
    doubled = group(fleet).doubled
    assert "callers of reward: reward, orch-2" in doubled
    assert "holders of the registered key: reward, orch-2" in doubled
    twin = stray(FleetBuilder(), "gpu-1", ("reward", ""), ("ethAcctAddr", REGISTERED))
    assert group(twin).doubled == ("holders of the registered key: reward, process 4242 on gpu-1",)
    assert layout(twin.snapshot()).strangers == ("process 4242 on gpu-1",)


def test_variants_of_the_way_in() -> None:
    fleet = flags(
        FleetBuilder(), "edge-1", nodes="https://a.example.org:8935,https://b.example.org"
    )
    fleet = flags(fleet, "edge-1", serviceAddr="none")
    router = LivepeerProcess(50, "root", (), program="livepeer_router")
    fleet.change(HostProcesses, "lb-1", others=(router,))
    words = group(fleet).variants
    assert (
        "orch-1 sends gateways on to https://a.example.org:8935, https://b.example.org (-nodes)"
        in (words)
    )
    assert "a livepeer_router on lb-1" in words
    by_dns = FleetBuilder().configure(balancers={})
    assert any("by DNS" in word for word in group(by_dns).variants)
    for name in ("orch-1", "orch-2"):
        by_dns.configure_node(name, service_uri=None)
    assert not any("by DNS" in word for word in group(by_dns).variants), "none is no address"


def test_a_gateway_is_in_the_picture() -> None:
    fleet = FleetBuilder().configure_node("trans-2", roles=frozenset({Role.GATEWAY}))
    fleet = flags(fleet, "gpu-2", transcoder=None, gateway="")
    assert layout(fleet.snapshot()).gateways == ("trans-2",)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, LinkState.UP),
        ({"health": Health.DOWN}, LinkState.DOWN),
        ({"admin": AdminState.DRAIN}, LinkState.OFF),
        ({"admin": AdminState.MAINT, "health": Health.DOWN}, LinkState.OFF),
    ],
)
def test_the_way_from_a_balancer(change: dict[str, object], state: LinkState) -> None:
    fleet = FleetBuilder().change_server("front", "o1", **change)
    assert link(fleet, LinkKind.CLIENTS, "orch-1", "front").state is state


def test_the_way_to_a_transcoder() -> None:
    assert link(FleetBuilder(), LinkKind.SEGMENTS, "trans-1").state is LinkState.UP
    lost = FleetBuilder().change(HostConnections, "gpu-1", connections=())
    found = link(lost, LinkKind.SEGMENTS, "trans-1")
    assert (found.source, found.state, found.detail) == (
        *("orch-1", LinkState.DOWN, "not connected"),
    )
    unknown = FleetBuilder().drop(HostConnections, "gpu-1")
    assert link(unknown, LinkKind.SEGMENTS, "trans-1").state is LinkState.UNKNOWN


def test_the_way_to_the_redeemer() -> None:
    fleet = FleetBuilder()
    assert link(fleet, LinkKind.TICKETS, "redeemer", "orch-1").state is LinkState.UP
    attempt = fleet.value(RedeemerLink, "orch-1").attempt
    refused = Problem(ProblemKind.REFUSED, "redeemer", "connection refused")
    dead = replace(attempt, took_s=None, problem=refused)
    fleet.change(RedeemerLink, "orch-1", attempt=dead)
    found = link(fleet, LinkKind.TICKETS, "redeemer", "orch-1")
    assert found.state is LinkState.DOWN
    assert "connection refused" in found.detail
    fleet.fail(RedeemerLink, "orch-1")
    assert link(fleet, LinkKind.TICKETS, "redeemer", "orch-1").state is LinkState.UNKNOWN


def test_the_endpoint_that_a_node_really_uses() -> None:
    fleet = FleetBuilder()
    assert link(fleet, LinkKind.CHAIN, "nitro", "orch-1").state is LinkState.UP
    other = flags(FleetBuilder(), "edge-1", ethUrl="https://rpc.example.net")
    assert link(other, LinkKind.CHAIN, "reference", "orch-1").state is LinkState.UP
    fleet.fail(RpcHead, "nitro", ProblemKind.REFUSED)
    assert link(fleet, LinkKind.CHAIN, "nitro", "orch-1").state is LinkState.DOWN


def test_a_fleet_of_which_nothing_is_known_is_drawn_as_declared() -> None:
    fleet = FleetBuilder()
    fleet.readings.clear()
    found = group(fleet)
    assert found.orchestrators == ("orch-1", "orch-2")
    assert found.redeemers == ("redeemer",)
    assert {one.state for one in layout(fleet.snapshot()).links} == {LinkState.UNKNOWN}
