"""Assignments in an environment file, for systemd's EnvironmentFile= or for a shell.

`VARIABLE=value`, the value plain or in one pair of quotes; where a shell reads it, perhaps with
`export` in front and a comment behind. What the two would read differently is not taken apart:
backslashes, quotes within a word, values over several lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lptui.errors import BadAnswerError

_HEAD: Final = re.compile(rb"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=[ \t]*")
_QUOTED: Final = re.compile(rb"\"([^\"\\]*)\"|'([^'\\]*)'")
_PLAIN: Final = re.compile(rb"[^\"'\\\r\n]*?(?=[ \t]+#|[ \t\r\n]*\Z)")
_REST: Final = re.compile(rb"(?:[ \t]+#.*)?[ \t\r\n]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a line sets. The value is written from `start` to `end` in it, quotes included."""

    variable: str
    value: str
    start: int
    end: int
    quote: bytes = b""


def variable_of(line: bytes) -> str:
    """The variable that a line sets; "" when it sets none."""
    head = _HEAD.match(line)
    return head[1].decode("ascii") if head is not None else ""


def parse(line: bytes) -> Assignment | None:
    """What a line sets; None for a line that sets nothing.

    Raises BadAnswerError when its value is written in a way that is not taken apart.
    """
    head = _HEAD.match(line)
    if head is None:
        return None
    value = _QUOTED.match(line, head.end()) or _PLAIN.match(line, head.end())
    if value is None or not _REST.fullmatch(line, value.end()):
        raise BadAnswerError(
            variable_of(line),
            "its value has a backslash, a quote within it, or more than one line",
            "write it as one plain or quoted word",
        )
    is_quoted = value.re is _QUOTED
    text = value[value.lastindex or 0]
    return Assignment(
        variable_of(line),
        text.decode("utf-8", "replace"),
        value.start(),
        value.end(),
        value[0][:1] if is_quoted else b"",
    )
