"""Who listens where: ss, or netstat where there is no ss."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.host import HostListeners, Listener
from lptui.probes.host import commands
from lptui.probes.host.base import HostProbe
from lptui.probes.numbers import count
from lptui.probes.outcome import NOT_FOUND, failure
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean

_MOST: Final = 5000
_UNIT: Final = re.compile(r"([^/]+\.(?:service|scope|socket))(?=/|$)")
_HEADERS: Final = ("State", "Recv-Q", "Proto", "Active")


def parse(text: str) -> HostListeners:
    """The listening sockets in the output of `ss -ltn` or `netstat -ltn`.

    Raises BadAnswerError when a line is neither header nor listener, or when there is neither:
    one that went unseen would be taken for one that is not there.
    """
    found: list[Listener] = []
    is_table = False
    lines = text.split("\n")
    if len(lines) > _MOST:
        raise BadAnswerError("listening sockets", f"more than {_MOST}")
    for line in lines:
        words = line.split()
        if not words:
            continue
        if words[0] in _HEADERS:
            is_table = True
            continue
        # ss begins with the state, netstat with the protocol; the address is the fourth in both.
        listener = _listener(words) if len(words) >= 5 and "LISTEN" in words else None
        if listener is None:
            raise BadAnswerError("listening sockets", f"unexpected {clean(line, 80)!r}")
        found.append(listener)
    if not is_table and not found:
        raise BadAnswerError("listening sockets", "silence")
    return HostListeners(tuple(dict.fromkeys(found)))


class HostListenersProbe(HostProbe):
    name: ClassVar[str] = "host-listeners"
    topic: ClassVar[type] = HostListeners
    asks: ClassVar[str] = "ss -ltne"

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        shell = asking.reach.shell(target)
        left = time_left(asking)
        [output] = await shell.run([commands.SS], left())
        if output.status == NOT_FOUND:
            [output] = await shell.run([commands.NETSTAT], left())
        if output.status != 0:
            raise failure(
                f"listening sockets of {target}", output, "install iproute2 (ss) on the host"
            )
        return [Answer(self.key(target), parse(output.text))]


def _listener(words: Sequence[str]) -> Listener | None:
    """`127.0.0.1:7935`, `[::]:22`, `:::8935`, `*:80`, `127.0.0.53%lo:53`."""
    address, _, port = words[3].rpartition(":")
    number = count(port)
    if number is None or number > 65535 or not address:
        return None
    group = next((word[7:] for word in words[5:] if word.startswith("cgroup:")), "")
    return Listener(clean(address, 80), number, _unit(group))


def _unit(group: str) -> str:
    """The innermost unit of `/system.slice/livepeer.service`, else the group; "" for the root."""
    units = _UNIT.findall(group)
    return clean(units[-1] if units else group.strip("/"), 120)
