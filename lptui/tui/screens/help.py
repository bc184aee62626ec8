"""Help: every key, and what the signs mean. Made from the list of commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from lptui.present.model import Line, Span, State, Tone
from lptui.tui.commands import ACT, COMMANDS, CONSOLE, LOOK
from lptui.tui.screens.page import Page

if TYPE_CHECKING:
    from lptui.tui.app import LptuiApp

SIGNS: tuple[Line, ...] = (
    tuple(
        span
        for state in (State.OK, State.WARNING, State.CRITICAL, State.UNKNOWN)
        for span in (Span(f"  {state.word:5}", state.tone), Span(f"{state.long_word.lower():10}"))
    ),
    (Span("  ack  ", Tone.MUTED), Span("acknowledged: seen, not over")),
    (Span("  ?    ", Tone.UNKNOWN), Span("could not be read; never zero")),
    (
        Span("  4.2 3m", Tone.MUTED),
        Span(" an old value and its age; its source does not answer now"),
    ),
    (
        Span("  ~4.2 ", Tone.MUTED),
        Span("the same for want of room; in a row whose age is old, all are"),
    ),
    (Span("  -    ", Tone.MUTED), Span("does not apply here")),
    (Span("  <5s  ", Tone.MUTED), Span("age: read at its own pace, so never older than this")),
    (Span("  12s  ", Tone.WARN), Span("age: the source has fallen behind")),
    (
        Span("  ▇", Tone.OK),
        Span(" reward called  "),
        Span("x", Tone.CRITICAL),
        Span(" missed  "),
        Span("▁", Tone.ACCENT),
        Span(" to call  "),
        Span("·", Tone.MUTED),
        Span(" inactive  "),
        Span("-", Tone.WARN),
        Span(" not initialised  "),
        Span("?", Tone.UNKNOWN),
        Span(" unknown"),
    ),
)


class HelpScreen(Page):
    """Keys by group, those that cannot be used now greyed with the reason."""

    def title_line(self) -> Line:
        return (Span(" Help", Tone.STRONG), Span("   every command is in the palette too: Ctrl+P"))

    def content(self) -> Sequence[Line]:
        app = cast("LptuiApp", self.app)
        lines: list[Line] = []
        for group in (LOOK, ACT, CONSOLE):
            lines.append((Span(f" {group}", Tone.ACCENT),))
            for item in COMMANDS:
                if item.group != group:
                    continue
                reason = app.why_not(item)
                tone = Tone.MUTED if reason else Tone.NORMAL
                lines.append(
                    (
                        Span(
                            f"   {item.key_word or 'Ctrl+P':<11}",
                            Tone.MUTED if reason else Tone.STRONG,
                        ),
                        Span(item.title, tone),
                        Span(f"  ({reason})" if reason else "", Tone.MUTED),
                    )
                )
            lines.append(())
        lines.append((Span(" In a table", Tone.ACCENT),))
        lines.append(
            (Span("   ↑↓ j k     ", Tone.STRONG), Span("move; PgUp PgDn, Home End, wheel"))
        )
        lines.append(
            (Span("   click      ", Tone.STRONG), Span("select; twice: detail; a title: sort"))
        )
        lines.append(
            (Span("   Shift+drag ", Tone.STRONG), Span("marks text, as most terminals do it"))
        )
        lines.append(())
        lines.append((Span(" Filter", Tone.ACCENT),))
        lines.append((Span("   text !text /regex/ state:warn role:transcoder host:NAME tag:NAME"),))
        lines.append(())
        lines.append((Span(" Signs", Tone.ACCENT),))
        lines.extend(SIGNS)
        return lines
