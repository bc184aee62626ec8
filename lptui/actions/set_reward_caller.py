"""Action `set-reward-caller`: which key besides its own may call an orchestrator's reward.

The contract keeps one such caller for each orchestrator (LIP-118, `setRewardCaller`); it can do
nothing else, so that the registered key can stay off line. Only the registered key sets it, through
a node that has `/setRewardCaller` (go-livepeer PR #4011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lptui.actions import sender
from lptui.actions.options import CALLER
from lptui.actions.plan import Cost, Lock, Outcome, Plan, Precondition, Request, Result, Step
from lptui.actions.rehearsal import rehearse
from lptui.actions.spec import ActionSpec, Effect, Execution, Proof
from lptui.actions.transaction import Evidence, Route, send_and_watch
from lptui.errors import LptuiError
from lptui.fleet.callers import accounts_of, orchestrator, served_by, unknown_nodes
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, SignerAccount
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Node, Orchestrator, Role
from lptui.fleet.units import Address, address, short_address
from lptui.text import clean

SPEC = ActionSpec(
    id="set-reward-caller",
    title="Set the reward caller",
    key="",
    effect=Effect.WRITE,
    subject="orchestrator",
    help="lets another key call an orchestrator's reward, or no other (--caller none)",
    probes=("node-status", "node-identity", "chain"),
    proof=("chain",),
    options=(CALLER,),
)

GAS: Final = 150_000
"""Of setRewardCaller(): two proxied calls and one slot of storage; Arbitrum adds its L1 share."""

ROUTE: Final = "/setRewardCaller"
NONE: Final = "none"
ZERO: Final = "0x" + "0" * 40


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Who is to be the caller: `account` None for nobody, which counts only when `told`."""

    account: Address | None
    told: bool
    condition: Precondition


