"""`--when-safe`: what must hold for a node to be taken away at this moment. Pure.

No reward of the round that it still has to call, the round's end not near, no sessions that
cannot be led away, and all of it known: what is old or unread is not safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from lptui.actions.moves import sessions
from lptui.actions.plan import Precondition, Request
from lptui.fleet.callers import calls_by_itself, reward_callers
from lptui.fleet.chains import of_the_past
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, SignerAccount
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Node, Orchestrator, Role
from lptui.text import plural

YES: Final = "yes"
_WAIT: Final = "wait for it (--within), or call reward first"
_OF_SESSIONS: Final = frozenset({Role.ORCHESTRATOR, Role.TRANSCODER, Role.GATEWAY})


def is_asked(request: Request) -> bool:
    """Whether the operator wants it done only when it is safe."""
    return request.option("when-safe") == YES


def conditions(
    snapshot: Snapshot, nodes: Sequence[Node], request: Request, drained: Iterable[str]
) -> list[Precondition]:
    """All that must hold; `drained` are the nodes whose traffic the plan leads away first."""
    return [
        *_window(snapshot),
        *_late(request),
        *(
            condition
            for node in nodes
            if node.name not in drained
            for condition in _no_sessions(snapshot, node)
        ),
        *of_chain(snapshot, nodes),
    ]


def of_chain(snapshot: Snapshot, nodes: Sequence[Node]) -> list[Precondition]:
    """What the round has to say, of those nodes that the chain's work depends on."""
    of_work = with_chain(snapshot, nodes)
    return of_round(snapshot, of_work, needed(snapshot, of_work)) if of_work else []


def with_chain(snapshot: Snapshot, nodes: Sequence[Node]) -> list[Node]:
    """Those of the nodes that have to do with the chain."""
    if snapshot.fleet.chain is None:
        return []
    return [node for node in nodes if node.roles != {Role.TRANSCODER}]


def needed(snapshot: Snapshot, nodes: Sequence[Node]) -> dict[str, list[str]]:
    """The orchestrators whose reward calls depend on some of the nodes, with these."""
    chain = snapshot.fleet.chain
    found = (
        {one.name: needs_reward(snapshot, one, nodes) for one in chain.orchestrators}
        if chain
        else {}
    )
    return {name: names for name, names in found.items() if names}


def of_round(
    snapshot: Snapshot, nodes: Sequence[Node], waiting: Mapping[str, Sequence[str]]
) -> list[Precondition]:
    """The same for orchestrators that are known to wait for nodes."""
    chain = snapshot.fleet.chain
    if chain is None:
        return []
    clock = snapshot.fresh(ChainRound, chain.network)
    old = of_the_past(snapshot)
    if clock is None or old is not None:
        problem = snapshot.reading(ChainRound, chain.network).problem
        why = (
            "the endpoint's head is old" if old is not None else str(problem or "read too long ago")
        )
        return [Precondition("the round is known", None, why, "see the RPC endpoint's findings")]
    return [
        _far_from_the_end(snapshot, clock),
        *_rewards_called(snapshot, chain, clock, waiting),
        *(one for node in nodes for one in _account_known(snapshot, node)),
    ]


def needs_reward(snapshot: Snapshot, registered: Orchestrator, nodes: Sequence[Node]) -> list[str]:
    """Which of the nodes an orchestrator's next reward call depends on: who calls, and its RPC.

    A node that has not said with which account it acts is one where the configuration names it.
    """
    record = snapshot.fresh(OrchestratorRecord, registered.name)
    callers = reward_callers(snapshot, registered, record)
    active = [
        caller.node.name
        for place, caller in enumerate(callers)
        if place == 0 or calls_by_itself(snapshot, caller) is not False
    ]
    if registered.reward_caller is not None:
        active.append(registered.reward_caller)
    rpcs = {snapshot.fleet.nodes[name].rpc for name in active if name in snapshot.fleet.nodes}
    serving = {rpc.node for name, rpc in snapshot.fleet.rpcs.items() if name in rpcs}
    return [node.name for node in nodes if node.name in active or node.name in serving]


