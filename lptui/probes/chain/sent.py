"""Follows the fleet's transactions that are not settled, by their hashes. It asks nobody: hashes
come from the endpoints' pools and from what lptui was told when it sent something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lptui.fleet.facts.chain import ChainRound, PooledTransaction, SignerAccount
from lptui.fleet.facts.rpc import RpcHead, SentTransaction, SentTransactions, TransactionState
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.fleet.units import Address
from lptui.probes.chain.probe import past, the_chain
from lptui.probes.probe import Answer, Asking

LONGEST_S: Final = 86_400.0
"""A transaction that nobody heard of for a day is given up: its node has sent others since."""

MOST: Final = 8
"""Transactions that are followed at once: the newest."""

MOST_SETTLED: Final = 64


@dataclass(frozen=True, slots=True)
class SentTransactionsProbe:
    """What the fleet has sent and is not known to be mined."""

    name: str = "sent-transactions"
    needs: tuple[str, ...] = ("chain", "rpc")

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return (fleet.chain.network,) if fleet.chain is not None and fleet.chain.rpcs else ()

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.rpc

    def source(self, fleet: Fleet, target: str) -> str:
        return "pools of the RPC endpoints, and what lptui has sent"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(SentTransactions, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        before: SentTransactions = (
            past(asking.latest.reading(SentTransactions, target)) or SentTransactions()
        )
        now = asking.clock.now()
        return [Answer(Key(SentTransactions, target), followed(asking.latest, before, now))]


def followed(snapshot: Snapshot, before: SentTransactions, now: float) -> SentTransactions:
    """The transactions that are not settled, oldest first."""
    known = {item.hash: item for item in before.sent}
    accounts = {address: past(reading) for address, reading in snapshot.all(SignerAccount)}
    for address, account in accounts.items():
        for pooled in (account.pool or ()) if account is not None else ():
            told = known.get(pooled.hash) or _new(snapshot, pooled, now)
            known[pooled.hash] = replace(
                told, sender=Address(address), nonce=pooled.nonce, pooled_at=now
            )
    states = states_of(snapshot)
    kept, settled = [], dict.fromkeys(before.settled)
    for item in known.values():
        if item.hash in settled:
            continue
        seen = states.get(item.hash, {})
        if TransactionState.PENDING in seen.values():
            item = replace(item, pooled_at=now)
        account = accounts.get(item.sender or "")
        if item.nonce is None and item.looked_nonce is None and account is not None:
            item = replace(item, looked_nonce=account.nonce)
        if _is_settled(item, seen, account):
            settled[item.hash] = None
        elif now - item.seen_at < LONGEST_S:
            kept.append(item)
    newest = sorted(kept, key=lambda item: item.seen_at)[-MOST:]
    return SentTransactions(tuple(newest), tuple(settled)[-MOST_SETTLED:])


def states_of(snapshot: Snapshot) -> dict[str, dict[str, TransactionState]]:
    """What each endpoint freshly says, by hash and by endpoint."""
    told: dict[str, dict[str, TransactionState]] = {}
    for tx, rpc, state in _seen(snapshot):
        told.setdefault(tx, {})[rpc] = state
    return told


def _seen(snapshot: Snapshot) -> Iterator[tuple[str, str, TransactionState]]:
    chain = snapshot.fleet.chain
    for rpc in chain.rpcs if chain is not None else ():
        head = snapshot.fresh(RpcHead, rpc)
        for item in head.transactions if head is not None else ():
            yield item.hash, rpc, item.state


def _new(snapshot: Snapshot, pooled: PooledTransaction, now: float) -> SentTransaction:
    clock = snapshot.reading(ChainRound, the_chain(snapshot.fleet).network).value
    source = f"the pool of {clock.rpc}" if clock is not None else "an endpoint's pool"
    return SentTransaction(pooled.hash, now, source)


def _is_settled(
    item: SentTransaction,
    seen: Mapping[str, TransactionState],
    account: SignerAccount | None,
) -> bool:
    """Mined, or its nonce was used by another one."""
    if TransactionState.MINED in seen.values():
        return True
    nonce = item.looked_nonce if item.nonce is None else item.nonce
    return account is not None and nonce is not None and account.nonce > nonce
