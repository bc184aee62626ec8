"""What is kept between runs, read when one begins and written while it goes on.

The files are hints: a state folder that hangs, or cannot be written, delays nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from lptui.fleet.facts.chain import ChainRound, RewardHistory
from lptui.fleet.facts.reward import RewardWatch
from lptui.fleet.facts.rpc import SentTransaction, SentTransactions
from lptui.fleet.facts.upkeep import HostGrowth
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Fleet

EVERY_S: Final = 60.0
"""How often a live console writes down what moves all the time: balances."""

SELDOM_S: Final = 600.0
"""The same for what is known of machines."""

REMEMBER_S: Final = 0.3
"""A state folder that hangs is not waited for longer."""


class Memory:
    """The files of one chain, and of the fleet's machines, in the state folder."""

    def __init__(self, fleet: Fleet, chain: Chain | None, folder: Path) -> None:
        self._fleet = fleet
        self._chain = chain
        self._folder = folder
        self._kept: dict[Key, float] = {}
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, fleet: Fleet, folder: Path) -> Memory | None:
        """A fleet's memory; none for a demo, which begins anew each time."""
        return None if fleet.demo else cls(fleet, fleet.chain, folder)

    async def recall(
        self, told: Callable[[], Sequence[SentTransaction]] = tuple
    ) -> Mapping[Key, Reading[object]]:
        """What earlier runs learnt of past rounds, and which transactions they followed or were
        `told` of."""
        with suppress(TimeoutError):
            async with asyncio.timeout(REMEMBER_S):
                return await asyncio.to_thread(self._recall, told)
        return {}

    def _recall(
        self, told: Callable[[], Sequence[SentTransaction]]
    ) -> Mapping[Key, Reading[object]]:
        from lptui.history import hosts

        found: dict[Key, Reading[object]] = hosts.remembered(self._fleet, self._hosts)
        if self._chain is None:
            return found
        from lptui.history import money, rewards, sent

        followed = sent.remembered(self._sent(self._chain), told())
        key = Key(SentTransactions, self._chain.network)
        found |= rewards.remembered(self._fleet, self._rewards(self._chain))
        found |= money.remembered(self._fleet, self._money(self._chain))
        return found if followed is None else {**found, key: followed}

    async def carry_on(self, snapshot: Snapshot) -> Snapshot:
        """A single run's snapshot with the waits that earlier runs saw begin; keeps what it
        learnt."""
        from lptui.history.pending import carry_on

        with suppress(TimeoutError):
            async with asyncio.timeout(REMEMBER_S):
                await asyncio.to_thread(self._save, snapshot)
        if self._chain is None:
            return snapshot
        with suppress(TimeoutError):
            async with asyncio.timeout(REMEMBER_S):
                path = self._folder / f"pending-{self._chain.chain_id}.json"
                return await asyncio.to_thread(carry_on, snapshot, path)
        return snapshot

    def keep(self, snapshot: Snapshot) -> None:
        """Writes what is new in a live snapshot, beside the event loop."""
        times = {
            Key(HostGrowth, name): snapshot.reading(HostGrowth, name).taken_at // SELDOM_S
            for name in self._fleet.hosts
        }
        if self._chain is not None:
            times |= self._times(snapshot, self._chain)
        busy = self._writing is not None and not self._writing.done()
        if busy or times == self._kept or not any(times.values()):
            return
        self._kept = times
        self._writing = asyncio.create_task(asyncio.to_thread(self._save, snapshot), name="keep")

    def _times(self, snapshot: Snapshot, chain: Chain) -> dict[Key, float]:
        """When what is kept of the chain was read."""
        times = {
            Key(topic, item.name): snapshot.reading(topic, item.name).taken_at
            for item in chain.orchestrators
            for topic in (RewardHistory, RewardWatch)
        }
        followed = snapshot.value(SentTransactions, chain.network)
        for item in followed.sent if followed is not None else ():
            times[Key(SentTransactions, item.hash)] = item.pooled_at or item.seen_at
        clock = snapshot.reading(ChainRound, chain.network).taken_at
        times[Key(ChainRound, chain.network)] = clock // EVERY_S
        return times

    async def close(self) -> None:
        """Waits for what is being written, but not long."""
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=REMEMBER_S)

    def _save(self, snapshot: Snapshot) -> None:
        from lptui.history import hosts

        hosts.save(snapshot, self._hosts)
        if self._chain is None:
            return
        from lptui.history import money, rewards, sent

        rewards.save(snapshot, self._rewards(self._chain))
        money.save(snapshot, self._money(self._chain))
        followed = snapshot.value(SentTransactions, self._chain.network)
        if followed is not None:
            sent.save(self._sent(self._chain), followed)

    @property
    def _hosts(self) -> Path:
        return self._folder / "hosts.json"

    def _sent(self, chain: Chain) -> Path:
        return self._folder / f"sent-{chain.chain_id}.json"

    def _money(self, chain: Chain) -> Path:
        from lptui.history.money import file_name

        return self._folder / file_name(chain)

    def _rewards(self, chain: Chain) -> Path:
        from lptui.history.rewards import file_name

        return self._folder / file_name(chain)
