"""What keeps an orchestrator's reward from being called, as a snapshot shows it. Pure.

Only what fresh readings say: each of these can explain a miss later, when it is too late to ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.errors import ProblemKind
from lptui.fleet.callers import Caller, reward_callers
from lptui.fleet.duty import rest
from lptui.fleet.facts.chain import ChainRound, GasPrices, OrchestratorRecord, SignerAccount
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.facts.reward import Hindrance, NodeRewardLog
from lptui.fleet.reading import Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Orchestrator
from lptui.fleet.units import Address, Round, format_gwei, format_units, short_address

Found = tuple[Hindrance, str]

_DOWN: Final = frozenset(
    {
        ProblemKind.TIMEOUT,
        ProblemKind.REFUSED,
        ProblemKind.UNREACHABLE,
        ProblemKind.DISCONNECTED,
        ProblemKind.HTTP_PROTOCOL,
    }
)


def expected_callers(snapshot: Snapshot, registered: Orchestrator) -> tuple[Node, ...]:
    """The nodes that may call reward for an orchestrator, as far as anything tells.

    Those that act with such a key, and those that the configuration says do.
    """
    record = last_of(snapshot.reading(OrchestratorRecord, registered.name))
    names = [
        caller.node.name
        for caller in reward_callers(snapshot, registered, record)
        if not rest(snapshot, caller.node)
    ]
    configured = [registered.reward_caller] if registered.reward_caller else []
    configured += [
        node.name for node in snapshot.fleet.nodes.values() if node.account == registered.address
    ]
    nodes = snapshot.fleet.nodes
    names += [name for name in configured if name in nodes and not rest(snapshot, nodes[name])]
    return tuple(nodes[name] for name in dict.fromkeys(names))


def last_of(reading: Reading[OrchestratorRecord]) -> OrchestratorRecord | None:
    """A record's value, or the last that it had."""
    return reading.value or (reading.last_good.value if reading.last_good else None)


def hindrances(
    snapshot: Snapshot, registered: Orchestrator, caller_before: Address | None = None
) -> Iterator[Found]:
    """Each hindrance once, with what was seen of it.

    `caller_before`: the authorised caller as it was read last, to tell that it was revoked.
    """
    chain = snapshot.fleet.chain
    clock = snapshot.fresh(ChainRound, chain.network) if chain else None
    record = snapshot.fresh(OrchestratorRecord, registered.name)
    if clock is not None and record is not None:
        yield from _on_chain(clock, record)
        if caller_before is not None and record.reward_caller != caller_before:
            now = short_address(record.reward_caller) if record.reward_caller else "nobody"
            yield (
                Hindrance.REVOKED,
                f"the authorised caller {short_address(caller_before)} was replaced by {now}",
            )
    yield from _of_callers(snapshot, registered, record)


def _on_chain(clock: ChainRound, record: OrchestratorRecord) -> Iterator[Found]:
    if clock.paused:
        yield Hindrance.PAUSED, "the protocol was paused"
    if not clock.initialized:
        share = 100 * clock.blocks_into // clock.length
        yield (
            Hindrance.NOT_INITIALIZED,
            f"the round was not initialised {clock.blocks_into} of {clock.length} blocks "
            f"({share} %) into it",
        )
    if not record.registered:
        yield Hindrance.INACTIVE, "the orchestrator was not registered"
    elif not record.active:
        yield Hindrance.INACTIVE, "the orchestrator was not in the active set"


def _of_callers(
    snapshot: Snapshot, registered: Orchestrator, record: OrchestratorRecord | None
) -> Iterator[Found]:
    callers = [
        caller
        for caller in reward_callers(snapshot, registered, record)
        if snapshot.fresh(NodeIdentity, caller.node.name) is not None
    ]
    short = [text for caller in callers for text in _short_of_eth(snapshot, caller)]
    if short:
        yield Hindrance.SHORT_OF_ETH, "; ".join(short)
    capped = [text for caller in callers for text in _gas_cap(snapshot, caller)]
    if capped:
        yield Hindrance.GAS_ABOVE_CAP, "; ".join(capped)
    nodes = expected_callers(snapshot, registered)
    down = [text for node in nodes for text in _is_down(snapshot, node)]
    if down:
        yield Hindrance.NODE_DOWN, "; ".join(down)
    stalled = [text for node in nodes for text in _watcher(snapshot, node)]
    if stalled:
        yield Hindrance.WATCHER_STALLED, "; ".join(stalled)
    if record is not None and not callers:
        told = {node.name: snapshot.fresh(NodeIdentity, node.name) for node in nodes}
        if None not in told.values():
            acting = "; ".join(
                f"{name} acted as {short_address(who.account or 'nobody')}"
                for name, who in told.items()
                if who is not None
            )
            text = "no node of the fleet held a key that may call"
            yield Hindrance.NO_CALLER, f"{text}: {acting}" if acting else text


def _short_of_eth(snapshot: Snapshot, caller: Caller) -> Iterator[str]:
    chain = snapshot.fleet.chain
    account = snapshot.fresh(SignerAccount, caller.account)
    prices = snapshot.fresh(GasPrices, chain.network) if chain else None
    if account is None or prices is None:
        return
    needed = prices.gas_price * snapshot.fleet.thresholds.reward_gas
    if account.balance < needed:
        have, cost = format_units(account.balance, 6), format_units(needed, 6)
        yield f"{caller.node.name} had {have} ETH, a call cost about {cost}"


def _gas_cap(snapshot: Snapshot, caller: Caller) -> Iterator[str]:
    chain = snapshot.fleet.chain
    identity = caller.identity.value
    prices = snapshot.fresh(GasPrices, chain.network) if chain else None
    if identity is None or prices is None or not identity.max_gas_price:
        return
    if prices.gas_price > identity.max_gas_price:
        price, cap = format_gwei(prices.gas_price), format_gwei(identity.max_gas_price)
        yield f"gas at {price} was above {caller.node.name}'s cap of {cap}"


def _is_down(snapshot: Snapshot, node: Node) -> Iterator[str]:
    problem = snapshot.reading(NodeStatus, node.name).problem
    if problem is not None and problem.kind in _DOWN:
        yield f"{node.name} did not answer ({problem.kind.value})"


def _watcher(snapshot: Snapshot, node: Node) -> Iterator[str]:
    chain = snapshot.fleet.chain
    clock = snapshot.fresh(ChainRound, chain.network) if chain else None
    seen = snapshot.fresh(NodeBlock, node.name)
    if clock is None or clock.head is None or seen is None:
        return
    behind = clock.head - seen.block
    if behind > snapshot.fleet.thresholds.watcher_lag_blocks:
        yield f"{node.name}'s block watcher was {behind} blocks behind"


def failed_calls(snapshot: Snapshot, registered: Orchestrator) -> dict[str, int]:
    """Each caller's counter of failed automatic calls, where it is known."""
    found = {}
    for node in expected_callers(snapshot, registered):
        metrics = snapshot.fresh(NodeMetrics, node.name)
        if metrics is not None and metrics.monitored:
            found[node.name] = metrics.reward_errors
    return found


def logged_failures(snapshot: Snapshot, registered: Orchestrator, number: Round) -> str:
    """Why the callers' own tries failed in a round, by their logs; "" when none tells."""
    told = []
    for node in expected_callers(snapshot, registered):
        log = snapshot.fresh(NodeRewardLog, node.name)
        tries = [one for one in log.tries if one.round == number and not one.called] if log else []
        if tries:
            told.append(f"{node.name}'s log: {tries[-1].why or 'the call failed'}")
    return "; ".join(told)
