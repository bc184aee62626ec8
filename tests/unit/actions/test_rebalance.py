"""Plans of rebalancing: what is weighed, what is left alone, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lptui.actions.drivers.driver import read
from lptui.actions.plan import Plan
from lptui.actions.rebalance import Rebalance
from lptui.actions.select import requests, targets
from lptui.errors import ProblemKind, RefusedError
from lptui.fleet.facts.balancer import AdminState, BalancerState, Health
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.units import Percent
from tests.snapshots import FleetBuilder

POOL = "lb:orchestrators"


def fleet(*caps: int, algorithm: str = "roundrobin") -> FleetBuilder:
    """Orchestrators o1, o2… with room for so many sessions each, a fifth of it in use.

    Whom the transcoders work for is not known, so that their cards are nobody's load.
    """
    made = FleetBuilder(orchestrators=len(caps))
    for name in made.fleet.hosts:
        if name.startswith("gpu-"):
            made.put(HostProcesses(()), name)
    for number, cap in enumerate(caps, 1):
        made.change(NodeMetrics, f"orch-{number}", max_sessions=cap, current_sessions=cap // 5)
    return balancing(made, algorithm)


def balancing(made: FleetBuilder, algorithm: str) -> FleetBuilder:
    proxies = made.value(BalancerState, "front").proxies
    changed = tuple(
        replace(one, algorithm=algorithm) if one.kind == "backend" else one for one in proxies
    )
    return made.change(BalancerState, "front", proxies=changed)


def plan(made: FleetBuilder, *words: str, **options: str) -> Plan:
    snapshot = made.snapshot()
    chosen = tuple((name.replace("_", "-"), value) for name, value in options.items())
    [request] = requests(Rebalance(), snapshot, words or (POOL,), chosen)
    return Rebalance().plan(snapshot, request)


def weights(made: Plan) -> dict[str, tuple[str, str]]:
    """What is changed, from what to what."""
    return {
        change.server: (change.was, change.to)
        for step in made.steps
        if step.kind == "servers"
        for change in read(step.value("changes"))
    }


def test_a_pool_is_meant_by_its_name_or_by_any_node_in_it() -> None:
    snapshot = fleet(40, 40).snapshot()
    for word in (POOL, "orch-1", "host:edge-2", "role:orchestrator", "lb:front"):
        assert POOL in targets(Rebalance(), snapshot, (word,))


def test_weights_go_with_capacity_in_one_line_and_are_looked_at() -> None:
    made = plan(fleet(40, 20))
    assert made.why_not == ""
    assert [step.kind for step in made.steps] == ["servers", "shares"]
    assert weights(made) == {"o1": ("100", "133"), "o2": ("100", "67")}
    assert "set server orchestrators/o1 weight 133; set server orchestrators/o2 weight 67" in (
        made.steps[0].call
    )


def test_the_plan_shows_weights_and_shares_before_and_after() -> None:
    made = plan(fleet(40, 20))
    said = "orchestrators/o1: weight 100 -> 133, share 50.0% -> 66.5%"
    assert said in made.effect
    assert said in made.steps[0].postcondition
    assert ("orchestrators/o2", "weight 100 -> 67, share 50.0% -> 33.5%") in made.facts
    assert "o1 66.5%, o2 33.5%" in made.steps[1].postcondition
    assert made.steps[0].undo == "weights back to orchestrators/o1 100, orchestrators/o2 100"


def test_what_was_measured_is_said_and_is_no_part_of_the_hash() -> None:
    made = fleet(40, 20).change(NodeMetrics, "orch-1", latency_avg_s=0.81)
    first = plan(made)
    assert "orch-1: 8 of 40 sessions, 0.81 s a segment" in [c.evidence for c in first.preconditions]
    made.change(NodeMetrics, "orch-1", current_sessions=7, latency_avg_s=0.8)
    assert plan(made).hash == first.hash


def test_planned_again_with_the_weights_that_it_gave_there_is_nothing_to_do() -> None:
    made = fleet(40, 20)
    for server, (_, to) in weights(plan(made)).items():
        made.change_server("front", server, weight=int(to))
    again = plan(made)
    assert again.done.startswith("each server has the share")
    assert again.steps == ()


def test_a_step_is_half_of_a_weight_unless_more_is_allowed() -> None:
    assert weights(plan(fleet(60, 10))) == {"o1": ("100", "150"), "o2": ("100", "50")}
    assert weights(plan(fleet(60, 10), most_step="10")) == {
        "o1": ("100", "110"),
        "o2": ("100", "90"),
    }
    far = weights(plan(fleet(60, 10), most_step="100"))
    assert far == {"o1": ("100", "171"), "o2": ("100", "29")}
    with pytest.raises(RefusedError, match="no number from 1"):
        plan(fleet(60, 10), most_step="half")


def test_only_what_is_off_is_changed() -> None:
    assert weights(plan(fleet(40, 40, 40, 20))) == {"o4": ("100", "50")}


def test_one_that_is_full_gets_less() -> None:
    made = fleet(40, 40).change(NodeMetrics, "orch-1", current_sessions=40)
    assert weights(plan(made)) == {"o1": ("100", "50"), "o2": ("100", "150")}


def test_one_that_is_slow_gets_less() -> None:
    made = fleet(40, 40)
    made.change(NodeMetrics, "orch-1", latency_avg_s=1.0)
    made.change(NodeMetrics, "orch-2", latency_avg_s=3.0)
    assert weights(plan(made)) == {"o1": ("100", "133"), "o2": ("100", "67")}


def test_the_encoders_of_its_transcoders_count() -> None:
    made = fleet(40, 40)
    for number in (1, 2):
        uri = f"https://orch-{number}.example.org:8935"
        made.configure_node(f"orch-{number}", service_uri=uri)
        flags = (("transcoder", ""), ("orchAddr", f"orch-{number}.example.org:8935"))
        unit = "livepeer-transcoder.service"
        process = LivepeerProcess(900, "livepeer", flags, unit=unit)
        made.put(HostProcesses((process,)), f"gpu-{number}")
        gpus = made.value(HostGpus, f"gpu-{number}").gpus
        busy = tuple(replace(gpu, encoder=Percent(90.0 / number)) for gpu in gpus)
        made.change(HostGpus, f"gpu-{number}", gpus=busy)
    found = plan(made)
    assert any("encoders 90 % busy" in one.evidence for one in found.preconditions)
    assert weights(found) == {"o1": ("100", "50"), "o2": ("100", "150")}


def test_one_that_is_not_measured_keeps_its_part_and_is_named() -> None:
    made = fleet(40, 20, 20)
    made.fail(NodeMetrics, "orch-3", ProblemKind.TIMEOUT, "no answer in 8 s")
    found = plan(made)
    assert weights(found) == {"o1": ("100", "133"), "o2": ("100", "67")}
    assert any("o3 keeps its weight" in line and "no answer" in line for line in found.warnings)


def test_with_one_measured_there_is_nothing_to_compare() -> None:
    made = fleet(40, 20)
    made.change(NodeMetrics, "orch-2", monitored=False)
    found = plan(made)
    assert "two servers of orchestrators are measured" in found.why_not
    assert "-monitor" in found.why_not


def test_of_several_pools_those_that_cannot_be_compared_are_left_alone() -> None:
    made = fleet(40, 20)
    [rpc] = made.value(BalancerState, "ws").servers
    servers = (rpc, replace(rpc, name="192.0.2.31:8548"))
    made.change(BalancerState, "ws", servers=servers)
    found = plan(made, "all")
    assert found.why_not == ""
    assert weights(found).keys() == {"o1", "o2"}
    assert any("rpc_ws is left alone" in line for line in found.warnings)
    assert "two servers of rpc_ws" in plan(made, "lb:rpc_ws").why_not


@pytest.mark.parametrize(
    "changes",
    [
        {"admin": AdminState.DRAIN},
        {"admin": AdminState.MAINT},
        {"health": Health.DOWN},
        {"backup": True},
        {"weight": 0},
    ],
)
def test_who_is_not_in_service_is_left_out(changes: dict[str, Any]) -> None:
    made = fleet(40, 20, 20).change_server("front", "o3", **changes)
    found = plan(made)
    assert weights(found).keys() == {"o1", "o2"}
    assert "o3" not in dict(found.facts)
    assert any("not in service, or a backup: o3" in line for line in found.warnings)


@pytest.mark.parametrize(
    ("algorithm", "why"),
    [
        ("first", "whatever it weighs"),
        ("static-rr", "weights are fixed"),
        ("source", "weights are fixed"),
        ("hdr(X-Stream)", "weights are fixed"),
    ],
)
def test_where_weights_do_not_count_it_is_refused(algorithm: str, why: str) -> None:
    assert why in plan(fleet(40, 20, algorithm=algorithm)).why_not


@pytest.mark.parametrize(
    ("algorithm", "why"),
    [("leastconn", "only tend to the weights"), ("hash", "only with new clients")],
)
def test_where_shares_are_not_promised_it_warns(algorithm: str, why: str) -> None:
    found = plan(fleet(40, 20, algorithm=algorithm))
    assert found.why_not == ""
    assert any(why in line for line in found.warnings)


def test_what_would_overrule_it_or_is_on_its_way_is_refused() -> None:
    assert "agent-check" in plan(fleet(40, 20).change_server("front", "o1", agent=True)).why_not
    starting = fleet(40, 20).change_server("front", "o2", throttle=Percent(40.0), weight=40)
    assert "slow start" in plan(starting).why_not
    readonly = fleet(40, 20).change(BalancerState, "front", level="operator")
    assert "level is operator" in plan(readonly).why_not


def test_a_balancer_that_is_not_read_is_not_told() -> None:
    made = fleet(40, 20).age(BalancerState, "front", 60.0)
    found = plan(made)
    assert "too old" in found.why_not
    assert found.done == ""


def test_a_pool_of_one_has_nothing_to_share() -> None:
    assert plan(fleet(40)).done != ""


def test_weights_of_one_are_multiplied_first() -> None:
    made = fleet(30, 20, 20)
    for server in ("o1", "o2", "o3"):
        made.change_server("front", server, weight=1)
    assert weights(plan(made)) == {"o1": ("1", "5"), "o2": ("1", "3"), "o3": ("1", "3")}
