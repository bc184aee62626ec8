"""Asks a host what rules are made of, and whether sudo has them."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lptui.actions.root_commands import Argv, Files, Needed, editable, needed
from lptui.actions.sudoers import HostFacts, command, programs_of
from lptui.errors import BadAnswerError, CommandError, LptuiError, ProblemKind
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.tickets import keepers
from lptui.fleet.topology import BalancerKind, Fleet, Host
from lptui.text import clean
from lptui.transport.protocols import Command, Reach

SECONDS: Final = 20.0

_PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""As sudo looks (Debian's secure_path), whatever the login's own says."""

_PROGRAMS: Final = f'{_PATH}; for x; do command -v "$x" || echo; done'
_FILES: Final = (
    'for x; do r=$(readlink -f "$x") || r=$x; printf "%s\\n" "$r"; '
    'if [ -O "$r" ] && [ -w "${r%/*}" ]; then echo own; else echo root; fi; done'
)
_DENIED: Final = 1
"""What `sudo -l COMMAND` ends with where no rule allows it."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A command that sudo does not run without a password, and why."""

    argv: Argv
    why: str


def sources(fleet: Fleet, host: Host) -> tuple[tuple[str, str], ...]:
    """What must be read of a host to know what it needs."""
    return (
        ("host-units", host.name),
        ("host-processes", host.name),
        *(("tickets", node.name) for node in keepers(fleet) if node.host == host.name),
        *(
            ("key-at-start", node.name)
            for node in fleet.nodes_on(host.name)
            if fleet.shares_key(node)
        ),
        *(
            ("keystore-trial", node.name)
            for node in fleet.nodes_on(host.name)
            if node.keystore_check
        ),
        *(
            ("nginx-config", name)
            for name, balancer in fleet.balancers.items()
            if balancer.kind is BalancerKind.NGINX and balancer.host == host.name
        ),
    )


async def ask(reach: Reach, snapshot: Snapshot, host: Host) -> HostFacts:
    """What the host says; with `trouble` when it cannot be asked. Never raises LptuiError."""
    wanted = needed(snapshot, host, Files())
    programs, paths = programs_of(wanted), editable(snapshot, host)
    try:
        login, found, files = await _run(
            reach,
            host,
            ("id", "-un"),
            ("/bin/sh", "-c", _PROGRAMS, "lptui", *programs),
            ("/bin/sh", "-c", _FILES, "lptui", *paths),
        )
    except LptuiError as error:
        known = host.ssh.user if host.ssh is not None else None
        return HostFacts(known or "LOGIN", trouble=clean(str(error), 200))
    absolute = {
        name: path
        for name, path in zip(programs, found, strict=False)
        # What a shell has built in is there as a program as well.
        if path.startswith("/")
    }
    pairs = dict(zip(paths, zip(files[::2], files[1::2], strict=False), strict=False))
    return HostFacts(
        login[0] if login else "LOGIN",
        absolute,
        Files(
            {path: real for path, (real, _) in pairs.items()},
            frozenset(path for path, (_, whose) in pairs.items() if whose == "own"),
        ),
    )


async def missing(
    reach: Reach, host: Host, facts: HostFacts, wanted: Sequence[Needed]
) -> tuple[Missing, ...]:
    """The commands that sudo would not run without a password; raises LptuiError."""
    commands = [argv for one in wanted for argv in one.commands]
    if host.privilege != "sudo":
        why = f"its `privilege` is {host.privilege}: sudo is not asked there"
        raise CommandError(host.name, why, kind=ProblemKind.NOT_CONFIGURED)
    asked = [("-ll",), *(("-l", "--", *argv) for argv in commands)]
    sudo = [Command(("sudo", "-n", *words), merge_stderr=True) for words in asked]
    user, *outputs = await reach.shell(host.name).run([Command(("id", "-u")), *sudo], SECONDS)
    if user.text.strip() == "0":
        return ()
    if outputs[0].status == 127:
        raise CommandError("sudo", f"is not installed on {host.name}", "set its `privilege`")
    rules = tuple(rules_in(outputs[0].text))
    found = []
    for argv, output in zip(commands, outputs[1:], strict=True):
        said = clean(output.text, 200)
        if output.status not in (0, _DENIED):
            raise BadAnswerError(f"sudo -l on {host.name}", f"status {output.status}: {said}")
        if output.status == _DENIED:
            found.append(Missing(argv, said or "no rule allows it"))
        elif asks_for_password(rules, command(facts, argv)):
            why = "the last rule that fits asks for a password: put this one behind it"
            found.append(Missing(argv, why))
    return tuple(found)


async def _run(reach: Reach, host: Host, *argvs: Argv) -> list[list[str]]:
    outputs = await reach.shell(host.name).run([Command(argv) for argv in argvs], SECONDS)
    return [output.text.splitlines() for output in outputs]


@dataclass(frozen=True, slots=True)
class Rule:
    """A command in `sudo -ll`, and whether it is run without a password."""

    pattern: str
    is_free: bool


def rules_in(text: str) -> Iterator[Rule]:
    """The commands that root may be become for, in sudo's order: of those that fit, the last one
    counts.

        Sudoers entry:
            RunAsUsers: root
            Options: !authenticate
            Commands:
                /usr/bin/systemctl stop livepeer.service
    """
    as_root = is_free = in_commands = False
    for line in text.splitlines():
        words = line.strip()
        if words.startswith("Sudoers entry"):
            as_root = is_free = in_commands = False
        elif words.startswith("RunAsUsers:"):
            as_root = bool({"root", "ALL"} & set(re.split(r"[,\s]+", words)))
        elif words.startswith("Options:"):
            is_free = "!authenticate" in words
        elif words.startswith("Commands:"):
            in_commands = True
        elif in_commands and as_root and words:
            yield Rule(words, is_free)


def asks_for_password(rules: Sequence[Rule], wanted: str) -> bool:
    """Whether the last rule that fits has no NOPASSWD; False where none is understood."""
    fitting = [one for one in rules if _fits(one.pattern, wanted)]
    return bool(fitting) and not fitting[-1].is_free


def _fits(pattern: str, wanted: str) -> bool:
    # sudo prints some of the escapes that it has read, and some not.
    pattern, wanted = pattern.replace("\\", ""), wanted.replace("\\", "")
    if pattern in ("ALL", wanted, wanted.split(" ", 1)[0]):
        return True
    return "*" in pattern and fnmatch.fnmatchcase(wanted, pattern)
