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
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Fleet

EVERY_S: Final = 60.0
"""How often a live console writes down what moves all the time: balances."""

REMEMBER_S: Final = 0.3
"""A state folder that hangs is not waited for longer."""


class Memory:
    """The files of one chain in the state folder."""

    def __init__(self, fleet: Fleet, chain: Chain, folder: Path) -> None:
        self._fleet = fleet
        self._chain = chain
        self._folder = folder
        self._kept: dict[Key, float] = {}
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, fleet: Fleet, folder: Path) -> Memory | None:
        """A fleet's memory; none for a demo, whose chain begins anew each time."""
        return None if fleet.chain is None or fleet.demo else cls(fleet, fleet.chain, folder)

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
        from lptui.history import money, rewards, sent

        followed = sent.remembered(self._sent, told())
        key = Key(SentTransactions, self._chain.network)
        found = rewards.remembered(self._fleet, self._rewards)
        found |= money.remembered(self._fleet, self._money)
        return found if followed is None else {**found, key: followed}

    async def carry_on(self, snapshot: Snapshot) -> Snapshot:
        """A single run's snapshot with the waits that earlier runs saw begin; keeps what it
        learnt."""
        from lptui.history.pending import carry_on

        with suppress(TimeoutError):
            async with asyncio.timeout(REMEMBER_S):
                await asyncio.to_thread(self._save, snapshot)
        with suppress(TimeoutError):
            async with asyncio.timeout(REMEMBER_S):
                path = self._folder / f"pending-{self._chain.chain_id}.json"
                return await asyncio.to_thread(carry_on, snapshot, path)
        return snapshot

    def keep(self, snapshot: Snapshot) -> None:
        """Writes what is new in a live snapshot, beside the event loop."""
        times = {
            Key(topic, item.name): snapshot.reading(topic, item.name).taken_at
            for item in self._chain.orchestrators
            for topic in (RewardHistory, RewardWatch)
        }
        followed = snapshot.value(SentTransactions, self._chain.network)
        for item in followed.sent if followed is not None else ():
            times[Key(SentTransactions, item.hash)] = item.pooled_at or item.seen_at
        clock = snapshot.reading(ChainRound, self._chain.network).taken_at
        times[Key(ChainRound, self._chain.network)] = clock // EVERY_S
        busy = self._writing is not None and not self._writing.done()
        if busy or times == self._kept or not any(times.values()):
            return
        self._kept = times
        self._writing = asyncio.create_task(asyncio.to_thread(self._save, snapshot), name="keep")

    async def close(self) -> None:
        """Waits for what is being written, but not long."""
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=REMEMBER_S)

    def _save(self, snapshot: Snapshot) -> None:
        from lptui.history import money, rewards, sent

        rewards.save(snapshot, self._rewards)
        money.save(snapshot, self._money)
        followed = snapshot.value(SentTransactions, self._chain.network)
        if followed is not None:
            sent.save(self._sent, followed)

    @property
    def _sent(self) -> Path:
        return self._folder / f"sent-{self._chain.chain_id}.json"

    @property
    def _money(self) -> Path:
        from lptui.history.money import file_name

        return self._folder / file_name(self._chain)

    @property
    def _rewards(self) -> Path:
        from lptui.history.rewards import file_name

        return self._folder / file_name(self._chain)
