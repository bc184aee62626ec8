"""Where the nodes' logs are, and what a line of one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from lptui.fleet.naming import nodes_named
from lptui.fleet.topology import Fleet, LogKind, LogSource, Node, SupervisorKind


class Level(IntEnum):
    """How bad a line says that it is."""

    UNKNOWN = 0
    DEBUG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4

    @property
    def word(self) -> str:
        return _WORDS[self]


_WORDS = {
    Level.UNKNOWN: "",
    Level.DEBUG: "debug",
    Level.INFO: "info",
    Level.WARNING: "warn",
    Level.ERROR: "ERROR",
}


class TimeKind(StrEnum):
    """Where a line's time is from."""

    WRITTEN = "written"
    """The log's own time stamp."""
    SEEN = "seen"
    """It has none that can be told: when it came, the line being new then."""
    UNKNOWN = "unknown"
    """It has none, and was there before: `at` only keeps it in its place."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One entry. Its text is safe to show; `at` in UTC seconds.

    Attributes:
        stream: name of the node, or of the host where it belongs to none.
        cursor: what to go on after (journald's cursor); "" where there is none.
    """

    at: float
    stream: str
    text: str
    level: Level = Level.UNKNOWN
    time_kind: TimeKind = TimeKind.WRITTEN
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """A log that is read: whose, on which host, where it is there."""

    name: str
    host: str
    source: LogSource

    def __str__(self) -> str:
        return f"{str(self.source).strip()} on {self.host}"


@dataclass(frozen=True, slots=True)
class Channel:
    """What is read in one go: the journals of a host together, any other log alone."""

    streams: tuple[Stream, ...]

    @property
    def host(self) -> str:
        return self.streams[0].host

    @property
    def kind(self) -> LogKind:
        return self.streams[0].source.kind

    def __str__(self) -> str:
        more = len(self.streams) - 1
        return f"{self.streams[0]}{f' and {more} more' if more else ''}"


def channels_of(streams: Sequence[Stream]) -> tuple[Channel, ...]:
    """sshd opens ten sessions of a connection at most, and a host may run as many nodes."""
    journals: dict[str, list[Stream]] = {}
    others: list[Stream] = []
    for stream in streams:
        if stream.source.kind is LogKind.JOURNAL and stream.source != WHOLE_JOURNAL:
            journals.setdefault(stream.host, []).append(stream)
        else:
            others.append(stream)
    together = (Channel(tuple(found)) for found in journals.values())
    return (*together, *(Channel((stream,)) for stream in others))


WHOLE_JOURNAL: Final = LogSource(LogKind.JOURNAL, "")


def sources_of(node: Node) -> tuple[LogSource, ...]:
    """Where a node's log is: as declared, else by what keeps it running."""
    if node.logs or node.service is None:
        return node.logs
    kind = LogKind.JOURNAL if node.service.kind is SupervisorKind.SYSTEMD else LogKind.CONTAINER
    return (LogSource(kind, node.service.name),)


def streams_of(fleet: Fleet, word: str) -> tuple[Stream, ...]:
    """The logs that a selector means; () where it means none.

    `all`, a node, an orchestrator or an RPC endpoint by name, `role:`, `host:`, `tag:`,
    `lb:BALANCER[/BACKEND/SERVER]`. A host without nodes of the fleet has its whole journal; so
    has a balancer's host where its servers are no nodes.
    """
    found: dict[tuple[str, LogSource], Stream] = {}
    for node in _nodes(fleet, word):
        for source in sources_of(node):
            found.setdefault((node.host, source), Stream(node.name, node.host, source))
    if found:
        return tuple(found.values())
    kind, _, name = word.partition(":")
    if kind == "lb":
        balancer = fleet.balancers.get(name.partition("/")[0])
        kind, name = "host", (balancer.host if balancer is not None else "") or ""
    if kind == "host" and name in fleet.hosts:
        return (Stream(name, name, WHOLE_JOURNAL),)
    return ()


def _nodes(fleet: Fleet, word: str) -> tuple[Node, ...]:
    kind, colon, name = word.partition(":")
    nodes = tuple(fleet.nodes.values())
    if word == "all":
        return nodes
    if not colon:
        return nodes_named(fleet, word)
    if kind == "role":
        return tuple(node for node in nodes if name in {role.value for role in node.roles})
    if kind == "host":
        return fleet.nodes_on(name)
    if kind == "tag":
        return tuple(node for node in nodes if name in node.tags)
    if kind == "lb":
        balancer_name, _, place = name.partition("/")
        balancer = fleet.balancers.get(balancer_name)
        server = place.partition("/")[2]
        if balancer is not None and server in balancer.servers:
            return nodes_named(fleet, balancer.servers[server])
    return ()


MOST_STREAMS: Final = 32
"""Most logs that are read at once."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Some logs and the selector that means them. `more` are left out for their number."""

    word: str
    streams: tuple[Stream, ...]
    more: int = 0


def choices(fleet: Fleet, words: Sequence[str]) -> tuple[Choice, ...]:
    """What the first of the words means that has logs; then wider: its roles, its host."""
    for word in words:
        streams = streams_of(fleet, word)
        if streams:
            break
    else:
        return ()
    wider = []
    if len(streams) == 1 and (node := fleet.nodes.get(streams[0].name)) is not None:
        wider = [f"role:{role.value}" for role in sorted(node.roles)] + [f"host:{node.host}"]
    found = [_choice(word, streams)]
    for other in wider:
        streams = streams_of(fleet, other)
        if len(streams) > 1 and all(set(streams) != set(one.streams) for one in found):
            found.append(_choice(other, streams))
    return tuple(found)


def _choice(word: str, streams: tuple[Stream, ...]) -> Choice:
    kept = streams[:MOST_STREAMS]
    return Choice(word, kept, len(streams) - len(kept))
