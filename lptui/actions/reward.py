"""Action `reward`: an orchestrator's reward for the current round, proved on the chain."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.actions import sender
from lptui.actions.plan import Outcome, Plan, Precondition, Result, Step
from lptui.actions.replies import Verdict, understand
from lptui.actions.spec import ActionSpec, Effect, Execution, Proof
from lptui.actions.transaction import Route, send_and_watch
from lptui.errors import LptuiError
from lptui.fleet.callers import Caller, orchestrator, reward_callers
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, RewardEvent, RewardHistory
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Orchestrator
from lptui.fleet.units import Address, format_units, short_address

SPEC = ActionSpec(
    id="reward",
    title="Call reward",
    key="r",
    effect=Effect.WRITE,
    subject="orchestrator",
    help="sends this round's reward() through the node that holds the key, and proves it",
    probes=("node-status", "node-identity", "chain"),
)


class Reward:
    """See the module."""

    spec = SPEC

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        chain = snapshot.fleet.chain
        return tuple(item.name for item in chain.orchestrators) if chain else ()

    def plan(self, snapshot: Snapshot, target: str) -> Plan:
        chain = snapshot.fleet.chain
        registered = orchestrator(snapshot, target)
        if chain is None or registered is None:
            return _impossible(target, "the configuration names no such orchestrator")
        now = snapshot.fresh(ChainRound, chain.network)
        record = snapshot.fresh(OrchestratorRecord, target)
        callers = reward_callers(snapshot, registered, record)
        conditions = [*_on_chain(snapshot, chain, now, record, target)]
        conditions.append(_caller_found(registered, record, callers))
        gas = snapshot.fleet.thresholds.reward_gas
        cost = "unknown: no caller"
        facts: list[tuple[str, str]] = [("orchestrator", registered.address)]
        if now is not None:
            facts.append(("round", str(now.round)))
        steps: tuple[Step, ...] = ()
        if callers:
            caller = callers[0]
            conditions += sender.preconditions(snapshot, chain, caller.node, caller.account, gas)
            cost = sender.cost_words(snapshot, chain, caller.node, gas)
            facts += [("node", caller.node.name), ("account", caller.account)]
            steps = _steps(registered, caller)
        return Plan(
            action=SPEC.id,
            target=target,
            summary=_summary(registered, callers, now),
            steps=steps,
            preconditions=tuple(conditions),
            cost=cost,
            effect="one transaction; this round's reward is minted to the orchestrator's stake",
            facts=tuple(facts),
            warnings=_warnings(registered, callers),
            done=_done(now, record),
        )

    async def execute(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Result:
        node = snapshot.fleet.nodes[plan.fact("node")]
        refusal = await self._try_out(plan, snapshot, execution)
        if refusal is not None:
            return refusal

        async def confirm(seen: Snapshot) -> Proof | None:
            return await self.prove(plan, seen, execution)

        return await send_and_watch(plan, Route(node, "/reward"), execution, confirm, _words)

    async def _try_out(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Result | None:
        """Asks the contract first, which costs nothing; None when it would accept the call.

        Where the endpoint cannot tell, the call goes on: the node asks the contract as well.
        """
        chain = snapshot.fleet.chain
        now = snapshot.fresh(ChainRound, chain.network) if chain else None
        if now is None:
            return None
        from lptui.probes.chain import dry_run

        call = dry_run.reward_call(
            now.contracts, Address(plan.fact("orchestrator")), Address(plan.fact("account"))
        )
        try:
            said = await dry_run.dry_run(execution.reach.rpc(now.rpc), call)
        except LptuiError as error:
            execution.progress(f"could not try the call out: {error}")
            return None
        if not said:
            return None
        reply = understand(500, said)
        if reply.verdict is Verdict.ALREADY:
            # Somebody was faster: the record shows it with the next block that we see.
            return None
        return Result(
            plan, Outcome.REFUSED, f"the contract would refuse: {said}", remedy=reply.remedy
        )

    async def prove(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Proof | None:
        chain = snapshot.fleet.chain
        record = snapshot.fresh(OrchestratorRecord, plan.target)
        now = snapshot.fresh(ChainRound, chain.network) if chain else None
        if record is None or now is None or record.last_reward_round < int(plan.fact("round")):
            return None
        proof: list[tuple[str, str]] = [("lastRewardRound", str(record.last_reward_round))]
        event = await _event(snapshot, plan.target, record, now, execution)
        if event is not None:
            proof += [
                ("tx", event.tx),
                ("block", str(event.block)),
                ("amount", f"{format_units(event.amount, 6)} LPT"),
            ]
            if event.caller:
                proof.append(("caller", event.caller))
        return tuple(proof)


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
    round_problem = snapshot.reading(ChainRound, chain.network).problem
    record_problem = snapshot.reading(OrchestratorRecord, target).problem
    unread = f"chain not read: {round_problem or record_problem or 'the reading is too old'}"
    if now is None or record is None:
        return (Precondition("chain read", None, unread, "see the sync pane"),)
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


def _caller_found(
    registered: Orchestrator, record: OrchestratorRecord | None, callers: Sequence[Caller]
) -> Precondition:
    name = "a node of the fleet holds the key"
    if callers:
        caller = callers[0]
        how = "delegated caller" if caller.delegated else "registered key"
        return Precondition(name, True, f"{caller.node.name}: {how} {caller.account}")
    wanted = [registered.address]
    if record is not None and record.reward_caller:
        wanted.append(record.reward_caller)
    return Precondition(
        name,
        False,
        f"no node acts with {' or '.join(short_address(item) for item in wanted)}",
        "start the reward node, or check its keystore (-ethAcctAddr)",
    )


def _steps(registered: Orchestrator, caller: Caller) -> tuple[Step, ...]:
    return (
        Step(
            title="call reward",
            target=caller.node.name,
            call=f"POST {caller.node.cli.url if caller.node.cli else '?'}/reward",
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
    through = callers[0].node.name if callers else "nobody"
    number = now.round if now else "?"
    return f"call reward for {registered.name} in round {number} through {through}"


def _warnings(registered: Orchestrator, callers: Sequence[Caller]) -> tuple[str, ...]:
    holders = [caller.node.name for caller in callers if not caller.delegated]
    if len(holders) > 1:
        return (f"{len(holders)} nodes hold the registered key: {', '.join(holders)}",)
    return ()


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
    from lptui.probes.chain.events import find_reward_event

    rpc = execution.reach.rpc(now.rpc)
    return await find_reward_event(rpc, now.contracts.bonding_manager, record.address, now.head)


def _words(proof: Proof) -> str:
    found = dict(proof)
    where = f", {found['amount']}, tx {found['tx']}" if "tx" in found else ""
    return f"reward called in round {found['lastRewardRound']}{where}"
