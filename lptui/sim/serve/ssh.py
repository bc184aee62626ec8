"""The SSH server of a simulated host: sessions with the framed shell, one-off commands, and
forwarded streams that end inside the simulation, without any listening port of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import asyncssh

from lptui.sim.serve.link import Service, ServiceFactory
from lptui.sim.serve.network import Network
from lptui.sim.serve.oneoff import OneOff
from lptui.sim.serve.oneoff import command as read_command
from lptui.sim.serve.shell import FramedShell
from lptui.sim.serve.terminal import Terminal
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

SLOW_SECONDS: Final = 1.5
"""How long each answer of a slow machine takes."""
MORE_SECONDS: Final = 0.25
"""How often what a command goes on to say is looked for."""
DROP_AFTER: Final = 3
"""After so many requests a dropping machine cuts the connection."""


_Forwarded: TypeAlias = "asyncssh.SSHTCPChannel[bytes] | asyncssh.SSHUNIXChannel[bytes]"


class HostServer(asyncssh.SSHServer):
    """One connection to one simulated host."""

    def __init__(
        self,
        world: World,
        machine: Machine,
        network: Network,
        key: asyncssh.SSHKey,
        open_connections: dict[asyncssh.SSHServerConnection, Machine],
    ) -> None:
        self._world = world
        self._machine = machine
        self._network = network
        self._key = key
        self._open = open_connections
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._open[conn] = self._machine
        if self._machine.boots_until is not None:
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._open.pop(self._connection, None)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._machine.user and key.public_data == self._key.public_data

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        return HostSession(self._world, self._machine, self.drop)

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> asyncssh.SSHTCPSession[bytes]:
        try:
            factory = self._network.tcp(self._machine, dest_host, dest_port)
        except (ConnectionRefusedError, LookupError) as error:
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_CONNECT_FAILED, str(error.args[0])
            ) from None
        return StreamSession(factory)

    def unix_connection_requested(self, dest_path: str) -> asyncssh.SSHUNIXSession[bytes]:
        try:
            return UnixSession(self._network.unix(self._machine, dest_path))
        except LookupError as error:
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_CONNECT_FAILED, str(error.args[0])
            ) from None

    def drop(self) -> None:
        """Cuts the connection without a word."""
        if self._connection is not None:
            self._connection.abort()


class HostSession(asyncssh.SSHServerSession[bytes]):
    """A session channel: the shell that the console keeps, or one command."""

    def __init__(self, world: World, machine: Machine, drop: Callable[[], None]) -> None:
        self._world = world
        self._machine = machine
        self._drop = drop
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        self._shell: FramedShell | None = None
        self._terminal: Terminal | None = None
        self._has_terminal = False
        self._command: OneOff | None = None
        self._served = 0
        self._timers: list[asyncio.TimerHandle] = []

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def pty_requested(
        self, term_type: str, term_size: tuple[int, int, int, int], term_modes: Mapping[int, int]
    ) -> bool:
        self._has_terminal = True
        return True

    def shell_requested(self) -> bool:
        if self._has_terminal:
            self._terminal = Terminal(self._world, self._machine)
        else:
            self._shell = FramedShell(self._world, self._machine)
        return True

    def exec_requested(self, command: str) -> bool:
        self._command = read_command(self._world, self._machine, command)
        if self._command is None:
            self._shell = FramedShell(self._world, self._machine)
        return True

    def session_started(self) -> None:
        if self._channel is None:
            return
        if self._terminal is not None:
            self._channel.write(self._terminal.greeting)
        elif self._command is not None and not self._command.waits:
            self._run(self._command)

    def _run(self, command: OneOff) -> None:
        done = command.run()
        if self._channel is not None:
            self._channel.write_stderr(done.stderr)
            self._channel.write(done.stdout)
            if command.goes_on:
                self._say_more()
            else:
                self._channel.exit(done.status)

    def _say_more(self) -> None:
        """What a command that goes on has said since."""
        if self._command is None or self._channel is None or self._channel.is_closing():
            return
        if more := self._command.more():
            self._channel.write(more)
        loop = asyncio.get_running_loop()
        self._timers = [loop.call_later(MORE_SECONDS, self._say_more)]

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if self._terminal is not None:
            self._write(self._terminal.received(data))
            if self._terminal.ended and self._channel is not None:
                self._channel.exit(0)
            return
        if self._command is not None:
            self._command.received(data)
        if self._shell is None:
            return
        reply = self._shell.received(data)
        if not reply:
            return
        self._served += 1
        if self._machine.reach == "slow":
            loop = asyncio.get_running_loop()
            self._timers = [timer for timer in self._timers if timer.when() > loop.time()]
            self._timers.append(loop.call_later(SLOW_SECONDS, self._write, reply))
        elif self._machine.reach == "dropping" and self._served % DROP_AFTER == 0:
            self._write(reply[: len(reply) // 2])
            self._drop()
        else:
            self._write(reply)

    def _write(self, reply: bytes) -> None:
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write(reply)

    def eof_received(self) -> bool:
        if self._command is not None and self._command.waits:
            self._run(self._command)
        elif self._channel is not None and (
            self._shell or self._terminal or (self._command is not None and self._command.goes_on)
        ):
            self._channel.exit(0)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in self._timers:
            timer.cancel()
        self._channel = None


class _Stream:
    """Joins a forwarded channel to a simulated service."""

    def __init__(self, factory: ServiceFactory) -> None:
        self._factory = factory
        self._channel: _Forwarded | None = None
        self._service: Service | None = None

    def _open(self, channel: _Forwarded) -> None:
        self._channel = channel
        self._service = self._factory(self)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if self._service is not None:
            self._service.received(data)

    def eof_received(self) -> bool:
        if self._service is not None:
            self._service.finished()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self._service is not None:
            self._service.lost()
        self._channel = None

    def write(self, data: bytes) -> None:
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write(data)

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()

    def abort(self) -> None:
        if self._channel is not None:
            self._channel.abort()


class StreamSession(_Stream, asyncssh.SSHTCPSession[bytes]):
    """A direct-tcpip channel."""

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        self._open(chan)


class UnixSession(_Stream, asyncssh.SSHUNIXSession[bytes]):
    """A direct-streamlocal channel."""

    def connection_made(self, chan: asyncssh.SSHUNIXChannel[bytes]) -> None:
        self._open(chan)


class SshHosts:
    """The SSH servers of all simulated hosts. `close` ends listeners and connections."""

    def __init__(self, world: World, network: Network, client_key: asyncssh.SSHKey) -> None:
        self._world = world
        self._network = network
        self._client_key = client_key
        self._acceptors: list[asyncssh.SSHAcceptor] = []
        self._mutes: list[asyncio.Server] = []
        self._open: dict[asyncssh.SSHServerConnection, Machine] = {}
        self._mute_links: set[asyncio.BaseTransport] = set()

    async def listen(self, machine: Machine, host_key: asyncssh.SSHKey) -> int:
        """Starts a machine's server on a free port of loopback, and returns that port."""
        if machine.reach == "mute":
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: _Mute(self._mute_links), "127.0.0.1", 0)
            self._mutes.append(server)
            return int(server.sockets[0].getsockname()[1])
        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[host_key],
            server_factory=lambda: HostServer(
                self._world, machine, self._network, self._client_key, self._open
            ),
            encoding=None,
            line_editor=False,
            agent_forwarding=False,
            x11_forwarding=False,
            gss_host=None,
            compression_algs=None,
        )
        port = acceptor.get_port()
        if machine.reach == "refused":
            acceptor.close()
        else:
            self._acceptors.append(acceptor)
        return port

    def cut(self) -> None:
        """Drops the connections to machines that reboot."""
        if not self._world.booting:
            return
        for connection, machine in tuple(self._open.items()):
            if machine.boots_until is not None:
                connection.abort()

    async def close(self) -> None:
        for acceptor in self._acceptors:
            acceptor.close()
        for server in self._mutes:
            server.close()
        ending = tuple(self._open)
        for connection in ending:
            connection.abort()
        for link in tuple(self._mute_links):
            link.close()
        await asyncio.gather(
            *(connection.wait_closed() for connection in ending),
            *(acceptor.wait_closed() for acceptor in self._acceptors),
            *(server.wait_closed() for server in self._mutes),
            return_exceptions=True,
        )


class _Mute(asyncio.Protocol):
    """Accepts connections and never says anything: a host that hangs."""

    def __init__(self, links: set[asyncio.BaseTransport]) -> None:
        self._links = links

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._links.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._links.discard(self._transport)
