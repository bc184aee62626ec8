"""`/proc` and the small tools: vitals, processes, sockets, clock, identity."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from lptui.clock import utc
from lptui.sim.world.machine import Listening, Machine, Process, stable_hex
from lptui.sim.world.world import World

Result = tuple[str, int]
_SECRET: Final = re.compile(r"(?i)password|secret|creds|token|headers|key$|uri$")


def vitals(world: World, machine: Machine, _: Sequence[str]) -> Result:
    uptime = world.uptime(machine)
    busy, total = int(machine.busy_ticks), int(machine.total_ticks)
    iowait = int(machine.iowait_ticks)
    user = busy * 7 // 10
    one, five, fifteen = machine.loads
    running = 1 + int(machine.load * machine.cpus)
    tasks = 140 + 30 * len(machine.processes)
    lines = [
        f"uptime {uptime:.2f} {uptime * machine.cpus * 0.8:.2f}",
        f"load {one:.2f} {five:.2f} {fifteen:.2f} {running}/{tasks} {machine.next_pid}",
        f"cpu  {user} 0 {busy - user} {max(0, total - busy - iowait)} {iowait} 0 0 0 0 0",
        f"MemTotal:       {machine.memory // 1024} kB",
        f"MemAvailable:   {max(0, machine.memory_available) // 1024} kB",
    ]
    return "\n".join(lines) + "\n", 0


def system(world: World, machine: Machine, _: Sequence[str]) -> Result:
    say = world.say
    cpu, memory, io = machine.psi
    lines = [
        f"hostname {say(machine.name)}",
        f"osrelease {say(machine.kernel)}",
        f"boot_id {machine.boot_id}",
        f"machine {machine.arch}",
        f"cpus 0-{machine.cpus - 1}",
        f'os "{say(machine.os_name)}"',
        f"user {machine.user}",
        f"groups {' '.join(machine.groups)}",
        f"file-nr {sum(one.files for one in machine.processes.values()) + 900}\t0\t2466177",
        f"oom_kill {machine.oom_kills}",
        f"SwapTotal:      {machine.swap_total // 1024} kB",
        f"SwapFree:       {(machine.swap_total - machine.swap_used) // 1024} kB",
        f"psi_cpu some avg10={cpu:.2f} avg60={cpu:.2f} avg300={cpu:.2f} total=812345",
        f"psi_memory some avg10={memory:.2f} avg60={memory:.2f} avg300={memory:.2f} total=0",
        f"psi_io some avg10={io:.2f} avg60={io:.2f} avg300={io:.2f} total=345",
        f"machine_id {stable_hex(machine.name)}",
        "systemd yes",
    ]
    if machine.reboot_packages:
        lines.append("reboot required")
        lines.extend(f"package {say(name)}" for name in machine.reboot_packages)
    return "\n".join(lines) + "\n", 0


def open_files(_: World, machine: Machine, argv: Sequence[str]) -> Result:
    lines = []
    for pid in argv[1:]:
        process = machine.processes.get(int(pid)) if pid.isdecimal() else None
        if process is not None:
            lines.append(f"{pid} {process.files} {process.file_limit}\n")
    return "".join(lines), 0


def livepeer_processes(world: World, machine: Machine, _: Sequence[str]) -> Result:
    """As the probe's shell function prints them: secret values are named, not shown."""
    lines = []
    for process in machine.processes.values():
        if not process.argv[0].rpartition("/")[2].startswith("livepeer"):
            continue
        group = f"/system.slice/{process.unit}" if process.unit else "/user.slice/user-1000.slice"
        lines.append(f"process {process.pid} {process.user} {group}")
        lines.extend(f" {word}" for word in _arguments(world, process))
    return "".join(f"{line}\n" for line in lines), 0


def _arguments(world: World, process: Process) -> list[str]:
    words: list[str] = []
    hide = False
    for word in process.argv:
        shown = word if word.startswith(("-", "/", "0x")) else world.say(word)
        words.append(("<file>" if word.startswith("/") else "<literal>") if hide else shown)
        hide = word.startswith("-") and _SECRET.search(word) is not None
    return words


def date(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    now = world.host_time(machine)
    if list(argv[1:]) == ["+%s"]:
        return f"{int(now)}\n", 0
    return f"{now:.9f}\n", 0


def chronyc(world: World, machine: Machine, _: Sequence[str]) -> Result:
    leap = "Normal" if machine.synchronised else "Not synchronised"
    reference = world.host_time(machine) - 31.0
    return (
        f"C0000201,192.0.2.1,3,{reference:.9f},0.000012,-0.00001,0.00002,-5.1,0.0,0.02,0.01,"
        f"0.001,64.5,{leap}\n",
        0,
    )


def timedatectl(_: World, machine: Machine, __: Sequence[str]) -> Result:
    return f"NTP=yes\nNTPSynchronized={'yes' if machine.synchronised else 'no'}\n", 0


def sockets(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    if "established" in argv:
        return _established(world, machine), 0
    lines = [
        f"LISTEN 0      4096 {one.address}:{one.port} {_peer(one.address)}:* {_group(machine, one)}"
        for one in machine.listeners
    ]
    if not any("H" in word for word in argv[1:] if word.startswith("-")):
        lines.insert(0, "State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process")
    return "\n".join(lines) + "\n", 0


def _established(world: World, machine: Machine) -> str:
    """The connections of this machine's transcoders to their orchestrators."""
    lines = []
    for node in world.nodes.values():
        at = world.machines[node.host].address
        lines += [
            f"0      0 {link.address}:{link.port} {at}:{node.public_port}\n"
            for link in node.links
            if world.nodes[link.node].host == machine.name
        ]
    return "".join(lines)


def _group(machine: Machine, one: Listening) -> str:
    process = machine.processes.get(one.pid) if one.pid is not None else None
    return f"cgroup:/system.slice/{process.unit} <->" if process and process.unit else "<->"


def _peer(address: str) -> str:
    if address == "*":
        return "*"
    return "[::]" if address.startswith("[") else "0.0.0.0"  # noqa: S104


def uname(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    if "-m" in argv:
        return f"{machine.arch}\n", 0
    return f"Linux {world.say(machine.kernel)} {machine.arch}\n", 0


def hostname(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    whole = f"{machine.name}.example.net" if "-f" in argv else machine.name
    return f"{world.say(whole)}\n", 0


def uptime(world: World, machine: Machine, _: Sequence[str]) -> Result:
    days, rest = divmod(int(world.uptime(machine)), 86_400)
    one, five, fifteen = machine.loads
    clock = f"{utc(world.host_time(machine)):%H:%M:%S}"
    up = f"up {days} days, {rest // 3600:2}:{rest % 3600 // 60:02}"
    return f" {clock} {up},  0 users,  load average: {one:.2f}, {five:.2f}, {fifteen:.2f}\n", 0


def identity(_: World, machine: Machine, argv: Sequence[str]) -> Result:
    if "-nG" in argv:
        return " ".join(machine.groups) + "\n", 0
    return (f"{machine.user}\n" if "-un" in argv else "1000\n"), 0
