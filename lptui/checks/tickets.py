"""Winning tickets: are they redeemed before they expire, and does the redeemer give any up?

A ticket is good in the round that it was created in and in the next one; what is not redeemed
until then is lost (TicketBroker `ticketValidityPeriod`, go-livepeer pm/queue.go).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.nodes import cause_at_node
from lptui.checks.view import View
from lptui.checks.words import span
from lptui.fleet.facts.chain import ChainRound, GasPrices
from lptui.fleet.facts.livepeer import NodeIdentity, NodeMetrics
from lptui.fleet.facts.tickets import TicketQueue, TicketsOfRound
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.reading import Reading
from lptui.fleet.tickets import VALID_ROUNDS, keepers, redemption_gas, total
from lptui.fleet.topology import Chain, Node
from lptui.fleet.units import Percent, format_gwei, format_units
from lptui.text import plural

EXPIRING: Final = "tickets-expiring"
ERRORS: Final = "redemption-errors"


def tickets_expiring(view: View) -> Iterator[Finding]:
    """Winning tickets that wait, by the round with which they expire, and what they are worth."""
    chain = view.fleet.chain
    if chain is None:
        return
    clock_reading = view.reading(ChainRound, chain.network)
    clock = view.value(clock_reading)
    for node in keepers(view.fleet):
        reading = view.reading(TicketQueue, node.name)
        queue = view.value(reading)
        if view.rest(node):
            continue
        if queue is None:
            cause = view.blocker(node.host, reading)
            if not cause and node.database is None:
                # Where it keeps its database is told by its process alone.
                cause = cause_at_node(view, node)
            yield view.unknown(EXPIRING, "queue", node.name, reading, cause=cause)
        elif clock is None:
            cause = view.chain_blocker()
            yield view.unknown(EXPIRING, "queue", node.name, clock_reading, cause=cause)
        else:
            yield _queue(view, chain, node, reading, queue, clock)


def _queue(
    view: View,
    chain: Chain,
    node: Node,
    reading: Reading[TicketQueue],
    queue: TicketQueue,
    clock: ChainRound,
) -> Finding:
    last = clock.round - VALID_ROUNDS + 1
    waiting = total([part for part in queue.waiting if part.round >= last])
    expiring = total([part for part in queue.waiting if part.round == last])
    lost = total([p for p in queue.waiting if last - VALID_ROUNDS <= p.round < last])
    left_s = clock.blocks_left * chain.block_seconds
    severity, summary, remedy, blocked = Severity.OK, _worth(waiting, "waiting"), "", ""
    if expiring.count:
        severity = _how_late(view, clock)
        summary = f"{_worth(expiring, 'to redeem')} within {span(left_s)}, then lost"
        remedy = "see the redeemer's balance, gas cap and log: each is lost with the round's end"
        blocked = _gas_blocks(view, chain, node)
        if blocked:
            remedy = f"{blocked}: raise the cap (set-max-gas-price {node.name}), or they are lost"
    if lost.count:
        told = _worth(lost, "expired, never redeemed")
        summary = f"{summary}; {told}" if severity or waiting.count else told
        severity = max(severity, Severity.WARNING)
        remedy = remedy or "see the redeemer's log of those rounds: balance, gas cap, RPC endpoint"
    if not queue.complete and not severity:
        severity, summary = Severity.UNKNOWN, f"{summary}, and more than is read"
        remedy = "the table has too many different tickets; see the redeemer's log"
    return Finding(
        EXPIRING,
        severity,
        "queue",
        node.name,
        summary,
        tuple(_evidence(view, chain, reading, queue, clock, expiring)),
        remedy if severity else "",
        action="set-max-gas-price" if severity and blocked else "",
        metrics=(
            Metric("tickets_waiting", waiting.count),
            Metric("tickets_expiring", expiring.count),
            Metric("value_waiting_wei", waiting.value, "wei"),
            Metric("value_expiring_wei", expiring.value, "wei"),
            Metric("value_expired_wei", lost.value, "wei"),
        ),
    )


def _gas_blocks(view: View, chain: Chain, node: Node) -> str:
    """The gas cap that keeps a redeemer from sending anything; "" when none is known to."""
    identity = view.fresh(NodeIdentity, node.name)
    prices = view.fresh(GasPrices, chain.network)
    cap = identity.max_gas_price if identity is not None else None
    if prices is None or not cap or prices.gas_price <= cap:
        return ""
    return f"gas at {format_gwei(prices.gas_price)} is above its cap of {format_gwei(cap)}"


def _how_late(view: View, clock: ChainRound) -> Severity:
    """Early in the round that they expire with, tickets of the last one are nothing unusual."""
    limits = view.limits
    if clock.blocks_left < limits.tickets_critical_blocks:
        return Severity.CRITICAL
    left = Percent(100.0 * clock.blocks_left / clock.length)
    return Severity.WARNING if left < limits.tickets_warn_left else Severity.OK


def _evidence(
    view: View,
    chain: Chain,
    reading: Reading[TicketQueue],
    queue: TicketQueue,
    clock: ChainRound,
    expiring: TicketsOfRound,
) -> Iterator[str]:
    for part in queue.waiting[:3]:
        expires = part.round + VALID_ROUNDS - 1
        told = _worth(part, f"of round {part.round}, good until round {expires} ends")
        yield view.says(reading, told)
    yield view.says(reading, f"last redeemed {queue.last_redeemed_at or 'never'} (UTC)")
    if queue.oldest_at:
        yield view.says(reading, f"the oldest that waits came {queue.oldest_at} (UTC)")
    prices = view.reading(GasPrices, chain.network)
    now = view.value(prices)
    if now is None or not expiring.count:
        return
    cost = now.gas_price * redemption_gas(chain.chain_id)
    if expiring.value // expiring.count <= cost:
        price = format_gwei(now.gas_price)
        words = f"at {price} to redeem one costs {_eth(cost)}, more than it is worth: they wait"
        yield view.says(prices, words)


def redemption_errors(view: View) -> Iterator[Finding]:
    """Does the node give tickets up? By its database, and where that is not read by its metrics."""
    chain = view.fleet.chain
    if chain is None:
        return
    clock = view.fresh(ChainRound, chain.network)
    for node in keepers(view.fleet):
        if view.rest(node):
            continue
        reading, metrics_reading = (
            view.reading(TicketQueue, node.name),
            view.reading(NodeMetrics, node.name),
        )
        queue, metrics = view.value(reading), view.value(metrics_reading)
        counted = metrics.redemption_errors if metrics is not None and metrics.monitored else None
        evidence: list[str] = []
        if counted is not None:
            text = f"ticket_redemption_errors {counted} since the node started"
            evidence.append(view.says(metrics_reading, text))
        if queue is not None and clock is not None:
            yield _given_up(view, node, reading, queue, clock, counted, evidence)
        elif counted is not None:
            why = f"its queue is not read: {view.why(reading)}" if queue is None else ""
            yield Finding(
                ERRORS,
                Severity.WARNING if counted else Severity.OK,
                "queue",
                node.name,
                f"{plural(counted, 'redemption')} failed since the node started"
                if counted
                else "no redemption has failed since the node started",
                (*evidence, *((why,) if why else ())),
                "read its log for `Error redeeming`" if counted else "",
                metrics=(Metric("redemption_errors", counted),),
            )
        else:
            cause = view.blocker(node.host, reading) or f"{EXPIRING}@{node.name}"
            yield view.unknown(ERRORS, "queue", node.name, reading, cause=cause)


def _given_up(
    view: View,
    node: Node,
    reading: Reading[TicketQueue],
    queue: TicketQueue,
    clock: ChainRound,
    counted: int | None,
    evidence: list[str],
) -> Finding:
    """A ticket that the contract refuses for good is marked as redeemed, without a transaction."""
    recent = total([part for part in queue.given_up if part.round > clock.round - VALID_ROUNDS])
    severity, summary, remedy = Severity.OK, "no ticket of the last two rounds was given up", ""
    if recent.count:
        severity = Severity.WARNING
        summary = f"{_worth(recent, 'of the last two rounds given up')}: refused, or used before"
        remedy = "read its log for `Error redeeming`: those tickets bring nothing any more"
    elif counted:
        summary += f"; {plural(counted, 'failed try', 'failed tries')} since the node started"
    return Finding(
        ERRORS,
        severity,
        "queue",
        node.name,
        summary,
        (view.says(reading, _worth(recent, "marked as redeemed without a transaction")), *evidence),
        remedy,
        metrics=(
            Metric("redemption_errors", counted),
            Metric("tickets_given_up", recent.count),
            Metric("value_given_up_wei", recent.value, "wei"),
        ),
    )


def _worth(part: TicketsOfRound, what: str) -> str:
    count = plural(part.count, "winning ticket")
    return f"{count} {what}" + (f", worth {_eth(part.value)}" if part.count else "")


def _eth(amount: int) -> str:
    return f"{format_units(amount, 6)} ETH"
