"""ABI coding by web3's codec. web3 takes most of a second to import: see `load`."""

from __future__ import annotations

import asyncio
import re
import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from lptui.errors import BadAnswerError
from lptui.fleet.units import Address
from lptui.probes.chain.abi import Function
from lptui.probes.rpc.values import data as hex_data
from lptui.transport.protocols import Call

if TYPE_CHECKING:
    from eth_abi.codec import ABICodec

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
NOBODY: Final = "0x" + "0" * 40


async def load() -> None:
    """Imports web3 in a thread, so that the screen goes on meanwhile."""
    await asyncio.to_thread(codec)
    await asyncio.to_thread(import_module, "lptui.transport.web3_provider")


@cache
def codec() -> ABICodec:
    """web3's codec, which has no state.

    A library that web3 brings along (py_ecc) raises the interpreter's recursion limit a
    hundredfold. On Python 3.11 that would let deeply nested JSON from any host overrun the C
    stack and end the process; nothing here needs it, so the limit is put back.
    """
    limit = sys.getrecursionlimit()
    try:
        from web3 import AsyncWeb3
        from web3.providers.async_base import AsyncBaseProvider
    finally:
        sys.setrecursionlimit(limit)
    return AsyncWeb3(AsyncBaseProvider(), middleware=[]).codec


def encode(function: Function, *arguments: object) -> str:
    """Call data as `0x` text."""
    if not function.arguments:
        return function.selector
    return function.selector + codec().encode(function.arguments, arguments).hex()


def decode(function: Function, result: object) -> tuple[Any, ...]:
    """What a call of a function returned. Raises BadAnswerError."""
    raw = hex_data(result, function.name)
    if not raw:
        raise BadAnswerError(function.name, "an empty answer: no such contract there?")
    return decode_types(function.returns, raw, function.name)


def decode_types(types: tuple[str, ...], raw: bytes, what: str) -> tuple[Any, ...]:
    """ABI-encoded values. Raises BadAnswerError for whatever is wrong with them."""
    from eth_abi.exceptions import DecodingError

    try:
        return codec().decode(types, raw)
    except (DecodingError, OverflowError, ValueError, RecursionError, MemoryError) as error:
        raise BadAnswerError(what, f"{len(raw)} bytes that do not decode") from error


def decode_address(function: Function, result: object) -> Address | None:
    """An address that a function returned; None for the zero address. Raises BadAnswerError."""
    text = str(decode(function, result)[0]).lower()
    return None if text == NOBODY else Address(text)


def eth_call(to: Address, data: str, sender: Address | None = None) -> Call:
    """A call that changes nothing, against the latest state."""
    transaction = {"to": to, "data": data}
    if sender is not None:
        transaction["from"] = sender
    return Call("eth_call", (transaction, "latest"))


def view(to: Address, function: Function, *arguments: object) -> Call:
    """A call of a function that only reads."""
    return eth_call(to, encode(function, *arguments))


def is_address(text: str) -> bool:
    """Twenty bytes in hexadecimal."""
    return _ADDRESS.fullmatch(text) is not None
