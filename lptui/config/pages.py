"""What the operator says of pages, as the checks take it."""

from __future__ import annotations

from lptui.config.schema_limits import PagingSpec
from lptui.fleet.finding import Severity
from lptui.fleet.paging import FAILING, GRAVE, Paging


def paging_of(spec: PagingSpec | None) -> Paging | None:
    """The quiet hours and what pages when; None where nothing is said of pages."""
    if spec is None:
        return None
    return Paging(
        tuple(spec.quiet_hours),
        spec.timezone or "UTC",
        _severities(spec.severities, FAILING),
        _severities(spec.quiet_severities, GRAVE),
        frozenset(spec.always or ()),
        frozenset(spec.can_wait or ()),
    )


def _severities(words: list[str] | None, usual: frozenset[Severity]) -> frozenset[Severity]:
    return usual if words is None else frozenset(Severity[word.upper()] for word in words)
