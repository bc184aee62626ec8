"""The simulated runtime socket answers like HAProxy 2.6."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lptui.clock import FrozenClock
from lptui.sim.serve.haproxy import HaproxyCli
from lptui.sim.world.balancer import BackendServer
from lptui.sim.world.build import build_world
from lptui.sim.world.units import reload, restart, stop
from lptui.sim.world.world import World
from tests.unit.sim.recorder import Recorder


@pytest.fixture
def world() -> World:
    return build_world(FrozenClock(), hosts=None, seed=1)


def ask(world: World, line: str) -> str:
    link = Recorder()
    HaproxyCli(link, world, world.haproxies["edge"]).received(line.encode() + b"\n")
    assert link.ended == "closed"
    return link.sent.decode()


def server(world: World, name: str = "orch-1") -> BackendServer:
    found = world.haproxies["edge"].backends[0].find(name)
    assert found is not None
    return found


def test_each_answer_ends_with_an_empty_line_and_holds_none(world: World) -> None:
    said = ask(world, "set severity-output number;show info;show stat;show servers state")
    first, *tables = said.split("\n\n")
    assert first.startswith("\nName: HAProxy\n")
    assert [table.split("\n")[0][:2] for table in tables] == ["# ", "1", ""]


def test_a_second_line_is_ignored(world: World) -> None:
    assert ask(world, "show version\nshow version").count("2.6") == 1


def test_the_table_reads_as_csv(world: World) -> None:
    table = ask(world, "show stat").removeprefix("# ")
    rows = list(csv.DictReader(io.StringIO(table)))
    kinds = [(row["pxname"], row["svname"], row["type"]) for row in rows if row["pxname"]]
    assert ("orchestrators", "orch-1", "2") in kinds
    assert ("orchestrators", "BACKEND", "1") in kinds
    assert ("livepeer", "FRONTEND", "0") in kinds
    assert {row["status"] for row in rows if row["type"] == "2"} == {"UP"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("set server nope/o1 state drain", "[3]: No such backend."),
        ("set server orchestrators/x state drain", "[3]: No such server."),
        ("set server orchestrators state drain", "[3]: Require 'backend/server'."),
        (
            "set server orchestrators/orch-1 state up",
            "[3]: 'set server <srv> state' expects 'ready', 'drain' and 'maint'.",
        ),
        (
            "set weight orchestrators/orch-1 abc",
            "[3]: Empty weight string empty or preceded by garbage",
        ),
        (
            "set weight orchestrators/orch-1 257",
            "[3]: Absolute weight can only be between 0 and 256 inclusive.",
        ),
        ("show stat nope", "[3]: No such proxy."),
        (
            "bogus",
            "[6]: Unknown command, but maybe one of the following ones is a better match:",
        ),
        ("get weight orchestrators/orch-3", "100 (initial 100)"),
    ],
)
def test_errors_are_text_with_a_severity(world: World, command: str, said: str) -> None:
    assert ask(world, f"set severity-output number;{command}") == f"\n{said}\n\n"


def test_a_failing_command_does_not_stop_the_later_ones(world: World) -> None:
    ask(world, "set server no/no state drain;set server orchestrators/orch-1 state drain")
    assert server(world).status == "DRAIN"


def test_drain_moves_the_sessions_elsewhere_and_ready_brings_them_back(world: World) -> None:
    assert ask(world, "set server orchestrators/orch-1 state drain") == "\n"
    clock = world.clock
    assert isinstance(clock, FrozenClock)
    for _ in range(60):
        clock.advance(1)
        world.advance()
    assert world.nodes["orch-1"].sessions == 0
    assert world.nodes["orch-2"].sessions > 0
    assert "orch-1 10.20.1.11 2 8 " in ask(world, "show servers state orchestrators")
    ask(world, "set server orchestrators/orch-1 state ready")
    for _ in range(60):
        clock.advance(1)
        world.advance()
    assert world.nodes["orch-1"].sessions > 0


def test_a_drained_server_that_is_down_shows_as_down(world: World) -> None:
    ask(world, "set server orchestrators/orch-1 state drain")
    server(world).health = 0
    assert ",DOWN," in ask(world, "show stat orchestrators 4 -1")
    assert "orch-1 10.20.1.11 0 8 " in ask(world, "show servers state")


def later(world: World, seconds: float) -> None:
    clock = world.clock
    assert isinstance(clock, FrozenClock)
    for _ in range(round(seconds * 2)):
        clock.advance(0.5)
        world.advance()


def test_maintenance_stops_the_checks_and_ready_is_up_before_any_check(world: World) -> None:
    server(world).unreachable = True
    ask(world, "set server orchestrators/orch-1 state maint")
    later(world, 10)
    assert server(world).status == "MAINT"
    assert " 0 1 75 75 " in ask(world, "show servers state").split("orch-1 10.20.1.11")[1]
    ask(world, "set server orchestrators/orch-1 state ready")
    assert server(world).status == "UP 1/3"
    assert server(world) in world.haproxies["edge"].backends[0].serving
    later(world, 2)
    assert server(world).status == "DOWN"


def test_from_maintenance_to_drain_the_checks_run_before_traffic_comes(world: World) -> None:
    server(world).unreachable = True
    for state in ("maint", "drain"):
        ask(world, f"set server orchestrators/orch-1 state {state}")
    assert server(world).status == "DRAIN 1/3"
    later(world, 2)
    assert server(world).status == "DOWN"
    ask(world, "set server orchestrators/orch-1 state ready")
    server(world).unreachable = False
    later(world, 0.5)
    assert server(world).status.startswith("DOWN")
    later(world, 2)
    assert server(world).status == "UP"


def test_it_takes_three_bad_checks_to_go_and_two_good_ones_to_come(world: World) -> None:
    one, seen = server(world), []
    for well in (False, False, True, False, False, False, True, True):
        one.check(well, world.now)
        seen.append(one.status)
    assert seen == ["UP 2/3", "UP 1/3", "UP", "UP 2/3", "UP 1/3", "DOWN", "DOWN 1/2", "UP"]


def test_sessions_that_are_shut_down_are_gone_at_once(world: World) -> None:
    assert world.nodes["orch-1"].sessions
    assert ask(world, "shutdown sessions server orchestrators/orch-1") == "\n"
    assert world.nodes["orch-1"].sessions == server(world).sessions == 0
    assert "No such server." in ask(world, "shutdown sessions server orchestrators/none")
    world.haproxies["edge"].level = "operator"
    assert "Permission denied" in ask(world, "shutdown sessions server orchestrators/orch-2")


def test_only_servers_that_get_traffic_count_sessions(world: World) -> None:
    ask(world, "set server orchestrators/orch-1 state drain")
    before = {name: server(world, name).total for name in ("orch-1", "orch-2")}
    later(world, 20)
    assert server(world).total == before["orch-1"]
    assert server(world, "orch-2").total > before["orch-2"] + 20


def test_new_sessions_go_by_weight(world: World) -> None:
    for name, weight in (("orch-1", 10), ("orch-2", 30), ("orch-3", 60)):
        ask(world, f"set server orchestrators/{name} weight {weight}")
    servers = world.haproxies["edge"].backends[0].servers
    before = [one.total for one in servers]
    later(world, 60)
    fresh = [one.total - old for one, old in zip(servers, before, strict=True)]
    assert sum(fresh) > 300
    shares = [count / sum(fresh) for count in fresh]
    assert shares == pytest.approx([0.1, 0.3, 0.6], abs=0.01)


def test_the_first_backup_takes_over_when_no_other_serves(world: World) -> None:
    backend = world.haproxies["edge"].backends[0]
    for name in ("orch-2", "orch-3"):
        server(world, name).backup = True
    assert backend.serving == [server(world)]
    ask(world, "set server orchestrators/orch-1 state drain")
    assert backend.serving == [server(world, "orch-2")]
    later(world, 20)
    assert world.nodes["orch-1"].sessions == world.nodes["orch-3"].sessions == 0
    assert world.nodes["orch-2"].sessions > 0
    ask(world, "set server orchestrators/orch-2 state maint")
    assert backend.serving == [server(world, "orch-3")]


def test_a_new_haproxy_knows_nothing_of_what_the_old_one_was_told(world: World) -> None:
    balancer = world.haproxies["edge"]
    ask(world, "set server orchestrators/orch-1 state drain;set weight orchestrators/orch-2 7")
    pid, machine = balancer.pid, world.machines["edge-1"]
    assert reload(world, machine, "haproxy.service")
    assert balancer.pid != pid
    assert [one.status for one in balancer.backends[0].servers] == ["UP"] * 3
    assert server(world, "orch-2").weight == server(world, "orch-2").initial_weight != 7
    assert server(world, "orch-2").total == 0


def test_while_haproxy_is_stopped_nobody_gets_sessions(world: World) -> None:
    machine = world.machines["edge-1"]
    stop(world, machine, "haproxy.service")
    later(world, 20)
    assert [world.nodes[f"orch-{n}"].sessions for n in (1, 2, 3)] == [0, 0, 0]
    assert not machine.listens_on(8935, machine.address)
    assert restart(world, machine, "haproxy.service")
    later(world, 20)
    assert world.nodes["orch-1"].sessions


def test_weights_are_floored_percentages_of_the_configured_one(world: World) -> None:
    ask(world, "set weight orchestrators/orch-3 1%")
    assert server(world, "orch-3").weight == 1
    server(world, "orch-3").initial_weight = 50
    ask(world, "set weight orchestrators/orch-3 1%")
    assert server(world, "orch-3").weight == 0


def test_an_operators_socket_changes_nothing(world: World) -> None:
    world.haproxies["edge"].level = "operator"
    said = ask(world, "set severity-output number;set server orchestrators/orch-1 state maint")
    assert said == "\n[3]: Permission denied\n\n"
    assert server(world).status == "UP"
    assert ask(world, "show cli level") == "operator\n\n"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_no_line_raises(line: str) -> None:
    world = build_world(FrozenClock(), hosts=12, seed=1)
    for prefix in ("", "set server orchestrators/orch-1 ", "set weight orchestrators/orch-1 "):
        link = Recorder()
        text = (prefix + line).replace("\n", " ").encode("utf-8", "replace")
        HaproxyCli(link, world, world.haproxies["edge"]).received(text + b"\n")
        assert link.ended == "closed"
