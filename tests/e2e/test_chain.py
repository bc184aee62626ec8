"""One RPC endpoint, or the contracts, broken at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from tests.devnet.anvil import AnvilOptions, running_anvil
from tests.e2e.command import Outcome, SideBySide
from tests.e2e.fleet import HOSTS, MACHINE, NODES, Document, Edit, RealFleet
from tests.e2e.servers import blackhole, unused_port
from tests.integration.rpc_proxy import Fault, error, running_proxy
from tests.rawserver import http_server, ok

VICTIM = "arb-1"
"""The endpoint that the chain is read from first, through the host `edge`."""

BIG = 2**256 - 1
EVIL = "\x1b]0;owned\x07\x1b[2J[bold red]v9[/] \u202e\x9b31m\r\n\x00"
Raw = Callable[[bytes], bytes | None]
ON_CHAIN = ("round-initialized@devnet", "reward-due@main", "balance@redeemer")


def endpoint_at(url: str) -> Edit:
    """The victim's URL leads elsewhere."""

    def edit(document: Document) -> None:
        document["rpcs"][VICTIM]["url"] = url

    return edit


def each(give: Callable[[dict[str, Any]], dict[str, Any]]) -> Raw:
    """A well-formed endpoint whose answers are made by `give`."""

    def answer(request: bytes) -> bytes:
        asked = json.loads(request.split(b"\r\n\r\n", 1)[1])
        calls = asked if isinstance(asked, list) else [asked]
        answers = [{"jsonrpc": "2.0", "id": call["id"], **give(call)} for call in calls]
        return ok(json.dumps(answers if isinstance(asked, list) else answers[0]).encode())

    return answer


def assert_the_rest_is_read(outcome: Outcome, *, chain: bool = True) -> None:
    """Hosts, nodes, balancers and the other endpoints; each error says what to do."""
    for one in outcome.json["readings"]:
        if one["error"] is not None:
            assert one["error"]["remedy"], one
            assert one["error"]["why"], one
    failed = set(outcome.errors)
    assert not failed & {f"HostVitals@{name}" for name in HOSTS}
    assert not failed & {f"NodeStatus@{name}" for name in NODES}
    assert not failed & {"BalancerState@edge", "BalancerState@rpc-edge"}
    if chain:
        assert failed <= {f"RpcHead@{VICTIM}"}
        for identity in ON_CHAIN:
            assert outcome.severity(identity) == "OK"


NONSENSE: dict[str, tuple[Raw, str]] = {
    "html": (lambda _: ok(b"<!doctype html><html>\x1b[31m[red]</html>"), "bad-answer"),
    "truncated": (lambda _: ok(b'[{"jsonrpc":"2.0","id":1,"resu'), "bad-answer"),
    "nan": (lambda _: ok(b'[{"jsonrpc":"2.0","id":1,"result":NaN}]'), "bad-answer"),
    "deep": (lambda _: ok(b"[" * 200_000), "bad-answer"),
    "null": (each(lambda _: {"result": None}), "bad-answer"),
    "largest-numbers": (each(lambda _: {"result": hex(BIG)}), "bad-answer"),
    "hostile-text": (each(lambda _: {"result": EVIL}), "bad-answer"),
    "429": (lambda _: b"HTTP/1.1 429 x\r\nContent-Length: 9\r\n\r\nslow down", "rate-limited"),
    "rate-limit": (
        each(lambda _: {"error": {"code": -32005, "message": "rate limit \x1b[31m[red]"}}),
        "rate-limited",
    ),
    "reverts": (
        each(lambda _: {"error": {"code": 3, "message": "execution reverted"}}),
        "reverted",
    ),
    "403": (
        lambda _: b"HTTP/1.1 403 no\r\nContent-Length: 22\r\n\r\ninvalid host specified",
        "forbidden",
    ),
    "too-large": (lambda _: ok(b'"' + b"x" * 12_000_000 + b'"'), "output-too-large"),
    "hangs-up": (lambda _: None, "http-protocol"),
}


@pytest.fixture(scope="module")
def nonsense(real_fleet: RealFleet) -> SideBySide:
    def asked(answer: Raw) -> Outcome:
        with real_fleet.stage.holding(http_server(answer)) as server:
            edit = endpoint_at(f"http://127.0.0.1:{server.port}")
            return real_fleet.check(edit)

    return SideBySide({name: partial(asked, answer) for name, (answer, _) in NONSENSE.items()})


