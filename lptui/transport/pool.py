"""SSH connections: one a host shared by all, jump hosts shared, handshakes bounded."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lptui.clock import Clock, SystemClock
from lptui.errors import ProblemKind, TransportError
from lptui.fleet.topology import Host, Ssh
from lptui.text import clean
from lptui.transport.backoff import STABLE_S, Backoff, again
from lptui.transport.stream import lost

if TYPE_CHECKING:
    import asyncssh

    from lptui.transport.ssh import Stores

MAX_HOPS: Final = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on connecting; times in seconds.

    Attributes:
        handshakes: logins in progress at once, over all hosts.
        per_target: logins in progress at once to one address (sshd drops by MaxStartups).
        slow_s: after which a login no longer counts among `handshakes`: it waits for a dead host
            and must not keep a place from a living one.
        connect_s: for TCP, or for the jump host to open a channel.
        login_s: for key exchange and authentication.
    """

    handshakes: int = 16
    per_target: int = 5
    slow_s: float = 2.0
    connect_s: float = 6.0
    login_s: float = 10.0
    backoff_first_s: float = 1.0
    backoff_longest_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Route:
    """How a connection is made; equal routes share it. `via` None: as ProxyJump says, if at all.

    `host` is the fleet's host that it leads to, "" for another jump host. Two hosts have two
    connections even when one sshd serves both: it bounds the shells of each connection.
    """

    ssh: Ssh
    via: Route | None = None
    host: str = ""


