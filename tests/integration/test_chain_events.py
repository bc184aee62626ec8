"""Reward histories from real logs, through endpoints that limit, prune and forget."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lptui.collector.ledger import Ledger
from lptui.errors import LptuiError, ProblemKind
from lptui.fleet.facts.chain import ChainRound, RewardHistory, RoundOutcome
from lptui.fleet.units import Round
from lptui.history.rewards import remembered, save
from lptui.probes.chain.events import ChainEventsProbe
from lptui.probes.chain.probe import ChainProbe
from lptui.probes.chain.reward_event import find_reward_event
from tests.devnet.chain import Devnet
from tests.devnet.fixtures import anvil, devnet
from tests.integration.cycles import NETWORK, Cycles, cycles, devnet_fleet, lower
from tests.integration.rpc_proxy import RpcProxy, error, running_proxy

__all__ = ["anvil", "devnet"]

CHAIN = ChainProbe()
EVENTS = ChainEventsProbe()


@asynccontextmanager
async def asked_through(net: Devnet, *who: str) -> AsyncIterator[tuple[Cycles, RpcProxy]]:
    """A fleet with these orchestrators (orch-0, orch-1, …) that asks through a proxy."""
    names = {f"orch-{number}": address for number, address in enumerate(who)}
    async with running_proxy(net.url) as proxy:
        fleet = devnet_fleet(net, rpcs={"own": proxy.url}, orchestrators=names)
        async with cycles(fleet) as asked:
            yield asked, proxy


def outcome(asked: Cycles, number: int, name: str = "orch-0") -> RoundOutcome:
    return dict(asked.value(RewardHistory, name).rounds)[number]  # type: ignore[index]


def queries(proxy: RpcProxy) -> list[tuple[int, int]]:
    """The ranges of blocks that were asked for."""
    return [
        (int(call["params"][0]["fromBlock"], 16), int(call["params"][0]["toBlock"], 16))
        for batch in proxy.requests
        for call in batch
        if call["method"] == "eth_getLogs"
    ]


def limited(blocks: int, text: str) -> Any:
    """An endpoint that gives logs of so many blocks at once."""

    def fault(call: dict[str, Any]) -> dict[str, Any] | None:
        if call["method"] != "eth_getLogs":
            return None
        span = call["params"][0]
        length = int(span["toBlock"], 16) - int(span["fromBlock"], 16) + 1
        return error(-32602, text) if length > blocks else None

    return fault


async def test_called_missed_skipped_and_pending(devnet: Devnet) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    receipt = await devnet.reward(who)
    await devnet.next_round()
    await devnet.next_round(initialize=False)
    await devnet.next_round()
    await devnet.reward(who)
    await devnet.next_round()
    async with asked_through(devnet, who) as (asked, _):
        await asked.ask(CHAIN, EVENTS)
        history = asked.value(RewardHistory, "orch-0")
        assert history.complete
        assert len(history.rounds) == 31
        assert [outcome(asked, number) for number in range(4200, 4205)] == [
            RoundOutcome.CALLED,
            RoundOutcome.MISSED,
            RoundOutcome.NOT_INITIALIZED,
            RoundOutcome.CALLED,
            RoundOutcome.PENDING,
        ]
        # Before the chain's first logs there is nothing to tell a miss by.
        assert outcome(asked, 4199) is RoundOutcome.INACTIVE
        first = history.event_of(4200)
        assert first is not None
        assert first.tx == receipt["transactionHash"]
        assert first.amount > 0
        assert first.caller == lower(who)
        assert first.block == int(receipt["blockNumber"], 16)


async def test_an_event_is_of_the_orchestrator_though_another_sent_it(devnet: Devnet) -> None:
    one, two, caller = devnet.accounts[1:4]
    await devnet.bond(one)
    await devnet.bond(two)
    await devnet.set_reward_caller(one, caller)
    await devnet.reward_for(one, caller)
    async with asked_through(devnet, one, two) as (asked, _):
        await asked.ask(CHAIN, EVENTS)
        event = asked.value(RewardHistory, "orch-0").event_of(4200)
        assert event is not None
        assert event.caller == lower(caller)
        assert asked.value(RewardHistory, "orch-1").events == ()
        assert outcome(asked, 4200, "orch-1") is RoundOutcome.PENDING


async def test_a_further_cycle_asks_only_for_new_blocks(devnet: Devnet) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    await devnet.reward(who)
    await devnet.mine(200)
    async with asked_through(devnet, who) as (asked, proxy):
        await asked.ask(CHAIN, EVENTS)
        assert len(queries(proxy)) == 1
        first = asked.value(RewardHistory, "orch-0")
        await devnet.next_round()
        await devnet.reward(who)
        proxy.requests.clear()
        await asked.ask(CHAIN, EVENTS)
        ((start, stop),) = queries(proxy)
        assert start == first.upto_block - 63
        assert stop == asked.value(ChainRound).head
        assert [len(b) for b in proxy.methods if "eth_getTransactionByHash" in b] == [2]
        history = asked.value(RewardHistory, "orch-0")
        assert history.since_block == first.since_block
        assert [event.round for event in history.events] == [4200, 4201]
        proxy.requests.clear()
        await asked.ask(EVENTS)
        assert proxy.requests == []
        assert asked.value(RewardHistory, "orch-0").events == history.events


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("query exceeds max block range 2,000", 2000),
        ("block range is too wide", 2000),
        ("eth_getLogs is limited to a 2k range", 2000),
        ("Log response size exceeded.", 300),
    ],
)
async def test_a_limited_endpoint_is_asked_in_pieces(devnet: Devnet, text: str, most: int) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    await devnet.reward(who)
    await devnet.mine(400)
    await devnet.next_round()
    await devnet.mine(10)
    async with asked_through(devnet, who) as (asked, proxy):
        proxy.fault = limited(most, text)
        for _ in range(8):
            await asked.ask(CHAIN, EVENTS)
            if (
                outcome(asked, 4200) is RoundOutcome.CALLED
                and asked.value(RewardHistory, "orch-0").events
            ):
                break
            # Nothing is called a miss while logs are missing.
            assert (
                RoundOutcome.MISSED
                not in dict(asked.value(RewardHistory, "orch-0").rounds).values()
            )
        history = asked.value(RewardHistory, "orch-0")
        assert [event.round for event in history.events] == [4200]
        assert not history.complete
        assert len(proxy.requests) < 8 * 20


async def test_what_an_endpoint_gives_at_once_is_remembered(devnet: Devnet) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    async with asked_through(devnet, who) as (asked, proxy):
        proxy.fault = limited(500, "block range is too wide")
        await asked.ask(CHAIN, EVENTS)
        assert asked.value(RewardHistory, "orch-0").window <= 500
        proxy.requests.clear()
        await asked.ask(EVENTS)
        assert max(last - first + 1 for first, last in queries(proxy)) <= 1000


async def test_old_logs_that_are_gone_make_rounds_unknown_and_not_missed(devnet: Devnet) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    await devnet.next_round()
    await devnet.mine(700)
    pruned_below = int(await devnet.rpc.call("eth_blockNumber"), 16) - 400
    await devnet.next_round()
    await devnet.reward(who)

    def pruned(call: dict[str, Any]) -> dict[str, Any] | None:
        if call["method"] != "eth_getLogs":
            return None
        if int(call["params"][0]["fromBlock"], 16) < pruned_below:
            return error(-32000, "pruned history unavailable")
        return None

    async with asked_through(devnet, who) as (asked, proxy):
        proxy.fault = pruned
        for _ in range(3):
            await asked.ask(CHAIN, EVENTS)
        history = asked.value(RewardHistory, "orch-0")
        assert not history.complete
        assert history.since_block >= pruned_below
        assert outcome(asked, 4202) is RoundOutcome.CALLED
        assert outcome(asked, 4201) is RoundOutcome.UNKNOWN
        assert outcome(asked, 4200) is RoundOutcome.UNKNOWN


async def test_an_endpoint_without_logs_is_a_failure_and_the_next_is_asked(
    devnet: Devnet,
) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    await devnet.reward(who)
    async with running_proxy(devnet.url) as without:
        without.fault = lambda call: (
            error(-32601, "Method not found") if call["method"] == "eth_getLogs" else None
        )
        names = {"orch-0": who}
        async with cycles(
            devnet_fleet(devnet, rpcs={"own": without.url}, orchestrators=names)
        ) as asked:
            snapshot = await asked.ask(CHAIN, EVENTS)
            problem = snapshot.reading(RewardHistory, "orch-0").problem
            assert problem is not None
            assert "Method not found" in problem.why
        urls = {"own": without.url, "other": devnet.url}
        async with cycles(devnet_fleet(devnet, rpcs=urls, orchestrators=names)) as asked:
            await asked.ask(CHAIN, EVENTS)
            assert asked.value(RewardHistory, "orch-0").event_of(4200) is not None


async def test_a_rate_limit_ends_the_cycle_and_keeps_what_is_known(devnet: Devnet) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    await devnet.reward(who)
    async with asked_through(devnet, who) as (asked, proxy):
        await asked.ask(CHAIN, EVENTS)
        await devnet.mine(5)
        await asked.ask(CHAIN)
        proxy.status = 429
        snapshot = await asked.ask(EVENTS)
        reading = snapshot.reading(RewardHistory, "orch-0")
        assert reading.problem is not None
        assert reading.problem.kind is ProblemKind.RATE_LIMITED
        assert reading.last_good is not None
        proxy.status = 200
        proxy.requests.clear()
        await asked.ask(EVENTS)
        assert len(queries(proxy)) == 1
        assert asked.value(RewardHistory, "orch-0").event_of(4200) is not None


async def test_an_event_that_a_reorganisation_took_back_is_forgotten(devnet: Devnet) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    await devnet.reward(who)
    async with asked_through(devnet, who) as (asked, _):
        await asked.ask(CHAIN, EVENTS)
        assert asked.value(RewardHistory, "orch-0").events
        await devnet.reorganise(1)
        await devnet.mine(2)
        await asked.ask(CHAIN, EVENTS)
        assert asked.value(RewardHistory, "orch-0").events == ()
        assert outcome(asked, 4200) is RoundOutcome.PENDING


async def test_more_was_taken_back_than_is_read_anew_and_all_is_read_again(
    devnet: Devnet,
) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    before = int(await devnet.rpc.call("eth_blockNumber"), 16)
    await devnet.reward(who)
    await devnet.mine(200)
    async with asked_through(devnet, who) as (asked, proxy):
        await asked.ask(CHAIN, EVENTS)
        assert asked.value(RewardHistory, "orch-0").events
        head = int(await devnet.rpc.call("eth_blockNumber"), 16)
        await devnet.reorganise(head - before)
        await devnet.mine(5)
        proxy.requests.clear()
        await asked.ask(CHAIN, EVENTS)
        assert asked.value(RewardHistory, "orch-0").events == ()
        assert outcome(asked, 4200) is RoundOutcome.PENDING
        assert len(queries(proxy)) == 2


async def test_the_next_run_goes_on_where_the_last_one_ended(
    devnet: Devnet, tmp_path: Path
) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    await devnet.reward(who)
    await devnet.mine(200)
    path = tmp_path / "rewards.json"
    async with asked_through(devnet, who) as (asked, _):
        save(await asked.ask(CHAIN, EVENTS), path)
        first = asked.value(RewardHistory, "orch-0")
    await devnet.next_round()
    async with asked_through(devnet, who) as (asked, proxy):
        asked.ledger = Ledger(asked.fleet, (), remembered(asked.fleet, path))
        await asked.ask(CHAIN, EVENTS)
        ((start, _),) = queries(proxy)
        assert start == first.upto_block - 63
        history = asked.value(RewardHistory, "orch-0")
        assert history.since_block == first.since_block
        assert [event.round for event in history.events] == [4200]
        assert history.events == first.events


async def test_what_an_earlier_run_learnt_of_another_chain_is_not_believed(
    devnet: Devnet, tmp_path: Path
) -> None:
    """The same height and the same contracts, but other blocks: a chain that was begun anew."""
    who = devnet.accounts[1]
    await devnet.bond(who)
    before = int(await devnet.rpc.call("eth_blockNumber"), 16)
    await devnet.reward(who)
    await devnet.mine(200)
    path = tmp_path / "rewards.json"
    async with asked_through(devnet, who) as (asked, _):
        save(await asked.ask(CHAIN, EVENTS), path)
        assert asked.value(RewardHistory, "orch-0").events
    head = int(await devnet.rpc.call("eth_blockNumber"), 16)
    await devnet.reorganise(head - before)
    async with asked_through(devnet, who) as (asked, _):
        asked.ledger = Ledger(asked.fleet, (), remembered(asked.fleet, path))
        await asked.ask(CHAIN, EVENTS)
        assert asked.value(RewardHistory, "orch-0").events == ()


async def test_when_it_was_called_and_when_the_round_began(devnet: Devnet) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    receipt = await devnet.reward(who)
    block = await devnet.rpc.call("eth_getBlockByNumber", receipt["blockNumber"], False)

    async with asked_through(devnet, who) as (asked, proxy):
        proxy.change = lambda call, answer: (
            [{k: v for k, v in log.items() if k != "blockTimestamp"} for log in answer]
            if call["method"] == "eth_getLogs"
            else answer
        )
        await asked.ask(CHAIN, EVENTS)
        history = asked.value(RewardHistory, "orch-0")
        event = history.event_of(4200)
        assert event is not None
        assert event.at == int(block["timestamp"], 16)
        assert history.begun_at is not None
        assert history.begun_at <= event.at
        proxy.change = lambda call, answer: answer
        await devnet.mine(3)
        await asked.ask(CHAIN, EVENTS)
        assert asked.value(RewardHistory, "orch-0").begun_at == history.begun_at


async def test_who_initialised_the_round(devnet: Devnet) -> None:
    who, initialiser = devnet.accounts[1], devnet.accounts[5]
    await devnet.bond(who)
    async with asked_through(devnet, who) as (asked, _):
        await devnet.next_round(initialize=False)
        await asked.ask(CHAIN, EVENTS)
        assert asked.value(RewardHistory, "orch-0").begun_by is None
        await devnet.initialize_round(initialiser)
        await asked.ask(CHAIN, EVENTS)
        assert asked.value(RewardHistory, "orch-0").begun_by == initialiser.lower()
        await devnet.mine(200)
        await asked.ask(CHAIN, EVENTS)
        assert asked.value(RewardHistory, "orch-0").begun_by == initialiser.lower()


async def test_without_the_round_there_is_no_history(devnet: Devnet) -> None:
    async with asked_through(devnet, devnet.accounts[1]) as (asked, proxy):
        proxy.status = 429
        snapshot = await asked.ask(CHAIN, EVENTS)
        problem = snapshot.reading(RewardHistory, "orch-0").problem
        assert problem is not None
        assert problem.kind is ProblemKind.RATE_LIMITED
        assert "the round is not known" in problem.why


class TestFindRewardEvent:
    async def test_finds_the_newest_with_its_sender(self, devnet: Devnet) -> None:
        who = devnet.accounts[1]
        await devnet.bond(who)
        await devnet.reward(who)
        await devnet.next_round()
        receipt = await devnet.reward(who)
        async with asked_through(devnet, who) as (asked, proxy):
            await asked.ask(CHAIN)
            clock = asked.value(ChainRound)
            proxy.fault = limited(1000, "range too large")
            event = await find_reward_event(
                asked.reach.rpc("own"), clock.contracts.bonding_manager, lower(who), clock.head
            )
            assert event is not None
            assert event.tx == receipt["transactionHash"]
            assert event.caller == lower(who)

    async def test_finds_none_where_there_is_none(self, devnet: Devnet) -> None:
        who = devnet.accounts[1]
        await devnet.bond(who)
        async with asked_through(devnet, who) as (asked, _):
            rpc = asked.reach.rpc("own")
            bonding = lower(devnet.bonding.address)
            assert await find_reward_event(rpc, bonding, lower(who), None) is None

    async def test_leaves_out_what_was_before_the_round(self, devnet: Devnet) -> None:
        who = devnet.accounts[1]
        await devnet.bond(who)
        await devnet.reward(who)
        number = Round(await devnet.next_round())
        async with asked_through(devnet, who) as (asked, _):
            rpc = asked.reach.rpc("own")
            bonding = lower(devnet.bonding.address)
            begun = (lower(devnet.rounds.address), number)
            assert await find_reward_event(rpc, bonding, lower(who), None) is not None
            assert await find_reward_event(rpc, bonding, lower(who), None, begun=begun) is None
            receipt = await devnet.reward(who)
            event = await find_reward_event(rpc, bonding, lower(who), None, begun=begun)
            assert event is not None
            assert event.tx == receipt["transactionHash"]

    async def test_an_endpoint_that_gives_no_logs_is_an_error(self, devnet: Devnet) -> None:
        async with asked_through(devnet, devnet.accounts[1]) as (asked, proxy):
            proxy.fault = lambda call: (
                error(-32601, "Method not found") if call["method"] == "eth_getLogs" else None
            )
            with pytest.raises(LptuiError, match="Method not found"):
                await find_reward_event(
                    asked.reach.rpc("own"),
                    lower(devnet.bonding.address),
                    lower(devnet.accounts[1]),
                    None,
                )


def test_what_is_asked_and_promised(devnet: Devnet) -> None:
    fleet = devnet_fleet(devnet, orchestrators={"orch-0": devnet.accounts[1]})
    assert EVENTS.targets(fleet) == (NETWORK,)
    assert {str(key) for key in EVENTS.keys(fleet, NETWORK)} == {
        "RewardHistory@orch-0",
        "StakeHistory@orch-0",
    }
    assert EVENTS.targets(devnet_fleet(devnet)) == ()
