"""What each source says of the current round's reward, side by side, and which contradict. Pure.

The strongest evidence first: the contract's record, the `Reward` log, the node's own word (through
an RPC endpoint that may be another than ours) and its log, an explorer. Each is of its own
moment: sources contradict each other only where the one that says no must know what the one
that says yes has seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lptui.clock import iso
from lptui.fleet.chains import head_age_limits
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, RewardHistory, RoundOutcome
from lptui.fleet.facts.livepeer import NodeBlock
from lptui.fleet.facts.reward import ExplorerReward, ExplorerRewards, NodeReward, NodeRewardLog
from lptui.fleet.hindrances import expected_callers
from lptui.fleet.reading import Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Orchestrator
from lptui.fleet.units import L2Block, Round, format_units, short_address

SETTLED_S: Final = 2.0
"""Where blocks tell no time: how much later than a node's word the contract must be asked."""

CLOCKS_S: Final = 30.0
"""How far a host's clock may be off the chain's."""

INDEXED_S: Final = 3600.0
"""An explorer that has not got a log after that long does not have it."""


class Kind(StrEnum):
    """A kind of evidence."""

    CONTRACT = "contract"
    EVENT = "event"
    NODE = "node"
    LOG = "log"
    EXPLORER = "explorer"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one source says of one round's reward.

    Attributes:
        called: None: it does not say.
        text: what was read, or why nothing was.
        block: the L2 block that it tells the state of, or at which it saw the call.
        as_of: the time (UTC seconds) of that state; None when it is not known.
    """

    kind: Kind
    source: str
    called: bool | None
    text: str
    reading: Reading[Any]
    block: L2Block | None = None
    as_of: float | None = None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two sources that cannot both be right."""

    says_called: Evidence
    says_not: Evidence

    @property
    def text(self) -> str:
        yes, no = self.says_called, self.says_not
        return f"{yes.source} says called ({yes.text}), {no.source} says not ({no.text})"


def evidences(snapshot: Snapshot, registered: Orchestrator) -> tuple[Evidence, ...]:
    """Every source that is asked, those that say nothing too."""
    chain = snapshot.fleet.chain
    if chain is None:
        return ()
    clock = snapshot.fresh(ChainRound, chain.network)
    number = clock.round if clock is not None else None
    found = [_contract(snapshot, registered, clock), _event(snapshot, registered, number)]
    for node in expected_callers(snapshot, registered):
        found.append(_node(snapshot, registered, node.name, number))
        log = _log(snapshot, node.name, number)
        found += [log] if log is not None else []
    if chain.explorer is not None:
        found.append(_explorer(snapshot, registered, number))
    return tuple(found)


def verdict(found: Sequence[Evidence]) -> bool | None:
    """Called or not, by the strongest source that says; a log outweighs a record before it."""
    contract = next((one for one in found if one.kind is Kind.CONTRACT), None)
    event = next((one for one in found if one.kind is Kind.EVENT), None)
    if contract is not None and contract.called is False and event is not None and event.called:
        return True
    return next((one.called for one in found if one.called is not None), None)


def contradictions(snapshot: Snapshot, found: Sequence[Evidence]) -> tuple[Contradiction, ...]:
    """Pairs of which the one that says no must have known better."""
    pairs = [
        Contradiction(yes, no)
        for yes in found
        if yes.called
        for no in found
        if no.called is False and _must_know(snapshot, yes, no)
    ]
    return tuple(pairs)


def _must_know(snapshot: Snapshot, yes: Evidence, no: Evidence) -> bool:
    """Whether the one that says no tells of a state after the call that the other has seen."""
    if no.kind is Kind.EXPLORER:
        return (
            yes.kind is Kind.EVENT
            and None not in (yes.as_of, no.as_of)
            and (no.as_of or 0.0) > (yes.as_of or 0.0) + INDEXED_S
        )
    if yes.block is not None:
        return no.block is not None and no.block >= yes.block
    if no.kind is not Kind.CONTRACT or yes.as_of is None or no.as_of is None:
        return False
    return no.as_of >= yes.as_of + (0.0 if _tells_time(snapshot) else SETTLED_S)


