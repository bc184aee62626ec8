"""Sees whether processes ever act with one key at the same time, those that are killed included.

The stand-in for go-livepeer connects here before it does anything (STANDIN_WATCHED), waits until
it is noted, and holds the connection until it ends, which the kernel tells at once.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread


@dataclass(slots=True)
class KeyWatch:
    """`begun` processes so far; `together` are the peers of any that ran beside another."""

    listener: socket.socket
    begun: int = 0
    together: list[str] = field(default_factory=list)
    _alive: list[socket.socket] = field(default_factory=list)

    @property
    def address(self) -> str:
        host, port = self.listener.getsockname()
        return f"{host}:{port}"

    @property
    def environment(self) -> str:
        """The line of a unit that has its process watched."""
        return f"Environment=STANDIN_WATCHED={self.address}\n"

    def watch(self) -> None:
        """Until the listener is shut down."""
        while True:
            try:
                peer, (host, _) = self.listener.accept()
            except OSError:
                break
            self._alive = [one for one in self._alive if _lives(one)]
            if self._alive:
                beside = ", ".join(one.getpeername()[0] for one in self._alive)
                self.together.append(f"{host} beside {beside}")
            self._alive.append(peer)
            self.begun += 1
            peer.send(b".")
        for one in self._alive:
            one.close()


def _lives(peer: socket.socket) -> bool:
    """What ended before is seen, as it had to end before the next one came."""
    try:
        return peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


@contextmanager
def key_watch(address: str) -> Iterator[KeyWatch]:
    """One on this address, for the length of a block."""
    with socket.create_server((address, 0)) as listener:
        watch = KeyWatch(listener)
        thread = Thread(target=watch.watch, daemon=True)
        thread.start()
        try:
            yield watch
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
