"""Is a node fit to be given traffic? A checklist over what the checks have found.

It judges nothing by itself but the user that the process runs as: each line is the worst of the
findings about the node that belong to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lptui.checks.about import about
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import HostProcesses
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.processes import process_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, SupervisorKind


class Verdict(StrEnum):
    """Of one line, and of the whole list."""

    OK = "ok"
    NOT = "not"
    UNKNOWN = "unknown"
    NONE = "none"

    @property
    def exit_code(self) -> int:
        """Of a whole list."""
        return {Verdict.OK: 0, Verdict.NOT: 1}.get(self, 3)

    @property
    def headline(self) -> str:
        """Of a whole list, for people."""
        return {Verdict.OK: "accepted", Verdict.NOT: "NOT ACCEPTED"}.get(self, "NOT KNOWN")

    @property
    def sign(self) -> str:
        """Of one line."""
        return {Verdict.OK: "ok", Verdict.NOT: "NOT", Verdict.UNKNOWN: "?"}.get(self, "-")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list; NONE: nothing of it is judged at this node.

    Attributes:
        words: what is so, or what is wrong.
        findings: ids of the findings that it rests on.
        cause: id of the finding that explains it, "" for none.
    """

    topic: str
    verdict: Verdict
    words: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    findings: tuple[str, ...] = ()
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The list of one node."""

    node: str
    verdict: Verdict
    lines: tuple[Line, ...]

    def count(self, verdict: Verdict) -> int:
        """How many lines say so."""
        return len(self.of(verdict))

    def of(self, verdict: Verdict) -> tuple[Line, ...]:
        """The lines that say so."""
        return tuple(line for line in self.lines if line.verdict is verdict)

    @property
    def counts(self) -> str:
        """How many lines say what."""
        return ", ".join(
            f"{self.count(verdict)} {name}"
            for verdict, name in (
                (Verdict.OK, "ok"),
                (Verdict.NOT, "not"),
                (Verdict.UNKNOWN, "unknown"),
                (Verdict.NONE, "not judged here"),
            )
        )


USER: Final = "not run as root"

TOPICS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("host reached", ("host-up", "machine-twice")),
    ("memory and load", ("memory", "oom", "load")),
    ("disks", ("disk", "disk-filling")),
    ("open files", ("host-fd", "fd", "fd-limit")),
    ("clock", ("clock",)),
    ("no reboot pending", ("reboot-required",)),
    (
        "host as stated",
        ("ssh-root-login", "ssh-password-login", "security-updates", "disk-encryption"),
    ),
    ("closed ports closed", ("cli-exposed", "port-open", "port-unexpected")),
    ("nothing else runs or fails", ("unknown-process", "units-failed")),
    ("secrets", ("password-visible", "keystore-open", "keystore-blank-passphrase")),
    ("service runs", ("unit-state", "standby")),
    ("started again when it ends", ("restart-policy",)),
    ("runs what is installed", ("unit-stale", "container-stale")),
    (USER, ()),
    ("answers", ("node-up",)),
    ("follows the chain", ("watcher-stalled",)),
    ("gives metrics", ("node-metrics",)),
    ("log without errors", ("log-errors",)),
    ("role", ("role-mismatch",)),
    ("version", ("version-skew", "version-old")),
    ("settings as the others'", ("settings-drift", "prices-agree", "price-drift")),
    ("chain", ("node-chain",)),
    ("account", ("account-expected", "recipient-expected")),
    ("one key, one process", ("registered-key-once", "signer-key-once")),
    ("ETH of its key", ("balance", "runway", "gas-cap", "gateway-funds")),
    ("RPC answers", ("rpc-reachable", "rpc-from-nodes", "rpc-chain")),
    ("RPC in sync", ("rpc-syncing", "rpc-stalled", "rpc-lagging", "rpc-l1-view", "rpc-disagree")),
    ("GPUs", ("gpu-missing", "gpu-problem", "gpu-devices")),
    ("GPUs are well", ("gpu-temperature", "gpu-throttled", "gpu-ecc")),
    ("driver and encoder sessions", ("driver-skew", "nvenc-sessions")),
    ("transcoders", ("transcoders-expected", "transcoder-registered")),
    ("way to the redeemer", ("redeemer-link",)),
    ("service URI", ("service-uri",)),
    ("public addresses answer", ("public-address",)),
)
"""The lines, from the ground up. What only traffic shows, or the balancers do, is left out."""

_OF_CARDS: Final = frozenset({"driver-skew", "nvenc-sessions"})


def acceptance(snapshot: Snapshot, node: Node, findings: Sequence[Finding]) -> Acceptance:
    """The list of a node; `findings` are all of the snapshot's."""
    mine = about(snapshot.fleet, node, findings)
    if not _has_cards(snapshot, node):
        mine = tuple(found for found in mine if found.check not in _OF_CARDS)
    lines = tuple(_lines(snapshot, node, mine))
    verdicts = {line.verdict for line in lines}
    worst = next((v for v in (Verdict.NOT, Verdict.UNKNOWN) if v in verdicts), Verdict.OK)
    return Acceptance(node.name, worst, lines)


