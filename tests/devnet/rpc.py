"""A JSON-RPC client for tests: one request or one batch at a time, errors as they were sent."""

from __future__ import annotations

import itertools
from types import TracebackType
from typing import Any, Self

import httpx


class RpcError(Exception):
    """The node answered with an error object."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.code: int = error.get("code", 0)
        self.message: str = error.get("message", "")
        self.data: Any = error.get("data")
        super().__init__(f"{self.code}: {self.message}")


class Rpc:
    """One node. Used by one event loop only."""

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self.url = url
        self._ids = itertools.count(1)
        # No certificates are loaded: that alone would take longer than starting the chain.
        self._http = httpx.AsyncClient(timeout=timeout_s, verify=False, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def call(self, method: str, *params: Any) -> Any:
        """The result of one request."""
        answer = (await self._http.post(self.url, json=self._request(method, params))).json()
        return _result(answer)

    async def batch(self, requests: list[tuple[str, list[Any]]]) -> list[Any]:
        """The results of many requests in their order; the first error is raised."""
        body = [self._request(method, params) for method, params in requests]
        answers = {a["id"]: a for a in (await self._http.post(self.url, json=body)).json()}
        return [_result(answers[request["id"]]) for request in body]

    def _request(self, method: str, params: Any) -> dict[str, Any]:
        return {
            "jsonrpc": "2.0",
            "id": next(self._ids),
            "method": method,
            "params": list(params),
        }


def _result(answer: dict[str, Any]) -> Any:
    if "error" in answer:
        raise RpcError(answer["error"])
    return answer.get("result")
