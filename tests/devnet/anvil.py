"""Starts and stops a real anvil on a port of its own choosing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.devnet.rpc import Rpc

REPOSITORY = Path(__file__).resolve().parents[2]
ARBITRUM_ONE = 42161
# Far from the round clock (25 million), so that whoever mixes them up sees nonsense.
FIRST_BLOCK = 460_000_000
_LISTENING = re.compile(rb"Listening on 127\.0\.0\.1:(\d+)")
_START_DEADLINE_S = 45.0
_STOP_DEADLINE_S = 3.0


def find_anvil() -> Path | None:
    """The anvil program itself, not npm's launcher, which would keep it from being stopped."""
    named = os.environ.get("LPTUI_ANVIL")
    if named:
        return Path(named) if Path(named).is_file() else None
    packages = REPOSITORY / ".devtools" / "node_modules" / "@foundry-rs"
    return next(
        (path for path in sorted(packages.glob("anvil-*/bin/anvil")) if os.access(path, os.X_OK)),
        None,
    )


@dataclass(frozen=True, slots=True)
class AnvilOptions:
    """How the chain looks and when it mines: with no block time, a block for each transaction."""

    chain_id: int = ARBITRUM_ONE
    block_time_s: float | None = None
    first_block: int = FIRST_BLOCK
    accounts: int = 20
    base_fee_wei: int = 10_000_000
    slots_in_an_epoch: int = 4
    extra: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """The command line, without the program."""
        arguments = ["--host", "127.0.0.1", "--port", "0", "--auto-impersonate"]
        arguments += ["--chain-id", str(self.chain_id), "--number", str(self.first_block)]
        arguments += ["--accounts", str(self.accounts)]
        arguments += ["--block-base-fee-per-gas", str(self.base_fee_wei)]
        arguments += ["--slots-in-an-epoch", str(self.slots_in_an_epoch)]
        if self.block_time_s is not None:
            arguments += ["--block-time", f"{self.block_time_s:g}"]
        return [*arguments, *self.extra]


@dataclass(slots=True)
class Anvil:
    """A running anvil. It can be frozen (accepts, never answers), thawed and killed."""

    url: str
    options: AnvilOptions
    process: asyncio.subprocess.Process
    _guard: asyncio.subprocess.Process
    _drain: asyncio.Task[None]
    _frozen: bool = field(default=False)

    @property
    def port(self) -> int:
        """The port it listens on, on 127.0.0.1."""
        return int(self.url.rsplit(":", 1)[1])

    def freeze(self) -> None:
        """Connections are accepted and never answered until `thaw`."""
        self.process.send_signal(signal.SIGSTOP)
        # The signal takes effect a little later; a busy machine may still see an answer until then.
        os.waitpid(self.process.pid, os.WUNTRACED)
        self._frozen = True

    def thaw(self) -> None:
        """Goes on where it was frozen."""
        self.process.send_signal(signal.SIGCONT)
        self._frozen = False

    async def kill(self) -> None:
        """Ends it at once: connections are refused from now on."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def stop(self) -> None:
        """Ends it politely, then by force. Safe to call twice."""
        if self._frozen and self.process.returncode is None:
            self.thaw()
        await _end(self.process)
        await _end(self._guard)
        self._drain.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._drain


async def start_anvil(options: AnvilOptions | None = None) -> Anvil:
    """Starts anvil and returns once it answers with the expected chain id."""
    chosen = options or AnvilOptions()
    program = find_anvil()
    if program is None:
        raise FileNotFoundError(
            "anvil is not installed: npm i --prefix .devtools @foundry-rs/anvil"
        )
    process = await asyncio.create_subprocess_exec(
        str(program),
        *chosen.arguments(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        guard = await _guard(process.pid)
    except BaseException:
        await _end(process)
        raise
    try:
        async with asyncio.timeout(_START_DEADLINE_S):
            url = f"http://127.0.0.1:{await _announced_port(process)}"
            async with Rpc(url) as rpc:
                answered = int(await rpc.call("eth_chainId"), 16)
        if answered != chosen.chain_id:
            raise RuntimeError(f"asked anvil for chain {chosen.chain_id}, it runs {answered}")
    except BaseException:
        await _end(process)
        await _end(guard)
        raise
    return Anvil(url, chosen, process, guard, asyncio.create_task(_drain(process)))


@contextlib.asynccontextmanager
async def running_anvil(options: AnvilOptions | None = None) -> AsyncIterator[Anvil]:
    """An anvil for the length of a block."""
    anvil = await start_anvil(options)
    try:
        yield anvil
    finally:
        await anvil.stop()


async def _guard(pid: int) -> asyncio.subprocess.Process:
    # Its input closes when this process dies, however it dies; then nothing is left behind.
    return await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        f"read _; kill -9 {pid}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def _announced_port(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    said = b""
    while line := await process.stdout.readline():
        said += line
        if found := _LISTENING.search(line):
            return int(found[1])
    raise RuntimeError(f"anvil ended before it listened: {said.decode(errors='replace')}")


async def _drain(process: asyncio.subprocess.Process) -> None:
    # A full pipe would stop anvil.
    assert process.stdout is not None
    while await process.stdout.read(65536):
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_DEADLINE_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
