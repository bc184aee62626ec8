"""One node on anvil's chain, a configuration of both, and lptui as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.devnet.chain import LPT, Devnet
from tests.devnet.livepeer import LivepeerNode, NodeFactory
from tests.forked import Console
from tests.waiting import until

CONFIG = """\
name: devnet
# However busy the machine is.
intervals: {{timeout: 20s}}
hosts:
  here: {{local: true}}
nodes:
  reward:
    host: here
    role: reward
    cli: {{url: "{node}", via: direct}}
    account: "{account}"
    rpc: chain
rpcs:
  chain: {{url: "{rpc}", via: direct}}
chain:
  network: devnet
  controller: "{controller}"
  chain_id: {chain_id}
  rpcs: [chain]
  orchestrators:
    main: {{address: "{account}", reward_caller: reward}}
"""


@dataclass
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Bench:
    """A devnet, a node on it that holds the registered key, and a configuration of both."""

    net: Devnet
    node: LivepeerNode
    account: str
    config: Path
    state: Path

    async def lptui(self, *words: str) -> Done:
        return await finished(await self.start(*words))

    async def start(self, *words: str, terminal: int | None = None) -> Console:
        return await asyncio.to_thread(
            Console,
            *("--headless", *words, "--config", str(self.config)),
            cwd=self.config.parent,
            environment=os.environ | {"LPTUI_STATE": str(self.state)},
            terminal=terminal,
        )

    async def asked(self, *words: str, answer: bytes = b"", number: int = 0) -> Done:
        """On a terminal: types the answer to the question, or sends a signal instead."""
        ours, theirs = pty.openpty()
        os.set_blocking(ours, False)
        seen = bytearray()

        def question() -> bool:
            with suppress(BlockingIOError):
                seen.extend(os.read(ours, 4096))
            return b"Type yes: " in seen

        process = await self.start(*words, terminal=theirs)
        try:
            await until(question, 30, "the question")
            if number:
                process.send_signal(number)
            os.write(ours, answer)
            return replace(await finished(process), err=seen.decode())
        finally:
            os.close(ours)
            os.close(theirs)

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Changes the configuration."""
        document = yaml.safe_load(self.config.read_text())
        change(document)
        self.config.write_text(yaml.safe_dump(document))

    def add_node(self, node: LivepeerNode, **more: Any) -> None:
        """A further node of the fleet, by its own name, account and recipient."""
        config = node.config
        entry = {
            "host": "here",
            "role": "reward",
            "cli": {"url": node.url, "via": "direct"},
            "account": config.account,
            "recipient": config.recipient,
            "rpc": "chain",
            **more,
        }
        kept = {key: value for key, value in entry.items() if value is not None}
        self.edit(lambda document: document["nodes"].update({config.name: kept}))

    def audit(self) -> list[Any]:
        path = self.state / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]


async def finished(console: Console) -> Done:
    code = await asyncio.to_thread(console.wait, 60)
    return Done(code, console.out, console.err)


async def a_bench(net: Devnet, livepeer_node: NodeFactory, folder: Path) -> Bench:
    """On a chain: a node with the key of a registered orchestrator, and its configuration."""
    account = net.accounts[1]
    await net.bond(account, 1000 * LPT)
    node = await livepeer_node(net, account=account, name="reward")
    config = folder / "lptui.yaml"
    config.write_text(
        CONFIG.format(
            node=node.url,
            account=account,
            rpc=net.url,
            controller=net.controller.address,
            chain_id=42161,
        )
    )
    return Bench(net, node, account, config, folder / "state")


@pytest.fixture
async def bench(devnet: Devnet, livepeer_node: NodeFactory, tmp_path: Path) -> AsyncIterator[Bench]:
    made = await a_bench(devnet, livepeer_node, tmp_path)
    yield made
    # What a console that was killed leaves behind, so that nobody calls too soon.
    for lock in Path("/tmp").glob(f"lptui-0x*-{made.node.port}.*"):
        shutil.rmtree(lock)
