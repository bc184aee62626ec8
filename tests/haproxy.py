"""Starts a real HAProxy on loopback."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.backend import get
from tests.ports import free_port
from tests.waiting import until

_HEAD = """
global
    stats socket {folder}/admin.sock mode 600 level admin
    stats socket {folder}/user.sock mode 600 level user
    stats socket ipv4@127.0.0.1:{cli_port} level operator
    stats timeout 10s
defaults
    mode http
    timeout connect 1s
    timeout check 5s
    timeout client 10s
    timeout server 10s
    timeout queue 2s
listen stats
    bind 127.0.0.1:{stats_port}
    stats enable
    stats uri /stats
frontend public
    bind 127.0.0.1:{port}
    default_backend web
"""

CHECKED = "check inter 500ms fastinter 300ms downinter 100ms fall 3 rise 2"
"""Of a `server` line. Who is gone is refused at once; who is slow has `timeout check`, for a busy
machine takes its time. A check's connection has the time until the next check, not more."""


def is_installed() -> bool:
    return shutil.which("haproxy") is not None


@dataclass(slots=True)
class Haproxy:
    """A running HAProxy.

    Attributes:
        port: where the frontend `public` listens; it uses the backend `web`.
        socket: the runtime socket of level admin; `user_socket` has level user.
        cli_address: the runtime socket on TCP, level operator.
        stats_url: the statistics page.
    """

    folder: Path
    port: int
    stats_url: str
    socket: str
    user_socket: str
    cli_address: str
    process: asyncio.subprocess.Process

    async def cli(self, line: str) -> str:
        """One line to the admin socket, as an operator would type it."""
        reader, writer = await asyncio.open_unix_connection(self.socket)
        try:
            writer.write(line.encode() + b"\n")
            return (await asyncio.wait_for(reader.read(-1), 10)).decode()
        finally:
            writer.close()

    async def get(self, path: str = "/", times: int = 1) -> list[bytes]:
        """Requests through the frontend."""
        return [await get(self.port, path) for _ in range(times)]

    async def status(self, server: str) -> str:
        """What `show stat` says of `backend/server`, or of `backend` as a whole."""
        return await self.figure(server, "status")

    async def figure(self, server: str, name_of_column: str) -> str:
        """A column of `show stat`, of the same."""
        backend, _, name = server.partition("/")
        table = (await self.cli("show stat")).splitlines()
        column = table[0].removeprefix("# ").split(",").index(name_of_column)
        rows = [row.split(",") for row in table[1:]]
        return next((row[column] for row in rows if row[:2] == [backend, name or "BACKEND"]), "")

    async def until_status(self, server: str, status: str) -> None:
        """Waits until `show stat` says so of `backend/server`."""
        async with asyncio.timeout(30):
            while await self.status(server) != status:  # noqa: ASYNC110 (another process's state)
                await asyncio.sleep(0.02)


def _listens(path: Path) -> bool:
    """The file is there before anybody listens."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@asynccontextmanager
async def haproxy(servers: Sequence[str], more: str = "") -> AsyncIterator[Haproxy]:
    """HAProxy with the backend `web` of these `server` lines, for the length of a block.

    `more` is further configuration: sections, or lines of the backend first.
    """
    with tempfile.TemporaryDirectory(prefix="lptui-haproxy-") as name:
        folder = Path(name)
        port, stats_port, cli_port = free_port(), free_port(), free_port()
        head = _HEAD.format(folder=folder, port=port, stats_port=stats_port, cli_port=cli_port)
        lines = [head, "backend web", "    balance roundrobin"]
        lines += [f"    server {server}" for server in servers]
        config = folder / "haproxy.cfg"
        config.write_text("\n".join([*lines, more, ""]))
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                program, "-db", "-f", str(config), stdout=log, stderr=log
            )
        try:
            admin = folder / "admin.sock"
            await until(lambda: _listens(admin) or process.returncode is not None, 30, "HAProxy")
            if process.returncode is not None:
                raise RuntimeError(f"HAProxy ended: {(folder / 'log').read_text()}")
            yield Haproxy(
                folder=folder,
                port=port,
                stats_url=f"http://127.0.0.1:{stats_port}/stats",
                socket=str(admin),
                user_socket=str(folder / "user.sock"),
                cli_address=f"127.0.0.1:{cli_port}",
                process=process,
            )
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
