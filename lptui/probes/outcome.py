"""What a command's bad end means, as a problem for a reading."""

from __future__ import annotations

from typing import Final

from lptui.errors import CommandError, Problem, ProblemKind
from lptui.text import clean
from lptui.transport.protocols import Output

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
TIMED_OUT: Final = 124
KILLED: Final = 137
"""Timed out and then killed, because the command ignored the first signal."""


def has_hung(status: int) -> bool:
    """The host ended the command because it took too long."""
    return status in (TIMED_OUT, KILLED)


def failure(what: str, output: Output, remedy: str = "") -> CommandError:
    """The error for a command that did not give what was asked of it.

    `what` names the command and the host; the command's first line of output is the cause where
    the status alone does not say.
    """
    kind, why = _cause(output)
    return CommandError(what, why, remedy, kind=kind)


def problem(what: str, output: Output, remedy: str = "") -> Problem:
    """The same as a value."""
    return failure(what, output, remedy).problem()


def _cause(output: Output) -> tuple[ProblemKind, str]:
    if output.status == NOT_FOUND:
        return ProblemKind.COMMAND_NOT_FOUND, "not installed on the host"
    if has_hung(output.status):
        return ProblemKind.TIMEOUT, "it did not end in time and was stopped"
    said = next((line for line in output.text.split("\n") if line.strip()), "")
    if output.status == NOT_EXECUTABLE or "ermission denied" in said:
        return ProblemKind.FORBIDDEN, clean(said, 160) or "the login may not run it"
    if said:
        return ProblemKind.COMMAND_FAILED, f"status {output.status}: {clean(said, 160)}"
    return ProblemKind.COMMAND_FAILED, f"it ended with status {output.status} and said nothing"