class Pool:
    """All SSH connections of a fleet."""

    def __init__(
        self,
        hosts: Mapping[str, Host],
        known_hosts: str | None = None,
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.clock = clock or SystemClock()
        self.known_hosts = known_hosts
        self._hosts = hosts
        self._rng = rng or random.Random()  # noqa: S311 (jitter)
        self._peers: dict[Route, Peer] = {}
        self._stores: Stores | None = None
        self._slots = asyncio.Semaphore(self.limits.handshakes)
        self._targets: dict[tuple[str, int], asyncio.Semaphore] = {}
        self.closed = False

    def peer(self, host: str) -> Peer:
        """The connection of a fleet's host (not yet open)."""
        declared = self._hosts[host]
        if declared.ssh is None:
            raise ValueError(f"{host} is this machine")
        return self.by_route(self._route(declared.ssh, (), host), host)

    def by_route(self, route: Route, name: str) -> Peer:
        """The connection of a route, shared by all that take it."""
        peer = self._peers.get(route)
        if peer is None:
            backoff = Backoff(
                self.clock,
                self.limits.backoff_first_s,
                self.limits.backoff_longest_s,
                self._rng,
            )
            peer = self._peers[route] = Peer(self, route, name, backoff)
        return peer

    def _route(self, ssh: Ssh, seen: tuple[Ssh, ...], host: str) -> Route:
        if ssh in seen or len(seen) > MAX_HOPS:
            raise circle(ssh.alias)
        via: Route | None = None
        for text in ssh.jump:
            via = self.hop(text, ssh, via, (*seen, ssh))
        return Route(replace(ssh, jump=()), via, host)

    def hop(self, text: str, ssh: Ssh, via: Route | None, seen: tuple[Ssh, ...]) -> Route:
        """The route of one jump host: a fleet's host by name, or `[user@]host[:port]`."""
        from lptui.transport.ssh_config import hop

        declared = self._hosts.get(text)
        if declared is not None and declared.ssh is not None:
            if via is None:
                return self._route(declared.ssh, seen, text)
            return Route(replace(declared.ssh, jump=()), via, text)
        return Route(hop(text, ssh), via)

    def stores(self) -> Stores:
        """Key files and known hosts, read once for all."""
        if self._stores is None:
            from lptui.transport.ssh import Stores

            self._stores = Stores()
        return self._stores

    def target(self, host: str, port: int) -> asyncio.Semaphore:
        """Bounds the logins in progress to one address."""
        return self._targets.setdefault((host, port), asyncio.Semaphore(self.limits.per_target))

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place among all logins in progress; given up early when the login is slow."""
        await self._slots.acquire()
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                self._slots.release()

        timer = asyncio.get_running_loop().call_later(self.limits.slow_s, release)
        try:
            yield
        finally:
            timer.cancel()
            release()

    async def close(self) -> None:
        """Closes every connection."""
        self.closed = True
        await asyncio.gather(*(peer.close() for peer in self._peers.values()))


class Peer:
    """The connection to one host: opened on demand, watched, reopened after a loss."""

    def __init__(self, pool: Pool, route: Route, name: str, backoff: Backoff) -> None:
        self.name = name
        self.backoff = backoff
        self.connection: asyncssh.SSHClientConnection | None = None
        self._pool = pool
        self._route = route
        self._attempt: asyncio.Task[asyncssh.SSHClientConnection] | None = None
        self._since = 0.0
        self._on_lost: list[Callable[[], None]] = []

    @property
    def what(self) -> str:
        return f"SSH to {self.name}"

    @property
    def is_connecting(self) -> bool:
        return self._attempt is not None

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Calls back at every loss of the connection."""
        self._on_lost.append(callback)

    async def connect(self, chain: tuple[Route, ...] = ()) -> asyncssh.SSHClientConnection:
        """The open connection; during back-off the last error at once.

        One attempt serves all who wait for it, and goes on when one of them gives up. `chain`
        holds the routes that this one is a jump host for.
        """
        if self.connection is not None:
            return self.connection
        if self._pool.closed:
            raise TransportError(self.what, "the console is closing")
        if self._route in chain or len(chain) > MAX_HOPS:
            raise circle(self.name)
        if self._attempt is None:
            self.backoff.check()
            self._attempt = asyncio.create_task(self._open(chain), name=f"connect {self.name}")
            self._attempt.add_done_callback(self._attempted)
        attempt = self._attempt
        try:
            return await asyncio.shield(attempt)
        except TransportError as error:
            raise again(error) from None
        except asyncio.CancelledError:
            if attempt.cancelled():  # by close(), not this call
                raise TransportError(self.what, "the console is closing") from None
            raise

    async def close(self) -> None:
        """Closes the connection and ends an attempt in progress."""
        attempt = self._attempt
        if attempt is not None:
            attempt.cancel()
            await asyncio.wait({attempt})
        connection, self.connection = self.connection, None
        if connection is not None:
            from lptui.transport.ssh import hang_up

            await hang_up(connection)

    def _attempted(self, task: asyncio.Task[asyncssh.SSHClientConnection]) -> None:
        self._attempt = None
        if not task.cancelled():
            task.exception()  # with nobody waiting any more, the back-off still knows it

    async def _open(self, chain: tuple[Route, ...]) -> asyncssh.SSHClientConnection:
        from lptui.transport import ssh

        pool = self._pool

        async def jump(names: Sequence[str]) -> asyncssh.SSHClientConnection | None:
            return await self._jump(names, (*chain, self._route))

        try:
            connection = await ssh.dial(
                ssh.Dialling(
                    self.what,
                    self._route.ssh,
                    pool.known_hosts,
                    pool.stores(),
                    pool.limits,
                    pool,
                    jump,
                    self._lost,
                )
            )
        except TransportError as error:
            self.backoff.failed(error)
            raise
        if connection.is_closed():
            gone = lost(self.what, None)
            self.backoff.failed(gone)
            raise gone
        self.connection = connection
        self._since = pool.clock.monotonic()
        return connection

    async def _jump(
        self, names: Sequence[str], chain: tuple[Route, ...]
    ) -> asyncssh.SSHClientConnection | None:
        """The connection of the last jump host; `names` are ProxyJump's, if the route has none."""
        via = self._route.via
        label = via.ssh.alias if via is not None else ""
        if via is None:
            for text in names:
                via = self._pool.hop(text, self._route.ssh, via, ())
                label = text
        if via is None:
            return None
        peer = self._pool.by_route(via, label)
        try:
            return await peer.connect(chain)
        except TransportError as error:
            raise jump_failed(self.what, peer.name, error) from None

    def _lost(self, cause: Exception | None) -> None:
        if self.connection is None:
            return
        self.connection = None
        if self._pool.clock.monotonic() - self._since < STABLE_S:
            self.backoff.failed(lost(self.what, cause))
        else:
            self.backoff.succeeded()
        for callback in self._on_lost:
            callback()


def circle(name: str) -> TransportError:
    """The error of jump hosts that lead back to themselves."""
    return TransportError(
        f"SSH to {clean(name, 80)}",
        "its jump hosts go in a circle",
        "correct `jump` in the configuration, or ProxyJump in ~/.ssh/config",
        kind=ProblemKind.SSH_CONFIG,
    )


def jump_failed(what: str, jump: str, error: TransportError) -> TransportError:
    """The error of a host behind a jump host that could not be reached itself."""
    if error.kind is ProblemKind.JUMP_HOST:
        return TransportError(what, error.why, error.remedy, kind=error.kind)
    return TransportError(
        what, f"jump host {clean(jump, 80)}: {error.why}", error.remedy, kind=ProblemKind.JUMP_HOST
    )
