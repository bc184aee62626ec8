"""What the values of a configuration mean together: hosts, nodes, groups, limits.

Endpoints and the chain are in `cross_chain.py`, balancers in `cross_balancers.py`, what changes
rest on in `cross_changes.py`, the operator's own commands in `cross_commands.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from lptui.config import (
    cross_balancers,
    cross_chain,
    cross_changes,
    cross_commands,
    cross_safety,
)
from lptui.config.addresses import is_ip
from lptui.config.defaults import (
    CLI_PORTS,
    DIRECT,
    KIND_ROLES,
    NEEDS_CLI,
    cli_of,
    node_type,
    place_of,
    roles_of,
    threshold,
    unit_name,
    via_of,
)
from lptui.config.load import Loc
from lptui.config.mistakes import Mistake, shown
from lptui.config.schema import NO_ENDPOINT, HostSpec, NodeSpec, SshSpec
from lptui.config.view import View
from lptui.fleet.topology import Role
from lptui.text import clean

_UNIT: Final = re.compile(r"[A-Za-z0-9:_.\\@-]{1,240}")
_UNIT_TYPES: Final = frozenset(
    {"service", "socket", "device", "mount", "automount", "swap"}
    | {"target", "path", "timer", "slice", "scope"}
)
_CONTAINER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\\@-]{0,63}\$?")
_ALIAS: Final = re.compile(r"[A-Za-z0-9_][^\s*?!#,@\"']{0,252}")
_JUMP: Final = re.compile(r"(?:([^@\s]+)@)?(\[[0-9A-Fa-f:.%a-z]+\]|[^:@\s]+)(?::([0-9]{1,5}))?")
_DAY: Final = 86_400.0
_PAIRS: Final = (
    # What must be worse than what: a warning comes before it is critical.
    ("balance_critical", "balance_warn", "below"),
    ("deposit_critical", "deposit_warn", "below"),
    ("reserve_critical", "reserve_warn", "below"),
    ("runway_critical_rounds", "runway_warn_rounds", "below"),
    ("head_age_critical", "head_age_warn", "above"),
    ("head_lag_critical_blocks", "head_lag_warn_blocks", "above"),
    ("l1_lag_critical_blocks", "l1_lag_warn_blocks", "above"),
    ("gpu_temperature_critical", "gpu_temperature_warn", "above"),
    ("disk_critical", "disk_warn", "above"),
    ("disk_days_critical", "disk_days_warn", "below"),
    ("memory_critical", "memory_warn", "above"),
    ("fd_critical", "fd_warn", "above"),
    ("clock_critical", "clock_warn", "above"),
)


def mistakes(view: View) -> Iterator[Mistake]:
    """All mistakes that no single value shows."""
    is_empty = not (view.names["host"] or view.names["node"] or view.names["rpc"])
    if is_empty and not any(len(place) == 1 for place in view.wrong):
        yield view.mistake((), "nothing to watch: no hosts, no nodes, no rpcs")
    yield from _ssh(view)
    for name, host in view.hosts.items():
        yield from _host(view, name, host)
    yield from _jump_loops(view)
    for name, node in view.nodes.items():
        yield from _node(view, name, node)
    yield from _shared_addresses(view)
    yield from cross_chain.mistakes(view)
    for name, balancer in view.balancers.items():
        yield from cross_balancers.mistakes(view, name, balancer)
    yield from cross_changes.mistakes(view)
    yield from cross_commands.mistakes(view)
    yield from cross_safety.mistakes(view)
    yield from _groups(view)
    yield from _limits(view)


def _both(
    view: View, loc: Loc, section: SshSpec | HostSpec | NodeSpec, first: str, second: str
) -> Iterator[Mistake]:
    if getattr(section, first) is not None and getattr(section, second) is not None:
        yield view.mistake((*loc, second), f"either `{first}` or `{second}`, not both", key=True)


def _ssh(view: View) -> Iterator[Mistake]:
    if view.config.ssh is not None:
        yield from _both(view, ("ssh",), view.config.ssh, "identity", "identities")
        yield from _user(view, ("ssh", "user"), view.config.ssh.user)


def _user(view: View, loc: Loc, user: str | None) -> Iterator[Mistake]:
    if user is not None and not _USER.fullmatch(user):
        yield view.mistake(loc, f"'{shown(user)}' is not a login name", user)


def _host(view: View, name: str, host: HostSpec) -> Iterator[Mistake]:
    loc = ("hosts", name)
    if host.local:
        for key in (
            "address",
            "ssh",
            "port",
            "user",
            "identity",
            "identities",
            "jump",
            "known_hosts",
        ):
            if getattr(host, key) is not None:
                yield view.mistake(
                    (*loc, key),
                    f"a local host is not reached by SSH: `{key}` means nothing",
                    key=True,
                )
        return
    reached = host.address is not None or host.ssh is not None
    if not reached and not view.is_wrong(loc, "address", "ssh", "local"):
        yield view.mistake(
            loc,
            f"host '{name}' does not say how it is reached: give `address`, `ssh` (a Host of "
            "~/.ssh/config) or `local: true`",
            key=True,
        )
    if host.ssh is not None and not _ALIAS.fullmatch(host.ssh):
        yield view.mistake(
            (*loc, "ssh"),
            f"'{shown(host.ssh)}' is not the name of a Host",
            host.ssh,
            host.ssh.rpartition("@")[2] if "@" in host.ssh else "",
        )
    yield from _both(view, loc, host, "identity", "identities")
    yield from _user(view, (*loc, "user"), host.user)
    for index, jump in enumerate(host.jump or ()):
        yield from _jump(view, name, (*loc, "jump", index), jump)


def _jump(view: View, name: str, loc: Loc, jump: str) -> Iterator[Mistake]:
    if jump == name:
        yield view.mistake(loc, f"host '{name}' cannot jump through itself", jump)
    elif jump in view.names["host"]:
        target = view.hosts.get(jump)
        if target is not None and target.local:
            yield view.mistake(
                loc, f"host '{jump}' is local: there is nothing to jump through", jump
            )
    elif "," in jump:
        pieces = [piece.strip() for piece in jump.split(",")]
        message = f"'{shown(jump)}' is several hosts: write them as a list"
        yield view.mistake(loc, message, jump, shown(f"[{', '.join(pieces)}]"))
    elif not ("@" in jump or ":" in jump or "." in jump):
        yield from view.unknown(loc, "host", jump)
    else:
        found = _JUMP.fullmatch(jump)
        user, address, port = found.groups() if found else (None, "", None)
        bare = address.strip("[]")
        fine = bool(address) and (is_ip(bare) or bool(_ALIAS.fullmatch(address)))
        if (
            not fine
            or (port and not 1 <= int(port) <= 65535)
            or (user and not _USER.fullmatch(user))
        ):
            yield view.mistake(loc, f"'{shown(jump)}' is not [user@]address[:port]", jump)


def _jump_loops(view: View) -> Iterator[Mistake]:
    """Hosts that are reached through each other."""
    hosts = view.hosts
    done: set[str] = set()
    for start in hosts:
        way = [start] if start not in done else []
        on_way = set(way)
        open_jumps = [iter(_jumps(hosts, name)) for name in way]
        while way:
            jump = next(open_jumps[-1], None)
            if jump is None:
                done.add(way[-1])
                on_way.remove(way.pop())
                open_jumps.pop()
            elif jump in on_way and jump != way[-1]:
                circle = way[way.index(jump) :]
                message = f"jump hosts in a circle: {' → '.join((*circle, jump))}"
                yield view.mistake(("hosts", jump, "jump"), clean(message, 200), key=True)
            elif jump not in done and jump in hosts and jump != way[-1]:
                way.append(jump)
                on_way.add(jump)
                open_jumps.append(iter(_jumps(hosts, jump)))


def _jumps(hosts: Mapping[str, HostSpec], name: str) -> list[str]:
    return hosts[name].jump or []


def _node(view: View, name: str, node: NodeSpec) -> Iterator[Mistake]:
    loc = ("nodes", name)
    yield from view.unknown((*loc, "host"), "host", node.host)
    yield from _roles(view, loc, name, node)
    yield from _service(view, loc, node)
    yield from _endpoints(view, loc, name, node)
    yield from _chain_side(view, loc, node)
    roles = roles_of(node)
    if view.is_wrong(loc, "role", "roles"):
        return
    if node.transcoders is not None and Role.ORCHESTRATOR not in roles:
        yield view.mistake(
            (*loc, "transcoders"), "only orchestrators have transcoders connected", key=True
        )
    serve = {Role.ORCHESTRATOR, Role.GATEWAY, Role.REDEEMER}
    if node.service_uri is not None and not roles & serve:
        yield view.mistake(
            (*loc, "service_uri"),
            "only orchestrators, gateways and redeemers have a service URI",
            key=True,
        )


def _roles(view: View, loc: Loc, name: str, node: NodeSpec) -> Iterator[Mistake]:
    yield from _both(view, loc, node, "role", "roles")
    if node.role is None and node.roles is None:
        if not view.is_wrong(loc, "role", "roles"):
            yield view.mistake(loc, f"node '{name}' has no `role`", key=True)
        return
    roles = roles_of(node)
    where = (*loc, "roles" if node.roles is not None else "role")
    if node.roles is not None and len(set(node.roles)) != len(node.roles):
        yield view.mistake(where, "the same role twice", key=True)
    kinds = [role for role in KIND_ROLES if role in roles]
    if len(kinds) > 1 and set(kinds) != {Role.ORCHESTRATOR, Role.TRANSCODER}:
        both = " and ".join(kinds)
        yield view.mistake(
            where, f"one process cannot be {both}: go-livepeer would only be {kinds[0]}", key=True
        )
    if Role.RPC in roles and len(roles) > 1:
        yield view.mistake(where, "an RPC node is a process of its own", key=True)


def _service(view: View, loc: Loc, node: NodeSpec) -> Iterator[Mistake]:
    yield from _both(view, loc, node, "unit", "container")
    unit, container = node.unit, node.container
    if unit is not None:
        where = (*loc, "unit")
        stem, dot, suffix = unit.rpartition(".")
        if not _UNIT.fullmatch(unit) or unit.startswith(("-", ".")):
            yield view.mistake(where, f"'{shown(unit)}' is not the name of a systemd unit", unit)
        elif dot and suffix != "service":
            meant = f"{stem}.service" if suffix in _UNIT_TYPES else f"{unit}.service"
            if suffix in _UNIT_TYPES:
                message = f"'{shown(unit)}' is a {suffix}: a process is kept running by a service"
            else:
                message = f"unknown unit type '.{shown(suffix)}'"
            yield view.mistake(where, message, unit, meant)
    if container is not None and not _CONTAINER.fullmatch(container):
        yield view.mistake(
            (*loc, "container"), f"'{shown(container)}' is not the name of a container", container
        )


def _endpoints(view: View, loc: Loc, name: str, node: NodeSpec) -> Iterator[Mistake]:
    roles = roles_of(node)
    for key in ("cli", "metrics"):
        endpoint = getattr(node, key)
        if endpoint is not None and endpoint.via is not None:
            yield from view.unknown((*loc, key, "via"), "host", endpoint.via, (DIRECT,))
    if node.metrics is not None and node.metrics.url == NO_ENDPOINT:
        yield view.mistake(
            (*loc, "metrics"),
            "`metrics` cannot be 'none': it is asked for where `cli` is",
            key=True,
        )
    if node.cli is not None and _has_no_port(node.cli.url):
        yield view.mistake(
            (*loc, "cli"), "no port: -cliAddr says which, for example 127.0.0.1:7935", node.cli.url
        )
    if Role.RPC in roles:
        for key in ("cli", "metrics"):
            if getattr(node, key) is not None:
                yield view.mistake(
                    (*loc, key), f"an RPC node has no `{key}`: give its address in `rpcs`", key=True
                )
        return
    needing = next((role for role in NEEDS_CLI if role in roles), None)
    if needing is None or cli_of(node) is not None or view.is_wrong(loc, "cli"):
        return
    message = (
        f"{needing} '{name}' has no `cli`: without -cliAddr go-livepeer would serve its CLI API "
        "on port 80 to everybody"
    )
    yield view.mistake((*loc, "cli") if node.cli else loc, message, key=True)


def _has_no_port(url: str) -> bool:
    """A CLI API on port 80 must be meant: it is what go-livepeer does when nothing is said."""
    return url.startswith("http://") and urlsplit(url).port is None


def _chain_side(view: View, loc: Loc, node: NodeSpec) -> Iterator[Mistake]:
    yield from _both(view, loc, node, "orchestrator", "recipient")
    if node.orchestrator is not None:
        yield from view.unknown((*loc, "orchestrator"), "orchestrator", node.orchestrator)
    if node.rpc is not None:
        yield from view.unknown((*loc, "rpc"), "rpc", node.rpc)
    known = {spec.address for spec in view.orchestrators.values()}
    if node.recipient is not None and known and node.recipient not in known:
        yield view.mistake(
            (*loc, "recipient"),
            "the recipient is not an orchestrator of `chain`: add it there",
            node.recipient,
        )
    for key in ("account", "recipient", "orchestrator"):
        if getattr(node, key) is not None and Role.RPC in roles_of(node):
            yield view.mistake((*loc, key), f"an RPC node has no `{key}`", key=True)


def _shared_addresses(view: View) -> Iterator[Mistake]:
    """Two processes on one host cannot share a CLI address, nor a unit."""
    addresses: dict[tuple[str | None, str], str] = {}
    services: dict[tuple[str, str], str] = {}
    for name, node in view.nodes.items():
        cli = None if Role.RPC in roles_of(node) else cli_of(node)
        if cli is not None and not view.is_wrong(("nodes", name), "cli", "role", "roles"):
            place = place_of(cli.url)
            first = addresses.setdefault((via_of(cli, node.host), place), name)
            if first != name:
                default = ""
                if node.cli is None:
                    kind = node_type(roles_of(node))
                    default = (
                        f" ({place} is the default of role {kind})" if kind in CLI_PORTS else ""
                    )
                loc = ("nodes", name, "cli")
                message = f"node '{name}' has the same CLI address as '{first}'{default}"
                yield view.mistake(loc, message, place, key=node.cli is None)
        service = unit_name(node.unit) if node.unit else node.container
        if service:
            first = services.setdefault((node.host, service), name)
            if first != name:
                key = "unit" if node.unit else "container"
                message = (
                    f"'{shown(service)}' also runs node '{first}': one process with several "
                    "roles is one node with `roles`"
                )
                yield view.mistake(("nodes", name, key), message, service)


def _groups(view: View) -> Iterator[Mistake]:
    for name, members in (view.config.groups or {}).items():
        for index, member in enumerate(members):
            yield from view.unknown(("groups", name, index), "node", member)


def _limits(view: View) -> Iterator[Mistake]:
    thresholds = view.config.thresholds
    if thresholds is not None:
        for critical, warn, way in _PAIRS:
            if getattr(thresholds, critical) is None and getattr(thresholds, warn) is None:
                continue
            if view.is_wrong(("thresholds",), critical, warn):
                continue
            worse, milder = threshold(thresholds, critical), threshold(thresholds, warn)
            if worse > milder if way == "below" else worse < milder:
                written = critical if getattr(thresholds, critical) is not None else warn
                yield view.mistake(
                    ("thresholds", written),
                    f"`{critical}` must not be {'above' if way == 'below' else 'below'} `{warn}`",
                )
    for key, seconds in view.config.intervals or ():
        if seconds is not None and not 0.2 <= seconds <= _DAY:
            yield view.mistake(("intervals", key), f"`{key}` must be between 200ms and 1d")
    for name, signer in view.signers.items():
        if (
            signer.warn_below is not None
            and signer.critical_below is not None
            and signer.critical_below > signer.warn_below
        ):
            loc = ("signers", name, "critical_below")
            yield view.mistake(loc, "`critical_below` must not be above `warn_below`")
