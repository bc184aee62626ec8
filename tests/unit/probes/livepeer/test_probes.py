"""What is asked of a node: never a route that acts, and nothing claimed that is not known."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lptui.probes.livepeer as package
from lptui.errors import BadAnswerError, DeadlineError, HttpError, LptuiError, ProblemKind
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.reading import Key
from lptui.fleet.topology import Endpoint, Fleet, Node, Role
from lptui.fleet.units import Address
from lptui.probes.livepeer import PROBES, routes
from lptui.probes.livepeer.probes import NodeIdentityProbe, NodeMetricsProbe, NodeStatusProbe
from lptui.probes.probe import Probe
from tests.unit.probes.livepeer.scripted import (
    ACCOUNT,
    OFF_CHAIN,
    ON_CHAIN,
    ScriptedNode,
    asking,
    fleet,
)

# Routes of go-livepeer's server/webserver.go that spend, sign, change, or cost RPC quota.
ACTING = (
    "initializeRound",
    "activateOrchestrator",
    "setOrchestratorConfig",
    "bond",
    "rebond",
    "unbond",
    "withdrawStake",
    "withdrawFees",
    "claimEarnings",
    "reward",
    "transferTokens",
    "requestTokens",
    "vote",
    "voteOnProposal",
    "setMaxGasPrice",
    "setMinGasPrice",
    "fundDepositAndReserve",
    "fundDeposit",
    "unlock",
    "cancelUnlock",
    "withdraw",
    "setRewardCaller",
    "setMaxSessions",
    "setMaxFaceValue",
    "setPriceForBroadcaster",
    "setBroadcastConfig",
    "setMaxPriceForCapability",
    "setLogLevel",
    "registerLiveRunners",
    "registeredOrchestrators",
    "delegatorInfo",
    "protocolParameters",
)

KNOWN = NodeIdentity(Address(ACCOUNT.lower()), True, False, 42161)


class TestNoHarm:
    def test_no_acting_route_is_readable(self) -> None:
        assert routes.READABLE.isdisjoint("/" + name for name in ACTING)
        assert not any("?" in path for path in routes.READABLE)

    @pytest.mark.parametrize("name", ACTING)
    async def test_an_acting_route_is_refused_before_anything_is_sent(self, name: str) -> None:
        node = ScriptedNode(ON_CHAIN)
        with pytest.raises(LptuiError, match="may not be asked"):
            await routes.read(node, "/" + name, 1.0)
        assert node.asked == []

    @pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
    async def test_probes_ask_readable_routes_by_get_without_parameters(self, probe: Probe) -> None:
        node = ScriptedNode(ON_CHAIN)
        await probe.ask(asking(node), "orch-1")
        assert node.asked
        for method, path, rest in node.asked:
            assert method == "GET"
            assert path in routes.READABLE
            assert set(rest) <= {"deadline_s", "limit"}

    def test_there_is_one_door(self) -> None:
        """No other module of the package calls `request` on anything."""
        for source in Path(package.__file__).parent.glob("*.py"):
            calls = [
                node.func.attr
                for node in ast.walk(ast.parse(source.read_text("utf-8")))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            ]
            assert calls.count("request") == (1 if source.name == "routes.py" else 0)


class TestTargets:
    def test_only_livepeer_nodes_with_an_address_are_asked(self) -> None:
        cli = Endpoint("http://127.0.0.1:7935", "a")
        nodes = (
            Node("o", "a", frozenset({Role.ORCHESTRATOR}), cli=cli),
            Node("t", "a", frozenset({Role.TRANSCODER})),
            Node("m", "a", frozenset({Role.TRANSCODER}), metrics=cli),
            Node("r", "a", frozenset({Role.RPC}), cli=cli),
        )
        described = Fleet("f", nodes={node.name: node for node in nodes})
        assert NodeStatusProbe().targets(described) == ("o",)
        assert NodeIdentityProbe().targets(described) == ("o",)
        assert NodeMetricsProbe().targets(described) == ("o", "m")

    def test_sources_and_intervals_are_the_fleets(self) -> None:
        described = fleet()
        for probe, seconds in zip(PROBES, (5.0, 15.0, 300.0, 60.0), strict=True):
            assert probe.interval_s(described, "orch-1") == seconds
            assert probe.source(described, "orch-1").startswith("edge-1: http://127.0.0.1:7935/")

    @pytest.mark.parametrize("path", ["", "/", "/metrics", "/metrics/"])
    def test_a_metrics_address_may_have_its_path_or_not(self, path: str) -> None:
        described = fleet(metrics=Endpoint(f"http://127.0.0.1:9000{path}", None))
        source = NodeMetricsProbe().source(described, "orch-1")
        assert source == "http://127.0.0.1:9000/metrics"


class TestStatus:
    async def test_an_on_chain_node_gives_its_block_too(self) -> None:
        status, block = await NodeStatusProbe().ask(asking(ScriptedNode(ON_CHAIN)), "orch-1")
        assert status.key == Key(NodeStatus, "orch-1")
        assert status.value.version == "0.9.1"
        assert status.value.latency_s == 0.02
        assert block.value == NodeBlock(460_000_123)  # type: ignore[arg-type]

    async def test_an_off_chain_node_is_not_asked_for_its_block(self) -> None:
        node = ScriptedNode(OFF_CHAIN)
        known = {Key(NodeIdentity, "orch-1"): NodeIdentity(None, False, False, None)}
        answers = await NodeStatusProbe().ask(asking(node, known), "orch-1")
        assert [answer.key.topic for answer in answers] == [NodeStatus]
        assert [path for _, path, _ in node.asked] == ["/status"]

    async def test_zero_is_a_block_only_of_a_node_known_to_be_on_chain(self) -> None:
        node = ScriptedNode({**ON_CHAIN, "/currentBlock": (200, b"")})
        known = {Key(NodeIdentity, "orch-1"): KNOWN}
        for before in (known, {}):
            _, block = await NodeStatusProbe().ask(asking(node, before), "orch-1")
            assert block.value == NodeBlock(0)  # type: ignore[arg-type]
        assert [path for _, path, _ in node.asked].count("/ethAddr") == 1

    async def test_zero_of_an_off_chain_node_that_is_not_known_yet_is_no_block(self) -> None:
        node = ScriptedNode({**OFF_CHAIN, "/currentBlock": (200, b"")})
        answers = await NodeStatusProbe().ask(asking(node), "orch-1")
        assert [answer.key.topic for answer in answers] == [NodeStatus]

    async def test_zero_of_a_node_that_does_not_say_which_it_is_is_not_known(self) -> None:
        told = {"/status": ON_CHAIN["/status"], "/currentBlock": (200, b"")}
        node = ScriptedNode(told, DeadlineError("http edge-1", "no answer within 5 s"))
        status, block = await NodeStatusProbe().ask(asking(node), "orch-1")
        assert status.value is not None
        assert block.problem is not None
        assert block.problem.kind is ProblemKind.TIMEOUT

    async def test_a_bad_block_leaves_the_status_standing(self) -> None:
        node = ScriptedNode({**ON_CHAIN, "/currentBlock": (200, b"<html>no</html>")})
        status, block = await NodeStatusProbe().ask(asking(node), "orch-1")
        assert status.value is not None
        assert block.problem is not None
        assert block.problem.kind is ProblemKind.BAD_ANSWER
        assert "orch-1" in block.problem.what

    async def test_no_status_is_a_failure_that_names_the_node(self) -> None:
        node = ScriptedNode({**ON_CHAIN, "/status": (404, b"404 page not found")})
        with pytest.raises(HttpError) as caught:
            await NodeStatusProbe().ask(asking(node), "orch-1")
        assert caught.value.status == 404
        assert caught.value.problem().what == "orch-1 /status"
        assert "cliAddr" in caught.value.remedy

    async def test_a_dead_node_fails_with_the_transports_own_words(self) -> None:
        node = ScriptedNode({}, DeadlineError("http edge-1", "no answer within 5 s"))
        for probe in PROBES:
            with pytest.raises(DeadlineError, match="no answer"):
                await probe.ask(asking(node), "orch-1")


class TestMetrics:
    async def test_no_page_means_not_monitored(self) -> None:
        (answer,) = await NodeMetricsProbe().ask(asking(ScriptedNode(ON_CHAIN)), "orch-1")
        assert answer.value == NodeMetrics(monitored=False)

    async def test_the_reading_before_gives_the_time_per_segment(self) -> None:
        page = (
            b"livepeer_versions 1\n"
            b"livepeer_transcode_time_seconds_sum 70\nlivepeer_transcode_time_seconds_count 110\n"
        )
        before = NodeMetrics(True, transcode_count=100, transcode_sum_s=50)
        node = ScriptedNode({"/metrics": (200, page)})
        known = {Key(NodeMetrics, "orch-1"): before}
        (answer,) = await NodeMetricsProbe().ask(asking(node, known), "orch-1")
        assert answer.value.latency_avg_s == 2.0

    async def test_a_long_page_is_read_too(self) -> None:
        page = b"livepeer_versions 1\n" + b'livepeer_tickets_recv{manifest_id="x"} 1\n' * 20_000
        node = ScriptedNode({"/metrics": (200, page)})
        (answer,) = await NodeMetricsProbe().ask(asking(node), "orch-1")
        assert answer.value.monitored

    async def test_another_status_is_a_failure(self) -> None:
        node = ScriptedNode({"/metrics": (429, b"slow down")})
        with pytest.raises(HttpError) as caught:
            await NodeMetricsProbe().ask(asking(node), "orch-1")
        assert caught.value.kind is ProblemKind.RATE_LIMITED


class TestIdentity:
    async def test_is_read(self) -> None:
        (answer,) = await NodeIdentityProbe().ask(asking(ScriptedNode(ON_CHAIN)), "orch-1")
        assert answer.value.account == ACCOUNT.lower()
        assert answer.value.tx_routes is True

    async def test_off_chain_is_no_failure(self) -> None:
        (answer,) = await NodeIdentityProbe().ask(asking(ScriptedNode(OFF_CHAIN)), "orch-1")
        assert answer.value.account is None
        assert answer.problem is None

    async def test_garbage_names_the_node(self) -> None:
        node = ScriptedNode({**ON_CHAIN, "/ethAddr": (200, b"<html>")})
        with pytest.raises(BadAnswerError) as caught:
            await NodeIdentityProbe().ask(asking(node), "orch-1")
        assert caught.value.problem().what == "orch-1 /ethAddr"

    async def test_a_route_that_hangs_with_the_nodes_rpc_hides_nothing_else(self) -> None:
        hangs = ("/contractAddresses", "/rewardCaller")
        told = {path: answer for path, answer in ON_CHAIN.items() if path not in hangs}
        node = ScriptedNode(told, failure=DeadlineError("GET", "no answer within 8 s"))
        (answer,) = await NodeIdentityProbe().ask(asking(node), "orch-1")
        assert answer.value.account == ACCOUNT.lower()
        assert answer.value.chain_id == 42161
        assert answer.value.tx_routes is True
        assert answer.value.controller is None
        assert answer.value.errors == tuple((path, "no answer within 8 s") for path in hangs[::-1])

    async def test_without_its_account_there_is_no_identity(self) -> None:
        told = {path: answer for path, answer in ON_CHAIN.items() if path != "/ethAddr"}
        node = ScriptedNode(told, failure=DeadlineError("GET", "no answer within 8 s"))
        with pytest.raises(DeadlineError):
            await NodeIdentityProbe().ask(asking(node), "orch-1")
