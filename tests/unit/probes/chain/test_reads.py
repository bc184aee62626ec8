"""What a cycle's results mean, whatever an endpoint puts into them."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, LptuiError, ProblemKind, RpcError
from lptui.fleet.facts.chain import Contracts, SignerAccount
from lptui.fleet.topology import Orchestrator
from lptui.fleet.units import NEVER, Address, Wei
from lptui.probes.chain import abi, codec, reads
from lptui.probes.chain.client import WrongChainError, is_revert
from tests.unit.probes.hostile import HOSTILE, JSON

CONTROLLER = Address("0x" + "c0" * 20)
ROUNDS = Address("0x" + "0a" * 20)
BONDING = Address("0x" + "0b" * 20)
CONTRACTS = Contracts(CONTROLLER, ROUNDS, BONDING, Address("0x" + "0d" * 20), None, None)
ORCH = Orchestrator("orch", Address("0x" + "01" * 20))
WHO = ORCH.address
REVERTED = RpcError("eth_call", "execution reverted", code=-32000)


def returned(function: abi.Function, *values: Any) -> str:
    return "0x" + codec.codec().encode(function.returns, values).hex()


def results() -> dict[reads.Label, Any]:
    def of(function: abi.Function) -> reads.Label:
        return ("orchestrator", "orch", function.name)

    return {
        reads.CHAIN_ID: "0xa4b1",
        reads.BLOCK: {"number": "0x1b6b0b00", "timestamp": "0x6b49d200", "baseFeePerGas": "0x1"},
        reads.GAS_PRICE: "0x2",
        ("paused",): returned(abi.PAUSED, False),
        ("round", "currentRound"): returned(abi.CURRENT_ROUND, 4200),
        ("round", "currentRoundInitialized"): returned(abi.ROUND_INITIALIZED, True),
        ("round", "currentRoundLocked"): returned(abi.ROUND_LOCKED, False),
        ("round", "currentRoundStartBlock"): returned(abi.ROUND_START, 24_999_000),
        ("round", "blockNum"): returned(abi.BLOCK_NUM, 25_000_000),
        ("round", "roundLength"): returned(abi.ROUND_LENGTH, 6377),
        ("round", "roundLockAmount"): returned(abi.ROUND_LOCK_AMOUNT, 100_000),
        ("round", "lastInitializedRound"): returned(abi.LAST_INITIALIZED, 4200),
        ("round", "currentRoundTotalActiveStake"): returned(abi.ACTIVE_STAKE, 7),
        ("round", "getTranscoderPoolSize"): returned(abi.POOL_SIZE, 99),
        ("round", "getTranscoderPoolMaxSize"): returned(abi.POOL_MAX, 100),
        of(abi.GET_TRANSCODER): returned(
            abi.GET_TRANSCODER, 4199, 50_000, 500_000, 1, 4000, NEVER, 0, 0, 0, 0
        ),
        of(abi.IS_ACTIVE): returned(abi.IS_ACTIVE, True),
        of(abi.IS_REGISTERED): returned(abi.IS_REGISTERED, True),
        of(abi.TOTAL_STAKE): returned(abi.TOTAL_STAKE, NEVER),
        of(abi.PENDING_STAKE): returned(abi.PENDING_STAKE, 5),
        of(abi.PENDING_FEES): returned(abi.PENDING_FEES, 6),
        of(abi.SERVICE_URI): returned(abi.SERVICE_URI, b"https://orch.example.com:8935"),
        of(abi.REWARD_CALLER): returned(abi.REWARD_CALLER, "0x" + "0" * 40),
        ("balance", WHO): "0x10",
        ("nonce", WHO): "0x5",
        ("pending", WHO): "0x6",
        ("deposit", WHO): returned(abi.SENDER_INFO, (1, 2), (3, 4)),
    }


class TestRound:
    def test_is_read(self) -> None:
        clock = reads.parse_round(results(), CONTRACTS, "own")
        assert (clock.round, clock.block, clock.blocks_left) == (4200, 25_000_000, 5377)
        assert clock.lock_blocks == 637
        assert clock.head == 0x1B6B0B00
        assert clock.mintable is None
        assert (clock.pool_size, clock.pool_max) == (99, 100)

    @pytest.mark.parametrize("value", [NEVER, 2**63])
    @pytest.mark.parametrize("name", ["currentRound", "blockNum", "roundLength"])
    def test_absurd_numbers_are_bad_answers(self, name: str, value: int) -> None:
        changed = {**results(), ("round", name): returned(abi.CURRENT_ROUND, value)}
        with pytest.raises(BadAnswerError, match=name):
            reads.parse_round(changed, CONTRACTS, "own")

    def test_a_round_of_no_blocks_is_a_bad_answer(self) -> None:
        changed = {**results(), ("round", "roundLength"): returned(abi.ROUND_LENGTH, 0)}
        with pytest.raises(BadAnswerError, match="no blocks"):
            reads.parse_round(changed, CONTRACTS, "own")

    def test_extras_may_fail(self) -> None:
        changed = {**results(), ("round", "getTranscoderPoolSize"): REVERTED}
        assert reads.parse_round(changed, CONTRACTS, "own").pool_size is None


class TestOrchestrator:
    def test_is_read(self) -> None:
        record = reads.parse_orchestrator(results(), ORCH)
        assert (record.last_reward_round, record.activation_round) == (4199, 4000)
        assert record.deactivation_round is None
        assert record.stake == NEVER
        assert record.service_uri == "https://orch.example.com:8935"
        assert (record.reward_caller, record.has_reward_caller) == (None, True)

    @pytest.mark.parametrize(
        "uri", [b"\xff\xfe", b"https://a\x1b[2J", b"x" * 5000, "https://\u202eexample".encode()]
    )
    def test_whoever_set_the_service_uri_cannot_do_harm(self, uri: bytes) -> None:
        label = ("orchestrator", "orch", abi.SERVICE_URI.name)
        record = reads.parse_orchestrator(
            {**results(), label: returned(abi.SERVICE_URI, uri)}, ORCH
        )
        assert record.service_uri is not None
        assert record.service_uri.isprintable()
        assert len(record.service_uri) <= 400

    @pytest.mark.parametrize(
        ("result", "knows"),
        [
            (REVERTED, False),
            (RpcError("x", "execution reverted: no", code=3), False),
            ("0x", False),
            (RpcError("x", "limit exceeded", kind=ProblemKind.RATE_LIMITED), None),
            (RpcError("x", "header not found", code=-32000), None),
            ("<html>", None),
        ],
    )
    def test_only_a_revert_means_that_there_are_no_reward_callers(
        self, result: object, knows: bool | None
    ) -> None:
        label = ("orchestrator", "orch", abi.REWARD_CALLER.name)
        record = reads.parse_orchestrator({**results(), label: result}, ORCH)
        assert record.has_reward_caller is knows
        assert record.reward_caller is None


class TestAccount:
    def test_a_pending_transaction_waits_from_when_it_was_first_seen(self) -> None:
        first = reads.parse_account(results(), WHO, None, 100.0)
        assert (first.pending, first.pending_since) == (1, 100.0)
        assert reads.parse_account(results(), WHO, first, 200.0).pending_since == 100.0

    def test_the_next_one_waits_anew(self) -> None:
        before = SignerAccount(Wei(1), 4, 5, 100.0)
        assert reads.parse_account(results(), WHO, before, 200.0).pending_since == 200.0

    def test_one_that_vanishes_unmined_is_remembered_until_its_nonce_is_used(self) -> None:
        before = SignerAccount(Wei(1), 5, 6, 100.0)
        none = {**results(), ("pending", WHO): "0x5"}
        gone = reads.parse_account(none, WHO, before, 200.0)
        assert (gone.pending, gone.pending_since) == (0, 100.0)
        again = reads.parse_account(results(), WHO, gone, 300.0)
        assert (again.pending, again.pending_since) == (1, 100.0)
        mined = {**none, ("nonce", WHO): "0x6", ("pending", WHO): "0x6"}
        assert reads.parse_account(mined, WHO, gone, 300.0).pending_since is None

    def test_what_another_endpoint_does_not_know_of_has_not_vanished(self) -> None:
        before = SignerAccount(Wei(1), 5, 6, 100.0)
        none = {**results(), ("pending", WHO): "0x5"}
        account = reads.parse_account(none, WHO, before, 200.0, same_endpoint=False)
        assert account.pending_since is None

    def test_a_count_that_runs_behind_is_not_pending(self) -> None:
        changed = {**results(), ("pending", WHO): "0x4"}
        account = reads.parse_account(changed, WHO, None, 1.0)
        assert (account.pending, account.pending_nonce) == (0, 5)


class TestController:
    def test_zero_is_no_contract(self) -> None:
        nobody = returned(abi.GET_CONTRACT, "0x" + "0" * 40)
        found: reads.Results = {("contract", name): nobody for name in abi.CONTRACT_IDS}
        with pytest.raises(BadAnswerError, match="knows no RoundsManager"):
            reads.parse_contracts(found, CONTROLLER, 0.0)

    def test_optional_contracts_may_be_missing(self) -> None:
        somewhere = returned(abi.GET_CONTRACT, ROUNDS)
        found: dict[reads.Label, Any] = {("contract", n): somewhere for n in abi.CONTRACT_IDS}
        found["contract", "Minter"] = returned(abi.GET_CONTRACT, "0x" + "0" * 40)
        assert reads.parse_contracts(found, CONTROLLER, 9.0) == Contracts(
            CONTROLLER, ROUNDS, ROUNDS, ROUNDS, ROUNDS, None, 9.0
        )

    def test_a_wrong_chain_is_named(self) -> None:
        with pytest.raises(WrongChainError, match="serves chain 42161, not 1"):
            reads.check_chain(results(), 1, "own")


@HOSTILE
@given(
    st.dictionaries(
        st.sampled_from(sorted(results())),
        JSON | st.just(REVERTED) | st.binary(max_size=96).map(lambda raw: "0x" + raw.hex()),
    )
)
def test_nothing_that_an_endpoint_says_does_any_harm(changes: dict[reads.Label, Any]) -> None:
    changed = {**results(), **changes}
    for read in (
        lambda: reads.check_chain(changed, 42161, "own"),
        lambda: reads.parse_round(changed, CONTRACTS, "own"),
        lambda: reads.parse_prices(changed),
        lambda: reads.parse_orchestrator(changed, ORCH),
        lambda: reads.parse_account(changed, WHO, None, 0.0),
        lambda: reads.parse_deposit(changed, WHO),
    ):
        with contextlib.suppress(BadAnswerError, RpcError, WrongChainError):
            read()


@HOSTILE
@given(st.dictionaries(st.sampled_from(sorted(abi.CONTRACT_IDS)), JSON | st.just(REVERTED)))
def test_no_controller_does_any_harm(changes: dict[str, Any]) -> None:
    found = {("contract", n): returned(abi.GET_CONTRACT, ROUNDS) for n in abi.CONTRACT_IDS}
    with contextlib.suppress(BadAnswerError, RpcError):
        reads.parse_contracts(
            found | {("contract", name): value for name, value in changes.items()}, CONTROLLER, 0.0
        )


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (RpcError("x", "execution reverted: why", code=3), True),
        (RpcError("x", "VM execution error. Reverted 0x"), True),
        (RpcError("x", "no", kind=ProblemKind.REVERTED), True),
        (RpcError("x", "header not found", code=-32000), False),
        (RpcError("x", "irreversible", code=-32000), False),
    ],
)
def test_reverts_are_told_from_failures(error: RpcError, is_one: bool) -> None:
    assert is_revert(error) is is_one


def test_calls_go_where_the_contracts_are() -> None:
    calls = reads.orchestrator_calls(replace(CONTRACTS, service_registry=None), ORCH)
    assert {call.params[0]["to"] for call in calls.values()} == {BONDING}
    assert reads.deposit_calls(CONTRACTS, WHO) == {}
    assert all(call.method.startswith("eth_") for call in reads.round_calls(CONTRACTS).values())


def test_a_missing_part_is_none() -> None:
    def fails() -> int:
        raise LptuiError("x")

    assert reads.maybe(fails) is None
    assert reads.maybe(lambda: 3) == 3
