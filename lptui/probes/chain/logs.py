"""Reads the protocol's logs: who was rewarded, which rounds began. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.chain import Contracts
from lptui.fleet.units import Address, L2Block, Lptu, Round
from lptui.probes.chain import abi
from lptui.probes.chain.codec import decode_types
from lptui.probes.chain.stake_logs import TOPICS as STAKE_TOPICS
from lptui.probes.chain.stake_logs import StakeLog, parse_stake
from lptui.probes.rpc.values import block_hash, block_number, data, quantity, record, shown
from lptui.transport.protocols import Call

_METHOD: Final = "eth_getLogs"
_PLACE: Final = 2**32
_LATEST: Final = 2**36
"""UTC seconds: two thousand years from now."""


@dataclass(frozen=True, slots=True)
class RewardLog:
    """A `Reward` log; `index` is its place among the block's logs, `at` its block's time (UTC
    seconds) where the endpoint gives that along."""

    orchestrator: Address
    amount: Lptu
    block: L2Block
    index: int
    tx: str
    at: float | None = None


@dataclass(frozen=True, slots=True)
class RoundLog:
    """A `NewRound` log; `at` as in `RewardLog`."""

    round: Round
    block: L2Block
    index: int
    tx: str
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Logs:
    """What was in one range of blocks, each list in the chain's order."""

    rewards: tuple[RewardLog, ...] = ()
    rounds: tuple[RoundLog, ...] = ()
    stakes: tuple[StakeLog, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """Logs of some orchestrators' rewards and stakes, and of some rounds' beginnings.

    One query serves all: the first indexed argument is the orchestrator of the one kind and the
    round's number of the other. Without rounds it is for rewards alone.
    """

    contracts: Contracts
    orchestrators: tuple[Address, ...]
    rounds: tuple[Round, ...] = ()

    def call(self, first: int, last: int) -> Call:
        """Asks for the logs of the blocks `first` to `last`."""
        subjects = [pad(int(who, 16)) for who in self.orchestrators]
        subjects += [pad(number) for number in self.rounds]
        topics = [abi.REWARD_EVENT.topic]
        if self.rounds:
            topics += [abi.NEW_ROUND.topic, *sorted(STAKE_TOPICS)]
        addresses = [self.contracts.bonding_manager]
        if self.rounds and self.contracts.rounds_manager not in addresses:
            addresses.append(self.contracts.rounds_manager)
        return Call(
            _METHOD,
            (
                {
                    "fromBlock": hex(first),
                    "toBlock": hex(last),
                    "address": addresses,
                    "topics": [topics, subjects],
                },
            ),
        )

    def parse(self, result: object) -> Logs:
        """The logs that were asked for; others are left out, whatever the endpoint thinks.

        Raises BadAnswerError for a malformed one: it might be the reward that is looked for.
        """
        if not isinstance(result, list):
            raise BadAnswerError(_METHOD, f"not a list: {shown(result)}")
        rewards: dict[tuple[int, int], RewardLog] = {}
        rounds: dict[tuple[int, int], RoundLog] = {}
        stakes: dict[tuple[int, int], StakeLog] = {}
        for item in result:
            log = record(item, _METHOD)
            topics = topics_of(log)
            if log.get("removed") is True or len(topics) < 2:
                continue
            where = str(log.get("address")).lower()
            if where == self.contracts.bonding_manager and topics[0] == abi.REWARD_EVENT.topic:
                reward = _reward(log, topics[1])
                if reward.orchestrator in self.orchestrators:
                    rewards[reward.block, reward.index] = reward
            elif where == self.contracts.bonding_manager and topics[0] in STAKE_TOPICS:
                stake = _stake(log, topics)
                if stake.orchestrator in self.orchestrators:
                    stakes[stake.block, stake.index] = stake
            elif where == self.contracts.rounds_manager and topics[0] == abi.NEW_ROUND.topic:
                begun = RoundLog(
                    Round(int(topics[1], 16)), *place_of(log), tx_of(log), time_of(log)
                )
                if begun.round in self.rounds:
                    rounds[begun.block, begun.index] = begun
        return Logs(
            tuple(rewards[place] for place in sorted(rewards)),
            tuple(rounds[place] for place in sorted(rounds)),
            tuple(stakes[place] for place in sorted(stakes)),
        )


def joined(parts: Iterable[Logs]) -> Logs:
    """Several ranges' logs in the chain's order, without repeats."""
    parts = list(parts)
    rewards = {(log.block, log.index): log for part in parts for log in part.rewards}
    rounds = {(log.block, log.index): log for part in parts for log in part.rounds}
    stakes = {(log.block, log.index): log for part in parts for log in part.stakes}
    return Logs(
        tuple(rewards[place] for place in sorted(rewards)),
        tuple(rounds[place] for place in sorted(rounds)),
        tuple(stakes[place] for place in sorted(stakes)),
    )


def pad(number: int) -> str:
    """A number as an indexed argument: 32 bytes."""
    return f"0x{number:064x}"


def topics_of(log: dict[str, Any]) -> Sequence[str]:
    """A log's topics. Raises BadAnswerError."""
    topics = log.get("topics")
    if not isinstance(topics, list):
        raise BadAnswerError(_METHOD, f"a log without topics: {shown(topics)}")
    return [block_hash(topic, _METHOD) for topic in topics[:4]]


def _reward(log: dict[str, Any], subject: str) -> RewardLog:
    raw = data(log.get("data"), _METHOD)
    (amount,) = decode_types(abi.REWARD_EVENT.data, raw, "Reward log")
    block, index = place_of(log)
    return RewardLog(
        Address("0x" + subject[-40:]),
        Lptu(amount),
        block,
        index,
        tx_of(log),
        time_of(log),
    )


def _stake(log: dict[str, Any], topics: Sequence[str]) -> StakeLog:
    raw = data(log.get("data"), _METHOD)
    return parse_stake(topics, raw, place_of(log), tx_of(log))


def place_of(log: dict[str, Any]) -> tuple[L2Block, int]:
    """A log's block and its place among the block's logs. Raises BadAnswerError."""
    index = block_number(log.get("logIndex"), _METHOD)
    if index >= _PLACE:
        raise BadAnswerError(_METHOD, "an absurd place of a log")
    return L2Block(block_number(log.get("blockNumber"), _METHOD)), index


def tx_of(log: dict[str, Any]) -> str:
    """The hash of a log's transaction. Raises BadAnswerError."""
    return block_hash(log.get("transactionHash"), _METHOD)


def time_of(log: dict[str, Any]) -> float | None:
    """The time of a log's block; only newer clients give it along (`blockTimestamp`)."""
    try:
        return float(quantity(log.get("blockTimestamp"), _METHOD, _LATEST))
    except BadAnswerError:
        return None