def is_unsettled(snapshot: Snapshot, found: Sequence[Evidence]) -> bool:
    """Whether a node says called and the contract, asked too early to tell, does not yet."""
    says = {one.kind: one for one in found if one.kind is Kind.CONTRACT}
    contract = says.get(Kind.CONTRACT)
    return (
        contract is not None
        and contract.called is False
        and any(one.kind is Kind.NODE and one.called for one in found)
        and not contradictions(snapshot, found)
    )


def _tells_time(snapshot: Snapshot) -> bool:
    """Whether the age of the chain's head means anything."""
    chain = snapshot.fleet.chain
    return (
        chain is not None and head_age_limits(snapshot.fleet.thresholds, chain.chain_id) is not None
    )


def _contract(snapshot: Snapshot, registered: Orchestrator, clock: ChainRound | None) -> Evidence:
    reading = snapshot.reading(OrchestratorRecord, registered.name)
    record = snapshot.fresh(OrchestratorRecord, registered.name)
    source = f"contract at {clock.rpc}" if clock is not None else "contract"
    if record is None:
        return Evidence(Kind.CONTRACT, source, None, _why(reading, snapshot), reading)
    text = f"lastRewardRound {record.last_reward_round}"
    if clock is None:
        return Evidence(Kind.CONTRACT, source, None, f"{text}, the round is not known", reading)
    called = record.last_reward_round >= clock.round
    block = clock.head
    history = snapshot.value(RewardHistory, registered.name)
    if called and history is not None and (clock.round, RoundOutcome.CALLED) in history.rounds:
        # It said so already when the logs up to this block were read.
        block = history.upto_block
    as_of = clock.head_time if _tells_time(snapshot) else reading.taken_at
    return Evidence(Kind.CONTRACT, source, called, text, reading, block, as_of)


def _event(snapshot: Snapshot, registered: Orchestrator, number: Round | None) -> Evidence:
    reading = snapshot.reading(RewardHistory, registered.name)
    history = reading.value
    if history is None or number is None:
        why = _why(reading, snapshot) if history is None else "the round is not known"
        return Evidence(Kind.EVENT, "Reward log", None, why, reading)
    event = history.event_of(number)
    if event is not None:
        sender = f" from {short_address(event.caller)}" if event.caller else ""
        text = f"{format_units(event.amount)} LPT in {event.tx} at block {event.block}{sender}"
        as_of = event.at or reading.taken_at
        return Evidence(Kind.EVENT, "Reward log", True, text, reading, event.block, as_of)
    begun = dict(history.starts).get(number)
    if begun is None or history.since_block > begun:
        text = f"none seen, but logs before block {history.since_block} are missing"
        if begun is None and (number, RoundOutcome.NOT_INITIALIZED) in history.rounds:
            text = f"none, nor a NewRound log of round {number}"
        return Evidence(Kind.EVENT, "Reward log", None, text, reading)
    text = f"none since round {number} began, up to block {history.upto_block}"
    return Evidence(
        Kind.EVENT, "Reward log", False, text, reading, history.upto_block, reading.taken_at
    )


