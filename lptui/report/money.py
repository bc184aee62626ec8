"""How the reports tell of money: what is spent and earned a round, gas, deposits, tickets."""

from __future__ import annotations

from lptui.checks.words import span
from lptui.fleet.facts.gas import FeeTrend, PaidCall
from lptui.fleet.facts.money import AccountFlow, EarningsFlow, Flow
from lptui.fleet.units import format_gwei, format_units


def trend(value: FeeTrend) -> str:
    """Base fees of late in a line."""
    if not value.windows:
        return "base fees of late are not told by the endpoint"
    lowest = min(window.lowest for window in value.windows)
    return f"base fee {format_gwei(lowest)} to {format_gwei(value.highest)} of late"


def paid(value: PaidCall) -> str:
    """What the last reward call cost."""
    cost = format_units(value.cost, 9)
    return f"last reward call cost {cost} ETH: {value.gas} gas at {format_gwei(value.price)}"


def account(value: AccountFlow) -> str:
    """What an account spent in its last rounds, as far as it was watched."""
    return f"spent in round {_last(value.balance, 'down', 'ETH')}"


def earnings(value: EarningsFlow) -> str:
    """What an orchestrator's pending fees and stake rose by in its last rounds."""
    parts = []
    if value.fees is not None:
        parts.append(f"pending fees rose in round {_last(value.fees, 'up', 'ETH')}")
    if value.stake is not None:
        parts.append(f"stake rose, bonds included, in round {_last(value.stake, 'up', 'LPT')}")
    return "; ".join(parts) or "not known"


def _last(flow: Flow, part: str, unit: str) -> str:
    return ", ".join(
        f"{one.round}: {format_units(getattr(one, part), 6)} {unit} in {span(one.seconds)} watched"
        if one.seconds
        else f"{one.round}: not watched yet"
        for one in flow.rounds[-3:]
    )
