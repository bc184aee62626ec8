"""Asks seldom for the tickets that were redeemed for our orchestrators, round by round.

Blocks are counted once, when they are settled; what was counted is kept from cycle to cycle. Which
round a block is of is known from the reward history, which has read the rounds' beginnings.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from lptui.errors import BadAnswerError, LptuiError, ProblemKind
from lptui.fleet.facts.chain import ChainRound, RewardHistory
from lptui.fleet.facts.tickets import RedeemedInRound, Redemption, Redemptions
from lptui.fleet.reading import Key, Reading
from lptui.fleet.topology import Chain, Fleet, Orchestrator
from lptui.fleet.units import Address, L2Block, Wei
from lptui.probes.chain import abi, codec
from lptui.probes.chain.blocks import ReorganisedError, block_call, details, hash_of, is_gone
from lptui.probes.chain.client import first_answer
from lptui.probes.chain.events import OVERLAP
from lptui.probes.chain.history import Start
from lptui.probes.chain.logs import pad
from lptui.probes.chain.probe import networks_with_orchestrators, past, the_chain
from lptui.probes.chain.redemption_logs import RedemptionLog, RedemptionQuery
from lptui.probes.chain.scan import Scan
from lptui.probes.probe import Answer, Asking
from lptui.probes.rpc.values import given
from lptui.transport.protocols import Call, JsonRpc

T = TypeVar("T")

EVERY_S: Final = 600.0
"""How often the logs are asked for; besides, when a round has begun."""

SURE_S: Final = 3600.0
"""An endpoint that has pruned its logs by then is not reckoned with; after longer it is."""

ROUNDS: Final = 4
"""Rounds that are looked at, the current one included."""

_WHAT: Final = "redemption logs"

Known = Mapping[str, Redemptions]
"""What earlier cycles found, by the orchestrators' names; all of the same blocks, or nothing."""


@dataclass(frozen=True, slots=True)
class RedemptionsProbe:
    """Each orchestrator's redeemed tickets in the last rounds, proved by the chain."""

    name: str = "chain-redemptions"
    needs: tuple[str, ...] = ("chain", "chain-events")

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return networks_with_orchestrators(fleet)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.events

    def source(self, fleet: Fleet, target: str) -> str:
        return f"TicketBroker logs on {target} (json-rpc {', '.join(the_chain(fleet).rpcs)})"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return tuple(Key(Redemptions, item.name) for item in the_chain(fleet).orchestrators)

    async def load(self) -> None:
        await codec.load()

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        end = asking.clock.monotonic() + asking.deadline_s
        chain = the_chain(asking.fleet)
        clock = _needed(asking.latest.reading(ChainRound, target), "the round is")
        broker = clock.contracts.ticket_broker
        if broker is None:
            why = "the Controller names no TicketBroker"
            raise LptuiError(_WHAT, why, kind=ProblemKind.NOT_CONFIGURED)
        first = chain.orchestrators[0].name
        history = _needed(asking.latest.reading(RewardHistory, first), "the rounds' beginnings are")
        settled = L2Block(max(0, history.upto_block - OVERLAP))
        if not history.starts:
            why = "no round's beginning is known yet, and without it no round's tickets"
            raise LptuiError(_WHAT, why, kind=ProblemKind.NOT_READ)
        # One that is not settled yet is as if it had not begun: nothing is read of it.
        starts = [start for start in history.starts[-ROUNDS:] if start[1] <= settled]
        if not starts:
            nothing = _nothing(settled, asking.clock.now())
            return [Answer(Key(Redemptions, item.name), nothing) for item in chain.orchestrators]
        known = _known(asking, chain, history.upto_block, starts)
        if known and not _is_due(next(iter(known.values())), starts, asking.clock.now()):
            return [Answer(Key(Redemptions, name), value) for name, value in known.items()]
        names = sorted(chain.rpcs, key=lambda name: name != clock.rpc)

        async def one(name: str, seconds: float) -> list[Answer]:
            finish = asking.clock.monotonic() + seconds
            rpc = asking.reach.rpc(name)
            window = history.window
            cycle = _Cycle(asking, chain, broker, starts, settled, window, rpc, finish)
            return await cycle.run(known)

        return await first_answer(asking, names, one, end)


