"""From HAProxy's tables to what the console knows of a balancer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.balancer import AdminState, BalancerState, Health, Proxy, Server
from lptui.fleet.units import Percent
from lptui.probes.haproxy import dialogue, tables
from lptui.probes.haproxy.commands import READ
from lptui.probes.haproxy.tables import Info, ServerState
from lptui.probes.numbers import count, percent
from lptui.text import clean

KIND: Final = "haproxy"
ANSWERS: Final = READ.count(b";") + 1
"""`set severity-output`, `show info`, `show stat`, `show servers state`, `show cli level`,
`show table`."""

FRONTEND, BACKEND, SERVER, LISTENER = "0", "1", "2", "3"
"""Values of the column `type`."""

_MAINT: Final = 1 | 2
_DRAIN: Final = 8 | 16
_STARTING: Final = 1

States = Mapping[tuple[str, str], ServerState]
Row = Mapping[str, str]


def parse_socket(raw: bytes) -> BalancerState:
    """The answers of the runtime socket to `commands.READ`; raises BadAnswerError."""
    _, info_lines, stat, states, level, listed = dialogue.split(raw, ANSWERS)
    info = tables.parse_info(dialogue.accept("show info", info_lines))
    rows = tables.parse_stat(dialogue.accept("show stat", stat))
    known = tables.parse_states(dialogue.accept("show servers state", states))
    state = _state(info, rows, known, dialogue.level(level))
    return replace(state, tables=tables.parse_tables(listed))


def parse_page(text: str) -> BalancerState:
    """The statistics page as CSV; raises BadAnswerError.

    It merges what the operator wants with what the checks found: a drained server that is down
    only shows as down, so its wish is unknown here.
    """
    rows = tables.parse_stat([line for line in text.split("\n") if line.strip()])
    return _state(Info(), rows, None, "")


def with_shares(now: BalancerState, before: BalancerState | None) -> BalancerState:
    """The state with each server's share of its backend's new sessions since the reading before.

    None without one, after a reload (counters start anew), when a counter went back, and for
    backends without new sessions.
    """
    if before is None or _is_reloaded(now, before):
        return now
    earlier = {(server.backend, server.name): server.total_sessions for server in before.servers}
    fresh = [_fresh(server, earlier) for server in now.servers]
    sums: dict[str, int | None] = {}
    for server, delta in zip(now.servers, fresh, strict=True):
        so_far = sums.get(server.backend, 0)
        sums[server.backend] = None if so_far is None or delta is None else so_far + delta
    return replace(
        now,
        servers=tuple(
            _with_share(server, delta, sums[server.backend])
            for server, delta in zip(now.servers, fresh, strict=True)
        ),
    )


def _is_reloaded(now: BalancerState, before: BalancerState) -> bool:
    if now.pid != before.pid:
        return True
    return (
        now.uptime_s is not None and before.uptime_s is not None and now.uptime_s < before.uptime_s
    )


def _fresh(server: Server, earlier: Mapping[tuple[str, str], int | None]) -> int | None:
    """New sessions of a server; a server that was not there before had none."""
    then = earlier.get((server.backend, server.name), 0)
    if server.total_sessions is None or then is None or server.total_sessions < then:
        return None
    return server.total_sessions - then


def _with_share(server: Server, delta: int | None, total: int | None) -> Server:
    if delta is None or not total:
        return server
    return replace(server, share=Percent(100.0 * delta / total))


def _state(info: Info, rows: Sequence[Row], states: States | None, level: str) -> BalancerState:
    proxies: list[Proxy] = []
    servers: list[Server] = []
    resolved = _resolved(states or {})
    addresses: dict[str, list[str]] = {}
    for row in rows:
        name, kind = clean(row["pxname"], 120), row["type"]
        if kind == LISTENER and row.get("addr"):
            addresses.setdefault(name, []).append(clean(row["addr"], 120))
        elif kind in (FRONTEND, BACKEND):
            proxies.append(_proxy(name, kind, row))
        elif kind == SERVER:
            servers.append(_server(name, row, states, resolved))
    if not proxies:
        raise BadAnswerError("HAProxy statistics", "neither a frontend nor a backend is among them")
    notes = ("this is an old worker that only finishes its connections",) if info.stopping else ()
    return BalancerState(
        kind=KIND,
        version=info.version,
        proxies=tuple(
            replace(proxy, addresses=tuple(addresses.get(proxy.name, ())))
            if proxy.kind == "frontend"
            else proxy
            for proxy in proxies
        ),
        servers=tuple(servers),
        level=level,
        pid=info.pid,
        uptime_s=info.uptime_s,
        notes=notes,
    )


def _resolved(states: States) -> frozenset[tuple[str, str]]:
    """Backend and name of what at least one server has an address from.

    The servers of a server-template share a name; it may well have fewer addresses than they are.
    """
    return frozenset(
        (backend, state.asks)
        for (backend, _), state in states.items()
        if state.asks and not state.is_unresolved
    )


def _proxy(name: str, kind: str, row: Row) -> Proxy:
    is_backend = kind == BACKEND
    return Proxy(
        name=name,
        kind="backend" if is_backend else "frontend",
        status=clean(row["status"], 40),
        sessions=count(row["scur"]),
        session_rate=count(row.get("rate", "")),
        queue=count(row.get("qcur", "")) if is_backend else None,
        algorithm=clean(row.get("algo", ""), 40),
        cookie=clean(row.get("cookie", ""), 60),
        active=count(row.get("act", "")) if is_backend else None,
        backup=count(row.get("bck", "")) if is_backend else None,
        errors=_sum(row, "econ", "eresp") if is_backend else count(row.get("ereq", "")),
        denied=_sum(row, "dreq", "dresp"),
    )


def _server(
    backend: str, row: Row, states: States | None, resolved: frozenset[tuple[str, str]]
) -> Server:
    status = clean(row["status"], 60)
    state = states.get((row["pxname"], row["svname"])) if states is not None else None
    check = row.get("check_status", "").removeprefix("* ").strip()
    said = row.get("last_chk", "") or row.get("check_desc", "")
    is_checked = bool(check or row.get("tracked"))
    health = _health(status, is_checked, state)
    if health is Health.UNRESOLVED and state and (row["pxname"], state.asks) in resolved:
        health = Health.UNUSED
    return Server(
        backend=backend,
        name=clean(row["svname"], 120),
        address=state.address if state else clean(row.get("addr", ""), 120),
        admin=_wish(status, state),
        health=health,
        backup=row.get("bck") == "1",
        weight=count(row["weight"]),
        configured_weight=state.initial_weight if state else None,
        sessions=count(row["scur"]),
        queue=count(row.get("qcur", "")),
        session_limit=count(row.get("slim", "")) or None,
        total_sessions=count(row["stot"]),
        errors=_sum(row, "econ", "eresp"),
        check=clean(check, 40),
        check_detail=clean(f"{status}: {said}" if said else status, 160),
        changed_s=_seconds(row.get("lastchg", "")),
        health_source="agent" if "(agent)" in status else "check" if is_checked else "",
        agent=state.agent if state else bool(row.get("agent_status")),
        throttle=percent(row.get("throttle", "")),
    )


def _wish(status: str, state: ServerState | None) -> AdminState:
    """What the operator wants.

    A server that is disabled in the configuration (4) but made ready at run time carries traffic;
    without the mask a down server may be drained as well.
    """
    if state is not None:
        if state.admin & _MAINT:
            return AdminState.MAINT
        return AdminState.DRAIN if state.admin & _DRAIN else AdminState.READY
    if status.startswith("MAINT"):
        return AdminState.READY if "resolution" in status else AdminState.MAINT
    if status.startswith("DRAIN"):
        return AdminState.DRAIN
    if status.startswith(("UP", "NOLB", "no check")):
        return AdminState.READY
    return AdminState.UNKNOWN


def _health(status: str, is_checked: bool, state: ServerState | None) -> Health:
    """What the checks found; in maintenance there are none, so nothing is known."""
    if "(resolution)" in status or (state is not None and state.is_unresolved):
        return Health.UNRESOLVED
    is_partial = "/" in status
    if status.startswith("MAINT"):
        return Health.UNKNOWN
    if status.startswith("no check"):
        return Health.NO_CHECK
    if status.startswith("DOWN"):
        return Health.GOING_UP if is_partial else Health.DOWN
    if status.startswith("NOLB"):
        return Health.GOING_DOWN
    if status.startswith(("UP", "DRAIN")):
        if is_partial:
            return Health.GOING_DOWN
        if status.startswith("DRAIN") and not is_checked:
            return Health.NO_CHECK
        is_starting = state is not None and state.operation == _STARTING
        return Health.STARTING if is_starting else Health.UP
    return Health.UNKNOWN


def _sum(row: Row, *names: str) -> int | None:
    values = [count(row.get(name, "")) for name in names]
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _seconds(text: str) -> float | None:
    value = count(text)
    return float(value) if value is not None else None
