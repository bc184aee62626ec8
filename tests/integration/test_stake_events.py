"""What changed an orchestrator's stake and standing, from real logs."""

from __future__ import annotations

from pathlib import Path

from lptui.collector.ledger import Ledger
from lptui.fleet.facts.stake import StakeChange, StakeEvent, StakeHistory
from lptui.history.rewards import remembered, save
from lptui.probes.chain.events import ChainEventsProbe
from lptui.probes.chain.probe import ChainProbe
from tests.devnet.chain import LPT, Devnet
from tests.devnet.fixtures import anvil, devnet
from tests.integration.cycles import Cycles, lower
from tests.integration.test_chain_events import asked_through, queries

__all__ = ["anvil", "devnet"]

CHAIN = ChainProbe()
EVENTS = ChainEventsProbe()


def events(asked: Cycles, name: str = "orch-0") -> tuple[StakeEvent, ...]:
    return asked.value(StakeHistory, name).events


async def bond_of(net: Devnet, delegator: str, whom: str, lpt: int) -> None:
    await net.send(net.bonding, "bond", lpt * LPT, whom, sender=delegator)


async def test_bonds_unbondings_and_who_made_them(devnet: Devnet) -> None:
    who, delegator, other = devnet.accounts[1:4]
    await devnet.bond(who)
    await devnet.bond(other)
    await bond_of(devnet, delegator, other, 70)
    await bond_of(devnet, delegator, who, 5)
    await devnet.next_round()
    await devnet.send(devnet.bonding, "unbond", 25 * LPT, sender=delegator)
    await devnet.send(devnet.bonding, "rebond", 0, sender=delegator)
    async with asked_through(devnet, who) as (asked, _):
        await asked.ask(CHAIN, EVENTS)
        joined, *changes = events(asked)
        assert (joined.change, joined.effective) == (StakeChange.ACTIVATED, 4201)
        told = [(one.change, one.round, (one.amount or 0) // LPT, one.who) for one in changes]
        # It came with all that it had at the other one.
        assert told == [
            (StakeChange.BOND, 4200, 75, lower(delegator)),
            (StakeChange.UNBOND, 4201, 25, lower(delegator)),
            (StakeChange.REBOND, 4201, 25, lower(delegator)),
        ]
        assert (changes[1].lock, changes[1].effective) == (0, 4208)
        assert asked.value(StakeHistory, "orch-0").complete


async def test_a_slashing_its_round_and_what_it_leads_to(devnet: Devnet) -> None:
    who, finder = devnet.accounts[1:3]
    await devnet.bond(who, 1000 * LPT)
    receipt = await devnet.send(devnet.bonding, "slash", who, 300 * LPT, finder)
    async with asked_through(devnet, who) as (asked, _):
        await asked.ask(CHAIN, EVENTS)
        deactivated, slashed = events(asked)[-2:]
        assert (deactivated.change, deactivated.effective) == (StakeChange.DEACTIVATED, 4201)
        assert slashed.change is StakeChange.SLASHED
        assert (slashed.round, slashed.amount, slashed.who) == (4200, 300 * LPT, lower(finder))
        assert slashed.tx == receipt["transactionHash"]


async def test_rates_and_an_own_unbonding_that_was_withdrawn(devnet: Devnet) -> None:
    who = devnet.accounts[1]
    await devnet.bond(who)
    await devnet.reward(who)
    await devnet.send(devnet.bonding, "transcoder", 150_000, 700_000, sender=who)
    await devnet.send(devnet.bonding, "unbond", 10 * LPT, sender=who)
    for _ in range(7):
        await devnet.next_round()
    await devnet.send(devnet.bonding, "withdrawStake", 0, sender=who)
    async with asked_through(devnet, who) as (asked, _):
        await asked.ask(CHAIN, EVENTS)
        rates, unbond, withdrawn = events(asked)[-3:]
        assert (rates.reward_cut, rates.fee_share) == (150_000, 700_000)
        assert (unbond.lock, unbond.effective, unbond.who) == (0, 4207, lower(who))
        assert (withdrawn.change, withdrawn.lock) == (StakeChange.WITHDRAWN, 0)
        assert (withdrawn.round, withdrawn.amount) == (4207, 10 * LPT)


async def test_each_orchestrator_has_its_own(devnet: Devnet) -> None:
    one, two = devnet.accounts[1:3]
    await devnet.bond(one)
    await devnet.bond(two)
    async with asked_through(devnet, one, two) as (asked, _):
        await asked.ask(CHAIN, EVENTS)
        assert len(events(asked, "orch-0")) == len(events(asked, "orch-1")) == 1
        assert events(asked, "orch-0") != events(asked, "orch-1")


async def test_they_are_added_to_from_cycle_to_cycle_and_go_with_the_blocks_they_were_in(
    devnet: Devnet,
) -> None:
    who, delegator = devnet.accounts[1:3]
    await devnet.bond(who)
    async with asked_through(devnet, who) as (asked, proxy):
        await asked.ask(CHAIN, EVENTS)
        await bond_of(devnet, delegator, who, 5)
        proxy.requests.clear()
        await asked.ask(CHAIN, EVENTS)
        assert [one.change for one in events(asked)] == [StakeChange.ACTIVATED, StakeChange.BOND]
        assert len(queries(proxy)) == 1
        await devnet.reorganise(1)
        await devnet.mine()
        await asked.ask(CHAIN, EVENTS)
        assert [one.change for one in events(asked)] == [StakeChange.ACTIVATED]


async def test_a_later_run_still_knows_of_an_old_slashing(devnet: Devnet, tmp_path: Path) -> None:
    who, finder = devnet.accounts[1:3]
    await devnet.bond(who)
    await devnet.send(devnet.bonding, "slash", who, 300 * LPT, finder)
    await devnet.mine(500)
    path = tmp_path / "rewards.json"
    async with asked_through(devnet, who) as (asked, _):
        save(await asked.ask(CHAIN, EVENTS), path)
    await devnet.mine(10)
    async with asked_through(devnet, who) as (asked, proxy):
        asked.ledger = Ledger(asked.fleet, (), remembered(asked.fleet, path))
        await asked.ask(CHAIN, EVENTS)
        assert StakeChange.SLASHED in [one.change for one in events(asked)]
        ((first, last),) = queries(proxy)
        assert last - first < 100
