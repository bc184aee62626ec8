"""Asking the checks for one verdict."""

from __future__ import annotations

from lptui.checks import run_checks
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.snapshot import Snapshot
from tests.snapshots import FleetBuilder

OK, WARNING, CRITICAL, UNKNOWN = (
    Severity.OK,
    Severity.WARNING,
    Severity.CRITICAL,
    Severity.UNKNOWN,
)


def by_id(source: FleetBuilder | Snapshot) -> dict[str, Finding]:
    """All findings of a fleet by their ids."""
    snapshot = source.snapshot() if isinstance(source, FleetBuilder) else source
    found = run_checks(snapshot)
    ids = {finding.id: finding for finding in found}
    assert len(ids) == len(found), "two findings have one id"
    return ids


def finding(source: FleetBuilder | Snapshot, identifier: str) -> Finding:
    """One finding, or a failure that lists what there is."""
    found = by_id(source)
    assert identifier in found, f"no {identifier} among {sorted(found)}"
    return found[identifier]


def severity(source: FleetBuilder | Snapshot, identifier: str) -> Severity:
    """One finding's severity."""
    return finding(source, identifier).severity
