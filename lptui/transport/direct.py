"""Connections straight from the operator's machine: TCP and unix sockets."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Sequence
from typing import Final

from lptui.errors import ProblemKind, TransportError
from lptui.transport.stream import ByteStream

STAGGER_S: Final = 0.3
"""Head start of each address over the next (RFC 8305)."""

NOBODY_LISTENS: Final = "nothing listens there: does the service run, and is the port right?"

SockAddr = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]


async def resolve(host: str, port: int, family: int = socket.AF_UNSPEC) -> Sequence[SockAddr]:
    """Addresses of a host name; raises TransportError when it has none.

    A daemon thread asks, not the loop's pool: a name server that does not answer then neither
    takes the pool's threads nor delays the end of the program.
    """
    with contextlib.suppress(ValueError):
        literal = ipaddress.ip_address(host.partition("%")[0])
        if "%" not in host:
            if literal.version == 4:
                return [(socket.AF_INET, (host, port))]
            return [(socket.AF_INET6, (host, port, 0, 0))]
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[SockAddr]] = loop.create_future()

    def settle(result: list[SockAddr] | OSError) -> None:
        if future.done():
            return
        if isinstance(result, OSError):
            future.set_exception(result)
        else:
            future.set_result(result)

    def ask() -> None:
        result: list[SockAddr] | OSError
        try:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
            result = [(info[0], info[4]) for info in found]  # type: ignore[misc]
        except UnicodeError as error:
            result = OSError(str(error))
        except OSError as error:
            result = error
        with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        return list(dict.fromkeys(await future))
    except OSError as error:
        raise TransportError(
            host,
            f"the name cannot be resolved ({error.strerror or error})",
            "check the address in the configuration, and DNS",
        ) from None


async def connect(
    host: str, port: int, family: int = socket.AF_UNSPEC, source: str = ""
) -> socket.socket:
    """A connected TCP socket to the first of a host's addresses that accepts.

    `source` is the address of this machine that it comes from; "" for whichever leads there.
    """
    addresses = await resolve(host, port, family)
    if len(addresses) == 1:
        try:
            return await _connect_one(addresses[0], source)
        except OSError as error:
            raise refused(f"{host}:{port}", error) from None
    return await _race(f"{host}:{port}", addresses, source)


async def _connect_one(address: SockAddr, source: str) -> socket.socket:
    sock = socket.socket(address[0], socket.SOCK_STREAM)
    try:
        if source:
            sock.bind((source, 0))
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, address[1])
    except BaseException:
        sock.close()
        raise
    return sock


async def _race(what: str, addresses: Sequence[SockAddr], source: str) -> socket.socket:
    waiting: set[asyncio.Task[socket.socket]] = set()
    error: OSError | None = None
    winner: socket.socket | None = None
    left = list(addresses)
    try:
        while winner is None and (left or waiting):
            if left:
                waiting.add(asyncio.create_task(_connect_one(left.pop(0), source)))
            done, waiting = await asyncio.wait(
                waiting,
                timeout=STAGGER_S if left else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                failure = task.exception()
                if failure is None and winner is None:
                    winner = task.result()
                elif failure is None:
                    task.result().close()
                elif isinstance(failure, OSError):
                    error = failure
                else:
                    raise failure
    finally:
        for task in waiting:
            task.cancel()
        for result in await asyncio.gather(*waiting, return_exceptions=True):
            if isinstance(result, socket.socket):
                result.close()
    if winner is None:
        raise refused(what, error or OSError("no address")) from None
    return winner


def refused(what: str, error: OSError) -> TransportError:
    """The typed error of a connection that could not be made."""
    if isinstance(error, ConnectionRefusedError):
        return TransportError(what, "connection refused", NOBODY_LISTENS, kind=ProblemKind.REFUSED)
    if isinstance(error, (FileNotFoundError, PermissionError)):
        kind = ProblemKind.FORBIDDEN if isinstance(error, PermissionError) else ProblemKind.REFUSED
        return TransportError(
            what,
            (error.strerror or str(error)).lower(),
            "check the socket's path and rights",
            kind=kind,
        )
    return TransportError(what, (error.strerror or str(error) or "cannot be reached").lower())


async def open_tcp(host: str, port: int) -> ByteStream:
    """A stream to a TCP port."""
    sock = await connect(host, port)
    try:
        _, stream = await asyncio.get_running_loop().create_connection(
            lambda: _Direct(f"{host}:{port}"), sock=sock
        )
    except BaseException:
        sock.close()
        raise
    return stream


async def open_unix(path: str) -> ByteStream:
    """A stream to a unix socket."""
    try:
        _, stream = await asyncio.get_running_loop().create_unix_connection(
            lambda: _Direct(path), path
        )
    except OSError as error:
        raise refused(path, error) from None
    return stream


class _Direct(ByteStream, asyncio.Protocol):
    """A byte stream that asyncio accepts as a protocol."""
