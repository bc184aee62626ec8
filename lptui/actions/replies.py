"""What a node's reply to a transaction route means (go-livepeer server/handlers.go, eth/client.go).

Nodes answer in prose and put the RPC server's own words around the contract's: matched by
substring. The reply is a hint only; what happened is read from the chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lptui.text import clean


class Verdict(StrEnum):
    """What to make of a reply."""

    SENT = "sent"
    ALREADY = "already"
    MAYBE_SENT = "maybe-sent"
    NOT_SENT = "not-sent"
    REVERTED = "reverted"


@dataclass(frozen=True, slots=True)
class Reply:
    """A node's reply, understood."""

    verdict: Verdict
    cause: str
    remedy: str = ""


_KNOWN: Final[tuple[tuple[str, Verdict, str], ...]] = (
    ("already called reward for the current round", Verdict.ALREADY, ""),
    ("round already initialized", Verdict.ALREADY, ""),
    ("errroundinitialized", Verdict.ALREADY, ""),
    (
        "current round is not initialized",
        Verdict.NOT_SENT,
        "initialise the round first (key i, or: lptui --headless initialize-round)",
    ),
    (
        "caller must be an active transcoder",
        Verdict.NOT_SENT,
        "the node's account is not an active orchestrator: check which node holds the key",
    ),
    (
        "transcoder must be active",
        Verdict.NOT_SENT,
        "the orchestrator is not active: its reward cannot be called in this round",
    ),
    (
        "caller must be a reward caller",
        Verdict.NOT_SENT,
        "the orchestrator has not authorised this node's account as its reward caller",
    ),
    ("system is paused", Verdict.NOT_SENT, "the protocol is paused; nothing can be called"),
    (
        "timed out waiting for transaction receipt",
        Verdict.MAYBE_SENT,
        "the transaction may still be mined: watch the chain, do not send another",
    ),
    ("transaction failed", Verdict.REVERTED, "look the transaction up; gas was spent"),
    (
        "gas price exceeds max",
        Verdict.NOT_SENT,
        "raise the node's cap (/setMaxGasPrice), or wait for a lower price",
    ),
    ("nonce too low", Verdict.MAYBE_SENT, "another process may use the same key: find it"),
    ("insufficient funds", Verdict.NOT_SENT, "send ETH to the account that signs"),
    # geth's words for the same when it estimates gas.
    ("gas required exceeds allowance", Verdict.NOT_SENT, "send ETH to the account that signs"),
    ("no rewards to be minted", Verdict.NOT_SENT, ""),
    ("missing eth client", Verdict.NOT_SENT, "this node runs off chain: choose another"),
    ("429", Verdict.MAYBE_SENT, "the node's RPC endpoint limits its rate"),
    ("connection refused", Verdict.MAYBE_SENT, "the node's RPC endpoint is down"),
    ("eof", Verdict.MAYBE_SENT, "the node's RPC endpoint closed the connection"),
)


def understand(status: int, body: str) -> Reply:
    """A reply's meaning from its HTTP status and text."""
    text = clean(body, 300)
    if status == 200:
        return Reply(Verdict.SENT, "the node says that it was mined")
    if status == 404:
        return Reply(
            Verdict.NOT_SENT,
            "the node does not offer this route (404)",
            "start the node with -enableCliTxRoutes, or use a node that offers it",
        )
    lowered = text.lower()
    for words, verdict, remedy in _KNOWN:
        if words in lowered:
            return Reply(verdict, text, remedy)
    return Reply(Verdict.MAYBE_SENT, f"HTTP {status}: {text or 'no text'}", "watch the chain")
