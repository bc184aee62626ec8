"""Pane 5: each RPC endpoint's verdict, head, lag and peers, and what it is asked; the nodes' own
watchers."""

from __future__ import annotations

from lptui.checks.rpc_verdict import verdict as rpc_verdict
from lptui.fleet.facts.livepeer import NodeBlock
from lptui.fleet.facts.rpc import RpcHead, RpcUsage, RpcVantage, SentTransactions
from lptui.fleet.finding import Severity
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Fleet, Node, Role, Rpc
from lptui.fleet.units import format_gwei
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
from lptui.present.words import count, duration, grouped, out_of, seconds


def present(view: View) -> PaneModel:
    """The pane."""
    fleet = view.snapshot.fleet
    best = best_head(view)
    rpcs = tuple(_row(view, rpc, best.get(_chain_of(view, rpc))) for rpc in fleet.rpcs.values())
    watched = tuple(
        _watcher_row(view, node, best.get(_main_chain(fleet)))
        for node in fleet.nodes.values()
        if node.is_livepeer and node.cli is not None and Role.TRANSCODER not in node.roles
    )
    state, counts = tally((*rpcs, *watched))
    told = [row.cells[4] for row in rpcs]
    well = sum(1 for known in told if known.text == "synced" and known.since is None)
    unknown = sum(1 for known in told if known.text == "?" or known.since is not None)
    return PaneModel(
        "sync",
        state if rpcs or watched else State.OK,
        counts,
        (Span(out_of(well, len(rpcs), "synced", unknown)),) if rpcs else (),
        _lead(view, best),
        (
            section("rpcs", "endpoint", _columns(fleet), rpcs),
            section("watchers", "watcher", _watcher_columns(fleet), watched),
        ),
        empty="no RPC endpoints in the configuration",
    )


def _main_chain(fleet: Fleet) -> int:
    return fleet.chain.chain_id if fleet.chain else 0


def _chain_of(view: View, rpc: Rpc) -> int:
    value, _ = view.seen(RpcHead, rpc.name)
    return value.chain_id if value is not None else 0


def best_head(view: View) -> dict[int, tuple[int, str]]:
    """The highest head by chain among fresh readings, and whose it is."""
    best: dict[int, tuple[int, str]] = {}
    for name, reading in view.snapshot.all(RpcHead):
        if reading.value is None or view.is_old(reading):
            continue
        held = best.get(reading.value.chain_id)
        if held is None or reading.value.head > held[0]:
            best[reading.value.chain_id] = (reading.value.head, name)
    return best


def _columns(fleet: Fleet) -> tuple[Column, ...]:
    return (
        Column("state", "st", 4),
        Column("name", "endpoint", name_width((_name(rpc) for rpc in fleet.rpcs.values()), 8, 20)),
        Column("client", "client", 14, 5),
        Column("chain", "chain", 8, 9, right=True),
        Column("sync", "sync", 10, 0),
        Column("head", "head", 12, 2, right=True),
        Column("head_age", "head age", 8, 1, right=True),
        Column("lag", "lag", 7, 1, right=True),
        Column("peers", "peers", 5, 4, right=True),
        Column("pool", "pool p+q", 9, 8, right=True),
        Column("latency", "rtt", 6, 3, right=True),
        Column("history", "rtt 5m", 10, 6),
        Column("gas", "gas price", 12, 10, right=True),
        Column("l1", "L1 view", 10, 9, right=True),
        Column("asked", "asked", 7, 12, right=True),
        Column("via", "via", 10, 11),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _name(rpc: Rpc) -> str:
    return f"{rpc.name} (ref)" if rpc.reference else rpc.name


def _row(view: View, rpc: Rpc, best: tuple[int, str] | None) -> Row:
    reading = view.reading(RpcHead, rpc.name)
    subjects: tuple[tuple[str, str], ...] = (("rpc", rpc.name),)
    verdict = view.findings.verdict(subjects)
    old = view.is_old(reading)
    if rpc.node:
        subjects += (("node", rpc.node),)
    usage = view.snapshot.value(RpcUsage, rpc.name)

    def make() -> Row:
        value, since = view.last(reading)
        state = row_state(verdict, reading, old)
        note = note_cell(verdict, problem_words(reading))
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(_name(rpc)),
            *_figures(view, rpc, value, since, best),
            EMPTY_CELL if usage is None else figure(usage.requests, count, None),
            cell(rpc.via or "direct", tone=Tone.MUTED),
            note,
            EMPTY_CELL,
        )
        return Row(
            f"rpc:{rpc.name}",
            cells,
            state,
            subjects,
            keys(
                (RpcHead, rpc.name), (RpcUsage, rpc.name), *_vantages(view, rpc), *_sent(view, rpc)
            ),
            shown_at(reading),
            reading.interval_s,
            search_text(
                rpc.name,
                value.client if value else "",
                note.text,
                host=rpc.via or "direct",
                role="rpc",
            ),
            problem_words(reading),
            verdict.acknowledged,
            (
                (rpc.name, "head age", "head age, s"),
                (rpc.name, "latency", "answer time, ms"),
                (rpc.name, "peers", "peers"),
            ),
        )

    asked = view.reading(RpcUsage, rpc.name)
    return view.memo.row(f"rpc:{rpc.name}", (reading, asked), (verdict, old, best), make)


