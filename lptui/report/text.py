"""Monitoring-plugin text: one line with performance data, then one line for each thing not well.

What is well is counted in the first line; the other formats name it.

The first line stays below 4 KB (old transports cut there) and everything is ASCII; what is left
of the performance data follows the last line after a second `|`, as the plugin format allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Final

from lptui.checks import failing, overall
from lptui.checks.paging import words, worth_a_page
from lptui.fleet.chains import of_the_past
from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.finding import Finding, Metric
from lptui.fleet.snapshot import Snapshot
from lptui.text import clean, plural

LINE_BYTES: Final = 4000
_SUMMARY_CHARACTERS: Final = 1200
_PLACES: Final = {
    "\u2026": "...",
    "\u2013": "-",
    "\u2014": "-",
    "\u00b7": "-",
    "\u2018": "'",
    "\u2019": "'",
    "\u00b0": " deg ",
    "\u00b1": "+/-",
}
_UNITS: Final = frozenset({"s", "ms", "us", "%", "B", "KB", "MB", "TB", "c"})


def render(
    snapshot: Snapshot,
    findings: Sequence[Finding],
    took_s: float | None = None,
    *,
    page_only: bool = False,
) -> str:
    """The whole report, ending with a newline; with `page_only` only of what is worth a page."""
    every = findings
    findings = worth_a_page(every) if page_only else every
    first = plain(_first(snapshot, findings) + (_waiting(every) if page_only else ""))
    if len(first) > _SUMMARY_CHARACTERS:
        first = first[: _SUMMARY_CHARACTERS - 3] + "..."
    data = list(perfdata(findings, took_s))
    fitting, room = [], LINE_BYTES - len(first) - 1
    while data and len(data[0]) + 1 <= room:
        room -= len(data[0]) + 1
        fitting.append(data.pop(0))
    lines = [f"{first}|{' '.join(fitting)}" if fitting else first]
    lines += [plain(_line(found)) for found in findings if found.severity]
    if data:
        rest = list(_packed(data))
        lines.append(f"more performance data:|{rest[0]}")
        lines += rest[1:]
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """One ASCII line without the sign that begins performance data."""
    for sign, place in _PLACES.items():
        text = text.replace(sign, place)
    text = clean(text, 2000).replace("…", "...").replace("|", "/")
    return text.encode("ascii", "replace").decode("ascii")


def _first(snapshot: Snapshot, findings: Sequence[Finding]) -> str:
    status = overall(findings)
    bad = failing(findings)
    total = plural(len(findings), "check")
    if not findings:
        return f"{status.name} - nothing was checked"
    if not bad:
        return f"{status.name} - {total} well{_round(snapshot)}"
    told = ", ".join(f"{found.check}({found.target}) {clean(found.summary, 150)}" for found in bad)
    explained = sum(bool(found.severity and found.cause) for found in findings)
    more = f" (and {explained} that follow from these)" if explained else ""
    return f"{status.name} - {len(bad)}/{len(findings)} checks failing{more}: {told}"


def _waiting(findings: Sequence[Finding]) -> str:
    """What is not well and not worth a page now."""
    held = [found.id for found in findings if found.page is not None and not found.page.now]
    return f"; no page for {', '.join(held)}" if held else ""


def _round(snapshot: Snapshot) -> str:
    chain = snapshot.fleet.chain
    clock = snapshot.fresh(ChainRound, chain.network) if chain else None
    if clock is None or of_the_past(snapshot) is not None:
        return ""
    return f", round {clock.round}, {plural(clock.blocks_left, 'block')} left"


def _line(found: Finding) -> str:
    text = f"{found.severity.name} {found.id} - {found.summary}"
    if paged := words(found):
        text += f" ({paged})"
    if found.cause:
        return f"{text} (because of {found.cause})"
    if found.remedy:
        text += f" -> {found.remedy}"
    if found.evidence:
        text += f" [{'; '.join(found.evidence)}]"
    return text


def perfdata(findings: Iterable[Finding], took_s: float | None = None) -> Iterator[str]:
    """Performance data: what fails first, each label once."""
    used: set[str] = set()
    if took_s is not None:
        yield f"'run_time'={_number(took_s)}s"
        used.add("run_time")
    for found in findings:
        for metric in found.metrics:
            label = _label(f"{found.target} {metric.label}")
            if label in used:
                label = _label(f"{found.target} {found.check} {metric.label}")
            if label in used:
                continue
            used.add(label)
            yield _datum(label, metric)


def _label(text: str) -> str:
    return plain(text).replace("=", ":").replace("'", "''")[:120].rstrip("'") or "unnamed"


def _datum(label: str, metric: Metric) -> str:
    value = _number(metric.value)
    if value == "U":
        return f"'{label}'=U"
    unit = metric.unit if metric.unit in _UNITS else ""
    warn, critical = (_range(limit, value) for limit in (metric.warn, metric.critical))
    return f"'{label}'={value}{unit};{warn};{critical}".rstrip(";")


def _range(limit: str, value: str) -> str:
    """A limit alone would begin at 0, and call what is below that too much."""
    return f"~:{limit}" if limit and value.startswith("-") and ":" not in limit else limit


def _number(value: float | None) -> str:
    """Digits, a sign and a point at most; `U` for unknown."""
    if value is None:
        return "U"
    if isinstance(value, int):
        return str(int(value))
    if not isfinite(value):
        return "U"
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _packed(data: Sequence[str]) -> Iterator[str]:
    """Performance data in lines of bounded length."""
    line = ""
    for item in data:
        if line and len(line) + len(item) + 1 > LINE_BYTES:
            yield line
            line = ""
        line = f"{line} {item}" if line else item
    yield line
