"""What the header's right end, the events strip and the footer say."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lptui.present.model import Line, Span, Tone
from lptui.tui.commands import COMMANDS, Command

if TYPE_CHECKING:
    from lptui.history.events import EventLog
    from lptui.tui.app import LptuiApp


def clock_part(
    now: float, paused: bool, interval_s: float, running: str
) -> tuple[tuple[int, Line], ...]:
    """Pace or pause, and the clock in UTC."""
    pace = (
        (2, (Span("PAUSED", Tone.WARN),))
        if paused
        else (6, (Span(f"every {interval_s:g}s", Tone.MUTED),))
    )
    work: tuple[tuple[int, Line], ...] = ()
    if running:
        work = ((2, (Span("action running", Tone.ACCENT),)),)
    clock = time.strftime("%H:%M:%S", time.gmtime(now))
    return (*work, pace, (3, (Span(clock), Span("Z", Tone.MUTED))))


def strip_lines(events: EventLog, count: int, now: float, running: str) -> list[Line]:
    """The newest events, and what an action under way is doing."""
    from lptui.present.events import event_line

    room = count - (1 if running else 0)
    latest = events.latest(room)
    lines: list[Line] = [(Span(" "), *event_line(event, now)) for event in latest]
    if running:
        lines.append((Span(" ▶ ", Tone.ACCENT), Span(running, Tone.STRONG)))
    if not lines:
        lines.append((Span(" no events yet", Tone.MUTED),))
    return lines


def footer_commands(app: LptuiApp) -> list[tuple[Command, bool]]:
    """Commands with whether they can be used now, these first and by rank; in read-only none
    that changes."""
    offered = [
        (item, not app.why_not(item))
        for item in by_rank(COMMANDS)
        if item.keys and not (item.actions and app.session.read_only) and item.rank < 90
    ]
    return sorted(offered, key=lambda pair: not pair[1])


def by_rank(commands: Iterable[Command]) -> list[Command]:
    """The most useful first."""
    return sorted(commands, key=lambda item: item.rank)
