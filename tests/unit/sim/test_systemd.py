"""Units of simulated hosts: what starts, stops and enables them, and what follows from that."""

from __future__ import annotations

import pytest

from lptui.actions.moves.reboot import in_boot
from lptui.sim.world.build import registered
from lptui.sim.world.watch import serves
from tests.unit.sim.acting import Hosts

ORCHESTRATOR = "livepeer-orchestrator.service"
REWARD = "livepeer-reward.service"
STATE = ("ActiveState", "SubState", "MainPID", "InvocationID", "UnitFileState", "WantedBy")


@pytest.fixture
def hosts() -> Hosts:
    made = Hosts()
    made.later(1)
    return made


def test_a_login_may_look_and_may_change_nothing(hosts: Hosts) -> None:
    done = hosts.run("vault-1", "systemctl", "stop", REWARD)
    assert done.status == 1
    assert b"Interactive authentication required" in done.stderr
    assert hosts.show("vault-1", REWARD, "ActiveState") == {"ActiveState": "active"}
    assert hosts.run("vault-1", "systemctl", "is-active", REWARD).stdout == b"active\n"


def test_a_restart_is_another_process_of_the_same_node(hosts: Hosts) -> None:
    node = hosts.world.nodes["orch-1"]
    before, account = hosts.show("orch-1", ORCHESTRATOR, *STATE), node.account
    hosts.later(5)
    hosts.done("orch-1", "systemctl", "restart", ORCHESTRATOR)
    after = hosts.show("orch-1", ORCHESTRATOR, *STATE)
    assert (after["ActiveState"], after["SubState"]) == ("active", "running")
    for name in ("MainPID", "InvocationID"):
        assert after[name] != before[name]
    assert (node.account, node.sessions, node.started) == (account, 0, hosts.clock.now())


def test_a_stopped_node_has_neither_process_nor_socket_nor_sessions(hosts: Hosts) -> None:
    machine, node = hosts.world.machines["orch-1"], hosts.world.nodes["orch-1"]
    assert node.sessions
    hosts.done("orch-1", "systemctl", "stop", ORCHESTRATOR)
    state = hosts.show("orch-1", ORCHESTRATOR, "ActiveState", "SubState", "MainPID", "Result")
    assert state == {
        "ActiveState": "inactive",
        "SubState": "dead",
        "MainPID": "0",
        "Result": "success",
    }
    assert not node.sessions
    assert not any(process.unit == ORCHESTRATOR for process in machine.processes.values())
    for port in (7935, 8935):
        assert not machine.listens_on(port, "127.0.0.1")
    hosts.done("orch-1", "systemctl", "start", ORCHESTRATOR)
    for port in (7935, 8935):
        assert machine.listens_on(port, "127.0.0.1")


def test_transcoders_leave_a_stopped_orchestrator_and_register_again(hosts: Hosts) -> None:
    node = hosts.world.nodes["orch-1"]
    before = {link.port for link in node.links}
    assert len(before) == 2
    hosts.done("orch-1", "systemctl", "restart", ORCHESTRATOR)
    hosts.wait(2)
    assert node.links == []
    hosts.wait(8)
    assert len(node.links) == 2
    assert not {link.port for link in node.links} & before


def test_an_orchestrator_loses_a_transcoder_while_that_restarts(hosts: Hosts) -> None:
    node = hosts.world.nodes["orch-1"]
    hosts.done("gpu-1", "systemctl", "restart", "livepeer-transcoder.service")
    hosts.wait(1)
    assert [link.node for link in node.links] == ["transcoder-2"]
    hosts.wait(8)
    assert {link.node for link in node.links} == {"transcoder-1", "transcoder-2"}


def test_the_balancer_finds_a_stopped_node_down_and_a_started_one_up(hosts: Hosts) -> None:
    [server] = hosts.world.servers_of("orch-1")
    hosts.done("orch-1", "systemctl", "stop", ORCHESTRATOR)
    seen = []
    for _ in range(8):
        hosts.later(0.5)
        seen.append(server.status)
    assert list(dict.fromkeys(seen))[-3:] == ["UP 2/3", "UP 1/3", "DOWN"]
    hosts.done("orch-1", "systemctl", "start", ORCHESTRATOR)
    hosts.wait(3)
    assert server.status == "UP"


