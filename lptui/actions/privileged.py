"""Runs a command as root on a host, by the host's `privilege`; a missing right names its rule."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from lptui.errors import CommandError, ProblemKind, TransportError
from lptui.fleet.topology import Host
from lptui.text import clean
from lptui.transport.protocols import Command, ExecResult, Reach
from lptui.transport.root import rooted

SECONDS: Final = 20.0

_REFUSALS: Final = (
    "password is required",
    "terminal is required",
    "no tty present",
    "not allowed to execute",
    "may not run sudo",
    "is not in the sudoers",
    "Operation not permitted",
    "Authorization required",
    "Authentication is required",
    "interactive authentication required",
    "Access denied",
)
"""What sudo, doas and polkit say of a command that the login may not run."""


async def as_root(
    reach: Reach,
    host: Host,
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    timeout_s: float = SECONDS,
    within: Sequence[str] = (),
) -> ExecResult:
    """What a command gave, whatever its status.

    `within`: a command of the login's own that may run it: its last arguments.

    Raises CommandError(FORBIDDEN) with the missing rule, TransportError when the connection was
    lost (the outcome is unknown then), and what `reach.execute` raises.
    """
    command = Command((*within, *rooted(host.privilege, argv)), timeout_s)
    done = await reach.execute(host.name, command, stdin)
    what = f"`{clean(shlex.join(argv), 160)}` on {host.name}"
    if done.status is None:
        raise TransportError(
            what,
            "the connection was lost while it ran: its outcome is unknown",
            kind=ProblemKind.DISCONNECTED,
        )
    if done.status != 0:
        said = clean(done.stderr, 300)
        if any(words in said for words in _REFUSALS) or "sudo: not found" in said:
            raise CommandError(what, said, missing_rule(host, argv), kind=ProblemKind.FORBIDDEN)
    return done


async def succeed(
    reach: Reach,
    host: Host,
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    timeout_s: float = SECONDS,
) -> ExecResult:
    """The same for a command that must end with status 0; raises CommandError otherwise."""
    done = await as_root(reach, host, argv, stdin=stdin, timeout_s=timeout_s)
    if done.status != 0:
        said = clean(done.stderr or done.stdout, 300)
        what = f"`{clean(shlex.join(argv), 160)}` on {host.name}"
        raise CommandError(what, f"status {done.status}: {said or 'it said nothing'}")
    return done


def missing_rule(host: Host, argv: Sequence[str]) -> str:
    """What must be written where, for the login to run it."""
    if host.privilege == "none":
        return f"set `privilege` of {host.name}: none says that root is never to be become there"
    login = host.ssh.user if host.ssh is not None and host.ssh.user else "the login"
    rule = clean(shlex.join(argv), 200)
    return f"let {login} run it: rule `NOPASSWD: {rule}` (`lptui sudoers {host.name}` prints all)"
