"""What the fleet's processes do on the chain by themselves: initialise, reward, redeem."""

from __future__ import annotations

from lptui.fleet.topology import Role
from lptui.fleet.units import Address, format_gwei
from lptui.sim.world.ledger import RevertError, Transaction, demo_address, demo_hash
from lptui.sim.world.livepeer import LivepeerProcess
from lptui.sim.world.tickets import WinningTicket
from lptui.sim.world.watch import block_of
from lptui.sim.world.world import World

REDEMPTION_GAS = 412_000
FACE = 2_900_000_000_000_000
VALID_ROUNDS = 2
STRANGER = "stranger"
PAYER = demo_address("gateway-1")
PAST_ROUNDS = 3
PAST_EVERY = 97
"""L1 blocks from one ticket of the past to the next."""


def run_services(world: World, seconds: float) -> None:
    """Mines what is due, starts rounds, lets the reward service react, redeems tickets."""
    ledger = world.ledger
    block = ledger.timeline.l2_at(world.now)
    ledger.mine(block, world.now)
    _initialise(world, block)
    _reward(world, block)
    _redeem(world, seconds)


def _initialise(world: World, block: int) -> None:
    """A few blocks into an uninitialised round somebody initialises it."""
    ledger = world.ledger
    number = ledger.round_at(block)
    if ledger.last_initialised(block) == number:
        return
    into = ledger.timeline.l1_at_l2(block) - ledger.rounds.start_of(number)
    if into < 4 + number % 5 or _pending(world, "initialize"):
        return
    ours = next(
        (n for n in world.with_role(Role.ROUND_INITIALISER) if n.running and n.initialises), None
    )
    if ours is not None and ours.account is not None and ours.stalled_at is None:
        ledger.send("initialize", ours.account, None, world.now + 1.5)
    elif world.others_initialise:
        ledger.record_round(number, block, f"0x{number:064x}")


def _pending(world: World, kind: str) -> Transaction | None:
    """The newest transaction of a kind if it is not mined yet."""
    newest = next(reversed(world.ledger.transactions.values()), None)
    if newest is None or newest.block is not None or newest.kind != kind:
        return None
    return newest


def _reward(world: World, block: int) -> None:
    """The reward service: one try after each NewRound that its watcher saw, and no other."""
    ledger = world.ledger
    seen = ledger.last_initialised(block)
    waiting = [n for n in world.nodes.values() if n.reward_service and n.round_seen != seen]
    if not waiting:
        return
    since = next(at for at, number in reversed(ledger.initialised) if number == seen)
    for node in waiting:
        if block - since < 20 or not node.running or block_of(world, node) < since:
            continue
        node.round_seen = node.reward_tried = seen
        try:
            send_reward(world, node, fault=node.reward_fault, seconds=2.0)
        except RevertError as refused:
            node.work.reward_errors += 1
            node.failed_tries.append((world.now, seen, str(refused)))


def send_reward(world: World, node: LivepeerProcess, *, fault: str, seconds: float) -> Transaction:
    """Sends a node's reward call; raises RevertError with what go-livepeer would report."""
    ledger = world.ledger
    if fault:
        raise RevertError(fault)
    account = node.account
    if account is None:
        raise RevertError("missing ETH client")
    target = _reward_target(world, node, account)
    ledger.check_reward(target, world.step_block)
    check_gas_cap(world, node)
    if ledger.accounts[account].balance < ledger.gas_price * 600_000:
        raise RevertError("insufficient funds for gas * price + value")
    if ledger.accounts[account].stuck:
        raise RevertError("nonce too low")
    return ledger.send("reward", account, target, world.now + seconds)


def _reward_target(world: World, node: LivepeerProcess, account: Address) -> Address:
    """The orchestrator that a call is for: its own, or the one that authorised the account."""
    if node.recipient is None or node.recipient == account:
        return account
    record = world.ledger.registered.get(node.recipient)
    if record is not None and record.reward_caller == account:
        return node.recipient
    return account


