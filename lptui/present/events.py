"""Events in words, for the strip and the history."""

from __future__ import annotations

from datetime import UTC, datetime

from lptui.fleet.finding import Severity
from lptui.history.events import Event, EventKind
from lptui.present.model import Line, Span, Tone
from lptui.present.view import STATE_OF
from lptui.present.words import duration

_NEWS = {EventKind.FINDING: "ok", EventKind.ACTION: "act", EventKind.NOTE: "note"}


def clock_time(at: float) -> str:
    """`12:34:56`, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def event_line(event: Event, now: float, *, dated: bool = False) -> Line:
    """One event: when it began, how bad, what, and whether it has ended."""
    state = STATE_OF[event.severity]
    over = event.kind is EventKind.FINDING and event.ended is not None
    if over or event.acknowledged:
        mark = Span("over" if over else "ack ", Tone.OK if over else Tone.MUTED)
    elif event.severity is Severity.OK:
        tone = Tone.ACCENT if event.kind is EventKind.ACTION else Tone.MUTED
        mark = Span(f"{_NEWS[event.kind]:4}", tone)
    else:
        mark = Span(f"{state.word:4}", state.tone)
    at = event.ended if over and not dated else event.began
    when = datetime.fromtimestamp(at or 0.0, UTC).strftime(
        "%m-%d %H:%M:%S" if dated else "%H:%M:%S"
    )
    tail: Line = ()
    if event.kind is EventKind.FINDING:
        lasted = duration(event.lasted(now))
        text = f"  over after {lasted}" if over else f"  for {lasted}" if dated else ""
        waits = "  no page now" if event.waits and not over else ""
        tail = (Span(text + waits, Tone.MUTED),)
    body = Tone.MUTED if over or event.acknowledged else Tone.NORMAL
    return (Span(f"{when} ", Tone.MUTED), mark, Span(" "), Span(event.text, body), *tail)
