"""The whole fleet's transports behind `protocols.Reach`.

Starting this module is cheap: SSH, HTTP, WebSocket libraries load with the first use of each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from lptui.clock import Clock, SystemClock
from lptui.errors import CommandError, ProblemKind, TransportError
from lptui.fleet.facts.rpc import RpcUsage
from lptui.fleet.topology import Endpoint, Fleet, Rpc, SecretRef
from lptui.text import clean
from lptui.transport.backoff import Backoff
from lptui.transport.deadline import Deadline
from lptui.transport.pool import Limits, Pool
from lptui.transport.protocols import (
    OUTPUT_LIMIT,
    Command,
    Contact,
    ExecResult,
    Following,
    Http,
    JsonRpc,
    Shell,
)
from lptui.transport.secret import Secrets, for_header
from lptui.transport.shell import HostShell

if TYPE_CHECKING:
    import ssl

    from lptui.transport.http import Endpoints, HttpEndpoint
    from lptui.transport.jsonrpc import RpcEndpoint
    from lptui.transport.link import Link
    from lptui.transport.persistent import Messages
    from lptui.transport.stream import ByteStream


class FleetReach:
    """Every way to every host and endpoint of a fleet; connects on demand, `close` ends it all."""

    def __init__(
        self, fleet: Fleet, *, clock: Clock | None = None, limits: Limits | None = None
    ) -> None:
        self._fleet = fleet
        self._clock = clock or SystemClock()
        self._limits = limits or Limits()
        self._secrets = Secrets()
        self._pool = Pool(fleet.hosts, fleet.known_hosts, clock=self._clock, limits=self._limits)
        self._links: dict[str, Link] = {}
        self._shells: dict[str, HostShell] = {}
        self._http: dict[Endpoint, HttpEndpoint] = {}
        self._connections: list[Endpoints] = []
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._rpc: dict[tuple[str, str], RpcEndpoint] = {}
        self._exchanges: dict[tuple[str, str], asyncio.Lock] = {}

    def shell(self, host: str) -> Shell:
        """See `protocols.Reach`."""
        shell = self._shells.get(host)
        if shell is None:
            backoff = Backoff(self._clock, 2.0, self._limits.backoff_longest_s)
            shell = self._shells[host] = HostShell(self._link(host), backoff)
        return shell

    async def execute(self, host: str, command: Command, stdin: bytes = b"") -> ExecResult:
        """See `protocols.Reach`. The command has `command.timeout_s`, then it is stopped."""
        _refuse_zero(command)
        return await self._link(host).execute(command, stdin)

    async def follow(self, host: str, command: Command) -> Following:
        """See `protocols.Reach`."""
        _refuse_zero(command)
        return await self._link(host).follow(command)

    def http(self, endpoint: Endpoint) -> Http:
        """See `protocols.Reach`."""
        http = self._http.get(endpoint)
        if http is None:
            http = self._http[endpoint] = self._new_http(endpoint, self._endpoint_secrets(endpoint))
        return http

    def rpc(self, name: str) -> JsonRpc:
        """See `protocols.Reach`."""
        rpc = self._rpc.get((name, ""))
        if rpc is None:
            rpc = self._rpc[name, ""] = self._new_rpc(self._declared_rpc(name))
        return rpc

    def rpc_from(self, name: str, host: str, url: str) -> JsonRpc:
        """See `protocols.Reach`."""
        rpc = self._rpc.get((name, host))
        if rpc is None:
            seen = replace(self._declared_rpc(name), url=url, via=host)
            rpc = self._rpc[name, host] = self._new_rpc(seen)
        return rpc

    def rpc_usage(self, name: str) -> RpcUsage:
        """See `protocols.Reach`."""
        asked = [rpc.tally.read() for (asked, _), rpc in self._rpc.items() if asked == name]
        return RpcUsage(tuple(asked))

    def _declared_rpc(self, name: str) -> Rpc:
        declared = self._fleet.rpcs.get(name)
        if declared is None:
            raise _unknown(f"RPC endpoint {name}")
        return declared

    async def exchange(
        self, host: str, address: str, payload: bytes, deadline_s: float, limit: int = OUTPUT_LIMIT
    ) -> bytes:
        """See `protocols.Reach`. One at a time for each address: HAProxy serves only ten."""
        lock = self._exchanges.setdefault((host, address), asyncio.Lock())
        what = f"{clean(address, 80)} on {host}"
        async with Deadline(what, deadline_s, "see whether its service runs, and its log"), lock:
            stream = await self._open(host, address)
            try:
                stream.write(payload)
                parts: list[bytes] = []
                length = 0
                while data := await stream.read():
                    length += len(data)
                    if length > limit:
                        raise CommandError(
                            what,
                            f"more than {limit} bytes of answer",
                            "is it this socket that was meant?",
                            kind=ProblemKind.OUTPUT_TOO_LARGE,
                        )
                    parts.append(data)
                return b"".join(parts)
            finally:
                stream.abort()

    async def connect_time(self, host: str, address: str, deadline_s: float) -> float:
        """See `protocols.Reach`. The way from here to the host is measured and taken off."""
        link = self._link(host)
        async with Deadline(f"connection to {clean(address, 80)} from {host}", deadline_s):
            asked = asyncio.ensure_future(link.round_trip())
            try:
                # Both travel together, so a slow moment of the way counts for both.
                started = time.perf_counter()
                stream = await self._open(host, address)
                took = time.perf_counter() - started
                stream.abort()
                return max(0.0, took - await asked)
            finally:
                asked.cancel()
                await asyncio.wait({asked})

    async def contact(
        self, host: str | None, address: str, deadline_s: float, *, tls: bool
    ) -> Contact:
        """See `protocols.Reach`."""
        where = f" from {host}" if host else ""
        async with Deadline(f"connection to {clean(address, 80)}{where}", deadline_s):
            started = time.perf_counter()
            stream = await self._open(host, address)
            try:
                certificate = await _certificate(stream, address) if tls else ""
            finally:
                stream.abort()
            return Contact(time.perf_counter() - started, certificate)

    async def resolve(self, name: str, deadline_s: float) -> Sequence[str]:
        """See `protocols.Reach`."""
        from lptui.transport import direct

        async with Deadline(f"addresses of {clean(name, 80)}", deadline_s, "check DNS"):
            found = await direct.resolve(name, 0)
        return tuple(dict.fromkeys(place[0] for _, place in found))

    def retry_now(self, host: str | None = None) -> None:
        """Lets the next call try a failed host again at once: the operator asked for it."""
        for name, link in self._links.items():
            peer = getattr(link, "peer", None)
            if peer is not None and host in (None, name):
                peer.backoff.retry_now()

    async def close(self) -> None:
        """Ends everything; calls in progress fail."""
        await asyncio.gather(*(rpc.close() for rpc in self._rpc.values()))
        await asyncio.gather(*(shell.close() for shell in self._shells.values()))
        for connections in self._connections:
            connections.close()
        await asyncio.gather(*(link.close() for link in self._links.values()))
        await self._pool.close()

    def _link(self, host: str) -> Link:
        link = self._links.get(host)
        if link is None:
            declared = self._fleet.hosts.get(host)
            if declared is None:
                raise _unknown(f"host {host}")
            if declared.ssh is None:
                from lptui.transport.local import LocalLink

                link = LocalLink(host)
            else:
                from lptui.transport.ssh_link import SshLink

                link = SshLink(self._pool.peer(host))
            self._links[host] = link
        return link

    async def _open(self, host: str | None, address: str) -> ByteStream:
        from lptui.transport import direct

        link = self._link(host) if host is not None else direct
        if address.startswith("/"):
            return await link.open_unix(address)
        name, _, port = address.rpartition(":")
        if not port.isdigit() or not name:
            raise TransportError(
                clean(address, 80),
                "not an address: it should be /path or host:port",
                kind=ProblemKind.NOT_CONFIGURED,
            )
        return await link.open_tcp(name.strip("[]"), int(port))

    def _opener(self, url: str, via: str | None) -> Callable[[], Awaitable[ByteStream]]:
        split = urlsplit(url)
        if via is not None:
            link = self._link(via)
            open_tcp, open_unix = link.open_tcp, link.open_unix
        else:
            from lptui.transport import direct

            open_tcp, open_unix = direct.open_tcp, direct.open_unix
        if split.scheme == "unix":
            return lambda: open_unix(split.path)
        secure = split.scheme in ("https", "wss")
        try:
            host, port = split.hostname or "", split.port or (443 if secure else 80)
        except ValueError:
            host, port = "", 0
        if not host:
            raise TransportError(
                clean(url, 80), "not a usable URL", kind=ProblemKind.NOT_CONFIGURED
            )
        return lambda: open_tcp(host, port)

    def _new_http(
        self,
        endpoint: Endpoint,
        secrets: Callable[[], Awaitable[Mapping[str, str]]],
        key: SecretRef | None = None,
    ) -> HttpEndpoint:
        from lptui.transport import http

        split = urlsplit(endpoint.url)
        tls = self._tls(endpoint.verify_tls) if split.scheme == "https" else None
        connections = http.Endpoints(
            self._opener(endpoint.url, endpoint.via),
            tls,
            split.hostname or "localhost",
            http.shown(endpoint),
        )
        self._connections.append(connections)
        refs = tuple(ref for ref in (endpoint.auth, key, endpoint.query_key) if ref is not None)

        def forget() -> None:
            for ref in refs:
                self._secrets.forget(ref)

        transport = http.StreamTransport(connections)
        secret_end = self._secret_path(key) or self._secret_query(endpoint.query_key)
        return http.HttpEndpoint(endpoint, transport, secrets, forget, secret_end)

    def _endpoint_secrets(self, endpoint: Endpoint) -> Callable[[], Awaitable[Mapping[str, str]]]:
        async def secrets() -> Mapping[str, str]:
            if endpoint.auth is None:
                return {}
            from lptui.transport.http import authorization

            value = authorization(await self._secrets.get(endpoint.auth))
            return {"authorization": for_header(endpoint.auth, value)}

        return secrets

    def _secret_path(self, key: SecretRef | None) -> Callable[[], Awaitable[str]] | None:
        """What hosted providers want at the end of their URL; it appears in no message."""
        if key is None:
            return None

        async def path() -> str:
            return "/" + quote(await self._secrets.get(key), safe="")

        return path

    def _secret_query(self, key: SecretRef | None) -> Callable[[], Awaitable[str]] | None:
        """What explorers want as the last value of a query; it appears in no message."""
        if key is None:
            return None

        async def value() -> str:
            return quote(await self._secrets.get(key), safe="")

        return value

    def _rpc_secrets(self, rpc: Rpc) -> Callable[[], Awaitable[Mapping[str, str]]]:
        async def secrets() -> Mapping[str, str]:
            return {
                name: for_header(ref, await self._secrets.get(ref))
                for name, ref in rpc.headers.items()
            }

        return secrets

    def _tls(self, verify: bool) -> ssl.SSLContext:
        """One context for all: to load the certificate authorities takes a while."""
        from lptui.transport.http import tls_context

        context = self._contexts.get(verify)
        if context is None:
            context = self._contexts[verify] = tls_context(verify)
        return context

    def _new_rpc(self, rpc: Rpc) -> RpcEndpoint:
        from lptui.transport.jsonrpc import HttpExchange, RpcEndpoint
        from lptui.transport.tally import Tally

        tally = Tally(rpc.via or "")
        scheme = urlsplit(rpc.url).scheme
        if scheme in ("http", "https"):
            endpoint = Endpoint(rpc.url, rpc.via, rpc.verify_tls)
            http = self._new_http(endpoint, self._rpc_secrets(rpc), rpc.key)
            return RpcEndpoint(rpc.name, HttpExchange(rpc.name, http), tally)
        from lptui.transport.persistent import PersistentExchange

        opener = self._opener(rpc.url, rpc.via)
        if scheme == "unix":
            from lptui.transport import ipc

            lines = PersistentExchange(rpc.name, lambda: ipc.connect(rpc.name, opener))
            return RpcEndpoint(rpc.name, lines, tally)
        if scheme not in ("ws", "wss"):
            raise _unknown(f"scheme {scheme} of {rpc.name}")
        secrets = self._rpc_secrets(rpc)
        tls = self._tls(rpc.verify_tls) if scheme == "wss" else None

        secret_path = self._secret_path(rpc.key)

        async def connect() -> Messages:
            from lptui.transport import websocket

            url = rpc.url.rstrip("/") + await secret_path() if secret_path else rpc.url
            return await websocket.connect(rpc.name, url, opener, tls, await secrets())

        return RpcEndpoint(rpc.name, PersistentExchange(rpc.name, connect), tally)


async def _certificate(stream: ByteStream, address: str) -> str:
    """The SHA-256 of what a TLS server shows.

    Both of HTTP's protocols are offered: gRPC servers refuse who does not offer the newer one.
    """
    import hashlib

    from lptui.transport.http import tls_context
    from lptui.transport.stream import TlsStream

    context = tls_context(verify=False)
    context.set_alpn_protocols(["h2", "http/1.1"])
    secure = TlsStream(stream, clean(address, 80))
    await secure.handshake(context, address.rpartition(":")[0].strip("[]"))
    return hashlib.sha256(secure.certificate).hexdigest()


def _refuse_zero(command: Command) -> None:
    for word in command.argv:
        if "\0" in word:
            raise CommandError(clean(command.argv[0], 60), "a word of it contains a zero byte")


def _unknown(what: str) -> TransportError:
    return TransportError(
        clean(what, 80),
        "the configuration does not name it",
        "check its spelling",
        kind=ProblemKind.NOT_CONFIGURED,
    )
