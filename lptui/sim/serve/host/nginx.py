"""nginx on a simulated machine: `nginx -T`, its processes, its connections, stub_status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.sim.serve.host.call import Call, Reply
from lptui.sim.world.machine import Machine
from lptui.sim.world.nginx import (
    MAIN,
    ConfigError,
    NginxProcess,
    Upstreams,
    config_files,
    parse,
    serving,
)
from lptui.sim.world.units import reload
from lptui.sim.world.world import World

Result = tuple[str, int]
KEPT_ALIVE: Final = 4
"""Connections that the workers keep to each server that they give requests."""
LEFT: Final = 2
"""The same of those that only finish."""
_USER: Final = 33


def nginx(world: World, machine: Machine, call: Call) -> Reply:
    here = _nginx_on(world, machine)
    if here is None:
        return Reply("", 127)
    if "-T" in call.words or "-t" in call.words:
        return _test(machine, is_dump="-T" in call.words)
    if "-s" in call.words[:-1]:
        return _signal(world, machine, call, here)
    return Reply("", 0, f"nginx version: nginx/{world.say(here.version)}\n")


def _nginx_on(world: World, machine: Machine) -> NginxProcess | None:
    return next((one for one in world.nginxes.values() if one.host == machine.name), None)


def _test(machine: Machine, *, is_dump: bool) -> Reply:
    """The verdict, and with `-T` every file."""
    try:
        parse(machine.files)
    except ConfigError as error:
        said = f"nginx: [emerg] {error}\nnginx: configuration file {MAIN} test failed\n"
        return Reply("", 1, said)
    verdict = (
        f"nginx: the configuration file {MAIN} syntax is ok\n"
        f"nginx: configuration file {MAIN} test is successful\n"
    )
    files = config_files(machine.files) if is_dump else {}
    chunks = (f"# configuration file {path}:\n{body}\n" for path, body in files.items())
    return Reply("".join(chunks), 0, verdict)


def _signal(world: World, machine: Machine, call: Call, here: NginxProcess) -> Reply:
    master = machine.units[here.unit].pid
    if master is None:
        return Reply("", 1, 'nginx: [error] invalid PID number "" in "/run/nginx.pid"\n')
    try:
        parse(machine.files)
    except ConfigError as error:
        return Reply("", 1, f"nginx: [emerg] {error}\n")
    if not call.is_root:
        why = "(1: Operation not permitted)"
        return Reply("", 1, f"nginx: [alert] kill({master}, 1) failed {why}\n")
    if call.words[call.words.index("-s") + 1] == "reload":
        reload(world, machine, here.unit)
    return Reply()


def processes(world: World, machine: Machine, _: Sequence[str]) -> Result:
    uptime = world.uptime(machine)
    lines = [
        f"now {world.host_time(machine):.9f}",
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


def files(_: World, machine: Machine, argv: Sequence[str]) -> Result:
    """The files that patterns stand for, as `nginx -T` prints them."""
    found = [path for pattern in argv[1:] for path in machine.files.matching(pattern)]
    out = []
    for path in found:
        try:
            body = machine.files.read(path, is_root=False)
            out.append(f"# configuration file {path}:\n{body}\n")
        except OSError:
            out.append(f"# unreadable file {path}:\n")
    return "".join(out), 0


def established(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    """Connections to these ports (hexadecimal), by user and address as /proc/net/tcp writes it."""
    here = _nginx_on(world, machine)
    lines = ["login 1000"]
    if here is not None and machine.units[here.unit].pid is not None:
        lines += ["nginx 0", f"nginx {_USER}"]
        counted: dict[str, int] = {}
        for upstreams, each in ((here.upstreams, KEPT_ALIVE), (here.before, LEFT)):
            for address in _asked(upstreams):
                counted[address] = counted.get(address, 0) + each
        told = {_as_the_kernel(address): number for address, number in counted.items()}
        wanted = {word.upper() for word in argv[1:]}
        lines += [
            f"to {_USER} {address} {number}"
            for address, number in told.items()
            if address.rpartition(":")[2] in wanted
        ]
    return "\n".join((*lines, "end")) + "\n", 0


def _asked(upstreams: Upstreams) -> list[str]:
    """The addresses that get requests."""
    first = (next(serving(peers), []) for peers in upstreams.values())
    return [peer.address for peers in first for peer in peers]


def _as_the_kernel(address: str) -> str:
    """`0100007F:1F90` of `127.0.0.1:8080`; "" of what is no such address."""
    host, _, port = address.rpartition(":")
    parts = host.split(".")
    if not all(part.isdecimal() for part in (*parts, port)):
        return ""
    return "".join(f"{int(part):02X}" for part in reversed(parts)) + f":{int(port):04X}"


def stub_status(nginx: NginxProcess) -> str:
    return (
        f"Active connections: {nginx.active} \n"
        "server accepts handled requests\n"
        f" {nginx.accepts} {nginx.accepts} {nginx.requests} \n"
        f"Reading: 0 Writing: 2 Waiting: {max(0, nginx.active - 2)} \n"
    )