def _node(
    snapshot: Snapshot, registered: Orchestrator, name: str, number: Round | None
) -> Evidence:
    reading = snapshot.reading(NodeReward, name)
    word = snapshot.fresh(NodeReward, name)
    source = f"node {name}"
    if word is None:
        return Evidence(Kind.NODE, source, None, _why(reading, snapshot), reading)
    if word.last_reward_round is None:
        return Evidence(Kind.NODE, source, None, "; ".join(w for _, w in word.errors), reading)
    text = f"LastRewardRound {word.last_reward_round}"
    if word.round is not None:
        text += f" in its round {word.round}"
    if word.address != registered.address:
        text = f"tells of its own account {short_address(word.address or 'none')} alone"
        return Evidence(Kind.NODE, source, None, text, reading)
    own = number if number is not None else word.round
    if own is not None and word.last_reward_round >= own:
        return Evidence(Kind.NODE, source, True, text, reading, None, reading.taken_at)
    if own is None or word.round != own:
        # It is still, or already, in another round: that says nothing of this one.
        return Evidence(Kind.NODE, source, None, text, reading)
    return Evidence(
        Kind.NODE, source, False, text, reading, _seen_before(snapshot, name), reading.taken_at
    )


def _log(snapshot: Snapshot, name: str, number: Round | None) -> Evidence | None:
    """What a node's log says; nothing while no reward is due and the log is not read."""
    reading = snapshot.reading(NodeRewardLog, name)
    log = snapshot.fresh(NodeRewardLog, name)
    source = f"log of {name}"
    if log is None and reading.problem is not None and reading.taken_at:
        return Evidence(Kind.LOG, source, None, str(reading.problem), reading)
    if log is None or log.since_at is None:
        return None
    tries = [one for one in log.tries if one.round == number]
    if not tries:
        since = f" since {iso(log.since_at)}, where it begins" if log.is_partial else ""
        text = f"no try to call it in round {number}{since}"
        return Evidence(Kind.LOG, source, None, text, reading)
    called = next((one for one in reversed(tries) if one.called), None)
    if called is not None:
        text = f"called in round {number} at {iso(called.at)}"
        # By the host's clock; the transaction was mined before it was logged.
        return Evidence(Kind.LOG, source, True, text, reading, None, called.at + CLOCKS_S)
    last = tries[-1]
    # It does not say that nobody called since.
    text = f"its try failed at {iso(last.at)}: {last.why or 'no reason given'}"
    return Evidence(Kind.LOG, source, None, text, reading)


def _seen_before(snapshot: Snapshot, name: str) -> L2Block | None:
    """The block that a node had processed when it gave its word, at least."""
    block, word = snapshot.reading(NodeBlock, name), snapshot.reading(NodeReward, name)
    if block.value is None or block.taken_at > word.taken_at:
        return None
    return block.value.block


def _explorer(snapshot: Snapshot, registered: Orchestrator, number: Round | None) -> Evidence:
    reading = snapshot.reading(ExplorerRewards, registered.name)
    told = snapshot.fresh(ExplorerRewards, registered.name)
    if told is None:
        why = f"not available: {_why(reading, snapshot)}"
        return Evidence(Kind.EXPLORER, "explorer", None, why, reading)
    history = snapshot.value(RewardHistory, registered.name)
    begun = dict(history.starts).get(number) if history is not None and number else None
    if begun is None:
        text = "the round's first block is not known"
        return Evidence(Kind.EXPLORER, "explorer", None, text, reading)
    found = next(_since(told.rewards, begun), None)
    if found is not None:
        text = f"{format_units(found.amount)} LPT in {found.tx} at block {found.block}"
        as_of = found.at or reading.taken_at
        return Evidence(Kind.EXPLORER, "explorer", True, text, reading, found.block, as_of)
    if not told.complete or told.since_block > begun:
        text = "none among the pages that were read"
        return Evidence(Kind.EXPLORER, "explorer", None, text, reading)
    text = f"no Reward log since block {begun}"
    return Evidence(Kind.EXPLORER, "explorer", False, text, reading, None, reading.taken_at)


def _since(rewards: Sequence[ExplorerReward], begun: L2Block) -> Iterator[ExplorerReward]:
    return (reward for reward in reversed(rewards) if reward.block >= begun)


def _why(reading: Reading[Any], snapshot: Snapshot) -> str:
    if reading.problem is not None:
        return str(reading.problem)
    return f"last read {int(reading.age(snapshot.taken_at))} s ago"
