"""The calls of one chain cycle, and what their results mean. Pure.

Rounds count L1 blocks: progress comes from `blockNum()`, never from the chain's own height.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from lptui.errors import BadAnswerError, LptuiError, RpcError
from lptui.fleet.facts.chain import (
    ChainRound,
    Contracts,
    GasPrices,
    OrchestratorRecord,
    PooledTransaction,
    SenderDeposit,
    SignerAccount,
)
from lptui.fleet.topology import Orchestrator
from lptui.fleet.units import PARTS_PER_MILLION, Address, L1Block, L2Block, Lptu, Round, Wei
from lptui.probes.chain import abi
from lptui.probes.chain.client import WrongChainError, is_revert
from lptui.probes.chain.codec import decode, decode_address, view
from lptui.probes.rpc.values import AMOUNT, PRICE, block_hash, block_number, given, quantity, record
from lptui.text import clean
from lptui.transport.protocols import Call

Label = tuple[str, ...]
Results = Mapping[Label, Any]
T = TypeVar("T")

CHAIN_ID: Final[Label] = ("eth_chainId",)
BLOCK: Final[Label] = ("block",)
GAS_PRICE: Final[Label] = ("eth_gasPrice",)

_SMALL: Final = 2**63
_CONTENT: Final = "txpool_contentFrom"
_MOST_POOLED: Final = 16
"""Of one account's transactions in one part of the pool."""
_ROUND: Final = (
    abi.CURRENT_ROUND,
    abi.ROUND_INITIALIZED,
    abi.ROUND_LOCKED,
    abi.ROUND_START,
    abi.BLOCK_NUM,
    abi.ROUND_LENGTH,
    abi.ROUND_LOCK_AMOUNT,
    abi.LAST_INITIALIZED,
)
_WHOLE: Final = 10**27
_BONDING: Final = (abi.TREASURY_CUT, abi.ACTIVE_STAKE, abi.POOL_SIZE, abi.POOL_MAX)


# The Controller


def contract_calls(controller: Address) -> dict[Label, Call]:
    """Asks the Controller where the contracts are."""
    return {
        ("contract", name): view(controller, abi.GET_CONTRACT, bytes.fromhex(identifier[2:]))
        for name, identifier in abi.CONTRACT_IDS.items()
    }


def parse_contracts(results: Results, controller: Address, now: float) -> Contracts:
    """Where the contracts are. Raises LptuiError when this is no Livepeer Controller."""
    found: dict[str, Address | None] = {}
    for name in abi.CONTRACT_IDS:
        try:
            found[name] = decode_address(abi.GET_CONTRACT, given(results["contract", name]))
        except LptuiError as error:
            if isinstance(error, RpcError) and not is_revert(error):
                raise
            raise BadAnswerError(
                f"Controller {controller}",
                f"it does not answer for {name} ({clean(error.why, 100)})",
                "check chain.controller, and that the RPC endpoint serves that chain",
            ) from error
    rounds, bonding = found["RoundsManager"], found["BondingManager"]
    if rounds is None or bonding is None:
        missing = "RoundsManager" if rounds is None else "BondingManager"
        raise BadAnswerError(
            f"Controller {controller}",
            f"it knows no {missing}",
            "check chain.controller, and that the RPC endpoint serves that chain",
        )
    return Contracts(
        controller,
        rounds,
        bonding,
        found["ServiceRegistry"],
        found["TicketBroker"],
        found["Minter"],
        now,
    )


def check_chain(results: Results, expected: int, rpc: str) -> None:
    """Raises WrongChainError when the endpoint serves another chain."""
    found = quantity(given(results[CHAIN_ID]), "eth_chainId", _SMALL)
    if found != expected:
        raise WrongChainError(
            f"rpc {rpc}",
            f"it serves chain {found}, not {expected}",
            "check the endpoint's address and chain.chain_id",
        )


# The round


def round_calls(contracts: Contracts) -> dict[Label, Call]:
    """The round clock, the head and the prices."""
    calls: dict[Label, Call] = {
        CHAIN_ID: Call("eth_chainId"),
        BLOCK: Call("eth_getBlockByNumber", ("latest", False)),
        GAS_PRICE: Call("eth_gasPrice"),
        ("paused",): view(contracts.controller, abi.PAUSED),
    }
    calls |= {("round", f.name): view(contracts.rounds_manager, f) for f in _ROUND}
    calls |= {("round", f.name): view(contracts.bonding_manager, f) for f in _BONDING}
    if contracts.minter is not None:
        calls["round", abi.MINTABLE.name] = view(contracts.minter, abi.MINTABLE)
    return calls


