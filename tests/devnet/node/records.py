"""What a node reads from the chain for its HTTP interface, in go-livepeer's JSON shapes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.devnet.chain import Devnet
from tests.devnet.node.wallet import ZERO_ADDRESS

_DELEGATOR_STATES = ("Pending", "Bonded", "Unbonded")


def rational(price: Fraction | None) -> str | None:
    """A price as Go writes it: `a` or `a/b`, or nothing."""
    return None if price is None else str(price)


async def transcoder(net: Devnet, address: str, price: Fraction | None = None) -> dict[str, Any]:
    """The record of one orchestrator."""
    bonding = net.bonding
    record = await bonding.call("getTranscoder", address)
    registered = await bonding.call("transcoderStatus", address)
    return {
        "Address": address.lower(),
        "ServiceURI": await net.registry.call("getServiceURI", address),
        "LastRewardRound": record[0],
        "RewardCut": record[1],
        "FeeShare": record[2],
        "DelegatedStake": await bonding.call("transcoderTotalStake", address),
        "ActivationRound": record[4],
        "DeactivationRound": record[5],
        "LastActiveStakeUpdateRound": record[3],
        "Active": await bonding.call("isActiveTranscoder", address),
        "Status": "Registered" if registered else "Not Registered",
        "PricePerPixel": rational(price),
    }


async def transcoder_pool(net: Devnet) -> list[dict[str, Any]]:
    """Every orchestrator in the pool, asked for one after the other."""
    pool = []
    address = await net.bonding.call("getFirstTranscoderInPool")
    while address != ZERO_ADDRESS:
        pool.append(await transcoder(net, address, Fraction(0)))
        address = await net.bonding.call("getNextTranscoderInPool", address)
    return pool


async def delegator(net: Devnet, address: str) -> dict[str, Any]:
    """The bond of one account."""
    bonding = net.bonding
    record = await bonding.call("getDelegator", address)
    status = await bonding.call("delegatorStatus", address)
    return {
        "Address": address.lower(),
        "BondedAmount": record[0],
        "Fees": record[1],
        "DelegateAddress": record[2].lower(),
        "DelegatedAmount": record[3],
        "StartRound": record[4],
        "LastClaimRound": record[5],
        "NextUnbondingLockId": record[6],
        "PendingStake": await bonding.call("pendingStake", address, 0),
        "PendingFees": await bonding.call("pendingFees", address, 0),
        "Status": _DELEGATOR_STATES[status],
    }


async def earnings_pool(net: Devnet, address: str, round_number: int) -> dict[str, Any]:
    """The stake and rates of one orchestrator in one round."""
    values = await net.bonding.call("getTranscoderEarningsPoolForRound", address, round_number)
    names = (
        "TotalStake",
        "TranscoderRewardCut",
        "TranscoderFeeShare",
        "CumulativeRewardFactor",
        "CumulativeFeeFactor",
    )
    return dict(zip(names, values, strict=True))


async def sender(net: Devnet, address: str) -> dict[str, Any]:
    """The deposit and reserve of one payer."""
    (deposit, withdraw_round), (remaining, claimed) = await net.broker.call(
        "getSenderInfo", address
    )
    return {
        "Deposit": deposit,
        "WithdrawRound": withdraw_round,
        "Reserve": {"FundsRemaining": remaining, "ClaimedInCurrentRound": claimed},
    }


async def protocol_parameters(net: Devnet) -> dict[str, Any]:
    """The protocol's settings; the members of its first days are always empty."""
    return {
        "NumActiveTranscoders": await net.bonding.call("getTranscoderPoolMaxSize"),
        "RoundLength": await net.rounds.call("roundLength"),
        "RoundLockAmount": await net.rounds.call("roundLockAmount"),
        "UnbondingPeriod": await net.bonding.call("unbondingPeriod"),
        "VerificationRate": 0,
        "VerificationPeriod": None,
        "SlashingPeriod": None,
        "FailedVerificationSlashAmount": None,
        "MissedVerificationSlashAmount": None,
        "DoubleClaimSegmentSlashAmount": None,
        "FinderFee": None,
        "Inflation": await net.minter.call("inflation"),
        "InflationChange": await net.minter.call("inflationChange"),
        "TargetBondingRate": await net.minter.call("targetBondingRate"),
        "VerificationCodeHash": "",
        "TotalBonded": await net.bonding.call("getTotalBonded"),
        "TotalSupply": await net.minter.call("getGlobalTotalSupply"),
        "Paused": await net.controller.call("paused"),
    }


def contract_addresses(net: Devnet) -> dict[str, str]:
    """The contracts a node knows. The registry of service addresses is not among them."""
    named = {
        name: net.addresses.get(name, ZERO_ADDRESS).lower()
        for name in (
            "BondingManager",
            "Controller",
            "LivepeerToken",
            "LivepeerTokenFaucet",
            "Minter",
            "RoundsManager",
            "TicketBroker",
        )
    }
    return dict(sorted(named.items()))
