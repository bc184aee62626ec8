"""The part of a chain cycle that follows money: base fees of late, the last reward call's cost,
and what balances, fees and stakes did since the reading before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from lptui.errors import LptuiError
from lptui.fleet.facts.chain import (
    ChainRound,
    OrchestratorRecord,
    RewardHistory,
    SignerAccount,
)
from lptui.fleet.facts.gas import FeeTrend, PaidCall
from lptui.fleet.facts.money import AccountFlow, EarningsFlow, Flow
from lptui.fleet.flows import DEAREST_GAS, watched
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Orchestrator
from lptui.fleet.units import Round
from lptui.probes.chain import fees, reads
from lptui.probes.chain.reads import Label, Results
from lptui.probes.probe import Answer
from lptui.transport.protocols import Call

T = TypeVar("T")

_FEES: Final[Label] = ("fees",)


class MoneyCycle:
    """What of this is asked now, and what came of it. `latest` has the readings before."""

    def __init__(self, latest: Snapshot, chain: Chain, now: float) -> None:
        self._latest = latest
        self._chain = chain
        self._now = now
        self._asked: dict[str, str] = {}

    def calls(self) -> dict[Label, Call]:
        """What is due."""
        calls: dict[Label, Call] = {}
        if fees.is_due(self._before(FeeTrend, self._chain.network), self._now):
            calls[_FEES] = fees.history_call()
        for item in self._chain.orchestrators:
            tx = self._newest_call(item)
            known = self._before(PaidCall, item.name)
            if tx is not None and (known is None or known.tx != tx):
                self._asked[item.name] = tx
                calls["paid", item.name] = fees.receipt_call(tx)
        return calls

    def answers(
        self,
        results: Results,
        clock: ChainRound,
        accounts: Sequence[Answer],
        records: Sequence[Answer],
    ) -> Iterator[Answer]:
        """The readings, made of a cycle's results and of what it read of accounts and records."""
        trend = self._trend(results)
        yield trend
        for item in self._chain.orchestrators:
            paid = self._paid(results, item)
            if paid is not None:
                yield Answer(Key(PaidCall, item.name), paid)
        for answer in accounts:
            yield self._account(answer, clock.round, _dearest(results, trend.value))
        for answer in records:
            yield self._earnings(answer, clock.round)

    def _trend(self, results: Results) -> Answer:
        key = Key(FeeTrend, self._chain.network)
        before = self._before(FeeTrend, self._chain.network)
        if _FEES in results:
            return Answer(key, fees.parse_history(results[_FEES], before, self._now))
        assert before is not None  # noqa: S101 (else it was due)
        return Answer(key, before)

    def _paid(self, results: Results, item: Orchestrator) -> PaidCall | None:
        before = self._before(PaidCall, item.name)
        tx = self._asked.get(item.name)
        if tx is None or ("paid", item.name) not in results:
            return before
        try:
            return fees.parse_receipt(results["paid", item.name], tx)
        except LptuiError:
            return before

    def _account(self, answer: Answer, number: Round, dearest: int | None) -> Answer:
        key = Key(AccountFlow, answer.key.target)
        account = answer.value
        if not isinstance(account, SignerAccount):
            return Answer(key, problem=answer.problem)
        before = self._before(AccountFlow, answer.key.target)
        flow = watched(
            before.balance if before is not None else None,
            *(account.balance, number, self._now),
            nonce=account.nonce,
            dearest=dearest,
        )
        return Answer(key, AccountFlow(flow))

    def _earnings(self, answer: Answer, number: Round) -> Answer:
        key = Key(EarningsFlow, answer.key.target)
        record = answer.value
        if not isinstance(record, OrchestratorRecord):
            return Answer(key, problem=answer.problem)
        before = self._before(EarningsFlow, answer.key.target) or EarningsFlow()

        def follow(flow: Flow | None, amount: int | None) -> Flow | None:
            return flow if amount is None else watched(flow, amount, number, self._now)

        fees_flow = follow(before.fees, record.pending_fees)
        return Answer(key, EarningsFlow(fees_flow, follow(before.stake, record.pending_stake)))

    def _newest_call(self, item: Orchestrator) -> str | None:
        history = self._before(RewardHistory, item.name)
        return history.events[-1].tx if history is not None and history.events else None

    def _before(self, topic: type[T], target: str) -> T | None:
        """A reading's value, or the last it had."""
        reading = self._latest.reading(topic, target)
        if reading.value is None and reading.last_good is not None:
            return reading.last_good.value
        return reading.value


def _dearest(results: Results, trend: object) -> int | None:
    """The most that a transaction can have cost of late; None where prices are not known."""
    if not isinstance(trend, FeeTrend) or not trend.windows:
        return None
    try:
        now = reads.parse_prices(results)
    except LptuiError:
        return None
    return DEAREST_GAS * max(now.gas_price, trend.highest) or None
