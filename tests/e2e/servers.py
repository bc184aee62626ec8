"""Servers that do to their clients what broken ones do."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def blackhole() -> Iterator[int]:
    """A port where connections are accepted and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def unused_port() -> Iterator[int]:
    """A port that is bound and does not listen: connections are refused, and stay refused."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@contextlib.contextmanager
def talking(serve: Serve) -> Iterator[int]:
    """A port where each connection gets `serve`, on a thread of its own."""
    clients: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:

        def one(client: socket.socket) -> None:
            with client, contextlib.suppress(OSError):
                serve(client)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    clients.append(client)
                    threading.Thread(target=one, args=(client,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            for client in clients:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def greeting(text: bytes) -> Serve:
    """Says something that is not SSH, and waits for the other side to leave."""

    def serve(client: socket.socket) -> None:
        client.sendall(text)
        while client.recv(4096):
            pass

    return serve


def flood(client: socket.socket) -> None:
    """Says very much, for ever, and no greeting among it."""
    line = b"\x1b[31m[red]NOTICE:[/red] " + b"x" * 200 + b"\r\n"
    while True:
        client.sendall(line * 200)


def hang_up(client: socket.socket) -> None:
    """Closes without a word."""
