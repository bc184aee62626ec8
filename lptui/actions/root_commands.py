"""What may be run as root on a host, told by the same code that runs it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from lptui.actions.drivers import nginx_files
from lptui.actions.moves import environment, reboot, units
from lptui.errors import LptuiError
from lptui.fleet.declared import expand, targets
from lptui.fleet.duty import holders
from lptui.fleet.facts.balancer import NginxConfig
from lptui.fleet.facts.host import HostUnits
from lptui.fleet.facts.keystore import KeyAtStart, NodeKeystore
from lptui.fleet.facts.tickets import TicketQueue
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.tickets import keepers
from lptui.fleet.topology import Balancer, BalancerKind, Host, Node
from lptui.probes.host import key_at_start, key_trial
from lptui.probes.host.safety_commands import ROOT_SSHD
from lptui.probes.nginx import commands as nginx
from lptui.probes.tickets import commands as tickets
from lptui.probes.tickets import place

Argv = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Needed:
    """Commands of a host, and what for. `unknown`: why there may be more."""

    purpose: str
    commands: tuple[Argv, ...]
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Files:
    """What a host says of files: where their paths lead, and which the login may write itself."""

    real: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    own: frozenset[str] = frozenset()


def needed(snapshot: Snapshot, host: Host, files: Files) -> tuple[Needed, ...]:
    """All that lptui runs as root on a host, in the configuration's order; each command once."""
    seen: set[Argv] = set()
    found = []
    for one in _needed(snapshot, host, files):
        fresh = tuple(argv for argv in dict.fromkeys(one.commands) if argv not in seen)
        seen.update(fresh)
        if fresh or one.unknown:
            found.append(Needed(one.purpose, fresh, one.unknown))
    return tuple(found)


def editable(snapshot: Snapshot, host: Host) -> tuple[str, ...]:
    """nginx's files on a host that changes edit, by the paths that name them."""
    found: list[str] = []
    for balancer in _nginx_on(snapshot, host):
        config = snapshot.value(NginxConfig, balancer.name)
        found += _files_of(balancer, config) if config is not None else ()
    return tuple(dict.fromkeys(found))


def _needed(snapshot: Snapshot, host: Host, files: Files) -> Iterator[Needed]:
    nodes = snapshot.fleet.nodes_on(host.name)
    if host.safety.keys_only:
        yield Needed("who may log in (safety.logins)", (ROOT_SSHD,))
    for node in nodes:
        if node.keystore_check:
            yield _of_keys(snapshot, node)
        yield _of_unit(snapshot, node)
        if node.service is not None and snapshot.fleet.shares_key(node):
            yield _of_key_at_start(snapshot, node)
        if node in keepers(snapshot.fleet):
            yield _of_tickets(snapshot, node)
        if node.environment_file is not None:
            commands = environment.root_commands(node.environment_file)
            yield Needed(f"settings of node {node.name}", commands)
    for balancer in _nginx_on(snapshot, host):
        yield _of_nginx(snapshot, balancer, files)
    for command in snapshot.fleet.commands.values():
        lines = (command.run, command.check, command.undo) if command.as_root else ()
        own = [one for one in targets(snapshot.fleet, command) if one.host == host.name]
        argvs = tuple(expand(line, target) for target in own for line in lines if line)
        yield Needed(f"declared command {command.name}", argvs)
    if nodes:
        yield Needed("restart --preset reboot", (reboot.COMMAND,))


def _of_unit(snapshot: Snapshot, node: Node) -> Needed:
    found = snapshot.value(HostUnits, node.host)
    unit = found.find(node.service.name) if found and node.service else None
    commands = units.root_commands(node, unit, fails_over=len(holders(snapshot, node)) > 1)
    return Needed(f"unit of node {node.name}", commands)


def _of_tickets(snapshot: Snapshot, node: Node) -> Needed:
    """What reads the node's winning tickets where the login may not."""
    queue = snapshot.value(TicketQueue, node.name)
    purpose = f"winning tickets of node {node.name}"
    if queue is not None:
        return Needed(purpose, tickets.root_commands(queue.path) if queue.as_root else ())
    try:
        path = place.place_of(snapshot, node)
    except LptuiError:
        path = None
    if path is None:
        return Needed(purpose, (), "where its database is is not known: set `database`")
    return Needed(purpose, tickets.root_commands(path))


def _of_keys(snapshot: Snapshot, node: Node) -> Needed:
    """What reads the node's key files where the login may not."""
    found = snapshot.value(NodeKeystore, node.name)
    purpose = f"key files of node {node.name} (keystore_check)"
    if found is not None:
        return Needed(purpose, key_trial.root_commands(found.path) if found.as_root else ())
    try:
        path = key_trial.keys_at(snapshot, node)
    except LptuiError as error:
        return Needed(purpose, (), f"where they are is not known: {error.why}")
    if path.startswith("~"):
        return Needed(purpose, (), "they are in its user's home: give it -ethKeystorePath")
    return Needed(purpose, key_trial.root_commands(path))


def _of_key_at_start(snapshot: Snapshot, node: Node) -> Needed:
    """What tells whether a node would find its key, where the login may not look."""
    reading = snapshot.reading(KeyAtStart, node.name)
    purpose = f"whether node {node.name} would find its key"
    if reading.value is None:
        return Needed(purpose, (), f"it could not be asked: {reading.problem}")
    found = reading.value
    why = "" if found.path else f"where it is is not known: {found.unknown}"
    if any(one.closed and one.there is None for one in found.files):
        why = "with these rules more can be told: print this again when they are in place"
    return Needed(purpose, key_at_start.root_commands(found), why)


def _of_nginx(snapshot: Snapshot, balancer: Balancer, files: Files) -> Needed:
    config = snapshot.value(NginxConfig, balancer.name)
    paths = _files_of(balancer, config) if config is not None else ()
    real = {path: files.real.get(path, path) for path in paths if path not in files.own}
    log = config.error_log if config is not None else ""
    commands = nginx_files.root_commands(balancer.config_path, real, log)
    why = ""
    if config is None:
        problem = snapshot.reading(NginxConfig, balancer.name).problem
        why = f"which files it has could not be read: {problem}; print this again when they can be"
    dump = nginx.dump(balancer.config_path).argv
    return Needed(f"nginx {balancer.name}", (dump, *commands), why)


def _nginx_on(snapshot: Snapshot, host: Host) -> list[Balancer]:
    balancers = snapshot.fleet.balancers.values()
    return [b for b in balancers if b.kind is BalancerKind.NGINX and b.host == host.name]


def _files_of(balancer: Balancer, config: NginxConfig) -> tuple[str, ...]:
    """The files with the servers that may be taken out of service, or be given a weight."""
    return tuple(
        dict.fromkeys(
            server.file
            for upstream in config.upstreams
            for server in upstream.servers
            if server.file
            and not upstream.is_direct
            and (not balancer.backends or upstream.name in balancer.backends)
        )
    )
