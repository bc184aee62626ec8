"""Move `safe`: waits until a wave may be taken away, as at the beginning (`--when-safe`).

A coordinated restart lasts: a round may end, and a reward become due, between two waves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lptui.actions import safe
from lptui.actions.moves.move import Looking, Seen, Standing
from lptui.actions.plan import Step
from lptui.actions.spec import Source
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

KIND: Final = "safe"


def steps(
    snapshot: Snapshot, nodes: Sequence[Node], *, wait_s: float, group: str = ""
) -> list[Step]:
    """The step that waits for a wave's turn; none for nodes that the chain does not need."""
    of_work = safe.with_chain(snapshot, nodes)
    chain = snapshot.fleet.chain
    if chain is None or not of_work:
        return []
    waiting = safe.needed(snapshot, of_work)
    return [_step(chain.network, of_work, waiting, wait_s, group)]


def _step(
    network: str,
    nodes: Sequence[Node],
    waiting: Mapping[str, Sequence[str]],
    wait_s: float,
    group: str,
) -> Step:
    return Step(
        title="wait until it is safe",
        target=", ".join(node.name for node in nodes),
        call="reads the round, the rewards and the accounts",
        postcondition="no reward of theirs is due and the round's end is not near; else the plan "
        "stops before they are touched",
        deadline_s=wait_s,
        undo="only waits",
        kind=KIND,
        given=(
            ("network", network),
            *(("node", node.name) for node in nodes),
            *(("orchestrator", name) for name in waiting),
        ),
        group=group,
        returns=True,
    )


class SafeMove(Looking):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return (("chain", step.value("network")),)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        known = now.fleet.nodes
        nodes = [known[name] for name in _values(step, "node") if name in known]
        waiting = {name: [node.name for node in nodes] for name in _values(step, "orchestrator")}
        found = safe.of_round(now, nodes, waiting)
        bad = [one for one in found if one.met is not True]
        if not bad:
            return Seen(Standing.MADE, "; ".join(one.evidence for one in found) or "no chain work")
        words = f"{bad[0].name}: {bad[0].evidence}"
        return Seen(Standing.UNKNOWN if bad[0].met is None else Standing.BEFORE, words)


def _values(step: Step, key: str) -> tuple[str, ...]:
    return tuple(value for name, value in step.given if name == key)
