"""nginx as a balancer. It tells nobody how its servers are, so they are asked from its host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from lptui.errors import LptuiError, Problem, ProblemKind
from lptui.fleet.facts.balancer import (
    AdminState,
    BalancerState,
    Health,
    NginxConfig,
    NginxServer,
    NginxUpstream,
    Proxy,
    Server,
)
from lptui.fleet.reading import Key
from lptui.fleet.topology import Balancer, Fleet
from lptui.probes.backends import only
from lptui.probes.nginx import status, verdicts
from lptui.probes.nginx.config import nginx_balancers
from lptui.probes.nginx.verdicts import Target, Verdict
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.transport.protocols import Reach

KIND: Final = "nginx"

_SILENCE: Final = frozenset(
    {
        ProblemKind.TIMEOUT,
        ProblemKind.REFUSED,
        ProblemKind.UNREACHABLE,
        ProblemKind.DISCONNECTED,
    }
)
"""Of the status page: nginx itself says nothing. Anything else is a matter of that page."""


class NginxProbe:
    """Each server of each upstream, and stub_status; the configuration is another reading."""

    name: ClassVar[str] = "nginx"
    needs: ClassVar[tuple[str, ...]] = ("nginx-config",)

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return nginx_balancers(fleet)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.balancer

    def source(self, fleet: Fleet, target: str) -> str:
        balancer = fleet.balancers[target]
        way = f"GET {balancer.probe_path}" if balancer.probe_path else "connections"
        return f"{balancer.host}: {way} to its servers"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(BalancerState, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        key = Key(BalancerState, target)
        balancer = asking.fleet.balancers[target]
        config, notes = _configuration(asking, target)
        if isinstance(config, Problem):
            return [Answer(key, problem=config)]
        left = time_left(asking)
        wanted = [
            one
            for one in config.upstreams
            if not balancer.backends or one.name in balancer.backends
        ]
        answers, page = await asyncio.gather(
            verdicts.ask(asking.reach, balancer, _targets(wanted), left),
            _stub_status(asking.reach, balancer, left),
        )
        state = _state(config, wanted, answers, page)
        whole = only(state, balancer.backends)
        return [Answer(key, _with_notes(whole, (*page.notes, *notes, *config.notes)))]


def _configuration(asking: Asking, target: str) -> tuple[NginxConfig | Problem, tuple[str, ...]]:
    """The configuration as last read, with a note where that reading fails now.

    One that has not been read for some intervals is not known any more.
    """
    reading = asking.latest.reading(NginxConfig, target)
    if reading.value is not None:
        return reading.value, ()
    problem = reading.problem or Problem(ProblemKind.NOT_READ, "nginx", "not read yet")
    good = reading.last_good
    if good is None or good.value is None:
        return problem, ()
    age = asking.clock.now() - good.taken_at
    if age > asking.fleet.intervals.slow * asking.fleet.thresholds.stale_intervals:
        return problem, ()
    return good.value, (f"the configuration was read {age:.0f} s ago; now {problem}",)


def _targets(wanted: Sequence[NginxUpstream]) -> list[Target]:
    found = [(server.address, one.scheme) for one in wanted for server in one.servers]
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Page:
    """stub_status as far as it was asked for and answered; `is_silent`: nobody said anything."""

    numbers: status.StubStatus | None = None
    notes: tuple[str, ...] = ()
    is_silent: bool = False


async def _stub_status(reach: Reach, balancer: Balancer, left: Callable[[], float]) -> Page:
    """The page, or a note why not."""
    if balancer.stub_status is None:
        return Page()
    try:
        http = reach.http(balancer.stub_status)
        answer = await http.request("GET", "", deadline_s=min(verdicts.PATIENCE_S, left()))
        if answer.status != 200:
            return Page(notes=(f"stub_status: status {answer.status}",))
        page = status.parse(answer.text)
    except LptuiError as error:
        return Page(None, (f"stub_status: {error.why or error}",), error.kind in _SILENCE)
    dropped = f"{page.dropped} connections were accepted and not served (a limit was hit)"
    return Page(page, ((dropped,) if page.dropped else ()))


def _state(
    config: NginxConfig,
    wanted: Sequence[NginxUpstream],
    answers: Mapping[Target, Verdict],
    page: Page,
) -> BalancerState:
    servers = tuple(server for one in wanted for server in _servers(one, answers))
    backends = tuple(_proxy(one, servers) for one in wanted)
    word = ""
    if config.pid is not None or page.numbers is not None:
        word = "SILENT" if page.is_silent else "OPEN"
    active = page.numbers.active if page.numbers else None
    frontend = Proxy(
        name=KIND,
        kind="frontend",
        status=word,
        sessions=active,
        addresses=config.listen,
    )
    return BalancerState(
        kind=KIND,
        version=config.version,
        proxies=(frontend, *backends),
        servers=servers,
        pid=config.pid,
        uptime_s=config.uptime_s,
        old_workers=config.old_workers,
        edited=config.edited,
        connections=active,
    )


def _servers(upstream: NginxUpstream, answers: Mapping[Target, Verdict]) -> list[Server]:
    return [
        _server(upstream.name, name, line, answers[line.address, upstream.scheme])
        for name, line in upstream.named
    ]


def _server(backend: str, name: str, line: NginxServer, verdict: Verdict) -> Server:
    return Server(
        backend=backend,
        name=name,
        address=line.address,
        admin=AdminState.DOWN if line.down else AdminState.READY,
        health=verdict.health,
        backup=line.backup,
        weight=0 if line.down else line.weight,
        configured_weight=line.weight,
        check_detail=verdict.detail,
        health_source="probe" if verdict.health in (Health.UP, Health.DOWN) else "",
        latency_s=verdict.latency_s,
    )


def _proxy(upstream: NginxUpstream, servers: Sequence[Server]) -> Proxy:
    """An upstream; `active` and `backup` count the servers that may take traffic.

    They answered, or cannot be asked and are sent traffic in any case (UDP).
    """
    mine = [one for one in servers if one.backend == upstream.name]
    well = (Health.UP, Health.NO_CHECK)
    usable = [one for one in mine if one.health in well and one.admin is not AdminState.DOWN]
    is_unknown = any(one.health is Health.UNKNOWN for one in mine)
    return Proxy(
        name=upstream.name,
        kind="backend",
        status="UP" if usable else "" if is_unknown else "DOWN",
        algorithm=upstream.algorithm or "round robin",
        active=None if is_unknown else sum(not one.backup for one in usable),
        backup=None if is_unknown else sum(one.backup for one in usable),
    )


def _with_notes(state: BalancerState, notes: Sequence[str]) -> BalancerState:
    return replace(state, notes=(*state.notes, *notes))
