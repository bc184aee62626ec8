"""What the keys of the operator's own commands mean together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from lptui.config.defaults import roles_of
from lptui.config.load import Loc
from lptui.config.mistakes import Mistake, nearest, one_of, shown
from lptui.config.schema import ROLES, NodeSpec
from lptui.config.schema_commands import CommandSpec
from lptui.config.view import View
from lptui.fleet.declared import (
    HOSTS,
    NODE,
    NODES,
    PLACEHOLDERS,
    ROLE,
    TAG,
    is_for_nodes,
    placeholders,
)

_LONGEST_S: Final = 1800.0
_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh", "fish"})
_SCRIPT: Final = re.compile(r"-[a-z]*c")
_OF_CHANGES: Final = ("check", "undo", "confirm")


def mistakes(view: View) -> Iterator[Mistake]:
    """All mistakes of declared commands."""
    for name, command in (view.config.commands or {}).items():
        loc = ("commands", name)
        yield from _on(view, (*loc, "on"), command)
        for key in ("run", "check", "undo"):
            yield from _argv(view, (*loc, key), command, getattr(command, key) or [])
        for key in _OF_CHANGES if command.effect == "read" else ():
            if getattr(command, key) is not None:
                yield view.mistake(
                    (*loc, key), f"a command that only reads has no `{key}`", key=True
                )
        if command.timeout is not None and not 1 <= command.timeout <= _LONGEST_S:
            yield view.mistake((*loc, "timeout"), "`timeout` must be between 1s and 30m")


def _on(view: View, loc: Loc, command: CommandSpec) -> Iterator[Mistake]:
    found = [
        mistake
        for index, word in enumerate(command.on)
        for mistake in _word(view, (*loc, index), word)
    ]
    yield from found
    if found:
        return
    kinds = {is_for_nodes((word,)) for word in command.on}
    if len(kinds) > 1:
        yield view.mistake(loc, "either nodes or hosts, not both: make it two commands")
        return
    hosts = _hosts(view, command)
    if hosts is None:
        return
    if not hosts:
        why = "with a unit" if "unit" in placeholders(_all_words(command)) else "of that kind"
        yield view.mistake(loc, f"there is nothing {why} to run it for")
    for host in hosts if command.as_root else ():
        if host in view.hosts and view.hosts[host].privilege == "none":
            yield view.mistake(
                (*loc[:-1], "as_root"), f"`privilege` of host '{host}' is none", key=True
            )
            return


def _word(view: View, loc: Loc, word: str) -> Iterator[Mistake]:
    kind, colon, name = word.partition(":")
    known = {
        NODE: (view.names["node"], "unknown node"),
        ROLE: (frozenset(ROLES), "unknown role"),
        TAG: (_tags(view), "no node has the tag"),
    }
    if word in (NODES, HOSTS):
        return
    if kind + colon in known:
        names, message = known[kind + colon]
        if name not in names:
            near = nearest(name, sorted(names))
            hint = "" if near or not names else f"; known: {one_of(sorted(names))}"
            meant = kind + colon + near if near else ""
            yield view.mistake(loc, f"{message} '{shown(name)}'{hint}", word, meant)
    elif colon:
        meant = name if kind == "host" else ""
        message = f"'{shown(word)}' is none of node, node:NAME, role:ROLE, tag:NAME, host, "
        yield view.mistake(loc, f"{message}the name of a host", word, meant)
    else:
        yield from view.unknown(loc, "host", word)


def _argv(view: View, loc: Loc, command: CommandSpec, argv: list[str]) -> Iterator[Mistake]:
    """The first mistake of a command line."""
    if not argv:
        return
    program = argv[0]
    if placeholders(argv[:1]):
        yield view.mistake((*loc, 0), "the program itself has no placeholder", program)
        return
    if program.startswith("-") or ("/" in program and not program.startswith("/")):
        message = f"'{shown(program)}' is no program: its name, or its absolute path"
        yield view.mistake((*loc, 0), message, program)
        return
    is_shell = PurePosixPath(program).name in _SHELLS
    for index, word in enumerate(argv):
        names = placeholders((word,))
        unknown = [name for name in names if name not in _known(command)]
        if unknown:
            yield _unknown_placeholder(view, (*loc, index), command, word, unknown[0])
            return
        if names and is_shell and _SCRIPT.fullmatch(argv[index - 1]):
            yield view.mistake(
                (*loc, index),
                "a placeholder is not put into a shell's script: give it as an argument of its "
                "own after the script, where it is $0, $1, …",
                f"{{{names[0]}}}",
            )
            return


def _known(command: CommandSpec) -> tuple[str, ...]:
    return PLACEHOLDERS if is_for_nodes(command.on) else (HOSTS,)


def _unknown_placeholder(
    view: View, loc: Loc, command: CommandSpec, word: str, name: str
) -> Mistake:
    known = _known(command)
    near = nearest(name, known)
    why = f"known: {one_of(f'{{{one}}}' for one in known)}"
    if name in PLACEHOLDERS:
        why, near = "a host has no node and no unit", ""
    meant = word.replace(f"{{{name}}}", f"{{{near}}}") if near else ""
    return view.mistake(loc, f"unknown placeholder '{{{name}}}'; {why}", f"{{{name}}}", meant)


def _all_words(command: CommandSpec) -> tuple[str, ...]:
    return (*command.run, *(command.check or ()), *(command.undo or ()))


def _tags(view: View) -> frozenset[str]:
    groups = view.config.groups or {}
    tagged = [node.tags for node in view.nodes.values()]
    tagged += [host.tags for host in view.hosts.values()]
    return frozenset((*groups, *(tag for tags in tagged for tag in tags or ())))


def _hosts(view: View, command: CommandSpec) -> set[str] | None:
    """The hosts that it would run on; None when mistakes elsewhere keep that from being known."""
    if any(place[0] in ("hosts", "nodes", "groups") for place in view.wrong):
        return None
    if not is_for_nodes(command.on):
        return set(view.hosts) if HOSTS in command.on else set(command.on)
    needs_unit = "unit" in placeholders(_all_words(command))
    return {
        node.host
        for name, node in view.nodes.items()
        if not _words_of(view, name, node).isdisjoint(command.on)
        and (node.unit or node.container or not needs_unit)
    }


def _words_of(view: View, name: str, node: NodeSpec) -> set[str]:
    """The words in `on` that mean a node."""
    host = view.hosts.get(node.host)
    tags = {*(node.tags or ()), *(host.tags or () if host else ())}
    tags |= {group for group, members in (view.config.groups or {}).items() if name in members}
    roles = {ROLE + role.value for role in roles_of(node)}
    return {NODES, NODE + name} | roles | {TAG + tag for tag in tags}
