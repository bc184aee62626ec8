"""Which statements of nginx's files changes mean, and what is against changing them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lptui.actions.drivers.driver import STATE, WEIGHT, Change
from lptui.actions.nginx_edit import Which, Wish
from lptui.errors import CommandError
from lptui.fleet.facts.balancer import AdminState, NginxConfig, NginxServer, NginxUpstream

_STATES: Final = (AdminState.READY, AdminState.DRAIN)


@dataclass(frozen=True, slots=True)
class Line:
    """A statement in a file, and what it is to say."""

    file: str
    which: Which
    wish: Wish
    words: tuple[str, ...]

    @property
    def order(self) -> tuple[int, int]:
        """Where in the file it stands."""
        return self.which.line or 0, self.which.nth

    @property
    def new_words(self) -> tuple[str, ...]:
        """The statement as it will be, in the words that it is read in."""
        words = list(self.words)
        if self.wish.weight is not None:
            words = [word for word in words if not word.startswith("weight=")]
            words.insert(2, f"weight={self.wish.weight}")
        if self.wish.down is not None:
            words = [word for word in words if word != "down"]
        return (*words, "down") if self.wish.down else tuple(words)


def find(config: NginxConfig, backend: str, name: str) -> tuple[NginxUpstream, NginxServer] | None:
    """A server by the names that the probe gives; None when it is not there."""
    for upstream in config.upstreams:
        if upstream.name == backend:
            for own, server in upstream.named:
                if own == name:
                    return upstream, server
    return None


def wishes(config: NginxConfig, changes: Sequence[Change]) -> list[Line]:
    """All changes of one server are one line; raises CommandError when one is not there."""
    by_server: dict[tuple[str, str], dict[str, str]] = {}
    for change in changes:
        by_server.setdefault((change.backend, change.server), {})[change.what] = change.to
    lines = []
    for (backend, name), to in by_server.items():
        found = find(config, backend, name)
        if found is None:
            raise CommandError(f"{backend}/{name}", "is not in nginx's files", "read them again")
        upstream, server = found
        wish = Wish(
            down=to[STATE] != AdminState.READY if STATE in to else None,
            weight=int(to[WEIGHT]) if WEIGHT in to else None,
        )
        lines.append(Line(server.file, _which(upstream, name, server), wish, server.words))
    return lines


def hindrance(config: NginxConfig, changes: Sequence[Change]) -> str:
    """Why these changes cannot be made, or would do something else; "" when they may."""
    for change in changes:
        found = find(config, change.backend, change.server)
        if found is None:
            return f"{change.path} is not in its files"
        why = _hindrance(change, *found, config, changes)
        if why:
            return why
    return ""


def are_before(config: NginxConfig, changes: Sequence[Change]) -> bool:
    """Whether the files say nothing of these changes yet."""
    return all(_now(config, change) == change.was for change in changes)


def _now(config: NginxConfig, change: Change) -> str:
    found = find(config, change.backend, change.server)
    if found is None:
        return ""
    if change.what == WEIGHT:
        return str(found[1].weight)
    return AdminState.DRAIN if found[1].down else AdminState.READY


def _which(upstream: NginxUpstream, name: str, server: NginxServer) -> Which:
    """Its place among those that are alike: one address may stand on a line twice."""
    alike = [own for own, one in upstream.named if _place(one) == _place(server)]
    # Where http and stream have one of a name, the probe tells them apart by their context.
    block = upstream.name.removesuffix(f" ({upstream.context})")
    return Which(block, server.address, server.line, alike.index(name) + 1, len(alike))


def _place(server: NginxServer) -> tuple[str, int | None, str]:
    return server.file, server.line, server.address


def _hindrance(
    change: Change,
    upstream: NginxUpstream,
    server: NginxServer,
    config: NginxConfig,
    changes: Sequence[Change],
) -> str:
    if upstream.is_direct:
        return f"{change.path} is in no upstream block: requests are passed to it directly"
    if not server.file or server.line is None:
        return f"where {change.path} is written is not known"
    wished = {(one.backend, one.server, one.what, one.to) for one in changes}
    for backend, name in _twins(config, upstream, server):
        if (backend, name, change.what, change.to) not in wished:
            path = f"{backend}/{name}"
            return f"{server.file} is included there too: {path} would change as well, choose both"
    if change.what == WEIGHT:
        return _weight_hindrance(change, upstream, server, changes)
    if change.to not in _STATES:
        return f"nginx has no state {change.to}: a server is in service, or it is `down`"
    return ""


def _weight_hindrance(
    change: Change, upstream: NginxUpstream, server: NginxServer, changes: Sequence[Change]
) -> str:
    if not change.to.isdecimal() or int(change.to) < 1:
        return f"nginx has no weight {change.to}: take {change.path} out of service instead"
    if sum(one.backup is server.backup for one in upstream.servers) == 1:
        return f"{change.path} is the only one of its kind: no weight changes anything"
    states = [one.to for one in changes if one.path == change.path and one.what == STATE]
    if states[-1] != AdminState.READY if states else server.down:
        return f"{change.path} is out of service: its weight would not show"
    return ""


def _twins(
    config: NginxConfig, upstream: NginxUpstream, server: NginxServer
) -> Iterator[tuple[str, str]]:
    """Servers of other upstreams that are the same statement: their blocks include one file."""
    for other in config.upstreams:
        if other.name != upstream.name and not other.is_direct:
            for name, one in other.named:
                if (one.file, one.line, one.words) == (server.file, server.line, server.words):
                    yield other.name, name
