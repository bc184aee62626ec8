"""The simulated world is deterministic, alive, and keeps its round clock apart from L2 blocks."""

from __future__ import annotations

import pytest

from lptui.clock import FrozenClock
from lptui.errors import LptuiError
from lptui.sim.world.build import BOXES, build_world, registered
from lptui.sim.world.units import start, stop
from lptui.sim.world.world import World


def world_at(seconds: float, *, steps: int = 1, seed: int = 1) -> World:
    clock = FrozenClock()
    world = build_world(clock, hosts=None, seed=seed)
    for _ in range(steps):
        clock.advance(seconds / steps)
        world.advance()
    return world


def fingerprint(world: World) -> tuple[object, ...]:
    return (
        [(n.name, n.sessions, n.work.transcoded, n.work.tickets) for n in world.nodes.values()],
        [(a.balance, a.nonce) for a in world.ledger.accounts.values()],
        world.ledger.gas_price,
        [log.block for log in world.ledger.logs],
        [g.temperature for m in world.machines.values() for g in m.gpus],
    )


def test_same_seed_and_time_give_the_same_world_however_it_was_stepped() -> None:
    assert fingerprint(world_at(90)) == fingerprint(world_at(90, steps=18))


def test_another_seed_gives_another_world() -> None:
    assert fingerprint(world_at(90)) != fingerprint(world_at(90, seed=2))


def test_load_counters_and_balances_move() -> None:
    before, after = world_at(0.5), world_at(300)
    assert after.nodes["orch-1"].work.transcoded > before.nodes["orch-1"].work.transcoded + 100
    redeemer = after.signer("redeemer")
    assert after.ledger.accounts[redeemer].balance < before.ledger.accounts[redeemer].balance
    assert after.ledger.gas_price != before.ledger.gas_price
    assert registered(after).pending_fees > registered(before).pending_fees


def test_each_round_is_initialised_and_then_rewarded_some_blocks_later() -> None:
    world = world_at(1500)
    ledger, record = world.ledger, registered(world)
    for block, number in ledger.initialised:
        late = ledger.timeline.l1_at_l2(block) - ledger.rounds.start_of(number)
        assert 0 < late < 30
    rewarded = {number: block for block, number in record.rewards}
    for block, number in ledger.initialised[:-1]:
        assert block < rewarded[number] < block + 200


def test_the_round_clock_counts_l1_blocks() -> None:
    world = world_at(0.5)
    line = world.ledger.timeline
    head = world.l2_block
    assert head > 10 * line.l1_at_l2(head)
    assert line.l1_at_l2(head + 4) == line.l1_at_l2(head) + 1
    assert line.l2_of_l1(line.l1_at_l2(head)) <= head


def test_an_old_block_shows_the_state_of_then() -> None:
    world = world_at(1500)
    record = registered(world)
    block, number = record.rewards[-1]
    assert record.last_reward(block) == number
    assert record.last_reward(block - 1) == record.rewards[-2][1]


@pytest.mark.parametrize("hosts", [0, 1, len(BOXES), 10_000])
def test_impossible_sizes_are_refused(hosts: int) -> None:
    with pytest.raises(LptuiError, match="simulated fleet"):
        build_world(FrozenClock(), hosts=hosts, seed=1)


def test_a_large_fleet_has_the_hosts_asked_for() -> None:
    world = build_world(FrozenClock(), hosts=200, seed=1)
    assert len(world.machines) == 200
    assert len({machine.address for machine in world.machines.values()}) == 200
    assert sum(len(node.links) for node in world.nodes.values()) == 200 - len(BOXES)


def test_a_restarted_unit_is_a_new_process_that_listens_again() -> None:
    world = world_at(10)
    machine = world.machines["orch-1"]
    unit = machine.units["livepeer-orchestrator.service"]
    pid, invocation = unit.pid, unit.invocation
    stop(world, machine, unit.name)
    assert not machine.listens_on(7935, "127.0.0.1")
    start(world, machine, unit.name)
    assert machine.listens_on(7935, "127.0.0.1")
    assert machine.listens_on(8935, machine.address)
    assert unit.pid != pid
    assert unit.invocation != invocation
    assert world.nodes["orch-1"].work.transcoded == 0
