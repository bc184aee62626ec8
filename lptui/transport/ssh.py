"""One SSH connection: dialling with strict host keys, and each failure as a typed error."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar, cast

import asyncssh
from cryptography.utils import CryptographyDeprecationWarning

from lptui.errors import TransportError
from lptui.fleet.topology import Ssh
from lptui.transport import known_hosts
from lptui.transport.deadline import Deadline
from lptui.transport.direct import connect
from lptui.transport.keys import Identities, Offer, agent_order, offered_files
from lptui.transport.pool import Limits
from lptui.transport.proxy import ProxyCommand
from lptui.transport.ssh_config import Resolved, resolve
from lptui.transport.ssh_errors import explain

# Notices to programmers about what an old host needs; they would stand in the middle of the screen.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module="asyncssh")

KEEPALIVE_S: Final = 2.0
KEEPALIVE_COUNT: Final = 2
"""A connection is dead after KEEPALIVE_S * (KEEPALIVE_COUNT + 1) seconds of silence."""

AGENT_S: Final = 3.0
"""Longest wait for the agent: one that asks a person must not stop the fleet."""

_FAST_CIPHERS: Final = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
"""OpenSSH's default set, with the cheapest for this side first."""


_MORE_HOST_KEYS: Final = (
    "+ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521"
    ",rsa-sha2-512,rsa-sha2-256"
)
"""Asked for after the kinds in known_hosts, only to be able to tell what is offered instead."""


class Owner(asyncssh.SSHClient):
    """What asyncssh asks and tells during a connection's life."""

    def __init__(
        self,
        agent: str,
        locked: frozenset[bytes],
        tried: frozenset[bytes],
        only_locked: bool,
        certificates: Sequence[asyncssh.SSHCertificate] = (),
    ) -> None:
        self.offered: asyncssh.SSHKey | None = None
        self.reached = False
        self.spoke_ssh = False
        self._connection: asyncssh.SSHClientConnection | None = None
        self.on_lost: Callable[[Exception | None], None] | None = None
        self.agent_keys = 0
        self.keys_used_up = False
        self.other_ways: list[str] = []
        self.proxy: ProxyCommand | None = None
        self._agent = agent
        self._locked = locked
        self._tried = tried
        self._only_locked = only_locked
        self._certificates = certificates
        self._agent_client: asyncssh.SSHAgentClient | None = None
        self._asked = False

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn
        self.reached = True

    def connection_lost(self, exc: Exception | None) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self.spoke_ssh = bool(connection.get_extra_info("server_version"))
        self.close_agent()
        if self.proxy is not None:
            self.proxy.kill()
        if self.on_lost is not None:
            self.on_lost(exc)

    def auth_completed(self) -> None:
        self.close_agent()

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        # Asked only for keys that known_hosts does not vouch for; the answer is always no.
        self.offered = key
        return False

    async def public_key_auth_requested(self) -> Any:  # noqa: ANN401
        # asyncssh would offer the agent's keys before the operator's own choice, and eight
        # strangers in an agent use up the six tries that sshd allows.
        self.keys_used_up = True
        if self._asked or not self._agent:
            return None
        self._asked = True
        try:
            async with asyncio.timeout(AGENT_S):
                self._agent_client = await asyncssh.connect_agent(self._agent)
                keys = await self._agent_client.get_keys()
        except (OSError, ValueError, asyncssh.Error):
            return None
        self.agent_keys = len(keys)
        return (
            agent_order(keys, self._locked, self._tried, self._only_locked, self._certificates)
            or None
        )

    # Never answered; only to know that the host wants more than a key.

    def kbdint_auth_requested(self) -> None:
        self.other_ways.append("keyboard-interactive")

    def password_auth_requested(self) -> None:
        self.other_ways.append("password")

    def close_agent(self) -> None:
        client, self._agent_client = self._agent_client, None
        if client is not None:
            client.close()


T = TypeVar("T")


class Stores:
    """What all logins share: key files and known hosts, parsed once."""

    def __init__(self) -> None:
        self.identities = Identities()
        self.known_hosts = known_hosts.KnownHosts()


class Places(Protocol):
    """Bounds the logins in progress."""

    def target(self, host: str, port: int) -> asyncio.Semaphore: ...

    def slot(self) -> contextlib.AbstractAsyncContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class Dialling:
    """What is needed to make one connection.

    `jump` gives the connection of the last jump host, from the names that ProxyJump says.
    """

    what: str
    ssh: Ssh
    known_hosts: str | None
    stores: Stores
    limits: Limits
    places: Places
    jump: Callable[[Sequence[str]], Awaitable[asyncssh.SSHClientConnection | None]]
    on_lost: Callable[[Exception | None], None]


async def dial(to: Dialling) -> asyncssh.SSHClientConnection:
    """Makes one connection; raises a typed TransportError for each way to fail."""
    async with Deadline(to.what, to.limits.connect_s, "is ~/.ssh on a file system that hangs?"):
        resolved, expected, offer = await asyncio.to_thread(_prepare, to)
    jump = await to.jump(resolved.jump)
    owner = Owner(
        resolved.agent,
        offer.locked,
        frozenset(pair.public_data for pair in offer.pairs),
        resolved.identities_only,
        offer.certificates,
    )
    try:
        connection = await _login_in_turn(to, resolved, owner, offer.pairs, expected, jump)
    except (asyncssh.Error, TransportError, OSError, ValueError) as error:
        raise explain(to.what, error, resolved, owner, expected, jump is not None) from None
    owner.on_lost = to.on_lost
    return connection


