"""Who calls, what it costs and mints, and what lptui may call by itself, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.fleet.facts.chain import GasPrices, OrchestratorRecord
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.retry import Decision, RewardRetry, Standing
from lptui.fleet.units import Wei
from lptui.history.series import History
from lptui.present.callers import automatic_lines, caller_lines
from lptui.present.model import Line, State
from lptui.present.rounds import present
from lptui.present.view import Findings, View
from tests.snapshots import DELEGATE, NETWORK, NOW, FleetBuilder


def view_of(fleet: FleetBuilder, *retries: Decision) -> View:
    return View(fleet.snapshot(), NOW, Findings(), History(), retries=retries)


def told(fleet: FleetBuilder, *retries: Decision) -> dict[str, str]:
    """The lines of the detail by their heads."""
    view = view_of(fleet, *retries)
    [section] = present(view).sections
    [row] = section.rows
    assert row.state is State.OK
    lines = [text(line) for line in caller_lines(view, row)]
    return {line[:14].strip(): line[14:] for line in lines}


def text(line: Line) -> str:
    return "".join(span.text for span in line)


WAITING = Decision("main", Standing.WAITING, "tried at noon", NOW + 1500.0, 1, 3)


def test_the_registered_keys_node_and_what_a_call_costs_and_mints() -> None:
    found = told(FleetBuilder())
    assert found["contract"] == "the registered key alone may call"
    assert found["node"].startswith("reward registered key 0xaaaa…aaaa, calls by itself, ")
    assert "500,000 gas at" in found["cost now"]
    assert found["mints"].startswith("about 87.5000 LPT")
    assert "price of LPT is not configured" in found["mints"]
    assert "off" in found["automatic"]
    assert "BLOCKED" not in found


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"has_reward_caller": False}, "LIP-118 is not deployed"),
        ({"has_reward_caller": None}, "does not tell"),
        ({"reward_caller": DELEGATE}, f"names {DELEGATE} as caller besides (no node of the fleet)"),
    ],
)
def test_what_the_contract_says_of_other_callers(changes: dict[str, object], words: str) -> None:
    found = told(FleetBuilder().change(OrchestratorRecord, "main", **changes))
    assert words in found["contract"]


def test_a_gas_cap_below_the_price_blocks_the_call() -> None:
    fleet = FleetBuilder().change(GasPrices, NETWORK, gas_price=Wei(2_000_000_000))
    assert "is above reward's cap of 1.0000 gwei" in told(fleet)["BLOCKED"]


def test_a_node_that_is_not_known_is_not_taken_for_a_caller() -> None:
    fleet = FleetBuilder().change(NodeIdentity, "reward", account=DELEGATE)
    assert told(fleet)["node"] == "none of the fleet's may call"


def test_armed_calls_say_when_the_next_one_comes_and_why_not_now() -> None:
    fleet = FleetBuilder().configure_chain(reward_retry=RewardRetry())
    assert told(fleet, WAITING)["automatic"] == (
        "armed: next try in 25m (tried at noon)  1 of 3 tries made"
    )
    assert told(fleet)["automatic"] == "armed; this console has not looked yet"
    hindered = replace(WAITING, standing=Standing.HINDERED, why="gas is dear", at=None)
    assert "armed: not now: gas is dear" in told(fleet, hindered)["automatic"]


def test_the_pane_shows_what_is_most_pressing_first_and_no_more_than_fits() -> None:
    others = [Decision(f"o{n}", Standing.IDLE, "already called") for n in range(3)]
    lines = [text(line) for line in automatic_lines(view_of(FleetBuilder(), *others, WAITING))]
    assert lines[0].startswith("automatic armed main 1/3 next try in 25m")
    assert lines[-1].strip() == "and 2 more"
    assert automatic_lines(view_of(FleetBuilder())) == ()
