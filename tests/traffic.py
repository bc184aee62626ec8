"""Clients that ask without end and count every answer: what a change of the fleet costs them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.backend import get

CLIENTS = 8


@dataclass(slots=True)
class Traffic:
    """What the clients have seen so far. `by` counts the answers of each server by its name.

    Each client rests for `pause_s` between two requests.
    """

    port: int
    path: str = "/"
    pause_s: float = 0.03
    by: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.by.total() + len(self.failed)

    async def ask(self) -> None:
        """One request."""
        try:
            answer = await get(self.port, self.path)
        except (OSError, TimeoutError) as error:
            self.failed.append(repr(error))
            return
        head, _, body = answer.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 200"):
            self.by[body.decode()] += 1
        else:
            self.failed.append(head[:60].decode("latin-1") or "no answer")

    async def more(self, requests: int = 50) -> Counter[str]:
        """Waits for so many more answers; who gave those."""
        before, wanted = self.by.copy(), self.total + requests
        async with asyncio.timeout(60):
            while self.total < wanted:  # noqa: ASYNC110 (the clients' own pace)
                await asyncio.sleep(0.01)
        return self.by - before

    async def _client(self) -> None:
        while True:
            await self.ask()
            await asyncio.sleep(self.pause_s)


@asynccontextmanager
async def traffic(
    port: int, clients: int = CLIENTS, path: str = "/", pause_s: float = 0.03
) -> AsyncIterator[Traffic]:
    """Clients for the length of a block; the first answer has come when it begins."""
    seen = Traffic(port, path, pause_s)
    tasks = [asyncio.create_task(seen._client()) for _ in range(clients)]
    try:
        await seen.more(1)
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
