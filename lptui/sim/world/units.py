"""systemd on a simulated machine: what starts, stops and enables units, and what that does to the
processes behind them.
"""

from __future__ import annotations

from typing import Final

from lptui.sim.world import nginx
from lptui.sim.world.livepeer import LivepeerProcess
from lptui.sim.world.machine import Listening, Machine, Process, SystemdUnit
from lptui.sim.world.world import World

BOOT_SECONDS: Final = 5.0
"""How long a machine takes to boot; real ones take minutes."""
FIRST_PID: Final = 400


def start(world: World, machine: Machine, name: str) -> bool:
    """Starts a unit that does not run. False: it failed."""
    unit = machine.units[name]
    if unit.pid is not None:
        return True
    now = world.clock.now()
    for node in _nodes(world, machine, name):
        _configure(world, machine, node)
        unit.command, unit.listens = node.argv(), node.listens
    process = spawn(machine, unit, now)
    unit.since = unit.changed = now
    unit.starts, unit.restarts = unit.starts + 1, 0
    unit.active, unit.sub, unit.result, unit.exit_status = "active", "running", "success", 0
    try:
        _begin(world, machine, unit, process)
    except nginx.ConfigError:
        stop(world, machine, name, failed=True)
        return False
    return True


def stop(world: World, machine: Machine, name: str, *, failed: bool = False) -> None:
    """Ends a unit's processes, as `systemctl stop` or a crash would."""
    unit = machine.units[name]
    if unit.pid is None and not failed:
        return
    machine.end_unit(name)
    unit.pid, unit.since = None, world.clock.now()
    unit.changed = unit.since
    unit.active, unit.sub = ("failed", "failed") if failed else ("inactive", "dead")
    unit.result = "exit-code" if failed else "success"
    unit.exit_status = 2 if failed else 0
    _end(world, machine, name)


def restart(world: World, machine: Machine, name: str) -> bool:
    """Stops and starts a unit. False: it failed."""
    stop(world, machine, name)
    return start(world, machine, name)


def reload(world: World, machine: Machine, name: str) -> bool:
    """Lets a running unit load its configuration. False: it is not accepted."""
    now = machine.units[name].changed = world.clock.now()
    for balancer in world.haproxies.values():
        if (balancer.host, balancer.unit) == (machine.name, name):
            machine.next_pid += 1
            balancer.begin_anew(machine.next_pid, now)
    for web in world.nginxes.values():
        if (web.host, web.unit) == (machine.name, name):
            try:
                nginx.load(web, machine, now)
            except nginx.ConfigError:
                return False
    return True


def reboot(world: World, machine: Machine) -> None:
    """Ends everything; the machine is there again some seconds later."""
    for name in machine.units:
        stop(world, machine, name)
    machine.processes.clear()
    machine.boots_until = world.clock.now() + BOOT_SECONDS
    world.booting.append(machine)


def boot_machines(world: World, _: float) -> None:
    """Brings back the machines whose time it is, with the units that start by themselves."""
    for machine in tuple(world.booting):
        if machine.boots_until is not None and world.now >= machine.boots_until:
            world.booting.remove(machine)
            _boot(world, machine)


def spawn(machine: Machine, unit: SystemdUnit, now: float) -> Process:
    """A unit's main process, with its sockets."""
    process = machine.start_process(unit.command, now, user=unit.user, unit=unit.name)
    process.files, unit.pid = unit.files, process.pid
    machine.listeners.extend(Listening(*where, process.pid) for where in unit.listens)
    return process


def _boot(world: World, machine: Machine) -> None:
    machine.boot_time, machine.boots_until = world.clock.now(), None
    machine.next_pid, machine.reboot_packages = FIRST_PID, ()
    machine.files.forget_run()
    machine.busy_ticks = machine.total_ticks = machine.iowait_ticks = 0.0
    for name, unit in machine.units.items():
        unit.active, unit.sub, unit.result = "inactive", "dead", "success"
        unit.starts, unit.since, unit.changed, unit.exit_status = 0, 0.0, 0.0, 0
        if unit.enabled == "enabled-runtime":
            unit.enabled = "disabled"
        if unit.enabled == "enabled":
            start(world, machine, name)


def _nodes(world: World, machine: Machine, unit: str) -> list[LivepeerProcess]:
    return [node for node in world.nodes_on(machine.name) if node.unit == unit]


def _configure(world: World, machine: Machine, node: LivepeerProcess) -> None:
    """What a node finds in its environment file as it starts."""
    file = machine.files.find(node.environment_file)
    if file is not None:
        node.configure(file.text)
    home = world.node_at(node.orchestrator) if node.orchestrator else None
    node.home = home.name if home is not None else ""


def _begin(world: World, machine: Machine, unit: SystemdUnit, process: Process) -> None:
    """What a unit runs begins, and knows nothing of before. Raises nginx.ConfigError."""
    for node in _nodes(world, machine, unit.name):
        node.running, node.started = True, process.started
        node.sessions, node.cap, node.rejected, node.stalled_at = 0, None, False, None
        node.work = type(node.work)()
        node.round_seen = world.ledger.last_initialised(world.l2_block)
    for rpc in world.rpcs.values():
        if (rpc.host, rpc.unit) == (machine.name, unit.name):
            rpc.running = True
    for balancer in world.haproxies.values():
        if (balancer.host, balancer.unit) == (machine.name, unit.name):
            balancer.running = True
            balancer.begin_anew(process.pid, process.started)
    for web in world.nginxes.values():
        if (web.host, web.unit) == (machine.name, unit.name):
            nginx.load(web, machine, process.started)


def _end(world: World, machine: Machine, unit: str) -> None:
    """What a unit ran is gone, and so are its sessions."""
    for node in _nodes(world, machine, unit):
        node.running, node.sessions = False, 0
    for rpc in world.rpcs.values():
        if (rpc.host, rpc.unit) == (machine.name, unit):
            rpc.running = False
    for balancer in world.haproxies.values():
        if (balancer.host, balancer.unit) == (machine.name, unit):
            balancer.running = False
    for web in world.nginxes.values():
        if (web.host, web.unit) == (machine.name, unit):
            web.upstreams, web.before = {}, {}