class SetRewardCaller:
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
            why = "the configuration names no such orchestrator"
            condition = Precondition("orchestrator configured", False, why)
            return Plan(SPEC.id, target, "set the reward caller", (), (condition,), "none", "none")
        now = snapshot.fresh(ChainRound, chain.network)
        record = snapshot.fresh(OrchestratorRecord, target)
        wanted = _wanted(snapshot, registered, request.option(CALLER.name))
        conditions = [*_on_chain(snapshot, chain, now, record, target), wanted.condition]
        node = _holder(snapshot, chain, registered)
        conditions.append(_held(snapshot, registered, node))
        cost: Cost | None = None
        lock: Lock | None = None
        steps: tuple[Step, ...] = ()
        facts: list[tuple[str, str]] = [("orchestrator", registered.address)]
        if node is not None:
            conditions.append(_knows(snapshot, node))
            conditions += sender.preconditions(snapshot, chain, node, registered.address, GAS)
            cost = sender.cost(snapshot, chain, node, GAS)
            lock = sender.lock(snapshot, node, registered.address)
            facts += [("node", node.name), ("account", registered.address)]
        if record is not None and wanted.told:
            facts += [("caller", wanted.account or ZERO), ("former", record.reward_caller or ZERO)]
            if node is not None:
                steps = _steps(registered, node, wanted.account, record.reward_caller)
        done = _done(record, wanted)
        done, doubts = sender.done_now(snapshot, done)
        through = f"{node.name} on {node.host}" if node else "nobody"
        whom = _name(wanted.account) if wanted.told else "?"
        return Plan(
            action=SPEC.id,
            target=target,
            summary=f"make {whom} the reward caller of {target} through {through}",
            steps=steps,
            preconditions=(*conditions, *doubts),
            cost=sender.cost_words(cost) if node else "unknown: nobody to send it",
            exact_cost=cost,
            lock=lock,
            effect=_effect(registered, wanted),
            facts=tuple(facts),
            warnings=_warnings(snapshot, registered, record, wanted),
            done=done,
        )

    async def execute(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Result:
        async def confirm(seen: Snapshot) -> Proof | None:
            return await self.prove(plan, seen, execution)

        fleet = snapshot.fleet
        chain = fleet.chain
        assert chain is not None  # noqa: S101 (it was planned)
        evidence = Evidence(chain.network, confirm, lambda proof: "tx" in dict(proof), _words)
        now = snapshot.fresh(ChainRound, chain.network)
        if now is not None:
            from lptui.probes.chain import dry_run

            own = Address(plan.fact("account"))
            call = dry_run.set_reward_caller_call(now.contracts, own, _of(plan.fact("caller")))
            ended = await rehearse(plan, now.rpc, call, execution, evidence)
            if ended is not None:
                return ended
        form = (("rewardCaller", plan.fact("caller")),)
        route = Route(fleet.nodes[plan.fact("node")], ROUTE, form)
        result = await send_and_watch(plan, route, execution, evidence)
        if result.outcome is Outcome.DONE:
            back = _back(plan.target, plan.fact("former"))
            return replace(result, remedy=f"to take it back: {back}")
        return result

    async def prove(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Proof | None:
        chain = snapshot.fleet.chain
        record = snapshot.fresh(OrchestratorRecord, plan.target)
        now = snapshot.fresh(ChainRound, chain.network) if chain else None
        caller = _of(plan.fact("caller"))
        if record is None or now is None or not record.has_reward_caller:
            return None
        if record.reward_caller != caller:
            return None
        shown = ("transcoderToRewardCaller", caller or ZERO)
        from lptui.probes.chain.caller_event import caller_set_tx

        rpc, manager = execution.reach.rpc(now.rpc), now.contracts.bonding_manager
        try:
            tx = await caller_set_tx(rpc, manager, record.address, caller)
        except LptuiError as error:
            # The record is proof enough; its transaction is not worth a doubt.
            return (shown, ("event", f"not read: {error}"))
        return (shown, ("tx", tx)) if tx else (shown,)


def _wanted(snapshot: Snapshot, registered: Orchestrator, written: str) -> _Wanted:
    """Whom the operator means: a node of the fleet, an account, or nobody."""
    name = "the caller is named"
    text = written.strip()
    if text.lower() in (NONE, ZERO):
        return _Wanted(None, True, Precondition(name, True, "nobody but the registered key"))
    node = snapshot.fleet.nodes.get(text)
    if node is not None:
        identity = snapshot.value(NodeIdentity, node.name)
        account = identity.account if identity is not None else None
        if account is None:
            why = f"{node.name} does not tell which account it acts with"
            return _Wanted(None, False, Precondition(name, None, why, "see its own findings"))
        evidence = f"{node.name} acts as {account}"
    else:
        try:
            account = address(text)
        except ValueError:
            return _Wanted(None, False, _unnamed(snapshot, registered, name, text))
        evidence = account
    if account == registered.address:
        why = f"{short_address(account)} is the registered key, which may call anyway"
        remedy = f"name another key, or --{CALLER.name} {NONE}"
        return _Wanted(None, False, Precondition(name, False, why, remedy))
    return _Wanted(account, True, Precondition(name, True, evidence))


def _unnamed(snapshot: Snapshot, registered: Orchestrator, name: str, written: str) -> Precondition:
    """Nobody, or somebody unknown, was named: who could be meant."""
    likely = [
        node.name
        for node, account, _ in accounts_of(snapshot)
        if account != registered.address and Role.REWARD in node.roles
    ]
    why = f"{clean(written, 60)!r} is no node and no account" if written else "nobody is"
    among = ", ".join((*likely, "0x…", NONE))
    choice = "" if written else CALLER.name
    return Precondition(name, False, why, f"--{CALLER.name} WHO: {among}", choice)


def _on_chain(
    snapshot: Snapshot,
    chain: Chain,
    now: ChainRound | None,
    record: OrchestratorRecord | None,
    target: str,
) -> Sequence[Precondition]:
    if now is None or record is None:
        clock = snapshot.reading(ChainRound, chain.network)
        why = sender.why_unread(snapshot, clock, snapshot.reading(OrchestratorRecord, target))
        return (Precondition("chain read", None, why, "see the sync pane"),)
    knows = {
        True: f"now {_name(record.reward_caller)}",
        False: "it does not: LIP-118 is not deployed there",
        None: "it could not be asked (transcoderToRewardCaller)",
    }[record.has_reward_caller]
    return (
        Precondition("protocol not paused", not now.paused, f"Controller.paused is {now.paused}"),
        Precondition("the contract knows reward callers", record.has_reward_caller, knows),
    )


def _holder(snapshot: Snapshot, chain: Chain, registered: Orchestrator) -> Node | None:
    """The node with the registered key: one that can send it now before one that cannot."""
    holders = [node for node, held, _ in accounts_of(snapshot) if held == registered.address]

    def unable(node: Node) -> bool:
        own = sender.preconditions(snapshot, chain, node, registered.address, GAS)
        return any(item.met is not True for item in (_knows(snapshot, node), *own))

    return min(holders, key=unable, default=None)


def _held(snapshot: Snapshot, registered: Orchestrator, node: Node | None) -> Precondition:
    name = "a node of the fleet holds the registered key"
    if node is not None:
        return Precondition(name, True, f"{node.name} acts as {registered.address}")
    # What is declared to act with another key would not be it.
    silent = [n for n in unknown_nodes(snapshot) if n.account in (None, registered.address)]
    if silent:
        why = sender.why_unread(snapshot, snapshot.reading(NodeIdentity, silent[0].name))
        evidence = f"not known of {silent[0].name}: {why}"
        return Precondition(name, None, evidence, "see the node's own findings")
    return Precondition(
        name,
        False,
        f"no node acts with {short_address(registered.address)}: a key that is kept off line"
        " can be used elsewhere",
        "set it with that key's own wallet, from the explorer or livepeer_cli",
    )


def _knows(snapshot: Snapshot, node: Node) -> Precondition:
    identity = snapshot.value(NodeIdentity, node.name)
    knows = identity.knows_reward_caller if identity is not None else None
    words = {True: "yes", False: "its /rewardCaller answers 404", None: "could not be told"}[knows]
    return Precondition(
        "the node knows reward callers",
        knows,
        f"{node.name}: {words}",
        "" if knows else "a newer go-livepeer has the route; or set it from the explorer",
    )


def _steps(
    registered: Orchestrator, node: Node, caller: Address | None, former: Address | None
) -> tuple[Step, ...]:
    return (
        Step(
            title="set the reward caller",
            target=node.name,
            call=f"{sender.call_words(node, ROUTE)} rewardCaller={caller or ZERO}",
            precondition=f"the contract names {_name(former)}",
            postcondition="the node replies that its transaction was mined",
            deadline_s=600.0,
            undo=_back(registered.name, former or ZERO),
        ),
        Step(
            title="verify on the chain",
            target=registered.name,
            call=f"BondingManager.transcoderToRewardCaller({registered.address})",
            postcondition=f"it is {caller or ZERO}",
            deadline_s=600.0,
            undo="reads only",
        ),
    )


def _back(target: str, former: str) -> str:
    """The command that sets the former caller again."""
    who = NONE if former == ZERO else former
    return f"lptui --headless {SPEC.id} {target} --{CALLER.name} {who}"


def _effect(registered: Orchestrator, wanted: _Wanted) -> str:
    if wanted.account is None:
        return f"one transaction; only the registered key may call reward for {registered.name}"
    whom = short_address(wanted.account)
    return f"one transaction; {whom} may call reward for {registered.name}, and nothing else"


def _warnings(
    snapshot: Snapshot,
    registered: Orchestrator,
    record: OrchestratorRecord | None,
    wanted: _Wanted,
) -> tuple[str, ...]:
    """Who would call, and who would no more."""
    if record is None or not wanted.told or record.reward_caller == wanted.account:
        return ()
    found: list[str] = []
    nodes = {account: node.name for node, account, _ in accounts_of(snapshot)}
    former, caller = record.reward_caller, wanted.account
    if former is not None:
        who = f" ({nodes[former]})" if former in nodes else ""
        found.append(f"{short_address(former)}{who} may call reward no longer")
    if caller is None:
        return tuple(found)
    if caller not in nodes:
        found.append(f"no node of the fleet acts as {short_address(caller)}: others must call")
    account = snapshot.fresh(SignerAccount, caller)
    if account is None:
        found.append(f"the balance of {short_address(caller)} is not known: each call costs it gas")
    elif account.balance == 0:
        found.append(f"{short_address(caller)} has no ETH: it cannot pay for a call")
    elif caller in nodes:
        found.append(f"{nodes[caller]} calls by itself only when started with -ethOrchAddr")
    return tuple(found)


def _done(record: OrchestratorRecord | None, wanted: _Wanted) -> str:
    if record is None or not wanted.told or not record.has_reward_caller:
        return ""
    same = record.reward_caller == wanted.account
    return f"the contract names {_name(wanted.account)} already" if same else ""


def _name(account: Address | None) -> str:
    return account or "nobody"


def _of(text: str) -> Address | None:
    return None if text == ZERO else Address(text)


def _words(proof: Proof) -> str:
    found = dict(proof)
    caller = _of(found["transcoderToRewardCaller"])
    tx = f", tx {found['tx']}" if "tx" in found else ""
    return f"the contract names {_name(caller)} as reward caller{tx}"
