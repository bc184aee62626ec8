"""How scripts are told: text, JSON, Prometheus, Markdown. Imports no screen and no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.errors import LptuiError
from lptui.fleet.finding import Finding
from lptui.fleet.snapshot import Snapshot

CHECK_FORMATS: Final = ("text", "json", "prometheus", "markdown")
STATUS_FORMATS: Final = ("json", "text")


def refuse_format(verb: str, form: str) -> None:
    """Raises LptuiError for a format that the verb ("check" or "status") does not have."""
    formats = CHECK_FORMATS if verb == "check" else STATUS_FORMATS
    if form not in formats:
        raise LptuiError(verb, f"has no format {form}", f"use {' or '.join(formats)}")


def render_check(
    snapshot: Snapshot, findings: Sequence[Finding], form: str, *, took_s: float | None = None
) -> str:
    """The report of a check run in one of CHECK_FORMATS; raises LptuiError for any other.

    `took_s` is how long the run took, in seconds, where that is known.
    """
    refuse_format("check", form)
    if form == "text":
        from lptui.report.text import render

        return render(snapshot, findings, took_s)
    if form == "json":
        from lptui.report.json_report import check_document, dump

        return dump(check_document(snapshot, findings))
    if form == "prometheus":
        from lptui.report.prometheus import render as render_prometheus

        return render_prometheus(snapshot, findings, took_s)
    from lptui.report.markdown import render as render_markdown

    return render_markdown(snapshot, findings)


def render_status(snapshot: Snapshot, findings: Sequence[Finding], form: str) -> str:
    """The whole snapshot in one of STATUS_FORMATS; raises LptuiError for any other."""
    refuse_format("status", form)
    if form == "json":
        from lptui.report.json_report import dump, status_document

        return dump(status_document(snapshot, findings))
    from lptui.report.status_text import render

    return render(snapshot, findings)
