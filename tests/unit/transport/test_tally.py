"""What is counted of an endpoint's requests."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from lptui.errors import HttpError, ProblemKind, TransportError
from lptui.transport import jsonrpc
from lptui.transport.jsonrpc import BATCH_LIMIT, RpcEndpoint, loads
from lptui.transport.protocols import Call
from lptui.transport.tally import Tally


class Scripted:
    """An exchange that answers each call with null, or with `failure`."""

    def __init__(self, failure: TransportError | None = None, *, batches: bool = True) -> None:
        self.failure = failure
        self.batches = batches

    async def ask(self, payload: bytes, ids: Sequence[int], deadline_s: float) -> Any:
        if self.failure is not None:
            raise self.failure
        asked = loads(payload, "test")
        if isinstance(asked, list) and not self.batches:
            return {"id": None, "error": {"code": -32600, "message": "batch not supported"}}
        answers = [{"id": number, "result": None} for number in ids]
        return answers if isinstance(asked, list) else answers[0]

    async def close(self) -> None:
        return


def endpoint(exchange: Scripted) -> RpcEndpoint:
    return RpcEndpoint("own", exchange, Tally("orch-1"))


LOGS = Call("eth_getLogs", ({},))
HEAD = Call("eth_blockNumber")


async def test_a_batch_is_one_request_however_many_calls_are_in_it() -> None:
    own = endpoint(Scripted())
    await own.batch([HEAD, LOGS, LOGS])
    await own.batch([HEAD])
    read = own.tally.read()
    assert (read.host, read.requests, read.calls, read.log_queries) == ("orch-1", 2, 4, 2)
    assert (read.failed, read.recent, read.recent_failed) == (0, 2, 0)
    assert read.median_s is not None
    assert read.slow_s is not None
    assert 0 <= read.median_s <= read.slow_s


async def test_more_calls_than_a_batch_takes_are_more_requests() -> None:
    own = endpoint(Scripted())
    await own.batch([HEAD] * (BATCH_LIMIT + 1))
    assert own.tally.read().requests == 2


async def test_calls_of_a_refused_batch_are_requests_of_their_own() -> None:
    own = endpoint(Scripted(batches=False))
    await own.batch([HEAD, HEAD, LOGS])
    assert own.tally.read().requests == 1 + 3


@pytest.mark.parametrize(
    ("kind", "limited"), [(ProblemKind.RATE_LIMITED, 1), (ProblemKind.TIMEOUT, 0)]
)
async def test_a_request_without_an_answer_has_failed(kind: ProblemKind, limited: int) -> None:
    own = endpoint(Scripted(HttpError("own", "slow down", kind=kind, status=429)))
    with pytest.raises(TransportError):
        await own.batch([HEAD])
    read = own.tally.read()
    assert (read.requests, read.failed, read.limited, read.recent_failed) == (1, 1, limited, 1)
    assert read.median_s is None
    assert "slow down" in read.last_failure


def test_nothing_asked_is_no_time_and_no_failure() -> None:
    read = Tally().read()
    assert (read.requests, read.recent, read.median_s) == (0, 0, None)


async def test_a_rest_that_was_asked_for_costs_no_request_and_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(jsonrpc, "time", SimpleNamespace(monotonic=lambda: now[0]))
    kind = ProblemKind.RATE_LIMITED
    exchange = Scripted(HttpError("own", "slow down", kind=kind, status=429, retry_after_s=1e9))
    own = endpoint(exchange)
    for _ in range(3):
        with pytest.raises(HttpError):
            await own.batch([HEAD, LOGS])
    assert own.tally.read().requests == 1
    exchange.failure = None
    now[0] += jsonrpc.LONGEST_REST_S
    assert await own.batch([HEAD, LOGS]) == [None, None]
