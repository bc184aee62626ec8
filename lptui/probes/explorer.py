"""Asks a block explorer for `Reward` logs: a witness that reads the chain by itself.

Etherscan's `module=logs&action=getLogs` (docs.etherscan.io, V2 with `chainid`), which others
imitate. It answers HTTP 200 to everything: `status` "1", or "0" with "No records found" for an
empty list and `NOTOK` with a reason for what it does not do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from lptui.errors import BadAnswerError, HttpError, LptuiError, Problem, ProblemKind
from lptui.fleet.facts.chain import ChainRound, RewardHistory
from lptui.fleet.facts.reward import ExplorerReward, ExplorerRewards
from lptui.fleet.reading import Key
from lptui.fleet.topology import Chain, Endpoint, Fleet, Orchestrator
from lptui.fleet.units import Address, L2Block, Lptu
from lptui.probes.chain import abi
from lptui.probes.chain.logs import pad
from lptui.probes.chain.probe import past
from lptui.probes.probe import Answer, Asking
from lptui.probes.rpc.values import block_hash, block_number, quantity, record, shown
from lptui.text import clean
from lptui.transport.protocols import Http, HttpAnswer

PAGE: Final = 1000
"""Logs of one page, the most that Etherscan gives."""

MOST_PAGES: Final = 5
PAGE_LIMIT: Final = 2_000_000
_LATEST: Final = 2**36
_AMOUNT: Final = 2**128
_FOR_ALL: Final = frozenset(
    {
        ProblemKind.RATE_LIMITED,
        ProblemKind.FORBIDDEN,
        ProblemKind.WRONG_CHAIN,
        ProblemKind.TIMEOUT,
        ProblemKind.SECRET,
    }
)
"""Refusals that the next orchestrator would meet too: nothing more is asked then."""

_RATE_WORDS: Final = ("rate limit", "too many", "max calls", "daily limit")
_CHAIN_WORDS: Final = ("chainid", "chain id", "unsupported chain")
_KEY_WORDS: Final = ("api key", "apikey", "invalid key")


@dataclass(frozen=True, slots=True)
class ExplorerProbe:
    """Each orchestrator's `Reward` logs as the explorer has them."""

    name: str = "explorer"
    needs: tuple[str, ...] = ("chain", "chain-events")

    def targets(self, fleet: Fleet) -> Sequence[str]:
        chain = fleet.chain
        has_any = chain is not None and chain.explorer is not None and chain.orchestrators
        return (chain.network,) if chain is not None and has_any else ()

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.explorer

    def source(self, fleet: Fleet, target: str) -> str:
        return f"explorer {_asked(fleet)[1].url}"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return tuple(Key(ExplorerRewards, item.name) for item in _asked(fleet)[0].orchestrators)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        chain, endpoint = _asked(asking.fleet)
        clock: ChainRound | None = past(asking.latest.reading(ChainRound, target))
        if clock is None:
            raise LptuiError("explorer", "the contracts' addresses are not known yet")
        http = asking.reach.http(endpoint)
        end = asking.clock.monotonic() + asking.deadline_s
        answers = []
        refusal: Problem | None = None
        for item in chain.orchestrators:
            key = Key(ExplorerRewards, item.name)
            if refusal is not None:
                answers.append(Answer(key, problem=refusal))
                continue
            since = _since(asking, item)
            query = _Query(chain, endpoint, clock.contracts.bonding_manager, item.address, since)
            try:
                found = await _read(http, query, max(0.1, end - asking.clock.monotonic()))
                _check(asking, item, found)
                answers.append(Answer(key, found))
            except LptuiError as error:
                answers.append(Answer(key, problem=error.problem()))
                if error.kind in _FOR_ALL:
                    refusal = error.problem()
        return answers


@dataclass(frozen=True, slots=True)
class _Query:
    chain: Chain
    endpoint: Endpoint
    bonding_manager: Address
    orchestrator: Address
    since: L2Block

    def path(self, page: int) -> str:
        """The query's end is where a key goes, if there is one."""
        words = {
            "chainid": self.chain.chain_id,
            "module": "logs",
            "action": "getLogs",
            "address": self.bonding_manager,
            "topic0": abi.REWARD_EVENT.topic,
            "topic0_1_opr": "and",
            "topic1": pad(int(self.orchestrator, 16)),
            "fromBlock": self.since,
            "toBlock": "latest",
            "page": page,
            "offset": PAGE,
        }
        return f"?{urlencode(words)}" + ("&apikey=" if self.endpoint.query_key else "")