def parse_round(results: Results, contracts: Contracts, rpc: str) -> ChainRound:
    """The round clock. Raises RpcError or BadAnswerError when an essential part is missing."""

    def amount(function: abi.Function) -> int:
        return int(decode(function, given(results["round", function.name]))[0])

    def flag(function: abi.Function) -> bool:
        return amount(function) == 1

    def count(function: abi.Function) -> int:
        return _small(amount(function), function.name)

    length = count(abi.ROUND_LENGTH)
    if not length:
        raise BadAnswerError("roundLength", "a round of no blocks")
    number, start = count(abi.CURRENT_ROUND), count(abi.ROUND_START)
    lock = min(count(abi.ROUND_LOCK_AMOUNT), PARTS_PER_MILLION)
    block = record(given(results[BLOCK]), "eth_getBlockByNumber")
    return ChainRound(
        round=Round(number),
        initialized=flag(abi.ROUND_INITIALIZED),
        locked=flag(abi.ROUND_LOCKED),
        start_block=L1Block(start),
        length=length,
        lock_blocks=length * lock // PARTS_PER_MILLION,
        block=L1Block(count(abi.BLOCK_NUM)),
        last_initialized=Round(count(abi.LAST_INITIALIZED)),
        paused=decode(abi.PAUSED, given(results["paused",]))[0],
        contracts=contracts,
        rpc=rpc,
        head=L2Block(block_number(block.get("number"), "eth_getBlockByNumber")),
        head_time=float(quantity(block.get("timestamp"), "eth_getBlockByNumber", 2**40)),
        mintable=maybe(lambda: Lptu(amount(abi.MINTABLE))),
        total_active_stake=maybe(lambda: Lptu(amount(abi.ACTIVE_STAKE))),
        treasury_cut=maybe(lambda: min(amount(abi.TREASURY_CUT), _WHOLE)),
        pool_size=maybe(lambda: count(abi.POOL_SIZE)),
        pool_max=maybe(lambda: count(abi.POOL_MAX)),
    )


def parse_prices(results: Results) -> GasPrices:
    """Prices of gas now. Raises RpcError or BadAnswerError."""
    block = given(results[BLOCK])
    base = block.get("baseFeePerGas") if isinstance(block, dict) else None
    return GasPrices(
        Wei(quantity(given(results[GAS_PRICE]), "eth_gasPrice", PRICE)),
        maybe(lambda: Wei(quantity(base, "baseFeePerGas", PRICE))),
    )


# Orchestrators


def orchestrator_calls(contracts: Contracts, registered: Orchestrator) -> dict[Label, Call]:
    """One orchestrator's record."""
    at, who = contracts.bonding_manager, registered.address
    single = (
        abi.GET_TRANSCODER,
        abi.IS_ACTIVE,
        abi.IS_REGISTERED,
        abi.TOTAL_STAKE,
        abi.REWARD_CALLER,
    )
    calls = {_of(registered, function): view(at, function, who) for function in single}
    # The round argument of these two is ignored by the contract.
    for function in (abi.PENDING_STAKE, abi.PENDING_FEES):
        calls[_of(registered, function)] = view(at, function, who, 0)
    if contracts.service_registry is not None:
        calls[_of(registered, abi.SERVICE_URI)] = view(
            contracts.service_registry, abi.SERVICE_URI, who
        )
    return calls


def parse_orchestrator(results: Results, registered: Orchestrator) -> OrchestratorRecord:
    """An orchestrator's record. Raises RpcError or BadAnswerError for its essential parts."""

    def read(function: abi.Function) -> tuple[Any, ...]:
        return decode(function, given(results[_of(registered, function)]))

    own = read(abi.GET_TRANSCODER)
    what = abi.GET_TRANSCODER.name
    caller, knows_callers = _reward_caller(results, registered)
    return OrchestratorRecord(
        address=registered.address,
        last_reward_round=Round(_small(own[0], what)),
        reward_cut=_small(own[1], what),
        fee_share=_small(own[2], what),
        activation_round=Round(_small(own[4], what)),
        deactivation_round=Round(own[5]) if own[5] < _SMALL else None,
        active=read(abi.IS_ACTIVE)[0],
        registered=read(abi.IS_REGISTERED)[0],
        stake=maybe(lambda: Lptu(read(abi.TOTAL_STAKE)[0])),
        pending_stake=maybe(lambda: Lptu(read(abi.PENDING_STAKE)[0])),
        pending_fees=maybe(lambda: Wei(read(abi.PENDING_FEES)[0])),
        service_uri=maybe(lambda: clean(read(abi.SERVICE_URI)[0])),
        reward_caller=caller,
        has_reward_caller=knows_callers,
    )


