"""The textfile page: read back with Prometheus's own parser."""

from __future__ import annotations

from decimal import Decimal
from itertools import cycle

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lptui.checks import run_checks
from lptui.errors import ProblemKind
from lptui.fleet.facts.balancer import BalancerState, Health
from lptui.fleet.facts.chain import ChainRound, SignerAccount
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.units import Wei
from lptui.report import render_check
from lptui.report.prometheus import LABEL_CHARACTERS, eth
from tests.snapshots import NETWORK, REDEEMER, FleetBuilder
from tests.unit.report.hostile import INTEGERS, NUMBERS, TEXTS, hostile

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def page(snapshot: Snapshot, took_s: float | None = None) -> str:
    return render_check(snapshot, run_checks(snapshot), "prometheus", took_s=took_s)


def series(text: str) -> Series:
    found: Series = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"{key} is there twice"
            found[key] = sample.value
    return found


def value(text: str, name: str, **labels: str) -> float | None:
    return series(text).get((name, frozenset(labels.items())))


def test_a_healthy_fleet() -> None:
    text = page(FleetBuilder().snapshot(), took_s=1.25)
    assert value(text, "lptui_up") == 1
    assert value(text, "lptui_status") == 0
    assert value(text, "lptui_run_duration_seconds") == 1.25
    assert value(text, "lptui_last_run_timestamp_seconds") == 1_800_000_000
    assert value(text, "lptui_check_status", check="reward-due", target="main", subject="orchestrator") == 0  # fmt: skip  # noqa: E501
    assert value(text, "lptui_reward_blocks_remaining", orchestrator="main") == 3189
    assert value(text, "lptui_head_lag_blocks", rpc="nitro") == 2
    assert value(text, "lptui_rpc_requests", rpc="nitro") == 40
    assert value(text, "lptui_sessions", node="orch-1") == 10
    assert value(text, "lptui_sessions", node="trans-1") is None
    assert value(text, "lptui_headroom_sessions", node="orch-1") == 10
    assert value(text, "lptui_headroom_limit_sessions", node="orch-1", resource="encoder") == 11
    assert value(text, "lptui_transcoder_registered", node="trans-1") == 1
    assert value(text, "lptui_orchestrator_place", orchestrator="main") == 51
    assert value(text, "lptui_orchestrator_margin_lpt", orchestrator="main") == 147000
    assert value(text, "lptui_gpu_temperature_celsius", gpu="gpu-1/0") == 61
    assert value(text, "lptui_backend_up", balancer="front", backend="orchestrators") == 1
    assert value(text, "lptui_source_age_seconds", topic="HostDisks", target="edge-1") == 20
    assert value(text, "lptui_gpu_encoder_ratio", gpu="gpu-1/0") == 0.45


def test_money_is_exact_decimal_text() -> None:
    fleet = FleetBuilder().change(SignerAccount, REDEEMER, balance=Wei(123_456_789_012_345_678_901))
    text = page(fleet.snapshot())
    line = 'lptui_balance_eth{signer="redeemer",role="redeemer"} 123.456789012345678901'
    assert line in text.splitlines()


@pytest.mark.parametrize("wei", [0, 1, 10**18, 10**18 + 1, 2**256 - 1, -5])
def test_eth_text_is_exact(wei: int) -> None:
    assert Decimal(eth(wei)) == Decimal(f"{wei}e-18")


def test_what_is_unknown_has_no_sample_and_status_three() -> None:
    fleet = FleetBuilder().lose_host("gpu-1")
    text = page(fleet.snapshot())
    assert value(text, "lptui_gpu_temperature_celsius", gpu="gpu-1/0") is None
    assert value(text, "lptui_host_up", host="gpu-1") == 0
    assert value(text, "lptui_check_status", check="memory", target="gpu-1", subject="host") == 3
    assert value(text, "lptui_check_explained", check="memory", target="gpu-1") == 1
    assert value(text, "lptui_checks_failing") == 1


@pytest.mark.parametrize(
    ("kind", "up"),
    [(ProblemKind.REFUSED, 0), (ProblemKind.RUN_DEADLINE, None), (ProblemKind.FORBIDDEN, None)],
)
def test_what_could_not_be_asked_is_neither_up_nor_down(kind: ProblemKind, up: int | None) -> None:
    fleet = FleetBuilder().fail(HostVitals, "edge-1", kind).fail(RpcHead, "nitro", kind)
    fleet.fail(NodeStatus, "redeemer", kind).fail(BalancerState, "front", kind)
    text = page(fleet.snapshot())
    assert value(text, "lptui_host_up", host="edge-1") == up
    assert value(text, "lptui_host_up", host="gpu-1") == 1
    assert value(text, "lptui_rpc_up", rpc="nitro") == up
    assert value(text, "lptui_node_up", node="redeemer") == up
    assert value(text, "lptui_balancer_up", balancer="front") == up


def test_what_is_behind_a_lost_host_is_unknown() -> None:
    text = page(FleetBuilder().lose_host("core-1").snapshot())
    assert value(text, "lptui_host_up", host="core-1") == 0
    assert value(text, "lptui_node_up", node="redeemer") is None


def test_pending_transactions_that_nobody_counts_are_not_none() -> None:
    fleet = FleetBuilder().change(SignerAccount, REDEEMER, pending_known=False)
    labels = {"signer": "redeemer", "role": "redeemer"}
    assert value(page(fleet.snapshot()), "lptui_pending_transactions", **labels) is None
    text = page(FleetBuilder().snapshot())
    assert value(text, "lptui_pending_transactions", **labels) == 0
    assert value(text, "lptui_balance_eth", **labels) is not None


def test_the_chain_as_of_an_old_head_is_not_told_as_of_now() -> None:
    fleet = FleetBuilder()
    clock = fleet.snapshot().value(ChainRound, NETWORK)
    assert clock is not None
    assert value(page(fleet.snapshot()), "lptui_reward_called", orchestrator="main") is not None
    fleet.change(ChainRound, NETWORK, head_time=fleet.snapshot().taken_at - 3600)
    text = page(fleet.snapshot())
    for name in ("lptui_reward_called", "lptui_round", "lptui_balance_eth"):
        assert f"\n{name}{{" not in text
    assert value(text, "lptui_status") == 3


def test_a_server_that_is_down() -> None:
    fleet = FleetBuilder().change_server("front", "o1", health=Health.DOWN)
    text = page(fleet.snapshot())
    labels = {"balancer": "front", "backend": "orchestrators"}
    assert value(text, "lptui_server_up", server="o1", **labels) == 0
    assert value(text, "lptui_backend_up", **labels) == 1


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_hostile_texts_are_escaped_and_bounded(text: str) -> None:
    for number, integer in zip(NUMBERS, cycle(INTEGERS), strict=False):
        found = series(page(hostile(text, number, integer, failing=True)))
        for _, labels in found:
            assert all(len(label) <= LABEL_CHARACTERS for _, label in labels)
        assert not any(v != v or abs(v) == float("inf") for v in found.values())


def test_no_time_stamps() -> None:
    for line in page(FleetBuilder().snapshot()).splitlines():
        if not line.startswith("#"):
            assert len(line.rpartition("}")[2].split()) == (1 if "}" in line else 2)
