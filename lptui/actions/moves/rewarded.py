"""Move `rewarded`: tells where the round's reward stands once another node has its key.

It only tells: a reward that is still to be called is no reason to give the key back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.moves.move import Looking, Seen, Standing
from lptui.actions.plan import Step
from lptui.actions.spec import Source
from lptui.checks.keys import reward_caller
from lptui.checks.reward import reward_due
from lptui.checks.view import View
from lptui.fleet.callers import served_by
from lptui.fleet.duty import holders
from lptui.fleet.finding import Finding
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role
from lptui.fleet.units import Address

KIND: Final = "rewarded"

LOOK_S: Final = 15.0


def orchestrators(snapshot: Snapshot, node: Node, account: Address) -> tuple[str, ...]:
    """Those whose reward is called with a node's key, by the configuration."""
    chain = snapshot.fleet.chain
    names = {holder.name for holder in holders(snapshot, node)}
    served = {name for holder in holders(snapshot, node) for name in served_by(snapshot, holder)}
    return tuple(
        item.name
        for item in (chain.orchestrators if chain is not None and chain.rpcs else ())
        if item.name in served
        and (Role.REWARD in node.roles or item.address == account or item.reward_caller in names)
    )


def step(snapshot: Snapshot, node: Node, names: Sequence[str]) -> Step:
    """The step that tells of these orchestrators' reward, and who calls it now."""
    chain = snapshot.fleet.chain
    hosts = dict.fromkeys(holder.host for holder in holders(snapshot, node))
    return Step(
        title="tell of the reward",
        target=", ".join(names),
        call=f"reads the chain, and who {node.name} is",
        precondition=f"{node.name} acts with the key",
        postcondition="said who calls it, and whether it was called in this round",
        deadline_s=LOOK_S,
        undo="only looks",
        kind=KIND,
        given=(
            ("node", node.name),
            ("network", chain.network if chain is not None else ""),
            *(("host", host) for host in hosts),
            *(("orchestrator", name) for name in names),
        ),
        returns=True,
    )


class RewardedMove(Looking):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        hosts = [value for key, value in step.given if key == "host"]
        return (
            ("node-identity", step.value("node")),
            *(("host-units", host) for host in hosts),
            ("chain", step.value("network")),
        )

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        view = View(now)
        names = [value for key, value in step.given if key == "orchestrator"]
        callers, rewards = list(reward_caller(view)), list(reward_due(view))
        told = [f"{name}: {_of(name, callers)}; its reward: {_of(name, rewards)}" for name in names]
        return Seen(Standing.MADE, "; ".join(told))


def _of(name: str, findings: Sequence[Finding]) -> str:
    found = next((one for one in findings if one.target == name), None)
    if found is None:
        return "not known"
    return f"{found.summary} ({found.remedy})" if found.remedy and found.severity else found.summary
