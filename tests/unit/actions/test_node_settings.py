"""Plans for a running node's settings."""

from __future__ import annotations

import pytest

from lptui.actions.moves.move import Standing
from lptui.actions.moves.node_setting import GAS_CAP, NO_CAP, NodeSettingMove, step
from lptui.actions.node_settings import SetLogLevel, SetMaxGasPrice, SetMaxSessions
from lptui.actions.plan import Plan, Request
from lptui.fleet.facts.chain import GasPrices, SignerAccount
from lptui.fleet.facts.gas import FeeTrend, FeeWindow
from lptui.fleet.facts.livepeer import NodeIdentity, NodeMetrics
from lptui.fleet.gas import exact_gwei, suggested_cap
from lptui.fleet.units import L2Block, Wei
from tests.snapshots import NETWORK, REGISTERED, FleetBuilder

GWEI = 10**9


def plan(fleet: FleetBuilder, price: str = "", node: str = "reward") -> Plan:
    options = (("price", price),) if price else ()
    return SetMaxGasPrice().plan(fleet.snapshot(), Request((node,), options))


def amount(made: Plan) -> int:
    [only] = made.steps
    return int(only.value("to"))


@pytest.mark.parametrize(
    ("written", "wei"),
    [
        ("0.05 gwei", 50_000_000),
        ("0.05gwei", 50_000_000),
        ("2 GWEI", 2 * GWEI),
        ("7 wei", 7),
        ("0.000000001 gwei", 1),
        ("1000000 gwei", 10**15),
    ],
)
def test_a_price_is_taken_to_the_wei(written: str, wei: int) -> None:
    assert amount(plan(FleetBuilder(), written)) == wei


@pytest.mark.parametrize(
    "written",
    [
        *("0", "0 gwei", "0.0000000001 gwei", "1.5 wei", "5", "-1 gwei", "1e3 gwei"),
        *("1000001 gwei", "five gwei", "٣ gwei", "\x1b[2J gwei", "NaN gwei", "1 eth"),
    ],
)
def test_what_is_no_price_above_zero_is_refused(written: str) -> None:
    made = plan(FleetBuilder(), written)
    assert made.refusals
    assert made.steps == ()
    assert "\x1b" not in made.why_not


def test_without_a_price_the_suggested_one_is_taken() -> None:
    fleet = FleetBuilder().change(GasPrices, NETWORK, gas_price=Wei(10 * GWEI))
    assert amount(plan(fleet)) == 20 * GWEI
    window = FeeWindow(fleet.now, Wei(GWEI), Wei(GWEI), Wei(61_200_000_000))
    fleet.put(FeeTrend((window,), L2Block(1), 256, fleet.now), NETWORK)
    assert amount(plan(fleet)) == 130 * GWEI
    assert plan(fleet.fail(GasPrices, NETWORK).drop(FeeTrend, NETWORK)).refusals


def test_a_suggestion_has_room_and_two_digits() -> None:
    assert suggested_cap(GasPrices(Wei(17_084_828)), None) == 35_000_000
    assert suggested_cap(GasPrices(Wei(0), Wei(0)), None) is None
    assert suggested_cap(None, None) is None
    assert exact_gwei(35_000_001) == "0.035000001 gwei"


def test_what_the_operator_should_know() -> None:
    fleet = FleetBuilder().change(GasPrices, NETWORK, gas_price=Wei(10 * GWEI))
    fleet.change(SignerAccount, REGISTERED, balance=Wei(10**16))
    assert any("would send nothing" in warning for warning in plan(fleet, "9 gwei").warnings)
    assert any("do not cover" in warning for warning in plan(fleet, "21 gwei").warnings)
    assert any("protects from nothing" in w for w in plan(fleet, "1001 gwei").warnings)
    assert any("forgotten" in warning for warning in plan(fleet, "15 gwei").warnings)


@pytest.mark.parametrize("routes", [False, None])
def test_a_node_that_may_not_offer_the_route_is_refused(routes: bool | None) -> None:
    fleet = FleetBuilder().change(NodeIdentity, "reward", tx_routes=routes)
    assert plan(fleet, "5 gwei").refusals


def test_a_cap_that_is_not_known_is_not_replaced() -> None:
    fleet = FleetBuilder().change(NodeIdentity, "reward", has_gas_cap=None, max_gas_price=None)
    made = plan(fleet, "5 gwei")
    assert made.refusals
    assert made.steps == ()


def test_how_far_it_is_is_told_by_what_the_node_says() -> None:
    fleet = FleetBuilder().change(NodeIdentity, "reward", max_gas_price=Wei(5))
    node = fleet.fleet.nodes["reward"]
    move = NodeSettingMove()
    for was, to, expected in (
        ("5", "7", Standing.BEFORE),
        ("3", "5", Standing.MADE),
        ("3", "4", Standing.OTHER),
        (NO_CAP, "4", Standing.OTHER),
    ):
        seen = move.seen(step(node, GAS_CAP, was, to), fleet.snapshot(), None)
        assert seen.standing is expected
    fleet.fail(NodeIdentity, "reward")
    made = step(node, GAS_CAP, "5", "7")
    assert move.seen(made, fleet.snapshot(), None).standing is Standing.UNKNOWN


@pytest.mark.parametrize("sessions", ["0", "", "many", "-1", "100001", "1.5"])
def test_a_session_cap_is_a_number_above_zero(sessions: str) -> None:
    request = Request(("orch-1",), (("sessions", sessions),))
    assert SetMaxSessions().plan(FleetBuilder().snapshot(), request).refusals


def test_a_session_cap_below_what_it_has_is_told() -> None:
    fleet = FleetBuilder().change(NodeMetrics, "orch-1", current_sessions=9, max_sessions=10)
    request = Request(("orch-1",), (("sessions", "5"),))
    made = SetMaxSessions().plan(fleet.snapshot(), request)
    assert any("9 sessions now" in warning for warning in made.warnings)
    assert made.steps[0].call.endswith("/setMaxSessions maxSessions=5")


def test_a_log_level_that_it_has_is_nothing_to_do() -> None:
    fleet = FleetBuilder().change(NodeIdentity, "reward", log_level=6)
    request = Request(("reward",), (("level", "6"),))
    assert "already" in SetLogLevel().plan(fleet.snapshot(), request).done
    other = Request(("reward",), (("level", "3"),))
    [only] = SetLogLevel().plan(fleet.snapshot(), other).steps
    assert only.undo == "back to 6"
