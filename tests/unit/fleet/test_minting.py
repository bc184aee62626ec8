"""What a call of reward mints and is worth, beside what it costs; no price is made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.actions.plan import Plan, Request
from lptui.actions.reward import Reward
from lptui.fleet.facts.chain import ChainRound, GasPrices, OrchestratorRecord
from lptui.fleet.minting import mint_of
from lptui.fleet.topology import Chain
from lptui.fleet.units import Lptu, Round, Wei
from tests.snapshots import NETWORK, ROUND, FleetBuilder

SHARE = 7_000 * 10**18 * 250_000 // 20_000_000
"""The reference fleet's share of what a round mints: 87.5 LPT."""


def parts(fleet: FleetBuilder) -> tuple[Chain, ChainRound, OrchestratorRecord]:
    assert fleet.fleet.chain is not None
    clock = fleet.value(ChainRound, NETWORK)
    return fleet.fleet.chain, clock, fleet.value(OrchestratorRecord, "main")


def plan_of(fleet: FleetBuilder) -> Plan:
    fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    return Reward().plan(fleet.snapshot(), Request(("main",)))


def test_it_is_the_share_of_the_active_stake_less_the_treasurys() -> None:
    fleet = FleetBuilder().change(ChainRound, NETWORK, treasury_cut=10**26)
    found = mint_of(*parts(fleet))
    assert found is not None
    assert (found.amount, found.is_net, found.worth) == (SHARE - SHARE // 10, True, None)
    assert str(found) == "about 78.7500 LPT (the price of LPT is not configured)"


def test_a_treasurys_share_that_was_not_read_is_said() -> None:
    found = mint_of(*parts(FleetBuilder()))
    assert found is not None
    assert (found.amount, found.is_net) == (SHARE, False)
    assert "before the treasury's share" in str(found)


def test_a_configured_price_gives_its_worth_to_the_wei() -> None:
    chain, clock, record = parts(FleetBuilder().configure_chain(lpt_price=Wei(2 * 10**15 + 1)))
    found = mint_of(chain, clock, record)
    assert found is not None
    assert found.worth == SHARE * (2 * 10**15 + 1) // 10**18
    assert "0.175000 ETH at the configured price" in str(found)


@pytest.mark.parametrize("missing", ["mintable", "total_active_stake"])
def test_without_one_of_its_parts_it_is_unknown(missing: str) -> None:
    chain, clock, record = parts(FleetBuilder())
    assert mint_of(chain, replace(clock, **{missing: None}), record) is None  # type: ignore[arg-type]
    assert mint_of(chain, replace(clock, total_active_stake=Lptu(0)), record) is None
    assert mint_of(chain, None, record) is None
    assert mint_of(chain, clock, None) is None
    assert mint_of(chain, clock, replace(record, stake=None)) is None


def test_the_plan_says_what_it_mints_beside_what_it_costs() -> None:
    plan = plan_of(FleetBuilder())
    assert "mints about 87.5000 LPT" in plan.effect
    assert "ETH" in plan.cost
    assert plan.warnings == ()


def test_a_call_that_costs_more_than_it_mints_is_warned_of_where_a_price_is_known() -> None:
    def warnings(price: Wei | None) -> tuple[str, ...]:
        fleet = FleetBuilder().configure_chain(lpt_price=price)
        return plan_of(fleet.change(GasPrices, NETWORK, gas_price=Wei(10**7))).warnings

    # 500,000 gas at 0.01 gwei are 5,000 gwei; 87.5 LPT are worth that at 57.2 gwei each.
    assert warnings(None) == ()
    assert warnings(Wei(58 * 10**9)) == ()
    assert any("costs more than it mints" in told for told in warnings(Wei(57 * 10**9)))


def test_the_price_is_no_part_of_what_is_confirmed() -> None:
    dear = FleetBuilder().configure_chain(lpt_price=Wei(1))
    assert plan_of(dear).hash == plan_of(FleetBuilder()).hash
