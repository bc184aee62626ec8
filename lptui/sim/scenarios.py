"""Prepared situations: each changes a healthy world so that one finding is there from the first
collection on, and stays until the operator does what helps.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lptui.errors import LptuiError, ProblemKind
from lptui.fleet.topology import Role
from lptui.sim.hostile import garble
from lptui.sim.world.balancer import FORCED_DRAIN, BackendServer
from lptui.sim.world.build import REGISTERED, add_unit, registered
from lptui.sim.world.history import INTO_ROUND, ROUND_LENGTH, forget_reward, forget_round
from lptui.sim.world.livepeer import LivepeerProcess
from lptui.sim.world.load import move_load
from lptui.sim.world.machine import Machine
from lptui.sim.world.pool import OTHERS, slash
from lptui.sim.world.services import FACE
from lptui.sim.world.tickets import WinningTicket
from lptui.sim.world.units import restart, stop
from lptui.sim.world.world import World

Change = Callable[[World], None]
RPC_FAULT: Final = "Post http://10.20.2.10:8545: EOF"
GAS_FAULT: Final = "current gas price exceeds maximum gas price max=0.005 GWei current=0.018 GWei"
LATE: Final = ROUND_LENGTH - 290
"""So far into the round that a reward not yet called is overdue, with minutes left to call it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A situation by name; `change` makes it of a healthy world that is so many L1 blocks into
    its round. `setup` comes first: how this operator has set the fleet up, and declares it."""

    name: str
    summary: str
    change: Change
    into_round: int = INTO_ROUND
    setup: Change | None = None


SCENARIOS: Final[dict[str, Scenario]] = {}


def scenario(
    name: str, summary: str, into_round: int = INTO_ROUND, setup: Change | None = None
) -> Callable[[Change], Change]:
    """Registers a situation."""

    def register(change: Change) -> Change:
        SCENARIOS[name] = Scenario(name, summary, change, into_round, setup)
        return change

    return register


def find(name: str) -> Scenario:
    """The situation of a name; raises LptuiError that lists the names there are."""
    found = SCENARIOS.get(name)
    if found is not None:
        return found
    close = difflib.get_close_matches(name, SCENARIOS, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    raise LptuiError(
        f"Scenario {name!r}",
        "there is no scenario of that name",
        f"{hint}There are: {', '.join(SCENARIOS)}.",
        kind=ProblemKind.NOT_CONFIGURED,
    )


def _current_round(world: World) -> int:
    return world.ledger.round_at(world.l2_block)


def _reward_node(world: World) -> LivepeerProcess:
    return world.nodes["reward"]


def _gpu_host(world: World, number: int) -> Machine:
    """A transcoder host; the last one where there are fewer."""
    hosts = [machine for machine in world.machines.values() if machine.gpus]
    return hosts[min(number, len(hosts)) - 1]


def reward_due(world: World, fault: str) -> None:
    """This round's only automatic try failed, and so will those of later rounds."""
    node = _reward_node(world)
    forget_reward(world.ledger, registered(world), _current_round(world))
    node.reward_fault = fault
    node.work.reward_errors = 1
    when = world.ledger.timeline.time_of_l2(world.ledger.initialised[-1][0]) + 2.0
    node.failed_tries.append((when, _current_round(world), fault or GAS_FAULT))


@scenario("healthy", "all is well")
def _healthy(world: World) -> None:
    return


@scenario("reward-missed", "the reward service failed its only try; r calls reward by hand", LATE)
def _reward_missed(world: World) -> None:
    reward_due(world, RPC_FAULT)


@scenario("round-not-initialized", "nobody has initialised the current round; i does")
def _round_not_initialized(world: World) -> None:
    forget_round(world.ledger, _current_round(world))
    world.others_initialise = False
    world.nodes["initialiser"].initialises = False


@scenario("reward-disagrees", "the node says that it called reward, the chain says that it did not")
def _reward_disagrees(world: World) -> None:
    forget_reward(world.ledger, registered(world), _current_round(world))
    _reward_node(world).claims_reward = True


@scenario("round-skipped", "nobody initialised the last round: its rewards are lost for all")
def _round_skipped(world: World) -> None:
    forget_round(world.ledger, _current_round(world) - 1)


@scenario("inactive", "the orchestrator has left the active set: its rounds earn nothing")
def _inactive(world: World) -> None:
    number = _current_round(world)
    record = registered(world)
    record.deactivation_round = number - 1
    for past in (number - 1, number):
        forget_reward(world.ledger, record, past)


@scenario("low-eth", "the reward key and the redeemer have next to no ETH left")
def _low_eth(world: World) -> None:
    world.ledger.accounts[REGISTERED].balance = 4_100_000_000_000_000
    world.ledger.accounts[world.signer("redeemer")].balance = 31_000_000_000_000_000


@scenario("rpc-stuck", "one Arbitrum node stands still and says that it is synchronised")
def _rpc_stuck(world: World) -> None:
    world.rpcs["nitro-1"].stuck_at = world.l2_block - 1_800


