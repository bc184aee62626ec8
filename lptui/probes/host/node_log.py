"""The logs of go-livepeer's nodes, each read once a minute: its errors, and while a reward is due,
its own tries to call it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lptui.errors import LptuiError
from lptui.fleet.facts.logs import LogErrors
from lptui.fleet.facts.reward import NodeRewardLog
from lptui.fleet.logs import sources_of
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet, LogKind, LogSource, Node
from lptui.probes.host.log_errors import added, usable
from lptui.probes.host.reward_log import (
    SLACK_S,
    due_since,
    joined,
    may_call,
    reaches,
    tries_of,
)
from lptui.probes.logs.file_reader import FilesLog
from lptui.probes.logs.reader import LogReader, Look, StampedLog
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left


@dataclass(frozen=True, slots=True)
class NodeLogProbe:
    """See the module."""

    name: str = "node-log"
    needs: tuple[str, ...] = ("chain", "chain-events")

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return [node.name for node in fleet.nodes.values() if node.is_livepeer and log_of(node)]

    def interval_s(self, fleet: Fleet, target: str) -> float:
        slow = fleet.intervals.slow
        return min(slow, fleet.intervals.events) if target in may_call(fleet) else slow

    def source(self, fleet: Fleet, target: str) -> str:
        node = fleet.nodes[target]
        way = "ssh" if fleet.hosts[node.host].ssh else "local"
        return f"{way} {node.host}: {', '.join(map(str, log_of(node)))}"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        errors = Key(LogErrors, target)
        return (errors, Key(NodeRewardLog, target)) if target in may_call(fleet) else (errors,)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        now, node = asking.clock.now(), asking.fleet.nodes[target]
        reader = _reader(asking, node, now)
        before = usable(asking.latest.value(LogErrors, target), now)
        look = await reader.new(before)
        errors = Answer(Key(LogErrors, target), added(before, look, now))
        if target not in may_call(asking.fleet):
            return (errors,)
        tries = await _tries(asking, node, reader, look, goes_on=before is not None)
        return (errors, tries)


async def _tries(
    asking: Asking, node: Node, reader: LogReader, look: Look, *, goes_on: bool
) -> Answer:
    """The node's tries of a round whose reward is due: what is new, and once what was before."""
    key = Key(NodeRewardLog, node.name)
    due = due_since(asking.latest, node)
    if due is None:
        return Answer(key, NodeRewardLog())
    known = asking.latest.value(NodeRewardLog, node.name)
    has_gap = look.scan.from_at is not None
    if known is not None and goes_on and not has_gap and reaches(known, due):
        return Answer(key, joined(known, tries_of(look.scan.tries), due))
    try:
        back = await reader.tries_since(due - SLACK_S)
    except LptuiError as error:
        return Answer(key, problem=error.problem())
    since = due if back.from_at is None else max(due, back.from_at)
    found = tries_of((*back.tries, *look.scan.tries))
    return Answer(key, NodeRewardLog(found, since, is_partial=since > due))


def _reader(asking: Asking, node: Node, now: float) -> LogReader:
    shell, left, sources = asking.reach.shell(node.host), time_left(asking), log_of(node)
    if sources[0].kind is LogKind.FILE:
        return FilesLog(shell, [one.name for one in sources], now, left)
    return StampedLog(shell, sources[0], now, left)


def log_of(node: Node) -> tuple[LogSource, ...]:
    """What is read of a node's logs: one whose lines have their time, else all that are files."""
    sources = sources_of(node)
    timed = tuple(one for one in sources if one.kind is not LogKind.FILE)
    return timed[:1] or sources
