"""Keccak-256, for the checksum in an account's mixed case (EIP-55).

The libraries that have it take 35 to 55 ms to import, on every start; a fleet's accounts take
a fraction of that here.
"""

from __future__ import annotations

from typing import Final

_MASK: Final = (1 << 64) - 1
_RATE: Final = 136
"""Bytes taken in between two permutations."""


def _round_constants() -> tuple[int, ...]:
    """The constants of Keccak-f[1600], from its linear feedback shift register."""
    constants = []
    register = 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << ((1 << power) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


def _walk() -> tuple[tuple[int, int], ...]:
    """Steps of rho and pi: for each lane in turn where it goes, and by how much it turns."""
    steps = []
    x, y = 1, 0
    for turn in range(1, 25):
        x, y = y, (2 * x + 3 * y) % 5
        steps.append((x + 5 * y, turn * (turn + 1) // 2 % 64))
    return tuple(steps)


_CONSTANTS: Final = _round_constants()
_STEPS: Final = _walk()


def _permute(lanes: list[int]) -> None:
    mask = _MASK
    for constant in _CONSTANTS:
        c0, c1, c2, c3, c4 = (
            lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
            for x in range(5)
        )
        turned = (
            c4 ^ ((c1 << 1 | c1 >> 63) & mask),
            c0 ^ ((c2 << 1 | c2 >> 63) & mask),
            c1 ^ ((c3 << 1 | c3 >> 63) & mask),
            c2 ^ ((c4 << 1 | c4 >> 63) & mask),
            c3 ^ ((c0 << 1 | c0 >> 63) & mask),
        ) * 5
        lanes[:] = [lane ^ turn for lane, turn in zip(lanes, turned, strict=True)]
        moving = lanes[1]
        for place, turn in _STEPS:
            lanes[place], moving = (moving << turn | moving >> (64 - turn)) & mask, lanes[place]
        for y in (0, 5, 10, 15, 20):
            a, b, c, d, e = lanes[y : y + 5]
            lanes[y : y + 5] = (a ^ ~b & c, b ^ ~c & d, c ^ ~d & e, d ^ ~e & a, e ^ ~a & b)
        lanes[0] ^= constant


def keccak256(data: bytes) -> bytes:
    """The 32-byte digest, as Ethereum uses it (Keccak's own padding, not SHA-3's)."""
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % _RATE)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE):
        for index in range(_RATE // 8):
            offset = start + 8 * index
            lanes[index] ^= int.from_bytes(padded[offset : offset + 8], "little")
        _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])
