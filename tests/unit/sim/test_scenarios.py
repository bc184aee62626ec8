"""Each scenario changes what it claims to change, and nothing unknown is accepted."""

from __future__ import annotations

import pytest

from lptui.clock import FrozenClock
from lptui.errors import LptuiError
from lptui.sim.scenarios import SCENARIOS, find
from lptui.sim.world.build import REGISTERED, build_world, registered
from lptui.sim.world.machine import GpuCard
from lptui.sim.world.pool import members
from lptui.sim.world.units import restart, start
from lptui.sim.world.world import World

NAMES = (
    "healthy reward-missed round-not-initialized reward-disagrees round-skipped inactive low-eth "
    "rpc-stuck rpc-lagging rpc-behind rpc-disagree rpc-wrong-chain "
    "gpu-hot gpu-missing encoder-saturated nvenc-cap "
    "backend-down backend-drained unbalanced split-brain "
    "role-mismatch price-drift "
    "node-down host-dead watcher-stalled nonce-stuck transaction-lost reward-gated gas-cap "
    "tickets-expiring gateway-reserve-low service-uri-mismatch "
    "stake-margin slashed unit-failed disk-full clock-skew cli-exposed keystore-open "
    "standby-keyless redeemer-gone transcoders-missing hostile flaky "
    "delegated-caller caller-revoked two-callers reward-retry settings-drift unit-stale backup-old"
)


def world_in(name: str, later: float = 0.0, hosts: int | None = None) -> World:
    found = find(name)
    clock = FrozenClock()
    world = build_world(clock, hosts=hosts, seed=1, into_round=found.into_round)
    if found.setup is not None:
        found.setup(world)
    found.change(world)
    clock.advance(later)
    world.advance()
    return world


def cards(world: World) -> list[GpuCard]:
    return [card for machine in world.machines.values() for card in machine.gpus]


def rewarded(world: World) -> bool:
    block = world.l2_block
    return registered(world).last_reward(block) == world.ledger.round_at(block)


def initialised(world: World) -> bool:
    block = world.l2_block
    return world.ledger.last_initialised(block) == world.ledger.round_at(block)


def test_the_registry_is_complete_and_says_what_each_is_for() -> None:
    assert list(SCENARIOS) == NAMES.split()
    for name, one in SCENARIOS.items():
        assert one.name == name
        assert 8 < len(one.summary) < 80
        assert "\n" not in one.summary


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LptuiError) as caught:
        find("reward-mised")
    assert "reward-missed" in caught.value.remedy.split("There are:")[0]
    for name in SCENARIOS:
        assert name in caught.value.remedy


@pytest.mark.parametrize("name", list(SCENARIOS))
@pytest.mark.parametrize("hosts", [None, 12, 40])
def test_every_scenario_fits_every_size_and_lives_on(name: str, hosts: int | None) -> None:
    world = world_in(name, 30.0, hosts)
    assert world.now > world.ledger.timeline.start


@pytest.mark.parametrize("later", [0.0, 60.0])
def test_healthy_is_healthy_and_stays_so(later: float) -> None:
    world = world_in("healthy", later)
    assert rewarded(world)
    assert initialised(world)
    assert all(card.temperature < 75 for card in cards(world))
    assert all(card.encoder < 90 for card in cards(world))
    for node in world.nodes.values():
        if node.links:
            assert 0 < node.sessions < node.capacity * 0.85


def test_a_missed_reward_stays_missed_and_can_be_called_by_hand() -> None:
    world = world_in("reward-missed", 60.0)
    assert not rewarded(world)
    assert initialised(world)
    assert world.nodes["reward"].work.reward_errors == 1
    assert not world.nodes["reward"].call_fault


def test_the_reward_service_fails_again_in_the_next_round() -> None:
    world = world_in("reward-missed", 600.0)
    assert not rewarded(world)
    assert world.nodes["reward"].work.reward_errors == 2


def test_a_round_stays_uninitialised() -> None:
    assert not initialised(world_in("round-not-initialized", 60.0))


def test_the_stuck_client_falls_behind_and_the_lagging_one_keeps_its_distance() -> None:
    stuck = world_in("rpc-stuck", 60.0)
    assert stuck.l2_block - (stuck.rpcs["nitro-1"].stuck_at or 0) > 2_000
    assert 400 < world_in("rpc-lagging").rpcs["nitro-2"].lag < 480
    assert world_in("rpc-behind").rpcs["nitro-2"].lag == 50
    assert not world_in("rpc-behind").rpcs["nitro-2"].syncing
    assert world_in("rpc-disagree").rpcs["nitro-2"].forked_at is not None
    lost = world_in("transaction-lost")
    assert lost.ledger.accounts[lost.signer("redeemer")].queued == 2
    assert world_in("rpc-wrong-chain").rpcs["nitro-2"].chain_id != 42161


