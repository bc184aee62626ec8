"""The only door to a node's CLI API for probes: which routes may be read, and how.

The API has no authentication and acts on any HTTP method: a GET of `/reward` sends a
transaction (go-livepeer server/webserver.go). So a probe can ask nothing that is not listed.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import Final

from lptui.errors import BadAnswerError, HttpError, LptuiError, ProblemKind
from lptui.text import clean
from lptui.transport.protocols import OUTPUT_LIMIT, Http, HttpAnswer

GATE: Final = "/signMessage"
"""Tells whether transaction routes are registered, without acting.

Newer builds register the routes that spend or sign only with `-enableCliTxRoutes`. Of those,
this one checks its parameter `message` in front of everything else, the wallet included, so
without it the answer is 400 where it is registered and 404 where it is not. Still newer builds
register them for POST alone, and answer 405. `/reward` and
`/initializeRound` have no parameter that could be left out: asking them acts. Nothing here ever
sends a parameter.
"""

READABLE: Final = frozenset(
    {
        "/status",
        "/currentBlock",
        "/metrics",
        "/ethAddr",
        "/IsOrchestrator",
        "/IsRedeemer",
        "/EthChainID",
        "/maxGasPrice",
        "/minGasPrice",
        "/contractAddresses",
        "/rewardCaller",
        "/getLogLevel",
        "/currentRound",
        "/roundInitialized",
        "/orchestratorInfo",
        GATE,
    }
)
"""Routes without effect. Those that make the node call its own RPC at length are left out."""

INSPECTABLE: Final = {
    "/status": "version, role, transcoders, sessions",
    "/metrics": "its figures, as Prometheus reads them; with -monitor",
    "/currentBlock": "the last block that it has followed",
    "/ethAddr": "the account that it acts with",
    "/ethBalance": "that account's ETH, in wei",
    "/tokenBalance": "that account's LPT, with 18 decimals",
    "/senderInfo": "that account's deposit and reserve",
    "/orchestratorInfo": "that account's registration; some RPC calls",
    "/delegatorInfo": "that account's stake; some RPC calls",
    "/rewardCaller": "who else may call its reward; in newer versions",
    "/currentRound": "the round, by its RPC node",
    "/roundInitialized": "whether that is initialised",
    "/maxGasPrice": "the most that it pays for gas, in wei",
    "/minGasPrice": "the least that it offers for gas, in wei",
    "/IsOrchestrator": "whether it was started as one",
    "/IsRedeemer": "whether it was started as one",
    "/EthChainID": "its chain; 0 without one",
    "/getLogLevel": "how much it logs",
    "/contractAddresses": "the protocol's contracts",
    "/protocolParameters": "the protocol's settings; some ten RPC calls",
    "/ticketBrokerParams": "for how many rounds a deposit stays locked",
    "/registeredOrchestrators": "all that there are; hundreds of RPC calls, minutes",
    "/getBroadcastConfig": "of a gateway: its highest price, its profiles",
    "/getAvailableTranscodingOptions": "the profiles that it knows by name",
    "/getNetworkCapabilities": "of a gateway: who offers what",
    "/localStreams": "an empty list",
}
"""What an operator may ask for: without effect too, but some take the node's RPC long.

Not among them, by go-livepeer's server/handlers.go: `/unbondingLocks` writes to the node's
database, and `/getAISessionPoolsInfo` fails where no AI gateway runs.
"""

INSPECT_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of an answer to an operator."""

_REMEDY: Final = "is it the node's CLI API (-cliAddr) that answers there? see the node's log"
_NO_CLIENT: Final = "missing eth client"


async def read(
    http: Http, path: str, deadline_s: float, *, limit: int = OUTPUT_LIMIT
) -> HttpAnswer:
    """Asks one readable route, without parameters. Any status is an answer.

    Raises TransportError, and LptuiError(INTERNAL) for a route that is not listed.
    """
    return await _ask(READABLE, http, path, deadline_s, limit)


async def inspect(http: Http, path: str, deadline_s: float) -> HttpAnswer:
    """The same for one of INSPECTABLE, when an operator asks."""
    return await _ask(INSPECTABLE, http, path, deadline_s, INSPECT_LIMIT)


async def _ask(
    allowed: Container[str], http: Http, path: str, deadline_s: float, limit: int
) -> HttpAnswer:
    if path not in allowed:
        raise LptuiError(f"route {path}", "it may not be asked", kind=ProblemKind.INTERNAL)
    return await http.request("GET", path, deadline_s=deadline_s, limit=limit)


@contextmanager
def of(node: str) -> Iterator[None]:
    """Says in an answer's errors whose answer it was, and what to look at."""
    try:
        yield
    except LptuiError as error:
        error.what = f"{node} {error.what}"
        error.remedy = error.remedy or _REMEDY
        raise


def is_off_chain(answer: HttpAnswer) -> bool:
    """The answer of a node that runs without an Ethereum client: no fault."""
    return answer.status == 500 and _NO_CLIENT in answer.text[:400].lower()


def body(answer: HttpAnswer, what: str) -> bytes:
    """The body of a success. Raises HttpError for any other status."""
    if answer.status == 200:
        return answer.body
    said = clean(answer.body[:800], 160)
    why = f"HTTP {answer.status}" + (f": {said}" if said else "")
    if answer.status == 429:
        raise HttpError(what, why, kind=ProblemKind.RATE_LIMITED, status=answer.status)
    remedy = {
        401: "something in front of the node wants a login: check the address",
        403: "something in front of the node forbids it: check the address",
        404: "is this the address of the node's CLI API (-cliAddr)?",
    }.get(answer.status, "")
    raise HttpError(what, why, remedy, status=answer.status)


def word(raw: bytes, what: str, limit: int = 200) -> str:
    """A one-word text answer, "" when the body is empty. Raises BadAnswerError."""
    if len(raw) > limit:
        raise BadAnswerError(what, f"a long text where one word is promised: {clean(raw, 60)}")
    try:
        text = raw.decode("ascii").strip()
    except UnicodeDecodeError:
        raise BadAnswerError(what, f"not plain text: {clean(raw, 60)}") from None
    if " " in text or "\n" in text or "<" in text:
        raise BadAnswerError(what, f"not one word: {clean(text, 60)}")
    return text
