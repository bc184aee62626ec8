"""Action `initialize-round`: begins the round that the clock has reached, proved on the chain."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.actions import sender
from lptui.actions.plan import Cost, Lock, Plan, Precondition, Request, Result, Step
from lptui.actions.rehearsal import rehearse
from lptui.actions.spec import ActionSpec, Effect, Execution, Proof
from lptui.actions.transaction import Evidence, Route, send_and_watch
from lptui.fleet.callers import accounts_of
from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Node, Role
from lptui.fleet.units import Address

SPEC = ActionSpec(
    id="initialize-round",
    title="Initialise round",
    key="i",
    effect=Effect.WRITE,
    subject="round",
    help="sends initializeRound() through a funded node, and proves it",
    probes=("node-status", "node-identity", "chain"),
    proof=("chain",),
)

GAS = 300_000
"""initializeRound() costs up to 283,047 gas by itself; Arbitrum adds its L1 share."""

_PREFERRED = (Role.ROUND_INITIALISER, Role.REWARD, Role.REDEEMER, Role.ORCHESTRATOR)


class InitializeRound:
    """See the module."""

    spec = SPEC

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        return (snapshot.fleet.chain.network,) if snapshot.fleet.chain else ()

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        return ()

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        target = request.target
        chain = snapshot.fleet.chain
        if chain is None or target != chain.network:
            condition = Precondition("chain configured", False, "no such chain", "see chain:")
            return Plan(SPEC.id, target, "initialise the round", (), (condition,), "none", "none")
        now = snapshot.fresh(ChainRound, chain.network)
        node, account = _sender(snapshot, chain)
        conditions = [_clock_read(snapshot, chain, now)]
        if now is not None:
            conditions.append(
                Precondition(
                    "protocol not paused", not now.paused, f"Controller.paused is {now.paused}"
                )
            )
        facts: list[tuple[str, str]] = [("round", str(now.round))] if now else []
        steps: tuple[Step, ...] = ()
        cost: Cost | None = None
        lock: Lock | None = None
        words = "unknown: no node to send it"
        if node is None or account is None:
            conditions.append(
                Precondition(
                    "a node of the fleet can send it",
                    False,
                    "no node with an account and a CLI address answered",
                    "any funded account may initialise a round",
                )
            )
        else:
            conditions += sender.preconditions(snapshot, chain, node, account, GAS)
            cost = sender.cost(snapshot, chain, node, GAS)
            words = sender.cost_words(cost)
            lock = sender.lock(snapshot, node, account)
            facts += [("node", node.name), ("account", account)]
            steps = _steps(node, chain)
        done = f"round {now.round} is initialised already" if now and now.initialized else ""
        done, doubts = sender.done_now(snapshot, done)
        through = f"{node.name} on {node.host}" if node else "nobody"
        return Plan(
            action=SPEC.id,
            target=target,
            summary=f"initialise round {now.round if now else '?'} through {through}",
            steps=steps,
            preconditions=(*conditions, *doubts),
            cost=words,
            exact_cost=cost,
            lock=lock,
            effect="one transaction; the round begins for everybody, rewards can be called",
            facts=tuple(facts),
            done=done,
        )

    async def execute(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Result:
        async def confirm(seen: Snapshot) -> Proof | None:
            return await self.prove(plan, seen, execution)

        evidence = Evidence(plan.target, confirm, lambda _: True, _words)
        now = snapshot.fresh(ChainRound, plan.target)
        if now is not None:
            from lptui.probes.chain import dry_run

            call = dry_run.initialize_round_call(now.contracts, Address(plan.fact("account")))
            ended = await rehearse(plan, now.rpc, call, execution, evidence)
            if ended is not None:
                return ended
        route = Route(snapshot.fleet.nodes[plan.fact("node")], "/initializeRound")
        return await send_and_watch(plan, route, execution, evidence)

    async def prove(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Proof | None:
        now = snapshot.fresh(ChainRound, plan.target)
        if now is None or now.last_initialized < int(plan.fact("round")):
            return None
        return (("lastInitializedRound", str(now.last_initialized)),)


def _sender(snapshot: Snapshot, chain: Chain) -> tuple[Node | None, Address | None]:
    """The node to send it through: the one meant for it, else one that is known to be able."""

    def order(item: tuple[Node, Address]) -> tuple[bool, bool, int]:
        node, account = item
        identity = snapshot.value(NodeIdentity, node.name)
        gated = identity is None or identity.tx_routes is not True
        able = all(
            condition.met is True
            for condition in sender.preconditions(snapshot, chain, node, account, GAS)
        )
        roles = [place for place, role in enumerate(_PREFERRED) if role in node.roles]
        return (not able, gated, min(roles, default=len(_PREFERRED)))

    candidates = [
        (node, account)
        for node, account, _ in accounts_of(snapshot)
        # Of a transcoder alone no key is expected, whatever it says.
        if node.cli is not None and node.roles != {Role.TRANSCODER}
    ]
    return min(candidates, key=order, default=(None, None))


def _clock_read(snapshot: Snapshot, chain: Chain, now: ChainRound | None) -> Precondition:
    if now is None:
        why = sender.why_unread(snapshot, snapshot.reading(ChainRound, chain.network))
        return Precondition("chain read", None, why, "see the sync pane")
    state = "initialised" if now.initialized else "not initialised"
    return Precondition(
        "round not initialised", not now.initialized, f"round {now.round} is {state}"
    )


def _steps(node: Node, chain: Chain) -> tuple[Step, ...]:
    return (
        Step(
            title="initialise the round",
            target=node.name,
            call=sender.call_words(node, "/initializeRound"),
            postcondition="the node replies that its transaction was mined",
            deadline_s=600.0,
        ),
        Step(
            title="verify on the chain",
            target=chain.network,
            call="RoundsManager.lastInitializedRound()",
            postcondition="the last initialised round is the current one",
            deadline_s=600.0,
            undo="reads only",
        ),
    )


def _words(proof: Proof) -> str:
    return f"round {dict(proof)['lastInitializedRound']} is initialised"
