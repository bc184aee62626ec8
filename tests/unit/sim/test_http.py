"""The small HTTP server: requests in turn, kept alive, whatever the pieces they come in."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lptui.sim.serve.http import HttpReply, HttpRequest, HttpService, text
from tests.unit.sim.recorder import Recorder, spawn


def echo(request: HttpRequest) -> HttpReply:
    return text(f"{request.method} {request.path} {dict(request.form)} {request.body!r}")


def served(raw: bytes, size: int = 0) -> Recorder:
    link = Recorder()
    service = HttpService(link, echo, spawn)
    for start in range(0, len(raw), size or len(raw) or 1):
        service.received(raw[start : start + (size or len(raw))])
    return link


REQUESTS = (
    b"GET /status?a=1 HTTP/1.1\r\nHost: x\r\n\r\n"
    b"POST /set HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 3\r\n\r\nb=2"
)


@pytest.mark.parametrize("size", [0, 1, 7, 64])
def test_requests_are_answered_in_turn_on_one_connection(size: int) -> None:
    link = served(REQUESTS, size)
    assert link.sent.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert b"GET /status {'a': '1'}" in link.sent
    assert b"POST /set {'b': '2'} b'b=2'" in link.sent
    assert not link.ended


def test_a_multipart_body_gives_no_parameters() -> None:
    body = b"--x\r\nContent-Disposition: form-data; name=b\r\n\r\n2\r\n--x--"
    raw = b"POST /set HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    link = served(raw + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert b"POST /set {}" in link.sent


def test_connection_close_is_honoured() -> None:
    assert served(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").ended == "closed"


def test_a_broken_request_is_refused() -> None:
    link = served(b"nonsense\r\n\r\n")
    assert link.sent.startswith(b"HTTP/1.1 400 ")
    assert link.ended == "closed"


def test_a_request_without_end_is_cut_off() -> None:
    link = Recorder()
    service = HttpService(link, echo, spawn)
    for _ in range(80):
        service.received(b"x" * 65_536)
        if link.ended:
            break
    assert link.ended == "aborted"


def test_a_reply_may_be_dropped_or_cut_short() -> None:
    link = Recorder()
    HttpService(link, lambda _: HttpReply(drop=True), spawn).received(REQUESTS[:42])
    assert (link.sent, link.ended) == (b"", "aborted")
    link = Recorder()
    HttpService(link, lambda _: HttpReply(b"0123456789", cut=True), spawn).received(REQUESTS[:42])
    assert link.sent.endswith(b"Content-Length: 10\r\n\r\n01234")
    assert link.ended == "closed"


async def test_a_slow_reply_holds_up_only_its_own_connection() -> None:
    gate = asyncio.Event()

    async def later() -> HttpReply:
        await gate.wait()
        return text("late")

    link = Recorder()
    service = HttpService(link, lambda r: later if r.path == "/slow" else echo(r), spawn)
    service.received(b"GET /slow HTTP/1.1\r\n\r\nGET /next HTTP/1.1\r\n\r\n")
    assert link.sent == b""
    gate.set()
    for _ in range(100):
        await asyncio.sleep(0)
    assert link.sent.index(b"late") < link.sent.index(b"/next")


async def test_a_lost_connection_ends_its_task() -> None:
    tasks: list[asyncio.Task[None]] = []

    async def never() -> HttpReply:
        await asyncio.Event().wait()
        return HttpReply()

    def keep(work: object) -> asyncio.Task[None]:
        tasks.append(spawn(work))  # type: ignore[arg-type]
        return tasks[-1]

    service = HttpService(Recorder(), lambda _: never, keep)
    service.received(b"GET / HTTP/1.1\r\n\r\n")
    service.lost()
    await asyncio.wait(tasks, timeout=5)
    assert [task.cancelled() for task in tasks] == [True]


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(raw: bytes) -> None:
    served(raw)
    served(b"GET / HTTP/1.1\r\n" + raw + b"\r\n\r\n")
