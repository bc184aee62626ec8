"""Commands that the operator has declared: what they run, where, and for what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lptui.fleet.topology import Fleet, Node

NODES: Final = "node"
HOSTS: Final = "host"
"""All nodes, all hosts, in a command's `on`."""

NODE, ROLE, TAG = "node:", "role:", "tag:"

PLACEHOLDERS: Final = ("node", "host", "unit")

_PLACEHOLDER: Final = re.compile(r"\{\{([A-Za-z_]+)\}\}|\{([A-Za-z_]+)\}")
"""`{{word}}` is the text `{word}`; other braces are left alone."""


@dataclass(frozen=True, slots=True)
class DeclaredCommand:
    """A command of the operator's own.

    Attributes:
        run: program and arguments, with placeholders.
        on: what it is for: `node`, `node:NAME`, `role:ROLE`, `tag:NAME`; or `host` and names of
            hosts.
        effect: read, write or destructive.
        confirm: what the operator is told before it is done.
        timeout_s: after which it is ended.
        check: what shows by its status whether it is done: 0 done, 1 not done; () for nothing.
        undo: what takes it back; () for nothing.
    """

    name: str
    run: tuple[str, ...]
    on: tuple[str, ...]
    effect: str
    help: str = ""
    confirm: str = ""
    timeout_s: float = 60.0
    check: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    as_root: bool = False

    @property
    def is_for_nodes(self) -> bool:
        return is_for_nodes(self.on)


@dataclass(frozen=True, slots=True)
class Target:
    """What a command is run for, and the host that it runs on. `node` "" is the host itself."""

    host: str
    node: str = ""
    unit: str = ""

    @property
    def name(self) -> str:
        return self.node or self.host


def is_for_nodes(on: Sequence[str]) -> bool:
    """Whether these words mean nodes; else they mean hosts."""
    return any(word == NODES or word.startswith((NODE, ROLE, TAG)) for word in on)


def placeholders(argv: Sequence[str]) -> tuple[str, ...]:
    """The names of all placeholders, known or not."""
    return tuple(found[2] for word in argv for found in _PLACEHOLDER.finditer(word) if found[2])


def expand(argv: Sequence[str], target: Target) -> tuple[str, ...]:
    """The arguments for one target: each stays one argument, whatever is put into it."""
    values = {"node": target.node, "host": target.host, "unit": target.unit}

    def put(found: re.Match[str]) -> str:
        return f"{{{found[1]}}}" if found[1] else values[found[2]]

    return tuple(_PLACEHOLDER.sub(put, word) for word in argv)


def targets(fleet: Fleet, command: DeclaredCommand) -> tuple[Target, ...]:
    """All that a command can be run for, in the configuration's order.

    A command that names the unit is for nodes that have one.
    """
    if not command.is_for_nodes:
        names = fleet.hosts if HOSTS in command.on else command.on
        return tuple(Target(name) for name in fleet.hosts if name in names)
    needs_unit = "unit" in placeholders((*command.run, *command.check, *command.undo))
    return tuple(
        Target(node.host, node.name, node.service.name if node.service else "")
        for node in fleet.nodes.values()
        if _is_meant(node, command.on) and (node.service is not None or not needs_unit)
    )


def target_for(fleet: Fleet, command: DeclaredCommand, node: Node) -> Target | None:
    """What a command is run for where a node is meant: the node, or its host; None for neither."""
    name = node.name if command.is_for_nodes else node.host
    return next((target for target in targets(fleet, command) if target.name == name), None)


def _is_meant(node: Node, on: Sequence[str]) -> bool:
    words = {NODES, NODE + node.name}
    words |= {ROLE + role.value for role in node.roles} | {TAG + tag for tag in node.tags}
    return not words.isdisjoint(on)
