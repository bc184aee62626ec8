"""Pane 3: orchestrators' and transcoders' work, and the GPUs that do it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from lptui.fleet.facts.gpu import Gpu, HostGpus
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Fleet, Host, Node, Role
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

WORKERS = (Role.ORCHESTRATOR, Role.TRANSCODER, Role.GATEWAY)


def present(view: View) -> PaneModel:
    """The pane."""
    fleet = view.snapshot.fleet
    nodes = tuple(
        _node_row(view, node) for node in fleet.nodes.values() if node.roles & frozenset(WORKERS)
    )
    cards = tuple(row for host in fleet.hosts.values() for row in _gpu_rows(view, host))
    state, counts = tally((*nodes, *cards))
    return PaneModel(
        "transcoders",
        state if nodes or cards else State.OK,
        counts,
        _summary(view, nodes) if nodes or cards else (),
        (),
        (
            section("nodes", "node", _node_columns(fleet), nodes),
            section("gpus", "GPU", _gpu_columns(fleet), cards),
        ),
        empty="no orchestrators, transcoders or GPUs in the configuration",
    )


def _summary(view: View, nodes: tuple[Row, ...]) -> Line:
    """Sessions of the orchestrators, and GPUs; `+?` when not all of them are known."""
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
        Span("  GPUs ", Tone.MUTED),
        Span(_cards_seen(view)),
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
        Column("history", "5m", 10, 4),
        Column("transcoders", "transc", 7, 3, right=True),
        Column("success", "success", 7, 2, right=True),
        Column("latency", "latency", 7, 5, right=True),
        Column("version", "version", 10, 9),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _node_row(view: View, node: Node) -> Row:
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

    return view.memo.row(f"node:{node.name}", (status, metrics), (verdict, old), make)


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


def _gpu_columns(fleet: Fleet) -> tuple[Column, ...]:
    return (
        Column("state", "st", 4),
        Column("name", "GPU", name_width((f"{name}/0" for name in fleet.hosts), 8, 20)),
        Column("encoder", "enc", 4, 1, right=True),
        Column("history", "enc 5m", 10, 4),
        Column("decoder", "dec", 4, 3, right=True),
        Column("sm", "SM", 4, 6, right=True),
        Column("memory", "mem", 4, 5, right=True),
        Column("temperature", "temp", 5, 1, right=True),
        Column("power", "power", 9, 7, right=True),
        Column("sessions", "sess/cap", 9, 2, right=True),
        Column("throttle", "throttle", 12, 8),
        Column("model", "model", 12, 10),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _gpu_rows(view: View, host: Host) -> Iterator[Row]:
    reading = view.reading(HostGpus, host.name)
    value, _ = view.last(reading)
    if value is None:
        if host.gpus:
            yield _lost_row(view, host, reading)
        return
    for gpu in value.gpus:
        yield _gpu_row(view, host, reading, gpu)
    for missing in range(len(value.gpus), host.gpus or 0):
        yield _missing_row(view, host, reading, missing)


def _gpu_subjects(host: Host, index: int) -> tuple[tuple[str, str], ...]:
    return (("gpu", f"{host.name}/{index}"),)


def _gpu_row(view: View, host: Host, reading: Reading[HostGpus], gpu: Gpu) -> Row:
    key = f"gpu:{host.name}:{gpu.index}"
    subjects = _gpu_subjects(host, gpu.index)
    verdict = view.findings.verdict(subjects)
    old = view.is_old(reading)

    def make() -> Row:
        _, since = view.last(reading)
        state = row_state(verdict, reading, old)
        note = note_cell(verdict, problem_words(reading) or gpu.problem)
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(f"{host.name}/{gpu.index}"),
            *_gpu_figures(view, host, gpu, since),
            cell(gpu.name, tone=Tone.MUTED),
            note,
            EMPTY_CELL,
        )
        name = f"gpu{gpu.index}"
        return Row(
            key,
            cells,
            state,
            (*subjects, ("host", host.name)),
            keys((HostGpus, host.name)),
            shown_at(reading),
            reading.interval_s,
            search_text(host.name, gpu.name, note.text, *host.tags, host=host.name, role="gpu"),
            problem_words(reading),
            verdict.acknowledged,
            (
                (host.name, f"{name} encoder", "encoder %"),
                (host.name, f"{name} temperature", "temperature °C"),
                (host.name, f"{name} sessions", "sessions"),
                (host.name, f"{name} power", "power W"),
            ),
        )

    return view.memo.row(key, (reading,), (verdict, old), make)


def _gpu_figures(view: View, host: Host, gpu: Gpu, since: float | None) -> tuple[Cell, ...]:
    limits = view.snapshot.fleet.thresholds
    name = f"gpu{gpu.index}"
    memory = (
        100.0 * gpu.memory_used / gpu.memory_total
        if gpu.memory_used is not None and gpu.memory_total
        else None
    )
    hot = limit_tone(
        gpu.temperature_c, limits.gpu_temperature_warn_c, limits.gpu_temperature_critical_c
    )
    busy = limit_tone(gpu.encoder, limits.encoder_warn)
    throttle = EMPTY_CELL
    if gpu.throttled is None:
        throttle = UNKNOWN_CELL
    elif gpu.throttled:
        throttle = Cell(gpu.throttle_words or "yes", Tone.CRITICAL, 1, since)
    return (
        figure(gpu.encoder, _whole, since, busy),
        Cell(view.spark(host.name, f"{name} encoder", 10, 0.0, 100.0), Tone.ACCENT),
        figure(gpu.decoder, _whole, since),
        figure(gpu.utilisation, _whole, since),
        figure(memory, _whole, since),
        figure(gpu.temperature_c, lambda v: f"{v:.0f}°C", since, hot),
        _power(gpu, since),
        _gpu_sessions(host, gpu, since),
        throttle,
    )


def _whole(value: float) -> str:
    return f"{value:.0f}%"


def _power(gpu: Gpu, since: float | None) -> Cell:
    if gpu.power_w is None:
        return UNKNOWN_CELL
    limit = f"{gpu.power_limit_w:.0f}" if gpu.power_limit_w is not None else "?"
    return Cell(f"{gpu.power_w:.0f}/{limit}W", Tone.NORMAL, gpu.power_w, since)


def _gpu_sessions(host: Host, gpu: Gpu, since: float | None) -> Cell:
    if gpu.encoder_sessions is None:
        return UNKNOWN_CELL
    cap = host.nvenc_sessions
    if cap is None:
        return Cell(str(gpu.encoder_sessions), Tone.NORMAL, gpu.encoder_sessions, since)
    tone = Tone.CRITICAL if gpu.encoder_sessions >= cap else Tone.NORMAL
    share = float(Fraction(gpu.encoder_sessions, cap)) if cap else 1.0
    return Cell(f"{gpu.encoder_sessions}/{cap}", tone, share, since)


def _lost_row(view: View, host: Host, reading: Reading[HostGpus]) -> Row:
    """One row for all the cards of a host of which nothing is known."""
    return _blank_row(
        view, host, reading, f"gpu:{host.name}", f"{host.name}/*", ("host", host.name)
    )


def _missing_row(view: View, host: Host, reading: Reading[HostGpus], index: int) -> Row:
    """A card that is expected and not there."""
    key = f"gpu:{host.name}:missing{index}"
    return _blank_row(view, host, reading, key, f"{host.name}/{index}", ("host", host.name))


def _blank_row(
    view: View,
    host: Host,
    reading: Reading[HostGpus],
    key: str,
    name: str,
    subject: tuple[str, str],
) -> Row:
    verdict = view.findings.verdict((subject,))
    old = view.is_old(reading)

    def make() -> Row:
        problem = problem_words(reading)
        state = row_state(verdict, reading, old)
        if not problem:
            problem = f"expected {host.gpus} GPUs, this one is missing"
            state = max(state, State.WARNING)
        note = note_cell(verdict, problem)
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(name),
            *([UNKNOWN_CELL] * 10),
            note,
            EMPTY_CELL,
        )
        return Row(
            key,
            cells,
            state,
            (subject, ("host", host.name)),
            keys((HostGpus, host.name)),
            shown_at(reading),
            reading.interval_s,
            search_text(host.name, note.text, *host.tags, host=host.name, role="gpu"),
            problem,
            verdict.acknowledged,
        )

    return view.memo.row(key, (reading,), (verdict, old), make)