@pytest.mark.parametrize("name", NONSENSE)
def test_an_endpoint_that_answers_nonsense(nonsense: SideBySide, name: str) -> None:
    outcome, (_, kind) = nonsense[name], NONSENSE[name]
    assert outcome.error("RpcHead", VICTIM)["kind"] == kind
    assert_the_rest_is_read(outcome)
    # Who is not let in does not know whether it works.
    severity = "UNKNOWN" if kind in ("forbidden", "reverted") else "CRITICAL"
    assert outcome.roots(MACHINE) == {f"rpc-reachable@{VICTIM}": severity}
    assert outcome.finding(f"rpc-reachable@{VICTIM}")["remedy"]
    assert outcome.reading("ChainRound", "devnet")["value"]["rpc"] == "pool"


def test_an_endpoint_that_refuses(real_fleet: RealFleet) -> None:
    with unused_port() as port:
        outcome = real_fleet.check(endpoint_at(f"http://127.0.0.1:{port}"))
    assert outcome.error("RpcHead", VICTIM)["kind"] == "refused"
    assert_the_rest_is_read(outcome)


def test_an_endpoint_that_hangs(real_fleet: RealFleet) -> None:
    with blackhole() as port:
        outcome = real_fleet.check(endpoint_at(f"http://127.0.0.1:{port}"), answer_s=8)
    assert outcome.error("RpcHead", VICTIM)["kind"] == "timeout"
    assert_the_rest_is_read(outcome)


def test_the_chain_stands_still_altogether(real_fleet: RealFleet) -> None:
    """anvil is stopped: it accepts, and answers nobody."""
    anvil = real_fleet.net.anvil
    anvil.freeze()
    try:
        outcome = real_fleet.check(answer_s=8)
    finally:
        anvil.thaw()
    assert outcome.error("ChainRound", "devnet")["kind"] == "timeout"
    assert_the_rest_is_read(outcome, chain=False)
    for identity in ON_CHAIN:
        assert outcome.severity(identity) == "UNKNOWN"
    assert set(outcome.roots(MACHINE)) == {f"rpc-reachable@{n}" for n in (VICTIM, "pool", "hosted")}


def test_the_wrong_chain(real_fleet: RealFleet) -> None:
    with real_fleet.stage.holding(running_anvil(AnvilOptions(chain_id=1))) as other:
        outcome = real_fleet.check(endpoint_at(other.url))
    assert_the_rest_is_read(outcome)
    found = outcome.finding(f"rpc-chain@{VICTIM}")
    assert found["severity"] == "CRITICAL"
    assert "chain 1" in found["summary"]
    assert "42161" in found["summary"]
    assert outcome.roots(MACHINE) == {f"rpc-chain@{VICTIM}": "CRITICAL"}


def test_a_transaction_stuck_for_an_hour_is_told_by_cron(real_fleet: RealFleet) -> None:
    """Each run is a process of its own: the first one's sight of it is in the state folder."""
    net, stage = real_fleet.net, real_fleet.stage
    redeemer = net.accounts[4]
    stage.do(net.stuck_transaction(redeemer))
    try:
        first = real_fleet.check()
        assert first.severity("nonce-stuck@redeemer") == "OK"
        assert "1 transaction pending" in first.finding("nonce-stuck@redeemer")["summary"]
        memory = real_fleet.operator.state / f"pending-{net.chain_id}.json"
        seen = json.loads(memory.read_text())
        assert list(seen) == [redeemer.lower()]
        seen[redeemer.lower()][1] -= 3600
        memory.write_text(json.dumps(seen))
        later = real_fleet.check().finding("nonce-stuck@redeemer")
        assert later["severity"] == "WARNING"
        assert "pending for 60 min" in later["summary"]
    finally:
        stage.do(net.resume())
    assert real_fleet.check().severity("nonce-stuck@redeemer") == "OK"
    assert json.loads(memory.read_text()) == {}


@contextmanager
def faulty(real_fleet: RealFleet, fault: Fault) -> Iterator[Edit]:
    """The victim answers like anvil, but for some calls."""
    with real_fleet.stage.holding(running_proxy(real_fleet.net.url)) as proxy:
        proxy.fault = fault
        yield endpoint_at(proxy.url)


