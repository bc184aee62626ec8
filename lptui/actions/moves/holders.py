"""Who acts with a signing key: the node's unit, and any process of its host with its arguments.

One key, one active host: what is told here is what a second holder is refused by.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from lptui.actions.moves.supervised import Supervised, is_down, look, of_node, says
from lptui.actions.spec import Execution, Source
from lptui.errors import RefusedError
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess, Unit
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role, SupervisorKind
from lptui.text import plural

SETTLED_S: Final = 60.0
"""A unit that has run for so long, or was never restarted by its supervisor, is told by what it is
now; one that comes and goes would give another plan each time."""

_KEYLESS: Final = frozenset({Role.RPC, Role.TRANSCODER})


@dataclass(frozen=True, slots=True)
class Trace:
    """What a process of a node is known by; "" is not known.

    Attributes:
        account: `-ethAcctAddr`, which tells whose key it is where both sides say it.
        keystore, datadir: where the key and the node's own state are.
        port: of the CLI API.
    """

    account: str = ""
    keystore: str = ""
    datadir: str = ""
    port: str = ""

    def is_of(self, process: LivepeerProcess) -> bool:
        """Whether a process may act with the same key."""
        other = trace_of(process)
        if self.account and other.account:
            return self.account == other.account
        if process.flag("transcoder") is not None and process.flag("orchestrator") is None:
            return False
        mine, theirs = ((one.keystore, one.datadir, one.port) for one in (self, other))
        return any(a and a == b for a, b in zip(mine, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class Holder:
    """A node that may hold a key. `seen` "no": it ran, and its process was not among its host's."""

    service: Supervised
    trace: Trace
    seen: str = ""

    def __str__(self) -> str:
        """As a step keeps it; `holder_in` reads it."""
        service, trace = self.service, self.trace
        return json.dumps(
            [
                *(service.node, service.host, service.kind.value, service.name),
                *(trace.account, trace.keystore, trace.datadir, trace.port),
                self.seen,
            ]
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        return (self.service.source, ("host-processes", self.service.host))


def holder_in(text: str) -> Holder:
    """A holder from a step."""
    node, host, kind, name, account, keystore, datadir, port, seen = json.loads(text)
    service = Supervised(node, host, SupervisorKind(kind), name)
    return Holder(service, Trace(account, keystore, datadir, port), seen)


def holder_of(snapshot: Snapshot, node: Node) -> Holder:
    """A node as it is found again, by its configuration and by its process if that runs steadily.

    Raises RefusedError for a node without unit and container.
    """
    service = of_node(node)
    unit, _ = look(snapshot, service)
    account = account_of(snapshot, node)
    port = _port(node.cli.url if node.cli is not None else "")
    process, seen = None, ""
    if unit is not None and unit.is_running and is_steady(unit):
        process = _process(snapshot, service, unit)
        seen = "yes" if process is not None else "no"
    if process is None:
        return Holder(service, Trace(account, port=port), seen)
    told = trace_of(process)
    trace = Trace(told.account or account, told.keystore, told.datadir, told.port or port)
    return Holder(service, trace, seen)


def is_steady(unit: Unit) -> bool:
    """Runs since it was last started by hand, or for long."""
    return not unit.restarts or (unit.since_s is not None and unit.since_s > SETTLED_S)


def has_key(node: Node) -> bool:
    """Whether a node is there to act with a key."""
    return bool(node.account) or not node.roles <= _KEYLESS


def account_of(snapshot: Snapshot, node: Node) -> str:
    """The account that it acts with, or is to act with; "" when nobody says."""
    identity = snapshot.fresh(NodeIdentity, node.name)
    told = identity.account if identity is not None else None
    return (node.account or told or "").lower()


def rivals(snapshot: Snapshot, node: Node) -> tuple[Node, ...]:
    """Other nodes that have, or are to take over, the same key."""
    account = account_of(snapshot, node)
    pair = {node.name, node.standby_for or node.name}
    found = []
    for other in snapshot.fleet.nodes.values():
        if other.name == node.name or other.service is None:
            continue
        shares = bool(account) and account_of(snapshot, other) == account
        if shares or pair & {other.name, other.standby_for}:
            found.append(other)
    return tuple(found)


def running(now: Snapshot, holder: Holder) -> str:
    """What shows that it runs; "" when nothing that was read does."""
    unit, _ = look(now, holder.service)
    if unit is not None and (not is_down(unit) or unit.main_pid):
        return says(unit, holder.service)
    return strays(now, holder)


def strays(now: Snapshot, holder: Holder) -> str:
    """Processes with its arguments that its unit does not run; "" when none was seen.

    One that is still in its unit's group once that is down was left there by its stop.
    """
    there = now.reading(HostProcesses, holder.service.host).value
    unit, _ = look(now, holder.service)
    is_down_now = unit is not None and is_down(unit) and not unit.main_pid
    found = [
        process
        for process in (there.livepeer if there is not None else ())
        if (is_down_now or process.unit != holder.service.name) and holder.trace.is_of(process)
    ]
    if not found:
        return ""
    left = {holder.service.name: f"left there by {holder.service.name}"}
    where = [left.get(item.unit, item.unit or "no unit") for item in found]
    told = zip(found, where, strict=True)
    names = ", ".join(f"{item.pid} of {item.user} ({place})" for item, place in told)
    count = plural(len(found), "process", "processes")
    return f"{count} with its key or arguments on {holder.service.host}: {names}"


def unread(now: Snapshot, holder: Holder) -> str:
    """Why it cannot be told whether it runs; "" when it can."""
    unit, why = look(now, holder.service)
    if unit is None:
        return why
    reading = now.reading(HostProcesses, holder.service.host)
    if reading.value is None:
        return str(reading.problem)
    if reading.value.hidden:
        host = holder.service.host
        return f"{host} shows its login no other users' processes (/proc is mounted with hidepid)"
    return ""


def coming_back(now: Snapshot, service: Supervised) -> str:
    """What would start it again, now or at its host's next boot; "" when nothing would."""
    unit, _ = look(now, service)
    if unit is None:
        return ""
    if unit.container is not None:
        if unit.restart_policy == "always":
            return f"{unit.name} has the restart policy always: it starts with its engine"
        return ""
    return triggered(unit) or starts_at_boot(unit)


def triggered(unit: Unit) -> str:
    """Which timers, sockets or paths would start it; "" when none would."""
    live = [trigger.name for trigger in unit.triggers if trigger.is_live]
    if not live or unit.enabled == "masked":
        return ""
    return f"{', '.join(live)} would start {unit.name}: stop and disable {_it(live)}"


def starts_at_boot(unit: Unit) -> str:
    """Why a unit starts with its host; "" when it does not."""
    if unit.enabled == "masked":
        return ""
    if unit.enabled.startswith("enabled"):
        return f"{unit.name} is {unit.enabled}"
    if unit.pulled_in_by:
        return f"{unit.name} is {unit.enabled}, and {', '.join(unit.pulled_in_by)} starts it"
    return ""


async def refuse_second(
    holders: Sequence[Holder], own: Holder, execution: Execution, *, strict: bool
) -> None:
    """Raises RefusedError when another may act with the key that is about to be started.

    `strict`: also when that cannot be told. A node that is started again after a stop was the
    only holder before, as far as anybody knows; that its stand-by's host is down is no reason to
    leave it stopped.
    """
    sources = dict.fromkeys(source for holder in (*holders, own) for source in holder.sources)
    now = await execution.look_at(tuple(sources))
    remedy = "one key, one active host: stop it, or state that its host is fenced"
    for holder in holders:
        what = f"start of {own.service.node}"
        name = f"{holder.service.node} on {holder.service.host}"
        why = running(now, holder)
        if why:
            raise RefusedError(what, f"{name} has the same key and runs: {why}", remedy)
        why = unread(now, holder) if strict else ""
        if why:
            raise RefusedError(what, f"{name} has the same key and may run: {why}", remedy)
    why = strays(now, own)
    if why:
        raise RefusedError(f"start of {own.service.node}", why, "end it first")


def without(nodes: Sequence[Node], fenced: Collection[str]) -> tuple[Node, ...]:
    """The nodes but those on hosts that are certainly off."""
    return tuple(node for node in nodes if node.host not in fenced)


def trace_of(process: LivepeerProcess) -> Trace:
    """What a process's own command line says."""
    datadir = process.flag("dataDir") or ""
    if not datadir and process.flag("network"):
        datadir = f"~{process.user}/.lpData/{process.flag('network')}"
    return Trace(
        account=(process.flag("ethAcctAddr") or "").strip().lower(),
        keystore=process.flag("ethKeystorePath") or "",
        datadir=datadir.rstrip("/"),
        port=_port(process.flag("cliAddr") or ""),
    )


def _process(snapshot: Snapshot, service: Supervised, unit: Unit) -> LivepeerProcess | None:
    there = snapshot.fresh(HostProcesses, service.host)
    for process in there.livepeer if there is not None else ():
        if process.unit == service.name or process.pid == unit.main_pid:
            return process
    return None


def _port(address: str) -> str:
    """`7935` of `127.0.0.1:7935` and of `http://127.0.0.1:7935`; "" where there is none."""
    try:
        port = urlsplit(address if "://" in address else f"//{address}").port
    except ValueError:
        return ""
    return str(port) if port else ""


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
