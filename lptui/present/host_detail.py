"""The detail of a host and of a card: what they do now, and what is installed."""

from __future__ import annotations

from collections.abc import Iterator

from lptui.checks.log_files import log_words
from lptui.fleet.facts.activity import HostActivity, HostPrograms
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.facts.logs import HostLogs
from lptui.fleet.facts.upkeep import HostBackups, HostGrowth, HostImages
from lptui.fleet.growth import days_words
from lptui.fleet.units import format_bytes
from lptui.present.activity import (
    MOST_DISKS,
    UNKNOWN,
    cpu_words,
    disk_words,
    driver_words,
    program_words,
    socket_words,
)
from lptui.present.model import Line, Row, Span, Tone
from lptui.present.upkeep import backup_words, image_words
from lptui.present.view import View
from lptui.present.words import age

_MOST_BACKUPS = 8


def host_lines(view: View, row: Row) -> Iterator[Line]:
    """A host's detail: processor, disks, sockets, programs."""
    host = row.subjects[0][1]
    yield (Span(" Activity", Tone.ACCENT), Span("  between the last two readings", Tone.MUTED))
    of_vitals = view.reading(HostVitals, host)
    vitals, since = view.last(of_vitals)
    yield _line(view, "cpu", UNKNOWN if vitals is None else cpu_words(vitals), since)
    of_activity = view.reading(HostActivity, host)
    activity, since = view.last(of_activity)
    disks = activity.disks if activity is not None else ()
    for disk in disks[:MOST_DISKS]:
        yield _line(view, disk.name, disk_words(disk), since)
    if not disks:
        yield _line(view, "disks", UNKNOWN if activity is None else "none", since)
    yield _line(view, "TCP", socket_words(activity.sockets if activity else None), since)
    yield from _programs(view, host)
    yield ()
    yield from _upkeep(view, host)


def _upkeep(view: View, host: str) -> Iterator[Line]:
    """How long disks last, backups, images."""
    of_growth = view.reading(HostGrowth, host)
    growth, since = view.last(of_growth)
    of_backups = view.reading(HostBackups, host)
    backups, backups_since = view.last(of_backups)
    of_images = view.reading(HostImages, host)
    images, images_since = view.last(of_images)
    yield (Span(" Upkeep", Tone.ACCENT), Span("  by the pace of the last days", Tone.MUTED))
    for mount in growth.mounts[:MOST_DISKS] if growth is not None else ():
        yield _line(view, f"{mount.path} full in", days_words(mount), since)
    if growth is None:
        yield _line(view, "disks full in", UNKNOWN, since)
    for state in backups.backups[:_MOST_BACKUPS] if backups is not None else ():
        yield _line(view, f"backup {state.name}", backup_words(state), backups_since)
    for image in images.images[:_MOST_BACKUPS] if images is not None else ():
        yield _line(view, f"image {image.name}", image_words(image), images_since)
    yield from _logs(view, host)
    yield ()


def _logs(view: View, host: str) -> Iterator[Line]:
    """The room that logs take."""
    of_logs = view.reading(HostLogs, host)
    logs, since = view.last(of_logs)
    journal = logs.journal_size if logs is not None else None
    yield _line(view, "journal", UNKNOWN if journal is None else format_bytes(journal), since)
    if logs is None:
        return
    for one in logs.logs[:_MOST_BACKUPS]:
        yield _line(view, "log", log_words(one, logs.read_at), since)
    if logs.rotated_age_s is not None:
        yield _line(view, "logrotate", f"ran {age(logs.rotated_age_s)} ago", since)


def card_lines(view: View, row: Row) -> Iterator[Line]:
    """A card's detail: driver, CUDA, programs of its host."""
    host = dict(row.subjects).get("host", "")
    yield (Span(" Software", Tone.ACCENT),)
    of_gpus = view.reading(HostGpus, host)
    gpus, since = view.last(of_gpus)
    yield _line(view, "driver", UNKNOWN if gpus is None else driver_words(gpus), since)
    yield from _programs(view, host)
    yield ()


def _programs(view: View, host: str) -> Iterator[Line]:
    of_programs = view.reading(HostPrograms, host)
    programs, since = view.last(of_programs)
    yield _line(view, "installed", UNKNOWN if programs is None else program_words(programs), since)


def _line(view: View, name: str, text: str, since: float | None) -> Line:
    tone = Tone.UNKNOWN if text == UNKNOWN else Tone.NORMAL if since is None else Tone.MUTED
    tail = (Span(f"  seen {age(view.now - since)} ago", Tone.WARN),) if since is not None else ()
    return (Span(f"   {name:<20}", Tone.MUTED), Span(text, tone), *tail)