def test_without_its_service_nobody_calls_reward_and_the_stand_by_does(hosts: Hosts) -> None:
    world, record = hosts.world, registered(hosts.world)
    hosts.done("vault-1", "systemctl", "stop", REWARD)
    hosts.wait(1000)
    block = world.l2_block
    current = world.ledger.round_at(block)
    assert world.ledger.last_initialised(block) == current
    assert record.last_reward(block) < current
    hosts.done("redeem-1", "systemctl", "start", REWARD)
    hosts.wait(1220)
    block = world.l2_block
    assert record.last_reward(block) == world.ledger.round_at(block)


def test_without_a_redeemer_no_ticket_is_redeemed(hosts: Hosts) -> None:
    account = hosts.world.ledger.accounts[hosts.world.signer("redeemer")]
    hosts.done("redeem-1", "systemctl", "stop", "livepeer-redeemer.service")
    before = account.nonce
    hosts.wait(200)
    assert account.nonce == before
    hosts.done("redeem-1", "systemctl", "start", "livepeer-redeemer.service")
    hosts.wait(200)
    assert account.nonce > before


def test_the_stand_by_has_never_run_and_does_not_start_with_its_host(hosts: Hosts) -> None:
    state = hosts.show("redeem-1", REWARD, *STATE, "ActiveEnterTimestampMonotonic")
    assert state == {
        "ActiveState": "inactive",
        "SubState": "dead",
        "MainPID": "0",
        "InvocationID": "",
        "UnitFileState": "disabled",
        "WantedBy": "",
        "ActiveEnterTimestampMonotonic": "0",
    }


def test_what_is_enabled_is_wanted_by_a_target(hosts: Hosts) -> None:
    assert hosts.run("vault-1", "systemctl", "is-enabled", REWARD).status == 0
    assert hosts.show("vault-1", REWARD, "WantedBy") == {"WantedBy": "multi-user.target"}
    hosts.done("vault-1", "systemctl", "disable", REWARD)
    gone = hosts.run("vault-1", "systemctl", "is-enabled", REWARD)
    assert (gone.stdout, gone.status) == (b"disabled\n", 1)
    assert hosts.show("vault-1", REWARD, "WantedBy", "ActiveState") == {
        "WantedBy": "",
        "ActiveState": "active",
    }
    hosts.done("vault-1", "systemctl", "enable", REWARD)
    assert hosts.run("vault-1", "systemctl", "is-enabled", REWARD).status == 0


def test_a_mask_needs_a_unit_whose_file_is_elsewhere(hosts: Hosts) -> None:
    refused = hosts.root("vault-1", "systemctl", "mask", REWARD)
    assert (refused.status, b"already exists" in refused.stderr) == (1, True)
    hosts.done("vault-1", "systemctl", "mask", "chrony.service")
    hosts.done("vault-1", "systemctl", "stop", "chrony.service")
    started = hosts.root("vault-1", "systemctl", "start", "chrony.service")
    assert (started.status, b"is masked" in started.stderr) == (1, True)
    assert hosts.show("vault-1", "chrony.service", "LoadState") == {"LoadState": "masked"}
    hosts.done("vault-1", "systemctl", "unmask", "chrony.service")
    hosts.done("vault-1", "systemctl", "start", "chrony.service")


@pytest.mark.parametrize(
    ("verb", "status", "said"),
    [
        ("stop", 5, b"Unit none.service not loaded."),
        ("start", 5, b"Unit none.service not found."),
        ("restart", 5, b"Unit none.service not found."),
        ("enable", 1, b"Unit file none.service does not exist."),
        ("frobnicate", 1, b"Unknown command verb frobnicate."),
    ],
)
def test_units_and_verbs_that_are_not_there(
    hosts: Hosts, verb: str, status: int, said: bytes
) -> None:
    done = hosts.root("vault-1", "systemctl", verb, "none.service")
    assert (done.status, said in done.stderr) == (status, True)


def test_only_who_knows_how_reloads(hosts: Hosts) -> None:
    refused = hosts.root("vault-1", "systemctl", "reload", REWARD)
    assert refused.status == 1
    assert b"Job type reload is not applicable" in refused.stderr
    before = hosts.show("edge-1", "haproxy.service", "MainPID", "StateChangeTimestampMonotonic")
    hosts.later(1)
    hosts.done("edge-1", "systemctl", "reload", "haproxy.service")
    after = hosts.show("edge-1", "haproxy.service", "MainPID", "StateChangeTimestampMonotonic")
    assert after["MainPID"] == before["MainPID"]
    assert after["StateChangeTimestampMonotonic"] != before["StateChangeTimestampMonotonic"]


