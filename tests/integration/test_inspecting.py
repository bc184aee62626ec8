"""Asking nodes from the screen, through a real sshd: answers of all kinds, and none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.command import CommandPalette

from lptui import live
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.snapshot import Snapshot
from lptui.live import LiveSession
from lptui.tui.app import LptuiApp
from lptui.tui.screens.inspect import InspectScreen
from tests.devnet.livepeer import running_node
from tests.devnet.node.config import NodeConfig
from tests.live_console import LiveConsole
from tests.rawserver import http_server, ok
from tests.sshd import Sshd, sshd, start_sshd

__all__ = ["sshd"]


def odd(request: bytes) -> bytes:
    """A node that answers in no way that is promised."""
    path = request.split(b" ")[1]
    if path == b"/getLogLevel":
        return b""
    body = {
        b"/metrics": b"x" * 5_000_000,
        b"/status": b'{"Version": "\x1b[2J", ',
        b"/localStreams": b"\x00\x1b]0;evil\x07[red]",
    }.get(path, b"")
    return ok(body, "text/plain")


def lost(snapshot: Snapshot | None) -> bool:
    return snapshot is not None and snapshot.reading(HostVitals, "edge").problem is not None


class Screen(LiveConsole):
    """A live console, at the page of a route."""

    async def asks(self, node: str, route: str) -> None:
        pane = self.app.overview.panes[5]
        await self.until(lambda: pane.select(f"unit:{node}"), "its row")
        await self.pilot.press("6", "ctrl+p", *"route of its CLI")
        await self.shows("that only reads")
        await self.pilot.press("enter")
        await self.another(route)

    async def another(self, route: str) -> None:
        await self.shows("only routes that read")
        await self.pilot.press(*route)
        await self.until(lambda: self.text().count(route) > 1, route)
        await self.pilot.press("enter")
        await self.until(lambda: not isinstance(self.app.screen, CommandPalette), "the page")
        await self.until(lambda: isinstance(self.app.screen, InspectScreen), "the page")
        await self.shows(f" {route} ")


@asynccontextmanager
async def console(sshd: Sshd, folder: Path, **urls: str) -> AsyncIterator[Screen]:
    host = {"address": sshd.host, "port": sshd.port, "user": sshd.user}
    nodes = {
        name: {"host": "edge", "roles": ["orchestrator"], "unit": name, "cli": {"url": url}}
        for name, url in urls.items()
    }
    fleet = {
        "name": "here",
        "ssh": {"known_hosts": str(sshd.known_hosts), "config": []},
        "hosts": {"edge": host | {"identity": str(sshd.identity)}},
        "nodes": nodes,
    }
    path = folder / "lptui.yaml"
    path.write_text(json.dumps(fleet))
    app = LptuiApp(LiveSession(config=path, read_only=True))
    async with app.run_test(size=(120, 40)) as pilot:
        yield Screen(app, pilot)
        await app.session.close()


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LPTUI_STATE", str(tmp_path / "state"))


@pytest.fixture
def own_sshd(tmp_path: Path) -> Iterator[Sshd]:
    """One that is stopped."""
    server = start_sshd(tmp_path / "sshd")
    yield server
    server.stop()


async def test_a_node_answers_until_it_and_its_host_are_gone(
    own_sshd: Sshd, tmp_path: Path
) -> None:
    async with (
        running_node(NodeConfig()) as node,
        console(own_sshd, tmp_path, orch=node.url) as screen,
    ):
        await screen.asks("orch", "/status")
        await screen.shows('"Version": "0.9.1"')
        await screen.shows("HTTP 200")
        await screen.pilot.press("n")
        await screen.another("/getBroadcastConfig")
        await screen.shows("HTTP 404")
        await screen.shows("no such route: an older version")
        await screen.pilot.press("n")
        await screen.another("/EthChainID")
        await screen.shows("HTTP 200")
        await node.stop()
        await screen.pilot.press("r")
        await screen.shows("NO ANSWER   before that:   HTTP 200")
        await screen.shows(" ! orch ")
        own_sshd.stop()
        await screen.until(lambda: screen.app.feed and lost(screen.app.feed.snapshot), "its host")
        await screen.pilot.press("r")
        await screen.shows("SSH to edge")
        await screen.shows("NO ANSWER   before that:   HTTP 200")


async def test_what_no_node_should_answer_is_named_and_harms_nobody(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "INSPECT_S", 2.0)
    async with (
        http_server(odd) as server,
        console(sshd, tmp_path, odd=f"http://127.0.0.1:{server.port}") as screen,
    ):
        await screen.asks("odd", "/status")
        await screen.shows("begins like JSON and is shown as text")
        await screen.shows('{"Version": "",')
        for route, said in (
            ("/metrics", "the answer is larger than 4194304 bytes"),
            ("/localStreams", "[red]"),
            ("/getLogLevel", "no answer within 2 s"),
        ):
            await screen.pilot.press("n")
            await screen.another(route)
            await screen.shows(said)
            assert not any(char in screen.text() for char in "\x1b\x07\x00")
        await screen.shows("lptui --headless get odd /getLogLevel --timeout S")
        asked = {request.split(b" ")[1] for request in server.requests}
        assert b"/reward" not in asked
