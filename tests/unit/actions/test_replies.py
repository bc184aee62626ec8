"""What a node's reply, or its silence, is taken for."""

from __future__ import annotations

import pytest

from lptui.actions.replies import Verdict, no_answer, understand
from lptui.errors import DeadlineError, ProblemKind, TransportError


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("execution reverted: caller has already called reward for the current round", "already"),
        ("could not initialize round: ErrRoundInitialized", "already"),
        ("execution reverted: current round is not initialized", "not-sent"),
        ("caller must be an active transcoder", "not-sent"),
        ("current gas price exceeds maximum gas price max=1 GWei current=2 GWei", "not-sent"),
        # The first transaction is in the pool; only the replacement was held back.
        ("replacement gas price exceeds max gas price suggested=3 max=2", "pending"),
        ("timed out waiting for transaction receipt txHash=0x12", "pending"),
        ("transaction failed txHash=0x12", "reverted"),
        ("sending the transaction failed: dial tcp", "unclear"),
        ("nonce too low: next nonce 4290, tx nonce 4289", "unclear"),
        ("429 Too Many Requests", "unclear"),
        ('Post "http://127.0.0.1:8545": EOF', "unclear"),
        ("something that nobody has ever seen", "unclear"),
    ],
)
def test_a_refusal_is_understood_by_its_words(text: str, verdict: str) -> None:
    reply = understand(500, f"Error calling reward: {text}\n")
    assert reply.verdict == verdict
    assert text in reply.cause


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, "sent"), (404, "not-sent"), (401, "not-sent"), (403, "not-sent"), (302, "unclear")],
)
def test_a_status_without_known_words(status: int, verdict: str) -> None:
    assert understand(status, "<html>").verdict == verdict


def test_what_a_node_says_is_cleaned() -> None:
    said = understand(500, "\x1b]0;owned\x07\x1b[31mno\u202e\x00 \n more")
    assert said.cause == "HTTP 500: no more"


@pytest.mark.parametrize(
    "kind", [ProblemKind.REFUSED, ProblemKind.HOST_KEY_CHANGED, ProblemKind.AUTHENTICATION]
)
def test_a_node_that_was_never_reached_was_sent_nothing(kind: ProblemKind) -> None:
    reply = no_answer(TransportError("reward", "no", "look there", kind=kind))
    assert reply.verdict is Verdict.NOT_SENT
    assert reply.remedy == "look there"


@pytest.mark.parametrize(
    "error",
    [
        DeadlineError("reward", "no answer within 600 s"),
        TransportError("reward", "the connection was lost", kind=ProblemKind.DISCONNECTED),
        TransportError("reward", "closed without an answer", kind=ProblemKind.HTTP_PROTOCOL),
    ],
)
def test_a_call_without_an_answer_may_still_be_under_way(error: TransportError) -> None:
    assert no_answer(error).verdict is Verdict.LOST
