"""A command as it reaches a simulated machine: without what is wrapped around it, and with the
rights that the wrapping gives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

_ANNOUNCED: Final = re.compile(r'echo "([0-9a-f]{1,64}) \$\$" >&2;\s*')
"""The command tells its number on standard error before it begins."""
_BECOMES_ROOT: Final = re.compile(
    r'\[ "\$\(id -u\)" = 0 \]\s*\|\|\s*exec (?:sudo|doas) -n -- "\$@";\s*'
)
_IN_BOOT: Final = re.compile(
    r'\[ "\$\(cat /proc/sys/kernel/random/boot_id\)" = "\$1" \]\s*\|\|\s*exit 0;\s*shift;\s*'
)
_BECOMES_COMMAND: Final = re.compile(r'exec "\$@"\s*')
_ENDS_WITH_INPUT: Final = re.compile(r'exec 3<&0 </dev/null;\{ exec "\$@" .*exit "\$s"', re.DOTALL)
"""Runs its words until its own input ends."""
_PID: Final = 4242
_MOST_WRAPPINGS: Final = 8


class Reply(NamedTuple):
    """What a command gave: standard output, exit status, standard error."""

    out: str = ""
    status: int = 0
    err: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A command: its words, what it reads, whether it runs as root.

    `announced` is what it has written to standard error before it began; `boot` the boot of the
    machine that it is meant for alone, "" for any.
    """

    words: tuple[str, ...]
    stdin: str = ""
    is_root: bool = False
    announced: str = ""
    boot: str = ""

    @property
    def program(self) -> str:
        return self.words[0].rpartition("/")[2] if self.words else ""


def unwrapped(words: Sequence[str], stdin: str = "") -> Call:
    """The command inside `sh -c '…exec "$@"' NAME …`, `sudo -n …`, `timeout S …`."""
    call = Call(tuple(words), stdin)
    for _ in range(_MOST_WRAPPINGS):
        inner = _inner(call)
        if inner is None:
            break
        call = inner
    return call


def _inner(call: Call) -> Call | None:
    """One wrapping less; None when there is none."""
    words = call.words
    if call.program in ("sudo", "doas") and not {"-l", "-ll"} & set(words[1:4]):
        rest = list(words[1:])
        while rest and rest[0] in ("-n", "--"):
            rest.pop(0)
        return replace(call, words=tuple(rest), is_root=True)
    if call.program in ("env", "nice"):
        rest = list(words[1:])
        while rest and ("=" in rest[0] or rest[0] == "-n"):
            del rest[: 2 if rest[0] == "-n" else 1]
        return replace(call, words=tuple(rest))
    if call.program == "timeout":
        return replace(call, words=words[2:])
    if call.program == "sh" and len(words) > 3 and words[1] == "-c":
        return _of_script(call, words[2], words[4:])
    return None


def _of_script(call: Call, script: str, words: tuple[str, ...]) -> Call | None:
    """What a script makes of the words after its name, if it does no more than to run them."""
    announced = _ANNOUNCED.match(script)
    if announced is not None:
        script = script[announced.end() :]
        call = replace(call, announced=f"{call.announced}{announced[1]} {_PID}\n")
    root = _BECOMES_ROOT.match(script)
    if root is not None:
        script = script[root.end() :]
        call = replace(call, is_root=True)
    in_boot = _IN_BOOT.match(script)
    if in_boot is not None and words:
        script = script[in_boot.end() :]
        call, words = replace(call, boot=words[0]), words[1:]
    goes_on = _ENDS_WITH_INPUT.fullmatch(script) is not None
    if not goes_on and not _BECOMES_COMMAND.fullmatch(script):
        return None
    return replace(call, words=words)
