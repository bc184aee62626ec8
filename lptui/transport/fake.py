"""Transports for tests: scripted answers behind the same protocols, and a record of questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lptui.errors import HttpError, LptuiError, ProblemKind, RpcError, TransportError
from lptui.fleet.facts.rpc import RpcUsage, RpcWay
from lptui.fleet.topology import Endpoint
from lptui.transport.deadline import late
from lptui.transport.protocols import (
    OUTPUT_LIMIT,
    Call,
    Command,
    Contact,
    ExecResult,
    HttpAnswer,
    Output,
)

CommandAnswer = Output | ExecResult | bytes | str | LptuiError
"""Text is the standard output of a command that ended with 0; an error is raised."""

HttpScript = HttpAnswer | bytes | str | LptuiError


class Hang:
    """An answer that never comes: the question ends at its deadline."""


HANG = Hang()


@dataclass
class FakeReach:
    """`protocols.Reach` with scripted answers.

    Attributes:
        commands: by host, then by argv (a tuple), or by its first words; or a function of the
            command. What is not scripted is "not found", status 127.
        pages: by `METHOD url+path`, or `url+path` for any method; or a function. What is not
            scripted is 404.
        calls: by endpoint name, then by method: a result, an RpcError, or a function of the call.
        sockets: by `host address`: the bytes that come back, or a function of what was written.
        connects: by `host address` (`here address`): seconds, or an error.
        names: by name: its addresses, or an error.
        down: hosts (and names of endpoints) that fail with this error.
        asked: everything that was asked, in order: (kind, where, what).
    """

    commands: dict[str, Mapping[tuple[str, ...], Any] | Callable[[Command], Any]] = field(
        default_factory=dict
    )
    pages: dict[str, Any] = field(default_factory=dict)
    calls: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    sockets: dict[str, Any] = field(default_factory=dict)
    connects: dict[str, float | LptuiError] = field(default_factory=dict)
    names: dict[str, Sequence[str] | LptuiError] = field(default_factory=dict)
    down: dict[str, LptuiError] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    closed: bool = False

    def shell(self, host: str) -> FakeShell:
        return FakeShell(self, host)

    async def execute(self, host: str, command: Command, stdin: bytes = b"") -> ExecResult:
        self.asked.append(("execute", host, (command.argv, stdin)))
        answer = await self.command(host, command, command.timeout_s)
        if isinstance(answer, ExecResult):
            return answer
        return ExecResult(answer.stdout, b"", answer.status)

    async def follow(self, host: str, command: Command) -> FakeFollowing:
        self.asked.append(("follow", host, command.argv))
        answer = await self.command(host, command, command.timeout_s)
        errors = answer.stderr if isinstance(answer, ExecResult) else b""
        return FakeFollowing([answer.stdout], answer.status, errors)

    def http(self, endpoint: Endpoint) -> FakeHttp:
        return FakeHttp(self, endpoint)

    def rpc(self, name: str) -> FakeRpc:
        return FakeRpc(self, name)

    def rpc_from(self, name: str, host: str, url: str) -> FakeRpc:
        return FakeRpc(self, f"{name}/{host}")

    def rpc_usage(self, name: str) -> RpcUsage:
        requests = sum(kind == "rpc" and where == name for kind, where, _ in self.asked)
        return RpcUsage((RpcWay(requests=requests, calls=requests),))

    async def exchange(
        self, host: str, address: str, payload: bytes, deadline_s: float, limit: int = OUTPUT_LIMIT
    ) -> bytes:
        self.asked.append(("exchange", host, (address, payload)))
        answer = await self.scripted(
            host, self.sockets.get(f"{host} {address}"), payload, deadline_s
        )
        if answer is None:
            raise TransportError(address, "connection refused", kind=ProblemKind.REFUSED)
        return answer.encode() if isinstance(answer, str) else bytes(answer)

    async def connect_time(self, host: str, address: str, deadline_s: float) -> float:
        self.asked.append(("connect", host, address))
        answer = await self.scripted(host, self.connects.get(f"{host} {address}"), None, deadline_s)
        if answer is None:
            raise TransportError(address, "connection refused", kind=ProblemKind.REFUSED)
        return float(answer)

    async def contact(
        self, host: str | None, address: str, deadline_s: float, *, tls: bool
    ) -> Contact:
        where = host or "here"
        self.asked.append(("contact", where, address))
        answer = await self.scripted(
            where, self.connects.get(f"{where} {address}"), None, deadline_s
        )
        if answer is None:
            raise TransportError(address, "connection refused", kind=ProblemKind.REFUSED)
        return Contact(float(answer), "ab" * 32 if tls else "")

    async def resolve(self, name: str, deadline_s: float) -> Sequence[str]:
        self.asked.append(("resolve", "here", name))
        answer = await self.scripted("here", self.names.get(name), None, deadline_s)
        if answer is None:
            raise TransportError(name, "the name cannot be resolved")
        return tuple(answer)

    async def close(self) -> None:
        self.closed = True

    async def command(self, host: str, command: Command, deadline_s: float) -> Output | ExecResult:
        """The scripted answer to a command."""
        script = self.commands.get(host, {})
        found: Any = script
        if isinstance(script, Mapping):
            found = script.get(command.argv)
            for length in range(len(command.argv) - 1, 0, -1):
                if found is None:
                    found = script.get(command.argv[:length])
        answer = await self.scripted(host, found, command, deadline_s)
        if answer is None:
            return Output(b"", 127)
        if isinstance(answer, (Output, ExecResult)):
            return answer
        return Output(answer.encode() if isinstance(answer, str) else bytes(answer), 0)

    async def scripted(
        self,
        where: str,
        answer: Any,  # noqa: ANN401
        question: Any,  # noqa: ANN401
        deadline_s: float,
    ) -> Any:  # noqa: ANN401
        """Resolves functions, raises errors, and hangs until the deadline where told to."""
        if where in self.down:
            raise self.down[where]
        if callable(answer):
            answer = answer(question)
        if isinstance(answer, Hang):
            await asyncio.sleep(deadline_s)
            raise late(where, deadline_s)
        if isinstance(answer, LptuiError) and not isinstance(question, Call):
            raise answer
        return answer


@dataclass
class FakeFollowing:
    """`protocols.Following` of a command that ends when it has said all."""

    chunks: list[bytes]
    status: int | None = 0
    errors: bytes = b""
    stopped: bool = False

    async def read(self) -> bytes:
        return self.chunks.pop(0) if self.chunks and not self.stopped else b""

    def stop(self) -> None:
        self.stopped = True


@dataclass
class FakeShell:
    """`protocols.Shell`."""

    reach: FakeReach
    host: str

    async def run(self, commands: Sequence[Command], deadline_s: float) -> list[Output]:
        outputs: list[Output] = []
        for command in commands:
            self.reach.asked.append(("run", self.host, command.argv))
            answer = await self.reach.command(self.host, command, deadline_s)
            if isinstance(answer, ExecResult):
                answer = Output(answer.stdout, answer.status or 0)
            outputs.append(answer)
        return outputs


@dataclass
class FakeHttp:
    """`protocols.Http`."""

    reach: FakeReach
    endpoint: Endpoint

    async def request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline_s: float = 8.0,
        limit: int = OUTPUT_LIMIT,
    ) -> HttpAnswer:
        url = self.endpoint.url.rstrip("/") + path
        self.reach.asked.append((method, url, dict(form) if form is not None else content))
        pages = self.reach.pages
        script = pages.get(f"{method} {url}", pages.get(url))
        where = self.endpoint.via or url
        answer = await self.reach.scripted(where, script, form, deadline_s)
        if answer is None:
            return HttpAnswer(404, {}, b"404 page not found\n")
        if isinstance(answer, HttpAnswer):
            found = answer
        else:
            body = answer.encode() if isinstance(answer, str) else bytes(answer)
            found = HttpAnswer(200, {"content-type": "text/plain"}, body)
        if len(found.body) > limit:
            raise HttpError(
                url, f"the answer is larger than {limit} bytes", kind=ProblemKind.OUTPUT_TOO_LARGE
            )
        return found


@dataclass
class FakeRpc:
    """`protocols.JsonRpc`."""

    reach: FakeReach
    name: str

    async def batch(self, calls: Sequence[Call], deadline_s: float = 8.0) -> list[Any | RpcError]:
        results: list[Any | RpcError] = []
        scripts = self.reach.calls.get(self.name, {})
        for call in calls:
            self.reach.asked.append(("rpc", self.name, call))
            if call.method not in scripts:
                if self.name in self.reach.down:
                    raise self.reach.down[self.name]
                results.append(
                    RpcError(
                        f"{call.method} of {self.name}", "the method does not exist", code=-32601
                    )
                )
                continue
            answer = await self.reach.scripted(self.name, scripts[call.method], call, deadline_s)
            if isinstance(answer, LptuiError) and not isinstance(answer, RpcError):
                raise answer
            results.append(answer)
        return results
