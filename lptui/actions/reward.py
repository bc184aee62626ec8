"""Action `reward`: an orchestrator's reward for the current round, proved on the chain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lptui.actions import sender
from lptui.actions.plan import Cost, Lock, Plan, Precondition, Request, Result, Step
from lptui.actions.rehearsal import rehearse
from lptui.actions.spec import ActionSpec, Effect, Execution, Proof
from lptui.actions.transaction import Evidence, Route, send_and_watch
from lptui.errors import LptuiError
from lptui.fleet.callers import (
    Caller,
    orchestrator,
    reward_callers,
    served_by,
    unknown_nodes,
    works_for,
)
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, RewardEvent, RewardHistory
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.minting import Mint, mint_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Node, Orchestrator
from lptui.fleet.units import Address, format_units, short_address
from lptui.transport.protocols import Call

SPEC = ActionSpec(
    id="reward",
    title="Call reward",
    key="r",
    effect=Effect.WRITE,
    subject="orchestrator",
    help="sends this round's reward() through the node that holds the key, and proves it",
    probes=("node-status", "node-identity", "chain"),
    proof=("chain",),
)


class Reward:
    """See the module."""

    spec = SPEC

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        chain = snapshot.fleet.chain
        return tuple(item.name for item in chain.orchestrators) if chain else ()

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        return served_by(snapshot, node)

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        target = request.target
        chain = snapshot.fleet.chain
        registered = orchestrator(snapshot, target)
        if chain is None or registered is None:
            return _impossible(target, "the configuration names no such orchestrator")
        now = snapshot.fresh(ChainRound, chain.network)
        record = snapshot.fresh(OrchestratorRecord, target)
        callers = reward_callers(snapshot, registered, record)
        conditions = [*_on_chain(snapshot, chain, now, record, target)]
        gas = snapshot.fleet.thresholds.reward_gas
        callers = _ablest_first(snapshot, chain, callers, gas)
        conditions.append(_caller_found(snapshot, registered, record, callers))
        cost: Cost | None = None
        lock: Lock | None = None
        words = "unknown: no caller"
        facts: list[tuple[str, str]] = [("orchestrator", registered.address)]
        if now is not None:
            facts.append(("round", str(now.round)))
        steps: tuple[Step, ...] = ()
        if callers:
            caller = callers[0]
            conditions += _for_whom(snapshot, registered, caller)
            conditions += sender.preconditions(snapshot, chain, caller.node, caller.account, gas)
            cost = sender.cost(snapshot, chain, caller.node, gas)
            words = sender.cost_words(cost)
            lock = sender.lock(snapshot, caller.node, caller.account)
            facts += [("node", caller.node.name), ("account", caller.account)]
            steps = _steps(registered, caller)
        done, doubts = sender.done_now(snapshot, _done(now, record))
        mint = mint_of(chain, now, record)
        return Plan(
            action=SPEC.id,
            target=target,
            summary=_summary(registered, callers, now),
            steps=steps,
            preconditions=(*conditions, *doubts),
            cost=words,
            exact_cost=cost,
            lock=lock,
            effect=_effect(mint),
            facts=tuple(facts),
            warnings=(*_warnings(registered, callers), *_dear(cost, mint)),
            done=done,
        )

    async def execute(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Result:
        async def confirm(seen: Snapshot) -> Proof | None:
            return await self.prove(plan, seen, execution)

        fleet = snapshot.fleet
        chain = fleet.chain
        assert chain is not None  # noqa: S101 (it was planned)
        words = partial(_words, plan)
        evidence = Evidence(chain.network, confirm, _has_event, words)
        now = snapshot.fresh(ChainRound, chain.network)
        if now is not None:
            call = _call(plan, now)
            ended = await rehearse(plan, now.rpc, call, execution, evidence)
            if ended is not None:
                return ended
        route = Route(fleet.nodes[plan.fact("node")], "/reward")
        return await send_and_watch(plan, route, execution, evidence)

    async def prove(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Proof | None:
        chain = snapshot.fleet.chain
        record = snapshot.fresh(OrchestratorRecord, plan.target)
        now = snapshot.fresh(ChainRound, chain.network) if chain else None
        if record is None or now is None or record.last_reward_round < int(plan.fact("round")):
            return None
        called = ("lastRewardRound", str(record.last_reward_round))
        try:
            event = await _event(snapshot, plan.target, record, now, execution)
        except LptuiError as error:
            # The record is proof enough; its details are not worth a doubt.
            return (called, ("event", f"not read: {error}"))
        return (called, *_details(event))


def _call(plan: Plan, now: ChainRound) -> Call:
    """What the node will ask of the contract, to be tried out first."""
    from lptui.probes.chain import dry_run

    return dry_run.reward_call(
        now.contracts, Address(plan.fact("orchestrator")), Address(plan.fact("account"))
    )


def _impossible(target: str, why: str) -> Plan:
    condition = Precondition("orchestrator configured", False, why, "see chain.orchestrators")
    return Plan(SPEC.id, target, f"call reward for {target}", (), (condition,), "none", "none")


def _on_chain(
    snapshot: Snapshot,
    chain: Chain,
    now: ChainRound | None,
    record: OrchestratorRecord | None,
    target: str,
) -> tuple[Precondition, ...]:
    """What the contract itself demands: it reverts otherwise."""
    if now is None or record is None:
        clock = snapshot.reading(ChainRound, chain.network)
        why = sender.why_unread(snapshot, clock, snapshot.reading(OrchestratorRecord, target))
        return (Precondition("chain read", None, why, "see the sync pane"),)
    ends = "never" if record.deactivation_round is None else str(record.deactivation_round)
    return (
        Precondition("protocol not paused", not now.paused, f"Controller.paused is {now.paused}"),
        Precondition(
            "round initialised",
            now.initialized,
            f"round {now.round}, last initialised {now.last_initialized}",
            "" if now.initialized else "initialise the round first (key i)",
        ),
        Precondition(
            "orchestrator active",
            record.active,
            f"active from round {record.activation_round}, until {ends}",
            "" if record.active else "only an active orchestrator can call reward",
        ),
    )


def _ablest_first(
    snapshot: Snapshot, chain: Chain, callers: Sequence[Caller], gas: int
) -> tuple[Caller, ...]:
    """Those that can send it now before those that cannot, else as they were."""

    def unable(caller: Caller) -> bool:
        conditions = sender.preconditions(snapshot, chain, caller.node, caller.account, gas)
        return any(condition.met is not True for condition in conditions)

    return tuple(sorted(callers, key=unable))


def _caller_found(
    snapshot: Snapshot,
    registered: Orchestrator,
    record: OrchestratorRecord | None,
    callers: Sequence[Caller],
) -> Precondition:
    name = "a node of the fleet holds the key"
    if callers:
        caller = callers[0]
        how = "delegated caller" if caller.delegated else "registered key"
        return Precondition(name, True, f"{caller.node.name}: {how} {caller.account}")
    wanted = [registered.address]
    if record is not None and record.reward_caller:
        wanted.append(record.reward_caller)
    silent = unknown_nodes(snapshot)
    if silent:
        first = next((n for n in silent if n.name == registered.reward_caller), silent[0])
        why = sender.why_unread(snapshot, snapshot.reading(NodeIdentity, first.name))
        others = f" (and {len(silent) - 1} more)" if len(silent) > 1 else ""
        evidence = f"not known of {first.name}{others}: {why}"
        return Precondition(name, None, evidence, "see the node's own findings")
    return Precondition(
        name,
        False,
        f"no node acts with {' or '.join(short_address(item) for item in wanted)}",
        "start the reward node, or check its keystore (-ethAcctAddr)",
    )


def _for_whom(
    snapshot: Snapshot, registered: Orchestrator, caller: Caller
) -> tuple[Precondition, ...]:
    """A delegate's node must be known to call for this orchestrator, and for no other one."""
    if not caller.delegated:
        return ()
    name, node = "the node calls for this orchestrator", caller.node.name
    if works_for(snapshot, caller.node, registered):
        return (Precondition(name, True, f"{node} works for {registered.address}"),)
    why = f"{node} is not declared to work for it, and its -ethOrchAddr is not seen"
    remedy = f"say `orchestrator: {registered.name}` of {node} in the configuration"
    return (Precondition(name, None, why, remedy),)


