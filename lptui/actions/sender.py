"""What must hold for a node to send a transaction, whatever it is for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from lptui.actions.plan import Cost, Lock, Precondition
from lptui.errors import ProblemKind
from lptui.fleet.chains import of_the_past
from lptui.fleet.facts.chain import GasPrices, SignerAccount
from lptui.fleet.facts.livepeer import NodeIdentity, NodeStatus
from lptui.fleet.reading import Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Node
from lptui.fleet.units import Address, Wei, format_gwei, format_units, short_address


def fee_cap(snapshot: Snapshot, chain: Chain, node: Node) -> Wei | None:
    """The most that the node would pay for a unit of gas; None when it cannot be told.

    go-livepeer caps the fee at the smaller of its own limit and twice the base fee.
    """
    prices = snapshot.fresh(GasPrices, chain.network)
    identity = snapshot.value(NodeIdentity, node.name)
    if prices is None:
        return None
    double = 2 * (prices.base_fee if prices.base_fee is not None else prices.gas_price)
    if identity is not None and identity.has_gas_cap and identity.max_gas_price is not None:
        return Wei(min(double, identity.max_gas_price))
    return Wei(double)


def cost(snapshot: Snapshot, chain: Chain, node: Node, gas: int) -> Cost | None:
    """The likely and the highest cost of `gas` units; None when it cannot be told."""
    prices = snapshot.fresh(GasPrices, chain.network)
    cap = fee_cap(snapshot, chain, node)
    if prices is None or cap is None:
        return None
    # A suggested price has a tip in it, which may be above all that the node would pay.
    return Cost(gas, Wei(min(prices.gas_price, cap)), cap)


def cost_words(known: Cost | None) -> str:
    """The cost for a person."""
    return str(known) if known else "unknown: the gas price could not be read"


def lock(snapshot: Snapshot, node: Node, account: Address) -> Lock | None:
    """The lock of the node's key; None in the demo, which nobody shares."""
    if snapshot.fleet.demo or node.cli is None:
        return None
    # In the folder that every login may write to, not in one that some have for themselves.
    return Lock((node.host,), f"/tmp/lptui-{account}-{urlsplit(node.cli.url).port or 0}")  # noqa: S108


def preconditions(
    snapshot: Snapshot, chain: Chain, node: Node, account: Address, gas: int
) -> tuple[Precondition, ...]:
    """Node up, route offered, price under the cap, balance enough, nothing pending."""
    return (
        is_up(snapshot, node),
        offers_transactions(snapshot, node),
        _under_cap(snapshot, chain, node),
        _funded(snapshot, chain, node, account, gas),
        _nothing_pending(snapshot, account),
    )


def why_unread(snapshot: Snapshot, *readings: Reading[Any]) -> str:
    """Why the first of these that cannot be used cannot be."""
    for reading in readings:
        if reading.problem is not None:
            never = reading.problem.kind is ProblemKind.NOT_READ
            return reading.problem.why if never else str(reading.problem)
    oldest = max(reading.age(snapshot.taken_at) for reading in readings)
    return f"the last answer is {oldest:.0f} s old: too old"


def done_now(snapshot: Snapshot, done: str) -> tuple[str, tuple[Precondition, ...]]:
    """Whether there is nothing to do, and what refuses instead when only an old chain says so."""
    since = of_the_past(snapshot) if done else None
    if since is None:
        return done, ()
    why = f"{max(0.0, snapshot.taken_at - since):.0f} s ago: {done}; since then no block was seen"
    remedy = "get an RPC endpoint whose head moves"
    return "", (Precondition("chain of now read", None, why, remedy),)


def call_words(node: Node, path: str) -> str:
    """The exact request that the node gets."""
    if node.cli is None:
        return f"POST {path} on {node.name}, which has no CLI address"
    return f"POST {node.cli.url}{path}"


def is_up(snapshot: Snapshot, node: Node) -> Precondition:
    """Whether the node's CLI API answers."""
    status = snapshot.fresh(NodeStatus, node.name)
    if status is not None:
        return Precondition("node answers", True, f"{node.name}: version {status.version}")
    why = f"{node.name}: {why_unread(snapshot, snapshot.reading(NodeStatus, node.name))}"
    return Precondition("node answers", None, why, "see the node's own findings")


def offers_transactions(snapshot: Snapshot, node: Node) -> Precondition:
    """Whether the routes that send transactions and set caps are registered."""
    identity = snapshot.value(NodeIdentity, node.name)
    offered = identity.tx_routes if identity is not None else None
    words = {True: "offered", False: "answers 404", None: "could not be told"}[offered]
    return Precondition(
        "transaction routes offered",
        offered,
        f"{node.name}: {words}",
        "" if offered else "start the node with -enableCliTxRoutes",
    )


def _under_cap(snapshot: Snapshot, chain: Chain, node: Node) -> Precondition:
    name = "gas price under the node's cap"
    prices = snapshot.fresh(GasPrices, chain.network)
    identity = snapshot.value(NodeIdentity, node.name)
    if prices is None or identity is None or identity.has_gas_cap is None:
        return Precondition(name, None, "price or cap could not be read")
    if not identity.has_gas_cap or identity.max_gas_price is None:
        return Precondition(name, True, f"{format_gwei(prices.gas_price)}, the node has no cap")
    evidence = f"{format_gwei(prices.gas_price)} against {format_gwei(identity.max_gas_price)}"
    met = prices.gas_price <= identity.max_gas_price
    return Precondition(
        name, met, evidence, "" if met else "raise the cap (set-max-gas-price) or wait"
    )


def _funded(
    snapshot: Snapshot, chain: Chain, node: Node, account: Address, gas: int
) -> Precondition:
    name = "balance covers the highest cost"
    signer = snapshot.fresh(SignerAccount, account)
    cap = fee_cap(snapshot, chain, node)
    if signer is None or cap is None:
        return Precondition(name, None, f"{short_address(account)}: balance or price not read")
    need = gas * cap
    met = signer.balance >= need
    evidence = (
        f"{short_address(account)} has {format_units(signer.balance, 6)} ETH, "
        f"cap x gas is {format_units(need, 9)} ETH"
    )
    return Precondition(name, met, evidence, "" if met else f"send ETH to {account}")


def _nothing_pending(snapshot: Snapshot, account: Address) -> Precondition:
    name = "no transaction of this account pending"
    signer = snapshot.fresh(SignerAccount, account)
    if signer is None:
        return Precondition(name, None, f"{short_address(account)}: nonces not read")
    if not signer.pending_known:
        why = f"{short_address(account)}: the endpoint does not count pending transactions"
        return Precondition(name, None, why, "put another endpoint first in chain.rpcs")
    met = signer.pending == 0
    evidence = f"nonce {signer.nonce} mined, {signer.pending_nonce} with pending ones"
    return Precondition(
        name, met, evidence, "" if met else "wait for it, or find out why it is stuck"
    )
