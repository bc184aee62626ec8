"""What a check sees of a snapshot: readings by topic, what is fresh, and why something is not.

Everything is derived from the snapshot; the caches only save doing it once a check.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Final, TypeVar, cast

from lptui.checks.words import ago, span
from lptui.errors import ProblemKind
from lptui.fleet.chains import of_the_past
from lptui.fleet.duty import rest
from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.facts.connections import HostConnections
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import (
    HostClock,
    HostDisks,
    HostListeners,
    HostProcesses,
    HostSystem,
    HostUnits,
    HostVitals,
)
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.facts.safety import HostSafety
from lptui.fleet.facts.upkeep import HostBackups, HostGrowth, HostImages, HostUnitTexts
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.reading import SLACK_S, Reading, unread
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

T = TypeVar("T")

LOST_KINDS: Final = frozenset(
    {
        ProblemKind.TIMEOUT,
        ProblemKind.REFUSED,
        ProblemKind.UNREACHABLE,
        ProblemKind.DISCONNECTED,
        ProblemKind.HOST_KEY_UNKNOWN,
        ProblemKind.HOST_KEY_CHANGED,
        ProblemKind.AUTHENTICATION,
        ProblemKind.JUMP_HOST,
        ProblemKind.SSH_PROTOCOL,
    }
)
"""Problems of a host's first reading that mean: it could not be reached."""

UNASKED_KINDS: Final = frozenset(
    {
        ProblemKind.NO_SHELL,
        ProblemKind.SSH_CONFIG,
        ProblemKind.SECRET,
        ProblemKind.NOT_CONFIGURED,
        ProblemKind.FORBIDDEN,
        ProblemKind.RUN_DEADLINE,
    }
)
"""Problems that say nothing of the host, but keep it from being asked."""

HOST_TOPICS: Final[frozenset[type]] = frozenset(
    {
        HostUnits,
        HostDisks,
        HostSystem,
        HostClock,
        HostListeners,
        HostProcesses,
        HostConnections,
        HostGpus,
        HostSafety,
        HostGrowth,
        HostBackups,
        HostUnitTexts,
        HostImages,
    }
)
"""What is read of a host besides its vitals, over the same connection."""

SILENCE: Final = frozenset(
    {
        ProblemKind.TIMEOUT,
        ProblemKind.REFUSED,
        ProblemKind.UNREACHABLE,
        ProblemKind.DISCONNECTED,
        ProblemKind.HTTP_STATUS,
        ProblemKind.HTTP_PROTOCOL,
        ProblemKind.TLS,
        ProblemKind.RPC_ERROR,
        ProblemKind.RATE_LIMITED,
        ProblemKind.BAD_ANSWER,
        ProblemKind.OUTPUT_TOO_LARGE,
    }
)
"""Problems of an interface that mean: whoever relies on it gets nothing from it either.

The others (no program, no permission, a setting of lptui's) keep the console from knowing.
"""


