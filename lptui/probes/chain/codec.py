"""ABI coding by eth-abi, web3.py's codec, without the rest of web3.py: that is most of a second of
importing and 25 MB, which only a call that is tried before it is sent needs (`dry_run`)."""

from __future__ import annotations

import asyncio
import re
from functools import cache
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
    """Imports the codec in a thread, so that the screen goes on meanwhile."""
    await asyncio.to_thread(codec)


@cache
def codec() -> ABICodec:
    """The codec, which has no state."""
    from eth_abi.codec import ABICodec
    from eth_abi.registry import registry

    return ABICodec(registry)


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