def test_a_node_follows_its_environment_file_when_it_starts(hosts: Hosts) -> None:
    machine, node = hosts.world.machines["gpu-1"], hosts.world.nodes["transcoder-1"]
    path, unit = node.environment_file, node.unit
    text = hosts.done("gpu-1", "cat", path)
    assert "LP_ORCHADDR=orch-1:8935\n" in text
    moved = text.replace("orch-1", "orch-3")
    hosts.done("gpu-1", "tee", path, stdin=moved.encode())
    hosts.wait(10)
    assert node.home == "orch-1"
    hosts.done("gpu-1", "systemctl", "restart", unit)
    hosts.wait(10)
    assert [link.node for link in hosts.world.nodes["orch-1"].links] == ["transcoder-2"]
    assert "transcoder-1" in {link.node for link in hosts.world.nodes["orch-3"].links}
    process = machine.processes[machine.units[unit].pid or 0]
    assert process.argv[process.argv.index("-orchAddr") + 1] == "orch-3:8935"


def test_a_watcher_sees_the_chain_through_the_endpoint_of_its_file(hosts: Hosts) -> None:
    world, node = hosts.world, hosts.world.nodes["orch-1"]
    world.rpcs["nitro-1"].stuck_at = stands = world.l2_block
    hosts.wait(60)
    assert node.block == stands
    text = hosts.done("orch-1", "cat", node.environment_file)
    assert "LP_ETHURL=http://10.20.2.10:8545\n" in text
    other = text.replace("10.20.2.10:8545", "10.20.2.2:8547")
    hosts.done("orch-1", "tee", node.environment_file, stdin=other.encode())
    hosts.done("orch-1", "systemctl", "restart", node.unit)
    hosts.wait(1)
    assert node.block > stands + 200


def test_the_cap_that_a_node_was_started_with_comes_back_with_a_restart(hosts: Hosts) -> None:
    node = hosts.world.nodes["orch-1"]
    node.cap = 1
    hosts.wait(20)
    assert node.sessions <= 1
    hosts.done("orch-1", "systemctl", "restart", ORCHESTRATOR)
    assert node.max_sessions == node.capacity > 1
    hosts.wait(20)
    assert node.sessions > 1


def test_a_reboot_of_another_boot_does_nothing(hosts: Hosts) -> None:
    before = hosts.world.machines["orch-1"].boot_id
    hosts.done("orch-1", *in_boot("another"), "systemctl", "reboot")
    assert hosts.world.machines["orch-1"].boot_id == before
    hosts.later(3)
    hosts.done("orch-1", *in_boot(before), "systemctl", "reboot")
    hosts.wait(6)
    assert hosts.world.machines["orch-1"].boot_id != before


def test_a_reboot_brings_back_what_is_enabled_with_another_boot(hosts: Hosts) -> None:
    world, machine = hosts.world, hosts.world.machines["orch-1"]
    boot = machine.boot_id
    hosts.done("orch-1", "touch", "/run/maintenance")
    hosts.done("orch-1", "systemctl", "disable", "chrony.service")
    hosts.later(3)
    hosts.done("orch-1", "systemctl", "reboot")
    assert not machine.processes
    assert not machine.listens_on(22, machine.address)
    assert not world.nodes["orch-1"].running
    hosts.wait(6)
    assert machine.boot_id != boot
    assert world.uptime(machine) < 3
    assert machine.listens_on(22, machine.address)
    assert hosts.show("orch-1", ORCHESTRATOR, "ActiveState") == {"ActiveState": "active"}
    assert hosts.show("orch-1", "chrony.service", "ActiveState") == {"ActiveState": "inactive"}
    assert hosts.run("orch-1", "test", "-e", "/run/maintenance").status == 1
    hosts.wait(10)
    assert world.servers_of("orch-1")[0].status == "UP"
    assert len(world.nodes["orch-1"].links) == 2


def test_an_rpc_node_that_is_restarted_listens_again(hosts: Hosts) -> None:
    machine, unit = hosts.world.machines["nitro-1"], "nitro.service"
    seen = []
    for verb in ("stop", "start"):
        hosts.done("nitro-1", "systemctl", verb, unit)
        answers = serves(hosts.world, f"{machine.address}:8547") is not None
        seen.append((answers, machine.listens_on(8547, machine.address)))
    assert seen == [(False, False), (True, True)]
