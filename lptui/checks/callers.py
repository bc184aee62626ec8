"""Reward callers: is each delegate still authorised, does one alone call by itself, can it pay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lptui.checks.keys import DELEGATE, REGISTERED, SIGNER
from lptui.checks.money import BALANCE
from lptui.checks.nodes import asked, cause_at_node
from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.fleet.callers import Caller, calls_by_itself, reward_callers
from lptui.fleet.duty import at_work
from lptui.fleet.facts.chain import GasPrices, OrchestratorRecord, SignerAccount
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.topology import Chain, Node, Orchestrator, Role
from lptui.fleet.units import Address, format_units, short_address

ALONE: Final = "reward-called-once"
FUNDS: Final = "reward-caller-funds"


def callers_of(view: View, registered: Orchestrator) -> tuple[Caller, ...]:
    """The nodes that may call, as far as they told lately who they are."""
    record = view.fresh(OrchestratorRecord, registered.name)
    found = reward_callers(view.snapshot, registered, record)
    return tuple(caller for caller in found if view.is_fresh(caller.identity))


def reward_delegate(view: View) -> Iterator[Finding]:
    """Does the contract name the key of each node that is there to call for an orchestrator?"""
    chain = view.fleet.chain
    for registered in chain.orchestrators if chain else ():
        nodes = tuple(node for node in asked(view) if _is_delegate(view, registered, node))
        if nodes:
            yield _delegates(view, registered, nodes)


def _is_delegate(view: View, registered: Orchestrator, node: Node) -> bool:
    """Meant to call with another key than the registered one."""
    is_meant = Role.REWARD in node.roles or node.name == registered.reward_caller
    if node.recipient != registered.address or not is_meant:
        return False
    identity = view.fresh(NodeIdentity, node.name)
    acts = identity.account if identity is not None else node.account
    return acts != registered.address


def _delegates(view: View, registered: Orchestrator, nodes: Sequence[Node]) -> Finding:
    name = registered.name
    reading = view.reading(OrchestratorRecord, name)
    record = view.value(reading)
    if record is None:
        cause = view.chain_blocker()
        return view.unknown(DELEGATE, "orchestrator", name, reading, cause=cause)
    told = {node.name: view.reading(NodeIdentity, node.name) for node in nodes}
    silent = next((node for node in nodes if not view.is_fresh(told[node.name])), None)
    if silent is not None:
        cause = cause_at_node(view, silent)
        return view.unknown(DELEGATE, "orchestrator", name, told[silent.name], cause=cause)
    accounts = {
        node: identity.value.account
        for node, identity in told.items()
        if identity.value is not None
    }
    evidence = [view.says(told[node], f"{node} acts as {who}") for node, who in accounts.items()]
    names = record.reward_caller or "nobody"
    evidence.append(view.says(reading, f"the contract names {names} as reward caller"))
    if record.has_reward_caller is None:
        return Finding(
            DELEGATE,
            Severity.UNKNOWN,
            "orchestrator",
            name,
            "not known: the endpoint does not tell whom the contract names as reward caller",
            tuple(evidence),
            "ask another RPC endpoint",
        )
    out = [node for node, who in accounts.items() if who is None or who != record.reward_caller]
    if not out:
        summary = f"the contract names {listed(list(accounts))} as reward caller"
        return Finding(DELEGATE, Severity.OK, "orchestrator", name, summary, tuple(evidence))
    if record.has_reward_caller is False:
        why = "the contract knows no reward callers (LIP-118 is not deployed there)"
        remedy = "call with the registered key"
    else:
        why = f"the contract names {short_address(names)} as reward caller"
        remedy = f"authorise it: lptui --headless set-reward-caller {name} --caller {out[0]}"
    can = [caller.node.name for caller in callers_of(view, registered)]
    others = f"; {listed(can)} can call" if can else ", and nobody else of the fleet can"
    return Finding(
        DELEGATE,
        Severity.WARNING if can else Severity.CRITICAL,
        "orchestrator",
        name,
        f"{listed(out)} cannot call: {why}{others}",
        tuple(evidence),
        remedy,
        action="" if record.has_reward_caller is False else "set-reward-caller",
    )


def reward_called_once(view: View) -> Iterator[Finding]:
    """Does one node alone call each round by itself? Two waste gas and hide each other's faults."""
    chain = view.fleet.chain
    for registered in chain.orchestrators if chain else ():
        callers = callers_of(view, registered)
        if callers:
            yield _called_once(view, registered, callers)


