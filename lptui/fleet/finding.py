"""Findings: what the checks conclude from a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """As cron and monitoring systems count: the value is the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    @property
    def rank(self) -> int:
        """For "the worst of": unknown is worse than a warning, less bad than critical."""
        return (0, 1, 3, 2)[self]


def worst(severities: list[Severity]) -> Severity:
    """The worst of some severities; OK when there are none."""
    return max(severities, key=lambda severity: severity.rank, default=Severity.OK)


@dataclass(frozen=True, slots=True)
class Metric:
    """A number behind a finding, for performance data. None is unknown."""

    label: str
    value: float | int | None
    unit: str = ""
    warn: str = ""
    critical: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Whether a finding is worth a page now; else `until` when it can wait (UTC seconds).

    `until` None: it is never worth one.
    """

    now: bool
    why: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's verdict on one target.

    Attributes:
        check: the check's id ("reward-due").
        target: the name of what it is about.
        subject: what kind of thing that is: host, node, orchestrator, signer, rpc, balancer,
            server, gpu, fleet, round.
        summary: one line, plain text.
        evidence: readings it rests on, one line each with source and age.
        remedy: one line on what to do; "" when all is well.
        action: id of the action that the remedy refers to, "" for none.
        cause: id of the finding that explains this one ("host-up@edge-1"), "" for none; reports
            count and show it under that one.
        page: None when it is well, or the operator has no quiet hours.
    """

    check: str
    severity: Severity
    subject: str
    target: str
    summary: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    action: str = ""
    metrics: tuple[Metric, ...] = ()
    cause: str = ""
    page: Page | None = None

    @property
    def id(self) -> str:
        return f"{self.check}@{self.target}"
