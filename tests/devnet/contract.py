"""A deployed contract: its functions called and sent by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address

from tests.devnet.rpc import Rpc


@dataclass(frozen=True, slots=True)
class Function:
    """One function of an ABI."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def signature(self) -> str:
        """As it is hashed for the selector."""
        return f"{self.name}({','.join(self.inputs)})"

    def encode(self, arguments: Sequence[Any]) -> str:
        """The data of a call, in hexadecimal."""
        selector = function_signature_to_4byte_selector(self.signature)
        return "0x" + (selector + encode(self.inputs, arguments)).hex()

    def decode(self, data: str) -> Any:
        """The result: nothing, one value, or a tuple."""
        values = tuple(
            to_checksum_address(value) if kind == "address" else value
            for kind, value in zip(
                self.outputs, decode(self.outputs, bytes.fromhex(data[2:])), strict=True
            )
        )
        return None if not values else values[0] if len(values) == 1 else values


class Contract:
    """A contract at an address, seen through its ABI."""

    def __init__(self, rpc: Rpc, address: str, abi: list[dict[str, Any]]) -> None:
        self.address = address
        self._rpc = rpc
        self._functions = {
            entry["name"]: Function(
                entry["name"], _types(entry["inputs"]), _types(entry["outputs"])
            )
            for entry in abi
            if entry["type"] == "function"
        }

    def function(self, name: str) -> Function:
        """The function of that name."""
        return self._functions[name]

    def data(self, name: str, *arguments: Any) -> str:
        """The data of a call, in hexadecimal."""
        return self._functions[name].encode(arguments)

    async def call(
        self, name: str, *arguments: Any, sender: str | None = None, block: str = "latest"
    ) -> Any:
        """Asks without sending anything."""
        transaction = {"to": self.address, "data": self.data(name, *arguments)}
        if sender is not None:
            transaction["from"] = sender
        result = await self._rpc.call("eth_call", transaction, block)
        return self._functions[name].decode(result)


def canonical_type(parameter: dict[str, Any]) -> str:
    """The type as signatures spell it, structs as tuples."""
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(canonical_type(component) for component in parameter["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def _types(parameters: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(canonical_type(parameter) for parameter in parameters)
