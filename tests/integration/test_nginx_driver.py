"""Drain and undrain of a pool behind a real nginx, whose host is reached through a real sshd."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from tests.backend import Backend, backend
from tests.e2e.command import Operator, Outcome
from tests.nginx import Nginx, has_stream, nginx, program
from tests.sshd import Sshd, need, sshd
from tests.traffic import traffic

__all__ = ["sshd"]

SITE = "server { listen 127.0.0.1:@port@; location / { proxy_pass http://orch; } }"


@dataclass(slots=True)
class Edge:
    """Three servers behind an nginx, and the operator of all of it."""

    servers: Mapping[str, Backend]
    nginx: Nginx
    operator: Operator
    config: Path
    document: dict[str, Any]

    def write(self) -> None:
        self.config.write_text(yaml.safe_dump(self.document))

    async def lptui(self, *words: str) -> Outcome:
        argv = ("--config", str(self.config), "--headless", *words)
        return await asyncio.to_thread(self.operator.run, *argv, deadline_s=60.0)

    async def act(self, *words: str) -> tuple[int, Any]:
        """The exit code and the JSON of an action that is not asked about."""
        outcome = await self.lptui(*words, "--yes", "--format", "json")
        assert outcome.out, outcome.err
        return outcome.code, json.loads(outcome.out)

    def at(self, name: str, upstream: str = "orch") -> str:
        return f"lb:{upstream}/{self.servers[name].address}"


def document(sshd: Sshd, one: Nginx) -> dict[str, Any]:
    host = {
        "address": sshd.host,
        "port": sshd.port,
        "user": sshd.user,
        "identity": str(sshd.identity),
    }
    return {
        "name": "edge",
        "ssh": {"known_hosts": str(sshd.known_hosts), "config": []},
        "hosts": {"edge": host},
        "balancers": {"edge": {"kind": "nginx", "host": "edge", "config": str(one.config)}},
    }


@asynccontextmanager
async def edge(
    sshd: Sshd,
    folder: Path,
    http: str = "",
    stream: str = "",
    files: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Edge]:
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
        made = Edge(servers, one, Operator(folder), folder / "lptui.yaml", document(sshd, one))
        made.write()
        yield made


UPSTREAM = """
upstream orch { server @o1@ max_fails=3; server @o2@; # the second
  server @o3@; }
"""


@pytest.mark.parametrize("context", ["http", "stream"])
async def test_a_rolling_restart_costs_no_request(sshd: Sshd, tmp_path: Path, context: str) -> None:
    if context == "stream" and not has_stream():
        pytest.skip("no stream module")
    stream = UPSTREAM + "server { listen 127.0.0.1:@port@; proxy_pass orch; }"
    texts = (UPSTREAM + SITE, "") if context == "http" else ("", stream)
    async with edge(sshd, tmp_path, *texts) as pool:
        before = pool.nginx.config.read_bytes()
        async with traffic(pool.nginx.port) as clients:
            for name, server in pool.servers.items():
                code, told = await pool.act("drain", pool.at(name))
                assert (code, told["result"]["outcome"]) == (0, "done"), told
                assert name not in await clients.more()
                await server.stop()
                await clients.more()
                await server.start()
                code, told = await pool.act("undrain", pool.at(name))
                assert (code, told["result"]["outcome"]) == (0, "done"), told
                assert name in await clients.more()
        assert clients.failed == []
        assert clients.total > 300
        assert pool.nginx.config.read_bytes() == before
