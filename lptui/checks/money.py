"""Money: do the signing keys have enough, are they stuck, may they pay today's price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import span
from lptui.fleet.facts.chain import GasPrices, OrchestratorRecord, PooledTransaction, SignerAccount
from lptui.fleet.facts.gas import FeeTrend, PaidCall
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.gas import exact_gwei, suggested_cap
from lptui.fleet.reading import Reading
from lptui.fleet.tickets import redemption_gas
from lptui.fleet.topology import Chain, Node, Role, Signer
from lptui.fleet.units import Address, Wei, format_gwei, format_units, short_address
from lptui.text import plural

BALANCE: Final = "balance"
NONCE: Final = "nonce-stuck"
GAS_CAP: Final = "gas-cap"


def accounts(
    view: View, check: str
) -> Iterator[tuple[Signer, Reading[SignerAccount], SignerAccount] | Finding]:
    """Each signer with its account's reading, or the finding that it is not known."""
    if view.fleet.chain is None:
        return
    for signer in view.fleet.signers:
        reading = view.reading(SignerAccount, signer.address)
        account = view.value(reading)
        if account is not None:
            yield signer, reading, account
        else:
            yield view.unknown(check, "signer", signer.name, reading, cause=view.chain_blocker())


def _eth(amount: int) -> str:
    return f"{format_units(amount, 6)} ETH"


def balance(view: View) -> Iterator[Finding]:
    """A signer without ETH sends nothing, and one that cannot cover its own bid neither.

    go-livepeer bids twice the price, at most its cap (PR #2583); a build from before that always
    bids its cap (issue #2574), as all do when the price gets there.
    """
    needed = _needs(view)
    for item in accounts(view, BALANCE):
        if isinstance(item, Finding):
            yield item
            continue
        signer, reading, account = item
        warn, critical = _limits(view, signer)
        severity, summary = _balance(
            account.balance, warn, critical, needed.get(signer.address, _Need())
        )
        yield Finding(
            BALANCE,
            severity,
            "signer",
            signer.name,
            summary,
            (view.says(reading, f"{_eth(account.balance)} at {short_address(signer.address)}"),),
            remedy=f"send ETH to {signer.address}" if severity else "",
            metrics=(Metric("balance_wei", account.balance, "wei", f"{warn}:", f"{critical}:"),),
        )


def _limits(view: View, signer: Signer) -> tuple[Wei, Wei]:
    warn = signer.warn_below if signer.warn_below is not None else view.limits.balance_warn
    critical = signer.critical_below
    return warn, view.limits.balance_critical if critical is None else critical


@dataclass(frozen=True, slots=True)
class _Need:
    """Wei for one call: as the node bids now, and at its gas cap; 0 for not known."""

    now: int = 0
    at_cap: int = 0
    what: str = "reward call"


def _balance(have: Wei, warn: Wei, critical: Wei, needed: _Need) -> tuple[Severity, str]:
    if have < needed.now:
        text = f"does not cover one {needed.what} as the node bids now ({_eth(needed.now)})"
        return Severity.CRITICAL, f"{_eth(have)} {text}"
    if have < critical:
        return Severity.CRITICAL, f"{_eth(have)}, below {_eth(critical)}"
    if have < needed.at_cap:
        text = f"would not cover one {needed.what} at the node's gas cap ({_eth(needed.at_cap)})"
        return Severity.WARNING, f"{_eth(have)} {text}"
    if have < warn:
        return Severity.WARNING, f"{_eth(have)}, below {_eth(warn)}"
    return Severity.OK, _eth(have)


def _needs(view: View) -> dict[Address, _Need]:
    """What each account that calls reward or redeems must have, the most that a node may bid."""
    chain = view.fleet.chain
    if chain is None:
        return {}
    callers: set[Address] = set()
    for registered in chain.orchestrators:
        callers.add(registered.address)
        record = view.fresh(OrchestratorRecord, registered.name)
        if record is not None and record.reward_caller is not None:
            callers.add(record.reward_caller)
    prices, gas = view.fresh(GasPrices, chain.network), view.limits.reward_gas
    needs: dict[Address, _Need] = {}
    for node in view.fleet.nodes_with(Role.REDEEMER):
        identity = view.fresh(NodeIdentity, node.name)
        if identity is not None and identity.account is not None and identity.max_gas_price:
            most = identity.max_gas_price * redemption_gas(chain.chain_id)
            needs[identity.account] = _Need(at_cap=most, what="redemption")
    for reading in view.readings(NodeIdentity).values():
        identity = view.value(reading)
        if identity is None or identity.account not in callers or not identity.max_gas_price:
            continue
        cap = identity.max_gas_price
        bid = min(cap, 2 * prices.gas_price) if prices is not None else 0
        before = needs.get(identity.account, _Need())
        needs[identity.account] = _Need(max(bid * gas, before.now), max(cap * gas, before.at_cap))
    return needs


