"""A node's word on the reward: what is read of it, and what is not believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, HttpError, LptuiError, ProblemKind
from lptui.fleet.facts.reward import NodeReward
from lptui.fleet.units import Address, Round
from lptui.probes.livepeer.reward import NodeRewardProbe, parse_reward
from lptui.transport.protocols import HttpAnswer
from tests.snapshots import REGISTERED, FleetBuilder
from tests.unit.probes.hostile import HOSTILE, JSON

RECORD = {
    "Transcoder": {
        "Address": REGISTERED,
        "ServiceURI": "https://x.example:8935",
        "LastRewardRound": 4120,
        "RewardCut": 100000,
        "DeactivationRound": 2**256 - 1,
        "Active": True,
        "Status": "Registered",
        "PricePerPixel": None,
    },
    "PriceInfo": "1200",
}


def answer(body: bytes | str, status: int = 200) -> HttpAnswer:
    raw = body.encode() if isinstance(body, str) else body
    return HttpAnswer(status, {}, raw, 0.01)


def answers(**changed: HttpAnswer | LptuiError) -> dict[str, HttpAnswer | LptuiError]:
    found: dict[str, HttpAnswer | LptuiError] = {
        "/currentRound": answer("4121"),
        "/roundInitialized": answer("true"),
        "/orchestratorInfo": answer(json.dumps(RECORD)),
    }
    return found | {f"/{name}": value for name, value in changed.items()}


def test_its_round_and_its_record() -> None:
    assert parse_reward(answers()) == NodeReward(
        Round(4121), True, REGISTERED, Round(4120), active=True, registered=True
    )


def test_a_route_that_fails_leaves_the_others_standing() -> None:
    found = parse_reward(answers(orchestratorInfo=answer("no luck", 500)))
    assert found.round == 4121
    assert found.last_reward_round is None
    assert found.errors == (("/orchestratorInfo", "HTTP 500: no luck"),)
    found = parse_reward(answers(currentRound=HttpError("x", "timed out")))
    assert (found.round, found.last_reward_round) == (None, 4120)


def test_a_node_that_says_nothing_at_all_is_a_failure() -> None:
    dead = HttpError("GET", "refused", kind=ProblemKind.REFUSED)
    with pytest.raises(LptuiError, match="refused"):
        parse_reward(dict.fromkeys(answers(), dead))


@pytest.mark.parametrize(
    "change",
    [
        {"Address": None},
        {"Address": "0x12"},
        {"LastRewardRound": None},
        {"LastRewardRound": "4120"},
        {"LastRewardRound": -1},
        {"LastRewardRound": 2**256 - 1},
        {"LastRewardRound": True},
    ],
)
def test_a_record_that_is_none_is_not_believed(change: dict[str, Any]) -> None:
    record = {"Transcoder": RECORD["Transcoder"] | change}  # type: ignore[operator]
    found = parse_reward(answers(orchestratorInfo=answer(json.dumps(record))))
    assert found.last_reward_round is None
    assert found.errors[0][0] == "/orchestratorInfo"


def test_the_zero_address_is_nobody() -> None:
    record = {"Transcoder": RECORD["Transcoder"] | {"Address": "0x" + "0" * 40}}  # type: ignore[operator]
    found = parse_reward(answers(orchestratorInfo=answer(json.dumps(record))))
    assert found.address is None


@HOSTILE
@given(JSON, st.sampled_from(["currentRound", "roundInitialized", "orchestratorInfo"]))
def test_hostile_bodies(junk: Any, path: str) -> None:
    for body in (junk, {"Transcoder": junk}):
        found = parse_reward(answers(**{path: answer(json.dumps(body))}))
        assert isinstance(found, NodeReward)


@given(st.binary(max_size=200), st.integers(100, 599))
def test_any_body_and_status(body: bytes, status: int) -> None:
    try:
        found = parse_reward(dict.fromkeys(answers(), answer(body, status)))
    except (HttpError, BadAnswerError):
        return
    assert isinstance(found, NodeReward)


def test_only_those_who_may_call_are_asked() -> None:
    fleet = FleetBuilder().fleet
    assert list(NodeRewardProbe().targets(fleet)) == ["reward"]
    assert Address(REGISTERED) == fleet.nodes["reward"].account
