"""Orchestrators where transcoders register, and that tell who is connected, as go-livepeer does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.devnet.livepeer import LivepeerNode, running_node
from tests.devnet.node.config import ConnectedTranscoder, NodeConfig
from tests.waiting import until

ELSEWHERE = ConnectedTranscoder("192.0.2.77:40000")
"""A transcoder that each orchestrator has besides."""


@dataclass
class Orchestrator:
    """A node, and where transcoders register; `closed`: it takes nobody."""

    node: LivepeerNode
    address: str = ""
    closed: bool = False
    refused: list[str] = field(default_factory=list)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def peers(self) -> list[str]:
        """Who is registered but for the other one."""
        return [one.address for one in self._list if one is not ELSEWHERE]

    @property
    def _list(self) -> list[ConnectedTranscoder]:
        assert self.node.config.transcoders is not None
        return self.node.config.transcoders

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("peername")[:2]
        one = ConnectedTranscoder(f"{host}:{port}")
        self._writers.add(writer)
        try:
            if self.closed:
                self.refused.append(one.address)
            else:
                self._list.append(one)
                await reader.read()
        except OSError:
            pass
        finally:
            if one in self._list:
                self._list.remove(one)
            self._writers.discard(writer)
            writer.close()

    async def cut(self) -> None:
        """Ends all connections."""
        for writer in self._writers:
            writer.transport.abort()
        await until(lambda: not self._writers)


@asynccontextmanager
async def orchestrator(name: str, host: str) -> AsyncIterator[Orchestrator]:
    """One for the length of a block; transcoders reach it on an address of this machine."""
    async with running_node(NodeConfig(name=name, transcoders=[ELSEWHERE])) as node:
        one = Orchestrator(node)
        server = await asyncio.start_server(one.serve, host, 0)
        one.address = f"{host}:{server.sockets[0].getsockname()[1]}"
        try:
            yield one
        finally:
            server.close()
            await one.cut()
