"""Strict reading of JSON-RPC values: what a client library would let pass is refused here.

(web3.py reads the quantity "16" as hexadecimal 22, for one.)
"""

from __future__ import annotations

import re
from typing import Any, Final

from lptui.errors import BadAnswerError, RpcError
from lptui.text import clean

WORD: Final = 2**256
AMOUNT: Final = 2**96
"""Wei; all ether that there is, is below 2^87."""
PRICE: Final = 2**64
"""Wei a unit of gas: 18 ETH."""
HEIGHT: Final = 2**40
"""Blocks: no chain with four a second gets there in eight thousand years."""
_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_HASH: Final = re.compile(r"0x[0-9a-fA-F]{64}")


def given(result: object) -> object:
    """A call's result; raises the error that it has instead."""
    if isinstance(result, RpcError):
        raise result
    return result


def quantity(value: object, what: str, limit: int = WORD) -> int:
    """A `0x` quantity below `limit`. Raises BadAnswerError."""
    if not isinstance(value, str) or _QUANTITY.fullmatch(value) is None:
        raise BadAnswerError(what, f"not a quantity: {shown(value)}")
    number = int(value, 16)
    if number >= limit:
        raise BadAnswerError(what, f"absurdly large: {shown(value)}")
    return number


def block_number(value: object, what: str) -> int:
    """A quantity that can be a block's number. One absurd head would make all others late."""
    return quantity(value, what, HEIGHT)


def data(value: object, what: str, limit: int = 64 * 1024) -> bytes:
    """`0x` data of at most `limit` bytes. Raises BadAnswerError."""
    if not isinstance(value, str) or len(value) > 2 * limit + 2 or not _DATA.fullmatch(value):
        raise BadAnswerError(what, f"not hexadecimal data: {shown(value)}")
    return bytes.fromhex(value[2:])


def block_hash(value: object, what: str) -> str:
    """A 32-byte hash in lower case. Raises BadAnswerError."""
    if not isinstance(value, str) or _HASH.fullmatch(value) is None:
        raise BadAnswerError(what, f"not a hash: {shown(value)}")
    return value.lower()


def record(value: object, what: str) -> dict[str, Any]:
    """A JSON object. Raises BadAnswerError."""
    if not isinstance(value, dict):
        raise BadAnswerError(what, f"not an object: {shown(value)}")
    return value


def shown(value: object) -> str:
    """Any JSON value as a short safe text."""
    if isinstance(value, str):
        return clean(value, 60) or "an empty text"
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    return "null" if value is None else f"a {type(value).__name__}"
