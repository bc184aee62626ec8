"""What the row under the cursor stands for, in the words that select targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lptui.errors import RefusedError
from lptui.present.model import Row

if TYPE_CHECKING:
    from lptui.fleet.topology import Fleet, Node

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


def node_of(row: Row | None, fleet: Fleet) -> Node:
    """The row's node, or its host's only one. Raises RefusedError where there is not just one."""
    if row is None:
        raise RefusedError("node", "no row is selected")
    subjects = dict(reversed(row.subjects))
    node = fleet.nodes.get(subjects.get("node", ""))
    if node is not None:
        return node
    there = [node for node in fleet.nodes.values() if node.host == subjects.get("host")]
    if len(there) == 1:
        return there[0]
    names = ", ".join(node.name for node in there)
    why = f"this row has several: {names}" if there else "this row is not one's"
    raise RefusedError("node", why, "select a node's row")


def _selectors(kind: str, name: str) -> tuple[str, ...]:
    if kind == "server":
        balancer, backend, _ = name.split("/", 2)
        return (f"lb:{name}", f"lb:{balancer}/{backend}")
    if kind == "balancer":
        return (f"lb:{name}",)
    if kind == "host":
        return (f"host:{name}",)
    return (name,) if kind in ("node", "orchestrator", "rpc") else ()
