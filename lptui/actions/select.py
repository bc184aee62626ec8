"""Selectors: `all`, a name, `role:ROLE`, `host:NAME`, `tag:NAME`, to an action's targets."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from lptui.actions.plan import Request
from lptui.actions.spec import Action
from lptui.errors import RefusedError
from lptui.fleet.pools import (
    PREFIX,
    balancers_of,
    named,
    places,
    pool_selector,
    pools_named,
    selector,
    unread,
)
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node, Role
from lptui.text import clean

HOST: Final = "host:"

_OF_BALANCERS: Final = frozenset({"server", "backend", "pool"})
"""Subjects that only a balancer's answer tells of."""

_FINDINGS: Final = "see the balancers' own findings (lptui --headless check)"
_BY_NAME: Final = f"{_FINDINGS}; or name what is at another balancer: lb:BACKEND/SERVER"


class UnreadError(RefusedError):
    """What a word selects is not known: a balancer that may have some of it was not read."""


def requests(
    action: Action,
    snapshot: Snapshot,
    words: Sequence[str],
    options: tuple[tuple[str, str], ...] = (),
) -> tuple[Request, ...]:
    """What the words ask for: one plan for all targets, or one for each, as the action does it.

    Raises RefusedError like `targets`.
    """
    chosen = targets(action, snapshot, words)
    if action.spec.together:
        return (Request(chosen, options),)
    return tuple(Request((target,), options) for target in chosen)


def targets(action: Action, snapshot: Snapshot, words: Sequence[str]) -> tuple[str, ...]:
    """The targets that the words select, in the configuration's order, without repeats.

    Without a word the only target there is. Raises RefusedError when a word selects nothing or
    when there is a choice to make.
    """
    possible = tuple(action.targets(snapshot))
    if not possible:
        raise _nothing(action, snapshot)
    if not words:
        if len(possible) == 1:
            return possible
        names = ", ".join(possible)
        raise RefusedError(action.spec.id, f"which {action.spec.subject}?", f"one of: {names}, all")
    chosen = {name for word in words for name in _selected(word, possible, action, snapshot)}
    return tuple(name for name in possible if name in chosen)


def _selected(
    word: str, possible: tuple[str, ...], action: Action, snapshot: Snapshot
) -> tuple[str, ...]:
    fleet = snapshot.fleet
    if word == "all":
        _refuse_unread(word, action, snapshot, fleet.balancers)
        return possible
    if word in possible:
        return (word,)
    if word.startswith(HOST) and word.removeprefix(HOST) in possible:
        return (word.removeprefix(HOST),)
    nodes = _nodes(word, fleet)
    served = {name for node in nodes for name in action.of_node(snapshot, node)}
    if all(name.startswith(PREFIX) for name in served):
        behind = {name for node in nodes for name in balancers_of(fleet, node.name)}
        _refuse_unread(word, action, snapshot, sorted(behind))
    served |= set(_behind_balancers(word, snapshot))
    served &= set(possible)
    if served:
        return tuple(served)
    if word.startswith(PREFIX):
        _refuse_unread(word, action, snapshot, fleet.balancers)
    known = _names(possible, fleet)
    if word in known:
        hint = f"nothing there works for {_either(possible)}"
    elif near := difflib.get_close_matches(word, known, n=1):
        hint = f"did you mean {near[0]}?"
    else:
        hint = f"there are: {', '.join(possible)}"
    raise RefusedError(clean(word, 120), "selects nothing", hint)


def _nothing(action: Action, snapshot: Snapshot) -> RefusedError:
    """Of a fleet without anything that the action could be aimed at."""
    what, subject = action.spec.id, action.spec.subject
    if subject not in _OF_BALANCERS:
        return RefusedError(what, f"this fleet has no {subject}", "see chain: in the file")
    why = unread(snapshot, snapshot.fleet.balancers)
    if why:
        return RefusedError(what, f"no {subject} is known: could not be read: {why}", _FINDINGS)
    return RefusedError(what, f"this fleet has no {subject}", "see balancers: in the file")


def _refuse_unread(word: str, action: Action, snapshot: Snapshot, balancers: Iterable[str]) -> None:
    """A part of what is meant is not all of it, and must not be taken for it."""
    if action.spec.subject not in _OF_BALANCERS:
        return
    why = unread(snapshot, balancers)
    if why:
        raise UnreadError(
            clean(word, 120), f"may be at balancers that could not be read: {why}", _BY_NAME
        )


def _behind_balancers(word: str, snapshot: Snapshot) -> tuple[str, ...]:
    """The servers, or the pools, that `lb:…` means."""
    if not word.startswith(PREFIX):
        return ()
    known = places(snapshot)
    servers = tuple(selector(place, known) for place in named(word, known))
    return (*servers, *(pool_selector(pool, known) for pool in pools_named(word, known)))


def _names(possible: tuple[str, ...], fleet: Fleet) -> list[str]:
    """Everything that a selector can name in this fleet."""
    nodes = fleet.nodes.values()
    roles = {role.value for node in nodes for role in node.roles}
    tags = {tag for node in nodes for tag in node.tags}
    return [
        *("all", *possible, *fleet.nodes),
        *(f"role:{name}" for name in sorted(roles)),
        *(f"host:{name}" for name in fleet.hosts),
        *(f"tag:{name}" for name in sorted(tags)),
    ]


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(names[:3]) + (" …" if len(names) > 3 else "")


def _nodes(word: str, fleet: Fleet) -> tuple[Node, ...]:
    kind, colon, name = word.partition(":")
    if not colon:
        return (fleet.nodes[word],) if word in fleet.nodes else ()
    if kind == "role" and name in set(Role):
        return fleet.nodes_with(Role(name))
    if kind == "host":
        return fleet.nodes_on(name)
    if kind == "tag":
        return tuple(node for node in fleet.nodes.values() if name in node.tags)
    return ()
