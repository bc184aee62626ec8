"""A pool of real servers behind a real nginx, reached through a real sshd, and its operator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from lptui.actions.plan import Plan, Request, Result
from lptui.actions.registry import action
from lptui.session import Session, Source
from tests.backend import Backend, backend
from tests.e2e.command import Operator, Outcome
from tests.nginx import Nginx, nginx, program
from tests.sshd import Sshd, need

UPSTREAM = "upstream orch { server @o1@; server @o2@; server @o3@; }"
SITE = "server { listen 127.0.0.1:@port@; location / { proxy_pass http://orch; } }"


@dataclass(slots=True)
class Console:
    """An opened console of the pool's operator."""

    session: Session
    said: list[str] = field(default_factory=list)

    async def plan(self, name: str, *targets: str, **options: str) -> Plan:
        one = action(name)
        assert one is not None
        snapshot = await self.session.observe(one.spec.probes)
        request = Request(targets, tuple(options.items()))
        return self.session.runner.plan(one, snapshot, request)

    async def act(self, name: str, *targets: str, **options: str) -> Result:
        """Plans and runs it, unasked."""
        plan = await self.plan(name, *targets, **options)
        one = action(name)
        assert one is not None
        return await self.session.runner.run(one, plan, self.said.append)


@dataclass(slots=True)
class NginxPool:
    """Servers `o1`, `o2` and `o3` of upstream `orch`."""

    servers: Mapping[str, Backend]
    nginx: Nginx
    operator: Operator
    config: Path
    document: dict[str, Any]

    def write(self) -> None:
        """The document as the configuration."""
        self.config.write_text(yaml.safe_dump(self.document))

    async def lptui(self, *words: str) -> Outcome:
        """`lptui --headless WORDS…` as the operator; the loop goes on meanwhile."""
        argv = ("--config", str(self.config), "--headless", *words)
        return await asyncio.to_thread(self.operator.run, *argv, deadline_s=60.0)

    async def act(self, *words: str) -> tuple[int, Any]:
        """The exit code and the JSON of an action that is not asked about."""
        outcome = await self.lptui(*words, "--yes", "--format", "json")
        assert outcome.out, outcome.err
        return outcome.code, json.loads(outcome.out)

    @asynccontextmanager
    async def console(self) -> AsyncIterator[Console]:
        """The same in this process; the state folder is the one of the environment."""
        session = await Session.open(Source(config=self.config))
        try:
            yield Console(session)
        finally:
            await session.close()

    def at(self, name: str, upstream: str = "orch") -> str:
        """A server as a target."""
        return f"lb:{upstream}/{self.servers[name].address}"

    async def answers(self, requests: int = 12) -> set[bytes]:
        """Who answers."""
        return {(await self.nginx.get()).rpartition(b"\r\n")[2] for _ in range(requests)}


def document(sshd: Sshd, one: Nginx) -> dict[str, Any]:
    """A configuration of one host with an nginx on it."""
    host = {
        "address": sshd.host,
        "port": sshd.port,
        "user": sshd.user,
        "identity": str(sshd.identity),
    }
    return {
        "name": f"nginx-{one.port}",  # its lock lies where all runs of the tests see it
        "ssh": {"known_hosts": str(sshd.known_hosts), "config": []},
        "hosts": {"edge": host},
        "balancers": {"edge": {"kind": "nginx", "host": "edge", "config": str(one.config)}},
    }


@asynccontextmanager
async def nginx_pool(
    sshd: Sshd,
    folder: Path,
    http: str = UPSTREAM + SITE,
    stream: str = "",
    files: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[NginxPool]:
    """The pool for the length of a block. `@o1@` in the texts is the first server's address."""
    need(program(), "nginx")
    async with AsyncExitStack() as stack:
        servers = {
            name: await stack.enter_async_context(backend(name)) for name in ("o1", "o2", "o3")
        }

        def filled(text: str) -> str:
            for name, one in servers.items():
                text = text.replace(f"@{name}@", one.address)
            return text

        texts = {name: filled(text) for name, text in files.items()}
        one = await stack.enter_async_context(nginx(filled(http), filled(stream), texts))
        made = NginxPool(servers, one, Operator(folder), folder / "lptui.yaml", document(sshd, one))
        made.write()
        yield made
