"""Pane 3: orchestrators' and transcoders' work, and the GPUs that do it."""

from __future__ import annotations

from dataclasses import replace

from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.headroom import FleetHeadroom, Headroom, Resource, headroom
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Fleet, Node, Role
from lptui.present import gpus
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
    keys,
    limit_tone,
    name_width,
    note_cell,
    problem_words,
    rest_words,
    row_state,
    search_text,
    section,
    shown_at,
    state_cell,
    tally,
)
from lptui.present.words import percent, seconds

SHORT = {
    Resource.SESSIONS: "cap",
    Resource.TRANSCODERS: "transc",
    Resource.NVENC: "NVENC",
    Resource.ENCODER: "enc",
    Resource.DECODER: "dec",
    Resource.MEMORY: "memory",
    Resource.CPU: "CPU",
    Resource.SPEED: "speed",
}

WORKERS = (Role.ORCHESTRATOR, Role.TRANSCODER, Role.GATEWAY)


def present(view: View) -> PaneModel:
    """The pane."""
    fleet = view.snapshot.fleet
    # As of now, not of the snapshot: a console that stands still tells no old room.
    room = headroom(replace(view.snapshot, taken_at=view.now))
    nodes = tuple(
        _node_row(view, node, room.of(node.name))
        for node in fleet.nodes.values()
        if node.roles & frozenset(WORKERS)
    )
    cards = tuple(row for host in fleet.hosts.values() for row in gpus.rows(view, host))
    state, counts = tally((*nodes, *cards))
    return PaneModel(
        "transcoders",
        state if nodes or cards else State.OK,
        counts,
        _summary(view, nodes, room) if nodes or cards else (),
        (),
        (
            section("nodes", "node", _node_columns(fleet), nodes),
            section("gpus", "GPU", gpus.columns(fleet), cards),
        ),
        empty="no orchestrators, transcoders or GPUs in the configuration",
    )


def _summary(view: View, nodes: tuple[Row, ...], room: FleetHeadroom) -> Line:
    """Sessions of the orchestrators, how many more they take, and GPUs; `+?` when not all of them
    are known."""
    used = total = known = unknown = 0
    for row in nodes:
        name = row.key.partition(":")[2]
        if Role.ORCHESTRATOR not in view.snapshot.fleet.nodes[name].roles:
            continue
        metrics = view.reading(NodeMetrics, name)
        if rest_words(metrics):
            continue
        value = None if view.is_old(metrics) else metrics.value
        if value is None or value.current_sessions is None:
            unknown += 1
            continue
        known += 1
        used += value.current_sessions
        total += value.max_sessions or 0
    sessions = f"{used}/{total}{'+?' if unknown else ''}" if known or not unknown else "?"
    return (
        Span("sessions ", Tone.MUTED),
        Span(sessions),
        *_room(room),
        Span("  GPUs ", Tone.MUTED),
        Span(_cards_seen(view)),
    )


def _room(room: FleetHeadroom) -> Line:
    """`  room 40 (enc)`; nothing where there are no orchestrators."""
    if not room.groups:
        return ()
    if room.room is None:
        return (Span("  room ", Tone.MUTED), Span("?", Tone.UNKNOWN))
    limits = dict.fromkeys(SHORT[one.limit] for one in room.groups if one.limit is not None)
    more = f"{room.room}{'' if room.is_whole else '+?'}"
    tone = Tone.NORMAL if room.room else Tone.WARN
    return (
        Span("  room ", Tone.MUTED),
        Span(more, tone),
        Span(f" ({', '.join(limits)})", Tone.MUTED),
    )


def _cards_seen(view: View) -> str:
    seen, sure, known = 0, True, False
    for host in view.snapshot.fleet.hosts.values():
        value, since = view.seen(HostGpus, host.name)
        if value is not None and since is None:
            known = True
            seen += len(value.gpus)
        elif value is not None or host.gpus or not view.snapshot.complete:
            sure = False
    return f"{seen}{'' if sure else '+?'}" if known or sure else "?"