def _nothing(settled: L2Block, now: float) -> Redemptions:
    """Of a chain whose first round has just begun: no block of it is settled yet."""
    why = f"no block of a round is {OVERLAP} blocks deep yet"
    return Redemptions((), None, L2Block(settled + 1), settled, now, why)


def _needed(reading: Reading[T], what: str) -> T:
    """What another probe reads. Raises LptuiError with what is wrong there."""
    if reading.value is not None:
        return reading.value
    problem = reading.problem
    kind = problem.kind if problem else ProblemKind.NOT_READ
    remedy = problem.remedy if problem else ""
    raise LptuiError(_WHAT, f"{what} not known: {problem}", remedy, kind=kind)


def _known(asking: Asking, chain: Chain, upto: int, starts: Sequence[Start]) -> Known:
    """What earlier cycles counted; nothing where it is of other blocks than the chain's, or of
    rounds long past."""
    found = {item.name: _before(asking, item) for item in chain.orchestrators}
    known = {name: value for name, value in found.items() if value is not None}
    reaches = {(value.since_block, value.upto_block) for value in known.values()}
    if len(known) < len(found) or len(reaches) != 1:
        return {}
    begun = dict(starts)
    moved = any(
        begun.get(part.round, part.begun) != part.begun
        for value in known.values()
        for part in value.parts
    )
    ((since, last),) = reaches
    return {} if moved or since > last or not starts[0][1] <= last <= upto else known


def _before(asking: Asking, item: Orchestrator) -> Redemptions | None:
    found: Redemptions | None = past(asking.latest.reading(Redemptions, item.name))
    return found


def _is_due(known: Redemptions, starts: Sequence[Start], now: float) -> bool:
    """Ten minutes after the last time, at a round's beginning, and as long as older blocks are
    to be had."""
    has_begun = not known.parts or known.parts[-1].round != starts[-1][0]
    is_short = known.since_block > starts[0][1] and not known.missing
    return has_begun or is_short or not 0 <= now - known.read_at < EVERY_S


