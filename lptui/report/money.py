"""How the reports tell of money: what is spent and earned a round, gas, deposits, tickets."""

from __future__ import annotations

from lptui.checks.words import moment, span
from lptui.fleet.facts.gas import FeeTrend, PaidCall
from lptui.fleet.facts.money import AccountFlow, EarningsFlow, Flow
from lptui.fleet.facts.tickets import RedeemedInRound, Redemptions
from lptui.fleet.units import format_gwei, format_units
from lptui.text import plural


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


def redeemed(value: Redemptions) -> str:
    """What the chain shows redeemed in the last rounds, the newest ticket, and as of when."""
    rounds = ", ".join(_redeemed_in(part) for part in value.rounds[-3:])
    if value.partial is not None:
        rounds = f"round {value.partial.round}: not known" + (f", {rounds}" if rounds else "")
    newest = value.newest
    last = "none seen"
    if newest is not None:
        when = f" at {moment(newest.at)}" if newest.at is not None else ""
        worth = format_units(newest.value, 6)
        last = f"newest {worth} ETH in block {newest.block}{when}, tx {newest.tx}"
    lacking = f"; older logs are not had: {value.missing}" if value.missing else ""
    seen = f"blocks {value.since_block} to {value.upto_block}, read {moment(value.read_at)}, UTC"
    return f"face values by TicketBroker's logs: {rounds or 'no round'}; {last} ({seen}){lacking}"


def _redeemed_in(part: RedeemedInRound) -> str:
    worth = f"{plural(part.count, 'ticket')}, {format_units(part.value, 6)} ETH"
    return f"round {part.round}: {worth}"


def _last(flow: Flow, part: str, unit: str) -> str:
    return ", ".join(
        f"{one.round}: {format_units(getattr(one, part), 6)} {unit} in {span(one.seconds)} watched"
        if one.seconds
        else f"{one.round}: not watched yet"
        for one in flow.rounds[-3:]
    )