def test_cards() -> None:
    hot = max(cards(world_in("gpu-hot", 120.0)), key=lambda card: card.temperature)
    assert hot.temperature > 90
    assert hot.throttle & 0x40
    assert sum(card.lost for card in cards(world_in("gpu-missing"))) == 1
    assert max(card.encoder for card in cards(world_in("encoder-saturated", 60.0))) == 100


@pytest.mark.parametrize(
    ("name", "node", "status"),
    [
        ("backend-down", "orch-2", "DOWN"),
        ("backend-drained", "orch-3", "DRAIN"),
        ("node-down", "orch-2", "DOWN"),
    ],
)
def test_servers_out_of_traffic_stay_out(name: str, node: str, status: str) -> None:
    world = world_in(name, 90.0)
    assert [server.status for server in world.servers_of(node)] == [status]
    assert world.nodes[node].sessions == 0
    assert world.nodes[node].running == (name != "node-down")


def test_a_node_that_is_started_again_comes_back_to_the_balancer() -> None:
    world = world_in("node-down", 10.0)
    clock = world.clock
    assert isinstance(clock, FrozenClock)
    start(world, world.machines["orch-2"], "livepeer-orchestrator.service")
    clock.advance(60)
    world.advance()
    node = world.nodes["orch-2"]
    assert [server.status for server in world.servers_of("orch-2")] == ["UP"]
    assert len(node.links) == 2
    assert node.sessions > 0


def test_one_orchestrator_has_all_that_it_can_take() -> None:
    world = world_in("unbalanced", 30.0)
    used = [n.sessions / n.capacity for n in (world.nodes[f"orch-{i}"] for i in (1, 2, 3))]
    assert used[0] > 0.95
    assert max(used[1:]) < 0.2


def test_two_processes_with_the_registered_key() -> None:
    world = world_in("split-brain")
    with_key = [
        process
        for machine in world.machines.values()
        for process in machine.processes.values()
        if process.argv[-1:] and str(REGISTERED) in _after(process.argv, "-ethAcctAddr")
    ]
    assert len(with_key) == 2


def _after(argv: tuple[str, ...], flag: str) -> str:
    return argv[argv.index(flag) + 1] if flag in argv else ""


def test_a_lost_transcoder_runs_on_and_registers_again_only_after_a_restart() -> None:
    world = world_in("transcoders-missing", 90.0)
    home = world.nodes["orch-1"]
    lost = next(node for node in world.nodes.values() if node.rejected)
    assert lost.running
    assert len(home.links) == 1
    clock = world.clock
    assert isinstance(clock, FrozenClock)
    restart(world, world.machines[lost.host], lost.unit)
    clock.advance(10)
    world.advance()
    assert len(home.links) == 2


def test_money_and_gas() -> None:
    poor = world_in("low-eth")
    assert poor.ledger.accounts[REGISTERED].balance < 10**16
    capped = world_in("gas-cap", 120.0)
    assert not rewarded(capped)
    assert capped.ledger.gas_price > (capped.nodes["reward"].max_gas_price or 0)
    gated = world_in("reward-gated")
    assert not rewarded(gated)
    assert not any(node.tx_routes for node in gated.nodes.values())


def test_the_place_in_the_pool() -> None:
    near = world_in("stake-margin")
    order = [member for member, _ in members(near.ledger)]
    assert order.index(REGISTERED) == len(order) - 2
    gone = world_in("slashed")
    assert REGISTERED not in dict(members(gone.ledger))
    assert registered(gone).is_active(gone.ledger.round_at(gone.l2_block))


def test_the_rest() -> None:
    stalled = world_in("watcher-stalled").nodes["reward"].stalled_at
    assert stalled is not None
    assert world_in("host-dead", hosts=12).machines["gpu-1"].reach == "mute"
    stuck = world_in("nonce-stuck")
    assert stuck.ledger.accounts[stuck.signer("redeemer")].stuck > 0
    assert "old" in registered(world_in("service-uri-mismatch")).service_uri
    failed = world_in("unit-failed").machines["gpu-2"].units["livepeer-transcoder.service"]
    assert (failed.active, failed.pid, failed.result) == ("failed", None, "start-limit-hit")
    assert world_in("clock-skew").machines["orch-1"].clock_offset > 5
    exposed = world_in("cli-exposed").machines["redeem-1"]
    assert exposed.listens_on(11935, exposed.address)
    disk = next(d for d in world_in("disk-full").machines["nitro-2"].disks if d.path == "/data")
    assert disk.used / disk.size > 0.9
    assert "\x1b" in world_in("hostile").say("text")
