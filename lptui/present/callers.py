"""Who calls an orchestrator's reward, what it costs against what it mints, and automatic calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.actions import sender
from lptui.fleet.callers import Caller, calls_by_itself, orchestrator, reward_callers
from lptui.fleet.facts.chain import ChainRound, GasPrices, OrchestratorRecord, SignerAccount
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.minting import mint_of
from lptui.fleet.retry import Decision, Standing
from lptui.fleet.topology import Chain, Orchestrator
from lptui.fleet.units import format_gwei, format_units, short_address
from lptui.present.model import Line, Row, Span, Tone
from lptui.present.view import View
from lptui.present.words import duration

MOST_LINES: Final = 2
"""Decisions about automatic calls in a pane that has little room for them."""

_TONES: Final = {
    Standing.DUE: Tone.ACCENT,
    Standing.HINDERED: Tone.WARN,
    Standing.WAITING: Tone.NORMAL,
    Standing.IDLE: Tone.MUTED,
}
_ORDER: Final = tuple(_TONES)


def automatic_lines(view: View) -> tuple[Line, ...]:
    """That automatic calls are armed, when the next one may come, and why not now."""
    found = sorted(view.retries, key=lambda one: _ORDER.index(one.standing))
    lines = [_decided(view, one) for one in found[:MOST_LINES]]
    if len(found) > MOST_LINES:
        lines.append((Span(f"  and {len(found) - MOST_LINES} more", Tone.MUTED),))
    return tuple(lines)


def _decided(view: View, one: Decision) -> Line:
    return (
        Span("automatic ", Tone.MUTED),
        Span("armed ", Tone.OK),
        Span(f"{one.orchestrator} {one.tries}/{one.most} ", Tone.MUTED),
        Span(_state(view, one), _TONES[one.standing]),
    )


def _state(view: View, one: Decision) -> str:
    if one.standing is Standing.WAITING and one.at is not None:
        return f"next try in {duration(max(0.0, one.at - view.now))} ({one.why})"
    if one.standing is Standing.DUE:
        return "now"
    return one.why if one.standing is Standing.IDLE else f"not now: {one.why}"


def caller_lines(view: View, row: Row) -> Iterator[Line]:
    """What the detail of an orchestrator's row shows of its callers."""
    snapshot = view.snapshot
    chain = snapshot.fleet.chain
    registered = orchestrator(snapshot, row.subject("orchestrator") or "")
    if chain is None or registered is None:
        return
    yield (Span(" Callers", Tone.ACCENT), Span("  who may call, and what a call costs", Tone.MUTED))
    record = snapshot.fresh(OrchestratorRecord, registered.name)
    yield (Span("   contract   ", Tone.MUTED), Span(_delegate(view, record)))
    callers = reward_callers(snapshot, registered, record)
    for caller in callers:
        yield _caller(view, caller)
    if not callers:
        yield (Span("   node       ", Tone.MUTED), Span("none of the fleet's may call", Tone.WARN))
    yield from _money(view, chain, registered, callers)
    yield _automatic(view, chain, registered)
    yield ()


def _delegate(view: View, record: OrchestratorRecord | None) -> str:
    """What the contract says of another caller than the registered key."""
    if record is None:
        return "not read"
    if record.has_reward_caller is False:
        return "knows no delegated callers (LIP-118 is not deployed there)"
    if record.has_reward_caller is None:
        return "does not tell whether another key may call"
    who = record.reward_caller
    if who is None:
        return "the registered key alone may call"
    found = view.snapshot.all(NodeIdentity)
    nodes = [name for name, one in found if one.value is not None and one.value.account == who]
    return f"names {who} as caller besides ({', '.join(nodes) or 'no node of the fleet'})"


def _caller(view: View, caller: Caller) -> Line:
    key = "delegated key" if caller.delegated else "registered key"
    does = {True: "calls by itself", False: "only on request", None: "its flags are not seen"}[
        calls_by_itself(view.snapshot, caller)
    ]
    account = view.snapshot.fresh(SignerAccount, caller.account)
    have = f"{format_units(account.balance, 6)} ETH" if account is not None else "balance not read"
    identity = caller.identity.value
    offered = identity.tx_routes if identity is not None else None
    route = {True: "", False: ", its routes are off (404)", None: ", its routes are not known"}
    old = Tone.MUTED if view.is_old(caller.identity) else Tone.NORMAL
    return (
        Span("   node       ", Tone.MUTED),
        Span(f"{caller.node.name} ", Tone.STRONG),
        Span(f"{key} {short_address(caller.account)}, {does}, {have}{route[offered]}", old),
    )


def _money(
    view: View, chain: Chain, registered: Orchestrator, callers: tuple[Caller, ...]
) -> Iterator[Line]:
    """What a call costs now, what it mints, and the gas cap that blocks it."""
    snapshot = view.snapshot
    gas = snapshot.fleet.thresholds.reward_gas
    cost = sender.cost(snapshot, chain, callers[0].node, gas) if callers else None
    yield (Span("   cost now   ", Tone.MUTED), Span(sender.cost_words(cost)))
    now = snapshot.fresh(ChainRound, chain.network)
    mint = mint_of(chain, now, snapshot.fresh(OrchestratorRecord, registered.name))
    words = str(mint) if mint is not None else "not known: a part of it could not be read"
    yield (Span("   mints      ", Tone.MUTED), Span(words))
    prices = snapshot.fresh(GasPrices, chain.network)
    for caller in callers:
        identity = caller.identity.value
        cap = identity.max_gas_price if identity is not None else None
        if prices is not None and cap and prices.gas_price > cap:
            price = format_gwei(prices.gas_price)
            words = f"gas at {price} is above {caller.node.name}'s cap of {format_gwei(cap)}"
            yield (Span("   BLOCKED    ", Tone.CRITICAL), Span(words, Tone.WARN))


def _automatic(view: View, chain: Chain, registered: Orchestrator) -> Line:
    head = Span("   automatic  ", Tone.MUTED)
    if chain.reward_retry is None:
        return (head, Span("off: lptui calls only on request (chain.reward_retry)", Tone.MUTED))
    one = next((d for d in view.retries if d.orchestrator == registered.name), None)
    if one is None:
        return (head, Span("armed; this console has not looked yet"))
    tries = f"  {one.tries} of {one.most} tries made"
    state = Span(f"armed: {_state(view, one)}", _TONES[one.standing])
    return (head, state, Span(tries, Tone.MUTED))
