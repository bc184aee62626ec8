"""A host whose commands answer as a test says, and what a probe gets to ask it with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lptui.clock import FrozenClock
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Host, Node, Role, Service, SupervisorKind
from lptui.probes.probe import Asking
from lptui.transport.fake import FakeReach

HOST = "edge-1"
SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> str:
    """A recorded output."""
    return (SAMPLES / name).read_text()


def fleet(
    units: Sequence[str] = (), containers: Sequence[str] = (), mounts: Sequence[str] = ()
) -> Fleet:
    """One host with a node for every unit and container."""
    services = [Service(SupervisorKind.SYSTEMD, name) for name in units]
    services += [Service(SupervisorKind.CONTAINER, name) for name in containers]
    nodes = {
        service.name: Node(service.name, HOST, frozenset({Role.TRANSCODER}), service)
        for service in services
    }
    hosts = {HOST: Host(HOST, None, mounts=tuple(mounts))}
    return Fleet("test", hosts=MappingProxyType(hosts), nodes=MappingProxyType(nodes))


def asking(
    commands: Any,
    described: Fleet | None = None,
    known: Mapping[Key, Any] | None = None,
    deadline_s: float = 5.0,
) -> tuple[Asking, FakeReach]:
    """What a probe is given, and the transport that records what it asked."""
    described = described or fleet()
    reach = FakeReach(commands={HOST: commands})
    readings = {key: Reading(value, None, "", 1.0) for key, value in (known or {}).items()}
    given = Asking(described, reach, FrozenClock(), Snapshot(described, readings), deadline_s)
    return given, reach


def ran(reach: FakeReach) -> list[str]:
    """The first words of all commands that were run."""
    return [what[0] for kind, _, what in reach.asked if kind == "run"]
