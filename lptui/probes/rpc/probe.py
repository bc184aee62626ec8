"""Asks each JSON-RPC endpoint, in one batch a cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from lptui.errors import LptuiError
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet, Rpc
from lptui.fleet.units import L2Block
from lptui.probes.probe import Answer, Asking
from lptui.probes.rpc import parse
from lptui.transport.protocols import Call

ANCHOR_DEPTH: Final = 16
"""How far below the lowest head the compared block is at least: younger ones may change."""

ANCHOR_STEP: Final = 64
"""The compared height moves in such steps, so that endpoints asked at different moments agree
on it."""

_CALLS: Final = (
    Call(parse.CHAIN_ID),
    Call(parse.BLOCK, ("latest", False)),
    Call(parse.SYNCING),
    Call(parse.VERSION),
    Call(parse.PEERS),
    Call(parse.GAS_PRICE),
    Call(parse.POOL),
)


@dataclass(frozen=True, slots=True)
class RpcProbe:
    """The head, sync state, peers, pool and prices of each endpoint of the fleet."""

    name: str = "rpc"
    needs: tuple[str, ...] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(fleet.rpcs)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.rpc

    def source(self, fleet: Fleet, target: str) -> str:
        return f"json-rpc {target} ({where(fleet.rpcs[target])})"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(RpcHead, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        names = [call.method for call in _CALLS]
        calls = list(_CALLS)
        height = anchor(asking, target)
        if height is not None:
            names.append(parse.ANCHOR)
            calls.append(Call(parse.BLOCK, (hex(height), False)))
        started = asking.clock.monotonic()
        results: list[Any] = await asking.reach.rpc(target).batch(calls, asking.deadline_s)
        took = asking.clock.monotonic() - started
        try:
            head = parse.parse_head(dict(zip(names, results, strict=True)), took)
        except LptuiError as error:
            if target not in error.what:
                error.what = f"{target} {error.what}"
            error.remedy = error.remedy or "is it an execution client that answers? see its log"
            raise
        return (Answer(Key(RpcHead, target), moved(head, asking, target)),)


def moved(head: RpcHead, asking: Asking, target: str) -> RpcHead:
    """The reading with when the head last moved; None until it is seen to move."""
    reading = asking.latest.reading(RpcHead, target)
    before = reading.value or (reading.last_good.value if reading.last_good else None)
    if before is None:
        return head
    advanced = head.head > before.head
    return replace(head, advanced_at=asking.clock.now() if advanced else before.advanced_at)


def anchor(asking: Asking, target: str) -> L2Block | None:
    """A height at which the endpoints of one chain can be compared: all have it, none is
    likely to replace it. None with nobody to compare with."""
    heads = dict(asking.latest.all(RpcHead))
    own = heads[target].value if target in heads else None
    if own is None:
        return None
    same = [r.value.head for r in heads.values() if r.value and r.value.chain_id == own.chain_id]
    if len(same) < 2:
        return None
    lowest = (min(same) - ANCHOR_DEPTH) // ANCHOR_STEP * ANCHOR_STEP
    return L2Block(lowest) if lowest > 0 else None


def where(rpc: Rpc) -> str:
    """An endpoint's address without its path and user: those may be secrets."""
    parts = urlsplit(rpc.url)
    if parts.scheme == "unix":
        place = parts.path
    else:
        port = f":{parts.port}" if parts.port else ""
        place = f"{parts.scheme}://{parts.hostname or ''}{port}"
    return f"{rpc.via}: {place}" if rpc.via else place
