"""Asks the protocol's contracts: one batch a cycle, after a first one that finds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lptui.errors import LptuiError, Problem, ProblemKind, RpcError
from lptui.fleet.chains import is_too_old
from lptui.fleet.facts.chain import (
    ChainRound,
    Contracts,
    GasPrices,
    OrchestratorRecord,
    SenderDeposit,
    SignerAccount,
)
from lptui.fleet.facts.gas import FeeTrend
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.facts.money import AccountFlow, EarningsFlow
from lptui.fleet.facts.stake import TranscoderPool
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Fleet, Orchestrator, Role
from lptui.fleet.units import Address, L2Block
from lptui.probes.chain import codec, pool, reads
from lptui.probes.chain.client import batch, first_answer, is_revert
from lptui.probes.chain.money import MoneyCycle
from lptui.probes.probe import Answer, Asking
from lptui.probes.rpc.values import given
from lptui.transport.protocols import Call, JsonRpc

_POOL: reads.Label = ("pool",)


def the_chain(fleet: Fleet) -> Chain:
    """The fleet's chain. Raises LptuiError when none is configured."""
    if fleet.chain is None:
        raise LptuiError("chain", "none is configured", kind=ProblemKind.NOT_CONFIGURED)
    return fleet.chain


def networks_with_orchestrators(fleet: Fleet) -> tuple[str, ...]:
    """The chain's network, where an endpoint can be asked about an orchestrator; else nothing."""
    chain = fleet.chain
    return (chain.network,) if chain and chain.rpcs and chain.orchestrators else ()


@dataclass(frozen=True, slots=True)
class ChainProbe:
    """The round, each orchestrator's record, each signer's account, prices, deposits."""

    name: str = "chain"
    needs: tuple[str, ...] = ("node-identity",)

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return (fleet.chain.network,) if fleet.chain is not None and fleet.chain.rpcs else ()

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.chain

    def source(self, fleet: Fleet, target: str) -> str:
        return f"contracts on {target} (json-rpc {', '.join(the_chain(fleet).rpcs)})"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        chain = the_chain(fleet)
        nothing = Snapshot(fleet)
        return (
            Key(ChainRound, target),
            Key(GasPrices, target),
            Key(FeeTrend, target),
            *([Key(TranscoderPool, target)] if chain.orchestrators else []),
            *(Key(OrchestratorRecord, item.name) for item in chain.orchestrators),
            *(Key(SignerAccount, address) for address in accounts(nothing)),
            *(Key(AccountFlow, address) for address in accounts(nothing)),
            *(Key(EarningsFlow, item.name) for item in chain.orchestrators),
            *(Key(SenderDeposit, address) for address in gateways(nothing)),
        )

    async def load(self) -> None:
        await codec.load()

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        end = asking.clock.monotonic() + asking.deadline_s

        async def one(name: str, seconds: float) -> list[Answer]:
            return await _Cycle(asking, name, asking.clock.monotonic() + seconds).run()

        def too_old(answers: list[Answer]) -> float:
            clock = answers[0].value
            if not isinstance(clock, ChainRound) or clock.head_time is None:
                return 0.0
            age = asking.clock.now() - clock.head_time
            fleet = asking.fleet
            old = is_too_old(age, fleet.thresholds, the_chain(fleet).chain_id)
            return age if old else 0.0

        return await first_answer(asking, the_chain(asking.fleet).rpcs, one, end, too_old)


def accounts(snapshot: Snapshot) -> tuple[Address, ...]:
    """Every account whose money or nonces matter: configured, or found by earlier readings."""
    fleet = snapshot.fleet
    registered = fleet.chain.orchestrators if fleet.chain else ()
    records = (past(reading) for _, reading in snapshot.all(OrchestratorRecord))
    return reads.unique(
        [
            *(signer.address for signer in fleet.signers),
            *(item.address for item in registered),
            *(node.account for node in fleet.nodes.values()),
            *(_account_of(snapshot, name) for name in fleet.nodes),
            *(record.reward_caller for record in records if record is not None),
        ]
    )


