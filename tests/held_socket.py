"""A connection to an orchestrator's port that a transcoder would hold, on loopback.

The listener has an address of its own in 127.0.0.0/8, so that several may have the usual port.
"""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator

USUAL_PORT = 8935


@contextlib.contextmanager
def held_socket(port: int = USUAL_PORT) -> Iterator[str]:
    """The transcoder's end of it as its orchestrator would list it: `127.0.0.1:PORT`."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listener(port))
        own = stack.enter_context(socket.create_connection(listener.getsockname(), timeout=5))
        stack.enter_context(listener.accept()[0])
        host, local = own.getsockname()[:2]
        yield f"{host}:{local}"


def _listener(port: int) -> socket.socket:
    for _ in range(50):
        address = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
        with contextlib.suppress(OSError):
            return socket.create_server((address, port))
    raise OSError(f"no address of 127.0.0.0/8 is left for port {port}")