@scenario("rpc-lagging", "one Arbitrum node is hundreds of blocks behind the others")
def _rpc_lagging(world: World) -> None:
    world.rpcs["nitro-2"].lag = 430


@scenario("rpc-behind", "one Arbitrum node is 50 blocks behind and says that it is synchronised")
def _rpc_behind(world: World) -> None:
    world.rpcs["nitro-2"].lag = 50


@scenario("rpc-disagree", "two Arbitrum nodes have different blocks at one height")
def _rpc_disagree(world: World) -> None:
    world.rpcs["nitro-2"].forked_at = world.l2_block - 20_000


@scenario("rpc-wrong-chain", "one RPC endpoint serves another chain")
def _rpc_wrong_chain(world: World) -> None:
    world.rpcs["nitro-2"].chain_id = 421_614


@scenario("gpu-hot", "a card runs too hot and slows itself down")
def _gpu_hot(world: World) -> None:
    card = _gpu_host(world, 4).gpus[0]
    card.held_temperature = card.temperature = 92.0
    card.throttle = 0x40


@scenario("gpu-missing", "a card has fallen off the bus")
def _gpu_missing(world: World) -> None:
    _gpu_host(world, 3).gpus[-1].lost = True


@scenario("encoder-saturated", "a card's encoder is at its limit")
def _encoder_saturated(world: World) -> None:
    for card in _gpu_host(world, 2).gpus:
        card.encoder_floor = 100.0


@scenario("nvenc-cap", "a host's consumer cards have all encoder sessions that their driver allows")
def _nvenc_cap(world: World) -> None:
    machine = _gpu_host(world, 2)
    machine.nvenc_cap = 8
    for card in machine.gpus:
        card.name = "NVIDIA GeForce RTX 3080"
    move_load(world, 1.0)


def _fail_check(world: World, server: BackendServer) -> None:
    server.health, server.check_status = 0, "L4CON"
    server.check_detail, server.check_failures = "Connection refused", 14
    server.changed = world.now - 190.0


@scenario("backend-down", "the balancer finds an orchestrator's port dead")
def _backend_down(world: World) -> None:
    for server in world.servers_of("orch-2"):
        server.unreachable = True
        _fail_check(world, server)
    world.nodes["orch-2"].sessions = 0


@scenario("backend-drained", "an orchestrator was left drained and gets no traffic")
def _backend_drained(world: World) -> None:
    for server in world.servers_of("orch-3"):
        server.admin, server.changed = FORCED_DRAIN, world.now - 7_300.0
    world.nodes["orch-3"].sessions = 0


@scenario("unbalanced", "nearly all sessions go to one orchestrator; b weighs them anew")
def _unbalanced(world: World) -> None:
    for name, weight in (("orch-1", 250), ("orch-2", 20), ("orch-3", 20)):
        for server in world.servers_of(name):
            server.weight = weight
    for _ in range(30):
        move_load(world, 1.0)


@scenario("split-brain", "a second process acts with the registered key")
def _split_brain(world: World) -> None:
    twin = LivepeerProcess(
        "reward-old", "orch-3", frozenset({Role.REWARD}), "livepeer-old.service", 10935
    )
    twin.account = REGISTERED
    add_unit(world, world.machines["orch-3"], twin.unit, twin.argv(), "livepeer")


@scenario("role-mismatch", "an orchestrator was started as a transcoder")
def _role_mismatch(world: World) -> None:
    node = world.nodes["orch-3"]
    node.roles, node.orchestrator = frozenset({Role.TRANSCODER}), "orch-1:8935"
    node.public_port, node.sessions = None, 0
    node.links.clear()
    restart(world, world.machines[node.host], node.unit)
    for server in world.servers_of(node.name):
        server.unreachable = True
        _fail_check(world, server)


@scenario("price-drift", "an orchestrator asks another price than it starts with")
def _price_drift(world: World) -> None:
    # Set over HTTP: its command line keeps the price that all the others ask.
    world.nodes["orch-2"].price = "900"


@scenario("node-down", "an orchestrator's process is gone and its port refuses")
def _node_down(world: World) -> None:
    stop(world, world.machines["orch-2"], "livepeer-orchestrator.service", failed=True)
    world.machines["orch-2"].units["livepeer-orchestrator.service"].restarts = 4
    for server in world.servers_of("orch-2"):
        _fail_check(world, server)
    world.nodes["orch-2"].sessions = 0
    world.nodes["orch-2"].links.clear()


@scenario("host-dead", "a host accepts connections and never answers")
def _host_dead(world: World) -> None:
    _gpu_host(world, 5).reach = "mute"


@scenario("watcher-stalled", "a node looks healthy but no longer follows the chain")
def _watcher_stalled(world: World) -> None:
    world.nodes["reward"].stalled_at = world.l2_block - 4_300


@scenario("nonce-stuck", "the redeemer's transactions hang behind one that is never mined")
def _nonce_stuck(world: World) -> None:
    world.ledger.accounts[world.signer("redeemer")].stuck = 3


@scenario("transaction-lost", "a client has dropped a transaction of the redeemer: others wait")
def _transaction_lost(world: World) -> None:
    world.ledger.accounts[world.signer("redeemer")].queued = 2
    for rpc in world.rpcs.values():
        rpc.has_pool = rpc.layer == 2