def _vantages(view: View, rpc: Rpc) -> list[tuple[type, str]]:
    """The endpoint as the hosts of its users see it."""
    targets = (target for target, _ in view.snapshot.all(RpcVantage))
    return [(RpcVantage, t) for t in targets if t.rpartition("/")[0] == rpc.name]


def _sent(view: View, rpc: Rpc) -> list[tuple[type, str]]:
    chain = view.snapshot.fleet.chain
    followed = chain is not None and rpc.name in chain.rpcs
    return [(SentTransactions, chain.network)] if chain is not None and followed else []


def _figures(
    view: View, rpc: Rpc, value: RpcHead | None, since: float | None, best: tuple[int, str] | None
) -> tuple[Cell, ...]:
    if value is None:
        return (UNKNOWN_CELL,) * 12
    limits = view.snapshot.fleet.thresholds
    reading = view.reading(RpcHead, rpc.name)
    taken = reading.taken_at if since is None else since
    head_age = max(0.0, taken - value.head_time)
    age_tone = limit_tone(head_age, limits.head_age_warn_s, limits.head_age_critical_s)
    wrong = rpc.chain_id is not None and rpc.chain_id != value.chain_id
    pool = None
    if value.pool_pending is not None:
        pool = f"{count(value.pool_pending)}+{count(value.pool_queued or 0)}"
    # A rollup's node follows a sequencer: peers mean nothing there.
    few = value.peers is not None and value.peers < limits.min_peers and value.l1_block is None
    return (
        cell(f"{value.client} {value.version}".strip() or "?", since=since),
        Cell(str(value.chain_id), Tone.CRITICAL if wrong else Tone.MUTED, value.chain_id, since),
        _judged(view, rpc, _sync(view, value, head_age, since, best), since),
        Cell(grouped(value.head), Tone.NORMAL, value.head, since),
        Cell(duration(head_age), age_tone, head_age, since),
        _lag(view, value, since, best),
        EMPTY_CELL
        if value.peers is None
        else Cell(str(value.peers), Tone.WARN if few else Tone.NORMAL, value.peers, since),
        EMPTY_CELL if pool is None else Cell(pool, Tone.NORMAL, value.pool_pending, since),
        figure(value.latency_s, seconds, since),
        Cell(view.spark(rpc.name, "answer time", 10, 0.0), Tone.ACCENT),
        EMPTY_CELL
        if value.gas_price is None
        else Cell(format_gwei(value.gas_price), Tone.NORMAL, value.gas_price, since),
        EMPTY_CELL
        if value.l1_block is None
        else Cell(grouped(value.l1_block), Tone.NORMAL, value.l1_block, since),
    )


def _judged(view: View, rpc: Rpc, shown: Cell, since: float | None) -> Cell:
    """The first thing that the checks find wrong, in their order; until they have run, and where
    they find nothing, what the figures show."""
    told = rpc_verdict(rpc.name, view.findings.of((("rpc", rpc.name),)))
    if told.because is None or told.severity is Severity.UNKNOWN or told.word == "syncing":
        return shown
    tone = Tone.CRITICAL if told.severity is Severity.CRITICAL else Tone.WARN
    return Cell(told.word, tone, 100.0 + told.severity, since)


