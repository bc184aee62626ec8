"""How long the signers' money lasts: by what they really spent a round, where that is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.money import accounts
from lptui.checks.view import View
from lptui.checks.words import span
from lptui.fleet.facts.chain import ChainRound, GasPrices, SignerAccount
from lptui.fleet.facts.gas import PaidCall
from lptui.fleet.facts.money import AccountFlow
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.flows import Basis, Runway, runway
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Chain, Signer
from lptui.fleet.units import Wei, format_gwei, format_units
from lptui.text import plural

RUNWAY: Final = "runway"


def signer_runway(view: View) -> Iterator[Finding]:
    """For how many rounds each balance lasts, and in days."""
    chain = view.fleet.chain
    if chain is None:
        return
    prices = view.reading(GasPrices, chain.network)
    for item in accounts(view, RUNWAY):
        if isinstance(item, Finding):
            yield item
            continue
        signer, reading, account = item
        found = runway_of(view, chain, signer, account)
        if found is None:
            cause = view.chain_blocker()
            yield view.unknown(RUNWAY, "signer", signer.name, prices, cause=cause)
        else:
            yield _finding(view, chain, signer, reading, found)


def runway_of(view: View, chain: Chain, signer: Signer, account: SignerAccount) -> Runway | None:
    """A signer's runway; None when neither its burn nor a price is known."""
    clock = view.fresh(ChainRound, chain.network)
    prices = view.fresh(GasPrices, chain.network)
    flow = view.fresh(AccountFlow, signer.address)
    length = _round_seconds(chain, clock)
    return runway(
        account.balance,
        flow.balance if flow is not None and clock is not None else None,
        length or 0.0,
        Wei(prices.gas_price * view.limits.reward_gas) if prices is not None else None,
        _paid(view, chain) if prices is not None else None,
    )


def _paid(view: View, chain: Chain) -> Wei | None:
    """The dearest of the orchestrators' last reward calls."""
    found = [view.fresh(PaidCall, item.name) for item in chain.orchestrators]
    return max((call.cost for call in found if call is not None), default=None)


def _round_seconds(chain: Chain, clock: ChainRound | None) -> float | None:
    return clock.length * chain.block_seconds if clock is not None else None


def _finding(
    view: View, chain: Chain, signer: Signer, reading: Reading[SignerAccount], found: Runway
) -> Finding:
    limits = view.limits
    length = _round_seconds(chain, view.fresh(ChainRound, chain.network))
    severity = Severity.OK
    if found.rounds is not None and found.rounds < limits.runway_critical_rounds:
        severity = Severity.CRITICAL
    elif found.rounds is not None and found.rounds < limits.runway_warn_rounds:
        severity = Severity.WARNING
    days = found.days(length) if length is not None else None
    balance = reading.value.balance if reading.value is not None else 0
    return Finding(
        RUNWAY,
        severity,
        "signer",
        signer.name,
        _summary(view, chain, found, days),
        (view.says(reading, _eth(balance)), *_evidence(view, chain, signer, found)),
        remedy=f"send ETH to {signer.address}" if severity else "",
        metrics=(
            Metric(
                "runway_rounds",
                found.rounds,
                "",
                f"{limits.runway_warn_rounds}:",
                f"{limits.runway_critical_rounds}:",
            ),
            Metric("runway_days", None if days is None else round(days, 2)),
            Metric("burn_wei", found.burn, "wei"),
        ),
    )


def _summary(view: View, chain: Chain, found: Runway, days: float | None) -> str:
    if found.rounds is None:
        return "gas costs nothing on this chain now"
    long = "" if days is None else f" ({span(days * 86_400)})"
    last = f"enough for {plural(found.rounds, 'round')}{long}"
    if found.basis is Basis.MEASURED:
        over = plural(found.over, "round")
        return f"{last} at {_eth(found.burn)} a round, measured in {over} (p95)"
    if found.basis is Basis.PAID:
        return f"{last} of one reward call at what the last one cost"
    prices = view.fresh(GasPrices, chain.network)
    price = format_gwei(prices.gas_price) if prices is not None else "the present price"
    return f"{last} of one reward call at {price}"


def _evidence(view: View, chain: Chain, signer: Signer, found: Runway) -> Iterator[str]:
    if found.basis is Basis.MEASURED:
        reading = view.reading(AccountFlow, signer.address)
        flow = reading.value.balance if reading.value is not None else None
        recent = flow.rounds[-4:-1] if flow is not None else ()
        told = ", ".join(f"{part.round}: {_eth(part.down)}" for part in recent)
        yield view.says(reading, f"spent in rounds {told}")
        hidden = sum(part.hidden for part in flow.rounds) if flow is not None else 0
        if hidden:
            sent = plural(hidden, "transaction")
            told = f"{sent} sent beside a payment to it or by it, taken at the mean cost"
            yield view.says(reading, told)
        moved = sum(part.moved for part in flow.rounds) if flow is not None else 0
        if moved:
            yield view.says(reading, f"{_eth(moved)} sent elsewhere, which is no cost")
        return
    prices = view.reading(GasPrices, chain.network)
    now = view.value(prices)
    if now is not None:
        cost = now.gas_price * view.limits.reward_gas
        told = f"{format_gwei(now.gas_price)} x {view.limits.reward_gas} gas = {_eth(cost)} a call"
        yield view.says(prices, told)
    for item in chain.orchestrators:
        reading_paid = view.reading(PaidCall, item.name)
        paid = view.value(reading_paid)
        if paid is not None:
            told = f"{item.name}'s last call cost {_eth(paid.cost)}: {paid.gas} gas at"
            yield view.says(reading_paid, f"{told} {format_gwei(paid.price)}, tx {paid.tx}")
    yield "its own spending is not known yet of enough rounds"


def _eth(amount: int) -> str:
    return f"{format_units(amount, 6)} ETH"
