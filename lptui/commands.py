"""The commands that there are, and what a mistyped one was meant to be."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator
from typing import Final

from lptui.actions.declared import VERB
from lptui.actions.registry import ACTIONS
from lptui.errors import LptuiError

REPORTS: Final = ("check", "status", "validate", "logs")
JUDGED: Final = ("acceptance", "health")
GET: Final = "get"
JOURNAL: Final = ("runs", "resume", "undo")
HEADLESS: Final = (*REPORTS, *JUDGED, GET, *(item.spec.id for item in ACTIONS), VERB, *JOURNAL)
"""What goes with --headless."""

OTHERS: Final = (
    *("audit", "sudoers", "keystore verify"),
    *("config schema", "check schema", "status schema", "completion"),
)
"""What goes without."""

OTHER_WORDS: Final = tuple(dict.fromkeys(word for line in OTHERS for word in line.split()))


def action_lines() -> Iterator[str]:
    """A line of help for each action, as wide as a terminal."""
    for item in ACTIONS:
        said = textwrap.wrap(item.spec.help, 78)
        yield f"  {item.spec.id:<18} {said[0]}"
        yield from (f"{'':<21}{line}" for line in said[1:])


def unknown_command(written: str) -> LptuiError:
    """The error for words that are no command where they stand."""
    first = written.split(" ", 1)[0]
    if not written:
        return LptuiError("--headless", "which command?", f"one of: {', '.join(HEADLESS)}")
    lines = {**{name: f"lptui --headless {name}" for name in HEADLESS}}
    lines |= {name: f"lptui {name}" for name in OTHERS}
    lines |= {"help": "lptui --help", "version": "lptui --version", "config": "lptui config schema"}
    near = difflib.get_close_matches(written, lines, n=1) or difflib.get_close_matches(
        first, lines, n=1
    )
    hint = f"did you mean: {lines[near[0]]}?" if near else "see lptui --help"
    return LptuiError(written, "no such command", hint)
