"""What the row under the cursor stands for, in the words that select targets."""

from __future__ import annotations

from typing import Final

from lptui.present.model import Row

HOLDERS: Final = frozenset({"host", "balancer"})
"""Kinds of things that hold the row's own: to select a GPU does not mean its whole host."""


def words_of(row: Row | None) -> tuple[str, ...]:
    """Selectors for the row's own thing, then for others that are the same thing.

    An action acts on the first of them that selects something for it: a server's row stands for
    the server, for its pool, and for the node that it is.
    """
    words: dict[str, None] = {}
    for place, (kind, name) in enumerate(row.subjects if row is not None else ()):
        if place == 0 or kind not in HOLDERS:
            words.update(dict.fromkeys(_selectors(kind, name)))
    return tuple(words)


def _selectors(kind: str, name: str) -> tuple[str, ...]:
    if kind == "server":
        balancer, backend, _ = name.split("/", 2)
        return (f"lb:{name}", f"lb:{balancer}/{backend}")
    if kind == "balancer":
        return (f"lb:{name}",)
    if kind == "host":
        return (f"host:{name}",)
    return (name,) if kind in ("node", "orchestrator", "rpc") else ()
