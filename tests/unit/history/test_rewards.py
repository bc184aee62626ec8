"""What is kept of past rounds between runs, and what a damaged file does: nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import ProblemKind
from lptui.fleet.facts.chain import RewardHistory
from lptui.fleet.facts.reward import Hindrance, L1Pace, RewardWatch, RoundNote, RoundSeen
from lptui.fleet.facts.stake import StakeChange, StakeEvent, StakeHistory
from lptui.fleet.facts.tickets import RedeemedInRound, Redemptions
from lptui.fleet.reading import Key, Reading
from lptui.fleet.units import Address, L1Block, L2Block, Lptu, Round, Wei
from lptui.history.files import LONGEST_FILE
from lptui.history.rewards import file_name, remembered, save
from tests.snapshots import DELEGATE, HEAD, NETWORK, NOW, REGISTERED, ROUND, FleetBuilder

ANCHOR = (L2Block(HEAD - 64), "0x" + "5a" * 32)
WATCH = RewardWatch(
    notes=(RoundNote(Round(ROUND - 1), Hindrance.GAS_ABOVE_CAP, "gas was dear", NOW - 9, NOW - 2),),
    seen=(RoundSeen(Round(ROUND - 1), NOW - 9, NOW - 2, 640),),
    errors=(("reward", 3),),
    caller=DELEGATE,
)
SLASHED = StakeEvent(
    *(StakeChange.SLASHED, Round(ROUND - 2), L2Block(HEAD - 9), 4, "0x" + "5b" * 32),
    *(Lptu(300 * 10**18), DELEGATE),
)
UNBOND = StakeEvent(
    *(StakeChange.UNBOND, None, L2Block(HEAD - 8), 0, "0x" + "5c" * 32),
    *(Lptu(2**255), DELEGATE, 7, Round(ROUND + 5)),
)
STAKES = StakeHistory(
    (SLASHED, UNBOND),
    L2Block(HEAD - 900),
    L2Block(HEAD),
    complete=False,
    most=((Round(ROUND - 1), Lptu(10**24)),),
)
PACE = L1Pace(((NOW - 1200.0, L1Block(100)), (NOW, L1Block(200))))


def learnt() -> FleetBuilder:
    fleet = FleetBuilder().change(RewardHistory, "main", anchor=ANCHOR, begun_at=NOW - 60)
    fleet = fleet.change(RewardHistory, "main", begun_by=Address("0x" + "5a" * 20))
    part = RedeemedInRound(Round(ROUND - 2), L2Block(HEAD - 900_000), 3, Wei(2**90))
    fleet.change(Redemptions, "main", anchor=ANCHOR, missing="pruned", partial=part)
    return fleet.put(WATCH, "main").put(STAKES, "main").put(PACE, NETWORK)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "rewards.json"


def test_a_run_begins_with_what_the_one_before_learnt(path: Path) -> None:
    fleet = learnt()
    save(fleet.snapshot(), path)
    found = remembered(fleet.fleet, path)
    expected = {
        Key(RewardHistory, "main"): fleet.value(RewardHistory, "main"),
        Key(StakeHistory, "main"): STAKES,
        Key(Redemptions, "main"): fleet.value(Redemptions, "main"),
        Key(RewardWatch, "main"): WATCH,
        Key(L1Pace, NETWORK): PACE,
    }
    assert {key: r.last_good.value for key, r in found.items() if r.last_good} == expected
    # It is no reading of this run: nothing is concluded from it but by who asks the chain.
    assert {r.problem.kind for r in found.values() if r.problem} == {ProblemKind.NOT_READ}
    assert all(reading.value is None for reading in found.values())


def test_without_its_anchor_a_history_cannot_be_checked_and_is_left_out(path: Path) -> None:
    fleet = learnt().change(RewardHistory, "main", anchor=None)
    fleet.change(Redemptions, "main", anchor=None)
    save(fleet.snapshot(), path)
    left = {Key(StakeHistory, "main"), Key(RewardWatch, "main"), Key(L1Pace, NETWORK)}
    assert set(remembered(fleet.fleet, path)) == left


def test_a_run_that_could_not_read_leaves_what_was_known(path: Path) -> None:
    fleet = learnt()
    save(fleet.snapshot(), path)
    before = remembered(fleet.fleet, path)
    save(fleet.fail(RewardHistory, "main").drop(RewardWatch, "main").snapshot(), path)
    assert remembered(fleet.fleet, path) == before


def test_a_first_run_that_could_not_read_the_chain_leaves_what_it_saw_beside_it(path: Path) -> None:
    fleet = learnt().fail(RewardHistory, "main").fail(L1Pace, NETWORK)
    save(fleet.snapshot(), path)
    found = remembered(fleet.fleet, path)
    assert found[Key(RewardWatch, "main")].last_good == Reading(
        WATCH, None, "what earlier runs learnt", 0.0
    )


def test_another_fleets_orchestrators_on_the_same_contracts_are_kept(path: Path) -> None:
    fleet = learnt()
    save(fleet.snapshot(), path)
    document = json.loads(path.read_text())
    document["orchestrators"]["0x" + "77" * 20] = document["orchestrators"][REGISTERED]
    path.write_text(json.dumps(document))
    save(fleet.snapshot(), path)
    assert set(json.loads(path.read_text())["orchestrators"]) == {REGISTERED, "0x" + "77" * 20}


def test_other_contracts_have_another_file() -> None:
    chain = FleetBuilder().fleet.chain
    assert chain is not None
    assert str(chain.chain_id) in file_name(chain)
    assert chain.controller[2:10] in file_name(chain)


def test_a_file_that_is_none_is_nothing_learnt(path: Path) -> None:
    fleet = learnt().fleet
    assert remembered(fleet, path) == {}
    path.parent.mkdir(parents=True)
    for text in ("", "{", "[]", "null", "[" * 100_000, '{"version": 2}', "x" * LONGEST_FILE * 2):
        path.write_text(text)
        assert remembered(fleet, path) == {}


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    save(learnt().snapshot(), tmp_path / "file" / "rewards.json")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=6)
            | st.dictionaries(
                st.sampled_from(
                    ["rounds", "events", "since", "upto", "anchor", "notes", "seen", "x"]
                ),
                inner,
            )
        ),
        max_leaves=20,
    ),
    st.sampled_from(["RewardHistory", "RewardWatch", "at", "pace", "pace_at"]),
)
def test_whatever_stands_in_the_file_is_a_proper_value_or_left_out(
    tmp_path_factory: pytest.TempPathFactory, junk: Any, part: str
) -> None:
    path = tmp_path_factory.mktemp("state") / "rewards.json"
    fleet = learnt()
    save(fleet.snapshot(), path)
    document = json.loads(path.read_text())
    if part in document:
        document[part] = junk
    else:
        document["orchestrators"][REGISTERED][part] = junk
    path.write_text(json.dumps(document))
    for key, reading in remembered(fleet.fleet, path).items():
        assert reading.last_good is not None
        assert isinstance(reading.last_good.value, key.topic)
