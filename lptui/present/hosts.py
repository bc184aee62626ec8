"""Pane 6: the machines, and the service units and containers of the fleet on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lptui.fleet import duty
from lptui.fleet.facts.activity import HostActivity, HostPrograms
from lptui.fleet.facts.host import (
    HostClock,
    HostDisks,
    HostListeners,
    HostProcesses,
    HostSystem,
    HostUnits,
    HostVitals,
    Unit,
    UnitLoad,
)
from lptui.fleet.facts.keystore import HostKeystores, KeyAtStart, NodeKeystore
from lptui.fleet.facts.links import ClosedPorts
from lptui.fleet.facts.logs import HostLogs, LogErrors
from lptui.fleet.facts.safety import HostSafety
from lptui.fleet.facts.upkeep import HostBackups, HostGrowth, HostImages, HostUnitTexts
from lptui.fleet.reading import Reading
from lptui.fleet.reboots import core_since_boot
from lptui.fleet.topology import Fleet, Host, Node
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
    row_state,
    search_text,
    section,
    shown_at,
    state_cell,
    tally,
)
from lptui.present.words import duration, out_of, signed_seconds, size


def present(view: View) -> PaneModel:
    """The pane."""
    fleet = view.snapshot.fleet
    hosts = tuple(_row(view, host) for host in fleet.hosts.values())
    units = tuple(
        _unit_row(view, node) for node in fleet.nodes.values() if node.service is not None
    )
    state, counts = tally((*hosts, *units))
    summary: Line = (Span(_reached(view)),)
    at_rest = _at_rest(view)
    expected = [row for row in units if row.key not in at_rest]
    if expected:
        summary += (Span("  units ", Tone.MUTED), Span(_running(expected)))
    return PaneModel(
        "hosts",
        state if hosts else State.OK,
        counts,
        summary if hosts else (),
        (),
        (
            section("hosts", "host", _columns(fleet), hosts),
            section("units", "unit", _unit_columns(fleet), units),
        ),
        empty="no hosts in the configuration",
    )


def _reached(view: View) -> str:
    readings = [view.reading(HostVitals, name) for name in view.snapshot.fleet.hosts]
    current = [each for each in readings if each.taken_at and not view.is_old(each)]
    reached = sum(1 for each in current if each.problem is None)
    return out_of(reached, len(readings), "reached", len(readings) - len(current))


def _at_rest(view: View) -> set[str]:
    """Keys of the rows of nodes that are stopped as they should be."""
    fleet = view.snapshot.fleet
    nodes = fleet.nodes.values() if fleet.standbys else ()
    return {f"unit:{node.name}" for node in nodes if _rest(view, node)}


def _running(units: Sequence[Row]) -> str:
    told = [row.cells[4] for row in units]
    running = sum(1 for each in told if each.text.startswith("active") and each.since is None)
    unknown = sum(1 for each in told if each.text == "?" or each.since is not None)
    return out_of(running, len(units), "active", unknown, "/")


def _columns(fleet: Fleet) -> tuple[Column, ...]:
    return (
        Column("state", "st", 4),
        Column("name", "host", name_width(fleet.hosts, 8, 22)),
        Column("load", "load", 8, 2, right=True),
        Column("cpu", "cpu", 4, 1, right=True),
        Column("history", "cpu 5m", 10, 5),
        Column("memory", "mem", 4, 1, right=True),
        Column("disk", "fullest disk", 12, 3),
        Column("files", "files", 5, 8, right=True),
        Column("clock", "clock", 7, 6, right=True),
        Column("up", "up", 6, 7, right=True),
        Column("units", "units", 6, 9, right=True),
        Column("reboot", "reboot", 6, 10),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _row(view: View, host: Host) -> Row:
    vitals = view.reading(HostVitals, host.name)
    disks = view.reading(HostDisks, host.name)
    clock = view.reading(HostClock, host.name)
    system = view.reading(HostSystem, host.name)
    units = view.reading(HostUnits, host.name)
    readings: tuple[Reading[Any], ...] = (vitals, disks, clock, system, units)
    subjects = (("host", host.name),)
    verdict = view.findings.verdict(subjects)
    old = tuple(view.is_old(reading) for reading in readings)
    resting = _resting(view, host)

    def make() -> Row:
        problem = problem_words(vitals)
        state = row_state(verdict, vitals, old[0])
        note = note_cell(verdict, problem)
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(host.name),
            *_vitals(view, host, vitals, system),
            _disk(view, disks),
            _files(view, system),
            _clock(view, clock),
            _up(view, vitals),
            _units(view, units, resting),
            _reboot(view, host.name, system),
            note,
            EMPTY_CELL,
        )
        return Row(
            f"host:{host.name}",
            cells,
            state,
            subjects,
            keys(
                (HostVitals, host.name),
                (HostUnits, host.name),
                (HostDisks, host.name),
                (HostClock, host.name),
                (HostSystem, host.name),
                (HostListeners, host.name),
                (HostProcesses, host.name),
                (HostKeystores, host.name),
                (HostSafety, host.name),
                *(((ClosedPorts, host.name),) if host.safety.closed_ports else ()),
                (HostGrowth, host.name),
                (HostBackups, host.name),
                (HostUnitTexts, host.name),
                (HostImages, host.name),
                (HostLogs, host.name),
                (HostActivity, host.name),
                (HostPrograms, host.name),
            ),
            shown_at(vitals),
            vitals.interval_s,
            search_text(
                host.name,
                note.text,
                *(node.name for node in view.snapshot.fleet.nodes_on(host.name)),
                *(f"tag:{tag}" for tag in sorted(host.tags)),
                region=host.region,
                host=host.name,
            ),
            problem,
            verdict.acknowledged,
            (
                (host.name, "cpu", "cpu %"),
                (host.name, "load", "load, 1 minute"),
                (host.name, "memory", "memory %"),
            ),
        )

    return view.memo.row(f"host:{host.name}", readings, (verdict, old, resting), make)


def _vitals(
    view: View, host: Host, reading: Reading[HostVitals], system: Reading[HostSystem]
) -> tuple[Cell, ...]:
    """Load over processors, processor share, its history, memory."""
    value, since = view.last(reading)
    if value is None:
        return (UNKNOWN_CELL, UNKNOWN_CELL, Cell("", Tone.MUTED), UNKNOWN_CELL)
    limits = view.snapshot.fleet.thresholds
    known, _ = view.last(system)
    cpus = known.cpus if known is not None and known.cpus else None
    per_cpu = value.load_1m / cpus if cpus else None
    load_tone = limit_tone(per_cpu, limits.load_warn_per_cpu) if per_cpu else Tone.NORMAL
    load = f"{value.load_1m:.1f}/{cpus}" if cpus else f"{value.load_1m:.1f}/?"
    memory_tone = limit_tone(value.memory_used, limits.memory_warn, limits.memory_critical)
    return (
        Cell(load, load_tone, per_cpu if per_cpu is not None else value.load_1m, since),
        figure(value.cpu_busy, _whole, since),
        Cell(view.spark(host.name, "cpu", 10, 0.0, 100.0), Tone.ACCENT),
        figure(float(value.memory_used), _whole, since, memory_tone),
    )


def _whole(value: float) -> str:
    return f"{value:.0f}%"


def _disk(view: View, reading: Reading[HostDisks]) -> Cell:
    value, since = view.last(reading)
    if value is None:
        return UNKNOWN_CELL
    if value.missing:
        return Cell(f"{value.missing[0]} gone", Tone.CRITICAL, 101.0, since)
    fullest = max(value.mounts, key=lambda mount: mount.used_percent, default=None)
    if fullest is None:
        return EMPTY_CELL
    limits = view.snapshot.fleet.thresholds
    used = float(fullest.used_percent)
    tone = limit_tone(used, limits.disk_warn, limits.disk_critical)
    if fullest.read_only and fullest.path == "/":
        return Cell("/ read-only", Tone.CRITICAL, 100.5, since)
    return Cell(f"{used:3.0f}% {fullest.path}", tone, used, since)


def _files(view: View, reading: Reading[HostSystem]) -> Cell:
    value, since = view.last(reading)
    if value is None or value.files_open is None or not value.files_max:
        return UNKNOWN_CELL
    share = 100.0 * value.files_open / value.files_max
    limits = view.snapshot.fleet.thresholds
    text = "<1%" if share < 1 else f"{share:.0f}%"
    return Cell(text, limit_tone(share, limits.fd_warn, limits.fd_critical), share, since)


def _clock(view: View, reading: Reading[HostClock]) -> Cell:
    value, since = view.last(reading)
    if value is None:
        return UNKNOWN_CELL
    off = max(0.0, abs(value.offset_s) - value.uncertainty_s)
    limits = view.snapshot.fleet.thresholds
    tone = limit_tone(off, limits.clock_warn_s, limits.clock_critical_s)
    text = "ok" if abs(value.offset_s) <= value.uncertainty_s else signed_seconds(value.offset_s)
    if value.synchronised is False:
        text, tone = f"{text} unsy", Tone.WARN if tone is Tone.NORMAL else tone
    return Cell(text, tone, off, since)


def _up(view: View, reading: Reading[HostVitals]) -> Cell:
    value, since = view.last(reading)
    return figure(value.uptime_s if value else None, duration, since)


def _resting(view: View, host: Host) -> int:
    """How many nodes of a host are stopped as they should be."""
    fleet = view.snapshot.fleet
    nodes = fleet.nodes_on(host.name) if fleet.standbys else ()
    return sum(1 for node in nodes if _rest(view, node))


def _units(view: View, reading: Reading[HostUnits], resting: int) -> Cell:
    value, since = view.last(reading)
    if value is None:
        return UNKNOWN_CELL
    running = sum(1 for unit in value.units if unit.is_running)
    bad = running + resting < len(value.units) or bool(value.failed)
    return Cell(f"{running}/{len(value.units)}", Tone.WARN if bad else Tone.NORMAL, running, since)


def _reboot(view: View, host: str, reading: Reading[HostSystem]) -> Cell:
    value, since = view.last(reading)
    if value is None:
        return UNKNOWN_CELL
    if value.reboot_required or core_since_boot(view.snapshot, host):
        return Cell("needed", Tone.WARN, 1, since)
    return Cell("no", Tone.MUTED, 0, since)


def _unit_columns(fleet: Fleet) -> tuple[Column, ...]:
    units = [node.service.name for node in fleet.nodes.values() if node.service]
    return (
        Column("state", "st", 4),
        Column("name", "node", name_width(fleet.nodes, 8, 20)),
        Column("unit", "unit", name_width(units, 8, 24), 4),
        Column("host", "host", name_width(fleet.hosts, 6, 16), 5),
        Column("active", "unit state", 16, 1),
        Column("since", "since", 6, 2, right=True),
        Column("restarts", "restarts", 8, 3, right=True),
        Column("files", "files", 9, 7, right=True),
        Column("memory", "memory", 6, 6, right=True),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def _unit_row(view: View, node: Node) -> Row:
    reading = view.reading(HostUnits, node.host)
    subjects = (("node", node.name), ("host", node.host))
    verdict = view.findings.verdict(subjects[:1])
    old = view.is_old(reading)
    name = node.service.name if node.service is not None else ""
    rest = _rest(view, node)

    def make() -> Row:
        value, since = view.last(reading)
        unit = value.find(name) if value is not None else None
        problem = problem_words(reading) if unit is None else ""
        state = row_state(verdict, reading, old)
        note = note_cell(verdict, problem, rest)
        cells = (
            state_cell(state, verdict.acknowledged),
            cell(node.name),
            cell(name, tone=Tone.MUTED),
            cell(node.host, tone=Tone.MUTED),
            *_unit_cells(view, unit, since, bool(rest)),
            note,
            EMPTY_CELL,
        )
        return Row(
            f"unit:{node.name}",
            cells,
            state,
            subjects,
            keys(
                (HostUnits, node.host),
                *(((LogErrors, node.name),) if view.reading(LogErrors, node.name).taken_at else ()),
                *(((NodeKeystore, node.name),) if node.keystore_check else ()),
                *(((KeyAtStart, node.name),) if view.snapshot.fleet.shares_key(node) else ()),
            ),
            shown_at(reading),
            reading.interval_s,
            search_text(
                node.name,
                name,
                note.text,
                *node.tags,
                host=node.host,
                unit=name,
                role=" role:".join(sorted(node.roles)),
            ),
            problem,
            verdict.acknowledged,
        )

    return view.memo.row(f"unit:{node.name}", (reading,), (verdict, old, rest), make)


def _rest(view: View, node: Node) -> str:
    """Why a node is stopped as it should be."""
    return duty.rest(view.snapshot, node)


def _unit_cells(
    view: View, unit: Unit | None, since: float | None, at_rest: bool
) -> tuple[Cell, ...]:
    if unit is None:
        return (UNKNOWN_CELL,) * 5
    if unit.load is UnitLoad.NOT_FOUND:
        return (Cell("not found", Tone.CRITICAL, 0, since), *((EMPTY_CELL,) * 4))
    tone = Tone.OK if unit.is_running else Tone.MUTED if at_rest else Tone.CRITICAL
    if unit.active in ("activating", "deactivating", "reloading"):
        tone = Tone.WARN
    word = f"{unit.active} {unit.sub}" if unit.sub not in ("running", unit.active) else unit.active
    limits = view.snapshot.fleet.thresholds
    restarts = limit_tone(unit.restarts, limits.restarts_warn)
    files: Cell = UNKNOWN_CELL
    if unit.fd_used is not None and unit.fd_limit:
        share = 100.0 * unit.fd_used / unit.fd_limit
        text = f"{unit.fd_used}/{_thousands(unit.fd_limit)}"
        files = Cell(text, limit_tone(share, limits.fd_warn, limits.fd_critical), share, since)
    elif not unit.is_running:
        files = EMPTY_CELL
    return (
        Cell(word, tone, word, since),
        EMPTY_CELL if unit.since_s is None else figure(unit.since_s, duration, since),
        EMPTY_CELL
        if unit.restarts is None
        else Cell(str(unit.restarts), restarts, unit.restarts, since),
        files,
        EMPTY_CELL if unit.memory is None else figure(unit.memory, size, since),
    )


def _thousands(number: int) -> str:
    return f"{number // 1000}k" if number >= 10_000 else str(number)
