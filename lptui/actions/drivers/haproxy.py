"""Tells HAProxy by its runtime socket (load-balancers.md §1.4). Nothing that it is told survives
a reload, unless its configuration has a state file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from lptui.actions.drivers.driver import STATE, WEIGHT, Change
from lptui.actions.spec import Execution, Source
from lptui.errors import BadAnswerError, CommandError, ProblemKind
from lptui.fleet.facts.balancer import AdminState, BalancerState
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer
from lptui.probes.haproxy import dialogue

SECONDS: Final = 8.0

HEAVIEST: Final = 256

_NAME: Final = re.compile(r"[A-Za-z0-9_.:\-]{1,200}", re.ASCII)
"""What HAProxy itself allows in names of backends and servers."""

_FIXED: Final = ("static-rr", "source", "uri", "url_param", "hdr", "rdp-cookie", "map-based")
"""Algorithms that take no weights at run time, but for 0 and the first one."""


class HaproxyDriver:
    """See the module."""

    def sources(self, balancer: Balancer) -> Sequence[Source]:
        return (("haproxy", balancer.name),)

    def hindrance(self, balancer: Balancer, now: Snapshot, changes: Sequence[Change]) -> str:
        state = now.fresh(BalancerState, balancer.name)
        if not balancer.socket or balancer.host is None:
            return f"{balancer.name} has no runtime socket configured, only its statistics page"
        if state is None:
            return f"{balancer.name} could not be read"
        if state.level not in ("admin", ""):
            return (
                f"the socket's level is {state.level}: "
                "`stats socket … level admin` is needed to change anything"
            )
        for change in changes:
            server = next(
                (s for s in state.backend_servers(change.backend) if s.name == change.server), None
            )
            if server is not None and server.agent:
                return (
                    f"{change.path} has an agent-check that would overrule it within a second: "
                    f"`disable agent {change.path}` first"
                )
            proxy = state.backend(change.backend)
            if change.what == WEIGHT and proxy and proxy.algorithm.startswith(_FIXED):
                return f"backend {change.backend} balances by {proxy.algorithm}: weights are fixed"
        return ""

    def unloaded(self, balancer: Balancer, now: Snapshot) -> str:
        return ""

    def call_words(
        self, balancer: Balancer, changes: Sequence[Change], now: Snapshot | None = None
    ) -> str:
        commands = "; ".join(map(_command, changes))
        return f"{balancer.host}: {balancer.socket}: {commands}"

    async def set(self, balancer: Balancer, changes: Sequence[Change], execution: Execution) -> str:
        await _say(balancer, [_command(change) for change in changes], execution)
        return ""

    async def clear(
        self, balancer: Balancer, changes: Sequence[Change], execution: Execution
    ) -> None:
        return

    async def cut(
        self, balancer: Balancer, servers: Sequence[tuple[str, str]], execution: Execution
    ) -> str:
        commands = [f"shutdown sessions server {_path(*server)}" for server in servers]
        await _say(balancer, commands, execution)
        return f"sessions of {', '.join('/'.join(one) for one in servers)} were cut off"


def _command(change: Change) -> str:
    path = _path(change.backend, change.server)
    if change.what == STATE:
        if change.to not in (AdminState.READY, AdminState.DRAIN, AdminState.MAINT):
            raise BadAnswerError(path, f"HAProxy has no state {change.to}")
        return f"set server {path} state {change.to}"
    weight = int(change.to)
    if not 0 <= weight <= HEAVIEST:
        raise BadAnswerError(path, f"weight {weight} is not from 0 to {HEAVIEST}")
    return f"set server {path} weight {weight}"


def _path(backend: str, server: str) -> str:
    """Names go on a command line: whatever could be more than a name is refused."""
    if not (_NAME.fullmatch(backend) and _NAME.fullmatch(server)):
        raise CommandError(
            f"{backend}/{server}", "not a name that HAProxy could have", kind=ProblemKind.BAD_ANSWER
        )
    return f"{backend}/{server}"


async def _say(balancer: Balancer, commands: Sequence[str], execution: Execution) -> None:
    """One line of setters, whose answers are empty when they are obeyed."""
    host, socket = balancer.host, balancer.socket
    if host is None or socket is None:
        raise CommandError(balancer.name, "has no runtime socket", kind=ProblemKind.NOT_CONFIGURED)
    line = ";".join(("set severity-output number", *commands)) + "\n"
    raw = await execution.reach.exchange(host, socket, line.encode("ascii"), SECONDS)
    for command, answer in zip(commands, dialogue.split(raw, len(commands) + 1)[1:], strict=True):
        if dialogue.accept(command, answer):
            raise BadAnswerError(f"HAProxy `{command}`", f"unexpected: {answer[0][:120]!r}")
