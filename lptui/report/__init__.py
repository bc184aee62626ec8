"""How scripts are told: text, JSON, Prometheus, Markdown. Imports no screen and no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.errors import LptuiError
from lptui.fleet.finding import Finding
from lptui.fleet.snapshot import Snapshot

CHECK_FORMATS: Final = ("text", "json", "prometheus", "markdown")
PAGE_FORMATS: Final = ("text", "json")
STATUS_FORMATS: Final = ("json", "text")


def refuse_format(verb: str, form: str) -> None:
    """Raises LptuiError for a format that the verb ("check" or "status") does not have."""
    formats = CHECK_FORMATS if verb == "check" else STATUS_FORMATS
    if form not in formats:
        raise LptuiError(verb, f"has no format {form}", f"use {' or '.join(formats)}")


_NO_RUN: Final = """\
# HELP lptui_up 1: lptui ran and wrote this.
# TYPE lptui_up gauge
lptui_up 0
# HELP lptui_status Worst state of all checks: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
# TYPE lptui_status gauge
lptui_status 3
"""


def render_failure(verb: str, form: str, why: str) -> str:
    """What stands on standard output in place of a report that could not be made.

    Whoever reads only that, a monitoring system or a collector, must not take it for old news.
    JSON and Markdown have nothing: an empty document is no document.
    """
    if form == "text" and verb == "check":
        line = why.partition("\n")[0].replace("|", "/")
        return f"UNKNOWN - {line}\n"
    return _NO_RUN if form == "prometheus" else ""


def render_check(
    snapshot: Snapshot,
    findings: Sequence[Finding],
    form: str,
    *,
    took_s: float | None = None,
    page_only: bool = False,
) -> str:
    """The report of a check run in one of CHECK_FORMATS; raises LptuiError for any other.

    `took_s` is how long the run took, in seconds, where that is known; with `page_only` its
    status is that of what is worth a page (PAGE_FORMATS).
    """
    refuse_format("check", form)
    if form == "text":
        from lptui.report.text import render

        return render(snapshot, findings, took_s, page_only=page_only)
    if form == "json":
        from lptui.report.json_report import check_document, dump

        return dump(check_document(snapshot, findings, page_only=page_only))
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