def _sync(
    view: View,
    value: RpcHead,
    head_age: float,
    since: float | None,
    best: tuple[int, str] | None,
) -> Cell:
    """What the node says of itself, unless its head says otherwise: a stuck node says "synced"."""
    progress = value.syncing
    limits = view.snapshot.fleet.thresholds
    if progress is None:
        if head_age >= limits.head_age_critical_s:
            return Cell("stalled", Tone.CRITICAL, 101.0, since)
        if best is not None and best[0] - value.head >= limits.head_lag_critical_blocks:
            return Cell("behind", Tone.CRITICAL, 100.5, since)
        if not value.is_sync_known:
            return UNKNOWN_CELL
        return Cell("synced", Tone.OK, 0, since)
    if progress.indexing:
        return Cell("indexing", Tone.WARN, 1, since)
    if progress.current is not None and progress.highest and progress.highest > progress.current:
        share = 100.0 * progress.current / progress.highest
        return Cell(f"sync {min(99.9, share):.1f}%", Tone.WARN, 100 - share, since)
    return Cell("syncing", Tone.WARN, 50, since)


def _lag(view: View, value: RpcHead, since: float | None, best: tuple[int, str] | None) -> Cell:
    if best is None or since is not None:
        return UNKNOWN_CELL
    limits = view.snapshot.fleet.thresholds
    lag = max(0, best[0] - value.head)
    tone = limit_tone(lag, limits.head_lag_warn_blocks, limits.head_lag_critical_blocks)
    return Cell(count(lag), Tone.MUTED if not lag else tone, lag)


def _lead(view: View, best: dict[int, tuple[int, str]]) -> tuple[Line, ...]:
    """Compared with whom, and what contracts see as the block number."""
    fleet = view.snapshot.fleet
    held = best.get(_main_chain(fleet))
    if held is None:
        return ()
    spans: list[Span] = [
        Span("highest head ", Tone.MUTED),
        Span(grouped(held[0]), Tone.STRONG),
        Span(" from ", Tone.MUTED),
        Span(held[1]),
    ]
    value = view.reading(RpcHead, held[1]).value
    if value is not None and value.l1_block is not None:
        spans += [Span("   L1 block there ", Tone.MUTED), Span(grouped(value.l1_block))]
    if not any(rpc.reference for rpc in fleet.rpcs.values()):
        spans.append(Span("   no reference to compare with", Tone.WARN))
    return (tuple(spans),)


def _watcher_columns(fleet: Fleet) -> tuple[Column, ...]:
    return (
        Column("state", "st", 4),
        Column("name", "node's own watcher", name_width(fleet.nodes, 18, 20)),
        Column("head", "processed", 12, 1, right=True),
        Column("lag", "lag", 7, 0, right=True),
        Column("via", "rpc", 12, 2),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _watcher_row(view: View, node: Node, best: tuple[int, str] | None) -> Row:
    """How far a go-livepeer node has followed the chain: behind means it acts on old facts."""
    reading: Reading[NodeBlock] = view.reading(NodeBlock, node.name)
    subjects = (("node", node.name),)
    found = [f for f in view.findings.of(subjects) if "watcher" in f.check or "block" in f.check]
    verdict = type(view.findings)(
        found,
        view.findings.acknowledged,
        checked=view.findings.checked,
        settled=view.findings.settled,
    ).verdict(subjects)
    old = view.is_old(reading)

    def make() -> Row:
        value, since = view.last(reading)
        state = row_state(verdict, reading, old)
        rest = rest_words(reading)
        note = note_cell(verdict, problem_words(reading), rest)
        lag = EMPTY_CELL if rest else UNKNOWN_CELL
        if value is not None and best is not None and since is None:
            behind = max(0, best[0] - value.block)
            tone = limit_tone(behind, view.snapshot.fleet.thresholds.watcher_lag_blocks)
            lag = Cell(count(behind), tone, behind)
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(node.name),
            EMPTY_CELL if rest else figure(value.block if value else None, grouped, since),
            lag,
            cell(node.rpc, tone=Tone.MUTED) if node.rpc else EMPTY_CELL,
            note,
            EMPTY_CELL,
        )
        return Row(
            f"watcher:{node.name}",
            cells,
            state,
            subjects,
            keys((NodeBlock, node.name)),
            shown_at(reading),
            reading.interval_s,
            search_text(node.name, note.text, host=node.host, role="watcher"),
            problem_words(reading),
            verdict.acknowledged,
        )

    return view.memo.row(f"watcher:{node.name}", (reading,), (verdict, old, best), make)
