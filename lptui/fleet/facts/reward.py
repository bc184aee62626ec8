"""What is known of an orchestrator's reward besides the contract and its logs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lptui.fleet.units import Address, L1Block, L2Block, Lptu, Round


@dataclass(frozen=True, slots=True)
class NodeReward:
    """The word of a node that may call reward, as its own RPC endpoint tells it.

    Target: the node's name. From `/currentRound`, `/roundInitialized` and `/orchestratorInfo`
    (go-livepeer server/handlers.go); the record is that of `address`. None where a route is not
    answered; `errors` are such routes, and why.
    """

    round: Round | None
    initialized: bool | None = None
    address: Address | None = None
    last_reward_round: Round | None = None
    active: bool | None = None
    registered: bool | None = None
    errors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RewardTry:
    """A node's own call of reward as its log tells it; `why` it failed, `at` UTC seconds."""

    round: Round
    called: bool
    why: str
    at: float


@dataclass(frozen=True, slots=True)
class NodeRewardLog:
    """What a node's log says of its tries, oldest first. Target: the node's name.

    `since_at` is from when it was read (UTC seconds); None: it was not, for no reward is due.
    `is_partial`: the round began earlier, but the log goes back no further.
    """

    tries: tuple[RewardTry, ...] = ()
    since_at: float | None = None
    is_partial: bool = False


class Hindrance(StrEnum):
    """What keeps a reward from being called while it lasts."""

    NOT_INITIALIZED = "not-initialized"
    PAUSED = "paused"
    INACTIVE = "inactive"
    NO_CALLER = "no-caller"
    REVOKED = "revoked"
    CALL_FAILED = "call-failed"
    SHORT_OF_ETH = "short-of-eth"
    GAS_ABOVE_CAP = "gas-above-cap"
    NODE_DOWN = "node-down"
    WATCHER_STALLED = "watcher-stalled"


@dataclass(frozen=True, slots=True)
class RoundNote:
    """A hindrance that was seen in a round whose reward was not called yet.

    `text` as it was seen last; `since_at` and `until_at` (UTC seconds) are when it was seen first
    and last.
    """

    round: Round
    kind: Hindrance
    text: str
    since_at: float
    until_at: float


@dataclass(frozen=True, slots=True)
class RoundSeen:
    """A round while its reward was not called: first and last looked at (UTC seconds), and how
    many L1 blocks of it had gone by when last looked at."""

    round: Round
    since_at: float
    until_at: float
    blocks_into: int


@dataclass(frozen=True, slots=True)
class RewardWatch:
    """What was seen of the last rounds while their reward was due. Target: the orchestrator.

    Attributes:
        notes: oldest first; `seen`: the rounds that were looked at, oldest first.
        errors: each caller's counter of failed calls, as it was read last.
        caller: the authorised caller as it was read last.
    """

    notes: tuple[RoundNote, ...] = ()
    seen: tuple[RoundSeen, ...] = ()
    errors: tuple[tuple[str, int], ...] = ()
    caller: Address | None = None


@dataclass(frozen=True, slots=True)
class L1Pace:
    """The L1 height that contracts saw at some times (UTC seconds), oldest first.

    Target: the network's name. What the length of an L1 block is measured from.
    """

    samples: tuple[tuple[float, L1Block], ...] = ()


@dataclass(frozen=True, slots=True)
class ExplorerReward:
    """A `Reward` log as a block explorer has it; `at` is its block's time (UTC seconds)."""

    block: L2Block
    tx: str
    amount: Lptu
    at: float | None = None


@dataclass(frozen=True, slots=True)
class ExplorerRewards:
    """An orchestrator's `Reward` logs from an explorer's API, oldest first. Target: its name.

    `since_block` is the first block that was asked for; `complete` False: there are more pages
    than are read.
    """

    rewards: tuple[ExplorerReward, ...]
    since_block: L2Block
    complete: bool = True
