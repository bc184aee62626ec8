"""Commands as a simulated machine answers them, by the words that a probe sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from lptui.sim.serve.host import disks, gpu, journal, nginx, proc, systemd
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

Result = tuple[str, int]
"""Standard output and exit status."""
Handler = Callable[[World, Machine, Sequence[str]], Result]

COMMANDS: Final[dict[str, Handler]] = {
    "lptui_vitals": proc.vitals,
    "lptui_system": proc.system,
    "lptui_fds": proc.open_files,
    "lptui_livepeer": proc.livepeer_processes,
    "lptui_nginx": nginx.processes,
    "lptui_established": nginx.established,
    "cat": proc.cat,
    "date": proc.date,
    "lptui_date": proc.date,
    "chronyc": proc.chronyc,
    "timedatectl": proc.timedatectl,
    "ss": proc.sockets,
    "stat": proc.stat,
    "uname": proc.uname,
    "hostname": proc.hostname,
    "id": proc.identity,
    "true": lambda *_: ("", 0),
    "echo": lambda _, __, argv: (" ".join(argv[1:]) + "\n", 0),
    "df": disks.df,
    "systemctl": systemd.systemctl,
    "journalctl": journal.journalctl,
    "nvidia-smi": gpu.nvidia_smi,
    "nginx": nginx.nginx,
}


def run(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    """What a command gives; status 127 for one that is not installed or not simulated."""
    words = list(argv)
    if words[:2] == ["sudo", "-n"]:
        words = words[2:]
    if words[:1] == ["timeout"]:
        words = words[2:]
    handler = COMMANDS.get(words[0].rpartition("/")[2]) if words else None
    return handler(world, machine, words) if handler else ("", 127)
