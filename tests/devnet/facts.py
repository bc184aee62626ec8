"""
The real protocol's selectors, topics and names, as written down from it and not derived.

The suite recomputes them, and holds the stand-in contracts to them.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

NEVER: Final = 2**256 - 1

SELECTORS: Final = MappingProxyType(
    {
        "Controller": {
            "getContract(bytes32)": "0xe16c7d98",
            "paused()": "0x5c975abb",
        },
        "RoundsManager": {
            "currentRound()": "0x8a19c8bc",
            "currentRoundInitialized()": "0x219bc76c",
            "lastInitializedRound()": "0x8807f36e",
            "currentRoundStartBlock()": "0x8fa148f2",
            "currentRoundLocked()": "0x6841f253",
            "roundLength()": "0x8b649b94",
            "roundLockAmount()": "0xf5b490d5",
            "blockNum()": "0x8ae63d6d",
            "lastRoundLengthUpdateRound()": "0x0fe1dfa8",
            "lastRoundLengthUpdateStartBlock()": "0x668abff7",
            "blockHashForRound(uint256)": "0x3aa4add4",
            "initializeRound()": "0xd4807fb2",
        },
        "BondingManager": {
            "getTranscoder(address)": "0x5dce9948",
            "getDelegator(address)": "0xa64ad595",
            "getTranscoderEarningsPoolForRound(address,uint256)": "0x24454fc4",
            "getDelegatorUnbondingLock(address,uint256)": "0x412f83b6",
            "isActiveTranscoder(address)": "0x08802374",
            "isRegisteredTranscoder(address)": "0x68ba170c",
            "transcoderStatus(address)": "0x8b2f1652",
            "delegatorStatus(address)": "0x1544fc67",
            "transcoderTotalStake(address)": "0x9ef9df94",
            "getTranscoderPoolSize()": "0x2a4e0d55",
            "getTranscoderPoolMaxSize()": "0x5a2a75a9",
            "getFirstTranscoderInPool()": "0x88a6c749",
            "getNextTranscoderInPool(address)": "0x235c9603",
            "getTotalBonded()": "0x5c50c356",
            "currentRoundTotalActiveStake()": "0x4196ee75",
            "nextRoundTotalActiveStake()": "0x465501d3",
            "unbondingPeriod()": "0x6cf6d675",
            "treasuryRewardCutRate()": "0x558f8f44",
            "treasuryBalanceCeiling()": "0x84a16bbc",
            "pendingStake(address,uint256)": "0x9d0b2c7a",
            "pendingFees(address,uint256)": "0xf595f1cc",
            "transcoder(uint256,uint256)": "0x43d3461a",
            "bond(uint256,address)": "0xb78d27dc",
            "unbond(uint256)": "0x27de9e32",
            "withdrawStake(uint256)": "0x25d5971f",
            "reward()": "0x228cb733",
            "rewardWithHint(address,address)": "0x81871056",
            "setRewardCaller(address)": "0x0103e60e",
            "rewardForTranscoder(address)": "0x1a8c41f8",
            "rewardForTranscoderWithHint(address,address,address)": "0xb556966a",
            "transcoderToRewardCaller(address)": "0x47621410",
        },
        "Minter": {
            "inflation()": "0xbe0522e0",
            "inflationChange()": "0xa7c83514",
            "targetBondingRate()": "0x821b771f",
            "currentMintableTokens()": "0x9ae6309a",
            "currentMintedTokens()": "0x2de22cdb",
            "getGlobalTotalSupply()": "0x5507442d",
        },
        "ServiceRegistry": {
            "getServiceURI(address)": "0x214c2a4b",
            "setServiceURI(string)": "0x5f11301b",
        },
        "TicketBroker": {
            "getSenderInfo(address)": "0xe1a589da",
            "claimedReserve(address,address)": "0x4ac826da",
            "claimableReserve(address,address)": "0x81779f38",
            "unlockPeriod()": "0x20d3a0b4",
            "ticketValidityPeriod()": "0x856a2cf8",
            "fundDepositAndReserve(uint256,uint256)": "0x511f4073",
            "unlock()": "0xa69df4b5",
        },
    }
)

# Signature with `*` before an indexed argument's type, as the contract declares it.
EVENTS: Final = MappingProxyType(
    {
        "Controller": {
            "SetContractInfo(bytes32,address,bytes20)": (
                "0xf9a6cf519167d81bc5cb3d26c60c0c9a19704aa908c148e82a861b570f4cd2d7"
            ),
            "Pause()": "0x6985a02210a168e66602d3235cb6db0e70f92b3ba4d376a33c0f3d9434bff625",
            "Unpause()": "0x7805862f689e2f13df9f062ff482ad3ad112aca9e0847911ed832e158c525b33",
        },
        "RoundsManager": {
            "NewRound(*uint256,bytes32)": (
                "0x22f2fc17c5daf07db2379b3a03a8ef20a183f761097a58fce219c8a14619e786"
            ),
            "ParameterUpdate(string)": (
                "0x9f5033568d78ae30f29f01e944f97b2216493bd19d1b46d429673acff3dcd674"
            ),
        },
        "BondingManager": {
            "Reward(*address,uint256)": (
                "0x619caafabdd75649b302ba8419e48cccf64f37f1983ac4727cfb38b57703ffc9"
            ),
            "TreasuryReward(*address,address,uint256)": (
                "0x40e200718fe552021167687e5491d09f5931275b6f88f14a462650f0effb5237"
            ),
            "RewardCallerSet(*address,*address)": (
                "0x15932b87747cac36d3c505e86a946c6d3a79d9d7bdb79d81584d32bbe54516c2"
            ),
            "TranscoderUpdate(*address,uint256,uint256)": (
                "0x7346854431dbb3eb8e373c604abf89e90f4865b8447e1e2834d7b3e4677bf544"
            ),
            "TranscoderActivated(*address,uint256)": (
                "0x65d72d782835d64c3287844a829608d5abdc7e864cc9affe96d910ab3db665e9"
            ),
            "TranscoderDeactivated(*address,uint256)": (
                "0xfee3e693fc72d0a0a673805f3e606c551f4c677b9072444b90dd2d0406bc995c"
            ),
            "TranscoderSlashed(*address,address,uint256,uint256)": (
                "0xf4b71fed8e2c9a8c67c388bc6d35ad20b9368a24eed6d565459f2b277b6c0c22"
            ),
            "Bond(*address,*address,*address,uint256,uint256)": (
                "0xe5917769f276ddca9f2ee7c6b0b33e1d1e1b61008010ce622c632dd20d168a23"
            ),
            "Unbond(*address,*address,uint256,uint256,uint256)": (
                "0x2d5d98d189bee5496a08db2a5948cb7e5e786f09d17d0c3f228eb41776c24a06"
            ),
            "Rebond(*address,*address,uint256,uint256)": (
                "0x9f5b64cc71e1e26ff178caaa7877a04d8ce66fde989251870e80e6fbee690c17"
            ),
            "WithdrawStake(*address,uint256,uint256,uint256)": (
                "0x1340f1a8f3d456a649e1a12071dfa15655e3d09252131d0f980c3b405cc8dd2e"
            ),
        },
        "Minter": {
            "SetCurrentRewardTokens(uint256,uint256)": (
                "0x39567a366345edf17f50c1967a31b597745186c4632f34c4f8ebe06b6890784d"
            ),
        },
        "ServiceRegistry": {
            "ServiceURIUpdate(*address,string)": (
                "0xfbb63068732c85741c9f8e61caffaabe038d577bfafd2d2dcc0e352a4f653a4c"
            ),
        },
        "TicketBroker": {
            "WinningTicketRedeemed(*address,*address,uint256,uint256,uint256,uint256,bytes)": (
                "0xc389eb51ed006dbf2528507f010efdf5225ea596e1e1741d74f550dab1925ee7"
            ),
            "WinningTicketTransfer(*address,*address,uint256)": (
                "0x8b87351a208c06e3ceee59d80725fd77a23b4129e1b51ca231fc89b40712649c"
            ),
            "DepositFunded(*address,uint256)": (
                "0x5159e237d952190e68d5215430f305831be7c9c8776d1377c76679ae4773413f"
            ),
            "ReserveFunded(*address,uint256)": (
                "0xb52b99b9e83551fcbd069b559cc3e823e2a1a3bad8ece46561ea77524394c850"
            ),
            "ReserveClaimed(*address,address,uint256)": (
                "0x5c2b394723f408a40a60335e24b71829642e35f350cebe2036a96a66e895ea98"
            ),
            "Unlock(*address,uint256,uint256)": (
                "0xf7870c5b224cbc19873599e46ccfc7103934650509b1af0c3ce90138377c2004"
            ),
        },
    }
)

CONTRACT_IDS: Final = MappingProxyType(
    {
        "BondingManager": "0x2517d59a36a86548e38734e8ab416f42afff4bca78706a66ad65750dae7f9e37",
        "Minter": "0x6e58ad548d72b425ea94c15f453bf26caddb061d82b2551db7fdd3cefe0e9940",
        "RoundsManager": "0xe8438ea868df48e3fc21f2f087b993c9b1837dc0f6135064161ce7d7a1701fe8",
        "ServiceRegistry": "0x79c5d2a4a07754f4bacb0ffba18ac516030ee589ebc89db8627680c4d4cdb230",
        "TicketBroker": "0xbd1aa3e8d2464256d7fd3dcf645c16418d5d8c51d971f1ad7d57e7b1b5eee239",
        "Treasury": "0x6efca2866b731ee4984990bacad4cde10f1ef764fb54a5206bdfd291695b1a9b",
        "LivepeerToken": "0x3443e257065fe41dd0e4d1f5a1b73a22a62e300962b57f30cddf41d0f8273ba7",
    }
)


class Revert:
    """The protocol's reasons for refusing, word for word."""

    NOT_INITIALIZED = "current round is not initialized"
    ALREADY_INITIALIZED = "round already initialized"
    NOT_ACTIVE = "caller must be an active transcoder"
    ALREADY_REWARDED = "caller has already called reward for the current round"
    PAUSED = "system is paused"
    NOT_REWARD_CALLER = "caller must be a reward caller set by the transcoder"
    LOCKED = "can't update transcoder params, current round is locked"
    NOT_REGISTERED = "transcoder must be registered"
    MUST_REWARD_FIRST = (
        "caller can't be active or must have already called reward for the current round"
    )
    NOTHING_BONDED = "delegation amount must be greater than 0"
    TOO_EARLY = "withdraw round must be before or equal to the current round"
    VALUE_MISMATCH = "msg.value does not equal sum of deposit amount and reserve amount"
