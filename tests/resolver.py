"""A name server on loopback that knows one name's addresses, and no other name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address

_A = 1
_NO_SUCH_NAME = 0x8183
_OK = 0x8180


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, name: str, addresses: Sequence[str]) -> None:
        self._name = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
        self._addresses = [IPv4Address(one).packed for one in addresses]

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        end = data.index(b"\0", 12)
        name, question = data[12:end], data[12 : end + 5]
        is_known = name == self._name
        wanted = int.from_bytes(question[-4:-2], "big") == _A
        records = [b"\xc0\x0c\0\x01\0\x01\0\0\0\x05\0\x04" + one for one in self._addresses]
        records = records if is_known and wanted else []
        code = _OK if is_known else _NO_SUCH_NAME
        counts = b"\0\x01" + len(records).to_bytes(2, "big") + b"\0\0\0\0"
        head = data[:2] + code.to_bytes(2, "big") + counts
        self._transport.sendto(head + question + b"".join(records), sender)


@asynccontextmanager
async def resolver(name: str, addresses: Sequence[str]) -> AsyncIterator[int]:
    """The port where it answers, for the length of a block."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Answers(name, addresses), ("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
