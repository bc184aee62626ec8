"""Why a contract refuses, in its own words and never in harmful ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, ProblemKind, RpcError
from lptui.fleet.facts.chain import Contracts
from lptui.fleet.units import Address
from lptui.probes.chain import abi, codec
from lptui.probes.chain.dry_run import (
    dry_run,
    initialize_round_call,
    revert_reason,
    reward_call,
)
from tests.unit.probes.hostile import HOSTILE
from tests.unit.probes.rpc.scripted import ScriptedRpc

ROUNDS = Address("0x" + "0a" * 20)
BONDING = Address("0x" + "0b" * 20)
CONTRACTS = Contracts(ROUNDS, ROUNDS, BONDING)
ORCH, CALLER = Address("0x" + "01" * 20), Address("0x" + "02" * 20)
ALREADY = "caller has already called reward for the current round"


def refused(reason: str | bytes) -> RpcError:
    raw = reason.encode() if isinstance(reason, str) else reason
    data = abi.ERROR_SELECTOR + codec.codec().encode(("bytes",), (raw,)).hex()
    return RpcError("x", "execution reverted", code=3, data=data, kind=ProblemKind.REVERTED)


def test_the_reason_comes_from_the_data() -> None:
    assert revert_reason(refused(ALREADY)) == ALREADY


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RpcError("x", f"execution reverted: {ALREADY}", code=3), ALREADY),
        (RpcError("x", f"err: execution reverted: {ALREADY}", code=-32000), ALREADY),
        (RpcError("x", f"VM Exception: reverted with reason {ALREADY}"), ALREADY),
        (RpcError("x", "execution reverted", code=3), ""),
        (RpcError("x", "execution reverted: a", code=3, data="0x"), "a"),
        (RpcError("x", "execution reverted: a", code=3, data="garbage"), "a"),
        (RpcError("x", "execution reverted: a", code=3, data="0x08c379a0ff"), "a"),
        (RpcError("x", "reverted", code=3, data="0x4e487b71" + "11".zfill(64)), "panic 0x11"),
        (RpcError("x", "reverted", code=3, data="0xdeadbeef"), "custom error 0xdeadbeef"),
        (RpcError("x", "header not found", code=-32000), ""),
    ],
)
def test_reasons(error: RpcError, reason: str) -> None:
    assert revert_reason(error) == reason


@HOSTILE
@given(st.binary(max_size=300))
def test_no_reason_does_any_harm(raw: bytes) -> None:
    assert revert_reason(refused(raw)).isprintable()
    error = RpcError("x", raw.decode("latin-1"), code=3, data="0x" + raw.hex())
    assert revert_reason(error).isprintable()


def test_whoever_calls_decides_what_is_called() -> None:
    own = reward_call(CONTRACTS, ORCH, ORCH)
    assert own.params[0] == {"to": BONDING, "data": "0x228cb733", "from": ORCH}
    delegated = reward_call(CONTRACTS, ORCH, CALLER)
    assert delegated.params[0]["from"] == CALLER
    assert delegated.params[0]["data"] == "0x1a8c41f8" + "00" * 12 + "01" * 20
    initialize = initialize_round_call(CONTRACTS, CALLER)
    assert initialize.params[0] == {"to": ROUNDS, "data": "0xd4807fb2", "from": CALLER}


class TestDryRun:
    CALL = reward_call(CONTRACTS, ORCH, ORCH)

    async def test_success_has_no_reason(self) -> None:
        assert await dry_run(ScriptedRpc(lambda call: "0x"), self.CALL) == ""

    async def test_what_is_tried_is_that_call_and_no_more(self) -> None:
        rpc = ScriptedRpc(lambda call: "0x")
        await dry_run(rpc, self.CALL)
        ((sent,),) = rpc.batches
        transaction, block = sent.params
        assert (sent.method, block) == (self.CALL.method, self.CALL.params[1])
        assert {k: v.lower() for k, v in transaction.items()} == self.CALL.params[0]

    @pytest.mark.parametrize("result", [None, "zz", {}, [], 1.5, -1])
    async def test_no_answer_is_no_success(self, result: object) -> None:
        with pytest.raises(BadAnswerError, match="eth_call of own"):
            await dry_run(ScriptedRpc(lambda call: result), self.CALL)

    async def test_a_refusal_has_one(self) -> None:
        assert await dry_run(ScriptedRpc(lambda call: refused(ALREADY)), self.CALL) == ALREADY
        bare = RpcError("x", "execution reverted", code=-32000)
        assert await dry_run(ScriptedRpc(lambda call: bare), self.CALL) == (
            "refused without a reason"
        )

    async def test_a_failure_is_no_refusal(self) -> None:
        with pytest.raises(RpcError, match="header not found"):
            await dry_run(
                ScriptedRpc(lambda call: RpcError("x", "header not found", code=-32000)), self.CALL
            )
