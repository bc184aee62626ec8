"""HTTP through a real sshd, direct and on unix sockets: nothing hidden, nothing repeated."""

from __future__ import annotations

import asyncio
import functools
import gzip
import os
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lptui.errors import CommandError, DeadlineError, HttpError, ProblemKind, TransportError
from lptui.fleet.topology import Endpoint, SecretRef
from lptui.transport.http import Connection
from lptui.transport.reach import FleetReach
from tests.ports import free_port
from tests.rawserver import RawServer, http_server, ok
from tests.reaching import hello, reach_of
from tests.sshd import Sshd, running_sshd, sshd
from tests.tls import certificate
from tests.waiting import on_this_machine, until

__all__ = ["sshd"]

WAYS = ["h0", "h1", None]


@pytest.fixture
async def reach(sshd: Sshd) -> AsyncIterator[FleetReach]:
    """h0 by SSH, h1 behind h0, h2 this machine."""
    async with reach_of(sshd.ssh(), sshd.ssh("inner", jump=("h0",)), None) as one:
        yield one


def url(server: RawServer) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize("via", [*WAYS, "h2"])
async def test_a_connection_is_kept_for_the_next_request(
    reach: FleetReach, via: str | None
) -> None:
    async with http_server(lambda request: ok(request.split()[1])) as server:
        http = reach.http(Endpoint(url(server), via))
        for number in range(3):
            answer = await http.request("GET", f"/status?{number}")
            assert (answer.status, answer.body) == (200, b"/status?%d" % number)
            assert answer.headers["content-type"] == "application/json"
            assert answer.took_s > 0
    assert server.connections == 1
    head = server.requests[0].lower()
    assert b"host: 127.0.0.1" in head
    assert b"accept-encoding: identity" in head


async def test_forms_contents_and_headers(reach: FleetReach) -> None:
    async with http_server(lambda request: ok(request)) as server:
        http = reach.http(Endpoint(url(server), "h0"))
        form = (await http.request("POST", "/x", form={"a": "1 &", "b": "ä"})).text
        assert "a=1+%26&b=%C3%A4" in form
        assert "application/x-www-form-urlencoded" in form
        raw = (await http.request("POST", "", content=b"\0\xff", headers={"X-Y": "z"})).body
        assert raw.endswith(b"\r\n\r\n\0\xff")
        assert b"x-y: z" in raw.lower()
        empty = (await http.request("POST", "/reward")).body
        assert b"content-length: 0" in empty.lower()


async def test_any_status_is_an_answer_and_no_redirect_is_followed(reach: FleetReach) -> None:
    answers = iter(
        [
            b"HTTP/1.1 302 Found\r\nLocation: http://example.com/\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nbad",
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        ]
    )
    async with http_server(lambda _: next(answers)) as server:
        http = reach.http(Endpoint(url(server), "h0"))
        assert [(await http.request("GET", "/")).status for _ in range(5)] == [
            302,
            500,
            404,
            204,
            200,
        ]


async def test_a_lost_answer_is_never_asked_for_again(reach: FleetReach) -> None:
    """On go-livepeer's API even a GET can send a transaction."""
    async with http_server(lambda _: None) as server:
        http = reach.http(Endpoint(url(server), "h0"))
        for number in range(3):
            with pytest.raises(HttpError) as caught:
                await http.request("GET", "/reward")
            assert caught.value.kind is ProblemKind.HTTP_PROTOCOL
            assert len(server.requests) == number + 1


async def test_a_connection_that_the_server_closed_is_not_used_again(reach: FleetReach) -> None:
    async with http_server(lambda _: ok(b"{}")) as server:
        for via in WAYS:
            http = reach.http(Endpoint(url(server), via))
            await http.request("GET", "/")
            before = server.connections
            server.cut()
            endpoint = reach._http[Endpoint(url(server), via)]
            idle = endpoint._transport._connections._idle  # type: ignore[attr-defined]
            await until(functools.partial(_unusable, idle[0]))
            assert (await http.request("GET", "/")).status == 200
            assert server.connections == before + 1
    assert len(server.requests) == 2 * len(WAYS)


def _unusable(connection: Connection) -> bool:
    return not connection.is_usable


async def test_bodies_end_in_every_way(reach: FleetReach) -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    until_close = b"HTTP/1.0 200 OK\r\n\r\nabcde"
    async with http_server(lambda _: chunked) as server:
        http = reach.http(Endpoint(url(server), "h0"))
        assert (await http.request("GET", "/")).body == b"abcde"
        assert (await http.request("GET", "/")).body == b"abcde"
        assert server.connections == 1
    async with http_server(lambda _: until_close) as server:
        server.close_after_answer = True
        http = reach.http(Endpoint(url(server), "h0"))
        assert (await http.request("GET", "/")).body == b"abcde"
        assert (await http.request("GET", "/")).body == b"abcde"


