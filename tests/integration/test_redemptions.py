"""Redeemed tickets from real logs, through endpoints that limit, prune, forget and reorganise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lptui.collector.ledger import Ledger
from lptui.errors import ProblemKind
from lptui.fleet.facts.tickets import Redemptions
from lptui.history.rewards import remembered, save
from lptui.probes.chain import abi
from lptui.probes.chain.events import OVERLAP, ChainEventsProbe
from lptui.probes.chain.probe import ChainProbe
from lptui.probes.chain.redemptions import EVERY_S, RedemptionsProbe
from tests.devnet.chain import ETH, Devnet
from tests.devnet.fixtures import anvil, devnet
from tests.integration.cycles import Cycles, lower
from tests.integration.rpc_proxy import RpcProxy
from tests.integration.test_chain_events import asked_through, limited

__all__ = ["anvil", "devnet"]

CHAIN = ChainProbe()
EVENTS = ChainEventsProbe()
REDEEMED = RedemptionsProbe()
FACE = ETH // 100


async def funded(net: Devnet) -> tuple[str, str]:
    """A gateway that can pay, and a bonded orchestrator."""
    payer, who = net.accounts[1:3]
    await net.bond(who)
    await net.fund_payer(payer, 3 * ETH, ETH)
    return payer, who


def counted(asked: Cycles, name: str = "orch-0") -> list[tuple[int, int, int]]:
    rounds = asked.value(Redemptions, name).rounds
    return [(part.round, part.count, int(part.value)) for part in rounds]


def ranges(proxy: RpcProxy) -> list[tuple[int, int]]:
    """The ranges of blocks that redemptions were asked of."""
    return [
        (int(query["fromBlock"], 16), int(query["toBlock"], 16))
        for batch in proxy.requests
        for call in batch
        if call["method"] == "eth_getLogs"
        and (query := call["params"][0])["topics"][0] == [abi.TICKET_REDEEMED.topic]
    ]


async def test_tickets_and_eth_of_each_round_and_the_newest_with_its_transaction(
    devnet: Devnet,
) -> None:
    payer, who = await funded(devnet)
    await devnet.redeem_ticket(payer, who, FACE)
    await devnet.redeem_ticket(payer, devnet.accounts[4], 7 * FACE)
    await devnet.next_round()
    await devnet.redeem_ticket(payer, who, 2 * FACE)
    receipt = await devnet.redeem_ticket(payer, who, 3 * FACE)
    await devnet.mine(OVERLAP)
    async with asked_through(devnet, who, devnet.accounts[3]) as (asked, _):
        await asked.ask(CHAIN, EVENTS, REDEEMED)
        assert counted(asked) == [(4200, 1, FACE), (4201, 2, 5 * FACE)]
        newest = asked.value(Redemptions, "orch-0").newest
        assert newest is not None
        assert (newest.value, newest.payer) == (3 * FACE, lower(payer))
        assert newest.tx == receipt["transactionHash"]
        assert newest.block == int(receipt["blockNumber"], 16)
        block = await devnet.rpc.call("eth_getBlockByNumber", receipt["blockNumber"], False)
        assert newest.at == int(block["timestamp"], 16)
        assert counted(asked, "orch-1") == [(4200, 0, 0), (4201, 0, 0)]
        assert asked.value(Redemptions, "orch-1").newest is None


async def test_it_is_asked_every_ten_minutes_and_at_a_rounds_beginning_for_new_blocks_alone(
    devnet: Devnet,
) -> None:
    payer, who = await funded(devnet)
    await devnet.redeem_ticket(payer, who, FACE)
    await devnet.mine(OVERLAP)
    async with asked_through(devnet, who) as (asked, proxy):
        await asked.ask(CHAIN, EVENTS, REDEEMED)
        first = asked.value(Redemptions, "orch-0")
        await devnet.redeem_ticket(payer, who, FACE)
        await devnet.mine(OVERLAP)
        proxy.requests.clear()
        await asked.ask(CHAIN, EVENTS, REDEEMED)
        assert ranges(proxy) == []
        assert asked.value(Redemptions, "orch-0") == first
        asked.clock.ahead += EVERY_S
        await asked.ask(REDEEMED)
        ((start, stop),) = ranges(proxy)
        assert start == first.upto_block + 1
        assert counted(asked) == [(4200, 2, 2 * FACE)]
        await devnet.next_round()
        proxy.requests.clear()
        for _ in range(2):
            await asked.ask(CHAIN, EVENTS, REDEEMED)
        assert ranges(proxy) == [], "its beginning is not settled yet"
        await devnet.mine(OVERLAP)
        await asked.ask(CHAIN, EVENTS, REDEEMED)
        assert [first for first, _ in ranges(proxy)] == [stop + 1]
        assert counted(asked)[-1] == (4201, 0, 0)


async def test_a_later_run_goes_on_from_where_the_one_before_was(
    devnet: Devnet, tmp_path: Path
) -> None:
    payer, who = await funded(devnet)
    await devnet.redeem_ticket(payer, who, FACE)
    await devnet.mine(OVERLAP)
    path = tmp_path / "rewards.json"
    async with asked_through(devnet, who) as (asked, _):
        save(await asked.ask(CHAIN, EVENTS, REDEEMED), path)
        before = asked.value(Redemptions, "orch-0")
    await devnet.redeem_ticket(payer, who, FACE)
    await devnet.mine(OVERLAP)
    async with asked_through(devnet, who) as (asked, proxy):
        asked.ledger = Ledger(asked.fleet, (), remembered(asked.fleet, path))
        await asked.ask(CHAIN, EVENTS, REDEEMED)
        assert ranges(proxy) == []
        asked.clock.ahead += EVERY_S
        await asked.ask(REDEEMED)
        assert [first for first, _ in ranges(proxy)] == [before.upto_block + 1]
        assert counted(asked) == [(4200, 2, 2 * FACE)]


async def test_an_endpoint_that_limits_ranges_gives_the_same_piece_by_piece(devnet: Devnet) -> None:
    payer, who = await funded(devnet)
    await devnet.redeem_ticket(payer, who, FACE)
    await devnet.mine(700)
    await devnet.redeem_ticket(payer, who, FACE)
    await devnet.mine(OVERLAP)
    async with asked_through(devnet, who) as (asked, proxy):
        proxy.fault = limited(300, "exceed maximum block range: 300")
        await asked.ask(CHAIN, EVENTS, REDEEMED)
        assert counted(asked) == [(4200, 2, 2 * FACE)]
        assert max(last - first + 1 for first, last in ranges(proxy)[-2:]) <= 300


async def test_rounds_whose_logs_were_pruned_are_not_known_and_never_zero(devnet: Devnet) -> None:
    payer, who = await funded(devnet)
    await devnet.redeem_ticket(payer, who, FACE)
    begun = await devnet.rpc.call("eth_blockNumber")
    await devnet.next_round()
    await devnet.redeem_ticket(payer, who, FACE)
    await devnet.mine(OVERLAP)

    def pruned(call: dict[str, Any], result: Any) -> Any:
        """It knows of old blocks, and says of their logs that there are none."""
        if call["method"] != "eth_getLogs":
            return result
        return [log for log in result if int(log["blockNumber"], 16) > int(begun, 16)]

    async with asked_through(devnet, who) as (asked, proxy):
        await asked.ask(CHAIN, EVENTS)
        proxy.change = pruned
        await asked.ask(REDEEMED)
        assert counted(asked) == [(4201, 1, FACE)]
        found = asked.value(Redemptions, "orch-0")
        assert found.of(4200) is None
        assert found.missing == "own has no log of round 4200's beginning any more"


async def test_an_endpoint_without_any_of_the_logs_leaves_it_unknown_with_the_reason(
    devnet: Devnet,
) -> None:
    payer, who = await funded(devnet)
    await devnet.redeem_ticket(payer, who, FACE)
    await devnet.mine(OVERLAP)
    async with asked_through(devnet, who) as (asked, proxy):
        await asked.ask(CHAIN, EVENTS)
        proxy.change = lambda call, result: [] if call["method"] == "eth_getLogs" else result
        snapshot = await asked.ask(REDEEMED)
        problem = snapshot.reading(Redemptions, "orch-0").problem
        assert problem is not None
        assert "round 4200's beginning" in str(problem)


async def test_without_the_rounds_beginnings_nothing_is_counted(devnet: Devnet) -> None:
    _, who = await funded(devnet)
    async with asked_through(devnet, who) as (asked, proxy):
        snapshot = await asked.ask(CHAIN, REDEEMED)
        problem = snapshot.reading(Redemptions, "orch-0").problem
        assert problem is not None
        assert problem.kind is ProblemKind.NOT_READ
        assert ranges(proxy) == []


async def test_of_a_chain_that_has_just_begun_nothing_is_settled_and_that_is_no_failure(
    devnet: Devnet,
) -> None:
    payer, who = await funded(devnet)
    await devnet.redeem_ticket(payer, who, FACE)
    async with asked_through(devnet, who) as (asked, proxy):
        await asked.ask(CHAIN, EVENTS, REDEEMED)
        found = asked.value(Redemptions, "orch-0")
        assert (found.rounds, found.newest) == ((), None)
        assert "64 blocks deep" in found.missing
        assert ranges(proxy) == []
        await devnet.mine(OVERLAP)
        await asked.ask(CHAIN, EVENTS, REDEEMED)
        assert counted(asked) == [(4200, 1, FACE)]


async def test_what_was_counted_in_blocks_that_are_gone_is_counted_anew(devnet: Devnet) -> None:
    payer, who = await funded(devnet)
    await devnet.mine(2)
    await devnet.redeem_ticket(payer, who, FACE)
    await devnet.mine(OVERLAP)
    async with asked_through(devnet, who) as (asked, _):
        await asked.ask(CHAIN, EVENTS, REDEEMED)
        assert counted(asked) == [(4200, 1, FACE)]
        await devnet.reorganise(OVERLAP + 1)
        await devnet.mine(OVERLAP + 2)
        asked.clock.ahead += EVERY_S
        await asked.ask(CHAIN, EVENTS, REDEEMED)
        assert counted(asked) == [(4200, 0, 0)]
        assert asked.value(Redemptions, "orch-0").newest is None
