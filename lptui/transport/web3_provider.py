"""A web3.py provider on lptui's own JSON-RPC: no middleware, no retries, no requests of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, cast

_LIMIT = sys.getrecursionlimit()

from web3 import AsyncWeb3  # noqa: E402
from web3.providers.async_base import AsyncJSONBaseProvider  # noqa: E402
from web3.types import RPCEndpoint, RPCResponse  # noqa: E402

# A library that web3.py brings along raises it so far that deep nesting would end the process.
sys.setrecursionlimit(_LIMIT)

from lptui.errors import RpcError, TransportError  # noqa: E402
from lptui.transport.protocols import Call, JsonRpc  # noqa: E402


class RpcProvider(AsyncJSONBaseProvider):
    """Sends what web3.py asks for through a `JsonRpc`."""

    # A contract could otherwise make the console fetch any URL (EIP-3668).
    global_ccip_read_enabled = False

    def __init__(self, rpc: JsonRpc, deadline_s: float = 8.0) -> None:
        super().__init__()
        self.rpc = rpc
        self.deadline_s = deadline_s

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401
        """One call; raises TransportError when it gets no answer."""
        return (await self._ask([(method, params)]))[0]

    async def make_batch_request(
        self, requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """All calls at once; each with its own result or error."""
        return await self._ask(requests)

    async def is_connected(self, show_traceback: bool = False) -> bool:
        try:
            answer = await self.make_request(RPCEndpoint("web3_clientVersion"), [])
        except TransportError:
            if show_traceback:
                raise
            return False
        return "result" in answer

    async def _ask(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        calls = [Call(str(method), tuple(self._plain(params))) for method, params in requests]
        results = await self.rpc.batch(calls, self.deadline_s)
        return [_response(number, result) for number, result in enumerate(results)]

    def _plain(self, params: Any) -> list[Any]:  # noqa: ANN401
        """Parameters as plain JSON: web3.py puts bytes and its own mappings among them."""
        request = self.form_request(RPCEndpoint(""), params)
        return cast("list[Any]", json.loads(self.encode_rpc_dict(request))["params"])


def _response(number: int, result: object) -> RPCResponse:
    head: Mapping[str, Any] = {"jsonrpc": "2.0", "id": number}
    if not isinstance(result, RpcError):
        return cast("RPCResponse", {**head, "result": result})
    error: dict[str, Any] = {
        "code": result.code if result.code is not None else -32603,
        "message": result.why,
    }
    if result.data is not None:
        error["data"] = result.data
    return cast("RPCResponse", {**head, "error": error})


def connect(rpc: JsonRpc, deadline_s: float = 8.0) -> AsyncWeb3[RpcProvider]:
    """web3.py on an endpoint of the fleet: a contract call is exactly one request."""
    return AsyncWeb3(RpcProvider(rpc, deadline_s), middleware=[])
