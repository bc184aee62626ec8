"""JSON-RPC over a connection that stays open: answers find their questions by their ids."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from lptui.errors import LptuiError, ProblemKind, RpcError
from lptui.transport.deadline import Deadline
from lptui.transport.jsonrpc import answer_id, loads
from lptui.transport.stream import lost


class Messages(Protocol):
    """A connection that carries whole JSON documents."""

    async def receive(self) -> bytes:
        """The next document; b"" when the far side has closed; raises TransportError."""
        ...

    def send(self, document: bytes) -> None: ...

    @property
    def is_open(self) -> bool: ...

    def abort(self) -> None: ...


class PersistentExchange:
    """`jsonrpc.Exchange` over `Messages`; connects on demand and again after a loss."""

    def __init__(self, name: str, connect: Callable[[], Awaitable[Messages]]) -> None:
        self._name = name
        self._connect = connect
        self._messages: Messages | None = None
        self._reader: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def ask(self, payload: bytes, ids: Sequence[int], deadline_s: float) -> Any:  # noqa: ANN401
        """See `jsonrpc.Exchange`."""
        async with Deadline(self._name, deadline_s, "does it still work? see its log"):
            messages = await self._open()
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            for number in ids:
                self._waiting[number] = answer
            try:
                messages.send(payload)
                return await answer
            finally:
                for number in ids:
                    self._waiting.pop(number, None)

    async def close(self) -> None:
        """Closes the connection; questions in progress fail."""
        await self._drop()

    async def _open(self) -> Messages:
        async with self._connecting:
            if self._messages is not None and self._messages.is_open:
                return self._messages
            await self._drop()
            self._messages = await self._connect()
            self._reader = asyncio.create_task(
                self._read(self._messages), name=f"answers of {self._name}"
            )
            return self._messages

    async def _drop(self) -> None:
        messages, self._messages = self._messages, None
        reader, self._reader = self._reader, None
        if messages is not None:
            messages.abort()
        if reader is not None:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    async def _read(self, messages: Messages) -> None:
        error: LptuiError = lost(self._name, None)
        try:
            while document := await messages.receive():
                self._deliver(loads(document, self._name))
        except LptuiError as failure:
            error = failure
        finally:
            messages.abort()
            waiting, self._waiting = self._waiting, {}
            for answer in set(waiting.values()):
                if not answer.done():
                    answer.set_exception(error)

    def _deliver(self, document: object) -> None:
        items = document if isinstance(document, list) else [document]
        for item in items:
            number = answer_id(item.get("id")) if isinstance(item, dict) else None
            answer = self._waiting.get(number) if number is not None else None
            if answer is not None and not answer.done():
                answer.set_result(document)
                return
        # An error without an id belongs to the only question there is; anything else (a
        # subscription's notice, an answer that came too late) to nobody.
        questions = {answer for answer in self._waiting.values() if not answer.done()}
        if len(questions) == 1 and isinstance(document, dict) and document.get("error") is not None:
            questions.pop().set_result(document)


def too_large(name: str, limit: int) -> RpcError:
    """The error of an answer beyond its limit."""
    return RpcError(
        name,
        f"the answer is larger than {limit} bytes",
        "is this the URL of a JSON-RPC endpoint?",
        kind=ProblemKind.OUTPUT_TOO_LARGE,
    )