@pytest.mark.parametrize(
    "raw",
    [
        b"\x1b[31mSSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: \x00\r\n\r\n",
        b"HTTP/1.1 20000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
        b"\0" * 200_000,
        b"<html>not http</html>",
    ],
)
async def test_hostile_answers_are_typed_errors(reach: FleetReach, raw: bytes) -> None:
    async with http_server(lambda _: raw) as server:
        server.close_after_answer = True
        http = reach.http(Endpoint(url(server), "h0"))
        with pytest.raises(HttpError) as caught:
            await http.request("GET", "/", deadline_s=5)
    assert caught.value.kind is ProblemKind.HTTP_PROTOCOL
    assert caught.value.why.isprintable()


async def test_the_limit_is_enforced_while_the_body_streams(reach: FleetReach) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 300_000
    async with http_server(lambda _: endless) as server:
        http = reach.http(Endpoint(url(server), "h0"))
        started = time.monotonic()
        with pytest.raises(HttpError) as caught:
            await http.request("GET", "/", limit=1000, deadline_s=8)
        assert caught.value.kind is ProblemKind.OUTPUT_TOO_LARGE
        assert time.monotonic() - started < on_this_machine(4)
    async with http_server(lambda _: ok(b"x" * 1000)) as server:
        http = reach.http(Endpoint(url(server), "h0"))
        assert len((await http.request("GET", "/", limit=1000)).body) == 1000


async def test_a_compressed_body_is_bounded_like_any_other(reach: FleetReach) -> None:
    """Nobody asked for it, and 64 MB of nothing are 64 kB on the wire."""
    small, bomb = gzip.compress(b'{"a": 1}'), gzip.compress(b"0" * 64_000_000)

    def packed(body: bytes, name: str = "gzip") -> bytes:
        return ok(body, extra=f"Content-Encoding: {name}\r\n")

    bodies = [packed(small), packed(zlib.compress(b"abc"), "deflate"), packed(b"abc", "identity")]
    bad = [packed(b"no gzip"), packed(small[:-9]), packed(small + small), packed(b"x", "br")]
    answers = iter([*bodies, packed(bomb), *bad])
    async with http_server(lambda _: next(answers)) as server:
        http = reach.http(Endpoint(url(server), "h0"))
        for body in (b'{"a": 1}', b"abc", b"abc"):
            assert (await http.request("GET", "/")).body == body
        with pytest.raises(HttpError) as caught:
            await http.request("GET", "/")
        assert caught.value.kind is ProblemKind.OUTPUT_TOO_LARGE
        for _ in bad:
            with pytest.raises(HttpError) as caught:
                await http.request("GET", "/")
            assert caught.value.kind is ProblemKind.HTTP_PROTOCOL


async def test_deadline_and_the_connection_after_it(reach: FleetReach) -> None:
    answers: list[bytes] = [b"", ok(b"late"), ok(b"second")]
    async with http_server(lambda _: answers.pop(0)) as server:
        http = reach.http(Endpoint(url(server), "h0"))
        with pytest.raises(DeadlineError, match="GET /slow of"):
            await http.request("GET", "/slow", deadline_s=0.3)
        assert (await http.request("GET", "/")).body == b"late", "on a connection of its own"
        assert server.connections == 2


async def test_refused_unresolvable_and_forbidden(sshd: Sshd, tmp_path: Path) -> None:
    with running_sshd(tmp_path, {"PermitOpen": "127.0.0.1:1"}) as strict:
        async with reach_of(sshd.ssh(), strict.ssh()) as reach:
            cases = [
                (Endpoint(f"http://127.0.0.1:{free_port()}", "h0"), ProblemKind.REFUSED),
                (Endpoint(f"http://127.0.0.1:{free_port()}", None), ProblemKind.REFUSED),
                (Endpoint("http://nowhere.invalid", "h0"), ProblemKind.UNREACHABLE),
                (Endpoint("http://nowhere.invalid", None), ProblemKind.UNREACHABLE),
                (Endpoint("http://127.0.0.1:99", "h1"), ProblemKind.FORBIDDEN),
                (Endpoint("unix:///nowhere.sock", "h0"), ProblemKind.REFUSED),
                (Endpoint("unix:///nowhere.sock", None), ProblemKind.REFUSED),
            ]
            for endpoint, kind in cases:
                with pytest.raises(TransportError) as caught:
                    await reach.http(endpoint).request("GET", "/", deadline_s=8)
                assert caught.value.kind is kind, endpoint