def _steps(registered: Orchestrator, caller: Caller) -> tuple[Step, ...]:
    return (
        Step(
            title="call reward",
            target=caller.node.name,
            call=sender.call_words(caller.node, "/reward"),
            postcondition="the node replies that its transaction was mined",
            deadline_s=600.0,
            undo="a mined reward cannot be undone, and need not be",
        ),
        Step(
            title="verify on the chain",
            target=registered.name,
            call=f"BondingManager.getTranscoder({registered.address}) and its Reward event",
            postcondition="lastRewardRound equals the current round; the event names amount and tx",
            deadline_s=600.0,
            undo="reads only",
        ),
    )


def _summary(registered: Orchestrator, callers: Sequence[Caller], now: ChainRound | None) -> str:
    through = f"{callers[0].node.name} on {callers[0].node.host}" if callers else "nobody"
    number = now.round if now else "?"
    return f"call reward for {registered.name} in round {number} through {through}"


def _warnings(registered: Orchestrator, callers: Sequence[Caller]) -> tuple[str, ...]:
    holders = [caller.node.name for caller in callers if not caller.delegated]
    if len(holders) > 1:
        return (f"{len(holders)} nodes hold the registered key: {', '.join(holders)}",)
    return ()


def _effect(mint: Mint | None) -> str:
    """What a call brings, beside which stands what it costs."""
    amount = str(mint) if mint is not None else "an amount that is not known (chain not read)"
    return f"one transaction; it mints {amount} to the orchestrator and its delegators"


