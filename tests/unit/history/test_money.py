"""What is kept of money between runs, and files that are no such record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lptui.fleet.facts.gas import PaidCall
from lptui.fleet.facts.money import AccountFlow, EarningsFlow, Flow, RoundFlow
from lptui.fleet.reading import Key
from lptui.fleet.units import L2Block, Round, Wei
from lptui.history.money import MOST, remembered, save
from tests.snapshots import REDEEMER, REGISTERED, FleetBuilder

FLOW = Flow(
    2**200,
    17,
    Round(4121),
    1_800_000_000.5,
    (
        RoundFlow(Round(4120), 2**190, 5, 76_000.5, 3, 1, 9),
        RoundFlow(Round(4121), 1, 0, 12.5, 1, 0),
    ),
)
PAID = PaidCall("0x" + "7e" * 32, L2Block(101), 478_000, Wei(10_000_000))


@pytest.fixture
def fleet() -> FleetBuilder:
    fleet = FleetBuilder().put(AccountFlow(FLOW), REDEEMER)
    return fleet.put(EarningsFlow(FLOW, None), "main").put(PAID, "main")


def test_what_earlier_versions_kept_is_still_read(fleet: FleetBuilder, tmp_path: Path) -> None:
    path = tmp_path / "money.json"
    save(fleet.snapshot(), path)
    text = path.read_text()
    assert text.count(', "9"]') + text.count(',"9"]') == 2
    path.write_text(text.replace(', "9"]', "]").replace(',"9"]', "]"))
    found = remembered(fleet.fleet, path)
    [kept] = [r for key, r in found.items() if key == Key(AccountFlow, REDEEMER)]
    assert kept.last_good is not None
    assert kept.last_good.value.balance.rounds[0].moved == 0  # type: ignore[attr-defined]


def test_what_was_learnt_comes_back_as_the_last_that_is_known(
    fleet: FleetBuilder, tmp_path: Path
) -> None:
    path = tmp_path / "state" / "money.json"
    save(fleet.snapshot(), path)
    found = remembered(fleet.fleet, path)
    assert set(found) == {
        Key(AccountFlow, REDEEMER),
        Key(EarningsFlow, "main"),
        Key(PaidCall, "main"),
    }
    for key, value in (
        (Key(AccountFlow, REDEEMER), AccountFlow(FLOW)),
        (Key(EarningsFlow, "main"), EarningsFlow(FLOW, None)),
        (Key(PaidCall, "main"), PAID),
    ):
        reading = found[key]
        assert reading.value is None, "it was not read in this run"
        assert reading.last_good is not None
        assert reading.last_good.value == value


def test_orchestrators_are_kept_by_their_address(fleet: FleetBuilder, tmp_path: Path) -> None:
    path = tmp_path / "money.json"
    save(fleet.snapshot(), path)
    assert REGISTERED in json.loads(path.read_text())["EarningsFlow"]
    fleet.configure_chain(orchestrators=())
    assert set(remembered(fleet.fleet, path)) == {Key(AccountFlow, REDEEMER)}


def test_what_is_not_read_now_is_kept(fleet: FleetBuilder, tmp_path: Path) -> None:
    path = tmp_path / "money.json"
    save(fleet.snapshot(), path)
    save(fleet.fail(AccountFlow, REDEEMER).drop(PaidCall, "main").snapshot(), path)
    assert len(remembered(fleet.fleet, path)) == 3


def test_a_file_has_a_bounded_number_of_accounts(fleet: FleetBuilder, tmp_path: Path) -> None:
    path = tmp_path / "money.json"
    for number in range(MOST + 10):
        fleet.put(AccountFlow(FLOW), f"0x{number:040x}")
    save(fleet.snapshot(), path)
    assert len(json.loads(path.read_text())["AccountFlow"]) == MOST


GOOD = [str(5), 1, 7, 1.0, [[7, "1", "2", 3.0, 4, 0]]]


@pytest.mark.parametrize(
    "flow",
    [
        None,
        [],
        "text",
        {},
        [*GOOD[:4], []],
        ["-5", *GOOD[1:]],
        [5, *GOOD[1:]],
        ["9" * 5000, *GOOD[1:]],
        [GOOD[0], True, *GOOD[2:]],
        [*GOOD[:3], float("nan"), GOOD[4]],
        [*GOOD[:4], [[7, "1", "2", 3.0, 4]]],
        [*GOOD[:4], [[7, "1", "2", "3", 4, 0]]],
        [*GOOD[:4], [["7", "1", "2", 3.0, 4, 0]]],
    ],
)
def test_what_is_no_record_counts_as_never_seen(
    fleet: FleetBuilder, tmp_path: Path, flow: Any
) -> None:
    path = tmp_path / "money.json"
    document = {"version": 1, "AccountFlow": {REDEEMER: {"at": 1.0, "balance": flow}}}
    path.write_text(json.dumps(document))
    assert remembered(fleet.fleet, path) == {}
    path.write_text(json.dumps({**document, "AccountFlow": [flow]}))
    assert remembered(fleet.fleet, path) == {}
    save(fleet.snapshot(), path)
    assert len(remembered(fleet.fleet, path)) == 3


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"version": 2}', "[" * 5000])
def test_a_file_that_is_none_is_no_hindrance(
    fleet: FleetBuilder, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "money.json"
    path.write_text(text)
    assert remembered(fleet.fleet, path) == {}
    save(fleet.snapshot(), path)
    assert len(remembered(fleet.fleet, path)) == 3
