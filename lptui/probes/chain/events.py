"""Asks for past rounds' rewards and stake changes; keeps what is known from cycle to cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lptui.errors import LptuiError, ProblemKind
from lptui.fleet.facts.chain import (
    ChainRound,
    OrchestratorRecord,
    RewardEvent,
    RewardHistory,
)
from lptui.fleet.facts.stake import StakeHistory
from lptui.fleet.reading import Key
from lptui.fleet.topology import Chain, Fleet, Orchestrator
from lptui.fleet.units import Address, L2Block, Lptu, Round
from lptui.probes.chain import codec
from lptui.probes.chain.blocks import (
    ReorganisedError,
    block_call,
    details,
    hash_of,
    height,
    is_gone,
)
from lptui.probes.chain.client import first_answer
from lptui.probes.chain.history import (
    ROUNDS,
    Start,
    history,
    merge_events,
    merge_starts,
    wanted_rounds,
)
from lptui.probes.chain.logs import Logs, Query, RewardLog, RoundLog, joined
from lptui.probes.chain.probe import networks_with_orchestrators, past, the_chain
from lptui.probes.chain.scan import Scan
from lptui.probes.chain.stake_history import most_seen, stake_history
from lptui.probes.probe import Answer, Asking
from lptui.transport.protocols import JsonRpc

OVERLAP: Final = 64
"""Newest blocks that are asked for again: their logs may have come late or been replaced."""

BLOCKS_A_SECOND: Final = 5.0
"""L2 blocks, more than there are: bounds how far back logs are looked for."""

CALLERS: Final = 20
"""Transactions of a cycle that are asked for their sender."""


@dataclass(frozen=True, slots=True)
class ChainEventsProbe:
    """Each orchestrator's rewards and stake changes in the last rounds, with the evidence."""

    name: str = "chain-events"
    needs: tuple[str, ...] = ("chain",)

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return networks_with_orchestrators(fleet)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.events

    def source(self, fleet: Fleet, target: str) -> str:
        return f"logs on {target} (json-rpc {', '.join(the_chain(fleet).rpcs)})"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return tuple(
            Key(topic, item.name)
            for item in the_chain(fleet).orchestrators
            for topic in (RewardHistory, StakeHistory)
        )

    async def load(self) -> None:
        await codec.load()

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        end = asking.clock.monotonic() + asking.deadline_s
        chain = the_chain(asking.fleet)
        reading = asking.latest.reading(ChainRound, target)
        clock = reading.value
        if clock is None:
            kind = reading.problem.kind if reading.problem else ProblemKind.NOT_READ
            remedy = reading.problem.remedy if reading.problem else ""
            why = f"the round is not known: {reading.problem}"
            raise LptuiError("reward logs", why, remedy, kind=kind)
        # Heights of one endpoint mean little to another: the one that gave the head comes first.
        names = sorted(chain.rpcs, key=lambda name: name != clock.rpc)

        async def one(name: str, seconds: float) -> list[Answer]:
            finish = asking.clock.monotonic() + seconds
            return await _Cycle(asking, chain, clock, asking.reach.rpc(name), finish).run()

        return await first_answer(asking, names, one, end, _lacks_logs)


def _lacks_logs(answers: Sequence[Answer]) -> float:
    """How many blocks' logs are missing up to the newest, where all are: others come first."""
    values = (answer.value for answer in answers if answer.key.topic is RewardHistory)
    return float(max((one.since_block > one.upto_block for one in values), default=False))


@dataclass(frozen=True, slots=True)
class _Known:
    """What earlier cycles found: logs of the blocks from `since` to `upto` were seen."""

    since: int
    upto: int
    starts: tuple[Start, ...] = ()
    window: int = 0
    anchor: tuple[L2Block, str] | None = None
    earlier_run: bool = False


@dataclass(frozen=True, slots=True)
class _Begun:
    """How the current round was initialised: when, by whom, and the transaction just seen."""

    at: float | None = None
    by: Address | None = None
    tx: str = ""


