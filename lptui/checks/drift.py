"""Drift: nodes that ought to be set up alike and are not; what runs and is not what is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from lptui.checks.units import unit_of
from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.clock import iso
from lptui.fleet import alike
from lptui.fleet.facts.host import HostProcesses, HostUnits, Unit
from lptui.fleet.facts.upkeep import (
    Change,
    ContainerImage,
    HostImages,
    HostUnitTexts,
    UnitFile,
    UnitText,
)
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.processes import process_of
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Node, SupervisorKind
from lptui.text import plural

SETTINGS: Final = "settings-drift"
STALE: Final = "unit-stale"
IMAGE: Final = "container-stale"

_MOST: Final = 12
_FIXED: Final = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}|.*@sha256:[0-9a-f]{64}", re.ASCII)
"""A name of an image that means the same one for ever."""


def settings_drift(view: View) -> Iterator[Finding]:
    """Are nodes of one role set up alike, but for what is each one's own?"""
    for name, members in alike.groups(view.fleet.nodes.values()):
        nodes = [node for node in members if not view.rest(node)]
        known = [(node, _set_up(view, node)) for node in nodes]
        found = [(node, one) for node, one in known if one.values]
        if len(found) < 2:
            yield from _unread(view, name, nodes)
            continue
        differ = alike.differences([one for _, one in found])
        summary = f"{plural(len(found), 'node')} are set up alike"
        if differ:
            told = listed([one.name for one in differ])
            summary = f"{plural(len(differ), 'setting')} differ: {told}"
            if len(differ) == 1:
                summary = f"{differ[0]}"
        yield Finding(
            SETTINGS,
            Severity.WARNING if differ else Severity.OK,
            "fleet",
            f"role:{name}",
            summary,
            (
                *(str(one) for one in differ[:_MOST]),
                *(_seen(view, node) for node, _ in found[:_MOST]),
            ),
            "give all the same; what is meant to differ belongs in `may_differ`" if differ else "",
            metrics=(Metric("settings_differ", len(differ)),),
        )


def _set_up(view: View, node: Node) -> alike.SetUp:
    units = view.fresh(HostUnitTexts, node.host)
    images = view.fresh(HostImages, node.host)
    service = node.service.name if node.service is not None else ""
    return alike.set_up(
        node.name,
        process_of(view.snapshot, node),
        units.find(service) if units is not None else None,
        images.find(service) if images is not None else None,
        view.fleet.may_differ,
    )


def _seen(view: View, node: Node) -> str:
    return f"{node.name}: {view.seen(view.reading(HostProcesses, node.host))}"


def _unread(view: View, name: str, nodes: list[Node]) -> Iterator[Finding]:
    """Too few to compare: because hosts could not be asked, or because nothing is told."""
    for node in nodes if len(nodes) > 1 else ():
        reading = view.readings(HostProcesses).get(node.host)
        if reading is not None and not view.is_fresh(reading):
            cause = view.blocker(node.host, reading)
            yield view.unknown(SETTINGS, "fleet", f"role:{name}", reading, cause=cause)
            return


def unit_stale(view: View) -> Iterator[Finding]:
    """Does a node run as its unit says now? What was changed since counts at the next start."""
    for node in view.fleet.nodes.values():
        unit = unit_of(view, node)
        if unit is None or not node.is_livepeer or not unit.is_running or view.rest(node):
            continue
        if node.service is None or node.service.kind is not SupervisorKind.SYSTEMD:
            continue
        reading = view.reading(HostUnits, node.host)
        compared, files = _not_as_told(view, node, unit), _files(view, node, unit)
        differ = (*(compared or ()), *(told for one in files if (told := _since(one))))
        well = "runs as its unit says"
        if compared is None:
            well = "its unit was not changed since systemd has read it; whether its process was "
            well += "started with these arguments cannot be told"
        remedy = "restart it in a quiet hour, or take the change back" if differ else ""
        if unit.needs_reload:
            differ = ("its files have changed since systemd has read them", *differ)
            remedy = "systemctl daemon-reload, then restart it in a quiet hour"
        yield Finding(
            STALE,
            Severity.WARNING if differ else Severity.OK,
            "node",
            node.name,
            f"{unit.name}: {listed(list(differ), 2)}" if differ else well,
            (
                view.seen(reading),
                *differ[:_MOST],
                *(
                    f"whether {one.path} was written to since it was started is not known"
                    for one in files
                    if one.since is Change.UNKNOWN
                ),
            ),
            remedy,
        )


def _not_as_told(view: View, node: Node, unit: Unit) -> tuple[str, ...] | None:
    """Of a process that was started before its unit and its arguments were read: else one of the
    two readings is of the process before."""
    processes = view.reading(HostProcesses, node.host)
    text, process = _text(view, node, unit), process_of(view.snapshot, node)
    if text is None or process is None or not _is_of(view, node, unit, processes):
        return None
    return alike.not_as_told(process, text)


def _files(view: View, node: Node, unit: Unit) -> tuple[UnitFile, ...]:
    """The files that it was started with; () where they were looked at before it was."""
    text = _text(view, node, unit)
    return text.files if text is not None else ()


def _text(view: View, node: Node, unit: Unit) -> UnitText | None:
    """What the unit says, read since its process was started."""
    texts = view.reading(HostUnitTexts, node.host)
    found = view.value(texts)
    is_known = found is not None and _is_of(view, node, unit, texts)
    return found.find(unit.name) if found is not None and is_known else None


def _is_of(view: View, node: Node, unit: Unit, reading: Reading[Any]) -> bool:
    """Whether a reading was begun after the unit's process."""
    if unit.since_s is None:
        return False
    started = view.reading(HostUnits, node.host).taken_at - unit.since_s
    return reading.taken_at - reading.took_s >= started


def _since(file: UnitFile) -> str:
    """What was done to a file since the process was started with it; "" for nothing."""
    if file.since is Change.GONE:
        return f"{file.path} is gone, which its next start reads"
    if file.since is not Change.WRITTEN or file.written_at is None:
        return ""
    return f"{file.path} was written to since it was started, at {iso(file.written_at)}"


def container_stale(view: View) -> Iterator[Finding]:
    """Was a container made of the image that its name means on its host now?"""
    for node in view.fleet.nodes.values():
        if node.service is None or node.service.kind is not SupervisorKind.CONTAINER:
            continue
        reading = view.readings(HostImages).get(node.host)
        if reading is None or view.rest(node):
            continue
        images = view.value(reading)
        if images is None:
            cause = view.blocker(node.host, reading) or f"unit-state@{node.name}"
            yield view.unknown(IMAGE, "node", node.name, reading, cause=cause)
            continue
        image = images.find(node.service.name)
        if image is None:
            continue  # there is no such container, as its state says
        severity, summary, remedy = _image(image)
        told = f"runs {image.running[:12]}, {image.reference} is {image.current[:12] or 'unknown'}"
        evidence = (view.says(reading, told),)
        yield Finding(IMAGE, severity, "node", node.name, summary, evidence, remedy)


def _image(image: ContainerImage) -> tuple[Severity, str, str]:
    if image.current == image.running or _FIXED.fullmatch(image.reference):
        return Severity.OK, f"runs what {image.reference} means there", ""
    if not image.current:
        text = f"not known: {image.reference} names no image there any more"
        return Severity.UNKNOWN, text, "pull the image again, or make the container anew"
    text = f"runs an older image than {image.reference} means there: pulled, but not made anew"
    return Severity.WARNING, text, "make the container anew in a quiet hour"