def _reward_caller(
    results: Results, registered: Orchestrator
) -> tuple[Address | None, bool | None]:
    """The authorised caller, and whether the contract knows such a thing at all (LIP-118).

    A contract without the function reverts; an endpoint that fails says nothing about it.
    """
    result = results[_of(registered, abi.REWARD_CALLER)]
    if isinstance(result, RpcError):
        return None, False if is_revert(result) else None
    try:
        return decode_address(abi.REWARD_CALLER, result), True
    except BadAnswerError:
        return None, False if result == "0x" else None


# Accounts


def account_calls(address: Address, *, pool: bool = False) -> dict[Label, Call]:
    """An account's balance and nonces, and its transactions in the pool."""
    pooled: dict[Label, Call] = {("pool", address): Call(_CONTENT, (address,))}
    return {
        **(pooled if pool else {}),
        ("balance", address): Call("eth_getBalance", (address, "latest")),
        ("nonce", address): Call("eth_getTransactionCount", (address, "latest")),
        ("pending", address): Call("eth_getTransactionCount", (address, "pending")),
    }


def parse_account(
    results: Results,
    address: Address,
    before: SignerAccount | None,
    now: float,
    *,
    same_endpoint: bool = True,
) -> SignerAccount:
    """An account; `before` is its reading before this one. Raises RpcError, BadAnswerError.

    `same_endpoint`: both are from one endpoint. What one has pending, another need not know of.
    """
    balance = quantity(given(results["balance", address]), "eth_getBalance", AMOUNT)
    nonce = quantity(given(results["nonce", address]), "eth_getTransactionCount", _SMALL)
    pending = maybe(
        lambda: quantity(given(results["pending", address]), "eth_getTransactionCount", _SMALL)
    )
    # The same nonce still waits; after it is mined the next one's wait begins.
    since = before.pending_since if before is not None and before.nonce == nonce else None
    if pending is not None and pending > nonce:
        since = now if since is None else since
    elif pending is not None and not same_endpoint:
        since = None
    return SignerAccount(
        balance=Wei(balance),
        nonce=nonce,
        pending_nonce=nonce if pending is None else max(pending, nonce),
        pending_since=since,
        pending_known=pending is not None,
        pool=maybe(lambda: _pool(given(results["pool", address]))),
    )


def _pool(content: object) -> tuple[PooledTransaction, ...]:
    """`txpool_contentFrom` (geth, Nethermind, Reth): transactions by nonce, by the nonce's text."""
    parts = record(content, _CONTENT)
    found = []
    for name in ("pending", "queued"):
        for item in list(record(parts.get(name) or {}, _CONTENT).values())[:_MOST_POOLED]:
            found.append(_pooled(record(item, _CONTENT), is_queued=name == "queued"))
    return tuple(sorted(found, key=lambda item: item.nonce))


def _pooled(fields: Mapping[str, Any], *, is_queued: bool) -> PooledTransaction:
    price = fields.get("maxFeePerGas") or fields.get("gasPrice")
    return PooledTransaction(
        block_hash(fields.get("hash"), _CONTENT),
        quantity(fields.get("nonce"), _CONTENT, _SMALL),
        is_queued,
        maybe(lambda: Wei(quantity(price, _CONTENT, PRICE))),
    )


def deposit_calls(contracts: Contracts, address: Address) -> dict[Label, Call]:
    """A gateway's deposit; nothing where the Controller knows no TicketBroker."""
    if contracts.ticket_broker is None:
        return {}
    return {("deposit", address): view(contracts.ticket_broker, abi.SENDER_INFO, address)}


def parse_deposit(results: Results, address: Address) -> SenderDeposit:
    """A gateway's deposit and reserve. Raises RpcError or BadAnswerError."""
    (deposit, withdraw), (reserve, _) = decode(abi.SENDER_INFO, given(results["deposit", address]))
    return SenderDeposit(Wei(deposit), Wei(reserve), Round(_small(withdraw, "withdrawRound")))


# Both


def maybe(read: Callable[[], T]) -> T | None:
    """A part that a reading can do without: None when it could not be read."""
    try:
        return read()
    except (LptuiError, KeyError):
        return None


def _of(registered: Orchestrator, function: abi.Function) -> Label:
    return ("orchestrator", registered.name, function.name)


def _small(value: int, what: str) -> int:
    """A round, a block or a share: what does not fit in 63 bits is none."""
    if value >= _SMALL:
        raise BadAnswerError(what, f"absurdly large: {value:#x}")
    return value


def unique(addresses: Sequence[Address | None]) -> tuple[Address, ...]:
    """Addresses without repeats, in their order."""
    return tuple(dict.fromkeys(address for address in addresses if address is not None))