@dataclass(slots=True)
class _Cycle:
    """One cycle with one endpoint."""

    asking: Asking
    chain: Chain
    clock: ChainRound
    rpc: JsonRpc
    end: float

    async def run(self) -> list[Answer]:
        """All histories. Raises LptuiError when the newest blocks could not be read."""
        head = await self._head()
        known = self._known(head)
        try:
            return await self._read(head, known)
        except ReorganisedError:
            # What was known is of blocks that the chain does not have any more.
            anew = _Known(head + 1, head, window=known.window)
            return await self._read(head, anew, reorganised=True)

    async def _read(self, head: int, known: _Known, reorganised: bool = False) -> list[Answer]:
        whole = self._look_back()
        floor = max(0, head - whole + 1)
        rounds = wanted_rounds(self.clock.round)
        anchor = L2Block(max(0, head - OVERLAP))
        scan = Scan(
            self.rpc,
            Query(self.clock.contracts, self._addresses(), rounds),
            self.asking.clock,
            self.end,
            window=known.window or whole,
            proven=known.window > 0,
            also=[block_call(anchor), *([block_call(known.anchor[0])] if known.anchor else ())],
        )
        since, upto, again = known.since, known.upto, known.upto + 1
        if known.upto >= known.since and (head > known.upto or known.earlier_run):
            # What was known of the overlap does not count any more: it is read anew.
            again = max(known.since, min(known.upto, head) - OVERLAP + 1)
            upto = await scan.up(again, head)
        if not self._is_complete(known.starts, since, floor):
            since = await scan.down(since - 1, floor, lambda part: _begins(part, rounds[0]))
        if scan.failure is not None and (upto < head or since > upto):
            raise scan.failure
        if known.anchor and len(scan.answers) > 1 and is_gone(scan.answers[1], known.anchor[1]):
            raise ReorganisedError
        found = joined(scan.parts)
        starts = merge_starts([start for start in known.starts if start[1] < again], found.rounds)
        if self._is_silent(starts, since, upto, floor):
            since, starts = head + 1, ()
        found_hash = hash_of(scan.answers[0]) if scan.answers else None
        reach = _Known(
            since,
            upto,
            starts,
            self._next_window(scan, whole),
            (anchor, found_hash) if found_hash else known.anchor,
        )
        begun = self._begun(found.rounds, known)
        callers, times = await self._details(found.rewards, starts, begun)
        begun = _Begun(
            begun.at or times.get(L2Block(dict(starts).get(self.clock.round, -1))),
            callers.get(begun.tx) or begun.by,
        )
        answers = []
        for item in self.chain.orchestrators:
            before = self._before(item) if known.upto >= known.since else None
            kept = [event for event in before.events if event.block < again] if before else []
            own = [log for log in found.rewards if log.orchestrator == item.address]
            events = merge_events(kept, own, found.rounds, starts, callers, times)
            value = self._history(item, reach, events, floor, begun)
            answers.append(Answer(Key(RewardHistory, item.name), value))
            stakes_before = self._stakes_before(item)
            # A stake that was seen in blocks that are gone was never lost.
            gone = reorganised or _are_gone(before, own, again, upto)
            most = () if gone or stakes_before is None else stakes_before.most
            stakes = stake_history(
                stakes_before if before is not None else None,
                [log for log in found.stakes if log.orchestrator == item.address],
                found.rounds,
                reach.starts,
                again=again,
                since=value.since_block,
                upto=value.upto_block,
                complete=value.complete,
                most=most_seen(most, self.clock, self._stake(item)),
            )
            answers.append(Answer(Key(StakeHistory, item.name), stakes))
        return answers

    def _history(
        self,
        item: Orchestrator,
        reach: _Known,
        events: Sequence[RewardEvent],
        floor: int,
        begun: _Begun,
    ) -> RewardHistory:
        return history(
            self.clock,
            self.asking.latest.value(OrchestratorRecord, item.name),
            reach.starts,
            events,
            since=L2Block(reach.since),
            upto=L2Block(reach.upto),
            window=reach.window,
            complete=self._is_complete(reach.starts, reach.since, floor),
            begun_at=begun.at,
            begun_by=begun.by,
            anchor=reach.anchor,
        )

    def _begun(self, found: Sequence[RoundLog], known: _Known) -> _Begun:
        """How the current round was initialised, as far as it was told before or just now."""
        before = self._before(self.chain.orchestrators[0])
        was = _Begun()
        if before is not None and known.upto >= known.since and before.is_of(self.clock.round):
            was = _Begun(before.begun_at, before.begun_by)
        log = next((log for log in found if log.round == self.clock.round), None)
        return was if log is None else _Begun(log.at or was.at, was.by, log.tx)

    def _next_window(self, scan: Scan[Logs], whole: int) -> int:
        """What to ask for next time: more, as long as nothing was refused."""
        return scan.window if scan.refused else min(whole, scan.window * 2)

    def _addresses(self) -> tuple[Address, ...]:
        return tuple(item.address for item in self.chain.orchestrators)

    async def _head(self) -> int:
        """The head as this endpoint has it."""
        if self.rpc.name == self.clock.rpc and self.clock.head is not None:
            return self.clock.head
        return await height(self.rpc, self._left())

    def _known(self, head: int) -> _Known:
        """What earlier cycles left; nothing when the chain has begun anew since."""
        readings = [self._before(item) for item in self.chain.orchestrators]
        first = readings[0]
        if first is None or any(r is None or r.starts != first.starts for r in readings):
            return _Known(head + 1, head)
        reach = (first.since_block, first.upto_block)
        stakes = [self._stakes_before(item) for item in self.chain.orchestrators]
        if any(s is None or (s.since_block, s.upto_block) != reach for s in stakes):
            return _Known(head + 1, head, window=first.window)
        if head < first.since_block or first.since_block > first.upto_block:
            return _Known(head + 1, head, window=first.window)
        return _Known(
            first.since_block,
            first.upto_block,
            first.starts,
            first.window,
            first.anchor,
            earlier_run=self._is_of_earlier_run(),
        )

    def _is_of_earlier_run(self) -> bool:
        """Whether nothing was read yet since lptui was started."""
        name = self.chain.orchestrators[0].name
        problem = self.asking.latest.reading(RewardHistory, name).problem
        return problem is not None and problem.kind is ProblemKind.NOT_READ

    def _before(self, item: Orchestrator) -> RewardHistory | None:
        found: RewardHistory | None = past(self.asking.latest.reading(RewardHistory, item.name))
        return found

    def _stakes_before(self, item: Orchestrator) -> StakeHistory | None:
        found: StakeHistory | None = past(self.asking.latest.reading(StakeHistory, item.name))
        return found

    def _stake(self, item: Orchestrator) -> Lptu | None:
        record = self.asking.latest.value(OrchestratorRecord, item.name)
        return record.stake if record is not None else None

    def _look_back(self) -> int:
        """L2 blocks of all the rounds that are wanted, at least."""
        seconds = (ROUNDS + 1) * self.clock.length * self.chain.block_seconds
        return int(seconds * BLOCKS_A_SECOND) + OVERLAP

    def _is_complete(self, starts: Sequence[Start], since: int, floor: int) -> bool:
        oldest = wanted_rounds(self.clock.round)[0]
        return since <= floor or any(number <= oldest for number, _ in starts)

    def _is_silent(self, starts: Sequence[Start], since: int, upto: int, floor: int) -> bool:
        """Whether blocks were read that must have the log of the current round's beginning, and
        it is not there: some endpoints give empty lists where they have pruned their logs."""
        must_be_in = since <= floor or any(number < self.clock.round for number, _ in starts)
        return (
            must_be_in
            and self.clock.initialized
            and self.clock.head is not None
            and upto >= self.clock.head
            and all(number != self.clock.round for number, _ in starts)
        )

    async def _details(
        self, rewards: Sequence[RewardLog], starts: Sequence[Start], begun: _Begun
    ) -> tuple[dict[str, Address], dict[L2Block, float]]:
        """The senders of the newest transactions that were not known yet, of that which began the
        current round too, and the times of their blocks, where the logs do not tell them."""
        known = {
            event.tx
            for item in self.chain.orchestrators
            if (before := self._before(item)) is not None
            for event in before.events
            if event.caller is not None
        }
        fresh = [log for log in reversed(rewards) if log.tx not in known][:CALLERS]
        blocks = [log.block for log in fresh if log.at is None]
        first = dict(starts).get(self.clock.round)
        if begun.at is None and first is not None:
            blocks.append(first)
        txs = list(dict.fromkeys(log.tx for log in fresh))
        if begun.tx and begun.by is None:
            txs.append(begun.tx)
        return await details(self.rpc, txs, list(dict.fromkeys(blocks)), self._left())

    def _left(self) -> float:
        return max(0.1, self.end - self.asking.clock.monotonic())


def _begins(part: Logs, number: Round) -> bool:
    """Whether a range of blocks has the beginning of a round, or of an earlier one."""
    return any(log.round <= number for log in part.rounds)


def _are_gone(
    before: RewardHistory | None, found: Sequence[RewardLog], again: int, upto: int
) -> bool:
    """Whether a reward that was known is not found again in the blocks that were read anew."""
    known = {log.tx for log in found}
    events = before.events if before is not None else ()
    return any(again <= event.block <= upto and event.tx not in known for event in events)