@dataclass(slots=True)
class _Cycle:
    """One cycle with one endpoint. `settled` is the last block that is read now; `window` the
    range that the endpoint is known to give, 0 for not known."""

    asking: Asking
    chain: Chain
    broker: Address
    starts: Sequence[Start]
    settled: L2Block
    window: int
    rpc: JsonRpc
    end: float

    async def run(self, known: Known) -> list[Answer]:
        """All answers. Raises LptuiError when the newest blocks could not be read."""
        try:
            return await self._read(known)
        except ReorganisedError:
            return await self._read({})

    async def _read(self, known: Known) -> list[Answer]:
        floor = self.starts[0][1]
        before = next(iter(known.values()), None)
        since, upto = self.settled + 1, int(self.settled)
        anchor = before.anchor if before is not None else None
        if before is not None:
            since, upto = before.since_block, before.upto_block
        doubted = [start for start in self.starts if start[1] < since or self._is_long_ago(before)]
        blocks = [self.settled, *([anchor[0]] if anchor else ())]
        scan = Scan(
            self.rpc,
            RedemptionQuery(self.broker, tuple(item.address for item in self.chain.orchestrators)),
            self.asking.clock,
            self.end,
            window=self.window or self.settled - floor + 1,
            proven=self.window > 0,
            also=[*map(block_call, blocks), *(self._witness(start) for start in doubted)],
        )
        upto = await scan.up(upto + 1, self.settled) if upto < self.settled else upto
        if upto < self.settled and before is not None and upto < before.upto_block + 1:
            raise scan.failure or BadAnswerError(_WHAT, "no time was left to read them")
        since = await scan.down(since - 1, floor) if since > floor else since
        missing = str(scan.failure or "")
        if scan.answers:
            if hash_of(given(scan.answers[0])) is None:
                raise BadAnswerError(_WHAT, f"{self.rpc.name} has no block {self.settled}")
            if anchor is not None and is_gone(scan.answers[1], anchor[1]):
                raise ReorganisedError
            lacking = self._lacking(doubted, scan.answers[len(blocks) :])
            if lacking is not None and since <= lacking[1]:
                missing = f"{self.rpc.name} has no log of round {lacking[0]}'s beginning any more"
                if lacking == self.starts[-1]:
                    # Nothing shows that it has any log at all.
                    remedy = "use an RPC endpoint that keeps its logs for some rounds"
                    raise BadAnswerError(_WHAT, missing, remedy)
                since = lacking[1] + 1
            if upto == self.settled:
                anchor = (self.settled, hash_of(scan.answers[0]) or "")
        if since > upto:
            raise scan.failure or BadAnswerError(_WHAT, missing or "none could be read")
        logs = {(log.block, log.index): log for part in scan.parts for log in part}
        found = [logs[place] for place in sorted(logs) if since <= place[0] <= upto]
        answers = []
        for item in self.chain.orchestrators:
            own = [log for log in found if log.recipient == item.address]
            counted = known.get(item.name)
            parts = self._parts(counted, own, since, upto)
            value = Redemptions(
                tuple(part for part in parts if since <= part.begun),
                await self._newest(counted, own),
                L2Block(since),
                L2Block(upto),
                self.asking.clock.now(),
                missing if since > floor else "",
                anchor,
                next((part for part in parts if part.begun < since), None),
            )
            answers.append(Answer(Key(Redemptions, item.name), value))
        return answers

    def _is_long_ago(self, before: Redemptions | None) -> bool:
        return before is not None and self.asking.clock.now() - before.read_at > SURE_S

    def _parts(
        self,
        before: Redemptions | None,
        found: Sequence[RedemptionLog],
        since: int,
        upto: int,
    ) -> tuple[RedeemedInRound, ...]:
        """What was counted before and what was found now, together."""
        # No ticket is redeemed between a round's end and the next one's beginning, nor before that
        # in its block (TicketBroker `currentRoundInitialized`).
        places = [block for _, block in self.starts]
        counts = {part.round: part.count for part in (before.parts if before else ())}
        values = {part.round: int(part.value) for part in (before.parts if before else ())}
        for log in found:
            number = self.starts[bisect_right(places, log.block) - 1][0]
            counts[number] = counts.get(number, 0) + 1
            values[number] = values.get(number, 0) + log.value
        ends = [*places[1:], upto + 1]
        return tuple(
            RedeemedInRound(number, begun, counts.get(number, 0), Wei(values.get(number, 0)))
            for (number, begun), end in zip(self.starts, ends, strict=True)
            if begun <= upto and since < end
        )

    async def _newest(
        self, before: Redemptions | None, found: Sequence[RedemptionLog]
    ) -> Redemption | None:
        known = before.newest if before is not None else None
        if not found or (known is not None and known.block > found[-1].block):
            return known
        log = found[-1]
        at = log.at
        if at is None:
            left = max(0.1, self.end - self.asking.clock.monotonic())
            _, times = await details(self.rpc, [], [log.block], left)
            at = times.get(log.block)
        return Redemption(log.payer, log.value, log.block, log.tx, at)

    def _witness(self, start: Start) -> Call:
        """The log of a round's beginning, which is there: who does not give it keeps no logs so
        old, and gives empty lists for them."""
        number, block = start
        topics = [[abi.NEW_ROUND.topic], [pad(number)]]
        return Call(
            "eth_getLogs", ({"fromBlock": hex(block), "toBlock": hex(block), "topics": topics},)
        )

    def _lacking(self, starts: Sequence[Start], answers: Sequence[object]) -> Start | None:
        """The newest beginning that the endpoint did not give."""
        told = zip(starts, answers, strict=True)
        missed = [start for start, logs in told if not isinstance(logs, list) or not logs]
        return missed[-1] if missed else None
