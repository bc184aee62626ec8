"""Rules of sudoers for exactly the commands that a fleet needs (sudoers(5), sudo 1.9). Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from lptui.actions.root_commands import Argv, Files, Needed
from lptui.text import clean

_SBIN: Final = frozenset({"nginx", "ip", "iptables", "nft", "ufw", "reboot", "shutdown", "sysctl"})
"""Where Debian has programs that are not in /usr/bin."""

_WILD: Final = re.compile(r"([*?\[\]!^])")
_SPECIAL: Final = re.compile(r"([,:=\s#])")
_PLAIN_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)

_OTHERS: Final = {
    "root": "its login is root already",
    "none": "its `privilege` is none: nothing is run as root there",
}
"""Where there is nothing to be allowed."""

FILE: Final = "/etc/sudoers.d/lptui"
"""Where the rules belong; sudo reads no file there with a dot in its name."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a host says that rules are made of.

    Attributes:
        login: whom the rules are for.
        programs: absolute paths by name; () for a host that could not be asked.
        trouble: why it could not be asked; "" when it was.
    """

    login: str
    programs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    files: Files = field(default_factory=Files)
    trouble: str = ""

    def path(self, program: str) -> str:
        """A program's absolute path: the host's, else the usual one."""
        if program.startswith("/"):
            return program
        usual = f"/usr/{'sbin' if program in _SBIN else 'bin'}/{program}"
        return self.programs.get(program, usual)

    def lacks(self, program: str) -> bool:
        """Whether the host was asked for it and has none."""
        return not self.trouble and not program.startswith("/") and program not in self.programs


def programs_of(wanted: Sequence[Needed]) -> tuple[str, ...]:
    """The programs that must be found on the host."""
    names = dict.fromkeys(argv[0] for one in wanted for argv in one.commands)
    return tuple(name for name in names if not name.startswith("/"))


def document(
    host: str, fleet: str, facts: HostFacts, wanted: Sequence[Needed], privilege: str = "sudo"
) -> str:
    """A whole file for one host. It is a valid one also where it holds comments alone."""
    return "\n".join(_lines(host, fleet, facts, wanted, privilege)) + "\n"


def rule(facts: HostFacts, argv: Argv) -> str:
    """The rule for a command with exactly these arguments."""
    return f"{_user(facts.login)} ALL=(root) NOPASSWD: {command(facts, argv)}"


def command(facts: HostFacts, argv: Argv) -> str:
    """A command as a rule has it; without arguments it must have none."""
    arguments = " ".join(map(escaped, argv[1:])) or '""'
    return f"{escaped(facts.path(argv[0]))} {arguments}"


def escaped(word: str) -> str:
    """One argument, which is compared as a pattern once its escapes are taken off."""
    # A backslash for the pattern, each of the two escaped for the file.
    word = word.replace("\\", "\\\\\\\\")
    return _SPECIAL.sub(r"\\\1", _WILD.sub(r"\\\1", word))


def _user(login: str) -> str:
    if _PLAIN_USER.fullmatch(login):
        return login
    return '"' + re.sub(r'(["\\])', r"\\\1", login) + '"'


def _lines(
    host: str, fleet: str, facts: HostFacts, wanted: Sequence[Needed], privilege: str
) -> Iterator[str]:
    yield f"# lptui, fleet {clean(fleet, 100)}: {FILE} on {host} (visudo -f {FILE})"
    if not any(one.commands for one in wanted):
        yield f"# nothing is run as root on {host}"
        return
    if privilege in _OTHERS:
        yield f"# {host}: {_OTHERS[privilege]}"
        return
    if privilege == "doas":
        yield f"# {host} uses doas: permit {facts.login} these in doas.conf(5), nopass, as root"
        yield from (f"#   {shlex.join(argv)}" for one in wanted for argv in one.commands)
        return
    if facts.trouble:
        yield f"# {host} could not be asked: paths are Debian's usual ones ({facts.trouble})"
    for one in wanted:
        yield f"# {clean(one.purpose, 200)}"
        if one.unknown:
            yield f"# not complete: {clean(one.unknown, 300)}"
        for argv in one.commands:
            if facts.lacks(argv[0]):
                yield f"# {host} has no program {clean(argv[0], 80)}; its usual path:"
            yield rule(facts, argv)