def _prepare(to: Dialling) -> tuple[Resolved, asyncssh.SSHKnownHosts, Offer]:
    resolved = resolve(to.ssh, to.known_hosts)
    expected = to.stores.known_hosts.read(resolved.known_hosts)
    return resolved, expected, offered_files(resolved, to.stores.identities)


async def _login_in_turn(
    to: Dialling,
    resolved: Resolved,
    owner: Owner,
    pairs: Sequence[asyncssh.SSHKeyPair],
    expected: asyncssh.SSHKnownHosts,
    jump: asyncssh.SSHClientConnection | None,
) -> asyncssh.SSHClientConnection:
    through: socket.socket | asyncssh.SSHClientConnection | None = jump
    async with to.places.target(resolved.host, resolved.port):
        if jump is None and resolved.proxy_command:
            owner.proxy = await ProxyCommand.start(resolved.proxy_command)
            through = owner.proxy.socket
        elif jump is None:
            async with asyncio.timeout(to.limits.connect_s):
                through = await connect(
                    resolved.host, resolved.port, resolved.options.family, resolved.source
                )
        try:
            async with to.places.slot(), asyncio.timeout(to.limits.login_s):
                return await login(resolved, owner, pairs, expected, through)
        except BaseException:
            if isinstance(through, socket.socket):
                through.close()
            if owner.proxy is not None:
                await owner.proxy.ended()
            raise


async def login(
    resolved: Resolved,
    owner: Owner,
    pairs: Sequence[asyncssh.SSHKeyPair],
    expected: asyncssh.SSHKnownHosts,
    through: socket.socket | asyncssh.SSHClientConnection | None,
) -> asyncssh.SSHClientConnection:
    """Key exchange and authentication over a socket or a jump host's connection.

    Raises whatever asyncssh raises; `explain` makes a typed error of it.
    """
    given: dict[str, Any] = {}
    if isinstance(through, socket.socket):
        given["sock"] = through
    if resolved.options.config.get("Ciphers") is None:
        given["encryption_algs"] = list(_FAST_CIPHERS)
    if resolved.options.config.get("HostKeyAlgorithms") is None:
        given["server_host_key_algs"] = _MORE_HOST_KEYS
    if resolved.options.config.get("Compression") is None:
        given["compression_algs"] = ["none"]
    connection = await asyncssh.connect(
        resolved.host,
        resolved.port,
        tunnel=through if isinstance(through, asyncssh.SSHClientConnection) else None,
        proxy_command=None,
        options=resolved.options,
        config=None,
        client_factory=lambda: owner,
        username=resolved.user,
        known_hosts=known_hosts.by_name(expected),
        client_keys=list(pairs),
        client_certs=[],
        agent_path=None,
        agent_identities=None,
        ignore_encrypted=True,
        agent_forwarding=False,
        x11_forwarding=False,
        x509_trusted_certs=None,
        pkcs11_provider=None,
        gss_host=None,
        host_based_auth=False,
        password_auth=True,
        kbdint_auth=True,
        env=None,
        send_env=None,
        command=None,
        request_pty=False,
        encoding=None,
        keepalive_interval=KEEPALIVE_S,
        keepalive_count_max=KEEPALIVE_COUNT,
        connect_timeout=None,
        login_timeout=0,
        **given,
    )
    lighten(connection)
    return connection


def lighten(connection: asyncssh.SSHClientConnection) -> None:
    """Leaves out the empty packet that asyncssh sends before every packet.

    It protects CBC ciphers; with authenticated ones it only doubles the work on both sides.
    """
    cipher = str(connection.get_extra_info("send_cipher") or "")
    if not cipher.startswith(("aes128-gcm", "aes256-gcm", "chacha20-poly1305")):
        return
    plain = connection.send_packet
    ignore = 2

    def send_packet(pkttype: int, *args: bytes, handler: Any = None) -> None:  # noqa: ANN401
        if pkttype != ignore:
            plain(pkttype, *args, handler=handler)

    cast("Any", connection).send_packet = send_packet


async def hang_up(connection: asyncssh.SSHClientConnection, patience_s: float = 1.0) -> None:
    """Closes a connection, gently if the far side answers."""
    owner = connection.get_owner()
    connection.close()
    with contextlib.suppress(Exception):
        try:
            async with asyncio.timeout(patience_s):
                await connection.wait_closed()
        except TimeoutError:
            connection.abort()
            await connection.wait_closed()
    if isinstance(owner, Owner) and owner.proxy is not None:
        await owner.proxy.ended()


async def opened(opening: Awaitable[T]) -> T:
    """A channel; one that opens after its caller has gone is closed again, not leaked."""
    task = asyncio.ensure_future(opening)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_close_late)
        raise


def _close_late(task: asyncio.Future[Any]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result()[0].abort()


def end(channel: Any) -> None:  # noqa: ANN401
    """Closes a channel and ends what runs on it, as far as sshd passes the signal on.

    It does so to the process group, but not for root's sessions (OpenSSH session.c).
    """
    with contextlib.suppress(OSError):
        channel.kill()
    channel.abort()
