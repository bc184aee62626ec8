"""The TicketBroker's logs, and what is no such log."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.units import Address
from lptui.probes.chain import abi
from lptui.probes.chain.logs import pad
from lptui.probes.chain.redemption_logs import RedemptionLog, RedemptionQuery
from tests.unit.probes.hostile import HOSTILE, JSON

BROKER, OWN, OTHER, PAYER = (Address("0x" + digit * 40) for digit in "bace")
QUERY = RedemptionQuery(BROKER, (OWN,))
FACE = 29 * 10**14


def log(face: int = FACE, recipient: str = OWN, **changes: Any) -> dict[str, Any]:
    words = (face, 2**255, 1, 2, 5 * 32, 64, 4201, 0)
    return {
        "address": BROKER,
        "topics": [abi.TICKET_REDEEMED.topic, pad(int(PAYER, 16)), pad(int(recipient, 16))],
        "data": "0x" + "".join(f"{word:064x}" for word in words),
        "blockNumber": "0x10",
        "logIndex": "0x3",
        "transactionHash": "0x" + "77" * 32,
        **changes,
    }


def test_a_redemption_has_its_face_value_its_payer_and_its_transaction() -> None:
    expected = RedemptionLog(OWN, PAYER, FACE, 16, 3, "0x" + "77" * 32, None)  # type: ignore[arg-type]
    assert QUERY.parse([log(), log()]) == (expected,), "the same one is counted once"


def test_only_the_brokers_logs_about_our_orchestrators_count() -> None:
    others = [
        log(recipient=OTHER),
        log(address=OTHER),
        log(removed=True),
        log(topics=[abi.REWARD_EVENT.topic, pad(1), pad(int(OWN, 16))]),
        log(topics=[abi.TICKET_REDEEMED.topic, pad(int(OWN, 16))]),
    ]
    assert QUERY.parse(others) == ()


def test_the_query_names_the_recipients_and_no_sender() -> None:
    (asked,) = QUERY.call(5, 9).params
    assert asked["topics"] == [[abi.TICKET_REDEEMED.topic], None, [pad(int(OWN, 16))]]
    assert (asked["address"], asked["fromBlock"], asked["toBlock"]) == ([BROKER], "0x5", "0x9")


@pytest.mark.parametrize("wrong", [{"data": "0x12"}, {"blockNumber": None}, {"logIndex": "1"}])
def test_one_that_is_malformed_spoils_the_answer(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadAnswerError):
        QUERY.parse([log(), log(**wrong)])


def test_a_ticket_of_more_ether_than_there_is_is_no_answer() -> None:
    with pytest.raises(BadAnswerError, match="a ticket of"):
        QUERY.parse([log(2**200)])


@HOSTILE
@given(JSON | st.lists(st.builds(lambda data: log(data=data), JSON)))
def test_anything_else_is_refused_and_breaks_nothing(answer: object) -> None:
    with contextlib.suppress(BadAnswerError):
        QUERY.parse(answer)
