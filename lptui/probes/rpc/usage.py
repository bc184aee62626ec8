"""How much each endpoint is asked, and how well it answers. Nobody is asked: transports count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lptui.fleet.facts.rpc import RpcUsage
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet
from lptui.probes.probe import Answer, Asking


@dataclass(frozen=True, slots=True)
class RpcUsageProbe:
    """The requests of each endpoint until now, over every way."""

    name: str = "rpc-usage"
    needs: tuple[str, ...] = ("rpc", "rpc-vantage", "chain", "chain-events")

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(fleet.rpcs)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.rpc

    def source(self, fleet: Fleet, target: str) -> str:
        return "counted by lptui since it was started"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(RpcUsage, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        return (Answer(Key(RpcUsage, target), asking.reach.rpc_usage(target)),)
