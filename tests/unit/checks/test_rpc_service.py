"""What an endpoint gives besides a head, and the one word for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.checks import run_checks
from lptui.checks.registry import CHECKS
from lptui.checks.rpc_verdict import ORDER, verdict
from lptui.checks.spec import CheckSpec
from lptui.errors import ProblemKind
from lptui.fleet.facts.rpc import RpcAbilities, RpcHead, RpcUsage, RpcVantage, RpcWay
from lptui.fleet.finding import Severity
from lptui.fleet.topology import Rpc
from lptui.fleet.units import L1Block, L2Block
from tests.snapshots import CHAIN_ID, HEAD, NOW, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding

L1 = 23_000_000


def nitro(**changes: object) -> FleetBuilder:
    return FleetBuilder().change(RpcHead, "nitro", **changes)


def with_l1_endpoint(fleet: FleetBuilder, head: int) -> FleetBuilder:
    rpcs = {**fleet.fleet.rpcs, "geth": Rpc("geth", "http://192.0.2.7:8545", None, chain_id=1)}
    fleet.configure(rpcs=rpcs)
    own = fleet.value(RpcHead, "nitro")
    return fleet.put(
        replace(own, chain_id=1, head=L2Block(head), l1_block=None, client="Geth", peers=30), "geth"
    )


class TestL1View:
    @pytest.mark.parametrize(
        ("lag", "expected"), [(0, OK), (25, OK), (26, WARNING), (150, WARNING), (151, CRITICAL)]
    )
    def test_against_another_endpoint_of_the_chain(self, lag: int, expected: Severity) -> None:
        found = finding(nitro(l1_block=L1Block(L1 - lag)), "rpc-l1-view@nitro")
        assert found.severity is expected
        assert "reference" in found.evidence[0]

    def test_against_an_endpoint_of_l1_itself(self) -> None:
        fleet = with_l1_endpoint(FleetBuilder(), L1 + 40)
        found = by_id(fleet)
        for name in ("nitro", "reference"):
            assert found[f"rpc-l1-view@{name}"].severity is WARNING
            assert "40 blocks behind geth" in found[f"rpc-l1-view@{name}"].summary
        # L1 itself has no view of L1.
        assert "rpc-l1-view@geth" not in found

    def test_one_that_stands_still_though_the_head_moves(self) -> None:
        fleet = nitro(l1_advanced_at=NOW - 400.0)
        found = finding(fleet, "rpc-l1-view@nitro")
        assert found.severity is WARNING
        assert "for 6 min" in found.summary

    def test_a_node_that_is_behind_is_so_on_l1_as_well(self) -> None:
        fleet = nitro(l1_block=L1Block(L1 - 40), head=L2Block(HEAD - 500))
        assert finding(fleet, "rpc-l1-view@nitro").cause == "rpc-lagging@nitro"

    def test_alone_and_never_seen_to_move_nothing_is_claimed(self) -> None:
        fleet = FleetBuilder()
        fleet.configure(rpcs={"nitro": fleet.fleet.rpcs["nitro"]}).configure_chain(rpcs=("nitro",))
        assert "rpc-l1-view@nitro" not in by_id(fleet)


class TestLogs:
    @pytest.mark.parametrize(
        ("logs", "expected"), [("", OK), ("method not found", CRITICAL), (None, UNKNOWN)]
    )
    def test_nodes_need_them(self, logs: str | None, expected: Severity) -> None:
        fleet = nitro(abilities=RpcAbilities(NOW - 20, logs))
        assert finding(fleet, "rpc-logs@nitro").severity is expected

    def test_an_endpoint_that_no_node_uses_is_less_bad(self) -> None:
        fleet = FleetBuilder().change(
            RpcHead, "reference", abilities=RpcAbilities(NOW - 20, "method not found")
        )
        assert finding(fleet, "rpc-logs@reference").severity is WARNING

    def test_an_endpoint_that_does_not_know_what_is_mined(self) -> None:
        tx = "0x" + "ab" * 32
        lost = RpcAbilities(NOW - 20, "", receipt_of=tx, receipt=False)
        found = finding(nitro(abilities=lost), "rpc-logs@nitro")
        assert found.severity is WARNING
        assert tx in found.summary

    @pytest.mark.parametrize(
        ("archive", "words"), [(True, "as archives do"), (False, "pruned"), (None, "unknown")]
    )
    def test_whether_it_is_an_archive_is_told(self, archive: bool | None, words: str) -> None:
        fleet = nitro(abilities=RpcAbilities(NOW - 20, "", archive))
        assert words in finding(fleet, "rpc-logs@nitro").evidence[0]


WAY = RpcVantage("nitro", "edge-1", ("orch-1",), "http://192.0.2.10:8547", CHAIN_ID, L2Block(HEAD))


class TestFromNodes:
    def test_out_of_reach_for_a_host_that_uses_it_though_it_answers_here(self) -> None:
        fleet = FleetBuilder().fail(RpcVantage, "nitro/edge-1", ProblemKind.REFUSED)
        found = by_id(fleet)
        assert found["rpc-from-nodes@nitro"].severity is CRITICAL
        assert "edge-1" in found["rpc-from-nodes@nitro"].summary
        assert found["rpc-reachable@nitro"].severity is OK

    def test_one_that_answers_nobody_explains_it(self) -> None:
        fleet = FleetBuilder().fail(RpcVantage, "nitro/edge-1", ProblemKind.REFUSED)
        fleet.fail(RpcHead, "nitro", ProblemKind.REFUSED)
        assert finding(fleet, "rpc-from-nodes@nitro").cause == "rpc-reachable@nitro"

    def test_a_lost_host_explains_what_is_not_known(self) -> None:
        found = finding(FleetBuilder().lose_host("edge-1"), "rpc-from-nodes@nitro")
        assert (found.severity, found.cause) == (UNKNOWN, "host-up@edge-1")

    @pytest.mark.parametrize(
        ("changes", "expected", "words"),
        [
            ({"latency_s": 0.03}, OK, "edge-1 in 30 ms"),
            ({"latency_s": 2.5}, WARNING, "takes 2.5 s for edge-1"),
            ({"chain_id": 1}, CRITICAL, "chain 1"),
            ({"head": L2Block(HEAD - 700)}, WARNING, "698 blocks older"),
        ],
    )
    def test_what_the_host_gets(
        self, changes: dict[str, object], expected: Severity, words: str
    ) -> None:
        fleet = FleetBuilder().put(replace(WAY, **changes), "nitro/edge-1")  # type: ignore[arg-type]
        found = finding(fleet, "rpc-from-nodes@nitro")
        assert found.severity is expected
        assert words in found.summary

    def test_where_the_address_is_not_known_nothing_is_claimed(self) -> None:
        fleet = FleetBuilder().put(replace(WAY, address=""), "nitro/edge-1")
        assert "rpc-from-nodes@nitro" not in by_id(fleet)


class TestAnswers:
    @pytest.mark.parametrize(
        ("way", "expected", "words"),
        [
            (RpcWay("orch-1", recent=20, recent_failed=2, median_s=0.1, slow_s=0.2), OK, "2 of 20"),
            (
                RpcWay("orch-1", recent=20, recent_failed=3, median_s=0.1, last_failure="429"),
                WARNING,
                "15 % of the last 20 requests from orch-1 failed: 429",
            ),
            (RpcWay("", recent=20, median_s=2.5, slow_s=4.0), WARNING, "usually takes 2.5 s"),
            (RpcWay("", recent=20, recent_failed=20, last_failure="x"), WARNING, "100 %"),
        ],
    )
    def test_of_each_way(self, way: RpcWay, expected: Severity, words: str) -> None:
        fleet = FleetBuilder().put(RpcUsage((RpcWay("", recent=50, median_s=0.02), way)), "nitro")
        found = finding(fleet, "rpc-answers@nitro")
        assert found.severity is expected
        assert words in found.summary + found.evidence[1]

    def test_a_few_requests_tell_nothing(self) -> None:
        few = RpcUsage((RpcWay("", recent=9, recent_failed=9),))
        assert "rpc-answers@nitro" not in by_id(FleetBuilder().put(few, "nitro"))


class TestVerdict:
    def test_a_well_endpoint(self) -> None:
        told = verdict("nitro", run_checks(FleetBuilder().snapshot()))
        assert (told.word, told.severity, told.because) == ("well", OK, None)

    def test_eth_syncing_false_is_not_believed(self) -> None:
        stalled = nitro(head_time=NOW - 3600.0, syncing=None)
        told = verdict("nitro", run_checks(stalled.snapshot()))
        assert (told.word, told.severity) == ("stalled", CRITICAL)
        behind = nitro(head=L2Block(HEAD - 50), syncing=None)
        told = verdict("nitro", run_checks(behind.snapshot()))
        assert (told.word, told.severity) == ("behind", WARNING)
        assert told.because is not None
        assert "50 blocks behind reference" in told.because.summary

    def test_what_explains_the_rest_comes_first(self) -> None:
        fleet = nitro(chain_id=1, head_time=NOW - 3600.0)
        assert verdict("nitro", run_checks(fleet.snapshot())).word == "wrong chain"

    def test_what_is_critical_comes_before_a_warning(self) -> None:
        fleet = nitro(head=L2Block(HEAD - 50), abilities=RpcAbilities(NOW - 20, "none"))
        assert verdict("nitro", run_checks(fleet.snapshot())).word == "incomplete"

    def test_something_unknown_is_never_well(self) -> None:
        fleet = nitro(abilities=RpcAbilities(NOW - 20, None))
        assert verdict("nitro", run_checks(fleet.snapshot())).word == "unknown"
        assert verdict("nitro", ()).word == "unknown"

    def test_every_check_of_an_endpoint_has_its_place(self) -> None:
        def is_of_an_endpoint(check: CheckSpec) -> bool:
            return check.id.startswith("rpc-")

        assert {check.id for check in CHECKS if is_of_an_endpoint(check)} == {c for c, _ in ORDER}