def _lines(snapshot: Snapshot, node: Node, findings: Sequence[Finding]) -> Iterator[Line]:
    for topic, checks in TOPICS:
        if topic == USER:
            yield _user(snapshot, node)
        else:
            yield _line(topic, [found for found in findings if found.check in checks])


def _line(topic: str, findings: list[Finding]) -> Line:
    if not findings:
        return Line(topic, Verdict.NONE, "nothing of it is judged here")
    level = max((found.severity for found in findings), key=lambda severity: severity.rank)
    # What is certainly wrong refuses the node, though something else of the line is not known.
    if any(found.severity in (Severity.WARNING, Severity.CRITICAL) for found in findings):
        verdict = Verdict.NOT
        told = [f for f in findings if f.severity in (Severity.WARNING, Severity.CRITICAL)]
    else:
        verdict = Verdict.UNKNOWN if level is Severity.UNKNOWN else Verdict.OK
        told = [found for found in findings if found.severity is level]
    return Line(
        topic,
        verdict,
        "; ".join(dict.fromkeys(found.summary for found in told)),
        tuple(dict.fromkeys(line for found in told for line in found.evidence)),
        "; ".join(dict.fromkeys(found.remedy for found in told if found.remedy)),
        tuple(found.id for found in told),
        next((found.cause for found in told if found.cause), ""),
    )


def _has_cards(snapshot: Snapshot, node: Node) -> bool:
    there = snapshot.value(HostGpus, node.host)
    host = snapshot.fleet.hosts.get(node.host)
    return bool(there and there.gpus) or bool(host and host.gpus)


def _user(snapshot: Snapshot, node: Node) -> Line:
    """Of a process that systemd or nobody supervises: a container's root is not the host's."""
    is_boxed = node.service is not None and node.service.kind is SupervisorKind.CONTAINER
    if is_boxed or not node.is_livepeer:
        why = "it runs in a container" if is_boxed else "only of Livepeer's processes"
        return Line(USER, Verdict.NONE, why)
    reading = snapshot.reading(HostProcesses, node.host)
    process = process_of(snapshot, node)
    if process is None or not process.user:
        problem = reading.problem
        why = str(problem) if problem is not None else "its process is not found"
        return Line(USER, Verdict.UNKNOWN, f"not known: {why}", (reading.source,))
    is_root = process.user == "root"
    age = int(reading.age(snapshot.taken_at))
    return Line(
        USER,
        Verdict.NOT if is_root else Verdict.OK,
        f"runs as {process.user}",
        (f"process {process.pid} ({reading.source}, {age} s ago)",),
        "give it a user of its own: User= of its unit" if is_root else "",
    )