def nonce_stuck(view: View) -> Iterator[Finding]:
    """A transaction that stays pending holds up every later one of the same key."""
    for item in accounts(view, NONCE):
        if isinstance(item, Finding):
            yield item
            continue
        signer, reading, account = item
        severity, summary, remedy = _pending(view, account)
        evidence = view.says(reading, f"nonce {account.nonce}, pending {account.pending_nonce}")
        yield Finding(
            NONCE,
            severity,
            "signer",
            signer.name,
            summary,
            (evidence, *(_pooled(item) for item in account.pool or ())),
            remedy=remedy,
            metrics=(
                Metric("pending_transactions", account.pending if account.pending_known else None),
            ),
        )


def _pooled(item: PooledTransaction) -> str:
    """A transaction that waits, and what it bids."""
    bid = f", bids {format_gwei(item.max_fee)}" if item.max_fee is not None else ""
    place = "waits for an earlier nonce" if item.queued else "waits to be mined"
    return f"{item.hash}, nonce {item.nonce}{bid}: {place}"


def _pending(view: View, account: SignerAccount) -> tuple[Severity, str, str]:
    if not account.pending_known:
        text = "not known: the endpoint does not count pending transactions"
        return Severity.UNKNOWN, text, "ask an RPC endpoint that counts them"
    since = account.pending_since
    waited = None if since is None else max(0.0, view.now - since)
    if not account.pending:
        return Severity.OK, f"nothing pending, next nonce {account.nonce}", ""
    late = waited is not None and waited > view.limits.pending_nonce_s
    severity = Severity.WARNING if late else Severity.OK
    text = f"{plural(account.pending, 'transaction')} pending"
    text += f" for {span(waited)}" if waited is not None and waited >= 1 else ", first seen now"
    remedy = "look for a price cap below the gas price, or another process with this key"
    return severity, text, remedy if late else ""


def gas_cap(view: View) -> Iterator[Finding]:
    """A node sends nothing while the gas price is above its own cap (-maxGasPrice)."""
    chain = view.fleet.chain
    if chain is None:
        return
    prices = view.reading(GasPrices, chain.network)
    now = view.value(prices)
    senders = {signer.address for signer in view.fleet.signers}
    for node in view.fleet.nodes.values():
        reading = view.reading(NodeIdentity, node.name)
        identity = view.value(reading)
        if identity is None or identity.account not in senders or not identity.max_gas_price:
            continue
        if now is None:
            yield view.unknown(GAS_CAP, "node", node.name, prices, cause=view.chain_blocker())
            continue
        yield _under_cap(view, chain, node, reading, identity.max_gas_price, prices, now)


def _under_cap(
    view: View,
    chain: Chain,
    node: Node,
    reading: Reading[NodeIdentity],
    cap: Wei,
    prices: Reading[GasPrices],
    now: GasPrices,
) -> Finding:
    """The cap, the price now, of late, and what was paid the last time, side by side."""
    trend = view.fresh(FeeTrend, chain.network)
    over = now.gas_price > cap
    suggested = suggested_cap(now, trend)
    evidence = [
        view.says(prices, f"suggested price {format_gwei(now.gas_price)}"),
        view.says(reading, f"cap {format_gwei(cap)}"),
    ]
    if trend is not None and trend.windows:
        lowest = min(window.lowest for window in trend.windows)
        since = span(max(0.0, view.now - trend.windows[0].at))
        told = f"base fee {format_gwei(lowest)} to {format_gwei(trend.highest)} in the last {since}"
        evidence.append(view.says(view.reading(FeeTrend, chain.network), told))
    for item in chain.orchestrators:
        paid = view.reading(PaidCall, item.name)
        if paid.value is not None:
            told = f"{item.name}'s last reward call paid {format_gwei(paid.value.price)}"
            evidence.append(view.says(paid, told))
    remedy = "wait for a lower price, or raise the cap"
    if suggested is not None:
        remedy += f": set-max-gas-price {node.name} --price '{exact_gwei(suggested)}'"
    remedy += "; -maxGasPrice keeps it at a restart"
    return Finding(
        GAS_CAP,
        Severity.WARNING if over else Severity.OK,
        "node",
        node.name,
        f"gas at {format_gwei(now.gas_price)} is above the node's cap of {format_gwei(cap)}: "
        "it sends nothing"
        if over
        else f"gas at {format_gwei(now.gas_price)}, cap {format_gwei(cap)}",
        tuple(evidence),
        remedy=remedy if over else "",
        action="set-max-gas-price" if over else "",
        metrics=(
            Metric("gas_price_wei", now.gas_price, "wei"),
            Metric("gas_cap_wei", cap, "wei"),
        ),
    )