def _dear(cost: Cost | None, mint: Mint | None) -> tuple[str, ...]:
    """A small stake may earn less than its call costs; an unused reward is lost all the same."""
    if cost is None or mint is None or mint.worth is None or cost.likely <= mint.worth:
        return ()
    return ("the call costs more than it mints, at the configured price of LPT",)


def _done(now: ChainRound | None, record: OrchestratorRecord | None) -> str:
    if now is None or record is None or not now.initialized:
        return ""
    return f"already called in round {now.round}" if record.last_reward_round >= now.round else ""


async def _event(
    snapshot: Snapshot,
    target: str,
    record: OrchestratorRecord,
    now: ChainRound,
    execution: Execution,
) -> RewardEvent | None:
    """The event of the record's last reward round: from the history, else asked for."""
    history = snapshot.value(RewardHistory, target)
    event = history.event_of(record.last_reward_round) if history else None
    if event is not None:
        return event
    from lptui.probes.chain.reward_event import find_reward_event

    rpc = execution.reach.rpc(now.rpc)
    begun = (now.contracts.rounds_manager, record.last_reward_round)
    manager = now.contracts.bonding_manager
    return await find_reward_event(rpc, manager, record.address, now.head, begun=begun)


def _details(event: RewardEvent | None) -> Proof:
    if event is None:
        return (("event", "no Reward event of this round in the newest blocks"),)
    caller = (("caller", event.caller),) if event.caller else ()
    return (
        ("tx", event.tx),
        ("block", str(event.block)),
        ("amount", f"{format_units(event.amount, 6)} LPT"),
        ("amount_lptu", str(event.amount)),
        *caller,
    )


def _has_event(proof: Proof) -> bool:
    return "tx" in dict(proof)


def _words(plan: Plan, proof: Proof) -> str:
    found = dict(proof)
    number, meant = found["lastRewardRound"], plan.fact("round")
    late = f" (the plan was for round {meant})" if number != meant else ""
    where = f", {found['amount']}, tx {found['tx']}" if "tx" in found else ""
    return f"reward called in round {number}{late}{where}"
