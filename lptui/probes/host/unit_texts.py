"""What the units of go-livepeer nodes are told to start, without secrets.

systemd shows a unit's command line as it has it loaded, so that it can be compared with what runs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from lptui.errors import BadAnswerError
from lptui.fleet.alike import TOLD
from lptui.fleet.facts.upkeep import HostUnitTexts, UnitText
from lptui.fleet.topology import Fleet, Intervals, SupervisorKind
from lptui.probes.host import unit_files
from lptui.probes.host.base import HostProbe
from lptui.probes.host.processes import arguments
from lptui.probes.host.unit_files import Named
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.protocols import Command

_SELDOM_S: Final = 120.0

PROPERTIES: Final = (
    *("Type", "User", "Nice", "Restart", "RestartUSec", "LimitNOFILE", "KillMode", "KillSignal"),
)
"""What else of a unit is told: nodes of one role have it alike unless somebody forgot one. Nothing
whose default differs from one distribution to the next."""

_ASKED: Final = ",".join(
    (
        *(*PROPERTIES, "Environment", "EnvironmentFiles", "PassEnvironment"),
        *("WorkingDirectory", "ExecMainStartTimestampMonotonic"),
    )
)

_SHOWN: Final = "|".join(f"{name}=*" for name in PROPERTIES)
_NAMES: Final = "|".join(f"{dash}{name}" for name in TOLD for dash in ("-", "--"))
_JOINED: Final = "|".join(f"{dash}{name}=*" for name in TOLD for dash in ("-", "--"))

SCRIPT: Final = (
    # An address without what may be a key: scheme and host.
    "url() { case $1 in *://*) u=${1#*://}; u=${u%%/*}; u=${u%%\\?*}; u=${u##*@}; "
    'printf \'%s://%s\' "${1%%://*}" "$u";; *) printf \'%s\' "$1";; esac; }; '
    "set -f; for n; do printf 'unit %s\\n' \"$n\"; "
    'd=$(systemctl cat -- "$n" 2>/dev/null | sha256sum); '
    '[ "${d%% *}" = e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 ] '
    "|| printf 'digest %s\\n' \"${d%% *}\"; "
    f'systemctl show -p ExecStart,{_ASKED} -- "$n" | while IFS= read -r l; do '
    "case $l in ExecStart=*'argv[]='*) ;; ExecStart*) continue;; "
    "Environment=|EnvironmentFiles=|PassEnvironment=) continue;; "
    "EnvironmentFiles=*) echo environment; printf 'file %s\\n' \"${l#*=}\"; continue;; "
    "Environment=*) echo environment; for w in ${l#*=}; do case $w in LP_CONFIG=?*) "
    "printf 'config %s\\n' \"${w#*=}\";; esac; done; continue;; "
    "PassEnvironment=*) echo environment; continue;; "
    "WorkingDirectory=*) printf 'in %s\\n' \"${l#*=}\"; continue;; "
    "ExecMainStartTimestampMonotonic=*) printf 'start %s\\n' \"${l#*=}\"; continue;; "
    f"{_SHOWN}) printf 'set %s\\n' \"$l\"; continue;; *) continue;; esac; "
    "l=${l#*'argv[]='}; l=${l%% ; ignore_errors=*}; k=; f=1; set -- $l; "
    'for w; do if [ -n "$f" ]; then f=; printf \'program %s\\n\' "$w"; continue; fi; '
    "case $w in *\\$*|*\\\"*|*\\'*|*\\\\*) echo filled;; esac; "
    f'case $w in {_JOINED}) k=; printf \' %s=\' "${{w%%=*}}"; url "${{w#*=}}"; echo;; '
    f"{_NAMES}) k=1; printf ' %s\\n' \"$w\";; "
    "-[a-zA-Z]*|--[a-zA-Z]*) k=;; "
    '*) if [ -n "$k" ]; then k=; printf \' \'; url "$w"; echo; fi;; esac; done; done; done'
)
"""A line for each unit, the SHA-256 of its files where they may be read, its properties,
`environment` where it gives any variables, its program, and those of its arguments that are told,
one a line after a space; `filled` where an argument is put in at the start, or quoted; and what
files it reads then, with what tells how old its process is.

    unit livepeer-o.service
    digest 2c26b46b…
    set LimitNOFILE=65536
    environment
    file /etc/livepeer/o.env (ignore_errors=no)
    config o.conf                         (of a variable)
    in /srv/livepeer
    start 5213456                         (microseconds since boot; 0 when it never was)
    program /usr/local/bin/livepeer
     -orchestrator
     -maxGasPrice
     5000000000
