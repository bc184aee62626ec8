"""
The chain and its nodes as pytest fixtures.

A test module gets them by `pytest_plugins = ("tests.devnet.fixtures",)`, not by importing them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.devnet.anvil import Anvil, find_anvil, running_anvil
from tests.devnet.call_log import CallLog
from tests.devnet.chain import Devnet
from tests.devnet.deploy import deploy
from tests.devnet.livepeer import LivepeerNode, NodeConfig, NodeFactory, running_node


def require_anvil() -> None:
    """Skips the test without anvil, or fails it where real components are required."""
    if find_anvil() is not None:
        return
    reason = "anvil is not installed (run scripts/install-test-tools.sh)"
    if os.environ.get("LPTUI_REQUIRE_REAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
async def anvil() -> AsyncIterator[Anvil]:
    """An empty chain, mining a block for each transaction."""
    require_anvil()
    async with running_anvil() as chain:
        yield chain


@pytest.fixture
async def devnet(anvil: Anvil) -> AsyncIterator[Devnet]:
    """A chain with the protocol on it, its round initialised, nobody bonded."""
    net = await deploy(anvil)
    yield net
    await net.rpc.aclose()


@pytest.fixture
def call_log() -> CallLog:
    """The log that all nodes of a test share."""
    return CallLog()


@pytest.fixture
async def livepeer_node(call_log: CallLog) -> AsyncIterator[NodeFactory]:
    """
    Starts nodes: `await livepeer_node(net, role=…, account=…)`, or a ready `config=NodeConfig(…)`.

    A node without a chain (None) runs offchain.
    """
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            net: Devnet | None = None, config: NodeConfig | None = None, **fields: Any
        ) -> LivepeerNode:
            chosen = config or NodeConfig(**fields)
            return await stack.enter_async_context(running_node(chosen, net, call_log))

        yield start