async def _read(http: Http, query: _Query, deadline_s: float) -> ExplorerRewards:
    """All pages. Raises TransportError or BadAnswerError."""
    rewards: list[ExplorerReward] = []
    for page in range(1, MOST_PAGES + 1):
        answer = await http.request(
            "GET", query.path(page), deadline_s=deadline_s, limit=PAGE_LIMIT
        )
        found = parse_page(answer, query.bonding_manager, query.orchestrator)
        rewards += found
        if len(found) < PAGE:
            break
    ordered = sorted({reward.tx: reward for reward in rewards}.values(), key=lambda r: r.block)
    return ExplorerRewards(tuple(ordered), query.since, len(rewards) < PAGE * MOST_PAGES)


def parse_page(
    answer: HttpAnswer, bonding_manager: Address, orchestrator: Address
) -> list[ExplorerReward]:
    """The logs of one page, other contracts' and orchestrators' left out.

    Raises HttpError for a refusal, in HTTP's words or in the explorer's; BadAnswerError.
    """
    what = "explorer"
    if answer.status != 200:
        later = clean(answer.headers.get("retry-after", ""), 40)
        why = f"HTTP {answer.status}" + (f"; it says: retry after {later} s" if later else "")
        kind = ProblemKind.RATE_LIMITED if answer.status == 429 else ProblemKind.HTTP_STATUS
        raise HttpError(what, why, kind=kind, status=answer.status)
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        why = f"no JSON: {clean(answer.body[:300], 60)}"
        raise BadAnswerError(what, why, "is that the address of its API?") from None
    whole = record(document, what)
    result = whole.get("result")
    if isinstance(result, list) and (result or str(whole.get("message")).startswith("No ")):
        return [
            log for log in (_log(item, bonding_manager, orchestrator) for item in result) if log
        ]
    raise _refusal(what, whole, result)


def _refusal(what: str, whole: dict[str, Any], result: object) -> LptuiError:
    message = clean(str(whole.get("message", "")), 80)
    reason = clean(result, 160) if isinstance(result, str) else shown(result)
    why = f"{message or 'no message'}: {reason}"
    words = why.lower()
    if any(word in words for word in _RATE_WORDS):
        remedy = "it is asked again later; a key of your own has a limit of its own"
        return HttpError(what, why, remedy, kind=ProblemKind.RATE_LIMITED)
    if any(word in words for word in _CHAIN_WORDS):
        remedy = "give chain.explorer.url the API of this chain"
        return HttpError(what, why, remedy, kind=ProblemKind.WRONG_CHAIN)
    if any(word in words for word in _KEY_WORDS):
        return HttpError(what, why, "see chain.explorer.key", kind=ProblemKind.FORBIDDEN)
    return BadAnswerError(what, why, "see what the explorer's documentation says of it")


def _log(item: object, bonding_manager: Address, orchestrator: Address) -> ExplorerReward | None:
    what = "explorer's log"
    log = record(item, what)
    topics = log.get("topics")
    if not isinstance(topics, list) or len(topics) < 2:
        raise BadAnswerError(what, f"topics are {shown(topics)}")
    if str(log.get("address")).lower() != bonding_manager:
        return None
    if [str(topic).lower() for topic in topics[:2]] != [
        abi.REWARD_EVENT.topic,
        pad(int(orchestrator, 16)),
    ]:
        return None
    return ExplorerReward(
        L2Block(block_number(log.get("blockNumber"), what)),
        block_hash(log.get("transactionHash"), what),
        Lptu(quantity(log.get("data"), what, _AMOUNT)),
        float(quantity(log.get("timeStamp"), what, _LATEST)),
    )


def _since(asking: Asking, item: Orchestrator) -> L2Block:
    """The first block of the oldest round whose beginning is known; all of them where none is."""
    history: RewardHistory | None = past(asking.latest.reading(RewardHistory, item.name))
    if history is None:
        return L2Block(0)
    return min((block for _, block in history.starts), default=history.since_block)


def _check(asking: Asking, item: Orchestrator, found: ExplorerRewards) -> None:
    """Raises LptuiError for an explorer that has not got what the RPC endpoint has shown.

    An explorer of another chain gives an empty list for an address that is none there.
    """
    history = asking.latest.value(RewardHistory, item.name)
    known = history.events if history is not None else ()
    if found.rewards or len(known) < 2:
        return
    raise LptuiError(
        "explorer",
        f"it has none of the {len(known)} Reward logs that the RPC endpoint has: another chain's?",
        "give chain.explorer.url the API of this chain",
        kind=ProblemKind.WRONG_CHAIN,
    )


def _asked(fleet: Fleet) -> tuple[Chain, Endpoint]:
    if fleet.chain is None or fleet.chain.explorer is None:
        raise LptuiError("explorer", "none is configured", kind=ProblemKind.NOT_CONFIGURED)
    return fleet.chain, fleet.chain.explorer


PROBES = (ExplorerProbe(),)