def check_gas_cap(world: World, node: LivepeerProcess) -> None:
    """Raises RevertError when the price of gas is above what the node may pay."""
    cap, price = node.max_gas_price, world.ledger.gas_price
    if cap is not None and price > cap:
        shown = (format_gwei(cap)[:-5], format_gwei(price)[:-5])
        raise RevertError(
            f"current gas price exceeds maximum gas price max={shown[0]} GWei "
            f"current={shown[1]} GWei"
        )


def send_initialise(world: World, node: LivepeerProcess) -> Transaction:
    """Sends a node's initializeRound; raises RevertError with what it would report."""
    ledger = world.ledger
    if node.account is None:
        raise RevertError("missing ETH client")
    ledger.check_initialise(world.step_block)
    check_gas_cap(world, node)
    return ledger.send("initialize", node.account, None, world.now + 2.5)


def send_caller(world: World, node: LivepeerProcess, caller: Address | None) -> Transaction:
    """Sends a node's setRewardCaller; raises RevertError with what it would report."""
    ledger = world.ledger
    if node.account is None:
        raise RevertError("missing ETH client")
    ledger.check_running()
    check_gas_cap(world, node)
    return ledger.send("caller", node.account, caller, world.now + 2.0)


def _redeem(world: World, seconds: float) -> None:
    """Now and then a ticket wins; the redeemer pays gas and the orchestrator earns fees."""
    if world.rng.random() > seconds / 14.0:
        return
    redeemer = next((n for n in world.with_role(Role.REDEEMER) if n.running), None)
    winners = [n for n in world.with_role(Role.ORCHESTRATOR) if n.running and n.sessions]
    if redeemer is None or redeemer.account is None or not winners:
        return
    number = world.ledger.round_at(world.step_block)
    world.rng.choice(winners).work.winning += 1
    redeemer.queue.add(WinningTicket(number, FACE, world.now))
    for ticket in redeemer.queue.waiting(number - VALID_ROUNDS + 1):
        if not _redeem_one(world, redeemer, redeemer.account, ticket):
            redeemer.work.redemption_errors += 1
            return


def _redeem_one(
    world: World, redeemer: LivepeerProcess, sender: Address, ticket: WinningTicket
) -> bool:
    """Redeems a ticket; False when the node cannot, or may not pay the gas."""
    account, price = world.ledger.accounts[sender], world.ledger.gas_price
    cost = REDEMPTION_GAS * price
    capped = redeemer.max_gas_price is not None and price > redeemer.max_gas_price
    if capped or account.stuck or account.balance < cost * 2:
        return False
    account.balance -= cost
    account.nonce += 1
    ticket.redeemed = world.now
    redeemer.work.redeemed_gwei += ticket.face / 1e9
    record = world.ledger.registered.get(redeemer.recipient or sender)
    if record is not None:
        record.pending_fees += ticket.face
        tx = demo_hash("redeem", sender, account.nonce)
        world.ledger.record_redemption(PAYER, record.address, ticket.face, world.step_block, tx)
    return True


def redeem_past(world: World) -> None:
    """The tickets that won and were redeemed in the last rounds, before the simulation began."""
    redeemer = next(iter(world.with_role(Role.REDEEMER)), None)
    if redeemer is None or redeemer.recipient is None:
        return
    ledger = world.ledger
    now = ledger.timeline.l1_at_l2(world.l2_block)
    first = ledger.rounds.start_of(ledger.rounds.round_at(now) - PAST_ROUNDS)
    for place in range(first + PAST_EVERY, now - PAST_EVERY, PAST_EVERY):
        block = ledger.timeline.l2_of_l1(place)
        when = ledger.timeline.time_of_l2(block)
        redeemer.queue.add(WinningTicket(ledger.round_at(block), FACE, when - 30.0, when))
        tx = demo_hash("redeem", place)
        ledger.record_redemption(PAYER, redeemer.recipient, FACE, block, tx)