"""

_SETTING: Final = re.compile(r"set ([A-Za-z]{1,40})=(.{0,200})")
_PROGRAM: Final = re.compile(r"/[^ ]{1,400}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def parse(asked: Sequence[str], text: str) -> tuple[HostUnitTexts, tuple[Named, ...]]:
    """The units in the order asked, and the files that they name; raises BadAnswerError for
    anything else."""
    sections: list[list[str]] = []
    for line in text.split("\n"):
        if line.startswith("unit "):
            sections.append([])
        elif line and sections:
            sections[-1].append(line)
        elif line:
            raise BadAnswerError("unit files", f"unexpected {clean(line, 60)!r}")
    if len(sections) != len(asked):
        raise BadAnswerError("unit files", f"{len(sections)} answers to {len(asked)} questions")
    units = tuple(_unit(name, lines) for name, lines in zip(asked, sections, strict=True))
    configs = (next((v for k, v in unit.flags if k.lower() == "config"), "") for unit in units)
    named = (unit_files.named(*one) for one in zip(sections, configs, strict=True))
    return HostUnitTexts(units), tuple(named)


def _unit(name: str, lines: Sequence[str]) -> UnitText:
    programs = [line[8:] for line in lines if line.startswith("program ")]
    digest = next((line[7:] for line in lines if line.startswith("digest ")), "")
    told = [found for line in lines if (found := _SETTING.fullmatch(line)) is not None]
    words = [line[1:] for line in lines if line.startswith(" ")]
    single = len(programs) == 1 and bool(_PROGRAM.fullmatch(programs[0]))
    return UnitText(
        name,
        clean(programs[0], 200) if single else "",
        tuple(arguments(words)) if single else (),
        environment="environment" in lines,
        plain=single and "filled" not in lines,
        settings=tuple((one[1], clean(one[2], 200)) for one in told if one[1] in PROPERTIES),
        digest=digest if _DIGEST.fullmatch(digest) else "",
    )


class HostUnitTextsProbe(HostProbe):
    name: ClassVar[str] = "host-unit-texts"
    topic: ClassVar[type] = HostUnitTexts
    asks: ClassVar[str] = "systemctl cat, systemctl show, stat"

    def pace(self, intervals: Intervals) -> float:
        return max(intervals.slow, _SELDOM_S)

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return [name for name in fleet.hosts if units_of(fleet, name)]

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        asked = units_of(asking.fleet, target)
        left = time_left(asking)

        async def said(*argv: str) -> str:
            command = Command(("sh", "-c", *argv), timeout_s=4.0)
            [output] = await asking.reach.shell(target).run([command], left())
            if output.status != 0:
                raise failure(f"units of {target}", output)
            return output.text

        texts, named = parse(asked, await said(SCRIPT, "sh", *asked))
        paths = [path for unit in named for path in unit.paths]
        if paths:
            found = unit_files.parse(named, await said(unit_files.SCRIPT, "sh", *paths))
            units = zip(texts.units, found, strict=True)
            texts = HostUnitTexts(tuple(replace(unit, files=files) for unit, files in units))
        return [Answer(self.key(target), texts)]


def units_of(fleet: Fleet, host: str) -> tuple[str, ...]:
    """The units of a host's go-livepeer nodes, without repeats."""
    names = (
        node.service.name
        for node in fleet.nodes_on(host)
        if node.is_livepeer and node.service and node.service.kind is SupervisorKind.SYSTEMD
    )
    return tuple(dict.fromkeys(names))