def _called_once(view: View, registered: Orchestrator, callers: Sequence[Caller]) -> Finding:
    automatic = [(caller, calls_by_itself(view.snapshot, caller)) for caller in callers]
    sure = [caller for caller, does in automatic if does]
    likely = [caller for caller, does in automatic if does is not False]
    evidence = tuple(_says(view, caller, does) for caller, does in automatic)
    cause = _one_key_twice(view, registered, likely)
    names = [_named(caller) for caller in likely]
    stop = "start all but one with -reward=false, or stop them"
    if len(sure) > 1:
        severity, remedy = Severity.WARNING, stop
        summary = f"{len(sure)} nodes call by themselves: {listed([_named(c) for c in sure])}"
    elif len(likely) > 1:
        severity, remedy = Severity.UNKNOWN, "see the flags of those processes (-reward)"
        summary = f"not known whether more than one of {listed(names)} calls by itself"
    elif not likely:
        severity, remedy = Severity.WARNING, "start one of them with -reward"
        summary = (
            f"no node calls by itself: {listed([c.node.name for c in callers])} only on request"
        )
    else:
        severity, remedy = Severity.OK, ""
        summary = f"{names[0]} alone calls by itself"
    return Finding(
        ALONE, severity, "orchestrator", registered.name, summary, evidence, remedy, cause=cause
    )


def _one_key_twice(view: View, registered: Orchestrator, callers: Sequence[Caller]) -> str:
    """Id of the finding that tells of it already, when it is one key that two processes have."""
    accounts = {caller.account for caller in callers}
    if len(callers) < 2 or len(accounts) > 1:
        return ""
    if registered.address in accounts:
        return f"{REGISTERED}@{registered.name}"
    name = _signer(view, *accounts)
    return f"{SIGNER}@{name}" if name else ""


def _says(view: View, caller: Caller, does: bool | None) -> str:
    words = {
        True: "calls by itself",
        False: "does not call by itself",
        None: "may call by itself: its flags cannot be seen",
    }[does]
    return view.says(caller.identity, f"{_named(caller)} acts as {caller.account}, {words}")


def _named(caller: Caller) -> str:
    return f"{caller.node.name} ({'delegated' if caller.delegated else 'registered'} key)"


def reward_caller_funds(view: View) -> Iterator[Finding]:
    """Can the node that is to call pay for it, at the most that it would bid now?"""
    chain = view.fleet.chain
    for registered in chain.orchestrators if chain else ():
        callers = callers_of(view, registered)
        if chain is not None and callers:
            yield _funds(view, chain, registered, _first(view, registered, callers))


def _first(view: View, registered: Orchestrator, callers: Sequence[Caller]) -> Caller:
    """The one that is expected to call, else one that calls by itself."""
    expected = at_work(view.snapshot, registered.reward_caller or "")

    def place(caller: Caller) -> tuple[bool, bool]:
        return caller.node.name != expected, calls_by_itself(view.snapshot, caller) is False

    return min(callers, key=place)


def _funds(view: View, chain: Chain, registered: Orchestrator, caller: Caller) -> Finding:
    name, who = registered.name, caller.node.name
    held, priced = (
        view.reading(SignerAccount, caller.account),
        view.reading(GasPrices, chain.network),
    )
    account, prices = view.value(held), view.value(priced)
    if account is None:
        return view.unknown(FUNDS, "orchestrator", name, held, cause=view.chain_blocker())
    if prices is None:
        return view.unknown(FUNDS, "orchestrator", name, priced, cause=view.chain_blocker())
    bid = 2 * (prices.base_fee if prices.base_fee is not None else prices.gas_price)
    identity = caller.identity.value
    if identity is not None and identity.max_gas_price:
        bid = min(bid, identity.max_gas_price)
    need = bid * view.limits.reward_gas
    have = f"{format_units(account.balance, 6)} ETH"
    cost = f"{format_units(need, 6)} ETH"
    is_short = account.balance < need
    signer = _signer(view, caller.account)
    return Finding(
        FUNDS,
        Severity.CRITICAL if is_short else Severity.OK,
        "orchestrator",
        name,
        f"{who} cannot pay for a call: {have}, and one may cost {cost}"
        if is_short
        else f"{who} can pay for a call: {have}, and one costs at most {cost}",
        (view.says(held, f"{have} at {caller.account}"),),
        f"send ETH to {caller.account}" if is_short else "",
        cause=f"{BALANCE}@{signer}" if signer and is_short else "",
    )


def _signer(view: View, account: Address) -> str:
    """The name that the configuration has for an account; "" when it has none."""
    found = (signer.name for signer in view.fleet.signers if signer.address == account)
    return next(found, "")
