"""What of the protocol's interface is used here: functions, events, names of contracts.

Written down with their selectors, so that reading needs no hashing; the suite recomputes each
(livepeer/protocol, branch delta; LIP-118 for the reward caller).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its signature, selector, and the types that it returns."""

    signature: str
    selector: str
    returns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.signature.partition("(")[0]

    @property
    def arguments(self) -> tuple[str, ...]:
        inner = self.signature.partition("(")[2][:-1]
        return tuple(inner.split(",")) if inner else ()


@dataclass(frozen=True, slots=True)
class Event:
    """An event: its signature and topic0. The first argument is indexed in all of these."""

    signature: str
    topic: str
    data: tuple[str, ...]


_UINT: Final = ("uint256",)
_BOOL: Final = ("bool",)
_ADDRESS: Final = ("address",)

# Controller
GET_CONTRACT: Final = Function("getContract(bytes32)", "0xe16c7d98", _ADDRESS)
PAUSED: Final = Function("paused()", "0x5c975abb", _BOOL)

# RoundsManager
CURRENT_ROUND: Final = Function("currentRound()", "0x8a19c8bc", _UINT)
ROUND_INITIALIZED: Final = Function("currentRoundInitialized()", "0x219bc76c", _BOOL)
ROUND_LOCKED: Final = Function("currentRoundLocked()", "0x6841f253", _BOOL)
ROUND_START: Final = Function("currentRoundStartBlock()", "0x8fa148f2", _UINT)
BLOCK_NUM: Final = Function("blockNum()", "0x8ae63d6d", _UINT)
ROUND_LENGTH: Final = Function("roundLength()", "0x8b649b94", _UINT)
ROUND_LOCK_AMOUNT: Final = Function("roundLockAmount()", "0xf5b490d5", _UINT)
LAST_INITIALIZED: Final = Function("lastInitializedRound()", "0x8807f36e", _UINT)
INITIALIZE_ROUND: Final = Function("initializeRound()", "0xd4807fb2")

# BondingManager
GET_TRANSCODER: Final = Function("getTranscoder(address)", "0x5dce9948", _UINT * 10)
IS_ACTIVE: Final = Function("isActiveTranscoder(address)", "0x08802374", _BOOL)
IS_REGISTERED: Final = Function("isRegisteredTranscoder(address)", "0x68ba170c", _BOOL)
TOTAL_STAKE: Final = Function("transcoderTotalStake(address)", "0x9ef9df94", _UINT)
PENDING_STAKE: Final = Function("pendingStake(address,uint256)", "0x9d0b2c7a", _UINT)
PENDING_FEES: Final = Function("pendingFees(address,uint256)", "0xf595f1cc", _UINT)
POOL_SIZE: Final = Function("getTranscoderPoolSize()", "0x2a4e0d55", _UINT)
POOL_MAX: Final = Function("getTranscoderPoolMaxSize()", "0x5a2a75a9", _UINT)
FIRST_IN_POOL: Final = Function("getFirstTranscoderInPool()", "0x88a6c749", _ADDRESS)
NEXT_IN_POOL: Final = Function("getNextTranscoderInPool(address)", "0x235c9603", _ADDRESS)
ACTIVE_STAKE: Final = Function("currentRoundTotalActiveStake()", "0x4196ee75", _UINT)
TREASURY_CUT: Final = Function("treasuryRewardCutRate()", "0x558f8f44", _UINT)
REWARD_CALLER: Final = Function("transcoderToRewardCaller(address)", "0x47621410", _ADDRESS)
REWARD: Final = Function("reward()", "0x228cb733")
REWARD_FOR: Final = Function("rewardForTranscoder(address)", "0x1a8c41f8")
SET_REWARD_CALLER: Final = Function("setRewardCaller(address)", "0x0103e60e")

# Minter, ServiceRegistry, TicketBroker
MINTABLE: Final = Function("currentMintableTokens()", "0x9ae6309a", _UINT)
SERVICE_URI: Final = Function("getServiceURI(address)", "0x214c2a4b", ("bytes",))
"""Returns a string; read as bytes, which are encoded alike, for whoever set it need not have
kept to UTF-8."""
SENDER_INFO: Final = Function(
    "getSenderInfo(address)", "0xe1a589da", ("(uint256,uint256)", "(uint256,uint256)")
)

FUNCTIONS: Final = (
    GET_CONTRACT,
    PAUSED,
    CURRENT_ROUND,
    ROUND_INITIALIZED,
    ROUND_LOCKED,
    ROUND_START,
    BLOCK_NUM,
    ROUND_LENGTH,
    ROUND_LOCK_AMOUNT,
    LAST_INITIALIZED,
    INITIALIZE_ROUND,
    GET_TRANSCODER,
    IS_ACTIVE,
    IS_REGISTERED,
    TOTAL_STAKE,
    PENDING_STAKE,
    PENDING_FEES,
    POOL_SIZE,
    POOL_MAX,
    FIRST_IN_POOL,
    NEXT_IN_POOL,
    ACTIVE_STAKE,
    TREASURY_CUT,
    REWARD_CALLER,
    REWARD,
    REWARD_FOR,
    SET_REWARD_CALLER,
    MINTABLE,
    SERVICE_URI,
    SENDER_INFO,
)

