"""Logs are read in ranges as long as the endpoint gives, and never past a gap."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from lptui.clock import FrozenClock
from lptui.errors import DeadlineError, HttpError, ProblemKind, RpcError
from lptui.fleet.facts.chain import Contracts
from lptui.fleet.units import Address
from lptui.probes.chain.logs import Logs, Query
from lptui.probes.chain.scan import RANGES_AT_ONCE, REQUESTS, Scan
from lptui.transport.jsonrpc import rpc_error
from lptui.transport.protocols import Call
from tests.unit.probes.rpc.scripted import ScriptedRpc

WHO = Address("0x" + "01" * 20)
QUERY = Query(Contracts(WHO, WHO, WHO), (WHO,))


def span(call: Call) -> tuple[int, int]:
    (asked,) = call.params
    return int(asked["fromBlock"], 16), int(asked["toBlock"], 16)


def giving(blocks: int, text: str = "range too wide") -> ScriptedRpc:
    """An endpoint that gives logs of so many blocks at once."""

    def answer(call: Call) -> Any:
        first, last = span(call)
        return [] if last - first < blocks else RpcError("eth_getLogs", text, code=-32602)

    return ScriptedRpc(answer)


def scan(rpc: ScriptedRpc, window: int, **more: Any) -> Scan[Logs]:
    clock = FrozenClock()
    return Scan(rpc, QUERY, clock, clock.monotonic() + 5.0, window, **more)


def spans(rpc: ScriptedRpc) -> list[list[tuple[int, int]]]:
    return [[span(call) for call in batch] for batch in rpc.batches]


async def test_an_endpoint_without_limits_is_asked_once() -> None:
    rpc = giving(10**9)
    assert await scan(rpc, 10_000).down(9_999, 0) == 0
    assert spans(rpc) == [[(0, 9_999)]]


async def test_blocks_are_read_without_gap_or_overlap_in_both_directions() -> None:
    for direction in ("up", "down"):
        rpc = giving(1000)
        one = scan(rpc, 16_000)
        reached = await (one.up(0, 15_999) if direction == "up" else one.down(15_999, 0))
        assert reached == (15_999 if direction == "up" else 0)
        given = sorted(s for batch in spans(rpc) for s in batch if s[1] - s[0] < 1000)
        assert given[0][0] == 0
        assert given[-1][1] == 15_999
        assert all(a[1] + 1 == b[0] for a, b in itertools.pairwise(given))


async def test_many_ranges_go_together_only_once_one_of_that_length_was_given() -> None:
    rpc = giving(1000, "max 1000 blocks")
    await scan(rpc, 64_000).down(63_999, 0)
    assert [len(batch) for batch in spans(rpc)] == [1, 1, *[RANGES_AT_ONCE] * 3, 15]


async def test_a_refused_length_is_tried_alone_again() -> None:
    rpc = giving(1000, "max 1000 blocks")
    await scan(rpc, 2000, proven=True).down(63_999, 48_000)
    assert [len(batch) for batch in spans(rpc)] == [8, 1, 15]


async def test_one_cycle_has_so_many_requests() -> None:
    rpc = giving(250)
    one = scan(rpc, 250)
    reached = await one.down(10**9, 0)
    assert len(rpc.batches) == REQUESTS
    assert reached == 10**9 + 1 - 250 * (1 + RANGES_AT_ONCE * (REQUESTS - 1))
    assert one.failure is None


async def test_the_shortest_range_refused_is_the_end() -> None:
    one = scan(giving(0), 100_000)
    assert await one.down(99_999, 0) == 100_000
    assert isinstance(one.failure, RpcError)


async def test_what_was_given_before_a_gap_counts() -> None:
    def answer(call: Call) -> Any:
        gone = RpcError("eth_getLogs", "pruned history unavailable", code=-32000)
        return gone if span(call)[0] < 5000 else []

    one = scan(ScriptedRpc(answer), 1000)
    assert await one.down(9_999, 0) == 5000
    assert one.failure is not None


async def test_a_rate_limit_or_a_missing_method_ends_it_at_once() -> None:
    for error in (
        RpcError("eth_getLogs of own", "slow down", kind=ProblemKind.RATE_LIMITED, code=429),
        RpcError("eth_getLogs of own", "Method not found", code=-32601),
    ):
        rpc = ScriptedRpc(lambda call, error=error: error)  # type: ignore[misc]
        one = scan(rpc, 100_000)
        await one.down(99_999, 0)
        assert len(rpc.batches) == 1
        assert one.failure is error


@pytest.mark.parametrize(
    ("text", "is_range"),
    [
        ("query returned more than 10000 results. Try with this block range [0x1, 0x2]", True),
        ("block range is too wide", True),
        ("daily request count exceeded, request rate limited", False),
    ],
)
async def test_one_code_means_a_rate_limit_or_too_long_a_range(text: str, is_range: bool) -> None:
    rpc = ScriptedRpc(lambda call: rpc_error("x", {"code": -32005, "message": text}))
    one = scan(rpc, 100_000)
    await one.down(99_999, 0)
    assert one.refused is is_range
    assert (len(rpc.batches) > 1) is is_range


async def test_too_much_work_or_too_large_an_answer_is_a_matter_of_the_range() -> None:
    for failure in (
        DeadlineError("x", "no answer"),
        HttpError("x", "too large", status=413),
        HttpError("x", "too large", kind=ProblemKind.OUTPUT_TOO_LARGE),
    ):
        one = scan(ScriptedRpc(lambda call: [], failure=failure), 100_000)
        await one.down(99_999, 0)
        assert one.refused
    one = scan(ScriptedRpc(lambda call: [], failure=HttpError("x", "no", status=502)), 100_000)
    await one.down(99_999, 0)
    assert not one.refused
    assert one.failure is not None


async def test_garbage_is_no_logs_and_no_refusal() -> None:
    one = scan(ScriptedRpc(lambda call: {"logs": []}), 1000)
    assert await one.down(999, 0) == 1000
    assert one.failure is not None
    assert one.failure.kind is ProblemKind.BAD_ANSWER
