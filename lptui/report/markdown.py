"""Markdown for a ticket or a chat: what fails, what follows from it, how much is well."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from lptui.checks import CHECKS, failing, overall
from lptui.clock import iso
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.snapshot import Snapshot
from lptui.text import clean, plural

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|~$&#]|(?<!\w)@)")


def render(snapshot: Snapshot, findings: Sequence[Finding]) -> str:
    """The whole report, ending with a newline."""
    return "\n".join(_lines(snapshot, findings)) + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", clean(text, 600))


def _lines(snapshot: Snapshot, findings: Sequence[Finding]) -> Iterator[str]:
    status = overall(findings)
    bad = failing(findings)
    yield f"# {status.name}: {escape(snapshot.fleet.name or 'fleet')}"
    yield ""
    yield (
        f"{len(bad)} of {plural(len(findings), 'check')} failing, collected at "
        f"{iso(snapshot.taken_at)}."
    )
    if bad:
        yield ""
        yield "| State | Check | Target | What | What to do |"
        yield "| --- | --- | --- | --- | --- |"
        for found in bad:
            cells = (found.check, found.target, found.summary, found.remedy)
            yield f"| {found.severity.name} | {' | '.join(escape(cell) for cell in cells)} |"
        yield from _evidence(bad)
        yield from _following(findings)
    yield from _well(findings)


def _evidence(bad: Sequence[Finding]) -> Iterator[str]:
    yield ""
    yield "## Evidence"
    yield ""
    for found in bad:
        for line in found.evidence:
            yield f"- {escape(found.id)}: {escape(line)}"


def _following(findings: Sequence[Finding]) -> Iterator[str]:
    explained: dict[str, list[str]] = {}
    for found in findings:
        if found.severity and found.cause:
            explained.setdefault(found.cause, []).append(found.id)
    if not explained:
        return
    yield ""
    yield "## What follows from these"
    yield ""
    for cause, names in explained.items():
        told = ", ".join(escape(name) for name in names[:20])
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        yield f"- {escape(cause)} ({len(names)}): {told}{more}"


def _well(findings: Sequence[Finding]) -> Iterator[str]:
    counts = Counter(found.check for found in findings if found.severity is Severity.OK)
    if not counts:
        return
    titles = {check.id: check.title for check in CHECKS}
    yield ""
    yield "## Well"
    yield ""
    for check, count in sorted(counts.items()):
        yield f"- {escape(titles.get(check, check))}: {count}"
