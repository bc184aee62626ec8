"""A gateway's deposit and reserve at the TicketBroker: without them nobody works for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.view import View
from lptui.fleet.facts.chain import ChainRound, SenderDeposit
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.payers import payers
from lptui.fleet.units import Wei, format_units

FUNDS: Final = "gateway-funds"


def gateway_funds(view: View) -> Iterator[Finding]:
    """Deposit and reserve against their limits, and whether they are being taken out.

    Orchestrators refuse a payer from the round before its funds can be withdrawn (go-livepeer
    pm/sendermonitor.go).
    """
    chain = view.fleet.chain
    if chain is None:
        return
    clock = view.fresh(ChainRound, chain.network)
    for address, name in payers(view.snapshot).items():
        reading = view.reading(SenderDeposit, address)
        held = view.value(reading)
        if held is None:
            yield view.unknown(FUNDS, "signer", name, reading, cause=view.chain_blocker())
            continue
        severity, summary, remedy = _verdict(view, held, clock)
        limits = view.limits
        yield Finding(
            FUNDS,
            severity,
            "signer",
            name,
            summary,
            (view.says(reading, f"deposit {_eth(held.deposit)}, reserve {_eth(held.reserve)}"),),
            remedy,
            metrics=(
                Metric(
                    "deposit_wei",
                    held.deposit,
                    "wei",
                    f"{limits.deposit_warn}:",
                    f"{limits.deposit_critical}:",
                ),
                Metric(
                    "reserve_wei",
                    held.reserve,
                    "wei",
                    f"{limits.reserve_warn}:",
                    f"{limits.reserve_critical}:",
                ),
            ),
        )


def _verdict(
    view: View, held: SenderDeposit, clock: ChainRound | None
) -> tuple[Severity, str, str]:
    limits = view.limits
    texts: list[str] = []
    severity = Severity.OK
    for what, amount, warn, critical in (
        ("deposit", held.deposit, limits.deposit_warn, limits.deposit_critical),
        ("reserve", held.reserve, limits.reserve_warn, limits.reserve_critical),
    ):
        level = _level(amount, warn, critical)
        if level:
            limit = critical if level is Severity.CRITICAL else warn
            texts.append(f"{what} {_eth(amount)}, below {_eth(limit)}")
        severity = max(severity, level)
    remedy = "fund its deposit and reserve (livepeer_cli, or /fundDepositAndReserve)"
    if held.withdraw_round:
        soon = clock is not None and held.withdraw_round <= clock.last_initialized + 1
        severity = max(severity, Severity.CRITICAL if soon else Severity.WARNING)
        refused = "orchestrators refuse it" if soon else "then orchestrators refuse it"
        told = f"being unlocked, to be withdrawn from round {held.withdraw_round} on: {refused}"
        texts.insert(0, told)
        remedy = "cancel the unlock (/cancelUnlock), unless the gateway is being given up"
    if not severity:
        return severity, f"deposit {_eth(held.deposit)}, reserve {_eth(held.reserve)}", ""
    return severity, "; ".join(texts), remedy


def _level(amount: Wei, warn: Wei, critical: Wei) -> Severity:
    if amount < critical:
        return Severity.CRITICAL
    return Severity.WARNING if amount < warn else Severity.OK


def _eth(amount: int) -> str:
    return f"{format_units(amount, 6)} ETH"
