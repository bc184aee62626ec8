"""What a node's reply to a transaction route means (go-livepeer server/handlers.go, eth/client.go).

Nodes answer in prose and put the RPC server's own words around the contract's: matched by
substring. The reply is a hint only; what happened is read from the chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lptui.errors import LptuiError, ProblemKind
from lptui.text import clean


class Verdict(StrEnum):
    """What to make of a reply, or of its absence."""

    SENT = "sent"
    ALREADY = "already"
    PENDING = "pending"
    """Sent and not mined: it may be, at any time."""
    UNCLEAR = "unclear"
    """The node has given up, and may have sent something before."""
    NOT_SENT = "not-sent"
    REVERTED = "reverted"
    LOST = "lost"
    """No reply: the node may still be at it."""


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
    ("timed out waiting for transaction receipt", Verdict.PENDING, ""),
    # The first transaction is in the pool; only its replacement was not sent.
    (
        "replacement gas price exceeds max",
        Verdict.PENDING,
        "the first transaction is stuck under the node's cap: raise it (/setMaxGasPrice)",
    ),
    ("transaction failed txhash", Verdict.REVERTED, "look the transaction up; gas was spent"),
    (
        "gas price exceeds max",
        Verdict.NOT_SENT,
        "raise the node's cap (/setMaxGasPrice), or wait for a lower price",
    ),
    ("nonce too low", Verdict.UNCLEAR, "another process may use the same key: find it"),
    ("insufficient funds", Verdict.NOT_SENT, "send ETH to the account that signs"),
    # geth's words for the same when it estimates gas.
    ("gas required exceeds allowance", Verdict.NOT_SENT, "send ETH to the account that signs"),
    ("no rewards to be minted", Verdict.NOT_SENT, ""),
    ("missing eth client", Verdict.NOT_SENT, "this node runs off chain: choose another"),
    ("429 too many", Verdict.UNCLEAR, "the node's RPC endpoint limits its rate"),
    ("connection refused", Verdict.UNCLEAR, "the node's RPC endpoint is down"),
    ("eof", Verdict.UNCLEAR, "the node's RPC endpoint closed the connection"),
)

_NEVER_CONNECTED: Final = frozenset(
    {
        ProblemKind.REFUSED,
        ProblemKind.FORBIDDEN,
        ProblemKind.HOST_KEY_UNKNOWN,
        ProblemKind.HOST_KEY_CHANGED,
        ProblemKind.AUTHENTICATION,
        ProblemKind.JUMP_HOST,
        ProblemKind.SSH_CONFIG,
        ProblemKind.NOT_CONFIGURED,
        ProblemKind.SECRET,
    }
)
"""Errors of the way to the node: they come before the request is written."""

_NOT_ACCEPTED: Final = frozenset({400, 401, 403, 405, 407, 411, 413, 415, 421, 426, 429, 431})
"""HTTP statuses of a request that was not acted on, by the node or by what stands before it."""


def no_answer(error: LptuiError) -> Reply:
    """What to make of a call that brought no answer."""
    if error.kind in _NEVER_CONNECTED:
        return Reply(Verdict.NOT_SENT, str(error), error.remedy)
    return Reply(Verdict.LOST, str(error))


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
    cause = f"HTTP {status}: {text or 'no text'}"
    if status in _NOT_ACCEPTED:
        return Reply(Verdict.NOT_SENT, cause, "what stands between here and the node refused it")
    return Reply(Verdict.UNCLEAR, cause)