NEW_ROUND: Final = Event(
    "NewRound(uint256,bytes32)",
    "0x22f2fc17c5daf07db2379b3a03a8ef20a183f761097a58fce219c8a14619e786",
    ("bytes32",),
)
REWARD_EVENT: Final = Event(
    "Reward(address,uint256)",
    "0x619caafabdd75649b302ba8419e48cccf64f37f1983ac4727cfb38b57703ffc9",
    _UINT,
)
REWARD_CALLER_SET: Final = Event(
    "RewardCallerSet(address,address)",
    "0x15932b87747cac36d3c505e86a946c6d3a79d9d7bdb79d81584d32bbe54516c2",
    (),
)
"""The caller is its second topic."""

BOND: Final = Event(
    "Bond(address,address,address,uint256,uint256)",
    "0xe5917769f276ddca9f2ee7c6b0b33e1d1e1b61008010ce622c632dd20d168a23",
    _UINT * 2,
)
"""The delegate before and the delegator are its second and third topics."""
UNBOND: Final = Event(
    "Unbond(address,address,uint256,uint256,uint256)",
    "0x2d5d98d189bee5496a08db2a5948cb7e5e786f09d17d0c3f228eb41776c24a06",
    _UINT * 3,
)
REBOND: Final = Event(
    "Rebond(address,address,uint256,uint256)",
    "0x9f5b64cc71e1e26ff178caaa7877a04d8ce66fde989251870e80e6fbee690c17",
    _UINT * 2,
)
"""The delegator is the second topic of both."""
WITHDRAW_STAKE: Final = Event(
    "WithdrawStake(address,uint256,uint256,uint256)",
    "0x1340f1a8f3d456a649e1a12071dfa15655e3d09252131d0f980c3b405cc8dd2e",
    _UINT * 3,
)
SLASHED: Final = Event(
    "TranscoderSlashed(address,address,uint256,uint256)",
    "0xf4b71fed8e2c9a8c67c388bc6d35ad20b9368a24eed6d565459f2b277b6c0c22",
    (*_ADDRESS, *_UINT, *_UINT),
)
RATES: Final = Event(
    "TranscoderUpdate(address,uint256,uint256)",
    "0x7346854431dbb3eb8e373c604abf89e90f4865b8447e1e2834d7b3e4677bf544",
    _UINT * 2,
)
ACTIVATED: Final = Event(
    "TranscoderActivated(address,uint256)",
    "0x65d72d782835d64c3287844a829608d5abdc7e864cc9affe96d910ab3db665e9",
    _UINT,
)
DEACTIVATED: Final = Event(
    "TranscoderDeactivated(address,uint256)",
    "0xfee3e693fc72d0a0a673805f3e606c551f4c677b9072444b90dd2d0406bc995c",
    _UINT,
)
TICKET_REDEEMED: Final = Event(
    "WinningTicketRedeemed(address,address,uint256,uint256,uint256,uint256,bytes)",
    "0xc389eb51ed006dbf2528507f010efdf5225ea596e1e1741d74f550dab1925ee7",
    (*_UINT * 4, "bytes"),
)
"""Of the TicketBroker. The sender is its first topic, the recipient its second."""

STAKE_EVENTS: Final = (
    BOND,
    UNBOND,
    REBOND,
    WITHDRAW_STAKE,
    SLASHED,
    RATES,
    ACTIVATED,
    DEACTIVATED,
)
EVENTS: Final = (NEW_ROUND, REWARD_EVENT, REWARD_CALLER_SET, TICKET_REDEEMED, *STAKE_EVENTS)

CONTRACT_IDS: Final = {
    "RoundsManager": "0xe8438ea868df48e3fc21f2f087b993c9b1837dc0f6135064161ce7d7a1701fe8",
    "BondingManager": "0x2517d59a36a86548e38734e8ab416f42afff4bca78706a66ad65750dae7f9e37",
    "ServiceRegistry": "0x79c5d2a4a07754f4bacb0ffba18ac516030ee589ebc89db8627680c4d4cdb230",
    "TicketBroker": "0xbd1aa3e8d2464256d7fd3dcf645c16418d5d8c51d971f1ad7d57e7b1b5eee239",
    "Minter": "0x6e58ad548d72b425ea94c15f453bf26caddb061d82b2551db7fdd3cefe0e9940",
}
"""keccak256 of the names, which the Controller is asked by."""

ERROR_SELECTOR: Final = "0x08c379a0"
"""`Error(string)`: what `require` with a text gives."""

PANIC_SELECTOR: Final = "0x4e487b71"
"""`Panic(uint256)`: an assertion, an overflow, a division by zero."""
