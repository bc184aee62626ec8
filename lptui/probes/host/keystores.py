"""Who may read the key files: their permission bits, by the processes' own word where they are.

go-livepeer keeps keys in `-ethKeystorePath` (a folder or one file), else in `keystore` under
`-dataDir`, else in ~/.lpData/NETWORK/keystore (go-livepeer cmd/livepeer/starter/starter.go).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess
from lptui.fleet.facts.keystore import HostKeystores, Keystore
from lptui.fleet.topology import Fleet
from lptui.probes.host.base import HostProbe
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.text import clean
from lptui.transport.protocols import Command, ShellFunction

MOST_PLACES: Final = 16
MOST_FILES: Final = 64
_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", re.ASCII)
_NETWORK: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}", re.ASCII)
_NEVER_KEYED: Final = frozenset({"transcoder", "aiworker"})
_LINE: Final = re.compile(r"([0-7]{1,4}) (\S+) (.+)", re.ASCII)

FUNCTION: Final = ShellFunction(
    "lptui_keystores",
    'lptui_keystores() { for x_d in "$@"; do echo at; '
    'case $x_d in \\~*) x_u=${x_d%%/*}; x_h=$(getent passwd "${x_u#?}" | cut -d: -f6); '
    "x_d=$x_h/${x_d#*/};; esac; "
    'if [ -f "$x_d" ]; then stat -L -c "%a %U file" "$x_d"; continue; fi; '
    '[ -r "$x_d" ] && [ -x "$x_d" ] || continue; '
    'stat -L -c "%a %U folder" "$x_d"; x_n=0; for x_f in "$x_d"/*; do '
    '[ -f "$x_f" ] || continue; x_n=$((x_n+1)); '
    f'[ "$x_n" -gt {MOST_FILES} ] && break; stat -L -c "%a %U file" "$x_f"; done; done; }}',
)
"""Prints `at` for each place, and after it, where the login may look: the folder, then its files.

    at
    700 livepeer folder
    600 livepeer file
"""


def places(processes: HostProcesses) -> tuple[str, ...]:
    """Where the processes keep keys: absolute paths, or `~USER/…`."""
    found = (place(process) for process in processes.livepeer)
    return tuple(dict.fromkeys(one for one in found if one))[:MOST_PLACES]


def place(process: LivepeerProcess) -> str:
    """Where one keeps them; "" where its settings do not tell, or it needs none."""
    given = {name.lower() for name, _ in process.flags}
    if given & _NEVER_KEYED and "orchestrator" not in given and "ethurl" not in given:
        return ""
    path = process.flag("ethKeystorePath") or ""
    if not path and (folder := process.flag("dataDir") or ""):
        path = f"{folder.rstrip('/')}/keystore"
    network = process.flag("network") or "offchain"
    if not path and _USER.fullmatch(process.user) and _NETWORK.fullmatch(network):
        return f"~{process.user}/.lpData/{network}/keystore"
    return path if path.startswith("/") else ""


def parse(asked: Sequence[str], text: str) -> HostKeystores:
    """The keystores in the order asked; raises BadAnswerError for anything else."""
    sections: list[list[tuple[int, str, str]]] = []
    for line in text.split("\n"):
        if line == "at":
            sections.append([])
        elif line:
            found = _LINE.fullmatch(line)
            if found is None or not sections:
                raise BadAnswerError("keystores", f"unexpected {clean(line, 60)!r}")
            sections[-1].append((int(found[1], 8), clean(found[2], 40), found[3]))
    if len(sections) != len(asked):
        raise BadAnswerError("keystores", f"{len(sections)} answers to {len(asked)} questions")
    return HostKeystores(
        tuple(_keystore(path, rows) for path, rows in zip(asked, sections, strict=True))
    )


def _keystore(path: str, rows: Sequence[tuple[int, str, str]]) -> Keystore:
    files = tuple(mode for mode, _, kind in rows if kind == "file")
    if not rows:
        return Keystore(clean(path, 200), seen=False)
    mode, owner, kind = rows[0]
    return Keystore(clean(path, 200), True, owner, mode if kind == "folder" else None, files)


class HostKeystoresProbe(HostProbe):
    name: ClassVar[str] = "host-keystores"
    topic: ClassVar[type] = HostKeystores
    asks: ClassVar[str] = "permissions of key files"
    needs: ClassVar[tuple[str, ...]] = ("host-processes",)

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return [
            name for name in fleet.hosts if any(one.is_livepeer for one in fleet.nodes_on(name))
        ]

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        there = asking.latest.fresh(HostProcesses, target)
        asked = places(there) if there is not None else ()
        if not asked:
            return [Answer(self.key(target), HostKeystores(()))]
        command = Command((FUNCTION.name, *asked), timeout_s=0.0, function=FUNCTION)
        [output] = await asking.reach.shell(target).run([command], asking.deadline_s)
        if output.status >= 126:
            raise failure(f"key files of {target}", output)
        return [Answer(self.key(target), parse(asked, output.text))]
