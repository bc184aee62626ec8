"""The transcoder pool in one call: its members can only be had one from the other.

`getNextTranscoderInPool` would take a request a member, one after the other. A call that creates
a contract runs a program on the endpoint instead, in one state and without a transaction; this
one walks the list and returns addresses and stakes as if they were the contract's code.
"""

from __future__ import annotations

from typing import Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.stake import PoolMember, TranscoderPool
from lptui.fleet.units import Address, L2Block, Lptu
from lptui.probes.chain import abi
from lptui.probes.rpc.values import data
from lptui.transport.protocols import Call

EVERY_S: Final = 600.0
"""Between two readings, in seconds: stakes move slowly, and the walk takes millions of gas."""

MOST: Final = 256
"""Members that the program returns; the protocol has room for 100, a contract's code for 384."""

LOOP: Final = 0x26
DONE: Final = 0x82
FAIL: Final = 0x8B
"""Where the program jumps to."""

_WHAT: Final = "transcoder pool"
_PAIR: Final = 64
_RESULTS: Final = 0x80
"""Of the memory before it: at 0x00 the manager, at 0x20 the call's data, at 0x60 the member."""


def _ask(function: abi.Function) -> str:
    """The function's selector to the call's data."""
    return f"63{function.selector[2:]}60e01b602052"


PROGRAM: Final = bytes.fromhex(
    # The manager's address, which follows the program.
    "6020803803600039"
    # The place for results; the first member.
    + f"60{_RESULTS:02x}"
    + _ask(abi.FIRST_IN_POOL)
    + f"60206060600460206000515afa1560{FAIL:02x}57"
    # While there is a member and room:
    + f"5b606051801560{DONE:02x}57"
    + f"8161{_RESULTS + MOST * _PAIR:04x}111560{DONE:02x}57"
    # keep its address and its stake,
    + "808252"
    + _ask(abi.TOTAL_STAKE)
    + f"80602452602082602001602460206000515afa1560{FAIL:02x}57"
    # and go on to the next.
    + _ask(abi.NEXT_IN_POOL)
    + f"60245260206060602460206000515afa1560{FAIL:02x}57"
    + f"60400160{LOOP:02x}56"
    # Return the results, or revert when a call failed.
    + "5b50608090036080f3"
    + "5b600080fd"
)


def pool_call(bonding_manager: Address) -> Call:
    """Walks the pool, as of the latest block."""
    program = f"0x{PROGRAM.hex()}{int(bonding_manager, 16):064x}"
    return Call("eth_call", ({"data": program}, "latest"))


def parse_pool(
    result: object, *, size: int | None, most: int | None, block: L2Block, now: float
) -> TranscoderPool:
    """The pool; `size` is what the contract says of it. Raises BadAnswerError.

    A pool that is not in order, or of another size, is none: the endpoint made it up, or does
    not execute programs.
    """
    raw = data(result, _WHAT)
    remedy = "use an RPC endpoint that executes calls without a destination"
    if len(raw) % _PAIR:
        raise BadAnswerError(_WHAT, f"{len(raw)} bytes are no list of members", remedy)
    members = tuple(_member(raw[at : at + _PAIR]) for at in range(0, len(raw), _PAIR))
    if size is not None and abs(len(members) - min(size, MOST)) > 1:
        # Between two calls of a batch there may be a block, with one who joined or left.
        why = f"{len(members)} members were listed, the contract counts {size}"
        raise BadAnswerError(_WHAT, why, remedy)
    stakes = [member.stake for member in members]
    if stakes != sorted(stakes, reverse=True):
        raise BadAnswerError(_WHAT, "its members are not in the order of their stakes", remedy)
    return TranscoderPool(members, most, block, now)


def _member(pair: bytes) -> PoolMember:
    if any(pair[:12]) or not any(pair[:32]):
        raise BadAnswerError(_WHAT, f"no address: 0x{pair[:32].hex()}")
    return PoolMember(Address("0x" + pair[12:32].hex()), Lptu(int.from_bytes(pair[32:], "big")))
