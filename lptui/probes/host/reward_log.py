"""What a node's log says of its own tries to call reward, looked for while one is missing.

go-livepeer logs `Called reward for round N`, or once `Error trying to call reward for round N
err="…"` (eth/rewardservice.go): the only place where it says why it did not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from lptui.fleet.callers import orchestrator, served_by
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, RewardHistory
from lptui.fleet.facts.reward import NodeRewardLog, RewardTry
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node, Role
from lptui.fleet.units import Round
from lptui.probes.logs.scan import MOST_TRIES
from lptui.text import clean

SLACK_S: Final = 120.0
"""Clocks of chain and host: the log is read from so long before the round began."""

_CALLED: Final = re.compile(r"Called reward for round (\d{1,12})\b", re.ASCII)
_FAILED: Final = re.compile(
    r"Error trying to call reward for round (\d{1,12})\b(?: err=(.*))?", re.ASCII
)


def may_call(fleet: Fleet) -> frozenset[str]:
    """The nodes that call reward, by what the configuration says of them."""
    chain = fleet.chain
    if chain is None:
        return frozenset()
    registered = {item.address for item in chain.orchestrators}
    named = {item.reward_caller for item in chain.orchestrators}
    return frozenset(
        node.name
        for node in fleet.nodes.values()
        if node.name in named or node.account in registered or Role.REWARD in node.roles
    )


def due_since(snapshot: Snapshot, node: Node) -> float | None:
    """Since when (UTC seconds) a reward that this node may call is due; None when none is."""
    chain = snapshot.fleet.chain
    reading = snapshot.reading(ChainRound, chain.network if chain else "")
    clock = reading.value
    if chain is None or clock is None or not clock.initialized:
        return None
    for name in served_by(snapshot, node):
        registered = orchestrator(snapshot, name)
        record = snapshot.value(OrchestratorRecord, name)
        if registered is None or record is None or not record.active:
            continue
        if record.last_reward_round < clock.round:
            history = snapshot.value(RewardHistory, name)
            if history is not None and history.begun_at is not None:
                return history.begun_at
            return reading.taken_at - clock.blocks_into * chain.block_seconds
    return None


def tries_of(lines: Iterable[tuple[float, str]]) -> tuple[RewardTry, ...]:
    """The tries that lines with their times tell of, oldest first, each once."""
    found: dict[RewardTry, None] = {}
    for at, line in sorted(lines, key=lambda one: one[0]):
        called, failed = _CALLED.search(line), _FAILED.search(line)
        if called is not None:
            found[RewardTry(Round(int(called[1])), True, "", at)] = None
        elif failed is not None:
            why = clean((failed[2] or "").strip().strip('"'), 200)
            found[RewardTry(Round(int(failed[1])), False, why, at)] = None
    return tuple(found)[-MOST_TRIES:]


def reaches(known: NodeRewardLog, due: float) -> bool:
    """Whether a log was read from when a reward became due, or from its own beginning."""
    return known.since_at is not None and (known.is_partial or known.since_at - SLACK_S <= due)


def joined(known: NodeRewardLog, new: Iterable[RewardTry], due: float) -> NodeRewardLog:
    """The same log read on; `due` is since when a reward is."""
    both = sorted(dict.fromkeys((*known.tries, *new)), key=lambda one: one.at)
    is_partial = known.is_partial and known.since_at is not None and known.since_at > due
    return NodeRewardLog(tuple(both[-MOST_TRIES:]), known.since_at, is_partial)
