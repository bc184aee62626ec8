"""How many TCP connections nginx's host has to each of its servers: nginx itself counts none."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from lptui.fleet.facts.balancer import NginxConfig, NginxConnections
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet
from lptui.probes.nginx.config import host_of, nginx_balancers
from lptui.probes.numbers import count
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.transport.protocols import Command, Output, Shell, ShellFunction

MOST_NAMES: Final = 30
"""Host names that are looked up; servers beyond them are not known."""

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?", re.ASCII)

ESTABLISHED_FUNCTION: Final = ShellFunction(
    "lptui_established",
    # Only what goes to one of the ports is counted and told: a busy host has very many others.
    'lptui_established() { echo "login $(id -u)"; for x_p in /proc/[0-9]*; do '
    'IFS= read -r x_c <"$x_p/comm" || continue; [ "$x_c" = nginx ] || continue; '
    "while read -r x_n x_u x_r; do "
    'if [ "$x_n" = Uid: ]; then echo "nginx $x_u"; break; fi; done <"$x_p/status"; '
    'done | sort -u; cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v ports=" $* " '
    '\'$4 == "01" { split($3, to, ":"); if (index(ports, " " to[2] " ")) '
    'n[$8 " " $3]++ } END { for (one in n) if (told++ < 4000) print "to", one, n[one]; '
    'print "end" }\'; }',
)


def established(ports: Sequence[int]) -> Command:
    """Connections to these ports of anybody, by the user whose they are and where they lead.

    login 1000
    nginx 0
    nginx 33
    to 33 0B0200C0:22E7 14               (192.0.2.11:8935, as /proc/net/tcp writes it)
    end
    """
    words = [f"{port:04X}" for port in ports]
    return Command(("lptui_established", *words), timeout_s=0.0, function=ESTABLISHED_FUNCTION)


def addresses_of(name: str) -> Command:
    """`192.0.2.11      STREAM orch-1.example.org`: where a name leads, by the host itself."""
    return Command(("getent", "ahosts", name), timeout_s=2.0)


class NginxConnectionsProbe:
    """The host's own tables, read without rights. Connections by other users than nginx's workers
    are not counted: those of the console's own probes are the login's.
    """

    name: ClassVar[str] = "nginx-connections"
    # After the servers were asked, so that what this opened is closed again.
    needs: ClassVar[tuple[str, ...]] = ("nginx-config", "nginx")

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return nginx_balancers(fleet)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.slow

    def source(self, fleet: Fleet, target: str) -> str:
        return f"{fleet.balancers[target].host}: /proc/net/tcp"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(NginxConnections, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        key = Key(NginxConnections, target)
        reading = asking.latest.reading(NginxConfig, target)
        config = reading.value or (reading.last_good.value if reading.last_good else None)
        if config is None:
            return [Answer(key, problem=reading.problem)]
        wanted = list(
            dict.fromkeys(server.address for one in config.upstreams for server in one.servers)
        )
        host = host_of(asking.fleet.balancers[target])
        left = time_left(asking)
        shell = asking.reach.shell(host)
        names = await _resolved(shell, wanted, left())
        ports = sorted({port for one in wanted if (port := _split(one)[1]) is not None})
        [output] = await shell.run([established(ports)], left())
        return [Answer(key, describe(output, host, wanted, names))]


def describe(
    output: Output, host: str, wanted: Sequence[str], names: Mapping[str, Sequence[str]]
) -> NginxConnections:
    """Raises CommandError when the host did not say all of it."""
    lines = [line.split(" ") for line in output.text.split("\n")]
    if ["end"] not in lines:
        raise failure(f"/proc/net/tcp on {host}", output, "it needs awk and /proc on the host")
    login = {words[1] for words in lines if words[0] == "login" and len(words) == 2}
    users = {words[1] for words in lines if words[0] == "nginx" and len(words) == 2}
    # The master is root and connects to nobody, unless its workers are root too.
    users = users - {"0"} or users
    totals: dict[str, int] = {}
    for words in lines:
        if words[0] == "to" and len(words) == 4 and (not users or words[1] in users):
            totals[words[2]] = totals.get(words[2], 0) + (count(words[3]) or 0)
    return NginxConnections(
        tuple((one, _total(one, names, totals)) for one in wanted),
        is_shared=not users or bool(login & users),
    )


def _total(
    address: str, names: Mapping[str, Sequence[str]], totals: Mapping[str, int]
) -> int | None:
    name, port = _split(address)
    if port is None:
        return None
    found = names.get(name, (name,))
    keys = [_as_written(one, port) for one in found]
    known = [key for key in keys if key is not None]
    return sum(totals.get(key, 0) for key in known) if known else None


def _split(address: str) -> tuple[str, int | None]:
    """Name or IP address, and port; None for a unix socket."""
    name, _, port = address.rpartition(":")
    number = count(port)
    if address.startswith("unix:") or number is None or number > 65535:
        return address, None
    return name.removeprefix("[").removesuffix("]"), number


def _as_written(address: str, port: int) -> str | None:
    """As /proc/net/tcp writes it: words of four bytes, each in the host's order (little endian)."""
    try:
        packed = ipaddress.ip_address(address).packed
    except ValueError:
        return None
    words = (packed[at : at + 4][::-1].hex() for at in range(0, len(packed), 4))
    return f"{''.join(words).upper()}:{port:04X}"


async def _resolved(
    shell: Shell, wanted: Sequence[str], deadline_s: float
) -> dict[str, tuple[str, ...]]:
    """The addresses of those that are names, as the host finds them."""
    names = dict.fromkeys(
        name
        for name, port in map(_split, wanted)
        if port is not None and _as_written(name, port) is None and _NAME.fullmatch(name)
    )
    asked = list(names)[:MOST_NAMES]
    if not asked:
        return {}
    outputs = await shell.run([addresses_of(name) for name in asked], deadline_s)
    found = {}
    for name, output in zip(asked, outputs, strict=True):
        lines = output.text.split("\n")
        found[name] = tuple(dict.fromkeys(line.split()[0] for line in lines if line.strip()))
    return found
