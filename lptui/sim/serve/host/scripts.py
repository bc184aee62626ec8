"""The shell scripts that the console runs on hosts, told by their shapes; no other is simulated."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from typing import Final

from lptui.sim.serve.host import activity, journal, keys, safety, upkeep
from lptui.sim.serve.host.call import Call, Reply
from lptui.sim.serve.host.files import matching_lines
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

_PROGRAMS: Final = {
    "/usr/bin/": (
        *("cat", "chronyc", "cp", "date", "df", "echo", "false", "hostname", "id", "journalctl"),
        *("mv", "nvidia-smi", "readlink", "rm", "sha256sum", "sqlite3", "ss", "stat", "systemctl"),
        *("tail", "tee", "test", "timedatectl", "touch", "true", "uname", "uptime"),
    ),
    "/usr/sbin/": ("nginx", "sshd"),
}
"""Those that are simulated, by their folders."""

_KILL: Final = re.compile(r"kill -[A-Z]+ [^;|&]*(?:\|\|kill [^;|&]*)?")
_TESTS: Final = re.compile(r'\[ -[eOrwL] "\$\d" \](?: ?&& ?\[ -[eOrwL] "\$\d" \])*')
_TEST: Final = re.compile(r'\[ -(\w) "\$(\d)" \]')
_FINDS_PROGRAMS: Final = re.compile(r'(?:PATH=[^; ]+; )?for x; do command -v "\$x" \|\| echo; done')
_FINDS_FILES: Final = re.compile(r'for x; do r=\$\(readlink -f "\$x"\).*echo own.*', re.DOTALL)
_READS_SETTINGS: Final = re.compile(r'\[ -L "\$1" \].*cat "\$1".*grep -E "\$2".*', re.DOTALL)
_LOOKS_THROUGH_LOG: Final = re.compile(r'case \$1 in journal\) .*print "kind", k.*', re.DOTALL)

_Answer = Callable[[World, Machine, Sequence[str]], str]
_ANSWERS: Final[tuple[tuple[re.Pattern[str], _Answer], ...]] = (
    (safety.ASKS_SSHD, lambda _, machine, __: safety.sshd(machine)),
    (activity.ASKS_PROGRAMS, lambda _, machine, __: activity.programs(machine)),
    (upkeep.ASKS_BACKUPS, upkeep.backups),
    (upkeep.ASKS_LOGS, upkeep.logs),
    (upkeep.ASKS_UNITS, upkeep.unit_texts),
    (upkeep.ASKS_FILES, upkeep.unit_files),
    (keys.ASKS_START, keys.start),
    (_LOOKS_THROUGH_LOG, journal.look),
)
"""Those that only read, by their shapes."""


def script(world: World, machine: Machine, call: Call) -> Reply:
    """`sh -c SCRIPT NAME WORDS…`."""
    text = call.words[2] if len(call.words) > 2 and call.words[1] == "-c" else ""
    given = call.words[4:]
    if _KILL.fullmatch(text):
        return Reply()
    if _TESTS.fullmatch(text):
        held = (_holds(machine, call, one[1], int(one[2]), given) for one in _TEST.finditer(text))
        return Reply(status=int(not all(held)))
    if _READS_SETTINGS.fullmatch(text) and len(given) == 3:
        return _settings(machine, call, *given)
    for shape, answer in _ANSWERS:
        if shape.fullmatch(text):
            return Reply(answer(world, machine, given))
    if _FINDS_PROGRAMS.fullmatch(text):
        return Reply("".join(f"{path_of(machine, name)}\n" for name in given))
    if _FINDS_FILES.fullmatch(text):
        return Reply("".join(f"{machine.files.real(path)}\nroot\n" for path in given))
    try:
        shlex.split(text)
    except ValueError:
        return Reply("", 2, "sh: 1: Syntax error: Unterminated quoted string\n")
    return Reply("", 127, "sh: not simulated\n")


def sudo(_: World, machine: Machine, call: Call) -> Reply:
    """`sudo -n -ll`, `sudo -n -l -- CMD`: the login may run everything."""
    if "-ll" in call.words:
        rule = "    RunAsUsers: root\n    Options: !authenticate\n    Commands:\n\tALL\n"
        return Reply(f"Sudoers entry: /etc/sudoers.d/lptui\n{rule}")
    words = [word for word in call.words[1:] if not word.startswith("-")]
    path = path_of(machine, words[0]) if words else ""
    if not path.startswith("/"):
        return Reply("", 1, f"sudo: {words[0] if words else ''}: command not found\n")
    return Reply(" ".join((path, *call.words[call.words.index(words[0]) + 1 :])) + "\n")


def path_of(machine: Machine, program: str) -> str:
    """Where a program is; "" where it is not installed."""
    name = program.rpartition("/")[2]
    if (name == "nginx" and "nginx.service" not in machine.units) or (
        name == "nvidia-smi" and not machine.driver
    ):
        return ""
    return next((folder + name for folder, names in _PROGRAMS.items() if name in names), "")


def _holds(machine: Machine, call: Call, test: str, number: int, given: tuple[str, ...]) -> bool:
    """A test of a file. The login owns none, and writes to none."""
    path = given[number - 1] if 0 < number <= len(given) else ""
    file = machine.files.find(path)
    if test == "L":
        own = machine.files.by_path.get(path)
        return own is not None and bool(own.leads_to)
    if test in ("O", "w"):
        return file is not None and call.is_root
    return file is not None and (test == "e" or call.is_root or not file.is_private)


def _settings(machine: Machine, call: Call, path: str, pattern: str, become: str) -> Reply:
    """The lines of an environment file that a pattern finds, and whether its path is a link."""
    own = machine.files.by_path.get(path)
    first = ["link"] if own is not None and own.leads_to else []
    is_root = call.is_root or bool(become)
    try:
        lines = [*first, *matching_lines(machine.files, path, pattern, is_root=is_root)]
    except (OSError, re.error) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        return Reply("".join(f"{line}\n" for line in first), 1, f"cat: {path}: {said}\n")
    return Reply("".join(f"{line}\n" for line in lines))