def _node_columns(fleet: Fleet) -> tuple[Column, ...]:
    return (
        Column("state", "st", 4),
        Column("name", "node", name_width(fleet.nodes, 8, 20)),
        Column("role", "role", 5, 6),
        Column("host", "host", name_width(fleet.hosts, 6, 16), 8),
        Column("sessions", "sess/cap", 9, 1, right=True),
        Column("headroom", "room", 10, 7),
        Column("history", "5m", 10, 4),
        Column("transcoders", "transc", 7, 3, right=True),
        Column("success", "success", 7, 2, right=True),
        Column("latency", "latency", 7, 5, right=True),
        Column("version", "version", 10, 9),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _node_row(view: View, node: Node, room: Headroom | None) -> Row:
    status = view.reading(NodeStatus, node.name)
    metrics = view.reading(NodeMetrics, node.name)
    subjects = (("node", node.name), ("host", node.host))
    verdict = view.findings.verdict(subjects[:1])
    # A pure transcoder has no interface of its own: what is known of it is its orchestrator's.
    main: Reading[NodeStatus] | Reading[NodeMetrics] = status if node.cli else metrics
    rest = rest_words(main)
    has_source = (node.cli is not None or node.metrics is not None) and not rest
    old = (view.is_old(status), view.is_old(metrics))

    def make() -> Row:
        state = verdict.state
        if has_source:
            state = row_state(verdict, main, old[0] if node.cli else old[1])
        problem = problem_words(main) if has_source else ""
        note = note_cell(verdict, problem, rest)
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(node.name),
            cell("+".join(_role_sign(role) for role in sorted(node.roles)), tone=Tone.MUTED),
            cell(node.host, tone=Tone.MUTED),
            _sessions(view, metrics, has_source),
            _headroom(room) if has_source else EMPTY_CELL,
            Cell(view.spark(node.name, "sessions", 10, 0.0), Tone.ACCENT),
            _transcoders(view, node, status),
            _success(view, metrics, has_source),
            _latency(view, metrics, has_source),
            _version(view, status, metrics, has_source),
            note,
            EMPTY_CELL,
        )
        return Row(
            f"node:{node.name}",
            cells,
            state,
            _with_orchestrators(view, node, subjects),
            keys(
                (NodeStatus, node.name),
                (NodeMetrics, node.name),
                (NodeIdentity, node.name),
                (NodeBlock, node.name),
            )
            if has_source
            else (),
            shown_at(main),
            main.interval_s,
            search_text(
                node.name,
                note.text,
                *node.tags,
                host=node.host,
                role=" role:".join(sorted(node.roles)),
            ),
            problem,
            verdict.acknowledged,
            (
                (node.name, "sessions", "sessions"),
                (node.name, "success", "success %"),
                (node.name, "latency", "latency s"),
            ),
        )

    return view.memo.row(f"node:{node.name}", (status, metrics), (verdict, old, room), make)


def _role_sign(role: Role) -> str:
    """As operators write them: O, T, redeemer…"""
    return {Role.ORCHESTRATOR: "O", Role.TRANSCODER: "T", Role.GATEWAY: "G"}.get(
        role, role.value[:3]
    )


def _with_orchestrators(
    view: View, node: Node, subjects: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    chain = view.snapshot.fleet.chain
    if chain is None:
        return subjects
    own = tuple(
        ("orchestrator", it.name)
        for it in chain.orchestrators
        if it.address in (node.recipient, node.account)
    )
    return (*subjects, *own)


def _headroom(room: Headroom | None) -> Cell:
    """How many more sessions it takes, and what sets the limit: `12 enc`; `?` where something
    else might."""
    if room is None:
        return EMPTY_CELL
    if room.room is None or room.limit is None:
        return UNKNOWN_CELL
    more = f"{room.room} {SHORT[room.limit]}{'?' if room.sessions == 0 or room.missing else ''}"
    return Cell(more, Tone.NORMAL if room.room else Tone.WARN, room.room)


def _sessions(view: View, reading: Reading[NodeMetrics], has_source: bool) -> Cell:
    value, since = view.last(reading)
    if not has_source:
        return EMPTY_CELL
    if value is None:
        return UNKNOWN_CELL
    most = value.max_sessions
    if value.current_sessions is None:
        return UNKNOWN_CELL if most is None else Cell(f"?/{most}", Tone.UNKNOWN, -1.0, since)
    share = 100.0 * value.current_sessions / most if most else None
    tone = limit_tone(share, view.snapshot.fleet.thresholds.sessions_warn, 100.0)
    text = f"{value.current_sessions}/{most if most is not None else '?'}"
    return Cell(text, Tone.NORMAL if tone is Tone.UNKNOWN else tone, share or 0.0, since)


def _transcoders(view: View, node: Node, reading: Reading[NodeStatus]) -> Cell:
    if Role.ORCHESTRATOR not in node.roles or rest_words(reading):
        return EMPTY_CELL
    value, since = view.last(reading)
    if value is None:
        return UNKNOWN_CELL
    have, want = value.transcoders_number, node.transcoders
    if want is None:
        return Cell(str(have), Tone.NORMAL, have, since)
    tone = Tone.NORMAL if have >= want else Tone.CRITICAL if have == 0 else Tone.WARN
    return Cell(f"{have}/{want}", tone, have - want, since)


def _success(view: View, reading: Reading[NodeMetrics], has_source: bool) -> Cell:
    value, since = view.last(reading)
    if not has_source:
        return EMPTY_CELL
    if value is None or value.success_rate is None:
        return UNKNOWN_CELL
    share = value.success_rate * 100
    tone = Tone.CRITICAL if share < 90 else Tone.WARN if share < 98 else Tone.NORMAL
    return Cell(percent(share), tone, share, since)


def _latency(view: View, reading: Reading[NodeMetrics], has_source: bool) -> Cell:
    value, since = view.last(reading)
    if not has_source:
        return EMPTY_CELL
    return figure(value.latency_avg_s if value else None, seconds, since)


def _version(
    view: View, status: Reading[NodeStatus], metrics: Reading[NodeMetrics], has_source: bool
) -> Cell:
    if not has_source:
        return EMPTY_CELL
    known, since = view.last(status)
    other, _ = view.last(metrics)
    text = (known.version if known else "") or (other.version if other else "")
    return Cell(text, Tone.MUTED, text, since) if text else UNKNOWN_CELL
