"""Whether the servers behind nginx answer: it tells nobody, so they are asked from its host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lptui.errors import DeadlineError, LptuiError, Problem, ProblemKind, TransportError
from lptui.fleet.facts.balancer import Health
from lptui.fleet.topology import Balancer, Endpoint
from lptui.probes import sockets
from lptui.probes.host.commands import DATE
from lptui.probes.nginx.config import host_of
from lptui.text import clean
from lptui.transport.protocols import Reach

AT_ONCE: Final = 16
PATIENCE_S: Final = 2.0
"""How long a server may take to answer."""

_NO_VERDICT: Final = frozenset(
    {ProblemKind.FORBIDDEN, ProblemKind.NOT_CONFIGURED, ProblemKind.INTERNAL}
)
_NOBODY_THERE: Final = frozenset({ProblemKind.REFUSED, ProblemKind.UNREACHABLE})

_PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "http": ("http",),
    "https": ("https",),
    "": ("https", "http"),
}
"""How to ask for a page by the scheme that nginx uses; other servers have no pages to ask for."""

Target = tuple[str, str]
"""An address and the scheme by which nginx speaks to it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What asking a server gave."""

    health: Health
    detail: str = ""
    latency_s: float | None = None
    problem: Problem | None = None


async def ask(
    reach: Reach, balancer: Balancer, targets: Sequence[Target], left: Callable[[], float]
) -> dict[Target, Verdict]:
    """Asks all servers side by side.

    Where one does not answer, the host itself is asked: when that fails, nothing is known of the
    servers, and its error is raised.
    """
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(target: Target) -> Verdict:
        async with turns:
            return await _verdict(reach, balancer, target, left)

    found = await asyncio.gather(*(one(target) for target in targets))
    if any(verdict.problem is not None for verdict in found):
        await reach.shell(host_of(balancer)).run([DATE], max(0.5, left()))
    return dict(zip(targets, found, strict=True))


async def _verdict(
    reach: Reach, balancer: Balancer, target: Target, left: Callable[[], float]
) -> Verdict:
    written, scheme = target
    if scheme == "udp":
        return Verdict(Health.NO_CHECK, "UDP: there is no connection to try")
    try:
        seconds = min(PATIENCE_S, left())
    except DeadlineError:
        return Verdict(Health.UNKNOWN, "not asked: too many servers take their time")
    host, address = host_of(balancer), written.removeprefix("unix:")
    try:
        if balancer.probe_path is None or scheme not in _PAGES:
            took = await reach.connect_time(host, address, seconds)
            return Verdict(Health.UP, "connected", took)
        return await _page(reach, host, address, _PAGES[scheme], balancer.probe_path, seconds)
    except LptuiError as error:
        problem = error.problem()
        if address.startswith("/"):
            problem = await _explained(reach, host, address, problem, left)
        hurried = problem.kind is ProblemKind.TIMEOUT and seconds < PATIENCE_S
        health = Health.UNKNOWN if hurried or problem.kind in _NO_VERDICT else Health.DOWN
        return Verdict(health, clean(problem.why or problem.what, 160), None, problem)


async def _page(
    reach: Reach, host: str, address: str, schemes: Sequence[str], path: str, seconds: float
) -> Verdict:
    """A GET by the first scheme that the server speaks; 2xx and 3xx are well."""
    if address.startswith("/"):
        schemes = ("unix",)
    for scheme in schemes:
        # A node's own certificate is self-signed, and nginx does not check it either by default.
        endpoint = Endpoint(f"{scheme}://{address}", host, verify_tls=False)
        try:
            answer = await reach.http(endpoint).request(
                "GET", path, deadline_s=seconds / len(schemes)
            )
        except TransportError as error:
            if scheme != schemes[-1] and error.kind not in _NOBODY_THERE:
                continue
            raise
        is_well = 200 <= answer.status < 400
        detail = f"GET {clean(path, 60)}: {answer.status}"
        return Verdict(Health.UP if is_well else Health.DOWN, detail, answer.took_s)
    raise TransportError(address, "there is no way to ask it", kind=ProblemKind.INTERNAL)


async def _explained(
    reach: Reach, host: str, path: str, problem: Problem, left: Callable[[], float]
) -> Problem:
    """A unix socket that does not open may be closed to the login alone, not to nginx."""
    if problem.kind not in _NOBODY_THERE:
        return problem
    try:
        seen = await sockets.look(reach.shell(host), path, left())
    except LptuiError:
        return problem
    if seen.is_hidden or (seen.is_there and not seen.may_use):
        why = "the login may not use the socket"
        return Problem(ProblemKind.FORBIDDEN, problem.what, why, "add the login to its group")
    why = "nobody listens on the socket" if seen.is_there else "there is no such socket"
    return Problem(ProblemKind.REFUSED, problem.what, why, problem.remedy)
