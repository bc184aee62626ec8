"""Commands as a simulated machine answers them, by the words that a probe or an action sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from lptui.sim.serve.host import (
    activity,
    disks,
    files,
    gpu,
    journal,
    keys,
    nginx,
    proc,
    safety,
    scripts,
    sqlite,
    systemd,
)
from lptui.sim.serve.host.call import Call, Reply, unwrapped
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

Result = tuple[str, int]
"""Standard output and exit status."""
Handler = Callable[[World, Machine, Sequence[str]], Result]

READINGS: Final[dict[str, Handler]] = {
    "lptui_vitals": proc.vitals,
    "lptui_system": proc.system,
    "lptui_activity": activity.activity,
    "lptui_fds": proc.open_files,
    "lptui_starts": systemd.starts,
    "lptui_safety": safety.look,
    "apt-get": safety.apt_get,
    "find": keys.find,
    "lptui_livepeer": proc.livepeer_processes,
    "lptui_keystores": keys.keystores,
    "lptui_nginx": nginx.processes,
    "lptui_established": nginx.established,
    "lptui_nginx_files": nginx.files,
    "date": proc.date,
    "lptui_date": proc.date,
    "chronyc": proc.chronyc,
    "timedatectl": proc.timedatectl,
    "ss": proc.sockets,
    "uname": proc.uname,
    "hostname": proc.hostname,
    "uptime": proc.uptime,
    "id": proc.identity,
    "true": lambda *_: ("", 0),
    "false": lambda *_: ("", 1),
    "echo": lambda _, __, argv: (" ".join(argv[1:]) + "\n", 0),
    "df": disks.df,
    "journalctl": journal.journalctl,
    "nvidia-smi": gpu.nvidia_smi,
}
CALLS: Final[dict[str, files.Tool]] = {
    **files.TOOLS,
    "nginx": nginx.nginx,
    "sqlite3": sqlite.sqlite3,
    "systemctl": systemd.systemctl,
    "sh": scripts.script,
    "sudo": scripts.sudo,
}
"""What takes input, needs rights, or changes something."""
COMMANDS: Final = tuple(sorted((*READINGS, *CALLS)))


def run(world: World, machine: Machine, argv: Sequence[str]) -> Reply:
    """What a command gives; status 127 for one that is not installed or not simulated."""
    return answer(world, machine, unwrapped(argv))


def answer(world: World, machine: Machine, call: Call) -> Reply:
    """The same for a command that nothing is wrapped around any more."""
    tool = CALLS.get(call.program)
    if tool is not None:
        return tool(world, machine, call)
    reading = READINGS.get(call.program)
    return Reply(*reading(world, machine, call.words)) if reading else Reply("", 127)


def takes_input(call: Call) -> bool:
    """Whether a command waits for what is written to it."""
    return call.program == "tee" or (call.program == "cat" and len(call.words) == 1)
