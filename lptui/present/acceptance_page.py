"""A node's acceptance on the screen: what is to be mended first, then what is not known."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Set
from typing import Final

from lptui.present.acceptance import Acceptance, Verdict
from lptui.present.acceptance import Line as Item
from lptui.present.model import Line, Span, Tone
from lptui.present.view import Findings
from lptui.present.words import age

_TONES: Final = {
    Verdict.OK: Tone.OK,
    Verdict.NOT: Tone.CRITICAL,
    Verdict.UNKNOWN: Tone.UNKNOWN,
    Verdict.NONE: Tone.MUTED,
}

_TOPIC_WIDTH: Final = 29
_LEAST_WORDS: Final = 20

_OLD_S: Final = 60.0
"""A list that is older is not what it comes to now."""


def title(node: str, found: Acceptance | None, findings: Findings) -> Line:
    """The node and what its list comes to, which is open until every source has been asked."""
    name = (Span(" Acceptance ", Tone.MUTED), Span(node, Tone.STRONG))
    is_open = not findings.checked or not findings.settled
    if found is None or (is_open and found.verdict is not Verdict.NOT):
        return (*name, Span("   not everything was asked yet", Tone.MUTED))
    return (*name, Span(f"   {found.verdict.headline}", _TONES[found.verdict]))


def lines(found: Acceptance, width: int) -> list[Line]:
    """The list itself, the worst first, `width` cells wide; without colours it says the same."""
    told: list[Line] = []
    known = frozenset(name for item in found.lines for name in item.findings)
    for words, verdict in (("To be mended", Verdict.NOT), ("Not known", Verdict.UNKNOWN)):
        items = found.of(verdict)
        if items:
            told.append((Span(f" {words}", Tone.ACCENT),))
            told.extend(line for item in items for line in _with_reasons(item, known))
            told.append(())
    well = found.of(Verdict.OK)
    if well:
        told.append((Span(" Well", Tone.ACCENT),))
        told.extend(line for item in well for line in _brief(item, width))
        told.append(())
    rest = [item.topic for item in found.of(Verdict.NONE)]
    if rest:
        told.append((Span(" Not judged here", Tone.ACCENT),))
        told.append((Span(f"   {', '.join(rest)}", Tone.MUTED),))
    return told


def counted(found: Acceptance, findings: Findings, now: float) -> Line:
    """How many lines say what, and of when that is."""
    old_s = max(0.0, now - findings.at)
    tone = Tone.WARN if old_s > _OLD_S else Tone.MUTED
    return (Span(f" {found.counts}"), Span(f"   as of {age(old_s)} ago", tone))


def _brief(item: Item, width: int) -> Iterator[Line]:
    """A topic beside its words."""
    left = f"   {item.verdict.sign:<6}"
    words = textwrap.wrap(item.words, max(_LEAST_WORDS, width - len(left) - _TOPIC_WIDTH)) or [""]
    yield (
        Span(left, _TONES[item.verdict]),
        Span(f"{item.topic:<{_TOPIC_WIDTH}}"),
        Span(words[0], Tone.MUTED),
    )
    for more in words[1:]:
        yield (Span(f"{'':<{len(left) + _TOPIC_WIDTH}}{more}", Tone.MUTED),)


def _with_reasons(item: Item, known: Set[str]) -> Iterator[Line]:
    """An item, its evidence and its remedy; what another one explains has only that one's name.

    `known` are the findings that the list itself tells of.
    """
    yield (
        Span(f"   {item.verdict.sign:<6}", _TONES[item.verdict]),
        Span(item.topic, Tone.STRONG),
        Span(f"  because of {item.cause}" if item.cause else "", Tone.MUTED),
    )
    yield (Span(f"         {item.words}"),)
    if item.cause in known:
        return
    for seen in item.evidence:
        yield (Span(f"         {seen}", Tone.MUTED),)
    if item.remedy:
        yield (Span("         → ", Tone.ACCENT), Span(item.remedy))
