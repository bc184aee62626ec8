"""Units. Money is integers of the smallest unit; a float never holds money."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final, NewType

Wei = NewType("Wei", int)
"""1e-18 ETH."""

Lptu = NewType("Lptu", int)
"""1e-18 LPT, the unit of stake and rewards."""

Percent = NewType("Percent", float)
"""0 to 100."""

Round = NewType("Round", int)
"""A Livepeer round's number."""

L1Block = NewType("L1Block", int)
"""A block of Ethereum mainnet: the clock that rounds are measured with."""

L2Block = NewType("L2Block", int)
"""A block of the chain that the RPC node serves (Arbitrum): what `eth_blockNumber` says."""

Address = NewType("Address", str)
"""A 20-byte account in lower-case hexadecimal with `0x`."""

WEI_PER_ETH: Final = 10**18
WEI_PER_GWEI: Final = 10**9
L1_BLOCK_SECONDS: Final = 12
"""Slot time of Ethereum mainnet, in seconds."""

NEVER: Final = 2**256 - 1
"""What the contracts store for "no such round"."""

PARTS_PER_MILLION: Final = 1_000_000
"""100 % for reward cut, fee share and round lock amount."""


def address(text: str) -> Address:
    """An address from its text; raises ValueError when it is not 20 bytes of hexadecimal."""
    lowered = text.strip().lower()
    if len(lowered) != 42 or not lowered.startswith("0x"):
        raise ValueError(f"not an address: {text!r}")
    int(lowered[2:], 16)
    return Address(lowered)


def short_address(value: str) -> str:
    """`0x1234…cdef`: enough to recognise, too little to copy by mistake."""
    return f"{value[:6]}…{value[-4:]}" if len(value) > 12 else value


def parse_eth(text: str) -> Wei:
    """Wei from a decimal amount of ETH ("0.05"); raises ValueError for what is not exact."""
    amount = Fraction(Decimal(text)) * WEI_PER_ETH
    if amount.denominator != 1 or amount < 0:
        raise ValueError(f"not an amount of ETH: {text!r}")
    return Wei(amount.numerator)


def format_units(amount: int, places: int = 4, decimals: int = 18) -> str:
    """An integer amount in whole units, cut (not rounded) to `places`, exact arithmetic.

    A non-zero amount that would show as zero shows as `<0.0001`.
    """
    sign = "-" if amount < 0 else ""
    scale = 10 ** (decimals - places)
    cut = abs(amount) // scale
    if cut == 0 and amount != 0:
        return f"{sign}<0.{'0' * (places - 1)}1" if places else f"{sign}<1"
    whole, fraction = divmod(cut, 10**places)
    return f"{sign}{whole}.{fraction:0{places}d}" if places else f"{sign}{whole}"


def format_bytes(amount: float) -> str:
    """`512 B`, `4.1 kB`, `12.3 GB`: in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(amount) < 1000:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def format_gwei(amount: int) -> str:
    """Wei as gwei with up to 4 decimals: `0.0105 gwei`."""
    return f"{format_units(amount, 4, 9)} gwei"
