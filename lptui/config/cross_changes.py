"""What the keys for changes mean together: stand-bys, environment files, guards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.config.defaults import roles_of
from lptui.config.mistakes import Mistake, shown
from lptui.config.schema import NodeSpec
from lptui.config.view import View
from lptui.fleet.topology import Role
from lptui.fleet.units import short_address

_DAY_S: Final = 86_400.0


def mistakes(view: View) -> Iterator[Mistake]:
    """All mistakes around what changes rest on."""
    for name, node in view.nodes.items():
        yield from _standby(view, name, node)
        yield from _environment(view, name, node)
    yield from _guards(view)


def _standby(view: View, name: str, node: NodeSpec) -> Iterator[Mistake]:
    """A stand-by takes over a key and its work: it must be able to, and be one itself alone."""
    if node.standby_for is None:
        return
    wanted = node.standby_for
    loc = ("nodes", name, "standby_for")
    yield from view.unknown(loc, "node", wanted)
    if wanted == name:
        yield view.mistake(loc, f"node '{name}' cannot stand by for itself", wanted)
        return
    active = view.nodes.get(wanted)
    if active is None:
        return
    if active.standby_for is not None:
        yield view.mistake(
            loc, f"node '{wanted}' is a stand-by itself", wanted, _end_of_chain(view, wanted)
        )
        return
    for who, spec in ((name, node), (wanted, active)):
        is_wrong = view.is_wrong(("nodes", who), "unit", "container")
        if spec.unit is None and spec.container is None and not is_wrong:
            message = f"node '{who}' has no `unit` or `container` to be stopped and started by"
            yield view.mistake(loc, message, wanted, key=True)
    roles, others = roles_of(node), roles_of(active)
    if roles and others and not roles & others:
        message = f"node '{wanted}' has no role in common with '{name}'"
        yield view.mistake(loc, message, wanted)
    if Role.RPC in roles:
        message = "an RPC node holds no key to stand by for: others are moved to it"
        yield view.mistake(loc, message, key=True)
    if node.account is not None and active.account not in (None, node.account):
        yield view.mistake(
            ("nodes", name, "account"),
            f"stands by for '{wanted}', which acts as {short_address(active.account or '')}: "
            "it takes over that account",
            node.account,
        )


def _end_of_chain(view: View, name: str) -> str:
    """The node that a stand-by stands by for, when that is none itself."""
    meant = view.nodes[name].standby_for or ""
    last = view.nodes.get(meant)
    return meant if last is not None and last.standby_for is None else ""


def _environment(view: View, name: str, node: NodeSpec) -> Iterator[Mistake]:
    loc = ("nodes", name)
    for key in ("environment_file", "environment"):
        if getattr(node, key) is not None and Role.RPC in roles_of(node):
            yield view.mistake((*loc, key), f"an RPC node has no `{key}`", key=True)
    if node.database is not None and Role.RPC in roles_of(node):
        yield view.mistake((*loc, "database"), "an RPC node has no `database`", key=True)
    path = node.environment_file
    if path is not None and (path.endswith("/") or "/../" in f"{path}/"):
        yield view.mistake((*loc, "environment_file"), f"'{shown(path)}' is not a file", path)
    names = node.environment
    if names is None:
        return
    if path is None and not view.is_wrong(loc, "environment_file"):
        yield view.mistake(
            (*loc, "environment"),
            "`environment` names the variables of an `environment_file`, which is missing",
            key=True,
        )
    if names.rpc is not None and names.rpc == names.orchestrator:
        yield view.mistake(
            (*loc, "environment", "orchestrator"), "the same variable as `rpc`", names.rpc
        )


def _guards(view: View) -> Iterator[Mistake]:
    guards = view.config.guards
    if guards is None:
        return
    if guards.cool_down is not None and guards.cool_down > _DAY_S:
        yield view.mistake(("guards", "cool_down"), "`cool_down` must be at most 1d")
    is_remote = any(not host.local for host in view.hosts.values())
    for index, name in enumerate(guards.lock_hosts or ()):
        loc = ("guards", "lock_hosts", index)
        yield from view.unknown(loc, "host", name)
        host = view.hosts.get(name)
        if host is not None and host.local and is_remote:
            message = f"host '{name}' is this machine: a lock there is seen by no other console"
            yield view.mistake(loc, message, name)
        if name in (guards.lock_hosts or ())[:index]:
            yield view.mistake(loc, f"'{shown(name)}' is here twice", name)
