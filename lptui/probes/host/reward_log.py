"""What a node's log says of its own tries to call reward, read while one is missing.

go-livepeer logs `Called reward for round N`, or once `Error trying to call reward for round N
err="…"` (eth/rewardservice.go): the only place where it says why it did not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lptui.errors import BadAnswerError, LptuiError, ProblemKind
from lptui.fleet.callers import orchestrator, served_by
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, RewardHistory
from lptui.fleet.facts.reward import NodeRewardLog, RewardTry
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node, Role, SupervisorKind
from lptui.fleet.units import Round
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.text import clean
from lptui.transport.protocols import Command, ShellFunction

MOST_TRIES: Final = 20
SLACK_S: Final = 120.0
"""Clocks of chain and host: the log is read from so long before the round began."""

_WHAT: Final = "the node's log"

FUNCTION: Final = ShellFunction(
    "lptui_reward_log",
    "lptui_reward_log() { case $1 in systemd) "
    '[ -n "$(journalctl -q --no-pager -o cat -u "$2" -n 1 2>/dev/null)" ] && echo sees; '
    'journalctl -q --no-pager -o short-unix -u "$2" --since "@$3" 2>/dev/null;; '
    "*) for x_t in docker podman; do command -v $x_t >/dev/null 2>&1 || continue; "
    '$x_t logs --tail 1 "$2" >/dev/null 2>&1 && echo sees; '
    '$x_t logs --timestamps --since "$3" "$2" 2>&1; break; done;; esac | '
    f'grep -E "^sees$|reward for round [0-9]" | tail -n {MOST_TRIES + 1}; }}',
)
"""Prints `sees` where the login may read the log at all, then the lines that matter. Real:

    sees
    1795783093.123456 vault-1 livepeer[812]: I1127 12:38:13.123 1 rewardservice.go:119] Called reward for round 4121
"""  # noqa: E501

_STAMP: Final = re.compile(
    r"(?P<unix>\d{9,11}(?:\.\d{1,9})?) |(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z ",
    re.ASCII,
)
_CALLED: Final = re.compile(r"Called reward for round (\d{1,12})\b", re.ASCII)
_FAILED: Final = re.compile(
    r"Error trying to call reward for round (\d{1,12})\b(?: err=(.*))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class RewardLogProbe:
    """The logs of the nodes that call reward, by what the configuration says of them."""

    name: str = "reward-log"
    needs: tuple[str, ...] = ("chain", "chain-events")

    def targets(self, fleet: Fleet) -> Sequence[str]:
        chain = fleet.chain
        if chain is None:
            return ()
        registered = {item.address for item in chain.orchestrators}
        named = {item.reward_caller for item in chain.orchestrators}
        return [
            node.name
            for node in fleet.nodes.values()
            if node.service is not None
            and (node.name in named or node.account in registered or Role.REWARD in node.roles)
        ]

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.events

    def source(self, fleet: Fleet, target: str) -> str:
        node = fleet.nodes[target]
        way = "ssh" if fleet.hosts[node.host].ssh else "local"
        return f"{way} {node.host}: log of {node.service.name if node.service else target}"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(NodeRewardLog, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        key = Key(NodeRewardLog, target)
        node = asking.fleet.nodes[target]
        since = due_since(asking.latest, node)
        if since is None or node.service is None:
            return (Answer(key, NodeRewardLog()),)
        shell = asking.reach.shell(node.host)
        left = max(0.5, asking.deadline_s)
        kind = "systemd" if node.service.kind is SupervisorKind.SYSTEMD else "container"
        argv = (FUNCTION.name, kind, node.service.name, str(int(since - SLACK_S)))
        command = Command(argv, timeout_s=min(5.0, left), function=FUNCTION)
        [output] = await shell.run([command], left)
        if output.status not in (0, 1):
            raise failure(f"{_WHAT} of {target}", output)
        return (Answer(key, parse(output.text, since)),)


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


def parse(text: str, since: float) -> NodeRewardLog:
    """The tries that a log tells of, oldest first. Raises LptuiError where it may not be read,
    BadAnswerError for lines of another kind."""
    lines = text.split("\n")
    if "sees" not in lines[:1]:
        raise LptuiError(
            _WHAT,
            "the login sees nothing of it",
            "let the login read it (group systemd-journal or docker)",
            kind=ProblemKind.FORBIDDEN,
        )
    return NodeRewardLog(tuple(_tries(lines[1:])), since)


def _tries(lines: Sequence[str]) -> Sequence[RewardTry]:
    found = []
    for line in lines[:MOST_TRIES]:
        stamp = _STAMP.match(line)
        called, failed = _CALLED.search(line), _FAILED.search(line)
        if not line or (called is None and failed is None):
            continue
        if stamp is None:
            raise BadAnswerError(_WHAT, f"a line without its time: {clean(line, 80)}")
        at = _time(stamp)
        if called is not None:
            found.append(RewardTry(Round(int(called[1])), True, "", at))
        elif failed is not None:
            why = clean((failed[2] or "").strip().strip('"'), 200)
            found.append(RewardTry(Round(int(failed[1])), False, why, at))
    return found


def _time(stamp: re.Match[str]) -> float:
    if stamp["unix"]:
        return float(stamp["unix"])
    try:
        return datetime.fromisoformat(f"{stamp['iso']}+00:00").timestamp()
    except ValueError:
        raise BadAnswerError(_WHAT, f"no time: {stamp['iso']}") from None
