"""nginx on a simulated machine: `nginx -T`, its processes, stub_status."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.sim.world.balancer import NginxProcess
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

Result = tuple[str, int]


def nginx(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    here = next((one for one in world.nginxes.values() if one.host == machine.name), None)
    if here is None:
        return "", 127
    if "-T" in argv:
        return dump(here), 0
    if "-t" in argv or "-s" in argv:
        return "", 0
    return f"nginx version: nginx/{world.say(here.version)}\n", 0


def dump(nginx: NginxProcess) -> str:
    """The verdict and every file."""
    main = next(iter(nginx.config), "/etc/nginx/nginx.conf")
    out = [
        f"nginx: the configuration file {main} syntax is ok\n",
        f"nginx: configuration file {main} test is successful\n",
    ]
    out.extend(f"# configuration file {path}:\n{body}\n" for path, body in nginx.config.items())
    return "".join(out)


def processes(world: World, machine: Machine, _: Sequence[str]) -> Result:
    uptime = world.uptime(machine)
    lines = [
        f"now {int(world.host_time(machine))}",
        f"uptime {uptime:.2f} {uptime * 3:.2f}",
        "hz 100",
    ]
    found = [p for p in machine.processes.values() if p.argv[0].startswith("nginx:")]
    master = next((p.pid for p in found if "master" in p.argv[0]), 1)
    for process in found:
        parent = 1 if process.pid == master else master
        ticks = int((process.started - machine.boot_time) * 100)
        lines.append(f"process {process.pid} {parent} {ticks} {' '.join(process.argv)}")
    return "\n".join(lines) + "\n", 0


def established(_: World, machine: Machine, __: Sequence[str]) -> Result:
    """Nobody's connections: an HTTP server closes them after each request."""
    return "login 1000\nnginx 0\nnginx 33\nend\n", 0


def stub_status(nginx: NginxProcess) -> str:
    return (
        f"Active connections: {nginx.active} \n"
        "server accepts handled requests\n"
        f" {nginx.accepts} {nginx.accepts} {nginx.requests} \n"
        f"Reading: 0 Writing: 2 Waiting: {max(0, nginx.active - 2)} \n"
    )
