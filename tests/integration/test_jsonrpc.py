"""JSON-RPC over HTTP, WebSocket and IPC, direct and through a real sshd; web3.py on top."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from lptui.errors import DeadlineError, HttpError, ProblemKind, RpcError, TransportError
from lptui.fleet.topology import Rpc, SecretRef
from lptui.transport.protocols import Call, JsonRpc
from tests.rawserver import RawServer, http_server, ok
from tests.reaching import reach_of
from tests.sshd import Sshd, sshd

__all__ = ["sshd"]

CALLS = [Call("eth_chainId"), Call("eth_call", ({"to": "0x1"}, "latest")), Call("net_peerCount")]


def result_of(request: dict[str, Any]) -> dict[str, Any]:
    """A small execution client."""
    head = {"jsonrpc": "2.0", "id": request["id"]}
    if request["method"] == "eth_chainId":
        return {**head, "result": "0xa4b1"}
    if request["method"] == "eth_call":
        error = {"code": 3, "message": "execution reverted: no", "data": "0x08c379a0"}
        return {**head, "error": error}
    return {**head, "error": {"code": -32601, "message": "the method does not exist"}}


def client(document: bytes) -> bytes:
    """Answers like a client, the items of a batch in reverse order."""
    request = json.loads(document)
    if isinstance(request, list):
        return json.dumps([result_of(item) for item in reversed(request)]).encode()
    return json.dumps(result_of(request)).encode()


def over_http(request: bytes) -> bytes:
    return ok(client(request.partition(b"\r\n\r\n")[2]))


@asynccontextmanager
async def on_http(
    sshd: Sshd, answer: Callable[[bytes], bytes | None], via: str | None = "h0", **changes: Any
) -> AsyncIterator[tuple[JsonRpc, RawServer]]:
    async with http_server(answer) as server:
        rpc = Rpc("rpc", f"http://127.0.0.1:{server.port}/v2", via, **changes)
        async with reach_of(sshd.ssh(), rpcs=(rpc,)) as reach:
            yield reach.rpc("rpc"), server


def check(results: list[Any]) -> None:
    assert results[0] == "0xa4b1"
    revert, missing = results[1], results[2]
    assert isinstance(revert, RpcError)
    assert (revert.kind, revert.code, revert.data) == (ProblemKind.REVERTED, 3, "0x08c379a0")
    assert isinstance(missing, RpcError)
    assert (missing.kind, missing.code) == (ProblemKind.RPC_ERROR, -32601)


@pytest.mark.parametrize("via", ["h0", None])
async def test_a_batch_is_one_request_and_each_item_has_its_own_result(
    sshd: Sshd, via: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LPTUI_TEST_KEY", "k3y")
    headers = {"x-api-key": SecretRef("env", "LPTUI_TEST_KEY")}
    async with on_http(sshd, over_http, via, headers=headers) as (rpc, server):
        check(await rpc.batch(CALLS))
        assert await rpc.batch([]) == []
        check(await rpc.batch(CALLS))
    assert len(server.requests) == 2
    assert server.connections == 1
    head = server.requests[0]
    assert head.startswith(b"POST /v2 HTTP/1.1")
    assert b"application/json" in head
    assert b"k3y" in head


async def test_batches_that_are_refused_become_single_calls(sshd: Sshd) -> None:
    refusals = [
        ok(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches not allowed"}}'),
        # One error for all: geth and Nitro name the first call, others none.
        ok(b'[{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"batch too large"}}]'),
        ok(b'[{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch too large"}}]'),
        ok(
            b"[%s]"
            % b",".join(
                b'{"jsonrpc":"2.0","id":%d,"error":{"code":-32600,"message":"batch too large"}}' % n
                for n in (1, 2, 3)
            )
        ),
        ok(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"batch limit is 2"}}'),
        b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad",
    ]
    for refusal in refusals:

        def answer(request: bytes, refusal: bytes = refusal) -> bytes:
            body = request.partition(b"\r\n\r\n")[2]
            return refusal if body.startswith(b"[") else over_http(request)

        async with on_http(sshd, answer) as (rpc, server):
            check(await rpc.batch(CALLS))
            assert len(server.requests) == 4
            check(await rpc.batch(CALLS))
            assert len(server.requests) == 7, "the refusal is remembered"


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_a_header_that_cannot_be_one_is_not_repeated(
    sshd: Sshd, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LPTUI_TEST_SECRET", "k\N{EURO SIGN}y")
    headers = {"X-Key": SecretRef("env", "LPTUI_TEST_SECRET")}
    async with http_server(over_http) as server:
        rpc = Rpc("rpc", f"{scheme}://127.0.0.1:{server.port}", "h0", headers=headers)
        async with reach_of(sshd.ssh(), rpcs=(rpc,)) as reach:
            with pytest.raises(TransportError) as caught:
                await reach.rpc("rpc").batch(CALLS)
    assert caught.value.kind is ProblemKind.SECRET
    assert "LPTUI_TEST_SECRET" in str(caught.value)
    assert "\N{EURO SIGN}" not in repr(caught.value)


@pytest.mark.parametrize(
    ("head", "why", "remedy"),
    [
        ("503 Unavailable", "HTTP status 503", "behind it"),
        ("301 Moved\r\nLocation: https://u:k3y@a.example/k3y", "to https://a.example/", "correct"),
        ("302 Found\r\nLocation: http://[", "to another place", "correct"),
        ("307 Found\r\nLocation: /k3y", "to another path", "correct"),
        ("404 Not Found", "HTTP status 404", "URL"),
    ],
)
async def test_a_status_says_what_to_do(sshd: Sshd, head: str, why: str, remedy: str) -> None:
    answer = f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode()
    async with on_http(sshd, lambda _: answer) as (rpc, _):
        with pytest.raises(HttpError) as caught:
            await rpc.batch(CALLS)
    assert why in caught.value.why
    assert remedy in caught.value.remedy
    assert "k3y" not in str(caught.value)


async def test_a_rate_limit_is_not_answered_with_more_requests(sshd: Sshd) -> None:
    limits = [
        b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        ok(b'{"jsonrpc":"2.0","error":{"code":-32005,"message":"limit exceeded"},"id":null}'),
        ok(b'[{"jsonrpc":"2.0","error":{"code":-32005,"message":"limit exceeded"},"id":null}]'),
    ]
    for limit in limits:

        def answer(_: bytes, limit: bytes = limit) -> bytes:
            return limit

        async with on_http(sshd, answer) as (rpc, server):
            with pytest.raises(TransportError) as caught:
                await rpc.batch(CALLS)
            assert caught.value.kind is ProblemKind.RATE_LIMITED
            assert ("retry after 7 s" in caught.value.why) == (b"Retry-After" in limit)
            assert len(server.requests) == 1


async def test_an_endpoint_that_asks_for_a_rest_gets_it(sshd: Sshd) -> None:
    def answer(_: bytes) -> bytes:
        return b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 70\r\nContent-Length: 0\r\n\r\n"

    async with on_http(sshd, answer) as (rpc, server):
        for _ in range(3):
            with pytest.raises(HttpError) as caught:
                await rpc.batch(CALLS)
            assert caught.value.kind is ProblemKind.RATE_LIMITED
        assert "wants no request for another" in caught.value.why
        assert len(server.requests) == 1


async def test_a_key_goes_to_the_end_of_the_url_and_into_no_message(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LPTUI_TEST_KEY", "k3y/?#")
    key = SecretRef("env", "LPTUI_TEST_KEY")
    async with on_http(sshd, over_http, key=key) as (rpc, server):
        check(await rpc.batch(CALLS))
        assert server.requests[0].startswith(b"POST /v2/k3y%2F%3F%23 HTTP/1.1")

    def refuses(_: bytes) -> bytes:
        return b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"

    async with on_http(sshd, refuses, key=key) as (rpc, _):
        with pytest.raises(TransportError) as caught:
            await rpc.batch(CALLS)
        assert "k3y" not in f"{caught.value} {caught.value.remedy}"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html><b>502</b></html>", "HTML"),
        (b"", "empty"),
        (b'[{"jsonrpc":"2.0","id":1,"resu', "valid JSON"),
        (b'[{"jsonrpc":"2.0","id":1,"result":NaN}]', "valid JSON"),
        (b'[{"jsonrpc":"2.0","id":1,"result":Infinity}]', "valid JSON"),
        (b'[{"jsonrpc":"2.0","id":1,"result":1e999}]', "valid JSON"),
        (b"[" * 100_000, "nested"),
        (b"\xff\xfe", "valid JSON"),
        (b"1" * 5000, "valid JSON"),
        (b'"text"', "not a list"),
        (b"null", "not a list"),
        (b"{}", "not a list"),
    ],
)
async def test_answers_that_are_no_json_rpc(sshd: Sshd, body: bytes, why: str) -> None:
    async with on_http(sshd, lambda _: ok(body)) as (rpc, _):
        with pytest.raises(RpcError) as caught:
            await rpc.batch(CALLS)
    assert caught.value.kind is ProblemKind.BAD_ANSWER
    assert why in caught.value.why
    assert caught.value.why.isprintable()


async def test_items_that_are_wrong_are_errors_of_their_own(sshd: Sshd) -> None:
    def answer(request: bytes) -> bytes:
        first, second, third = (one["id"] for one in json.loads(request.partition(b"\r\n\r\n")[2]))
        items = [
            None,
            7,
            {"id": True, "result": "0x1"},
            {"id": first + 1000, "result": "0xbad"},
            {"id": str(third), "result": 2**256},
            {"id": third, "result": "the second answer to the same call"},
            {"id": second, "jsonrpc": "2.0"},
        ]
        return ok(json.dumps(items).encode())

    async with on_http(sshd, answer) as (rpc, _):
        results = await rpc.batch(CALLS)
    assert [getattr(result, "kind", result) for result in results] == [
        ProblemKind.BAD_ANSWER,
        ProblemKind.BAD_ANSWER,
        2**256,
    ]


async def test_hostile_error_objects(sshd: Sshd) -> None:
    errors: list[Any] = [
        "text",
        {"code": "x", "message": {"a": 1}},
        {"message": "\x1b[31mred\n" + "x" * 9999, "data": "0x" + "f" * 999_999},
    ]

    def answer(request: bytes) -> bytes:
        ids = [one["id"] for one in json.loads(request.partition(b"\r\n\r\n")[2])]
        items = [{"id": n, "error": error} for n, error in zip(ids, errors, strict=True)]
        return ok(json.dumps(items).encode())

    async with on_http(sshd, answer) as (rpc, _):
        for result in await rpc.batch(CALLS):
            assert isinstance(result, RpcError)
            assert result.why.isprintable()
            assert len(result.why) <= 400
            assert len(result.data or "") <= 65_536


async def test_an_oversized_answer_is_cut_off(sshd: Sshd) -> None:
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b"[" + b" " * 9_000_000
    async with on_http(sshd, lambda _: huge) as (rpc, _):
        with pytest.raises(TransportError) as caught:
            await rpc.batch(CALLS, 20)
    assert caught.value.kind is ProblemKind.OUTPUT_TOO_LARGE


async def test_many_calls_are_sent_in_bounded_batches(sshd: Sshd) -> None:
    async with on_http(sshd, over_http) as (rpc, server):
        results = await rpc.batch([Call("eth_chainId")] * 250, 20)
        assert results == ["0xa4b1"] * 250
        assert len(server.requests) == 3


@asynccontextmanager
async def on_ipc(
    sshd: Sshd, path: Path, answer: Callable[[bytes], bytes | None], via: str | None
) -> AsyncIterator[tuple[JsonRpc, RawServer]]:
    async with http_server(answer, path=str(path / "geth.ipc"), lines=True) as server:
        rpc = Rpc("rpc", f"unix://{server.path}", via)
        async with reach_of(sshd.ssh(), rpcs=(rpc,)) as reach:
            yield reach.rpc("rpc"), server


@pytest.mark.parametrize("via", ["h0", None])
@pytest.mark.parametrize("end", [b"\n", b""])
async def test_ipc(sshd: Sshd, tmp_path: Path, via: str | None, end: bytes) -> None:
    async with on_ipc(sshd, tmp_path, lambda line: client(line) + end, via) as (rpc, server):
        check(await rpc.batch(CALLS))
        for results in await asyncio.gather(*(rpc.batch(CALLS) for _ in range(5 if end else 1))):
            check(results)
        assert server.connections == 1
        server.cut()
        await asyncio.sleep(0)
        await _again(rpc)
        assert server.connections == 2


async def _again(rpc: JsonRpc) -> None:
    """The next call, or the one after it, is on a new connection."""
    try:
        check(await rpc.batch(CALLS))
    except TransportError:
        check(await rpc.batch(CALLS))


async def test_ipc_deadline_leaves_the_connection_usable(sshd: Sshd, tmp_path: Path) -> None:
    held: list[bytes] = []

    def answer(line: bytes) -> bytes:
        held.append(line)
        if len(held) == 1:
            return b""
        return client(held[0]) + b"\n" + client(line) + b"\n"

    async with on_ipc(sshd, tmp_path, answer, "h0") as (rpc, server):
        with pytest.raises(DeadlineError):
            await rpc.batch(CALLS, 0.3)
        check(await rpc.batch(CALLS))
        assert server.connections == 1


@pytest.mark.parametrize("junk", [b"<html>\n", b"[[[[\n", b'{"id":1,"result":NaN}\n', b"\xff\n"])
async def test_ipc_with_something_else(sshd: Sshd, tmp_path: Path, junk: bytes) -> None:
    async with on_ipc(sshd, tmp_path, lambda _: junk, "h0") as (rpc, _):
        with pytest.raises(TransportError) as caught:
            await rpc.batch(CALLS, 5)
    assert caught.value.kind is ProblemKind.BAD_ANSWER


@asynccontextmanager
async def on_websocket(
    sshd: Sshd, via: str | None, handler: Callable[[ServerConnection], Any]
) -> AsyncIterator[JsonRpc]:
    async with serve(handler, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        rpc = Rpc("rpc", f"ws://127.0.0.1:{port}/ws", via)
        async with reach_of(sshd.ssh(), rpcs=(rpc,)) as reach:
            yield reach.rpc("rpc")


@pytest.mark.parametrize("via", ["h0", None])
async def test_websocket(sshd: Sshd, via: str | None) -> None:
    opened: list[ServerConnection] = []

    async def handler(connection: ServerConnection) -> None:
        opened.append(connection)
        await connection.send('{"jsonrpc":"2.0","method":"eth_subscription","params":{}}')
        async for message in connection:
            await connection.ping()
            answer = client(message.encode() if isinstance(message, str) else message).decode()
            await connection.send([answer[:10], answer[10:]])

    async with on_websocket(sshd, via, handler) as rpc:
        check(await rpc.batch(CALLS))
        for results in await asyncio.gather(*(rpc.batch(CALLS) for _ in range(5))):
            check(results)
        assert len(opened) == 1
        assert opened[0].request is not None
        assert opened[0].request.path == "/ws"
        await opened[0].close()
        await _again(rpc)
        assert len(opened) == 2


async def test_websocket_failures(sshd: Sshd) -> None:
    async def silent(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async def huge(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("[" + " " * 9_000_000)

    async def leaves(connection: ServerConnection) -> None:
        await connection.recv()

    async def junk(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("<html>")

    async def full(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(1013, "over capacity\N{ESCAPE}[2J")

    for handler, kind in (
        (silent, ProblemKind.TIMEOUT),
        (full, ProblemKind.DISCONNECTED),
        (huge, ProblemKind.OUTPUT_TOO_LARGE),
        (leaves, ProblemKind.DISCONNECTED),
        (junk, ProblemKind.BAD_ANSWER),
    ):
        async with on_websocket(sshd, "h0", handler) as rpc:
            with pytest.raises(TransportError) as caught:
                await rpc.batch(CALLS, 1.0 if handler is silent else 8.0)
            assert caught.value.kind is kind, handler
            assert caught.value.remedy, handler
            assert handler is not full or "over capacity (1013)" in caught.value.why


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", ProblemKind.FORBIDDEN),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ProblemKind.HTTP_STATUS),
        (b"\0\xff\r\n\r\n", ProblemKind.HTTP_PROTOCOL),
    ],
)
async def test_a_server_that_is_no_websocket(sshd: Sshd, answer: bytes, kind: ProblemKind) -> None:
    async with http_server(lambda _: answer) as server:
        rpc = Rpc("rpc", f"ws://127.0.0.1:{server.port}", "h0")
        async with reach_of(sshd.ssh(), rpcs=(rpc,)) as reach:
            with pytest.raises(TransportError) as caught:
                await reach.rpc("rpc").batch(CALLS)
    assert caught.value.kind is kind
    assert caught.value.remedy


async def test_web3_sends_one_request_for_a_contract_call(sshd: Sshd) -> None:
    from lptui.transport.web3_provider import RpcProvider, connect

    word = "0x" + "0" * 63 + "7"

    def answer(request: bytes) -> bytes:
        call = json.loads(request.partition(b"\r\n\r\n")[2])
        head = {"jsonrpc": "2.0", "id": call["id"]}
        if "dead" in json.dumps(call["params"]).lower():
            error = {"code": 3, "message": "execution reverted: CallerMustBe", "data": "0x"}
            return ok(json.dumps({**head, "error": error}).encode())
        return ok(json.dumps({**head, "result": word}).encode())

    abi = [
        {
            "type": "function",
            "name": "currentRound",
            "stateMutability": "view",
            "inputs": [],
            "outputs": [{"type": "uint256"}],
        }
    ]
    async with on_http(sshd, answer) as (rpc, server):
        web3 = connect(rpc)
        good = web3.eth.contract(address=web3.to_checksum_address("0x" + "11" * 20), abi=abi)
        assert await good.functions.currentRound().call() == 7
        assert len(server.requests) == 1
        bad = web3.eth.contract(address=web3.to_checksum_address("0x" + "dead" * 10), abi=abi)
        with pytest.raises(RpcError, match="CallerMustBe") as caught:
            await bad.functions.currentRound().call()
        assert caught.value.kind is ProblemKind.REVERTED
        assert len(server.requests) == 2
        assert await web3.is_connected()
        assert isinstance(web3.provider, RpcProvider)
        assert web3.provider.global_ccip_read_enabled is False
    with pytest.raises(TransportError):
        await web3.eth.chain_id
    assert not await web3.is_connected()


def test_heavy_libraries_are_loaded_with_their_first_use() -> None:
    code = (
        "import sys, lptui.transport.reach\n"
        "heavy = {'asyncssh', 'httpx', 'h11', 'websockets', 'web3', 'ssl', 'cryptography'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert set(json.loads(output.replace("'", '"'))) <= {"ssl"}


async def test_names_that_the_configuration_does_not_have(sshd: Sshd) -> None:
    async with reach_of(sshd.ssh()) as reach:
        for ask in (lambda: reach.rpc("nothing"), lambda: reach.shell("nothing")):
            with pytest.raises(TransportError) as caught:
                ask()
            assert caught.value.kind is ProblemKind.NOT_CONFIGURED
