"""HAProxy's runtime socket as text: several commands on one line, one answer each."""

from __future__ import annotations

import re
from typing import Final

from lptui.errors import BadAnswerError, ProblemKind
from lptui.text import clean

_REFUSAL: Final = re.compile(r"\[[0-3]\]: |Permission denied|(?:\[[0-9]\]: )?Unknown command")
_SEVERITY: Final = re.compile(r"\[[0-9]\]: ")
_LEVELS: Final = frozenset({"user", "operator", "admin"})


def split(raw: bytes, answers: int) -> list[list[str]]:
    """The lines of each of `answers` answers.

    Every answer is ended by an empty line and holds none, so an empty answer is that line alone.
    Raises BadAnswerError when fewer have ended: a dump without its end is cut.
    """
    if not raw:
        raise BadAnswerError("HAProxy", "it closed the connection without an answer")
    found: list[list[str]] = []
    lines: list[str] = []
    for line in raw.decode("utf-8", "replace").split("\n"):
        if line:
            lines.append(line)
            continue
        found.append(lines)
        lines = []
        if len(found) == answers:
            return found
    raise BadAnswerError(
        "HAProxy",
        f"only {len(found)} of {answers} answers are whole; it began with {clean(raw, 60)!r}",
        "check that the address is HAProxy's runtime socket",
    )


def accept(command: str, lines: list[str]) -> list[str]:
    """An answer that is not a refusal; HAProxy says its errors as text, like everything else.

    Raises BadAnswerError, of kind FORBIDDEN where the socket's level does not allow the command.
    """
    first = lines[0] if lines else ""
    if not _REFUSAL.match(first):
        return lines
    said = clean(_SEVERITY.sub("", first, count=1), 120)
    if "Permission denied" in said:
        raise BadAnswerError(
            f"HAProxy `{command}`",
            said,
            "use a socket with a higher level (`stats socket … level operator`)",
            kind=ProblemKind.FORBIDDEN,
        )
    raise BadAnswerError(f"HAProxy `{command}`", said)


def level(lines: list[str]) -> str:
    """`show cli level`: user, operator or admin; "" when it is something else."""
    word = _SEVERITY.sub("", lines[0], count=1).strip() if lines else ""
    return word if word in _LEVELS else ""
