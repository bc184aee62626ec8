"""One batch an endpoint and cycle; what one cycle tells the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lptui.clock import FrozenClock
from lptui.errors import BadAnswerError, DeadlineError
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet, Rpc
from lptui.fleet.units import L2Block
from lptui.probes.rpc import PROBES
from lptui.probes.rpc.probe import RpcProbe
from lptui.transport.protocols import Call
from tests.unit.probes.rpc.scripted import ScriptedRpc, asking
from tests.unit.probes.rpc.test_head import BLOCK, RESULTS

FLEET = Fleet(
    "f",
    rpcs={
        "own": Rpc("own", "http://user:secret@192.0.2.1:8547/v2/key", "edge-1"),
        "reference": Rpc("reference", "https://rpc.example.com/v2/key", None, reference=True),
        "ipc": Rpc("ipc", "unix:///run/geth.ipc", "edge-1"),
    },
)
PROBE = RpcProbe()


def answers(changes: Mapping[str, Any] | None = None) -> Any:
    table = {**RESULTS, "eth_getLogs": [], "eth_getBalance": "0x1", **(changes or {})}

    def answer(call: Call) -> Any:
        if call.method == "eth_getBlockByNumber" and call.params[0] != "latest":
            number = hex(460_000_000) if call.params[0] == "finalized" else call.params[0]
            return {"number": number, "hash": "0x" + "cd" * 32}
        return table[call.method]

    return answer


BESIDES = ["eth_getBlockByNumber", "eth_getLogs", "eth_getBalance"]
"""Asked along with the head: a block that all must have, and at a slow pace what else it gives."""


async def read(own: ScriptedRpc, known: dict[Key, Any], clock: FrozenClock) -> RpcHead:
    (answer,) = await PROBE.ask(asking(FLEET, [own], known, clock), "own")
    assert answer.key == Key(RpcHead, "own")
    head: RpcHead = answer.value
    return head


def test_every_endpoint_is_asked() -> None:
    probe = PROBES[0]
    assert probe.targets(FLEET) == ("own", "reference", "ipc")
    assert probe.interval_s(FLEET, "own") == 4.0
    assert probe.keys(FLEET, "own") == (Key(RpcHead, "own"),)


def test_no_source_shows_a_key_that_is_part_of_an_address() -> None:
    assert PROBE.source(FLEET, "own") == "json-rpc own (edge-1: http://192.0.2.1:8547)"
    assert PROBE.source(FLEET, "reference") == "json-rpc reference (https://rpc.example.com)"
    assert PROBE.source(FLEET, "ipc") == "json-rpc ipc (edge-1: /run/geth.ipc)"


async def test_a_cycle_is_one_batch() -> None:
    own = ScriptedRpc(answers())
    await read(own, {}, FrozenClock())
    assert [[call.method for call in batch] for batch in own.batches] == [[*RESULTS, *BESIDES]]


async def test_the_head_is_seen_to_move() -> None:
    clock = FrozenClock()
    first = await read(ScriptedRpc(answers()), {}, clock)
    assert first.advanced_at is None
    clock.advance(4)
    stalled = await read(ScriptedRpc(answers()), {Key(RpcHead, "own"): first}, clock)
    assert stalled.advanced_at is None
    moved_block = {**BLOCK, "number": hex(460_000_139)}
    next_one = ScriptedRpc(answers({"eth_getBlockByNumber": moved_block}))
    moved = await read(next_one, {Key(RpcHead, "own"): stalled}, clock)
    assert moved.advanced_at == clock.now()
    at = clock.now()
    clock.advance(4)
    still = await read(next_one, {Key(RpcHead, "own"): moved}, clock)
    assert still.advanced_at == at


async def test_endpoints_of_one_chain_are_asked_for_the_same_block() -> None:
    own = await read(ScriptedRpc(answers()), {}, FrozenClock())
    ahead = replace(own, head=L2Block(460_000_400))
    known = {Key(RpcHead, "own"): own, Key(RpcHead, "reference"): ahead}
    heights = []
    for name in ("own", "reference"):
        rpc = ScriptedRpc(answers(), name)
        (answer,) = await PROBE.ask(asking(FLEET, [rpc], known), name)
        assert answer.value.anchor_hash == "0x" + "cd" * 32
        heights.append(answer.value.anchor)
    assert heights == [460_000_064, 460_000_064]


async def test_at_first_what_is_final_is_compared() -> None:
    own = ScriptedRpc(answers())
    assert (await read(own, {}, FrozenClock())).anchor == 460_000_000
    assert own.batches[0][len(RESULTS)].params == ("finalized", False)


async def test_a_single_endpoint_of_a_chain_is_not_asked_for_a_block_to_compare() -> None:
    rpcs = {"own": Rpc("own", "http://192.0.2.1", None, chain_id=42161)}
    rpcs |= {"geth": Rpc("geth", "http://192.0.2.2", None, chain_id=1)}
    own = ScriptedRpc(answers())
    (answer,) = await PROBE.ask(asking(replace(FLEET, rpcs=rpcs), [own]), "own")
    assert answer.value.anchor is None
    assert [call.method for call in own.batches[0]].count("eth_getBlockByNumber") == 1


async def test_another_chains_height_is_not_asked_for() -> None:
    first = await read(ScriptedRpc(answers()), {}, FrozenClock())
    known = {Key(RpcHead, "own"): first, Key(RpcHead, "reference"): replace(first, chain_id=1)}
    own = ScriptedRpc(answers())
    await read(own, known, FrozenClock())
    assert [call.params[0] for call in own.batches[0] if call.params[1:] == (False,)] == [
        "latest",
        "finalized",
    ]


async def test_failures_name_the_endpoint() -> None:
    with pytest.raises(DeadlineError, match="no answer"):
        await read(
            ScriptedRpc(answers(), failure=DeadlineError("x", "no answer")), {}, FrozenClock()
        )
    with pytest.raises(BadAnswerError) as caught:
        await read(ScriptedRpc(answers({"eth_chainId": "<html>"})), {}, FrozenClock())
    assert caught.value.problem().what == "own eth_chainId"
