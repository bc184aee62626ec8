"""Plans for servers behind balancers: whom they mean, what they need, what they refuse."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from lptui.actions.drain import Drain
from lptui.actions.failover import Failover
from lptui.actions.plan import Plan, Request
from lptui.actions.select import requests, targets
from lptui.actions.spec import Action
from lptui.actions.undrain import Undrain
from lptui.errors import ProblemKind, RefusedError
from lptui.fleet.facts.balancer import AdminState, BalancerState, Health, Proxy
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.guards import Guards
from tests.snapshots import FleetBuilder

O1 = "lb:orchestrators/o1"


def plan(action: Action, fleet: FleetBuilder, *words: str, **options: str) -> Plan:
    snapshot = fleet.snapshot()
    chosen = tuple((name.replace("_", "-"), value) for name, value in options.items())
    [request] = requests(action, snapshot, words, chosen)
    return action.plan(snapshot, request)


def kinds(made: Plan) -> list[str]:
    return [step.kind for step in made.steps]


def test_a_server_is_meant_by_its_name_its_node_its_host_or_its_role() -> None:
    snapshot = FleetBuilder().snapshot()
    for word in (O1, "orch-1", "host:edge-1"):
        assert targets(Drain(), snapshot, (word,)) == (O1,)
    assert set(targets(Drain(), snapshot, ("role:orchestrator",))) == {O1, "lb:orchestrators/o2"}
    assert targets(Failover(), snapshot, ("orch-1",)) == ("lb:orchestrators",)
    with pytest.raises(RefusedError, match="selects nothing"):
        targets(Drain(), snapshot, ("lb:orchestrators/o9",))


def test_draining_lowers_the_nodes_cap_and_waits_for_its_sessions() -> None:
    fleet = FleetBuilder().change(NodeMetrics, "orch-1", max_sessions=10, current_sessions=3)
    made = plan(Drain(), fleet, "orch-1")
    assert made.why_not == ""
    assert kinds(made) == ["servers", "sessions", "session-cap", "node-sessions"]
    assert "maxSessions=1" in made.steps[2].call
    assert made.steps[2].undo == "back to 10"


def test_a_cap_that_is_not_known_is_left_alone() -> None:
    fleet = FleetBuilder().fail(NodeMetrics, "orch-1", ProblemKind.TIMEOUT, "no answer")
    assert kinds(plan(Drain(), fleet, "orch-1")) == ["servers", "sessions"]


def test_the_floor_is_what_the_operator_says_and_never_less_than_one() -> None:
    fleet = FleetBuilder(orchestrators=3).configure(guards=Guards(min_backends=2))
    assert plan(Drain(), fleet, "orch-1").why_not == ""
    assert "at least 2" in plan(Drain(), fleet, "orch-1", "orch-2").why_not
    fleet.configure(guards=Guards(min_backends=0))
    assert "at least 1" in plan(Drain(), fleet, "role:orchestrator").why_not


def test_a_server_that_is_ill_does_not_count_as_left() -> None:
    fleet = FleetBuilder().change_server("front", "o2", health=Health.DOWN)
    assert "left: nobody" in plan(Drain(), fleet, O1).why_not


def test_an_old_reading_is_refused() -> None:
    snapshot = FleetBuilder().snapshot(after=60.0)
    made = Drain().plan(snapshot, Request((O1,)))
    assert "too old" in made.why_not
    assert [item.met for item in made.preconditions if item.name == "front read"] == [None]


def test_a_queue_behind_the_last_active_server_is_not_stranded() -> None:
    fleet = FleetBuilder().change_server("front", "o2", backup=True)
    proxies = fleet.value(BalancerState, "front").proxies
    queued = tuple(
        replace(one, queue=4) if one.kind == "backend" and isinstance(one, Proxy) else one
        for one in proxies
    )
    fleet.change(BalancerState, "front", proxies=queued)
    assert "4 requests wait" in plan(Drain(), fleet, O1).why_not


def test_an_agent_would_overrule_it() -> None:
    fleet = FleetBuilder().change_server("front", "o1", agent=True)
    assert "agent-check" in plan(Drain(), fleet, O1).why_not


def test_a_page_alone_changes_nothing() -> None:
    fleet = FleetBuilder().configure_balancer("front", socket=None)
    assert "no runtime socket" in plan(Drain(), fleet, O1).why_not


def test_coming_back_goes_through_the_checks() -> None:
    fleet = FleetBuilder().change_server(
        "front", "o1", admin=AdminState.MAINT, health=Health.UNKNOWN
    )
    made = plan(Undrain(), fleet, O1)
    assert [step.title for step in made.steps] == [
        "let the checks run",
        "wait for health",
        "bring into service",
        "see traffic",
    ]
    assert "state drain" in made.steps[0].call
    assert "state ready" in made.steps[2].call


def test_a_cap_at_the_least_goes_back_to_what_the_node_was_started_with() -> None:
    fleet = FleetBuilder().change(NodeMetrics, "orch-1", max_sessions=1)
    made = plan(Undrain(), fleet, "orch-1")
    assert kinds(made) == ["session-cap"]
    assert made.done == ""


def test_what_is_in_service_needs_nothing() -> None:
    assert plan(Undrain(), FleetBuilder(), O1).done == "in service already"


def test_a_pool_without_a_backup_needs_a_name() -> None:
    made = plan(Failover(), FleetBuilder(), "lb:orchestrators")
    assert "no backup server" in made.why_not
    named = plan(Failover(), FleetBuilder(), "lb:orchestrators", to="o2")
    assert named.why_not == ""
    assert kinds(named) == ["servers", "traffic"]
    assert plan(Failover(), FleetBuilder(), "lb:orchestrators", to="o7").why_not


def test_numbers_that_are_none_are_refused() -> None:
    for written in ("soon", "-1", "nan", "1e99"):
        with pytest.raises(RefusedError, match="--wait"):
            plan(Drain(), FleetBuilder(), O1, wait=written)


def test_the_hash_tells_other_choices_apart() -> None:
    first, second = (plan(Drain(), FleetBuilder(), O1, wait=wait) for wait in ("10", "20"))
    assert first.hash != second.hash
    assert first.hash == plan(Drain(), FleetBuilder(), O1, wait="10").hash


def test_the_lock_is_held_where_other_operators_see_it() -> None:
    fleet = FleetBuilder()
    first, *others = fleet.fleet.hosts
    here = {first: replace(fleet.fleet.hosts[first], ssh=None)}
    fleet.configure(hosts=MappingProxyType({**fleet.fleet.hosts, **here}))
    lock = plan(Drain(), fleet, O1).lock
    assert lock is not None
    assert lock.hosts == (*others, first)
    fleet.configure(guards=Guards(lock_hosts=(first,)))
    chosen = plan(Drain(), fleet, O1).lock
    assert chosen is not None
    assert chosen.hosts == (first,)
