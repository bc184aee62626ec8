"""An RPC node as a unit on a host with a real systemd: a real anvil, restarted as the unit is.

Each start is that of a client that was away for long: its head is old and stands behind the
chain's, until it is caught up. What anvil cannot say of itself (that it is syncing) is said by a
front of it, which has nothing to say while the unit is stopped.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.devnet.anvil import ARBITRUM_ONE, FIRST_BLOCK, AnvilOptions, find_anvil, running_anvil
from tests.devnet.fixtures import require_anvil
from tests.devnet.httpd import HttpServer, Request, Response
from tests.devnet.rpc import Rpc
from tests.site import Site
from tests.systemd_hosts import SystemdHost

AWAY_S: Final = 300
"""How old its head is after a start."""

YOUNG_S: Final = 60
"""How old a head is that counts as fresh here: time for blocks that come all at once."""

BEHIND: Final = 30
"""Blocks by which the chain is ahead of it after a start."""

_IN_SYNC: Final = FIRST_BLOCK + BEHIND - 2
"""Its head then: short of the chain's by two, since the blocks of two anvils are not the same."""

THRESHOLDS: Final = {
    "head_age_warn": "100s",
    "head_age_critical": "200s",
    "head_lag_warn_blocks": 10,
    "head_lag_critical_blocks": 20,
}

_PROGRAM: Final = "/usr/local/bin/anvil"


@dataclass(slots=True)
class RpcNode:
    """A unit with an anvil. `looks` are batches answered for it; `syncing` is what it says then."""

    host: SystemdHost
    unit: str
    port: int
    syncing: Any = False
    looks: int = 0
    front: HttpServer = field(init=False)
    _rpc: Rpc = field(init=False)
    _http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.front = HttpServer(self._answer)
        self._rpc = Rpc(self.url)
        self._http = httpx.AsyncClient(timeout=20, verify=False, trust_env=False)

    @property
    def url(self) -> str:
        """The anvil itself, as hosts reach it too."""
        return f"http://{self.host.address}:{self.port}"

    def install(self) -> None:
        """Leaves the unit enabled and running."""
        program = find_anvil()
        assert program is not None
        there = self.host.root / _PROGRAM.lstrip("/")
        if not there.exists():
            shutil.copy(program, there)
        words = (
            f"{_PROGRAM} --host 0.0.0.0 --port {self.port} --chain-id {ARBITRUM_ONE}"
            f" --number {FIRST_BLOCK} --accounts 1 --timestamp"
        )
        start = f"exec {words} $$(($$(date +%%s)-{AWAY_S}))"
        text = f"[Service]\nExecStart=/bin/sh -c '{start}'\n[Install]\nWantedBy=multi-user.target\n"
        self.host.unit(self.unit, text, enabled=True)
        self.host.run("systemctl", "start", self.unit)

    def process(self) -> str:
        """The unit's invocation: another one after each start."""
        return self.host.property(self.unit, "InvocationID")

    async def becomes_young(self) -> None:
        """A new block, younger than the limits."""
        await self._rpc.call("evm_setTime", int(time.time()) - YOUNG_S)
        await self._rpc.call("evm_mine")

    async def catches_up(self) -> None:
        """As many blocks as it is behind."""
        head = int(await self._rpc.call("eth_blockNumber"), 16)
        await self._rpc.call("anvil_mine", hex(_IN_SYNC - head))

    async def is_behind(self) -> bool:
        """Whether it answers, and is not caught up."""
        head = await self.head()
        return head is not None and head < _IN_SYNC

    async def head(self) -> int | None:
        """The number of its newest block; None while it does not answer."""
        try:
            return int(await self._rpc.call("eth_blockNumber"), 16)
        except httpx.HTTPError:
            return None

    async def _answer(self, request: Request) -> Response | None:
        try:
            answered = await self._http.post(
                self.url, content=request.body, headers={"Content-Type": "application/json"}
            )
        except httpx.HTTPError:
            return None
        asked, told = json.loads(request.body), answered.json()
        if isinstance(asked, list):
            self.looks += 1
            ids = {one["id"] for one in asked if one["method"] == "eth_syncing"}
            for one in told:
                if one["id"] in ids and "result" in one:
                    one["result"] = self.syncing
        return Response(200, json.dumps(told).encode(), "application/json")

    async def close(self) -> None:
        await self.front.stop()
        await self._http.aclose()
        await self._rpc.aclose()


@asynccontextmanager
async def rpc_node(host: SystemdHost, unit: str, port: int) -> AsyncIterator[RpcNode]:
    """A unit with an anvil for the length of a block."""
    require_anvil()
    node = RpcNode(host, unit, port)
    await node.front.start()
    try:
        await asyncio.to_thread(node.install)
        yield node
    finally:
        await node.close()
        await asyncio.to_thread(host.remove_unit, unit)


@asynccontextmanager
async def chain() -> AsyncIterator[str]:
    """The URL of an endpoint beside it, whose head is as far as the chain is."""
    async with running_anvil(AnvilOptions(first_block=FIRST_BLOCK + BEHIND)) as anvil:
        yield anvil.url


def configure(site: Site, node: RpcNode, beside: str) -> None:
    """`main` is the endpoint that the node `rpc-1` serves; it is compared with `reference`."""
    common = {"via": "direct", "chain_id": ARBITRUM_ONE}
    site.document["rpcs"] = {
        "main": {"url": node.front.url, "node": "rpc-1", **common},
        "reference": {"url": beside, "reference": True, **common},
    }
    site.document["thresholds"] = dict(THRESHOLDS)
    site.document["nodes"]["rpc-1"] = {
        "host": node.host.name, "role": "rpc", "unit": node.unit, "rpc": "main"
    }  # fmt: skip
