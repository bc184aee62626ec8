"""Starts a real nginx on loopback."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.backend import get
from tests.ports import free_port
from tests.waiting import until

WORKERS = 2
STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")

_HEAD = """
{load}
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
worker_processes {workers};
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{status_port};
        location = /status {{ stub_status; }}
    }}
    {http}
}}
{stream}
"""


def program() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def has_stream() -> bool:
    """Whether `stream` blocks can be tested (Debian's libnginx-mod-stream)."""
    return STREAM_MODULE.exists()


@dataclass(slots=True)
class Nginx:
    """A running nginx. `port` is free for a `listen` of the caller's (`@port@` in its text)."""

    folder: Path
    port: int
    status_url: str
    process: asyncio.subprocess.Process
    binary: str

    @property
    def config(self) -> Path:
        return self.folder / "nginx.conf"

    @property
    def log(self) -> str:
        return (self.folder / "error.log").read_text()

    def workers(self) -> set[int]:
        """Process ids of the workers, those that only finish included."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in path.read_text().split()}

    async def reload(self) -> None:
        """`nginx -s reload`, and waits for all new workers."""
        before = self.workers()
        done = await asyncio.create_subprocess_exec(
            self.binary, "-c", str(self.config), "-s", "reload", stderr=asyncio.subprocess.DEVNULL
        )
        await done.wait()
        await until(lambda: len(self.workers() - before) >= WORKERS, 30, "new workers")

    async def get(self, path: str = "/") -> bytes:
        return await get(self.port, path)


@asynccontextmanager
async def nginx(
    http: str = "", stream: str = "", files: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Nginx]:
    """nginx with these pieces of configuration, for the length of a block.

    `files` are written beside nginx.conf. `@folder@` and `@port@` are replaced in all texts.
    """
    binary = program()
    assert binary is not None
    with tempfile.TemporaryDirectory(prefix="lptui-nginx-") as name:
        folder, port, status_port = Path(name), free_port(), free_port()

        def filled(text: str) -> str:
            return text.replace("@folder@", name).replace("@port@", str(port))

        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(filled(text))
        load = f"load_module {STREAM_MODULE};" if stream else ""
        head = _HEAD.format(
            load=load,
            user="user root;" if os.geteuid() == 0 else "",
            folder=folder,
            status_port=status_port,
            workers=WORKERS,
            http=filled(http),
            stream=filled(f"stream {{ {stream} }}" if stream else ""),
        )
        (folder / "nginx.conf").write_text(head)
        with (folder / "output").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                binary,
                "-c",
                str(folder / "nginx.conf"),
                "-g",
                "daemon off;",
                stdout=output,
                stderr=output,
            )
        one = Nginx(folder, port, f"http://127.0.0.1:{status_port}/status", process, binary)
        try:
            await until(
                lambda: process.returncode is not None or len(one.workers()) == WORKERS, 10, "nginx"
            )
            if process.returncode is not None:
                raise RuntimeError(f"nginx ended: {(folder / 'output').read_text()}")
            yield one
        finally:
            if process.returncode is None:
                process.terminate()  # the master ends its workers
            await process.wait()
