"""Who a node is: on chain, off chain, with and without its transaction routes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, HttpError
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.probes.livepeer.identity import ROUTES, parse_identity
from lptui.transport.protocols import HttpAnswer
from tests.unit.probes.hostile import HOSTILE
from tests.unit.probes.livepeer.scripted import ACCOUNT, CONTROLLER, OFF_CHAIN, ON_CHAIN


def read(**changes: tuple[int, bytes]) -> NodeIdentity:
    table = {**ON_CHAIN, **{"/" + path: answer for path, answer in changes.items()}}
    return parse_identity({path: HttpAnswer(table[path][0], {}, table[path][1]) for path in ROUTES})


def test_reads_what_an_orchestrator_says() -> None:
    assert read() == NodeIdentity(
        account=ACCOUNT.lower(),  # type: ignore[arg-type]
        is_orchestrator=True,
        is_redeemer=False,
        chain_id=42161,
        max_gas_price=None,
        has_gas_cap=False,
        min_gas_price=0,  # type: ignore[arg-type]
        tx_routes=True,
        reward_caller=None,
        knows_reward_caller=False,
        controller=CONTROLLER,  # type: ignore[arg-type]
        log_level=3,
    )


def test_off_chain_is_no_failure() -> None:
    answers = {path: HttpAnswer(*_whole(OFF_CHAIN[path])) for path in ROUTES}
    who = parse_identity(answers)
    assert who == NodeIdentity(None, False, False, None, tx_routes=True, log_level=3)


def _whole(answer: tuple[int, bytes]) -> tuple[int, dict[str, str], bytes]:
    return answer[0], {}, answer[1]


def test_a_gas_cap_is_read_to_the_wei() -> None:
    who = read(maxGasPrice=(200, str(2**64 - 1).encode()))
    assert who.max_gas_price == 2**64 - 1
    assert who.has_gas_cap is True


def test_an_absurd_gas_cap_is_not_believed() -> None:
    who = read(maxGasPrice=(200, str(2**256 - 1).encode()))
    assert who.max_gas_price is None
    assert who.has_gas_cap is None
    assert [path for path, _ in who.errors] == ["/maxGasPrice"]


def test_a_cap_that_could_not_be_read_is_not_no_cap() -> None:
    who = read(maxGasPrice=(502, b"<html>bad gateway</html>"))
    assert who.has_gas_cap is None
    assert who.errors[0][0] == "/maxGasPrice"
    assert "502" in who.errors[0][1]


def test_a_gated_route_says_that_transactions_are_off() -> None:
    assert read(signMessage=(404, b"404 page not found\n")).tx_routes is False


def test_a_route_that_takes_posts_alone_is_offered() -> None:
    assert read(signMessage=(405, b"Method Not Allowed\n")).tx_routes is True


@pytest.mark.parametrize("status", [200, 401, 500, 502])
def test_any_other_answer_of_the_gate_says_nothing(status: int) -> None:
    assert read(signMessage=(status, b"whatever")).tx_routes is None


def test_the_reward_caller_is_read_where_the_node_knows_one() -> None:
    assert read(rewardCaller=(200, ACCOUNT.encode())).reward_caller == ACCOUNT.lower()
    assert read(rewardCaller=(200, b"")).reward_caller is None
    assert read(rewardCaller=(200, b"0x" + b"0" * 40)).reward_caller is None


@pytest.mark.parametrize(
    ("answer", "knows"),
    [((200, b""), True), ((404, b"404 page not found\n"), False), ((500, b"EOF"), None)],
)
def test_a_build_from_before_delegated_callers_is_told_from_one_that_has_none(
    answer: tuple[int, bytes], knows: bool | None
) -> None:
    assert read(rewardCaller=answer).knows_reward_caller is knows


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"0x12", b"0x" + b"g" * 40, b"0x" + b"_" * 40, b"\xff\xfe", b"0x" + b"0" * 40],
)
def test_an_account_that_is_no_address_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BadAnswerError, match="/ethAddr"):
        read(ethAddr=(200, body))


@pytest.mark.parametrize("status", [400, 403, 404, 500, 502])
def test_an_account_that_is_refused_is_a_failure(status: int) -> None:
    with pytest.raises(HttpError, match=str(status)):
        read(ethAddr=(status, b"no"))


@HOSTILE
@given(
    st.dictionaries(
        st.sampled_from([path for path in ROUTES if path != "/ethAddr"]),
        st.tuples(st.sampled_from([200, 400, 404, 500, 502]), st.binary(max_size=80)),
    )
)
def test_whatever_the_other_routes_say_the_account_is_known(
    changes: dict[str, tuple[int, bytes]],
) -> None:
    who = read(**{path[1:]: answer for path, answer in changes.items()})
    assert who.account == ACCOUNT.lower()
    assert all(text.isprintable() for _, text in who.errors)


@HOSTILE
@given(st.binary(max_size=120))
def test_no_bytes_do_any_harm(raw: bytes) -> None:
    with contextlib.suppress(BadAnswerError):
        read(ethAddr=(200, raw))
