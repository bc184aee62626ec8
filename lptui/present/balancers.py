"""Pane 4: load balancers: every server's state, weight, share, errors; HAProxy and nginx."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from lptui.fleet.facts.balancer import AdminState, BalancerState, Health, Proxy, Server
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.pools import node_of
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Balancer, Fleet
from lptui.present import addresses
from lptui.present.model import (
    EMPTY_CELL,
    UNKNOWN_CELL,
    Cell,
    Column,
    Line,
    PaneModel,
    Row,
    Span,
    State,
    Tone,
)
from lptui.present.view import (
    View,
    cell,
    figure,
    joined,
    keys,
    name_width,
    note_cell,
    problem_words,
    row_state,
    search_text,
    section,
    shown_at,
    state_cell,
    tally,
)
from lptui.present.words import age, bar, count, duration, out_of, percent

HEALTH = {
    Health.UP: Tone.OK,
    Health.DOWN: Tone.CRITICAL,
    Health.GOING_UP: Tone.WARN,
    Health.GOING_DOWN: Tone.WARN,
    Health.STARTING: Tone.WARN,
    Health.NO_CHECK: Tone.MUTED,
    Health.UNRESOLVED: Tone.CRITICAL,
    Health.UNUSED: Tone.MUTED,
    Health.UNKNOWN: Tone.UNKNOWN,
}
UNSEEN = ("?", Health.UNKNOWN.value)

ADMIN = {
    AdminState.READY: Tone.OK,
    AdminState.DRAIN: Tone.WARN,
    AdminState.MAINT: Tone.WARN,
    AdminState.DOWN: Tone.WARN,
    AdminState.UNKNOWN: Tone.UNKNOWN,
}


def present(view: View) -> PaneModel:
    """The pane."""
    fleet = view.snapshot.fleet
    servers: list[Row] = []
    proxies: list[Row] = []
    for balancer in fleet.balancers.values():
        servers.extend(_server_rows(view, balancer))
        proxies.extend(_proxy_rows(view, balancer))
    public = tuple(addresses.rows(view))
    state, counts = tally((*servers, *proxies, *public))
    health = [row.cells[4] for row in servers]
    up = sum(1 for known in health if known.text == Health.UP.value and known.since is None)
    unknown = sum(1 for known in health if known.text in UNSEEN or known.since is not None)
    return PaneModel(
        "balancers",
        state if servers or proxies or public else State.OK,
        counts,
        (Span(out_of(up, len(servers), "servers up", unknown)),) if servers else (),
        tuple(_lead(view, balancer) for balancer in fleet.balancers.values()),
        (
            section("servers", "server", _server_columns(view, fleet), tuple(servers)),
            section("proxies", "proxy", _proxy_columns(view), tuple(proxies)),
            section("addresses", "address", addresses.columns(view), public),
        ),
        empty="no load balancers in the configuration",
    )


def _names(view: View) -> tuple[list[str], list[str]]:
    backends: list[str] = []
    servers: list[str] = []
    for _, reading in view.snapshot.all(BalancerState):
        value, _ = view.last(reading)
        if value is not None:
            backends.extend(server.backend for server in value.servers)
            backends.extend(proxy.name for proxy in value.proxies)
            servers.extend(server.name for server in value.servers)
    return backends, servers


def _server_columns(view: View, fleet: Fleet) -> tuple[Column, ...]:
    backends, servers = _names(view)
    return (
        Column("state", "st", 4),
        Column("backend", "backend", name_width(backends, 7, 16), 3),
        Column("name", "server", name_width(servers, 8, 20)),
        Column("admin", "admin", 6, 1),
        Column("health", "health", 10, 0),
        Column("weight", "weight", 7, 5, right=True),
        Column("share", "share", 12, 4),
        Column("sessions", "sess", 5, 2, right=True),
        Column("queue", "queue", 5, 9, right=True),
        Column("errors", "errs", 5, 6, right=True),
        Column("changed", "since", 6, 7, right=True),
        Column("balancer", "balancer", name_width(fleet.balancers, 8, 14), 10),
        Column("node", "node", name_width(fleet.nodes, 6, 16), 11),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _proxy_columns(view: View) -> tuple[Column, ...]:
    backends, _ = _names(view)
    return (
        Column("state", "st", 4),
        Column("name", "proxy", name_width(backends, 8, 20)),
        Column("kind", "kind", 8, 1),
        Column("status", "status", 8, 0),
        Column("sessions", "sess", 5, 2, right=True),
        Column("rate", "rate/s", 6, 3, right=True),
        Column("queue", "queue", 5, 4, right=True),
        Column("active", "act+bck", 7, 6, right=True),
        Column("errors", "errs", 5, 5, right=True),
        Column("algorithm", "balance", 10, 8),
        Column("balancer", "balancer", 10, 9),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _server_rows(view: View, balancer: Balancer) -> Iterator[Row]:
    reading = view.reading(BalancerState, balancer.name)
    value, _ = view.last(reading)
    if value is None:
        yield _lost_row(view, balancer, reading)
        return
    for server in value.servers:
        if not balancer.backends or server.backend in balancer.backends:
            yield _server_row(view, balancer, reading, server)


def _subjects(balancer: Balancer, server: Server) -> tuple[tuple[str, str], ...]:
    return (("server", f"{balancer.name}/{server.backend}/{server.name}"),)


def _server_row(
    view: View, balancer: Balancer, reading: Reading[BalancerState], server: Server
) -> Row:
    key = f"server:{balancer.name}:{server.backend}/{server.name}"
    subjects = _subjects(balancer, server)
    verdict = view.findings.verdict(subjects)
    old = view.is_old(reading)

    def make() -> Row:
        _, since = view.last(reading)
        state = row_state(verdict, reading, old)
        note = note_cell(verdict, problem_words(reading))
        if not note.text and server.check_detail and server.health is not Health.UP:
            note = cell(server.check_detail, tone=Tone.MUTED)
        node = node_of(balancer, server)
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(server.backend, tone=Tone.MUTED),
            cell(server.name + (" (backup)" if server.backup else "")),
            cell(server.admin.value, tone=ADMIN[server.admin], since=since),
            cell(server.health.value, tone=HEALTH[server.health], since=since),
            _weight(server, since),
            _share(server, since),
            _sessions(balancer, server, since),
            figure(server.queue, count, since, Tone.WARN if server.queue else Tone.NORMAL),
            figure(server.errors, count, since),
            figure(server.changed_s, duration, since),
            cell(balancer.name, tone=Tone.MUTED),
            cell(node, tone=Tone.MUTED) if node else EMPTY_CELL,
            note,
            EMPTY_CELL,
        )
        figures = f"{server.backend}/{server.name}"
        return Row(
            key,
            cells,
            state,
            (*subjects, ("balancer", balancer.name), *((("node", node),) if node else ())),
            keys((BalancerState, balancer.name)),
            shown_at(reading),
            reading.interval_s,
            search_text(
                server.name,
                server.backend,
                server.address,
                node,
                note.text,
                lb=balancer.name,
                backend=server.backend,
                health=server.health.value,
                admin=server.admin.value,
            ),
            problem_words(reading),
            verdict.acknowledged,
            (
                (balancer.name, f"{figures} sessions", "sessions"),
                (balancer.name, f"{figures} share", "share %"),
            ),
        )

    return view.memo.row(key, (reading,), (verdict, old), make)


def _weight(server: Server, since: float | None) -> Cell:
    if server.weight is None:
        return UNKNOWN_CELL
    configured = server.configured_weight
    if configured is None or configured == server.weight:
        return Cell(str(server.weight), Tone.NORMAL, server.weight, since)
    return Cell(f"{server.weight}/{configured}", Tone.WARN, server.weight, since)


def _share(server: Server, since: float | None) -> Cell:
    if server.share is None:
        return UNKNOWN_CELL
    text = f"{percent(server.share):>4} {bar(server.share / 100, 7)}"
    return Cell(text, Tone.NORMAL, server.share, since)


def _sessions(balancer: Balancer, server: Server, since: float | None) -> Cell:
    if server.sessions is None:
        return EMPTY_CELL if balancer.kind.value == "nginx" else UNKNOWN_CELL
    full = server.session_limit is not None and server.sessions >= server.session_limit > 0
    tone = Tone.CRITICAL if full else Tone.NORMAL
    return Cell(count(server.sessions), tone, server.sessions, since)


def _lost_row(view: View, balancer: Balancer, reading: Reading[BalancerState]) -> Row:
    key = f"balancer:{balancer.name}"
    verdict = view.findings.verdict((("balancer", balancer.name),))
    old = view.is_old(reading)

    def make() -> Row:
        state = row_state(verdict, reading, old)
        note = note_cell(verdict, problem_words(reading))
        cells = (
            state_cell(state, verdict.acknowledged),
            UNKNOWN_CELL,
            cell(f"{balancer.name}:*"),
            *([UNKNOWN_CELL] * 8),
            cell(balancer.name, tone=Tone.MUTED),
            UNKNOWN_CELL,
            note,
            EMPTY_CELL,
        )
        return Row(
            key,
            cells,
            state,
            (("balancer", balancer.name),),
            keys((BalancerState, balancer.name)),
            shown_at(reading),
            reading.interval_s,
            search_text(balancer.name, note.text, lb=balancer.name),
            problem_words(reading),
            verdict.acknowledged,
        )

    return view.memo.row(key, (reading,), (verdict, old), make)


def _proxy_rows(view: View, balancer: Balancer) -> Iterator[Row]:
    reading = view.reading(BalancerState, balancer.name)
    value, _ = view.last(reading)
    for proxy in value.proxies if value is not None else ():
        if proxy.kind == "frontend" or not balancer.backends or proxy.name in balancer.backends:
            yield _proxy_row(view, balancer, reading, proxy)


def _proxy_row(
    view: View, balancer: Balancer, reading: Reading[BalancerState], proxy: Proxy
) -> Row:
    key = f"proxy:{balancer.name}:{proxy.kind}:{proxy.name}"
    subjects = (("balancer", f"{balancer.name}/{proxy.name}"), ("balancer", balancer.name))
    verdict = view.findings.verdict(subjects[:1])
    old = view.is_old(reading)

    def make() -> Row:
        _, since = view.last(reading)
        state = row_state(verdict, reading, old)
        note = note_cell(verdict, problem_words(reading))
        well = proxy.status.upper() in ("UP", "OPEN", "")
        active = None
        if proxy.active is not None:
            active = f"{proxy.active}+{proxy.backup or 0}"
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(proxy.name),
            cell(proxy.kind, tone=Tone.MUTED),
            cell(proxy.status or "?", tone=Tone.OK if well else Tone.CRITICAL, since=since),
            figure(proxy.sessions, count, since),
            figure(proxy.session_rate, count, since),
            figure(proxy.queue, count, since) if proxy.kind == "backend" else EMPTY_CELL,
            figure(active, str, since) if proxy.kind == "backend" else EMPTY_CELL,
            figure(proxy.errors, count, since),
            cell(proxy.algorithm, tone=Tone.MUTED) if proxy.algorithm else EMPTY_CELL,
            cell(balancer.name, tone=Tone.MUTED),
            note,
            EMPTY_CELL,
        )
        return Row(
            key,
            cells,
            state,
            subjects,
            keys((BalancerState, balancer.name)),
            shown_at(reading),
            reading.interval_s,
            search_text(proxy.name, note.text, lb=balancer.name, kind=proxy.kind),
            problem_words(reading),
            verdict.acknowledged,
        )

    return view.memo.row(key, (reading,), (verdict, old), make)


def _lead(view: View, balancer: Balancer) -> Line:
    """A balancer in one line: version, uptime, and whether the service URI on chain leads to it."""
    reading = view.reading(BalancerState, balancer.name)
    value, since = view.last(reading)
    name = Span(f"{balancer.name} ", Tone.STRONG)
    if value is None:
        return (name, Span(f"unknown: {problem_words(reading)}", Tone.UNKNOWN))
    if since is not None:
        text = f"{value.kind} seen {age(view.now - since)} ago: {problem_words(reading)}"
        return (name, Span(text, Tone.UNKNOWN))
    parts: list[Line] = [(name, Span(f"{value.kind} {value.version}", Tone.MUTED))]
    if value.uptime_s is not None:
        parts.append((Span(f"up {duration(value.uptime_s)}", Tone.MUTED),))
    if value.connections is not None:
        parts.append((Span(f"{value.connections} connections"),))
    if value.old_workers:
        parts.append((Span(f"{value.old_workers} old workers", Tone.WARN),))
    if value.edited:
        parts.append((Span("files newer than the running config", Tone.WARN),))
    if value.level and value.level != "admin":
        parts.append((Span(f"socket level {value.level}", Tone.WARN),))
    parts.extend(_uri(view, balancer))
    parts.extend((Span(note, Tone.WARN),) for note in value.notes)
    return joined(parts, "  ")


def _uri(view: View, balancer: Balancer) -> Iterator[Line]:
    """The service URI on chain against the balancer's public address."""
    chain = view.snapshot.fleet.chain
    if balancer.public_uri is None or chain is None:
        return
    for it in chain.orchestrators:
        record, since = view.seen(OrchestratorRecord, it.name)
        if record is None or record.service_uri is None:
            yield (Span("chain URI ?", Tone.UNKNOWN),)
        elif _same(record.service_uri, balancer.public_uri):
            tone = Tone.MUTED if since is not None else Tone.OK
            yield (Span(f"{balancer.public_uri} ", Tone.NORMAL), Span("= chain", tone))
        else:
            yield (Span(f"chain says {record.service_uri}", Tone.CRITICAL),)


def _same(one: str, other: str) -> bool:
    """Equal addresses: scheme, host and port; letter case and a trailing slash do not count."""
    try:
        left, right = urlsplit(one.strip().lower()), urlsplit(other.strip().lower())
        return (left.scheme, left.hostname, left.port) == (right.scheme, right.hostname, right.port)
    except ValueError:
        return False