def _window(snapshot: Snapshot) -> Iterator[Precondition]:
    """Only told when it holds: that now is outside of all is found for every change."""
    windows = snapshot.fleet.guards.windows
    inside = next((one for one in windows if one.holds(snapshot.taken_at)), None)
    if inside is not None:
        yield Precondition("inside a maintenance window", True, str(inside))
    elif not windows:
        told = "the configuration has none (guards.windows): at any time"
        yield Precondition("inside a maintenance window", True, told)


def _late(request: Request) -> Iterator[Precondition]:
    late = request.option("late", sessions.STOP)
    if late != sessions.STOP:
        why = f"--late {late} does not wait for them"
        yield Precondition("sessions end first", False, why, "leave out --late")


def _no_sessions(snapshot: Snapshot, node: Node) -> Iterator[Precondition]:
    if not node.roles & _OF_SESSIONS:
        return
    name = f"{node.name} has no sessions"
    metrics = snapshot.fresh(NodeMetrics, node.name)
    count = metrics.current_sessions if metrics is not None else None
    source = "its metrics"
    if count is None and Role.ORCHESTRATOR not in node.roles:
        gpus = snapshot.fresh(HostGpus, node.host)
        cards = [card.encoder_sessions for card in gpus.gpus] if gpus is not None else []
        if cards and None not in cards:
            count, source = sum(card or 0 for card in cards), f"encoder sessions on {node.host}"
    if count is None:
        why = "neither its metrics nor its GPUs tell"
        yield Precondition(name, None, why, "start it with -monitor")
        return
    remedy = "drain it first, or wait (--within)" if count else ""
    yield Precondition(name, not count, f"{plural(count, 'session')}, by {source}", remedy)


def _far_from_the_end(snapshot: Snapshot, clock: ChainRound) -> Precondition:
    margin = snapshot.fleet.guards.safe_blocks
    left = clock.blocks_left
    told = f"{plural(left, 'L1 block')} left of round {clock.round}, at least {margin} wanted"
    return Precondition("the round's end is not near", left >= margin, told, _WAIT)


def _rewards_called(
    snapshot: Snapshot,
    chain: Chain,
    clock: ChainRound,
    waiting: Mapping[str, Sequence[str]],
) -> Iterator[Precondition]:
    for registered in chain.orchestrators:
        if registered.name not in waiting:
            continue
        name = f"{registered.name}'s reward of the round is called"
        record = snapshot.fresh(OrchestratorRecord, registered.name)
        if record is None:
            why = str(snapshot.reading(OrchestratorRecord, registered.name).problem or "old")
            yield Precondition(name, None, why, "see the RPC endpoint's findings")
        elif not record.active:
            yield Precondition(name, True, "it is not active: there is none to call")
        elif record.last_reward_round < clock.round:
            told = f"last called in round {record.last_reward_round}, now is {clock.round}"
            told += "" if clock.initialized else ", which nobody has initialised"
            yield Precondition(
                name, False, f"{told}; it needs {', '.join(waiting[registered.name])}", _WAIT
            )
        else:
            yield Precondition(name, True, f"called in round {record.last_reward_round}")


def _account_known(snapshot: Snapshot, node: Node) -> Iterator[Precondition]:
    """That none is pending is looked at for every restart, of accounts that were read."""
    watched = {signer.address for signer in snapshot.fleet.signers}
    if node.account is None or node.account not in watched:
        return
    if snapshot.fresh(SignerAccount, node.account) is None:
        why = str(snapshot.reading(SignerAccount, node.account).problem or "read too long ago")
        name = f"{node.name}'s transactions are known"
        yield Precondition(name, None, why, "see the RPC endpoint's findings")
