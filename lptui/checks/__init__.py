"""What it means: pure functions from a snapshot to findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final

from lptui.checks.paging import routed
from lptui.checks.registry import CHECKS
from lptui.checks.spec import CheckSpec
from lptui.checks.view import View
from lptui.fleet.finding import Finding, Severity, worst
from lptui.fleet.snapshot import Snapshot

__all__ = ["CHECKS", "CheckSpec", "failing", "overall", "run_checks"]

_WORST_FIRST: Final = sorted(Severity, key=lambda severity: -severity.rank)
_ORDER: Final = {check.id: at for at, check in enumerate(CHECKS)}
_TARGET: Final = attrgetter("target")


def run_checks(snapshot: Snapshot, checks: Sequence[CheckSpec] = CHECKS) -> tuple[Finding, ...]:
    """All findings, the worst first; those that are well are among them.

    Never raises: a check that fails itself becomes an UNKNOWN finding that names it.
    """
    view = View(snapshot)
    findings: dict[Severity, list[Finding]] = {severity: [] for severity in _WORST_FIRST}
    for check in sorted(checks, key=attrgetter("id")):
        found: list[Finding] = []
        try:
            found.extend(check.function(view))
            if check.of_chain:
                found = [view.as_of(finding) for finding in found]
        except Exception as error:
            found.append(_broken(check, snapshot, error))
        found.sort(key=_TARGET)
        for finding in found:
            findings[finding.severity].append(finding)
    return routed(view, _explained([f for severity in _WORST_FIRST for f in findings[severity]]))


def _explained(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings with causes followed to their roots.

    A cause that turned out well, or was not looked at, explains nothing and is taken away.
    """
    caused = {found.id: found.cause for found in findings if found.cause}
    if not caused:
        return tuple(findings)
    bad = {found.id for found in findings if found.severity}
    roots: dict[str, str] = {}
    for start in caused:
        root, passed = start, {start}
        while (above := caused.get(root, "")) in bad and above not in passed:
            root = above
            passed.add(root)
        roots[start] = root if root != start else ""
    return tuple(
        replace(found, cause=roots[found.id])
        if found.cause and found.cause != roots[found.id]
        else found
        for found in findings
    )


def _broken(check: CheckSpec, snapshot: Snapshot, error: Exception) -> Finding:
    return Finding(
        check.id,
        Severity.UNKNOWN,
        "fleet",
        snapshot.fleet.name or "fleet",
        f"the check itself failed: {type(error).__name__}",
        (str(error)[:200],),
        "this is a mistake in lptui; please report it with a recording",
    )


def overall(findings: Iterable[Finding]) -> Severity:
    """The worst of all findings; UNKNOWN when nothing was checked at all."""
    severities = [finding.severity for finding in findings]
    return worst(severities) if severities else Severity.UNKNOWN


def failing(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What needs somebody: not well, and not explained by another finding.

    The worst first, and within one severity what costs most (the order of CHECKS).
    """
    bad = [found for found in findings if found.severity and not found.cause]
    last = len(_ORDER)
    return tuple(
        sorted(bad, key=lambda found: (-found.severity.rank, _ORDER.get(found.check, last)))
    )
