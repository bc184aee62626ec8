"""The second part of pane 2: winning tickets that wait, and what is lost with the round."""

from __future__ import annotations

from lptui.checks.words import moment
from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.facts.tickets import Redemptions, TicketQueue, TicketsOfRound
from lptui.fleet.tickets import VALID_ROUNDS, keepers, total
from lptui.fleet.topology import Node, Orchestrator
from lptui.fleet.units import format_units
from lptui.present.model import EMPTY_CELL, UNKNOWN_CELL, Cell, Column, Row, Section, Tone
from lptui.present.view import (
    View,
    cell,
    keys,
    name_width,
    note_cell,
    problem_words,
    rest_words,
    row_state,
    search_text,
    section,
    shown_at,
    state_cell,
)


def redemption(view: View) -> Section | None:
    """A row a node with a queue of its own; None where the fleet has none."""
    nodes = keepers(view.snapshot.fleet)
    if not nodes or view.snapshot.fleet.chain is None:
        return None
    return section("redemption", "queue", _columns(nodes), (_row(view, node) for node in nodes))


def _columns(nodes: tuple[Node, ...]) -> tuple[Column, ...]:
    return (
        Column("state", "st", 4),
        Column("name", "redeems", name_width((node.name for node in nodes), 8, 18)),
        Column("waiting", "waiting", 7, 1, right=True),
        Column("value", "worth ETH", 10, 3, right=True),
        Column("expiring", "expiring", 8, right=True),
        Column("risk", "at risk ETH", 11, 2, right=True),
        Column("lost", "lost ETH", 9, 6, right=True),
        Column("given-up", "given up", 8, 7, right=True),
        Column("errors", "errors", 6, 5, right=True),
        Column("redeemed", "last redeemed (UTC)", 19, 8),
        Column("proved", "proved this round", 17, 9, right=True),
        Column("proved-at", "newest (UTC)", 19, 10),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _row(view: View, node: Node) -> Row:
    chain = view.snapshot.fleet.chain
    network = chain.network if chain else ""
    reading = view.reading(TicketQueue, node.name)
    metrics = view.reading(NodeMetrics, node.name)
    clock = view.reading(ChainRound, network)
    subjects = (("queue", node.name), ("node", node.name))
    verdict = view.findings.verdict(subjects[:1])
    ours = _served(view, node)
    logs = tuple(view.reading(Redemptions, item.name) for item in ours)
    old = (view.is_old(reading), view.is_old(metrics), view.is_old(clock), *map(view.is_old, logs))

    def make() -> Row:
        state = row_state(verdict, reading, old[0])
        note = note_cell(verdict, problem_words(reading), rest_words(reading))
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(node.name),
            *_queue(view, node, network),
            _errors(view, node),
            _last(view, node),
            _proved(view, ours, network),
            _proved_at(view, ours),
            note,
            EMPTY_CELL,
        )
        return Row(
            f"queue:{node.name}",
            cells,
            state,
            subjects,
            keys(
                (TicketQueue, node.name),
                *((Redemptions, item.name) for item in ours),
                (NodeMetrics, node.name),
                (ChainRound, network),
            ),
            shown_at(reading),
            reading.interval_s,
            search_text(node.name, note.text, role="redeemer"),
            problem_words(reading),
            verdict.acknowledged,
        )

    shown = (reading, metrics, clock, *logs)
    return view.memo.row(f"queue:{node.name}", shown, (verdict, old), make)


def _queue(view: View, node: Node, network: str) -> tuple[Cell, ...]:
    """Waiting, worth, expiring, at risk, lost, given up."""
    queue, since = view.seen(TicketQueue, node.name)
    clock, clock_since = view.seen(ChainRound, network)
    if queue is None or clock is None:
        return (UNKNOWN_CELL,) * 6
    when = since if since is not None else clock_since
    last = clock.round - VALID_ROUNDS + 1
    waiting = total(part for part in queue.waiting if part.round >= last)
    expiring = total(part for part in queue.waiting if part.round == last)
    lost = total(p for p in queue.waiting if last - VALID_ROUNDS <= p.round < last)
    given_up = total(part for part in queue.given_up if part.round >= last)
    return (
        _count(waiting, when),
        _money(waiting, when),
        _count(expiring, when),
        _money(expiring, when),
        _money(lost, when, Tone.WARN),
        _count(given_up, when, Tone.WARN),
    )


def _count(part: TicketsOfRound, since: float | None, tone: Tone = Tone.NORMAL) -> Cell:
    return Cell(str(part.count), tone if part.count else Tone.MUTED, part.count, since)


def _money(part: TicketsOfRound, since: float | None, tone: Tone = Tone.NORMAL) -> Cell:
    text = format_units(part.value, 4) if part.value else "0"
    return Cell(text, tone if part.value else Tone.MUTED, part.value, since)


def _errors(view: View, node: Node) -> Cell:
    metrics, since = view.seen(NodeMetrics, node.name)
    if metrics is None or not metrics.monitored:
        return UNKNOWN_CELL
    return Cell(str(metrics.redemption_errors), Tone.NORMAL, metrics.redemption_errors, since)


def _last(view: View, node: Node) -> Cell:
    queue, since = view.seen(TicketQueue, node.name)
    if queue is None:
        return UNKNOWN_CELL
    return Cell(queue.last_redeemed_at or "never", Tone.MUTED, queue.last_redeemed_at, since)


def _served(view: View, node: Node) -> tuple[Orchestrator, ...]:
    """Whose tickets a node redeems: a log does not name the redeemer, so it is known only where
    there is no other."""
    chain = view.snapshot.fleet.chain
    is_alone = keepers(view.snapshot.fleet) == (node,)
    return chain.orchestrators if chain is not None and is_alone else ()


def _proved(view: View, ours: tuple[Orchestrator, ...], network: str) -> Cell:
    """How many tickets of what face value the chain shows redeemed in this round."""
    if not ours:
        return EMPTY_CELL
    clock, since = view.seen(ChainRound, network)
    seen = [view.seen(Redemptions, item.name) for item in ours]
    if clock is None:
        return UNKNOWN_CELL
    parts = [one.of(clock.round) for one, _ in seen if one is not None]
    known = [part for part in parts if part is not None]
    if len(known) < len(ours):
        return UNKNOWN_CELL
    count, value = sum(part.count for part in known), sum(part.value for part in known)
    when = next((at for _, at in seen if at is not None), since)
    text = f"{count}: {format_units(value, 4)} ETH" if count else "0"
    return Cell(text, Tone.NORMAL if count else Tone.MUTED, value, when)


def _proved_at(view: View, ours: tuple[Orchestrator, ...]) -> Cell:
    """When the newest was redeemed, by its block's time."""
    if not ours:
        return EMPTY_CELL
    seen = [view.seen(Redemptions, item.name) for item in ours]
    newest = [one.newest for one, _ in seen if one is not None and one.newest is not None]
    times = [ticket.at for ticket in newest if ticket.at is not None]
    if not times or len(times) < len(newest) or any(one is None for one, _ in seen):
        return UNKNOWN_CELL
    when = next((at for _, at in seen if at is not None), None)
    return Cell(moment(max(times)), Tone.MUTED, max(times), when)
