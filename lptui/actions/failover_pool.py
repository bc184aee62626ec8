"""Plans the failover of a pool behind a balancer: from its primaries to a standby, and back.

A standby is a `backup` server, which takes over by itself when no other serves; or any server
that is named, which then gets all traffic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions import passage, serving
from lptui.actions.drivers.driver import STATE, Change
from lptui.actions.moves import servers, traffic
from lptui.actions.plan import Plan, Precondition, Request, Step
from lptui.actions.undrain import OUT, WAIT_S
from lptui.fleet.facts.balancer import AdminState, BalancerState, Health, Server
from lptui.fleet.pools import WELL, Place, pools_named, serves
from lptui.fleet.snapshot import Snapshot

PRIMARY: Final = "primary"
"""`--to primary`: back to all servers that are no backups."""

Pool = tuple[str, str]


def plan(snapshot: Snapshot, request: Request, action: str) -> Plan:
    """The plan for one pool; `request.target` is `lb:BACKEND`."""
    from lptui.fleet.pools import places

    [pool] = pools_named(request.target, places(snapshot))[:1] or [("", request.target)]
    state = snapshot.fresh(BalancerState, pool[0])
    conditions = serving.are_read(snapshot, (pool[0],))
    members = state.backend_servers(pool[1]) if state is not None else ()
    heirs = _heirs(members, request.option("to"))
    conditions.append(_heir_condition(pool, members, heirs, request.option("to")))
    out, back = _moves(members, heirs)
    changes = [_change(pool, server.name, AdminState.READY, AdminState.DRAIN) for server in out]
    conditions += serving.may_be_told(snapshot, {pool[0]: changes} if changes else {})
    conditions += _no_queue(snapshot, pool, heirs)
    steps = _steps(snapshot, pool, out, back, heirs) if all(c.met for c in conditions) else ()
    names = ", ".join(server.name for server in heirs) or "nobody"
    whom = ", ".join(server.name for server in out) or "nobody"
    return Plan(
        action=action,
        target=request.words,
        summary=f"{pool[1]}: {names} takes over from {whom}",
        steps=tuple(steps),
        preconditions=tuple(conditions),
        cost="no money",
        effect=f"all new sessions of {pool[1]} go to {names}; those of {whom} end by themselves",
        blast=f"every client of {pool[1]}: {names} carries all of it",
        warnings=_warnings(snapshot, pool, heirs),
        lock=serving.fleet_lock(snapshot.fleet),
        done=_done(heirs, out, back),
    )


def _heirs(members: Sequence[Server], to: str) -> list[Server]:
    """Who is to take over."""
    if to:
        named = [server for server in members if to in (server.name, server.address)]
        if named or to != PRIMARY:
            return named
        return [server for server in members if not server.backup]
    return [server for server in members if server.backup]


def _heir_condition(
    pool: Pool, members: Sequence[Server], heirs: Sequence[Server], to: str
) -> Precondition:
    name = "a standby that is well"
    if not heirs:
        known = ", ".join(server.name for server in members) or "nobody"
        if to:
            return Precondition(name, False, f"{pool[1]} has no server {to}", f"it has: {known}")
        how = f"name who takes over: --to, one of {known}"
        return Precondition(name, False, f"{pool[1]} has no backup server", how)
    # In maintenance nothing is checked: a step of the plan waits for the checks.
    unchecked = {AdminState.MAINT, AdminState.DOWN}
    ill = [s for s in heirs if s.health not in WELL and s.admin not in unchecked]
    well = [server for server in heirs if server not in ill]
    words = ", ".join(f"{server.name} is {_state(server)}" for server in heirs)
    met = bool(well) if not to or to == PRIMARY else not ill
    return Precondition(name, met, words, "" if met else "mend it first, or name another (--to)")


def _state(server: Server) -> str:
    return f"{server.health}, {server.admin}"


def _moves(members: Sequence[Server], heirs: Sequence[Server]) -> tuple[list[Server], list[Server]]:
    """Who goes out of service, and who must come in before."""
    back = [server for server in heirs if server.admin in OUT]
    others = [server for server in members if server not in heirs]
    if heirs and not any(server.backup for server in heirs):
        # Backups give way by themselves.
        others = [server for server in others if not server.backup]
    out = [server for server in others if server.admin is AdminState.READY]
    return [server for server in out if server.health is not Health.UNUSED], back


def _steps(
    snapshot: Snapshot,
    pool: Pool,
    out: Sequence[Server],
    back: Sequence[Server],
    heirs: Sequence[Server],
) -> list[Step]:
    balancer = snapshot.fleet.balancers[pool[0]]
    steps: list[Step] = []
    if back:
        # Traffic is seen at the end: a backup gets none while a primary serves.
        coming = [_place(pool, server) for server in back]
        steps += passage.back(snapshot, coming, wait_s=WAIT_S)[:-1]
    if out:
        changes = [_change(pool, s.name, AdminState.READY, AdminState.DRAIN) for s in out]
        steps.append(servers.step(balancer, changes, "take out of service", floor=1, now=snapshot))
    steps.append(traffic.step(balancer, [_place(pool, server) for server in heirs]))
    return steps


def _no_queue(snapshot: Snapshot, pool: Pool, heirs: Sequence[Server]) -> list[Precondition]:
    """Requests that wait in a pool for its active servers fail when those go."""
    state = snapshot.fresh(BalancerState, pool[0])
    proxy = state.backend(pool[1]) if state is not None else None
    if proxy is None or not proxy.queue or any(not s.backup and serves(s) for s in heirs):
        return []
    why = f"{proxy.queue} requests wait in {pool[1]} for its active servers"
    return [Precondition("no queue is stranded", False, why, "wait until the queue is empty")]


def _warnings(snapshot: Snapshot, pool: Pool, heirs: Sequence[Server]) -> tuple[str, ...]:
    found = serving.forgotten_at_reload(snapshot, (pool[0],))
    if len(heirs) > 1 and all(server.backup for server in heirs):
        found.append("only the first usable backup gets traffic, unless `option allbackups` is set")
    return tuple(found)


def _done(heirs: Sequence[Server], out: Sequence[Server], back: Sequence[Server]) -> str:
    if not heirs or out or back:
        return ""
    return f"{', '.join(server.name for server in heirs)} carries it already"


def _place(pool: Pool, server: Server) -> Place:
    return Place(pool[0], pool[1], server.name)


def _change(pool: Pool, server: str, was: AdminState, to: AdminState) -> Change:
    return Change(pool[1], server, STATE, was, to)