RESULTS: dict[str, dict[str, Any]] = {
    "reverts": error(3, "execution reverted: \x1b[31m[red]boom", "0x08c379a0"),
    "null": {"result": None},
    "nothing": {"result": "0x"},
    "largest": {"result": "0x" + "ff" * 320},
    "zero": {"result": "0x" + "00" * 320},
    "hostile-text": {"result": EVIL},
}


@pytest.fixture(scope="module")
def contract_calls(real_fleet: RealFleet) -> SideBySide:
    def asked(result: dict[str, Any]) -> Outcome:
        def fault(call: dict[str, Any]) -> dict[str, Any] | None:
            return result if call["method"] == "eth_call" else None

        with faulty(real_fleet, fault) as edit:
            return real_fleet.check(edit)

    return SideBySide({name: partial(asked, result) for name, result in RESULTS.items()})


@pytest.mark.parametrize("name", RESULTS)
def test_contract_calls_that_give_nonsense_are_not_believed(
    contract_calls: SideBySide, name: str
) -> None:
    outcome = contract_calls[name]
    clock = outcome.reading("ChainRound", "devnet")["value"]
    assert clock["round"] == 4200
    assert clock["rpc"] == "pool"
    assert_the_rest_is_read(outcome)


def test_prices_and_balances_beyond_all_money(real_fleet: RealFleet) -> None:
    def fault(call: dict[str, Any]) -> dict[str, Any] | None:
        absurd = call["method"] in ("eth_getBalance", "eth_gasPrice")
        return {"result": hex(BIG)} if absurd else None

    with faulty(real_fleet, fault) as edit:
        outcome = real_fleet.check(edit)
    assert str(BIG) not in outcome.out
    for name in ("runway@redeemer", "balance@redeemer"):
        assert outcome.severity(name) in ("OK", "UNKNOWN")


def test_an_endpoint_that_lags(real_fleet: RealFleet) -> None:
    async def old_block() -> Any:
        return await real_fleet.net.rpc.call("eth_getBlockByNumber", hex(first), False)

    first = real_fleet.net.first_block + 1
    stage = real_fleet.stage
    block = stage.do(old_block())
    stage.do(real_fleet.net.mine(60))

    def behind(call: dict[str, Any]) -> dict[str, Any] | None:
        latest = call["method"] == "eth_getBlockByNumber" and call["params"][0] == "latest"
        return {"result": block} if latest else None

    with faulty(real_fleet, behind) as edit:
        outcome = real_fleet.check(edit)
    found = outcome.finding(f"rpc-lagging@{VICTIM}")
    assert found["severity"] in ("WARNING", "CRITICAL")
    assert "behind" in found["summary"]
    assert outcome.severity("rpc-lagging@pool") == "OK"


CODES = {
    "no-code": "",
    "zero-addresses": "0x60206000f3",
    "no-addresses": "0x7f" + "ff" * 32 + "60005260206000f3",
    "reverts": "0x60006000fd",
    "invalid": "0xfe",
}


@pytest.fixture(scope="module")
def controllers(real_fleet: RealFleet) -> SideBySide:
    def asked(number: int, code: str) -> Outcome:
        address = "0x" + f"{number + 16:02x}" * 20
        if code:
            real_fleet.stage.do(real_fleet.net.rpc.call("anvil_setCode", address, code))

        def edit(document: Document) -> None:
            document["chain"]["controller"] = address

        return real_fleet.check(edit)

    return SideBySide(
        {name: partial(asked, number, code) for number, (name, code) in enumerate(CODES.items())}
    )


@pytest.mark.parametrize("name", CODES)
def test_a_controller_that_is_none(controllers: SideBySide, name: str) -> None:
    outcome = controllers[name]
    told = outcome.error("ChainRound", "devnet")
    assert told["kind"] in ("bad-answer", "reverted", "rpc-error")
    assert "controller" in (told["what"] + told["remedy"]).lower()
    assert_the_rest_is_read(outcome, chain=False)
    for identity in ON_CHAIN:
        assert outcome.severity(identity) == "UNKNOWN"
    assert outcome.roots(MACHINE) == {"round-initialized@devnet": "UNKNOWN"}