@scenario("reward-gated", "reward is due and the node has no route for it (404)", LATE)
def _reward_gated(world: World) -> None:
    reward_due(world, RPC_FAULT)
    for node in world.nodes.values():
        node.tx_routes = False


@scenario("gas-cap", "reward is due and gas costs more than the node may pay", LATE)
def _gas_cap(world: World) -> None:
    reward_due(world, "")
    node = _reward_node(world)
    node.max_gas_price = 5_000_000
    node.work.reward_errors = 1


@scenario("tickets-expiring", "gas costs more than the redeemer may pay: tickets run out", LATE)
def _tickets_expiring(world: World) -> None:
    redeemer = world.nodes["redeemer"]
    redeemer.max_gas_price = 5_000_000
    number = _current_round(world)
    for behind, count in ((2, 1), (1, 6), (0, 3)):
        came = world.now - 3_600.0 * (20 * behind + 2)
        for place in range(count):
            redeemer.queue.add(WinningTicket(number - behind, FACE, came + 60.0 * place))
    redeemer.work.redemption_errors = 41


@scenario("gateway-reserve-low", "a gateway's deposit and reserve are nearly used up")
def _gateway_reserve_low(world: World) -> None:
    world.ledger.deposits[world.signer("gateway")] = (4 * 10**15, 12 * 10**15)


@scenario("service-uri-mismatch", "the address on chain is not the one the balancer serves")
def _service_uri_mismatch(world: World) -> None:
    registered(world).service_uri = "https://old.demo.example:8935"


@scenario("stake-margin", "the orchestrator is one place from the end of a full pool")
def _stake_margin(world: World) -> None:
    registered(world).stake = OTHERS[-1][1] * 102 // 100


@scenario("slashed", "the orchestrator was slashed and leaves the pool")
def _slashed(world: World) -> None:
    record = registered(world)
    slash(world.ledger, record, record.stake // 4, world.l2_block - 900)


@scenario("unit-failed", "a transcoder's unit failed after a row of restarts")
def _unit_failed(world: World) -> None:
    machine = _gpu_host(world, 2)
    stop(world, machine, "livepeer-transcoder.service", failed=True)
    unit = machine.units["livepeer-transcoder.service"]
    unit.restarts, unit.result = 5, "start-limit-hit"
    for node in world.nodes.values():
        node.links = [link for link in node.links if world.nodes[link.node].running]


@scenario("disk-full", "the data disk of an Arbitrum node is nearly full")
def _disk_full(world: World) -> None:
    disk = next(disk for disk in world.machines["nitro-2"].disks if disk.path == "/data")
    disk.used = int((disk.size - disk.size // 20) * 0.985)


@scenario("clock-skew", "a host's clock is seven seconds ahead")
def _clock_skew(world: World) -> None:
    machine = world.machines["orch-1"]
    machine.clock_offset, machine.synchronised = 7.2, False


@scenario("cli-exposed", "a redeemer's unauthenticated API listens on every interface")
def _cli_exposed(world: World) -> None:
    node = world.nodes["redeemer"]
    node.cli_address = "*"
    machine = world.machines[node.host]
    unit = machine.units[node.unit]
    unit.listens = node.listens
    machine.processes[unit.pid or 0].argv = node.argv()
    for socket in machine.listeners:
        if socket.pid == unit.pid and socket.port == node.cli_port:
            socket.address = node.cli_address


@scenario("keystore-open", "every user of a host can read the key that reward is called with")
def _keystore_open(world: World) -> None:
    world.machines[_reward_node(world).host].keystore_modes = (0o755, 0o644)


@scenario("standby-keyless", "the stand-by of the reward service has never got its key")
def _standby_keyless(world: World) -> None:
    node = world.nodes["reward-standby"]
    world.machines[node.host].keyless = frozenset({node.unit})


@scenario("redeemer-gone", "the redeemer is gone: no orchestrator gets its winning tickets cashed")
def _redeemer_gone(world: World) -> None:
    node = world.nodes["redeemer"]
    stop(world, world.machines[node.host], node.unit, failed=True)


@scenario("transcoders-missing", "an orchestrator has lost a transcoder that still runs")
def _transcoders_missing(world: World) -> None:
    link = world.nodes["orch-1"].links.pop()
    world.nodes[link.node].rejected = True


@scenario("hostile", "every text from outside is markup, escape sequences and garbage")
def _hostile(world: World) -> None:
    world.say = garble


@scenario("flaky", "hosts drop connections, answer late, and cut their answers short")
def _flaky(world: World) -> None:
    _gpu_host(world, 1).reach = "slow"
    _gpu_host(world, 2).reach = "dropping"
    world.rpcs["nitro-2"].fault = "truncated"
    world.nodes["orch-2"].cli = "drop"
    world.nodes["orch-3"].cli = "html"


from lptui.sim import (  # noqa: E402 (they register with what stands above)
    caller_scenarios,  # noqa: F401
    upkeep_scenarios,  # noqa: F401
)
