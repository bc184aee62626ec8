"""Move `watcher`: sees that a node's own block watcher follows the chain through its RPC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.moves.move import Looking, Seen, Standing
from lptui.actions.plan import Step
from lptui.actions.spec import Source
from lptui.fleet.facts.livepeer import NodeBlock
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node
from lptui.text import plural

KIND: Final = "watcher"

WAIT_S: Final = 180.0
"""How long a watcher gets to fill in what it missed."""


def step(node: Node, rpc: str, *, group: str = "") -> Step:
    """The step that waits until a node's watcher is near the head of this endpoint."""
    return Step(
        title="see its block watcher follow",
        target=node.name,
        call=f"reads /currentBlock of {node.name}, and the head of {rpc}",
        precondition=f"{node.name} runs with {rpc}",
        postcondition=f"its watcher moves, and is no further behind {rpc} than the limit",
        deadline_s=WAIT_S,
        undo="only looks",
        kind=KIND,
        given=(("node", node.name), ("rpc", rpc)),
        group=group,
        returns=True,
    )


class WatcherMove(Looking):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return (("node-status", step.value("node")), ("rpc", step.value("rpc")))

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        name = step.value("node")
        block = now.fresh(NodeBlock, name)
        head = now.fresh(RpcHead, step.value("rpc"))
        if block is None or head is None:
            topic, target = (NodeBlock, name) if block is None else (RpcHead, step.value("rpc"))
            problem = now.reading(topic, target).problem
            # It has just been started: no answer is what comes before one.
            standing = Standing.UNKNOWN if begun is None else Standing.BEFORE
            return Seen(standing, str(problem or f"{target} was not read"))
        behind = max(0, head.head - block.block)
        words = f"at block {block.block}, {plural(behind, 'block')} behind {step.value('rpc')}"
        if behind > now.fleet.thresholds.watcher_lag_blocks:
            return Seen(Standing.BEFORE, words)
        before = begun.fresh(NodeBlock, name) if begun is not None else None
        if begun is None or (before is not None and block.block <= before.block):
            return Seen(Standing.BEFORE, f"{words}; not seen to move yet")
        return Seen(Standing.MADE, words)