def gateways(snapshot: Snapshot) -> tuple[Address, ...]:
    """Accounts of the fleet's gateways, which pay from a deposit."""
    return reads.unique(
        [
            account
            for node in snapshot.fleet.nodes_with(Role.GATEWAY)
            for account in (node.account, _account_of(snapshot, node.name))
        ]
    )


def past(reading: Reading[Any]) -> Any:  # noqa: ANN401
    """A reading's value, or the last it had: for what changes hardly ever."""
    return reading.value or (reading.last_good.value if reading.last_good else None)


def _account_of(snapshot: Snapshot, node: str) -> Address | None:
    who = past(snapshot.reading(NodeIdentity, node))
    return who.account if who is not None else None


class _Cycle:
    """One cycle with one endpoint."""

    def __init__(self, asking: Asking, name: str, end: float) -> None:
        self._asking = asking
        self._chain = the_chain(asking.fleet)
        self._rpc: JsonRpc = asking.reach.rpc(name)
        self._end = end
        self._money = MoneyCycle(asking.latest, self._chain, asking.clock.now())

    async def run(self) -> list[Answer]:
        """All answers. Raises LptuiError when there is nothing to be had from this endpoint."""
        snapshot = self._asking.latest
        wallets, payers = accounts(snapshot), gateways(snapshot)
        contracts = self._known()
        if contracts is None:
            contracts = await self._resolve()
        stale = self._asking.clock.now() - contracts.resolved_at > snapshot.fleet.intervals.slow
        results = await self._batch(self._calls(contracts, wallets, payers, again=stale))
        reads.check_chain(results, self._chain.chain_id, self._rpc.name)
        if stale:
            moved = self._moved(results, contracts)
            if replace(moved, resolved_at=contracts.resolved_at) != contracts:
                results = await self._batch(self._calls(moved, wallets, payers, again=False))
                reads.check_chain(results, self._chain.chain_id, self._rpc.name)
            contracts = moved
        clock = reads.parse_round(results, contracts, self._rpc.name)
        records = [self._record(results, item) for item in self._chain.orchestrators]
        accounts_read = [self._wallet(results, address) for address in wallets]
        return [
            Answer(Key(ChainRound, self._chain.network), clock),
            self._answer(GasPrices, self._chain.network, lambda: reads.parse_prices(results)),
            *self._pool(results, clock),
            *records,
            *accounts_read,
            *self._money.answers(results, clock, accounts_read, records),
            *[self._deposit(results, address) for address in payers],
            *await self._callers(records, wallets),
        ]

    def _known(self) -> Contracts | None:
        """Where the contracts were at the last reading."""
        reading = self._asking.latest.reading(ChainRound, self._chain.network)
        before: ChainRound | None = past(reading)
        if before is None or before.contracts.controller != self._chain.controller:
            return None
        return before.contracts

    def _moved(self, results: reads.Results, contracts: Contracts) -> Contracts:
        """Where the contracts are now; what an endpoint fails to say is asked again next time."""
        try:
            return reads.parse_contracts(results, self._chain.controller, self._asking.clock.now())
        except RpcError:
            return contracts

    async def _resolve(self) -> Contracts:
        """First contact: nothing of another chain's Controller is believed."""
        calls = {reads.CHAIN_ID: Call("eth_chainId")}
        results = await self._batch(calls | reads.contract_calls(self._chain.controller))
        reads.check_chain(results, self._chain.chain_id, self._rpc.name)
        return reads.parse_contracts(results, self._chain.controller, self._asking.clock.now())

    def _calls(
        self,
        contracts: Contracts,
        wallets: Sequence[Address],
        payers: Sequence[Address],
        *,
        again: bool,
    ) -> dict[reads.Label, Call]:
        calls = reads.round_calls(contracts)
        for item in self._chain.orchestrators:
            calls |= reads.orchestrator_calls(contracts, item)
        for address in wallets:
            calls |= reads.account_calls(address, pool=self._may_wait(address))
        for address in payers:
            calls |= reads.deposit_calls(contracts, address)
        if self._chain.orchestrators and self._known_pool() is None:
            calls[_POOL] = pool.pool_call(contracts.bonding_manager)
        calls |= self._money.calls()
        if again:
            calls |= reads.contract_calls(self._chain.controller)
        return calls

    async def _batch(self, calls: dict[reads.Label, Call]) -> dict[reads.Label, Any]:
        left = self._end - self._asking.clock.monotonic()
        return await batch(self._rpc, calls, max(0.1, left))

    def _record(self, results: reads.Results, item: Orchestrator) -> Answer:
        return self._answer(
            OrchestratorRecord, item.name, lambda: reads.parse_orchestrator(results, item)
        )

    def _known_pool(self) -> TranscoderPool | None:
        """The pool as it was read not long ago."""
        found = self._asking.latest.value(TranscoderPool, self._chain.network)
        is_due = found is None or self._asking.clock.now() - found.read_at >= pool.EVERY_S
        return None if is_due else found

    def _pool(self, results: reads.Results, clock: ChainRound) -> Sequence[Answer]:
        if not self._chain.orchestrators:
            return []

        def read() -> TranscoderPool:
            known = self._known_pool()
            if known is not None:
                return known
            return pool.parse_pool(
                given(results[_POOL]),
                size=clock.pool_size,
                most=clock.pool_max,
                block=clock.head or L2Block(0),
                now=self._asking.clock.now(),
            )

        return [self._answer(TranscoderPool, self._chain.network, read)]

    def _wallet(self, results: reads.Results, address: Address) -> Answer:
        before = past(self._asking.latest.reading(SignerAccount, address))
        now = self._asking.clock.now()
        clock = past(self._asking.latest.reading(ChainRound, self._chain.network))
        same = clock is not None and clock.rpc == self._rpc.name

        def read() -> SignerAccount:
            return reads.parse_account(results, address, before, now, same_endpoint=same)

        return self._answer(SignerAccount, address, read)

    def _may_wait(self, address: Address) -> bool:
        """Whether it is worth a call to see what waits in the pool: something did, or the account
        is new here."""
        before: SignerAccount | None = past(self._asking.latest.reading(SignerAccount, address))
        if before is None:
            return True
        return bool(before.pending or before.pool or before.pending_since is not None)

    def _deposit(self, results: reads.Results, address: Address) -> Answer:
        return self._answer(SenderDeposit, address, lambda: reads.parse_deposit(results, address))

    async def _callers(self, records: Sequence[Answer], known: Sequence[Address]) -> list[Answer]:
        """Accounts of reward callers that nobody knew of before this cycle."""
        found = reads.unique([r.value.reward_caller for r in records if r.value is not None])
        fresh = [address for address in found if address not in known]
        if not fresh:
            return []
        calls: dict[reads.Label, Call] = {}
        for address in fresh:
            calls |= reads.account_calls(address)
        try:
            more = await self._batch(calls)
        except LptuiError as error:
            return [Answer(Key(SignerAccount, a), problem=error.problem()) for a in fresh]
        return [self._wallet(more, address) for address in fresh]

    def _answer(self, topic: type, target: str, read: Callable[[], object]) -> Answer:
        """A value or the problem that it has; one that fails leaves the others standing."""
        key = Key(topic, target)
        try:
            return Answer(key, read())
        except LptuiError as error:
            return Answer(key, problem=self._problem(error, target))
        except KeyError:
            why = "the Controller names no contract to ask"
            return Answer(key, problem=Problem(ProblemKind.NOT_CONFIGURED, target, why))

    def _problem(self, error: LptuiError, target: str) -> Problem:
        kind = error.kind
        if isinstance(error, RpcError) and is_revert(error):
            kind = ProblemKind.REVERTED
        return Problem(kind, f"{target} ({error.what})", error.why, error.remedy)
