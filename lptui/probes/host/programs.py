"""Which `livepeer` and `ffmpeg` are installed on a host: the files, not what runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.activity import HostPrograms
from lptui.fleet.topology import Intervals
from lptui.probes.host.base import HostProbe
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.text import clean
from lptui.transport.protocols import Command

_SELDOM_S: Final = 900.0
"""Starting a program costs more than reading `/proc`, and it changes with an upgrade alone."""

_SCRIPT: Final = (
    "for p in livepeer ffmpeg; do f=$(command -v $p) || continue; "
    "printf 'program %s\\n' $p; case $(head -c 4 \"$f\" | tail -c 3) in ELF) "
    '"$f" -version </dev/null 2>/dev/null | head -n 40;; esac; done; echo end'
)
"""A wrapper script is not started: nobody knows that it heeds its arguments, and a second node
with the same key is the last thing that a reading may cause."""

PROGRAMS: Final = Command(("sh", "-c", _SCRIPT), timeout_s=5.0)
"""What the login's path leads to. A program that is not installed has no line.

    program livepeer
    Livepeer Node Version: 0.8.9-1a2b3c4d
    Golang runtime version: gc go1.23.2
    program ffmpeg
    ffmpeg version 5.1.6-0+deb12u1 Copyright (c) 2000-2024 the FFmpeg developers
    end
"""

_VERSION: Final = re.compile(r"(?:Livepeer Node Version:|ffmpeg version) (\S{1,80})")
_NAMES: Final = ("livepeer", "ffmpeg")


def parse(text: str) -> HostPrograms:
    """Raises BadAnswerError when the answer was cut off."""
    lines = text.rstrip().split("\n")
    if lines[-1] != "end":
        raise BadAnswerError("installed programs", f"cut off after {clean(lines[-1], 60)!r}")
    found: dict[str, str | None] = dict.fromkeys(_NAMES, "")
    name = ""
    for line in lines:
        word, _, rest = line.partition(" ")
        told = _VERSION.match(line)
        if word == "program" and rest in found:
            name = rest
            found[name] = None
        elif told and name and found[name] is None:
            found[name] = clean(told[1], 60)
    return HostPrograms(**found)


class HostProgramsProbe(HostProbe):
    name: ClassVar[str] = "host-programs"
    topic: ClassVar[type] = HostPrograms
    asks: ClassVar[str] = "livepeer -version, ffmpeg -version"

    def pace(self, intervals: Intervals) -> float:
        return max(intervals.slow, _SELDOM_S)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        [output] = await asking.reach.shell(target).run([PROGRAMS], asking.deadline_s)
        if output.status != 0:
            raise failure(f"installed programs of {target}", output)
        return [Answer(self.key(target), parse(output.text))]
