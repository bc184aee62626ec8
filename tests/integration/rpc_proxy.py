"""A JSON-RPC endpoint between the console and anvil: counts what it is asked, and has faults."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.devnet.httpd import HttpServer, Request, Response

Answer = dict[str, Any]
Fault = Callable[[dict[str, Any]], Answer | None]
"""Gives what a call gets instead (`{"result": …}` or `{"error": …}`), None to pass it on."""


@dataclass(slots=True)
class RpcProxy:
    """`requests` are the batches that came, as lists of calls; `status` refuses all of them;
    `change` gives what becomes of a result that was passed on."""

    target: str
    fault: Fault = lambda call: None
    change: Callable[[dict[str, Any], Any], Any] = lambda call, result: result
    status: int = 200
    requests: list[list[dict[str, Any]]] = field(default_factory=list)
    url: str = ""
    _http: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(verify=False, trust_env=False, timeout=60)
    )

    @property
    def methods(self) -> list[list[str]]:
        return [[call["method"] for call in batch] for batch in self.requests]

    async def answer(self, request: Request) -> Response:
        asked = json.loads(request.body)
        batch = asked if isinstance(asked, list) else [asked]
        self.requests.append(batch)
        if self.status != 200:
            return Response(self.status, b"slow down", "text/plain")
        found = {call["id"]: self.fault(call) for call in batch}
        passed = [call for call in batch if found[call["id"]] is None]
        if passed:
            answers = (await self._http.post(self.target, json=passed)).json()
            asked_for = {call["id"]: call for call in passed}
            for answer in answers:
                if "result" in answer:
                    answer["result"] = self.change(asked_for[answer["id"]], answer["result"])
                found[answer["id"]] = answer
        whole = [
            {"jsonrpc": "2.0", **(found[call["id"]] or {}), "id": call["id"]} for call in batch
        ]
        body = whole if isinstance(asked, list) else whole[0]
        return Response(200, json.dumps(body).encode(), "application/json")


@contextlib.asynccontextmanager
async def running_proxy(target: str) -> AsyncIterator[RpcProxy]:
    """A proxy for the length of a block."""
    proxy = RpcProxy(target)
    server = HttpServer(proxy.answer)
    await server.start()
    proxy.url = server.url
    try:
        yield proxy
    finally:
        await server.stop()
        await proxy._http.aclose()


def error(code: int, message: str, data: str | None = None) -> Answer:
    """A JSON-RPC error."""
    return {"error": {"code": code, "message": message, **({"data": data} if data else {})}}
