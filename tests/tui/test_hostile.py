"""Remote text never acts, never breaks a line, never ends the console: in every field of every
fact, through all panes, at three sizes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from itertools import cycle
from types import MappingProxyType
from typing import Any

import pytest
from rich.cells import cell_len

from lptui.errors import Problem, ProblemKind
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from tests.snapshots import FleetBuilder
from tests.tui.conftest import Console, running, troubled

HOSTILE = (
    "open [/var/lib/geth]: no such file",
    "oops [/red] tail",
    "[/",
    "[@click=app.command('quit')]node[/]",
    "[b]reply [b",
    "$foreground {x} %s \\",
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred",
    "\x9b31m\x00\x07\x08\r\n\ttab",
    "\u202egnp.exe\u2066 \u200bzero\u2060",
    "שלום مرحبا",
    "漢字かな交じり文" * 3,
    "👩‍👩‍👧‍👦 e\u0301\u0302 ✈️",
    "x" * 10_000,
    "漢" * 5_000,
    "",
    " ",
)


def poison(value: Any, strings: Iterator[str]) -> Any:
    """The value with every string in it replaced; types and numbers stay."""
    if isinstance(value, Enum) or value is None:
        return value
    if isinstance(value, str):
        return next(strings)
    if is_dataclass(value) and not isinstance(value, type):
        changes = {f.name: poison(getattr(value, f.name), strings) for f in fields(value)}
        return replace(value, **changes)
    if isinstance(value, tuple):
        return tuple(poison(item, strings) for item in value)
    return value


def poisoned(start: int) -> FleetBuilder:
    """The troubled fleet in which every text that came from outside is hostile."""
    builder = troubled()
    strings = cycle((*HOSTILE[start:], *HOSTILE[:start]))
    for key, reading in list(builder.readings.items()):
        problem = reading.problem
        if problem is not None:
            problem = Problem(ProblemKind.BAD_ANSWER, next(strings), next(strings), next(strings))
        good = reading.last_good
        builder.readings[key] = replace(
            reading,
            value=poison(reading.value, strings),
            problem=problem,
            source=next(strings),
            last_good=replace(good, value=poison(good.value, strings)) if good else None,
        )
    return builder


def rename(builder: FleetBuilder, name: str) -> FleetBuilder:
    """Names are the operator's own and are checked, but the screen does not rely on it."""
    fleet = builder.fleet
    hosts = {**fleet.hosts, name: replace(fleet.hosts["edge-1"], name=name)}
    for key, reading in list(builder.readings.items()):
        if key.target == "edge-1":
            builder.readings[Key(key.topic, name)] = reading
    return builder.configure(hosts=MappingProxyType(hosts), name=name)


def hostile_checks(snapshot: Snapshot) -> list[Finding]:
    """A finding with hostile words on everything."""
    strings = cycle(HOSTILE)
    targets = (
        *(("host", name) for name in snapshot.fleet.hosts),
        *(("node", name) for name in snapshot.fleet.nodes),
        ("orchestrator", "main"),
        ("signer", "redeemer"),
        ("rpc", "nitro"),
    )
    return [
        Finding(
            f"check-{number}",
            Severity.CRITICAL,
            subject,
            target,
            next(strings),
            (next(strings), next(strings)),
            next(strings),
        )
        for number, (subject, target) in enumerate(targets)
    ]


def drawn_well(console: Console) -> None:
    """Every line is printable and exactly as wide as the screen."""
    strips = console.app.screen._compositor.render_strips(console.app.size)
    for strip in strips:
        for segment in strip:
            assert segment.control or segment.text.isprintable(), repr(segment.text)
        assert sum(cell_len(segment.text) for segment in strip) == console.app.size.width


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_every_field_of_every_fact(size: tuple[int, int]) -> None:
    async with running(FleetBuilder(), size) as console:
        for start in range(0, len(HOSTILE), 5):
            builder = rename(poisoned(start), HOSTILE[start])
            assert console.app.feed is not None
            console.app.feed._checks = hostile_checks
            await console.publish(builder)
            drawn_well(console)
            for pane in range(1, 7):
                await console.press(str(pane), "z")
                drawn_well(console)
                await console.press("enter")
                drawn_well(console)
                await console.press("end", "escape", "escape")
            for page in ("e", "T"):
                await console.press(page)
                drawn_well(console)
                await console.press("end")
                drawn_well(console)
                await console.press("escape")
            await console.press("6", "a", "s", "c")
            drawn_well(console)
        assert console.app.is_running


async def test_the_palette_and_messages_draw_plain_text() -> None:
    async with running(rename(FleetBuilder(), HOSTILE[3])) as console:
        await console.press("ctrl+p", *"node")
        await console.until(lambda: "host in Hosts" in console.text(), "the row")
        assert "[@click=" in console.text()
        await console.press("escape")
        for text in HOSTILE:
            console.app.note(text, bad=True)
            console.app.say(text)
            console.app.notify(text, title=text, markup=True)
            await console.pilot.pause()
            drawn_well(console)


async def test_a_click_on_hostile_text_only_selects() -> None:
    async with running(rename(FleetBuilder(), HOSTILE[3])) as console:
        await console.press("6")
        pane = console.app.overview.focused_pane
        assert pane.select(f"host:{HOSTILE[3]}")
        await console.pilot.pause()
        place = next(i for i, line in enumerate(console.lines()) if "[@click=" in line[58:])
        await console.pilot.click(offset=(70, place))
        await asyncio.sleep(0)
        await console.pilot.pause()
        assert console.app.is_running
        assert pane.selected is not None
        assert pane.selected.key == f"host:{HOSTILE[3]}"
