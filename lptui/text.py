"""The one door for text that came from outside: hosts, nodes, balancers, chains, files.

`clean` makes such text safe to put on a terminal: no control characters, no escape sequences,
no bidirectional overrides, bounded length. It says nothing of markup: whoever draws must draw
plain text (`rich.text.Text`, `Content`), never parse it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LINE_LIMIT: Final = 400
"""Longest single line that the console keeps of remote text, in characters."""

_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c|$)"  # OSC, DCS, SOS, PM, APC up to their end
    r"|\x1b[ -/]*[0-~]?"  # other escapes
    r"|\x9b[0-?]*[ -/]*[@-~]",
    re.DOTALL,
)
_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(raw: str | bytes, limit: int = LINE_LIMIT) -> str:
    """One line of remote text, safe to show.

    Escape sequences vanish, other control and format characters become spaces, runs of white
    space collapse, and what is longer than `limit` characters is cut with an ellipsis.
    """
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    text = text[: limit * 8]
    if not (text.isascii() and text.isprintable()):
        text = _ESCAPES.sub("", text)
        text = "".join(
            " " if unicodedata.category(char) in _UNSAFE_CATEGORIES else char for char in text
        )
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clean_lines(raw: str | bytes, max_lines: int = 200, limit: int = LINE_LIMIT) -> tuple[str, ...]:
    """Remote text as safe lines; what goes beyond `max_lines` is replaced by one line saying so."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    lines = text.split("\n", max_lines)
    cut = len(lines) > max_lines
    kept = [clean(line, limit) for line in lines[:max_lines]]
    while kept and not kept[-1]:
        kept.pop()
    return (*kept, f"… more than {max_lines} lines, cut") if cut else tuple(kept)


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """`1 block`, `3 blocks`."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"
