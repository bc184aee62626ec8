"""The cards of pane 3: what each GPU does, and what keeps it from doing more."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from lptui.fleet.facts.gpu import Gpu, HostGpus
from lptui.fleet.nvenc import nvenc_cap
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Fleet, Host
from lptui.present.model import EMPTY_CELL, UNKNOWN_CELL, Cell, Column, Row, State, Tone
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
    shown_at,
    state_cell,
)


def columns(fleet: Fleet) -> tuple[Column, ...]:
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


def rows(view: View, host: Host) -> Iterator[Row]:
    reading = view.reading(HostGpus, host.name)
    value, _ = view.last(reading)
    if value is None:
        if host.gpus:
            yield _lost_row(view, host, reading)
        return
    for gpu in value.gpus:
        yield _gpu_row(view, host, reading, value, gpu)
    for missing in range(len(value.gpus), host.gpus or 0):
        yield _missing_row(view, host, reading, missing)


def _gpu_subjects(host: Host, index: int) -> tuple[tuple[str, str], ...]:
    return (("gpu", f"{host.name}/{index}"),)


def _gpu_row(view: View, host: Host, reading: Reading[HostGpus], found: HostGpus, gpu: Gpu) -> Row:
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
            *_gpu_figures(view, host, found, gpu, since),
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


def _gpu_figures(
    view: View, host: Host, found: HostGpus, gpu: Gpu, since: float | None
) -> tuple[Cell, ...]:
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
    decoding = limit_tone(gpu.decoder, limits.decoder_warn)
    throttle = EMPTY_CELL
    if gpu.throttled is None:
        throttle = UNKNOWN_CELL
    elif gpu.throttled:
        throttle = Cell(gpu.throttle_words or "yes", Tone.CRITICAL, 1, since)
    return (
        figure(gpu.encoder, _whole, since, busy),
        Cell(view.spark(host.name, f"{name} encoder", 10, 0.0, 100.0), Tone.ACCENT),
        figure(gpu.decoder, _whole, since, decoding),
        figure(gpu.utilisation, _whole, since),
        figure(memory, _whole, since),
        figure(gpu.temperature_c, lambda v: f"{v:.0f}°C", since, hot),
        _power(gpu, since),
        _gpu_sessions(host, found, gpu, since),
        throttle,
    )


def _whole(value: float) -> str:
    return f"{value:.0f}%"


def _power(gpu: Gpu, since: float | None) -> Cell:
    if gpu.power_w is None:
        return UNKNOWN_CELL
    limit = f"{gpu.power_limit_w:.0f}" if gpu.power_limit_w is not None else "?"
    return Cell(f"{gpu.power_w:.0f}/{limit}W", Tone.NORMAL, gpu.power_w, since)


def _gpu_sessions(host: Host, found: HostGpus, gpu: Gpu, since: float | None) -> Cell:
    """The card's own encoder sessions, against what its host's driver allows all cards."""
    if gpu.encoder_sessions is None:
        return UNKNOWN_CELL
    limit = nvenc_cap(host, found)
    if limit is None:
        return Cell(str(gpu.encoder_sessions), Tone.NORMAL, gpu.encoder_sessions, since)
    cap, used = limit.sessions, limit.used
    tone = Tone.CRITICAL if (gpu.encoder_sessions if used is None else used) >= cap else Tone.NORMAL
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
