"""Asking the chain's RPC endpoints: labelled batches, and the next endpoint when one fails."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, Final, TypeVar

from lptui.errors import BadAnswerError, LptuiError, ProblemKind, RpcError, TransportError
from lptui.probes.chain import codec
from lptui.probes.probe import Asking
from lptui.transport.protocols import Call, JsonRpc

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

_REVERTED: Final = re.compile(r"\brevert", re.IGNORECASE)


class WrongChainError(TransportError):
    """An endpoint serves another chain than the configured one; nothing of it is believed."""

    kind = ProblemKind.WRONG_CHAIN


async def ask(rpc: JsonRpc, calls: Sequence[Call], deadline_s: float) -> list[Any]:
    """All calls at once; for each its result, or its RpcError as a value.

    What comes back can be decoded without a wait. Raises TransportError when there is no answer
    at all.
    """
    await codec.load()
    return await rpc.batch(calls, deadline_s)


async def batch(rpc: JsonRpc, calls: Mapping[K, Call], deadline_s: float) -> dict[K, Any]:
    """`ask` with a label on each call."""
    return dict(zip(calls, await ask(rpc, list(calls.values()), deadline_s), strict=True))


def is_revert(error: RpcError) -> bool:
    """The contract refused, as opposed to an endpoint that could not say.

    Code 3 comes with the contract's reason; without one geth says only -32000 and the word.
    """
    return (
        error.kind is ProblemKind.REVERTED
        or error.code == 3
        or (_REVERTED.search(error.why or error.what) is not None)
    )


async def first_answer(
    asking: Asking,
    names: Sequence[str],
    ask: Callable[[str, float], Awaitable[T]],
    end: float,
    too_old: Callable[[T], float] = lambda _: 0.0,
) -> T:
    """What the first endpoint that works says; `ask` gets its name and the seconds it has.

    `end` is on the monotonic clock. An endpoint that hangs leaves time for those after it. One
    that tells of the past (`too_old` in seconds, 0 for not) has its say only when no other knows
    better. Raises the first failure, a wrong chain before all others.
    """
    failures: list[LptuiError] = []
    past: list[tuple[float, T]] = []
    for index, name in enumerate(names):
        seconds = (end - asking.clock.monotonic()) / (len(names) - index)
        if seconds <= 0:
            break
        try:
            found = await ask(name, seconds)
        except (TransportError, BadAnswerError) as error:
            failures.append(error)
            continue
        age = too_old(found)
        if not age:
            return found
        past.append((age, found))
    if past:
        return min(past, key=lambda answer: answer[0])[1]
    if not failures:
        raise TransportError("chain", "no endpoint is left to ask", kind=ProblemKind.TIMEOUT)
    failure = next((e for e in failures if isinstance(e, WrongChainError)), failures[0])
    # Of a wrong Controller all endpoints say the same.
    others = dict.fromkeys(str(error) for error in failures if str(error) != str(failure))
    if others:
        failure.why = f"{failure.why} (and {'; '.join(others)})"
    if not failure.remedy or failure.kind is ProblemKind.RPC_ERROR:
        # What an endpoint cannot execute may be no fault of its own.
        failure.remedy = "see the RPC endpoints' logs, and check chain.controller"
    raise failure
