"""Which connections a transcoder's host has to orchestrators: ss, or netstat where there is none.

An orchestrator knows its transcoders by their sockets' addresses alone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import ClassVar, Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.connections import Connection, HostConnections
from lptui.fleet.registration import USUAL_PORT, orchestrator_address, place_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Intervals, Role
from lptui.probes.host import commands
from lptui.probes.host.base import HostProbe
from lptui.probes.numbers import count
from lptui.probes.outcome import NOT_FOUND, failure
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean

MOST: Final = 500
"""Connections that are kept: a transcoder has one to its orchestrator, and some that carry
results."""

_WHAT: Final = "established sockets"
_MOST_LINES: Final = 50_000
_HEADERS: Final = ("Recv-Q", "Netid", "Proto", "Active", "State")


def parse(text: str, ports: Sequence[int]) -> HostConnections:
    """The connections to some ports in the output of `ss -Htn state established` or `netstat -tn`.

    Raises BadAnswerError when a line is neither a header nor a socket: one that went unseen
    would be taken for one that is not there.
    """
    wanted = frozenset(ports)
    found: dict[Connection, None] = {}
    lines = text.split("\n")
    if len(lines) > _MOST_LINES:
        raise BadAnswerError(_WHAT, f"more than {_MOST_LINES}")
    for line in lines:
        words = line.split()
        if not words or words[0] in _HEADERS:
            continue
        # ss, asked for one state, leaves that out; netstat begins with the protocol.
        is_netstat = words[0].startswith("tcp")
        if is_netstat and words[5:6] != ["ESTABLISHED"]:
            continue
        pair = words[3:5] if is_netstat else words[2:4]
        ends = [socket_address(word) for word in pair]
        if len(ends) != 2 or None in ends:
            raise BadAnswerError(_WHAT, f"unexpected {clean(line, 80)!r}")
        local, peer = (str(end) for end in ends)
        if int(peer.rpartition(":")[2]) in wanted and len(found) < MOST:
            found[Connection(local, peer)] = None
    return HostConnections(tuple(found), tuple(sorted(wanted)))


def socket_address(text: str) -> str | None:
    """`192.0.2.1:40112`, `[::ffff:192.0.2.1]:40112`, `[fe80::1%eth0]:8935`, `fe80::1%eth0:22`, and
    what netstat makes of them, in one way; None for nonsense."""
    host, _, port = text.rpartition(":")
    number = count(port)
    bare = host.strip("[]").partition("%")[0]
    if number is None or number > 65535:
        return None
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        return f"{inner}:{number}" if inner else f"[{address}]:{number}"
    return f"{address}:{number}"


def ports_of(snapshot: Snapshot, host: str) -> tuple[int, ...]:
    """The ports that this host's transcoders connect to, and those of the fleet's orchestrators."""
    fleet = snapshot.fleet
    own = [orchestrator_address(snapshot, node) for node in fleet.nodes_on(host)]
    known = [node.service_uri or "" for node in fleet.nodes_with(Role.ORCHESTRATOR)]
    ports = {USUAL_PORT, *(place_of(address)[1] for address in (*own, *known))}
    return tuple(sorted(ports - {0}))


class HostConnectionsProbe(HostProbe):
    """Of hosts with a transcoder that works for an orchestrator elsewhere."""

    name: ClassVar[str] = "host-connections"
    topic: ClassVar[type] = HostConnections
    asks: ClassVar[str] = "ss -Htn state established"
    needs: ClassVar[tuple[str, ...]] = ("host-processes",)

    def pace(self, intervals: Intervals) -> float:
        return intervals.units

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(
            dict.fromkeys(
                node.host
                for node in fleet.nodes_with(Role.TRANSCODER)
                if Role.ORCHESTRATOR not in node.roles
            )
        )

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        shell = asking.reach.shell(target)
        left = time_left(asking)
        [output] = await shell.run([commands.SS_ESTABLISHED], left())
        if output.status == NOT_FOUND:
            [output] = await shell.run([commands.NETSTAT_ESTABLISHED], left())
        if output.status != 0:
            raise failure(f"{_WHAT} of {target}", output, "install iproute2 (ss) on the host")
        found = parse(output.text, ports_of(asking.latest, target))
        return [Answer(self.key(target), found)]
