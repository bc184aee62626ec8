"""A pool of real servers behind a real HAProxy, reached through a real sshd, and its operator."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.backend import Backend, backend
from tests.e2e.command import Operator, Outcome
from tests.haproxy import CHECKED, Haproxy, haproxy
from tests.ports import free_port
from tests.sshd import Sshd


@dataclass(slots=True)
class Pool:
    """Servers `o1`, `o2`, … of backend `web`; those in `backups` are its backups."""

    servers: dict[str, Backend]
    haproxy: Haproxy
    operator: Operator
    config: Path
    long_port: int
    document: dict[str, Any]
    said: str = ""

    async def lptui(self, *words: str, deadline_s: float = 60.0) -> Outcome:
        """`lptui --headless WORDS…` as the operator; the loop goes on meanwhile."""
        argv = ("--config", str(self.config), "--headless", *words)
        return await asyncio.to_thread(self.operator.run, *argv, deadline_s=deadline_s)

    async def act(self, *words: str) -> tuple[int, Any]:
        """The exit code and the JSON of an action that is not asked about."""
        outcome = await self.lptui(*words, "--yes", "--format", "json")
        assert outcome.out, outcome.err
        self.said = outcome.err
        return outcome.code, json.loads(outcome.out)

    @asynccontextmanager
    async def held_session(self) -> AsyncIterator[tuple[str, Callable[[], bool]]]:
        """A connection of the TCP backend `long` that does not end by itself.

        Gives the server that has it, and whether it was closed by the other side.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.long_port)
        try:
            async with asyncio.timeout(30):
                while not (has := await self._with_session()):  # noqa: ASYNC110 (HAProxy's state)
                    await asyncio.sleep(0.02)
            yield has, reader.at_eof
        finally:
            writer.close()

    async def _with_session(self) -> str:
        for name in self.servers:
            if await self.haproxy.figure(f"long/{name}", "scur") == "1":
                return name
        return ""

    def write(self) -> None:
        """The document as the configuration."""
        self.config.write_text(yaml.safe_dump(self.document))


def document(sshd: Sshd, socket: str) -> dict[str, Any]:
    """A configuration of one host with a HAProxy on it."""
    return {
        "name": f"pool-{secrets.token_hex(4)}",  # other runs of the tests have theirs in /tmp
        "ssh": {"known_hosts": str(sshd.known_hosts), "config": []},
        "hosts": {
            "edge": {
                "address": sshd.host,
                "port": sshd.port,
                "user": sshd.user,
                "identity": str(sshd.identity),
            }
        },
        "balancers": {"edge": {"kind": "haproxy", "host": "edge", "socket": socket}},
    }


@asynccontextmanager
async def pool(
    sshd: Sshd,
    folder: Path,
    names: Sequence[str] = ("o1", "o2", "o3"),
    backups: Sequence[str] = (),
    more: str = "",
) -> AsyncIterator[Pool]:
    """The pool for the length of a block. `more` is further configuration of HAProxy."""
    async with AsyncExitStack() as stack:
        servers = {
            name: await stack.enter_async_context(backend(name)) for name in (*names, *backups)
        }
        lines = [
            f"{name} {one.address} {CHECKED}{' backup' if name in backups else ''}"
            for name, one in servers.items()
        ]
        long_port = free_port()
        more += f"\nlisten long\n    mode tcp\n    bind 127.0.0.1:{long_port}\n"
        more += "    timeout client 1h\n    timeout server 1h\n"  # silence does not end a session
        more += "".join(f"    server {line}\n" for line in lines)
        balancer = await stack.enter_async_context(haproxy(lines, more))
        for name in servers:
            await balancer.until_status(f"web/{name}", "UP")
        made = Pool(
            servers,
            balancer,
            Operator(folder),
            folder / "lptui.yaml",
            long_port,
            document(sshd, balancer.socket),
        )
        made.write()
        yield made