@pytest.mark.parametrize("via", ["h0", None])
async def test_http_on_a_unix_socket(reach: FleetReach, tmp_path: Path, via: str | None) -> None:
    path = str(tmp_path / "api.sock")
    async with http_server(lambda _: ok(b"{}"), path=path) as server:
        http = reach.http(Endpoint(f"unix://{path}", via))
        assert (await http.request("GET", "/healthz")).status == 200
    assert b"GET /healthz HTTP/1.1" in server.requests[0]


@pytest.mark.parametrize("via", WAYS)
async def test_tls(
    reach: FleetReach, tmp_path: Path, via: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, cert = certificate(tmp_path, "localhost")
    async with http_server(lambda _: ok(b"x" * 100_000), tls=context) as server:
        insecure = Endpoint(f"https://127.0.0.1:{server.port}", via, verify_tls=False)
        http = reach.http(insecure)
        for _ in range(3):
            assert len((await http.request("GET", "/")).body) == 100_000
        assert server.connections == 1, "session tickets do not look like a closed connection"
        with pytest.raises(TransportError, match="not trusted") as caught:
            await reach.http(Endpoint(f"https://localhost:{server.port}", via)).request("GET", "/")
        assert caught.value.kind is ProblemKind.TLS
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    reach._contexts.clear()
    async with http_server(lambda _: ok(b"fine"), tls=context) as server:
        trusted = Endpoint(f"https://localhost:{server.port}", via)
        with_name = reach.http(trusted)
        if via is None or via == "h0":
            assert (await with_name.request("GET", "/")).body == b"fine"
        with pytest.raises(TransportError, match="not trusted"):
            await reach.http(Endpoint(f"https://127.0.0.1:{server.port}", via)).request("GET", "/")
    async with http_server(lambda _: ok(b"plain")) as server:
        with pytest.raises(TransportError) as caught:
            await reach.http(Endpoint(f"https://127.0.0.1:{server.port}", "h0", False)).request(
                "GET", "/", deadline_s=3
            )
        assert caught.value.kind in (ProblemKind.TLS, ProblemKind.TIMEOUT)


async def test_the_pool_follows_the_connection(sshd: Sshd, tmp_path: Path) -> None:
    with running_sshd(tmp_path) as server:
        async with reach_of(server.ssh()) as reach, http_server(lambda _: ok(b"{}")) as web:
            http = reach.http(Endpoint(url(web), "h0"))
            await http.request("GET", "/")
            server.cut()
            ends = time.monotonic() + 10
            while True:
                try:
                    assert (await http.request("GET", "/")).status == 200
                    break
                except TransportError:
                    assert time.monotonic() < ends
                    await asyncio.sleep(0.05)


async def test_many_requests_at_once(reach: FleetReach) -> None:
    async with http_server(lambda request: ok(request.split()[1])) as server:
        http = reach.http(Endpoint(url(server), "h0"))
        answers = await asyncio.gather(*(http.request("GET", f"/{n}") for n in range(50)))
        assert [answer.body for answer in answers] == [b"/%d" % n for n in range(50)]
        assert server.connections <= 6


async def test_secrets_reach_the_server_and_nothing_else(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    monkeypatch.setenv("LPTUI_TEST_SECRET", "user:pa55word")
    file = tmp_path / "token"
    file.write_text("t0ken\n")
    refs = [
        (SecretRef("env", "LPTUI_TEST_SECRET"), b"basic dxnlcjpwytu1d29yza=="),
        (SecretRef("file", str(file)), b"bearer t0ken"),
        (SecretRef("command", argv=("printf", "Token abc")), b"token abc"),
    ]
    async with reach_of(sshd.ssh()) as reach, http_server(lambda _: ok(b"{}")) as server:
        for ref, expected in refs:
            await reach.http(Endpoint(url(server), "h0", auth=ref)).request("GET", "/")
            assert expected in server.requests[-1].lower()
        for ref in (
            SecretRef("env", "LPTUI_NOT_SET"),
            SecretRef("file", "/nowhere"),
            SecretRef("command", argv=("false",)),
            SecretRef("command", argv=("/nowhere",)),
            SecretRef("command", argv=("printf", "t\N{LATIN SMALL LETTER O WITH DIAERESIS}ken")),
        ):
            with pytest.raises(TransportError) as caught:
                await reach.http(Endpoint(url(server), "h0", auth=ref)).request("GET", "/")
            assert caught.value.kind is ProblemKind.SECRET
            assert "ken" not in repr(caught.value)
    assert "pa55word" not in caplog.text
    assert "t0ken" not in caplog.text


@pytest.mark.parametrize("path", ["/a\0", "/a\r\nX: y", "/\x1b[2J"])
async def test_a_path_that_is_none_sends_nothing(reach: FleetReach, path: str) -> None:
    async with http_server(lambda _: ok(b"{}")) as server:
        with pytest.raises(HttpError) as caught:
            await reach.http(Endpoint(url(server), "h0")).request("GET", path)
        assert not server.requests
    assert caught.value.kind is ProblemKind.NOT_CONFIGURED
    assert str(caught.value).isprintable()


async def test_exchange_with_a_socket(reach: FleetReach, tmp_path: Path) -> None:
    path = str(tmp_path / "runtime.sock")
    active = 0
    most = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal active, most
        active += 1
        most = max(most, active)
        if line := await reader.readline():
            await asyncio.sleep(0.01)
            writer.write(b"got " + line + b"\n")
        active -= 1
        writer.close()

    unix = await asyncio.start_unix_server(serve, path)
    tcp = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"127.0.0.1:{tcp.sockets[0].getsockname()[1]}"
    for host in ("h0", "h2"):
        for where in (path, address):
            answers = await asyncio.gather(
                *(reach.exchange(host, where, b"show stat\n", 5) for _ in range(8))
            )
            assert answers == [b"got show stat\n\n"] * 8
    assert most == 1, "one at a time"
    with pytest.raises(CommandError):
        await reach.exchange("h0", path, b"show stat\n", 5, limit=5)
    with pytest.raises(DeadlineError):
        await reach.exchange("h0", path, b"no line", 0.3)
    with pytest.raises(TransportError) as caught:
        await reach.exchange("h0", str(tmp_path / "missing"), b"x", 5)
    assert caught.value.kind is ProblemKind.REFUSED
    await until(lambda: active == 0)
    for server in (unix, tcp):
        server.close()


async def test_connect_time_is_the_hosts_own(reach: FleetReach) -> None:
    async with http_server(lambda _: ok(b"")) as server:
        for host in ("h0", "h1", "h2"):
            assert 0 <= await reach.connect_time(host, f"127.0.0.1:{server.port}", 5) < 0.5
    with pytest.raises(TransportError) as caught:
        await reach.connect_time("h0", f"127.0.0.1:{free_port()}", 5)
    assert caught.value.kind is ProblemKind.REFUSED
    with pytest.raises(TransportError, match="host:port"):
        await reach.connect_time("h0", "nonsense", 5)


@pytest.mark.parametrize("via", [*WAYS, "h2"])
async def test_a_tls_server_is_greeted_and_its_certificate_told(
    reach: FleetReach, via: str | None, tmp_path: Path
) -> None:
    tls, _ = certificate(tmp_path, "localhost")
    async with http_server(lambda _: ok(b""), tls=tls) as server:
        address = f"127.0.0.1:{server.port}"
        greeted = await reach.contact(via, address, 5, tls=True)
        assert len(bytes.fromhex(greeted.certificate)) == 32
        assert (await reach.contact(via, address, 5, tls=True)).certificate == greeted.certificate
        assert (await reach.contact(via, address, 5, tls=False)).certificate == ""
    with pytest.raises(TransportError) as caught:
        await reach.contact(via, address, 5, tls=True)
    assert caught.value.kind is ProblemKind.REFUSED


async def test_what_speaks_no_tls_is_told_apart(reach: FleetReach) -> None:
    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(TransportError, match="does not speak TLS") as caught:
            await reach.contact("h0", address, 5, tls=True)
    assert caught.value.kind is ProblemKind.TLS


async def test_names_resolve_to_every_address(reach: FleetReach) -> None:
    assert "127.0.0.1" in await reach.resolve("localhost", 5)
    assert await reach.resolve("192.0.2.7", 5) == ("192.0.2.7",)
    with pytest.raises(TransportError, match="cannot be resolved"):
        await reach.resolve("no-such-name.invalid", 8)


async def test_no_environment_proxy_is_used(
    reach: FleetReach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with http_server(lambda _: ok(b"{}")) as server:
        for via in WAYS:
            assert (await reach.http(Endpoint(url(server), via)).request("GET", "/")).status == 200
    assert os.environ["HTTP_PROXY"]
    assert await hello(reach) == "hello\n"
