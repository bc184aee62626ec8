"""Asks each JSON-RPC endpoint, in one batch a cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from lptui.errors import LptuiError
from lptui.fleet.facts.rpc import RpcAbilities, RpcHead, SentTransactions
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Rpc
from lptui.fleet.units import L2Block
from lptui.probes.probe import Answer, Asking
from lptui.probes.rpc import abilities, parse
from lptui.transport.protocols import Call

ANCHOR_DEPTH: Final = 16
"""How far below the lowest head the compared block is at least: younger ones may change."""

ANCHOR_STEP: Final = 64
"""The compared height moves in such steps, so that endpoints asked at different moments agree
on it."""

MOST_FOLLOWED: Final = 8
"""Transactions that are asked for in one cycle."""

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
        calls = {call.method: call for call in _CALLS}
        height = anchor(asking, target)
        if height is not None or _may_compare(asking.fleet, target):
            # Until heights are known, what is final is the same for all who are asked at once.
            common = hex(height) if height is not None else "finalized"
            calls[parse.ANCHOR] = Call(parse.BLOCK, (common, False))
        known = _known(asking, target)
        mined = abilities.newest_mined(asking.latest)
        if known is None:
            calls |= _abilities(asking.fleet, target, mined)
        followed = followed_on(asking.latest, target)
        calls |= {f"{parse.TRANSACTION} {tx}": Call(parse.TRANSACTION, (tx,)) for tx in followed}
        started = asking.clock.monotonic()
        answers: list[Any] = await asking.reach.rpc(target).batch(
            list(calls.values()), asking.deadline_s
        )
        took = asking.clock.monotonic() - started
        results = dict(zip(calls, answers, strict=True))
        seen = [
            parse.parse_transaction(tx, results[f"{parse.TRANSACTION} {tx}"]) for tx in followed
        ]
        try:
            head = replace(
                parse.parse_head(results, took),
                abilities=known or abilities.parse(results, mined, asking.clock.now()),
                transactions=tuple(one for one in seen if one is not None),
            )
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
    now = asking.clock.now()
    advanced = head.head > before.head
    l1_advanced = (head.l1_block or 0) > (before.l1_block or 0)
    return replace(
        head,
        advanced_at=now if advanced else before.advanced_at,
        l1_advanced_at=now if l1_advanced else before.l1_advanced_at,
    )


def _known(asking: Asking, target: str) -> RpcAbilities | None:
    """What is known of an endpoint's abilities from not long ago."""
    reading = asking.latest.reading(RpcHead, target)
    before = reading.value or (reading.last_good.value if reading.last_good else None)
    known = before.abilities if before is not None else None
    is_due = known is None or asking.clock.now() - known.read_at >= asking.fleet.intervals.slow
    return None if is_due else known


def _abilities(fleet: Fleet, target: str, mined: str) -> dict[str, Call]:
    chain, chain_id = fleet.chain, fleet.rpcs[target].chain_id
    if chain is None or target not in chain.rpcs:
        return abilities.calls(chain_id or 0, "", "")
    return abilities.calls(chain.chain_id, chain.controller, mined)


def followed_on(snapshot: Snapshot, target: str) -> tuple[str, ...]:
    """The transactions that an endpoint of the contracts' chain is asked for."""
    chain = snapshot.fleet.chain
    if chain is None or target not in chain.rpcs:
        return ()
    reading = snapshot.reading(SentTransactions, chain.network)
    known = reading.value or (reading.last_good.value if reading.last_good else None)
    return tuple(item.hash for item in known.sent[:MOST_FOLLOWED]) if known is not None else ()


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


def _may_compare(fleet: Fleet, target: str) -> bool:
    """Whether another endpoint may serve the same chain."""
    own = _chain_id(fleet, target)
    others = (_chain_id(fleet, name) for name in fleet.rpcs if name != target)
    return any(other is None or own is None or other == own for other in others)


def _chain_id(fleet: Fleet, target: str) -> int | None:
    chain, own = fleet.chain, fleet.rpcs[target].chain_id
    return chain.chain_id if own is None and chain is not None and target in chain.rpcs else own


def where(rpc: Rpc) -> str:
    """An endpoint's address without its path and user: those may be secrets."""
    parts = urlsplit(rpc.url)
    if parts.scheme == "unix":
        place = parts.path
    else:
        port = f":{parts.port}" if parts.port else ""
        place = f"{parts.scheme}://{parts.hostname or ''}{port}"
    return f"{rpc.via}: {place}" if rpc.via else place