class View:
    """A snapshot as the checks read it.

    `limits` are the fleet's thresholds, `now` the snapshot's own time.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.fleet = snapshot.fleet
        self.limits = snapshot.fleet.thresholds
        self.now = now = snapshot.taken_at
        self._topics: dict[type, dict[str, Reading[object]]] = defaultdict(dict)
        self._fresh: set[int] = set()
        self._drops: dict[str, Reading[object]] = {}
        intervals = self.limits.stale_intervals
        for key, reading in snapshot.readings.items():
            self._topics[key.topic][key.target] = reading
            # Reading.is_stale, without a call for each of thousands of readings.
            lasts = reading.interval_s * intervals + reading.took_s
            age = now - reading.taken_at
            if reading.value is not None and -SLACK_S <= age <= max(5.0, lasts):
                self._fresh.add(id(reading))
            elif (
                reading.problem is not None
                and reading.problem.kind is ProblemKind.DISCONNECTED
                and key.topic in HOST_TOPICS
            ):
                self._drops[key.target] = reading
        self._nodes: dict[str, list[Node]] = {}
        for node in self.fleet.nodes.values():
            self._nodes.setdefault(node.host, []).append(node)
        self._resting: dict[str, str] = {}
        self._seen: dict[int, str] = {}
        self._blockers: dict[str, str] = {}

    def nodes_on(self, host: str) -> list[Node]:
        """Nodes of one host, in the configuration's order."""
        return self._nodes.get(host, [])

    def rest(self, node: Node) -> str:
        """Why a node is stopped as it should be; "" when it runs, or should."""
        found = self._resting.get(node.name)
        if found is None:
            found = self._resting[node.name] = rest(self.snapshot, node)
        return found

    def readings(self, topic: type[T]) -> dict[str, Reading[T]]:
        """All readings of a topic by target."""
        return cast("dict[str, Reading[T]]", self._topics[topic])

    def reading(self, topic: type[T], target: str) -> Reading[T]:
        """One reading; an unread one when there is none."""
        found = self._topics[topic].get(target)
        return unread(topic.__name__) if found is None else found  # type: ignore[return-value]

    def is_fresh(self, reading: Reading[T]) -> bool:
        """Whether a reading of the snapshot has a value that is not stale."""
        return id(reading) in self._fresh

    def value(self, reading: Reading[T]) -> T | None:
        """The value of a reading of the snapshot, if it is fresh."""
        return reading.value if id(reading) in self._fresh else None

    def fresh(self, topic: type[T], target: str) -> T | None:
        """The value of a topic for a target, if it is fresh."""
        found = self._topics[topic].get(target)
        if found is None or id(found) not in self._fresh:
            return None
        return found.value  # type: ignore[return-value]

    def seen(self, reading: Reading[T]) -> str:
        """Where and when: `ssh edge-1: /proc, 2 s ago`."""
        found = self._seen.get(id(reading))
        if found is None:
            age = reading.age(self.now)
            told = f"{int(age)} s ago" if age < 120 else ago(age)
            found = f"{reading.source}, {told}"
            self._seen[id(reading)] = found
        return found

    def says(self, reading: Reading[T], fact: str) -> str:
        """A line of evidence: what was read, where and when."""
        return f"{fact} ({self.seen(reading)})"

    def blocker(self, host: str | None, reading: Reading[T] | None = None) -> str:
        """Id of the finding that says why a host cannot be asked; "" when it can.

        For a host behind a jump host of the fleet that is lost too, it is the jump host's.
        A host that can be asked again explains a `reading` that its connection was lost over.
        """
        if host is None:
            return ""
        problem = reading.problem if reading is not None else None
        if problem is not None and problem.kind is ProblemKind.DISCONNECTED and host in self._drops:
            return self.blocker(host) or f"host-up@{host}"
        found = self._blockers.get(host)
        if found is None:
            found = self._blockers[host] = self._find_blocker(host, ())
        return found

    def _find_blocker(self, name: str, passed: tuple[str, ...]) -> str:
        host = self.fleet.hosts.get(name)
        problem = self.reading(HostVitals, name).problem
        if host is None or name in passed:
            return ""
        if problem is None or problem.kind not in LOST_KINDS | UNASKED_KINDS:
            return ""
        for jump in host.ssh.jump if host.ssh else ():
            found = self._find_blocker(jump, (*passed, name))
            if found:
                return found
        return f"host-up@{name}"

    def drop_of(self, host: str) -> Reading[object] | None:
        """A reading of a host that failed because its connection was lost meanwhile."""
        return self._drops.get(host)

    def chain_blocker(self) -> str:
        """Id of the finding that says why the chain cannot be read; "" when none does.

        It is that of the first of the chain's endpoints that fails, or of the round itself. While
        the round can be read, an endpoint that fails explains nothing: another one answers.
        """
        chain = self.fleet.chain
        if chain is None or self.fresh(ChainRound, chain.network) is not None:
            return ""
        problem = self.reading(ChainRound, chain.network).problem
        if problem is not None and problem.kind is ProblemKind.WRONG_CHAIN:
            return next((f"rpc-chain@{n}" for n in chain.rpcs if self.is_astray(n)), "")
        for name in chain.rpcs:
            rpc = self.fleet.rpcs.get(name)
            if rpc is not None and self.reading(RpcHead, name).problem is not None:
                return self.blocker(rpc.via) or f"rpc-reachable@{name}"
        # The endpoints are well: the round, which all else is counted in, is what is missing.
        return f"round-initialized@{chain.network}" if problem is not None else ""

    def as_of(self, finding: Finding) -> Finding:
        """A finding on the chain's state; what is well as of an old head is not known now."""
        since = of_the_past(self.snapshot)
        chain = self.fleet.chain
        clock = self.fresh(ChainRound, chain.network) if chain else None
        if finding.severity or since is None or clock is None:
            return finding
        age = max(0.0, self.now - since)
        return replace(
            finding,
            severity=Severity.UNKNOWN,
            summary=f"not known now; {span(age)} ago: {finding.summary}",
            evidence=(*finding.evidence, f"head {clock.head} of {clock.rpc} is {span(age)} old"),
            remedy="get an RPC endpoint whose head moves",
            cause=f"rpc-stalled@{clock.rpc}",
        )

    def is_astray(self, rpc: str) -> bool:
        """Whether one of the chain's endpoints serves another chain."""
        chain = self.fleet.chain
        reading = self.reading(RpcHead, rpc)
        if chain is None or rpc not in chain.rpcs:
            return False
        if reading.problem is not None:
            return reading.problem.kind is ProblemKind.WRONG_CHAIN
        return reading.value is not None and reading.value.chain_id != chain.chain_id

    def why(self, reading: Reading[T]) -> str:
        """Why a reading cannot be used."""
        if reading.problem is not None:
            return str(reading.problem)
        return f"last read {ago(reading.age(self.now))}, due every {span(reading.interval_s)}"

    def unknown(
        self,
        check: str,
        subject: str,
        target: str,
        reading: Reading[T],
        *,
        cause: str = "",
    ) -> Finding:
        """The finding of a check that lacks a reading."""
        problem = reading.problem
        evidence = [self.seen(reading)]
        if reading.last_good is not None:
            evidence.append(f"last good reading {ago(reading.last_good.age(self.now))}")
        return Finding(
            check,
            Severity.UNKNOWN,
            subject,
            target,
            f"not known: {self.why(reading)}",
            tuple(evidence),
            remedy=problem.remedy if problem else "see why the source is not answering",
            cause=cause,
        )
