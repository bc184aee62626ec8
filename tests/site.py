"""Two hosts with a real systemd as the fleet of an operator, and units of the stand-in on them."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.command import Operator, Outcome
from tests.sshd import Sshd
from tests.systemd_hosts import SystemdHost


@dataclass
class Site:
    """Two hosts with a systemd, and the operator who has them in a configuration."""

    h1: SystemdHost
    h2: SystemdHost
    operator: Operator
    document: dict[str, Any]

    @property
    def config(self) -> Path:
        return self.operator.home / "lptui.yaml"

    def write(self) -> None:
        """The document as the configuration."""
        self.config.write_text(yaml.safe_dump(self.document))

    async def lptui(self, *words: str, deadline_s: float = 90.0) -> Outcome:
        self.write()
        argv = ("--config", str(self.config), "--headless", *words)
        return await asyncio.to_thread(self.operator.run, *argv, deadline_s=deadline_s)

    async def act(self, *words: str) -> tuple[int, Any]:
        outcome = await self.lptui(*words, "--yes", "--format", "json")
        assert outcome.out, outcome.err
        return outcome.code, json.loads(outcome.out)

    def edge(self, sshd: Sshd, socket: str, servers: dict[str, str]) -> None:
        """A HAProxy on a host of its own; `servers` are those of nodes."""
        known = Path(self.document["ssh"]["known_hosts"])
        known.write_text(known.read_text() + sshd.known_hosts.read_text())
        self.document["hosts"]["edge"] = {
            "address": sshd.host,
            "port": sshd.port,
            "user": sshd.user,
            "identity": str(sshd.identity),
        }
        self.document["balancers"] = {
            "edge": {"kind": "haproxy", "host": "edge", "socket": socket, "servers": servers}
        }

    def node(self, name: str, host: str, role: str, unit: str, port: int, **more: Any) -> None:
        self.document["nodes"][name] = {
            "host": host, "role": role, "unit": unit, "cli": f"127.0.0.1:{port}", **more
        }  # fmt: skip


def two_hosts(h1: SystemdHost, h2: SystemdHost, folder: Path) -> Site:
    """They and nothing else; `folder` is the operator's home. Their login may do all as root."""
    for host in (h1, h2):
        host.sudoers("NOPASSWD: ALL")
    hosts = {
        host.name: {"address": host.address, "user": "ops", "identity": str(host.identity)}
        for host in (h1, h2)
    }
    known = folder / "known_hosts"
    known.write_text(h1.known_hosts.read_text() + h2.known_hosts.read_text())
    document: dict[str, Any] = {
        "name": f"site-{secrets.token_hex(4)}",
        "ssh": {"known_hosts": str(known), "config": []},
        "hosts": hosts,
        "nodes": {},
        "intervals": {"timeout": "4s"},
    }
    return Site(h1, h2, Operator(folder), document)


def unit(*flags: str, extra: str = "") -> str:
    """A unit of the stand-in for go-livepeer."""
    return (
        "[Unit]\nStartLimitIntervalSec=0\n"
        f"[Service]\nExecStart=/usr/local/bin/livepeer {' '.join(flags)}\n"
        f"Restart=always\nRestartSec=100ms\n{extra}"
        "[Install]\nWantedBy=multi-user.target\n"
    )


@contextmanager
def installed(host: SystemdHost, name: str, text: str, *, start: bool = True) -> Iterator[None]:
    """A unit on a host for the length of a block, enabled and started unless it stands by."""
    host.unit(name, text, enabled=start)
    if start:
        host.run("systemctl", "start", name)
    try:
        yield
    finally:
        host.remove_unit(name)
