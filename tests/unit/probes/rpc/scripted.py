"""An RPC endpoint that answers from a table and notes its batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lptui.clock import FrozenClock
from lptui.errors import RpcError
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.probes.probe import Asking
from lptui.transport.protocols import Call

NO_METHOD = RpcError("rpc", "Method not found", code=-32601)


@dataclass(slots=True)
class ScriptedRpc:
    """`answer` gives a call's result or its RpcError; `failure` fails the whole request."""

    answer: Callable[[Call], Any]
    name: str = "own"
    failure: Exception | None = None
    batches: list[list[Call]] = field(default_factory=list)

    async def batch(self, calls: Sequence[Call], deadline_s: float = 8.0) -> list[Any]:
        self.batches.append(list(calls))
        if self.failure is not None:
            raise self.failure
        return [self.answer(call) for call in calls]


@dataclass(slots=True)
class ScriptedReach:
    """Endpoints by name."""

    rpcs: Mapping[str, ScriptedRpc]

    def rpc(self, name: str) -> ScriptedRpc:
        return self.rpcs[name]


def asking(
    fleet: Fleet,
    rpcs: Sequence[ScriptedRpc],
    known: Mapping[Key, Any] | None = None,
    clock: FrozenClock | None = None,
) -> Asking:
    """What a probe needs, with earlier readings."""
    time = clock or FrozenClock()
    readings = {key: Reading(value, None, "", time.now()) for key, value in (known or {}).items()}
    reach: Any = ScriptedReach({rpc.name: rpc for rpc in rpcs})
    return Asking(fleet, reach, time, Snapshot(fleet, readings, time.now()), 5.0)
