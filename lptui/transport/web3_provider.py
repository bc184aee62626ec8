"""web3.py on lptui's own JSON-RPC: no middleware, no retries, no requests of its own.

It takes most of a second to import: in a thread, and only where a call is to be tried.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, cast

_LIMIT = sys.getrecursionlimit()

from web3 import AsyncWeb3  # noqa: E402
from web3.exceptions import Web3Exception  # noqa: E402
from web3.providers.async_base import AsyncJSONBaseProvider  # noqa: E402
from web3.types import RPCEndpoint, RPCResponse, TxParams  # noqa: E402

# A library that web3.py brings along raises it so far that deep nesting would end the process.
sys.setrecursionlimit(_LIMIT)

from lptui.errors import BadAnswerError, RpcError, TransportError  # noqa: E402
from lptui.text import clean  # noqa: E402
from lptui.transport.protocols import Call, JsonRpc  # noqa: E402


class RpcProvider(AsyncJSONBaseProvider):
    """Sends what web3.py asks for through a `JsonRpc`. Errors are this package's own."""

    # A contract could otherwise make the console fetch any URL (EIP-3668).
    global_ccip_read_enabled = False

    def __init__(self, rpc: JsonRpc, deadline_s: float = 8.0) -> None:
        super().__init__()
        self.rpc = rpc
        self.deadline_s = deadline_s

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401
        """One call. Raises its RpcError, and TransportError when it gets no answer."""
        call = Call(str(method), tuple(self._plain(params)))
        (result,) = await self.rpc.batch([call], self.deadline_s)
        if isinstance(result, RpcError):
            raise result
        return {"jsonrpc": "2.0", "id": 0, "result": result}

    async def is_connected(self, show_traceback: bool = False) -> bool:
        try:
            await self.make_request(RPCEndpoint("web3_clientVersion"), [])
        except TransportError:
            if show_traceback:
                raise
            return False
        return True

    def _plain(self, params: Any) -> list[Any]:  # noqa: ANN401
        """Parameters as plain JSON: web3.py puts bytes and its own mappings among them."""
        request = self.form_request(RPCEndpoint(""), params)
        return cast("list[Any]", json.loads(self.encode_rpc_dict(request))["params"])


def connect(rpc: JsonRpc, deadline_s: float = 8.0) -> AsyncWeb3[RpcProvider]:
    """web3.py on an endpoint of the fleet: a contract call is exactly one request."""
    return AsyncWeb3(RpcProvider(rpc, deadline_s), middleware=[])


async def try_call(rpc: JsonRpc, transaction: Mapping[str, str], deadline_s: float = 8.0) -> bytes:
    """What a contract would return to a transaction, of which nothing is sent.

    Raises RpcError where it would revert, TransportError without an answer, BadAnswerError for
    one that is none.
    """
    web3 = connect(rpc, deadline_s)
    accounts = {key: web3.to_checksum_address(transaction[key]) for key in ("to", "from")}
    try:
        return bytes(await web3.eth.call(cast("TxParams", {**transaction, **accounts}), "latest"))
    except (Web3Exception, TypeError, ValueError) as error:
        raise BadAnswerError(f"eth_call of {rpc.name}", clean(str(error), 80)) from None
